from __future__ import annotations

import time
from collections.abc import Iterable
from datetime import date, timedelta
from pathlib import Path
from xml.sax.saxutils import escape

import pytest

from catalog.entries import Basis, EntryData
from catalog.errors import ParseError
from ingest.formats.arxiv_feed import DailyFeed, parse_daily
from tests.data.arxiv import feed_all_types

DATA = Path(__file__).resolve().parents[1] / "data" / "arxiv"
DAY = date(2026, 5, 1)
LATEST = date(2026, 5, 2)
HEAD = (
    "<?xml version='1.0' encoding='UTF-8'?>\n"
    '<rss xmlns:arxiv="http://arxiv.org/schemas/atom" xmlns:dc="http://purl.org/dc/elements/1.1/" version="2.0"><channel>\n'
    "<title>cs.LG updates on arXiv.org</title><description>d</description><pubDate>Fri, 01 May 2026 00:00:00 -0400</pubDate>\n"
)
TAIL = "</channel></rss>\n"
FIELDS = {
    "title": "<title>{title}</title>",
    "link": "<link>https://arxiv.org/abs/{id}</link>",
    "description": "<description>arXiv:{id}v{version} Announce Type: {kind} \nAbstract: {abstract}</description>",
    "guid": '<guid isPermaLink="false">oai:arXiv.org:{id}v{version}</guid>',
    "category": "<category>cs.LG</category>",
    "pubDate": "<pubDate>{date}</pubDate>",
    "announce_type": "<arxiv:announce_type>{kind}</arxiv:announce_type>",
    "rights": "<dc:rights>http://creativecommons.org/licenses/by/4.0/</dc:rights>",
    "creator": "<dc:creator>{creator}</dc:creator>",
}


def item(number: int = 1, without: Iterable[str] = (), **said: object) -> str:
    """An item in the wire form; titles and the like are given as they stand in the XML."""
    values: dict[str, object] = {
        "id": f"2604.{number:05d}", "version": 1, "kind": "new", "title": f"Paper {number}", "abstract": "It is short.",
        "date": "Fri, 01 May 2026 00:00:00 -0400", "creator": "Ada Example",
    }  # fmt: skip
    missing = set(without)
    return "<item>" + "\n".join(v for k, v in FIELDS.items() if k not in missing).format(**values | said) + "</item>\n"


def feed(*items: str, head: str = HEAD, tail: str = TAIL) -> bytes:
    return (head + "".join(items) + tail).encode()


def parse(*items: str) -> DailyFeed:
    return parse_daily(feed(*items), "arxiv", LATEST)


def keys(parsed: DailyFeed) -> list[str]:
    return [e.key for _, e in parsed.entries]


def only(parsed: DailyFeed) -> EntryData:
    """The one entry of a feed in which nothing was lost."""
    assert not parsed.rejected
    ((_, entry),) = parsed.entries
    return entry


# ------------------------------------------------------------------ as it should be
def test_every_announce_type_is_read_as_it_is_meant() -> None:
    parsed = parse_daily((DATA / "feed_all_types.xml").read_bytes(), "arxiv", LATEST)
    assert parsed.day == feed_all_types.DAY
    assert parsed.entries == feed_all_types.EXPECTED
    assert (dict(parsed.rejected), parsed.damage) == ({}, "")


def test_a_weekend_feed_is_empty_and_dated() -> None:
    parsed = parse_daily((DATA / "feed_weekend.xml").read_bytes(), "arxiv", LATEST)
    assert (parsed.day, parsed.entries, parsed.damage) == (date(2026, 5, 2), (), "")


def test_a_replacement_says_nothing_of_the_first_announcement() -> None:
    entry = only(parse(item(kind="replace", version=4)))
    assert (entry.version, entry.announced, entry.basis) == (4, None, Basis.HELD)


@pytest.mark.slow
def test_two_thousand_items_are_read_in_seconds() -> None:
    begun = time.perf_counter()
    assert len(parse(*(item(n) for n in range(2000))).entries) == 2000
    assert time.perf_counter() - begun < 10


# ------------------------------------------------------------------ missing fields
OPTIONAL = {
    "without link the guid names the paper": (["link"], {}),
    "without guid the link does, and the text the version": (["guid"], {}),
    "without both the text does": (["guid", "link"], {}),
    "without announce type the text has it": (["announce_type"], {}),
    "without own date the feed's counts": (["pubDate"], {}),
    "without authors there are none": (["creator"], {"authors": ()}),
    "without categories there are none": (["category"], {"categories": ()}),
    "without licence it is unknown": (["rights"], {"licence": ""}),
    "without text the abstract is empty": (["description"], {"abstract": ""}),
}


@pytest.mark.parametrize(("without", "differs"), OPTIONAL.values(), ids=OPTIONAL.keys())
def test_no_missing_optional_field_loses_an_entry(without: list[str], differs: dict[str, object]) -> None:
    whole, entry = only(parse(item(version=2))), only(parse(item(without=without, version=2)))
    assert {f: getattr(entry, f) for f in EntryData.__slots__} == {f: getattr(whole, f) for f in EntryData.__slots__} | differs


MANDATORY = {
    "an item that names no paper": (item(2, ["guid", "link", "description"]), "no-identifier"),
    "an item with an impossible id": (item(2, id="20x6.1", abstract="-"), "no-identifier"),
    "an item without title": (item(2, ["title"]), "no-title"),
    "an item with an empty title": (item(2, title="  "), "no-title"),
    "an item with nothing but markup for title": (item(2, title="&lt;b&gt;&lt;/b&gt;"), "no-title"),
    "an item of no announce type": (item(2, ["announce_type", "description"]), "no-announce-type"),
    "an item of an unknown announce type": (item(2, kind="retracted"), "no-announce-type"),
    "an item that is there twice": (item(1, title="Another title"), "duplicate"),
    "an item that is not closed": ("<item><title>Half", "broken-xml"),
    "an item with crossed tags": (item(2, title="<b><i>x</b></i>"), "broken-xml"),
    "an empty item": ("<item/>", "no-identifier"),
}


@pytest.mark.parametrize(("bad", "reason"), MANDATORY.values(), ids=MANDATORY.keys())
def test_a_bad_item_is_lost_alone_and_counted_by_its_reason(bad: str, reason: str) -> None:
    parsed = parse(item(1), bad, item(3))
    assert keys(parsed) == ["2604.00001", "2604.00003"]
    assert dict(parsed.rejected) == {reason: 1}
    assert parsed.damage == ""
    assert parsed.day == DAY


def test_of_two_items_with_one_id_the_first_counts() -> None:
    assert parse(item(1, title="First"), item(1, title="Second")).entries[0][1].title == "First"


# ------------------------------------------------------------------ text
TITLES = {
    "less-than in math stays": ("Bounds when $x&lt;y$", "Bounds when $x<y$"),
    "less-than between letters stays": ("Bounds when x&lt;y and y&gt;z", "Bounds when x<y and y>z"),
    "an escaped ampersand": ("Q&amp;A over Tables", "Q&A over Tables"),
    "an ampersand escaped twice": ("Q&amp;amp;A over Tables", "Q&A over Tables"),
    "a bare ampersand": ("Q & A over Tables", "Q & A over Tables"),
    "an entity that XML does not know": ("Caf&eacute; Logs&nbsp;Revisited", "Café Logs Revisited"),
    "TeX accents": ("Erd\\H{o}s--R\\'enyi Priors", "Erdős--Rényi Priors"),
    "TeX math": ("$\\tilde{O}(n^2)$ Sketches", "$\\tilde{O}(n^2)$ Sketches"),
    "markup": ("&lt;b onclick=&#34;x()&#34;&gt;Bold&lt;/b&gt; H&lt;sub&gt;2&lt;/sub&gt;O", "Bold H2O"),
    "a script": ("&lt;script&gt;alert(1)&lt;/script&gt;Harmless", "Harmless"),
    "CDATA": ("<![CDATA[Fish & <i>Chips</i>]]>", "Fish & Chips"),
    "several lines": ("Two\n   Lines", "Two Lines"),
    "a digit is a title": ("0", "0"),
    "bidi overrides": ("a\u202eb\u2066c", "abc"),
    "emoji and scripts": ("深度学习 🙂 Обучение", "深度学习 🙂 Обучение"),
}


@pytest.mark.parametrize(("wire", "title"), TITLES.values(), ids=TITLES.keys())
def test_a_title_is_said_as_it_is_meant(wire: str, title: str) -> None:
    assert only(parse(item(title=wire))).title == title


def test_addresses_in_items_are_never_opened(tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("secret")
    entry = only(parse(item(title=secret.as_uri(), abstract=escape(f'<img src="{secret.as_uri()}">file'))))
    assert entry.title == secret.as_uri()
    assert entry.abstract == "file"


def test_three_thousand_authors_are_kept() -> None:
    names = [f"A. Probe{n}" for n in range(3000)]
    assert only(parse(item(creator=", ".join(names)))).authors == tuple(names)


def test_wrong_bytes_are_read_as_windows_1252_and_spoil_nothing_else() -> None:
    body = feed(item(1, creator="Łukasz Müller"), item(2, title="na@ve caf%")).replace(b"@", b"\xef").replace(b"%", b"\xe9")
    parsed = parse_daily(body, "arxiv", LATEST)
    assert parsed.entries[0][1].authors == ("Łukasz Müller",)
    assert parsed.entries[1][1].title == "naïve café"
    assert not parsed.rejected
    assert not parsed.damage


@pytest.mark.parametrize("encoding", ["iso-8859-1", "windows-1252", "utf-16"])
def test_an_encoding_that_is_declared_is_heeded(encoding: str) -> None:
    body = feed(item(title="Müller")).decode().replace("UTF-8", encoding).encode(encoding)
    if encoding == "utf-16":  # XML in other units than bytes is no format of ours
        with pytest.raises(ParseError):
            parse_daily(body, "arxiv", LATEST)
    else:
        assert only(parse_daily(body, "arxiv", LATEST)).title == "Müller"


# ------------------------------------------------------------------ dates
BAD_DATES = [
    "", "some day soon", "0000-00-00", "Mon, 32 Foo 2026 25:61:00 XST", "Sat, 31 Dec 2099 00:00:00 +0000",
    "Fri, 31 Dec 9999 23:59:59 -1200", "Mon, 01 Jan 99999999999 00:00:00 GMT", "Fri, 01 May 1026 00:00:00 -0400",
]  # fmt: skip


@pytest.mark.parametrize("bad", BAD_DATES)
def test_a_bad_date_takes_the_day_of_the_others(bad: str) -> None:
    parsed = parse(item(1, date=bad), item(2), item(3))
    assert parsed.day == DAY
    assert {e.announced for _, e in parsed.entries} == {DAY}
    assert not parsed.rejected


@pytest.mark.parametrize("bad", BAD_DATES)
def test_with_bad_dates_only_the_day_is_the_channels_or_unknown(bad: str) -> None:
    assert parse(item(1, date=bad)).day == DAY
    nowhere = parse_daily(feed(item(1, date=bad), head=HEAD.replace("Fri, 01 May 2026 00:00:00 -0400", bad)), "arxiv", LATEST)
    assert nowhere.day is None
    assert (nowhere.entries[0][1].announced, nowhere.entries[0][1].basis) == (None, Basis.HELD)


def test_the_day_is_that_of_new_york() -> None:
    assert parse(item(date="Sat, 02 May 2026 03:59:59 +0000")).day == DAY
    assert parse(item(date="Sat, 02 May 2026 04:00:00 +0000")).day == DAY + timedelta(days=1)


# ------------------------------------------------------------------ no feed at all
BOMB = (
    '<?xml version="1.0"?><!DOCTYPE rss [<!ENTITY a "ha">'
    + "".join(f'<!ENTITY {chr(98 + n)} "{f"&{chr(97 + n)};" * 10}">' for n in range(20))
    + "]><rss><channel><title>&u;</title></channel></rss>"
)
NO_FEED = {
    "an error feed": ((DATA / "feed_error.xml").read_bytes(), "feed-error"),
    "an HTML page": (b"<!DOCTYPE html>\n<html><body><h1>One moment</h1><br></body></html>", "html"),
    "JSON": (b'{"error": "the format has changed"}', "not-xml"),
    "nothing": (b"", "empty-body"),
    "an Atom feed": (b'<feed xmlns="http://www.w3.org/2005/Atom"><entry/></feed>', "no-feed"),
    "an entity bomb": (BOMB.encode(), "doctype"),
    "an external entity": (b'<!DOCTYPE rss [<!ENTITY x SYSTEM "file:///etc/passwd">]><rss>&x;</rss>', "doctype"),
    "a head without items": (HEAD[:-40].encode(), "broken-xml"),
}


@pytest.mark.parametrize(("body", "reason"), NO_FEED.values(), ids=NO_FEED.keys())
def test_what_is_no_feed_is_refused_quickly(body: bytes, reason: str) -> None:
    begun = time.perf_counter()
    with pytest.raises(ParseError) as raised:
        parse_daily(body, "arxiv", LATEST)
    assert raised.value.reason == reason
    assert time.perf_counter() - begun < 1


def test_an_error_feed_says_what_arxiv_said() -> None:
    with pytest.raises(ParseError, match=r"Bad archive or subject class 'cs\.XX'"):
        parse_daily((DATA / "feed_error.xml").read_bytes(), "arxiv", LATEST)


@pytest.mark.parametrize("share", [0.3, 0.5, 0.7, 0.9])
def test_a_truncated_feed_keeps_its_whole_items_and_is_damaged(share: float) -> None:
    body = feed(*(item(n, kind="replace" if n % 3 else "new") for n in range(40)))
    cut = body[: int(len(body) * share)]
    parsed = parse_daily(cut, "arxiv", LATEST)
    assert keys(parsed) == [f"2604.{n:05d}" for n in range(cut.count(b"</item>"))]
    assert parsed.damage
