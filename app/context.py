"""What a request, a page or a digest needs of the instance, made once at the start and passed down."""

from __future__ import annotations

from dataclasses import dataclass

from catalog.clock import Clock
from catalog.settings import Settings
from catalog.storage import Storage
from catalog.taxonomy import Taxonomy


@dataclass(frozen=True, slots=True)
class Context:
    """The instance: its settings, its database, its taxonomy and its clock."""

    settings: Settings
    storage: Storage
    taxonomy: Taxonomy
    clock: Clock
