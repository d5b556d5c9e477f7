"""Which entries speak of the same work. Pure; every decision names its reason.

`sameness` is symmetric and looks at two entries only. The entries of an item are those that it joins, directly or through
others, so that the groups do not depend on the order in which sources are visited. A person's corrections come first.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from catalog.entries import EntryData, EntryKey, Kind, Link
from catalog.text import readable
from catalog.titles import folded, shared_names, title_key

#: Schemes whose value names one work, strongest first. A DOI needs a witness: parts of a series share a journal's.
EXACT = ("arxiv", "openreview", "pmlr", "neurips", "cvf", "acl", "kaggle", "edition", "article")

_BY_YEAR = ("neurips",)  # hashes of submission numbers until 2021: each year has them again
_ACROSS = ("edition",)  # put together from a name and a year: what one source tells apart stays apart
SCHEMES = frozenset({*EXACT, "doi"})  # what makes two entries worth comparing, beside the title

PLAIN_WORDS, PLAIN_LETTERS = 4, 20  # a title below either is one that others may have chosen, too
PLAIN_SHARE, CLOSE_SHARE = 0.5, 0.8  # of the shorter list of authors
CLOSE_YEARS, FAR_YEARS = 2, 3

_WORD = re.compile(r"\w+")
_PART = re.compile(r"[ivx]+|\d+")


def sameness(a: EntryData, b: EntryData) -> str:
    """Why the two are the same work, or ""; the same for (b, a)."""
    shared = set(a.identifiers) & set(b.identifiers)
    for scheme in EXACT:
        values = sorted(value for s, value in shared if s == scheme)
        if scheme in _BY_YEAR and _year(a) != _year(b):
            continue
        if scheme in _ACROSS and a.source == b.source:
            continue
        if values:
            return f"same {scheme} {values[0]}"
    if a.kind is not Kind.PAPER or b.kind is not Kind.PAPER:
        return ""
    same_title = title_key(a.title) == title_key(b.title) != ""
    if same_title and _people_agree(a, b):
        return "same title and authors"
    dois = sorted(value for s, value in shared if s == "doi")
    if dois and (same_title or _titles_are_close(a.title, b.title)) and _share(a, b) >= PLAIN_SHARE:
        return f"same doi {dois[0]}"
    return ""


def _people_agree(a: EntryData, b: EntryData) -> bool:
    """True when the authors of two entries with the same title are the same people, as far as lists and years tell."""
    share, apart = _share(a, b), _years_apart(a, b)
    words = len(_WORD.findall(readable(a.title)))
    if words < PLAIN_WORDS or len(title_key(a.title)) < PLAIN_LETTERS:
        all_the_same = share == 1 and len(a.authors) == len(b.authors) > 1
        if apart > CLOSE_YEARS:
            return all_the_same and words > 1
        return all_the_same or (share >= CLOSE_SHARE and abs(len(a.authors) - len(b.authors)) <= 1 and words > 1)
    if share < (PLAIN_SHARE if apart <= FAR_YEARS else CLOSE_SHARE):
        return False
    if min(len(a.authors), len(b.authors)) > 1:
        return shared_names(a.authors, b.authors) >= 2
    # A single name in one list: the first of the other, as lists are cut behind it.
    return shared_names(a.authors[:1], b.authors[:1]) == 1


def _share(a: EntryData, b: EntryData) -> float:
    """The share of the shorter list of authors that is in the longer; 0 when either is empty."""
    shorter = min(len(a.authors), len(b.authors))
    return shared_names(a.authors, b.authors) / shorter if shorter else 0.0


def _years_apart(a: EntryData, b: EntryData) -> int:
    one, other = _year(a), _year(b)
    return abs(one - other) if one and other else 0


def _year(entry: EntryData) -> int:
    if entry.year:
        return entry.year
    if entry.submitted:
        return entry.submitted.year
    return entry.announced.year if entry.announced else 0


def _titles_are_close(a: str, b: str) -> bool:
    """True for titles with most words in common and no part number that only one of them has."""
    one, other = (set(_WORD.findall(folded(readable(t)))) for t in (a, b))
    if any(_PART.fullmatch(w) for w in one ^ other):
        return False
    return len(one & other) >= 0.6 * len(one | other) > 0


CORRECTED = "merged by hand"


def links_among(asked: Iterable[EntryData], known: Iterable[EntryData]) -> list[Link]:
    """Every sameness between an asked entry and another asked or known one, in the order of their keys."""
    everyone = {(e.source, e.key): e for e in known} | {(e.source, e.key): e for e in asked}
    by_feature: dict[object, list[EntryKey]] = {}
    for key, entry in everyone.items():
        for feature in features(entry):
            by_feature.setdefault(feature, []).append(key)
    pairs: set[tuple[EntryKey, EntryKey]] = set()
    for entry in asked:
        key = (entry.source, entry.key)
        for feature in features(entry):
            # A title or DOI that hundreds share names nothing; compared with the first of them, a page stays linear.
            pairs.update((min(key, k), max(key, k)) for k in sorted(by_feature[feature])[:_CROWD] if k != key)
    out = []
    for one, other in sorted(pairs):
        reason = sameness(everyone[one], everyone[other])
        if reason:
            out.append(Link(one, other, reason))
    return out


_CROWD = 50


def identity_of(entry: EntryData) -> tuple[object, ...]:
    """All that `sameness` looks at: while it stays, so do the links."""
    return entry.kind, entry.title, entry.authors, entry.identifiers, _year(entry)


def features(entry: EntryData) -> list[object]:
    """What another entry must share at least one of to be the same work: exact identifiers, DOIs, a title."""
    out: list[object] = [i for i in entry.identifiers if i[0] in SCHEMES]
    if entry.kind is Kind.PAPER and (title := title_key(entry.title)):
        out.append(title)
    return out


def group(
    members: Mapping[EntryKey, int], links: Iterable[Link], corrections: Mapping[tuple[EntryKey, EntryKey], bool]
) -> list[list[EntryKey]]:
    """The entries in groups that links join, each sorted, none with two entries that a person took apart.

    `members` gives each entry the number of the group that it is in already; a person's `same` joins as links do, before
    them. Of two links that corrections forbid to hold both, the surer one holds: exact identifiers before titles, then keys.
    """
    parent: dict[int, int] = {}
    inside: dict[int, set[EntryKey]] = {}
    for key, number in members.items():
        parent.setdefault(number, number)
        inside.setdefault(number, set()).add(key)
    apart = [pair for pair, same in corrections.items() if not same]

    def root(number: int) -> int:
        while parent[number] != number:
            number = parent[number]
        return number

    joined = [Link(*pair, CORRECTED) for pair, same in corrections.items() if same]
    for link in sorted([*joined, *links], key=_sureness):
        if link.one not in members or link.other not in members:
            continue
        a, b = sorted((root(members[link.one]), root(members[link.other])))
        if a == b or any(_between(pair, inside[a], inside[b]) for pair in apart):
            continue
        parent[b] = a
        inside[a] |= inside.pop(b)
    return [sorted(keys) for _, keys in sorted(inside.items())]


def _between(pair: tuple[EntryKey, EntryKey], one: set[EntryKey], other: set[EntryKey]) -> bool:
    return (pair[0] in one and pair[1] in other) or (pair[1] in one and pair[0] in other)


def _sureness(link: Link) -> tuple[int, EntryKey, EntryKey]:
    order = 0 if link.reason == CORRECTED else 2 if link.reason.startswith(("same title", "same doi")) else 1
    return order, link.one, link.other
