"""Dates, names, sources and addresses as readers see them: shared by digests, renderers and pages. Pure, English, no locale."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import date
from urllib.parse import quote, urlsplit

from catalog.items import News
from catalog.periods import Period

_MONTHS = "January February March April May June July August September October November December".split()
_DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_UNSEEN = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u061c\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ud800-\udfff\ufeff]"
)
_SOURCES = {
    "arxiv": "arXiv", "neurips": "NeurIPS proceedings", "pmlr": "PMLR", "cvf": "CVF open access", "acl": "ACL Anthology",
    "openreview": "OpenReview", "ai-deadlines": "ai-deadlines", "ccf-deadlines": "ccf-deadlines", "kaggle": "Kaggle",
    "mlcontests": "ML Contests", "huggingface": "Hugging Face", "hackernews": "Hacker News", "releases": "Library releases",
    "blogs": "Research blogs", "semantic-scholar": "Semantic Scholar", "meetup": "Meetup", "luma": "Luma",
    "schools": "Summer schools", "youtube": "YouTube",
}  # fmt: skip
_CONFERENCES = {"neurips": "NeurIPS", "mlsys": "MLSys"}


def day(value: date) -> str:
    """A date with its weekday: `Wed 28 Jan 2026`."""
    return f"{_DAYS[value.weekday()]} {value.day} {_MONTHS[value.month - 1][:3]} {value.year}"


def short_day(value: date) -> str:
    """A date without weekday and year: `28 Jan`."""
    return f"{value.day} {_MONTHS[value.month - 1][:3]}"


def period_name(period: Period) -> str:
    """A period as a heading: `Week 5 of 2026`, `January 2026`, `Wed 28 Jan 2026`."""
    if "W" in period.name:
        return f"Week {int(period.name[6:])} of {period.name[:4]}"
    return day(period.first) if period.first == period.last else f"{_MONTHS[period.first.month - 1]} {period.first.year}"


def period_days(period: Period) -> str:
    """The first and last day of a period, what they share said once: `26 Jan – 1 Feb 2026`."""
    first, last = period.first, period.last
    if first == last:
        return day(first)
    if first.year != last.year:
        return f"{short_day(first)} {first.year} – {short_day(last)} {last.year}"
    return f"{first.day if first.month == last.month else short_day(first)} – {short_day(last)} {last.year}"


def some_names(names: Sequence[str], most: int = 3) -> str:
    """The first names of a list; `et al.` when there are more."""
    cleaned = [one_line(n) for n in names]
    return ", ".join(cleaned) if len(cleaned) <= most else f"{', '.join(cleaned[:most])} et al."


def source_name(slug: str) -> str:
    """A source's name; added feeds are shown by the name they were given."""
    if slug.startswith("virtual-"):
        conference = slug.removeprefix("virtual-")
        return f"{_CONFERENCES.get(conference, conference.upper())} programme"
    return _SOURCES.get(slug, slug.removeprefix("feed:"))


_WHAT = {"code": "code", "model": "model", "data": "data", "moved": "date moved", "closing": "closes soon"}
_DATES = {
    "abstract": "Abstract due", "submission": "Paper due", "registration": "Registration ends", "commitment": "Commitment due",
    "deadline": "Closes", "starts": "Begins", "ends": "Ends", "notification": "Notification",
    "camera-ready": "Camera-ready due",
    "entry": "Entry until", "merger": "Teams may merge until",
}  # fmt: skip


def date_name(what: str) -> str:
    """A sort of date in words: `Paper due`."""
    return _DATES.get(what) or one_line(what.replace("-", " ").capitalize())


def days_left(days: int) -> str:
    """How far away a day is: `today`, `tomorrow`, `in 9 days`."""
    return "today" if days <= 0 else "tomorrow" if days == 1 else f"in {days:,} days"


def acceptance(news: News) -> str:
    """An acceptance in words: `at NeurIPS 2018` from the venue, `says accepted at ICML 2026` from the authors."""
    where = f" at {news.text}" if news.text else ""
    return f"accepted{where}" if news.status == "confirmed" else f"says accepted{where}"


def news_line(news: News) -> str:
    """News on one line: `accepted at ICML 2026`, `code: https://github.com/ada/example`, `withdrawn`."""
    if news.what == "accepted":
        return one_line(acceptance(news))
    what = _WHAT.get(news.what, news.what)
    return one_line(f"{what}: {news.text}" if news.text else what)


def count(n: int, noun: str) -> str:
    """A number with its noun, thousands apart: `1 paper`, `12,345 papers`."""
    return f"{n:,} {noun}" if n == 1 else f"{n:,} {noun}s"


def one_line(text: str) -> str:
    """The text on one line, without characters that are not seen but act (control, direction, line separators)."""
    return " ".join(_UNSEEN.sub(" ", text).split())


def safe_url(url: str) -> str:
    """The address when it is an http or https one, characters that could end an attribute or a link escaped; else empty."""
    if _UNSEEN.search(url) or "\\" in url:
        return ""
    try:
        parts = urlsplit(url.strip())
    except ValueError:
        return ""
    if parts.scheme not in ("http", "https") or not parts.hostname or "@" in parts.netloc:
        return ""
    return quote(url.strip(), safe="%:/?#[]@!$&'()*+,;=~")
