"""What the instance measures of itself: each figure by hand, and the same from shell and API, on either database."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from fastapi.testclient import TestClient

from app import cli
from app.context import Context
from app.main import create_app
from app.schemas import QUALITY_EXAMPLE, Quality
from catalog.entries import Basis
from catalog.outcomes import Outcome, Run
from catalog.settings import environment_name, read_settings
from catalog.storage import Storage, sources
from catalog.storage.sources import Batch
from catalog.tagging import check
from catalog.taxonomy import load_taxonomy
from ingest.correct import merge, split
from tests.ingest.works import ALL, held, keep, keeper, said
from tests.instance import HandClock

pytestmark = pytest.mark.slow

DAY = date(2026, 7, 20)
NOON = datetime(2026, 7, 20, 12, tzinfo=UTC)


def paper(number: int, day: date, **more: Any) -> Any:
    """An arXiv paper of its own, announced on a day."""
    entry = said("arxiv", f"2607.{number:05}", title=f"Study number {number} of sparse things", authors=(f"Ada Nr{number}",))
    return replace(entry, announced=day, **more)


def visit(storage: Storage, source: str, at: datetime, outcome: Outcome) -> None:
    """A visit that has ended."""
    with storage.write() as db:
        sources.begin_run(db, Run(source, at, finished=at, outcome=outcome))


@pytest.fixture
def storage(migrated_url: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Storage]:
    """A store with a little of everything, that the shell's commands use as well."""
    monkeypatch.setenv(environment_name("database_url"), migrated_url.replace("+psycopg", ""))
    made = Storage(migrated_url, upgrade=False)
    visit(made, "arxiv", NOON - timedelta(days=3), Outcome.OK)  # the first: what was announced before was not waited for
    keep(made, paper(1, DAY - timedelta(days=9)), now=NOON - timedelta(days=3))
    for n, (day, late) in enumerate([(1, 5), (1, 5), (1, 5), (0, 30), (2, -4)], 2):
        announced = DAY - timedelta(days=day)
        basis = Basis.ESTIMATED if n == 2 else Basis.STATED
        keep(made, paper(n, announced, basis=basis), now=NOON.replace(hour=0) - timedelta(days=day) + timedelta(hours=late))
    keep(made, paper(7, DAY, basis=Basis.CROSS), paper(8, DAY, basis=Basis.HELD), now=NOON + timedelta(days=2))
    visit(made, "arxiv", NOON, Outcome.PARTIAL)
    visit(made, "arxiv", NOON, Outcome.PARTIAL)
    visit(made, "pmlr", NOON - timedelta(days=40), Outcome.FAILED)
    with made.write() as db:
        told = [
            Batch("cs.LG", DAY, 10, 10),
            Batch("cs.AI", DAY, 4, 3, ("2607.00099",)),
            Batch("cs.LG", DAY - timedelta(1), 6, 6),
        ]
        told += [Batch("cs.AI", DAY - timedelta(1), 0, 0, note="the listing could not be read")]
        told += [Batch("cs.AI", DAY - timedelta(60), 9, 0, ("2605.00001",))]
        sources.put_batches(db, "arxiv", told)
    keep(made, *ALL, now=NOON + timedelta(days=2))
    yield made
    made.close()


@pytest.fixture
def site(storage: Storage) -> Iterator[TestClient]:
    """The web application on the store."""
    context = Context(settings=read_settings({}, None), storage=storage, taxonomy=load_taxonomy(), clock=HandClock(NOON))
    with TestClient(create_app(context), base_url="http://127.0.0.1:8000") as client:
        yield client


def asked(site: TestClient, **given: str) -> Any:
    """The answer, which is of the promised form."""
    answer = site.get("/api/v1/quality", params=given)
    assert answer.status_code == 200, answer.text
    Quality.model_validate(answer.json())
    return answer.json()


def test_completeness_adds_up_parts_by_day_and_delay_counts_what_was_waited_for(site: TestClient) -> None:
    found = asked(site)
    assert (found["since"], found["until"]) == ("2026-06-23", "2026-07-20")
    (arxiv,) = found["completeness"]  # the visit to pmlr is older
    assert (arxiv["source"], arxiv["visits"]) == ("arxiv", {"ok": 1, "partial": 2})
    counts = ("announced", "held", "share", "parts", "unconfirmed", "missing")
    assert [arxiv[name] for name in counts] == [20, 19, 0.95, 4, 2, 1]
    assert [[day["day"], *(day[name] for name in counts)] for day in arxiv["days"]] == [
        ["2026-07-20", 14, 13, 0.9286, 2, 1, 1],
        ["2026-07-19", 6, 6, 1.0, 2, 1, 0],
    ]
    assert [one for one in found["delay"] if one["source"] == "arxiv"] == [
        {
            "source": "arxiv", "entries": 5, "estimated": 1, "median_hours": 5.0, "p90_hours": 30.0, "longest_hours": 30.0,
            "within_24_hours": 0.8,
        }
    ]  # fmt: skip


def test_merges_are_counted_by_reason_and_by_hand(site: TestClient, storage: Storage) -> None:
    merges = asked(site)["merges"]
    assert (merges["items"], merges["entries"], merges["joined"]) == (9, 12, 1)
    assert merges["links"] == {"same title and authors": 5, "same openreview": 1}
    assert merges["by_hand"] == {"same": 0, "apart": 0}
    first, second, third = (i.id for i in held(storage)[-3:])
    merge(storage, keeper(storage), [first, second], NOON)
    (work,) = (i for i in held(storage) if len(i.entries) == 4)
    split(storage, keeper(storage), work.id, ["pmlr v300/example26a"], NOON)
    merges = asked(site)["merges"]  # not what was remembered
    assert third
    assert merges["links"]["merged by hand"] == 1
    assert merges["by_hand"] == {"same": 1, "apart": 3}
    assert merges["aliases"] == 1


def test_other_days_can_be_asked_for_up_to_what_the_ledger_holds(site: TestClient) -> None:
    found = asked(site, since="2026-05-01", until="2026-06-30")
    assert [(one["source"], one["visits"], one["missing"]) for one in found["completeness"]] == [
        ("arxiv", {}, 1), ("pmlr", {"failed": 1}, 0),
    ]  # fmt: skip
    assert found["completeness"][1]["share"] is None
    assert found["delay"] == []
    for edge in ({"until": "0001-01-01"}, {"since": "9999-12-31"}, {"since": "0001-01-01", "until": "0001-01-02"}):
        assert asked(site, **edge)["completeness"] == []
    for given, says in (
        ({"since": "2020-01-01"}, "at most 400 days"),
        ({"topic": "r"}, "topic"),
        ({"since": "soon"}, "since"),
    ):
        refused = site.get("/api/v1/quality", params=given)
        assert refused.status_code == 422
        assert says in refused.json()["detail"]


def test_the_shell_tells_the_same_figures(site: TestClient, capsys: pytest.CaptureFixture[str]) -> None:
    days = ["--since", "2026-07-01", "--until", "2026-07-20"]
    for further, holds in (
        (["--json"], lambda out: json.loads(out) == asked(site, since="2026-07-01", until="2026-07-20")),
        ([], lambda out: "same title and authors" in out and "95.00%" in out and "80.0%" in out),
    ):
        sys.argv = ["skillfeed", "quality", *days, *further]
        with pytest.raises(SystemExit, match=r"^0$"):
            cli.main()
        out = capsys.readouterr().out
        assert holds(out), out


def test_tagging_is_measured_on_the_papers_that_ship_with_the_program(site: TestClient) -> None:
    tagging = asked(site)["tagging"]
    measured = check.current(load_taxonomy())
    assert tagging["papers"] == measured.topics.papers >= 100
    assert tagging["micro"]["f1"] == round(measured.topics.micro.f1, 4) > 0.8
    assert [t["f1"] for t in tagging["topics"]] == sorted(round(m.f1, 4) for m in measured.topics.topics.values())
    assert tagging["labels"] == {
        "papers": measured.labelled, "form": round(measured.form, 4), "level": round(measured.level, 4),
    }  # fmt: skip


def test_the_example_is_of_the_promised_form() -> None:
    Quality.model_validate(QUALITY_EXAMPLE)
