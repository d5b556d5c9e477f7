"""The documentation does not lie about what can be checked: references are fresh, links lead somewhere, nothing is left out."""

from __future__ import annotations

import re
from pathlib import Path
from urllib.parse import unquote

import pytest

from catalog.settings import UNPREFIXED, Settings, environment_name
from catalog.storage import Storage
from ingest.sources import SOURCES
from tests.app.seeding import application
from tests.reference import COMMAND, GENERATED, PAGES, ROOT, commands

DOCS = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])
NAMES = [str(path.relative_to(ROOT)) for path in DOCS]
DECISIONS = sorted((ROOT / "docs" / "decisions").glob("*.md"))
SECTIONS = ["Context", "Decision", "Consequences", "Alternatives", "References"]


def read(path: Path) -> str:
    return path.read_text(encoding="utf-8")


def prose(text: str) -> str:
    """The text without its blocks of code."""
    return re.sub(r"^```.*?^```", "", text, flags=re.S | re.M)


def anchors(path: Path) -> set[str]:
    """The anchors of a page's headings, as GitHub makes them."""
    found: set[str] = set()
    for heading in re.findall(r"^#+ (.*)$", prose(read(path)), flags=re.M):
        plain = re.sub(r"\[([^]]*)]\([^)]*\)", r"\1", heading)
        found.add(re.sub(r"[^\w\- ]", "", plain.lower()).strip().replace(" ", "-"))
    return found


# ------------------------------------------------------------------ what is generated
@pytest.mark.parametrize("path", GENERATED, ids=lambda path: str(path.relative_to(ROOT)))
def test_a_generated_page_is_up_to_date(path: Path) -> None:
    assert path.exists(), f"`{COMMAND}` writes it"
    assert read(path) == GENERATED[path](), f"`{COMMAND}` writes it anew"


def test_every_setting_command_and_source_is_told() -> None:
    settings, cli, sources = (
        read(ROOT / "docs" / name) for name in ("reference/settings.md", "reference/cli.md", "sources.md")
    )
    assert [name for name in Settings.model_fields if f"`{environment_name(name)}`" not in settings] == []
    assert [path for path, _ in commands() if f"## {path}\n" not in cli] == []
    assert [source.name for source in SOURCES if f"`{source.name}`" not in sources] == []


def test_every_command_explains_itself_and_its_options() -> None:
    for path, command in commands():
        assert command.help, path
        for parameter in command.params:
            assert parameter.help, f"{path} {parameter.name}"


def test_every_route_is_told(tmp_path: Path) -> None:
    page = read(ROOT / "docs" / "reference" / "http.md")
    storage = Storage(f"sqlite:///{tmp_path / 'empty.db'}")
    try:
        app = application(storage)
        operations = [(method.upper(), path) for path, one in app.openapi()["paths"].items() for method in one]
        told = {path for _, path in operations}
        paths = {route.path for route in app.routes if hasattr(route, "path")} | told
    finally:
        storage.close()
    assert [one for one in sorted(operations) if f"## {one[0]} {one[1]}\n" not in page] == []
    assert [path for path in PAGES if f"| `{path}` |" not in page] == []
    assert sorted(paths - told - set(PAGES)) == []


# ------------------------------------------------------------------ links and names
@pytest.mark.parametrize("path", DOCS, ids=NAMES)
def test_every_link_inside_the_checkout_leads_somewhere(path: Path) -> None:
    broken = []
    for target in re.findall(r"(?<!!)\[[^]]*]\(([^)\s]+)\)", prose(read(path))):
        if re.match(r"[a-z]+:", target):
            continue
        file, _, anchor = target.partition("#")
        there = (path.parent / unquote(file)).resolve() if file else path
        if not there.exists() or (anchor and there.suffix == ".md" and anchor not in anchors(there)):
            broken.append(target)
    assert broken == []


@pytest.mark.parametrize("path", DOCS, ids=NAMES)
def test_every_setting_command_and_file_that_is_named_exists(path: Path) -> None:
    text = read(path)
    known = {environment_name(name) for name in Settings.model_fields}
    named = set(re.findall(r"\bSKILLFEED_[A-Z][A-Z_]*[A-Z]\b", text)) | (
        set(re.findall(r"\bKAGGLE_[A-Z_]+\b", text)) & set(UNPREFIXED)
    )
    assert sorted(name for name in named if name.removesuffix("_FILE") not in known) == []
    words = {path.removeprefix("skillfeed ").split(" ")[0] for path, _ in commands()}
    assert sorted(set(re.findall(r"(?:`|^\s*|exec \w+ )skillfeed ([a-z]+)", text, flags=re.M)) - words) == []
    files = re.findall(r"`((?:app|catalog|ingest|migrations|tests|docs)/[\w./-]+\.\w+)`", text)
    assert sorted(file for file in files if not (ROOT / file).exists()) == []


@pytest.mark.parametrize("path", DOCS, ids=NAMES)
def test_a_page_has_one_title_and_no_tabs(path: Path) -> None:
    text = read(path)
    assert len(re.findall(r"^# ", prose(text), flags=re.M)) == 1
    assert "\t" not in text
    assert text.endswith("\n")


def test_every_page_is_reached_from_the_index() -> None:
    seen: set[Path] = set()
    ahead = [ROOT / "README.md"]
    while ahead:
        page = ahead.pop()
        if page in seen:
            continue
        seen.add(page)
        links = re.findall(r"]\(([^)#\s]+\.md)", prose(read(page)))
        ahead += [(page.parent / link).resolve() for link in links if not link.startswith("http")]
    assert [name for name, path in zip(NAMES, DOCS, strict=True) if path not in seen] == []


# ------------------------------------------------------------------ what must be there
def test_the_readme_has_what_a_newcomer_needs() -> None:
    text = read(ROOT / "README.md")
    for needed in ("make run", "make test", "docker compose up", "http://127.0.0.1:8000", "docs/index.md", "curl "):
        assert needed in text
    assert re.search(r"<!-- digest -->\n.+\n<!-- /digest -->", text, flags=re.S)
    assert COMMAND in read(ROOT / "CONTRIBUTING.md")


def test_no_two_decisions_have_one_number() -> None:
    numbers = [path.name[:4] for path in DECISIONS]
    assert numbers == sorted(set(numbers))


@pytest.mark.parametrize("path", DECISIONS, ids=lambda path: path.stem)
def test_a_decision_has_its_sections_and_one_page(path: Path) -> None:
    text = read(path)
    assert re.match(rf"# {path.name[:4]} \S", text)
    assert re.findall(r"^## (.*)$", text, flags=re.M) == SECTIONS
    assert len(text.splitlines()) <= 80
    assert path.name in read(ROOT / "docs" / "index.md")


def test_the_changelog_begins_with_what_comes_next() -> None:
    assert re.findall(r"^## (\S+)", read(ROOT / "CHANGELOG.md"), flags=re.M)[0] == "Unreleased"


def test_the_glossary_has_each_word_once() -> None:
    words = re.findall(r"^\| \*\*([a-z ]+)\*\*", read(ROOT / "docs" / "glossary.md"), flags=re.M)
    assert len(words) == len(set(words))
    assert {"source", "entry", "item", "resolve", "topic", "announced", "period", "digest", "run", "lease"} <= set(words)


def test_outcomes_and_kinds_are_told() -> None:
    from catalog.entries import Kind
    from catalog.outcomes import Outcome

    text = read(ROOT / "docs" / "glossary.md")
    assert [value for value in (*Outcome, *Kind) if f"`{value}`" not in text] == []
