"""The ten skill areas and their topics, read from `taxonomy.toml` and checked line by line.

This is data and lookup; which item has which topic is decided in `catalog.tagging`.
"""

from __future__ import annotations

import hashlib
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any, NoReturn

from catalog.entries import Kind
from catalog.errors import CatalogError, UnknownName

PACKAGED = Path(__file__).with_name("taxonomy.toml")

_SLUG = re.compile(r"[a-z][a-z0-9]*(?:-[a-z0-9]+)*")
_SLUG_LONGEST = 60  # characters; slugs stand in URLs and in indexed columns
_MARKS = ("venue", "subject", "metric", "category", "library", "source")  # see `catalog.tagging.marks`


@dataclass(frozen=True, slots=True)
class Area:
    """One of the ten steps; an item is in an area when it has one of the area's topics."""

    slug: str
    number: int  # 1 is the first step
    name: str
    description: str  # one line


@dataclass(frozen=True, slots=True)
class Topic:
    """One skill that can be followed."""

    slug: str
    name: str
    area: str  # slug of the area
    description: str  # one line
    phrases: tuple[str, ...] = ()  # words that set the topic by rule
    kinds: tuple[Kind, ...] = ()  # kinds of item that set the topic by themselves
    marks: tuple[str, ...] = ()  # what sources of other things than papers say that sets the topic: `venue CVPR`
    aliases: tuple[str, ...] = ()  # old slugs; one of a topic that was split stands with each of its parts
    papers: bool = False  # papers are judged on it, the model learns it
    counts: str = ""  # when an item belongs to it
    excludes: str = ""  # what is mistaken for it (`not` in the file)


@dataclass(frozen=True, slots=True)
class Taxonomy:
    """All areas in order of their number, all topics in order of the file."""

    areas: tuple[Area, ...]
    topics: tuple[Topic, ...]
    _areas: Mapping[str, Area] = field(init=False, repr=False, compare=False)
    _topics: Mapping[str, tuple[Topic, ...]] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        topics: dict[str, tuple[Topic, ...]] = {}
        for topic in self.topics:
            for slug in (topic.slug, *topic.aliases):
                topics[slug] = (*topics.get(slug, ()), topic)
        object.__setattr__(self, "_areas", {area.slug: area for area in self.areas})
        object.__setattr__(self, "_topics", topics)

    def area(self, slug: str) -> Area:
        """The area of that slug; UnknownName with the nearest slugs when there is none."""
        try:
            return self._areas[slug]
        except KeyError:
            raise UnknownName("area", slug, self._areas) from None

    def topic(self, slug: str) -> Topic:
        """The topic of that slug or of that old slug, of several parts the first; UnknownName with the nearest slugs."""
        return self.parts(slug)[0]

    def parts(self, slug: str) -> tuple[Topic, ...]:
        """What a slug leads to: its topic, or all that a topic of this old slug was split into; UnknownName as for `topic`."""
        try:
            return self._topics[slug]
        except KeyError:
            raise UnknownName("topic", slug, (topic.slug for topic in self.topics)) from None

    def topics_of(self, area_slug: str) -> tuple[Topic, ...]:
        """The topics of an area in order of the file; UnknownName when there is no such area."""
        area = self.area(area_slug)
        return tuple(topic for topic in self.topics if topic.area == area.slug)

    @property
    def version(self) -> str:
        """12 hex digits over areas and topics; comments and layout of the file do not change it."""
        return hashlib.blake2b(repr((self.areas, self.topics)).encode(), digest_size=6).hexdigest()


def load_taxonomy(path: Path | None = None) -> Taxonomy:
    """The taxonomy of a file, by default the packaged one; each file is read once per process.

    CatalogError, one line naming file, table and mend, when the file cannot be read or breaks a rule.
    """
    return _load(path or PACKAGED)


@cache
def _load(path: Path) -> Taxonomy:
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise CatalogError(f"{path}: cannot be read ({error.strerror}); name a taxonomy file that exists") from error
    except UnicodeDecodeError as error:
        raise CatalogError(f"{path}: is not UTF-8 at byte {error.start}; save it as UTF-8") from error
    try:
        data = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise CatalogError(f"{path}: is not TOML: {error}; mend that line") from error
    return _Reader(path).taxonomy(data)


class _Reader:
    """Turns parsed TOML into a Taxonomy, or says in one line where it is wrong."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def taxonomy(self, data: dict[str, Any]) -> Taxonomy:
        for key in data:
            if key not in ("areas", "topics"):
                self.fail(str(key), "is not known here; use [areas.SLUG] and [topics.SLUG]")
        areas = tuple(sorted((self.area(*row) for row in self.tables(data, "areas")), key=lambda area: area.number))
        numbers: dict[int, str] = {}
        for area in areas:
            if area.number in numbers:
                taken = numbers[area.number]
                self.fail(f"areas.{area.slug}", f"number {area.number} is already that of areas.{taken}; number them apart")
            numbers[area.number] = area.slug
        topics = tuple(self.topic(slug, row, areas) for slug, row in self.tables(data, "topics"))
        self.check_aliases(topics)
        return Taxonomy(areas, topics)

    def tables(self, data: dict[str, Any], what: str) -> list[tuple[str, dict[str, Any]]]:
        tables = data.get(what)
        if not isinstance(tables, dict) or not tables:
            self.fail(what, f"is missing or no table; add at least one [{what}.SLUG]")
        for slug, table in tables.items():
            self.check_slug(f"{what}.{slug}", slug)
            if not isinstance(table, dict):
                self.fail(f"{what}.{slug}", f"must be a table; write [{what}.{slug}]")
        return list(tables.items())

    def area(self, slug: str, row: dict[str, Any]) -> Area:
        where = f"areas.{slug}"
        self.check_keys(where, row, required=("number", "name", "description"), optional=())
        number = row["number"]
        if type(number) is not int or number < 1:
            self.fail(where, "number must be a whole number from 1 on")
        return Area(slug, number, self.line(where, row, "name"), self.line(where, row, "description"))

    def topic(self, slug: str, row: dict[str, Any], areas: tuple[Area, ...]) -> Topic:
        where = f"topics.{slug}"
        optional = ("counts", "not", "aliases", "phrases", "kinds", "marks", "papers")
        self.check_keys(where, row, required=("area", "name", "description"), optional=optional)
        area = self.line(where, row, "area")
        slugs = [known.slug for known in areas]
        if area not in slugs:
            self.fail(where, f"area {area!r} does not exist; use one of {', '.join(slugs)}")
        kinds = []
        for kind in self.strings(where, row, "kinds"):
            if kind not in [known.value for known in Kind]:
                self.fail(where, f"kind {kind!r} does not exist; use one of {', '.join(Kind)}")
            kinds.append(Kind(kind))
        phrases = self.strings(where, row, "phrases")
        for phrase in phrases:
            if not re.search(r"[^\W_]", phrase):
                self.fail(where, f"phrase {phrase!r} has no word; remove it")
        marks = self.strings(where, row, "marks")
        for mark in marks:
            sort, _, value = mark.partition(" ")
            if sort not in _MARKS or (not value.strip() and sort != "metric"):
                self.fail(where, f"mark {mark!r} must be one of {', '.join(_MARKS)}, a blank and a value, or metric alone")
        papers = row.get("papers", False)
        if not isinstance(papers, bool):
            self.fail(where, "papers must be true or false")
        return Topic(
            slug=slug,
            name=self.line(where, row, "name"),
            area=area,
            description=self.line(where, row, "description"),
            phrases=phrases,
            kinds=tuple(kinds),
            marks=marks,
            aliases=self.strings(where, row, "aliases"),
            papers=papers,
            counts=self.line(where, row, "counts") if "counts" in row else "",
            excludes=self.line(where, row, "not") if "not" in row else "",
        )

    def check_aliases(self, topics: tuple[Topic, ...]) -> None:
        slugs = {topic.slug for topic in topics}
        for topic in topics:
            for alias in topic.aliases:
                self.check_slug(f"topics.{topic.slug}", alias)
                if alias in slugs:
                    self.fail(f"topics.{topic.slug}", f"alias {alias!r} already leads to topics.{alias}; remove one of the two")

    def check_slug(self, where: str, slug: str) -> None:
        if not _SLUG.fullmatch(slug) or len(slug) > _SLUG_LONGEST:
            rule = f"up to {_SLUG_LONGEST} of a-z and 0-9, words joined by single hyphens, a letter first"
            self.fail(where, f"{slug!r} is no slug; use {rule}")

    def check_keys(self, where: str, row: dict[str, Any], *, required: tuple[str, ...], optional: tuple[str, ...]) -> None:
        for key in required:
            if key not in row:
                self.fail(where, f"{key} is missing; add it")
        for key in row:
            if key not in required + optional:
                self.fail(where, f"key {key!r} is not known; allowed are {', '.join(required + optional)}")

    def line(self, where: str, row: dict[str, Any], key: str) -> str:
        value = row[key]
        if not isinstance(value, str) or not value.strip() or len(value.splitlines()) != 1:
            self.fail(where, f"{key} must be one line of text in quotes")
        return value

    def strings(self, where: str, row: dict[str, Any], key: str) -> tuple[str, ...]:
        values = row.get(key, [])
        if not isinstance(values, list) or not all(isinstance(value, str) for value in values):
            self.fail(where, f'{key} must be a list of texts, such as ["one", "two"]')
        for value in values:
            if values.count(value) > 1:
                self.fail(where, f"{key} holds {value!r} twice; remove one")
        return tuple(values)

    def fail(self, where: str, what: str) -> NoReturn:
        raise CatalogError(f"{self.path}: [{where}] {what}")
