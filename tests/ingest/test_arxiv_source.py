"""The source arXiv against a loopback arXiv: complete, once, and honest about what is missing."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta

import pytest

from catalog.entries import Basis, EntryData, Kind
from catalog.outcomes import Outcome, Part, Run
from catalog.storage import entries, items, sources
from ingest.formats.arxiv_feed import DailyFeed
from ingest.formats.arxiv_listing import Listing
from ingest.source import History
from ingest.sources.arxiv import Arxiv, judge, sets_for
from tests.dumps import check_derived, differences, dump
from tests.instance import Instance, instance
from tests.loopback_arxiv import Fault, LoopbackArxiv, Paper, Version, announcement_days, expected, sample_papers

pytestmark = pytest.mark.slow

CATEGORIES = ("cs.LG", "stat.ML", "cs.CL", "math.OC")
DAYS = list(announcement_days(date(2026, 1, 12), date(2026, 2, 6)))


@pytest.fixture(scope="module")
def papers() -> list[Paper]:
    """Four invented weeks of papers."""
    return sample_papers(seed=3, per_day=14)


@pytest.fixture
def arxiv(papers: list[Paper]) -> Iterator[LoopbackArxiv]:
    """A loopback arXiv on the tenth announcement day, with small pages so that lists are resumed."""
    with LoopbackArxiv(papers, DAYS[9], oai_page=40, listing_page=25) as server:
        yield server


@pytest.fixture
def one(migrated_url: str, arxiv: LoopbackArxiv) -> Iterator[Instance]:
    """An instance on that day."""
    with instance(migrated_url, arxiv.url, DAYS[9], ARXIV_CATEGORIES=" ".join(CATEGORIES)) as made:
        yield made


def put(one: Instance, arxiv: LoopbackArxiv, day: date, hour: int = 12) -> None:
    """Move clock and server to a day."""
    arxiv.today = day
    one.clock.put(day, hour)


def held(one: Instance, wanted: set[str]) -> set[str]:
    """Those of the ids that are held."""
    with one.storage.read() as db:
        return entries.held(db, "arxiv", wanted)


def part(run: Run, name: str) -> Part:
    """The part of a run by name."""
    return next(p for p in run.parts if p.name == name)


def announced(papers: list[Paper], first: date, last: date) -> set[str]:
    """What was announced in our categories and is not deleted."""
    return expected(papers, CATEGORIES, first, last, deleted_too=False)


def test_a_feed_whose_dates_cannot_be_read_takes_those_of_the_listing() -> None:
    day = DAYS[9]

    def entry(key: str, announced: date | None, basis: Basis) -> EntryData:
        return EntryData("arxiv", key, Kind.PAPER, "A title", f"https://arxiv.org/abs/{key}", announced=announced, basis=basis)

    feed = DailyFeed(None, tuple(("new", entry(key, None, Basis.HELD)) for key in ("2601.00001", "2601.00002")))
    listed = (("new", entry("2601.00001", day, Basis.STATED)), ("cross", entry("2601.00002", day, Basis.CROSS)))
    listing = Listing(day, (("new", 1), ("cross", 1)), 2, ("2601.00001", "2601.00002"), listed)
    verdict = judge(feed, listing, "", day, {})
    assert verdict.outcome is Outcome.OK
    assert [(e.key, e.announced, e.basis) for e in verdict.entries] == [
        ("2601.00001", day, Basis.STATED),
        ("2601.00002", day, Basis.CROSS),
    ]


# ------------------------------------------------------------------ complete, once
@pytest.mark.slow
def test_ten_days_are_complete_and_a_second_pass_writes_nothing(
    one: Instance, arxiv: LoopbackArxiv, papers: list[Paper]
) -> None:
    for day in DAYS[5:15]:
        put(one, arxiv, day)
        run = one.visit()
        assert run.outcome is Outcome.OK, run.error
        before = dump(one.storage)
        one.clock.put(day, 16)
        again = one.visit()
        assert again.outcome is Outcome.OK, again.error
        assert (again.counts.new, again.counts.revised) == (0, 0)
        assert differences(before, dump(one.storage)) == {}
    wanted = announced(papers, DAYS[5], DAYS[14])
    assert len(wanted) > 60
    assert held(one, wanted) == wanted
    check_derived(one.storage)


@pytest.mark.slow
def test_a_pause_of_five_days_loses_nothing(migrated_url: str, arxiv: LoopbackArxiv, tmp_path: object) -> None:
    def identities(one: Instance, days: list[date]) -> list[tuple[str, ...]]:
        for day in days:
            put(one, arxiv, day)
            one.visit()
        return sorted((r[2], r[3], r[6]) for r in dump(one.storage, instants=False)["entries"])

    settings = {"ARXIV_CATEGORIES": " ".join(CATEGORIES)}
    with instance(migrated_url, arxiv.url, DAYS[5], **settings) as every_day:
        wanted = identities(every_day, DAYS[5:15])
    with instance(f"sqlite:///{tmp_path}/paused.db", arxiv.url, DAYS[5], **settings) as paused:
        got = identities(paused, [*DAYS[5:9], DAYS[14]])
    gone = {p.id for p in arxiv.papers if p.deleted}  # announced and deleted within the pause: no metadata left anywhere
    assert [r for r in got if r[0] not in gone] == [r for r in wanted if r[0] not in gone]


def test_what_is_kept_of_a_paper(migrated_url: str) -> None:
    paper = Paper(
        id="2601.04242", title=r"On the $\alpha$-Erd\H{o}s Bound", abstract="We study graphs.\n  Twice.",
        authors=(r"G\"odel, K.".replace(",", ""), "Ada Example (Univ. of X, Town)"), categories=("cs.LG", "stat.TH"),
        announced=date(2026, 1, 14), submitted=datetime(2026, 1, 12, 20, 0, tzinfo=UTC), comment="Accepted at TestConf 2026",
        doi="10.1000/XYZ", versions=(Version(2, datetime(2026, 1, 15, 9, 0, tzinfo=UTC), date(2026, 1, 16)),),
    )  # fmt: skip
    with LoopbackArxiv([paper], date(2026, 1, 14)) as arxiv, instance(migrated_url, arxiv.url, date(2026, 1, 14)) as one:
        one.visit()
        put(one, arxiv, date(2026, 1, 16))
        run = one.visit()
        assert (run.counts.new, run.counts.revised) == (0, 1)
        with one.storage.read() as db:
            item = items.by_identifier(db, "arxiv", "2601.04242")
        assert item is not None
        assert item.title == "On the α-Erdős Bound"
        assert item.authors == ("Gödel K.", "Ada Example")
        assert item.announced == date(2026, 1, 14)
        assert not item.estimated
        assert item.submitted == datetime(2026, 1, 12, 20, 0, tzinfo=UTC)
        assert item.updated == datetime(2026, 1, 15, 9, 0, tzinfo=UTC)
        assert ("doi", "10.1000/xyz") in item.identifiers
        assert [(v.number, v.at) for v in item.entries[0].versions] == [
            (1, datetime(2026, 1, 12, 20, 0, tzinfo=UTC)),
            (2, datetime(2026, 1, 15, 9, 0, tzinfo=UTC)),
        ]


def test_a_withdrawal_is_recorded_and_is_news(migrated_url: str) -> None:
    version = Version(2, datetime(2026, 1, 15, 9, 0, tzinfo=UTC), date(2026, 1, 16), withdrawn=True)
    paper = _paper("2601.00001", announced=date(2026, 1, 14), versions=(version,))
    with LoopbackArxiv([paper], date(2026, 1, 14)) as arxiv, instance(migrated_url, arxiv.url, date(2026, 1, 14)) as one:
        one.visit()
        put(one, arxiv, date(2026, 1, 16))
        one.visit()
        with one.storage.read() as db:
            item = items.by_identifier(db, "arxiv", "2601.00001")
        assert item is not None
        assert item.withdrawn
        assert [(n.what, n.day) for n in item.news] == [("withdrawn", date(2026, 1, 15))]


def test_a_deleted_record_is_marked_and_an_unknown_one_is_no_loss(migrated_url: str) -> None:
    known = _paper("2601.00001", announced=date(2026, 1, 14), deleted=date(2026, 1, 16))
    unknown = _paper("2601.00002", announced=date(2026, 1, 15), deleted=date(2026, 1, 16))
    with (
        LoopbackArxiv([known, unknown], date(2026, 1, 14)) as arxiv,
        instance(migrated_url, arxiv.url, date(2026, 1, 14)) as one,
    ):
        one.visit()
        put(one, arxiv, date(2026, 1, 16))
        run = one.visit()
        assert run.outcome in (Outcome.OK, Outcome.EMPTY), run.error
        with one.storage.read() as db:
            item = items.by_identifier(db, "arxiv", "2601.00001")
            assert items.by_identifier(db, "arxiv", "2601.00002") is None
        assert item is not None
        assert item.withdrawn


def test_an_old_paper_newly_cross_listed_keeps_its_first_date(migrated_url: str) -> None:
    paper = _paper(
        "2510.00007", categories=("physics.data-an",), announced=date(2025, 10, 7), crossed=(("cs.LG", date(2026, 1, 14)),)
    )
    with LoopbackArxiv([paper], date(2026, 1, 14)) as arxiv, instance(migrated_url, arxiv.url, date(2026, 1, 14)) as one:
        one.visit()
        with one.storage.read() as db:
            item = items.by_identifier(db, "arxiv", "2510.00007")
        assert item is not None
        assert item.announced.year == 2025


def test_a_replacement_of_a_paper_not_held_is_not_announced_today(migrated_url: str) -> None:
    version = Version(2, datetime(2026, 1, 12, 9, 0, tzinfo=UTC), date(2026, 1, 14))
    paper = _paper("2509.00003", announced=date(2025, 9, 3), versions=(version,))
    with LoopbackArxiv([paper], date(2026, 1, 14)) as arxiv, instance(migrated_url, arxiv.url, date(2026, 1, 14)) as one:
        one.visit()
        with one.storage.read() as db:
            item = items.by_identifier(db, "arxiv", "2509.00003")
        assert item is not None
        assert item.announced < date(2025, 10, 1)
        assert item.entries[0].version == 2


# ------------------------------------------------------------------ stale, short, empty
@pytest.mark.parametrize(
    ("kind", "word"), [("stale_feed", "earlier batch"), ("short_feed", "short"), ("empty_page", "is empty")]
)
def test_a_stale_short_or_empty_feed_is_named_and_its_papers_are_held_all_the_same(
    one: Instance, arxiv: LoopbackArxiv, papers: list[Paper], kind: str, word: str
) -> None:
    put(one, arxiv, DAYS[8])
    one.visit()
    put(one, arxiv, DAYS[9])
    arxiv.faults = [Fault(kind, host="rss.arxiv.org", path_contains="cs.LG")]
    run = one.visit()
    assert run.outcome is Outcome.STALE
    assert part(run, "cs.LG").outcome is Outcome.STALE
    assert word in part(run, "cs.LG").error
    wanted = announced(papers, DAYS[9], DAYS[9])
    assert held(one, wanted) == wanted
    with one.storage.read() as db:
        assert {i.announced for k in wanted if (i := items.by_identifier(db, "arxiv", k))} == {DAYS[9]}
        state = sources.state(db, "arxiv")
    assert state is not None
    assert state.failing_since is not None
    assert state.next_due <= one.clock.now() + timedelta(hours=1)
    arxiv.faults = []
    repaired = one.visit()
    assert repaired.outcome is Outcome.OK, repaired.error
    with one.storage.read() as db:
        after = sources.state(db, "arxiv")
    assert after is not None
    assert after.failing_since is None


@pytest.mark.slow
def test_stale_feed_with_oai_and_listing_behind_is_repaired_on_a_later_visit(
    one: Instance, arxiv: LoopbackArxiv, papers: list[Paper]
) -> None:
    put(one, arxiv, DAYS[8])
    one.visit()
    put(one, arxiv, DAYS[9])
    arxiv.faults = [
        Fault("stale_feed", host="rss.arxiv.org"),
        Fault("503", host="arxiv.org", path_contains="/list/"),
        Fault("too_early", host="oaipmh.arxiv.org"),
    ]
    wanted = announced(papers, DAYS[9], DAYS[9])
    run = one.visit()
    assert run.outcome in (Outcome.STALE, Outcome.PARTIAL)
    assert "nothing in the feed" in run.error
    assert held(one, wanted) != wanted
    arxiv.faults = []
    assert one.visit().outcome is Outcome.OK
    assert held(one, wanted) == wanted


def test_an_empty_day_is_empty_when_the_listing_is_empty_too(one: Instance, arxiv: LoopbackArxiv) -> None:
    saturday = date(2026, 1, 24)
    put(one, arxiv, DAYS[8])
    one.visit()
    for keeps in (False, True):
        arxiv.listing_keeps_last = keeps
        put(one, arxiv, saturday)
        run = one.visit()
        assert {part(run, c).outcome for c in CATEGORIES} == {Outcome.EMPTY}, run.error


def test_what_feed_listing_and_oai_lack_is_looked_up_by_id(migrated_url: str) -> None:
    found = [_paper(f"2601.000{n:02}", announced=date(2026, 1, 14)) for n in range(1, 6)]
    with (
        LoopbackArxiv(found, date(2026, 1, 14)) as arxiv,
        instance(migrated_url, arxiv.url, date(2026, 1, 14), ARXIV_CATEGORIES="cs.LG") as one,
    ):
        # The listing names all papers but the details of some are unreadable; feed and OAI are a day behind.
        arxiv.faults = [
            Fault("empty_page", host="rss.arxiv.org"),
            Fault("too_early", host="oaipmh.arxiv.org"),
            Fault("missing_fields", host="arxiv.org", path_contains="/list/"),
        ]
        run = one.visit()
        assert held(one, {p.id for p in found}) == {p.id for p in found}
        assert part(run, "cs.LG").outcome is not Outcome.OK
        assert (part(run, "cs.LG").announced, part(run, "cs.LG").held) == (5, 5)


def test_feed_and_listing_out_of_reach_are_replaced_by_a_search(
    one: Instance, arxiv: LoopbackArxiv, papers: list[Paper]
) -> None:
    put(one, arxiv, DAYS[8])
    one.visit()
    put(one, arxiv, DAYS[9])
    arxiv.faults = [
        Fault("503", host="rss.arxiv.org"), Fault("503", host="arxiv.org", path_contains="/list/"),
        Fault("too_early", host="oaipmh.arxiv.org"),
    ]  # fmt: skip
    run = one.visit()
    assert run.outcome is Outcome.PARTIAL
    wanted = announced(papers, DAYS[9], DAYS[9])
    late = {p.id for p in papers if p.announced == DAYS[9] and (p.announced - p.submitted.date()).days > 10}
    assert wanted - held(one, wanted) <= late


# ------------------------------------------------------------------ cursors
@pytest.mark.slow
@pytest.mark.parametrize("kind", ["cut", "truncate", "empty_page", "html_200", "json_shape", "too_early", "503", "invalid_xml"])
def test_an_answer_that_is_not_whole_moves_no_cursor(one: Instance, arxiv: LoopbackArxiv, kind: str) -> None:
    put(one, arxiv, DAYS[8])
    one.visit()
    names = [f"oai {s}" for s in sets_for(CATEGORIES)]
    with one.storage.read() as db:
        before = {n: sources.part(db, "arxiv", n).cursor for n in names}
    put(one, arxiv, DAYS[9])
    arxiv.faults = [Fault(kind, host="oaipmh.arxiv.org")]
    run = one.visit()
    with one.storage.read() as db:
        after = {n: sources.part(db, "arxiv", n).cursor.get("from") for n in names}
    assert after == {n: c.get("from") for n, c in before.items()}
    if kind != "too_early":
        assert run.outcome in (Outcome.PARTIAL, Outcome.STALE)
        assert run.error


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["cut", "truncate", "html_200", "json_shape", "503", "invalid_xml", "empty_page"])
def test_a_feed_that_is_not_whole_keeps_no_validator(one: Instance, arxiv: LoopbackArxiv, kind: str) -> None:
    arxiv.faults = [Fault(kind, host="rss.arxiv.org")]
    run = one.visit()
    spoilt = [c for c in CATEGORIES if part(run, c).outcome is not Outcome.EMPTY]  # an empty day is rightly empty
    assert spoilt
    with one.storage.read() as db:
        assert {sources.part(db, "arxiv", c).etag for c in spoilt} == {""}


def test_a_bad_resumption_token_restarts_the_list(one: Instance, arxiv: LoopbackArxiv, papers: list[Paper]) -> None:
    arxiv.faults = [Fault("bad_token", times=1)]
    run = one.visit()
    assert run.outcome is Outcome.OK, run.error
    wanted = announced(papers, DAYS[5], DAYS[9])
    assert held(one, wanted) == wanted


def test_a_loss_that_repeats_is_the_upstreams_own_and_holds_the_cursor_only_once(one: Instance, arxiv: LoopbackArxiv) -> None:
    arxiv.oai_page = 2500
    put(one, arxiv, DAYS[8])
    one.visit()
    put(one, arxiv, DAYS[9])
    name = f"oai {sets_for(CATEGORIES)[0]}"

    def start() -> object:
        with one.storage.read() as db:
            return sources.part(db, "arxiv", name).cursor.get("from")

    before = start()
    arxiv.faults = [Fault("missing_fields", host="oaipmh.arxiv.org")]
    first = one.visit()
    assert part(first, name).outcome is Outcome.PARTIAL
    assert sum(part(first, name).counts.rejected.values()) > 0
    assert start() == before


@pytest.mark.slow
@pytest.mark.parametrize(
    "kind",
    [
        "invalid_xml",
        "wrong_encoding",
        "undefined_entity",
        "html_title",
        "missing_fields",
        "bad_dates",
        "duplicate_ids",
        "html_200",
    ],
)
def test_malformed_answers_lose_nothing_in_the_end(one: Instance, arxiv: LoopbackArxiv, papers: list[Paper], kind: str) -> None:
    arxiv.faults = [Fault(kind, rate=0.4)]
    for day in DAYS[8:10]:
        put(one, arxiv, day)
        run = one.visit()
        c = run.counts
        assert c.seen == c.new + c.revised + c.unchanged + sum(c.rejected.values())
        assert run.outcome in (Outcome.OK, Outcome.PARTIAL, Outcome.STALE), run.error
    arxiv.faults = []
    one.visit()
    assert one.visit().outcome is Outcome.OK
    wanted = announced(papers, DAYS[8], DAYS[9])
    assert held(one, wanted) == wanted
    check_derived(one.storage)


# ------------------------------------------------------------------ outages, windows, history
def test_an_outage_is_a_failed_run_that_says_why_and_when_it_is_tried_again(one: Instance, arxiv: LoopbackArxiv) -> None:
    arxiv.faults = [Fault("reset")]
    run = one.visit()
    assert run.outcome is Outcome.FAILED
    assert "broke off" in run.error
    assert len(one.pauses) < 60
    with one.storage.read() as db:
        state = sources.state(db, "arxiv")
        ledger = sources.runs(db, "arxiv")
    assert state is not None
    assert state.failing_since == run.started
    assert one.clock.now() < state.next_due <= one.clock.now() + timedelta(hours=1)
    assert (ledger[0].outcome, ledger[0].requests) == (Outcome.FAILED, run.requests)
    arxiv.faults = []
    assert one.visit().outcome is Outcome.OK


def test_backfill_brings_a_range_and_goes_on_after_an_interruption(
    one: Instance, arxiv: LoopbackArxiv, papers: list[Paper]
) -> None:
    arxiv.oai_page = 10
    arxiv.faults = [Fault("503", host="oaipmh.arxiv.org", path_contains="skip%253D")]
    first = one.backfill(DAYS[0], DAYS[5], ["cs"])
    assert first.outcome in (Outcome.PARTIAL, Outcome.FAILED)
    arxiv.faults = []
    asked = len(arxiv.requests)
    second = one.backfill(DAYS[0], DAYS[5], ["cs"])
    assert second.outcome is Outcome.OK, second.error
    resumed = arxiv.requests[asked]
    assert "resumptionToken" in resumed.query or first.counts.seen == 0
    every = tuple({c for p in papers for c in p.categories if c.startswith("cs.")})
    wanted = expected(papers, every, DAYS[0], DAYS[5]) - {p.id for p in papers if p.deleted and p.deleted <= DAYS[9]}
    assert len(wanted) > 30
    assert held(one, wanted) == wanted
    with one.storage.read() as db:
        assert sources.state(db, "arxiv") is not None
        assert sources.runs(db, "backfill:arxiv")
    again = one.backfill(DAYS[0], DAYS[5], ["cs"])
    assert (again.counts.new, again.counts.revised) == (0, 0)


@pytest.mark.parametrize("kind", ["undefined_entity", "wrong_encoding"])
def test_an_answer_that_had_to_be_mended_is_asked_for_again(one: Instance, arxiv: LoopbackArxiv, kind: str) -> None:
    arxiv.oai_page = 2500
    arxiv.faults = [Fault(kind, host="oaipmh.arxiv.org", times=2)]
    assert one.visit().outcome is Outcome.OK
    arxiv.faults = []
    again = one.backfill(DAYS[0], DAYS[9], ["cs", "stat"])
    assert again.counts.unchanged > 30
    assert again.counts.revised == 0  # no title was kept as it had been spoilt


def test_few_categories_are_harvested_one_by_one_and_many_of_an_archive_together() -> None:
    assert sets_for(["cs.LG", "stat.ML", "hep-th"]) == ["cs:cs:LG", "stat:stat:ML", "physics:hep-th"]
    assert sets_for(["cs.LG", "cs.AI", "cs.CL", "cs.SY", "math.OC"]) == ["cs:cs", "eess:eess:SY", "math:math:OC"]


def test_the_next_visit_is_due_when_the_next_feed_is() -> None:
    friday = datetime(2026, 1, 30, 12, 0, tzinfo=UTC)
    run = Run("arxiv", friday, outcome=Outcome.OK)
    assert Arxiv().next_due(friday, run, History(0, None)) == datetime(2026, 2, 2, 5, 20, tzinfo=UTC)


def _paper(
    paper: str,
    *,
    announced: date,
    categories: tuple[str, ...] = ("cs.LG",),
    versions: tuple[Version, ...] = (),
    deleted: date | None = None,
    crossed: tuple[tuple[str, date], ...] = (),
) -> Paper:
    submitted = datetime.combine(announced - timedelta(days=2), datetime.min.time(), UTC) + timedelta(hours=15)
    return Paper(
        id=paper, title=f"A careful study of {paper}", abstract="We measure a thing with a neural network.",
        authors=("Ada Example",), categories=categories, announced=announced, submitted=submitted, versions=versions,
        deleted=deleted, crossed=crossed,
    )  # fmt: skip
