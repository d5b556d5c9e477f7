"""What `oai_page.xml` says."""

from __future__ import annotations

from datetime import UTC, date, datetime

from catalog.entries import Basis, EntryData, Kind, Version

FIRST, SECOND = datetime(2026, 4, 2, 17, 59, 46, tzinfo=UTC), datetime(2026, 4, 30, 8, tzinfo=UTC)
LEMMA, LEMMA_GONE = datetime(2026, 3, 6, 20, tzinfo=UTC), datetime(2026, 4, 29, 10, tzinfo=UTC)
EXPECTED = (
    EntryData(
        source="arxiv",
        key="2604.01234",
        kind=Kind.PAPER,
        title="Lazy Kernel Thinning for Erdős Graphs",
        url="https://arxiv.org/abs/2604.01234",
        abstract="We thin kernels with α < 1, and say so in two lines.",
        authors=("Ada B. Example", "Bo Müller", "Chidi Probe Jr"),
        announced=date(2026, 4, 3),
        basis=Basis.ESTIMATED,
        submitted=FIRST,
        updated=SECOND,
        version=2,
        versions=(Version(1, FIRST), Version(2, SECOND)),
        categories=("cs.LG", "stat.ML"),
        identifiers=(("arxiv", "2604.01234"), ("doi", "10.1000/inv.7")),
        comment="12 pages; accepted at ICML 2026",
        journal="J. Inv. Results 7 (2026) 11-29",
        licence="http://creativecommons.org/licenses/by/4.0/",
    ),
    EntryData(
        source="arxiv",
        key="2603.00500",
        kind=Kind.PAPER,
        title="A Lemma That Was None",
        url="https://arxiv.org/abs/2603.00500",
        abstract="The lemma was wrong.",
        authors=("Dana Template",),
        announced=date(2026, 3, 10),
        basis=Basis.ESTIMATED,
        submitted=LEMMA,
        updated=LEMMA_GONE,
        version=2,
        versions=(Version(1, LEMMA), Version(2, LEMMA_GONE, withdrawn=True)),
        categories=("math.ST", "stat.TH", "cs.LG"),
        identifiers=(("arxiv", "2603.00500"),),
        comment="This paper has been withdrawn by the author due to an error in Lemma 2",
        licence="http://arxiv.org/licenses/nonexclusive-distrib/1.0/",
        withdrawn=True,
    ),
)
DELETED = ("cs/9901002",)
TOKEN = "verb%3DListRecords%26metadataPrefix%3DarXivRaw%26from%3D2026-05-01%26skip%3D3"
