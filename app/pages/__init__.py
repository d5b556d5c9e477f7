"""Pages: server-rendered HTML, one style sheet, no script. Reads the store, never writes, never fetches."""

from app.pages.routes import error_page, router

__all__ = ["error_page", "router"]
