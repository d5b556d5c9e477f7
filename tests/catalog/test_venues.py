"""Venues: one name each, however they are written, and the year that hangs on the name."""

from __future__ import annotations

import pytest

from catalog.venues import VENUES, mentions_in, venue_in


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("Proceedings of the 36th International Conference on Machine Learning", "ICML"),
        ("Advances in Neural Information Processing Systems 31", "NeurIPS"),
        ("Learning for Dynamics & Control", "L4DC"),
        ("Fairness, Accountability and Transparency", "FAccT"),
        ("IEEE Transaction on Image Processing", "IEEE TIP"),
        ("LREC-COLING 2024", "LREC"),
        ("Pacific-Asia Conference on Knowledge Discovery and Data Mining", "PAKDD"),
        ("International Semantic Web Conference", "ISWC"),
        ("a talk about nothing", ""),
    ],
)
def test_a_venue_has_one_name_however_it_is_written(text: str, name: str) -> None:
    assert venue_in(text) == name


@pytest.mark.parametrize(
    "text",
    [
        "International Conference on Machine Learning and Cybernetics",
        "International Conference on Pattern Recognition Applications and Methods",
        "International Conference on Machine Learning Technologies",
    ],
)
def test_a_name_that_goes_on_is_another_venue(text: str) -> None:
    assert venue_in(text) == ""


@pytest.mark.parametrize(
    ("text", "year"),
    [
        ("AAAI-26", 2026),
        ("EMNLP'25 Findings", 2025),
        ("isbi2026", 2026),
        ("CVPRW 2025", 2025),
        ("Conference on Language Modeling 2025 (COLM)", 2025),
        ("Conference on Language Modeling (COLM 2025)", 2025),
        ("Neural Information Processing Systems 26", 0),  # a volume
        ("Journal of Machine Learning Research 25 (2024)", 0),
        ("CVPR 12 pages", 0),
        ("CVPR", 0),
    ],
)
def test_a_year_hangs_on_the_name(text: str, year: int) -> None:
    [mention] = mentions_in(text)
    assert mention.year == year


def test_a_name_in_lower_case_counts_with_its_year_alone() -> None:
    assert mentions_in("we log the rss of an acl") == ()
    assert [m.venue.name for m in mentions_in("rss 2025")] == ["RSS"]


def test_mentions_stand_in_the_order_of_the_text_and_say_where() -> None:
    text = "TMLR 2026 and the NeurIPS 2025 workshop"
    found = mentions_in(text)
    assert [text[m.start : m.end] for m in found] == ["TMLR 2026", "NeurIPS 2025"]
    assert [m.venue.journal for m in found] == [True, False]


def test_no_form_belongs_to_two_venues() -> None:
    forms = [form for venue in VENUES for form in {f.casefold() for f in (venue.name, *venue.short, *venue.long)}]
    assert sorted(form for form in set(forms) if forms.count(form) > 1) == []


@pytest.mark.parametrize(
    ("name", "edition", "year"),
    [("NeurIPS", 38, 2024), ("ICML", 41, 2024), ("ICLR", 12, 2024), ("AAAI", 38, 2024), ("ACL", 62, 2024), ("KDD", 30, 2024)],
)
def test_the_number_of_an_edition_tells_its_year(name: str, edition: int, year: int) -> None:
    [venue] = [v for v in VENUES if v.name == name]
    assert venue.before_first + edition == year
