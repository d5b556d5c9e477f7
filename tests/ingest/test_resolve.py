from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any

import pytest

from catalog.entries import Basis, EntryData, Kind
from catalog.items import News, Tag
from catalog.taxonomy import load_taxonomy
from ingest.resolve import Resolution, item_of, resolve

TODAY = date(2026, 5, 4)


def entry(*identifiers: tuple[str, str], **said: Any) -> EntryData:
    given = {"title": "Lazy $\\alpha$-Thinning", "url": "https://arxiv.org/abs/2604.00001"} | said
    return EntryData(source="arxiv", key="2604.00001", kind=Kind.PAPER, identifiers=tuple(sorted(identifiers)), **given)


ARXIV, DOI, FORUM, OTHER = ("arxiv", "2604.00001"), ("doi", "10.1000/x"), ("openreview", "aBcD"), ("arxiv", "2604.00002")

#: identifiers of the entry, what is known, and the item that it joins
RULES: dict[str, tuple[list[tuple[str, str]], dict[tuple[str, str], int], Resolution]] = {
    "nothing known founds an item": ([ARXIV], {}, Resolution(None, "new")),
    "the same arXiv id is the same work": ([ARXIV], {ARXIV: 7}, Resolution(7, "same arxiv 2604.00001")),
    "another arXiv id is another work": ([ARXIV], {OTHER: 7}, Resolution(None, "new")),
    "the same forum is the same work": ([FORUM], {FORUM: 3}, Resolution(3, "same openreview aBcD")),
    "a shared DOI joins nothing": ([ARXIV, DOI], {DOI: 7}, Resolution(None, "new")),
    "arXiv goes before the forum": ([ARXIV, FORUM], {ARXIV: 1, FORUM: 2}, Resolution(1, "same arxiv 2604.00001")),
    "the forum counts when arXiv's id is not known": ([ARXIV, FORUM], {FORUM: 2}, Resolution(2, "same openreview aBcD")),
    "without identifiers nothing is joined": ([], {ARXIV: 1}, Resolution(None, "new")),
    "values are compared in their scheme": ([("cvf", "2604.00001")], {ARXIV: 1}, Resolution(None, "new")),
}  # fmt: skip


@pytest.mark.parametrize(("identifiers", "known", "expected"), RULES.values(), ids=RULES.keys())
def test_rule(identifiers: list[tuple[str, str]], known: dict[tuple[str, str], int], expected: Resolution) -> None:
    assert resolve(entry(*identifiers), known) == expected


def test_an_entry_alone_makes_an_item_of_what_it_says() -> None:
    taxonomy = load_taxonomy()
    names = [t.slug for t in taxonomy.topics[:2]]
    tags = tuple(Tag(name, 0.9) for name in names)
    news = (News("withdrawn", TODAY, "by its authors"),)
    at = datetime(2026, 4, 30, tzinfo=UTC)
    said = entry(
        ARXIV, DOI, authors=("Ada Example",), abstract="A", announced=date(2026, 5, 1), basis=Basis.STATED, submitted=at,
        updated=at, categories=("cs.LG",), venue="ICML 2026", withdrawn=True,
    )  # fmt: skip
    item = item_of(said, tags, taxonomy, TODAY, news)
    assert item.title == "Lazy α-Thinning"
    assert (item.kind, item.url, item.authors, item.summary, item.venue) == (
        Kind.PAPER,
        said.url,
        ("Ada Example",),
        "A",
        "ICML 2026",
    )
    assert (item.announced, item.estimated, item.submitted, item.updated) == (date(2026, 5, 1), False, at, at)
    assert (item.withdrawn, item.categories, item.sources) == (True, ("cs.LG",), ("arxiv",))
    assert (item.identifiers, item.tags, item.news) == ((ARXIV, DOI), tags, news)
    assert item.areas == tuple(sorted({taxonomy.topic(n).area for n in names}))


@pytest.mark.parametrize(
    ("basis", "estimated"), [(Basis.STATED, False), (Basis.CROSS, False), (Basis.ESTIMATED, True), (Basis.HELD, True)]
)
def test_a_date_is_marked_as_estimated_unless_the_source_stated_it(basis: Basis, estimated: bool) -> None:
    said = entry(ARXIV, announced=date(2026, 5, 1), basis=basis)
    assert item_of(said, (), load_taxonomy(), TODAY).estimated is estimated


def test_an_item_always_has_a_date_and_without_any_it_is_today() -> None:
    item = item_of(replace(entry(ARXIV), announced=None), (), load_taxonomy(), TODAY)
    assert (item.announced, item.estimated) == (TODAY, True)
