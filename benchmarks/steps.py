"""The steps of ingestion, ours and bare, over invented papers."""

from __future__ import annotations

import itertools
import json
import urllib.request
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

from catalog.entries import EntryData, content_hash
from catalog.items import Tag
from catalog.storage import Storage, entries, search
from catalog.storage.engine import pragmas, sqlite_library
from catalog.storage.search import Indexed
from catalog.storage.store import Saying, Write, store
from catalog.taxonomy import load_taxonomy
from catalog.words import words_of
from ingest.derive import item_of
from ingest.formats.arxiv_oai import parse_oai
from ingest.tagging import Tagger, Text
from tests.loopback_arxiv import LoopbackArxiv, Paper, sample_papers

DAY = date(2026, 2, 6)
_TAGGER = Tagger.load(load_taxonomy())
_serial = itertools.count()


def papers(count: int) -> list[Paper]:
    """Invented papers of four weeks."""
    return sample_papers(seed=1, per_day=count // 19 + 1)[:count]


def oai_page(found: list[Paper]) -> bytes:
    """One OAI-PMH answer with all of them."""
    with LoopbackArxiv(found, DAY, oai_page=len(found)) as server:
        url = f"{server.url}/oaipmh.arxiv.org/oai?verb=ListRecords&metadataPrefix=arXivRaw"
        with urllib.request.urlopen(url) as answer:  # noqa: S310 - on loopback
            return bytes(answer.read())


def parse(body: bytes) -> int:
    """Entries of the page."""
    return len(parse_oai(body, "arxiv", DAY + timedelta(days=1)).entries)


def said(found: list[Paper]) -> list[EntryData]:
    """The papers as entries."""
    return list(parse_oai(oai_page(found), "arxiv", DAY + timedelta(days=1)).entries)


def texts(found: list[Paper]) -> list[Text]:
    """The papers as the tagger reads them."""
    return [Text(p.title, p.abstract, p.categories) for p in found]


def tag(found: list[Paper], *, evidence: bool) -> int:
    """Tag all of them."""
    return len(_TAGGER.tag_many(texts(found), evidence=evidence))


def vectorise(found: list[Paper]) -> int:
    """Fold and split all of them: the least that any tagger of words does."""
    return sum(1 for p in found if words_of(f"{p.title} {p.abstract}"))


class Store:
    """Our store: a page of new items in one transaction."""

    def __init__(self, folder: Path, found: list[Paper]) -> None:
        self._folder = folder
        taxonomy = load_taxonomy()
        self.writes = []
        for entry in said(found):
            tags: tuple[Tag, ...] = _TAGGER.tag(entry.title, entry.abstract, entry.categories)
            item = item_of([entry], tags, taxonomy)
            saying = Saying(entry, content_hash(entry), None)
            self.writes.append(Write(item, None, f"{next(_serial):016d}", (entry.source, entry.key), (saying,)))

    def new(self) -> int:
        """Write all into a new database."""
        storage = Storage(f"sqlite:///{self._folder}/ours{next(_serial)}.db")
        with storage.write() as db:
            store(db, self.writes, datetime.now(UTC))
        storage.close()
        return len(self.writes)


class Bare:
    """The driver alone: the same rows, tags, facets and search index by executemany."""

    def __init__(self, folder: Path, found: list[Paper]) -> None:
        self._folder, self._writes = folder, Store(folder, found).writes

    def new(self) -> int:
        """Write all into a new database."""
        library = sqlite_library()
        path = self._folder / f"bare{next(_serial)}.db"
        Storage(f"sqlite:///{path}").close()
        db = library.connect(str(path), isolation_level=None)
        for pragma in pragmas(read_only=False):
            db.execute(f"PRAGMA {pragma}")
        db.execute("PRAGMA foreign_keys=OFF")
        db.execute("BEGIN IMMEDIATE")
        items, rows, tags, facets, index, identifiers, versions = [], [], [], [], [], [], []
        for n, w in enumerate(self._writes, 1):
            e, position = w.sayings[0].entry, DAY.toordinal() << 24 | n
            authors = json.dumps(e.authors)
            items.append((n, w.public_id, position, "paper", w.item.title, authors, e.url, "", str(DAY), 1, None, None, 0,
                          " ".join(e.categories), entries.dump_tags(w.item.tags), "1 2 3 4 5 6", n, "x"))  # fmt: skip
            rows.append((n, n, "arxiv", e.key, e.version, "paper", e.title, e.abstract, authors, e.url, str(DAY), "stated",
            None, None,
                         "", "", "", "[]", e.comment, e.journal, e.licence, 0, "full", "h", n, "x", "x"))  # fmt: skip
            tags += [(t, position, tag.score) for t, tag in enumerate(w.item.tags)]
            facets += [(100 + f, position) for f in range(2 + len(e.categories) + len(w.item.areas))]
            index.append(search._row(Indexed(position, e.title, " ".join(e.authors), e.abstract, (1, 2, 3, 4, 5, 6))))
            identifiers += [(scheme, value, n) for scheme, value in e.identifiers]
            versions += [(n, v.number, "x", 0) for v in e.versions]
        for table, values in (("items", items), ("entries", rows), ("tags", tags), ("facets", facets), ("identifiers",
        identifiers),
                              ("entry_versions", versions)):  # fmt: skip
            marks = ",".join("?" * len(values[0]))
            db.executemany(f"INSERT INTO {table} VALUES ({marks})", values)
        db.executemany(
            "INSERT INTO search (rowid, title, names, body, terms) VALUES (:p, :title, :names, :body, :terms)", index
        )
        db.execute("COMMIT")
        db.close()
        return len(items)
