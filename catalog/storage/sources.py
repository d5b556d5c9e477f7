"""What is known of each source: when it is due, where its parts go on, what it announced, and the ledger of visits."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Row, select

from catalog import yields
from catalog.outcomes import Counts, Outcome, Part, Run, counts_from
from catalog.storage import schema as s
from catalog.storage.engine import add_missing


@dataclass(frozen=True, slots=True)
class SourceState:
    """A source as the schedule and the status page see it; instants are UTC by the instance's clock."""

    name: str
    enabled: bool
    next_due: datetime
    last_run: datetime | None
    last_success: datetime | None
    last_new: datetime | None
    failures: int  # visits in a row that did not end ok or empty
    failing_since: datetime | None
    outcome: str  # of the last visit, "" before the first
    error: str
    warning: str = ""  # its visits end well and give far less than usual, "" when they do not
    warned_since: datetime | None = None
    alerted_at: datetime | None = None  # when the operator was told that it fails


@dataclass(frozen=True, slots=True)
class PartState:
    """Where one part of a source goes on."""

    cursor: Mapping[str, Any]  # the source's own
    etag: str = ""  # verbatim
    last_modified: str = ""  # verbatim


@dataclass(frozen=True, slots=True)
class Batch:
    """What a source announced on a day in one part, and what of it is held."""

    part: str
    day: date
    announced: int
    held: int
    missing: tuple[str, ...] = ()  # keys
    note: str = ""  # why the batch is not confirmed; "" when it is

    @property
    def confirmed(self) -> bool:
        """True when all that was announced is held and the announcement could be checked."""
        return not self.missing and not self.note


NOTHING = PartState({})


# ------------------------------------------------------------------ sources
def register(db: Connection, names: Mapping[str, bool], now: datetime) -> None:
    """Make rows for sources that have none: due at once, enabled or not as given."""
    add_missing(
        db,
        s.sources,
        [
            {"name": name, "enabled": enabled, "next_due": now, "failures": 0, "outcome": "", "error": ""}
            for name, enabled in names.items()
        ],
    )


def states(db: Connection) -> list[SourceState]:
    """All sources by name."""
    # Sorted here, as PostgreSQL's order of text depends on the locale it was set up with; likewise below.
    return sorted((SourceState(**r._mapping) for r in db.execute(select(s.sources))), key=lambda state: state.name)


def state(db: Connection, name: str) -> SourceState | None:
    """One source; None when it has never been registered."""
    row = db.execute(select(s.sources).where(s.sources.c.name == name)).first()
    return SourceState(**row._mapping) if row else None


def due(db: Connection, now: datetime) -> list[str]:
    """Names of enabled sources whose next visit is due, the longest waiting first."""
    query = select(s.sources.c.name).where(s.sources.c.enabled, s.sources.c.next_due <= now)
    return list(db.execute(query.order_by(s.sources.c.next_due, s.sources.c.name)).scalars())


def enable(db: Connection, name: str, enabled: bool) -> None:
    """Switch a source on or off."""
    db.execute(s.sources.update().where(s.sources.c.name == name).values(enabled=enabled))


def settle(db: Connection, run: Run, next_due: datetime) -> None:
    """Note the end of a visit on its source: outcome, failures in a row, next visit, and whether it gave too little.

    The run stands in the ledger already.
    """
    before = state(db, run.source)
    assert before is not None
    assert run.finished is not None
    assert run.outcome is not None
    values: dict[str, Any] = {
        "last_run": run.finished, "next_due": next_due, "outcome": run.outcome.value, "error": run.error,
    }  # fmt: skip
    if run.outcome.good:
        values |= {"failures": 0, "failing_since": None}
    else:
        values |= {"failures": before.failures + 1, "failing_since": before.failing_since or run.started}
    if run.outcome in (Outcome.OK, Outcome.EMPTY):
        warning = yields.warning(_yields(db, run.source, run.started), run.started)
        values |= {"last_success": run.finished, "warning": warning}
        values["warned_since"] = (before.warned_since or run.finished) if warning else None
    if run.counts.new or run.counts.revised:
        values["last_new"] = run.finished
    db.execute(s.sources.update().where(s.sources.c.name == run.source).values(**values))


def untold(db: Connection, now: datetime, after: timedelta) -> tuple[list[SourceState], list[SourceState]]:
    """Sources that have failed for so long and those that are well again, of which the operator has not been told."""
    known = states(db)
    dead = [
        one
        for one in known
        if one.enabled and one.alerted_at is None and one.failing_since is not None and now - one.failing_since >= after
    ]
    return dead, [one for one in known if one.alerted_at is not None and one.failing_since is None]


def note_told(db: Connection, dead: Sequence[SourceState], well: Sequence[SourceState], now: datetime) -> None:
    """Note what the operator was told of."""
    table = s.sources
    db.execute(table.update().where(table.c.name.in_([one.name for one in dead])).values(alerted_at=now))
    db.execute(table.update().where(table.c.name.in_([one.name for one in well])).values(alerted_at=None))


def _yields(db: Connection, source: str, until: datetime) -> list[yields.Yield]:
    """What the good visits of the source gave, oldest first: all that are young enough for `yields`, and a few older ones."""
    table = s.runs
    good = select(table).where(table.c.source == source, table.c.outcome.in_((Outcome.OK.value, Outcome.EMPTY.value)))
    young = db.execute(good.where(table.c.started > until - yields.SPAN).order_by(table.c.id)).all()
    few = yields.FEWEST_VISITS + 2
    older = (
        []
        if len(young) > few
        else db.execute(good.where(table.c.started <= until - yields.SPAN).order_by(table.c.id.desc()).limit(few)).all()
    )
    return sorted((yields.yield_of(_run(row)) for row in (*older, *young)), key=lambda one: one.at)


def note_visit(db: Connection, run: Run) -> None:
    """Note the good end of a visit to dates that were asked for: when the next one is due does not change."""
    before = state(db, run.source)
    assert before is not None
    values: dict[str, Any] = {"last_run": run.finished, "last_success": run.finished}
    if not before.outcome:
        values["outcome"] = run.outcome.value if run.outcome else ""
    db.execute(s.sources.update().where(s.sources.c.name == run.source).values(**values))


# ------------------------------------------------------------------ parts and batches
def part(db: Connection, source: str, name: str) -> PartState:
    """Where the part goes on; `NOTHING` before its first visit."""
    row = db.execute(select(s.source_parts).where(s.source_parts.c.source == source, s.source_parts.c.part == name)).first()
    return PartState(json.loads(row.cursor), row.etag, row.last_modified) if row else NOTHING


def put_part(db: Connection, source: str, name: str, state: PartState) -> None:
    """Store where the part goes on; nothing is written when it is there already."""
    if part(db, source, name) == state:
        return
    table = s.source_parts
    db.execute(table.delete().where(table.c.source == source, table.c.part == name))
    db.execute(
        table.insert(),
        {
            "source": source, "part": name, "cursor": json.dumps(dict(state.cursor), sort_keys=True), "etag": state.etag,
            "last_modified": state.last_modified,
        },
    )  # fmt: skip


def batches(db: Connection, source: str, since: date, until: date | None = None) -> list[Batch]:
    """What was announced since the day, by part and day."""
    table = s.batches
    query = select(table).where(table.c.source == source, table.c.day >= since)
    if until is not None:
        query = query.where(table.c.day <= until)
    found = [Batch(r.part, r.day, r.announced, r.held, tuple(json.loads(r.missing)), r.note) for r in db.execute(query)]
    return sorted(found, key=lambda batch: (batch.part, batch.day))


def put_batches(db: Connection, source: str, given: Sequence[Batch]) -> None:
    """Store what was announced; a batch that is there already in the same form is not written."""
    if not given:
        return
    table = s.batches
    known = {(b.part, b.day): b for b in batches(db, source, min(b.day for b in given))}
    for b in given:
        if known.get((b.part, b.day)) == b:
            continue
        db.execute(table.delete().where(table.c.source == source, table.c.part == b.part, table.c.day == b.day))
        db.execute(
            table.insert(),
            {
                "source": source, "part": b.part, "day": b.day, "announced": b.announced, "held": b.held,
                "missing": json.dumps(list(b.missing)), "note": b.note,
            },
        )  # fmt: skip


# ------------------------------------------------------------------ runs
def begin_run(db: Connection, run: Run) -> int:
    """Enter a run in the ledger and return its id. Runs of the source that never ended are closed as interrupted."""
    table = s.runs
    db.execute(
        table.update()
        .where(table.c.source == run.source, table.c.finished.is_(None))
        .values(finished=run.started, outcome=Outcome.FAILED.value, error="interrupted: the process ended during the visit")
    )
    done = db.execute(table.insert().values(**_run_row(run)).returning(table.c.id))
    return int(done.scalar_one())


def put_run(db: Connection, run: Run) -> None:
    """Write the state of a run."""
    db.execute(s.runs.update().where(s.runs.c.id == run.id).values(**_run_row(run)))


def runs(db: Connection, source: str | None = None, limit: int = 50, before: int | None = None) -> list[Run]:
    """Newest runs first, of one source or of all; `before` is the id to go on from."""
    query = select(s.runs).order_by(s.runs.c.id.desc()).limit(limit)
    if source is not None:
        query = query.where(s.runs.c.source == source)
    if before is not None:
        query = query.where(s.runs.c.id < before)
    return [_run(r) for r in db.execute(query)]


def _run_row(run: Run) -> dict[str, Any]:
    counts = run.counts.as_dict()
    return counts | {
        "source": run.source, "started": run.started, "finished": run.finished,
        "outcome": run.outcome.value if run.outcome else None, "rejected": json.dumps(counts["rejected"]),
        "requests": run.requests, "seconds": run.seconds, "error": run.error,
        "parts": json.dumps([p.as_dict() for p in run.parts], ensure_ascii=False),
    }  # fmt: skip


def _run(r: Row[Any]) -> Run:
    counts = Counts(r.seen, r.new, r.revised, r.unchanged)
    counts.rejected.update(json.loads(r.rejected))
    parts = [
        Part(p["part"], Outcome(p["outcome"]), counts_from(p), p.get("announced"), p.get("held"), p.get("error", ""))
        for p in json.loads(r.parts)
    ]
    outcome = Outcome(r.outcome) if r.outcome else None
    return Run(r.source, r.started, r.id, r.finished, outcome, counts, r.requests, r.seconds, r.error, parts)
