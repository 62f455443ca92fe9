"""Forget a person who booked: everywhere but in the counts, and in the audit log, which knows ids alone.

Bookings stay, with nobody's name; those to come are cancelled first, which their hosts are told. What is published is
written anew: the hosts' schedules and feeds at once, events in connected calendars by the outbox.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from app.domain.answers import Answered
from app.domain.bookings import ERASED, Booking, Recipient
from app.domain.errors import Invalid, NotFound, NotModifiable, StaleVersion
from app.domain.phone_numbers import e164
from app.domain.text_rules import is_email
from app.ports import Ports
from app.ports.audit import AuditEntry
from app.ports.people import User
from app.ports.unit_of_work import UnitOfWork
from app.use_cases.booking_changes import SYSTEM, Actor, record_change, told_reason
from app.use_cases.change_booking import after_step, locked_booking
from app.use_cases.erase_member import forget_member, member_to_erase
from app.use_cases.idempotency import Replay, remember
from app.use_cases.remove_contact import take_out

BATCH = 100
TRIES = 10
"""So often a booking that others change right now is come back to."""


@dataclass(frozen=True, slots=True)
class Erasure:
    """What was erased. `is_user`: somebody signed in with the address, whose account is gone. `contacts_left` are the
    ids of users who have the address in a book that we do not take it out of: it was not us who made the contact."""

    bookings: int
    guest_of: int
    others: int
    is_user: bool
    contacts_left: tuple[str, ...] = ()


async def erase_as_admin(ports: Ports, user: User, email: str, replay: Replay[Erasure] | None = None) -> Erasure:
    """In the admin's organization. An address that is not known is erased too: who asks learns nothing by it."""
    address = _address(email)
    erased = await erase_person(ports, user.org_id, address, Actor("user", user.id))
    async with ports.unit_of_work() as work:
        await remember(work, replay, erased, ports.clock())
        await work.commit()
    return erased


async def erase_everywhere(ports: Ports, email: str) -> Erasure:
    """In all organizations of this server; `NotFound` when nobody knows the address, `StillMember` as in
    `member_to_erase`, before anything is erased."""
    address, total = _address(email), Erasure(0, 0, 0, is_user=False)
    async with ports.read() as work:
        organizations = await work.personal_data.organizations()
        for org_id in organizations:
            await member_to_erase(work, org_id, address, ports.clock())
    for org_id in organizations:
        one = await erase_person(ports, org_id, address, SYSTEM)
        total = Erasure(
            total.bookings + one.bookings,
            total.guest_of + one.guest_of,
            total.others + one.others,
            total.is_user or one.is_user,
            (*total.contacts_left, *one.contacts_left),
        )
    if not (total.bookings or total.guest_of or total.others or total.is_user):
        raise NotFound(f"Nothing is known of {address}.")
    return total


def _address(email: str) -> str:
    address = email.strip().lower()
    if not is_email(address):
        raise Invalid.field("email", "This is not an e-mail address.")
    return address


async def erase_person(ports: Ports, org_id: str, email: str, actor: Actor) -> Erasure:
    """A few bookings at a time, each in a transaction of its own: it can be begun again where it ended. `StillMember`
    when somebody signs in with the address who has to be switched off, or relieved, first."""
    words = {email}
    async with ports.read() as work:
        await member_to_erase(work, org_id, email, ports.clock())
    bookings = guest_of = 0
    erasure = None
    while erasure is None:
        async with ports.read() as work:
            addresses = await work.personal_data.addresses_of(org_id, email)
        words |= set(addresses)
        bookings += sum([await _erase_all(ports, org_id, each, actor, words) for each in addresses])
        guest_of += sum([await _leave_all(ports, org_id, each, actor, words) for each in addresses])
        erasure = await _forget_rest(ports, org_id, email, addresses, actor, words, (bookings, guest_of))
    await _forget_answers(ports, words)
    await erase_messages(ports, sorted(words))
    return erasure


async def _forget_rest(
    ports: Ports,
    org_id: str,
    email: str,
    addresses: Sequence[str],
    actor: Actor,
    words: set[str],
    counted: tuple[int, int],
) -> Erasure | None:
    """All but bookings, of which there were so many. None, and nothing is forgotten, when they booked, were invited or
    became known by another address meanwhile: what must follow such a booking would be forgotten, too, and the booking
    stay half done."""
    now, (bookings, guest_of) = ports.clock(), counted
    async with ports.unit_of_work() as work:
        await work.clients.lock(org_id)
        if await work.personal_data.addresses_of(org_id, email) != addresses:
            return None
        member = await member_to_erase(work, org_id, email, now, lock=True)
        if member is not None:
            words |= await forget_member(ports, work, member, now)
        others = sum([await work.personal_data.forget_address(org_id, each) for each in addresses])
        left, taken_out = await _forget_contacts(work, org_id, addresses, actor, now)
        others += taken_out
        erasure = Erasure(bookings, guest_of, others, is_user=member is not None, contacts_left=left)
        if bookings or guest_of or others or member is not None:
            counts = {"bookings": bookings, "guest_of": guest_of, "others": others}
            counts |= {"accounts": 1} if member is not None else {}
            entry = AuditEntry(org_id, actor.kind, actor.id, "person.erased", "organization", org_id, counts)
            await work.audit.write(entry, now)
        for each in addresses:
            if await work.personal_data.bookings_of(org_id, each, 1):
                return None
            if await work.personal_data.bookings_with_guest(org_id, each, 1):
                return None
        await work.commit()
    return erasure


async def _forget_contacts(
    work: UnitOfWork, org_id: str, addresses: Sequence[str], actor: Actor, now: int
) -> tuple[tuple[str, ...], int]:
    """Whose address books keep them; and of how many books we knew that they are in them."""
    forgotten = [row for each in addresses for row in await work.personal_data.forget_contacts(org_id, each)]
    left = await take_out(work, forgotten, actor.id if actor.kind == "user" else None, now)
    return tuple(sorted({each.account.user_id for each in left})), len(forgotten)


async def _forget_answers(ports: Ports, words: set[str]) -> None:
    """After all else: an answer that is kept later tells of nobody any more."""
    answers = await answers_holding(ports, sorted(words))
    if answers:
        async with ports.unit_of_work() as work:
            await work.idempotency.forget(answers)
            await work.commit()


async def answers_holding(ports: Ports, words: Sequence[str]) -> list[str]:
    """Which answers kept for requests that may be sent again hold any of these."""
    async with ports.read() as work:
        return await work.idempotency.holding(words)


async def erase_messages(ports: Ports, words: Sequence[str]) -> None:
    """The messages that lie in folders here, since no service takes them."""
    if ports.mail_folder is not None:
        await ports.mail_folder.erase(words)
    await ports.texter.erase(words)
    await ports.pusher.erase(words)


async def _erase_all(ports: Ports, org_id: str, email: str, actor: Actor, words: set[str]) -> int:
    erased: set[str] = set()
    tries = TRIES
    while True:
        async with ports.read() as work:
            ids = await work.personal_data.bookings_of(org_id, email, BATCH)
        if not ids:
            return len(erased)
        for booking_id in ids:
            try:
                forgotten = await erase_booking(ports, booking_id, actor)
            except StaleVersion:  # its hosts are being changed right now
                tries -= 1
                if not tries:
                    raise
                continue
            words |= {booking_id, *forgotten.addresses, *forgotten.numbers}
            erased.add(booking_id)


@dataclass(frozen=True, slots=True)
class Forgotten:
    """Whom a booking was with, by e-mail and by phone, and when it was changed last before that."""

    addresses: tuple[str, ...]
    numbers: tuple[str, ...]
    client_id: str | None
    changed_at: int


async def erase_booking(ports: Ports, booking_id: str, actor: Actor) -> Forgotten:
    """Take out of a booking whom it was with."""
    now = ports.clock()
    async with ports.unit_of_work() as work:
        booking = await locked_booking(work, booking_id)
        if await work.personal_data.is_erased(booking_id):  # by somebody else, meanwhile
            return Forgotten((), (), None, booking.updated_at)
        addresses = tuple(address for address in (booking.recipient.email, *booking.guests) if address)
        await work.personal_data.forget_booking(booking.id, addresses, now)
        await record_change(ports, work, booking, _erased(booking, now), actor, "booking.erased", now)
        await work.personal_data.forget_booking(booking.id, addresses, now)  # and what the change itself asked for
        await work.commit()
    number = e164(booking.recipient.phone)
    return Forgotten(addresses, (number,) if number else (), booking.client_id, booking.updated_at)


def _erased(booking: Booking, now: int) -> Booking:
    """Cancelled, if it is to come, and nobody's."""
    try:
        after = after_step(booking, "cancel", now, "erased") if booking.end > now else booking.changed(now)
    except NotModifiable:
        after = booking.changed(now)
    phone, location = booking.recipient.phone, booking.location
    if phone and location.value == phone:
        location = replace(location, value="")
    return replace(
        after,
        recipient=Recipient(ERASED, "", None),
        guests=(),
        answered=Answered(),
        notes=None,
        internal_notes=None,
        location=location,
        cancel_reason=after.cancel_reason if told_reason(after.cancel_reason) == after.cancel_reason else None,
        recipient_reply=None,
        language=None,
    )


async def _leave_all(ports: Ports, org_id: str, email: str, actor: Actor, words: set[str]) -> int:
    """The bookings of others that they were a guest of go on without them."""
    count = 0
    while True:
        async with ports.read() as work:
            ids = await work.personal_data.bookings_with_guest(org_id, email, BATCH)
        if not ids:
            return count
        for booking_id in ids:
            async with ports.unit_of_work() as work:
                await _leave(ports, work, booking_id, email, actor)
                await work.commit()
            words.add(booking_id)
        count += len(ids)


async def _leave(ports: Ports, work: UnitOfWork, booking_id: str, email: str, actor: Actor) -> None:
    now = ports.clock()
    booking = await locked_booking(work, booking_id)
    after = replace(booking.changed(now), guests=_without(booking.guests, email))
    await record_change(ports, work, booking, after, actor, "booking.guest_erased", now)
    await work.personal_data.forget_guest(booking.id, email)


def _without(guests: Sequence[str], email: str) -> tuple[str, ...]:
    return tuple(guest for guest in guests if guest.lower() != email)
