"""Words of a text as search knows them: folded, split and stemmed here once, so that SQLite and PostgreSQL answer alike.

Neither engine's own text analysis is used: FTS5 gets words between blanks, PostgreSQL a ready tsvector. `ANALYSIS` is the
version of these rules; a database whose index was made under another one is indexed anew.
"""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache
from itertools import filterfalse

import Stemmer

ANALYSIS = "1"
MAX_WORD = 40  # characters; longer runs are data, not words

_WORD = re.compile(r"[^\W_]+")
_ASCII_WORD = re.compile(r"[a-z0-9]+")
#: The Snowball English stemmer ("Porter 2") in C: 1.3 µs a word, and safe between threads as it keeps the interpreter's lock.
#: The same in Python takes 43 µs and is not. Without its own cache, as `stem` has one.
_stem = Stemmer.Stemmer("english", 0).stemWord


def words_of(text: str) -> list[str]:
    """The words of a text in order, as the index holds them."""
    if text.isascii():
        return list(map(stem, _ASCII_WORD.findall(text.lower())))
    return list(map(stem, _WORD.findall(fold(text).lower())))


def fold(text: str) -> str:
    """Letters without their accents and compatibility forms; other scripts stay as they are."""
    return "".join(filterfalse(unicodedata.combining, unicodedata.normalize("NFKD", text)))


@lru_cache(maxsize=200_000)  # a paper has some 120 different words, nearly all seen before
def stem(word: str) -> str:
    """The word without its English endings, cut at `MAX_WORD` characters."""
    word = word[:MAX_WORD]
    return str(_stem(word)) if word.isascii() and word.isalpha() else word
