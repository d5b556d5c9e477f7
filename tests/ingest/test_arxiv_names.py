from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalog.identifiers import ArxivId
from ingest.formats.arxiv_names import AUTHORS_LIMIT, abstract, authors, categories, identifiers, title

AUTHORS = {
    "one name": ("Ada Example", ["Ada Example"]),
    "commas part names": ("Ada Example, Bo Sample, Chidi Probe", ["Ada Example", "Bo Sample", "Chidi Probe"]),
    "so does and": ("Ada Example and Bo Sample", ["Ada Example", "Bo Sample"]),
    "and after a comma is one parting": ("Ada Example, Bo Sample, and C. Probe", ["Ada Example", "Bo Sample", "C. Probe"]),
    "an ampersand too": ("Ada Example & Bo Sample", ["Ada Example", "Bo Sample"]),
    "and inside a name is none": ("Sandy Anderson, Brand Andrews", ["Sandy Anderson", "Brand Andrews"]),
    "line ends are blanks": ("Ada\n  Example,\n Bo Sample", ["Ada Example", "Bo Sample"]),
    "an affiliation is dropped": ("Ada Example (Example Univ.), Bo Sample", ["Ada Example", "Bo Sample"]),
    "an affiliation may hold commas and and": (
        "Ada Example (Dept. of Tests, Example Univ. and Lab for Mock Data, Nowhere), Bo Sample",
        ["Ada Example", "Bo Sample"],
    ),
    "affiliations may be nested": ("Ada Example (Univ. (Dept. A), Town), Bo Sample", ["Ada Example", "Bo Sample"]),
    "footnotes are dropped": ("Ada Example (1 and 2), Bo Sample (2) ((1) Univ., Town, (2) Lab)", ["Ada Example", "Bo Sample"]),
    "Jr belongs to the name before": ("Ada Example, Jr., Bo Sample, III", ["Ada Example Jr.", "Bo Sample III"]),
    "Jr without comma stays": ("Ada Example Jr, Bo Sample IV", ["Ada Example Jr", "Bo Sample IV"]),
    "TeX accents become letters": ('M\\"uller, P. Erd\\H{o}s, Jos\\\'e Garc\\\'{\\i}a', ["Müller", "P. Erdős", "José García"]),
    "TeX letters too": ("{\\O}. {\\L}ukasz, J. St{\\o}re", ["Ø. Łukasz", "J. Støre"]),
    "ties are blanks, tildes over letters are none": ("A.~B.~Nu\\~nez", ["A. B. Nuñez"]),
    "a collaboration is a name": ("The Probe Collaboration, Ada Example", ["The Probe Collaboration", "Ada Example"]),
    "a collaboration before a colon is a name of its own": (
        "Probe Collaboration: A. Example, B. Sample", ["Probe Collaboration", "A. Example", "B. Sample"],
    ),
    "a lone colon is nobody": ("Probe Collaboration, :, A. Example", ["Probe Collaboration", "A. Example"]),
    "semicolons part as well": ("Ada Example; Bo Sample", ["Ada Example", "Bo Sample"]),
    "empty parts are nobody": (", Ada Example,, ,Bo Sample,", ["Ada Example", "Bo Sample"]),
    "nothing is nobody": ("", []),
    "blanks are nobody": (" \n ", []),
    "punctuation is nobody": ("., *", []),
    "names keep their script": ("李 明, Ольга Тест, محمد مثال", ["李 明", "Ольга Тест", "محمد مثال"]),
    "hyphens and apostrophes stay": ("Hye-jin O'Example", ["Hye-jin O'Example"]),
    "markup is dropped": ("<b>Ada</b> Example", ["Ada Example"]),
}  # fmt: skip


@pytest.mark.parametrize(("said", "read"), AUTHORS.values(), ids=AUTHORS.keys())
def test_authors(said: str, read: list[str]) -> None:
    assert list(authors(said)) == read


def test_three_thousand_names_are_all_read_in_order() -> None:
    names = [f"A. Probe{n}" for n in range(3000)]
    begun = time.perf_counter()
    assert list(authors(", ".join(f"{n} (Inst. {i}, Town)" for i, n in enumerate(names)))) == names
    assert time.perf_counter() - begun < 1


@pytest.mark.parametrize("text", ["(" * 100_000, "((a)" * 30_000, "a, " * 100_000, "\\" * 100_000, " and" * 40_000])
def test_no_string_of_authors_takes_long(text: str) -> None:
    begun = time.perf_counter()
    assert len(authors(text)) <= AUTHORS_LIMIT
    assert time.perf_counter() - begun < 2


@given(st.text(max_size=200))
def test_authors_are_single_lines_without_parting_commas(text: str) -> None:
    for name in authors(text):
        assert name
        assert name == " ".join(name.split())
        assert "," not in name


@pytest.mark.parametrize(
    ("said", "read"),
    [
        ("A  title\n  in two lines", "A title in two lines"),
        ("A" * 1001, ""),  # no title is that long: an answer that holds one was damaged
        ("On $x<y$ and $\\alpha$", "On $x<y$ and $\\alpha$"),
        ("Erd\\H{o}s--R\\'enyi &amp; more", "Erdős--Rényi & more"),
        ("", ""),
    ],
)
def test_a_title_is_one_line_with_its_math(said: str, read: str) -> None:
    assert title(said) == read


def test_an_abstract_is_made_readable() -> None:
    assert abstract("  We show \\emph{that} $\\alpha<1$,\n where n>2.\n") == "We show that α<1, where n>2."


def test_categories_keep_their_order_and_lose_classes_of_other_schemes() -> None:
    assert categories(["stat.ML", " cs.LG", "68T07", "I.2.6", "stat.ML", "", "hep-th", "62G05 (Primary)"]) == (
        "stat.ML", "cs.LG", "hep-th",
    )  # fmt: skip


@pytest.mark.parametrize(
    ("publisher", "dois"),
    [
        ("", []),
        ("10.1000/XYZ", ["10.1000/xyz"]),
        ("10.1000/a 10.1000/b", ["10.1000/a", "10.1000/b"]),
        ("https://doi.org/10.1000/a", ["10.1000/a"]),
        ("10.48550/arXiv.2604.01234", []),
        ("to appear", []),
    ],
)
def test_identifiers_are_the_arxiv_id_and_the_publishers_dois(publisher: str, dois: list[str]) -> None:
    found = identifiers(ArxivId("2604.01234", 2), publisher)
    assert found == (("arxiv", "2604.01234"), *(("doi", d) for d in dois))
