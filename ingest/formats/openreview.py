"""Notes of OpenReview's API, version 1 and 2: the papers of a venue with what it decided about them.

A submission is a note whose `forum` is its own id. Version 2 wraps every value of `content` as `{"value": …}`, version 1 does
not. `venueid` is the venue's own id once a paper is accepted, with a word such as `/Withdrawn_Submission` behind it otherwise;
`venue` says it in words. Instants are milliseconds since 1970 in UTC; `ddate` marks a deleted note.
Source: openreview-py, openreview/api/client.py.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Any

from catalog.entries import Basis, EntryData, Kind
from catalog.errors import ParseError
from catalog.identifiers import canonical_url
from catalog.text import clean_abstract, clean_line
from ingest.formats.json_body import read_json, whole_number
from ingest.formats.tiers import tier
from ingest.formats.titles import Titles

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_FORUM = re.compile(r"[A-Za-z0-9_-]{4,40}")
_NAME = re.compile(r"[A-Za-z]{1,60}")
_NOT_ACCEPTED = re.compile(r"withdrawn|reject|submitted to|under review|submission", re.I)
#: Names under which venues ask for the address of a paper's code.
_CODE = ("code", "code_link", "code_url", "github", "github_link", "repository")
_CLOSEST_AREA = "Please_choose_the_closest_area"  # a question of ICLR 2022 and 2023; its full name says more


@dataclass(frozen=True, slots=True)
class Group:
    """A venue's papers as OpenReview names them."""

    id: str  # for example ICLR.cc/2026/Conference
    venue: str
    year: int  # of the edition; 0 for a journal
    track: str = ""
    old: bool = False  # of version 1, where all submissions stand in one list


@dataclass(frozen=True, slots=True)
class Notes:
    """A page of notes."""

    entries: tuple[EntryData, ...] = ()
    removed: tuple[str, ...] = ()  # forums of papers that were deleted, withdrawn or rejected
    ids: tuple[str, ...] = ()  # of all notes that have one, in the order of the page
    rows: int = 0
    count: int | None = None  # notes on all pages, as stated; only the first page needs to
    untold: int = 0  # submissions that do not say what became of them
    rejected: Counter[str] = field(default_factory=Counter)
    markup: str = ""  # what is odd about the titles, or ""

    @property
    def loss(self) -> int:
        """How much of the page could not be read."""
        return sum(self.rejected.values()) + bool(self.markup)


def parse_notes(body: bytes, source: str, group: Group, latest: date) -> Notes:
    """The papers on a page; dates after `latest` are not believed. Raises ParseError for what is no list of notes."""
    value = read_json(body)
    if not isinstance(value, dict) or not isinstance(value.get("notes"), list):
        raise ParseError("no-notes", "the answer is JSON, but no list of notes")
    entries: dict[str, EntryData] = {}
    removed: list[str] = []
    ids: list[str] = []
    rejected: Counter[str] = Counter()
    titles = Titles()
    untold = 0
    for note in value["notes"]:
        if not isinstance(note, dict):
            rejected["not-an-object"] += 1
            continue
        forum = _forum(note)
        if not forum:
            rejected["no-forum"] += 1
            continue
        ids.append(_text(note.get("id")) or forum)
        content = _content(note)
        accepted = _accepted(note, content, group)
        if accepted is False:
            removed.append(forum)
        elif accepted is None:
            untold += 1
        elif not (title := titles.clean(_line(content.get("title"), 10_000_000))):
            rejected["no-title"] += 1
        elif forum not in entries:
            entries[forum] = _entry(note, content, forum, title, source, group, latest)
    count = whole_number(value.get("count"))
    return Notes(
        tuple(entries.values()), tuple(removed), tuple(ids), len(value["notes"]), count, untold, rejected, titles.damage
    )


def parse_refusal(body: bytes) -> str:
    """The name of the error that the API answers with, for example ChallengeRequiredError; "" when there is none."""
    try:
        value = read_json(body)
    except ParseError:
        return ""
    name = value.get("name") if isinstance(value, dict) else None
    return name if isinstance(name, str) and _NAME.fullmatch(name) else ""


def parse_login(body: bytes) -> str:
    """The token of an answer to a login; raises ParseError, with the reason "second-factor" when one is asked for."""
    value = read_json(body)
    if isinstance(value, dict) and value.get("mfaPending"):
        raise ParseError("second-factor", "the account asks for a second factor, which nobody is there to give")
    token = value.get("token") if isinstance(value, dict) else None
    if not isinstance(token, str) or not re.fullmatch(r"[!-~]{1,8192}", token):
        raise ParseError("no-token", "the answer to the login holds no token")
    return token


def _forum(note: Mapping[str, Any]) -> str:
    """The forum that the note began; "" for anything else, replies included."""
    number, forum = _text(note.get("id")), _text(note.get("forum"))
    known = forum or number
    return known if _FORUM.fullmatch(known) and (not number or number == known) and not note.get("replyto") else ""


def _content(note: Mapping[str, Any]) -> dict[str, Any]:
    """The fields of a note, of either version, without their wrapping."""
    content = note.get("content")
    fields = content if isinstance(content, dict) else {}
    return {k: v.get("value") if isinstance(v, dict) and "value" in v else v for k, v in fields.items()}


def _accepted(note: Mapping[str, Any], content: Mapping[str, Any], group: Group) -> bool | None:
    """Whether the paper is one of the group; None when the note does not say.

    In version 2 only accepted papers are asked for, so that one without `venueid` is of the group.
    """
    if note.get("ddate"):
        return False
    ids = _lines(content.get("venueid"))
    if group.id in ids:
        return not group.old or not _NOT_ACCEPTED.search(_line(content.get("venue")))
    if ids:
        return False
    if not group.old:
        return True
    said = _line(content.get("venue"))
    return not _NOT_ACCEPTED.search(said) if said else None


def _entry(
    note: Mapping[str, Any], content: Mapping[str, Any], forum: str, title: str, source: str, group: Group, latest: date
) -> EntryData:
    submitted = _instant(note.get("cdate"), latest) or _instant(note.get("tcdate"), latest)
    public = _instant(note.get("pdate"), latest) or _instant(note.get("odate"), latest)
    announced = public or submitted
    year = group.year or (announced.year if announced else 0)
    return EntryData(
        source,
        forum,
        Kind.PAPER,
        title,
        f"https://openreview.net/forum?id={forum}",
        abstract=clean_abstract(_line(content.get("abstract"), 1_000_000)),
        authors=_authors(content.get("authors")),
        announced=announced.date() if announced else None,
        basis=Basis.STATED if public else Basis.ESTIMATED if announced else Basis.HELD,
        submitted=submitted,
        updated=_instant(note.get("mdate"), latest) or _instant(note.get("tmdate"), latest),
        venue=group.venue,
        year=year,
        track=group.track,
        decision=tier([_line(content.get("venue"))]),
        subjects=_subjects(content),
        keywords=_keywords(content.get("keywords")),
        identifiers=(("openreview", forum),),
        comment=_comment(content),
        licence=_line(note.get("license")),
    )


def _subjects(content: Mapping[str, Any]) -> tuple[str, ...]:
    named = [v for k, v in content.items() if k == "primary_area" or k.startswith(_CLOSEST_AREA)]
    return tuple(dict.fromkeys(line for value in named for line in _lines(value)))


def _comment(content: Mapping[str, Any]) -> str:
    """The authors' one sentence and the address of their code."""
    short = next((s for k in ("TLDR", "TL;DR", "tldr") if (s := _line(content.get(k)))), "")
    links = (canonical_url(_text(v)) for k, v in content.items() if k.casefold() in _CODE)
    code = next((link for link in links if link), "")
    return " ".join(filter(None, (f"TL;DR: {short}" if short else "", f"Code: {code}" if code else "")))


def _authors(value: object) -> tuple[str, ...]:
    """Names in order; newer venues give an object for each author."""
    people = value if isinstance(value, list) else []
    names = (_line(p.get("fullname") if isinstance(p, dict) else p) for p in people)
    return tuple(n for n in names if n)


def _keywords(value: object) -> tuple[str, ...]:
    return _lines(re.split("[,;]", value) if isinstance(value, str) else value)


def _lines(value: object) -> tuple[str, ...]:
    """The texts of a list, or the one text, none twice."""
    texts = value if isinstance(value, list) else [value]
    return tuple(dict.fromkeys(line for t in texts if (line := _line(t))))


def _line(value: object, limit: int = 1_000) -> str:
    """The text, or the first of a list of texts, in one line."""
    first = next(iter(value), None) if isinstance(value, list) else value
    return clean_line(_text(first), limit)


def _instant(value: object, latest: date) -> datetime | None:
    """The instant of a number of milliseconds; None for anything else, for the time before 2000 and after `latest`."""
    if not isinstance(value, (int, float)) or isinstance(value, bool) or not 0 < value < 1e14:
        return None
    when = _EPOCH + timedelta(milliseconds=int(value))
    return when if when.year >= 2000 and when.date() <= latest else None


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""
