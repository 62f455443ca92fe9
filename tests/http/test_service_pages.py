"""The pages of services and resources, and a booking page with a choice of people."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

import pytest

from tests.http.api import Api, client_of
from tests.http.signed_in import Visitor, enter, value_of, words
from tests.http.workspace import at, moment
from tests.support.prepared import snapshot

pytestmark = pytest.mark.anyio

GOOD: Mapping[str, Any] = {
    "name": "Massage", "category": "Body", "durations": ["30", "60"], "custom": "45", "buffer_before": "0",
    "buffer_after": "10", "mode": "pool", "price": "49,50", "currency": "EUR", "location": "address",
    "location_value": "Example Street 1", "is_active": "yes",
}  # fmt: skip


@pytest.fixture
async def admin(api: Api) -> Visitor:
    return await enter(api, api.acme.admin)


async def test_a_service_is_made_changed_and_deleted(api: Api, admin: Visitor) -> None:
    people = [api.acme.owner.id, api.acme.colleague.id]
    sent = {**GOOD, "people": people, f"priority.{people[1]}": "5", f"units.{api.acme.resource.id}": "1"}
    assert (await admin.post("/app/services/new", **sent)).status_code == 303
    made = next(
        each for each in (await api.get("/services", api.acme.admin)).json()["items"] if each["name"] == "Massage"
    )
    assert (made["durations"], made["price"], made["currency"]) == ([30, 45, 60], 4950, "EUR")
    assert made["resources"] == [{"resource_id": api.acme.resource.id, "units": 1}]
    path = f"/app/services/{made['id']}"
    shown = await admin.get(path)
    assert (value_of(shown, "price"), value_of(shown, f"priority.{people[1]}")) == ("49.50", "5")
    changed = {**sent, "people": people[:1], "version": value_of(shown, "version"), "price": ""}
    assert (await admin.post(path, **changed)).status_code == 303
    assert "1 person" in words(await admin.get("/app/services"))
    stale = await admin.post(path, **changed)
    assert (stale.status_code, "changed meanwhile" in words(stale)) == (412, True)
    assert "Delete this service?" in words(await admin.get(f"{path}/delete"))
    assert (await admin.post(f"{path}/delete")).status_code == 303
    assert (await admin.get(path)).status_code == 404


async def test_somebody_has_hours_and_lengths_of_their_own(api: Api, admin: Visitor) -> None:
    acme, service = api.acme, api.acme.service
    path, owner = f"/app/services/{service.id}", api.acme.owner.id
    sent = {
        **GOOD, "people": [owner, acme.colleague.id], f"hours.{owner}": acme.schedule.id, f"lengths.{owner}": "30, 60",
        "version": value_of(await admin.get(path), "version"),
    }  # fmt: skip
    before = await snapshot(api.database)
    for changed in (
        {f"lengths.{owner}": "x"},
        {f"lengths.{owner}": "25"},
        {f"hours.{owner}": "x"},
        {f"hours.{acme.colleague.id}": acme.schedule.id},
    ):
        assert (changed, (await admin.post(path, **{**sent, **changed})).status_code) == (changed, 400)
    assert await snapshot(api.database) == before
    assert (await admin.post(path, **sent)).status_code == 303
    kept = {each["employee_id"]: each for each in await qualified(api)}
    assert (kept[owner]["schedule_id"], kept[owner]["durations"]) == (acme.schedule.id, [30, 60])
    assert (kept[acme.colleague.id]["schedule_id"], kept[acme.colleague.id]["durations"]) == (None, None)
    assert value_of(await admin.get(path), f"lengths.{owner}") == "30, 60"


async def qualified(api: Api) -> Sequence[Mapping[str, Any]]:
    found = await api.get(f"/services/{api.acme.service.id}/employees", api.acme.admin)
    items: Sequence[Mapping[str, Any]] = found.json()["items"]
    return items


async def test_who_is_switched_off_stays_qualified(api: Api, admin: Visitor) -> None:
    """Whatever is changed meanwhile, by the page, which does not show them, and by the API."""
    acme, path = api.acme, f"/app/services/{api.acme.service.id}"
    await api.delete(f"/employees/{acme.owner.id}", acme.admin)
    shown = await admin.get(path)
    assert acme.owner.id not in shown.text
    sent = {**GOOD, "people": acme.colleague.id, "version": value_of(shown, "version")}
    assert (await admin.post(path, **sent)).status_code == 303
    changed = await api.patch(f"/services/{acme.service.id}", acme.admin, json={"name": "Talk"})
    assert changed.status_code == 200, changed.text
    assert {each["employee_id"] for each in await qualified(api)} == {acme.owner.id, acme.colleague.id}


WRONG: Sequence[tuple[Mapping[str, Any], str]] = [
    ({"name": ""}, "Please enter a name"),
    ({"durations": [], "custom": ""}, "choose at least one length"),
    ({"price": "free"}, "an amount such as"),
    ({"currency": "euro"}, "three letters"),
    ({"mode": "all"}, "choose who takes a booking"),
    ({"location_value": ""}, "enter the address"),
    ({"units": "9"}, "There are 2"),
    ({"priority": "x"}, "0 to 1000"),
]


async def test_services_that_make_no_sense_are_refused(api: Api, admin: Visitor) -> None:
    before = await snapshot(api.database)
    for changed, message in WRONG:
        sent = {**GOOD, "people": [api.acme.owner.id], **changed}
        if "units" in sent:
            sent[f"units.{api.acme.resource.id}"] = sent.pop("units")
        if "priority" in sent:
            sent[f"priority.{api.acme.owner.id}"] = sent.pop("priority")
        answer = await admin.post("/app/services/new", **sent)
        assert (changed, answer.status_code, message in words(answer)) == (changed, 400, True)
    assert await snapshot(api.database) == before


async def test_a_resource_is_made_changed_and_stays_while_it_is_needed(api: Api, admin: Visitor) -> None:
    sent = {"name": "Laser", "kind": "equipment", "quantity": "2", "description": ""}
    assert (await admin.post("/app/services/resources/new", **sent)).status_code == 303
    assert "Equipment · 2 of it" in words(await admin.get("/app/services"))
    wrong = await admin.post("/app/services/resources/new", **{**sent, "quantity": "0"})
    assert (wrong.status_code, "Please enter 1 to 200" in words(wrong)) == (400, True)
    needed = f"/app/services/resources/{api.acme.resource.id}"
    refused = await admin.post(f"{needed}/delete")
    assert (refused.status_code, "“Consultation” needs this" in words(refused)) == (409, True)
    fewer = await admin.post(needed, **{**sent, "quantity": "1", "version": "1"})
    assert fewer.status_code == 303


async def test_a_recipient_chooses_a_person_or_anybody(api: Api) -> None:
    acme, admin = api.acme, api.acme.admin
    service = f"/services/{acme.service.id}"
    assert (await api.patch(service, admin, json={"mode": "chosen"})).status_code == 200
    link = {"title": "Visit", "slug": "visit", "service_id": acme.service.id}
    assert (await api.post("/links", acme.owner, json=link)).status_code == 201
    shown = (await api.get("/public/acme.visit")).json()
    assert {each["name"] for each in shown["people"]} == {"Owner", "Colleague"}
    async with client_of(api.app) as client:
        page = await client.get("/acme/visit")
        assert re.search(r"Anybody.*Owner.*Colleague", words(page))
        chosen = f"/acme/visit?with={acme.colleague.id}&duration=30&tz=UTC&start={moment(at(3, 15))}"
        form = await client.get(chosen)
        assert value_of(form, "with") == acme.colleague.id
        sent = {name: value_of(form, name) for name in ("key", "duration", "tz", "with", "start")}
        answer = await client.post("/acme/visit", data={**sent, "name": "Robin", "email": "robin@example.org"})
        assert answer.status_code == 303, answer.text
        assert (await client.get("/acme/visit?with=nobody")).status_code == 400
        assert (await client.get(f"/acme/visit?with={acme.employee.id}")).status_code == 400
        assert (await client.get(f"/acme/intro?with={acme.owner.id}")).status_code == 400
    booking = (await api.get("/bookings", admin, params={"host": acme.colleague.id})).json()["items"]
    assert [sorted(host["name"] for host in each["hosts"]) for each in booking] == [["Colleague", "Room 1"]]
