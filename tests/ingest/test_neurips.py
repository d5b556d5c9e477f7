from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from catalog.entries import Basis, Detail, EntryData
from catalog.errors import ParseError
from catalog.outcomes import Outcome, Part, Run
from catalog.storage import entries
from ingest.formats.neurips import metadata_url, parse_books, parse_index, parse_metadata, parse_paper
from ingest.formats.paper_list import PaperList
from ingest.papers.abstracts import UNFINISHED, Allowance
from ingest.source import History, Window
from ingest.sources import neurips
from ingest.sources.neurips import Neurips
from tests.ingest.site import Site, site
from tests.instance import Instance, instance

SAMPLES = Path(__file__).resolve().parents[1] / "data" / "neurips"
TODAY = date(2026, 6, 1)
BOOKS = "proceedings.neurips.cc/paper_files/paper"
YEAR = Window(date(2018, 1, 1), date(2018, 12, 31))


def key(number: int) -> str:
    """What stands in the address of a paper of that number."""
    return hashlib.md5(str(number).encode()).hexdigest()  # noqa: S324 - the site's


def document(inner: str, head: str = "") -> str:
    return f"<!DOCTYPE html><html><head>{head}</head><body><h4>NeurIPS 2018</h4>{inner}</body></html>"


def row(number: int, title: str = "", authors: str = "Ada Example, Bo Sample") -> str:
    address = f"/paper_files/paper/2018/hash/{key(number)}-Abstract.html"
    return f'<li><a title="paper title" href="{address}">{title or f"Paper {number}"}</a> <i>{authors}</i></li>'


def index(*rows: str) -> str:
    return document(f"<ul>{''.join(rows)}</ul>")


def paper(number: int, abstract: str | None = None) -> str:
    text = f"What paper {number} says." if abstract is None else abstract
    return document(f"<h4>Abstract</h4><p>{text}</p>", f'<meta name="citation_title" content="Paper {number}">')


def parse(page: str, year: int = 2018) -> PaperList:
    return parse_index(page.encode(), year, "neurips", date(2018, 12, 1))


def titles(papers: PaperList) -> list[str]:
    return [e.title for e in papers.entries]


# ------------------------------------------------------------------ the index
def test_an_old_index_is_read_as_it_is_meant() -> None:
    papers = parse(index(row(1, "Trees &amp; <i>Shrubs</i>,\n Part I"), row(2)))
    first = papers.entries[0]
    assert titles(papers) == ["Trees & Shrubs, Part I", "Paper 2"]
    assert (first.key, first.authors, first.track) == (f"2018/{key(1)}", ("Ada Example", "Bo Sample"), "")
    assert (first.venue, first.year, first.announced, first.basis) == ("NeurIPS", 2018, date(2018, 12, 1), Basis.ESTIMATED)
    assert first.identifiers == (("neurips", key(1)),)
    assert first.url == f"https://proceedings.neurips.cc/paper_files/paper/2018/hash/{key(1)}-Abstract.html"
    assert (papers.loss, papers.announced, first.detail) == (0, 2, Detail.BRIEF)


def test_keys_carry_the_year_as_the_site_gives_the_same_value_again() -> None:
    page = index(row(1)).replace("/2018/", "/2019/").replace("NeurIPS 2018", "NeurIPS 2019")
    assert {e.key for e in parse(page, 2019).entries}.isdisjoint(e.key for e in parse(index(row(1))).entries)


TRACKS = {
    "of the address": ("-Datasets_and_Benchmarks_Track", "conference", "", "Datasets and Benchmarks"),
    "of an earlier address": ("-Datasets_and_Benchmarks", "", "", "Datasets and Benchmarks"),
    "of the first year's address": ("-round2", "", "", "Datasets and Benchmarks"),
    "main": ("-Conference", "conference", "Main Conference Track", ""),
    "of the row": ("", "position_paper_track", "", "Position Paper"),
    "of the badge": ("", "", "Creative AI Track", "Creative AI"),
    "not known yet": ("-Poetry_Track", "", "", "Poetry"),
    "none": ("", "none", "", ""),
}


@pytest.mark.parametrize(("suffix", "data", "badge", "expected"), TRACKS.values(), ids=TRACKS)
def test_the_track_is_the_first_that_is_named(suffix: str, data: str, badge: str, expected: str) -> None:
    address = f"/paper_files/paper/2018/hash/{key(1)}-Abstract{suffix}.html"
    link = f'<a href="{address}">A title</a><span class="paper-track-badge">{badge}</span>'
    assert parse(document(f'<ul class="paper-list"><li data-track="{data}">{link}</li></ul>')).entries[0].track == expected


AUTHORS = {
    "a suffix belongs to the name before": ("Ada Example, Jr., Bo Sample", ("Ada Example Jr.", "Bo Sample")),
    "none": ("", ()),
    "the site's own error": ("Error", ()),
    "entities": ("Zo&euml; Muster", ("Zoë Muster",)),
}


@pytest.mark.parametrize(("said", "expected"), AUTHORS.values(), ids=AUTHORS)
def test_authors_are_names_between_commas(said: str, expected: tuple[str, ...]) -> None:
    assert parse(index(row(1, authors=said))).entries[0].authors == expected


def test_a_row_without_a_paper_is_counted_and_costs_no_other() -> None:
    papers = parse(index(row(1), "<li>A title without a link</li>", row(2, "&nbsp;"), "<li> </li>", row(3)))
    assert titles(papers) == ["Paper 1", "Paper 3"]
    assert (papers.rejected, papers.announced) == (Counter({"no-link": 1, "no-title": 1}), 4)


def test_a_paper_that_is_listed_twice_is_one() -> None:
    papers = parse(index(row(1), row(1, "Another title"), row(2)))
    assert (titles(papers), papers.announced, papers.loss) == (["Paper 1", "Paper 2"], 2, 0)


def test_links_to_other_years_and_hosts_are_no_papers() -> None:
    other = row(1).replace("/2018/", "/2017/") + row(2).replace("/paper_files", "https://example.org/paper_files")
    assert titles(parse(document(f"<ul>{row(3)}</ul><p>{other}</p>"))) == ["Paper 3"]


def test_parts_of_a_year_are_found_beside_its_papers() -> None:
    links = '<a href="/paper_files/paper/2018/vol31-main-conference">Main</a><a href="/paper_files/paper/2017">Before</a>'
    papers = parse(index(row(1), links))
    assert [link.path for link in papers.links] == ["/paper_files/paper/2018/vol31-main-conference"]
    assert titles(papers) == ["Paper 1"]


NO_INDEX = {
    "nothing": b" \n",
    "an error page": b"<html><head><title>Just a moment...</title></head><body><h1>Difficulties</h1></body></html>",
    "json": b'{"error": "format"}',
    "entities": b'<?xml version="1.0"?><!DOCTYPE f [<!ENTITY a "b">]><f>&a;</f>',
    "bytes": bytes(range(256)),
}


@pytest.mark.parametrize("body", NO_INDEX.values(), ids=NO_INDEX)
def test_what_is_no_page_of_the_proceedings_is_refused(body: bytes) -> None:
    with pytest.raises(ParseError):
        parse_index(body, 2018, "neurips", None)
    with pytest.raises(ParseError):
        parse_books(body)
    with pytest.raises(ParseError):
        parse_paper(body, 2018, TODAY)


DAMAGE = {
    "the end is missing": index(row(1), row(2))[:-20],
    "a stray tag": index(row(1), row(2).replace("</a>", " & <b < </a>")),
    "too deep": index(row(1), row(2), "<b>" * 300 + "x"),
}


@pytest.mark.parametrize("page", DAMAGE.values(), ids=DAMAGE)
def test_a_damaged_page_is_told_from_a_sound_one(page: str) -> None:
    papers = parse(page)
    assert titles(papers)[0] == "Paper 1"
    assert papers.damage
    assert papers.loss == 1


def test_an_index_without_papers_is_one() -> None:
    assert parse(document("<ul class='paper-list'></ul>")).announced == 0


def test_bytes_that_are_no_utf8_are_read_as_windows_1252() -> None:
    page = index(row(1, "Na\N{LATIN SMALL LETTER I WITH DIAERESIS}ve")).encode("cp1252")
    assert titles(parse_index(page, 2018, "neurips", None)) == ["Naïve"]


def test_the_books_are_years() -> None:
    links = ("/paper_files/paper/2025/vol38", "/paper/1987", "/papers/search")
    page = document("<h4>Books</h4>" + "".join(f'<a href="{link}">Book</a>' for link in links))
    assert parse_books(page.encode()) == {2025, 1987}
    assert parse_books(document("<h4>Books</h4>").encode()) == frozenset()
    with pytest.raises(ParseError, match="cut off"):
        parse_books(page[:-20].encode())


# ------------------------------------------------------------------ a paper's page
ABSTRACTS = {
    "after a heading": ("<h4>Abstract</h4><p><p>It works.</p></p>", "It works."),
    "after a heading, several paragraphs": (
        "<h4>Abstract</h4><p>It works.</p>\n<p>Often.</p><h4>Notes</h4><p>No.</p>",
        "It works. Often.",
    ),
    "in an element of its own": ('<p class="paper-abstract">It <b>works</b>.</p>', "It works."),
    "in a paragraph in an element": ('<p class="paper-abstract">\n<p>It works.</p></p><section>No.</section>', "It works."),
    "beside its element": ('<h2>Abstract</h2><p class="paper-abstract"></p><p>It works.</p>', "It works."),
    "mathematics": ("<h4>Abstract</h4><p>If $a &lt; b$ &amp; $b$</p>", "If a < b & b"),
    "missing": ("<h4>Abstract</h4><p>Abstract Missing</p>", ""),
    "empty": ("<h4>Abstract</h4><p></p>", ""),
}


@pytest.mark.parametrize(("inner", "expected"), ABSTRACTS.values(), ids=ABSTRACTS)
def test_the_abstract_is_found_wherever_the_site_puts_it(inner: str, expected: str) -> None:
    assert parse_paper(document(inner).encode(), 2018, TODAY).abstract == expected


DAYS = {
    "2018-12-03": date(2018, 12, 3),
    "2019/4/23": date(2019, 4, 23),
    "2018": None,
    "2018-13-45": None,
    "2099-12-31": None,
    "2017-12-31": None,
}


@pytest.mark.parametrize("said", DAYS)
def test_only_a_whole_date_that_can_be_true_is_believed(said: str) -> None:
    head = f'<meta name="citation_title" content="T"><meta name="citation_publication_date" content="{said}">'
    assert parse_paper(document("", head).encode(), 2018, TODAY).day == DAYS[said]


def test_names_on_a_papers_page_are_turned_round() -> None:
    said = ("Example, Ada", "Sample, Bo, Jr.", "Plato", "de la Muster, Zoë")
    head = "".join(f'<meta name="citation_author" content="{name}">' for name in said)
    found = parse_paper(document("<h4>Abstract</h4>", head).encode(), 2018, TODAY)
    assert found.authors == ("Ada Example", "Bo Sample Jr.", "Plato", "Zoë de la Muster")


def test_metadata_tell_abstract_and_names() -> None:
    said = {"title": "T", "abstract": "It works.", "authors": [{"given_name": "Ada", "family_name": "Example"}, None, {}]}
    assert parse_metadata(json.dumps(said).encode()).abstract == "It works."
    assert parse_metadata(json.dumps(said).encode()).authors == ("Ada Example",)
    assert parse_metadata(b'{"title": "T", "abstract": null, "authors": "Ada"}').abstract == ""
    with pytest.raises(ParseError):
        parse_metadata(b'{"error": 404}')


def test_only_old_pages_have_metadata() -> None:
    assert metadata_url("https://x.org/2018/hash/ab-Abstract.html") == "https://x.org/2018/file/ab-Metadata.json"
    assert metadata_url("https://x.org/2025/hash/ab-Abstract-Conference.html") == ""


# ------------------------------------------------------------------ visits
@pytest.fixture
def upstream() -> Iterator[Site]:
    """A site with a volume of three papers."""
    with site() as made:
        made.put(BOOKS, document('<h4>Books</h4><a href="/paper_files/paper/2018">NeurIPS 2018</a>'))
        made.put(f"{BOOKS}/2018", index(row(1), row(2), row(3)))
        for number in (1, 2, 3):
            made.put(page_of(number), paper(number))
        yield made


@pytest.fixture
def one(migrated_url: str, upstream: Site) -> Iterator[Instance]:
    """An instance whose NeurIPS is the site."""
    with instance(migrated_url, upstream.url, TODAY) as made:
        yield made


def page_of(number: int) -> str:
    return f"{BOOKS}/2018/hash/{key(number)}-Abstract.html"


def visit(one: Instance, window: Window | None = YEAR) -> Run:
    return one.visit(Neurips(), window)


def part(run: Run, name: str = "neurips-2018") -> Part:
    return next(p for p in run.parts if p.name == name)


def held(one: Instance) -> dict[str, EntryData]:
    """The entries by what stands in their address."""
    with one.storage.read() as db:
        keys = entries.standing(db, "neurips", "2018/")
        return {k.partition("/")[2]: kept.entry for k, kept in entries.kept(db, "neurips", keys).items()}


def fields(entry: EntryData, expected: dict[str, Any]) -> dict[str, Any]:
    """The fields of an entry that an expectation names, as JSON has them."""
    return {name: json.loads(json.dumps(getattr(entry, name), default=str)) for name in expected}


def test_a_year_in_parts_is_read_with_all_of_them(migrated_url: str) -> None:
    expected = json.loads((SAMPLES / "expected" / "neurips.json").read_text(encoding="utf-8"))
    with site() as made:
        made.load(SAMPLES)
        with instance(migrated_url, made.url, TODAY) as one:
            window = Window(*map(date.fromisoformat, expected["window"]))
            run = visit(one, window)
            assert run.outcome == expected["outcome"]
            for name, said in expected["parts"].items():
                assert {k: part(run, name).as_dict()[k] for k in said} == said
            with one.storage.read() as db:
                found = entries.kept(db, "neurips", [e["key"] for e in expected["entries"]])
            assert [fields(found[e["key"]].entry, e) for e in expected["entries"]] == expected["entries"]
            made.forget()
            again = visit(one, window)
            assert (again.outcome, again.counts.seen, len(made.asked)) == (Outcome.OK, 0, 4)


def test_a_volume_is_complete_when_its_papers_and_abstracts_are_held(one: Instance, upstream: Site) -> None:
    run = visit(one)
    assert (run.outcome, part(run).announced, part(run).held, run.counts.new) == (Outcome.OK, 3, 3, 3)
    assert held(one)[key(2)].abstract == "What paper 2 says."
    assert held(one)[key(2)].detail is Detail.FULL
    upstream.forget()
    again = visit(one)
    assert (again.outcome, part(again).held, again.counts.seen) == (Outcome.OK, 3, 0)
    assert upstream.asked == [BOOKS, f"{BOOKS}/2018"]


def test_a_year_without_a_book_is_empty_and_not_asked_for(one: Instance, upstream: Site) -> None:
    run = visit(one, None)
    assert [(p.name, p.outcome, p.announced, p.error) for p in run.parts] == [
        ("neurips-2026", Outcome.EMPTY, 0, ""),
        ("neurips-2025", Outcome.EMPTY, 0, ""),
    ]
    assert upstream.asked == [BOOKS]


def test_without_a_list_of_books_each_year_is_asked_for(one: Instance, upstream: Site) -> None:
    upstream.put(BOOKS, "<html><body><h1>Just a moment</h1></body></html>")
    run = visit(one, Window(date(2017, 1, 1), date(2018, 12, 31)))
    assert [(p.name, p.outcome) for p in run.parts] == [("neurips-2018", Outcome.OK), ("neurips-2017", Outcome.EMPTY)]


def test_a_book_whose_index_is_not_there_has_failed(one: Instance, upstream: Site) -> None:
    del upstream.pages[f"{BOOKS}/2018"]
    run = visit(one)
    assert (run.outcome, part(run).error) == (Outcome.FAILED, "proceedings.neurips.cc: the host answered 404")


def test_a_volume_that_disappears_is_stale(one: Instance, upstream: Site) -> None:
    visit(one)
    upstream.put(BOOKS, document("<h4>Books</h4>"))
    run = visit(one)
    assert (run.outcome, part(run).held) == (Outcome.STALE, 3)
    assert "3 papers of it are held" in run.error
    assert len(held(one)) == 3


def test_a_papers_page_that_fails_costs_its_abstract_only_and_is_asked_for_again(one: Instance, upstream: Site) -> None:
    upstream.put(page_of(2), "<html><body><h1>Just a moment</h1></body></html>")
    run = visit(one)
    assert run.outcome is Outcome.PARTIAL
    assert part(run).error == "1 of 3 abstracts could not be fetched; the page is not that of a paper"
    assert (part(run).held, held(one)[key(2)].abstract, held(one)[key(3)].abstract) == (3, "", "What paper 3 says.")
    upstream.put(page_of(2), paper(2))
    upstream.forget()
    again = visit(one)
    assert (again.outcome, again.counts.new, again.counts.seen) == (Outcome.OK, 0, 0)
    assert upstream.asked == [BOOKS, f"{BOOKS}/2018", page_of(2)]
    assert held(one)[key(2)].abstract == "What paper 2 says."


def test_metadata_stand_in_for_a_page_without_abstract(one: Instance, upstream: Site) -> None:
    upstream.put(page_of(2), paper(2, "Abstract Missing"))
    upstream.put(f"{BOOKS}/2018/file/{key(2)}-Metadata.json", '{"title": "Paper 2", "abstract": "Found here."}')
    upstream.put(page_of(3), paper(3, ""))
    assert visit(one).outcome is Outcome.OK
    assert (held(one)[key(2)].abstract, held(one)[key(3)].abstract) == ("Found here.", "")


SPOILT = {
    "another title": '{"title": "x Paper 2", "abstract": "x Found here."}',
    "no abstract": '{"title": "Paper 2"}',
    "a page": "<html></html>",
}


@pytest.mark.parametrize("said", SPOILT.values(), ids=SPOILT)
def test_metadata_that_are_spoilt_stand_in_for_nothing(one: Instance, upstream: Site, said: str) -> None:
    upstream.put(page_of(2), "<html><body><h1>Just a moment</h1></body></html>")
    upstream.put(f"{BOOKS}/2018/file/{key(2)}-Metadata.json", said)
    assert (visit(one).outcome, held(one)[key(2)].abstract) == (Outcome.PARTIAL, "")
    upstream.put(page_of(2), paper(2))
    assert (visit(one).outcome, held(one)[key(2)].abstract) == (Outcome.OK, "What paper 2 says.")


def test_a_damaged_page_is_asked_for_again(one: Instance, upstream: Site) -> None:
    upstream.put(page_of(1), paper(1)[:-20], paper(1).replace("</h4>", " & <b < </h4>"), paper(1))
    assert visit(one).outcome is Outcome.OK
    assert held(one)[key(1)].abstract == "What paper 1 says."


def test_a_page_that_is_odd_each_time_is_the_hosts_own(one: Instance, upstream: Site) -> None:
    upstream.put(page_of(1), paper(1, "If a <b <c, then <b>d</b>."))
    run = visit(one)
    assert run.outcome is Outcome.OK
    assert upstream.asked.count(page_of(1)) == 3
    assert held(one)[key(1)].abstract.startswith("If a")


def test_words_of_a_damaged_index_replace_none_that_are_held(one: Instance, upstream: Site) -> None:
    visit(one)
    upstream.put(f"{BOOKS}/2018", index(row(1, "Pap <b < er 1"), row(2), row(3), row(4)))
    upstream.put(page_of(4), paper(4))
    run = visit(one)
    assert (run.outcome, part(run).announced, part(run).held, run.counts.new) == (Outcome.PARTIAL, 4, 4, 1)
    assert part(run).error == "the markup is broken at line 1"
    assert held(one)[key(1)].title == "Paper 1"
    upstream.put(f"{BOOKS}/2018", index(row(1), row(2), row(3), row(4)))
    assert (visit(one).outcome, len(held(one))) == (Outcome.OK, 4)


def test_a_damaged_index_is_not_believed_however_often_it_comes(one: Instance, upstream: Site) -> None:
    visit(one)
    upstream.put(f"{BOOKS}/2018", index(row(1), row(2), row(3))[:300])
    runs = [visit(one) for _ in range(3)]
    assert {(r.outcome, r.error) for r in runs} == {(Outcome.PARTIAL, "neurips-2018: the page is cut off")}
    assert len(held(one)) == 3


def test_a_papers_page_that_is_cut_off_each_time_is_not_believed(one: Instance, upstream: Site) -> None:
    upstream.put(page_of(1), paper(1).partition("</p>")[0])
    assert (visit(one).outcome, held(one)[key(1)].abstract) == (Outcome.PARTIAL, "")
    upstream.put(page_of(1), paper(1))
    assert (visit(one).outcome, held(one)[key(1)].abstract) == (Outcome.OK, "What paper 1 says.")


def test_a_title_that_is_corrected_is_corrected_here(one: Instance, upstream: Site) -> None:
    visit(one)
    upstream.put(f"{BOOKS}/2018", index(row(1, "A better title"), row(2), row(3)))
    run = visit(one)
    assert (run.outcome, run.counts.revised, run.counts.unchanged) == (Outcome.OK, 1, 2)
    assert (held(one)[key(1)].title, held(one)[key(1)].abstract) == ("A better title", "What paper 1 says.")


def test_an_index_that_got_shorter_is_stale(one: Instance, upstream: Site) -> None:
    upstream.put(f"{BOOKS}/2018", index(*(row(n) for n in range(1, 4))), index(row(1), row(2)))
    visit(one)
    for _ in range(2):
        run = visit(one)
        assert (run.outcome, part(run).error) == (Outcome.STALE, "1 of 3 papers that are held are not listed any more")
    assert len(held(one)) == 3


def test_a_paper_that_two_visits_miss_is_withdrawn(one: Instance, upstream: Site) -> None:
    many = [row(n) for n in range(1, 31)]
    for number in range(4, 31):
        upstream.put(page_of(number), paper(number))
    upstream.put(f"{BOOKS}/2018", index(*many), index(*many[1:]))
    visit(one)
    first, second, third = visit(one), visit(one), visit(one)
    assert [first.outcome, second.outcome, third.outcome] == [Outcome.STALE, Outcome.OK, Outcome.OK]
    assert key(1) not in held(one)
    assert (part(third).announced, part(third).held, third.counts.seen) == (29, 29, 0)


def test_a_row_that_is_lost_each_time_stays_named(one: Instance, upstream: Site) -> None:
    upstream.put(f"{BOOKS}/2018", index(row(1), row(2), row(3), "<li>No link</li>"))
    runs = [visit(one) for _ in range(3)]
    assert [r.outcome for r in runs] == [Outcome.PARTIAL] * 3
    assert {(part(r).announced, part(r).held, part(r).error) for r in runs} == {(4, 3, "entries were lost: 1 no-link")}
    assert runs[2].counts.seen == 0


def test_an_index_in_parts_is_not_whole_without_one_of_them(one: Instance, upstream: Site) -> None:
    upstream.put(f"{BOOKS}/2018", index(row(1), '<a href="/paper_files/paper/2018/vol31-main">Main</a>'))
    run = visit(one)
    assert (run.outcome, part(run).error) == (Outcome.PARTIAL, "Main: proceedings.neurips.cc: the host answered 404")
    upstream.put(f"{BOOKS}/2018/vol31-main", index(row(2), row(3)))
    assert (visit(one).outcome, len(held(one))) == (Outcome.OK, 3)


def test_a_visit_that_may_ask_for_no_more_pages_goes_on_soon(
    one: Instance, upstream: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(neurips, "Allowance", lambda: Allowance(2))
    run = visit(one)
    assert (run.outcome, part(run).error) == (Outcome.PARTIAL, f"1 of 3 {UNFINISHED}")
    now = datetime(2026, 6, 1, 12, tzinfo=UTC)
    assert Neurips().next_due(now, run, History(5, now)) <= now + timedelta(hours=1)
    upstream.forget()
    assert visit(one).outcome is Outcome.OK
    assert upstream.asked[2:] == [page_of(3)]


def test_a_host_that_fails_in_a_row_is_left_alone(one: Instance, upstream: Site) -> None:
    upstream.put(f"{BOOKS}/2018", index(*(row(n) for n in range(1, 41))))
    for number in (1, 2, 3):
        del upstream.pages[page_of(number)]
    run = visit(one)
    assert part(run).error == "40 of 40 abstracts could not be fetched; proceedings.neurips.cc: the host answered 404"
    assert sum("-Abstract" in path for path in upstream.asked) == 20


def test_an_estimate_is_never_in_the_future(migrated_url: str, upstream: Site) -> None:
    with instance(migrated_url, upstream.url, date(2018, 11, 20)) as early:
        assert visit(early).outcome is Outcome.OK
        assert {e.announced for e in held(early).values()} == {date(2018, 11, 20)}


def test_an_ordinary_day_is_the_next_one() -> None:
    now = datetime(2026, 6, 1, 12, tzinfo=UTC)
    run = Run("neurips", now, outcome=Outcome.OK)
    assert timedelta(hours=12) < Neurips().next_due(now, run, History(0, now)) - now < timedelta(hours=36)
