"""Exports: other programs read back what was written, whatever characters stand in it; asking again costs nothing."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator
from datetime import UTC, date, datetime

import feedparser
import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.testclient import TestClient

from app import exports
from app.phrases import one_line
from catalog.entries import Kind
from catalog.items import Item, Tag
from catalog.storage import Storage
from ingest.formats.bibtex import read_bibtex
from tests.app.seeding import COUNT, application, more, opened

ABOUT = exports.Feed(
    "Skillfeed", "https://f.example/", "https://f.example/i", datetime(2026, 1, 1, tzinfo=UTC), "https://f.example"
)
UNTEX = {
    r"\textbackslash{}": "\\", r"\textbraceleft{}": "{", r"\textbraceright{}": "}", r"\textasciitilde{}": "~",
    r"\textasciicircum{}": "^", r"\$": "$", r"\&": "&", r"\%": "%", r"\#": "#", r"\_": "_",
}  # fmt: skip
AWKWARD = (
    "Plain words", "Gödel & Erdős: {braces} of $O(n^2)$", r"\emph{100 %} of a_b #1 ~ {", "} unbalanced", "<b>&amp;</b> ]]>",
    "=1+1", '"quoted", \\n', "控制\x00\ufffe\u2028行", "a and b",
)  # fmt: skip


def _item(title: str, *authors: str, venue: str = "") -> Item:
    return Item(
        "0abc", 1, Kind.PAPER, title, "https://a.example/?x={1}&y=%7D", authors, venue, date(2026, 1, 28),
        False, None, None, False,
        (Tag("transformers", 0.9),), summary=title, identifiers=(("arxiv", "2601.00001"), ("doi", "10.1000/a_b%3C1%3E")),
    )  # fmt: skip


def _untex(text: str) -> str:
    """What TeX makes of it; each mark is read once, from the left."""
    out, at = "", 0
    while at < len(text):
        found = next((mark for mark in UNTEX if text.startswith(mark, at)), "")
        out, at = out + (UNTEX[found] if found else text[at]), at + (len(found) or 1)
    return out


titles = st.one_of(st.sampled_from(AWKWARD), st.text(min_size=1, max_size=40)).filter(lambda t: bool(one_line(t)))


@given(titles, titles)
def test_bibtex_reads_back(title: str, name: str) -> None:
    (entry,), lost = read_bibtex(exports.bibtex(_item(title, name, "Ada Example", venue=title)))
    assert lost == 0
    assert not entry.cut
    assert entry.type == "inproceedings"
    assert entry.fields["title"][0] + entry.fields["title"][-1] == "{}"
    assert _untex(entry.fields["title"][1:-1]) == _untex(entry.fields["booktitle"]) == one_line(title)
    assert entry.fields["author"].endswith(" and Ada Example")
    first = entry.fields["author"].removesuffix(" and Ada Example")
    assert _untex(first.removeprefix("{").removesuffix("}") if first.startswith("{") else first) == one_line(name)
    assert _untex(entry.fields["doi"]) == "10.1000/a_b%3C1%3E"
    assert "{" not in entry.fields["url"]


@given(titles, titles)
def test_ris_and_csl_read_back(title: str, name: str) -> None:
    item = _item(title, name)
    lines = exports.ris(item).split("\r\n")
    told = {line[:2]: line[6:] for line in lines if line}
    assert all(line[2:6] == "  - " for line in lines if line)
    assert (told["TI"], told["AB"], told["DA"]) == (one_line(title), one_line(title), "2026/01/28")
    (csl,) = json.loads("".join(exports.lines("csl", [item])))
    assert csl["title"] == one_line(title)
    assert csl["issued"] == {"date-parts": [[2026, 1, 28]]}


@pytest.mark.parametrize(
    ("name", "family", "given_name"),
    [("Ada Example", "Example", "Ada"), ("Ada de la Cruz", "de la Cruz", "Ada"), ("Ada", "Ada", ""),
     ("OpenLab, Inc.", "OpenLab Inc.", "")],
)  # fmt: skip
def test_names_have_two_parts(name: str, family: str, given_name: str) -> None:
    assert exports.family_given(name) == (family, given_name)


@pytest.mark.parametrize("format", ["atom", "rss"])
@pytest.mark.parametrize("title", AWKWARD)
def test_feeds_are_valid_whatever_stands_in_them(format: str, title: str) -> None:
    read = feedparser.parse(io.BytesIO(exports.feed(format, [_item(title, title)], ABOUT)))
    assert read.bozo == 0
    assert read.version == {"atom": "atom10", "rss": "rss20"}[format]
    (entry,) = read.entries
    assert entry.id == "https://f.example/items/0abc"
    assert entry.published_parsed[:3] == (2026, 1, 28)
    if "<" not in title and "&" not in title:
        assert entry.title == one_line(title).replace("\ufffe", "")


def test_an_array_without_items_is_one() -> None:
    assert json.loads("".join(exports.lines("csl", []))) == []


def test_no_cell_is_a_formula() -> None:
    rows = list(csv.reader(io.StringIO("".join(exports.lines("csv", [_item("=1+1", "@a")])), newline="")))
    assert rows[0] == list(exports.COLUMNS)
    assert rows[1][2:4] == ["'=1+1", "'@a"]


@pytest.fixture
def storage(migrated_url: str) -> Iterator[Storage]:
    """The dozen items, to write more into."""
    with opened(migrated_url) as storage:
        yield storage


@pytest.fixture
def client(storage: Storage) -> Iterator[TestClient]:
    with TestClient(application(storage)) as client:
        yield client


def test_every_form_has_the_filter_order_and_pages_of_the_list(client: TestClient) -> None:
    listed = client.get("/api/v1/items?kind=paper&limit=5").json()
    ids = [i["id"] for i in listed["items"]]
    for format, media in exports.MEDIA.items():
        answer = client.get(f"/api/v1/items.{format}?kind=paper&limit=5")
        assert answer.status_code == 200
        assert answer.headers["content-type"] == media
        assert answer.links["next"]["url"].endswith(f"/api/v1/items.{format}?kind=paper&limit=5&cursor={listed['next']}")
        found = [answer.text.find(id) for id in ids]
        assert -1 not in found, format
        assert found == sorted(found), format
    read = feedparser.parse(io.BytesIO(client.get("/api/v1/items.atom?kind=paper&limit=5").content))
    assert [e.id.rpartition("/")[2] for e in read.entries] == ids
    assert client.get("/api/v1/items.json?limit=5").json()["next_url"]
    whole = client.get("/api/v1/items.jsonl?limit=1").text
    assert json.loads(whole) == client.get(f"/api/v1/items/{json.loads(whole)['id']}").json()
    assert client.get("/api/v1/items.xml").status_code == 404
    assert client.get("/api/v1/items.atom?fields=summary").status_code == 422


@pytest.mark.parametrize("path", ["/api/v1/items", "/api/v1/items.atom"])
def test_asking_again_is_answered_304_until_something_is_stored(client: TestClient, storage: Storage, path: str) -> None:
    plain = client.get(path, headers={"Accept-Encoding": "identity"}).headers["etag"]
    packed = client.get(path, headers={"Accept-Encoding": "gzip"}).headers["etag"]
    assert plain != packed
    for tag in (plain, packed, f'W/{plain}, "x"'):
        answer = client.get(path, headers={"If-None-Match": tag})
        assert (answer.status_code, answer.content) == (304, b"")
    assert client.get(f"{path}?limit=5", headers={"If-None-Match": plain}).status_code == 200
    more(storage, [COUNT])
    assert client.get(path, headers={"If-None-Match": plain}).status_code == 200
