from __future__ import annotations

import errno
import gzip
import itertools
import os
import signal
import socket
import threading
import time
import traceback
import tracemalloc
import zlib
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from datetime import UTC, date, datetime, timedelta
from email.utils import format_datetime
from functools import partial
from pathlib import Path

import pytest

from catalog.errors import FetchError
from catalog.storage import Storage
from catalog.version import VERSION
from ingest.fetch import (
    BACKOFF_SECONDS,
    REDIRECTS,
    SPOOL_BYTES,
    TRIES,
    Fetcher,
    Spool,
    retry_after_seconds,
    user_agent,
)
from ingest.fetch import Answer as Fetched
from ingest.guard import check_address
from tests.databases import Run
from tests.ingest.child import go, said, start
from tests.ingest.hostile import HOSTILE
from tests.ingest.loopback import Answer, Case, RawServer, fetching, http, settings_for
from tests.loopback_arxiv import Fault, LoopbackArxiv, sample_papers

PAGE = "https://feeds.example.org/a"
FEED = "https://rss.arxiv.org/rss/cs.LG"
DAY = date(2026, 1, 14)


class Paused(Exception):
    """Raised in place of a pause, with its seconds."""


def stop(seconds: float) -> None:
    """A pause that ends the test's request."""
    raise Paused(seconds)


@pytest.fixture
def url(run: Run, tmp_path: Path) -> str:
    """A fresh SQLite database, where the kind does not matter."""
    path = tmp_path / "fetch.db"
    path.write_bytes(run.sqlite_template().read_bytes())
    return f"sqlite:///{path}"


@pytest.fixture(scope="module")
def server() -> Iterator[LoopbackArxiv]:
    with LoopbackArxiv(sample_papers(seed=2, per_day=6), DAY) as made:
        yield made


@pytest.fixture
def arxiv(server: LoopbackArxiv) -> LoopbackArxiv:
    """The server without faults and log."""
    server.faults = []
    server.requests.clear()
    return server


@pytest.fixture
def ask(url: str) -> Iterator[Callable[..., tuple[RawServer, Case]]]:
    """Starts a raw server with the given answers and a fetcher for it; both end with the test."""
    with ExitStack() as stack:

        def begin(*answers: Answer, **given: object) -> tuple[RawServer, Case]:
            raw = stack.enter_context(RawServer(*answers))
            return raw, stack.enter_context(fetching(raw.url, url, **given))

        yield begin


def refused(case: Case, address: str = PAGE, **given: float) -> FetchError:
    """The error that a request ends in."""
    with pytest.raises(FetchError) as raised:
        case.fetcher.get(address, **given)  # type: ignore[arg-type]
    return raised.value


Ask = Callable[..., tuple[RawServer, Case]]


# ------------------------------------------------------------------ a good answer
def test_an_answer_has_body_status_and_headers_in_lower_case(ask: Ask) -> None:
    server, case = ask(http(b"hello", "Content-Type: text/plain", 'ETag: "x"', "Last-Modified: Tue, 13 Jan 2026 00:00:00 GMT"))
    answer = case.fetcher.get(PAGE, {"from": "2026-01-01", "q": "a b&c"})
    assert (answer.status, answer.body, answer.not_modified) == (200, b"hello", False)
    assert answer.url == f"{PAGE}?from=2026-01-01&q=a+b%26c"
    assert (answer.etag, answer.last_modified) == ('"x"', "Tue, 13 Jan 2026 00:00:00 GMT")
    assert answer.headers["content-type"] == "text/plain"
    assert server.requests[0].startswith(b"GET /feeds.example.org/a?from=2026-01-01&q=a+b%26c HTTP/1.1\r\n")
    assert case.fetcher.requests == 1


def test_parameters_join_a_query_that_is_there(ask: Ask) -> None:
    server, case = ask(http())
    case.fetcher.get(f"{PAGE}?x=1", {"y": "2"})
    assert server.requests[0].startswith(b"GET /feeds.example.org/a?x=1&y=2 ")


def test_a_status_is_an_answer_only_when_asked_for(ask: Ask) -> None:
    _, case = ask(http(b"gone", status="404 Not Found"))
    assert case.fetcher.get(PAGE, also=frozenset({404})).body == b"gone"
    error = refused(case)
    assert (error.reason, error.status, error.url) == ("http-404", 404, PAGE)


def test_no_error_shows_the_body(ask: Ask) -> None:
    for status in ("404 Not Found", "500 Internal Server Error"):
        _, case = ask(http(b"internal-secret", status=status))
        assert "secret" not in str(refused(case))


# ------------------------------------------------------------------ what is retried
@pytest.mark.parametrize("status", [429, 500, 502, 503, 504])
def test_a_status_that_may_pass_is_asked_again_with_growing_jittered_pauses(status: int, ask: Ask) -> None:
    server, case = ask(http(status=f"{status} No"))
    error = refused(case)
    assert (error.reason, error.status, error.retry_after) == (f"http-{status}", status, None)
    assert len(server.requests) == case.fetcher.requests == TRIES
    assert case.jitters == [(0, BACKOFF_SECONDS * 2**n) for n in range(TRIES - 1)]
    assert case.backoffs == [high for _, high in case.jitters]


@pytest.mark.parametrize("status", [201, 204, 206, 300, 302, 400, 401, 403, 404, 406, 410, 418, 451, 501, 505])
def test_a_status_that_will_not_pass_is_asked_once(status: int, ask: Ask) -> None:
    server, case = ask(http(status=f"{status} No"))
    assert refused(case).status == status
    assert (len(server.requests), case.pauses) == (1, [])


def test_a_good_answer_after_bad_ones_is_taken(ask: Ask) -> None:
    server, case = ask(http(status="503 No"), http(status="500 No"), http(b"yes"))
    assert case.fetcher.get(PAGE).body == b"yes"
    assert len(server.requests) == 3


@pytest.mark.parametrize("kind", ["reset", "truncate"])
def test_a_connection_that_breaks_off_is_asked_again(kind: str, arxiv: LoopbackArxiv, url: str) -> None:
    arxiv.faults = [Fault(kind, times=2)]
    with fetching(arxiv.url, url) as case:
        assert case.fetcher.get(FEED).status == 200
    assert len(arxiv.requests) == 3


def test_a_host_that_cannot_be_reached_is_tried_twice(url: str) -> None:
    with RawServer(http()) as server:
        gone = server.url
    with fetching(gone, url) as case:
        assert refused(case).reason == "unreachable"
        assert case.fetcher.requests == 2
        assert case.jitters == [(0, BACKOFF_SECONDS)]


# ------------------------------------------------------------------ Retry-After
NOW = "Wed, 14 Jan 2026 12:00:00 GMT"
WAITS: dict[str, tuple[dict[str, str], float | None]] = {
    "seconds": ({"retry-after": "7"}, 7),
    "no seconds": ({"retry-after": "0"}, 0),
    "blanks around": ({"retry-after": " 7 "}, 7),
    "a date counts from the answer's own": ({"retry-after": "Wed, 14 Jan 2026 12:01:30 GMT", "date": NOW}, 90),
    "a date that is past is now": ({"retry-after": "Wed, 14 Jan 2026 11:00:00 GMT", "date": NOW}, 0),
    "more than a day is a day": ({"retry-after": "999999"}, 86400),
    "as many digits as you like": ({"retry-after": "9" * 5000}, 86400),
    "a date in years is a day": ({"retry-after": "Wed, 14 Jan 2099 12:00:00 GMT", "date": NOW}, 86400),
    "none": ({}, None),
    "empty": ({"retry-after": ""}, None),
    "a word": ({"retry-after": "soon"}, None),
    "a fraction": ({"retry-after": "1.5"}, None),
    "less than nothing": ({"retry-after": "-5"}, None),
    "digits of other kinds": ({"retry-after": "²"}, None),
    "Arabic digits": ({"retry-after": "٧"}, None),
    "no such date": ({"retry-after": "Wed, 32 Foo 2026 25:61:00 XST", "date": NOW}, None),
    "a year that no calendar has": ({"retry-after": "Mon, 01 Jan 99999999999 00:00:00 GMT", "date": NOW}, None),
    "a date without zone": ({"retry-after": "Wed, 14 Jan 2026 12:01:30 -0000", "date": NOW}, None),
}


@pytest.mark.parametrize(("headers", "seconds"), WAITS.values(), ids=WAITS.keys())
def test_retry_after(headers: dict[str, str], seconds: float | None) -> None:
    assert retry_after_seconds(headers) == seconds


def test_a_date_without_the_answers_own_counts_from_now() -> None:
    at = format_datetime(datetime.now(UTC) + timedelta(seconds=100), usegmt=True)
    assert 90 < (retry_after_seconds({"retry-after": at}) or 0) <= 100


@pytest.mark.parametrize("as_date", [False, True], ids=["seconds", "date"])
@pytest.mark.parametrize("kind", ["429", "503"])
def test_the_pause_is_the_one_that_the_host_asks_for(kind: str, as_date: bool, arxiv: LoopbackArxiv, url: str) -> None:
    arxiv.faults = [Fault(kind, retry_after=30, retry_date=as_date)]
    storage = Storage(url, upgrade=False)
    with Fetcher(settings_for(arxiv.url, url), storage, pause=stop) as fetcher, pytest.raises(Paused) as raised:
        fetcher.get(FEED)
    storage.close()
    assert 29 <= raised.value.args[0] <= 30
    assert len(arxiv.requests) == 1


def test_garbage_for_retry_after_falls_back_to_the_backoff(ask: Ask) -> None:
    _, case = ask(http(b"", "Retry-After: soon", status="503 No"), http(b"yes"))
    assert case.fetcher.get(PAGE).body == b"yes"
    assert case.backoffs == [BACKOFF_SECONDS]


def test_a_long_retry_after_ends_the_visit_and_the_next_one_keeps_to_it(ask: Ask, url: str) -> None:
    server, case = ask(http(b"", "Retry-After: 3600", status="429 Too Many Requests"))
    error = refused(case)
    assert (error.status, error.retry_after, case.pauses) == (429, 3600, [])
    with fetching(server.url, url) as later:
        waiting = refused(later)
        assert waiting.reason == "asked-to-wait"
        assert 3500 < (waiting.retry_after or 0) <= 3600
        assert later.fetcher.get("https://other.example.org/", also=frozenset({429})).status == 429
    assert len(server.requests) == 2


# ------------------------------------------------------------------ time
def drip(head: bytes, pieces: Callable[[], Iterable[bytes]], every: float = 0.02) -> Answer:
    """An answer that comes slowly."""

    def answer(connection: socket.socket, _: bytes) -> None:
        connection.sendall(head)
        for piece in pieces():
            connection.sendall(piece)
            time.sleep(every)

    return answer


def silence(connection: socket.socket, _: bytes) -> None:
    """No answer, until the client has gone."""
    connection.recv(1)


def forever(*pieces: bytes) -> Callable[[], Iterable[bytes]]:
    """The pieces again and again."""
    return lambda: itertools.cycle(pieces)


OK = b"HTTP/1.1 200 OK\r\n"
SLOW: dict[str, Answer] = {
    "a body of known length": drip(OK + b"Content-Length: 9999\r\n\r\n", forever(b"x")),
    "a body without length": drip(OK + b"Connection: close\r\n\r\n", forever(b"x")),
    "chunks": drip(OK + b"Transfer-Encoding: chunked\r\n\r\n", forever(b"1\r\nx\r\n")),
    "a packed body": drip(OK + b"Content-Encoding: gzip\r\n\r\n", forever(*(bytes([b]) for b in gzip.compress(b"x" * 99)))),
    "headers": drip(OK, forever(b"X-", b"A", b":", b" b", b"\r\n")),
    "a status line": drip(b"HTTP/1.1 200 ", forever(b"O")),
    "interim answers": drip(b"", forever(b"HTTP/1.1 103 Early Hints\r\n\r\n")),
    "nothing at all": silence,
}


@pytest.mark.slow
@pytest.mark.parametrize("answer", SLOW.values(), ids=SLOW.keys())
def test_whatever_comes_drop_by_drop_ends_at_the_deadline(answer: Answer, ask: Ask) -> None:
    _, case = ask(answer)
    begun = time.monotonic()
    assert refused(case, total=0.1).reason == "timeout"
    assert 0.1 * TRIES <= time.monotonic() - begun < 0.1 * TRIES + 1.5
    assert len(case.jitters) == TRIES - 1


def test_a_slow_answer_within_the_deadline_is_taken(arxiv: LoopbackArxiv, url: str) -> None:
    arxiv.faults = [Fault("drip", seconds=0.5)]
    with fetching(arxiv.url, url) as case:
        assert case.fetcher.get(FEED, total=10).status == 200


def test_the_body_of_an_error_is_not_waited_for(ask: Ask) -> None:
    endless = drip(b"HTTP/1.1 404 Not Found\r\nContent-Length: 9999\r\n\r\n", forever(b"x"))
    _, case = ask(endless)
    begun = time.monotonic()
    assert refused(case).reason == "http-404"
    assert time.monotonic() - begun < 2


# ------------------------------------------------------------------ size and coding
def test_the_limit_is_the_last_byte_that_is_taken(ask: Ask) -> None:
    server, case = ask(http(b"x" * 1000))
    assert len(case.fetcher.get(PAGE, limit=1000).body) == 1000
    assert refused(case, limit=999).reason == "too-large"
    assert len(server.requests) == 2


def test_the_limit_counts_unpacked_bytes(ask: Ask) -> None:
    _, case = ask(http(gzip.compress(b"x" * 100_000), "Content-Encoding: gzip"))
    assert refused(case, limit=99_999).reason == "too-large"
    assert case.fetcher.get(PAGE, limit=100_000).body == b"x" * 100_000


@pytest.mark.parametrize("kind", ["gzip_bomb", "huge"])
def test_a_bomb_stops_at_the_limit_with_bounded_memory(kind: str, arxiv: LoopbackArxiv, url: str) -> None:
    arxiv.faults = [Fault(kind)]
    with fetching(arxiv.url, url) as case:
        tracemalloc.start()
        try:
            assert refused(case, FEED).reason == "too-large"
            assert tracemalloc.get_traced_memory()[1] < 60 * 2**20
        finally:
            tracemalloc.stop()
    assert len(arxiv.requests) == 1


ENDLESS = {
    "members without content": forever(gzip.compress(b"") * 3000),
    "zeros after the end": lambda: itertools.chain([gzip.compress(b"x")], itertools.repeat(bytes(60_000))),
}


@pytest.mark.parametrize("pieces", ENDLESS.values(), ids=ENDLESS.keys())
def test_packed_bytes_that_unpack_to_nothing_stop_at_the_limit_too(pieces: Callable[[], Iterable[bytes]], ask: Ask) -> None:
    _, case = ask(drip(OK + b"Content-Encoding: gzip\r\n\r\n", pieces, every=0))
    assert refused(case, limit=2**20).reason == "too-large"


LARGE = os.urandom(3 * SPOOL_BYTES)


@pytest.mark.parametrize("coding", ["", "gzip"])
def test_a_large_body_is_put_aside_and_comes_back(coding: str, ask: Ask, tmp_path: Path) -> None:
    sent = http(gzip.compress(LARGE), "Content-Encoding: gzip") if coding else http(LARGE)
    _, case = ask(sent, DATA_DIR=tmp_path)
    before = {p.name for p in tmp_path.iterdir()}
    answer = case.fetcher.get(PAGE)
    assert isinstance(answer.content, Spool)
    assert answer.content.size == len(LARGE)
    assert answer.body == answer.body == LARGE
    assert {p.name for p in tmp_path.iterdir()} <= before | {"fetch.db-wal", "fetch.db-shm", "fetch.db-journal"}  # no name


def test_a_small_body_stays_in_memory(ask: Ask) -> None:
    _, case = ask(http(LARGE[:SPOOL_BYTES]), http(LARGE[: SPOOL_BYTES + 1]))
    assert case.fetcher.get(PAGE).content == LARGE[:SPOOL_BYTES]
    assert isinstance(case.fetcher.get(PAGE).content, Spool)


def test_a_file_goes_with_its_answer(ask: Ask) -> None:
    _, case = ask(http(LARGE), http(LARGE, length=len(LARGE) + 1))

    def files() -> int:
        return len([p for p in Path("/proc/self/fd").iterdir() if "deleted" in os.path.realpath(p)])

    before = files()
    answer = case.fetcher.get(PAGE)
    assert files() == before + 1
    del answer
    assert files() == before
    assert refused(case).reason == "broken-off"
    assert files() == before


def test_a_large_body_takes_no_memory(ask: Ask) -> None:
    _, case = ask(http(gzip.compress(bytes(30 * 2**20)), "Content-Encoding: gzip"))
    tracemalloc.start()
    try:
        answer = case.fetcher.get(PAGE, limit=64 * 2**20)
        assert tracemalloc.get_traced_memory()[1] < 6 * SPOOL_BYTES
    finally:
        tracemalloc.stop()
    assert isinstance(answer.content, Spool)
    assert answer.content.size == 30 * 2**20


def test_without_space_there_is_no_answer(ask: Ask, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> int:
        raise OSError(errno.ENOSPC, "No space left on device")

    server, case = ask(http(LARGE))
    monkeypatch.setattr(os, "pwrite", full)
    error = refused(case)
    assert (error.reason, str(error)) == (
        "no-space",
        "feeds.example.org: the answer cannot be put aside: No space left on device",
    )
    assert len(server.requests) == 1


def test_an_answer_shows_no_body() -> None:
    assert "secret" not in repr(Fetched(PAGE, 200, b"secret", {}))


BODY = b"<feed>" + bytes(range(32, 127)) * 200 + b"</feed>"
PACKED = gzip.compress(BODY)
CODED: dict[str, tuple[bytes, str]] = {
    "gzip": (PACKED, "gzip"),
    "gzip in capitals": (PACKED, "GZIP"),
    "x-gzip": (PACKED, "x-gzip"),
    "deflate": (zlib.compress(BODY), "deflate"),
    "identity": (BODY, "identity"),
    "gzip of two members": (gzip.compress(BODY[:700]) + gzip.compress(BODY[700:]), "gzip"),
    "gzip with zeros behind": (PACKED + bytes(512), "gzip"),
}


@pytest.mark.parametrize(("body", "coding"), CODED.values(), ids=CODED.keys())
def test_a_coded_body_is_unpacked(body: bytes, coding: str, ask: Ask) -> None:
    server, case = ask(http(body, f"Content-Encoding: {coding}"))
    assert case.fetcher.get(PAGE).body == BODY
    assert server.headers()["accept-encoding"] == "gzip"


SPOILT: dict[str, tuple[Answer, str]] = {
    "packed and cut": (http(PACKED[:-20], "Content-Encoding: gzip"), "broken-off"),
    "packed and cut without length": (http(PACKED[:-20], "Content-Encoding: gzip", framed=False), "broken-off"),
    "packed and cut in its head": (http(PACKED[:6], "Content-Encoding: gzip"), "broken-off"),
    "the second member cut": (http(PACKED + PACKED[:-9], "Content-Encoding: gzip"), "broken-off"),
    "shorter than its length": (http(BODY, length=len(BODY) + 1), "broken-off"),
    "chunks without end": (http(b"5\r\nhello\r\n", "Transfer-Encoding: chunked", framed=False), "broken-off"),
    "no packed bytes": (http(BODY, "Content-Encoding: gzip"), "bad-coding"),
    "a wrong checksum": (http(PACKED[:-8] + b"\0" * 8, "Content-Encoding: gzip"), "bad-coding"),
    "text behind packed bytes": (http(PACKED + b"trailer", "Content-Encoding: gzip"), "bad-coding"),
    "a coding that was not asked for": (http(BODY, "Content-Encoding: br"), "bad-coding"),
    "two codings": (http(PACKED, "Content-Encoding: gzip, gzip"), "bad-coding"),
    "no HTTP": (drip(b"\x16\x03\x01 what is this\r\n\r\n", forever()), "broken-off"),
    "too many headers": (http(b"", *(f"X-{n}: {'y' * 1000}" for n in range(200))), "broken-off"),
}


@pytest.mark.parametrize(("answer", "reason"), SPOILT.values(), ids=SPOILT.keys())
def test_a_body_that_is_not_whole_is_no_answer(answer: Answer, reason: str, ask: Ask) -> None:
    server, case = ask(answer)
    assert refused(case).reason == reason
    assert len(server.requests) == (TRIES if reason == "broken-off" else 1)


# ------------------------------------------------------------------ redirects
def to(place: str, status: str = "302 Found") -> Answer:
    return http(b"", f"Location: {place}", status=status)


@pytest.mark.parametrize("status", ["301 Moved", "302 Found", "303 See Other", "307 Temporary", "308 Permanent"])
def test_a_redirect_is_followed_through_the_mirror(status: str, ask: Ask) -> None:
    server, case = ask(to("https://other.example.org/b?c=1", status), http(b"there"))
    answer = case.fetcher.get(PAGE)
    assert (answer.body, answer.url) == (b"there", PAGE)
    assert [r.split(b" ")[1] for r in server.requests] == [b"/feeds.example.org/a", b"/other.example.org/b?c=1"]


@pytest.mark.parametrize(
    ("place", "path"),
    [
        ("/x/y", b"/feeds.example.org/x/y"),
        ("b?q=1", b"/feeds.example.org/b?q=1"),
        ("//cdn.example.org/z", b"/cdn.example.org/z"),
    ],
)
def test_a_relative_redirect_is_of_the_address_that_was_asked(place: str, path: bytes, ask: Ask) -> None:
    server, case = ask(to(place), http(b"there"))
    assert case.fetcher.get(PAGE).body == b"there"
    assert server.requests[1].split(b" ")[1] == path


def test_redirects_end_after_five(ask: Ask) -> None:
    server, case = ask(to(PAGE))
    assert refused(case).reason == "redirect-loop"
    assert len(server.requests) == REDIRECTS + 1
    server, case = ask(*[to(PAGE)] * REDIRECTS, http(b"there"))
    assert case.fetcher.get(PAGE).body == b"there"


FORBIDDEN = [
    "http://169.254.169.254/latest/meta-data/", "http://127.0.0.1/", "http://localhost/", "http://[::1]/", "http://10.0.0.1/",
    "file:///etc/passwd", "ftp://ftp.example.org/", "gopher://example.org/", "https://user:word@example.org/", "https://a:8080/",
    "https://example.org:22/", "http://2130706433/", "https://printer.local/", "//127.0.0.1/", "http://[::1", "http://a..b/",
    "data:,x", "javascript:alert(1)", f"https://{'a' * 70}.example.org/",
]  # fmt: skip


@pytest.mark.parametrize("place", FORBIDDEN)
@pytest.mark.parametrize("hop", [1, 2])
def test_a_redirect_to_what_is_forbidden_is_refused_at_every_hop(place: str, hop: int, ask: Ask) -> None:
    server, case = ask(*[to(PAGE)] * (hop - 1), to(place), http(b"inside"))
    error = refused(case)
    assert (error.reason, error.url) == ("redirect-refused", PAGE)
    assert server.connections == hop
    assert case.pauses == []


def test_the_loopback_faults_of_redirecting_are_refused(arxiv: LoopbackArxiv, url: str) -> None:
    for kind in ("redirect_private", "redirect_loop"):  # the loop's address is a literal one
        arxiv.faults = [Fault(kind)]
        with fetching(arxiv.url, url) as case:
            assert refused(case, FEED).reason == "redirect-refused"


# ------------------------------------------------------------------ headers that may be secret
WORD = "emases nepo"[::-1].replace(" ", "-")  # not in the source as it is: tracebacks quote that
SECRET = {"Authorization": f"Bearer {WORD}"}


def test_own_headers_are_sent(ask: Ask) -> None:
    server, case = ask(http(b"x"))
    case.fetcher.get(PAGE, headers=SECRET | {"Accept": "application/json"})
    assert server.headers()["authorization"] == f"Bearer {WORD}"
    assert server.headers()["accept"] == "application/json"


HOPS: dict[str, tuple[str, list[str], bool]] = {
    "to a path of the same host": (PAGE, ["/b"], True),
    "to another host": (PAGE, ["https://other.example.org/"], False),
    "to a host below": (PAGE, ["https://cdn.feeds.example.org/"], False),
    "to a host above": (PAGE, ["https://example.org/"], False),
    "to the same host without encryption": (PAGE, ["http://feeds.example.org/a"], False),
    "to the same host with encryption": ("http://feeds.example.org/a", [PAGE], True),
    "to another host and back": (PAGE, ["https://other.example.org/", PAGE], False),
    "to the same host in capitals": (PAGE, ["https://FEEDS.example.org/b"], True),
}


@pytest.mark.parametrize(("begin", "places", "kept"), HOPS.values(), ids=HOPS.keys())
def test_a_redirect_takes_own_headers_to_the_first_host_only(begin: str, places: list[str], kept: bool, ask: Ask) -> None:
    server, case = ask(*(to(place) for place in places), http(b"there"))
    assert case.fetcher.get(begin, headers=SECRET).body == b"there"
    assert server.headers(0)["authorization"] == f"Bearer {WORD}"
    assert ("authorization" in server.headers(-1)) is kept


UNSENDABLE = [f"Bearer {WORD}\n", f"Bearer {WORD}\r\nX: y", f"{WORD}\0", f"{WORD}é"]


@pytest.mark.parametrize("value", UNSENDABLE, ids=ascii)
def test_a_header_that_cannot_be_sent_is_refused_without_its_value(value: str, ask: Ask) -> None:
    server, case = ask(http(b"x"))
    headers = {"Authorization": value}
    for send in (partial(case.fetcher.get, PAGE, headers=headers), partial(case.fetcher.post, PAGE, {}, headers=headers)):
        with pytest.raises(FetchError) as raised:
            send()
        assert raised.value.reason == "bad-header"
        assert WORD not in "".join(traceback.format_exception(raised.value))
    assert server.connections == 0


@pytest.mark.parametrize("bad", [http(status="403 No"), http(b"x", length=9), to("http://10.0.0.1/"), http(status="500 No")])
def test_no_error_shows_a_secret(bad: Answer, ask: Ask, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("DEBUG")
    _, case = ask(bad)
    body = {"password": WORD}
    for send in (partial(case.fetcher.get, PAGE, headers=SECRET), partial(case.fetcher.post, PAGE, body, headers=SECRET)):
        with pytest.raises(FetchError) as raised:
            send()
        assert WORD not in "".join(traceback.format_exception(raised.value))
    assert WORD not in caplog.text


# ------------------------------------------------------------------ POST
def test_a_post_sends_json_and_own_headers(ask: Ask) -> None:
    server, case = ask(http(b'{"ok":true}'))
    answer = case.fetcher.post(PAGE, {"ids": ["a", "ü"]}, headers=SECRET)
    assert (answer.status, answer.body, answer.url) == (200, b'{"ok":true}', PAGE)
    assert server.requests[0].startswith(b"POST /feeds.example.org/a HTTP/1.1\r\n")
    assert server.requests[0].endswith('\r\n\r\n{"ids": ["a", "ü"]}'.encode())
    assert server.headers()["content-type"] == "application/json"
    assert server.headers()["authorization"] == f"Bearer {WORD}"
    assert case.fetcher.requests == 1


@pytest.mark.parametrize("status", ["301 Moved", "302 Found", "303 See Other", "307 Temporary", "308 Permanent"])
def test_a_post_follows_no_redirect(status: str, ask: Ask) -> None:
    server, case = ask(to("https://other.example.org/", status), http(b"there"))
    with pytest.raises(FetchError) as raised:
        case.fetcher.post(PAGE, {}, headers=SECRET)
    assert raised.value.status == int(status[:3])
    assert len(server.requests) == 1


@pytest.mark.parametrize(
    "bad",
    [
        http(status="500 No"), http(status="502 No"), http(status="503 No"), http(status="429 No"), http(status="504 No"),
        http(b"", "Retry-After: 0", status="500 No"), http(b"x", length=9),
    ],
)  # fmt: skip
def test_a_post_that_may_have_been_done_is_not_repeated(bad: Answer, ask: Ask) -> None:
    server, case = ask(bad, http(b"yes"))
    with pytest.raises(FetchError):
        case.fetcher.post(PAGE, {})
    assert (len(server.requests), case.backoffs) == (1, [])


@pytest.mark.parametrize("status", ["429 Too Many Requests", "503 Service Unavailable"])
def test_a_post_is_sent_again_when_the_host_says_when(status: str, ask: Ask) -> None:
    server, case = ask(http(b"", "Retry-After: 0", status=status), http(b"yes"))
    assert case.fetcher.post(PAGE, {"a": 1}).body == b"yes"
    assert len(server.requests) == 2
    assert server.requests[0] == server.requests[1]


def test_a_post_does_not_wait_for_hours(ask: Ask) -> None:
    server, case = ask(http(b"", "Retry-After: 3600", status="429 Too Many Requests"))
    with pytest.raises(FetchError) as raised:
        case.fetcher.post(PAGE, {})
    assert (raised.value.retry_after, len(server.requests)) == (3600, 1)


def test_a_post_has_the_limits_of_a_get(ask: Ask) -> None:
    _, case = ask(http(b"x" * 1000))
    assert len(case.fetcher.post(PAGE, {}, limit=1000).body) == 1000
    with pytest.raises(FetchError) as raised:
        case.fetcher.post(PAGE, {}, limit=999)
    assert raised.value.reason == "too-large"
    for address in ("http://127.0.0.1/", "file:///etc/passwd", "https://a:8080/"):
        with pytest.raises(FetchError) as raised:
            case.fetcher.post(address, {})
        assert raised.value.reason == "address-refused"


def test_a_post_keeps_the_gap_of_the_host(ask: Ask) -> None:
    server, case = ask(http(b"x"), HOST_GAP_SECONDS=0.3)
    case.fetcher.get(PAGE)
    begun = time.monotonic()
    case.fetcher.post(PAGE, {})
    assert case.pauses
    assert time.monotonic() - begun > 0.2
    assert len(server.requests) == 2


def test_a_status_of_a_post_is_an_answer_only_when_asked_for(ask: Ask) -> None:
    _, case = ask(http(b"challenge", status="403 Forbidden"))
    assert case.fetcher.post(PAGE, {}, also=frozenset({403})).body == b"challenge"
    with pytest.raises(FetchError) as raised:
        case.fetcher.post(PAGE, {})
    assert raised.value.status == 403


# ------------------------------------------------------------------ addresses


@pytest.fixture(scope="module")
def listener() -> Iterator[RawServer]:
    """A server that must not be found."""
    with RawServer(http(b"found")) as raw:
        yield raw


@pytest.fixture(scope="module")
def guarded(listener: RawServer, run: Run, tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[Fetcher]]:
    """Two fetchers, one whose every host is the listener, and one that goes out by itself."""
    path = tmp_path_factory.mktemp("guarded") / "fetch.db"
    path.write_bytes(run.sqlite_template().read_bytes())
    url = f"sqlite:///{path}"
    storage = Storage(url, upgrade=False)
    alone = settings_for("", url, ARXIV_GAP_SECONDS=3, HOST_GAP_SECONDS=1)
    with (
        Fetcher(settings_for(listener.url, url), storage, pause=stop) as mirrored,
        Fetcher(alone, storage, pause=stop) as direct,
    ):
        yield [mirrored, direct]
    storage.close()


@pytest.mark.parametrize("address", HOSTILE, ids=ascii)
def test_a_hostile_address_is_refused_without_a_socket(address: str, listener: RawServer, guarded: list[Fetcher]) -> None:
    address = address.replace("{port}", listener.url.rpartition(":")[2])
    with pytest.raises(FetchError) as raised:
        check_address(address)
    assert raised.value.reason == "address-refused"
    assert str(raised.value).isprintable()
    for fetcher in guarded:
        with pytest.raises(FetchError):
            fetcher.get(address)
        assert fetcher.requests == 0
    assert listener.connections == 0


@pytest.mark.parametrize(
    "address",
    [
        "https://arxiv.org/list/cs.LG/new", "https://rss.arxiv.org/rss/cs.LG", "http://export.arxiv.org/api/query?id_list=1",
        "https://OAIPMH.arXiv.org/oai", "https://example.org:443/", "http://example.org:80/", "https://example.org", "https://x.co/",
        "https://xn--bcher-kva.example/", "https://a_b.example.org/", "https://3.example.org/", "https://example.org/@x:1/[y]?u=a@b",
        "https://127.0.0.1.example.org/",
    ],
)  # fmt: skip
def test_a_public_address_is_let_through(address: str) -> None:
    check_address(address)


# ------------------------------------------------------------------ conditional requests
@pytest.mark.parametrize(
    "etag", ['"quoted"', "unquoted", 'W/"weak"', "deadbeef" * 8, '"with, comma"', '"caf\u00e9 \u00fc"', "''", '"a" "b"']
)
def test_validators_come_back_as_they_came(etag: str, ask: Ask) -> None:
    stamp = "Tue, 13 Jan 2026 00:00:00 GMT"
    server, case = ask(http(b"x", f"ETag: {etag}", f"Last-Modified: {stamp}"), http(status="304 Not Modified"))
    first = case.fetcher.get(PAGE)
    assert first.etag == etag
    again = case.fetcher.get(PAGE, etag=first.etag, last_modified=first.last_modified)
    assert (again.not_modified, again.body, again.status) == (True, b"", 304)
    assert server.headers()["if-none-match"] == etag
    assert server.headers()["if-modified-since"] == stamp


def test_without_validators_no_condition_is_sent(ask: Ask) -> None:
    server, case = ask(http(b"x"))
    answer = case.fetcher.get(PAGE)
    assert (answer.etag, answer.last_modified) == ("", "")
    assert not {"if-none-match", "if-modified-since"} & set(server.headers())


def test_a_condition_goes_along_with_a_redirect(ask: Ask) -> None:
    server, case = ask(to("https://other.example.org/"), http(status="304 Not Modified"))
    assert case.fetcher.get(PAGE, etag="x").not_modified
    assert server.headers()["if-none-match"] == "x"


def test_arxivs_unquoted_tag_is_answered_with_304(arxiv: LoopbackArxiv, url: str) -> None:
    with fetching(arxiv.url, url) as case:
        first = case.fetcher.get(FEED)
        assert '"' not in first.etag
        assert case.fetcher.get(FEED, etag=first.etag).not_modified
    assert [r.conditional for r in arxiv.requests] == [False, True]


# ------------------------------------------------------------------ who asks
@pytest.mark.parametrize(
    ("contact", "agent"),
    [
        ("", f"Skillfeed/{VERSION} (self-hosted research feed)"),
        ("ops@example.org", f"Skillfeed/{VERSION} (+mailto:ops@example.org)"),
        ("mailto:ops@example.org", f"Skillfeed/{VERSION} (+mailto:ops@example.org)"),
        ("https://example.org/about", f"Skillfeed/{VERSION} (+https://example.org/about)"),
        ("josé@example.org", f"Skillfeed/{VERSION} (+mailto:jos%C3%A9@example.org)"),
    ],
)
def test_the_user_agent_says_who_asks(contact: str, agent: str, ask: Ask) -> None:
    server, case = ask(http(b"x"), CONTACT=contact)
    case.fetcher.get(PAGE)
    assert server.headers()["user-agent"] == agent
    assert user_agent(settings_for("", CONTACT=contact, ARXIV_GAP_SECONDS=3, HOST_GAP_SECONDS=1)) == agent


def test_cookies_are_not_kept(ask: Ask) -> None:
    server, case = ask(http(b"x", "Set-Cookie: id=1; Path=/"))
    case.fetcher.get(PAGE)
    case.fetcher.get(PAGE)
    assert "cookie" not in server.headers()


def test_proxies_and_logins_of_the_environment_are_ignored(
    ask: Ask, listener: RawServer, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    for name in ("HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, listener.url)
    (tmp_path / "netrc").write_text("machine 127.0.0.1 login a password b\n")
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    server, case = ask(http(b"direct"))
    assert case.fetcher.get(PAGE).body == b"direct"
    assert listener.connections == 0
    assert "authorization" not in server.headers()


def test_the_proxy_of_the_settings_is_used(ask: Ask) -> None:
    proxy, _ = ask(http(b"through"))
    _, case = ask(http(b"direct"), OUTGOING_PROXY=proxy.url)
    assert case.fetcher.get(PAGE).body == b"through"
    assert proxy.requests[0].startswith(b"GET http://127.0.0.1:")


# ------------------------------------------------------------------ hosts that are down
def test_a_host_that_does_not_answer_is_not_asked_again_in_the_visit(url: str) -> None:
    with RawServer(http()) as server:
        gone = server.url
    with fetching(gone, url) as case:
        assert refused(case).reason == "unreachable"
        asked = case.fetcher.requests
        assert refused(case, "https://feeds.example.org/b").reason == "host-down"
        assert case.fetcher.requests == asked
        assert refused(case, "https://other.example.org/").reason == "unreachable"


def test_a_silent_host_gets_one_more_short_chance(ask: Ask) -> None:
    _, case = ask(silence)
    reasons = [refused(case, total=0.1).reason for _ in range(3)]
    assert reasons == ["timeout", "timeout", "host-down"]
    assert case.fetcher.requests == TRIES + 1


def test_a_good_answer_clears_the_host(ask: Ask) -> None:
    bad = http(b"x", length=9)
    _, case = ask(*[bad] * TRIES, http(b"up"), *[bad] * TRIES, http(b"up"))
    for _ in range(2):
        assert refused(case).reason == "broken-off"
        assert case.fetcher.get(PAGE).body == b"up"


def test_a_host_that_answers_with_errors_is_not_down(ask: Ask) -> None:
    _, case = ask(http(status="500 No"))
    assert [refused(case).reason for _ in range(3)] == ["http-500"] * 3


# ------------------------------------------------------------------ the slot
HOSTS = [
    FEED, "https://oaipmh.arxiv.org/oai?verb=Identify", "https://export.arxiv.org/api/query?id_list=2601.00001",
    "https://arxiv.org/list/cs.LG/new",
]  # fmt: skip


@pytest.mark.slow
def test_two_processes_ask_as_one(migrated_url: str, arxiv: LoopbackArxiv) -> None:
    children = [start(migrated_url, arxiv.url, 0.3, *HOSTS), start(migrated_url, arxiv.url, 0.3, *reversed(HOSTS))]
    go(*children)
    assert [said(child) for child in children] == [["200"] * 4] * 2
    assert len(arxiv.requests) == 8
    assert arxiv.min_gap() >= 0.3
    assert arxiv.max_concurrent() == 1


@pytest.mark.slow
def test_a_killed_process_holds_nobody_up(migrated_url: str, arxiv: LoopbackArxiv) -> None:
    arxiv.faults = [Fault("silence", times=1, seconds=20)]
    child = start(migrated_url, arxiv.url, 1, FEED)
    go(child)
    wait_for(lambda: bool(arxiv.requests))
    os.kill(child.pid, signal.SIGKILL)
    child.communicate()
    storage = Storage(migrated_url, upgrade=False)
    begun = time.monotonic()
    with Fetcher(settings_for(arxiv.url, migrated_url, ARXIV_GAP_SECONDS=1), storage) as fetcher:
        assert fetcher.get(FEED).status == 200
    assert time.monotonic() - begun < 1 + 1.5
    storage.close()
    assert arxiv.min_gap() >= 1


@pytest.mark.slow
def test_what_one_process_was_asked_to_wait_the_other_waits(migrated_url: str, arxiv: LoopbackArxiv) -> None:
    arxiv.faults = [Fault("429", times=1, retry_after=1)]
    child = start(migrated_url, arxiv.url, 0, FEED)
    go(child)
    wait_for(lambda: bool(arxiv.requests) and arxiv.requests[0].finished is not None)
    time.sleep(0.1)  # until it has given the slot back
    storage = Storage(migrated_url, upgrade=False)
    with Fetcher(settings_for(arxiv.url, migrated_url), storage) as fetcher:
        assert fetcher.get(HOSTS[1]).status == 200
    storage.close()
    assert said(child) == ["200"]
    first, *rest = sorted(r.started for r in arxiv.requests)
    assert min(rest) - first >= 1


def wait_for(happened: Callable[[], bool], seconds: float = 20) -> None:
    """Wait until something has happened elsewhere."""
    end = time.monotonic() + seconds
    while not happened():
        assert time.monotonic() < end
        time.sleep(0.01)


def test_the_gap_is_kept_between_arxivs_hosts_and_counts_from_the_end(arxiv: LoopbackArxiv, url: str) -> None:
    arxiv.faults = [Fault("drip", times=1, seconds=0.4)]
    storage = Storage(url, upgrade=False)
    with Fetcher(settings_for(arxiv.url, url, ARXIV_GAP_SECONDS=0.3), storage) as fetcher:
        for address in HOSTS[:3]:
            fetcher.get(address)
    storage.close()
    asked = sorted(arxiv.requests, key=lambda r: r.started)
    for before, after in itertools.pairwise(asked):
        assert before.finished is not None
        assert after.started - before.finished >= 0.29


def test_different_hosts_do_not_wait_for_each_other(ask: Ask) -> None:
    _, case = ask(http(b"x"), HOST_GAP_SECONDS=60)
    for name in ("a", "b", "c"):
        case.fetcher.get(f"https://{name}.example.org/")
    assert case.pauses == []


@pytest.mark.slow
def test_a_host_that_keeps_one_waiting_keeps_no_other(arxiv: LoopbackArxiv, url: str) -> None:
    arxiv.faults = [Fault("silence", host="slow.example.org", seconds=5)]
    storage = Storage(url, upgrade=False)
    with (
        ThreadPoolExecutor(1) as pool,
        Fetcher(settings_for(arxiv.url, url), storage) as slow,
        fetching(arxiv.url, url) as quick,
    ):
        waiting = pool.submit(slow.get, "https://slow.example.org/", total=1.0)
        wait_for(lambda: bool(arxiv.requests))
        begun = time.monotonic()
        assert refused(quick, "https://quick.example.org/").reason == "http-404"
        assert time.monotonic() - begun < 0.8
        assert not waiting.done()
        arxiv.faults = []
        assert isinstance(waiting.exception(10), FetchError)
    storage.close()


@pytest.mark.slow
def test_of_two_fetchers_in_one_process_one_waits(arxiv: LoopbackArxiv, url: str) -> None:
    storage = Storage(url, upgrade=False)
    settings = settings_for(arxiv.url, url)
    begin = threading.Barrier(3)

    def several() -> None:
        with Fetcher(settings, storage) as fetcher:
            begin.wait(10)
            for _ in range(3):
                fetcher.get(FEED)

    with ThreadPoolExecutor(3) as pool:
        for done in [pool.submit(several) for _ in range(3)]:
            done.result(30)
    storage.close()
    assert len(arxiv.requests) == 9
    assert arxiv.max_concurrent() == 1
