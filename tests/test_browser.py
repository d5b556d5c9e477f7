"""The pages in a real browser: they load, obey their own content policy, and fit a phone."""

from __future__ import annotations

import re
import shutil
import socket
import subprocess
import threading
import time
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest
import uvicorn

from app.context import Context
from app.main import create_app
from catalog.filters import Listing
from catalog.storage import items
from catalog.taxonomy import load_taxonomy
from tests.instance import instance
from tests.loopback_arxiv import LoopbackArxiv, sample_papers

BROWSER = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
DAY = date(2026, 1, 29)

pytestmark = [
    pytest.mark.browser,
    pytest.mark.slow,
    pytest.mark.skipif(BROWSER is None, reason="no chromium here; `make browser` installs it"),
]


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, str]]:
    """A served instance with a visit behind it: its address and the id of an item."""
    folder = tmp_path_factory.mktemp("site")
    with (
        LoopbackArxiv(sample_papers(seed=7, per_day=10), DAY) as arxiv,
        instance(f"sqlite:///{folder}/site.db", arxiv.url, DAY) as one,
        socket.socket() as listener,
    ):
        one.visit()
        with one.storage.read() as db:
            item = items.page(db, Listing(limit=1))[0][0].id
        context = Context(settings=one.settings, storage=one.storage, taxonomy=load_taxonomy(), clock=one.clock)
        listener.bind(("127.0.0.1", 0))
        server = uvicorn.Server(uvicorn.Config(create_app(context), log_level="error"))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
        thread.start()
        while not server.started:
            time.sleep(0.01)
        yield f"http://127.0.0.1:{listener.getsockname()[1]}", item
        server.should_exit = True
        thread.join()


def browse(url: str, folder: Path, *options: str) -> tuple[str, str]:
    """The page's document after loading, and what the browser complained of."""
    assert BROWSER is not None
    command = [
        BROWSER, "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync",
        "--disable-background-networking", "--disable-component-update", f"--user-data-dir={folder / 'profile'}",
        "--enable-logging=stderr", "--virtual-time-budget=2000", *options, url,
    ]  # fmt: skip
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    complaints = [line for line in done.stderr.splitlines() if "CONSOLE" in line]
    return done.stdout, "\n".join(complaints)


PAGES = (
    "/",
    "/?period=2026-W05",
    "/areas/algorithms",
    "/topics/deep-learning",
    "/items/{item}",
    "/search?q=learning",
    "/status",
    "/subscribe?topic=deep-learning",
    "/nowhere",
)


@pytest.mark.parametrize("page", PAGES)
def test_a_page_loads_and_breaks_no_rule_of_its_policy(site: tuple[str, str], page: str, tmp_path: Path) -> None:
    root, item = site
    document, complaints = browse(root + page.format(item=item), tmp_path, "--dump-dom", "--window-size=390,844")
    assert re.search(r"<h1[^>]*>\s*\S", document)
    rules = [c for c in complaints.splitlines() if "the server responded with a status of 404" not in c or page != "/nowhere"]
    assert rules == []


def test_a_page_is_drawn_in_light_and_dark_at_both_widths(site: tuple[str, str], tmp_path: Path) -> None:
    root, _ = site
    pictures = set()
    for n, options in enumerate(
        (
            ["--window-size=1100,900"],
            ["--window-size=1100,900", "--blink-settings=preferredColorScheme=0"],
            ["--window-size=390,844"],
        )
    ):
        picture = tmp_path / f"{n}.png"
        browse(f"{root}/", tmp_path, f"--screenshot={picture}", *options)
        assert picture.stat().st_size > 20_000  # a blank page compresses to far less
        pictures.add(picture.read_bytes())
    assert len(pictures) == 3
