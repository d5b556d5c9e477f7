"""YAML as text: every scalar stays the string that it is written as, so that a person whose name is `No` keeps it.

Nothing is constructed: values are put together from the parser's events. Collections with an anchor are refused, as bombs of
references need them; scalars may have one (Jekyll writes the first day of a meeting as `&1 2024-11-06` and repeats it as `*1`).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

import yaml

from catalog.errors import ParseError

_LOADER = getattr(yaml, "CBaseLoader", yaml.BaseLoader)  # libyaml is ten times as fast where it is there
_DEPTH = 12  # collections inside each other; ours have up to five
#: What YAML 1.2 (5.1) does not allow. A stray one must not cost the file.
_FORBIDDEN = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x84\x86-\x9f\ud800-\udfff\ufffe\uffff]")
_BREAKS = re.compile("[\x85\u2028\u2029]")  # line ends to YAML 1.1, in the middle of an abstract no end of anything
_STRAY = re.compile("[\udc80-\udcff]")


@dataclass(slots=True)
class _Open:
    """A collection that is being read."""

    value: list[Any] | dict[str, Any]
    key: str | None = None  # of a mapping, waiting for its value

    def add(self, value: Any) -> None:
        if isinstance(self.value, list):
            self.value.append(value)
        elif self.key is not None:
            self.value[self.key] = value
            self.key = None
        elif isinstance(value, str):
            self.key = value
        else:
            raise ParseError("broken-yaml", "a key of the YAML is no text")


def decode(body: bytes) -> tuple[str, bool]:
    """The text of the bytes, and True when some are no UTF-8: those are read as Windows-1252."""
    text = body.decode("utf-8-sig", "surrogateescape")
    mended = _STRAY.sub(lambda m: bytes([ord(m[0]) - 0xDC00]).decode("cp1252", "replace"), text)
    return mended, mended != text


def read_yaml(text: str) -> list[Any]:
    """The documents of a stream, made of strings, lists and dicts with strings as keys.

    Raises ParseError for what is no YAML, refers to collections or is nested absurdly.
    """
    documents: list[Any] = []
    scalars: dict[str, str] = {}
    stack: list[_Open] = []

    def add(value: Any) -> None:
        if stack:
            stack[-1].add(value)
        else:
            documents.append(value)

    try:
        for event in yaml.parse(_BREAKS.sub(" ", _FORBIDDEN.sub("", text)), Loader=_LOADER):
            if isinstance(event, yaml.ScalarEvent):
                if event.anchor:
                    scalars[event.anchor] = event.value
                add(event.value)
            elif isinstance(event, yaml.AliasEvent):
                if event.anchor not in scalars:
                    raise ParseError("yaml-reference", "the YAML refers to what is no text of its own")
                add(scalars[event.anchor])
            elif isinstance(event, yaml.CollectionStartEvent):
                if event.anchor:
                    raise ParseError("yaml-reference", "the YAML gives a collection an anchor, which is refused")
                if len(stack) == _DEPTH:
                    raise ParseError("broken-yaml", f"the YAML is nested deeper than {_DEPTH}")
                stack.append(_Open([] if isinstance(event, yaml.SequenceStartEvent) else {}))
            elif isinstance(event, yaml.CollectionEndEvent):
                add(stack.pop().value)
    except yaml.YAMLError as error:
        raise ParseError("broken-yaml", f"the YAML is broken: {' '.join(str(error).split())[:160]}") from None
    return documents
