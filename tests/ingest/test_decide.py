from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from functools import reduce
from itertools import permutations
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalog.entries import Basis, Detail, EntryData, Kind, Version, content_hash
from catalog.storage.entries import Told
from ingest.decide import Change, decide
from ingest.keep import repeats

DAY = date(2026, 5, 1)
AT = datetime(2026, 4, 30, 12, tzinfo=UTC)


def say(detail: Detail = Detail.FULL, **said: Any) -> EntryData:
    """What a source says of one paper."""
    given = {"title": "T", "abstract": "A", "authors": ("Ada Example",), "categories": ("cs.LG",)} | said
    return EntryData(
        source="arxiv", key="2604.00001", kind=Kind.PAPER, url="https://arxiv.org/abs/2604.00001", detail=detail, **given
    )


def brief(**said: Any) -> EntryData:
    return say(Detail.BRIEF, **said)


def dated(basis: Basis, days: int = 0) -> EntryData:
    return say(announced=DAY + timedelta(days=days), basis=basis)


V1, V2, V3 = (Version(n, AT + timedelta(days=n)) for n in (1, 2, 3))

#: kept, said, what becomes of it, what is kept then (of the fields named)
RULES: dict[str, tuple[EntryData | None, EntryData, Change, dict[str, Any]]] = {
    "what is not held is new": (None, say(), Change.NEW, {"title": "T"}),
    "the same again is unchanged": (say(), say(), Change.UNCHANGED, {}),
    "a later version revises": (say(), say(version=2, title="U"), Change.REVISED, {"version": 2, "title": "U"}),
    "a later version revises also with the same words": (say(), say(version=2), Change.REVISED, {"version": 2}),
    "an earlier version says nothing new": (say(version=2), say(title="Old"), Change.UNCHANGED, {"title": "T", "version": 2}),
    "an earlier version completes the list": (
        say(version=2, versions=(V2,)), say(versions=(V1,)), Change.COMPLETED, {"versions": (V1, V2), "version": 2},
    ),
    "an earlier version completes the submission": (say(version=2), say(submitted=AT), Change.COMPLETED, {"submitted": AT}),
    "other words under the same version revise": (say(), say(title="U"), Change.REVISED, {"title": "U"}),
    "another abstract revises": (say(), say(abstract="B"), Change.REVISED, {"abstract": "B"}),
    "a category more revises": (say(), say(categories=("cs.LG", "cs.AI")), Change.REVISED, {"categories": ("cs.LG", "cs.AI")}),
    "a withdrawal revises": (say(), say(withdrawn=True), Change.REVISED, {"withdrawn": True}),
    "a withdrawal can be taken back in full": (say(withdrawn=True), say(), Change.REVISED, {"withdrawn": False}),
    "a brief saying takes no withdrawal back": (brief(withdrawn=True), brief(), Change.UNCHANGED, {"withdrawn": True}),
    "a comment only completes": (say(), say(comment="5 pages"), Change.COMPLETED, {"comment": "5 pages"}),
    "a full saying may drop a comment": (say(comment="5 pages"), say(), Change.COMPLETED, {"comment": ""}),
    "a brief saying drops none": (brief(comment="5 pages"), brief(version=2), Change.REVISED, {"comment": "5 pages"}),
    "a brief saying adds to no full one of its version": (
        say(), brief(title="U", comment="c"), Change.UNCHANGED, {"title": "T", "comment": "", "detail": Detail.FULL},
    ),
    "a full saying completes a brief one": (
        brief(), say(versions=(V1,), comment="c"), Change.COMPLETED, {"versions": (V1,), "detail": Detail.FULL},
    ),
    "a brief saying of a later version leaves the list standing": (
        say(version=2, versions=(V1, V2), comment="c"), brief(version=3), Change.REVISED,
        {"version": 3, "versions": (V1, V2), "comment": "c", "detail": Detail.BRIEF, "updated": None},
    ),
    "an earlier full saying fills no brief later one but its list": (
        brief(version=3, title="New"), say(version=2, versions=(V1, V2), title="Old"), Change.COMPLETED,
        {"version": 3, "title": "New", "versions": (V1, V2), "detail": Detail.BRIEF},
    ),
    "no empty word replaces a word": (
        say(licence="L"), say(abstract="", authors=(), categories=()), Change.UNCHANGED,
        {"abstract": "A", "authors": ("Ada Example",), "categories": ("cs.LG",), "licence": "L"},
    ),
    "identifiers of brief sayings add up": (
        brief(identifiers=(("arxiv", "1"),)), brief(identifiers=(("arxiv", "1"), ("doi", "d"))), Change.COMPLETED,
        {"identifiers": (("arxiv", "1"), ("doi", "d"))},
    ),
    "a full saying may correct a DOI": (
        say(identifiers=(("doi", "wrong"),)), say(identifiers=(("doi", "right"),)), Change.COMPLETED,
        {"identifiers": (("doi", "right"),)},
    ),
    "a version keeps its instant when told again without": (
        say(versions=(V1,)), say(versions=(Version(1),)), Change.UNCHANGED, {"versions": (V1,)},
    ),
    "a version can turn out withdrawn": (
        say(versions=(V1,)), say(versions=(replace(V1, withdrawn=True),)), Change.COMPLETED,
        {"versions": (replace(V1, withdrawn=True),)},
    ),
    # ---------------------------------------------------------------- dates
    "a stated date beats an estimate": (
        dated(Basis.ESTIMATED), dated(Basis.STATED, 3), Change.COMPLETED,
        {"announced": DAY + timedelta(3), "basis": Basis.STATED},
    ),
    "an estimate never beats a stated date": (
        dated(Basis.STATED, 3), dated(Basis.ESTIMATED), Change.UNCHANGED, {"announced": DAY + timedelta(3)},
    ),
    "an estimate beats the day first held": (
        dated(Basis.HELD, 9), dated(Basis.ESTIMATED, 2), Change.COMPLETED, {"basis": Basis.ESTIMATED},
    ),
    "the earlier of two stated dates counts": (
        dated(Basis.STATED, 1), dated(Basis.STATED), Change.COMPLETED, {"announced": DAY},
    ),
    "a later stated date is a repetition": (dated(Basis.STATED), dated(Basis.STATED, 1), Change.UNCHANGED, {"announced": DAY}),
    "a cross-listing soon after the estimate is its announcement": (
        dated(Basis.ESTIMATED), dated(Basis.CROSS, 12), Change.COMPLETED,
        {"announced": DAY + timedelta(12), "basis": Basis.CROSS},
    ),
    "a cross-listing long after the estimate is of an older paper": (
        dated(Basis.ESTIMATED), dated(Basis.CROSS, 13), Change.UNCHANGED, {"announced": DAY, "basis": Basis.ESTIMATED},
    ),
    "an estimate long before a cross-listing corrects it": (
        dated(Basis.CROSS, 13), dated(Basis.ESTIMATED), Change.COMPLETED, {"announced": DAY, "basis": Basis.ESTIMATED},
    ),
    "an estimate later than the day first held is wrong": (
        dated(Basis.HELD, 2), dated(Basis.ESTIMATED, 9), Change.UNCHANGED,
        {"announced": DAY + timedelta(2), "basis": Basis.HELD},
    ),
    "a stated date later than the day first held is believed": (
        dated(Basis.HELD, 2), dated(Basis.STATED, 9), Change.COMPLETED, {"announced": DAY + timedelta(9)},
    ),
    "a saying without date changes none": (dated(Basis.HELD), say(), Change.UNCHANGED, {"announced": DAY}),
    "a date for what has none is taken": (say(), dated(Basis.HELD), Change.COMPLETED, {"announced": DAY, "basis": Basis.HELD}),
    "an earlier version may bring the surer date": (
        replace(dated(Basis.ESTIMATED), version=2), dated(Basis.STATED, 1), Change.COMPLETED,
        {"version": 2, "announced": DAY + timedelta(1)},
    ),
    "so may a brief saying of the same version": (
        dated(Basis.ESTIMATED), brief(announced=DAY, basis=Basis.STATED, title="U"), Change.COMPLETED,
        {"basis": Basis.STATED, "title": "T", "detail": Detail.FULL},
    ),
}  # fmt: skip


@pytest.mark.parametrize(("kept", "said", "change", "then"), RULES.values(), ids=RULES.keys())
def test_rule(kept: EntryData | None, said: EntryData, change: Change, then: dict[str, Any]) -> None:
    found, merged = decide(kept, said)
    assert found is change
    assert {k: getattr(merged, k) for k in then} == then
    if change is Change.UNCHANGED:
        assert merged == kept


# ------------------------------------------------------------------ properties
@st.composite
def sayings(draw: st.DrawFn) -> EntryData:
    """Anything that a source may say: a brief form lists no versions, a full one all up to its own."""
    detail, number = draw(st.sampled_from(Detail)), draw(st.integers(1, 5))
    announced = draw(st.none() | st.integers(0, 40).map(lambda n: DAY + timedelta(days=n)))
    instants = st.none() | st.integers(0, 40).map(lambda n: AT + timedelta(days=n))
    versions: tuple[Version, ...] = ()
    if detail is Detail.FULL:
        listed = sorted(draw(st.sets(st.integers(1, number), max_size=number)) | {number})
        versions = tuple(Version(n, draw(instants), draw(st.booleans())) for n in listed)
    words = st.sampled_from(["", "one", "two"])
    return say(
        detail,
        title=draw(st.sampled_from(["one", "two"])),
        abstract=draw(words),
        authors=draw(st.sampled_from([(), ("Ada Example",), ("Bo Sample", "Ada Example")])),
        announced=announced,
        basis=draw(st.sampled_from(Basis)) if announced else Basis.HELD,
        submitted=draw(instants),
        updated=draw(instants),
        version=number,
        versions=versions,
        categories=draw(st.sampled_from([(), ("cs.LG",), ("cs.LG", "stat.ML")])),
        identifiers=draw(st.sampled_from([(("arxiv", "1"),), (("arxiv", "1"), ("doi", "d"))])),
        comment=draw(words),
        journal=draw(words),
        licence=draw(words),
        withdrawn=draw(st.booleans()),
    )


def told(*said: EntryData) -> EntryData:
    """What is kept after all of it."""
    return reduce(lambda kept, s: decide(kept, s)[1], said[1:], decide(None, said[0])[1])


@given(st.lists(sayings(), min_size=1, max_size=5))
def test_saying_the_same_twice_changes_nothing_the_second_time(said: list[EntryData]) -> None:
    kept = told(*said)
    assert decide(kept, said[-1]) == (Change.UNCHANGED, kept)


@given(st.lists(sayings(), min_size=2, max_size=4))
def test_version_and_announced_date_do_not_depend_on_the_order(said: list[EntryData]) -> None:
    ends = {(k.version, k.announced, k.announced and k.basis) for k in (told(*order) for order in permutations(said))}
    assert len(ends) == 1


@given(st.lists(sayings(), min_size=1, max_size=6))
def test_no_version_is_ever_lost(said: list[EntryData]) -> None:
    kept = told(*said)
    assert kept.version == max(s.version for s in said)
    assert [v.number for v in kept.versions] == sorted({v.number for s in said for v in s.versions})
    assert {v.number for v in kept.versions if v.at} == {v.number for s in said for v in s.versions if v.at}


@given(st.lists(sayings(), min_size=1, max_size=6))
def test_no_word_is_ever_emptied(said: list[EntryData]) -> None:
    kept = told(*said)
    for name in ("title", "abstract", "authors", "categories", "licence"):
        newest = [getattr(s, name) for s in said if s.version == kept.version and s.detail is kept.detail]
        assert getattr(kept, name) or not any(newest)


@given(sayings(), sayings())
def test_only_what_is_told_anew_counts_as_revised(kept: EntryData, said: EntryData) -> None:
    change, merged = decide(kept, said)
    fields = ["title", "abstract", "authors", "categories", "withdrawn"]
    if kept.detail is Detail.BRIEF:  # what a brief saying left out is no news when it comes
        fields = [f for f in fields if getattr(kept, f)]
    told_anew = merged.version > kept.version or any(getattr(merged, f) != getattr(kept, f) for f in fields)
    assert (change is Change.REVISED) is told_anew
    assert (change is Change.UNCHANGED) is (merged == kept)
    assert (merged.source, merged.key) == (kept.source, kept.key)


@given(sayings(), sayings())
def test_what_the_hash_says_is_repeated_changes_nothing(kept: EntryData, said: EntryData) -> None:
    kept = replace(kept, announced=kept.announced or date(2026, 4, 1))
    stored = Told(content_hash(kept), kept.announced or date.min, kept.basis, kept.detail)
    for saying in (said, kept, replace(kept, announced=None), replace(kept, detail=Detail.BRIEF)):
        if repeats(saying, content_hash(saying), stored):
            assert decide(kept, saying) == (Change.UNCHANGED, kept)


def test_a_saying_of_more_detail_or_a_surer_date_is_looked_at() -> None:
    kept = replace(brief(), announced=date(2026, 4, 2), basis=Basis.ESTIMATED)
    stored = Told(content_hash(kept), date(2026, 4, 2), Basis.ESTIMATED, Detail.BRIEF)
    assert repeats(kept, content_hash(kept), stored)
    for other in (replace(kept, detail=Detail.FULL), replace(kept, basis=Basis.STATED), replace(kept, title="U")):
        assert not repeats(other, content_hash(other), stored)
