"""Items as plain data: which keys, in which order, and what stands for nothing."""

from __future__ import annotations

import math
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta, timezone

import pytest

from app import schemas, shapes
from catalog.entries import Basis, Kind
from catalog.filters import EXTRA_FIELDS
from catalog.items import EntryRef, Evidence, Item, News, Tag
from catalog.outcomes import Counts, Outcome, Part, Run
from catalog.storage.requests import Request
from catalog.storage.sources import SourceState

CARD = ["id", "kind", "title", "authors", "url", "venue", "announced", "topics"]
WHOLE = (
    "id kind title summary authors url topics entries identifiers signals venue submitted updated announced "
    "announced_estimated withdrawn form level news why categories comment moments form_evidence level_evidence"
).split()

BARE = Item(
    id="0123456789abcdef", position=1, kind=Kind.PAPER, title="On learning", url="https://a.example/1", authors=(), venue="",
    announced=date(2026, 1, 28), estimated=True, submitted=None, updated=None, withdrawn=False,
)  # fmt: skip
FULL = replace(
    BARE,
    authors=("Ada Example", "Bo Sample"),
    venue="ICML 2026",
    submitted=datetime(2026, 1, 26, 18, 2, 11, tzinfo=UTC),
    updated=datetime(2026, 1, 27, 1, 0, 0, 5, tzinfo=UTC),
    topics=(Tag("deep-learning", 0.9, (Evidence("title", "learning", 3, 11),)), Tag("python", 0.5)),
    categories=("cs.LG", "stat.ML"),
    comment="12 pages",
    summary="We learn.",
    entries=(EntryRef("arxiv", "2601.01234", "https://arxiv.org/abs/2601.01234", 2, date(2026, 1, 28), Basis.STATED),),
    identifiers=(("arxiv", "2601.01234"), ("doi", "10.1/b"), ("doi", "10.1/c")),
    news=(News("withdrawn", date(2026, 1, 29)),),
)


def test_a_card_has_its_keys_in_the_promised_order() -> None:
    assert list(shapes.card(FULL)) == CARD


#: The others need more than the item: `app.lists` adds them.
OWN = [f for f in EXTRA_FIELDS if f not in ("evidence", "rank")]


def test_extra_fields_follow_the_card_in_their_own_order_however_they_are_asked_for() -> None:
    assert list(shapes.card(FULL, tuple(reversed(EXTRA_FIELDS)))) == CARD + OWN


@pytest.mark.parametrize("field", OWN)
def test_a_field_alone_brings_only_itself(field: str) -> None:
    assert list(shapes.card(FULL, [field])) == [*CARD, field]


def test_evidence_comes_only_when_asked_for() -> None:
    assert shapes.card(FULL)["topics"][0] == {"topic": "deep-learning", "score": 0.9}
    shown = shapes.card(FULL, ["evidence"])["topics"][0]
    assert shown["evidence"] == [{"field": "title", "words": "learning", "start": 3, "end": 11}]


def test_the_whole_item_has_its_keys_in_the_promised_order() -> None:
    assert list(shapes.whole(FULL)) == WHOLE == list(schemas.Item.model_fields)


def test_the_whole_item_tells_what_is_known() -> None:
    shown = shapes.whole(FULL)
    assert shown["identifiers"] == {"arxiv": ["2601.01234"], "doi": ["10.1/b", "10.1/c"]}
    assert shown["entries"] == [
        {
            "source": "arxiv",
            "key": "2601.01234",
            "url": "https://arxiv.org/abs/2601.01234",
            "version": 2,
            "announced": "2026-01-28",
            "title": None,
            "venue": None,
            "year": None,
            "track": None,
            "decision": None,
            "award": None,
            "subjects": [],
            "keywords": [],
            "about": {},
            "moments": [],
            "joined": [],
        }
    ]
    assert shown["signals"] == {}
    assert (shown["submitted"], shown["updated"]) == ("2026-01-26T18:02:11Z", "2026-01-27T01:00:00.000005Z")
    assert shown["news"] == [{"what": "withdrawn", "day": "2026-01-29", "text": None, "status": None}]


def test_what_is_not_known_is_null_and_what_there_is_none_of_is_empty() -> None:
    shown = shapes.whole(BARE)
    nothing = {name for name, value in shown.items() if value is None}
    assert nothing == {"summary", "venue", "submitted", "updated", "form", "level", "why", "comment"}
    assert {name for name, value in shown.items() if value == []} == {
        "authors", "topics", "entries", "news", "categories", "moments", "form_evidence", "level_evidence",
    }  # fmt: skip
    assert shown["identifiers"] == shown["signals"] == {}


@pytest.mark.parametrize("item", [BARE, FULL], ids=["bare", "full"])
def test_shapes_are_what_the_api_promises(item: Item) -> None:
    schemas.Item.model_validate(shapes.whole(item))
    schemas.Card.model_validate(shapes.card(item))
    schemas.Card.model_validate(shapes.card(item, EXTRA_FIELDS))


@pytest.mark.parametrize(
    ("tags", "sentence"),
    [
        ((), None),
        ((Tag("r", 0.5),), "Tagged r for its text as a whole."),
        ((Tag("r", 0.5, (Evidence("category", "stat.CO"),)),), "Tagged r by the category stat.CO."),
        ((Tag("r", 0.5, (Evidence("rule", "release of R"),)),), "Tagged r by the rule release of R."),
        (
            (Tag("r", 0.5, (Evidence("abstract", "the R language", 0, 14), Evidence("title", "R", 0, 1))),),
            "Tagged r for “R” in the title.",
        ),
        ((Tag("r", 0.4), Tag("julia", 0.6), Tag("java", 0.6)), "Tagged julia for its text as a whole."),
        (
            (Tag("r", 0.5, (Evidence("abstract", "x" * 200, 0, 200),)),),
            f"Tagged r for “{'x' * 79}…” in the abstract.",
        ),
    ],
)
def test_why_is_one_sentence_from_the_best_topic(tags: tuple[Tag, ...], sentence: str | None) -> None:
    assert shapes.why(replace(BARE, topics=tags)) == sentence


def test_why_tells_form_and_level_too() -> None:
    survey = (Evidence("title", "Survey", 2, 8),)
    told = replace(BARE, topics=(Tag("r", 0.5),), form="survey", level="start-here", form_evidence=survey)
    said = "Taken as survey for “Survey” in the title, and as start-here for its text as a whole."
    assert shapes.why(told) == f"Tagged r for its text as a whole. {said}"
    assert shapes.why(replace(told, topics=())) == said
    shown = shapes.whole(told)
    assert shown["form_evidence"] == [{"field": "title", "words": "Survey", "start": 2, "end": 8}]
    assert shown["level_evidence"] == []


def test_instants_are_utc_with_z() -> None:
    assert shapes.instant(None) is None
    assert shapes.instant(datetime(2026, 1, 28, 5, tzinfo=UTC)) == "2026-01-28T05:00:00Z"
    assert shapes.instant(datetime(2026, 1, 28, 5, tzinfo=timezone(timedelta(hours=5)))) == "2026-01-28T00:00:00Z"


def test_json_is_compact_utf8_and_refuses_what_json_has_not() -> None:
    assert shapes.dump({"a": ["ä", 1.5, None]}) == '{"a":["ä",1.5,null]}'.encode()
    with pytest.raises(ValueError, match="JSON"):
        shapes.dump(math.nan)


def test_a_run_that_still_runs() -> None:
    run = Run("arxiv", datetime(2026, 1, 28, 5, tzinfo=UTC))
    shown = shapes.run(run)
    schemas.RunInfo.model_validate(shown)
    assert (shown["outcome"], shown["finished"], shown["error"]) == ("running", None, None)


def test_a_finished_run() -> None:
    begun = datetime(2026, 1, 28, 5, tzinfo=UTC)
    run = Run("arxiv", begun, 7, begun + timedelta(minutes=1), Outcome.PARTIAL, Counts(3, 2, 0, 1), 4, 1.23456, "lost")
    run.parts = [Part("cs.LG", Outcome.FAILED, Counts(), 4, 3, "lost")]
    shown = shapes.run(run)
    schemas.RunInfo.model_validate(shown)
    assert list(shown) == list(schemas.RunInfo.model_fields)
    assert (shown["finished"], shown["seconds"], shown["parts"][0]["held"]) == ("2026-01-28T05:01:00Z", 1.235, 3)


def test_a_source_before_its_first_visit() -> None:
    state = SourceState("arxiv", True, datetime(2026, 1, 28, 5, tzinfo=UTC), None, None, None, 0, None, "", "")
    shown = shapes.source(state)
    schemas.SourceInfo.model_validate(shown)
    assert list(shown) == list(schemas.SourceInfo.model_fields)
    assert (shown["outcome"], shown["error"], shown["next_due"]) == (None, None, "2026-01-28T05:00:00Z")
    assert (shown["warning"], shown["warned_since"], shown["request"]) == (None, None, None)
    schemas.Freshness.model_validate(shapes.freshness(state))


def test_signals_tell_where_it_was_accepted_and_what_is_linked() -> None:
    day = date(2026, 1, 28)
    code = News("code", day, "https://github.com/ada/example")
    claimed, confirmed = News("accepted", day, "ICML 2026", "claimed"), News("accepted", day, "CVPR 2026", "confirmed")
    entry = replace(FULL.entries[0], venue="CVPR", year=2026, decision="oral")
    told = replace(FULL, news=(claimed, confirmed, code), entries=(entry,))
    assert shapes.whole(told)["signals"] == {
        "acceptance": {"venue": "CVPR 2026", "status": "confirmed", "decision": "oral"},
        "code": ["https://github.com/ada/example"],
    }


def test_a_request_at_each_of_its_stages() -> None:
    asked = Request(17, "arxiv", datetime(2026, 1, 28, 5, tzinfo=UTC), "", 0, None, None, "", "")
    shown = shapes.request(asked)
    schemas.RequestInfo.model_validate(shown)
    assert list(shown) == list(schemas.RequestInfo.model_fields)
    assert (shown["state"], shown["run"], shown["outcome"]) == ("waiting", None, None)
    assert shapes.request(replace(asked, owner="worker"))["state"] == "taken"
    done = replace(asked, owner="worker", finished=asked.asked + timedelta(minutes=1), run=3, outcome="ok")
    assert shapes.request(done) == shown | {"state": "done", "finished": "2026-01-28T05:01:00Z", "run": 3, "outcome": "ok"}
