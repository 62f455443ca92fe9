"""POST to the scheduling outbox: free/busy lookups (RFC 6638 §5)."""

from __future__ import annotations

from app.domain.content_lines import Component, read_calendar
from app.domain.errors import Invalid
from app.domain.scheduling.addresses import address_key, keys_of
from app.domain.scheduling.free_busy import read_question
from app.use_cases.answer_free_busy import PersonAnswer, answer_free_busy
from app.use_cases.calendar_objects import MAX_BYTES, storable
from calendar_feeds.caldav.exchange import Exchange
from calendar_feeds.caldav.xml import CALDAV, DAV, PROLOGUE, hrefs, text
from calendar_feeds.messages import Answer, Refusal


async def look_up(exchange: Exchange) -> Answer:
    """A C:schedule-response with each person's busy times."""
    exchange.need("C:schedule-send-freebusy", "Lookups are sent from one's own outbox.")
    kind = (exchange.request.header("content-type") or "text/calendar").partition(";")[0].strip().lower()
    if kind != "text/calendar":
        raise Refusal(403, "<C:supported-calendar-data/>", "Lookups are text/calendar.")
    body = await exchange.request.body(MAX_BYTES)
    if body is None:
        raise Refusal(403, "<C:max-resource-size/>", f"A lookup may have {MAX_BYTES} bytes.")
    calendar = _calendar(body)
    try:
        question = read_question(calendar, exchange.owner.timezone)
    except Invalid as invalid:
        raise Refusal(403, "<C:valid-scheduling-message/>", invalid.detail) from invalid
    owner = exchange.owner
    if address_key(question.organizer.value) not in keys_of(owner.id, owner.email, owner.handle):
        raise Refusal(403, "<C:organizer-allowed/>", "The organizer of a lookup is whose outbox it is.")
    answers = await answer_free_busy(exchange.ports, owner.org_id, question)
    inner = "".join(_response(each) for each in answers)
    declared = f'xmlns:D="{DAV}" xmlns:C="{CALDAV}"'
    return Answer(200, f"{PROLOGUE}<C:schedule-response {declared}>{inner}</C:schedule-response>".encode())


def _calendar(body: bytes) -> Component:
    """What is no iCalendar at all breaks another precondition than what is no lookup."""
    try:
        return read_calendar(storable(body.decode()))
    except UnicodeDecodeError as error:
        raise Refusal(403, "<C:valid-calendar-data/>", "The data is not UTF-8.") from error
    except Invalid as invalid:
        raise Refusal(403, "<C:valid-calendar-data/>", invalid.detail) from invalid


def _response(answer: PersonAnswer) -> str:
    data = "" if answer.text is None else f"<C:calendar-data>{text(answer.text)}</C:calendar-data>"
    return (
        f"<C:response><C:recipient>{hrefs(answer.recipient)}</C:recipient>"
        f"<C:request-status>{text(answer.status)}</C:request-status>{data}</C:response>"
    )
