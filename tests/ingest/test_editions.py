"""Deadlines: zones, one item of two lists, dates that move, and the list of what lies ahead."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest
from starlette.testclient import TestClient

from catalog.entries import EntryData, Kind, Moment
from catalog.items import Item
from catalog.storage import Storage
from ingest.formats.editions import edition_of, parse_conference, parse_series
from ingest.formats.instants import day_in_words, instant
from tests.app.seeding import application
from tests.ingest.works import held, keep

NOW = datetime(2026, 4, 20, 12, tzinfo=UTC)
DUE = datetime(2026, 5, 7, 11, 59, 59, tzinfo=UTC)


@pytest.fixture
def storage(migrated_url: str) -> Iterator[Storage]:
    """An empty store."""
    made = Storage(migrated_url, upgrade=False)
    yield made
    made.close()


def edition(source: str, *moments: Moment, year: int = 2026, **more: object) -> EntryData:
    """What a list says of an invented edition."""
    entry = EntryData(
        source, f"rips{year}/{source}", Kind.DEADLINE, f"ExampleRIPS {year}", "https://rips.example.org/", venue="ExampleRIPS",
        year=year, abstract="Invented", moments=moments, identifiers=(edition_of("ExampleRIPS", year),),
    )  # fmt: skip
    return replace(entry, **more)  # type: ignore[arg-type]


def paper(at: datetime, label: str = "") -> Moment:
    """A deadline for papers."""
    return Moment(at, "submission", label)


@pytest.mark.parametrize(
    ("said", "zone", "utc"),
    [
        ("2026-05-06 23:59:59", "AoE", "2026-05-07T11:59:59"),
        ("2026-05-06 23:59", "", "2026-05-07T11:59:00"),
        ("2026-05-06 23:59:59", "UTC  ", "2026-05-06T23:59:59"),
        ("2026-07-01 23:59:59", "UTC-7", "2026-07-02T06:59:59"),
        ("2026-07-01 23:59:59", "UTC-08", "2026-07-02T07:59:59"),
        ("2026-07-01 23:59:59", "GMT+02", "2026-07-01T21:59:59"),
        ("2026-07-01 20:00:00", "UTC+5:30", "2026-07-01T14:30:00"),
        ("2026-07-01 23:59:59", "PST", "2026-07-02T06:59:59"),
        ("2026-01-15 23:59:59", "PT", "2026-01-16T07:59:59"),
        ("2026-07-01 12:00:00", "Europe/London", "2026-07-01T11:00:00"),
        ("2026-07-01 12:00:00", "Pacific/Honolulu", "2026-07-01T22:00:00"),
        ("2026-12-31 24:00:00", "UTC", "2027-01-01T00:00:00"),
    ],
)
def test_hours_of_every_zone_are_told_in_utc(said: str, zone: str, utc: str) -> None:
    assert instant(said, zone) == (datetime.fromisoformat(utc).replace(tzinfo=UTC), False)


def test_what_has_no_hour_is_a_day_and_what_is_no_date_is_nothing() -> None:
    day = datetime(2026, 5, 6, tzinfo=UTC)
    assert instant("2026-05-06", "Asia/Tokyo") == (day, True)
    assert instant("2026-05-06 23:59:59", "../etc/passwd") == (day, True)
    assert [instant(t, "AoE") for t in ("TBD", "", "2026-13-01 00:00:00", "2026-02-30", "9999-12-31 23:59:59")] == [None] * 5
    assert day_in_words("11 May 2026 Apr 2026") == date(2026, 5, 11)
    assert day_in_words("soon") is None


def test_one_broken_edition_costs_only_itself() -> None:
    found = parse_conference(
        b"- just a word\n- {title: A, year: 26}\n- {year: 2026}\n- {title: 'No', year: 2026, tags: null}\n"
    )
    assert ([e.title for e in found.entries], dict(found.rejected)) == (
        ["No 2026"],
        {"no-edition": 1, "no-year": 1, "no-title": 1},
    )
    series = parse_series(
        b"- {title: A, sub: AI, confs: oh}\n- {title: B, sub: AI, confs: [{year: 2026, timeline: []}]}\n", 2026, 2026
    )
    assert ([e.title for e in series.entries], dict(series.rejected)) == (["B 2026"], {"no-editions": 1})


def one(storage: Storage) -> Item:
    """The only item."""
    (item,) = held(storage)
    return item


def test_two_lists_make_one_item_and_a_move_is_news_of_it(storage: Storage) -> None:
    keep(storage, edition("ai-deadlines", paper(DUE)), now=NOW)
    first = one(storage)
    keep(storage, edition("ccf-deadlines", paper(DUE - timedelta(seconds=59))), now=NOW)
    assert (one(storage).id, one(storage).moments) == (first.id, (paper(DUE),))
    assert [(n.what, n.day, n.text) for n in one(storage).news] == [
        ("closing", date(2026, 4, 23), "submission 2026-05-07 11:59 UTC")
    ]
    later, then = DUE + timedelta(days=2), NOW + timedelta(days=1)
    assert keep(storage, edition("ai-deadlines", paper(later)), now=then) == (0, 1, 0)
    assert keep(storage, edition("ccf-deadlines", paper(later - timedelta(seconds=59))), now=then) == (0, 1, 0)
    moved = one(storage)
    assert (moved.id, moved.moments) == (first.id, (paper(later),))
    assert [(n.what, n.status, n.day, n.text) for n in moved.news] == [
        ("moved", "later", then.date(), "submission from 2026-05-07 11:59 UTC to 2026-05-09 11:59 UTC"),
        ("closing", "", date(2026, 4, 25), "submission 2026-05-09 11:59 UTC"),
    ]
    assert keep(storage, edition("ai-deadlines", paper(later)), now=then) == (0, 0, 1)
    assert one(storage) == moved


def test_editions_that_one_list_tells_apart_stay_apart(storage: Storage) -> None:
    twins = [edition("ai-deadlines", key="a"), edition("ai-deadlines", key="b"), edition("ai-deadlines", year=2027)]
    keep(storage, *twins, now=NOW)
    assert len(held(storage)) == 3


def test_what_lies_ahead_is_listed_soonest_first_with_what_differs(storage: Storage) -> None:
    abstract = Moment(NOW - timedelta(days=1), "abstract")
    keep(
        storage,
        edition("ai-deadlines", abstract, paper(DUE), about=(("place", "Lima, Peru"),), subjects=("computer vision",)),
        edition("ccf-deadlines", paper(DUE + timedelta(days=1))),
        edition("ccf-deadlines", paper(NOW + timedelta(days=3)), year=2027),
        edition("ccf-deadlines", paper(NOW - timedelta(days=3)), year=2025),
        now=NOW,
    )

    class Clock:
        def now(self) -> datetime:
            return NOW

    with TestClient(application(storage, Clock())) as client:
        found = client.get("/api/v1/deadlines").json()["items"]
        assert [(i["title"], i["next"]["at"]) for i in found] == [
            ("ExampleRIPS 2027", "2026-04-23T12:00:00Z"),
            ("ExampleRIPS 2026", "2026-05-07T11:59:59Z"),
        ]
        assert [t["topic"] for t in found[1]["topics"]] == ["computer-vision", "conferences"]
        assert found[1]["about"] == {"place": "Lima, Peru"}
        (differing,) = found[1]["disagreements"]
        assert [(s["source"], s["at"]) for s in differing["said"]] == [
            ("ai-deadlines", "2026-05-07T11:59:59Z"),
            ("ccf-deadlines", "2026-05-08T11:59:59Z"),
        ]
        assert found[0]["disagreements"] == []
        page = client.get("/api/v1/deadlines", params={"limit": 1})
        assert page.json()["items"] == found[:1]
        assert client.get(page.links["next"]["url"]).json() == {"items": found[1:], "next": None}
        assert client.get("/api/v1/deadlines?within=5").json()["items"] == found[:1]
        assert client.get("/api/v1/deadlines?topic=computer-vision").json()["items"] == found[1:]
        assert client.get("/api/v1/competitions").json() == {"items": [], "next": None}
        refused = [
            client.get(f"/api/v1/deadlines?{q}").status_code for q in ("within=0", "kind=paper", "cursor=x", "sort=rank")
        ]
        assert refused == [422] * 4
        shown = client.get("/deadlines").text
        assert shown.index("ExampleRIPS 2027") < shown.index("ExampleRIPS 2026")
        assert "Sources differ" in shown
        assert "ExampleRIPS 2025" not in shown
        assert [client.get(path).status_code for path in ("/competitions", "/events", "/deadlines?area=nothing")] == [
            200,
            200,
            422,
        ]
