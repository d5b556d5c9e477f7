"""Pages by any filter: the same items in the same order on both databases, and as plain Python finds them; counts likewise."""

from __future__ import annotations

import itertools
import json
import random
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest
from sqlalchemy import Connection, text

from catalog.categories import canonical
from catalog.entries import Kind
from catalog.errors import UsageError
from catalog.filters import Filter, Key, Listing, make_cursor, parse_listing
from catalog.storage import Storage, items, selection
from catalog.storage.driver import Driver
from catalog.storage.items import (
    CARD,
    Facets,
    best_cards,
    cards,
    count,
    counts,
    facets,
    newest_day,
    page,
    per_day,
    stream,
    top,
    total,
)  # fmt: skip
from catalog.taxonomy import load_taxonomy
from tests.catalog.things import (
    CATEGORIES,
    FIRST_DAY,
    SOURCES,
    TOPICS,
    Thing,
    expected,
    matches,
    newest_first,
    opened,
    positions,
    put,
    some_things,
)  # fmt: skip

THINGS = some_things(150)
LAST_DAY = max(t.day for t in THINGS)
SINGLE = (
    Filter(),
    *(Filter(topics=(t,)) for t in TOPICS),
    *(Filter(areas=(a,)) for a in ("algorithms", "programming", "applications", "mathematics")),
    *(Filter(kinds=(k,)) for k in Kind),
    *(Filter(sources=(s,)) for s in SOURCES),
    *(Filter(categories=(canonical(c),)) for c in CATEGORIES),
)
SEVERAL = (
    Filter(topics=("deep-learning", "python")),
    Filter(topics=TOPICS),
    Filter(kinds=(Kind.PAPER, Kind.POST)),
    Filter(categories=("cs.CL", "cs.LG", "eess.SY")),
    Filter(topics=("python", "no-such-topic")),
    Filter(topics=("no-such-topic",)),
    Filter(topics=("python",), sources=("no-such-source",)),
    Filter(topics=("python",), kinds=(Kind.PAPER,)),
    Filter(topics=("python", "r"), areas=("applications",)),
    Filter(topics=("python",), areas=("algorithms",), categories=("cs.LG", "cs.CL"), kinds=(Kind.PAPER,)),
    Filter(kinds=(Kind.POST, Kind.RELEASE), sources=("blogs", "pmlr")),
)


@pytest.fixture
def storage(migrated_url: str) -> Iterator[Storage]:
    """A store with all the things."""
    with opened(migrated_url, *THINGS) as made:
        yield made


@pytest.fixture
def empty(migrated_url: str) -> Iterator[Storage]:
    """A store without any."""
    with opened(migrated_url) as made:
        yield made


def walk(storage: Storage, filter: Filter, limit: int) -> list[str]:
    """All public ids of a filter, page by page, each in a transaction of its own."""
    out: list[str] = []
    after: Key | None = None
    while True:
        with storage.read() as db:
            found, after = page(db, Listing(filter, limit=limit, after=after))
        assert len(found) <= limit
        out += [i.id for i in found]
        if after is None:
            return out
        assert len(found) == limit
        assert after == (found[-1].position,)


def ids(storage: Storage, filter: Filter) -> list[str]:
    """All public ids of a filter."""
    with storage.read() as db:
        return [i.id for i in stream(db, Listing(filter, limit=None))]


# ------------------------------------------------------------------ filters
def test_every_filter_finds_what_plain_python_finds(storage: Storage) -> None:
    for f in (*SINGLE, *SEVERAL):
        assert ids(storage, f) == expected(THINGS, f), f


def test_filters_with_dates_find_what_plain_python_finds(storage: Storage) -> None:
    days = [None, FIRST_DAY, FIRST_DAY + timedelta(days=3), LAST_DAY]
    for f, since, until in itertools.product((SINGLE[0], SINGLE[1], *SEVERAL[:2], *SEVERAL[-4:]), days, days):
        dated = replace(f, since=since, until=until)
        assert ids(storage, dated) == expected(THINGS, dated), dated


def test_random_combinations_find_what_plain_python_finds(storage: Storage) -> None:
    rng = random.Random(1)

    def some(values: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(sorted(rng.sample(values, rng.choice((0, 0, 1, 1, 2)))))

    for _ in range(120):
        f = Filter(
            topics=some(TOPICS), areas=some(("algorithms", "programming")),
            kinds=tuple(map(Kind, some(("paper", "post", "release")))), sources=some(SOURCES),
            categories=tuple(sorted({canonical(c) for c in some(CATEGORIES)})),
            since=rng.choice((None, FIRST_DAY + timedelta(days=rng.randrange(12)))),
            q=rng.choice(("", "", "learning", "-sparse the", "venue:ICML OR learning", "-venue:ICML")),
            authors=some(("Ada Example", "Zoe", "learner")),
            venues=some(("ICML", "NeurIPS")),
            min_score=rng.choice((0, 0, 0.25, 0.8)),
        )  # fmt: skip
        assert walk(storage, f, rng.choice((1, 7, 200))) == expected(THINGS, f), f


def test_very_many_values_of_one_field_are_still_answered(storage: Storage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(selection, "_BRANCHES", 2)
    for f in (Filter(topics=TOPICS), Filter(topics=TOPICS, kinds=(Kind.PAPER,)), Filter(topics=TOPICS, since=LAST_DAY)):
        assert walk(storage, f, 20) == expected(THINGS, f)


def test_dates_at_the_ends_of_the_calendar_bound_nothing(storage: Storage) -> None:
    everything = expected(THINGS, Filter())
    assert ids(storage, Filter(since=date.min, until=date.max)) == everything
    assert ids(storage, Filter(until=date.max)) == everything
    assert ids(storage, Filter(since=date.max)) == ids(storage, Filter(until=date.min)) == []
    assert ids(storage, Filter(since=LAST_DAY, until=FIRST_DAY)) == []


def test_items_of_the_first_and_the_last_day_there_is_are_found(empty: Storage) -> None:
    ends = [Thing("1", day=date(1, 1, 3)), Thing("2", day=date(9999, 12, 31))]
    put(empty, *ends)
    assert ids(empty, Filter()) == [ends[1].id, ends[0].id]
    assert ids(empty, Filter(until=date(1, 1, 3))) == [ends[0].id]
    assert ids(empty, Filter(since=date(9999, 12, 31))) == [ends[1].id]
    assert ids(empty, Filter(until=date(9999, 12, 30))) == [ends[0].id]


# ------------------------------------------------------------------ pages
@pytest.mark.parametrize("limit", [1, 7, 50, 149, 150, 151])
def test_pages_put_together_are_the_whole(storage: Storage, limit: int) -> None:
    assert walk(storage, Filter(), limit) == expected(THINGS, Filter())
    assert walk(storage, Filter(topics=("python", "r")), limit) == expected(THINGS, Filter(topics=("python", "r")))


def test_positions_are_those_that_days_and_arrival_give(storage: Storage) -> None:
    with storage.read() as db:
        assert {i.id: i.position for i in stream(db, Listing(limit=None))} == positions(THINGS)


def test_a_walk_misses_and_repeats_nothing_while_rows_arrive(storage: Storage) -> None:
    for f in (Filter(), Filter(topics=("python",)), Filter(topics=("python", "r")), Filter(q="learning")):
        before = ids(storage, f)
        seen: list[str] = []
        after: Key | None = None
        for n in itertools.count():
            with storage.read() as db:
                found, after = page(db, Listing(f, limit=5, after=after))
            seen += [i.id for i in found]
            if after is None:
                break
            put(storage, *(replace(t, key=f"{f!r}/{n}/{t.key}"[-60:]) for t in some_things(3, n)))
        assert len(seen) == len(set(seen))
        assert [i for i in seen if i in set(before)] == before


def test_a_stream_has_the_items_asked_for(storage: Storage, monkeypatch: pytest.MonkeyPatch) -> None:
    with storage.read() as db:
        assert [i.id for i in stream(db, Listing(limit=7))] == expected(THINGS, Filter())[:7]
        assert list(stream(db, Listing(limit=0))) == []
        assert len(list(stream(db, Listing(limit=10_000)))) == len(THINGS)


def test_a_stream_goes_on_over_many_pages(empty: Storage) -> None:
    things = some_things(1100)
    put(empty, *things)
    with empty.read() as db:
        found = list(stream(db, Listing(Filter(kinds=(Kind.PAPER,)), limit=None, fields=("summary", "entries"))))
        assert [i.id for i in found] == expected(things, Filter(kinds=(Kind.PAPER,)))
        assert len(found) > 500
        assert {i.id: i.summary for i in found} == {t.id: t.abstract for t in things if t.kind is Kind.PAPER}
        assert len(list(stream(db, Listing(limit=501)))) == 501
    words = Filter(q="learning or the", until=LAST_DAY)
    assert ids(empty, words) == expected(things, words)


def test_a_page_carries_only_the_parts_asked_for(storage: Storage) -> None:
    with storage.read() as db:
        bare, _ = page(db, Listing(limit=20))
        full, _ = page(db, Listing(limit=20, fields=("summary", "entries", "identifiers", "news")))
    assert not any(i.summary or i.comment or i.entries or i.identifiers or i.news for i in bare)
    for item, thing in zip(full, newest_first(THINGS), strict=False):
        assert (item.summary, item.comment) == (thing.abstract, thing.comment)
        assert item.identifiers == thing.entry.identifiers
        assert [(e.source, e.key, e.version, e.versions) for e in item.entries] == [
            (thing.source, thing.key, thing.version, thing.entry.versions)
        ]
        assert item.topics == thing.item.tags


def test_an_empty_store_answers_everything(empty: Storage) -> None:
    with empty.read() as db:
        for f in (*SINGLE, *SEVERAL, Filter(q="learning"), Filter(q="learning", topics=("python",))):
            assert page(db, Listing(f)) == ([], None)
            assert list(stream(db, Listing(f, limit=None))) == []
        assert top(db, Filter(), "python", 5) == []
        assert items.by_id(db, "0" * 16) is None
        assert items.by_identifier(db, "arxiv", "2601.00001") is None
        assert items.fill(db, [], ("summary",)) == []
        assert counts(db, "topic") == {}
        assert per_day(db, "topic", "python", date.min, date.max) == {}
        assert newest_day(db) is None
        assert total(db) == 0


def test_items_are_found_by_id_identifier_and_address(storage: Storage) -> None:
    put(storage, blog := Thing("post", source="blogs", kind=Kind.POST, identifiers=(("url", "https://blog.example/?a=%_"),)))
    with storage.read() as db:
        for thing in THINGS[:10]:
            found = items.by_id(db, thing.id)
            assert found is not None
            assert found.title == thing.title
            assert items.by_identifier(db, thing.source, thing.key) == found
        assert items.by_identifier(db, "url", "https://blog.example/?a=%_") == items.by_id(db, blog.id)
        for other in ("https://blog.example/?a=%25_", "https://blog.example/?a=xy", "HTTPS://blog.example/?a=%_", ""):
            assert items.by_identifier(db, "url", other) is None
        assert items.by_id(db, THINGS[0].id.upper()) is None


# ------------------------------------------------------------------ counts
def _values(thing: Thing, scheme: str) -> set[str]:
    return {
        "topic": {t for t, _ in thing.topics},
        "area": set(thing.areas),
        "kind": {thing.kind.value},
        "source": {thing.source},
        "category": {canonical(c) for c in thing.categories},
        "venue": {thing.venue} - {""},
    }[scheme]


@pytest.mark.parametrize("scheme", ["topic", "area", "kind", "source", "category", "venue"])
def test_counts_are_those_of_plain_python(storage: Storage, scheme: str) -> None:
    middle = FIRST_DAY + timedelta(days=4)
    with storage.read() as db:
        for since, until in (
            (None, None),
            (middle, None),
            (None, middle),
            (middle, middle),
            (LAST_DAY + timedelta(days=1), None),
        ):
            wanted = Counter(v for t in THINGS if matches(t, Filter(since=since, until=until)) for v in _values(t, scheme))
            assert counts(db, scheme, since, until) == dict(wanted)
        assert total(db) == len(THINGS)
        assert newest_day(db) == LAST_DAY


def test_days_are_counted_as_plain_python_counts_them(storage: Storage) -> None:
    wanted = Counter(t.day for t in THINGS if "python" in _values(t, "topic"))
    with storage.read() as db:
        found = per_day(db, "topic", "python", date.min, date.max)
        assert found == dict(wanted)
        assert list(found) == sorted(found)
        assert per_day(db, "topic", "python", FIRST_DAY, FIRST_DAY) == {d: n for d, n in wanted.items() if d == FIRST_DAY}
        assert per_day(db, "kind", "python", date.min, date.max) == {}


def test_the_best_of_a_topic_come_by_score_and_then_newest_first(storage: Storage) -> None:
    place = positions(THINGS)
    put(storage, *(replace(t, topics=(("python", 0.5),)) for t in THINGS[:8]))
    things = [replace(t, topics=(("python", 0.5),)) for t in THINGS[:8]] + THINGS[8:]
    for f in (
        Filter(),
        Filter(kinds=(Kind.PAPER,), since=FIRST_DAY + timedelta(days=2)),
        Filter(topics=("r",)),
        Filter(areas=("none",)),
    ):
        scored = [(-dict(t.topics)["python"], -place[t.id], t) for t in things if matches(t, f) and "python" in dict(t.topics)]
        wanted = [t for _, _, t in sorted(scored, key=lambda r: r[:2])]
        with storage.read() as db:
            for limit in (3, 500):
                best = top(db, f, "python", limit)
                assert [i.id for i in best] == [t.id for t in wanted][:limit]
                assert [i.summary for i in best] == [t.abstract for t in wanted][:limit]
            assert top(db, f, "no-such-topic", 5) == []
            assert [i.summary for i in top(db, f, "python", 1, ())] == [""] * min(1, len(wanted))


def test_the_items_of_a_filter_are_counted_up_to_a_limit(storage: Storage) -> None:
    for f in (
        *SINGLE,
        *SEVERAL,
        Filter(since=LAST_DAY),
        Filter(topics=("python",), until=FIRST_DAY),
        Filter(q="learning"),
        Filter(authors=("ada",), topics=("r",)),
    ):
        wanted = len(expected(THINGS, f))
        with storage.read() as db:
            assert count(db, f) == (wanted, True), f
            found, whole = count(db, f, 10)
        assert found == wanted if whole else found == 10 < wanted


def test_facets_are_those_of_plain_python(storage: Storage) -> None:
    fields = ("topic", "area", "kind", "source", "venue", "category")
    middle = FIRST_DAY + timedelta(days=4)
    for f in (
        Filter(),
        Filter(since=middle),
        Filter(until=middle),
        Filter(topics=("python",)),
        Filter(topics=("python",), kinds=(Kind.PAPER,), since=middle),
        Filter(q="learning", until=middle),
        Filter(sources=("no-such-source",)),
    ):
        wanted = {x: dict(Counter(v for t in THINGS if matches(t, f) for v in _values(t, x))) for x in fields}
        with storage.read() as db:
            assert facets(db, f, fields) == Facets(wanted, whole=True), f
            assert facets(db, f, ("kind",)).counts == {"kind": wanted["kind"]}


def test_facets_say_when_they_were_not_counted_over_all(storage: Storage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(items, "COUNTED", 10)
    newest = [t for t in newest_first(THINGS) if "python" in dict(t.topics)][:10]
    with storage.read() as db:
        found = facets(db, Filter(topics=("python",)), ("kind",))
    assert found == Facets({"kind": dict(Counter(t.kind.value for t in newest))}, whole=False)


def test_cards_are_what_the_store_holds(storage: Storage) -> None:
    listings: list[Listing] = [Listing(Filter(topics=("python",)), limit=10), Listing(limit=10, sort="rank")]
    listings.append(Listing(Filter(q="learning OR sparse"), "relevance", 10))
    with storage.read() as db:
        pairs = [(cards(db, listing), page(db, listing)) for listing in listings]
        pairs.append(((best_cards(db, Filter(), "python", 10), None), (top(db, Filter(), "python", 10, ()), None)))
    for (rows, after), (held, same) in pairs:
        assert after == same
        for row, item in zip(rows, held, strict=True):
            said = dict(zip(CARD, row, strict=True))
            assert (said["public_id"], said["position"], said["kind"], said["title"], said["url"], said["venue"]) == (
                item.id, item.position, item.kind.value, item.title, item.url, item.venue,
            )  # fmt: skip
            assert tuple(json.loads(said["authors"])) == item.authors
            assert [tuple(t) for t in json.loads(said["tags"])] == [(t.topic, t.score) for t in item.topics]


# ------------------------------------------------------------------ listings
def test_a_listing_is_read_from_the_parameters_that_its_filter_and_cursor_give() -> None:
    taxonomy = load_taxonomy()
    f = Filter(
        ("deep-learning", "r"),
        ("algorithms",),
        (Kind.PAPER, Kind.POST),
        ("arxiv",),
        ("ICML 2026", "NeurIPS"),
        ("Ada Example", "Zoë"),
        ("cs.LG",),
        ("start-here",),
        ("survey", "tutorial"),
        FIRST_DAY,
        LAST_DAY,
        '-a "b c"',
        0.125,
    )
    given: dict[str, list[str]] = {}
    for name, value in f.parameters():
        given.setdefault(name, []).append(value)
    for after in (None, 0, 1, 12408898715649, (1 << 62) - 1):
        cursor = {} if after is None else {"cursor": [make_cursor((after,))]}
        asked = given | {"limit": ["7"], "fields": ["news,summary"]} | cursor
        assert parse_listing(asked, taxonomy, SOURCES) == Listing(
            f, "newest", 7, None if after is None else (after,), ("summary", "news")
        )
    assert parse_listing({}, taxonomy, SOURCES) == Listing()


def test_a_cursor_of_any_kind_is_answered_or_refused(storage: Storage) -> None:
    taxonomy = load_taxonomy()
    with storage.read() as db:
        for after in (0, 1, 1 << 62, (1 << 63) - 1):
            listing = parse_listing({"cursor": [make_cursor((after,))]}, taxonomy, SOURCES)
            assert len(page(db, listing)[0]) == (50 if after > 1 else 0)
    for bad in ("", "x", "bgAAAAAAAAA", make_cursor((1,))[:-2], make_cursor((1,)) + "AA", "é" * 12, "bv__________8"):
        if bad:
            with pytest.raises(UsageError, match="cursor"):
                parse_listing({"cursor": [bad]}, taxonomy, SOURCES)


# ------------------------------------------------------------------ how it is found
def _plan(db: Connection, f: Filter, after: Key | None = None) -> list[str]:
    """What the database plans to do for each statement of a page, line by line."""
    word = "EXPLAIN QUERY PLAN " if db.dialect.name == "sqlite" else "EXPLAIN "
    plans: list[str] = []
    with pytest.MonkeyPatch.context() as patched:
        rows = Driver.rows

        def explained(on: Driver, statement: str, values: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
            plans.extend(str(r[-1]) for r in rows(on, word + statement, values))
            return rows(on, statement, values)

        patched.setattr(Driver, "rows", explained)
        page(db, Listing(f, limit=20, after=after))
    return plans


@pytest.mark.parametrize("backend", ["sqlite"], indirect=True)
@pytest.mark.parametrize("analysed", [False, True])
def test_a_page_on_sqlite_reads_a_range_and_sorts_nothing(storage: Storage, analysed: bool) -> None:
    if analysed:
        with storage.write() as db:
            db.execute(text("ANALYZE"))
    one = (Filter(), Filter(topics=("python",)), Filter(categories=("cs.LG",)), Filter(topics=("python",), since=FIRST_DAY))
    for f, after in itertools.product((*one, Filter(topics=("python",), kinds=(Kind.PAPER,))), (None, (12408898715649,))):
        with storage.read() as db:
            plans = _plan(db, f, after)
        assert not [p for p in plans if "USE TEMP B-TREE FOR ORDER BY" in p], f
        scanned = [p for p in plans if p.startswith("SCAN i ")]
        assert not scanned or (f == Filter() and all("uq_items_position" in p or "autoindex" in p for p in scanned)), f
        if f.topics or f.categories:
            assert [p for p in plans if p.startswith("SEARCH t USING PRIMARY KEY")], f


@pytest.mark.parametrize("backend", ["sqlite"], indirect=True)
def test_a_page_of_several_topics_on_sqlite_reads_a_range_of_each(storage: Storage) -> None:
    with storage.read() as db:
        plans = _plan(db, Filter(topics=("deep-learning", "python"), kinds=(Kind.PAPER,)))
    assert not [p for p in plans if p.startswith(("SCAN i ", "SCAN t ", "SCAN g"))]


@pytest.mark.slow
@pytest.mark.parametrize("backend", ["postgres"], indirect=True)
def test_a_topic_page_on_postgresql_reads_a_range_and_sorts_nothing(empty: Storage) -> None:
    put(empty, *some_things(2500, days=400))
    with empty.write() as db:
        db.execute(text("ANALYZE"))
    with empty.read() as db:
        plan = "\n".join(_plan(db, Filter(topics=("python",)))[1:])
    assert "Backward using pk_tags" in plan
    assert "Seq Scan on items" not in plan
    assert "Seq Scan on tags" not in plan
    assert "Sort" not in plan
