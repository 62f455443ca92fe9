"""Feeds of a link, a service, a resource and the whole organization; windows and alarms; what subscribers insist on."""

import asyncio
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from email.utils import parsedate_to_datetime
from typing import Any

import icalendar
import pytest
import requests
from sqlalchemy import insert

from app.db import models as m
from app.domain.bookings import Booking
from app.domain.errors import Forbidden, Invalid
from app.domain.feeds import FEED_KINDS, FeedOptions
from app.domain.links import Link
from app.domain.locations import Location
from app.domain.services import ServiceHost
from app.ports.people import User
from app.ports.tokens import Feed
from app.use_cases.booking_changes import SYSTEM
from app.use_cases.change_booking import take_step
from app.use_cases.change_own_account import change_profile
from app.use_cases.edit_booking import edit_booking
from app.use_cases.ids import new_id
from app.use_cases.manage_services import create_service
from app.use_cases.manage_tokens import change_feed, create_feed
from app.use_cases.reschedule_booking import Move, reschedule_booking
from tests.capabilities import shared_folder
from tests.databases import ENGINES, over_engines
from tests.support.clock import MONDAY
from tests.support.dav_server import DavServer, dav_server
from tests.support.ical import ics
from tests.support.statements import statements_of

DAY = 86400
WEEK = 7 * DAY
SHARED = ("link", "service", "resource", "organization")


@pytest.fixture(scope="module")
def dav_servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[str], DavServer]]:
    """Servers for this module alone: nobody else sets their clocks back."""
    with over_engines(dav_server, tmp_path_factory) as servers:
        yield servers


class Team:
    """Ana and Ben share a link, a service and a room; the owner of the organization is its admin. It is Monday."""

    weeks = 0

    def __init__(self, server: DavServer, mode: str = "collective") -> None:
        while server.clock.now > MONDAY + Team.weeks * WEEK:  # no test sets the clock back: dates would lie
            Team.weeks += 1
        self.monday = server.clock.now = MONDAY + Team.weeks * WEEK
        self.server = server
        self.workspace = server.workspace
        self.admin = self.workspace.owner
        self.ana, self.ben = server.person(timezone="Europe/Berlin"), server.person()
        self.room_id = new_id()
        self.service_id, self.link = server.run(self._link(mode))

    async def _link(self, mode: str) -> tuple[str, Link]:
        ports, admin = self.workspace.ports, self.admin
        values = {"name": "Team", "mode": mode, "durations": (30, 60)}
        people = [ServiceHost(self.ana.user.id), ServiceHost(self.ben.user.id)]
        service = await create_service(ports, admin, values, hosts=people)
        link = await self.workspace.link(f"team-{new_id()[-12:]}", self.ana.user, service_id=service.id)
        async with self.workspace.parts.database.write.begin() as connection:
            room = {"id": self.room_id, "org_id": link.org_id, "kind": "resource", "name": "Blue room"}
            await connection.execute(insert(m.hosts).values(**room))
        return service.id, link

    def book(self, start: int, link: Link | None = None, *, in_room: bool = True) -> Booking:
        """A booking of the shared link and its service, in the room."""

        async def make() -> Booking:
            booking = await self.workspace.book(link or self.link, start)
            await self.workspace.set(m.bookings, m.bookings.c.id == booking.id, service_id=self.service_id)
            if in_room:
                await self._into_room(booking)
            return booking

        return self.server.run(make())

    async def _into_room(self, booking: Booking) -> None:
        async with self.workspace.parts.database.write.begin() as connection:
            row = {"booking_id": booking.id, "host_id": self.room_id, "start_at": booking.start, "booked_at": 0}
            await connection.execute(insert(m.booking_hosts).values(**row))

    def move(self, booking: Booking, start: int, host_id: str | None = None) -> None:
        """To another time or host, in the same room."""

        async def move() -> None:
            to = Move(start, host_id=host_id)
            moved = await reschedule_booking(self.workspace.ports, booking.id, to, SYSTEM)
            if self.room_id not in {host.id for host in moved.hosts}:
                await self._into_room(moved)

        self.server.run(move())

    def feed(self, kind: str, user: User | None = None, **options: Any) -> str:
        """The path of a new feed, of the admin unless told otherwise."""
        subject = {"link": self.link.id, "service": self.service_id, "resource": self.room_id}.get(kind)
        chosen = FeedOptions.checked(**options)
        made = create_feed(
            self.workspace.ports, user or self.admin, kind, f"Team {kind}", subject_id=subject, options=chosen
        )
        return f"/feeds/{self.server.run(made).token}.ics"

    def get(self, path: str, method: str = "GET", **headers: str) -> requests.Response:
        """Ask as a subscriber does."""
        return self.server.request(method, path, **{"Accept_Encoding": "identity", **headers})

    def events(self, path: str) -> dict[str, Any]:
        """The feed's events by UID; none comes twice."""
        return by_uid(self.get(path))


def by_uid(response: requests.Response) -> dict[str, Any]:
    assert response.status_code == 200, response.text
    calendar = icalendar.Calendar.from_ical(response.text)
    assert isinstance(calendar, icalendar.Calendar)
    assert not [problem for part in calendar.walk() for problem in part.errors]
    found = {str(event["UID"]): event for event in calendar.events}
    assert len(found) == len(calendar.events)
    return found


@pytest.fixture(params=ENGINES)
def server(request: pytest.FixtureRequest, dav_servers: Callable[[str], DavServer]) -> DavServer:
    return dav_servers(request.param)


@pytest.fixture
def team(server: DavServer) -> Team:
    return Team(server)


@pytest.mark.parametrize("kind", SHARED)
def test_a_booking_of_several_hosts_is_there_once_and_names_them(team: Team, kind: str) -> None:
    booking = team.book(team.monday + DAY)
    event = team.events(team.feed(kind))[booking.uid]
    assert (event["STATUS"], event.start.timestamp()) == ("CONFIRMED", booking.start)
    assert str(event["SUMMARY"]) == f"{team.link.title}: Casey Client"
    first = str(event["DESCRIPTION"]).partition("\n")[0]
    assert first.startswith("Hosts: ")
    assert {team.ana.user.name, team.ben.user.name} <= set(first.removeprefix("Hosts: ").split(", "))
    assert f"/app/bookings/{booking.id}" in str(event["URL"])
    assert not event.walk("VALARM")  # nobody is reminded of what others do


@pytest.mark.parametrize("kind", ["link", "service", "resource"])
def test_other_bookings_are_not_there(team: Team, kind: str) -> None:
    mine = team.book(team.monday + DAY)
    other = Team(team.server).book(team.monday + DAY)
    own = team.ana.book(team.monday + 2 * DAY)
    assert set(team.events(team.feed(kind))) == {mine.uid}
    assert {mine.uid, other.uid, own.uid} <= set(team.events(team.feed("organization")))


@pytest.mark.parametrize("kind", ["link", "service"])
def test_hosts_and_owners_of_a_link_have_its_feed(team: Team, kind: str) -> None:
    booking = team.book(team.monday + DAY)
    for person in (team.ana, team.ben):
        assert set(team.events(team.feed(kind, person.user))) == {booking.uid}


@pytest.mark.parametrize("kind", ["service", "resource"])
def test_what_came_through_the_links_of_others_alone_is_for_admins(team: Team, kind: str) -> None:
    """Here: through a link of Ana's for the same service, in the same room."""
    shared = team.book(team.monday + DAY)
    alone = team.book(team.monday + 2 * DAY, team.server.run(_link_of(team, team.ana.user)))
    team.server.run(_put_room_on(team, team.link))
    assert set(team.events(team.feed(kind, team.ben.user))) == {shared.uid}
    for user in (team.ana.user, team.admin):
        assert set(team.events(team.feed(kind, user))) == {shared.uid, alone.uid}


async def _link_of(team: Team, user: User) -> Link:
    return await team.workspace.link(f"own-{new_id()[-12:]}", user)


async def _put_room_on(team: Team, link: Link) -> None:
    async with team.workspace.parts.database.write.begin() as connection:
        row = {"offer_id": link.service_id or link.id, "host_id": team.room_id}
        await connection.execute(insert(m.offer_hosts).values(**row))


@pytest.mark.parametrize("kind", ["link", "service", "resource"])
def test_strangers_have_no_feed_of_it(team: Team, kind: str) -> None:
    with pytest.raises(Invalid) as refused:
        team.feed(kind, team.server.person().user)
    assert refused.value.errors[0].field == "subject_id"


def test_only_admins_have_a_feed_of_the_organization(team: Team) -> None:
    with pytest.raises(Forbidden):
        team.feed("organization", team.ana.user)


@pytest.mark.parametrize(("kind", "subject"), [("link", None), ("schedule", "some"), ("organization", "some"),
                                               ("link", "some"), ("resource", "ana"), ("nothing", None)])  # fmt: skip
def test_a_feed_is_of_something_that_is_there(team: Team, kind: str, subject: str | None) -> None:
    subject_id = {"some": new_id(), "ana": team.ana.user.id}.get(subject or "")
    with pytest.raises(Invalid):
        team.server.run(create_feed(team.workspace.ports, team.admin, kind, subject_id=subject_id))


def test_who_loses_the_right_loses_the_feed(team: Team) -> None:
    link, organization = team.feed("link", team.ben.user), team.feed("organization")
    assert team.get(link).status_code == team.get(organization).status_code == 200
    workspace, users = team.workspace, m.users.c

    async def drop() -> None:
        async with workspace.parts.database.write.begin() as connection:
            hosts = m.offer_hosts.c
            gone = (hosts.offer_id == team.service_id) & (hosts.host_id == team.ben.user.id)
            await connection.execute(m.offer_hosts.delete().where(gone))
        await workspace.set(m.users, users.id == team.admin.id, roles=["owner"])

    team.server.run(drop())
    try:
        assert team.get(link).status_code == team.get(organization).status_code == 404
    finally:
        team.server.run(workspace.set(m.users, users.id == team.admin.id, roles=["owner", "admin"]))
    assert team.get(organization).status_code == 200


@pytest.mark.parametrize("kind", SHARED)
def test_whatever_changes_the_text_changes_the_tag(team: Team, kind: str) -> None:
    path, clock, ports = team.feed(kind), team.server.clock, team.workspace.ports
    link = Team(team.server, "pool").link if kind == "organization" else team.link
    tags = [team.get(path).headers["ETag"]]

    def changed() -> None:
        clock.advance(120)
        unlike = team.get(path, If_None_Match=tags[-1])
        assert unlike.status_code == 200
        assert unlike.headers["ETag"] not in tags
        same = team.get(path, If_None_Match=unlike.headers["ETag"])
        by_date = team.get(path, If_Modified_Since=unlike.headers["Last-Modified"])
        assert (same.status_code, by_date.status_code) == (304, 304)
        tags.append(unlike.headers["ETag"])

    booking = team.book(team.monday + DAY, link)
    changed()
    team.move(booking, team.monday + 2 * DAY)
    changed()
    if kind == "organization":
        (host,) = booking.hosts
        people = team.server.run(ports_hosts(team, link))
        other = next(each for each in people if each != host.id)
        team.move(booking, team.monday + 2 * DAY, host_id=other)
        changed()
    team.server.run(edit_booking(ports, booking.id, {"notes": "Bring the plans"}, SYSTEM))
    changed()
    team.server.run(change_profile(ports, team.ana.user, f"Ana {kind}", "Europe/Berlin"))
    changed()
    team.server.run(take_step(ports, booking.id, "cancel", SYSTEM))
    changed()
    assert team.events(path)[booking.uid]["STATUS"] == "CANCELLED"


async def ports_hosts(team: Team, link: Link) -> list[str]:
    return [host.host_id for host in (await team.workspace.context(link)).hosts]


def test_what_is_no_booking_leaves_the_tag_as_it_is(team: Team) -> None:
    """However busy the calendars of a large organization are."""
    path = team.feed("organization")
    etag = team.get(path).headers["ETag"]
    team.ana.put("a.ics", ics("dentist"))
    assert team.get(path, If_None_Match=etag).status_code == 304


def test_two_changes_in_one_moment_are_both_seen_by_date(team: Team) -> None:
    """The second may have been committed later than a subscriber asked, under an earlier instant."""
    path = team.feed("link")
    team.server.clock.advance(10)
    team.book(team.monday + DAY)
    response = team.get(path)
    assert parsedate_to_datetime(response.headers["Last-Modified"]).timestamp() < team.monday
    assert team.get(path, If_Modified_Since=response.headers["Last-Modified"]).status_code == 200
    team.server.clock.advance(120)
    assert team.get(path, If_Modified_Since=team.get(path).headers["Last-Modified"]).status_code == 304


@pytest.mark.parametrize("kind", SHARED)
def test_an_unchanged_feed_costs_two_statements_whatever_is_in_it(team: Team, kind: str) -> None:
    path = team.feed(kind)
    for number in range(1, 4):
        team.book(team.monday + number * DAY)
    etag = team.get(path).headers["ETag"]

    async def asked() -> int:
        async with statements_of(team.workspace.parts.database) as statements:
            response = await asyncio.to_thread(team.get, path, If_None_Match=etag)
        assert response.status_code == 304
        return len(statements)

    assert team.server.run(asked()) == 2


def test_a_cancelled_booking_stays_for_thirty_days_and_a_hold_that_ran_out_never_comes(team: Team) -> None:
    booking = team.book(team.monday + 40 * DAY, in_room=False)
    approval = team.server.run(team.workspace.link(f"ask-{new_id()[-12:]}", team.ana.user, requires_approval=True))
    pending = team.book(team.monday + DAY, approval, in_room=False)
    path, everything = team.feed("link"), team.feed("organization")
    for each in (booking, pending):
        team.server.run(take_step(team.workspace.ports, each.id, "cancel", SYSTEM))
    assert team.events(path)[booking.uid]["STATUS"] == "CANCELLED"
    assert pending.uid not in team.events(everything)
    team.server.clock.advance(29 * DAY)
    assert booking.uid in team.events(path)
    team.server.clock.advance(2 * DAY)
    assert booking.uid not in team.events(path)


@pytest.mark.parametrize("kind", ["schedule", "busy", "link"])
def test_a_feed_reaches_as_far_as_was_chosen(team: Team, kind: str) -> None:
    for days in (1, 5, 20):
        team.book(team.monday + days * DAY)
    user = team.ana.user
    assert len(team.events(team.feed(kind, user))) == 3
    assert len(team.events(team.feed(kind, user, future_days=5))) == 2
    short = team.feed(kind, user, past_days=2, future_days=5)
    team.server.clock.advance(8 * DAY)
    assert [event.start.timestamp() for event in team.events(short).values()] == []
    team.server.clock.advance(10 * DAY)
    assert [event.start.timestamp() for event in team.events(short).values()] == [team.monday + 20 * DAY]


@pytest.mark.parametrize("kind", ["schedule", "busy", "link"])
def test_reminders_are_as_was_chosen(team: Team, kind: str) -> None:
    booking, gone = team.book(team.monday + DAY), team.book(team.monday + 2 * DAY)
    team.server.run(take_step(team.workspace.ports, gone.id, "cancel", SYSTEM))
    for minutes in ((), (10, 1440)):
        path = team.feed(kind, team.ana.user, alarms=minutes)
        shown = {event["STATUS"]: event for event in team.events(path).values()}
        triggers = [str(alarm["TRIGGER"].to_ical().decode()) for alarm in shown["CONFIRMED"].walk("VALARM")]
        assert triggers == [{10: "-PT10M", 1440: "-P1D"}.get(each, "") for each in minutes]
        assert not shown["CANCELLED"].walk("VALARM")
    usual = {event.start.timestamp(): event for event in team.events(team.feed(kind, team.ana.user)).values()}
    assert len(usual[booking.start].walk("VALARM")) == (kind == "schedule")


@pytest.mark.parametrize("kind", FEED_KINDS)
def test_a_feed_that_is_changed_is_read_anew_at_its_address(team: Team, kind: str) -> None:
    """By its tag and by its date; even when it is changed twice in one second."""
    booking = team.book(team.monday + DAY)
    user = team.ana.user if kind in {"schedule", "busy"} else team.admin
    path = team.feed(kind, user)
    team.server.clock.advance(120)
    tags = [team.get(path).headers["ETag"]]
    date = team.get(path).headers["Last-Modified"]
    assert team.get(path, If_Modified_Since=date).status_code == 304
    feed_id = max(each.id for each in team.server.run(feeds_of(team, user)))
    for alarms in ((10,), (10, 1440)):
        options = FeedOptions.checked(alarms=alarms)
        team.server.run(change_feed(team.workspace.ports, user, feed_id, always(options), "Renamed"))
        answer = team.get(path, If_None_Match=tags[-1])
        assert answer.status_code == 200
        tags.append(answer.headers["ETag"])
        event = next(each for each in team.events(path).values() if each.start.timestamp() == booking.start)
        assert len(event.walk("VALARM")) == len(alarms)
    assert team.get(path, If_Modified_Since=date).status_code == 200
    assert team.get(path, If_None_Match=tags[-1]).status_code == 304
    assert len(set(tags)) == 3
    name = icalendar.Calendar.from_ical(team.get(path).content)["X-WR-CALNAME"]
    assert (str(name) == "Renamed") == (kind != "schedule")


def always(options: FeedOptions) -> Callable[[FeedOptions], FeedOptions]:
    return lambda _: options


async def feeds_of(team: Team, user: User) -> list[Feed]:
    async with team.workspace.ports.read() as work:
        return await work.tokens.feeds(user.id)


@pytest.mark.parametrize(
    "chosen",
    [{"past_days": -1}, {"past_days": 731}, {"future_days": 0}, {"future_days": 731}, {"alarms": [-1]},
     {"alarms": [40321]}, {"alarms": [1, 2, 3, 4, 5, 6]}],
)  # fmt: skip
def test_options_have_bounds(chosen: dict[str, Any]) -> None:
    with pytest.raises(Invalid) as refused:
        FeedOptions.checked(**chosen)
    assert [refused.value.errors[0].field] == list(chosen)


@pytest.mark.parametrize("kind", ["schedule", "link"])
def test_an_online_meeting_can_be_joined_from_the_event(team: Team, kind: str) -> None:
    slug, address = f"online-{new_id()[-12:]}", "https://meet.example.com/a;b,c"
    location = Location("link", address)
    team.link = team.server.run(team.workspace.link(slug, team.ana.user, location=location))
    team.book(team.monday + DAY, in_room=False)
    text = team.get(team.feed(kind, team.ana.user)).text.replace("\r\n ", "")
    assert f"\r\nCONFERENCE;VALUE=URI;FEATURE=AUDIO,VIDEO;LABEL=Join:{address}\r\n" in text


@pytest.mark.parametrize("kind", FEED_KINDS)
def test_every_kind_is_what_subscribers_insist_on(team: Team, kind: str) -> None:
    """What shared runners check of a published calendar, line by line."""
    booking = team.book(team.monday + DAY)
    team.move(booking, team.monday + 3 * DAY)
    cancelled = team.book(team.monday + 2 * DAY)
    team.server.run(take_step(team.workspace.ports, cancelled.id, "cancel", SYSTEM))
    own = kind in {"schedule", "busy"}
    path = team.feed(kind, team.ana.user if own else None)
    full, head = team.get(path), team.get(path, "HEAD")
    assert full.headers["Content-Type"] == head.headers["Content-Type"] == "text/calendar; charset=utf-8"
    assert (head.status_code, head.content, head.headers["ETag"]) == (200, b"", full.headers["ETag"])
    assert team.get(path).headers["ETag"] == full.headers["ETag"]
    assert team.get(path, If_None_Match=full.headers["ETag"]).status_code == 304
    assert team.get(path, "PUT").status_code == 405
    assert "private" in full.headers["Cache-Control"]
    assert ".ics" in full.headers["Content-Disposition"]
    assert team.get(path, Accept_Encoding="gzip").headers["Content-Encoding"] == "gzip"
    assert b"\n" not in full.content.replace(b"\r\n", b"")
    assert max(len(line) for line in full.content.split(b"\r\n")) <= 75
    lines = full.text.replace("\r\n ", "").split("\r\n")
    assert lines.count("BEGIN:VCALENDAR") == lines.count("VERSION:2.0") == 1
    for name in ("PRODID", "NAME", "X-WR-CALNAME", "X-WR-CALDESC", "X-WR-TIMEZONE", "COLOR", "CALSCALE",
                 "REFRESH-INTERVAL;VALUE=DURATION", "X-PUBLISHED-TTL", "X-APPLE-CALENDAR-COLOR"):  # fmt: skip
        assert sum(line.startswith(name + ":") for line in lines) == 1, name
    assert not any(line.startswith("METHOD") for line in lines)
    used = set(re.findall(r";TZID=([^:;]+)", full.text.replace("\r\n ", "")))
    assert used <= {line.removeprefix("TZID:") for line in lines if line.startswith("TZID:")}
    events = by_uid(full)
    assert len(events) >= 2
    for event in events.values():
        assert {"UID", "DTSTAMP", "LAST-MODIFIED", "SEQUENCE", "STATUS"} <= set(event)


def test_what_somebody_noted_on_their_phone_is_in_their_own_feed_alone(team: Team) -> None:
    team.book(team.monday + DAY, in_room=False)
    listing = team.ana.dav("PROPFIND", team.ana.schedule, "<D:propfind><D:prop><D:getetag/></D:prop></D:propfind>", "1")
    [path] = [href for href in listing.hrefs if href.endswith(".ics")]
    text = team.ana.request("GET", path).text
    noted = text.replace("END:VEVENT", "COMMENT:Ask about the boat\r\nEND:VEVENT")
    assert team.ana.request("PUT", path, noted, Content_Type="text/calendar").status_code in {200, 204}
    assert "boat" in team.get(team.feed("schedule", team.ana.user)).text
    for kind in ("link", "organization"):
        assert "boat" not in team.get(team.feed(kind)).text
    assert "boat" not in team.get(team.feed("schedule", team.ben.user)).text


@pytest.mark.requires("shared")
@pytest.mark.parametrize("kind", FEED_KINDS)
def test_the_shared_runner_finds_nothing_to_mend(dav_servers: Callable[[str], DavServer], kind: str) -> None:
    """vdirsyncer, icalendar and vobject among its checks."""
    team = Team(dav_servers("sqlite"))
    team.book(team.monday + DAY)
    team.server.clock.advance(120)  # a date says nothing of this very moment
    path = team.feed(kind, team.ana.user if kind in {"schedule", "busy"} else None)
    runner = shared_folder() / "conformance" / "ics_feed.py"
    command = [sys.executable, str(runner), team.server.url + path, "--venv-vds", sys.prefix]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "hint-" not in done.stdout, done.stdout
