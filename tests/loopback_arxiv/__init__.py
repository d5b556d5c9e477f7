"""A small arXiv on the loopback interface: the daily feeds, OAI-PMH, the listing page and the query interface, in the
formats of the real hosts, filled with invented papers, and able to fail in every way that they do.

    with LoopbackArxiv(sample_papers(), today=dt.date(2026, 1, 14)) as arxiv:
        httpx.get(f"{arxiv.url}/rss.arxiv.org/rss/cs.LG")
        arxiv.faults = [Fault("503", host="rss.arxiv.org", times=2, retry_after=1)]
"""

from .faults import KINDS, Chooser, Fault
from .papers import (
    ALIASES,
    HOLIDAYS,
    Paper,
    Snapshot,
    Version,
    announcement_days,
    expected,
    fold,
    is_announcement_day,
    latest_version,
    previous_announcement,
)
from .samples import sample_papers
from .server import LoopbackArxiv
from .wire import Request, unicode_text

__all__ = [
    "ALIASES",
    "HOLIDAYS",
    "KINDS",
    "Chooser",
    "Fault",
    "LoopbackArxiv",
    "Paper",
    "Request",
    "Snapshot",
    "Version",
    "announcement_days",
    "expected",
    "fold",
    "is_announcement_day",
    "latest_version",
    "previous_announcement",
    "sample_papers",
    "unicode_text",
]
