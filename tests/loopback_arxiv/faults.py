"""What goes wrong: which request meets which fault, and what a fault does to the text of an answer."""

from __future__ import annotations

import random
import re
import threading
import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache

from .wire import Request

FEEDS, OAI, LISTING, QUERY = "rss.arxiv.org", "oaipmh.arxiv.org", "arxiv.org", "export.arxiv.org"

STATUSES = ("429", "503")
CONNECTION = ("reset", "truncate", "drip", "silence", "huge", "gzip_bomb", "redirect_loop", "redirect_private")
CONTENT = ("stale_feed", "short_feed", "short_listing", "too_early", "bad_token")  # the papers differ, the form is whole
BOMB_BYTES = 128 * 2**20  # unpacked
HUGE_BYTES = 2**30  # an end even to the endless body, for readers without a limit
HOST_OF = {"stale_feed": FEEDS, "short_feed": FEEDS, "short_listing": LISTING, "too_early": OAI, "bad_token": OAI}
DEFAULT_SECONDS = {"drip": 2.0, "silence": 30.0}


@dataclass(frozen=True)
class Fault:
    """A fault and the requests that it meets.

    kind            what it does
    503, 429        the status, with Retry-After when `retry_after` is given (seconds, or a date with `retry_date`)
    reset           RST before any answer
    truncate        Content-Length of the whole body, half of it sent, connection closed
    cut             half of the body, with a Content-Length that is right for the half
    drip            the whole answer in twenty pieces over `seconds` (2)
    silence         no answer for `seconds` (30), then the connection is closed
    html_200        an HTML error page with status 200
    json_shape      a JSON object with status 200
    empty_page      the envelope without any entry, record or header; counts and tokens stay
    missing_fields  about a third of the elements of the entries are missing, one at least
    bad_dates       dates that are empty, far off or not dates
    duplicate_ids   the first entry twice, once under another title
    invalid_xml     stray markup and an end tag that is missing
    undefined_entity, html_title, wrong_encoding   in the titles; the last as Windows-1252 bytes in a UTF-8 document
    huge            a chunked body without end
    gzip_bomb       a small gzip body that unpacks to 128 MiB
    redirect_loop   to itself, for ever
    redirect_private  to an address that no client should follow
    stale_feed      (feeds) the announcement before today's, dated today
    short_feed      (feeds) half of the day's entries
    short_listing   (listing) fewer entries than the headings say
    too_early       (OAI lists) noRecordsMatch
    bad_token       (OAI, requests with a token) badResumptionToken
    """

    kind: str
    host: str | None = None  # only requests to this host
    path_contains: str | None = None  # only requests with this in `path?query`
    times: int | None = None  # so many requests, then no more
    rate: float | None = None  # this share of the requests, drawn from the seed
    retry_after: int | None = None  # seconds, for 503 and 429
    retry_date: bool = False  # Retry-After as an HTTP date
    seconds: float | None = None  # for drip and silence

    def __post_init__(self) -> None:
        """Refuse a kind that does not exist."""
        if self.kind not in KINDS:
            raise ValueError(f"no fault {self.kind!r}; there are {', '.join(sorted(KINDS))}")

    @property
    def duration(self) -> float:
        """Seconds that a drip or a silence takes."""
        return DEFAULT_SECONDS.get(self.kind, 0.0) if self.seconds is None else self.seconds

    def fits(self, asked: Request) -> bool:
        """Whether the request is one of those that this fault may meet."""
        target = f"{asked.path}?{asked.query}"
        if self.kind == "too_early" and not re.search(r"\bverb=List(Records|Identifiers)\b", target):
            return False
        if self.kind == "bad_token" and "resumptionToken=" not in target:
            return False
        return (
            asked.host == HOST_OF.get(self.kind, asked.host) == (self.host or asked.host)
            and (self.path_contains or "") in target
        )


Chooser = Callable[[Request], Fault | None]


class Plan:
    """Decides on the fault of each request: the first of a list that fits and whose turn it is, or what a function says."""

    def __init__(self, faults: Sequence[Fault] | Chooser = (), seed: int = 1) -> None:
        """Nothing has struck yet."""
        self.faults, self.seed = faults, seed
        self._lock = threading.Lock()
        self._seen: dict[int, tuple[Fault, int, int]] = {}  # identity -> (kept alive, requests that fitted, faults done)

    def choose(self, asked: Request) -> Fault | None:
        """The fault that this request meets."""
        if callable(self.faults):
            return self.faults(asked)
        with self._lock:
            return next((fault for n, fault in enumerate(self.faults) if fault.fits(asked) and self._strikes(n, fault)), None)

    def _strikes(self, place: int, fault: Fault) -> bool:
        _, fitted, done = self._seen.get(id(fault), (fault, 0, 0))
        drawn = fault.rate is None or random.Random(f"{self.seed} {place} {fitted}").random() < fault.rate
        struck = drawn and (fault.times is None or done < fault.times)
        self._seen[id(fault)] = (fault, fitted + 1, done + struck)
        return struck


# ---------------------------------------------------------------- spoiled texts
ENTRY = re.compile(r"<(item|entry|record)>.*?</\1>\n|<header(?: [^>]*)?>.*?</header>\n|<dt>.*?</dd>\n", re.DOTALL)
TITLE = re.compile(r"(<(?:title|dc:title)>|<span class='descriptor'>Title:</span>\n)(.*?)(\n?</)", re.DOTALL)
FIELD = re.compile(
    r"<(title|link|guid|pubDate|description|id|updated|published|summary|identifier|datestamp|date|authors|abstract|categories)"
    r"(?: [^>]*?)?(?:/>|>.*?</\1>)\n?"
    r"|(?:<div class='list-(?:title|authors|subjects)[^>]*>|<p class='mathjax'>).*?</(?:div|p)>\n",
    re.DOTALL,
)
DATE = re.compile(
    r"(<(pubDate|lastBuildDate|updated|published|datestamp|created|date|responseDate)>)[^<]*(</)|(new listings for )[^<]*"
)
BAD_DATES = ("", "2099-12-31T23:59:59Z", "some day soon", "0000-00-00", "Mon, 32 Foo 2026 25:61:00 XST")
HTML_PAGE = (
    "<!DOCTYPE html>\n<html><head><title>One moment, please</title></head><body><h1>Temporarily out of order</h1>"
    "<p>Try again in a few minutes.<br></body></html>\n"
)

Spoil = Callable[[str, random.Random], str]


def _in_entries(text: str, change: Callable[[str], str]) -> str:
    """The text with every entry changed."""
    return ENTRY.sub(lambda entry: change(entry[0]), text)


def _in_titles(text: str, change: Callable[[str], str]) -> str:
    """The text with the title of every entry changed."""
    return _in_entries(text, lambda entry: TITLE.sub(lambda m: m[1] + change(m[2]) + m[3], entry, count=1))


def _empty_page(text: str, rng: random.Random) -> str:
    return re.sub(r"<h3>\w+ submissions .*?</h3>\n", "", ENTRY.sub("", text))


def _missing_fields(text: str, rng: random.Random) -> str:
    fields = [found.span() for entry in ENTRY.finditer(text) for found in FIELD.finditer(text, *entry.span())]
    gone = {rng.randrange(len(fields)), *(n for n in range(len(fields)) if rng.random() < 0.3)} if fields else set()
    for n in sorted(gone, reverse=True):
        text = text[: fields[n][0]] + text[fields[n][1] :]
    return text


def _bad_dates(text: str, rng: random.Random) -> str:
    return DATE.sub(lambda m: (m[1] or m[4]) + rng.choice(BAD_DATES) + (m[3] or ""), text)


def _duplicate_ids(text: str, rng: random.Random) -> str:
    first = ENTRY.search(text)
    if not first:
        return text
    return text[: first.start()] + _in_titles(first[0], lambda title: f"Another title: {title}") + text[first.start() :]


def _invalid_xml(text: str, rng: random.Random) -> str:
    at = text.rfind("</", 0, len(text) * 2 // 3)
    return f"{text[:at]} & <b < {re.sub('</[a-zA-Z]+>', '', text[at:], count=1)}"


def _undefined_entity(text: str, rng: random.Random) -> str:
    return _in_titles(text, lambda title: f"{title} &nbsp;caf&eacute; &bogus;")


def _html_title(text: str, rng: random.Random) -> str:
    return _in_titles(text, lambda title: f"&lt;b onclick=&#34;x()&#34;&gt;{title}&lt;/b&gt; H&lt;sub&gt;2&lt;/sub&gt;O")


def _wrong_encoding(text: str, rng: random.Random) -> str:
    return _in_titles(text, lambda title: f"{title} \udc96 na\udcefve caf\udce9")  # lone surrogates are sent as single bytes


SPOILS: dict[str, Spoil] = {
    "cut": lambda text, rng: text[: len(text) // 2],
    "html_200": lambda text, rng: HTML_PAGE,
    "json_shape": lambda text, rng: '{"error": "the format has changed", "entries": {}}',
    "empty_page": _empty_page,
    "missing_fields": _missing_fields,
    "bad_dates": _bad_dates,
    "duplicate_ids": _duplicate_ids,
    "invalid_xml": _invalid_xml,
    "undefined_entity": _undefined_entity,
    "html_title": _html_title,
    "wrong_encoding": _wrong_encoding,
}
SPOILT_TYPES = {"html_200": "text/html; charset=utf-8", "json_shape": "application/json"}
KINDS = frozenset((*STATUSES, *CONNECTION, *CONTENT, *SPOILS))


@cache
def gzip_bomb() -> bytes:
    """A gzip body of about 125 kB that unpacks to 128 MiB of blanks."""
    packer = zlib.compressobj(9, wbits=31)
    blanks = b" " * 2**20
    return b"".join([packer.compress(blanks) for _ in range(BOMB_BYTES // len(blanks))]) + packer.flush()
