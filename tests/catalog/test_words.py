"""Search knows words the same way on both databases, because they are made here."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalog.words import MAX_WORD, fold, stem, words_of


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("Graph Neural Networks", ["graph", "neural", "network"]),
        ("learning, learned; learns", ["learn", "learn", "learn"]),
        ("Erdős–Rényi", ["erdo", "renyi"]),
        ("GPT-4 & snake_case", ["gpt", "4", "snake", "case"]),
        ("ﬁne ﬁlter", ["fine", "filter"]),
        ("K = 3", ["k", "3"]),
        ("深層学習 モデル", ["深層学習", "モテル"]),
        ("", []),
        ("… — !", []),
    ],
)
def test_words_are_folded_split_and_stemmed(text: str, words: list[str]) -> None:
    assert words_of(text) == words


def test_a_run_that_is_no_word_is_cut() -> None:
    assert words_of("x" * 500) == ["x" * MAX_WORD]
    assert stem("9" * 500) == "9" * MAX_WORD


@given(st.text(st.characters(codec="ascii")))
def test_plain_and_foreign_text_go_by_the_same_rules(text: str) -> None:
    assert words_of(text + " é") == [*words_of(text), "e"]


@given(st.text(st.characters(codec="utf-8")))
def test_a_word_can_stand_in_either_index_unquoted(text: str) -> None:
    for word in words_of(text):
        assert word
        assert len(word) <= MAX_WORD
        assert not set(word) & set("'\"\\:() |&!<*_")
        assert not any(c.isspace() for c in word)


@given(st.text(), st.text())
def test_a_text_after_another_adds_its_words(one: str, two: str) -> None:
    assert words_of(f"{one} {two}") == words_of(one) + words_of(two)


@given(st.text())
def test_accents_and_capitals_make_no_difference(text: str) -> None:
    assert words_of(fold(text)) == words_of(text)


@pytest.mark.parametrize(
    ("word", "stemmed"),
    [
        ("skis", "ski"), ("dying", "die"), ("news", "news"), ("proceed", "proceed"), ("generalization", "general"),
        ("organization", "organiz"), ("university", "universiti"), ("hopping", "hop"), ("singly", "singl"),
        ("evening", "evening"), ("attention", "attent"), ("classifiers", "classifi"),
        ("regularised", "regularis"), ("sparsity", "sparsiti"),
        ("geology", "geolog"), ("inning", "inning"),
    ],
)  # fmt: skip
def test_a_stemmer_that_stems_otherwise_needs_a_new_analysis(word: str, stemmed: str) -> None:
    assert stem(word) == stemmed, "raise catalog.words.ANALYSIS, so that what is stored is indexed anew"
