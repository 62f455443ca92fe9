"""Events of Graph as iCalendar text, and our events as JSON."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.calendar_event import CalendarEvent
from app.domain.errors import Invalid
from app.domain.event_text import clean_text
from app.domain.recurrence import read_object
from integrations.microsoft.events import completed, event_text, generation_after, is_bare, transaction_id, uid_of_event
from integrations.microsoft.writing import changes_to, is_own, new_event, with_uid
from tests.support.clock import at

START = at("2027-03-02 09:00")
WINDOW = (START - 30 * 86400, START + 30 * 86400)
ACCOUNT = "ana@example.com"


def graph_event(**values: Any) -> dict[str, Any]:
    """An event as Graph tells it."""
    return {
        "@odata.etag": 'W/"1"', "id": "AAkA=", "type": "singleInstance", "iCalUId": "0400", "subject": "Call",
        "showAs": "busy", "isAllDay": False, "isCancelled": False, "isOrganizer": True,
        "lastModifiedDateTime": "2027-01-01T10:00:00.1234567Z", "createdDateTime": "2027-01-01T09:00:00Z",
        "start": {"dateTime": "2027-03-02T09:00:00.0000000", "timeZone": "UTC"},
        "end": {"dateTime": "2027-03-02T10:00:00.0000000", "timeZone": "UTC"},
        **values,
    }  # fmt: skip


def booking(**values: Any) -> CalendarEvent:
    """Our event."""
    known = {
        "uid": "b1@example.com", "sequence": 0, "status": "CONFIRMED", "start": START, "end": START + 1800,
        "timezone": "Europe/Berlin", "summary": "Intro", "created": 0, "updated": 0, "description": "Casey",
    }  # fmt: skip
    return CalendarEvent(**{**known, **values})


def read(event: dict[str, Any], timezone: str = "UTC") -> Any:
    """What the mirror makes of it."""
    return read_object(
        event_text(event, ACCOUNT), timezone=timezone, window=WINDOW, self_addresses=frozenset({ACCOUNT})
    )


@given(uid=st.text(min_size=1, max_size=200).filter(lambda text: clean_text(text) == text), gone=st.none() | st.text())
def test_a_uid_comes_back_from_its_transaction_id(uid: str, gone: str | None) -> None:
    transaction = transaction_id(uid, generation_after(gone))
    assert transaction.isascii()
    assert uid_of_event(graph_event(transactionId=transaction)) == uid


def test_parts_of_a_series_have_uids_of_their_own() -> None:
    own = transaction_id("b1", "0")
    assert uid_of_event(graph_event(type="occurrence", transactionId=own)) == "AAkA="
    assert uid_of_event(graph_event(type="exception")) == "AAkA="
    assert uid_of_event(graph_event(type="seriesMaster", transactionId=own)) == "b1"
    assert uid_of_event(graph_event(iCalUId=None, transactionId="somebody else's")) == "AAkA="


@pytest.mark.parametrize(
    "wrong",
    [
        {"dateTime": "2027-03-02T09:00:00.0000000", "timeZone": "Mars Standard Time"},
        {"dateTime": "soon", "timeZone": "UTC"},
        {"timeZone": "UTC"},
        None,
        7,
    ],
)
def test_times_that_cannot_be_read_are_a_problem_and_never_free(wrong: Any) -> None:
    with pytest.raises(Invalid):
        read(graph_event(start=wrong))


@pytest.mark.parametrize("zone", ["Europe/Berlin", "W. Europe Standard Time"])
def test_times_in_a_zone_by_either_name_are_understood(zone: str) -> None:
    event = graph_event(start={"dateTime": "2027-03-02T10:00:00.0000000", "timeZone": zone})
    assert read(event).busy == ((START, START + 3600),)


def test_an_all_day_event_that_fits_no_midnight_counts_by_its_instants() -> None:
    event = graph_event(isAllDay=True, originalStartTimeZone="Customized Time Zone")
    assert read(event).busy == ((START, START + 3600),)


def test_text_of_people_adds_no_line() -> None:
    nasty = "x\r\nTRANSP:TRANSPARENT\nEND:VEVENT\x00\u2028BEGIN:VEVENT"
    event = graph_event(
        subject=nasty,
        body={"contentType": "text", "content": nasty},
        location={"displayName": nasty},
        categories=[nasty],
        iCalUId=nasty,
        organizer={"emailAddress": {"address": f"a@b.c\r\n{nasty}"}},
        attendees=[
            {"emailAddress": {"address": 'x@y.z";X=1:mailto:ana@example.com'}, "status": {"response": "declined"}}
        ],
        isOrganizer=False,
    )
    facts = read(event)
    assert facts.busy == ((START, START + 3600),)
    assert event_text(event, ACCOUNT).count("\r\nBEGIN:VEVENT\r\n") == 1


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(max_size=20),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(sorted(graph_event())), inner),
        max_leaves=8,
    ),
    st.sampled_from(
        sorted(
            {
                *graph_event(),
                "body",
                "location",
                "organizer",
                "responseStatus",
                "seriesMasterId",
                "attendees",
                "categories",
            }
        )
    ),
)
def test_nonsense_never_breaks_the_reader(nonsense: Any, name: str) -> None:
    event = graph_event(**{name: nonsense})
    if isinstance(event["id"], str):
        assert event_text(event, ACCOUNT).endswith("END:VCALENDAR\r\n")


def test_html_is_taken_as_microsofts_preview() -> None:
    event = graph_event(body={"contentType": "html", "content": "<p>Hi</p>"}, bodyPreview="Hi")
    assert "DESCRIPTION:Hi\r\n" in event_text(event, ACCOUNT)


def test_answers_of_attendees_are_told() -> None:
    attendees = [
        {"emailAddress": {"address": "Casey@example.org"}, "status": {"response": response}}
        for response in ("declined", "none", "tentativelyAccepted")
    ]
    text = event_text(graph_event(attendees=attendees), ACCOUNT)
    for answer in ("DECLINED", "NEEDS-ACTION", "TENTATIVE"):
        assert f"ATTENDEE;PARTSTAT={answer}:mailto:casey@example.org\r\n" in text


def test_a_bare_occurrence_takes_the_rest_from_its_master() -> None:
    bare = {name: graph_event()[name] for name in ("id", "start", "end")} | {"type": "occurrence"}
    assert is_bare(bare)
    assert not is_bare(graph_event(type="occurrence"))
    whole = completed(bare, graph_event(id="M", type="seriesMaster", showAs="free", subject="Weekly"))
    assert (whole["id"], whole["type"], whole["subject"], whole["showAs"]) == ("AAkA=", "occurrence", "Weekly", "free")


# writing


def test_a_new_event_says_its_uid_twice_and_its_times_in_utc() -> None:
    body = new_event(booking(alarms=(15,)), "2")
    assert body["transactionId"] == "halfpast:2:b1@example.com"
    assert body["start"] == {"dateTime": "2027-03-02T09:00:00", "timeZone": "UTC"}
    assert (body["isReminderOn"], body["reminderMinutesBeforeStart"]) == (True, 15)
    assert is_own({**graph_event(), **body}, "b1@example.com")
    assert not is_own(graph_event(), "b1@example.com")


def test_an_event_that_is_as_it_should_be_needs_no_change() -> None:
    for event in (booking(), booking(status="TENTATIVE"), booking(description="  Lines \r\n and more ")):
        assert changes_to({**graph_event(), **new_event(event, "0")}, event) == {}


def test_an_event_made_all_day_is_timed_again() -> None:
    current = {**graph_event(), **new_event(booking(), "0"), "isAllDay": True}
    changed = changes_to(current, booking())
    assert changed["isAllDay"] is False
    assert changed["start"] == {"dateTime": "2027-03-02T09:00:00", "timeZone": "UTC"}


def test_a_quote_in_a_uid_stays_in_its_string() -> None:
    assert with_uid("a' or 1 eq '1").endswith("ep/value eq 'a'' or 1 eq ''1')")
