"""Hugging Face's daily papers: what people put forward, and how others voted. Fields as in `huggingface_hub`'s PaperInfo."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any

from catalog.entries import Basis, EntryData, Kind
from catalog.errors import ParseError
from catalog.identifiers import arxiv_id, canonical_url, identifier_of
from catalog.items import Signal
from catalog.text import clean_abstract, clean_line
from ingest.formats.json_body import read_json, whole_number
from ingest.formats.paper_list import listed

HUGGINGFACE = "huggingface"
PAGE = "https://huggingface.co/papers/{}"


@dataclass(frozen=True, slots=True)
class DailyPapers:
    """A page of the list."""

    entries: tuple[EntryData, ...]
    rejected: Counter[str]
    signals: tuple[Signal, ...]
    rows: int


def parse_daily(body: bytes, now: datetime) -> DailyPapers:
    """The papers of a page with their numbers; raises ParseError for what is no list."""
    rows = read_json(body)
    if not isinstance(rows, list):
        raise ParseError("no-list", "the answer is no list of papers")
    entries, rejected = listed(_entry(row, now) for row in rows)
    return DailyPapers(entries, rejected, tuple(_signals(rows, {e.key for e in entries}, now)), len(rows))


def _entry(row: object, now: datetime) -> EntryData | str:
    paper = row.get("paper") if isinstance(row, dict) else None
    if not isinstance(row, dict) or not isinstance(paper, dict):
        return "no-paper"
    key, title = _key(paper), clean_line(_text(paper.get("title")) or _text(row.get("title")))
    if not key:
        return "no-key"
    if not title:
        return "no-title"
    day = _day(paper.get("submittedOnDailyAt"), now)
    people = paper.get("authors")
    names = [clean_line(_text(a.get("name")), 200) for a in people if isinstance(a, dict)] if isinstance(people, list) else []
    words = paper.get("ai_keywords")
    group = paper.get("organization") or row.get("organization")
    facts = {
        "repository": repository(_text(paper.get("githubRepo"))),
        "project page": canonical_url(_text(paper.get("projectPage"))) or "",
        "organization": clean_line(_text(group.get("fullname") or group.get("name")), 200) if isinstance(group, dict) else "",
    }
    return EntryData(
        HUGGINGFACE,
        key,
        Kind.PAPER,
        title,
        PAGE.format(key),
        abstract=clean_abstract(_text(paper.get("summary")) or _text(row.get("summary"))),
        authors=tuple(n for n in names if n),
        announced=day,
        basis=Basis.STATED if day else Basis.HELD,
        subjects=tuple(dict.fromkeys(clean_line(w, 80) for w in _texts(words)))[:20],
        about=tuple(sorted((k, v) for k, v in facts.items() if v)),
        identifiers=(("arxiv", key),),
    )


def _signals(rows: Iterable[object], keys: set[str], now: datetime) -> Iterator[Signal]:
    for row in rows:
        paper = row.get("paper") if isinstance(row, dict) else None
        if not isinstance(row, dict) or not isinstance(paper, dict) or (key := _key(paper)) not in keys:
            continue
        told = {"upvotes": paper.get("upvotes"), "comments": row.get("numComments"), "stars": paper.get("githubStars")}
        for name, value in told.items():
            if (number := whole_number(value)) is not None:
                yield Signal("arxiv", key, HUGGINGFACE, name, float(number), now)


def repository(url: str) -> str:
    """The address of a repository in one form, "" for what is none."""
    named = identifier_of(url)
    if named and named[0] == "github":
        return f"https://github.com/{named[1]}"
    return canonical_url(url) or ""


def _key(paper: Mapping[str, Any]) -> str:
    found = arxiv_id(_text(paper.get("id")))
    return found.id if found else ""


def _day(value: object, now: datetime) -> date | None:
    """The day on which the paper was put forward; `publishedAt` is that of arXiv, weeks before."""
    try:
        at = datetime.fromisoformat(_text(value)).astimezone(UTC)
    except (ValueError, OverflowError):
        return None
    return min(at, now).date() if at.year > 2000 else None


def _texts(value: object) -> list[str]:
    return [v for v in value if isinstance(v, str) and v.strip()] if isinstance(value, list) else []


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""
