"""A person's corrections: items merged and split, topics given and taken, so that it holds over re-ingestion and retagging."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime
from itertools import count
from typing import Any

from catalog.entries import EntryKey, Link
from catalog.errors import UsageError
from catalog.items import Override, public_id
from catalog.storage import Storage, corrections, entries, items, overrides
from catalog.storage.entries import Kept
from catalog.storage.store import lock_writes
from catalog.taxonomy import Taxonomy
from ingest.derive import current, lead_of, words_of
from ingest.keep import Group, Keeper, Member
from ingest.resolve import CORRECTED, group


def merge(storage: Storage, keeper: Keeper, ids: Sequence[str], now: datetime) -> str:
    """Make one item of several; the first stays, the ids of the others lead to it. Returns its id; raises UsageError."""

    def act(db: Any) -> str:
        lock_writes(db)
        numbers = list(dict.fromkeys(_number(db, i) for i in ids))
        if len(numbers) < 2:
            raise UsageError("these ids are one item already" if len(ids) > 1 else "two ids or more are needed to merge")
        kept = {number: entries.of_items(db, [number]) for number in numbers}
        leads = [lead_of([k.entry for k in kept[n]]) for n in numbers]
        first = (leads[0].source, leads[0].key)
        pairs = [_pair(first, (e.source, e.key)) for e in leads[1:]]
        everyone = [k for n in numbers for k in kept[n]]
        corrections.drop(db, [pair for pair, same in corrections.of(db, map(_key, everyone)).items() if not same])
        corrections.put(db, dict.fromkeys(pairs, True), now)
        one = Group([Member(k.entry, k, None) for k in everyone], numbers[0], "")
        keeper.regroup(db, [one], [Link(*pair, CORRECTED) for pair in pairs], now)
        return items.public_id_of(db, numbers[0])

    return storage.writing(act)


def split(storage: Storage, keeper: Keeper, id: str, chosen: Collection[str], now: datetime) -> list[str]:
    """Take the chosen entries (`source key`; none: all) out of an item, for good. Returns the ids of all that it becomes.

    Entries stay together where something else than what is undone joins them. The item's id stays with the entry that
    founded it. Raises UsageError.
    """

    def act(db: Any) -> list[str]:
        lock_writes(db)
        number = _number(db, id)
        kept = {_key(k): k for k in entries.of_items(db, [number])}
        out = _chosen(kept, chosen)
        if len(kept) < 2 or (chosen and len(out) == len(kept)):
            rest = "all of its entries would go" if len(kept) > 1 else "it has one entry"
            raise UsageError(f"there is nothing to take apart of item {id}: {rest}")
        apart = {_pair(a, b): False for a in out for b in kept if a != b and (not chosen or b not in out)}
        corrections.put(db, apart, now)
        links = [x for x in entries.links_of(db, [k.entry_id for k in kept.values()]) if (x.one, x.other) not in apart]
        entries.unlink(db, [(kept[a].entry_id, kept[b].entry_id) for a, b in apart])
        decisions = corrections.of(db, kept)
        groups = group({key: i for i, key in enumerate(sorted(kept))}, links, decisions)
        old = items.public_id_of(db, number)
        stays = next((g for g in groups if old in {public_id(*key) for key in g}), groups[0])
        made = [
            Group(
                [Member(kept[key].entry, kept[key], None) for key in keys],
                number if keys is stays else None,
                old if keys is stays else _free_id(db, keys, number),
            )
            for keys in groups
        ]
        keeper.regroup(db, made, links, now)
        return [g.public_id for g in made]

    return storage.writing(act)


def set_topics(
    storage: Storage,
    keeper: Keeper,
    taxonomy: Taxonomy,
    id: str,
    now: datetime,
    *,
    given: Collection[str] = (),
    taken: Collection[str] = (),
    left: Collection[str] = (),
) -> None:
    """Decide that an item has the topics `given` and not those `taken`; about those `left` the tagger decides again.

    What was decided before about other topics stays. Raises UsageError.
    """
    given, taken, left = ([taxonomy.topic(slug).slug for slug in slugs] for slugs in (given, taken, left))
    named = [*given, *taken, *left]
    if not named:
        raise UsageError("no topic was named; give one with --add, --remove or --reset")
    twice = sorted({topic for topic in named if named.count(topic) > 1})
    if twice:
        raise UsageError(f"topic {twice[0]!r} is named twice; one decision about it is enough")

    def act(db: Any) -> None:
        lock_writes(db)
        number = _number(db, id)
        kept = entries.of_items(db, [number])
        said = [k.entry for k in kept]
        lead = lead_of(said)
        before = [d for several in overrides.of(db, map(_key, kept)).values() for d in several]
        decided = {d.topic: d for d in current(before, taxonomy)} | {t: Override(now, t, t in given) for t in (*given, *taken)}
        overrides.drop(db, map(_key, kept), {d.topic for d in before})
        overrides.put(db, (lead.source, lead.key), [d for topic, d in decided.items() if topic not in left])
        keeper.look_at([words_of(said)])
        one = Group([Member(k.entry, k, None) for k in kept], number, items.public_id_of(db, number))
        keeper.regroup(db, [one], [], now)

    storage.writing(act)


def _number(db: Any, id: str) -> int:
    found = items.number_of(db, id)
    if found is None:
        raise UsageError(f"no item {id[:40]!r}; ids are those of `skillfeed items`")
    return found


def _chosen(kept: Collection[EntryKey], chosen: Collection[str]) -> set[EntryKey]:
    names = {f"{source}{between}{key}": (source, key) for source, key in kept for between in (" ", ":")}
    for name in chosen:
        if name not in names:
            raise UsageError(f"the item has no entry {name[:80]!r}; it has {', '.join(sorted(f'{s} {k}' for s, k in kept))}")
    return {names[name] for name in chosen} or set(kept)


def _free_id(db: Any, keys: Sequence[EntryKey], number: int) -> str:
    """The id that one of the entries would found, as long as no other item has it."""
    for n in count():
        for source, key in keys:
            wanted = public_id(source, key if n == 0 else f"{key}\0{n}")
            if items.is_free(db, wanted, number):
                return wanted
    raise AssertionError("unreachable")


def _key(kept: Kept) -> EntryKey:
    return kept.entry.source, kept.entry.key


def _pair(a: EntryKey, b: EntryKey) -> tuple[EntryKey, EntryKey]:
    return (a, b) if a < b else (b, a)
