"""A sender that is killed again and again: no reader is left out, and each kill repeats at most one mail, as it was."""

from __future__ import annotations

import os
import random
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest

from app import subscribing
from catalog.storage import Storage, outbox
from tests.app.reading import NOW, Instance, parsed
from tests.app.seeding import COUNT, more
from tests.loopback_smtp import LoopbackSmtp

ROOT = Path(__file__).resolve().parents[1]
MONDAY = NOW.replace(month=2, day=2)
SEED = 20260202


class Killer:
    """Kills the sender at a drawn command of the dialogue: before it is answered, or while the answer is on its way."""

    def __init__(self, rng: random.Random, kills: int, readers: int) -> None:
        self.rng, self.left, self.done, self.commands = rng, kills, 0, readers * 8
        self.process: subprocess.Popen[str] | None = None
        self.lock = threading.Lock()
        self.wait = self._draw()

    def _draw(self) -> int:
        """Commands until the next kill: five to a mail, so that all kills fall within the readers."""
        return self.rng.randrange(1, max(2, self.commands // (self.left + self.done + 1)))

    def __call__(self, word: str, line: str) -> str | None:
        with self.lock:
            self.wait -= 1
            process = self.process
            if self.left == 0 or self.wait > 0 or process is None:
                return None
            self.left, self.done, self.process = self.left - 1, self.done + 1, None
            self.wait = self._draw()
        if self.rng.random() < 0.5:
            process.kill()
            process.wait()
        else:  # races with what the sender does next: the commit after 250 as well
            threading.Timer(self.rng.random() * 0.003, process.kill).start()
        return None


def start(one: Instance, port: int) -> subprocess.Popen[str]:
    arguments = [one.storage.url, str(one.folder), str(port), MONDAY.isoformat()]
    return subprocess.Popen(
        [sys.executable, "-m", "tests.deliver_child", *arguments], cwd=ROOT, stdout=subprocess.PIPE, text=True,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
    )  # fmt: skip


def kill_again_and_again(one: Instance, kills: int, readers: int) -> None:
    more(one.storage, range(COUNT))
    for n in range(readers):
        subscribing.add(one.context, f"r{n}@example.org", subscribing.PLAIN)
    killer = Killer(random.Random(SEED), kills, readers)
    with LoopbackSmtp(fault=killer) as server:
        for _ in range(kills * 3 + 10):
            process = start(one, server.port)
            assert process.stdout is not None
            with process.stdout:
                process.stdout.readline()  # the start of the interpreter is no part of what is tested
                killer.process = process
                code = process.wait(120)
            if code == 0:
                break
        got = Counter(mail.recipients[0] for mail in server.received)
        ids: dict[str, set[str]] = {}
        for mail in server.received:
            ids.setdefault(mail.recipients[0], set()).add(str(parsed(mail.data)["Message-ID"]))
    assert len(got) == readers  # nobody is left out
    assert killer.done == kills
    assert sum(got.values()) - readers <= kills  # at most one for each kill
    assert all(len(one_id) == 1 for one_id in ids.values())
    with one.storage.read() as db:
        assert outbox.states(db) == {"sent": readers}


@pytest.mark.slow
@pytest.mark.parametrize("backend", ["sqlite"], indirect=True)  # both by `make soak`
def test_a_few_kills(new_storage: Callable[[], Storage], tmp_path: Path) -> None:
    kill_again_and_again(Instance(new_storage(), tmp_path), kills=3, readers=60)


@pytest.mark.soak
def test_two_hundred_kills(new_storage: Callable[[], Storage], tmp_path: Path) -> None:
    kill_again_and_again(Instance(new_storage(), tmp_path), kills=200, readers=500)
