"""XML as it comes: decoded, its entities mended, and what is still broken cut down to the blocks that are whole.

A document that is well-formed is left alone. DOCTYPE is refused: no format of ours has one, and entity bombs need one.
"""

from __future__ import annotations

import codecs
import html
import re
from dataclasses import dataclass

from lxml import etree

from catalog.errors import ParseError

_PARSER = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False, remove_comments=True)
_ENTITY = re.compile(r"&(?!(?:amp|lt|gt|quot|apos);|#\d{1,7};|#x[0-9a-fA-F]{1,6};)([A-Za-z][A-Za-z0-9]{0,31};)?")
_REFERENCE = re.compile(r"&#(?:(\d{1,7})|x([0-9a-fA-F]{1,6}));")
_TAG = re.compile(r"<(/?)([A-Za-z][\w:.-]*)(?:\s[^<>]*)?(?<!/)>")
_DEPTH = 50  # elements around a block; ours have up to three
_CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")
_DECLARATION = re.compile(r"^\s*<\?xml[^>]*\?>")


@dataclass(frozen=True, slots=True)
class Document:
    """A well-formed document, or the whole blocks of one that is not."""

    root: etree._Element
    lost: int  # blocks that were not whole
    damage: str  # "" for a sound document, else one line
    mended: bool = False  # nothing is missing, but entities or the encoding had to be mended: titles may not be as they were


def read_xml(body: bytes, block: str) -> Document:
    """The document of the bytes; `block` is the element (`item`, `record`) that is kept or lost as a whole.

    Raises ParseError.
    """
    head = body[:2000].lstrip()
    if not body.strip():
        raise ParseError("empty-body", "the answer is empty")
    lowered = head[:500].lower()
    if lowered.startswith((b"<!doctype html", b"<html")):
        raise ParseError("html", "an HTML page came instead of XML")
    if not head.startswith(b"<") and not head.startswith(b"\xef\xbb\xbf"):
        raise ParseError("not-xml", f"something else came instead of XML: {head[:40].decode('latin-1')!a}")
    if b"<!DOCTYPE" in head or b"<!ENTITY" in head:
        raise ParseError("doctype", "the XML declares a DOCTYPE, which is refused")
    try:
        root = etree.fromstring(body, _PARSER)
    except (etree.XMLSyntaxError, ValueError) as error:
        damage = f"the XML is broken: {str(error)[:160]}"
    else:
        _refuse_doctype(root)
        return Document(root, 0, "")
    text = _REFERENCE.sub(_character, _ENTITY.sub(_mend, _CONTROL.sub("", _decode(body))))
    text = _DECLARATION.sub("", text, count=1)
    root = _parse(text)
    if root is not None:
        _refuse_doctype(root)
        return Document(root, 0, "", mended=True)
    return _salvage(text, block, damage)


def _salvage(text: str, block: str, damage: str) -> Document:
    """The envelope with those blocks that are well-formed by themselves.

    `damage` is "" when nothing but the lost blocks is missing: what follows the last block is whole as well.
    """
    starts = [m.start() for m in re.finditer(rf"<{block}(?=[\s>])", text)]
    if not starts:
        raise ParseError("broken-xml", damage)
    opening = text[: starts[0]]
    around = _open_tags(opening, damage)
    shell, closing = "".join(tag for _, tag in around), "".join(f"</{name}>" for name, _ in reversed(around))
    whole: list[str] = []
    lost, gap, tail = 0, False, ""
    for start, end in zip(starts, [*starts[1:], len(text)], strict=True):
        stop = text.find(f"</{block}>", start, end)
        stop = stop + len(block) + 3 if stop >= 0 else end
        if _parse(shell + text[start:stop] + closing) is not None:
            whole.append(text[start:stop])
        else:
            lost += 1
        tail = text[stop:end]
        gap = gap or (end < len(text) and bool(tail.strip()))
    blocks = opening + "".join(whole)
    root = _parse(blocks + tail)
    if root is not None and not gap:
        return Document(root, lost, "")
    root = _parse(blocks + closing)
    if root is None:
        raise ParseError("broken-xml", damage)
    _refuse_doctype(root)
    return Document(root, lost, damage)


def _open_tags(text: str, damage: str) -> list[tuple[str, str]]:
    """Names and whole start tags of the elements that the text leaves open; raises ParseError when they are nested absurdly."""
    around: list[tuple[str, str]] = []
    for m in _TAG.finditer(text):
        if not m[1]:
            around.append((m[2], m[0]))
        elif any(name == m[2] for name, _ in around):
            while around.pop()[0] != m[2]:
                pass
        if len(around) > _DEPTH:
            raise ParseError("broken-xml", damage)
    return around


def _parse(text: str) -> etree._Element | None:
    try:
        return etree.fromstring(text.encode("utf-8", "replace"), _PARSER)
    except etree.XMLSyntaxError:
        return None


def _decode(body: bytes) -> str:
    """UTF-8, single bytes that are none as Windows-1252: pages are put together from parts of different origin."""
    return body.decode("utf-8-sig", "skillfeed.cp1252")


def _cp1252(error: UnicodeError) -> tuple[str, int]:
    """The bytes that are no UTF-8 as Windows-1252."""
    assert isinstance(error, UnicodeDecodeError)
    return error.object[error.start : error.end].decode("cp1252", "replace"), error.end


codecs.register_error("skillfeed.cp1252", _cp1252)


def _refuse_doctype(root: etree._Element) -> None:
    """One that stands where the first look does not reach, or in another encoding."""
    if root.getroottree().docinfo.internalDTD is not None:
        raise ParseError("doctype", "the XML declares a DOCTYPE, which is refused")


def _character(m: re.Match[str]) -> str:
    """A reference to a character that XML does not allow is left out, any other stays."""
    number = int(m[1]) if m[1] else int(m[2], 16)
    allowed = number in (9, 10, 13) or 0x20 <= number <= 0xD7FF or 0xE000 <= number <= 0xFFFD or 0x10000 <= number <= 0x10FFFF
    return m[0] if allowed else ""


def _mend(m: re.Match[str]) -> str:
    """An HTML entity becomes its character, an unknown one and a bare ampersand text."""
    if m[1]:
        known = html.unescape(m[0])
        if known != m[0] and len(known) <= 2 and known not in "<>&":
            return known
    return "&amp;" + (m[1] or "")
