"""What a saying changes: is the entry new, revised or unchanged, and what is to be kept. Pure."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from enum import StrEnum

from catalog.entries import Basis, Detail, EntryData, Version


class Change(StrEnum):
    """What a saying means for the entry."""

    NEW = "new"
    REVISED = "revised"  # a later version, or other words under the same
    COMPLETED = "completed"  # known more about, not changed: counted as unchanged
    UNCHANGED = "unchanged"


_SURENESS = list(Basis)
_WORKED_OUT = {Basis.ESTIMATED, Basis.HELD}
#: Moderation holds papers for up to nine days, holidays included; a cross-listing later than this is of an older paper.
_CROSS_LAG = timedelta(days=12)
_TOLD = (
    "title", "abstract", "authors", "categories", "venue", "year", "track", "decision", "award", "withdrawn", "moments",
    "about",
)  # fmt: skip
_VENUE = ("venue", "year", "track", "decision", "award", "subjects", "keywords")


def decide(kept: EntryData | None, said: EntryData) -> tuple[Change, EntryData]:
    """The change, and the entry as it shall be kept: the newest version's words, the fullest detail, the surest date."""
    if kept is None:
        return Change.NEW, said
    merged = _dated(kept, said, _merge(kept, said))
    if merged == kept:
        return Change.UNCHANGED, kept
    if merged.version > kept.version or any(_changed(kept, merged, f) for f in _TOLD):
        return Change.REVISED, merged
    return Change.COMPLETED, merged


def _changed(kept: EntryData, merged: EntryData, field: str) -> bool:
    """True when a field tells otherwise; what a brief saying left out is only completed."""
    before = getattr(kept, field)
    return bool(getattr(merged, field) != before and (before or kept.detail is Detail.FULL))


def _merge(kept: EntryData, said: EntryData) -> EntryData:
    versions = _versions(kept.versions, said.versions)
    if said.version < kept.version:
        return replace(kept, versions=versions, submitted=kept.submitted or said.submitted)
    if said.version == kept.version and said.detail is Detail.BRIEF and kept.detail is Detail.FULL:
        return kept
    words = {
        f: getattr(said, f) or getattr(kept, f)
        for f in ("title", "abstract", "authors", "url", "categories", "licence", *_VENUE)
    }
    brief = said.detail is Detail.BRIEF
    return replace(
        kept,
        **words,
        kind=said.kind,
        submitted=said.submitted or kept.submitted,
        updated=said.updated or (kept.updated if said.version == kept.version else None),
        version=said.version,
        versions=versions,
        identifiers=tuple(sorted(set(kept.identifiers) | set(said.identifiers))) if brief else said.identifiers,
        comment=said.comment or kept.comment if brief else said.comment,
        journal=said.journal or kept.journal if brief else said.journal,
        withdrawn=kept.withdrawn or said.withdrawn if brief else said.withdrawn,
        moments=said.moments or kept.moments if brief else said.moments,
        about=said.about or kept.about if brief else said.about,
        # A brief saying of a later version leaves the earlier details standing until the full one comes.
        detail=said.detail,
    )


def _versions(kept: tuple[Version, ...], said: tuple[Version, ...]) -> tuple[Version, ...]:
    known = {v.number: v for v in kept}
    for v in said:
        before = known.get(v.number)
        known[v.number] = replace(v, at=before.at) if before and v.at is None else v
    return tuple(sorted(known.values()))


def _dated(kept: EntryData, said: EntryData, merged: EntryData) -> EntryData:
    """The announced date that is surest; among equally sure ones the earlier, as an announcement happens once."""
    if said.announced is None:
        return merged
    if kept.announced is None:
        return replace(merged, announced=said.announced, basis=said.basis)
    new, old = _SURENESS.index(said.basis), _SURENESS.index(kept.basis)
    cross, other = (said, kept) if said.basis is Basis.CROSS else (kept, said)
    earlier = said if said.announced < kept.announced else kept
    assert cross.announced is not None
    assert other.announced is not None
    if cross.basis is Basis.CROSS and other.basis in _WORKED_OUT:
        better = cross if cross.announced - other.announced <= _CROSS_LAG else other
    elif said.announced != kept.announced and (new == old or {said.basis, kept.basis} == _WORKED_OUT):
        better = earlier  # what was held on a day had been announced by then, whatever is estimated
    else:
        better = said if new < old else kept
    return replace(merged, announced=better.announced, basis=better.basis)
