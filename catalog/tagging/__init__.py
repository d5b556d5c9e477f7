"""Tagging: which topics a text is about, how surely, and which words say so. Pure and offline; needs numpy alone.

`Tagger` is the way in. Its model is built by `ingest.tagging.train`.
"""

from catalog.tagging.tagger import Judged, Tagger, Text

__all__ = ["Judged", "Tagger", "Text"]
