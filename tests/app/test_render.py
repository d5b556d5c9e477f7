"""Renderers: harmless whatever a title holds, complete for the reader, the same bytes each time."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import replace
from datetime import date
from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app import phrases
from app.digests import Digest, Gap, PartReceipt, Pick, Receipt, compose
from app.render import FORMATS, as_html, as_json, as_markdown, as_text, markdown_escape, render
from catalog.entries import Basis, Kind
from catalog.errors import UnknownName
from catalog.filters import Filter
from catalog.items import EntryRef, Evidence, Item, News, Tag
from catalog.periods import Period, day_of, month_of, parse_period
from catalog.taxonomy import load_taxonomy

BASE = "https://feed.example"
TAXONOMY = load_taxonomy()
WEEK = parse_period("2026-W05")
HOSTILE = (
    "<script>alert(1)</script>",
    "</title><svg onload=alert(1)>",
    "\"'><img src=x onerror=alert(1)>",
    "{{ 7*7 }}{% raw %}",
    "[click](javascript:alert(1))",
    "![x](https://evil.example/pixel.png)",
    "<https://evil.example>",
    "see https://evil.example now",
    "www.evil.example",
    "`code` *bold* __strong__ ~~gone~~",
    "# heading\n\n- list\r\n> quote",
    "1. one",
    "+ plus",
    "a | b | c",
    "line\u2028separator\u2029and\x00nul\u202eevil",
    "<!-- --><![CDATA[ ]]>",
    "&lt;b&gt; &amp;amp; &#106;",
    "\\[escaped\\](x)",
    '=HYPERLINK("https://evil.example")',
    "x" * 900,
    "$\\frac{1}{2}$ @everyone",
    "<style>*{display:none}</style>",
)


def item(title: str = "A Plain Title", url: str = "https://arxiv.org/abs/2601.00001", **more: object) -> Item:
    given = {
        "id": "0123456789abcdef",
        "position": 1,
        "kind": Kind.PAPER,
        "title": title,
        "url": url,
        "authors": ("Ada Example", "Bo Sample", "Zoë Ünïcode", "Fourth Author"),
        "venue": "",
        "announced": date(2026, 1, 28),
        "estimated": False,
        "submitted": None,
        "updated": None,
        "withdrawn": False,
        "categories": ("cs.LG", "stat.ML"),
        "topics": (Tag("deep-learning", 0.9, (Evidence("title", "Plain", 2, 7),)), Tag("language-models", 0.5)),
        "entries": (EntryRef("arxiv", "2601.00001", url, 1, date(2026, 1, 28), Basis.STATED),),
    }
    return Item(**{**given, **more})  # type: ignore[arg-type]


def digest(*items: Item, period: Period = WEEK) -> Digest:
    made = compose(items or (item(),), TAXONOMY, Filter(), period)
    receipt = Receipt(
        12,
        (PartReceipt("arxiv", "cs.LG", 1200, 1199), PartReceipt("arxiv", "stat.ML", 30, 30)),
        (Gap("arxiv", "cs.LG", date(2026, 1, 29), ("2601.00009",), "the feed was short"),),
    )
    return replace(made, receipt=receipt)


class Live(HTMLParser):
    """Collects elements, and what a browser would load, follow or run."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.elements: list[str] = []
        self.open: list[str] = []
        self.problems: list[str] = []
        self.links: list[str] = []
        self.feed(text)
        self.close()
        self.problems += [f"{tag} not closed" for tag in self.open]

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append(tag)
        if tag not in ("meta", "link", "br", "img", "input", "hr", "rect", "line", "path"):
            self.open.append(tag)
        for name, value in attrs:
            if name.startswith("on") or name == "src":
                self.problems.append(f"{tag} {name}={value}")
            if name in ("href", "action"):
                self.links.append(value or "")

    def handle_endtag(self, tag: str) -> None:
        if self.open and self.open[-1] == tag:
            self.open.pop()
        elif tag not in ("rect", "line", "path"):
            self.problems.append(f"</{tag}> closes {self.open[-1:]}")


# ------------------------------------------------------------------ what strangers wrote
@pytest.mark.parametrize("bad", HOSTILE)
def test_html_holds_no_live_part_of_a_title(bad: str) -> None:
    hostile = item(bad, authors=(bad,), venue=bad, comment=bad, topics=(Tag("deep-learning", 0.9, (Evidence("title", bad),)),))
    news = replace(hostile, news=(News(bad, date(2026, 1, 28), bad),))
    plain, live = Live(as_html(digest(), BASE)), Live(as_html(digest(news), BASE))
    assert live.problems == []
    assert sorted(set(live.elements)) == sorted({*plain.elements, "p"})
    assert all(link.startswith((BASE, "https://arxiv.org/")) for link in live.links)


@pytest.mark.parametrize("bad", HOSTILE)
def test_text_keeps_a_title_on_its_line(bad: str) -> None:
    expected = len(as_text(digest(), BASE).split("\n"))
    text = as_text(digest(item(bad, authors=(bad, bad, bad))), BASE)
    assert len(text.split("\n")) == expected == len(text.splitlines()) + 1
    assert not re.search("[\x00-\x09\x0b-\x1f\u202a-\u202e\u2028\u2029]", text)


@pytest.mark.parametrize("bad", HOSTILE)
def test_markdown_holds_only_our_own_links(bad: str) -> None:
    text = as_markdown(digest(item(bad, authors=(bad,), venue=bad)), BASE)
    assert len(text.split("\n")) == len(as_markdown(digest(), BASE).split("\n"))
    bare = re.sub(r"\\[!-/:-@\[-`{-~]", "", text)  # escaped marks are text
    links = re.findall(r"\]\(([^)]*)\)", bare)
    assert all(link.startswith((BASE, "https://arxiv.org/")) for link in links)
    assert len(links) == bare.count("](") == 3
    assert not re.search(r"<|!\[|`", bare)
    assert not re.search(r"(?<!\()https?://|www\.", bare)


@given(st.text(max_size=80))
def test_every_mark_of_markdown_is_escaped(text: str) -> None:
    escaped = markdown_escape(text)
    bare = re.sub(r"\\[!-/:-@\[-`{-~]", "", escaped)
    assert not re.search(r"[`*_\[\]<>|#\\]", bare)
    assert "\n" not in escaped
    assert re.sub(r"\\([!-/:-@\[-`{-~])", r"\1", escaped) == phrases.one_line(text)


@pytest.mark.parametrize(
    "url",
    [
        "javascript:alert(1)",
        "JaVaScRiPt:alert(1)",
        " javascript:alert(1)",
        "java\nscript:alert(1)",
        "data:text/html,<script>1</script>",
        "vbscript:x",
        "file:///etc/passwd",
        "//evil.example/x",
        "/relative",
        "ftp://example.org/x",
        "http://",
        "https://user:pw@evil.example/",
        "https://arxiv.org\\@evil.example",
        "http://[::1",
        "",
        "mailto:a@example.org",
        "https://ex\u202eample.org/",
    ],
)
def test_addresses_that_are_not_of_the_web_are_left_out(url: str) -> None:
    assert phrases.safe_url(url) == ""
    shown = digest(item(url=url))
    live = Live(as_html(shown, BASE))
    assert all(link.startswith(BASE) for link in live.links)
    assert "](" + url not in as_markdown(shown, BASE) or not url


def test_good_addresses_stay_what_they_are() -> None:
    for url in (
        "https://arxiv.org/abs/2601.00001v2",
        "http://example.org/a?b=c&d=%20e#f",
        "https://example.org/(x)/ü".replace("ü", "%C3%BC"),
    ):
        assert phrases.safe_url(url) == url
    assert phrases.safe_url('https://example.org/a"b<c> d') == "https://example.org/a%22b%3Cc%3E%20d"


# ------------------------------------------------------------------ what a reader gets
@pytest.mark.parametrize("form", ["text", "md", "html"])
def test_each_item_shows_date_source_topics_and_why(form: str) -> None:
    text = render(digest(), form, BASE)
    for said in (
        "A Plain Title",
        "Wed 28 Jan 2026",
        "arXiv",
        "Deep learning",
        "Language models",
        "Ada Example, Bo Sample, Zoë Ünïcode et al.",
        "“plain” in the title",
        "announced 28 Jan in cs.LG",
        "https://arxiv.org/abs/2601.00001",
        f"{BASE}/items/0123456789abcdef",
        "Week 5 of 2026",
        "26 Jan – 1 Feb 2026",
        "cs.LG 1,199 of 1,200",
        "stat.ML 30 of 30",
        "Thu 29 Jan 2026: 1 missing (2601.00009)",
    ):  # fmt: skip
        assert said in text, said


def test_json_has_the_promised_form() -> None:
    found = item(
        announced=date(2026, 1, 27), news=(News("code", date(2026, 1, 28), "repository"),), topics=(Tag("deep-learning", 0.9),)
    )
    data = as_json(digest(found), BASE)
    assert list(data) == ["period", "filter", "sections", "receipt"]
    assert data["period"] == "2026-W05"
    (section,) = data["sections"]
    assert section["topic"] == "deep-learning"
    (told,) = section["items"]
    assert {
        "id",
        "kind",
        "title",
        "authors",
        "url",
        "venue",
        "announced",
        "topics",
        "score",
        "parts",
        "why",
        "late",
        "news",
    } <= set(told)
    assert told["announced"] == "2026-01-27"
    assert told["late"] is False
    assert told["news"] == [{"what": "code", "day": "2026-01-28", "text": "repository", "status": None}]
    assert round(sum(told["parts"].values()), 3) == told["score"]
    assert json.loads(render(digest(found), "json", BASE)) == data


def test_json_tells_the_filter() -> None:
    asked = Filter(topics=("deep-learning",), kinds=(Kind.PAPER,), since=date(2026, 1, 27), q="sparse")
    made = replace(digest(), filter=asked)
    assert as_json(made, BASE)["filter"] == {
        "topic": ["deep-learning"],
        "kind": ["paper"],
        "since": "2026-01-27",
        "q": "sparse",
    }


def test_html_is_a_document_fit_for_mail() -> None:
    text = as_html(digest(), BASE)
    assert text.startswith('<!DOCTYPE html>\n<html lang="en">')
    assert len(text.encode()) < 102_000
    live = Live(text)
    assert live.problems == []
    assert live.elements.count("h1") == 1
    assert not {"script", "img", "link", "iframe", "object", "form"} & set(live.elements)
    assert "url(" not in text
    assert "@import" not in text


@pytest.mark.parametrize("form", FORMATS)
def test_the_same_digest_gives_the_same_bytes(form: str) -> None:
    items = [item(f"Title {k}", id=f"{k:016d}") for k in range(9)]
    assert render(digest(*items), form, BASE) == render(digest(*reversed(items)), form, BASE)


def test_a_quiet_period_is_told_in_every_format() -> None:
    quiet = replace(compose((), TAXONOMY, Filter(), WEEK), receipt=Receipt())
    for form in ("text", "md", "html"):
        text = render(quiet, form, BASE)
        assert "A quiet period: nothing was announced." in text
        assert "No announced batch of this period has been checked yet." in text
    assert as_json(quiet, BASE)["sections"] == []


def test_many_gaps_are_cut_with_their_number() -> None:
    gap = Gap("arxiv", "cs.LG", date(2026, 1, 29), (), "not checked")
    made = replace(digest(), receipt=Receipt(1, (), (gap,) * 20))
    assert as_text(made, BASE).count("Gap: ") == 8
    assert "12 more gaps" in as_text(made, BASE)


def test_late_and_news_are_said() -> None:
    late = item(
        announced=date(2026, 1, 20), news=(News("accepted", date(2026, 1, 27), "ICML 2026", "confirmed"),), estimated=True
    )
    for form in ("text", "md", "html"):
        text = render(digest(late), form, BASE)
        assert "; late" in text
        assert "News of " in text
        assert "27 Jan" in text
        assert "accepted at ICML 2026" in text
        assert "about Tue 20 Jan 2026" in text.replace("about </", "</")


def test_another_format_is_refused() -> None:
    with pytest.raises(UnknownName, match="pdf"):
        render(digest(), "pdf", BASE)


# ------------------------------------------------------------------ phrases
@pytest.mark.parametrize(
    ("period", "name", "days"),
    [
        (WEEK, "Week 5 of 2026", "26 Jan – 1 Feb 2026"),
        (parse_period("2026-W04"), "Week 4 of 2026", "19 – 25 Jan 2026"),
        (parse_period("2026-W01"), "Week 1 of 2026", "29 Dec 2025 – 4 Jan 2026"),
        (day_of(date(2026, 1, 28)), "Wed 28 Jan 2026", "Wed 28 Jan 2026"),
        (month_of(date(2026, 1, 28)), "January 2026", "1 – 31 Jan 2026"),
    ],
)
def test_periods_in_words(period: Period, name: str, days: str) -> None:
    assert (phrases.period_name(period), phrases.period_days(period)) == (name, days)


@pytest.mark.parametrize(
    ("say", "given", "said"),
    [
        (phrases.source_name, "arxiv", "arXiv"),
        (phrases.source_name, "virtual-icml", "ICML programme"),
        (phrases.source_name, "virtual-aistats", "AISTATS programme"),
        (phrases.source_name, "feed:My blog", "My blog"),
        (phrases.some_names, ("A", "B", "C"), "A, B, C"),
        (phrases.some_names, ("A", "B", "C", "D"), "A, B, C et al."),
        (phrases.some_names, (), ""),
    ],
)
def test_names_in_words(say: Callable[[object], str], given: object, said: str) -> None:
    assert say(given) == said


def test_picks_are_plain_data() -> None:
    (section,) = digest().sections
    assert isinstance(section.items[0], Pick)
    assert hash(section.items[0]) == hash(replace(section.items[0]))
