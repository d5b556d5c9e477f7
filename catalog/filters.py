"""The one filter type: what API, CLI, pages, digests and feeds ask by. And the listing: a filter, an order and a page of it."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Literal, get_args

from catalog.categories import canonical, is_category
from catalog.entries import Kind
from catalog.errors import UnknownName, UsageError
from catalog.items import Form, Level
from catalog.taxonomy import Taxonomy
from catalog.venues import asked_name
from catalog.words import words_of

Q_LIMIT = 200  # characters
NAME_LIMIT = 120  # characters of a venue or an author
LIMIT_DEFAULT, LIMIT_MAX = 50, 200
Sort = Literal["newest", "relevance", "rank"]
SORTS: tuple[Sort, ...] = get_args(Sort)
Key = tuple[int, ...]  # where an item stands in an order: its position, before it the tier or the score that counts first
#: What `fields` can add to the card of a list.
EXTRA_FIELDS = (
    "summary", "entries", "identifiers", "signals", "submitted", "updated", "withdrawn", "form", "level", "categories", "news",
    "moments", "rank", "evidence",
)  # fmt: skip
FILTER_NAMES = (
    "topic", "area", "kind", "source", "venue", "author", "category", "level", "form", "since", "until", "q", "min_score",
)  # fmt: skip
LISTING_NAMES = (*FILTER_NAMES, "sort", "limit", "cursor", "fields")


@dataclass(frozen=True, slots=True)
class Filter:
    """Which items: repeated values are OR, different fields AND. All empty means everything."""

    topics: tuple[str, ...] = ()
    areas: tuple[str, ...] = ()
    kinds: tuple[Kind, ...] = ()
    sources: tuple[str, ...] = ()
    venues: tuple[str, ...] = ()  # a series such as NeurIPS, or an edition such as NeurIPS 2018
    authors: tuple[str, ...] = ()  # a name or a part of it, words in this order
    categories: tuple[str, ...] = ()  # canonical names
    levels: tuple[str, ...] = ()
    forms: tuple[str, ...] = ()
    since: date | None = None  # announced, inclusive
    until: date | None = None  # announced, inclusive
    q: str = ""
    min_score: float = 0  # of one of the topics asked for, of the areas asked for, else of any; three decimals

    @property
    def wordy(self) -> bool:
        """True when the text index has to be asked."""
        return bool(self.q or self.authors)

    def parameters(self) -> list[tuple[str, str]]:
        """The filter as request parameters, in a fixed order; the same filter gives the same parameters."""
        out = [("topic", v) for v in self.topics] + [("area", v) for v in self.areas]
        out += [("kind", v.value) for v in self.kinds] + [("source", v) for v in self.sources]
        out += [("venue", v) for v in self.venues] + [("author", v) for v in self.authors]
        out += [("category", v) for v in self.categories]
        out += [("level", v) for v in self.levels] + [("form", v) for v in self.forms]
        out += [(n, d.isoformat()) for n, d in (("since", self.since), ("until", self.until)) if d]
        out += [("q", self.q)] if self.q else []
        return out + ([("min_score", f"{self.min_score:g}")] if self.min_score else [])


@dataclass(frozen=True, slots=True)
class Listing:
    """A page of a filter in an order: `limit` items after the one that the cursor names."""

    filter: Filter = Filter()
    sort: Sort = "newest"
    limit: int | None = LIMIT_DEFAULT  # None: all, streamed (command line only)
    after: Key | None = None  # of the last item of the page before
    fields: tuple[str, ...] = ()


def scored_topics(filter: Filter, taxonomy: Taxonomy) -> frozenset[str]:
    """The topics whose scores count: those asked for, else those of the areas asked for; none means any."""
    return frozenset(filter.topics or (t.slug for t in taxonomy.topics if t.area in filter.areas))


def parse_filter(given: Mapping[str, Sequence[str]], taxonomy: Taxonomy, sources: Iterable[str]) -> Filter:
    """The filter of repeated parameters; raises UsageError or UnknownName, which name the thing and what is allowed."""
    unknown = [n for n in given if n not in FILTER_NAMES]
    if unknown:
        raise UnknownName("parameter", unknown[0], LISTING_NAMES)
    known_sources = list(sources)
    for name in given.get("source", ()):
        if name not in known_sources:
            raise UnknownName("source", name, known_sources)
    for name in given.get("category", ()):
        if not is_category(name):
            raise UsageError(f"category {_shown(name)} has not the form of an arXiv category such as cs.LG")
    since, until = (parse_date(n, _one(n, given.get(n, ()))) for n in ("since", "until"))
    if since and until and since > until:
        raise UsageError(f"since {since} is after until {until}")
    return Filter(
        topics=_sorted(part.slug for t in given.get("topic", ()) for part in taxonomy.parts(t)),
        areas=_sorted(taxonomy.area(a).slug for a in given.get("area", ())),
        kinds=tuple(map(Kind, _chosen("kind", given.get("kind", ()), Kind))),
        sources=_sorted(given.get("source", ())),
        venues=_sorted(_venue(v) for v in given.get("venue", ())),
        authors=_sorted(_author(v) for v in given.get("author", ())),
        categories=_sorted(canonical(c) for c in given.get("category", ())),
        levels=_chosen("level", given.get("level", ()), Level),
        forms=_chosen("form", given.get("form", ()), Form),
        since=since,
        until=until,
        q=check_words(_one("q", given.get("q", ()))),
        min_score=_score(_one("min_score", given.get("min_score", ()))),
    )


def parse_listing(given: Mapping[str, Sequence[str]], taxonomy: Taxonomy, sources: Iterable[str]) -> Listing:
    """Filter parameters plus sort, limit, cursor and fields; raises UsageError."""
    own = {n: given[n] for n in ("sort", "limit", "cursor", "fields") if n in given}
    filter = parse_filter({n: v for n, v in given.items() if n not in own}, taxonomy, sources)
    sort = parse_sort(_one("sort", own.get("sort", ())), filter)
    limit = _one("limit", own.get("limit", ())) or str(LIMIT_DEFAULT)
    if not re.fullmatch(r"[0-9]{1,3}", limit) or not 1 <= int(limit) <= LIMIT_MAX:
        raise UsageError(f"limit must be a whole number from 1 to {LIMIT_MAX}, not {_shown(limit)}")
    fields = [f for value in own.get("fields", ()) for f in value.split(",") if f]
    for name in fields:
        if name not in EXTRA_FIELDS:
            raise UnknownName("field", name, EXTRA_FIELDS)
    cursor = _one("cursor", own.get("cursor", ()))
    return Listing(
        filter=filter,
        sort=sort,
        limit=int(limit),
        after=read_cursor(cursor, sort) if cursor else None,
        fields=tuple(f for f in EXTRA_FIELDS if f in fields),
    )


def parse_sort(text: str, filter: Filter) -> Sort:
    """The order of that name, newest for none; raises UsageError."""
    for sort in SORTS:
        if sort == (text or "newest"):
            if sort == "relevance" and not filter.q:
                raise UsageError("sort=relevance needs q: without words nothing is more relevant than anything else")
            return sort
    raise UnknownName("sort", text, SORTS)


def _chosen(name: str, given: Iterable[str], allowed: Iterable[StrEnum]) -> tuple[str, ...]:
    """Values of a closed set, sorted; raises UnknownName."""
    known = {one.value for one in allowed}
    for value in given:
        if value not in known:
            raise UnknownName(name, value, known)
    return _sorted(given)


def _venue(text: str) -> str:
    """The venue by its short name, however it is written: `nips 2018` is `NeurIPS 2018`; raises UsageError."""
    name = asked_name(check_words(text))
    if not name or len(text) > NAME_LIMIT:
        raise UsageError(f"venue must be a name such as NeurIPS or NeurIPS 2018, not {_shown(text)}")
    return name


def _author(text: str) -> str:
    """The name as it is printed: `Example, Ada` is `Ada Example`; raises UsageError."""
    name = check_words(text)
    family, comma, given = name.partition(",")
    if comma and family.strip() and given.strip() and "," not in given:
        name = f"{given.strip()} {family.strip()}"
    if len(text) > NAME_LIMIT or not words_of(name):
        raise UsageError(f"author must be a name such as Ada Example, not {_shown(text)}")
    return name


def _score(text: str) -> float:
    """A score from 0 to 1, three decimals; 0 for no text; raises UsageError."""
    if text and not re.fullmatch(r"(?:0|1|0?\.[0-9]{1,9}|0\.|1\.0{0,9})", text):
        raise UsageError(f"min_score must be a number from 0 to 1 such as 0.6, not {_shown(text)}")
    return round(float(text or 0), 3)


def check_words(text: str) -> str:
    """A search text of at most 200 characters, white space folded; raises UsageError."""
    if len(text) > Q_LIMIT:
        raise UsageError(f"q is {len(text)} characters long; at most {Q_LIMIT} are read")
    if "\ufffd" in text:
        raise UsageError("q holds bytes that are not UTF-8; send plain text")
    if re.search("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff]", text):
        raise UsageError("q holds a control character or half of a surrogate pair; send plain text")
    return " ".join(text.split())


#: Orders of lists; `soonest` is that of the calendar, which has no other.
Order = Literal["newest", "relevance", "rank", "soonest"]
_LETTERS: dict[Order, bytes] = {"newest": b"n", "relevance": b"r", "rank": b"k", "soonest": b"s"}
_NUMBERS: dict[Order, int] = {"newest": 1, "relevance": 2, "rank": 2, "soonest": 2}


def make_cursor(key: Key, sort: Order = "newest") -> str:
    """An opaque cursor for the page after the item that has this key in this order."""
    raw = _LETTERS[sort] + b"".join(n.to_bytes(8, "big") for n in key)
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")


def read_cursor(text: str, sort: Order = "newest") -> Key:
    """The key in a cursor of this order; raises UsageError when it was not made here."""
    try:
        raw = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True) if len(text) <= 40 else b""
    except (binascii.Error, ValueError):
        raw = b""
    key = tuple(int.from_bytes(raw[i : i + 8], "big") for i in range(1, len(raw), 8))
    letters = {letter: name for name, letter in _LETTERS.items()}
    if raw[:1] in letters and letters[raw[:1]] != sort:
        raise UsageError(f"cursor is of sort={letters[raw[:1]]}, not of sort={sort}; take `next` of the page before")
    if raw[:1] != _LETTERS[sort] or len(raw) != 1 + 8 * _NUMBERS[sort] or max(key) >= 1 << 63:
        raise UsageError("cursor is not one that this API gave; take `next` of the page before, or leave it out")
    return key


def _one(name: str, values: Sequence[str]) -> str:
    if len(values) > 1:
        raise UsageError(f"{name} is given {len(values)} times; once is allowed")
    return values[0] if values else ""


def parse_date(name: str, text: str) -> date | None:
    """A date such as 2026-01-28, None for no text; raises UsageError that names what was given."""
    if not text:
        return None
    try:
        if re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", text):
            return date.fromisoformat(text)
    except ValueError:
        pass
    raise UsageError(f"{name} must be a date such as 2026-01-28, not {_shown(text)}")


def _shown(text: str) -> str:
    cut = text if len(text) <= 40 else text[:40] + "…"
    return repr(cut.encode("utf-8", "backslashreplace").decode())


def _sorted(values: Iterable[str]) -> tuple[str, ...]:
    return tuple(sorted(set(values)))
