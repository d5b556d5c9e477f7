"""What all commands share: settings and storage, output as text or one JSON object, errors as one line and an exit code."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated, Any

import typer
from rich.console import Console

from app import logging as app_logging
from app.context import Context
from catalog.errors import UsageError
from catalog.settings import Settings, ensure_folder, read_settings
from catalog.storage import Storage, migrate
from catalog.taxonomy import load_taxonomy

Json = Annotated[bool, typer.Option("--json", help="One JSON object on stdout, progress on stderr.")]

err = Console(stderr=True, highlight=False)
#: What is piped is not cut to a screen that is not there.
out = Console(highlight=False, width=None if sys.stdout.isatty() else 200)


def read() -> Settings:
    """The settings, with logging set up by them."""
    settings = read_settings()
    app_logging.set_up(settings.log_level)
    return settings


@contextmanager
def opened(settings: Settings | None = None) -> Iterator[Context]:
    """Settings, taxonomy, clock and the database, created and migrated when needed."""
    settings = settings or read()
    if not settings.database_url.get_secret_value():
        ensure_folder(settings.data_dir)
    clock, taxonomy = settings.make_clock(), load_taxonomy()
    storage = Storage(settings.database)
    try:
        yield Context(settings=settings, storage=storage, taxonomy=taxonomy, clock=clock)
    finally:
        storage.close()


def upgrade(settings: Settings) -> str:
    """Create or migrate the database; returns its revision."""
    if not settings.database_url.get_secret_value():
        ensure_folder(settings.data_dir)
    migrate.upgrade(settings.database)
    return migrate.head()


def refuse_flags(ctx: typer.Context) -> None:
    """Raise UsageError for a flag between a group and its command, where nothing would read it."""
    for parameter in ctx.command.params:
        source = ctx.get_parameter_source(parameter.name or "")
        if source is not None and source.name == "COMMANDLINE":
            shown = f"{ctx.command_path} {ctx.invoked_subcommand}"
            raise UsageError(f"{parameter.opts[0]} belongs behind the command, as in `{shown} …`")


def emit(data: Any) -> None:
    """One JSON object on stdout."""
    sys.stdout.write(json.dumps(data, ensure_ascii=False, default=str) + "\n")
