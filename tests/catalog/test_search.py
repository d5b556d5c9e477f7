"""Text search: the same answers on both databases, and as plain Python finds them, whatever is typed."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from catalog.entries import Kind
from catalog.errors import UsageError
from catalog.filters import Q_LIMIT, Filter, Listing, check_words
from catalog.storage import Storage, items
from catalog.words import MAX_WORD
from tests.catalog.things import FIRST_DAY, VOCABULARY, Thing, check_index, expected, newest_first, opened, put, some_things
from tests.dumps import check_derived

DOCUMENTS = {
    "sparse": Thing(
        "sparse", authors=(), title="Sparse attention for demand forecasting", abstract="Learned networks forecast demands."
    ),
    "dense": Thing(
        "dense", authors=(), title="Dense retrieval", abstract="No attention is sparse here. Forecasting of demand."
    ),
    "self": Thing("self", authors=(), title="Self-supervised learners", abstract="We use C++ and GPT-4, at 0.5x the cost."),
    "erdos": Thing("erdos", title="Über Straßen", abstract="naïve Bayes, ﬁne-tuning, x² and ℝ.", authors=("Paul Erdős",)),
    "author": Thing("author", title="On graphs", abstract="By Erdos, of course.", authors=("Mary-Jane O'Neil", "Ada Example")),
    "chinese": Thing("chinese", title="深度学习 与 图", abstract="学习", authors=("李 明",)),
    "russian": Thing("russian", authors=(), title="Обучение с подкреплением", abstract="Ёлка и 한국어 और हिन्दी."),
    "engines": Thing(
        "engines", authors=(), title="NEAR OR AND NOT", abstract="t1 t2 rowid search terms title author near(a b, 2)"
    ),
    "tagged": Thing(
        "tagged",
        authors=(),
        day=FIRST_DAY + timedelta(days=3),
        title="Sparse graphs",
        topics=(("python", 0.5),),
        venue="NeurIPS",
    ),
    "empty": Thing("empty", title="…", abstract="", authors=()),
}
NAMES = {t.id: name for name, t in DOCUMENTS.items()}

GOLDEN = {
    # words, in any form, anywhere
    "attention": "dense sparse",
    "ATTENTION": "dense sparse",
    "forecast": "dense sparse",
    "forecasts demanding": "dense sparse",
    "learning": "sparse",
    "learners": "self",
    "sparse graph": "tagged",
    "nowhere": "",
    "sparse nowhere": "",
    # accents and forms
    "uber strassen": "",
    "uber": "erdos",
    "Über": "erdos",
    "straße": "",
    "straßen": "erdos",
    "erdos": "author erdos",
    "Erdős": "author erdos",
    "naive": "erdos",
    "fine": "erdos",
    "x2": "erdos",
    "R": "erdos",
    # phrases
    '"sparse attention"': "sparse",
    '"attention sparse"': "",
    '"attention is sparse"': "dense",
    '"forecasting of demand"': "dense",
    '"forecast demand"': "sparse",
    '"demand forecasting': "sparse",
    "self-supervised": "self",
    '"self supervised"': "self",
    '"supervised self"': "",
    "GPT-4": "self",
    '"forecasting learned"': "",  # title and abstract do not touch
    # minus
    "attention -dense": "sparse",
    "-attention": "empty tagged engines russian chinese author erdos self",
    "sparse -attention": "tagged",
    'sparse -"sparse attention"': "tagged dense",
    "graphs -author:ada": "tagged",
    "- attention": "dense sparse",
    # OR
    "retrieval OR graphs": "tagged author dense",
    "retrieval or graphs": "",
    "retrieval OR graphs OR nowhere sparse": "tagged dense",
    "OR attention": "dense sparse",
    "attention OR": "dense sparse",
    "attention OR OR dense": "dense sparse",
    "attention OR -dense": "sparse",
    '"sparse attention" OR title:retrieval': "dense sparse",
    # fields
    "title:attention": "sparse",
    'title:"sparse attention"': "sparse",
    "title:naive": "",
    "author:erdos": "erdos",
    "author:erdős": "erdos",
    "author:neil": "author",
    'author:"ada example"': "author",
    'author:"neil ada"': "author",
    "author:graphs": "",
    "title:sparse -title:graphs": "sparse",
    "title:": "engines",
    "title:retrieval OR author:neil": "author dense",
    "venue:sparse": "",
    "venue:nips": "tagged",
    'venue:"NeurIPS"': "tagged",
    "sparse -venue:NeurIPS": "dense sparse",
    "venue:neurips OR retrieval": "tagged dense",
    "title:retrieval OR venue:icml": "dense",
    # punctuation only
    " ": "",
    '"': "",
    '""': "",
    "?!*": "",
    "-": "",
    "--": "",
    "()": "",
    "'": "",
    "_": "",
    # what the engines' own languages would take for signs
    "attention*": "dense sparse",
    "atten*": "",
    "attention & sparse": "dense sparse",
    "attention | nowhere": "",
    "!attention": "dense sparse",
    "attention:A": "",
    "attention:*": "dense sparse",
    "^sparse": "tagged dense sparse",
    "{title} : sparse": "",
    "NEAR": "engines",
    "NEAR(a, b)": "engines",
    "NOT": "engines",
    "near AND not": "engines",
    "sparse NOT attention": "",
    "(sparse)": "tagged dense sparse",
    "a + b": "engines",
    "'; DROP TABLE items; --": "",
    "sparse\\": "tagged dense sparse",
    "sparse':*": "tagged dense sparse",
    "sparse <-> attention": "dense sparse",
    "t1": "engines",
    "terms:t1": "",
    "rowid": "engines",
    "%": "",
    "sparse_": "tagged dense sparse",
    # other scripts
    "学习": "chinese",
    "深度学习": "chinese",
    "深度": "",
    "title:学习": "",
    "author:李": "chinese",
    "обучение": "russian",
    "ОБУЧЕНИЕ": "russian",
    "елка": "russian",
    "한국어": "russian",
    "हिन्दी": "russian",
    "🧪": "",
}


@pytest.fixture
def storage(migrated_url: str) -> Iterator[Storage]:
    """A store with the documents."""
    with opened(migrated_url, *DOCUMENTS.values()) as made:
        yield made


def found(storage: Storage, filter: Filter) -> list[str]:
    """Public ids that a filter finds."""
    with storage.read() as db:
        return [i.id for i in items.stream(db, Listing(filter, limit=None))]


def test_golden_queries(storage: Storage) -> None:
    order = [NAMES[t.id] for t in newest_first(list(DOCUMENTS.values()))]
    answers = {q: [NAMES[i] for i in found(storage, Filter(q=q))] for q in GOLDEN}
    assert answers == {q: sorted(wanted.split(), key=order.index) for q, wanted in GOLDEN.items()}


def test_golden_queries_are_what_plain_python_finds() -> None:
    things = list(DOCUMENTS.values())
    answers = {q: {NAMES[i] for i in expected(things, Filter(q=q))} for q in GOLDEN}
    assert answers == {q: set(wanted.split()) for q, wanted in GOLDEN.items()}


def test_words_with_filters_and_dates(storage: Storage) -> None:
    tagged, sparse, dense = (DOCUMENTS[n].id for n in ("tagged", "sparse", "dense"))
    later = FIRST_DAY + timedelta(days=1)
    assert found(storage, Filter(q="sparse", topics=("python",))) == [tagged]
    assert found(storage, Filter(q="sparse", topics=("python", "r"))) == [tagged]
    assert found(storage, Filter(q="sparse", topics=("r",))) == []
    assert found(storage, Filter(q="sparse", topics=("python",), areas=("algorithms",))) == []
    assert found(storage, Filter(q="sparse", areas=("programming",), kinds=(Kind.PAPER,), sources=("arxiv",))) == [tagged]
    assert found(storage, Filter(q="sparse", categories=("cs.LG",), until=FIRST_DAY)) == [dense, sparse]
    assert found(storage, Filter(q="sparse", since=later)) == [tagged]
    assert found(storage, Filter(q="sparse", topics=("python",), since=later, until=later)) == []
    assert found(storage, Filter(q="-sparse", topics=("python",))) == []


def test_a_word_is_no_term_and_a_term_is_no_word(migrated_url: str) -> None:
    """Terms stand in the same index under names such as t1."""
    said = " ".join(f"t{n}" for n in range(1, 40))
    talkative = Thing("1", title=said, abstract=said, source="blogs", kind=Kind.POST, categories=())
    quiet = Thing("2", title="Nothing", topics=(("python", 0.5), ("r", 0.25)))
    with opened(migrated_url, talkative, quiet) as storage:
        assert found(storage, Filter(q="t1 OR nothing", topics=("python",))) == [quiet.id]
        for n in range(1, 40):
            assert found(storage, Filter(q=f"t{n}")) == [talkative.id]
            assert found(storage, Filter(q=f'"t{n} t{n + 1}" title:t{n}')) == ([talkative.id] if n < 39 else [])


def test_random_queries_find_what_plain_python_finds(migrated_url: str) -> None:
    things = some_things(120)
    rng = random.Random(3)
    words = [*VOCABULARY, "ada", "李", "o'neil", "zoe", "example"]

    def part() -> str:
        text = " ".join(rng.choices(words, k=rng.choice((1, 1, 1, 2, 3))))
        return rng.choice(("", "", "", "-", "title:", "author:", "OR ", "venue:ICML OR ")) + (
            f'"{text}"' if rng.random() < 0.4 else text
        )

    with opened(migrated_url, *things) as storage:
        hits = 0
        for _ in range(150):
            f = Filter(
                q=" ".join(part() for _ in range(rng.randint(1, 3))),
                topics=rng.choice(((), (), ("python",), ("python", "r"))),
                kinds=rng.choice(((), (Kind.PAPER,))),
                since=rng.choice((None, FIRST_DAY + timedelta(days=4))),
            )
            wanted = expected(things, f)
            assert found(storage, f) == wanted, f
            hits += bool(wanted)
        assert hits > 40


_JUNK = st.text(st.one_of(st.sampled_from("\"'-:()*&|!<>^{}+\\%_ .,~@#$[]?/=`\t\n"), st.characters()), max_size=Q_LIMIT)
_PARTS = st.lists(
    st.sampled_from('" - OR title: author: AND NOT NEAR( a sparse t1 学习 \' \\ :* <-> !'.split()),
    max_size=60,
).map(" ".join)  # fmt: skip


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(text=_JUNK | _PARTS)
@example("(" * Q_LIMIT)
@example("a " * 100)
@example("-a " * 66)
@example("a OR " * 40)
@example('"' + "a " * 99)
@example("a" * Q_LIMIT)
@example("ﷺ" * Q_LIMIT)  # 18 letters each when folded
@example("\u0345" * Q_LIMIT)
def test_no_text_raises_and_each_is_answered_as_plain_python_answers(storage: Storage, text: str) -> None:
    try:
        q = check_words(text[:Q_LIMIT])
    except UsageError:
        return
    for f in (Filter(q=q), Filter(q=q, topics=("python",))):
        assert found(storage, f) == expected(list(DOCUMENTS.values()), f)


@pytest.mark.soak
@settings(max_examples=10_000, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(text=_JUNK | _PARTS)
def test_no_text_of_very_many_raises(storage: Storage, text: str) -> None:
    try:
        q = check_words(text[:Q_LIMIT])
    except UsageError:
        return
    assert found(storage, Filter(q=q)) == expected(list(DOCUMENTS.values()), Filter(q=q))


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(title=st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=60))
def test_any_title_is_found_by_its_own_words(storage: Storage, title: str) -> None:
    """Whatever a title holds, its index rows can be made, found and taken out again."""
    thing = replace(DOCUMENTS["empty"], title=title, abstract=title)
    put(storage, thing)
    words = Filter(q='title:"' + title.replace('"', " ") + '"')
    assert found(storage, words) == expected([*(d for d in DOCUMENTS.values() if d.key != "empty"), thing], words)
    put(storage, DOCUMENTS["empty"])


# ------------------------------------------------------------------ limits of the index
def test_long_words_are_cut_alike_in_texts_and_queries(migrated_url: str) -> None:
    long = "x1" * 60
    with opened(migrated_url, Thing("1", title=long)) as storage:
        assert len(found(storage, Filter(q=long))) == 1
        assert len(found(storage, Filter(q=long[: MAX_WORD + 1]))) == 1
        assert found(storage, Filter(q=long[: MAX_WORD - 1])) == []


def test_a_word_that_is_said_too_often_is_found_alike(migrated_url: str) -> None:
    """PostgreSQL keeps 255 places of a word: later ones are in no phrase, on SQLite neither."""
    often = "the cat " + "the dog " * 300 + "the end"
    thing = Thing("1", title="Often", abstract=often, topics=(("python", 0.5),))
    with opened(migrated_url, thing) as storage:
        answers = {
            q: len(found(storage, Filter(q=q))) for q in ('"the cat"', '"the dog the"', '"the end"', "end", "the", '"dog end"')
        }
        assert answers == {'"the cat"': 1, '"the dog the"': 1, '"the end"': 0, "end": 1, "the": 1, '"dog end"': 0}
        assert found(storage, Filter(q="end the", topics=("python",))) == [thing.id]
        check_index(storage)
        put(storage, replace(thing, abstract="Gone."))
        assert found(storage, Filter(q="the")) == []
        check_index(storage)
        check_derived(storage)


def test_words_far_back_in_a_long_text_are_found_but_in_no_phrase(migrated_url: str) -> None:
    """PostgreSQL has 16,383 places: all words behind share the last."""
    many = [f"w{n}" for n in range(17_000)]
    thing = Thing("1", title="Long", authors=("Ada",), abstract=" ".join(many), topics=(("python", 0.5),))
    with opened(migrated_url, thing) as storage:
        limit = 16_381 - len("Long Ada".split()) - 2 * 50
        near = {0: 1, 8000: 1, limit - 2: 1, limit - 1: 0, limit: 0, 16_900: 0}
        assert {n: len(found(storage, Filter(q=f'"w{n} w{n + 1}"'))) for n in near} == near
        for n in (0, limit, 16_999):
            assert found(storage, Filter(q=f"w{n}", topics=("python",))) == [thing.id]
        assert found(storage, Filter(q='"w16999 w16998"')) == []
        check_index(storage)


def test_very_many_authors_do_not_hide_the_text(migrated_url: str) -> None:
    thing = Thing("1", authors=tuple(f"Author{n} Of Collaboration" for n in range(6000)), abstract="A boson was found.")
    with opened(migrated_url, thing) as storage:
        for q in ("boson", "author:author5999", "title:sparse", '"sparse attention"', "author5999 boson"):
            assert found(storage, Filter(q=q)) == [thing.id]
        check_index(storage)
