"""The API beside a bare FastAPI hello-world, both in this process through ASGI, without sockets."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from fastapi import FastAPI
from rich.table import Table

from app.context import Context
from app.main import create_app
from benchmarks import steps, wire
from catalog.clock import RealClock
from catalog.settings import read_settings
from catalog.storage import Storage
from catalog.storage.store import store
from catalog.taxonomy import load_taxonomy
from ingest.formats.arxiv_oai import parse_oai
from tests.loopback_arxiv import Paper

REQUESTS = 300


def ask(app: Any, path: str, query: str = "") -> None:
    """One GET; raises when the answer is not 200."""
    scope = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": "GET",
        "scheme": "http",
        "path": path,
        "raw_path": path.encode(),
        "query_string": query.encode(),
        "headers": [(b"host", b"127.0.0.1")],
        "client": ("127.0.0.1", 1),
        "server": ("127.0.0.1", 8000),
        "root_path": "",
    }
    status: list[int] = []

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: dict[str, Any]) -> None:
        if message["type"] == "http.response.start":
            status.append(message["status"])

    async def many() -> None:
        for _ in range(REQUESTS):
            await app(scope, receive, send)

    asyncio.run(many())
    if set(status) != {200}:
        raise SystemExit(f"{path}?{query} answered {set(status)}")


def rate(act: Callable[[], None]) -> float:
    """Requests per second."""
    start = time.perf_counter()
    act()
    return REQUESTS / (time.perf_counter() - start)


def table(folder: Path, papers: list[Paper]) -> Table:
    """Requests per second of the main routes, and their share of the hello-world's."""
    storage = Storage(f"sqlite:///{folder}/served.db")
    with storage.write() as db:
        said = parse_oai(wire.oai_pages(papers, len(papers))[0], "arxiv", steps.LATEST).entries
        store(db, steps.writes_of(said), RealClock().now())
    settings = read_settings({}, None)
    app = create_app(Context(settings=settings, storage=storage, taxonomy=load_taxonomy(), clock=RealClock()))
    hello = FastAPI()

    @hello.get("/")
    def _hello() -> dict[str, str]:
        return {"hello": "world"}

    out = Table(title=f"GET, requests per second in process, one at a time, {len(papers):,} items on SQLite", box=None)
    for name in ("route", "per second", "of hello"):
        out.add_column(name, justify="left" if name == "route" else "right")
    ask(hello, "/")
    base = rate(lambda: ask(hello, "/"))
    out.add_row("hello world", f"{base:,.0f}", "1.00")
    for path, query in (
        ("/api/v1/items", "topic=deep-learning&limit=50"),
        ("/api/v1/items", "q=neural+networks&limit=50"),
        ("/api/v1/topics", ""),
        ("/healthz", ""),
    ):
        ask(app, path, query)
        got = rate(lambda path=path, query=query: ask(app, path, query))  # type: ignore[misc]
        out.add_row(f"{path}?{query}", f"{got:,.0f}", f"{got / base:.2f}")
    storage.close()
    return out
