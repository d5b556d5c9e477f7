"""Pictures of the mail, drawn by chromium: `python -m tests.pictures [FOLDER]`; docs/pictures by default.

The mail is one that an instance over invented papers has written and delivered; nothing is drawn by hand.
"""

from __future__ import annotations

import sys
import tempfile
from datetime import date, timedelta
from pathlib import Path

from app import deliver, subscribing
from app.context import Context
from catalog.storage.items import newest_day
from catalog.subscriptions import Choices
from catalog.taxonomy import load_taxonomy
from tests.app.reading import HandClock, body, holding, parsed
from tests.instance import instance
from tests.loopback_arxiv import LoopbackArxiv, sample_papers
from tests.test_browser import browse

DAY = date(2026, 1, 30)
#: Name and what the browser is told.
VIEWS = {
    "mail-light": ["--window-size=680,760"],
    "mail-dark": ["--window-size=680,760", "--blink-settings=preferredColorScheme=0"],
    "mail-phone": ["--window-size=390,760"],
}


def html(folder: Path) -> tuple[str, str]:
    """HTML and text of a digest that was delivered as a file."""
    with (
        LoopbackArxiv(sample_papers(seed=7, per_day=40), DAY) as arxiv,
        instance(f"sqlite:///{folder}/mail.db", arxiv.url, DAY) as one,
    ):
        one.visit()
        with one.storage.read() as db:
            assert newest_day(db) is not None
        clock = HandClock(one.clock.now())
        settings = one.settings.model_copy(update={"data_dir": folder, "base_url": "https://feed.example.org"})
        context = Context(settings, one.storage, load_taxonomy(), clock)
        subscribing.add(context, "ada@example.org", Choices())
        clock.at += timedelta(days=3)
        with holding(one.storage) as lease:
            assert deliver.deliver(context, lease).sent == 1
    (file,) = (folder / "outbox").glob("*.eml")
    mail = parsed(file.read_bytes())
    return body(mail, "html"), body(mail)


def main(target: Path) -> None:
    """Draw them all, and one without any style."""
    target.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        styled, _ = html(folder)
        start, end = styled.index("<style>"), styled.index("</style>")
        pages = {"mail": styled, "plain": styled[:start] + styled[end + len("</style>") :]}
        for kind, text in pages.items():
            (folder / f"{kind}.html").write_text(text, encoding="utf-8")
        for view, options in VIEWS.items():
            browse((folder / "mail.html").as_uri(), folder, f"--screenshot={target / view}.png", "--hide-scrollbars", *options)
        plain = (folder / "plain.html").as_uri()
        browse(plain, folder, f"--screenshot={target}/mail-without-styles.png", "--hide-scrollbars", "--window-size=680,760")


if __name__ == "__main__":
    main(Path(sys.argv[1]) if sys.argv[1:] else Path(__file__).resolve().parents[1] / "docs" / "pictures")
