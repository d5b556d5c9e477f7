"""The API described: the OpenAPI document and a plain page made from it, without scripts and without anybody else's servers."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from importlib.resources import files
from typing import Any
from urllib.parse import urlencode

from fastapi import APIRouter, FastAPI, Request, Response
from fastapi.routing import iter_route_contexts
from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup, escape
from starlette.routing import BaseRoute

from app.api.parameters import given
from app.context import Context
from app.errors import PROBLEMS
from app.schemas import Problem
from app.shapes import dump

_METHODS = ("get", "post", "put", "patch", "delete")


def router(context: Context, app: FastAPI) -> APIRouter:
    """`/api/openapi.json`, `/api/docs` and its style sheet. Made once, when first asked for: all routes are known by then."""
    routes = APIRouter(prefix="/api", include_in_schema=False)
    made: dict[str, bytes] = {}

    @routes.get("/openapi.json")
    def openapi(request: Request) -> Response:
        given(request)
        if "json" not in made:
            made["json"] = dump(app.openapi())
        return Response(made["json"], media_type="application/json")

    @routes.get("/docs")
    def docs(request: Request) -> Response:
        given(request)
        if "html" not in made:
            made["html"] = page(app.openapi(), context.settings.base_url).encode()
        return Response(made["html"], media_type="text/html; charset=utf-8")

    @routes.get("/docs.css")
    def style(request: Request) -> Response:
        given(request)
        return Response(files("app.api").joinpath("docs.css").read_bytes(), media_type="text/css; charset=utf-8")

    return routes


def complete(document: dict[str, Any], base_url: str, routes: Sequence[BaseRoute]) -> dict[str, Any]:
    """The document with the form of problems, whole examples and the address under which readers reach the instance."""
    for route in iter_route_contexts(routes):
        if not getattr(route, "include_in_schema", False) or route.path_format not in document["paths"]:
            continue
        for method in route.methods or ():
            answers = document["paths"][route.path_format].get(method.lower(), {}).get("responses", {})
            for status, answer in route.responses.items():
                for media, content in answer.get("content", {}).items():
                    if "example" in content:  # FastAPI drops every null, in examples too
                        answers[str(status)]["content"][media]["example"] = content["example"]
    schemas = document.setdefault("components", {}).setdefault("schemas", {})
    schemas["Problem"] = Problem.model_json_schema()
    document["components"]["schemas"] = dict(sorted(schemas.items()))
    document["servers"] = [{"url": base_url}]
    return document


def page(document: dict[str, Any], base_url: str) -> str:
    """Every route with its parameters, answers and examples as HTML."""
    environment = Environment(
        loader=PackageLoader("app.api", ""), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    environment.filters["words"] = _words
    return environment.get_template("docs.html").render(
        info=document["info"], operations=list(_operations(document, base_url)), problems=PROBLEMS
    )


def _words(text: str) -> Markup:
    """A description: what stands between backquotes is code."""
    return Markup(re.sub(r"`([^`]+)`", r"<code>\1</code>", str(escape(text))))  # noqa: S704 -- escaped just before


def _operations(document: dict[str, Any], base_url: str) -> Iterator[dict[str, Any]]:
    for path, methods in document["paths"].items():
        for method in _METHODS:
            if method in methods:
                yield _operation(path, method, methods[method], base_url)


def _operation(path: str, method: str, told: dict[str, Any], base_url: str) -> dict[str, Any]:
    parameters = [_parameter(p) for p in told.get("parameters", ())]
    return {
        "id": told["operationId"],
        "method": method.upper(),
        "path": path,
        "summary": told["summary"],
        "description": told.get("description", ""),
        "parameters": parameters,
        "answers": [_answer(status, answer) for status, answer in told["responses"].items()],
        "request": _request(path, parameters, base_url),
    }


def _parameter(told: dict[str, Any]) -> dict[str, Any]:
    schema = told["schema"]
    inner = schema.get("items", schema)
    example = told.get("example", next(iter(schema.get("examples", ())), ""))
    return {
        "name": told["name"],
        "place": told["in"],
        "type": f"{inner['type']}, repeatable" if schema["type"] == "array" else inner.get("format", inner["type"]),
        "description": told.get("description", schema.get("description", "")),
        "allowed": inner.get("enum", ()),
        "default": schema.get("default", ""),
        "example": example,
    }


def _answer(status: str, told: dict[str, Any]) -> dict[str, Any]:
    by_media: dict[str, dict[str, Any]] = told.get("content", {})
    media = next(iter(by_media), "")
    content = by_media.get(media, {})
    example = json.dumps(content["example"], indent=2, ensure_ascii=False) if "example" in content else ""
    return {"status": status, "description": told["description"], "media": media, "example": example}


def _request(path: str, parameters: list[dict[str, Any]], base_url: str) -> str:
    """An address that can be tried: path values filled in, and the first two query parameters."""
    for parameter in parameters:
        if parameter["place"] == "path":
            path = path.replace("{" + parameter["name"] + "}", str(parameter["example"]))
    query = [(p["name"], p["example"]) for p in parameters if p["place"] == "query"]
    shown = query[:1] if path.endswith("/lookup") else query[:2]
    return base_url + path + (f"?{urlencode(shown, doseq=True)}" if shown else "")
