"""`skillfeed retag`."""

from __future__ import annotations

from typing import Annotated

import typer
from rich.table import Table

from app.cli import common
from catalog.errors import CatalogError
from catalog.tagging import Tagger
from ingest.retag import LEASE, Example, Report
from ingest.retag import retag as retag_all
from ingest.run import Tools, hold_if_free


def register(cli: typer.Typer) -> None:
    """Add the command."""
    cli.command("retag")(retag)


def retag(
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would change; change nothing.")] = False,
    json: common.Json = False,
) -> None:
    """Tag all held items with the model and taxonomy in use, and tell per topic what that changes.

    What was set by hand stays. Killed and started again it goes on where it was.
    """
    with common.opened() as context, common.err.status("reading …") as status:
        c, tagger = context, Tagger.load(context.taxonomy)

        def told(items: int) -> None:
            status.update(f"{items:,} items")

        if dry_run:
            report = retag_all(c.storage, c.taxonomy, tagger, c.clock.now(), dry_run=True, told=told)
        else:
            with hold_if_free(Tools(c.settings, c.storage, c.taxonomy, tagger, c.clock), LEASE) as lease:
                if lease is None:
                    raise CatalogError("another process is retagging this database; wait for it to end")
                report = retag_all(c.storage, c.taxonomy, tagger, c.clock.now(), lease=lease, told=told)
    if json:
        common.emit({"dry_run": dry_run, **report.as_dict()})
    else:
        _tell(report, dry_run)


def _tell(report: Report, dry_run: bool) -> None:
    would = "would change" if dry_run else "changed"
    out = common.out
    out.print(f"{report.changed:,} of {report.items:,} items {would}; tagger {report.before or 'unknown'} → {report.tagger}")
    for (old, new), n in sorted(report.renamed.items()):
        out.print(f"{old} is now {new}: {n:,} items")
    if report.changes():
        table = Table(box=None, pad_edge=False)
        for name in ("label", "before", "after", "gained", "lost", "other score"):
            table.add_column(name, justify="left" if name == "label" else "right", no_wrap=True)
        for (scheme, value), change in report.changes():
            numbers = (change.before, change.after, change.gained, change.lost, change.moved)
            table.add_row(value if scheme == "topic" else f"{scheme} {value}", *(f"{n:,}" for n in numbers))
        out.print(table)
    for (_, value), change in report.changes():
        for sign, examples in (("+", change.gains), ("-", change.losses)):
            for e in examples:
                out.print(_line(sign, value, e), markup=False)
    if report.decided:
        out.print("set by hand, stays so: " + ", ".join(f"{topic} ({n})" for topic, n in sorted(report.decided.items())))
    for topic, n in report.void.items():
        out.print(f"set by hand about {topic}, which is no topic any more: {n} without effect", style="yellow", markup=False)


def _line(sign: str, label: str, e: Example) -> str:
    return f"{sign} {label}  {e.score:.2f}  {e.id}  {e.title[:100]}"
