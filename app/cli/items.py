"""`skillfeed items`: the same filter as the API's, from the shell."""

from __future__ import annotations

import json as jsonlib
import sys
from typing import Annotated

import typer

from app import shapes
from app.cli import common
from catalog.errors import UsageError
from catalog.filters import Filter, Listing, parse_filter
from catalog.storage import items as store
from catalog.storage import sources
from catalog.taxonomy import Taxonomy

Topic = Annotated[list[str] | None, typer.Option(help="Topic; repeat for OR.")]
Area = Annotated[list[str] | None, typer.Option(help="Area; repeat for OR.")]
Kind = Annotated[list[str] | None, typer.Option(help="Kind of item; repeat for OR.")]
SourceName = Annotated[list[str] | None, typer.Option("--source", help="Source; repeat for OR.")]
Category = Annotated[list[str] | None, typer.Option(help="arXiv category; repeat for OR.")]
Since = Annotated[str, typer.Option(help="First announced date.")]
Until = Annotated[str, typer.Option(help="Last announced date.")]
Words = Annotated[str, typer.Option("--q", help='Search: words, "phrases", -minus, OR, title:, author:.')]

FORMATS = ("table", "jsonl")


def register(cli: typer.Typer) -> None:
    """Add the commands. `items` lists; `items show ID…` shows."""
    group = typer.Typer(help="Ask for items.", invoke_without_command=True, rich_markup_mode=None)
    group.callback(invoke_without_command=True)(list_items)
    group.command("show")(show)
    cli.add_typer(group, name="items")


def filter_of(
    taxonomy: Taxonomy,
    known: list[str],
    topic: list[str] | None,
    area: list[str] | None,
    kind: list[str] | None,
    source: list[str] | None,
    category: list[str] | None,
    since: str,
    until: str,
    q: str,
) -> Filter:
    """The filter of the flags."""
    given = {
        "topic": topic, "area": area, "kind": kind, "source": source, "category": category, "since": [since] if since else None,
        "until": [until] if until else None, "q": [q] if q else None,
    }  # fmt: skip
    return parse_filter({k: v for k, v in given.items() if v}, taxonomy, known)


def list_items(
    ctx: typer.Context,
    topic: Topic = None,
    area: Area = None,
    kind: Kind = None,
    source: SourceName = None,
    category: Category = None,
    since: Since = "",
    until: Until = "",
    q: Words = "",
    limit: Annotated[int, typer.Option(min=0, help="At most so many; 0 is all.")] = 0,
    format: Annotated[str, typer.Option(help="table or jsonl (whole items).")] = "table",
    json: common.Json = False,
) -> None:
    """Items of a filter, newest first; all of them unless --limit says otherwise."""
    if ctx.invoked_subcommand:
        return
    if format not in FORMATS:
        raise UsageError(f"--format must be one of {', '.join(FORMATS)}, not {format[:20]!r}")
    with common.opened() as context, context.storage.read() as db:
        known = [s.name for s in sources.states(db)] or ["arxiv"]
        chosen = filter_of(context.taxonomy, known, topic, area, kind, source, category, since, until, q)
        whole = format == "jsonl" and not json
        fields = ("summary", "entries", "identifiers", "news") if whole else ()
        found = store.stream(db, Listing(chosen, limit=limit or None, fields=fields))
        if json:
            common.emit({"items": [shapes.card(i) for i in found], "next": None})
            return
        for item in found:
            if whole:
                sys.stdout.write(jsonlib.dumps(shapes.whole(item), ensure_ascii=False) + "\n")
            else:
                topics = " ".join(t.topic for t in item.topics)
                sys.stdout.write(f"{item.id}  {item.announced}  {item.title[:100]:100}  {topics}\n")


def show(ids: Annotated[list[str], typer.Argument(help="Item ids.")], json: common.Json = False) -> None:
    """Whole items by id."""
    with common.opened() as context, context.storage.read() as db:
        shown = []
        for one in ids:
            item = store.by_id(db, one)
            if item is None:
                raise UsageError(f"no item {one[:40]!r}; ids are those of `skillfeed items`")
            shown.append(shapes.whole(item))
        if json:
            common.emit({"items": shown})
        else:
            for item_data in shown:
                sys.stdout.write(jsonlib.dumps(item_data, ensure_ascii=False, indent=2) + "\n")
