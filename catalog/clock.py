"""Time as an argument: what "now" is for dates, due work, cadences and token expiry.

Spacing, timeouts, leases and Retry-After use real time and never ask this clock.
"""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Protocol

from catalog.errors import SettingsError


class Clock(Protocol):
    """Anything that knows the present instant."""

    def now(self) -> datetime:
        """The present instant, aware, in UTC."""
        ...


class RealClock:
    """The machine's own clock."""

    def now(self) -> datetime:
        """The present instant in UTC."""
        return datetime.now(UTC)


class RunningClock:
    """A clock that was set to an instant when it was made and has run on since."""

    def __init__(self, start: datetime) -> None:
        self._start, self._made = start.astimezone(UTC), time.monotonic()

    def now(self) -> datetime:
        """The set instant plus the seconds since then."""
        return self._start + timedelta(seconds=time.monotonic() - self._made)


class FileClock:
    """A clock kept in a file: the instant in it, plus the seconds since the file's last modification."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self.now()

    def now(self) -> datetime:
        """The file is read again at each call, so that moving it moves every process that shares it."""
        try:
            text, changed = self._path.read_text(encoding="ascii").strip(), self._path.stat().st_mtime
        except (OSError, UnicodeDecodeError) as error:
            raise SettingsError(f"SKILLFEED_CLOCK: cannot read {self._path}: {error}") from error
        return instant(text) + timedelta(seconds=max(0.0, time.time() - changed))


def instant(text: str) -> datetime:
    """An RFC 3339 instant as an aware UTC datetime; raises SettingsError."""
    try:
        value = datetime.fromisoformat(text)
        if value.tzinfo is not None:
            return value.astimezone(UTC)
    except (ValueError, OverflowError):
        pass
    raise SettingsError(f"SKILLFEED_CLOCK: {text[:60]!r} is no RFC 3339 instant such as 2026-02-27T12:00:00Z")


def clock_from(setting: str) -> Clock:
    """The clock that the setting names: empty is the real one, an existing path a file, else an instant."""
    if not setting:
        return RealClock()
    path = Path(setting)
    if len(setting) < 1000 and path.is_file():
        return FileClock(path)
    if "/" in setting or "\\" in setting:
        raise SettingsError(f"SKILLFEED_CLOCK: no file {setting}")
    return RunningClock(instant(setting))
