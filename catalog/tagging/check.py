"""How good the tagger is, measured on papers that it never learnt from and that every installation carries.

`check.jsonl` holds arXiv papers (their metadata are CC0) with labels that two readers gave independently: topics of
some, form and level of others.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from catalog.tagging.tagger import Tagger, Text
from catalog.taxonomy import Taxonomy

PAPERS = Path(__file__).with_name("check.jsonl")

CORE, RELEVANT = 2, 1


@dataclass(frozen=True, slots=True)
class Paper:
    """A labelled paper with its text."""

    id: str
    text: Text
    labels: dict[str, int] | None  # topic to CORE or RELEVANT; None when its topics were not read
    form: tuple[str, ...] = ()  # either of them is right; () when not read
    level: tuple[str, ...] = ()
    readings: int = 2  # how many readers gave the topics, independently


@dataclass(frozen=True, slots=True)
class Measure:
    """Shares in [0, 1]: of the topics given those that are core or relevant, of the core topics those given, harmonic mean."""

    precision: float
    recall: float
    f1: float

    def __str__(self) -> str:
        return f"P {self.precision:.3f}  R {self.recall:.3f}  F1 {self.f1:.3f}"


@dataclass(frozen=True, slots=True)
class Quality:
    """How well topics were given to a number of papers."""

    papers: int
    micro: Measure
    macro: Measure  # mean over topics that are core in at least one paper
    topics: dict[str, Measure]
    core: dict[str, int]
    given: dict[str, int]
    missed: int  # papers with a topic that were given none
    spared: int  # papers of no topic that were given none
    empty: int  # papers of no topic


def measure_tagger(tagger: Tagger, papers: Sequence[Paper], *, bare: bool = False) -> Quality:
    """How well a tagger gives topics to those papers; `bare` hides their categories."""
    topics = list(tagger.model.topics)
    texts = [paper.text._replace(categories=()) if bare else paper.text for paper in papers]
    given = [{tag.topic for tag in tags} for tags in tagger.tag_many(texts, evidence=False)]
    strengths = np.array([[(paper.labels or {}).get(topic, 0) for topic in topics] for paper in papers])
    return measure(topics, strengths, np.array([[topic in found for topic in topics] for found in given]))


def measure(topics: Sequence[str], strengths: NDArray[np.int64], given: NDArray[np.bool_]) -> Quality:
    """Compares given topics with labels (papers x topics: CORE, RELEVANT or 0)."""
    right, core = strengths > 0, strengths == CORE
    said, hits, found, cores = given.sum(axis=0), (given & right).sum(axis=0), (given & core).sum(axis=0), core.sum(axis=0)

    def one(said: int, hits: int, found: int, cores: int) -> Measure:
        precision, recall = (hits / said if said else 0.0), (found / cores if cores else 0.0)
        return Measure(precision, recall, f1(precision, recall))

    each = {
        topic: one(*(int(counts[at]) for counts in (said, hits, found, cores))) for at, topic in enumerate(topics) if cores[at]
    }
    mean = [float(np.mean([getattr(m, name) for m in each.values()] or [0])) for name in ("precision", "recall", "f1")]
    has, got = right.any(axis=1), given.any(axis=1)
    return Quality(
        papers=len(strengths),
        micro=one(int(said.sum()), int(hits.sum()), int(found.sum()), int(cores.sum())),
        macro=Measure(*mean),
        topics=each,
        core={topic: int(cores[at]) for at, topic in enumerate(topics)},
        given={topic: int(said[at]) for at, topic in enumerate(topics)},
        missed=int((has & ~got).sum()),
        spared=int((~has & ~got).sum()),
        empty=int((~has).sum()),
    )


@dataclass(frozen=True, slots=True)
class Checked:
    """How a tagger does on the check papers."""

    topics: Quality
    bare: Quality  # the same papers, categories hidden
    form: float  # share of right ones
    level: float
    labelled: int  # papers with form and level


def check_papers(path: Path = PAPERS) -> list[Paper]:
    """The papers of the check set, by id."""
    rows = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    return [
        Paper(
            row["id"],
            Text(row["title"], row["abstract"], tuple(row["categories"])),
            row.get("labels"),
            tuple(row.get("form", ())),
            tuple(row.get("level", ())),
        )
        for row in rows
    ]


def checked(tagger: Tagger, papers: Sequence[Paper] | None = None) -> Checked:
    """What the tagger reaches on those papers, by default those that the package carries. Takes half a second."""
    papers = check_papers() if papers is None else papers
    read = [paper for paper in papers if paper.labels is not None]
    labelled = [paper for paper in papers if paper.form]
    judged = tagger.judge_many([paper.text for paper in labelled], evidence=False)
    right = [(j.form in p.form, j.level in p.level) for j, p in zip(judged, labelled, strict=True)]
    form, level = np.mean(right, axis=0).tolist() if right else (0.0, 0.0)
    return Checked(measure_tagger(tagger, read), measure_tagger(tagger, read, bare=True), form, level, len(labelled))


def current(taxonomy: Taxonomy) -> Checked:
    """What the packaged model reaches with this taxonomy."""
    return checked(Tagger.load(taxonomy))


def f1(precision: float, recall: float) -> float:
    """Harmonic mean, 0 for two zeros."""
    return 2 * precision * recall / (precision + recall) if precision + recall else 0.0
