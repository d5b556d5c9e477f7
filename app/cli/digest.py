"""`skillfeed digest preview`."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from app import digests, render
from app.cli import common
from app.cli.items import (
    Area,
    AuthorName,
    Category,
    FormName,
    Kind,
    LevelName,
    MinScore,
    Since,
    SourceName,
    Topic,
    Until,
    VenueName,
    Words,
    known_sources,
    parameters,
)
from catalog.errors import UsageError
from catalog.filters import parse_filter
from catalog.periods import default_period, parse_period

FORMATS = ("text", "html", "md", "json")


def register(cli: typer.Typer) -> None:
    """Add the commands."""
    group = typer.Typer(help="Digests of a period.", no_args_is_help=True, rich_markup_mode=None)
    group.command("preview")(preview)
    group.callback()(_group)
    cli.add_typer(group, name="digest")


def _group() -> None:
    pass


def preview(
    period: Annotated[
        str,
        typer.Option(
            help="2026-W05, 2026-01-28 or 2026-01; default: the last complete week until Wednesday, then the running one."
        ),
    ] = "",
    topic: Topic = None,
    area: Area = None,
    kind: Kind = None,
    source: SourceName = None,
    venue: VenueName = None,
    author: AuthorName = None,
    category: Category = None,
    level: LevelName = None,
    form: FormName = None,
    since: Since = "",
    until: Until = "",
    q: Words = "",
    min_score: MinScore = "",
    format: Annotated[str, typer.Option(help="text, html, md or json.")] = "text",
    json: common.Json = False,
) -> None:
    """Compose a digest without side effect: the same database, filter and period give the same bytes."""
    if format not in FORMATS:
        raise UsageError(f"--format must be one of {', '.join(FORMATS)}, not {format[:20]!r}")
    asked = parse_period(period) if period else None
    with common.opened() as context:
        today = context.clock.now().date()
        with context.storage.read() as db:
            given = parameters(topic, area, kind, source, venue, author, category, level, form, q, min_score)
            given |= {"since": [since], "until": [until]}
            chosen = parse_filter(given, context.taxonomy, known_sources(db))
        digest = digests.preview(context.storage, context.taxonomy, chosen, asked or default_period(today), today)
        text = render.render(digest, "json" if json else format, context.settings.base_url)
    sys.stdout.write(text if text.endswith("\n") else text + "\n")
