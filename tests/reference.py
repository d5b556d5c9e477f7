"""The generated pages of the documentation: settings, command line, HTTP. `python -m tests.reference` writes them.

What a program can say of itself is not written by hand; `tests/test_docs.py` fails when a page is out of date.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import typer.main
from pydantic import SecretStr

from app import errors
from app.cli import command_line
from catalog.settings import PREFIX, Settings, environment_name

ROOT = Path(__file__).resolve().parents[1]
FOLDER = ROOT / "docs" / "reference"
COMMAND = "python -m tests.reference"

#: The pages of the site, by the path of their route.
PAGES = {
    "/": "The digest of a period: `period`, and any of `topic`, `area`, `kind`, `source`, `category`, `q`.",
    "/areas": "The ten skill areas with their topics.",
    "/areas/{slug}": "One area: its topics and its newest items.",
    "/topics/{slug}": "One topic: what counts, and its newest items.",
    "/items/{id}": "One item: abstract, topics with their evidence, entries, identifiers.",
    "/search": "Items by words and filter.",
    "/status": "The sources and their health, what was announced and what of it is held.",
    "/about": "What the instance is and how it decides.",
    "/subscribe": "A digest by mail: the form for any filter, and what it would have held. POST asks the address.",
    "/confirm": "What was asked for, by the token of the mail. POST confirms.",
    "/preferences": "A reader's choices, by the token of every mail. POST changes them.",
    "/unsubscribe": "The way out, by the token of every mail. POST leaves, also with one click (RFC 8058).",
    "/static/{name}": "Style sheet and icon; no script.",
    "/favicon.ico": "The icon, for clients that ask without looking at the page.",
    "/api/docs": "The API, described for people.",
    "/api/docs.css": "Its style sheet.",
    "/api/openapi.json": "The API, described for programs (OpenAPI 3.1).",
}

_MADE = f"<!-- Written by `{COMMAND}`; changes by hand are lost. -->"

_SETTINGS = f"""# Settings

{_MADE}

Settings are read from the environment and from a file `.env` in the working folder. Their prefix is `{PREFIX}`; the three
of Kaggle have Kaggle's own names. The environment wins over `.env`, and `.env` over the default. An empty value is none.

A setting marked *secret* may stand in a file instead: its name with `_FILE` at the end names the file, as in
`{PREFIX}SMTP_URL_FILE=/run/secrets/smtp`. An unknown name with the prefix, and a value against its rule, end every command
with exit code 2 and one line that says what is allowed. A setting marked *not used yet* is checked and shown, but nothing
reads it in this version.

`skillfeed config` shows what is in effect; secrets and passwords are masked."""

_COMMAND_LINE = f"""# Command line

{_MADE}

`skillfeed --version` prints the version; `--help` after any command says what stands here.

| Exit code | Meaning |
|---|---|
| 0 | Done; visits ended `ok` or `empty`. |
| 1 | A visit ended `failed`, `partial` or `stale`, or a check found something wrong. |
| 2 | A word, option or setting is not of the promised form; stderr names it and what is allowed. |
| 3 | The database is unavailable, or was written by a newer version. |

With `--json` there is one JSON object on stdout, also for an error: `{{"error": {{"type", "message"}}}}`. Progress and log
lines go to stderr. Commands that need the database create and migrate it."""

_HTTP = f"""# HTTP

{_MADE}

A running instance describes its API itself, with examples: `/api/docs` for people, `/api/openapi.json` for programs.
Everything is read by GET; instants are RFC 3339 in UTC, announced is a date. Lists are
`{{"items": […], "next": cursor or null}}`. A parameter that a route does not take is refused with 422.

POST, PATCH and DELETE of sources are for the operator: `Authorization: Bearer` with the admin token (`{PREFIX}ADMIN_TOKEN`,
else the one that the instance made and keeps in the file `admin_token` of its data folder). Those of subscriptions are for
readers, by the token of their link. There are no cookies."""


def settings_page() -> str:
    """Every setting with its default and help."""
    lines = [
        *_SETTINGS.splitlines(),
        "",
        "| Setting | Default | Meaning |",
        "|---|---|---|",
    ]
    used = used_settings()
    for name, field in Settings.model_fields.items():
        marks = [" *Secret.*"] if field.annotation is SecretStr else []
        marks += [] if name in used else [" *Not used yet.*"]
        help_text = _cell(field.description or "") + "".join(marks)
        lines.append(f"| `{environment_name(name)}` | {_default(field.default)} | {help_text} |")
    return "\n".join(lines) + "\n"


def used_settings() -> set[str]:
    """Settings that some module reads."""
    by_property = {"database": "database_url", "categories": "arxiv_categories", "make_clock": "clock"}
    files = [path for package in ("app", "catalog", "ingest", "migrations") for path in (ROOT / package).rglob("*.py")]
    text = "\n".join(path.read_text(encoding="utf-8") for path in files)
    read = set(re.findall(r"settings(?:\(\))?\.(\w+)", text)) | set(re.findall(r'kept_secret\("(\w+)"\)', text))
    return {by_property.get(name, name) for name in read} & set(Settings.model_fields)


def _default(value: Any) -> str:
    shown = str(value.get_secret_value() if isinstance(value, SecretStr) else value)
    return f"`{_cell(shown)}`" if shown else "none"


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")


# ------------------------------------------------------------------ the command line
def commands() -> Iterator[tuple[str, Any]]:
    """Every command that does something by itself, as it is typed, and what the command line knows of it."""
    root = typer.main.get_command(command_line())
    yield from _walk("skillfeed", root)


def _walk(path: str, command: Any) -> Iterator[tuple[str, Any]]:
    inner: dict[str, Any] = getattr(command, "commands", {})
    if not inner or command.invoke_without_command:
        yield path, command
    for name, one in inner.items():
        yield from _walk(f"{path} {name}", one)


def cli_page() -> str:
    """Every command with its arguments and options."""
    lines = [*_COMMAND_LINE.splitlines(), ""]
    for path, command in commands():
        lines += [f"## {path}", "", _cell(command.help or ""), ""]
        rows = [row for parameter in command.params if (row := _parameter(parameter))]
        if rows:
            lines += ["| | Default | Meaning |", "|---|---|---|", *rows, ""]
    return "\n".join(lines).rstrip("\n") + "\n"


def _parameter(parameter: Any) -> str:
    if parameter.name in ("help", "version"):
        return ""
    argument = parameter.param_type_name == "argument"
    name = parameter.name.upper() if argument else ", ".join(parameter.opts)
    if not argument and not parameter.is_flag:
        name += f" {parameter.name.upper()}"
    if parameter.multiple or parameter.nargs == -1:
        name += " …"
    default = "" if parameter.default in (None, "", False) else f"`{parameter.default}`"
    return f"| `{name}` | {'needed' if parameter.required else default} | {_cell(parameter.help or '')} |"


# ------------------------------------------------------------------ HTTP
def http_page() -> str:
    """Every route of the API, the pages, and the problems."""
    document = json.loads((ROOT / "tests" / "app" / "openapi.json").read_text(encoding="utf-8"))
    lines = [*_HTTP.splitlines(), ""]
    for path, methods in document["paths"].items():
        for method, told in methods.items():
            lines += [f"## {method.upper()} {path}", "", f"{told['summary']}. {_cell(told.get('description', ''))}", ""]
            rows = [
                f"| `{p['name']}` | {_cell(p.get('description') or p['schema'].get('description', ''))} |"
                for p in told.get("parameters", ())
            ]
            if rows:
                lines += ["| Parameter | Meaning |", "|---|---|", *rows, ""]
    lines += [
        "## Problems",
        "",
        "Errors are `application/problem+json` (RFC 9457); `type` ends in the word of the first column.",
        "",
    ]
    lines += ["| Type | Status | Meaning |", "|---|---|---|"]
    lines += [f"| `{p.slug}` | {p.status} | {p.title}. {_cell(p.meaning)} |" for p in errors.PROBLEMS]
    lines += ["", "## Pages", "", "| Path | Shows |", "|---|---|"]
    lines += [f"| `{path}` | {text} |" for path, text in PAGES.items()]
    return "\n".join(lines) + "\n"


GENERATED: dict[Path, Callable[[], str]] = {
    FOLDER / "settings.md": settings_page,
    FOLDER / "cli.md": cli_page,
    FOLDER / "http.md": http_page,
}


def main() -> None:
    """Write the pages."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    for path, make in GENERATED.items():
        path.write_text(make(), encoding="utf-8")


if __name__ == "__main__":
    main()
