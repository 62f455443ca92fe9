"""Nothing is visible across organizations, or to those it is none of the business of; route by route, so that a new
route without a row in `endpoints.py` fails here."""

from __future__ import annotations

import re
from typing import Any

import httpx
import pytest
from litestar.routes import HTTPRoute
from sqlalchemy import select

from app.db.models import metadata
from app.use_cases.ids import new_id
from tests.http.api import API, Api, code_of
from tests.http.endpoints import ENDPOINTS, FOR_BROWSERS, Audience, Endpoint
from tests.http.workspace import Company, Member
from tests.support.prepared import snapshot

pytestmark = pytest.mark.anyio

SIGNED_IN = [endpoint for endpoint in ENDPOINTS if endpoint.audience != "public"]
OF_A_THING = [endpoint for endpoint in SIGNED_IN if "{c." in endpoint.address]

DENIED: dict[Audience, dict[str, int]] = {
    # of the same company, that is; whoever is not named here is let in
    "all": {},
    "members": {},
    "links role": {"employee": 403},
    "clients": {"colleague": 404, "employee": 403},
    "owner": {"colleague": 404, "employee": 404},
    "host": {"colleague": 404, "employee": 404},
    "admins": {"owner": 403, "colleague": 403, "employee": 403},
    "self": {"colleague": 404, "employee": 404, "admin": 404},
}
ROLES = ("owner", "colleague", "admin", "employee")


async def test_every_route_is_in_the_table(shared_api: Api) -> None:
    served = {
        (method, re.sub(r":\w+", "", route.path.removeprefix(API)))
        for route in shared_api.app.routes
        if isinstance(route, HTTPRoute) and route.path.startswith(API)
        for method in route.methods - {"OPTIONS"}
    }
    assert served == {(endpoint.method, endpoint.path) for endpoint in ENDPOINTS} | FOR_BROWSERS


async def send(api: Api, endpoint: Endpoint, who: Member | None, company: Company, path: str = "") -> httpx.Response:
    body = {"json": endpoint.body(company)} if endpoint.body else {}
    return await api.call(endpoint.method, path or endpoint.at(company), who, params=dict(endpoint.query), **body)


def without_thing(endpoint: Endpoint) -> str:
    """The endpoint's path with ids that nobody has."""
    return re.sub(r"\{c\.[^}]*\}", lambda _: new_id(), endpoint.address)


@pytest.mark.parametrize("endpoint", SIGNED_IN, ids=str)
async def test_a_stranger_is_401(shared_api: Api, endpoint: Endpoint) -> None:
    """Whether there is such a thing or not; with no credentials, wrong ones, or ones of another kind."""
    before = await snapshot(shared_api.database)
    answers = [
        await send(shared_api, endpoint, None, shared_api.acme, path)
        for path in (endpoint.at(shared_api.acme), without_thing(endpoint))
    ]
    for header in ("Bearer x", "Bearer ", "Basic b3duZXI6c2VjcmV0", "bearer", f"Token {shared_api.acme.owner.token}"):
        answer = await shared_api.call(endpoint.method, endpoint.at(shared_api.acme), headers={"Authorization": header})
        answers.append(answer)
    for answer in answers:
        assert (answer.status_code, code_of(answer)) == (401, "UNAUTHENTICATED"), answer.text
        assert answer.headers["www-authenticate"] == "Bearer"
    assert answers[0].json() == answers[1].json()
    assert await snapshot(shared_api.database) == before


@pytest.mark.parametrize("endpoint", SIGNED_IN, ids=str)
async def test_a_stranger_learns_nothing_from_bad_input_either(shared_api: Api, endpoint: Endpoint) -> None:
    """401 comes before anything of the request is read."""
    answer = await shared_api.call(
        endpoint.method, endpoint.at(shared_api.acme), params={"stauts": "x"}, content=b"{", headers={"If-Match": "x"}
    )
    assert (answer.status_code, code_of(answer)) == (401, "UNAUTHENTICATED")


@pytest.mark.parametrize("endpoint", OF_A_THING, ids=str)
async def test_another_organization_sees_nothing(shared_api: Api, endpoint: Endpoint) -> None:
    """The same answer as for what is not there at all; nothing is written. Roles are judged before things."""
    before = await snapshot(shared_api.database)
    for role in ROLES:
        stranger: Member = getattr(shared_api.umbrella, role)
        answer = await send(shared_api, endpoint, stranger, shared_api.acme)
        expected = 403 if DENIED[endpoint.audience].get(role) == 403 else 404
        assert answer.status_code == expected, f"{role}: {answer.text}"
        if "time_off_id" not in endpoint.path:
            nothing = await send(shared_api, endpoint, stranger, shared_api.acme, without_thing(endpoint))
            assert (answer.status_code, answer.json()) == (nothing.status_code, nothing.json()), role
    assert await snapshot(shared_api.database) == before


@pytest.mark.parametrize("endpoint", OF_A_THING, ids=str)
async def test_colleagues_see_what_is_theirs(shared_api: Api, endpoint: Endpoint) -> None:
    before = await snapshot(shared_api.database)
    for role, expected in DENIED[endpoint.audience].items():
        colleague: Member = getattr(shared_api.acme, role)
        answer = await send(shared_api, endpoint, colleague, shared_api.acme)
        assert answer.status_code == expected, f"{role}: {answer.text}"
        assert code_of(answer) == {403: "FORBIDDEN", 404: "NOT_FOUND"}[expected]
        if expected == 404 and "time_off_id" not in endpoint.path:
            nothing = await send(shared_api, endpoint, colleague, shared_api.acme, without_thing(endpoint))
            assert (answer.status_code, answer.json()) == (nothing.status_code, nothing.json()), role
    assert await snapshot(shared_api.database) == before


@pytest.mark.parametrize("endpoint", [each for each in SIGNED_IN if each not in OF_A_THING], ids=str)
async def test_who_has_not_the_role_is_403(shared_api: Api, endpoint: Endpoint) -> None:
    before = await snapshot(shared_api.database)
    for role, expected in DENIED[endpoint.audience].items():
        answer = await send(shared_api, endpoint, getattr(shared_api.acme, role), shared_api.acme)
        assert answer.status_code == expected, f"{role}: {answer.text}"
    assert await snapshot(shared_api.database) == before


@pytest.mark.parametrize("role", ["owner", "admin"])
async def test_those_who_may_are_let_in(api: Api, role: str) -> None:
    """Every request of the table, in its order, by its owner and by an admin: all succeed but what needs oneself."""
    company = api.acme if role == "owner" else api.umbrella
    for endpoint in ENDPOINTS:
        who = None if endpoint.audience == "public" else getattr(company, role)
        answer = await send(api, endpoint, who, company)
        expected = EXPECTED.get(str(endpoint), {200, 201, 204})
        if role in DENIED.get(endpoint.audience, {}):
            expected = {DENIED[endpoint.audience][role]}
        assert answer.status_code in expected, f"{endpoint}: {answer.text}"


EXPECTED = {
    "POST /calendar-accounts": {502},  # there is no such server
    "POST /bookings/{booking_id}/reassign": {400},  # its link has one host
    # not begun:
    "POST /bookings/{booking_id}/start": {422},
    "POST /bookings/{booking_id}/complete": {422},
    # cancelled a line before:
    "DELETE /bookings/{booking_id}": {422},
    "POST /public/bookings/{token}/cancel": {422},
    "POST /bookings/{booking_id}/no-show": {422},
}


@pytest.mark.parametrize("endpoint", [each for each in ENDPOINTS if each.listed and each.audience != "host"], ids=str)
async def test_lists_hold_nothing_of_others(shared_api: Api, endpoint: Endpoint) -> None:
    """Every id that anybody of one company sees in a list is unknown to everybody of the other. The tests above hold
    lists whose path names a person."""
    seen: dict[str, set[str]] = {"acme": set(), "umbrella": set()}
    for name in seen:
        company: Company = getattr(shared_api, name)
        for role in ROLES:
            answer = await send(shared_api, endpoint, getattr(company, role), company)
            items: list[dict[str, Any]] = answer.json().get("items", [])
            seen[name] |= {item["id"] for item in items}
    may_be_empty = endpoint.path in {"/me/schedule", "/me/notifications"}
    assert seen["acme"] or may_be_empty, "the workspace has something of everything"
    assert not seen["acme"] & seen["umbrella"]


async def test_an_employee_sees_the_bookings_they_host_alone(shared_api: Api) -> None:
    acme = shared_api.acme
    for who, expected in (
        (acme.owner, {acme.booking.id, acme.pending.id}),
        (acme.admin, {acme.booking.id, acme.pending.id}),
        (acme.colleague, set()),
        (acme.employee, set()),
    ):
        items = (await shared_api.get("/bookings", who)).json()["items"]
        assert {item["id"] for item in items} == expected


async def test_filters_reach_no_other_company(shared_api: Api) -> None:
    acme, umbrella = shared_api.acme, shared_api.umbrella
    for query in (
        {"link": umbrella.link.id},
        {"service": umbrella.service.id},
        {"host": umbrella.owner.id},
        {"host": new_id()},
    ):
        assert (await shared_api.get("/bookings", acme.admin, params=query)).json()["items"] == []
    both = (await shared_api.get("/bookings", acme.admin, params={"recipient": "RAE@example.org"})).json()["items"]
    assert {item["id"] for item in both} == {acme.booking.id, acme.pending.id}


async def test_a_deactivated_user_is_out_at_once(api: Api) -> None:
    async with api.app.state.ports.unit_of_work() as work:
        await work.people.update_user(api.acme.owner.id, api.clock.now, is_active=False)
        await work.commit()
    answer = await api.get("/me", api.acme.owner)
    assert (answer.status_code, code_of(answer)) == (401, "UNAUTHENTICATED")


async def test_tokens_are_kept_as_keyed_hashes(api: Api) -> None:
    """Whoever reads the database cannot call the API, manage a booking, read a feed, or sign in."""
    acme = api.acme
    secret_texts = [acme.owner.token, acme.booking.token, acme.one_time.token, acme.feed.token, "correct-horse"]
    async with api.database.read.connect() as connection:
        for table in metadata.sorted_tables:
            rows = (await connection.execute(select(table))).all()
            text = repr([tuple(row) for row in rows])
            for secret in secret_texts:
                assert secret not in text, table.name


async def test_answers_about_people_are_kept_by_nobody(shared_api: Api) -> None:
    for endpoint in ENDPOINTS:
        if endpoint.method == "GET":
            who = None if endpoint.audience == "public" else shared_api.acme.owner
            answer = await send(shared_api, endpoint, who, shared_api.acme)
            assert answer.headers["cache-control"] == "no-store", endpoint
