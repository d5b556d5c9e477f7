"""Invented papers in any number, the same for the same seed."""

from __future__ import annotations

import datetime as dt
import random
from collections.abc import Iterable
from dataclasses import replace
from itertools import count
from zoneinfo import ZoneInfo

from .papers import NONEXCLUSIVE, Paper, Version, announcement_days, is_announcement_day, previous_announcement

FIRST, LAST = dt.date(2026, 1, 12), dt.date(2026, 2, 6)  # four weeks with one holiday (the evening of 19 January)
EASTERN = ZoneInfo("America/New_York")

PRIMARY = ("cs.LG", "cs.CL", "cs.CV", "cs.AI", "stat.ML", "cs.RO", "cs.IR", "math.OC", "cs.NE", "cs.SE", "stat.ME", "cs.DB")
SECOND = ("cs.LG", "cs.AI", "stat.ML", "cs.CL", "cs.CV", "eess.IV", "cs.MA", "cs.CY", "cs.SD", "math.PR", "stat.CO", "cs.HC")
ALIASED = (("math.ST", "stat.TH"), ("eess.SY", "cs.SY"), ("math.NA", "cs.NA"), ("stat.TH",), ("cs.SY",), ("cs.IT", "math.IT"))
OUTSIDE = ("hep-th", "q-bio.NC", "cond-mat.dis-nn", "quant-ph", "math.CO", "astro-ph.CO")
LICENCES = (
    NONEXCLUSIVE,
    "http://creativecommons.org/licenses/by/4.0/",
    "http://creativecommons.org/licenses/by-nc-sa/4.0/",
    "http://creativecommons.org/publicdomain/zero/1.0/",
)

MANNER = (
    *("Sparse", "Calibrated", "Amortised", "Streaming", "Federated", "Lazy"),
    *("Causal", "Robust", "Equivariant", "Frugal", "Recursive", "Doubly-Stochastic"),
)
METHOD = (
    "Attention Routing",
    "Gradient Sketching",
    "Prompt Distillation",
    "Kernel Thinning",
    "Reward Shaping",
    "Tensor Pruning",
    "Token Merging",
    "Score Matching",
    "Cross-Validation",
    "Graph Rewiring",
    "Feature Hashing",
    "Curriculum Replay",
    "Benchmark Curation",
)
OBJECT = (
    "Language Models",
    "Graph Neural Networks",
    "Diffusion Samplers",
    "Tabular Data",
    "Time Series Forecasters",
    "Vision Transformers",
    "Bandit Policies",
    "Retrieval Pipelines",
    "Robot Manipulators",
    "Speech Encoders",
    "Gaussian Processes",
)
SETTING = (
    "under Distribution Shift",
    "with Few Labels",
    "on a Budget",
    "in the Wild",
    "without Replay Buffers",
    "beyond Convexity",
    "from Noisy Logs",
    "at Test Time",
)
CLAIM = (
    "We study how {method} behaves when {object} are trained {setting}.",
    "Existing approaches to {object} scale poorly, and their error grows as $O(n \\log n)$.",
    "Our estimator attains a rate of $\\tilde{{O}}(1/\\sqrt{{n}})$ whenever $\\lambda < \\frac{{1}}{{2}}$ & noise is bounded.",
    "On {number} tasks, {method} improves accuracy by {number}\\% over strong baselines.",
    "An ablation shows that the gain comes from \\emph{{{method}}}, not from model size.",
    'We call the resulting failure mode "silent drift" and give a test for it.',
    "A benchmark with {number}k annotated examples is released at https://example.org/data/{number}.",
    "The proof extends an argument of Erd\\H{{o}}s and R\\'enyi to weighted graphs.",
    "We don't require hyperparameter tuning beyond a single grid.",
)
GIVEN = ("Ada", "Bo", "Chidi", "Dana", "Emre", "Fatou", "Goran", "Hye-jin", "Ines", "Jonas B.", "Kavya", "Li", "Marta", "Noor")
FAMILY = (
    *("Example", "Sample", "Probe", "Template", "van der Mock", "Quill", "Placeholder", "Testov", "Dummyson", "Lorem"),
    *('M\\"uller', "Erd\\H{o}si", "Garc\\'{\\i}a", "\\O{}stby", "Nov\\'ak", "Ki\\c{s}la"),
)
PLACE = ("Example Univ.", "Institute of Samples, Probe City", "Lab for Mock Data, Dept. of Tests, Nowhere", "Quill Research")


def sample_papers(seed: int = 1, days: Iterable[dt.date] | None = None, per_day: int = 12) -> list[Paper]:
    """New papers of every announcement day among `days`, and older ones that are replaced or cross-listed on them.

    Each day brings `per_day` new papers and one old. Oddities take turns, so that 32 new papers and five days hold all of them:
    see `_Maker.new_paper` and `_Maker.old_paper`. Without `days`: four weeks of 2026 with a holiday.
    """
    chosen = announcement_days(FIRST, LAST) if days is None else sorted(day for day in set(days) if is_announcement_day(day))
    maker = _Maker(random.Random(f"papers {seed}"), chosen)
    papers = []
    for day in chosen:
        papers += [maker.new_paper(day) for _ in range(per_day)]
        papers.append(maker.old_paper(day))
    return sorted(papers, key=lambda paper: (paper.announced, paper.id))


class _Maker:
    """Draws papers one after the other."""

    def __init__(self, rng: random.Random, days: list[dt.date]) -> None:
        """`days` are those on which later versions may come."""
        self.rng, self.days = rng, days
        self.turn, self.old_turn = count(), count()
        self.serials: dict[str, int] = {}
        self.titles: set[str] = set()

    # ------------------------------------------------------------ the two sorts of papers
    def new_paper(self, day: dt.date) -> Paper:
        """A paper announced on the day, with the oddity whose turn it is (most have none)."""
        rng, turn = self.rng, next(self.turn) % 32
        paper = self.plain_paper(self.next_id(day), day)
        match turn:
            case 1:
                return replace(
                    paper, submitted=self.submission(day) - dt.timedelta(days=rng.randint(5, 9))
                )  # held by moderation
            case 3:
                return replace(paper, title=f"$k < n$: {paper.title}")
            case 5:
                return replace(paper, title=f"Q&A over {paper.title}", comment='Short paper; "work in progress"')
            case 7:
                return replace(paper, title=f"Erd\\H{{o}}s--R\\'enyi Priors & {paper.title}", abstract="  " + paper.abstract)
            case 8 | 24:
                return replace(paper, authors=tuple(f"{author} ({rng.choice(PLACE)})" for author in paper.authors))
            case 10 | 26:
                return replace(paper, versions=self.later_versions(paper, 1))
            case 12:
                return replace(paper, versions=self.later_versions(paper, 2))
            case 14:
                return replace(paper, versions=self.withdrawal(paper))
            case 16:
                return replace(paper, deleted=self.later_day(day))
            case 18 | 28:
                return replace(paper, categories=(*rng.choice(ALIASED), "cs.LG") if rng.random() < 0.5 else rng.choice(ALIASED))
            case 20 | 21:
                first, second = rng.sample(OUTSIDE, 2)
                return replace(paper, categories=(first, second if turn == 20 else "stat.ML"))
            case 22:
                return replace(paper, journal="J. Inv. Results 7 (2026) 11-29", doi=f"10.1000/inv.{paper.id}")
            case 30 if (later := self.later_day(day)) is not None:
                return replace(paper, categories=("cs.LO",), crossed=(("cs.LG", later),))
            case _:
                return paper

    def old_paper(self, day: dt.date) -> Paper:
        """A paper announced long ago to which something happens on the day."""
        rng, turn = self.rng, next(self.old_turn) % 5
        past = previous_announcement(day - dt.timedelta(days=rng.randint(200, 400)))
        match turn:
            case 0:  # newly cross-listed
                paper = replace(self.plain_paper(self.next_id(past), past), categories=("cs.LO",))
                return replace(paper, crossed=((rng.choice(("cs.LG", "cs.AI", "stat.ML")), day),))
            case 1:  # an eighth version, in no feed and no listing
                paper = self.plain_paper(self.next_id(past), past)
                steps = [previous_announcement(past + dt.timedelta(days=9 * n)) for n in range(1, 7)]
                return replace(paper, versions=tuple(self.version(n, at) for n, at in enumerate([*steps, day], 2)))
            case 2:  # identifier with an archive
                old = previous_announcement(dt.date(1999, 1, rng.randint(8, 28)))
                paper = replace(self.plain_paper(f"cs/{self.next_id(old)}", old), categories=("cs.LG", "cs.DB"))
            case 3:  # identifier with four digits
                old = previous_announcement(dt.date(2012, 3, rng.randint(8, 28)))
                paper = self.plain_paper(self.next_id(old), old)
            case _:  # withdrawn after a long time
                paper = self.plain_paper(self.next_id(past), past)
                return replace(
                    paper, versions=(replace(self.version(2, day), withdrawn=True, comment="Withdrawn by the authors"),)
                )
        return replace(paper, versions=(self.version(2, day),))

    def plain_paper(self, identifier: str, day: dt.date) -> Paper:
        """A paper without oddities."""
        rng = self.rng
        title, abstract = self.words()
        others = rng.sample(SECOND, rng.choice((0, 0, 1, 1, 2, 3)))
        comment = (
            None,
            f"{rng.randint(6, 40)} pages, {rng.randint(1, 12)} figures",
            f"Accepted at ICML 2026; code at https://example.org/code/{rng.randint(100, 999)}",
        )
        return Paper(
            id=identifier,
            title=title,
            abstract=abstract,
            authors=tuple(f"{rng.choice(GIVEN)} {rng.choice(FAMILY)}" for _ in range(rng.choice((1, 2, 2, 3, 3, 4, 6, 11)))),
            categories=tuple(dict.fromkeys((rng.choice(PRIMARY), *others))),
            announced=day,
            submitted=self.submission(day),
            comment=rng.choice(comment),
            licence=rng.choice(LICENCES),
        )

    # ------------------------------------------------------------ parts
    def words(self) -> tuple[str, str]:
        """A title not given before, and an abstract to it; every third abstract has line breaks."""
        rng = self.rng
        method, thing, setting = rng.choice(METHOD), rng.choice(OBJECT), rng.choice(SETTING)
        title = f"{rng.choice(MANNER)} {method} for {thing} {setting}"
        while title in self.titles:
            title = f"{rng.choice(MANNER)} {title}" if len(title) < 150 else f"{title}, Part {len(self.titles)}"
        self.titles.add(title)
        claims = rng.sample(CLAIM, rng.randint(3, 6))
        made = [
            claim.format(method=method.lower(), object=thing.lower(), setting=setting, number=rng.randint(2, 60))
            for claim in claims
        ]
        return title, rng.choice((" ", " ", "\n")).join(made)

    def next_id(self, day: dt.date) -> str:
        """The next identifier of the month: seven digits before April 2007, then four after the dot, five since 2015."""
        month = f"{day:%y%m}"
        self.serials[month] = self.serials.get(month, 0) + 1
        if day < dt.date(2007, 4, 1):
            return f"{month}{self.serials[month]:03d}"
        return f"{month}.{self.serials[month]:0{5 if day.year >= 2015 else 4}d}"

    def submission(self, day: dt.date) -> dt.datetime:
        """An instant between the cut (14:00 US Eastern) before the previous announcement and the cut before this one."""
        opened, closed = (self.cut(when) for when in (previous_announcement(day), day))
        return opened + dt.timedelta(seconds=self.rng.randrange(int((closed - opened).total_seconds())))

    @staticmethod
    def cut(day: dt.date) -> dt.datetime:
        """The last moment to be announced under this date: 14:00 of the working day before the announcement's evening ends."""
        evening = day - dt.timedelta(days=1)
        working = evening - dt.timedelta(days=2) if evening.weekday() == 6 else evening
        return dt.datetime.combine(working, dt.time(14), EASTERN).astimezone(dt.UTC)

    def later_day(self, day: dt.date) -> dt.date | None:
        """One of the chosen days after the day."""
        later = [other for other in self.days if other > day]
        return self.rng.choice(later[:8]) if later else None

    def version(self, number: int, day: dt.date) -> Version:
        """A later version, submitted on the day before; every other one with a new abstract."""
        at = dt.datetime.combine(day, dt.time(self.rng.randrange(18), self.rng.randrange(60)), dt.UTC) - dt.timedelta(days=1)
        abstract = self.words()[1] if number % 2 == 0 else None
        return Version(number, at, day, abstract=abstract, comment=f"Version {number}: typos removed")

    def later_versions(self, paper: Paper, wanted: int) -> tuple[Version, ...]:
        """Up to so many replacements on later days, the first with a new title."""
        days = sorted({day for _ in range(wanted) if (day := self.later_day(paper.announced)) is not None})
        versions = [self.version(number, day) for number, day in enumerate(days, 2)]
        return tuple(replace(v, title=f"{paper.title} Revisited") if v.number == 2 else v for v in versions)

    def withdrawal(self, paper: Paper) -> tuple[Version, ...]:
        """A second version that takes the paper back."""
        day = self.later_day(paper.announced)
        gone = "This paper has been withdrawn by the authors due to an error in Lemma 2"
        return () if day is None else (replace(self.version(2, day), abstract=None, comment=gone, withdrawn=True),)
