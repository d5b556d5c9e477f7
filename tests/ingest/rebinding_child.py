"""A network of its own, by `unshare --user --map-root-user --mount --net` and a database to copy; see test_guard.

The loopback interface is all there is. It has a public address, a DNS server that /etc/resolv.conf names, servers on port 80.
Prints what became of requests as JSON.
"""

from __future__ import annotations

import fcntl
import json
import shutil
import socket
import struct
import subprocess
import sys
import tempfile
import threading
from contextlib import ExitStack
from pathlib import Path

from catalog.errors import FetchError
from catalog.storage import Storage
from ingest.fetch import Fetcher
from tests.ingest.dns import Dns
from tests.ingest.hostile import FORBIDDEN
from tests.ingest.loopback import settings_for

PUBLIC = "93.184.216.34"
_SIOCSIFADDR, _SIOCGIFFLAGS, _SIOCSIFFLAGS, _UP = 0x8916, 0x8913, 0x8914, 0x1
PAGE = b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nfrom "
AWAY = b"HTTP/1.1 302 Found\r\nLocation: http://inner.example.org/\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"


def bring_up(name: str, address: str = "") -> None:
    """Give the interface an address and switch it on (netdevice(7))."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as control:
        if address:
            where = struct.pack("16sHH4s8x", name.encode(), socket.AF_INET, 0, socket.inet_aton(address))
            fcntl.ioctl(control, _SIOCSIFADDR, where)
        asked = fcntl.ioctl(control, _SIOCGIFFLAGS, struct.pack("16sH14x", name.encode(), 0))
        flags = struct.unpack("16sH14x", asked)[1]
        fcntl.ioctl(control, _SIOCSIFFLAGS, struct.pack("16sH14x", name.encode(), flags | _UP))


class Server:
    """Answers every connection on port 80 of an address with a text, and counts them."""

    def __init__(self, address: str, answer: bytes) -> None:
        self.connections = 0
        self._answer = answer
        family = socket.AF_INET6 if ":" in address else socket.AF_INET
        self._listener = socket.create_server((address, 80), family=family)
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        while True:
            connection, _ = self._listener.accept()
            self.connections += 1
            with connection:
                connection.recv(65536)
                connection.sendall(self._answer)


def main() -> None:
    """Make the network, ask, print."""
    bring_up("lo")
    bring_up("lo:1", PUBLIC)
    bring_up("lo:2", "151.101.1.42")
    inside = [Server("127.0.0.1", PAGE + b"inside"), Server("::1", PAGE + b"inside")]
    Server(PUBLIC, PAGE + PUBLIC.encode())
    Server("151.101.1.42", AWAY)
    bare = [address.partition("%")[0] for address in FORBIDDEN]
    names = {f"n{i}.example.org": [[address]] for i, address in enumerate(bare)}
    names |= {
        "public.example.org": [[PUBLIC]],
        "rebound.example.org": [[PUBLIC], ["127.0.0.1"]],
        "redirects.example.org": [["151.101.1.42"]],
        "inner.example.org": [["127.0.0.1"]],
    }
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        (folder / "resolv.conf").write_text("nameserver 127.0.0.1\noptions timeout:1 attempts:1\n")
        subprocess.run(["mount", "--bind", str(folder / "resolv.conf"), "/etc/resolv.conf"], check=True)
        dns = stack.enter_context(Dns(names, ("127.0.0.1", 53)))
        url = f"sqlite:///{shutil.copyfile(sys.argv[1], folder / 'guard.db')}"
        storage = Storage(url, upgrade=False)
        stack.callback(storage.close)
        settings = settings_for("", url, ARXIV_GAP_SECONDS=3, HOST_GAP_SECONDS=1)
        asking = stack.enter_context(Fetcher(settings, storage, pause=lambda _: None))

        def ask(name: str) -> str:
            try:
                return asking.get(f"http://{name}.example.org/").body.decode()
            except FetchError as error:
                return error.reason

        report = {
            "public": ask("public"),
            "rebound": [ask("rebound"), ask("rebound")],
            "redirected": ask("redirects"),
            "refused": [ask(f"n{i}") for i in range(len(bare))],
            "asked": len(dns.asked),
            "inside": sum(server.connections for server in inside),
        }
    sys.stdout.write(json.dumps(report))


if __name__ == "__main__":
    main()
