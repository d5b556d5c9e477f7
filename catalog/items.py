"""The thing itself, whatever sources speak of it, and what is known about it."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum

from catalog.entries import Basis, Kind, Moment, Version


class Form(StrEnum):
    """What kind of paper a paper is."""

    SURVEY = "survey"
    TUTORIAL = "tutorial"
    BENCHMARK = "benchmark"
    LIBRARY = "library"
    THEORY = "theory"
    STUDY = "study"
    APPLICATION = "application"
    POSITION = "position"
    METHOD = "method"


class Level(StrEnum):
    """Whom a paper serves first."""

    START_HERE = "start-here"
    PRACTITIONER = "practitioner"
    RESEARCH = "research"


@dataclass(frozen=True, slots=True)
class Evidence:
    """The words that decided a tag, or the rule that set it.

    `field` is `title`, `abstract`, `category` or `rule`; for the first two `start` and `end` are character positions in
    the text that was tagged and `words` the text between them.
    """

    field: str
    words: str
    start: int = -1
    end: int = -1


@dataclass(frozen=True, slots=True)
class Tag:
    """One topic of an item."""

    topic: str
    score: float  # in [0, 1], three decimals
    evidence: tuple[Evidence, ...] = ()


#: Of a topic that a person gave: nothing is surer. Only rules reach it otherwise.
HAND_SCORE = 1.0


@dataclass(frozen=True, slots=True, order=True)
class Override:
    """What a person decided about one topic of an item."""

    at: datetime  # UTC instant
    topic: str  # slug at that time
    given: bool  # False: the item has not this topic


@dataclass(frozen=True, slots=True, order=True)
class Signal:
    """A number from outside about whatever an identifier names: upvotes, comments, points, stars, citations."""

    scheme: str
    value: str
    source: str
    name: str
    number: float
    at: datetime  # UTC instant at which the source said so


@dataclass(frozen=True, slots=True)
class News:
    """A dated change of an item that deserves telling again."""

    what: str  # withdrawn, accepted, code, model, data, moved, closing
    day: date  # that of `closing` may lie ahead
    text: str = ""  # the venue of an acceptance, the address of code, model or data, the date that moved or comes near
    status: str = ""  # of an acceptance: claimed (by the authors) or confirmed (by the venue); of a move: later or earlier


@dataclass(frozen=True, slots=True)
class EntryRef:
    """An entry as an item shows it."""

    source: str
    key: str
    url: str
    version: int
    announced: date
    basis: Basis
    versions: tuple[Version, ...] = ()
    joined: tuple[tuple[str, str, str], ...] = ()  # why it is of this item: reason, and source and key of the other entry
    title: str = ""  # readable
    venue: str = ""  # the rest is as in EntryData
    year: int = 0
    track: str = ""
    decision: str = ""
    award: str = ""
    subjects: tuple[str, ...] = ()
    keywords: tuple[str, ...] = ()
    about: tuple[tuple[str, str], ...] = ()
    moments: tuple[Moment, ...] = ()


@dataclass(frozen=True, slots=True)
class ItemData:
    """An item as it shall be stored, derived from its entries."""

    kind: Kind
    title: str  # readable
    url: str
    authors: tuple[str, ...]
    summary: str
    venue: str
    announced: date
    estimated: bool
    submitted: datetime | None
    updated: datetime | None
    withdrawn: bool
    categories: tuple[str, ...]
    sources: tuple[str, ...]
    identifiers: tuple[tuple[str, str], ...]
    venues: tuple[str, ...] = ()  # what a filter may ask for: series and editions
    tags: tuple[Tag, ...] = ()
    areas: tuple[str, ...] = ()  # of the tags
    form: str = ""  # of a paper: survey, tutorial, …; "" is not told
    level: str = ""  # of a paper: start-here, practitioner, research; "" is not told
    moments: tuple[Moment, ...] = ()  # ascending


@dataclass(frozen=True, slots=True)
class Item:
    """An item as stored; summary, entries, identifiers, versions, news, moments and signals are filled only when asked for."""

    id: str
    position: int  # sort key: announced day, then order of arrival; see storage.schema
    kind: Kind
    title: str  # readable: LaTeX turned into text
    url: str
    authors: tuple[str, ...]
    venue: str
    announced: date
    estimated: bool  # True when the announced date is not stated by a source
    submitted: datetime | None
    updated: datetime | None
    withdrawn: bool
    topics: tuple[Tag, ...] = ()
    categories: tuple[str, ...] = ()
    form: str = ""
    level: str = ""
    form_evidence: tuple[Evidence, ...] = ()  # what speaks for it, when it was asked for; likewise the next
    level_evidence: tuple[Evidence, ...] = ()
    comment: str = ""
    summary: str = ""
    entries: tuple[EntryRef, ...] = ()
    identifiers: tuple[tuple[str, str], ...] = ()
    news: tuple[News, ...] = ()
    moments: tuple[Moment, ...] = ()
    signals: tuple[Signal, ...] = ()

    @property
    def acceptance(self) -> News | None:
        """Where the work was accepted, a venue's word before its authors'; None when nobody says so. Needs the news."""
        told = [n for n in self.news if n.what == "accepted"]
        return min(told, key=lambda n: (n.status != "confirmed", n.day, n.text), default=None)

    def told(self, what: str) -> tuple[str, ...]:
        """The texts of all news of one sort, such as the addresses of `code`. Needs the news."""
        return tuple(dict.fromkeys(n.text for n in self.news if n.what == what))


def public_id(source: str, key: str) -> str:
    """The id of the item that an entry founds: 16 letters and digits, opaque, the same on every database."""
    digest = hashlib.blake2b(f"{source}\0{key}".encode(), digest_size=10).digest()
    number, out = int.from_bytes(digest, "big"), ""
    for _ in range(16):
        number, low = divmod(number, 32)
        out += "0123456789abcdefghjkmnpqrstvwxyz"[low]
    return out
