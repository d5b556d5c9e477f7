"""Invented papers of realistic size: as many words, different words, names, formulas and links as real ones have.

Means over 10,000 of 2026: abstracts of 1,310 characters, titles of 82, 5.8 authors; 11,600 different words in the first 1,000
abstracts and 26,000 in 5,000; TeX in 17 of 100, links to code in 18, comments at 45. What costs time depends on these: a page
of the same 300 words over and over is stemmed, indexed and compressed for nothing.
"""

from __future__ import annotations

import datetime as dt
import random
from itertools import accumulate

import numpy as np

from catalog.tagging.model import MODEL, read
from catalog.tagging.words import STOP
from tests.loopback_arxiv import Paper, announcement_days
from tests.loopback_arxiv.samples import EASTERN, LICENCES

CATEGORIES = ("cs.LG", "cs.CL", "cs.CV", "cs.AI", "cs.MA", "cs.RO", "cs.IR", "cs.NE")
DAYS = announcement_days(dt.date(2026, 1, 12), dt.date(2026, 2, 6))
_SYLLABLES = "ba bren cor da del er fa gi hol in jo ka lor mi nex or pa quin ra sol ta ul ver wen xi yor za ith ost ane".split()
_FORMULAS = (r"$O(n \log n)$", r"$\lambda < \frac{1}{2}$", r"$x_{t+1}$", r"\emph{in situ}", r"$\ell_2$", r"Erd\H{o}s")
_COMMENTS = (
    "{n} pages, {m} figures", "{n} pages, {m} figures, {m} tables. Accepted at ICML 2026", "Accepted to CVPR 2026",
    "Under review", "{n} pages", "To appear in the Proceedings of ACL 2026, main conference", "Preprint, {n} pages",
)  # fmt: skip
_LINKS = (
    "Our code is available at https://github.com/{owner}/{name}.",
    "Code and data: \\url{{https://github.com/{owner}/{name}}}",
    "The project page is at https://{owner}.github.io/{name}.",
    "Models are released at https://huggingface.co/{owner}/{name}.",
)


def papers(count: int, seed: int = 1) -> list[Paper]:
    """So many papers, the same for the same seed, announced over four weeks, oldest first."""
    writer = _Writer(random.Random(f"texts {seed}"))
    return [writer.paper(n, DAYS[n * len(DAYS) // count]) for n in range(count)]


class _Writer:
    """Draws words by how often they occur: those of the packaged tagger's vocabulary, function words, and rare inventions."""

    def __init__(self, rng: random.Random) -> None:
        self.rng = rng
        model = read(MODEL)
        known = [word for word, row in model.surface.items() if model.idf[row] > 0 and word.isalpha()]
        often = np.exp(-2.4 * model.idf[[model.surface[w] for w in known]].astype(float))
        self._known, self._known_weights = known, list(accumulate((often / often.sum()).tolist()))
        named = np.array([model.surface[w] for w in known])
        strongest = np.argsort(-model.weights[named] * model.idf[named, None], axis=0)[:60].T
        self._topical = [[known[i] for i in row] for row in strongest.tolist()]
        self._subject: list[str] = []
        self._small = sorted(w for w in STOP if len(w) > 1)
        rng.shuffle(self._small)
        self._small_weights = list(accumulate(1 / (rank + 2) for rank in range(len(self._small))))
        self._rare = [self._invented(2, 5) for _ in range(150_000)]
        self._rare_weights = list(accumulate(1 / (rank + 3_000) for rank in range(len(self._rare))))
        self._given = [self._invented(1, 3).capitalize() for _ in range(4_000)]
        self._families = [self._family() for _ in range(40_000)]

    def paper(self, number: int, day: dt.date) -> Paper:
        """One paper."""
        rng = self.rng
        self._subject = [w for words in rng.sample(self._topical, rng.choice((1, 2, 3))) for w in words]
        title = " ".join(w.capitalize() for w in self._words(rng.randint(6, 16)))
        owner, name = self._invented(2, 3), self._invented(2, 3)
        abstract = " ".join(self._sentence() for _ in range(rng.randint(6, 10)))
        if rng.random() < 0.18:
            abstract += " " + rng.choice(_LINKS).format(owner=owner, name=name)
        comment = rng.choice(_COMMENTS).format(n=rng.randint(6, 40), m=rng.randint(1, 12)) if rng.random() < 0.45 else None
        submitted = dt.datetime.combine(day - dt.timedelta(days=3), dt.time(rng.randrange(24), rng.randrange(60)), EASTERN)
        return Paper(
            id=f"{day:%y%m}.{number + 1:05d}",
            title=title,
            abstract=abstract,
            authors=tuple(f"{rng.choice(self._given)} {rng.choice(self._families)}" for _ in range(rng.choice(range(1, 11)))),
            categories=tuple(dict.fromkeys(rng.choices(CATEGORIES, k=rng.choice((1, 2, 2, 3))))),
            announced=day,
            submitted=submitted,
            comment=comment,
            licence=rng.choice(LICENCES),
        )

    def _sentence(self) -> str:
        words = self._words(self.rng.randint(14, 28))
        if self.rng.random() < 0.02:
            words.insert(len(words) // 2, self.rng.choice(_FORMULAS))
        if self.rng.random() < 0.1:
            words[0] += "-" + words.pop(1)
        return " ".join(words).capitalize() + "."

    def _words(self, count: int) -> list[str]:
        rng = self.rng
        out: list[str] = []
        for _ in range(count):
            die = rng.random()
            if die < 0.42:
                out += rng.choices(self._small, cum_weights=self._small_weights)
            elif die < 0.54:
                out.append(rng.choice(self._subject))
            elif die < 0.97:
                out += rng.choices(self._known, cum_weights=self._known_weights)
            else:
                out += rng.choices(self._rare, cum_weights=self._rare_weights)
        return out

    def _invented(self, least: int, most: int) -> str:
        return "".join(self.rng.choices(_SYLLABLES, k=self.rng.randint(least, most)))

    def _family(self) -> str:
        name = self._invented(2, 4).capitalize()
        return name.replace("o", "ö", 1) if self.rng.random() < 0.05 else name
