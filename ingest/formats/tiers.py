"""How a paper is presented, from the words of venues: oral, spotlight or poster."""

from __future__ import annotations

import re
from collections.abc import Iterable

#: Best first. ICLR 2023 said "notable top 5%" and "notable top 25%" for them; CVPR's highlights are the tier below orals.
_TIERS = (
    ("oral", re.compile(r"\boral|\btop[ -]?5 ?%", re.I)),
    ("spotlight", re.compile(r"spotlight|highlight|\btop[ -]?25 ?%", re.I)),
    ("poster", re.compile(r"poster", re.I)),
)


def tier(texts: Iterable[str]) -> str:
    """The best tier that any of the texts names: "oral", "spotlight", "poster"; "" when none does."""
    said = tuple(texts)
    return next((name for name, pattern in _TIERS if any(pattern.search(t) for t in said)), "")
