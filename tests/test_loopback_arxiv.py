"""The loopback arXiv: readable by readers that know nothing of it, true to its papers, and failing only when told to."""

from __future__ import annotations

import datetime as dt
import email.utils
import json
import os
import re
import subprocess
import sys
import threading
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlencode

import arxiv as arxiv_package
import feedparser
import httpx
import lxml.etree
import lxml.html
import pytest

from tests.loopback_arxiv import (
    Fault,
    LoopbackArxiv,
    Paper,
    Request,
    Version,
    announcement_days,
    expected,
    is_announcement_day,
    latest_version,
    previous_announcement,
    sample_papers,
    unicode_text,
)
from tests.loopback_arxiv.faults import KINDS
from tests.loopback_arxiv.papers import fold

pytestmark = pytest.mark.slow  # it is tested here, and used everywhere: `make check` can do without

FIRST, LAST = dt.date(2026, 1, 12), dt.date(2026, 2, 6)
DAY = dt.date(2026, 1, 29)
SATURDAY = dt.date(2026, 1, 31)
PAPERS = sample_papers()
BY_ID = {paper.id: paper for paper in PAPERS}
CATEGORIES = ("cs.LG", "stat.ML", "cs.CL", "eess.SY", "math.ST")
ARCHIVES = "cs+stat+eess+math"
NS = {
    "oai": "http://www.openarchives.org/OAI/2.0/",
    "raw": "http://arxiv.org/OAI/arXivRaw/",
    "arxiv": "http://arxiv.org/OAI/arXiv/",
    "dc": "http://purl.org/dc/elements/1.1/",
    "atom": "http://www.w3.org/2005/Atom",
    "ext": "http://arxiv.org/schemas/atom",
    "os": "http://a9.com/-/spec/opensearch/1.1/",
}


@pytest.fixture
def arxiv() -> Iterator[LoopbackArxiv]:
    """An arXiv on a day in the middle of the sample."""
    with LoopbackArxiv(PAPERS, DAY) as server:
        yield server


@pytest.fixture(scope="module")
def web() -> Iterator[httpx.Client]:
    """A client that waits only briefly; one for all tests, since making one takes longer than most of them."""
    with httpx.Client(timeout=5, headers={"User-Agent": "probe/1"}) as client:
        yield client


def invented(identifier: str = "2601.00001", **changes: Any) -> Paper:
    """A paper by hand, announced on DAY."""
    facts: dict[str, Any] = {
        "title": "On Samples",
        "abstract": "We sample.",
        "authors": ("Ada Example",),
        "categories": ("cs.LG",),
        "announced": DAY,
        "submitted": dt.datetime(2026, 1, 28, 12, tzinfo=dt.UTC),
    }
    return Paper(identifier, **{**facts, **changes})


def get(web: httpx.Client, server: LoopbackArxiv, target: str, **more: Any) -> httpx.Response:
    """A request to `<host>/<path>`."""
    return web.get(f"{server.url}/{target}", **more)


def entries(web: httpx.Client, server: LoopbackArxiv, spec: str = "cs.LG", form: str = "rss") -> list[Any]:
    """The entries of a feed, which must be without a fault."""
    parsed = feedparser.parse(get(web, server, f"rss.arxiv.org/{form}/{spec}").content)
    assert parsed.bozo == 0
    return list(parsed.entries)


def oai(web: httpx.Client, server: LoopbackArxiv, **params: str) -> lxml.etree._Element:
    """The envelope of an OAI answer; `from_` stands for `from`."""
    answer = get(web, server, "oaipmh.arxiv.org/oai", params={name.rstrip("_"): value for name, value in params.items()})
    assert answer.status_code == 200
    return lxml.etree.fromstring(answer.content)


def texts(root: lxml.etree._Element, path: str) -> list[str]:
    """The texts of all elements on the path."""
    return [element.text or "" for element in root.iterfind(path, NS)]


def error_of(root: lxml.etree._Element) -> str | None:
    """The code of an OAI error."""
    error = root.find("oai:error", NS)
    return None if error is None else error.get("code")


def html(text: str) -> Any:
    """An HTML page."""
    return lxml.html.fromstring(text)


def sections(page: Any) -> dict[str, list[str]]:
    """The identifiers of a listing page by the heading they stand under."""
    found: dict[str, list[str]] = {}
    for element in page.iterfind(".//dl/*"):
        if element.tag == "h3":
            found[element.text_content()] = []
        elif element.tag == "dt":
            found[list(found)[-1]] += [link.get("id", "") for link in element.iterfind("a[@title='Abstract']")]
    return found


@contextmanager
def package_client(server: LoopbackArxiv, page_size: int = 20) -> Iterator[Any]:
    """The `arxiv` package, pointed at the loopback."""
    client = arxiv_package.Client(page_size=page_size, delay_seconds=0, num_retries=0)
    client.query_url_format = f"{server.url}/export.arxiv.org/api/query?{{}}"
    try:
        yield client
    finally:
        client._session.close()


# ---------------------------------------------------------------- the papers
def test_samples_are_the_same_for_the_same_seed() -> None:
    assert sample_papers() == PAPERS
    assert sample_papers(seed=2) != PAPERS
    assert len({paper.id for paper in PAPERS}) == len(PAPERS)
    assert len({paper.title for paper in PAPERS}) == len(PAPERS)


def test_samples_come_in_any_number() -> None:
    week = [FIRST + dt.timedelta(days=n) for n in range(7)]
    few = sample_papers(days=week, per_day=2)
    assert len([paper for paper in few if paper.announced >= FIRST]) == 2 * 5
    assert len(sample_papers(days=week[:1], per_day=2500)) == 2501


def test_samples_hold_every_oddity() -> None:
    names = {name for paper in PAPERS for name in paper.categories}
    assert {"stat.TH", "math.ST", "cs.SY", "eess.SY", "cs.NA", "math.NA"} <= names
    assert any(not any(c.startswith(("cs.", "stat.", "eess.", "math.")) for c in paper.categories) for paper in PAPERS)
    everything = " ".join(text for paper in PAPERS for text in (paper.title, *paper.authors))
    assert all(mark in everything for mark in (r"\H{o}", r"\"u", "&", "<", "$", ", Probe City)"))
    held = [(paper.announced - paper.submitted.date()).days for paper in PAPERS]
    assert any(days >= 5 for days in held)
    assert any(paper.deleted for paper in PAPERS)
    assert any(paper.crossed for paper in PAPERS)
    assert any(version.withdrawn for paper in PAPERS for version in paper.versions)
    assert any(version.number > 5 and FIRST <= version.announced <= LAST for paper in PAPERS for version in paper.versions)
    assert any("/" in paper.id for paper in PAPERS)
    assert any(re.fullmatch(r"\d{4}\.\d{4}", paper.id) for paper in PAPERS)


def test_samples_keep_to_the_calendar() -> None:
    assert not is_announcement_day(dt.date(2026, 1, 20))  # the evening before is a holiday
    assert not is_announcement_day(SATURDAY)
    assert previous_announcement(dt.date(2026, 1, 21)) == dt.date(2026, 1, 19)
    for paper in PAPERS:
        assert is_announcement_day(paper.announced)
        assert 0 < (paper.announced - paper.submitted.date()).days <= 14
        assert all(version.submitted.date() < version.announced for version in paper.versions)


@pytest.mark.parametrize(
    ("tex", "text"),
    [
        (r"Erd\H{o}s and R\'enyi", "Erdős and Rényi"),
        (r"M\"uller, M{\"u}ller, M\"{u}ller", "Müller, Müller, Müller"),
        (r"Garc\'{\i}a, \O{}stby, \L ukasz, Stra{\ss}e", "García, Østby, Łukasz, Straße"),
        (r"Ki\c{s}la, \v{C}ech, {\AA}ngstr\"om", "Kişla, Čech, Ångström"),
        (r"$\tilde{O}(n)$ \emph{o} 5\% \mathbf{X}", r"$\tilde{O}(n)$ \emph{o} 5\% \mathbf{X}"),
    ],
)
def test_tex_accents_become_letters(tex: str, text: str) -> None:
    assert unicode_text(tex) == text


def test_latest_version_tells_how_a_paper_stood() -> None:
    second = Version(2, dt.datetime(2026, 2, 2, tzinfo=dt.UTC), dt.date(2026, 2, 3), title="On More Samples")
    paper = invented(versions=(second,), crossed=(("stat.ML", dt.date(2026, 2, 4)),), deleted=dt.date(2026, 2, 5))
    days = [latest_version(paper, DAY + dt.timedelta(days=n)) for n in (-1, 0, 5, 6, 7)]
    assert days[0] is None
    seen = [(s.number, s.title, s.categories, s.changed.day, s.deleted) for s in days if s]
    assert seen == [
        (1, "On Samples", ("cs.LG",), 29, False),
        (2, "On More Samples", ("cs.LG",), 3, False),
        (2, "On More Samples", ("cs.LG", "stat.ML"), 4, False),
        (2, "On More Samples", ("cs.LG", "stat.ML"), 5, True),
    ]
    first = latest_version(paper, LAST, upto=1)
    assert first is not None
    assert first.title == "On Samples"
    assert latest_version(paper, LAST, upto=3) is None


def test_a_paper_that_cannot_be_is_refused() -> None:
    with pytest.raises(ValueError, match="categories"):
        invented(categories=("cs.XX",))
    with pytest.raises(ValueError, match="aware"):
        invented(submitted=dt.datetime(2026, 1, 1))  # noqa: DTZ001 (the point of the test)
    with pytest.raises(ValueError, match="numbered"):
        invented(versions=(Version(3, dt.datetime(2026, 2, 2, tzinfo=dt.UTC), LAST),))


# ---------------------------------------------------------------- the feeds
@pytest.mark.parametrize("category", CATEGORIES)
def test_the_feeds_of_all_days_hold_what_is_expected(arxiv: LoopbackArxiv, web: httpx.Client, category: str) -> None:
    fresh, crossed = set(), set()
    for day in announcement_days(FIRST, LAST):
        arxiv.today = day
        for entry in entries(web, arxiv, category):
            paper = BY_ID[re.sub(r"oai:arXiv.org:(.+)v\d+", r"\1", entry.id)]
            match entry.arxiv_announce_type:
                case "new":
                    assert fold(paper.categories[0]) == fold(category)
                    fresh.add(paper.id)
                case "cross" if paper.announced == day:
                    fresh.add(paper.id)
                case "cross":
                    crossed.add(paper.id)
                case kind:
                    assert kind in ("replace", "replace-cross")
                    assert day in [version.announced for version in paper.versions]
    assert fresh == expected(PAPERS, [category], FIRST, LAST)
    assert fresh | crossed == expected(PAPERS, [category], FIRST, LAST, later_crosses=True)


def test_a_feed_entry_reads_as_its_paper(web: httpx.Client) -> None:
    paper = invented(
        title=r"Q&A with $k < n$ over Erd\H{o}s Graphs",
        authors=(r"Jan M\"uller (Example Univ., Probe City)", "Ada Example"),
        categories=("cs.LG", "stat.ML"),
        doi="10.1000/inv.1",
        journal="J. Inv. 1 (2026)",
    )
    with LoopbackArxiv([paper]) as server:
        for form in ("rss", "atom"):
            (entry,) = entries(web, server, form=form)
            assert entry.title == "Q&A with $k < n$ over Erdős Graphs"
            assert entry.id == "oai:arXiv.org:2601.00001v1"
            assert entry.link == "https://arxiv.org/abs/2601.00001"
            assert entry.summary == "arXiv:2601.00001v1 Announce Type: new \nAbstract: We sample."
            assert [tag.term for tag in entry.tags] == ["cs.LG", "stat.ML"]
            assert entry.author == "Jan Müller (Example Univ., Probe City), Ada Example"
            assert entry.rights == paper.licence
            assert entry.arxiv_doi == paper.doi
            assert entry.arxiv_journal_reference == paper.journal
            assert entry.published_parsed[:5] == (2026, 1, 29, 5, 0)  # midnight in New York


def test_the_announcement_is_relative_to_what_is_asked(web: httpx.Client) -> None:
    papers = [
        invented("2601.00001", categories=("cs.CV", "cs.LG")),
        invented("2601.00002", categories=("stat.TH",)),
        invented("2501.00003", categories=("cs.LO",), announced=dt.date(2025, 1, 8), crossed=(("cs.LG", DAY),)),
    ]
    with LoopbackArxiv(papers) as server:

        def kinds(spec: str) -> dict[str, str]:
            return {entry.id[-12:-2]: entry.arxiv_announce_type for entry in entries(web, server, spec)}

        assert kinds("cs.LG") == {"2601.00001": "cross", "2501.00003": "cross"}
        assert kinds("cs.CV+cs.lg") == {"2601.00001": "new", "2501.00003": "cross"}
        assert kinds("math.ST") == {"2601.00002": "new"}
        assert kinds("cs.LO") == {}
        assert kinds("cs") == {"2601.00001": "new"}


def test_replacements_above_the_fifth_version_are_in_oai_only(web: httpx.Client) -> None:
    days = [DAY + dt.timedelta(days=7 * n) for n in range(1, 7)]
    instants = [dt.datetime(day.year, day.month, day.day, tzinfo=dt.UTC) - dt.timedelta(hours=9) for day in days]
    paper = invented(versions=tuple(Version(n, at, day) for n, (at, day) in enumerate(zip(instants, days, strict=True), 2)))
    with LoopbackArxiv([paper]) as server:
        for number, day in enumerate(days, 2):
            server.today = day
            assert [entry.arxiv_announce_type for entry in entries(web, server)] == (["replace"] if number <= 5 else [])
            listed = get(web, server, "arxiv.org/list/cs.LG/new").text
            assert ("(replaced)" in listed) == (number <= 5)
            root = oai(web, server, verb="ListRecords", metadataPrefix="arXivRaw", from_=day.isoformat())
            assert len(root.findall(".//raw:version", NS)) == number


def test_an_overfull_feed_loses_new_papers_first(arxiv: LoopbackArxiv, web: httpx.Client) -> None:
    kinds = [entry.arxiv_announce_type for entry in entries(web, arxiv, ARCHIVES)]
    arxiv.feed_limit = len(kinds) - 2
    assert [entry.arxiv_announce_type for entry in entries(web, arxiv, ARCHIVES)] == kinds[2:]
    assert kinds[:2] == ["new", "new"]


def test_a_day_without_announcement_has_an_empty_feed_of_its_own(arxiv: LoopbackArxiv, web: httpx.Client) -> None:
    arxiv.today = SATURDAY
    parsed = feedparser.parse(get(web, arxiv, "rss.arxiv.org/rss/cs.LG").content)
    assert (parsed.bozo, parsed.entries) == (0, [])
    assert parsed.feed.updated_parsed[:3] == (2026, 1, 31)


def test_an_unknown_category_gets_a_feed_that_says_so(arxiv: LoopbackArxiv, web: httpx.Client) -> None:
    for form in ("rss", "atom"):
        answer = get(web, arxiv, f"rss.arxiv.org/{form}/cs.LG+cs.nope")
        assert answer.status_code == 400
        assert feedparser.parse(answer.content).feed.title.startswith("Feed error for query:")


def test_only_the_feeds_answer_conditionally(arxiv: LoopbackArxiv, web: httpx.Client) -> None:
    first = get(web, arxiv, "rss.arxiv.org/rss/cs.LG")
    tag = first.headers["ETag"]
    assert re.fullmatch("[0-9a-f]{64}", tag)  # no quotes
    again = get(web, arxiv, "rss.arxiv.org/rss/cs.LG", headers={"If-None-Match": tag})
    assert (again.status_code, again.content, again.headers["ETag"]) == (304, b"", tag)
    arxiv.today += dt.timedelta(days=1)
    assert get(web, arxiv, "rss.arxiv.org/rss/cs.LG", headers={"If-None-Match": tag}).status_code == 200
    for target in (
        "arxiv.org/list/cs.LG/new",
        "oaipmh.arxiv.org/oai?verb=Identify",
        "export.arxiv.org/api/query?search_query=all",
    ):
        answer = get(web, arxiv, target, headers={"If-None-Match": tag})
        assert answer.status_code == 200
        assert "ETag" not in answer.headers
        assert "Last-Modified" not in answer.headers
    assert [request.conditional for request in arxiv.requests] == [False, True, True, True, True, True]


def test_gzip_and_the_date_as_asked(arxiv: LoopbackArxiv, web: httpx.Client) -> None:
    packed = get(web, arxiv, "rss.arxiv.org/rss/cs.LG", headers={"Accept-Encoding": "gzip"})
    plain = get(web, arxiv, "rss.arxiv.org/rss/cs.LG", headers={"Accept-Encoding": "identity"})
    assert (packed.headers["Content-Encoding"], plain.headers.get("Content-Encoding")) == ("gzip", None)
    assert packed.content == plain.content
    at = email.utils.parsedate_to_datetime(packed.headers["Date"])
    assert abs(dt.datetime.now(dt.UTC) - at) < dt.timedelta(seconds=30)


def test_other_hosts_and_paths_are_not_found(arxiv: LoopbackArxiv, web: httpx.Client) -> None:
    for target in ("example.org/", "oaipmh.arxiv.org/oai2", "arxiv.org/abs/2601.00001", "arxiv.org/list/nope/new"):
        assert get(web, arxiv, target).status_code == 404


# ---------------------------------------------------------------- OAI-PMH
@pytest.mark.parametrize("page", [1, 7, 1000])
def test_a_resumption_walk_sees_every_record(arxiv: LoopbackArxiv, web: httpx.Client, page: int) -> None:
    arxiv.oai_page, seen, starts, tokens = page, [], [], 0
    params = {"verb": "ListRecords", "metadataPrefix": "arXivRaw", "from": "2026-01-26", "set": "cs"}
    while True:
        root = oai(web, arxiv, **params)
        stamps = texts(root, ".//oai:datestamp")
        assert stamps == sorted(stamps)
        assert len(stamps) <= page
        seen += texts(root, ".//oai:identifier")
        token = root.find(".//oai:resumptionToken", NS)
        if token is None or not token.text:
            break
        tokens += 1
        assert set(token.attrib) == {"expirationDate"}
        assert token.get("expirationDate") == "2026-01-30T00:00:00Z"
        starts.append(re.findall(r"from=([\d-]+)", unquote(token.text))[0])
        params = {"verb": "ListRecords", "resumptionToken": token.text}
    changed = {paper.id: snapshot for paper in PAPERS if (snapshot := latest_version(paper, DAY)) is not None}
    wanted = {
        f"oai:arXiv.org:{identifier}"
        for identifier, snapshot in changed.items()
        if snapshot.changed >= dt.date(2026, 1, 26) and any(c.startswith("cs.") for c in both_names(snapshot.categories))
    }
    assert len(seen) == len(wanted)
    assert set(seen) == wanted
    assert (token is None) == (tokens == 0)  # a resumed list ends with an empty token
    assert starts == sorted(starts)
    if page == 7:
        assert len(set(starts)) > 1  # `from` moves


def both_names(categories: tuple[str, ...]) -> set[str]:
    """The categories with those that are the same by another name."""
    pairs = (("stat.TH", "math.ST"), ("cs.SY", "eess.SY"), ("cs.NA", "math.NA"), ("cs.IT", "math.IT"))
    return {*categories, *(name for pair in pairs if set(pair) & set(categories) for name in pair)}


def test_raw_records_are_as_typed_and_the_others_in_unicode(web: httpx.Client) -> None:
    second = Version(
        2, dt.datetime(2026, 2, 2, 9, 8, 7, tzinfo=dt.UTC), dt.date(2026, 2, 3), withdrawn=True, comment="Withdrawn"
    )
    paper = invented(
        "cs/9901002",
        title=r"Erd\H{o}s < R\'enyi & Co",
        authors=(r"Jan M\"uller Jr. (Example Univ., Probe City)", "Ada B. Example"),
        categories=("stat.TH", "cs.LG"),
        versions=(second,),
    )
    with LoopbackArxiv([paper]) as server:
        raw = oai(web, server, verb="GetRecord", identifier="oai:arXiv.org:cs/9901002", metadataPrefix="arXivRaw")
        assert texts(raw, ".//raw:title") == [paper.title]
        assert texts(raw, ".//raw:authors") == [r"Jan M\"uller Jr. (Example Univ., Probe City) and Ada B. Example"]
        assert texts(raw, ".//raw:categories") == ["stat.TH cs.LG"]
        assert texts(raw, ".//raw:date") == ["Wed, 28 Jan 2026 12:00:00 GMT", "Mon, 02 Feb 2026 09:08:07 GMT"]
        assert texts(raw, ".//raw:source_type")[-1] == "I"
        assert texts(raw, ".//raw:size")[-1] == "0kb"
        assert [version.get("version") for version in raw.iterfind(".//raw:version", NS)] == ["v1", "v2"]
        assert texts(raw, ".//oai:datestamp") == ["2026-02-03"]
        assert texts(raw, ".//oai:setSpec") == ["stat:stat:TH", "math:math:ST", "cs:cs:LG"]
        plain = oai(web, server, verb="GetRecord", identifier="oai:arXiv.org:cs/9901002", metadataPrefix="arXiv")
        assert texts(plain, ".//arxiv:title") == ["Erdős < Rényi & Co"]
        assert texts(plain, ".//arxiv:keyname") == ["Müller", "Example"]
        assert texts(plain, ".//arxiv:forenames") == ["Jan", "Ada B."]
        assert texts(plain, ".//arxiv:suffix") == ["Jr."]
        assert texts(plain, ".//arxiv:created") == ["2026-02-02"]  # of the current version
        core = oai(web, server, verb="GetRecord", identifier="oai:arXiv.org:cs/9901002", metadataPrefix="oai_dc")
        assert texts(core, ".//dc:date") == ["2026-01-28", "2026-02-02"]
        assert texts(core, ".//dc:subject") == ["Statistics Theory", "Machine Learning"]


def test_a_deleted_paper_is_a_header_and_gone_elsewhere(web: httpx.Client) -> None:
    with LoopbackArxiv([invented(deleted=dt.date(2026, 2, 3))], dt.date(2026, 2, 3)) as server:
        root = oai(web, server, verb="ListRecords", metadataPrefix="arXivRaw", from_="2026-02-03")
        header = root.find(".//oai:header", NS)
        assert header is not None
        assert header.get("status") == "deleted"
        assert root.find(".//oai:metadata", NS) is None
        assert b"<entry>" not in get(web, server, "export.arxiv.org/api/query?id_list=2601.00001").content


@pytest.mark.parametrize(
    ("params", "code"),
    [
        ({"verb": "Nope"}, "badVerb"),
        ({}, "badVerb"),
        ({"verb": "ListRecords"}, "badArgument"),
        ({"verb": "ListRecords", "metadataPrefix": "nope"}, "cannotDisseminateFormat"),
        ({"verb": "ListRecords", "metadataPrefix": "arXiv", "from": "2026-1-1"}, "badArgument"),
        ({"verb": "ListRecords", "metadataPrefix": "arXiv", "from": "2026-02-30"}, "badArgument"),
        ({"verb": "ListRecords", "metadataPrefix": "arXiv", "from": "2005-09-15"}, "badArgument"),
        ({"verb": "ListRecords", "metadataPrefix": "arXiv", "until": "2026-01-31"}, "badArgument"),
        ({"verb": "ListRecords", "metadataPrefix": "arXiv", "from": "2026-01-20", "until": "2026-01-19"}, "badArgument"),
        ({"verb": "ListRecords", "metadataPrefix": "arXiv", "from": "2026-01-30"}, "badArgument"),
        ({"verb": "ListRecords", "metadataPrefix": "arXiv", "from": "2026-01-30", "until": "2026-01-30"}, "noRecordsMatch"),
        ({"verb": "ListRecords", "metadataPrefix": "arXiv", "set": "cs:cs:XX"}, "badArgument"),
        ({"verb": "ListRecords", "metadataPrefix": "arXiv", "set": "econ"}, "noRecordsMatch"),
        ({"verb": "ListRecords", "resumptionToken": "x"}, "badResumptionToken"),
        ({"verb": "ListRecords", "resumptionToken": "x", "set": "cs"}, "badArgument"),
        ({"verb": "GetRecord", "metadataPrefix": "arXiv"}, "badArgument"),
        ({"verb": "GetRecord", "metadataPrefix": "arXiv", "identifier": "oai:arXiv.org:0000.0000"}, "idDoesNotExist"),
        ({"verb": "Identify", "set": "cs"}, "badArgument"),
    ],
)
def test_protocol_errors_come_with_status_200(
    arxiv: LoopbackArxiv, web: httpx.Client, params: dict[str, str], code: str
) -> None:
    assert error_of(oai(web, arxiv, **params)) == code


def test_the_repository_describes_itself(arxiv: LoopbackArxiv, web: httpx.Client) -> None:
    root = oai(web, arxiv, verb="Identify")
    assert texts(root, ".//oai:granularity") == ["YYYY-MM-DD"]
    assert texts(root, "oai:responseDate") == ["2026-01-29T06:00:00Z"]
    sets = texts(oai(web, arxiv, verb="ListSets"), ".//oai:setSpec")
    assert {"cs", "cs:cs", "cs:cs:LG", "physics:hep-th", "physics:astro-ph:CO", "math:math:OC"} <= set(sets)
    assert len(sets) == len(set(sets))
    assert texts(oai(web, arxiv, verb="ListMetadataFormats"), ".//oai:metadataPrefix") == ["oai_dc", "arXiv", "arXivRaw"]
    records = oai(web, arxiv, verb="ListRecords", metadataPrefix="arXiv", set="eess:eess:SY")
    headers = oai(web, arxiv, verb="ListIdentifiers", metadataPrefix="arXiv", set="cs:cs:SY")
    assert texts(headers, "oai:ListIdentifiers/oai:header/oai:identifier") == texts(records, ".//oai:identifier")
    posted = web.post(f"{arxiv.url}/oaipmh.arxiv.org/oai", data={"verb": "Identify"})
    assert lxml.etree.fromstring(posted.content).find("oai:Identify", NS) is not None


# ---------------------------------------------------------------- the listing
def test_the_listing_names_the_papers_of_the_feed(arxiv: LoopbackArxiv, web: httpx.Client) -> None:
    for day in announcement_days(FIRST, LAST):
        arxiv.today = day
        page = html(get(web, arxiv, "arxiv.org/list/cs.LG/new").text)
        listed = [identifier for members in sections(page).values() for identifier in members]
        assert listed == [re.sub(r"oai:arXiv.org:(.+)v\d+", r"\1", entry.id) for entry in entries(web, arxiv)]
        for heading, members in sections(page).items():
            counts = re.fullmatch(r"(?:New|Cross|Replacement) submissions \(showing (\d+) of (\d+) entries\)", heading)
            assert counts is not None
            assert [int(counts[1]), int(counts[2])] == [len(members)] * 2


def test_a_listing_entry_reads_as_its_paper(web: httpx.Client) -> None:
    paper = invented(
        title=r"""Q&A with $k < n$ over "Erd\H{o}s" Graphs""",
        abstract="We don't & sample.",
        authors=(r"Jan M\"uller (Example Univ., Probe City)", "Ada Example"),
        categories=("cs.CV", "cs.LG"),
        comment="Code at https://example.org/code.",
        journal="J. Inv. 1 (2026)",
    )
    with LoopbackArxiv([paper]) as server:
        text = get(web, server, "arxiv.org/list/cs.LG/new").text
    assert '<a href ="/abs/2601.00001" title="Abstract" id="2601.00001">' in text
    assert "<a name='item1'>[1]</a>" in text
    assert "&#34;Erdős&#34;" in text
    page = html(text)
    assert page.xpath("//dl/../h3/text()") == ["Showing new listings for Thursday, 29 January 2026"]
    assert "(cross-list from cs.CV)" in page.find(".//dt").text_content()

    def field(name: str) -> str:
        return " ".join(page.find_class(name)[0].text_content().split())

    assert field("list-title") == 'Title: Q&A with $k < n$ over "Erdős" Graphs'
    assert field("list-authors") == "Jan Müller (Example Univ., Probe City), Ada Example"
    assert field("list-comments") == "Comments: Code at this https URL."
    assert page.xpath("//a[@rel='external noopener nofollow']/@href") == ["https://example.org/code"]
    assert field("list-journal-ref") == "Journal-ref: J. Inv. 1 (2026)"
    assert field("primary-subject") == "Computer Vision and Pattern Recognition (cs.CV)"
    assert field("list-subjects").endswith("; Machine Learning (cs.LG)")
    assert page.xpath("normalize-space(//p[@class='mathjax'])") == "We don't & sample."


def test_the_listing_comes_in_pages(arxiv: LoopbackArxiv, web: httpx.Client) -> None:
    whole = get(web, arxiv, "arxiv.org/list/cs/new").text
    total = len(re.findall("<dt>", whole))
    numbers, headings = [], []
    for skip in range(0, total, 3):
        page = get(web, arxiv, "arxiv.org/list/cs/new", params={"skip": skip, "show": 3}).text
        numbers += re.findall(r"<a name='item(\d+)'>", page)
        headings += re.findall(r"<h3>New submissions \((.*?) entries\)</h3>", page)
    assert numbers == [str(n) for n in range(1, total + 1)]
    assert headings[0].startswith("showing first 3 of ")
    assert re.match(r"continued, showing (last )?\d of ", headings[1])
    assert headings[-1].startswith("continued, showing last ")
    arxiv.listing_page = 3
    assert len(re.findall("<dt>", get(web, arxiv, "arxiv.org/list/cs/new").text)) == 3


def test_the_weekend_listing_is_empty_or_the_last(arxiv: LoopbackArxiv, web: httpx.Client) -> None:
    arxiv.today = SATURDAY
    empty = get(web, arxiv, "arxiv.org/list/cs.LG/new").text
    assert "Showing new listings for Saturday, 31 January 2026" in empty
    assert "<dt>" not in empty
    arxiv.listing_keeps_last = True
    kept = get(web, arxiv, "arxiv.org/list/cs/new").text
    assert "Showing new listings for Friday, 30 January 2026" in kept
    assert "<dt>" in kept


def test_abstracts_of_replacements_are_an_option(arxiv: LoopbackArxiv, web: httpx.Client) -> None:
    page = html(get(web, arxiv, "arxiv.org/list/cs/new").text)
    assert len(page.find_class("meta")) > len(page.xpath("//p[@class='mathjax']"))
    arxiv.replacement_abstracts = True
    page = html(get(web, arxiv, "arxiv.org/list/cs/new").text)
    assert len(page.find_class("meta")) == len(page.xpath("//p[@class='mathjax']"))


# ---------------------------------------------------------------- the query interface
def test_the_arxiv_package_pages_through_a_query(arxiv: LoopbackArxiv) -> None:
    arxiv.today = LAST
    wanted = {
        p.id
        for p in PAPERS
        if {"cs.LG", "stat.ML"} & set(p.categories) or (p.crossed and p.crossed[0][0] in ("cs.LG", "stat.ML"))
    }
    wanted = {i for i in wanted if BY_ID[i].announced <= LAST and not BY_ID[i].deleted}
    search = arxiv_package.Search(
        "cat:cs.LG OR cat:stat.ML", max_results=None, sort_by=arxiv_package.SortCriterion.SubmittedDate
    )
    with package_client(arxiv) as client:
        found = list(client.results(search))
    assert {result.get_short_id().rpartition("v")[0] for result in found} == wanted
    assert len(arxiv.requests) == -(-len(wanted) // 20)
    submitted = [result.published for result in found]
    assert submitted == sorted(submitted, reverse=True)
    for result in found:
        snapshot = latest_version(BY_ID[result.get_short_id().rpartition("v")[0]], LAST)
        assert snapshot is not None
        assert (result.title, result.summary) == (unicode_text(snapshot.title), unicode_text(snapshot.abstract))
        assert (result.updated, result.published) == (snapshot.updated, snapshot.paper.submitted)
        assert (result.primary_category, result.comment) == (snapshot.categories[0], snapshot.comment)
        assert result.pdf_url == f"https://arxiv.org/pdf/{snapshot.full_id}"


def test_the_arxiv_package_reads_affiliations_and_the_doi(web: httpx.Client) -> None:
    paper = invented(authors=("Jan Probe (Example Univ., Nowhere)", "Ada Example"), doi="10.1000/inv.1", journal="J. Inv. 1")
    with LoopbackArxiv([paper]) as server, package_client(server) as client:
        (result,) = client.results(arxiv_package.Search(id_list=["2601.00001"]))
    assert [(author.name, author.affiliation) for author in result.authors] == [
        ("Jan Probe", ["Example Univ., Nowhere"]),
        ("Ada Example", []),
    ]
    assert (result.doi, result.journal_ref) == ("10.1000/inv.1", "J. Inv. 1")
    assert "https://doi.org/10.1000/inv.1" in [link.href for link in result.links]


def found_by(web: httpx.Client, server: LoopbackArxiv, **params: str | int) -> list[str]:
    """Identifiers of the entries that a query finds."""
    root = lxml.etree.fromstring(get(web, server, "export.arxiv.org/api/query", params=params).content)
    return [text.removeprefix("http://arxiv.org/abs/") for text in texts(root, "atom:entry/atom:id")]


def test_queries_mean_what_they_say(web: httpx.Client) -> None:
    at = [dt.datetime(2026, 1, 28, hour, 30, tzinfo=dt.UTC) for hour in (1, 2, 3)]
    later = Version(2, dt.datetime(2026, 1, 29, tzinfo=dt.UTC), dt.date(2026, 1, 30), title="Newer Kernels")
    papers = [
        invented("2601.00001", submitted=at[0], title="Sparse Kernels", categories=("cs.LG", "stat.ML"), versions=(later,)),
        invented(
            "2601.00002", submitted=at[1], title=r"Erd\H{o}s Graphs", categories=("math.CO",), abstract="Of sparse kernels."
        ),
        invented("2601.00003", submitted=at[2], title="Dense Graphs", categories=("cs.CV",)),
    ]
    with LoopbackArxiv(papers, DAY) as server:

        def find(query: str, **more: str | int) -> list[str]:
            return [text[9:] for text in found_by(web, server, search_query=query, **more)]

        assert find("cat:cs.LG") == ["1v1"]
        assert find("cat:cs.*") == ["3v1", "1v1"]
        assert find("cat:cs.LG OR cat:math.CO") == ["2v1", "1v1"]
        assert find("ti:graphs ANDNOT cat:cs.CV") == ["2v1"]
        assert find("ti:graphs AND (cat:cs.LG OR cat:cs.CV)") == ["3v1"]
        assert find('ti:"sparse kernels"') == ["1v1"]
        assert find('all:"sparse kernels"') == ["2v1", "1v1"]
        assert find("Erdős") == ["2v1"]
        assert find("submittedDate:[202601280200 TO 202601280230]") == ["2v1"]
        assert find("submittedDate:[20260127 TO 20260128]", sortBy="submittedDate", sortOrder="ascending") == [
            "1v1",
            "2v1",
            "3v1",
        ]
        assert find("cat:cs.* AND submittedDate:[202601280200 TO 202601282359]") == ["3v1"]
        assert find("au:example", max_results=1, start=1) == ["2v1"]
        server.today += dt.timedelta(days=1)
        assert find("all:kernels", sortBy="lastUpdatedDate") == ["1v2", "2v1"]
        assert found_by(web, server, id_list="2601.00002,2601.00001v1,2601.00001,2601.00009") == [
            "2601.00002v1",
            "2601.00001v1",
            "2601.00001v2",
        ]
        assert found_by(web, server, id_list="2601.00002,2601.00001", search_query="cat:cs.LG") == ["2601.00001v2"]


def test_the_counts_of_a_query(arxiv: LoopbackArxiv, web: httpx.Client) -> None:
    answer = get(web, arxiv, "export.arxiv.org/api/query", params={"search_query": "cat:cs.*", "start": 3, "max_results": 5})
    root = lxml.etree.fromstring(answer.content)
    assert len(root.findall("atom:entry", NS)) == 5
    total = len(found_by(web, arxiv, search_query="cat:cs.*", max_results=2000))
    assert texts(root, "os:*") == ["5", str(total), "3"]
    ids = ",".join(sorted(paper.id for paper in PAPERS if paper.announced < DAY and not paper.deleted)[:30])
    assert len(found_by(web, arxiv, id_list=ids)) == 10  # cut in silence
    assert len(found_by(web, arxiv, id_list=ids, max_results=30)) == 30


@pytest.mark.parametrize(
    "params",
    [
        {"id_list": "abc"},
        {"search_query": "cat:cs.LG", "max_results": "30001"},
        {"search_query": "cat:cs.LG", "start": "-1"},
        {"search_query": "cat:cs.LG", "sortBy": "title"},
        {"search_query": "cat:cs.LG", "sortOrder": "down"},
        {"search_query": "(cat:cs.LG"},
        {"search_query": "cat:cs.LG)"},
        {"search_query": "cat:cs.LG AND"},
        {"search_query": "submittedDate:[yesterday TO today]"},
    ],
)
def test_a_bad_query_is_an_entry_that_says_so(arxiv: LoopbackArxiv, web: httpx.Client, params: dict[str, str]) -> None:
    answer = get(web, arxiv, "export.arxiv.org/api/query", params=params)
    assert answer.status_code == 400
    parsed = feedparser.parse(answer.content)
    assert parsed.entries[0].id.startswith("https://arxiv.org/api/errors#")
    assert (parsed.entries[0].title, parsed.entries[0].author) == ("Error", "arXiv api core")
    assert "published" not in parsed.entries[0]
    with package_client(arxiv) as client, pytest.raises(arxiv_package.HTTPError):
        list(client.results(arxiv_package.Search(id_list=["abc"])))


# ---------------------------------------------------------------- the log
def test_the_log_keeps_every_request(arxiv: LoopbackArxiv, web: httpx.Client) -> None:
    get(web, arxiv, "arxiv.org/list/cs.LG/new?skip=0")
    get(web, arxiv, "example.org/x")
    get(web, arxiv, "rss.arxiv.org/rss/cs.LG")
    seen = [(r.host, r.path, r.query, r.status, r.user_agent, r.fault) for r in arxiv.requests]
    assert seen == [
        ("arxiv.org", "/list/cs.LG/new", "skip=0", 200, "probe/1", None),
        ("example.org", "/x", "", 404, "probe/1", None),
        ("rss.arxiv.org", "/rss/cs.LG", "", 200, "probe/1", None),
    ]
    assert all(r.finished is not None and r.finished >= r.started for r in arxiv.requests)
    assert arxiv.min_gap() == arxiv.requests[2].started - arxiv.requests[0].started  # of arXiv's hosts alone
    assert arxiv.max_concurrent() == 1


def test_requests_at_the_same_time_are_counted(arxiv: LoopbackArxiv) -> None:
    assert (arxiv.min_gap(), arxiv.max_concurrent()) == (float("inf"), 0)
    arxiv.faults = [Fault("drip", seconds=0.4)]
    threads = [threading.Thread(target=httpx.get, args=(f"{arxiv.url}/rss.arxiv.org/rss/cs.LG",)) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert arxiv.max_concurrent() == 3
    assert arxiv.min_gap() < 0.4


def test_one_after_the_other_is_never_two_at_once(arxiv: LoopbackArxiv, web: httpx.Client) -> None:
    for _ in range(100):
        get(web, arxiv, "rss.arxiv.org/rss/cs.LG")
    assert arxiv.max_concurrent() == 1


# ---------------------------------------------------------------- the faults
FEED = "rss.arxiv.org/rss/" + ARCHIVES
RECORDS = "oaipmh.arxiv.org/oai?verb=ListRecords&metadataPrefix=arXiv&from=2026-01-28"
LISTING = "arxiv.org/list/cs/new"
QUERY = "export.arxiv.org/api/query?search_query=cat:cs.*"
EVERYWHERE = (FEED, RECORDS, LISTING, QUERY)
IN_XML = (FEED, RECORDS, QUERY)


def spoilt(web: httpx.Client, server: LoopbackArxiv, kind: str, target: str) -> tuple[httpx.Response, httpx.Response]:
    """(answer with the fault, answer without)."""
    server.faults = [Fault(kind, times=1)]
    answer, whole = get(web, server, target), get(web, server, target)
    assert [request.fault for request in server.requests[-2:]] == [kind, None]
    assert whole.status_code == 200
    return answer, whole


def test_a_fault_must_exist() -> None:
    with pytest.raises(ValueError, match="no fault"):
        Fault("nope")
    assert "503" in KINDS


def test_faults_meet_the_requests_they_are_for(arxiv: LoopbackArxiv, web: httpx.Client) -> None:
    arxiv.faults = [
        Fault("503", host="oaipmh.arxiv.org", path_contains="set=cs", times=1),
        Fault("429", path_contains="/rss/stat"),
        Fault("short_listing", times=1),
    ]
    targets = (RECORDS, f"{RECORDS}&set=cs", f"{RECORDS}&set=cs", FEED, "rss.arxiv.org/rss/stat.ML", LISTING, LISTING)
    assert [get(web, arxiv, target).status_code for target in targets] == [200, 503, 200, 200, 429, 200, 200]
    assert [request.fault for request in arxiv.requests] == [None, "503", None, None, "429", "short_listing", None]

    def choose(request: Request) -> Fault | None:
        return Fault("503") if "cs.CL" in request.path else None

    arxiv.faults = choose
    assert [get(web, arxiv, f"rss.arxiv.org/rss/{c}").status_code for c in ("cs.LG", "cs.CL", "cs.CV")] == [200, 503, 200]


def test_a_rate_follows_from_the_seed(web: httpx.Client) -> None:
    def draw(seed: int) -> list[str | None]:
        with LoopbackArxiv(PAPERS, DAY, faults=[Fault("503", rate=0.3)], seed=seed) as server:
            for _ in range(60):
                get(web, server, "arxiv.org/list/cs.LG/new")
            return [request.fault for request in server.requests]

    first = draw(1)
    assert draw(1) == first
    assert draw(2) != first
    assert 8 <= first.count("503") <= 30


def test_statuses_with_and_without_retry_after(arxiv: LoopbackArxiv, web: httpx.Client) -> None:
    arxiv.faults = [Fault("503", retry_after=7, times=1), Fault("429", retry_after=60, retry_date=True, times=1), Fault("429")]
    answers = [get(web, arxiv, FEED) for _ in range(3)]
    assert [answer.status_code for answer in answers] == [503, 429, 429]
    assert answers[0].headers["Retry-After"] == "7"
    at = email.utils.parsedate_to_datetime(answers[1].headers["Retry-After"])
    assert dt.timedelta(seconds=30) < at - dt.datetime.now(dt.UTC) < dt.timedelta(seconds=62)
    assert "Retry-After" not in answers[2].headers
    assert all("ETag" not in answer.headers for answer in answers)


def test_reset(arxiv: LoopbackArxiv, web: httpx.Client) -> None:
    arxiv.faults = [Fault("reset", times=1)]
    with pytest.raises(httpx.ReadError):
        get(web, arxiv, FEED)
    assert (arxiv.requests[0].status, arxiv.requests[0].fault) == (None, "reset")
    assert get(web, arxiv, FEED).status_code == 200


@pytest.mark.parametrize("encoding", ["gzip", "identity"])
@pytest.mark.parametrize("target", EVERYWHERE)
def test_truncate(arxiv: LoopbackArxiv, web: httpx.Client, target: str, encoding: str) -> None:
    arxiv.faults = [Fault("truncate", times=1)]
    with pytest.raises(httpx.RemoteProtocolError, match="without sending complete"):
        get(web, arxiv, target, headers={"Accept-Encoding": encoding})


@pytest.mark.parametrize("target", EVERYWHERE)
def test_cut(arxiv: LoopbackArxiv, web: httpx.Client, target: str) -> None:
    answer, whole = spoilt(web, arxiv, "cut", target)
    assert answer.status_code == 200
    assert answer.text == whole.text[: len(whole.text) // 2]
    assert answer.headers.get("ETag", "") != whole.headers.get("ETag")


def test_drip_and_silence(arxiv: LoopbackArxiv, web: httpx.Client) -> None:
    arxiv.faults = [Fault("drip", seconds=0.3, times=1), Fault("silence", seconds=0.3, times=1), Fault("silence", times=1)]
    dripped, whole = get(web, arxiv, FEED), arxiv.requests[0]
    assert whole.finished is not None
    assert 0.2 < whole.finished - whole.started < 2
    with pytest.raises(httpx.RemoteProtocolError):
        get(web, arxiv, FEED)
    with pytest.raises(httpx.ReadTimeout):
        get(web, arxiv, FEED, timeout=0.2)
    assert get(web, arxiv, FEED).content == dripped.content


@pytest.mark.parametrize("target", EVERYWHERE)
def test_html_and_json_in_place_of_the_answer(arxiv: LoopbackArxiv, web: httpx.Client, target: str) -> None:
    page, _ = spoilt(web, arxiv, "html_200", target)
    assert (page.status_code, page.headers["Content-Type"]) == (200, "text/html; charset=utf-8")
    assert page.text.startswith("<!DOCTYPE html>")
    shape, _ = spoilt(web, arxiv, "json_shape", target)
    assert (shape.status_code, shape.headers["Content-Type"]) == (200, "application/json")
    assert isinstance(shape.json(), dict)


def test_empty_pages_are_whole_otherwise(arxiv: LoopbackArxiv, web: httpx.Client) -> None:
    feed, _ = spoilt(web, arxiv, "empty_page", FEED)
    parsed = feedparser.parse(feed.content)
    assert (parsed.bozo, parsed.entries, bool(parsed.feed.title)) == (0, [], True)
    arxiv.oai_page = 5
    records, _ = spoilt(web, arxiv, "empty_page", RECORDS)
    root = lxml.etree.fromstring(records.content)
    assert root.find(".//oai:record", NS) is None
    assert root.find(".//oai:resumptionToken", NS) is not None
    headers, _ = spoilt(web, arxiv, "empty_page", RECORDS.replace("ListRecords", "ListIdentifiers"))
    assert b"<header" not in headers.content
    found, whole = spoilt(web, arxiv, "empty_page", QUERY)
    counts = [texts(lxml.etree.fromstring(answer.content), "os:totalResults") for answer in (found, whole)]
    assert counts[0] == counts[1]
    assert b"<entry>" not in found.content
    listed, _ = spoilt(web, arxiv, "empty_page", LISTING)
    assert "Showing new listings for Thursday" in listed.text
    assert sections(html(listed.text)) == {}


def test_stale_feed(arxiv: LoopbackArxiv, web: httpx.Client) -> None:
    arxiv.today = dt.date(2026, 1, 26)  # a Monday
    stale, whole = spoilt(web, arxiv, "stale_feed", FEED)
    arxiv.today = dt.date(2026, 1, 23)
    before = entries(web, arxiv, ARCHIVES)
    shown = feedparser.parse(stale.content)
    assert [entry.id for entry in shown.entries] == [entry.id for entry in before]
    assert shown.feed.published == feedparser.parse(whole.content).feed.published
    assert {entry.published[:16] for entry in shown.entries} == {"Mon, 26 Jan 2026"}


def test_short_feed_and_short_listing(arxiv: LoopbackArxiv, web: httpx.Client) -> None:
    short, whole = (feedparser.parse(answer.content).entries for answer in spoilt(web, arxiv, "short_feed", FEED))
    assert 0 < len(short) == len(whole) // 2
    listed, _ = spoilt(web, arxiv, "short_listing", LISTING)
    for heading, members in sections(html(listed.text)).items():
        assert int(re.findall(r"of (\d+) entries", heading)[0]) > len(members)


@pytest.mark.parametrize("target", EVERYWHERE)
def test_missing_fields(arxiv: LoopbackArxiv, web: httpx.Client, target: str) -> None:
    answer, whole = spoilt(web, arxiv, "missing_fields", target)
    read = lxml.html.fromstring if target == LISTING else lxml.etree.fromstring
    assert len(list(read(answer.content).iter())) < len(list(read(whole.content).iter()))


@pytest.mark.parametrize("target", EVERYWHERE)
def test_bad_dates(arxiv: LoopbackArxiv, web: httpx.Client, target: str) -> None:
    answer, whole = spoilt(web, arxiv, "bad_dates", target)
    pattern = r"<(?:pubDate|updated|published|datestamp|created)>([^<]*)|new listings for ([^<]*)"
    bad, good = re.findall(pattern, answer.text), re.findall(pattern, whole.text)
    assert len(bad) == len(good) > 0
    assert not set(bad) & set(good)


@pytest.mark.parametrize("target", EVERYWHERE)
def test_duplicate_ids(arxiv: LoopbackArxiv, web: httpx.Client, target: str) -> None:
    answer, whole = spoilt(web, arxiv, "duplicate_ids", target)
    start = r"<(?:item|entry|record|dt)>"
    assert len(re.findall(start, answer.text)) == len(re.findall(start, whole.text)) + 1
    assert answer.text.count("Another title: ") == 1


@pytest.mark.parametrize("target", IN_XML)
@pytest.mark.parametrize("kind", ["invalid_xml", "undefined_entity", "wrong_encoding"])
def test_text_that_is_not_xml(arxiv: LoopbackArxiv, web: httpx.Client, kind: str, target: str) -> None:
    answer, whole = spoilt(web, arxiv, kind, target)
    lxml.etree.fromstring(whole.content)
    with pytest.raises(lxml.etree.XMLSyntaxError):
        lxml.etree.fromstring(answer.content)
    if kind == "wrong_encoding":
        with pytest.raises(UnicodeDecodeError):
            answer.content.decode()


@pytest.mark.parametrize("target", EVERYWHERE)
def test_html_titles(arxiv: LoopbackArxiv, web: httpx.Client, target: str) -> None:
    answer, whole = spoilt(web, arxiv, "html_title", target)
    count = len(re.findall(r"<(?:item|entry|record|dt)>", whole.text))
    assert answer.text.count("&lt;b onclick=") == count > 0
    if target != LISTING:
        lxml.etree.fromstring(answer.content)


def test_huge(arxiv: LoopbackArxiv, web: httpx.Client) -> None:
    arxiv.faults = [Fault("huge")]
    read = 0
    with web.stream("GET", f"{arxiv.url}/{FEED}") as answer:
        assert answer.headers["Transfer-Encoding"] == "chunked"
        for chunk in answer.iter_bytes():
            read += len(chunk)
            if read > 20_000_000:
                break
    assert read > 20_000_000


def test_gzip_bomb(arxiv: LoopbackArxiv, web: httpx.Client) -> None:
    arxiv.faults = [Fault("gzip_bomb")]
    with web.stream("GET", f"{arxiv.url}/{FEED}") as answer:
        assert answer.headers["Content-Encoding"] == "gzip"
        packed = b"".join(answer.iter_raw())
    assert len(packed) < 1_000_000
    unpacker, size = zlib.decompressobj(31), 0
    while packed:
        size += len(unpacker.decompress(packed, 2**22))
        packed = unpacker.unconsumed_tail
    assert size > 100_000_000


def test_redirects(arxiv: LoopbackArxiv, web: httpx.Client) -> None:
    arxiv.faults = [Fault("redirect_loop", times=1), Fault("redirect_private", times=1)]
    with pytest.raises(httpx.TooManyRedirects):
        get(web, arxiv, FEED, follow_redirects=True)
    private = get(web, arxiv, FEED)
    assert (private.status_code, httpx.URL(private.headers["Location"]).host) == (302, "169.254.169.254")
    assert get(web, arxiv, FEED).status_code == 200


def test_oai_faults(arxiv: LoopbackArxiv, web: httpx.Client) -> None:
    arxiv.faults = [Fault("too_early", times=1), Fault("bad_token", times=1)]
    arxiv.oai_page = 3
    assert error_of(oai(web, arxiv, verb="Identify")) is None
    assert error_of(oai(web, arxiv, verb="ListRecords", metadataPrefix="arXiv")) == "noRecordsMatch"
    root = oai(web, arxiv, verb="ListRecords", metadataPrefix="arXiv")
    (token,) = texts(root, ".//oai:resumptionToken")
    assert error_of(oai(web, arxiv, verb="ListRecords", resumptionToken=token)) == "badResumptionToken"
    assert error_of(oai(web, arxiv, verb="ListRecords", resumptionToken=token)) is None


def test_closing_ends_silence_and_open_connections() -> None:
    with httpx.Client(timeout=5) as client, LoopbackArxiv(PAPERS, DAY, faults=[Fault("silence", times=1)]) as server:
        failures: list[Exception] = []

        def ask() -> None:
            try:
                client.get(f"{server.url}/{FEED}")
            except httpx.HTTPError as error:
                failures.append(error)

        thread = threading.Thread(target=ask)
        thread.start()
        while not server.requests:
            pass
        server.__exit__(None, None, None)
        thread.join(2)
        assert not thread.is_alive()
        assert failures


# ---------------------------------------------------------------- another implementation of the same hosts
@pytest.fixture(scope="module")
def replay() -> Iterator[str]:
    """The base address of the replay server of the upstreams."""
    folder = os.environ.get("REPLAY_SERVER_DIR")
    if not folder or not (Path(folder) / "serve.py").is_file():
        pytest.skip("REPLAY_SERVER_DIR names no folder with serve.py")
    command = [sys.executable, "-B", "serve.py", "--port", "0"]
    with subprocess.Popen(command, cwd=folder, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            yield json.loads(process.stdout.readline())["url"]
        finally:
            process.terminate()


def shape(root: lxml.etree._Element, inner: str = "*") -> set[str]:
    """The paths of all elements, with the names of their attributes."""

    def walk(element: lxml.etree._Element, path: str) -> Iterator[str]:
        here = f"{path}/{element.tag}[{' '.join(sorted(map(str, element.keys())))}]"
        yield here
        for child in element.iterchildren(inner):
            yield from walk(child, here)

    return set(walk(root, ""))


@pytest.mark.replay
@pytest.mark.parametrize(
    ("target", "optional"),
    [
        ("rss.arxiv.org/rss/cs.LG", r"DOI|journal_reference"),
        ("rss.arxiv.org/atom/cs.LG", r"DOI|journal_reference"),
        (
            "export.arxiv.org/api/query?search_query=cat:cs.*&max_results=500",
            r"affiliation|journal_ref|doi|link\[href rel title\]",
        ),
        ("export.arxiv.org/api/query?id_list=abc", ""),
        (
            "oaipmh.arxiv.org/oai?verb=ListRecords&metadataPrefix=arXiv",
            r"suffix|doi|journal-ref",
        ),
        ("oaipmh.arxiv.org/oai?verb=ListRecords&metadataPrefix=arXivRaw", r"doi|journal-ref"),
        ("oaipmh.arxiv.org/oai?verb=ListRecords&metadataPrefix=oai_dc", ""),
        ("oaipmh.arxiv.org/oai?verb=ListSets", ""),
        ("oaipmh.arxiv.org/oai?verb=Nope", ""),
        ("oaipmh.arxiv.org/oai?verb=ListRecords&metadataPrefix=arXiv&set=nope", ""),
    ],
)
def test_both_servers_build_the_same_elements(
    arxiv: LoopbackArxiv, web: httpx.Client, replay: str, target: str, optional: str
) -> None:
    ours, theirs = get(web, arxiv, target), web.get(f"{replay}/{target}")
    assert ours.status_code == theirs.status_code
    assert ours.headers["Content-Type"] == theirs.headers["Content-Type"]
    difference = shape(lxml.etree.fromstring(ours.content)) ^ shape(lxml.etree.fromstring(theirs.content))
    by_chance = rf"header\[status\]|resumptionToken|{optional or '^$'}"  # what one of the two may have no occasion for
    assert {path for path in difference if not re.search(by_chance, path)} == set()


@pytest.mark.replay
def test_both_servers_build_the_same_listing(arxiv: LoopbackArxiv, web: httpx.Client, replay: str) -> None:
    pages = [html(web.get(f"{base}/arxiv.org/list/cs/new").text) for base in (arxiv.url, replay)]
    for mark in ("list-title", "list-authors", "list-comments", "list-subjects", "primary-subject", "meta", "paging"):
        assert [bool(page.find_class(mark)) for page in pages] == [True, True]
    for path in ("//dl[@id='articles']/h3", "//dt/a[@name]", "//dt/a[@title='Abstract'][@id]", "//dd//p[@class='mathjax']"):
        assert [bool(page.xpath(path)) for page in pages] == [True, True]
    heading = r"(New|Cross|Replacement) submissions \(showing \d+ of \d+ entries\)"
    assert all(re.fullmatch(heading, text) for page in pages for text in page.xpath("//dl/h3/text()"))


def test_form_bodies_count_as_query(arxiv: LoopbackArxiv, web: httpx.Client) -> None:
    body = {"search_query": "cat:cs.LG", "max_results": "3"}
    posted = web.post(f"{arxiv.url}/export.arxiv.org/api/query", data=body)
    assert posted.content == get(web, arxiv, f"export.arxiv.org/api/query?{urlencode(body)}").content
