"""Migrations: up gives the schema, down leaves nothing, failures leave what was, two at once are one, newer is refused."""

from __future__ import annotations

import io
import re
import shutil
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from sqlalchemy import Connection, inspect, text
from sqlalchemy.exc import DBAPIError

from catalog.errors import DatabaseUnavailable, NewerDatabase
from catalog.storage import Storage, migrate
from catalog.storage import schema as s
from catalog.storage.engine import APPLICATION_ID, open_engine
from tests.catalog.child import ROOT
from tests.catalog.things import put, some_things
from tests.dumps import check_derived, differences, dump

BROKEN = """
import sqlalchemy as sa
from alembic import op

revision = "9999"
down_revision = "{head}"
branch_labels = None
depends_on = None


def upgrade():
    op.create_table("half", sa.Column("id", sa.Integer(), primary_key=True))
    op.execute("INSERT INTO meta (key, value) VALUES ('half', 'done')")
    op.execute("INSERT INTO no_such_table VALUES (1)")


def downgrade():
    op.drop_table("half")
    op.execute("DROP TABLE meta")
    op.execute("INSERT INTO no_such_table VALUES (1)")
"""


@contextmanager
def connected(url: str) -> Iterator[Connection]:
    """A transaction on an engine of its own."""
    engine = open_engine(url, pool_size=1)
    try:
        with engine.begin() as db:
            yield db
    finally:
        engine.dispose()


def shape(url: str) -> dict[str, object]:
    """Everything that makes the schema, by name; two databases of one shape are alike."""
    with connected(url) as db:
        if db.dialect.name == "sqlite":
            rows = db.execute(text("SELECT type, name, sql FROM sqlite_master WHERE name NOT LIKE 'sqlite_stat%'"))
            return {f"{r.type} {r.name}": r.sql for r in rows}
        seen = inspect(db)
        return {
            table: (
                [(c["name"], str(c["type"]), c["nullable"]) for c in seen.get_columns(table)],
                seen.get_pk_constraint(table),
                sorted(map(str, seen.get_indexes(table))),
                sorted(map(str, seen.get_foreign_keys(table))),
                sorted(map(str, seen.get_check_constraints(table))),
            )
            for table in seen.get_table_names()
        }


def test_migrations_from_empty_give_the_schema(database_url: str) -> None:
    migrate.upgrade(database_url)
    with connected(database_url) as db:
        options = {
            "compare_type": True,
            "include_object": lambda _o, name, kind, _r, _c: not (kind == "table" and name.startswith("search")),
        }
        context = MigrationContext.configure(db, opts=options)
        assert compare_metadata(context, s.metadata) == []
        assert migrate.current(db) == migrate.head()


@pytest.mark.parametrize("backend", ["sqlite"], indirect=True)
def test_what_alembic_does_not_compare_is_the_same_too(database_url: str, tmp_path: Path) -> None:
    """Names of constraints, checks, row ids: tables made from the schema have the CREATE statements of those migrated."""
    migrate.upgrade(database_url)
    made = f"sqlite:///{tmp_path / 'schema.db'}"
    with connected(made) as db:
        s.metadata.create_all(db)

    def plain(url: str) -> dict[str, list[str]]:
        statements = {k: v for k, v in shape(url).items() if " search" not in k and "alembic" not in k}
        return {k: sorted(re.findall(r"[^,()]+", " ".join(str(v).split()).replace(" ,", ","))) for k, v in statements.items()}

    assert plain(database_url) == plain(made)


@pytest.mark.parametrize("backend", ["sqlite"], indirect=True)
def test_tables_that_are_read_by_their_key_alone_have_no_row_ids(migrated_url: str) -> None:
    keyed = {"source_parts", "batches", "entry_versions", "identifiers", "news", "tags", "facets", "daily_counts"}
    keyed |= {
        "links",
        "corrections",
        "overrides",
        "aliases",
        "moments",
        "signals",
        "addresses",
        "confirmations",
        "suppressions",
    }
    with connected(migrated_url) as db:
        rows = db.execute(text("SELECT name, wr FROM pragma_table_list WHERE schema = 'main' AND type = 'table'")).all()
    assert {r.name for r in rows if r.wr} - {"search_idx", "search_config"} == keyed


@pytest.mark.parametrize("backend", ["sqlite"], indirect=True)
def test_row_ids_are_the_keys_that_rows_are_given(migrated_url: str) -> None:
    """A key column of another type than INTEGER would be an index beside the row id."""
    with connected(migrated_url) as db:
        for table in ("items", "entries", "runs", "requests", "terms", "subscriptions", "signups", "letters", "outbox"):
            assert (
                db.execute(text(f"SELECT type FROM pragma_table_info('{table}') WHERE name = 'id'")).scalar_one() == "INTEGER"
            )


def test_down_to_base_leaves_nothing(database_url: str) -> None:
    migrate.upgrade(database_url)
    migrate.downgrade(database_url, "base")
    assert [name for name in shape(database_url) if "alembic_version" not in name] == []
    with connected(database_url) as db:
        assert migrate.current(db) is None


def test_up_down_up_with_data_in_it(database_url: str) -> None:
    storage = Storage(database_url)
    first_shape = shape(database_url)
    put(storage, *some_things(40))
    before = dump(storage)
    storage.close()
    migrate.downgrade(database_url, "base")
    migrate.upgrade(database_url)
    assert shape(database_url) == first_shape
    storage = Storage(database_url)
    assert set(map(len, dump(storage).values())) == {0}  # the first revision has nothing below it that could hold rows
    put(storage, *some_things(40))
    assert differences(before, dump(storage)) == {}
    check_derived(storage)
    storage.close()


def test_down_one_and_up_again_with_data_in_it(database_url: str) -> None:
    storage = Storage(database_url)
    put(storage, *some_things(40))
    before, first_shape = dump(storage), shape(database_url)
    storage.close()
    migrate.downgrade(database_url, "0003")
    migrate.upgrade(database_url)
    assert shape(database_url) == first_shape
    storage = Storage(database_url)
    assert differences(before, dump(storage)) == {}
    check_derived(storage)
    storage.close()


def test_a_second_upgrade_touches_nothing(database_url: str) -> None:
    storage = Storage(database_url)
    put(storage, *some_things(10))
    before = dump(storage)
    storage.close()
    migrate.upgrade(database_url)
    storage = Storage(database_url)
    assert dump(storage) == before
    storage.close()


@pytest.fixture
def broken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Migrations with a further revision that fails half-way, up and down."""
    folder = tmp_path / "migrations"
    shutil.copytree(ROOT / "migrations", folder, ignore=shutil.ignore_patterns("__pycache__"))
    (folder / "versions" / "9999_broken.py").write_text(BROKEN.format(head=migrate.head()))
    monkeypatch.setattr(migrate, "_FOLDER", folder)


@pytest.mark.parametrize("start", ["empty", "one below"])
def test_a_migration_that_fails_leaves_the_database_as_it_was(
    database_url: str, broken: None, start: str, request: pytest.FixtureRequest
) -> None:
    if start == "one below":
        migrate.upgrade(database_url, "0001")
    before = shape(database_url)
    with pytest.raises(DatabaseUnavailable, match="no_such_table"):
        migrate.upgrade(database_url)
    assert shape(database_url) == before
    with connected(database_url) as db:
        assert migrate.current(db) == (None if start == "empty" else "0001")
        if start == "one below":
            assert db.execute(text("SELECT count(*) FROM meta")).scalar_one() == 0


def test_a_migration_down_that_fails_leaves_the_database_as_it_was(database_url: str, broken: None) -> None:
    migrate.upgrade(database_url, "0001")
    with connected(database_url) as db:
        db.execute(text("CREATE TABLE half (id INTEGER)"))
        db.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    before = shape(database_url)
    with pytest.raises(DatabaseUnavailable, match="no_such_table"):
        migrate.downgrade(database_url, "0001")
    assert shape(database_url) == before
    with connected(database_url) as db:
        assert migrate.current(db) == "9999"


def test_two_migrators_at_once_make_one_database(database_url: str) -> None:
    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(migrate.upgrade, [database_url] * 4)) == [None] * 4
    storage = Storage(database_url, upgrade=False)
    assert storage.check() is None
    put(storage, *some_things(5))
    check_derived(storage)
    storage.close()


# ------------------------------------------------------------------ what is said of a database
def test_a_newer_database_is_refused_in_every_way(migrated_url: str) -> None:
    with connected(migrated_url) as db:
        db.execute(text("UPDATE alembic_version SET version_num = '7777'"))
    before = shape(migrated_url)
    says = rf"newer version of Skillfeed \(revision 7777; this version knows up to {migrate.head()}\).* restore a backup"
    with pytest.raises(NewerDatabase, match=says):
        Storage(migrated_url)
    with pytest.raises(NewerDatabase, match=says):
        migrate.downgrade(migrated_url, "base")
    storage = Storage(migrated_url, upgrade=False)
    with pytest.raises(NewerDatabase, match=says):
        storage.check()
    storage.close()
    assert shape(migrated_url) == before


def test_check_says_what_to_do_with_an_older_database(database_url: str, broken: None) -> None:
    storage = Storage(database_url, upgrade=False)
    assert storage.check() == "the database is at revision none, this version needs 9999; run: skillfeed db upgrade"
    migrate.upgrade(database_url, "0001")
    assert storage.check() == "the database is at revision 0001, this version needs 9999; run: skillfeed db upgrade"
    storage.close()


def test_check_has_nothing_to_say_of_a_current_database(migrated_url: str) -> None:
    storage = Storage(migrated_url, upgrade=False)
    assert storage.check() is None
    storage.close()


def test_check_of_a_server_that_is_not_there_is_unavailable() -> None:
    storage = Storage("postgresql+psycopg://reader:secret@127.0.0.1:1/feed", upgrade=False)
    with pytest.raises(DatabaseUnavailable, match=r"reader:\*\*\*@127\.0\.0\.1"):
        storage.check()
    storage.close()


def test_an_unknown_target_is_an_error_of_the_caller(migrated_url: str) -> None:
    from alembic.util import CommandError

    with pytest.raises(CommandError, match="nonsense"):
        migrate.upgrade(migrated_url, "nonsense")
    storage = Storage(migrated_url, upgrade=False)
    assert storage.check() is None
    storage.close()


# ------------------------------------------------------------------ for database administrators
def _offline(direction: str) -> str:
    out = io.StringIO()
    config = Config(output_buffer=out)
    config.set_main_option("script_location", str(ROOT / "migrations"))
    if direction == "up":
        command.upgrade(config, "head", sql=True)
    else:
        command.downgrade(config, f"{migrate.head()}:base", sql=True)
    return out.getvalue()


@pytest.mark.parametrize("backend", ["postgres"], indirect=True)
def test_the_sql_for_postgresql_makes_the_same_database_by_hand(database_url: str) -> None:
    migrate.upgrade(database_url)
    wanted = shape(database_url)
    migrate.downgrade(database_url, "base")
    with connected(database_url) as db:
        db.execute(text("DROP TABLE alembic_version"))
    with connected(database_url) as db:
        for statement in _offline("up").removeprefix("BEGIN;").replace("COMMIT;", "").split(";"):
            if statement.strip():
                db.exec_driver_sql(statement)
    assert shape(database_url) == wanted
    storage = Storage(database_url, upgrade=False)
    assert storage.check() is None
    storage.close()


def test_the_sql_for_postgresql_renders_down_as_well() -> None:
    sql = _offline("down")
    assert sql.count("DROP TABLE") == _offline("up").count("CREATE TABLE") - 1  # alembic keeps its own
    assert "sqlite" not in sql.lower()


def test_a_failure_inside_a_transaction_on_sqlite_takes_tables_with_it(tmp_path: Path) -> None:
    """The driver's own transactions commit before each CREATE TABLE: half a migration stayed behind."""
    url = f"sqlite:///{tmp_path / 'half.db'}"
    with pytest.raises(DBAPIError):
        _half(url)
    assert shape(url) == {}


def _half(url: str) -> None:
    with connected(url) as db:
        db.exec_driver_sql("CREATE TABLE half (id INTEGER)")
        db.exec_driver_sql("SELECT * FROM no_such_table")


def test_a_sqlite_file_says_what_it_is_in_its_header(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/header.db"
    migrate.upgrade(url)
    engine = open_engine(url)
    with engine.connect() as db:
        assert db.exec_driver_sql("PRAGMA application_id").scalar() == APPLICATION_ID
        assert db.exec_driver_sql("PRAGMA user_version").scalar() == int(migrate.head())
    engine.dispose()
