"""arXiv categories: which names mean the same archive. Aliases as in arXiv's own taxonomy definitions (arxiv-base)."""

from __future__ import annotations

import re
from collections.abc import Iterable

#: alias -> canonical name; both are announced, records carry either.
ALIASES = {
    "stat.TH": "math.ST", "math.IT": "cs.IT", "cs.SY": "eess.SY", "cs.NA": "math.NA", "math.MP": "math-ph",
    "q-fin.EC": "econ.GN",
}  # fmt: skip

#: Archives outside the group of their own name, for OAI-PMH set names.
_PHYSICS = {
    "astro-ph", "cond-mat", "gr-qc", "hep-ex", "hep-lat", "hep-ph", "hep-th", "math-ph", "nlin", "nucl-ex", "nucl-th",
    "physics", "quant-ph",
}  # fmt: skip
_FORM = re.compile(r"[a-z-]+(?:\.[A-Za-z-]+)?")


def canonical(category: str) -> str:
    """The canonical name of a category."""
    return ALIASES.get(category, category)


def is_category(text: str) -> bool:
    """True when the text has the form of an arXiv category; MSC and ACM classes such as `68T07` or `I.2.6` have not."""
    return bool(_FORM.fullmatch(text)) and len(text) <= 20


def belongs(categories: Iterable[str], chosen: frozenset[str]) -> bool:
    """True when any of the categories, aliases folded, is among the chosen canonical ones."""
    return any(canonical(c) in chosen for c in categories)


def oai_set(category: str) -> str:
    """The OAI-PMH set of a category: `cs:cs:LG`, `physics:hep-th`."""
    archive, _, subject = category.partition(".")
    group = "physics" if archive in _PHYSICS else archive
    return f"{group}:{archive}" + (f":{subject}" if subject else "")
