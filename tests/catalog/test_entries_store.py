"""Storing pages: what is derived follows what is told, again is nothing, many writers are as one, a kill loses nothing."""

from __future__ import annotations

import random
import shutil
import signal
import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import func, select, text

from catalog.entries import Basis, EntryData, Kind, Moment, Version, content_hash
from catalog.filters import Filter, Listing
from catalog.items import Item, News, Signal
from catalog.storage import Storage, entries, signals
from catalog.storage import items as stored_items
from catalog.storage import schema as s
from catalog.storage.items import by_identifier
from catalog.storage.store import Saying, Write, lock_writes
from catalog.storage.store import store as store_writes
from catalog.taxonomy import load_taxonomy
from ingest.keep import Keeper
from ingest.source import Page
from tests.catalog import child
from tests.catalog.things import (
    FIRST_DAY,
    NOW,
    Thing,
    any_thing,
    changed,
    check_index,
    emptied,
    expected,
    opened,
    positions,
    put,
    some_things,
)  # fmt: skip
from tests.databases import Run
from tests.dumps import check_derived, differences, dump
from tests.instance import tagger

LATER = NOW + timedelta(days=1)
ONE = Thing(
    "2601.00001",
    title="Sparse attention for demand forecasting",
    abstract="We study it. It forecasts demand.",
    authors=("Ada Example", "Zoë Ünïcode"),
    categories=("cs.LG", "stat.TH"),
    venue="ICML",
    topics=(("deep-learning", 0.912), ("python", 0.5)),
    identifiers=(("doi", "10.1000/one"),),
    comment="12 pages",
)


@pytest.fixture
def storage(migrated_url: str) -> Iterator[Storage]:
    """An empty database; whatever a test does, all that is derived fits at the end."""
    with opened(migrated_url) as made:
        yield made
        check_derived(made)
        check_index(made)


def held(storage: Storage, thing: Thing = ONE) -> Item:
    """The whole item as stored."""
    with storage.read() as db:
        found = stored_items.by_id(db, thing.id)
    assert found is not None
    return found


def saying(thing: Thing = ONE) -> Saying:
    """Its entry as one that is new."""
    return Saying(thing.entry, content_hash(thing.entry), None)


def keep(storage: Storage, said: list[EntryData]) -> None:
    """Keep a page as a visit does."""
    keeper = Keeper(storage, load_taxonomy(), tagger())
    keeper.prepare(said[0].source, Page(said))
    with storage.write() as db:
        keeper.write(db, said[0].source, Page(said), NOW)


def found(storage: Storage, filter: Filter) -> list[str]:
    """Public ids that a filter finds."""
    with storage.read() as db:
        return [i.id for i in stored_items.stream(db, Listing(filter, limit=None))]


def instants(storage: Storage) -> tuple[datetime, datetime, datetime]:
    """When the one item and its entry were changed, and when the entry was first held."""
    with storage.read() as db:
        entry = db.execute(select(s.entries.c.changed, s.entries.c.first_held)).one()
        return db.execute(select(s.items.c.changed)).scalar_one(), entry.changed, entry.first_held


# ------------------------------------------------------------------ what stands in tables of its own
def test_moments_follow_what_is_told(storage: Storage) -> None:
    day = datetime(2026, 5, 6, 11, 59, 59, tzinfo=UTC)
    asked, ends = Moment(day, "submission", "", "2026-05-05 23:59:59 AoE"), Moment(day, "ends", whole_day=True)
    for told in ((asked, ends), (replace(asked, at=LATER), ends), ()):
        said = replace(ONE.entry, moments=told, about=(("place", "Sydney"),) if told else ())
        keep(storage, [said])
        assert held(storage).moments == tuple(sorted(told))
        (ref,) = held(storage).entries
        assert ref.about == said.about
        with storage.read() as db:
            assert entries.kept(db, said.source, [said.key])[said.key].entry.moments == told


def test_signals_are_of_whatever_their_identifier_names(storage: Storage) -> None:
    put(storage, ONE)
    votes = Signal("arxiv", ONE.key, "huggingface", "upvotes", 12, NOW)
    cited = Signal("doi", "10.1000/one", "semantic-scholar", "citations", 3, NOW)
    with storage.write() as db:
        assert signals.put(db, [votes, cited, replace(votes, value="2601.99999")]) == 3
        assert signals.put(db, [votes]) == 0
    assert held(storage).signals == (votes, cited)
    with storage.write() as db:
        assert signals.put(db, [replace(votes, number=40, at=LATER)]) == 1
    assert held(storage).signals == (replace(votes, number=40, at=LATER), cited)


def test_form_and_level_are_found(storage: Storage) -> None:
    with storage.write() as db:
        write = Write(replace(ONE.item, form="survey", level="start-here"), None, ONE.id, ("arxiv", ONE.key), (saying(),))
        store_writes(db, [write], NOW)
    assert (held(storage).form, held(storage).level) == ("survey", "start-here")
    assert found(storage, Filter(forms=("library", "survey"), levels=("start-here",))) == [ONE.id]
    assert found(storage, Filter(forms=("library",))) == []
    assert found(storage, Filter(q="attention", levels=("start-here",))) == [ONE.id]


# ------------------------------------------------------------------ one page
def test_an_empty_page_writes_nothing(storage: Storage) -> None:
    before = dump(storage)
    put(storage)
    assert dump(storage) == before


def test_what_was_told_comes_back(storage: Storage) -> None:
    put(storage, ONE)
    with storage.read() as db:
        kept = entries.kept(db, "arxiv", [ONE.key, "unknown"])
        assert entries.held(db, "arxiv", [ONE.key, "unknown"]) == {ONE.key}
        assert entries.held(db, "blogs", [ONE.key]) == set()
        assert stored_items.by_identifier(db, "doi", "10.1000/one") == held(storage)
        assert stored_items.by_identifier(db, "doi", "10.1000/ONE") is None
        assert stored_items.by_id(db, "0" * 16) is None
    assert list(kept) == [ONE.key]
    assert kept[ONE.key].entry == ONE.entry
    item, told = held(storage), ONE.item
    same = ("kind", "title", "url", "authors", "venue", "announced", "submitted", "updated", "withdrawn", "categories")
    for name in same:
        assert getattr(item, name) == getattr(told, name)
    assert item.topics == told.tags
    assert (item.summary, item.comment, item.identifiers) == (ONE.abstract, "12 pages", told.identifiers)
    assert [(e.source, e.key, e.versions) for e in item.entries] == [("arxiv", ONE.key, ONE.entry.versions)]
    assert instants(storage) == (NOW, NOW, NOW)


def test_an_entry_without_anything_optional_is_stored(storage: Storage) -> None:
    bare = Thing("1", source="blogs", kind=Kind.POST, title="?", abstract="", authors=(), categories=())
    put(storage, bare)
    assert held(storage, bare).summary == ""
    assert found(storage, Filter(kinds=(Kind.POST,))) == [bare.id]


@pytest.mark.parametrize("text", ['it\'s "quoted" \\ back', "emoji 🧪 and 𝔼", "<b>&amp;</b>", "a" * 60_000, "%_:x{y}", "İıſß"])
def test_any_text_is_stored_as_it_is(storage: Storage, text: str) -> None:
    thing = replace(ONE, title=text[:1000], abstract=text, authors=(text[:100],), comment=text)
    put(storage, thing)
    item = held(storage)
    assert (item.title, item.summary, item.authors, item.comment) == (text[:1000], text, (text[:100],), text)
    put(storage, replace(thing, abstract="other"))


def test_new_words_are_found_and_old_ones_are_not(storage: Storage) -> None:
    put(storage, ONE)
    assert found(storage, Filter(q="sparse")) == [ONE.id]
    put(storage, replace(ONE, title="Dense attention", abstract="It fails.", authors=("Bo Sample",), version=2), now=LATER)
    assert found(storage, Filter(q="dense author:sample fails")) == [ONE.id]
    for gone in ("sparse", "forecasts", "author:ada"):
        assert found(storage, Filter(q=gone)) == []
    assert instants(storage) == (LATER, LATER, NOW)


def test_a_corrected_date_moves_the_item_and_all_that_leads_to_it(storage: Storage) -> None:
    other = replace(ONE, key="2601.00002", day=FIRST_DAY + timedelta(days=1))
    put(storage, replace(ONE, basis=Basis.ESTIMATED), other)
    assert held(storage).estimated
    filters = (
        Filter(),
        Filter(topics=("python",)),
        Filter(areas=("programming",)),
        Filter(q="sparse"),
        Filter(sources=("arxiv",)),
    )
    assert all(found(storage, f) == [other.id, ONE.id] for f in filters)
    moved = replace(ONE, day=FIRST_DAY + timedelta(days=5))
    put(storage, moved)
    assert not held(storage).estimated
    assert held(storage).position == positions([moved, other])[ONE.id]
    assert all(found(storage, f) == [ONE.id, other.id] for f in filters)
    for f in filters:
        assert found(storage, replace(f, until=FIRST_DAY)) == []
        assert found(storage, replace(f, since=moved.day)) == [ONE.id]
    with storage.read() as db:
        assert stored_items.per_day(db, "topic", "python", date.min, date.max) == {other.day: 1, moved.day: 1}
        assert stored_items.newest_day(db) == moved.day


def test_items_that_change_places_in_one_page_do_not_collide(storage: Storage) -> None:
    two = replace(ONE, key="2601.00002", day=FIRST_DAY + timedelta(days=1))
    put(storage, ONE, two)
    put(storage, replace(ONE, day=two.day), replace(two, day=ONE.day))
    assert found(storage, Filter()) == [ONE.id, two.id]


def test_changed_tags_are_found_by_the_new_ones_only(storage: Storage) -> None:
    put(storage, ONE)
    put(storage, replace(ONE, topics=(("deep-learning", 0.25), ("language-models", 0.75))))
    assert [(t.topic, t.score) for t in held(storage).topics] == [("language-models", 0.75), ("deep-learning", 0.25)]
    assert found(storage, Filter(topics=("python",))) == []
    assert found(storage, Filter(areas=("programming",))) == []
    assert found(storage, Filter(topics=("language-models",), areas=("algorithms",))) == [ONE.id]
    with storage.read() as db:
        rows = db.execute(select(s.terms.c.value, s.tags.c.score).join(s.terms, s.terms.c.id == s.tags.c.term_id))
        assert {r.value: r.score for r in rows} == {"language-models": 0.75, "deep-learning": 0.25}
        assert stored_items.counts(db, "topic") == {"deep-learning": 1, "language-models": 1}
    put(storage, replace(ONE, topics=()))
    with storage.read() as db:
        assert db.execute(select(func.count()).select_from(s.tags)).scalar_one() == 0
        assert stored_items.counts(db, "topic") == {}


def test_categories_are_found_by_their_canonical_names(storage: Storage) -> None:
    put(storage, ONE)
    assert found(storage, Filter(categories=("math.ST",))) == [ONE.id]
    assert found(storage, Filter(categories=("stat.TH",))) == []
    assert held(storage).categories == ("cs.LG", "stat.TH")
    put(storage, replace(ONE, categories=("cs.LG", "math.ST", "stat.TH")))
    assert found(storage, Filter(categories=("math.ST",))) == [ONE.id]


def test_a_withdrawal_is_told_once_on_its_day(storage: Storage) -> None:
    put(storage, ONE)
    day = date(2026, 1, 20)
    gone = replace(ONE, withdrawn=True, version=2, news=(News("withdrawn", day, "error in proof"),))
    put(storage, gone)
    put(storage, replace(gone, news=(News("withdrawn", day, "error in proof"), News("moved", day))))
    item = held(storage)
    assert item.withdrawn
    assert item.news == (News("moved", day), News("withdrawn", day, "error in proof"))


def test_versions_are_added_and_corrected(storage: Storage) -> None:
    put(storage, ONE)
    put(storage, replace(ONE, version=3))
    assert [v.number for v in held(storage).entries[0].versions] == [1, 2, 3]
    put(storage, replace(ONE, version=3, withdrawn=True))
    versions = held(storage).entries[0].versions
    assert versions == replace(ONE, version=3, withdrawn=True).entry.versions
    assert [v.withdrawn for v in versions] == [False, False, True]


def test_an_identifier_stays_with_the_item_that_had_it_first(storage: Storage) -> None:
    put(storage, ONE)
    rival = Thing("2601.00002", identifiers=(("doi", "10.1000/one"), ("doi", "10.1000/two")))
    put(storage, rival)
    assert held(storage, rival).identifiers == (("arxiv", rival.key), ("doi", "10.1000/one"), ("doi", "10.1000/two"))
    with storage.read() as db:
        assert [found.id if found else None for found in (by_identifier(db, "doi", v) for v in ("10.1000/one", "none"))] == [
            ONE.id,
            None,
        ]
        assert entries.like(db, [rival.entry], {"doi"}) == {1, 2}
        assert entries.like(db, [replace(rival, title="", identifiers=(("doi", "10.1000/two"),)).entry], {"doi"}) == {2}
    put(storage, replace(ONE, identifiers=(("doi", "10.1000/one"), ("github", "ada/one"))))
    assert ("github", "ada/one") in held(storage).identifiers


def test_a_second_entry_joins_and_the_lead_is_still_the_one_that_is_shown_and_searched(storage: Storage) -> None:
    put(storage, ONE)
    second = Thing("v1", source="pmlr", title=ONE.title, abstract="Proceedings say zebra.", topics=ONE.topics)
    with storage.write() as db:
        item_id = entries.kept(db, "arxiv", [ONE.key])[ONE.key].item_id
        told = replace(ONE.item, sources=("arxiv", "pmlr"))
        lead = ("arxiv", ONE.key)
        known = {lead: entries.kept(db, "arxiv", [ONE.key])[ONE.key].entry_id}
        store_writes(db, [Write(told, item_id, second.id, lead, (Saying(second.entry, "h", None),))], NOW, (), known)
    item = held(storage)
    assert [(e.source, e.key) for e in item.entries] == [("arxiv", ONE.key), ("pmlr", "v1")]
    assert item.summary == ONE.abstract
    assert found(storage, Filter(sources=("pmlr",))) == [ONE.id]
    assert found(storage, Filter(q="study")) == [ONE.id]
    assert found(storage, Filter(q="zebra")) == []
    with storage.write() as db:
        kept = entries.kept(db, "pmlr", ["v1"])["v1"]
        again = replace(second.entry, abstract="Proceedings say yak.")
        renamed = replace(told, title="Renamed")
        store_writes(db, [Write(renamed, item_id, second.id, lead, (Saying(again, "i", kept),))], NOW, (), known)
    check_index(storage)
    put(storage, replace(ONE, abstract="Nothing."))
    assert found(storage, Filter(q="study")) == []


def test_a_page_is_stored_whole_or_not_at_all(storage: Storage) -> None:
    put(storage, ONE)
    before = dump(storage)
    things = some_things(20)
    bad = replace(things[-1], key=things[0].key, source=things[0].source)  # one key twice: the page is refused
    with pytest.raises(Exception, match=r"(?i)unique"):
        put(storage, *things[:-1], bad)
    assert dump(storage) == before


def test_more_rows_than_one_statement_takes_are_stored(storage: Storage) -> None:
    things = some_things(1100)
    put(storage, *things)
    with storage.read() as db:
        assert stored_items.total(db) == 1100
        arxiv = [t.key for t in things if t.source == "arxiv"]
        assert len(entries.kept(db, "arxiv", arxiv)) == len(entries.held(db, "arxiv", arxiv)) == len(arxiv)
        assert len(arxiv) > 500


# ------------------------------------------------------------------ again
def _page(number: int) -> Page:
    said = []
    for n in range(30):
        t = any_thing(random.Random(n), n)
        said.append(
            replace(t.entry, source="arxiv", key=t.key, kind=Kind.PAPER, version=number, versions=(Version(number, NOW),))
        )
    return Page(said)


def _keep(storage: Storage, page: Page, now: datetime) -> tuple[int, int, int]:
    keeper = Keeper(storage, load_taxonomy(), tagger())
    keeper.prepare("arxiv", page)

    def write(db: object) -> tuple[int, int, int]:
        counts = keeper.write(db, "arxiv", page, now)
        return counts.new, counts.revised, counts.unchanged

    return storage.writing(write)


def test_storing_the_same_page_again_writes_nothing(storage: Storage) -> None:
    page = _page(1)
    assert _keep(storage, page, NOW) == (30, 0, 0)
    before = dump(storage)
    assert _keep(storage, page, LATER) == (0, 0, 30)
    shuffled = replace(page, entries=random.Random(1).sample(page.entries, 30))
    assert _keep(storage, shuffled, LATER) == (0, 0, 30)
    assert dump(storage) == before


def test_a_revised_page_is_written_once_and_an_older_one_changes_no_words(storage: Storage) -> None:
    _keep(storage, _page(1), NOW)
    assert _keep(storage, _page(2), LATER) == (0, 30, 0)
    before = dump(storage)
    assert _keep(storage, _page(2), LATER + timedelta(days=1)) == (0, 0, 30)
    assert _keep(storage, _page(1), LATER + timedelta(days=1)) == (0, 0, 30)
    assert dump(storage) == before


def test_removed_entries_are_withdrawn_once(storage: Storage) -> None:
    page = _page(1)
    _keep(storage, page, NOW)
    keys = [e.key for e in page.entries if not e.withdrawn][:3]
    assert _keep(storage, Page(removed=[*keys, "never held"]), LATER) == (0, 3, 1)
    before = dump(storage)
    assert _keep(storage, Page(removed=keys), LATER + timedelta(days=1)) == (0, 0, 3)
    assert dump(storage) == before
    with storage.read() as db:
        told = db.execute(select(s.news.c.day, s.news.c.what).where(s.news.c.what == "withdrawn")).all()
    assert [tuple(r) for r in told] == [(LATER.date(), "withdrawn")] * 3


def test_entries_without_a_date_are_announced_on_the_day_they_were_first_held(storage: Storage) -> None:
    said = EntryData(source="blogs", key="a", kind=Kind.POST, title="A post", url="https://blog.example/a")
    assert _keep(storage, Page([replace(said, source="arxiv")]), NOW) == (1, 0, 0)
    assert _keep(storage, Page([replace(said, source="arxiv")]), LATER) == (0, 0, 1)
    with storage.read() as db:
        assert db.execute(select(s.items.c.announced)).scalar_one() == NOW.date()


# ------------------------------------------------------------------ any sequence
def _sequence(storage: Storage, seed: int, steps: int) -> None:
    rng = random.Random(seed)
    told: list[Thing] = []
    for step in range(steps):
        fresh = [any_thing(rng, len(told) + n) for n in range(rng.randint(0, 4))]
        again = sorted(rng.sample(range(len(told)), rng.randint(0, min(5, len(told)))))
        for n in again:
            told[n] = changed(told[n], rng)
        put(storage, *(told[n] for n in again), *fresh, now=NOW + timedelta(minutes=step))
        told += fresh
    check_derived(storage)
    check_index(storage)
    assert found(storage, Filter()) == expected(told, Filter())
    for topic in ("python", "deep-learning"):
        assert found(storage, Filter(topics=(topic,))) == expected(told, Filter(topics=(topic,)))


_EXAMPLES = settings(max_examples=12, suppress_health_check=[HealthCheck.function_scoped_fixture])


@_EXAMPLES
@given(seed=st.integers(0, 10**6), steps=st.integers(1, 6))
def test_after_any_writes_all_that_is_derived_fits(storage: Storage, seed: int, steps: int) -> None:
    emptied(storage)
    _sequence(storage, seed, steps)


@pytest.mark.slow
def test_after_very_many_writes_all_that_is_derived_fits(storage: Storage) -> None:
    _sequence(storage, 1, 80)


@pytest.mark.postgres
def test_both_databases_hold_the_same_bytes(run: Run, postgres_database: object, tmp_path: Path) -> None:
    assert callable(postgres_database)
    path = tmp_path / "same.db"
    shutil.copyfile(run.sqlite_template(), path)
    things = some_things(150)
    filters = (
        Filter(),
        Filter(topics=("python", "r")),
        Filter(q="learning -graph"),
        Filter(kinds=(Kind.PAPER,), q="attention"),
    )
    everything = ("summary", "entries", "identifiers", "news")
    answers = []
    for url in (f"sqlite:///{path}", postgres_database(migrated=True)):
        with opened(url, *things) as storage:
            put(storage, *(changed(t, random.Random(n)) for n, t in enumerate(things[:50])), now=LATER)
            with storage.read() as db:
                pages = [stored_items.page(db, Listing(f, limit=20, fields=everything)) for f in filters]
                best = stored_items.top(db, Filter(), "python", 50)
            answers.append((dump(storage, instants=True), repr(pages), repr(best)))
    one, other = answers
    assert differences(one[0], other[0]) == {}
    assert one == other
    assert [name for name, rows in one[0].items() if len(rows) <= 10 and name not in _SELDOM] == []


_SELDOM = ("news", "parts", "batches", "links", "corrections", "aliases", "overrides")


# ------------------------------------------------------------------ many at once, and none at all
@pytest.mark.slow
@pytest.mark.parametrize("count", [60, pytest.param(2000, marks=pytest.mark.soak)])
def test_four_writers_of_the_same_pages_leave_what_one_leaves(storage: Storage, count: int) -> None:
    with storage.write() as db:
        db.execute(s.meta.insert(), {"key": "pages", "value": "0"})
    child.all_at_once("write", storage.url, count)
    with storage.read() as db:
        assert db.execute(select(s.meta.c.value).where(s.meta.c.key == "pages")).scalar_one() == str(4 * count // child.PAGE)
    many = dump(storage)
    emptied(storage)
    things = some_things(count)
    for i in range(0, count, child.PAGE):
        put(storage, *things[i : i + child.PAGE])
    assert differences(many, dump(storage)) == {}


@pytest.mark.slow
@pytest.mark.parametrize("kills", [2, pytest.param(200, marks=pytest.mark.soak)])
def test_a_kill_at_any_moment_loses_no_page_that_was_committed(storage: Storage, kills: int) -> None:
    rng, acknowledged = random.Random(kills), 0
    for _ in range(kills):
        process = child.start("write_on", storage.url, acknowledged + 1000)
        child.release(process)
        assert process.stdout is not None
        for _ in range(rng.randint(1, 4)):
            process.stdout.readline()
        time.sleep(rng.random() / 50)
        process.send_signal(signal.SIGKILL)
        rest = process.communicate()[0].split()
        acknowledged = max([acknowledged, *map(int, rest)])
        with storage.write() as db:  # waits for what the dead process's session still does
            lock_writes(db)
            keys = db.execute(select(s.meta.c.key).where(s.meta.c.key.like("page %"))).scalars()
            pages = [int(k.removeprefix("page ")) for k in keys]
            assert pages
            assert max(pages) >= acknowledged
            acknowledged = max(pages)
        if storage.dialect == "sqlite":
            # On a connection of its own: FTS5 keeps the structure of its index in mind, and the check does not look whether
            # another process has written since (a false alarm in SQLite 3.53.4; queries and writes do look).
            with opened(storage.url) as fresh, fresh.write() as db:
                assert db.execute(text("PRAGMA integrity_check")).scalars().all() == ["ok"]
                assert db.execute(text("PRAGMA foreign_key_check")).all() == []
        check_derived(storage)
        check_index(storage)
