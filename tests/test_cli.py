"""The command line keeps its promises: exit codes, one line that helps, one JSON object, no secret shown."""

from __future__ import annotations

import io
import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from app import cli
from app.progress import outcome_table
from catalog.outcomes import Part, Run
from catalog.settings import environment_name
from catalog.storage import Storage, migrate
from catalog.version import VERSION
from ingest.sources import SOURCES
from tests.loopback_arxiv import Fault, LoopbackArxiv, announcement_days, sample_papers

pytestmark = pytest.mark.slow

DAY = list(announcement_days(date(2026, 1, 12), date(2026, 2, 6)))[4]


@dataclass(frozen=True, slots=True)
class Done:
    """A command that has ended."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """The one JSON object on stdout."""
        return json.loads(self.out)

    @property
    def complaint(self) -> str:
        """The one line on stderr."""
        lines = self.err.splitlines()
        assert len(lines) == 1, self.err
        assert lines[0].startswith("skillfeed: ")
        return lines[0].removeprefix("skillfeed: ")


class Shell:
    """Runs commands in this process, as the entry point does."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
        self._monkeypatch, self._capsys = monkeypatch, capsys

    def __call__(self, *words: str) -> Done:
        self._monkeypatch.setattr(sys, "argv", ["skillfeed", *words])
        self._capsys.readouterr()
        try:
            cli.main()
            code: Any = 0
        except SystemExit as ended:
            code = ended.code
        got = self._capsys.readouterr()
        return Done(int(code or 0), got.out, got.err)

    def set(self, **settings: object) -> None:
        """Settings of the commands that follow."""
        for name, value in settings.items():
            self._monkeypatch.setenv(environment_name(name), str(value))


@pytest.fixture
def skillfeed(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Shell:
    """A shell in an empty folder, so on an empty SQLite file."""
    return Shell(monkeypatch, capsys)


@contextmanager
def arxiv(skillfeed: Shell, faults: Sequence[Fault] = ()) -> Iterator[LoopbackArxiv]:
    """A loopback arXiv of a few papers, and the settings that lead to it; the other sources are off."""
    with LoopbackArxiv(sample_papers(seed=3, per_day=6), DAY) as server:
        server.faults = list(faults)
        Path("clock").write_text(f"{DAY}T12:00:00Z", encoding="ascii")  # one clock for all commands of a test
        skillfeed.set(
            upstream_mirror=server.url,
            clock="clock",
            arxiv_gap_seconds=0,
            host_gap_seconds=0,
            arxiv_categories="cs.LG",
        )
        skillfeed("sources", "disable", *(source.name for source in SOURCES if source.name != "arxiv"))
        yield server


# ------------------------------------------------------------------ exit 2: usage, one line with the nearest
@pytest.mark.parametrize(
    ("words", "named", "allowed"),
    [
        (["ingest", "arxvi"], "source 'arxvi'", "arxiv"),
        (["sources", "enable", "arxvi"], "source 'arxvi'", "arxiv"),
        (["sources", "disable", "arxvi"], "source 'arxvi'", "arxiv"),
        (["items", "--source", "arxvi"], "source 'arxvi'", "arxiv"),
        (["items", "--topic", "deep-lerning"], "topic 'deep-lerning'", "deep-learning"),
        (["items", "--area", "algoritms"], "area 'algoritms'", "algorithms"),
        (["items", "--kind", "papers"], "kind 'papers'", "paper"),
        (["items", "--category", "I.2.6"], "category 'I.2.6'", "cs.LG"),
        (["items", "--since", "yesterday"], "since", "2026-01-28"),
        (["items", "--since", "2026-02-01", "--until", "2026-01-01"], "since 2026-02-01", "until 2026-01-01"),
        (["items", "--q", "x" * 201], "q is 201 characters", "200"),
        (["items", "--format", "xml"], "--format", "jsonl"),
        (["items", "show", "nonsense"], "item 'nonsense'", "skillfeed items"),
        (["items", "show", "\udcff"], r"item '\udcff'", "skillfeed items"),
        (["items", "--topic", "deep-learning", "show", "x"], "--topic", "skillfeed items show"),
        (["sources", "--json", "list"], "--json", "skillfeed sources list"),
        (["digest", "preview", "--since", "2026-02-30"], "since", "2026-01-28"),
        (["digest", "preview", "--period", "2026-W54"], "2026-W54", "2026-W05"),
        (["digest", "preview", "--period", "last week"], "period 'last week'", "2026-W05"),
        (["digest", "preview", "--topic", "deep-lerning"], "topic 'deep-lerning'", "deep-learning"),
        (["digest", "preview", "--format", "pdf"], "--format", "html"),
        (["ingest", "--since", "2026-02-30"], "--since", "2026-01-28"),
        (["ingest", "--since", "2026-02-01", "--until", "2026-01-01"], "--since 2026-02-01", "--until 2026-01-01"),
        (["backfill", "arxiv", "--since", "soon"], "--since", "2026-01-28"),
    ],
    ids=" ".join,
)
def test_a_wrong_word_is_named_with_the_nearest_in_one_line(
    skillfeed: Shell, words: list[str], named: str, allowed: str
) -> None:
    done = skillfeed(*words)
    assert done.code == 2
    assert "--json" in words or done.out == ""
    assert named in done.complaint
    assert allowed in done.complaint


def test_with_json_a_complaint_is_an_object_as_well(skillfeed: Shell) -> None:
    done = skillfeed("ingest", "arxvi", "--json")
    assert done.code == 2
    assert done.json == {"error": {"type": "UnknownName", "message": done.complaint}}


@pytest.mark.parametrize(
    "words", [["nonsense"], ["items", "--nonsense"], ["backfill", "arxiv"], ["serve", "--port", "x"]], ids=" ".join
)
def test_a_command_or_option_that_does_not_exist_is_usage(skillfeed: Shell, words: list[str]) -> None:
    done = skillfeed(*words)
    assert (done.code, done.out) == (2, "")
    assert done.complaint
    told = skillfeed(*words, "--json")
    assert told.json == {"error": {"type": "UsageError", "message": told.complaint}}


@pytest.mark.parametrize("command", ["config", "doctor", "items", "worker --once", "db check"])
def test_a_wrong_setting_stops_every_command(skillfeed: Shell, command: str) -> None:
    skillfeed.set(timezone="Mars/Olympus")
    done = skillfeed(*command.split())
    assert (done.code, done.out) == (2, "")
    assert "SKILLFEED_TIMEZONE" in done.complaint
    assert "Europe/Berlin" in done.complaint


def test_an_unknown_setting_is_named_with_the_nearest(skillfeed: Shell) -> None:
    os.environ["SKILLFEED_CONTAKT"] = "ada@example.org"
    done = skillfeed("items")
    assert done.code == 2
    assert "unknown setting 'SKILLFEED_CONTAKT'" in done.complaint
    assert "SKILLFEED_CONTACT" in done.complaint


def test_a_setting_in_dotenv_counts(skillfeed: Shell) -> None:
    Path(".env").write_text("SKILLFEED_CONTACT=ada@example.org\n", encoding="utf-8")
    assert skillfeed("config", "--json").json["SKILLFEED_CONTACT"] == "ada@example.org"


# ------------------------------------------------------------------ exit 3: the database
def test_a_newer_database_is_left_alone(skillfeed: Shell) -> None:
    assert skillfeed("db", "upgrade").code == 0
    storage = Storage("sqlite:///data/skillfeed.db")
    with storage.write() as db:
        db.exec_driver_sql("UPDATE alembic_version SET version_num = 'from_the_future'")
    storage.close()
    for words in (["items"], ["db", "upgrade"], ["db", "check"], ["ingest"], ["digest", "preview"]):
        done = skillfeed(*words)
        assert done.code == 3, words
        assert "newer version" in done.complaint
        assert "from_the_future" in done.complaint


@pytest.mark.parametrize(
    ("url", "says"),
    [
        ("postgresql://ada:hunter2@127.0.0.1:1/x", "127.0.0.1:1"),
        ("sqlite:////nowhere/at/all/skillfeed.db", "/nowhere/at/all"),
    ],
)
def test_a_database_that_cannot_be_reached_is_named_without_its_password(skillfeed: Shell, url: str, says: str) -> None:
    skillfeed.set(database_url=url)
    for words in (["items"], ["db", "check"], ["db", "upgrade"]):
        done = skillfeed(*words)
        assert done.code == 3, words
        assert says in done.complaint
        assert "hunter2" not in done.err


def test_a_file_that_is_no_database_is_named(skillfeed: Shell) -> None:
    Path("data").mkdir()
    Path("data/skillfeed.db").write_text("no database " * 100, encoding="utf-8")
    done = skillfeed("items")
    assert done.code == 3
    assert "not a database" in done.complaint


def test_a_check_changes_nothing_and_says_what_to_do(skillfeed: Shell) -> None:
    Path("data").mkdir()
    done = skillfeed("db", "check", "--json")
    assert done.code == 3
    assert not done.json["ok"]
    assert "skillfeed db upgrade" in done.json["problem"]
    assert skillfeed("db", "upgrade", "--json").json == {"revision": migrate.head()}
    done = skillfeed("db", "check", "--json")
    assert (done.code, done.json) == (0, {"ok": True, "problem": None})


def test_a_data_folder_that_cannot_be_used_is_named(skillfeed: Shell) -> None:
    Path("taken").write_text("", encoding="utf-8")
    skillfeed.set(data_dir="taken/below")
    for words in (["items"], ["db", "upgrade"], ["sources", "list"]):
        done = skillfeed(*words)
        assert done.code == 2, words
        assert "SKILLFEED_DATA_DIR" in done.complaint
        assert "taken/below" in done.complaint
    done = skillfeed("doctor", "--json")
    assert done.code == 1
    assert [check["check"] for check in done.json["checks"] if check["ok"] is False] == ["database"]


# ------------------------------------------------------------------ exit 0 and 1: what was done
def test_a_visit_that_is_complete_ends_0_and_what_came_can_be_asked_for(skillfeed: Shell) -> None:
    with arxiv(skillfeed):
        done = skillfeed("ingest", "arxiv", "--json")
        assert done.code == 0, done.err
        (run,) = done.json["runs"]
        assert (run["source"], run["outcome"], run["error"]) == ("arxiv", "ok", None)
        assert run["seen"] == run["new"] + run["revised"] + run["unchanged"] + sum(run["rejected"].values())
        assert run["new"] > 0

        again = skillfeed("ingest", "arxiv")
        assert again.code == 0
        assert "requests in" in again.out

        listed = skillfeed("items", "--json").json["items"]
        assert len(listed) == run["new"]
        lines = skillfeed("items", "--format", "jsonl", "--limit", "3").out.splitlines()
        assert [json.loads(line)["id"] for line in lines] == [item["id"] for item in listed[:3]]
        assert len(skillfeed("items").out.splitlines()) == len(listed)
        shown = skillfeed("items", "show", listed[0]["id"], listed[1]["id"], "--json").json["items"]
        assert [item["id"] for item in shown] == [listed[0]["id"], listed[1]["id"]]

        period = f"{DAY.isocalendar().year}-W{DAY.isocalendar().week:02}"
        digest = skillfeed("digest", "preview", "--period", period, "--json").json
        assert digest["period"] == period
        assert digest["sections"]
        assert not skillfeed("digest", "preview", "--period", period, "--since", "2030-01-01", "--json").json["sections"]
        assert skillfeed("digest", "preview", "--period", period).out == skillfeed("digest", "preview", "--period", period).out
        assert skillfeed("worker", "--once").code == 0


def test_a_visit_that_fails_ends_1_and_says_why(skillfeed: Shell) -> None:
    with arxiv(skillfeed, [Fault("html_200")]):
        done = skillfeed("ingest", "arxiv", "--json")
        assert done.code == 1
        (run,) = done.json["runs"]
        assert run["outcome"] == "failed"
        assert "HTML" in run["error"]
        (state,) = (s for s in skillfeed("sources", "list", "--json").json["sources"] if s["source"] == "arxiv")
        assert (state["source"], state["outcome"], state["failures"]) == ("arxiv", "failed", 1)
        assert state["failing_since"]
        assert "failed" in skillfeed("sources").out


def test_progress_goes_to_stderr_and_quiet_leaves_it_out(skillfeed: Shell) -> None:
    with arxiv(skillfeed):
        loud = skillfeed("ingest", "arxiv")
        assert "arxiv cs.LG: ok" in loud.err
        assert "arxiv cs.LG: ok" not in loud.out
        assert "arxiv cs.LG: ok" not in skillfeed("ingest", "arxiv", "--quiet").err


def test_a_backfill_takes_a_range(skillfeed: Shell) -> None:
    with arxiv(skillfeed):
        done = skillfeed("backfill", "arxiv", "--since", str(DAY), "--until", str(DAY), "--set", "cs:cs:LG", "--json")
        assert done.code == 0, done.err
        (run,) = done.json["runs"]
        assert (run["source"], run["outcome"]) == ("backfill:arxiv", "ok")


def test_a_source_that_is_switched_off_is_not_due(skillfeed: Shell) -> None:
    with arxiv(skillfeed) as server:
        assert skillfeed("sources", "disable", "arxiv").code == 0
        assert skillfeed("worker", "--once").code == 0
        assert not server.requests
        assert {s["source"]: s["enabled"] for s in skillfeed("sources", "list", "--json").json["sources"]}["arxiv"] is False
        assert skillfeed("sources", "enable", "arxiv").code == 0
        assert skillfeed("worker", "--once").code == 0
        assert server.requests


def test_a_warning_is_a_note_of_the_doctor_and_shown_with_the_sources(skillfeed: Shell) -> None:
    with arxiv(skillfeed):
        assert skillfeed("ingest", "arxiv").code == 0
        before = skillfeed("doctor", "--json")
        storage = Storage("sqlite:///data/skillfeed.db", upgrade=False)
        with storage.write() as db:
            db.exec_driver_sql(
                "UPDATE sources SET warning = 'gives 0 entries a visit, usually 500', warned_since = last_run "
                "WHERE name = 'arxiv'"
            )
        storage.close()
        done = skillfeed("doctor", "--json")
        (note,) = (check for check in done.json["checks"] if check["check"] == "source arxiv")
        assert note["ok"] is None
        assert f"ok, but since {DAY} 12:00Z it gives 0 entries a visit, usually 500" == note["note"]
        assert done.code == before.code == 0
        assert "gives" in skillfeed("sources").out  # folded where the terminal is narrow
        (state,) = (s for s in skillfeed("sources", "list", "--json").json["sources"] if s["source"] == "arxiv")
        assert state["warning"] == "gives 0 entries a visit, usually 500"


def test_the_doctor_says_whether_anybody_is_told_without_showing_who(skillfeed: Shell) -> None:
    def alerts_of(done: Any) -> dict[str, Any]:
        (check,) = (one for one in done.json["checks"] if one["check"] == "alerts")
        return dict(check)

    Path("data").mkdir()
    assert alerts_of(skillfeed("doctor", "--json"))["ok"] is None
    skillfeed.set(alert_to="ops@example.org")
    told = alerts_of(skillfeed("doctor", "--json"))
    assert (told["ok"], "ops" in told["note"]) == (True, False)
    skillfeed.set(alert_to="ops at example.org")
    told = alerts_of(skillfeed("doctor", "--json"))
    assert (told["ok"], "ops" in told["note"]) == (False, False)
    skillfeed.set(alert_to="ops@example.org", smtp_url="mail.example.org")
    assert "SKILLFEED_SMTP_URL" in alerts_of(skillfeed("doctor", "--json"))["note"]


@pytest.mark.parametrize(
    "words",
    [
        ["config", "--json"], ["db", "upgrade", "--json"], ["db", "check", "--json"], ["doctor", "--json"], ["items", "--json"],
        ["sources", "list", "--json"], ["digest", "preview", "--json"], ["items", "--topic", "nonsense", "--json"],
    ],
    ids=" ".join,
)  # fmt: skip
def test_json_is_exactly_one_object_on_stdout(skillfeed: Shell, words: list[str]) -> None:
    Path("data").mkdir()
    assert isinstance(skillfeed(*words).json, dict)


def test_an_empty_instance_has_an_answer_for_everything(skillfeed: Shell) -> None:
    assert skillfeed("items", "--json").json == {"items": [], "next": None}
    assert skillfeed("items").out == ""
    for form in ("text", "html", "md", "json"):
        done = skillfeed("digest", "preview", "--format", form)
        assert (done.code, done.err) == (0, "")
        assert done.out.endswith("\n")


# ------------------------------------------------------------------ secrets, version, help
def test_config_shows_no_secret(skillfeed: Shell) -> None:
    skillfeed.set(
        database_url="postgresql://ada:hunter2@db.internal/x",
        admin_token="hunter2",
        smtp_url="smtps://ada:hunter2@mail",
        contact="a@b.org",
    )
    for words in (["config"], ["config", "--json"]):
        done = skillfeed(*words)
        assert done.code == 0
        assert "hunter2" not in done.out + done.err
        assert "a@b.org" in done.out
    assert skillfeed("config", "--json").json["SKILLFEED_ADMIN_TOKEN"] == "********"


def test_the_version_and_the_help(skillfeed: Shell) -> None:
    assert skillfeed("--version").out == f"skillfeed {VERSION}\n"
    assert skillfeed("--help").code == 0
    for group in ("db", "backfill", "digest"):
        assert skillfeed(group).code == 2
        assert skillfeed(group, "--help").code == 0


def test_healthcheck_says_no_when_nobody_answers(skillfeed: Shell) -> None:
    done = skillfeed("healthcheck", "--url", "http://127.0.0.1:1")
    assert (done.code, done.out) == (1, "")
    assert "not ready" in done.err


# ------------------------------------------------------------------ as processes
COMMAND = [sys.executable, "-m", "app.cli"]


def environment() -> dict[str, str]:
    """This process's, with the checkout to import from."""
    return {**os.environ, "PYTHONPATH": str(Path(cli.__file__).parents[2])}


@pytest.mark.slow
def test_the_process_ends_with_the_code_and_one_line() -> None:
    done = subprocess.run(
        [*COMMAND, "items", "--topic", "deep-lerning"], env=environment(), capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("skillfeed: unknown topic 'deep-lerning'; nearest allowed: deep-learning")
    assert done.stderr.count("\n") == 1


def test_tagging_needs_no_database_and_no_settings() -> None:
    line = json.dumps({"id": "1", "title": "Deep reinforcement learning for robots", "abstract": ""})
    given = {**environment(), "SKILLFEED_DATABASE_URL": "postgresql://127.0.0.1:1/x"}
    done = subprocess.run([*COMMAND, "tag"], env=given, input=line + "\n", capture_output=True, text=True, check=True)
    answer = json.loads(done.stdout)
    assert answer["id"] == "1"
    assert "reinforcement-learning" in [topic["topic"] for topic in answer["topics"]]
    assert not Path("data").exists()


@pytest.mark.parametrize("papers", [1, 2_000], ids=["at its end", "while it writes"])
def test_a_reader_that_goes_away_is_no_failure(papers: int) -> None:
    Path("in").write_text("".join(f'{{"id": {n}, "title": "Graph networks"}}\n' for n in range(papers)), encoding="ascii")
    reader, writer = os.pipe()
    os.close(reader)
    with Path("in").open("rb") as lines:
        done = subprocess.run(
            [*COMMAND, "tag"], env=environment(), stdin=lines, stdout=writer, stderr=subprocess.PIPE, text=True, check=False
        )
    os.close(writer)
    assert (done.returncode, done.stderr) == (0, "")


def test_the_numbers_of_a_visit_are_never_cut() -> None:
    part = Part(name="oai cs:cs:LG 2026-01-01..2026-01-31")
    run = Run(source="backfill:arxiv", started=datetime(2026, 1, 30, tzinfo=UTC), parts=[part])
    run.counts.new = 1_234_567
    console = Console(width=70, record=True, file=io.StringIO())
    console.print(outcome_table([run]))
    shown = console.export_text()
    assert "1,234,567" in shown
    assert "…" not in shown


def test_an_address_in_use_is_named_before_anything_starts(skillfeed: Shell) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        done = skillfeed("serve", "--port", str(taken.getsockname()[1]))
    assert done.code == 1
    assert "cannot listen on 127.0.0.1" in done.complaint


@pytest.mark.slow
def test_ctrl_c_ends_a_worker_in_order() -> None:
    given = {**environment(), "SKILLFEED_UPSTREAM_MIRROR": "http://127.0.0.1:1", "SKILLFEED_ARXIV_GAP_SECONDS": "0"}
    process = subprocess.Popen([*COMMAND, "worker"], env=given, stderr=subprocess.PIPE, text=True)
    assert process.stderr is not None
    with process.stderr:
        for line in process.stderr:
            if "worker_started" in line:
                break
        process.send_signal(signal.SIGINT)
        rest = process.stderr.read()
    assert process.wait(20) == 0
    assert "worker_stopped" in rest
    assert "Traceback" not in rest
