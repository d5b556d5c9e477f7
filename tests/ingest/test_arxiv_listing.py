from __future__ import annotations

import time
from datetime import date
from pathlib import Path

import pytest

from catalog.errors import ParseError
from ingest.formats.arxiv_listing import Listing, parse_listing
from tests.data.arxiv import listing_new

DATA = Path(__file__).resolve().parents[1] / "data" / "arxiv"
HEADING = "<h3>Showing new listings for Friday, 1 May 2026</h3>"


def entry(number: int, title: str | None = None, more: str = "") -> str:
    """An entry in the wire form; the title stands as it is in the HTML."""
    paper = f"2604.{number:05d}"
    named = f"Paper {number}" if title is None else title
    link = f'<a href ="/abs/{paper}" title="Abstract" id="{paper}">arXiv:{paper}</a>'
    field = f"<div class='list-title mathjax'><span class='descriptor'>Title:</span>\n{named}\n</div>"
    return f"<dt>\n<a name='item{number}'>[{number}]</a>\n{link}\n</dt>\n<dd><div class='meta'>{field}{more}</div></dd>\n"


def entries(first: int, last: int) -> str:
    return "".join(entry(n) for n in range(first, last + 1))


def page(*sections: str, heading: str = HEADING) -> bytes:
    return f"<!DOCTYPE html><html><body>{heading}<dl id='articles'>{''.join(sections)}</dl></body></html>".encode()


def section(name: str, span: str, content: str) -> str:
    return f"<h3>{name} submissions ({span} entries)</h3>\n{content}"


def parse(*sections: str) -> Listing:
    return parse_listing(page(*sections), "arxiv")


# ------------------------------------------------------------------ as it should be
def test_a_page_is_read_as_it_is_meant() -> None:
    listing = parse_listing((DATA / "listing_new.html").read_bytes(), "arxiv")
    assert listing.day == listing_new.DAY
    assert listing.keys == listing_new.KEYS
    assert listing.entries == listing_new.EXPECTED
    assert (listing.announced, listing.total, listing.shown) == (3, 4, 4)
    assert listing.complete
    assert not listing.rejected


def test_a_day_without_announcement_has_an_empty_listing() -> None:
    listing = parse("<p>No updates today.</p>")
    assert (listing.announced, listing.total, listing.shown, listing.keys, listing.complete) == (0, 0, 0, (), True)


SPANS = {
    "all on one page": (section("New", "showing 3 of 3", entries(1, 3)), 3, True),
    "the first of several pages": (section("New", "showing first 3 of 9", entries(1, 3)), 9, False),
    "a page in the middle": (section("New", "continued, showing 3 of 9", entries(4, 6)), 9, False),
    "the last page": (section("New", "continued, showing last 3 of 9", entries(7, 9)), 9, False),
    "no entries": (section("New", "showing 0 of 0", ""), 0, True),
}


@pytest.mark.parametrize(("content", "announced", "complete"), SPANS.values(), ids=SPANS.keys())
def test_the_counts_are_those_of_the_headings(content: str, announced: int, complete: bool) -> None:
    listing = parse(content)
    assert (listing.announced, listing.complete) == (announced, complete)
    assert listing.shown == len(listing.keys)


def test_replacements_count_in_the_total_only() -> None:
    listing = parse(
        section("New", "continued, showing last 1 of 4", entry(4)),
        section("Cross", "showing 2 of 2", entries(5, 6)),
        section("Replacement", "showing first 3 of 8", entries(7, 9)),
    )
    assert (listing.announced, listing.total, listing.shown) == (6, 14, 6)
    assert listing.keys == ("2604.00004", "2604.00005", "2604.00006")


# ------------------------------------------------------------------ refused
REFUSED = {
    "fewer entries than the heading says": (page(section("New", "showing 3 of 3", entries(1, 2))), "count-differs"),
    "more entries than the heading says": (page(section("New", "showing 1 of 1", entries(1, 2))), "count-differs"),
    "a short section before a whole one": (
        page(section("New", "showing 3 of 3", entries(1, 2)), section("Cross", "showing 1 of 1", entry(3))), "count-differs",
    ),
    "a short last section": (
        page(section("New", "showing 1 of 1", entry(1)), section("Cross", "showing 2 of 2", entry(3))), "count-differs",
    ),
    "a truncated page": (page(section("New", "showing 9 of 9", entries(1, 9)))[:1500], "count-differs"),
    "entries under no heading": (page(entries(1, 2)), "count-differs"),
    "entries under a heading of other words": (page(f"<h3>Today's submissions</h3>{entries(1, 2)}"), "count-differs"),
    "a page that is no listing": (b"<!DOCTYPE html><html><body><h1>Not Found</h1></body></html>", "no-listing"),
    "a page of another day's form": (page(heading="<h3>Showing new listings for Friday, 31 Foo 2026</h3>"), "no-listing"),
    "a day that does not exist": (page(heading="<h3>Showing new listings for Friday, 31 February 2026</h3>"), "no-listing"),
    "JSON": (b"{}", "no-listing"),
    "nothing": (b" \n", "empty-body"),
}  # fmt: skip


@pytest.mark.parametrize(("body", "reason"), REFUSED.values(), ids=REFUSED.keys())
def test_a_page_that_does_not_add_up_is_refused(body: bytes, reason: str) -> None:
    with pytest.raises(ParseError) as raised:
        parse_listing(body, "arxiv")
    assert raised.value.reason == reason


# ------------------------------------------------------------------ single entries
def test_an_entry_without_title_is_counted_as_lost_but_its_id_is_known() -> None:
    listing = parse(section("New", "showing 3 of 3", entry(1) + entry(2, "") + entry(3)))
    assert listing.keys == ("2604.00001", "2604.00002", "2604.00003")
    assert [e.key for _, e in listing.entries] == ["2604.00001", "2604.00003"]
    assert dict(listing.rejected) == {"no-title": 1}


def test_an_entry_without_details_is_counted_as_lost() -> None:
    bare = '<dt><a href ="/abs/2604.00002" id="2604.00002">x</a></dt>'
    listing = parse(section("New", "showing 2 of 2", bare + entry(3)))
    assert dict(listing.rejected) == {"no-details": 1}
    assert listing.complete


def test_an_entry_that_names_no_paper_is_counted_and_leaves_the_listing_incomplete() -> None:
    listing = parse(section("New", "showing 2 of 2", entry(1) + "<dt><a name='item2'>[2]</a></dt><dd>x</dd>"))
    assert dict(listing.rejected) == {"no-identifier": 1}
    assert not listing.complete


def test_without_an_id_attribute_the_address_names_the_paper() -> None:
    listing = parse(section("New", "showing 1 of 1", entry(7).replace(' id="2604.00007"', "")))
    assert listing.keys == ("2604.00007",)


@pytest.mark.parametrize(
    ("wire", "title"),
    [
        ("Bounds when $x&lt;y$", "Bounds when $x<y$"),
        ("Q&amp;A &#34;quoted&#34; &#39;so&#39;", "Q&A \"quoted\" 'so'"),
        ("A <a href='https://example.org'>this https URL</a> B", "A this https URL B"),
        ("caf&eacute;&nbsp;logs", "café logs"),
        ("Two\n  lines", "Two lines"),
        ("Na\u00efve 李", "Naïve 李"),
    ],
)
def test_a_title_is_said_as_it_is_meant(wire: str, title: str) -> None:
    ((_, found),) = parse(section("New", "showing 1 of 1", entry(1, wire))).entries
    assert found.title == title


def test_wrong_bytes_lose_nothing() -> None:
    listing = parse_listing(page(section("New", "showing 1 of 1", entry(1, "na@ve"))).replace(b"@", b"\xef"), "arxiv")
    assert listing.complete
    assert not listing.rejected


def test_a_page_of_two_thousand_entries_is_read_in_seconds() -> None:
    begun = time.perf_counter()
    listing = parse(section("New", "showing 2000 of 2000", entries(1, 2000)))
    assert listing.complete
    assert listing.day == date(2026, 5, 1)
    assert time.perf_counter() - begun < 8
