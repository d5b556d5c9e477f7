"""The way in: fetch, parse, resolve, tag, store. Never imports `app`."""
