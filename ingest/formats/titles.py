"""Titles of a file in which titles hold no markup: many that do are a sign that the file was damaged on its way."""

from __future__ import annotations

import re
from dataclasses import dataclass

from catalog.text import TITLE_LIMIT, clean_line

_MARKUP = re.compile(r"</?(?:a|b|i|p|br|div|em|font|iframe|img|script|span|strong|style|su[bp])\b[^<>]*>", re.I)
_FEW = 3  # titles with markup that a file may hold for reasons of its own
_SHARE = 0.02  # of all its titles, likewise


@dataclass(slots=True)
class Titles:
    """Cleans titles and counts those with markup."""

    seen: int = 0
    marked: int = 0

    def clean(self, said: str) -> str:
        """The title; "" for none and for what is longer than any title is."""
        if len(said) > TITLE_LIMIT:
            return ""
        self.seen += 1
        self.marked += bool(_MARKUP.search(said))
        return clean_line(said)

    @property
    def damage(self) -> str:
        """One line, or "" when the titles look as they should."""
        few = self.marked <= max(_FEW, _SHARE * self.seen)
        return "" if few else f"{self.marked} of {self.seen} titles hold markup"
