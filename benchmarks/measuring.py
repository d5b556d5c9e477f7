"""Two ways to the same, measured in turn."""

from __future__ import annotations

import gc
import statistics
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from rich.table import Table

ROUNDS = 5


@dataclass(frozen=True, slots=True)
class Case:
    """What is measured beside what; both return how many things they did."""

    name: str
    ours: Callable[[], int]
    bare: Callable[[], int]
    beside: str  # what `bare` is


def rate(act: Callable[[], int]) -> float:
    """Things per second of the wall clock, once."""
    started = time.perf_counter()
    done = act()
    return done / (time.perf_counter() - started)


def medians(acts: Iterable[Callable[[], int]], rounds: int = ROUNDS) -> list[float]:
    """Medians of several, run in turn: a neighbour on the machine then slows all of them."""
    acts = list(acts)
    found = [[rate(act) for act in acts] for _ in range(rounds)]
    return [statistics.median(column) for column in zip(*found, strict=True)]


def table(title: str, cases: Iterable[Case], rounds: int = ROUNDS) -> Table:
    """A row for each case: both per second, and their ratio."""
    out = empty(title, ("per second of", "ours", "bare", "ours/bare", "bare is"))
    for case in cases:
        ours, bare = medians((case.ours, case.bare), rounds)
        out.add_row(case.name, f"{ours:,.0f}", f"{bare:,.0f}", f"{ours / bare:.2f}", case.beside)
    return out


def empty(title: str, columns: Iterable[str]) -> Table:
    """A table of which the first and the last column are words."""
    columns = list(columns)
    out = Table(title=title, box=None, title_justify="left")
    for column in columns:
        out.add_column(column, justify="left" if column in (columns[0], columns[-1]) else "right")
    return out


@contextmanager
def uncollected() -> Iterator[None]:
    """Without garbage collection, as in the process that reads answers."""
    gc.collect()
    gc.freeze()
    gc.disable()
    try:
        yield
    finally:
        gc.enable()
        gc.unfreeze()
