"""Runs migrations in one transaction: on the connection that `catalog.storage.migrate` gives, or on the configured database."""

from __future__ import annotations

from alembic import context
from sqlalchemy import Connection

from catalog.settings import read_settings
from catalog.storage.engine import open_engine
from catalog.storage.schema import metadata


def _own(_object: object, name: str | None, kind: str, _reflected: bool, _other: object) -> bool:
    """The search table and its shadows are made by hand on each database; alembic does not compare them."""
    return not (kind == "table" and name is not None and (name == "search" or name.startswith("search_")))


def _run(connection: Connection) -> None:
    context.configure(
        connection=connection, target_metadata=metadata, include_object=_own, compare_type=True, transaction_per_migration=False
    )
    with context.begin_transaction():
        context.run_migrations()


def _main() -> None:
    if context.is_offline_mode():
        context.configure(dialect_name="postgresql", target_metadata=metadata, literal_binds=True)
        with context.begin_transaction():
            context.run_migrations()
        return
    given: Connection | None = context.config.attributes.get("connection")
    if given is not None:
        _run(given)
        return
    with open_engine(read_settings().database).begin() as connection:
        _run(connection)


_main()
