"""A dozen invented items, written as ingestion writes, and an application over them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

from fastapi import FastAPI

from app.context import Context
from app.main import create_app
from catalog.clock import Clock
from catalog.entries import Basis, EntryData, Kind, Link, Version, content_hash
from catalog.items import ItemData, News, Tag, public_id
from catalog.outcomes import Counts, Outcome, Part, Run
from catalog.settings import Settings
from catalog.storage import Storage, entries, sources
from catalog.storage.store import Saying, Write, store
from catalog.taxonomy import load_taxonomy

NOW = datetime(2026, 1, 30, 12, 0, tzinfo=UTC)
FIRST_DAY = date(2026, 1, 19)
COUNT = 12


class FixedClock:
    """Always the same instant."""

    def now(self) -> datetime:
        """12:00 on a Friday."""
        return NOW


def application(storage: Storage, clock: Clock | None = None, **settings: object) -> FastAPI:
    """The application over this storage."""
    given = {"data_dir": Path("data"), **settings}
    return create_app(Context(Settings.model_validate(given), storage, load_taxonomy(), clock or FixedClock()))


@contextmanager
def opened(url: str, *, seeded: bool = True) -> Iterator[Storage]:
    """The storage of a migrated database, with the dozen items unless told otherwise."""
    storage = Storage(url, upgrade=False)
    try:
        if seeded:
            seed(storage)
        yield storage
    finally:
        storage.close()


def seed(storage: Storage) -> None:
    """The dozen items, one of them with a second entry, three sources and 60 visits to them."""
    with storage.write() as db:
        sources.register(db, {"arxiv": True, "pmlr": True, "blogs": True}, NOW)
        store(db, [write(n) for n in range(COUNT)], NOW)
    with storage.write() as db:
        kept = entries.kept(db, "arxiv", [entry(0).key])[entry(0).key]
        second = replace(
            entry(0), source="pmlr", key="v97/zebra26a", url="https://proceedings.example/v97/zebra26a.html",
            announced=FIRST_DAY + timedelta(days=3), identifiers=(("pmlr", "v97/zebra26a"),),
        )  # fmt: skip
        told = replace(item(0), sources=("arxiv", "pmlr"))
        said = Saying(second, content_hash(second), None, (News("accepted", date(2026, 1, 22), "ICML 2026", "confirmed"),))
        lead = ("arxiv", entry(0).key)
        link = Link(lead, ("pmlr", second.key), "same title and authors")
        store(db, [Write(told, kept.item_id, "", lead, (said,))], NOW, [link], {lead: kept.entry_id})
    visit(storage)


def visit(storage: Storage, count: int = 60) -> None:
    """Visits to arxiv and pmlr in turn, every seventh failed."""
    for n in range(count):
        name = "arxiv" if n % 2 == 0 else "pmlr"
        run = Run(name, NOW - timedelta(hours=count - n))
        with storage.write() as db:
            run.id = sources.begin_run(db, run)
            run.finished = run.started + timedelta(seconds=90, microseconds=5)
            failed = n % 7 == 0
            run.outcome = Outcome.FAILED if failed else Outcome.OK
            run.error = "https://export.arxiv.example/rss: no answer" if failed else ""
            run.counts = Counts(10, n, 0, 10 - n % 10)
            run.counts.rejected.update({"no-title": 1} if n % 5 == 0 else {})
            run.parts = [Part("cs.LG", run.outcome, run.counts, 10, 10 - failed, run.error)]
            run.requests, run.seconds = 3, 1.25
            sources.put_run(db, run)
            sources.settle(db, run, NOW + timedelta(hours=n))


def more(storage: Storage, numbers: Sequence[int]) -> None:
    """Further items, each new."""
    with storage.write() as db:
        store(db, [write(n) for n in numbers], NOW)


def weekly(storage: Storage, days: Sequence[date]) -> None:
    """A further item on each of these days."""
    writes = []
    for n, day in enumerate(days):
        said, made = replace(entry(1000 + 4 * n), announced=day), replace(item(1000 + 4 * n), announced=day)
        saying = Saying(said, content_hash(said), None, ())
        writes.append(Write(made, None, public_id(said.source, said.key), (said.source, said.key), (saying,)))
    with storage.write() as db:
        store(db, writes, NOW)


def write(number: int) -> Write:
    """The write that stores item `number` anew."""
    said = entry(number)
    news = (News("withdrawn", date(2026, 1, 25)),) if said.withdrawn else ()
    saying = Saying(said, content_hash(said), None, news)
    return Write(item(number), None, public_id(said.source, said.key), (said.source, said.key), (saying,))


def entry(number: int) -> EntryData:
    """What a source says about item `number`; every fourth is a post of a blog, the others are papers."""
    day = FIRST_DAY + timedelta(days=number % 10)
    if number % 4 == 3:
        return EntryData(
            source="blogs", key=f"post-{number}", kind=Kind.POST,
            title=f"Release notes no. {number}: Ärger & <b>Überraschung</b>",
            url=f"https://blog.example/posts/{number}?a=1", announced=day, basis=Basis.HELD,
            identifiers=(("url", f"https://blog.example/posts/{number}?a=1"),), authors=("Zoë Writer",),
        )  # fmt: skip
    key = f"2601.{number:05d}"
    submitted = datetime(day.year, day.month, day.day, 3, 4, 5, tzinfo=UTC) - timedelta(days=2)
    versions = (Version(1, submitted), Version(2, submitted + timedelta(hours=1, microseconds=7)))
    # Capitals, hyphens and digits in the values: the two databases must agree on their order.
    identifiers = [
        ("arxiv", key),
        ("doi", f"10.1000/Zeta-{number}".lower()),
        ("github", f"ada/B-{number}"),
        ("github", f"ada/a_{number}"),
    ]
    return EntryData(
        source="arxiv", key=key, kind=Kind.PAPER, title=f"Sparse attention no. {number} for demand forecasting",
        url=f"https://arxiv.org/abs/{key}",
        abstract=f"We study $\\alpha$-sparse attention, variant {number}. It forecasts demand.",
        authors=("Ada Example", f"Bo Sample {number}", "Zoë Ünïcode"), announced=day, basis=Basis.STATED, submitted=submitted,
        updated=versions[-1].at, version=2, versions=versions, categories=("cs.LG", "stat.ML") if number % 2 else ("cs.CL",),
        identifiers=tuple(sorted(identifiers)), comment="12 pages", withdrawn=number == 5,
    )  # fmt: skip


def item(number: int) -> ItemData:
    """The item that the entry founds."""
    said = entry(number)
    assert said.announced is not None
    tags = (Tag("deep-learning", 0.912), Tag("predictive-modeling", 0.5 + number / 100))
    return ItemData(
        kind=said.kind, title=said.title, url=said.url, authors=said.authors, summary=said.abstract, venue=said.venue,
        announced=said.announced, estimated=said.basis is not Basis.STATED, submitted=said.submitted, updated=said.updated,
        withdrawn=said.withdrawn, categories=said.categories, sources=(said.source,), identifiers=said.identifiers,
        tags=tags if said.kind is Kind.PAPER else (), areas=("algorithms", "applications") if said.kind is Kind.PAPER else (),
    )  # fmt: skip
