"""Letters: what is mailed. A digest becomes a letter once, for all who have its filter; a mail is that with the reader's links.

MIME is written by hand, as one `EmailMessage` for each reader takes twenty times as long; tests read it back with the
standard library's parser. Header values are never folded: RFC 8058 wants List-Unsubscribe whole, and the standard library
would encode one of more than 78 characters. Only the subject and the address hold foreign text; the one is made harmless, the
other is checked.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
from dataclasses import dataclass, replace
from datetime import datetime
from email.utils import format_datetime
from urllib.parse import urlsplit

from app import render
from app.digests import Digest
from app.mail import harmless, sender_from
from catalog.settings import Settings
from catalog.storage.outbox import Letter
from catalog.subscriptions import MailFormat

#: Where the reader's own links go in a letter's HTML. What strangers wrote is escaped and cannot hold it.
MARK = "<!--links-->"
HTML_LIMIT = 100_000  # bytes of the whole part; above 102 kB one large provider cuts
_ENCODED = 45  # bytes of a word of a header, so that an encoded word keeps to 75 characters (RFC 2047, 2)


@dataclass(frozen=True, slots=True)
class Frame:
    """What all mails of this instance have in common."""

    base_url: str
    sender: str  # header value
    name: str = "Skillfeed digest"

    @property
    def list_id(self) -> str:
        """RFC 2919."""
        host = urlsplit(self.base_url).hostname or "localhost"
        return f"{self.name} <digest.{host.strip('[]').replace(':', '.')}>"

    def link(self, page: str, token: str) -> str:
        """A page of the reader's own."""
        return f"{self.base_url}/{page}?token={token}"


@dataclass(frozen=True, slots=True)
class Ready:
    """A letter in the form in which it is joined: each part encoded once for all readers."""

    subject: bytes
    text: bytes
    before: bytes  # HTML up to the reader's links
    after: bytes
    boundary: str


def frame_of(settings: Settings) -> tuple[Frame, str]:
    """The frame of this instance's mails, and the address they come from; raises SettingsError."""
    header, bare = sender_from(settings)
    if not header.isascii():
        name = header.rpartition("<")[0].strip().strip('"')
        header = f"{encoded_header(name).decode()} <{bare}>"
    return Frame(settings.base_url, header), bare


def letter_of(digest: Digest, base_url: str) -> Letter:
    """The letter of a digest: subject, text, and HTML of less than 100 kB, from which items go when it were more."""
    html = render.as_html(digest, base_url, MARK)
    while len(html.encode()) > HTML_LIMIT and digest.sections:
        digest = _shorter(digest)
        html = render.as_html(digest, base_url, MARK)
    return Letter(render.heading(digest), render.as_text(digest, base_url), html)


def _shorter(digest: Digest) -> Digest:
    """Without the last item of the longest section."""
    longest = max(digest.sections, key=lambda section: len(section.items))
    rest = replace(longest, items=longest.items[:-1])
    kept = (rest if section is longest else section for section in digest.sections)
    return replace(digest, sections=tuple(section for section in kept if section.items))


def question(frame: Frame, token: str, manage: str, *, known: bool) -> Letter:
    """The mail that asks for a yes. It holds nothing that whoever filled in the form wrote: neither words nor names."""
    link = frame.link("confirm", token)
    about = (
        "Somebody, probably you, asked for a change of the digest that goes to this address."
        if known
        else "Somebody, probably you, asked for a digest of new papers to this address."
    )
    text = "\n".join([
        about, "", "To see what was asked for, and to say yes:", link, "",
        "The link works once, within 48 hours. If it was not you, do nothing: "
        + ("nothing changes." if known else "no digest is sent, and the address"),
        *([] if known else ["is removed within seven days."]),
        *(["", "Your preferences, and the way out:", frame.link("preferences", manage)] if known else []),
    ])  # fmt: skip
    return Letter("Skillfeed: please confirm", text + "\n", "")


def made_ready(letter: Letter) -> Ready:
    """The letter, encoded for `written`."""
    before, _, after = letter.html.partition(MARK)
    name = hashlib.blake2b(letter.html.encode() + letter.text.encode(), digest_size=12).hexdigest()
    # "=_" stands in no quoted-printable text.
    return Ready(encoded_header(letter.subject), _quoted(letter.text), _quoted(before), _quoted(after), f"=_{name}")


def written(
    ready: Ready, frame: Frame, to: str, message_id: str, at: datetime, manage: str, format: MailFormat, *, digest: bool = True
) -> bytes:
    """A whole mail with CRLF line ends. `manage` is the reader's token; a mail that is no digest has no list."""
    unsubscribe = frame.link("unsubscribe", manage)
    head = [
        f"From: {frame.sender}", f"To: {to}", f"Date: {format_datetime(at)}", f"Message-ID: {message_id}",
        "Auto-Submitted: auto-generated", "MIME-Version: 1.0",
    ]  # fmt: skip
    if digest:
        head += [
            f"List-Id: {frame.list_id}", f"List-Unsubscribe: <{unsubscribe}>",
            "List-Unsubscribe-Post: List-Unsubscribe=One-Click", "Precedence: bulk",
        ]  # fmt: skip
    start = "\r\n".join(head).encode("ascii") + b"\r\nSubject: " + ready.subject
    links = _text_links(frame, manage) if digest else b""
    if format is MailFormat.TEXT or not (ready.before or ready.after):
        return b"".join((start, b"\r\n", _TEXT, ready.text, links))
    between = f"\r\n--{ready.boundary}".encode()
    return b"".join((
        start, f'\r\nContent-Type: multipart/alternative; boundary="{ready.boundary}"\r\n'.encode(), between, b"\r\n", _TEXT,
        ready.text, links, between, b"\r\n", _HTML, ready.before, _html_links(frame, manage), ready.after, between, b"--\r\n",
    ))  # fmt: skip


def encoded_header(text: str) -> bytes:
    """Foreign text as the value of a header: one line, harmless, encoded words where it is not ASCII."""
    clean = harmless(text)
    if clean.isascii():
        return clean.encode()
    words, part = [], b""
    for char in clean:
        one = char.encode()
        if len(part) + len(one) > _ENCODED:
            words.append(part)
            part = b""
        part += one
    return b"\r\n ".join(b"=?utf-8?b?" + base64.b64encode(word) + b"?=" for word in [*words, part])


def _text_links(frame: Frame, manage: str) -> bytes:
    return _quoted(
        f"\n-- \nYour preferences: {frame.link('preferences', manage)}\nLeave: {frame.link('unsubscribe', manage)}\n"
    )


def _html_links(frame: Frame, manage: str) -> bytes:
    said = (
        f'\n<p><a href="{frame.link("preferences", manage)}">Your preferences</a> ·\n'
        f'<a href="{frame.link("unsubscribe", manage)}">Leave</a></p>\n'
    )
    return _quoted(said)


def _quoted(text: str) -> bytes:
    """Quoted-printable; the parts of a body that end with a line can be encoded apart."""
    return binascii.b2a_qp(text.encode(), istext=True).replace(b"\n", b"\r\n")


_PART = "Content-Type: text/{}; charset=utf-8\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n"
_TEXT, _HTML = _PART.format("plain").encode(), _PART.format("html").encode()
