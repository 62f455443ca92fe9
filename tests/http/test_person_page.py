"""The page of one person: roles, limits, links and bookings handed over, switched off and on."""

from __future__ import annotations

import pytest

from tests.http.api import Api
from tests.http.signed_in import Visitor, enter, ports_of, value_of, words
from tests.support.prepared import snapshot

pytestmark = pytest.mark.anyio


@pytest.fixture
async def admin(api: Api) -> Visitor:
    return await enter(api, api.acme.admin)


async def test_name_roles_and_limits_are_changed(api: Api, admin: Visitor) -> None:
    path = f"/app/people/{api.acme.owner.id}"
    shown = await admin.get(path)
    assert ("Intro call" in words(shown), "Rae Recipient" in words(shown)) == (True, True)
    sent = {"name": "Olga", "roles": ["owner", "employee"], "max_per_day": "4", "max_per_week": ""}
    assert (await admin.post(path, **sent)).headers["location"] == f"{path}?did=saved"
    shown = await admin.get(path)
    assert (value_of(shown, "name"), value_of(shown, "max_per_day")) == ("Olga", "4")
    found = (await api.get(f"/employees/{api.acme.owner.id}", api.acme.admin)).json()
    assert (found["name"], found["roles"], found["max_per_day"]) == ("Olga", ["owner", "employee"], 4)
    before = await snapshot(api.database)
    for changed, message in (
        ({"name": ""}, "enter the name"),
        ({"roles": []}, "at least one role"),
        ({"max_per_day": "x"}, "whole number"),
    ):
        refused = await admin.post(path, **{**sent, **changed})
        assert (changed, refused.status_code, message in words(refused)) == (changed, 400, True)
    own = f"/app/people/{api.acme.admin.id}"
    refused = await admin.post(own, name="Admin", roles=["employee"])
    assert (refused.status_code, "make somebody else an admin" in words(refused)) == (409, True)
    assert await snapshot(api.database) == before


async def test_somebody_is_switched_off_and_what_nobody_takes_is_told(api: Api, admin: Visitor) -> None:
    acme = api.acme
    path, owner = f"/app/people/{acme.owner.id}", await enter(api, acme.owner)
    answer = await admin.post(f"{path}/switch", to="off", fate="others")
    text = words(answer)
    assert answer.status_code == 200
    assert "could not be handed over" in text
    assert "Nobody else takes such bookings" in text
    assert "Switched off" in text
    assert (await owner.get("/app/bookings")).headers["location"].startswith("/?next=")
    assert (await api.get("/me", acme.owner)).status_code == 401
    assert (await api.get(f"/public/{acme.token}")).json()["code"] == "LINK_INACTIVE"
    assert (await admin.client.get("/acme/intro")).status_code == 410
    feed = await admin.client.get(f"/feeds/{acme.feed.token}.ics")
    assert feed.status_code == 404
    assert "Rae Recipient" in words(await admin.get(path)), "what is left stays listed"
    answer = await admin.post(f"{path}/links", owner=acme.colleague.id)
    assert answer.headers["location"] == f"{path}?did=links-over"
    assert (await api.get(f"/public/{acme.token}")).status_code == 200
    assert "handed over" in words(await admin.post(f"{path}/bookings", fate="person", host=acme.colleague.id))
    items = (await api.get(f"/employees/{acme.colleague.id}/schedule", acme.admin)).json()["items"]
    assert acme.booking.id in {item["id"] for item in items}
    assert (await admin.post(f"{path}/switch", to="on")).headers["location"] == f"{path}?did=person-on"
    assert (await api.get("/me", acme.owner)).status_code == 200


async def test_bookings_are_cancelled_with_a_reason(api: Api, admin: Visitor) -> None:
    path = f"/app/people/{api.acme.owner.id}"
    answer = await admin.post(f"{path}/switch", to="off", fate="cancel", reason="She has left.")
    assert answer.headers["location"] == f"{path}?did=person-off"
    shown = (await api.get(f"/bookings/{api.acme.booking.id}", api.acme.admin)).json()
    assert (shown["status"], shown["cancel_reason"]) == ("cancelled", "She has left.")


async def test_what_cannot_be_changes_nothing(api: Api, admin: Visitor) -> None:
    acme = api.acme
    path = f"/app/people/{acme.owner.id}"
    before = await snapshot(api.database)
    for where, sent, status in (
        ("/switch", {"to": "off", "fate": "nonsense"}, 400),
        ("/switch", {"to": "off"}, 400),
        ("/switch", {"to": "off", "fate": "person"}, 400),
        ("/switch", {"to": "off", "fate": "person", "host": acme.owner.id}, 400),
        ("/switch", {"to": "off", "fate": "person", "host": api.umbrella.owner.id}, 400),
        ("/bookings", {"fate": "person", "host": "x"}, 400),
        ("/links", {"owner": acme.employee.id}, 400),
        ("/links", {"owner": acme.owner.id}, 400),
        ("/links", {}, 400),
    ):
        answer = await admin.post(path + where, **sent)
        assert (where, sent, answer.status_code) == (where, sent, status)
    last = await admin.post(f"/app/people/{acme.admin.id}/switch", to="off", fate="leave")
    assert (last.status_code, "make somebody else an admin" in words(last)) == (409, True)
    for member in (acme.owner, acme.employee):
        visitor = await enter(api, member)
        before |= {"sessions": (await snapshot(api.database))["sessions"]}
        for where in ("", "/switch", "/bookings", "/links"):
            assert (await visitor.post(path + where, to="off", fate="cancel")).status_code == 403
        assert (await visitor.get(path)).status_code == 403
    assert await snapshot(api.database) == before


async def test_their_devices_are_out_too(api: Api, admin: Visitor) -> None:
    """The app password of somebody who is switched off opens no calendar."""
    ports, acme = ports_of(api), api.acme
    made = (await api.post("/me/app-passwords", acme.owner, json={"label": "Phone"})).json()["password"]
    address = f"/dav/principals/{acme.owner.user.handle}/"
    auth = (acme.owner.user.email, made)
    assert (await admin.client.request("PROPFIND", address, auth=auth, headers={"Depth": "0"})).status_code == 207
    await admin.post(f"/app/people/{acme.owner.id}/switch", to="off", fate="leave")
    assert (await admin.client.request("PROPFIND", address, auth=auth, headers={"Depth": "0"})).status_code == 401
    async with ports.read() as work:
        assert not (await work.employees.get(acme.organization.id, acme.owner.id)).is_active  # type: ignore[union-attr]
