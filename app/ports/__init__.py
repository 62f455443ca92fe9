"""What the use cases need from outside, as Protocols; `app.wiring` joins them to adapters."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass

from app.ports.calendars import CalendarProvider
from app.ports.contacts import ContactBook
from app.ports.mail import MailComposer, Mailer
from app.ports.mail_folder import MailFolder
from app.ports.outbox import JobQueue
from app.ports.push import Pusher
from app.ports.security import PasswordHasher, Vault
from app.ports.telling import ReminderLog
from app.ports.texting import Texter
from app.ports.unit_of_work import UnitOfWork


@dataclass(frozen=True, slots=True)
class Ports:
    """Everything a use case may reach.

    `unit_of_work()` opens a writing transaction, `read()` a connection for single reads. `calendar_age_limit` is how
    many seconds a conflict calendar may have gone unread before its host is not offered any more; `uid_domain` is the
    right-hand side of the UIDs and Message-IDs made here; `organizer_address` is what invitations name as their
    organizer, the address mail comes from; `jitsi_url` is the server where online meetings have their rooms that no
    calendar makes; `is_loopback` says that nobody beyond this machine reaches the server; `sign_ins` are the providers
    with a sign-in page of their own that the program is registered at, so that saying so loads none of their libraries;
    `sign_profile` signs the profiles of Apple's devices, if the server has a certificate. `mail_folder` is where mail
    is kept when there is no server for it.
    """

    clock: Callable[[], int]
    unit_of_work: Callable[[], AbstractAsyncContextManager[UnitOfWork]]
    read: Callable[[], AbstractAsyncContextManager[UnitOfWork]]
    jobs: JobQueue
    reminder_log: ReminderLog
    vault: Vault
    passwords: PasswordHasher
    providers: Mapping[str, CalendarProvider]
    contact_books: Mapping[str, ContactBook]
    mailer: Mailer
    texter: Texter
    pusher: Pusher
    composer: MailComposer
    base_url: str
    uid_domain: str
    organizer_address: str
    jitsi_url: str
    is_loopback: bool
    sign_ins: tuple[str, ...] = ()
    sign_profile: Callable[[bytes], bytes] | None = None
    mail_folder: MailFolder | None = None
    calendar_age_limit: int = 24 * 3600
    refresh_budget: float = 2.0
