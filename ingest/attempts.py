"""Asking again for an answer that came damaged."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TypeVar

from catalog.errors import FetchError, ParseError

T = TypeVar("T")

TRIES = 3  # for answers that came damaged
HARMLESS = frozenset({"duplicate"})  # reasons of rejection by which nothing is lost


def soundest(read: Callable[[], T], losses: Callable[[T], int]) -> T:
    """The first answer without losses of up to three, else the one with the fewest.

    Raises the last ParseError when none can be read, a FetchError when none came.
    """
    best: T | None = None
    least = -1
    problem: ParseError | None = None
    for _ in range(TRIES):
        try:
            answer = read()
        except ParseError as error:
            problem = error
            continue
        except FetchError:
            if best is None:
                raise
            return best  # a damaged answer is more than none
        number = losses(answer)
        if not number:
            return answer
        if least < 0 or number < least:
            best, least = answer, number
    if best is None:
        assert problem is not None
        raise problem
    return best


def lost(rejected: Mapping[str, int]) -> int:
    """How many entries were lost, of those that were rejected."""
    return sum(n for reason, n in rejected.items() if reason not in HARMLESS)


def reasons(rejected: Mapping[str, int]) -> str:
    """The losses for a message: `2 no-key, 1 no-title`."""
    return ", ".join(f"{n} {reason}" for reason, n in sorted(rejected.items()) if reason not in HARMLESS)
