"""Errors and headers: one form for every error, nothing leaks, nothing is believed that the request says about its host."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI
from fastapi.routing import iter_route_contexts
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import PlainTextResponse, StreamingResponse
from starlette.testclient import TestClient

from app import errors, schemas
from app.headers import BODY_LIMIT, POLICY
from catalog.errors import CatalogError, DatabaseUnavailable, LeaseLost, NewerDatabase, SettingsError, UnknownName, UsageError
from catalog.storage import Storage
from tests.app.seeding import application, opened

SECRET = "postgresql://reader:hunter2@db.internal/feed"


@pytest.fixture
def storage(run: Any, tmp_path: Path) -> Iterator[Storage]:
    path = tmp_path / "errors.db"
    path.write_bytes(run.sqlite_template().read_bytes())
    with opened(f"sqlite:///{path}", seeded=False) as storage:
        yield storage


@pytest.fixture
def app(storage: Storage) -> FastAPI:
    return application(storage)


@pytest.fixture
def client(app: FastAPI) -> Iterator[TestClient]:
    @app.get("/raise/{what}")
    def fail(what: str) -> None:
        raise {
            "bug": ZeroDivisionError(SECRET),
            "database": DatabaseUnavailable(f"{SECRET}: refused"),
            "newer": NewerDatabase(SECRET),
            "lease": LeaseLost(SECRET),
            "teapot": HTTPException(418),
            "usage": UsageError("limit must be a number"),
        }[what]

    @app.post("/length")
    async def length(request: Request) -> PlainTextResponse:
        return PlainTextResponse(str(len(await request.body())))

    @app.get("/typed")
    def typed(number: int) -> PlainTextResponse:
        return PlainTextResponse(str(number))

    with TestClient(app) as client:
        yield client


def _problem(answer: Any, status: int) -> dict[str, Any]:
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.headers["content-security-policy"] == POLICY
    body: dict[str, Any] = answer.json()
    schemas.Problem.model_validate(body)
    assert body["status"] == status
    return body


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (UsageError("x"), 422),
        (UnknownName("topic", "x", ["y"]), 422),
        (SettingsError("x"), 422),
        (errors.NotFound("x"), 404),
        (DatabaseUnavailable("x"), 503),
        (NewerDatabase("x"), 503),
        (CatalogError("x"), 500),
        (LeaseLost("x"), 500),
        (ValueError("x"), 500),
    ],
)
def test_the_table(error: Exception, status: int) -> None:
    assert errors.problem_of(error).status == status


def test_an_address_without_a_route(client: TestClient) -> None:
    body = _problem(client.get("/api/v1/nothing/here"), 404)
    assert body["instance"] == "/api/v1/nothing/here"
    assert body["type"] == "http://127.0.0.1:8000/api/docs#problem-not-found"


def test_types_lead_to_the_page_that_explains_them(client: TestClient) -> None:
    page = client.get("/api/docs").text
    for problem in errors.PROBLEMS:
        assert f'id="problem-{problem.slug}"' in page


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "NONSENSE"])
def test_a_method_that_a_route_does_not_answer(client: TestClient, method: str) -> None:
    answer = client.request(method, "/api/v1/items")
    _problem(answer, 405)
    assert answer.headers["allow"] == "GET, HEAD"


def test_a_bug_is_told_without_its_cause(client: TestClient) -> None:
    answer = client.get("/raise/bug")
    _problem(answer, 500)
    assert "hunter2" not in answer.text
    assert "ZeroDivision" not in answer.text


@pytest.mark.parametrize(("what", "status"), [("database", 503), ("newer", 503), ("lease", 500)])
def test_trouble_with_the_database_names_no_host(client: TestClient, what: str, status: int) -> None:
    answer = client.get(f"/raise/{what}")
    _problem(answer, status)
    assert "hunter2" not in answer.text
    assert "db.internal" not in answer.text
    assert ("retry-after" in answer.headers) == (status == 503)


def test_any_other_status_is_told_by_its_phrase(client: TestClient) -> None:
    body = _problem(client.get("/raise/teapot"), 418)
    assert (body["type"], body["title"]) == ("about:blank", "I'm a Teapot")


def test_an_answer_that_breaks_off_is_not_begun_again(app: FastAPI) -> None:
    @app.get("/broken")
    def broken() -> StreamingResponse:
        def parts() -> Iterator[bytes]:
            yield b"begun"
            raise ZeroDivisionError

        return StreamingResponse(parts())

    with TestClient(app) as client, pytest.raises(ZeroDivisionError):
        client.get("/broken")


def test_a_validation_by_the_framework_has_the_same_form(client: TestClient) -> None:
    body = _problem(client.get("/typed?number=<b>"), 422)
    assert body["errors"][0]["parameter"] == "number"
    assert "<b>" not in client.get("/typed?number=<b>").text


def test_an_unknown_name_comes_with_the_nearest(client: TestClient) -> None:
    body = _problem(client.get("/api/v1/items?limt=3"), 422)
    (error,) = body["errors"]
    assert (error["detail"], error["what"], error["nearest"][0]) == (body["detail"], "parameter", "limit")
    assert _problem(client.get("/api/v1/topics/deep-lerning"), 404)["errors"][0]["nearest"][0] == "deep-learning"


@pytest.mark.parametrize(
    "address",
    [
        "/api/v1/items?<script>alert(1)</script>=1",
        "/api/v1/items?kind=<script>alert(1)</script>",
        "/api/v1/items?limit=<script>",
        "/api/v1/items?since=<script>",
        "/api/v1/items?category=<script>",
        "/api/v1/digests/preview?period=<script>",
        "/api/v1/items/lookup?arxiv=<script>",
        "/api/v1/topics/<script>",
        "/<script>",
    ],
)
def test_input_is_never_repeated_as_html(client: TestClient, address: str) -> None:
    answer = client.get(address)
    assert answer.status_code in (404, 422)
    assert "<" not in answer.text


def test_the_instance_is_a_valid_address_whatever_was_asked(client: TestClient) -> None:
    body = _problem(client.get("/%00%ff%0d%0aSet-Cookie:%20a=b/" + "x" * 5000), 404)
    assert body["instance"].startswith("/%00%EF%BF%BD%0D%0ASet-Cookie%3A%20a%3Db/")
    assert len(body["instance"]) < 700


@pytest.mark.slow
def test_a_browser_gets_a_page_where_there_is_none_but_never_from_the_api(client: TestClient) -> None:
    browser = {"Accept": "text/html,application/xhtml+xml;q=0.9,*/*;q=0.8"}
    for address, status in (("/nothing", 404), ("/raise/bug", 500), ("/raise/database", 503)):
        answer = client.get(address, headers=browser)
        assert (answer.status_code, answer.headers["content-type"]) == (status, "text/html; charset=utf-8")
        assert answer.headers["content-security-policy"] == POLICY
        assert "hunter2" not in answer.text
        _problem(client.get(address), status)
    _problem(client.get("/api/v1/nothing", headers=browser), 404)


# ------------------------------------------------------------------ bodies
def test_a_body_of_the_limit_is_read(client: TestClient) -> None:
    assert client.post("/length", content=b"x" * BODY_LIMIT).text == str(BODY_LIMIT)


def test_a_larger_body_is_refused_by_its_length(client: TestClient) -> None:
    _problem(client.post("/length", content=b"x" * (BODY_LIMIT + 1)), 413)


def test_a_larger_body_without_a_length_is_refused_while_it_is_read(client: TestClient) -> None:
    _problem(client.post("/length", content=(b"x" * 4096 for _ in range(17))), 413)


@pytest.mark.parametrize("length", ["-1", "a", "9" * 30])
def test_an_absurd_length_is_refused(client: TestClient, length: str) -> None:
    _problem(client.post("/length", content=b"x", headers={"Content-Length": length}), 413)


# ------------------------------------------------------------------ headers
def test_every_route_answers_get_and_head_alike_with_strict_headers(app: FastAPI) -> None:
    paths = {r.path for r in iter_route_contexts(app.routes) if r.path and "GET" in (r.methods or ())}
    assert {"/api/v1/items", "/api/v1/items/{id}", "/api/docs", "/healthz", "/readyz"} <= paths
    with TestClient(app, follow_redirects=False) as client:
        for path in sorted(paths):
            address = (
                path.replace("{id}", "0" * 16).replace("{slug}", "python").replace("{name}", "x").replace("{path:path}", "x")
            )
            answer = client.get(address)
            assert answer.headers["content-security-policy"] == POLICY, path
            assert answer.headers["x-content-type-options"] == "nosniff", path
            assert answer.headers["referrer-policy"], path
            assert answer.headers["permissions-policy"], path
            assert "strict-transport-security" not in answer.headers, path
            assert "unsafe" not in answer.headers["content-security-policy"], path
            assert answer.status_code < 500, path
            head = client.head(address)
            assert (head.status_code, head.content) == (answer.status_code, b""), path
            assert head.headers == answer.headers, path


def test_hsts_is_sent_where_readers_come_by_https(storage: Storage) -> None:
    with TestClient(application(storage, base_url="https://feed.example")) as client:
        assert client.get("/healthz").headers["strict-transport-security"] == "max-age=31536000"


def test_no_answer_repeats_the_host_of_the_request(storage: Storage, run: Any, tmp_path: Path) -> None:
    path = tmp_path / "seeded.db"
    path.write_bytes(run.sqlite_template().read_bytes())
    with opened(f"sqlite:///{path}") as seeded, TestClient(application(seeded), follow_redirects=False) as client:
        hosts = {
            "Host": "evil.example",
            "X-Forwarded-Host": "evil.example",
            "X-Forwarded-Proto": "gopher",
            "Forwarded": "host=evil.example",
        }
        for address in (
            "/api/v1/items?limit=1",
            "/api/v1/items/",
            "/api/v1/nothing",
            "/api/docs",
            "/api/openapi.json",
            "/readyz",
            "/",
        ):
            answer = client.get(address, headers=hosts)
            assert "evil.example" not in answer.text + str(answer.headers), address
            assert "gopher" not in answer.text + str(answer.headers), address


@pytest.mark.parametrize("host", ["[", "[::1", "a b", "", "x" * 5000, "evil.example:99999", "\xff"])
def test_a_malformed_host_is_no_trouble(client: TestClient, host: str) -> None:
    for address, status in (("/api/v1/items", 200), ("/api/v1/items/", 404), ("/nothing", 404), ("/api/docs", 200)):
        assert client.get(address, headers={b"Host": host.encode("latin-1")}).status_code == status


def test_other_origins_may_read_only_when_the_operator_says_so(storage: Storage) -> None:
    asked = {"Origin": "https://reader.example"}
    with TestClient(application(storage)) as client:
        assert "access-control-allow-origin" not in client.get("/api/v1/areas", headers=asked).headers
    with TestClient(application(storage, cors_origins="https://reader.example, https://b.example")) as client:
        assert client.get("/api/v1/areas", headers=asked).headers["access-control-allow-origin"] == "https://reader.example"
        assert "access-control-allow-origin" not in client.get("/api/v1/areas", headers={"Origin": "https://c.example"}).headers
        allowed = client.options("/api/v1/areas", headers={**asked, "Access-Control-Request-Method": "POST"})
        assert allowed.status_code == 400


def test_large_answers_are_packed_for_those_who_take_it(client: TestClient) -> None:
    packed = client.get("/api/v1/areas", headers={"Accept-Encoding": "gzip"})
    plain = client.get("/api/v1/areas", headers={"Accept-Encoding": "identity"})
    assert packed.headers["content-encoding"] == "gzip"
    assert "content-encoding" not in plain.headers
    assert packed.content == plain.content
