"""What the sources of a thing that is no paper say of it beside its text, as words that the taxonomy may name in `marks`.

`venue NeurIPS`, `subject time series`, `metric`, `metric roc auc score`, `category playground`, `library numpy/numpy`,
`source schools`: sort and value, the value in lower case.
"""

from __future__ import annotations

from collections.abc import Iterable

from catalog.entries import EntryData, Kind
from catalog.items import EntryRef

_FACTS = ("metric", "category", "library")


def marks_of(kind: Kind, entries: Iterable[EntryData | EntryRef]) -> tuple[str, ...]:
    """The marks of a thing that is no paper, sorted; none for a paper, whose text decides."""
    if kind is Kind.PAPER:
        return ()
    found = set()
    for entry in entries:
        found.add(mark("source", entry.source))
        found |= {mark("subject", subject) for subject in entry.subjects}
        if entry.venue:
            found.add(mark("venue", entry.venue))
        for name, value in entry.about:
            if name in _FACTS:
                found.add(mark(name, value))
                if name == "metric":
                    found.add(name)
    return tuple(sorted(found))


def mark(sort: str, value: str) -> str:
    """A mark in the form in which they are compared; hyphens part words, but for names of libraries."""
    words = value if sort == "library" else value.replace("-", " ")
    return f"{sort} {' '.join(words.split())}".casefold().strip()
