from __future__ import annotations

import time
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalog.errors import ParseError
from ingest.formats.xml import Document, read_xml

HEAD = '<?xml version="1.0" encoding="UTF-8"?>\n'


def page(*items: str, tail: str = "</list></page>") -> bytes:
    """An envelope around items."""
    return f'{HEAD}<page xmlns="urn:x" xmlns:d="urn:d"><title>T</title><br/><list>{"".join(items)}{tail}'.encode()


def item(text: str) -> str:
    return f"<item>{text}</item>"


def texts(document: Document) -> list[str]:
    """What the kept items say."""
    return [str(e.text or "") for e in document.root.iter("{urn:x}item")]


def test_a_sound_document_is_left_alone() -> None:
    document = read_xml(page(item("one &amp; &lt;two&gt; &#233;"), item("ü")), "item")
    assert texts(document) == ["one & <two> é", "ü"]
    assert (document.lost, document.damage) == (0, "")


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        pytest.param(b"", "empty-body", id="nothing is an empty body"),
        pytest.param(b" \r\n\t ", "empty-body", id="white space is an empty body"),
        pytest.param(b"<!DOCTYPE html>\n<html><body>sorry</body></html>", "html", id="an HTML page is told from XML"),
        pytest.param(b"\n\n<HTML><body>sorry</body></HTML>", "html", id="HTML in capitals after line ends too"),
        pytest.param(b'{"error": "moved"}', "not-xml", id="JSON is no XML"),
        pytest.param(b"Rate exceeded.", "not-xml", id="plain text is no XML"),
        pytest.param(b"\x1f\x8b\x08\x00\xff", "not-xml", id="packed bytes are no XML"),
        pytest.param(b"<page><item", "broken-xml", id="half a start tag is broken"),
        pytest.param(b"<page><list>no blocks", "broken-xml", id="no block, nothing to save"),
        pytest.param(b"<a>" * 300 + b"<item>x</item>", "broken-xml", id="absurd nesting is refused"),
    ],
)
def test_what_is_no_document_is_refused_with_its_reason(body: bytes, reason: str) -> None:
    with pytest.raises(ParseError) as raised:
        read_xml(body, "item")
    assert raised.value.reason == reason
    assert "\n" not in str(raised.value)


BOMB = (
    '<!DOCTYPE x [<!ENTITY a "ha">' + "".join(f'<!ENTITY {chr(98 + n)} "{f"&{chr(97 + n)};" * 10}">' for n in range(20)) + "]>"
)


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(f"{HEAD}{BOMB}<page>&u;</page>".encode(), id="an entity bomb"),
        pytest.param(f'{HEAD}<!DOCTYPE page SYSTEM "file:///etc/passwd"><page/>'.encode(), id="an external DTD"),
        pytest.param(
            f'{HEAD}<!DOCTYPE p [<!ENTITY e SYSTEM "file:///etc/passwd">]><p>&e;</p>'.encode(), id="an external entity"
        ),
        pytest.param(f"{HEAD}<!--{'x' * 4000}-->{BOMB}<page>&u;</page>".encode(), id="a bomb behind a long comment"),
        pytest.param(f"<?xml version='1.0' encoding='UTF-16'?>{BOMB}<page>&u;</page>".encode("utf-16"), id="a bomb in UTF-16"),
        pytest.param(f"{BOMB}<page>&u;</page>".encode("utf-16-le"), id="a bomb in UTF-16 without mark"),
        pytest.param(
            f"{HEAD}<!--{'x' * 4000}-->{BOMB}<page><item>&u;</item><item></page>".encode(), id="a bomb in a broken one"
        ),
    ],
)
def test_a_document_type_is_refused_quickly(body: bytes) -> None:
    begun = time.perf_counter()
    with pytest.raises(ParseError) as raised:
        read_xml(body, "item")
    assert raised.value.reason in ("doctype", "not-xml", "broken-xml")
    assert time.perf_counter() - begun < 1


@pytest.mark.parametrize(
    ("said", "read"),
    [
        pytest.param("a&nbsp;b", "a\xa0b", id="an HTML entity becomes its character"),
        pytest.param("caf&eacute;", "café", id="also an accented one"),
        pytest.param("AT&T", "AT&T", id="a bare ampersand is text"),
        pytest.param("a & b", "a & b", id="so it is between blanks"),
        pytest.param("&bogus;", "&bogus;", id="an unknown entity is text"),
        pytest.param("a&LT;b", "a&LT;b", id="no entity opens a tag"),
        pytest.param("x\x0cy\x01", "xy", id="control characters are dropped"),
        pytest.param("x&#12;y&#x1F;&#0;z&#xD800;", "xyz", id="so are references to them"),
        pytest.param("&#233;&#x1F600; \x02", "é😀 ", id="other references stay"),
    ],
)
def test_what_can_be_mended_loses_nothing(said: str, read: str) -> None:
    document = read_xml(page(item(said), item("next")), "item")
    assert texts(document) == [read, "next"]
    assert (document.lost, document.damage) == (0, "")


@pytest.mark.parametrize(
    ("body", "read"),
    [
        pytest.param(b"\xef\xbb\xbf" + page(item("ü")), "ü", id="a byte-order mark"),
        pytest.param(
            page(item("ü")).replace(b"UTF-8", b"ISO-8859-1").decode().encode("latin-1"), "ü", id="Latin-1 that says so"
        ),
        pytest.param(
            page(item("–ü")).replace(b"UTF-8", b"windows-1252").decode().encode("cp1252"), "–ü", id="Windows-1252 that says so"
        ),
        pytest.param(page(item("–ü")).decode().encode("cp1252"), "–ü", id="Windows-1252 that says UTF-8"),
        pytest.param(
            page(item("Łódź") + item("XX")).replace(b"XX", b"caf\xe9"), "Łódź", id="one wrong byte spoils no other text"
        ),
        pytest.param(page(item("Łódź")).replace(b"UTF-8", b"US-ASCII"), "Łódź", id="UTF-8 that says ASCII"),
    ],
)
def test_the_encoding_is_what_the_bytes_are(body: bytes, read: str) -> None:
    document = read_xml(body, "item")
    assert texts(document)[0] == read
    assert (document.lost, document.damage) == (0, "")


def test_a_truncated_document_keeps_its_whole_blocks_and_is_damaged() -> None:
    whole = page(*(item(f"n{n}") for n in range(10)))
    document = read_xml(whole[: whole.index(b"n7") + 1], "item")
    assert texts(document) == [f"n{n}" for n in range(7)]
    assert document.lost == 1
    assert document.damage


def test_a_document_cut_between_blocks_is_damaged_though_no_block_is_lost() -> None:
    whole = page(item("one"), item("two"))
    document = read_xml(whole[: whole.index(b"</list>")], "item")
    assert (texts(document), document.lost) == (["one", "two"], 0)
    assert document.damage


@pytest.mark.parametrize(
    "broken",
    ["<item>a <b> c</item>", "<item>never closed", "<item>a < b</item>", "<item x=1>y</item>", "<item><d:a></item>", "<item>"],
)
def test_a_broken_block_is_lost_alone_and_what_follows_is_kept(broken: str) -> None:
    document = read_xml(page(item("one"), broken, item("three"), tail="<token>t</token></list></page>"), "item")
    assert texts(document) == ["one", "three"]
    assert document.root.findtext("{urn:x}list/{urn:x}token") == "t"
    assert (document.lost, document.damage) == (1, "")


def test_stray_text_between_blocks_may_have_been_a_block_and_is_damage() -> None:
    document = read_xml(page(item("one"), "<itXem>two</item>", item("three")), "item")
    assert texts(document) == ["one", "three"]
    assert document.damage


def test_a_broken_document_of_many_blocks_is_read_in_linear_time() -> None:
    opening = "<x>" + "<a></a>" * 200_000
    begun = time.perf_counter()
    document = read_xml(f"<page>{opening}</x>{item('y') * 20_000}<item>".encode(), "item")
    assert document.lost == 1
    assert time.perf_counter() - begun < 5


@given(st.lists(st.text(st.characters(codec="utf-8"), max_size=30), max_size=6), st.data())
def test_any_cut_of_any_page_is_read_or_refused(words: list[str], data: st.DataObject) -> None:
    body = page(*(item(w.replace("<", "&lt;")) for w in words))
    cut = body[: data.draw(st.integers(0, len(body)))]
    with suppress(ParseError):
        assert len(texts(read_xml(cut, "item"))) <= len(words)
