"""An SMTP server that takes everything and keeps nothing: `python -m benchmarks.sink reading|sink` prints its port."""

from __future__ import annotations

import signal
import socketserver
import sys

from tests.loopback_smtp import LoopbackSmtp, Received


class _Session(socketserver.BaseRequestHandler):
    def handle(self) -> None:
        """One dialogue; what comes at once is answered at once."""
        said, rest, whole = self.request, b"", False
        said.sendall(b"220 sink\r\n")
        while piece := said.recv(1 << 16):
            rest += piece
            while True:
                if whole:
                    if not rest.endswith(b"\r\n.\r\n"):
                        break
                    rest, whole = b"", False
                    said.sendall(b"250 taken\r\n")
                line, found, after = rest.partition(b"\r\n")
                if not found:
                    break
                rest = after
                word = line[:4].upper()
                whole = word == b"DATA"
                said.sendall(b"354 go\r\n" if whole else b"221 bye\r\n" if word == b"QUIT" else b"250 ok\r\n")


class _Server(socketserver.ThreadingTCPServer):
    daemon_threads = True
    allow_reuse_address = True


class _Nothing(list[Received]):
    """Keeps none."""

    def append(self, one: Received) -> None:
        """Not this one either."""


def main(kind: str) -> None:
    """Serve until the process is ended."""
    if kind == "reading":
        with LoopbackSmtp() as reading:
            reading.received = _Nothing()
            sys.stdout.write(f"{reading.port}\n")
            sys.stdout.flush()
            signal.pause()
    with _Server(("127.0.0.1", 0), _Session) as server:
        sys.stdout.write(f"{server.server_address[1]}\n")
        sys.stdout.flush()
        server.serve_forever()


if __name__ == "__main__":
    main(sys.argv[1])
