"""arXiv's listing page of the day (arxiv.org/list/<category>/new): a daily feed is counted against it, and replaced by it."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

import lxml.html

from catalog.entries import Basis, Detail, EntryData, Kind
from catalog.errors import ParseError
from catalog.identifiers import arxiv_id
from ingest.formats import arxiv_names

_HEADING = re.compile(r"Showing new listings for \w+,\s+(\d{1,2} \w+ \d{4})")
_SECTION = re.compile(r"(New|Cross|Replacement)\b.*?showing (?:first |last )?(\d+) of (\d+) entr", re.I | re.S)
_SUBJECT = re.compile(r"\(([A-Za-z-]+(?:\.[A-Za-z-]+)?)\)")
_KINDS = {"new": "new", "cross": "cross", "replacement": "replace"}


@dataclass(frozen=True, slots=True)
class Listing:
    """What the page says was announced on its day."""

    day: date
    sections: tuple[tuple[str, int], ...]  # (new, cross or replace; how many entries its heading says it has on all pages)
    shown: int  # entries on this page
    keys: tuple[str, ...]  # of the new and cross-listed entries on this page
    entries: tuple[tuple[str, EntryData], ...]  # (announce type, entry) of the new and cross-listed ones
    rejected: Counter[str] = field(default_factory=Counter)

    @property
    def announced(self) -> int:
        """New and cross-listed entries, as the headings count them."""
        return sum(n for section, n in self.sections if section != "replace")

    @property
    def total(self) -> int:
        """All entries, as the headings count them."""
        return sum(n for _, n in self.sections)

    @property
    def complete(self) -> bool:
        """True when every announced entry is on this page."""
        return len(self.keys) == self.announced

    def followed_by(self, more: Listing) -> Listing:
        """This page and the one after it; a section that begins on the later page counts as well."""
        return Listing(
            self.day,
            tuple(dict((*self.sections, *more.sections)).items()),
            self.shown + more.shown,
            tuple(dict.fromkeys((*self.keys, *more.keys))),
            (*self.entries, *more.entries),
            self.rejected + more.rejected,
        )


def parse_listing(body: bytes, source: str) -> Listing:
    """The listing of a page; raises ParseError when it is not one or its parts do not add up to what its headings say."""
    text = body.decode("utf-8", "replace")
    if not text.strip():
        raise ParseError("empty-body", "the answer is empty")
    heading = _HEADING.search(text)
    if heading is None:
        raise ParseError("no-listing", "the page has no heading of new listings")
    try:
        day = datetime.strptime(f"{heading[1]} +0000", "%d %B %Y %z").date()
    except ValueError:
        raise ParseError("no-listing", f"the page's date {heading[1]!r} cannot be read") from None
    root: Any = lxml.html.document_fromstring(
        text.encode("utf-8"), parser=lxml.html.HTMLParser(encoding="utf-8", huge_tree=False)
    )
    shown = 0
    sections: dict[str, int] = {}
    keys: dict[str, None] = {}
    entries: list[tuple[str, EntryData]] = []
    rejected: Counter[str] = Counter()
    section, here, expected = "", 0, 0
    for node in root.iter("h3", "dt"):
        if node.tag == "h3":
            m = _SECTION.search(node.text_content())
            if m is None:
                continue
            _add_up(section, here, expected)
            section, here, expected = _KINDS[m[1].lower()], 0, int(m[2])
            sections[section] = int(m[3])
            continue
        if not section and _paper(node) is None:
            continue
        here += 1
        shown += 1
        paper = _paper(node)
        if paper is None:
            rejected["no-identifier"] += 1
        elif section != "replace":
            keys[paper] = None
            try:
                entries.append((section, _entry(paper, node, section, day, source)))
            except ParseError as error:
                rejected[error.reason] += 1
    _add_up(section, here, expected)
    return Listing(day, tuple(sections.items()), shown, tuple(keys), tuple(entries), rejected)


def _add_up(section: str, here: int, expected: int) -> None:
    if here != expected:
        raise ParseError("count-differs", f"the listing says it shows {expected} {section} entries and holds {here}")


def _paper(node: Any) -> str | None:
    for link in node.iter("a"):
        paper = arxiv_id(link.get("id") or "") or (
            arxiv_id((link.get("href") or "").removeprefix("/abs/")) if "/abs/" in (link.get("href") or "") else None
        )
        if paper:
            return paper.id
    return None


def _entry(paper: str, node: Any, section: str, day: date, source: str) -> EntryData:
    details = node.getnext()
    if details is None or details.tag != "dd":
        raise ParseError("no-details", f"{paper} has no details")

    def text_of(name: str) -> str:
        found = details.find_class(name)
        for label in found[0].find_class("descriptor") if found else ():
            label.drop_tree()
        return str(found[0].text_content()) if found else ""

    title = arxiv_names.title(text_of("list-title"))
    if not title:
        raise ParseError("no-title", f"{paper} has no title")
    found = arxiv_id(paper)
    assert found is not None
    people = [link.text_content() for part in details.find_class("list-authors") for link in part.iter("a")]
    abstracts = [p.text_content() for p in details.iter("p")]
    return EntryData(
        source=source,
        key=paper,
        kind=Kind.PAPER,
        title=title,
        url=found.url,
        abstract=arxiv_names.abstract(abstracts[0] if abstracts else ""),
        authors=tuple(a for p in people for a in arxiv_names.authors(p)),
        announced=day,
        basis=Basis.STATED if section == "new" else Basis.CROSS,
        categories=arxiv_names.categories(_SUBJECT.findall(text_of("list-subjects"))),
        identifiers=arxiv_names.identifiers(found),
        comment=arxiv_names.line(text_of("list-comments")),
        journal=arxiv_names.line(text_of("list-journal-ref")),
        detail=Detail.BRIEF,
    )
