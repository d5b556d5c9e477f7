"""Tagging and storing alone, ours and bare."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from datetime import UTC, date, datetime
from pathlib import Path

from benchmarks import bare, wire
from benchmarks.measuring import Case
from catalog.entries import EntryData, content_hash
from catalog.storage import Storage
from catalog.storage.store import Saying, Write, store
from catalog.tagging import Tagger, Text
from catalog.taxonomy import load_taxonomy
from catalog.words import words_of
from ingest.derive import item_of
from ingest.formats.arxiv_oai import parse_oai
from tests.loopback_arxiv import Paper

LATEST = date(2026, 2, 7)
TAGGER = Tagger.load(load_taxonomy())
_serial = itertools.count()


def cases(papers: Sequence[Paper], folder: Path) -> list[Case]:
    """What is measured of these papers."""
    texts = [Text(p.title, p.abstract, p.categories) for p in papers]
    body = wire.oai_pages(papers, len(papers))[0]
    said = parse_oai(body, "arxiv", LATEST).entries
    tags = [TAGGER.tag(*text) for text in texts]
    writes = writes_of(said)
    records, hashes = bare.oai(body)[0], [content_hash(e) for e in said]

    def words() -> int:
        return sum(1 for text in texts if words_of(f"{text.title} {text.abstract}"))

    def ours() -> int:
        storage = Storage(f"sqlite:///{folder}/ours{next(_serial)}.db")
        with storage.write() as db:
            store(db, writes, datetime.now(UTC))
        storage.close()
        return len(writes)

    def driver() -> int:
        database = bare.Database(folder / f"bare{next(_serial)}.db")
        database.store(records, tags, hashes)
        database.close()
        return len(records)

    return [
        Case("tag with evidence", lambda: len(TAGGER.tag_many(texts)), words, "the words alone"),
        Case("tag", lambda: len(TAGGER.tag_many(texts, evidence=False)), words, "the words alone"),
        Case("store, all new", ours, driver, "the driver: same rows and search words"),
    ]


def writes_of(said: Sequence[EntryData]) -> list[Write]:
    """The entries as new items, one each."""
    taxonomy = load_taxonomy()
    out = []
    for entry in said:
        item = item_of(
            [entry], TAGGER.judge_many([Text(entry.title, entry.abstract, entry.categories)], evidence=False)[0], taxonomy
        )
        saying = Saying(entry, content_hash(entry), None)
        out.append(Write(item, None, f"{next(_serial):016d}", (entry.source, entry.key), (saying,)))
    return out
