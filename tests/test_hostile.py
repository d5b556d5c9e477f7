"""What hostile and broken upstreams may cost: an answer, a part, a run; never the worker, its memory or what is held."""

from __future__ import annotations

import gzip
import itertools
import socket
import time
from collections.abc import Callable, Iterable, Iterator
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from catalog.storage import Storage
from catalog.storage import schema as s
from tests.databases import Run
from tests.hostile_child import WorkerChild, worker_child
from tests.ingest.loopback import Answer, RawServer, http
from tests.loopback_arxiv import Fault, LoopbackArxiv, sample_papers
from tests.replay import Replay, announcement_days, needs_replay, recorded, replay

pytestmark = pytest.mark.slow  # processes are started, waited for and killed

GROWTH = 100  # MiB that a worker's peak may grow by
PARSER = 512  # MiB that a process may have that reads answers
DAY = date(2026, 1, 29)
OK = b"HTTP/1.1 200 OK\r\n"
ENDLESS = 200_000_000  # bytes


# ------------------------------------------------------------------ answers
def stream(head: bytes, pieces: Callable[[], Iterable[bytes]], every: float = 0) -> Answer:
    """An answer that comes in pieces."""

    def answer(connection: socket.socket, _: bytes) -> None:
        connection.sendall(head)
        for piece in pieces():
            connection.sendall(piece)
            time.sleep(every)

    return answer


def feed(inside: bytes, before: bytes = b"") -> bytes:
    """A daily feed around an item."""
    return (
        b'<?xml version="1.0"?>'
        + before
        + b'<rss xmlns:arxiv="http://arxiv.org/schemas/atom" version="2.0"><channel><title>cs.LG'
        b"</title><link>https://rss.arxiv.org/rss/cs.LG</link><pubDate>Thu, 29 Jan 2026 00:00:00 -0500</pubDate>"
        + inside
        + b"</channel></rss>"
    )


def item(title: bytes) -> bytes:
    """An item of a daily feed."""
    return (
        b"<item><title>" + title + b"</title><link>https://arxiv.org/abs/2601.00001</link><description>arXiv:2601.00001v1 "
        b'Announce Type: new \nAbstract: Short.</description><guid isPermaLink="false">oai:arXiv.org:2601.00001v1</guid>'
        b"<category>cs.LG</category><arxiv:announce_type>new</arxiv:announce_type></item>"
    )


LAUGHS = b"<!DOCTYPE rss [<!ENTITY a 'ha'>" + b"".join(
    b"<!ENTITY %c '%s'>" % (98 + n, b"&%c;" % (97 + n) * 10) for n in range(9)
)
REFERENCES = b"a: &a [x,x,x,x,x,x,x,x,x]\n" + b"".join(
    b"%c: &%c [%s]\n" % (98 + n, 98 + n, b",".join([b"*%c" % (97 + n)] * 9)) for n in range(9)
)
BOMB = gzip.compress(bytes(10_000_000)) * 100

#: What comes, what reads it, and the reasons in which that may end; "" is an answer that is read.
BODIES: dict[str, tuple[Answer, str, set[str]]] = {
    "two hundred megabytes": (
        stream(OK + b"Connection: close\r\n\r\n", lambda: itertools.repeat(feed(item(b"x"))[:900] * 70, ENDLESS // 63_000)),
        "feed",
        {"too-large"},
    ),
    "a packed gigabyte": (http(BOMB, "Content-Encoding: gzip"), "feed", {"too-large"}),
    "a packed gigabyte in many chunks": (
        stream(
            OK + b"Content-Encoding: gzip\r\nTransfer-Encoding: chunked\r\n\r\n",
            lambda: (b"%x\r\n%s\r\n" % (len(p), p) for p in (BOMB[n : n + 100] for n in range(0, len(BOMB), 100))),
        ),
        "feed",
        {"too-large"},
    ),
    "a title of ten megabytes": (http(feed(item(b"word " * 2_000_000))), "feed", {"", "broken-xml"}),
    "ten megabytes of ampersands": (
        http(feed(item(b"&" * 10_000_000))), "feed", {"", "broken-xml", "parser-memory", "parser-timeout"},
    ),
    "ten megabytes of start tags": (http(feed(item(b"<a>" * 3_300_000))), "feed", {"", "broken-xml", "parser-memory"}),
    "entities in entities": (http(feed(item(b"&j;"), LAUGHS + b"]>")), "feed", {"doctype"}),
    "an entity a hundred thousand times": (
        http(feed(item(b"&a;" * 100_000), b"<!DOCTYPE rss [<!ENTITY a '" + b"x" * 100_000 + b"'>]>")), "feed", {"doctype"},
    ),
    "an entity that is a file": (
        http(feed(item(b"&a;"), b"<!DOCTYPE rss [<!ENTITY a SYSTEM 'file:///etc/passwd'>]>")), "feed", {"doctype"},
    ),
    "a nested element": (http(feed(b"<a>" * 100_000 + b"</a>" * 100_000)), "feed", {"broken-xml", ""}),
    "an element with a million attributes": (
        http(feed(b"<a " + b" ".join(b"a%d=''" % n for n in range(500_000)) + b"/>")), "feed",
        {"", "broken-xml", "parser-timeout"},
    ),
    "records without end": (
        http(b"<OAI-PMH xmlns='http://www.openarchives.org/OAI/2.0/'><ListRecords>" + b"<record>" * 1_000_000), "oai",
        {"", "broken-xml", "parser-timeout", "parser-memory"},
    ),
    "nested HTML": (
        http(b"<html><h3>Showing new listings for Thursday, 29 January 2026</h3>" + b"<div>" * 1_000_000), "listing",
        {"", "parser-memory", "parser-killed", "parser-timeout"},
    ),
    "nested JSON": (http(b"[" * 5_000_000), "json_unguarded", {"too-deep"}),
    "JSON objects in each other": (http(b'{"a":' * 1_000_000), "json_unguarded", {"too-deep"}),
    "YAML references to references": (http(REFERENCES), "yaml_unguarded", {"parser-memory", "parser-timeout"}),
    "nested YAML": (http(b"[" * 100_000), "yaml_unguarded", {"too-deep", "parser-killed", "parser-timeout", "parser-memory"}),
}  # fmt: skip

LONG = {
    "ten megabytes of ampersands",
    "an element with a million attributes",
    "records without end",
}  # until a limit, or nearly


@pytest.fixture(scope="module")
def server() -> Iterator[RawServer]:
    """Serves each of the bodies under its number, and a good feed under everything else."""
    numbered = [answer for answer, _, _ in BODIES.values()]
    slow = stream(OK + b"Content-Length: 9999\r\n\r\n", lambda: itertools.repeat(b"x"), every=1.0)

    def choose(connection: socket.socket, asked: bytes) -> None:
        path = asked.split(b" ")[1].rpartition(b"/")[2]
        answer = numbered[int(path)] if path.isdigit() else slow if path == b"slow" else http(feed(item(b"Good")))
        answer(connection, asked)

    with RawServer(choose) as raw:
        yield raw


@pytest.fixture(scope="module")
def worker(server: RawServer, run: Run, tmp_path_factory: pytest.TempPathFactory) -> Iterator[WorkerChild]:
    """A worker process whose every host is the server, and which has read one good answer."""
    path = tmp_path_factory.mktemp("hostile") / "hostile.db"
    path.write_bytes(run.sqlite_template().read_bytes())
    with worker_child(f"sqlite:///{path}", server.url, "arxiv") as made:
        assert good(made)["reason"] == ""
        yield made


def good(worker: WorkerChild) -> dict[str, Any]:
    """What comes of a good answer."""
    return worker.fetch("https://feeds.example.org/good", "tests.ingest.calls:feed")


@pytest.mark.parametrize("name", [pytest.param(n, marks=pytest.mark.slow) if n in LONG else n for n in BODIES])
def test_a_hostile_body_costs_its_own_answer(name: str, worker: WorkerChild) -> None:
    number = list(BODIES).index(name)
    before = good(worker)
    _, function, reasons = BODIES[name]
    got = worker.fetch(f"https://feeds.example.org/{number}", f"tests.ingest.calls:{function}")
    assert got["reason"] in reasons, got
    assert got["longest"] <= 100_000
    assert got["seconds"] < 45
    assert got["peak"] - before["peak"] < GROWTH / 2
    assert good(worker)["reason"] == ""
    assert good(worker)["files"] == before["files"]
    assert worker.parser_peak < PARSER


@pytest.mark.slow
def test_all_hostile_bodies_together_leave_the_worker_small(worker: WorkerChild) -> None:
    before = good(worker)
    for number, (_, function, _) in enumerate(BODIES.values()):
        if not function.endswith("unguarded"):
            worker.fetch(f"https://feeds.example.org/{number}", f"tests.ingest.calls:{function}", limit=64 * 2**20)
    assert good(worker)["peak"] - before["peak"] < GROWTH


def test_a_byte_a_second_ends_at_the_deadline(worker: WorkerChild) -> None:
    got = worker.fetch("https://slow.example.org/slow", "tests.ingest.calls:feed", total=0.5)
    assert got["reason"] == "timeout"
    assert got["seconds"] < 5 * 0.5 + 3


# ------------------------------------------------------------------ a worker through it all
def titles(url: str) -> dict[str, str]:
    """The titles of arXiv's entries that are held, by key."""
    storage = Storage(url, upgrade=False)
    try:
        with storage.read() as db:
            rows = db.execute(select(s.entries.c.key, s.entries.c.title).where(s.entries.c.source == "arxiv")).all()
            return {r.key: r.title for r in rows}
    finally:
        storage.close()


def sound(run: dict[str, Any]) -> bool:
    """True when a run says what is wrong, if anything is, and each entry seen became something."""
    kept = run["new"] + run["revised"] + run["unchanged"] + sum(run["rejected"].values())
    return bool(run["outcome"] in ("ok", "empty", "not configured") or run["error"]) and run["seen"] == kept


def bear(worker: WorkerChild, day: date, seconds: float) -> dict[str, Any]:
    """Visit while things go wrong: every run ends in time and says what is wrong."""
    got = worker.visit(day)
    assert got["runs"]
    assert got["open"] == 0
    assert all(sound(run) for run in got["runs"].values()), got["runs"]
    assert not any("internal error" in (run["error"] or "") for run in got["runs"].values()), got["runs"]
    assert got["seconds"] < seconds
    return got


WIRE = [
    "huge", "gzip_bomb", "redirect_private", "cut", "redirect_loop", "html_200", "json_shape", "empty_page", "invalid_xml",
    "reset", "truncate",
]  # fmt: skip


@pytest.mark.parametrize(
    "kinds", [pytest.param(WIRE[:4], id="four faults"), pytest.param(WIRE, id="all faults", marks=pytest.mark.slow)]
)
def test_a_worker_survives_a_hostile_arxiv_and_is_complete_when_it_is_over(
    kinds: list[str], migrated_url: str, tmp_path: Path, run: Run
) -> None:
    calm = f"sqlite:///{tmp_path}/calm.db"
    (tmp_path / "calm.db").write_bytes(run.sqlite_template().read_bytes())
    papers = sample_papers(seed=9, per_day=8)
    with LoopbackArxiv(papers, DAY, oai_page=60) as arxiv:
        with worker_child(calm, arxiv.url, "arxiv") as worker:
            assert bear(worker, DAY, 60)["runs"]["arxiv"]["outcome"] == "ok"
        with worker_child(migrated_url, arxiv.url, "arxiv") as worker:
            arxiv.today = DAY - timedelta(days=1)
            before = bear(worker, arxiv.today, 60)
            arxiv.today = DAY
            for kind in kinds:
                arxiv.faults = [Fault(kind, rate=0.5)]
                bear(worker, DAY, 60)
            arxiv.faults = []
            bear(worker, DAY, 60)
            after = worker.visit(DAY, 15)
            assert after["runs"]["arxiv"]["outcome"] == "ok", after["runs"]
            assert after["peak"] - before["peak"] < GROWTH
            assert worker.parser_peak < PARSER
    assert titles(calm).items() <= titles(migrated_url).items()  # it was there a day earlier, and saw what is deleted since


#: Profiles and what narrows them; six days of the records are for them.
PROFILES: list[tuple[str, dict[str, Any]]] = [
    ("flaky", {"kinds": ["503", "429", "reset", "truncate"], "retry_after": 0}),
    ("malformed", {}),
    ("hostile", {}),
    ("outage", {}),
    ("outage", {"kinds": ["timeout"], "hold": 0.5}),
]
ARXIV = ["rss.arxiv.org", "arxiv.org", "oaipmh.arxiv.org", "export.arxiv.org"]


def survive(
    server: Replay, url: str, calm_url: str, sources: str, hosts: list[str], seconds: float, seed: int = 3
) -> list[str]:
    """Visit day after day, each under another profile, then in peace; returns what is measured."""
    days = announcement_days()[:7]
    said = []
    with worker_child(url, server.url, sources) as worker:
        server.put(days[0])
        base = bear(worker, days[0], seconds)
        said.append(f"baseline {base['peak']} MiB in {base['seconds']:.1f} s")
        for day, (name, more) in zip(days[1:], PROFILES, strict=False):
            server.put(day)
            server.faults(name, seed=seed, hosts=hosts, **more)
            got = bear(worker, day, seconds)
            outcomes = {source: run["outcome"] for source, run in got["runs"].items()}
            said.append(f"{name}: {outcomes}, {got['peak']} MiB, parser {worker.parser_peak} MiB, {got['seconds']:.1f} s")
            assert got["peak"] - base["peak"] < GROWTH, said
            assert worker.parser_peak < PARSER
        server.faults("none")
        server.put(days[6])
        for hour in (12, 15):
            worker.visit(days[6], hour)
        last = worker.visit(days[6], 18)
        assert last["runs"]["arxiv"]["outcome"] == "ok", last["runs"]
    with worker_child(calm_url, server.url, "arxiv") as worker:
        for day in days:
            server.put(day)
            bear(worker, day, seconds)
    held, wanted = titles(url), titles(calm_url)
    announced = recorded(("cs.LG", "stat.ML"), days[0], days[6])
    assert len(announced) > 100
    assert announced <= set(held)
    assert {k: (held.get(k), v) for k, v in wanted.items() if held.get(k) != v} == {}
    return said


@needs_replay
@pytest.mark.replay
@pytest.mark.slow
@pytest.mark.parametrize("seed", [1, *(pytest.param(n, marks=pytest.mark.soak) for n in (2, 3))])
def test_arxiv_through_every_profile(seed: int, tmp_path: Path) -> None:
    urls = [f"sqlite:///{tmp_path}/{name}.db" for name in ("hostile", "calm")]
    with replay(announcement_days()[0]) as server:
        for line in survive(server, urls[0], urls[1], "arxiv", ARXIV, 120, seed):
            print(line)  # noqa: T201 - the figures of the promise


@needs_replay
@pytest.mark.replay
@pytest.mark.slow
def test_every_source_through_every_profile(tmp_path: Path) -> None:
    urls = [f"sqlite:///{tmp_path}/{name}.db" for name in ("hostile", "calm")]
    with replay(announcement_days()[0]) as server:
        hosts = server.control("")["hosts"]
        for line in survive(server, urls[0], urls[1], "all", hosts, 1800):
            print(line)  # noqa: T201 - the figures of the promise
