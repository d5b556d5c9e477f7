"""`skillfeed tag`: JSON lines of texts in, JSON lines of topics out."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from itertools import islice
from typing import IO, Any

from catalog.errors import UsageError
from catalog.items import Evidence, Tag
from catalog.tagging.tagger import Judged, Tagger, Text

_BATCH = 256  # lines; one by one costs half of the speed

Row = tuple[str | int, Text]


def tag_lines(lines: Iterable[str | bytes], tagger: Tagger, evidence: bool = True) -> Iterator[str]:
    """One line of JSON, without line end and in ASCII, for each line that is not blank, in order.

    In: {"id", "title", "abstract", "categories"}, of which the last two may be absent or null; other keys are ignored.
    Out: {"id", "topics": [{"topic", "score", "evidence": [{"field", "words", "start", "end"}]}], "form", "level"} and with
    evidence "form_evidence" and "level_evidence", best topic first; `evidence` is left out when it is not wanted, `start` and
    `end` (characters) where the field is no text. UsageError that names line and
    mend at the first line of another form, after all lines before it have been answered.
    """
    waiting = iter(lines)
    batches = iter(lambda: list(islice(waiting, _BATCH)), [])
    for answers in tag_batches(batches, tagger, evidence):
        yield from answers


def tag_batches(batches: Iterable[Iterable[str | bytes]], tagger: Tagger, evidence: bool = True) -> Iterator[list[str]]:
    """Like `tag_lines`, with the answers to each batch of lines as soon as it is there."""
    number = 0
    for batch in batches:
        rows: list[Row] = []
        failure: UsageError | None = None
        for line in batch:
            number += 1
            try:
                row = _read(number, line)
            except UsageError as error:
                failure = error
                break
            if row is not None:
                rows.append(row)
        judged = tagger.judge_many([text for _, text in rows], evidence=evidence)
        answers = (_answer(key, one, evidence) for (key, _), one in zip(rows, judged, strict=True))
        yield [json.dumps(answer, separators=(",", ":")) for answer in answers]
        if failure is not None:
            raise failure


def arriving(stream: IO[bytes], size: int = 1 << 18) -> Iterator[list[bytes]]:
    """The whole lines of a stream in batches, each as soon as it has arrived; `size` is the most bytes read at once."""
    rest = b""
    while chunk := stream.read1(size):  # type: ignore[attr-defined]
        *lines, rest = (rest + chunk).split(b"\n")
        if lines:
            yield lines
    if rest:
        yield [rest]


def _read(number: int, line: str | bytes) -> Row | None:
    """The row of a line; None for a blank one."""
    try:
        text = line.decode() if isinstance(line, bytes) else line
    except UnicodeDecodeError as error:
        raise UsageError(f"line {number}: is not UTF-8 at byte {error.start}; write it as UTF-8") from error
    if number == 1:
        text = text.removeprefix("\ufeff")  # the byte order mark that some editors put first
    return _row(number, text) if text.strip() else None


def _row(number: int, line: str) -> Row:
    try:
        row: Any = json.loads(line)
    except (ValueError, RecursionError) as error:  # ValueError covers numbers of more digits than Python reads
        what = error.msg if isinstance(error, json.JSONDecodeError) else "numbers too long or nested too deep"
        raise UsageError(f"line {number}: is no JSON ({what}); write one object a line") from error
    if not isinstance(row, dict):
        raise UsageError(f'line {number}: is no JSON object; write {{"id": …, "title": …, "abstract": …, "categories": […]}}')
    key, title, abstract, categories = row.get("id"), row.get("title"), row.get("abstract"), row.get("categories")
    if not isinstance(key, str | int) or isinstance(key, bool):
        raise UsageError(f'line {number}: "id" is missing; give each object an id, a text or a whole number')
    if not isinstance(title, str):
        raise UsageError(f'line {number}: "title" is missing or no text; give it as a text, "" if there is none')
    if not isinstance(abstract, str | None):
        raise UsageError(f'line {number}: "abstract" is no text; give it as a text or leave it out')
    if not isinstance(categories, list | None) or not all(isinstance(category, str) for category in categories or ()):
        raise UsageError(f'line {number}: "categories" is no list of texts; give it like ["cs.LG"] or leave it out')
    return key, Text(title, abstract or "", categories or ())


def _answer(key: str | int, judged: Judged, evidence: bool) -> dict[str, Any]:
    out: dict[str, Any] = {"id": key, "topics": [_plain(tag, evidence) for tag in judged.tags]}
    out |= {"form": judged.form, "level": judged.level}
    if evidence:
        out["form_evidence"] = [_plain_evidence(piece) for piece in judged.form_evidence]
        out["level_evidence"] = [_plain_evidence(piece) for piece in judged.level_evidence]
    return out


def _plain(tag: Tag, evidence: bool) -> dict[str, Any]:
    out: dict[str, Any] = {"topic": tag.topic, "score": tag.score}
    if evidence:
        out["evidence"] = [_plain_evidence(piece) for piece in tag.evidence]
    return out


def _plain_evidence(piece: Evidence) -> dict[str, Any]:
    out: dict[str, Any] = {"field": piece.field, "words": piece.words}
    if piece.start >= 0:
        out.update(start=piece.start, end=piece.end)
    return out
