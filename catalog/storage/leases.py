"""The one lease mechanism: who may work on a name now. Host spacing, visits to sources and the tick all use it.

A lease is a row with owner, fencing number and expiry by the database's clock, so that it works on both databases, behind
connection poolers and over machines. A claim after expiry raises the fencing number; a write under an older number is refused
in its own transaction (`require`). An owner that died on this machine is recognised by its process and replaced at once.
"""

from __future__ import annotations

import os
import socket
import threading
import uuid
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import Connection, text

from catalog.errors import LeaseLost


@dataclass(frozen=True, slots=True)
class Lease:
    """A claimed name."""

    name: str
    owner: str
    fence: int


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a name could not be claimed: in how many seconds to ask again, and who holds it ("" when it is only being spaced)."""

    wait: float
    holder: str


_SQLITE_NOW = "((julianday('now') - 2440587.5) * 86400.0)"
_POSTGRES_NOW = "extract(epoch from clock_timestamp())::float8"


def now_sql(db: Connection) -> str:
    """The database's clock in seconds since 1970, as an expression for a statement."""
    return _SQLITE_NOW if db.dialect.name == "sqlite" else _POSTGRES_NOW


def claim(db: Connection, name: str, owner: str, ttl: float) -> Lease | Refusal:
    """Claim the name for `ttl` seconds, or say when to ask again."""
    now = now_sql(db)
    held = db.execute(text("SELECT owner FROM leases WHERE name = :name"), {"name": name}).scalar()
    dead = held if held and is_dead(held) else ""
    row = db.execute(
        text(
            f"INSERT INTO leases (name, owner, fence, expires_at, ready_at) VALUES (:name, :owner, 1, {now} + :ttl, 0) "
            "ON CONFLICT (name) DO UPDATE "
            "SET owner = excluded.owner, fence = leases.fence + 1, expires_at = excluded.expires_at "
            f"WHERE leases.ready_at <= {now} AND (leases.owner = '' OR leases.expires_at <= {now} OR leases.owner = :dead) "
            f"RETURNING fence"
        ),
        {"name": name, "owner": owner, "ttl": ttl, "dead": dead or "\n"},
    ).first()
    if row is not None:
        return Lease(name, owner, int(row[0]))
    found = db.execute(
        text(f"SELECT owner, expires_at - {now}, ready_at - {now} FROM leases WHERE name = :name"), {"name": name}
    ).first()
    if found is None:  # released and removed between the two statements
        return Refusal(0.0, "")
    holder, left, ready = str(found[0]), float(found[1]), float(found[2])
    if holder and holder != dead:
        return Refusal(max(0.0, left, ready), holder)
    return Refusal(max(0.0, ready), "")


def renew(db: Connection, lease: Lease, ttl: float) -> bool:
    """Extend the lease; False when it is no longer ours."""
    done = db.execute(
        text(f"UPDATE leases SET expires_at = {now_sql(db)} + :ttl WHERE name = :name AND owner = :owner AND fence = :fence"),
        {"ttl": ttl, "name": lease.name, "owner": lease.owner, "fence": lease.fence},
    )
    return done.rowcount == 1


def release(db: Connection, lease: Lease, ready_in: float = 0.0) -> None:
    """Give the name back; nobody claims it for the next `ready_in` seconds. Does nothing when the lease was lost."""
    _give(db, lease, ready_in, "owner = '', ")


def postpone(db: Connection, lease: Lease, ready_in: float) -> None:
    """While holding the name: should it be lost from here on, nobody claims it before `ready_in` seconds from now."""
    _give(db, lease, ready_in, "")


def _give(db: Connection, lease: Lease, ready_in: float, change: str) -> None:
    """Set `ready_at`, which only ever grows: a host that asked for a long pause keeps it."""
    ready = f"{now_sql(db)} + :ready"
    db.execute(
        text(
            f"UPDATE leases SET {change}ready_at = CASE WHEN ready_at > {ready} THEN ready_at ELSE {ready} END "
            "WHERE name = :name AND owner = :owner AND fence = :fence"
        ),
        {"ready": ready_in, "name": lease.name, "owner": lease.owner, "fence": lease.fence},
    )


def require(db: Connection, lease: Lease) -> None:
    """Inside a write transaction.

    Raises LeaseLost unless the lease is still ours, and keeps it so until the transaction ends.
    """
    lock = "" if db.dialect.name == "sqlite" else " FOR SHARE"  # SQLite's write transaction excludes every other writer
    held = db.execute(
        text(f"SELECT 1 FROM leases WHERE name = :name AND owner = :owner AND fence = :fence{lock}"),
        {"name": lease.name, "owner": lease.owner, "fence": lease.fence},
    ).first()
    if held is None:
        raise LeaseLost(f"the lease {lease.name} was taken over by another process; nothing was written")


def holders(db: Connection, prefix: str) -> dict[str, str]:
    """Names with the prefix that are held now, and by whom."""
    rows = db.execute(text(f"SELECT name, owner FROM leases WHERE owner <> '' AND expires_at > {now_sql(db)}"))
    # The prefix is compared here: LIKE has wildcards in names and folds case on SQLite only.
    return {str(n): str(o) for n, o in rows if str(n).startswith(prefix) and not is_dead(str(o))}


# ------------------------------------------------------------------ owners
def new_owner() -> str:
    """A name for this thread of work: machine, process namespace, process, its start, and something unique."""
    return f"{_place()}|{os.getpid()}|{_started(os.getpid())}|{uuid.uuid4().hex[:8]}-{threading.get_ident() % 10_000}"


def is_dead(owner: str) -> bool:
    """True when the owner was a process of this machine (and container) that no longer runs.

    False when that cannot be known.
    """
    parts = owner.split("|")
    if len(parts) != 4 or parts[0] != _place():
        return False
    pid = int(parts[1])
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    except PermissionError:
        return False
    if _is_zombie(pid):
        return True
    return bool(parts[2]) and _started(pid) != parts[2]


def _place() -> str:
    try:
        namespace = str(Path("/proc/self/ns/pid").readlink())
    except OSError:
        namespace = ""
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()[:8]
    except OSError:
        boot = ""
    return f"{socket.gethostname()}/{boot}/{namespace}"


def _is_zombie(pid: int) -> bool:
    """True for a process that was killed and not yet collected by its parent, as under a container's first process."""
    try:
        return Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()[0] in "ZX"
    except (OSError, IndexError):
        return False


def _started(pid: int) -> str:
    """Start time of a process in clock ticks since boot.

    "" where /proc does not tell; a process id that was given again can then delay a takeover, never harm.
    """
    try:
        return Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()[19]
    except (OSError, IndexError):
        return ""
