"""Lists by relevance and by rank: the same on both databases and in plain Python, whole while rows arrive."""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import timedelta

import pytest

from catalog import ranking
from catalog.entries import Kind
from catalog.filters import Filter, Key, Listing, Sort
from catalog.items import Item, News, Signal
from catalog.storage import Storage, items, signals
from catalog.storage.items import key_of, page, stream
from tests.catalog.things import FIRST_DAY, NOW, matches, opened, positions, put, some_things, tier

LONG = [replace(t, day=FIRST_DAY + timedelta(days=5 * n)) for n, t in enumerate(some_things(50, 7))]
RNG = random.Random(5)
THINGS = [
    replace(
        t,
        news=RNG.choice((
            (), (), (News("accepted", t.day, "ICML 2026", "claimed"),), (News("code", t.day, "https://github.com/a/b"),),
        )),
    )
    for t in (*some_things(70), *LONG)
]  # fmt: skip
THINGS = [replace(t, key=f"{n:05d}") for n, t in enumerate(THINGS)]
SAID = [Signal("arxiv", t.key, "huggingface", "upvotes", 3.0 ** (n % 12), NOW) for n, t in enumerate(THINGS) if n % 5 == 0]
FILTERS = (
    Filter(),
    Filter(topics=("python",)),
    Filter(topics=("python", "r"), kinds=(Kind.PAPER,)),
    Filter(areas=("programming",), min_score=0.5),
    Filter(since=FIRST_DAY + timedelta(days=30)),
    Filter(q="learning"),
    Filter(authors=("Ada Example",), topics=("deep-learning",)),
)
TEXTS = (
    "learning", "sparse attention", '"sparse attention"', "graph OR forecasting the", "title:graphs learning",
    "learning author:erdős", "-learning", "title:networks", "the of a", "learning -title:learning", "venue:ICML learning",
    "nowhere",
)  # fmt: skip


@pytest.fixture
def storage(migrated_url: str) -> Iterator[Storage]:
    """A store with the things and what is said of them from outside."""
    with opened(migrated_url, *THINGS) as made:
        with made.write() as db:
            signals.put(db, SAID)
        yield made


def walk(storage: Storage, listing: Listing, limit: int) -> list[str]:
    """All ids, page by page."""
    out: list[str] = []
    after: Key | None = None
    while True:
        with storage.read() as db:
            found, after = page(db, replace(listing, limit=limit, after=after))
            if found and after:
                assert key_of(db, listing, found[-1]) == after
        out += [i.id for i in found]
        if after is None:
            return out
        assert len(found) == limit


def by_rank(found: Mapping[str, Item], filter: Filter) -> list[str]:
    """Ids as the stated parts order them: each item looked at by itself."""
    asked = items._asked(filter)
    chosen = [found[t.id] for t in THINGS if matches(t, filter)]
    return [i.id for i in sorted(chosen, key=lambda i: (-ranking.rank(i, asked), -i.position))]


def test_rank_is_what_the_parts_say(storage: Storage, monkeypatch: pytest.MonkeyPatch) -> None:
    with storage.read() as db:
        found = {i.id: i for i in stream(db, Listing(limit=None, fields=("news", "signals")))}
    monkeypatch.setattr(items, "_RANKED", 25)
    for f in FILTERS:
        listing, wanted = Listing(f, sort="rank"), by_rank(found, f)
        assert wanted
        assert walk(storage, listing, 7) == wanted, f
        with storage.read() as db:
            assert [i.id for i in stream(db, replace(listing, limit=None))] == wanted


def test_relevance_is_tier_by_tier_the_newest_first(storage: Storage) -> None:
    place = positions(THINGS)
    for q in TEXTS:
        for f in (Filter(q=q), Filter(q=q, topics=("python", "r"), until=FIRST_DAY + timedelta(days=60))):
            wanted = sorted((t for t in THINGS if matches(t, f)), key=lambda t: (tier(t, q), -place[t.id]))
            listing = Listing(f, sort="relevance")
            for limit in (9, 200):
                assert walk(storage, listing, limit) == [t.id for t in wanted], f


@pytest.mark.parametrize("sort", ["newest", "relevance", "rank"])
def test_a_walk_misses_and_repeats_nothing_while_rows_arrive(storage: Storage, sort: Sort) -> None:
    for f in (Filter(q="learning"), Filter(q="learning", topics=("python", "r"))):
        listing = Listing(f, sort=sort, limit=5)
        before = walk(storage, listing, 200)
        seen: list[str] = []
        after: Key | None = None
        for n in range(200):
            with storage.read() as db:
                found, after = page(db, replace(listing, after=after))
            seen += [i.id for i in found]
            if after is None:
                break
            put(storage, *(replace(t, key=f"{sort}/{f!r}/{n}/{t.key}"[-60:]) for t in some_things(4, n, 400)))
        assert after is None
        assert len(seen) == len(set(seen))
        assert [i for i in seen if i in set(before)] == before
