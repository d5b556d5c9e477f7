"""HTML as it comes: decoded, parsed without limits lifted, and what shows that it came damaged.

libxml2 reads any bytes as HTML, so that a broken page would pass for a short one. Two things tell: a page that does not end,
and attributes whose names no author writes, which is what a stray `<` makes of the text after it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any
from urllib.parse import urljoin, urlsplit

import lxml.html
from lxml import etree

import ingest.formats.xml  # noqa: F401 - registers skillfeed.cp1252, by which bytes that are no UTF-8 are read
from catalog.errors import ParseError

_NAME = re.compile(r"[A-Za-z_:@][\w:.@-]*")
_END = re.compile(rb"</(?:html|body)\s*>", re.I)
_TAIL = 4000  # bytes at the end in which a page says that it ends; scripts and comments may follow


@dataclass(frozen=True, slots=True)
class Document:
    """A page."""

    root: Any  # lxml element
    damage: str  # "" for a sound page, else one line
    whole: bool = True  # False: something is missing, not only odd


def read_html(body: bytes) -> Document:
    """The page that a body holds; raises ParseError when it holds something else."""
    head = body[:2000].lstrip(b"\xef\xbb\xbf \t\r\n")
    if not body.strip():
        raise ParseError("empty-body", "the answer is empty")
    if not head.startswith(b"<"):
        raise ParseError("no-html", f"something else came instead of a page: {head[:40].decode('latin-1')!a}")
    if b"<!ENTITY" in head:
        raise ParseError("doctype", "the page declares entities, which is refused")
    text = body.decode("utf-8-sig", "skillfeed.cp1252")
    parser = lxml.html.HTMLParser(encoding="utf-8", huge_tree=False, remove_comments=True, remove_pis=True)
    try:
        root = lxml.html.document_fromstring(text.encode("utf-8"), parser=parser)
    except (etree.LxmlError, ValueError) as error:
        raise ParseError("no-html", f"the page cannot be read: {str(error)[:120]}") from None
    if parser.error_log.filter_from_fatals():
        damage = "the page is nested too deeply or has too long a text: it could not be read to its end"
        return Document(root, damage, whole=False)
    if not _END.search(body[-_TAIL:]):
        return Document(root, "the page is cut off", whole=False)
    return Document(root, _oddity(root))


def _oddity(root: Any) -> str:
    for node in root.iter():
        for name in node.keys():  # noqa: SIM118 - an element is no mapping
            if not _NAME.fullmatch(name):
                return f"the markup is broken at line {node.sourceline}"
    return ""


def path_of(href: str, base: str, hosts: frozenset[str]) -> str:
    """Path and query of a link on one of the hosts, resolved against the page's own address; "" for any other link."""
    try:
        parts = urlsplit(urljoin(base, href.strip()))
        host = parts.hostname or ""
    except ValueError:
        return ""
    if parts.scheme not in ("http", "https") or host not in hosts:
        return ""
    return f"{parts.path}?{parts.query}" if parts.query else parts.path


def text_of(node: Any) -> str:
    """The text of an element, without what surrounds it."""
    return str(node.text_content())


def metas(root: Any, name: str) -> list[str]:
    """The contents of the page's `meta` elements of a name, in order."""
    return [m.get("content") or "" for m in root.iter("meta") if (m.get("name") or "").lower() == name]
