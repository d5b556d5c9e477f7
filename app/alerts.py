"""Tells the operator, once, of sources that have failed for three days, and once more when they are well again.

`ALERT_TO` is an e-mail address or an http(s) webhook, several with commas between. A webhook gets one POST with JSON; it is the
operator's own address and may be a private one. Redirects are not followed. No address is ever written to a log.
"""

from __future__ import annotations

import json
import re
import urllib.error
import urllib.request
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from http.client import HTTPException, HTTPMessage
from typing import IO, Any
from urllib.parse import urlsplit

from app import mail
from app.phrases import one_line, source_name
from app.relay import MailError
from app.shapes import instant
from catalog.errors import SettingsError
from catalog.settings import Settings
from catalog.storage.sources import SourceState
from catalog.version import VERSION

AFTER = timedelta(days=3)  # without a good visit
SECONDS = 10.0  # for a webhook to connect, and to answer
FIRST_RETRY, LONGEST_RETRY = timedelta(minutes=1), timedelta(hours=6)
_ERROR_SHOWN = 300  # characters


@dataclass(frozen=True, slots=True)
class Notice:
    """What the operator is told at once."""

    dead: tuple[SourceState, ...]
    well: tuple[SourceState, ...]
    at: datetime  # UTC by the instance's clock
    base_url: str

    @property
    def subject(self) -> str:
        """One line."""
        said = [f"{len(self.dead)} failing" if self.dead else "", f"{len(self.well)} well again" if self.well else ""]
        names = ", ".join(one.name for one in (*self.dead, *self.well)[:4])
        more = " …" if len(self.dead) + len(self.well) > 4 else ""
        return f"Skillfeed: {', '.join(s for s in said if s)} ({names}{more})"

    @property
    def key(self) -> str:
        """The same for the same news, so that a mail that is sent again after a crash is known by its Message-ID."""
        return "\n".join(
            [*(f"{s.name} {s.failing_since}" for s in self.dead), *(f"{s.name} {s.alerted_at}" for s in self.well)]
        )


def targets(setting: str) -> list[str]:
    """The addresses and webhooks of ALERT_TO; raises SettingsError, which repeats nothing of them."""
    found = [one.strip() for one in setting.split(",") if one.strip()]
    if not all(mail.is_address(one) or _is_webhook(one) for one in found):
        raise SettingsError("SKILLFEED_ALERT_TO: must be an e-mail address or an http(s) address, with commas between several")
    return found


def text(notice: Notice) -> str:
    """The mail's body."""
    return "\n".join(_lines(notice))


def payload(notice: Notice) -> dict[str, Any]:
    """The webhook's JSON; `text` is what chat services show."""
    return {
        "event": "sources",
        "at": instant(notice.at),
        "instance": notice.base_url,
        "text": f"{notice.subject}\n{text(notice)}",
        "failing": [
            {
                "source": s.name,
                "failing_since": instant(s.failing_since),
                "failures": s.failures,
                "last_success": instant(s.last_success),
                "error": _error(s),
            }
            for s in notice.dead
        ],
        "recovered": [{"source": s.name, "last_success": instant(s.last_success)} for s in notice.well],
    }


def tell(settings: Settings, notice: Notice) -> tuple[int, list[str]]:
    """Tell all of ALERT_TO: how many took it, and what was wrong with the others, by their place, never by their address."""
    taken, troubles = 0, []
    for place, one in enumerate(targets(settings.alert_to.get_secret_value()), 1):
        try:
            if _is_webhook(one):
                _post(one, payload(notice), settings.outgoing_proxy)
            else:
                sender, bare = mail.sender_from(settings)
                message = mail.compose(sender, one, notice.subject, text(notice), notice.key, notice.at)
                mail.send(message, bare, one, settings)
            taken += 1
        except (MailError, SettingsError) as error:
            troubles.append(f"ALERT_TO no. {place}: {error}")
    return taken, troubles


def warn(settings: Settings, subject: str, at: datetime) -> int:
    """Tell the webhooks of ALERT_TO of trouble with mail, which mail cannot tell of; how many took it. Raises SettingsError."""
    taken = 0
    for one in targets(settings.alert_to.get_secret_value()):
        if _is_webhook(one):
            body = {"event": "mail", "at": instant(at), "instance": settings.base_url, "text": subject}
            try:
                _post(one, body, settings.outgoing_proxy)
                taken += 1
            except MailError:  # as said in the log: the trouble itself is there as well
                continue
    return taken


def wait_after(failures: int) -> timedelta:
    """How long to wait after so many failed tries in a row: a minute, doubled up to six hours."""
    doublings = min(max(0, failures - 1), 20)
    return min(LONGEST_RETRY, FIRST_RETRY * (1 << doublings))


def _lines(notice: Notice) -> Iterator[str]:
    if notice.dead:
        yield f"No good visit for {AFTER.days} days:"
        for s in notice.dead:
            yield ""
            yield f"{source_name(s.name)} ({s.name})"
            yield f"  {s.failures} visits in a row failed, since {s.failing_since:%Y-%m-%d %H:%M} UTC"
            yield f"  last good visit: {f'{s.last_success:%Y-%m-%d %H:%M} UTC' if s.last_success else 'none yet'}"
            yield f"  {_error(s)}"
        yield ""
    if notice.well:
        yield f"Well again: {', '.join(s.name for s in notice.well)}"
        yield ""
    yield f"{notice.base_url}/status"


def _error(state: SourceState) -> str:
    return one_line(state.error)[:_ERROR_SHOWN]


def _is_webhook(one: str) -> bool:
    try:
        parts = urlsplit(one)
        good = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.username is None and parts.port != 0
    except ValueError:
        return False
    return good and bool(re.fullmatch(r"[!-~]+", one))


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    def redirect_request(
        self, req: urllib.request.Request, fp: IO[bytes], code: int, msg: str, headers: HTTPMessage, newurl: str
    ) -> None:
        """None: the redirect is an answer like any other that is not 2xx."""


def _post(url: str, body: dict[str, Any], proxy: str) -> None:
    """POST it; raises MailError for anything but a 2xx answer."""
    # An empty ProxyHandler: the environment's proxies are not ours.
    opener = urllib.request.build_opener(
        _NoRedirect, urllib.request.ProxyHandler({"http": proxy, "https": proxy} if proxy else {})
    )
    headers = {"Content-Type": "application/json", "User-Agent": f"Skillfeed/{VERSION}"}
    data = json.dumps(body, ensure_ascii=False).encode()
    try:
        request = urllib.request.Request(url, data=data, headers=headers, method="POST")  # noqa: S310 - the operator's own
        with opener.open(request, timeout=SECONDS):
            return
    except urllib.error.HTTPError as error:
        error.close()
        raise MailError(f"the webhook answered {error.code}") from None
    except (OSError, HTTPException, ValueError) as error:  # their words may hold the address
        reason = getattr(error, "reason", error)
        raise MailError(f"the webhook cannot be reached ({type(reason).__name__})") from None


def in_words(dead: Sequence[SourceState], well: Sequence[SourceState]) -> str:
    """For the log: names of sources, which are ours."""
    return " ".join([*(f"failing:{s.name}" for s in dead), *(f"well:{s.name}" for s in well)])
