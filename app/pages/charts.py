"""Small charts as data for inline SVG: no library, no script; colours come from the style sheet."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta

from catalog.periods import Period, week_of

_BAR, _GAP, _HEIGHT = 10, 3, 48  # units of the view box


@dataclass(frozen=True, slots=True)
class Bar:
    """One week of a chart."""

    week: Period
    n: int
    x: int
    y: float
    height: float
    running: bool  # the last bar is of a week that is not over


@dataclass(frozen=True, slots=True)
class Chart:
    """Items per week, oldest first."""

    bars: tuple[Bar, ...]
    width: int
    height: int
    title: str


def weeks(today: date, n: int) -> list[Period]:
    """The last `n` weeks, the running one last."""
    return [week_of(today - timedelta(weeks=i)) for i in range(n - 1, -1, -1)]


def per_week(days: Mapping[date, int], shown: list[Period], today: date) -> Chart:
    """A chart of counts by day, summed per week; `shown` are consecutive weeks."""
    sums = dict.fromkeys(shown, 0)
    for day, n in days.items():
        week = week_of(day)
        if week in sums:
            sums[week] += n
    top = max(sums.values(), default=0)
    bars = []
    for i, (week, n) in enumerate(sums.items()):
        height = round(max(1.0, n / top * _HEIGHT), 1) if n else 0.0
        bars.append(Bar(week, n, i * (_BAR + _GAP), round(_HEIGHT - height, 1), height, week.last >= today))
    last = next((b.n for b in reversed(bars) if not b.running), 0)
    title = f"Items per week from {shown[0].name} to {shown[-1].name}: at most {top:,}, in the last complete week {last:,}"
    return Chart(tuple(bars), len(shown) * (_BAR + _GAP) - _GAP, _HEIGHT, title)
