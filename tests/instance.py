"""An instance of Skillfeed inside the test process: storage, clock that is moved by hand, visits without waiting."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, time
from functools import cache
from typing import Any

from catalog.outcomes import Run
from catalog.settings import Settings, read_settings
from catalog.storage import Storage
from catalog.tagging import Tagger
from catalog.taxonomy import load_taxonomy
from ingest.run import Tools, backfill, visit_source
from ingest.source import Source, Visit, Window
from ingest.sources.arxiv import Arxiv


class HandClock:
    """A clock that stands where it was put."""

    def __init__(self, now: datetime) -> None:
        self.at = now

    def now(self) -> datetime:
        """The instant it was put to."""
        return self.at

    def put(self, day: date, hour: int = 12) -> None:
        """Put it to an hour of a day, UTC."""
        self.at = datetime.combine(day, time(hour), UTC)


@cache
def tagger() -> Tagger:
    """The packaged tagger, loaded once per process."""
    return Tagger.load(load_taxonomy())


def variable(setting: str) -> str:
    """Kaggle's own variables have no prefix."""
    return setting if setting.startswith("KAGGLE_") else f"SKILLFEED_{setting}"


class Instance:
    """One installation on one database, whose upstreams are a mirror on loopback."""

    def __init__(self, url: str, mirror: str, day: date, **settings: Any) -> None:
        given = {"UPSTREAM_MIRROR": mirror, "ARXIV_GAP_SECONDS": "0", "HOST_GAP_SECONDS": "0", "DATABASE_URL": url} | settings
        self.settings: Settings = read_settings({variable(k): str(v) for k, v in given.items()}, None)
        self.clock = HandClock(datetime.now(UTC))
        self.clock.put(day)
        self.storage = Storage(self.settings.database)
        self.pauses: list[float] = []
        self.tools = Tools(self.settings, self.storage, load_taxonomy(), tagger(), self.clock, pause=self.pauses.append)

    def visit(self, source: Source | None = None, window: Window | None = None) -> Run:
        """Visit arXiv, or another source, now."""
        return visit_source(self.tools, source or Arxiv(), window)

    def backfill(self, since: date, until: date, sets: list[str]) -> Run:
        """Backfill arXiv's sets, whatever the categories."""
        window = Window(since, until)

        def act(visit: Visit) -> None:
            for name in sets:
                Arxiv().harvest_window(visit, name, None, window)

        return backfill(self.tools, Arxiv(), act, window)

    def close(self) -> None:
        """Close the database."""
        self.storage.close()


@contextmanager
def instance(url: str, mirror: str, day: date, **settings: Any) -> Iterator[Instance]:
    """An instance that is closed at the end."""
    made = Instance(url, mirror, day, **settings)
    try:
        yield made
    finally:
        made.close()
