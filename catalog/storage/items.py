"""What is asked of the store: pages of a filter, one item, look-ups, counts."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from typing import Any

from sqlalchemy import Connection, func, select

from catalog import ranking
from catalog.entries import Basis, Kind, Moment, Version
from catalog.filters import Filter, Key, Listing, scored_topics
from catalog.items import EntryRef, Item, News
from catalog.query import tiers
from catalog.storage import schema as s
from catalog.storage import selection, signals
from catalog.storage.driver import Driver, driver
from catalog.storage.entries import load_details, load_tags
from catalog.storage.selection import ABOVE, Selection
from catalog.taxonomy import load_taxonomy
from catalog.text import readable

#: What `fill` can add to an item.
PARTS = ("summary", "entries", "identifiers", "news", "moments", "signals")
#: What a row of `cards` holds, in this order; authors and tags as compact JSON: ["…"] and [["topic", score], …], best first.
CARD = ("public_id", "position", "kind", "title", "authors", "url", "venue", "tags")
#: The newest items of a filter that its facets are counted over, where the daily counters do not tell.
COUNTED = 10_000

_CARD = ", ".join(f"i.{name}" for name in CARD)
ITEM = f"{_CARD}, i.estimated, i.submitted, i.updated, i.withdrawn, i.categories, i.form, i.level"  # begins like a card


@dataclass(frozen=True, slots=True)
class Facets:
    """How many items of a filter have each value of a field."""

    counts: dict[str, dict[str, int]]  # by field; values that no item has are absent
    whole: bool  # False: counted over the newest `COUNTED` matches only


def page(db: Connection, listing: Listing) -> tuple[list[Item], Key | None]:
    """A page of items in the listing's order, and the key to go on after (None at the end)."""
    found, more = _page(db, listing, ITEM)
    return fill(db, [item_of(r) for r in found], listing.fields), more


def cards(db: Connection, listing: Listing) -> tuple[list[tuple[Any, ...]], Key | None]:
    """The same page as rows of `CARD`, straight from the driver: for answers that are made of what the store holds as it is."""
    return _page(db, listing, _CARD)


def key_of(db: Connection, listing: Listing, item: Item) -> Key:
    """Where an item that the listing finds stands in its order."""
    if listing.sort == "newest":
        return (item.position,)
    if listing.sort == "rank":
        (whole,) = fill(db, [item], ("news", "signals"))
        return ranking.rank(whole, _asked(listing.filter)), item.position
    on = driver(db)
    for tier, chosen in enumerate(_tiers(on, listing.filter)):
        if selection.positions(on, chosen.between(item.position, item.position + 1), 1):
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
    return fill(db, [item_of(r) for r in _best(db, filter, topic, limit, ITEM)], fields)


def best_cards(db: Connection, filter: Filter, topic: str, limit: int) -> list[tuple[Any, ...]]:
    """The same as rows of `CARD`."""
    return _best(db, filter, topic, limit, _CARD)


def count(db: Connection, filter: Filter, most: int = 1_000) -> tuple[int, bool]:
    """How many items a filter finds, and whether that is all of them: there are more than `most` when it is not."""
    on = driver(db)
    known = _counted(on, filter)
    if known is not None:
        return known, True
    chosen = selection.select(on, filter)
    found = len(selection.positions(on, chosen, most + 1)) if chosen is not None else 0
    return min(found, most), found <= most


def facets(db: Connection, filter: Filter, fields: Sequence[str]) -> Facets:
    """Items of a filter by the values of fields (topic, area, kind, source, venue, category, form, level)."""
    if filter == Filter(since=filter.since, until=filter.until):
        return Facets({f: counts(db, f, filter.since, filter.until) for f in fields}, whole=True)
    on = driver(db)
    chosen = selection.select(on, filter)
    found = selection.rows(on, chosen, "i.terms", COUNTED + 1) if chosen is not None else []
    seen = Counter(term for (terms,) in found[:COUNTED] for term in terms.split())
    named = on.names(map(int, seen))
    out: dict[str, dict[str, int]] = {f: {} for f in fields}
    for term, n in seen.items():
        scheme, value = named[int(term)]
        if scheme in out:
            out[scheme][value] = n
    return Facets(out, whole=len(found) <= COUNTED)


def by_id(db: Connection, public_id: str) -> Item | None:
    """The whole item; None when there is none of this id."""
    found = driver(db).rows(f"SELECT {ITEM} FROM items i WHERE i.public_id = ?", (public_id,))
    return fill(db, [item_of(found[0])], PARTS)[0] if found else None


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


def identified(db: Connection, scheme: str, since: date, before: int | None, limit: int) -> list[tuple[int, str]]:
    """Positions and identifiers of this scheme of papers announced since the day, newest first, of those after a position."""
    i, named = s.items.c, s.identifiers.c
    query = select(i.position, named.value).join(s.identifiers, named.item_id == i.id)
    query = query.where(named.scheme == scheme, i.kind == Kind.PAPER.value, i.position >= s.first_position(since))
    if before is not None:
        query = query.where(i.position < before)
    return [(int(r.position), str(r.value)) for r in db.execute(query.order_by(i.position.desc()).limit(limit))]


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
_Rows = list[tuple[Any, ...]]
_Keyed = list[tuple[Key, tuple[Any, ...]]]


def _page(db: Connection, listing: Listing, columns: str) -> tuple[_Rows, Key | None]:
    """The rows of a page, of which the second column is the position, and the key to go on after."""
    limit = listing.limit
    assert limit is not None
    find = {"newest": _newest, "relevance": _relevant, "rank": _ranked}[listing.sort]
    found = find(db, listing, limit + 1, columns)
    return [r for _, r in found[:limit]], found[limit - 1][0] if len(found) > limit else None


def _newest(db: Connection, listing: Listing, limit: int, columns: str) -> _Keyed:
    """Descending positions."""
    on = driver(db)
    chosen = selection.select(on, listing.filter)
    if chosen is None:
        return []
    if listing.after:
        chosen = chosen.between(0, listing.after[0])
    return [((r[1],), r) for r in selection.rows(on, chosen, columns, limit)]


def _relevant(db: Connection, listing: Listing, limit: int, columns: str) -> _Keyed:
    """Tier by tier (see `catalog.query.tiers`), in each the newest first."""
    on = driver(db)
    first, position = listing.after or (0, ABOVE)
    found: _Keyed = []
    for tier, chosen in enumerate(_tiers(on, listing.filter)):
        if tier >= first and len(found) < limit:
            wanted = chosen.between(0, position) if tier == first else chosen
            found += [((tier, r[1]), r) for r in selection.rows(on, wanted, columns, limit - len(found))]
    return found


def _tiers(on: Driver, filter: Filter) -> list[Selection]:
    chosen = selection.select(on, filter)
    if chosen is None or chosen.query is None:
        return []
    return [replace(chosen, query=query) for query in tiers(chosen.query)]


def _ranked(db: Connection, listing: Listing, limit: int, columns: str) -> _Keyed:
    """By rank, then newest first.

    Days are looked at from the newest on until no older one can hold an item of a rank that counts: what is older than
    `ranking.HORIZON` days before the last that was found cannot.
    """
    on = driver(db)
    chosen = selection.select(on, listing.filter)
    if chosen is None:
        return []
    rank, position = listing.after or (1 << 62, ABOVE)
    newest_day = (rank - ranking.LEAST) // ranking.DAY  # of what can have this rank
    chosen = chosen.between(0, (newest_day + 1) << s.POSITION_BITS)
    asked = _asked(listing.filter)
    size = columns.count(",") + 1
    found: _Keyed = []
    while True:
        rows = selection.rows(on, chosen, ITEM, _RANKED)
        whole = fill(db, [item_of(r) for r in rows], ("news", "signals"))
        keyed = [((ranking.rank(i, asked), i.position), r[:size]) for i, r in zip(whole, rows, strict=True)]
        found = sorted((*found, *(k for k in keyed if k[0] < (rank, position))), key=lambda k: k[0], reverse=True)[:limit]
        if len(rows) < _RANKED:
            return found
        last = rows[-1][1]
        chosen = chosen.between(0, last)
        if len(found) == limit and ranking.fresh(s.day_of(last)) + ranking.MOST <= found[-1][0][0]:
            return found


_RANKED = 1_000  # items that are ranked at a time


def _best(db: Connection, filter: Filter, topic: str, limit: int, columns: str) -> _Rows:
    assert not filter.wordy, "words are asked by `page` and `stream`"
    on = driver(db)
    term = next(iter(on.terms("topic", (topic,))), None)
    chosen = selection.select(on, replace(filter, min_score=0))
    if term is None or chosen is None:
        return []
    source, values = selection.scored(chosen, term, filter.min_score)
    return on.rows(f"SELECT {columns} FROM {source} ORDER BY t.score DESC, t.position DESC LIMIT ?", [*values, limit])


def _asked(filter: Filter) -> frozenset[str]:
    return scored_topics(filter, load_taxonomy())


def _counted(on: Driver, filter: Filter) -> int | None:
    """What the daily counters say of a filter, where they do: of none of its fields or of one value."""
    wanted = [(name, value) for name, value in filter.parameters() if name not in ("since", "until")]
    if len(wanted) > 1 or (wanted and wanted[0][0] in ("q", "author", "min_score")):
        return None
    terms = on.terms(wanted[0][0], (wanted[0][1],)) if wanted else on.every_term("kind")
    statement = "SELECT sum(c.n) FROM daily_counts c WHERE c.term_id = ?"
    values: list[Any] = []
    for sign, day in ((">=", filter.since), ("<=", filter.until)):
        if day is not None:
            statement += f" AND c.day {sign} ?"
            values.append(day.isoformat() if on.sqlite else day)
    return sum(on.rows(statement, [term, *values])[0][0] or 0 for term in terms)


def item_of(r: tuple[Any, ...]) -> Item:
    id, position, kind, title, authors, url, venue, tags, estimated, submitted, updated, withdrawn, categories, form, level = r
    return Item(
        id=id, position=position, kind=Kind(kind), title=title, url=url, authors=tuple(json.loads(authors)), venue=venue,
        announced=s.day_of(position), estimated=bool(estimated), submitted=_instant(submitted), updated=_instant(updated),
        withdrawn=bool(withdrawn), topics=load_tags(tags), categories=tuple(categories.split()), form=form, level=level,
    )  # fmt: skip


def _instant(value: Any) -> datetime | None:
    """An instant as the driver gives it."""
    if value is None:
        return None
    return (datetime.fromisoformat(value) if isinstance(value, str) else value).astimezone(UTC)


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
            **load_details(r.details),
        )  # fmt: skip
        extra[r.item_id]["entries"] = (*extra[r.item_id].get("entries", ()), ref)
