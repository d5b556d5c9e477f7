"""A volume that is one static file: asked for conditionally, again while it comes damaged, not read while it is the same."""

from __future__ import annotations

from collections.abc import Callable
from typing import Concatenate

from catalog.storage.sources import PartState
from ingest.attempts import soundest
from ingest.formats.paper_list import PaperList
from ingest.papers.volumes import Volume, digest, settled
from ingest.source import P, Visit

LIMIT = 64 * 1024 * 1024  # bytes; the largest volumes have 6,500 papers and 30 MB
SECONDS = 180.0


def read_file(
    visit: Visit,
    url: str,
    state: PartState,
    prefix: str,
    read: Callable[Concatenate[bytes, P], PaperList],
    *args: P.args,
    **kwargs: P.kwargs,
) -> Volume | None:
    """The papers of a file whose keys have the prefix; None when it is as it was. Raises FetchError or ParseError.

    Within a window it is read again all the same unless all of it is held.
    """
    whole = settled(state) and (visit.window is None or state.cursor["announced"] == state.cursor["held"])
    known = state if whole else PartState({})

    def once() -> Volume | None:
        answer = visit.http.get(url, etag=known.etag, last_modified=known.last_modified, limit=LIMIT, total=SECONDS)
        if answer.not_modified:
            return None
        mark = digest([answer.body])
        if mark == known.cursor.get("digest"):
            return None
        papers = visit.parse(read, answer, *args, **kwargs)
        return Volume(prefix, papers, mark, {}, answer.etag, answer.last_modified)

    return soundest(once, lambda volume: damage(volume.papers) if volume else 0)


def damage(papers: PaperList) -> int:
    """0 for a sound file, more for a worse one; one without papers is the worst."""
    return papers.loss + (0 if papers.entries else 1_000_000)
