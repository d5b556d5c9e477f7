"""Every error that Skillfeed raises on purpose.

    SkillfeedError
    ├── UsageError            the caller's words are off: one line that names the thing and the mend (exit 2, HTTP 422)
    │   ├── UnknownName       a source, topic, area, … that does not exist, with the nearest that do
    │   └── SettingsError     a setting is unknown or its value is not of its rule
    ├── CatalogError          storage and data
    │   ├── DatabaseUnavailable   cannot be opened or reached (exit 3, HTTP 503)
    │   ├── NewerDatabase         written by a newer version of Skillfeed (exit 3)
    │   └── LeaseLost             another process holds the lease now; nothing was written
    └── IngestError           the way in
        ├── FetchError            no usable answer; says for which address and whether a later try may help
        └── ParseError            the bytes are not of the format

Bugs are not in this tree and pass through unhidden.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from urllib.parse import urlsplit

_FEW = 12  # names that are listed whole


class SkillfeedError(Exception):
    """Root of all deliberate errors; `str()` is one line that a person can act on."""


class UsageError(SkillfeedError):
    """The caller asked for something that is not of the promised form."""


class UnknownName(UsageError):
    """A name that does not exist; carries the nearest that do, all of them where they are few."""

    def __init__(self, what: str, name: str, allowed: Iterable[str]) -> None:
        self.what, self.name = what, name
        known = sorted(allowed)
        close = difflib.get_close_matches(name, known, n=3, cutoff=0.5)
        rest = [n for n in known if n not in close] if not close or len(known) <= _FEW else []
        self.nearest = (*close, *rest[:_FEW])
        more = " …" if len(rest) > _FEW else ""
        shown = name if len(name) <= 60 else name[:60] + "…"
        super().__init__(f"unknown {what} {shown!r}; nearest allowed: {', '.join(self.nearest)}{more}")


class SettingsError(UsageError):
    """A setting is unknown or has an impossible value."""


class CatalogError(SkillfeedError):
    """Storage and data."""


class DatabaseUnavailable(CatalogError):
    """The database cannot be opened or reached."""


class NewerDatabase(CatalogError):
    """The database was written by a newer version of Skillfeed."""


class LeaseLost(CatalogError):
    """The lease under which a write was made is no longer held; the write was rolled back."""


class IngestError(SkillfeedError):
    """The way in."""


class FetchError(IngestError):
    """No usable answer from an address.

    `reason` is a short word for counts (`timeout`, `http-503`, `too-large`, …); `retry_after` is in seconds from now,
    None when the host named no time.
    """

    def __init__(self, url: str, reason: str, detail: str, *, retry_after: float | None = None, status: int = 0) -> None:
        self.url, self.reason, self.retry_after, self.status = url, reason, retry_after, status
        super().__init__(f"{_host(url)}: {detail}")  # the query would fill the line; `url` has it


def _host(url: str) -> str:
    try:
        return urlsplit(url).hostname or url[:60]
    except ValueError:  # an address that is none may be what the error is about
        return url[:60]


class ParseError(IngestError):
    """The bytes are not of the expected format; `reason` is a short word for counts."""

    def __init__(self, reason: str, detail: str) -> None:
        self.reason = reason
        super().__init__(detail)
