"""What tagging everything anew needs: the items in pieces with their labels as they are stored, and how far it has come."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Connection, select

from catalog.items import Tag
from catalog.storage import schema as s
from catalog.storage.engine import insert
from catalog.storage.entries import load_tags

SCHEMES = ("topic", "area", "form", "level")  # of labels: what is derived from the words of an item
_DONE, _UNDER_WAY = "tagger", "retag"  # keys of meta: a version; a version, a blank and the last item that was seen to


@dataclass(frozen=True, slots=True)
class Labelled:
    """An item with its labels as they are stored."""

    item_id: int
    public_id: str
    title: str
    tags: tuple[Tag, ...]
    labels: frozenset[tuple[str, str]]  # scheme of `SCHEMES` and value


def batch(db: Connection, after: int, limit: int) -> list[Labelled]:
    """The next items by row id."""
    c = s.items.c
    terms = {r.id: (r.scheme, r.value) for r in db.execute(select(s.terms).where(s.terms.c.scheme.in_(SCHEMES)))}  # some eighty
    rows = db.execute(select(c.id, c.public_id, c.title, c.tags, c.terms).where(c.id > after).order_by(c.id).limit(limit)).all()
    out = []
    for r in rows:
        labels = frozenset(terms[i] for i in map(int, r.terms.split()) if i in terms)
        out.append(Labelled(r.id, r.public_id, r.title, load_tags(r.tags), labels))
    return out


def version(db: Connection) -> str:
    """The version of the tagger that all items were last tagged with; "" when that was never noted."""
    return _read(db, _DONE)


def progress(db: Connection, version: str) -> int:
    """The last item that was seen to on the way to this version; 0 before the first."""
    wanted, _, last = _read(db, _UNDER_WAY).partition(" ")
    return int(last) if wanted == version and last else 0


def note_progress(db: Connection, version: str, last: int) -> None:
    """All items up to this one are tagged with this version."""
    _put(db, _UNDER_WAY, f"{version} {last}")


def note_done(db: Connection, version: str) -> None:
    """All items are tagged with this version."""
    db.execute(s.meta.delete().where(s.meta.c.key == _UNDER_WAY))
    _put(db, _DONE, version)


def _read(db: Connection, key: str) -> str:
    return db.execute(select(s.meta.c.value).where(s.meta.c.key == key)).scalar_one_or_none() or ""


def _put(db: Connection, key: str, value: str) -> None:
    made = insert(db, s.meta).values(key=key, value=value)
    db.execute(made.on_conflict_do_update(index_elements=["key"], set_={"value": made.excluded.value}))
