"""One plain mail: written, and handed to the relay or kept as a file. And addresses, as mail is sent to and from.

Text from strangers is made harmless here: no control characters, and no `=?`, which a header would be decoded from
(CVE-2024-6923).
"""

from __future__ import annotations

import hashlib
import ipaddress
import os
import re
import ssl
from collections.abc import Iterable
from datetime import datetime
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime
from urllib.parse import urlsplit

from app import relay
from app.phrases import one_line
from catalog.errors import SettingsError
from catalog.settings import Settings, ensure_folder

_POLICY = SMTP.clone(max_line_length=998)  # RFC 5322 2.1.1: long header values stay whole
_ADDRESS = re.compile(r"(?=.{3,254}\Z)[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@(?:[A-Za-z0-9-]{1,63}\.)*[A-Za-z0-9-]{1,63}")
_SENDER = re.compile(r"(?:(?P<name>[^<>@\"\\\x00-\x1f\x7f]*)<(?P<inner>[^<>\s]+)>|(?P<bare>[^<>\s]+))")


def is_address(text: str) -> bool:
    """True for an e-mail address as mail is sent to: no name, no comment, no quotes, ASCII."""
    return bool(_ADDRESS.fullmatch(text)) and ".." not in text


def sender_from(settings: Settings) -> tuple[str, str]:
    """MAIL_FROM as (header value, bare address); without it an address at BASE_URL's host. Raises SettingsError."""
    text = settings.mail_from
    if not text:
        host = urlsplit(settings.base_url).hostname or "localhost"
        bare = f"skillfeed@{_literal(host)}"
        return f"Skillfeed <{bare}>", bare
    m = _SENDER.fullmatch(text.strip())
    bare = (m["inner"] or m["bare"]) if m else ""
    if not is_address(bare):
        raise SettingsError("SKILLFEED_MAIL_FROM: must be an address such as Skillfeed <feed@example.org>")
    name = harmless(m["name"] or "") if m else ""
    return f'"{name}" <{bare}>' if name else bare, bare


def harmless(text: str, limit: int = 200) -> str:
    """Foreign text on one line as it may stand in a header: control characters are blanks, `=?` is apart."""
    return one_line(text).replace("=?", "= ?")[:limit]


def compose(sender: str, to: str, subject: str, text: str, key: str, now: datetime) -> EmailMessage:
    """A plain mail; the same `key` (of lines: what it is about) gives the same Message-ID."""
    message = EmailMessage(policy=_POLICY)
    message["From"] = sender
    message["To"] = to
    message["Subject"] = harmless(subject)
    message["Date"] = format_datetime(now)
    domain = sender.rpartition("@")[2].rstrip(">")
    message["Message-ID"] = f"<{hashlib.blake2b(key.encode(), digest_size=16).hexdigest()}@{domain}>"
    message["Auto-Submitted"] = "auto-generated"  # RFC 3834: no vacation notes in return
    message.set_content(text)
    return message


def send(message: EmailMessage, sender: str, to: str, settings: Settings, *, trust: ssl.SSLContext | None = None) -> None:
    """Hand the mail to the relay, or without one keep it under DATA_DIR/outbox; raises MailError.

    `trust` says which certificates are believed; the system's by default.
    """
    at = relay.relay_from(settings.smtp_url.get_secret_value())
    if at is None:
        keep(settings, str(message["Message-ID"]), message.as_bytes())
        return
    with relay.Connection(at, trust) as connection:
        connection.send(sender, to, message.as_bytes())


def keep(settings: Settings, message_id: str, message: bytes) -> None:
    """Write a mail under DATA_DIR/outbox as `<Message-ID>.eml`, for the owner only; again replaces it. Raises RelayTrouble."""
    folder, name = ensure_folder(settings.data_dir) / "outbox", _file_name(message_id)
    try:
        folder.mkdir(mode=0o700, exist_ok=True)
        half = folder / f".{name}.part"
        with os.fdopen(os.open(half, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as handle:
            handle.write(message)
        half.replace(folder / name)
    except OSError as error:
        raise relay.RelayTrouble(f"the outbox cannot be written: {error.strerror}") from error


def unkeep(settings: Settings, message_ids: Iterable[str]) -> None:
    """Remove the files of these mails, where there are any."""
    folder = settings.data_dir / "outbox"
    for one in message_ids:
        name = _file_name(one)
        for path in (folder / name, folder / f".{name}.part"):
            path.unlink(missing_ok=True)


def unkeep_to(settings: Settings, address: str) -> int:
    """Remove every file of a mail to this address, also those that no database knows of; returns how many."""
    line, gone = re.compile(rf"^To: {re.escape(address)}\r?$".encode(), re.I | re.M), 0
    for path in (settings.data_dir / "outbox").glob("*.eml"):
        with path.open("rb") as file:
            found = line.search(file.read(4096))  # it stands before any foreign text
        if found:
            path.unlink(missing_ok=True)
            gone += 1
    return gone


def _file_name(message_id: str) -> str:
    return f"{message_id.strip('<>').partition('@')[0]}.eml"


def _literal(host: str) -> str:
    """A domain, or an address in brackets (RFC 5321 4.1.3)."""
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return host
    return f"[IPv6:{address}]" if address.version == 6 else f"[{address}]"
