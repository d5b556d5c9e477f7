"""A static host on the loopback interface: files by host and path, an ETag for each, 404 for the rest."""

from __future__ import annotations

import hashlib
import socket
from collections.abc import Mapping

from tests.ingest.loopback import RawServer, http


class StaticFiles(RawServer):
    """Serves the files as they stand in `files` at the moment, also after a change; notes what was asked."""

    def __init__(self, files: Mapping[str, bytes]) -> None:
        super().__init__(self._answer)
        self.files = dict(files)
        self.asked: list[str] = []  # paths with host, in order
        self.unmodified = 0  # answers that were a 304

    def _answer(self, connection: socket.socket, request: bytes) -> None:
        path = request.split(b" ", 2)[1].decode().removeprefix("/")
        self.asked.append(path)
        body = self.files.get(path)
        if body is None:
            http(b"not here", status="404 Not Found")(connection, request)
            return
        etag = f'"{hashlib.sha256(body).hexdigest()[:16]}"'
        if self.headers().get("if-none-match") == etag:
            self.unmodified += 1
            http(b"", f"ETag: {etag}", status="304 Not Modified", framed=False)(connection, request)
            return
        http(body, f"ETag: {etag}")(connection, request)
