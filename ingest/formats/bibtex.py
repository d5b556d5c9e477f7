r"""BibTeX as proceedings write it: entries of fields in balanced braces, in quotes or bare.

The next entry begins at a line with `@type{`, whatever is wrong with the one before; of one that is cut off, the fields before
the cut stay. Macros (`@string`) are not resolved.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from catalog.text import unaccent_tex

_START = re.compile(r"^[ \t]*@([A-Za-z]+)[ \t]*\{", re.M)
_KEY = re.compile(r"\s*([^\s,{}]+)\s*,")
_NAME = re.compile(r"[\s,]*([A-Za-z][\w:.+-]*)\s*=\s*")
_BARE = re.compile(r"[^\s,{}\"#]+")
_JOIN = re.compile(r"\s*#\s*")
_END = re.compile(r"[\s,]*\}")
_BRACE = re.compile(r"[{}]")
_UNESCAPED = re.compile(r"(?<!\\)[{}]")
_AND = re.compile(r"\s+and\s+")
_NO_ENTRIES = frozenset({"comment", "preamble", "string"})


@dataclass(frozen=True, slots=True)
class BibEntry:
    """An entry: its type and the names of its fields in lower case, values without their outer braces or quotes."""

    type: str
    key: str
    fields: Mapping[str, str]
    cut: bool = False  # it does not end as it should: fields may be missing


def read_bibtex(text: str) -> tuple[tuple[BibEntry, ...], int]:
    """The entries, and how many have no key or no field that is whole."""
    starts = [m for m in _START.finditer(text) if m[1].lower() not in _NO_ENTRIES]
    entries: list[BibEntry] = []
    for i, start in enumerate(starts):
        end = starts[i + 1].start() if i + 1 < len(starts) else len(text)
        key = _KEY.match(text, start.end(), end)
        if key is None:
            continue
        rest = text[key.end() : end]
        # BibTeX counts escaped braces as well; who wrote one without its partner did not know.
        fields, whole = _fields(rest, _BRACE)
        if not whole:
            more, whole = _fields(rest, _UNESCAPED)
            fields = more if whole else fields
        if fields or whole:
            entries.append(BibEntry(start[1].lower(), key[1], fields, not whole))
    return tuple(entries), len(starts) - len(entries)


def plain(text: str) -> str:
    """A field as a person writes it: TeX accents as letters, without the braces that keep capitals; LaTeX in `$…$` stays."""
    parts = unaccent_tex(text).split("$")
    return "$".join(part if i % 2 else _UNESCAPED.sub("", part) for i, part in enumerate(parts))


def people(field: str) -> tuple[str, ...]:
    """The names of an `author` field in order: `Last, First` and `Last, Jr, First` turned around."""
    names = (_turned(name) for name in _split(field.strip()))
    return tuple(n for n in names if n and n != "others")


def _fields(text: str, braces: re.Pattern[str]) -> tuple[dict[str, str], bool]:
    """The fields that are whole, and True when the entry ends as it should."""
    fields: dict[str, str] = {}
    at = 0
    while name := _NAME.match(text, at):
        value, at = _value(text, name.end(), braces)
        if at < 0:
            return fields, False
        fields.setdefault(name[1].lower(), value)
    return fields, bool(_END.match(text, at))


def _value(text: str, at: int, braces: re.Pattern[str]) -> tuple[str, int]:
    """The value that begins at `at`, its parts joined, and where it ends; -1 when it does not."""
    parts: list[str] = []
    while True:
        part, at = _part(text, at, braces)
        parts.append(part)
        more = _JOIN.match(text, at) if at > 0 else None
        if more is None:
            return "".join(parts), at
        at = more.end()


def _part(text: str, at: int, braces: re.Pattern[str]) -> tuple[str, int]:
    if text.startswith("{", at):
        stop = _closing(text, at, braces)
    elif text.startswith('"', at):
        stop = _quote(text, at)
    else:
        bare = _BARE.match(text, at)
        return (bare[0], bare.end()) if bare else ("", -1)
    return (text[at + 1 : stop], stop + 1) if stop > 0 else ("", -1)


def _closing(text: str, at: int, braces: re.Pattern[str]) -> int:
    """Where the brace that opens at `at` is closed; -1 when it is not."""
    depth = 0
    for m in braces.finditer(text, at):
        depth += 1 if m[0] == "{" else -1
        if depth == 0:
            return m.start()
    return -1


def _quote(text: str, at: int) -> int:
    """Where the quoted value that begins at `at` ends: a quote inside braces does not end it; -1 when nothing does."""
    depth = 0
    for i in range(at + 1, len(text)):
        if text[i] == '"' and depth == 0:
            return i
        depth += {"{": 1, "}": -1}.get(text[i], 0)
    return -1


def _split(field: str) -> list[str]:
    """The field at each `and` outside braces."""
    out: list[str] = []
    start = 0
    for m in _AND.finditer(field):
        before = field[start : m.start()]
        if before.count("{") == before.count("}"):
            out.append(before)
            start = m.end()
    return [*out, field[start:]]


def _turned(name: str) -> str:
    parts = [" ".join(plain(p).split()) for p in name.split(",")]
    if len(parts) == 1:
        return parts[0]
    last, *suffix, first = parts
    return " ".join(p for p in (first, last, *suffix) if p)
