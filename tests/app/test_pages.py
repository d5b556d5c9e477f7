"""Pages: every state, well-formed, harmless, linked, small, and safe under the content policy."""

from __future__ import annotations

import gzip
import re
import shutil
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any
from urllib.parse import urljoin, urlsplit

import lxml.html
import pytest
from starlette.testclient import TestClient

from app.context import Context
from app.main import create_app
from app.pages import charts, error_page
from app.pages.views import marked
from catalog.filters import make_cursor
from catalog.items import Evidence, Tag
from catalog.outcomes import Outcome
from catalog.settings import Settings
from catalog.storage import Storage, items, sources
from catalog.storage.sources import Batch
from catalog.taxonomy import load_taxonomy
from tests.app import seed_pages
from tests.app.seed_pages import NOW, Seed
from tests.app.test_render import HOSTILE, Live
from tests.databases import Run

TAXONOMY = load_taxonomy()
KNOWN = {t.slug: t for t in TAXONOMY.topics}
BASE = "http://127.0.0.1:8000"


class Now:
    """Always the same instant."""

    def now(self) -> datetime:
        return NOW


def client(storage: Storage, **settings: Any) -> TestClient:
    given = {"data_dir": Path("data"), "base_url": BASE, "rate_limit": "off", **settings}
    return TestClient(create_app(Context(Settings.model_validate(given), storage, TAXONOMY, Now())), base_url=BASE)


@pytest.fixture
def storage(tmp_path: Path, run: Run) -> Iterator[Storage]:
    """An empty store; on SQLite, as one test holds the pages of both databases together."""
    path = tmp_path / "pages.db"
    shutil.copyfile(run.sqlite_template(), path)
    opened = Storage(f"sqlite:///{path}", upgrade=False)
    yield opened
    opened.close()


@pytest.fixture
def empty(storage: Storage) -> TestClient:
    """Pages of an empty store."""
    return client(storage)


@pytest.fixture
def site(storage: Storage) -> TestClient:
    """Pages of two invented weeks."""
    seed_pages.seed(storage)
    return client(storage)


def paths(site: TestClient) -> list[str]:
    """One page of each kind."""
    found = re.search(r"/items/[0-9a-z]{16}", site.get("/").text)
    assert found
    return [
        "/",
        "/?period=2026-W04",
        "/?period=2026-W05&area=algorithms",
        "/?period=2026-01-28&q=sparse&kind=paper",
        "/?period=2026-01",
        "/areas",
        "/areas/algorithms",
        "/topics/deep-learning",
        "/topics/python",
        found[0],
        "/search",
        "/search?q=sparse",
        "/search?q=-x",
        "/search?q=sparse&area=algorithms",
        "/search?q=nowheretobefound",
        "/status",
        "/about",
    ]


def check(text: str) -> Any:
    """What every page must be; gives its tree."""
    live = Live(text)
    assert live.problems == []
    assert text.startswith('<!DOCTYPE html>\n<html lang="en">')
    tree: Any = lxml.html.document_fromstring(text)
    assert len(tree.findall(".//h1")) == 1
    assert tree.findtext(".//title")
    assert len(tree.findall(".//main")) == 1
    assert not tree.xpath("//script|//style|//iframe|//object|//base|//img|//*[@style]|//meta[@http-equiv]")
    ids = tree.xpath("//@id")
    assert len(ids) == len(set(ids))
    for field in tree.xpath("//input[not(@type='hidden')]|//select"):
        assert tree.xpath(f"//label[@for='{field.get('id')}']") or field.xpath("ancestor::label"), field.get("name")
    for graphic in tree.xpath("//svg"):
        assert graphic.get("aria-hidden") == "true" or graphic.findtext("title"), "a chart without a title"
    for link in tree.xpath("//a"):
        assert link.text_content().strip(), link.get("href")
        assert re.match(r"(https?://|/|#)", link.get("href")), link.get("href")
    for name in {n for value in tree.xpath("//@aria-labelledby|//@aria-describedby") for n in value.split()}:
        assert name in ids, name
    for fragment in tree.xpath("//a[starts-with(@href, '#')]/@href"):
        assert fragment[1:] in ids
    levels = [int(h.tag[1]) for h in tree.xpath("//h1|//h2|//h3|//h4")]
    assert levels[0] == 1
    assert all(after - before <= 1 for before, after in pairwise(levels)), levels
    return tree


# ------------------------------------------------------------------ every page
def test_pages_are_well_formed_small_and_free_of_live_parts(site: TestClient) -> None:
    for path in paths(site):
        answer = site.get(path)
        assert answer.status_code == 200, path
        assert answer.headers["content-type"] == "text/html; charset=utf-8"
        check(answer.text)
        assert len(gzip.compress(answer.content)) < 60_000
        assert "refresh" not in answer.headers


@pytest.mark.postgres
def test_both_databases_give_the_same_pages(site: TestClient, postgres_database: Callable[..., str]) -> None:
    other = Storage(postgres_database(migrated=True), upgrade=False)
    try:
        seed_pages.seed(other)
        there = client(other)
        for path in paths(site):
            assert there.get(path).content == site.get(path).content, path
    finally:
        other.close()


@pytest.mark.slow
def test_all_internal_links_lead_somewhere(site: TestClient) -> None:
    seen: set[str] = set()
    waiting = ["/"]
    while waiting:
        path = waiting.pop()
        if path in seen or len(seen) > 400:
            continue
        seen.add(path)
        answer = site.get(path)
        assert answer.status_code == 200, path
        if not answer.headers["content-type"].startswith("text/html"):
            continue
        tree = check(answer.text)
        for href in tree.xpath("//a/@href|//link/@href|//form/@action"):
            target = urlsplit(urljoin(BASE + path, href))
            if target.netloc == urlsplit(BASE).netloc:
                waiting.append(target.path + (f"?{target.query}" if target.query else ""))
    assert len(seen) > 100


def test_pages_answer_conditional_requests(site: TestClient) -> None:
    for path in ("/", "/status", "/static/style.css"):
        first = site.get(path)
        again = site.get(path, headers={"If-None-Match": first.headers["etag"]})
        assert (again.status_code, again.content) == (304, b"")
        assert site.get(path, headers={"If-None-Match": 'W/"other"'}).status_code == 200


def test_the_style_sheet_is_kept_for_long_under_its_version(site: TestClient) -> None:
    found = re.search(r'href="(/static/style\.css\?v=[0-9a-f]+)"', site.get("/").text)
    assert found
    answer = site.get(found[1])
    assert answer.headers["content-type"] == "text/css; charset=utf-8"
    assert answer.headers["cache-control"] == "public, max-age=31536000, immutable"
    assert "immutable" not in site.get("/static/style.css?v=0").headers["cache-control"]
    assert "url(" not in answer.text
    assert "@import" not in answer.text
    assert site.get("/favicon.ico").headers["content-type"] == "image/svg+xml"
    assert site.get("/static/nothing.css").status_code == 404
    assert site.get("/static/..%2froutes.py").status_code == 404


def test_links_stay_below_a_path_of_the_base_address(storage: Storage) -> None:
    seed_pages.seed(storage)
    tree = check(client(storage, base_url="https://example.org/feed").get("/").text)
    inner = [h for h in tree.xpath("//a/@href|//link/@href|//form/@action") if h.startswith("/")]
    assert inner
    assert all(h.startswith("/feed/") for h in inner)


# ------------------------------------------------------------------ the week
def test_the_week_shows_areas_with_picks_and_reasons(site: TestClient) -> None:
    tree = check(site.get("/").text)
    assert "Week 5 of 2026" in tree.findtext(".//h1")
    named = [h.text_content() for h in tree.xpath("//h2[@id]")]
    assert "3Machine learning algorithms" in named
    assert len(tree.xpath("//li[@class='item']")) > 20
    for entry in tree.xpath("//li[@class='item']"):
        assert entry.xpath(".//time/@datetime")[0].startswith("2026-01-")
        assert entry.xpath("string(.//p[@class='why'])")
        assert "arXiv" in entry.xpath("string(.//p[@class='meta'])")
    assert tree.xpath("//a[@rel='prev']/@href") == ["/?period=2026-W04"]
    assert tree.xpath("//a[@rel='next']") == []


def test_weeks_are_linked_both_ways_and_keep_the_filter(site: TestClient) -> None:
    tree = check(site.get("/?period=2026-W04&area=algorithms").text)
    assert tree.xpath("//a[@rel='prev']/@href") == ["/?period=2026-W03&area=algorithms"]
    assert tree.xpath("//a[@rel='next']/@href") == ["/?period=2026-W05&area=algorithms"]
    assert {a.get("href") for a in tree.xpath("//h2[@id]/a")} == {"/areas/algorithms"}
    chip = tree.xpath("//p[@class='chips']/a")[0]
    assert chip.text_content().startswith("Machine learning algorithms")
    assert chip.get("href") == "/?period=2026-W04"


def test_the_default_is_the_last_complete_week_until_wednesday(storage: Storage) -> None:
    class Tuesday:
        def now(self) -> datetime:
            return datetime(2026, 2, 3, 9, 0, tzinfo=UTC)

    seed_pages.seed(storage)
    settings = Settings.model_validate({"data_dir": Path("data")})
    with TestClient(create_app(Context(settings, storage, TAXONOMY, Tuesday())), base_url=BASE) as site:
        assert "Week 5 of 2026" in site.get("/").text


def test_counts_stand_beside_the_areas_and_topics(site: TestClient, storage: Storage) -> None:
    tree = check(site.get("/").text)
    with storage.read() as db:
        held = items.counts(db, "area", date(2026, 1, 26), date(2026, 2, 1))
    shown = {
        a.xpath("string(./span[2])"): a.xpath("string(./span[@class='n'])") for a in tree.xpath("//nav[@class='side']//li/a")
    }
    assert shown["Machine learning algorithms"] == f"{held['algorithms']} items"
    assert shown["Portfolio and open source"] == "0 items"


def test_the_receipt_names_the_gap(site: TestClient) -> None:
    text = site.get("/").text
    assert "stat.ML, Thu 29 Jan 2026: 1 missing (2601.99999); the listing has one more than the feed." in text
    assert "overlap" in text


# ------------------------------------------------------------------ states
def test_a_source_that_fails_is_told_with_reason_since_and_next_try(site: TestClient) -> None:
    for path in ("/", "/status"):
        note = check(site.get(path).text).xpath("//div[@class='note bad']")[0].text_content()
        assert "CVF open access could not be reached: https://cvf.example/index: <b>no answer</b> within 30 s" in note
        assert "since Wed 28 Jan 2026, 10:00 UTC; next try Fri 30 Jan 2026, 14:00 UTC." in note
        assert "No source could be reached" not in note


def test_instants_are_shown_in_the_zone_of_the_instance(storage: Storage) -> None:
    seed_pages.seed(storage)
    text = client(storage, timezone="Europe/Berlin").get("/").text
    assert '<time datetime="2026-01-28T10:00:00Z">Wed 28 Jan 2026, 11:00 CET</time>' in text


def test_no_network_at_all(storage: Storage) -> None:
    with storage.write() as db:
        sources.register(db, {"arxiv": True}, NOW)
    seed_pages.visit(storage, "arxiv", Outcome.FAILED, hours=1, error="https://export.arxiv.org: no route to host")
    for path in ("/", "/status"):
        text = client(storage).get(path).text
        check(text)
        assert "No source could be reached." in text
        assert "no route to host" in text
    assert "There is nothing to show yet." in client(storage).get("/").text


@pytest.mark.parametrize(
    ("outcome", "said"), [(Outcome.STALE, "served an old or short batch"), (Outcome.PARTIAL, "did not give everything")]
)
def test_other_troubles_have_their_own_words(storage: Storage, outcome: Outcome, said: str) -> None:
    with storage.write() as db:
        sources.register(db, {"arxiv": True}, NOW)
    seed_pages.visit(storage, "arxiv", outcome, hours=1, error="cs.LG")
    assert said in client(storage).get("/").text


def test_before_the_first_visit(empty: TestClient) -> None:
    text = empty.get("/").text
    check(text)
    assert "No source has been visited." in text
    assert "refresh" not in empty.get("/").headers
    for path in ("/areas", "/areas/algorithms", "/topics/deep-learning", "/search?q=x", "/status", "/about"):
        answer = empty.get(path)
        assert answer.status_code == 200
        check(answer.text)


def test_during_the_first_visit_the_page_counts_and_comes_again(storage: Storage) -> None:
    seed_pages.begin(storage, "arxiv")
    site = client(storage)
    first = site.get("/")
    check(first.text)
    assert "First visit to arXiv: 0 papers so far." in first.text
    assert first.headers["refresh"] == "5"
    seed_pages.put(storage, [Seed("A paper", NOW.date()), Seed("Another paper", NOW.date())])
    for path in ("/", "/status"):
        answer = site.get(path, headers={"If-None-Match": first.headers["etag"]})
        assert answer.status_code == 200
        assert "First visit to arXiv: 2 papers so far." in answer.text
        assert answer.headers["refresh"] == "5"
    seed_pages.visit(storage, "arxiv", Outcome.OK, hours=0)
    assert "First visit" not in site.get("/").text
    assert "refresh" not in site.get("/").headers


def test_a_killed_first_visit_does_not_refresh_for_ever(storage: Storage) -> None:
    seed_pages.begin(storage, "arxiv")
    with storage.write() as db:  # as the next to ask finds it
        db.exec_driver_sql("UPDATE leases SET owner = '' WHERE name = 'source:arxiv'")
    assert "refresh" not in client(storage).get("/").headers


def test_quiet_periods(site: TestClient) -> None:
    assert "Nothing is held from this period." in site.get("/?period=2025-W02").text
    assert 'href="/?period=2026-W05"' in site.get("/?period=2025-W02").text
    assert "A quiet period for this filter." in site.get("/?topic=python").text
    assert "This period has not begun." in site.get("/?period=2027-W02").text
    for path in ("/?period=2025-W02", "/?topic=python", "/?period=2027-W02"):
        check(site.get(path).text)


# ------------------------------------------------------------------ topics, areas, search
def test_a_topic_has_description_trend_and_newest_items(site: TestClient, storage: Storage) -> None:
    tree = check(site.get("/topics/deep-learning").text)
    assert KNOWN["deep-learning"].description in tree.text_content()
    with storage.read() as db:
        held = items.counts(db, "topic")["deep-learning"]
    assert len(tree.xpath("//li[@class='item']")) == held
    numbers = [int(n) for n in tree.xpath("//details//td[@class='number']/text()")]
    assert (len(numbers), sum(numbers)) == (26, held)
    assert all("Deep learning" in w for w in tree.xpath("//p[@class='why']/text()"))


def test_lists_go_on_by_cursor_without_loss(storage: Storage) -> None:
    days = [NOW.date() - timedelta(days=k % 20) for k in range(95)]
    seed_pages.put(storage, [Seed(f"Paper {k}", day) for k, day in enumerate(days)])
    site = client(storage)
    for start in ("/topics/deep-learning", "/areas/algorithms", "/search?q=paper"):
        path, titles = start, []
        while path:
            tree = check(site.get(path).text)
            titles += tree.xpath("//li[@class='item']//a[starts-with(@href, '/items/')]/text()")
            after = tree.xpath("//a[@rel='next']/@href")
            path = after[0] if after else ""
        assert len(titles) == len(set(titles)) == 95
    assert "No older items." in site.get(f"/topics/deep-learning?cursor={make_cursor((1,))}").text


def test_search_finds_words_and_says_when_there_is_nothing(site: TestClient) -> None:
    tree = check(site.get('/search?q=title:sparse "long documents"').text)
    titles = tree.xpath("//li[@class='item']//a[starts-with(@href, '/items/')]/text()")
    assert titles
    assert all("Sparse" in t and "Long Documents" in t for t in titles)
    assert tree.xpath("//input[@id='q']/@value") == ['title:sparse "long documents"']
    assert "No item that is held has all of these words." in site.get("/search?q=nowheretobefound").text
    assert "There is no word to look for" in site.get("/search?q=…").text
    assert site.get("/search?q=&area=").status_code == 200
    within = check(site.get("/search?q=sparse&area=mathematics").text)
    assert within.xpath("//option[@selected]/@value") == ["mathematics"]


def test_charts_sum_days_to_iso_weeks() -> None:
    today = date(2026, 1, 30)
    shown = charts.weeks(today, 3)
    assert [w.name for w in shown] == ["2026-W03", "2026-W04", "2026-W05"]
    chart = charts.per_week(
        {date(2026, 1, 12): 4, date(2026, 1, 18): 4, date(2026, 1, 26): 2, date(2025, 1, 1): 99}, shown, today
    )
    assert [(b.n, b.height, b.running) for b in chart.bars] == [(8, 48.0, False), (0, 0.0, False), (2, 12.0, True)]
    assert all(b.y + b.height == chart.height for b in chart.bars)
    assert "at most 8, in the last complete week 0" in chart.title
    assert charts.per_week({}, shown, today).bars[0].height == 0


# ------------------------------------------------------------------ one item
def test_an_item_is_shown_whole(storage: Storage) -> None:
    abstract = "We study continual learning. Networks forget."
    seed = Seed(
        "Continual Learning Revisited",
        NOW.date(),
        (("deep-learning", 0.9), ("model-validation", 0.5)),
        abstract,
        comment="Accepted at ICML 2026",
    )
    (id,) = seed_pages.put(storage, [seed])
    tree = check(client(storage).get(f"/items/{id}").text)
    assert "Continual Learning" in "".join(tree.xpath(".//h1/mark/text()"))
    assert tree.xpath("//p[@class='abstract']/mark")
    assert tree.xpath("string(//p[@class='abstract'])").strip() == abstract
    assert "Deep learning" in tree.xpath("//mark/@title")
    text = tree.text_content()
    for said in (
        "Ada Example, Bo Sample",
        "Accepted at ICML 2026",
        "CC BY 4.0",
        "stated by the source",
        "2601.00001",
        "10.48550/arxiv.2601.00001",
    ):
        assert said in text
    assert "https://arxiv.org/abs/2601.00001" in tree.xpath("//a/@href")
    assert "https://doi.org/10.48550/arxiv.2601.00001" in tree.xpath("//a/@href")
    assert tree.xpath("//a[contains(@rel, 'license')]/@href") == ["http://creativecommons.org/licenses/by/4.0/"]


def test_a_withdrawn_item_is_marked(site: TestClient, storage: Storage) -> None:
    (id,) = seed_pages.put(storage, [Seed("Taken back", NOW.date(), withdrawn=True)], first=900)
    assert "Withdrawn." in check(site.get(f"/items/{id}").text).text_content()
    assert id not in site.get("/").text
    assert "withdrawn" in check(site.get("/search?q=taken").text).xpath("string(//li[@class='item'])")


def test_estimated_dates_are_marked(storage: Storage) -> None:
    seed_pages.put(storage, [Seed("Guessed", NOW.date(), estimated=True)])
    mark = check(client(storage).get("/").text).xpath("//li[@class='item']//abbr")[0]
    assert (mark.text, mark.get("title")) == ("~", "estimated from the submission date")


@pytest.mark.parametrize(
    ("text", "evidence", "pieces"),
    [
        ("abc", (), [("abc", "")]),
        ("", (), []),
        ("a deep net", (Evidence("title", "deep", 2, 6),), [("a ", ""), ("deep", "Deep learning"), (" net", "")]),
        ("a deep net", (Evidence("title", "DEEP", 40, 44),), [("a ", ""), ("deep", "Deep learning"), (" net", "")]),
        ("a deep net", (Evidence("title", "gone", 2, 6),), [("a deep net", "")]),
        ("a deep net", (Evidence("abstract", "deep", 2, 6),), [("a deep net", "")]),
        ("aab", (Evidence("title", "aa", 0, 2), Evidence("title", "ab", 1, 3)), [("aab", "Deep learning")]),
        ("abc", (Evidence("title", "", 0, 0),), [("abc", "")]),
    ],
)
def test_evidence_is_marked_where_it_stands(text: str, evidence: tuple[Evidence, ...], pieces: list[tuple[str, str]]) -> None:
    assert marked(text, "title", [Tag("deep-learning", 0.5, evidence), Tag("no-such", 0.1, evidence)], KNOWN) == pieces


# ------------------------------------------------------------------ what strangers wrote
@pytest.mark.slow
@pytest.mark.parametrize("bad", HOSTILE)
def test_what_strangers_wrote_is_never_live(storage: Storage, bad: str) -> None:
    title = bad.replace("\x00", " ")
    evil = Seed(
        title,
        NOW.date(),
        abstract=title,
        authors=(title,) * 4,
        comment=title,
        url="javascript:alert(1)",
        licence="javascript:alert(2)",
    )
    (id,) = seed_pages.put(storage, [evil])
    with storage.write() as db:
        sources.register(db, {"arxiv": True}, NOW)
        sources.put_batches(db, "arxiv", [Batch("cs.LG", NOW.date(), 2, 1, (title,), title)])
    seed_pages.visit(storage, "arxiv", Outcome.FAILED, hours=1, error=title)
    site = client(storage)
    for path in ("/", f"/items/{id}", "/topics/deep-learning", "/areas/algorithms", "/status"):
        answer = site.get(path)
        assert answer.status_code == 200
        tree = check(answer.text)
        assert not tree.xpath("//*[contains(@href, 'javascript:') or contains(@src, ':')]")
        assert not [h for h in tree.xpath("//a/@href") if "evil.example" in h]
    asked = site.get("/search", params={"q": bad[:150]})
    assert asked.status_code in (200, 422)
    check(asked.text)


# ------------------------------------------------------------------ errors
@pytest.mark.parametrize(
    ("path", "status", "said"),
    [
        ("/topics/deep-lerning", 404, "There is no topic 'deep-lerning'."),
        ("/areas/nothing", 404, "There is no area 'nothing'."),
        ("/items/0000000000000000", 404, "There is no item of this id."),
        ("/items/%00", 404, "There is no item of this id."),
        ("/?period=2026-W54", 422, "no such period"),
        ("/?period=yesterday", 422, "unknown period"),
        ("/?area=nothing", 422, "unknown area"),
        ("/?nothing=1", 422, "unknown parameter"),
        ("/?source=nothing", 422, "unknown source"),
        ("/?period=2026-W05&period=2026-W04", 422, "period is given 2 times"),
        ("/topics/deep-learning?cursor=zzz", 422, "cursor is not one"),
        ("/search?q=" + "x" * 201, 422, "q is 201 characters long"),
        ("/search?q=a%00b", 422, "control character"),
        ("/search?q=a&area=<script>", 422, "unknown area"),
        ("/status?x=<script>alert(1)</script>", 422, "unknown parameter"),
    ],
)
def test_errors_are_pages_that_help(site: TestClient, path: str, status: int, said: str) -> None:
    answer = site.get(path)
    assert answer.status_code == status
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    assert said in check(answer.text).text_content()


def test_a_name_nearly_right_leads_on(site: TestClient) -> None:
    tree = check(site.get("/topics/deep-lerning").text)
    assert "/topics/deep-learning" in tree.xpath("//a/@href")


def test_without_a_database_the_page_says_so(tmp_path: Path) -> None:
    lost = Storage(f"sqlite:///{tmp_path / 'nowhere' / 'lost.db'}", upgrade=False)
    try:
        answer = client(lost).get("/")
    finally:
        lost.close()
    assert answer.status_code == 503
    assert answer.headers["retry-after"] == "30"
    assert "The database cannot be used now" in check(answer.text).text_content()
    assert "lost.db" not in answer.text


def test_error_pages_can_be_made_without_an_instance() -> None:
    for status in (404, 405, 422, 429, 500, 503):
        page = error_page(status, "<b>what</b>\nhappened", "https://example.org/feed")
        assert page.status_code == status
        tree = check(bytes(page.body).decode())
        assert "<b>what</b> happened" in tree.text_content()
        assert "/feed/" in tree.xpath("//a/@href")


def test_contrast_of_all_colours_is_enough() -> None:
    css = (Path(charts.__file__).parent / "static" / "style.css").read_text(encoding="utf-8")
    schemes = re.findall(r":root \{[^}]*?(--paper[^}]*)\}", css)
    assert len(schemes) == 2
    for scheme in schemes:
        colour = dict(re.findall(r"--([a-z-]+): (#[0-9a-f]{6})", scheme))
        for back in ("paper", "raised"):
            for front in ("ink", "soft", "link", "visited", "good", "bad", "accent"):
                assert contrast(colour[front], colour[back]) >= 4.5, (front, back, colour[front])
        for front, back in (("ink", "bad-back"), ("bad", "bad-back"), ("ink", "mark")):
            assert contrast(colour[front], colour[back]) >= 4.5, (front, back)


def contrast(one: str, other: str) -> float:
    """The contrast ratio of WCAG 2.2."""

    def luminance(colour: str) -> float:
        parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
        linear = [p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    high, low = sorted((luminance(one), luminance(other)), reverse=True)
    return (high + 0.05) / (low + 0.05)
