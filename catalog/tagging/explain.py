"""What speaks for the tags of stored items: computed when it is asked for, as it takes longer than all else to store one."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from functools import lru_cache

from catalog.items import HAND_SCORE, Evidence, Item, Tag
from catalog.tagging.marks import marks_of
from catalog.tagging.tagger import Tagger, Text
from catalog.taxonomy import Taxonomy

BY_HAND = Evidence("rule", "set by hand")

_REMEMBERED = 4_000  # items; some 3 kB each


def explained(items: Iterable[Item], taxonomy: Taxonomy) -> list[Item]:
    """The items with evidence for their tags; summaries and, for other things than papers, entries must have been filled in.

    About 0.4 ms for an item.
    """
    return [replace(i, topics=_explained(taxonomy, _text(i), i.topics)) if i.topics else i for i in items]


def explained_whole(item: Item, taxonomy: Taxonomy) -> Item:
    """The item with evidence for its tags, its form and its level; it must be whole."""
    (told,) = explained([item], taxonomy)
    form, level = (_label(taxonomy, _text(item), label) if label else () for label in (item.form, item.level))
    return replace(told, form_evidence=form, level_evidence=level)


def _text(item: Item) -> Text:
    return Text(item.title, item.summary, item.categories, item.kind, marks_of(item.kind, item.entries))


@lru_cache(maxsize=_REMEMBERED)  # a page is looked at more than once
def _explained(taxonomy: Taxonomy, text: Text, tags: tuple[Tag, ...]) -> tuple[Tag, ...]:
    tagger = Tagger.load(taxonomy)
    told = tagger.explain(text, tags)
    if not any(tag.score == HAND_SCORE for tag in tags):
        return told
    # A person's word has the score of a rule: where no rule gives it, it is a person's.
    ruled = {tag.topic for tag in tagger.tag(*text, evidence=False) if tag.score == HAND_SCORE}
    return tuple(replace(t, evidence=(BY_HAND,)) if t.score == HAND_SCORE and t.topic not in ruled else t for t in told)


@lru_cache(maxsize=_REMEMBERED)
def _label(taxonomy: Taxonomy, text: Text, label: str) -> tuple[Evidence, ...]:
    return Tagger.load(taxonomy).explain_label(text, label)
