"""Who may act over HTTP: whoever sends the admin token. There are no cookies, so no other site can act for a browser."""

from __future__ import annotations

import hashlib
import hmac
from functools import cached_property
from typing import Any

from fastapi import Depends, Request
from fastapi.security import HTTPBearer
from starlette.exceptions import HTTPException

from catalog.errors import SettingsError
from catalog.settings import Settings

_CHALLENGE = 'Bearer realm="skillfeed"'  # RFC 6750, 3


class Admin:
    """The instance's token: set as ADMIN_TOKEN, else made and kept in DATA_DIR."""

    #: Tells OpenAPI what the routes want; who may act is judged by `require`.
    scheme: Any = Depends(HTTPBearer(auto_error=False, scheme_name="admin", description="The instance's admin token."))

    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    def require(self, request: Request) -> None:
        """Raises HTTPException 401 unless the request carries the token, 403 where none can be kept."""
        kind, _, given = request.headers.get("authorization", "").partition(" ")
        if kind.lower() != "bearer" or not given.strip():
            raise HTTPException(401, headers={"WWW-Authenticate": _CHALLENGE})
        # Hashes are of one length, and are compared in a time that tells nothing of where they differ.
        if not hmac.compare_digest(_hash(given.strip()), self._wanted):
            raise HTTPException(401, headers={"WWW-Authenticate": f'{_CHALLENGE}, error="invalid_token"'})

    @cached_property
    def _wanted(self) -> bytes:
        try:
            return _hash(self._settings.kept_secret("admin_token"))
        except SettingsError:  # DATA_DIR cannot be written: without a token nobody acts
            raise HTTPException(403) from None


def _hash(token: str) -> bytes:
    return hashlib.sha256(token.encode("utf-8", "surrogateescape")).digest()
