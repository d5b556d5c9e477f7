"""Mails as mailboxes read them: written by hand, read back by the standard library; small, safe, whole without style."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import lxml.html
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app import letters, subscribing
from app.digests import Digest, Pick, Receipt, Section, compose
from app.letters import Frame, encoded_header, letter_of, made_ready, written
from app.mail import harmless
from catalog.filters import Filter
from catalog.items import Item, Tag
from catalog.periods import parse_period
from catalog.storage import Storage
from catalog.storage.outbox import Letter
from catalog.subscriptions import MailFormat
from catalog.taxonomy import load_taxonomy
from tests.app.reading import BASE, NOW, Instance, body, parsed
from tests.app.seeding import COUNT, more
from tests.app.test_digests import item as plain
from tests.loopback_smtp import LoopbackSmtp

TAXONOMY = load_taxonomy()
FRAME = Frame(BASE, "Skillfeed <skillfeed@feed.example.org>")
TOKEN = "t" * 43
WEEK = parse_period("2026-W05")
INJECTIONS = [
    "x\r\nBcc: eve@evil.example", "x\nBcc: eve@evil.example", "=?utf-8?q?a=0D=0ABcc:_eve@evil.example?=",
    "x\u2028Bcc: eve@evil.example",
    "=?utf-8?b?eA0KQmNjOiBldmVAZXZpbC5leGFtcGxl?=", "x\x0bBcc: eve@evil.example", "x\x85Bcc: eve@evil.example", "\ud800 half",
    "=?=?utf-8?q?x?=?=", "\r\n\r\n<script>alert(1)</script>", "é =?utf-8?q?a=0D=0ABcc:_eve@evil.example?=", "x\x00y",
]  # fmt: skip


def mail(letter: Letter, *, frame: Frame = FRAME, token: str = TOKEN, format: MailFormat = MailFormat.HTML) -> bytes:
    return written(made_ready(letter), frame, "ada@example.org", "<1@feed.example.org>", NOW, token, format)


def item(n: int, title: str) -> Item:
    return replace(
        plain(f"item{n:04d}", Tag("deep-learning", 0.9)), title=title, url=f"https://a.example/{n}",
        authors=("Ada <b>Example</b>", "Bo\r\nBcc: x"),
    )  # fmt: skip


def digest_of(titles: list[str]) -> Digest:
    topic = TAXONOMY.topic("deep-learning")
    picks = tuple(Pick(item(n, t), 0.9, (("topic", 0.9),), f"why {t}", False) for n, t in enumerate(titles))
    return Digest(WEEK, Filter(), (Section(topic, picks),) if picks else ())


texts = st.text(max_size=400)


@settings(max_examples=60)
@given(texts, texts, texts, st.sampled_from(MailFormat))
def test_the_standard_library_reads_what_was_written(subject: str, text: str, html: str, format: MailFormat) -> None:
    text, html = (re.sub(r"[\r\x00]", " ", t).rstrip() + "\n" for t in (text, html.replace(letters.MARK, "")))
    data = mail(Letter(subject, text, html + letters.MARK + "\n</html>\n"), format=format)
    message = parsed(data)
    assert message["Subject"] == harmless(subject) or not message["Subject"].isascii()
    assert body(message).startswith(text)
    assert f"{BASE}/preferences?token={TOKEN}" in body(message)
    if format is MailFormat.HTML:
        assert message.get_content_type() == "multipart/alternative"
        assert [part.get_content_type() for part in message.iter_parts()] == ["text/plain", "text/html"]
        assert body(message, "html").startswith(html)
        assert body(message, "html").endswith("</html>\n")
    lines = data.split(b"\r\n")
    assert max(map(len, lines)) <= 998
    assert b"\n" not in b"".join(lines)
    assert b"\r" not in b"".join(lines)
    assert data.isascii()


def test_a_long_link_stays_whole_over_a_real_hop(new_storage: Callable[[], Storage], tmp_path: Path) -> None:
    base = f"https://feed.example.org/{'a-long-path/' * 16}skill"
    with LoopbackSmtp() as server:
        given = {"base_url": base, "smtp_url": f"smtp://127.0.0.1:{server.port}", "mail_from": "Zoë’s feed <feed@example.org>"}
        one = Instance(new_storage(), tmp_path, given)
        more(one.storage, range(COUNT))
        token = subscribing.add(one.context, "ada@example.org", subscribing.PLAIN).token
        one.clock.at = NOW.replace(month=2, day=2)
        assert one.deliver().sent == 1
    message = parsed(server.received[0].data)
    link = f"{base}/unsubscribe?token={token}"
    assert len(link) > 250
    assert f"List-Unsubscribe: <{link}>\r\n".encode() in server.received[0].data
    assert message["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert message["List-Id"] == "Skillfeed digest <digest.feed.example.org>"
    assert message["Auto-Submitted"] == "auto-generated"
    assert message["From"].addresses[0].display_name == "Zoë’s feed"
    assert link in body(message)
    assert f'href="{link}"' in body(message, "html")


@pytest.mark.parametrize("bad", INJECTIONS)
def test_no_text_of_strangers_becomes_a_header_or_a_part(bad: str) -> None:
    letter = replace(letter_of(digest_of([bad]), BASE), subject=bad)
    data = mail(letter)
    message = parsed(data)
    assert [name.lower() for name in message] == [
        "from", "to", "date", "message-id", "auto-submitted", "mime-version", "list-id", "list-unsubscribe",
        "list-unsubscribe-post", "precedence", "subject", "content-type",
    ]  # fmt: skip
    assert len(list(message.walk())) == 3
    again = EmailMessage()  # a mailing program that decodes and writes anew, as Python 3.11's does
    again["Subject"] = str(message["Subject"])
    assert b"\nBcc" not in again.as_bytes()
    assert "<script" not in body(message, "html")
    assert b"=?" not in encoded_header(bad) or encoded_header(bad).startswith(b"=?utf-8?b?")


def test_encoded_words_keep_to_their_length() -> None:
    value = encoded_header("Скиллфид: неделя пятая " * 6)
    assert all(len(word) <= 75 for word in value.split(b"\r\n "))


# ------------------------------------------------------------------ what is seen
@pytest.fixture(scope="module")
def full() -> Digest:
    """A digest as full as one gets, of long titles in all of the areas."""
    items = [
        replace(item(n, f"A study of the {n}th kind, with “quotes” & <tags>, that goes on for a while: " + "words " * 20),
                topics=tuple(Tag(t.slug, 0.9) for t in TAXONOMY.topics[n % 40 : n % 40 + 4]))
        for n in range(200)
    ]  # fmt: skip
    return replace(compose(items, TAXONOMY, Filter(), WEEK), receipt=Receipt(items=4113))


def test_html_is_small_of_one_column_and_asks_nobody(full: Digest) -> None:
    letter = letter_of(full, BASE)
    message = parsed(mail(letter))
    html = body(message, "html")
    assert full.size == 30
    assert len(html.encode()) < 100_000
    assert sum(len(part.as_bytes()) for part in message.iter_parts()) < 200_000
    tree: Any = lxml.html.document_fromstring(html)
    assert not tree.xpath("//img|//script|//link|//iframe|//form|//object|//video|//table|//@background|//@src")
    assert not re.search(r"url\(|@import|@font-face|expression\(", html)
    assert "max-width: 600px" in html
    assert "prefers-color-scheme: dark" in html
    assert '<meta name="color-scheme" content="light dark">' in html
    assert set(re.findall(r'href="(https?://[^/"]+)', html)) <= {BASE, "https://a.example"}
    assert not re.search(r"[?&](utm_|click|track|open)", html)  # links are the items' own: nothing is counted


def test_text_and_html_hold_the_same_items_in_the_same_order(full: Digest) -> None:
    message = parsed(mail(letter_of(full, BASE)))
    titles = re.findall(r"^\d+\. (.+)$", body(message), flags=re.M)
    tree: Any = lxml.html.document_fromstring(body(message, "html"))
    assert [h.text_content() for h in tree.xpath("//h3")] == titles
    assert len(titles) == 30
    links = re.findall(r"^   (https://feed\.example\.org/items/\w+)$", body(message), flags=re.M)
    assert [str(a) for a in tree.xpath("//h3/a/@href")] == links


def test_without_its_styles_it_reads_in_order(full: Digest) -> None:
    tree: Any = lxml.html.document_fromstring(body(parsed(mail(letter_of(full, BASE))), "html"))
    kinds = [e.tag for e in tree.xpath("//h1|//h2|//h3|//ol|//li")]
    assert kinds[:5] == ["h1", "h2", "ol", "li", "h3"]  # headings and lists say what styles show
    assert tree.get("lang") == "en"
    assert not tree.xpath("//*[@style]")
    last = tree.xpath("//footer//a")[-1]
    assert (last.text_content(), last.get("href")) == ("Leave", f"{BASE}/unsubscribe?token={TOKEN}")


def test_a_letter_that_were_too_large_loses_items_not_its_end() -> None:
    letter = letter_of(digest_of([f"{n} " + "very long " * 2000 for n in range(30)]), BASE)
    assert 50_000 < len(letter.html.encode()) < 100_000
    assert letters.MARK in letter.html
    assert len(re.findall("<h3>", letter.html)) == len(re.findall(r"^\d+\. ", letter.text, flags=re.M)) > 0


def test_a_quiet_week_says_so() -> None:
    message = parsed(mail(letter_of(Digest(WEEK, Filter(), ()), BASE)))
    assert "A quiet period" in body(message)
    assert "A quiet period" in body(message, "html")


@pytest.mark.parametrize("known", [False, True])
def test_the_question_holds_one_link_that_asks(known: bool) -> None:
    letter = letters.question(FRAME, "c" * 43, TOKEN, known=known)
    data = written(made_ready(letter), FRAME, "ada@example.org", "<1@x>", NOW, TOKEN, MailFormat.HTML, digest=False)
    message = parsed(data)
    assert message.get_content_type() == "text/plain"
    assert message["List-Unsubscribe"] is None
    assert body(message).count("/confirm?token=") == 1
    assert ("/preferences?token=" in body(message)) is known


@pytest.mark.parametrize("backend", ["sqlite"], indirect=True)
def test_each_item_and_each_filter_is_written_once(
    new_storage: Callable[[], Storage], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    one = Instance(new_storage(), tmp_path)
    more(one.storage, range(COUNT))
    composed: list[Digest] = []

    def counted(digest: Digest, base_url: str) -> Letter:
        composed.append(digest)
        return letter_of(digest, base_url)

    monkeypatch.setattr(letters, "letter_of", counted)
    for n in range(12):
        choices = replace(subscribing.PLAIN, filter=(("topic", "deep-learning"),) if n % 3 else (), hour=n % 2)
        subscribing.add(one.context, f"r{n}@example.org", choices)
    one.clock.at = datetime(2026, 2, 2, 12, tzinfo=UTC)
    assert one.deliver().sent == 12
    assert len(composed) == 2
