"""Which editions of a meeting a visit is about."""

from __future__ import annotations

from datetime import date

from ingest.source import Window


def years(window: Window | None, today: date, first: int) -> list[int]:
    """The years, ascending, none before `first` and none after the next one: this and last year without a window.

    A window stands for every edition whose year lies in it.
    """
    since = today.year - 1 if window is None else window.since.year
    until = today.year if window is None else (window.until or today).year
    return list(range(max(first, since), min(until, today.year + 1) + 1))
