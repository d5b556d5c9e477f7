"""What the four hosts share: request and answer, the papers as they stand today, and text for XML and HTML."""

from __future__ import annotations

import datetime as dt
import html
import re
import unicodedata
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from email.utils import format_datetime
from functools import cache
from xml.sax.saxutils import escape
from zoneinfo import ZoneInfo

from .papers import (
    ARCHIVES,
    CATEGORIES,
    LAST_LISTED_VERSION,
    Paper,
    Snapshot,
    archive_of,
    days_of,
    fold,
    is_announcement_day,
    latest_version,
    previous_announcement,
)

EASTERN = ZoneInfo("America/New_York")
KINDS = ("new", "cross", "replace", "replace-cross")


@dataclass
class Request:
    """One request as the log has it; `finished` and `status` are set before the last byte of the answer leaves."""

    host: str
    path: str
    query: str  # percent-encoded as it came; a form body counts as query
    started: float  # time.monotonic(), seconds
    conditional: bool
    user_agent: str
    finished: float | None = None
    status: int | None = None  # None while it runs, and when no status line was sent
    fault: str | None = None


@dataclass(frozen=True)
class Answer:
    """What is sent when nothing goes wrong."""

    body: str
    content_type: str
    status: int = 200
    etag: bool = False  # whether the host sends one, and heeds If-None-Match
    headers: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Announcement:
    """A paper's line in a feed or listing."""

    kind: str  # new, cross, replace or replace-cross, relative to the categories asked for
    paper: Snapshot


class Archive:
    """The papers as they stand at the end of one day."""

    def __init__(self, papers: Iterable[Paper], today: dt.date) -> None:
        """Index what is announced by then."""
        self.today = today
        shown = [snapshot for paper in papers if (snapshot := latest_version(paper, today)) is not None]
        self.by_id = {snapshot.id: snapshot for snapshot in shown}
        self.living = sorted((s for s in shown if not s.deleted), key=lambda s: (s.paper.submitted, s.id))
        self.by_change = sorted(shown, key=lambda s: (s.changed, s.id))
        self._events: defaultdict[dt.date, list[Paper]] = defaultdict(list)
        for snapshot in self.living:
            for day in days_of(snapshot.paper):
                self._events[day].append(snapshot.paper)

    def announcements(self, categories: Iterable[str], day: dt.date) -> list[Announcement]:
        """What was announced on the day (today or before) in any of the categories: new, cross, replace, replace-cross."""
        wanted = {fold(category) for category in categories}
        then = [paper for event in self._events[day] if (paper := latest_version(event, day)) is not None]
        found = [Announcement(kind, paper) for paper in then if (kind := _kind(paper, wanted, day))]
        return sorted(found, key=lambda line: (KINDS.index(line.kind), line.paper.id))

    def version(self, full_id: str) -> Snapshot | None:
        """A paper by identifier, with or without version."""
        base, _, number = full_id.partition("v")
        now = self.by_id.get(base)
        return latest_version(now.paper, self.today, int(number)) if now and number else now

    def announced_on(self, day: dt.date) -> dt.date:
        """The day itself when something is announced on it, else the announcement before it."""
        return day if is_announcement_day(day) else previous_announcement(day)


def _kind(paper: Snapshot, wanted: set[str], day: dt.date) -> str | None:
    """How the paper is announced on the day to a reader of the wanted categories; None when it is not."""
    primary = fold(paper.categories[0]) in wanted
    if not wanted & set(map(fold, paper.categories)):
        return None
    if paper.paper.announced == day:
        return "new" if primary else "cross"
    if not wanted & set(map(fold, paper.paper.categories)) and day == min(
        when for category, when in paper.paper.crossed if fold(category) in wanted
    ):
        return "cross"
    replaced = any(version.announced == day for version in paper.paper.versions)
    if not replaced or paper.number > LAST_LISTED_VERSION:
        return None
    return "replace" if primary else "replace-cross"


def covered(name: str) -> list[str]:
    """The categories behind a name: the category itself, or all of an archive; empty when there is no such name."""
    by_lower = {category.lower(): category for category in CATEGORIES}
    if name.lower() in by_lower:
        return [by_lower[name.lower()]]
    return [category for category in CATEGORIES if archive_of(category) == name.lower()] if name.lower() in ARCHIVES else []


# ---------------------------------------------------------------- text
def xml(text: str) -> str:
    """Text content of an XML element."""
    return escape(text)


def quoted(text: str) -> str:
    """A double-quoted XML attribute value."""
    return '"' + escape(text, {'"': "&quot;", "\n": " "}) + '"'


def element(tag: str, text: str | None) -> str:
    """An XML element on its own line, or nothing without text."""
    return f"<{tag}>{xml(text)}</{tag}>\n" if text else ""


def hypertext(text: str) -> str:
    """HTML text, with quotes as decimal references and addresses as links called `this https URL`."""
    safe = html.escape(text, quote=False).replace('"', "&#34;").replace("'", "&#39;")
    link = r'<a href="\g<0>" rel="external noopener nofollow" class="link-external link-https">this https URL</a>'
    return re.sub(r"https://[\w./~-]*[\w/~-]", link, safe)


def one_line(text: str) -> str:
    """The text with every run of white space as one blank."""
    return " ".join(text.split())


def split_author(author: str) -> tuple[str, str | None]:
    """(name, affiliation) of a display name; the affiliation stands in parentheses at its end and may hold commas."""
    found = re.fullmatch(r"(.+?) \((.+)\)", author)
    return (found[1], found[2]) if found else (author, None)


ACCENTS = {
    '"': "\u0308",
    "'": "\u0301",
    "`": "\u0300",
    "^": "\u0302",
    "~": "\u0303",
    "=": "\u0304",
    ".": "\u0307",
    "H": "\u030b",
    "c": "\u0327",
    "k": "\u0328",
    "r": "\u030a",
    "u": "\u0306",
    "v": "\u030c",
}
LETTERS = {"O": "Ø", "o": "ø", "L": "Ł", "l": "ł", "ss": "ß", "ae": "æ", "AE": "Æ", "aa": "å", "AA": "Å", "i": "\u0131"}
_LETTER = re.compile(r"\{\\(ss|ae|AE|aa|AA|[OoLli])\}|\\(ss|ae|AE|aa|AA|[OoLl])(?![A-Za-z])(?:\{\}| )?")
_ACCENT = re.compile(r"""\\(?:(["'`^~=.])|([Hckruv])(?=[{ ])) ?(?:\{\\?([A-Za-z\u0131])\}|\\?([A-Za-z\u0131]))""")


@cache
def unicode_text(tex: str) -> str:
    """The text with TeX accents as Unicode letters; formulas between dollars stay as they are."""
    parts = re.split(r"(\$[^$]*\$)", tex)
    return "".join(part if part.startswith("$") else _accented(part) for part in parts)


def _accented(text: str) -> str:
    text = _LETTER.sub(lambda m: LETTERS[m[1] or m[2]], text)

    def compose(m: re.Match[str]) -> str:
        letter = (m[3] or m[4]).replace("\u0131", "i")
        return unicodedata.normalize("NFC", letter + ACCENTS[m[1] or m[2]])

    return re.sub(r"\{([^\x00-\x7f])\}", r"\1", _ACCENT.sub(compose, text))


# ---------------------------------------------------------------- time
def iso(instant: dt.datetime) -> str:
    """2026-01-31T23:59:59Z."""
    return instant.astimezone(dt.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def rfc822(instant: dt.datetime) -> str:
    """Sat, 31 Jan 2026 23:59:59 -0500, in the instant's own zone."""
    return format_datetime(instant)


def midnight_eastern(day: dt.date) -> dt.datetime:
    """The beginning of the day in New York."""
    return dt.datetime.combine(day, dt.time(), EASTERN)
