"""Releases of the libraries and languages that machine learning is written in.

Offers: a feed for each repository, https://github.com/<owner>/<name>/releases.atom, without quota; one for each package on
PyPI, https://pypi.org/rss/project/<name>/releases.xml; CRANberries for CRAN. ETags all through. Terms: GitHub's and PyPI's
allow feeds to be read; notes are shown cut, with a link. Rate: one request at a time to a host; an unchanged feed costs a 304.
Cadence: every six hours.

Told are minor and major versions, not patches and not pre-releases. What GitHub's feed, which has ten releases, does not have
any more comes from PyPI's, which has forty.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime, timedelta

from catalog.entries import EntryData
from catalog.errors import FetchError, ParseError
from catalog.outcomes import Outcome, Part, Run
from catalog.settings import Settings
from catalog.storage.sources import PartState
from ingest.attempts import lost, reasons
from ingest.cadence import Cadence
from ingest.fetch import Answer
from ingest.formats.releases import RELEASES, Library, ReleaseFeed, parse_cran, parse_github, parse_pypi
from ingest.source import History, Page, Visit

GITHUB = "https://github.com/{}/releases.atom"
PYPI = "https://pypi.org/rss/project/{}/releases.xml"
CRANBERRIES = "http://dirk.eddelbuettel.com/cranberries/index.rss"
CRAN = "cran"
OLDEST = timedelta(days=90)  # older releases are no news when they are first seen

LIBRARIES = (
    Library("NumPy", "numpy/numpy", "numpy"),
    Library("pandas", "pandas-dev/pandas", "pandas"),
    Library("Matplotlib", "matplotlib/matplotlib", "matplotlib"),
    Library("seaborn", "mwaskom/seaborn", "seaborn"),
    Library("SciPy", "scipy/scipy", "scipy"),
    Library("Polars", "pola-rs/polars", "polars"),
    Library("scikit-learn", "scikit-learn/scikit-learn", "scikit-learn"),
    Library("TensorFlow", "tensorflow/tensorflow", "tensorflow"),
    Library("PyTorch", "pytorch/pytorch", "torch"),
    Library("Keras", "keras-team/keras", "keras"),
    Library("JAX", "jax-ml/jax", "jax"),
    Library("Transformers", "huggingface/transformers", "transformers"),
    Library("XGBoost", "dmlc/xgboost", "xgboost"),
    Library("LightGBM", "microsoft/LightGBM", "lightgbm"),
    Library("Optuna", "optuna/optuna", "optuna"),
    Library("MLflow", "mlflow/mlflow", "mlflow"),
    Library("Julia", "JuliaLang/julia"),
    Library("Flux.jl", "FluxML/Flux.jl"),
    Library("rlang", "r-lib/rlang"),
    Library("testthat", "r-lib/testthat"),
    Library("tidymodels", "tidymodels/tidymodels"),
    Library("Deeplearning4j", "deeplearning4j/deeplearning4j"),
)
#: Packages of R that are followed on CRAN.
PACKAGES = (
    "caret", "data.table", "dplyr", "ggplot2", "glmnet", "keras3", "lightgbm", "mlr3", "parsnip", "randomForest", "ranger",
    "recipes", "reticulate", "tensorflow", "tidyr", "torch", "tune", "xgboost", "yardstick",
)  # fmt: skip


class Releases:
    """The source `releases`."""

    name = RELEASES
    homepage = "https://github.com/"
    summary = "Minor and major releases of NumPy, pandas, scikit-learn, PyTorch, TensorFlow, R packages, Julia and others"
    enabled = True

    def __init__(self, libraries: tuple[Library, ...] = LIBRARIES) -> None:
        """`libraries` are those that are followed."""
        self._libraries = libraries

    def steps(self, settings: Settings) -> int:
        """A part for each library, and CRAN."""
        return len(self._libraries) + 1

    def visit(self, visit: Visit) -> None:
        """Read the feeds that changed."""
        oldest = visit.window.since if visit.window else visit.now().date() - OLDEST
        for library in self._libraries:
            _Reading(visit, library.repository, oldest).library(library)
        _Reading(visit, CRAN, oldest).cran()

    def next_due(self, now: datetime, run: Run, history: History) -> datetime:
        """Six hours later, up to a day while nothing is released."""
        return Cadence(timedelta(hours=6), timedelta(days=1)).next_due(self.name, now, run, history)


class _Reading:
    """The feeds of one library."""

    def __init__(self, visit: Visit, name: str, oldest: date) -> None:
        self._visit, self._oldest = visit, oldest
        self._part: Part = visit.begin(name)
        self._state = visit.state(name)
        self._cursor = dict(self._state.cursor)
        self._latest = visit.now().date() + timedelta(days=1)
        self._keys: set[str] = set(self._cursor.get("keys", []))

    def library(self, library: Library) -> None:
        """GitHub's feed, then what only PyPI's has."""
        repository = self._cursor.get("repository", library.repository)
        self._feed("github", GITHUB.format(repository), lambda a: self._visit.parse(parse_github, a, library, self._latest))
        if library.package:
            url = PYPI.format(library.package)
            self._feed("pypi", url, lambda a: self._visit.parse(parse_pypi, a, library, self._latest), only_new=True)
        self._end()

    def cran(self) -> None:
        """The feed of all packages."""
        self._feed("cran", CRANBERRIES, lambda a: self._visit.parse(parse_cran, a, PACKAGES, self._latest))
        self._end()

    def _feed(self, name: str, url: str, read: Callable[[Answer], ReleaseFeed], *, only_new: bool = False) -> None:
        etag, modified = self._cursor.get(name, ["", ""]) if self._visit.window is None else ("", "")
        try:
            answer = self._visit.http.get(url, etag=etag, last_modified=modified)
            if answer.not_modified:
                return
            feed = read(answer)
            if not (feed.entries or feed.passed or feed.rejected):
                raise ParseError("empty-feed", f"the feed of {name} is empty")
        except (FetchError, ParseError) as error:
            self._visit.fail(self._part, Outcome.PARTIAL, f"{name}: {error}")
            return
        self._follow(name, answer)
        sound = not feed.damage and not lost(feed.rejected)
        known = self._visit.held([e.key for e in feed.entries])
        chosen = [e for e in feed.entries if self._wanted(e, known, only_new=only_new)]
        self._keys |= {e.key for e in chosen}
        passed = feed.passed + len(feed.entries) - len(chosen)
        if sound:
            self._cursor[name] = [answer.etag, answer.last_modified]
        else:
            note = "; ".join(filter(None, (reasons(feed.rejected), feed.damage)))
            self._visit.fail(self._part, Outcome.PARTIAL, f"{name}: {note}")
        self._visit.keep(self._part, Page(chosen, (), feed.rejected, passed=passed))

    def _wanted(self, entry: EntryData, known: set[str], *, only_new: bool) -> bool:
        """What is held is read again for its notes, what is old and not held is left out."""
        if entry.key in known:
            return not only_new
        return entry.announced is None or entry.announced >= self._oldest

    def _follow(self, name: str, answer: Answer) -> None:
        """A repository that moved for good is asked for at its new place."""
        moved = [to for status, to in answer.hops if status in (301, 308)]
        if name == "github" and moved:
            path = moved[-1].partition("://")[2].partition("/")[2].removesuffix("/releases.atom")
            if path.count("/") == 1:
                self._cursor["repository"] = path

    def _end(self) -> None:
        part = self._part
        self._cursor["keys"] = sorted(self._visit.held(self._keys))
        part.announced, part.held = len(self._keys), len(self._cursor["keys"])
        if part.outcome is Outcome.EMPTY and (self._keys or self._state.cursor or part.counts.seen):
            part.outcome = Outcome.OK
        state = PartState(self._cursor)
        if state != self._state:
            self._visit.keep(part, Page(state=state))
