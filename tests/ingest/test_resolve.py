from __future__ import annotations

import itertools
import random
from dataclasses import replace
from datetime import date

import pytest

from catalog.entries import EntryData, Kind, Link
from ingest.resolve import group, links_among, sameness

TITLE = "Sparse Attention for Forecasting Energy Demand"
PEOPLE = ("Ada Example", "Bo Sample", "Zoë Ünïcode")


def entry(source: str = "arxiv", key: str = "2601.00001", **said: object) -> EntryData:
    """What a source says about the paper."""
    base = EntryData(
        source=source, key=key, kind=Kind.PAPER, title=TITLE, url=f"https://example.org/{key}", authors=PEOPLE,
        announced=date(2026, 1, 5), identifiers=((source, key),),
    )  # fmt: skip
    return replace(base, **said)  # type: ignore[arg-type]


def both_ways(a: EntryData, b: EntryData) -> str:
    """The reason, which is the same for either order."""
    assert sameness(a, b) == sameness(b, a)
    return sameness(a, b)


def test_a_shared_identifier_is_the_same_work_whatever_else_is_said() -> None:
    venue = entry(
        "cvf", "CVPR2026/A_B", title="Another title", authors=(), identifiers=(("arxiv", "2601.00001"), ("cvf", "A_B"))
    )
    assert both_ways(entry(), venue) == "same arxiv 2601.00001"


def test_a_neurips_hash_names_a_paper_within_its_year_only() -> None:
    one = entry("neurips", "2017/0", title="One Thing About Networks", year=2017, identifiers=(("neurips", "0" * 32),))
    other = replace(one, key="2018/0", title="Quite Another Thing", year=2018)
    assert both_ways(one, other) == ""
    assert both_ways(one, replace(other, year=2017)) == "same neurips " + "0" * 32


@pytest.mark.parametrize(
    "title",
    [
        TITLE.upper(),
        "Sparse attention for forecasting energy-demand.",
        r"Sparse \textbf{Attention} for Forecasting {Energy} Demand",
        "Spärse  Attention\n for Forecasting Energy Demand",
        "“Sparse Attention” for Forecasting Energy Demand",
        "Sparse Attention for Forecasting Energy Demand",
    ],
)
def test_case_punctuation_accents_and_latex_do_not_make_another_title(title: str) -> None:
    assert both_ways(entry(), entry("pmlr", "v9/a", title=title)) == "same title and authors"


def test_greek_written_in_latex_is_the_letter() -> None:
    one = entry(title=r"$\alpha$-Divergence and $\ell_1$ Regression at Large Scale")
    assert both_ways(one, entry("pmlr", "v9/a", title="α-divergence and ℓ₁ regression at large scale"))


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Learning to Rank Things, Part I", "Learning to Rank Things, Part II"),
        ("A Study of Deep Networks 1", "A Study of Deep Networks 2"),
        ("Scaling Laws for Small Models", "Scaling Laws for Smaller Models"),
        ("Contextual Online Bilateral Trade", "Nonparametric Contextual Online Bilateral Trade"),
    ],
)
def test_titles_that_differ_in_a_part_or_a_word_stay_apart(one: str, other: str) -> None:
    assert both_ways(entry(title=one), entry("pmlr", "v9/a", title=other)) == ""
    shared = (("doi", "10.1000/series"),)
    if "Part" in one or one[-1].isdigit():
        assert both_ways(entry(title=one, identifiers=shared), entry("pmlr", "v9/a", title=other, identifiers=shared)) == ""


def test_a_doi_joins_only_with_close_titles_and_the_same_people() -> None:
    shared = (("doi", "10.1000/x"),)
    journal = entry("acl", "a.1", title="Sparse Attention for Forecasting the Energy Demand", identifiers=shared)
    assert both_ways(entry(identifiers=shared), journal) == "same doi 10.1000/x"
    assert both_ways(entry(identifiers=shared), replace(journal, authors=("Someone Else",))) == ""
    assert both_ways(entry(identifiers=shared), replace(journal, title="Graph Kernels")) == ""


def test_two_papers_called_attention_stay_apart() -> None:
    one, other = entry(title="Attention"), entry("pmlr", "v9/a", title="Attention")
    assert both_ways(one, replace(other, authors=("Cy Other", "Di Stranger"))) == ""
    assert both_ways(one, replace(other, authors=("Ada Example", "Di Stranger", "Cy Other"))) == ""
    assert both_ways(one, replace(other, year=2016)) == ""
    assert both_ways(one, other) == "same title and authors"


def test_a_short_title_needs_all_of_the_people_when_years_lie_between() -> None:
    one, late = entry(title="Re-evaluating evaluation"), entry("pmlr", "v9/a", title="Reevaluating Evaluation", year=2018)
    assert both_ways(one, late)
    assert both_ways(one, replace(late, authors=(*PEOPLE, "Cy Other"))) == ""
    assert both_ways(one, replace(late, year=2025, authors=(*PEOPLE, "Cy Other")))
    assert both_ways(replace(one, authors=PEOPLE[:1]), replace(late, authors=PEOPLE[:1])) == ""


@pytest.mark.parametrize(
    ("names", "same"),
    [
        (("A. Example", "B. Sample", "Z. Ünicode"), True),
        (("Example, Ada", "Sample, Bo", "Ünïcode, Zoë"), True),
        (("Example Ada", "Sample Bo", "Unicode Zoe"), True),
        (("Ada Q. Example", "Bo Sample"), True),
        (("Bo Sample", "Zoe Unicode", "Ada Example", "New Person"), True),
        (("Ada Example",), True),
        (("Bo Sample",), False),  # a list is cut behind its first name, not before it
        (("Ada Example", "Cy Other", "Di Stranger"), False),
        (("Bob Example", "Cy Sample"), False),
        ((), False),
    ],
)
def test_the_same_people_however_they_are_written(names: tuple[str, ...], same: bool) -> None:
    assert bool(both_ways(entry(), entry("pmlr", "v9/a", authors=names))) is same


def test_years_apart_need_nearly_all_of_the_people() -> None:
    late = entry("pmlr", "v9/a", year=2018)
    assert both_ways(entry(), late)
    assert both_ways(entry(), replace(late, authors=("Ada Example", "Bo Sample", "Cy Other"))) == ""
    assert both_ways(entry(), replace(late, year=2025, authors=("Ada Example", "Bo Sample", "Cy Other")))


def test_what_is_no_paper_is_not_joined_by_its_title() -> None:
    assert both_ways(entry(kind=Kind.POST), entry("pmlr", "v9/a")) == ""


def test_groups_do_not_depend_on_the_order_of_coming() -> None:
    said = [
        entry(),
        entry("openreview", "f1", identifiers=(("openreview", "f1"),)),
        entry("virtual-icml", "icml-2026/1", title="Renamed Since", identifiers=(("openreview", "f1"),)),
        entry("pmlr", "v9/a", title="renamed since", authors=PEOPLE[:2]),
        entry("pmlr", "v9/b", title="Quite Another Thing Altogether Here", authors=("Cy Other",)),
        entry("acl", "x.1", title="Quite another thing altogether here", authors=("C. Other",)),
        entry("cvf", "c", title="Attention", authors=("Di Stranger",)),
    ]
    wanted = None
    for order in itertools.islice(itertools.permutations(said), 0, 5040, 37):
        numbers: dict[tuple[str, str], int] = {}
        links: list[Link] = []
        groups: list[list[tuple[str, str]]] = []
        for number, new in enumerate(order):
            links += links_among([new], order[:number])
            numbers[new.source, new.key] = -number
            groups = group(numbers, links, {})
            numbers = {key: i for i, keys in enumerate(groups) for key in keys}
        found = sorted(map(tuple, groups))
        wanted = wanted or found
        assert found == wanted
    assert wanted is not None
    assert [len(keys) for keys in wanted] == [2, 4, 1]


def test_a_person_joins_and_takes_apart_before_any_rule() -> None:
    a, b, c = ("arxiv", "1"), ("pmlr", "1"), ("virtual", "1")
    numbers = {a: 1, b: 2, c: 3}
    links = [Link(a, b, "same title and authors"), Link(b, c, "same openreview x")]
    assert group(numbers, links, {}) == [[a, b, c]]
    assert group(numbers, links, {(a, c): False}) == [[a], [b, c]]  # the identifier is surer than the title
    assert group(numbers, links, {(a, b): False}) == [[a], [b, c]]
    assert group(numbers, [], {(a, b): True}) == [[a, b], [c]]
    assert group(numbers, links, {(a, b): True, (a, c): False}) == [[a, b], [c]]


@pytest.mark.slow
def test_a_title_that_hundreds_share_does_not_stop_a_page() -> None:
    letters = "".join(chr(97 + i) for i in range(26))
    names = ["".join(p) for p in itertools.islice(itertools.product(letters, repeat=3), 3000)]
    many = [entry("pmlr", f"v9/{name}", authors=(f"Author Q{name}",)) for name in names]
    assert links_among(many, []) == []
    random.Random(1).shuffle(many)
    twins = [replace(e, source="acl") for e in many[:3]]
    assert links_among(twins, []) == []
