"""The unit of work and its repositories. Nothing commits but `commit()`; leaving without it rolls back."""

from __future__ import annotations

from typing import Protocol

from app.ports.analytics import Analytics
from app.ports.audit import AuditLog
from app.ports.bookings import BookingStore
from app.ports.calendar_edits import CalendarEdits
from app.ports.calendar_store import CalendarStore
from app.ports.channels import Channels
from app.ports.clients import ClientStore
from app.ports.contacts import Contacts
from app.ports.employees import EmployeeStore
from app.ports.event_notes import EventNotesStore
from app.ports.event_states import EventStates
from app.ports.feeds import PublishedFeeds
from app.ports.hosts import HostStore
from app.ports.idempotency import IdempotencyStore
from app.ports.kept_edits import KeptEdits
from app.ports.links import LinkStore
from app.ports.mail_log import MailLog
from app.ports.organization_grants import OrganizationGrants
from app.ports.outbox import Outbox
from app.ports.people import PeopleStore
from app.ports.personal_data import PersonalData
from app.ports.phone_profiles import PhoneProfiles
from app.ports.scheduling import SchedulingStore
from app.ports.services import ServiceStore
from app.ports.sessions import SessionStore
from app.ports.telling import TellingStore
from app.ports.tokens import TokenStore


class UnitOfWork(Protocol):
    """One transaction (or, from `Ports.read`, one autocommit connection for reading only)."""

    @property
    def links(self) -> LinkStore: ...
    @property
    def employees(self) -> EmployeeStore: ...
    @property
    def services(self) -> ServiceStore: ...
    @property
    def sessions(self) -> SessionStore: ...
    @property
    def hosts(self) -> HostStore: ...
    @property
    def bookings(self) -> BookingStore: ...
    @property
    def clients(self) -> ClientStore: ...
    @property
    def people(self) -> PeopleStore: ...
    @property
    def tokens(self) -> TokenStore: ...
    @property
    def calendars(self) -> CalendarStore: ...
    @property
    def feeds(self) -> PublishedFeeds: ...
    @property
    def phone_profiles(self) -> PhoneProfiles: ...
    @property
    def event_states(self) -> EventStates: ...
    @property
    def calendar_edits(self) -> CalendarEdits: ...
    @property
    def event_notes(self) -> EventNotesStore: ...
    @property
    def kept_edits(self) -> KeptEdits: ...
    @property
    def channels(self) -> Channels: ...
    @property
    def organization_grants(self) -> OrganizationGrants: ...
    @property
    def contacts(self) -> Contacts: ...
    @property
    def mail_log(self) -> MailLog: ...
    @property
    def telling(self) -> TellingStore: ...
    @property
    def outbox(self) -> Outbox: ...
    @property
    def analytics(self) -> Analytics: ...
    @property
    def audit(self) -> AuditLog: ...
    @property
    def personal_data(self) -> PersonalData: ...
    @property
    def idempotency(self) -> IdempotencyStore: ...
    @property
    def scheduling(self) -> SchedulingStore: ...

    async def begin_again(self) -> None:
        """Give up the locks that were taken, where nothing is written yet: to wait for others with these in hand could
        be to wait in a circle."""
        ...

    async def commit(self) -> None: ...
