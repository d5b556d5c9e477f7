"""One plain mail: written, and sent through the relay or kept as a file.

`SMTP_URL` is `smtps://user:secret@host` (TLS from the first byte, port 465) or `smtp://user:secret@host` (STARTTLS, port 587).
Certificates are verified. A relay without STARTTLS is refused, except on this machine: there nothing travels.
Text from strangers is made harmless here: no control characters, and no `=?`, which a header would be decoded from
(CVE-2024-6923).
"""

from __future__ import annotations

import hashlib
import ipaddress
import os
import re
import smtplib
import ssl
from dataclasses import dataclass
from datetime import datetime
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime
from pathlib import Path
from urllib.parse import unquote, urlsplit

from app.phrases import one_line
from catalog.errors import SettingsError, SkillfeedError
from catalog.settings import Settings, ensure_folder

SECONDS = 10.0  # for each step of the dialogue
_POLICY = SMTP.clone(max_line_length=998)  # RFC 5322 2.1.1: long header values stay whole
_ADDRESS = re.compile(r"(?=.{3,254}\Z)[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@(?:[A-Za-z0-9-]{1,63}\.)*[A-Za-z0-9-]{1,63}")
_SENDER = re.compile(r"(?:(?P<name>[^<>@\"\\\x00-\x1f\x7f]*)<(?P<inner>[^<>\s]+)>|(?P<bare>[^<>\s]+))")


class MailError(SkillfeedError):
    """The mail was not taken; the text names no address."""


@dataclass(frozen=True, slots=True)
class Relay:
    """Where mail is handed in."""

    host: str
    port: int
    implicit_tls: bool
    user: str
    password: str

    @property
    def is_local(self) -> bool:
        """True for a relay on this machine."""
        try:
            return ipaddress.ip_address(self.host).is_loopback
        except ValueError:
            return self.host == "localhost"


def relay_from(setting: str) -> Relay | None:
    """The relay that SMTP_URL names; None when it is empty. Raises SettingsError, which repeats nothing of it."""
    if not setting:
        return None
    try:
        parts = urlsplit(setting)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        host, port, parts = "", None, urlsplit("")
    if parts.scheme not in ("smtp", "smtps") or not host or parts.path not in ("", "/") or parts.query:
        raise SettingsError("SKILLFEED_SMTP_URL: must be smtps://user:secret@host or smtp://user:secret@host:587")
    implicit = parts.scheme == "smtps"
    return Relay(
        host, port or (465 if implicit else 587), implicit, unquote(parts.username or ""), unquote(parts.password or "")
    )


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
    relay = relay_from(settings.smtp_url.get_secret_value())
    if relay is None:
        _keep(message, ensure_folder(settings.data_dir) / "outbox")
        return
    context = trust or ssl.create_default_context()
    try:
        if relay.implicit_tls:
            with smtplib.SMTP_SSL(relay.host, relay.port, timeout=SECONDS, context=context) as server:
                _hand_in(server, relay, message, sender, to)
        else:
            with smtplib.SMTP(relay.host, relay.port, timeout=SECONDS) as server:
                server.ehlo()
                if server.has_extn("starttls"):
                    server.starttls(context=context)
                elif not relay.is_local:
                    raise MailError("the relay offers no STARTTLS; use smtps:// or another relay")
                _hand_in(server, relay, message, sender, to)
    except (smtplib.SMTPException, OSError) as error:  # their words may hold the address
        raise MailError(_reason(error)) from None


def _hand_in(server: smtplib.SMTP, relay: Relay, message: EmailMessage, sender: str, to: str) -> None:
    if relay.user:
        server.login(relay.user, relay.password)
    server.sendmail(sender, [to], message.as_bytes())


def _reason(error: Exception) -> str:
    if isinstance(error, smtplib.SMTPRecipientsRefused):
        codes = sorted({code for code, _ in error.recipients.values()})
        return f"the relay refused the recipient ({', '.join(map(str, codes))})"
    if isinstance(error, smtplib.SMTPResponseException):
        return f"the relay answered {error.smtp_code} ({type(error).__name__})"
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"the relay's certificate is not believed: {error.verify_message}"
    if isinstance(error, smtplib.SMTPException):
        return f"the relay broke the dialogue off ({type(error).__name__})"
    number = error.errno if isinstance(error, OSError) else None
    return f"the relay cannot be reached ({os.strerror(number) if number else type(error).__name__})"


def _keep(message: EmailMessage, folder: Path) -> None:
    """Write it as `<Message-ID>.eml`, readable by the owner only; the same mail again replaces itself."""
    name = str(message["Message-ID"]).strip("<>").partition("@")[0]
    try:
        folder.mkdir(mode=0o700, exist_ok=True)
        half = folder / f".{name}.part"
        with os.fdopen(os.open(half, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as handle:
            handle.write(message.as_bytes())
        half.replace(folder / f"{name}.eml")
    except OSError as error:
        raise MailError(f"the outbox cannot be written: {error.strerror}") from error


def _literal(host: str) -> str:
    """A domain, or an address in brackets (RFC 5321 4.1.3)."""
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return host
    return f"[IPv6:{address}]" if address.version == 6 else f"[{address}]"
