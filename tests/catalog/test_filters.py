"""The one filter: what is accepted, in one form; what is refused, with the thing and the nearest that is allowed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalog.entries import Kind
from catalog.errors import UnknownName, UsageError
from catalog.filters import (
    EXTRA_FIELDS,
    LIMIT_DEFAULT,
    LIMIT_MAX,
    Q_LIMIT,
    SORTS,
    Filter,
    Sort,
    check_words,
    make_cursor,
    parse_filter,
    parse_listing,
    read_cursor,
)
from catalog.taxonomy import load_taxonomy

TAXONOMY = load_taxonomy()
TOPICS = [t.slug for t in TAXONOMY.topics]
AREAS = [a.slug for a in TAXONOMY.areas]
SOURCES = ("arxiv", "pmlr")


def parse(given: Mapping[str, Sequence[str]]) -> Filter:
    return parse_filter(given, TAXONOMY, SOURCES)


def refusal(given: Mapping[str, Sequence[str]]) -> str:
    with pytest.raises(UsageError) as refused:
        parse_listing(given, TAXONOMY, SOURCES)
    message = str(refused.value)
    assert "\n" not in message
    message.encode()
    return message


def test_nothing_given_is_everything() -> None:
    assert parse({}) == Filter()
    assert Filter().parameters() == []


def test_values_are_sorted_once_each_and_aliases_folded() -> None:
    found = parse({"category": ["stat.ML", "cs.SY", "cs.LG", "cs.LG"], "source": ["pmlr", "arxiv"], "q": ["  two   words "]})
    assert found.categories == ("cs.LG", "eess.SY", "stat.ML")
    assert found.sources == ("arxiv", "pmlr")
    assert found.q == "two words"


@pytest.mark.parametrize(
    ("given", "named", "allowed"),
    [
        ({"topc": ["x"]}, "parameter 'topc'", "topic"),
        ({"page": ["2"]}, "parameter 'page'", "area"),
        ({"topic": [TOPICS[0][:-1]]}, f"topic {TOPICS[0][:-1]!r}", TOPICS[0]),
        ({"area": [AREAS[0] + "x"]}, f"area {AREAS[0] + 'x'!r}", AREAS[0]),
        ({"kind": ["papers"]}, "kind 'papers'", "paper"),
        ({"source": ["arxvi"]}, "source 'arxvi'", "arxiv"),
        ({"category": ["I.2.6"]}, "category 'I.2.6'", "cs.LG"),
        ({"category": ["c" * 21]}, "category", "cs.LG"),
        ({"since": ["yesterday"]}, "since", "2026-01-28"),
        ({"until": ["2026-02-30"]}, "until", "2026-01-28"),
        ({"since": ["20260128"]}, "since", "2026-01-28"),
        ({"since": ["2026-02-01"], "until": ["2026-01-01"]}, "since 2026-02-01", "until 2026-01-01"),
        ({"since": ["2026-01-01", "2026-01-02"]}, "since is given 2 times", "once"),
        ({"q": ["a", "b"]}, "q is given 2 times", "once"),
        ({"q": ["x" * (Q_LIMIT + 1)]}, "q is 201 characters", "200"),
        ({"q": ["nul\x00"]}, "q holds a control character", "plain text"),
        ({"q": ["half\ud800"]}, "q holds a control character", "plain text"),
        ({"sort": ["oldest"]}, "sort 'oldest'", "newest"),
        ({"limit": ["0"]}, "limit", str(LIMIT_MAX)),
        ({"limit": ["201"]}, "'201'", str(LIMIT_MAX)),
        ({"limit": ["-1"]}, "'-1'", "from 1"),
        ({"limit": ["１０"]}, "limit", str(LIMIT_MAX)),
        ({"limit": ["1e2"]}, "'1e2'", "whole number"),
        ({"limit": [str(2**63)]}, "limit", str(LIMIT_MAX)),
        ({"fields": ["summary,sumary"]}, "field 'sumary'", "summary"),
        ({"sort": ["relevance"]}, "sort=relevance", "needs q"),
        ({"author": ["…"]}, "author", "Ada Example"),
        ({"author": ["a" * 121]}, "author", "Ada Example"),
        ({"min_score": ["1.5"]}, "min_score", "from 0 to 1"),
        ({"min_score": ["nan"]}, "min_score", "from 0 to 1"),
        ({"min_score": ["1e-3"]}, "min_score", "from 0 to 1"),
        ({"min_score": [" 0.5"]}, "min_score", "from 0 to 1"),
        ({"cursor": [make_cursor((1,))], "sort": ["rank"]}, "cursor is of sort=newest", "sort=rank"),
        ({"cursor": ["nonsense"]}, "cursor", "next"),
        ({"cursor": ["A" * 41]}, "cursor", "next"),
    ],
)
def test_a_refusal_names_the_thing_and_what_is_allowed(given: dict[str, list[str]], named: str, allowed: str) -> None:
    message = refusal(given)
    assert named in message
    assert allowed in message


def test_the_nearest_names_are_kept_for_programs() -> None:
    with pytest.raises(UnknownName) as refused:
        parse({"topic": [TOPICS[0] + "s"]})
    assert refused.value.what == "topic"
    assert refused.value.nearest[0] == TOPICS[0]


def test_a_listing_has_an_order_a_page_and_fields() -> None:
    found = parse_listing(
        {"limit": ["7"], "fields": ["summary,entries", "news"], "cursor": [make_cursor((99,))]}, TAXONOMY, SOURCES
    )
    assert (found.limit, found.after, found.fields) == (7, (99,), ("summary", "entries", "news"))
    plain = parse_listing({}, TAXONOMY, SOURCES)
    assert (plain.limit, plain.after, plain.fields, plain.sort) == (LIMIT_DEFAULT, None, (), "newest")


def _some(values: Sequence[str]) -> st.SearchStrategy[list[str]]:
    return st.lists(st.sampled_from(values), max_size=4)


GIVEN = st.fixed_dictionaries(
    {
        "topic": _some(TOPICS),
        "area": _some(AREAS),
        "kind": _some([k.value for k in Kind]),
        "source": _some(SOURCES),
        "category": _some(["cs.LG", "stat.TH", "math.ST", "hep-th"]),
        "since": st.lists(st.dates(max_value=date(2026, 1, 1)).map(date.isoformat), max_size=1),
        "until": st.lists(st.dates(min_value=date(2026, 1, 1)).map(date.isoformat), max_size=1),
        "q": st.lists(st.text(st.characters(codec="utf-8", exclude_categories=["Cc"]), max_size=Q_LIMIT), max_size=1),
    }
)


@given(GIVEN)
def test_a_filter_read_from_its_own_parameters_is_the_same(given: dict[str, list[str]]) -> None:
    found = parse(given)
    again: dict[str, list[str]] = {}
    for name, value in found.parameters():
        again.setdefault(name, []).append(value)
    assert parse(again) == found


@given(
    st.dictionaries(st.sampled_from(["topic", "since", "limit", "cursor", "fields", "q", "x"]), st.lists(st.text(), max_size=2))
)
def test_whatever_is_given_it_is_read_or_refused_in_one_line(given: dict[str, list[str]]) -> None:
    said = ""
    try:
        parse_listing(given, TAXONOMY, SOURCES)
    except UsageError as error:
        said = str(error)
    assert "\n" not in said


@given(st.sampled_from(SORTS), st.integers(0, 2**63 - 1), st.integers(0, 2**63 - 1))
def test_a_cursor_holds_a_key_of_its_order(sort: Sort, one: int, position: int) -> None:
    key = (position,) if sort == "newest" else (one, position)
    cursor = make_cursor(key, sort)
    assert read_cursor(cursor, sort) == key
    assert cursor.isascii()
    assert len(cursor) <= 40
    for other in SORTS:
        if other != sort:
            with pytest.raises(UsageError, match=f"sort={sort}"):
                read_cursor(cursor, other)


@given(st.text() | st.binary(min_size=9, max_size=17).map(lambda raw: raw.hex()), st.sampled_from(SORTS))
def test_other_cursors_are_refused(text: str, sort: Sort) -> None:
    try:
        key = read_cursor(text, sort)
    except UsageError:
        return
    assert all(0 <= n < 2**63 for n in key)


def test_numbers_above_63_bits_are_refused() -> None:
    with pytest.raises(UsageError):
        read_cursor(make_cursor((2**64 - 1,)))
    with pytest.raises(UsageError):
        read_cursor(make_cursor((2**64 - 1, 0), "rank"), "rank")


def test_authors_are_read_as_names_are_printed() -> None:
    found = parse({"author": ["Example,  Ada", "李 明", "Ada Example"]})
    assert found.authors == ("Ada Example", "李 明")
    assert found.wordy


def test_a_least_score_has_three_decimals() -> None:
    assert [parse({"min_score": [text]}).min_score for text in ("0.6", ".25", "1", "0", "1.000", "0.12345")] == [
        0.6, 0.25, 1, 0, 1, 0.123,
    ]  # fmt: skip
    assert parse({"min_score": ["0.50"]}).parameters() == [("min_score", "0.5")]


def test_relevance_needs_words() -> None:
    assert parse_listing({"sort": ["relevance"], "q": ["a"]}, TAXONOMY, SOURCES).sort == "relevance"
    assert parse_listing({"sort": ["rank"]}, TAXONOMY, SOURCES).sort == "rank"


@given(st.text(max_size=Q_LIMIT))
def test_words_are_one_line_or_refused(text: str) -> None:
    try:
        words = check_words(text)
    except UsageError:
        return
    assert words == " ".join(words.split())
    assert check_words(words) == words


def test_extra_fields_stand_in_one_order() -> None:
    found = parse_listing({"fields": [",".join(reversed(EXTRA_FIELDS))]}, TAXONOMY, SOURCES)
    assert found.fields == EXTRA_FIELDS
