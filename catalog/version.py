"""The version of Skillfeed, as installed."""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError, version

try:
    VERSION = version("skillfeed")
except PackageNotFoundError:  # run from a source tree that was not installed
    VERSION = "0.1.0"
