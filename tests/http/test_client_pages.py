"""Clients, the block list and booking for a client, by API and pages."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import func, select

from app.db import models as m
from app.use_cases.file_clients import file_booking
from tests.http.api import Api, code_of
from tests.http.endpoints import booking_body
from tests.http.signed_in import Visitor, enter, ports_of, value_of, words
from tests.http.workspace import Member, at
from tests.support.prepared import snapshot

pytestmark = pytest.mark.anyio

PAGE = {"name": "Rae", "start": "2027-03-03T09:00:00Z", "duration": "30", "tz": "Europe/Berlin"}
ANSWER = {"answers.topic": "Plans"}


async def block(api: Api, kind: str, value: str, who: Member | None = None) -> Any:
    body = {"kind": kind, "value": value}
    return await api.post("/blocked-recipients", who or api.acme.owner, json=body)


async def book(api: Api, **changes: Any) -> Any:
    return await api.post("/public/acme.intro/book", json={**booking_body(api.acme), **changes})


async def count(api: Api, table: Any) -> int:
    async with api.database.read.connect() as connection:
        return int((await connection.execute(select(func.count()).select_from(table))).scalar_one())


@pytest.mark.parametrize(
    ("kind", "value", "sent"),
    [
        ("email", "Robin@Example.org", {"email": "robin@example.ORG"}),
        ("domain", "example.org", {}),
        ("domain", "@Example.Org", {"email": "robin@mail.example.org"}),
        ("phone", "+49 30 1234567", {"phone": "0049 (0)30 123 45 67"}),
    ],
)
async def test_whoever_is_blocked_cannot_book(api: Api, kind: str, value: str, sent: dict[str, str]) -> None:
    """And is not told why, by API and page; others are not concerned."""
    assert (await block(api, kind, value)).status_code == 201
    before = await snapshot(api.database)
    answer = await book(api, **sent)
    assert (answer.status_code, code_of(answer)) == (403, "FORBIDDEN")
    assert answer.json()["detail"] == "This cannot be booked online. Please contact Acme directly."
    assert await snapshot(api.database) == before
    assert (await book(api, email="kim@example.com")).status_code == 201


@pytest.mark.parametrize(
    ("kind", "value", "email"),
    [
        ("email", "robin@example.org", "robin+club@example.org"),
        ("email", "robin+club@example.org", "robin@example.org"),
        ("domain", "example.org", "robin@notexample.org"),
        ("domain", "mail.example.org", "robin@example.org"),
    ],
)
async def test_a_block_keeps_nobody_else_out(api: Api, kind: str, value: str, email: str) -> None:
    """An address with a plus is one of its own, and a domain one that ends alike is another."""
    await block(api, kind, value)
    assert (await book(api, email=email)).status_code == 201


async def test_another_companys_list_is_not_ours(api: Api) -> None:
    await block(api, "email", "robin@example.org", api.umbrella.owner)
    assert (await book(api)).status_code == 201


async def test_the_page_says_the_same_with_the_form_as_typed(api: Api, client: Any) -> None:
    await block(api, "email", "rae@example.org")
    form = {**PAGE, **ANSWER, "email": "rae@example.org"}
    answer = await client.post("/acme/intro", data=form)
    assert answer.status_code == 403
    assert "Please contact Acme directly" in words(answer)
    assert value_of(answer, "email") == "rae@example.org"


async def test_staff_book_for_somebody_on_the_list_when_they_mean_it(api: Api) -> None:
    await block(api, "email", "robin@example.org")
    body = {
        "link": api.acme.link.id,
        "start": "2027-03-03T09:00:00Z",
        "duration": 30,
        "recipient": {"name": "Robin", "email": "robin@example.org"},
    }
    refused = await api.post("/bookings", api.acme.owner, json=body)
    assert (refused.status_code, code_of(refused)) == (403, "FORBIDDEN")
    assert (await api.post("/bookings", api.acme.owner, json={**body, "override": True})).status_code == 201


async def test_a_block_is_made_once_and_taken_back(api: Api) -> None:
    made = await block(api, "email", "robin@example.org")
    again = await block(api, "email", "ROBIN@example.org")
    assert (again.status_code, code_of(again)) == (409, "ALREADY_EXISTS")
    for kind, value in (("email", "robin"), ("domain", "org"), ("phone", "12")):
        wrong = await block(api, kind, value)
        assert (wrong.status_code, wrong.json()["errors"][0]["field"]) == (400, "value")
    assert (await api.delete(f"/blocked-recipients/{made.json()['id']}", api.acme.admin)).status_code == 204
    assert (await book(api)).status_code == 201
    async with api.database.read.connect() as connection:
        entries = m.audit_entries.c
        query = select(entries.changes).where(entries.entity == "block", entries.entity_id == made.json()["id"])
        changes = list((await connection.execute(query)).scalars())
    assert changes == [{"kind": "email"}] * 2, "the log holds no addresses"


async def test_the_history_of_a_client_is_told_in_figures(api: Api) -> None:
    acme = api.acme
    await api.post(f"/bookings/{acme.pending.id}/cancel", acme.owner)
    await file_booking(ports_of(api), acme.pending.id)
    found = (await api.get(f"/clients/{acme.client.id}", acme.owner)).json()
    assert {name: found[name] for name in ("name", "email", "bookings", "cancelled", "no_shows", "last")} == {
        "name": "Rae Recipient", "email": "rae@example.org", "bookings": 2, "cancelled": 1, "no_shows": 0, "last": None,
    }  # fmt: skip
    assert found["next"] == "2027-03-02T09:00:00Z"
    listed = (await api.get("/bookings", acme.owner, params={"client": acme.client.id})).json()["items"]
    assert {item["id"] for item in listed} == {acme.booking.id, acme.pending.id}
    assert {item["client_id"] for item in listed} == {acme.client.id}
    other = (await api.get("/bookings", acme.admin, params={"client": acme.other_client.id})).json()["items"]
    assert other == []


async def test_clients_of_others_are_seen_by_admins_alone(api: Api) -> None:
    acme = api.acme
    listed = {
        role: {item["id"] for item in (await api.get("/clients", getattr(acme, role))).json()["items"]}
        for role in ("owner", "colleague", "admin")
    }
    both = {acme.client.id, acme.other_client.id}
    assert listed == {"owner": {acme.client.id}, "colleague": set(), "admin": both}
    hidden = await api.get("/clients", acme.owner, params={"q": "kim"})
    assert hidden.json()["items"] == []


async def test_two_clients_are_joined_by_an_admin(api: Api) -> None:
    acme = api.acme
    path = f"/clients/{acme.other_client.id}"
    joined = await api.post(f"{path}/merge", acme.admin, json={"client": acme.client.id})
    assert (joined.status_code, joined.json()["bookings"], joined.json()["emails"]) == (200, 1, ["rae@example.org"])
    assert (await api.get(f"/clients/{acme.client.id}", acme.admin)).status_code == 404
    assert (await api.get(f"/bookings/{acme.booking.id}", acme.owner)).json()["client_id"] == acme.other_client.id
    for wrong in (acme.other_client.id, acme.client.id, api.umbrella.client.id):
        answer = await api.post(f"{path}/merge", acme.admin, json={"client": wrong})
        assert (answer.status_code, answer.json()["errors"][0]["field"]) == (400, "client")


# pages


async def test_the_pages_of_clients(api: Api, owner: Visitor) -> None:
    acme = api.acme
    listed = await owner.get("/app/clients?q=RAE")
    assert "Rae Recipient" in words(listed)
    assert "1 booking" in words(listed)
    assert "Nobody found" in words(await owner.get("/app/clients?q=kim"))
    path = f"/app/clients/{acme.client.id}"
    shown = await owner.get(path)
    assert "Intro call" in words(shown)
    saved = await owner.post(
        path, name="Rae R.", phone="+49 30 123456", notes="Tea", version=value_of(shown, "version")
    )
    assert saved.status_code == 303
    stale = await owner.post(path, name="Again", phone="", notes="", version=value_of(shown, "version"))
    assert (stale.status_code, "changed meanwhile" in words(stale)) == (412, True)
    wrong = await owner.post(path, name="", phone="x", notes="")
    assert wrong.status_code == 400
    assert value_of(await owner.get(path), "name") == "Rae R."
    colleague = await enter(api, acme.colleague)
    for method in (colleague.get(path), colleague.post(path, name="x"), colleague.post(f"{path}/block")):
        assert (await method).status_code == 404


async def test_a_client_is_blocked_and_let_in_again_by_a_button(api: Api, owner: Visitor) -> None:
    path = f"/app/clients/{api.acme.client.id}"
    assert (await owner.post(f"{path}/block")).status_code == 303
    assert (await owner.post(f"{path}/block")).status_code == 303, "twice is as good as once"
    assert "Cannot book" in words(await owner.get(path))
    assert (await book(api, email="rae@example.org")).status_code == 403
    blocks = (await api.get("/blocked-recipients", api.acme.owner)).json()["items"]
    (mine,) = [each for each in blocks if each["value"] == "rae@example.org"]
    assert (await owner.post(f"/app/clients/blocked/{mine['id']}/remove")).status_code == 303
    assert (await book(api, email="rae@example.org")).status_code == 201


async def test_the_block_list_has_a_page(api: Api, owner: Visitor) -> None:
    assert "nobody@blocked.example" in words(await owner.get("/app/clients/blocked"))
    added = await owner.post("/app/clients/blocked", kind="domain", value="spam.example", reason="Spam")
    assert added.status_code == 303
    twice = await owner.post("/app/clients/blocked", kind="domain", value="spam.example", reason="")
    assert (twice.status_code, "on the block list already" in words(twice)) == (409, True)
    wrong = await owner.post("/app/clients/blocked", kind="nonsense", value="", reason="")
    assert wrong.status_code == 400
    stranger = await owner.post(f"/app/clients/blocked/{api.umbrella.block.id}/remove")
    assert stranger.status_code == 404
    assert len((await api.get("/blocked-recipients", api.umbrella.owner)).json()["items"]) == 1


async def test_an_admin_joins_clients_on_the_page(api: Api) -> None:
    admin, acme = await enter(api, api.acme.admin), api.acme
    path = f"/app/clients/{acme.other_client.id}"
    nobody = await admin.post(f"{path}/merge", other="who@example.org")
    assert (nobody.status_code, "No client is known by this" in words(nobody)) == (400, True)
    assert (await admin.post(f"{path}/merge", other="RAE@example.org")).status_code == 303
    assert "Intro call" in words(await admin.get(path))
    owner = await enter(api, acme.owner)
    assert (await owner.post(f"{path}/merge", other="rae@example.org")).status_code == 403


FORM = {"start": "2027-03-04T10:00", "duration": "30", "name": "Kim", "email": "kim@example.org", "key": "k" * 20}


async def test_staff_book_for_a_client_on_a_page(api: Api, owner: Visitor) -> None:
    """A form that is sent twice books once; day and time are those of the one who books."""
    acme = api.acme
    page = await owner.get(f"/app/bookings/new?client={acme.client.id}&offer=link:{acme.link.id}&own=yes")
    assert (value_of(page, "name"), value_of(page, "email")) == ("Rae Recipient", "rae@example.org")
    assert "Rae Recipient" in words(await owner.get("/app/bookings/new?q=rae"))
    before = await count(api, m.bookings)
    form = {**FORM, "offer": f"link:{acme.link.id}"}
    first, again = [await owner.post("/app/bookings/new", **form) for _ in range(2)]
    assert (first.status_code, again.headers["location"]) == (303, first.headers["location"])
    assert await count(api, m.bookings) == before + 1
    shown = (await api.get("/bookings", acme.owner, params={"recipient": "kim@example.org"})).json()["items"]
    assert [item["start"] for item in shown] == ["2027-03-04T10:00:00+01:00"]
    assert "It is booked" in words(await owner.get(first.headers["location"]))


async def test_what_the_rules_refuse_is_said_and_can_be_overruled(api: Api, owner: Visitor) -> None:
    form = {**FORM, "offer": f"link:{api.acme.link.id}"}
    night = {**form, "start": "2027-03-04T03:00"}
    refused = await owner.post("/app/bookings/new", **night)
    assert (refused.status_code, "outside the hours" in words(refused)) == (400, True)
    assert (await owner.post("/app/bookings/new", **night, override="yes")).status_code == 303
    taken = {**form, "key": "j" * 20, "start": "2027-03-02T10:00"}
    full = await owner.post("/app/bookings/new", **taken)
    assert (full.status_code, 'name="alternative"' in full.text) == (409, True)
    nearest = value_of(full, "alternative")
    assert (await owner.post("/app/bookings/new", **taken, alternative=nearest)).status_code == 303
    for wrong in ({"offer": ""}, {"offer": "link:x"}, {"start": "x"}, {"duration": "0"}, {"name": ""}, {"email": "x"}):
        assert (await owner.post("/app/bookings/new", **{**form, **wrong})).status_code == 400, wrong


async def test_a_set_is_booked_on_the_page(api: Api, owner: Visitor) -> None:
    before = await count(api, m.bookings)
    form = {**FORM, "offer": f"link:{api.acme.link.id}", "times": "3", "every_weeks": "1"}
    assert (await owner.post("/app/bookings/new", **form)).status_code == 303
    assert await count(api, m.bookings) == before + 3
    assert (await owner.post("/app/bookings/new", **{**form, "times": "1"})).status_code == 400


async def test_nobody_books_what_is_not_theirs_on_the_page(api: Api) -> None:
    before = await count(api, m.bookings)
    for who in (api.acme.colleague, api.acme.employee, api.umbrella.admin):
        visitor = await enter(api, who)
        answer = await visitor.post("/app/bookings/new", **FORM, offer=f"link:{api.acme.link.id}")
        assert answer.status_code == 404
        assert "Intro call (link)" not in answer.text or who is api.umbrella.admin
    qualified = await enter(api, api.acme.colleague)
    assert "Consultation" in words(await qualified.get("/app/bookings/new"))
    assert "Consultation" not in words(await (await enter(api, api.acme.employee)).get("/app/bookings/new"))
    assert await count(api, m.bookings) == before


async def test_notes_for_staff_and_guests_are_edited_on_the_bookings_page(api: Api, owner: Visitor) -> None:
    """And neither its recipient nor a guest ever reads them."""
    acme, secret = api.acme, "Owes-us-money"
    path = f"/app/bookings/{acme.booking.id}"
    assert (await owner.post(f"{path}/internal-notes", internal_notes=secret)).status_code == 303
    assert (await owner.post(f"{path}/guests", guests="kim@example.org, lee@example.org")).status_code == 303
    assert (await owner.post(f"{path}/guests", guests="nonsense")).status_code == 400
    stale = await owner.post(f"{path}/internal-notes", internal_notes="x", version="1")
    assert stale.status_code == 412
    assert secret in (await owner.get(path)).text
    shown = (await api.get(f"/bookings/{acme.booking.id}", acme.owner)).json()
    assert (shown["internal_notes"], shown["guests"]) == (secret, ["kim@example.org", "lee@example.org"])
    assert secret not in (await api.get(f"/bookings/{acme.booking.id}/history", acme.owner)).text
    token = acme.booking.token
    for public in (f"/public/bookings/{token}", f"/public/bookings/{token}/calendar.ics"):
        answer = await api.get(public)
        assert (answer.status_code, secret in answer.text, "internal" in answer.text) == (200, False, False)
    for page in (f"/booking/{token}", f"/booking/{token}/cancel", f"/booking/{token}/move"):
        answer = await owner.client.get(page)
        assert (answer.status_code, secret in answer.text) == (200, False)
    moved = await api.post(f"/public/bookings/{token}/reschedule", json={"start": "2027-03-03T09:00:00Z"})
    assert (moved.status_code, secret in moved.text, "internal" in moved.text) == (200, False, False)


async def test_what_is_over_can_be_corrected_for_a_day_on_the_page(api: Api) -> None:
    path = f"/app/bookings/{api.acme.booking.id}"
    api.clock.now = at(2, 11)
    owner = await enter(api, api.acme.owner)
    assert (await owner.post(f"{path}/no-show")).status_code == 303
    assert "Set back to confirmed" in words(await owner.get(path))
    assert (await owner.post(f"{path}/correct")).status_code == 303
    assert (await owner.post(f"{path}/complete")).status_code == 303
    api.clock.now = api.acme.booking.end + 24 * 3600 + 1
    owner = await enter(api, api.acme.owner)
    assert "Set back to confirmed" not in words(await owner.get(path))
    assert (await owner.post(f"{path}/correct")).status_code == 422
    late = await api.post(f"/bookings/{api.acme.booking.id}/confirm", api.acme.owner)
    assert (late.status_code, code_of(late)) == (422, "BOOKING_NOT_MODIFIABLE")
