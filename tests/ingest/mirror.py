"""A folder of samples served as the hosts of a source would: with validators, and one file at a time damaged on request.

`https://<host>/<path>?<query>` is the file `<host>/<path>?<query>` of the folder; a path that is a folder is its file `_index`.
What is not there is answered 404. A POST of a JSON object is the file of its address with the object's texts and numbers as
query.
"""

from __future__ import annotations

import hashlib
import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import urlencode

ERROR_PAGE = b"<!DOCTYPE html>\n<html><head><title>One moment</title></head><body><h1>We are looking into it</h1></body></html>"
OTHER_SHAPES = {
    b"[": b'{"error": {"code": 500, "message": "changed"}}',
    b"{": b'["changed"]',
    b"<": b'<?xml version="1.0" encoding="UTF-8"?>\n<changed><to>another format</to></changed>',
}


def _kind(body: bytes) -> bytes:
    """The first character of JSON, XML and HTML; b"" for YAML and BibTeX."""
    first = body.lstrip()[:1]
    return first if first in OTHER_SHAPES and not body.startswith(b"---") else b""


def other_shape(body: bytes) -> bytes:
    """Sound JSON or XML, and not what it should be."""
    return OTHER_SHAPES.get(_kind(body), b"changed: true\n")


def nothing(body: bytes) -> bytes:
    """What is left when a list loses all it holds, with a status that says all is well."""
    return {b"[": b"[]", b"{": b"{}", b"<": b"<html></html>"}.get(_kind(body), b"\n")


#: What becomes of a file's body on its way.
DAMAGES: dict[str, Callable[[bytes], bytes]] = {
    "cut in half": lambda body: body[: len(body) // 2],
    "an error page": lambda _: ERROR_PAGE,
    "an empty body": lambda _: b"",
    "another shape": other_shape,
    "nothing": nothing,
}


class Mirror:
    """The files, what was asked of them, and the damage that is done."""

    def __init__(self, folder: Path, url: str) -> None:
        self.folder, self.url = folder, url
        self.asked: list[str] = []
        self.status = 0  # what every request is answered, when it is set
        self.damage: tuple[str, Callable[[bytes], bytes]] | None = None  # path and what becomes of its body

    def file(self, path: str) -> Path | None:
        """The file of a path with its query, None when there is none."""
        found = self.folder / path.strip("/")
        if found.is_dir():
            found /= "_index"
        return found if found.is_file() and found.resolve().is_relative_to(self.folder.resolve()) else None

    def answer(self, path: str, validator: str) -> tuple[int, dict[str, str], bytes]:
        """Status, headers and body for a path and an If-None-Match; a damaged body comes without validator."""
        self.asked.append(path)
        if self.status:
            return self.status, {}, b""
        file = self.file(path)
        if file is None:
            return 404, {}, b"not here"
        body = file.read_bytes()
        if self.damage is not None and self.damage[0] == path:
            return 200, {}, self.damage[1](body)
        etag = f'"{hashlib.sha256(body).hexdigest()[:16]}"'
        return (304, {"ETag": etag}, b"") if validator == etag else (200, {"ETag": etag}, body)


@contextmanager
def mirror(folder: Path) -> Iterator[Mirror]:
    """The folder on a free port of the loopback interface."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            status, headers, body = made.answer(self.path, self.headers.get("If-None-Match", ""))
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            if status != 304:
                self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def do_POST(self) -> None:
            asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            plain = sorted((k, v) for k, v in asked.items() if isinstance(v, str | int))
            self.path += ("&" if "?" in self.path else "?") + urlencode(plain) if plain else ""
            self.do_GET()

        def log_message(self, *_: object) -> None:
            """Nothing is logged."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    made = Mirror(folder, f"http://127.0.0.1:{server.server_address[1]}")
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield made
    finally:
        server.shutdown()
        server.server_close()
        thread.join(5)
