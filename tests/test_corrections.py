"""Items merged, split and tagged by hand, from the shell to the API and the pages; tagging anew."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from fastapi.testclient import TestClient

from app import cli
from app.context import Context
from app.main import create_app
from catalog.settings import environment_name, read_settings
from catalog.storage import Storage
from catalog.taxonomy import load_taxonomy
from tests.catalog.things import Thing, put
from tests.ingest.works import ALL, ARXIV, NOW, VOLUME, held, keep, said
from tests.instance import HandClock

pytestmark = pytest.mark.slow

OTHER = said("acl", "2026.x-1.1", title="Another Title Altogether for the Same Thing", authors=("Cy Other",))


@pytest.fixture
def storage(migrated_url: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Storage]:
    """A store that the shell's commands use as well."""
    monkeypatch.setenv(environment_name("database_url"), migrated_url.replace("+psycopg", ""))
    made = Storage(migrated_url, upgrade=False)
    yield made
    made.close()


@pytest.fixture
def site(storage: Storage) -> Iterator[TestClient]:
    """The web application on the store, which follows no redirects."""
    context = Context(settings=read_settings({}, None), storage=storage, taxonomy=load_taxonomy(), clock=HandClock(NOW))
    with TestClient(create_app(context), base_url="http://127.0.0.1:8000", follow_redirects=False) as client:
        yield client


def skillfeed(capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, Any, str]:
    """Exit code, the one JSON object on stdout, and what stands on stderr."""
    sys.argv = ["skillfeed", *words]
    capsys.readouterr()
    try:
        cli.main()
        code = 0
    except SystemExit as ended:
        code = int(ended.code or 0)
    got = capsys.readouterr()
    return code, json.loads(got.out) if got.out else None, got.err


def test_the_id_of_a_merged_item_answers_308_everywhere(
    storage: Storage, site: TestClient, capsys: pytest.CaptureFixture[str]
) -> None:
    keep(storage, ARXIV, OTHER)
    other, first = (i.id for i in held(storage))
    assert skillfeed(capsys, "items", "merge", first, other, "--json") == (0, {"items": [first]}, "")
    for path in ("/api/v1/items/", "/items/"):
        answer = site.get(path + other)
        assert answer.status_code == 308
        assert answer.headers["location"] == f"http://127.0.0.1:8000{path}{first}"
        assert site.get(path + first).status_code == 200
    code, shown, _ = skillfeed(capsys, "items", "show", other, "--json")
    assert (code, shown["items"][0]["id"]) == (0, first)
    assert {e["source"] for e in shown["items"][0]["entries"]} == {"arxiv", "acl"}
    assert site.get("/api/v1/items/lookup?url=https://aclanthology.org/2026.x-1.1/").json()["id"] == first


def test_a_split_brings_the_id_back_and_holds(storage: Storage, site: TestClient, capsys: pytest.CaptureFixture[str]) -> None:
    keep(storage, *ALL)
    (item,) = held(storage)
    code, told, _ = skillfeed(capsys, "items", "split", item.id, "--entry", "pmlr v300/example26a", "--json")
    assert (code, len(told["items"])) == (0, 2)
    alone = next(i for i in told["items"] if i != item.id)
    assert [e["source"] for e in site.get(f"/api/v1/items/{alone}").json()["entries"]] == ["pmlr"]
    assert site.get(f"/items/{alone}").status_code == 200
    keep(storage, replace(VOLUME, abstract="Printed with care."))
    assert len(held(storage)) == 2


def test_what_cannot_be_corrected_is_said_in_one_line(storage: Storage, capsys: pytest.CaptureFixture[str]) -> None:
    keep(storage, ARXIV)
    id = held(storage)[0].id
    for words, says in (
        (("merge", id), "two ids or more are needed"),
        (("merge", id, "nobody"), "no item 'nobody'"),
        (("merge", id, "ü"), "no item"),
        (("split", id), "nothing to take apart"),
        (("split", id, "--entry", "pmlr x"), "no entry 'pmlr x'; it has arxiv 2601.00001"),
    ):
        code, _, told = skillfeed(capsys, "items", *words)
        assert code == 2
        assert says in told
        assert len(told.splitlines()) == 1


def test_the_venue_is_a_filter_by_any_of_its_names(storage: Storage, site: TestClient) -> None:
    keep(storage, VOLUME, OTHER)
    for name in ("ICML", "icml 2026", "International Conference on Machine Learning"):
        found = site.get("/api/v1/items", params={"venue": name}).json()["items"]
        assert [i["venue"] for i in found] == ["ICML 2026"], name
    assert site.get("/api/v1/items", params={"venue": "ICML 2025"}).json()["items"] == []
    both = site.get("/api/v1/items", params={"venue": ["ICML", "NeurIPS"], "q": "sparse"}).json()["items"]
    assert len(both) == 1


def test_topics_by_hand_are_shown_everywhere_and_outlive_tagging_anew(
    storage: Storage, site: TestClient, capsys: pytest.CaptureFixture[str]
) -> None:
    keep(storage, ARXIV)
    (item,) = held(storage)
    assert "predictive-modeling" in {t.topic for t in item.topics}
    code, told, _ = skillfeed(capsys, "items", "tag", item.id, "--add", "julia", "--remove", "predictive-modelling", "--json")
    assert code == 0
    assert {"topic": "julia", "score": 1.0} in told["items"][0]["topics"]
    for run in (("retag", "--dry-run", "--json"), ("retag", "--json")):
        code, told, _ = skillfeed(capsys, *run)
        assert (code, told["items"], told["changed"], told["labels"]) == (0, 1, 0, [])
        assert told["by_hand"] == {"kept": {"julia": 1, "predictive-modeling": 1}, "void": {}}
    shown = {t["topic"]: t for t in site.get(f"/api/v1/items/{item.id}").json()["topics"]}
    assert shown["julia"]["evidence"] == [{"field": "rule", "words": "set by hand", "start": -1, "end": -1}]
    assert "predictive-modeling" not in shown
    assert "set by hand" in site.get(f"/items/{item.id}").text
    assert [i["id"] for i in site.get("/api/v1/items", params={"topic": "julia"}).json()["items"]] == [item.id]
    assert skillfeed(capsys, "items", "tag", item.id, "--reset", "julia", "--reset", "predictive-modeling", "--json")[0] == 0
    assert held(storage)[0].topics == item.topics


def test_what_tagging_anew_changes_is_told_in_words_with_examples(storage: Storage, capsys: pytest.CaptureFixture[str]) -> None:
    put(storage, Thing("2601.00002", title="Graph neural networks", abstract="Message passing.", topics=(("r", 0.9),)))
    sys.argv = ["skillfeed", "retag", "--dry-run"]
    with pytest.raises(SystemExit, match=r"^0$"):
        cli.main()
    table = capsys.readouterr().out
    assert table.startswith("1 of 1 items would change; tagger unknown → ")
    assert re.search(r"^graph-learning +0 +1 +1 +0 +0 *$", table, re.M)
    assert re.search(rf"^- r  0\.90  {held(storage)[0].id}  Graph neural networks$", table, re.M)
    assert [t.topic for t in held(storage)[0].topics] == ["r"]


def test_the_doctor_says_whether_tags_are_those_of_the_model_in_use(
    storage: Storage, capsys: pytest.CaptureFixture[str]
) -> None:
    def tags() -> list[bool | None]:
        told = skillfeed(capsys, "doctor", "--json")[1]
        return [check["ok"] for check in told["checks"] if check["check"] == "tags"]

    assert tags() == []
    keep(storage, ARXIV)
    assert tags() == [None]
    assert skillfeed(capsys, "retag", "--json")[0] == 0
    assert tags() == [True]
