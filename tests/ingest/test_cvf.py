from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest

from catalog.entries import Basis, Detail, EntryData
from catalog.errors import ParseError
from catalog.outcomes import Outcome, Part, Run
from catalog.storage import entries
from ingest.formats.cvf import Collection, parse_days, parse_list, parse_menu, parse_paper, parse_workshops
from ingest.formats.paper_list import Link, PaperList
from ingest.source import Window
from ingest.sources.cvf import Cvf
from tests.ingest.site import Site, site
from tests.instance import Instance, instance

SAMPLES = Path(__file__).resolve().parents[1] / "data" / "cvf"
TODAY = date(2026, 6, 1)
HOST = "openaccess.thecvf.com"
MAIN = Collection("CVPR2026", "CVPR", 2026, "", "CVPR 2026 (Published: May 23, 2026)", date(2026, 5, 23))
WORKSHOPS = Collection("CVPR2026_workshops", "CVPR", 2026, "workshops", "", None)


def document(inner: str) -> str:
    return f"<!DOCTYPE html><html><body><div id='content'><dl>{inner}</dl></div></body></html>"


def stem(number: int) -> str:
    return f"Example_Paper_{number}_CVPR_2026_paper"


def paper(
    number: int, title: str = "", authors: tuple[str, ...] = ("Ada Example",), links: str = "", month: str = "June"
) -> str:
    """A paper in the wire form; the title stands as it is in the HTML."""
    fields = "".join(f'<form><input type="hidden" name="query_author" value="{a}"><a href="#">{a}</a></form>' for a in authors)
    record = f'<div class="bibref pre-white-space">@InProceedings{{X, month = {{{month}}}, year = {{2026}}}}</div>'
    link = f'<a href="/content/CVPR2026/html/{stem(number)}.html">{title or f"Paper {number}"}</a>'
    return f'<dt class="ptitle"><br>{link}</dt><dd>{fields}</dd><dd>{links}{record}</dd>\n'


def on_arxiv(number: str) -> str:
    return f'[<a href="http://arxiv.org/abs/{number}">arXiv</a>]'


def page(number: int) -> str:
    return document(f"<dd><div id='papertitle'>Paper {number}</div><div id='abstract'>\nWhat paper {number} shows.</div></dd>")


def parse(inner: str, collection: Collection = MAIN, workshop: str = "") -> PaperList:
    return parse_list(document(inner).encode(), collection, "cvf", TODAY, workshop)


def titles(papers: PaperList) -> list[str]:
    return [e.title for e in papers.entries]


# ------------------------------------------------------------------ the menu
def test_the_menu_dates_each_collection() -> None:
    menu = parse_menu(
        document(
            '<dd>CVPR 2026 [<a href="/CVPR2026?day=all">Main</a>] (Published: May 23, 2026) '
            '[<a href="CVPR2026_findings">Findings</a>] (Published: Jun 1, 2026) '
            '[<a href="/CVPR2026_workshops/menu">W</a>]</dd>'
            '<dd><a href="/ECCV2018.py">ECCV</a> (Published: soon)</dd><dd><a href="https://www.thecvf.com/CVPR2020">x</a></dd>'
        ).encode()
    )
    assert [(c.name, c.venue, c.year, c.kind, c.published) for c in menu.collections] == [
        ("CVPR2026", "CVPR", 2026, "", date(2026, 5, 23)),
        ("CVPR2026_findings", "CVPR", 2026, "findings", date(2026, 6, 1)),
        ("CVPR2026_workshops", "CVPR", 2026, "workshops", None),
        ("ECCV2018", "ECCV", 2018, "", None),
    ]
    assert not menu.damage


def test_what_the_menu_says_of_a_collection_changes_with_its_date_only() -> None:
    menu = '<dd><a href="/CVPR2026">CVPR</a> (Published: May 23, 2026)</dd><dd><a href="/WACV2026">WACV</a> ({})</dd>'
    before = parse_menu(document(menu.format("Published: March 1, 2026")).encode()).collections
    after = parse_menu(document(menu.format("Published: March 2, 2026")).encode()).collections
    assert [a.text == b.text for a, b in zip(before, after, strict=True)] == [True, False]


def test_a_conference_that_no_venue_is_known_for_keeps_its_letters() -> None:
    assert parse_menu(document('<dd><a href="/XYZW2026">New</a></dd>').encode()).collections[0].venue == "XYZW"


NO_PAGE = {
    "nothing": b"",
    "an error page": b"<html><head><title>Just a moment...</title></head><body><h1>Difficulties</h1></body></html>",
    "json": b'{"error": "format"}',
    "bytes": bytes(range(256)),
}


@pytest.mark.parametrize("body", NO_PAGE.values(), ids=NO_PAGE)
def test_what_is_no_page_of_the_site_is_refused(body: bytes) -> None:
    with pytest.raises(ParseError):
        parse_menu(body)
    with pytest.raises(ParseError):
        parse_list(body, MAIN, "cvf", TODAY)
    with pytest.raises(ParseError):
        parse_workshops(body, WORKSHOPS)
    with pytest.raises(ParseError):
        parse_paper(body)


# ------------------------------------------------------------------ lists
def test_a_list_is_read_as_it_is_meant() -> None:
    authors = ("Ada Example", "Zo&euml; Muster")
    papers = parse(paper(1, "Seeing &amp;\n<i>Hearing</i>", authors) + paper(2, links=on_arxiv("2604.01234v3")))
    first, second = papers.entries
    assert (first.title, first.authors) == ("Seeing & Hearing", ("Ada Example", "Zoë Muster"))
    assert (first.key, first.identifiers) == (f"CVPR2026/{stem(1)}", (("cvf", f"CVPR2026/{stem(1)}"),))
    assert first.url == f"https://{HOST}/content/CVPR2026/html/{stem(1)}.html"
    assert (first.venue, first.year, first.track) == ("CVPR", 2026, "")
    assert (first.announced, first.basis) == (date(2026, 5, 23), Basis.STATED)
    assert second.identifiers == (("arxiv", "2604.01234"), ("cvf", f"CVPR2026/{stem(2)}"))
    assert (first.detail, second.detail) == (Detail.BRIEF, Detail.FULL)
    assert (papers.announced, papers.loss) == (2, 0)


FOLDERS = {
    "old": "/content_CVPR_2019/html/{}.html",
    "oldest, relative": "content_cvpr_2013/html/{}.html",
    "of a workshop": "/content/CVPR2026W/NIGHT/html/{}.html",
    "of an old workshop": "/content_CVPRW_2019/html/NIGHT/{}.html",
    "absolute": f"https://{HOST}/content/CVPR2026/html/{{}}.html",
}


@pytest.mark.parametrize("folder", FOLDERS.values(), ids=FOLDERS)
def test_the_collection_comes_from_the_list_whatever_the_folder(folder: str) -> None:
    listed = paper(1).replace(f"/content/CVPR2026/html/{stem(1)}.html", folder.format(stem(1)))
    assert parse(listed).entries[0].key == f"CVPR2026/{stem(1)}"


def test_a_paper_that_cannot_be_read_is_counted_and_costs_no_other() -> None:
    lost = '<dt class="ptitle">No link</dt><dd></dd>' + paper(2, "<br>") + '<dt class="ptitle"><a href="/menu">Menu</a></dt>'
    papers = parse(paper(1) + lost + paper(3))
    assert titles(papers) == ["Paper 1", "Paper 3"]
    assert (papers.rejected, papers.announced) == (Counter({"no-link": 2, "no-title": 1}), 5)


def test_missing_details_lose_no_paper() -> None:
    papers = parse(f'<dt class="ptitle"><a href="/content/CVPR2026/html/{stem(1)}.html">Bare</a></dt>' + paper(2))
    assert (titles(papers), papers.entries[0].authors, papers.entries[1].authors) == (["Bare", "Paper 2"], (), ("Ada Example",))


LINKS = {
    "another site": '[<a href="https://example.org/abs/2604.01234">arXiv</a>]',
    "two papers": on_arxiv("2604.01234") + on_arxiv("2604.04321"),
    "no id": on_arxiv("not-an-id"),
}


@pytest.mark.parametrize("links", LINKS.values(), ids=LINKS)
def test_only_a_link_to_one_arxiv_paper_names_the_work(links: str) -> None:
    assert [scheme for scheme, _ in parse(paper(1, links=links)).entries[0].identifiers] == ["cvf"]


def test_the_same_arxiv_paper_linked_twice_is_one() -> None:
    found = parse(paper(1, links=on_arxiv("2604.01234") + on_arxiv("2604.01234v2"))).entries[0]
    assert ("arxiv", "2604.01234") in found.identifiers


MONTHS = {
    "May": (date(2026, 5, 1), Basis.ESTIMATED),
    "June": (date(2026, 6, 1), Basis.ESTIMATED),
    "October": (None, Basis.HELD),
    "": (None, Basis.HELD),
}


@pytest.mark.parametrize("month", MONTHS)
def test_without_a_date_in_the_menu_the_month_of_the_meeting_is_an_estimate(month: str) -> None:
    found = parse(paper(1, month=month), WORKSHOPS, "Night").entries[0]
    assert (found.announced, found.basis) == MONTHS[month]


def test_a_workshop_is_a_track() -> None:
    found = parse(paper(1), WORKSHOPS, "Cameras at Night").entries[0]
    assert (found.track, found.key) == ("workshop: Cameras at Night", f"CVPR2026_workshops/{stem(1)}")


def test_a_list_without_papers_is_one() -> None:
    assert parse("").announced == 0


DAMAGE = {
    "the end is missing": document(paper(1) + paper(2))[:-30],
    "a stray tag": document(paper(1) + paper(2).replace("</a></dt>", " & <b < </a></dt>")),
}


@pytest.mark.parametrize("body", DAMAGE.values(), ids=DAMAGE)
def test_a_damaged_list_is_told_from_a_sound_one(body: str) -> None:
    papers = parse_list(body.encode(), MAIN, "cvf", TODAY)
    assert titles(papers)[0] == "Paper 1"
    assert papers.loss == 1


def test_the_days_of_a_conference_are_its_own() -> None:
    links = '<dd><a href="/CVPR2026?day=2026-06-05">1</a></dd><dd><a href="CVPR2026.py?day=2026-06-06">2</a></dd>'
    other = '<dd><a href="/CVPR2026?day=all">All</a></dd><dd><a href="/CVPR2025?day=2025-06-05">No</a></dd>'
    found = parse_days(document(links + other).encode(), MAIN)
    assert found == (Link("/CVPR2026?day=2026-06-05", "2026-06-05"), Link("/CVPR2026.py?day=2026-06-06", "2026-06-06"))


def test_workshops_are_named_by_their_links() -> None:
    links = '<dd><a href="/CVPR2026_workshops/A%20&amp;%20B">Art &amp; Bats</a></dd><dd><a href="CV4X.py">X</a></dd>'
    other = '<dd><a href="/CVPR2026_workshops/menu">Menu</a></dd><dd><a href="/CVPR2025_workshops/OLD">Old</a></dd>'
    found, damage = parse_workshops(document(links + other).encode(), WORKSHOPS)
    assert found == (Link("/CVPR2026_workshops/A%20&%20B", "Art & Bats"), Link("/CVPR2026_workshops/CV4X.py", "X"))
    assert not damage


def test_an_abstract_is_text() -> None:
    said = document('<div id="abstract">\nIf $a &lt; b$,\n<i>all</i> is well.</div>')
    assert parse_paper(said.encode()).abstract == "If a < b, all is well."
    assert parse_paper(document('<div id="papertitle">T</div>').encode()).abstract == ""


# ------------------------------------------------------------------ visits
MENU = '<dd><a href="/CVPR2026?day=all">CVPR 2026</a> {}</dd><dd><a href="/CVPR2019">CVPR 2019</a></dd>'
DATED = MENU.format("(Published: May 23, 2026)")


@pytest.fixture
def upstream() -> Iterator[Site]:
    """A site with a conference of three papers, one of them on arXiv."""
    with site() as made:
        made.put(f"{HOST}/menu", document(DATED))
        made.put(f"{HOST}/CVPR2026?day=all", document(paper(1) + paper(2, links=on_arxiv("2604.01234")) + paper(3)))
        for number in (1, 3):
            made.put(page_of(number), page(number))
        yield made


@pytest.fixture
def one(migrated_url: str, upstream: Site) -> Iterator[Instance]:
    """An instance whose CVF Open Access is the site."""
    with instance(migrated_url, upstream.url, TODAY) as made:
        yield made


def page_of(number: int) -> str:
    return f"{HOST}/content/CVPR2026/html/{stem(number)}.html"


def visit(one: Instance, window: Window | None = None) -> Run:
    return one.visit(Cvf(), window)


def part(run: Run, name: str = "CVPR2026") -> Part:
    return next(p for p in run.parts if p.name == name)


def held(one: Instance, prefix: str = "CVPR2026/") -> dict[str, EntryData]:
    """The entries of a collection by their stems."""
    with one.storage.read() as db:
        keys = entries.standing(db, "cvf", prefix)
        return {k.partition("/")[2]: kept.entry for k, kept in entries.kept(db, "cvf", keys).items()}


def test_every_collection_of_two_years_is_read(migrated_url: str) -> None:
    expected = json.loads((SAMPLES / "expected" / "cvf.json").read_text(encoding="utf-8"))
    with site() as made:
        made.load(SAMPLES)
        with instance(migrated_url, made.url, TODAY) as one:
            run = visit(one)
            assert run.outcome == expected["outcome"]
            for name, said in expected["parts"].items():
                assert {k: part(run, name).as_dict()[k] for k in said} == said
            with one.storage.read() as db:
                found = entries.kept(db, "cvf", [e["key"] for e in expected["entries"]])
            for said in expected["entries"]:
                entry = found[said["key"]].entry
                assert {k: json.loads(json.dumps(getattr(entry, k), default=str)) for k in said} == said
            assert not [path for path in made.asked if "CVPR2013" in path]
            made.forget()
            again = visit(one)
            assert (again.outcome, again.counts.seen) == (Outcome.OK, 0)
            # The menu gives no date for workshops, so that they are looked through again.
            assert [path.partition("/")[2] for path in made.asked] == [
                "menu",
                "CVPR2026_workshops/menu",
                "CVPR2026_workshops/KITCHEN",
                "CVPR2026_workshops/NIGHT",
                "ICCV2025_workshops/menu",
            ]


def test_abstracts_are_fetched_for_papers_that_arxiv_does_not_have(one: Instance, upstream: Site) -> None:
    run = visit(one)
    assert (run.outcome, part(run).announced, part(run).held) == (Outcome.OK, 3, 3)
    assert [held(one)[stem(n)].abstract for n in (1, 2, 3)] == ["What paper 1 shows.", "", "What paper 3 shows."]
    assert page_of(2) not in upstream.asked


def test_an_unchanged_menu_is_all_that_is_asked_for(one: Instance, upstream: Site) -> None:
    visit(one)
    upstream.forget()
    run = visit(one)
    assert (run.outcome, part(run).announced, part(run).held, run.counts.seen) == (Outcome.OK, 3, 3, 0)
    assert upstream.asked == [f"{HOST}/menu"]


def test_a_new_date_in_the_menu_brings_new_papers(one: Instance, upstream: Site) -> None:
    visit(one)
    upstream.put(f"{HOST}/menu", document(MENU.format("(Published: May 30, 2026)")))
    upstream.put(f"{HOST}/CVPR2026?day=all", document("".join(paper(n) for n in range(1, 5))))
    upstream.put(page_of(4), page(4))
    run = visit(one)
    assert (run.outcome, part(run).held, run.counts.new) == (Outcome.OK, 4, 1)
    assert held(one)[stem(4)].announced == date(2026, 5, 30)
    assert held(one)[stem(1)].announced == date(2026, 5, 23)


def test_a_page_is_not_asked_for_any_more_once_arxiv_has_the_paper(one: Instance, upstream: Site) -> None:
    del upstream.pages[page_of(1)]
    assert visit(one).outcome is Outcome.PARTIAL
    upstream.put(f"{HOST}/CVPR2026?day=all", document("".join(paper(n, links=on_arxiv(f"2604.0000{n}")) for n in (1, 2, 3))))
    upstream.forget()
    assert visit(one).outcome is Outcome.OK
    assert upstream.asked == [f"{HOST}/menu", f"{HOST}/CVPR2026?day=all"]
    assert ("arxiv", "2604.00001") in held(one)[stem(1)].identifiers


def test_a_date_that_was_missing_is_taken_when_it_comes(one: Instance, upstream: Site) -> None:
    upstream.put(f"{HOST}/menu", document(MENU.format("")))
    visit(one)
    assert held(one)[stem(1)].basis is Basis.ESTIMATED
    upstream.put(f"{HOST}/menu", document(DATED))
    assert visit(one).outcome is Outcome.OK
    assert (held(one)[stem(1)].announced, held(one)[stem(1)].basis) == (date(2026, 5, 23), Basis.STATED)


def test_without_a_date_in_the_menu_the_list_is_compared(one: Instance, upstream: Site) -> None:
    upstream.put(f"{HOST}/menu", document(MENU.format("")))
    visit(one)
    upstream.forget()
    run = visit(one)
    assert (run.outcome, run.counts.seen) == (Outcome.OK, 0)
    assert upstream.asked == [f"{HOST}/menu", f"{HOST}/CVPR2026?day=all"]


def test_a_list_that_is_not_there_yet_is_empty(one: Instance, upstream: Site) -> None:
    del upstream.pages[f"{HOST}/CVPR2026?day=all"]
    run = visit(one)
    assert (part(run).outcome, part(run).announced, part(run).error) == (Outcome.EMPTY, 0, "")
    upstream.put(f"{HOST}/CVPR2026?day=all", document(paper(1)))
    assert part(visit(one)).held == 1


def test_days_are_put_together(one: Instance, upstream: Site) -> None:
    upstream.put(f"{HOST}/CVPR2026?day=all", document("<dd>Choose a day</dd>"))
    upstream.put(f"{HOST}/CVPR2026.py", document('<dd><a href="?day=2026-06-05">1</a></dd>'))
    links = "".join(f'<dd><a href="/CVPR2026?day=2026-06-0{d}">Day</a></dd>' for d in (5, 6))
    upstream.put(f"{HOST}/CVPR2026.py", document(links))
    upstream.put(f"{HOST}/CVPR2026?day=2026-06-05", document(paper(1) + paper(2, links=on_arxiv("2604.01234"))))
    run = visit(one)
    assert run.outcome is Outcome.PARTIAL
    assert part(run).error == "2026-06-06: openaccess.thecvf.com: the host answered 404"
    upstream.put(f"{HOST}/CVPR2026?day=2026-06-06", document(paper(3) + paper(1)))
    run = visit(one)
    assert (run.outcome, part(run).announced, part(run).held) == (Outcome.OK, 3, 3)


def test_a_conference_page_that_lists_its_papers_is_a_list(one: Instance, upstream: Site) -> None:
    upstream.put(f"{HOST}/CVPR2026?day=all", document("<dd></dd>"))
    upstream.put(f"{HOST}/CVPR2026", document(paper(1)))
    assert part(visit(one)).held == 1


def test_a_window_is_of_editions(one: Instance, upstream: Site) -> None:
    upstream.put(f"{HOST}/CVPR2019?day=all", document(paper(1, links=on_arxiv("1904.01234"))))
    run = visit(one, Window(date(2018, 1, 1), date(2019, 12, 31)))
    assert [p.name for p in run.parts] == ["menu", "CVPR2019"]
    assert held(one, "CVPR2019/")[stem(1)].year == 2019


def test_years_without_a_collection_are_empty(one: Instance) -> None:
    run = visit(one, Window(date(2020, 1, 1), date(2021, 12, 31)))
    assert (run.outcome, [p.name for p in run.parts]) == (Outcome.EMPTY, ["menu"])


def test_a_menu_that_is_no_menu_has_failed(one: Instance, upstream: Site) -> None:
    upstream.put(f"{HOST}/menu", "<html><body><h1>Just a moment</h1></body></html>")
    run = visit(one)
    assert (run.outcome, run.error) == (Outcome.FAILED, "menu: the page lists no conferences")
    assert upstream.asked == [f"{HOST}/menu"] * 3


def test_a_menu_that_got_shorter_is_stale_until_it_stays_so(one: Instance, upstream: Site) -> None:
    visit(one)
    upstream.put(f"{HOST}/menu", document(DATED.partition("</dd>")[0] + "</dd>"))
    first, second = visit(one), visit(one)
    assert (first.outcome, first.error) == (Outcome.STALE, "menu: the menu does not list CVPR2019 any more")
    assert (second.outcome, second.error) == (Outcome.OK, "")


def test_a_damaged_list_is_asked_for_again(one: Instance, upstream: Site) -> None:
    whole = document(paper(1) + paper(2, links=on_arxiv("2604.01234")) + paper(3))
    upstream.put(f"{HOST}/CVPR2026?day=all", whole[: len(whole) // 2], whole)
    run = visit(one)
    assert (run.outcome, part(run).held) == (Outcome.OK, 3)


def test_a_list_that_stays_damaged_is_partial_and_read_again(one: Instance, upstream: Site) -> None:
    whole = document(paper(1) + paper(2, links=on_arxiv("2604.01234")) + paper(3))
    upstream.put(f"{HOST}/CVPR2026?day=all", whole[: whole.index(stem(3)) - 60])
    run = visit(one)
    assert (part(run).outcome, part(run).held, part(run).error) == (Outcome.PARTIAL, 2, "the page is cut off")
    upstream.put(f"{HOST}/CVPR2026?day=all", whole)
    assert (part(visit(one)).outcome, len(held(one))) == (Outcome.OK, 3)


def test_a_workshop_whose_list_is_missing_is_named(one: Instance, upstream: Site) -> None:
    upstream.put(f"{HOST}/menu", document(DATED + '<dd><a href="/CVPR2026_workshops/menu">Workshops</a></dd>'))
    upstream.put(f"{HOST}/CVPR2026_workshops/menu", document('<dd><a href="/CVPR2026_workshops/NIGHT">Night</a></dd>'))
    run = visit(one)
    assert part(run, "CVPR2026_workshops").outcome is Outcome.PARTIAL
    assert part(run, "CVPR2026_workshops").error == "Night: openaccess.thecvf.com: the host answered 404"
    assert part(run).outcome is Outcome.OK
