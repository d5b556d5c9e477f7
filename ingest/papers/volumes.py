"""A list of papers, such as a year's proceedings, taken whole: stored, counted, believed when nothing speaks against it.

What speaks against an answer: it is damaged, papers on it cannot be read, or papers that are held are not on it any more. Then
words out of it replace none that are held and the part's state does not move, unless nothing is damaged and the visit before
got the same answer byte for byte: then it is the upstream's own.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from catalog.entries import Detail, EntryData
from catalog.outcomes import Outcome, Part
from catalog.storage.sources import PartState
from ingest.formats.paper_list import PaperList
from ingest.papers.abstracts import mark, packed, unpacked
from ingest.source import Page, Visit

AT_ONCE = 500  # papers in a transaction
VANISHING = 0.05  # of what is held may be gone from a list that is believed


@dataclass(frozen=True, slots=True)
class Volume:
    """What was read of a list."""

    prefix: str  # of the keys of its papers
    papers: PaperList
    digest: str  # of all answers that it was read from
    facts: Mapping[str, Any] = field(default_factory=dict)  # for the cursor, once the list is believed
    etag: str = ""
    last_modified: str = ""
    noun: str = "papers"  # what the list is of, for messages


def digest(bodies: Iterable[bytes]) -> str:
    """32 hex digits over answers, in order."""
    total = hashlib.blake2b(digest_size=16)
    for body in bodies:
        total.update(len(body).to_bytes(8, "big") + body)
    return total.hexdigest()


def settled(state: PartState) -> bool:
    """True when the list was believed and no page of a paper is still to be read: an unchanged one needs no second look."""
    return "announced" in state.cursor and not state.cursor.get("todo")


def unchanged(visit: Visit, part: Part, state: PartState) -> None:
    """The part stands as the visit left it that read the list."""
    cursor = state.cursor
    part.announced, part.held = cursor["announced"], cursor["held"]
    part.outcome = Outcome.OK if part.announced else Outcome.EMPTY
    if cursor.get("note"):
        visit.fail(part, Outcome.PARTIAL, cursor["note"])


def unpublished(visit: Visit, part: Part, prefix: str, state: PartState | None = None) -> None:
    """Nothing is published of the list, which is believed while nothing of it is held; `state` is kept then."""
    standing = visit.standing(prefix)
    if standing:
        part.announced = part.held = len(standing)
        visit.fail(part, Outcome.STALE, f"the list is empty or gone, {len(standing):,} papers of it are held")
        return
    part.announced = part.held = 0
    if state is not None:
        visit.keep(part, Page(state=state))


def store(
    visit: Visit, part: Part, state: PartState, volume: Volume, has_page: Callable[[EntryData], bool] = lambda _: True
) -> PartState:
    """Store the papers of a list and return the state in which their abstracts go on.

    `has_page` says whose abstract stands on a page of its own; such an entry is brief until that page was read.
    """
    papers = volume.papers
    facts = {**volume.facts, "digest": volume.digest}
    if facts.items() <= state.cursor.items():  # nothing but abstracts was left over
        unchanged(visit, part, state)
        return state
    keys = {e.key for e in papers.entries}
    standing, held = visit.standing(volume.prefix), visit.held(keys)
    vanished = sorted(standing - keys)
    doubtful = bool(papers.loss or vanished)
    believed = not doubtful or (not papers.damage and state.cursor.get("doubt") == volume.digest)
    stale = bool(vanished) and (not believed or papers.loss > 0 or len(vanished) > VANISHING * len(standing))
    fresh = [e for e in papers.entries if believed or not papers.loss or e.key not in held]

    todo = unpacked(state.cursor.get("todo", "")) - {mark(e.key) for e in fresh if not has_page(e)}
    chunks = [fresh[i : i + AT_ONCE] for i in range(0, len(fresh), AT_ONCE)] or [[]]
    for i, chunk in enumerate(chunks, 1):
        todo |= {mark(e.key) for e in chunk if e.key not in held and has_page(e)}
        said = [replace(e, detail=Detail.BRIEF if mark(e.key) in todo else Detail.FULL) for e in chunk]
        state = replace(state, cursor={**state.cursor, "todo": packed(todo)})
        if i < len(chunks):
            visit.keep(part, Page(said, state=state))
            continue
        if believed and not stale:
            counted = {"announced": papers.announced, "held": len(keys), "note": papers.trouble}
            cursor = {**facts, **counted, "todo": packed(todo)}
            state = PartState(cursor, volume.etag, volume.last_modified)
        else:
            state = replace(state, cursor={**state.cursor, "doubt": volume.digest})
        removed = vanished if believed and not stale else []
        visit.keep(part, Page(said, removed, papers.rejected, state, passed=len(papers.entries) - len(fresh)))
    part.announced, part.held = papers.announced, len(visit.held(keys))
    part.outcome = Outcome.OK if papers.announced else Outcome.EMPTY
    if papers.loss:
        visit.fail(part, Outcome.PARTIAL, papers.trouble)
    elif stale:
        visit.fail(
            part, Outcome.STALE, f"{len(vanished):,} of {len(standing):,} {volume.noun} that are held are not listed any more"
        )
    return state
