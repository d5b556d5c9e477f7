"""Templates of pages and digests: escaped always, and every name must be known."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import jinja2

from app import phrases


def environment(folder: Path, **filters: Callable[..., Any]) -> jinja2.Environment:
    """The templates of a folder, with the phrases as filters and those given besides."""
    made = jinja2.Environment(
        loader=jinja2.FileSystemLoader(folder),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters |= {
        "day": phrases.day,
        "short_day": phrases.short_day,
        "line": phrases.one_line,
        "names": phrases.some_names,
        "source": phrases.source_name,
        "address": phrases.safe_url,
        "count": phrases.count,
        "news": phrases.news_line,
    }
    made.filters |= filters
    return made
