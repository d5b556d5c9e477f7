"""PMLR: its lists, configurations and papers as bytes, and visits to a static host."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import Any

import pytest

from catalog.entries import Basis, EntryData
from catalog.errors import ParseError
from catalog.outcomes import Outcome, Part, Run
from catalog.storage import entries, sources
from ingest.formats.bibtex import people, plain, read_bibtex
from ingest.formats.pmlr import (
    Meeting,
    edition,
    parse_bibliography,
    parse_citeproc,
    parse_config,
    parse_feed,
    parse_list,
)
from ingest.formats.yaml_text import read_yaml
from ingest.source import Window
from ingest.sources.pmlr import ENOUGH, Pmlr
from tests.dumps import dump
from tests.ingest.static_files import StaticFiles
from tests.instance import Instance, instance

TODAY = date(2026, 6, 1)
LATEST = date(2026, 6, 2)
HOST, RAW = "proceedings.mlr.press", "raw.githubusercontent.com/mlresearch"


def cited(
    key: str, title: str = "", volume: str = "v9", day: str = "2026-05-20", given: str = "Ada", family: str = "Example"
) -> str:
    """A paper as `citeproc.yaml` has it."""
    year, month, dom = (int(p) for p in day.split("-"))
    return (
        f"- title: '{title or f'Paper {key}'}'\n  abstract: 'About {key}.'\n"
        f"  URL: https://{HOST}/{volume}/{key}.html\n  container-title: 'Proceedings of the 5th Workshop-Free Meeting'\n"
        f"  author: \n  - given: {given}\n    family: {family}\n  id: {key}\n"
        f"  issued:\n    date-parts: \n      - {year}\n      - {month}\n      - {dom}\n  published: {day} 00:00:00 +0000\n"
    )


def referred(key: str, title: str = "", volume: str = "v9") -> str:
    """A paper as `bibliography.bib` has it."""
    return (
        f"@InProceedings{{pmlr-{volume}-{key},\n  title = \t {{{title or f'Paper {key}'}}},\n  author = {{Example, Ada}},\n"
        f"  year = \t {{2026}},\n  url = {{https://{HOST}/{volume}/{key}.html}},\n  abstract = {{About {key}.}}\n}}\n\n"
    )


def papers(*blocks: str) -> bytes:
    """A `citeproc.yaml`."""
    return ("---\n" + "".join(blocks)).encode()


def read(body: bytes, meeting: Meeting | None = None) -> list[EntryData]:
    """The entries of a `citeproc.yaml` of volume 9, which must be sound."""
    found = parse_citeproc(body, "v9", meeting, LATEST)
    assert not found.loss
    return list(found.entries)


# ------------------------------------------------------------------ YAML and BibTeX
@pytest.mark.parametrize("word", ["No", "Null", "Yes", "true", "~", "1_000", "0x10", "2019-06-09", "1e3", ".inf"])
def test_no_name_is_taken_for_another_type(word: str) -> None:
    assert read(papers(cited("a26a", given=word)))[0].authors == (f"{word} Example",)


def test_scalars_may_be_repeated_by_reference_as_jekyll_does() -> None:
    assert read_yaml("start: &1 2024-11-06\ndates:\n- *1\n- 2024-11-07\n") == [
        {"start": "2024-11-06", "dates": ["2024-11-06", "2024-11-07"]}
    ]


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("a: &a [x, x]\nb: [*a, *a]\n", "yaml-reference"),
        ("a: *nowhere\n", "yaml-reference"),
        ("[" * 50 + "]" * 50, "broken-yaml"),
        ("? [a, b]\n: c\n", "broken-yaml"),
        ("a: 'open\n", "broken-yaml"),
    ],
)
def test_bombs_and_broken_yaml_are_refused(text: str, reason: str) -> None:
    with pytest.raises(ParseError) as caught:
        read_yaml(text)
    assert caught.value.reason == reason


def test_control_characters_and_foreign_line_ends_cost_nothing() -> None:
    assert read_yaml("a: 'x\x08y\x00z'\nb: one\u2028two\x85three\n") == [{"a": "xyz", "b": "one two three"}]


def test_bibtex_values_come_braced_quoted_bare_and_joined() -> None:
    text = '@Article{k, title = {A {Nested {B}} C}, note = "a {"}b", year = 2019, month = "9~" # jun # " x"}\n'
    found, lost = read_bibtex(text)
    assert lost == 0
    assert dict(found[0].fields) == {"title": "A {Nested {B}} C", "note": 'a {"}b', "year": "2019", "month": "9~jun x"}
    assert (found[0].type, found[0].key, found[0].cut) == ("article", "k", False)


def test_a_bibtex_entry_that_is_cut_off_keeps_its_whole_fields_and_harms_no_other() -> None:
    found, lost = read_bibtex(
        "@inproceedings{a, title = {A}, abstract = {open\n@inproceedings{b, title = {B}}\n@inproceedings{,}\n"
    )
    assert [(e.key, dict(e.fields), e.cut) for e in found] == [("a", {"title": "A"}, True), ("b", {"title": "B"}, False)]
    assert lost == 1


def test_an_escaped_brace_without_a_partner_costs_no_entry() -> None:
    found, lost = read_bibtex("@inproceedings{a, abstract = {the set $\\{x$ of}, title = {A}}\n")
    assert (dict(found[0].fields), found[0].cut, lost) == ({"abstract": "the set $\\{x$ of", "title": "A"}, False, 0)


@pytest.mark.parametrize(
    ("field", "names"),
    [
        ("Example, Ada and Muster, Bo", ("Ada Example", "Bo Muster")),
        (r"K{\"o}ller, Klaus and van der Oat, Yes", ("Klaus Köller", "Yes van der Oat")),
        ("Hirst, Jr, Peter and {Barnes and Noble} and others", ("Peter Hirst Jr", "Barnes and Noble")),
        ("", ()),
    ],
)
def test_authors_of_bibtex_are_turned_around(field: str, names: tuple[str, ...]) -> None:
    assert people(field) == names


def test_plain_text_of_bibtex_keeps_mathematics_and_loses_protecting_braces() -> None:
    assert plain(r"{TUR}-{DPO} for $x_{i}$ by Erd\H{o}s") == "TUR-DPO for $x_{i}$ by Erdős"


# ------------------------------------------------------------------ volumes
def test_an_item_of_the_feed_is_known_by_link_guid_or_title() -> None:
    feed = (
        "<rss><channel><title>T</title><item><link>https://proceedings.mlr.press/v5/</link></item>"
        "<item><title>&lt;b&gt;v6&lt;/b&gt;</title><link>javascript:alert(1)</link><guid>https://proceedings.mlr.press/v6/</guid></item>"
        "<item><title>r2</title></item><item><title>a template</title></item><item/></channel></rss>"
    )
    found = parse_feed(feed.encode())
    assert (found.names, found.lost) == (("v5", "v6", "r2"), 1)


def test_the_list_of_volumes_names_volumes_and_reissues() -> None:
    found = parse_list(b"- volume: 267\n  url: x\n- volume: R5\n- volume: template\n- description: nothing\n")
    assert (found.names, found.lost) == (("v267", "r5"), 1)


@pytest.mark.parametrize("body", [b"", b"<html>sorry</html>", b"- a\n- b\n", b"volumes: 3\n"])
def test_what_is_no_list_of_volumes_is_refused(body: bytes) -> None:
    if body:
        with pytest.raises(ParseError):
            parse_list(body)
    with pytest.raises(ParseError):
        parse_feed(body)


@pytest.mark.parametrize(
    ("text", "year"),
    [
        ("shortname: A\nstart: &1 2024-11-06\nyear: '2025'\nconference:\n  dates:\n  - *1\n", 2024),
        ("shortname: A\nyear: '2025'\nconference:\n  dates: 6-9 November 2024\n", 2024),
        ("shortname: A\nyear: '2023'\n", 2023),
        ("shortname: A\nyear: '2923'\n", 0),
        ("shortname: A: B\nstart: 2022-01-01\nnonsense: [\n", 2022),
    ],
)
def test_the_year_of_a_volume_is_that_of_its_meeting(text: str, year: int) -> None:
    meeting, _ = parse_config(text.encode(), LATEST)
    assert meeting.year == year
    assert meeting.shortname.startswith("A")


def test_a_configuration_without_the_days_of_the_meeting_is_not_whole() -> None:
    whole = "shortname: A\nbooktitle: B\nyear: '2025'\npublished: 2025-01-12\nconference:\n  dates: 6-9 November 2024\n"
    assert parse_config(whole.encode(), LATEST) == (Meeting("A", "", "B", 2024, date(2025, 1, 12)), True)
    cut = whole[: whole.index("conference")]
    assert parse_config(cut.encode(), LATEST) == (Meeting("A", "", "B", 2025, date(2025, 1, 12)), False)


@pytest.mark.parametrize("body", [b"", b"<!DOCTYPE html><p>x", b"- a list\n", b"a: &a [1]\nb: *a\n"])
def test_what_is_no_configuration_is_refused(body: bytes) -> None:
    with pytest.raises(ParseError):
        parse_config(body, LATEST)


def test_a_meeting_survives_the_cursor() -> None:
    meeting = Meeting("A", "Annual A", "Proceedings of A", 2024, date(2025, 1, 12))
    assert Meeting.restored(meeting.stored() | {"etag": "x"}) == meeting
    assert Meeting.restored(Meeting().stored()) == Meeting()


@pytest.mark.parametrize(
    ("meeting", "expected"),
    [
        (Meeting("ICML", "", "Proceedings of the 42nd International Conference on Machine Learning"), ("ICML", "")),
        (Meeting("ISIPTA '25", "", "Proceedings of the 14th Symposium on Imprecision"), ("ISIPTA", "")),
        (Meeting("QM 2025", "NeurIPS Workshop on Quiet Machines"), ("NeurIPS", "workshop: Quiet Machines")),
        (
            Meeting("QM-IV 2025", "", "Proceedings of The 4th NeurIPS Quiet Machines Workshop"),
            ("NeurIPS", "workshop: Quiet Machines"),
        ),
        (Meeting("", "", "Proceedings of the NeurIPS 2022 Competitions Track"), ("NeurIPS", "Competitions")),
        (Meeting("FIELD 2024", "", "Proceedings of the 1st Workshop on Fields"), ("FIELD", "workshop: Fields")),
    ],
)
def test_venue_and_track_follow_from_the_names_of_the_meeting(meeting: Meeting, expected: tuple[str, str]) -> None:
    assert edition(meeting) == expected


# ------------------------------------------------------------------ papers
def test_a_missing_optional_field_loses_no_paper() -> None:
    (entry,) = read(b"- title: 'Bare'\n  id: bare26a\n")
    assert (entry.key, entry.abstract, entry.authors, entry.announced, entry.basis) == ("v9/bare26a", "", (), None, Basis.HELD)
    assert entry.url == "https://proceedings.mlr.press/v9/bare26a.html"


def test_the_id_is_taken_from_the_address_where_it_is_missing() -> None:
    (entry,) = read(b"- title: 'A'\n  URL: http://proceedings.mlr.press/v9/from26b.html\n")
    assert entry.identifiers == (("pmlr", "v9/from26b"),)


@pytest.mark.parametrize(
    ("lines", "day", "basis"),
    [
        ("published: 2025-10-06 00:00:00 +0000", date(2025, 10, 6), Basis.STATED),
        ("published: soon\n  issued:\n    date-parts: \n      - 2025\n      - 10\n      - 6", date(2025, 10, 6), Basis.STATED),
        ("issued:\n    date-parts: [[2025, 10, 6]]", date(2025, 10, 6), Basis.STATED),
        ("issued:\n    date-parts: [2025, 10]", date(2025, 10, 1), Basis.ESTIMATED),
        ("issued:\n    date-parts: [2025]", date(2025, 1, 1), Basis.ESTIMATED),
        ("issued:\n    date-parts: []", None, Basis.HELD),
        ("issued:\n    date-parts: [x, [y]]", None, Basis.HELD),
        ("published: 2099-01-01 00:00:00 +0000", None, Basis.HELD),
    ],
)
def test_a_paper_is_announced_on_the_day_that_the_file_states(lines: str, day: date | None, basis: Basis) -> None:
    (entry,) = read(f"- title: 'A'\n  id: a26a\n  {lines}\n".encode())
    assert (entry.announced, entry.basis) == (day, basis)


def test_the_configuration_dates_papers_that_have_no_date() -> None:
    (entry,) = read(b"- title: 'A'\n  id: a26a\n", Meeting("COLT", year=2025, published=date(2026, 1, 3)))
    assert (entry.announced, entry.basis, entry.venue, entry.year) == (date(2026, 1, 3), Basis.STATED, "COLT", 2025)


def test_names_keep_particles_and_suffixes_and_lose_tex() -> None:
    people_ = (
        "  author:\n  - given: Wernher\n    prefix: von\n    family: Ada\n    suffix: III\n"
        '  - literal: The Team\n  - family: M{\\"u}ller\n  - []\n'
    )
    (entry,) = read(f"- title: 'A'\n  id: a26a\n{people_}".encode())
    assert entry.authors == ("Wernher von Ada III", "The Team", "Müller")


def test_one_broken_paper_costs_itself_only() -> None:
    found = parse_citeproc(papers(cited("a26a"), cited("b26a", given="a: b"), cited("c26a")), "v9", None, LATEST)
    assert [e.key for e in found.entries] == ["v9/a26a", "v9/c26a"]
    assert (found.announced, dict(found.rejected)) == (3, {"broken-yaml": 1})


def test_entries_without_title_or_key_are_counted_and_doubles_are_harmless() -> None:
    body = papers(cited("a26a"), "- title: ''\n  id: b26a\n", "- title: 'No key'\n", cited("a26a"))
    found = parse_citeproc(body, "v9", None, LATEST)
    assert dict(found.rejected) == {"no-title": 1, "no-key": 1, "duplicate": 1}
    assert (len(found.entries), found.announced) == (1, 3)


def test_titles_full_of_markup_and_endless_titles_speak_against_a_file() -> None:
    nasty = parse_citeproc(papers(*(cited(f"a26{c}", "<script>x</script><b>y</b>") for c in "abcd")), "v9", None, LATEST)
    assert nasty.loss == 1
    assert {e.title for e in nasty.entries} == {"y"}
    endless = parse_citeproc(papers(cited("a26a"), cited("b26a", "A" * 5000)), "v9", None, LATEST)
    assert (len(endless.entries), dict(endless.rejected)) == (1, {"no-title": 1})


def test_a_file_in_another_encoding_is_read_and_doubted() -> None:
    found = parse_citeproc(papers(cited("a26a", "Café")).decode().encode("cp1252"), "v9", None, LATEST)
    assert (found.entries[0].title, found.loss) == ("Café", 1)


def test_a_volume_without_papers_is_no_error() -> None:
    assert parse_citeproc(b"---\n", "v9", None, LATEST).announced == 0
    assert parse_citeproc(b"[]\n", "v9", None, LATEST).announced == 0


@pytest.mark.parametrize("body", [b"\n", b"<html>", b"error: 500\n", b"'text'\n", b"- a\n- b\n", b"a: &a [x]\n", b"{"])
def test_what_is_no_list_of_papers_is_refused(body: bytes) -> None:
    with pytest.raises(ParseError):
        parse_citeproc(body, "v9", None, LATEST)


def test_the_bibliography_names_the_same_papers() -> None:
    head = "@Proceedings{ICML-2026, booktitle = {Proceedings of the 43rd International Conference on Machine Learning}}\n"
    found = parse_bibliography((head + referred("a26a", "{A} Title")).encode(), "v9", None, LATEST)
    (entry,) = found.entries
    assert (entry.key, entry.title, entry.authors, entry.venue, entry.year) == (
        "v9/a26a",
        "A Title",
        ("Ada Example",),
        "ICML",
        2026,
    )
    with pytest.raises(ParseError):
        parse_bibliography(b"nothing", "v9", None, LATEST)


# ------------------------------------------------------------------ visits
def config(shortname: str, year: int, published: str) -> bytes:
    """A `_config.yml`."""
    return (
        f"shortname: {shortname}\nbooktitle: Proceedings of {shortname}\nyear: '{year}'\npublished: {published}\n"
        f"conference:\n  dates: 1-2 April {year}\n"
    ).encode()


def listing(*names: str) -> dict[str, bytes]:
    """Both lists of volumes."""
    items = "".join(f"<item><title>{n}</title><link>https://{HOST}/{n}/</link></item>" for n in names)
    rows = "".join(f"- volume: {n.removeprefix('v')}\n" for n in names)
    return {
        f"{HOST}/feed.xml": f"<rss><channel><title>P</title>{items}</channel></rss>".encode(),
        f"{HOST}/proceedings.yaml": rows.encode(),
    }


def volume(name: str, body: bytes, year: int = 2026, published: str = "2026-05-20") -> dict[str, bytes]:
    """A volume with its configuration."""
    return {
        f"{HOST}/{name}/assets/bib/citeproc.yaml": body,
        f"{RAW}/{name}/gh-pages/_config.yml": config("COLT", year, published),
    }


@pytest.fixture
def host() -> Iterator[StaticFiles]:
    """A host with one volume of two papers."""
    with StaticFiles(listing("v9") | volume("v9", papers(cited("a26a"), cited("b26a")))) as server:
        yield server


@pytest.fixture
def one(migrated_url: str, host: StaticFiles) -> Iterator[Instance]:
    """An instance with that host."""
    with instance(migrated_url, host.url, TODAY) as made:
        yield made


def part(run: Run, name: str) -> Part:
    """The part of a run by name."""
    return next(p for p in run.parts if p.name == name)


def titles(one: Instance) -> dict[str, str]:
    """What is held, by key."""
    with one.storage.read() as db:
        standing = entries.standing(db, "pmlr", "")
        return {k: kept.entry.title for k, kept in entries.kept(db, "pmlr", standing).items()}


def cursor(one: Instance, name: str) -> dict[str, Any]:
    """The cursor of a part."""
    with one.storage.read() as db:
        return dict(sources.part(db, "pmlr", name).cursor)


def test_a_second_visit_asks_conditionally_and_writes_nothing(one: Instance, host: StaticFiles) -> None:
    first = one.visit(Pmlr())
    assert (first.outcome, first.counts.new, part(first, "v9").held) == (Outcome.OK, 2, 2)
    before, asked = dump(one.storage), len(host.asked)
    second = one.visit(Pmlr())
    assert (second.outcome, second.counts.seen, part(second, "v9").announced) == (Outcome.OK, 0, 2)
    assert host.unmodified == len(host.asked) - asked == 3
    assert dump(one.storage) == before


def test_a_correction_is_read_for_sixty_days_and_not_after(one: Instance, host: StaticFiles) -> None:
    one.visit(Pmlr())
    host.files |= volume("v9", papers(cited("a26a", "Corrected"), cited("b26a")))
    one.clock.put(date(2026, 7, 19))
    assert one.visit(Pmlr()).counts.revised == 1
    host.files |= volume("v9", papers(cited("a26a", "Corrected again"), cited("b26a")))
    one.clock.put(date(2026, 7, 20))
    assert [p.name for p in one.visit(Pmlr()).parts] == ["volumes"]
    assert titles(one)["v9/a26a"] == "Corrected"


def test_a_window_reads_what_is_ended_too(one: Instance, host: StaticFiles) -> None:
    one.visit(Pmlr())
    host.files |= volume("v9", papers(cited("a26a", "Corrected"), cited("b26a")))
    one.clock.put(date(2026, 12, 1))
    assert one.visit(Pmlr(), Window(date(2026, 1, 1))).counts.revised == 1


def test_a_broken_paper_is_completed_from_the_bibliography(one: Instance, host: StaticFiles) -> None:
    host.files |= volume("v9", papers(cited("a26a"), cited("b26a", given="a: b")))
    host.files[f"{HOST}/v9/assets/bib/bibliography.bib"] = (referred("a26a", "Other Words") + referred("b26a")).encode()
    run = one.visit(Pmlr())
    assert (part(run, "v9").outcome, part(run, "v9").announced, part(run, "v9").held) == (Outcome.OK, 2, 2)
    assert titles(one) == {"v9/a26a": "Paper a26a", "v9/b26a": "Paper b26a"}
    before = dump(one.storage)
    assert one.visit(Pmlr()).counts.new == 0
    assert dump(one.storage) == before


def test_a_broken_paper_that_nothing_completes_is_named_as_a_gap(one: Instance, host: StaticFiles) -> None:
    host.files |= volume("v9", papers(cited("a26a"), cited("b26a", given="a: b")))
    run = one.visit(Pmlr())
    assert (run.outcome, part(run, "v9").announced, part(run, "v9").held) == (Outcome.PARTIAL, 2, 1)
    assert "broken-yaml" in part(run, "v9").error
    host.files |= volume("v9", papers(cited("a26a"), cited("b26a")))
    assert one.visit(Pmlr()).outcome is Outcome.OK
    assert len(titles(one)) == 2


def test_the_bibliography_alone_does_when_the_papers_file_is_no_yaml(one: Instance, host: StaticFiles) -> None:
    host.files[f"{HOST}/v9/assets/bib/citeproc.yaml"] = b"<html>sorry</html>"
    assert part(one.visit(Pmlr()), "v9").outcome is Outcome.FAILED
    host.files[f"{HOST}/v9/assets/bib/bibliography.bib"] = (referred("a26a") + referred("b26a")).encode()
    run = one.visit(Pmlr())
    assert (part(run, "v9").outcome, part(run, "v9").held) == (Outcome.OK, 2)
    with one.storage.read() as db:
        kept = entries.kept(db, "pmlr", ["v9/a26a"])["v9/a26a"].entry
    assert (kept.announced, kept.basis, kept.venue) == (date(2026, 5, 20), Basis.STATED, "COLT")


def test_a_volume_that_lost_its_papers_is_stale_and_keeps_them(one: Instance, host: StaticFiles) -> None:
    one.visit(Pmlr())
    host.files[f"{HOST}/v9/assets/bib/citeproc.yaml"] = b"---\n"
    assert part(one.visit(Pmlr()), "v9").outcome is Outcome.STALE
    del host.files[f"{HOST}/v9/assets/bib/citeproc.yaml"]
    assert part(one.visit(Pmlr()), "v9").outcome is Outcome.STALE
    assert len(titles(one)) == 2


def test_a_volume_that_is_said_to_be_published_and_names_no_paper_is_stale(one: Instance, host: StaticFiles) -> None:
    host.files[f"{HOST}/v9/assets/bib/citeproc.yaml"] = b"---\n"
    run = one.visit(Pmlr())
    assert (part(run, "v9").outcome, run.outcome) == (Outcome.STALE, Outcome.STALE)


def test_a_volume_that_is_not_published_is_empty_and_asked_for_again(one: Instance, host: StaticFiles) -> None:
    held = host.files.pop(f"{HOST}/v9/assets/bib/citeproc.yaml")
    run = one.visit(Pmlr())
    assert (part(run, "v9").outcome, part(run, "v9").announced, part(run, "v9").error) == (Outcome.EMPTY, 0, "")
    host.files[f"{HOST}/v9/assets/bib/citeproc.yaml"] = held
    assert one.visit(Pmlr()).counts.new == 2


def test_a_number_without_configuration_and_papers_makes_no_part(one: Instance, host: StaticFiles) -> None:
    host.files |= listing("v9", "v10")
    assert [p.name for p in one.visit(Pmlr()).parts] == ["volumes", "v9"]


def test_the_papers_tell_the_year_when_the_configuration_does_not(one: Instance, host: StaticFiles) -> None:
    old = papers(cited("c20a", volume="v8", day="2020-01-01"))
    host.files |= listing("v9", "v8") | {f"{HOST}/v8/assets/bib/citeproc.yaml": old}
    del host.files[f"{RAW}/v9/gh-pages/_config.yml"]
    run = one.visit(Pmlr())
    assert [p.name for p in run.parts] == ["volumes", "v9"]
    assert cursor(one, "volumes")["volumes"]["v8"]["year"] == 2020


def test_a_damaged_configuration_is_named_and_venue_and_year_follow_when_it_is_mended(one: Instance, host: StaticFiles) -> None:
    path = f"{RAW}/v9/gh-pages/_config.yml"
    sound = host.files[path]
    for damaged in (b"<html>sorry</html>", sound[: sound.index(b"conference")]):
        host.files[path] = damaged
        run = one.visit(Pmlr())
        assert (part(run, "volumes").outcome, part(run, "v9").held) == (Outcome.PARTIAL, 2)
        assert part(run, "volumes").error.startswith("configurations could not be read: v9: ")
    host.files[path] = sound.replace(b"2026\n", b"2025\n")
    one.clock.put(date(2026, 12, 1))
    run = one.visit(Pmlr())
    assert (run.outcome, run.counts.revised) == (Outcome.OK, 2)
    with one.storage.read() as db:
        kept = entries.kept(db, "pmlr", ["v9/a26a"])["v9/a26a"].entry
    assert (kept.venue, kept.year) == ("COLT", 2025)


def test_a_configuration_that_lacks_something_twice_is_believed(one: Instance, host: StaticFiles) -> None:
    host.files[f"{RAW}/v9/gh-pages/_config.yml"] = b"shortname: COLT\nyear: 2026\n"
    assert [one.visit(Pmlr()).outcome for _ in range(3)] == [Outcome.PARTIAL, Outcome.OK, Outcome.OK]


def test_a_first_visit_stops_after_many_old_volumes_in_a_row(one: Instance, host: StaticFiles) -> None:
    names = [f"v{n}" for n in range(100, 100 + ENOUGH + 10)]
    host.files |= listing("v200", *names)
    host.files |= volume("v200", papers(cited("n26a", volume="v200")))
    for name in names:
        host.files[f"{RAW}/{name}/gh-pages/_config.yml"] = config("ICML", 2019, "2019-06-01")
    run = one.visit(Pmlr())
    assert [p.name for p in run.parts] == ["volumes", "v200"]
    configs = [path for path in host.asked if path.endswith("_config.yml")]
    assert len(configs) == 1 + ENOUGH
    one.visit(Pmlr())
    assert [path for path in host.asked if path.endswith("_config.yml")][1 + ENOUGH :] == [f"{RAW}/v200/gh-pages/_config.yml"]


def test_what_appears_later_is_read_whatever_its_year_and_kind(one: Instance, host: StaticFiles) -> None:
    host.files |= listing("v9", "v8", "r1") | volume("v8", papers(cited("o19a", volume="v8")), 2019, "2019-06-01")
    host.files |= volume("r1", papers(cited("r99a", volume="r1")), 1999, "2026-05-30")
    assert [p.name for p in one.visit(Pmlr()).parts] == ["volumes", "v9"]
    host.files |= listing("v9", "v8", "r1", "v7", "r2") | volume("v7", papers(cited("l18a", volume="v7")), 2018, "2026-06-01")
    host.files |= volume("r2", papers(cited("r98a", volume="r2")), 1998, "2026-06-01")
    run = one.visit(Pmlr())
    assert [p.name for p in run.parts] == ["volumes", "v9", "v7", "r2"]
    window = one.visit(Pmlr(), Window(date(1999, 1, 1), date(2019, 12, 31)))
    assert [p.name for p in window.parts] == ["volumes", "v8", "v7", "r1"]


def test_a_window_of_no_volume_is_empty(one: Instance) -> None:
    assert one.visit(Pmlr(), Window(date(1995, 1, 1), date(1996, 1, 1))).outcome is Outcome.EMPTY


def test_the_list_of_volumes_stands_in_for_a_damaged_feed(one: Instance, host: StaticFiles) -> None:
    host.files[f"{HOST}/feed.xml"] = b"<html>maintenance</html>"
    assert one.visit(Pmlr()).outcome is Outcome.OK
    assert len(titles(one)) == 2


def test_a_shorter_list_is_named_and_what_is_known_is_visited_all_the_same(one: Instance, host: StaticFiles) -> None:
    one.visit(Pmlr())
    host.files |= listing()
    run = one.visit(Pmlr())
    assert (part(run, "volumes").outcome, part(run, "v9").outcome) == (Outcome.PARTIAL, Outcome.OK)
    assert "0 volumes, 1 are known" in part(run, "volumes").error


def test_without_any_list_a_first_visit_fails_and_remembers_nothing(one: Instance, host: StaticFiles) -> None:
    host.files.pop(f"{HOST}/feed.xml")
    host.files[f"{HOST}/proceedings.yaml"] = b"<html>sorry</html>"
    assert one.visit(Pmlr()).outcome is Outcome.FAILED
    assert cursor(one, "volumes") == {}
