from __future__ import annotations

import time
from collections.abc import Iterable
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from catalog.entries import Basis, EntryData, Version
from catalog.errors import ParseError
from ingest.formats.arxiv_oai import OaiPage, parse_oai
from tests.data.arxiv import oai_page

DATA = Path(__file__).resolve().parents[1] / "data" / "arxiv"
LATEST = date(2026, 5, 3)
HEAD = (
    '<?xml version="1.0" encoding="UTF-8"?>\n<OAI-PMH xmlns="http://www.openarchives.org/OAI/2.0/">\n'
    "<responseDate>2026-05-02T03:00:00Z</responseDate>\n<request>http://oaipmh.arxiv.org/oai</request>\n"
)
NAMES = "submitter title authors categories comments journal-ref doi license abstract".split()


def version(number: object = 1, when: str = "Thu, 02 Apr 2026 17:59:46 GMT", more: str = "") -> str:
    return f'<version version="v{number}"><date>{when}</date><size>1kb</size>{more}</version>'


def record(number: int = 1, without: Iterable[str] = (), versions: str | None = None, **said: str) -> str:
    """A record in the wire form; what is said stands as it is in the XML."""
    paper = said.pop("id", f"2604.{number:05d}")
    values = {
        "submitter": "Ada Example", "title": f"Paper {number}", "authors": "Ada Example", "categories": "cs.LG stat.ML",
        "comments": "5 pages", "journal-ref": "J. Inv. 1", "doi": "10.1000/x", "license": "http://example.org/licence",
        "abstract": "It is short.",
    } | {k.replace("_", "-"): v for k, v in said.items()}  # fmt: skip
    missing = set(without)
    header = "" if "header" in missing else f"<header><identifier>oai:arXiv.org:{paper}</identifier>" + (
        "" if "datestamp" in missing else f"<datestamp>{values.get('stamp', '2026-05-01')}</datestamp>"
    ) + "<setSpec>cs:cs:LG</setSpec></header>"  # fmt: skip
    fields = "" if "id" in missing else f"<id>{paper}</id>"
    fields += version() if versions is None else versions
    fields += "".join(f"<{n}>{values[n]}</{n}>" for n in NAMES if n not in missing)
    raw = f'<arXivRaw xmlns="http://arxiv.org/OAI/arXivRaw/">{fields}</arXivRaw>'
    return f"<record>{header}" + ("" if "metadata" in missing else f"<metadata>{raw}</metadata>") + "</record>\n"


def page(*records: str, tail: str = "</ListRecords></OAI-PMH>") -> bytes:
    return f"{HEAD}<ListRecords>\n{''.join(records)}{tail}".encode()


def parse(*records: str, tail: str = "</ListRecords></OAI-PMH>") -> OaiPage:
    return parse_oai(page(*records, tail=tail), "arxiv", LATEST)


def keys(parsed: OaiPage) -> list[str]:
    return [e.key for e in parsed.entries]


def only(parsed: OaiPage) -> EntryData:
    """The one entry of a page on which nothing was lost."""
    assert not parsed.rejected
    assert not parsed.damage
    (entry,) = parsed.entries
    return entry


# ------------------------------------------------------------------ as it should be
def test_a_page_is_read_as_it_is_meant() -> None:
    parsed = parse_oai((DATA / "oai_page.xml").read_bytes(), "arxiv", LATEST)
    assert parsed.entries == oai_page.EXPECTED
    assert parsed.deleted == oai_page.DELETED
    assert parsed.token == oai_page.TOKEN
    assert (parsed.response_date, parsed.last_day) == (date(2026, 5, 2), date(2026, 5, 1))
    assert (dict(parsed.rejected), parsed.error, parsed.damage) == ({}, "", "")


@pytest.mark.parametrize("count", [1, 2, 9, 40])
def test_every_version_is_listed_and_the_last_one_counts(count: int) -> None:
    entry = only(
        parse(record(versions="".join(version(n, f"Thu, 02 Apr 2026 {n % 24:02}:00:00 GMT") for n in range(1, count + 1))))
    )
    assert [v.number for v in entry.versions] == list(range(1, count + 1))
    assert entry.version == count
    assert entry.submitted == datetime(2026, 4, 2, 1, tzinfo=UTC)
    assert entry.updated == entry.versions[-1].at


def test_versions_may_stand_in_any_order_and_twice() -> None:
    entry = only(parse(record(versions=version(3) + version(1) + version(2, when="") + version(2))))
    assert [v.number for v in entry.versions] == [1, 2, 3]


@pytest.mark.parametrize(
    ("last", "withdrawn"),
    [
        pytest.param("<source_type>I</source_type>", True, id="source type I is a withdrawal"),
        pytest.param("<source_type> I </source_type>", True, id="blanks around it or not"),
        pytest.param("<source_type>D</source_type>", False, id="other types are none"),
        pytest.param("", False, id="no type is none"),
    ],
)
def test_a_paper_is_withdrawn_when_its_last_version_is(last: str, withdrawn: bool) -> None:
    entry = only(parse(record(versions=version(1, more="<source_type>I</source_type>") + version(2, more=last))))
    assert entry.withdrawn is withdrawn
    assert [v.withdrawn for v in entry.versions] == [True, withdrawn]


def test_alias_categories_are_kept_as_said() -> None:
    assert only(parse(record(categories="math.ST stat.TH cs.SY eess.SY"))).categories == (
        "math.ST",
        "stat.TH",
        "cs.SY",
        "eess.SY",
    )


def test_a_deleted_header_needs_no_metadata() -> None:
    deleted = '<record><header status="deleted"><identifier>oai:arXiv.org:2604.00009</identifier></header></record>'
    parsed = parse(record(1), deleted)
    assert (keys(parsed), parsed.deleted, dict(parsed.rejected)) == (["2604.00001"], ("2604.00009",), {})


def test_a_list_ends_without_token_and_with_an_empty_one() -> None:
    assert parse(record()).token == ""
    assert parse(record(), tail="<resumptionToken/></ListRecords></OAI-PMH>").token == ""
    assert parse(record(), tail="<resumptionToken>\n a%3Db \n</resumptionToken></ListRecords></OAI-PMH>").token == "a%3Db"


def test_a_single_record_is_read_like_a_list_of_one() -> None:
    body = page(record()).replace(b"ListRecords>", b"GetRecord>")
    assert keys(parse_oai(body, "arxiv", LATEST)) == ["2604.00001"]


def test_five_thousand_authors_in_one_record_are_read_quickly() -> None:
    begun = time.perf_counter()
    names = [f"A. Probe{n}" for n in range(5000)]
    assert only(parse(record(authors=", ".join(f"{n} (Inst. {i}, Town)" for i, n in enumerate(names))))).authors == tuple(names)
    assert time.perf_counter() - begun < 2


# ------------------------------------------------------------------ answers without records
@pytest.mark.parametrize(
    "code",
    "noRecordsMatch badResumptionToken badArgument badVerb cannotDisseminateFormat idDoesNotExist noSetHierarchy".split(),
)
def test_a_protocol_error_is_an_answer_with_its_code(code: str) -> None:
    body = f"{HEAD}<error code='{code}'>It is\n  so.</error></OAI-PMH>".encode()
    parsed = parse_oai(body, "arxiv", LATEST)
    assert (parsed.error, parsed.message, parsed.entries) == (code, "It is so.", ())
    assert parsed.response_date == date(2026, 5, 2)


@pytest.mark.parametrize(
    ("said", "read"),
    [
        ("2026-05-02T23:59:59Z", date(2026, 5, 2)),
        ("2026-05-02T23:59:59-05:00", date(2026, 5, 3)),
        ("", None),
        ("soon", None),
        ("2099-12-31T23:59:59Z", None),
        ("0001-01-01T00:00:00+05:00", None),
    ],
)
def test_a_response_date_that_cannot_be_believed_is_unknown(said: str, read: date | None) -> None:
    body = page(record()).replace(b"2026-05-02T03:00:00Z", said.encode())
    assert parse_oai(body, "arxiv", LATEST).response_date == read


REFUSED = {
    "nothing": (b"", "empty-body"),
    "an HTML page": (b"<!DOCTYPE html><html><body>503</body></html>", "html"),
    "JSON": (b"{}", "not-xml"),
    "another format": (b"<rss/>", "no-oai"),
    "an envelope of another verb": (f"{HEAD}<Identify/></OAI-PMH>".encode(), "no-records"),
    "a bare envelope": (f"{HEAD}</OAI-PMH>".encode(), "no-records"),
    "half an envelope": (HEAD.encode(), "broken-xml"),
    "a document type": (b'<?xml version="1.0"?><!DOCTYPE a [<!ENTITY b "c">]><OAI-PMH>&b;</OAI-PMH>', "doctype"),
}


@pytest.mark.parametrize(("body", "reason"), REFUSED.values(), ids=REFUSED.keys())
def test_what_is_no_answer_is_refused(body: bytes, reason: str) -> None:
    with pytest.raises(ParseError) as raised:
        parse_oai(body, "arxiv", LATEST)
    assert raised.value.reason == reason


# ------------------------------------------------------------------ missing fields and bad records
OPTIONAL = {
    "without authors": (["authors"], {"authors": ()}),
    "without abstract": (["abstract"], {"abstract": ""}),
    "without categories": (["categories"], {"categories": ()}),
    "without comment": (["comments"], {"comment": ""}),
    "without journal": (["journal-ref"], {"journal": ""}),
    "without DOI": (["doi"], {"identifiers": (("arxiv", "2604.00001"),)}),
    "without licence": (["license"], {"licence": ""}),
    "without submitter": (["submitter"], {}),
    "without header the metadata name the paper": (["header"], {}),
    "without id the header names it": (["id"], {}),
    "without datestamp": (["datestamp"], {}),
}


@pytest.mark.parametrize(("without", "differs"), OPTIONAL.values(), ids=OPTIONAL.keys())
def test_no_missing_optional_field_loses_a_record(without: list[str], differs: dict[str, object]) -> None:
    whole, entry = only(parse(record())), only(parse(record(without=without)))
    assert {f: getattr(entry, f) for f in EntryData.__slots__} == {f: getattr(whole, f) for f in EntryData.__slots__} | differs


BAD = {
    "a record without metadata": (record(2, ["metadata"]), "no-metadata"),
    "a record that names no paper": (record(2, ["header", "id"]), "no-identifier"),
    "a deleted record that names none": ('<record><header status="deleted"/></record>', "no-identifier"),
    "a record without title": (record(2, ["title"]), "no-title"),
    "a record with an empty title": (record(2, title=" \n "), "no-title"),
    "a record that comes twice": (record(1, title="Again"), "duplicate"),
    "an empty record": ("<record/>", "no-metadata"),
    "a record with an open tag": (record(2, title="<b>x"), "broken-xml"),
    "a record with stray markup": (record(2, title="a < b"), "broken-xml"),
    "a record without end": (record(2).replace("</record>", ""), "broken-xml"),
}


@pytest.mark.parametrize(("bad", "reason"), BAD.values(), ids=BAD.keys())
def test_a_bad_record_is_lost_alone_and_the_list_goes_on(bad: str, reason: str) -> None:
    parsed = parse(record(1), bad, record(3), tail="<resumptionToken>next</resumptionToken></ListRecords></OAI-PMH>")
    assert keys(parsed) == ["2604.00001", "2604.00003"]
    assert dict(parsed.rejected) == {reason: 1}
    assert (parsed.token, parsed.damage) == ("next", "")


@pytest.mark.parametrize("share", [0.2, 0.5, 0.8, 0.99])
def test_of_a_truncated_page_whole_records_are_kept_and_it_is_damaged(share: float) -> None:
    body = page(*(record(n) for n in range(50)), tail="<resumptionToken>next</resumptionToken></ListRecords></OAI-PMH>")
    cut = body[: int(len(body) * share)]
    parsed = parse_oai(cut, "arxiv", LATEST)
    assert keys(parsed) == [f"2604.{n:05d}" for n in range(cut.count(b"</record>"))]
    assert sum(parsed.rejected.values()) == cut.count(b"<record>") - cut.count(b"</record>")
    assert parsed.damage
    assert parsed.token == ""


def test_wrong_bytes_and_unknown_entities_lose_nothing() -> None:
    body = page(record(1, authors="Łukasz Müller"), record(2, title="na@ve caf&eacute; &bogus;")).replace(b"@", b"\xef")
    parsed = parse_oai(body, "arxiv", LATEST)
    assert [e.title for e in parsed.entries] == ["Paper 1", "naïve café &bogus;"]
    assert parsed.entries[0].authors == ("Łukasz Müller",)
    assert not parsed.rejected


# ------------------------------------------------------------------ dates
BAD_DATES = [
    "", "some day soon", "0000-00-00", "Mon, 32 Foo 2026 25:61:00 XST", "2099-12-31T23:59:59Z", "0001-01-01T00:00:00+05:00",
    "Mon, 01 Jan 99999999999 00:00:00 GMT", "Tue, 01 Jan 1985 00:00:00 GMT",
]  # fmt: skip


@pytest.mark.parametrize("bad", BAD_DATES)
def test_a_first_version_without_a_date_is_held_by_its_datestamp(bad: str) -> None:
    entry = only(parse(record(versions=version(1, bad) + version(2))))
    assert (entry.submitted, entry.announced, entry.basis) == (None, date(2026, 5, 1), Basis.HELD)
    assert entry.versions[0] == Version(1, None)
    assert entry.version == 2


@pytest.mark.parametrize("bad", BAD_DATES)
def test_a_last_version_without_a_date_leaves_the_update_unknown(bad: str) -> None:
    entry = only(parse(record(versions=version(1) + version(2, bad))))
    assert (entry.version, entry.updated, entry.basis) == (2, None, Basis.ESTIMATED)


@pytest.mark.parametrize("bad", ["", "soon", "2026-13-01", "2099-12-31"])
def test_a_bad_datestamp_is_unknown_and_loses_nothing(bad: str) -> None:
    parsed = parse(record(versions="", stamp=bad))
    assert parsed.last_day is None
    assert (only(parsed).announced, only(parsed).basis) == (None, Basis.HELD)


@pytest.mark.parametrize("number", ["", "x", "0", "-1", "²", "99999", "9" * 5000, "1.5"])
def test_a_version_without_a_usable_number_is_passed_over(number: str) -> None:
    entry = only(parse(record(versions=version(1) + version(number))))
    assert [v.number for v in entry.versions] == [1]


def test_without_versions_it_is_the_first() -> None:
    entry = only(parse(record(versions="")))
    assert (entry.version, entry.versions, entry.updated, entry.withdrawn) == (1, (), None, False)


def test_an_announcement_that_would_lie_ahead_is_dated_to_the_last_day_that_may_be() -> None:
    entry = only(parse(record(versions=version(1, "Sat, 02 May 2026 12:00:00 GMT"))))
    assert (entry.announced, entry.basis) == (LATEST, Basis.ESTIMATED)


def test_markup_in_titles_is_a_sign_of_damage() -> None:
    marked = [record(n, title=f"&lt;script&gt;alert(1)&lt;/script&gt;Paper {n}") for n in range(1, 6)]
    plain = [record(n) for n in range(6, 11)]
    assert (parse(*plain).mended, parse(*plain).damage) == (False, "")
    assert (parse(marked[0], *plain).mended, parse(marked[0], *plain).damage) == (True, "")
    assert parse(*marked, *plain).damage == "5 of 10 titles hold markup"
    assert len(parse(*marked, *plain).entries) == 10


def test_a_title_that_is_longer_than_any_is_lost_and_counted() -> None:
    parsed = parse(record(1, title="A" * 10_000), record(2))
    assert (keys(parsed), dict(parsed.rejected)) == (["2604.00002"], {"no-title": 1})
