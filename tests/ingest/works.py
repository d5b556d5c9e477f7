"""Invented papers as several sources speak of them, and a store that is given what they say."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime

from catalog.entries import Basis, EntryData, Kind
from catalog.items import Item
from catalog.storage import Storage, items
from catalog.taxonomy import load_taxonomy
from ingest.keep import Keeper
from ingest.source import Page
from tests.instance import tagger

NOW = datetime(2026, 7, 20, 12, tzinfo=UTC)
TITLE = "Sparse Attention for Forecasting Energy Demand"
PEOPLE = ("Ada Example", "Bo Sample", "Zoë Ünïcode")


def said(source: str, key: str, **more: object) -> EntryData:
    """What a source says about the paper."""
    base = EntryData(
        source=source, key=key, kind=Kind.PAPER, title=TITLE, url=f"https://example.org/{source}/{key}", authors=PEOPLE,
        abstract="We train sparse attention.", announced=date(2026, 7, 10), basis=Basis.STATED,
        identifiers=((source.partition("-")[0], key),),
    )  # fmt: skip
    return replace(base, **more)  # type: ignore[arg-type]


ARXIV = said(
    "arxiv", "2601.00001", announced=date(2026, 1, 7), submitted=datetime(2026, 1, 5, tzinfo=UTC), categories=("cs.LG",),
    comment="Accepted at ICML 2026", abstract="We train sparse attention on demand. Code: https://github.com/ada/sparse",
)  # fmt: skip
FORUM = said("openreview", "f1", venue="ICML", year=2026, decision="spotlight", keywords=("attention",))
SITE = said(
    "virtual-icml", "icml-2026/u1", title="Sparse attention for forecasting energy demand!", venue="ICML", year=2026,
    decision="oral", identifiers=(("openreview", "f1"),),
)  # fmt: skip
VOLUME = said("pmlr", "v300/example26a", venue="ICML", year=2026, announced=date(2026, 7, 18))
ALL = (ARXIV, FORUM, SITE, VOLUME)


def keeper(storage: Storage) -> Keeper:
    """One for the store."""
    return Keeper(storage, load_taxonomy(), tagger())


def keep(storage: Storage, *entries: EntryData, now: datetime = NOW) -> tuple[int, int, int]:
    """Store what the sources say, a page for each source in the order given; the counts new, revised and unchanged."""
    total = [0, 0, 0]
    for source in dict.fromkeys(e.source for e in entries):
        page = Page([e for e in entries if e.source == source])
        own = keeper(storage)
        own.prepare(source, page)
        counts = storage.writing(lambda db: own.write(db, source, page, now))  # noqa: B023 - called at once
        total = [a + b for a, b in zip(total, (counts.new, counts.revised, counts.unchanged), strict=True)]
    return total[0], total[1], total[2]


def held(storage: Storage) -> list[Item]:
    """All items, whole, by their first entry."""
    with storage.read() as db:
        found = [items.by_id(db, i) for (i,) in db.exec_driver_sql("SELECT public_id FROM items").all()]
    return sorted((i for i in found if i), key=lambda i: [(e.source, e.key) for e in i.entries])


def groups(storage: Storage) -> list[list[str]]:
    """The sources and keys of each item."""
    return [[f"{e.source} {e.key}" for e in i.entries] for i in held(storage)]
