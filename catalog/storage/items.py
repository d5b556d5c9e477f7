"""What is asked of the store: pages of a filter, one item, look-ups, counts."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, Select, Table, exists, func, select, union

from catalog import ranking
from catalog.entries import Basis, Kind, Moment, Version
from catalog.filters import Filter, Key, Listing, scored_topics
from catalog.items import EntryRef, Item, News
from catalog.query import Clause, Query, parse_query, tiers
from catalog.storage import schema as s
from catalog.storage import search, signals
from catalog.storage.entries import chunks, load_details, load_tags
from catalog.taxonomy import load_taxonomy
from catalog.text import readable
from catalog.words import words_of

#: What `fill` can add to an item.
PARTS = ("summary", "entries", "identifiers", "news", "moments", "signals")
_ALL = 1 << 62  # above every position
_BRANCHES = 100  # values of one field that are merged from a range each


@dataclass(frozen=True, slots=True)
class _Group:
    """A restricted field: tags or facets, and the terms of which an item must have one, with a least score."""

    table: Table
    ids: list[int]
    score: float = 0


def page(db: Connection, listing: Listing) -> tuple[list[Item], Key | None]:
    """A page of items in the listing's order, and the key to go on after (None at the end)."""
    assert listing.limit is not None
    find = {"newest": _newest, "relevance": _relevant, "rank": _ranked}[listing.sort]
    found = find(db, listing, listing.limit + 1)
    more = found[listing.limit - 1][0] if len(found) > listing.limit else None
    return fill(db, [_item(r) for _, r in found[: listing.limit]], listing.fields), more


def key_of(db: Connection, listing: Listing, item: Item) -> Key:
    """Where an item that the listing finds stands in its order."""
    if listing.sort == "newest":
        return (item.position,)
    if listing.sort == "rank":
        (whole,) = fill(db, [item], ("news", "signals"))
        return ranking.rank(whole, _asked(listing.filter)), item.position
    for tier, query in enumerate(_tiers(db, listing.filter)):
        if _matches(db, listing.filter, query, item.position, item.position + 1, 1):
            return tier, item.position
    raise AssertionError("no item of the listing")


def stream(db: Connection, listing: Listing) -> Iterator[Item]:
    """All items of the filter, or the listing's limit of them, in its order; read in pages of 500."""
    left = listing.limit
    after = listing.after
    while left is None or left > 0:
        size = 500 if left is None else min(500, left)
        found, after = page(db, replace(listing, limit=size, after=after))
        yield from found
        if left is not None:
            left -= len(found)
        if after is None:
            return


def top(db: Connection, filter: Filter, topic: str, limit: int, fields: Iterable[str] = ("summary", "entries")) -> list[Item]:
    """The items of a filter with this topic, best score first, then newest; with the parts named in `fields` (see `fill`).

    A least score is asked of this topic.
    """
    assert not filter.wordy, "words are asked by `page` and `stream`"
    term = _term(db, "topic", topic)
    if term is None:
        return []
    groups = _groups(db, replace(filter, min_score=0))
    if groups is None:
        return []
    position = s.tags.c.position
    conditions = (*_within(position, *_range(filter)), *(_probe(g, position) for g in groups))
    query = _select().select_from(s.tags.join(s.items, s.items.c.position == position))
    query = query.where(s.tags.c.term_id == term, s.tags.c.score >= filter.min_score, *conditions)
    query = query.order_by(s.tags.c.score.desc(), position.desc()).limit(limit)
    return fill(db, [_item(r) for r in db.execute(query)], fields)


def by_id(db: Connection, public_id: str) -> Item | None:
    """The whole item; None when there is none of this id."""
    row = db.execute(_select().where(s.items.c.public_id == public_id)).first()
    return fill(db, [_item(row)], PARTS)[0] if row else None


def number_of(db: Connection, public_id: str) -> int | None:
    """The row of the item of this id, or of the one that it was merged into."""
    found = db.execute(select(s.items.c.id).where(s.items.c.public_id == public_id)).scalar()
    if found is None:
        found = db.execute(select(s.aliases.c.item_id).where(s.aliases.c.public_id == public_id)).scalar()
    return found


def public_id_of(db: Connection, number: int) -> str:
    """The id of the item in this row."""
    return str(db.execute(select(s.items.c.public_id).where(s.items.c.id == number)).scalar_one())


def is_free(db: Connection, public_id: str, number: int) -> bool:
    """True when an item that comes out of the one in this row may have this id: it is nobody's, or was merged into that."""
    taken = db.execute(select(s.items.c.id).where(s.items.c.public_id == public_id)).scalar() is not None
    leads_to = db.execute(select(s.aliases.c.item_id).where(s.aliases.c.public_id == public_id)).scalar()
    return not taken and leads_to in (None, number)


def merged_into(db: Connection, public_id: str) -> str | None:
    """The id of the item that an item of this id was merged into; None when there never was one."""
    query = select(s.items.c.public_id).join(s.aliases, s.aliases.c.item_id == s.items.c.id)
    return db.execute(query.where(s.aliases.c.public_id == public_id)).scalar()


def by_identifier(db: Connection, scheme: str, value: str) -> Item | None:
    """The whole item that an identifier leads to; of several that claim it the oldest."""
    query = select(s.items.c.public_id).join(s.identifiers, s.identifiers.c.item_id == s.items.c.id)
    query = query.where(s.identifiers.c.scheme == scheme, s.identifiers.c.value == value).order_by(s.items.c.id)
    found = db.execute(query.limit(1)).scalar()
    return by_id(db, found) if found else None


def counts(db: Connection, scheme: str, since: date | None = None, until: date | None = None) -> dict[str, int]:
    """Items per value of a scheme (topic, area, kind, source, category) by announced date, from the daily counters."""
    c = s.daily_counts.c
    query = select(s.terms.c.value, func.sum(c.n)).join(s.terms, s.terms.c.id == c.term_id).where(s.terms.c.scheme == scheme)
    if since is not None:
        query = query.where(c.day >= since)
    if until is not None:
        query = query.where(c.day <= until)
    return {value: int(n) for value, n in db.execute(query.group_by(s.terms.c.value)) if n}


def per_day(db: Connection, scheme: str, value: str, since: date, until: date) -> dict[date, int]:
    """Items of a term by announced day; days without any are absent."""
    c = s.daily_counts.c
    query = select(c.day, c.n).join(s.terms, s.terms.c.id == c.term_id)
    query = query.where(s.terms.c.scheme == scheme, s.terms.c.value == value, c.day >= since, c.day <= until, c.n > 0)
    return {row.day: row.n for row in db.execute(query.order_by(c.day))}


def newest_day(db: Connection) -> date | None:
    """The latest announced date that any item has; None for an empty store."""
    return db.execute(select(s.items.c.announced).order_by(s.items.c.position.desc()).limit(1)).scalar()


def total(db: Connection) -> int:
    """Items held."""
    return sum(counts(db, "kind").values())


# ------------------------------------------------------------------ orders
_Keyed = list[tuple[Key, Row[Any]]]


def _newest(db: Connection, listing: Listing, limit: int) -> _Keyed:
    """Descending positions."""
    low, high = _range(listing.filter)
    high = min(high, listing.after[0]) if listing.after else high
    return [((r.position,), r) for r in _rows(db, listing.filter, low, high, limit)]


def _relevant(db: Connection, listing: Listing, limit: int) -> _Keyed:
    """Tier by tier (see `catalog.query.tiers`), in each the newest first."""
    first, position = listing.after or (0, _ALL)
    low, high = _range(listing.filter)
    found: _Keyed = []
    for tier, query in enumerate(_tiers(db, listing.filter)):
        if tier >= first and len(found) < limit:
            below = min(high, position) if tier == first else high
            rows = _by_positions(db, _matches(db, listing.filter, query, low, below, limit - len(found)))
            found += [((tier, r.position), r) for r in rows]
    return found


def _ranked(db: Connection, listing: Listing, limit: int) -> _Keyed:
    """By rank, then newest first.

    Days are looked at from the newest on until no older one can hold an item of a rank that counts: what is older than
    `ranking.HORIZON` days before the last that was found cannot.
    """
    low, high = _range(listing.filter)
    rank, position = listing.after or (1 << 62, _ALL)
    newest_day = (rank - ranking.LEAST) // ranking.DAY  # of what can have this rank
    high = min(high, (newest_day + 1) << s.POSITION_BITS)
    asked = _asked(listing.filter)
    found: _Keyed = []
    while True:
        rows = _rows(db, listing.filter, low, high, _RANKED)
        whole = fill(db, [_item(r) for r in rows], ("news", "signals"))
        keyed = [((ranking.rank(i, asked), i.position), r) for i, r in zip(whole, rows, strict=True)]
        found = sorted((*found, *(k for k in keyed if k[0] < (rank, position))), key=lambda k: k[0], reverse=True)[:limit]
        if len(rows) < _RANKED:
            return found
        high = rows[-1].position
        if len(found) == limit and ranking.fresh(rows[-1].announced) + ranking.MOST <= found[-1][0][0]:
            return found


_RANKED = 1_000  # items that are ranked at a time


def _asked(filter: Filter) -> frozenset[str]:
    return scored_topics(filter, load_taxonomy())


# ------------------------------------------------------------------ rows
def _select() -> Select[Any]:
    return select(s.items)


def _rows(db: Connection, filter: Filter, low: int, high: int, limit: int) -> Sequence[Row[Any]]:
    """Rows of a filter, newest first, low <= position < high.

    With words the text index answers, else the rarest field leads.
    """
    if filter.wordy:
        query = _query(db, filter)
        return _by_positions(db, _matches(db, filter, query, low, high, limit)) if query else []
    groups = _groups(db, filter)
    if groups is None:
        return []
    lead, others = _lead(db, filter, groups)
    if lead is None or len(lead.ids) > _BRANCHES:  # so many values match nearly everything
        position = s.items.c.position
        page = _select().where(*_within(position, low, high), *(_probe(g, position) for g in groups))
        return db.execute(page.order_by(position.desc()).limit(limit)).all()
    table, ids = lead.table, lead.ids
    position = table.c.position
    conditions = [*_within(position, low, high), *(_probe(g, position) for g in others)]
    if lead.score:
        conditions.append(table.c.score >= lead.score)
    if len(ids) == 1:  # one backward scan of the term's range
        page = _select().select_from(table.join(s.items, s.items.c.position == position))
        page = page.where(table.c.term_id == ids[0], *conditions).order_by(position.desc()).limit(limit)
        return db.execute(page).all()
    scans = [select(position).where(table.c.term_id == i, *conditions).order_by(position.desc()).limit(limit) for i in ids]
    merged = union(*(select(scan.subquery().c.position) for scan in scans)).subquery()
    newest = select(merged.c.position).order_by(merged.c.position.desc()).limit(limit)
    return db.execute(_select().where(s.items.c.position.in_(newest)).order_by(s.items.c.position.desc())).all()


def _by_positions(db: Connection, positions: Sequence[int]) -> list[Row[Any]]:
    rows = {r.position: r for part in chunks(positions) for r in db.execute(_select().where(s.items.c.position.in_(part)))}
    return [rows[p] for p in positions if p in rows]


def _matches(db: Connection, filter: Filter, query: Query, low: int, high: int, limit: int) -> list[int]:
    """Positions of a query's matches within the filter's other fields, newest first, low <= position < high."""
    groups = _groups(db, filter)
    if groups is None:
        return []
    scored = [g for g in groups if g.score]
    fields = [g.ids for g in groups]
    if not query.wanted and not fields:  # "everything but": the index has to be told what everything is
        fields = [list(db.execute(select(s.terms.c.id).where(s.terms.c.scheme == "kind")).scalars())]
    if not all(fields):
        return []
    out: list[int] = []
    size = limit
    while len(out) < limit:
        found = search.positions(db, query, fields, low, high, size)
        out += _scored(db, scored, found)
        if len(found) < size:
            break
        high, size = found[-1], 500
    return out[:limit]


def _scored(db: Connection, groups: Iterable[_Group], positions: list[int]) -> list[int]:
    """Those of the positions that have the least score in each group: the text index knows terms, no scores."""
    for g in groups:
        c = s.tags.c
        kept: set[int] = set()
        for part in chunks(positions):
            query = select(c.position).where(c.term_id.in_(g.ids), c.position.in_(part), c.score >= g.score)
            kept.update(db.execute(query).scalars())
        positions = [p for p in positions if p in kept]
    return positions


def _query(db: Connection, filter: Filter) -> Query | None:
    """Search text and authors as one query, venues as terms of the index; None when the text holds no word."""
    query = parse_query(filter.q) if filter.q else Query(())
    if query is None:
        return None
    names = tuple(Clause(tuple(words_of(name)), "author") for name in filter.authors)
    wanted = (*query.wanted, names) if names else query.wanted

    def named(c: Clause) -> Clause:
        if c.field != "venue":
            return c
        return replace(c, words=(f"t{_term(db, 'venue', c.words[0]) or 0}",), field="term")  # no term has the number 0

    return replace(query, wanted=tuple(tuple(map(named, group)) for group in wanted), refused=tuple(map(named, query.refused)))


def _tiers(db: Connection, filter: Filter) -> tuple[Query, ...]:
    query = _query(db, filter)
    return tiers(query) if query else ()


def _lead(db: Connection, filter: Filter, groups: Sequence[_Group]) -> tuple[_Group | None, Sequence[_Group]]:
    """The field that the fewest items meet, by the daily counters, and the other fields."""
    if len(groups) < 2:
        return (groups[0] if groups else None), ()
    c = s.daily_counts.c
    query = select(c.term_id, func.sum(c.n)).where(c.term_id.in_([i for g in groups for i in g.ids]))
    if filter.since is not None:
        query = query.where(c.day >= filter.since)
    if filter.until is not None:
        query = query.where(c.day <= filter.until)
    seen = {term: int(n) for term, n in db.execute(query.group_by(c.term_id))}
    lead = min(range(len(groups)), key=lambda i: sum(seen.get(term, 0) for term in groups[i].ids))
    return groups[lead], [g for i, g in enumerate(groups) if i != lead]


def _range(filter: Filter) -> tuple[int, int]:
    """Positions of a filter's dates: low <= position < high."""
    low = s.first_position(filter.since) if filter.since else 0
    high = s.first_position(filter.until + timedelta(days=1)) if filter.until and filter.until < date.max else _ALL
    return low, high


def _within(position: ColumnElement[int], low: int, high: int) -> list[ColumnElement[bool]]:
    out = [position >= low] if low else []
    return [*out, position < high] if high < _ALL else out


def _groups(db: Connection, filter: Filter) -> list[_Group] | None:
    """The restricted fields; None when a field's values are all unknown, so that nothing can match."""
    wanted = {
        "topic": filter.topics, "area": filter.areas, "kind": tuple(k.value for k in filter.kinds), "source": filter.sources,
        "venue": filter.venues, "category": filter.categories, "level": filter.levels, "form": filter.forms,
    }  # fmt: skip
    groups: list[_Group] = []
    for scheme, values in wanted.items():
        if values:
            ids = _terms(db, scheme, values)
            if not ids:
                return None
            score = filter.min_score if scheme == "topic" else 0
            groups.append(_Group(s.tags if scheme == "topic" else s.facets, ids, score))
    if filter.min_score and not filter.topics:
        ids = _terms(db, "topic", sorted(_asked(filter)))
        if not ids:
            return None
        groups.append(_Group(s.tags, ids, filter.min_score))
    return groups


def _terms(db: Connection, scheme: str, values: Sequence[str]) -> list[int]:
    """Ids of these terms that are known, ascending; without values those of all of the scheme."""
    query = select(s.terms.c.id).where(s.terms.c.scheme == scheme)
    return sorted(db.execute(query.where(s.terms.c.value.in_(values)) if values else query).scalars())


def _probe(group: _Group, position: ColumnElement[int]) -> ColumnElement[bool]:
    """Whether the item of a position meets a field."""
    table, ids = group.table.alias(), group.ids
    match = table.c.term_id == ids[0] if len(ids) == 1 else table.c.term_id.in_(ids)
    enough = [table.c.score >= group.score] if group.score else []
    return exists().where(match, table.c.position == position, *enough)


def _term(db: Connection, scheme: str, value: str) -> int | None:
    return db.execute(select(s.terms.c.id).where(s.terms.c.scheme == scheme, s.terms.c.value == value)).scalar()


def _item(r: Row[Any]) -> Item:
    return Item(
        id=r.public_id, position=r.position, kind=Kind(r.kind), title=r.title, url=r.url, authors=tuple(json.loads(r.authors)),
        venue=r.venue, announced=r.announced, estimated=r.estimated, submitted=r.submitted, updated=r.updated,
        withdrawn=r.withdrawn, topics=load_tags(r.tags), categories=tuple(r.categories.split()), form=r.form, level=r.level,
    )  # fmt: skip


def fill(db: Connection, found: Sequence[Item], fields: Iterable[str]) -> list[Item]:
    """The items with the parts that stand in other tables: those of `PARTS`, and the comment with the summary."""

    wanted = set(fields) & set(PARTS)
    if not wanted or not found:
        return list(found)
    rows = db.execute(
        select(s.items.c.id, s.items.c.public_id, s.items.c.lead_entry).where(s.items.c.public_id.in_([i.id for i in found]))
    ).all()
    ids = {r.public_id: r.id for r in rows}
    extra: dict[int, dict[str, Any]] = {r.id: {} for r in rows}
    if "summary" in wanted:
        query = select(s.entries.c.item_id, s.entries.c.abstract, s.entries.c.comment)
        for r in db.execute(query.where(s.entries.c.id.in_([r.lead_entry for r in rows]))):
            extra[r.item_id] |= {"summary": r.abstract, "comment": r.comment}
    if "entries" in wanted:
        _fill_entries(db, extra)
    if "identifiers" in wanted:
        # Sorted here, as PostgreSQL's order of text depends on the locale it was set up with; likewise below.
        query = select(s.identifiers).where(s.identifiers.c.item_id.in_(extra))
        for r in sorted(db.execute(query), key=lambda r: (r.scheme, r.value)):
            extra[r.item_id]["identifiers"] = (*extra[r.item_id].get("identifiers", ()), (r.scheme, r.value))
    for name, find in (("news", _news), ("moments", _moments), ("signals", signals.of_items)):
        if name in wanted:
            for item_id, said in find(db, extra).items():
                extra[item_id][name] = said
    return [replace(i, **extra[ids[i.id]]) for i in found]


def _news(db: Connection, ids: Iterable[int]) -> dict[int, tuple[News, ...]]:
    told: dict[int, set[News]] = {}
    for r in db.execute(select(s.news).where(s.news.c.item_id.in_(ids))):
        told.setdefault(r.item_id, set()).add(News(r.what, r.day, r.text, r.status))
    return {item_id: _once(news) for item_id, news in told.items()}


def _moments(db: Connection, ids: Iterable[int]) -> dict[int, tuple[Moment, ...]]:
    dated: dict[int, list[Moment]] = {}
    for r in db.execute(select(s.moments).where(s.moments.c.item_id.in_(ids))):
        dated.setdefault(r.item_id, []).append(Moment(r.at, r.what, r.label, r.said, r.whole_day))
    return {item_id: tuple(sorted(moments)) for item_id, moments in dated.items()}


def _once(told: Iterable[News]) -> tuple[News, ...]:
    """Each thing told once, on its first day: two entries may tell the same, and a claim is over when it is confirmed."""
    first: dict[tuple[str, str, str], News] = {}
    for n in sorted(told, key=lambda n: (n.day, n.what, n.text, n.status)):
        first.setdefault((n.what, n.text, n.status), n)
    confirmed = [n for n in first.values() if n.status == "confirmed"]
    return tuple(n for n in first.values() if n.status != "claimed" or not any(_settles(c, n) for c in confirmed))


def _settles(confirmed: News, claim: News) -> bool:
    """True for a claim of what was confirmed by then, also a shorter one: `ICML` of `ICML 2019`."""
    return confirmed.day <= claim.day and f"{confirmed.text} ".startswith(f"{claim.text} ")


def _fill_entries(db: Connection, extra: dict[int, dict[str, Any]]) -> None:
    found = db.execute(select(s.entries).where(s.entries.c.item_id.in_(extra)))
    rows = sorted(found, key=lambda r: (r.source, r.key))
    versions: dict[int, list[Version]] = {}
    query = select(s.entry_versions).where(s.entry_versions.c.entry_id.in_([r.id for r in rows]))
    for v in db.execute(query.order_by(s.entry_versions.c.number)):
        versions.setdefault(v.entry_id, []).append(Version(v.number, v.at, v.withdrawn))
    names = {r.id: (r.source, r.key) for r in rows}
    joined: dict[int, list[tuple[str, str, str]]] = {}
    query = select(s.links).where(s.links.c.entry_id.in_(names))
    for link in db.execute(query):
        if link.other_id in names:
            joined.setdefault(link.entry_id, []).append((link.reason, *names[link.other_id]))
            joined.setdefault(link.other_id, []).append((link.reason, *names[link.entry_id]))
    for r in rows:
        ref = EntryRef(
            r.source, r.key, r.url, r.version, r.announced, Basis(r.basis), tuple(versions.get(r.id, ())),
            tuple(sorted(joined.get(r.id, ()))), readable(r.title), venue=r.venue,
            **{name: value for name, value in load_details(r.details).items() if name != "moments"},
        )  # fmt: skip
        extra[r.item_id]["entries"] = (*extra[r.item_id].get("entries", ()), ref)
