"""Abstracts that stand on pages of their own: fetched after the list, some at a time, so that a kill loses few of them.

A part's cursor keeps under "todo" which papers' pages are still to be read, as 12 hex digits for each key: 72 kB for the 6,000
papers of a large meeting. A batch of entries and what is left are stored together.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Concatenate

from catalog.entries import EntryData
from catalog.errors import FetchError, ParseError
from catalog.outcomes import Outcome, Part
from catalog.storage.sources import PartState
from ingest.attempts import TRIES, soundest
from ingest.formats.paper_list import PaperPage
from ingest.source import P, Page, Visit

PAGE_LIMIT = 2 * 1024 * 1024  # bytes; a page has some 20 kB, the metadata of old years hold the paper's whole text
BATCH = 50  # pages that are stored together; at one request per second a kill loses a minute
PAGES = 8_000  # in a visit, more than the largest meeting has; two and a quarter hours
IN_A_ROW = 20  # failures after which the host is left alone until the next visit
UNFINISHED = "abstracts are still to be fetched"
_DIGITS = 12


@dataclass(slots=True)
class Allowance:
    """How many pages a visit may still ask for."""

    pages: int = PAGES


def mark(key: str) -> str:
    """The key in short."""
    return hashlib.blake2b(key.encode(), digest_size=_DIGITS // 2).hexdigest()


def packed(marks: Iterable[str]) -> str:
    """Marks as they stand in a cursor."""
    return "".join(sorted(marks))


def unpacked(text: str) -> set[str]:
    """The inverse of `packed`."""
    return {text[i : i + _DIGITS] for i in range(0, len(text), _DIGITS)}


def complete(
    visit: Visit,
    part: Part,
    entries: Sequence[EntryData],
    state: PartState,
    read: Callable[[EntryData], EntryData],
    allowance: Allowance,
) -> None:
    """Read the pages that the state says are to do, store the entries with what they say, and note what is still missing.

    `read` fetches a page and returns the entry in full; it raises FetchError or ParseError, which cost that abstract only.
    """
    todo = unpacked(state.cursor.get("todo", ""))
    waiting = [e for e in entries if mark(e.key) in todo]
    failed, in_a_row, trouble, asked = 0, 0, "", 0
    stopped = False
    while asked < len(waiting) and allowance.pages > 0 and not stopped:
        batch = waiting[asked : asked + min(BATCH, allowance.pages)]
        done: list[EntryData] = []
        for entry in batch:
            asked += 1
            allowance.pages -= 1
            try:
                done.append(read(entry))
                in_a_row = 0
            except (FetchError, ParseError) as error:
                failed, in_a_row, trouble = failed + 1, in_a_row + 1, trouble or str(error)
                stopped = in_a_row >= IN_A_ROW or (isinstance(error, FetchError) and error.reason == "host-down")
                if stopped:
                    break
        todo -= {mark(e.key) for e in done}
        state = replace(state, cursor={**state.cursor, "todo": packed(todo)})
        if done:
            visit.keep(part, Page(done, state=state, counted=False))
    _tell(visit, part, waiting, todo, failed, trouble)


def _tell(visit: Visit, part: Part, waiting: Collection[EntryData], todo: set[str], failed: int, trouble: str) -> None:
    left = sum(mark(e.key) in todo for e in waiting)
    if failed:
        visit.fail(part, Outcome.PARTIAL, f"{left:,} of {part.announced:,} abstracts could not be fetched; {trouble}")
    elif left:
        visit.fail(part, Outcome.PARTIAL, f"{left:,} of {part.announced:,} {UNFINISHED}")


def paper_page(
    visit: Visit, url: str, parse: Callable[Concatenate[bytes, P], PaperPage], *args: P.args, **kwargs: P.kwargs
) -> PaperPage:
    """What a paper's page says; raises FetchError, and ParseError for a damaged page.

    A page that is whole, looks odd and is the same each time it is asked for is the host's own and taken as it is.
    """
    bodies: list[bytes] = []

    def read() -> PaperPage:
        answer = visit.http.get(url, limit=PAGE_LIMIT)
        bodies.append(answer.body)
        return visit.parse(parse, answer, *args, **kwargs)

    page = soundest(read, lambda p: bool(p.damage))
    if page.damage and (not page.whole or len(bodies) < TRIES or len(set(bodies)) > 1):
        raise ParseError("damaged", page.damage)
    return page
