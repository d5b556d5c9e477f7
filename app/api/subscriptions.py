"""Subscriptions by mail: ask, confirm, change, leave. Nothing tells whether an address is known; no GET changes anything."""

from __future__ import annotations

import json
from typing import Annotated, Any
from urllib.parse import parse_qs

from fastapi import APIRouter, Depends, Request, Response
from pydantic import BaseModel

from app import subscribing
from app.api.answers import PREFIX, json_answer, takes, told
from app.api.parameters import Parameter, given, only
from app.clients import client_of, trusted
from app.context import Context
from app.errors import NOT_FOUND, NOT_OPEN, TOO_MANY, UNAVAILABLE, USAGE
from app.schemas import (
    ASKED_EXAMPLE,
    CONFIRMED_EXAMPLE,
    LEFT_EXAMPLE,
    SUBSCRIPTION_EXAMPLE,
    Asked,
    Confirmed,
    Left,
    SubscriptionChange,
    SubscriptionInfo,
    SubscriptionRequest,
)
from app.shapes import instant
from catalog.errors import UsageError

#: Answers to whoever has a token: no cache keeps them, and no link from them tells where they came from.
PRIVATE = {"Cache-Control": "no-store", "Referrer-Policy": "no-referrer", "X-Robots-Tag": "noindex"}
_TOKEN = Parameter("token", "Token of the reader's own link, or of the question.", "b2f…", {"type": "string", "maxLength": 200})
_ASKED = ASKED_EXAMPLE


async def _body(asked: Request) -> bytes:
    return await asked.body()


_Body = Annotated[bytes, Depends(_body)]


def router(context: Context) -> APIRouter:
    """`/api/v1/subscriptions`."""
    routes = APIRouter(prefix=f"{PREFIX}/subscriptions", tags=["subscriptions"])
    proxies = trusted(context.settings.trusted_proxies)

    @routes.post(
        "",
        operation_id="askSubscription",
        summary="Ask an address whether it wants a digest",
        status_code=202,
        responses=_accepted(told(Asked, ASKED_EXAMPLE, USAGE, NOT_OPEN, TOO_MANY, UNAVAILABLE)),
        openapi_extra=_takes_body(SubscriptionRequest, {"address": "ada@example.org", "filter": {"topic": ["deep-learning"]}}),
    )
    def subscribe(asked: Request, body: _Body) -> Response:
        """Sends a mail with a link that confirms; nothing else is sent before. The answer is the same for every address."""
        given(asked)
        found = _object(body)
        address = found.pop("address", None)
        if not isinstance(address, str):
            raise UsageError('address is missing: send {"address": "ada@example.org"}')
        subscribing.subscribe(context, address, subscribing.choices_from(context, found), client_of(asked, proxies))
        answer = json_answer(_ASKED, PRIVATE)
        answer.status_code = 202
        return answer

    @routes.post(
        "/confirm",
        operation_id="confirmSubscription",
        summary="Confirm, once, by the token of the question",
        responses=told(Confirmed, CONFIRMED_EXAMPLE, USAGE, NOT_FOUND, UNAVAILABLE),
        openapi_extra=takes([_TOKEN]),
    )
    def confirm_subscription(asked: Request, body: _Body) -> Response:
        """Puts in force what was asked for. The token may stand in a JSON body as well; it works once, within 48 hours."""
        done = subscribing.confirm(context, _token(asked, body))
        return json_answer({"token": done.token, "subscription": _told(done.subscription)}, PRIVATE)

    @routes.get(
        "/me",
        operation_id="getSubscription",
        summary="Everything that is kept about the reader",
        responses=told(SubscriptionInfo, SUBSCRIPTION_EXAMPLE, USAGE, NOT_FOUND, UNAVAILABLE),
        openapi_extra=takes([_TOKEN]),
    )
    def get_subscription(asked: Request) -> Response:
        """Address, choices, consent and mails, by the token of the reader's own link: an export as well."""
        return json_answer(own_data(context, _token(asked)), PRIVATE)

    @routes.patch(
        "/me",
        operation_id="changeSubscription",
        summary="Change what is sent, when and how, or pause it",
        responses=told(SubscriptionInfo, SUBSCRIPTION_EXAMPLE, USAGE, NOT_FOUND, UNAVAILABLE),
        openapi_extra=takes([_TOKEN]) | _takes_body(SubscriptionChange, {"weekday": 5, "hour": 18, "zone": "Europe/Berlin"}),
    )
    def change_subscription(asked: Request, body: _Body) -> Response:
        """What is not given stays. `filter` is replaced as a whole."""
        token = _token(asked)
        subscribing.change(context, token, _object(body))
        return json_answer(own_data(context, token), PRIVATE)

    @routes.delete(
        "/me",
        operation_id="deleteSubscription",
        summary="Leave, and have everything removed",
        responses=told(Left, LEFT_EXAMPLE, USAGE, UNAVAILABLE),
        openapi_extra=takes([_TOKEN]),
    )
    def delete_subscription(asked: Request) -> Response:
        """Removes subscription, address and mails at once. The answer is the same when that was done before."""
        subscribing.leave(context, _token(asked))
        return json_answer(LEFT_EXAMPLE, PRIVATE)

    @routes.post(
        "/unsubscribe",
        operation_id="endSubscription",
        summary="Leave with one click (RFC 8058)",
        responses=told(Left, LEFT_EXAMPLE, USAGE, UNAVAILABLE),
        openapi_extra=takes([_TOKEN]),
    )
    def unsubscribe(asked: Request, body: _Body) -> Response:
        """As DELETE of `/me`; takes the body `List-Unsubscribe=One-Click`, needs no cookie, and may be repeated."""
        subscribing.leave(context, _token(asked, body))
        return json_answer(LEFT_EXAMPLE, PRIVATE)

    return routes


def own_data(context: Context, token: str) -> dict[str, Any]:
    """Everything kept about a reader as JSON tells it; raises NoSuchLink."""
    data = subscribing.own_data(context, token)
    for name in ("made", "confirmed", "next_due"):
        data[name] = instant(data[name])
    data["mails"] = [m | {"made": instant(m["made"]), "settled": instant(m["settled"])} for m in data["mails"]]
    return data


def _told(found: Any) -> dict[str, Any]:
    return {"state": found.state, **found.choices.as_dict(), "next_due": instant(found.next_due)}


def _token(asked: Request, body: bytes = b"") -> str:
    """The token of the address, else of a JSON or form body; raises UsageError."""
    token = only(given(asked, ["token"]), "token")
    if not token and body.lstrip()[:1] == b"{":
        token = str(_object(body).get("token") or "")
    elif not token:
        token = (parse_qs(body.decode("ascii", "replace")).get("token") or [""])[0]
    if not token:
        raise UsageError("token is missing: it stands in the link of the mail")
    return token


def _object(body: bytes) -> dict[str, Any]:
    try:
        found = json.loads(body)
        if isinstance(found, dict):
            json.dumps(found, ensure_ascii=False).encode()  # half a surrogate pair gets no further
            if "\\u0000" not in json.dumps(found):
                return found
    except (ValueError, RecursionError):
        pass
    raise UsageError('the body must be a JSON object such as {"address": "ada@example.org"}')


def _accepted(responses: dict[int | str, dict[str, Any]]) -> dict[int | str, dict[str, Any]]:
    """The answer is given with 202: the mail is still to come."""
    return {202: responses.pop(200), **responses}


def _takes_body(model: type[BaseModel], example: Any) -> dict[str, Any]:
    content = {"application/json": {"schema": model.model_json_schema(), "example": example}}
    return {"requestBody": {"required": True, "content": content}}
