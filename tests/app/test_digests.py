"""Selecting and composing: caps, once, order, reasons, receipts, and the same bytes everywhere."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app import digests
from app.digests import Caps, Digest, Pick, compose, preview
from app.render import FORMATS, render
from catalog.entries import Kind
from catalog.filters import Filter
from catalog.items import Evidence, Item, News, Tag
from catalog.periods import day_of, parse_period
from catalog.storage import Storage, sources
from catalog.storage.sources import Batch
from catalog.taxonomy import load_taxonomy
from tests.app import seed_pages
from tests.app.seed_pages import NOW, Seed

TAXONOMY = load_taxonomy()
WEEK = parse_period("2026-W05")
TODAY = date(2026, 1, 30)
SOME = ("linear-algebra", "deep-learning", "language-models", "computer-vision", "model-validation")


def item(name: str, *tags: Tag, day: date = WEEK.first, **more: Any) -> Item:
    given: dict[str, Any] = {
        "id": name, "position": 0, "kind": Kind.PAPER, "title": f"Title of {name}", "url": "https://arxiv.org/abs/1",
        "authors": ("A",), "venue": "", "announced": day, "estimated": False, "submitted": None, "updated": None,
        "withdrawn": False, "topics": tags, "categories": ("cs.LG",),
    }  # fmt: skip
    return Item(**{**given, **more})


def many(n: int, topics: Sequence[str] = SOME) -> list[Item]:
    """Items of all topics with scores that differ in the third place."""
    return [item(f"i{k:03d}", *(Tag(t, (500 + (k * 7 + j * 31) % 500) / 1000) for j, t in enumerate(topics))) for k in range(n)]


def picks(digest: Digest) -> list[Pick]:
    return [p for s in digest.sections for p in s.items]


def ids(digest: Digest) -> list[str]:
    return [p.item.id for p in picks(digest)]


# ------------------------------------------------------------------ selection
def test_five_per_topic_and_thirty_in_all() -> None:
    topics = [t.slug for t in TAXONOMY.topics]
    digest = compose(many(200, topics), TAXONOMY, Filter(), WEEK)
    assert digest.size == 30
    assert max(len(s.items) for s in digest.sections) <= 5
    small = compose(many(200), TAXONOMY, Filter(), WEEK)
    assert [len(s.items) for s in small.sections] == [5] * len(SOME)


def test_caps_are_the_callers() -> None:
    digest = compose(many(50), TAXONOMY, Filter(), WEEK, Caps(per_topic=2, total=3))
    assert digest.size == 3
    assert max(len(s.items) for s in compose(many(50), TAXONOMY, Filter(), WEEK, Caps(2, 30)).sections) == 2


def test_an_item_stands_once_and_where_it_scores_best() -> None:
    one = item("one", Tag("deep-learning", 0.9), Tag("language-models", 0.7))
    digest = compose([one, one], TAXONOMY, Filter(), WEEK)
    assert [(s.topic.slug, [p.item.id for p in s.items]) for s in digest.sections] == [("deep-learning", ["one"])]
    assert [t.slug for t in picks(digest)[0].topics] == ["deep-learning", "language-models"]


def test_an_item_goes_where_it_is_needed_when_its_best_topic_has_plenty() -> None:
    plenty = [item(f"p{k}", Tag("deep-learning", 0.95)) for k in range(5)]
    both = item("zz", Tag("deep-learning", 0.95), Tag("linear-algebra", 0.8))
    digest = compose([*plenty, both], TAXONOMY, Filter(), WEEK, Caps(per_topic=5))
    assert {s.topic.slug: len(s.items) for s in digest.sections} == {"deep-learning": 5, "linear-algebra": 1}


def test_a_strong_topic_leaves_room_for_a_weak_one() -> None:
    strong = [item(f"s{k}", Tag("deep-learning", 0.99)) for k in range(5)]
    weak = item("weak", Tag("linear-algebra", 0.7))
    assert "weak" in ids(compose([*strong, weak], TAXONOMY, Filter(), WEEK, Caps(total=4)))


def test_sections_stand_in_the_order_of_the_taxonomy_best_item_first() -> None:
    digest = compose(many(60), TAXONOMY, Filter(), WEEK)
    order = [t.slug for t in TAXONOMY.topics]
    slugs = [s.topic.slug for s in digest.sections]
    assert slugs == sorted(slugs, key=order.index)
    for section in digest.sections:
        assert [p.score for p in section.items] == sorted((p.score for p in section.items), reverse=True)


def test_equals_stand_in_the_order_of_their_ids() -> None:
    same = [item(name, Tag("deep-learning", 0.8)) for name in ("c", "a", "b")]
    assert ids(compose(same, TAXONOMY, Filter(), WEEK)) == ["a", "b", "c"]


def test_only_the_topics_and_areas_asked_for_have_sections() -> None:
    found = many(40)
    assert [s.topic.slug for s in compose(found, TAXONOMY, Filter(topics=("deep-learning",)), WEEK).sections] == [
        "deep-learning"
    ]
    by_area = compose(found, TAXONOMY, Filter(areas=("algorithms",)), WEEK)
    assert {s.topic.area for s in by_area.sections} == {"algorithms"}


def test_withdrawn_items_are_never_picked() -> None:
    gone = item("gone", Tag("deep-learning", 1.0), withdrawn=True)
    assert ids(compose([gone, item("kept", Tag("deep-learning", 0.5))], TAXONOMY, Filter(), WEEK)) == ["kept"]


def test_items_of_no_asked_topic_and_of_later_days_are_left_out() -> None:
    later = item("later", Tag("deep-learning", 0.9), day=WEEK.last + timedelta(days=1))
    last = item("last", Tag("deep-learning", 0.9), day=WEEK.last)
    untagged = item("untagged")
    unknown = item("unknown", Tag("no-such-topic", 0.9))
    assert ids(compose([later, last, untagged, unknown], TAXONOMY, Filter(), WEEK)) == ["last"]


def test_what_was_announced_before_the_period_is_late() -> None:
    digest = compose([item("old", Tag("deep-learning", 0.9), day=WEEK.first - timedelta(days=3))], TAXONOMY, Filter(), WEEK)
    assert picks(digest)[0].late
    assert dict(picks(digest)[0].parts)["freshness"] == 0


def test_news_of_the_period_is_told() -> None:
    told = News("code", date(2026, 1, 28), "repository opened")
    found = item("n", Tag("deep-learning", 0.9), day=date(2026, 1, 26), news=(News("accepted", date(2026, 1, 2)), told))
    assert picks(compose([found], TAXONOMY, Filter(), WEEK))[0].news == (told,)
    known = replace(found, announced=told.day)  # what came with the announcement is no news of its own
    assert picks(compose([known], TAXONOMY, Filter(), WEEK))[0].news == ()


def test_a_quiet_period_says_so() -> None:
    digest = compose([], TAXONOMY, Filter(topics=("deep-learning",)), WEEK)
    assert digest.quiet
    assert digest.sections == ()
    assert "A quiet period: nothing was announced for topic deep-learning." in render(digest, "text", "http://h.example")


# ------------------------------------------------------------------ rank
def test_the_parts_are_stated_and_add_up() -> None:
    found = item(
        "x",
        Tag("deep-learning", 0.9, (Evidence("title", "Title", 0, 5),)),
        day=WEEK.last,
        news=(
            News("accepted", WEEK.last, "ICML 2026", "claimed"),
            News("code", WEEK.last, "https://github.com/ada/example"),
        ),
    )
    pick = picks(compose([found], TAXONOMY, Filter(), WEEK))[0]
    assert pick.parts == (("topic", 0.9), ("title", 0.15), ("accepted", 0.15), ("code", 0.1), ("freshness", 0.05))
    assert pick.score == 1.35
    assert round(sum(v for _, v in pick.parts), 3) == pick.score


def test_a_period_of_one_day_is_wholly_fresh() -> None:
    pick = picks(compose([item("x", Tag("deep-learning", 0.9))], TAXONOMY, Filter(), day_of(WEEK.first)))[0]
    assert dict(pick.parts)["freshness"] == 0.05


tag = st.builds(
    Tag,
    topic=st.sampled_from([*SOME, "no-such-topic"]),
    score=st.integers(0, 1000).map(lambda n: n / 1000),
    evidence=st.sampled_from([(), (Evidence("title", "x", 0, 1),), (Evidence("abstract", "x", 0, 1),)]),
)
candidate = st.builds(
    lambda n, tags, day, withdrawn, news: item(
        f"id{n}",
        *{t.topic: t for t in tags}.values(),
        day=WEEK.first + timedelta(days=day),
        withdrawn=withdrawn,
        news=news,
    ),
    st.integers(0, 40),
    st.lists(tag, max_size=4),
    st.integers(-3, 9),
    st.booleans(),
    st.sampled_from(
        [(), (News("accepted", WEEK.first, "X 2026", "confirmed"),), (News("code", WEEK.last, "https://a.example/b"),)]
    ),
)


@given(st.lists(candidate, max_size=60, unique_by=lambda i: i.id), st.integers(1, 6), st.integers(1, 30), st.randoms())
def test_composing_is_a_function_of_the_candidates(found: list[Item], per_topic: int, total: int, dice: random.Random) -> None:
    caps = Caps(per_topic, total)
    digest = compose(found, TAXONOMY, Filter(), WEEK, caps)
    shuffled = found[:]
    dice.shuffle(shuffled)
    assert compose(shuffled, TAXONOMY, Filter(), WEEK, caps) == digest
    assert len(ids(digest)) == len(set(ids(digest))) == digest.size <= total
    for section in digest.sections:
        assert 0 < len(section.items) <= per_topic
        for pick in section.items:
            assert round(sum(v for _, v in pick.parts), 3) == pick.score
            assert not pick.item.withdrawn
            assert pick.item.announced <= WEEK.last
            assert section.topic in pick.topics
    possible = {i.id for i in found if not i.withdrawn and i.announced <= WEEK.last and {t.topic for t in i.topics} & set(SOME)}
    assert digest.considered == len(possible)
    if len(possible) <= min(per_topic, total):
        assert set(ids(digest)) == possible


# ------------------------------------------------------------------ reasons in words
def test_why_says_the_parts_in_words() -> None:
    found = item(
        "x",
        Tag("deep-learning", 0.93, (Evidence("title", "Continual Learning", 0, 18), Evidence("abstract", "forgetting", 4, 14))),
        day=date(2026, 1, 28),
        news=(
            News("accepted", date(2026, 1, 28), "ICML 2026", "claimed"),
            News("code", date(2026, 1, 28), "https://gitlab.com/ada/example"),
        ),
    )
    assert picks(compose([found], TAXONOMY, Filter(), WEEK))[0].why == (
        "Deep learning 0.93 — “continual learning” in the title, “forgetting” in the abstract; announced 28 Jan in cs.LG; "
        "code linked; says accepted at ICML 2026"
    )


@pytest.mark.parametrize(
    ("evidence", "said"),
    [
        ((), ""),
        ((("category", "cs.LG"),), "listed in cs.LG"),
        ((("rule", "kind is release"),), "kind is release"),
        ((("title", "Attention"), ("title", "attention")), "“attention” in the title"),
        ((("title", "inference"), ("title", "causal inference")), "“causal inference” in the title"),
        ((("title", "kernels"), ("abstract", "Kernels")), "“kernels” in the title"),
    ],
)
def test_evidence_in_words(evidence: tuple[tuple[str, str], ...], said: str) -> None:
    assert digests.because(Tag("deep-learning", 0.5, tuple(Evidence(f, w) for f, w in evidence))) == said


def test_the_venues_own_word_counts_before_the_authors() -> None:
    claim = News("accepted", date(2026, 1, 28), "ICML 2026", "claimed")
    word = News("accepted", date(2026, 7, 10), "ICML 2026 workshop", "confirmed")
    tag = Tag("deep-learning", 0.5)
    assert digests.why(item("x", tag, news=(claim, word)), tag, "Deep learning").endswith("; accepted at ICML 2026 workshop")
    assert digests.why(item("x", tag, news=(replace(claim, text=""),)), tag, "Deep learning").endswith("; says accepted")


def test_estimated_dates_and_other_places_are_said() -> None:
    tag = Tag("deep-learning", 0.5)
    about = item("x", tag, day=date(2026, 1, 28), estimated=True, categories=(), venue="ICML 2026")
    assert digests.why(about, tag, "Deep learning") == "Deep learning 0.50; announced about 28 Jan at ICML 2026"
    bare = replace(about, venue="", estimated=False)
    assert digests.why(bare, tag, "Deep learning") == "Deep learning 0.50; announced 28 Jan"


# ------------------------------------------------------------------ from the store
def test_preview_holds_the_period_and_nothing_else(migrated_url: str) -> None:
    days = [WEEK.first - timedelta(days=1), WEEK.first, WEEK.last, WEEK.last + timedelta(days=1)]
    storage = Storage(migrated_url, upgrade=False)
    try:
        seed_pages.put(storage, [Seed(f"Paper of {d}", d) for d in days])
        after = preview(storage, TAXONOMY, Filter(), WEEK, WEEK.last + timedelta(days=9))
        assert sorted(p.item.announced for p in picks(after)) == [WEEK.first, WEEK.last]
        assert after.receipt.items == 2
        running = preview(storage, TAXONOMY, Filter(), WEEK, WEEK.first)
        assert [p.item.announced for p in picks(running)] == [WEEK.first]
        within = preview(storage, TAXONOMY, Filter(since=WEEK.last), WEEK, WEEK.last)
        assert [p.item.announced for p in picks(within)] == [WEEK.last]
        assert preview(storage, TAXONOMY, Filter(since=date(2026, 3, 1)), WEEK, WEEK.last).quiet
        assert preview(storage, TAXONOMY, Filter(), WEEK.next, WEEK.first).quiet
    finally:
        storage.close()


def test_preview_asks_by_the_whole_filter(migrated_url: str) -> None:
    storage = Storage(migrated_url, upgrade=False)
    try:
        seed_pages.seed(storage)
        words = preview(storage, TAXONOMY, Filter(q="sparse"), WEEK, TODAY)
        assert words.size
        assert all("parse" in p.item.title for p in picks(words))
        both = preview(storage, TAXONOMY, Filter(topics=("deep-learning",), categories=("cs.LG",)), WEEK, TODAY)
        assert both.size
        assert all("cs.LG" in p.item.categories for p in picks(both))
        assert [s.topic.slug for s in both.sections] == ["deep-learning"]
        assert preview(storage, TAXONOMY, Filter(kinds=(Kind.RELEASE,)), WEEK, TODAY).quiet
        assert preview(storage, TAXONOMY, Filter(sources=("pmlr",)), WEEK, TODAY).quiet
    finally:
        storage.close()


def test_the_receipt_states_each_part_and_names_the_gaps(migrated_url: str) -> None:
    storage = Storage(migrated_url, upgrade=False)
    try:
        seed_pages.put(storage, [Seed("A", WEEK.first), Seed("B", WEEK.first)])
        with storage.write() as db:
            sources.register(db, {"arxiv": True, "pmlr": True}, NOW)
            sources.put_batches(
                db,
                "arxiv",
                [
                    Batch("cs.LG", WEEK.first - timedelta(days=1), 99, 99),
                    Batch("cs.LG", WEEK.first, 2, 2),
                    Batch("cs.LG", WEEK.first + timedelta(days=1), 3, 2, ("2601.00003",), "short feed"),
                    Batch("stat.ML", WEEK.first, 1, 1),
                ],
            )
            sources.put_batches(db, "pmlr", [Batch("v300", WEEK.last, 7, 7)])
        everything = preview(storage, TAXONOMY, Filter(), WEEK, TODAY).receipt.as_dict()
        assert everything == {
            "items": 2,
            "parts": [
                {"source": "arxiv", "part": "cs.LG", "announced": 5, "held": 4},
                {"source": "arxiv", "part": "stat.ML", "announced": 1, "held": 1},
                {"source": "pmlr", "part": "v300", "announced": 7, "held": 7},
            ],
            "gaps": [
                {"source": "arxiv", "part": "cs.LG", "day": "2026-01-27", "missing": ["2601.00003"], "note": "short feed"}
            ],
        }
        asked = Filter(sources=("arxiv",), categories=("stat.ML",))
        assert [p.part for p in preview(storage, TAXONOMY, asked, WEEK, TODAY).receipt.parts] == ["stat.ML"]
    finally:
        storage.close()


def test_preview_has_no_side_effect(migrated_url: str) -> None:
    storage = Storage(migrated_url, upgrade=False)
    try:
        seed_pages.seed(storage)
        before = seed_pages.fingerprint(storage)
        preview(storage, TAXONOMY, Filter(), WEEK, TODAY)
        assert seed_pages.fingerprint(storage) == before
    finally:
        storage.close()


@pytest.mark.postgres
def test_both_databases_give_the_same_bytes(run: Any, postgres_database: Any, tmp_path: Any) -> None:
    urls = [f"sqlite:///{tmp_path / 'own.db'}", postgres_database()]
    made = []
    for url in urls:
        storage = Storage(url)
        try:
            seed_pages.seed(storage)
            filters = [Filter(), Filter(areas=("algorithms",)), Filter(q="learning OR sparse")]
            shown = [preview(storage, TAXONOMY, f, WEEK, TODAY) for f in filters]
            made.append([render(d, form, "https://feed.example") for d in shown for form in FORMATS])
        finally:
            storage.close()
    assert made[0] == made[1]
    assert len(made[0][0]) > 2_000
