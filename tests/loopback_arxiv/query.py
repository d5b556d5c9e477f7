"""export.arxiv.org/api/query: the search interface."""

from __future__ import annotations

import base64
import datetime as dt
import hashlib
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from .papers import Snapshot
from .wire import Answer, Archive, element, iso, one_line, quoted, split_author, unicode_text

ATOM = "application/atom+xml; charset=utf-8"
HEAD = (
    "<?xml version='1.0' encoding='UTF-8'?>\n<feed xmlns:opensearch=\"http://a9.com/-/spec/opensearch/1.1/\" "
    'xmlns:arxiv="http://arxiv.org/schemas/atom" xmlns="http://www.w3.org/2005/Atom">\n'
)
SCHEME = 'scheme="http://arxiv.org/schemas/atom"'
MAX_PAGE, MAX_REACH = 2000, 30_000
ID_FORM = re.compile(r"(?:\d{4}\.\d{4,5}|[a-z-]+(?:\.[A-Z]{2})?/\d{7})(?:v\d+)?")
ORDERS: dict[str, Callable[[Snapshot], tuple[dt.datetime, str]]] = {
    "relevance": lambda paper: (paper.paper.submitted, paper.id),  # here: the newest is the most relevant
    "submittedDate": lambda paper: (paper.paper.submitted, paper.id),
    "lastUpdatedDate": lambda paper: (paper.updated, paper.id),
}
TEXTS: dict[str, Callable[[Snapshot], str]] = {
    "ti": lambda paper: paper.title,
    "abs": lambda paper: paper.abstract,
    "au": lambda paper: ", ".join(paper.paper.authors),
    "co": lambda paper: paper.comment or "",
    "jr": lambda paper: paper.paper.journal or "",
}

Test = Callable[[Snapshot], bool]


class QueryError(ValueError):
    """The request cannot be understood."""


@dataclass(frozen=True)
class _Asked:
    """A request after its parameters were checked."""

    text: str
    ids: tuple[str, ...]
    start: int
    size: int
    order: str
    ascending: bool

    @classmethod
    def of(cls, params: Mapping[str, str]) -> _Asked:
        """Read the parameters or raise QueryError."""
        ids = tuple(part.strip() for part in params.get("id_list", "").split(",") if part.strip())
        for identifier in ids:
            if not ID_FORM.fullmatch(identifier):
                raise QueryError(f"incorrect id format for {identifier}")
        start, size = _whole(params, "start", 0), _whole(params, "max_results", 10)
        if size > MAX_REACH:
            raise QueryError(f"max_results must be less than or equal to {MAX_REACH}")
        order, way = params.get("sortBy") or "relevance", params.get("sortOrder") or "descending"
        if order not in ORDERS:
            raise QueryError(f"sortBy must be in: {', '.join(ORDERS)}")
        if way not in ("ascending", "descending"):
            raise QueryError("sortOrder must be in: ascending, descending")
        return cls(params.get("search_query", "").strip(), ids, start, size, order, way == "ascending")


def query(archive: Archive, params: Mapping[str, str]) -> Answer:
    """The answer to one request."""
    try:
        asked = _Asked.of(params)
        found = _select(archive, asked)
    except QueryError as error:
        return _error(archive, str(error))
    shown = found[asked.start : asked.start + min(asked.size, MAX_PAGE)] if asked.start < MAX_REACH else []
    title = f"search_query={asked.text}&id_list={','.join(asked.ids)}&start={asked.start}&max_results={asked.size}"
    link = f"https://arxiv.org/api/query?{title}"
    name = base64.urlsafe_b64encode(hashlib.sha256(title.encode()).digest()[:20]).decode().rstrip("=")
    return Answer(
        HEAD
        + element("id", f"https://arxiv.org/api/{name}")
        + element("title", f"arXiv Query: {title}")
        + element("updated", _now(archive))
        + f'<link href={quoted(link)} type="application/atom+xml"/>\n'
        + _counts(asked.size, len(found), asked.start)
        + "".join(map(_entry, shown))
        + "</feed>\n",
        ATOM,
    )


def _whole(params: Mapping[str, str], name: str, default: int) -> int:
    text = params.get(name) or str(default)
    if not re.fullmatch(r"-?\d+", text):
        raise QueryError(f"{name} must be an integer")
    if int(text) < 0:
        raise QueryError(f"{name} must be non-negative")
    return int(text)


def _select(archive: Archive, asked: _Asked) -> list[Snapshot]:
    """The papers found, in order; a list of identifiers keeps its own unless another is asked for."""
    test = _Parser(asked.text).parse() if asked.text else None
    if asked.ids:
        named = [paper for identifier in asked.ids if (paper := archive.version(identifier)) is not None and not paper.deleted]
        found = [paper for paper in named if test is None or test(paper)]
        if asked.order == "relevance":
            return found
    else:
        found = [paper for paper in archive.living if test is not None and test(paper)]
    return sorted(found, key=ORDERS[asked.order], reverse=not asked.ascending)


def _now(archive: Archive) -> str:
    return iso(dt.datetime.combine(archive.today, dt.time(6), dt.UTC))


def _counts(per_page: int, total: int, start: int) -> str:
    counts = {"itemsPerPage": per_page, "totalResults": total, "startIndex": start}
    return "".join(element(f"opensearch:{name}", str(number)) for name, number in counts.items())


def _entry(paper: Snapshot) -> str:
    history, page = paper.paper, f"arxiv.org/abs/{paper.full_id}"
    doi_link = f'<link rel="related" href={quoted(f"https://doi.org/{history.doi}")} title="doi"/>\n' if history.doi else ""
    return (
        "<entry>\n"
        + element("id", f"http://{page}")
        + element("title", one_line(unicode_text(paper.title)))
        + element("updated", iso(paper.updated))
        + f'<link href="https://{page}" rel="alternate" type="text/html"/>\n'
        + f'<link href="https://arxiv.org/pdf/{paper.full_id}" rel="related" type="application/pdf" title="pdf"/>\n'
        + element("summary", unicode_text(paper.abstract))
        + "".join(f"<category term={quoted(category)} {SCHEME}/>\n" for category in paper.categories)
        + element("published", iso(history.submitted))
        + element("arxiv:comment", paper.comment)
        + f"<arxiv:primary_category term={quoted(paper.categories[0])}/>\n"
        + element("arxiv:journal_ref", history.journal)
        + "".join(_author(*split_author(unicode_text(author))) for author in history.authors)
        + element("arxiv:doi", history.doi)
        + doi_link
        + "</entry>\n"
    )


def _author(name: str, affiliation: str | None) -> str:
    return f"<author>\n{element('name', name)}{element('arxiv:affiliation', affiliation)}</author>\n"


def _error(archive: Archive, message: str) -> Answer:
    """HTTP 400 with a feed of one entry that names the error."""
    address = "https://arxiv.org/api/errors#" + re.sub(r"\W+", "_", message)
    return Answer(
        HEAD
        + element("id", "https://arxiv.org/")
        + element("title", "arXiv Search Results")
        + element("updated", _now(archive))
        + _counts(1, 1, 0)
        + "<entry>\n"
        + element("id", address)
        + element("title", "Error")
        + element("updated", _now(archive))
        + f'<link href={quoted(address)} rel="alternate" type="text/html"/>\n'
        + element("summary", message)
        + _author("arXiv api core", None)
        + "</entry>\n</feed>\n",
        ATOM,
        400,
    )


# ---------------------------------------------------------------- search_query
class _Parser:
    """search_query as a test of papers. AND and ANDNOT bind closer than OR; terms side by side are joined by AND."""

    TOKEN = re.compile(r'[()]|\w+:"[^"]*"|\w+:\[[^\]]*\]|"[^"]*"|[^\s()]+')

    def __init__(self, text: str) -> None:
        self.tokens: list[str] = self.TOKEN.findall(text)

    def parse(self) -> Test:
        """The whole query."""
        test = self.any_of()
        if self.tokens:
            raise QueryError("unbalanced parentheses in search_query")
        return test

    def any_of(self) -> Test:
        """all_of (OR all_of)*"""
        tests = [self.all_of()]
        while self.tokens and self.tokens[0] == "OR":
            self.tokens.pop(0)
            tests.append(self.all_of())
        return lambda paper: any(test(paper) for test in tests)

    def all_of(self) -> Test:
        """term ((AND | ANDNOT)? term)*"""
        tests = [(True, self.term())]
        while self.tokens and self.tokens[0] not in ("OR", ")"):
            operator = self.tokens.pop(0) if self.tokens[0] in ("AND", "ANDNOT") else "AND"
            tests.append((operator == "AND", self.term()))
        return lambda paper: all(test(paper) is wanted for wanted, test in tests)

    def term(self) -> Test:
        """( any_of ) | field:value | value"""
        token = self.tokens.pop(0) if self.tokens else ""
        if token == "(":
            test = self.any_of()
            if not self.tokens:
                raise QueryError("unbalanced parentheses in search_query")
            self.tokens.pop(0)
            return test
        if token in ("", ")", "AND", "OR", "ANDNOT"):
            raise QueryError("malformed search_query")
        name, colon, value = token.partition(":")
        return _field_test(name, value.strip('"')) if colon else _field_test("all", token.strip('"'))


def _field_test(name: str, value: str) -> Test:
    """The test of one field."""
    if name in ("submittedDate", "lastUpdatedDate"):
        first, last = _dates(name, value)
        instant = ORDERS[name]
        return lambda paper: first <= instant(paper)[0].astimezone(dt.UTC).strftime("%Y%m%d%H%M%S") <= last
    if name == "cat":
        pattern = re.compile(re.escape(value).replace(r"\*", ".*"), re.IGNORECASE)
        return lambda paper: any(pattern.fullmatch(category) for category in paper.categories)
    if name == "id":
        return lambda paper: value in (paper.id, paper.full_id)
    if name != "all" and name not in TEXTS:
        raise QueryError(f"unknown field {name} in search_query")
    fields, needle = list(TEXTS.values()) if name == "all" else [TEXTS[name]], _plain(value)
    return lambda paper: any(needle in _plain(text(paper)) for text in fields)


def _dates(name: str, value: str) -> tuple[str, str]:
    """Both ends of `[YYYYMMDDHHMM TO YYYYMMDDHHMM]` as fourteen digits."""
    found = re.fullmatch(r"\[\s*(\d{8}(?:\d\d){0,3})\s+TO\s+(\d{8}(?:\d\d){0,3})\s*\]", value)
    if not found:
        raise QueryError(f"malformed {name} range")
    return found[1].ljust(14, "0"), found[2] + "235959"[len(found[2]) - 8 :]


def _plain(text: str) -> str:
    """Lower-case words between single blanks."""
    words = re.findall(r"[^\W_]+", unicode_text(text).lower())
    return f" {' '.join(words)} "
