"""Proceedings of Machine Learning Research: ICML, AISTATS, COLT, UAI, CoRL, ACML, ALT, MIDL and others, and workshops.

Offers: a feed and a list of volumes at https://proceedings.mlr.press/, for each volume its papers as `citeproc.yaml` and
`bibliography.bib`, and its configuration at https://raw.githubusercontent.com/mlresearch/. All are static files with
validators. Specification: https://proceedings.mlr.press/spec.html. Papers belong to their authors; metadata and abstracts are
published for citing. Rate: none is stated; one request at a time, `SKILLFEED_HOST_GAP_SECONDS` apart. Cadence: daily while
something changes, weekly when nothing does.

A volume's number says little of its year, as numbers are given when a meeting asks for one. The configurations are read from
the newest number down, until many in a row are too old, and remembered. A volume is read again for 60 days after it appeared:
late corrections come then.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator, Mapping
from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import Any

from catalog.errors import FetchError, ParseError
from catalog.outcomes import Outcome, Part, Run
from catalog.settings import Settings
from catalog.storage.sources import NOTHING, PartState
from ingest.attempts import HARMLESS, soundest
from ingest.cadence import Cadence
from ingest.formats.paper_list import PaperList
from ingest.formats.pmlr import (
    Meeting,
    Volumes,
    parse_bibliography,
    parse_citeproc,
    parse_config,
    parse_feed,
    parse_list,
)
from ingest.papers.editions import years
from ingest.papers.files import LIMIT, SECONDS, damage, read_file
from ingest.papers.volumes import Volume, digest, settled, store, unchanged, unpublished
from ingest.source import History, Page, Visit

FEED = "https://proceedings.mlr.press/feed.xml"
LIST = "https://proceedings.mlr.press/proceedings.yaml"
CONFIG = "https://raw.githubusercontent.com/mlresearch/{}/gh-pages/_config.yml"
CONFIG_LIMIT = 1024 * 1024  # bytes; they have 2 kB
CITEPROC = "https://proceedings.mlr.press/{}/assets/bib/citeproc.yaml"
BIBLIOGRAPHY = "https://proceedings.mlr.press/{}/assets/bib/bibliography.bib"
FIRST_YEAR = 1990  # reissues go back that far
ENOUGH = 40  # volumes in a row that are too old, after which older numbers are not asked
CORRECTED_DAYS = 60  # after it appeared a volume is read again
NAMED = 3  # volumes that a message names
SAVED = 25  # configurations read between two savings
LIST_PART = "volumes"
DOWN = frozenset({"asked-to-wait", "broken-off", "host-down", "timeout", "unreachable"})  # the volumes' host is the same


class Pmlr:
    """The source `pmlr`."""

    name = "pmlr"
    homepage = "https://proceedings.mlr.press/"
    summary = "Proceedings of Machine Learning Research: ICML, AISTATS, COLT, UAI, CoRL and others"
    enabled = True

    def steps(self, settings: Settings) -> int:
        """The list, and the volumes of a few months."""
        return 10

    def visit(self, visit: Visit) -> None:
        """Read the volumes of this and last year, or of those in the window, and those that appeared since the last visit."""
        wanted = years(visit.window, visit.now().date(), FIRST_YEAR)
        part = visit.begin(LIST_PART)
        shelf = _Shelf(visit, part)
        if not shelf.read():
            return
        nothing = True
        for name in shelf.chosen(wanted):
            nothing = False
            if visit.window is not None or not _ended(visit, name, shelf.facts(name)):
                self._volume(visit, shelf, name, wanted)
        shelf.save()
        if nothing and part.outcome is Outcome.OK:
            part.outcome = Outcome.EMPTY
        if shelf.unread:
            told = "; ".join(shelf.unread[:NAMED]) + (f"; and {len(shelf.unread) - NAMED} more" if shelf.unread[NAMED:] else "")
            visit.fail(part, Outcome.PARTIAL, f"configurations could not be read: {told}")

    def next_due(self, now: datetime, run: Run, history: History) -> datetime:
        """A day after the last change, later while there is none, at most a week."""
        return Cadence(timedelta(days=1), timedelta(days=7)).next_due(self.name, now, run, history)

    def _volume(self, visit: Visit, shelf: _Shelf, name: str, wanted: Collection[int]) -> None:
        """Read a volume; without a part when it turns out to be of no year that is wanted, or to be no more than a number."""
        meeting, state, prefix = shelf.learn(name), visit.state(name), f"{name}/"
        facts = {"meeting": meeting.stored() if meeting else {}}  # venue and year follow from it
        known = state if state.cursor.get("meeting") == facts["meeting"] else NOTHING
        trouble = ""
        try:
            volume = read_file(visit, CITEPROC.format(name), known, prefix, parse_citeproc, name, meeting, _latest(visit))
        except FetchError as error:
            if error.status != 404:
                visit.fail(visit.begin(name), Outcome.FAILED, str(error))
            elif meeting is not None:
                unpublished(visit, visit.begin(name), prefix)
            return
        except ParseError as error:
            volume, trouble = Volume(prefix, PaperList(), ""), str(error)
        if volume is None:
            unchanged(visit, visit.begin(name), state)
            return
        if damage(volume.papers) or volume.papers.announced < state.cursor.get("announced", 0):
            volume, more = self._completed(visit, name, meeting, volume)
            trouble = "; ".join(filter(None, (trouble, more)))
        if not shelf.accepts(name, volume.papers, wanted):
            return
        part = visit.begin(name)
        if volume.papers.announced:
            store(visit, part, state, replace(volume, facts=facts), lambda _: False)
        elif trouble:
            visit.fail(part, Outcome.FAILED, trouble)
        elif meeting and meeting.published and not visit.standing(prefix):
            visit.fail(part, Outcome.STALE, f"{name} was published on {meeting.published} and names no paper")
        else:
            unpublished(visit, part, prefix)

    def _completed(self, visit: Visit, name: str, meeting: Meeting | None, volume: Volume) -> tuple[Volume, str]:
        """The volume with the papers that only `bibliography.bib` has whole, and why that could not be read, if so.

        A volume that needed it has no validators: its own file is asked for again in any case.
        """
        papers, first = volume.papers, next(iter(volume.papers.entries), None)
        if meeting is None and first is not None:
            meeting = Meeting(first.venue, year=first.year, published=first.announced)
        bodies: list[bytes] = []

        def read() -> PaperList:
            answer = visit.http.get(BIBLIOGRAPHY.format(name), limit=LIMIT, total=SECONDS)
            bodies[:] = [answer.body]
            return visit.parse(parse_bibliography, answer, name, meeting, _latest(visit))

        try:
            other = soundest(read, lambda found: found.loss)
        except FetchError as error:
            return volume, "" if error.status == 404 else str(error)
        except ParseError as error:
            return volume, str(error)
        both = papers.followed_by(replace(other, rejected=Counter()))
        lost = max(papers.announced, other.announced) - len(both.entries)
        harmless = Counter({reason: n for reason, n in papers.rejected.items() if reason in HARMLESS})
        rejected = harmless + Counter({"unreadable": lost})
        whole = PaperList(both.entries, rejected, papers.damage)
        return replace(volume, papers=whole, digest=digest([volume.digest.encode(), *bodies]), etag="", last_modified=""), ""


class _Shelf:
    """The volumes that are known, and what their configurations say; kept in the cursor of the list.

    Of each: what `Meeting` holds; `etag` of the configuration, when that was read and believed; `doubt`, the digest of one that
    lacks something; `bare`, when there is none; `since`, the day on which the volume appeared, unless it was in the list when
    that was read first.
    """

    def __init__(self, visit: Visit, part: Part) -> None:
        self._visit, self._part = visit, part
        self._state = visit.state(LIST_PART)
        self._known: dict[str, dict[str, Any]] = {k: dict(v) for k, v in self._state.cursor.get("volumes", {}).items()}
        self._validators = (self._state.etag, self._state.last_modified)
        self._learned: set[str] = set()
        self.unread: list[str] = []  # volumes whose configuration is there and was never read whole, and why

    def facts(self, name: str) -> dict[str, Any]:
        """What is known of a volume."""
        return self._known[name]

    def read(self) -> bool:
        """Read the list; False when there is no use in going on."""
        errors: list[FetchError | ParseError] = []
        feed: Volumes | None = Volumes(())
        validators = PartState({})
        try:
            feed, validators = soundest(self._feed, lambda read: self._damage(read[0]))
        except (FetchError, ParseError) as error:
            errors.append(error)
        if feed is None:
            self._part.outcome = Outcome.OK
            return True
        sound = not errors and not self._damage(feed)
        listed = Volumes(())
        try:
            listed = soundest(self._list, self._damage)
        except (FetchError, ParseError) as error:
            errors.append(error)
        names = dict.fromkeys(feed.names + listed.names)
        if sound:
            self._validators = (validators.etag, validators.last_modified)
        elif self._damage(listed):
            told = dict.fromkeys(str(e) for e in errors)
            why = "; ".join(told) or f"it names {len(names)} volumes, {len(self._known)} are known"
            down = len(errors) == 2 and all(e.reason in DOWN for e in errors)
            go_on = bool(self._known) and not down
            self._visit.fail(self._part, Outcome.PARTIAL if go_on else Outcome.FAILED, f"list of volumes: {why}")
            if not go_on:  # what a damaged first list lacks would be taken for new later
                return False
        if not self._part.error:
            self._part.outcome = Outcome.OK
        appeared = {"since": self._visit.now().date().isoformat()} if self._known else {}
        for name in names:
            self._known.setdefault(name, dict(appeared))
        return True

    def chosen(self, wanted: Collection[int]) -> Iterator[str]:
        """The volumes of the years, newest number first, and without a window those that appeared since the first visit.

        A volume whose year only its papers can tell is among them; reissues are, without a window, only when they are new.
        """
        first = min(wanted, default=date.max.year)
        old = 0  # volumes in a row that are older than `first`
        for name in sorted(self._known, key=lambda n: (n[0] == "v", int(n[1:])), reverse=True):
            facts = self._known[name]
            new = self._visit.window is None and "since" in facts
            if name[0] == "r" and self._visit.window is None and not new:
                continue
            near = new or name[0] == "r" or old < ENOUGH
            if near and "etag" not in facts:
                self.learn(name)
            if new or facts.get("year") in wanted or (near and "year" not in facts):
                yield name
            if year := facts.get("year"):
                old = old + 1 if year < first else 0

    def learn(self, name: str) -> Meeting | None:
        """What the volume's configuration says, asked for once in a visit; None when none was ever read."""
        facts = self._known[name]
        if name not in self._learned:
            self._learned.add(name)
            self._ask(name, facts)
            if len(self._learned) % SAVED == 0:
                self.save()
        return _meeting(facts)

    def accepts(self, name: str, papers: PaperList, wanted: Collection[int]) -> bool:
        """True when the papers are to be kept: they may tell a year that nothing told before."""
        facts = self._known[name]
        if papers.entries:
            facts.setdefault("year", papers.entries[0].year)
            days = [e.announced for e in papers.entries if e.announced]
            if days:
                facts.setdefault("published", max(days).isoformat())
        new = self._visit.window is None and "since" in facts
        return new or "year" not in facts or facts["year"] in wanted

    def save(self) -> None:
        """Store what is known now."""
        state = PartState({"volumes": self._known}, *self._validators)
        if state != self._state:
            self._visit.keep(self._part, Page(state=state))
            self._state = replace(state, cursor={"volumes": {k: dict(v) for k, v in self._known.items()}})

    def _ask(self, name: str, facts: dict[str, Any]) -> None:
        """Read the configuration into the facts; what was read and believed before stays when it cannot be had."""

        def read() -> tuple[Meeting, bool, str, str] | None:
            answer = self._visit.http.get(CONFIG.format(name), etag=facts.get("etag", ""), limit=CONFIG_LIMIT)
            if answer.not_modified:
                return None
            return *self._visit.parse(parse_config, answer, _latest(self._visit)), digest([answer.body]), answer.etag

        try:
            got = soundest(read, lambda got: int(got is not None and not got[1]))
        except (FetchError, ParseError) as error:
            if "etag" in facts:
                return
            if isinstance(error, FetchError) and error.status == 404:
                facts["bare"] = True
            else:
                self.unread.append(f"{name}: {error}")
            return
        if got is None:
            return
        meeting, whole, mark, etag = got
        since = {"since": facts["since"]} if "since" in facts else {}
        if whole or mark == facts.get("doubt"):  # what lacks something twice in the same way is as it should be
            facts.clear()
            facts.update(meeting.stored() | since | {"etag": etag})
        elif "etag" not in facts:
            self.unread.append(f"{name}: it lacks a name or a date")
            facts.clear()
            facts.update(meeting.stored() | since | {"doubt": mark})

    def _feed(self) -> tuple[Volumes | None, PartState]:
        """The volumes of the feed, None when it is unchanged, and its validators."""
        answer = self._visit.http.get(FEED, etag=self._validators[0], last_modified=self._validators[1])
        validators = PartState({}, answer.etag, answer.last_modified)
        if answer.not_modified and self._known:
            return None, validators
        return self._visit.parse(parse_feed, answer), validators

    def _list(self) -> Volumes:
        return self._visit.parse(parse_list, self._visit.http.get(LIST))

    def _damage(self, listed: Volumes | None) -> int:
        """0 for a list that is unchanged or whole: it may not name fewer volumes than are known."""
        if listed is None:
            return 0
        return listed.lost + max(0, max(1, len(self._known)) - len(listed.names))


def _meeting(facts: Mapping[str, Any]) -> Meeting | None:
    """The meeting as the configuration says, believed or not; None when none was read."""
    return Meeting.restored(facts) if "etag" in facts or "doubt" in facts else None


def _ended(visit: Visit, name: str, facts: Mapping[str, Any]) -> bool:
    """True for a volume that was read whole and appeared so long ago that no corrections are expected."""
    state, meeting = visit.state(name), _meeting(facts)
    days = [day for day in (facts.get("published"), facts.get("since")) if day]
    if not days or not settled(state) or "doubt" in state.cursor or not {"etag", "bare"} & facts.keys():
        return False
    if state.cursor.get("meeting") != (meeting.stored() if meeting else {}):
        return False
    return date.fromisoformat(max(days)) + timedelta(days=CORRECTED_DAYS) < visit.now().date()


def _latest(visit: Visit) -> date:
    """The last date that is believed; a day ahead for time zones."""
    return visit.now().date() + timedelta(days=1)
