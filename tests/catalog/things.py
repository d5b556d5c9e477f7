"""Invented things for the tests of storage, and what the store should answer about them, worked out in plain Python."""

from __future__ import annotations

import json
import random
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta

from sqlalchemy import Connection, select, text

from catalog.categories import canonical
from catalog.entries import Basis, EntryData, Kind, Version, content_hash
from catalog.filters import Filter, scored_topics
from catalog.items import ItemData, News, Tag, public_id
from catalog.query import Clause, parse_query
from catalog.storage import Storage, entries, search
from catalog.storage.entries import Kept
from catalog.storage.schema import entries as entry_table
from catalog.storage.schema import items, metadata, position_of
from catalog.storage.search import Indexed
from catalog.storage.store import Saying, Write, lock_writes
from catalog.storage.store import store as store_writes
from catalog.taxonomy import load_taxonomy
from catalog.words import words_of

NOW = datetime(2026, 1, 30, 12, 0, 0, 123456, tzinfo=UTC)
FIRST_DAY = date(2026, 1, 5)
TOPICS = ("deep-learning", "language-models", "python", "r", "predictive-modeling", "graph-learning")
SOURCES = ("arxiv", "blogs", "pmlr")
CATEGORIES = ("cs.LG", "cs.CL", "cs.SY", "eess.SY", "stat.ML", "math.ST")
VOCABULARY = (
    "learning learned learner networks network sparse attention forecasting demand graph graphs the of a for Erdős naïve "
    "Überraschung Straße α-VAE GPT-4 t1 t2 C++ self-supervised 学习 обучение ﬁne x² OR NOT AND NEAR near"
).split()
PEOPLE = ("Ada Example", "Bo Sample", "Zoë Ünïcode", "李 明", "Paul Erdős", "Mary-Jane O'Neil", "learner")


@dataclass(frozen=True, slots=True)
class Thing:
    """One entry and the item that it alone makes."""

    key: str
    day: date = FIRST_DAY
    title: str = "Sparse attention"
    abstract: str = "We study it."
    authors: tuple[str, ...] = ("Ada Example",)
    kind: Kind = Kind.PAPER
    source: str = "arxiv"
    categories: tuple[str, ...] = ("cs.LG",)
    venue: str = ""
    version: int = 1
    withdrawn: bool = False
    topics: tuple[tuple[str, float], ...] = ()
    identifiers: tuple[tuple[str, str], ...] = ()
    basis: Basis = Basis.STATED
    comment: str = ""
    news: tuple[News, ...] = ()

    @property
    def id(self) -> str:
        """The public id of the item."""
        return public_id(self.source, self.key)

    @property
    def areas(self) -> tuple[str, ...]:
        """Areas of the topics."""
        return tuple(sorted({load_taxonomy().topic(t).area for t, _ in self.topics}))

    @property
    def entry(self) -> EntryData:
        """What its source says."""
        first = datetime.combine(self.day, time(3, 4, 5, 6), UTC) - timedelta(days=2)
        versions = tuple(
            Version(n, first + timedelta(hours=n - 1), self.withdrawn and n == self.version) for n in range(1, self.version + 1)
        )
        return EntryData(
            source=self.source, key=self.key, kind=self.kind, title=self.title, url=f"https://example.org/{self.key}",
            abstract=self.abstract, authors=self.authors, announced=self.day, basis=self.basis, submitted=first,
            updated=versions[-1].at, version=self.version, versions=versions, categories=self.categories, venue=self.venue,
            identifiers=tuple(sorted({(self.source, self.key), *self.identifiers})), comment=self.comment,
            withdrawn=self.withdrawn,
        )  # fmt: skip

    @property
    def item(self) -> ItemData:
        """The item."""
        e = self.entry
        tags = sorted((Tag(t, score) for t, score in self.topics), key=_best_first)
        return ItemData(
            kind=e.kind, title=e.title, url=e.url, authors=e.authors, summary=e.abstract, venue=e.venue, announced=self.day,
            estimated=e.basis is not Basis.STATED, submitted=e.submitted, updated=e.updated, withdrawn=e.withdrawn,
            categories=e.categories, sources=(e.source,), identifiers=e.identifiers, tags=tuple(tags), areas=self.areas,
            venues=(self.venue,) if self.venue else (),
        )  # fmt: skip


def _best_first(tag: Tag) -> tuple[float, str]:
    return -tag.score, tag.topic


def store(db: Connection, things: Iterable[Thing], now: datetime = NOW) -> None:
    """Store them as one page, each over what is kept of it."""
    found = list(things)
    lock_writes(db)
    kept: dict[tuple[str, str], Kept] = {}
    for source in {t.source for t in found}:
        kept |= {(source, key): k for key, k in entries.kept(db, source, [t.key for t in found if t.source == source]).items()}
    writes = []
    for t in found:
        before = kept.get((t.source, t.key))
        said = Saying(t.entry, content_hash(t.entry), before, t.news)
        writes.append(Write(t.item, before.item_id if before else None, t.id, (t.source, t.key), (said,)))
    store_writes(db, writes, now)


def put(storage: Storage, *things: Thing, now: datetime = NOW) -> None:
    """Store them as one page in a transaction of its own."""
    storage.writing(lambda db: store(db, things, now))


@contextmanager
def opened(url: str, *things: Thing) -> Iterator[Storage]:
    """The storage of a migrated database with these things in it, a page for each hundred."""
    storage = Storage(url, upgrade=False)
    try:
        for i in range(0, len(things), 100):
            put(storage, *things[i : i + 100])
        yield storage
    finally:
        storage.close()


def some_things(count: int, seed: int = 0, days: int = 12) -> list[Thing]:
    """Different things, the same for the same arguments; days in no order."""
    return [any_thing(random.Random(f"{seed}/{n}"), n, days) for n in range(count)]


def any_thing(rng: random.Random, number: int, days: int = 12) -> Thing:
    """One of them."""
    kind = rng.choice((Kind.PAPER, Kind.PAPER, Kind.PAPER, Kind.POST, Kind.RELEASE))
    return Thing(
        key=f"2601.{number:05d}",
        day=FIRST_DAY + timedelta(days=rng.randrange(days)),
        title=" ".join(rng.choices(VOCABULARY, k=rng.randint(1, 6))),
        abstract=" ".join(rng.choices(VOCABULARY, k=rng.randint(0, 25))),
        authors=tuple(rng.sample(PEOPLE, rng.randint(0, 3))),
        kind=kind,
        source="arxiv" if kind is Kind.PAPER else rng.choice(SOURCES[1:]),
        categories=tuple(rng.sample(CATEGORIES, rng.randint(0, 3))) if kind is Kind.PAPER else (),
        venue=rng.choice(("", "", "ICML", "Zürich Ünconference")),
        version=rng.randint(1, 3),
        withdrawn=rng.random() < 0.1,
        topics=tuple((t, round(rng.random(), 3)) for t in sorted(rng.sample(TOPICS, rng.randint(0, 3)))),
        comment=rng.choice(("", "12 pages")),
        basis=rng.choice((Basis.STATED, Basis.ESTIMATED)),
    )


def emptied(storage: Storage) -> None:
    """Take everything out again."""
    storage.forget()
    tables = ", ".join(t.name for t in metadata.sorted_tables)
    with storage.write() as db:
        if storage.dialect == "postgresql":
            db.execute(text(f"TRUNCATE {tables}, search"))
            return
        for table in reversed(metadata.sorted_tables):
            db.execute(table.delete())
        db.execute(text("INSERT INTO search (search) VALUES ('delete-all')"))


def check_index(storage: Storage) -> None:
    """Assert that the search index holds, word by word and place by place, what items and their lead entries say."""
    with storage.write() as db:
        rows = db.execute(select(items, entry_table.c.abstract).join(entry_table, entry_table.c.id == items.c.lead_entry)).all()
        wanted = [
            Indexed(r.position, r.title, " ".join(json.loads(r.authors)), r.abstract, tuple(map(int, r.terms.split())))
            for r in rows
        ]
        if storage.dialect == "postgresql":
            query = text("SELECT words = CAST(:words AS tsvector) FROM search WHERE position = :p")
            assert all(db.execute(query, {"p": w.position, "words": search._vector(w)}).scalar_one() for w in wanted)
            assert db.execute(text("SELECT count(*) FROM search")).scalar_one() == len(wanted)
            return
        db.execute(text("CREATE VIRTUAL TABLE temp.words_held USING fts5vocab(main, search, instance)"))
        found = {tuple(r) for r in db.execute(text('SELECT doc, col, "offset", term FROM words_held'))}
        db.execute(text("DROP TABLE temp.words_held"))
    said = [search._row(w) for w in wanted]
    columns = ("title", "names", "body", "terms")
    assert found == {(r["p"], c, n, word) for r in said for c in columns for n, word in enumerate(str(r[c]).split())}


# ------------------------------------------------------------------ what the store should answer
def newest_first(things: Sequence[Thing]) -> list[Thing]:
    """In the order of every page; `things` are in the order in which they were first stored."""
    return [t for _, _, t in sorted(((t.day, n, t) for n, t in enumerate(things)), key=lambda r: r[:2], reverse=True)]


def positions(things: Sequence[Thing]) -> dict[str, int]:
    """The position of each by public id."""
    return {t.id: position_of(t.day, n) for n, t in enumerate(things, 1)}


def expected(things: Sequence[Thing], filter: Filter) -> list[str]:
    """Public ids that a filter finds, newest first."""
    return [t.id for t in newest_first(things) if matches(t, filter)]


def matches(thing: Thing, filter: Filter) -> bool:
    """Whether a filter finds it."""
    fields: list[tuple[Iterable[str], Iterable[str]]] = [
        (filter.topics, [t for t, _ in thing.topics]),
        (filter.areas, thing.areas),
        (filter.kinds, [thing.kind]),
        (filter.sources, [thing.source]),
        (filter.categories, [canonical(c) for c in thing.categories]),
        (filter.venues, [thing.venue] if thing.venue else []),
    ]
    asked = scored_topics(filter, load_taxonomy())
    best = max((score for t, score in thing.topics if not asked or t in asked), default=0)
    return (
        all(not set(wanted) or set(wanted) & set(own) for wanted, own in fields)
        and (filter.since is None or thing.day >= filter.since)
        and (filter.until is None or thing.day <= filter.until)
        and (not filter.q or speaks_of(thing, filter.q))
        and (not filter.authors or any(_holds(thing, Clause(tuple(words_of(a)), "author")) for a in filter.authors))
        and best >= filter.min_score
    )


def tier(thing: Thing, text: str) -> int:
    """How much of the title a search text that finds the thing speaks of: 0 all that it says, 1 some, 2 nothing."""
    query = parse_query(text)
    assert query is not None
    titled = [[_holds(thing, replace(c, field="title")) if c.field == "any" else None for c in g] for g in query.wanted]
    if all(any(_holds(thing, c) if hit is None else hit for c, hit in zip(g, hits, strict=True))
           for g, hits in zip(query.wanted, titled, strict=True)):  # fmt: skip
        return 0
    return 1 if any(hit for hits in titled for hit in hits) else 2


def speaks_of(thing: Thing, text: str) -> bool:
    """Whether a search text finds it."""
    query = parse_query(text)
    if query is None:
        return False
    found = all(any(_holds(thing, c) for c in group) for group in query.wanted)
    return found and not any(_holds(thing, c) for c in query.refused)


def _holds(thing: Thing, clause: Clause) -> bool:
    if clause.field == "venue":
        return bool(thing.venue) and clause.words == (thing.venue,)
    fields = {"title": thing.title, "author": " ".join(thing.authors), "any": thing.abstract}
    looked_at = fields.values() if clause.field == "any" else [fields[clause.field]]
    size = len(clause.words)
    for words in map(words_of, looked_at):
        if any(tuple(words[i : i + size]) == clause.words for i in range(len(words) - size + 1)):
            return True
    return False


def changed(thing: Thing, rng: random.Random) -> Thing:
    """The same entry, told otherwise."""
    other = any_thing(rng, 0)
    what = rng.choice(("day", "words", "topics", "withdrawn", "version", "categories"))
    if what == "day":
        return replace(thing, day=other.day, basis=Basis.STATED)
    if what == "words":
        return replace(thing, title=other.title, abstract=other.abstract, authors=other.authors)
    if what == "topics":
        return replace(thing, topics=other.topics)
    if what == "withdrawn":
        return replace(thing, withdrawn=not thing.withdrawn)
    if what == "version":
        return replace(thing, version=thing.version + 1, abstract=other.abstract)
    return replace(thing, categories=other.categories, venue=other.venue)
