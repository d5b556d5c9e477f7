"""When to come to a source again: often while it changes, seldom while it does not, later and later while it fails. Pure.

The interval follows from what is known and no state is kept for it: an eighth of the time since the source last brought
something, within the bounds that it names. Failures wait 15 minutes, doubled each time, up to its longest interval. Both are
made up to a fifth longer by a hash of name and day, so that many sources never start together and a plan can be repeated.
Never shorter: the shortest interval is what a source may be asked at most (hourly with validators, daily without).
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime, timedelta

from catalog.outcomes import Run
from ingest.source import History

FIRST_RETRY = timedelta(minutes=15)
SPREAD = 0.2  # of the interval: 1,000 daily sources come within five hours, three or four a minute
SHARE = 8


@dataclass(frozen=True, slots=True)
class Cadence:
    """The bounds of a source's interval."""

    shortest: timedelta  # while it changes
    longest: timedelta  # when nothing has changed for long

    def next_due(self, name: str, now: datetime, run: Run, history: History) -> datetime:
        """When to come again after the run that ended `now`: at least the shortest interval later, after failures the wait."""
        if run.outcome is not None and run.outcome.good:
            quiet = now - history.last_new if history.last_new else self.longest
            interval = min(self.longest, max(self.shortest, quiet / SHARE))
        else:
            interval = min(self.longest, FIRST_RETRY * 2 ** min(max(0, history.failures - 1), 20))
        return now + interval * (1 + SPREAD * _fraction(f"{name} {now.date()}"))


def _fraction(text: str) -> float:
    """A number in [0, 1) that looks random and is the same each time."""
    return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=6).digest(), "big") / 2**48
