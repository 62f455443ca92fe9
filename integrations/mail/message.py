"""Mail to RFC 5322 message: the one place where headers and parts are made.

multipart/mixed [ multipart/alternative [ plain, html, calendar ], invite.ics ]: Gmail and Outlook take the calendar
part for an invitation when it comes last among the alternatives, other programs open the attachment.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from email.header import Header
from email.headerregistry import Address, HeaderRegistry
from email.message import EmailMessage
from email.policy import EmailPolicy
from email.utils import format_datetime, parseaddr
from functools import cache, lru_cache
from typing import Any

from app.domain.errors import ProviderFailure
from app.ports.mail import Invitation, Mail

NAME_OCTETS = 45
"""What one encoded word holds (RFC 2047 §2); names are cut there, since a name in several words is often mangled."""
SUBJECT_OCTETS = 250
LINE_LENGTH = 78
"""Longer header lines are folded (RFC 5322 §2.1.1)."""

_UNPRINTABLE = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff\ufffe\uffff]+")
_ADDRESS = re.compile(r"""[^\s"(),:;<>@\[\\\]\x00-\x1f\x7f]+@[^\s"(),:;<>@\[\\\]\x00-\x1f\x7f]+""")


class _Registry(HeaderRegistry):
    """The library's own makes a class anew for each header of each mail, and parses what it has parsed before."""

    @cache  # noqa: B019  # there is one of it, and few names
    def __getitem__(self, name: str) -> Any:
        return super().__getitem__(name)

    @lru_cache(maxsize=128)  # noqa: B019  # there is one of it
    def __call__(self, name: str, value: str) -> Any:
        return super().__call__(name, value)


class _Policy(EmailPolicy):
    """Keeps a header that is to be written as it was given, as the library does with those of a mail that it reads.
    Parsing all took a third of the time of sending; what must be folded or encoded is parsed."""

    def header_store_parse(self, name: str, value: Any) -> tuple[str, Any]:
        is_plain = value.isascii() and value.isprintable() and len(name) + 2 + len(value) <= LINE_LENGTH
        return (name, value) if is_plain else super().header_store_parse(name, value)

    def fold_binary(self, name: str, value: Any) -> bytes:
        """The library loses the spaces at which it folds what must be encoded."""
        if name.lower() != "subject" or self.utf8 or value.isascii():
            return super().fold_binary(name, value)
        folded = Header(value, "utf-8", LINE_LENGTH, name).encode(linesep=self.linesep)
        return f"{name}: {folded}{self.linesep}".encode()


_ASCII = _Policy(header_factory=_Registry(), linesep="\r\n")
_UTF8 = _ASCII.clone(utf8=True)


@dataclass(frozen=True, slots=True)
class Sender:
    """Who mail comes from."""

    name: str
    address: str

    @classmethod
    def parse(cls, text: str) -> Sender:
        """From `address` or `Name <address>`; ValueError when it is neither."""
        name, address = parseaddr(text)
        if not _ADDRESS.fullmatch(address):
            raise ValueError(f"{text!r} is not an e-mail address")
        return cls(header_text(name, NAME_OCTETS) or "Halfpast", address)

    @property
    def domain(self) -> str:
        """The part after the @, for Message-IDs."""
        return self.address.rpartition("@")[2]


def header_text(text: str, octets: int) -> str:
    """One line of printable text of at most so many octets: nothing in it can end a header, start another, or turn the
    reading direction."""
    line = " ".join(_UNPRINTABLE.sub(" ", text).split())
    data = line.encode()
    if len(data) <= octets:
        return line
    return data[: octets - 3].decode(errors="ignore").rstrip() + "…"


def recipient_of(mail: Mail) -> str:
    """The address as SMTP takes it. `ProviderFailure` kind `rejected` for an impossible one."""
    return _address("", mail.to).addr_spec


def build_message(mail: Mail, sender: Sender, now: int) -> EmailMessage:
    """The message, CRLF lines, `now` in Date. No part can hold a boundary: "=_" is neither quoted-printable nor base64
    (RFC 2045 §6.7). `ProviderFailure` kind `rejected` for an impossible address."""
    message = EmailMessage(policy=_ASCII if mail.to.rpartition("@")[0].isascii() else _UTF8)
    message["From"] = str(_address(mail.from_name or sender.name, sender.address))
    message["To"] = str(_address(mail.to_name, mail.to))
    if mail.reply_to:
        message["Reply-To"] = str(_address("", mail.reply_to))
    message["Subject"] = header_text(mail.subject, SUBJECT_OCTETS)
    message["Date"] = format_datetime(datetime.fromtimestamp(now, UTC))
    message["Message-ID"] = mail.message_id
    if mail.unsubscribe_url:
        message["List-Unsubscribe"] = f"<{mail.unsubscribe_url}>"
        message["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"
    message["Auto-Submitted"] = "auto-generated"
    message["X-Auto-Response-Suppress"] = "OOF, AutoReply"
    message.set_content(mail.text, cte="quoted-printable")
    message.make_alternative("=_alternative")
    message.add_alternative(mail.html, subtype="html", cte="quoted-printable")
    if mail.invitation:
        _add_invitation(message, mail.invitation)
    for number, invitation in enumerate(mail.more_invitations, 2):
        _attach(message, invitation, f"invite-{number}.ics")
    return message


def _add_invitation(message: EmailMessage, invitation: Invitation) -> None:
    """Twice, as base64: it keeps line ends and folds as they are."""
    message.add_alternative(invitation.text, subtype="calendar", cte="base64", params={"method": invitation.method})
    message.make_mixed("=_mixed")
    _attach(message, invitation, "invite.ics")


def _attach(message: EmailMessage, invitation: Invitation, name: str) -> None:
    message.add_attachment(
        invitation.text.encode(), "application", "ics", cte="base64", filename=name, params={"name": name}
    )


def _address(name: str, address: str) -> Address:
    local, _, domain = address.rpartition("@")
    try:
        if not _ADDRESS.fullmatch(address):
            raise ValueError("not an address")
        local.encode()  # an unpaired surrogate cannot be sent
        ascii_domain = domain if domain.isascii() else domain.encode("idna").decode()
    except ValueError as error:  # UnicodeError is one
        raise ProviderFailure("rejected", "This is not an e-mail address mail can go to.") from error
    return Address(header_text(name, NAME_OCTETS), local, ascii_domain)
