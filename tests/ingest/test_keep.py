from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest

from catalog.entries import Detail, EntryData
from catalog.filters import Filter, Listing
from catalog.items import News
from catalog.storage import Storage, items
from tests.dumps import check_derived, dump
from tests.ingest.works import ALL, ARXIV, FORUM, NOW, SITE, VOLUME, groups, held, keep, said


@pytest.fixture
def storage(migrated_url: str) -> Iterator[Storage]:
    """An empty store."""
    made = Storage(migrated_url, upgrade=False)
    yield made
    made.close()


EVERYTHING = [["arxiv 2601.00001", "openreview f1", "pmlr v300/example26a", "virtual-icml icml-2026/u1"]]


def test_one_work_of_four_sources_is_one_item(storage: Storage) -> None:
    assert keep(storage, *ALL) == (4, 0, 0)
    assert groups(storage) == EVERYTHING
    (item,) = held(storage)
    assert (item.url, item.venue, item.announced) == (ARXIV.url, "ICML 2026", date(2026, 1, 7))
    named = tuple(i for i in item.identifiers if i[0] != "url")
    assert named == (("arxiv", "2601.00001"), ("openreview", "f1"), ("pmlr", "v300/example26a"))
    assert ("url", SITE.url) in item.identifiers  # a page whose address names nothing is found by it
    assert [e.joined for e in item.entries if e.source == "virtual-icml"] == [
        (
            ("same openreview f1", "openreview", "f1"),
            ("same title and authors", "arxiv", "2601.00001"),
            ("same title and authors", "pmlr", "v300/example26a"),
        )
    ]
    assert item.topics
    check_derived(storage)


def test_the_order_of_visits_does_not_matter(storage: Storage, new_storage: Callable[[], Storage]) -> None:
    keep(storage, *ALL)
    first = {name: rows for name, rows in dump(storage, instants=False).items() if name != "aliases"}
    named = held(storage)[0].id
    for order in [ALL[::-1], (VOLUME, SITE, ARXIV, FORUM), (SITE, ARXIV, VOLUME, FORUM)]:
        other = new_storage()
        keep(other, *order)
        assert groups(other) == EVERYTHING
        (item,) = held(other)
        again = {
            n: [tuple(named if v == item.id else v for v in r) for r in rows] for n, rows in dump(other, instants=False).items()
        }
        for name, rows in first.items():
            assert sorted(again[name], key=str) == rows, name
        check_derived(other)


def test_an_entry_that_links_two_items_merges_them_and_the_younger_id_leads_on(storage: Storage) -> None:
    keep(storage, ARXIV)
    forum = replace(FORUM, title="A Working Title That Was Dropped", authors=("Somebody Else",))
    keep(storage, forum)
    assert len(held(storage)) == 2
    by_arxiv, by_forum = (i.id for i in held(storage))
    keep(storage, SITE)
    (item,) = held(storage)
    assert (item.id, len(item.entries)) == (by_arxiv, 3)
    with storage.read() as db:
        assert items.merged_into(db, by_forum) == by_arxiv
        assert items.by_id(db, by_forum) is None
        assert items.counts(db, "kind") == {"paper": 1}
        listed, _ = items.page(db, Listing(Filter(q="demand", venues=("ICML 2026",))))
        assert [i.id for i in listed] == [by_arxiv]
    check_derived(storage)


def test_storing_again_in_another_order_writes_nothing(storage: Storage) -> None:
    keep(storage, *ALL)
    before = dump(storage)
    assert keep(storage, *ALL[::-1], now=NOW + timedelta(days=1)) == (0, 0, 4)
    assert dump(storage) == before


def test_a_later_version_under_another_title_stays_the_same_work(storage: Storage) -> None:
    keep(storage, *ALL)
    renamed = replace(ARXIV, title="Attention That Forecasts", version=2, updated=datetime(2026, 8, 1, tzinfo=UTC))
    assert keep(storage, renamed) == (0, 1, 0)
    assert groups(storage) == EVERYTHING
    assert held(storage)[0].title == "Attention That Forecasts"
    check_derived(storage)


def test_acceptance_is_claimed_then_confirmed_and_told_once(storage: Storage) -> None:
    keep(storage, ARXIV)
    (item,) = held(storage)
    assert News("accepted", date(2026, 1, 7), "ICML 2026", "claimed") in item.news
    assert News("code", date(2026, 1, 7), "https://github.com/ada/sparse") in item.news
    keep(storage, FORUM, SITE, VOLUME)
    told = [n for n in held(storage)[0].news if n.what == "accepted"]
    assert told == [
        News("accepted", date(2026, 1, 7), "ICML 2026", "claimed"),
        News("accepted", date(2026, 7, 10), "ICML 2026", "confirmed"),
    ]


def test_a_claim_that_comes_after_the_confirmation_is_not_told(storage: Storage) -> None:
    keep(storage, FORUM)
    keep(storage, replace(ARXIV, announced=date(2026, 8, 1)))
    told = [(n.day, n.status) for n in held(storage)[0].news if n.what == "accepted"]
    assert told == [(date(2026, 7, 10), "confirmed")]


def test_what_a_later_version_says_for_the_first_time_is_news_of_its_day(storage: Storage) -> None:
    quiet = replace(ARXIV, comment="", abstract="We train sparse attention.")
    keep(storage, quiet)
    assert held(storage)[0].news == ()
    keep(storage, replace(ARXIV, version=2, updated=datetime(2026, 5, 2, 8, tzinfo=UTC)))
    assert {(n.what, n.day) for n in held(storage)[0].news} == {("accepted", date(2026, 5, 2)), ("code", date(2026, 5, 2))}
    keep(
        storage,
        replace(ARXIV, version=3, updated=datetime(2026, 6, 2, 8, tzinfo=UTC), comment="Accepted at ICML 2026, 9 pages"),
    )
    assert {n.day for n in held(storage)[0].news} == {date(2026, 5, 2)}


def test_what_a_paper_page_completes_is_no_news_of_today(storage: Storage) -> None:
    listed = replace(VOLUME, abstract="", detail=Detail.BRIEF)
    keep(storage, listed)
    keep(storage, replace(VOLUME, abstract="Code: https://github.com/ada/sparse"), now=NOW + timedelta(days=9))
    assert {n.day for n in held(storage)[0].news} == {VOLUME.announced}


def test_what_is_first_seen_in_its_third_version_tells_its_facts_on_its_announced_day(storage: Storage) -> None:
    keep(storage, replace(ARXIV, version=3, updated=datetime(2026, 6, 2, 8, tzinfo=UTC)))
    assert {n.day for n in held(storage)[0].news} == {ARXIV.announced}


def test_a_venue_that_corrects_its_year_confirms_the_right_one_only(storage: Storage) -> None:
    keep(storage, replace(VOLUME, year=2025))
    keep(storage, VOLUME)
    assert [n.text for n in held(storage)[0].news] == ["ICML 2026"]


def test_an_acceptance_is_not_dated_before_the_year_of_the_edition(storage: Storage) -> None:
    keep(storage, replace(FORUM, announced=date(2025, 11, 1)))
    assert [(n.day, n.text) for n in held(storage)[0].news] == [(date(2026, 1, 1), "ICML 2026")]


def test_a_shorter_claim_of_what_is_confirmed_is_not_told(storage: Storage) -> None:
    keep(storage, replace(VOLUME, announced=date(2026, 1, 2)), replace(ARXIV, comment="Accepted at ICML"))
    assert [n.status for n in held(storage)[0].news if n.what == "accepted"] == ["confirmed"]


def test_an_item_is_withdrawn_when_nobody_stands_by_it(storage: Storage) -> None:
    keep(storage, ARXIV, FORUM)
    keep(storage, replace(ARXIV, withdrawn=True, version=2))
    (item,) = held(storage)
    assert not item.withdrawn
    assert [n.what for n in item.news].count("withdrawn") == 1
    keep(storage, replace(FORUM, withdrawn=True))
    assert held(storage)[0].withdrawn


def test_two_papers_of_one_title_stay_two(storage: Storage) -> None:
    other = said("pmlr", "v1/other", title="Attention", authors=("Cy Other",))
    keep(storage, replace(ARXIV, title="Attention"), other)
    assert groups(storage) == [["arxiv 2601.00001"], ["pmlr v1/other"]]


def test_works_of_one_page_find_each_other(storage: Storage) -> None:
    twin = replace(ARXIV, key="2601.00002", identifiers=(("arxiv", "2601.00002"),))
    keep(storage, ARXIV, twin)
    assert groups(storage) == [["arxiv 2601.00001", "arxiv 2601.00002"]]
    check_derived(storage)


@pytest.mark.slow
def test_any_order_of_many_gives_the_same_groups(storage: Storage, new_storage: Callable[[], Storage]) -> None:
    def named(n: int) -> list[EntryData]:
        letters = "abcdefghij"[n]
        title = f"A Study of {letters.upper() * 3} Networks in the Wild"
        own = [
            replace(e, key=f"{e.key}{letters}", title=title, authors=(f"Ada Q{letters * 2}", f"Bo R{letters * 2}")) for e in ALL
        ]
        return [replace(e, identifiers=tuple((s, f"{v}{letters}") for s, v in e.identifiers)) for e in own]

    everything = [e for n in range(10) for e in named(n)]
    keep(storage, *everything)
    wanted = groups(storage)
    assert [len(g) for g in wanted] == [4] * 10
    for order in itertools.islice(itertools.permutations(range(4)), 1, 24, 5):
        other = new_storage()
        keep(other, *(e for i in order for e in everything[i::4]))
        assert groups(other) == wanted
        check_derived(other)
