"""The audit log over HTTP: what is noted, from where, by which filters it is found, and as a file."""

from __future__ import annotations

import csv
import io
from typing import Any

import pytest
from sqlalchemy import insert, select, update

from app.db import models as m
from app.use_cases.ids import new_id
from tests.http.api import Api, client_of
from tests.http.signed_in import Visitor, enter, words
from tests.http.workspace import NOW, PASSWORD, Company, Member, at, moment
from tests.support.statements import statements_of

pytestmark = pytest.mark.anyio

Entry = dict[str, Any]
FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0"


async def log(api: Api, who: Member | None = None, **query: str) -> list[Entry]:
    answer = await api.get("/audit", who or api.acme.admin, params={"limit": "200", **query})
    assert answer.status_code == 200, answer.text
    items: list[Entry] = answer.json()["items"]
    return items


async def test_an_entry_says_who_what_before_after_and_from_where(api: Api) -> None:
    acme = api.acme
    path = f"/links/{acme.link.id}"
    headers = {"User-Agent": FIREFOX}
    before = (await api.get(path, acme.owner)).json()
    sent = {"title": "A longer call", "buffer_after": 25, "location": {"kind": "phone", "value": ""}}
    await api.patch(path, acme.owner, json=sent, headers=headers)
    entry = (await log(api, action="link.changed"))[0]
    assert entry["actor"] == {"kind": "user", "id": acme.owner.id, "name": acme.owner.user.name}
    assert (entry["entity"], entry["entity_id"], entry["at"]) == ("link", acme.link.id, moment(NOW))
    assert entry["changes"] == {
        "title": [before["title"], "A longer call"],
        "buffer_after": [before["buffer_after"], 25],
        "location": [before["location"], {"kind": "phone", "value": ""}],
    }
    assert entry["origin"] == {"via": "api", "address": "203.0.113.0/24", "agent": "Firefox on Linux"}


async def test_of_an_address_just_the_network_is_kept(api: Api) -> None:
    for address, network in (("198.51.100.77", "198.51.100.0/24"), ("2001:db8:12:34::5", "2001:db8:12::/48")):
        async with client_of(api.app, address) as client:
            headers = {"Authorization": f"Bearer {api.acme.owner.token}"}
            await client.post(f"/api/v1/links/{api.acme.link.id}/toggle", headers=headers)
        assert (await log(api, action="link.changed"))[0]["origin"]["address"] == network
    async with api.database.read.connect() as connection:
        rows = (await connection.execute(select(m.audit_entries.c.address))).scalars()
        assert not {row for row in rows if row and ("77" in row or row.endswith("::5"))}


async def test_pages_devices_and_the_program_itself_are_told_apart(api: Api, owner: Visitor) -> None:
    await owner.post(f"/app/links/{api.acme.link.id}/switch")
    assert (await log(api, action="link.changed"))[0]["origin"]["via"] == "page"
    assert (await log(api, action="link.created"))[0]["origin"] == {"via": "system", "address": None, "agent": None}


async def test_sign_ins_are_noted_and_refused_ones_too(api: Api) -> None:
    who = api.acme.owner
    async with client_of(api.app) as client:
        for password in ("wrong-horse-battery", PASSWORD):
            await client.post("/", data={"email": who.user.email, "password": password})
        await client.post("/", data={"email": "nobody@example.org", "password": PASSWORD})
    entries = [
        entry for entry in await log(api, entity="user") if entry["action"] in {"user.signed_in", "user.refused"}
    ]
    assert [(entry["action"], entry["actor"]["kind"], entry["entity_id"]) for entry in entries] == [
        ("user.signed_in", "user", who.id),
        ("user.refused", "stranger", who.id),
    ]


CHANGES: tuple[tuple[str, str, Any, str], ...] = (
    # method, path, body, what is noted of it
    ("POST", "/links", {"title": "T"}, "link.created"),
    ("POST", "/links/{c.link.id}/toggle", None, "link.changed"),
    ("POST", "/links/{c.link.id}/one-time", {}, "one_time_link.created"),
    ("POST", "/templates", {"name": "T"}, "template.created"),
    ("PATCH", "/templates/{c.template.id}", {"name": "U"}, "template.changed"),
    ("POST", "/schedules", {"name": "S", "timezone": "UTC"}, "schedule.created"),
    ("PATCH", "/schedules/{c.schedule.id}", {"name": "T"}, "schedule.changed"),
    ("POST", "/services", {"name": "S"}, "service.created"),
    ("PATCH", "/services/{c.service.id}", {"name": "T"}, "service.changed"),
    ("PUT", "/services/{c.service.id}/employees", {"items": []}, "service.changed"),
    ("POST", "/resources", {"name": "R"}, "resource.created"),
    ("PATCH", "/resources/{c.resource.id}", {"name": "S"}, "resource.changed"),
    ("PATCH", "/employees/{c.employee.id}", {"max_per_day": 3}, "employee.limited"),
    ("PATCH", "/organization", {"hold_minutes": 99}, "organization.changed"),
    ("POST", "/me/feeds", {"kind": "busy"}, "feed.created"),
    ("POST", "/me/app-passwords", {"label": "Laptop"}, "app_password.created"),
    ("POST", "/bookings/{c.pending.id}/confirm", None, "booking.confirm"),
    ("DELETE", "/bookings/{c.booking.id}", None, "booking.cancel"),
)


@pytest.mark.parametrize(("method", "path", "body", "action"), CHANGES, ids=[each[3] for each in CHANGES])
async def test_what_admins_change_is_noted(api: Api, method: str, path: str, body: Any, action: str) -> None:
    sent = {} if body is None else {"json": body}
    answer = await api.call(method, path.format(c=api.acme), api.acme.admin, **sent)
    assert answer.status_code < 300, answer.text
    newest = (await log(api, actor=api.acme.admin.id))[0]
    assert (newest["action"], newest["origin"]["via"]) == (action, "api")
    if "changed" in action:
        assert newest["changes"], newest
        assert all(len(pair) == 2 and pair[0] != pair[1] for pair in newest["changes"].values())


async def test_what_a_recipient_wrote_is_not_in_the_log(api: Api) -> None:
    acme = api.acme
    reason = "Robin Reader is in hospital"
    await api.post(f"/public/bookings/{acme.booking.token}/cancel", json={"reason": reason})
    entries = await log(api, entity_id=acme.booking.id)
    assert entries[0]["actor"] == {"kind": "recipient", "id": acme.booking.id, "name": acme.booking.recipient.name}
    assert entries[0]["changes"]["status"] == ["confirmed", "cancelled"]
    assert reason not in str(entries)
    assert (await api.get(f"/bookings/{acme.booking.id}", acme.owner)).json()["cancel_reason"] == reason


async def test_names_are_those_of_now(api: Api) -> None:
    acme = api.acme
    async with api.database.write.begin() as connection:
        where = m.bookings.c.id == acme.booking.id
        await connection.execute(update(m.bookings).where(where).values(recipient_name="Erased"))
    entries = await log(api, entity_id=acme.booking.id)
    assert {entry["actor"]["name"] for entry in entries} == {"Erased"}


async def test_the_log_is_filtered(api: Api) -> None:
    acme = api.acme
    api.clock.now = at(3, 12)
    await api.post(f"/links/{acme.link.id}/toggle", acme.owner)
    api.clock.now = at(4, 12)
    await api.post(f"/bookings/{acme.booking.id}/start", acme.admin)
    for query, expected in (
        ({"actor": acme.admin.id, "from": "2027-03-02"}, ["booking.start"]),
        ({"entity": "link", "from": "2027-03-02"}, ["link.changed"]),
        ({"action": "link.changed"}, ["link.changed"]),
        ({"entity_id": acme.link.id, "from": "2027-03-02"}, ["link.changed"]),
        ({"from": "2027-03-03", "to": "2027-03-03", "timezone": "Europe/Berlin"}, ["link.changed"]),
        ({"from": "2027-03-02", "timezone": "Europe/Berlin"}, ["booking.start", "link.changed"]),
        ({"from": "2027-03-05"}, []),
        ({"entity_id": api.umbrella.link.id}, []),
    ):
        assert [entry["action"] for entry in await log(api, None, **query)] == expected, query


@pytest.mark.parametrize(
    "query",
    [{"actor": "x"}, {"entity_id": "7"}, {"action": "Link changed"}, {"from": "x"}, {"cursor": "x"}, {"who": "x"}],
)
async def test_a_senseless_filter_is_400(shared_api: Api, query: dict[str, str]) -> None:
    assert (await shared_api.get("/audit", shared_api.acme.admin, params=query)).status_code == 400


async def grow(api: Api, numbers: range) -> None:
    """Five at the same time, by the recipient of the booking and by its host in turn."""
    acme = api.acme
    async with api.database.read.connect() as connection:
        where = m.audit_entries.c.entity_id == acme.booking.id
        row = dict((await connection.execute(select(m.audit_entries).where(where).limit(1))).mappings().one())
    actors = [("user", acme.owner.id), ("recipient", acme.booking.id)]
    rows = []
    for number in numbers:
        kind, actor = actors[number % 2]
        named = {"actor_kind": kind, "actor_id": actor, "action": "booking.edited"}
        rows.append({**row, **named, "id": new_id(), "at": NOW - number // 5 * 60})
    async with api.database.write.begin() as connection:
        for first in range(0, len(rows), 1000):
            await connection.execute(insert(m.audit_entries), rows[first : first + 1000])


async def test_every_entry_is_listed_once(api: Api) -> None:
    await grow(api, range(47))
    whole = [entry["id"] for entry in await log(api)]
    assert len(whole) == len(set(whole)) >= 47
    for limit in (1, 7, len(whole) - 1, len(whole)):
        seen: list[str] = []
        query = {"limit": str(limit)}
        while True:
            page = (await api.get("/audit", api.acme.admin, params=query)).json()
            seen += [entry["id"] for entry in page["items"]]
            if page["next_cursor"] is None:
                break
            query["cursor"] = page["next_cursor"]
        assert seen == whole


def filters(company: Company) -> tuple[dict[str, str], ...]:
    return (
        {},
        {"action": "booking.edited"},
        {"entity": "booking"},
        {"entity_id": company.booking.id},
        {"actor": company.owner.id},
        {"from": "2027-02-01", "to": "2027-03-02"},
    )


async def test_ten_thousand_entries_take_the_statements_of_ten(api: Api) -> None:
    counts: list[list[int]] = []
    for numbers in (range(10), range(10, 10_000)):
        await grow(api, numbers)
        cost = []
        for query in filters(api.acme):
            async with statements_of(None) as statements:
                assert len(await log(api, None, **{**query, "limit": "5"})) == 5
            cost.append(len(statements))
        counts.append(cost)
    assert counts[0] == counts[1]
    assert max(counts[0]) <= 4


async def test_the_log_as_a_table(api: Api) -> None:
    """More of it than one page reads; what a spreadsheet would compute is shown instead."""
    acme = api.acme
    await grow(api, range(450))
    await api.patch(f"/links/{acme.link.id}", acme.owner, json={"title": "=1+1"})
    async with api.database.write.begin() as connection:
        await connection.execute(update(m.users).where(m.users.c.id == acme.owner.id).values(name='=HYPERLINK("x")'))
    answer = await api.get("/audit.csv", acme.admin)
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    assert answer.headers["content-disposition"] == 'attachment; filename="audit.csv"'
    rows = list(csv.DictReader(io.StringIO(answer.text)))
    assert [row["id"] for row in rows[:200]] == [entry["id"] for entry in await log(api)]
    assert len(rows) > 450
    assert {row["actor_name"] for row in rows if row["actor_id"] == acme.owner.id} == {'\'=HYPERLINK("x")'}
    assert not any(cell.startswith(("=", "+", "@")) for row in rows for cell in row.values())
    few = (await api.get("/audit.csv", acme.admin, params={"action": "link.changed"})).text
    assert [row["action"] for row in csv.DictReader(io.StringIO(few))] == ["link.changed"]


async def test_the_page_shows_and_filters(api: Api) -> None:
    acme = api.acme
    admin = await enter(api, acme.admin)
    await api.patch(
        f"/links/{acme.link.id}", acme.owner, json={"title": "<b>Bold</b>"}, headers={"User-Agent": FIREFOX}
    )
    page = await admin.get("/app/audit")
    assert page.status_code == 200
    assert "Link changed" in words(page)
    assert "&lt;b&gt;Bold" in page.text
    assert "API · Firefox on Linux · 203.0.113.0/24" in words(page)
    assert "umbrella" not in page.text.lower()
    assert "Booking created" not in words(await admin.get("/app/audit?entity=link")).partition("Show all")[2]
    assert "Nothing found" in words(await admin.get("/app/audit?from=2040-01-01"))
    wrong = await admin.get("/app/audit?from=x&actor=y&action=Z")
    assert wrong.status_code == 200
    assert "Please choose a date." in words(wrong)
    assert 'href="/api/v1/audit.csv?entity=link"' in (await admin.get("/app/audit?entity=link")).text


async def test_pages_go_on(api: Api) -> None:
    await grow(api, range(120))
    admin = await enter(api, api.acme.admin)
    first = await admin.get("/app/audit?action=booking.edited")
    assert "Older" in words(first)
    assert "action=booking.edited&amp;cursor=" in first.text
