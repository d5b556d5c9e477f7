"""Facts in texts: single rules by invented examples, and how well all of them do on two labelled check sets."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from catalog.entries import EntryData, Kind
from ingest.facts import Fact, claims, facts_of, links

CHECKED = Path(__file__).parent.parent / "data" / "facts"


def accepted(comment: str, journal: str = "") -> list[str]:
    return [fact.text for fact in claims(comment, journal)]


def linked(text: str) -> list[tuple[str, str]]:
    return [(fact.what, fact.text) for fact in links(text)]


# ------------------------------------------------------------------ check sets
def judged(name: str, key: str, found: Callable[[dict[str, Any]], set[tuple[str, str]]]) -> tuple[float, float]:
    """Precision and recall over a check set: facts are equal when both of their parts are."""
    right = given = wanted = 0
    for line in (CHECKED / name).read_text(encoding="utf-8").splitlines():
        record = json.loads(line)
        got, want = found(record), {(a, b) for a, b in record[key]}
        right, given, wanted = right + len(got & want), given + len(got), wanted + len(want)
    return right / given, right / wanted


def test_claims_of_acceptance_are_right_and_found_in_labelled_comments() -> None:
    precision, recall = judged(
        "comments.jsonl", "accepted", lambda r: {(f.text, f.status) for f in claims(r["comment"], r["journal"])}
    )
    assert precision >= 0.97
    assert recall >= 0.9


def test_links_are_right_and_found_in_labelled_texts() -> None:
    precision, recall = judged("links.jsonl", "own", lambda r: {(f.what, f.text) for f in links(r["text"])})
    assert precision >= 0.95
    assert recall >= 0.9


# ------------------------------------------------------------------ acceptance
@pytest.mark.parametrize(
    ("comment", "facts"),
    [
        ("Accepted at ICML 2026", ["ICML 2026"]),
        ("Accepted for publication and oral presentation at AAAI-26", ["AAAI 2026"]),
        ("To appear in the Proceedings of the 42nd International Conference on Machine Learning", ["ICML 2025"]),
        ("The Fourteenth International Conference on Learning Representations", ["ICLR 2026"]),
        ("12 pages, 3 figures, CVPR 2026 (Oral)", ["CVPR 2026"]),
        ("NeurIPS 2025 Workshop on Small Things", ["NeurIPS 2025 workshop"]),
        ("Accepted at TinyThings @ NeurIPS 2025", ["NeurIPS 2025 workshop"]),
        ("Accepted to Tiny-EACL 2026", ["EACL 2026 workshop"]),
        ("ECCVW 2026", ["ECCV 2026 workshop"]),
        ("EMNLP'25 Findings", ["EMNLP 2025 Findings"]),
        ("In Findings of the Association for Computational Linguistics: EACL 2026", ["EACL 2026 Findings"]),
        ("Published as a conference paper at ICLR 2026", ["ICLR 2026"]),
        ("ICASSP2026", ["ICASSP 2026"]),
        ("Accepted to Medical Imaging with Deep Learning, 2026", ["MIDL 2026"]),
        ("accepted by IEEE TPAMI", ["IEEE TPAMI"]),
        ("Accepted for publication in IEEE Transactions on Medical Imaging", ["IEEE TMI"]),
        ("Accepted by Neural Things", ["Neural Things"]),
        ("Accepted at the 9th Conference on Neat Ideas (CNI 2026), Graz, Austria", ["CNI 2026"]),
        ("Presented at the International Symposium on Neat Ideas", ["International Symposium on Neat Ideas"]),
        ("submitted to and accepted by KDD 2026", ["KDD 2026"]),
        ("AAAI 2026 accepted", ["AAAI 2026"]),
        ("Accepted to ICML 2026 and submitted to JMLR", ["ICML 2026"]),
        ("Accepted at ICML 2026; an earlier version was at the NeurIPS 2025 Workshop on Small Things", ["ICML 2026"]),
        (
            "Accepted to the ICML 2026 Workshop on Sums and the KDD 2026 Workshop on Sets",
            ["ICML 2026 workshop", "KDD 2026 workshop"],
        ),
        ("Accepted in TMLR. Presented at ICLR 2026", ["TMLR", "ICLR 2026"]),
        ("Full version, with proofs, of a paper accepted to AAMAS 2026", ["AAMAS 2026"]),
        ("To appear in 2026 ACM SIGIR Conference on Human Information Interaction and Retrieval (CHIIR '26)", ["CHIIR 2026"]),
    ],
)
def test_what_the_authors_state_is_a_claim(comment: str, facts: list[str]) -> None:
    assert accepted(comment) == facts


@pytest.mark.parametrize(
    "comment",
    [
        "Submitted to ICML 2026",
        "Under review at ICML 2026",
        "ICML 2026 submission",
        "CVPR 2026 (under review)",
        "CVPR 2026. Under review",
        "Preprint, in submission",
        "Rejected from NeurIPS 2025",
        "Not accepted at ICML 2026",
        "Code will be released once accepted at ICML 2026",
        "To be submitted to ICML 2026",
        "Withdrawn from ICLR 2026",
        "Extended version of our ICML 2024 paper",
        "This is an extended version of a paper accepted at AAAI 2026",
        "A short version was accepted at ISIT 2026",
        "Parts of this work were published at ICLR 2025",
        "Master's thesis; presented in part at ICML 2025",
        "Code for the NeurIPS 2023 challenge",
        "NeurIPS 2025 competition track solution",
        "Accepted at the NeurIPS 2025 competition track",
        "1st place at the CVPR 2025 challenge",
        "The dataset was used in CVPR 2025",
        "A dataset of papers published at NeurIPS 2024",
        "We thank the reviewers of ICML 2025",
        "10 pages, ICML 2025 style",
        "10 pages, in the format of ICML 2025",
        "ICLR 2026 template",
        "Appendix to the ICML 2025 paper",
        "Comment on the ICML 2025 paper of A. Author",
        "Accepted",
        "Accepted for publication",
        "This is the accepted author manuscript (AAM)",
        "To appear in Proceedings of Machine Learning Research (PMLR)",
        "Published in: Author, A., Other, B. (2022). A Title",
        "8 pages, conference",
        "",
    ],
)
def test_what_may_mean_something_else_is_no_claim(comment: str) -> None:
    assert accepted(comment) == []


@pytest.mark.parametrize(
    ("comment", "tier"),
    [
        ("CVPR 2026 (Oral)", "oral"),
        ("Accepted at ICLR 2026. Spotlight", "spotlight"),
        ("ICLR 2026 poster", "poster"),
        ("ICML 2026, best paper award", "best paper"),
        ("ICML 2026, shortlisted for the best paper award", ""),
        ("Accepted at ICML 2026", ""),
    ],
)
def test_the_tier_is_told_when_it_is_said(comment: str, tier: str) -> None:
    assert [(f.status, f.tier) for f in claims(comment)] == [("claimed", tier)]


@pytest.mark.parametrize(
    ("journal", "fact"),
    [
        ("Phys. Rev. D 99, 104 (2019)", "Phys. Rev. D 2019"),
        ("Journal of Machine Learning Research 26 (2025) 1-40", "JMLR 2025"),
        ("Advances in Neural Information Processing Systems 38 (2025)", "NeurIPS 2025"),
        ("Proceedings of the 42nd International Conference on Machine Learning, PMLR 267", "ICML 2025"),
        ("Proc. of the 3rd Conference on Neat Ideas (CNI 2025), pp. 1-9", "CNI 2025"),
        ("Findings of the Association for Computational Linguistics: ACL 2025, pages 1-9", "ACL 2025 Findings"),
    ],
)
def test_a_journal_reference_is_a_claim(journal: str, fact: str) -> None:
    assert accepted("", journal) == [fact]


@pytest.mark.parametrize("journal", ["EPTCS 416, 2025, pp. 1-14", "12 (2019) 3"])
def test_a_reference_without_a_venue_is_none(journal: str) -> None:
    assert accepted("", journal) == []


# ------------------------------------------------------------------ links
HERE = "https://github.com/ada/Things"


@pytest.mark.parametrize(
    "text",
    [
        "Code is available at https://github.com/ada/Things.",
        "Code: github.com/ada/Things",
        "https://github.com/ada/Things",
        "We show that it holds. https://www.GitHub.com/ada/Things/tree/main/src",
        r"Code at \url{https://github.com/ada/Things.git}.",
        r"The code is \href{https://github.com/ada/Things}{available here}.",
        r"Code is public\footnote{\href{https://github.com/ada/Things}{Repository}}.",
        "Our code (https://github.com/ada/Things) is public.",
        "Project page: https://github.com/ada/Things",
        "See github.com/ ada / Things .",
        "Code: [here](https://github.com/ada/Things)",
        "The code used in this work can be downloaded from https://github.com/ada/Things",
        "We train with X from https://github.com/x/y and release our code at https://github.com/ada/Things",
        "Code is at https://github.com/ada/Things, which is based on https://github.com/x/y.",
    ],
)
def test_the_papers_own_repository_is_code(text: str) -> None:
    assert linked(text) == [("code", HERE)]


@pytest.mark.parametrize(
    "text",
    [
        "Our code is built on https://github.com/x/transformers.",
        "We use the Y library (https://github.com/x/y).",
        "We use the publicly available code at https://github.com/x/y",
        "Based on the implementation at https://github.com/x/y.",
        "All models trained with Y (https://github.com/x/y) are released.",
        "We compare with the baseline of https://github.com/x/y",
        "We fork Y (https://github.com/x/y)",
        "Data from https://zenodo.org/records/123456 was used.",
        "We use datasets such as https://huggingface.co/datasets/x/y",
        "We fine-tune Y (https://huggingface.co/x/Y-7b) on more data",
    ],
)
def test_what_others_made_is_not_the_papers(text: str) -> None:
    assert linked(text) == []


@pytest.mark.parametrize(
    "text",
    [
        "Project page: https://ada.github.io/things",
        "Code: https://github.com/ada",
        "See https://github.com/topics/things",
        "Demo: https://huggingface.co/spaces/ada/things",
        "A list of papers: https://github.com/ada/Awesome-Things",
        "Supplementary material is at https://github.com/ada/Things",
        "The Japanese original is available at https://zenodo.org/records/123456",
        "Code is available on GitHub.",
    ],
)
def test_what_is_no_code_model_or_data_is_left_out(text: str) -> None:
    assert linked(text) == []


@pytest.mark.parametrize(
    ("text", "fact"),
    [
        ("The dataset is available at https://github.com/ada/Things", ("data", HERE)),
        ("Code and data are available at https://github.com/ada/Things", ("code", HERE)),
        ("Weights: https://hf.co/ada/Things-7B", ("model", "https://huggingface.co/ada/Things-7B")),
        ("Data: https://huggingface.co/datasets/ada/Things", ("data", "https://huggingface.co/datasets/ada/Things")),
        (
            "Models: https://huggingface.co/collections/ada/things-1",
            ("model", "https://huggingface.co/collections/ada/things-1"),
        ),
        ("Data: https://www.kaggle.com/datasets/ada/things/", ("data", "https://kaggle.com/datasets/ada/things")),
        ("Data: doi:10.5281/zenodo.123456", ("data", "https://zenodo.org/records/123456")),
        ("Code: https://zenodo.org/record/123456", ("code", "https://zenodo.org/records/123456")),
        ("Data: https://doi.org/10.6084/m9.figshare.42.", ("data", "https://doi.org/10.6084/m9.figshare.42")),
        ("Data: https://figshare.com/articles/dataset/t/42", ("data", "https://figshare.com/articles/dataset/t/42")),
        ("Data: https://www.openml.org/d/61", ("data", "https://openml.org/d/61")),
        ("Code: https://gitlab.ada.org/a/b/c/-/tree/main", ("code", "https://gitlab.ada.org/a/b/c")),
        (r"Code: https://anonymous.4open.science/r/a\_b-1/", ("code", "https://anonymous.4open.science/r/a_b-1")),
    ],
)
def test_place_and_words_say_what_is_linked(text: str, fact: tuple[str, str]) -> None:
    assert linked(text) == [fact]


def test_what_is_said_of_the_first_address_holds_for_the_second() -> None:
    text = "Code and data are available at https://github.com/ada/Things and https://huggingface.co/datasets/ada/Things"
    assert linked(text) == [("code", HERE), ("data", "https://huggingface.co/datasets/ada/Things")]


# ------------------------------------------------------------------ both
def entry(**changes: str) -> EntryData:
    return EntryData("arxiv", "2601.00001", Kind.PAPER, "A title", "https://arxiv.org/abs/2601.00001", **changes)  # type: ignore[arg-type]


def test_an_entry_gives_its_facts_in_order_and_each_once() -> None:
    found = facts_of(
        entry(
            comment="Accepted at ICML 2026 (Oral). Code: https://github.com/Ada/things",
            journal="Proceedings of the 43rd International Conference on Machine Learning, 2026",
            abstract="We count. Code is available at https://github.com/ada/Things and data at https://huggingface.co/datasets/ada/t.",
        )
    )
    assert found == (
        Fact("accepted", "ICML 2026", "claimed", "oral"),
        Fact("code", "https://github.com/Ada/things"),
        Fact("data", "https://huggingface.co/datasets/ada/t"),
    )


def test_an_entry_without_comment_and_links_has_no_facts() -> None:
    assert facts_of(entry(abstract="We accepted nothing.")) == ()


@pytest.mark.parametrize(
    "piece", ["accepted at ", "(", "A", "A b ", "github.com/a/b ", "\\href{", "International Conference on "]
)
def test_hostile_texts_are_read_to_an_end(piece: str) -> None:
    text = piece * (65_536 // len(piece))
    assert len(claims(text, text)) + len(links(text)) < 5


PLACES = (
    "github.com/ada/probe", "gitlab.com/ada/probe", "bitbucket.org/ada/probe", "codeberg.org/ada/probe",
    "anonymous.4open.science/r/probe-1", "huggingface.co/ada/probe", "hf.co/ada/probe", "kaggle.com/datasets/ada/probe",
    "zenodo.org/records/1234567", "doi.org/10.5281/zenodo.1234567", "doi.org/10.6084/m9.figshare.12",
    "figshare.com/articles/probe/12", "openml.org/d/31",
)  # fmt: skip


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize(
    "around", ["Code and data are available at https://{}", "Code and data are available at {} – naïvely."]
)
def test_every_host_is_found_in_plain_and_in_other_letters(place: str, around: str) -> None:
    found = links(around.format(place))
    assert len(found) == 1
    assert links(around.format(place.upper())) != ()
