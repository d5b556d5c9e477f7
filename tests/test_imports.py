"""The order of the packages holds, also at run time: the web server does not load what only ingestion needs."""

from __future__ import annotations

import importlib.util
import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]

#: Slow to load, and of use to ingestion or training only.
NOT_FOR_THE_WEB = ("apscheduler", "arxiv", "feedparser", "lxml", "scipy", "sklearn")


@pytest.mark.slow
def test_the_import_contracts_hold() -> None:
    tool = Path(sys.executable).with_name("lint-imports")
    done = subprocess.run([tool, "--no-logo", "--no-cache"], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.slow
@pytest.mark.skipif(importlib.util.find_spec("app.main") is None, reason="there is no app.main yet")
def test_the_web_server_loads_nothing_of_ingestion() -> None:
    code = "import json, sys, app.main; print(json.dumps(sorted({name.partition('.')[0] for name in sys.modules})))"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    loaded = set(json.loads(done.stdout.splitlines()[-1]))
    assert "fastapi" in loaded
    assert loaded & {*NOT_FOR_THE_WEB, "ingest"} == set()


def test_every_folder_of_modules_is_a_package() -> None:
    """Folders without __init__.py import from the checkout and are missing from what is installed."""
    packages = ("app", "catalog", "ingest", "migrations")
    folders = {path.parent for package in packages for path in (ROOT / package).rglob("*.py")}
    assert sorted(str(folder.relative_to(ROOT)) for folder in folders if not (folder / "__init__.py").exists()) == []
