"""The settings: of the organization, of one's own, and who may see one's calendars."""

from __future__ import annotations

import pytest

from tests.http.api import Api
from tests.http.signed_in import Visitor, enter, ports_of, value_of, words
from tests.support.prepared import snapshot

pytestmark = pytest.mark.anyio


async def test_an_admin_decides_for_the_organization(api: Api) -> None:
    ports, org_id, admin = ports_of(api), api.acme.organization.id, await enter(api, api.acme.admin)
    kept = {"organization_name": "Acme & Daughters", "complete_after_minutes": "0", "hold_minutes": "120"}
    done = await admin.post("/app/settings/organization", **kept)
    assert done.headers["location"] == "/app/settings?did=saved"
    async with ports.read() as work:
        found = await work.people.organization(org_id)
    assert found is not None
    assert (found.name, found.complete_after_minutes, found.hold_minutes) == ("Acme & Daughters", 0, 120)
    page = await admin.get("/app/settings")
    assert {name: value_of(page, name) for name in kept} == kept

    employee = await enter(api, api.acme.employee)
    before = await snapshot(api.database)
    wrong = {"organization_name": " ", "hold_minutes": "4", "complete_after_minutes": "soon"}
    for field, value in wrong.items():
        refused = await admin.post("/app/settings/organization", **{**kept, field: value})
        assert refused.status_code == 400, (field, value)
        assert value_of(refused, field) == value.strip()
    assert (await employee.post("/app/settings/organization", **kept)).status_code == 403
    assert "Your organization" not in words(await employee.get("/app/settings"))
    assert await snapshot(api.database) == before


async def test_people_choose_who_may_see_their_calendars(api: Api, owner: Visitor) -> None:
    path, employee, ports = "/app/settings/assistants", api.acme.employee.user, ports_of(api)
    assert "Nobody yet" in words(await owner.get(path))
    done = await owner.post(path, email=employee.email, access="write")
    assert done.headers["location"] == f"{path}?did=let-in"
    shown = words(await owner.get(path))
    assert "Nobody yet" not in shown
    assert "see and change them" in shown
    assert "you may see and change them" in words(await (await enter(api, api.acme.employee)).get(path))
    await owner.post(path, email=employee.email, access="read")
    async with ports.read() as work:
        rights = await work.calendars.delegations(employee.id)
    assert [(each.owner, each.access) for each in rights] == [(api.acme.owner.user.handle, "read")]
    for wrong in ({"email": "nobody@example.com", "access": "read"}, {"email": employee.email, "access": "all"}):
        assert (await owner.post(path, **wrong)).status_code == 400
    foreign = await owner.post(path, email=api.umbrella.owner.user.email, access="read")
    assert (foreign.status_code, "Nobody else of your organization" in words(foreign)) == (400, True)
    done = await owner.post(f"{path}/remove", email=employee.email)
    assert done.headers["location"] == f"{path}?did=let-out"
    assert "Nobody yet" in words(await owner.get(path))


async def test_signing_out_everywhere_else(api: Api, owner: Visitor) -> None:
    elsewhere = await enter(api, api.acme.owner)
    await owner.post("/app/settings/sign-out-everywhere")
    assert (await owner.get("/app/settings")).status_code == 200
    assert (await elsewhere.get("/app/settings")).status_code == 303
