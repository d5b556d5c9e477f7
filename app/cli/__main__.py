"""`python -m app.cli`: the same as `skillfeed`, for child processes."""

from __future__ import annotations

from app.cli import main

if __name__ == "__main__":
    main()
