"""Text from strangers is made safe to keep, LaTeX readable; both quickly, whatever comes."""

from __future__ import annotations

import time
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalog.text import TEXT_LIMIT, TITLE_LIMIT, clean_block, clean_line, readable, unaccent_tex

#: Text as strangers send it: any character, and the pieces that the rules are about.
FOREIGN = st.lists(
    st.one_of(
        st.text(max_size=20),
        st.characters(),
        st.sampled_from(["<b>", "</b>", "<script>", "</script>", "<", "&lt;", "&amp;", "&#0;", "\\", "{", "}", "$", "^", "_"]),
        st.sampled_from(["\\'", '\\"', "\\textbf{", "\\alpha", "\\c c", "\u202e", "\u200e", "\x00", "\ud800", "e", "\u0301"]),
    ),
    max_size=30,
).map("".join)


@pytest.mark.parametrize(
    ("said", "kept"),
    [
        ("  A title\n over two\tlines ", "A title over two lines"),
        ("A\u00a0no-break\u2003space", "A no-break space"),
        ("x < y and y > z", "x < y and y > z"),
        ("A <i>Bayesian</i> H<sub>2</sub>O", "A Bayesian H2O"),
        ("A &lt;i&gt;twice&lt;/i&gt; escaped &amp;amp; sent", "A twice escaped & sent"),
        ("AT&T and R&D", "AT&T and R&D"),
        ("a<script>alert(1)</script>b", "ab"),
        ("a<SCRIPT src='x'>alert(1)</script >b", "ab"),
        ("a<script>never closed", "anever closed"),
        ("<iframe></iframe><style>p{}</style>text", "text"),
        ("safe\u202etxt.exe", "safetxt.exe"),
        ("\ufeffmark\x00 and \x07bell", "mark and bell"),
        ("half\ud800pair", "halfpair"),
        ("Erdo\u030bs", "Erdős"),
        ("e\u200e\u0301", "é"),
        ("<scr\u200eipt>alert(1)</scr\u200eipt>", ""),
        ("", ""),
    ],
)
def test_a_line_is_kept_without_what_is_dangerous(said: str, kept: str) -> None:
    assert clean_line(said) == kept


def test_longer_text_is_cut_with_a_mark() -> None:
    assert clean_line("a" * TITLE_LIMIT) == "a" * TITLE_LIMIT
    cut = clean_line("word " * TITLE_LIMIT)
    assert len(cut) <= TITLE_LIMIT
    assert cut.endswith("word…")
    assert len(clean_block("a" * (TEXT_LIMIT + 1))) == TEXT_LIMIT


@given(FOREIGN)
def test_whatever_comes_a_line_is_one_line_of_printable_text(text: str) -> None:
    line = clean_line(text)
    assert line == " ".join(line.split())
    assert line == unicodedata.normalize("NFC", line)
    assert not any(unicodedata.category(c) in ("Cc", "Cs") for c in line)
    assert not set(line) & set("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\u200e\u200f\ufeff")
    assert "<script" not in line.lower()
    assert len(line) <= TITLE_LIMIT
    line.encode()


@pytest.mark.parametrize(
    ("tex", "text"),
    [
        (r"Erd\H{o}s", "Erdős"),
        (r"{\"u}ber", "über"),
        (r"G\"odel and M\'{\i}nguez", "Gödel and Mínguez"),
        (r"\v{S}koda, \c cedilla", "Škoda, çedilla"),
        (r"Stra\ss e, \O{}re, \L{}ukasz", "Straße, Øre, Łukasz"),
        (r"\'E", "É"),
        (r"Universit\`a", "Università"),
        (r"$\ell_2$ stays", r"$\ell_2$ stays"),
        ("no TeX at all", "no TeX at all"),
    ],
)
def test_accents_become_letters(tex: str, text: str) -> None:
    assert unaccent_tex(tex) == text


@pytest.mark.parametrize(
    ("tex", "text"),
    [
        (r"$\alpha$-VAE", "α-VAE"),
        (r"\textbf{Bold} \emph{and \textit{nested}}", "Bold and nested"),
        (r"Learning in $\mathbb{R}^n$", "Learning in ℝⁿ"),
        (r"$O(n^{2})$ time", "O(n²) time"),
        (r"$x^{a+b}$", "x^(a+b)"),
        (r"$\Gamma$ and $\omega$ and $\sigma$", "Γ and ω and σ"),
        (r"100\% of R\&D for \$5", "100% of R&D for $5"),
        (r"\unknowncommand{X}", "X"),
        (r"\rev{We} use \MethodName can do", "We use MethodName can do"),
        (r"Known~\cite[p. 3]{x,y} to work, see \ref{s}.", "Known to work, see ."),
        (r"\href{https://a.example/b}{our code}", "our code (https://a.example/b)"),
        (r"\href{https://a.example/b}{https://a.example/b}", "https://a.example/b"),
        (r"fast\footnote{\url{https://a.example/b}} now", "fast https://a.example/b now"),
        (r"$\log n$ and $\alpha x$", "log n and αx"),
        ("``Attention'' is {A}ll", "“Attention” is All"),
        (r"a\,b", "a b"),
        (r"snake_case stays", "snake_case stays"),
    ],
)
def test_latex_is_read_as_a_person_reads_it(tex: str, text: str) -> None:
    assert readable(tex) == text


@given(FOREIGN)
def test_any_cleaned_text_can_be_made_readable(text: str) -> None:
    shown = readable(clean_line(text))
    assert "\n" not in shown
    assert "\x00" not in shown


@pytest.mark.parametrize(
    "hostile",
    [
        "<script>" * 30_000, "<script>" + "a" * 500_000, "<b " * 100_000, "&amp;" * 100_000, "{" * 60_000, "\\textbf{" * 8_000,
        "\\textbf" + " " * 60_000, "\\text" + " " * 30_000 + "*" + " " * 30_000, "$a^" * 20_000, "\\'" * 30_000,
        "_{a}" * 16_000, " " * 500_000,
    ],
    ids=lambda text: f"{text[:9]!r}×{len(text)}",
)  # fmt: skip
def test_hostile_text_costs_no_time(hostile: str) -> None:
    started = time.process_time()
    clean_block(hostile)
    readable(hostile[:TEXT_LIMIT])
    assert time.process_time() - started < 1.0


@given(FOREIGN)
def test_plain_and_foreign_text_are_cleaned_by_the_same_rules(text: str) -> None:
    if len(text) < 400 and not set(text) & set("<&"):
        assert clean_line(text + " é") == f"{clean_line(text)} é".strip()
