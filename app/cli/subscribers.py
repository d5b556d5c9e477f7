"""`skillfeed subscribers`: the readers of this instance."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any

import typer
from rich.table import Table

from app import subscribing
from app.cli import common
from app.cli.items import Area, Kind, Topic, Words
from app.context import Context
from app.shapes import instant
from catalog.errors import UsageError
from catalog.storage import outbox
from catalog.storage import subscriptions as store
from catalog.storage.subscriptions import Subscription
from catalog.subscriptions import in_words

Addresses = Annotated[list[str], typer.Argument(help="E-mail addresses.")]


def register(cli: typer.Typer) -> None:
    """Add the commands."""
    group = typer.Typer(help="Readers by mail.", no_args_is_help=True, rich_markup_mode=None)
    group.command("list")(list_subscribers)
    group.command("add")(add)
    group.command("remove")(remove)
    group.command("export")(export)
    group.command("erase")(erase)
    cli.add_typer(group, name="subscribers")


def list_subscribers(json: common.Json = False) -> None:
    """All readers: address, state, when the next digest is due."""
    with common.opened() as context, context.storage.read() as db:
        found = store.everyone(db)
    if json:
        common.emit({"subscribers": [_told(one) for one in found]})
        return
    table = Table(box=None, pad_edge=False)
    for name in ("address", "state", "next due", "when", "filter"):
        table.add_column(name, no_wrap=name != "filter", overflow="fold")
    for one in found:
        words = "; ".join(f"{n} {v}" for n, v in one.choices.filter)
        due = f"{one.next_due:%Y-%m-%d %H:%M}Z" if one.next_due else ""
        table.add_row(one.address, one.state, due, in_words(one.choices), words)
    common.out.print(table)


def add(
    addresses: Addresses,
    topic: Topic = None,
    area: Area = None,
    kind: Kind = None,
    q: Words = "",
    cadence: Annotated[str, typer.Option(help="daily, weekly or monthly.")] = "weekly",
    weekday: Annotated[int, typer.Option(help="1 is Monday.")] = 1,
    hour: Annotated[int, typer.Option(help="0 to 23, local time of the zone.")] = 7,
    zone: Annotated[str, typer.Option(help="IANA time zone; default: the instance's.")] = "",
    format: Annotated[str, typer.Option(help="html or text.")] = "html",
    json: common.Json = False,
) -> None:
    """Subscribe addresses whose owners have told you that they want it: no question is sent. Lifts what was against them."""
    with common.opened() as context:
        given: dict[str, Any] = {"cadence": cadence, "weekday": weekday, "hour": hour, "format": format}
        given["zone"] = zone or context.settings.timezone
        given["filter"] = {"topic": topic or [], "area": area or [], "kind": kind or [], "q": q}
        choices = subscribing.choices_from(context, given)
        added = [subscribing.add(context, subscribing.check_address(one), choices).subscription for one in addresses]
    if json:
        common.emit({"subscribers": [_told(one) for one in added]})
    else:
        common.out.print(f"{len(added)} subscribed, {in_words(choices)}", markup=False)


def remove(addresses: Addresses, json: common.Json = False) -> None:
    """End subscriptions and remove everything about them; who was removed may subscribe again."""
    with common.opened() as context:
        found = [_known(context, one) for one in addresses]
        subscribing.forget(context, found, None)
    if json:
        common.emit({"removed": len(found)})
    else:
        common.out.print(f"{len(found)} removed")


def export(address: Annotated[str, typer.Argument(help="E-mail address.")], json: common.Json = False) -> None:
    """Everything that is kept about an address, as JSON."""
    with common.opened() as context:
        found = _known(context, address)
        with context.storage.read() as db:
            deliveries = outbox.of_reader(db, found.id)
    mails = [
        {"kind": d.kind, "reference": d.reference, "state": d.state, "made": instant(d.made), "settled": instant(d.settled)}
        for d in deliveries
    ]
    told = _told(found) | {"consent": found.consent, "confirmed": instant(found.confirmed), "mails": mails}
    if json:
        common.emit(told)
    else:
        common.out.print_json(data=told)


def erase(addresses: Addresses, json: common.Json = False) -> None:
    """Remove everything about addresses and never write to them again: only a keyed hash of each stays."""
    with common.opened() as context:
        known = erase_all(context, addresses)
    if json:
        common.emit({"erased": known, "suppressed": len(addresses)})
    else:
        common.out.print(f"{known} erased, {len(addresses)} suppressed")


def erase_all(context: Context, addresses: Sequence[str]) -> int:
    """Erase them; how many were known."""
    checked = [subscribing.check_address(one) for one in addresses]
    return sum(subscribing.erase(context, one) for one in checked)


def _known(context: Context, address: str) -> Subscription:
    hash = subscribing.keys_of(context).address_hash(subscribing.check_address(address))
    with context.storage.read() as db:
        found = store.by_hash(db, hash, address=True)
    if found is None:
        raise UsageError("no subscription has this address; `skillfeed subscribers list` shows all")
    return found


def _told(one: Subscription) -> dict[str, Any]:
    return {
        "address": one.address, "state": one.state, **one.choices.as_dict(), "made": instant(one.made),
        "next_due": instant(one.next_due),
    }  # fmt: skip
