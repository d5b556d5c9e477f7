"""The database fixtures themselves: each test has its own database, on both kinds, and a migrated one is at head."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import create_engine, inspect, text

from catalog.storage import migrate
from catalog.storage.engine import open_engine
from tests.databases import Run, with_database


def _tables(url: str) -> list[str]:
    engine = create_engine(url)
    try:
        return inspect(engine).get_table_names()
    finally:
        engine.dispose()


def test_the_server_is_of_the_version_asked_for(postgres_url: str) -> None:
    if os.environ.get("TEST_POSTGRES_URL"):
        pytest.skip("TEST_POSTGRES_URL names a server of any version")
    with psycopg.connect(postgres_url) as connection:
        assert connection.info.server_version // 10_000 == int(os.environ.get("TEST_POSTGRES_VERSION", "18"))


@pytest.mark.parametrize("visit", ["first", "second"])
def test_a_database_is_empty_whoever_came_before(database_url: str, visit: str) -> None:
    assert _tables(database_url) == []
    engine = create_engine(database_url)
    with engine.begin() as connection:
        connection.execute(text("CREATE TABLE mine (value INTEGER)"))
    engine.dispose()
    assert _tables(database_url) == ["mine"]


@pytest.mark.parametrize("visit", ["first", "second"])
def test_a_migrated_database_is_at_head_and_has_no_traces(migrated_url: str, visit: str) -> None:
    engine = open_engine(migrated_url)
    assert migrate.check(engine) is None
    with engine.begin() as connection:
        assert "mine" not in inspect(connection).get_table_names()
        connection.execute(text("CREATE TABLE mine (value INTEGER)"))
    engine.dispose()


def test_empty_and_migrated_databases_are_two(database_url: str, migrated_url: str) -> None:
    assert database_url != migrated_url
    assert _tables(database_url) == []
    assert "alembic_version" in _tables(migrated_url)


def test_a_database_goes_although_a_connection_is_open(run: Run, postgres_database: Callable[..., str]) -> None:
    url = run.postgres_database()
    connection = psycopg.connect(url)
    run.drop_postgres_database(url)
    with pytest.raises(psycopg.OperationalError):
        connection.execute("SELECT 1")
    connection.close()


def test_a_test_may_ask_for_several(postgres_database: Callable[..., str]) -> None:
    first, second, third = postgres_database(), postgres_database(), postgres_database(migrated=True)
    assert len({first, second, third}) == 3


def test_the_name_of_a_database_is_changed_and_nothing_else() -> None:
    assert with_database("postgresql://a:b@h:1/postgres?sslmode=require", "x") == "postgresql://a:b@h:1/x?sslmode=require"
    assert with_database("postgresql://postgres@/postgres?host=/tmp/s", "x") == "postgresql://postgres@/x?host=/tmp/s"


def test_no_setting_of_the_developer_reaches_a_test(tmp_path: Path) -> None:
    assert [key for key in os.environ if key.startswith("SKILLFEED_")] == []
    assert Path.cwd() == tmp_path
