"""iCalendar texts for tests."""

from collections.abc import Sequence


def ics(uid: str = "one@example.com", *lines: str, start: str = "20270301T090000Z", end: str | None = None) -> str:
    """One event from `start`, an hour long or until `end`; `lines` are added to it."""
    last = f"DTEND:{end}" if end else "DURATION:PT1H"
    begin = f"DTSTART{start}" if start[0] in ":;" else f"DTSTART:{start}"
    return calendar([f"UID:{uid}", begin, last if not start.startswith(";VALUE=DATE:") else "DURATION:P1D", *lines])


def calendar(*events: Sequence[str], kind: str = "VEVENT", extra: Sequence[str] = ()) -> str:
    """A VCALENDAR with components of these lines."""
    parts = ["BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//Example//Device//EN", *extra]
    for lines in events:
        parts += [f"BEGIN:{kind}", "DTSTAMP:20270101T000000Z", *lines, f"END:{kind}"]
    return "\r\n".join([*parts, "END:VCALENDAR", ""])
