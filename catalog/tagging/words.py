"""Text to words: the one definition that training and tagging share.

A word is a run of letters and digits in lower case; hyphens and all other signs separate. Nothing here knows topics.
"""

from __future__ import annotations

import re
from itertools import accumulate

#: Characters looked at. The longest abstract of 4,780 labelled papers has 2,232 characters and the longest title 205, so real
#: papers are read whole while a megabyte of junk costs no more than a long paper.
TITLE_LIMIT = 1_000
ABSTRACT_LIMIT = 8_000

_WORD = re.compile(r"[^\W_]+")
_BORDERS = re.compile(r"([^\W_]+)")

#: Words that say nothing of a subject: never a feature, never evidence.
STOP = frozenset(
    """a about above across after again against al all almost along already also although always among an and another any are
    around as at b be because become becomes been before being below best better between both but by c can cannot could
    d de demonstrate demonstrated demonstrates despite did do does doing done due during e each eg either else end
    especially et etc even ever every extensive f far few finally find first five for found four from full further
    furthermore g get give given go good h had has have having he hence her here high highly him his how however i ie if
    in including indeed instead into is it its itself j just k know known l larger last latter least less let like ll m
    made main mainly make makes making many may me might moreover more most much must my n namely near need needed needs
    neither never nevertheless new next no non none nor not nothing novel now o of off often on once one only onto or
    other others otherwise our ours out outperform outperforms over own p paper papers part per perhaps present
    presented presents previous previously propose proposed proposes provide provided provides providing put q quite r
    rather re really recent recently remain remains respectively result results s same see seem seen several shall she
    should show showed shown shows significant significantly similar simple simply since so some still such t take taken
    than that the their them themselves then there thereby therefore these they this those though three through
    throughout thus to together too toward towards two u under until up upon us use used useful uses using usually v
    various ve very via w was way ways we well were what when where whereas whether which while who whole whom whose why
    will with within without work works would x y yet you your z"""
    .split()
)  # fmt: skip


def words(text: str) -> list[str]:
    """The words of a text in order, lower case; empty when it has none."""
    if text.isascii():
        return _WORD.findall(text.lower())
    # Lower case can change the length of a text outside ASCII ("İ" becomes two characters), which would part other words
    # here than in `places`; so words are cut first.
    return [word.lower() for word in _WORD.findall(text)]


def places(text: str) -> list[tuple[int, int]]:
    """The character positions of the same words: start, end."""
    # Between two borders there is what separates words, and a word, in turn; four times as fast as asking matches one by one.
    borders = list(accumulate(map(len, _BORDERS.split(text))))
    return list(zip(borders[::2], borders[1::2], strict=False))


def stem(word: str) -> str:
    """The word with an English plural taken off, so that `matrix factorizations` and `matrix factorization` count as one."""
    if len(word) > 4 and word.endswith("ies"):
        return word[:-3] + "y"
    if len(word) > 3 and word.endswith("s") and not word.endswith(("ss", "us", "is")):
        return word[:-1]
    return word
