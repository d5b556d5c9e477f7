"""The sources: one file each, listed here."""

from __future__ import annotations

from catalog.errors import UnknownName
from ingest.source import Source
from ingest.sources.arxiv import Arxiv

SOURCES: tuple[Source, ...] = (Arxiv(),)


def source_named(name: str) -> Source:
    """The source; raises UnknownName with the nearest that exist."""
    for source in SOURCES:
        if source.name == name:
            return source
    raise UnknownName("source", name, [s.name for s in SOURCES])
