"""The one polite HTTP layer: every request to a source goes through here.

Per host (all of arxiv.org is one, and so is GitHub): one request at a time and a gap before the next, over all processes that
share the database, by leases in it. Conditional requests, Retry-After, backoff with full jitter, limits on body, time and
redirects, an honest User-Agent; what may be asked at all is said by `ingest.guard`. Sources: RFC 9110 (validators 8.8,
Retry-After 10.2.3), arXiv's terms of use for its APIs (one request per three seconds, one connection).
"""

from __future__ import annotations

import json as js
import os
import random
import re
import socket
import threading
import time
import weakref
import zlib
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from http.cookiejar import CookieJar, DefaultCookiePolicy
from pathlib import Path
from tempfile import TemporaryFile
from types import TracebackType
from typing import Any, Self
from urllib.parse import quote, urlencode, urljoin, urlsplit

import httpx

from catalog.errors import FetchError
from catalog.settings import Settings
from catalog.storage import Storage, leases
from catalog.storage.leases import Lease
from catalog.version import VERSION
from ingest.guard import (
    PUBLIC,
    CheckedBackend,
    CheckedTransport,
    Lookup,
    Reach,
    addresses_of,
    check_address,
    shown,
    system_lookup,
)

BODY_LIMIT = 10 * 1024 * 1024  # bytes after decompression
SPOOL_BYTES = 1024 * 1024  # of a body in memory; what is larger is put aside
CONNECT_SECONDS, READ_SECONDS, TOTAL_SECONDS = 5.0, 15.0, 30.0
REDIRECTS = 5
TRIES = 5
BACKOFF_SECONDS, BACKOFF_CAP = 2.0, 300.0
PATIENCE_SECONDS = 120.0  # a longer Retry-After ends the attempt; the next visit keeps to it
RETRY_AFTER_CAP = 24 * 3600.0
NOT_ASKED_AGAIN = "not asked again in this visit"
#: Hosts of one service, which counts requests to all of them together.
_GITHUB = frozenset({"github.com", "api.github.com", "raw.githubusercontent.com", "codeload.github.com"})
RETRY_STATUSES = frozenset({429, 500, 502, 503, 504})

#: A header's name (RFC 9110, 5.6.2).
_TOKEN = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+")


class Spool:
    """Bytes put aside in a file without a name, which goes when nobody holds this any more."""

    def __init__(self, folder: Path | None) -> None:
        with TemporaryFile(dir=folder, buffering=0) as file:
            self.fd = os.dup(file.fileno())
        self.size = 0
        self.close = weakref.finalize(self, os.close, self.fd)

    def write(self, data: bytes) -> None:
        """Add to its end; raises OSError."""
        while data:
            written = os.pwrite(self.fd, data, self.size)
            self.size += written
            data = data[written:]

    def read(self) -> bytes:
        """All of it."""
        out = bytearray()
        while len(out) < self.size:
            piece = os.pread(self.fd, self.size - len(out), len(out))
            if not piece:
                raise OSError(f"{self.size} bytes were put aside and {len(out)} are there")
            if len(piece) == self.size:
                return piece
            out += piece
        return bytes(out)


@dataclass(frozen=True, slots=True)
class Answer:
    """A usable answer: 200, 304, or another status that the caller asked for."""

    url: str  # as asked, before redirects
    status: int
    content: bytes | Spool = field(repr=False)  # decompressed; empty for 304; what is larger than SPOOL_BYTES is in a file
    headers: Mapping[str, str]  # names in lower case
    hops: tuple[tuple[int, str], ...] = ()  # the redirects on the way: status, and the address that it led to

    @property
    def body(self) -> bytes:
        """The whole body in memory; `Visit.parse` reads it without."""
        return self.content if isinstance(self.content, bytes) else self.content.read()

    @property
    def not_modified(self) -> bool:
        """True for a 304."""
        return self.status == 304

    @property
    def etag(self) -> str:
        """The validator verbatim, with its quotes or without; "" when there is none."""
        return self.headers.get("etag", "")

    @property
    def last_modified(self) -> str:
        """The Last-Modified date verbatim; "" when there is none."""
        return self.headers.get("last-modified", "")


@dataclass(frozen=True, slots=True)
class _Request:
    """What is sent; never shown, as headers and content may be secret."""

    method: str
    headers: Mapping[bytes, bytes] = field(repr=False)
    content: bytes | None = field(default=None, repr=False)


class Fetcher:
    """Fetches for one visit; counts its requests and gives up on a host that is down. Not for several threads."""

    def __init__(
        self,
        settings: Settings,
        storage: Storage,
        *,
        reach: Reach = PUBLIC,
        pause: Callable[[float], None] = time.sleep,
        jitter: Callable[[float, float], float] = random.uniform,
        lookup: Lookup = system_lookup,
    ) -> None:
        self._reach, self._lookup = reach, lookup
        self._settings, self._storage, self._pause, self._jitter = settings, storage, pause, jitter
        # A container's temporary folder is often memory, the data folder is not.
        self._folder = settings.data_dir if os.access(settings.data_dir, os.W_OK) and settings.data_dir.is_dir() else None
        self._owner = leases.new_owner()
        self._failed: Counter[str] = Counter()  # requests in a row without any answer, by host
        self.requests = 0
        # No idle connections: another process may be the next to ask, and arXiv wants one connection in all.
        limits = httpx.Limits(max_connections=4, max_keepalive_connections=0)
        # A mirror and a proxy are the operator's own; beyond a proxy it opens the sockets.
        direct = not settings.upstream_mirror and not settings.outgoing_proxy
        self._client = httpx.Client(
            headers={"User-Agent": user_agent(settings), "Accept-Encoding": "gzip"},
            timeout=httpx.Timeout(READ_SECONDS, connect=CONNECT_SECONDS),
            limits=limits,
            transport=CheckedTransport(CheckedBackend(reach, lookup), limits) if direct else None,
            follow_redirects=False,
            trust_env=False,
            event_hooks={"response": [_own_location]},
            cookies=CookieJar(DefaultCookiePolicy(allowed_domains=[])),  # none is kept
            proxy=settings.outgoing_proxy or None,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._client.close()

    def get(
        self,
        url: str,
        parameters: Mapping[str, str] | None = None,
        *,
        etag: str = "",
        last_modified: str = "",
        limit: int = BODY_LIMIT,
        total: float = TOTAL_SECONDS,
        also: frozenset[int] = frozenset(),
        headers: Mapping[str, str] | None = None,
    ) -> Answer:
        """The answer to a GET, retried as the host asks; raises FetchError.

        `etag` and `last_modified` make it conditional; `limit` is bytes after decompression, `total` seconds for one try;
        `also` names further statuses that are an answer. `headers`, which may be secret, go to the address's own host only.
        """
        if parameters:
            url += ("&" if "?" in url else "?") + urlencode(parameters)
        check_address(url, self._reach)
        conditions = {b"If-None-Match": etag, b"If-Modified-Since": last_modified}
        opaque = {k: v.encode("latin-1", "replace") for k, v in conditions.items() if v}  # bytes: validators are opaque
        own = _encoded(url, headers or {})
        return self._try(url, lambda: self._follow(url, opaque, own, limit, total, also), _may_help)

    def post(
        self,
        url: str,
        json: object,
        *,
        headers: Mapping[str, str] | None = None,
        limit: int = BODY_LIMIT,
        total: float = TOTAL_SECONDS,
        also: frozenset[int] = frozenset(),
    ) -> Answer:
        """The answer to a POST of the value as JSON; raises FetchError, also for a redirect.

        It is sent again only after a 429 or 503 with Retry-After, by which the host says that it did nothing with it
        (RFC 9110, 9.2.2: a client must not repeat a POST by itself). The rest is as with `get`.
        """
        check_address(url, self._reach)
        content = js.dumps(json, ensure_ascii=False, allow_nan=False).encode()
        request = _Request("POST", {b"Content-Type": b"application/json"} | _encoded(url, headers or {}), content)

        def send() -> Answer:
            status, received, body = self._once(url, request, limit, total, also | {200})
            return _answered(url, status, received, body, also)

        return self._try(url, send, lambda error: error.status in (429, 503) and error.retry_after is not None)

    def _try(self, url: str, send: Callable[[], Answer], may_help: Callable[[FetchError], bool]) -> Answer:
        """The answer, asked for again while that may help and the host has not failed too often."""
        host = urlsplit(url).hostname or ""
        if self._failed[host] >= 2:
            raise FetchError(url, "host-down", f"did not answer before, {NOT_ASKED_AGAIN}")
        tries = TRIES if not self._failed[host] else 1
        for attempt in range(tries):
            try:
                answer = send()
            except FetchError as error:
                waiting = error.retry_after
                final = not may_help(error) or attempt == tries - 1 or (error.reason == "unreachable" and attempt >= 1)
                if final or (waiting or 0) > PATIENCE_SECONDS:
                    if error.reason in ("unreachable", "timeout", "broken-off"):
                        self._failed[host] += 2 if error.reason == "unreachable" and attempt else 1
                    raise
                ceiling = min(BACKOFF_CAP, BACKOFF_SECONDS * 2**attempt)
                self._pause(waiting if waiting is not None else self._jitter(0, ceiling))
            else:
                self._failed[host] = 0
                return answer
        raise AssertionError("unreachable")

    def _follow(
        self,
        url: str,
        conditions: Mapping[bytes, bytes],
        own: Mapping[bytes, bytes],
        limit: int,
        total: float,
        also: frozenset[int],
    ) -> Answer:
        """One try, through up to five redirects, each checked before it is asked; `own` headers stay with the first host."""
        at, hops = url, []
        for _ in range(REDIRECTS + 1):
            request = _Request("GET", {**conditions, **own})
            status, received, body = self._once(at, request, limit, total, also | {200})
            if status in (301, 302, 303, 307, 308) and "location" in received:
                to, before = received["location"], at
                try:
                    at = urljoin(before, to)
                    check_address(at, self._reach)
                except (FetchError, ValueError):
                    raise FetchError(url, "redirect-refused", f"it redirects to {shown(to)}, which is refused") from None
                own = own if _may_know(before, at) else {}
                hops.append((status, at))
                continue
            return replace(_answered(url, status, received, body, also | {304}), hops=tuple(hops))
        raise FetchError(url, "redirect-loop", f"more than {REDIRECTS} redirects")

    def _once(
        self, url: str, request: _Request, limit: int, total: float, wanted: frozenset[int]
    ) -> tuple[int, dict[str, str], bytes | Spool]:
        """One request inside the host's slot; the body is only read for the wanted statuses."""
        parts = urlsplit(url)
        host = parts.hostname or ""
        if self._settings.outgoing_proxy and not self._settings.upstream_mirror:
            with suppress(OSError):  # where only the proxy knows names, it is what refuses
                addresses_of(host, parts.port or (443 if parts.scheme == "https" else 80), self._reach, self._lookup)
        with self._slot(host, total) as hold:
            self.requests += 1
            end = time.monotonic() + total
            try:
                timeout = httpx.Timeout(max(READ_SECONDS, min(total, 60.0)), connect=CONNECT_SECONDS)
                with (
                    _Deadline(end) as deadline,
                    self._client.stream(
                        request.method,
                        self._mapped(url),
                        headers=dict(request.headers),
                        content=request.content,
                        timeout=timeout,
                        extensions={"trace": deadline.trace},
                    ) as response,
                ):
                    received = {k.decode("latin-1").lower(): v.decode("latin-1") for k, v in response.headers.raw}
                    received |= response.extensions.get("location", {})
                    if response.status_code in RETRY_STATUSES:
                        hold(retry_after_seconds(received) or 0.0)
                    body = self._body(url, response, limit, end) if response.status_code in wanted else b""
                    return response.status_code, received, body
            except httpx.TimeoutException as error:
                raise FetchError(url, "timeout", f"no answer in time ({type(error).__name__})") from error
            except httpx.ConnectError as error:
                raise FetchError(url, "unreachable", f"cannot connect: {_one_line(error)}") from error
            except (httpx.RemoteProtocolError, httpx.ReadError, httpx.WriteError, httpx.CloseError) as error:
                if time.monotonic() >= end:
                    raise FetchError(url, "timeout", "the answer did not end in time") from error
                raise FetchError(url, "broken-off", f"the connection broke off: {_one_line(error)}") from error
            except (httpx.HTTPError, httpx.InvalidURL) as error:
                raise FetchError(url, "unreachable", _one_line(error)) from error

    def _body(self, url: str, response: httpx.Response, limit: int, end: float) -> bytes | Spool:
        """The decompressed body, the first megabyte of it in memory; raises FetchError."""
        start, spool = bytearray(), None
        try:
            for piece in _pieces(url, response, limit, end):
                if spool is None and len(start) + len(piece) <= SPOOL_BYTES:
                    start += piece
                    continue
                if spool is None:
                    spool = Spool(self._folder)
                    spool.write(bytes(start))
                    start.clear()
                spool.write(piece)
        except BaseException as error:
            if spool is not None:
                spool.close()  # now, and not when the error's traceback goes
            if isinstance(error, OSError):
                raise FetchError(url, "no-space", f"the answer cannot be put aside: {error.strerror}") from error
            raise
        return bytes(start) if spool is None else spool

    def _mapped(self, url: str) -> str:
        """The address under the mirror, when one is set."""
        mirror = self._settings.upstream_mirror
        return f"{mirror}/{url.split('://', 1)[1]}" if mirror else url

    @contextmanager
    def _slot(self, host: str, total: float) -> Iterator[Callable[[float], None]]:
        """Hold the host's slot; gives a function by which an answer can ask for a longer pause.

        The gap counts from the end of the request.
        """
        name, gap = self._bucket(host)
        lease = self._claim(name, total + 15.0, gap)
        pauses = [gap]
        try:
            yield lambda seconds: pauses.append(min(seconds, RETRY_AFTER_CAP))
        finally:
            with self._storage.write() as db:
                leases.release(db, lease, max(pauses))

    def _claim(self, name: str, ttl: float, gap: float) -> Lease:
        while True:
            with self._storage.write() as db:
                got = leases.claim(db, name, self._owner, ttl)
                if isinstance(got, Lease):
                    # Counts when this process dies in the middle; a tenth more, as the request is still to be sent.
                    leases.postpone(db, got, gap * 1.1)
                    return got
            if got.wait > PATIENCE_SECONDS and not got.holder:
                raise FetchError(
                    f"https://{name.removeprefix('host:')}",
                    "asked-to-wait",
                    "the host asked for a longer pause",
                    retry_after=got.wait,
                )
            self._pause(min(max(got.wait, 0.01), 1.0))

    def _bucket(self, host: str) -> tuple[str, float]:
        """The lease name and the gap of a host, spaced a little wider than promised."""
        if host == "arxiv.org" or host.endswith(".arxiv.org"):
            gap, name = self._settings.arxiv_gap_seconds, "host:arxiv.org"
        else:
            own = "github.com" if host in _GITHUB else host
            gap, name = self._settings.host_gap_seconds, f"host:{own}"
        return name, gap * 1.01


def user_agent(settings: Settings) -> str:
    """Name, version and the operator's contact."""
    contact = settings.contact
    if contact and "://" not in contact and not contact.startswith("mailto:"):
        contact = f"mailto:{contact}"
    contact = quote(contact, safe=":/@+?&=#%,;<> ")  # a header is ASCII on one line
    return f"Skillfeed/{VERSION} ({f'+{contact}' if contact else 'self-hosted research feed'})"


def _encoded(url: str, headers: Mapping[str, str]) -> dict[bytes, bytes]:
    """The headers as bytes; raises FetchError for one that cannot be sent, whose value no error may show."""
    for name, value in headers.items():
        if not _TOKEN.fullmatch(name) or not value.isascii() or not value.isprintable():
            raise FetchError(url, "bad-header", f"the header {shown(name)} holds what cannot be sent")
    return {name.encode(): value.strip().encode() for name, value in headers.items()}


def _may_know(before: str, after: str) -> bool:
    """True when what one address was told may be told to the other: the same host, and not less protected."""
    a, b = urlsplit(before), urlsplit(after)
    return a.hostname == b.hostname and not (a.scheme == "https" and b.scheme != "https")


def _answered(url: str, status: int, received: Mapping[str, str], body: bytes | Spool, also: frozenset[int]) -> Answer:
    """The answer when its status is 200 or one asked for; raises FetchError otherwise."""
    if status == 200 or status in also:
        return Answer(url, status, body, received)
    retry_after = retry_after_seconds(received) if status in RETRY_STATUSES else None
    raise FetchError(url, f"http-{status}", f"the host answered {status}", retry_after=retry_after, status=status)


def retry_after_seconds(headers: Mapping[str, str]) -> float | None:
    """Seconds that the answer asks to wait, at most a day; None for garbage or none.

    An HTTP date counts from the answer's own Date.
    """
    value = headers.get("retry-after", "").strip()
    if value.isascii() and value.isdigit():
        return min(float(value[:9]), RETRY_AFTER_CAP)
    try:
        then = parsedate_to_datetime(value)
        now = parsedate_to_datetime(headers["date"]) if "date" in headers else datetime.now(UTC)
        return min(max(0.0, (then - now).total_seconds()), RETRY_AFTER_CAP)
    except (TypeError, ValueError, OverflowError):
        return None


def _own_location(response: httpx.Response) -> None:
    """Take the address of a redirect away from httpx, which takes one that it cannot read for a broken connection."""
    if "location" in response.headers:
        response.extensions["location"] = {"location": response.headers.pop("location")}


class _Deadline:
    """Ends the connection of a request at an instant of the monotonic clock: httpx limits single reads only."""

    def __init__(self, end: float) -> None:
        self._end = end
        self._socket: socket.socket | None = None
        self._timer: threading.Timer | None = None

    def trace(self, event: str, info: Mapping[str, Any]) -> None:
        """Called by httpx at each step; learns the socket of the request."""
        if not event.endswith(("connect_tcp.complete", "start_tls.complete")):
            return
        self._socket = info["return_value"].get_extra_info("socket")
        if self._timer is None:
            self._timer = threading.Timer(max(0.0, self._end - time.monotonic()) + 0.01, self._stop)
            self._timer.daemon = True
            self._timer.start()

    def _stop(self) -> None:
        if self._socket is not None:
            with suppress(OSError):  # it was closed in the meantime
                self._socket.shutdown(socket.SHUT_RDWR)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if self._timer is not None:
            self._timer.cancel()


def _may_help(error: FetchError) -> bool:
    """True when the same request may succeed a moment later."""
    return error.reason in ("timeout", "unreachable", "broken-off") or error.status in RETRY_STATUSES


def _pieces(url: str, response: httpx.Response, limit: int, end: float) -> Iterator[bytes]:
    """The decompressed body in pieces of at most a megabyte; raises FetchError over the limit or past the deadline."""
    coding = response.headers.get("content-encoding", "").strip().lower()
    if coding not in ("", "identity", "gzip", "x-gzip", "deflate"):
        raise FetchError(url, "bad-coding", f"content coding {coding[:20]!r} was not asked for")
    unpack = zlib.decompressobj(47) if coding not in ("", "identity") else None  # 47: gzip or zlib, told by its header
    size, received = 0, 0
    try:
        for raw in response.iter_raw():
            received += len(raw)
            if received > limit:
                raise FetchError(url, "too-large", f"the body is larger than {limit} bytes")
            rest = raw
            while rest:
                if unpack and unpack.eof:  # a further member of the file (RFC 1952, 2.2), or the zeros that some servers add
                    rest = rest.lstrip(b"\0")
                    if not rest:
                        break
                    unpack = zlib.decompressobj(47)
                piece = unpack.decompress(rest, 1 << 20) if unpack else rest
                rest = (unpack.unconsumed_tail or unpack.unused_data) if unpack else b""
                size += len(piece)
                if size > limit:
                    raise FetchError(url, "too-large", f"the body is larger than {limit} bytes")
                yield piece
            if time.monotonic() > end:
                break
    except zlib.error as error:
        raise FetchError(url, "bad-coding", f"the body cannot be unpacked: {error}") from error
    if time.monotonic() > end:  # also when the connection was ended for it, which a body without length takes for its end
        raise FetchError(url, "timeout", "the body did not end in time")
    if unpack is not None and not unpack.eof and received:
        raise FetchError(url, "broken-off", "the packed body ends early")


def _one_line(error: Exception) -> str:
    return " ".join(str(error).split())[:200] or type(error).__name__
