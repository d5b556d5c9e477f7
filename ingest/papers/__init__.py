"""What sources of proceedings share: which editions, lists of papers taken whole, abstracts on pages of their own."""
