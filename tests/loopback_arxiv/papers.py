"""Papers of the loopback arXiv: what they are, when they are announced, how they stand on a day."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

NONEXCLUSIVE = "http://arxiv.org/licenses/nonexclusive-distrib/1.0/"
LAST_LISTED_VERSION = 5  # replacements above it appear in no feed and in no listing

GROUPS = {
    "physics": "Physics",
    "math": "Mathematics",
    "q-bio": "Quantitative Biology",
    "cs": "Computer Science",
    "q-fin": "Quantitative Finance",
    "stat": "Statistics",
    "eess": "Electrical Engineering and Systems Science",
    "econ": "Economics",
}
PHYSICS = {  # archives that lie in the group `physics` beside the archive of that name
    "astro-ph": "Astrophysics",
    "cond-mat": "Condensed Matter",
    "hep-th": "High Energy Physics - Theory",
    "math-ph": "Mathematical Physics",
    "quant-ph": "Quantum Physics",
}
ARCHIVES = GROUPS | PHYSICS
CATEGORIES = {
    "astro-ph.CO": "Cosmology and Nongalactic Astrophysics",
    "cond-mat.dis-nn": "Disordered Systems and Neural Networks",
    "cs.AI": "Artificial Intelligence",
    "cs.CL": "Computation and Language",
    "cs.CR": "Cryptography and Security",
    "cs.CV": "Computer Vision and Pattern Recognition",
    "cs.CY": "Computers and Society",
    "cs.DB": "Databases",
    "cs.DL": "Digital Libraries",
    "cs.DS": "Data Structures and Algorithms",
    "cs.GT": "Computer Science and Game Theory",
    "cs.HC": "Human-Computer Interaction",
    "cs.IR": "Information Retrieval",
    "cs.IT": "Information Theory",
    "cs.LG": "Machine Learning",
    "cs.LO": "Logic in Computer Science",
    "cs.MA": "Multiagent Systems",
    "cs.MS": "Mathematical Software",
    "cs.NA": "Numerical Analysis",
    "cs.NE": "Neural and Evolutionary Computing",
    "cs.PL": "Programming Languages",
    "cs.RO": "Robotics",
    "cs.SD": "Sound",
    "cs.SE": "Software Engineering",
    "cs.SY": "Systems and Control",
    "econ.EM": "Econometrics",
    "econ.GN": "General Economics",
    "eess.AS": "Audio and Speech Processing",
    "eess.IV": "Image and Video Processing",
    "eess.SP": "Signal Processing",
    "eess.SY": "Systems and Control",
    "hep-th": "High Energy Physics - Theory",
    "math-ph": "Mathematical Physics",
    "math.CO": "Combinatorics",
    "math.IT": "Information Theory",
    "math.MP": "Mathematical Physics",
    "math.NA": "Numerical Analysis",
    "math.OC": "Optimization and Control",
    "math.PR": "Probability",
    "math.ST": "Statistics Theory",
    "physics.data-an": "Data Analysis, Statistics and Probability",
    "physics.ed-ph": "Physics Education",
    "q-bio.NC": "Neurons and Cognition",
    "q-bio.QM": "Quantitative Methods",
    "q-fin.EC": "Economics",
    "q-fin.ST": "Statistical Finance",
    "quant-ph": "Quantum Physics",
    "stat.AP": "Applications",
    "stat.CO": "Computation",
    "stat.ME": "Methodology",
    "stat.ML": "Machine Learning",
    "stat.TH": "Statistics Theory",
}
ALIASES = {  # second name -> canonical name
    "cs.NA": "math.NA",
    "cs.SY": "eess.SY",
    "math.IT": "cs.IT",
    "math.MP": "math-ph",
    "q-fin.EC": "econ.GN",
    "stat.TH": "math.ST",
}
HOLIDAYS = frozenset(  # evenings of 2026 without announcement
    dt.date(2026, month, day)
    for month, day in ((1, 1), (1, 19), (6, 19), (7, 3), (9, 7), (11, 26), (12, 25), (12, 29), (12, 31))
)


@dataclass(frozen=True)
class Version:
    """A later version; a field that is None stays as it was."""

    number: int
    submitted: dt.datetime
    announced: dt.date
    title: str | None = None
    abstract: str | None = None
    comment: str | None = None
    withdrawn: bool = False


@dataclass(frozen=True)
class Paper:
    """A paper with its whole history. Title, abstract and authors are as typed in, TeX included.

    `authors` are display names, each with an optional affiliation in parentheses at its end.
    """

    id: str
    title: str
    abstract: str
    authors: tuple[str, ...]
    categories: tuple[str, ...]  # primary first
    announced: dt.date  # version 1
    submitted: dt.datetime  # version 1
    comment: str | None = None
    journal: str | None = None
    doi: str | None = None
    licence: str = NONEXCLUSIVE
    versions: tuple[Version, ...] = ()  # from number 2 on, ascending
    deleted: dt.date | None = None
    crossed: tuple[tuple[str, dt.date], ...] = ()  # categories that came later, with the day of their announcement

    def __post_init__(self) -> None:
        """Refuse what no client could ever be shown."""
        unknown = {*self.categories, *(category for category, _ in self.crossed)} - CATEGORIES.keys()
        if unknown or not self.categories:
            raise ValueError(f"{self.id}: unknown or no categories: {sorted(unknown)}")
        if self.submitted.tzinfo is None or any(version.submitted.tzinfo is None for version in self.versions):
            raise ValueError(f"{self.id}: instants must be aware")
        if [version.number for version in self.versions] != list(range(2, len(self.versions) + 2)):
            raise ValueError(f"{self.id}: versions must be numbered from 2 on")


@dataclass(frozen=True)
class Snapshot:
    """A paper as it stands on a day."""

    paper: Paper
    number: int  # of the version
    title: str
    abstract: str
    comment: str | None
    updated: dt.datetime  # submission of this version
    categories: tuple[str, ...]
    changed: dt.date  # of the last change of any kind: the OAI datestamp
    withdrawn: bool
    deleted: bool

    @property
    def id(self) -> str:
        """Identifier without version."""
        return self.paper.id

    @property
    def full_id(self) -> str:
        """Identifier with version."""
        return f"{self.paper.id}v{self.number}"


def latest_version(paper: Paper, day: dt.date, upto: int | None = None) -> Snapshot | None:
    """The paper as it stands on the day, or as its version `upto` stood; None when there is no such thing by then."""
    if paper.announced > day:
        return None
    number, title, abstract, comment = 1, paper.title, paper.abstract, paper.comment
    updated, changed, withdrawn = paper.submitted, paper.announced, False
    for version in paper.versions:
        if version.announced > day or (upto is not None and version.number > upto):
            break
        number, updated, withdrawn = version.number, version.submitted, version.withdrawn
        title, abstract, comment = version.title or title, version.abstract or abstract, version.comment or comment
        changed = max(changed, version.announced)
    if upto is not None and number != upto:
        return None
    added = [(category, when) for category, when in paper.crossed if when <= day]
    deleted = paper.deleted is not None and paper.deleted <= day
    return Snapshot(
        paper=paper,
        number=number,
        title=title,
        abstract=abstract,
        comment=comment,
        updated=updated,
        categories=tuple(dict.fromkeys((*paper.categories, *(category for category, _ in added)))),
        changed=paper.deleted if deleted and paper.deleted else max([changed, *(when for _, when in added)]),
        withdrawn=withdrawn,
        deleted=deleted,
    )


def days_of(paper: Paper) -> set[dt.date]:
    """The days on which the paper is announced, replaced or cross-listed."""
    return {paper.announced, *(version.announced for version in paper.versions), *(when for _, when in paper.crossed)}


# ---------------------------------------------------------------- categories
def fold(category: str) -> str:
    """The canonical name of a category."""
    return ALIASES.get(category, category)


def both_names(categories: Iterable[str]) -> tuple[str, ...]:
    """The categories, each followed by its other name where it has one."""
    other = {**ALIASES, **{canonical: alias for alias, canonical in ALIASES.items()}}
    return tuple(dict.fromkeys(name for category in categories for name in (category, other.get(category, category))))


def archive_of(category: str) -> str:
    """`cs` of cs.LG, `hep-th` of hep-th."""
    return category.partition(".")[0]


def set_of(category: str) -> str:
    """The OAI set of a category: cs:cs:LG, physics:hep-th, physics:astro-ph:CO."""
    archive = archive_of(category)
    return f"{'physics' if archive in PHYSICS else archive}:{category.replace('.', ':')}"


# ---------------------------------------------------------------- calendar
def is_announcement_day(day: dt.date) -> bool:
    """Whether something is announced under this date: at 20:00 US Eastern of the evening before, Sunday to Thursday."""
    evening = day - dt.timedelta(days=1)
    return evening.weekday() in (6, 0, 1, 2, 3) and evening not in HOLIDAYS


def announcement_days(first: dt.date, last: dt.date) -> list[dt.date]:
    """The days of the span on which something is announced."""
    return [day for day in days_between(first, last) if is_announcement_day(day)]


def previous_announcement(day: dt.date) -> dt.date:
    """The announcement day before the day."""
    day -= dt.timedelta(days=1)
    while not is_announcement_day(day):
        day -= dt.timedelta(days=1)
    return day


def days_between(first: dt.date, last: dt.date) -> Iterator[dt.date]:
    """Every day from the first to the last."""
    return (first + dt.timedelta(days=n) for n in range((last - first).days + 1))


# ---------------------------------------------------------------- expectation
def expected(
    papers: Iterable[Paper],
    categories: Iterable[str],
    first: dt.date,
    last: dt.date,
    *,
    later_crosses: bool = False,
    deleted_too: bool = True,
) -> set[str]:
    """Ids of the papers announced from `first` to `last` in one of the categories, as primary or as cross-list.

    `later_crosses` adds the papers, however old, that were cross-listed to one of the categories within the span; without
    `deleted_too`, papers that are deleted by `last` do not count.
    """
    wanted = {fold(category) for category in categories}

    def counts(paper: Paper) -> bool:
        if not deleted_too and paper.deleted is not None and paper.deleted <= last:
            return False
        if first <= paper.announced <= last and wanted & set(map(fold, paper.categories)):
            return True
        return later_crosses and any(first <= when <= last and fold(category) in wanted for category, when in paper.crossed)

    return {paper.id for paper in papers if counts(paper)}
