"""Acts over HTTP: who may, what is answered, and that the worker finds it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from starlette.testclient import TestClient

from app import schemas
from catalog.outcomes import Outcome
from catalog.storage import Storage, requests, sources
from tests.app.seeding import NOW, application, opened

pytestmark = pytest.mark.slow  # an application is started for each

TOKEN = "correct horse"
ADMIN = {"Authorization": f"Bearer {TOKEN}"}
RUN, ONE = "/api/v1/sources/arxiv/run", "/api/v1/sources/arxiv"


@pytest.fixture
def storage(migrated_url: str) -> Iterator[Storage]:
    with opened(migrated_url) as made:
        yield made


@pytest.fixture
def client(storage: Storage) -> Iterator[TestClient]:
    with TestClient(application(storage, admin_token=TOKEN), raise_server_exceptions=False) as made:
        yield made


def open_requests(storage: Storage) -> list[str]:
    with storage.read() as db:
        return sorted(name for name, request in requests.latest(db).items() if request.state != "done")


# ------------------------------------------------------------------ who may
@pytest.mark.parametrize("route", [("POST", RUN), ("PATCH", ONE)], ids=lambda route: route[0])
@pytest.mark.parametrize(
    "header",
    [
        "",
        "Bearer",
        "Bearer ",
        "Bearer wrong",
        f"Basic {TOKEN}",
        TOKEN,
        f"Bearer {TOKEN}x",
        "Bearer \xff\xfe",
        f"Bearer x {TOKEN}",
    ],
)
def test_without_the_token_nothing_is_done(client: TestClient, storage: Storage, route: tuple[str, str], header: str) -> None:
    headers = {b"Authorization": header.encode("latin-1")} if header else {}
    answer = client.request(*route, headers=headers, content=b'{"enabled": false}')
    assert answer.status_code == 401
    assert answer.headers["www-authenticate"].startswith('Bearer realm="skillfeed"')
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["type"].endswith("#problem-unauthorized")
    assert open_requests(storage) == []
    assert client.get(ONE).json()["enabled"] is True


def test_a_wrong_token_is_told_apart_from_none(client: TestClient) -> None:
    assert 'error="invalid_token"' in client.post(RUN, headers={"Authorization": "Bearer wrong"}).headers["www-authenticate"]
    assert "error=" not in client.post(RUN).headers["www-authenticate"]


def test_who_may_not_act_does_not_learn_what_exists_or_what_is_wrong(client: TestClient) -> None:
    for path in ("/api/v1/sources/none/run", f"{RUN}?x=1"):
        assert client.post(path).status_code == 401
    assert client.patch(ONE, content=b"{").status_code == 401


def test_the_token_that_was_made_and_kept_is_the_one(storage: Storage, tmp_path: Path) -> None:
    with TestClient(application(storage, data_dir=tmp_path / "kept")) as client:
        assert client.post(RUN).status_code == 401
        assert client.post(RUN, headers={"Authorization": "Bearer guess"}).status_code == 401
        token = (tmp_path / "kept" / "admin_token").read_text(encoding="ascii")
        assert client.post(RUN, headers={"Authorization": f"bearer {token}"}).status_code == 202


def test_where_no_token_can_be_kept_nobody_acts(storage: Storage, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with TestClient(application(storage, data_dir=tmp_path / "file" / "data")) as client:
        answer = client.post(RUN, headers={"Authorization": "Bearer guess"})
    assert answer.status_code == 403
    assert str(tmp_path) not in answer.text


def test_a_cookie_is_no_token(client: TestClient, storage: Storage) -> None:
    client.cookies.set("Authorization", f"Bearer {TOKEN}")
    assert client.post(RUN).status_code == 401
    assert open_requests(storage) == []


def test_another_site_is_not_allowed_to_act(storage: Storage) -> None:
    with TestClient(application(storage, admin_token=TOKEN, cors_origins="https://other.example")) as client:
        asked = {"Origin": "https://other.example", "Access-Control-Request-Method": "POST"}
        assert client.options(RUN, headers=asked).status_code == 400


# ------------------------------------------------------------------ visits
def test_a_visit_is_asked_for_and_seen_until_it_is_done(client: TestClient, storage: Storage) -> None:
    answer = client.post(RUN, headers=ADMIN)
    assert answer.status_code == 202
    told = answer.json()
    schemas.RequestInfo.model_validate(told)
    assert (told["source"], told["state"], told["run"], told["outcome"]) == ("arxiv", "waiting", None, None)
    place = answer.headers["location"].removeprefix("http://127.0.0.1:8000")
    assert place == ONE
    assert client.get(place).json()["request"] == told
    with storage.write() as db:
        taken = requests.take(db, "elsewhere|1|1|1", 60)
    assert taken is not None
    assert client.get(place).json()["request"]["state"] == "taken"
    with storage.write() as db:
        requests.finish(db, taken, NOW, 412, Outcome.OK.value, "")
    seen = client.get(place).json()
    schemas.SourceInfo.model_validate(seen)
    assert (seen["request"]["state"], seen["request"]["run"], seen["request"]["outcome"]) == ("done", 412, "ok")
    assert {s["source"]: bool(s["request"]) for s in client.get("/api/v1/sources").json()["items"]} == {
        "arxiv": True, "blogs": False, "pmlr": False,
    }  # fmt: skip


def test_asking_twice_is_asking_once(client: TestClient, storage: Storage) -> None:
    ids = {client.post(RUN, headers=ADMIN).json()["id"] for _ in range(3)}
    assert len(ids) == 1
    assert open_requests(storage) == ["arxiv"]


def test_the_status_page_shows_what_was_asked_for(client: TestClient) -> None:
    assert "asked for" not in client.get("/status").text
    client.post(RUN, headers=ADMIN)
    assert "asked for" in client.get("/status").text


@pytest.mark.parametrize(("path", "status"), [("/api/v1/sources/none/run", 404), (f"{RUN}?now=1", 422), (f"{ONE}/walk", 404)])
def test_what_cannot_be_asked_is_a_problem(client: TestClient, path: str, status: int) -> None:
    answer = client.post(path, headers=ADMIN)
    assert (answer.status_code, answer.headers["content-type"]) == (status, "application/problem+json")


def test_runs_are_known_by_the_id_that_requests_name(client: TestClient, storage: Storage) -> None:
    with storage.read() as db:
        newest = sources.runs(db, limit=1)[0]
    assert client.get("/api/v1/runs").json()["items"][0]["id"] == newest.id


# ------------------------------------------------------------------ the switch
def test_a_source_is_switched_off_and_on(client: TestClient, storage: Storage) -> None:
    answer = client.patch(ONE, headers=ADMIN, json={"enabled": False})
    assert (answer.status_code, answer.json()["enabled"]) == (200, False)
    with storage.read() as db:
        assert "arxiv" not in sources.due(db, NOW + timedelta(days=900))
    assert client.patch(ONE, headers=ADMIN, json={"enabled": True}).json()["enabled"] is True
    with storage.read() as db:
        assert "arxiv" in sources.due(db, NOW + timedelta(days=900))


@pytest.mark.parametrize(
    "body", [b"", b"{", b"[]", b"{}", b'{"enabled": 1}', b'{"enabled": "false"}', b'{"enabled": null}', b"\xff\xfe",
             b'{"enabled": false, "more": 1}', b'{"enabled": false' + b" " * 70_000 + b"}"]
)  # fmt: skip
def test_a_body_of_another_form_changes_nothing(client: TestClient, body: bytes) -> None:
    answer = client.patch(ONE, headers=ADMIN, content=body)
    assert answer.status_code == (413 if len(body) > 65_536 else 422)
    assert client.get(ONE).json()["enabled"] is True


def test_a_source_that_is_none_cannot_be_seen_or_switched(client: TestClient) -> None:
    assert client.get("/api/v1/sources/none").status_code == 404
    assert client.patch("/api/v1/sources/none", headers=ADMIN, json={"enabled": True}).status_code == 404


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@example(slug="\0", body=b"")
@example(slug="\ud800", body=b"\0")
@given(slug=st.text(min_size=1, max_size=30), body=st.binary(max_size=60))
def test_no_input_breaks_the_acts(client: TestClient, slug: str, body: bytes) -> None:
    from urllib.parse import quote

    path = f"/api/v1/sources/{quote(slug.encode('utf-8', 'surrogatepass'), safe='')}"
    for answer in (
        client.get(path), client.post(f"{path}/run", headers=ADMIN), client.patch(path, headers=ADMIN, content=body),
    ):  # fmt: skip
        assert answer.status_code < 500
    assert client.post(f"{path}/run").status_code in (401, 404, 405)


# ------------------------------------------------------------------ warnings
def test_a_warning_is_shown_where_sources_are(client: TestClient, storage: Storage) -> None:
    with storage.write() as db:
        db.exec_driver_sql("UPDATE sources SET warning = 'gives 0 entries a visit, usually 500' WHERE name = 'pmlr'")
    told = client.get("/api/v1/sources/pmlr").json()
    assert told["warning"] == "gives 0 entries a visit, usually 500"
    assert "gives 0 entries a visit, usually 500" in client.get("/status").text
    assert client.get(ONE).json()["warning"] is None
