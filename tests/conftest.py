"""Fixtures for every test: a clean environment, an own working folder, and databases of both kinds."""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import hypothesis
import pytest
from hypothesis.configuration import set_hypothesis_home_dir

from catalog.storage import Storage
from tests.databases import ZONE, Run

ROOT = Path(__file__).resolve().parents[1]

RUN = pytest.StashKey[Run]()

# Cases that take longer on a busy machine are no failures, and found examples stay with the other caches.
set_hypothesis_home_dir(ROOT / ".cache" / "hypothesis")
hypothesis.settings.register_profile("skillfeed", deadline=None, print_blob=True)
hypothesis.settings.load_profile("skillfeed")


def _forget_own_settings() -> None:
    """Nothing a developer has set may reach a test, nor a process that a test starts."""
    own = ("KAGGLE_API_TOKEN", "KAGGLE_USERNAME", "KAGGLE_KEY")
    for key in [k for k in os.environ if k.startswith("SKILLFEED_") or k in own or k.lower().endswith("_proxy")]:
        del os.environ[key]
    os.environ["TZ"] = ZONE
    time.tzset()


_forget_own_settings()


def pytest_configure(config: pytest.Config) -> None:
    worker: dict[str, Any] | None = getattr(config, "workerinput", None)
    config.stash[RUN] = Run.begin() if worker is None else Run(Path(worker["run_folder"]))


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: Any) -> None:
    """Tell each xdist worker which run it belongs to."""
    node.workerinput["run_folder"] = str(node.config.stash[RUN].folder)


def pytest_unconfigure(config: pytest.Config) -> None:
    if not hasattr(config, "workerinput"):
        config.stash[RUN].end()


#: `one` is a whole instance. 700 visits take 40 s of the minute that `make check` has; these stay in it.
_QUICK_VISITS = ("test_run.py", "test_arxiv_source.py")


@pytest.hookimpl(tryfirst=True)  # before -m selects
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """A test that asks for the server by name carries its mark; one that visits a source as a whole is slow."""
    for item in items:
        if "one" in getattr(item, "fixturenames", ()) and item.path.name not in _QUICK_VISITS:
            item.add_marker("slow")
        if {"postgres_url", "postgres_database"} & set(getattr(item, "fixturenames", ())):
            item.add_marker("postgres")


@pytest.fixture(autouse=True)
def _own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each test works in its own folder: no `.env` of the checkout is read, no `data/` written into it."""
    monkeypatch.chdir(tmp_path)


@pytest.fixture(autouse=True)
def _same_environment() -> Iterator[None]:
    """What a test puts into the environment goes with it."""
    before = dict(os.environ)
    yield
    for key in os.environ.keys() - before.keys():
        del os.environ[key]
    os.environ.update(before)


@pytest.fixture(scope="session")
def run(pytestconfig: pytest.Config) -> Run:
    """The test run and its shared folder."""
    return pytestconfig.stash[RUN]


@pytest.fixture(scope="session")
def postgres_url(run: Run) -> str:
    """The maintenance database of the run's PostgreSQL server (TEST_POSTGRES_URL, else an own one)."""
    return run.postgres_url


@pytest.fixture
def postgres_database(run: Run) -> Iterator[Callable[..., str]]:
    """Makes empty PostgreSQL databases, or migrated ones (`migrated=True`); they are dropped after the test."""
    made: list[str] = []

    def make(*, migrated: bool = False) -> str:
        made.append(run.postgres_database(run.postgres_template()) if migrated else run.postgres_database())
        return made[-1]

    yield make
    for url in made:
        run.drop_postgres_database(url)


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def backend(request: pytest.FixtureRequest) -> str:
    """Runs a test once on each database."""
    return str(request.param)


@pytest.fixture
def database_url(backend: str, request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The address of a fresh, empty database."""
    if backend == "sqlite":
        return f"sqlite:///{tmp_path / 'skillfeed.db'}"
    return str(request.getfixturevalue("postgres_database")())


@pytest.fixture
def migrated_url(backend: str, request: pytest.FixtureRequest, run: Run, tmp_path: Path) -> str:
    """The address of a fresh database at the newest revision, without rows."""
    if backend == "sqlite":
        path = tmp_path / "migrated.db"
        shutil.copyfile(run.sqlite_template(), path)
        return f"sqlite:///{path}"
    return str(request.getfixturevalue("postgres_database")(migrated=True))


@pytest.fixture
def new_storage(backend: str, request: pytest.FixtureRequest, run: Run, tmp_path: Path) -> Iterator[Callable[[], Storage]]:
    """Makes further migrated stores of the same kind, without rows."""
    made: list[Storage] = []

    def make() -> Storage:
        if backend == "sqlite":
            path = tmp_path / f"further{len(made)}.db"
            shutil.copyfile(run.sqlite_template(), path)
            url = f"sqlite:///{path}"
        else:
            url = str(request.getfixturevalue("postgres_database")(migrated=True))
        made.append(Storage(url, upgrade=False))
        return made[-1]

    yield make
    for storage in made:
        storage.close()
