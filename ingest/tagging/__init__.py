"""Tagging: which topics a text is about, how surely, and which words say so.

`Tagger` is the way in; `train` builds its model and alone needs scikit-learn; `stream` is the shell's way to it.
"""

from ingest.tagging.tagger import Tagger, Text

__all__ = ["Tagger", "Text"]
