"""An instance with readers: a clock that is set by hand, an application, and the mails that it wrote as files."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from starlette.testclient import TestClient

from app import deliver
from app.context import Context
from app.deliver import Report
from app.main import create_app
from catalog.settings import Settings
from catalog.storage import Storage, leases
from catalog.storage.leases import Lease
from catalog.taxonomy import load_taxonomy

NOW = datetime(2026, 1, 30, 12, 0, tzinfo=UTC)
BASE = "https://feed.example.org"
ADA = "ada@example.org"


@dataclass
class HandClock:
    """Stands still until it is set."""

    at: datetime = NOW

    def now(self) -> datetime:
        """What it was set to."""
        return self.at


@dataclass
class Instance:
    """All of it."""

    storage: Storage
    folder: Path
    given: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.clock = HandClock()
        settings = Settings.model_validate({"data_dir": self.folder, "base_url": BASE, "secret_key": "k" * 40, **self.given})
        self.context = Context(settings, self.storage, load_taxonomy(), self.clock)
        self.client = TestClient(create_app(self.context), base_url=BASE)

    def later(self, **how: float) -> None:
        """Some time passes."""
        self.clock.at += timedelta(**how)

    def deliver(self, **how: Any) -> Report:
        """What the worker does at each tick."""
        with holding(self.storage) as lease:
            return deliver.deliver(self.context, lease, **how)

    def mails(self) -> list[EmailMessage]:
        """What lies in the folder, confirmations and digests, oldest first."""
        files = sorted((self.folder / "outbox").glob("*.eml"), key=lambda path: path.stat().st_mtime_ns)
        return [parsed(path.read_bytes()) for path in files]

    def ask(self, address: str = ADA, **choices: Any) -> Any:
        """A request to subscribe over the API."""
        return self.client.post("/api/v1/subscriptions", json={"address": address, **choices})

    def subscribed(self, address: str = ADA, **choices: Any) -> str:
        """Through the whole way in; the token of the reader's own link."""
        seen = {str(m["Message-ID"]) for m in self.mails()}
        assert self.ask(address, **choices).status_code == 202
        self.deliver()
        (question,) = [m for m in self.mails() if str(m["Message-ID"]) not in seen]
        answer = self.client.post("/api/v1/subscriptions/confirm", params={"token": token_in(question, "confirm")})
        assert answer.status_code == 200, answer.text
        return str(answer.json()["token"])


@contextmanager
def holding(storage: Storage) -> Iterator[Lease]:
    """The lease under which mail is sent."""
    with storage.write() as db:
        lease = leases.claim(db, deliver.LEASE, leases.new_owner(), 60)
    assert isinstance(lease, Lease)
    yield lease
    with storage.write() as db:
        leases.release(db, lease)


def parsed(data: bytes) -> EmailMessage:
    """As the standard library reads it."""
    message = message_from_bytes(data, policy=default)
    assert isinstance(message, EmailMessage)
    assert not message.defects
    return message


def body(message: EmailMessage, kind: str = "plain") -> str:
    """The text or HTML of a mail."""
    part = message.get_body((kind,))
    assert isinstance(part, EmailMessage)
    return str(part.get_content()).replace("\r\n", "\n")


def links(message: EmailMessage) -> list[str]:
    """Every address in a mail, headers included."""
    found = re.findall(r"https?://[^\s<>\"]+", " ".join(str(v) for v in message.values()))
    for part in message.walk():
        if part.get_content_maintype() == "text":
            found += [one.replace("&amp;", "&") for one in re.findall(r"https?://[^\s<>\"]+", part.get_content())]
    return list(dict.fromkeys(found))


def token_in(message: EmailMessage, page: str) -> str:
    """The token of the link to a page."""
    (link,) = {one for one in links(message) if urlsplit(one).path == f"/{page}"}
    return link.partition("token=")[2]
