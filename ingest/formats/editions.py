"""What the two lists of conference deadlines say of an edition, put into one form.

ai-deadlines has one YAML file for each conference, a list of its editions; ccf-deadlines one list of series, each with its
editions. An edition is the same in both when series and year are: `edition_of` names it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from catalog.entries import EntryData, Kind, Moment
from catalog.errors import ParseError
from catalog.identifiers import canonical_url
from catalog.text import clean_block, clean_line
from catalog.titles import folded
from catalog.venues import VENUES, short_name
from ingest.formats.instants import instant
from ingest.formats.paper_list import PaperList, listed
from ingest.formats.yaml_text import decode, read_yaml

AI, CCF = "ai-deadlines", "ccf-deadlines"
AI_PAGE, CCF_PAGE = "https://huggingface.co/spaces/huggingface/ai-deadlines", "https://ccfddl.com/"
#: Subjects of ccf-deadlines that concern machine learning: artificial intelligence, databases and mining, graphics and vision.
SUBJECTS = {"AI": "artificial intelligence", "DB": "data mining", "CG": "graphics and vision"}
_KNOWN = frozenset(v.name for v in VENUES)
_SAME = {"paper": "submission", "commitment-deadline": "commitment"}  # one word for each sort of date
_WHAT_LIMIT, _LABEL_LIMIT = 20, 120  # characters
#: Dates that about ten editions of ai-deadlines still have beside the list.
_LEGACY = {
    "abstract_deadline": "abstract", "deadline": "submission", "rebuttal_period_end": "rebuttal-end",
    "review_release_date": "review-release", "final_decision_date": "notification",
}  # fmt: skip


def parse_conference(body: bytes) -> PaperList:
    """The editions of one file of ai-deadlines; raises ParseError for what is no list of editions."""
    return PaperList(*listed(_ai(row) for row in _rows(body)))


def parse_series(body: bytes, first: int, last: int) -> PaperList:
    """The editions of these years, both inclusive, in the list of ccf-deadlines; raises ParseError for what is no list.

    Series of other subjects are taken when their venue is one that papers are followed of.
    """
    rows = _rows(body)
    if not rows:
        raise ParseError("no-list", "the list of series is empty")
    return PaperList(*listed(e for row in rows for e in _ccf(row, first, last)))


def edition_of(venue: str, year: int) -> tuple[str, str]:
    """The identifier of an edition, whoever speaks of it."""
    return "edition", f"{folded(venue)} {year}"


def _rows(body: bytes) -> list[Any]:
    text, _ = decode(body)
    documents = read_yaml(text)
    if not documents:
        return []
    if len(documents) > 1 or not isinstance(documents[0], list):
        raise ParseError("no-list", "the file is no list of conferences")
    return documents[0]


def _ai(row: object) -> EntryData | str:
    if not isinstance(row, dict):
        return "no-edition"
    title, year = _text(row, "title"), _year(row)
    if not title:
        return "no-title"
    if not year:
        return "no-year"
    place = ", ".join(filter(None, (_text(row, "city"), _text(row, "country"))))
    facts = {"place": place, "at": _text(row, "venue"), "dates": _text(row, "date"), "ranks": _text(row, "rankings")}
    facts["note"] = clean_line(_plain(row.get("note")), 500)
    dates = [*_ai_dates(row), *_days(row)]
    tags = row.get("tags") if isinstance(row.get("tags"), list) else []
    return _edition(AI, row, title, year, dates, facts, [_plain(t) for t in tags or []], _text(row, "full_name"), AI_PAGE)


def _ai_dates(row: Mapping[str, Any]) -> Iterator[Moment | None]:
    said = row.get("deadlines")
    for one in said if isinstance(said, list) else ():
        if isinstance(one, dict):
            what = _plain(one.get("type")) or "deadline"
            yield _moment(
                what, _text(one, "label"), _plain(one.get("date")), _plain(one.get("timezone") or row.get("timezone"))
            )
    if not said:
        for name, what in _LEGACY.items():
            yield _moment(what, "", _plain(row.get(name)), _plain(row.get("timezone")))


def _ccf(row: object, first: int, last: int) -> Iterator[EntryData | str]:
    if not isinstance(row, dict):
        yield "no-series"
        return
    title, editions = _text(row, "title"), row.get("confs")
    if not title or not isinstance(editions, list):
        yield "no-title" if not title else "no-editions"
        return
    subject = _plain(row.get("sub")).strip()
    if subject not in SUBJECTS and short_name(title) not in _KNOWN:
        return
    ranks = row.get("rank") if isinstance(row.get("rank"), dict) else {}
    shown = ", ".join(
        f"{name.upper()} {rank}" for name, rank in sorted((ranks or {}).items()) if _plain(rank).strip() not in ("", "N")
    )
    for one in editions:
        if not isinstance(one, dict):
            yield "no-edition"
        elif not (year := _year(one)):
            yield "no-year"
        elif first <= year <= last:
            dates = list(_ccf_dates(one))
            facts = {"place": _text(one, "place"), "dates": _text(one, "date"), "ranks": clean_line(shown, 200)}
            subjects = [SUBJECTS[subject]] if subject in SUBJECTS else []
            yield _edition(CCF, one, title, year, dates, facts, subjects, _text(row, "description"), CCF_PAGE)


def _ccf_dates(row: Mapping[str, Any]) -> Iterator[Moment | None]:
    said, zone = row.get("timeline"), _plain(row.get("timezone"))
    for one in said if isinstance(said, list) else ():
        if isinstance(one, dict):
            label = _text(one, "comment")
            yield _moment("abstract", label, _plain(one.get("abstract_deadline") or one.get("abstract deadline")), zone)
            yield _moment("submission", label, _plain(one.get("deadline")), zone)


def _days(row: Mapping[str, Any]) -> Iterator[Moment | None]:
    """The first and the last day of the meeting."""
    for name, what in (("start", "starts"), ("end", "ends")):
        found = instant(_plain(row.get(name))[:10], "UTC")
        yield Moment(found[0], what, "", _plain(row.get(name))[:10], whole_day=True) if found else None


def _moment(what: str, label: str, day: str, zone: str) -> Moment | None:
    """A dated point; None when it has no date yet (`TBD`)."""
    found = instant(day, zone)
    if found is None:
        return None
    name = re.sub(r"[\s_-]+", "-", what.strip().casefold()).strip("-")
    name = _SAME.get(name, name)[:_WHAT_LIMIT].rstrip("-") or "deadline"
    said = clean_line(f"{day} {zone}", 60)
    return Moment(found[0], name, label[:_LABEL_LIMIT], said, whole_day=found[1])


def _edition(
    source: str,
    row: Mapping[str, Any],
    title: str,
    year: int,
    dates: Iterable[Moment | None],
    facts: Mapping[str, str],
    subjects: Iterable[str],
    name: str,
    page: str,
) -> EntryData:
    venue = short_name(title)
    link = _plain(row.get("link")).strip()
    shown = title if str(year) in title else f"{title} {year}"
    return EntryData(
        source,
        f"{_text(row, 'id') or folded(title)}/{year}"[:200],
        Kind.DEADLINE,
        shown,
        link if canonical_url(link) else page,
        abstract=clean_block(name, 1_000),
        venue=venue,
        year=year,
        subjects=tuple(dict.fromkeys(s for t in subjects if (s := clean_line(t.replace("-", " ").casefold(), 60)))),
        moments=tuple(sorted({m for m in dates if m})),
        about=tuple(sorted((k, v) for k, v in facts.items() if v)),
        identifiers=(edition_of(venue, year),),
    )


def _year(row: Mapping[str, Any]) -> int:
    said = _plain(row.get("year")).strip()
    return int(said) if re.fullmatch(r"(?:19|20)\d\d", said) else 0


def _text(row: Mapping[str, Any], name: str) -> str:
    """A scalar on one line; "" for what is absent, null or no scalar."""
    return clean_line(_plain(row.get(name)), 300)


def _plain(value: object) -> str:
    """YAML is read as text: null is a word or nothing."""
    return value if isinstance(value, str) and value not in ("null", "~", "None") else ""
