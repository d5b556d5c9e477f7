"""The promised API as a reviewed file: `REWRITE=1 pytest tests/app/test_openapi.py` writes it anew, `git diff` is read."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI
from starlette.testclient import TestClient

from app import schemas
from catalog.storage import Storage
from tests.app.seeding import application

REVIEWED = Path(__file__).with_name("openapi.json")


@pytest.fixture
def app(tmp_path: Path) -> Iterator[FastAPI]:
    storage = Storage(f"sqlite:///{tmp_path / 'never-opened.db'}", upgrade=False)
    yield application(storage)
    storage.close()


@pytest.fixture
def document(app: FastAPI) -> dict[str, Any]:
    with TestClient(app) as client:
        found: dict[str, Any] = client.get("/api/openapi.json").json()
    return found


def _operations(document: dict[str, Any]) -> list[tuple[str, dict[str, Any]]]:
    return [(path, told) for path, methods in document["paths"].items() for told in methods.values()]


def test_the_document_is_the_reviewed_one(document: dict[str, Any]) -> None:
    del document["info"]["version"]
    text = json.dumps(document, indent=1, ensure_ascii=False) + "\n"
    if os.environ.get("REWRITE"):
        REVIEWED.write_text(text, encoding="utf-8")
    assert text == REVIEWED.read_text(encoding="utf-8"), "run REWRITE=1 pytest tests/app/test_openapi.py and read git diff"


def test_every_operation_has_a_stable_id_words_and_examples(document: dict[str, Any]) -> None:
    ids = [told["operationId"] for _, told in _operations(document)]
    assert len(ids) == len(set(ids))
    for path, told in _operations(document):
        assert re.fullmatch(r"[a-z]+[A-Z]\w+", told["operationId"]), path
        assert told["summary"], path
        assert told["description"], path
        done = told["responses"].get("200") or told["responses"]["202"]
        assert "example" in next(iter(done["content"].values())), path
        for parameter in told.get("parameters", ()):
            schema = parameter["schema"]
            assert parameter.get("description"), (path, parameter["name"])
            assert "example" in parameter or schema.get("examples"), (path, parameter["name"])


def test_every_operation_tells_its_problems_in_the_one_form(document: dict[str, Any]) -> None:
    for path, told in _operations(document):
        problems = {status: r for status, r in told["responses"].items() if status not in ("200", "202", "304", "308")}
        assert "422" in problems, path
        for status, response in problems.items():
            content = response["content"]["application/problem+json"]
            assert content["schema"] == {"$ref": "#/components/schemas/Problem"}, (path, status)
            schemas.Problem.model_validate(content["example"])
            assert content["example"]["status"] == int(status)
    assert "HTTPValidationError" not in document["components"]["schemas"]


def test_every_reference_leads_somewhere(document: dict[str, Any]) -> None:
    for name in re.findall(r'"#/components/schemas/([^"]+)"', json.dumps(document)):
        assert name in document["components"]["schemas"], name


def test_examples_keep_the_promise() -> None:
    schemas.Card.model_validate(schemas.CARD_EXAMPLE)
    schemas.Item.model_validate(schemas.ITEM_EXAMPLE)
    schemas.TopicInfo.model_validate(schemas.TOPIC_EXAMPLE)
    schemas.AreaInfo.model_validate(schemas.AREA_EXAMPLE)
    schemas.SourceInfo.model_validate(schemas.SOURCE_EXAMPLE)
    schemas.RunInfo.model_validate(schemas.RUN_EXAMPLE)
    schemas.RequestInfo.model_validate(schemas.REQUEST_EXAMPLE)
    schemas.Ready.model_validate(schemas.READY_EXAMPLE)
    schemas.Digest.model_validate(schemas.DIGEST_EXAMPLE)
    schemas.Asked.model_validate(schemas.ASKED_EXAMPLE)
    schemas.Left.model_validate(schemas.LEFT_EXAMPLE)
    schemas.Confirmed.model_validate(schemas.CONFIRMED_EXAMPLE)
    schemas.SubscriptionInfo.model_validate(schemas.SUBSCRIPTION_EXAMPLE)


def test_the_address_is_the_one_that_readers_use(tmp_path: Path) -> None:
    storage = Storage(f"sqlite:///{tmp_path / 'never-opened.db'}", upgrade=False)
    app = application(storage, base_url="https://feed.example/skill")
    with TestClient(app) as client:
        assert client.get("/api/openapi.json").json()["servers"] == [{"url": "https://feed.example/skill"}]
        assert "https://feed.example/skill/api/v1/items" in client.get("/api/docs").text
    storage.close()


def test_the_page_lists_every_operation_and_needs_nobody_else(app: FastAPI, document: dict[str, Any]) -> None:
    with TestClient(app) as client:
        answer = client.get("/api/docs")
        style = client.get("/api/docs.css")
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    assert style.headers["content-type"] == "text/css; charset=utf-8"
    html = answer.text
    for path, told in _operations(document):
        assert f'<section id="{told["operationId"]}">' in html, path
        for parameter in told.get("parameters", ()):
            assert f"<code>{parameter['name']}</code>" in html, (path, parameter["name"])
    assert "<script" not in html
    assert " style=" not in html
    assert re.findall(r'(?:href|src)="((?!#)[^"]*)"', html) == ["docs.css", "openapi.json"]
    assert 'href="openapi.json"' in html
    assert "url(" not in style.text
