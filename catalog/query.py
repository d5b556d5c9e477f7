"""The search text as a tree: words, "phrases", -minus, OR, title: and author:.

Pure; the engines' own syntax is made in `storage.search`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

from catalog.words import words_of

Field = Literal["any", "title", "author"]
_PART = re.compile(r'(-?)(?:(title|author):)?(?:"([^"]*)"?|(\S+))')


@dataclass(frozen=True, slots=True)
class Clause:
    """Words that stand together in this order, in a field or anywhere."""

    words: tuple[str, ...]
    field: Field = "any"


@dataclass(frozen=True, slots=True)
class Query:
    """All of `wanted` (of each group at least one clause), none of `refused`."""

    wanted: tuple[tuple[Clause, ...], ...]
    refused: tuple[Clause, ...] = ()


def parse_query(text: str) -> Query | None:
    """The query of a search text; None when it holds no word. Only refused words mean everything but them. Never raises."""
    wanted: list[tuple[Clause, ...]] = []
    refused: list[Clause] = []
    join = False
    for minus, field, phrase, word in _PART.findall(text):
        if word == "OR" and not minus and not field:
            join = bool(wanted)
            continue
        words = tuple(words_of(phrase or word))
        if not words:
            continue
        clause = Clause(words, field or "any")
        if minus:
            refused.append(clause)
        elif join:
            wanted[-1] = (*wanted[-1], clause)
        else:
            wanted.append((clause,))
        join = False
    return Query(tuple(wanted), tuple(refused)) if wanted or refused else None
