"""Writing what ingestion found: entries, their items and everything derived from them, in the caller's transaction."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import Connection, Row, Table, bindparam, func, select, text, tuple_

from catalog.categories import canonical
from catalog.entries import EntryData, EntryKey, Kind, Link
from catalog.items import ItemData, News
from catalog.storage import schema as s
from catalog.storage import search
from catalog.storage.entries import Kept, as_json, chunks, dump_details, dump_tags, load_tags
from catalog.storage.search import Indexed
from catalog.titles import title_hash

_WRITE_LOCK = 0x53464957  # pg_advisory_xact_lock: one page is written at a time, as SQLite does by itself


@dataclass(frozen=True, slots=True)
class Saying:
    """One entry to store."""

    entry: EntryData  # with its announced date
    hash: str
    kept: Kept | None  # None: the entry is new
    news: tuple[News, ...] = ()  # told by it; what it told before is not told again


@dataclass(frozen=True, slots=True)
class Write:
    """One item to store, with those of its entries that change."""

    item: ItemData
    item_id: int | None  # None: the item is new
    public_id: str  # of a new item
    lead: EntryKey  # the entry whose abstract and comment are shown
    sayings: tuple[Saying, ...] = ()
    moved: tuple[int, ...] = ()  # ids of entries that were of other items
    absorbed: tuple[int, ...] = ()  # ids of items that end in this one; all their entries are in `moved`


def lock_writes(db: Connection) -> None:
    """Wait for the other writers of pages; SQLite's write transaction has done so already."""
    if db.dialect.name != "sqlite":
        db.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _WRITE_LOCK})


def store(
    db: Connection,
    writes: Sequence[Write],
    now: datetime,
    links: Iterable[Link] = (),
    known: Mapping[EntryKey, int] | None = None,
) -> None:
    """Store items and entries; `now` is the instance's clock. At most one write per entry and per item in one call.

    `links` join entries of the writes, with each other or with those whose ids are `known`.
    """
    if writes:
        _Page(db, now, dict(known or {})).store(writes, list(links))


class _Page:
    """The rows of one page, gathered and then written table by table."""

    def __init__(self, db: Connection, now: datetime, ids: dict[EntryKey, int]) -> None:
        self.db, self.now, self.ids = db, now, ids
        self.counts: Counter[tuple[int, date]] = Counter()
        self.gone: list[tuple[Table, int, int]] = []  # (tags or facets, term, position)
        self.tag_rows: list[dict[str, Any]] = []
        self.facet_rows: list[dict[str, Any]] = []
        self.unindexed: list[Indexed] = []
        self.indexed: list[Indexed] = []

    def store(self, writes: Sequence[Write], links: Sequence[Link]) -> None:
        db = self.db
        old_items = self._old_items([i for w in writes for i in (*w.absorbed, w.item_id) if i is not None])
        old_topics = {("topic", tag.topic) for old in old_items.values() for tag in load_tags(old.tags)}
        named = [_terms_of(w.item) for w in writes]
        terms = _term_ids(db, old_topics.union(*named))
        next_item, next_entry = _next_id(db, s.items), _next_id(db, s.entries)
        item_rows: list[dict[str, Any]] = []
        item_updates: list[dict[str, Any]] = []
        entry_rows: list[dict[str, Any]] = []
        entry_updates: list[dict[str, Any]] = []
        owners: list[tuple[Write, int]] = []
        for w, names in zip(writes, named, strict=True):
            if w.item_id is None:
                item_id, next_item = next_item, next_item + 1
            else:
                item_id = w.item_id
            for said in w.sayings:
                key = (said.entry.source, said.entry.key)
                if said.kept is None:
                    self.ids[key], next_entry = next_entry, next_entry + 1
                    entry_rows.append(self._entry_row(said, self.ids[key], item_id) | {"first_held": self.now})
                else:
                    self.ids[key] = said.kept.entry_id
                    entry_updates.append({f"b_{k}": v for k, v in self._entry_row(said, said.kept.entry_id, item_id).items()})
            old = old_items.get(item_id)
            new_terms = {terms[t] for t in names}
            row = self._item_row(w.item, item_id, self.ids[w.lead], new_terms)
            if old is None:
                item_rows.append(row | {"public_id": w.public_id})
            elif any(getattr(old, k) != v for k, v in row.items() if k != "changed"):
                item_updates.append({f"b_{k}": v for k, v in row.items()})
            self._postings(w.item, row, old, terms, new_terms)
            for absorbed in w.absorbed:
                self._removed(old_items[absorbed], terms)
            owners.append((w, item_id))
        _insert(db, s.items, item_rows)
        _insert(db, s.entries, entry_rows)
        _update(db, s.entries, entry_updates)
        self._move(owners)
        self._identifiers(owners)
        self._moments(owners)
        self._aliases(owners, old_items)
        gone = [{"b_id": i} for w in writes for i in w.absorbed]
        if gone:
            db.execute(s.items.delete().where(s.items.c.id == bindparam("b_id")), gone)
        _update(db, s.items, item_updates)
        self._versions([said for w in writes for said in w.sayings])
        self._news(owners)
        self._links(links)
        self._flush()

    def _old_items(self, ids: Sequence[int]) -> dict[int, Row[Any]]:
        """Stored items with the abstract that was indexed."""
        out: dict[int, Row[Any]] = {}
        query = select(s.items, s.entries.c.abstract).join(s.entries, s.entries.c.id == s.items.c.lead_entry)
        for part in chunks(sorted(set(ids))):
            out.update({r.id: r for r in self.db.execute(query.where(s.items.c.id.in_(part)))})
        return out

    def _item_row(self, item: ItemData, item_id: int, lead: int, terms: Iterable[int]) -> dict[str, Any]:
        return {
            "id": item_id,
            "position": s.position_of(item.announced, item_id),
            "kind": item.kind.value,
            "title": item.title,
            "authors": as_json(list(item.authors)),
            "url": item.url,
            "venue": item.venue,
            "announced": item.announced,
            "estimated": item.estimated,
            "submitted": item.submitted,
            "updated": item.updated,
            "withdrawn": item.withdrawn,
            "categories": " ".join(item.categories),
            "tags": dump_tags(item.tags),
            "terms": " ".join(map(str, sorted(terms))),
            "lead_entry": lead,
            "form": item.form,
            "level": item.level,
            "changed": self.now,
        }

    def _entry_row(self, said: Saying, entry_id: int, item_id: int) -> dict[str, Any]:
        e = said.entry
        return {
            "id": entry_id,
            "item_id": item_id,
            "source": e.source,
            "key": e.key,
            "version": e.version,
            "kind": e.kind.value,
            "title": e.title,
            "abstract": e.abstract,
            "authors": as_json(list(e.authors)),
            "url": e.url,
            "announced": e.announced,
            "basis": e.basis.value,
            "submitted": e.submitted,
            "updated": e.updated,
            "categories": " ".join(e.categories),
            "venue": e.venue,
            "details": dump_details(e),
            "identifiers": as_json([list(i) for i in e.identifiers]),
            "comment": e.comment,
            "journal": e.journal,
            "licence": e.licence,
            "withdrawn": e.withdrawn,
            "detail": e.detail.value,
            "hash": said.hash,
            "title_hash": title_hash(e.title) if e.kind is Kind.PAPER else 0,
            "changed": self.now,
        }

    def _postings(
        self,
        item: ItemData,
        row: dict[str, Any],
        old: Row[Any] | None,
        terms: dict[tuple[str, str], int],
        new_terms: set[int],
    ) -> None:
        """What tags, facets, counters and index lose and gain."""
        position, day = row["position"], item.announced
        new_tags = {terms["topic", t.topic]: t.score for t in item.tags}
        new_index = Indexed(position, item.title, " ".join(item.authors), item.summary, tuple(sorted(new_terms)))
        old_terms: set[int] = set()
        old_tags: dict[int, float] = {}
        if old is not None:
            old_terms, old_tags, old_index = _as_indexed(old, terms)
            if old_index != new_index:
                self.unindexed.append(old_index)
                self.indexed.append(new_index)
        else:
            self.indexed.append(new_index)
        moved = old is not None and old.position != position
        for term in old_terms:
            if old is not None and (
                moved or term not in new_terms or (term in old_tags and old_tags[term] != new_tags.get(term))
            ):
                self.gone.append((s.tags if term in old_tags else s.facets, term, old.position))
            if old is not None and (old.announced != day or term not in new_terms):
                self.counts[term, old.announced] -= 1
        for term in new_terms:
            if moved or term not in old_terms or (term in new_tags and old_tags.get(term) != new_tags[term]):
                if term in new_tags:
                    self.tag_rows.append({"term_id": term, "position": position, "score": new_tags[term]})
                else:
                    self.facet_rows.append({"term_id": term, "position": position})
            if old is None or old.announced != day or term not in old_terms:
                self.counts[term, day] += 1

    def _removed(self, old: Row[Any], terms: dict[tuple[str, str], int]) -> None:
        """Everything that an item which ends in another has in tags, facets, counters and index."""
        old_terms, old_tags, old_index = _as_indexed(old, terms)
        self.unindexed.append(old_index)
        for term in old_terms:
            self.gone.append((s.tags if term in old_tags else s.facets, term, old.position))
            self.counts[term, old.announced] -= 1

    def _move(self, owners: Sequence[tuple[Write, int]]) -> None:
        """Entries, and what they told, go with their item."""
        rows = [{"b_entry": entry_id, "b_item": item_id} for w, item_id in owners for entry_id in w.moved]
        if rows:
            for table, entry in ((s.entries, s.entries.c.id), (s.news, s.news.c.entry_id)):
                self.db.execute(table.update().where(entry == bindparam("b_entry")).values(item_id=bindparam("b_item")), rows)

    def _versions(self, sayings: Iterable[Saying]) -> None:
        rows: list[dict[str, Any]] = []
        stale: list[dict[str, Any]] = []
        for said in sayings:
            entry_id = self.ids[said.entry.source, said.entry.key]
            before = {v.number: v for v in said.kept.entry.versions} if said.kept else {}
            for v in said.entry.versions:
                if before.get(v.number) != v:
                    rows.append({"entry_id": entry_id, "number": v.number, "at": v.at, "withdrawn": v.withdrawn})
                    if v.number in before:
                        stale.append({"b_entry": entry_id, "b_number": v.number})
        if stale:
            table = s.entry_versions
            self.db.execute(
                table.delete().where(table.c.entry_id == bindparam("b_entry"), table.c.number == bindparam("b_number")), stale
            )
        _insert(self.db, s.entry_versions, rows)

    def _identifiers(self, owners: Sequence[tuple[Write, int]]) -> None:
        """The identifiers of each item are those of its entries."""
        wanted = {(*identifier, item_id) for w, item_id in owners for identifier in w.item.identifiers}
        known: set[tuple[str, str, int]] = set()
        for part in chunks(sorted({i for w, _ in owners for i in (*w.absorbed, w.item_id) if i is not None})):
            known.update(tuple(r) for r in self.db.execute(select(s.identifiers).where(s.identifiers.c.item_id.in_(part))))
        c = s.identifiers.c
        gone = [{"b_scheme": scheme, "b_value": value, "b_item": item_id} for scheme, value, item_id in sorted(known - wanted)]
        if gone:
            same = (c.scheme == bindparam("b_scheme"), c.value == bindparam("b_value"), c.item_id == bindparam("b_item"))
            self.db.execute(s.identifiers.delete().where(*same), gone)
        rows = [{"scheme": scheme, "value": value, "item_id": item_id} for scheme, value, item_id in sorted(wanted - known)]
        _insert(self.db, s.identifiers, rows)

    def _moments(self, owners: Sequence[tuple[Write, int]]) -> None:
        """The moments of each item are those that were derived with it."""
        c = s.moments.c
        wanted = {(item_id, m.at, m.what, m.label): m for w, item_id in owners for m in w.item.moments}
        known: dict[tuple[int, datetime, str, str], tuple[str, bool]] = {}
        for part in chunks(sorted({i for w, _ in owners for i in (*w.absorbed, w.item_id) if i is not None})):
            for r in self.db.execute(select(s.moments).where(c.item_id.in_(part))):
                known[r.item_id, r.at, r.what, r.label] = (r.said, r.whole_day)
        same = {key for key, m in wanted.items() if known.get(key) == (m.said, m.whole_day)}
        gone = [
            {"b_item": item_id, "b_at": at, "b_what": what, "b_label": label}
            for item_id, at, what, label in sorted(known.keys() - same)
        ]
        if gone:
            here = s.moments.delete().where(c.item_id == bindparam("b_item"), c.at == bindparam("b_at"))
            self.db.execute(here.where(c.what == bindparam("b_what"), c.label == bindparam("b_label")), gone)
        rows = [
            {"item_id": key[0], "at": m.at, "what": m.what, "label": m.label, "said": m.said, "whole_day": m.whole_day}
            for key, m in sorted(wanted.items())
            if key not in same
        ]
        _insert(self.db, s.moments, rows)

    def _aliases(self, owners: Sequence[tuple[Write, int]], old_items: Mapping[int, Row[Any]]) -> None:
        """The ids of items that end lead to the one that stays; a new item takes its id back from there."""
        back = [w.public_id for w, _ in owners if w.item_id is None]
        for part in chunks(back):
            self.db.execute(s.aliases.delete().where(s.aliases.c.public_id.in_(part)))
        ended = [(absorbed, item_id) for w, item_id in owners for absorbed in w.absorbed]
        for absorbed, item_id in ended:
            self.db.execute(s.aliases.update().where(s.aliases.c.item_id == absorbed).values(item_id=item_id))
        _insert(self.db, s.aliases, [{"public_id": old_items[a].public_id, "item_id": item_id} for a, item_id in ended])

    def _news(self, owners: Sequence[tuple[Write, int]]) -> None:
        """What is told for the first time by its entry."""
        told = [
            (n, self.ids[said.entry.source, said.entry.key], said.kept, i)
            for w, i in owners
            for said in w.sayings
            for n in said.news
        ]
        known: set[tuple[int, str, str]] = set()
        c = s.news.c
        for part in chunks(sorted({entry_id for _, entry_id, before, _ in told if before is not None})):
            known.update(tuple(r) for r in self.db.execute(select(c.entry_id, c.what, c.text).where(c.entry_id.in_(part))))
        self._retract(told)
        self._retract_closing([(self.ids[x.entry.source, x.entry.key], x) for w, _ in owners for x in w.sayings])
        rows = {
            (entry_id, n.what, n.text): {
                "entry_id": entry_id, "what": n.what, "text": n.text, "status": n.status, "day": n.day, "item_id": item_id,
            }
            for n, entry_id, _, item_id in told
            if (entry_id, n.what, n.text) not in known
        }  # fmt: skip
        _insert(self.db, s.news, list(rows.values()))

    def _retract(self, told: Sequence[tuple[News, int, Kept | None, int]]) -> None:
        """A venue that corrects its name or year confirms what it says now, and not what it said before."""
        c = s.news.c
        now = {entry_id: n.text for n, entry_id, before, _ in told if before is not None and n.status == "confirmed"}
        for part in chunks(sorted(now)):
            rows = self.db.execute(
                select(c.entry_id, c.what, c.text).where(c.entry_id.in_(part), c.status == "confirmed")
            ).all()
            gone = [{"b_entry": r.entry_id, "b_what": r.what, "b_text": r.text} for r in rows if r.text != now[r.entry_id]]
            if gone:
                same = (c.entry_id == bindparam("b_entry"), c.what == bindparam("b_what"), c.text == bindparam("b_text"))
                self.db.execute(s.news.delete().where(*same), gone)

    def _retract_closing(self, sayings: Sequence[tuple[int, Saying]]) -> None:
        """Dates that are not said any more do not come near."""
        c = s.news.c
        now = {
            entry_id: {n.text for n in said.news if n.what == "closing"}
            for entry_id, said in sayings
            if said.kept is not None and said.kept.entry.moments
        }
        for part in chunks(sorted(now)):
            rows = self.db.execute(select(c.entry_id, c.text).where(c.entry_id.in_(part), c.what == "closing")).all()
            for r in rows:
                if r.text not in now[r.entry_id]:
                    self.db.execute(s.news.delete().where(c.entry_id == r.entry_id, c.what == "closing", c.text == r.text))

    def _links(self, links: Sequence[Link]) -> None:
        """Why entries are one item; a link that is known keeps its reason."""
        wanted = {}
        for link in links:
            a, b = sorted((self.ids[link.one], self.ids[link.other]))
            wanted[a, b] = link.reason
        known: set[tuple[int, int]] = set()
        c = s.links.c
        for part in chunks(sorted(wanted)):
            known.update(
                (r.entry_id, r.other_id)
                for r in self.db.execute(select(s.links).where(tuple_(c.entry_id, c.other_id).in_(part)))
            )
        _insert(
            self.db,
            s.links,
            [
                {"entry_id": a, "other_id": b, "reason": reason}
                for (a, b), reason in sorted(wanted.items())
                if (a, b) not in known
            ],
        )

    def _flush(self) -> None:
        db = self.db
        for table in (s.tags, s.facets):
            rows = [{"b_term": term, "b_position": p} for which, term, p in self.gone if which is table]
            if rows:
                db.execute(
                    table.delete().where(table.c.term_id == bindparam("b_term"), table.c.position == bindparam("b_position")),
                    rows,
                )
        # In key order: neighbours of a page meet in the same leaf of the index.
        _insert(db, s.tags, sorted(self.tag_rows, key=lambda r: (r["term_id"], r["position"])))
        _insert(db, s.facets, sorted(self.facet_rows, key=lambda r: (r["term_id"], r["position"])))
        search.replace(db, self.unindexed, self.indexed)
        changed = [{"term": t, "day": d, "n": n} for (t, d), n in sorted(self.counts.items()) if n]
        if changed:
            db.execute(
                text(
                    "INSERT INTO daily_counts (term_id, day, n) VALUES (:term, :day, :n) "
                    "ON CONFLICT (term_id, day) DO UPDATE SET n = daily_counts.n + excluded.n"
                ).bindparams(bindparam("day", type_=s.daily_counts.c.day.type)),
                changed,
            )


def _as_indexed(old: Row[Any], terms: dict[tuple[str, str], int]) -> tuple[set[int], dict[int, float], Indexed]:
    """Terms, scores of those that are topics, and index row of a stored item. To remove a row, FTS5 wants its words again."""
    ids = {int(t) for t in old.terms.split()}
    scores = {terms["topic", tag.topic]: tag.score for tag in load_tags(old.tags)}
    return ids, scores, Indexed(old.position, old.title, " ".join(json.loads(old.authors)), old.abstract, tuple(sorted(ids)))


def _terms_of(item: ItemData) -> set[tuple[str, str]]:
    """The terms an item is found by."""
    out = {("kind", item.kind.value)} | {("source", v) for v in item.sources} | {("area", v) for v in item.areas}
    out |= {("category", canonical(v)) for v in item.categories} | {("topic", t.topic) for t in item.tags}
    out |= {(scheme, v) for scheme, v in (("form", item.form), ("level", item.level)) if v}
    return out | {("venue", v) for v in item.venues}


def _term_ids(db: Connection, wanted: set[tuple[str, str]]) -> dict[tuple[str, str], int]:
    """Ids of the terms, made where new."""
    found: dict[tuple[str, str], int] = {}
    for part in chunks(sorted(wanted)):
        rows = db.execute(select(s.terms).where(tuple_(s.terms.c.scheme, s.terms.c.value).in_(part)))
        found.update({(r.scheme, r.value): r.id for r in rows})
    missing = sorted(wanted - set(found))
    if missing:
        first = _next_id(db, s.terms)
        made = {term: first + i for i, term in enumerate(missing)}
        _insert(db, s.terms, [{"id": i, "scheme": scheme, "value": value} for (scheme, value), i in made.items()])
        found |= made
    return found


def _next_id(db: Connection, table: Table) -> int:
    """The next free row id; safe because one page is written at a time."""
    return int(db.execute(select(func.coalesce(func.max(table.c.id), 0))).scalar_one()) + 1


def _insert(db: Connection, table: Table, rows: Sequence[Mapping[str, Any]]) -> None:
    """Insert rows that all have the same columns.

    The statement is SQLAlchemy's and so are the forms of the values; the rows go to the driver as they are. SQLAlchemy's own
    way puts a dictionary together for each row once more, which takes as long as SQLite does.
    """
    if not rows:
        return
    dialect = db.dialect
    statement = table.insert().compile(dialect=dialect, column_keys=list(rows[0]))
    names = statement.positiontup or list(rows[0])
    forms = [(n, table.c[n].type.dialect_impl(dialect).bind_processor(dialect)) for n in names]
    columns = [[form(r[n]) for r in rows] if form else [r[n] for r in rows] for n, form in forms]
    values = list(zip(*columns, strict=True))
    db.exec_driver_sql(str(statement), values if statement.positional else [dict(zip(names, v, strict=True)) for v in values])


def _update(db: Connection, table: Table, rows: Sequence[dict[str, Any]]) -> None:
    """Update by id; rows carry the new values under b_<column>."""
    if rows:
        values: dict[str, Any] = {k.removeprefix("b_"): bindparam(k) for k in rows[0] if k != "b_id"}
        db.execute(table.update().where(table.c.id == bindparam("b_id")).values(values), list(rows))
