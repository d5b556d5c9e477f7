"""rss.arxiv.org: the daily feeds, RSS 2.0 and Atom."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

from .papers import ARCHIVES, previous_announcement
from .wire import (
    Announcement,
    Answer,
    Archive,
    covered,
    element,
    iso,
    midnight_eastern,
    one_line,
    quoted,
    rfc822,
    unicode_text,
    xml,
)

ARXIV = 'xmlns:arxiv="http://arxiv.org/schemas/atom" xmlns:dc="http://purl.org/dc/elements/1.1/"'
TYPES = {"rss": "application/rss+xml", "atom": "application/atom+xml"}


def feed(archive: Archive, path: str, *, limit: int = 2000, stale: bool = False, short: bool = False) -> Answer:
    """The answer to /rss/<spec> or /atom/<spec>.

    `stale`: the announcement before today's, dated today. `short`: half of the day's lines.
    """
    form, _, spec = path.strip("/").partition("/")
    if form not in TYPES or not spec:
        return Answer("No archive specified.", "text/html; charset=utf-8")
    names = spec.replace(" ", "+").split("+")
    if unknown := [name for name in names if not covered(name)]:
        message = f"Bad archive or subject class '{unknown[0]}'. Valid archive names are: {', '.join(ARCHIVES)}."
        return _error(archive.today, form, spec, message)
    day = previous_announcement(archive.today) if stale else archive.today
    lines = archive.announcements([category for name in names for category in covered(name)], day)
    lines = lines[-limit:]  # an over-full feed loses new papers first
    if short:
        lines = lines[: len(lines) // 2]
    body = (_rss if form == "rss" else _atom)(names, archive.today, lines)
    return Answer(body, TYPES[form], etag=True, headers={"Cache-Control": "max-age=3600"})


def _address(form: str, spec: str) -> str:
    return f"http://rss.arxiv.org/{form}/{spec}"


def _built(day: dt.date) -> dt.datetime:
    """The feeds are rebuilt some seconds after midnight in New York."""
    return midnight_eastern(day).astimezone(dt.UTC) + dt.timedelta(seconds=17)


def _description(line: Announcement) -> str:
    return f"arXiv:{line.paper.full_id} Announce Type: {line.kind} \nAbstract: {unicode_text(line.paper.abstract)}"


def _extension(line: Announcement) -> str:
    """The elements that both formats add in arXiv's and Dublin Core's namespaces."""
    paper = line.paper.paper
    return (
        element("arxiv:announce_type", line.kind)
        + element("dc:rights", paper.licence)
        + element("arxiv:DOI", paper.doi)
        + element("arxiv:journal_reference", paper.journal)
        + element("dc:creator", ", ".join(map(unicode_text, paper.authors)))
    )


def _rss(names: Sequence[str], today: dt.date, lines: Sequence[Announcement]) -> str:
    link, dated = _address("rss", "+".join(names)), rfc822(midnight_eastern(today))
    items = "".join(
        "<item>\n"
        + element("title", one_line(unicode_text(line.paper.title)))
        + element("link", f"https://arxiv.org/abs/{line.paper.id}")
        + element("description", _description(line))
        + f'<guid isPermaLink="false">oai:arXiv.org:{line.paper.full_id}</guid>\n'
        + "".join(element("category", category) for category in line.paper.categories)
        + element("pubDate", dated)
        + _extension(line)
        + "</item>\n"
        for line in lines
    )
    return (
        f"<?xml version='1.0' encoding='UTF-8'?>\n<rss {ARXIV} xmlns:atom=\"http://www.w3.org/2005/Atom\" "
        'xmlns:content="http://purl.org/rss/1.0/modules/content/" version="2.0">\n<channel>\n'
        + element("title", f"{', '.join(names)} updates on arXiv.org")
        + element("link", link)
        + element("description", f"{', '.join(names)} updates on the arXiv.org e-print archive.")
        + f'<atom:link href={quoted(link)} rel="self" type="application/rss+xml"/>\n'
        + element("docs", "http://www.rssboard.org/rss-specification")
        + element("language", "en-us")
        + element("lastBuildDate", rfc822(_built(today)))
        + element("managingEditor", "rss-help@arxiv.org")
        + element("pubDate", dated)
        + "<skipDays>\n<day>Saturday</day>\n<day>Sunday</day>\n</skipDays>\n"
        + items
        + "</channel>\n</rss>\n"
    )


def _atom(names: Sequence[str], today: dt.date, lines: Sequence[Announcement]) -> str:
    link, built = _address("atom", "+".join(names)), iso(_built(today)).replace("Z", "+00:00")
    entries = "".join(
        "<entry>\n"
        + element("id", f"oai:arXiv.org:{line.paper.full_id}")
        + element("title", one_line(unicode_text(line.paper.title)))
        + element("updated", built)
        + f'<link href="https://arxiv.org/abs/{line.paper.id}" rel="alternate" type="text/html"/>\n'
        + element("summary", _description(line))
        + "".join(f"<category term={quoted(category)}/>\n" for category in line.paper.categories)
        + element("published", midnight_eastern(today).isoformat())
        + _extension(line)
        + "</entry>\n"
        for line in lines
    )
    return (
        f"<?xml version='1.0' encoding='UTF-8'?>\n<feed {ARXIV} xmlns=\"http://www.w3.org/2005/Atom\" xml:lang=\"en-us\">\n"
        + element("id", link)
        + element("title", f"{', '.join(names)} updates on arXiv.org")
        + element("updated", built)
        + f'<link href={quoted(link)} rel="self" type="application/atom+xml"/>\n'
        + element("subtitle", f"{', '.join(names)} updates on the arXiv.org e-print archive.")
        + entries
        + "</feed>\n"
    )


def _error(today: dt.date, form: str, spec: str, message: str) -> Answer:
    """HTTP 400 with a feed whose title tells of the error."""
    link, dated = _address(form, spec), midnight_eastern(today)
    title = element("title", f"Feed error for query: {link}")
    if form == "rss":
        body = (
            "<?xml version='1.0' encoding='UTF-8'?>\n"
            '<rss xmlns:atom="http://www.w3.org/2005/Atom" version="2.0">\n<channel>\n'
            f"{title}{element('link', link)}{element('description', message)}{element('language', 'en-us')}"
            f"{element('pubDate', rfc822(dated))}</channel>\n</rss>\n"
        )
    else:
        body = (
            "<?xml version='1.0' encoding='UTF-8'?>\n<feed xmlns=\"http://www.w3.org/2005/Atom\" xml:lang=\"en-us\">\n"
            f'{element("id", link)}{title}{element("updated", dated.isoformat())}<link href={quoted(link)} rel="self"/>\n'
            f"<subtitle>{xml(message)}</subtitle>\n</feed>\n"
        )
    return Answer(body, TYPES[form], 400)
