"""Telling the operator: mail through a real SMTP server, webhooks through a real HTTP server, and nothing that leaks."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app import alerts, mail, relay
from app.alerts import Notice
from catalog.errors import SettingsError
from catalog.settings import Settings, read_settings
from catalog.storage.sources import SourceState
from tests.loopback_smtp import LoopbackSmtp, server_side, trusting

NOW = datetime(2026, 1, 29, 12, tzinfo=UTC)
OPERATOR = "ops@example.org"
DEAD = SourceState(
    "pmlr", True, NOW, NOW, NOW - timedelta(days=5), NOW - timedelta(days=6), 9, NOW - timedelta(days=4), "failed",
    "proceedings.example: no answer in time",
)  # fmt: skip
WELL = SourceState("cvf", True, NOW, NOW, NOW, NOW, 0, None, "ok", "", alerted_at=NOW - timedelta(days=2))
NOTICE = Notice((DEAD,), (WELL,), NOW, "https://feed.example.org")


def settings(alert_to: str = OPERATOR, **more: object) -> Settings:
    given = {"ALERT_TO": alert_to, "BASE_URL": "https://feed.example.org"} | more
    return read_settings({f"SKILLFEED_{k}": str(v) for k, v in given.items()}, None)


def parsed(data: bytes) -> EmailMessage:
    message = message_from_bytes(data, policy=default)
    assert isinstance(message, EmailMessage)
    return message


class Hook(BaseHTTPRequestHandler):
    """Answers as the server's script says, the last answer for ever; a number is a status, a text a redirect."""

    def do_POST(self) -> None:
        server: Any = self.server
        server.bodies.append(self.rfile.read(int(self.headers["content-length"])))
        server.kinds.append(self.headers["content-type"])
        answer = server.script.pop(0) if len(server.script) > 1 else server.script[0]
        self.send_response(302 if isinstance(answer, str) else answer)
        if isinstance(answer, str):
            self.send_header("Location", answer)
        self.end_headers()

    def log_message(self, format: str, *args: Any) -> None:
        """Nothing."""


@contextmanager
def webhook(*script: object) -> Iterator[Any]:
    server: Any = ThreadingHTTPServer(("127.0.0.1", 0), Hook)
    server.daemon_threads = True
    server.bodies, server.kinds, server.script = [], [], list(script) or [204]
    server.url = f"http://127.0.0.1:{server.server_address[1]}/hook"
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()


# ------------------------------------------------------------------ mail
def test_one_plain_mail_says_what_fails_since_when_and_what_is_well_again() -> None:
    with LoopbackSmtp() as server:
        assert alerts.tell(settings(SMTP_URL=f"smtp://127.0.0.1:{server.port}"), NOTICE) == (1, [])
    (got,) = server.received
    message = parsed(got.data)
    assert (got.sender, got.recipients) == ("skillfeed@feed.example.org", [OPERATOR])
    assert message["Subject"] == "Skillfeed: 1 failing, 1 well again (pmlr, cvf)"
    assert message["From"] == "Skillfeed <skillfeed@feed.example.org>"
    assert message["Auto-Submitted"] == "auto-generated"
    body = message.get_content().replace("\r\n", "\n")
    assert "PMLR (pmlr)\n  9 visits in a row failed, since 2026-01-25 12:00 UTC" in body
    assert "proceedings.example: no answer in time" in body
    assert "Well again: cvf" in body
    assert "https://feed.example.org/status" in body


def test_the_same_news_has_the_same_message_id_and_other_news_another() -> None:
    def id_of(notice: Notice) -> str:
        return str(mail.compose("a@b.example", OPERATOR, notice.subject, "text", notice.key, notice.at)["Message-ID"])

    assert id_of(NOTICE) == id_of(replace(NOTICE, at=NOW + timedelta(hours=1)))
    assert id_of(NOTICE) != id_of(replace(NOTICE, dead=(replace(DEAD, failing_since=NOW),)))


def test_the_senders_address_may_be_set() -> None:
    with LoopbackSmtp() as server:
        url = f"smtp://127.0.0.1:{server.port}"
        alerts.tell(settings(SMTP_URL=url, MAIL_FROM="The Feed, GmbH <feed@example.org>"), NOTICE)
    assert server.received[0].sender == "feed@example.org"
    assert parsed(server.received[0].data)["From"].addresses[0].display_name == "The Feed, GmbH"


@pytest.mark.parametrize(
    ("base_url", "sender"),
    [
        ("http://127.0.0.1:8000", "skillfeed@[127.0.0.1]"), ("http://[::1]:8000", "skillfeed@[IPv6:::1]"),
        ("http://localhost", "skillfeed@localhost"), ("https://feed.example.org/ml", "skillfeed@feed.example.org"),
    ],
)  # fmt: skip
def test_the_sender_comes_from_the_host_of_the_instance(base_url: str, sender: str) -> None:
    assert mail.sender_from(settings(BASE_URL=base_url))[1] == sender


@pytest.mark.parametrize(
    "bad",
    ["feed", "a@b@c.example", "x <a@b.example", "a@b.example, c@d.example", "a b@c.example",
     "a@b.example\r\nBcc: x@y.example"],
)  # fmt: skip
def test_a_sender_that_is_no_address_is_refused(bad: str) -> None:
    with pytest.raises(SettingsError, match="SKILLFEED_MAIL_FROM"):
        mail.sender_from(settings(MAIL_FROM=bad))


def test_without_a_relay_the_mail_is_kept_as_a_file_for_its_owner_only(tmp_path: Path) -> None:
    one = settings(DATA_DIR=tmp_path / "data")
    assert alerts.tell(one, NOTICE) == (1, [])
    assert alerts.tell(one, NOTICE) == (1, [])
    (file,) = (tmp_path / "data" / "outbox").iterdir()
    assert file.suffix == ".eml"
    assert file.stat().st_mode & 0o777 == 0o600
    assert parsed(file.read_bytes())["To"] == OPERATOR


@pytest.mark.parametrize("implicit", [True, False])
def test_a_certificate_that_nobody_vouches_for_is_refused_and_no_secret_is_sent(certificate: Path, implicit: bool) -> None:
    with LoopbackSmtp(tls=server_side(certificate), starttls=not implicit) as server:
        url = f"{'smtps' if implicit else 'smtp'}://ada:hunter2@localhost:{server.port}"
        taken, troubles = alerts.tell(settings(SMTP_URL=url), NOTICE)
    assert taken == 0
    assert "certificate is not believed" in troubles[0]
    assert (server.received, server.logins) == ([], [])


@pytest.mark.parametrize("implicit", [True, False])
def test_a_trusted_relay_gets_login_and_mail_encrypted(certificate: Path, implicit: bool) -> None:
    with LoopbackSmtp(tls=server_side(certificate), starttls=not implicit) as server:
        one = settings(SMTP_URL=f"{'smtps' if implicit else 'smtp'}://ada:hunter2@localhost:{server.port}")
        message = mail.compose("a@b.example", OPERATOR, "Subject", "Text", "key", NOW)
        mail.send(message, "a@b.example", OPERATOR, one, trust=trusting(certificate))
    assert len(server.logins) == 1
    assert server.received[0].encrypted


def test_a_relay_elsewhere_without_starttls_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    with LoopbackSmtp() as server:
        monkeypatch.setattr(relay.Relay, "is_local", False)
        taken, troubles = alerts.tell(settings(SMTP_URL=f"smtp://127.0.0.1:{server.port}"), NOTICE)
    assert (taken, server.received) == (0, [])
    assert "STARTTLS" in troubles[0]


@pytest.mark.parametrize(
    ("refuse", "said"),
    [
        ({"RCPT": f"550 no {OPERATOR} here"}, "refused the recipient (550)"),
        ({"MAIL": f"451 later, {OPERATOR}"}, "refused the sender (451)"),
        ({"DATA": f"554 not for {OPERATOR}"}, "refused the mail (554)"),
        ({"AUTH": "535 who are you"}, "refused the login (535)"),
    ],
)
def test_a_refusal_is_told_by_its_code_and_never_with_an_address(refuse: dict[str, str], said: str) -> None:
    with LoopbackSmtp(refuse=refuse) as server:
        url = f"smtp://ada:hunter2@127.0.0.1:{server.port}"
        taken, (trouble,) = alerts.tell(settings(SMTP_URL=url), NOTICE)
    assert taken == 0
    assert said in trouble
    assert "@" not in trouble
    assert "hunter2" not in trouble


def test_a_relay_that_is_not_there_is_named_without_its_address() -> None:
    taken, (trouble,) = alerts.tell(settings(SMTP_URL="smtp://127.0.0.1:9"), NOTICE)
    assert taken == 0
    assert trouble == "ALERT_TO no. 1: the relay cannot be reached (Connection refused)"


NASTY = st.text(st.one_of(st.characters(), st.sampled_from("\r\n=?\u2028\u2029\x00\x85\u202e")), max_size=80) | st.sampled_from(
    ["=?utf-8?q?a=0D=0ABcc:_e@x?=", "\r\nBcc: e@x.example", "\u2028Bcc: e@x.example", ".\r\nQUIT"]
)


@given(error=NASTY, name=NASTY)
def test_no_foreign_text_makes_a_header_or_ends_the_mail(error: str, name: str) -> None:
    notice = replace(NOTICE, dead=(replace(DEAD, name=name, error=error),), well=())
    text = "".join(alerts.text(notice)).encode("utf-8", "replace").decode()
    message = mail.compose("a@b.example", OPERATOR, notice.subject, text, "key", NOW)
    again = parsed(message.as_bytes())
    assert sorted(again.keys()) == sorted(
        ["From", "To", "Subject", "Date", "Message-ID", "Auto-Submitted", "Content-Type", "Content-Transfer-Encoding",
         "MIME-Version"]
    )  # fmt: skip
    assert len(str(again["Subject"]).splitlines()) <= 1
    assert again["To"] == OPERATOR


# ------------------------------------------------------------------ webhooks
def test_a_webhook_gets_one_post_with_json() -> None:
    with webhook() as hook:
        assert alerts.tell(settings(hook.url), NOTICE) == (1, [])
    (body,) = hook.bodies
    assert hook.kinds == ["application/json"]
    told = json.loads(body)
    assert told["event"] == "sources"
    assert told["failing"] == [
        {"source": "pmlr", "failing_since": "2026-01-25T12:00:00Z", "failures": 9, "last_success": "2026-01-24T12:00:00Z",
         "error": "proceedings.example: no answer in time"}
    ]  # fmt: skip
    assert told["recovered"] == [{"source": "cvf", "last_success": "2026-01-29T12:00:00Z"}]
    assert told["text"].startswith("Skillfeed: 1 failing, 1 well again")


def test_a_redirect_is_not_followed() -> None:
    with webhook() as other, webhook(other.url) as hook:
        taken, (trouble,) = alerts.tell(settings(hook.url), NOTICE)
    assert (taken, other.bodies) == (0, [])
    assert trouble == "ALERT_TO no. 1: the webhook answered 302"


def test_a_webhook_that_fails_is_named_by_its_place() -> None:
    with webhook(500) as hook, LoopbackSmtp() as server:
        both = settings(f"{hook.url}?token=hunter2, {OPERATOR}", SMTP_URL=f"smtp://127.0.0.1:{server.port}")
        assert alerts.tell(both, NOTICE) == (1, ["ALERT_TO no. 1: the webhook answered 500"])
    assert len(server.received) == 1
    taken, (trouble,) = alerts.tell(settings("http://127.0.0.1:9/?token=hunter2"), NOTICE)
    assert taken == 0
    assert "hunter2" not in trouble


def test_the_environments_proxies_are_not_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    with webhook() as hook:
        assert alerts.tell(settings(hook.url), NOTICE)[0] == 1


# ------------------------------------------------------------------ settings and waits
@pytest.mark.parametrize(
    "bad",
    ["ops", "ftp://example.org/x", "https://", "http://user:secret@example.org/", "a@b.example c@d.example",
     "ops@example.org\nBcc: x@y.example", "https://example.org/a b", "http://example.org:x/"],
)  # fmt: skip
def test_a_target_that_is_none_is_refused_and_not_repeated(bad: str) -> None:
    with pytest.raises(SettingsError, match="SKILLFEED_ALERT_TO") as refused:
        alerts.targets(bad)
    assert bad not in str(refused.value)


def test_targets_are_split_at_commas() -> None:
    assert alerts.targets("") == []
    assert alerts.targets(" ops@example.org , https://hooks.example/x?y=1 ") == [
        "ops@example.org",
        "https://hooks.example/x?y=1",
    ]


@pytest.mark.parametrize(
    "bad", ["mail.example.org", "http://mail.example.org", "smtp://", "smtp://h:x", "smtp://h/path", "smtp://h?x=1"]
)
def test_a_relay_that_is_none_is_refused_and_not_repeated(bad: str) -> None:
    with pytest.raises(SettingsError, match="SKILLFEED_SMTP_URL") as refused:
        relay.relay_from(bad)
    assert "mail.example.org" not in str(refused.value)


def test_a_relay_has_the_ports_of_its_protocol_and_decoded_secrets() -> None:
    found = relay.relay_from("smtps://ada%40example.org:p%40ss@mail.example.org")
    assert found == relay.Relay("mail.example.org", 465, True, "ada@example.org", "p@ss")
    assert relay.relay_from("smtp://mail.example.org/") == relay.Relay("mail.example.org", 587, False, "", "")
    assert relay.relay_from("") is None


def test_tries_are_made_at_growing_intervals() -> None:
    waits = [alerts.wait_after(n) for n in (1, 2, 3, 50)]
    assert waits == [timedelta(minutes=1), timedelta(minutes=2), timedelta(minutes=4), timedelta(hours=6)]
