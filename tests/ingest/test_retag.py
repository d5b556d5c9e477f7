"""Everything tagged anew: what a new taxonomy does to tags, filters and a person's decisions, and what is told of it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import text

from catalog.entries import Kind
from catalog.errors import UnknownName, UsageError
from catalog.filters import Listing, parse_filter
from catalog.items import Item
from catalog.storage import Storage, items, retags
from catalog.tagging import Tagger
from catalog.tagging.explain import BY_HAND, explained, explained_whole
from catalog.taxonomy import PACKAGED, Taxonomy, load_taxonomy
from ingest import retag as module
from ingest.correct import merge, set_topics, split
from ingest.keep import Keeper
from ingest.retag import Report, retag
from tests.dumps import check_derived, dump
from tests.ingest.works import ARXIV, FORUM, NOW, VOLUME, held, keep, keeper, said
from tests.instance import tagger

FORECAST = ARXIV
GRAPHS = said(
    "arxiv",
    "2601.00002",
    title="Link Prediction with Graph Neural Networks",
    abstract="Nodes, edges, message passing on graphs.",
)
SPEECH = said(
    "arxiv", "2601.00003", title="Streaming Speech Recognition", abstract="We recognise speech and audio of many speakers."
)
#: `predictive-modeling` gets another name, `graph-learning` falls apart, `speech-audio` ends in `deep-learning`, one is new.
EDITS = {
    "[topics.predictive-modeling]": "[topics.forecasting]",
    'aliases = ["predictive-modelling"]': 'aliases = ["predictive-modelling", "predictive-modeling"]',
    "[topics.graph-learning]": """[topics.graph-networks]
area = "algorithms"
name = "Graph networks"
description = "Message passing."
aliases = ["graph-learning"]

[topics.link-prediction]
aliases = ["graph-learning"]
phrases = ["link prediction"]""",
    "[topics.speech-audio]": '[topics.energy]\nphrases = ["energy demand"]',
    "[topics.deep-learning]": '[topics.deep-learning]\naliases = ["speech-audio"]',
}


@pytest.fixture
def storage(migrated_url: str) -> Iterator[Storage]:
    """A store with three papers."""
    made = Storage(migrated_url, upgrade=False)
    keep(made, FORECAST, GRAPHS, SPEECH)
    yield made
    made.close()


@pytest.fixture(scope="module")
def edited(tmp_path_factory: pytest.TempPathFactory) -> Taxonomy:
    """The packaged taxonomy with four topics edited."""
    content = PACKAGED.read_text(encoding="utf-8")
    for old, new in EDITS.items():
        assert old in content
        content = content.replace(old, new)
    path = tmp_path_factory.mktemp("edited") / "taxonomy.toml"
    path.write_text(content, encoding="utf-8")
    return load_taxonomy(path)


def again(storage: Storage, taxonomy: Taxonomy, *, dry_run: bool = False) -> Report:
    """Tag everything anew."""
    return retag(storage, taxonomy, Tagger.load(taxonomy), NOW, dry_run=dry_run)


def topics(storage: Storage) -> dict[str, dict[str, float]]:
    """Topics and scores of each item, by the key of its first entry."""
    return {i.entries[0].key: {t.topic: t.score for t in i.topics} for i in held(storage)}


def found(storage: Storage, taxonomy: Taxonomy, **asked: str) -> set[str]:
    """The titles that a filter finds."""
    filter = parse_filter({name: [value] for name, value in asked.items()}, taxonomy, ())
    with storage.read() as db:
        return {item.title for item in items.stream(db, Listing(filter))}


def test_a_dry_run_tells_what_a_taxonomy_edit_changes_and_the_run_does_just_that(storage: Storage, edited: Taxonomy) -> None:
    before, old = dump(storage), topics(storage)
    planned = again(storage, edited, dry_run=True)
    assert dump(storage) == before
    done = again(storage, edited)
    assert done.as_dict() == planned.as_dict()
    new = topics(storage)
    # Scores go on under the new names; the new topic comes by its phrase.
    assert new["2601.00001"]["forecasting"] == old["2601.00001"]["predictive-modeling"]
    assert new["2601.00001"]["energy"] > 0.9
    assert new["2601.00002"]["graph-networks"] == old["2601.00002"]["graph-learning"]
    assert new["2601.00002"]["link-prediction"] > 0.9
    assert new["2601.00003"]["deep-learning"] >= old["2601.00003"]["speech-audio"]
    assert {"from": "predictive-modeling", "to": "forecasting", "items": 1} in done.as_dict()["renamed"]
    gained = {label["topic"]: label for label in done.as_dict()["labels"]}
    assert (gained["energy"]["before"], gained["energy"]["after"], gained["energy"]["gained"]) == (0, 1, 1)
    assert gained["energy"]["examples"]["gained"][0]["title"] == FORECAST.title
    assert "forecasting" not in gained  # a new name is no gain
    assert again(storage, edited).changed == 0


def test_no_tag_is_left_without_a_topic_and_old_names_go_on_finding(storage: Storage, edited: Taxonomy) -> None:
    packaged = load_taxonomy()
    was = {topic: found(storage, packaged, topic=topic) for topic in ("predictive-modeling", "graph-learning", "speech-audio")}
    again(storage, edited)
    check_derived(storage)
    alive = {topic.slug for topic in edited.topics}
    with storage.read() as db:
        tagged = text("SELECT DISTINCT t.value FROM tags g JOIN terms t ON t.id = g.term_id")
        assert set(db.execute(tagged).scalars()) <= alive
        counted = text(
            "SELECT t.value FROM daily_counts c JOIN terms t ON t.id = c.term_id WHERE t.scheme = 'topic' AND c.n <> 0"
        )
        assert set(db.execute(counted).scalars()) <= alive
        assert retags.version(db) == Tagger.load(edited).version
    for topic, titles in was.items():
        assert titles
        assert found(storage, edited, topic=topic) >= titles
    assert edited.topic("graph-learning").slug == "graph-networks"  # of an address the first part
    parts = parse_filter({"topic": ["graph-learning"]}, edited, ()).topics
    assert parts == ("graph-networks", "link-prediction")
    with pytest.raises(UnknownName):
        edited.topic("graph")


def test_what_was_decided_by_hand_outlives_ingestion_retagging_new_names_merges_and_splits(
    storage: Storage, edited: Taxonomy
) -> None:
    packaged = load_taxonomy()
    number = {i.entries[0].key: i.id for i in held(storage)}
    paper = number["2601.00001"]
    assert "predictive-modeling" in topics(storage)["2601.00001"]
    set_topics(storage, keeper(storage), packaged, paper, NOW, given=["r", "graph-learning"], taken=["predictive-modeling"])

    def decided() -> dict[str, float]:
        check_derived(storage)
        return topics(storage)["2601.00001"]

    assert decided()["r"] == decided()["graph-learning"] == 1.0
    assert "predictive-modeling" not in decided()
    later = replace(FORECAST, version=2, abstract="We forecast demand, prices and time series.")
    keep(storage, later, now=NOW + timedelta(days=1))
    assert "predictive-modeling" not in decided()
    report = again(storage, packaged)
    assert (report.changed, report.decided) == (0, {"r": 1, "graph-learning": 1, "predictive-modeling": 1})
    # Another source joins, the item is merged and split: the decision stays with its paper.
    keep(storage, FORUM, VOLUME)
    assert decided()["r"] == 1.0
    merge(storage, keeper(storage), [number["2601.00002"], paper], NOW)
    assert any({"r"} <= set(of) for of in topics(storage).values())
    split(storage, keeper(storage), number["2601.00002"], ["arxiv 2601.00002"], NOW)
    assert "r" in decided()
    assert "r" not in topics(storage)["2601.00002"]
    again(storage, edited)
    assert decided()["graph-networks"] == decided()["link-prediction"] == 1.0
    assert "forecasting" not in decided()
    # About one of the parts the tagger decides again.
    edited_keeper = Keeper(storage, edited, Tagger.load(edited))
    paper = next(i.id for i in held(storage) if i.entries[0].key == "2601.00001")
    set_topics(storage, edited_keeper, edited, paper, NOW, left=["graph-networks", "forecasting"])
    assert "graph-networks" not in decided()
    assert decided()["link-prediction"] == 1.0
    assert decided()["forecasting"] > 0.5


def test_a_decision_about_a_topic_that_is_no_more_is_told_and_says_nothing(storage: Storage, tmp_path: Path) -> None:
    (paper,) = (i for i in held(storage) if i.entries[0].key == "2601.00001")
    set_topics(storage, keeper(storage), load_taxonomy(), paper.id, NOW, given=["julia"])
    path = tmp_path / "taxonomy.toml"
    path.write_text(PACKAGED.read_text(encoding="utf-8").replace("[topics.julia]", "[topics.mojo]"), encoding="utf-8")
    report = again(storage, load_taxonomy(path))
    assert report.void == {"julia": 1}
    assert not {"julia", "mojo"} & topics(storage)["2601.00001"].keys()
    assert report.labels["topic", "julia"].lost == 1
    keep(storage, replace(FORECAST, version=2))  # an instance that is not retagged yet meets old slugs, too


def test_a_topic_by_hand_says_so_as_its_evidence(storage: Storage) -> None:
    packaged = load_taxonomy()
    (paper,) = (i for i in held(storage) if i.entries[0].key == "2601.00001")
    set_topics(storage, keeper(storage), packaged, paper.id, NOW, given=["deep-learning", "r"])
    item: Item = next(i for i in explained(held(storage), packaged) if i.id == paper.id)
    said_by = {t.topic: t.evidence for t in item.topics}
    assert said_by["deep-learning"] == said_by["r"] == (BY_HAND,)
    assert BY_HAND not in said_by["predictive-modeling"]


@pytest.mark.parametrize(
    ("asked", "says"),
    [
        ({}, "no topic was named"),
        ({"given": ["r"], "taken": ["r"]}, "'r' is named twice"),
        ({"given": ["graphs"]}, "graph-learning"),
    ],
)
def test_decisions_that_make_no_sense_are_refused(storage: Storage, asked: Mapping[str, list[str]], says: str) -> None:
    before = dump(storage)
    with pytest.raises(UsageError, match=says):
        set_topics(storage, keeper(storage), load_taxonomy(), held(storage)[0].id, NOW, **asked)
    with pytest.raises(UsageError, match="no item 'nobody'"):
        set_topics(storage, keeper(storage), load_taxonomy(), "nobody", NOW, given=["r"])
    assert dump(storage) == before


def test_retagging_goes_on_where_it_was_stopped(
    storage: Storage, new_storage: Callable[[], Storage], edited: Taxonomy, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "BATCH", 1)
    seen: list[int] = []
    first = retag(storage, edited, Tagger.load(edited), NOW, stopping=lambda: len(seen) == 2, told=seen.append)
    assert first.items == 2
    with storage.read() as db:
        assert retags.version(db) == ""
    rest = again(storage, edited)
    assert rest.items == 1
    other = new_storage()
    keep(other, FORECAST, GRAPHS, SPEECH)
    again(other, edited)
    assert dump(storage, instants=False) == dump(other, instants=False)
    # Another tagger starts from the beginning.
    retag(storage, load_taxonomy(), tagger(), NOW, stopping=lambda: True)
    assert again(storage, load_taxonomy()).items == 3


def test_form_and_level_are_stored_found_and_made_anew(storage: Storage) -> None:
    survey = said(
        "arxiv",
        "2601.00004",
        title="A Survey of Graph Neural Networks",
        abstract="This survey reviews the literature on graphs.",
    )
    release = replace(said("blogs", "r1", title="Survey of graph libraries", url="https://example.org/r"), kind=Kind.POST)
    keep(storage, survey, release)
    packaged = load_taxonomy()
    told = {i.title: (i.form, i.level) for i in held(storage)}
    assert told[survey.title] == ("survey", "start-here")
    assert told[release.title] == ("", "")
    assert found(storage, packaged, form="survey") == found(storage, packaged, level="start-here") == {survey.title}
    (item,) = (explained_whole(i, packaged) for i in held(storage) if i.title == survey.title)
    assert any(item.title[e.start : e.end] == e.words == "Survey" for e in item.form_evidence)
    # Another paper says the same of itself from now on; then everything is forgotten and made anew.
    keep(storage, replace(survey, version=2, title="Graph Neural Networks: A Survey"))
    assert found(storage, packaged, form="survey") == {"Graph Neural Networks: A Survey"}
    with storage.write() as db:
        lose = "UPDATE items SET form = '', level = '', terms = :terms WHERE id = :id"
        (row,) = (r for r in retags.batch(db, 0, 10) if ("form", "survey") in r.labels)
        ids = text("SELECT id FROM terms WHERE scheme IN ('form', 'level')")
        gone = {str(i) for i in db.execute(ids).scalars()}
        terms = db.execute(text("SELECT terms FROM items WHERE id = :id"), {"id": row.item_id}).scalar_one().split()
        db.execute(text(lose), {"terms": " ".join(t for t in terms if t not in gone), "id": row.item_id})
        db.execute(text("DELETE FROM facets WHERE term_id IN (SELECT id FROM terms WHERE scheme IN ('form', 'level'))"))
    planned = again(storage, packaged, dry_run=True)
    assert (planned.labels["form", "survey"].gained, planned.labels["level", "start-here"].gained) == (1, 1)
    again(storage, packaged)
    assert found(storage, packaged, form="survey") == {"Graph Neural Networks: A Survey"}
