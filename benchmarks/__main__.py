"""`python -m benchmarks`: what each step costs beside the least that would give the same, in the same run on the same machine.

Prints medians of five interleaved rounds and their ratio; absolute figures swing with the machine, ratios hold. All data are
invented.
"""

from __future__ import annotations

import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from lxml import etree
from rich.console import Console
from rich.table import Table

from benchmarks import serving, steps

ROUNDS = 5


def measure(ours: Callable[[], int], bare: Callable[[], int]) -> tuple[float, float]:
    """Medians of things per second of both, run in turn."""
    figures: dict[str, list[float]] = {"ours": [], "bare": []}
    for _ in range(ROUNDS):
        for name, act in (("ours", ours), ("bare", bare)):
            start = time.perf_counter()
            done = act()
            figures[name].append(done / (time.perf_counter() - start))
    return statistics.median(figures["ours"]), statistics.median(figures["bare"])


def main() -> None:
    """Run everything and print one table."""
    table = Table(title="per second, median of 5 interleaved rounds", box=None)
    for name in ("step", "ours", "bare", "ours/bare", "bare is"):
        table.add_column(name, justify="left" if name in ("step", "bare is") else "right")
    console = Console()
    with tempfile.TemporaryDirectory() as folder:
        papers = steps.papers(2_000)
        body = steps.oai_page(papers)
        rows: list[tuple[str, Callable[[], int], Callable[[], int], str]] = [
            (
                "parse an OAI-PMH page, records",
                lambda: steps.parse(body),
                lambda: len(etree.fromstring(body)[-1]),
                "lxml tree alone",
            ),
            (
                "tag with evidence, papers",
                lambda: steps.tag(papers, evidence=True),
                lambda: steps.vectorise(papers),
                "words alone",
            ),
            ("tag, papers", lambda: steps.tag(papers, evidence=False), lambda: steps.vectorise(papers), "words alone"),
            (
                "store new, items",
                steps.Store(Path(folder), papers).new,
                steps.Bare(Path(folder), papers).new,
                "driver, same rows and index",
            ),
        ]
        for name, ours, bare, what in rows:
            one, other = measure(ours, bare)
            table.add_row(name, f"{one:,.0f}", f"{other:,.0f}", f"{one / other:.2f}", what)
        console.print(table)
        console.print(serving.table(Path(folder), papers))


if __name__ == "__main__":
    main()
