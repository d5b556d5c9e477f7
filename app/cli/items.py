"""`skillfeed items`: the same filter as the API's, from the shell."""

from __future__ import annotations

import json as jsonlib
import sys
from dataclasses import replace
from typing import Annotated, Any

import typer

from app import exports, lists, shapes
from app.cli import common
from catalog.errors import UsageError
from catalog.filters import make_cursor, parse_listing
from catalog.storage import items as store
from catalog.storage import sources
from catalog.tagging import Tagger
from catalog.tagging.explain import explained_whole
from ingest import correct
from ingest.keep import Keeper
from ingest.sources import SOURCES

Topic = Annotated[list[str] | None, typer.Option(help="Topic; repeat for OR.")]
Area = Annotated[list[str] | None, typer.Option(help="Area; repeat for OR.")]
Kind = Annotated[list[str] | None, typer.Option(help="Kind of item; repeat for OR.")]
SourceName = Annotated[list[str] | None, typer.Option("--source", help="Source; repeat for OR.")]
VenueName = Annotated[
    list[str] | None, typer.Option("--venue", help="Venue, such as NeurIPS or `NeurIPS 2018`; repeat for OR.")
]
AuthorName = Annotated[list[str] | None, typer.Option("--author", help="Author, or a part of the name; repeat for OR.")]
Category = Annotated[list[str] | None, typer.Option(help="arXiv category; repeat for OR.")]
LevelName = Annotated[list[str] | None, typer.Option("--level", help="start-here, practitioner, research; repeat for OR.")]
FormName = Annotated[list[str] | None, typer.Option("--form", help="survey, tutorial, library, …; repeat for OR.")]
Since = Annotated[str, typer.Option(help="First announced date.")]
Until = Annotated[str, typer.Option(help="Last announced date.")]
Words = Annotated[str, typer.Option("--q", help='Search: words, "phrases", -minus, OR, title:, author:, venue:.')]
MinScore = Annotated[str, typer.Option(help="Least score, from 0 to 1, of one of the topics asked for, else of any.")]

#: Name of `--format`, and how `app.exports` names it; "" is written here.
FORMATS = {"table": "", "jsonl": "jsonl", "bibtex": "bib", "ris": "ris", "csl": "csl", "csv": "csv"}


def register(cli: typer.Typer) -> None:
    """Add the commands. `items` lists; `items show ID…` shows; `items merge`, `items split` and `items tag` correct."""
    group = typer.Typer(help="Ask for items.", invoke_without_command=True, rich_markup_mode=None)
    group.callback(invoke_without_command=True)(list_items)
    group.command("show")(show)
    group.command("merge")(merge)
    group.command("split")(split)
    group.command("tag")(tag)
    cli.add_typer(group, name="items")


def parameters(
    topic: list[str] | None,
    area: list[str] | None,
    kind: list[str] | None,
    source: list[str] | None,
    venue: list[str] | None,
    author: list[str] | None,
    category: list[str] | None,
    level: list[str] | None,
    form: list[str] | None,
    q: str,
    min_score: str,
) -> dict[str, list[str]]:
    """The flags that every filter has, as request parameters."""
    given = {
        "topic": topic, "area": area, "kind": kind, "source": source, "venue": venue, "author": author,
        "category": category, "level": level, "form": form, "q": [q] if q else None,
        "min_score": [min_score] if min_score else None,
    }  # fmt: skip
    return {k: v for k, v in given.items() if v}


def known_sources(db: Any) -> list[str]:
    """Names of sources that a filter may ask for."""
    return [s.name for s in sources.states(db)] or [s.name for s in SOURCES]


def list_items(
    ctx: typer.Context,
    topic: Topic = None,
    area: Area = None,
    kind: Kind = None,
    source: SourceName = None,
    venue: VenueName = None,
    author: AuthorName = None,
    category: Category = None,
    level: LevelName = None,
    form: FormName = None,
    since: Since = "",
    until: Until = "",
    q: Words = "",
    min_score: MinScore = "",
    sort: Annotated[str, typer.Option(help="Order: newest, relevance (to --q) or rank.")] = "newest",
    limit: Annotated[int | None, typer.Option(min=1, help="At most so many; without it all.")] = None,
    cursor: Annotated[str, typer.Option(help="Go on after the page whose `next` this is.")] = "",
    fields: Annotated[str, typer.Option(help="Further fields of the cards of --json, commas between.")] = "",
    format: Annotated[str, typer.Option(help="table, jsonl (whole items), bibtex, ris, csl or csv.")] = "table",
    json: common.Json = False,
) -> None:
    """Items of a filter, newest first unless --sort says otherwise; all of them without --limit."""
    if ctx.invoked_subcommand:
        common.refuse_flags(ctx)
        return
    if format not in FORMATS:
        raise UsageError(f"--format must be one of {', '.join(FORMATS)}, not {format[:20]!r}")
    with common.opened() as context, context.storage.read() as db:
        given = parameters(topic, area, kind, source, venue, author, category, level, form, q, min_score) | {
            "since": [since] if since else [],
            "until": [until] if until else [],
            "sort": [sort],
            "cursor": [cursor] if cursor else [],
            "fields": [fields] if fields else [],
        }
        listing = parse_listing({k: v for k, v in given.items() if v}, context.taxonomy, known_sources(db))
        if json:
            more = None if limit is None else limit + 1  # one further item tells whether there is a next page
            found = list(lists.stream(db, replace(listing, limit=more), context.taxonomy))
            shown = found[:limit]
            rest = len(found) > len(shown)
            after = make_cursor(store.key_of(db, listing, shown[-1][0]), listing.sort) if rest else None
            common.emit({"items": [card for _, card in shown], "next": after})
            return
        found_items = store.stream(db, replace(listing, limit=limit, fields=store.PARTS if FORMATS[format] else ()))
        if FORMATS[format]:
            if format == "jsonl":
                found_items = (explained_whole(item, context.taxonomy) for item in found_items)
            for piece in exports.lines(FORMATS[format], found_items):
                sys.stdout.write(piece)
            return
        for item in found_items:
            topics = " ".join(t.topic for t in item.topics)
            sys.stdout.write(f"{item.id}  {item.announced}  {item.title[:100]:100}  {topics}\n")


def show(ids: Annotated[list[str], typer.Argument(help="Item ids.")], json: common.Json = False) -> None:
    """Whole items by id."""
    with common.opened() as context, context.storage.read() as db:
        shown = []
        for one in ids:
            known = one.isascii()  # what is no text at all reaches no database
            item = store.by_id(db, store.merged_into(db, one) or one) if known else None
            if item is None:
                raise UsageError(f"no item {one[:40]!r}; ids are those of `skillfeed items`")
            shown.append(shapes.whole(explained_whole(item, context.taxonomy)))
        if json:
            common.emit({"items": shown})
        else:
            for item_data in shown:
                sys.stdout.write(jsonlib.dumps(item_data, ensure_ascii=False, indent=2) + "\n")


def merge(ids: Annotated[list[str], typer.Argument(help="Item ids; the first stays.")], json: common.Json = False) -> None:
    """Make one item of several. The ids of the others lead to the first; re-ingestion does not undo it."""
    with common.opened() as context:
        keeper = Keeper(context.storage, context.taxonomy, Tagger.load(context.taxonomy))
        stays = correct.merge(context.storage, keeper, [_ascii(i) for i in ids], context.clock.now())
    _tell([stays], json)


def split(
    id: Annotated[str, typer.Argument(help="Item id.")],
    entry: Annotated[
        list[str] | None, typer.Option(help="An entry to take out, as `source key`; none takes all apart.")
    ] = None,
    json: common.Json = False,
) -> None:
    """Take entries out of an item. Each finds its own item again, or founds one; re-ingestion does not undo it."""
    with common.opened() as context:
        keeper = Keeper(context.storage, context.taxonomy, Tagger.load(context.taxonomy))
        made = correct.split(context.storage, keeper, _ascii(id), entry or [], context.clock.now())
    _tell(made, json)


def tag(
    id: Annotated[str, typer.Argument(help="Item id.")],
    add: Annotated[list[str] | None, typer.Option(help="A topic that it has; repeat for more.")] = None,
    remove: Annotated[list[str] | None, typer.Option(help="A topic that it has not; repeat for more.")] = None,
    reset: Annotated[list[str] | None, typer.Option(help="A topic about which the tagger decides again.")] = None,
    json: common.Json = False,
) -> None:
    """Give an item topics or take them from it. Neither re-ingestion nor `skillfeed retag` undoes it."""
    with common.opened() as context:
        keeper = Keeper(context.storage, context.taxonomy, Tagger.load(context.taxonomy))
        now = context.clock.now()
        correct.set_topics(
            context.storage, keeper, context.taxonomy, _ascii(id), now, given=add or (), taken=remove or (), left=reset or ()
        )
        with context.storage.read() as db:
            item = store.by_id(db, store.merged_into(db, id) or id)
    assert item is not None, "it was there a moment ago"
    if json:
        common.emit({"items": [shapes.card(item)]})
    else:
        sys.stdout.write(f"{item.id}  {' '.join(f'{t.topic} {t.score:.2f}' for t in item.topics)}\n")


def _ascii(id: str) -> str:
    if not id.isascii():
        raise UsageError(f"no item {id[:40]!a}; ids are those of `skillfeed items`")
    return id


def _tell(ids: list[str], json: bool) -> None:
    """The items as they are now: id, and source and key of each entry."""
    if json:
        common.emit({"items": ids})
        return
    with common.opened() as context, context.storage.read() as db:
        for id in ids:
            item = store.by_id(db, id)
            said = ", ".join(f"{e.source} {e.key}" for e in item.entries) if item else ""
            sys.stdout.write(f"{id}  {said}\n")
