"""All held items tagged anew, after a change of model or taxonomy, with a report of what that changes.

In pieces, each a transaction of its own, so that readers and visits go on; where it ended, killed or not, it goes on.
"""

from __future__ import annotations

import heapq
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from catalog.entries import EntryKey
from catalog.errors import UnknownName
from catalog.items import ItemData
from catalog.storage import Storage, entries, leases, overrides, retags
from catalog.storage.entries import Kept
from catalog.storage.leases import Lease
from catalog.storage.retags import Labelled
from catalog.storage.store import lock_writes
from catalog.tagging import Tagger
from catalog.taxonomy import Taxonomy
from ingest.derive import words_of
from ingest.keep import Group, Keeper, Member

LEASE = "chore:retag"  # who holds it is the one that retags
BATCH = 250  # items: a write transaction of at most a quarter of a second
EXAMPLES = 3  # of each topic that were gained, and that were lost

Label = tuple[str, str]  # topic, form or level; and which
_SHOWN = ("topic", "form", "level")


@dataclass(frozen=True, slots=True, order=True)
class Example:
    """An item that gains or loses a label."""

    score: float  # that it has or had
    id: str
    title: str


@dataclass(slots=True)
class Change:
    """What becomes of one label."""

    before: int = 0  # items that have it
    after: int = 0
    gained: int = 0
    lost: int = 0
    moved: int = 0  # items that keep it with another score
    gains: list[Example] = field(default_factory=list)  # the surest first
    losses: list[Example] = field(default_factory=list)


@dataclass(slots=True)
class Report:
    """What tagging anew changes, or would."""

    tagger: str  # version of the tagger
    before: str  # version that all items were tagged with last; "" when that was never noted
    items: int = 0
    changed: int = 0  # items that get other topics, scores, areas, form or level
    labels: dict[Label, Change] = field(default_factory=dict)
    renamed: Counter[tuple[str, str]] = field(default_factory=Counter)  # old and new slug: how many items
    decided: Counter[str] = field(default_factory=Counter)  # topics that persons gave or took, which stay so
    void: dict[str, int] = field(default_factory=dict)  # topics of decisions that the taxonomy has no more

    def as_dict(self) -> dict[str, Any]:
        """For JSON: what changes, label by label, those that change most first."""
        return {
            "tagger": {"before": self.before or None, "now": self.tagger},
            "items": self.items,
            "changed": self.changed,
            "labels": [
                {
                    label[0]: label[1], "before": c.before, "after": c.after, "gained": c.gained, "lost": c.lost,
                    "moved": c.moved,
                    "examples": {"gained": [_shown(e) for e in c.gains], "lost": [_shown(e) for e in c.losses]},
                }
                for label, c in self.changes()
            ],
            "renamed": [{"from": old, "to": new, "items": n} for (old, new), n in sorted(self.renamed.items())],
            "by_hand": {"kept": dict(sorted(self.decided.items())), "void": self.void},
        }  # fmt: skip

    def changes(self) -> list[tuple[Label, Change]]:
        """The labels that change, those that change most first."""
        found = [(label, c) for label, c in self.labels.items() if c.gained or c.lost or c.moved]
        return sorted(found, key=lambda pair: (-pair[1].gained - pair[1].lost, pair[0]))


def retag(
    storage: Storage,
    taxonomy: Taxonomy,
    tagger: Tagger,
    now: datetime,
    *,
    dry_run: bool = False,
    lease: Lease | None = None,
    stopping: Callable[[], bool] = lambda: False,
    told: Callable[[int], None] = lambda _: None,
) -> Report:
    """Tag all items anew and say what changed; with `dry_run` nothing is written.

    `told` hears how many items were seen to. Stopped or killed, the next call goes on where this one was, unless the tagger is
    another by then; its report tells of the rest. Raises LeaseLost when `lease`, under which it is done, was lost.
    """
    keeper = Keeper(storage, taxonomy, tagger)
    with storage.read() as db:
        report = Report(tagger.version, retags.version(db))
        last = 0 if dry_run else retags.progress(db, tagger.version)
        report.void = {topic: n for topic, n in overrides.topics(db).items() if not _parts(taxonomy, topic)}
    while not stopping():
        with storage.read() as db:
            rows = retags.batch(db, last, BATCH)
            kept = _by_item(entries.of_items(db, [r.item_id for r in rows]))
            decided = overrides.of(db, [_key(k) for several in kept.values() for k in several])
        if not rows:
            if not dry_run:
                with storage.write() as db:
                    _require(db, lease)
                    retags.note_done(db, tagger.version)
            break
        keeper.look_at({words_of([k.entry for k in several]): None for several in kept.values()})
        changed = []
        for row in rows:
            said = [k.entry for k in kept.get(row.item_id, ())]
            if not said:  # it was merged into another between two statements
                continue
            if _note(report, row, keeper.derive(said, decided), taxonomy):
                changed.append(row)
            report.decided.update({d.topic for e in said for d in decided.get((e.source, e.key), ())})
        last = rows[-1].item_id
        if not dry_run:
            _write(storage, keeper, changed, tagger.version, last, now, lease)
        report.items += len(rows)
        told(report.items)
    return report


def _write(
    storage: Storage, keeper: Keeper, rows: Sequence[Labelled], version: str, last: int, now: datetime, lease: Lease | None
) -> None:
    """Store the items as they are by now: a visit may have come between."""
    names = {row.item_id: row.public_id for row in rows}

    def act(db: Any) -> None:
        _require(db, lease)
        lock_writes(db)
        groups = [
            Group([Member(k.entry, k, None) for k in several], item_id, names[item_id])
            for item_id, several in _by_item(entries.of_items(db, names)).items()
        ]
        keeper.regroup(db, groups, [], now)
        retags.note_progress(db, version, last)

    storage.writing(act)


def _require(db: Any, lease: Lease | None) -> None:
    if lease is not None:
        leases.require(db, lease)


def _note(report: Report, row: Labelled, item: ItemData, taxonomy: Taxonomy) -> bool:
    """Enter what becomes of an item; False when nothing does."""
    before: dict[Label, float] = {label: 1.0 for label in row.labels if label[0] in _SHOWN and label[0] != "topic"}
    for tag in row.tags:
        # What an old slug leads to is a new name for the tag, no gain and no loss.
        parts = _parts(taxonomy, tag.topic)
        slug = parts[0] if parts else tag.topic
        before["topic", slug] = max(tag.score, before.get(("topic", slug), 0.0))
        if slug != tag.topic:
            report.renamed[tag.topic, slug] += 1
    after: dict[Label, float] = {("topic", tag.topic): tag.score for tag in item.tags}
    after |= {(scheme, value): 1.0 for scheme, value in (("form", item.form), ("level", item.level)) if value}
    for label in before.keys() | after.keys():
        change = report.labels.setdefault(label, Change())
        was, is_ = before.get(label), after.get(label)
        change.before += was is not None
        change.after += is_ is not None
        if was is None and is_ is not None:
            change.gained += 1
            _keep_best(change.gains, Example(is_, row.public_id, row.title))
        elif is_ is None and was is not None:
            change.lost += 1
            _keep_best(change.losses, Example(was, row.public_id, row.title))
        else:
            change.moved += was != is_
    labels = after.keys() | {("area", area) for area in item.areas}
    if labels == row.labels and row.tags == item.tags:
        return False
    report.changed += 1
    return True


def _shown(example: Example) -> dict[str, Any]:
    return {"id": example.id, "title": example.title, "score": example.score}


def _keep_best(examples: list[Example], one: Example) -> None:
    examples[:] = heapq.nlargest(EXAMPLES, [*examples, one])


def _parts(taxonomy: Taxonomy, topic: str) -> tuple[str, ...]:
    """What the slug leads to; nothing when the taxonomy has it no more."""
    try:
        return tuple(part.slug for part in taxonomy.parts(topic))
    except UnknownName:
        return ()


def _by_item(kept: Sequence[Kept]) -> dict[int, list[Kept]]:
    out: dict[int, list[Kept]] = {}
    for k in sorted(kept, key=lambda k: k.entry_id):
        out.setdefault(k.item_id, []).append(k)
    return out


def _key(kept: Kept) -> EntryKey:
    return kept.entry.source, kept.entry.key
