"""What hosts' providers do for a booking: online meetings, invitations, and the recipient's answer. Ana keeps her
calendar at Google, Ben his at Microsoft, the owner theirs on a CalDAV server."""

from __future__ import annotations

from typing import Any

import pytest

from app.domain.bookings import Booking
from app.domain.links import Link
from app.domain.locations import Location
from app.ports.mail_folder import StoredMail
from app.ports.people import User
from app.use_cases.booking_changes import Actor
from app.use_cases.calendar_accounts import change_account
from app.use_cases.manage_links import change_link
from app.use_cases.reschedule_booking import Move, reschedule_booking
from app.use_cases.sync_calendar import sync_calendar
from tests.support.clock import at
from tests.use_cases.calendars.office import ANA, BEN, Office

pytestmark = [pytest.mark.anyio, pytest.mark.requires("contracts")]

NINE, TEN = at("2027-03-24 09:00"), at("2027-03-24 10:00")
CASEY = "casey@example.org"


async def mails(office: Office, address: str = CASEY) -> list[StoredMail]:
    """The mails to one address, the oldest first."""
    folder = office.parts.mail_folder
    assert folder is not None
    found = [await folder.read_mail(each.name) for each in await folder.list_mails() if address in each.to]
    return [each for each in reversed(found) if each is not None]


async def event_of(office: Office, user: User, booking: Booking) -> Any:
    """The booking's event as the provider keeps it."""
    shown = await office.sides[user.id].ours(booking.uid)
    assert shown is not None
    side: Any = office.sides[user.id]
    return side._store.events[shown.key] if hasattr(side, "_store") else side._mailbox.items[shown.key]


async def invite_by_provider(office: Office, user: User) -> None:
    """The person wants their provider to invite."""
    await change_account(office.ports, user, office.sides[user.id].calendar.account_id, provider_invites=True)


async def video_link(office: Office, user: User, **values: Any) -> Link:
    """A link whose bookings are online meetings."""
    return await office.link(f"video-{user.handle}", user, location=Location("video"), **values)


# online meetings


@pytest.mark.parametrize(("number", "address"), [(1, "https://meet.google.com/"), (2, "https://teams.example.com/")])
async def test_the_hosts_calendar_makes_the_meeting(office: Office, number: int, address: str) -> None:
    """The recipient hears of the booking once, with the address to join; the host's event has it too."""
    host = office.users[number]
    booking = await office.book(await video_link(office, host), NINE)
    assert booking.location == Location("video")
    await office.work()
    await office.work(10)
    stored = await office.stored(booking)
    assert stored.location.value.startswith(address)
    (mail,) = await mails(office)
    assert stored.location.value in mail.text
    assert f"LOCATION:{stored.location.value}" in mail.invitation.replace("\r\n ", "").replace("\n ", "")
    shown = await office.sides[host.id].ours(booking.uid)
    assert shown is not None
    async with office.ports.read() as work:
        published = await work.calendars.objects_of_booking(booking.id)
    texts = [each.data.replace("\r\n ", "") for each in published]
    assert texts
    assert all(stored.location.value in text for text in texts), "feed, phone and calendar say where to join"


async def test_a_meeting_moves_with_its_booking(office: Office) -> None:
    booking = await office.book(await video_link(office, office.users[1]), NINE)
    await office.work()
    made = (await office.stored(booking)).location
    await reschedule_booking(office.ports, booking.id, Move(TEN), Actor("recipient", booking.id))
    await office.work(60)
    assert (await office.stored(booking)).location == made


async def test_other_calendars_get_a_room_at_once(office: Office) -> None:
    """CalDAV servers make no meetings."""
    link = await video_link(office, office.owner)
    booking, other = await office.book(link, NINE), await office.book(link, TEN)
    assert booking.location.value.startswith("https://meet.jit.si/halfpast-")
    assert booking.location.value != other.location.value
    await office.work()
    assert [mail for mail in await mails(office) if booking.location.value in mail.text]


async def test_a_calendar_that_makes_no_meeting_is_waited_for_a_minute(office: Office) -> None:
    """Nobody is told of a meeting without an address, and nobody waits for long."""
    host = office.users[1]
    link = await video_link(office, host)
    office.sides[host.id].fail("500")
    booking = await office.book(link, NINE)
    await office.work()
    assert await mails(office) == []
    office.sides[host.id].fail("500")
    await office.work(61)
    (mail,) = await mails(office)
    room = (await office.stored(booking)).location.value
    assert room.startswith("https://meet.jit.si/halfpast-")
    assert room in mail.text
    await office.settle(accept=True)
    assert (await office.stored(booking)).location.value == room
    assert len(await mails(office)) == 1
    event = await event_of(office, host, booking)
    assert event["location"] == room
    assert "conferenceData" not in event


async def test_another_host_has_another_meeting(office: Office) -> None:
    """The meeting that a calendar made goes with its event."""
    ana, owner = office.users[1], office.owner
    link = await office.shared_link("pool", [ana, owner], "either", priorities=[1, 0], location=Location("video"))
    booking = await office.book(link, NINE)
    await office.settle(accept=True)
    made = (await office.stored(booking)).location.value
    assert made.startswith("https://meet.google.com/")
    await reschedule_booking(office.ports, booking.id, Move(TEN, host_id=owner.id), Actor("user", owner.id))
    await office.settle(accept=True)
    room = (await office.stored(booking)).location.value
    assert room.startswith("https://meet.jit.si/halfpast-")
    assert room in (await mails(office))[-1].text
    await reschedule_booking(office.ports, booking.id, Move(NINE, host_id=ana.id), Actor("user", owner.id))
    await office.settle(accept=True)
    assert (await office.stored(booking)).location.value == room, "whoever has the room's address may keep it"


async def test_a_meeting_of_two_hosts_is_made_once(office: Office) -> None:
    """By the first of them whose calendar can; the other's event says where it is."""
    link = await office.shared_link("collective", office.users[1:], "both", location=Location("video"))
    booking = await office.book(link, NINE)
    await office.settle(accept=True)
    url = (await office.stored(booking)).location.value
    first, second = [await event_of(office, user, booking) for user in office.users[1:]]
    assert first["conferenceData"]["entryPoints"][0]["uri"] == url
    assert second.values.get("onlineMeeting") is None
    assert second.values["location"]["displayName"] == url


# invitations


async def test_our_mail_is_the_invitation(office: Office) -> None:
    booking = await office.book(office.links[1], NINE)
    await office.work()
    (mail,) = await mails(office)
    assert "METHOD:REQUEST" in mail.invitation
    assert not (await event_of(office, office.users[1], booking)).get("attendees")


async def test_or_google_invites(office: Office) -> None:
    """Recipient and guests are attendees of the event, and hear of it from Google; our mail carries no second
    invitation, and the event says nothing that guests must not know."""
    host = office.users[1]
    await invite_by_provider(office, host)
    booking = await office.book(office.links[1], NINE, guests=("guest@example.org",), notes="Private words")
    await office.work()
    event = await event_of(office, host, booking)
    assert [each["email"] for each in event["attendees"]] == [CASEY, "guest@example.org"]
    assert "Private words" not in event["description"]
    assert booking.token not in event["description"]
    google = office.sides[host.id]
    assert "sendUpdates=all" in google._google.queries[-1]  # type: ignore[attr-defined]
    for address in (CASEY, "guest@example.org"):
        (mail,) = await mails(office, address)
        assert mail.invitation == ""
    await reschedule_booking(office.ports, booking.id, Move(TEN), Actor("recipient", booking.id))
    await office.work(60)
    assert [mail.invitation for mail in await mails(office)] == ["", ""]
    assert len((await event_of(office, host, booking))["attendees"]) == 2


async def test_or_microsoft_invites(office: Office) -> None:
    host = office.users[2]
    await invite_by_provider(office, host)
    booking = await office.book(office.links[2], NINE)
    await office.work()
    event = await event_of(office, host, booking)
    assert [each["emailAddress"]["address"] for each in event.values["attendees"]] == [CASEY]
    (mail,) = await mails(office)
    assert mail.invitation == ""


async def test_who_was_invited_by_mail_is_not_invited_again(office: Office) -> None:
    """The setting holds for new bookings."""
    host = office.users[1]
    booking = await office.book(office.links[1], NINE)
    await office.work()
    await invite_by_provider(office, host)
    await reschedule_booking(office.ports, booking.id, Move(TEN), Actor("recipient", booking.id))
    await office.work(60)
    assert not (await event_of(office, host, booking)).get("attendees")
    assert all("METHOD:REQUEST" in mail.invitation for mail in await mails(office))


# the recipient's answer


async def invited(office: Office) -> tuple[Booking, Any]:
    """A booking that Google invited to, and what answers the invitation."""
    host = office.users[1]
    await invite_by_provider(office, host)
    booking = await office.book(office.links[1], NINE)
    await office.work()
    key = (await event_of(office, host, booking))["id"]

    async def answer(words: str) -> None:
        side: Any = office.sides[host.id]
        side._google.respond(ANA, key, words, CASEY)
        await sync_calendar(office.ports, side.calendar.id)
        await office.work(10)

    return booking, answer


async def test_the_recipients_answer_is_shown(office: Office) -> None:
    booking, answer = await invited(office)
    await answer("tentative")
    assert (await office.stored(booking)).recipient_reply == "tentative"
    await answer("accepted")
    stored = await office.stored(booking)
    assert (stored.recipient_reply, stored.status) == ("accepted", "confirmed")
    assert len(await mails(office)) == 1, "who answers is not told of their own answer"


async def test_a_refusal_is_told_to_the_host(office: Office) -> None:
    booking, answer = await invited(office)
    await answer("declined")
    stored = await office.stored(booking)
    assert (stored.recipient_reply, stored.status) == ("declined", "confirmed")
    told = [mail.subject for mail in await mails(office, office.users[1].email)]
    assert told[1:] == ["The invitation to a booking was declined"]


async def test_a_refusal_cancels_where_the_link_says_so(office: Office) -> None:
    await change_link(office.ports, office.users[1], office.links[1].id, {"cancel_on_decline": True})
    booking, answer = await invited(office)
    await answer("declined")
    stored = await office.stored(booking)
    assert (stored.recipient_reply, stored.status) == ("declined", "cancelled")
    assert await office.sides[office.users[1].id].ours(booking.uid) is None
    assert (await mails(office))[-1].subject.startswith("Cancelled")


async def test_an_answer_is_about_one_time(office: Office) -> None:
    """Whoever accepted nine o'clock has not accepted ten."""
    booking, answer = await invited(office)
    await answer("accepted")
    await reschedule_booking(office.ports, booking.id, Move(TEN), Actor("recipient", booking.id))
    await office.work(60)
    assert (await office.stored(booking)).recipient_reply is None
    await office.work(600)
    assert (await office.stored(booking)).recipient_reply is None


async def test_microsofts_answers_count_too(office: Office) -> None:
    host = office.users[2]
    await invite_by_provider(office, host)
    booking = await office.book(office.links[2], NINE)
    await office.work()
    side: Any = office.sides[host.id]
    item = await event_of(office, host, booking)
    attendees = [
        {**each, "status": {"response": "declined", "time": "2027-03-22T10:00:00Z"}}
        for each in item.values["attendees"]
    ]
    side._mailbox.change(item.id, attendees=attendees)
    await sync_calendar(office.ports, side.calendar.id)
    await office.work(10)
    assert (await office.stored(booking)).recipient_reply == "declined"
    assert BEN not in str(attendees)
