"""What the API promises, as models: for documentation and tests. Answers are built by `app.shapes`, which is quicker."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from catalog.entries import Kind


class _Shape(BaseModel):
    model_config = ConfigDict(extra="forbid")


# ------------------------------------------------------------------ items
class Evidence(_Shape):
    """What decided a tag."""

    field: Literal["title", "abstract", "category", "rule"] = Field(
        description="Where the words stand, or what kind of rule decided."
    )
    words: str = Field(description="The words, the category or the rule.")
    start: int = Field(description="First character in the text that was tagged; -1 for categories and rules.")
    end: int = Field(description="Character after the last; -1 for categories and rules.")


class Topic(_Shape):
    """One topic of an item."""

    topic: str = Field(description="Slug, as `/api/v1/topics` lists them.")
    score: float = Field(ge=0, le=1, description="How sure the tag is.")


class TopicWithEvidence(Topic):
    """One topic of an item with what decided it."""

    evidence: list[Evidence]


class Moment(_Shape):
    """A dated point of a thing."""

    what: str = Field(description="abstract, submission, notification, deadline, starts, ends, …")
    at: datetime = Field(description="UTC.")
    label: str | None = Field(description="The source's own name of it.")
    said: str | None = Field(description="As the source writes it, with its zone.")
    whole_day: bool = Field(description="True when the source names a day only.")


class Entry(_Shape):
    """What one source says about the item."""

    source: str = Field(description="Slug of the source.")
    key: str = Field(description="The source's own identifier.")
    url: str
    version: int = Field(description="Version in hand.")
    announced: date = Field(description="Day on which this source made it public.")
    title: str | None = Field(description="As this source gives it, LaTeX made readable.")
    venue: str | None = Field(description="Conference or journal, where the source is its voice.")
    year: int | None = Field(description="Of the edition.")
    track: str | None = Field(description="Null for the main track.")
    decision: str | None = Field(description="oral, spotlight or poster.")
    award: str | None
    subjects: list[str] = Field(description="The source's own topics, as said.")
    keywords: list[str] = Field(description="The authors' keywords, as said.")
    about: dict[str, str] = Field(description="Further facts by name: place, prize, metric, …")
    moments: list[Moment] = Field(description="Its dates as this source tells them.")
    joined: list[str] = Field(description="Why it is this item: the rule, and the entry that it was compared with.")


class News(_Shape):
    """A dated change that deserves telling again."""

    what: str = Field(description="withdrawn, accepted, code, model, data, moved or closing.")
    day: date = Field(description="That of `closing`, 14 days before a deadline, may lie ahead.")
    text: str | None = Field(
        description="Venue of an acceptance, address of code, model or data, date that moved or comes near."
    )
    status: str | None = Field(
        description="Of an acceptance: claimed by the authors or confirmed by the venue; of a move: later or earlier."
    )


class Rank(_Shape):
    """Where an item stands by `sort=rank`, and why."""

    score: float = Field(description="The sum of the parts.")
    parts: dict[str, float] = Field(
        description="topic, venue, signals, code, kind, level, withdrawn; freshness is what is lost since the newest day held."
    )


class Card(_Shape):
    """An item as lists give it. The fields from `summary` on come only when `fields` names them."""

    id: str = Field(description="Opaque, stable, never reused.")
    kind: Kind
    title: str = Field(description="LaTeX made readable.")
    authors: list[str] = Field(description="Display names in their order.")
    url: str
    venue: str | None
    announced: date = Field(description="Day on which a source first made it public.")
    topics: list[TopicWithEvidence | Topic] = Field(description="Best first; with evidence when `fields` names it.")
    summary: str | None = None
    entries: list[Entry] | None = None
    identifiers: dict[str, list[str]] | None = None
    signals: dict[str, Any] | None = None
    submitted: datetime | None = None
    updated: datetime | None = None
    withdrawn: bool | None = None
    form: str | None = None
    level: str | None = None
    categories: list[str] | None = None
    news: list[News] | None = None
    moments: list[Moment] | None = None
    rank: Rank | None = None


class Item(_Shape):
    """All that is told about one item."""

    id: str = Field(description="Opaque, stable, never reused.")
    kind: Kind
    title: str = Field(description="LaTeX made readable.")
    summary: str | None = Field(description="Abstract, as its source gives it.")
    authors: list[str] = Field(description="Display names in their order.")
    url: str
    topics: list[TopicWithEvidence] = Field(description="Best first.")
    entries: list[Entry]
    identifiers: dict[str, list[str]] = Field(description="Values by scheme: arxiv (without version), doi, openreview, url, …")
    signals: dict[str, Any] = Field(description="Numbers and facts from outside.")
    venue: str | None
    submitted: datetime | None = Field(description="Instant of the first version, UTC.")
    updated: datetime | None = Field(description="Instant of the version in hand, UTC.")
    announced: date = Field(description="Day on which a source first made it public.")
    announced_estimated: bool = Field(description="True when no source states that day.")
    withdrawn: bool
    form: str | None = Field(description="survey, tutorial, benchmark, … for papers.")
    level: str | None = Field(description="start-here, practitioner or research, for papers.")
    news: list[News]
    why: str | None = Field(description="What decided the best topic, the form and the level, in words.")
    categories: list[str] = Field(description="arXiv categories, primary first.")
    comment: str | None = Field(description="The authors' comment.")
    moments: list[Moment] = Field(description="Deadlines, begin and end, in their order.")
    form_evidence: list[Evidence] = Field(description="What decided the form; empty where the text as a whole did.")
    level_evidence: list[Evidence] = Field(description="What decided the level; empty where the text as a whole did.")


class Cards(_Shape):
    """A page of items."""

    items: list[Card]
    next: str | None = Field(description="Cursor of the next page; null on the last.")


class SaidMoment(Moment):
    """A dated point as one source tells it."""

    source: str


class Disagreement(_Shape):
    """Dates of one sort that sources tell otherwise."""

    what: str
    said: list[SaidMoment]


class DatedCard(Card):
    """An item with a date ahead."""

    next: Moment | None = Field(description="The soonest date ahead that counts: a deadline of its own, or its begin.")
    about: dict[str, str] = Field(description="Facts by name, as the sources say: place, prize, metric, platform, …")
    disagreements: list[Disagreement] = Field(
        description="Where its sources tell dates otherwise; `moments` has the first one's."
    )


class DatedCards(_Shape):
    """A page of items with dates ahead, the soonest first."""

    items: list[DatedCard]
    next: str | None = Field(description="Cursor of the next page; null on the last.")


# ------------------------------------------------------------------ taxonomy
class TopicInfo(_Shape):
    """A topic of the taxonomy."""

    slug: str
    name: str
    area: str = Field(description="Slug of its area.")
    description: str
    count: int = Field(description="Items announced between `since` and `until`.")


class AreaInfo(_Shape):
    """A skill area."""

    slug: str
    number: int = Field(description="Its place among the ten.")
    name: str
    description: str
    topics: list[str] = Field(description="Slugs of its topics.")
    count: int = Field(description="Items announced between `since` and `until`.")


class Topics(_Shape):
    """All topics."""

    items: list[TopicInfo]
    next: None


class Areas(_Shape):
    """All areas."""

    items: list[AreaInfo]
    next: None


# ------------------------------------------------------------------ sources
class RequestInfo(_Shape):
    """A visit that was asked for."""

    id: int
    source: str = Field(description="Slug.")
    state: Literal["waiting", "taken", "done"] = Field(description="The worker takes what waits within seconds.")
    asked: datetime
    finished: datetime | None
    run: int | None = Field(description="Id of the visit that answered it.")
    outcome: str | None = Field(description="Of that visit.")
    error: str | None


class SourceInfo(_Shape):
    """A source and its health."""

    source: str = Field(description="Slug.")
    enabled: bool
    outcome: str | None = Field(description="Of the last visit: ok, empty, stale, partial, failed or not configured.")
    last_run: datetime | None
    last_success: datetime | None = Field(description="End of the last visit that ended ok or empty.")
    last_new: datetime | None = Field(description="End of the last visit that brought something new.")
    failures: int = Field(description="Visits in a row that did not end ok or empty.")
    failing_since: datetime | None
    next_due: datetime
    error: str | None
    warning: str | None = Field(description="Its visits end well and give far less than usual; what is missing.")
    warned_since: datetime | None
    request: RequestInfo | None = Field(description="The newest visit that was asked for.")


class SourceChange(_Shape):
    """What an operator changes of a source."""

    enabled: bool = Field(strict=True, description="Whether it is visited; what it brought stays.")


class Sources(_Shape):
    """All sources."""

    items: list[SourceInfo]
    next: None


class Part(_Shape):
    """One category, set or volume inside a run."""

    part: str
    outcome: str
    seen: int
    new: int
    revised: int
    unchanged: int
    rejected: dict[str, int] = Field(description="Losses by reason.")
    announced: int | None = Field(None, description="How many the source says it announced.")
    held: int | None = Field(None, description="How many of those are held.")
    error: str | None = None


class RunInfo(_Shape):
    """One visit to one source."""

    id: int
    source: str
    started: datetime
    finished: datetime | None = Field(description="Null while it runs.")
    outcome: str = Field(description="ok, empty, stale, partial, failed, not configured or running.")
    seen: int
    new: int
    revised: int
    unchanged: int
    rejected: dict[str, int] = Field(description="Losses by reason.")
    requests: int
    seconds: float = Field(description="Real time it took.")
    error: str | None
    parts: list[Part]


class Runs(_Shape):
    """A page of runs."""

    items: list[RunInfo]
    next: str | None = Field(description="Cursor of the next page; null on the last.")


# ------------------------------------------------------------------ quality
class Score(_Shape):
    """Shares from 0 to 1."""

    precision: float = Field(description="Of the topics given, those that are right.")
    recall: float = Field(description="Of the core topics, those given.")
    f1: float


class TopicScore(Score):
    """The same for one topic."""

    topic: str
    core: int = Field(description="Check papers of whose contribution it is the subject.")
    given: int = Field(description="Check papers that were given it.")


class Scores(_Shape):
    """Over all tags, and as the mean of topics."""

    micro: Score
    macro: Score


class OfNoTopic(_Shape):
    """Check papers of no topic."""

    papers: int
    given_none: int


class LabelScores(_Shape):
    """Shares of check papers that are given the right form and level."""

    papers: int
    form: float
    level: float


class TaggingScores(Scores):
    """How the tagger does on labelled papers that ship with the program and that it never learnt from."""

    papers: int
    without_categories: Scores
    topics: list[TopicScore] = Field(description="Worst first.")
    missed: int = Field(description="Papers with a topic that were given none.")
    of_no_topic: OfNoTopic
    labels: LabelScores


class ByHand(_Shape):
    """Pairs of entries that a person decided about."""

    same: int
    apart: int


class MergeCounts(_Shape):
    """How entries became items, of all that is held."""

    items: int
    entries: int
    joined: int = Field(description="Items of two entries or more.")
    links: dict[str, int] = Field(description="Pairs of entries by the reason that joins them.")
    aliases: int = Field(description="Ids that lead to another item.")
    by_hand: ByHand


class Held(_Shape):
    """What was announced and what of it is held: sums over parts, so that what stands in two counts twice."""

    announced: int
    held: int
    share: float | None = Field(description="Held of announced; null when nothing was announced.")
    parts: int = Field(description="Announcements, one per category, set or volume and day.")
    unconfirmed: int = Field(description="Of them: with a gap, or not checked.")
    missing: int = Field(description="Known by name and not held.")


class HeldOnDay(Held):
    """The same for one day."""

    day: date


class Completeness(Held):
    """What one source announced, and what of it is held."""

    source: str
    visits: dict[str, int] = Field(description="Visits of the period by outcome.")
    days: list[HeldOnDay] = Field(description="Newest first; empty for a source that counts no announcements.")


class DelayInfo(_Shape):
    """Hours from 00:00 UTC of the announced date until an entry of the source was held."""

    source: str
    entries: int = Field(description="Those announced in the period, since the source is visited, whose date is known.")
    estimated: int = Field(description="Of them: the announced date is estimated.")
    median_hours: float
    p90_hours: float
    longest_hours: float
    within_24_hours: float = Field(description="Share held within 24 hours.")


class Quality(_Shape):
    """What the instance measured of itself."""

    since: date
    until: date
    tagging: TaggingScores
    merges: MergeCounts
    completeness: list[Completeness] = Field(description="By source.")
    delay: list[DelayInfo] = Field(description="By source.")


# ------------------------------------------------------------------ subscriptions
class _Choices(_Shape):
    filter: dict[str, str | list[str]] = Field({}, description="Parameters of items without dates; repeated ones as lists.")
    cadence: Literal["daily", "weekly", "monthly"] = Field("weekly", description="Of yesterday, the last week or month.")
    weekday: int = Field(1, ge=1, le=7, description="1 is Monday; monthly means the first such day of the month.")
    hour: int = Field(7, ge=0, le=23, description="Of the reader's own day.")
    zone: str = Field("UTC", description="IANA time zone.")
    format: Literal["html", "text"] = Field("html", description="html holds the same as text besides.")


class SubscriptionRequest(_Choices):
    """Who shall be asked whether they want what."""

    address: str = Field(description="E-mail address, without a name.")


class SubscriptionChange(_Choices):
    """What changes; the rest stays."""

    paused: bool = Field(False, description="Nothing is sent while true.")


class Asked(_Shape):
    """A question is on its way, if the address can take one."""

    detail: str


class Left(_Shape):
    """There is no subscription (any more)."""

    detail: str


class Subscription(_Choices):
    """What is in force."""

    state: Literal["unconfirmed", "paused", "active"]
    next_due: datetime | None = Field(description="When the next digest is due.")


class Confirmed(_Shape):
    """The subscription is in force."""

    token: str = Field(description="Of the reader's own link: reads, changes and ends the subscription.")
    subscription: Subscription


class Mail(_Shape):
    """A mail to the reader."""

    kind: Literal["confirm", "digest"]
    period: str | None
    state: Literal["queued", "sending", "deferred", "sent", "failed", "suppressed", "skipped"]
    made: datetime
    settled: datetime | None
    reason: str | None = Field(description="Of a state that is not the wished-for one.")


class SubscriptionInfo(Subscription):
    """Everything that is kept about a reader."""

    address: str
    made: datetime
    confirmed: datetime | None
    consent: str | None = Field(description="Version of the text that was agreed to.")
    mails: list[Mail]


# ------------------------------------------------------------------ digests
class Section(BaseModel):
    """The part of a digest about one topic."""

    topic: str
    items: list[dict[str, Any]] = Field(description="Cards with score, its parts, why, late and news.")


class Digest(BaseModel):
    """A digest as it would be published now."""

    period: Any
    filter: Any
    sections: list[Section]
    receipt: Any = Field(description="What was looked at and what was left out.")


# ------------------------------------------------------------------ health
class Alive(_Shape):
    """The process answers."""

    status: Literal["ok"]


class Journal(_Shape):
    """Which SQLite is used, in which journal mode and why."""

    library: str
    version: str
    mode: str
    reason: str


class Database(_Shape):
    """The database as this process sees it."""

    kind: str = Field(description="sqlite or postgresql.")
    reachable: bool
    journal: Journal | None = Field(description="Null on PostgreSQL.")


class Migrations(_Shape):
    """Whether the schema is the one that this version needs."""

    current: bool | None = Field(description="Null when the database cannot be asked.")
    reason: str | None = Field(description="What to do when it is not.")


class Freshness(_Shape):
    """When a source was last visited with success, and when it is due."""

    source: str
    enabled: bool
    outcome: str | None
    last_success: datetime | None
    failing_since: datetime | None
    next_due: datetime


class Ready(_Shape):
    """The instance can answer."""

    status: Literal["ready"]
    database: Database
    migrations: Migrations
    sources: list[Freshness]


# ------------------------------------------------------------------ problems
class Problem(BaseModel):
    """What went wrong, as RFC 9457 has it."""

    type: str = Field(description="Address that explains this kind of problem.")
    title: str
    status: int
    detail: str = Field(description="What is wrong with this request, and the mend.")
    instance: str = Field(description="Path of the request.")
    errors: list[dict[str, Any]] = Field(description="One object per thing that is off; `nearest` where a name is unknown.")


# ------------------------------------------------------------------ examples
CARD_EXAMPLE: dict[str, Any] = {
    "id": "7k2m9x4c1v8bqz5n",
    "kind": "paper",
    "title": "Sparse Attention Without Regret",
    "authors": ["Ada Example", "Bo Sample"],
    "url": "https://arxiv.org/abs/2601.01234",
    "venue": None,
    "announced": "2026-01-28",
    "topics": [{"topic": "deep-learning", "score": 0.912}],
}
_DUE = {
    "what": "submission",
    "at": "2026-05-07T11:59:59Z",
    "label": "Paper submission deadline",
    "said": "2026-05-06 23:59:59 AoE",
    "whole_day": False,
}
DATED_EXAMPLE: dict[str, Any] = CARD_EXAMPLE | {
    "kind": "deadline",
    "title": "NeurIPS 2026",
    "authors": [],
    "url": "https://neurips.cc/",
    "venue": "NeurIPS 2026",
    "topics": [{"topic": "conferences", "score": 1.0}],
    "signals": {},
    "moments": [_DUE],
    "next": _DUE,
    "about": {"place": "Sydney, Australia"},
    "disagreements": [],
}
ITEM_EXAMPLE: dict[str, Any] = {
    "id": "7k2m9x4c1v8bqz5n",
    "kind": "paper",
    "title": "Sparse Attention Without Regret",
    "summary": "We train transformers whose attention is sparse from the first step on.",
    "authors": ["Ada Example", "Bo Sample"],
    "url": "https://arxiv.org/abs/2601.01234",
    "topics": [
        {
            "topic": "deep-learning",
            "score": 0.912,
            "evidence": [{"field": "title", "words": "Sparse Attention", "start": 0, "end": 16}],
        }
    ],
    "entries": [
        {
            "source": "arxiv",
            "key": "2601.01234",
            "url": "https://arxiv.org/abs/2601.01234",
            "version": 2,
            "announced": "2026-01-28",
            "title": "Sparse Attention for Forecasting",
            "venue": None,
            "year": None,
            "track": None,
            "decision": None,
            "award": None,
            "subjects": [],
            "keywords": [],
            "about": {},
            "moments": [],
            "joined": [],
        }
    ],
    "identifiers": {"arxiv": ["2601.01234"]},
    "signals": {"acceptance": {"venue": "ICML 2026", "status": "claimed", "decision": None}},
    "venue": None,
    "submitted": "2026-01-26T18:02:11Z",
    "updated": "2026-01-27T09:30:00Z",
    "announced": "2026-01-28",
    "announced_estimated": False,
    "withdrawn": False,
    "form": "method",
    "level": "practitioner",
    "form_evidence": [{"field": "abstract", "words": "We train", "start": 0, "end": 8}],
    "level_evidence": [],
    "news": [{"what": "accepted", "day": "2026-01-28", "text": "ICML 2026", "status": "claimed"}],
    "why": "Tagged deep-learning for “Sparse Attention” in the title. Taken as method for “We train” in the abstract, "
    "and as practitioner for its text as a whole.",
    "categories": ["cs.LG", "stat.ML"],
    "comment": "12 pages",
    "moments": [],
}
TOPIC_EXAMPLE: dict[str, Any] = {
    "slug": "deep-learning",
    "name": "Deep learning",
    "area": "algorithms",
    "description": "Architectures and their training as the subject.",
    "count": 1204,
}
AREA_EXAMPLE: dict[str, Any] = {
    "slug": "algorithms",
    "number": 3,
    "name": "Machine learning algorithms",
    "description": "How machines learn from data.",
    "topics": ["supervised-learning", "deep-learning"],
    "count": 3410,
}
REQUEST_EXAMPLE: dict[str, Any] = {
    "id": 17,
    "source": "arxiv",
    "state": "waiting",
    "asked": "2026-01-28T09:14:02Z",
    "finished": None,
    "run": None,
    "outcome": None,
    "error": None,
}
SOURCE_EXAMPLE: dict[str, Any] = {
    "source": "arxiv",
    "enabled": True,
    "outcome": "ok",
    "last_run": "2026-01-28T05:12:40Z",
    "last_success": "2026-01-28T05:12:40Z",
    "last_new": "2026-01-28T05:12:40Z",
    "failures": 0,
    "failing_since": None,
    "next_due": "2026-01-29T05:00:00Z",
    "error": None,
    "warning": None,
    "warned_since": None,
    "request": None,
}
RUN_EXAMPLE: dict[str, Any] = {
    "id": 412,
    "source": "arxiv",
    "started": "2026-01-28T05:10:00Z",
    "finished": "2026-01-28T05:12:40Z",
    "outcome": "ok",
    "seen": 912,
    "new": 640,
    "revised": 12,
    "unchanged": 260,
    "rejected": {},
    "requests": 17,
    "seconds": 158.2,
    "error": None,
    "parts": [
        {
            "part": "cs.LG",
            "outcome": "ok",
            "seen": 310,
            "new": 270,
            "revised": 4,
            "unchanged": 36,
            "rejected": {},
            "announced": 310,
            "held": 310,
        }
    ],
}
_HELD = {"announced": 912, "held": 911, "share": 0.9989, "parts": 15, "unconfirmed": 1, "missing": 1}
_SCORES = {
    "micro": {"precision": 0.86, "recall": 0.91, "f1": 0.8843},
    "macro": {"precision": 0.84, "recall": 0.87, "f1": 0.8547},
}
QUALITY_EXAMPLE: dict[str, Any] = {
    "since": "2026-01-01",
    "until": "2026-01-28",
    "tagging": {
        "papers": 200,
        **_SCORES,
        "without_categories": _SCORES,
        "topics": [{"topic": "deep-learning", "precision": 0.7, "recall": 0.8, "f1": 0.7467, "core": 20, "given": 26}],
        "missed": 1,
        "of_no_topic": {"papers": 9, "given_none": 7},
        "labels": {"papers": 90, "form": 0.86, "level": 0.84},
    },
    "merges": {
        "items": 8120,
        "entries": 8410,
        "joined": 270,
        "links": {"same title and authors": 190, "same openreview": 104, "merged by hand": 1},
        "aliases": 12,
        "by_hand": {"same": 1, "apart": 0},
    },
    "completeness": [{"source": "arxiv", "visits": {"ok": 20}, **_HELD, "days": [{"day": "2026-01-28", **_HELD}]}],
    "delay": [
        {
            "source": "arxiv",
            "entries": 911,
            "estimated": 0,
            "median_hours": 5.17,
            "p90_hours": 5.2,
            "longest_hours": 29.1,
            "within_24_hours": 0.9989,
        }
    ],
}
READY_EXAMPLE: dict[str, Any] = {
    "status": "ready",
    "database": {"kind": "postgresql", "reachable": True, "journal": None},
    "migrations": {"current": True, "reason": None},
    "sources": [
        {
            "source": "arxiv",
            "enabled": True,
            "outcome": "ok",
            "last_success": "2026-01-28T05:12:40Z",
            "failing_since": None,
            "next_due": "2026-01-29T05:00:00Z",
        }
    ],
}
DIGEST_EXAMPLE: dict[str, Any] = {
    "period": "2026-W05",
    "filter": {"topic": ["deep-learning"]},
    "sections": [{"topic": "deep-learning", "items": [CARD_EXAMPLE]}],
    "receipt": {},
}
CHOICES_EXAMPLE: dict[str, Any] = {
    "filter": {"topic": ["deep-learning"], "q": "survey -medical"},
    "cadence": "weekly",
    "weekday": 1,
    "hour": 7,
    "zone": "Europe/Berlin",
    "format": "html",
}
ASKED_EXAMPLE: dict[str, Any] = {
    "detail": "If this address can take mail from here, a question is on its way to it. Its link is good for 48 hours."
}
LEFT_EXAMPLE: dict[str, Any] = {"detail": "There is no subscription any more."}
CONFIRMED_EXAMPLE: dict[str, Any] = {
    "token": "Zm9yIGV4YW1wbGUsIG5vdCBhIHRva2VuIG9mIGFueWJvZHk",
    "subscription": {"state": "active", **CHOICES_EXAMPLE, "next_due": "2026-02-02T06:00:00Z"},
}
SUBSCRIPTION_EXAMPLE: dict[str, Any] = {
    "address": "ada@example.org",
    "state": "active",
    **CHOICES_EXAMPLE,
    "made": "2026-01-28T09:00:00Z",
    "confirmed": "2026-01-28T09:02:11Z",
    "consent": "2026-11",
    "next_due": "2026-02-02T06:00:00Z",
    "mails": [
        {
            "kind": "confirm",
            "period": None,
            "state": "sent",
            "made": "2026-01-28T09:00:00Z",
            "settled": "2026-01-28T09:00:10Z",
            "reason": None,
        }
    ],
}
