"""From the entries of a page to rows: decide, resolve, tag, derive, store."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any

from catalog.entries import Detail, EntryData, EntryKey, Link, content_hash
from catalog.items import ItemData, Override, public_id
from catalog.outcomes import Counts
from catalog.storage import Storage, corrections, entries, overrides
from catalog.storage.entries import Kept, Told
from catalog.storage.store import Saying, Write, store
from catalog.tagging import Judged, Tagger, Text
from catalog.taxonomy import Taxonomy
from ingest.decide import Change, decide
from ingest.derive import item_of, lead_of, overruled, words_of
from ingest.news import news_of
from ingest.resolve import SCHEMES, group, identity_of, links_among
from ingest.source import Page


@dataclass(frozen=True, slots=True)
class Member:
    """An entry as it shall be in its item."""

    entry: EntryData  # with its announced date
    kept: Kept | None  # None: it is new
    saying: Saying | None  # None: it stays as it is kept

    @property
    def key(self) -> EntryKey:
        """Source and key."""
        return self.entry.source, self.entry.key


@dataclass(frozen=True, slots=True)
class Group:
    """An item as it shall be: its entries, and the item that it goes on as (None: a new one of this public id)."""

    members: Sequence[Member]
    item_id: int | None
    public_id: str


class Keeper:
    """Stores pages. One visit at a time."""

    def __init__(self, storage: Storage, taxonomy: Taxonomy, tagger: Tagger) -> None:
        self._storage, self._taxonomy, self._tagger = storage, taxonomy, tagger
        self._judged: dict[Text, Judged] = {}
        self._hashes: dict[str, str] = {}  # of entries of the page that are held, by key

    def prepare(self, source: str, page: Page) -> None:
        """Tag what will change before the transaction is opened, so that the write lock is held for writing only."""
        self._hashes = {}
        with self._storage.read() as db:
            said = self._not_repeated(db, source, _first_of_each(page.entries))
            kept = entries.kept(db, source, said)
        self.look_at(words_of([merged]) for _, change, merged in _decided(kept, said) if change is not Change.UNCHANGED)

    def look_at(self, texts: Iterable[Text]) -> None:
        """Judge these texts, for the items that are derived next."""
        texts = list(texts)
        self._judged = dict(zip(texts, self._tagger.judge_many(texts, evidence=False), strict=True))

    def write(self, db: Any, source: str, page: Page, now: datetime) -> Counts:
        """Write the page in the open transaction and count what became of its entries."""
        counts = Counts(unchanged=page.passed, rejected=page.rejected.copy())
        # Each entry is seen and is one of the others: seen = new + revised + unchanged + rejected.
        counts.seen = len(page.entries) + len(page.removed) + page.passed + sum(page.rejected.values())
        first = _first_of_each(page.entries)
        said = self._not_repeated(db, source, first)
        counts.unchanged += len(first) - len(said)
        kept = entries.kept(db, source, [*said, *page.removed])
        changed: list[tuple[Kept | None, EntryData]] = []
        for before, change, merged in _decided(kept, said):
            if change is Change.NEW:
                counts.new += 1
            elif change is Change.REVISED:
                counts.revised += 1
            else:
                counts.unchanged += 1
            if change is not Change.UNCHANGED:
                changed.append((before, merged))
        for key in page.removed:
            before = kept.get(key)
            if before is not None and not before.entry.withdrawn:
                counts.revised += 1
                changed.append((before, replace(before.entry, withdrawn=True)))
            else:
                counts.unchanged += 1
        if changed:
            self._store(db, changed, now)
        return counts if page.counted else Counts()

    def regroup(self, db: Any, groups: Sequence[Group], links: Iterable[Link], now: datetime) -> None:
        """Store these items. Together they hold all entries of each item that they take entries from."""
        decided = overrides.of(db, {m.key for g in groups for m in g.members})
        self._reuse(db, groups, decided)
        writes = [self._write(g, decided) for g in groups]
        where = {m.key: i for i, g in enumerate(groups) for m in g.members}
        inside = [x for x in links if x.one in where and where[x.one] == where.get(x.other)]
        known = {m.key: m.kept.entry_id for g in groups for m in g.members if m.kept}
        store(db, writes, now, inside, known)

    def _not_repeated(self, db: Any, source: str, said: Mapping[str, EntryData]) -> dict[str, EntryData]:
        """The sayings that may change something: not those that are word for word what is kept."""
        told = entries.told(db, source, said)
        for key in told.keys() - self._hashes.keys():
            self._hashes[key] = content_hash(said[key])
        return {k: e for k, e in said.items() if k not in told or not repeats(e, self._hashes[k], told[k])}

    def _store(self, db: Any, changed: Sequence[tuple[Kept | None, EntryData]], now: datetime) -> None:
        members = {(e.source, e.key): _said(before, e, now.date()) for before, e in changed}
        asked = [m.entry for m in members.values() if m.kept is None or identity_of(m.kept.entry) != identity_of(m.entry)]
        decisions = corrections.of(db, [(e.source, e.key) for e in asked])
        near = entries.like(db, asked, SCHEMES) | {m.kept.item_id for m in members.values() if m.kept}
        near |= {k.item_id for k in entries.of_keys(db, {key for pair in decisions for key in pair})}
        for kept in entries.of_items(db, near):
            members.setdefault((kept.entry.source, kept.entry.key), Member(kept.entry, kept, None))
        links = links_among(asked, [m.entry for m in members.values()])
        decisions = corrections.of(db, members)
        # Negative numbers for what is in no item yet.
        numbers = {key: m.kept.item_id if m.kept else -i for i, (key, m) in enumerate(members.items(), 1)}
        order = {key: i for i, key in enumerate(members)}  # that of the page, so that items are numbered as they come
        groups = []
        for keys in sorted(group(numbers, links, decisions), key=lambda keys: min(order[k] for k in keys)):
            found = [members[k] for k in keys]
            items = sorted({m.kept.item_id for m in found if m.kept})
            if len(items) > 1 or any(m.saying for m in found):
                groups.append(Group(found, items[0] if items else None, public_id(*keys[0])))
        self.regroup(db, groups, links, now)

    def derive(self, said: Sequence[EntryData], decided: Mapping[EntryKey, Sequence[Override]]) -> ItemData:
        """The item of these entries, tagged as their words and a person's decisions say."""
        mine = [d for e in said for d in decided.get((e.source, e.key), ())]
        judged = self._judge(words_of(said))
        return item_of(said, replace(judged, tags=overruled(judged.tags, mine, self._taxonomy)), self._taxonomy)

    def _write(self, group: Group, decided: Mapping[EntryKey, Sequence[Override]]) -> Write:
        said = [m.entry for m in group.members]
        item = self.derive(said, decided)
        lead = lead_of(said)
        held = {m.kept.item_id for m in group.members if m.kept}
        moved = [m.kept.entry_id for m in group.members if m.kept and m.kept.item_id != group.item_id]
        sayings = tuple(m.saying for m in group.members if m.saying)
        absorbed = tuple(sorted(held - {group.item_id})) if group.item_id is not None else ()
        return Write(item, group.item_id, group.public_id, (lead.source, lead.key), sayings, tuple(moved), absorbed)

    def _judge(self, words: Text) -> Judged:
        known = self._judged.get(words)
        return self._tagger.judge_many([words], evidence=False)[0] if known is None else known

    def _reuse(self, db: Any, groups: Sequence[Group], decided: Mapping[EntryKey, Sequence[Override]]) -> None:
        """Items that will be judged by the same words as before need no second look.

        Unless a person had a say in their tags, or the taxonomy has not their topics any more.
        """
        before: dict[int, list[EntryData]] = {}
        told = {m.kept.item_id for g in groups for m in g.members if m.kept and m.key in decided}
        for kept in (m.kept for g in groups for m in g.members if m.kept and m.kept.item_id not in told):
            before.setdefault(kept.item_id, []).append(kept.entry)
        wanted = {words_of([m.entry for m in g.members]) for g in groups} - set(self._judged)
        known = {words: item_id for item_id, said in before.items() if (words := words_of(said)) in wanted}
        stored = entries.labels_of(db, known.values())
        alive = {topic.slug for topic in self._taxonomy.topics}
        for words, item_id in known.items():
            tags, form, level = stored[item_id]
            if alive.issuperset(tag.topic for tag in tags):
                self._judged[words] = Judged(tags, form, level)


def _said(before: Kept | None, entry: EntryData, today: date) -> Member:
    said = replace(entry, announced=entry.announced or today)
    news = news_of(before.entry if before else None, said, today)
    return Member(said, before, Saying(said, content_hash(said), before, news))


def repeats(entry: EntryData, digest: str, told: Told) -> bool:
    """True when hash, date and detail show that `decide` finds the saying unchanged; `digest` is its content hash."""
    dated = entry.announced is None or (entry.announced, entry.basis) == (told.announced, told.basis)
    return digest == told.hash and dated and entry.detail in (told.detail, Detail.BRIEF)


def _first_of_each(said: Iterable[EntryData]) -> dict[str, EntryData]:
    """The entries by key; of two with one key the first is taken."""
    out: dict[str, EntryData] = {}
    for entry in said:
        out.setdefault(entry.key, entry)
    return out


def _decided(kept: Mapping[str, Kept], said: Mapping[str, EntryData]) -> list[tuple[Kept | None, Change, EntryData]]:
    """Each entry with what is kept of it and what its saying changes."""
    return [(before := kept.get(k), *decide(before.entry if before else None, e)) for k, e in said.items()]
