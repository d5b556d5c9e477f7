"""A DNS server on the loopback interface that a test writes name by name, and a resolver that asks it.

It may answer the same question differently each time, as a server does that rebinds a name (RFC 1035 for the wire format).
"""

from __future__ import annotations

import socket
import struct
import threading
from collections.abc import Mapping, Sequence
from contextlib import suppress
from ipaddress import ip_address
from typing import Self

_TYPES = {1: 4, 28: 6}  # A and AAAA: the IP version of their answers


class Dns:
    """Answers each look-up of a name with the next of its answers, the last one for ever; a name it has not does not exist."""

    def __init__(self, names: Mapping[str, Sequence[Sequence[str]]], address: tuple[str, int] = ("127.0.0.1", 0)) -> None:
        """`names` gives each name its answers, each a list of addresses."""
        self._answers = {name: list(map(list, answers)) for name, answers in names.items()}
        self.asked: list[str] = []  # a name for each A question
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind(address)
        self._thread = threading.Thread(target=self._serve, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as last:
            last.sendto(b"", self._socket.getsockname())
        self._thread.join(5)
        self._socket.close()

    def lookup(self, host: str, port: int) -> Sequence[str]:
        """The addresses of the name by two questions over UDP, as the system's resolver asks them; raises OSError."""
        found = [address for kind in _TYPES for address in self._ask(host, kind)]
        if not found:
            raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
        return found

    def _ask(self, host: str, kind: int) -> list[str]:
        labels = b"".join(bytes([len(label)]) + label.encode() for label in host.split("."))
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asking:
            asking.settimeout(5)
            asking.sendto(struct.pack("!6H", 7, 0x0100, 1, 0, 0, 0) + labels + struct.pack("!BHH", 0, kind, 1), self._server())
            reply = asking.recv(4096)
        (count,) = struct.unpack("!H", reply[6:8])
        at, found = 12 + len(labels) + 5, []
        for _ in range(count):
            (size,) = struct.unpack("!H", reply[at + 10 : at + 12])
            data = reply[at + 12 : at + 12 + size]
            found.append(socket.inet_ntop(socket.AF_INET if size == 4 else socket.AF_INET6, data))
            at += 12 + size
        return found

    def _server(self) -> tuple[str, int]:
        host, port = self._socket.getsockname()
        return str(host), int(port)

    def _serve(self) -> None:
        current: list[str] = []
        while True:
            asked, sender = self._socket.recvfrom(4096)
            if not asked:
                return
            name, end = self._name(asked)
            kind = struct.unpack("!H", asked[end : end + 2])[0]
            if kind == 1:  # asked before AAAA: both are one look-up
                self.asked.append(name)
                answers = self._answers.get(name, [])
                current = (answers.pop(0) if len(answers) > 1 else answers[0]) if answers else []
            given = [ip_address(a) for a in current if ip_address(a).version == _TYPES.get(kind)]
            records = b"".join(struct.pack("!HHHIH", 0xC00C, kind, 1, 0, len(a.packed)) + a.packed for a in given)
            status = 0x8180 if name in self._answers else 0x8183
            head = struct.pack("!2sHHHHH", asked[:2], status, 1, len(given), 0, 0)
            with suppress(OSError):
                self._socket.sendto(head + asked[12 : end + 4] + records, sender)

    @staticmethod
    def _name(asked: bytes) -> tuple[str, int]:
        at, labels = 12, []
        while size := asked[at]:
            labels.append(asked[at + 1 : at + 1 + size].decode())
            at += size + 1
        return ".".join(labels).lower(), at + 1
