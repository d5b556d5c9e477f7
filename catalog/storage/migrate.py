"""Migrations: up, down, check; one migrator at a time, all or nothing, on both databases."""

from __future__ import annotations

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine, text
from sqlalchemy.exc import DBAPIError

from catalog.errors import NewerDatabase
from catalog.storage.engine import APPLICATION_ID, explain, open_engine, set_journal

_FOLDER = Path(__file__).resolve().parents[2] / "migrations"
_LOCK = 0x534B4644  # pg_advisory_xact_lock: goes with the transaction, so it survives connection poolers


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(_FOLDER))
    return config


def head() -> str:
    """The newest revision that this version knows."""
    revision = ScriptDirectory.from_config(_config()).get_current_head()
    assert revision is not None
    return revision


def upgrade(url: str, revision: str = "head") -> None:
    """Create or migrate the database; raises DatabaseUnavailable or NewerDatabase.

    Two at once are safe: the second waits, then finds nothing to do.
    """
    _migrate(url, revision, up=True)


def downgrade(url: str, revision: str) -> None:
    """Migrate down to a revision (`base` is the empty database)."""
    _migrate(url, revision, up=False)


def _migrate(url: str, revision: str, *, up: bool) -> None:
    engine = open_engine(url, pool_size=1)
    try:
        if engine.dialect.name == "sqlite":
            set_journal(engine)
        with engine.begin() as connection:
            if engine.dialect.name != "sqlite":  # SQLite's BEGIN IMMEDIATE is the lock
                connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _LOCK})
            _refuse_newer(connection)
            if up and revision == "head" and current(connection) == head():
                return
            config = _config()
            config.attributes["connection"] = connection
            (command.upgrade if up else command.downgrade)(config, revision)
            if engine.dialect.name == "sqlite":
                # What `file` and other tools read from the header without knowing alembic's table.
                connection.exec_driver_sql(f"PRAGMA application_id={APPLICATION_ID}")
                connection.exec_driver_sql(f"PRAGMA user_version={int(current(connection) or 0)}")
    except DBAPIError as error:
        raise explain(error, engine.url) from error
    finally:
        engine.dispose()


def current(connection: Connection) -> str | None:
    """The revision of the database; None for an empty one."""
    return MigrationContext.configure(connection).get_current_revision()


def check(engine: Engine) -> str | None:
    """None when the database is at this version's revision, else one line that says what to do; raises NewerDatabase."""
    with engine.connect() as connection:
        found = current(connection)
        _refuse_newer(connection)
    if found == head():
        return None
    return f"the database is at revision {found or 'none'}, this version needs {head()}; run: skillfeed db upgrade"


def _refuse_newer(connection: Connection) -> None:
    found = current(connection)
    known = {script.revision for script in ScriptDirectory.from_config(_config()).walk_revisions()}
    if found is not None and found not in known:
        raise NewerDatabase(
            f"the database was written by a newer version of Skillfeed (revision {found}; this version knows up to {head()}); "
            "upgrade Skillfeed or restore a backup made before"
        )
