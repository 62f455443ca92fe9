"""What a booking is refused for, by the contract's codes, and nothing is written."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import httpx
import pytest

from app.use_cases import manage_links
from app.use_cases.book_slot import book_slot
from tests.http.api import Api, code_of
from tests.http.endpoints import booking_body
from tests.http.workspace import NOW, Company, at, moment, request_at
from tests.support.prepared import snapshot

pytestmark = pytest.mark.anyio


@dataclass(frozen=True, slots=True)
class Tokens:
    """One-time links in every state."""

    used: str
    revoked: str
    expired: str
    picked: str
    switched_off: str


@pytest.fixture(scope="module")
async def tokens(shared_api: Api) -> Tokens:
    ports, acme = shared_api.app.state.ports, shared_api.acme

    async def one_time(slots: list[tuple[int, int]], expires_at: int | None = None) -> Any:
        return await manage_links.create_one_time(
            ports, acme.owner.user, acme.link.id, recipient_email=None, slots=slots, expires_at=expires_at
        )

    used, revoked, expired = await one_time([]), await one_time([]), await one_time([], NOW + 60)
    picked = await one_time([(at(10, 20), 45)])
    await book_slot(ports, used.token, request_at(at(5, 10)))
    await manage_links.revoke_one_time(ports, acme.owner.user, revoked.id)
    off = await manage_links.create_link(ports, acme.owner.user, {"title": "Off", "is_active": False})
    shared_api.clock.now = NOW + 120
    return Tokens(used.token, revoked.token, expired.token, picked.token, f"acme.{off.slug}")


def _start(instant: int) -> dict[str, Any]:
    return {"start": moment(instant)}


NEVER: dict[str, dict[str, Any]] = {
    "in the past": _start(NOW - 86400),
    "now": _start(NOW + 120),
    "under the notice": _start(at(1, 7, 30)),
    "off the step": _start(at(3, 10, 10)),
    "with seconds": {"start": "2027-03-03T09:00:01Z"},
    "before the hours": _start(at(3, 8)),
    "running out of the hours": {"start": moment(at(3, 16, 30)), "duration": 60},
    "on a Sunday": _start(at(7, 10)),
    "behind the horizon": _start(at(3, 10, month=6)),
    "in another century": {"start": "2127-03-03T09:00:00Z"},
    "a length not offered": {"duration": 45},
    "without a required answer": {"answers": {}},
    "with a blank required answer": {"answers": {"topic": "  "}},
    "an answer of another type": {"answers": {"topic": 5}},
    "an option there is not": {"answers": {"topic": "x", "size": "huge"}},
    "a number that is none": {"answers": {"topic": "x", "count": "many"}},
    "an unknown question": {"answers": {"topic": "x", "shoe_size": "44"}},
    "too long an answer": {"answers": {"topic": "x" * 501}},
    "an unknown zone": {"timezone": "Mars/Base"},
    "a blank name": {"name": "   "},
    "too many guests": {"guests": [f"guest{number}@example.org" for number in range(21)]},
}


async def book(api: Api, token: str, **changes: Any) -> httpx.Response:
    return await api.post(f"/public/{token}/book", json={**booking_body(api.acme), **changes})


@pytest.mark.parametrize("changes", NEVER.values(), ids=NEVER.keys())
async def test_what_the_rules_never_offer_is_400(shared_api: Api, changes: dict[str, Any]) -> None:
    before = await snapshot(shared_api.database)
    answer = await book(shared_api, "acme.intro", **changes)
    assert (answer.status_code, code_of(answer)) == (400, "VALIDATION_ERROR"), answer.text
    assert answer.json()["errors"][0]["field"].partition(".")[0] in {*changes, "start"}
    assert await snapshot(shared_api.database) == before


async def test_time_off_is_taken_not_never(shared_api: Api) -> None:
    """Rules offer the Monday; the owner is away."""
    answer = await book(shared_api, "acme.intro", **_start(at(8, 10)))
    assert (answer.status_code, code_of(answer)) == (409, "BOOKING_CONFLICT")


async def test_a_taken_time_comes_with_the_nearest_free_ones(shared_api: Api) -> None:
    before = await snapshot(shared_api.database)
    answer = await book(shared_api, "acme.intro", **_start(at(2, 10)))
    assert (answer.status_code, code_of(answer)) == (409, "BOOKING_CONFLICT")
    alternatives = answer.json()["alternatives"]
    assert alternatives
    assert alternatives == sorted(alternatives)
    assert all(alternative.endswith("+01:00") for alternative in alternatives), "in the recipient's zone"
    assert await snapshot(shared_api.database) == before
    for alternative in alternatives:
        query = {"from": alternative[:10], "to": alternative[:10], "duration": "30", "timezone": "Europe/Berlin"}
        days = (await shared_api.get("/public/acme.intro/availability", params=query)).json()["days"]
        assert alternative in [slot["start"] for day in days for slot in day["slots"]]


GONE: dict[str, tuple[Callable[[Tokens], str], str]] = {
    "used": (lambda tokens: tokens.used, "LINK_USED"),
    "revoked": (lambda tokens: tokens.revoked, "LINK_INACTIVE"),
    "expired": (lambda tokens: tokens.expired, "LINK_EXPIRED"),
    "switched off": (lambda tokens: tokens.switched_off, "LINK_INACTIVE"),
}


@pytest.mark.parametrize(("token_of", "code"), GONE.values(), ids=GONE.keys())
async def test_a_link_that_is_over_is_410(
    shared_api: Api, tokens: Tokens, token_of: Callable[[Tokens], str], code: str
) -> None:
    token = token_of(tokens)
    before = await snapshot(shared_api.database)
    query = {"from": "2027-03-02", "to": "2027-03-03", "duration": "30", "timezone": "Europe/Berlin"}
    for answer in (
        await shared_api.get(f"/public/{token}"),
        await shared_api.get(f"/public/{token}/availability", params=query),
        await book(shared_api, token),
    ):
        assert (answer.status_code, code_of(answer)) == (410, code), answer.text
    assert await snapshot(shared_api.database) == before


async def test_a_time_that_was_not_picked_is_400(shared_api: Api, tokens: Tokens) -> None:
    before = await snapshot(shared_api.database)
    for changes in ({}, {"duration": 45}, {**_start(at(10, 20)), "duration": 30}):
        answer = await book(shared_api, tokens.picked, **changes)
        assert (answer.status_code, code_of(answer)) == (400, "VALIDATION_ERROR"), answer.text
    assert await snapshot(shared_api.database) == before


MOVES: dict[str, tuple[dict[str, Any], int, str]] = {
    "to the past": (_start(NOW - 3600), 400, "VALIDATION_ERROR"),
    "off the step": (_start(at(3, 10, 5)), 400, "VALIDATION_ERROR"),
    "out of the hours": (_start(at(3, 20)), 400, "VALIDATION_ERROR"),
    "to a length not offered": ({**_start(at(3, 10)), "duration": 45}, 400, "VALIDATION_ERROR"),
    "to a host of another link": ({**_start(at(3, 10)), "host": "colleague"}, 400, "VALIDATION_ERROR"),
    "to a host of another company": ({**_start(at(3, 10)), "host": "stranger"}, 400, "VALIDATION_ERROR"),
    "onto another booking": (_start(at(2, 14)), 409, "BOOKING_CONFLICT"),
}


@pytest.mark.parametrize("public", [False, True], ids=["staff", "recipient"])
@pytest.mark.parametrize(("body", "status", "code"), MOVES.values(), ids=MOVES.keys())
async def test_a_booking_is_not_moved(
    shared_api: Api, body: dict[str, Any], status: int, code: str, public: bool
) -> None:
    acme, before = shared_api.acme, await snapshot(shared_api.database)
    hosts = {"colleague": acme.colleague.id, "stranger": shared_api.umbrella.owner.id}
    sent = {**body, **({"host": hosts[body["host"]]} if "host" in body else {})}
    path = f"/public/bookings/{acme.booking.token}" if public else f"/bookings/{acme.booking.id}"
    answer = await shared_api.post(f"{path}/reschedule", None if public else acme.owner, json=sent)
    assert (answer.status_code, code_of(answer)) == (status, code), answer.text
    assert await snapshot(shared_api.database) == before


FOREIGN: dict[str, tuple[str, str, Callable[[Company], dict[str, Any]]]] = {
    "a schedule": ("POST", "/links", lambda other: {"title": "T", "schedule_id": other.schedule.id}),
    "a template": ("POST", "/links", lambda other: {"title": "T", "template_id": other.template.id}),
    "a schedule, later": ("PATCH", "/links/own", lambda other: {"schedule_id": other.schedule.id}),
    "a template, later": ("PATCH", "/links/own", lambda other: {"template_id": other.template.id}),
}


@pytest.mark.parametrize(("method", "path", "body_of"), FOREIGN.values(), ids=FOREIGN.keys())
async def test_a_link_takes_nothing_of_another_company(
    shared_api: Api, method: str, path: str, body_of: Callable[[Company], dict[str, Any]]
) -> None:
    acme, before = shared_api.acme, await snapshot(shared_api.database)
    body = body_of(shared_api.umbrella)
    answer = await shared_api.call(method, path.replace("own", acme.link.id), acme.owner, json=body)
    assert (answer.status_code, code_of(answer)) == (400, "VALIDATION_ERROR"), answer.text
    unknown = {name: "01a1f972-f9c2-735d-bb9d-a624fee82fc9" if name != "title" else "T" for name in body}
    same = await shared_api.call(method, path.replace("own", acme.link.id), acme.owner, json=unknown)
    assert same.json() == answer.json(), "unknown and foreign are told alike"
    assert await snapshot(shared_api.database) == before


async def test_a_link_takes_no_schedule_of_a_colleague(shared_api: Api) -> None:
    acme, before = shared_api.acme, await snapshot(shared_api.database)
    answer = await shared_api.post("/links", acme.colleague, json={"title": "T", "schedule_id": acme.schedule.id})
    assert (answer.status_code, code_of(answer)) == (400, "VALIDATION_ERROR")
    assert await snapshot(shared_api.database) == before


REFUSED: dict[str, tuple[str, str, dict[str, Any]]] = {
    "no durations": ("PATCH", "/links/{link}", {"durations": []}),
    "a duration twice": ("PATCH", "/links/{link}", {"durations": [30, 30]}),
    "a duration of a day and a minute": ("PATCH", "/links/{link}", {"durations": [1441]}),
    "21 durations": ("PATCH", "/links/{link}", {"durations": list(range(1, 22))}),
    "dates the wrong way round": ("PATCH", "/links/{link}", {"date_range": {"from": "2027-03-02", "to": "2027-03-01"}}),
    "a date that is none": ("PATCH", "/links/{link}", {"date_range": {"from": "2027-02-30", "to": "2027-03-01"}}),
    "half a date range": ("PATCH", "/links/{link}", {"date_range": {"from": "2027-03-01"}}),
    "a meeting link that is none": ("PATCH", "/links/{link}", {"location": {"kind": "link", "value": "javascript:x"}}),
    "a location of no kind": ("PATCH", "/links/{link}", {"location": {"kind": "moon", "value": "x"}}),
    "an upper-case slug": ("PATCH", "/links/{link}", {"slug": "Intro"}),
    "a slug with a dot": ("PATCH", "/links/{link}", {"slug": "in.tro"}),
    "a blank title": ("PATCH", "/links/{link}", {"title": "  "}),
    "an owner of one's choice": ("PATCH", "/links/{link}", {"owner_id": "x"}),
    "the other way to be single": ("PATCH", "/links/{link}", {"mode": "pool"}),
    "a one-time link that has expired": ("POST", "/links/{link}/one-time", {"expires_at": moment(NOW - 1)}),
    "a picked time in the past": (
        "POST",
        "/links/{link}/one-time",
        {"slots": [{"start": moment(NOW - 3600), "duration": 30}]},
    ),
    "a picked time with seconds": (
        "POST",
        "/links/{link}/one-time",
        {"slots": [{"start": "2027-03-03T09:00:30Z", "duration": 30}]},
    ),
    "a picked time twice": (
        "POST",
        "/links/{link}/one-time",
        {"slots": [{"start": "2027-03-03T09:00:00Z", "duration": 30}] * 2},
    ),
    "201 picked times": (
        "POST",
        "/links/{link}/one-time",
        {"slots": [{"start": moment(at(3, 10) + 60 * number), "duration": 30} for number in range(201)]},
    ),
    "a choice without options": (
        "POST",
        "/templates",
        {"name": "T", "questions": [{"id": "a", "label": "A", "kind": "choice"}]},
    ),
    "two questions of one id": ("POST", "/templates", {"name": "T", "questions": [{"id": "a", "label": "A"}] * 2}),
    "a question without a label": ("POST", "/templates", {"name": "T", "questions": [{"id": "a", "label": " "}]}),
    "a question of no kind": (
        "POST",
        "/templates",
        {"name": "T", "questions": [{"id": "a", "label": "A", "kind": "x"}]},
    ),
    "an empty follow-up": ("POST", "/templates", {"name": "T", "email_followup_enabled": True}),
    "51 questions": (
        "POST",
        "/templates",
        {"name": "T", "questions": [{"id": f"q{n}", "label": "Q"} for n in range(51)]},
    ),
    "an hour there is not": (
        "POST",
        "/schedules",
        {"name": "S", "timezone": "UTC", "weekly": {"mon": [["25:00", "26:00"]]}},
    ),
    "a range of one": ("POST", "/schedules", {"name": "S", "timezone": "UTC", "weekly": {"mon": [["09:00"]]}}),
    "a range from 24:00": (
        "POST",
        "/schedules",
        {"name": "S", "timezone": "UTC", "weekly": {"mon": [["24:00", "01:00"]]}},
    ),
    "an eighth day": ("POST", "/schedules", {"name": "S", "timezone": "UTC", "weekly": {"day": []}}),
    "25 ranges": ("POST", "/schedules", {"name": "S", "timezone": "UTC", "weekly": {"mon": [["09:00", "10:00"]] * 25}}),
    "two overrides of a date": (
        "POST",
        "/schedules",
        {"name": "S", "timezone": "UTC", "overrides": [{"date": "2027-03-02", "ranges": []}] * 2},
    ),
    "an override of no date": (
        "POST",
        "/schedules",
        {"name": "S", "timezone": "UTC", "overrides": [{"date": "2027-02-30"}]},
    ),
    "an exclusion the wrong way round": (
        "POST",
        "/schedules",
        {"name": "S", "timezone": "UTC", "exclusions": [{"from": "2027-03-02", "to": "2027-03-01"}]},
    ),
    "a country of no holidays": ("POST", "/schedules", {"name": "S", "timezone": "UTC", "holiday_country": "XX"}),
    "no default schedule": ("PATCH", "/schedules/{default}", {"is_default": False}),
    "time off that ends first": (
        "POST",
        "/employees/{owner}/time-off",
        {"start": moment(at(3, 10)), "end": moment(at(3, 9))},
    ),
    "six years off": (
        "POST",
        "/employees/{owner}/time-off",
        {"start": "2027-03-01T00:00:00Z", "end": "2033-03-02T00:00:00Z"},
    ),
}


@pytest.mark.parametrize(("method", "path", "body"), REFUSED.values(), ids=REFUSED.keys())
async def test_what_cannot_be_kept_is_400(shared_api: Api, method: str, path: str, body: dict[str, Any]) -> None:
    acme, before = shared_api.acme, await snapshot(shared_api.database)
    schedules = (await shared_api.get("/schedules", acme.owner)).json()["items"]
    default = next(schedule["id"] for schedule in schedules if schedule["is_default"])
    answer = await shared_api.call(
        method, path.format(link=acme.link.id, owner=acme.owner.id, default=default), acme.owner, json=body
    )
    assert (answer.status_code, code_of(answer)) == (400, "VALIDATION_ERROR"), answer.text
    assert answer.json()["errors"]
    assert await snapshot(shared_api.database) == before


TAKEN: dict[str, tuple[str, str, dict[str, Any]]] = {
    "a slug, made": ("POST", "/links", {"title": "T", "slug": "intro"}),
    "a slug, changed": ("PATCH", "/links/{approval}", {"slug": "intro"}),
    "the default schedule": ("DELETE", "/schedules/{default}", {}),
}


@pytest.mark.parametrize(("method", "path", "body"), TAKEN.values(), ids=TAKEN.keys())
async def test_what_is_in_use_is_409(shared_api: Api, method: str, path: str, body: dict[str, Any]) -> None:
    acme, before = shared_api.acme, await snapshot(shared_api.database)
    schedules = (await shared_api.get("/schedules", acme.owner)).json()["items"]
    default = next(schedule["id"] for schedule in schedules if schedule["is_default"])
    address = path.format(approval=acme.approval_link.id, default=default)
    answer = await shared_api.call(method, address, acme.owner, **({"json": body} if body else {}))
    assert (answer.status_code, code_of(answer)) == (409, "ALREADY_EXISTS"), answer.text
    assert await snapshot(shared_api.database) == before


NOT_NOW = ("confirm", "cancel", "start", "complete", "no-show")


async def test_a_step_that_the_state_forbids_is_422(api: Api) -> None:
    """A cancelled booking takes no step, and cannot be moved; by nobody."""
    acme = api.acme
    await api.post(f"/bookings/{acme.booking.id}/cancel", acme.owner)
    before = await snapshot(api.database)
    for step in NOT_NOW:
        answer = await api.post(f"/bookings/{acme.booking.id}/{step}", acme.owner)
        assert (answer.status_code, code_of(answer)) == (422, "BOOKING_NOT_MODIFIABLE"), answer.text
    move = {"start": moment(at(3, 10))}
    for path, who in ((f"/bookings/{acme.booking.id}", acme.owner), (f"/public/bookings/{acme.booking.token}", None)):
        answer = await api.post(f"{path}/reschedule", who, json=move)
        assert (answer.status_code, code_of(answer)) == (422, "BOOKING_NOT_MODIFIABLE"), answer.text
    again = await api.post(f"/public/bookings/{acme.booking.token}/cancel")
    assert (again.status_code, code_of(again)) == (422, "BOOKING_NOT_MODIFIABLE")
    assert await snapshot(api.database) == before


@pytest.mark.parametrize("step", ["start", "complete", "no-show"])
async def test_a_step_that_comes_too_early_is_422(api: Api, step: str) -> None:
    before = await snapshot(api.database)
    answer = await api.post(f"/bookings/{api.acme.booking.id}/{step}", api.acme.owner)
    assert (answer.status_code, code_of(answer)) == (422, "BOOKING_NOT_MODIFIABLE"), answer.text
    assert await snapshot(api.database) == before


async def test_what_has_been_over_for_a_day_is_not_confirmed_again(api: Api) -> None:
    acme = api.acme
    api.clock.now = acme.booking.start
    await api.post(f"/bookings/{acme.booking.id}/complete", acme.owner)
    api.clock.now = acme.booking.end + 24 * 3600 + 1
    answer = await api.post(f"/bookings/{acme.booking.id}/confirm", acme.owner)
    assert (answer.status_code, code_of(answer)) == (422, "BOOKING_NOT_MODIFIABLE"), answer.text


async def test_a_recipient_changes_nothing_that_is_over(api: Api) -> None:
    api.clock.now = at(2, 12)
    before = await snapshot(api.database)
    path = f"/public/bookings/{api.acme.booking.token}"
    for answer in (
        await api.post(f"{path}/cancel"),
        await api.post(f"{path}/reschedule", json={"start": moment(at(3, 10))}),
    ):
        assert (answer.status_code, code_of(answer)) == (422, "BOOKING_NOT_MODIFIABLE"), answer.text
    assert await snapshot(api.database) == before


async def test_a_calendar_nobody_could_read_is_503(api: Api) -> None:
    """Neither the first copy nor anything since: the host cannot be judged, and is not offered."""
    async with api.app.state.ports.unit_of_work() as work:
        await work.calendars.update_calendar(api.acme.calendar.id, is_conflict=True, synced_at=NOW - 25 * 3600)
        await work.commit()
    before = await snapshot(api.database)
    query = {"from": "2027-03-02", "to": "2027-03-03", "duration": "30", "timezone": "Europe/Berlin"}
    for answer in (await api.get("/public/acme.intro/availability", params=query), await book(api, "acme.intro")):
        assert (answer.status_code, code_of(answer)) == (503, "CALENDAR_UNAVAILABLE"), answer.text
        assert int(answer.headers["retry-after"]) > 0
    # The calendar was asked once more, and that it did not answer is told; nothing was booked.
    after = await snapshot(api.database)
    changed = {table for table in before if before[table] != after[table]}
    assert changed <= {"calendars", "calendar_accounts", "outbox"}
