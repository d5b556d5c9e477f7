"""`skillfeed db`, `config`, `doctor` and `healthcheck`."""

from __future__ import annotations

import urllib.error
import urllib.request
from collections.abc import Callable
from typing import Annotated, Any

import typer

from app import alerts, mail, relay, subscribing
from app.cli import common
from catalog.errors import SettingsError, SkillfeedError
from catalog.settings import Settings
from catalog.storage import Storage, items, outbox, retags, sources, upkeep
from catalog.tagging import Tagger


def register(cli: typer.Typer) -> None:
    """Add the commands."""
    group = typer.Typer(help="The database.", no_args_is_help=True, rich_markup_mode=None)
    group.command("upgrade")(db_upgrade)
    group.command("check")(db_check)
    cli.add_typer(group, name="db")
    cli.command("config")(config)
    checks = typer.Typer(help="Self-checks.", rich_markup_mode=None)
    checks.callback(invoke_without_command=True)(doctor)
    checks.command("mail")(doctor_mail)
    cli.add_typer(checks, name="doctor")
    cli.command("healthcheck")(healthcheck)


def db_upgrade(json: common.Json = False) -> None:
    """Create the database or migrate it to this version; safe to run twice and at once."""
    revision = common.upgrade(common.read())
    if json:
        common.emit({"revision": revision})
    else:
        common.out.print(f"database at revision {revision}")


def db_check(json: common.Json = False) -> None:
    """Say whether the database can be used as it is; changes nothing. Exit 3 when not."""
    storage = Storage(common.read().database, upgrade=False)
    try:
        problem = storage.check()
    finally:
        storage.close()
    if json:
        common.emit({"ok": problem is None, "problem": problem})
    else:
        common.out.print(problem or "the database is at this version's revision")
    if problem:
        raise typer.Exit(3)


def config(json: common.Json = False) -> None:
    """Effective settings; secrets are shown as set or empty."""
    values = common.read().redacted()
    if json:
        common.emit(values)
    else:
        for name, value in values.items():
            common.out.print(f"{name}={value}", markup=False, soft_wrap=True)


def doctor(ctx: typer.Context, json: common.Json = False) -> None:
    """Check settings, data folder, database, journal mode, contact, sources and tags. Exit 1 when something is wrong."""
    if ctx.invoked_subcommand:
        common.refuse_flags(ctx)
        return
    found: list[dict[str, Any]] = []

    def note(name: str, ok: bool | None, text: str) -> None:
        found.append({"check": name, "ok": ok, "note": text})

    settings = common.read()
    note("settings", True, "all settings are known and of their form")
    note(
        "contact",
        bool(settings.contact) or None,
        settings.contact or "SKILLFEED_CONTACT is empty: sources cannot reach you; set it",
    )
    _check_alerts(settings, note)
    try:
        with common.opened(settings) as context:
            note("database", True, f"{context.storage.dialect}, migrated")
            journal = context.storage.journal
            if journal:
                note(
                    "journal",
                    True if journal.mode == "wal" else None,
                    f"{journal.mode} with SQLite {journal.version}: {journal.reason}",
                )
            with context.storage.read() as db:
                for state in sources.states(db):
                    ok = None if not state.outcome else state.failures == 0
                    text = state.outcome or "not visited yet"
                    if state.failing_since:
                        text += f" since {state.failing_since:%Y-%m-%d %H:%M}Z: {state.error[:200]}"
                        text += f"; next visit {state.next_due:%Y-%m-%d %H:%M}Z"
                    if ok and state.warning:
                        ok, text = None, f"{text}, but since {state.warned_since:%Y-%m-%d %H:%M}Z it {state.warning}"
                    note(f"source {state.name}", ok, text)
                depth = outbox.depth(db)
                waits = f"{depth.waiting} waiting, the oldest since {depth.oldest:%Y-%m-%d %H:%M}Z" if depth.oldest else "empty"
                note("outbox", True, waits)
                if items.newest_day(db) is not None:
                    current = retags.version(db) == Tagger.load(context.taxonomy).version
                    stale = "model or taxonomy have changed: the worker tags all items anew, or `skillfeed retag` does"
                    note("tags", True if current else None, "by the model and taxonomy in use" if current else stale)
                for chore in upkeep.chores(db).values():
                    if chore.error:
                        note(f"chore {chore.name}", False, f"{chore.error}; tried again {chore.next_due:%Y-%m-%d %H:%M}Z")
    except SkillfeedError as error:
        note("database", False, str(error))
    if json:
        common.emit({"checks": found})
    else:
        for one in found:
            mark = {True: "[green]ok  [/]", None: "[yellow]note[/]", False: "[red]bad [/]"}[one["ok"]]
            common.out.print(mark, end=" ")
            common.out.print(f"{one['check']}: {one['note']}", markup=False, soft_wrap=True)
    if any(one["ok"] is False for one in found):
        raise typer.Exit(1)


def doctor_mail(to: Annotated[str, typer.Option(help="E-mail address that gets the mail.")], json: common.Json = False) -> None:
    """Hand one mail to the relay and say what it answered; without a relay write it as a file. Exit 1 when it was not taken."""
    settings = common.read()
    address = subscribing.check_address(to)
    at = relay.relay_from(settings.smtp_url.get_secret_value())
    sender, bare = mail.sender_from(settings)
    now = settings.make_clock().now()
    text = f"This is the test mail of the Skillfeed at {settings.base_url}.\n"
    message = mail.compose(sender, address, "Skillfeed: test mail", text, f"doctor {now.isoformat()}", now)
    problem = ""
    try:
        mail.send(message, bare, address, settings)
    except relay.MailError as error:
        problem = str(error)
    taken = f"the relay at {at.host}:{at.port} took it" if at else f"no relay is set: written under {settings.data_dir}/outbox"
    if json:
        common.emit({"ok": not problem, "problem": problem or None, "message_id": str(message["Message-ID"])})
    else:
        common.out.print(f"bad   mail: {problem}" if problem else f"ok    mail: {taken}", markup=False, soft_wrap=True)
    if problem:
        raise typer.Exit(1)


def _check_alerts(settings: Settings, note: Callable[[str, bool | None, str], None]) -> None:
    """Whether dead sources can be told of; no address is shown."""
    try:
        count = len(alerts.targets(settings.alert_to.get_secret_value()))
        relay.relay_from(settings.smtp_url.get_secret_value())
        mail.sender_from(settings)
    except SettingsError as error:
        note("alerts", False, str(error))
        return
    told = f"{count} told of sources that fail for three days" if count else "SKILLFEED_ALERT_TO is empty: nobody is told"
    note("alerts", True if count else None, told)


def healthcheck(
    url: Annotated[str, typer.Option(help="Address of the server to ask.")] = "http://127.0.0.1:8000", json: common.Json = False
) -> None:
    """Ask a running server whether it is ready; exit 0 when it is, 1 when not. For HEALTHCHECK of a container."""
    try:
        with urllib.request.urlopen(f"{url.rstrip('/')}/readyz", timeout=5) as answer:  # noqa: S310 - the operator's own address
            problem = "" if answer.status == 200 else f"{url} answered {answer.status}"
    except (urllib.error.URLError, OSError, ValueError) as error:
        problem = str(error)
    if json:
        common.emit({"ready": not problem, "problem": problem or None})
    elif problem:
        common.err.print(f"not ready: {problem}", markup=False)
    if problem:
        raise typer.Exit(1)
