"""`skillfeed quality`."""

from __future__ import annotations

from typing import Annotated, Any

import typer
from rich.table import Table

from app.cli import common
from app.quality import measured
from catalog.filters import parse_date


def register(cli: typer.Typer) -> None:
    """Add the command."""
    cli.command("quality")(quality)


def quality(
    since: Annotated[str, typer.Option(help="First announced date; default 28 days up to the last.")] = "",
    until: Annotated[str, typer.Option(help="Last announced date; default today.")] = "",
    json: common.Json = False,
) -> None:
    """Measure this instance: tagging, merges by reason, completeness by source and day, delay from announcement until held."""
    days = [parse_date(name, text) for name, text in (("since", since), ("until", until))]
    with common.opened() as context:
        found = measured(context, *days)
    if json:
        common.emit(found)
    else:
        _tell(found)


def _tell(found: dict[str, Any]) -> None:
    out, merges, tagging = common.out, found["merges"], found["tagging"]
    labels, none = tagging["labels"], tagging["of_no_topic"]
    out.print(f"topics of {tagging['papers']:,} check papers, {none['given_none']} of {none['papers']} of no topic given none")
    table = _table("", "precision", "recall", "F1", "core", "given")
    for name, scores in (("", tagging), (", categories hidden", tagging["without_categories"])):
        for mean in ("micro", "macro"):
            table.add_row(f"{mean}{name}", *(f"{v:.3f}" for v in scores[mean].values()), "", "")
    for topic in tagging["topics"]:
        shares = (f"{topic[name]:.3f}" for name in ("precision", "recall", "f1"))
        table.add_row(topic["topic"], *shares, str(topic["core"]), str(topic["given"]))
    out.print(table)
    out.print(f"of {labels['papers']:,} check papers form is right for {labels['form']:.1%}, level for {labels['level']:.1%}\n")
    out.print(f"{merges['entries']:,} entries in {merges['items']:,} items, {merges['joined']:,} of two entries or more")
    table = _table("joined by", "pairs")
    for reason, n in merges["links"].items():
        table.add_row(reason, f"{n:,}")
    out.print(table)
    by_hand = merges["by_hand"]
    out.print(f"by hand: {by_hand['same']:,} pairs joined, {by_hand['apart']:,} taken apart")
    out.print(f"\nannounced from {found['since']} to {found['until']}")
    table = _table("source", "day", "announced", "held", "share", "missing", "unconfirmed", "visits")
    for one in found["completeness"]:
        visits = ", ".join(f"{n} {outcome}" for outcome, n in one["visits"].items())
        table.add_row(one["source"], "all", *_numbers(one), visits)
        for day in one["days"]:
            table.add_row("", day["day"], *_numbers(day), "")
    out.print(table)
    table = _table("source", "entries", "median hours", "9 of 10 within", "longest", "within a day")
    for one in found["delay"]:
        hours = (f"{one[name]:.1f}" for name in ("median_hours", "p90_hours", "longest_hours"))
        table.add_row(one["source"], f"{one['entries']:,}", *hours, f"{one['within_24_hours']:.1%}")
    out.print("\nhours from 00:00 UTC of the announced date until held")
    out.print(table)


def _numbers(sums: dict[str, Any]) -> tuple[str, ...]:
    share = "" if sums["share"] is None else f"{sums['share']:.2%}"
    unconfirmed = f"{sums['unconfirmed']} of {sums['parts']}" if sums["unconfirmed"] else ""
    return f"{sums['announced']:,}", f"{sums['held']:,}", share, f"{sums['missing']:,}", unconfirmed


def _table(*names: str) -> Table:
    table = Table(box=None, pad_edge=False)
    for name in names:
        table.add_column(name, no_wrap=name != "visits", justify="left" if name in _WORDS else "right")
    return table


_WORDS = ("", "source", "day", "visits", "joined by")
