"""The web application: routes, errors and headers put together around one context."""

from __future__ import annotations

from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from starlette.middleware.cors import CORSMiddleware
from starlette.middleware.gzip import GZipMiddleware

from app import errors, logging, pages
from app.api import calendar, digests, docs, exports, health, items, quality, sources, subscriptions, taxonomy
from app.context import Context
from app.headers import BodyLimit, CodedTags, Headers
from app.pages import reader
from catalog.settings import read_settings
from catalog.storage import Storage
from catalog.taxonomy import load_taxonomy
from catalog.version import VERSION

_GZIP_LEVEL = 5  # level 9 costs three times as much for two per cent

_DESCRIPTION = (
    "What is new in machine learning, by skill. Instants are RFC 3339 in UTC, announced is a date. Lists are "
    '{"items": […], "next": cursor or null}. Unknown parameters are refused.'
)


def create_app(context: Context) -> FastAPI:
    """The application over an open storage, which stays the caller's to close. No link is ever made from the Host header."""
    base_url = context.settings.base_url
    # Redirects of trailing slashes would be made from the Host header; the documentation's page would load from a CDN.
    app = FastAPI(
        title="Skillfeed",
        version=VERSION,
        description=_DESCRIPTION,
        redirect_slashes=False,
        openapi_url=None,
        docs_url=None,
        redoc_url=None,
    )
    errors.install(app, base_url)
    for module in (items, exports, calendar, taxonomy, sources, quality, digests, subscriptions, health):
        app.include_router(module.router(context))
    app.include_router(docs.router(context, app))
    app.include_router(pages.router(context))
    app.include_router(reader.router(context))

    made: list[dict[str, Any]] = []

    def openapi() -> dict[str, Any]:
        if not made:
            document = get_openapi(title=app.title, version=app.version, description=app.description, routes=app.routes)
            made.append(docs.complete(document, base_url, app.routes))
        return made[0]

    app.openapi = openapi  # type: ignore[method-assign]

    # The last one added meets a request first.
    app.add_middleware(GZipMiddleware, compresslevel=_GZIP_LEVEL)
    app.add_middleware(CodedTags)
    origins = context.settings.cors_origins.replace(",", " ").split()
    if origins:
        app.add_middleware(CORSMiddleware, allow_origins=origins, allow_methods=["GET"], expose_headers=["Link", "ETag"])
    app.add_middleware(BodyLimit)
    app.add_middleware(errors.Unexpected, base_url=base_url)
    app.add_middleware(Headers, base_url=base_url)
    return app


def from_environment() -> FastAPI:
    """The application of this process's settings, for uvicorn's `--factory`; the storage lives as long as the process."""
    settings = read_settings()
    logging.set_up(settings.log_level)
    storage = Storage(settings.database, upgrade=False)  # `serve` has migrated it
    return create_app(Context(settings=settings, storage=storage, taxonomy=load_taxonomy(), clock=settings.make_clock()))
