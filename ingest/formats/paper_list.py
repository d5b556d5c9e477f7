"""What a page that lists papers comes to, and names as such pages write them."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date

from catalog.entries import EntryData
from catalog.text import clean_line
from ingest.attempts import lost, reasons

AUTHORS_LIMIT = 5_000  # names
_SUFFIX = re.compile(r"(?:Jr|Sr)\.?|I{2,3}|IV")


@dataclass(frozen=True, slots=True)
class Link:
    """A further list that a list leads to."""

    path: str  # with query
    title: str


@dataclass(frozen=True, slots=True)
class PaperList:
    """The papers of one or several pages."""

    entries: tuple[EntryData, ...] = ()  # one for each key
    rejected: Counter[str] = field(default_factory=Counter)
    damage: str = ""  # one line, or "" when all pages were sound
    links: tuple[Link, ...] = ()  # further lists

    @property
    def announced(self) -> int:
        """How many papers the pages list, those that could not be read included."""
        return len(self.entries) + lost(self.rejected)

    @property
    def loss(self) -> int:
        """How much is wrong with the pages; 0 when nothing is."""
        return lost(self.rejected) + bool(self.damage)

    @property
    def trouble(self) -> str:
        """What is wrong with the pages in one line, or ""."""
        entries = f"entries were lost: {reasons(self.rejected)}" if lost(self.rejected) else ""
        return "; ".join(filter(None, (entries, self.damage)))

    def followed_by(self, more: PaperList) -> PaperList:
        """These pages and others, without their links; a paper that both list is taken from the first."""
        known = {e.key for e in self.entries}
        added = tuple(e for e in more.entries if e.key not in known)
        rejected = self.rejected + more.rejected
        if len(added) < len(more.entries):
            rejected["duplicate"] += len(more.entries) - len(added)
        return PaperList(self.entries + added, rejected, self.damage or more.damage)


@dataclass(frozen=True, slots=True)
class PaperPage:
    """What a paper's own page adds to the list."""

    abstract: str = ""
    title: str = ""
    authors: tuple[str, ...] = ()
    day: date | None = None  # of publication, where the page states a whole date
    damage: str = ""
    whole: bool = True  # False: something of the page is missing


def listed(found: Iterable[EntryData | str]) -> tuple[tuple[EntryData, ...], Counter[str]]:
    """The entries, one for each key, and the reasons for which others are none."""
    entries: dict[str, EntryData] = {}
    rejected: Counter[str] = Counter()
    for entry in found:
        if isinstance(entry, str):
            rejected[entry] += 1
        elif entry.key in entries:
            rejected["duplicate"] += 1
        else:
            entries[entry.key] = entry
    return tuple(entries.values()), rejected


def names(text: str) -> tuple[str, ...]:
    """Display names of "Ada Example, Bo Sample, Jr."."""
    out: list[str] = []
    for part in clean_line(text, limit=200_000).split(","):
        name = part.strip()
        if out and _SUFFIX.fullmatch(name):
            out[-1] += f" {name}"
        elif name:
            out.append(name)
    return tuple(out[:AUTHORS_LIMIT])


def turned(name: str) -> str:
    """The display name of "Example, Ada" or "Example, Ada, Jr."; other forms stay."""
    family, *given = (part.strip() for part in clean_line(name).split(","))
    return " ".join(filter(None, [*given[:1], family, *given[1:]]))
