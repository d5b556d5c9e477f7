"""Request parameters: which a route takes, how they are told in OpenAPI, and links that repeat them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from fastapi import Request

from catalog.entries import Kind
from catalog.errors import UnknownName, UsageError
from catalog.filters import (
    EXTRA_FIELDS,
    LIMIT_DEFAULT,
    LIMIT_MAX,
    NAME_LIMIT,
    Q_LIMIT,
    SORTS,
    Key,
    Listing,
    make_cursor,
)
from catalog.items import Form, Level
from catalog.storage import Storage, items, sources
from catalog.taxonomy import Taxonomy

Given = Mapping[str, Sequence[str]]


@dataclass(frozen=True, slots=True)
class Parameter:
    """A query parameter as OpenAPI tells it."""

    name: str
    description: str
    example: Any
    schema: Mapping[str, Any]

    def described(self) -> dict[str, Any]:
        """The OpenAPI object."""
        out: dict[str, Any] = {"name": self.name, "in": "query", "required": False, "description": self.description}
        return out | {"schema": dict(self.schema), "example": self.example}


def _text(name: str, description: str, example: str, **schema: Any) -> Parameter:
    return Parameter(name, description, example, {"type": "string", **schema})


def _several(name: str, description: str, example: Sequence[str], **schema: Any) -> Parameter:
    return Parameter(name, description, list(example), {"type": "array", "items": {"type": "string", **schema}})


SINCE = _text("since", "First announced day, inclusive.", "2026-01-26", format="date")
UNTIL = _text("until", "Last announced day, inclusive.", "2026-02-01", format="date")
LIMIT = Parameter(
    "limit",
    "How many at most.",
    20,
    {"type": "integer", "minimum": 1, "maximum": LIMIT_MAX, "default": LIMIT_DEFAULT},
)
CURSOR = _text(
    "cursor", "`next` of the page before. Pages stay whole while new things arrive.", make_cursor((12_407_839_129_601,))
)
SOURCE = _text("source", "Slug of a source.", "arxiv")


def filter_parameters(taxonomy: Taxonomy) -> tuple[Parameter, ...]:
    """What restricts items; repeated values of one are OR, different ones AND."""
    return (
        _several("topic", "Topic slug; repeat for OR.", [taxonomy.topics[0].slug], enum=[t.slug for t in taxonomy.topics]),
        _several("area", "Skill area; repeat for OR.", [taxonomy.areas[0].slug], enum=[a.slug for a in taxonomy.areas]),
        _several("kind", "Kind of item; repeat for OR.", ["paper"], enum=[k.value for k in Kind]),
        _several("source", "Slug of a source that speaks of the item; repeat for OR.", ["arxiv"]),
        _several("venue", "Conference or journal, or an edition of it; repeat for OR.", ["NeurIPS", "ICML 2026"]),
        _several(
            "author",
            "Name of an author or a part of it, its words in this order, accents folded; repeat for OR.",
            ["Ada Example"],
            maxLength=NAME_LIMIT,
        ),
        _several("level", "Whom a paper serves first; repeat for OR.", ["start-here"], enum=[v.value for v in Level]),
        _several("form", "What kind of paper it is; repeat for OR.", ["survey"], enum=[v.value for v in Form]),
        _several("category", "arXiv category, aliases folded; repeat for OR.", ["cs.LG"]),
        SINCE,
        UNTIL,
        _text(
            "q",
            'Words, "phrases", -minus, OR, `title:`, `author:` and `venue:`; English endings and accents are folded.',
            'title:"sparse attention" -survey',
            maxLength=Q_LIMIT,
        ),
        Parameter(
            "min_score",
            "Least score of one of the topics asked for; without `topic` of those of the areas asked for, else of any.",
            0.6,
            {"type": "number", "minimum": 0, "maximum": 1},
        ),
    )


def listing_parameters(taxonomy: Taxonomy) -> tuple[Parameter, ...]:
    """The filter, an order, a page and what each item shall tell."""
    return (
        *filter_parameters(taxonomy),
        _text(
            "sort",
            "Order: `newest` announced first; `relevance` to `q`: all words in the title first, then some, then the rest, each "
            "newest first; `rank`: a sum of parts that `fields=rank` tells.",
            "newest",
            enum=list(SORTS),
            default="newest",
        ),
        LIMIT,
        CURSOR,
        _several(
            "fields",
            "What to tell beyond the card; commas between or repeated. `evidence` stands in `topics`.",
            ["summary", "identifiers"],
            enum=list(EXTRA_FIELDS),
        ),
    )


def given(request: Request, allowed: Iterable[str] = ()) -> dict[str, list[str]]:
    """The request's parameters, values in their order; raises UnknownName for one that the route does not take.

    Nothing with a NUL or half of a surrogate pair gets further: PostgreSQL takes neither.
    """
    names = tuple(allowed)
    out: dict[str, list[str]] = {}
    for name, value in request.query_params.multi_items():
        if name not in names:
            raise UnknownName("parameter", name, names) if names else UsageError("this route takes no parameters")
        if "\0" in value or any("\ud800" <= c <= "\udfff" for c in value):
            raise UsageError(f"{name} holds a NUL or half of a surrogate pair; send plain text")
        out.setdefault(name, []).append(value)
    return out


def only(found: Given, name: str) -> str:
    """The value of a parameter that may be given once, "" when absent; raises UsageError."""
    values = found.get(name, ())
    if len(values) > 1:
        raise UsageError(f"{name} is given {len(values)} times; once is allowed")
    return values[0] if values else ""


def known_sources(storage: Storage, found: Given) -> set[str]:
    """Names that `source=` may have; the database is asked only when the request names one."""
    wanted = found.get("source", ())
    if not wanted:
        return set()
    with storage.read() as db:
        names = {state.name for state in sources.states(db)}
        if not names.issuperset(wanted):  # a source that was removed: its items are still held
            names |= items.counts(db, "source").keys()
    return names


def listing_query(listing: Listing, after: Key) -> str:
    """The query string of the page after the item of this key, parameters in a fixed order."""
    pairs = listing.filter.parameters()
    if listing.sort != "newest":
        pairs.append(("sort", listing.sort))
    if listing.limit not in (None, LIMIT_DEFAULT):
        pairs.append(("limit", str(listing.limit)))
    if listing.fields:
        pairs.append(("fields", ",".join(listing.fields)))
    return urlencode([*pairs, ("cursor", make_cursor(after, listing.sort))])


def next_link(base_url: str, path: str, query: str) -> dict[str, str]:
    """The header that leads to the next page (RFC 8288)."""
    return {"Link": f'<{base_url}{path}?{query}>; rel="next"'}
