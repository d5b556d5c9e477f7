"""Lists of items in the forms that other programs read: feeds, bibliographies, tables, lines. Pure; same items, same bytes.

What strangers wrote is made harmless for each form: XML by its writer, BibTeX and RIS by their own marks, cells that a
spreadsheet would run as formulas by a quote before them.
"""

from __future__ import annotations

import csv
import io
import json
import re
import unicodedata
import xml.etree.ElementTree as ET
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from email.utils import format_datetime
from typing import Any

from app import shapes
from app.phrases import one_line, safe_url
from catalog.entries import Kind
from catalog.items import Item

#: Name on the path, and media type.
MEDIA: Mapping[str, str] = {
    "atom": "application/atom+xml; charset=utf-8",
    "rss": "application/rss+xml; charset=utf-8",
    "json": "application/feed+json",
    "bib": "application/x-bibtex; charset=utf-8",
    "ris": "application/x-research-info-systems; charset=utf-8",
    "csv": "text/csv; charset=utf-8",
    "jsonl": "application/x-ndjson; charset=utf-8",
}
COLUMNS = ("id", "kind", "title", "authors", "url", "venue", "announced", "topics", "arxiv", "doi", "withdrawn")

_ATOM = "http://www.w3.org/2005/Atom"
_NO_XML = re.compile("[\ufdd0-\ufdef\ufffe\uffff]")
_TEX = {
    "\\": r"\textbackslash{}", "{": r"\textbraceleft{}", "}": r"\textbraceright{}", "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}", **{c: f"\\{c}" for c in "$&%#_"},
}  # fmt: skip
_TEX_MARKS = re.compile(r"[\\{}~^$&%#_]")
_AND = re.compile(r"\band\b|,", re.I)  # between names BibTeX reads it as the next name, and a comma as "family, given"
_FORMULA = ("=", "+", "-", "@")


@dataclass(frozen=True, slots=True)
class Feed:
    """What a feed says of itself. Addresses are whole; `next` is "" on the last page."""

    title: str
    home: str  # the page for readers
    address: str  # of this feed, without cursor: also its identifier
    updated: datetime  # of a feed without items
    base_url: str
    next: str = ""


def feed(format: str, items: Iterable[Item], about: Feed) -> bytes:
    """The items as `atom`, `rss` or `json`; they must be filled with summaries."""
    return {"atom": _atom, "rss": _rss, "json": _json_feed}[format](list(items), about)


def lines(format: str, items: Iterable[Item]) -> Iterator[str]:
    """The items as `bib`, `ris`, `csv`, `csl` or `jsonl`, piece by piece; they must be filled whole.

    RIS and CSV end their lines with CR and LF, as their descriptions say.
    """
    if format == "csv":
        yield _row(COLUMNS)
    elif format == "csl":
        yield from _array(json.dumps(csl(item), ensure_ascii=False) for item in items)
        return
    forms: dict[str, Callable[[Item], str]] = {
        "bib": bibtex,
        "ris": ris,
        "csv": lambda item: _row(_cells(item)),
        "jsonl": lambda item: json.dumps(shapes.whole(item), ensure_ascii=False) + "\n",
    }
    for item in items:
        yield forms[format](item)


# ------------------------------------------------------------------ feeds
def _atom(items: list[Item], about: Feed) -> bytes:
    """RFC 4287, with the next page as RFC 5005 says."""
    root = ET.Element("feed", {"xmlns": _ATOM})
    _put(root, "title", about.title)
    _put(root, "id", about.address)
    _put(root, "updated", _rfc3339(max((_updated(i) for i in items), default=about.updated)))
    ET.SubElement(root, "link", {"rel": "self", "type": "application/atom+xml", "href": about.address})
    ET.SubElement(root, "link", {"rel": "alternate", "type": "text/html", "href": about.home})
    if about.next:
        ET.SubElement(root, "link", {"rel": "next", "type": "application/atom+xml", "href": about.next})
    _put(ET.SubElement(root, "author"), "name", "Skillfeed")
    for item in items:
        entry = ET.SubElement(root, "entry")
        _put(entry, "title", item.title)
        _put(entry, "id", _page(item, about))
        ET.SubElement(entry, "link", {"rel": "alternate", "type": "text/html", "href": _link(item, about)})
        _put(entry, "published", _rfc3339(_midnight(item.announced)))
        _put(entry, "updated", _rfc3339(_updated(item)))
        for name in item.authors:
            _put(ET.SubElement(entry, "author"), "name", name)
        for tag in item.topics:
            ET.SubElement(entry, "category", {"term": tag.topic})
        if item.summary:
            _put(entry, "summary", item.summary)
    return _xml(root)


def _rss(items: list[Item], about: Feed) -> bytes:
    """RSS 2.0 with the authors of Dublin Core: `author` of RSS itself wants mail addresses."""
    root = ET.Element("rss", {"version": "2.0", "xmlns:atom": _ATOM, "xmlns:dc": "http://purl.org/dc/elements/1.1/"})
    channel = ET.SubElement(root, "channel")
    _put(channel, "title", about.title)
    _put(channel, "link", about.home)
    _put(channel, "description", about.title)
    _put(channel, "lastBuildDate", _rfc822(max((_updated(i) for i in items), default=about.updated)))
    ET.SubElement(channel, "atom:link", {"rel": "self", "type": "application/rss+xml", "href": about.address})
    if about.next:
        ET.SubElement(channel, "atom:link", {"rel": "next", "type": "application/rss+xml", "href": about.next})
    for item in items:
        entry = ET.SubElement(channel, "item")
        _put(entry, "title", item.title)
        _put(entry, "link", _link(item, about))
        _put(entry, "guid", _page(item, about)).set("isPermaLink", "true")
        _put(entry, "pubDate", _rfc822(_midnight(item.announced)))
        for name in item.authors:
            _put(entry, "dc:creator", name)
        for tag in item.topics:
            _put(entry, "category", tag.topic)
        if item.summary:
            # Readers take a description for HTML: escaped once as text, once as XML.
            _put(entry, "description", _html(item.summary))
    return _xml(root)


def _json_feed(items: list[Item], about: Feed) -> bytes:
    """JSON Feed 1.1."""
    out: dict[str, Any] = {
        "version": "https://jsonfeed.org/version/1.1",
        "title": about.title,
        "home_page_url": about.home,
        "feed_url": about.address,
    }
    if about.next:
        out["next_url"] = about.next
    out["items"] = [
        {
            "id": _page(item, about),
            "url": _link(item, about),
            "title": one_line(item.title),
            "content_text": one_line(item.summary) or one_line(item.title),
            "date_published": _rfc3339(_midnight(item.announced)),
            "date_modified": _rfc3339(_updated(item)),
            "authors": [{"name": one_line(name)} for name in item.authors],
            "tags": [tag.topic for tag in item.topics],
        }
        for item in items
    ]
    return shapes.dump(out)


# ------------------------------------------------------------------ bibliographies
def bibtex(item: Item) -> str:
    """One BibTeX entry in UTF-8. Names and titles stand in braces of their own where BibTeX would read them otherwise."""
    ids = dict(reversed(item.identifiers))  # the first of a scheme
    fields = {
        "title": f"{{{_tex(item.title)}}}",
        "author": " and ".join(f"{{{_tex(n)}}}" if _AND.search(n) else _tex(n) for n in item.authors),
        "year": str(item.announced.year),
        "month": str(item.announced.month),
        "booktitle": _tex(item.venue),
        "doi": _tex(ids.get("doi", "")),
        "eprint": ids.get("arxiv", ""),
        "archiveprefix": "arXiv" if "arxiv" in ids else "",
        "url": _tex_url(item.url),
    }
    told = "".join(f"  {name} = {{{value}}},\n" for name, value in fields.items() if value)
    return f"@{'inproceedings' if _in_proceedings(item) else 'misc'}{{{_key(item)},\n{told}}}\n\n"


def ris(item: Item) -> str:
    """One RIS record."""
    ids = dict(reversed(item.identifiers))
    pairs = [("TY", "CONF" if _in_proceedings(item) else "GEN"), ("ID", item.id), ("TI", item.title)]
    pairs += [("AU", ", ".join(part for part in family_given(name) if part)) for name in item.authors]
    pairs += [("PY", str(item.announced.year)), ("DA", item.announced.strftime("%Y/%m/%d")), ("T2", item.venue)]
    pairs += [("DO", ids.get("doi", "")), ("UR", safe_url(item.url)), ("AB", item.summary)]
    told = "".join(f"{tag}  - {one_line(value)}\r\n" for tag, value in pairs if value)
    return f"{told}ER  - \r\n\r\n"


def csl(item: Item) -> dict[str, Any]:
    """One item of CSL-JSON, as Zotero and pandoc read it."""
    ids = dict(reversed(item.identifiers))
    day = item.announced
    out: dict[str, Any] = {
        "id": item.id,
        "type": "paper-conference" if _in_proceedings(item) else "article" if item.kind is Kind.PAPER else "webpage",
        "title": one_line(item.title),
        "author": [
            {"family": family, "given": given} if given else {"literal": family}
            for family, given in map(family_given, item.authors)
        ],
        "issued": {"date-parts": [[day.year, day.month, day.day]]},
    }
    more = {
        "container-title": one_line(item.venue),
        "DOI": ids.get("doi", ""),
        "URL": safe_url(item.url),
        "abstract": one_line(item.summary),
        "number": f"arXiv:{ids['arxiv']}" if "arxiv" in ids else "",
    }
    return out | {name: value for name, value in more.items() if value}


def family_given(name: str) -> tuple[str, str]:
    """A name's family and given part: the family begins at the first small word (van, de la), else is the last word.

    A name of one word, or one that holds a comma already, is all family.
    """
    words = one_line(name).split()
    if len(words) < 2 or "," in name:
        return " ".join(words).replace(",", ""), ""
    start = next((n for n, word in enumerate(words[1:-1], 1) if word.islower()), len(words) - 1)
    return " ".join(words[start:]), " ".join(words[:start])


# ------------------------------------------------------------------ small things
def _cells(item: Item) -> list[str]:
    ids = dict(reversed(item.identifiers))
    cells = [
        item.id, item.kind.value, item.title, "; ".join(item.authors), item.url, item.venue, item.announced.isoformat(),
        " ".join(t.topic for t in item.topics), ids.get("arxiv", ""), ids.get("doi", ""), "withdrawn" if item.withdrawn else "",
    ]  # fmt: skip
    plain = (one_line(cell) for cell in cells)
    return [f"'{cell}" if cell.startswith(_FORMULA) else cell for cell in plain]


def _row(cells: Iterable[str]) -> str:
    out = io.StringIO()
    csv.writer(out).writerow(cells)
    return out.getvalue()


def _array(parts: Iterable[str]) -> Iterator[str]:
    before = "[\n"
    for part in parts:
        yield before + part
        before = ",\n"
    yield "[]\n" if before == "[\n" else "\n]\n"


def _key(item: Item) -> str:
    """A key to cite by that people can read and no other item has."""
    family = family_given(item.authors[0])[0] if item.authors else item.kind.value
    plain = unicodedata.normalize("NFKD", family).encode("ascii", "ignore").decode()
    return f"{re.sub(r'[^A-Za-z]', '', plain).lower() or 'item'}{item.announced.year}-{item.id}"


def _in_proceedings(item: Item) -> bool:
    return item.kind is Kind.PAPER and bool(item.venue)


def _tex(text: str) -> str:
    return _TEX_MARKS.sub(lambda m: _TEX[m[0]], one_line(text))


def _tex_url(url: str) -> str:
    """An address within braces: BibTeX's `url` is taken as it stands, so its own marks are percent-encoded."""
    return safe_url(url).replace("{", "%7B").replace("}", "%7D")


def _put(parent: ET.Element, name: str, text: str) -> ET.Element:
    child = ET.SubElement(parent, name)
    child.text = _NO_XML.sub("", one_line(text))
    return child


def _xml(root: ET.Element) -> bytes:
    text: str = ET.tostring(root, encoding="unicode")
    return f'<?xml version="1.0" encoding="utf-8"?>\n{text}\n'.encode()


def _html(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _page(item: Item, about: Feed) -> str:
    return f"{about.base_url}/items/{item.id}"


def _link(item: Item, about: Feed) -> str:
    return safe_url(item.url) or _page(item, about)


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), UTC)


def _updated(item: Item) -> datetime:
    return max(item.updated or _midnight(item.announced), _midnight(item.announced))


def _rfc3339(at: datetime) -> str:
    return shapes.instant(at) or ""


def _rfc822(at: datetime) -> str:
    return format_datetime(at.astimezone(UTC), usegmt=True)
