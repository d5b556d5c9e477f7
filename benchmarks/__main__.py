"""`python -m benchmarks [SECTION …] [--peers] [--replay]`: figures beside bare ones, same run, same machine, same data.

Prints medians of interleaved rounds and their ratios; absolute figures swing with the machine and its neighbours, ratios hold.
All texts are invented, of realistic size (`benchmarks.texts`).
"""

from __future__ import annotations

import argparse
import logging
import tempfile
from pathlib import Path

import structlog
from rich.console import Console

from benchmarks import mail, measuring, pages, parsing, peers, replayed, serving, steps, tagging, texts, wire
from benchmarks.server import serving as server

SECTIONS = ("parse", "steps", "pages", "serve", "mail")


def main() -> None:
    """Measure what is asked for, by default all but what needs a download or the replay server."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks")
    parser.add_argument("sections", nargs="*", metavar="SECTION", help=f"any of {', '.join(SECTIONS)}")
    parser.add_argument("--peers", action="store_true", help="beside lemon24/reader, installed under .cache/peers")
    parser.add_argument("--replay", action="store_true", help="all sources of REPLAY_SERVER_DIR in one ingest: time and memory")
    parser.add_argument("--tagging", action="store_true", help="nested cross-validation over GOLD_DIR, half an hour")
    parser.add_argument("--papers", type=int, default=6_000, help="papers on the pages over HTTP")
    asked = parser.parse_args()
    if unknown := set(asked.sections) - set(SECTIONS):
        parser.error(f"no such section: {', '.join(sorted(unknown))}")
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR))
    chosen = asked.sections or (() if asked.peers or asked.replay or asked.tagging else SECTIONS)
    console = Console(width=128)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        if "parse" in chosen:
            console.print(parsing.table(texts.papers(2_500)))
        if "steps" in chosen:
            title = "One step alone, 2,000 papers; bare is the least that gives the same"
            console.print(measuring.table(title, steps.cases(texts.papers(2_000), folder)))
        if "pages" in chosen:
            papers = texts.papers(asked.papers)
            wire.save(wire.oai_pages(papers, pages.PAGE), folder / "served" / pages.PATH)
            with server(folder / "served") as url:
                title = f"OAI-PMH pages of {pages.PAGE:,} over loopback HTTP, {len(papers):,} papers; bare in one process"
                console.print(measuring.table(title, pages.cases(papers, folder, url)))
        if "serve" in chosen:
            console.print(serving.table(folder, texts.papers(2_000)))
        if "mail" in chosen:
            for one in mail.tables(folder, texts.papers(asked.papers)):
                console.print(one)
        if asked.peers:
            console.print(peers.table(texts.papers(asked.papers), folder))
        if asked.replay:
            console.print(replayed.table(folder))
        if asked.tagging:
            for line in tagging.nested():
                console.print(line, soft_wrap=True)


if __name__ == "__main__":
    main()
