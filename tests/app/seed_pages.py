"""Invented items that look like a week's worth, for digests and pages."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from catalog.entries import Basis, EntryData, Kind, Version, content_hash
from catalog.items import ItemData, News, Tag, public_id
from catalog.outcomes import Counts, Outcome, Part, Run
from catalog.storage import Storage, items, leases, sources
from catalog.storage.sources import Batch
from catalog.storage.store import Saying, Write, store
from catalog.taxonomy import load_taxonomy

NOW = datetime(2026, 1, 30, 12, 0, tzinfo=UTC)  # a Friday
TAXONOMY = load_taxonomy()

_FIRST = ("Sparse", "Robust", "Causal", "Streaming", "Calibrated", "Low-Rank", "Self-Supervised", "Differentially Private")
_THING = (
    "Attention",
    "Gradient Descent",
    "Graph Networks",
    "Diffusion Samplers",
    "Language Agents",
    "Gaussian Processes",
    "Policy Search",
)
_FOR = (
    "for Long Documents", "under Distribution Shift", "with Missing Labels", "in Small Hospitals", "on a Single Phone",
    "without a Held-Out Set: A Study of What Happens when Assumptions of the Textbook are Dropped One after the Other",
)  # fmt: skip
_NAMES = ("Ada Example", "Bo Sample", "Zoë Ünïcode", "Chidi Muster", "Dagný Prøve", "Eun-ji Specimen", "Fábio Amostra")
_CATEGORIES = (
    ("cs.LG", "stat.ML"),
    ("cs.CV",),
    ("cs.CL", "cs.AI", "cs.LG"),
    ("math.OC",),
    ("cs.LG", "cs.CV", "eess.IV", "cs.AI", "cs.RO"),
)
_COMMENTS = (
    "",
    "Accepted at ICML 2026",
    "12 pages, code at https://github.com/ada/example",
    "Accepted to the Test Conference (TC) 2026",
)


@dataclass(frozen=True, slots=True)
class Seed:
    """What differs between invented papers."""

    title: str
    day: date
    tags: tuple[tuple[str, float], ...] = (("deep-learning", 0.8),)
    abstract: str = "We study what the title says. It works, and we say why."
    authors: tuple[str, ...] = _NAMES[:2]
    categories: tuple[str, ...] = ("cs.LG",)
    comment: str = ""
    url: str = ""
    withdrawn: bool = False
    estimated: bool = False
    licence: str = "http://creativecommons.org/licenses/by/4.0/"


def papers(n: int = 90) -> list[Seed]:
    """Papers of the two weeks before `NOW`, over all topics that papers are judged on."""
    topics = [t for t in TAXONOMY.topics if t.papers]
    out = []
    for k in range(n):
        day = NOW.date() - timedelta(days=k * 5 % 12)
        title = f"{_FIRST[k % 8]} {_THING[k % 7]} {_FOR[k % 6]}"
        lead, second = topics[k % len(topics)], topics[(k * 7 + 3) % len(topics)]
        tags = {lead.slug: 0.6 + k % 40 / 100, second.slug: 0.4 + k % 17 / 100}
        out.append(
            Seed(
                title,
                day if day.weekday() < 5 else day - timedelta(days=2),
                tuple((slug, round(score, 3)) for slug, score in tags.items()),
                authors=_NAMES[: 1 + k % 7],
                categories=_CATEGORIES[k // 3 % 5],
                comment=_COMMENTS[k % 4],
                withdrawn=k % 30 == 29,
                estimated=k % 9 == 4,
            )
        )
    return out


def put(storage: Storage, seeds: Sequence[Seed], first: int = 1) -> list[str]:
    """Store papers and return their ids; `first` numbers them."""
    writes = [_write(seed, first + k) for k, seed in enumerate(seeds)]
    with storage.write() as db:
        store(db, writes, NOW)
    return [w.public_id for w in writes]


def seed(storage: Storage) -> list[str]:
    """Two weeks of papers, three sources of which one is ill, batches with a gap, and visits."""
    with storage.write() as db:
        sources.register(db, {"arxiv": True, "cvf": True, "pmlr": True}, NOW - timedelta(days=3))
        days = [NOW.date() - timedelta(days=d) for d in range(12)]
        batches = [Batch(c, d, 20, 20) for c in ("cs.LG", "cs.CV") for d in days if d.weekday() < 5]
        short = Batch("stat.ML", days[1], 9, 8, ("2601.99999",), "the listing has one more than the feed")
        sources.put_batches(db, "arxiv", [*batches, short])
    visit(storage, "arxiv", Outcome.OK, hours=2)
    visit(storage, "cvf", Outcome.FAILED, hours=50, error="https://cvf.example/index: <b>no answer</b> within 30 s")
    visit(storage, "cvf", Outcome.FAILED, hours=3, error="https://cvf.example/index: <b>no answer</b> within 30 s")
    return put(storage, papers())


def visit(storage: Storage, source: str, outcome: Outcome, *, hours: int, error: str = "") -> None:
    """A visit that began `hours` before `NOW`; the next is due in two."""
    run = Run(source, NOW - timedelta(hours=hours))
    with storage.write() as db:
        run.id = sources.begin_run(db, run)
        run.finished, run.outcome, run.error = run.started + timedelta(minutes=3), outcome, error
        run.counts = Counts(90, 40, 3, 47) if outcome is Outcome.OK else Counts()
        run.parts = [Part("cs.LG", outcome, run.counts, 20, 20), Part("cs.CV", outcome, Counts(), 20, 20, error)]
        sources.put_run(db, run)
        sources.settle(db, run, NOW + timedelta(hours=2))


def begin(storage: Storage, source: str) -> None:
    """A visit that is running."""
    with storage.write() as db:
        sources.register(db, {source: True}, NOW)
        sources.begin_run(db, Run(source, NOW - timedelta(minutes=4)))
        leases.claim(db, f"source:{source}", leases.new_owner(), 60)


def fingerprint(storage: Storage) -> tuple[object, ...]:
    """What a read must leave alone."""
    with storage.read() as db:
        return items.counts(db, "topic"), items.total(db), sources.states(db), sources.runs(db)


def _write(seed: Seed, number: int) -> Write:
    key = f"2601.{number:05d}"
    url = seed.url or f"https://arxiv.org/abs/{key}"
    submitted = datetime(seed.day.year, seed.day.month, seed.day.day, 3, 4, 5, tzinfo=UTC) - timedelta(days=2)
    basis = Basis.ESTIMATED if seed.estimated else Basis.STATED
    identifiers = (("arxiv", key), ("doi", f"10.48550/arxiv.{key}"))
    entry = EntryData(
        source="arxiv", key=key, kind=Kind.PAPER, title=seed.title, url=url, abstract=seed.abstract, authors=seed.authors,
        announced=seed.day, basis=basis, submitted=submitted, updated=submitted, versions=(Version(1, submitted),),
        categories=seed.categories, identifiers=identifiers, comment=seed.comment, licence=seed.licence,
        withdrawn=seed.withdrawn,
    )  # fmt: skip
    tags = tuple(sorted((Tag(t, score) for t, score in seed.tags), key=lambda t: -t.score))
    areas = tuple(sorted({TAXONOMY.topic(t.topic).area for t in tags}))
    item = ItemData(
        kind=Kind.PAPER, title=seed.title, url=url, authors=seed.authors, summary=seed.abstract, venue="", announced=seed.day,
        estimated=seed.estimated, submitted=submitted, updated=submitted, withdrawn=seed.withdrawn, categories=seed.categories,
        sources=("arxiv",), identifiers=identifiers, tags=tags, areas=areas,
    )  # fmt: skip
    news = (News("withdrawn", seed.day),) if seed.withdrawn else ()
    return Write(item, None, public_id("arxiv", key), ("arxiv", key), (Saying(entry, content_hash(entry), None, news),))
