"""Working hours in calendar programs: the inbox's calendar-availability (RFC 7953 §7.2.4)."""

from concurrent.futures import ThreadPoolExecutor

from app.domain.availability import read_availability
from app.domain.hours import Schedule
from tests.caldav.invitations import free
from tests.support.clock import at
from tests.support.dav_server import DavServer, Person, declared

PROPERTY = "C:calendar-availability"


def ask(person: Person, prop: str = PROPERTY) -> str:
    body = f"<D:propfind><D:prop><{prop}/></D:prop></D:propfind>"
    found = person.dav("PROPFIND", f"{person.home}inbox/", body)
    return found.text(f"{person.home}inbox/", prop) or ""


def change(person: Person, text: str, more: str = "", prop: str = PROPERTY) -> tuple[int, str]:
    """Set the property: the answer's text and the number of statuses that are not 200."""
    body = f"<D:propertyupdate><D:set><D:prop><{prop}>{text}</{prop}>{more}</D:prop></D:set></D:propertyupdate>"
    answer = person.dav("PROPPATCH", f"{person.home}inbox/", body, depth=None)
    failed = [each for each in answer.all("D:response/D:propstat/D:status") if "200" not in str(each.text)]
    return len(failed), answer.response.text


def hours(person: Person) -> Schedule:
    return read_availability(ask(person), "UTC")


def working_week(ranges: str) -> str:
    start, end = ranges.split("-")
    return "\r\n".join(
        [
            "BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//Apple Inc.//Mac OS X//EN", "BEGIN:VAVAILABILITY", "UID:v",
            "DTSTAMP:20270101T000000Z", "BEGIN:AVAILABLE", "UID:a", "DTSTAMP:20270101T000000Z",
            f"DTSTART;TZID=Europe/Berlin:20270104T{start}00", f"DTEND;TZID=Europe/Berlin:20270104T{end}00",
            "RRULE:FREQ=WEEKLY;BYDAY=MO,TU,WE,TH,FR", "END:AVAILABLE", "END:VAVAILABILITY", "END:VCALENDAR", "",
        ]
    )  # fmt: skip


def test_the_schedule_is_published(ana: Person, server: DavServer) -> None:
    server.run(
        server.workspace.hours(
            ana.user, {"mon": [("09:00", "12:00")]}, exclusions=[{"from": "2027-03-08", "to": "2027-03-12"}]
        )
    )
    assert hours(ana).weekly[0] == ((540, 720),)
    assert hours(ana).weekly[1] == ()
    assert len(hours(ana).exclusions) == 1
    assert ask(ana, "CS:calendar-availability") == ask(ana)
    home = ana.dav("PROPFIND", ana.home, f"<D:propfind><D:prop><{PROPERTY}/></D:prop></D:propfind>", depth="1")
    assert home.found(f"{ana.home}inbox/", PROPERTY) is not None


def test_changing_it_changes_what_is_offered(ana: Person) -> None:
    assert at("2027-03-02 20:00") in free(ana)
    assert change(ana, working_week("0900-1700"))[0] == 0
    offered = free(ana)
    assert min(offered) == at("2027-03-02 09:00", "Europe/Berlin")
    assert max(offered) == at("2027-03-02 16:30", "Europe/Berlin")
    assert hours(ana).timezone == "Europe/Berlin"
    assert change(ana, working_week("1000-1100"), prop="CS:calendar-availability")[0] == 0
    assert hours(ana).weekly[4] == ((600, 660),)


def test_weekly_hours_alone_leave_the_exceptions_and_their_words(ana: Person, server: DavServer) -> None:
    away = [{"from": "2027-03-08", "to": "2027-03-12", "reason": "Skiing"}]

    async def excluded() -> list[dict[str, str]]:
        async with server.workspace.ports.read() as work:
            schedules = await work.scheduling.default_schedules([ana.user.id])
        return [dict(each) for each in schedules[ana.user.id].exclusions]

    server.run(server.workspace.hours(ana.user, {"mon": [("09:00", "12:00")]}, exclusions=away))
    assert change(ana, ask(ana))[0] == 0
    assert server.run(excluded()) == away
    assert change(ana, working_week("0900-1700"))[0] == 0
    assert server.run(excluded()) == away


def test_it_is_in_the_audit_log_as_a_change_of_the_schedule(ana: Person, server: DavServer) -> None:
    change(ana, working_week("0900-1700"))

    async def read() -> list[str]:
        async with server.workspace.ports.read() as work:
            schedule = (await work.scheduling.default_schedules([ana.user.id]))[ana.user.id]
            return [str(each["action"]) for each in await work.audit.of_entity(ana.user.org_id, schedule.id)]

    assert "schedule.changed" in server.run(read())


def test_what_weekly_hours_cannot_tell_is_refused_and_changes_nothing(ana: Person) -> None:
    before = hours(ana)
    failed, answer = change(
        ana, working_week("0900-1700").replace("WEEKLY", "MONTHLY"), more="<A:calendar-order>4</A:calendar-order>"
    )
    assert failed == 2  # one property that cannot makes the other fail too
    assert "valid-calendar-data" in answer
    assert "every week" in answer
    assert change(ana, "This is no calendar.")[0] == 1
    assert hours(ana) == before


def test_a_person_always_has_hours_and_changes_nobody_elses(ana: Person, server: DavServer) -> None:
    body = f"<D:propertyupdate><D:remove><D:prop><{PROPERTY}/></D:prop></D:remove></D:propertyupdate>"
    assert "403 Forbidden" in ana.dav("PROPPATCH", f"{ana.home}inbox/", body, depth=None).response.text
    ben = server.person()
    theirs = ana.request("PROPPATCH", f"{ben.home}inbox/", body, Content_Type="application/xml")
    assert theirs.status_code in {400, 403}


def test_many_devices_that_ask_at_once_are_all_answered(ana: Person) -> None:
    """More than there are connections to the database: nobody who has one waits for another."""
    body = declared(f"<D:propfind><D:prop><{PROPERTY}/></D:prop></D:propfind>")

    def look(_: int) -> int:
        return ana.request("PROPFIND", f"{ana.home}inbox/", body, Depth="0").status_code

    with ThreadPoolExecutor(40) as devices:
        assert set(devices.map(look, range(40))) == {207}
