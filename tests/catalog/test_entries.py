"""What a source said, and the hash by which a change is noticed."""

from __future__ import annotations

from dataclasses import fields, replace
from datetime import UTC, date, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalog.entries import SAID, Basis, Detail, EntryData, Kind, Moment, Version, content_hash

MINIMAL = EntryData("arxiv", "2601.01234", Kind.PAPER, "A Title", "https://arxiv.org/abs/2601.01234")
AT = datetime(2026, 1, 26, 18, tzinfo=UTC)
FULL = replace(
    MINIMAL,
    abstract="Words.",
    authors=("Ada Example", "Bo Sample"),
    announced=date(2026, 1, 28),
    basis=Basis.STATED,
    submitted=AT,
    updated=AT,
    versions=(Version(1, AT),),
    categories=("cs.LG", "stat.ML"),
    venue="ICML 2026",
    identifiers=(("arxiv", "2601.01234"),),
    comment="8 pages",
    journal="J. Examples",
    licence="http://creativecommons.org/licenses/by/4.0/",
)
OTHER: dict[str, Any] = {
    "kind": Kind.POST, "title": "B", "url": "https://example.org/", "abstract": "Other.", "authors": ("Bo Sample",),
    "submitted": AT + timedelta(days=1), "updated": AT + timedelta(days=1), "version": 2, "versions": (Version(1, AT, True),),
    "categories": ("stat.ML", "cs.LG"), "venue": "NeurIPS", "identifiers": (("doi", "10.1/x"),), "comment": "9 pages",
    "journal": "K.", "licence": "none", "withdrawn": True, "year": 2026, "track": "Findings", "decision": "oral",
    "award": "Best Paper", "subjects": ("Theory->Bounds",), "keywords": ("bounds",),
    "moments": (Moment(AT, "submission"),), "about": (("place", "Sydney"),),
}  # fmt: skip
TEXT = st.text(max_size=30)
ENTRIES = st.builds(
    EntryData,
    source=TEXT,
    key=TEXT,
    kind=st.sampled_from(Kind),
    title=TEXT,
    url=TEXT,
    abstract=TEXT,
    authors=st.lists(TEXT, max_size=3).map(tuple),
    version=st.integers(1, 99),
    categories=st.lists(TEXT, max_size=3).map(tuple),
    withdrawn=st.booleans(),
)


def test_five_fields_are_enough() -> None:
    assert (MINIMAL.version, MINIMAL.announced, MINIMAL.basis, MINIMAL.detail) == (1, None, Basis.HELD, Detail.FULL)


@pytest.mark.parametrize("field", ["submitted", "updated"])
def test_instants_are_in_utc_or_refused(field: str) -> None:
    for wrong in (AT.replace(tzinfo=None), AT.astimezone(timezone(timedelta(hours=5)))):
        values: dict[str, Any] = {field: wrong}
        with pytest.raises(ValueError, match=field):
            replace(MINIMAL, **values)


def test_the_hash_of_known_entries_stays_the_same() -> None:
    """A change here means that every stored entry would look revised: that needs a migration."""
    assert content_hash(MINIMAL) == "27b003f8d8cda9f6d582dd77e2fa2d8b"
    assert content_hash(FULL) == "a8af5153355dfa4d1f342379b04e8fbd"


@pytest.mark.parametrize("field", SAID)
def test_each_thing_said_counts(field: str) -> None:
    assert content_hash(replace(FULL, **{field: OTHER[field]})) != content_hash(FULL)


def test_what_is_about_the_saying_does_not_count() -> None:
    about: dict[str, Any] = {
        "announced": date(2026, 2, 2),
        "basis": Basis.HELD,
        "detail": Detail.BRIEF,
        "source": "x",
        "key": "y",
    }
    assert set(SAID) | set(about) == {f.name for f in fields(EntryData)}
    assert content_hash(replace(FULL, **about)) == content_hash(FULL)


def test_empty_fields_do_not_count_so_that_a_new_one_changes_no_hash() -> None:
    empty = replace(MINIMAL, abstract="", authors=(), versions=(), venue="", withdrawn=False)
    assert content_hash(empty) == content_hash(MINIMAL)


@given(ENTRIES, ENTRIES)
def test_hashes_differ_when_something_said_differs(one: EntryData, other: EntryData) -> None:
    same = all(getattr(one, name) == getattr(other, name) for name in SAID)
    assert (content_hash(one) == content_hash(other)) == same
    assert len(content_hash(one)) == 32


def test_bases_stand_from_sure_to_unsure() -> None:
    assert list(Basis) == [Basis.STATED, Basis.CROSS, Basis.ESTIMATED, Basis.HELD]
