"""A site on the loopback interface that a test writes page by page, for sources that read pages."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

UPSTREAM = "upstream"


class Site:
    """Pages by host, path and query, without scheme; what is not there is answered 404."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.pages: dict[str, list[bytes]] = {}
        self.asked: list[str] = []

    def put(self, path: str, *bodies: str | bytes) -> None:
        """Answer the path with the first body, then the next, the last one for ever."""
        self.pages[path] = [b.encode() if isinstance(b, str) else b for b in bodies]

    def load(self, folder: Path) -> None:
        """Take over a folder of samples; a file `_index` is the page of its folder."""
        root = folder / UPSTREAM
        for file in (f for f in root.rglob("*") if f.is_file()):
            self.put(file.relative_to(root).as_posix().removesuffix("/_index"), file.read_bytes())

    def forget(self) -> None:
        """Begin to count requests anew."""
        self.asked.clear()

    def answer(self, path: str) -> bytes | None:
        """The next body of a path; None when there is no such page."""
        self.asked.append(path)
        bodies = self.pages.get(path)
        if not bodies:
            return None
        return bodies.pop(0) if len(bodies) > 1 else bodies[0]


@contextmanager
def site() -> Iterator[Site]:
    """An empty site on a free port."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = made.answer(self.path.lstrip("/"))
            self.send_response(404 if body is None else 200)
            self.send_header("Content-Length", str(len(body or b"")))
            self.end_headers()
            self.wfile.write(body or b"")

        def log_message(self, *_: object) -> None:
            """Nothing is logged."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    made = Site(f"http://127.0.0.1:{server.server_address[1]}")
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield made
    finally:
        server.shutdown()
        server.server_close()
        thread.join(5)
