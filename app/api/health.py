"""Is the process alive, can it answer, and how fresh is what it holds."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

import structlog
from fastapi import APIRouter, Request, Response

from app.api.answers import json_answer, told
from app.api.parameters import given
from app.context import Context
from app.errors import UNAVAILABLE, USAGE, problem_body, problem_response
from app.schemas import READY_EXAMPLE, Alive, Ready
from app.shapes import freshness
from catalog.errors import DatabaseUnavailable, NewerDatabase
from catalog.storage import Storage, sources

_NO_STORE = {"Cache-Control": "no-store"}
_log = structlog.get_logger("app.health")


def router(context: Context) -> APIRouter:
    """`/healthz` and `/readyz`."""
    routes = APIRouter(tags=["health"])

    @routes.get(
        "/healthz", operation_id="getHealth", summary="Is the process alive", responses=told(Alive, {"status": "ok"}, USAGE)
    )
    def healthz(request: Request) -> Response:
        """Always the same answer; the database is not asked."""
        given(request)
        return json_answer({"status": "ok"}, _NO_STORE)

    @routes.get(
        "/readyz",
        operation_id="getReadiness",
        summary="Can the instance answer",
        responses=told(Ready, READY_EXAMPLE, USAGE, UNAVAILABLE),
    )
    def readyz(request: Request) -> Response:
        """503 only when the database cannot be reached or its migrations are missing; failing sources are told in the body."""
        given(request)
        try:
            lacking = context.storage.check()
            database = _database(context.storage, reachable=True)
            if lacking is None:
                with context.storage.read() as db:
                    states = [freshness(state) for state in sources.states(db)]
                body = {
                    "status": "ready",
                    "database": database,
                    "migrations": {"current": True, "reason": None},
                    "sources": states,
                }
                return json_answer(body, _NO_STORE)
            return _unready(database, current=False, reason=lacking)
        except NewerDatabase as error:
            return _unready(_database(context.storage, reachable=True), current=False, reason=str(error))
        except DatabaseUnavailable as error:
            _log.warning("not ready", cause=str(error))
            return _unready(_database(context.storage, reachable=False), current=None, reason=None)

    def _unready(database: dict[str, Any], *, current: bool | None, reason: str | None) -> Response:
        detail = reason or "the database cannot be reached"
        body = problem_body(UNAVAILABLE, context.settings.base_url, "/readyz", detail, [])
        body |= {"database": database, "migrations": {"current": current, "reason": reason}, "sources": []}
        return problem_response(body, {"Retry-After": "30"})

    return routes


def _database(storage: Storage, *, reachable: bool) -> dict[str, Any]:
    journal = storage.journal
    return {"kind": storage.dialect, "reachable": reachable, "journal": asdict(journal) if journal else None}
