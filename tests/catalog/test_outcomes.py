"""How a visit ended: the outcome of a run from those of its parts, and counts that add up."""

from __future__ import annotations

import itertools
from collections import Counter
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalog.outcomes import Counts, Outcome, Part, Run, combine, counts_from

OK, EMPTY, STALE, PARTIAL, FAILED, NOT_CONFIGURED = Outcome
NUMBERS = st.integers(0, 10**9)
COUNTS = st.builds(
    Counts,
    NUMBERS,
    NUMBERS,
    NUMBERS,
    NUMBERS,
    st.dictionaries(st.sampled_from(["no-title", "bad-date", "duplicate"]), NUMBERS).map(Counter),
)


@pytest.mark.parametrize(
    ("parts", "outcome"),
    [
        ([], EMPTY),
        ([EMPTY], EMPTY),
        ([EMPTY, EMPTY], EMPTY),
        ([OK], OK),
        ([OK, EMPTY], OK),
        ([STALE, OK], STALE),
        ([STALE, EMPTY], STALE),
        ([STALE, STALE], STALE),
        ([PARTIAL, STALE, OK], PARTIAL),
        ([FAILED], FAILED),
        ([FAILED, FAILED], FAILED),
        ([FAILED, OK], PARTIAL),
        ([FAILED, EMPTY], PARTIAL),
        ([FAILED, STALE], PARTIAL),
        ([FAILED, PARTIAL], PARTIAL),
        ([NOT_CONFIGURED], NOT_CONFIGURED),
        ([NOT_CONFIGURED, EMPTY], EMPTY),
        ([NOT_CONFIGURED, OK], OK),
        ([NOT_CONFIGURED, FAILED], PARTIAL),
    ],
)
def test_a_run_is_as_good_as_its_parts(parts: list[Outcome], outcome: Outcome) -> None:
    for order in itertools.permutations(parts):
        assert combine([Part(str(i), o) for i, o in enumerate(order)]) is outcome


@given(st.lists(st.sampled_from(Outcome), min_size=1))
def test_a_fault_is_never_hidden_by_what_went_well(outcomes: list[Outcome]) -> None:
    found = combine([Part(str(i), o) for i, o in enumerate(outcomes)])
    good = {OK, EMPTY, NOT_CONFIGURED}
    assert (found in good) == (set(outcomes) <= good)
    assert (found is FAILED) == (set(outcomes) == {FAILED})


@given(COUNTS, COUNTS)
def test_counts_add_up_and_read_back(one: Counts, two: Counts) -> None:
    total = Counts()
    total.add(one)
    total.add(two)
    assert (total.seen, total.new) == (one.seen + two.seen, one.new + two.new)
    assert (total.revised, total.unchanged) == (one.revised + two.revised, one.unchanged + two.unchanged)
    assert sum(total.rejected.values()) == sum(one.rejected.values()) + sum(two.rejected.values())
    assert counts_from(one.as_dict()) == one
    assert list(one.as_dict()["rejected"]) == sorted(one.rejected)


def test_a_part_tells_what_was_announced_only_when_the_source_says_so() -> None:
    assert set(Part("x").as_dict()) == {"part", "outcome", "seen", "new", "revised", "unchanged", "rejected"}
    told = Part("x", PARTIAL, announced=3, held=2, error="announced 3, held 2").as_dict()
    assert (told["announced"], told["held"], told["error"]) == (3, 2, "announced 3, held 2")


def test_a_run_tells_what_the_command_line_promises() -> None:
    run = Run("arxiv", datetime(2026, 1, 28, tzinfo=UTC), seconds=1.23456, parts=[Part("cs.LG")])
    said = run.as_dict()
    assert list(said) == [
        "source", "outcome", "seen", "new", "revised", "unchanged", "rejected", "requests", "seconds", "error", "parts",
    ]  # fmt: skip
    assert (said["outcome"], said["seconds"], said["error"]) == ("running", 1.235, None)
    run.outcome, run.error = FAILED, "why"
    assert (run.as_dict()["outcome"], run.as_dict()["error"]) == ("failed", "why")
