"""The instance's clock: real, running on from an instant, or kept in a file that moves it."""

from __future__ import annotations

import os
import time
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalog.clock import FileClock, RealClock, RunningClock, clock_from, instant
from catalog.errors import SettingsError

NOON = datetime(2026, 1, 30, 12, tzinfo=UTC)


def test_the_real_clock_is_aware_and_in_utc() -> None:
    now = RealClock().now()
    assert now.tzinfo is UTC
    assert abs(now - datetime.now(UTC)) < timedelta(seconds=5)


def test_a_running_clock_runs_on_from_its_instant() -> None:
    clock = RunningClock(NOON.astimezone(timezone(timedelta(hours=9))))
    first = clock.now()
    assert first.tzinfo is UTC
    assert NOON <= first < NOON + timedelta(seconds=5)
    assert clock.now() >= first


def test_a_file_clock_counts_from_the_last_modification(tmp_path: Path) -> None:
    path = tmp_path / "clock"
    path.write_text("2026-01-30T12:00:00Z\n", encoding="ascii")
    an_hour_ago = time.time() - 3600
    os.utime(path, (an_hour_ago, an_hour_ago))
    now = FileClock(path).now()
    assert NOON + timedelta(hours=1) <= now < NOON + timedelta(hours=1, seconds=5)


def test_a_file_clock_moves_with_its_file(tmp_path: Path) -> None:
    path = tmp_path / "clock"
    path.write_text("2026-01-30T12:00:00Z", encoding="ascii")
    clock = FileClock(path)
    path.write_text("2026-02-27T00:00:00+01:00", encoding="ascii")
    moved = datetime(2026, 2, 26, 23, tzinfo=UTC)
    assert moved <= clock.now() < moved + timedelta(seconds=5)


def test_a_file_from_the_future_stands_at_its_instant(tmp_path: Path) -> None:
    path = tmp_path / "clock"
    path.write_text("2026-01-30T12:00:00Z", encoding="ascii")
    os.utime(path, (time.time() + 3600,) * 2)
    assert FileClock(path).now() == NOON


def test_a_file_that_goes_away_is_named(tmp_path: Path) -> None:
    path = tmp_path / "clock"
    path.write_text("2026-01-30T12:00:00Z", encoding="ascii")
    clock = FileClock(path)
    path.unlink()
    with pytest.raises(SettingsError, match="SKILLFEED_CLOCK: cannot read"):
        clock.now()


@pytest.mark.parametrize("content", [b"", b"now", b"\xff", b"2026-01-30T12:00:00"])
def test_a_file_without_an_instant_is_refused_at_once(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "clock"
    path.write_bytes(content)
    with pytest.raises(SettingsError, match="SKILLFEED_CLOCK"):
        clock_from(str(path))


def test_the_setting_chooses_the_clock(tmp_path: Path) -> None:
    path = tmp_path / "clock"
    path.write_text("2026-01-30T12:00:00Z", encoding="ascii")
    assert isinstance(clock_from(""), RealClock)
    assert isinstance(clock_from("2026-01-30T12:00:00Z"), RunningClock)
    assert isinstance(clock_from(str(path)), FileClock)
    with pytest.raises(SettingsError, match="no file"):
        clock_from(str(tmp_path / "none"))


@pytest.mark.parametrize(
    "text",
    [
        "2026-01-30",
        "2026-01-30T12:00:00",
        "12:00",
        "tomorrow",
        "0001-01-01T00:00:00+14:00",
        "2026-13-01T00:00:00Z",
        "x" * 5_000,
    ],
)
def test_what_is_no_instant_is_refused_with_an_example(text: str) -> None:
    for read in (instant, clock_from):
        with pytest.raises(SettingsError, match="2026-02-27T12:00:00Z") as refused:
            read(text)
        assert len(str(refused.value)) < 200


@given(st.datetimes(min_value=datetime(1, 1, 3), max_value=datetime(9999, 12, 29), timezones=st.timezones()))  # noqa: DTZ001
def test_an_instant_is_the_same_moment_in_utc(moment: datetime) -> None:
    offset = moment.utcoffset()
    assert offset is not None
    fixed = moment.astimezone(UTC)
    assert instant(fixed.isoformat()) == fixed
    assert instant(fixed.isoformat()).tzinfo is UTC
