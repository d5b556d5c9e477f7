"""The acts of a reader: ask for a digest, confirm, change, leave; what API, pages and command line have in common.

Nothing here tells whether an address is known. The answer to a request is the same for known, unknown and suppressed ones, and
so is what is done for it, but for the mail, which the worker sends later. A question goes to an address once in ten minutes
and three times a day; a network may ask five times an hour, all together a hundred times.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from app import mail
from app.context import Context
from catalog.errors import SkillfeedError, UsageError
from catalog.filters import Filter
from catalog.keys import Keys, new_salt, token_hash
from catalog.storage import Storage, items, outbox, sources
from catalog.storage import subscriptions as store
from catalog.storage.subscriptions import Subscription
from catalog.subscriptions import Choices, latest_due, next_due, parse_choices, standing_filter

#: Which text was agreed to; a new text gets a new name.
CONSENT = "2026-11"
CONSENT_TEXT = (
    "We keep your address, your choices and the time of your consent, to send you this digest and nothing else. No tracking. "
    "Every mail has a link that changes or ends it at once, and then all of it is removed."
)
PLAIN = Choices()
VALID = timedelta(hours=48)  # of a question
PAUSE = timedelta(minutes=10)  # between two questions to one address
PER_DAY, PER_CLIENT, PER_HOUR = 3, 5, 100


class NotOpen(SkillfeedError):
    """This instance takes no new readers."""


class TooMany(SkillfeedError):
    """Asked too often; `retry_after` is in seconds."""

    def __init__(self, retry_after: int) -> None:
        self.retry_after = retry_after
        super().__init__("too many requests to subscribe came from your network; try again in an hour")


class NoSuchLink(SkillfeedError):
    """A token that leads nowhere: never made, used up, too old, or of a reader who has left."""


@dataclass(frozen=True, slots=True)
class Reader:
    """A reader with the token that their links carry."""

    subscription: Subscription
    token: str


def keys_of(context: Context) -> Keys:
    """The instance's keys; raises SettingsError where none can be kept."""
    return Keys(context.settings.kept_secret("secret_key"))


# ------------------------------------------------------------------ asking
def check_address(text: str) -> str:
    """The address as mail is sent to: domain in ASCII and lower case; raises UsageError, which repeats nothing of it."""
    local, at, domain = text.strip().rpartition("@")
    try:
        domain = domain.encode("idna").decode("ascii").lower() if domain else ""
    except UnicodeError:
        domain = ""
    address = f"{local}{at}{domain}"
    if not mail.is_address(address) or "." not in domain.strip("."):
        raise UsageError("address must be an e-mail address such as ada@example.org, without a name")
    return address


def check_open(context: Context, address: str) -> None:
    """Raises NotOpen or UsageError unless SIGNUP lets this address in."""
    kind, _, domains = context.settings.signup.partition(":")
    if kind == "closed":
        raise NotOpen("this instance takes no new readers; its operator adds them")
    allowed = domains.lower().split(",")
    if kind == "domains" and address.rpartition("@")[2] not in allowed:
        raise UsageError(f"this instance takes addresses at {', '.join(allowed)} only")


def choices_from(context: Context, given: Mapping[str, Any], base: Choices = PLAIN) -> Choices:
    """The choices of a JSON object; raises UsageError."""
    filter = given.get("filter")
    return parse_choices(
        given, context.taxonomy, _sources(context.storage, isinstance(filter, Mapping) and "source" in filter), base
    )


def subscribe(context: Context, address: str, choices: Choices, client: str) -> None:
    """Ask the address whether it wants this. `client` is the network address of whoever asks for it.

    Raises UsageError, NotOpen and TooMany, none of which depends on whether the address is known.
    """
    address = check_address(address)
    check_open(context, address)
    keys, now = keys_of(context), context.clock.now()
    hash, by, salt, own = keys.address_hash(address), keys.client_hash(client), new_salt(), new_salt()
    question = token_hash(keys.token("confirm", salt))

    def act(db: Any) -> bool:
        of_late = store.recent(db, hash, by, now)
        if of_late.client >= PER_CLIENT or of_late.everyone >= PER_HOUR:
            return False
        wanted = store.suppressed(db, hash) in (None, "left")
        wanted = wanted and of_late.day < PER_DAY and (of_late.last is None or now - of_late.last >= PAUSE)
        store.note(db, hash, by, now, sent=wanted)
        if wanted:
            reader = store.by_hash(db, hash) or store.add(
                db, hash, address, own, token_hash(keys.token("manage", own)), choices, now
            )
            store.ask(db, question, reader.id, salt, choices, now + VALID)
            outbox.put(db, [row(reader, "confirm", question, now, context)], now)
        return True

    if not context.storage.writing(act, private=True):
        raise TooMany(3600)


def row(
    reader: Subscription, kind: outbox.Kind, reference: str, next_at: datetime, context: Context, letter: int | None = None,
    state: str = "queued", reason: str = "",
) -> dict[str, Any]:  # fmt: skip
    """A mail for the outbox. Its Message-ID says nothing to others and is the same however often it is made."""
    name = hashlib.blake2b(f"{reader.salt}\n{kind}\n{reference}".encode(), digest_size=16).hexdigest()
    domain = mail.sender_from(context.settings)[1].rpartition("@")[2]
    return {
        "subscription_id": reader.id, "kind": kind, "reference": reference, "letter_id": letter, "next_at": next_at,
        "message_id": f"<{name}@{domain}>", "state": state, "reason": reason,
    }  # fmt: skip


# ------------------------------------------------------------------ confirming
def asked(context: Context, token: str) -> Choices:
    """What a question is about; changes nothing. Raises NoSuchLink."""
    with context.storage.read() as db:
        found = store.question(db, token_hash(token), context.clock.now())
    if found is None:
        raise NoSuchLink("this link was used already, or it is older than 48 hours; ask for the digest again")
    return found[1]


def confirm(context: Context, token: str) -> Reader:
    """The yes: puts what was asked in force, once. Raises NoSuchLink."""
    now, keys = context.clock.now(), keys_of(context)

    def act(db: Any) -> Reader | None:
        found = store.answer(db, token_hash(token), now)
        if found is None:
            return None
        id, choices = found
        store.confirm(db, id, now, CONSENT)
        store.change(db, id, now, choices=choices, paused=False, next_due=next_due(choices, now).at)
        reader = _by_id(db, id)
        store.unsuppress(db, reader.hash)
        return Reader(reader, keys.token("manage", reader.salt))

    done = context.storage.writing(act)
    if done is None:
        raise NoSuchLink("this link was used already, or it is older than 48 hours; ask for the digest again")
    return done


def add(context: Context, address: str, choices: Choices) -> Reader:
    """What the operator does for a reader: no question, nothing is against the address any more."""
    address, keys, now, own = check_address(address), keys_of(context), context.clock.now(), new_salt()
    hash = keys.address_hash(address)

    def act(db: Any) -> Reader:
        reader = store.by_hash(db, hash) or store.add(
            db, hash, address, own, token_hash(keys.token("manage", own)), choices, now
        )
        store.unsuppress(db, hash)
        store.confirm(db, reader.id, now, "operator")
        store.change(db, reader.id, now, choices=choices, paused=False, next_due=next_due(choices, now).at)
        return Reader(_by_id(db, reader.id), keys.token("manage", reader.salt))

    return context.storage.writing(act, private=True)


# ------------------------------------------------------------------ the reader's own link
def reader(context: Context, token: str) -> Subscription:
    """The subscription behind a reader's own link, with its address. Raises NoSuchLink."""
    with context.storage.read() as db:
        found = store.by_token(db, token_hash(token), address=True)
    if found is None:
        raise NoSuchLink("this link leads to no subscription; it may have been ended")
    return found


def change(context: Context, token: str, given: Mapping[str, Any]) -> Subscription:
    """Change what is given, `paused` too; raises NoSuchLink and UsageError."""
    before, now = reader(context, token), context.clock.now()
    paused = given.get("paused", before.paused)
    if not isinstance(paused, bool):
        raise UsageError("paused must be true or false")
    choices = choices_from(context, {n: v for n, v in given.items() if n != "paused"}, before.choices)
    if before.confirmed is None:
        raise UsageError("confirm the subscription first, by the link in the mail")

    def act(db: Any) -> Subscription:
        store.change(db, before.id, now, choices=choices, paused=paused, next_due=_due(db, before, choices, paused, now))
        return _by_id(db, before.id)

    return replace(context.storage.writing(act), address=before.address)


def _due(db: Any, before: Subscription, choices: Choices, paused: bool, now: datetime) -> datetime | None:
    """When the next digest comes after a change: what the old choices had still to send is not lost by the new ones."""
    if paused:
        return None
    last = latest_due(choices, now)
    to_come = before.next_due is not None and before.next_due > last.at and before.confirmed is not None
    if to_come and before.confirmed < last.at and not outbox.told_of(db, before.id, [last.period.name]):  # type: ignore[operator]
        return last.at
    return next_due(choices, now).at


def leave(context: Context, token: str) -> bool:
    """End a subscription and remove everything about it but the keyed hash; False when there was none."""
    with context.storage.read() as db:
        found = store.by_token(db, token_hash(token))
    return found is not None and forget(context, [found], "left") > 0


def forget(context: Context, readers: Sequence[Subscription], reason: store.Reason | None) -> int:
    """Remove readers from database and outbox without a trace; `reason` says why no mail goes there, None that mail may."""
    now = context.clock.now()

    def act(db: Any) -> list[str]:
        for one in readers:
            if reason:
                store.suppress(db, one.hash, reason, now)
        return store.forget(db, [one.id for one in readers])

    told = context.storage.writing(act, private=True)
    context.storage.scrub()
    mail.unkeep(context.settings, told)
    return len(readers)


def erase(context: Context, address: str) -> bool:
    """Remove all about an address and never write to it again; False when nothing was known of it."""
    address = check_address(address)
    hash, now = keys_of(context).address_hash(address), context.clock.now()
    with context.storage.read() as db:
        found = store.by_hash(db, hash)
    if found is not None:
        forget(context, [found], "erased")
    else:
        with context.storage.write() as db:
            store.suppress(db, hash, "erased", now)
    mail.unkeep_to(context.settings, address)
    return found is not None


def own_data(context: Context, token: str) -> dict[str, Any]:
    """Everything that is kept about a reader, as plain data; raises NoSuchLink."""
    found = reader(context, token)
    with context.storage.read() as db:
        deliveries = outbox.of_reader(db, found.id)
    return {
        "address": found.address, "state": found.state, **found.choices.as_dict(), "made": found.made,
        "confirmed": found.confirmed, "consent": found.consent or None, "next_due": found.next_due,
        "mails": [
            {
                "kind": d.kind, "period": d.reference if d.kind == "digest" else None, "state": d.state, "made": d.made,
                "settled": d.settled, "reason": d.reason or None,
            }
            for d in deliveries
        ],
    }  # fmt: skip


def filter_of(context: Context, choices: Choices) -> Filter:
    """The filter of kept choices, without what does not exist any more."""
    names = _sources(context.storage, any(name == "source" for name, _ in choices.filter))
    return standing_filter(choices.filter, context.taxonomy, names)


def _by_id(db: Any, id: int) -> Subscription:
    found = store.by_id(db, id)
    assert found is not None
    return found


def _sources(storage: Storage, needed: bool) -> set[str]:
    """Names that `source` may have; the database is asked only when one is named."""
    if not needed:
        return set()
    with storage.read() as db:
        return {state.name for state in sources.states(db)} | items.counts(db, "source").keys()
