"""How good the tagger is on papers that neither its weights nor its thresholds have seen: nested cross-validation.

`GOLD_DIR` names the folder with the labelled papers' texts, as `skillfeed train` reads them. Takes 20 minutes of one core.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from catalog.tagging.check import Paper, Quality, measure
from catalog.tagging.model import decode, encode
from catalog.tagging.tagger import Tagger
from catalog.taxonomy import load_taxonomy
from ingest.tagging.train import LABELS, fit, fold_of, join

_FOLDS, _RESAMPLES = 5, 1000

Given = NDArray[np.bool_]


def nested() -> Iterator[str]:
    """The lines of the table: each fifth of the papers is tagged by a model built, thresholds and all, from the others."""
    if "GOLD_DIR" not in os.environ:
        yield "tagging: GOLD_DIR names no folder with the labelled papers' texts"
        return
    taxonomy = load_taxonomy()
    topics = [topic.slug for topic in taxonomy.topics if topic.papers]
    papers, _ = join(LABELS, [Path(os.environ["GOLD_DIR"], name) for name in ("train.jsonl", "dev.jsonl")], taxonomy)
    fold = np.array([fold_of(paper.id, "nested", _FOLDS) for paper in papers])
    given = {bare: np.zeros((len(papers), len(topics)), dtype=bool) for bare in (False, True)}
    right: list[tuple[bool, bool]] = []
    for number in range(_FOLDS):
        with threadpool_limits(1):
            model, _ = fit([paper for paper, of in zip(papers, fold, strict=True) if of != number], topics)
        tagger = Tagger(decode(encode(model)), taxonomy)
        rows = np.flatnonzero(fold == number)
        for bare, table in given.items():
            table[rows] = _given(tagger, [papers[row] for row in rows], topics, bare)
        labelled = [papers[row] for row in rows if papers[row].form]
        judged = tagger.judge_many([paper.text for paper in labelled], evidence=False)
        right += [(j.form in p.form, j.level in p.level) for j, p in zip(judged, labelled, strict=True)]
    strengths = np.array([[(paper.labels or {}).get(topic, 0) for topic in topics] for paper in papers])
    twice = np.array([paper.readings == 2 for paper in papers])
    for name, rows in (("all", np.flatnonzero(twice | True)), ("read twice", np.flatnonzero(twice))):
        for bare, table in given.items():
            quality = measure(topics, strengths[rows], table[rows])
            low, high = _interval(topics, strengths[rows], table[rows])
            yield (
                f"{name:10s} {'no categories' if bare else 'as they are':13s} {len(rows):5d} papers  "
                f"micro F1 {quality.micro.f1:.3f} [{low[0]:.3f}, {high[0]:.3f}]  macro F1 {quality.macro.f1:.3f} "
                f"[{low[1]:.3f}, {high[1]:.3f}]  {_none(quality)}"
            )
    form, level = np.mean(right, axis=0)
    yield f"form {form:.3f} and level {level:.3f} of {len(right)} papers right"


def _given(tagger: Tagger, papers: Sequence[Paper], topics: Sequence[str], bare: bool) -> Given:
    texts = [paper.text._replace(categories=()) if bare else paper.text for paper in papers]
    found = [{tag.topic for tag in tags} for tags in tagger.tag_many(texts, evidence=False)]
    return np.array([[topic in names for topic in topics] for names in found])


def _interval(topics: Sequence[str], strengths: NDArray[np.int64], given: Given) -> tuple[list[float], list[float]]:
    """The 2.5th and 97.5th percentile of micro and macro F1 over papers drawn again with replacement."""
    dice = np.random.default_rng(0)
    drawn = []
    for _ in range(_RESAMPLES):
        rows = dice.integers(0, len(strengths), len(strengths))
        quality = measure(topics, strengths[rows], given[rows])
        drawn.append((quality.micro.f1, quality.macro.f1))
    low, high = np.percentile(np.array(drawn), [2.5, 97.5], axis=0).tolist()
    return low, high


def _none(quality: Quality) -> str:
    has = quality.papers - quality.empty
    return f"{quality.missed} of {has} with topics given none, {quality.spared} of {quality.empty} without given none"
