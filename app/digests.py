"""Select and compose: which items of a filter and a period a reader gets, in which section, and why. No HTML, no mail.

`compose` is pure: the same candidates, filter and period give the same digest. `preview` asks the store for the candidates.

Rank is a stated sum, in thousandths so that the parts add up exactly:

    topic       0 to 1      the tag's score in the section's topic
    title       0.15        words in the title speak for the topic
    accepted    0.15        accepted at a venue, by its own word or its authors'
    code        0.10        the paper's own code is linked
    freshness   0 to 0.05   from the first to the last day of the period
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

from app.phrases import acceptance, short_day
from catalog.entries import Kind
from catalog.filters import Filter, Listing
from catalog.items import Evidence, Item, News, Tag
from catalog.periods import Period
from catalog.storage import Storage
from catalog.storage import items as stored_items
from catalog.storage import sources as stored_sources
from catalog.tagging.explain import explained
from catalog.taxonomy import Taxonomy, Topic

_TITLE_PART, _ACCEPTED_PART, _CODE_PART, _FRESHNESS_PART = 150, 150, 100, 50  # thousandths
#: What each item that a section has already takes off the next one's chance, in thousandths: so weak topics have one too.
_VARIETY = 100
_WORDS_CANDIDATES = 600  # newest matches of a text search that are looked at


@dataclass(frozen=True, slots=True)
class Caps:
    """How many items a digest holds at most."""

    per_topic: int = 5
    total: int = 30


@dataclass(frozen=True, slots=True)
class Pick:
    """One item of a digest with its reasons."""

    item: Item
    score: float  # the sum of the parts
    parts: tuple[tuple[str, float], ...]  # (name, value), always the same names in the same order
    why: str  # the parts in words, one line of plain text
    late: bool  # announced before the period
    news: tuple[News, ...] = ()  # of the period
    topics: tuple[Topic, ...] = ()  # all of the item's topics, best first


@dataclass(frozen=True, slots=True)
class Section:
    """The picks of one topic, best first; never empty."""

    topic: Topic
    items: tuple[Pick, ...]


@dataclass(frozen=True, slots=True)
class PartReceipt:
    """What one part of a source (a category, a volume) announced in the period, and what of it is held."""

    source: str
    part: str
    announced: int
    held: int


@dataclass(frozen=True, slots=True)
class Gap:
    """A day on which a part is not wholly held or could not be checked."""

    source: str
    part: str
    day: date
    missing: tuple[str, ...]  # keys
    note: str  # why the announcement is not confirmed, "" when it is


@dataclass(frozen=True, slots=True)
class Receipt:
    """How complete the period is. Parts overlap, as a paper may be announced in several: their counts are never added up."""

    items: int = 0  # different items held that were announced in the period, whatever the filter
    parts: tuple[PartReceipt, ...] = ()
    gaps: tuple[Gap, ...] = ()

    def as_dict(self) -> dict[str, Any]:
        """Plain data."""
        return {
            "items": self.items,
            "parts": [{"source": p.source, "part": p.part, "announced": p.announced, "held": p.held} for p in self.parts],
            "gaps": [
                {"source": g.source, "part": g.part, "day": g.day.isoformat(), "missing": list(g.missing), "note": g.note}
                for g in self.gaps
            ],
        }


@dataclass(frozen=True, slots=True)
class Digest:
    """The selection for one filter and one period."""

    period: Period
    filter: Filter
    sections: tuple[Section, ...]
    receipt: Receipt = Receipt()
    considered: int = 0  # candidates that had a topic of the digest

    @property
    def quiet(self) -> bool:
        """True when there is nothing to tell."""
        return not self.sections

    @property
    def size(self) -> int:
        """Items in all sections."""
        return sum(len(s.items) for s in self.sections)


# ------------------------------------------------------------------ select
def preview(storage: Storage, taxonomy: Taxonomy, filter: Filter, period: Period, today: date, caps: Caps = Caps()) -> Digest:
    """The digest as it would be published now, without side effect. What is dated after `today` waits."""
    since = max(period.first, filter.since or period.first)
    until = min(period.last, today, filter.until or period.last)
    with storage.read() as db:
        candidates: list[Item] = []
        if since <= until:
            dated = replace(filter, since=since, until=until)
            if dated.wordy:
                candidates = list(stored_items.stream(db, Listing(dated, limit=_WORDS_CANDIDATES)))
            else:
                seen = stored_items.counts(db, "topic", since, until)
                for topic in asked_topics(taxonomy, filter):
                    if topic.slug in seen:
                        candidates += stored_items.top(db, dated, topic.slug, caps.per_topic * 3, ())
            unique = list({i.id: i for i in candidates}.values())
            # What sources say of other things than papers is evidence; papers, a hundred times as many, need no entries.
            others = stored_items.fill(db, [i for i in unique if i.kind is not Kind.PAPER], ("entries",))
            known = {i.id: i for i in others}
            filled = stored_items.fill(db, [known.get(i.id, i) for i in unique], ("summary", "news"))
            candidates = explained(filled, taxonomy)
        digest = compose(candidates, taxonomy, filter, period, caps)
        return replace(digest, sections=_with_entries(db, digest.sections), receipt=_receipt(db, filter, period))


def asked_topics(taxonomy: Taxonomy, filter: Filter) -> tuple[Topic, ...]:
    """The topics that a digest of this filter has sections for, in the taxonomy's order."""
    if filter.topics:
        return tuple(t for t in taxonomy.topics if t.slug in filter.topics)
    return tuple(t for t in taxonomy.topics if not filter.areas or t.area in filter.areas)


def _with_entries(db: Any, sections: tuple[Section, ...]) -> tuple[Section, ...]:
    """The picks with their entries: of no use in choosing, and a third of the time when asked for every candidate."""
    chosen = stored_items.fill(db, [p.item for s in sections for p in s.items], ("entries",))
    items = {i.id: i for i in chosen}
    return tuple(replace(s, items=tuple(replace(p, item=items[p.item.id]) for p in s.items)) for s in sections)


def _receipt(db: Any, filter: Filter, period: Period) -> Receipt:
    parts: list[PartReceipt] = []
    gaps: list[Gap] = []
    for state in stored_sources.states(db):
        if filter.sources and state.name not in filter.sources:
            continue
        sums: dict[str, tuple[int, int]] = {}
        for b in stored_sources.batches(db, state.name, period.first, period.last):
            if filter.categories and b.part not in filter.categories:
                continue
            announced, held = sums.get(b.part, (0, 0))
            sums[b.part] = announced + b.announced, held + b.held
            if not b.confirmed:
                gaps.append(Gap(state.name, b.part, b.day, b.missing, b.note))
        parts += [PartReceipt(state.name, part, *sums[part]) for part in sorted(sums)]
    items = sum(stored_items.counts(db, "kind", period.first, period.last).values())
    return Receipt(items, tuple(parts), tuple(gaps))


# ------------------------------------------------------------------ compose
def compose(candidates: Iterable[Item], taxonomy: Taxonomy, filter: Filter, period: Period, caps: Caps = Caps()) -> Digest:
    """The digest of these candidates, which are taken to match the filter.

    Withdrawn items and what was announced after the period are left out; what was announced before it is late. An item
    appears once. Places are given one after the other to the topic whose best free item has most to say for it, less
    `_VARIETY` for each item the topic has already; sections then stand in the taxonomy's order, best item first.
    """
    topics = asked_topics(taxonomy, filter)
    known = {t.slug: t for t in taxonomy.topics}
    ranked: dict[str, list[tuple[int, str, Item]]] = {t.slug: [] for t in topics}
    considered: set[str] = set()
    for item in candidates:
        if item.withdrawn or item.announced > period.last or item.id in considered:
            continue
        own = [tag for tag in item.topics if tag.topic in ranked]
        if own:
            considered.add(item.id)
            common = _common_parts(item, period)
            for tag in own:
                ranked[tag.topic].append((-sum(v for _, v in _parts(tag, common)), item.id, item))
    for best in ranked.values():
        best.sort(key=lambda r: r[:2])
    placed = _place(ranked, caps)
    sections = tuple(
        Section(t, tuple(_pick(item, t, known, period) for item in placed[t.slug])) for t in topics if placed[t.slug]
    )
    return Digest(period, filter, sections, considered=len(considered))


def _place(ranked: Mapping[str, Sequence[tuple[int, str, Item]]], caps: Caps) -> dict[str, list[Item]]:
    """The items of each topic, best first."""
    placed: dict[str, list[Item]] = {slug: [] for slug in ranked}
    at = dict.fromkeys(ranked, 0)
    taken: set[str] = set()
    while len(taken) < caps.total:
        choice: tuple[int, str, Item] | None = None
        for slug, best in ranked.items():  # the first of equals: the taxonomy's order
            while at[slug] < len(best) and best[at[slug]][1] in taken:
                at[slug] += 1
            if at[slug] == len(best) or len(placed[slug]) >= caps.per_topic:
                continue
            minus, _, item = best[at[slug]]
            cost = minus + _VARIETY * len(placed[slug])
            if choice is None or cost < choice[0]:
                choice = cost, slug, item
        if choice is None:
            break
        placed[choice[1]].append(choice[2])
        taken.add(choice[2].id)
    return placed


def _parts(tag: Tag, common: tuple[tuple[str, int], ...]) -> tuple[tuple[str, int], ...]:
    """The parts of an item's rank in a topic, in thousandths."""
    in_title = any(e.field == "title" for e in tag.evidence)
    return ("topic", round(tag.score * 1000)), ("title", _TITLE_PART if in_title else 0), *common


def _common_parts(item: Item, period: Period) -> tuple[tuple[str, int], ...]:
    """The parts that are the same in every topic."""
    days = (period.last - period.first).days
    age = (item.announced - period.first).days
    fresh = 0 if age < 0 else _FRESHNESS_PART if days == 0 else _FRESHNESS_PART * age // days
    return (
        ("accepted", _ACCEPTED_PART if item.acceptance else 0),
        ("code", _CODE_PART if item.told("code") else 0),
        ("freshness", fresh),
    )


def _pick(item: Item, topic: Topic, known: Mapping[str, Topic], period: Period) -> Pick:
    tag = next(t for t in item.topics if t.topic == topic.slug)
    parts = _parts(tag, _common_parts(item, period))
    return Pick(
        item=item,
        score=sum(v for _, v in parts) / 1000,
        parts=tuple((name, value / 1000) for name, value in parts),
        why=why(item, tag, topic.name),
        late=item.announced < period.first,
        # What was known on the day of the announcement is no news of its own.
        news=tuple(n for n in item.news if period.first <= n.day <= period.last and n.day > item.announced),
        topics=tuple(known[t.topic] for t in item.topics if t.topic in known),
    )


# ------------------------------------------------------------------ reasons in words
def why(item: Item, tag: Tag, topic_name: str) -> str:
    """Why an item stands under a topic, in words: score, evidence, announcement, code and acceptance."""
    evidence = because(tag)
    lead = f"{topic_name} {tag.score:.2f}" + (f" — {evidence}" if evidence else "")
    about = "about " if item.estimated else ""
    said = [lead, f"announced {about}{short_day(item.announced)}{_where(item)}"]
    if item.told("code"):
        said.append("code linked")
    if accepted := item.acceptance:
        said.append(acceptance(accepted))
    return "; ".join(said)


def because(tag: Tag) -> str:
    """The evidence of a tag in words: `“continual learning” in the title`; empty when it has none."""
    return in_words(tag.evidence)


def in_words(evidence: Sequence[Evidence]) -> str:
    """Evidence as `because` tells it."""
    said: list[str] = []
    shown: list[str] = []
    for field, place in (("title", "in the title"), ("abstract", "in the abstract")):
        words = _telling([e.words.lower() for e in evidence if e.field == field], shown)[: 1 if said else 2]
        if words:
            shown += words
            said.append(f"{' and '.join(f'“{w}”' for w in words)} {place}")
    if not said:
        said = [f"listed in {e.words}" if e.field == "category" else e.words for e in evidence[:1]]
    return ", ".join(said)


def _telling(words: Sequence[str], told: Sequence[str]) -> list[str]:
    """The words without repetitions, and without those that stand inside of others."""
    others = {*words, *told}
    return [w for w in dict.fromkeys(words) if w not in told and not any(w in o and w != o for o in others)]


def _where(item: Item) -> str:
    if item.categories:
        return f" in {item.categories[0]}"
    return f" at {item.venue}" if item.venue else ""
