"""The command line: one file per group of commands. Part of the composition root: may import `ingest`."""

from __future__ import annotations

import os
import sys

import typer

from app.cli import common, database, digest, ingest, items, server, sources, tagging
from catalog.errors import SkillfeedError
from catalog.version import VERSION

cli = typer.Typer(
    name="skillfeed",
    help="Research papers and trends by machine-learning skill: ingest, ask, digest, serve.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
    rich_markup_mode=None,
)
for group in (server, ingest, items, digest, sources, tagging, database):
    group.register(cli)


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"skillfeed {VERSION}")
        raise typer.Exit


@cli.callback()
def _root(
    version: bool = typer.Option(False, "--version", callback=_version, is_eager=True, help="Print the version."),
) -> None:
    pass


def main() -> None:
    """The entry point: errors end in one line on stderr and the exit code of the design (1 failed, 2 usage, 3 database)."""
    try:
        cli()
    except SkillfeedError as error:
        if "--json" in sys.argv:
            common.emit({"error": {"type": type(error).__name__, "message": str(error)}})
        sys.stderr.write(f"skillfeed: {error}\n")
        sys.exit(common.exit_code(error))
    except BrokenPipeError:  # `skillfeed items | head`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(0)
