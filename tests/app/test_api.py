"""The JSON API on both databases: what it answers, that pages stay whole, that nothing breaks it, that both answer alike."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import quote_from_bytes, urlencode

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from starlette.testclient import TestClient
from starlette.types import ASGIApp

from app import schemas, shapes
from catalog.filters import EXTRA_FIELDS, LISTING_NAMES, make_cursor
from catalog.items import public_id
from catalog.storage import Storage, items, migrate
from catalog.tagging.explain import explained
from catalog.taxonomy import load_taxonomy
from tests.app.seeding import COUNT, FIRST_DAY, application, entry, more, opened

PAPERS = [n for n in range(COUNT) if n % 4 != 3]


def _id(number: int) -> str:
    said = entry(number)
    return public_id(said.source, said.key)


@pytest.fixture
def storage(migrated_url: str) -> Iterator[Storage]:
    """The dozen items, to write more into."""
    with opened(migrated_url) as storage:
        yield storage


@pytest.fixture
def own_client(storage: Storage) -> Iterator[TestClient]:
    with TestClient(application(storage), follow_redirects=False) as client:
        yield client


@pytest.fixture(scope="module")
def clients(run: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[str], TestClient]]:
    """One application for each database with the dozen items, for all tests that only read."""
    made: dict[str, TestClient] = {}
    with ExitStack() as stack:

        def client(backend: str) -> TestClient:
            if backend not in made:
                if backend == "sqlite":
                    path = tmp_path_factory.mktemp("shared") / "shared.db"
                    path.write_bytes(run.sqlite_template().read_bytes())
                    url = f"sqlite:///{path}"
                else:
                    url = run.postgres_database(run.postgres_template())
                    stack.callback(run.drop_postgres_database, url)
                app = application(stack.enter_context(opened(url)))
                made[backend] = stack.enter_context(TestClient(app, follow_redirects=False))
            return made[backend]

        yield client


@pytest.fixture
def client(backend: str, clients: Callable[[str], TestClient]) -> TestClient:
    """An application over the dozen items that nobody writes to."""
    return clients(backend)


def _get(client: TestClient, address: str, **parameters: Any) -> Any:
    answer = client.get(address + (f"?{urlencode(parameters)}" if parameters else ""))
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == "application/json"
    return answer.json()


def _problem(client: TestClient, address: str, status: int) -> str:
    answer = client.get(address)
    assert (answer.status_code, answer.headers["content-type"]) == (status, "application/problem+json"), answer.text
    schemas.Problem.model_validate(answer.json())
    return str(answer.json()["detail"])


# ------------------------------------------------------------------ items
def test_items_come_newest_first_as_cards(client: TestClient) -> None:
    body = _get(client, "/api/v1/items")
    schemas.Cards.model_validate(body)
    assert len(body["items"]) == COUNT
    days = [card["announced"] for card in body["items"]]
    assert days == sorted(days, reverse=True)
    assert body["next"] is None


def test_fields_add_to_the_card(client: TestClient) -> None:
    body = _get(client, "/api/v1/items", fields=",".join(EXTRA_FIELDS), limit=200)
    schemas.Cards.model_validate(body)
    first = next(card for card in body["items"] if card["id"] == _id(0))
    assert [e["source"] for e in first["entries"]] == ["arxiv", "pmlr"]
    assert first["identifiers"]["github"] == ["ada/B-0", "ada/a_0"]
    assert first["news"] == [{"what": "accepted", "day": "2026-01-22", "text": "ICML 2026", "status": "confirmed"}]
    why = first["topics"][0]["evidence"][0]
    assert "attention" in why["words"]
    assert first["title"][why["start"] : why["end"]] == why["words"]


@pytest.mark.parametrize(
    ("query", "numbers"),
    [
        ("kind=post", [3, 7, 11]),
        ("kind=post&kind=paper", list(range(COUNT))),
        ("topic=deep-learning", PAPERS),
        ("topic=deep-learning&topic=python", PAPERS),
        ("topic=python", []),
        ("area=applications&kind=post", []),
        ("source=pmlr", [0]),
        ("source=pmlr&source=blogs", [0, 3, 7, 11]),
        ("category=stat.ML", [n for n in PAPERS if n % 2]),
        ("category=cs.CL&until=2026-01-21", [n for n in PAPERS if n % 2 == 0 and n % 10 <= 2]),
        ("since=2026-01-28&until=2026-01-28", [9]),
        ("since=2026-02-01", []),
        ("q=überraschung", [3, 7, 11]),
        ("q=sparse -forecasting", []),
        ("q=author:zoë kind", []),
        ("q=title:attention&category=stat.ML", [n for n in PAPERS if n % 2]),
        ('q="no. 10" OR "no. 9"', [9, 10]),
        ("author=Bo Sample 2", [2]),
        ("author=unicode, zoe&author=Zoë Writer&category=cs.LG", [n for n in PAPERS if n % 2]),
        ("topic=predictive-modeling&min_score=0.58", [8, 9, 10]),
        ("area=applications&min_score=0.58", [8, 9, 10]),
        ("min_score=0.9", PAPERS),
        ("q=sparse&topic=predictive-modeling&min_score=0.6", [10]),
    ],
)
def test_filters(client: TestClient, query: str, numbers: list[int]) -> None:
    body = _get(client, f"/api/v1/items?limit=200&{query}")
    assert {card["id"] for card in body["items"]} == {_id(n) for n in numbers}


@pytest.mark.parametrize(
    ("query", "says"),
    [
        ("tpic=x", "unknown parameter 'tpic'; nearest allowed: topic"),
        ("author=", "author must be a name such as Ada Example"),
        ("min_score=2", "min_score must be a number from 0 to 1"),
        ("sort=relevance", "sort=relevance needs q"),
        ("sort=rank&cursor=" + make_cursor((1,)), "cursor is of sort=newest"),
        ("venue=", "venue must be a name such as NeurIPS"),
        ("topic=deep-lerning", "unknown topic 'deep-lerning'; nearest allowed: deep-learning"),
        ("area=algoritms", "nearest allowed: algorithms"),
        ("kind=papers", "nearest allowed: paper"),
        ("source=arxive", "nearest allowed: arxiv"),
        ("fields=summry", "nearest allowed: summary"),
        ("sort=best", "unknown sort 'best'; nearest allowed: "),
        ("limit=0", "limit must be a whole number from 1 to 200"),
        ("limit=201", "limit must be a whole number from 1 to 200"),
        ("limit=1e2", "limit must be a whole number from 1 to 200"),
        ("limit=9223372036854775808", "limit must be a whole number from 1 to 200"),
        ("limit=1&limit=2", "limit is given 2 times"),
        ("since=28.01.2026", "since must be a date such as"),
        ("since=2026-02-30", "since must be a date such as"),
        ("since=2026-02-02&until=2026-02-01", "since 2026-02-02 is after until 2026-02-01"),
        ("category=nonsense!", "has not the form of an arXiv category"),
        ("cursor=42", "cursor is not one that this API gave"),
        ("q=" + "x" * 201, "q is 201 characters long"),
        ("q=a%00b", "q holds a NUL"),
    ],
)
def test_what_is_off_is_named_with_the_mend(client: TestClient, query: str, says: str) -> None:
    assert says in _problem(client, f"/api/v1/items?{query}", 422)


def test_one_item(client: TestClient) -> None:
    body = _get(client, f"/api/v1/items/{_id(5)}")
    schemas.Item.model_validate(body)
    assert body["withdrawn"] is True
    assert body["news"][0]["what"] == "withdrawn"
    assert body["why"] == "Tagged deep-learning for “Sparse attention” in the title."
    assert body["submitted"] == "2026-01-22T03:04:05Z"


@pytest.mark.parametrize("id", ["0" * 16, "x", "%00", "A" * 16, "%ED%A0%80", "1" * 5000, "lookup2", "..%2f..%2fetc"])
def test_an_item_that_is_not_there(client: TestClient, id: str) -> None:
    _problem(client, f"/api/v1/items/{id}", 404)


def test_a_rank_tells_its_parts(client: TestClient) -> None:
    found = _get(client, "/api/v1/items", sort="rank", topic="predictive-modeling", fields="rank,signals")["items"]
    scores = [card["rank"]["score"] for card in found]
    assert scores == sorted(scores, reverse=True)
    assert found[-1]["id"] == _id(5)  # withdrawn
    first = next(card for card in found if card["id"] == _id(0))
    assert first["rank"]["parts"]["venue"] == 0.2
    assert first["rank"]["score"] == round(sum(first["rank"]["parts"].values()), 3)
    assert first["signals"]["acceptance"]["venue"] == "ICML 2026"


def test_an_item_takes_no_parameters(client: TestClient) -> None:
    assert "takes no parameters" in _problem(client, f"/api/v1/items/{_id(1)}?fields=summary", 422)


@pytest.mark.parametrize(
    "query",
    [
        "arxiv=2601.00000",
        "arxiv=2601.00000v7",
        "arxiv=arXiv:2601.00000v1",
        "arxiv=https://arxiv.org/pdf/2601.00000v2.pdf",
        "arxiv=10.48550/arXiv.2601.00000",
        "doi=10.48550/arXiv.2601.00000",
        "doi=10.1000/ZETA-0",
        "doi=https://doi.org/10.1000/zeta-0",
        "doi=doi:10.1000/zeta-0",
        "url=https://arxiv.org/abs/2601.00000v3",
        "url=http://export.arxiv.org/abs/2601.00000%23top",
        "url=https://doi.org/10.1000/Zeta-0",
    ],
)
def test_look_up_takes_every_usual_form(client: TestClient, query: str) -> None:
    body = _get(client, f"/api/v1/items/lookup?{query}")
    schemas.Item.model_validate(body)
    assert body == _get(client, f"/api/v1/items/{_id(0)}")


def test_look_up_by_address_ignores_what_only_tracks(client: TestClient) -> None:
    address = urlencode({"url": "HTTPS://Blog.Example/posts/3?utm_source=x&a=1#part"})
    assert _get(client, f"/api/v1/items/lookup?{address}")["id"] == _id(3)


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ("arxiv=2601.99999", 404),
        ("doi=10.1000/none", 404),
        ("url=https://blog.example/", 404),
        ("", 422),
        ("arxiv=2601.00000&doi=10.1000/zeta-0", 422),
        ("arxiv=2601.00000&arxiv=2601.00001", 422),
        ("arxiv=nonsense", 422),
        ("arxiv=", 422),
        ("doi=11.1/x", 422),
        ("doi=10.1000/a%00", 422),
        ("url=ftp://a.example/", 422),
        ("url=https://[", 422),
        ("url=https://a.example:99999/", 422),
        ("url=https://a.example/" + "x" * 3000, 422),
        ("isbn=1", 422),
    ],
)
def test_look_up_that_finds_nothing_or_means_nothing(client: TestClient, query: str, status: int) -> None:
    _problem(client, f"/api/v1/items/lookup?{query}", status)


# ------------------------------------------------------------------ pages
def _walk(client: TestClient, address: str, between: Callable[[int], None] = lambda _: None) -> list[dict[str, Any]]:
    """All members of a list by its Link headers, which must agree with the cursors in the bodies."""
    found: list[dict[str, Any]] = []
    for number in range(1000):
        answer = client.get(address)
        assert answer.status_code == 200, answer.text
        body = answer.json()
        found += body["items"]
        if body["next"] is None:
            assert "link" not in answer.headers
            return found
        assert answer.headers["link"].startswith("<http://127.0.0.1:8000/")
        assert answer.headers["link"].endswith('>; rel="next"')
        address = answer.headers["link"].removeprefix("<http://127.0.0.1:8000").removesuffix('>; rel="next"')
        assert f"cursor={body['next']}" in address
        between(number)
    raise AssertionError("the pages never end")


@pytest.mark.parametrize(
    "query",
    [
        "",
        "&topic=deep-learning&sort=rank",
        "&q=attention",
        "&q=sparse variant&sort=relevance",
        "&area=algorithms&kind=paper&fields=summary,evidence",
    ],
)
def test_pages_stay_whole_while_items_arrive(own_client: TestClient, storage: Storage, query: str) -> None:
    client = own_client
    more(storage, range(COUNT, 60))
    before = [card["id"] for card in _get(client, f"/api/v1/items?limit=200{query}")["items"]]
    assert len(before) > 40

    def arrive(page: int) -> None:
        """On every day that has items: some come before the cursor, some after it."""
        more(storage, range(1000 + page * 10, 1010 + page * 10))

    seen = [card["id"] for card in _walk(client, f"/api/v1/items?limit=7{query}", arrive)]
    assert len(seen) == len(set(seen))
    assert set(before) <= set(seen)
    assert [i for i in seen if i in set(before)] == before


def test_the_link_repeats_the_filter(client: TestClient) -> None:
    asked = "fields=evidence&fields=summary&limit=1&q=title:attention&kind=paper&category=cs.CL&category=cs.LG&since=2026-01-01"
    link = client.get(f"/api/v1/items?{asked}").headers["link"]
    assert (
        "kind=paper&category=cs.CL&category=cs.LG&since=2026-01-01&q=title%3Aattention&limit=1&fields=summary%2Cevidence&cursor="
        in link
    )


def test_the_last_page_may_be_full(client: TestClient) -> None:
    assert len(_walk(client, "/api/v1/items?limit=4")) == COUNT


@pytest.mark.parametrize("position", [0, 1, 2**62, 2**63 - 1])
def test_a_cursor_of_any_position_is_taken(client: TestClient, position: int) -> None:
    assert len(_get(client, "/api/v1/items", cursor=make_cursor((position,)))["items"]) in (0, COUNT)
    assert len(_get(client, "/api/v1/runs", cursor=make_cursor((position,)))["items"]) in (0, 50)


# ------------------------------------------------------------------ taxonomy
def test_areas_in_their_order_with_counts(client: TestClient) -> None:
    body = _get(client, "/api/v1/areas")
    schemas.Areas.model_validate(body)
    assert [a["number"] for a in body["items"]] == list(range(1, 11))
    counts = {a["slug"]: a["count"] for a in body["items"]}
    assert (counts["algorithms"], counts["applications"], counts["mathematics"]) == (9, 9, 0)


def test_topics_with_counts_between_days(client: TestClient) -> None:
    body = _get(client, "/api/v1/topics")
    schemas.Topics.model_validate(body)
    assert {t["slug"]: t["count"] for t in body["items"]}["deep-learning"] == len(PAPERS)
    until = (FIRST_DAY + timedelta(days=1)).isoformat()
    some = _get(client, "/api/v1/topics/deep-learning", since=FIRST_DAY.isoformat(), until=until)
    schemas.TopicInfo.model_validate(some)
    assert some["count"] == len([n for n in PAPERS if n % 10 <= 1])
    assert some["area"] == "algorithms"


def test_a_topic_that_is_not_there(client: TestClient) -> None:
    assert "nearest allowed: deep-learning" in _problem(client, "/api/v1/topics/deep-lerning", 404)
    _problem(client, "/api/v1/topics/%00", 404)
    assert "unknown parameter 'q'" in _problem(client, "/api/v1/topics?q=x", 422)


# ------------------------------------------------------------------ sources
def test_sources_and_their_health(client: TestClient) -> None:
    body = _get(client, "/api/v1/sources")
    schemas.Sources.model_validate(body)
    assert [s["source"] for s in body["items"]] == ["arxiv", "blogs", "pmlr"]
    assert body["items"][1]["outcome"] is None


def test_runs_page_by_page(client: TestClient) -> None:
    body = _get(client, "/api/v1/runs")
    schemas.Runs.model_validate(body)
    assert len(body["items"]) == 50
    every = _walk(client, "/api/v1/runs?limit=7")
    assert len(every) == 60
    assert [r["started"] for r in every] == sorted((r["started"] for r in every), reverse=True)
    assert {r["source"] for r in _walk(client, "/api/v1/runs?limit=7&source=pmlr")} == {"pmlr"}
    failed = next(r for r in every if r["outcome"] == "failed")
    assert failed["error"] == "https://export.arxiv.example/rss: no answer"


@pytest.mark.parametrize(
    "query", ["source=arxive", "source=arxiv&source=pmlr", "limit=0", "cursor=x", "topic=python", "since=2026-01-01"]
)
def test_runs_that_cannot_be_meant(client: TestClient, query: str) -> None:
    _problem(client, f"/api/v1/runs?{query}", 422)


# ------------------------------------------------------------------ digests
def test_a_digest_for_a_period(client: TestClient) -> None:
    body = _get(client, "/api/v1/digests/preview", topic="deep-learning", period="2026-W04", format="json")
    schemas.Digest.model_validate(body)
    assert body["period"] == "2026-W04"
    assert [s["topic"] for s in body["sections"]] == ["deep-learning"]
    assert _get(client, "/api/v1/digests/preview")["period"] == "2026-W05"  # the clock stands on a Friday


@pytest.mark.parametrize(
    "query", ["period=2026-W60", "period=x", "format=html", "limit=3", "cursor=x", "period=2026-01&period=2026-02"]
)
def test_digests_that_cannot_be_meant(client: TestClient, query: str) -> None:
    _problem(client, f"/api/v1/digests/preview?{query}", 422)


@pytest.mark.parametrize("period", ["0001-W01", "0001-01-01", "0001-01", "9999-12-30", "9999-W51", "9999-11"])
def test_digests_at_the_ends_of_the_calendar(client: TestClient, period: str) -> None:
    assert client.get(f"/api/v1/digests/preview?period={period}").status_code in (200, 422)


# ------------------------------------------------------------------ health
def test_alive_and_ready(client: TestClient, backend: str) -> None:
    schemas.Alive.model_validate(_get(client, "/healthz"))
    body = _get(client, "/readyz")
    schemas.Ready.model_validate(body)
    assert body["database"]["kind"] == ("sqlite" if backend == "sqlite" else "postgresql")
    assert (body["database"]["journal"] is None) == (backend != "sqlite")
    assert [s["source"] for s in body["sources"]] == ["arxiv", "blogs", "pmlr"]


def test_not_ready_without_migrations(database_url: str) -> None:
    migrate.upgrade(database_url)
    migrate.downgrade(database_url, "base")
    with opened(database_url, seeded=False) as storage, TestClient(application(storage)) as client:
        answer = client.get("/readyz")
        assert (answer.status_code, answer.headers["content-type"]) == (503, "application/problem+json")
        body = answer.json()
        schemas.Problem.model_validate(body)
        assert body["database"]["reachable"] is True
        assert body["migrations"]["current"] is False
        assert "skillfeed db upgrade" in body["detail"]
        assert client.get("/healthz").status_code == 200


@pytest.mark.parametrize(
    "url", ["sqlite:////nowhere/at/all/skillfeed.db", "postgresql+psycopg://reader:hunter2@127.0.0.1:1/feed?connect_timeout=1"]
)
def test_not_ready_without_a_database(url: str) -> None:
    with opened(url, seeded=False) as storage, TestClient(application(storage)) as client:
        answer = client.get("/readyz")
        assert answer.status_code == 503
        assert answer.json()["database"]["reachable"] is False
        lists = client.get("/api/v1/items")
        assert (lists.status_code, lists.headers["content-type"]) == (503, "application/problem+json")
        for text in (answer.text, lists.text):
            assert "hunter2" not in text
            assert "/nowhere" not in text
        assert client.get("/healthz").status_code == 200


# ------------------------------------------------------------------ both databases
EVERYTHING = [
    "/api/v1/items",
    "/api/v1/items?limit=200&fields=" + ",".join(EXTRA_FIELDS),
    *(f"/api/v1/items?limit=3&fields={field}" for field in EXTRA_FIELDS),
    "/api/v1/items?limit=1",
    "/api/v1/items?topic=deep-learning&topic=predictive-modeling&kind=paper&since=2026-01-20&until=2026-01-26",
    "/api/v1/items?area=algorithms&source=arxiv&category=cs.LG",
    "/api/v1/items?source=pmlr",
    *(
        "/api/v1/items?" + urlencode({"q": q})
        for q in (
            "attention", "Überraschung", "uberraschung", "Ünïcode", "title:release OR sparse",
            '"demand forecasting" -variant', "-only",
            'author:"bo sample"', "α-sparse", "no 1", "AND OR NOT", "NEAR(a b)", '"', "''", "title:", "a*",
            "^release", "{title}:a",
            "t1", "日本語", "İstanbul", "ß ss", "\\", "a & b | !c <-> d:*", "x" * 200, "e\u0301",
        )
    ),
    "/api/v1/items?q=attention&topic=deep-learning&area=applications&limit=2",
    "/api/v1/items?q=variant sparse&sort=relevance",
    "/api/v1/items?sort=rank&fields=rank,signals",
    "/api/v1/items?sort=rank&topic=predictive-modeling&author=Ada+Example&min_score=0.55&limit=3",
    *(f"/api/v1/items/{_id(n)}" for n in range(COUNT)),
    "/api/v1/items/lookup?arxiv=2601.00000",
    "/api/v1/items/lookup?doi=10.1000/zeta-4",
    "/api/v1/areas",
    "/api/v1/topics?since=2026-01-21",
    "/api/v1/topics/predictive-modeling",
    "/api/v1/sources",
    "/api/v1/runs",
    "/api/v1/runs?source=pmlr&limit=5",
    "/api/v1/digests/preview",
    "/api/v1/digests/preview?period=2026-W04&topic=predictive-modeling",
    "/api/v1/digests/preview?period=2026-01&q=attention",
    "/api/v1/items?topic=x",
    "/api/v1/runs?source=x",
    "/api/v1/items/none",
]  # fmt: skip


@pytest.mark.postgres
def test_both_databases_answer_with_the_same_bytes(run: Any, postgres_database: Callable[..., str], tmp_path: Path) -> None:
    path = tmp_path / "same.db"
    path.write_bytes(run.sqlite_template().read_bytes())
    with opened(f"sqlite:///{path}") as one, opened(postgres_database(migrated=True)) as other:
        more(one, range(COUNT, 80))
        more(other, range(COUNT, 80))
        with TestClient(application(one)) as left, TestClient(application(other)) as right:
            for address in EVERYTHING:
                a, b = left.get(address), right.get(address)
                for answer in (a, b):
                    answer.headers.pop("etag", None)  # made of the data version, which each database draws for itself
                assert (a.status_code, a.headers, a.content) == (b.status_code, b.headers, b.content), address
            for address in ("/api/v1/items?limit=9", "/api/v1/runs?limit=9"):
                assert _walk(left, address) == _walk(right, address)


def test_a_read_is_one_view_while_items_arrive(storage: Storage) -> None:
    with storage.read() as db:
        before = items.total(db)
        more(storage, [COUNT])
        assert items.total(db) == before == COUNT
    with storage.read() as db:
        assert items.total(db) == COUNT + 1


def test_command_line_and_api_tell_an_item_alike(own_client: TestClient, storage: Storage) -> None:
    client = own_client
    with storage.read() as db:
        item = items.by_id(db, _id(0))
    assert item is not None
    (told,) = explained([item], load_taxonomy())
    assert client.get(f"/api/v1/items/{_id(0)}").content == shapes.dump(shapes.whole(told))


# ------------------------------------------------------------------ junk
ROUTES = (
    "/api/v1/items", "/api/v1/items.atom", "/api/v1/items.bib", "/api/v1/items.{}",
    "/api/v1/items/lookup", "/api/v1/items/{}", "/api/v1/areas", "/api/v1/topics", "/api/v1/topics/{}",
    "/api/v1/sources", "/api/v1/runs", "/api/v1/quality", "/api/v1/digests/preview", "/healthz", "/readyz",
    "/api/docs", "/api/openapi.json",
    "/{}",
    "/api/v1/{}", "/api/v1/items/{}/{}",
)  # fmt: skip
NAMES = (*LISTING_NAMES, "period", "format", "arxiv", "doi", "url")
AWKWARD = (
    b"NaN", b"-inf", b"1e309", b"9223372036854775808", b"-1", b"0", b"00", b"%00", b"%ED%A0%80", b"%ff%fe", b"%", b"%zz",
    b"%u0041", b"+",
    b"\xff\x00", b"x" * 10_000, b"2026-01-28", b"2026-W05", b"0000-00-00", b"9999-12-31", b"0001-01-01", b"2026-W99",
    "٢٠٢٦-٠١-٢٨".encode(), b"arxiv", b"paper", b"deep-learning", b"cs.LG", b"newest", b"json", b"summary,evidence",
    b"attention",
    b'"', b"'", b"(", b"*", b"a OR", b"-a", b"title:", b"NEAR(", b"t1:*", b"'; DROP TABLE items; --",
    b"bgAAC0k8AAAK", b"bn////////8",
    b"b" * 12, b"2601.00000", b"10.1000/zeta-0", b"https://arxiv.org/abs/2601.00000", b"https://[", b"http://a:99999/", b"http://\xc3\xbc/",
    "İ".encode(), "\u202e".encode(), "𝔘".encode(), b"../../etc/passwd", b"..%2f", b"<script>", b"%0d%0aSet-Cookie: a=b",
)  # fmt: skip

raw = st.one_of(
    st.sampled_from(AWKWARD),
    st.binary(max_size=30),
    st.text(max_size=30).map(lambda t: quote_from_bytes(t.encode("utf-8", "surrogatepass")).encode()),
)
pairs = st.lists(st.tuples(st.one_of(st.sampled_from(NAMES).map(str.encode), raw), raw), max_size=4)


def _ask(runner: asyncio.Runner, app: ASGIApp, method: str, path: str, query: bytes) -> tuple[int, dict[bytes, bytes], bytes]:
    """One request as a server would hand it on, without a client that mends it first."""
    sent: list[Any] = []

    async def receive() -> Any:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: Any) -> None:
        sent.append(message)

    scope: dict[str, Any] = {
        "type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "method": method, "scheme": "http", "path": path,
        "raw_path": path.encode("utf-8", "replace"), "query_string": query, "root_path": "", "headers": [],
        "server": None, "client": None,
    }  # fmt: skip

    async def one() -> None:
        await app(scope, receive, send)

    runner.run(one())
    return sent[0]["status"], dict(sent[0]["headers"]), b"".join(m.get("body", b"") for m in sent[1:])


def _check(answer: tuple[int, dict[bytes, bytes], bytes], path: str) -> None:
    status, headers, body = answer
    assert status < 500, body
    assert b"content-security-policy" in headers
    if status >= 400 and (path.startswith("/api/") or headers[b"content-type"] != b"text/html; charset=utf-8"):
        assert headers[b"content-type"] == b"application/problem+json"
        assert json.loads(body)["status"] == status
        assert b"<" not in body


@pytest.fixture
def ask(client: TestClient) -> Iterator[Callable[[str, str, bytes], tuple[int, dict[bytes, bytes], bytes]]]:
    with asyncio.Runner() as runner:
        yield lambda method, path, query: _ask(runner, client.app, method, path, query)


@settings(max_examples=400, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    route=st.sampled_from(ROUTES),
    parts=st.lists(
        st.one_of(st.text(max_size=20), st.sampled_from(AWKWARD).map(lambda b: b.decode("utf-8", "replace"))),
        min_size=2,
        max_size=2,
    ),
    query=pairs,
)
@example(route="/api/v1/items", parts=["", ""], query=[(b"q", b"%00")])
@example(route="/api/v1/items", parts=["", ""], query=[(b"q", b"\xce")])
@example(route="/api/v1/items/{}", parts=["\0", ""], query=[])
@example(route="/api/v1/items", parts=["", ""], query=[(b"cursor", b"bn////////8")])
def test_no_input_breaks_it(ask: Any, route: str, parts: list[str], query: list[tuple[bytes, bytes]]) -> None:
    path = route.format(*parts)
    _check(ask("GET", path, b"&".join(name + b"=" + value for name, value in query)), path)


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(name=st.sampled_from(NAMES), value=st.text(max_size=300))
def test_no_value_breaks_a_parameter(ask: Any, name: str, value: str) -> None:
    query = name.encode() + b"=" + quote_from_bytes(value.encode("utf-8", "surrogatepass")).encode()
    for route in ("/api/v1/items", "/api/v1/items/lookup", "/api/v1/runs", "/api/v1/digests/preview"):
        _check(ask("GET", route, query), route)


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    method=st.one_of(
        st.text("ABCDEFGHIJKLMNOPQRSTUVWXYZ", min_size=1, max_size=12), st.sampled_from(["HEAD", "POST", "put", "", "G\0"])
    )
)
def test_no_method_breaks_it(ask: Any, method: str) -> None:
    for route in ("/api/v1/items", "/healthz", "/none"):
        status, headers, body = ask(method, route, b"")
        if method == "HEAD":
            assert body == b""
        else:
            _check((status, headers, body), route)
        assert status in ((200, 404) if method in ("GET", "HEAD") else (404, 405)), body
