"""How a visit to a source ended: one outcome type for runs, their parts, the CLI, the API and the pages."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any


class Outcome(StrEnum):
    """The end of a run or of a part of it."""

    OK = "ok"  # all that was announced is held
    EMPTY = "empty"  # the source says that there is nothing, and is believed
    STALE = "stale"  # the source serves an old or short batch as today's
    PARTIAL = "partial"  # something was lost or could not be checked; it is named
    FAILED = "failed"  # nothing usable came
    NOT_CONFIGURED = "not configured"  # a credential is missing; no failure

    @property
    def good(self) -> bool:
        """True when nobody has to look: ok, empty or not configured."""
        return self in (Outcome.OK, Outcome.EMPTY, Outcome.NOT_CONFIGURED)


#: Worst last: a run is as bad as its worst part, and only all parts failed make it failed.
_WEIGHT = {Outcome.NOT_CONFIGURED: 0, Outcome.EMPTY: 1, Outcome.OK: 2, Outcome.STALE: 3, Outcome.PARTIAL: 4, Outcome.FAILED: 5}


@dataclass(slots=True)
class Counts:
    """What was seen and what became of it; `rejected` by reason."""

    seen: int = 0
    new: int = 0
    revised: int = 0
    unchanged: int = 0
    rejected: Counter[str] = field(default_factory=Counter)

    def add(self, other: Counts) -> None:
        """Add another count to this one."""
        self.seen += other.seen
        self.new += other.new
        self.revised += other.revised
        self.unchanged += other.unchanged
        self.rejected.update(other.rejected)

    def as_dict(self) -> dict[str, Any]:
        """Plain data, rejected reasons in order."""
        return {
            "seen": self.seen, "new": self.new, "revised": self.revised, "unchanged": self.unchanged,
            "rejected": dict(sorted(self.rejected.items())),
        }  # fmt: skip


@dataclass(slots=True)
class Part:
    """One category, set or volume inside a run."""

    name: str
    outcome: Outcome = Outcome.EMPTY
    counts: Counts = field(default_factory=Counts)
    announced: int | None = None  # what the source says it announced; None when it does not say
    held: int | None = None  # how many of those are held
    error: str = ""  # one line: what is wrong, or ""

    def as_dict(self) -> dict[str, Any]:
        """Plain data for the ledger, the API and `--json`."""
        out: dict[str, Any] = {"part": self.name, "outcome": self.outcome.value, **self.counts.as_dict()}
        if self.announced is not None:
            out |= {"announced": self.announced, "held": self.held}
        if self.error:
            out["error"] = self.error
        return out


@dataclass(slots=True)
class Run:
    """One visit to one source."""

    source: str
    started: datetime  # UTC by the instance's clock
    id: int = 0
    finished: datetime | None = None
    outcome: Outcome | None = None  # None while it runs
    counts: Counts = field(default_factory=Counts)
    requests: int = 0
    seconds: float = 0.0  # real time
    error: str = ""
    parts: list[Part] = field(default_factory=list)

    def as_dict(self) -> dict[str, Any]:
        """The object of `skillfeed ingest --json`."""
        return {
            "source": self.source,
            "outcome": self.outcome.value if self.outcome else "running",
            **self.counts.as_dict(),
            "requests": self.requests,
            "seconds": round(self.seconds, 3),
            "error": self.error or None,
            "parts": [p.as_dict() for p in self.parts],
        }


def combine(parts: Iterable[Part]) -> Outcome:
    """The outcome of a run: `empty` without parts, `failed` when all parts failed, else the worst, failed ones as partial."""
    outcomes = [p.outcome for p in parts]
    if not outcomes:
        return Outcome.EMPTY
    if all(o is Outcome.FAILED for o in outcomes):
        return Outcome.FAILED
    return max((Outcome.PARTIAL if o is Outcome.FAILED else o for o in outcomes), key=_WEIGHT.__getitem__)


def counts_from(data: Mapping[str, Any]) -> Counts:
    """The inverse of `Counts.as_dict`."""
    return Counts(data["seen"], data["new"], data["revised"], data["unchanged"], Counter(data["rejected"]))
