"""Text from strangers: made safe to keep, and LaTeX made readable. Pure; knows no HTML rendering."""

from __future__ import annotations

import html
import re
import unicodedata

#: Control characters, lone surrogates, NUL, bidi overrides and isolates, byte-order mark: never kept.
_FORBIDDEN = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff\u200e\u200f\u202a-\u202e\u2066-\u2069\ufeff\ufffe\uffff]"
)
#: Text in which nothing but white space is to be cleaned: ASCII without control characters, tags and entities. So are nineteen
#: abstracts of twenty, and cost a tenth of the others.
_PLAIN = re.compile(r"[\t\n\r -%'-;=-~]*")
#: A tag has attributes with values or nothing after its name: `a<b and c>d` and `$n<p$ when $p>q$` are mathematics.
_TAG = re.compile(
    r"</?(?:b|i|em|strong|sub|sup|tt|code|p|br|span|div|a|img|script|style|iframe|svg|h[1-6])"
    r"(?:\s+[\w:-]{1,40}\s*=\s*(?:\"[^\"<>]{0,2000}\"|'[^'<>]{0,2000}'|[^\s\"'<>]{1,2000})){0,20}\s*/?>",
    re.I,
)
#: What stands between these tags is no text. Searched for apart: one pattern over both took 4 s for 8,000 opening tags.
_OPENING = re.compile(r"<(script|style|iframe)\b[^<>]{0,2000}>", re.I)
_CLOSING = {name: re.compile(rf"</{name}\s*+>", re.I) for name in ("script", "style", "iframe")}

TITLE_LIMIT = 1_000  # characters; the longest of 74,728 recorded arXiv titles has under 300
TEXT_LIMIT = 64 * 1024  # characters of an abstract; HTML is never parsed above this

_ACCENTS = {
    '"': "\u0308", "'": "\u0301", "`": "\u0300", "^": "\u0302", "~": "\u0303", "=": "\u0304", ".": "\u0307",
    "u": "\u0306", "v": "\u030c", "H": "\u030b", "c": "\u0327", "k": "\u0328", "r": "\u030a", "d": "\u0323", "b": "\u0331",
}  # fmt: skip
_LETTERS = {
    "ss": "ß", "ae": "æ", "AE": "Æ", "oe": "œ", "OE": "Œ", "o": "ø", "O": "Ø", "aa": "å", "AA": "Å", "l": "ł", "L": "Ł",
    "i": "ı", "j": "ȷ", "dh": "ð", "DH": "Ð", "th": "þ", "TH": "Þ", "dj": "đ", "DJ": "Đ",
}  # fmt: skip
#: \"u, \"{u}, {\"u}, \H{o}, \v s, \'{\i} …
_ACCENT = re.compile(
    r"\\(?:([\"'`^~=.])\s*|([uvHckrdb])(?:\s+|(?=\{)))(?:\{\s*(\\?[A-Za-z])\s*\}|(\\[ij](?![A-Za-z])|[A-Za-z]))"
)
_LETTER = re.compile(r"\\(ss|ae|AE|oe|OE|aa|AA|dh|DH|th|TH|dj|DJ|o|O|l|L|i|j)(?![A-Za-z])(?:\{\}|\s+(?=\w))?")
_BRACED_LETTER = re.compile(r"\{([^\x00-\x7f])\}")  # what an accent left: {ü}; {L} is an argument

_GREEK = (
    "alpha beta gamma delta epsilon zeta eta theta iota kappa lambda mu nu xi omicron pi rho sigma tau upsilon phi chi psi "
    "omega"
).split()
_SYMBOLS = {name: chr(0x3B1 + i + (i > 16)) for i, name in enumerate(_GREEK)}
_SYMBOLS |= {name.capitalize(): chr(ord(symbol) - 32) for name, symbol in list(_SYMBOLS.items())}
_SYMBOLS |= {
    "varepsilon": "ε", "varphi": "φ", "vartheta": "ϑ", "ell": "ℓ", "infty": "∞", "times": "×", "cdot": "·", "pm": "±",
    "leq": "≤", "le": "≤", "geq": "≥", "ge": "≥", "neq": "≠", "ne": "≠", "approx": "≈", "sim": "∼", "to": "→",
    "rightarrow": "→", "leftarrow": "←", "leftrightarrow": "↔", "Rightarrow": "⇒", "in": "∈", "subset": "⊂", "cup": "∪",
    "cap": "∩", "ll": "≪", "gg": "≫", "partial": "∂", "nabla": "∇", "sum": "∑", "prod": "∏", "int": "∫", "sqrt": "√",
    "ldots": "…", "dots": "…", "cdots": "…", "star": "⋆", "ast": "*", "circ": "∘", "otimes": "⊗", "oplus": "⊕",
    "langle": "⟨", "rangle": "⟩", "forall": "∀", "exists": "∃", "log": "log", "exp": "exp", "min": "min", "max": "max",
    "propto": "∝", "equiv": "≡", "perp": "⊥", "mid": "|", "prime": "′", "top": "⊤", "quad": " ", "qquad": " ",
}  # fmt: skip
_SUPER = str.maketrans("0123456789+-=()nTi", "⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻⁼⁽⁾ⁿᵀⁱ")
_SUB = str.maketrans("0123456789+-=()aeijkmnoprstx", "₀₁₂₃₄₅₆₇₈₉₊₋₌₍₎ₐₑᵢⱼₖₘₙₒₚᵣₛₜₓ")
_BLACKBOARD = {"R": "ℝ", "N": "ℕ", "Z": "ℤ", "Q": "ℚ", "C": "ℂ", "E": "𝔼", "P": "ℙ"}
_FONT = re.compile(
    r"\\(?:textbf|textit|texttt|textsc|textrm|textsf|text|emph|mathbf|mathrm|mathit|mathsf|mathtt|mathcal|mathscr|mathfrak|boldsymbol|"
    r"bm|operatorname|underline|mbox|url|href|ensuremath|textsuperscript|textsubscript|uppercase|lowercase)\s*+\*?+\s*+\{([^{}]*)\}"
)
_CITE = re.compile(r"~?\\(?:cite|ref|label)[a-z]{0,10}\*?(?:\[[^\[\]{}]{0,200}\]){0,2}\{[^{}]{0,500}\}")
_HREF = re.compile(r"\\href\s*\{([^{}]{1,500})\}\s*\{([^{}]{1,500})\}")
_OLD_FONT = re.compile(
    r"\\(?:bf|it|em|tt|sc|rm|sf|cal|large|small|displaystyle|left|right|big|Big|bigg|Bigg|limits)(?![A-Za-z])\s*"
)
_COMMAND = re.compile(r"\\([A-Za-z]+)(?:\s+(?=[A-Za-z0-9])|\{\})?")
_SCRIPTED = re.compile(r"([\^_])(?:\{([^{}]*)\}|([A-Za-z0-9+\-*]))")
_DASHES = re.compile(r"(?<=[^\s-])-{2,3}(?=[^\s-])|(?<=\s)-{2,3}(?=\s)")  # TeX dashes; an option such as --force stays
_ESCAPED = re.compile(r"\\([%&$#_{}])")


def clean_line(text: str, limit: int = TITLE_LIMIT) -> str:
    """One line, NFC, without control characters, bidi overrides and HTML tags; entities resolved; cut at `limit` characters."""
    text = text[: limit * 8]
    if _PLAIN.fullmatch(text):
        return _cut(" ".join(text.split()), limit)
    # Before as well as after: what is taken out of `<scr…ipt>` must not leave a tag behind.
    said = _FORBIDDEN.sub("", text)
    bare = _unhtml(said)
    kept = said if bare == said else _FORBIDDEN.sub("", bare)
    return _cut(" ".join(unicodedata.normalize("NFC", kept).split()), limit)


def clean_block(text: str, limit: int = TEXT_LIMIT) -> str:
    """Like `clean_line` for an abstract: white space of any kind becomes one blank."""
    return clean_line(text, limit)


def _unhtml(text: str) -> str:
    """Tags out, entities resolved (twice: feeds escape what was escaped already); `x < y` stays."""
    for _ in range(2):
        if "<" in text:
            text = _TAG.sub("", _unscript(text))
        if "&" not in text:
            break
        text = html.unescape(text)
    return _TAG.sub("", _unscript(text)) if "<" in text else text


def _unscript(text: str) -> str:
    out: list[str] = []
    unclosed: set[str] = set()
    at = 0
    while opening := _OPENING.search(text, at):
        name = opening[1].lower()
        closing = None if name in unclosed else _CLOSING[name].search(text, opening.end())
        if closing is None:
            unclosed.add(name)
            out.append(text[at : opening.end()])
            at = opening.end()
        else:
            out.append(text[at : opening.start()])
            at = closing.end()
    return "".join(out) + text[at:]


def _cut(text: str, limit: int) -> str:
    return text if len(text) <= limit else text[: limit - 1].rstrip() + "…"


def clean_abstract(text: str) -> str:
    """An abstract: clean, and its LaTeX readable."""
    return readable(clean_block(text))


def unaccent_tex(text: str) -> str:
    r"""TeX accents and letters to Unicode: `Erd\H{o}s` to `Erdős`, `{\"u}` to `ü`; math is left as it is."""
    if "\\" not in text:
        return text

    def accent(m: re.Match[str]) -> str:
        mark = _ACCENTS[m[1] or m[2]]
        letter = (m[3] or m[4]).removeprefix("\\")
        return unicodedata.normalize("NFC", letter + mark)

    text = _ACCENT.sub(accent, text)
    text = _LETTER.sub(lambda m: _LETTERS[m[1]], text)
    return _BRACED_LETTER.sub(r"\1", text)


def readable(text: str) -> str:
    r"""LaTeX as a person reads it: `$\alpha$-VAE` is `α-VAE`, `\textbf{X}` is `X`; unknown commands lose their backslash."""
    if "--" in text:
        text = _DASHES.sub(lambda m: "—" if len(m[0]) == 3 else "–", text)
    if "\\" not in text and "$" not in text and "{" not in text:
        return text
    text = unaccent_tex(text)
    text = re.sub(r"\\mathbb\s*\{?([A-Z])\}?", lambda m: _BLACKBOARD.get(m[1], m[1]), text)
    text = _HREF.sub(_linked, _CITE.sub("", text)).replace("\\footnote{", " {")
    for _ in range(4):
        text, changed = _FONT.subn(r"\1", text)
        if not changed:
            break
    text = _OLD_FONT.sub("", text)
    text = _COMMAND.sub(_command, text)
    text = re.sub(r"\$([^$]{1,400})\$", lambda m: _scripts(m[1]), text)
    text = _ESCAPED.sub("\x00\\1", text)
    text = re.sub(r"[{}](?<!\x00.)", "", text).replace("\x00", "")
    text = re.sub(r"\\[,;:! ]", " ", text).replace("\\\\", " ").replace("``", "“").replace("''", "”")
    return " ".join(text.split())


def _linked(m: re.Match[str]) -> str:
    """A link with its text, and its address where that is another."""
    return m[1] if m[1] == m[2] else f"{m[2]} ({m[1]})"


def _command(m: re.Match[str]) -> str:
    """A command that is known as its sign; another by its name, or not at all where an argument says what is meant."""
    sign = _SYMBOLS.get(m[1])
    if sign is None and m.string[m.end() : m.end() + 1] == "{":
        return ""
    said = sign or m[1]
    return f"{said} " if m[0].endswith(" ") and said.isascii() and said.isalpha() else said


def _scripts(math: str) -> str:
    def one(m: re.Match[str]) -> str:
        inner = m[2] if m[2] is not None else m[3]
        small = inner.translate(_SUPER if m[1] == "^" else _SUB)
        if len(inner) <= 4 and all(a != b for a, b in zip(inner, small, strict=True)):
            return small
        return m[1] + (f"({inner})" if len(inner) > 1 else inner)

    return _SCRIPTED.sub(one, math).strip()
