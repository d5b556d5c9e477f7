"""Which item an entry belongs to, and the item that its entries make. Pure over candidates; every decision names its reason."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from catalog.entries import Basis, EntryData
from catalog.items import ItemData, News, Tag
from catalog.taxonomy import Taxonomy
from catalog.text import readable

#: Schemes whose value names one work, strongest first. A DOI is not among them: parts of a series share a journal's.
EXACT = ("arxiv", "openreview", "pmlr", "neurips", "cvf", "acl", "kaggle")


@dataclass(frozen=True, slots=True)
class Resolution:
    """The item that an entry joins, or None when it founds one."""

    item_id: int | None
    reason: str


def resolve(entry: EntryData, candidates: Mapping[tuple[str, str], int]) -> Resolution:
    """The item of the first exact identifier that is known."""
    for scheme in EXACT:
        for identifier in entry.identifiers:
            if identifier[0] == scheme and identifier in candidates:
                return Resolution(candidates[identifier], f"same {scheme} {identifier[1]}")
    return Resolution(None, "new")


def item_of(entry: EntryData, tags: tuple[Tag, ...], taxonomy: Taxonomy, today: date, news: tuple[News, ...] = ()) -> ItemData:
    """The item that an entry alone makes; `today` is its announced date when nothing else is known."""
    return ItemData(
        kind=entry.kind,
        title=readable(entry.title),
        url=entry.url,
        authors=entry.authors,
        summary=entry.abstract,
        venue=entry.venue,
        announced=entry.announced or today,
        estimated=entry.basis not in (Basis.STATED, Basis.CROSS),
        submitted=entry.submitted,
        updated=entry.updated,
        withdrawn=entry.withdrawn,
        categories=entry.categories,
        sources=(entry.source,),
        identifiers=entry.identifiers,
        tags=tags,
        areas=tuple(sorted({taxonomy.topic(t.topic).area for t in tags})),
        news=news,
    )
