"""The unit of work: explicit commit, rollback by default."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import cached_property

from sqlalchemy.ext.asyncio import AsyncConnection

from app.db.analytics import SqlAnalytics
from app.db.bookings import SqlBookingStore
from app.db.calendar_edits import SqlCalendarEdits
from app.db.calendar_store import SqlCalendarStore
from app.db.channels import SqlChannels
from app.db.clients import SqlClientStore
from app.db.contacts import SqlContacts
from app.db.employees import SqlEmployeeStore
from app.db.engine import Database, connected
from app.db.event_notes import SqlEventNotes
from app.db.event_states import SqlEventStates
from app.db.feeds import SqlPublishedFeeds
from app.db.hosts import SqlHostStore
from app.db.kept_edits import SqlKeptEdits
from app.db.links import SqlLinkStore
from app.db.mail_log import SqlMailLog
from app.db.organization_grants import SqlOrganizationGrants
from app.db.outbox import SqlOutbox
from app.db.people import SqlPeopleStore
from app.db.personal_data import SqlPersonalData
from app.db.phone_profiles import SqlPhoneProfiles
from app.db.records import SqlAuditLog, SqlIdempotencyStore
from app.db.scheduling import SqlSchedulingStore
from app.db.services import SqlServiceStore
from app.db.sessions import SqlSessionStore
from app.db.telling import SqlTelling
from app.db.tokens import SqlTokenStore
from app.ports.security import Vault


class SqlUnitOfWork:
    """The repositories over one connection. Made by `SqlUnitsOfWork`."""

    def __init__(self, connection: AsyncConnection, vault: Vault, calendar_age_limit: int) -> None:
        self._connection = connection
        self._vault = vault
        self._age_limit = calendar_age_limit

    @cached_property
    def links(self) -> SqlLinkStore:
        return SqlLinkStore(self._connection, self._vault, self._age_limit)

    @cached_property
    def employees(self) -> SqlEmployeeStore:
        return SqlEmployeeStore(self._connection)

    @cached_property
    def services(self) -> SqlServiceStore:
        return SqlServiceStore(self._connection)

    @cached_property
    def sessions(self) -> SqlSessionStore:
        return SqlSessionStore(self._connection)

    @cached_property
    def hosts(self) -> SqlHostStore:
        return SqlHostStore(self._connection)

    @cached_property
    def bookings(self) -> SqlBookingStore:
        return SqlBookingStore(self._connection, self._vault)

    @cached_property
    def clients(self) -> SqlClientStore:
        return SqlClientStore(self._connection)

    @cached_property
    def people(self) -> SqlPeopleStore:
        return SqlPeopleStore(self._connection)

    @cached_property
    def tokens(self) -> SqlTokenStore:
        return SqlTokenStore(self._connection, self._vault)

    @cached_property
    def calendars(self) -> SqlCalendarStore:
        return SqlCalendarStore(self._connection, self._vault)

    @cached_property
    def feeds(self) -> SqlPublishedFeeds:
        return SqlPublishedFeeds(self._connection, self._vault)

    @cached_property
    def phone_profiles(self) -> SqlPhoneProfiles:
        return SqlPhoneProfiles(self._connection, self._vault)

    @cached_property
    def event_states(self) -> SqlEventStates:
        return SqlEventStates(self._connection)

    @cached_property
    def calendar_edits(self) -> SqlCalendarEdits:
        return SqlCalendarEdits(self._connection)

    @cached_property
    def event_notes(self) -> SqlEventNotes:
        return SqlEventNotes(self._connection)

    @cached_property
    def kept_edits(self) -> SqlKeptEdits:
        return SqlKeptEdits(self._connection)

    @cached_property
    def channels(self) -> SqlChannels:
        return SqlChannels(self._connection, self._vault)

    @cached_property
    def organization_grants(self) -> SqlOrganizationGrants:
        return SqlOrganizationGrants(self._connection, self._vault)

    @cached_property
    def contacts(self) -> SqlContacts:
        return SqlContacts(self._connection)

    @cached_property
    def mail_log(self) -> SqlMailLog:
        return SqlMailLog(self._connection)

    @cached_property
    def telling(self) -> SqlTelling:
        return SqlTelling(self._connection)

    @cached_property
    def outbox(self) -> SqlOutbox:
        return SqlOutbox(self._connection)

    @cached_property
    def analytics(self) -> SqlAnalytics:
        return SqlAnalytics(self._connection)

    @cached_property
    def audit(self) -> SqlAuditLog:
        return SqlAuditLog(self._connection)

    @cached_property
    def personal_data(self) -> SqlPersonalData:
        return SqlPersonalData(self._connection)

    @cached_property
    def idempotency(self) -> SqlIdempotencyStore:
        return SqlIdempotencyStore(self._connection, self._vault)

    @cached_property
    def scheduling(self) -> SqlSchedulingStore:
        return SqlSchedulingStore(self._connection)

    async def begin_again(self) -> None:
        await self._connection.rollback()
        await self._connection.begin()

    async def commit(self) -> None:
        await self._connection.commit()


class SqlUnitsOfWork:
    """Opens units of work over a database."""

    def __init__(self, database: Database, vault: Vault, calendar_age_limit: int) -> None:
        self._database = database
        self._vault = vault
        self._age_limit = calendar_age_limit

    @asynccontextmanager
    async def write(self) -> AsyncIterator[SqlUnitOfWork]:
        """A transaction; leaving without `commit()` rolls back."""
        async with connected(self._database.write) as connection:
            await connection.begin()  # on SQLite the write lock is taken here, before anything is read
            yield SqlUnitOfWork(connection, self._vault, self._age_limit)

    @asynccontextmanager
    async def read(self) -> AsyncIterator[SqlUnitOfWork]:
        """One connection in autocommit, for reads."""
        async with self._database.readers.connection() as connection:
            yield SqlUnitOfWork(connection, self._vault, self._age_limit)
