"""Identifiers: parse, compare, print."""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

_NEW = r"[0-9]{4}\.[0-9]{4,5}"  # since 2007-04; five digits since 2015-01
_OLD = r"[a-z-]+(?:\.[A-Z]{2})?/[0-9]{7}"
_ARXIV = re.compile(rf"(?P<id>{_NEW}|{_OLD})(?:v(?P<version>[1-9][0-9]{{0,3}}))?")
_ARXIV_URL = re.compile(
    r"(?i:(?:https?://)?(?:www\.|export\.)?arxiv\.org)/(?:abs|pdf|html)/(?P<rest>.+?)(?:\.pdf)?/?(?:[?#].*)?$"
)
_DOI = re.compile(r"(?:https?://(?:dx\.)?doi\.org/|doi:\s*)?(?P<doi>10\.[0-9]{4,9}/\S*[^\s.,;])[.,;]*", re.I)


@dataclass(frozen=True, slots=True)
class ArxivId:
    """An arXiv identifier (info.arxiv.org, arxiv_identifier): `id` without version, `version` or None."""

    id: str
    version: int | None = None

    def __str__(self) -> str:
        return self.id if self.version is None else f"{self.id}v{self.version}"

    @property
    def url(self) -> str:
        """The abstract page of the newest version."""
        return f"https://arxiv.org/abs/{self.id}"


def arxiv_id(text: str) -> ArxivId | None:
    """The arXiv identifier that the text is: bare, `arXiv:…`, `oai:arXiv.org:…`, an abs/pdf/html address, a DOI; or None."""
    text = text.strip()
    if m := _ARXIV_URL.match(text):
        text = m["rest"]
    lowered = text.lower()
    for prefix in ("oai:arxiv.org:", "arxiv:", "10.48550/arxiv.", "https://doi.org/10.48550/arxiv."):
        if lowered.startswith(prefix):
            text = text[len(prefix) :]
            break
    found = _ARXIV.fullmatch(text)
    if found is None:
        return None
    return ArxivId(found["id"], int(found["version"]) if found["version"] else None)


def doi(text: str) -> str | None:
    """The DOI in lower case (DOI names are case-insensitive, DOI Handbook 2.4) without resolver or prefix; else None."""
    m = _DOI.fullmatch(text.strip())
    return m["doi"].lower() if m else None


def canonical_url(text: str) -> str | None:
    """The address without fragment, default port and tracking parameters, host in lower case; None when it is not http(s)."""
    try:
        text.encode()
        parts = urlsplit(text.strip())
        host, port = (parts.hostname or "").lower(), parts.port
    except ValueError:  # half of a surrogate pair is one, too
        return None
    if parts.scheme not in ("http", "https") or not host or parts.username is not None:
        return None
    if ":" in host:
        host = f"[{host}]"
    if port is not None and port != {"http": 80, "https": 443}[parts.scheme]:
        host += f":{port}"
    kept = [(k, v) for k, v in parse_qsl(parts.query, keep_blank_values=True) if not k.startswith("utm_") and k != "source"]
    return urlunsplit((parts.scheme, host, parts.path or "/", urlencode(kept), ""))


_PAGES = (
    ("openreview", re.compile(r"openreview\.net/(?:forum|pdf|attachment)\?(?:.*&)?id=(?P<id>[\w-]{4,40})(?:[&#].*)?")),
    ("pmlr", re.compile(r"proceedings\.mlr\.press/(?P<id>[vr]\d+/[\w-]+?)(?:\.html|/[\w-]+(?:-supp)?\.pdf)")),
    ("acl", re.compile(r"(?:www\.)?aclanthology\.org/(?P<id>\d{4}\.[\w-]+\.\d+|[A-Z]\d\d-\d{4})(?:v\d+)?(?:/|\.pdf|\.bib)?")),
    (
        "neurips",
        re.compile(
            r"(?:proceedings|papers)\.(?:neurips|nips)\.cc/paper(?:_files/paper)?/\d{4}/(?:hash|file)/(?P<id>[0-9a-f]{32})-.*"
        ),
    ),
    (
        "cvf",
        re.compile(
            r"openaccess\.thecvf\.com/content\w*(?:/\w+)?/(?:html|papers)/(?P<id>[^/]+_(?P<conf>[A-Z]+)_(?P<year>\d{4})_paper)\.\w+"
        ),
    ),
    ("kaggle", re.compile(r"(?:www\.)?kaggle\.com/(?:competitions|c)/(?P<id>[\w-]+)(?:[/?].*)?")),
    ("github", re.compile(r"(?:www\.)?github\.com/(?P<id>[\w.-]+/[\w.-]+?)(?:\.git)?(?:/.*)?")),
)
_ACL_DOI = "10.18653/v1/"


def identifier_of(text: str) -> tuple[str, str] | None:
    """Scheme and value of what an address or a DOI names: a paper at a source that is known, a repository; or None."""
    if arxiv := arxiv_id(text):
        return "arxiv", arxiv.id
    if name := doi(text):
        return ("acl", name.removeprefix(_ACL_DOI)) if name.startswith(_ACL_DOI) else ("doi", name)
    address = canonical_url(text)
    if address is None:
        return None
    bare = address.partition("://")[2]
    for scheme, pattern in _PAGES:
        if m := pattern.fullmatch(bare):
            value = f"{m['conf']}{m['year']}/{m['id']}" if scheme == "cvf" else m["id"]
            return scheme, value
    return None
