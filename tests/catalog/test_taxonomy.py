from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalog.entries import Kind
from catalog.errors import CatalogError, UnknownName
from catalog.taxonomy import load_taxonomy

GOOD = """
[areas.mathematics]
number = 1
name = "Mathematics"
description = "Numbers."

[topics.algebra]
area = "mathematics"
name = "Algebra"
description = "Matrices."
aliases = ["matrices"]
phrases = ["matrix algebra"]
kinds = ["event"]
marks = ["venue CVPR", "metric"]
papers = true
"""


def written(folder: Path, text: str | bytes) -> Path:
    path = folder / "own.toml"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def test_packaged_taxonomy_has_ten_areas_in_order_and_every_area_has_topics() -> None:
    taxonomy = load_taxonomy()
    assert [area.number for area in taxonomy.areas] == list(range(1, 11))
    assert all(taxonomy.topics_of(area.slug) for area in taxonomy.areas)
    assert sum(len(taxonomy.topics_of(area.slug)) for area in taxonomy.areas) == len(taxonomy.topics) == 43


def test_papers_are_judged_on_twenty_five_topics() -> None:
    topics = [topic for topic in load_taxonomy().topics if topic.papers]
    assert len(topics) == 25
    judged_areas = ["mathematics", "programming", "algorithms", "applications", "data-preparation", "evaluation"]
    assert sorted({topic.area for topic in topics}) == sorted(judged_areas)


def test_kinds_set_the_topics_of_trends() -> None:
    taxonomy = load_taxonomy()
    assert {topic.slug: topic.kinds for topic in taxonomy.topics if topic.kinds} == {
        "conferences": (Kind.DEADLINE,),
        "competitions": (Kind.COMPETITION,),
        "meetups-webinars": (Kind.EVENT,),
    }


def test_every_topic_can_be_reached_by_model_phrase_or_kind() -> None:
    assert [topic.slug for topic in load_taxonomy().topics if not (topic.papers or topic.phrases or topic.kinds)] == []


def test_old_slug_leads_to_the_topic() -> None:
    assert load_taxonomy().topic("nlp") is load_taxonomy().topic("natural-language-processing")


def test_unknown_names_are_answered_with_the_nearest() -> None:
    taxonomy = load_taxonomy()
    with pytest.raises(UnknownName, match=r"unknown topic 'computer-visoin'; nearest allowed: computer-vision"):
        taxonomy.topic("computer-visoin")
    with pytest.raises(UnknownName, match=r"unknown area 'algorithm'; nearest allowed: algorithms"):
        taxonomy.area("algorithm")
    with pytest.raises(UnknownName):
        taxonomy.topics_of("nowhere")


def test_file_is_read_once() -> None:
    assert load_taxonomy() is load_taxonomy()


def test_version_follows_content_and_not_layout(tmp_path: Path) -> None:
    versions = []
    for number, text in enumerate((GOOD, "# a comment\n" + GOOD, GOOD.replace("Matrices.", "Matrices and tensors."))):
        folder = tmp_path / str(number)
        folder.mkdir()
        versions.append(load_taxonomy(written(folder, text)).version)
    assert versions[0] == versions[1] != versions[2]


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("[topics.algebra]", "[topics.algebra]\n[topics.algebra]", r"is not TOML: .*line 8"),
        ('area = "mathematics"', 'area = "maths"', r"\[topics\.algebra\] area 'maths' does not exist; use one of mathematics"),
        ("[topics.algebra]", "[topics.Linear_Algebra]", r"\[topics\.Linear_Algebra\] 'Linear_Algebra' is no slug; use"),
        ('["matrices"]', '["algebra"]', r"\[topics\.algebra\] alias 'algebra' already leads to topics\.algebra; remove"),
        ('["matrices"]', '["Old Slug"]', r"\[topics\.algebra\] 'Old Slug' is no slug"),
        ('["matrices"]', '["a", "a"]', r"\[topics\.algebra\] aliases holds 'a' twice; remove one"),
        ('["matrices"]', '"matrices"', r"\[topics\.algebra\] aliases must be a list of texts"),
        ('["matrices"]', "[1]", r"\[topics\.algebra\] aliases must be a list of texts"),
        ("papers = true", 'papers = "yes"', r"\[topics\.algebra\] papers must be true or false"),
        ("papers = true", "paper = true", r"\[topics\.algebra\] key 'paper' is not known; allowed are .*papers"),
        ('["event"]', '["party"]', r"\[topics\.algebra\] kind 'party' does not exist; use one of paper, "),
        ('["matrix algebra"]', '["--"]', r"\[topics\.algebra\] phrase '--' has no word; remove it"),
        ('name = "Algebra"', 'name = ""', r"\[topics\.algebra\] name must be one line"),
        ('name = "Algebra"', 'name = "a\\nb"', r"\[topics\.algebra\] name must be one line"),
        ('name = "Algebra"\n', "", r"\[topics\.algebra\] name is missing; add it"),
        ("number = 1", "number = true", r"\[areas\.mathematics\] number must be a whole number"),
        ("number = 1", "number = ", r"is not TOML: .*line 3"),
        ("[areas.mathematics]", "[more]\n[areas.mathematics]", r"\[more\] is not known here"),
        ("[areas.mathematics]", "[areas.b]\nnumber = 1\nname = 'b'\ndescription = 'b'\n[areas.mathematics]", "number 1 is al"),
    ],
)  # fmt: skip
def test_each_mistake_is_named_in_one_line(tmp_path: Path, old: str, new: str, says: str) -> None:
    assert old in GOOD
    path = written(tmp_path, GOOD.replace(old, new))
    with pytest.raises(CatalogError, match=says) as caught:
        load_taxonomy(path)
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("content", "says"),
    [("", r"\[areas\] is missing"), (b"\xff", "is not UTF-8 at byte 0"), ("areas = 1", r"\[areas\] is missing or no table")],
)
def test_file_of_another_form(tmp_path: Path, content: str | bytes, says: str) -> None:
    with pytest.raises(CatalogError, match=says):
        load_taxonomy(written(tmp_path, content))


def test_missing_file(tmp_path: Path) -> None:
    with pytest.raises(CatalogError, match="cannot be read"):
        load_taxonomy(tmp_path / "none.toml")


@given(st.text(max_size=40))
def test_lookup_of_any_text_finds_or_says_unknown(name: str) -> None:
    taxonomy = load_taxonomy()
    if name in {slug for topic in taxonomy.topics for slug in (topic.slug, *topic.aliases)}:
        assert name in {taxonomy.topic(name).slug, *taxonomy.topic(name).aliases}
    else:
        with pytest.raises(UnknownName, match=r"nearest allowed: [a-z]"):
            taxonomy.topic(name)
