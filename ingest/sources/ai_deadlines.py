"""ai-deadlines: the deadlines of conferences in machine learning, kept by Hugging Face and the community.

Offers: one YAML file for each conference at https://raw.githubusercontent.com/huggingface/ai-deadlines/main/, and the list of
the files with their Git hashes at https://api.github.com/ (60 requests an hour without `SKILLFEED_GITHUB_TOKEN`; one is
needed). Licence: MIT (https://github.com/huggingface/ai-deadlines). Rate: one request a visit and one for each file whose hash
changed. Cadence: daily.

A file is believed when its hash is the one that is listed; then what it does not list any more is withdrawn. Another, as the
host's cache may give for minutes, adds and corrects, and is asked for again.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from catalog.errors import FetchError, ParseError
from catalog.outcomes import Outcome, Part, Run
from catalog.settings import Settings
from catalog.storage.sources import PartState
from ingest.attempts import soundest
from ingest.cadence import Cadence
from ingest.formats.editions import AI, AI_PAGE, parse_conference
from ingest.formats.json_body import read_json
from ingest.formats.paper_list import PaperList
from ingest.source import History, Page, Visit

FOLDER = "huggingface/ai-deadlines"
LIST = "https://api.github.com/repos/huggingface/ai-deadlines/contents/src/data/conferences"
FILE = "https://raw.githubusercontent.com/huggingface/ai-deadlines/main/src/data/conferences/{}"
PART = "conferences"
_NAME = re.compile(r"[\w.+-]{1,100}\.ya?ml")
_HASH = re.compile(r"[0-9a-f]{40}")


class AiDeadlines:
    """The source `ai-deadlines`."""

    name = AI
    homepage = AI_PAGE
    summary = "ai-deadlines: dates of conferences in machine learning"
    enabled = True

    def steps(self, settings: Settings) -> int:
        """One list."""
        return 1

    def visit(self, visit: Visit) -> None:
        """Read the list of files, and those that changed."""
        _Reading(visit, visit.begin(PART)).read()

    def next_due(self, now: datetime, run: Run, history: History) -> datetime:
        """A day later: a deadline may move on any day."""
        return Cadence(timedelta(days=1), timedelta(days=1)).next_due(self.name, now, run, history)


def parse_names(body: bytes) -> dict[str, str]:
    """The files of a folder with their Git hashes; raises ParseError for another answer."""
    rows = read_json(body)
    if not isinstance(rows, list):
        raise ParseError("no-list", "the answer is no list of files")
    named = {r.get("name"): r.get("sha") for r in rows if isinstance(r, dict)}
    found = {n: h for n, h in named.items() if isinstance(n, str) and isinstance(h, str) and _NAME.fullmatch(n)}
    if not found:
        raise ParseError("no-files", "the list names no file of a conference")
    return {n: h for n, h in sorted(found.items()) if _HASH.fullmatch(h)}


def git_hash(body: bytes) -> str:
    """The name that Git gives to these bytes as a file: SHA-1 over `blob`, length and content."""
    return hashlib.sha1(b"blob %d\0" % len(body) + body, usedforsecurity=False).hexdigest()


@dataclass(frozen=True, slots=True)
class _File:
    """What a file came to."""

    found: PaperList
    sound: bool  # it is the one that is listed


class _Reading:
    """One visit: the list, then file by file."""

    def __init__(self, visit: Visit, part: Part) -> None:
        self._visit, self._part = visit, part
        self._state = visit.state(PART)
        files = self._state.cursor.get("files", {})
        self._files: dict[str, list[object]] = dict(files)  # by name: hash, keys of its editions
        self._lost = 0

    def read(self) -> None:
        """Read what changed and say how the part stands."""
        try:
            listed = self._list()
        except (FetchError, ParseError) as error:
            self._visit.fail(self._part, Outcome.FAILED, str(error))
            return
        if listed is not None:
            for name, digest in listed.items():
                if self._files.get(name, [""])[0] != digest:
                    self._read(name, digest)
            self._leave(listed)
        keys = {str(k) for _, *held in self._files.values() for k in held}
        self._part.announced = len(keys) + self._lost
        self._part.held = len(self._visit.held(keys))
        if self._part.outcome is Outcome.EMPTY:
            self._part.outcome = Outcome.OK if self._part.announced else Outcome.EMPTY

    def _list(self) -> Mapping[str, str] | None:
        """The files with their hashes; None when all are as they were."""
        token = self._visit.settings.github_token.get_secret_value()
        headers = {"Accept": "application/vnd.github+json"} | ({"Authorization": f"Bearer {token}"} if token else {})
        answer = self._visit.http.get(LIST, etag=self._state.etag, headers=headers)
        if answer.not_modified:
            return None
        listed = self._visit.parse(parse_names, answer)
        self._etag = answer.etag
        return listed

    def _read(self, name: str, digest: str) -> None:
        """Store a file; remember it when it is sound."""

        def once() -> _File:
            answer = self._visit.http.get(FILE.format(name))
            return _File(self._visit.parse(parse_conference, answer), git_hash(answer.body) == digest)

        try:
            file = soundest(once, lambda f: 0 if f.sound else 1 + f.found.loss)
        except (FetchError, ParseError) as error:
            self._visit.fail(self._part, Outcome.PARTIAL, f"{name}: {error}")
            return
        keys = [e.key for e in file.found.entries]
        removed: list[str] = []
        state = None
        if file.sound:
            kept = {str(k) for other, (_, *held) in self._files.items() if other != name for k in held}
            before = [str(k) for k in self._files.get(name, [""])[1:]]
            removed = sorted(set(before) - {*keys, *kept})
            self._files[name] = [digest, *keys]
            state = PartState({"files": self._files}, self._state.etag)
        else:
            self._visit.fail(self._part, Outcome.PARTIAL, f"{name} is not the file that is listed; it is asked for again")
        if file.found.loss:
            self._lost += file.found.loss
            self._visit.fail(self._part, Outcome.PARTIAL, f"{name}: {file.found.trouble}")
        self._visit.keep(self._part, Page(file.found.entries, removed, file.found.rejected, state))

    def _leave(self, listed: Mapping[str, str]) -> None:
        """Remember the list when all of it was read; files that are gone from it keep their editions and are named."""
        gone = sorted(self._files.keys() - listed.keys())
        if gone:
            self._visit.fail(self._part, Outcome.STALE, f"{', '.join(gone[:5])} are not listed any more")
        elif all(self._files.get(name, [""])[0] == digest for name, digest in listed.items()):
            self._visit.keep(self._part, Page(state=PartState({"files": self._files}, self._etag)))
