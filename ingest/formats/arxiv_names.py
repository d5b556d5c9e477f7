"""What the arXiv formats share: author strings, abstracts, categories, licences of a record. Pure."""

from __future__ import annotations

import re

from catalog.categories import is_category
from catalog.identifiers import ArxivId, doi
from catalog.text import TITLE_LIMIT, clean_abstract, clean_line, readable, unaccent_tex

_INNERMOST = re.compile(r"\s*\([^()]*\)")
_AND = re.compile(r",?\s+(?:and|&)\s+", re.I)
_BETWEEN = re.compile(r"[,;]|(?<=ollaboration)\s*:")
_PLAIN = re.compile(r"[^()\\${-]*(?:-[^()\\${-]+)*")
_SUFFIX = re.compile(r"(?:Jr|Sr)\.?|I{2,3}|IV")
AUTHORS_LIMIT = 5_000  # names; the largest collaborations have some 3,000


def authors(text: str) -> tuple[str, ...]:
    """Display names of a string such as "Ada Example, Bo Sample (Example Univ., Town) and C. D."; affiliations are dropped."""
    text = clean_line(unaccent_tex(text).replace("~", " "), limit=200_000)
    plain = _PLAIN.fullmatch(text) is not None  # nineteen lists of twenty: names with nothing but commas between them
    for _ in range(0 if plain else 5):
        text, found = _INNERMOST.subn("", text)
        if not found:
            break
    names: list[str] = []
    for part in _BETWEEN.split(_AND.sub(", ", text)):
        name = part.strip()
        if len(name) < 2:
            name = readable(part).strip(" .*†‡")
        elif not plain:
            name = readable(name)
        if _SUFFIX.fullmatch(name) and names:
            names[-1] += f" {name}"
        elif name and name != ":":
            names.append(name)
    return tuple(names[:AUTHORS_LIMIT])


def title(text: str) -> str:
    """A title with TeX accents resolved, math as it is; "" for what is longer than any title is, so that it counts as lost."""
    return "" if len(text) > TITLE_LIMIT else line(text)


def line(text: str) -> str:
    """The same for a comment or a journal reference, which is cut where it is too long."""
    return unaccent_tex(clean_line(text))


def abstract(text: str) -> str:
    """Readable text of an abstract."""
    return clean_abstract(text)


def categories(names: list[str]) -> tuple[str, ...]:
    """arXiv categories in the order given; MSC and ACM classes, which some answers mix in, are left out."""
    return tuple(dict.fromkeys(n.strip() for n in names if is_category(n.strip())))


def identifiers(paper: ArxivId, publisher_doi: str = "") -> tuple[tuple[str, str], ...]:
    """Identifiers of a record: its arXiv id and the publisher's DOIs (several may stand in one field)."""
    found = {("arxiv", paper.id)}
    found |= {("doi", d) for part in publisher_doi.split() if (d := doi(part)) and not d.startswith("10.48550/")}
    return tuple(sorted(found))
