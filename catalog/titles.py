"""Titles and names reduced to what two spellings of the same have in common. Pure."""

from __future__ import annotations

import hashlib
import re
import unicodedata

from catalog.text import readable

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
    return "".join(c for c in unicodedata.normalize("NFKD", text) if not unicodedata.combining(c)).casefold()


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
