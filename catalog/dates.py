"""Which dates of a thing count when readers look ahead, and where two sources tell them otherwise. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from catalog.entries import Kind, Moment
from catalog.items import EntryRef

#: Sorts of dates by which items of a kind are listed, soonest first: until when one can take part, or when it begins.
AHEAD: dict[Kind, tuple[str, ...]] = {
    Kind.DEADLINE: ("abstract", "submission", "commitment", "deadline"),
    Kind.COMPETITION: ("deadline",),
    Kind.EVENT: ("starts",),
}
LASTING = timedelta(hours=36)  # from 00:00 UTC of a day to its end on the last coast
CLOSE = timedelta(days=14)  # what ends within it is closing
_ROUNDING = timedelta(minutes=5)  # 23:55 and 23:59:59 are the same evening


@dataclass(frozen=True, slots=True)
class Disagreement:
    """Dates of one sort that two sources tell otherwise."""

    what: str
    said: tuple[tuple[str, Moment], ...]  # by source, in the order of sources and dates


def over(moment: Moment) -> datetime:
    """The instant from which a date lies in the past; a day without an hour lasts to its end everywhere."""
    return moment.at + LASTING if moment.whole_day else moment.at


def next_of(kind: Kind, moments: Iterable[Moment], now: datetime) -> Moment | None:
    """The soonest date ahead that counts for the kind; None when there is none."""
    wanted = AHEAD.get(kind, ())
    return min((m for m in moments if m.what in wanted and over(m) > now), default=None)


def disagreements(entries: Sequence[EntryRef]) -> tuple[Disagreement, ...]:
    """The sorts of dates that two of an item's sources tell otherwise.

    A source that tells fewer dates of a sort agrees when each of them is told by the other as well.
    """
    out = []
    for what in sorted({m.what for e in entries for m in e.moments}):
        told = [(e.source, [m for m in e.moments if m.what == what]) for e in entries]
        telling = sorted(((source, dates) for source, dates in told if dates), key=lambda s: (len(s[1]), s[0]))
        if len(telling) < 2:
            continue
        few, *others = telling
        if any(not any(_agree(m, n) for n in dates) for _, dates in others for m in few[1]):
            out.append(Disagreement(what, tuple((s, m) for s, dates in sorted(telling) for m in dates)))
    return tuple(out)


def _agree(one: Moment, other: Moment) -> bool:
    room = LASTING if one.whole_day or other.whole_day else _ROUNDING
    return abs(one.at - other.at) <= room
