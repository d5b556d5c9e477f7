"""Programmes of virtual conference sites: what is read of them, and when they are believed."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from catalog.entries import Basis, EntryData
from catalog.errors import ParseError
from catalog.outcomes import Outcome, Part, Run
from catalog.storage import entries
from ingest.formats.tiers import tier
from ingest.formats.virtual import Meeting, Programme, identifier_of, papers, parse_abstracts, parse_programme
from ingest.papers.editions import years
from ingest.source import Window
from ingest.sources.virtual import CONFERENCES, Virtual
from tests.ingest.mirror import Mirror, mirror
from tests.instance import Instance, instance

TODAY = date(2026, 6, 1)
MEETING = Meeting("virtual-icml", "icml.cc", "ICML", "icml", 2025)
FOLDER = "icml.cc/static/virtual/data"


def event(number: int = 1, **given: Any) -> dict[str, Any]:
    """An event as the site writes it, with other fields as given; a field of `...` is left out."""
    row = {
        "id": number,
        "uid": f"{number:032x}",
        "name": f"An Invented Paper {number}",
        "authors": [{"id": 1, "fullname": "Ada Example", "institution": None}],
        "abstract": "Text.",
        "topic": None,
        "keywords": [],
        "decision": "Accept (poster)",
        "eventtype": "Poster",
        "event_type": "Poster",
        "virtualsite_url": f"/virtual/2025/poster/{number}",
        "sourceurl": "https://openreview.net/group?id=ICML.cc/2025/Conference",
        "starttime": "2025-07-15T11:00:00-07:00",
        "paper_url": None,
    }
    return {k: v for k, v in {**row, **given}.items() if v is not ...}


def file(*rows: Any, count: Any = None, following: str | None = None) -> bytes:
    """A file of events."""
    stated = len(rows) if count is None else count
    return json.dumps({"count": stated, "next": following, "previous": None, "results": list(rows)}).encode()


def read(*rows: Any, **given: Any) -> Programme:
    """The programme of the events."""
    return parse_programme(file(*rows, **given), MEETING)


def only(*rows: Any, abstracts: dict[str, str] | None = None, usual: date | None = None) -> EntryData:
    """The one paper that the events are of."""
    [paper] = papers(read(*rows).events, abstracts or {}, TODAY, usual)
    return paper


# ---------------------------------------------------------------- what an event says
def test_an_event_with_nothing_but_a_name_and_a_number_is_a_paper() -> None:
    paper = only({"id": 7, "name": "A Bare Title"})
    assert (paper.key, paper.title, paper.authors, paper.abstract) == ("icml-2025/7", "A Bare Title", (), "")
    assert (paper.url, paper.announced, paper.basis) == ("https://icml.cc/virtual/2025/", None, Basis.HELD)


def test_the_events_of_one_paper_are_one_entry_at_the_best_tier() -> None:
    shared = {"uid": "ab" * 16, "name": "Shown Thrice", "decision": None}
    rows = [
        event(1, **shared, starttime="2025-07-16T09:00:00-07:00"),
        event(2, **shared, eventtype="Oral", abstract="", starttime="2025-07-15T09:00:00-07:00", topic="Theory->Games"),
        event(3, **shared, eventtype="Spotlight Poster"),
    ]
    paper = only(*rows)
    assert (paper.decision, paper.abstract, paper.subjects) == ("oral", "Text.", ("Theory->Games",))
    assert paper.announced == date(2025, 7, 15)
    assert paper.url == "https://icml.cc/virtual/2025/poster/2"


@pytest.mark.parametrize(
    ("said", "expected"),
    {
        "Accept (oral)": "oral",
        "Accept (spotlight poster)": "spotlight",
        "ICML 2025 spotlightposter": "spotlight",
        "ICLR 2023 notable top 5%": "oral",
        "ICLR 2023 notable top 25%": "spotlight",
        "Highlight": "spotlight",
        "ICLR 2026 Poster": "poster",
        "Accept (regular)": "",
        "A temporal pastorale": "",
    }.items(),
)
def test_the_words_of_venues_for_tiers(said: str, expected: str) -> None:
    assert tier([said]) == expected


@pytest.mark.parametrize(
    ("given", "track"),
    [
        (
            {"sourceurl": "https://openreview.net/group?id=NeurIPS.cc/2025/Datasets_and_Benchmarks_Track"},
            "Datasets and Benchmarks",
        ),
        ({"sourceurl": "https://openreview.net/group?id=NeurIPS.cc/2025/Position_Paper_Track"}, "Position Paper"),
        ({"sourceurl": "https://openreview.net/group?id=NeurIPS.cc/2025/Workshop/TEA"}, "workshop: TEA"),
        ({"sourceurl": "https://cmt3.research.microsoft.com/CVPR2026/"}, ""),
        ({"sourceurl": None, "event_type": "Findings Poster"}, "Findings"),
        ({"name": "Findings of a Survey"}, ""),
    ],
)
def test_the_track_comes_from_the_group_or_the_kind_of_event(given: dict[str, Any], track: str) -> None:
    assert only(event(**given)).track == track


def test_keywords_are_a_list_or_text_with_commas() -> None:
    assert only(event(keywords=["tea", "cups", "tea", ""])).keywords == ("tea", "cups")
    assert only(event(keywords=" tea,  green tea;cups,")).keywords == ("tea", "green tea", "cups")
    assert only(event(keywords=None)).keywords == ()


def test_text_is_cleaned_and_latex_is_left_as_said() -> None:
    paper = only(event(name="Cups &amp; <b>Saucers</b>\u202e for $\\ell_1$", abstract="a &lt; b\n<script>x</script>c"))
    assert (paper.title, paper.abstract) == ("Cups & Saucers for $\\ell_1$", "a < b c")


@pytest.mark.parametrize(
    ("page", "expected"),
    [
        ("https://openreview.net/forum?id=AbC_d-123", ("openreview", "AbC_d-123")),
        ("https://openreview.net/forum?noteId=x&id=AbCd1", ("openreview", "AbCd1")),
        ("https://openreview.net/group?id=ICML.cc/2025/Conference", None),
        ("https://openreview.net.example.org/forum?id=AbCd1", None),
        ("https://arxiv.org/pdf/2605.00007v3", ("arxiv", "2605.00007")),
        ("https://example.org/2605.00007", None),
        ("https://proceedings.mlr.press/v97/example19a.html", ("pmlr", "v97/example19a")),
        (f"https://papers.nips.cc/paper_files/paper/2019/hash/{'0a' * 16}-Abstract.html", ("neurips", "0a" * 16)),
        (
            "https://openaccess.thecvf.com/content/CVPR2026/html/A_B_CVPR_2026_paper.html",
            ("cvf", "CVPR2026/A_B_CVPR_2026_paper"),
        ),
        (
            "https://openaccess.thecvf.com/content_CVPR_2019/html/A_B_CVPR_2019_paper.html",
            ("cvf", "CVPR2019/A_B_CVPR_2019_paper"),
        ),
    ],
)
def test_only_a_page_of_exactly_one_work_identifies_it(page: str, expected: tuple[str, str] | None) -> None:
    assert identifier_of(page) == expected


def test_the_uid_is_no_identifier_even_when_it_looks_like_one() -> None:
    assert only(event(uid="0a" * 16)).identifiers == ()


@pytest.mark.parametrize("address", ["javascript:alert(1)", "//[broken", 7, "", None])
def test_an_odd_address_is_not_linked_to(address: Any) -> None:
    assert only(event(virtualsite_url=address, paper_url=address)).url == "https://icml.cc/virtual/2025/"
    assert only(event(virtualsite_url=address, paper_url="https://example.org/p")).url == "https://example.org/p"


def test_an_event_that_is_no_paper_is_passed_and_not_lost() -> None:
    rows = [
        event(1, eventtype="Tutorial", event_type=...),
        event(2, eventtype="Social", event_type=None, authors=[]),
        event(3, eventtype="Something New", event_type="", authors=[]),
        event(4, decision="Reject"),
        event(5, eventtype="Demonstration", event_type=None),
        event(6, authors=[]),
    ]
    programme = read(*rows)
    assert [e.id for e in programme.events] == ["5", "6"]
    assert programme.loss == 0


def test_a_day_that_cannot_be_of_the_edition_is_not_believed() -> None:
    for said in ("0000-00-00", "2099-01-01T00:00:00Z", "tomorrow", 17, None):
        assert only(event(starttime=said)).announced is None
    assert only(event(starttime=None), usual=date(2025, 7, 10)).announced == date(2025, 7, 10)
    late = papers(
        parse_programme(file(event(starttime="2025-07-15")), MEETING).events, {}, date(2025, 7, 14), date(2025, 7, 10)
    )
    assert [(e.announced, e.basis) for e in late] == [(None, Basis.HELD)]


# ---------------------------------------------------------------- files that are not as they should be
def test_bad_events_are_counted_and_cost_nothing_else() -> None:
    rows = [event(1), "text", None, event(2, name=None), event(3, name=" <b></b> "), event(4, id=None, uid=None)]
    programme = read(*rows)
    assert [e.entry.key[-1] for e in programme.events] == ["1"]
    assert programme.rejected == {"not-an-object": 2, "no-title": 2, "no-uid": 1}
    assert programme.loss == 5


def test_an_event_without_uid_is_keyed_by_its_number_unless_the_file_lost_more() -> None:
    assert [e.entry.key for e in read(event(1), event(2, uid=...)).events][1] == "icml-2025/2"
    damaged = read(event(1), event(2, uid=...), event(3, name=...))
    assert [e.id for e in damaged.events] == ["1"]
    assert damaged.rejected == {"no-uid": 1, "no-title": 1}


def test_a_title_of_a_megabyte_is_a_loss_and_not_a_title() -> None:
    assert read(event(name="A" * 1_000_000)).rejected == {"no-title": 1}


@pytest.mark.parametrize(
    "body",
    [b"", b"null", b"[]", b"{}", b'{"results": {"0": {}}}', b"<!DOCTYPE html>", b'{"results": [', b"\xff{}", b"[" * 100_000],
    ids=repr,
)
def test_what_is_no_list_of_events_is_refused(body: bytes) -> None:
    with pytest.raises(ParseError):
        parse_programme(body, MEETING)


@pytest.mark.parametrize("body", [b"{}", b"[]", b'"ok"', b'{"1": null}', b'{"error": {"code": 500}}', b"<html>"])
def test_what_is_no_file_of_abstracts_is_refused(body: bytes) -> None:
    with pytest.raises(ParseError):
        parse_abstracts(body)


def test_abstracts_that_are_no_text_are_counted() -> None:
    assert parse_abstracts(b'{"1": "a  b", "2": null, "3": 5}') == ({"1": "a b"}, 2)


def test_the_stated_number_is_held_against_the_events() -> None:
    assert read(event(1), count=1).damage == ""
    assert read(event(1), event(2), count=3).damage == "the file states 3 events and has 2"
    for count in (True, -1, "2", 2.5):
        assert read(event(1), count=count).damage == "the file does not say how many events it has"


# ---------------------------------------------------------------- visits
@pytest.fixture
def site(tmp_path: Path) -> Iterator[Mirror]:
    """A site without files."""
    (tmp_path / "site" / FOLDER).mkdir(parents=True)
    with mirror(tmp_path / "site") as served:
        yield served


@pytest.fixture
def one(migrated_url: str, site: Mirror) -> Iterator[Instance]:
    """An instance that knows nothing yet."""
    with instance(migrated_url, site.url, TODAY) as made:
        yield made


ICML = Virtual(CONFERENCES[1])


def put(site: Mirror, body: bytes, name: str = "icml-2025-orals-posters.json") -> None:
    """Publish a file."""
    (site.folder / FOLDER / name).write_bytes(body)


def visit(one: Instance, year: int = 2025) -> tuple[Run, Part]:
    """A visit to one edition."""
    run = one.visit(ICML, Window(date(year, 1, 1), date(year, 12, 31)))
    return run, run.parts[0]


def standing(one: Instance) -> set[str]:
    """The last digits of the papers that are held and not withdrawn."""
    with one.storage.read() as db:
        return {key[-2:] for key in entries.standing(db, ICML.name, "icml-2025/")}


def test_the_years_of_a_visit() -> None:
    assert years(None, TODAY, 2015) == [2025, 2026]
    assert years(Window(date(2012, 5, 1), date(2016, 1, 1)), TODAY, 2015) == [2015, 2016]
    assert years(Window(date(2026, 5, 1), date(2040, 1, 1)), TODAY, 2015) == [2026, 2027]
    assert years(Window(date(2025, 5, 1)), TODAY, 2015) == [2025, 2026]
    assert years(Window(date(2001, 5, 1), date(2002, 1, 1)), TODAY, 2015) == []


def test_an_unchanged_file_is_not_read_again(one: Instance, site: Mirror) -> None:
    put(site, file(*(event(n) for n in range(1, 4))))
    assert visit(one)[0].counts.new == 3
    run, part = visit(one)
    assert (run.requests, run.counts.seen, part.outcome, part.announced, part.held) == (1, 0, Outcome.OK, 3, 3)


def test_a_file_that_is_short_of_its_count_is_partial_and_names_both_numbers(one: Instance, site: Mirror) -> None:
    put(site, file(event(1), event(2), count=3))
    run, part = visit(one)
    assert part.outcome is Outcome.PARTIAL
    assert "states 3 events and has 2" in part.error
    assert run.requests == 3
    assert standing(one) == {"01", "02"}


def test_words_of_a_damaged_file_replace_none_that_are_held(one: Instance, site: Mirror) -> None:
    put(site, file(event(1, name="As It Is")))
    visit(one)
    put(site, file(event(1, name="As It Is Not"), event(2), count=5))
    assert visit(one)[0].counts.revised == 0
    assert standing(one) == {"01", "02"}
    put(site, file(event(1, name="As It Is"), event(2)))
    run, part = visit(one)
    assert (part.outcome, run.counts.new, run.counts.revised) == (Outcome.OK, 0, 0)


def test_papers_that_vanish_are_withdrawn_when_the_same_programme_comes_twice(one: Instance, site: Mirror) -> None:
    rows = [event(n) for n in range(1, 41)]
    put(site, file(*rows))
    visit(one)
    put(site, file(*rows[:39]))
    _, part = visit(one)
    assert part.outcome is Outcome.STALE
    assert len(standing(one)) == 40
    run, part = visit(one)
    assert (part.outcome, run.counts.revised) == (Outcome.OK, 1)
    assert len(standing(one)) == 39
    put(site, file(*rows))
    assert visit(one)[1].outcome is Outcome.OK
    assert len(standing(one)) == 40


def test_a_programme_that_lost_more_than_a_twentieth_withdraws_nothing(one: Instance, site: Mirror) -> None:
    rows = [event(n) for n in range(1, 11)]
    put(site, file(*rows))
    visit(one)
    put(site, file(*rows[:9]))
    for _ in range(3):
        assert visit(one)[1].outcome is Outcome.STALE
    assert len(standing(one)) == 10


def test_an_edition_that_is_empty_or_gone_is_stale_while_papers_of_it_are_held(one: Instance, site: Mirror) -> None:
    assert visit(one)[1].outcome is Outcome.EMPTY
    put(site, file())
    assert visit(one)[1].outcome is Outcome.EMPTY
    put(site, file(event(1)))
    assert visit(one)[1].outcome is Outcome.OK
    put(site, file())
    assert visit(one)[1].outcome is Outcome.STALE
    (site.folder / FOLDER / "icml-2025-orals-posters.json").unlink()
    assert visit(one)[1].outcome is Outcome.STALE
    assert standing(one) == {"01"}


def abstract(one: Instance) -> str:
    """The abstract of the first paper."""
    with one.storage.read() as db:
        return entries.kept(db, ICML.name, [f"icml-2025/{1:032x}"])[f"icml-2025/{1:032x}"].entry.abstract


def test_abstracts_that_are_published_later_complete_the_papers(one: Instance, site: Mirror) -> None:
    put(site, file(event(1, abstract="")))
    _, part = visit(one)
    assert (part.outcome, abstract(one)) == (Outcome.OK, "")
    put(site, b'{"1": "Later."}', "icml-2025-abstracts.json")
    _, part = visit(one)
    assert (part.outcome, abstract(one)) == (Outcome.OK, "Later.")
    run, part = visit(one)
    assert (part.outcome, run.requests, run.counts.seen) == (Outcome.OK, 2, 0)


def test_a_file_of_abstracts_that_cannot_be_read_is_named_and_read_when_it_can_be(one: Instance, site: Mirror) -> None:
    put(site, file(event(1, abstract="")))
    put(site, b"{", "icml-2025-abstracts.json")
    for _ in range(2):
        run, part = visit(one)
        assert part.outcome is Outcome.PARTIAL
        assert part.error.startswith("abstracts: the answer is not JSON")
        assert (part.announced, part.held) == (1, 1)
    put(site, b'{"1": "Later."}', "icml-2025-abstracts.json")
    run, part = visit(one)
    assert (part.outcome, abstract(one), run.counts.new) == (Outcome.OK, "Later.", 0)


def test_abstracts_that_the_site_does_not_have_are_named_once(one: Instance, site: Mirror) -> None:
    put(site, file(event(1, abstract=""), event(2, abstract="")))
    put(site, b'{"1": "There."}', "icml-2025-abstracts.json")
    _, part = visit(one)
    assert (part.outcome, part.error) == (Outcome.PARTIAL, "1 of 2 papers have no abstract in the file of abstracts")
    assert abstract(one) == "There."
    for _ in range(2):
        assert visit(one)[1].outcome is Outcome.OK


def test_further_pages_of_the_same_file_are_followed_and_counted_together(one: Instance, site: Mirror) -> None:
    here = f"https://icml.cc/{FOLDER.partition('/')[2]}/icml-2025-orals-posters.json"
    put(site, file(event(1), count=3, following=f"{here}?page=2"))
    put(site, file(event(2), count=3, following="?page=3"), "icml-2025-orals-posters.json?page=2")
    put(site, file(event(3), count=3), "icml-2025-orals-posters.json?page=3")
    run, part = visit(one)
    assert (part.outcome, part.announced, run.requests) == (Outcome.OK, 3, 3)
    assert visit(one)[0].counts.revised == 0


@pytest.mark.parametrize("elsewhere", ["https://example.org/next", "http://169.254.169.254/?page=2", "//[", "/other?page=2"])
def test_a_further_page_elsewhere_is_not_followed(one: Instance, site: Mirror, elsewhere: str) -> None:
    put(site, file(event(1), count=2, following=elsewhere))
    _, part = visit(one)
    assert (part.outcome, part.error) == (Outcome.PARTIAL, "the file states 2 events and has 1")
    assert {path.partition("?")[0] for path in site.asked} == {f"/{FOLDER}/icml-2025-orals-posters.json"}


def test_pages_that_follow_each_other_for_ever_come_to_an_end(one: Instance, site: Mirror) -> None:
    put(site, file(event(1), count=2, following="?page=2"))
    put(site, file(event(2), count=2, following="?page=2"), "icml-2025-orals-posters.json?page=2")
    _, part = visit(one)
    assert part.outcome is Outcome.PARTIAL
    assert len(site.asked) == 50


def test_the_names_of_the_sources_and_their_hosts() -> None:
    assert [(Virtual(c).name, Virtual(c).homepage) for c in CONFERENCES][:2] == [
        ("virtual-neurips", "https://neurips.cc/"),
        ("virtual-icml", "https://icml.cc/"),
    ]
    assert all(Virtual(c).enabled for c in CONFERENCES)
