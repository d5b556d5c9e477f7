"""OpenReview: papers of ICLR, NeurIPS, ICML, COLM, CoRL, AISTATS, UAI, LoG, AutoML and TMLR with what was decided about them.

Offers: notes as JSON, 1,000 on a page, from https://api2.openreview.net (version 2) and, for venues of before about 2023,
https://api.openreview.net (version 1). Since July 2026 it answers anonymous calls with a challenge for people, so it wants an
account: `SKILLFEED_OPENREVIEW_USERNAME` and `SKILLFEED_OPENREVIEW_PASSWORD`. Off until it is switched on. Terms:
https://openreview.net/legal/terms; notes carry their own licence. Rate: not published; one request per second. Cadence: daily
to fortnightly.

A venue and year is a part. Pages that are unchanged since the last visit cost a request each and are not read.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import date, datetime, timedelta
from typing import Any

from catalog.errors import FetchError, ParseError
from catalog.outcomes import Outcome, Part, Run
from catalog.settings import Settings
from catalog.storage.sources import PartState
from ingest.attempts import soundest
from ingest.cadence import Cadence
from ingest.formats.openreview import Group, Notes, parse_login, parse_notes, parse_refusal
from ingest.papers.editions import years
from ingest.papers.volumes import VANISHING, digest
from ingest.source import History, Page, Visit

HOST, OLD_HOST = "https://api2.openreview.net", "https://api.openreview.net"
LIMIT = 64 * 1024 * 1024  # bytes; a page is about 5 MB
SECONDS = 120.0
ON_A_PAGE = 1000
PAGES = 100  # of one venue and year
TOKEN_SECONDS = 6 * 3600
FIRST_YEAR = 2018  # the first whose submissions say what became of them
CADENCE = Cadence(timedelta(days=1), timedelta(days=14))
CHALLENGED = "OpenReview answers accounts only: set SKILLFEED_OPENREVIEW_USERNAME and SKILLFEED_OPENREVIEW_PASSWORD"
_REFUSALS = frozenset({400, 401, 403})

#: Venue, track, first and last year (None: still running), id of the group.
_GROUPS: tuple[tuple[str, str, int, int | None, str], ...] = (
    ("ICLR", "", 2024, None, "ICLR.cc/{}/Conference"),
    ("NeurIPS", "", 2023, None, "NeurIPS.cc/{}/Conference"),
    ("NeurIPS", "Datasets and Benchmarks", 2023, 2023, "NeurIPS.cc/{}/Track/Datasets_and_Benchmarks"),
    ("NeurIPS", "Datasets and Benchmarks", 2024, None, "NeurIPS.cc/{}/Datasets_and_Benchmarks_Track"),
    ("NeurIPS", "Position Paper", 2025, None, "NeurIPS.cc/{}/Position_Paper_Track"),
    ("ICML", "", 2023, None, "ICML.cc/{}/Conference"),
    ("ICML", "Position Paper", 2025, None, "ICML.cc/{}/Position_Paper_Track"),
    ("COLM", "", 2024, None, "colmweb.org/COLM/{}/Conference"),
    ("CoRL", "", 2023, None, "robot-learning.org/CoRL/{}/Conference"),
    ("AISTATS", "", 2024, None, "aistats.org/AISTATS/{}/Conference"),
    ("UAI", "", 2023, None, "auai.org/UAI/{}/Conference"),
    ("LoG", "", 2023, None, "logconference.org/LOG/{}/Conference"),
    ("AutoML", "", 2023, None, "automl.cc/AutoML/{}/Conference"),
)
#: The same of version 1.
_OLD_GROUPS = (("ICLR", 2018, 2023, "ICLR.cc/{}/Conference"), ("NeurIPS", 2021, 2022, "NeurIPS.cc/{}/Conference"))
_JOURNALS = ((2022, Group("TMLR", "TMLR", 0)),)  # with the first year


def groups(wanted: Sequence[int]) -> tuple[Group, ...]:
    """The venues of the years, and the journals."""
    found = [Group(g.format(y), v, y, t) for v, t, a, z, g in _GROUPS for y in wanted if a <= y <= (z or y)]
    old = [Group(g.format(y), v, y, old=True) for v, a, z, g in _OLD_GROUPS for y in wanted if a <= y <= z]
    return (*found, *old, *(group for first, group in _JOURNALS if max(wanted, default=0) >= first))


class OpenReview:
    """The source `openreview`."""

    name = "openreview"
    homepage = "https://openreview.net/"
    summary = "Accepted papers of ICLR, NeurIPS, ICML, COLM, CoRL, AISTATS, UAI, LoG, AutoML and TMLR; wants an account"
    enabled = False

    def __init__(self, page: int = ON_A_PAGE) -> None:
        """`page` is the number of notes asked for at once."""
        self._page = page

    def steps(self, settings: Settings) -> int:
        """About a part for each venue and year."""
        return 2 * len(_GROUPS) + len(_JOURNALS)

    def visit(self, visit: Visit) -> None:
        """One visit, or with a window the editions of its years; raises FetchError or ParseError when the login fails."""
        wanted = years(visit.window, visit.now().date(), FIRST_YEAR)
        api = _Api(visit, self._page)
        for group in groups(wanted):
            part = visit.begin(group.id)
            try:
                _Reading(visit, part, group, wanted, api).read()
            except _Challenged:
                if api.account:
                    visit.fail(part, Outcome.FAILED, "OpenReview asks for a challenge although the login succeeded")
                else:
                    visit.fail(part, Outcome.FAILED if api.answered else Outcome.NOT_CONFIGURED, CHALLENGED)
                return
            except (FetchError, ParseError) as error:
                if isinstance(error, FetchError) and error.reason == "login":
                    raise
                visit.fail(part, Outcome.PARTIAL if part.counts.seen else Outcome.FAILED, str(error))

    def next_due(self, now: datetime, run: Run, history: History) -> datetime:
        """A day after a change, up to fourteen days while nothing changes."""
        return CADENCE.next_due(self.name, now, run, history)


class _Challenged(Exception):
    """The API wants to see a person."""


@dataclass(frozen=True, slots=True)
class _Leaf:
    """A page as it is remembered."""

    at: str  # where it begins: "" for the first one, else the parameter that asks for it
    keys: tuple[str, ...]  # papers
    rows: int
    last: str  # id of the last note
    total: int  # notes of the venue, as the first page states
    digest: str
    etag: str
    note: str = ""  # what is wrong with it and was so twice
    lost: int = 0  # notes that could not be read
    untold: int = 0  # submissions that do not say what became of them


class _Api:
    """The two hosts, with an account where one is set."""

    def __init__(self, visit: Visit, page: int) -> None:
        self._visit, self.page = visit, page
        self._user = visit.settings.openreview_username
        self._password = visit.settings.openreview_password.get_secret_value()
        self._tokens: dict[str, str] = {}
        self.account = bool(self._user and self._password)
        self.answered = False  # notes came

    def notes(self, group: Group, at: str, etag: str, latest: date) -> tuple[Notes, str, str] | None:
        """Notes of a page with digest and validator of the answer, None when unchanged.

        A venue that does not exist has no notes. Raises FetchError, ParseError, and _Challenged.
        """
        host = OLD_HOST if group.old else HOST
        what = {"invitation": f"{group.id}/-/Blind_Submission"} if group.old else {"content.venueid": group.id, "sort": "id"}
        name, _, value = at.partition("=")
        place = {name: value} if at else {"count": "true"}
        answer = self._visit.http.get(
            f"{host}/notes",
            {**what, "limit": str(self.page), **place},
            etag=etag,
            limit=LIMIT,
            total=SECONDS,
            also=frozenset({403, 404}),
            headers=self._headers(host),
        )
        if answer.status == 403:
            refusal = self._visit.parse(parse_refusal, answer)
            if refusal == "ChallengeRequiredError":
                raise _Challenged
            raise FetchError(answer.url, "http-403", f"the host answered 403 {refusal}".strip(), status=403)
        self.answered = True
        if answer.not_modified:
            return None
        if answer.status == 404:
            return Notes(count=0), "", ""
        return self._visit.parse(parse_notes, answer, OpenReview.name, group, latest), digest([answer.body]), answer.etag

    def _headers(self, host: str) -> dict[str, str]:
        if not self.account:
            return {}
        if host not in self._tokens:
            self._tokens[host] = self._login(f"{host}/login")
        return {"Authorization": f"Bearer {self._tokens[host]}"}

    def _login(self, url: str) -> str:
        """A token; raises FetchError with the reason "login"."""
        request = {"id": self._user, "password": self._password, "expiresIn": TOKEN_SECONDS}
        try:
            answer = self._visit.http.post(url, request, also=_REFUSALS)
            if answer.status != 200:
                refusal = self._visit.parse(parse_refusal, answer) or f"status {answer.status}"
                raise FetchError(url, "login", f"the login is refused: {refusal}", status=answer.status)
            return self._visit.parse(parse_login, answer)
        except ParseError as error:
            raise FetchError(url, "login", str(error)) from None
        except FetchError as error:
            raise FetchError(url, "login", str(error).partition(": ")[2], retry_after=error.retry_after) from None


class _Reading:
    """The notes of one venue and year, page by page."""

    def __init__(self, visit: Visit, part: Part, group: Group, wanted: Sequence[int], api: _Api) -> None:
        self._visit, self._part, self._group, self._api = visit, part, group, api
        self._state = visit.state(part.name)
        cursor = self._state.cursor
        self._leaves = [_Leaf(**{**leaf, "keys": tuple(leaf["keys"])}) for leaf in cursor.get("pages", [])]
        self._doubts = frozenset(cursor.get("doubts", []))
        # A journal has one list for all years; those that were asked for once stay.
        self._years = sorted(set(wanted) | set(cursor.get("years", []))) if not group.year else []
        self._known = {leaf.at: leaf for leaf in self._leaves if self._years == cursor.get("years", [])}
        self._latest = visit.now().date() + timedelta(days=1)
        self._damage: list[str] = []
        self._digests: list[str] = []  # of answers that are to come twice before they are believed
        self._removed: set[str] = set()

    def read(self) -> None:
        """Read what has changed, store it and say how the part stands; raises what asking raises."""
        now = list(self._walk())
        before = {k for leaf in self._leaves for k in leaf.keys}
        keys = {k for leaf in now for k in leaf.keys}
        rows, total = sum(leaf.rows for leaf in now), now[0].total if now else 0
        vanished = sorted(before - keys - self._removed)
        whole = digest([leaf.digest.encode() for leaf in now])
        if vanished:
            self._digests.append(whole)
        believed = not vanished or whole in self._doubts
        stale = bool(vanished) and (not believed or bool(self._damage) or len(vanished) > VANISHING * len(before))
        notes = [leaf.note for leaf in now if leaf.note]
        if rows != total:
            self._damage.append(f"the list states {total:,} notes and has {rows:,}")
        self._settle(now, vanished, sound=not stale and not self._damage)
        self._part.announced = len(keys) + max(0, total - rows) + sum(leaf.lost for leaf in now)
        self._part.held = len(self._visit.held(keys))
        self._part.outcome = Outcome.OK if self._part.announced else Outcome.EMPTY
        for note in dict.fromkeys([*self._damage, *notes]):
            self._visit.fail(self._part, Outcome.PARTIAL, note)
        untold = sum(leaf.untold for leaf in now)
        if untold and not keys:
            self._visit.fail(self._part, Outcome.PARTIAL, f"{untold:,} submissions do not say what became of them")
        if stale:
            note = f"{len(vanished):,} of {len(before):,} papers that are held are not listed any more"
            self._visit.fail(self._part, Outcome.STALE, note)

    def _settle(self, now: Sequence[_Leaf], vanished: Sequence[str], *, sound: bool) -> None:
        """Remember the pages when they are believed, else that they came."""
        if sound:
            cursor: dict[str, Any] = {"pages": [asdict(leaf) for leaf in now]} | ({"years": self._years} if self._years else {})
        else:
            cursor = {**self._state.cursor, "doubts": sorted(self._digests)}
        state = PartState(cursor)
        removed = vanished if sound else []
        if removed or (now and now != self._leaves) or not sound:
            self._visit.keep(self._part, Page(removed=removed, state=state))

    def _walk(self) -> Iterator[_Leaf]:
        """The pages in order, stored as they come; those that are unchanged as they are remembered."""
        at, rows, total = "", 0, 0
        seen: set[str] = set()
        by_number = self._group.old
        for _ in range(PAGES):
            leaf, notes = self._page(at, rows, total)
            if notes and notes.ids and notes.ids[0] in seen and not by_number:
                # The API does not know `after`, and gave an earlier page again.
                by_number, at = True, f"offset={rows}"
                continue
            total = leaf.total if not at else total
            rows += leaf.rows
            seen.update(leaf.keys, notes.ids if notes else ())
            if notes:
                leaf = self._store(leaf, notes)
            yield leaf
            if not leaf.rows or rows >= total:
                return
            at = f"offset={rows}" if by_number else f"after={leaf.last}"

    def _page(self, at: str, before: int, total: int) -> tuple[_Leaf, Notes | None]:
        """A page, asked for again while it is damaged; its notes are None when it is unchanged."""
        known = self._known.get(at)

        def read() -> tuple[_Leaf, Notes | None]:
            found = self._api.notes(self._group, at, known.etag if known else "", self._latest)
            if found is None:
                if known is None:
                    raise ParseError("not-modified", "the host calls a page unchanged that was not read before")
                return known, None
            notes, mark, etag = found
            if known and mark and mark == known.digest:
                return replace(known, etag=etag), None
            if self._years:
                chosen = tuple(e for e in notes.entries if e.year in self._years)
                notes = replace(notes, entries=chosen)
            keys = tuple(e.key for e in notes.entries)
            last = notes.ids[-1] if notes.ids else ""
            return _Leaf(at, keys, notes.rows, last, notes.count or 0, mark, etag, untold=notes.untold), notes

        def loss(found: tuple[_Leaf, Notes | None]) -> int:
            notes = found[1]
            if notes is None:
                return 0
            unstated = not at and notes.count is None
            stated = (notes.count or 0) if not at else total
            return notes.loss + unstated + max(0, min(self._api.page, stated - before) - notes.rows)

        leaf, notes = soundest(read, loss)
        if notes is not None and not at and notes.count is None:
            leaf = replace(leaf, total=notes.rows)
            self._damage.append("the list does not say how many notes it has")
        return leaf, notes

    def _store(self, leaf: _Leaf, notes: Notes) -> _Leaf:
        """Store a page's papers; words out of a damaged page replace none that are held until the page came twice."""
        lost = ", ".join(f"{n} {reason}" for reason, n in sorted(notes.rejected.items()))
        note = "; ".join(filter(None, (f"notes were lost: {lost}" if lost else "", notes.markup)))
        believed = not note or leaf.digest in self._doubts
        if note:
            self._digests.append(leaf.digest)
        if not believed:
            self._damage.append(note)
        held = self._visit.held([*leaf.keys, *notes.removed])
        fresh = [e for e in notes.entries if believed or e.key not in held]
        removed = [k for k in notes.removed if k in held] if believed else []
        self._removed.update(removed)
        passed = max(0, notes.rows - len(fresh) - len(removed) - sum(notes.rejected.values()))
        self._visit.keep(self._part, Page(fresh, removed, notes.rejected, passed=passed))
        return replace(leaf, note=note, lost=sum(notes.rejected.values()))
