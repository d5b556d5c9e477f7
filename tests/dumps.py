"""The whole content of a database in a form that two databases can be compared by.

Row numbers become names, rows are sorted.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from sqlalchemy import text

from catalog.storage import Storage

#: Every table but the ledger, the leases and the search index (which `search_terms` checks by asking it).
_QUERIES = {
    "items": """
        SELECT public_id, announced, kind, title, authors, url, venue, estimated, submitted, updated, withdrawn, categories,
        tags, {changed}
        FROM items""",
    "entries": """
        SELECT i.public_id, e.source, e.key, e.version, e.kind, e.title, e.abstract, e.authors, e.url, e.announced, e.basis,
        e.submitted,
               e.updated, e.categories, e.venue, e.details,
               e.title_hash, e.identifiers, e.comment, e.journal, e.licence, e.withdrawn, e.detail, e.hash,
               {e_held}, {e_changed}
        FROM entries e JOIN items i ON i.id = e.item_id""",
    "lead": "SELECT i.public_id, e.source, e.key FROM items i JOIN entries e ON e.id = i.lead_entry",
    "versions": """
        SELECT e.source, e.key, v.number, v.at, v.withdrawn FROM entry_versions v JOIN entries e ON e.id = v.entry_id""",
    "identifiers": "SELECT d.scheme, d.value, i.public_id FROM identifiers d JOIN items i ON i.id = d.item_id",
    "news": """
        SELECT i.public_id, e.source, e.key, n.day, n.what, n.text, n.status FROM news n JOIN items i ON i.id = n.item_id
        JOIN entries e ON e.id = n.entry_id""",
    "links": """
        SELECT a.source || ' ' || a.key, b.source || ' ' || b.key, l.reason FROM links l
        JOIN entries a ON a.id = l.entry_id JOIN entries b ON b.id = l.other_id""",
    "corrections": "SELECT source, key, other_source, other_key, same FROM corrections",
    "overrides": "SELECT source, key, topic, given FROM overrides",
    "aliases": "SELECT a.public_id, i.public_id FROM aliases a JOIN items i ON i.id = a.item_id",
    "tags": """
        SELECT t.scheme, t.value, i.public_id, g.score FROM tags g JOIN terms t ON t.id = g.term_id
        LEFT JOIN items i ON i.position = g.position""",
    "facets": """
        SELECT t.scheme, t.value, i.public_id FROM facets f JOIN terms t ON t.id = f.term_id LEFT JOIN items i ON i.position =
        f.position""",
    "daily_counts": "SELECT t.scheme, t.value, c.day, c.n FROM daily_counts c JOIN terms t ON t.id = c.term_id WHERE c.n <> 0",
    "parts": "SELECT source, part, cursor, etag, last_modified FROM source_parts",
    "batches": "SELECT source, part, day, announced, held, missing, note FROM batches",
}


def dump(storage: Storage, *, instants: bool = True) -> dict[str, list[tuple[Any, ...]]]:
    """Sorted rows by table; `instants` False leaves out when things were fetched and written."""
    fill = {
        "changed": "changed" if instants else "'' AS changed",
        "e_changed": "e.changed" if instants else "'' AS changed",
        "e_held": "e.first_held" if instants else "'' AS first_held",
    }
    with storage.read() as db:
        return {
            name: sorted((_row(name, tuple(map(_plain, row))) for row in db.execute(text(query.format(**fill)))), key=str)
            for name, query in _QUERIES.items()
        }


def _row(name: str, row: tuple[str, ...]) -> tuple[str, ...]:
    """The row; which of two linked entries is first depends on their numbers."""
    return (*sorted(row[:2]), *row[2:]) if name == "links" else row


def _plain(value: Any) -> str:
    """A value as SQLite keeps it: truth as a number, instants as text in UTC."""
    if isinstance(value, bool):
        return str(int(value))
    if isinstance(value, datetime):
        return value.astimezone(UTC).replace(tzinfo=None).isoformat(timespec="microseconds") + "Z"
    return str(value)


def differences(
    one: dict[str, list[tuple[Any, ...]]], other: dict[str, list[tuple[Any, ...]]]
) -> dict[str, tuple[list[Any], list[Any]]]:
    """By table: up to three rows that only the one and only the other has; empty when equal."""
    out = {}
    for name, rows in one.items():
        left, right = set(rows) - set(other[name]), set(other[name]) - set(rows)
        if left or right or len(rows) != len(other[name]):
            out[name] = (sorted(left, key=str)[:3], sorted(right, key=str)[:3])
    return out


def check_derived(storage: Storage) -> None:
    """Assert that tags, facets, counters and the search index are exactly what the items say."""
    with storage.read() as db:
        items = db.execute(text("SELECT id, position, announced, terms, tags, public_id FROM items")).all()
        terms = {r.id: (r.scheme, r.value) for r in db.execute(text("SELECT id, scheme, value FROM terms"))}
        postings = {(r.term_id, r.position) for r in db.execute(text("SELECT term_id, position FROM tags"))}
        postings |= {(r.term_id, r.position) for r in db.execute(text("SELECT term_id, position FROM facets"))}
        wanted = {(int(t), r.position) for r in items for t in r.terms.split()}
        assert postings == wanted
        counted = {
            (r.term_id, str(r.day)): r.n for r in db.execute(text("SELECT term_id, day, n FROM daily_counts WHERE n <> 0"))
        }
        live: dict[tuple[int, str], int] = {}
        for r in items:
            for t in r.terms.split():
                live[int(t), str(r.announced)] = live.get((int(t), str(r.announced)), 0) + 1
        assert counted == live
        if storage.dialect == "sqlite":
            rows = [r[0] for r in db.execute(text("SELECT id FROM search_docsize"))]
        else:
            rows = [r[0] for r in db.execute(text("SELECT position FROM search"))]
        assert sorted(rows) == sorted(r.position for r in items)
        assert all(terms.values())
