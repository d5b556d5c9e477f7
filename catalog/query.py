"""The search text as a tree: words, "phrases", -minus, OR, title:, author: and venue:.

Pure; the engines' own syntax is made in `storage.search`.
"""

from __future__ import annotations

import dataclasses
import re
from dataclasses import dataclass, replace
from typing import Literal

from catalog.venues import asked_name
from catalog.words import words_of

Field = Literal["any", "title", "author", "venue", "term"]
_PART = re.compile(r'(-?)(?:(title|author|venue):)?(?:"([^"]*)"?|(\S+))')


@dataclass(frozen=True, slots=True)
class Clause:
    """Words that stand together in this order, in a field or anywhere; of a venue or a term of the index its whole name."""

    words: tuple[str, ...]
    field: Field = "any"
    said: str = dataclasses.field(default="", compare=False)  # as typed, without quotes


@dataclass(frozen=True, slots=True)
class Query:
    """All of `wanted` (of each group at least one clause), none of `refused`."""

    wanted: tuple[tuple[Clause, ...], ...]
    refused: tuple[Clause, ...] = ()
    without: tuple[tuple[Clause, ...], ...] = ()  # nothing that meets all of these groups

    @property
    def clauses(self) -> tuple[Clause, ...]:
        """All clauses that are wanted."""
        return tuple(clause for group in self.wanted for clause in group)


def parse_query(text: str) -> Query | None:
    """The query of a search text; None when it holds no word. Only refused words mean everything but them. Never raises."""
    wanted: list[tuple[Clause, ...]] = []
    refused: list[Clause] = []
    join = False
    for minus, name, phrase, word in _PART.findall(text):
        if word == "OR" and not minus and not name:
            join = bool(wanted)
            continue
        said = phrase or word
        words = tuple(words_of(said))
        if not words:
            continue
        clause = Clause((asked_name(said),) if name == "venue" else words, name or "any", said)
        if minus:
            refused.append(clause)
        elif join:
            wanted[-1] = (*wanted[-1], clause)
        else:
            wanted.append((clause,))
        join = False
    return Query(tuple(wanted), tuple(refused)) if wanted or refused else None


def tiers(query: Query) -> tuple[Query, ...]:
    """The query in parts of falling relevance that share nothing: all words in the title, some of them, none.

    Words that were to stand in a field anyway do not count; without others there is one tier.
    """
    free = tuple(replace(c, field="title") for c in query.clauses if c.field == "any")
    if not free:
        return (query,)
    titled = tuple(tuple(replace(c, field="title") if c.field == "any" else c for c in group) for group in query.wanted)
    some = replace(query, wanted=(*query.wanted, free), without=titled)
    return replace(query, wanted=titled), some, replace(query, refused=(*query.refused, *free))
