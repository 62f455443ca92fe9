"""Editing iCalendar by its lines: what is not touched stays."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.content_lines import Line, read_calendar
from app.domain.errors import Invalid

ODD = (
    "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nX-ODD;A=\"b:c;d\";e=f,\"g,h\":i:j;k\r\nBEGIN:VEVENT\r\nUID:1\r\n"
    "ATTENDEE;CN=\"Doe, Jane\";PARTSTAT=NEEDS-ACTION:mailto:jane@example.com\r\n"
    "BEGIN:VALARM\r\nTRIGGER:-PT5M\r\nEND:VALARM\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n"
)  # fmt: skip


def test_what_is_read_is_written_the_same() -> None:
    assert read_calendar(ODD).render() == ODD.replace(";e=", ";E=")


def test_a_parameter_changes_and_the_others_stay() -> None:
    [line] = read_calendar(ODD).children[0].every("ATTENDEE")
    assert line.with_param("PARTSTAT", "ACCEPTED").text() == (
        'ATTENDEE;CN="Doe, Jane";PARTSTAT=ACCEPTED:mailto:jane@example.com'
    )
    assert line.with_param("X-NOTE", 'a;b"').param("X-NOTE") == "a;b"
    assert line.without("CN").param("CN") is None


@given(st.text(st.characters(exclude_categories=["Cc", "Cs"], exclude_characters="\u2028\u2029\x85"), max_size=200))
def test_long_lines_of_any_letters_are_folded_and_read_as_one(value: str) -> None:
    calendar = read_calendar("BEGIN:VCALENDAR\r\nEND:VCALENDAR\r\n")
    calendar.lines.append(Line("X-TEXT", (), value))
    written = calendar.render()
    assert all(len(line.encode()) <= 75 for line in written.split("\r\n"))
    assert read_calendar(written).lines[0].value == value


@pytest.mark.parametrize(
    "broken",
    ["", "hello", "BEGIN:VEVENT\r\nEND:VEVENT", "BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\nEND:VCALENDAR", "END:VCALENDAR",
     "BEGIN:VCALENDAR"],
)  # fmt: skip
def test_what_is_no_calendar_is_refused(broken: str) -> None:
    with pytest.raises(Invalid):
        read_calendar(broken)
