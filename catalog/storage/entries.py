"""What is kept of the entries, as ingestion asks for it, and the forms in which columns hold it."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any

from sqlalchemy import Connection, Row, bindparam, func, or_, select, tuple_

from catalog.entries import Basis, Detail, EntryData, EntryKey, Kind, Link, Moment, Version
from catalog.items import Tag
from catalog.storage import schema as s
from catalog.titles import title_hash

_CHUNK = 500  # bound parameters per statement; SQLite's and PostgreSQL's limits are far above


@dataclass(frozen=True, slots=True)
class Kept:
    """An entry as it is stored now."""

    entry: EntryData
    hash: str
    entry_id: int
    item_id: int


def chunks(values: Sequence[Any], size: int = _CHUNK) -> Iterator[Sequence[Any]]:
    """The values in slices of at most `size`."""
    for i in range(0, len(values), size):
        yield values[i : i + size]


def kept(db: Connection, source: str, keys: Iterable[str]) -> dict[str, Kept]:
    """The stored entries of these keys, by key."""
    rows: list[Row[Any]] = []
    for part in chunks(sorted(set(keys))):
        rows += db.execute(select(s.entries).where(s.entries.c.source == source, s.entries.c.key.in_(part))).all()
    return {k.entry.key: k for k in _kept(db, rows)}


@dataclass(frozen=True, slots=True)
class Told:
    """As much of a stored entry as shows that a saying repeats it."""

    hash: str
    announced: date
    basis: Basis
    detail: Detail


def told(db: Connection, source: str, keys: Iterable[str]) -> dict[str, Told]:
    """Hashes and dates of the stored entries of these keys, by key: a tenth of the work of reading them whole."""
    c = s.entries.c
    found: dict[str, Told] = {}
    for part in chunks(sorted(set(keys))):
        query = select(c.key, c.hash, c.announced, c.basis, c.detail).where(c.source == source, c.key.in_(part))
        for key, digest, announced, basis, detail in db.execute(query):
            found[key] = Told(digest, announced, Basis(basis), Detail(detail))
    return found


def of_keys(db: Connection, keys: Iterable[EntryKey]) -> list[Kept]:
    """The stored entries of these sources and keys."""
    rows: list[Row[Any]] = []
    for part in chunks(sorted(set(keys))):
        rows += db.execute(select(s.entries).where(tuple_(s.entries.c.source, s.entries.c.key).in_(part))).all()
    return _kept(db, rows)


def of_items(db: Connection, item_ids: Iterable[int]) -> list[Kept]:
    """All entries of these items."""
    rows: list[Row[Any]] = []
    for part in chunks(sorted(set(item_ids))):
        rows += db.execute(select(s.entries).where(s.entries.c.item_id.in_(part))).all()
    return _kept(db, rows)


def like(db: Connection, said: Iterable[EntryData], schemes: Collection[str]) -> set[int]:
    """Items with an identifier of these schemes, or with a paper's title, in common with one of the entries."""
    said = list(said)
    found: set[int] = set()
    for part in chunks(sorted({i for e in said for i in e.identifiers if i[0] in schemes})):
        query = select(s.identifiers.c.item_id).where(tuple_(s.identifiers.c.scheme, s.identifiers.c.value).in_(part))
        found.update(db.execute(query).scalars())
    for part in chunks(sorted({title_hash(e.title) for e in said if e.kind is Kind.PAPER} - {0})):
        found.update(db.execute(select(s.entries.c.item_id).where(s.entries.c.title_hash.in_(part))).scalars())
    return found


def labels_of(db: Connection, item_ids: Iterable[int]) -> dict[int, tuple[tuple[Tag, ...], str, str]]:
    """Tags, form and level of items by id."""
    c = s.items.c
    found: dict[int, tuple[tuple[Tag, ...], str, str]] = {}
    for part in chunks(sorted(set(item_ids))):
        query = select(c.id, c.tags, c.form, c.level).where(c.id.in_(part))
        found.update({r.id: (load_tags(r.tags), r.form, r.level) for r in db.execute(query)})
    return found


def links_of(db: Connection, entry_ids: Iterable[int]) -> list[Link]:
    """The links at these entries, in the order of their keys."""
    one, other = s.entries.alias(), s.entries.alias()
    query = select(one.c.source, one.c.key, other.c.source, other.c.key, s.links.c.reason)
    query = query.join(one, one.c.id == s.links.c.entry_id).join(other, other.c.id == s.links.c.other_id)
    found: set[Link] = set()
    for part in chunks(sorted(set(entry_ids))):
        here = or_(s.links.c.entry_id.in_(part), s.links.c.other_id.in_(part))
        for a_source, a_key, b_source, b_key, reason in db.execute(query.where(here)):
            a, b = sorted(((a_source, a_key), (b_source, b_key)))
            found.add(Link(a, b, reason))
    return sorted(found, key=lambda link: (link.one, link.other))


def unlink(db: Connection, pairs: Iterable[tuple[int, int]]) -> None:
    """Take away the links between these entries."""
    rows = [{"b_one": min(pair), "b_other": max(pair)} for pair in pairs]
    if rows:
        here = (s.links.c.entry_id == bindparam("b_one"), s.links.c.other_id == bindparam("b_other"))
        db.execute(s.links.delete().where(*here), rows)


def _kept(db: Connection, rows: Sequence[Row[Any]]) -> list[Kept]:
    versions: dict[int, list[Version]] = {}
    for ids in chunks([r.id for r in rows]):
        for v in db.execute(
            select(s.entry_versions).where(s.entry_versions.c.entry_id.in_(ids)).order_by(s.entry_versions.c.number)
        ):
            versions.setdefault(v.entry_id, []).append(Version(v.number, v.at, v.withdrawn))
    return [Kept(_entry(r, tuple(versions.get(r.id, ()))), r.hash, r.id, r.item_id) for r in rows]


def _entry(r: Row[Any], versions: tuple[Version, ...]) -> EntryData:
    return EntryData(
        source=r.source, key=r.key, kind=Kind(r.kind), title=r.title, url=r.url, abstract=r.abstract,
        authors=tuple(json.loads(r.authors)), announced=r.announced, basis=Basis(r.basis), submitted=r.submitted,
        updated=r.updated, version=r.version, versions=versions, categories=tuple(r.categories.split()), venue=r.venue,
        identifiers=tuple((a, b) for a, b in json.loads(r.identifiers)), comment=r.comment, journal=r.journal,
        licence=r.licence, withdrawn=r.withdrawn, detail=Detail(r.detail), **load_details(r.details),
    )  # fmt: skip


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


def dump_tags(tags: Iterable[Tag]) -> str:
    """Tags as the compact JSON of items.tags, best first, without evidence."""
    return as_json([[t.topic, t.score] for t in tags])


def load_tags(stored: str) -> tuple[Tag, ...]:
    """The inverse of `dump_tags`."""
    return tuple(Tag(topic, score) for topic, score in json.loads(stored))


_JSON = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"))  # made once: json.dumps makes one at each call
_DETAILS = ("year", "track", "decision", "award", "subjects", "keywords", "about")


def dump_details(entry: EntryData) -> str:
    """What a venue says beside the rest, as the column holds it."""
    said: dict[str, Any] = {name: value for name in _DETAILS if (value := getattr(entry, name))}
    if entry.moments:
        said["moments"] = [[m.at.isoformat(), m.what, m.label, m.said, m.whole_day] for m in entry.moments]
    return as_json(said) if said else ""


def load_details(text: str) -> dict[str, Any]:
    """The inverse of `dump_details`, as arguments of EntryData."""
    if not text:
        return {}
    found = {k: tuple(v) if isinstance(v, list) else v for k, v in json.loads(text).items()}
    if "about" in found:
        found["about"] = tuple((name, value) for name, value in found["about"])
    if "moments" in found:
        found["moments"] = tuple(Moment(datetime.fromisoformat(at).astimezone(UTC), *rest) for at, *rest in found["moments"])
    return found


def as_json(value: Any) -> str:
    """Compact JSON, as the columns hold it."""
    return _JSON.encode(value)
