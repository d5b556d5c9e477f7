"""The command line: one file per group of commands. Part of the composition root: may import `ingest`.

Only the group that a command line names is loaded: `skillfeed tag` then starts without the database's libraries.
"""

from __future__ import annotations

import importlib
import os
import sys
from typing import Annotated, Any, NoReturn

import typer
from typer.core import TyperGroup

from catalog.errors import DatabaseUnavailable, NewerDatabase, SkillfeedError, UsageError
from catalog.version import VERSION

#: command -> module of this package, in the order of the help.
GROUPS = {
    "serve": "server", "worker": "server", "ingest": "ingest", "backfill": "ingest", "sources": "sources", "items": "items",
    "digest": "digest", "subscribers": "subscribers", "tag": "tagging", "train": "tagging", "retag": "retag",
    "quality": "quality", "db": "database", "config": "database", "doctor": "database", "healthcheck": "database",
}  # fmt: skip


class _Commands(TyperGroup):
    """All commands. A reader that goes away (`skillfeed items | head`) is no failure."""

    def invoke(self, ctx: Any) -> Any:
        """As Typer does it, which would end with 1 when stdout is closed early."""
        try:
            result = super().invoke(ctx)
            sys.stdout.flush()
        except BrokenPipeError:
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            raise typer.Exit(0) from None
        return result


def command_line(only: str = "") -> typer.Typer:
    """The commands: those of one module of this package, or all."""
    cli = typer.Typer(
        name="skillfeed",
        help="Research papers and trends by machine-learning skill: ingest, ask, digest, serve.",
        no_args_is_help=True,
        pretty_exceptions_enable=False,
        add_completion=False,
        rich_markup_mode=None,
        cls=_Commands,
    )
    cli.callback()(_root)
    for module in [only] if only else dict.fromkeys(GROUPS.values()):
        importlib.import_module(f"app.cli.{module}").register(cli)
    return cli


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"skillfeed {VERSION}")
        raise typer.Exit


def _root(
    version: Annotated[bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")] = False,
) -> None:
    pass


def exit_code(error: SkillfeedError) -> int:
    """2 usage, 3 database unavailable, 1 anything else."""
    if isinstance(error, UsageError):
        return 2
    return 3 if isinstance(error, (DatabaseUnavailable, NewerDatabase)) else 1


def main() -> None:
    """The entry point: errors end in one line on stderr and the exit code of the design (1 failed, 2 usage, 3 database)."""
    try:
        code = command_line(GROUPS.get(sys.argv[1], "") if len(sys.argv) > 1 else "")(standalone_mode=False)
    except SkillfeedError as error:
        _complain(error)
    except Exception as error:
        message = getattr(error, "format_message", None)  # Typer's own errors, whose classes are not public
        if message is None:
            raise
        if type(error).__name__ == "NoArgsIsHelpError":
            sys.stderr.write(f"{message()}\n")
            sys.exit(2)
        _complain(UsageError(" ".join(str(message()).split())))
    sys.exit(code if isinstance(code, int) else 0)


def _complain(error: SkillfeedError) -> NoReturn:
    if "--json" in sys.argv:
        common = importlib.import_module("app.cli.common")
        common.emit({"error": {"type": type(error).__name__, "message": str(error)}})
    sys.stderr.write(f"skillfeed: {error}\n")
    sys.exit(exit_code(error))
