"""The one filter type: what API, CLI, pages, digests and feeds ask by. And the listing: a filter, an order and a page of it."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Literal

from catalog.categories import canonical, is_category
from catalog.entries import Kind
from catalog.errors import UnknownName, UsageError
from catalog.items import Form, Level
from catalog.taxonomy import Taxonomy
from catalog.venues import short_name

Q_LIMIT = 200  # characters
VENUE_LIMIT = 120
LIMIT_DEFAULT, LIMIT_MAX = 50, 200
SORTS = ("newest",)
#: What `fields` can add to the card of a list.
EXTRA_FIELDS = ("summary", "entries", "identifiers", "submitted", "updated", "withdrawn", "categories", "news", "evidence")
FILTER_NAMES = ("topic", "area", "kind", "source", "venue", "category", "level", "form", "since", "until", "q")
LISTING_NAMES = (*FILTER_NAMES, "sort", "limit", "cursor", "fields")


@dataclass(frozen=True, slots=True)
class Filter:
    """Which items: repeated values are OR, different fields AND. All empty means everything."""

    topics: tuple[str, ...] = ()
    areas: tuple[str, ...] = ()
    kinds: tuple[Kind, ...] = ()
    sources: tuple[str, ...] = ()
    venues: tuple[str, ...] = ()  # a series such as NeurIPS, or an edition such as NeurIPS 2018
    categories: tuple[str, ...] = ()  # canonical names
    levels: tuple[str, ...] = ()
    forms: tuple[str, ...] = ()
    since: date | None = None  # announced, inclusive
    until: date | None = None  # announced, inclusive
    q: str = ""

    def parameters(self) -> list[tuple[str, str]]:
        """The filter as request parameters, in a fixed order; the same filter gives the same parameters."""
        out = [("topic", v) for v in self.topics] + [("area", v) for v in self.areas]
        out += [("kind", v.value) for v in self.kinds] + [("source", v) for v in self.sources]
        out += [("venue", v) for v in self.venues] + [("category", v) for v in self.categories]
        out += [("level", v) for v in self.levels] + [("form", v) for v in self.forms]
        out += [(n, d.isoformat()) for n, d in (("since", self.since), ("until", self.until)) if d]
        return out + ([("q", self.q)] if self.q else [])


@dataclass(frozen=True, slots=True)
class Listing:
    """A page of a filter: newest first, `limit` items after the cursor's position."""

    filter: Filter = Filter()
    sort: Literal["newest"] = "newest"
    limit: int | None = LIMIT_DEFAULT  # None: all, streamed (command line only)
    after: int | None = None  # position of the last item of the page before
    fields: tuple[str, ...] = ()


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
        topics=_sorted(taxonomy.topic(t).slug for t in given.get("topic", ())),
        areas=_sorted(taxonomy.area(a).slug for a in given.get("area", ())),
        kinds=tuple(map(Kind, _chosen("kind", given.get("kind", ()), Kind))),
        sources=_sorted(given.get("source", ())),
        venues=_sorted(_venue(v) for v in given.get("venue", ())),
        categories=_sorted(canonical(c) for c in given.get("category", ())),
        levels=_chosen("level", given.get("level", ()), Level),
        forms=_chosen("form", given.get("form", ()), Form),
        since=since,
        until=until,
        q=check_words(_one("q", given.get("q", ()))),
    )


def parse_listing(given: Mapping[str, Sequence[str]], taxonomy: Taxonomy, sources: Iterable[str]) -> Listing:
    """Filter parameters plus sort, limit, cursor and fields; raises UsageError."""
    own = {n: given[n] for n in ("sort", "limit", "cursor", "fields") if n in given}
    sort = _one("sort", own.get("sort", ())) or "newest"
    if sort not in SORTS:
        raise UnknownName("sort", sort, SORTS)
    limit = _one("limit", own.get("limit", ())) or str(LIMIT_DEFAULT)
    if not re.fullmatch(r"[0-9]{1,3}", limit) or not 1 <= int(limit) <= LIMIT_MAX:
        raise UsageError(f"limit must be a whole number from 1 to {LIMIT_MAX}, not {_shown(limit)}")
    fields = [f for value in own.get("fields", ()) for f in value.split(",") if f]
    for name in fields:
        if name not in EXTRA_FIELDS:
            raise UnknownName("field", name, EXTRA_FIELDS)
    cursor = _one("cursor", own.get("cursor", ()))
    return Listing(
        filter=parse_filter({n: v for n, v in given.items() if n not in own}, taxonomy, sources),
        sort="newest",
        limit=int(limit),
        after=read_cursor(cursor) if cursor else None,
        fields=tuple(f for f in EXTRA_FIELDS if f in fields),
    )


def _chosen(name: str, given: Iterable[str], allowed: Iterable[StrEnum]) -> tuple[str, ...]:
    """Values of a closed set, sorted; raises UnknownName."""
    known = {one.value for one in allowed}
    for value in given:
        if value not in known:
            raise UnknownName(name, value, known)
    return _sorted(given)


def _venue(text: str) -> str:
    """The venue by its short name, however it is written: `nips 2018` is `NeurIPS 2018`; raises UsageError."""
    words = check_words(text).split()
    if not words or len(text) > VENUE_LIMIT:
        raise UsageError(f"venue must be a name such as NeurIPS or NeurIPS 2018, not {_shown(text)}")
    year = words.pop() if len(words) > 1 and re.fullmatch(r"(?:19|20)[0-9]{2}", words[-1]) else ""
    name = " ".join(words)
    return f"{short_name(name)} {year}".strip()


def check_words(text: str) -> str:
    """A search text of at most 200 characters, white space folded; raises UsageError."""
    if len(text) > Q_LIMIT:
        raise UsageError(f"q is {len(text)} characters long; at most {Q_LIMIT} are read")
    if "\ufffd" in text:
        raise UsageError("q holds bytes that are not UTF-8; send plain text")
    if re.search("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff]", text):
        raise UsageError("q holds a control character or half of a surrogate pair; send plain text")
    return " ".join(text.split())


def make_cursor(position: int) -> str:
    """An opaque cursor for the page after the position."""
    return base64.urlsafe_b64encode(b"n" + position.to_bytes(8, "big")).decode().rstrip("=")


def read_cursor(text: str) -> int:
    """The position in a cursor; raises UsageError when it was not made here."""
    try:
        raw = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True) if len(text) <= 40 else b""
    except (binascii.Error, ValueError):
        raw = b""
    if len(raw) != 9 or raw[:1] != b"n" or raw[1] > 0x7F:
        raise UsageError("cursor is not one that this API gave; take `next` of the page before, or leave it out")
    return int.from_bytes(raw[1:], "big")


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
