"""A process that answers requests: `python -m tests.catalog.taker <database>`.

It says `ready`, waits for a line, and says the source of each request it has answered.
"""

from __future__ import annotations

import sys
from datetime import UTC, datetime

from catalog.storage import Storage, leases, requests


def main() -> None:
    """Take what is there until nothing is left."""
    storage, owner = Storage(sys.argv[1], upgrade=False), leases.new_owner()
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    sys.stdin.readline()
    while True:
        with storage.write() as db:
            request = requests.take(db, owner, 60)
        if request is None:
            break
        with storage.write() as db:
            requests.finish(db, request, datetime.now(UTC), None, "ok", "")
        sys.stdout.write(f"{request.source}\n")
    storage.close()


if __name__ == "__main__":
    main()
