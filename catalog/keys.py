"""What the instance's secret key makes: hashes of addresses, and the tokens in links.

A token is `HMAC(key, purpose and salt)`, 256 bits. The database holds the salt and the token's SHA-256: who has the database
and not the key can make no link, and a mail that is sent again carries the same link. Addresses and networks are hashed with
the key, so that nobody can try them out on the database alone.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import ipaddress
import secrets
from dataclasses import dataclass
from typing import Literal

Purpose = Literal["manage", "confirm"]


@dataclass(frozen=True, slots=True)
class Keys:
    """The secret key, for its uses."""

    secret: str

    def address_hash(self, address: str) -> str:
        """The keyed hash of an e-mail address, upper and lower case alike."""
        return self._hash("address", address.lower()).hex()

    def client_hash(self, client: str) -> str:
        """The keyed hash of a network address; of IPv6 its /64, which is one household."""
        try:
            at = ipaddress.ip_address(client)
        except ValueError:
            return self._hash("client", client).hex()
        network = ipaddress.ip_network((at, 64 if at.version == 6 else 32), strict=False)
        return self._hash("client", str(network)).hex()

    def token(self, purpose: Purpose, salt: str) -> str:
        """The token of this salt, as it stands in links."""
        return base64.urlsafe_b64encode(self._hash(purpose, salt)).decode().rstrip("=")

    def _hash(self, purpose: str, text: str) -> bytes:
        return hmac.digest(self.secret.encode(), f"{purpose}\0{text}".encode(), "sha256")


def new_salt() -> str:
    """128 random bits."""
    return secrets.token_urlsafe(16)


def token_hash(token: str) -> str:
    """What is kept of a token."""
    return hashlib.sha256(token.encode("utf-8", "surrogateescape")).hexdigest()
