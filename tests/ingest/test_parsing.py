from __future__ import annotations

import gc
import io
import os
import pickle
import re
import signal
import subprocess
import sys
import textwrap
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from catalog.errors import ParseError
from ingest.fetch import Spool
from ingest.formats.arxiv_feed import parse_daily
from ingest.formats.xml import read_xml
from ingest.parsing import MEMORY, Parser, ParserBug, Results
from tests.ingest import calls

pytestmark = pytest.mark.slow  # processes are started, waited for and killed

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def parser() -> Iterator[Parser]:
    """One process, with a second or two for a call."""
    made = Parser(children=1, seconds=1)
    yield made
    made.close()
    assert not made.idle


def reason(parser: Parser, function: Callable[..., object], *args: object) -> str:
    """The reason of the ParseError in which a call ends."""
    with pytest.raises(ParseError) as raised:
        parser.parse(function, b"", *args)
    assert "\n" not in str(raised.value)
    return raised.value.reason


def spooled(data: bytes) -> Spool:
    spool = Spool(None)
    spool.write(data)
    return spool


def gone(process: int) -> bool:
    """True when there is no such process, not even as a zombie."""
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return True
    return False


# ------------------------------------------------------------------ what comes back
def test_a_function_gets_bytes_and_arguments(parser: Parser) -> None:
    assert parser.parse(calls.size_and, b"hello", 1, times=2) == (12, b"hell")
    assert parser.parse(calls.size_and, b"", 0) == (0, b"")


def test_a_body_in_a_file_arrives_as_one_in_memory(parser: Parser) -> None:
    data = os.urandom(3 * 2**20)
    spool = spooled(data)
    assert parser.parse(calls.size_and, spool, 0) == (len(data), data[:4])
    assert parser.parse(calls.size_and, spool, 0) == (len(data), data[:4])
    assert spool.read() == data


def test_results_come_back_equal_and_of_their_types(parser: Parser) -> None:
    got = parser.parse(calls.values, b"")
    assert got == calls.values(b"")
    assert [type(v) for v in got] == [type(v) for v in calls.values(b"")]


def test_a_parse_error_comes_back_as_it_is(parser: Parser) -> None:
    with pytest.raises(ParseError, match=r"^no feed: 3$") as raised:
        parser.parse(calls.refuse, b"abc")
    assert raised.value.reason == "no-feed"
    assert len(parser.idle) == 1


def test_any_other_exception_is_a_bug_with_its_traceback(parser: Parser) -> None:
    with pytest.raises(ParserBug, match="KeyError: 'missing'") as raised:
        parser.parse(calls.stumble, b"")
    assert "in stumble" in "".join(raised.value.__notes__)
    assert len(parser.idle) == 1


def test_what_cannot_be_handed_over_is_a_bug(parser: Parser) -> None:
    with pytest.raises(ParserBug, match="pickle"):
        parser.parse(calls.a_lock, b"")
    with pytest.raises(ParserBug, match=r"pathlib\.\w+ is not admitted"):
        parser.parse(calls.a_path, b"")
    assert parser.parse(calls.size_and, b"x", 0) == (1, b"x")


def test_nesting_without_end_is_a_parse_error(parser: Parser) -> None:
    assert reason(parser, calls.recurse) == "too-deep"
    assert parser.parse(calls.size_and, b"x", 0) == (1, b"x")


# ------------------------------------------------------------------ one process, kept
def test_nothing_is_started_before_the_first_call_and_then_it_is_kept(parser: Parser) -> None:
    assert not parser.idle
    first = parser.parse(calls.pid, b"")
    assert first != os.getpid()
    assert parser.parse(calls.pid, b"") == first
    assert parser.idle == (first,)


def test_threads_share_it(parser: Parser) -> None:
    with ThreadPoolExecutor(4) as pool:
        done = [pool.submit(parser.parse, calls.size_and, b"x" * n, n) for n in range(40)]
    assert [d.result()[0] for d in done] == [2 * n for n in range(40)]
    assert len(parser.idle) == 1


def test_a_second_one_is_started_while_the_first_is_busy() -> None:
    parser = Parser(children=2, seconds=10)
    with ThreadPoolExecutor(1) as pool:
        slow = pool.submit(parser.parse, calls.sleep, b"", 1.0)
        quick = parser.parse(calls.size_and, b"x", 0)
        if not slow.done():  # else this machine was held up for a second
            assert parser.parse(calls.pid, b"") != os.getpid()
        assert quick == (1, b"x")
        slow.result()
    assert 1 <= len(parser.idle) <= 2
    parser.close()


def test_one_that_died_while_it_waited_is_replaced_unnoticed(parser: Parser) -> None:
    first = parser.parse(calls.pid, b"")
    os.kill(first, signal.SIGKILL)
    deadline = time.monotonic() + 10
    while Path(f"/proc/{first}/stat").read_text().split()[2] != "Z":
        assert time.monotonic() < deadline
    assert parser.parse(calls.pid, b"") not in (first, os.getpid())
    assert gone(first)


def test_it_imports_what_the_function_needs_and_no_more() -> None:
    parser = Parser()
    heavy = {"sqlalchemy", "httpx", "pydantic", "numpy", "requests", "apscheduler", "fastapi", "structlog"}
    with pytest.raises(ParseError):
        parser.parse(parse_daily, b"", "arxiv", date(2026, 1, 1))
    loaded = parser.parse(calls.modules, b"")
    assert "lxml.etree" in loaded
    assert not heavy & set(loaded)
    parser.close()


def test_it_knows_no_secrets(parser: Parser, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SKILLFEED_SECRET_KEY", "s")
    monkeypatch.setenv("HF_TOKEN", "t")
    known = parser.parse(calls.environment, b"")
    assert "PYTHONPATH" in known
    assert not {"SKILLFEED_SECRET_KEY", "HF_TOKEN", "HOME"} & set(known)


def test_a_module_in_the_working_folder_is_not_imported(parser: Parser, tmp_path: Path) -> None:
    (tmp_path / "pickle.py").write_text("raise SystemExit(9)")
    assert parser.parse(calls.size_and, b"x", 0) == (1, b"x")


# ------------------------------------------------------------------ limits
@pytest.mark.parametrize("function", [calls.spin, calls.spin_without_python])
def test_what_takes_too_long_ends_with_its_call(function: Callable[[bytes], None]) -> None:
    parser = Parser(children=1, seconds=0)
    first = parser.parse(calls.pid, b"")
    assert reason(parser, function) == "parser-timeout"
    assert gone(first)
    assert parser.parse(calls.size_and, b"x", 0) == (1, b"x")
    parser.close()


def test_one_that_sleeps_is_ended_by_the_clock(parser: Parser, monkeypatch: pytest.MonkeyPatch) -> None:
    first = parser.parse(calls.pid, b"")
    monkeypatch.setattr("ingest.parsing.START_SECONDS", -1.5)
    assert reason(parser, calls.sleep, 60.0) == "parser-timeout"
    monkeypatch.undo()
    assert gone(first)
    assert parser.parse(calls.size_and, b"x", 0) == (1, b"x")


def test_a_large_body_has_more_time() -> None:
    parser = Parser(children=1, seconds=0)
    large = spooled(bytes(2**20))
    with pytest.raises(ParseError, match="more than 1 s of CPU time"):
        parser.parse(calls.spin, large)
    parser.close()


def test_the_time_of_one_call_is_not_the_next_ones(parser: Parser) -> None:
    for _ in range(3):
        assert parser.parse(calls.burn, b"", 0.8) > 0
    assert len(parser.idle) == 1


@pytest.mark.parametrize("function", [calls.swell, calls.swell_once], ids=["in pieces", "at once"])
def test_what_takes_too_much_memory_ends_with_its_call(function: Callable[[bytes], int], parser: Parser) -> None:
    assert reason(parser, function) == "parser-memory"
    assert parser.parse(calls.size_and, b"x", 0) == (1, b"x")


def test_memory_stays_below_its_limit(parser: Parser) -> None:
    assert parser.parse(calls.take, b"", 300 * 2**20) == 300 * 2**20
    assert reason(parser, calls.take, MEMORY) == "parser-memory"
    parser.parse(calls.size_and, b"", 0)
    (process,) = parser.idle
    status = dict(re.findall(r"(\w+):\s+(\d+) kB", Path(f"/proc/{process}/status").read_text()))
    assert int(status["VmPeak"]) * 1024 <= MEMORY


def test_a_result_that_is_too_large_is_refused() -> None:
    parser = Parser(children=1, memory=2**30)
    assert reason(parser, calls.too_much) == "parser-memory"
    assert parser.parse(calls.size_and, b"x", 0) == (1, b"x")
    parser.close()


@pytest.mark.parametrize(
    ("function", "how"),
    [(calls.fault, "signal 11"), (calls.kill_itself, "signal 9"), (calls.leave, "status 3")],
    ids=["fault", "killed", "left"],
)
def test_one_that_dies_takes_its_call_with_it_and_no_other(function: Callable[[bytes], None], how: str, parser: Parser) -> None:
    first = parser.parse(calls.pid, b"")
    with pytest.raises(ParseError, match=how) as raised:
        parser.parse(function, b"")
    assert raised.value.reason == "parser-killed"
    assert gone(first)
    assert parser.parse(calls.size_and, b"x", 0) == (1, b"x")


# ------------------------------------------------------------------ its end
def test_close_ends_it_and_leaves_no_zombie(parser: Parser) -> None:
    first = parser.parse(calls.pid, b"")
    parser.close()
    assert gone(first)


def test_a_forgotten_parser_ends_its_process() -> None:
    parser = Parser()
    first = parser.parse(calls.pid, b"")
    del parser
    gc.collect()
    assert gone(first)


PARENT = """
    import os, sys, threading, time
    from ingest.parsing import Parser
    from tests.ingest import calls as t
    parser = Parser(seconds=60)
    print(parser.parse(t.pid, b""), flush=True)
    if sys.argv[1] == "busy":
        parser.parse(t.spin_without_python, b"")
    sys.stdin.read()
"""


@pytest.mark.parametrize("at", ["idle", "busy"])
def test_it_ends_when_its_parent_is_killed(at: str) -> None:
    command = [sys.executable, "-c", textwrap.dedent(PARENT), at]
    with subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        child = int(process.stdout.readline())
        if at == "busy":
            deadline = time.monotonic() + 20
            while Path(f"/proc/{child}/stat").read_text().split()[2] != "R":
                assert time.monotonic() < deadline
        process.kill()
    deadline = time.monotonic() + 5
    while not gone(child) and Path(f"/proc/{child}/stat").read_text().split()[2] != "Z":  # the system's first process buries it
        assert time.monotonic() < deadline


def test_ctrl_c_is_the_parents(parser: Parser) -> None:
    first = parser.parse(calls.pid, b"")
    os.kill(first, signal.SIGINT)
    os.kill(first, signal.SIGTERM)
    assert parser.parse(calls.pid, b"") == first
    assert os.getpgid(first) != os.getpgid(0)


def test_a_call_that_is_interrupted_leaves_no_process_behind(parser: Parser) -> None:
    first = parser.parse(calls.pid, b"")

    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGALRM, interrupt)
    try:
        signal.setitimer(signal.ITIMER_REAL, 0.2)
        with pytest.raises(KeyboardInterrupt):
            parser.parse(calls.sleep, b"", 60.0)
    finally:
        signal.signal(signal.SIGALRM, before)
    assert gone(first)
    assert parser.parse(calls.size_and, b"x", 0) == (1, b"x")


# ------------------------------------------------------------------ what is admitted
class Calls:
    """Pickles as a call of something else."""

    def __init__(self, function: object, *args: object) -> None:
        self.call = function, args

    def __reduce__(self) -> Any:
        return self.call


FORBIDDEN: dict[str, object] = {
    "a shell": Calls(os.system, "true"),
    "eval": Calls(eval, "1"),
    "getattr": Calls(getattr, "a", "upper"),
    "an import": Calls(__import__, "os"),
    "a process": Calls(subprocess.Popen, ["true"]),
    "a function of ours": Calls(read_xml, b"<a/>", "a"),
    "a class of ours that is no data": Calls(Parser),
    "a path": Calls(Path, "x"),
    "a class as a value": subprocess.Popen,
}


@pytest.mark.parametrize("value", FORBIDDEN.values(), ids=FORBIDDEN.keys())
@pytest.mark.parametrize("protocol", range(6))
def test_what_is_no_data_is_refused(value: object, protocol: int) -> None:
    with pytest.raises(pickle.UnpicklingError, match="is not admitted"):
        Results(io.BytesIO(pickle.dumps(value, protocol))).load()


@pytest.mark.parametrize(
    ("module", "name"),
    [
        ("ingest.parsing", "os.system"), ("ingest.parsing", "os"), ("ingest.parsing", "Parser"), ("ingest.fetch", "urljoin"),
        ("catalog.entries", "EntryData.__init__"), ("catalogue.entries", "EntryData"), ("ingest.fetch", "Any"),
        ("ingest", "run"), ("ingest.parsing", "is_dataclass"),
    ],
)  # fmt: skip
def test_no_way_leads_through_our_modules(module: str, name: str) -> None:
    with pytest.raises((pickle.UnpicklingError, AttributeError)):
        Results(io.BytesIO()).find_class(module, name)


def test_garbage_is_refused(parser: Parser) -> None:
    for data in (b"", b"\x80\x05", b"cos\nsystem\n(S'true'\ntR.", os.urandom(50)):
        with pytest.raises((pickle.UnpicklingError, EOFError, ValueError, IndexError, KeyError, AttributeError)):
            Results(io.BytesIO(data)).load()
