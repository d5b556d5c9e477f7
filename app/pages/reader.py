"""The pages of a reader: ask for a digest, confirm, change, leave.

GET shows, POST acts: whatever follows the links of a mail changes nothing. There are no cookies; the token in the address is
the right to act, so no page here is kept by a cache, found by a search engine, or told to the pages it links to.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Annotated, Any
from urllib.parse import parse_qsl
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Depends
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from app import phrases, subscribing
from app.clients import client_of, trusted
from app.context import Context
from app.digests import Caps, preview
from app.pages.routes import error_page, render
from app.subscribing import CONSENT_TEXT, NoSuchLink, NotOpen, TooMany
from catalog.entries import Kind
from catalog.errors import SkillfeedError, UsageError
from catalog.filters import Filter
from catalog.items import Level
from catalog.periods import Period, day_of, month_of, week_of
from catalog.storage.subscriptions import Subscription
from catalog.subscriptions import CHOICE_NAMES, Cadence, Choices, MailFormat, in_words, join_words, split_words, zones

PRIVATE = {"Cache-Control": "no-store", "Referrer-Policy": "no-referrer", "X-Robots-Tag": "noindex"}
_CAPS = Caps(per_topic=2, total=10)  # of the preview
_TICKED = ("topic", "area", "kind", "level")  # what the form has boxes for
_WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_ON_ITS_WAY = (
    "If this address can take mail from here, a question is on its way to it. Its link is good for 48 hours; nothing else is "
    "sent before you follow it and say yes."
)
Form = dict[str, list[str]]


@dataclass(frozen=True, slots=True)
class Page:
    """A template and its data."""

    template: str
    data: dict[str, Any]


async def _form(asked: Request) -> Form:
    """The fields of a form; empty ones are absent. Raises UsageError for what is not of the form's kind."""
    out: Form = {}
    try:
        pairs = parse_qsl((await asked.body()).decode("utf-8"), max_num_fields=400)
    except (ValueError, UnicodeDecodeError):
        raise UsageError("the form could not be read; send it again") from None
    for name, value in pairs:
        if "\0" in value or not value.strip():
            continue
        out.setdefault(name, []).append(value.strip())
    return out


_Sent = Annotated[Form, Depends(_form)]


def router(context: Context) -> APIRouter:
    """`/subscribe`, `/confirm`, `/preferences` and `/unsubscribe`, each to look at and to act by."""
    pages = APIRouter(include_in_schema=False)
    proxies = trusted(context.settings.trusted_proxies)

    @pages.get("/subscribe")
    def subscribe_page(asked: Request) -> Response:
        return _answer(context, lambda: _subscribe(context, asked))

    @pages.post("/subscribe")
    def subscribe(asked: Request, sent: _Sent) -> Response:
        def act() -> Page:
            choices = subscribing.choices_from(context, _given(sent, Choices()))
            subscribing.subscribe(context, _one(sent, "address"), choices, client_of(asked, proxies))
            return Page("said.html", {"heading": "Look into your mailbox", "lines": [_ON_ITS_WAY], "link": None})

        return _answer(context, act)

    @pages.get("/confirm")
    def confirm_page(asked: Request) -> Response:
        token = asked.query_params.get("token", "")
        return _answer(context, lambda: _question(context, token))

    @pages.post("/confirm")
    def confirm(asked: Request, sent: _Sent) -> Response:
        def act() -> Page:
            done = subscribing.confirm(context, _token(asked, sent))
            lines = [f"Your digest comes {in_words(done.subscription.choices)}; {_next(done.subscription)}."]
            link = ("/preferences", done.token, "Your preferences")
            return Page("said.html", {"heading": "You have subscribed", "lines": lines, "link": link})

        return _answer(context, act)

    @pages.get("/preferences")
    def preferences_page(asked: Request) -> Response:
        token = asked.query_params.get("token", "")
        return _answer(context, lambda: _preferences(context, subscribing.reader(context, token), token))

    @pages.post("/preferences")
    def preferences(asked: Request, sent: _Sent) -> Response:
        def act() -> Page:
            token = _token(asked, sent)
            before = subscribing.reader(context, token)
            given = _given(sent, before.choices) | {"paused": "paused" in sent}
            return _preferences(context, subscribing.change(context, token, given), token, saved=True)

        return _answer(context, act)

    @pages.get("/unsubscribe")
    def unsubscribe_page(asked: Request) -> Response:
        token = asked.query_params.get("token", "")
        return _answer(context, lambda: Page("unsubscribe.html", {"token": token}))

    @pages.post("/unsubscribe")
    def unsubscribe(asked: Request, sent: _Sent) -> Response:
        """Also the one click of RFC 8058: no cookie, and the same answer whether there was a subscription or not."""

        def act() -> Page:
            subscribing.leave(context, _token(asked, sent))
            lines = ["There is no subscription any more, and your address is removed. You can come back whenever you like."]
            return Page("said.html", {"heading": "You have left", "lines": lines, "link": None})

        return _answer(context, act)

    return pages


# ------------------------------------------------------------------ what is shown
def _subscribe(context: Context, asked: Request) -> Page:
    given: Form = {}
    for name, value in asked.query_params.multi_items():
        if value.strip():
            given.setdefault(name, []).append(value)
    for name in ("since", "until", "period", "cursor", "sort", "limit", "fields"):  # of the page it is asked from
        given.pop(name, None)
    choices = subscribing.choices_from(context, {"filter": given, "zone": context.settings.timezone})
    kind, _, domains = context.settings.signup.partition(":")
    data = _form_data(context, choices) | {
        "open": kind != "closed", "domains": domains.split(",") if domains else [], "consent": CONSENT_TEXT,
        "pairs": choices.filter,
    }  # fmt: skip
    return Page("subscribe.html", data | _preview(context, choices))


def _question(context: Context, token: str) -> Page:
    choices = subscribing.asked(context, token)
    data = {"token": token, "choices": choices, "when": in_words(choices), "names": _names(context, choices)}
    return Page("confirm.html", data | {"consent": CONSENT_TEXT})


def _preferences(context: Context, found: Subscription, token: str, *, saved: bool = False) -> Page:
    data = _form_data(context, found.choices) | {
        "token": token, "reader": found, "saved": saved, "next_one": _next(found),
        "kept": [p for p in found.choices.filter if p[0] not in (*_TICKED, "q")],
    }  # fmt: skip
    return Page("preferences.html", data)


def _form_data(context: Context, choices: Choices) -> dict[str, Any]:
    taxonomy = context.taxonomy
    wanted, refused = split_words(dict(choices.filter).get("q", ""))
    return {
        "choices": choices, "when": in_words(choices), "names": _names(context, choices), "wanted": wanted, "refused": refused,
        "ticked": set(choices.filter), "areas": [(a, taxonomy.topics_of(a.slug)) for a in taxonomy.areas],
        "kinds": [k.value for k in Kind], "levels": [v.value for v in Level], "weekdays": list(enumerate(_WEEKDAYS, 1)),
        "zones": zones(), "cadences": [c.value for c in Cadence], "formats": [(MailFormat.HTML.value, "HTML and text"),
                                                                            (MailFormat.TEXT.value, "text only")],
    }  # fmt: skip


def _names(context: Context, choices: Choices) -> list[str]:
    """Each part of the filter in words."""
    names = {("topic", t.slug): t.name for t in context.taxonomy.topics}
    names |= {("area", a.slug): a.name for a in context.taxonomy.areas}
    return [names.get(pair) or f"{pair[0]} {phrases.one_line(pair[1])}" for pair in choices.filter]


def _preview(context: Context, choices: Choices) -> dict[str, Any]:
    """What the last digest would have held."""
    today = context.clock.now().date()
    period = last_period(choices.cadence, context)
    filter: Filter = subscribing.filter_of(context, choices)
    digest = preview(context.storage, context.taxonomy, filter, period, today, _CAPS)
    return {"digest": digest, "name": phrases.period_name(period)}


def last_period(cadence: Cadence, context: Context) -> Period:
    """The last complete period of a cadence."""
    of = {Cadence.DAILY: day_of, Cadence.WEEKLY: week_of, Cadence.MONTHLY: month_of}[cadence]
    return of(context.clock.now().date()).previous


def _next(found: Subscription) -> str:
    if found.next_due is None:
        return "it is paused"
    local = found.next_due.astimezone(ZoneInfo(found.choices.zone))
    return f"the next one on {phrases.day(local.date())}, {local:%H:%M} {local:%Z}"


# ------------------------------------------------------------------ what is sent
def _given(sent: Form, base: Choices) -> dict[str, Any]:
    """The choices of a form; what has no field in it stays as it was."""
    filter: dict[str, list[str]] = {}
    for name, value in base.filter:
        if name not in (*_TICKED, "q"):
            filter.setdefault(name, []).append(value)
    filter |= {name: sent[name] for name in CHOICE_NAMES if name in sent and name != "q"}
    q = join_words(_one(sent, "wanted"), _one(sent, "refused"))
    given: dict[str, Any] = {"filter": filter | ({"q": [q]} if q else {})}
    return given | {n: sent[n][0] for n in ("cadence", "weekday", "hour", "zone", "format") if n in sent}


def _one(sent: Mapping[str, list[str]], name: str) -> str:
    return sent.get(name, [""])[0]


def _token(asked: Request, sent: Form) -> str:
    return asked.query_params.get("token", "") or _one(sent, "token")


def _answer(context: Context, act: Callable[[], Page]) -> Response:
    base_url = context.settings.base_url
    try:
        page = act()
    except NoSuchLink as error:
        return _private(error_page(404, str(error), base_url))
    except TooMany as error:
        return _private(error_page(429, str(error), base_url), {"Retry-After": str(error.retry_after)})
    except NotOpen as error:
        return _private(error_page(403, str(error), base_url))
    except UsageError as error:
        return _private(error_page(422, str(error), base_url))
    except SkillfeedError:  # its words may name hosts and files
        return _private(error_page(503, "Nothing was changed. Try again in a moment.", base_url))
    return _private(HTMLResponse(render(page.template, base_url, {"nav": ""} | page.data)))


def _private(answer: Response, more: Mapping[str, str] | None = None) -> Response:
    answer.headers.update(PRIVATE | dict(more or {}))
    return answer
