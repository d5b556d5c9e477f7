"""What the instance measures of itself, as plain data: for API and command line alike."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from datetime import date, timedelta
from functools import lru_cache
from itertools import groupby
from typing import Any

from app.context import Context
from catalog.errors import UsageError
from catalog.storage import quality
from catalog.storage.quality import Delay, Merges
from catalog.storage.sources import Batch
from catalog.tagging import check
from catalog.tagging.check import Checked, Measure
from catalog.taxonomy import Taxonomy

DAYS = 28  # measured unless dates are given
DAYS_MOST = 400  # as long as the ledger goes back: see `catalog.storage.upkeep`
_EARLIEST = date(1900, 1, 1)  # before it there are no days to step back to, and no papers


def measured(context: Context, since: date | None = None, until: date | None = None) -> dict[str, Any]:
    """Tagging of the check papers; merges of all that is held; completeness and delay of what was announced from `since` to
    `until`, both included.

    Without dates the 28 days that end today, by the instance's clock. Raises UsageError for more than 400 days.
    """
    until = until or max(context.clock.now().date(), since or date.min)
    since = since or until - timedelta(days=min(DAYS - 1, (until - date.min).days))
    if (until - since).days >= DAYS_MOST:
        raise UsageError(f"since {since} to until {until} is too long; at most {DAYS_MOST} days are measured at once")
    first = max(since, _EARLIEST)
    with context.storage.read() as db:
        merges = quality.merges(db)
        announced, visits = quality.announced(db, first, until), quality.visits(db, first, until)
        delays = quality.delays(db, first, until)
    return {
        "since": since.isoformat(),
        "until": until.isoformat(),
        "tagging": _tagging(_checked(context.taxonomy)),
        "merges": _merges(merges),
        "completeness": [
            {"source": name, "visits": dict(sorted(visits.get(name, {}).items())), **_complete(announced.get(name, ()))}
            for name in sorted(announced.keys() | visits.keys())
        ],
        "delay": [{"source": name, **_delay(delay)} for name, delay in delays.items()],
    }


@lru_cache(maxsize=1)  # model and papers are those of the package: the same answer as long as the process lives
def _checked(taxonomy: Taxonomy) -> Checked:
    return check.current(taxonomy)


def _tagging(checked: Checked) -> dict[str, Any]:
    topics = checked.topics
    return {
        "papers": topics.papers,
        "micro": _measure(topics.micro),
        "macro": _measure(topics.macro),
        "without_categories": {"micro": _measure(checked.bare.micro), "macro": _measure(checked.bare.macro)},
        "topics": [
            {"topic": slug, **_measure(measure), "core": topics.core[slug], "given": topics.given[slug]}
            for slug, measure in sorted(topics.topics.items(), key=lambda pair: (pair[1].f1, pair[0]))
        ],
        "missed": topics.missed,
        "of_no_topic": {"papers": topics.empty, "given_none": topics.spared},
        "labels": {"papers": checked.labelled, "form": round(checked.form, 4), "level": round(checked.level, 4)},
    }


def _measure(measure: Measure) -> dict[str, float]:
    return {name: round(value, 4) for name, value in asdict(measure).items()}


def _merges(merges: Merges) -> dict[str, Any]:
    told = asdict(merges)
    return {n: told[n] for n in ("items", "entries", "joined", "links", "aliases")} | {
        "by_hand": {"same": merges.same, "apart": merges.apart}
    }


def _complete(batches: Sequence[Batch]) -> dict[str, Any]:
    """Sums over parts, in all and by day, newest day first."""
    by_day = groupby(sorted(batches, key=lambda b: b.day, reverse=True), key=lambda b: b.day)
    return {**_sums(batches), "days": [{"day": day.isoformat(), **_sums(list(several))} for day, several in by_day]}


def _sums(batches: Sequence[Batch]) -> dict[str, Any]:
    announced = sum(b.announced for b in batches)
    # As the batch was checked: what came since is among the held.
    held = sum(b.held for b in batches)
    open_ = [b for b in batches if not b.confirmed]
    return {
        "announced": announced,
        "held": held,
        "share": round(held / announced, 4) if announced else None,
        "parts": len(batches),
        "unconfirmed": len(open_),
        "missing": sum(len(b.missing) for b in batches),
    }


def _delay(delay: Delay) -> dict[str, Any]:
    return {
        "entries": delay.entries, "estimated": delay.estimated, "median_hours": delay.median, "p90_hours": delay.p90,
        "longest_hours": delay.longest, "within_24_hours": round(delay.within_day / delay.entries, 4),
    }  # fmt: skip
