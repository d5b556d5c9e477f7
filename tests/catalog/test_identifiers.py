"""Identifiers are recognised in the forms in which people and sources write them, and in no others."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalog.identifiers import ArxivId, arxiv_id, canonical_url, doi, identifier_of

PAPER = ArxivId("2601.01234")
NEW = st.from_regex(r"[0-9]{4}\.[0-9]{4,5}", fullmatch=True)
OLD = st.from_regex(r"(?:hep-th|math\.AG|cs\.LG|quant-ph)/[0-9]{7}", fullmatch=True)
FORMS = (
    "{}",
    "arXiv:{}",
    "ARXIV:{}",
    "oai:arXiv.org:{}",
    "https://arxiv.org/abs/{}",
    "http://export.arxiv.org/pdf/{}.pdf",
    "10.48550/arXiv.{}",
)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2601.01234", PAPER),
        (" 2601.01234v2\n", ArxivId("2601.01234", 2)),
        ("arXiv:2601.01234v12", ArxivId("2601.01234", 12)),
        ("oai:arXiv.org:2601.01234", PAPER),
        ("https://arxiv.org/abs/2601.01234v3?context=cs.LG#x", ArxivId("2601.01234", 3)),
        ("https://www.arxiv.org/pdf/2601.01234.pdf", PAPER),
        ("HTTPS://ArXiv.org/html/2601.01234v1/", ArxivId("2601.01234", 1)),
        ("arxiv.org/abs/hep-th/9901001", ArxivId("hep-th/9901001")),
        ("math.AG/0601001v1", ArxivId("math.AG/0601001", 1)),
        ("10.48550/arXiv.2601.01234", PAPER),
        ("https://doi.org/10.48550/arXiv.2601.01234", PAPER),
        ("0704.0001", ArxivId("0704.0001")),
    ],
)
def test_an_arxiv_identifier_in_any_form(text: str, expected: ArxivId) -> None:
    assert arxiv_id(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "", "2601", "2601.123", "2601.012345", "2601.01234v", "2601.01234v0", "2601.01234 v2", "v2", "https://example.org/abs/2601.01234",
        "10.1000/2601.01234", "٢٦٠١.٠١٢٣٤", "2601.01234v" + "9" * 5_000, "arXiv:", "https://arxiv.org/list/cs.LG/new",
    ],
)  # fmt: skip
def test_what_is_no_arxiv_identifier(text: str) -> None:
    assert arxiv_id(text) is None


@given(st.one_of(NEW, OLD), st.none() | st.integers(1, 9999), st.sampled_from(FORMS))
def test_an_arxiv_identifier_reads_back_in_each_form(name: str, version: int | None, form: str) -> None:
    paper = ArxivId(name, version)
    assert arxiv_id(form.format(paper)) == paper
    assert arxiv_id(paper.url) == ArxivId(name)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("10.1000/Example.7", "10.1000/example.7"),
        ("https://doi.org/10.1000/example.7", "10.1000/example.7"),
        ("http://dx.doi.org/10.1000/example.7", "10.1000/example.7"),
        ("doi: 10.1000/example.7.", "10.1000/example.7"),
        ("10.1000/a(b)c;2-#", "10.1000/a(b)c;2-#"),
        ("10.1000/", None),
        ("10.1000/...", None),
        ("10.12/short", None),
        ("see 10.1000/example", None),
        ("", None),
    ],
)
def test_a_doi_is_its_name_in_lower_case(text: str, expected: str | None) -> None:
    assert doi(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("HTTPS://Example.ORG", "https://example.org/"),
        ("https://example.org:443/a?b=1#c", "https://example.org/a?b=1"),
        ("http://example.org:8080/", "http://example.org:8080/"),
        ("https://example.org/?utm_source=x&id=7&source=rss", "https://example.org/?id=7"),
        ("http://[::1]:8080/x", "http://[::1]:8080/x"),
        ("https://user:secret@example.org/", None),
        ("ftp://example.org/", None),
        ("javascript:alert(1)", None),
        ("https://example.org:99999/", None),
        ("http://[bad", None),
        ("https://example.org/?q=\ud800", None),
        ("", None),
    ],
)
def test_an_address_is_compared_in_one_form(text: str, expected: str | None) -> None:
    assert canonical_url(text) == expected


@given(st.text() | st.text().map("https://example.org/{}".format) | st.text().map("http://{}".format))
def test_any_text_can_be_asked_for(text: str) -> None:
    arxiv_id(text)
    doi(text)
    once = canonical_url(text)
    if once is not None:
        assert canonical_url(once) == once


@pytest.mark.parametrize(
    ("text", "identifier"),
    [
        ("https://openreview.net/forum?id=AbCdEfGhIj", ("openreview", "AbCdEfGhIj")),
        ("https://openreview.net/pdf?id=AbCdEf-_12&noteId=x", ("openreview", "AbCdEf-_12")),
        ("https://proceedings.mlr.press/v267/example25a.html", ("pmlr", "v267/example25a")),
        ("http://proceedings.mlr.press/v9/example10a/example10a.pdf", ("pmlr", "v9/example10a")),
        ("https://aclanthology.org/2026.acl-long.2/", ("acl", "2026.acl-long.2")),
        ("https://www.aclanthology.org/P19-1001.pdf", ("acl", "P19-1001")),
        ("https://doi.org/10.18653/v1/2026.acl-long.2", ("acl", "2026.acl-long.2")),
        ("https://doi.org/10.1000/Example.7", ("doi", "10.1000/example.7")),
        (
            "https://proceedings.neurips.cc/paper_files/paper/2025/hash/0123456789abcdef0123456789abcdef-Abstract-Conference.html",
            ("neurips", "0123456789abcdef0123456789abcdef"),
        ),
        (
            "https://papers.nips.cc/paper/2018/file/0123456789abcdef0123456789abcdef-Paper.pdf",
            ("neurips", "0123456789abcdef0123456789abcdef"),
        ),
        (
            "https://openaccess.thecvf.com/content/CVPR2026/html/Example_An_Invented_Title_CVPR_2026_paper.html",
            ("cvf", "CVPR2026/Example_An_Invented_Title_CVPR_2026_paper"),
        ),
        (
            "http://openaccess.thecvf.com/content_CVPR_2019/papers/Example_A_B_CVPR_2019_paper.pdf",
            ("cvf", "CVPR2019/Example_A_B_CVPR_2019_paper"),
        ),
        ("https://github.com/Ada/sparse.git", ("github", "Ada/sparse")),
        ("https://www.github.com/ada/sparse/tree/main?utm_source=x", ("github", "ada/sparse")),
        ("https://arxiv.org/pdf/2601.01234v2", ("arxiv", "2601.01234")),
        ("https://openreview.net/group?id=ICLR.cc/2026/Conference", None),
        ("https://proceedings.mlr.press/v267/", None),
        ("https://example.org/openreview.net/forum?id=AbCdEfGhIj", None),
        ("no address", None),
    ],
)
def test_addresses_name_papers_and_repositories(text: str, identifier: tuple[str, str] | None) -> None:
    assert identifier_of(text) == identifier
