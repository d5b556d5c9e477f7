"""Which items a filter finds, newest first, as one statement: the field that fewest items meet leads, the others are probed.

Ranges of `tags` and `facets` are read backwards, so that a page costs what it holds, however much there is. With words or
authors the text index answers, which knows an item's terms too.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Any

from catalog.filters import Filter, scored_topics
from catalog.query import Clause, Query, parse_query
from catalog.storage import schema as s
from catalog.storage import search
from catalog.storage.driver import Driver, marks
from catalog.taxonomy import load_taxonomy
from catalog.words import words_of

ABOVE = 1 << 62  # above every position
_BRANCHES = 100  # values of one field that are merged from a range each
_RECENT = timedelta(days=120)  # what tells which field fewest items meet, where the filter has no first day


@dataclass(frozen=True, slots=True)
class _Group:
    """The terms of a field of which an item must have one."""

    table: str  # tags or facets
    terms: list[int]
    least: float = 0.0  # score of the tag


@dataclass(frozen=True, slots=True)
class Selection:
    """A filter made ready: items of low <= position < high that have one term of each group, and the words of the query."""

    low: int
    high: int
    lead: _Group | None = None  # whose range is read; None: that of all items, or the text index
    others: tuple[_Group, ...] = ()
    query: Query | None = None  # when the text index answers: it knows the terms of `fields`, and no scores
    fields: tuple[list[int], ...] = ()

    def between(self, low: int, high: int) -> Selection:
        """The same, of these positions at most."""
        return replace(self, low=max(self.low, low), high=min(self.high, high))


def select(on: Driver, filter: Filter) -> Selection | None:
    """The filter's selection; None when nothing can match."""
    groups = _groups(on, filter)
    if groups is None:
        return None
    low, high = bounds(filter)
    if not filter.wordy:
        lead, others = _lead(on, filter, groups)
        return Selection(low, high, lead, tuple(others))
    query = _query(on, filter)
    if query is None:
        return None
    fields = [g.terms for g in groups]
    if not query.wanted and not fields:  # "everything but": the index has to be told what everything is
        fields = [on.every_term("kind")]
    if not all(fields):
        return None
    return Selection(low, high, None, tuple(g for g in groups if g.least), query, tuple(fields))


def bounds(filter: Filter) -> tuple[int, int]:
    """Positions of a filter's dates: low <= position < high."""
    low = s.first_position(filter.since) if filter.since else 0
    high = s.first_position(filter.until + timedelta(days=1)) if filter.until and filter.until < date.max else ABOVE
    return low, high


def positions(on: Driver, selection: Selection, limit: int) -> list[int]:
    """The newest positions of a selection."""
    statement, values = _positions(on, selection, limit)
    return [int(p) for (p,) in on.rows(statement, values)]


def rows(on: Driver, selection: Selection, columns: str, limit: int) -> list[tuple[Any, ...]]:
    """Columns of `items i` for the newest items of a selection."""
    lead = selection.lead
    if selection.query is None and (lead is None or len(lead.terms) > _BRANCHES or len(lead.terms) == 1):
        if lead is not None and len(lead.terms) == 1:
            source, position = f"{lead.table} t JOIN items i ON i.position = t.position", "t.position"
        else:
            source, position = "items i", "i.position"
        where, values = _where(selection, position)
        return on.rows(f"SELECT {columns} FROM {source}{where} ORDER BY {position} DESC LIMIT ?", [*values, limit])
    statement, values = _positions(on, selection, limit)
    statement = f"SELECT {columns} FROM ({statement}) p JOIN items i ON i.position = p.position ORDER BY i.position DESC"
    return on.rows(statement, values)


def at(on: Driver, found: Sequence[int], columns: str) -> list[tuple[Any, ...]]:
    """Columns of `items i` for these positions, in no order."""
    out: list[tuple[Any, ...]] = []
    for start in range(0, len(found), 500):
        part = found[start : start + 500]
        out += on.rows(f"SELECT {columns} FROM items i WHERE i.position IN ({marks(len(part))})", part)
    return out


def scored(selection: Selection, term: int, least: float = 0.0) -> tuple[str, list[Any]]:
    """FROM and WHERE of the items `i` of a selection that have this topic, with its tag `t`."""
    every = (selection.lead, *selection.others) if selection.lead else selection.others
    wanted = Selection(selection.low, selection.high, _Group("tags", [term], least), every)
    where, values = _where(wanted, "t.position")
    return f"tags t JOIN items i ON i.position = t.position{where}", values


def _positions(on: Driver, selection: Selection, limit: int) -> tuple[str, list[Any]]:
    lead = selection.lead
    if selection.query is not None:
        return _by_words(on, selection, limit)
    if lead is None or len(lead.terms) > _BRANCHES:  # so many values match nearly everything
        where, values = _where(selection, "i.position")
        return f"SELECT i.position FROM items i{where} ORDER BY i.position DESC LIMIT ?", [*values, limit]
    branches, everything = [], []
    for term in lead.terms:  # one backward scan of each term's range
        one = Selection(selection.low, selection.high, _Group(lead.table, [term], lead.least), selection.others)
        where, values = _where(one, "t.position")
        branches.append(f"SELECT t.position FROM {lead.table} t{where} ORDER BY t.position DESC LIMIT ?")
        everything += [*values, limit]
    if len(branches) == 1:
        return branches[0], everything
    merged = " UNION ".join(f"SELECT * FROM ({branch}) b{n}" for n, branch in enumerate(branches))
    return f"SELECT m.position FROM ({merged}) m ORDER BY m.position DESC LIMIT ?", [*everything, limit]


def _by_words(on: Driver, selection: Selection, limit: int) -> tuple[str, list[Any]]:
    assert selection.query is not None
    source, position, values = search.matching(selection.query, selection.fields, sqlite=on.sqlite)
    where, more = _where(Selection(selection.low, selection.high, None, selection.others), position, [source])
    return f"SELECT {position} AS position FROM search{where} ORDER BY {position} DESC LIMIT ?", [*values, *more, limit]


def _where(selection: Selection, position: str, first: Sequence[str] = ()) -> tuple[str, list[Any]]:
    """The conditions of a selection, and their values, after those of `first`, whose values the caller has."""
    conditions = list(first)
    values: list[Any] = []
    lead = selection.lead
    if lead is not None and len(lead.terms) == 1:
        conditions.append("t.term_id = ?")
        values += lead.terms
        if lead.least:
            conditions.append("t.score >= ?")
            values.append(lead.least)
    probed = selection.others if lead is None or len(lead.terms) == 1 else (lead, *selection.others)
    if selection.low:
        conditions.append(f"{position} >= ?")
        values.append(selection.low)
    if selection.high < ABOVE:
        conditions.append(f"{position} < ?")
        values.append(selection.high)
    for n, group in enumerate(probed):
        match = f"g{n}.term_id = ?" if len(group.terms) == 1 else f"g{n}.term_id IN ({marks(len(group.terms))})"
        values += group.terms
        if group.least:
            match += f" AND g{n}.score >= ?"
            values.append(group.least)
        conditions.append(f"EXISTS (SELECT 1 FROM {group.table} g{n} WHERE {match} AND g{n}.position = {position})")
    return (" WHERE " + " AND ".join(conditions) if conditions else ""), values


def _query(on: Driver, filter: Filter) -> Query | None:
    """Search text and authors as one query, venues as terms of the index; None when the text holds no word."""
    query = parse_query(filter.q) if filter.q else Query(())
    if query is None:
        return None
    names = tuple(Clause(tuple(words_of(name)), "author") for name in filter.authors)
    wanted = (*query.wanted, names) if names else query.wanted

    def named(c: Clause) -> Clause:
        if c.field != "venue":
            return c
        number = next(iter(on.terms("venue", (c.words[0],))), 0)  # no term has the number 0
        return replace(c, words=(f"t{number}",), field="term")

    return replace(query, wanted=tuple(tuple(map(named, group)) for group in wanted), refused=tuple(map(named, query.refused)))


def _groups(on: Driver, filter: Filter) -> list[_Group] | None:
    """Table and term ids of each restricted field; None when a field's values are all unknown, so that nothing can match."""
    wanted = {
        "topic": filter.topics, "area": filter.areas, "kind": tuple(k.value for k in filter.kinds), "source": filter.sources,
        "venue": filter.venues, "category": filter.categories, "level": filter.levels, "form": filter.forms,
    }  # fmt: skip
    groups: list[_Group] = []
    for scheme, values in wanted.items():
        if values:
            ids = on.terms(scheme, values)
            if not ids:
                return None
            groups.append(_Group("tags", ids, filter.min_score) if scheme == "topic" else _Group("facets", ids))
    if filter.min_score and not filter.topics:
        scored = scored_topics(filter, load_taxonomy())
        ids = on.terms("topic", sorted(scored)) if scored else on.every_term("topic")
        if not ids:
            return None
        groups.append(_Group("tags", ids, filter.min_score))
    return groups


def _lead(on: Driver, filter: Filter, groups: Sequence[_Group]) -> tuple[_Group | None, Sequence[_Group]]:
    """The field that the fewest items meet, by the daily counters, and the other fields."""
    if len(groups) < 2:
        return (groups[0] if groups else None), ()
    terms = [n for g in groups for n in g.terms]
    since, until = filter.since, filter.until
    if since is None and (newest := _newest(on)) is not None:
        until = min(until, newest) if until else newest
        since = max(until, date.min + _RECENT) - _RECENT
    statement = f"SELECT c.term_id, sum(c.n) FROM daily_counts c WHERE c.term_id IN ({marks(len(terms))})"
    values: list[Any] = [*terms]
    for sign, day in ((">=", since), ("<=", until)):
        if day is not None:
            statement += f" AND c.day {sign} ?"
            values.append(day.isoformat() if on.sqlite else day)
    seen = {term: int(n) for term, n in on.rows(f"{statement} GROUP BY c.term_id", values)}
    lead = min(range(len(groups)), key=lambda i: sum(seen.get(term, 0) for term in groups[i].terms))
    return groups[lead], [g for i, g in enumerate(groups) if i != lead]


def _newest(on: Driver) -> date | None:
    newest = on.rows("SELECT max(i.position) FROM items i")[0][0]
    return s.day_of(newest) if newest is not None else None
