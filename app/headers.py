"""ASGI middleware for every answer: security headers, HEAD wherever GET answers, and an upper bound on request bodies."""

from __future__ import annotations

from starlette.datastructures import MutableHeaders
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

BODY_LIMIT = 64 * 1024  # bytes

POLICY = (
    "default-src 'none'; style-src 'self'; img-src 'self' data:; script-src 'self'; connect-src 'self'; form-action 'self'; "
    "base-uri 'none'; frame-ancestors 'none'"
)
_SECURITY = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "strict-origin-when-cross-origin",
    "Permissions-Policy": "camera=(), display-capture=(), geolocation=(), microphone=(), payment=(), usb=()",
}


def security_headers(base_url: str) -> dict[str, str]:
    """What every answer carries; with HSTS for a year when readers reach the instance by https."""
    hsts = {"Strict-Transport-Security": "max-age=31536000"} if base_url.startswith("https://") else {}
    return _SECURITY | hsts


class Headers:
    """Adds the security headers to every answer. A HEAD request is answered as GET without the body (RFC 9110, 9.3.2)."""

    def __init__(self, app: ASGIApp, base_url: str) -> None:
        self.app, self.headers = app, security_headers(base_url)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Passes everything but HTTP on as it is."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        head = scope["method"] == "HEAD"

        async def add(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in self.headers.items():
                    headers.setdefault(name, value)
            elif head and message["type"] == "http.response.body":
                message = {**message, "body": b""}
            await send(message)

        await self.app({**scope, "method": "GET"} if head else scope, receive, add)


def coded(tag: str) -> str:
    """The strong ETag of the same answer with gzip: another one, as the bytes are others (RFC 9110, 8.8.3.3)."""
    return f'{tag[:-1]}-gzip"'


class CodedTags:
    """Gives packed answers the strong ETag of their coding; weak ones hold for all codings. Stands around what packs."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Passes everything but HTTP on as it is."""

        async def tell(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                if headers.get("content-encoding") == "gzip" and headers.get("etag", "").startswith('"'):
                    headers["etag"] = coded(headers["etag"])
            await send(message)

        await self.app(scope, receive, tell if scope["type"] == "http" else send)


class BodyLimit:
    """Refuses bodies over `BODY_LIMIT`, HTTPException 413: at once where Content-Length says so, else while they are read."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Passes everything but HTTP on as it is."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        for name, value in scope["headers"]:
            if name == b"content-length" and (not value.isdigit() or len(value) > 18 or int(value) > BODY_LIMIT):
                raise HTTPException(413)
        read = 0

        async def count() -> Message:
            nonlocal read
            message = await receive()
            if message["type"] == "http.request":
                read += len(message.get("body", b""))
                if read > BODY_LIMIT:
                    raise HTTPException(413)
            return message

        await self.app(scope, count, send)
