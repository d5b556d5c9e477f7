"""Wire formats: bytes to entries, pure. One module per format; nothing here fetches, stores or asks the time."""
