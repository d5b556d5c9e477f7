"""The relay: where mail is handed in, one connection for many mails, and what its answers mean.

`SMTP_URL` is `smtps://user:secret@host` (TLS from the first byte, port 465) or `smtp://user:secret@host` (STARTTLS, port 587).
Certificates are verified. A relay without STARTTLS is refused, except on this machine: there nothing travels.

    MailError
    ├── RelayTrouble    nobody's mail can be handed in now: not reached, no TLS, login refused, sender refused, 421, broken off
    └── Refused         this mail, by its recipient or its content: for now (4xx) or for good (5xx)
"""

from __future__ import annotations

import ipaddress
import os
import re
import smtplib
import ssl
from collections.abc import Callable
from dataclasses import dataclass
from types import TracebackType
from typing import Literal, Self
from urllib.parse import unquote, urlsplit

from catalog.errors import SettingsError, SkillfeedError

SECONDS = 10.0  # for each step of the dialogue
DATA_SECONDS = 300.0  # for the answer to a whole mail; RFC 5321 4.5.3.2.6 asks for ten minutes, the lease is renewed meanwhile
_DOTS = re.compile(rb"(?m)^\.")  # RFC 5321 4.5.2
_ENHANCED = re.compile(r"([245])\.(\d{1,3})\.(\d{1,3})\b")
Stage = Literal["recipient", "content"]


class MailError(SkillfeedError):
    """The mail was not taken; the text names no address."""


class RelayTrouble(MailError):
    """Nobody's mail can be handed in now. `begun`: a mail was in hand; the relay may or may not have taken it."""

    def __init__(self, text: str, *, begun: bool = False) -> None:
        self.begun = begun
        super().__init__(text)


class Refused(MailError):
    """The relay does not take this mail: because of its recipient or its content, for now or for good."""

    def __init__(self, code: int, answer: str, stage: Stage) -> None:
        self.code, self.stage = code, stage
        found = _ENHANCED.match(answer)
        self.enhanced = found[0] if found else ""
        what = "the recipient" if stage == "recipient" else "the mail"
        super().__init__(f"the relay refused {what} ({code}{f' {self.enhanced}' if self.enhanced else ''})")

    @property
    def final(self) -> bool:
        """True when trying again is of no use."""
        return self.code >= 500

    @property
    def bounced(self) -> bool:
        """True when the address is the reason, for good; not a rule of the relay (x.7.x) or a full mailbox (x.2.2)."""
        kind = self.enhanced[2:]
        if not self.final or kind.startswith("7.") or kind == "2.2":
            return False
        return self.stage == "recipient" or kind in ("1.1", "1.2", "1.3", "1.6", "1.10", "2.1")


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


class Connection:
    """One dialogue with the relay, opened by the first mail; raises RelayTrouble and Refused, whose words name no address.

    `trust` says which certificates are believed; the system's by default.
    """

    def __init__(self, relay: Relay, trust: ssl.SSLContext | None = None) -> None:
        self._relay, self._trust = relay, trust
        self._server: smtplib.SMTP | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """Say goodbye; the next mail opens it again."""
        server, self._server = self._server, None
        if server is not None:
            try:
                server.quit()
            except (smtplib.SMTPException, OSError):
                server.close()

    def send(self, sender: str, to: str, message: bytes, meanwhile: Callable[[], None] = lambda: None) -> None:
        """Hand a mail in, of CRLF lines; when this returns, the relay has taken it.

        `meanwhile` is called while the relay reads the first command; no content goes before it returns, nor when it raises.
        """
        begun = False
        try:
            server = self._opened()
            server.putcmd("MAIL", f"FROM:<{sender}>")
            try:
                meanwhile()
            except BaseException:
                self._drop()
                raise
            self._step(server.getreply(), "sender")
            begun = True  # from here on it may be this mail that the relay breaks off at
            self._step(server.docmd("RCPT", f"TO:<{to}>"), "recipient")
            code, said = server.docmd("DATA")
            if code != 354:
                self._step((code, said), "content")
            _wait(server, DATA_SECONDS)
            if b"\n." in message:
                message = _DOTS.sub(b"..", message)
            server.send(message + (b".\r\n" if message.endswith(b"\r\n") else b"\r\n.\r\n"))
            self._step(server.getreply(), "content")
            _wait(server, SECONDS)
        except (smtplib.SMTPException, OSError) as error:  # their words may hold the address
            self._drop()
            raise RelayTrouble(_reason(error), begun=begun) from None

    def _context(self) -> ssl.SSLContext:
        return self._trust or ssl.create_default_context()

    def _step(self, answer: tuple[int, bytes], what: Literal["sender", "recipient", "content"]) -> None:
        code, said = answer
        if 200 <= code < 300:
            return
        if code == 421 or code < 400:  # it closes the dialogue (RFC 5321 3.8), or it answers what was not asked
            self._drop()
            raise RelayTrouble(f"the relay answered {code}")
        assert self._server is not None
        try:
            self._server.rset()
            _wait(self._server, SECONDS)
        except (smtplib.SMTPException, OSError):
            self._drop()
        if what == "sender":
            raise RelayTrouble(f"the relay refused the sender ({code})")
        raise Refused(code, said.decode("ascii", "replace"), what)

    def _drop(self) -> None:
        server, self._server = self._server, None
        if server is not None:
            server.close()

    def _opened(self) -> smtplib.SMTP:
        if self._server is not None:
            return self._server
        relay = self._relay
        server: smtplib.SMTP | None = None
        try:
            if relay.implicit_tls:
                server = smtplib.SMTP_SSL(relay.host, relay.port, timeout=SECONDS, context=self._context())
            else:
                server = smtplib.SMTP(relay.host, relay.port, timeout=SECONDS)
            server.ehlo_or_helo_if_needed()
            if not relay.implicit_tls and server.has_extn("starttls"):
                server.starttls(context=self._context())
                server.ehlo_or_helo_if_needed()
            elif not relay.implicit_tls and not relay.is_local:
                raise RelayTrouble("the relay offers no STARTTLS; use smtps:// or another relay")
            if relay.user:
                server.login(relay.user, relay.password)
        except BaseException:
            if server is not None:
                server.close()
            raise
        self._server = server
        return server


def _wait(server: smtplib.SMTP, seconds: float) -> None:
    if server.sock is not None:
        server.sock.settimeout(seconds)


def _reason(error: Exception) -> str:
    if isinstance(error, smtplib.SMTPAuthenticationError):
        return f"the relay refused the login ({error.smtp_code})"
    if isinstance(error, smtplib.SMTPResponseException):
        return f"the relay answered {error.smtp_code} ({type(error).__name__})"
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"the relay's certificate is not believed: {error.verify_message}"
    if isinstance(error, smtplib.SMTPException):
        return f"the relay broke the dialogue off ({type(error).__name__})"
    number = error.errno if isinstance(error, OSError) else None
    return f"the relay cannot be reached ({os.strerror(number) if number else type(error).__name__})"
