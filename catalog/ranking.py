"""The rank of an item: a stated sum of parts, each told beside it. Pure.

In thousandths, so that the parts add up exactly:

    topic       0 to 1000   the best score of the topics asked for
    venue       0 to 200    a venue's word that it was accepted 200, its authors' alone 150
    signals     0 to 300    60 for each power of ten of the largest number from outside: upvotes, points, stars, citations
    code        0 or 100    the authors link their code
    kind        0 or 100    not a paper: what is rare is not drowned
    level       0 to 100    start-here 100, practitioner 50
    withdrawn   0 or -1000
    freshness   50 for each day

Freshness is counted from the calendar's first day, not back from today: the order of two items does not depend on when one
looks, so that pages by rank stay whole. A point is worth 20 days; the other parts add up to `MOST` at most, so no item is
before one that is `HORIZON` days newer.
"""

from __future__ import annotations

import math
from collections.abc import Collection
from datetime import date

from catalog.entries import Kind
from catalog.items import Item, Level, Tag

DAY = 50  # thousandths
LEAST, MOST = -1000, 1800  # of all parts but freshness
HORIZON = (MOST - LEAST) // DAY  # days

_CONFIRMED, _CLAIMED, _CODE, _RARE, _WITHDRAWN = 200, 150, 100, 100, -1000
_POWER, _SIGNALS_MOST = 60, 300
_LEVELS = {Level.START_HERE.value: 100, Level.PRACTITIONER.value: 50}


def weight(item: Item) -> tuple[tuple[str, int], ...]:
    """The parts that are the item's own, whatever is asked, always the same names in the same order. Needs news and signals."""
    accepted = item.acceptance
    claimed = _CLAIMED if accepted and accepted.status == "claimed" else 0
    largest = max((s.number for s in item.signals), default=0.0)
    return (
        ("venue", claimed or (_CONFIRMED if accepted or item.venue else 0)),
        ("signals", min(_SIGNALS_MOST, round(_POWER * math.log10(1 + max(0.0, largest))))),
        ("code", _CODE if item.told("code") else 0),
        ("kind", 0 if item.kind is Kind.PAPER else _RARE),
        ("level", _LEVELS.get(item.level, 0)),
        ("withdrawn", _WITHDRAWN if item.withdrawn else 0),
    )


def topic_part(tags: Collection[Tag], asked: Collection[str]) -> int:
    """The part of the topics: of those asked for, of any when none is."""
    return max((round(t.score * 1000) for t in tags if not asked or t.topic in asked), default=0)


def rank(item: Item, asked: Collection[str]) -> int:
    """The sum of all parts: the key of the order, larger is first. Needs news and signals."""
    return topic_part(item.topics, asked) + sum(n for _, n in weight(item)) + fresh(item.announced)


def fresh(day: date) -> int:
    """The part of the announced day."""
    return DAY * day.toordinal()


def parts(item: Item, asked: Collection[str], newest: date) -> dict[str, float]:
    """The parts as they are told, freshness as what is lost since the newest day that is held. Needs news and signals."""
    lost = fresh(item.announced) - fresh(newest)
    told = (("topic", topic_part(item.topics, asked)), *weight(item), ("freshness", lost))
    return {name: n / 1000 for name, n in told}
