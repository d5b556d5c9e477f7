"""The tree of deliberate errors: whole, drawn as it is, each in one line."""

from __future__ import annotations

import inspect
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalog import errors
from catalog.errors import FetchError, ParseError, SkillfeedError, UnknownName

TREE = {
    name: found
    for name, found in vars(errors).items()
    if inspect.isclass(found) and issubclass(found, Exception) and found.__module__ == errors.__name__
}


def test_the_tree_is_drawn_as_it_is() -> None:
    drawn: dict[str, str] = {}
    parents: list[str] = []
    assert errors.__doc__ is not None
    for line in errors.__doc__.splitlines():
        if found := re.match(r"    ([│├└─ ]*)([A-Z]\w+)(?:\s|$)", line):
            depth = len(found[1]) // 4
            parents = [*parents[:depth], found[2]]
            drawn[found[2]] = parents[depth - 1] if depth else "Exception"
    assert drawn == {name: found.__bases__[0].__name__ for name, found in TREE.items()}


def test_every_error_has_one_root_and_one_parent() -> None:
    for found in TREE.values():
        assert issubclass(found, SkillfeedError)
        assert len(found.__bases__) == 1
        assert found.__doc__


@pytest.mark.parametrize(
    ("name", "allowed", "nearest"),
    [
        ("arxvi", ["pmlr", "arxiv"], ("arxiv", "pmlr")),
        ("arxvi", ["arxiv", *"abcdefghijklmn"], ("arxiv",)),
        ("zzz", ["b", "a"], ("a", "b")),
        ("", ["a"], ("a",)),
        ("x", [], ()),
    ],
)
def test_an_unknown_name_carries_the_nearest(name: str, allowed: list[str], nearest: tuple[str, ...]) -> None:
    error = UnknownName("source", name, allowed)
    assert error.nearest == nearest
    assert (error.what, error.name) == ("source", name)
    assert f"unknown source {name!r}" in str(error)


def test_many_names_are_shown_in_part() -> None:
    error = UnknownName("topic", "§§§", [f"topic-{i:03}" for i in range(100)])
    assert len(error.nearest) == 12
    assert str(error).endswith(" …")


@given(st.text(), st.lists(st.sampled_from(["arxiv", "pmlr", "neurips"]), min_size=1))
def test_any_name_is_shown_in_one_short_line(name: str, allowed: list[str]) -> None:
    message = str(UnknownName("source", name, allowed))
    assert "\n" not in message
    assert len(message) < 700
    assert any(known in message for known in allowed)


@pytest.mark.parametrize("url", ["https://rss.arxiv.org/rss/cs.LG?x=1", "http://[bad", "", "nonsense " * 100])
def test_a_failed_fetch_names_the_host_for_any_address(url: str) -> None:
    error = FetchError(url, "http-503", "the host answered 503", retry_after=7.5, status=503)
    assert (error.url, error.reason, error.retry_after, error.status) == (url, "http-503", 7.5, 503)
    assert "the host answered 503" in str(error)
    assert len(str(error)) < 120
    if url.startswith("https"):
        assert str(error) == "rss.arxiv.org: the host answered 503"


def test_a_failed_parse_has_a_reason_to_count_by() -> None:
    error = ParseError("no-title", "2601.01234 has no title")
    assert (error.reason, str(error)) == ("no-title", "2601.01234 has no title")
