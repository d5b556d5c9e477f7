"""Invented papers in the wire formats of four sources, as many bytes each as the real ones have."""

from __future__ import annotations

import datetime as dt
import json
import re
import urllib.request
from collections.abc import Sequence
from pathlib import Path
from urllib.parse import quote

from tests.loopback_arxiv import LoopbackArxiv, Paper, unicode_text

_TOKEN = re.compile(rb"(<resumptionToken[^>]*>)([^<]+)(</resumptionToken>)")


def oai_pages(papers: Sequence[Paper], size: int) -> list[bytes]:
    """OAI-PMH answers in arXivRaw with so many records each; page n is continued by the token `page<n + 1>`."""
    pages: list[bytes] = []
    with LoopbackArxiv(papers, oai_page=size) as server:
        query = "verb=ListRecords&metadataPrefix=arXivRaw"
        while query:
            body = _get(f"{server.url}/oaipmh.arxiv.org/oai?{query}")
            found = _TOKEN.search(body)
            query = f"verb=ListRecords&resumptionToken={quote(found[2])}" if found else ""
            pages.append(_TOKEN.sub(rb"\g<1>page%d\3" % (len(pages) + 1), body))
    return pages


def rss_page(papers: Sequence[Paper]) -> bytes:
    """A daily feed that announces all of them as new."""
    day = papers[0].announced
    today = [_on(paper, day) for paper in papers]
    names = "+".join(sorted({p.categories[0] for p in papers}))
    with LoopbackArxiv(today, day, feed_limit=len(papers)) as server:
        return _get(f"{server.url}/rss.arxiv.org/rss/{names}")


def atom_page(papers: Sequence[Paper]) -> bytes:
    """The query API's answer with all of them."""
    with LoopbackArxiv(papers) as server:
        ids = ",".join(p.id for p in papers)
        return _get(f"{server.url}/export.arxiv.org/api/query?id_list={ids}&max_results={len(papers)}")


def programme(papers: Sequence[Paper]) -> bytes:
    """A virtual site's events, one poster each."""
    rows = [
        {
            "id": 100_000 + n, "uid": f"{n:032x}", "name": unicode_text(p.title),
            "authors": [{"id": n, "fullname": unicode_text(a), "url": "", "institution": "Example Univ."} for a in p.authors],
            "abstract": unicode_text(p.abstract), "topic": "General Machine Learning->Representation Learning",
            "keywords": ["sparse attention", "few labels"], "decision": "Accept (poster)", "session": "Poster Session 1",
            "eventtype": "Poster", "event_type": "Poster", "room_name": "Hall A", "starttime": "2025-07-15T11:00:00-07:00",
            "endtime": "2025-07-15T13:30:00-07:00", "virtualsite_url": f"/virtual/2025/poster/{n}", "url": None,
            "paper_url": f"https://openreview.net/forum?id=abc{n:07d}", "paper_pdf_url": None, "children_url": None,
            "children": [], "children_ids": [], "parent1": None, "parent2": None, "eventmedia": [],
            "sourceid": n, "sourceurl": "https://openreview.net/group?id=ICML.cc/2025/Conference", "diversity_event": None,
            "related_events": [], "related_events_ids": [], "show_in_schedule_overview": False, "visible": True,
        }
        for n, p in enumerate(papers)
    ]  # fmt: skip
    return json.dumps({"count": len(rows), "next": None, "previous": None, "results": rows}).encode()


def citeproc(papers: Sequence[Paper]) -> bytes:
    """A volume of proceedings as citeproc YAML."""
    out = ["---\n"]
    for n, p in enumerate(papers):
        people = []
        for name in p.authors:
            given, _, family = unicode_text(name).rpartition(" ")
            people.append(f"  - given: {given}\n    family: {family}\n")
        title, abstract = ("'" + unicode_text(t).replace("'", "''") + "'" for t in (p.title, p.abstract))
        out.append(
            f"- title: {title}\n  abstract: {abstract}\n  volume: 267\n"
            f"  URL: https://proceedings.mlr.press/v267/example25{n}.html\n"
            f"  PDF: https://raw.githubusercontent.com/mlresearch/v267/main/assets/example25{n}/example25{n}.pdf\n"
            f"  edit: https://github.com/mlresearch//v267/edit/gh-pages/_posts/2025-10-06-example25{n}.md\n"
            "  series: 'Proceedings of Machine Learning Research'\n"
            "  container-title: 'Proceedings of the 42nd International Conference on Machine Learning'\n"
            f"  publisher: 'PMLR'\n  author: \n{''.join(people)}"
            "  editor: \n  - given: Ada\n    family: Example\n  - given: Bo\n    family: Sample\n"
            f"  page: {n}-{n + 20}\n  id: example25{n}\n  issued:\n    date-parts: \n      - 2025\n      - 10\n      - 6\n"
            f"  firstpage: {n}\n  lastpage: {n + 20}\n  published: 2025-10-06 00:00:00 +0000\n  openreview: abc{n:07d}\n"
        )
    return "".join(out).encode()


def feed(papers: Sequence[Paper], host: str) -> bytes:
    """A plain Atom feed of blog posts with the same texts, for readers of any feed."""
    entries = "".join(
        f'<entry><id>{host}/{p.id}</id><title>{_escaped(p.title)}</title><link href="{host}/{p.id}"/>'
        f"<updated>{p.submitted.astimezone(dt.UTC):%Y-%m-%dT%H:%M:%SZ}</updated>"
        f"<published>{p.submitted.astimezone(dt.UTC):%Y-%m-%dT%H:%M:%SZ}</published>"
        + "".join(f"<author><name>{_escaped(a)}</name></author>" for a in p.authors)
        + "".join(f'<category term="{c}"/>' for c in p.categories)
        + f"<summary>{_escaped(p.abstract)}</summary></entry>\n"
        for p in papers
    )
    return (
        f"<?xml version='1.0' encoding='UTF-8'?>\n<feed xmlns=\"http://www.w3.org/2005/Atom\"><id>{host}</id><title>Papers</title>"
        f"<updated>2026-02-06T00:00:00Z</updated>\n{entries}</feed>\n"
    ).encode()


def _get(address: str) -> bytes:
    with urllib.request.urlopen(address) as answer:  # noqa: S310 - on loopback
        return bytes(answer.read())


def _escaped(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;")


def _on(paper: Paper, day: dt.date) -> Paper:
    return Paper(
        paper.id, paper.title, paper.abstract, paper.authors, paper.categories, day, paper.submitted, paper.comment,
        paper.journal, paper.doi, paper.licence,
    )  # fmt: skip


def save(pages: Sequence[bytes], folder: Path) -> None:
    """Pages as `benchmarks.server` gives them out: `first`, `page1`, `page2` …"""
    folder.mkdir(parents=True)
    for n, page in enumerate(pages):
        (folder / (f"page{n}" if n else "first")).write_bytes(page)
