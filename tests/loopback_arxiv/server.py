"""The loopback server: routing, connections, faults on the wire, and the log of requests."""

from __future__ import annotations

import datetime as dt
import gzip
import hashlib
import math
import random
import socket
import struct
import sys
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from email.utils import format_datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import pairwise
from types import TracebackType
from typing import Any, Self
from urllib.parse import parse_qsl, unquote

from . import faults as spoil
from .faults import Chooser, Fault, Plan
from .feeds import feed
from .listing import HTML, listing
from .oai import no_records, oai
from .papers import Paper, days_of
from .query import query
from .wire import Answer, Archive, Request

PRIVATE = "http://169.254.169.254/latest/meta-data/"


class LoopbackArxiv:
    """An arXiv on 127.0.0.1 for as long as the `with` block lasts.

    `https://<host>/<path>?<query>` is asked as `<url>/<host>/<path>?<query>`. Everything may be changed between requests:

    today             nothing later is shown; a date without announcement has an empty feed and listing
    papers            what there is
    faults            a list of `Fault` (the first that fits strikes), or a function of the request
    oai_page          records, or headers, of an OAI answer
    feed_limit        entries of a feed; beyond it, new papers are lost first
    listing_page      entries of a listing page when the request names no number
    listing_keeps_last      on a day without announcement the listing shows the last one, under that one's date
    replacement_abstracts   whether the listing has the abstracts of replaced papers
    """

    def __init__(
        self,
        papers: Iterable[Paper] = (),
        today: dt.date | None = None,
        *,
        faults: Sequence[Fault] | Chooser = (),
        seed: int = 1,
        oai_page: int = 2500,
        feed_limit: int = 2000,
        listing_page: int = 2000,
    ) -> None:
        """Without `today`: the last day on which anything happens to the papers."""
        self._papers = tuple(papers)
        self._today = today or max((day for paper in self._papers for day in days_of(paper)), default=dt.date(2026, 1, 12))
        self._archive: Archive | None = None
        self._plan = Plan(faults, seed)
        self.oai_page, self.feed_limit, self.listing_page = oai_page, feed_limit, listing_page
        self.listing_keeps_last = False
        self.replacement_abstracts = False
        self.requests: list[Request] = []
        self.closing = threading.Event()
        self._lock = threading.Lock()
        self._server = _Server(("127.0.0.1", 0), type("Handler", (_Handler,), {"arxiv": self}))
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)

    # ------------------------------------------------------------ life
    def __enter__(self) -> Self:
        """Begin to answer."""
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        """Stop, and wake those who wait in silence."""
        self.closing.set()
        self._server.shutdown()
        self._thread.join()
        self._server.close_connections()
        self._server.server_close()

    @property
    def url(self) -> str:
        """The base of all addresses, without slash at its end."""
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    # ------------------------------------------------------------ settings
    @property
    def today(self) -> dt.date:
        """The last day that is shown."""
        return self._today

    @today.setter
    def today(self, day: dt.date) -> None:
        with self._lock:
            self._today, self._archive = day, None

    @property
    def papers(self) -> tuple[Paper, ...]:
        """All papers, those of later days included."""
        return self._papers

    @papers.setter
    def papers(self, papers: Iterable[Paper]) -> None:
        with self._lock:
            self._papers, self._archive = tuple(papers), None

    @property
    def faults(self) -> Sequence[Fault] | Chooser:
        """The faults in force; setting them also forgets how often each has struck."""
        return self._plan.faults

    @faults.setter
    def faults(self, faults: Sequence[Fault] | Chooser) -> None:
        self._plan = Plan(faults, self._plan.seed)

    # ------------------------------------------------------------ log
    def min_gap(self) -> float:
        """Seconds between the starts of the two requests to arXiv's hosts that were closest; infinite with fewer than two."""
        starts = sorted(request.started for request in self._to_arxiv())
        return min((after - before for before, after in pairwise(starts)), default=math.inf)

    def max_concurrent(self) -> int:
        """The largest number of requests to arXiv's hosts that ran at the same time."""
        asked = self._to_arxiv()
        ends = [(math.inf if request.finished is None else request.finished, -1) for request in asked]
        running = most = 0
        for _, step in sorted([(request.started, 1) for request in asked] + ends):
            running += step
            most = max(most, running)
        return most

    def _to_arxiv(self) -> list[Request]:
        with self._lock:
            return [request for request in self.requests if f".{request.host}".endswith(".arxiv.org")]

    # ------------------------------------------------------------ answers
    def begin(self, request: Request) -> Fault | None:
        """Log the request and choose its fault."""
        with self._lock:
            self.requests.append(request)
        looping = "loopback_loop=" in request.query
        fault = Fault("redirect_loop") if looping else self._plan.choose(request)
        request.fault = fault.kind if fault else None
        return fault

    def answer(self, host: str, path: str, pairs: Sequence[tuple[str, str]], kind: str | None = None) -> Answer:
        """What the host says, with the papers spoiled by faults of that sort."""
        with self._lock:
            archive = self._archive = self._archive or Archive(self._papers, self._today)
        params = dict(reversed(pairs))
        match host:
            case spoil.FEEDS:
                return feed(archive, path, limit=self.feed_limit, stale=kind == "stale_feed", short=kind == "short_feed")
            case spoil.OAI if path == "/oai":
                if kind == "too_early":
                    return no_records(archive, pairs)
                return oai(archive, pairs, page=self.oai_page, spoiled_token=kind == "bad_token")
            case spoil.QUERY if path == "/api/query":
                return query(archive, params)
            case spoil.LISTING if path.startswith("/list/"):
                return listing(
                    archive,
                    path,
                    params,
                    page=self.listing_page,
                    keep_last=self.listing_keeps_last,
                    short=kind == "short_listing",
                    replacement_abstracts=self.replacement_abstracts,
                )
        return Answer(f"not served here: {host}{path}\n", "text/plain; charset=utf-8", 404)


class _Server(ThreadingHTTPServer):
    """One thread per connection; remembers the connections so that none outlives it."""

    daemon_threads = True
    request_queue_size = 128

    def __init__(self, address: tuple[str, int], handler: Callable[..., BaseHTTPRequestHandler]) -> None:
        """Listen, but answer only once `serve_forever` runs."""
        self.connections: set[socket.socket] = set()
        super().__init__(address, handler)

    def process_request(self, request: Any, client_address: Any) -> None:
        """Remember the connection."""
        self.connections.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        """Forget the connection."""
        self.connections.discard(request)
        super().shutdown_request(request)

    def close_connections(self) -> None:
        """Close what clients keep open."""
        for connection in list(self.connections):
            try:
                connection.shutdown(socket.SHUT_RDWR)
            except OSError:  # already gone
                continue

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Clients may hang up whenever they like; anything else is a bug of this package and is shown."""
        if not isinstance(sys.exc_info()[1], OSError):
            super().handle_error(request, client_address)


class _Handler(BaseHTTPRequestHandler):
    """HTTP/1.1 with keep-alive."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    arxiv: LoopbackArxiv
    request_log: Request

    def log_message(self, format: str, *args: Any) -> None:
        """Requests are in `LoopbackArxiv.requests`."""

    def do_GET(self) -> None:
        """Answer, or do what the request's fault is."""
        form = self.rfile.read(int(self.headers.get("Content-Length") or 0)).decode()
        target, _, asked = self.path.partition("?")
        host, _, path = target.lstrip("/").partition("/")
        self.request_log = Request(
            host=host,
            path="/" + unquote(path),
            query="&".join(part for part in (asked, form) if part),
            started=time.monotonic(),
            conditional="If-None-Match" in self.headers or "If-Modified-Since" in self.headers,
            user_agent=self.headers.get("User-Agent", ""),
        )
        fault = self.arxiv.begin(self.request_log)
        try:
            if fault is None:
                self.send_answer(self.plain_answer())
            else:
                self.send_fault(fault)
        except OSError:  # the client hung up
            self.close_connection = True
        finally:
            self.mark(self.request_log.status)

    do_POST = do_GET  # noqa: N815 (the name is http.server's)

    def plain_answer(self, kind: str | None = None) -> Answer:
        """What the archive says to this request."""
        log = self.request_log
        return self.arxiv.answer(log.host, log.path, parse_qsl(log.query, keep_blank_values=True), kind)

    # ------------------------------------------------------------ sending
    def mark(self, status: int | None) -> None:
        """The request is over, once."""
        if self.request_log.finished is None:
            self.request_log.finished, self.request_log.status = time.monotonic(), status

    def head(self, status: int, headers: dict[str, str]) -> bytes:
        """Status line and headers."""
        lines = {"Server": "loopback", "Date": format_datetime(dt.datetime.now(dt.UTC), usegmt=True), **headers}
        if self.close_connection:
            lines["Connection"] = "close"
        text = "".join(f"{name}: {value}\r\n" for name, value in lines.items())
        return f"HTTP/1.1 {status} {self.responses[status][0]}\r\n{text}\r\n".encode("latin-1")

    def packed(self, answer: Answer) -> tuple[bytes, dict[str, str]]:
        """The body, compressed when the client likes, and the headers of an answer."""
        body = answer.body.encode("utf-8", "surrogateescape")
        headers = {"Content-Type": answer.content_type, **answer.headers}
        if answer.etag:
            headers["ETag"] = hashlib.sha256(body).hexdigest()  # without quotes, as there
        if len(body) > 200 and "gzip" in self.headers.get("Accept-Encoding", ""):
            body = gzip.compress(body, 1, mtime=0)
            headers |= {"Content-Encoding": "gzip", "Vary": "Accept-Encoding"}
        return body, headers

    def send_answer(self, answer: Answer) -> None:
        """A whole answer, or 304 when the client has it."""
        body, headers = self.packed(answer)
        if "ETag" in headers and headers["ETag"] in [tag.strip() for tag in self.headers.get("If-None-Match", "").split(",")]:
            kept = {name: value for name, value in headers.items() if name in ("ETag", "Cache-Control")}
            self.send_bytes(304, self.head(304, kept))
        else:
            self.send_bytes(answer.status, self.head(answer.status, {**headers, "Content-Length": str(len(body))}) + body)

    def send_bytes(self, status: int, content: bytes) -> None:
        """Everything, the last byte after the request counts as finished: no client can ask again before."""
        self.wfile.write(content[:-1])
        self.mark(status)
        self.wfile.write(content[-1:])

    # ------------------------------------------------------------ faults
    def send_fault(self, fault: Fault) -> None:
        """Carry out a fault."""
        kind = fault.kind
        if kind in spoil.STATUSES:
            self.send_status(fault)
        elif kind == "reset":
            self.reset()
        elif kind == "silence":
            self.arxiv.closing.wait(fault.duration)
            self.close_connection = True
        elif kind.startswith("redirect"):
            self.send_redirect(kind)
        elif kind == "gzip_bomb":
            body = spoil.gzip_bomb()
            headers = {"Content-Type": self.plain_answer().content_type, "Content-Encoding": "gzip"}
            self.send_bytes(200, self.head(200, {**headers, "Content-Length": str(len(body))}) + body)
        elif kind in ("truncate", "drip"):
            self.send_in_pieces(fault)
        elif kind == "huge":
            self.send_without_end()
        elif kind in spoil.CONTENT:
            self.send_answer(self.plain_answer(kind))
        else:
            answer = self.plain_answer()
            content_type = spoil.SPOILT_TYPES.get(kind, answer.content_type)
            text = spoil.SPOILS[kind](answer.body, random.Random(f"{self.path} {len(self.arxiv.requests)}"))
            status = 200 if kind in spoil.SPOILT_TYPES else answer.status
            self.send_answer(replace(answer, body=text, content_type=content_type, status=status))

    def send_status(self, fault: Fault) -> None:
        """503 or 429, perhaps with Retry-After."""
        headers = {}
        if fault.retry_after is not None:
            at = dt.datetime.now(dt.UTC) + dt.timedelta(seconds=fault.retry_after)
            headers["Retry-After"] = format_datetime(at, usegmt=True) if fault.retry_date else str(fault.retry_after)
        text, form = ("Rate exceeded.", "text/plain; charset=utf-8") if fault.kind == "429" else (spoil.HTML_PAGE, HTML)
        self.send_answer(Answer(text, form, int(fault.kind), headers=headers))

    def send_redirect(self, kind: str) -> None:
        """302 to the same address, marked so that it goes on for ever, or to a private one."""
        address = f"{self.arxiv.url}{self.path.partition('?')[0]}?loopback_loop={len(self.arxiv.requests)}"
        headers = {"Location": address if kind == "redirect_loop" else PRIVATE, "Content-Length": "0"}
        self.send_bytes(302, self.head(302, headers))

    def reset(self) -> None:
        """RST in place of an answer."""
        self.close_connection = True
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.mark(None)
        self.rfile.close()
        self.connection.close()

    def send_in_pieces(self, fault: Fault) -> None:
        """`truncate`: half of the body, then the end. `drip`: all of it, slowly."""
        answer = self.plain_answer()
        body, headers = self.packed(answer)
        self.close_connection = self.close_connection or fault.kind == "truncate"
        head = self.head(answer.status, {**headers, "Content-Length": str(len(body))})
        if fault.kind == "truncate":
            self.send_bytes(answer.status, head + body[: len(body) // 2])
            return
        step = max(1, math.ceil(len(body) / 20))
        self.wfile.write(head)
        for start in range(0, len(body) - step, step):
            self.wfile.write(body[start : start + step])
            self.arxiv.closing.wait(fault.duration / 20)
        self.send_bytes(answer.status, body[-(len(body) % step or step) :])

    def send_without_end(self) -> None:
        """A chunked body that begins like the real answer and goes on."""
        answer = self.plain_answer()
        self.close_connection = True
        self.wfile.write(self.head(200, {"Content-Type": answer.content_type, "Transfer-Encoding": "chunked"}))
        piece, sent = answer.body[: len(answer.body) // 2].encode() or b"<", 0
        self.request_log.status = 200
        while sent < spoil.HUGE_BYTES and not self.arxiv.closing.is_set():
            self.wfile.write(b"%x\r\n%b\r\n" % (len(piece), piece))
            sent += len(piece)
            piece = b"<!-- and so on -->\n" * 4000
