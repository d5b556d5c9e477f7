"""Text search: what differs between SQLite (FTS5) and PostgreSQL (tsvector and GIN) lives here and nowhere else.

Both index the same words (`catalog.words`), each in one of four fields: title, names, body, terms. `terms` holds the ids of the
item's topics, areas, kind, sources and categories, so that text with any filter is one look-up in one index.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, text

from catalog.query import Clause, Query
from catalog.words import words_of

_WEIGHTS = {"any": "ABD", "title": "A", "author": "B", "term": "C"}
_COLUMNS = {"any": "{title names body}", "title": "title", "author": "names", "term": "terms"}
# What a tsvector can hold binds both engines, so that they answer alike: places up to 16,383, and 255 of one word.
_PLACES = 255
_LAST_OWN = 16_381  # words further back share the last place: found, but in no phrase
_TERM, _SHARED = 16_382, 16_383
_GAP = 50  # between fields, so that no phrase spans two
_FILLER = "·"  # on SQLite, stands for a word whose place is not kept; never a word itself, so no query finds it


@dataclass(frozen=True, slots=True)
class Indexed:
    """What the index holds of one item."""

    position: int
    title: str
    names: str
    body: str
    terms: tuple[int, ...]


def replace(db: Connection, removed: Sequence[Indexed], added: Sequence[Indexed]) -> None:
    """Take rows out of the index and put others in. FTS5 without content needs the old words to remove a row."""
    if db.dialect.name == "sqlite":
        if removed:
            db.execute(
                text(
                    "INSERT INTO search (search, rowid, title, names, body, terms) "
                    "VALUES ('delete', :p, :title, :names, :body, :terms)"
                ),
                [_row(r) for r in removed],
            )
        if added:
            db.execute(
                text("INSERT INTO search (rowid, title, names, body, terms) VALUES (:p, :title, :names, :body, :terms)"),
                [_row(r) for r in added],
            )
        return
    if removed:
        db.execute(text("DELETE FROM search WHERE position = :p"), [{"p": r.position} for r in removed])
    if added:
        db.execute(
            text("INSERT INTO search (position, words) VALUES (:p, CAST(:words AS tsvector))"),
            [{"p": r.position, "words": _vector(r)} for r in added],
        )


def matching(query: Query, groups: Iterable[Sequence[int]], *, sqlite: bool) -> tuple[str, str, list[str]]:
    """A condition on `search`, its column of positions, and the condition's values; of each group one term is to be met."""
    if sqlite:
        return "search MATCH ?", "search.rowid", [_fts(query, groups)]
    return "search.words @@ CAST(? AS tsquery)", "search.position", [_tsquery(query, groups)]


def _row(r: Indexed) -> dict[str, object]:
    fields = [words_of(r.title), words_of(r.names), words_of(r.body)]
    if sum(map(len, fields)) > _PLACES:
        fields = _limited(fields)
    title, names, body = (" ".join(words) for words in fields)
    return {"p": r.position, "title": title, "names": names, "body": body, "terms": " ".join(f"t{t}" for t in r.terms)}


def _limited(fields: Iterable[Sequence[str]]) -> list[list[str]]:
    """The words of each field as `_vector` keeps them."""
    seen: Counter[str] = Counter()
    at, out = 0, []
    for words in fields:
        kept: list[str] = []
        for word in words:
            at += 1
            seen[word] += 1
            if at > _LAST_OWN:
                kept.append(_FILLER)
            kept.append(word if seen[word] <= _PLACES else _FILLER)
        out.append(kept)
        at += _GAP
    return out


def _vector(r: Indexed) -> str:
    """A tsvector in its text form; made here, as to_tsvector alone costs four times the rest of a row."""
    found: dict[str, list[str]] = {}
    at = 0
    for words, weight in ((words_of(r.title), "A"), (words_of(r.names), "B"), (words_of(r.body), "")):
        for word in words:
            at += 1
            places = found.setdefault(word, [])
            if len(places) < _PLACES:
                places.append(f"{at if at <= _LAST_OWN else _SHARED}{weight}")
        at += _GAP
    for term in r.terms:
        found.setdefault(f"t{term}", []).append(f"{_TERM}C")
    return " ".join(f"'{word}':{','.join(places)}" for word, places in found.items())


def _fts(query: Query, groups: Iterable[Sequence[int]]) -> str:
    def clause(c: Clause) -> str:
        return f'{_COLUMNS[c.field]} : "{" ".join(c.words)}"'

    parts = ["(" + " OR ".join(clause(c) for c in group) + ")" for group in query.wanted]
    parts += ["terms : (" + " OR ".join(f'"t{t}"' for t in group) + ")" for group in groups]
    wanted = " AND ".join(parts)
    refused = [clause(c) for c in query.refused]
    if query.without:
        refused.append("(" + " AND ".join("(" + " OR ".join(map(clause, group)) + ")" for group in query.without) + ")")
    return f"({wanted}) NOT ({' OR '.join(refused)})" if refused else wanted


def _tsquery(query: Query, groups: Iterable[Sequence[int]]) -> str:
    def clause(c: Clause) -> str:
        return "(" + " <-> ".join(f"'{w}':{_WEIGHTS[c.field]}" for w in c.words) + ")"

    parts = ["(" + " | ".join(clause(c) for c in group) + ")" for group in query.wanted]
    parts += ["(" + " | ".join(f"'t{t}':C" for t in group) + ")" for group in groups]
    parts += [f"!{clause(c)}" for c in query.refused]
    if query.without:
        parts.append("!(" + " & ".join("(" + " | ".join(map(clause, group)) + ")" for group in query.without) + ")")
    return " & ".join(parts)
