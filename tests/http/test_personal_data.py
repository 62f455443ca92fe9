"""Export, erase, retention: what was told about a person is found, and afterwards nowhere any more."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlalchemy import JSON, String, Text, cast, func, insert, select, text, update

from app.db import models as m
from app.domain.errors import NotFound
from app.ports.outbox import Job
from app.use_cases.booking_changes import SYSTEM
from app.use_cases.erase_person import erase_booking, erase_everywhere
from app.use_cases.export_person import export_everywhere
from app.use_cases.ids import new_id
from app.use_cases.keep_data import retention_job
from app.wiring import HANDLERS
from app.worker import Worker
from tests.http.api import Api, client_of, code_of
from tests.http.signed_in import enter, ports_of, words
from tests.http.workspace import NOW, Member, at, moment
from tests.support.statements import statements_of

pytestmark = pytest.mark.anyio

DAY = 86400
EMAIL, GUEST = "zebedee.quill@example.org", "guest.quill@example.net"
TRACES = ("zebedee", "quill", "4930555", "orchid", "estate", "hospital")
"""Parts of all that the person told; nothing else in the workspace holds them."""


async def drain(api: Api) -> None:
    await Worker(ports_of(api), HANDLERS).drain()


async def book(api: Api, start: int, **values: Any) -> dict[str, Any]:
    body = {
        "start": moment(start),
        "duration": 30,
        "timezone": "Europe/Berlin",
        "name": "Zebedee Quill",
        "email": EMAIL,
        "phone": "+4930555123",
        "answers": {"topic": "The estate"},
        "guests": [GUEST],
        "notes": "Bring the orchid",
        **values,
    }
    answer = await api.post(f"/public/{api.acme.token}/book", json=body, headers={"Idempotency-Key": new_id()})
    assert answer.status_code == 201, answer.text
    found: dict[str, Any] = answer.json()
    return found


async def told(api: Api) -> list[dict[str, Any]]:
    """A person with a booking to come, one that was moved, one cancelled and one that is over; a guest of another; with
    a one-time link, a place on the block list, and mails that were sent."""
    acme = api.acme
    made = [
        await book(api, at(3, 10)),
        await book(api, at(4, 10)),
        await book(api, at(5, 10)),
        await book(api, at(3, 14)),
    ]
    await api.post(f"/public/bookings/{made[1]['booking_token']}/reschedule", json={"start": moment(at(4, 13))})
    reason = {"reason": "I am in hospital"}
    await api.post(f"/public/bookings/{made[2]['booking_token']}/cancel", json=reason)
    made.append(await book(api, at(11, 10), name="Robin", email="robin@example.org", phone=None, guests=[EMAIL], notes=None, answers={"topic": "Plans"}))  # fmt: skip  # noqa: E501
    await api.post(f"/links/{acme.link.id}/one-time", acme.owner, json={"recipient_email": EMAIL})
    await drain(api)
    async with api.database.write.begin() as connection:
        block = {"id": new_id(), "org_id": acme.organization.id, "kind": "email", "value": EMAIL, "created_at": NOW}
        await connection.execute(insert(m.blocked_recipients).values(**block, reason=None, created_by=None))
        where = m.bookings.c.id == made[0]["id"]
        await connection.execute(update(m.bookings).where(where).values(internal_notes="Quill pays late"))
    return made


async def traces(api: Api, parts: tuple[str, ...] = TRACES) -> dict[str, int]:
    """Rows of every table in which a text or JSON column holds one of the parts."""
    found = {}
    async with api.database.read.connect() as connection:
        for table in m.metadata.sorted_tables:
            for column in table.columns:
                if isinstance(column.type, String | Text | JSON):
                    plain = func.lower(cast(column, Text))
                    for part in parts:
                        where = plain.contains(part, autoescape=True)
                        count = await connection.scalar(select(func.count()).select_from(table).where(where))
                        if count:
                            found[f"{table.name}.{column.name} {part}"] = count
    return found


async def published(api: Api) -> str:
    """All that the feeds, the calendars of everybody and the mail folder say."""
    acme = api.acme
    said = []
    async with client_of(api.app) as client:
        for kind in ("schedule", "organization"):
            feed = (
                await api.post("/me/feeds", acme.admin if kind == "organization" else acme.owner, json={"kind": kind})
            ).json()
            said.append((await client.get(feed["url"].removeprefix("http://127.0.0.1:8000"))).text)
        said += [await calendars_of(api, client, member) for member in (acme.owner, acme.colleague)]
        for booking_id in await booking_ids(api):
            said.append((await api.get(f"/bookings/{booking_id}", acme.admin)).text)
            said.append((await api.get(f"/bookings/{booking_id}/history", acme.admin)).text)
    folder = api.app.state.mail_folder
    for mail in await folder.list_mails(1000):
        whole = await folder.read_mail(mail.name)
        said.append(f"{whole.to} {whole.subject} {whole.text} {whole.html} {whole.invitation}")
    said.append((await api.get("/audit.csv", acme.admin)).text)
    return "\n".join(said).replace("\r\n ", "").lower()


async def calendars_of(api: Api, client: httpx.AsyncClient, member: Member) -> str:
    password = (await api.post("/me/app-passwords", member, json={"label": "Test"})).json()["password"]
    home = f"/dav/calendars/{member.user.handle}/schedule/"
    query = (
        "<C:calendar-query xmlns:C='urn:ietf:params:xml:ns:caldav' xmlns:D='DAV:'><D:prop><C:calendar-data/></D:prop>"
    )
    query += "<C:filter><C:comp-filter name='VCALENDAR'/></C:filter></C:calendar-query>"
    sign_in = (member.user.handle, password)
    answer = await client.request("REPORT", home, content=query, auth=sign_in, headers={"Depth": "1"})
    assert answer.status_code == 207, answer.text
    return answer.text


async def booking_ids(api: Api) -> list[str]:
    async with api.database.read.connect() as connection:
        return list(
            await connection.scalars(select(m.bookings.c.id).where(m.bookings.c.org_id == api.acme.organization.id))
        )


async def erase(api: Api, email: str = EMAIL, who: Member | None = None) -> dict[str, Any]:
    answer = await api.post("/erase", who or api.acme.admin, json={"email": email})
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


async def test_after_erasing_nothing_is_found_anywhere(api: Api) -> None:
    made = await told(api)
    before, said = await traces(api), await published(api)
    for place in ("bookings.recipient_email", "mail_deliveries.address", "one_time_links.recipient_email",
                  "calendar_objects.data", "blocked_recipients.value", "bookings.internal_notes"):  # fmt: skip
        assert any(name.startswith(place) for name in before), place
    assert all(part in said for part in ("zebedee", "quill", "estate", "orchid"))
    assert await erase(api, EMAIL.upper()) == {**await erase_counts(), "is_user": False, "contacts_left": []}
    await drain(api)  # what follows brings nothing back
    assert await traces(api) == {}
    assert {part for part in TRACES if part in await published(api)} == set()
    statuses = {each["id"]: (await api.get(f"/bookings/{each['id']}", api.acme.owner)).json() for each in made}
    assert [statuses[each["id"]]["status"] for each in made] == ["cancelled"] * 4 + ["confirmed"]
    assert statuses[made[0]["id"]]["recipient"] == {"name": "Erased", "email": "", "phone": None}
    assert statuses[made[0]["id"]]["cancel_reason"] == "erased"
    assert statuses[made[4]["id"]]["guests"] == []
    assert statuses[made[4]["id"]]["recipient"]["name"] == "Robin"


async def erase_counts() -> dict[str, int]:
    return {"bookings": 4, "guest_of": 1, "others": 3}  # the link, the block, the client


async def test_time_that_was_held_is_free_again_and_hosts_are_told(api: Api) -> None:
    made = await told(api)
    for name in {mail.name for mail in await api.app.state.mail_folder.list_mails(1000)}:
        (Path(api.app.state.mail_folder._directory) / name).unlink()
    await erase(api)
    await drain(api)
    mails = await api.app.state.mail_folder.list_mails(1000)
    assert {mail.to.partition("@")[2].rstrip(">") for mail in mails} <= {"acme.example.com", "example.org"}
    assert not any(EMAIL in mail.to or GUEST in mail.to for mail in mails)
    assert sum("owner@acme" in mail.to for mail in mails) >= 3, [mail.to for mail in mails]
    again = await book(api, at(3, 10), name="Next", email="next@example.org")
    assert again["id"] != made[0]["id"]


async def test_counts_and_the_log_stay(api: Api) -> None:
    made = await told(api)
    await erase(api)
    history = (await api.get(f"/bookings/{made[2]['id']}/history", api.acme.owner)).json()
    actions = [entry["action"] for entry in history["items" if "items" in history else "entries"]]
    assert actions[:2] == ["booking.created", "booking.cancel"]
    assert actions[-1] == "booking.erased"
    entry = (await api.get("/audit", api.acme.admin, params={"action": "person.erased"})).json()["items"][0]
    assert entry["changes"] == await erase_counts()
    figures = (await api.get("/analytics", api.acme.admin, params={"from": "2027-03-01", "to": "2027-03-01"})).json()
    assert figures["bookings"] == 7


async def test_other_organizations_keep_what_they_know(api: Api) -> None:
    await told(api)
    before = await traces(api, (EMAIL,))
    assert (await erase(api, EMAIL, api.umbrella.admin))["bookings"] == 0
    assert await traces(api, (EMAIL,)) == before
    theirs = (await api.get("/export", api.umbrella.admin, params={"email": EMAIL})).json()
    assert theirs["bookings"] == []


async def test_an_account_goes_once_its_owner_is_switched_off_and_relieved(api: Api) -> None:
    """Until then it is refused, by the page too, and says what is to be done."""
    acme, who = api.acme, api.acme.colleague
    email = who.user.email
    refused = await api.post("/erase", acme.admin, json={"email": email})
    assert (refused.status_code, code_of(refused)) == (409, "STILL_MEMBER")
    assert "Switch them off" in refused.json()["detail"]
    assert (await api.get("/me", who)).json()["email"] == email
    page = await enter(api, acme.admin)
    shown = await page.post("/app/settings/data/erase", email=email, sure="yes")
    assert shown.status_code in {400, 409}
    assert "Switch them off" in words(shown)
    assert (await api.patch(f"/employees/{who.id}", acme.admin, json={"is_active": False})).status_code == 200
    assert (await erase(api, email))["is_user"] is True
    assert await traces(api, (email,)) == {}
    listed = await api.get("/employees", acme.admin)
    assert who.id not in {each["id"] for each in listed.json()["items"]}
    last = await api.post("/erase", acme.admin, json={"email": acme.admin.user.email})
    assert (last.status_code, code_of(last)) == (409, "STILL_MEMBER")


async def test_the_command_line_reaches_every_organization(api: Api) -> None:
    await told(api)
    ports = ports_of(api)
    body = {"title": "T", "slug": "theirs"}
    link = (await api.post("/links", api.umbrella.owner, json=body)).json()["id"]
    await api.post(f"/links/{link}/one-time", api.umbrella.owner, json={"recipient_email": EMAIL})
    known = await export_everywhere(ports, EMAIL)
    assert [each["organization"]["name"] for each in known] == ["Acme", "Umbrella"]
    assert (await erase_everywhere(ports, EMAIL)).bookings == 4
    assert await traces(api, (EMAIL,)) == {}
    for act in (export_everywhere, erase_everywhere):
        with pytest.raises(NotFound):
            await act(ports, EMAIL)


async def test_erasing_twice_changes_nothing_more(api: Api) -> None:
    await told(api)
    await erase(api)
    assert await erase(api) == {"bookings": 0, "guest_of": 0, "others": 0, "is_user": False, "contacts_left": []}


async def test_idempotent_answers_of_others_stay(api: Api) -> None:
    body = {"title": "Mine"}
    first = await api.post("/links", api.acme.owner, json=body, headers={"Idempotency-Key": "k"})
    await told(api)
    await erase(api)
    again = await api.post("/links", api.acme.owner, json=body, headers={"Idempotency-Key": "k"})
    assert again.json()["id"] == first.json()["id"]


async def test_the_export_holds_what_was_told(api: Api) -> None:
    made = await told(api)
    found = (await api.get("/export", api.acme.admin, params={"email": EMAIL.upper()})).json()
    assert found["email"] == EMAIL
    assert {each["id"] for each in found["bookings"]} == {each["id"] for each in made[:4]}
    one = next(each for each in found["bookings"] if each["id"] == made[0]["id"])
    assert (one["recipient_phone"], one["notes"]) == ("+4930555123", "Bring the orchid")
    assert [each["id"] for each in found["guest_of"]] == [made[4]["id"]]
    assert len(found["one_time_links"]) == len(found["blocked"]) == 1
    assert found["mails"]
    assert "booking.cancel" in {each["action"] for each in found["actions"]}
    assert found["user"] is None
    mine = (await api.get("/export", api.acme.admin, params={"email": api.acme.owner.user.email})).json()
    assert mine["user"]["id"] == api.acme.owner.id
    assert "password" not in str(mine)


@pytest.mark.parametrize("email", ["x", "", "a b@example.org", "%@example.org"])
async def test_what_is_no_address_is_400(shared_api: Api, email: str) -> None:
    admin = shared_api.acme.admin
    assert (await shared_api.get("/export", admin, params={"email": email})).status_code == 400 or "%" in email
    answer = await shared_api.post("/erase", admin, json={"email": email})
    assert answer.status_code == 400 or "%" in email


# retention


async def keep(api: Api, **values: int | None) -> None:
    answer = await api.patch("/retention", api.acme.admin, json=values)
    assert answer.status_code == 200, answer.text


async def test_old_bookings_forget_their_recipients(api: Api) -> None:
    await told(api)
    api.clock.now = at(4, 20)
    await keep(api, retention_days=1)
    await drain(api)
    old, new = await kinds(api, at(3, 20)), await kinds(api, at(8, 0), later=True)
    assert old == {("", "Erased")}
    assert ("robin@example.org", "Robin") in new
    api.clock.now = at(20, 0)
    await drain(api)  # looked at again by itself
    assert {name for _, name in await kinds(api, at(18, 0))} == {"Erased"}
    found = await traces(api, ("quill",))
    assert {name.split()[0] for name in found} <= {"one_time_links.recipient_email", "blocked_recipients.value"}, found


async def kinds(api: Api, instant: int, *, later: bool = False) -> set[tuple[str, str]]:
    booked = m.bookings.c
    when = booked.end_at >= instant if later else booked.end_at < instant
    query = select(booked.recipient_email, booked.recipient_name)
    async with api.database.read.connect() as connection:
        rows = await connection.execute(
            query.where(when, booked.org_id == api.acme.organization.id, booked.capacity.is_(None))
        )
        return {(row[0], row[1]) for row in rows}


async def test_without_a_setting_everything_is_kept(api: Api) -> None:
    await told(api)
    api.clock.now = at(1, 0, month=12)
    org = api.acme.organization.id
    again = await retention_job(ports_of(api), Job(new_id(), org, "x", "retention", org, {}, 1, 1))
    assert again == api.clock.now + DAY
    assert await traces(api, ("quill",))


async def test_the_log_is_kept_as_long_as_it_says(api: Api) -> None:
    """Entries of long ago go; what the database still guards stays."""
    org = api.acme.organization.id
    async with api.database.write.begin() as connection:
        row = {"org_id": org, "actor_kind": "system", "action": "link.changed", "entity": "link", "changes": {}}
        rows = [{**row, "id": new_id(), "entity_id": new_id(), "at": 1_000_000 + number} for number in range(7)]
        await connection.execute(insert(m.audit_entries), rows)
    await keep(api, audit_days=400)
    await drain(api)
    async with api.database.read.connect() as connection:
        own = text("SELECT count(*) FROM audit_entries WHERE at < 2000000")
        assert await connection.scalar(own) == 0
        assert (await connection.scalar(select(func.count()).select_from(m.audit_entries)) or 0) > 5


async def test_the_settings_are_admins_and_bounded(api: Api) -> None:
    acme = api.acme
    assert (await api.get("/retention", acme.admin)).json() == {"retention_days": None, "audit_days": None}
    for wrong in ({"retention_days": 0}, {"audit_days": 89}, {"audit_days": "x"}, {"days": 3}):
        assert code_of(await api.patch("/retention", acme.admin, json=wrong)) == "VALIDATION_ERROR"
    await keep(api, retention_days=365)
    await keep(api, audit_days=400)
    assert (await api.get("/retention", acme.admin)).json() == {"retention_days": 365, "audit_days": 400}
    entries = (await api.get("/audit", acme.admin, params={"action": "organization.changed"})).json()["items"]
    assert [entry["changes"] for entry in entries] == [{"audit_days": [None, 400]}, {"retention_days": [None, 365]}]
    await keep(api, retention_days=None)
    assert (await api.get("/retention", acme.admin)).json()["retention_days"] is None


async def test_one_booking_costs_the_same_among_many(api: Api) -> None:
    made = await told(api)
    costs = []
    for number in (0, 3):
        async with statements_of(None) as statements:
            await erase_booking(ports_of(api), made[number]["id"], SYSTEM)
        costs.append(len(statements))
        async with api.database.write.begin() as connection:
            row = dict(
                (await connection.execute(select(m.bookings).where(m.bookings.c.id == made[4]["id"]))).mappings().one()
            )
            keys = [new_id() for _ in range(2000)]
            rows = [
                {
                    **row,
                    "id": key,
                    "occurrence_id": key,
                    "uid": key,
                    "token_lookup": key.replace("-", "").ljust(64, "1"),
                }
                for key in keys
            ]
            await connection.execute(insert(m.bookings), rows)
    assert costs[0] == costs[1] <= 45


async def test_the_page(api: Api) -> None:
    await told(api)
    admin = await enter(api, api.acme.admin)
    page = await admin.get("/app/settings/data")
    assert page.status_code == 200
    refused = await admin.post("/app/settings/data/erase", email=EMAIL)
    assert refused.status_code == 400
    assert "tick" in words(refused).lower()
    done = await admin.post("/app/settings/data/erase", email=EMAIL, sure="yes")
    assert done.headers["location"].startswith("/app/settings/data?did=erased")
    assert await traces(api, (EMAIL,)) == {}
    kept = await admin.post("/app/settings/data", retention_days="30", audit_days="")
    assert kept.headers["location"].startswith("/app/settings/data?did=saved")
    wrong = await admin.post("/app/settings/data", retention_days="x", audit_days="5")
    assert wrong.status_code == 400
    owner = await enter(api, api.acme.owner)
    assert (await owner.get("/app/settings/data")).status_code == 403
    assert (await owner.post("/app/settings/data/erase", email=EMAIL, sure="yes")).status_code == 403
