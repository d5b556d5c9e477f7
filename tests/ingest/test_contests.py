"""Competitions: prizes in words, one item of two lists, and what is told while they run."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, date, datetime
from typing import Any

import pytest

from catalog.errors import ParseError
from catalog.outcomes import Outcome
from catalog.storage import Storage
from ingest.formats.contests import parse_competitions, parse_contests, prize_of
from ingest.sources.kaggle import Kaggle
from tests.ingest.works import held, keep
from tests.instance import instance

NOW = datetime(2026, 1, 20, 12, tzinfo=UTC)


@pytest.fixture
def storage(migrated_url: str) -> Iterator[Storage]:
    """An empty store."""
    made = Storage(migrated_url, upgrade=False)
    yield made
    made.close()


@pytest.mark.parametrize(
    ("said", "amount"),
    [
        ("$105,000", ("105000", "USD")),
        ("850,000 Usd", ("850000", "USD")),
        ("€5 000 and a trip", ("5000", "EUR")),
        ("$10k", ("10000", "USD")),
        ("Swag", ("", "")),
        ("3 prizes", ("", "")),
        ("", ("", "")),
    ],
)
def test_prizes_are_read_out_of_words(said: str, amount: tuple[str, str]) -> None:
    assert prize_of(said) == amount


def kaggle(deadline: str, **more: Any) -> bytes:
    """A page of Kaggle's list with one competition."""
    row = {"ref": "https://www.kaggle.com/competitions/lungs", "title": "Lungs: the shadow", "deadline": deadline, **more}
    return json.dumps({"competitions": [row]}).encode()


def test_an_extended_competition_of_two_lists_is_one_item_with_its_news(storage: Storage) -> None:
    more = {"enabledDate": "2026-01-02T10:00:00Z", "evaluationMetric": "Dice", "tags": [{"name": "image"}]}
    first = parse_competitions(kaggle("2026-02-10T23:59:00.123456789Z", **more), NOW)
    url = "https://www.kaggle.com/c/lungs?ref=mlcontests"
    other = parse_contests(
        json.dumps({"data": [{"name": "Lungs", "url": url, "deadline": "10 Feb 2026", "prize": "$1,000"}]}).encode(), NOW.date()
    )
    keep(storage, *first.entries, *other.entries, now=NOW)
    (item,) = held(storage)
    assert (item.title, item.announced, [e.source for e in item.entries]) == (
        "Lungs: the shadow",
        date(2026, 1, 2),
        ["kaggle", "mlcontests"],
    )
    assert [m.said for m in item.moments] == ["2026-02-10 23:59 UTC"]
    assert {t.topic for t in item.topics} >= {"competitions", "computer-vision", "performance-metrics"}
    assert ("closing", date(2026, 1, 27)) in [(n.what, n.day) for n in item.news]
    keep(storage, *parse_competitions(kaggle("2026-03-01T23:59:00Z", **more), NOW).entries, now=NOW)
    (later,) = held(storage)
    assert later.id == item.id
    assert [(n.status, n.text) for n in later.news if n.what == "moved"] == [
        ("later", "deadline from 2026-02-10 23:59 UTC to 2026-03-01 23:59 UTC")
    ]


def test_default_values_are_left_out_and_broken_rows_cost_only_themselves() -> None:
    rows = [{"ref": "bare", "title": "Bare"}, {"title": "no address"}, {"ref": "x"}, 7, {"ref": "bare", "title": "again"}]
    page = parse_competitions(json.dumps({"competitions": rows}).encode(), NOW)
    assert [(e.key, e.moments, e.announced) for e in page.entries] == [("bare", (), None)]
    assert dict(page.rejected) == {"no-key": 1, "no-title": 1, "no-competition": 1, "duplicate": 1}
    assert [(s.value, s.name, s.number) for s in page.signals] == [("bare", "teams", 0.0)]
    assert parse_competitions(b"{}", NOW).entries == ()
    for wrong in (b"[]", b'{"competitions": {}}', b"<html>"):
        with pytest.raises(ParseError):
            parse_competitions(wrong, NOW)


def test_kaggle_without_an_account_is_not_configured_and_asks_nothing(migrated_url: str) -> None:
    with instance(migrated_url, "http://127.0.0.1:9", NOW.date()) as one:
        run = one.visit(Kaggle())
    assert (run.outcome, run.requests) == (Outcome.NOT_CONFIGURED, 0)
    assert "KAGGLE_API_TOKEN" in run.error
