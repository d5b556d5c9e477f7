"""`skillfeed sources`: the sources and their health."""

from __future__ import annotations

from typing import Annotated, Any

import typer
from rich.table import Table

from app import shapes
from app.cli import common
from catalog.storage import requests
from catalog.storage import sources as store
from ingest.sources import SOURCES, source_named


def register(cli: typer.Typer) -> None:
    """Add the commands."""
    group = typer.Typer(help="Sources and their health.", rich_markup_mode=None)
    group.callback(invoke_without_command=True)(_default)
    group.command("list")(list_sources)
    group.command("enable")(enable)
    group.command("disable")(disable)
    cli.add_typer(group, name="sources")


def _default(ctx: typer.Context, json: common.Json = False) -> None:
    if ctx.invoked_subcommand:
        common.refuse_flags(ctx)
        return
    list_sources(json)


def list_sources(json: common.Json = False) -> None:
    """All sources: last outcome, since when it fails, when it is visited next."""
    with common.opened() as context, context.storage.write() as db:
        store.register(db, {s.name: s.enabled for s in SOURCES}, context.clock.now())
        states, asked = store.states(db), requests.latest(db)
    if json:
        common.emit({"sources": [shapes.source(s, asked.get(s.name)) for s in states]})
        return
    table = Table(box=None, pad_edge=False)
    for name in ("source", "enabled", "outcome", "last visit", "failing since", "next due", "error or warning"):
        # A slug is typed in the next command, a date means nothing in half.
        table.add_column(name, no_wrap=name != "error or warning", overflow="fold")
    for s in states:
        table.add_row(
            s.name, "yes" if s.enabled else "no", s.outcome or "not visited", _when(s.last_run), _when(s.failing_since),
            _due(s, asked.get(s.name)), (s.error or s.warning)[:80],
        )  # fmt: skip
    common.out.print(table)


def enable(names: Annotated[list[str], typer.Argument(help="Sources.")], json: common.Json = False) -> None:
    """Visit these sources again."""
    _switch(names, True, json)


def disable(names: Annotated[list[str], typer.Argument(help="Sources.")], json: common.Json = False) -> None:
    """Visit these sources no more; what they brought stays."""
    _switch(names, False, json)


def _switch(names: list[str], enabled: bool, json: bool) -> None:
    chosen = [source_named(n).name for n in names]
    with common.opened() as context, context.storage.write() as db:
        store.register(db, {n: source_named(n).enabled for n in chosen}, context.clock.now())
        for name in chosen:
            store.enable(db, name, enabled)
        states, asked = [s for s in store.states(db) if s.name in chosen], requests.latest(db)
    if json:
        common.emit({"sources": [shapes.source(s, asked.get(s.name)) for s in states]})
        return
    for state in states:
        common.out.print(
            f"{state.name} is {'on, next visit ' + _when(state.next_due) if state.enabled else 'off'}", markup=False
        )


def _due(state: store.SourceState, asked: requests.Request | None) -> str:
    return "asked for" if asked and asked.state != "done" else _when(state.next_due)


def _when(value: Any) -> str:
    return f"{value:%Y-%m-%d %H:%M}Z" if value else ""
