"""What one source says about one thing."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from datetime import UTC, date, datetime
from enum import StrEnum
from typing import Any


class Kind(StrEnum):
    """The kinds of thing that an item can be."""

    PAPER = "paper"
    COMPETITION = "competition"
    DEADLINE = "deadline"
    RELEASE = "release"
    POST = "post"
    EVENT = "event"
    VIDEO = "video"
    DATASET = "dataset"


class Basis(StrEnum):
    """How sure an announced date is, surest first."""

    STATED = "stated"  # the source dates the entry's own announcement
    CROSS = "cross"  # dated as a cross-listing: the first announcement may be earlier
    ESTIMATED = "estimated"  # from the submission instant by the source's calendar
    HELD = "held"  # the day it was first held


class Detail(StrEnum):
    """How much a source's wire form tells; more detail at the same version completes less."""

    BRIEF = "brief"  # no comment, no earlier versions, no instants
    FULL = "full"


@dataclass(frozen=True, slots=True, order=True)
class Version:
    """One version of an entry as its source numbers them."""

    number: int
    at: datetime | None = None  # UTC instant of its submission; None when the source did not say
    withdrawn: bool = False


@dataclass(frozen=True, slots=True, order=True)
class Moment:
    """A dated point of a thing: when it closes, begins, ends or tells its decisions."""

    at: datetime  # UTC
    what: str  # abstract, submission, notification, camera-ready, rebuttal, deadline, starts, ends, …
    label: str = ""  # the source's own name of it, where there are several of a sort
    said: str = ""  # as the source writes it, with its zone
    whole_day: bool = False  # True: the source names a day; `at` is its 00:00 UTC

    def __post_init__(self) -> None:
        if self.at.tzinfo is not UTC:
            raise ValueError(f"at must be an aware UTC datetime, got {self.at!r}")


@dataclass(frozen=True, slots=True)
class EntryData:
    """What a source said, as parsed; only source, key, kind, title and url are mandatory."""

    source: str
    key: str  # stable within the source, without version
    kind: Kind
    title: str  # as said, one line
    url: str
    abstract: str = ""
    authors: tuple[str, ...] = ()  # display names, in order
    announced: date | None = None  # None: nothing known, the store takes the day first held
    basis: Basis = Basis.HELD
    submitted: datetime | None = None  # UTC, first version
    updated: datetime | None = None  # UTC, version in hand
    version: int = 1
    versions: tuple[Version, ...] = ()  # ascending; empty when the source lists none
    categories: tuple[str, ...] = ()  # primary first
    venue: str = ""  # short name of the series, see catalog.venues
    year: int = 0  # of the edition; 0 is unknown
    track: str = ""  # "" is the main track
    decision: str = ""  # oral, spotlight, poster; "" when the venue does not say
    award: str = ""
    subjects: tuple[str, ...] = ()  # the source's own topics, as said
    keywords: tuple[str, ...] = ()  # the authors', as said
    moments: tuple[Moment, ...] = ()  # ascending
    about: tuple[tuple[str, str], ...] = ()  # further facts by name, sorted: place, prize, metric, platform, …
    identifiers: tuple[tuple[str, str], ...] = ()  # (scheme, value), sorted
    comment: str = ""
    journal: str = ""
    licence: str = ""
    withdrawn: bool = False
    detail: Detail = Detail.FULL

    def __post_init__(self) -> None:
        for name in ("submitted", "updated"):
            value = getattr(self, name)
            if value is not None and value.tzinfo is not UTC:
                raise ValueError(f"{name} must be an aware UTC datetime, got {value!r}")


EntryKey = tuple[str, str]  # source and key


@dataclass(frozen=True, slots=True)
class Link:
    """Two entries that are the same work, the smaller key first, and why."""

    one: EntryKey
    other: EntryKey
    reason: str


#: Fields that are what the source said of the thing; the rest (dates of announcement, detail) is about the saying.
SAID = (
    "kind", "title", "url", "abstract", "authors", "submitted", "updated", "version", "versions", "categories", "venue",
    "year", "track", "decision", "award", "subjects", "keywords", "moments", "about",
    "identifiers", "comment", "journal", "licence", "withdrawn",
)  # fmt: skip


_SORTED = tuple(sorted(SAID))
_JSON = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"))  # made once: json.dumps makes one at each call


def content_hash(entry: EntryData) -> str:
    """32 hex digits over what was said, empty fields left out, so that a new field does not change old hashes."""
    said = {name: _plain(value) for name in _SORTED if (value := getattr(entry, name))}
    text = _JSON.encode(said)
    return hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=16).hexdigest()


def _plain(value: Any) -> Any:
    if isinstance(value, str):
        return value
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, Version):
        return [value.number, _plain(value.at), value.withdrawn]
    if isinstance(value, Moment):
        return [_plain(value.at), value.what, value.label, value.said, value.whole_day]
    if isinstance(value, tuple):
        return [_plain(v) for v in value]
    return value
