"""The parts of a rank add up and never depend on when one looks."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalog import ranking
from catalog.entries import Kind
from catalog.items import Item, Level, News, Signal, Tag

DAY = date(2026, 1, 28)
PLAIN = Item("a", 1, Kind.PAPER, "t", "u", (), "", DAY, False, None, None, False, (Tag("python", 0.8), Tag("r", 0.25)))
CLAIM = News("accepted", DAY, "ICML", "claimed")


def _signal(number: float, name: str = "upvotes") -> Signal:
    return Signal("arxiv", "2601.00001", "huggingface", name, number, datetime(2026, 1, 28, tzinfo=UTC))


@pytest.mark.parametrize(
    ("item", "part", "worth"),
    [
        (PLAIN, "topic", 0.8),
        (replace(PLAIN, venue="ICML 2026"), "venue", 0.2),
        (replace(PLAIN, news=(CLAIM,)), "venue", 0.15),
        (replace(PLAIN, news=(CLAIM, News("accepted", DAY, "UAI", "confirmed"))), "venue", 0.2),
        (replace(PLAIN, signals=(_signal(9), _signal(99, "comments"))), "signals", 0.12),
        (replace(PLAIN, signals=(_signal(10**9),)), "signals", 0.3),
        (replace(PLAIN, signals=(_signal(-5),)), "signals", 0),
        (replace(PLAIN, news=(News("code", DAY, "https://github.com/a/b"),)), "code", 0.1),
        (replace(PLAIN, kind=Kind.RELEASE), "kind", 0.1),
        (replace(PLAIN, level=Level.START_HERE), "level", 0.1),
        (replace(PLAIN, withdrawn=True), "withdrawn", -1),
        (replace(PLAIN, announced=date(2026, 1, 18)), "freshness", -0.5),
    ],
)  # fmt: skip
def test_a_part_is_worth_what_is_stated(item: Item, part: str, worth: float) -> None:
    bare = ranking.parts(replace(PLAIN, topics=()), (), DAY)
    told = ranking.parts(item, (), DAY)
    assert told[part] == worth
    assert {name: n for name, n in told.items() if name not in (part, "topic")} == {
        name: n for name, n in bare.items() if name not in (part, "topic")
    }


def test_the_score_is_that_of_the_topics_asked_for() -> None:
    assert ranking.topic_part(PLAIN.topics, ("r",)) == 250
    assert ranking.topic_part(PLAIN.topics, ("r", "python")) == 800
    assert ranking.topic_part(PLAIN.topics, ("julia",)) == 0


@given(st.dates(), st.floats(0, 1), st.booleans(), st.sampled_from(Kind), st.floats(0, 1e12))
def test_no_item_is_before_one_that_is_newer_by_the_horizon(
    day: date, score: float, withdrawn: bool, kind: Kind, number: float
) -> None:
    item = replace(
        PLAIN, announced=day, topics=(Tag("python", score),), withdrawn=withdrawn, kind=kind, signals=(_signal(number),),
        venue="ICML", news=(News("code", DAY, "x"),), level=Level.START_HERE,
    )  # fmt: skip
    assert ranking.LEAST <= ranking.rank(item, ()) - ranking.fresh(day) <= ranking.MOST
    assert round(sum(ranking.parts(item, (), DAY).values()) * 1000) == ranking.rank(item, ()) - ranking.fresh(DAY)
