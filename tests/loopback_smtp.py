"""A small SMTP server on the loopback interface (RFC 5321) that keeps what it is given, for tests of mail."""

from __future__ import annotations

import socketserver
import ssl
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Self


@dataclass
class Received:
    """A message with its envelope."""

    sender: str
    recipients: list[str]
    data: bytes
    encrypted: bool


#: Asked with a command and its line, before it is answered: None goes on, "drop" breaks off, anything else is the answer.
#: CONNECT comes before the greeting. END comes after a whole mail: "drop" keeps it, another answer does not.
Fault = Callable[[str, str], str | None]


class LoopbackSmtp:
    """Takes mail on a free port; `refuse` maps a command such as RCPT or DATA to the answer that refuses it."""

    def __init__(
        self, *, tls: ssl.SSLContext | None = None, starttls: bool = False, refuse: dict[str, str] | None = None,
        fault: Fault | None = None,
    ):  # fmt: skip
        self.fault: Fault = fault or (lambda word, line: None)
        self.received: list[Received] = []
        self.logins: list[bytes] = []
        self.connections = 0
        self.tls, self.starttls, self.refuse = tls, starttls, refuse or {}
        self._server = _Server(("127.0.0.1", 0), _Session)
        self._server.owner = self
        self.port: int = self._server.server_address[1]

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True).start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._server.shutdown()
        self._server.server_close()


class _Server(socketserver.ThreadingTCPServer):
    daemon_threads = True
    block_on_close = False
    owner: LoopbackSmtp

    def handle_error(self, request: object, client_address: object) -> None:
        """A client that goes away is what some tests are about."""


@dataclass
class _Envelope:
    sender: str = ""
    recipients: list[str] = field(default_factory=list)


class _Session(socketserver.StreamRequestHandler):
    server: _Server

    def handle(self) -> None:
        owner = self.server.owner
        owner.connections += 1
        self.encrypted = self._dropped = False
        if owner.tls is not None and not owner.starttls:
            self._encrypt(owner.tls)
        if not self._goes_on("CONNECT", ""):
            return
        self._say("220 loopback ESMTP")
        self._envelope = _Envelope()
        while line := self.rfile.readline():
            text = line.decode("ascii", "replace").strip()
            word = text.split(" ")[0].upper()
            if self._goes_on(word, text):
                self._answer(word, text, line)
            if self._dropped or word == "QUIT":
                return

    def _answer(self, word: str, text: str, line: bytes) -> None:
        owner = self.server.owner
        if word in owner.refuse:
            self._say(owner.refuse[word])
        elif word == "EHLO":
            offers = [] if self.encrypted or not owner.starttls else ["STARTTLS"]
            for offer in ["loopback", "AUTH PLAIN LOGIN", *offers]:
                self._say(f"250-{offer}")
            self._say("250 8BITMIME")
        elif word == "STARTTLS" and owner.tls is not None:
            self._say("220 go ahead")
            self._encrypt(owner.tls)
        elif word == "AUTH":
            owner.logins.append(line)
            self._say("235 welcome")
        elif word == "MAIL":
            self._envelope = _Envelope(text.partition("<")[2].partition(">")[0])
            self._say("250 ok")
        elif word == "RCPT":
            self._envelope.recipients.append(text.partition("<")[2].partition(">")[0])
            self._say("250 ok")
        elif word == "DATA":
            self._say("354 go ahead")
            self._take()
        else:
            self._say("221 bye" if word == "QUIT" else "250 ok")

    def _take(self) -> None:
        owner, envelope = self.server.owner, self._envelope
        data = self._data()
        if data is None:
            self._dropped = True
            return
        mail = Received(envelope.sender, envelope.recipients, data, self.encrypted)
        taken = self._goes_on("END", envelope.recipients[0])
        if taken or self._dropped:
            owner.received.append(mail)
        if taken:
            self._say("250 taken")

    def finish(self) -> None:
        """The encrypted connection is another object than the one that the server closes."""
        super().finish()
        self.connection.close()

    def _goes_on(self, word: str, line: str) -> bool:
        answer = self.server.owner.fault(word, line)
        self._dropped = answer == "drop"
        if answer is not None and not self._dropped:
            self._say(answer)
        return answer is None

    def _data(self) -> bytes | None:
        """The mail; None when the client went away before its end."""
        lines = []
        while (line := self.rfile.readline()) != b".\r\n":
            if not line:
                return None
            lines.append(line[1:] if line.startswith(b"..") else line)
        return b"".join(lines)

    def _say(self, line: str) -> None:
        self.wfile.write(f"{line}\r\n".encode())

    def _encrypt(self, context: ssl.SSLContext) -> None:
        self.request = self.connection = context.wrap_socket(self.connection, server_side=True)
        self.rfile, self.wfile = self.connection.makefile("rb"), self.connection.makefile("wb", 0)
        self.encrypted = True


def server_side(certificate: Path) -> ssl.SSLContext:
    """For a server that shows this certificate."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    return context


def trusting(certificate: Path) -> ssl.SSLContext:
    """For a client that believes this certificate, and no other."""
    return ssl.create_default_context(cafile=str(certificate.with_suffix(".crt")))
