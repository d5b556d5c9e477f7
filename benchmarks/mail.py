"""Digests as mail: letters written, mails built, mails sent, each beside the least that gives the same."""

from __future__ import annotations

import base64
import itertools
import random
import resource
import smtplib
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from email.policy import SMTP
from pathlib import Path

from rich.table import Table

from app import deliver, letters, render, subscribing
from app.context import Context
from app.digests import Digest, preview
from benchmarks import measuring, steps, wire
from catalog.filters import Filter
from catalog.keys import new_salt, token_hash
from catalog.periods import Period, week_of
from catalog.settings import Settings
from catalog.storage import Storage, items, leases
from catalog.storage import subscriptions as store
from catalog.storage.leases import Lease
from catalog.storage.store import store as put_items
from catalog.subscriptions import Choices, MailFormat, Pairs, next_due
from catalog.taxonomy import load_taxonomy
from ingest.formats.arxiv_oai import parse_oai
from tests.loopback_arxiv import Paper

FILTERS, READERS = 200, 10_000
BUILT, USUAL, SENT = 10_000, 300, 1_000  # mails of a round: ours and by hand; the usual way; over the wire
ROUNDS = 5
SERVERS = {"reading": "a server that reads lines", "sink": "a sink that looks for the end only"}


@dataclass(slots=True)
class Still:
    """A clock that stands still."""

    at: datetime

    def now(self) -> datetime:
        """The instant."""
        return self.at


class Setting:
    """A database with papers, and what its readers ask for."""

    def __init__(self, folder: Path, papers: list[Paper]) -> None:
        self.storage = Storage(f"sqlite:///{folder}/mailed.db")
        with self.storage.write() as db:
            for page in wire.oai_pages(papers, 2_000):
                put_items(db, steps.writes_of(parse_oai(page, "arxiv", steps.LATEST).entries), datetime.now(UTC))
            newest = items.newest_day(db)
        assert newest is not None
        self.week: Period = week_of(newest)
        self.clock = Still(datetime.combine(self.week.last + timedelta(days=1), datetime.min.time(), UTC) + timedelta(hours=8))
        self.taxonomy = load_taxonomy()
        self.folder = folder
        names = [t.slug for t in self.taxonomy.topics]
        every = list(itertools.chain.from_iterable(itertools.combinations(names, n) for n in (1, 2, 3)))
        chosen = random.Random(7).sample(every, FILTERS)
        self.filters: list[Pairs] = [tuple(("topic", name) for name in sorted(one)) for one in chosen]

    def context(self, port: int = 0) -> Context:
        """The instance; with a relay on a port of this machine."""
        given = {"data_dir": self.folder, "secret_key": "k" * 40, "base_url": "https://feed.example.org"}
        given |= {"smtp_url": f"smtp://127.0.0.1:{port}"} if port else {}
        settings = Settings.model_validate(given | {"mail_rate": 1000, "mail_domain_rate": 1000})
        return Context(settings, self.storage, self.taxonomy, self.clock)

    def digest(self, pairs: Pairs) -> Digest:
        """As it would be published."""
        filter = Filter(topics=tuple(value for _, value in pairs))
        return preview(self.storage, self.taxonomy, filter, self.week, self.clock.now().date())

    def subscribe(self, context: Context, count: int, first: int) -> None:
        """So many further readers, due now."""
        keys, now = subscribing.keys_of(context), self.clock.now() - timedelta(days=3)

        def act(db: object) -> None:
            for n in range(first, first + count):
                choices, salt = Choices(filter=self.filters[n % FILTERS]), new_salt()
                address = f"reader{n}@d{n % 50}.example"
                token = token_hash(keys.token("manage", salt))
                one = store.add(db, keys.address_hash(address), address, salt, token, choices, now)  # type: ignore[arg-type]
                store.confirm(db, one.id, now, "benchmark")  # type: ignore[arg-type]
                due = next_due(choices, now).at
                store.change(db, one.id, now, choices=choices, paused=False, next_due=due)  # type: ignore[arg-type]

        self.storage.writing(act, private=True)


def tables(folder: Path, papers: list[Paper]) -> Iterator[Table]:
    """The figures of each step."""
    setting = Setting(folder, papers)
    digests = [setting.digest(pairs) for pairs in setting.filters]
    yield _letters(setting, digests)
    yield _building(digests)
    out = measuring.empty(
        f"Mails sent over one connection to a server in another process, {SENT:,} a round, the ledger kept, no pace",
        ("per second of", "ours", "bare", "ours/bare", "bare is"),
    )
    done = 0
    for kind in SERVERS:
        with server(kind) as port:
            done = _sending(setting, port, kind, out, done)
    yield out
    setting.storage.close()


# ------------------------------------------------------------------ letters
def _letters(setting: Setting, digests: list[Digest]) -> Table:
    picks = {(pick.item.id, pick.why) for d in digests for s in d.sections for pick in s.items}
    shown = sum(d.size for d in digests)
    base = setting.context().settings.base_url

    def once() -> int:
        render.forget()
        return len([letters.letter_of(digest, base) for digest in digests])

    def each() -> int:
        for digest in digests[:20]:
            render.forget()
            letters.letter_of(digest, base)
        return 20

    ours, bare = measuring.medians((once, each), ROUNDS)
    title = f"Letters, {FILTERS} filters, {shown:,} places of {len(picks):,} items with their reasons"
    out = measuring.empty(title, ("per second of", "ours", "bare", "ours/bare", "bare is"))
    out.add_row("letters", f"{ours:,.0f}", f"{bare:,.0f}", f"{ours / bare:.2f}", "each item written in each letter anew")
    return out


# ------------------------------------------------------------------ building
def _building(digests: list[Digest]) -> Table:
    base, at = "https://feed.example.org", datetime(2026, 2, 2, 7, tzinfo=UTC)
    frame = letters.Frame(base, "Skillfeed <skillfeed@feed.example.org>")
    made = [letters.letter_of(digest, base) for digest in digests]
    tokens = [f"{n:043d}" for n in range(BUILT)]

    def ours() -> int:
        ready = [letters.made_ready(letter) for letter in made]
        for n, token in enumerate(tokens):
            letters.written(ready[n % FILTERS], frame, f"r{n}@d.example", f"<{n}@d.example>", at, token, MailFormat.HTML)
        return BUILT

    def by_hand() -> int:
        for n, token in enumerate(tokens):
            one = made[n % FILTERS]
            link = f"{base}/unsubscribe?token={token}"
            text = base64.encodebytes((one.text + link).encode()).replace(b"\n", b"\r\n")
            html = base64.encodebytes(one.html.replace(letters.MARK, f'<a href="{link}">Leave</a>').encode())
            head = (
                f"From: {frame.sender}\r\nTo: r{n}@d.example\r\nMessage-ID: <{n}@d.example>\r\nSubject: digest\r\n"
                f"List-Unsubscribe: <{link}>\r\nContent-Type: multipart/alternative; boundary=b\r\n\r\n--b\r\n"
            )
            part = "Content-Type: text/{}; charset=utf-8\r\nContent-Transfer-Encoding: base64\r\n\r\n"
            b"".join((
                head.encode(), part.format("plain").encode(), text, b"--b\r\n", part.format("html").encode(),
                html.replace(b"\n", b"\r\n"), b"--b--\r\n",
            ))  # fmt: skip
        return BUILT

    def usual() -> int:
        policy = SMTP.clone(max_line_length=998)
        for n, token in enumerate(tokens[:USUAL]):
            one = made[n % FILTERS]
            link = f"{base}/unsubscribe?token={token}"
            message = EmailMessage(policy=policy)
            message["From"], message["To"], message["Subject"] = frame.sender, f"r{n}@d.example", one.subject
            message["Message-ID"], message["List-Unsubscribe"] = f"<{n}@d.example>", f"<{link}>"
            message.set_content(one.text + link)
            message.add_alternative(one.html.replace(letters.MARK, f'<a href="{link}">Leave</a>'), subtype="html")
            message.as_bytes()
        return USUAL

    fast, hand, slow = measuring.medians((ours, by_hand, usual), ROUNDS)
    size = len(letters.written(letters.made_ready(made[0]), frame, "r@d.example", "<1@d>", at, tokens[0], MailFormat.HTML))
    title = (
        f"Mails built of {FILTERS} letters for {BUILT:,} readers, about {size / 1000:.0f} kB each; letters encoded meanwhile"
    )
    out = measuring.empty(title, ("per second of", "ours", "bare", "ours/bare", "bare is"))
    out.add_row("mails", f"{fast:,.0f}", f"{hand:,.0f}", f"{fast / hand:.2f}", "a multipart joined by hand, base64, for each")
    out.add_row("mails", f"{fast:,.0f}", f"{slow:,.0f}", f"{fast / slow:.2f}", "the usual way: an EmailMessage for each")
    return out


# ------------------------------------------------------------------ sending
def _sending(setting: Setting, port: int, kind: str, out: Table, done: int) -> int:
    """Add the figures with this kind of server; `done` readers have had their mail, returns how many then."""
    context, written = setting.context(port), itertools.count(done)
    peaks: list[int] = []

    def ours() -> int:
        setting.subscribe(context, SENT, next(written) * SENT)
        with setting.storage.write() as db:
            lease = leases.claim(db, deliver.LEASE, leases.new_owner(), 600)
        assert isinstance(lease, Lease)
        deliver.plan(context, lease)
        sender = deliver.Sender(context, lease)
        sender.unpaced()
        started = time.perf_counter()
        report = sender.run()
        took.append(time.perf_counter() - started)
        with setting.storage.write() as db:
            leases.release(db, lease)
        if report.sent != SENT:
            raise SystemExit(f"{report}")
        peaks.append(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024)
        return SENT

    took: list[float] = []
    frame = letters.Frame("https://feed.example.org", "Skillfeed <skillfeed@feed.example.org>")
    ready = [letters.made_ready(letters.letter_of(setting.digest(pairs), frame.base_url)) for pairs in setting.filters]
    at = setting.clock.now()
    prebuilt = [
        letters.written(ready[n % FILTERS], frame, f"r{n}@d.example", f"<{n}@d>", at, f"{n:043d}", MailFormat.HTML)
        for n in range(SENT)
    ]

    def bare() -> float:
        started = time.perf_counter()
        with smtplib.SMTP("127.0.0.1", port) as server:
            for n, message in enumerate(prebuilt):
                server.sendmail("skillfeed@feed.example.org", [f"r{n}@d.example"], message)
        return time.perf_counter() - started

    beside = []
    for _ in range(ROUNDS):
        ours()
        beside.append(bare())
    fast, limit = SENT / sorted(took)[ROUNDS // 2], SENT / sorted(beside)[ROUNDS // 2]
    out.add_row(
        f"mails, {SERVERS[kind]}", f"{fast:,.0f}", f"{limit:,.0f}", f"{fast / limit:.2f}", "smtplib, mails built before"
    )
    out.add_row("peak memory, MB", f"{peaks[-1]:,}", f"{peaks[0]:,}", f"{peaks[-1] / peaks[0]:.2f}", "after the first round")
    return next(written)


@contextmanager
def server(kind: str) -> Iterator[int]:
    """The port of an SMTP server in a process of its own that takes everything and keeps nothing."""
    command = [sys.executable, "-m", "benchmarks.sink", kind]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            yield int(process.stdout.readline())
        finally:
            process.terminate()
