"""Items and runs as plain data: what API, command line and pages show, made in one place. Pure; keys stand in a fixed order.

What is not known is null; a list or an object without members is empty. Instants are RFC 3339 in UTC with `Z`, days are dates.
"""

from __future__ import annotations

import json
from collections.abc import Collection
from datetime import UTC, date, datetime
from typing import Any

from catalog import ranking
from catalog.dates import disagreements, next_of
from catalog.entries import Moment
from catalog.items import Evidence, Item, News
from catalog.outcomes import Run
from catalog.storage.items import PARTS
from catalog.storage.requests import Request
from catalog.storage.sources import SourceState

#: What every list of things that lie ahead tells of its items.
DATED = ("signals", "moments", "entries")
_SHOWN_WORDS = 80  # characters of a tag's evidence in the sentence of `why`


def dump(value: Any) -> bytes:
    """Compact JSON in UTF-8; the same value gives the same bytes. Raises ValueError for NaN and infinities."""
    return json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode()


def instant(value: datetime | None) -> str | None:
    """RFC 3339 in UTC with `Z`; microseconds only where there are any. None stays None."""
    return None if value is None else value.astimezone(UTC).isoformat().replace("+00:00", "Z")


def card(item: Item, fields: Collection[str] = ()) -> dict[str, Any]:
    """The short form that lists give, with the parts named in `fields` (of `catalog.filters.EXTRA_FIELDS`) after it.

    Parts that stand in other tables must have been filled into the item before: see `needs`.
    """
    out: dict[str, Any] = {
        "id": item.id,
        "kind": item.kind.value,
        "title": item.title,
        "authors": list(item.authors),
        "url": item.url,
        "venue": item.venue or None,
        "announced": item.announced.isoformat(),
        "topics": topics(item, evidence="evidence" in fields),
    }
    return out | {name: value for name, value in _extra(item).items() if name in fields} if fields else out


def rank(item: Item, asked: Collection[str], newest: date) -> dict[str, Any]:
    """The parts of an item's rank (see `catalog.ranking`) and their sum; freshness counts back from the newest day held."""
    parts = ranking.parts(item, asked, newest)
    return {"score": round(sum(parts.values()), 3), "parts": parts}


def needs(fields: Collection[str]) -> tuple[str, ...]:
    """The parts (of `storage.items.PARTS`) that an item must be filled with to tell these fields."""
    further = {"signals": ("signals", "news", "entries"), "rank": ("signals", "news"), "evidence": ("summary", "entries")}
    wanted = {part for field in fields for part in further.get(field, (field,))}
    return tuple(part for part in PARTS if part in wanted)


def whole(item: Item) -> dict[str, Any]:
    """Everything that is told about one item; the item must be filled, as `storage.items.by_id` gives it."""
    extra = _extra(item)
    return {
        "id": item.id,
        "kind": item.kind.value,
        "title": item.title,
        "summary": extra["summary"],
        "authors": list(item.authors),
        "url": item.url,
        "topics": topics(item, evidence=True),
        "entries": extra["entries"],
        "identifiers": extra["identifiers"],
        "signals": signals(item),
        "venue": item.venue or None,
        "submitted": extra["submitted"],
        "updated": extra["updated"],
        "announced": item.announced.isoformat(),
        "announced_estimated": item.estimated,
        "withdrawn": item.withdrawn,
        "form": item.form or None,
        "level": item.level or None,
        "news": extra["news"],
        "why": why(item),
        "categories": extra["categories"],
        "comment": item.comment or None,
        "moments": [moment(m) for m in item.moments],
        "form_evidence": [decided_by(e) for e in item.form_evidence],
        "level_evidence": [decided_by(e) for e in item.level_evidence],
    }


def news(told: News) -> dict[str, Any]:
    """A dated change; `status` is claimed or confirmed for an acceptance, else null."""
    return {"what": told.what, "day": told.day.isoformat(), "text": told.text or None, "status": told.status or None}


def moment(said: Moment) -> dict[str, Any]:
    """A dated point; `at` is the instant in UTC, `said` how the source writes it."""
    return {
        "what": said.what,
        "at": instant(said.at),
        "label": said.label or None,
        "said": said.said or None,
        "whole_day": said.whole_day,
    }


def dated(item: Item, fields: Collection[str], now: datetime) -> dict[str, Any]:
    """The card of an item that lies ahead: with its dates, the next that counts, what its sources say, and where they differ.

    The item must be filled with what `needs` says for `DATED`.
    """
    coming = next_of(item.kind, item.moments, now)
    about: dict[str, str] = {}
    for entry in item.entries:
        about = dict(entry.about) | about
    return card(item, {*fields, "signals", "moments"}) | {
        "next": moment(coming) if coming else None,
        "about": dict(sorted(about.items())),
        "disagreements": [
            {"what": d.what, "said": [{"source": source, **moment(m)} for source, m in d.said]}
            for d in disagreements(item.entries)
        ],
    }


def signals(item: Item) -> dict[str, Any]:
    """Numbers and facts from outside: upvotes and the like by source; where it was accepted, by whose word and how; links."""
    out: dict[str, Any] = {}
    for said in item.signals:
        own = out.setdefault(said.source, {})
        own[said.name] = max(said.number, own.get(said.name, said.number))
    if accepted := item.acceptance:
        decision = next((e.decision for e in item.entries if e.decision), None)
        out["acceptance"] = {"venue": accepted.text or None, "status": accepted.status or None, "decision": decision}
    return out | {what: list(found) for what in ("code", "model", "data") if (found := item.told(what))}


def decided_by(e: Evidence) -> dict[str, Any]:
    """What decided a tag, a form or a level."""
    return {"field": e.field, "words": e.words, "start": e.start, "end": e.end}


def topics(item: Item, *, evidence: bool) -> list[dict[str, Any]]:
    """The item's topics, best first, on request with what decided them."""
    out: list[dict[str, Any]] = []
    for tag in item.topics:
        shown: dict[str, Any] = {"topic": tag.topic, "score": tag.score}
        if evidence:
            shown["evidence"] = [decided_by(e) for e in tag.evidence]
        out.append(shown)
    return out


def why(item: Item) -> str | None:
    """Why the item has its best topic, its form and its level; None for an item without any."""
    said = []
    if item.topics:
        best = max(item.topics, key=lambda tag: tag.score)  # the first of equals
        said.append(f"Tagged {best.topic} {_because(best.evidence)}.")
    labels = ((item.form, item.form_evidence), (item.level, item.level_evidence))
    if told := [f"{label} {_because(evidence)}" for label, evidence in labels if label]:
        said.append(f"Taken as {', and as '.join(told)}.")
    return " ".join(said) or None


def run(visit: Run) -> dict[str, Any]:
    """A visit to a source: the object of `skillfeed ingest --json` with its instants; `finished` is null while it runs."""
    plain = visit.as_dict()
    return {
        "id": visit.id,
        "source": plain.pop("source"),
        "started": instant(visit.started),
        "finished": instant(visit.finished),
        **plain,
    }


def request(asked: Request) -> dict[str, Any]:
    """A visit that was asked for; `run`, `outcome` and `finished` are null while it is open."""
    return {
        "id": asked.id,
        "source": asked.source,
        "state": asked.state,
        "asked": instant(asked.asked),
        "finished": instant(asked.finished),
        "run": asked.run,
        "outcome": asked.outcome or None,
        "error": asked.error or None,
    }


def source(state: SourceState, asked: Request | None = None) -> dict[str, Any]:
    """A source and its health, with its newest request; `outcome` is null before the first visit."""
    return {
        "source": state.name,
        "enabled": state.enabled,
        "outcome": state.outcome or None,
        "last_run": instant(state.last_run),
        "last_success": instant(state.last_success),
        "last_new": instant(state.last_new),
        "failures": state.failures,
        "failing_since": instant(state.failing_since),
        "next_due": instant(state.next_due),
        "error": state.error or None,
        "warning": state.warning or None,
        "warned_since": instant(state.warned_since),
        "request": request(asked) if asked else None,
    }


def freshness(state: SourceState) -> dict[str, Any]:
    """What `/readyz` says of a source."""
    shown = source(state)
    return {name: shown[name] for name in ("source", "enabled", "outcome", "last_success", "failing_since", "next_due")}


def _extra(item: Item) -> dict[str, Any]:
    """What a list gives only when asked, in the order of `catalog.filters.EXTRA_FIELDS`."""
    identifiers: dict[str, list[str]] = {}
    for scheme, value in item.identifiers:
        identifiers.setdefault(scheme, []).append(value)
    return {
        "summary": item.summary or None,
        "entries": [
            {
                "source": e.source,
                "key": e.key,
                "url": e.url,
                "version": e.version,
                "announced": e.announced.isoformat(),
                "title": e.title or None,
                "venue": e.venue or None,
                "year": e.year or None,
                "track": e.track or None,
                "decision": e.decision or None,
                "award": e.award or None,
                "subjects": list(e.subjects),
                "keywords": list(e.keywords),
                "about": dict(e.about),
                "moments": [moment(m) for m in e.moments],
                "joined": [f"{reason}: {source} {key}" for reason, source, key in e.joined],
            }
            for e in item.entries
        ],
        "identifiers": identifiers,
        "signals": signals(item),
        "submitted": instant(item.submitted),
        "updated": instant(item.updated),
        "withdrawn": item.withdrawn,
        "form": item.form or None,
        "level": item.level or None,
        "categories": list(item.categories),
        "news": [news(n) for n in item.news],
        "moments": [moment(m) for m in item.moments],
    }


def _because(evidence: Collection[Evidence]) -> str:
    if not evidence:
        return "for its text as a whole"
    # A word in the title persuades a reader more than one in the abstract, and both more than a rule.
    rank = {"title": 0, "abstract": 1, "category": 2, "rule": 3}
    first: Evidence = min(evidence, key=lambda e: rank.get(e.field, 4))
    words = first.words if len(first.words) <= _SHOWN_WORDS else first.words[: _SHOWN_WORDS - 1].rstrip() + "…"
    if first.field in ("title", "abstract"):
        return f"for “{words}” in the {first.field}"
    return f"by the {first.field} {words}"
