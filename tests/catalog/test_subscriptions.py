"""When a digest is owed: for every zone, through every change of clocks, once a week and no oftener."""

from __future__ import annotations

import struct
from datetime import UTC, date, datetime, timedelta
from importlib import resources
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from catalog.errors import UsageError
from catalog.periods import week_of
from catalog.subscriptions import (
    LATE,
    Cadence,
    Choices,
    instant_of,
    join_words,
    latest_due,
    next_due,
    owed,
    parse_choices,
    split_words,
    standing_filter,
    zones,
)
from catalog.taxonomy import load_taxonomy

TAXONOMY = load_taxonomy()
FIRST, LAST = datetime(2023, 12, 25, tzinfo=UTC), datetime(2035, 12, 31, tzinfo=UTC)


def rules(name: str) -> tuple[bytes, ...]:
    """What a zone's clocks do from 2023 on (RFC 9636): changes told one by one with their kinds, and the rule for what follows.

    Names of the same rules need to be tried once.
    """
    data = resources.files("tzdata").joinpath("zoneinfo", *name.split("/")).read_bytes()
    start = data.index(b"TZif", 4)  # the second block has instants of eight bytes
    times, types, chars = struct.unpack(">3l", data[start + 32 : start + 44])
    at, body = struct.unpack(f">{times}q", data[start + 44 : start + 44 + 8 * times]), start + 44 + 8 * times
    kinds = data[body : body + times]
    infos = [data[body + times + 6 * n : body + times + 6 * n + 5] for n in range(types)]
    told = [struct.pack(">q", t) + infos[k] for t, k in zip(at, kinds, strict=True) if t >= FIRST.timestamp()]
    now = infos[kinds[sum(t < FIRST.timestamp() for t in at) - 1]] if times else infos[0]
    return (now, *told, data[body + times + 6 * types + chars :].rpartition(b"\n")[0].rpartition(b"\n")[2])


@pytest.mark.slow
def test_one_delivery_for_each_iso_week_in_every_zone() -> None:
    """All zones, 2024 to 2035: weekdays and hours are drawn so that all of them meet all kinds of changes."""
    distinct = list({rules(name): name for name in zones()}.values())
    assert len(distinct) > 80
    for n, name in enumerate(distinct):
        # Changes happen between midnight and four, on Sundays mostly: those hours for every zone, another one besides.
        for weekday, hour in ((7, n % 4), (1 + n % 7, (n * 5) % 24)):
            choices = Choices(weekday=weekday, hour=hour, zone=name)
            at, weeks = FIRST, []
            before: datetime | None = None
            while at < LAST:
                due = next_due(choices, at)
                local = due.at.astimezone(ZoneInfo(name))
                assert due.at > at
                assert week_of(local.date()).previous == due.period
                assert local.isoweekday() == weekday
                if before is not None:
                    assert timedelta(days=6) <= due.at - before <= timedelta(days=8)
                weeks.append(due.period)
                before = at = due.at
            assert [w.next for w in weeks[:-1]] == weeks[1:]


@pytest.mark.parametrize(
    ("zone", "day", "hour", "utc"),
    [
        ("Europe/Berlin", date(2026, 3, 29), 2, "2026-03-29T01:00"),  # left out: 03:00 is the first that follows
        ("Europe/Berlin", date(2026, 10, 25), 2, "2026-10-25T00:00"),  # comes twice: the first
        ("Africa/Cairo", date(2026, 4, 24), 0, "2026-04-23T22:00"),  # midnight left out
        ("America/Santiago", date(2026, 9, 6), 0, "2026-09-06T04:00"),
        ("Australia/Lord_Howe", date(2026, 10, 4), 2, "2026-10-03T15:30"),  # half an hour left out
        ("Asia/Kathmandu", date(2026, 1, 1), 7, "2026-01-01T01:15"),
    ],
)
def test_hours_that_clocks_leave_out_or_repeat(zone: str, day: date, hour: int, utc: str) -> None:
    assert instant_of(day, hour, ZoneInfo(zone)) == datetime.fromisoformat(utc).replace(tzinfo=UTC)


any_choices = st.builds(
    Choices, cadence=st.sampled_from(Cadence), weekday=st.integers(1, 7), hour=st.integers(0, 23), zone=st.sampled_from(zones())
)
instants = st.integers(0, 12 * 365 * 86_400).map(lambda seconds: FIRST + timedelta(seconds=seconds))


@settings(max_examples=150)
@given(any_choices, instants)
@example(Choices(zone="Pacific/Apia", cadence=Cadence.MONTHLY), datetime(2024, 2, 29, tzinfo=UTC))
def test_latest_and_next_tile_the_years(choices: Choices, now: datetime) -> None:
    last, following = latest_due(choices, now), next_due(choices, now)
    assert last.at <= now < following.at
    assert last.period.next == following.period
    assert next_due(choices, last.at) == following
    assert latest_due(choices, following.at) == following


@settings(max_examples=100)
@given(any_choices, instants, st.floats(0, 60))
def test_after_a_standstill_the_newest_counts(choices: Choices, since: datetime, days: float) -> None:
    first = next_due(choices, since)
    now = first.at + timedelta(days=days)
    found = owed(choices, first.at, now, since)
    newest = latest_due(choices, now)
    assert found.following == next_due(choices, now).at
    if now - newest.at <= LATE:
        assert found.now == newest
    else:
        assert found.now is None
        assert found.missed[0] == newest
    named = [*([found.now] if found.now else []), *found.missed]
    assert [d.period for d in named] == sorted({d.period for d in named}, key=lambda p: p.first, reverse=True)


@pytest.mark.parametrize(
    ("wanted", "refused", "q"),
    [
        ("sparse attention", "survey", "sparse attention -survey"),
        ('title:"graph neural"', '"large language" -llm', 'title:"graph neural" -"large language" -llm'),
        ("", "survey", "-survey"),
        ("", "", ""),
    ],
)
def test_words_in_and_out_are_one_search_text(wanted: str, refused: str, q: str) -> None:
    assert join_words(wanted, refused) == q
    assert join_words(*split_words(q)) == q


@pytest.mark.parametrize(
    "bad",
    [
        {"cadence": "hourly"}, {"weekday": 0}, {"weekday": True}, {"hour": "24"}, {"zone": "../etc/passwd"}, {"zone": 5},
        {"format": "pdf"}, {"filter": []}, {"filter": {"topic": ["no-such"]}}, {"filter": {"until": "2026-01-01"}},
        {"filter": {"q": {"a": 1}}}, {"filter": {"topic": ["x"] * 61}}, {"colour": "red"},
    ],
)  # fmt: skip
def test_what_cannot_be_chosen_is_named(bad: dict[str, Any]) -> None:
    with pytest.raises(UsageError):
        parse_choices(bad, TAXONOMY, ())


def test_choices_are_kept_whole_and_outlive_a_taxonomy() -> None:
    given = {"filter": {"topic": ["deep-learning"], "q": "a -b", "min_score": 0.5}, "cadence": "monthly", "weekday": "3"}
    choices = parse_choices(given, TAXONOMY, ())
    assert Choices.from_json(choices.as_json()) == choices
    assert parse_choices(choices.as_dict(), TAXONOMY, ()) == choices
    old = (*choices.filter, ("topic", "gone-since"))
    assert standing_filter(old, TAXONOMY, ()).topics == ("deep-learning",)
