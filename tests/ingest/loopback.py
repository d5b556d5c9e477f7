"""What tests of fetching share: a fetcher on a database, and raw servers on the loopback interface for answers that no HTTP
library would give."""

from __future__ import annotations

import re
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Concatenate, Self

from catalog.settings import Settings, read_settings
from catalog.storage import Storage
from ingest.fetch import Answer as Fetched
from ingest.fetch import Fetcher
from ingest.source import P, T

Answer = Callable[[socket.socket, bytes], None]


def settings_for(mirror: str, url: str = "", **given: object) -> Settings:
    """Settings of an instance whose upstreams are a mirror without gaps, unless told otherwise."""
    values = {"UPSTREAM_MIRROR": mirror, "ARXIV_GAP_SECONDS": 0, "HOST_GAP_SECONDS": 0, "DATABASE_URL": url} | given
    return read_settings({f"SKILLFEED_{k}": str(v) for k, v in values.items() if v != ""}, None)


@dataclass
class Case:
    """A fetcher that notes its pauses and never waits for them; its jitter is the most that it may be."""

    fetcher: Fetcher
    pauses: list[float] = field(default_factory=list)
    jitters: list[tuple[float, float]] = field(default_factory=list)

    @property
    def http(self) -> Fetcher:
        """The fetcher, as a visit names it."""
        return self.fetcher

    def parse(self, read: Callable[Concatenate[bytes, P], T], answer: Fetched, *args: P.args, **kwargs: P.kwargs) -> T:
        """What the function makes of the answer's body, read in this process."""
        return read(answer.body, *args, **kwargs)

    @property
    def backoffs(self) -> list[float]:
        """Pauses between tries; those for the host's slot are left out."""
        return [p for p in self.pauses if p > 0.02]


@contextmanager
def fetching(mirror: str, url: str, **given: object) -> Iterator[Case]:
    """A fetcher whose host is the mirror."""
    storage = Storage(url, upgrade=False)
    pauses: list[float] = []
    jitters: list[tuple[float, float]] = []

    def jitter(low: float, high: float) -> float:
        jitters.append((low, high))
        return high

    try:
        with Fetcher(settings_for(mirror, url, **given), storage, pause=pauses.append, jitter=jitter) as fetcher:
            yield Case(fetcher, pauses, jitters)
    finally:
        storage.close()


class RawServer:
    """Answers each connection with the next of the given functions, the last one for ever; keeps what it was asked."""

    def __init__(self, *answers: Answer) -> None:
        self.answers = answers
        self.requests: list[bytes] = []
        self.connections = 0
        self.closing = threading.Event()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._thread = threading.Thread(target=self._serve, daemon=True)

    @property
    def url(self) -> str:
        """The base of all addresses."""
        return f"http://127.0.0.1:{self._listener.getsockname()[1]}"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.closing.set()
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._thread.join(5)

    def _serve(self) -> None:
        with suppress(OSError):
            while not self.closing.is_set():
                connection, _ = self._listener.accept()
                self.connections += 1
                with connection, suppress(OSError):
                    connection.settimeout(10)
                    asked = b""
                    while b"\r\n\r\n" not in asked and (piece := connection.recv(65536)):
                        asked += piece
                    head, _, begun = asked.partition(b"\r\n\r\n")
                    length = re.search(rb"(?i)\r\ncontent-length: (\d+)", head)
                    while length and len(begun) < int(length[1]) and (piece := connection.recv(65536)):
                        asked, begun = asked + piece, begun + piece
                    if asked:
                        self.requests.append(asked)
                        self.answers[min(len(self.requests), len(self.answers)) - 1](connection, asked)

    def headers(self, number: int = -1) -> dict[str, str]:
        """The headers of a request by lower-case name."""
        lines = self.requests[number].decode("latin-1").split("\r\n\r\n")[0].split("\r\n")[1:]
        return {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}


def http(body: bytes = b"", *headers: str, status: str = "200 OK", length: int | None = None, framed: bool = True) -> Answer:
    """An answer as bytes; `length` may lie, without `framed` only the end of the connection ends the body."""
    lines = [f"HTTP/1.1 {status}", *headers]
    if framed:
        lines.append(f"Content-Length: {len(body) if length is None else length}")

    def answer(connection: socket.socket, _: bytes) -> None:
        connection.sendall("\r\n".join([*lines, "Connection: close", "", ""]).encode("latin-1") + body)

    return answer
