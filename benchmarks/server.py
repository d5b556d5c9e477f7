"""Pages on the loopback interface, ready before anybody measures, given out by a process of their own.

`python -m benchmarks.server <folder>` prints its address and serves the files of the folder: where the path is a folder,
`?resumptionToken=t` gets the file `t` in it and a request without a token `first`.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs, urlsplit


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    folder = Path()

    def do_GET(self) -> None:
        """The file, or 404."""
        parts = urlsplit(self.path)
        file = self.folder / parts.path.strip("/")
        if file.is_dir():
            file /= parse_qs(parts.query).get("resumptionToken", ["first"])[0]
        body = file.read_bytes() if file.is_file() else b""
        self.send_response(200 if body else 404)
        self.send_header("Content-Type", "text/xml; charset=utf-8")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Nothing: the terminal is for figures."""


@contextmanager
def serving(folder: Path) -> Iterator[str]:
    """The address at which the files of the folder are served meanwhile, without slash at its end."""
    command = [sys.executable, "-m", "benchmarks.server", str(folder)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            yield process.stdout.readline().strip()
        finally:
            process.terminate()


def main() -> None:
    """Serve until terminated."""
    handler = type("Handler", (_Handler,), {"folder": Path(sys.argv[1])})
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        print(f"http://127.0.0.1:{server.server_address[1]}", flush=True)
        server.serve_forever()


if __name__ == "__main__":
    main()
