"""What Kaggle's API and the list of mlcontests.com say of competitions, put into one form."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

from catalog.entries import Basis, EntryData, Kind, Moment
from catalog.errors import ParseError
from catalog.identifiers import canonical_url, identifier_of
from catalog.items import Signal
from catalog.text import clean_block, clean_line
from ingest.formats.instants import day_in_words, moment_of_day
from ingest.formats.json_body import read_json, whole_number
from ingest.formats.paper_list import PaperList, listed

KAGGLE, MLCONTESTS = "kaggle", "mlcontests"
_SLUG = re.compile(r"[a-z0-9][a-z0-9_-]{0,190}", re.I)
_CURRENCIES = {"$": "USD", "usd": "USD", "us$": "USD", "€": "EUR", "eur": "EUR", "£": "GBP", "gbp": "GBP", "¥": "JPY"}
_AMOUNT = re.compile(
    r"(?P<before>us\$|[$€£¥]|\b(?:usd|eur|gbp)\b)?\s*(?P<number>\d{1,3}(?:[, ]\d{3})+|\d+)(?P<k>\s?k\b)?"
    r"\s*(?P<after>usd|eur|gbp|€|£)?",
    re.I,
)


@dataclass(frozen=True, slots=True)
class Competitions:
    """One page of Kaggle's list."""

    entries: tuple[EntryData, ...]
    rejected: Counter[str]
    signals: tuple[Signal, ...]
    token: str  # of the next page; "" on the last
    last_deadline: datetime | None  # the last that was read


def parse_competitions(body: bytes, now: datetime) -> Competitions:
    """A page of ListCompetitions, from which default values are left out; raises ParseError for another answer."""
    value = read_json(body)
    if not isinstance(value, dict) or not isinstance(value.get("competitions", []), list):
        raise ParseError("no-list", "the answer is no list of competitions")
    entries, rejected = listed(_kaggle(row, now) for row in value.get("competitions", []))
    teams = {_slug(row): row.get("teamCount", 0) for row in value.get("competitions", []) if isinstance(row, dict)}
    signals = tuple(
        Signal("kaggle", e.key, KAGGLE, "teams", float(n), now)
        for e in entries
        if (n := whole_number(teams.get(e.key))) is not None
    )
    token = value.get("nextPageToken")
    ends = [m.at for e in entries for m in e.moments if m.what == "deadline"]
    return Competitions(entries, rejected, signals, token if isinstance(token, str) else "", ends[-1] if ends else None)


def parse_contests(body: bytes, today: date) -> PaperList:
    """The list of mlcontests.com; raises ParseError for what is no list."""
    value = read_json(body)
    rows = value.get("data") if isinstance(value, dict) else None
    if not isinstance(rows, list):
        raise ParseError("no-list", "the answer holds no list of contests")
    return PaperList(*listed(_told_apart(_contest(row, today) for row in rows)))


def prize_of(text: str) -> tuple[str, str]:
    """Amount and currency of `$105,000` or `850,000 Usd`; ("", "") for what is no money, such as `Swag`."""
    m = _AMOUNT.search(text)
    sign = ((m["before"] or m["after"] or "") if m else "").casefold()
    if m is None or not sign:
        return "", ""
    number = int(re.sub(r"\D", "", m["number"])) * (1000 if m["k"] else 1)
    return str(number), _CURRENCIES.get(sign, sign.upper())


def _kaggle(row: object, now: datetime) -> EntryData | str:
    if not isinstance(row, dict):
        return "no-competition"
    slug, title = _slug(row), _line(row, "title")
    if not slug:
        return "no-key"
    if not title:
        return "no-title"
    enabled = _instant(row.get("enabledDate"))
    dates = (("deadline", "deadline"), ("entry", "newEntrantDeadline"), ("merger", "mergerDeadline"))
    moments = {Moment(at, what, said=f"{at:%Y-%m-%d %H:%M} UTC") for what, name in dates if (at := _instant(row.get(name)))}
    category = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", _line(row, "category"))
    tags = row.get("tags")
    names = [_line(t, "name") for t in tags if isinstance(t, dict)] if isinstance(tags, list) else []
    facts = {
        "platform": "Kaggle", "category": category, "metric": _line(row, "evaluationMetric"),
        "sponsor": _line(row, "organizationName"),
    } | _prize(_line(row, "reward"))  # fmt: skip
    day = enabled.date() if enabled and enabled <= now else None
    return EntryData(
        KAGGLE,
        slug,
        Kind.COMPETITION,
        title,
        f"https://www.kaggle.com/competitions/{slug}",
        abstract=clean_block(_text(row.get("description")), 5_000),
        announced=day,
        basis=Basis.STATED if day else Basis.HELD,
        subjects=tuple(dict.fromkeys(n.casefold() for n in names if n)),
        moments=tuple(sorted(moments)),
        about=_about(facts),
        identifiers=(("kaggle", slug),),
    )


def _contest(row: object, today: date) -> EntryData | str:
    if not isinstance(row, dict):
        return "no-contest"
    title, url = _line(row, "name"), _bare(_text(row.get("url")))
    if not title:
        return "no-title"
    if url is None:
        return "no-address"
    launched = day_in_words(_text(row.get("launched")))
    day = launched if launched and launched <= today else None
    moments = {
        Moment(moment_of_day(found), what, said=_line(row, name), whole_day=True)
        for what, name in (("deadline", "deadline"), ("entry", "registration-deadline"))
        if (found := day_in_words(_text(row.get(name))))
    }
    tags = row.get("tags")
    year = row.get("conference_year") or row.get("conference-year")
    meeting = " ".join(filter(None, (_line(row, "conference"), str(year) if whole_number(year) else "")))
    facts = {"platform": _line(row, "platform"), "sponsor": _line(row, "sponsor"), "conference": meeting}
    named = identifier_of(url)
    return EntryData(
        MLCONTESTS,
        url.partition("://")[2].rstrip("/")[:300],
        Kind.COMPETITION,
        title,
        url,
        announced=day,
        basis=Basis.STATED if day else Basis.HELD,
        subjects=tuple(dict.fromkeys(clean_line(t, 60).casefold() for t in tags if isinstance(t, str) and t.strip()))
        if isinstance(tags, list)
        else (),
        moments=tuple(sorted(moments)),
        about=_about(facts | _prize(_line(row, "prize"))),
        identifiers=(named,) if named and named[0] == "kaggle" else (),
    )


def _told_apart(found: Iterator[EntryData | str]) -> Iterator[EntryData | str]:
    """Contests that share an address, as tracks of one page do, are told apart by their names."""
    rows = list(found)
    keys = Counter(e.key for e in rows if isinstance(e, EntryData))
    for entry in rows:
        if isinstance(entry, EntryData) and keys[entry.key] > 1:
            yield _named(entry)
        else:
            yield entry


def _named(entry: EntryData) -> EntryData:
    return replace(entry, key=f"{entry.key}#{entry.title.casefold()}"[:400], identifiers=())


def _bare(url: str) -> str | None:
    """The address without what says where it was found; None when it is none."""
    found = canonical_url(url)
    if found is None:
        return None
    parts = urlsplit(found)
    kept = [(k, v) for k, v in parse_qsl(parts.query, keep_blank_values=True) if k != "ref"]
    return urlunsplit((parts.scheme, parts.netloc, parts.path, urlencode(kept), ""))


def _slug(row: Mapping[str, Any]) -> str:
    """The last part of the address; older answers give it bare."""
    said = _text(row.get("ref")) or _text(row.get("url"))
    slug = said.rstrip("/").rpartition("/")[2]
    return slug if _SLUG.fullmatch(slug) else ""


def _prize(said: str) -> dict[str, str]:
    amount, currency = prize_of(said)
    return {"prize": said, "amount": amount, "currency": currency}


def _about(facts: Mapping[str, str]) -> tuple[tuple[str, str], ...]:
    return tuple(sorted((name, value) for name, value in facts.items() if value))


def _instant(value: object) -> datetime | None:
    """An RFC 3339 instant with up to nine digits of a second, to the second."""
    try:
        return datetime.fromisoformat(re.sub(r"\.\d+", "", _text(value))).astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def _line(row: Mapping[str, Any], name: str) -> str:
    return clean_line(_text(row.get(name)), 300)


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""
