"""What `listing_new.html` says."""

from __future__ import annotations

from datetime import date

from catalog.entries import Basis, Detail, EntryData, Kind

DAY = date(2026, 5, 1)
KEYS = ("2604.01234", "2604.01235", "2604.01300")
EXPECTED = (
    (
        "new",
        EntryData(
            source="arxiv",
            key="2604.01234",
            kind=Kind.PAPER,
            title="Lazy Kernel Thinning when $n<p$ & Erdős Graphs",
            url="https://arxiv.org/abs/2604.01234",
            abstract='We thin kernels with α < 1. See this https URL for "all" of it.',
            authors=("Ada Example", "Bo Müller"),
            announced=DAY,
            basis=Basis.STATED,
            categories=("cs.LG", "stat.ML", "hep-th"),
            identifiers=(("arxiv", "2604.01234"),),
            comment="12 pages; code at this https URL",
            journal="J. Inv. Results 7 (2026) 11-29",
            detail=Detail.BRIEF,
        ),
    ),
    (
        "new",
        EntryData(
            source="arxiv",
            key="2604.01235",
            kind=Kind.PAPER,
            title="Plain Quotes",
            url="https://arxiv.org/abs/2604.01235",
            authors=("Chidi Probe",),
            announced=DAY,
            basis=Basis.STATED,
            categories=("cs.LG",),
            identifiers=(("arxiv", "2604.01235"),),
            detail=Detail.BRIEF,
        ),
    ),
    (
        "cross",
        EntryData(
            source="arxiv",
            key="2604.01300",
            kind=Kind.PAPER,
            title="Frugal Token Merging",
            url="https://arxiv.org/abs/2604.01300",
            abstract="Tokens are merged.",
            authors=("Dana Template",),
            announced=DAY,
            basis=Basis.CROSS,
            categories=("cs.CV", "cs.LG"),
            identifiers=(("arxiv", "2604.01300"),),
            detail=Detail.BRIEF,
        ),
    ),
)
