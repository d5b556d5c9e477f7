"""The worker in process: requests, chores and alerts, moved by hand."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta
from email import message_from_bytes
from pathlib import Path
from typing import Any

import pytest

from app.context import Context
from app.worker import VISITS, Worker
from catalog.errors import FetchError, SettingsError
from catalog.filters import Listing
from catalog.outcomes import Outcome, Run
from catalog.settings import Settings, read_settings
from catalog.storage import Storage, items, leases, requests, retags, sources, upkeep
from catalog.storage.requests import Request
from catalog.taxonomy import load_taxonomy
from ingest.cadence import Cadence
from ingest.source import History, Visit
from tests.catalog.things import Thing, put
from tests.ingest.loopback import RawServer, http
from tests.instance import HandClock, tagger
from tests.loopback_smtp import LoopbackSmtp

pytestmark = pytest.mark.slow  # processes are started, waited for and killed

DAY = date(2026, 1, 29)


class Scripted:
    """A source that does what the test says and wants to be visited daily."""

    homepage = "https://example.org/"
    summary = "for tests"
    enabled = True

    def __init__(self, name: str, act: Callable[[Visit], None] | None = None) -> None:
        self.name, self.act, self.visits = name, act, 0

    def steps(self, settings: Settings) -> int:
        """One part."""
        return 1

    def visit(self, visit: Visit) -> None:
        """Do what the test says."""
        self.visits += 1
        visit.begin("all").outcome = Outcome.OK
        if self.act is not None:
            self.act(visit)

    def next_due(self, now: datetime, run: Run, history: History) -> datetime:
        """Tomorrow."""
        return now + timedelta(days=1)


def fail(visit: Visit) -> None:
    raise FetchError("https://example.org/", "http-503", "the host answered 503")


@pytest.fixture
def storage(migrated_url: str) -> Iterator[Storage]:
    made = Storage(migrated_url, upgrade=False)
    yield made
    made.close()


class Setting:
    """A worker's surroundings: one storage, a clock moved by hand, settings as given."""

    def __init__(self, storage: Storage, **given: Any) -> None:
        values = {"UPSTREAM_MIRROR": "http://127.0.0.1:9"} | given
        settings = read_settings({f"SKILLFEED_{k}": str(v) for k, v in values.items()}, None)
        self.clock = HandClock(datetime.now(UTC))
        self.clock.put(DAY)
        self.storage = storage
        self.context = Context(settings, storage, load_taxonomy(), self.clock)

    def worker(self, *known: Scripted) -> Worker:
        return Worker(self.context, known)

    def tick(self, worker: Worker) -> None:
        worker.tick()
        worker.wait(60)

    def ask(self, name: str) -> Request:
        with self.storage.write() as db:
            return requests.ask(db, name, self.clock.now())

    def latest(self, name: str) -> Request:
        with self.storage.read() as db:
            return requests.latest(db)[name]

    def state(self, name: str) -> sources.SourceState:
        with self.storage.read() as db:
            found = sources.state(db, name)
        assert found is not None
        return found


# ------------------------------------------------------------------ requests
def test_a_request_is_answered_at_the_next_tick_though_the_source_is_not_due(storage: Storage) -> None:
    setting, source = Setting(storage), Scripted("pmlr")
    worker = setting.worker(source)
    setting.tick(worker)
    setting.tick(worker)
    assert source.visits == 1
    asked = setting.ask("pmlr")
    setting.tick(worker)
    done = setting.latest("pmlr")
    assert (source.visits, done.id, done.state, done.outcome) == (2, asked.id, "done", "ok")
    with storage.read() as db:
        (last, _) = sources.runs(db, "pmlr")
    assert done.run == last.id
    setting.tick(worker)
    assert source.visits == 2


def test_a_request_for_a_source_that_is_due_or_off_is_one_visit(storage: Storage) -> None:
    setting, due, off = Setting(storage), Scripted("pmlr"), Scripted("cvf")
    worker = setting.worker(due, off)
    with storage.write() as db:
        sources.enable(db, "cvf", False)
    setting.ask("pmlr")
    setting.ask("cvf")
    setting.tick(worker)
    setting.tick(worker)
    assert (due.visits, off.visits) == (1, 1)


def test_a_request_during_a_visit_brings_one_visit_more_after_it(storage: Storage) -> None:
    begun, go_on, overlap = threading.Event(), threading.Event(), []
    inside = threading.Semaphore(1)

    def act(visit: Visit) -> None:
        overlap.append(not inside.acquire(blocking=False))
        begun.set()
        assert go_on.wait(30)
        inside.release()

    setting, source = Setting(storage), Scripted("pmlr", act)
    worker = setting.worker(source)
    worker.tick()
    assert begun.wait(30)
    setting.ask("pmlr")
    worker.tick()
    setting.ask("pmlr")  # while the first is being answered: one more
    go_on.set()
    worker.wait(60)
    setting.tick(worker)
    assert overlap == [False] * 3
    assert setting.latest("pmlr").state == "done"
    setting.tick(worker)
    assert source.visits == 3


def test_a_visit_that_fails_is_an_answer_with_its_error(storage: Storage) -> None:
    setting = Setting(storage)
    worker = setting.worker(Scripted("pmlr", fail))
    setting.ask("pmlr")
    setting.tick(worker)
    done = setting.latest("pmlr")
    assert (done.state, done.outcome, done.error) == ("done", "failed", "example.org: the host answered 503")


def test_a_request_for_a_source_that_is_no_more_is_answered(storage: Storage) -> None:
    setting = Setting(storage)
    worker = setting.worker()
    setting.ask("gone")
    setting.tick(worker)
    done = setting.latest("gone")
    assert (done.state, done.outcome, done.error) == ("done", "failed", "this version of Skillfeed has no such source")


def test_a_worker_that_stops_gives_its_request_back(storage: Storage) -> None:
    begun = threading.Event()

    def act(visit: Visit) -> None:
        begun.set()
        for _ in range(3000):
            visit.http._pause(0.01)  # a visit ends at its next pause

    setting = Setting(storage)
    first = setting.worker(Scripted("pmlr", act))
    setting.ask("pmlr")
    first.tick()
    assert begun.wait(30)
    first.stop()
    assert setting.latest("pmlr").state == "taken"
    second = setting.worker(Scripted("pmlr"))
    setting.tick(second)
    assert setting.latest("pmlr").outcome == "ok"


# ------------------------------------------------------------------ due work
def test_no_more_visits_than_stated_run_at_once_and_all_come_to_their_turn(storage: Storage) -> None:
    go_on, lock, now, most = threading.Event(), threading.Lock(), [0], [0]

    def act(visit: Visit) -> None:
        with lock:
            now[0] += 1
            most[0] = max(most[0], now[0])
        assert go_on.wait(60)
        with lock:
            now[0] -= 1

    many = [Scripted(f"feed:{n}", act) for n in range(VISITS + 5)]
    setting = Setting(storage)
    worker = setting.worker(*many)
    worker.tick()
    worker.tick()
    go_on.set()
    worker.wait(60)
    setting.tick(worker)
    assert [s.visits for s in many] == [1] * len(many)
    assert most[0] <= VISITS


def test_a_bug_in_one_source_is_a_failed_run_and_no_more(storage: Storage) -> None:
    def broken(visit: Visit) -> None:
        raise KeyError("x")

    setting, sound = Setting(storage), Scripted("cvf")
    setting.tick(setting.worker(Scripted("pmlr", broken), sound))
    assert setting.state("pmlr").error == "internal error: KeyError: 'x'"
    assert sound.visits == 1


# ------------------------------------------------------------------ chores
def test_the_ledger_is_thinned_once_a_day_by_one_of_two_workers(storage: Storage) -> None:
    setting = Setting(storage)
    workers = [setting.worker(), setting.worker()]
    old = setting.clock.now() - timedelta(days=500)
    for _ in range(3):
        with storage.write() as db:
            for n in range(3):
                run = Run("pmlr", old + timedelta(hours=n), finished=old, outcome=Outcome.OK)
                run.id = sources.begin_run(db, run)
        for worker in workers:
            setting.tick(worker)
        with storage.read() as db:
            assert sources.runs(db, "pmlr") == []
            chore = upkeep.chores(db)["thin"]
        assert chore.last_done == setting.clock.now()
        assert chore.next_due == setting.clock.now() + timedelta(days=1)
        setting.clock.at += timedelta(days=1)


def test_a_chore_that_another_worker_does_is_left_to_it(storage: Storage) -> None:
    setting = Setting(storage)
    worker = setting.worker()
    with storage.write() as db:
        held = leases.claim(db, "chore:thin", "elsewhere|1|1|1", 600)
    assert isinstance(held, leases.Lease)
    setting.tick(worker)
    with storage.read() as db:
        assert upkeep.chores(db)["thin"].last_done is None


def test_a_new_model_or_taxonomy_tags_everything_anew_once(storage: Storage) -> None:
    put(storage, Thing("2601.00001", title="Graph neural networks", abstract="Message passing.", topics=(("r", 0.9),)))
    setting = Setting(storage)
    worker = setting.worker()
    setting.tick(worker)
    with storage.read() as db:
        topics = [t.topic for item in items.stream(db, Listing()) for t in item.topics]
        assert topics == [tag.topic for tag in tagger().tag("Graph neural networks", "Message passing.", ["cs.LG"])]
        assert retags.version(db) == tagger().version
        done = upkeep.chores(db)["retag"]
    assert done.next_due == setting.clock.now() + timedelta(days=1)
    setting.clock.at += timedelta(days=2)
    setting.tick(worker)
    with storage.write() as db:
        assert upkeep.chores(db)["retag"] == done  # there was nothing to do
        retags.note_done(db, "another version")
    setting.clock.at -= timedelta(days=1, hours=23)
    setting.tick(worker)
    with storage.read() as db:
        assert retags.version(db) == "another version"  # both would else undo each other's work without end
    setting.tick(setting.worker())  # a start is a new version's
    with storage.read() as db:
        assert retags.version(db) == tagger().version


# ------------------------------------------------------------------ alerts
def subjects(server: LoopbackSmtp) -> list[str]:
    return [str(message_from_bytes(one.data)["Subject"]) for one in server.received]


def days(setting: Setting, worker: Worker, count: int) -> None:
    """So many days with a tick each."""
    for _ in range(count):
        setting.clock.at += timedelta(days=1, minutes=1)
        setting.tick(worker)
        setting.tick(worker)  # what the visits of the first found is told at the next


def test_dead_sources_are_told_once_together_and_their_recovery_once(storage: Storage) -> None:
    with LoopbackSmtp() as server:
        setting = Setting(storage, ALERT_TO="ops@example.org", SMTP_URL=f"smtp://127.0.0.1:{server.port}")
        broken = [Scripted("pmlr", fail), Scripted("cvf", fail)]
        workers = [setting.worker(*broken, Scripted("acl")) for _ in range(2)]
        setting.tick(workers[0])
        days(setting, workers[0], 2)
        assert server.received == []
        for _ in range(5):
            days(setting, workers[0], 1)
            setting.tick(workers[1])
        assert subjects(server) == ["Skillfeed: 2 failing (cvf, pmlr)"]
        for source in broken:
            source.act = None
        days(setting, workers[0], 3)
        assert subjects(server)[1:] == ["Skillfeed: 2 well again (cvf, pmlr)"]
    assert setting.state("pmlr").alerted_at is None


def test_nobody_is_told_when_nobody_is_named(storage: Storage) -> None:
    setting = Setting(storage)
    worker = setting.worker(Scripted("pmlr", fail))
    setting.tick(worker)
    days(setting, worker, 6)
    assert setting.state("pmlr").alerted_at is None
    assert not Path("data/outbox").exists()


def test_what_could_not_be_sent_is_tried_again_later_each_time_and_blocks_no_visit(storage: Storage) -> None:
    with LoopbackSmtp(refuse={"RCPT": "450 later"}) as server:
        setting = Setting(storage, ALERT_TO="ops@example.org", SMTP_URL=f"smtp://127.0.0.1:{server.port}")
        sound = Scripted("acl")
        worker = setting.worker(Scripted("pmlr", fail), sound)
        setting.tick(worker)
        days(setting, worker, 3)
        assert sound.visits == 4
        tries = []
        for _ in range(90):
            before = server.connections
            setting.clock.at += timedelta(minutes=1)
            setting.tick(worker)
            tries.append(server.connections - before)
        assert 4 <= sum(tries) <= 8  # after 1, 2, 4, 8, 16, 32 minutes
        with storage.read() as db:
            chore = upkeep.chores(db)["alerts"]
        assert "refused the recipient (450)" in chore.error
        assert setting.state("pmlr").alerted_at is None
        server.refuse.clear()
        days(setting, worker, 1)
        assert subjects(server) == ["Skillfeed: 1 failing (pmlr)"]
        with storage.read() as db:
            assert upkeep.chores(db)["alerts"].failures == 0


def test_a_worker_that_lost_its_lease_while_telling_notes_nothing(storage: Storage, monkeypatch: pytest.MonkeyPatch) -> None:
    setting = Setting(storage, ALERT_TO="ops@example.org")
    worker = setting.worker(Scripted("pmlr", fail))
    setting.tick(worker)

    def slow(*_: object) -> tuple[int, list[str]]:
        with storage.write() as db:  # as another worker does when the lease has run out
            db.exec_driver_sql("UPDATE leases SET owner = 'other', fence = fence + 1 WHERE name = 'chore:alerts'")
        return 1, []

    monkeypatch.setattr("app.alerts.tell", slow)
    setting.clock.at += timedelta(days=4)
    setting.tick(worker)
    setting.tick(worker)
    assert setting.state("pmlr").alerted_at is None


def test_a_worker_refuses_to_start_with_an_impossible_target(storage: Storage) -> None:
    with pytest.raises(SettingsError, match="SKILLFEED_ALERT_TO"):
        Setting(storage, ALERT_TO="nobody").worker()


def test_no_address_is_logged(storage: Storage, capfd: pytest.CaptureFixture[str]) -> None:
    with LoopbackSmtp(refuse={"RCPT": "550 no ops@example.org here"}) as server:
        setting = Setting(storage, ALERT_TO="ops@example.org", SMTP_URL=f"smtp://127.0.0.1:{server.port}")
        worker = setting.worker(Scripted("pmlr", fail))
        setting.tick(worker)
        days(setting, worker, 5)
        assert server.connections
    shown = capfd.readouterr()
    assert "alert_failed" in shown.out + shown.err
    assert "ops@" not in shown.out + shown.err


def test_a_host_that_asked_to_wait_is_not_asked_before(storage: Storage) -> None:
    """Visits in between end without a request; each of them is due later than the one before."""

    def fetch(visit: Visit) -> None:
        visit.http.get("https://example.org/list")

    class Eager(Scripted):
        def next_due(self, now: datetime, run: Run, history: History) -> datetime:
            return Cadence(timedelta(hours=1), timedelta(days=7)).next_due(self.name, now, run, history)

    with RawServer(http(b"", "Retry-After: 3600", status="503 No")) as server:
        setting, source = Setting(storage, UPSTREAM_MIRROR=server.url, HOST_GAP_SECONDS=0), Eager("pmlr", fetch)
        worker = setting.worker(source)
        setting.tick(worker)
        waits = []
        for _ in range(5):
            state = setting.state("pmlr")
            waits.append(state.next_due - setting.clock.at)
            setting.clock.at = state.next_due
            setting.tick(worker)
    assert source.visits == 6
    assert len(server.requests) == 1
    assert "asked for a longer pause" in setting.state("pmlr").error
    assert waits == sorted(waits)
    assert waits[-1] > timedelta(hours=3)
