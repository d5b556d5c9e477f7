"""Writing what ingestion found: entries, their items and everything derived from them, in the caller's transaction."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import Connection, Row, Table, bindparam, func, select, text, tuple_

from catalog.categories import canonical
from catalog.entries import Basis, Detail, EntryData, Kind, Version
from catalog.items import Evidence, ItemData, Tag
from catalog.storage import schema as s
from catalog.storage import search
from catalog.storage.search import Indexed
from catalog.titles import title_hash

_CHUNK = 500  # bound parameters per statement; SQLite's and PostgreSQL's limits are far above
_WRITE_LOCK = 0x53464957  # pg_advisory_xact_lock: one page is written at a time, as SQLite does by itself


@dataclass(frozen=True, slots=True)
class Kept:
    """An entry as it is stored now."""

    entry: EntryData
    hash: str
    entry_id: int
    item_id: int


@dataclass(frozen=True, slots=True)
class Write:
    """One entry to store, with the item as it shall be afterwards."""

    entry: EntryData
    hash: str
    kept: Kept | None  # None: the entry is new
    item: ItemData
    item_id: int | None  # None: the entry founds an item
    public_id: str  # of the item it would found


def chunks(values: Sequence[Any], size: int = _CHUNK) -> Iterator[Sequence[Any]]:
    """The values in slices of at most `size`."""
    for i in range(0, len(values), size):
        yield values[i : i + size]


def lock_writes(db: Connection) -> None:
    """Wait for the other writers of pages; SQLite's write transaction has done so already."""
    if db.dialect.name != "sqlite":
        db.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _WRITE_LOCK})


def kept(db: Connection, source: str, keys: Iterable[str]) -> dict[str, Kept]:
    """The stored entries of these keys, by key."""
    found: dict[str, Kept] = {}
    versions: dict[int, list[Version]] = {}
    rows: list[Row[Any]] = []
    for part in chunks(sorted(set(keys))):
        rows += db.execute(select(s.entries).where(s.entries.c.source == source, s.entries.c.key.in_(part))).all()
    for ids in chunks([r.id for r in rows]):
        for v in db.execute(
            select(s.entry_versions).where(s.entry_versions.c.entry_id.in_(ids)).order_by(s.entry_versions.c.number)
        ):
            versions.setdefault(v.entry_id, []).append(Version(v.number, v.at, v.withdrawn))
    for r in rows:
        entry = EntryData(
            source=r.source, key=r.key, kind=Kind(r.kind), title=r.title, url=r.url, abstract=r.abstract,
            authors=tuple(json.loads(r.authors)), announced=r.announced, basis=Basis(r.basis), submitted=r.submitted,
            updated=r.updated, version=r.version, versions=tuple(versions.get(r.id, ())),
            categories=tuple(r.categories.split()), venue=r.venue,
            identifiers=tuple((a, b) for a, b in json.loads(r.identifiers)), comment=r.comment, journal=r.journal,
            licence=r.licence, withdrawn=r.withdrawn, detail=Detail(r.detail), **load_details(r.details),
        )  # fmt: skip
        found[r.key] = Kept(entry, r.hash, r.id, r.item_id)
    return found


def standing(db: Connection, source: str, prefix: str) -> set[str]:
    """The keys with this prefix that are held and not withdrawn."""
    c = s.entries.c
    # Not a range: PostgreSQL's order of text depends on the locale it was set up with.
    query = select(c.key).where(c.source == source, func.substr(c.key, 1, len(prefix)) == prefix, c.withdrawn.is_(False))
    return set(db.execute(query).scalars())


def held(db: Connection, source: str, keys: Iterable[str]) -> set[str]:
    """Those of the keys that are held."""
    found: set[str] = set()
    for part in chunks(sorted(set(keys))):
        found.update(
            db.execute(select(s.entries.c.key).where(s.entries.c.source == source, s.entries.c.key.in_(part))).scalars()
        )
    return found


def items_by_identifier(db: Connection, identifiers: Iterable[tuple[str, str]]) -> dict[tuple[str, str], int]:
    """The items that the identifiers lead to, by identifier."""
    found: dict[tuple[str, str], int] = {}
    for part in chunks(sorted(set(identifiers))):
        rows = db.execute(select(s.identifiers).where(tuple_(s.identifiers.c.scheme, s.identifiers.c.value).in_(part)))
        found.update({(r.scheme, r.value): r.item_id for r in rows})
    return found


def store(db: Connection, writes: Sequence[Write], now: datetime) -> None:
    """Store the entries and items; `now` is the instance's clock. At most one write per entry and per item in one call."""
    if writes:
        _Page(db, now).store(writes)


class _Page:
    """The rows of one page, gathered and then written table by table."""

    def __init__(self, db: Connection, now: datetime) -> None:
        self.db, self.now = db, now
        self.counts: Counter[tuple[int, date]] = Counter()
        self.gone: list[tuple[Table, int, int]] = []  # (tags or facets, term, position)
        self.tag_rows: list[dict[str, Any]] = []
        self.facet_rows: list[dict[str, Any]] = []
        self.unindexed: list[Indexed] = []
        self.indexed: list[Indexed] = []

    def store(self, writes: Sequence[Write]) -> None:
        db = self.db
        old_items = self._old_items([w.item_id for w in writes if w.item_id is not None])
        old_topics = {("topic", tag.topic) for old in old_items.values() for tag in load_tags(old.tags)}
        terms = _term_ids(db, {t for w in writes for t in _terms_of(w.item)} | old_topics)
        next_item, next_entry = _next_id(db, s.items), _next_id(db, s.entries)
        item_rows: list[dict[str, Any]] = []
        item_updates: list[dict[str, Any]] = []
        entry_rows: list[dict[str, Any]] = []
        entry_updates: list[dict[str, Any]] = []
        owners: list[tuple[Write, int, int]] = []
        for w in writes:
            if w.item_id is None:
                item_id, next_item = next_item, next_item + 1
            else:
                item_id = w.item_id
            if w.kept is None:
                entry_id, next_entry = next_entry, next_entry + 1
            else:
                entry_id = w.kept.entry_id
            old = old_items.get(item_id)
            lead = old.lead_entry if old is not None else entry_id
            body = w.entry.abstract if lead == entry_id else old.abstract if old is not None else ""
            row = self._item_row(w, item_id, lead, terms)
            if old is None:
                item_rows.append(row | {"public_id": w.public_id})
            elif any(getattr(old, k) != v for k, v in row.items() if k != "changed"):
                item_updates.append({f"b_{k}": v for k, v in row.items()})
            self._postings(w.item, row, body, old, terms)
            entry_row = self._entry_row(w, entry_id, item_id)
            if w.kept is None:
                entry_rows.append(entry_row | {"first_held": self.now})
            else:
                entry_updates.append({f"b_{k}": v for k, v in entry_row.items()})
            owners.append((w, item_id, entry_id))
        _insert(db, s.items, item_rows)
        _update(db, s.items, item_updates)
        _insert(db, s.entries, entry_rows)
        _update(db, s.entries, entry_updates)
        self._versions(owners)
        self._identifiers(owners)
        self._news(owners)
        self._flush()

    def _old_items(self, ids: Sequence[int]) -> dict[int, Row[Any]]:
        """Stored items with the abstract that was indexed."""
        out: dict[int, Row[Any]] = {}
        query = select(s.items, s.entries.c.abstract).join(s.entries, s.entries.c.id == s.items.c.lead_entry)
        for part in chunks(sorted(set(ids))):
            out.update({r.id: r for r in self.db.execute(query.where(s.items.c.id.in_(part)))})
        return out

    def _item_row(self, w: Write, item_id: int, lead: int, terms: dict[tuple[str, str], int]) -> dict[str, Any]:
        item = w.item
        return {
            "id": item_id,
            "position": s.position_of(item.announced, item_id),
            "kind": item.kind.value,
            "title": item.title,
            "authors": _json(list(item.authors)),
            "url": item.url,
            "venue": item.venue,
            "announced": item.announced,
            "estimated": item.estimated,
            "submitted": item.submitted,
            "updated": item.updated,
            "withdrawn": item.withdrawn,
            "categories": " ".join(item.categories),
            "tags": dump_tags(item.tags),
            "terms": " ".join(str(t) for t in sorted(terms[t] for t in _terms_of(item))),
            "lead_entry": lead,
            "changed": self.now,
        }

    def _entry_row(self, w: Write, entry_id: int, item_id: int) -> dict[str, Any]:
        e = w.entry
        return {
            "id": entry_id,
            "item_id": item_id,
            "source": e.source,
            "key": e.key,
            "version": e.version,
            "kind": e.kind.value,
            "title": e.title,
            "abstract": e.abstract,
            "authors": _json(list(e.authors)),
            "url": e.url,
            "announced": e.announced or w.item.announced,
            "basis": e.basis.value,
            "submitted": e.submitted,
            "updated": e.updated,
            "categories": " ".join(e.categories),
            "venue": e.venue,
            "details": dump_details(e),
            "identifiers": _json([list(i) for i in e.identifiers]),
            "comment": e.comment,
            "journal": e.journal,
            "licence": e.licence,
            "withdrawn": e.withdrawn,
            "detail": e.detail.value,
            "hash": w.hash,
            "title_hash": title_hash(e.title) if e.kind is Kind.PAPER else 0,
            "changed": self.now,
        }

    def _postings(
        self, item: ItemData, row: dict[str, Any], body: str, old: Row[Any] | None, terms: dict[tuple[str, str], int]
    ) -> None:
        """What tags, facets, counters and index lose and gain; `body` is the lead's, as a removal from FTS5 repeats it."""
        position, day = row["position"], item.announced
        new_tags = {terms["topic", t.topic]: t.score for t in item.tags}
        new_terms = {terms[t] for t in _terms_of(item)}
        new_index = Indexed(position, item.title, " ".join(item.authors), body, tuple(sorted(new_terms)))
        old_terms: set[int] = set()
        old_tags: dict[int, float] = {}
        if old is not None:
            old_terms = {int(t) for t in old.terms.split()}
            old_tags = {terms["topic", tag.topic]: tag.score for tag in load_tags(old.tags)}
            old_index = Indexed(
                old.position, old.title, " ".join(json.loads(old.authors)), old.abstract, tuple(sorted(old_terms))
            )
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

    def _versions(self, owners: Sequence[tuple[Write, int, int]]) -> None:
        rows: list[dict[str, Any]] = []
        stale: list[dict[str, Any]] = []
        for w, _, entry_id in owners:
            before = {v.number: v for v in w.kept.entry.versions} if w.kept else {}
            for v in w.entry.versions:
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

    def _identifiers(self, owners: Sequence[tuple[Write, int, int]]) -> None:
        """New identifiers; one that another item holds already stays there, and is left to `resolve`."""
        wanted = {i: item_id for w, item_id, _ in owners for i in w.entry.identifiers}
        known = items_by_identifier(self.db, wanted)
        rows = [{"scheme": i[0], "value": i[1], "item_id": item_id} for i, item_id in wanted.items() if i not in known]
        _insert(self.db, s.identifiers, rows)

    def _news(self, owners: Sequence[tuple[Write, int, int]]) -> None:
        for w, item_id, entry_id in owners:
            for n in w.item.news:
                table = s.news
                same = (table.c.entry_id == entry_id, table.c.what == n.what, table.c.text == n.text)
                if not self.db.execute(select(func.count()).where(*same)).scalar_one():
                    row = {
                        "entry_id": entry_id,
                        "what": n.what,
                        "text": n.text,
                        "status": n.status,
                        "day": n.day,
                        "item_id": item_id,
                    }
                    self.db.execute(table.insert(), row)

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


def dump_tags(tags: Iterable[Tag]) -> str:
    """Tags as the compact JSON of items.tags, best first."""
    return _json([[t.topic, t.score, [[e.field, e.start, e.end, e.words] for e in t.evidence]] for t in tags])


def load_tags(stored: str) -> tuple[Tag, ...]:
    """The inverse of `dump_tags`."""
    return tuple(
        Tag(topic, score, tuple(Evidence(field, words, start, end) for field, start, end, words in evidence))
        for topic, score, evidence in json.loads(stored)
    )


def _terms_of(item: ItemData) -> set[tuple[str, str]]:
    """The terms an item is found by."""
    out = {("kind", item.kind.value)} | {("source", v) for v in item.sources} | {("area", v) for v in item.areas}
    out |= {("category", canonical(v)) for v in item.categories} | {("topic", t.topic) for t in item.tags}
    return out | ({("venue", item.venue)} if item.venue else set())


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


def _insert(db: Connection, table: Table, rows: Sequence[dict[str, Any]]) -> None:
    if rows:
        db.execute(table.insert(), list(rows))


def _update(db: Connection, table: Table, rows: Sequence[dict[str, Any]]) -> None:
    """Update by id; rows carry the new values under b_<column>."""
    if rows:
        values: dict[str, Any] = {k.removeprefix("b_"): bindparam(k) for k in rows[0] if k != "b_id"}
        db.execute(table.update().where(table.c.id == bindparam("b_id")).values(values), list(rows))


_DETAILS = ("year", "track", "decision", "award", "subjects", "keywords")


def dump_details(entry: EntryData) -> str:
    """What a venue says beside the rest, as the column holds it."""
    said = {name: value for name in _DETAILS if (value := getattr(entry, name))}
    return _json(said) if said else ""


def load_details(text: str) -> dict[str, Any]:
    """The inverse of `dump_details`, as arguments of EntryData."""
    if not text:
        return {}
    return {k: tuple(v) if isinstance(v, list) else v for k, v in json.loads(text).items()}


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
