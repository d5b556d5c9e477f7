"""Bytes to entries, beside the same library read by hand, and beside two parsers that others use.

By hand: the same fields by lxml, json or PyYAML over libyaml, dates read as dates, nothing cleaned, checked or made safe. Both
without garbage collection, as in the process that reads answers.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Sequence
from datetime import date

import feedparser
from arxiv import _feed as arxiv_package
from rich.table import Table

from benchmarks import bare, wire
from benchmarks.measuring import empty, medians, uncollected
from ingest.formats import pmlr, virtual
from ingest.formats.arxiv_feed import parse_daily
from ingest.formats.arxiv_oai import parse_oai
from tests.loopback_arxiv import Paper

LATEST = date(2026, 3, 1)
MEETING = virtual.Meeting("virtual-icml", "icml.cc", "ICML", "icml", 2025)
TITLE = "Bytes to entries per second; bare: the same library reads the same bytes, fields taken by hand"


def table(papers: Sequence[Paper]) -> Table:
    """The four formats; and what the arxiv package and feedparser do with pages of the same papers."""
    few = papers[: len(papers) // 3]
    oai, rss = wire.oai_pages(papers, len(papers))[0], wire.rss_page(few)
    events, cited = wire.programme(papers), wire.citeproc(few)
    atom = wire.atom_page(papers[: min(len(papers), 2_000)])

    def package() -> int:
        return len(arxiv_package.parse(atom).results)

    def library() -> int:
        return len(feedparser.parse(io.BytesIO(rss)).entries)

    def programme() -> int:
        return len(virtual.papers(virtual.parse_programme(events, MEETING).events, {}, LATEST, None))

    def volume() -> int:
        return len(pmlr.parse_citeproc(cited, "v267", None, LATEST).entries)

    rows: list[tuple[str, Callable[[], int], Callable[[], int], Callable[[], int] | None]] = [
        ("OAI-PMH, arXivRaw", lambda: len(parse_oai(oai, "arxiv", LATEST).entries), lambda: len(bare.oai(oai)[0]), package),
        ("daily feed, RSS", lambda: len(parse_daily(rss, "arxiv", LATEST).entries), lambda: len(bare.rss(rss)), library),
        ("virtual site, JSON", programme, lambda: len(bare.programme(events)), None),
        ("PMLR, citeproc YAML", volume, lambda: len(bare.citeproc(cited)), None),
    ]
    out = empty(TITLE, ("format", "entries", "ours", "bare", "ours/bare", "peer", "ours/peer", "peer is"))
    for name, ours, by_hand, peer in rows:
        count = ours()
        if by_hand() != count:
            raise SystemExit(f"{name}: {count} entries of ours, {by_hand()} by hand")
        with uncollected():
            one, other, *third = medians([ours, by_hand, *([peer] if peer else [])])
        beside = (f"{third[0]:,.0f}", f"{one / third[0]:.1f}") if third else ("", "")
        what = {package: "arxiv package, Atom", library: "feedparser, same bytes"}.get(peer, "") if peer else ""
        out.add_row(name, f"{count:,}", f"{one:,.0f}", f"{other:,.0f}", f"{one / other:.2f}", *beside, what)
    return out
