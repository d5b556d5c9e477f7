"""Builds the tagger's model from labelled papers. The only module of Skillfeed that needs scikit-learn and scipy.

`labels.jsonl` holds ids, addresses and labels; titles and abstracts are not ours to pass on, so whoever trains brings a file of
texts. The same texts, labels and taxonomy give the same bytes.

Four steps, all linear, so that they fold into one matrix (what each is worth stands in docs/tagging.md):
1. one logistic regression per topic over words and pairs of words;
2. one more per topic over the scores of all topics and the categories, so that topics can speak for and against each other;
3. a straight line per topic through its scores, which makes them probabilities;
4. thresholds that suit cross-validated scores best.
"""

from __future__ import annotations

import hashlib
import json
import warnings
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from catalog.errors import IngestError, UsageError
from catalog.tagging.model import MODEL, Model, decode, encode, read, write
from catalog.tagging.tagger import FLOOR, Tagger, Text, features
from catalog.tagging.words import ABSTRACT_LIMIT, STOP, TITLE_LIMIT, stem, words
from catalog.taxonomy import Taxonomy, load_taxonomy

LABELS = Path(__file__).with_name("labels.jsonl")

CORE, RELEVANT = 2, 1

_WORD_PAPERS, _PAIR_PAPERS = 2, 4  # a word or a pair counts from so many papers on
_COMMON = 0.6  # a word in more than this share of papers is no feature
_PAIR_WEIGHT = 0.5  # pairs repeat what their words said
_IDF_POWER = 0.8
_CATEGORY_PAPERS = 8
_CATEGORY_SCALE = 2.0  # categories beside scores of about this size, so that both are shrunk alike
_NO_CATEGORIES = 0.4  # share of papers whose categories are hidden in training
# Added to each threshold. The training labels are one reading, the dev labels two merged, which drop what one alone found
# relevant: micro F1 on dev 0.863 without it, 0.869 at 0.04, 0.874 at 0.08, 0.875 at 0.12, macro best at 0.08.
_MARGIN = 0.1
_POSITIVES = 5  # a topic with fewer papers cannot be learnt
_FOLDS = 5
# Inverse strength of shrinking, weight of core and of relevant papers, of the two regressions.
_FIRST = (30.0, 4.0, 0.6)
_SECOND = (0.1, 2.0, 0.6)

Floats = NDArray[np.float64]


class WorseModel(IngestError):
    """The new model is worse than the one that it would replace; nothing was written."""


@dataclass(frozen=True, slots=True)
class Paper:
    """A labelled paper with its text."""

    id: str
    text: Text
    labels: dict[str, int]  # topic to CORE or RELEVANT
    split: str  # train or dev


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


@dataclass(frozen=True, slots=True)
class Training:
    """What a training did."""

    out: Path
    size: int  # bytes of the model
    features: int
    trained: int  # papers
    without_text: int  # labelled papers for which no text was brought
    crossed: Quality  # cross-validated over the papers trained on, categories as they are
    dev: Quality | None  # None when no text of a dev paper was brought
    dev_bare: Quality | None  # the same papers without categories


def train(
    texts: Path | Sequence[Path],
    out: Path = MODEL,
    *,
    labels: Path = LABELS,
    taxonomy: Taxonomy | None = None,
    force: bool = False,
    say: Callable[[str], None] = print,
) -> Training:
    """Trains on the split `train`, measures on the split `dev`, writes the model to `out`, and says both as a table.

    `texts` are files of JSON lines {"id","title","abstract","categories"}; other keys and papers without a label are passed
    over. UsageError when a file is not of that form or no labelled paper is in it. WorseModel when `out` holds a model with a
    higher micro F1 on the same dev papers (without any of those: a higher cross-validated one) and `force` is not set.
    Takes about 45 s and 270 MB for 4,367 papers.
    """
    taxonomy = taxonomy or load_taxonomy()
    papers, without_text = join(labels, [texts] if isinstance(texts, Path) else texts, taxonomy)
    learnt = [paper for paper in papers if paper.split == "train"]
    dev = [paper for paper in papers if paper.split == "dev"]
    if not learnt:
        raise UsageError(f"no paper of the split train has a text; bring a file with the ids that stand in {labels}")
    say(f"{len(learnt)} papers to train on, {len(dev)} to measure on, {without_text} labelled ones have no text")
    model, crossed = fit(learnt, [topic.slug for topic in taxonomy.topics if topic.papers])
    model = replace(model, measured={"trained": len(learnt), "crossed_micro_f1": round(crossed.micro.f1, 4)})
    data = encode(model)
    tagger = Tagger(decode(data), taxonomy)  # measured as read back, rounding to float16 included
    on_dev, on_dev_bare = (measure_tagger(tagger, dev), measure_tagger(tagger, dev, bare=True)) if dev else (None, None)
    for line in report(crossed, on_dev, on_dev_bare):
        say(line)
    if not force and out.exists():
        refuse_worse(out, taxonomy, dev, on_dev, crossed)
    write(model, out)
    say(f"wrote {out}, {len(data):,} bytes, {len(model.idf):,} features, version {tagger.version}")
    return Training(out, len(data), len(model.idf), len(learnt), without_text, crossed, on_dev, on_dev_bare)


def refuse_worse(out: Path, taxonomy: Taxonomy, dev: list[Paper], on_dev: Quality | None, crossed: Quality) -> None:
    """Raises WorseModel when the model in `out` is better; a file that is no model is no reason to refuse."""
    try:
        old = read(out)
    except IngestError:
        return
    if on_dev is not None:
        before, after, where = measure_tagger(Tagger(old, taxonomy), dev).micro.f1, on_dev.micro.f1, f"{len(dev)} dev papers"
    else:
        before, after, where = float(old.measured.get("crossed_micro_f1", 0)), crossed.micro.f1, "cross-validation"
    if round(after, 4) < round(before, 4):
        raise WorseModel(
            f"{out}: micro F1 would fall from {before:.4f} to {after:.4f} ({where}); use --force to replace it all the same"
        )


# -- reading ---------------------------------------------------------------------------------------------------------------


def join(labels: Path, texts: Sequence[Path], taxonomy: Taxonomy) -> tuple[list[Paper], int]:
    """The labelled papers that have a text, by id, and how many have none."""
    wanted: dict[str, tuple[dict[str, int], str]] = {}
    for where, row in json_lines(labels):
        named = row.get("labels")
        if not isinstance(named, dict) or row.get("split") not in ("train", "dev"):
            raise UsageError(f'{where}: wants "labels" as an object and "split" as train or dev')
        try:
            by_topic = {taxonomy.topic(topic).slug: int(strength) for topic, strength in named.items()}
        except UsageError as error:
            raise UsageError(f"{where}: {error}") from error
        wanted[identity(where, row)] = by_topic, row["split"]
    found: dict[str, Text] = {}
    for path in texts:
        for where, row in json_lines(path):
            key = identity(where, row)
            if key not in wanted:
                continue
            title, abstract, categories = row.get("title"), row.get("abstract") or "", row.get("categories") or []
            if not isinstance(title, str) or not isinstance(abstract, str) or not isinstance(categories, list):
                raise UsageError(f'{where}: wants "title" and "abstract" as texts and "categories" as a list')
            found[key] = Text(title, abstract, [category for category in categories if isinstance(category, str)])
    papers = [Paper(key, found[key], *wanted[key]) for key in sorted(found)]
    return papers, len(wanted) - len(papers)


def json_lines(path: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    """Each object of a file with `file:line` for messages; UsageError for a file or line that cannot be read."""
    number = 0
    try:
        with path.open(encoding="utf-8") as lines:
            for number, line in enumerate(lines, 1):
                if not line.strip():
                    continue
                row = json.loads(line)
                if not isinstance(row, dict):
                    raise UsageError(f"{path}:{number}: is no JSON object; write one object a line")
                yield f"{path}:{number}", row
    except OSError as error:
        raise UsageError(f"{path}: cannot be read ({error.strerror})") from error
    except UnicodeDecodeError as error:
        raise UsageError(f"{path}: is not UTF-8; save it as UTF-8") from error
    except json.JSONDecodeError as error:
        raise UsageError(f"{path}:{number}: is no JSON ({error.msg}); write one object a line") from error


def identity(where: str, row: dict[str, Any]) -> str:
    """The id of a row; UsageError when it has none."""
    if not isinstance(row.get("id"), str):
        raise UsageError(f'{where}: wants "id" as a text')
    return str(row["id"])


# -- fitting ---------------------------------------------------------------------------------------------------------------


def fit(papers: list[Paper], topics: list[str]) -> tuple[Model, Quality]:
    """The model for those topics, and its cross-validated quality over the same papers."""
    strengths = np.array([[paper.labels.get(topic, 0) for topic in topics] for paper in papers])
    split = [(words(paper.text.title[:TITLE_LIMIT]), words(paper.text.abstract[:ABSTRACT_LIMIT])) for paper in papers]
    surface, word_rows, pairs, idf = vocabulary(split)
    seen = features(surface, word_rows, pairs, idf, idf[:word_rows] > 0, split)
    matrix = _csr(seen.values * idf[seen.rows], seen.rows, seen.starts, word_rows + len(pairs))
    fold = np.array([_number(paper.id, "first") % _FOLDS for paper in papers])

    weights, bias = _regress(matrix, strengths, *_FIRST)
    first = _crossed(matrix, strengths, fold, *_FIRST)

    used = Counter(category for paper in papers for category in set(paper.text.categories))
    categories = {name: row for row, name in enumerate(sorted(n for n, count in used.items() if count >= _CATEGORY_PAPERS))}
    shown = np.zeros((len(papers), len(categories) + 1))
    for row, paper in enumerate(papers):
        known = [categories[name] for name in paper.text.categories if name in categories]
        if known:
            shown[row, [*known, len(categories)]] = _CATEGORY_SCALE
    hidden = np.array([_number(paper.id, "hide") % 1000 < _NO_CATEGORIES * 1000 for paper in papers])
    both = np.hstack([first, np.where(hidden[:, None], 0, shown)])
    fold = np.array([_number(paper.id, "second") % _FOLDS for paper in papers])
    mix, mix_bias = _regress(both, strengths, *_SECOND)
    second = _crossed(both, strengths, fold, *_SECOND, unseen=np.hstack([first, shown]))

    slope, offset = _lines(second, strengths)
    width = len(topics)
    scores = _sigmoid(second * slope + offset)
    thresholds = choose_thresholds(scores, strengths) + _MARGIN
    weights, bias, by_category = (
        weights @ mix[:width] * slope,
        (bias @ mix[:width] + mix_bias) * slope + offset,
        mix[width:] * slope,
    )
    model = Model(
        topics=tuple(topics),
        surface=surface,
        word_rows=word_rows,
        pairs=pairs,
        idf=idf,
        weights=(weights * idf[:, None]).astype(np.float32),
        categories=categories,
        category_weights=(by_category * _CATEGORY_SCALE).astype(np.float32),
        bias=bias.astype(np.float32),
        thresholds=thresholds.astype(np.float32),
        measured={},
        digest="",
    )
    given = scores >= thresholds
    best = (scores / thresholds).argmax(axis=1)
    for row in np.flatnonzero(~given.any(axis=1)).tolist():
        given[row, best[row]] = scores[row, best[row]] >= FLOOR
    return model, measure(topics, strengths, given)


def vocabulary(
    split: list[tuple[list[str], list[str]]],
) -> tuple[dict[str, int], int, NDArray[np.int64], NDArray[np.float32]]:
    """Spellings to words, number of word rows, pairs and weights by rarity of all rows, from the words of papers."""
    spelt: Counter[str] = Counter()
    together: Counter[tuple[str, str]] = Counter()
    spellings: set[str] = set()
    for both in split:
        spellings.update(*both)
        stems = [[stem(word) for word in part] for part in both]
        spelt.update({word for part in stems for word in part})
        together.update({pair for part in stems for pair in pairwise(part)})
    stops = {stem(word) for word in STOP} | STOP
    kept = sorted(word for word, count in spelt.items() if count >= _WORD_PAPERS)
    row = {word: at for at, word in enumerate(kept, 1)}
    word_rows = len(kept) + 1

    def rarity(count: int) -> float:
        return float((np.log((1 + len(split)) / (1 + count)) + 1) ** _IDF_POWER)

    content = {word for word in kept if word not in stops and spelt[word] <= _COMMON * len(split)}
    coded = sorted(
        (row[a] * word_rows + row[b], count)
        for (a, b), count in together.items()
        if count >= _PAIR_PAPERS and (a in content or b in content)
    )
    idf = np.zeros(word_rows + len(coded), dtype=np.float32)
    for word in content:
        idf[row[word]] = rarity(spelt[word])
    idf[word_rows:] = [_PAIR_WEIGHT * rarity(count) for _, count in coded]
    surface = {word: row[stem(word)] for word in spellings if stem(word) in row}
    # Plurals that no paper of the training used, "autoencoders" where only "autoencoder" was seen.
    for word in kept:
        for form in (word, word + "s"):
            if stem(form) == word:
                surface.setdefault(form, row[word])
    # The file keeps float16, so training must see the same rounding.
    return surface, word_rows, np.array([code for code, _ in coded], dtype=np.int64), idf.astype(np.float16).astype(np.float32)


def choose_thresholds(scores: Floats, strengths: NDArray[np.int64]) -> Floats:
    """The threshold of each topic: the best common one, then each moved by up to 0.16 where that helps micro and macro F1.

    A move must win more than a little per 0.01, which keeps topics with few papers near the common threshold.
    """
    width = strengths.shape[1]
    right, core = (strengths > 0), (strengths == CORE)

    def counts(topic: int, threshold: float) -> tuple[int, int, int]:
        given = scores[:, topic] >= threshold
        return int(given.sum()), int((given & right[:, topic]).sum()), int((given & core[:, topic]).sum())

    cores = core.sum(axis=0)

    def goal(table: NDArray[np.int64]) -> float:
        said, hits, found = table.T
        micro = _f1(hits.sum() / max(said.sum(), 1), found.sum() / max(cores.sum(), 1))
        macro = [_f1(h / max(s, 1), f / c) for s, h, f, c in zip(said, hits, found, cores, strict=True) if c]
        return micro + 0.25 * float(np.mean(macro or [0]))

    def tables(threshold: float) -> NDArray[np.int64]:
        return np.array([counts(topic, threshold) for topic in range(width)])

    grid = [round(0.1 + 0.02 * step, 2) for step in range(31)]
    by_grid = {threshold: tables(threshold) for threshold in grid}
    common = max(grid, key=lambda threshold: goal(by_grid[threshold]))
    chosen, table = np.full(width, common), by_grid[common].copy()
    for _ in range(2):
        for topic in range(width):
            best = (-1.0, common, table[topic])
            for threshold in grid:
                if abs(threshold - common) > 0.161:
                    continue
                table[topic] = by_grid[threshold][topic]
                value = goal(table) - 0.0025 * abs(threshold - common)
                if value > best[0]:
                    best = value, threshold, by_grid[threshold][topic]
            chosen[topic], table[topic] = best[1], best[2]
    return chosen


def _regress(matrix: Any, strengths: NDArray[np.int64], inverse: float, core: float, relevant: float) -> tuple[Floats, Floats]:
    """Weights (features x topics) and bias of one logistic regression per topic; a topic too rare is never given."""
    from sklearn.linear_model import LogisticRegression

    weights = np.zeros((matrix.shape[1], strengths.shape[1]))
    bias = np.full(strengths.shape[1], -20.0)
    for topic, column in enumerate(strengths.T):
        if (column > 0).sum() < _POSITIVES or (column == 0).sum() < _POSITIVES:
            continue
        sample = np.where(column == CORE, core, np.where(column == RELEVANT, relevant, 1.0))
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", FutureWarning)
            model = LogisticRegression(C=inverse, solver="liblinear", random_state=0)
            model.fit(matrix, column > 0, sample_weight=sample)
        weights[:, topic], bias[topic] = model.coef_[0], model.intercept_[0]
    return weights, bias


def _crossed(
    matrix: Any, strengths: NDArray[np.int64], fold: NDArray[np.int64], *settings: float, unseen: Any = None
) -> Floats:
    """The score (log odds) of each paper by a regression that has not seen its fold."""
    out = np.zeros(strengths.shape)
    for number in range(_FOLDS):
        inside, outside = np.flatnonzero(fold != number), np.flatnonzero(fold == number)
        if len(inside) and len(outside):
            weights, bias = _regress(matrix[inside], strengths[inside], *settings)
            out[outside] = (matrix if unseen is None else unseen)[outside] @ weights + bias
    return out


def _lines(logits: Floats, strengths: NDArray[np.int64]) -> tuple[Floats, Floats]:
    """Slope and offset per topic that turn log odds into the share of papers that have the topic (Platt scaling)."""
    from sklearn.linear_model import LogisticRegression

    slope, offset = np.ones(logits.shape[1]), np.zeros(logits.shape[1])
    for topic, column in enumerate(strengths.T):
        if (column > 0).sum() >= _POSITIVES and (column == 0).sum() >= _POSITIVES:
            model = LogisticRegression(C=1.0, solver="lbfgs").fit(logits[:, [topic]], column > 0)
            slope[topic], offset[topic] = max(model.coef_[0, 0], 0.1), model.intercept_[0]
    return slope, offset


def _csr(values: NDArray[np.float32], rows: NDArray[np.int64], starts: NDArray[np.int64], width: int) -> Any:
    from scipy.sparse import csr_matrix

    return csr_matrix((values.astype(np.float64), rows, starts), shape=(len(starts) - 1, width))


def _sigmoid(logits: Floats) -> Floats:
    return np.asarray(1 / (1 + np.exp(-np.clip(logits, -30, 30))))


def _number(key: str, salt: str) -> int:
    """A number that depends on the paper alone, so that the order of a file and other papers change no fold."""
    return int.from_bytes(hashlib.blake2b(f"{salt} {key}".encode("utf-8", "surrogatepass"), digest_size=4).digest(), "big")


# -- measuring -------------------------------------------------------------------------------------------------------------


def measure_tagger(tagger: Tagger, papers: list[Paper], *, bare: bool = False) -> Quality:
    """How well a tagger does on those papers; `bare` hides their categories."""
    topics = list(tagger.model.topics)
    texts = [paper.text._replace(categories=()) if bare else paper.text for paper in papers]
    given = [{tag.topic for tag in tags} for tags in tagger.tag_many(texts, evidence=False)]
    strengths = np.array([[paper.labels.get(topic, 0) for topic in topics] for paper in papers])
    return measure(topics, strengths, np.array([[topic in found for topic in topics] for found in given]))


def measure(topics: Sequence[str], strengths: NDArray[np.int64], given: NDArray[np.bool_]) -> Quality:
    """Compares given topics with labels (papers x topics: CORE, RELEVANT or 0)."""
    right, core = strengths > 0, strengths == CORE
    said, hits, found, cores = given.sum(axis=0), (given & right).sum(axis=0), (given & core).sum(axis=0), core.sum(axis=0)

    def one(said: int, hits: int, found: int, cores: int) -> Measure:
        precision, recall = (hits / said if said else 0.0), (found / cores if cores else 0.0)
        return Measure(precision, recall, _f1(precision, recall))

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


def report(crossed: Quality, dev: Quality | None, bare: Quality | None) -> Iterable[str]:
    """The lines of the table, worst topic first, by dev papers where there are any."""
    shown = dev or crossed
    yield f"{'topic':28s} core given      P     R    F1   ({'dev' if dev else 'cross-validated'})"
    for topic, m in sorted(shown.topics.items(), key=lambda pair: (pair[1].f1, pair[0])):
        yield f"{topic:28s} {shown.core[topic]:4d} {shown.given[topic]:5d}  {m.precision:.3f} {m.recall:.3f} {m.f1:.3f}"
    for name, quality in (("cross-validated", crossed), ("dev", dev), ("dev, no categories", bare)):
        if quality is not None:
            counts = (
                f"{quality.missed} with topics but none given, {quality.spared} of {quality.empty} without topics given none"
            )
            yield f"{name}: {quality.papers} papers, {counts}"
            yield f"  micro  {quality.micro}"
            yield f"  macro  {quality.macro}"


def _f1(precision: float, recall: float) -> float:
    return 2 * precision * recall / (precision + recall) if precision + recall else 0.0


def main(texts: Path, out: Path | None = None, force: bool = False) -> None:
    """`skillfeed train`: `train`, with the table printed; writes to `out` or in place of the packaged model."""
    train(texts, out or MODEL, force=force)
