"""Pages over HTTP to searchable items, and the same pages a second time."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from datetime import date
from pathlib import Path
from typing import Any

import httpx

from benchmarks import bare, steps, wire
from benchmarks.measuring import Case
from catalog.entries import content_hash
from catalog.tagging import Text
from ingest.formats.arxiv_oai import parse_oai
from ingest.keep import Keeper
from ingest.source import Page, Window
from tests.instance import Instance
from tests.loopback_arxiv import Paper

PAGE = 2_000  # records
PATH = "oaipmh.arxiv.org/oai"
ALL = Window(date(2026, 1, 1))
CATEGORIES = "cs.LG cs.CL cs.CV cs.AI cs.MA cs.RO cs.IR cs.NE"
_serial = itertools.count()


def visitor(folder: Path, url: str) -> Instance:
    """An empty instance whose arXiv is the server."""
    return Instance(
        f"sqlite:///{folder}/visited{next(_serial)}.db", url, steps.LATEST, ARXIV_CATEGORIES=CATEGORIES, LOG_LEVEL="error"
    )


def visit(instance: Instance, expected: int, *, again: bool = False) -> int:
    """Our whole way, once; raises SystemExit when it was not what is measured."""
    counts = instance.visit(window=ALL).counts
    if (counts.unchanged if again else counts.new) != expected or counts.seen != expected:
        raise SystemExit(f"expected {expected:,} {'unchanged' if again else 'new'} entries, got {counts}")
    return expected


def fresh(folder: Path, url: str, expected: int) -> int:
    """Our whole way into an empty database."""
    instance = visitor(folder, url)
    try:
        return visit(instance, expected)
    finally:
        instance.close()


def floor(folder: Path, url: str) -> int:
    """The least that gives the same: httpx, lxml, the same tagger with evidence, the same words of search, the driver."""
    database, token, done = bare.Database(folder / f"floor{next(_serial)}.db"), "", 0
    with httpx.Client() as client:
        while True:
            records, token = _page(client, url, token)
            tags = steps.TAGGER.tag_many([Text(r.title, r.abstract, r.categories) for r in records])
            database.store(records, tags, list(map(bare.digest, records)))
            done += len(records)
            if not token:
                break
    database.close()
    return done


def floor_again(database: bare.Database, url: str) -> int:
    """The same pages read again, the hash of each record compared with those that are stored."""
    same, token = 0, ""
    with httpx.Client() as client:
        stored = database.hashes()
        while True:
            records, token = _page(client, url, token)
            same += sum(1 for r in records if stored.get(r.key) == bare.digest(r))
            if not token:
                return same


def cases(papers: Sequence[Paper], folder: Path, url: str) -> list[Case]:
    """First and second visit, and the second without fetching and parsing."""
    count = len(papers)

    held = visitor(folder, url)
    visit(held, count)
    name = folder / f"floor{next(_serial)}.db"
    filled = _filled(name, url)
    return [
        Case(
            "pages to searchable items", lambda: fresh(folder, url, count), lambda: floor(folder, url),
            "httpx, lxml, same tagger, driver",
        ),
        Case(
            "the same pages again", lambda: visit(held, count, again=True), lambda: floor_again(filled, url),
            "httpx, lxml, a hash of each record",
        ),
        Case("the same entries again", *_entries_again(papers, held), "a hash of each entry, looked up in a dict"),
    ]  # fmt: skip


def _entries_again(papers: Sequence[Paper], held: Instance) -> tuple[Callable[[], int], Callable[[], int]]:
    pages = [parse_oai(body, "arxiv", steps.LATEST).entries for body in wire.oai_pages(papers, PAGE)]

    def ours() -> int:
        keeper, same = Keeper(held.storage, held.tools.taxonomy, held.tools.tagger), 0
        for said in pages:
            page = Page(said)
            keeper.prepare("arxiv", page)
            with held.storage.write() as db:
                same += keeper.write(db, "arxiv", page, held.clock.now()).unchanged
        return same

    def hashes() -> int:
        same, stored = 0, _stored(held)
        for said in pages:
            same += sum(1 for e in said if stored.get(e.key) == content_hash(e))
        return same

    return ours, hashes


def _stored(held: Instance) -> dict[str, str]:
    with held.storage.read() as db:
        driver: Any = db.connection.driver_connection
        return dict(driver.execute("SELECT key, hash FROM entries WHERE source = 'arxiv'").fetchall())


def _filled(path: Path, url: str) -> bare.Database:
    database, token = bare.Database(path), ""
    with httpx.Client() as client:
        while True:
            records, token = _page(client, url, token)
            database.store(records, [()] * len(records), list(map(bare.digest, records)))
            if not token:
                return database


def _page(client: httpx.Client, url: str, token: str) -> tuple[list[bare.Record], str]:
    answer = client.get(f"{url}/{PATH}", params={"resumptionToken": token} if token else {}, timeout=60)
    return bare.oai(answer.content)
