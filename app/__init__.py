"""The way out: API, pages, digests and the command line. Only `worker.py` and `cli` also import `ingest`."""
