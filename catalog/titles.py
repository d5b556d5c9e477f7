"""Titles and names reduced to what two spellings of the same have in common. Pure."""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import filterfalse

from catalog.text import readable, unaccent_tex

_NOT_WORD = re.compile(r"[\W_]+")
_GREEK = {
    unicodedata.lookup(f"GREEK SMALL LETTER {name.upper()}"): name
    for name in (
        "alpha beta gamma delta epsilon zeta eta theta iota kappa lamda mu nu xi omicron pi rho sigma tau upsilon phi chi psi "
        "omega"
    ).split()
} | {"λ": "lambda", "ς": "sigma", "ϵ": "epsilon", "ϕ": "phi", "ϑ": "theta", "ℓ": "l"}


def folded(text: str) -> str:
    """Compatibility forms resolved, accents off, case folded: `Rocktäschel` is `rocktaschel`, `²` is `2`."""
    if text.isascii():
        return text.lower()
    return "".join(filterfalse(unicodedata.combining, unicodedata.normalize("NFKD", text))).casefold()


@lru_cache(maxsize=10_000)  # asked four times of each paper of a page
def title_key(title: str) -> str:
    r"""Letters and digits of a title only: LaTeX, case, punctuation, accents and blanks do not count, Greek letters do.

    `$\alpha$-VAE: A Study` and `α-VAE — a study` are both `alphavaeastudy`; `Part I` and `Part II` stay different.
    """
    text = folded(readable(title))
    if not text.isascii():
        text = "".join(_GREEK.get(c, c) for c in text)
    return _NOT_WORD.sub("", text)


def title_hash(title: str) -> int:
    """The key as a positive 63-bit number, for an index; 0 for a title without any letter or digit."""
    key = title_key(title)
    return int.from_bytes(hashlib.blake2b(key.encode(), digest_size=8).digest(), "big") >> 1 if key else 0


_NOT_LETTER = re.compile(r"[\W\d_]+")
_HYPHEN = re.compile(r"(?<=\w)[-\u2010\u2011'\u2019](?=\w)")
_SUFFIXES = frozenset({"jr", "sr", "ii", "iii", "iv"})


@dataclass(frozen=True, slots=True)
class Name:
    """A person's name as two sources may both write it."""

    surname: str  # last word, or what stands before a comma; folded
    initial: str  # of the first given name; "" for a single word
    words: frozenset[str]


def name_of(text: str) -> Name:
    """The name in what is common to `Tim Rocktäschel`, `T. Rockt\\"aschel` and `Rocktaschel, Tim`."""
    last, comma, first = text.partition(",")
    given = folded(unaccent_tex(f"{first} {last}" if comma else text))
    words = [w for w in _NOT_LETTER.split(_HYPHEN.sub("", given)) if w and w not in _SUFFIXES]
    if not words:
        return Name("", "", frozenset())
    return Name(words[-1], words[0][0] if len(words) > 1 else "", frozenset(words))


def shared_names(one: Sequence[str], other: Sequence[str]) -> int:
    """How many of the people in one list are in the other: by surname and initial, or by the same words in another order."""
    left = Counter((n.surname, n.initial) for n in map(name_of, one) if n.surname)
    right = Counter((n.surname, n.initial) for n in map(name_of, other) if n.surname)
    found = (left & right).total()
    if found == min(left.total(), right.total()):
        return found
    rest = [n for n in map(name_of, one) if len(n.words) > 1 and not right[n.surname, n.initial]]
    swapped = Counter(n.words for n in rest) & Counter(
        n.words for n in map(name_of, other) if len(n.words) > 1 and not left[n.surname, n.initial]
    )
    return found + swapped.total()
