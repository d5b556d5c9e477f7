"""What `feed_all_types.xml` says."""

from __future__ import annotations

from datetime import date

from catalog.entries import Basis, Detail, EntryData, Kind

DAY = date(2026, 5, 1)
EXPECTED = (
    (
        "new",
        EntryData(
            source="arxiv",
            key="2604.01234",
            kind=Kind.PAPER,
            title="Lazy Kernel Thinning when $n<p$ for Erdős Graphs",
            url="https://arxiv.org/abs/2604.01234",
            abstract="We thin kernels with α < 1 & few labels, and say so in two lines.",
            authors=("Ada Example", "Bo Müller"),
            announced=DAY,
            basis=Basis.STATED,
            categories=("cs.LG", "stat.ML"),
            identifiers=(("arxiv", "2604.01234"), ("doi", "10.1000/inv.7")),
            journal="J. Inv. Results 7 (2026) 11-29",
            licence="http://creativecommons.org/licenses/by/4.0/",
            detail=Detail.BRIEF,
        ),
    ),
    (
        "cross",
        EntryData(
            source="arxiv",
            key="2604.01300",
            kind=Kind.PAPER,
            title="Frugal Token Merging in the Wild",
            url="https://arxiv.org/abs/2604.01300",
            abstract="Tokens are merged.",
            authors=("Chidi Probe",),
            announced=DAY,
            basis=Basis.CROSS,
            categories=("cs.CV", "cs.LG"),
            identifiers=(("arxiv", "2604.01300"),),
            licence="http://arxiv.org/licenses/nonexclusive-distrib/1.0/",
            detail=Detail.BRIEF,
        ),
    ),
    (
        "replace",
        EntryData(
            source="arxiv",
            key="2511.00042",
            kind=Kind.PAPER,
            title="Robust Reward Shaping",
            url="https://arxiv.org/abs/2511.00042",
            abstract="Rewards are shaped.",
            authors=("Dana Template", "Emre Quill"),
            version=3,
            categories=("cs.LG",),
            identifiers=(("arxiv", "2511.00042"),),
            licence="http://creativecommons.org/licenses/by/4.0/",
            detail=Detail.BRIEF,
        ),
    ),
    (
        "replace-cross",
        EntryData(
            source="arxiv",
            key="cs/9901002",
            kind=Kind.PAPER,
            title="Old Archives Never Die",
            url="https://arxiv.org/abs/cs/9901002",
            abstract="They are replaced.",
            authors=("Fatou Lorem",),
            version=2,
            categories=("cs.DB", "cs.LG"),
            identifiers=(("arxiv", "cs/9901002"),),
            licence="http://arxiv.org/licenses/assumed-1991-2003/",
            detail=Detail.BRIEF,
        ),
    ),
)
