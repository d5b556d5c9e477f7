from __future__ import annotations

import re
import socket
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import arxiv as package
import pytest
import requests

from catalog.entries import Basis, Detail, EntryData, Kind
from catalog.errors import FetchError, ParseError
from catalog.version import VERSION
from ingest import arxiv_query
from ingest.arxiv_query import by_ids, submitted_since
from ingest.formats.arxiv_results import check_page
from tests.databases import Run
from tests.ingest.loopback import Case, RawServer, fetching, http
from tests.loopback_arxiv import Fault, LoopbackArxiv, Paper, sample_papers

DATA = Path(__file__).resolve().parents[1] / "data" / "arxiv"
DAY = date(2026, 2, 6)
LATEST = DAY + timedelta(days=1)
SINCE, UNTIL = datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 2, 7, tzinfo=UTC)
ERROR = (DATA / "query_error.xml").read_bytes()
PAGE = (DATA / "query_page.xml").read_bytes()


@pytest.fixture(scope="module")
def papers() -> list[Paper]:
    return sample_papers(seed=4, per_day=12)


@pytest.fixture(scope="module")
def server(papers: list[Paper]) -> Iterator[LoopbackArxiv]:
    with LoopbackArxiv(papers, DAY) as made:
        yield made


@pytest.fixture
def url(run: Run, tmp_path: Path) -> str:
    """A fresh SQLite database: which kind it is does not matter here."""
    path = tmp_path / "query.db"
    path.write_bytes(run.sqlite_template().read_bytes())
    return f"sqlite:///{path}"


@pytest.fixture
def arxiv(server: LoopbackArxiv) -> LoopbackArxiv:
    """The server without faults and log."""
    server.faults = []
    server.requests.clear()
    return server


@pytest.fixture
def case(arxiv: LoopbackArxiv, url: str) -> Iterator[Case]:
    with fetching(arxiv.url, url) as made:
        yield made


def living(papers: list[Paper]) -> list[str]:
    return [p.id for p in papers if p.announced <= DAY and not (p.deleted and p.deleted <= DAY)]


def asked(arxiv: LoopbackArxiv) -> list[dict[str, str]]:
    """The parameters of the requests so far."""
    return [{k: v[0] for k, v in parse_qs(r.query).items()} for r in arxiv.requests]


# ------------------------------------------------------------------ one page
def test_an_entry_is_read_as_it_is_meant(url: str) -> None:
    with RawServer(http(PAGE)) as server, fetching(server.url, url) as case:
        found = by_ids(case, "arxiv", ["2604.01234"], date(2026, 5, 2))
    assert not found.rejected
    assert found.entries == (
        EntryData(
            source="arxiv",
            key="2604.01234",
            kind=Kind.PAPER,
            title="Lazy Kernel Thinning when $n<p$",
            url="https://arxiv.org/abs/2604.01234",
            abstract="We thin kernels with α < 1, and say so in two lines.",
            authors=("Ada Example", "Bo Sample Jr"),
            announced=date(2026, 4, 3),
            basis=Basis.ESTIMATED,
            submitted=datetime(2026, 4, 2, 17, 59, 46, tzinfo=UTC),
            updated=datetime(2026, 4, 30, 8, tzinfo=UTC),
            version=2,
            categories=("cs.LG", "stat.ML"),
            identifiers=(("arxiv", "2604.01234"), ("doi", "10.1000/inv.7")),
            comment="Accepted at ICML 2026; code at https://example.org",
            journal="J. Inv. Results 7 (2026) 11-29",
            detail=Detail.BRIEF,
        ),
    )


PAGES = {
    "HTML with status 200": (b"<!DOCTYPE html><html><body>One moment</body></html>", "html"),
    "JSON": (b'{"error": 1}', "not-xml"),
    "nothing": (b"", "empty-body"),
    "another format": (b"<rss/>", "no-feed"),
    "arXiv's error entry": (ERROR, "api-error"),
    "fewer entries than counted": (
        PAGE.replace(b"PerPage>1<", b"PerPage>2<").replace(b"Results>1<", b"Results>2<"), "count-differs",
    ),
    "more entries than counted": (PAGE.replace(b"Results>1<", b"Results>0<"), "count-differs"),
    "an empty page that counts some": (re.sub(rb"<entry>.*</entry>", b"", PAGE, flags=re.S), "count-differs"),
    "a page without counts": (re.sub(rb"<opensearch:.*\n", b"", PAGE), "no-counts"),
    "a page whose counts are no numbers": (PAGE.replace(b"Results>1<", b"Results>many<"), "no-counts"),
    "a truncated page": (PAGE[: len(PAGE) * 2 // 3], "count-differs"),
    "a document type": (PAGE.replace(b"<feed", b"<!DOCTYPE feed [<!ENTITY a 'b'>]><feed", 1), "doctype"),
}  # fmt: skip


@pytest.mark.parametrize(("body", "reason"), PAGES.values(), ids=PAGES.keys())
def test_a_page_that_is_not_whole_is_refused(body: bytes, reason: str) -> None:
    with pytest.raises(ParseError) as raised:
        check_page(body)
    assert raised.value.reason == reason


def test_a_page_without_results_is_whole() -> None:
    none = re.sub(rb"<entry>.*</entry>", b"", PAGE.replace(b"Results>1<", b"Results>0<"), flags=re.S)
    assert check_page(none)[1:] == (0, 0)


ODD = {
    "without publication date the announcement is unknown": (
        rb"<published>.*</published>", b"", {"submitted": None, "announced": None, "basis": Basis.HELD},
    ),
    "without update date that is unknown": (rb"<updated>2026-04-30T08:00:00Z</updated>", b"", {"updated": None}),
    "with a date that is none it is unknown": (
        rb"<published>.*</published>", b"<published>some day</published>", {"submitted": None, "basis": Basis.HELD},
    ),
    "with an empty date it is unknown": (rb"<published>.*</published>", b"<published/>", {"submitted": None}),
    "a date that lies ahead is not believed": (
        rb"<published>.*</published>", b"<published>2099-12-31T23:59:59Z</published>", {"submitted": None, "announced": None},
    ),
    "nor is one before arXiv, whatever its zone": (
        rb"<updated>2026-04-30T08:00:00Z</updated>", b"<updated>0001-01-01T00:00:00+05:00</updated>", {"updated": None},
    ),
    "older offsets are read": (
        rb"<published>.*</published>", b"<published>2026-04-02T13:59:46-04:00</published>",
        {"submitted": datetime(2026, 4, 2, 17, 59, 46, tzinfo=UTC)},
    ),
    "without authors there are none": (rb"<author>.*</author>", b"", {"authors": ()}),
    "without comment there is none": (rb"<arxiv:comment>.*</arxiv:comment>", b"", {"comment": ""}),
    "without abstract it is empty": (rb"<summary>.*</summary>", b"", {"abstract": ""}),
    "without primary category the first counts": (rb"<arxiv:primary_category[^>]*>", b"", {"categories": ("cs.LG", "stat.ML")}),
}  # fmt: skip


@pytest.mark.parametrize(("pattern", "instead", "then"), ODD.values(), ids=ODD.keys())
def test_no_missing_field_loses_an_entry(pattern: bytes, instead: bytes, then: dict[str, object], url: str) -> None:
    body, count = re.subn(pattern, instead, PAGE, flags=re.S)
    assert count == 1
    with RawServer(http(body)) as server, fetching(server.url, url) as case:
        found = by_ids(case, "arxiv", ["2604.01234"], date(2026, 5, 2))
    ((entry),) = found.entries
    assert {k: getattr(entry, k) for k in then} == then
    assert server.connections == 1


def test_entries_that_cannot_be_used_are_counted_and_shift_no_other(url: str) -> None:
    whole = re.search(rb"  <entry>.*</entry>\n", PAGE, re.S)
    assert whole
    good = whole[0]
    bad = [
        re.sub(rb"<id>.*?</id>", b"", good),
        good.replace(b"abs/2604.01234v2</id>", b"abs/nothing</id>"),
        re.sub(rb"<title>.*?</title>", b"<title/>", good, flags=re.S),
    ]
    entries = [good, *bad, good.replace(b"2604.01234", b"2604.05678")]
    body = PAGE.replace(good, b"".join(entries)).replace(b"PerPage>1<", b"PerPage>5<").replace(b"Results>1<", b"Results>5<")
    with RawServer(http(body)) as server, fetching(server.url, url) as case:
        found = by_ids(case, "arxiv", [f"2604.0000{n}" for n in range(5)], date(2026, 5, 2))
    assert [e.key for e in found.entries] == ["2604.01234", "2604.05678"]
    assert dict(found.rejected) == {"no-identifier": 2, "no-title": 1}
    assert server.connections == 1


# ------------------------------------------------------------------ by id
def test_ids_are_found_and_unknown_ones_left_out(case: Case, papers: list[Paper]) -> None:
    wanted = living(papers)[:7]
    found = by_ids(case, "arxiv", [*wanted, "2601.99999", "9999.0001"], LATEST)
    assert {e.key for e in found.entries} == set(wanted)
    assert not found.rejected


def test_no_known_id_is_an_empty_answer(case: Case) -> None:
    assert by_ids(case, "arxiv", ["2601.99999"], LATEST).entries == ()


def test_no_ids_are_no_request(case: Case, arxiv: LoopbackArxiv) -> None:
    assert by_ids(case, "arxiv", [], LATEST).entries == ()
    assert not arxiv.requests


def test_more_than_a_hundred_ids_are_asked_in_parts_none_of_which_is_cut(
    case: Case, arxiv: LoopbackArxiv, papers: list[Paper]
) -> None:
    wanted = living(papers)[:230]
    assert len(wanted) == 230
    found = by_ids(case, "arxiv", wanted, LATEST)
    assert {e.key for e in found.entries} == set(wanted)
    assert [len(q["id_list"].split(",")) for q in asked(arxiv)] == [100, 100, 30]
    assert [q["max_results"] for q in asked(arxiv)] == ["100", "100", "30"]
    assert case.fetcher.requests == len(arxiv.requests) == 3


# ------------------------------------------------------------------ searches
def submitted(papers: list[Paper], category: str) -> list[str]:
    """Ids of the category's papers in the order of a search; those cross-listed later count as well."""
    alive = set(living(papers))

    def fits(paper: Paper) -> bool:
        crossed = [name for name, day in paper.crossed if day <= DAY]
        return paper.id in alive and category in (*paper.categories, *crossed) and SINCE <= paper.submitted <= UNTIL

    found = [p for p in papers if fits(p)]
    return [p.id for p in sorted(found, key=lambda p: (p.submitted, p.id))]


def test_a_search_is_read_over_all_its_pages(
    case: Case, arxiv: LoopbackArxiv, papers: list[Paper], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(arxiv_query, "PAGE", 10)
    wanted = submitted(papers, "cs.LG")
    assert len(wanted) > 40
    found = submitted_since(case, "arxiv", "cs.LG", SINCE, UNTIL, LATEST)
    assert [e.key for e in found.entries] == wanted
    assert [int(q["start"]) for q in asked(arxiv)] == list(range(0, len(wanted), 10))
    assert {q["sortBy"] for q in asked(arxiv)} == {"submittedDate"}
    assert case.fetcher.requests == len(arxiv.requests)


def test_a_search_without_results_is_empty(case: Case) -> None:
    assert submitted_since(case, "arxiv", "hep-th", SINCE, SINCE + timedelta(days=1), LATEST).entries == ()


HEALED = ["html_200", "cut", "empty_page", "json_shape", "duplicate_ids", "truncate", "503", "429", "reset"]


@pytest.mark.parametrize("kind", HEALED)
def test_a_page_that_came_broken_is_asked_for_again(
    kind: str, case: Case, arxiv: LoopbackArxiv, papers: list[Paper], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(arxiv_query, "PAGE", 20)
    arxiv.faults = [Fault(kind, path_contains="start=20", times=2)] if kind != "reset" else [Fault(kind, times=1)]
    found = submitted_since(case, "arxiv", "cs.LG", SINCE, UNTIL, LATEST)
    assert [e.key for e in found.entries] == submitted(papers, "cs.LG")


@pytest.mark.parametrize("kind", ["html_200", "cut", "empty_page", "json_shape", "duplicate_ids"])
def test_a_page_that_stays_broken_fails_the_search_instead_of_shortening_it(
    kind: str, case: Case, arxiv: LoopbackArxiv, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(arxiv_query, "PAGE", 20)
    arxiv.faults = [Fault(kind, path_contains="start=20")]
    with pytest.raises(ParseError):
        submitted_since(case, "arxiv", "cs.LG", SINCE, UNTIL, LATEST)
    assert len(arxiv.requests) == 1 + 3  # the page before, and three tries


@pytest.mark.parametrize("kind", ["bad_dates", "missing_fields", "undefined_entity", "wrong_encoding", "html_title"])
def test_damage_inside_entries_loses_no_other(kind: str, case: Case, arxiv: LoopbackArxiv, papers: list[Paper]) -> None:
    arxiv.faults = [Fault(kind)]
    found = submitted_since(case, "arxiv", "cs.LG", SINCE, UNTIL, LATEST)
    assert len(found.entries) + sum(found.rejected.values()) == len(submitted(papers, "cs.LG"))
    assert len(arxiv.requests) == 1


# ------------------------------------------------------------------ errors
def test_an_error_with_status_400_is_said_and_not_asked_again(case: Case, arxiv: LoopbackArxiv) -> None:
    with pytest.raises(ParseError, match="incorrect id format for abc") as raised:
        by_ids(case, "arxiv", ["abc"], LATEST)
    assert raised.value.reason == "api-error"
    assert [r.status for r in arxiv.requests] == [400]


def test_an_error_with_status_200_is_no_paper(url: str) -> None:
    with (
        RawServer(http(ERROR)) as server,
        fetching(server.url, url) as case,
        pytest.raises(ParseError, match="incorrect id format") as raised,
    ):
        by_ids(case, "arxiv", ["2604.01234"], LATEST)
    assert raised.value.reason == "api-error"
    assert server.connections == 1


def test_a_host_that_is_gone_is_a_fetch_error(url: str) -> None:
    with RawServer(http()) as server:
        gone = server.url
    with fetching(gone, url) as case, pytest.raises(FetchError) as raised:
        by_ids(case, "arxiv", ["2604.01234"], LATEST)
    assert raised.value.reason == "unreachable"


# ------------------------------------------------------------------ one way out
def test_the_user_agent_is_ours_and_not_the_packages(arxiv: LoopbackArxiv, url: str) -> None:
    with fetching(arxiv.url, url, CONTACT="ops@example.org") as case:
        by_ids(case, "arxiv", ["2601.00001"], LATEST)
    assert {r.user_agent for r in arxiv.requests} == {f"Skillfeed/{VERSION} (+mailto:ops@example.org)"}
    assert package._USER_AGENT not in {r.user_agent for r in arxiv.requests}


def test_no_other_way_out_is_used(case: Case, arxiv: LoopbackArxiv, monkeypatch: pytest.MonkeyPatch) -> None:
    """The package's own adapters would open connections of their own; here nothing but the mirror may be reached."""

    def refused(*_: object, **__: object) -> None:
        raise AssertionError("a connection beside the Fetcher's")

    monkeypatch.setattr(requests.adapters.HTTPAdapter, "send", refused)
    opened: list[object] = []
    connect = socket.create_connection

    def noted(address: tuple[str, int], *more: Any, **named: Any) -> socket.socket:
        opened.append(address)
        return connect(address, *more, **named)

    monkeypatch.setattr(socket, "create_connection", noted)
    monkeypatch.setenv("HTTPS_PROXY", "http://192.0.2.1:3128")
    assert by_ids(case, "arxiv", ["2601.00001", "2601.00002"], LATEST).entries
    assert opened == [("127.0.0.1", int(arxiv.url.rpartition(":")[2]))]
    assert case.fetcher.requests == len(arxiv.requests) == 1
