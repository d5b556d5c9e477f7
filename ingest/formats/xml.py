"""XML as it comes: decoded, its entities mended, and what is still broken cut down to the blocks that are whole.

A document that is well-formed is left alone. DOCTYPE is refused: no format of ours has one, and entity bombs need one.
"""

from __future__ import annotations

import html
import re
from dataclasses import dataclass

from lxml import etree

from catalog.errors import ParseError

_PARSER = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False, remove_comments=True)
_ENTITY = re.compile(r"&(?!(?:amp|lt|gt|quot|apos);|#\d{1,7};|#x[0-9a-fA-F]{1,6};)([A-Za-z][A-Za-z0-9]{0,31};)?")
_CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")
_DECLARATION = re.compile(r"^\s*<\?xml[^>]*\?>")


@dataclass(frozen=True, slots=True)
class Document:
    """A well-formed document, or the whole blocks of one that is not."""

    root: etree._Element
    text: str  # what `root` was made from, without XML declaration
    lost: int  # blocks that were not whole
    damage: str  # "" for a sound document, else one line


def read_xml(body: bytes, block: str) -> Document:
    """The document of the bytes; `block` is the element (`item`, `record`) that is kept or lost as a whole. Raises ParseError."""
    head = body[:2000].lstrip()
    if not body.strip():
        raise ParseError("empty-body", "the answer is empty")
    lowered = head[:500].lower()
    if lowered.startswith((b"<!doctype html", b"<html")):
        raise ParseError("html", "an HTML page came instead of XML")
    if not head.startswith(b"<") and not head.startswith(b"\xef\xbb\xbf"):
        raise ParseError("not-xml", f"something else came instead of XML: {ascii(head[:40].decode('latin-1'))}")
    if b"<!DOCTYPE" in head or b"<!ENTITY" in head:
        raise ParseError("doctype", "the XML declares a DOCTYPE, which is refused")
    try:
        root = etree.fromstring(body, _PARSER)
        return Document(root, _DECLARATION.sub("", body.decode("utf-8", "replace"), count=1), 0, "")
    except (etree.XMLSyntaxError, ValueError) as error:
        damage = f"the XML is broken: {str(error)[:160]}"
    text = _ENTITY.sub(_mend, _CONTROL.sub("", _decode(body)))
    text = _DECLARATION.sub("", text, count=1)
    root = _parse(text)
    if root is not None:
        return Document(root, text, 0, "")  # undefined entities or a wrong encoding only: nothing is missing
    return _salvage(text, block, damage)


def _salvage(text: str, block: str, damage: str) -> Document:
    """The envelope with those blocks that are well-formed by themselves."""
    starts = [m.start() for m in re.finditer(rf"<{block}(?=[\s>])", text)]
    if not starts:
        raise ParseError("broken-xml", damage)
    opening = _DECLARATION.sub("", text[: starts[0]])
    names = re.findall(r"<([A-Za-z][\w:.-]*)(?:\s[^<>]*)?(?<!/)>", opening)
    closed = re.findall(r"</([A-Za-z][\w:.-]*)\s*>", opening)
    for name in closed:
        if name in names:
            names.reverse()
            names.remove(name)
            names.reverse()
    closing = "".join(f"</{n}>" for n in reversed(names))
    whole: list[str] = []
    lost = 0
    for start, end in zip(starts, [*starts[1:], len(text)], strict=True):
        stop = text.find(f"</{block}>", start, end)
        piece = text[start : stop + len(block) + 3] if stop >= 0 else ""
        if piece and _parse(opening + piece + closing) is not None:
            whole.append(piece)
        else:
            lost += 1
    kept = opening + "".join(whole) + closing
    root = _parse(kept)
    if root is None:
        raise ParseError("broken-xml", damage)
    return Document(root, kept, lost, damage)


def _parse(text: str) -> etree._Element | None:
    try:
        return etree.fromstring(text.encode("utf-8", "replace"), _PARSER)
    except etree.XMLSyntaxError:
        return None


def _decode(body: bytes) -> str:
    """UTF-8, else Windows-1252, which feeds mean when they say UTF-8 and are not."""
    try:
        return body.decode("utf-8-sig")
    except UnicodeDecodeError:
        return body.decode("cp1252", "replace")


def _mend(m: re.Match[str]) -> str:
    """An HTML entity becomes its character, an unknown one and a bare ampersand text."""
    if m[1]:
        known = html.unescape(m[0])
        if known != m[0] and len(known) <= 2 and known not in "<>&":
            return known
    return "&amp;" + (m[1] or "")
