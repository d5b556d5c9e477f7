"""oaipmh.arxiv.org/oai: OAI-PMH 2.0 as arXiv speaks it. Protocol errors come with HTTP 200."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable, Mapping, Sequence
from urllib.parse import parse_qsl, quote, unquote, urlencode

from .papers import ARCHIVES, CATEGORIES, GROUPS, PHYSICS, Snapshot, Version, both_names, set_of
from .wire import Answer, Archive, element, iso, quoted, split_author, unicode_text, xml

BASE = "https://oaipmh.arxiv.org/oai"
EARLIEST = dt.date(2005, 9, 16)
PREFIX = "oai:arXiv.org:"
XSI = 'xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"'
LISTS = ("ListRecords", "ListIdentifiers")
SELECTORS = ("metadataPrefix", "from", "until", "set")
SUFFIXES = {"Jr", "Jr.", "Sr", "Sr.", "II", "III", "IV"}

Params = Mapping[str, str]


class OaiError(Exception):
    """A protocol error; `shown` are the attributes of <request>, which bad verbs and arguments go without."""

    def __init__(self, code: str, reason: str, shown: Params | None = None) -> None:
        """`reason` is the text of <error>."""
        super().__init__(reason)
        self.code, self.reason, self.shown = code, reason, shown or {}


def oai(archive: Archive, pairs: Sequence[tuple[str, str]], *, page: int = 2500, spoiled_token: bool = False) -> Answer:
    """The answer to one request; `page` is the number of records or headers at a time."""
    params = dict(pairs)
    try:
        if len(params) != len(pairs):
            raise OaiError("badArgument", "Duplicate parameters not allowed")
        if spoiled_token:
            raise OaiError("badResumptionToken", "The value of the resumptionToken argument is invalid or expired.", params)
        return _ANSWERS.get(params.get("verb", ""), _bad_verb)(archive, params, page)
    except OaiError as error:
        return _envelope(archive, error.shown, f"<error code='{error.code}'>{xml(error.reason)}</error>\n")


def no_records(archive: Archive, pairs: Sequence[tuple[str, str]]) -> Answer:
    """What a list request made too early gets."""
    reason = "The combination of the values of the from, until, set and metadataPrefix arguments results in an empty list."
    return _envelope(archive, dict(pairs), f"<error code='noRecordsMatch'>{reason}</error>\n")


def _envelope(archive: Archive, shown: Params, content: str) -> Answer:
    attributes = "".join(f" {name}={quoted(value)}" for name, value in shown.items())
    moment = dt.datetime.combine(archive.today, dt.time(6), dt.UTC)
    return Answer(
        f'<?xml version="1.0" encoding="UTF-8"?>\n<OAI-PMH xmlns="http://www.openarchives.org/OAI/2.0/" {XSI} '
        'xsi:schemaLocation="http://www.openarchives.org/OAI/2.0/ http://www.openarchives.org/OAI/2.0/OAI-PMH.xsd">\n'
        f"<responseDate>{iso(moment)}</responseDate>\n<request{attributes}>{BASE}</request>\n{content}</OAI-PMH>\n",
        "text/xml",
    )


# ---------------------------------------------------------------- verbs without lists of papers
def _bad_verb(archive: Archive, params: Params, page: int) -> Answer:
    raise OaiError("badVerb", "Value of the verb argument is not a legal OAI-PMH verb, or it is missing.")


def _only(params: Params, *names: str) -> None:
    if set(params) - {"verb", *names}:
        raise OaiError("badArgument", f"No other parameters allowed for {params['verb']}")


def _identify(archive: Archive, params: Params, page: int) -> Answer:
    _only(params)
    facts = {
        "repositoryName": "arXiv",
        "baseURL": BASE,
        "protocolVersion": "2.0",
        "adminEmail": "help@arxiv.org",
        "earliestDatestamp": EARLIEST.isoformat(),
        "deletedRecord": "persistent",
        "granularity": "YYYY-MM-DD",
    }
    return _envelope(archive, params, "<Identify>\n" + "".join(element(*fact) for fact in facts.items()) + "</Identify>\n")


def _list_formats(archive: Archive, params: Params, page: int) -> Answer:
    _only(params, "identifier")
    rows = "".join(
        "<metadataFormat>\n"
        + element("metadataPrefix", prefix)
        + element("schema", f"https://oaipmh.arxiv.org/OAI/{prefix}.xsd")
        + element("metadataNamespace", _namespace(prefix))
        + "</metadataFormat>\n"
        for prefix in _METADATA
    )
    return _envelope(archive, params, f"<ListMetadataFormats>\n{rows}</ListMetadataFormats>\n")


def _list_sets(archive: Archive, params: Params, page: int) -> Answer:
    _only(params)
    rows = "".join(f"<set>\n{element('setSpec', s)}{element('setName', name)}</set>\n" for s, name in _SETS.items())
    return _envelope(archive, params, f"<ListSets>\n{rows}</ListSets>\n")


def _get_record(archive: Archive, params: Params, page: int) -> Answer:
    if set(params) != {"verb", "identifier", "metadataPrefix"}:
        raise OaiError("badArgument", "Expected: verb, identifier, metadataPrefix")
    paper = archive.by_id.get(params["identifier"].removeprefix(PREFIX))
    if not params["identifier"].startswith(PREFIX) or paper is None:
        raise OaiError("idDoesNotExist", "Nothing found for this ID", params)
    _known_format(params)
    return _envelope(archive, params, f"<GetRecord>\n{_record(paper, params['metadataPrefix'])}</GetRecord>\n")


def _known_format(params: Params) -> str:
    if params["metadataPrefix"] not in _METADATA:
        shown = {name: value for name, value in params.items() if name != "metadataPrefix"}
        raise OaiError("cannotDisseminateFormat", "Did not recognize requested format", shown)
    return params["metadataPrefix"]


# ---------------------------------------------------------------- lists
def _list(archive: Archive, params: Params, page: int) -> Answer:
    """ListRecords and ListIdentifiers."""
    verb, resumed, skip = params["verb"], "resumptionToken" in params, 0
    asked = dict(params)
    if resumed:
        asked, skip = _read_token(params)
    if "metadataPrefix" not in asked or set(asked) - {"verb", *SELECTORS}:
        raise OaiError("badArgument", f"Allowed parameters: verb, {', '.join(SELECTORS)}; metadataPrefix is required")
    prefix = _known_format(asked)
    first, last = _span(asked, archive.today)
    chosen = [paper for paper in _members(archive, asked) if first <= _datestamp(paper) <= last][skip:]
    if not chosen:
        raise OaiError("noRecordsMatch", "The combination of the arguments results in an empty list.", params)
    shown, rest = chosen[:page], chosen[page:]
    rows = "".join(_record(paper, prefix) if verb == "ListRecords" else _header(paper) for paper in shown)
    return _envelope(archive, params, f"<{verb}>\n{rows}{_token(archive, asked, skip, shown, rest, resumed)}</{verb}>\n")


def _members(archive: Archive, params: Params) -> Sequence[Snapshot]:
    """The papers of the set asked for, by datestamp."""
    name = params.get("set")
    if not name:
        return archive.by_change
    if name not in _SETS:
        raise OaiError("badArgument", "Set does not exist")
    return [paper for paper in archive.by_change if any(f"{spec}:".startswith(f"{name}:") for spec in _set_specs(paper))]


def _span(params: Params, today: dt.date) -> tuple[dt.date, dt.date]:
    """The days asked for, both inclusive."""
    days = []
    for name, default in (("from", EARLIEST), ("until", today)):
        text = params.get(name) or default.isoformat()
        if not re.fullmatch(r"\d{4}-\d{2}-\d{2}", text):
            raise OaiError("badArgument", f"{name} date format must be YYYY-MM-DD")
        try:
            days.append(dt.date.fromisoformat(text))
        except ValueError:
            raise OaiError("badArgument", f"{name} date format must be YYYY-MM-DD") from None
    first, last = days
    if first > last:
        raise OaiError("badArgument", "until date must be greater than or equal to from date")
    if first < EARLIEST:
        raise OaiError("badArgument", "start date too early")
    if last > today + dt.timedelta(days=1):
        raise OaiError("badArgument", "until date too late")
    return first, last


def _token(
    archive: Archive, asked: Params, skip: int, shown: Sequence[Snapshot], rest: Sequence[Snapshot], resumed: bool
) -> str:
    """The token to the rest: its `from` moves to the last day seen, of which it skips what was shown.

    A list that fits in one page has no token at all, the last page of a resumed list an empty one.
    """
    if not rest:
        return "<resumptionToken/>\n" if resumed else ""
    day = _datestamp(rest[0])
    if day == _datestamp(shown[0]):
        inner = {**asked, "skip": str(skip + len(shown))}
    else:
        inner = {**asked, "from": day.isoformat(), "skip": str(sum(_datestamp(paper) == day for paper in shown))}
    expires = dt.datetime.combine(archive.today + dt.timedelta(days=1), dt.time(), dt.UTC)
    return f"<resumptionToken expirationDate='{iso(expires)}'>{xml(quote(urlencode(inner)))}</resumptionToken>\n"


def _read_token(params: Params) -> tuple[dict[str, str], int]:
    """(arguments, number of records to skip) of a token."""
    if set(params) != {"verb", "resumptionToken"}:
        raise OaiError("badArgument", "No other parameters allowed with resumptionToken")
    inner = dict(parse_qsl(unquote(params["resumptionToken"])))
    skip = inner.pop("skip", "")
    if not skip.isdecimal() or inner.get("verb") != params["verb"]:
        raise OaiError("badResumptionToken", "Token decoding failed or format is invalid.", params)
    return inner, int(skip)


# ---------------------------------------------------------------- records
def _datestamp(paper: Snapshot) -> dt.date:
    return max(paper.changed, EARLIEST)


def _set_specs(paper: Snapshot) -> list[str]:
    return [set_of(category) for category in both_names(paper.categories)]


def _header(paper: Snapshot) -> str:
    specs = "".join(f"<setSpec>{spec}</setSpec>" for spec in _set_specs(paper))
    status = ' status="deleted"' if paper.deleted else ""
    return (
        f"<header{status}>\n<identifier>{PREFIX}{paper.id}</identifier>\n"
        f"<datestamp>{_datestamp(paper)}</datestamp>\n{specs}\n</header>\n"
    )


def _record(paper: Snapshot, prefix: str) -> str:
    if paper.deleted:
        return f"<record>\n{_header(paper)}</record>\n"
    return f"<record>\n{_header(paper)}<metadata>\n{_METADATA[prefix](paper)}</metadata>\n</record>\n"


def _namespace(prefix: str) -> str:
    return "http://www.openarchives.org/OAI/2.0/oai_dc/" if prefix == "oai_dc" else f"http://arxiv.org/OAI/{prefix}/"


def _wrapped(prefix: str, content: str) -> str:
    space = _namespace(prefix)
    schema = f'xsi:schemaLocation="{space} https://oaipmh.arxiv.org/OAI/{prefix}.xsd"'
    return f'<{prefix} xmlns="{space}" {XSI} {schema}>\n{content}</{prefix}>\n'


def _arxiv(paper: Snapshot) -> str:
    """`arXiv`: accents as Unicode, names taken apart; <created> is the day of the current version, not of the first."""
    people = "".join(_person(split_author(unicode_text(author))[0]) for author in paper.paper.authors)
    return _wrapped(
        "arXiv",
        element("id", paper.id)
        + element("created", f"{paper.updated.astimezone(dt.UTC):%Y-%m-%d}")
        + (element("updated", paper.changed.isoformat()) if paper.changed != paper.paper.announced else "")
        + f"<authors>{people}</authors>\n"
        + element("title", unicode_text(paper.title))
        + element("categories", " ".join(paper.categories))
        + element("comments", paper.comment)
        + element("journal-ref", paper.paper.journal)
        + element("doi", paper.paper.doi)
        + element("license", paper.paper.licence)
        + element("abstract", unicode_text(paper.abstract)),
    )


def _person(name: str) -> str:
    words = name.split()
    suffix = words.pop() if len(words) > 2 and words[-1] in SUFFIXES else ""
    parts = {"keyname": words[-1], "forenames": " ".join(words[:-1]), "suffix": suffix}
    return "<author>" + "".join(f"<{tag}>{xml(text)}</{tag}>" for tag, text in parts.items() if text) + "</author>"


def _arxiv_raw(paper: Snapshot) -> str:
    """`arXivRaw`: every version, and everything as it was typed in."""
    history = paper.paper
    first = Version(1, history.submitted, history.announced)
    rows = "".join(_version(version) for version in (first, *history.versions) if version.number <= paper.number)
    names = " and ".join(history.authors) if len(history.authors) == 2 else ", ".join(history.authors)
    return _wrapped(
        "arXivRaw",
        element("id", paper.id)
        + element("submitter", split_author(unicode_text(history.authors[0]))[0])
        + rows
        + element("title", paper.title)
        + element("authors", names)
        + element("categories", " ".join(paper.categories))
        + element("comments", paper.comment)
        + element("journal-ref", history.journal)
        + element("doi", history.doi)
        + element("license", history.licence)
        + element("abstract", paper.abstract),
    )


def _version(version: Version) -> str:
    at = f"{version.submitted.astimezone(dt.UTC):%a, %d %b %Y %H:%M:%S} GMT"
    size, kind = ("0kb", "I") if version.withdrawn else (f"{100 + 7 * version.number}kb", "D")
    source = f"<source_type>{kind}</source_type>"
    return f'<version version="v{version.number}"><date>{at}</date><size>{size}</size>{source}</version>\n'


def _oai_dc(paper: Snapshot) -> str:
    """`oai_dc`: no licence; the comment is a second description."""
    history, pages = paper.paper, f"arxiv.org/abs/{paper.id}"
    names = [split_author(unicode_text(author))[0].rpartition(" ") for author in history.authors]
    dates = dict.fromkeys(f"{at.astimezone(dt.UTC):%Y-%m-%d}" for at in (history.submitted, paper.updated))
    content = (
        element("dc:title", unicode_text(paper.title))
        + "".join(element("dc:creator", f"{family}, {given}") for given, _, family in names)
        + "".join(element("dc:subject", name) for name in dict.fromkeys(CATEGORIES[c] for c in both_names(paper.categories)))
        + element("dc:description", f"{unicode_text(paper.abstract)} ")
        + element("dc:description", paper.comment)
        + "".join(element("dc:date", day) for day in dates)
        + element("dc:type", "text")
        + element("dc:identifier", f"https://{pages}")
        + element("dc:identifier", f"http://{pages}")
        + element("dc:identifier", history.journal)
        + element("dc:identifier", history.doi and f"doi:{history.doi}")
    )
    space = _namespace("oai_dc")
    spaces = f'xmlns:oai_dc="{space}" xmlns:dc="http://purl.org/dc/elements/1.1/" {XSI}'
    schema = f'xsi:schemaLocation="{space} https://www.openarchives.org/OAI/2.0/oai_dc.xsd"'
    return f"<oai_dc:dc {spaces} {schema}>\n{content}</oai_dc:dc>\n"


_METADATA: dict[str, Callable[[Snapshot], str]] = {"oai_dc": _oai_dc, "arXiv": _arxiv, "arXivRaw": _arxiv_raw}
_ANSWERS: dict[str, Callable[[Archive, Params, int], Answer]] = {
    "Identify": _identify,
    "ListMetadataFormats": _list_formats,
    "ListSets": _list_sets,
    "GetRecord": _get_record,
    **dict.fromkeys(LISTS, _list),
}
_SETS = (
    GROUPS
    | {f"{'physics' if archive in PHYSICS else archive}:{archive}": name for archive, name in ARCHIVES.items()}
    | {set_of(category): name for category, name in CATEGORIES.items()}
)
