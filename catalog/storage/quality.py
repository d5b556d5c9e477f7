"""What the instance can measure of itself: how works were joined, what of the announced is held, and how soon it was."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

from sqlalchemy import Connection, func, select, text

from catalog.entries import Basis
from catalog.outcomes import Outcome
from catalog.storage import schema as s
from catalog.storage.sources import Batch, batches

_TITLE, _HAND = "same title and authors", "merged by hand"  # reasons of a link that name no identifier
#: Bases by which the day of an announcement is known: not that of a cross-listing, nor the day that it was first held.
_DATED = (Basis.STATED, Basis.ESTIMATED)
_AHEAD = timedelta(days=2)  # an entry may be held so long before the day that its source dates it


@dataclass(frozen=True, slots=True)
class Merges:
    """How entries became items; all that is held."""

    items: int
    entries: int
    joined: int  # items of two entries or more
    links: dict[str, int]  # pairs of entries by the reason that joins them, most frequent first
    same: int  # pairs that a person joined
    apart: int  # pairs that a person took apart
    aliases: int  # ids that lead to another item


@dataclass(frozen=True, slots=True)
class Delay:
    """Hours from 00:00 UTC of the announced date until an entry was held, 0 when it was held before; of one source."""

    entries: int
    estimated: int  # of them: the announced date is estimated
    median: float
    p90: float
    longest: float
    within_day: int  # entries held within 24 hours


def merges(db: Connection) -> Merges:
    """How works were joined."""
    place = "instr" if db.dialect.name == "sqlite" else "strpos"
    # The first two words, "same arxiv"; what follows names the work.
    reason = f"substr(reason, 1, 4 + {place}(substr(reason, 6) || ' ', ' '))"
    whole = {"same title": _TITLE, "merged": _HAND}
    rows = db.execute(text(f"SELECT {reason} AS said, count(*) AS n FROM links GROUP BY 1")).all()
    links = Counter({whole.get(r.said.strip(), r.said.strip()): r.n for r in rows})
    c = s.corrections.c
    decided = {bool(same): int(n) for same, n in db.execute(select(c.same, func.count()).group_by(c.same))}
    joined = text("SELECT count(*) FROM (SELECT 1 FROM entries GROUP BY item_id HAVING count(*) > 1) several")
    return Merges(
        items=_count(db, "items"),
        entries=_count(db, "entries"),
        joined=db.execute(joined).scalar_one(),
        links=dict(sorted(links.items(), key=lambda pair: (-pair[1], pair[0]))),
        same=decided.get(True, 0),
        apart=decided.get(False, 0),
        aliases=_count(db, "aliases"),
    )


def announced(db: Connection, since: date, until: date) -> dict[str, list[Batch]]:
    """What each source announced from day to day, both included, part by part."""
    c = s.batches.c
    names = db.execute(select(c.source).where(c.day >= since, c.day <= until).distinct()).scalars()
    return {name: batches(db, name, since, until) for name in sorted(names)}


def visits(db: Connection, since: date, until: date) -> dict[str, Counter[str]]:
    """The ended visits to each source that began in those days, by outcome."""
    c = s.runs.c
    here = (c.started >= _midnight(since), c.started <= datetime.combine(until, time.max, UTC), c.outcome.is_not(None))
    found: dict[str, Counter[str]] = {}
    for source, outcome, n in db.execute(select(c.source, c.outcome, func.count()).where(*here).group_by(c.source, c.outcome)):
        found.setdefault(source, Counter())[Outcome(outcome).value] = n
    return dict(sorted(found.items()))


def delays(db: Connection, since: date, until: date) -> dict[str, Delay]:
    """How soon what was announced in those days was held, by source.

    What was announced before the source's first visit that the ledger knows was not waited for, and does not count.
    """
    c = s.entries.c
    first = {
        source: at.astimezone(UTC).date()
        for source, at in db.execute(select(s.runs.c.source, func.min(s.runs.c.started)).group_by(s.runs.c.source))
    }
    query = select(c.source, c.announced, c.first_held, c.basis, func.count())
    query = query.where(c.id >= _first_held_since(db, _midnight(since) - _AHEAD), c.announced >= since, c.announced <= until)
    query = query.where(c.basis.in_([b.value for b in _DATED]))
    hours: dict[str, Counter[float]] = {}
    estimated: Counter[str] = Counter()
    for source, day, held, basis, n in db.execute(
        query.group_by(c.source, c.announced, c.first_held, c.basis)
    ):  # pages are few: what is stored with one was held at one instant
        if source in first and day >= first[source]:
            late = max(0.0, (held - _midnight(day)).total_seconds() / 3600)
            hours.setdefault(source, Counter())[late] += n
            estimated[source] += n * (basis == Basis.ESTIMATED)
    return {source: _delay(counted, estimated[source]) for source, counted in sorted(hours.items())}


def _delay(hours: Counter[float], estimated: int) -> Delay:
    ordered = sorted(hours.items())
    total = hours.total()
    return Delay(
        entries=total,
        estimated=estimated,
        median=round(_rank(ordered, total, 50), 2),
        p90=round(_rank(ordered, total, 90), 2),
        longest=round(ordered[-1][0], 2),
        within_day=sum(n for late, n in ordered if late <= 24),
    )


def _rank(ordered: Sequence[tuple[float, int]], total: int, percent: int) -> float:
    """The nearest rank: the smallest value that so many per cent do not exceed."""
    seen = 0
    for value, n in ordered:
        seen += n
        if seen * 100 >= total * percent:
            return value
    return 0.0


def _first_held_since(db: Connection, at: datetime) -> int:
    """The row id from which on entries were first held at or after the instant: ids are given as entries come.

    Found by halving, as a scan of all entries would take seconds where there are millions.
    """
    c = s.entries.c
    low, high = 0, int(db.execute(select(func.coalesce(func.max(c.id), 0))).scalar_one()) + 1
    while low < high:
        middle = (low + high) // 2
        held = db.execute(select(c.first_held).where(c.id >= middle).order_by(c.id).limit(1)).scalar_one_or_none()
        if held is not None and held < at:
            low = middle + 1
        else:
            high = middle
    return low


def _count(db: Connection, table: str) -> int:
    return int(db.execute(text(f"SELECT count(*) FROM {table}")).scalar_one())


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), UTC)
