"""`/employees`: inviting, changing and switching off people, when they are free, and what becomes of their bookings."""

from __future__ import annotations

import pytest

from tests.http.api import Api, code_of
from tests.http.workspace import at, moment
from tests.support.prepared import snapshot

pytestmark = pytest.mark.anyio

WEEK = {"from": "2027-03-01", "to": "2027-03-07", "timezone": "Europe/Berlin"}


async def test_somebody_is_invited(api: Api) -> None:
    acme = api.acme
    body = {"name": " Nora New ", "email": "Nora@Example.com", "timezone": "Europe/Paris"}
    made = await api.post("/employees", acme.admin, json=body)
    assert made.status_code == 201
    found = made.json()
    assert (found["name"], found["email"], found["roles"]) == ("Nora New", "nora@example.com", ["employee"])
    assert (await api.get(f"/employees/{found['id']}", acme.owner)).json() == found
    before = await snapshot(api.database)
    for sent, status in ((body, 409), ({**body, "roles": []}, 400), ({**body, "roles": ["root"]}, 400)):
        assert (await api.post("/employees", acme.admin, json=sent)).status_code == status
    assert await snapshot(api.database) == before


async def test_free_time_is_what_work_leaves(api: Api) -> None:
    """Office hours in Berlin; a booking of half an hour with a quarter kept free after it, and one that waits."""
    acme = api.acme
    days = (await api.get(f"/employees/{acme.owner.id}/availability", acme.colleague, params=WEEK)).json()["days"]
    found = {day["date"]: [(each["start"][11:16], each["end"][11:16]) for each in day["ranges"]] for day in days}
    assert list(found) == [f"2027-03-0{day}" for day in range(1, 6)], "not on the weekend"
    assert found["2027-03-01"] == [("09:00", "17:00")]
    assert found["2027-03-02"] == [("09:00", "10:00"), ("10:45", "14:00"), ("14:45", "17:00")]
    long = {**WEEK, "duration": "120"}
    days = (await api.get(f"/employees/{acme.owner.id}/availability", acme.colleague, params=long)).json()["days"]
    assert [each["start"][11:16] for each in days[1]["ranges"]] == ["10:45", "14:45"]
    api.clock.now = at(2, 12)
    days = (await api.get(f"/employees/{acme.owner.id}/availability", acme.colleague, params=WEEK)).json()["days"]
    assert days[0]["ranges"][0]["start"] == "2027-03-02T12:00:00+01:00", "what is over is not free"


async def test_free_time_that_cannot_be_asked_for(shared_api: Api) -> None:
    path = f"/employees/{shared_api.acme.owner.id}/availability"
    for changed in (
        {"from": "2027-03-08"},
        {"to": "2027-07-01"},
        {"from": "x"},
        {"timezone": "Mars/Base"},
        {"duration": "0"},
        {"duration": "1441"},
    ):
        answer = await shared_api.get(path, shared_api.acme.owner, params={**WEEK, **changed})
        assert (changed, answer.status_code, code_of(answer)) == (changed, 400, "VALIDATION_ERROR")


async def test_somebody_is_switched_off_and_on(api: Api) -> None:
    acme = api.acme
    answer = await api.delete(f"/employees/{acme.owner.id}", acme.admin)
    assert (answer.status_code, answer.json()["is_active"]) == (200, False)
    assert (await api.get("/me", acme.owner)).status_code == 401
    assert code_of(await api.get(f"/public/{acme.token}")) == "LINK_INACTIVE"
    body = {"start": moment(at(3, 10)), "duration": 30, "timezone": "UTC", "name": "R", "email": "r@example.org"}
    booked = await api.post(f"/public/{acme.token}/book", json={**body, "answers": {"topic": "x"}})
    assert (booked.status_code, code_of(booked)) == (410, "LINK_INACTIVE")
    free = (await api.get(f"/employees/{acme.owner.id}/availability", acme.admin, params=WEEK)).json()
    assert free["days"] == []
    answer = await api.patch(f"/employees/{acme.owner.id}", acme.admin, json={"is_active": True})
    assert answer.json()["is_active"]
    assert (await api.get(f"/public/{acme.token}")).status_code == 200


async def test_only_admins_change_more_than_limits(shared_api: Api) -> None:
    acme = shared_api.acme
    before = await snapshot(shared_api.database)
    for body in ({"is_active": False}, {"roles": ["admin"]}, {"name": "X"}):
        answer = await shared_api.patch(f"/employees/{acme.owner.id}", acme.owner, json=body)
        assert (answer.status_code, code_of(answer)) == (403, "FORBIDDEN")
    last = await shared_api.delete(f"/employees/{acme.admin.id}", acme.admin)
    assert (last.status_code, code_of(last)) == (409, "ALREADY_EXISTS")
    assert await snapshot(shared_api.database) == before


async def test_coming_bookings_are_handed_over_and_what_is_left_says_why(api: Api) -> None:
    acme = api.acme
    body = {"service": acme.service.id, "host": acme.owner.id, "start": moment(at(4, 9)), "duration": 30}
    made = (await api.post("/bookings", acme.admin, json={**body, "recipient": {"name": "R"}})).json()
    path = f"/employees/{acme.owner.id}/hand-over"
    answer = (await api.post(path, acme.admin, json={"to": "others"})).json()
    found = {each["id"]: each for each in answer["items"]}
    assert (found[made["id"]]["outcome"], acme.colleague.id in found[made["id"]]["hosts"]) == ("reassigned", True)
    for left in (acme.booking.id, acme.pending.id):
        assert found[left]["outcome"] == "left"
        assert found[left]["detail"]
    assert answer["has_more"] is False
    for wrong in ({"to": "person"}, {"to": "person", "host": acme.owner.id}, {"to": "person", "host": made["id"]}):
        refused = await api.post(path, acme.admin, json=wrong)
        assert (refused.status_code, refused.json()["errors"][0]["field"]) == (400, "host")
    answer = (await api.post(path, acme.admin, json={"to": "cancel", "reason": "Ill"})).json()
    outcomes = {each["id"]: each["outcome"] for each in answer["items"]}
    assert {acme.booking.id, acme.pending.id} <= set(outcomes)
    assert set(outcomes.values()) == {"cancelled"}


async def test_a_link_changes_hands(api: Api) -> None:
    acme = api.acme
    path = f"/links/{acme.link.id}/hand-over"
    for owner, status in ((acme.employee.id, 400), (api.umbrella.owner.id, 400), (acme.colleague.id, 200)):
        answer = await api.post(path, acme.owner, json={"owner_id": owner})
        assert (owner, answer.status_code) == (owner, status)
    assert answer.json()["owner_id"] == acme.colleague.id
    assert answer.json()["token"] == acme.token
    assert (await api.get(f"/links/{acme.link.id}", acme.owner)).status_code == 404
    assert (await api.get(f"/links/{acme.link.id}", acme.colleague)).status_code == 200
    assert (await api.get(f"/public/{acme.one_time.token}")).status_code == 200
