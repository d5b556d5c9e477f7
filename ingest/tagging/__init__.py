"""Around the tagger of `catalog.tagging`: `train` builds its model and alone needs scikit-learn; `stream` is its shell."""
