"""The item that its entries make. Pure: the same entries make the same item, in whatever order they came."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import date

from catalog.entries import Basis, EntryData, Moment
from catalog.errors import UnknownName
from catalog.identifiers import canonical_url, identifier_of
from catalog.items import HAND_SCORE, ItemData, Override, Tag
from catalog.tagging import Judged, Text
from catalog.tagging.marks import marks_of
from catalog.taxonomy import Taxonomy
from catalog.text import readable
from catalog.titles import name_of, title_key

#: Whose words and address are shown first: the preprint is open to all and newest, then the volume that is cited.
_SPEAKERS = ("arxiv", "neurips", "pmlr", "cvf", "acl", "openreview", "virtual")
#: Who repeats what others publish: spoken for by these alone a thing is shown, but they take nothing back.
_ECHOES = ("huggingface",)
_SURENESS = list(Basis)
_SHOUT = 20  # characters; a shorter title in capitals may be a name


def lead_of(entries: Sequence[EntryData]) -> EntryData:
    """The entry whose title, address and abstract the item shows."""
    return min(entries, key=_rank)


def words_of(entries: Sequence[EntryData]) -> Text:
    """What the item of these entries is tagged by: the lead's text, and categories and marks of all."""
    lead = lead_of(entries)
    return Text(_title(lead, entries), lead.abstract, categories_of(entries), lead.kind, marks_of(lead.kind, entries))


def categories_of(entries: Sequence[EntryData]) -> tuple[str, ...]:
    """The categories of all entries, those of the lead first."""
    ordered = sorted(entries, key=_rank)
    return tuple(dict.fromkeys(c for e in ordered for c in e.categories))


def item_of(entries: Sequence[EntryData], judged: Judged, taxonomy: Taxonomy) -> ItemData:
    """The item of entries that all have an announced date; `judged` is what the tagger says of its words."""
    lead = lead_of(entries)
    first = min(entries, key=lambda e: (e.announced or date.max, _SURENESS.index(e.basis)))
    assert first.announced is not None
    spoken = sorted((e for e in entries if e.venue), key=_chief)
    return ItemData(
        kind=lead.kind,
        title=_title(lead, entries),
        url=lead.url,
        authors=_authors(lead, entries),
        summary=lead.abstract,
        venue=venue_label(spoken[0]) if spoken else "",
        venues=tuple(sorted({name for e in spoken for name in _venue_names(e)})),
        announced=first.announced,
        estimated=first.basis not in (Basis.STATED, Basis.CROSS),
        submitted=min((e.submitted for e in entries if e.submitted), default=None),
        updated=max((e.updated for e in entries if e.updated), default=None),
        withdrawn=all(e.withdrawn for e in [e for e in entries if e.source not in _ECHOES] or entries),
        categories=categories_of(entries),
        sources=tuple(sorted({e.source for e in entries})),
        identifiers=tuple(sorted({i for e in entries for i in (*e.identifiers, *_page(e))})),
        tags=judged.tags,
        areas=tuple(sorted({taxonomy.topic(t.topic).area for t in judged.tags})),
        form=judged.form,
        level=judged.level,
        moments=moments_of(entries),
    )


def current(decided: Iterable[Override], taxonomy: Taxonomy) -> list[Override]:
    """A person's decisions in the taxonomy's slugs of today, the last about each topic.

    A decision follows its topic: to the new name, to every part of what was split. One about a topic that is no more stays as
    it is, and says nothing.
    """
    last: dict[str, Override] = {}
    for d in sorted(decided):
        try:
            slugs = [part.slug for part in taxonomy.parts(d.topic)]
        except UnknownName:
            slugs = [d.topic]
        last |= {slug: replace(d, topic=slug) for slug in slugs}
    return list(last.values())


def overruled(tags: tuple[Tag, ...], decided: Iterable[Override], taxonomy: Taxonomy) -> tuple[Tag, ...]:
    """The tags as a person's decisions leave them, best first."""
    alive = {topic.slug for topic in taxonomy.topics}
    last = {d.topic: d.given for d in current(decided, taxonomy) if d.topic in alive}
    if not last:
        return tags
    by_hand = [Tag(topic, HAND_SCORE) for topic, given in last.items() if given]
    return tuple(sorted([*(t for t in tags if t.topic not in last), *by_hand], key=lambda t: (-t.score, t.topic)))


def moments_of(entries: Sequence[EntryData]) -> tuple[Moment, ...]:
    """The dates of all entries; of each sort those of the entry that speaks first, as two lists may say the same otherwise."""
    found: dict[str, tuple[Moment, ...]] = {}
    for entry in sorted(entries, key=_rank):
        own = {m.what: tuple(n for n in entry.moments if n.what == m.what) for m in entry.moments}
        found = own | found
    return tuple(sorted(m for said in found.values() for m in said))


def venue_label(entry: EntryData) -> str:
    """The venue as it is shown: `NeurIPS 2018`, `NAACL 2024 Findings`, `ICML 2025 workshop`."""
    edition = f"{entry.venue} {entry.year}" if entry.year else entry.venue
    track = entry.track.partition(":")[0]
    return f"{edition} {track}" if track in ("Findings", "workshop") else edition


def _venue_names(entry: EntryData) -> set[str]:
    """What a filter may ask for: the series, and the edition."""
    return {entry.venue, f"{entry.venue} {entry.year}"} if entry.year else {entry.venue}


def _chief(entry: EntryData) -> tuple[bool, bool, int, str, str]:
    """Main tracks before others, workshops last, then the earliest edition."""
    return entry.track.startswith("workshop"), bool(entry.track), entry.year, entry.venue, entry.source


def _rank(entry: EntryData) -> tuple[bool, bool, bool, int, str, str]:
    family = entry.source.partition("-")[0]
    speaker = _SPEAKERS.index(family) if family in _SPEAKERS else len(_SPEAKERS)
    return entry.source in _ECHOES, entry.withdrawn, not entry.abstract, speaker, entry.source, entry.key


def _page(entry: EntryData) -> tuple[tuple[str, str], ...]:
    """The entry's address as an identifier, where it is none of those that name themselves."""
    address = canonical_url(entry.url)
    return () if address is None or identifier_of(address) else (("url", address),)


def _title(lead: EntryData, entries: Sequence[EntryData]) -> str:
    """The lead's title; one in capitals as an entry writes it that does not shout."""
    if len(lead.title) > _SHOUT and lead.title.isupper():
        for entry in sorted(entries, key=_rank):
            if not entry.title.isupper() and title_key(entry.title) == title_key(lead.title):
                return readable(entry.title)
    return readable(lead.title)


def _authors(lead: EntryData, entries: Sequence[EntryData]) -> tuple[str, ...]:
    """The lead's authors; where it has initials only, a list of as many people that writes more names out."""
    lists = [e.authors for e in sorted(entries, key=_rank) if len(e.authors) == len(lead.authors)]
    if len(lists) < 2:  # nearly always
        return lead.authors
    return min(lists, key=lambda names: sum(map(_is_short, names)))


def _is_short(name: str) -> bool:
    """True for a name whose given names are all initials."""
    found = name_of(name)
    return all(len(w) == 1 for w in found.words - {found.surname})
