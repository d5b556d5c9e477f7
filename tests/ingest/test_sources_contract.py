"""What every source promises, held against its samples: complete, once, and nothing is lost to a damaged answer.

Samples stand in `tests/data/<module>/upstream/`, one file for each address as the host would answer it; what they come to
stands in `tests/data/<module>/expected/<source>.json`. A new source is found by itself.
"""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from catalog.entries import EntryData, Moment
from catalog.outcomes import Outcome, Run
from catalog.storage import entries
from ingest.source import Source, Window
from ingest.sources import SOURCES
from ingest.sources.hackernews import SEARCHES, HackerNews
from ingest.sources.huggingface import HuggingFace
from ingest.sources.releases import LIBRARIES, Releases
from tests.databases import Run as Session
from tests.dumps import differences, dump
from tests.ingest.mirror import DAMAGES, Mirror, mirror
from tests.instance import Instance, instance

pytestmark = pytest.mark.slow  # every source is visited

ROOT = Path(__file__).resolve().parents[2]
DATA = ROOT / "tests" / "data"
#: A source with days, listings and deletions is more than files: it is tested against a loopback server of its own.
ELSEWHERE = {"arxiv": ROOT / "tests" / "ingest" / "test_arxiv_source.py"}
#: Of sources that ask for many addresses a few are looked at, so that each can be damaged in turn.
SMALL: dict[str, Source] = {
    "huggingface": HuggingFace(first_days=2),
    "hackernews": HackerNews(SEARCHES[:2]),
    "releases": Releases(LIBRARIES[:1]),
}
UNDER_CONTRACT = [SMALL.get(s.name, s) for s in SOURCES if s.name not in ELSEWHERE]

each_source = pytest.mark.parametrize("source", UNDER_CONTRACT, ids=lambda s: str(s.name))


@dataclass(frozen=True, slots=True)
class Expected:
    """What a source's samples come to."""

    clock: datetime
    window: Window | None
    outcome: Outcome
    parts: dict[str, dict[str, Any]]
    entries: dict[str, dict[str, Any]]
    settings: dict[str, str]  # accounts that the source wants


def folder_of(source: Source) -> Path:
    """The samples of a source: those of its module."""
    return DATA / type(source).__module__.rpartition(".")[2]


def expected(source: Source) -> Expected:
    """The expectation of a source."""
    file = folder_of(source) / "expected" / f"{source.name}.json"
    assert file.is_file(), f"{source.name} has no expectation at {file.relative_to(ROOT)}"
    value = json.loads(file.read_text(encoding="utf-8"))
    days = [date.fromisoformat(d) if d else None for d in value["window"] or ()]
    window = Window(days[0], days[1]) if days and days[0] else None
    by_key = {e["key"]: e for e in value["entries"]}
    assert len(by_key) == len(value["entries"]), f"{file.name} names an entry twice"
    own = value.get("settings", {})
    return Expected(datetime.fromisoformat(value["clock"]), window, Outcome(value["outcome"]), value["parts"], by_key, own)


def stored(one: Instance, source: Source) -> dict[str, EntryData]:
    """What is held of a source, withdrawn ones included."""
    with one.storage.read() as db:
        keys = [row.key for row in db.execute(text("SELECT key FROM entries WHERE source = :s"), {"s": source.name})]
        return {key: kept.entry for key, kept in entries.kept(db, source.name, keys).items()}


def told(entry: EntryData, fields: dict[str, Any]) -> dict[str, Any]:
    """An entry's fields of these names as JSON has them."""
    plain: dict[str, Any] = {}
    for name in fields:
        value = getattr(entry, name)
        if isinstance(value, datetime):
            value = value.isoformat().replace("+00:00", "Z")
        elif isinstance(value, date):
            value = value.isoformat()
        plain[name] = json.loads(json.dumps(value, default=_plain))
    return plain


def _plain(value: object) -> Any:
    """A dated point as a list, the rest as text."""
    if isinstance(value, Moment):
        return [f"{value.at:%Y-%m-%dT%H:%M:%SZ}", value.what, value.label, value.said, value.whole_day]
    return str(value)


def missing(one: Instance, source: Source, wanted: Expected) -> dict[str, Any]:
    """What is held otherwise than expected, by key; empty when all is as it should be."""
    held = stored(one, source)
    out: dict[str, Any] = dict.fromkeys(held.keys() - wanted.entries.keys(), "not expected")
    for key, fields in wanted.entries.items():
        if key not in held:
            out[key] = "not held"
        elif (found := told(held[key], fields)) != fields:
            out[key] = {name: (found[name], fields[name]) for name in fields if found[name] != fields[name]}
        elif held[key].withdrawn and not fields.get("withdrawn"):
            out[key] = "withdrawn"
    return out


@contextmanager
def one_instance(url: str, upstream: Mirror, wanted: Expected) -> Iterator[Instance]:
    """An instance at the expectation's instant."""
    with instance(url, upstream.url, wanted.clock.date(), **wanted.settings) as one:
        one.clock.at = wanted.clock
        yield one


@pytest.fixture
def upstream(source: Source) -> Iterator[Mirror]:
    """The source's samples on the loopback interface."""
    with mirror(folder_of(source) / "upstream") as served:
        yield served


def fresh_sqlite(run: Session, folder: Path, name: str) -> str:
    """The address of a new, empty database."""
    path = folder / f"{name}.db"
    shutil.copyfile(run.sqlite_template(), path)
    return f"sqlite:///{path}"


def asked_files(upstream: Mirror) -> list[str]:
    """The files that were asked for, each once."""
    return [path for path in dict.fromkeys(upstream.asked) if upstream.file(path)]


def fault(run: Run) -> str:
    """A run for a failed assertion."""
    return json.dumps(run.as_dict(), indent=1)


def test_only_arxiv_is_tested_elsewhere() -> None:
    assert ELSEWHERE.keys() == {"arxiv"}
    assert all(file.is_file() for file in ELSEWHERE.values())
    assert {s.name for s in SOURCES} - {s.name for s in UNDER_CONTRACT} == {"arxiv"}


def test_no_two_sources_have_one_name() -> None:
    names = [s.name for s in SOURCES]
    assert sorted(set(names)) == sorted(names)


@pytest.mark.parametrize("source", SOURCES, ids=lambda s: str(s.name))
def test_every_source_has_a_row_in_the_docs(source: Source) -> None:
    page = (ROOT / "docs" / "sources.md").read_text(encoding="utf-8")
    assert re.search(rf"(?m)^\| `{re.escape(source.name)}` \|", page), f"docs/sources.md has no row for {source.name}"
    assert source.summary
    assert "\n" not in source.summary
    assert source.homepage.startswith("https://")


@each_source
def test_a_visit_brings_what_the_source_announced(source: Source, upstream: Mirror, migrated_url: str) -> None:
    wanted = expected(source)
    with one_instance(migrated_url, upstream, wanted) as one:
        run = one.visit(source, wanted.window)
        parts = {p.name: p.as_dict() for p in run.parts}
        assert run.outcome is wanted.outcome, fault(run)
        assert wanted.parts.keys() <= parts.keys()
        assert {n: {k: parts[n].get(k) for k in given} for n, given in wanted.parts.items()} == wanted.parts
        assert missing(one, source, wanted) == {}
        assert all(e.key == key and e.source == source.name for key, e in stored(one, source).items())


@each_source
def test_a_second_visit_writes_nothing(source: Source, upstream: Mirror, migrated_url: str) -> None:
    wanted = expected(source)
    with one_instance(migrated_url, upstream, wanted) as one:
        one.visit(source, wanted.window)
        before = dump(one.storage)
        run = one.visit(source, wanted.window)
        assert (run.counts.new, run.counts.revised) == (0, 0), fault(run)
        assert run.outcome is wanted.outcome, fault(run)
        assert differences(before, dump(one.storage)) == {}


@pytest.mark.slow
@pytest.mark.parametrize("damage", DAMAGES)
@each_source
def test_a_damaged_answer_at_a_first_visit_is_named_and_made_good(
    source: Source, damage: str, upstream: Mirror, run: Session, tmp_path: Path
) -> None:
    wanted = expected(source)
    with one_instance(fresh_sqlite(run, tmp_path, "sound"), upstream, wanted) as one:
        one.visit(source, wanted.window)
    for number, path in enumerate(asked_files(upstream)):
        with one_instance(fresh_sqlite(run, tmp_path, str(number)), upstream, wanted) as one:
            upstream.damage = (path, DAMAGES[damage])
            spoilt = one.visit(source, wanted.window)
            assert spoilt.outcome is not None
            assert "internal error" not in spoilt.error, (path, fault(spoilt))
            lost = missing(one, source, wanted)
            assert not (spoilt.outcome.good and lost), (path, lost, fault(spoilt))
            upstream.damage = None
            after = one.visit(source, wanted.window)
            assert missing(one, source, wanted) == {}, (path, fault(after))
            assert after.outcome is wanted.outcome, (path, fault(after))


@pytest.mark.slow
@pytest.mark.parametrize("damage", DAMAGES)
@each_source
def test_a_damaged_answer_takes_nothing_from_what_is_held(
    source: Source, damage: str, upstream: Mirror, run: Session, tmp_path: Path
) -> None:
    wanted = expected(source)
    with one_instance(fresh_sqlite(run, tmp_path, "held"), upstream, wanted) as one:
        one.visit(source, wanted.window)
        for path in asked_files(upstream):
            upstream.damage = (path, DAMAGES[damage])
            spoilt = one.visit(source, wanted.window)
            assert "internal error" not in spoilt.error, (path, fault(spoilt))
            assert missing(one, source, wanted) == {}, (path, fault(spoilt))
            upstream.damage = None
            after = one.visit(source, wanted.window)
            assert missing(one, source, wanted) == {}, (path, fault(after))
            assert after.outcome is wanted.outcome, (path, fault(after))
