"""A sender as a process: `python -m tests.deliver_child <database> <folder> <relay's port> <clock>`; ends when all is sent."""

from __future__ import annotations

import sys
import time
from pathlib import Path

from app import deliver
from app.context import Context
from catalog.clock import instant
from catalog.settings import Settings
from catalog.storage import Storage, leases
from catalog.storage.leases import Lease
from catalog.taxonomy import load_taxonomy


class Still:
    """A clock that stands still."""

    def __init__(self, text: str) -> None:
        self._at = instant(text)

    def now(self) -> object:
        """The instant."""
        return self._at


def main() -> None:
    """Claim, plan, send; a lease of a process that was killed is seen to be free at once."""
    url, folder, port, clock = sys.argv[1:]
    given = {"data_dir": Path(folder), "secret_key": "k" * 40, "smtp_url": f"smtp://127.0.0.1:{port}", "mail_rate": 1000}
    settings = Settings.model_validate(given | {"mail_domain_rate": 1000})
    storage = Storage(url, upgrade=False)
    context = Context(settings, storage, load_taxonomy(), Still(clock))  # type: ignore[arg-type]
    owner = leases.new_owner()
    while True:
        with storage.write() as db:
            lease = leases.claim(db, deliver.LEASE, owner, 60)
        if isinstance(lease, Lease):
            break
        time.sleep(0.01)
    sys.stdout.write("begun\n")
    sys.stdout.flush()
    report = deliver.deliver(context, lease)
    with storage.write() as db:
        leases.release(db, lease)
    sys.exit(bool(report.trouble))


if __name__ == "__main__":
    main()
