"""A JSON body (RFC 8259) read with care: whatever is wrong with it is a ParseError."""

from __future__ import annotations

import json

from catalog.errors import ParseError


def read_json(body: bytes) -> object:
    """The value that a body holds; raises ParseError for anything but one JSON text in UTF-8."""
    try:
        return json.loads(body.decode("utf-8-sig"))
    except UnicodeDecodeError as error:
        raise ParseError("no-utf8", f"the answer is not UTF-8 from byte {error.start} on") from None
    except RecursionError:
        raise ParseError("too-deep", "the answer is nested too deeply") from None
    except ValueError as error:  # broken JSON, and integers of more than 4,300 digits
        if body.lstrip()[:1] == b"<":
            raise ParseError("no-json", "the answer is a page, not JSON") from None
        raise ParseError("no-json", f"the answer is not JSON: {str(error)[:120]}") from None


def whole_number(value: object) -> int | None:
    """The value if it is a whole number from 0 on, else None."""
    return value if isinstance(value, int) and not isinstance(value, bool) and value >= 0 else None
