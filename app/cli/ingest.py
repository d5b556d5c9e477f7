"""`skillfeed ingest` and `skillfeed backfill`."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from datetime import timedelta
from typing import Annotated

import typer

from app import logging as app_logging
from app.cli import common
from app.context import Context
from app.progress import Bar, Lines, outcome_table
from catalog.categories import canonical
from catalog.errors import UsageError
from catalog.filters import parse_date
from catalog.outcomes import Run
from catalog.storage import sources as states
from catalog.tagging import Tagger
from ingest.run import Progress, Tools, backfill, silent, visit_source
from ingest.source import Source, Visit, Window
from ingest.sources import SOURCES, source_named
from ingest.sources.arxiv import FIRST_DAYS, Arxiv, sets_for

Quiet = Annotated[bool, typer.Option("--quiet", help="No progress.")]


def register(cli: typer.Typer) -> None:
    """Add the commands."""
    cli.command("ingest")(ingest)
    group = typer.Typer(help="Fetch history; resumable.", no_args_is_help=True, rich_markup_mode=None)
    group.command("arxiv")(backfill_arxiv)
    cli.add_typer(group, name="backfill")


def ingest(
    sources: Annotated[list[str] | None, typer.Argument(help="Sources to visit; none means all that are enabled.")] = None,
    since: Annotated[
        str, typer.Option(help="First announced date, e.g. 2026-01-05; with --until alone 14 days before it.")
    ] = "",
    until: Annotated[str, typer.Option(help="Last announced date; default today.")] = "",
    json: common.Json = False,
    quiet: Quiet = False,
) -> None:
    """Visit sources now. Exit 1 when a run ended failed, partial or stale."""
    named = [source_named(n) for n in dict.fromkeys(sources or ())]
    window = _window(since, until)
    with common.opened() as context:
        _not_ahead(context, window)
        chosen = named or _enabled(context)
        runs = []
        for source in chosen:
            progress = _progress(source, context, quiet, json)
            with progress if isinstance(progress, AbstractContextManager) else nullcontext():
                runs.append(visit_source(_tools(context, progress), source, window))
        _report(runs, json)


def backfill_arxiv(
    since: Annotated[str, typer.Option(help="First announced date, e.g. 2026-01-05.")],
    until: Annotated[str, typer.Option(help="Last announced date; default today.")] = "",
    set_name: Annotated[str, typer.Option("--set", help="An OAI-PMH set, e.g. cs:cs:LG; default: ARXIV_CATEGORIES.")] = "",
    json: common.Json = False,
    quiet: Quiet = False,
) -> None:
    """Fetch what arXiv announced in a range of dates, by OAI-PMH; killed and started again it goes on where it was."""
    window = _window(since, until)
    if window is None:
        raise UsageError("--since is needed, e.g. --since 2026-01-05")
    arxiv = Arxiv()
    with common.opened() as context:
        _not_ahead(context, window)
        categories = context.settings.categories
        chosen = None if set_name else frozenset(canonical(c) for c in categories)

        def act(visit: Visit) -> None:
            for name in [set_name] if set_name else sets_for(categories):
                arxiv.harvest_window(visit, name, chosen, window)

        progress = _progress(arxiv, context, quiet, json)
        with progress if isinstance(progress, AbstractContextManager) else nullcontext():
            run = backfill(_tools(context, progress), arxiv, act, window)
        _report([run], json)


def _enabled(context: Context) -> list[Source]:
    """The sources that are visited without being named."""
    with context.storage.write() as db:
        states.register(db, {s.name: s.enabled for s in SOURCES}, context.clock.now())
        on = {s.name for s in states.states(db) if s.enabled}
    return [s for s in SOURCES if s.name in on]


def _tools(context: Context, progress: Progress) -> Tools:
    if context.settings.log_level == "info":
        app_logging.set_up("warning")  # bar and table tell the rest
    tagger = Tagger.load(context.taxonomy)
    return Tools(context.settings, context.storage, context.taxonomy, tagger, context.clock, progress=progress)


def _progress(source: Source, context: Context, quiet: bool, json: bool) -> Progress:
    if quiet:
        return silent
    if json:
        return Lines()
    return Bar(common.err, source.steps(context.settings)) if common.err.is_terminal else Lines()


def _report(runs: list[Run], json: bool) -> None:
    if json:
        common.emit({"runs": [r.as_dict() for r in runs]})
    else:
        common.out.print(outcome_table(runs))
        for run in runs:
            for part in run.parts:
                if part.error:
                    common.out.print(f"{run.source} {part.name}: {part.error}", style="yellow", markup=False)
            if run.error and not any(p.error for p in run.parts):
                common.out.print(f"{run.source}: {run.error}", style="red", markup=False)
            common.out.print(f"{run.requests:,} requests in {run.seconds:.1f} s")
    if any(r.outcome and not r.outcome.good for r in runs):
        raise typer.Exit(1)


def _not_ahead(context: Context, window: Window | None) -> None:
    today = context.clock.now().date()
    if window is not None and window.since > today:
        raise UsageError(f"--since {window.since} is after today, {today}: nothing is announced yet")


def _window(since: str, until: str) -> Window | None:
    first, last = parse_date("--since", since), parse_date("--until", until)
    if first is None:
        return Window(last - timedelta(days=FIRST_DAYS), last) if last else None
    if last is not None and last < first:
        raise UsageError(f"--since {first} is after --until {last}")
    return Window(first, last)
