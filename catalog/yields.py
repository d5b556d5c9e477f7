"""Silent emptiness: a source that answers, ends its visits well, and gives far less than it used to. Pure.

What a visit gave is what the source says it announced or lists, part by part, or what was read where it does not say: a part
that is unchanged (304) still tells what it holds, so it is not empty. Two rules, each over good visits only:

Compared are the parts that the last two visits had: past editions and dates that somebody asked for say nothing.

*Short.* No visit of the last five days gave a fifth of the median of the visits of the 28 days before (of the last four where
these days have fewer). Five days, because Christmas and a weekend are four; at least two visits, so that a single odd answer
is no alarm. Fewer than four visits to compare with, or a median under ten, say nothing.

*Standing still.* Four weeks brought new or revised entries steadily (at least ten each, none less than half their median), and
the seven days after them not a fifth of the median. A source with a constant set (a past conference) never has such weeks.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from statistics import median

from catalog.outcomes import Part, Run

SHARE = 0.2  # of the median
FEWEST_VISITS = 4
LEAST = 10  # entries: below it chance decides
RECENT = timedelta(days=5)
HISTORY = timedelta(days=28)
WEEK = timedelta(days=7)
WEEKS = 4
STEADY = 0.5  # of the median: the least that a week of a steady source brings
SPAN = HISTORY + WEEK  # what both rules look back at


@dataclass(frozen=True, slots=True)
class Yield:
    """What a visit that ended well gave."""

    at: datetime  # its begin
    size: int  # announced or listed, else read
    fresh: int  # new and revised
    parts: Mapping[str, int] = field(default_factory=dict, compare=False)  # the size of each


def yield_of(run: Run) -> Yield:
    """What the run gave."""
    sizes = {p.name: _size(p) for p in run.parts}
    return Yield(run.started, sum(sizes.values()), run.counts.new + run.counts.revised, sizes)


def warning(visits: Sequence[Yield], now: datetime) -> str:
    """One line that says what is missing, "" when all is as usual; `visits` are the good ones, oldest first, any number."""
    alike = _comparable(visits)
    return _short(alike, now) or _standing_still(alike, now)


def _comparable(visits: Sequence[Yield]) -> list[Yield]:
    """The visits by those of their parts that are still visited: other years and dates were asked for by hand, or are over."""
    current = {name for v in visits[-2:] for name in v.parts}
    if not current:
        return list(visits)
    return [
        replace(v, size=sum(size for name, size in v.parts.items() if name in current))
        for v in visits
        if not current.isdisjoint(v.parts)
    ]


def _short(visits: Sequence[Yield], now: datetime) -> str:
    before = [v for v in visits if v.at <= now - RECENT]
    usual = [v for v in before if v.at > now - RECENT - HISTORY]
    if len(usual) < FEWEST_VISITS:
        usual = before[-FEWEST_VISITS:]
    # A source that is visited once a week: its last two visits are looked at.
    recent = list(visits[len(before) :]) if len(visits) - len(before) >= 2 else list(visits[-2:])
    if len(usual) < FEWEST_VISITS or len(recent) < 2:
        return ""
    middle, best = median(v.size for v in usual), max(v.size for v in recent)
    if middle < LEAST or best >= SHARE * middle:
        return ""
    return f"gives {best} entries a visit, usually {middle:.0f}, in the last {len(recent)} visits that ended well"


def _standing_still(visits: Sequence[Yield], now: datetime) -> str:
    if not visits or visits[0].at > now - SPAN + timedelta(days=1):  # the first week has not been seen whole
        return ""
    weeks = [0] * (WEEKS + 1)  # the last one first
    for v in visits:
        ago = (now - v.at) // WEEK
        if 0 <= ago <= WEEKS:
            weeks[ago] += v.fresh
    last, *earlier = weeks
    middle = median(earlier)
    if min(earlier) < max(LEAST, STEADY * middle) or last >= SHARE * middle:
        return ""
    return f"brought {last} new or revised entries in 7 days, usually {middle:.0f}"


def _size(part: Part) -> int:
    return max(part.announced or 0, part.counts.seen)
