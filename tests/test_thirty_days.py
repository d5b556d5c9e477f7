"""Thirty simulated days of every source at its own cadence: complete, polite, and without a false alarm."""

from __future__ import annotations

from pathlib import Path

import pytest

from ingest.sources import SOURCES
from tests.replay import needs_replay, replay
from tests.thirty_days import ARXIV, DAYS, Report, first_day, simulate

pytestmark = [needs_replay, pytest.mark.replay, pytest.mark.slow]

WEEK = 8

#: Visits that a source may get in a day, where it is more than one.
PER_DAY = {"kaggle": 2, "releases": 4, "huggingface": 8, "hackernews": 24}


@pytest.fixture(scope="module", params=[WEEK, pytest.param(DAYS, marks=pytest.mark.soak)])
def report(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Report:
    """The days are lived through once; each test reads the report. Thirty of them take seven minutes."""
    folder: Path = tmp_path_factory.mktemp("thirty")
    with replay(first_day()) as server:
        return simulate(server, f"sqlite:///{folder}/thirty.db", first_day(), request.param)


def test_every_day_of_arxiv_is_complete_and_confirmed(report: Report) -> None:
    assert report.wanted > 30 * report.days
    assert report.missing == set()
    assert report.unconfirmed == []
    assert report.days_missing == []


def test_every_source_was_visited_and_no_visit_went_wrong(report: Report) -> None:
    assert set(report.runs) == {source.name for source in SOURCES if source.enabled}
    assert {outcome for outcomes in report.runs.values() for outcome in outcomes} <= {"ok", "empty", "not configured"}


def test_no_source_is_visited_more_often_than_its_cadence_allows(report: Report) -> None:
    arxiv = sum(report.runs["arxiv"].values())
    assert report.days // 2 < arxiv <= report.days  # once for each announcement, five in a week, and once at first
    often = {
        source: sum(o.values())
        for source, o in report.runs.items()
        if sum(o.values()) > PER_DAY.get(source, 1) * report.days + 1
    }
    assert often == {}


def test_hosts_are_asked_one_request_at_a_time_with_their_gap_between(report: Report) -> None:
    assert report.hosts[ARXIV]["requests"] > 15 * report.days
    assert {name: one["max_concurrent"] for name, one in report.hosts.items() if one["max_concurrent"] != 1} == {}
    close = {name: one["min_gap"] for name, one in report.hosts.items() if one["min_gap"] is not None}
    assert {name: gap for name, gap in close.items() if gap < report.gap} == {}


def test_what_can_be_asked_conditionally_is(report: Report) -> None:
    """Of the answers that were unchanged and offered a validator, 95 in 100 were 304; hosts without validators cannot do so."""
    unchanged = sum(one["statuses"].get("304", 0) for one in report.hosts.values())
    missed = {name: one["missed_conditional"] for name, one in report.hosts.items() if one["missed_conditional"]}
    assert unchanged > 0
    assert sum(missed.values()) <= 0.05 * unchanged, missed


def test_no_ordinary_quiet_is_warned_of(report: Report) -> None:
    assert report.warned == []


def test_nothing_is_asked_for_that_the_hosts_do_not_have(report: Report) -> None:
    assert report.not_served == []
