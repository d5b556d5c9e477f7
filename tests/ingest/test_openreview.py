"""OpenReview: what is read of notes, how lists are walked, and what happens without an account."""

from __future__ import annotations

import hashlib
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from catalog.entries import Basis, EntryData
from catalog.errors import ParseError
from catalog.outcomes import Outcome, Part, Run
from catalog.storage import entries
from ingest.formats.openreview import Group, Notes, parse_login, parse_notes, parse_refusal
from ingest.source import Window
from ingest.sources.openreview import CHALLENGED, OpenReview, groups
from tests.instance import Instance, instance

TODAY = date(2026, 6, 1)
ICLR, OLD = Group("ICLR.cc/2026/Conference", "ICLR", 2026), Group("ICLR.cc/2019/Conference", "ICLR", 2019, old=True)
JOURNAL = Group("TMLR", "TMLR", 0)


def ms(day: str) -> int:
    """Midnight of a day as the API writes it."""
    return int(datetime.fromisoformat(f"{day}T00:00:00+00:00").timestamp() * 1000)


def note(forum: str = "aPaper0001", content: dict[str, Any] | None = None, **given: Any) -> dict[str, Any]:
    """A note of version 2 with other fields as given; a field of `...` is left out."""
    fields = {
        "title": "An Invented Paper",
        "authors": ["Ada Example"],
        "abstract": "Text.",
        "venue": "ICLR 2026 Poster",
        "venueid": ICLR.id,
        **(content or {}),
    }
    row = {
        "id": forum,
        "forum": forum,
        "replyto": None,
        "cdate": ms("2025-09-20"),
        "mdate": ms("2026-02-01"),
        "pdate": ms("2026-01-26"),
        "odate": ms("2025-10-08"),
        "ddate": None,
        "content": {k: {"value": v} for k, v in fields.items() if v is not ...},
        **given,
    }
    return {k: v for k, v in row.items() if v is not ...}


def body(*rows: Any, count: Any = None) -> bytes:
    """A page of notes."""
    return json.dumps({"notes": list(rows), "count": len(rows) if count is None else count}).encode()


def read(*rows: Any, group: Group = ICLR) -> Notes:
    """The page that the notes are."""
    return parse_notes(body(*rows), "openreview", group, date(2026, 6, 2))


def only(*rows: Any, group: Group = ICLR) -> EntryData:
    """The one paper on the page."""
    [entry] = read(*rows, group=group).entries
    return entry


# ---------------------------------------------------------------- what a note says
def test_a_note_with_nothing_but_a_title_is_a_paper() -> None:
    entry = only({"id": "aPaper0001", "content": {"title": {"value": "A Bare Title"}}})
    assert (entry.key, entry.title, entry.authors, entry.announced, entry.basis) == (
        "aPaper0001",
        "A Bare Title",
        (),
        None,
        Basis.HELD,
    )
    assert entry.identifiers == (("openreview", "aPaper0001"),)


def test_values_are_read_wrapped_and_bare() -> None:
    bare = {"title": "Bare", "authors": ["Bo Sample"], "venue": "ICLR 2019 Oral", "venueid": OLD.id, "TL;DR": "Short."}
    entry = only({**note(), "content": bare}, group=OLD)
    assert (entry.title, entry.authors, entry.decision, entry.comment) == ("Bare", ("Bo Sample",), "oral", "TL;DR: Short.")


def test_authors_are_names_or_objects() -> None:
    people = [{"fullname": "Cleo Muster", "username": "~Cleo_Muster1"}, "Dan Probe", {"username": "~X1"}, None]
    assert only(note(content={"authors": people})).authors == ("Cleo Muster", "Dan Probe")


def test_a_venue_may_be_a_list() -> None:
    entry = only(note(content={"venue": ["ICLR 2026 Spotlight"], "venueid": ["Other", ICLR.id]}))
    assert entry.decision == "spotlight"


@pytest.mark.parametrize(
    ("given", "announced", "basis"),
    [
        ({}, date(2026, 1, 26), Basis.STATED),
        ({"pdate": None}, date(2025, 10, 8), Basis.STATED),
        ({"pdate": ..., "odate": ...}, date(2025, 9, 20), Basis.ESTIMATED),
        ({"pdate": ms("2031-01-01")}, date(2025, 10, 8), Basis.STATED),
        ({"pdate": "2026-01-26", "odate": True, "cdate": -5}, None, Basis.HELD),
        ({"pdate": 10**40, "odate": 1e300, "cdate": 7}, None, Basis.HELD),
    ],
)
def test_a_paper_is_dated_by_its_publication_and_never_in_the_future(
    given: dict[str, Any], announced: date | None, basis: Basis
) -> None:
    entry = only(note(**given))
    assert (entry.announced, entry.basis) == (announced, basis)


def test_instants_are_utc() -> None:
    entry = only(note())
    assert (entry.submitted, entry.updated) == (datetime(2025, 9, 20, tzinfo=UTC), datetime(2026, 2, 1, tzinfo=UTC))


def test_area_keywords_summary_and_code_are_kept() -> None:
    more = {
        "primary_area": "optimization",
        "keywords": "tea, cups",
        "TLDR": "It boils.",
        "Code": "https://github.com/example/tea",
    }
    entry = only(note(content=more))
    assert (entry.subjects, entry.keywords) == (("optimization",), ("tea", "cups"))
    assert entry.comment == "TL;DR: It boils. Code: https://github.com/example/tea"
    assert only(note(content={"code": "javascript:alert(1)"})).comment == ""


def test_a_paper_of_a_journal_is_of_the_year_in_which_it_appeared() -> None:
    assert only(note(content={"venueid": "TMLR"}), group=JOURNAL).year == 2026


@pytest.mark.parametrize(
    "given",
    [
        {"ddate": ms("2026-03-01")},
        {"content": {"venueid": f"{ICLR.id}/Withdrawn_Submission"}},
        {"content": {"venueid": f"{ICLR.id}/Desk_Rejected_Submission"}},
    ],
)
def test_a_paper_that_was_deleted_withdrawn_or_rejected_is_removed(given: dict[str, Any]) -> None:
    page = read(note(**given))
    assert (page.entries, page.removed, page.loss) == ((), ("aPaper0001",), 0)


@pytest.mark.parametrize(
    ("said", "accepted"),
    [
        ({"venue": "ICLR 2019 Poster", "venueid": OLD.id}, True),
        ({"venue": "ICLR 2019 Poster"}, True),
        ({"venue": "Submitted to ICLR 2019"}, False),
        ({"venue": "ICLR 2019 Conference Withdrawn Submission"}, False),
        ({"venue": "ICLR 2019 Conference Blind Submission", "venueid": OLD.id}, False),
        ({"venue": "ICLR 2019 Poster", "venueid": f"{OLD.id}/Rejected_Submission"}, False),
        ({}, None),
    ],
)
def test_version_1_lists_all_submissions_and_the_accepted_are_kept(said: dict[str, str], accepted: bool | None) -> None:
    page = read({"id": "aPaper0001", "forum": "aPaper0001", "content": {"title": "T", **said}}, group=OLD)
    assert (len(page.entries), len(page.removed), page.untold) == (accepted is True, accepted is False, accepted is None)


def test_bad_notes_are_counted_and_cost_nothing_else() -> None:
    rows = [note(), 5, None, note("b/../c"), note("reply00001", replyto="aPaper0001"), note("cPaper0003", {"title": None})]
    page = read(*rows)
    assert [e.key for e in page.entries] == ["aPaper0001"]
    assert page.rejected == {"not-an-object": 2, "no-forum": 2, "no-title": 1}


@pytest.mark.parametrize("answer", [b"", b"null", b"[]", b"{}", b'{"notes": {}}', b"<html>", b'{"notes": [{'])
def test_what_is_no_list_of_notes_is_refused(answer: bytes) -> None:
    with pytest.raises(ParseError):
        parse_notes(answer, "openreview", ICLR, TODAY)


def test_the_name_of_a_refusal() -> None:
    assert parse_refusal(b'{"name": "ChallengeRequiredError", "status": 403}') == "ChallengeRequiredError"
    for other in (b"<html>", b"[]", b'{"name": 5}', b'{"name": "two words\\nand more"}'):
        assert parse_refusal(other) == ""


def test_a_login_gives_a_token_or_says_why_not() -> None:
    assert parse_login(b'{"token": "abc.def", "user": {}}') == "abc.def"
    with pytest.raises(ParseError, match="second factor"):
        parse_login(b'{"mfaPending": true, "mfaMethods": ["totp"]}')
    for other in (b"{}", b'{"token": "a\\nb"}', b'{"token": 5}', b"<html>"):
        with pytest.raises(ParseError):
            parse_login(other)


# ---------------------------------------------------------------- the API
class Api:
    """OpenReview on the loopback interface: notes by group, with the paging of either version."""

    def __init__(self) -> None:
        self.url = ""
        self.notes: dict[str, list[dict[str, Any]]] = {}
        self.challenge = False
        self.challenge_after = 0  # answers to anonymous calls; 0 for no end of them
        self.knows_after = True
        self.spoil: dict[str, Any] = {}  # replaced in every answer
        self.login: tuple[int, Any] = (200, {"token": "secret-token"})
        self.asked: list[tuple[str, dict[str, str], str]] = []  # path, query, Authorization
        self.sent: list[Any] = []  # logins

    def answer(self, path: str, query: dict[str, str], authorization: str) -> tuple[int, Any]:
        """Status and value."""
        self.asked.append((path, query, authorization))
        late = 0 < self.challenge_after < len(self.asked)
        if (self.challenge or late) and authorization != "Bearer secret-token":
            return 403, {"name": "ChallengeRequiredError", "message": "Challenge verification is required", "status": 403}
        if "invitation" in query:
            rows = self.notes.get(query["invitation"].removesuffix("/-/Blind_Submission"))
            if rows is None:
                return 404, {"name": "NotFoundError", "status": 404}
        else:
            rows = sorted(self.notes.get(query["content.venueid"], []), key=lambda n: str(n["id"]))
        begin = int(query.get("offset", 0))
        if "after" in query and self.knows_after:
            begin = next(i for i, n in enumerate(rows) if n["id"] == query["after"]) + 1
        return 200, {"notes": rows[begin : begin + int(query["limit"])], "count": len(rows), **self.spoil}


@contextmanager
def serving() -> Iterator[Api]:
    """An API without notes on a free port."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            parts = urlsplit(self.path)
            query = {k: v[0] for k, v in parse_qs(parts.query).items()}
            self.send(*made.answer(parts.path, query, self.headers.get("Authorization", "")))

        def do_POST(self) -> None:
            made.sent.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            self.send(*made.login)

        def send(self, status: int, value: Any) -> None:
            content = json.dumps(value).encode()
            etag = f'W/"{hashlib.sha256(content).hexdigest()[:12]}"'
            same = status == 200 and self.headers.get("If-None-Match") == etag
            self.send_response(304 if same else status)
            self.send_header("ETag", etag)
            if not same:
                self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(b"" if same else content)

        def log_message(self, *_: object) -> None:
            """Nothing is logged."""

    made = Api()
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    made.url = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield made
    finally:
        server.shutdown()
        server.server_close()
        thread.join(5)


@pytest.fixture
def api() -> Iterator[Api]:
    """An API without notes."""
    with serving() as made:
        yield made


@pytest.fixture
def one(migrated_url: str, api: Api) -> Iterator[Instance]:
    """An instance without an account."""
    with instance(migrated_url, api.url, TODAY) as made:
        yield made


@pytest.fixture
def member(migrated_url: str, api: Api) -> Iterator[Instance]:
    """An instance with an account."""
    account = {"OPENREVIEW_USERNAME": "ada@example.org", "OPENREVIEW_PASSWORD": "pass-word"}
    with instance(migrated_url, api.url, TODAY, **account) as made:
        yield made


def papers(number: int, group: Group = ICLR, **given: Any) -> list[dict[str, Any]]:
    """Notes of as many papers."""
    return [note(f"paper{n:05}", {"title": f"Paper {n}", "venueid": group.id}, **given) for n in range(number)]


def visit(one: Instance, year: int = 2026, page: int = 1000) -> tuple[Run, dict[str, Part]]:
    """A visit to the venues of a year."""
    run = one.visit(OpenReview(page), Window(date(year, 1, 1), date(year, 12, 31)))
    return run, {p.name: p for p in run.parts}


def standing(one: Instance) -> set[str]:
    """The papers that are held and not withdrawn."""
    with one.storage.read() as db:
        return entries.standing(db, "openreview", "")


def test_the_venues_of_a_year() -> None:
    ids = [g.id for g in groups([2024])]
    assert "ICLR.cc/2024/Conference" in ids
    assert "NeurIPS.cc/2024/Datasets_and_Benchmarks_Track" in ids
    assert not any(g.old for g in groups([2024]))
    assert [(g.id, g.old) for g in groups([2018])] == [("ICLR.cc/2018/Conference", True)]
    assert groups([]) == ()


@pytest.mark.parametrize("knows_after", [True, False])
def test_a_list_of_several_pages_is_read_to_its_end(one: Instance, api: Api, knows_after: bool) -> None:
    api.notes[ICLR.id], api.knows_after = papers(7), knows_after
    run, parts = visit(one, page=3)
    part = parts[ICLR.id]
    assert (part.outcome, part.announced, part.held, run.counts.new) == (Outcome.OK, 7, 7, 7)
    asked = [q.get("after") or q.get("offset") or "first" for _, q, _ in api.asked if q["content.venueid"] == ICLR.id]
    assert asked == (["first", "paper00002", "paper00005"] if knows_after else ["first", "paper00002", "3", "6"])
    again, parts = visit(one, page=3)
    assert (again.counts.seen, parts[ICLR.id].outcome, parts[ICLR.id].held) == (0, Outcome.OK, 7)


def test_a_change_on_one_page_is_read_and_the_other_pages_are_not(one: Instance, api: Api) -> None:
    api.notes[ICLR.id] = papers(7)
    visit(one, page=3)
    api.notes[ICLR.id][4]["content"]["title"]["value"] = "Another Title"
    run, parts = visit(one, page=3)
    assert (run.counts.seen, run.counts.revised, parts[ICLR.id].outcome) == (3, 1, Outcome.OK)


def test_version_1_is_paged_by_number(one: Instance, api: Api) -> None:
    rows = papers(5, OLD)
    rows[3]["content"]["venueid"]["value"] += "/Rejected_Submission"
    api.notes[OLD.id] = rows
    run, parts = visit(one, 2019, page=2)
    assert (parts[OLD.id].outcome, parts[OLD.id].announced, run.counts.new) == (Outcome.OK, 4, 4)
    assert [q.get("offset", "first") for _, q, _ in api.asked] == ["first", "2", "4"]


def test_submissions_that_do_not_say_what_became_of_them_are_named(one: Instance, api: Api) -> None:
    api.notes[OLD.id] = [note("aPaper0001", {"venue": ..., "venueid": ...})]
    _, parts = visit(one, 2019)
    assert parts[OLD.id].outcome is Outcome.PARTIAL
    assert "1 submissions do not say what became of them" in parts[OLD.id].error


def test_venues_that_do_not_exist_are_empty(one: Instance) -> None:
    run, parts = visit(one)
    assert run.outcome is Outcome.EMPTY
    assert {p.outcome for p in parts.values()} == {Outcome.EMPTY}


def test_a_list_that_is_short_of_its_count_is_partial_and_names_both_numbers(one: Instance, api: Api) -> None:
    api.notes[ICLR.id], api.spoil = papers(2), {"count": 9}
    _, parts = visit(one)
    assert parts[ICLR.id].outcome is Outcome.PARTIAL
    assert "states 9 notes and has 2" in parts[ICLR.id].error
    assert (parts[ICLR.id].announced, parts[ICLR.id].held) == (9, 2)
    api.spoil = {}
    assert visit(one)[1][ICLR.id].outcome is Outcome.OK


def test_a_list_without_count_is_partial(one: Instance, api: Api) -> None:
    api.notes[ICLR.id], api.spoil = papers(2), {"count": None}
    _, parts = visit(one)
    assert (parts[ICLR.id].outcome, parts[ICLR.id].error) == (Outcome.PARTIAL, "the list does not say how many notes it has")


def test_words_of_a_damaged_page_replace_none_that_are_held_until_it_comes_twice(one: Instance, api: Api) -> None:
    api.notes[ICLR.id] = papers(2)
    visit(one)
    api.notes[ICLR.id] = [*papers(1), note("paper00001", {"title": "Other"}), note("paper00002", {"title": ""})]
    run, parts = visit(one)
    assert (run.counts.revised, parts[ICLR.id].outcome) == (0, Outcome.PARTIAL)
    assert "1 no-title" in parts[ICLR.id].error
    assert (parts[ICLR.id].announced, parts[ICLR.id].held) == (3, 2)
    run, parts = visit(one)
    assert (run.counts.revised, parts[ICLR.id].outcome) == (1, Outcome.PARTIAL)
    run, parts = visit(one)
    assert (run.counts.seen, parts[ICLR.id].outcome, parts[ICLR.id].announced) == (0, Outcome.PARTIAL, 3)


def test_a_paper_that_says_it_was_deleted_is_withdrawn_at_once(one: Instance, api: Api) -> None:
    api.notes[ICLR.id] = papers(3)
    visit(one)
    api.notes[ICLR.id][1]["ddate"] = ms("2026-05-01")
    run, parts = visit(one)
    assert (run.counts.revised, parts[ICLR.id].outcome, parts[ICLR.id].announced) == (1, Outcome.OK, 2)
    assert standing(one) == {"paper00000", "paper00002"}
    assert visit(one)[0].counts.seen == 0


def test_papers_that_vanish_are_withdrawn_when_the_same_list_comes_twice(one: Instance, api: Api) -> None:
    api.notes[ICLR.id] = papers(40)
    visit(one)
    del api.notes[ICLR.id][7]
    _, parts = visit(one)
    assert parts[ICLR.id].outcome is Outcome.STALE
    assert len(standing(one)) == 40
    _, parts = visit(one)
    assert parts[ICLR.id].outcome is Outcome.OK
    assert len(standing(one)) == 39


def test_a_list_that_lost_more_than_a_twentieth_withdraws_nothing(one: Instance, api: Api) -> None:
    api.notes[ICLR.id] = papers(10)
    visit(one)
    for rows in (papers(9), []):
        api.notes[ICLR.id] = rows
        for _ in range(3):
            assert visit(one)[1][ICLR.id].outcome is Outcome.STALE
    assert len(standing(one)) == 10


def test_a_journal_keeps_the_years_that_were_asked_for(one: Instance, api: Api) -> None:
    api.notes["TMLR"] = [
        *papers(2, JOURNAL),
        note("zEarly0001", {"venueid": "TMLR"}, pdate=ms("2024-05-01")),
    ]
    assert visit(one)[1]["TMLR"].held == 2
    assert visit(one, 2024)[1]["TMLR"].held == 3
    run, parts = visit(one)
    assert (run.counts.seen, parts["TMLR"].outcome, parts["TMLR"].held) == (0, Outcome.OK, 3)


# ---------------------------------------------------------------- accounts
def test_without_an_account_a_challenge_ends_the_visit_as_not_configured(one: Instance, api: Api) -> None:
    api.challenge = True
    run, parts = visit(one)
    assert (run.outcome, len(parts), run.requests) == (Outcome.NOT_CONFIGURED, 1, 1)
    assert CHALLENGED in run.error
    assert api.sent == []


def test_a_challenge_after_answers_is_no_matter_of_settings_alone(one: Instance, api: Api) -> None:
    api.notes[groups([2026])[0].id], api.challenge_after = papers(1), 1
    run, parts = visit(one)
    assert (run.outcome, len(parts), run.counts.new) == (Outcome.PARTIAL, 2, 1)
    assert CHALLENGED in run.error


def test_an_account_logs_in_once_for_each_host_and_sends_its_token(member: Instance, api: Api) -> None:
    api.challenge, api.notes[ICLR.id] = True, papers(2)
    _, parts = visit(member)
    assert parts[ICLR.id].outcome is Outcome.OK
    assert [(s["id"], s["password"]) for s in api.sent] == [("ada@example.org", "pass-word")]
    assert {authorization for _, _, authorization in api.asked} == {"Bearer secret-token"}


def test_a_challenge_in_spite_of_an_account_is_a_failure(member: Instance, api: Api) -> None:
    api.challenge, api.login = True, (200, {"token": "another"})
    run, _ = visit(member)
    assert run.outcome is Outcome.FAILED
    assert "although the login succeeded" in run.error


@pytest.mark.parametrize(
    ("login", "said"),
    [
        ((400, {"name": "InvalidCredentialsError", "message": "no"}), "the login is refused: InvalidCredentialsError"),
        ((403, {}), "the login is refused: status 403"),
        ((200, {"mfaPending": True}), "the account asks for a second factor"),
        ((200, {"user": {}}), "holds no token"),
        ((404, {}), "the host answered 404"),
    ],
)
def test_a_login_that_fails_ends_the_visit_and_says_why(member: Instance, api: Api, login: tuple[int, Any], said: str) -> None:
    api.login = login
    run, _ = visit(member)
    assert run.outcome is Outcome.FAILED
    assert said in run.error
    assert "ada@example.org" not in run.error
    assert "pass-word" not in run.error
    assert api.asked == []


def test_the_source_is_off_until_it_is_switched_on() -> None:
    assert not OpenReview.enabled
