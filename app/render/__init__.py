"""Render: a digest as plain text, Markdown, a standalone HTML document or plain data. The same digest gives the same bytes.

What strangers wrote becomes harmless here, where it enters a format: HTML is escaped, Markdown's marks are escaped, text stays
on its line, addresses are http or https or left out.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from datetime import date
from functools import cache, lru_cache
from itertools import groupby
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import jinja2
from markupsafe import Markup

from app import phrases
from app.digests import Digest, PartReceipt, Pick, Receipt
from app.shapes import card, news
from app.templating import environment
from catalog.errors import UnknownName
from catalog.filters import Filter

FORMATS = ("text", "html", "md", "json")
_GAPS_SHOWN = 8
_MARKS = re.compile(r"[\\`*_\[\]<>&|~#!@$]|:(?=//)|(?<=www)\.", re.I)


def render(digest: Digest, format: str, base_url: str) -> str:
    """The digest in one of `FORMATS`, with links to the instance at `base_url`; raises UnknownName for another format."""
    if format == "text":
        return as_text(digest, base_url)
    if format == "md":
        return as_markdown(digest, base_url)
    if format == "html":
        return as_html(digest, base_url)
    if format == "json":
        return json.dumps(as_json(digest, base_url), ensure_ascii=False, allow_nan=False, indent=1) + "\n"
    raise UnknownName("format", format, FORMATS)


def as_json(digest: Digest, base_url: str) -> dict[str, Any]:
    """The digest as plain data; each item is its card, `page` where it is read here, and score, parts, why, late, news."""
    return {
        "period": digest.period.name,
        "filter": _filter_data(digest.filter),
        "sections": [{"topic": s.topic.slug, "items": [_pick_data(p, base_url) for p in s.items]} for s in digest.sections],
        "receipt": digest.receipt.as_dict(),
    }


def as_text(digest: Digest, base_url: str) -> str:
    """Plain text: one line per title, nothing that a mail reader would fold by itself but long titles and reasons."""
    line = phrases.one_line
    out = [heading(digest), "=" * len(heading(digest)), "", summary(digest), ""]
    number = 0
    for section in digest.sections:
        out += [section.topic.name.upper(), ""]
        for pick in section.items:
            number += 1
            said = [*_said(pick), _page(pick, base_url), phrases.safe_url(pick.item.url)]
            out += [f"{number}. {line(pick.item.title)}", *(f"   {s}" for s in said if s), ""]
    out += [*receipt_lines(digest.receipt), "", f"The page of this period: {week_url(digest, base_url)}"]
    return "\n".join(out) + "\n"


def as_markdown(digest: Digest, base_url: str) -> str:
    """CommonMark; marks in what strangers wrote are escaped, so that it can hold neither links nor HTML."""
    out = [f"# {markdown_escape(heading(digest))}", "", markdown_escape(summary(digest)), ""]
    for section in digest.sections:
        out += [f"## {markdown_escape(section.topic.name)}", ""]
        for number, pick in enumerate(section.items, 1):
            title = f"[{markdown_escape(pick.item.title)}]({_page(pick, base_url)})"
            link = phrases.safe_url(pick.item.url).replace("(", "%28").replace(")", "%29")
            date_, *said = [markdown_escape(s) for s in _said(pick)]
            source = f" · [source]({link})" if link else ""
            out += [f"{number}. **{title}**  ", f"   {date_}{source}  ", *(f"   {s}  " for s in said)]
            out[-1] = out[-1].rstrip()
        out.append("")
    out += [f"- {markdown_escape(said)}" for said in receipt_lines(digest.receipt)]
    out += ["", f"[The page of this period]({week_url(digest, base_url)})"]
    return "\n".join(out) + "\n"


def as_html(digest: Digest, base_url: str, links: str = "") -> str:
    """A whole HTML document of one column, fit for mail: own style sheet inside, nothing remote, no script.

    `links` stands at its end as it is, on a line of its own.
    """
    return _environment().get_template("digest.html").render(
        digest=digest, heading=heading(digest), summary=summary(digest), lines=receipt_lines(digest.receipt),
        week_url=week_url(digest, base_url), base_url=base_url, entry=lambda pick: _entry(pick, base_url), links=Markup(links),  # noqa: S704 - our own
    )  # fmt: skip


def forget() -> None:
    """Write each item anew."""
    _entry.cache_clear()


@lru_cache(2048)
def _entry(pick: Pick, base_url: str) -> Markup:
    """One item as HTML, written once for however many digests hold it."""
    return Markup(_environment().get_template("item.html").render(pick=pick, page=_page(pick, base_url)).rstrip("\n"))  # noqa: S704 - escaped by its template


# ------------------------------------------------------------------ words that all formats share
def heading(digest: Digest) -> str:
    """The title of a digest: `Skillfeed: Week 5 of 2026, 26 Jan – 1 Feb 2026`."""
    name, days = phrases.period_name(digest.period), phrases.period_days(digest.period)
    return f"Skillfeed: {name}" + (f", {days}" if days != name else "")


def summary(digest: Digest) -> str:
    """One sentence on what the digest holds; a quiet period is said to be one."""
    asked = "; ".join(f"{name} {phrases.one_line(value)}" for name, value in digest.filter.parameters())
    about = f" for {asked}" if asked else ""
    if digest.quiet:
        held = f" {phrases.count(digest.receipt.items, 'item')} of other topics held." if digest.receipt.items else ""
        return f"A quiet period: nothing was announced{about}.{held}"
    chosen, sections = phrases.count(digest.size, "item"), phrases.count(len(digest.sections), "topic")
    return f"{chosen} in {sections}{about}; {phrases.count(digest.receipt.items, 'item')} held from this period."


def receipt_lines(receipt: Receipt) -> list[str]:
    """How complete the period is: per source and part, then the gaps by name. Parts overlap, so they are never added up."""
    out = []
    for source, parts in groupby(receipt.parts, key=lambda p: p.source):
        out.append(f"{phrases.source_name(source)}, held of announced: {', '.join(_part(p) for p in parts)}.")
    out += ["Gap: " + gap_line(g.source, g.part, g.day, g.missing, g.note) for g in receipt.gaps[:_GAPS_SHOWN]]
    if len(receipt.gaps) > _GAPS_SHOWN:
        out.append(f"{len(receipt.gaps) - _GAPS_SHOWN} more gaps stand on the status page.")
    return out or ["No announced batch of this period has been checked yet."]


def gap_line(source: str, part: str, day: date, missing: tuple[str, ...], note: str) -> str:
    """A gap in words: `arXiv cs.LG, Thu 29 Jan 2026: 2 missing (2601.00001, 2601.00002); the feed was short`."""
    said = []
    if missing:
        shown = ", ".join(phrases.one_line(k) for k in missing[:5]) + (", …" if len(missing) > 5 else "")
        said.append(f"{len(missing):,} missing ({shown})")
    if note:
        said.append(phrases.one_line(note))
    return f"{phrases.source_name(source)} {part}, {phrases.day(day)}: {'; '.join(said)}."


def markdown_escape(text: str) -> str:
    """Text on one line in which no mark of Markdown acts: no emphasis, code, link, image, HTML or automatic link."""
    escaped = _MARKS.sub(lambda m: "\\" + m[0], phrases.one_line(text))
    return re.sub(r"^(\d+)([.)])|^([-+=])", lambda m: f"{m[1]}\\{m[2]}" if m[1] else f"\\{m[3]}", escaped)


def sources_of(pick: Pick) -> list[str]:
    """Names of the sources that speak of the item, each once."""
    return list(dict.fromkeys(phrases.source_name(e.source) for e in pick.item.entries))


def week_url(digest: Digest, base_url: str) -> str:
    """The page of the same period and filter."""
    own = [(n, v) for n, v in digest.filter.parameters() if n not in ("since", "until")]
    return f"{base_url}/?{urlencode([('period', digest.period.name), *own])}"


def _said(pick: Pick) -> Iterator[str]:
    """Date, authors, sources, topics; then why; then the news."""
    item = pick.item
    about = "about " if item.estimated else ""
    meta = [about + phrases.day(item.announced), phrases.some_names(item.authors), item.venue, ", ".join(item.categories)]
    meta += [", ".join(sources_of(pick)), ", ".join(t.name for t in pick.topics)]
    yield " · ".join(phrases.one_line(m) for m in meta if m)
    yield f"Why: {phrases.one_line(pick.why)}" + ("; late" if pick.late else "")
    for told in pick.news:
        yield f"News of {phrases.short_day(told.day)}: {phrases.news_line(told)}"


def _page(pick: Pick, base_url: str) -> str:
    return f"{base_url}/items/{pick.item.id}"


def _part(p: PartReceipt) -> str:
    return f"{p.part} {p.held:,} of {p.announced:,}"


def _filter_data(filter: Filter) -> dict[str, Any]:
    out: dict[str, Any] = {}
    for name, value in filter.parameters():
        if name in ("since", "until", "q"):
            out[name] = value
        else:
            out.setdefault(name, []).append(value)
    return out


def _pick_data(pick: Pick, base_url: str) -> dict[str, Any]:
    return card(pick.item) | {
        "page": _page(pick, base_url),
        "score": pick.score,
        "parts": dict(pick.parts),
        "why": pick.why,
        "late": pick.late,
        "news": [news(n) for n in pick.news],
    }


@cache
def _environment() -> jinja2.Environment:
    return environment(Path(__file__).with_name("templates"), sources=sources_of)
