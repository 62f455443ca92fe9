"""What is stored comes back as it was put: unknown properties, alarms, zones, several components of one UID."""

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.caldav.test_calendar_data import lines
from tests.support.dav_server import Person
from tests.support.mutation import corpus
from tests.switches import examples

NAMES = st.sampled_from(["SUMMARY", "DESCRIPTION", "X-MINE", "x-lower", "COMMENT", "LOCATION", "RELATED-TO", "CONTACT"])
PARAMETERS = st.sampled_from(["", ";X-P=a", ';CN="a;b:c"', ";LANGUAGE=de", ";X-Q=^'q^'"])
VALUES = st.text(st.characters(exclude_categories=("Cc", "Cs", "Cn", "Zl", "Zp")), max_size=200)
ZONE = (
    "BEGIN:VTIMEZONE\r\nTZID:Mine\r\nX-LIC-LOCATION:Mine\r\nBEGIN:STANDARD\r\nDTSTART:19700101T000000\r\n"
    "TZOFFSETFROM:+0300\r\nTZOFFSETTO:+0300\r\nEND:STANDARD\r\nEND:VTIMEZONE\r\n"
)
ALARM = "BEGIN:VALARM\r\nACTION:DISPLAY\r\nDESCRIPTION:x\r\nTRIGGER:-PT5M\r\nX-WR-ALARMUID:1\r\nEND:VALARM\r\n"


@st.composite
def objects(draw: st.DrawFn) -> str:
    """A series with an override, or a task, in a zone of its own, with properties nobody here knows."""

    def own() -> str:
        pairs = draw(st.lists(st.tuples(NAMES, PARAMETERS, VALUES), max_size=4))
        return "".join(folded(f"{name}{parameters}:{value}") for name, parameters, value in pairs)

    def folded(line: str) -> str:
        at = draw(st.integers(1, len(line)))
        return f"{line}\r\n" if at == len(line) else f"{line[:at]}\r\n {line[at:]}\r\n"

    kind = draw(st.sampled_from(["VEVENT", "VTODO"]))
    alarm = draw(st.sampled_from(["", ALARM]))
    head = "UID:a\r\nDTSTAMP:20270101T000000Z\r\n"
    series = f"{head}DTSTART;TZID=Mine:20270301T090000\r\nRRULE:FREQ=DAILY\r\n{own()}{alarm}"
    changed = f"{head}RECURRENCE-ID;TZID=Mine:20270302T090000\r\nDTSTART;TZID=Mine:20270302T100000\r\n{own()}"
    parts = "".join(f"BEGIN:{kind}\r\n{each}END:{kind}\r\n" for each in (series, changed))
    return f"BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//x//EN\r\nX-WR-CALNAME:x\r\n{ZONE}{parts}END:VCALENDAR\r\n"


@settings(max_examples=examples(25), suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(text=objects())
def test_objects_come_back_byte_for_byte(ana: Person, text: str) -> None:
    put = ana.put("a.ics", text)
    assert put.status_code in {201, 204}, put.text
    got = ana.request("GET", ana.personal + "a.ics")
    assert got.content == text.encode()
    assert got.headers["ETag"] == put.headers["ETag"]
    body = "<C:calendar-multiget><D:prop><C:calendar-data/></D:prop><D:href>{}</D:href></C:calendar-multiget>"
    href = ana.personal + "a.ics"
    assert ana.dav("REPORT", ana.personal, body.format(href)).text(href, "C:calendar-data") == text


def test_the_objects_of_the_corpus_that_are_taken_come_back(lite: Person) -> None:
    taken = 0
    for number, text in enumerate(corpus("calendars")):
        own = text.replace(b"UID:corpus", b"UID:c%d" % number)
        if lite.request("PUT", f"{lite.personal}{number}.ics", own).status_code == 201:
            taken += 1
            assert lite.request("GET", f"{lite.personal}{number}.ics").content == own
    assert taken >= 6


def test_an_object_without_its_zone_or_alarms_loses_nothing_else(lite: Person) -> None:
    text = corpus("calendars")[[b"Customized" in each for each in corpus("calendars")].index(True)].decode()
    assert lite.put("a.ics", text).status_code == 201
    body = (
        '<C:calendar-multiget><D:prop><C:calendar-data><C:comp name="VCALENDAR"><C:allprop/><C:comp name="VEVENT">'
        f"<C:allprop/></C:comp></C:comp></C:calendar-data></D:prop><D:href>{lite.personal}a.ics</D:href>"
        "</C:calendar-multiget>"
    )
    part = lite.dav("REPORT", lite.personal, body).text(lite.personal + "a.ics", "C:calendar-data") or ""
    assert "VTIMEZONE" not in part and "VALARM" not in part
    events = text.partition("END:VTIMEZONE")[2]
    for name in ("UID", "RRULE", "EXDATE", "RDATE", "RECURRENCE-ID", "STATUS"):
        assert lines(part, name) == lines(events, name)
