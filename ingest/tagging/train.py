"""Builds the tagger's model from labelled papers. The only module of Skillfeed that needs scikit-learn and scipy.

`labels.jsonl` holds ids, addresses and labels; titles and abstracts are not ours to pass on, so whoever trains brings a file of
texts. The same texts, labels and taxonomy give the same bytes.

All steps are linear, so that they fold into one matrix (what each is worth stands in docs/tagging.md):
1. one logistic regression per topic over words, pairs of words, and the strongest singular vectors of both;
2. one more per topic over the scores of all topics and the categories, so that topics can speak for and against each other;
3. a straight line per topic through its scores, which makes them probabilities;
4. thresholds that suit cross-validated scores best;
5. one regression that tells papers of any topic from papers of none;
6. one for the form and one for the level, over words and cues (`catalog.tagging.cues`).
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
from catalog.items import Form, Level
from catalog.tagging.check import CORE, RELEVANT, Checked, Paper, Quality, checked, f1, measure
from catalog.tagging.cues import cues
from catalog.tagging.model import MODEL, Model, decode, encode, read, write
from catalog.tagging.tagger import Tagger, Text, features
from catalog.tagging.words import ABSTRACT_LIMIT, STOP, TITLE_LIMIT, stem, words
from catalog.taxonomy import Taxonomy, load_taxonomy

LABELS = Path(__file__).with_name("labels.jsonl")

_WORD_PAPERS, _PAIR_PAPERS = 2, 4  # a word or a pair counts from so many papers on
_COMMON = 0.6  # a word in more than this share of papers is no feature
_PAIR_WEIGHT = 0.5  # pairs repeat what their words said
_IDF_POWER = 0.8
_DIRECTIONS = 300  # singular vectors; with 150 micro F1 on papers read twice is the same, without them lower by 0.007
_CATEGORY_PAPERS = 8
_CATEGORY_SCALE = 2.0  # categories beside scores of about this size, so that both are shrunk alike
_NO_CATEGORIES = 0.25  # share of papers whose categories are hidden in training
# Share of what one reader found relevant that two agree on: papers read once have 0.87 relevant topics, those read twice 0.55.
_AGREED = 0.63
_TWICE = 6.0  # weight of a paper read twice beside one read once when thresholds are chosen
_POSITIVES = 5  # a topic with fewer papers cannot be learnt
_FOLDS = 5
# Inverse strength of shrinking, weight of core and of relevant papers, of the two regressions. What is merely relevant by one
# reading is learnt from but little: with 0.3 instead of 0.1 micro F1 on papers read twice is lower by 0.006.
_FIRST = (30.0, 4.0, 0.1)
_SECOND = (0.1, 2.0, 0.2)
_ANY, _ANY_WEIGHT = 10.0, 20.0  # inverse strength of shrinking, weight of the few papers of no topic
_COVERED = 0.9925  # share of papers with topics that the gate lets through
_OPEN = -100.0  # a gate that nothing is kept out by, where no paper of no topic was seen
_LABEL = 20.0  # inverse strength of shrinking of the regressions for form and level
_LABEL_WORDS = 0.7  # words beside cues
_CUE_PAPERS = 5

Floats = NDArray[np.float64]


class WorseModel(IngestError):
    """The new model is worse than the one that it would replace; nothing was written."""


@dataclass(frozen=True, slots=True)
class Crossed:
    """Cross-validated quality: no paper was judged by a model that had learnt from it, though thresholds had seen its score."""

    all: Quality
    twice: Quality | None  # of the papers read twice alone; None when there are none
    form: float  # share of right ones
    level: float
    reliability: tuple[tuple[float, int, float], ...]  # least score of ten bands, tags given in it, share of right ones


@dataclass(frozen=True, slots=True)
class Training:
    """What a training did."""

    out: Path
    size: int  # bytes of the model
    features: int
    trained: int  # papers
    without_text: int  # labelled papers for which no text was brought
    crossed: Crossed
    check: Checked


def train(
    texts: Path | Sequence[Path],
    out: Path = MODEL,
    *,
    labels: Path = LABELS,
    check: Sequence[Paper] | None = None,
    taxonomy: Taxonomy | None = None,
    force: bool = False,
    say: Callable[[str], None] = print,
) -> Training:
    """Trains on the labelled papers, measures on the check set (by default the packaged one), writes the model to `out`.

    `texts` are files of JSON lines {"id","title","abstract","categories"}; other keys and papers without a label are passed
    over. UsageError when a file is not of that form or no labelled paper is in it. WorseModel when `out` holds a model with a
    higher micro F1 on the check set and `force` is not set. Takes about four minutes of one core for 4,680 papers.
    """
    from threadpoolctl import threadpool_limits

    taxonomy = taxonomy or load_taxonomy()
    papers, without_text = join(labels, [texts] if isinstance(texts, Path) else texts, taxonomy)
    if not papers:
        raise UsageError(f"no labelled paper has a text; bring a file with the ids that stand in {labels}")
    say(f"{len(papers)} papers to learn from, {without_text} labelled ones have no text")
    with threadpool_limits(1):  # sums of several threads differ in their last digits
        model, crossed = fit(papers, [topic.slug for topic in taxonomy.topics if topic.papers])
    model = replace(model, measured={"trained": len(papers), "crossed_micro_f1": round(crossed.all.micro.f1, 4)})
    data = encode(model)
    tagger = Tagger(decode(data), taxonomy)  # measured as read back, rounding to float16 included
    on_check = checked(tagger, check)
    for line in report(crossed, on_check):
        say(line)
    if not force and out.exists():
        refuse_worse(out, taxonomy, check, on_check)
    write(model, out)
    say(f"wrote {out}, {len(data):,} bytes, {len(model.idf):,} features, version {tagger.version}")
    return Training(out, len(data), len(model.idf), len(papers), without_text, crossed, on_check)


def refuse_worse(out: Path, taxonomy: Taxonomy, check: Sequence[Paper] | None, now: Checked) -> None:
    """Raises WorseModel when the model in `out` is better; a file that is no model is no reason to refuse."""
    try:
        old = read(out)
    except IngestError:
        return
    before, after = checked(Tagger(old, taxonomy), check).topics.micro.f1, now.topics.micro.f1
    if round(after, 4) < round(before, 4):
        raise WorseModel(
            f"{out}: micro F1 would fall from {before:.4f} to {after:.4f} ({now.topics.papers} check papers); "
            "use --force to replace it all the same"
        )


# -- reading ---------------------------------------------------------------------------------------------------------------


def join(labels: Path, texts: Sequence[Path], taxonomy: Taxonomy) -> tuple[list[Paper], int]:
    """The labelled papers that have a text, by id, and how many have none."""
    wanted: dict[str, Paper] = {}
    for where, row in json_lines(labels):
        named = row.get("labels")
        readings, form, level = row.get("readings"), row.get("form"), row.get("level")
        if not isinstance(named, dict) or readings not in (1, 2):
            raise UsageError(f'{where}: wants "labels" as an object and "readings" as 1 or 2')
        if form not in (None, *Form) or level not in (None, *Level):
            raise UsageError(f'{where}: wants "form" as one of {", ".join(Form)} and "level" as one of {", ".join(Level)}')
        try:
            by_topic = {taxonomy.topic(topic).slug: int(strength) for topic, strength in named.items()}
        except UsageError as error:
            raise UsageError(f"{where}: {error}") from error
        key = identity(where, row)
        wanted[key] = Paper(key, Text("", ""), by_topic, (form,) if form else (), (level,) if level else (), readings)
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
    papers = [replace(wanted[key], text=found[key]) for key in sorted(found)]
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


def fit(papers: list[Paper], topics: list[str]) -> tuple[Model, Crossed]:
    """The model for those topics, and its cross-validated quality over the same papers."""
    strengths = np.array([[(paper.labels or {}).get(topic, 0) for topic in topics] for paper in papers])
    twice = np.array([paper.readings == 2 for paper in papers])
    split = [(words(paper.text.title[:TITLE_LIMIT]), words(paper.text.abstract[:ABSTRACT_LIMIT])) for paper in papers]
    surface, word_rows, pairs, idf = vocabulary(split)
    seen = features(surface, word_rows, pairs, idf, idf[:word_rows] > 0, split)
    matrix = _csr(seen.values * idf[seen.rows], seen.rows, seen.starts, word_rows + len(pairs))
    directions = _directions(matrix)
    matrix = _beside(matrix, matrix @ directions)

    def folded(weights: Floats) -> Floats:
        """Weights of directions given to the words that they are made of."""
        return weights[: len(idf)] + directions @ weights[len(idf) :]

    fold = _folds(papers, "first")
    weights, bias = _regress(matrix, strengths, *_FIRST)
    first = _crossed(matrix, strengths, fold, *_FIRST)
    categories, shown = _categories(papers)
    hidden = np.array([_number(paper.id, "hide") % 1000 < _NO_CATEGORIES * 1000 for paper in papers])
    both = np.hstack([first, np.where(hidden[:, None], 0, shown)])
    mix, mix_bias = _regress(both, strengths, *_SECOND)
    second = _crossed(both, strengths, _folds(papers, "second"), *_SECOND, unseen=np.hstack([first, shown]))

    slope, offset = _lines(second, strengths)
    width = len(topics)
    logits = second * slope + offset
    scores = _sigmoid(logits)
    thresholds = choose_thresholds(scores, strengths, twice)
    by_category = mix[width:] * slope * _CATEGORY_SCALE

    has = (strengths > 0).any(axis=1)
    any_weights, any_bias, any_crossed = _any(matrix, np.asarray(has), fold)
    margin = logits.max(axis=1) + any_crossed
    gate = float(np.quantile(margin[has], 1 - _COVERED)) if has.any() and not has.all() else _OPEN

    said, cue_idf, cue_matrix = _cue_features(papers, split)
    labels = [_labels(matrix, cue_matrix, papers, name) for name in ("form", "level")]

    model = Model(
        topics=tuple(topics),
        forms=tuple(Form),
        levels=tuple(Level),
        surface=surface,
        word_rows=word_rows,
        pairs=pairs,
        idf=idf,
        weights=np.hstack(
            [
                (folded(weights) @ mix[:width] * slope) * idf[:, None],
                folded(any_weights[:, None]) * idf[:, None],
                *(folded(label.words) * idf[:, None] for label in labels),
            ]
        ).astype(np.float32),
        categories=categories,
        category_weights=by_category.astype(np.float32),
        cues=said,
        cue_idf=cue_idf.astype(np.float32),
        cue_weights=np.hstack([label.cues * cue_idf[:, None] for label in labels]).astype(np.float32),
        bias=np.concatenate(
            [(bias @ mix[:width] + mix_bias) * slope + offset, [any_bias], *(label.bias for label in labels)]
        ).astype(np.float32),
        thresholds=thresholds.astype(np.float32),
        gate=gate,
        measured={},
        digest="",
    )
    given = scores >= thresholds
    best = (scores / thresholds).argmax(axis=1)
    given[~given.any(axis=1), best[~given.any(axis=1)]] = True
    given[margin < gate] = False
    return model, Crossed(
        measure(topics, strengths, given),
        measure(topics, strengths[twice], given[twice]) if twice.any() else None,
        labels[0].right,
        labels[1].right,
        _reliability(scores[twice], strengths[twice]),
    )


def _folds(papers: list[Paper], salt: str) -> NDArray[np.int64]:
    return np.array([fold_of(paper.id, salt, _FOLDS) for paper in papers])


def _categories(papers: list[Paper]) -> tuple[dict[str, int], Floats]:
    """The categories that are used often enough, and which each paper has; the last column tells that it has any of them."""
    used = Counter(category for paper in papers for category in set(paper.text.categories))
    categories = {name: row for row, name in enumerate(sorted(n for n, count in used.items() if count >= _CATEGORY_PAPERS))}
    shown = np.zeros((len(papers), len(categories) + 1))
    for row, paper in enumerate(papers):
        known = [categories[name] for name in paper.text.categories if name in categories]
        if known:
            shown[row, [*known, len(categories)]] = _CATEGORY_SCALE
    return categories, shown


def _any(matrix: Any, has: NDArray[np.bool_], fold: NDArray[np.int64]) -> tuple[Floats, float, Floats]:
    """Weights, bias and cross-validated log odds of being of any topic at all."""
    from sklearn.linear_model import LogisticRegression

    out = np.zeros(len(has))
    if has.all() or not has.any():
        return np.zeros(matrix.shape[1]), 0.0, out

    def one(rows: NDArray[np.int64]) -> tuple[Floats, float]:
        if has[rows].all() or not has[rows].any():
            return np.zeros(matrix.shape[1]), 0.0
        weight = np.where(has[rows], 1.0, _ANY_WEIGHT)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", FutureWarning)
            model = LogisticRegression(C=_ANY, solver="liblinear", random_state=0).fit(
                matrix[rows], has[rows], sample_weight=weight
            )
        return model.coef_[0], float(model.intercept_[0])

    for number in range(_FOLDS):
        inside, outside = np.flatnonzero(fold != number), np.flatnonzero(fold == number)
        if len(inside) and len(outside):
            weights, bias = one(inside)
            out[outside] = matrix[outside] @ weights + bias
    return *one(np.arange(len(has))), out


def _cue_features(papers: list[Paper], split: list[tuple[list[str], list[str]]]) -> tuple[dict[str, int], Floats, Any]:
    """The cues that enough papers have, what each counts by its rarity, and those of each paper at length one."""
    from scipy.sparse import csr_matrix

    found = [
        {cue[0] for cue in cues(title, abstract, "?" in paper.text.title)}
        for paper, (title, abstract) in zip(papers, split, strict=True)
    ]
    counted = Counter(name for names in found for name in names)
    kept = sorted(name for name, count in counted.items() if _CUE_PAPERS <= count < len(papers))
    said = {name: row for row, name in enumerate(kept)}
    rarity = np.array([np.log(len(papers) / counted[name]) ** 0.5 for name in said])
    rarity = rarity.astype(np.float16).astype(np.float64)  # as the file keeps them
    rows = [sorted(said[name] for name in names if name in said) for names in found]
    values = [rarity[at] / max(np.sqrt(np.square(rarity[at]).sum()), 1e-9) for at in rows]
    starts = np.cumsum([0, *map(len, rows)])
    flat = np.concatenate([np.array(at, dtype=np.int64) for at in rows]) if rows else np.zeros(0, dtype=np.int64)
    return said, rarity, csr_matrix((np.concatenate(values), flat, starts), shape=(len(papers), len(said)))


@dataclass(frozen=True, slots=True)
class _Label:
    """What was learnt of form or level: columns are its values."""

    words: Floats
    cues: Floats
    bias: Floats
    right: float  # cross-validated share, of 1; 0 when nothing could be learnt


def _labels(matrix: Any, cue_matrix: Any, papers: list[Paper], name: str) -> _Label:
    """The regression for "form" or "level" over the papers for which it was read; a value that none has is never given."""
    from scipy.sparse import hstack
    from sklearn.linear_model import LogisticRegression

    values = [str(value) for value in (Form if name == "form" else Level)]
    rows = np.array([row for row, paper in enumerate(papers) if getattr(paper, name)], dtype=np.int64)
    truth = np.array([values.index(getattr(papers[row], name)[0]) for row in rows])
    both = hstack([matrix * _LABEL_WORDS, cue_matrix]).tocsr()
    weights, bias = np.zeros((both.shape[1], len(values))), np.full(len(values), -20.0)
    if len(set(truth.tolist())) < 2:
        bias[values.index("method" if name == "form" else "research")] = 0.0
        return _Label(weights[: matrix.shape[1]], weights[matrix.shape[1] :], bias, 0.0)

    def one(at: NDArray[np.int64]) -> Any:
        return LogisticRegression(C=_LABEL, max_iter=1000).fit(both[rows[at]], truth[at])

    fold = np.array([fold_of(papers[row].id, name, _FOLDS) for row in rows])
    right = 0
    for number in range(_FOLDS):
        inside, outside = np.flatnonzero(fold != number), np.flatnonzero(fold == number)
        if len(outside) and len(set(truth[inside].tolist())) > 1:
            right += int((one(inside).predict(both[rows[outside]]) == truth[outside]).sum())
    model = one(np.arange(len(rows)))
    if len(model.classes_) == 2:  # one column stands for two values
        weights[:, model.classes_] = np.hstack([-model.coef_.T / 2, model.coef_.T / 2])
        bias[model.classes_] = [-model.intercept_[0] / 2, model.intercept_[0] / 2]
    else:
        weights[:, model.classes_], bias[model.classes_] = model.coef_.T, model.intercept_
    return _Label(weights[: matrix.shape[1]] * _LABEL_WORDS, weights[matrix.shape[1] :], bias, right / len(rows))


def _reliability(scores: Floats, strengths: NDArray[np.int64]) -> tuple[tuple[float, int, float], ...]:
    """Of the scores in each tenth, how many topics are right."""
    band = np.minimum((scores * 10).astype(int), 9)
    right = strengths > 0
    return tuple(
        (number / 10, int((band == number).sum()), float(right[band == number].mean()) if (band == number).any() else 0.0)
        for number in range(10)
    )


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


def choose_thresholds(scores: Floats, strengths: NDArray[np.int64], twice: NDArray[np.bool_]) -> Floats:
    """The threshold of each topic: the best common one, then each moved by up to 0.16 where that helps micro and macro F1.

    A move must win more than a little per 0.01, which keeps topics with few papers near the common threshold. Papers read
    `twice` count more; what is relevant by one reading alone is taken to be right as often as two readers agree on such.
    """
    width = strengths.shape[1]
    weight = np.where(twice, _TWICE, 1.0)[:, None]
    right = np.where(strengths == RELEVANT, np.where(twice[:, None], 1.0, _AGREED), strengths > 0) * weight
    core = (strengths == CORE) * weight

    def counts(topic: int, threshold: float) -> tuple[float, float, float]:
        given = scores[:, topic] >= threshold
        return float(weight[given].sum()), float(right[given, topic].sum()), float(core[given, topic].sum())

    cores = core.sum(axis=0)

    def goal(table: Floats) -> float:
        said, hits, found = table.T
        micro = f1(hits.sum() / max(said.sum(), 1), found.sum() / max(cores.sum(), 1))
        macro = [f1(h / max(s, 1), f / c) for s, h, f, c in zip(said, hits, found, cores, strict=True) if c]
        return micro + 0.25 * float(np.mean(macro or [0]))

    def tables(threshold: float) -> Floats:
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
                value = goal(table) - 0.005 * abs(threshold - common)
                if value > best[0]:
                    best = value, threshold, by_grid[threshold][topic]
            chosen[topic], table[topic] = best[1], best[2]
    return chosen


def _directions(matrix: Any) -> Floats:
    """Features x directions: the strongest singular vectors of the papers, in which words that keep company are alike."""
    from sklearn.utils.extmath import randomized_svd

    _, _, rows = randomized_svd(matrix, min(_DIRECTIONS, *(side - 1 for side in matrix.shape)), n_iter=4, random_state=0)
    return np.asarray(rows.T)


def _beside(matrix: Any, more: Floats) -> Any:
    """The papers by their features and, after them, by others."""
    from scipy.sparse import csr_matrix, hstack

    return hstack([matrix, csr_matrix(more)]).tocsr()


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
            held = np.where(column == RELEVANT, _AGREED, column > 0)
            model = LogisticRegression(C=1.0, solver="lbfgs").fit(
                np.vstack([logits[:, [topic]]] * 2),
                np.repeat([True, False], len(held)),
                sample_weight=np.concatenate([held, 1 - held]),
            )
            slope[topic], offset[topic] = max(model.coef_[0, 0], 0.1), model.intercept_[0]
    return slope, offset


def _csr(values: NDArray[np.float32], rows: NDArray[np.int64], starts: NDArray[np.int64], width: int) -> Any:
    from scipy.sparse import csr_matrix

    return csr_matrix((values.astype(np.float64), rows, starts), shape=(len(starts) - 1, width))


def _sigmoid(logits: Floats) -> Floats:
    return np.asarray(1 / (1 + np.exp(-np.clip(logits, -30, 30))))


def fold_of(key: str, salt: str, folds: int) -> int:
    """The fold of a paper, in [0, folds): it depends on the paper alone, so that no other paper and no order changes it."""
    return _number(key, salt) % folds


def _number(key: str, salt: str) -> int:
    """A number that depends on the paper alone, so that the order of a file and other papers change no fold."""
    return int.from_bytes(hashlib.blake2b(f"{salt} {key}".encode("utf-8", "surrogatepass"), digest_size=4).digest(), "big")


# -- measuring -------------------------------------------------------------------------------------------------------------


def report(crossed: Crossed, check: Checked) -> Iterable[str]:
    """The lines of the table, worst topic first."""
    yield f"{'topic':28s} core given      P     R    F1   (cross-validated)"
    for topic, m in sorted(crossed.all.topics.items(), key=lambda pair: (pair[1].f1, pair[0])):
        counts = f"{crossed.all.core[topic]:4d} {crossed.all.given[topic]:5d}"
        yield f"{topic:28s} {counts}  {m.precision:.3f} {m.recall:.3f} {m.f1:.3f}"
    qualities = (
        ("cross-validated", crossed.all), ("cross-validated, papers read twice", crossed.twice),
        ("check set", check.topics), ("check set, no categories", check.bare),
    )  # fmt: skip
    for name, quality in qualities:
        if quality is not None:
            counts = (
                f"{quality.missed} with topics but none given, {quality.spared} of {quality.empty} without topics given none"
            )
            yield f"{name}: {quality.papers} papers, {counts}"
            yield f"  micro  {quality.micro}"
            yield f"  macro  {quality.macro}"
    yield f"form and level, share right: cross-validated {crossed.form:.3f} and {crossed.level:.3f}"
    yield f"  {check.labelled} papers of the check set {check.form:.3f} and {check.level:.3f}"
    yield "score from   tags  right   (cross-validated, papers read twice)"
    for least, tags, right in crossed.reliability:
        yield f"{least:10.1f} {tags:6d}  {right:.3f}"


def main(texts: Path, out: Path | None = None, force: bool = False) -> None:
    """`skillfeed train`: `train`, with the table printed; writes to `out` or in place of the packaged model."""
    train(texts, out or MODEL, force=force)
