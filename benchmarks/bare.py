"""The least that gives the same: pages read by hand, rows written by the driver. No cleaning, no checks, nothing kept twice."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Any

import yaml
from lxml import etree

from catalog.items import Tag
from catalog.storage import Storage
from catalog.storage.engine import pragmas, sqlite_library
from catalog.words import words_of

_OAI = "{http://www.openarchives.org/OAI/2.0/}"
_RAW = "{http://arxiv.org/OAI/arXivRaw/}"
_ARXIV = "{http://arxiv.org/schemas/atom}"
_DC = "{http://purl.org/dc/elements/1.1/}"
_HEAD = re.compile(r"arXiv:\S+ Announce Type: \S+ \nAbstract: ")


@dataclass(slots=True)
class Record:
    """A paper as its page says it."""

    key: str
    title: str
    abstract: str
    authors: list[str]
    categories: list[str]
    day: date | None = None
    comment: str = ""
    journal: str = ""
    doi: str = ""
    licence: str = ""
    versions: Sequence[tuple[int, datetime, bool]] = ()  # number, instant, withdrawn


def digest(record: Record) -> str:
    """32 hex digits over all that it says."""
    said = "\0".join(
        (
            record.key, record.title, record.abstract, *record.authors, *record.categories, record.comment, record.journal,
            record.doi, record.licence, *map(str, record.versions),
        )
    )  # fmt: skip
    return hashlib.blake2b(said.encode(), digest_size=16).hexdigest()


# ------------------------------------------------------------------ parsers
def oai(body: bytes) -> tuple[list[Record], str]:
    """The records of an OAI-PMH page in arXivRaw, and its resumption token; with lxml."""
    records = etree.fromstring(body).find(_OAI + "ListRecords")
    assert records is not None
    out = []
    for record in records.iterfind(_OAI + "record"):
        raw = record.find(f"{_OAI}metadata/{_RAW}arXivRaw")
        if raw is None:
            continue
        said: dict[str, str] = {}
        versions = []
        for field in raw:
            if field.tag == _RAW + "version":
                at, kind = field.findtext(_RAW + "date"), field.findtext(_RAW + "source_type")
                versions.append((int(field.get("version", "")[1:]), parsedate_to_datetime(at or ""), kind == "I"))
            else:
                said[str(field.tag)[len(_RAW) :]] = field.text or ""
        out.append(
            Record(
                said["id"],
                said["title"],
                said["abstract"],
                said["authors"].split(", "),
                said["categories"].split(),
                date.fromisoformat(record.findtext(f"{_OAI}header/{_OAI}datestamp") or ""),
                said.get("comments", ""),
                said.get("journal-ref", ""),
                said.get("doi", ""),
                said.get("license", ""),
                versions,
            )
        )
    return out, records.findtext(_OAI + "resumptionToken") or ""


def rss(body: bytes) -> list[Record]:
    """The items of a daily feed; with lxml."""
    out = []
    for item in etree.fromstring(body).iter("item"):
        text = item.findtext("description") or ""
        out.append(
            Record(
                (item.findtext("guid") or "").removeprefix("oai:arXiv.org:"),
                item.findtext("title") or "",
                _HEAD.sub("", text, count=1),
                (item.findtext(_DC + "creator") or "").split(", "),
                [c.text or "" for c in item.iterfind("category")],
                parsedate_to_datetime(item.findtext("pubDate") or "").date(),
                item.findtext(_ARXIV + "announce_type") or "",
                item.findtext(_ARXIV + "journal_reference") or "",
                item.findtext(_ARXIV + "DOI") or "",
                item.findtext(_DC + "rights") or "",
            )
        )
    return out


def programme(body: bytes) -> list[Record]:
    """The events of a virtual site; with json."""
    return [
        Record(
            str(row["uid"]),
            row["name"],
            row["abstract"],
            [a["fullname"] for a in row["authors"]],
            row["keywords"],
            date.fromisoformat(row["starttime"][:10]),
            row["decision"],
            row["topic"],
            row["paper_url"],
            row["virtualsite_url"],
        )
        for row in json.loads(body)["results"]
    ]


def citeproc(body: bytes) -> list[Record]:
    """The papers of a volume; with PyYAML over libyaml, every scalar as text."""
    return [
        Record(
            row["id"],
            row["title"],
            row["abstract"],
            [f"{p['given']} {p['family']}" for p in row["author"]],
            [],
            date.fromisoformat(row["published"][:10]),
            row["page"],
            row["container-title"],
            row["URL"],
            row["openreview"],
        )
        for row in yaml.load(body, yaml.CBaseLoader)  # noqa: S506 - makes nothing but text
    ]


# ------------------------------------------------------------------ driver
class Database:
    """A new SQLite file with our schema and settings, written by the driver alone."""

    def __init__(self, path: Path) -> None:
        Storage(f"sqlite:///{path}").close()
        self.db = sqlite_library().connect(str(path), isolation_level=None)
        for pragma in pragmas(read_only=False):
            self.db.execute(f"PRAGMA {pragma}")
        self.db.execute("PRAGMA foreign_keys=OFF")
        self._known: dict[str, int] = {}
        self._next = 1

    def close(self) -> None:
        """Close the file."""
        self.db.close()

    def store(self, records: Sequence[Record], tags: Sequence[tuple[Tag, ...]], hashes: Sequence[str]) -> None:
        """A page in one transaction: items, entries, versions, identifiers, tags, facets, counters, search words."""
        rows: dict[str, list[tuple[Any, ...]]] = {
            name: [] for name in ("items", "entries", "entry_versions", "identifiers", "tags", "facets", "daily_counts")
        }
        index = []
        counts: dict[tuple[int, str], int] = {}
        for record, found, digest in zip(records, tags, hashes, strict=True):
            assert record.day is not None
            n, day = self._next, record.day.isoformat()
            self._next += 1
            position = record.day.toordinal() << 24 | n
            authors = json.dumps(record.authors, ensure_ascii=False)
            evidence = [[t.topic, t.score, [[e.field, e.start, e.end, e.words] for e in t.evidence]] for t in found]
            topics = {self._term(t.topic): t.score for t in found}
            facets = {self._term(v) for v in ("paper", "arxiv", *record.categories)}
            facets |= {self._term(t.topic[:3]) for t in found}  # as many areas as a paper has
            terms = sorted(facets | set(topics))
            url, categories = f"https://arxiv.org/abs/{record.key}", " ".join(record.categories)
            instants = [at.isoformat() for _, at, _ in record.versions]
            first, last = instants[0], instants[-1]
            rows["items"].append((
                n, record.key, position, "paper", record.title, authors, url, "", day, 1, first, last, 0, categories,
                json.dumps(evidence, ensure_ascii=False), " ".join(map(str, terms)), n, day,
            ))  # fmt: skip
            rows["entries"].append((
                n, n, "arxiv", record.key, len(record.versions), "paper", record.title, record.abstract, authors, url, day,
                "estimated", first, last, categories, "", json.dumps([["arxiv", record.key]]), record.comment, record.journal,
                record.licence, 0, "full", digest, day, day, "", hash(record.title),
            ))  # fmt: skip
            rows["identifiers"].append(("arxiv", record.key, n))
            rows["entry_versions"] += [(n, number, at.isoformat(), gone) for number, at, gone in record.versions]
            rows["tags"] += [(term, position, score) for term, score in topics.items()]
            rows["facets"] += [(term, position) for term in facets]
            for term in terms:
                counts[term, day] = counts.get((term, day), 0) + 1
            fields = (" ".join(words_of(text)) for text in (record.title, " ".join(record.authors), record.abstract))
            index.append((position, *fields, " ".join(f"t{t}" for t in terms)))
        for name in ("tags", "facets"):
            rows[name].sort()
        rows["daily_counts"] = [(*key, n) for key, n in counts.items()]
        self._write(rows, index)

    def hashes(self) -> dict[str, str]:
        """The hash of every entry by its key."""
        return dict(self.db.execute("SELECT key, hash FROM entries").fetchall())

    def _term(self, name: str) -> int:
        return self._known.setdefault(name, len(self._known) + 1)

    def _write(self, rows: dict[str, list[tuple[Any, ...]]], index: list[tuple[Any, ...]]) -> None:
        self.db.execute("BEGIN IMMEDIATE")
        for table, values in rows.items():
            if values:
                marks = ",".join("?" * len(values[0]))
                then = " ON CONFLICT DO UPDATE SET n = n + excluded.n" if table == "daily_counts" else ""
                self.db.executemany(f"INSERT INTO {table} VALUES ({marks}){then}", values)
        self.db.executemany("INSERT INTO search (rowid, title, names, body, terms) VALUES (?, ?, ?, ?, ?)", index)
        self.db.execute("COMMIT")
