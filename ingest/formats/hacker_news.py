"""Stories of Hacker News as Algolia's search gives them.

A story about a paper is a signal of the paper, not a second one; any other is a post.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from catalog.entries import Basis, EntryData, Kind
from catalog.errors import ParseError
from catalog.identifiers import canonical_url, identifier_of
from catalog.items import Signal
from catalog.text import clean_abstract, clean_line
from ingest.formats.json_body import read_json, whole_number
from ingest.formats.paper_list import listed

HACKERNEWS = "hackernews"
ITEM = "https://news.ycombinator.com/item?id={}"
#: What an address may name that is a work of its own.
WORKS = ("arxiv", "doi", "openreview", "pmlr", "neurips", "cvf", "acl", "kaggle")
_NUMBERS = (("points", "points"), ("comments", "num_comments"))


@dataclass(frozen=True, slots=True)
class Stories:
    """A page of the search."""

    entries: tuple[EntryData, ...]
    rejected: Counter[str]
    signals: tuple[Signal, ...]
    works: int  # stories about works
    oldest: int  # second since 1970 of the oldest story of the page; 0 without stories
    found: int  # stories that the search has in all
    rows: int


def parse_stories(body: bytes, now: datetime) -> Stories:
    """The stories of a page; raises ParseError for another answer."""
    value = read_json(body)
    hits = value.get("hits") if isinstance(value, dict) else None
    found = whole_number(value.get("nbHits")) if isinstance(value, dict) else None
    if not isinstance(hits, list) or found is None:
        raise ParseError("no-list", "the answer is no page of stories")
    posts: list[EntryData | str] = []
    numbers: dict[tuple[str, str, str], float] = {}
    works = 0
    for hit in hits:
        post = _story(hit, now)
        if isinstance(post, str):
            posts.append(post)
            continue
        named = identifier_of(post.url)
        about = named if named and named[0] in WORKS else (HACKERNEWS, post.key)
        works += about is named
        posts += [post] if about is not named else []
        for name, field in _NUMBERS:
            if (number := whole_number(hit.get(field))) is not None:
                key = (*about, name)
                numbers[key] = max(numbers.get(key, 0.0), float(number))  # of several stories about one work the greatest
    entries, rejected = listed(posts)
    signals = tuple(Signal(s, v, HACKERNEWS, name, n, now) for (s, v, name), n in sorted(numbers.items()))
    return Stories(entries, rejected, signals, works, _oldest(hits), found, len(hits))


def _story(hit: object, now: datetime) -> EntryData | str:
    if not isinstance(hit, dict):
        return "no-story"
    key, title = hit.get("objectID"), clean_line(_text(hit.get("title")))
    if not isinstance(key, str) or not key.isdecimal() or len(key) > 20:
        return "no-key"
    if not title:
        return "no-title"
    second = whole_number(hit.get("created_at_i"))
    at = datetime.fromtimestamp(second, UTC) if second and second < 1 << 34 else None
    at = min(at, now) if at else None
    link = _text(hit.get("url"))
    article = canonical_url(link)
    identifiers = {(HACKERNEWS, key)} | ({("article", article)} if article else set())
    return EntryData(
        HACKERNEWS,
        key,
        Kind.POST,
        title,
        link if article else ITEM.format(key),
        abstract=clean_abstract(_text(hit.get("story_text"))),
        announced=at.date() if at else None,
        basis=Basis.STATED if at else Basis.HELD,
        submitted=at,
        about=(("discussion", ITEM.format(key)),),
        identifiers=tuple(sorted(identifiers)),
    )


def _oldest(hits: Iterable[Any]) -> int:
    seconds = [whole_number(h.get("created_at_i")) for h in hits if isinstance(h, dict)]
    return min((s for s in seconds if s), default=0)


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""
