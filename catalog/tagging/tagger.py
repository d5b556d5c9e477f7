"""Text to topics, each with its score and the words that decided it.

Pure: no network, no database, no clock; the same input gives the same tags. numpy alone is needed here, scikit-learn only to
train. `docs/tagging.md` tells how it works and how well.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from functools import cache
from itertools import repeat
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from catalog.entries import Kind
from catalog.items import Evidence, Tag
from catalog.tagging.cues import Cue, cues
from catalog.tagging.marks import mark
from catalog.tagging.model import MODEL, Model, read
from catalog.tagging.words import ABSTRACT_LIMIT, STOP, TITLE_LIMIT, places, words
from catalog.taxonomy import Taxonomy, load_taxonomy

#: Pieces of evidence per tag.
EVIDENCE_LIMIT = 3
_LABEL_EVIDENCE = 2  # and per form or level

_WEAK = 0.2  # words with less than this share of the strongest piece's weight are left out

#: Things that are no papers are mostly short, and were not trained on; the model must be surer of them.
OTHER_KINDS_FLOOR = 0.5

PHRASE_SCORE = 0.95
KIND_SCORE = 1.0

#: Length of the shortest text that counts in full; two or three words alone would else speak as loudly as a paper. All labelled
#: papers are longer (23.9 and more), nine titles of ten too; micro F1 on titles alone is 0.710 with and without it.
SHORTEST = 12.0

_BATCH = 128  # documents at a time: the arrays then stay in cache; from 32 to 256 the speed is the same within 3 %
_CATEGORY_LIMIT = 64  # categories looked at; the most of any labelled paper are 9
_COUNT_LIMIT = 255  # occurrences of a feature that count
_LOG = np.concatenate(([0.0], 1 + np.log(np.arange(1, _COUNT_LIMIT + 1)))).astype(np.float32)
_FIELDS = ("title", "abstract")
_JOINT = re.compile(r"[\s\-\u2010-\u2015/_'\u2019]{1,3}")  # what may stand between two words that count as a phrase


class Text(NamedTuple):
    """What there is to read of one thing."""

    title: str
    abstract: str
    categories: Sequence[str] = ()
    kind: Kind = Kind.PAPER
    marks: tuple[str, ...] = ()  # what the sources say beside the text (`catalog.tagging.marks`)


@dataclass(frozen=True, slots=True)
class Judged:
    """What is told of one text."""

    tags: tuple[Tag, ...]
    form: str = ""  # of `catalog.entries.Form`; "" for what is no paper
    level: str = ""  # of `catalog.entries.Level`
    form_evidence: tuple[Evidence, ...] = ()
    level_evidence: tuple[Evidence, ...] = ()


@dataclass(frozen=True, slots=True)
class _Phrase:
    topic: str
    words: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Features:
    """Features of a batch, document by document."""

    rows: NDArray[np.int64]  # feature rows, ascending within a document
    values: NDArray[np.float32]  # strength of each, before weights
    starts: NDArray[np.int64]  # documents + 1 offsets into rows
    ids: NDArray[np.int64]  # the words of title, title and abstract, 0 after each and for a word that is not known
    ends: list[int]  # offsets into ids behind each document


class Tagger:
    """Gives a text its topics. Holds no state between calls and may be used from several threads."""

    def __init__(self, model: Model, taxonomy: Taxonomy) -> None:
        self.model = model
        #: Changes whenever a tag could: digest of the model, a dot, version of the taxonomy.
        self.version = f"{model.digest}.{taxonomy.version}"
        # A topic that left the taxonomy leaves the tags at once, without training; a renamed one goes by its new name, one that
        # was split by that of its first part.
        slugs = [slug for topic in taxonomy.topics for slug in (topic.slug, *topic.aliases)]
        known = {slug: taxonomy.topic(slug).slug for slug in slugs}
        self._slugs = [known.get(topic) for topic in model.topics]
        self._alive = np.array([slug is not None for slug in self._slugs])
        self._content = model.idf[: model.word_rows] > 0
        self._pair_words = np.divmod(model.pairs, model.word_rows)
        self._kinds = {kind: [t.slug for t in taxonomy.topics if kind in t.kinds] for kind in Kind}
        self._marked: dict[str, list[str]] = {}
        for topic in taxonomy.topics:
            for said in topic.marks:
                self._marked.setdefault(mark(*said.split(" ", 1)) if " " in said else said, []).append(topic.slug)
        # A phrase is looked for only in texts that hold its longest word: checking one set costs 4 µs, all phrases 300 µs.
        self._triggers: dict[str, list[_Phrase]] = {}
        for topic in taxonomy.topics:
            for phrase in topic.phrases:
                split = tuple(words(phrase))
                self._triggers.setdefault(max(split, key=len), []).append(_Phrase(topic.slug, split))
        self._trigger_words = frozenset(self._triggers)

    @staticmethod
    def load(taxonomy: Taxonomy | None = None) -> Tagger:
        """The tagger with the packaged model, one for a process; IngestError when the model is missing or damaged."""
        return _load(taxonomy or load_taxonomy())

    def tag(
        self,
        title: str,
        abstract: str,
        categories: Sequence[str] = (),
        kind: Kind = Kind.PAPER,
        marks: tuple[str, ...] = (),
        evidence: bool = True,
    ) -> tuple[Tag, ...]:
        """The topics assigned to one text, best first, ties by slug; empty when it is of none.

        Without `evidence` the same topics and scores come back with no evidence, in a third of the time. Any text is taken: of
        very long ones the beginning is read (`TITLE_LIMIT`, `ABSTRACT_LIMIT`).
        """
        return self.tag_many([Text(title, abstract, categories, kind, marks)], evidence=evidence)[0]

    def tag_many(self, texts: Iterable[Text], evidence: bool = True) -> list[tuple[Tag, ...]]:
        """What `tag` gives for each text, in order; much faster than one by one."""
        return [judged.tags for judged in self._judge(list(texts), evidence, labels=False)]

    def judge_many(self, texts: Iterable[Text], evidence: bool = True) -> list[Judged]:
        """Topics, form and level of each text, in order; what is no paper has neither form nor level."""
        return self._judge(list(texts), evidence, labels=True)

    def _judge(self, texts: list[Text], evidence: bool, labels: bool) -> list[Judged]:
        out: list[Judged] = []
        for start in range(0, len(texts), _BATCH):
            out += self._judge_batch(texts[start : start + _BATCH], evidence, labels)
        return out

    def explain_label(self, text: Text, label: str) -> tuple[Evidence, ...]:
        """The words that speak for a form or a level that a paper was given before, the weightiest first; () when none do."""
        labels = (*self.model.forms, *self.model.levels)
        if text.kind is not Kind.PAPER or label not in labels:
            return ()
        title, abstract = text.title[:TITLE_LIMIT], text.abstract[:ABSTRACT_LIMIT]
        split = [(words(title), words(abstract))]
        features = self._features(split)
        reading = self._read(0, (title, abstract), split[0], features, self._sums(features)[0])
        return self._why_label(reading, cues(*split[0], "?" in title), labels.index(label))

    def explain(self, text: Text, tags: Sequence[Tag]) -> tuple[Tag, ...]:
        """The tags, which a text was given before, with what speaks for each of them; scores stay as they are.

        A tag for which this model and taxonomy see nothing (set by hand, or by another version) has no evidence.
        """
        wanted = frozenset(tag.topic for tag in tags)
        found = {tag.topic: tag.evidence for tag in self._judge_batch([text], True, False, wanted)[0].tags}
        return tuple(replace(tag, evidence=found.get(tag.topic, ())) for tag in tags)

    def _judge_batch(
        self, texts: list[Text], evidence: bool, labels: bool, wanted: frozenset[str] | None = None
    ) -> list[Judged]:
        """What is told of each text; the tags that are `wanted` instead of those that it deserves, when given."""
        clipped = [(text.title[:TITLE_LIMIT], text.abstract[:ABSTRACT_LIMIT]) for text in texts]
        split = [(words(title), words(abstract)) for title, abstract in clipped]
        features = self._features(split)
        products, sums = self._sums(features)
        sums += self.model.bias
        width = len(self.model.topics)
        from_words, anything = sums[:, :width], sums[:, width]
        category_rows = [self._category_rows(text.categories) for text in texts]
        from_categories = np.zeros_like(from_words)
        for document, rows in enumerate(category_rows):
            if rows:
                from_categories[document] = self.model.category_weights[rows].sum(axis=0)
        logits = from_words + from_categories
        scores = 1 / (1 + np.exp(-np.clip(logits, -30, 30)))
        chosen = self._choose(texts, logits, scores, anything)
        if wanted is not None:
            chosen[:] = [slug in wanted for slug in self._slugs]

        out: list[Judged] = []
        readings: list[_Reading | None] = []
        for document, text in enumerate(texts):
            found: dict[str, tuple[float, tuple[Evidence, ...]]] = {}
            reading = None
            for column in np.flatnonzero(chosen[document]).tolist():
                slug = self._slugs[column]
                assert slug is not None, "columns without a topic are never chosen"
                why: tuple[Evidence, ...] = ()
                if evidence:
                    reading = reading or self._read(document, clipped[document], split[document], features, products)
                    decided = (
                        scores[document, column]
                        >= self.model.thresholds[column]
                        > _sigmoid(float(logits[document, column] - from_categories[document, column]))
                    )
                    why = self._why(reading, column, category_rows[document], decided)
                score = round(float(scores[document, column]), 3)
                if slug not in found or score > found[slug][0]:  # two columns can lead to one topic after a merge
                    found[slug] = score, why
            readings.append(reading)
            self._apply_rules(text, clipped[document], split[document], evidence, found)
            tags = [Tag(slug, score, why) for slug, (score, why) in found.items() if wanted is None or slug in wanted]
            out.append(Judged(tuple(sorted(tags, key=lambda tag: (-tag.score, tag.topic)))))
        if labels:
            said_of = [cues(*both, "?" in text.title) for text, both in zip(texts, split, strict=True)]
            by_words = sums[:, width + 1 :] + self._cue_sums(said_of)
            forms = by_words[:, : len(self.model.forms)].argmax(axis=1)
            levels = by_words[:, len(self.model.forms) :].argmax(axis=1)
            for document, text in enumerate(texts):
                if text.kind is not Kind.PAPER:
                    continue
                form, level = int(forms[document]), int(levels[document])
                said = replace(out[document], form=self.model.forms[form], level=self.model.levels[level])
                if evidence:
                    known = readings[document]
                    own = (
                        (known or self._read(document, clipped[document], split[document], features, products)),
                        said_of[document],
                    )
                    said = replace(
                        said,
                        form_evidence=self._why_label(*own, form),
                        level_evidence=self._why_label(*own, len(self.model.forms) + level),
                    )
                out[document] = said
        return out

    # -- scoring -----------------------------------------------------------------------------------------------------------

    def _features(self, split: list[tuple[list[str], list[str]]]) -> _Features:
        return features(self.model.surface, self.model.word_rows, self.model.pairs, self.model.idf, self._content, split)

    def _sums(self, features: _Features) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """What each feature says for each topic, and the sums for each document."""
        out = np.zeros((len(features.starts) - 1, self.model.weights.shape[1]), dtype=np.float32)
        filled = np.flatnonzero(np.diff(features.starts))
        products = self.model.weights[features.rows]
        products *= features.values[:, None]
        if len(filled):
            out[filled] = np.add.reduceat(products, features.starts[filled], axis=0)
        return products, out

    def _cue_sums(self, found: list[list[Cue]]) -> NDArray[np.float32]:
        """What the cues of each text say for each form and level."""
        get = self.model.cues.get
        out = np.zeros((len(found), self.model.cue_weights.shape[1]), dtype=np.float32)
        for document, said in enumerate(found):
            rows = sorted({row for cue in said if (row := get(cue[0])) is not None})
            if rows:
                length = np.sqrt(np.square(self.model.cue_idf[rows]).sum())
                out[document] = self.model.cue_weights[rows].sum(axis=0) / length
        return out

    def _category_rows(self, categories: Sequence[str]) -> list[int]:
        get = self.model.categories.get
        rows = sorted({row for row in map(get, categories[:_CATEGORY_LIMIT]) if row is not None})
        return [*rows, len(self.model.categories)] if rows else rows

    def _choose(
        self,
        texts: list[Text],
        logits: NDArray[np.float32],
        scores: NDArray[np.float32],
        anything: NDArray[np.float32],
    ) -> NDArray[np.bool_]:
        # Below the bias no word and no category speaks for the topic, so there would be nothing to show as evidence.
        possible = (logits > self.model.bias[: len(self.model.topics)]) & self._alive
        papers = np.array([text.kind is Kind.PAPER for text in texts])
        thresholds = np.where(papers[:, None], self.model.thresholds, np.maximum(self.model.thresholds, OTHER_KINDS_FLOOR))
        chosen: NDArray[np.bool_] = possible & (scores >= thresholds)
        chosen[papers & (logits.max(axis=1) + anything < self.model.gate)] = False
        for document in np.flatnonzero(papers & ~chosen.any(axis=1)).tolist():
            if logits[document].max() + anything[document] < self.model.gate:
                continue
            share = np.where(possible[document], scores[document] / self.model.thresholds, 0)
            best = int(share.argmax())
            if possible[document, best]:
                chosen[document, best] = True
        return chosen

    # -- evidence ----------------------------------------------------------------------------------------------------------

    def _read(
        self,
        document: int,
        texts: tuple[str, str],
        split: tuple[list[str], list[str]],
        features: _Features,
        products: NDArray[np.float32],
    ) -> _Reading:
        of_title, of_abstract = len(split[0]), len(split[1])
        ids = features.ids[features.ends[document] - 1 - of_abstract - 1 - of_title : features.ends[document] - 1].tolist()
        part = slice(features.starts[document], features.starts[document + 1])
        known = ids[:of_title] + ids[of_title + 1 :]
        return _Reading(self.model, self._content, self._pair_words, texts, split, known, features.rows[part], products[part])

    def _why(self, reading: _Reading, column: int, category_rows: list[int], decided: bool) -> tuple[Evidence, ...]:
        """Up to three pieces, never none: a category first where the tag hangs on it, words by weight, else the category."""
        found: list[Evidence] = []
        named = category_rows[:-1]
        by_weight = sorted(named, key=lambda row: -self.model.category_weights[row, column])
        category = [row for row in by_weight[:1] if self.model.category_weights[row, column] > 0]
        if category and decided:
            found.append(self._category(category[0]))
        found += reading.strongest(column, EVIDENCE_LIMIT - len(found))
        if not found and by_weight:
            found.append(self._category(by_weight[0]))
        return tuple(found)

    def _why_label(self, reading: _Reading, found: list[Cue], column: int) -> tuple[Evidence, ...]:
        """Up to two pieces: the cues that weigh most for this form or level, else the words that do."""
        weight: dict[str, float] = {}
        for cue in found:
            row = self.model.cues.get(cue[0])
            if row is not None and self.model.cue_weights[row, column] > 0:
                weight[cue[0]] = float(self.model.cue_weights[row, column])
        out: list[Evidence] = []
        for name, title, first, last in sorted(found, key=lambda cue: -weight.get(cue[0], 0.0)):
            if name not in weight or len(out) == _LABEL_EVIDENCE or weight[name] < 0.5 * max(weight.values()):
                break
            skipped, field = (0, 0) if title else (reading.of_title, 1)
            start, end = reading.place(skipped + first)[0], reading.place(skipped + last)[1]
            piece = Evidence(_FIELDS[field], reading.texts[field][start:end], start, end)
            if not any(_overlap(piece, other) for other in out):
                out.append(piece)
        return tuple(out) or tuple(reading.strongest(len(self.model.topics) + 1 + column, 1))

    def _category(self, row: int) -> Evidence:
        return Evidence("category", next(name for name, at in self.model.categories.items() if at == row))

    # -- rules -------------------------------------------------------------------------------------------------------------

    def _apply_rules(
        self,
        text: Text,
        clipped: tuple[str, str],
        split: tuple[list[str], list[str]],
        evidence: bool,
        found: dict[str, tuple[float, tuple[Evidence, ...]]],
    ) -> None:
        for slug in self._kinds.get(text.kind, ()):
            found[slug] = KIND_SCORE, (Evidence("rule", f"kind {text.kind.value}"),) if evidence else ()
        for said in text.marks:
            for slug in self._marked.get(said, ()):
                found.setdefault(slug, (KIND_SCORE, (Evidence("rule", said),) if evidence else ()))
                if found[slug][0] < KIND_SCORE:
                    found[slug] = KIND_SCORE, (Evidence("rule", said), *found[slug][1])[:EVIDENCE_LIMIT] if evidence else ()
        for field, content, text_words in zip(("title", "abstract"), clipped, split, strict=True):
            # Abstracts of papers name their tools and habits in passing; there the title alone says what the paper is about.
            if field == "abstract" and text.kind is Kind.PAPER:
                break
            if self._trigger_words.isdisjoint(text_words):
                continue
            joined = f" {' '.join(text_words)} "
            for trigger in sorted(self._trigger_words.intersection(text_words)):
                for phrase in self._triggers[trigger]:
                    if field == "abstract" and len(phrase.words) == 1:
                        continue
                    if f" {' '.join(phrase.words)} " not in joined:
                        continue
                    score, why = found.get(phrase.topic, (0.0, ()))
                    if score >= PHRASE_SCORE:
                        continue
                    if evidence:
                        start, end = _position(content, text_words, phrase.words)
                        place = Evidence(field, content[start:end], start, end)
                        others = [piece for piece in why if not _overlap(piece, place)]
                        why = (place, *others)[:EVIDENCE_LIMIT]
                    found[phrase.topic] = PHRASE_SCORE, why


@cache
def _load(taxonomy: Taxonomy) -> Tagger:
    return Tagger(read(MODEL), taxonomy)


def features(
    surface: dict[str, int],
    word_rows: int,
    pairs: NDArray[np.int64],
    idf: NDArray[np.float32],
    content: NDArray[np.bool_],
    split: list[tuple[list[str], list[str]]],
) -> _Features:
    """The features of each (title words, abstract words), as the model weighs them; training uses it too.

    Title words count twice. A feature's value is (1 + ln count) over the length of all such values times idf,
    which is taken as `SHORTEST` at least.
    """
    stream: list[str] = []
    ends = []
    for title, abstract in split:
        # The empty string is no word: it keeps pairs from reaching over the borders.
        stream += title
        stream.append("")
        stream += title
        stream.append("")
        stream += abstract
        stream.append("")
        ends.append(len(stream))
    documents = len(split)
    ids = np.fromiter(map(surface.get, stream, repeat(0)), dtype=np.int64, count=len(stream))
    owner = np.repeat(np.arange(documents, dtype=np.int64), np.diff(ends, prepend=0))
    rows_in_all = word_rows + len(pairs)
    single = content[ids]
    keys = [owner[single] * rows_in_all + ids[single]]
    if len(pairs) and len(ids) > 1:
        at = np.flatnonzero((ids[:-1] > 0) & (ids[1:] > 0))
        codes = ids[at] * word_rows + ids[at + 1]
        places = np.searchsorted(pairs, codes)
        hit = pairs[np.minimum(places, len(pairs) - 1)] == codes
        keys.append(owner[at[hit]] * rows_in_all + word_rows + places[hit])
    distinct, counts = np.unique(np.concatenate(keys), return_counts=True)
    documents_of, rows = np.divmod(distinct, rows_in_all)
    values = _LOG[np.minimum(counts, _COUNT_LIMIT)]
    squares = np.bincount(documents_of, weights=(values * idf[rows]) ** 2, minlength=documents)
    lengths = np.maximum(np.sqrt(squares), SHORTEST)
    values = (values / lengths[documents_of]).astype(np.float32)
    starts = np.searchsorted(documents_of, np.arange(documents + 1))
    return _Features(rows, values, starts, ids, ends)


class _Reading:
    """Where the features of one text stand, for picking the words that spoke for a topic."""

    def __init__(
        self,
        model: Model,
        content: NDArray[np.bool_],
        pair_words: tuple[NDArray[np.int64], NDArray[np.int64]],
        texts: tuple[str, str],
        split: tuple[list[str], list[str]],
        known: list[int],
        rows: NDArray[np.int64],
        products: NDArray[np.float32],
    ) -> None:
        self.model, self.content, self.pair_words = model, content, pair_words
        self.texts = texts
        self.rows, self.products = rows, products
        self.words = [*split[0], *split[1]]
        self.of_title = len(split[0])
        self.known = known  # the number of every word, 0 for an unknown one, in reading order: the title is found first
        self.places: list[tuple[int, int]] = []  # start and end of every word in its text, once one is asked for

    def place(self, index: int) -> tuple[int, int]:
        """Where a word stands in its text."""
        if not self.places:
            self.places = [place for text in self.texts for place in places(text)]
        return self.places[index]

    def field(self, index: int) -> int:
        """The text that a word is of: 0 the title, 1 the abstract."""
        return int(index >= self.of_title)

    def strongest(self, column: int, limit: int) -> list[Evidence]:
        """Up to `limit` runs of words, the most weighty first; none only when no feature speaks for the topic."""
        weights = self.products[:, column]
        runs: list[list[float]] = []  # [first word, last word, weight]
        # Eight features make three runs in nearly every text; more would only join runs into whole sentences.
        strongest = np.argsort(-weights, kind="stable")[: max(8, 3 * limit)]
        for row, weight in zip(self.rows[strongest].tolist(), weights[strongest].tolist(), strict=True):
            if weight <= 0:
                break
            place = self._first(row)
            if place is None:
                continue
            self._merge(runs, [*place, weight])
        runs.sort(key=lambda run: (-run[2], run[0]))
        out: list[Evidence] = []
        seen = set()
        for first, last, weight in runs:
            if weight < _WEAK * runs[0][2]:
                break
            field = self.field(int(first))
            start, end = self.place(int(first))[0], self.place(int(last))[1]
            text = self.texts[field][start:end]
            if text.lower() in seen:
                continue
            seen.add(text.lower())
            out.append(Evidence(_FIELDS[field], text, start, end))
            if len(out) == limit:
                break
        return out

    def _first(self, row: int) -> tuple[int, int] | None:
        """First and last word of the first place of a feature, stop words at its edges left out."""
        if row < self.model.word_rows:
            place = self.known.index(row)
            return place, place
        left, right = (int(part[row - self.model.word_rows]) for part in self.pair_words)
        place = -1
        for _ in range(self.known.count(left)):
            place = self.known.index(left, place + 1)
            if place + 1 >= len(self.known) or self.known[place + 1] != right or self.field(place) != self.field(place + 1):
                continue
            first, last = place, place + 1
            if not self._carries(first):
                first = last
            elif not self._carries(last) or not self._joint(first, last):
                last = first
            return first, last
        return None

    def _carries(self, index: int) -> bool:
        return bool(self.content[self.known[index]]) and self.words[index] not in STOP

    def _joint(self, first: int, last: int) -> bool:
        field = self.field(first)
        return (
            self.field(last) == field
            and _JOINT.fullmatch(self.texts[field], self.place(first)[1], self.place(last)[0]) is not None
        )

    def _merge(self, runs: list[list[float]], new: list[float]) -> None:
        """Adds a run; joins it with runs that it overlaps or directly follows, up to five words in all."""
        for run in runs:
            if run[1] + 1 == new[0]:
                joined = new[1] - run[0] < 5 and self._joint(int(run[1]), int(new[0]))
            elif new[1] + 1 == run[0]:
                joined = run[1] - new[0] < 5 and self._joint(int(new[1]), int(run[0]))
            else:
                joined = run[0] <= new[1] and new[0] <= run[1]
            if joined:
                runs.remove(run)
                self._merge(runs, [min(run[0], new[0]), max(run[1], new[1]), run[2] + new[2]])
                return
        runs.append(new)


def _position(text: str, text_words: list[str], phrase: tuple[str, ...]) -> tuple[int, int]:
    """Where the phrase, which is there, begins and ends."""
    for first in range(len(text_words)):
        if tuple(text_words[first : first + len(phrase)]) == phrase:
            found = places(text)
            return found[first][0], found[first + len(phrase) - 1][1]
    raise AssertionError("the caller has found the phrase")


def _overlap(one: Evidence, other: Evidence) -> bool:
    return one.field == other.field and one.start < other.end and other.start < one.end


def _sigmoid(logit: float) -> float:
    return float(1 / (1 + np.exp(-max(-30.0, min(30.0, logit)))))
