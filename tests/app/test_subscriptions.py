"""The way in, the way round and the way out of a reader, over API and pages, on both databases."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text
from starlette.requests import Request

from app import subscribing
from app.cli.subscribers import erase_all
from app.clients import client_of, trusted
from app.mail import keep
from catalog.storage import Storage
from catalog.storage import subscriptions as store
from tests.app.reading import ADA, NOW, Instance, body, links, parsed, token_in
from tests.app.seeding import COUNT, more, weekly
from tests.dumps import dump

ME = "/api/v1/subscriptions/me"


@pytest.fixture
def one(new_storage: Callable[[], Storage], tmp_path: Path) -> Instance:
    """A seeded instance that writes mail as files."""
    storage = new_storage()
    more(storage, range(COUNT))
    return Instance(storage, tmp_path / "data")


def everything(storage: Storage) -> dict[str, Any]:
    """All rows that a reader's acts could change, and all items."""
    tables = ("subscriptions", "addresses", "confirmations", "signups", "suppressions", "outbox", "letters")
    with storage.read() as db:
        rows = {t: sorted(map(str, db.execute(text(f"SELECT * FROM {t}")).all())) for t in tables}
    return rows | dump(storage)


def test_from_the_question_to_the_digest_and_out(one: Instance) -> None:
    choices: Any = {
        "filter": {"topic": ["deep-learning"], "q": "attention -survey"},
        "weekday": 2,
        "hour": 8,
        "zone": "Asia/Tokyo",
    }
    asked = one.ask(**choices)
    assert asked.status_code == 202
    assert one.deliver().sent == 1
    (question,) = one.mails()
    assert question["To"] == ADA
    assert "attention" not in question.as_string()  # nothing that the form held
    one.later(days=5)
    assert one.deliver().sent == 0  # nobody said yes
    one.clock.at = NOW
    page = one.client.get("/confirm", params={"token": token_in(question, "confirm")})
    assert "Deep learning" in page.text
    assert "every Tuesday at 08:00 (Asia/Tokyo)" in page.text
    done = one.client.post("/confirm", data={"token": token_in(question, "confirm")})
    assert "You have subscribed" in done.text
    again = one.client.post("/api/v1/subscriptions/confirm", json={"token": token_in(question, "confirm")})
    assert again.status_code == 404

    one.clock.at = NOW.replace(month=2, day=2, hour=22, minute=59)  # a minute before Tuesday 08:00 in Tokyo
    assert one.deliver().sent == 0
    one.later(minutes=1)
    assert one.deliver().sent == 1
    assert one.deliver().sent == 0
    digest = one.mails()[-1]
    assert digest["Subject"] == "Skillfeed: Week 5 of 2026, 26 Jan – 1 Feb 2026"
    titles = re.findall(r"^\d+\. (.+)$", body(digest), flags=re.M)
    assert titles
    assert all(title in body(digest, "html") for title in titles)
    token = token_in(digest, "preferences")
    told = one.client.get(ME, params={"token": token}).json()
    assert {n: told[n] for n in ("address", "state", "weekday", "zone")} == {
        "address": ADA, "state": "active", "weekday": 2, "zone": "Asia/Tokyo",
    }  # fmt: skip
    assert [m["state"] for m in told["mails"]] == ["sent", "sent"]
    assert told["next_due"] == "2026-02-09T23:00:00Z"

    click = {"List-Unsubscribe": "One-Click"}
    address = str(digest["List-Unsubscribe"]).strip("<>")
    for _ in range(2):  # RFC 8058: no cookie, either form of the body, and the same answer again
        assert one.client.post(address, data=click).status_code == 200
        assert one.client.post(address, files={"List-Unsubscribe": (None, "One-Click")}).status_code == 200
    assert one.client.get(ME, params={"token": token}).status_code == 404
    one.later(days=7)
    assert one.deliver().sent == 0


def test_preferences_change_by_form_and_by_api_and_take_effect(one: Instance) -> None:
    token = one.subscribed(filter={"topic": ["deep-learning"], "venue": ["ICML"]})
    form = {"topic": ["deep-learning", "predictive-modeling"], "wanted": 'sparse "demand forecasting"', "refused": "survey no"}
    form |= {"cadence": ["daily"], "hour": ["23"], "zone": ["America/St_Johns"], "format": ["text"], "level": ["research"]}
    saved = one.client.post("/preferences", data={"token": token, **form})
    assert "Saved" in saved.text
    told = one.client.get(ME, params={"token": token}).json()
    assert told["filter"] == {
        "topic": ["deep-learning", "predictive-modeling"], "venue": ["ICML"], "level": ["research"],
        "q": 'sparse "demand forecasting" -survey -no',
    }  # fmt: skip
    assert (told["cadence"], told["hour"], told["format"]) == ("daily", 23, "text")
    assert told["next_due"] == "2026-01-31T02:30:00Z"
    paused = one.client.patch(ME, params={"token": token}, json={"paused": True, "filter": {}})
    assert (paused.json()["state"], paused.json()["next_due"], paused.json()["filter"]) == ("paused", None, {})
    one.later(days=3)
    assert one.deliver().sent == 0
    one.client.patch(ME, params={"token": token}, json={"paused": False})
    weekly(one.storage, [date(2026, 2, 1)])
    one.later(days=1)
    assert one.deliver().sent == 1
    mail = one.mails()[-1]
    assert mail.get_content_type() == "text/plain"
    for bad in ({"hour": 24}, {"zone": "Mars/Olympus"}, {"filter": {"since": "2026-01-01"}}, {"cadences": "x"}, {"paused": 1}):
        assert one.client.patch(ME, params={"token": token}, json=bad).status_code == 422
    assert one.client.patch(ME, params={"token": token}, content=b'{"filter": {"q": "\\ud800"}}').status_code == 422


def test_a_change_loses_no_week_and_doubles_none(one: Instance) -> None:
    token = one.subscribed(weekday=5, hour=10)  # on a Friday at noon: next week
    one.clock.at = NOW.replace(month=2, day=3)  # Tuesday
    one.client.patch(ME, params={"token": token}, json={"weekday": 1})  # Monday is over, and last week not told
    assert one.deliver().sent == 1
    one.client.patch(ME, params={"token": token}, json={"weekday": 4})  # Thursday of the same week is to come
    one.later(days=3)
    assert one.deliver().sent == 0
    told = one.client.get(ME, params={"token": token}).json()
    assert [m["period"] for m in told["mails"]] == [None, "2026-W05"]
    assert told["next_due"] == "2026-02-12T10:00:00Z"


def test_following_every_link_of_every_mail_twice_changes_nothing(one: Instance) -> None:
    one.subscribed("known@example.org")
    one.clock.at = NOW.replace(month=2, day=2)
    one.deliver()
    one.ask("new@example.org")
    one.ask("known@example.org", filter={"topic": ["deep-learning"]})
    one.deliver()
    mails = one.mails()
    assert len(mails) == 4
    before = everything(one.storage)
    followed = 0
    for link in [link for mail in mails for link in links(mail) if link.startswith("https://feed.example.org")] * 2:
        one.client.head(link)
        answer = one.client.get(link)
        assert answer.status_code in (200, 404), link
        if "token=" in link:
            assert answer.headers["cache-control"] == "no-store"
            assert answer.headers["referrer-policy"] == "no-referrer"
            assert answer.headers["x-robots-tag"] == "noindex"
            followed += 1
    assert followed > 8
    assert everything(one.storage) == before


def test_nothing_tells_whether_an_address_is_known(one: Instance) -> None:
    one.subscribed("known@example.org")
    with one.storage.write() as db:
        keys = subscribing.keys_of(one.context)
        store.suppress(db, keys.address_hash("gone@example.org"), "bounced", NOW)
    one.later(hours=2)
    answers = [one.ask(a) for a in ("known@example.org", "gone@example.org", "new@example.org")]
    assert len({(a.status_code, a.text, tuple(sorted(a.headers))) for a in answers}) == 1
    assert one.deliver().sent == 2  # nothing to the suppressed one
    wrong = [one.client.get(ME, params={"token": t}) for t in ("x" * 43, "", "é\x01")]
    assert [w.status_code for w in wrong] == [404, 422, 404]
    assert one.client.post("/unsubscribe", params={"token": "nobody"}).status_code == 200


def test_a_limit_holds_whoever_asks_at_once(one: Instance) -> None:
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda n: one.ask(f"reader{n}@example.org").status_code, range(12)))
    assert sorted(answers) == [202] * 5 + [429] * 7
    assert one.deliver().sent == 5


def test_nobody_is_bombed(one: Instance) -> None:
    for _ in range(5):
        assert one.ask().status_code == 202
    refused = one.ask("other@example.org")
    assert (refused.status_code, refused.headers["retry-after"]) == (429, "3600")
    assert one.client.post("/subscribe", data={"address": "other@example.org"}).status_code == 429
    assert one.deliver().sent == 1  # one in ten minutes
    for _ in range(3):
        one.later(hours=2)
        one.ask()
    assert one.deliver().sent == 2  # three a day
    one.later(hours=24)
    one.ask()
    assert one.deliver().sent == 1


def test_the_address_behind_a_trusted_proxy_counts(new_storage: Callable[[], Storage], tmp_path: Path) -> None:
    one = Instance(new_storage(), tmp_path, {"trusted_proxies": "10.0.0.0/8"})

    def seen(peer: str, *forwarded: str) -> str:
        headers = [(b"x-forwarded-for", one.encode()) for one in forwarded]
        return client_of(Request({"type": "http", "client": (peer, 1), "headers": headers}), trusted("10.0.0.0/8"))

    assert seen("192.0.2.9", "198.51.100.1") == "192.0.2.9"  # not a proxy of ours: what it says is not believed
    assert seen("10.0.0.1", "203.0.113.5, 198.51.100.1") == "198.51.100.1"
    assert seen("10.0.0.1", "203.0.113.5", "198.51.100.1, 10.0.0.2") == "198.51.100.1"
    assert seen("10.0.0.1") == "10.0.0.1"
    assert one.ask("not-an-address").status_code == 422


@pytest.mark.parametrize("backend", ["sqlite"], indirect=True)
def test_who_may_subscribe(new_storage: Callable[[], Storage], tmp_path: Path) -> None:
    storage = new_storage()
    closed = Instance(storage, tmp_path, {"signup": "closed"})
    assert closed.ask().status_code == 403
    assert "no new readers" in closed.client.get("/subscribe").text
    some = Instance(storage, tmp_path, {"signup": "domains:example.org,uni.example"})
    assert some.ask("eve@elsewhere.example").status_code == 422
    assert some.ask("ada@UNI.example").status_code == 202
    for bad in (
        "a@b",
        "Ada <ada@example.org>",
        "ada@example.org)x@evil.example",
        "a\r\nBcc: e@x.example",
        "a" * 65 + "@x.example",
        7,
    ):
        assert some.client.post("/api/v1/subscriptions", json={"address": bad}).status_code == 422


def test_the_form_offers_what_the_page_shows(one: Instance) -> None:
    page = one.client.get("/topics/deep-learning").text
    (link,) = re.findall(r'href="(/subscribe[^"]*)"', page)
    form = one.client.get(link.replace("&amp;", "&")).text
    assert 'name="topic" value="deep-learning"' in form
    assert "Sparse attention no." in form  # the preview
    assert one.client.get("/subscribe?period=2026-W05&q=sparse&cursor=x").status_code == 200
    assert one.client.get("/subscribe?topic=nothing").status_code == 422
    sent = one.client.post(
        "/subscribe", data={"address": ADA, "topic": "deep-learning", "weekday": "3", "zone": "Europe/Berlin"}
    )
    assert "Look into your mailbox" in sent.text
    assert one.deliver().sent == 1


def test_who_does_not_confirm_is_forgotten(one: Instance) -> None:
    one.ask()
    one.deliver()
    token = token_in(one.mails()[0], "confirm")
    one.later(hours=49)
    assert one.client.post("/confirm", data={"token": token}).status_code == 404
    one.later(days=6)
    told = one.storage.writing(lambda db: store.forget_unconfirmed(db, one.clock.now(), 100), private=True)
    assert len(told) == 1
    left = everything(one.storage)
    assert [len(left[t]) for t in ("subscriptions", "addresses", "confirmations", "signups", "outbox")] == [0] * 5


# ------------------------------------------------------------------ no trace
def test_who_leaves_or_is_erased_leaves_no_trace(one: Instance, caplog: pytest.LogCaptureFixture, capfd: Any) -> None:
    names = [f"reader-{n:03d}-of-many@example.org" for n in range(60)]
    tokens = [subscribing.add(one.context, name, subscribing.PLAIN).token for name in names]
    one.clock.at = NOW.replace(month=2, day=2)
    assert one.deliver().sent == 60
    if one.storage.dialect == "sqlite":  # the search below would find it
        held = b"".join(p.read_bytes() for p in Path(one.storage.url.removeprefix("sqlite:///")).parent.glob("further0.db*"))
        assert names[0].encode() in held
    for token in tokens[::2]:
        one.client.delete(ME, params={"token": token})
    keep(one.context.settings, "<test@x>", f"From: x\r\nTo: {names[1]}\r\n\r\n".encode())  # as of `doctor mail`
    assert erase_all(one.context, names[1::2]) == 30
    assert everything(one.storage)["addresses"] == []
    assert list((one.folder / "outbox").iterdir()) == []
    if one.storage.dialect == "sqlite":
        path = Path(one.storage.url.removeprefix("sqlite:///"))
        for file in path.parent.glob(f"{path.name}*"):
            found = re.findall(rb"reader-\d\d\d-of-many", file.read_bytes())
            assert found == [], file
        assert sqlite3.connect(path).execute("PRAGMA integrity_check").fetchone() == ("ok",)
    else:
        with one.storage.read() as db:
            pages = db.execute(text("SELECT pg_relation_size('addresses')")).scalar_one()
        assert pages == 0
    said = "".join(capfd.readouterr()) + caplog.text
    assert "of-many" not in said
    with one.storage.read() as db:
        keys = subscribing.keys_of(one.context)
        assert store.suppressed(db, keys.address_hash(names[0].upper())) == "left"
        assert store.suppressed(db, keys.address_hash(names[1])) == "erased"
    one.ask(names[1])
    assert one.deliver().sent == 0  # never again
    one.ask(names[0])
    assert one.deliver().sent == 1  # who left may come back
    assert parsed((one.folder / "outbox").glob("*.eml").__next__().read_bytes())["To"] == names[0]
