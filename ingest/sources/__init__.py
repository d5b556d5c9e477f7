"""The sources: one file each, listed here."""

from __future__ import annotations

from catalog.errors import UnknownName
from ingest.source import Source
from ingest.sources.acl import Acl
from ingest.sources.ai_deadlines import AiDeadlines
from ingest.sources.arxiv import Arxiv
from ingest.sources.ccf_deadlines import CcfDeadlines
from ingest.sources.cvf import Cvf
from ingest.sources.hackernews import HackerNews
from ingest.sources.huggingface import HuggingFace
from ingest.sources.kaggle import Kaggle
from ingest.sources.mlcontests import MlContests
from ingest.sources.neurips import Neurips
from ingest.sources.openreview import OpenReview
from ingest.sources.pmlr import Pmlr
from ingest.sources.releases import Releases
from ingest.sources.semantic_scholar import SemanticScholar
from ingest.sources.virtual import VIRTUAL

SOURCES: tuple[Source, ...] = (
    Arxiv(), *VIRTUAL, Neurips(), Cvf(), Pmlr(), Acl(), OpenReview(),
    AiDeadlines(), CcfDeadlines(), Kaggle(), MlContests(), HuggingFace(), HackerNews(), Releases(), SemanticScholar(),
)  # fmt: skip


def source_named(name: str) -> Source:
    """The source; raises UnknownName with the nearest that exist."""
    for source in SOURCES:
        if source.name == name:
            return source
    raise UnknownName("source", name, [s.name for s in SOURCES])
