"""arxiv.org/list/<category>/new: the day's listing page, in the markup of the site, mixed quotes and `href =` included."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Mapping, Sequence
from urllib.parse import quote

from .papers import CATEGORIES
from .wire import Announcement, Answer, Archive, covered, hypertext, one_line, split_author, unicode_text

HTML = "text/html; charset=utf-8"
SECTIONS = {"New": ("new",), "Cross": ("cross",), "Replacement": ("replace", "replace-cross")}


def listing(
    archive: Archive,
    path: str,
    params: Mapping[str, str],
    *,
    page: int = 2000,
    keep_last: bool = False,
    short: bool = False,
    replacement_abstracts: bool = False,
) -> Answer:
    """New, cross-listed and replaced papers of today; `skip` and `show` page over all of them.

    `keep_last`: on a day without announcement the page still shows the last one. `short`: every section has fewer entries than
    its heading says.
    """
    asked = re.fullmatch(r"/list/([\w.-]+)/new", path)
    categories = covered(asked[1]) if asked else []
    if not asked or not categories:
        return Answer(
            "<!DOCTYPE html>\n<html><head><title>404</title></head><body><h1>Not Found</h1></body></html>\n", HTML, 404
        )
    day = archive.announced_on(archive.today) if keep_last else archive.today
    skip, show = _whole(params, "skip", 0), _whole(params, "show", page)
    before, sections = 0, []
    lines = archive.announcements(categories, day)
    for name, kinds in SECTIONS.items():
        members = [line for line in lines if line.kind in kinds]
        first, last = max(0, skip - before), min(len(members), skip + show - before)
        if first < last:
            shown = range(first, last - (1 + (last - first) // 3 if short else 0))
            heading = f"{name} submissions ({_span(first, last, len(members))} entries)"
            entries = "".join(_entry(before + n + 1, members[n], replacement_abstracts) for n in shown)
            sections.append(f"<h3>{heading}</h3>\n{entries}")
        before += len(members)
    return Answer(_page(asked[1], day, before, sections), HTML)


def _whole(params: Mapping[str, str], name: str, default: int) -> int:
    text = params.get(name, "")
    return int(text) if text.isdecimal() else default


def _span(first: int, last: int, of: int) -> str:
    """`showing 3 of 3`, `showing first 2 of 90`, `continued, showing 25 of 90`, `continued, showing last 3 of 90`."""
    edge = "" if (first == 0) == (last == of) else "last " if first else "first "
    return f"{'continued, ' if first else ''}showing {edge}{last - first} of {of}"


def _page(name: str, day: dt.date, total: int, sections: Sequence[str]) -> str:
    title, content = CATEGORIES.get(name, name), "".join(sections) or "<p>No updates today.</p>\n"
    return (
        f'<!DOCTYPE html>\n<html lang="en">\n<head><title>{title}</title></head>\n<body>\n'
        f"<div id='content'>\n<div id='dlpage'>\n<h1>{title}</h1>\n"
        f"<h3>Showing new listings for {day:%A}, {day.day} {day:%B %Y}</h3>\n"
        f"<div class='paging'>Total of {total} entries\n</div>\n"
        f"<dl id='articles'>\n{content}</dl>\n</div>\n</div>\n</body>\n</html>\n"
    )


def _entry(number: int, line: Announcement, replacement_abstracts: bool) -> str:
    """The <dt> and <dd> of one paper."""
    paper, primary = line.paper, line.paper.categories[0]
    notes = [
        note
        for note, holds in (("replaced", "replace" in line.kind), (f"cross-list from {primary}", "cross" in line.kind))
        if holds
    ]
    subjects = [f"{CATEGORIES[category]} ({category})" for category in paper.categories]
    further = "".join(f"; {hypertext(subject)}" for subject in subjects[1:])
    abstract = ""
    if replacement_abstracts or line.kind in ("new", "cross"):
        abstract = f"\n<p class='mathjax'>\n{hypertext(unicode_text(paper.abstract))}\n</p>\n"
    note = f" ({', '.join(notes)})" if notes else ""
    subject_line = f'<span class="primary-subject">{hypertext(subjects[0])}</span>{further}'
    links = ", ".join(
        f'<a href="/{form}/{paper.id}" title="{title}" id="{mark}-{paper.id}" aria-labelledby="{mark}-{paper.id}">{text}</a>'
        for form, title, mark, text in (("pdf", "Download PDF", "pdf", "pdf"), ("format", "Other formats", "oth", "other"))
    )
    return (
        f'<dt>\n<a name=\'item{number}\'>[{number}]</a>\n<a href ="/abs/{paper.id}" title="Abstract" id="{paper.id}">\n'
        f"arXiv:{paper.id}\n</a>\n{note}\n[{links}]\n</dt>\n<dd>\n<div class='meta'>\n"
        f"{_field('title mathjax', 'Title', hypertext(one_line(unicode_text(paper.title))))}"
        f"<div class='list-authors'>{', '.join(map(_author, paper.paper.authors))}</div>\n"
        f"{_field('comments mathjax', 'Comments', hypertext(unicode_text(paper.comment or '')))}"
        f"{_field('journal-ref', 'Journal-ref', hypertext(paper.paper.journal or ''))}"
        f"{_field('subjects', 'Subjects', subject_line)}"
        f"{abstract}</div>\n</dd>\n"
    )


def _field(name: str, label: str, content: str) -> str:
    return f"<div class='list-{name}'><span class='descriptor'>{label}:</span>\n{content}\n</div>\n" if content else ""


def _author(author: str) -> str:
    """A link to the author's papers, with the affiliation behind it."""
    name, affiliation = split_author(unicode_text(author))
    given, _, family = name.rpartition(" ")
    asked = quote(f"{family}, {' '.join(part[0] for part in given.split())}", safe=",").replace("%20", "+")
    link = f'<a href="https://arxiv.org/search/cs?searchtype=author&amp;query={asked}">{hypertext(name)}</a>'
    return f"{link} ({hypertext(affiliation)})" if affiliation else link
