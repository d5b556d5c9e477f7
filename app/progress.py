"""Progress of visits: a live bar on a terminal, a line per part elsewhere."""

from __future__ import annotations

import sys
import time
from types import TracebackType
from typing import Self

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.table import Table

from catalog.outcomes import Outcome, Part, Run

_COLOURS = {
    Outcome.OK: "green", Outcome.EMPTY: "green", Outcome.STALE: "yellow", Outcome.PARTIAL: "yellow", Outcome.FAILED: "red",
    Outcome.NOT_CONFIGURED: "dim",
}  # fmt: skip


class Bar:
    """A bar over the parts of a visit, with counts; as a context manager."""

    def __init__(self, console: Console, steps: int) -> None:
        self._bar = Progress(
            SpinnerColumn(),
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("{task.fields[counts]}"),
            TimeElapsedColumn(),
            console=console,
            transient=True,
        )
        self._task = self._bar.add_task("connecting", total=steps, counts="")

    def __enter__(self) -> Self:
        self._bar.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._bar.stop()

    def __call__(self, run: Run, part: Part | None) -> None:
        """Show the run as it stands."""
        done = max(0, len(run.parts) - 1) if run.finished is None else len(run.parts)
        name = part.name if part else (run.parts[-1].name if run.parts else "")
        self._bar.update(
            self._task,
            description=f"{run.source} {name}",
            completed=done,
            counts=f"{run.counts.seen:,} seen, {run.counts.new:,} new",
        )


class Lines:
    """A line when a part ends or, while it lasts, every ten seconds."""

    def __init__(self) -> None:
        self._last = time.monotonic()
        self._shown: set[tuple[int, int]] = set()

    def __call__(self, run: Run, part: Part | None) -> None:
        """Write what has ended since the last call."""
        ended = run.parts if run.finished is not None else run.parts[:-1]
        for i, one in enumerate(ended):
            if (run.id, i) not in self._shown:
                self._shown.add((run.id, i))
                self._write(run, one)
        if part is not None and time.monotonic() - self._last >= 10:
            self._write(run, part)

    def _write(self, run: Run, part: Part) -> None:
        self._last = time.monotonic()
        c = part.counts
        note = f" - {part.error}" if part.error else ""
        held = f", announced {part.announced:,}, held {part.held:,}" if part.announced else ""
        sys.stderr.write(f"{run.source} {part.name}: {part.outcome.value}, {c.seen:,} seen, {c.new:,} new{held}{note}\n")
        sys.stderr.flush()


def outcome_table(runs: list[Run]) -> Table:
    """Runs and their parts as a table; the last column is held of announced."""
    table = Table(box=None, pad_edge=False)
    for name in ("source", "outcome", "seen", "new", "revised", "unchanged", "rejected", "held"):
        # Where room is short, only the names of parts are folded: a cut number would be a wrong one.
        table.add_column(
            name, justify="left" if name in ("source", "outcome") else "right", no_wrap=name != "source", overflow="fold"
        )
    for run in runs:
        both: list[tuple[str, Run | Part]] = [("", run), *(("  ", p) for p in run.parts)]
        for indent, one in both:
            outcome = one.outcome
            colour = _COLOURS[outcome] if outcome else "dim"
            c = one.counts
            held = f"{one.held:,}/{one.announced:,}" if isinstance(one, Part) and one.announced is not None else ""
            table.add_row(
                indent + (one.name if isinstance(one, Part) else one.source),
                f"[{colour}]{outcome.value if outcome else 'running'}[/]",
                f"{c.seen:,}",
                f"{c.new:,}",
                f"{c.revised:,}",
                f"{c.unchanged:,}",
                f"{sum(c.rejected.values()):,}",
                held,
            )
    return table
