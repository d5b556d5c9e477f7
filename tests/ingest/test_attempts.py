from __future__ import annotations

from collections import Counter
from collections.abc import Callable

import pytest

from catalog.errors import FetchError, ParseError
from ingest.attempts import TRIES, lost, reasons, soundest

NO_PAGE, NO_ANSWER = ParseError("html", "no page"), FetchError("https://example.org/", "timeout", "no answer")


def answers(*given: int | Exception) -> Callable[[], int]:
    """Gives one after the other; a number is an answer with so many losses."""
    left = list(given)

    def read() -> int:
        answer = left.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer

    return read


@pytest.mark.parametrize(
    ("given", "taken"),
    [
        ((0,), 0),
        ((3, 0), 0),
        ((3, 1, 2), 1),
        ((NO_PAGE, 2, 2), 2),
        ((2, NO_PAGE, 1), 1),
        ((2, NO_ANSWER), 2),
        ((NO_PAGE, 1, NO_ANSWER), 1),
    ],
)
def test_the_soundest_of_three_answers_is_taken(given: tuple[int | Exception, ...], taken: int) -> None:
    assert soundest(answers(*given), lambda losses: losses) == taken


def test_without_any_answer_the_last_trouble_is_told() -> None:
    with pytest.raises(ParseError, match="no page"):
        soundest(answers(*[NO_PAGE] * TRIES), int)
    with pytest.raises(FetchError, match="no answer"):
        soundest(answers(NO_PAGE, NO_ANSWER), int)


def test_a_duplicate_is_no_loss() -> None:
    rejected = Counter({"no-title": 2, "duplicate": 5, "no-key": 1})
    assert lost(rejected) == 3
    assert reasons(rejected) == "1 no-key, 2 no-title"
