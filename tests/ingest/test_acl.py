"""The ACL Anthology: its XML as bytes, and visits to a static host."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta

import pytest

from catalog.entries import Basis, EntryData
from catalog.errors import ParseError
from catalog.outcomes import Outcome, Part, Run
from catalog.storage import entries
from ingest.formats.acl import parse_collection
from ingest.source import Window
from ingest.sources.acl import FOLLOWED, Acl, collections
from tests.dumps import dump
from tests.ingest.static_files import StaticFiles
from tests.instance import Instance, instance

TODAY = date(2026, 6, 1)
XML = "raw.githubusercontent.com/acl-org/acl-anthology/master/data/xml/{}.xml"


def paper(number: int, collection: str = "2026.acl", volume: str = "long", inside: str = "", attributes: str = "") -> str:
    """A paper."""
    return (
        f'<paper id="{number}"{attributes}><title>Paper {number}</title><author><first>Ada</first><last>Example</last></author>'
        f'<url hash="00000000">{collection}-{volume}.{number}</url>{inside}</paper>'
    )


def collected(
    *papers: str, name: str = "2026.acl", volume: str = "long", head: str = ' ingest-date="2026-05-20"', meta: str = ""
) -> str:
    """A volume in its collection."""
    return f'<collection id="{name}"><volume id="{volume}"{head}><meta>{meta}</meta>{"".join(papers)}</volume></collection>'


def read(text: str) -> list[EntryData]:
    """The entries of a collection, which must be sound."""
    found = parse_collection(f"<?xml version='1.0' encoding='UTF-8'?>\n{text}".encode(), TODAY)
    assert not found.loss
    return list(found.entries)


# ------------------------------------------------------------------ papers
def test_markup_becomes_text_and_mathematics_stays_between_dollars() -> None:
    inside = "<abstract>We <b>win</b> by <tex-math>x^2</tex-math> &amp; <url>https://example.org</url>.</abstract>"
    text = collected(paper(1, inside=inside)).replace(
        "Paper 1", "<fixed-case>B</fixed-case>ert &lt; <i>E<fixed-case>LM</fixed-case>o</i>"
    )
    (entry,) = read(text)
    assert (entry.title, entry.abstract) == ("Bert < ELMo", "We win by x² & https://example.org.")


def test_editors_and_other_spellings_are_no_authors() -> None:
    inside = "<author><last>Solo</last></author><editor><first>E</first><last>Ditor</last></editor>"
    inside += (
        '<author><first>Wei</first><last>Li</last><variant script="hani"><first>伟</first><last>李</last></variant></author>'
    )
    assert read(collected(paper(1, inside=inside)))[0].authors == ("Ada Example", "Solo", "Wei Li")


def test_front_and_back_matter_are_no_papers() -> None:
    matter = '<frontmatter><url>2026.acl-long.0</url></frontmatter><paper id="9" type="backmatter"><title>Index</title></paper>'
    assert [e.key for e in read(collected(matter, paper(1)))] == ["2026.acl-long.1"]


@pytest.mark.parametrize("word", ["retracted", "removed"])
def test_a_paper_taken_back_is_withdrawn_and_says_why(word: str) -> None:
    (entry,) = read(collected(paper(1, inside=f'<{word} date="2026-05-22">Wrong data.</{word}>')))
    assert (entry.withdrawn, entry.comment) == (True, f"{word.capitalize()}: Wrong data.")


def test_awards_and_dois_are_kept() -> None:
    (entry,) = read(
        collected(paper(1, inside="<award>Best Paper</award><award>Best Demo</award><doi>10.18653/V1/2026.acl-long.1</doi>"))
    )
    assert entry.award == "Best Paper; Best Demo"
    assert entry.identifiers == (("acl", "2026.acl-long.1"), ("doi", "10.18653/v1/2026.acl-long.1"))


def test_the_key_is_put_together_where_there_is_no_address() -> None:
    text = collected('<paper id="7"><title>A</title></paper><paper id="x"><title>B</title></paper>')
    found = parse_collection(text.encode(), TODAY)
    assert [e.key for e in found.entries] == ["2026.acl-long.7"]
    assert dict(found.rejected) == {"no-key": 1}


def test_an_address_of_another_collection_is_not_believed() -> None:
    (entry,) = read(collected(paper(3, collection="2020.emnlp")))
    assert (entry.key, entry.url) == ("2026.acl-long.3", "https://aclanthology.org/2026.acl-long.3/")


def test_until_2019_the_address_tells_the_key() -> None:
    papers = '<paper id="1"><title>A</title><url>P19-1001</url></paper><paper id="2"><title>B</title></paper>'
    found = parse_collection(collected(papers, name="P19", volume="1").encode(), TODAY)
    assert [(e.key, e.venue, e.year) for e in found.entries] == [("P19-1001", "ACL", 2019)]
    assert dict(found.rejected) == {"no-key": 1}


@pytest.mark.parametrize(
    ("name", "volume", "title", "expected"),
    [
        ("2026.acl", "long", "", ("ACL", "")),
        ("2026.acl", "demo", "", ("ACL", "Demonstrations")),
        ("2026.naacl", "srw", "", ("NAACL", "Student Research Workshop")),
        ("2026.emnlp", "industry", "", ("EMNLP", "Industry")),
        ("2026.findings", "naacl", "", ("NAACL", "Findings")),
        ("2026.findings", "ijcnlp", "", ("AACL", "Findings")),
        ("2026.tacl", "1", "", ("TACL", "")),
        ("2026.cl", "2", "", ("Computational Linguistics", "")),
        ("P19", "2", "Proceedings of the ACL: Student Research Workshop", ("ACL", "Student Research Workshop")),
        ("D19", "50", "Proceedings of the Second Workshop on Porridge", ("EMNLP", "workshop: Porridge")),
        ("K18", "2", "Proceedings of the CoNLL 2018 Shared Task", ("CoNLL", "Shared Task")),
        ("2026.acl", "posters", "", ("ACL", "Posters")),
    ],
)
def test_venue_and_track_follow_from_collection_and_volume(
    name: str, volume: str, title: str, expected: tuple[str, str]
) -> None:
    key = f"{name}-1001" if len(name) == 3 else f"{name}-{volume}.1"
    text = collected(
        f'<paper id="1"><title>A</title><url>{key}</url></paper>',
        name=name,
        volume=volume,
        meta=f"<booktitle>{title}</booktitle>",
    )
    (entry,) = read(text)
    assert (entry.venue, entry.track) == expected


@pytest.mark.parametrize(
    ("head", "meta", "day", "basis"),
    [
        (' ingest-date="2026-05-20"', "<year>2026</year><month>July</month>", date(2026, 5, 20), Basis.STATED),
        (' ingest-date="2027-05-20"', "<year>2026</year><month>April</month>", date(2026, 4, 1), Basis.ESTIMATED),
        (' ingest-date="1900-01-01"', "<year>2026</year><month>July</month>", None, Basis.HELD),
        ("", "<year>2025</year><month>November 5-9</month>", date(2025, 11, 1), Basis.ESTIMATED),
        ("", "<year>2025</year>", date(2025, 12, 31), Basis.ESTIMATED),
        ("", "<year>2026</year>", None, Basis.HELD),
        (' ingest-date="yesterday"', "", None, Basis.HELD),
    ],
)
def test_a_paper_is_announced_when_its_volume_came_in(head: str, meta: str, day: date | None, basis: Basis) -> None:
    (entry,) = read(collected(paper(1), head=head, meta=meta))
    assert (entry.announced, entry.basis) == (day, basis)


def test_a_paper_that_came_later_has_its_own_date() -> None:
    (entry,) = read(collected(paper(1, attributes=' ingest-date="2026-05-31"')))
    assert (entry.announced, entry.basis) == (date(2026, 5, 31), Basis.STATED)


def test_a_paper_without_title_costs_itself_only() -> None:
    found = parse_collection(collected(paper(1), '<paper id="2"/>', paper(3), paper(3)).encode(), TODAY)
    assert [e.key for e in found.entries] == ["2026.acl-long.1", "2026.acl-long.3"]
    assert (dict(found.rejected), found.announced) == ({"no-title": 1, "duplicate": 1}, 3)


def test_papers_of_a_broken_collection_stay_in_their_own_volumes() -> None:
    first = f'<volume id="long" ingest-date="2026-05-20"><meta></meta>{paper(1)}{paper(2).replace("</title>", "")}</volume>'
    second = f'<volume id="srw" ingest-date="2026-05-25"><meta></meta>{paper(1, volume="srw")}</volume>'
    found = parse_collection(f'<collection id="2026.acl">{first}{second}</collection>'.encode(), TODAY)
    assert [(e.key, e.announced) for e in found.entries] == [
        ("2026.acl-long.1", date(2026, 5, 20)),
        ("2026.acl-srw.1", date(2026, 5, 25)),
    ]
    assert dict(found.rejected) == {"broken-xml": 1}


def test_a_collection_that_is_cut_off_keeps_its_whole_papers() -> None:
    body = collected(paper(1), paper(2), paper(3)).encode()
    found = parse_collection(body[: body.index(b"Paper 3")], TODAY)
    assert [e.key for e in found.entries] == ["2026.acl-long.1", "2026.acl-long.2"]
    assert found.loss


@pytest.mark.parametrize(
    "body", [b"", b"<html>sorry</html>", b"<rss/>", b'<collection id="../x"/>', b'{"a": 1}', b"404: Not Found"]
)
def test_what_is_no_collection_is_refused(body: bytes) -> None:
    with pytest.raises(ParseError):
        parse_collection(body, TODAY)


def test_titles_full_of_escaped_markup_speak_against_a_file() -> None:
    text = (
        collected(*(paper(n) for n in range(1, 6)))
        .replace("<title>", "<title>&lt;b&gt;")
        .replace("</title>", "&lt;/b&gt;</title>")
    )
    found = parse_collection(text.encode(), TODAY)
    assert (found.loss, found.entries[0].title) == (1, "Paper 1")


# ------------------------------------------------------------------ visits
@pytest.fixture
def host() -> Iterator[StaticFiles]:
    """A host with one collection of two papers."""
    with StaticFiles({XML.format("2026.acl"): collected(paper(1), paper(2)).encode()}) as server:
        yield server


@pytest.fixture
def one(migrated_url: str, host: StaticFiles) -> Iterator[Instance]:
    """An instance with that host."""
    with instance(migrated_url, host.url, TODAY) as made:
        yield made


def part(run: Run, name: str) -> Part:
    """The part of a run by name."""
    return next(p for p in run.parts if p.name == name)


def held(one: Instance) -> set[str]:
    """The keys that are held and not withdrawn."""
    with one.storage.read() as db:
        return entries.standing(db, "acl", "")


def test_collections_of_a_year_have_the_names_of_their_time() -> None:
    assert collections(2026)[0] == "2026.acl"
    assert len(collections(2026)) == len(FOLLOWED)
    assert {"P19", "D19", "Q19"} <= set(collections(2019))


def test_this_and_last_year_are_asked_and_what_is_not_there_is_empty(one: Instance, host: StaticFiles) -> None:
    run = one.visit(Acl())
    assert (run.outcome, run.counts.new) == (Outcome.OK, 2)
    assert {p.name[:4] for p in run.parts} == {"2025", "2026"}
    assert len(host.asked) == 2 * len(FOLLOWED)
    assert part(run, "2025.acl").outcome is Outcome.EMPTY


def test_a_second_visit_asks_conditionally_and_writes_nothing(one: Instance, host: StaticFiles) -> None:
    one.visit(Acl())
    before = dump(one.storage)
    run = one.visit(Acl())
    assert (host.unmodified, run.counts.seen, part(run, "2026.acl").announced) == (1, 0, 2)
    assert dump(one.storage) == before


def test_a_window_asks_for_the_editions_of_its_years(one: Instance) -> None:
    run = one.visit(Acl(), Window(date(2018, 6, 1), date(2020, 1, 1)))
    assert {p.name for p in run.parts} >= {"P18", "P19", "2020.acl"}
    assert run.outcome is Outcome.EMPTY


def test_a_lost_paper_is_counted_and_comes_with_the_next_sound_file(one: Instance, host: StaticFiles) -> None:
    sound = host.files[XML.format("2026.acl")]
    host.files[XML.format("2026.acl")] = sound.replace(b"Paper 2</title>", b"Paper 2")
    run = one.visit(Acl())
    assert (run.outcome, part(run, "2026.acl").announced, part(run, "2026.acl").held) == (Outcome.PARTIAL, 2, 1)
    assert len(host.asked) == 2 * len(FOLLOWED) + 2  # asked for three times in all
    host.files[XML.format("2026.acl")] = sound
    assert one.visit(Acl()).outcome is Outcome.OK
    assert held(one) == {"2026.acl-long.1", "2026.acl-long.2"}


@pytest.mark.parametrize("after", [None, b'<collection id="2026.acl"/>'])
def test_a_collection_that_lost_its_papers_is_stale_and_keeps_them(
    one: Instance, host: StaticFiles, after: bytes | None
) -> None:
    one.visit(Acl())
    host.files.pop(XML.format("2026.acl"))
    if after is not None:
        host.files[XML.format("2026.acl")] = after
    assert part(one.visit(Acl()), "2026.acl").outcome is Outcome.STALE
    assert len(held(one)) == 2


def test_a_retraction_is_news_of_the_paper(one: Instance, host: StaticFiles) -> None:
    one.visit(Acl())
    after = collected(paper(1, inside='<retracted date="2026-06-01">Oh.</retracted>'), paper(2))
    host.files[XML.format("2026.acl")] = after.encode()
    assert one.visit(Acl()).counts.revised == 1
    assert held(one) == {"2026.acl-long.2"}


def test_an_html_page_instead_of_the_file_fails_that_part_only(one: Instance, host: StaticFiles) -> None:
    host.files[XML.format("2026.eacl")] = b"<!DOCTYPE html><p>sorry"
    run = one.visit(Acl())
    assert (run.outcome, part(run, "2026.eacl").outcome, part(run, "2026.acl").held) == (Outcome.PARTIAL, Outcome.FAILED, 2)


def test_a_collection_that_does_not_exist_is_asked_for_once_a_week(one: Instance, host: StaticFiles) -> None:
    run = one.visit(Acl())
    asked: list[str] = []
    for _ in range(6):
        host.asked.clear()
        one.clock.at += timedelta(days=1)
        run = one.visit(Acl())
        assert run.requests > 0  # some each day, so that a host that is gone is noticed
        asked += [path for path in host.asked if path not in host.files]
    assert len(asked) == len(set(asked)) < 2 * len(FOLLOWED)
    assert part(run, "2026.emnlp").outcome is Outcome.EMPTY
    host.asked.clear()
    one.visit(Acl(), Window(one.clock.at.date()))  # asked for by name
    assert XML.format("2026.emnlp") in host.asked
    host.files[XML.format("2026.emnlp")] = host.files[XML.format("2026.acl")].replace(b"2026.acl", b"2026.emnlp")
    one.clock.at += timedelta(days=7)
    assert part(one.visit(Acl()), "2026.emnlp").outcome is Outcome.OK
