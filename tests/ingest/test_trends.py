"""What people say of papers: votes, stories and repositories are of the paper, which stays one item."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from catalog.items import Signal
from catalog.outcomes import Outcome
from catalog.storage import Storage, items, signals, sources
from catalog.storage.sources import PartState
from ingest.formats.daily_papers import parse_daily
from ingest.formats.hacker_news import parse_stories
from ingest.formats.releases import Library, parse_github, parse_pypi
from ingest.source import Window
from ingest.sources.huggingface import spans
from ingest.sources.semantic_scholar import SemanticScholar
from tests.app.seeding import application
from tests.ingest.mirror import mirror
from tests.ingest.works import ARXIV, held, keep
from tests.instance import Instance, instance

ROOT = Path(__file__).resolve().parents[1] / "data"
NOW = datetime(2026, 1, 9, 12, tzinfo=UTC)


@pytest.fixture
def storage(migrated_url: str) -> Iterator[Storage]:
    """An empty store."""
    made = Storage(migrated_url, upgrade=False)
    yield made
    made.close()


def put_forward(**more: Any) -> bytes:
    """A page of daily papers with the invented paper of arXiv."""
    paper = {
        "id": ARXIV.key, "title": ARXIV.title.upper(), "summary": "Other words.", "upvotes": 33, "githubStars": 12,
        "submittedOnDailyAt": "2026-01-08T09:00:00.000Z", "publishedAt": "2026-01-05T00:00:00.000Z",
        "githubRepo": "https://github.com/ada/elsewhere",
    }  # fmt: skip
    return json.dumps([{"paper": paper | more, "numComments": 2}]).encode()


def stories(*hits: tuple[str, str | None, int]) -> bytes:
    """A page of stories: id, address, points."""
    rows = [
        {"objectID": i, "title": f"Story {i}", "url": url, "points": n, "num_comments": 1, "created_at_i": 1767867000}
        for i, url, n in hits
    ]
    return json.dumps({"hits": rows, "nbHits": len(rows)}).encode()


def test_what_speaks_of_a_paper_is_its_signal_whoever_comes_first(storage: Storage) -> None:
    daily = parse_daily(put_forward(), NOW)
    talk = parse_stories(
        stories(("1", f"https://arxiv.org/pdf/{ARXIV.key}v1", 40), ("2", f"http://arxiv.org/abs/{ARXIV.key}", 7)), NOW
    )
    assert (talk.entries, talk.works) == ((), 2)
    with storage.write() as db:
        signals.put(db, [*talk.signals, *daily.signals])
    keep(storage, *daily.entries, now=NOW)
    first = held(storage)
    keep(storage, ARXIV, now=NOW)
    (item,) = held(storage)
    assert [i.id for i in first] == [item.id]
    assert (item.title, item.url, item.announced) == (ARXIV.title, ARXIV.url, date(2026, 1, 7))
    assert {n.text for n in item.news if n.what == "code"} == {
        "https://github.com/ada/sparse",
        "https://github.com/ada/elsewhere",
    }
    with TestClient(application(storage)) as client:
        shown = client.get(f"/api/v1/items/{item.id}").json()
        assert shown["signals"]["huggingface"] == {"comments": 2.0, "stars": 12.0, "upvotes": 33.0}
        assert shown["signals"]["hackernews"] == {"comments": 1.0, "points": 40.0}
        assert "33 upvotes" in client.get(f"/items/{item.id}").text


def test_a_paper_that_arxiv_takes_back_is_withdrawn_whoever_put_it_forward(storage: Storage) -> None:
    keep(storage, ARXIV, *parse_daily(put_forward(), NOW).entries, now=NOW)
    keep(storage, replace(ARXIV, withdrawn=True), now=NOW)
    (item,) = held(storage)
    assert (item.withdrawn, item.title) == (True, ARXIV.title)


def test_stories_about_one_address_are_one_post(storage: Storage) -> None:
    page = parse_stories(
        stories(("1", "https://blog.example.org/a?utm_source=hn", 30), ("2", "https://blog.example.org/a", 50), ("3", None, 9)),
        NOW,
    )
    keep(storage, *page.entries, now=NOW)
    assert sorted(len(i.entries) for i in held(storage)) == [1, 2]
    assert Signal("hackernews", "2", "hackernews", "points", 50.0, NOW) in page.signals


def test_a_week_has_its_iso_name_also_the_fifty_third() -> None:
    long = Window(date(2026, 12, 20), date(2027, 1, 5))
    assert [name for name, _ in spans(long, date(2027, 2, 1))] == ["2026-W51", "2026-W52", "2026-W53", "2027-W01"]
    short = Window(date(2026, 12, 31), date(2027, 1, 2))
    assert [p["date"] for _, p in spans(short, date(2027, 1, 1))] == ["2026-12-31", "2027-01-01"]


def test_a_day_is_that_on_which_a_paper_was_put_forward_and_broken_rows_cost_only_themselves() -> None:
    rows = [*json.loads(put_forward()), {"paper": {"id": "nonsense", "title": "x"}}, {}, {"paper": {"id": "2601.00002"}}]
    page = parse_daily(json.dumps(rows).encode(), NOW)
    assert [e.announced for e in page.entries] == [date(2026, 1, 8)]
    assert dict(page.rejected) == {"no-key": 1, "no-paper": 1, "no-title": 1}


def atom(*tags: str) -> bytes:
    """A feed of releases."""
    rows = "".join(
        f"<entry><id>tag:github.com,2008:Repository/1/{t}</id><updated>2026-01-05T10:00:00Z</updated><title>{t}</title></entry>"
        for t in tags
    )
    return f'<feed xmlns="http://www.w3.org/2005/Atom">{rows}</feed>'.encode()


def test_minor_and_major_versions_are_told_patches_and_pre_releases_are_not() -> None:
    jax = Library("JAX", "jax-ml/jax")
    feed = parse_github(atom("jax-v0.9.0", "v0.8.3", "v0.8.2", "v1.0.0-rc2", "v0.7.0b1", "v0.7.1", "nightly"), jax, NOW.date())
    assert [e.title for e in feed.entries] == ["JAX 0.9.0", "JAX 0.8.2"]  # 0.7.0 may lie behind the feed's end
    assert (feed.passed, dict(feed.rejected)) == (4, {"no-version": 1})
    item = "<item><title>2.0</title><link>javascript:x</link><pubDate>Tue, 06 Jan 2026 10:00:00 GMT</pubDate></item>"
    (only,) = parse_pypi(f"<rss><channel>{item}</channel></rss>".encode(), jax, NOW.date()).entries
    assert (only.title, only.announced, only.url) == ("JAX 2.0", date(2026, 1, 6), "https://github.com/jax-ml/jax/releases")


def test_citations_are_asked_for_in_batches_that_go_on_where_they_were(migrated_url: str) -> None:
    papers = [
        replace(
            ARXIV, key=key, identifiers=(("arxiv", key),), title=f"Paper {n} of a Few Invented Ones", announced=date(2026, 1, n)
        )
        for n in (1, 2, 3)
        for key in [f"2601.0000{n}"]
    ]
    with mirror(ROOT / "semantic_scholar" / "upstream") as host, instance(migrated_url, host.url, NOW.date()) as one:
        keep(one.storage, *papers, now=NOW)
        first = one.visit(SemanticScholar(at_once=2))
        assert first.outcome is Outcome.FAILED  # the host answers for 2601.00002 where 2601.00003 was asked for
        with one.storage.write() as db:
            sources.put_part(db, "semantic-scholar", "citations", PartState({"before": position_of(one, "2601.00003")}))
        second = one.visit(SemanticScholar(at_once=2))
        assert (second.outcome, second.requests) == (Outcome.OK, 1)
        cited = {i.title: {(x.name, x.number) for x in i.signals} for i in held(one.storage)}
        assert cited["Paper 2 of a Few Invented Ones"] == {("citations", 31.0), ("influential", 4.0)}
        assert cited["Paper 1 of a Few Invented Ones"] == set()
        with one.storage.read() as db:
            assert sources.part(db, "semantic-scholar", "citations") == PartState({})


def position_of(one: Instance, arxiv: str) -> int:
    """Where the paper stands."""
    with one.storage.read() as db:
        item = items.by_identifier(db, "arxiv", arxiv)
        assert item is not None
        return item.position


def test_a_busy_pool_is_no_failure_while_no_key_is_set(migrated_url: str) -> None:
    with mirror(ROOT / "nothing") as host, instance(migrated_url, host.url, NOW.date()) as one:
        keep(one.storage, ARXIV, now=NOW)
        host.status = 429
        assert one.visit(SemanticScholar()).outcome is Outcome.NOT_CONFIGURED
    with mirror(ROOT / "nothing") as host, instance(migrated_url, host.url, NOW.date(), SEMANTIC_SCHOLAR_KEY="k") as one:
        host.status = 429
        assert one.visit(SemanticScholar()).outcome is Outcome.FAILED
