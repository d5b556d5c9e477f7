from __future__ import annotations

import itertools
from dataclasses import replace
from datetime import UTC, date, datetime

import pytest

from catalog.entries import Basis, EntryData, Kind
from catalog.items import Tag
from catalog.tagging import Judged
from catalog.taxonomy import load_taxonomy
from ingest.derive import item_of, lead_of, venue_label, words_of

ARXIV = EntryData(
    source="arxiv", key="2601.00001", kind=Kind.PAPER, title=r"$\alpha$-Attention", url="https://arxiv.org/abs/2601.00001",
    abstract="Preprint words.", authors=("A. Example", "B. Sample"), announced=date(2026, 1, 7), basis=Basis.ESTIMATED,
    submitted=datetime(2026, 1, 5, tzinfo=UTC), updated=datetime(2026, 2, 1, tzinfo=UTC), version=2,
    categories=("cs.LG", "stat.ML"), identifiers=(("arxiv", "2601.00001"),),
)  # fmt: skip
VIRTUAL = EntryData(
    source="virtual-icml", key="icml-2026/u", kind=Kind.PAPER, title="Alpha-Attention", url="https://icml.cc/virtual/2026/poster/1",
    abstract="Meeting words.", authors=("Ada Example", "Bo Sample"), announced=date(2026, 7, 10), basis=Basis.ESTIMATED,
    venue="ICML", year=2026, decision="oral", identifiers=(("openreview", "f1"),),
)  # fmt: skip
WORKSHOP = replace(
    VIRTUAL, source="openreview", key="w", year=2025, track="workshop: Small Things", announced=date(2025, 7, 1),
    basis=Basis.STATED, identifiers=(("openreview", "w"),), abstract="",
)  # fmt: skip
TAXONOMY = load_taxonomy()


def test_an_item_shows_the_preprint_and_collects_from_all() -> None:
    tags = (Tag("deep-learning", 0.9),)
    for order in itertools.permutations([ARXIV, VIRTUAL, WORKSHOP]):
        item = item_of(order, Judged(tags), TAXONOMY)
        assert (item.title, item.summary, item.url) == ("α-Attention", "Preprint words.", ARXIV.url)
        assert item.authors == ("Ada Example", "Bo Sample")  # names written out win over initials
        assert (item.announced, item.estimated) == (date(2025, 7, 1), False)
        assert (item.submitted, item.updated) == (ARXIV.submitted, ARXIV.updated)
        assert item.venue == "ICML 2026"
        assert item.venues == ("ICML", "ICML 2025", "ICML 2026")
        assert item.sources == ("arxiv", "openreview", "virtual-icml")
        named = (("arxiv", "2601.00001"), ("openreview", "f1"), ("openreview", "w"))
        assert item.identifiers == (*named, ("url", "https://icml.cc/virtual/2026/poster/1"))
        assert (item.categories, item.areas) == (("cs.LG", "stat.ML"), ("algorithms",))
        assert words_of(order) == ("α-Attention", "Preprint words.", ("cs.LG", "stat.ML"), Kind.PAPER, ())


def test_the_lead_has_an_abstract_and_is_not_withdrawn() -> None:
    assert lead_of([replace(ARXIV, abstract=""), VIRTUAL]) is VIRTUAL
    gone = replace(ARXIV, withdrawn=True)
    assert lead_of([gone, VIRTUAL]) is VIRTUAL
    assert not item_of([gone, VIRTUAL], Judged(()), TAXONOMY).withdrawn
    assert item_of([gone], Judged(()), TAXONOMY).withdrawn


@pytest.mark.parametrize(("basis", "estimated"), [(b, b in (Basis.ESTIMATED, Basis.HELD)) for b in Basis])
def test_an_item_says_whether_its_date_is_sure(basis: Basis, estimated: bool) -> None:
    assert item_of([replace(ARXIV, basis=basis)], Judged(()), TAXONOMY).estimated is estimated


def test_of_two_sources_with_one_date_the_surer_counts() -> None:
    stated = replace(VIRTUAL, announced=ARXIV.announced, basis=Basis.STATED)
    assert not item_of([ARXIV, stated], Judged(()), TAXONOMY).estimated


@pytest.mark.parametrize(
    ("track", "year", "label"),
    [
        ("", 2026, "ICML 2026"),
        ("", 0, "ICML"),
        ("Findings", 2026, "ICML 2026 Findings"),
        ("workshop: Small Things", 2026, "ICML 2026 workshop"),
        ("Datasets and Benchmarks", 2026, "ICML 2026"),
    ],
)
def test_a_venue_is_shown_with_its_edition_and_what_is_not_its_main_track(track: str, year: int, label: str) -> None:
    assert venue_label(replace(VIRTUAL, track=track, year=year)) == label


def test_a_title_in_capitals_is_shown_as_another_source_writes_it() -> None:
    loud = replace(ARXIV, title="ATTENTION TO SPARSE THINGS")
    calm = replace(VIRTUAL, title="Attention to Sparse Things")
    assert item_of([loud, calm], Judged(()), TAXONOMY).title == words_of([loud, calm]).title == calm.title
    assert item_of([loud, VIRTUAL], Judged(()), TAXONOMY).title == loud.title
    assert item_of([replace(loud, title="GPT-4"), replace(calm, title="gpt-4")], Judged(()), TAXONOMY).title == "GPT-4"
