"""Lists: every item once, by pages of any length; the same few statements for ten rows and for ten thousand."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import insert, select

from app.db import models as m
from app.use_cases.ids import new_id
from tests.http.api import Api
from tests.http.workspace import NOW, Company, Member, at, day_of, moment
from tests.support.statements import statements_of

pytestmark = pytest.mark.anyio

HOUR, DAY = 3600, 86400
MANY = 10_000
Rows = list[dict[str, Any]]


async def template_row(api: Api, table: Any, row_id: str) -> dict[str, Any]:
    """A row to copy."""
    async with api.database.read.connect() as connection:
        row = (await connection.execute(select(table).where(table.c.id == row_id))).mappings().one()
    return dict(row)


async def add(api: Api, table: Any, rows: Rows) -> None:
    async with api.database.write.begin() as connection:
        for first in range(0, len(rows), 1000):
            await connection.execute(insert(table), rows[first : first + 1000])


async def add_links(api: Api, numbers: range) -> None:
    row = await template_row(api, m.links, api.acme.link.id)
    await add(api, m.links, [{**row, "id": new_id(), "slug": f"copy-{number}"} for number in numbers])


async def add_one_times(api: Api, numbers: range) -> None:
    row = await template_row(api, m.one_time_links, api.acme.one_time.id)
    rows = [{**row, "id": new_id(), "token_lookup": f"{number:064}"} for number in numbers]
    await add(api, m.one_time_links, rows)


async def add_templates(api: Api, numbers: range) -> None:
    row = await template_row(api, m.templates, api.acme.template.id)
    await add(api, m.templates, [{**row, "id": new_id()} for _ in numbers])


async def add_time_off(api: Api, numbers: range) -> None:
    """Ten of them begin at the same time, so that the cursor has to tell them apart."""
    row = await template_row(api, m.time_off, api.acme.time_off.id)
    rows = [{**row, "id": new_id(), "start_at": NOW + number // 10 * HOUR} for number in numbers]
    await add(api, m.time_off, [{**row, "end_at": row["start_at"] + HOUR} for row in rows])


async def add_dead_letters(api: Api, numbers: range) -> None:
    row = await template_row(api, m.outbox, api.acme.dead_letter_id)
    await add(api, m.outbox, [{**row, "id": new_id(), "lane": f"copy:{number}"} for number in numbers])


async def add_bookings(api: Api, numbers: range) -> None:
    """Five begin at the same time."""
    row = await template_row(api, m.bookings, api.acme.booking.id)
    rows = []
    for number in numbers:
        start, booking_id = at(2, 10) + (number // 5 + 1) * HOUR, new_id()
        rows.append(
            {
                **row,
                "id": booking_id,
                "occurrence_id": booking_id,
                "uid": f"{booking_id}@example.com",
                "token_lookup": f"{number:064}",
                "start_at": start,
                "end_at": start + HOUR // 2,
            }
        )
    await add(api, m.bookings, rows)
    hosts = [
        {"booking_id": row["id"], "host_id": api.acme.owner.id, "start_at": row["start_at"], "booked_at": NOW}
        for row in rows
    ]
    await add(api, m.booking_hosts, hosts)


async def add_slots(api: Api, numbers: range) -> None:
    """Sessions, each with somebody who attends."""
    row = await template_row(api, m.bookings, api.acme.slot.id)
    attendee = await template_row(api, m.bookings, api.acme.booking.id)
    sessions, attendees = [], []
    for number in numbers:
        key, seat, start = new_id(), new_id(), at(5, 16) + (number // 5 + 1) * HOUR
        times = {"start_at": start, "end_at": start + HOUR}
        sessions.append({**row, **times, "id": key, "occurrence_id": key, "uid": key, "token_lookup": key})
        attendees.append({**attendee, **times, "id": seat, "occurrence_id": key, "uid": seat, "token_lookup": seat})
    await add(api, m.bookings, [*sessions, *attendees])
    hosts = [
        {"booking_id": row["id"], "host_id": api.acme.owner.id, "start_at": row["start_at"], "booked_at": 0}
        for row in sessions
    ]
    await add(api, m.booking_hosts, hosts)


async def add_services(api: Api, numbers: range) -> None:
    """Each needs the room, and the owner is qualified for it."""
    row = await template_row(api, m.services, api.acme.service.id)
    rows = [{**row, "id": new_id()} for _ in numbers]
    await add(api, m.services, rows)
    async with api.database.read.connect() as connection:
        units = m.hosts.c.resource_id == api.acme.resource.id
        room = await connection.scalar(select(m.hosts.c.id).where(units).limit(1))
    takers = [(room, "unit"), (api.acme.owner.id, "pool")]
    offered = [{"offer_id": each["id"], "host_id": host, "role": role} for each in rows for host, role in takers]
    await add(api, m.offer_hosts, offered)


async def add_resources(api: Api, numbers: range) -> None:
    row = await template_row(api, m.resources, api.acme.resource.id)
    await add(api, m.resources, [{**row, "id": new_id()} for _ in numbers])


async def add_people(api: Api, numbers: range) -> None:
    """All of them qualified for the service."""
    person = await template_row(api, m.users, api.acme.employee.id)
    host = await template_row(api, m.hosts, api.acme.employee.id)
    ids = [(new_id(), number) for number in numbers]
    names = [{"id": key, "email": f"{number}@copy.example.com", "handle": f"copy{number}"} for key, number in ids]
    await add(api, m.users, [{**person, **name} for name in names])
    await add(api, m.hosts, [{**host, "id": key, "user_id": key} for key, _ in ids])
    await add(api, m.offer_hosts, [{"offer_id": api.acme.service.id, "host_id": key} for key, _ in ids])


async def add_clients(api: Api, numbers: range) -> None:
    """Each with a booking of the owner's."""
    row = await template_row(api, m.clients, api.acme.client.id)
    rows = [{**row, "id": new_id()} for _ in numbers]
    await add(api, m.clients, rows)
    org = {"org_id": api.acme.organization.id, "kind": "email"}
    known = [{**org, "value": f"{each['id']}@example.org", "client_id": each["id"]} for each in rows]
    await add(api, m.client_identities, known)
    booking = await template_row(api, m.bookings, api.acme.booking.id)
    bookings = []
    for each in rows:
        key = new_id()
        own = {"id": key, "occurrence_id": key, "uid": key, "token_lookup": key, "client_id": each["id"]}
        bookings.append({**booking, **own})
    await add(api, m.bookings, bookings)


async def add_blocks(api: Api, numbers: range) -> None:
    row = await template_row(api, m.blocked_recipients, api.acme.block.id)
    rows = [{**row, "id": new_id(), "value": f"{number}@blocked.example"} for number in numbers]
    await add(api, m.blocked_recipients, rows)


async def add_notifications(api: Api, numbers: range) -> None:
    """The owner's, unread."""
    row = {"org_id": api.acme.organization.id, "user_id": api.acme.owner.id, "kind": "new", "sequence": 0}
    row |= {"booking_id": api.acme.booking.id, "created_at": NOW, "read_at": None}
    await add(api, m.notifications, [{**row, "id": new_id()} for _ in numbers])


Filler = Callable[[Api, range], Any]
LISTS: dict[str, tuple[Callable[[Company], str], Filler, int]] = {
    # path, how to fill it, the most statements one page may take (the caller's token is one of them)
    "links": (lambda _: "/links", add_links, 3),
    "one-time links": (lambda c: f"/links/{c.link.id}/one-time", add_one_times, 3),
    "templates": (lambda _: "/templates", add_templates, 2),
    "time off": (lambda c: f"/employees/{c.owner.id}/time-off", add_time_off, 2),
    "dead letters": (lambda _: "/dead-letters", add_dead_letters, 2),
    "services": (lambda _: "/services", add_services, 3),
    "services found": (lambda _: "/services/search?q=consult&sort=price", add_services, 3),
    "resources": (lambda _: "/resources", add_resources, 2),
    "clients": (lambda _: "/clients", add_clients, 4),
    "blocked recipients": (lambda _: "/blocked-recipients", add_blocks, 2),
    "people": (lambda _: "/employees", add_people, 3),
    "a person's bookings": (lambda c: f"/employees/{c.owner.id}/schedule", add_bookings, 5),
    "bookings": (lambda _: "/bookings", add_bookings, 5),
    "slots": (lambda _: "/slots", add_slots, 4),
    "my schedule": (lambda _: "/me/schedule", add_bookings, 5),
    "my notifications": (lambda _: "/me/notifications", add_notifications, 3),
}


async def walk(api: Api, path: str, who: Member, limit: int) -> list[list[dict[str, Any]]]:
    pages: list[list[dict[str, Any]]] = []
    cursor: str | None = None
    while True:
        query = {"limit": str(limit), **({"cursor": cursor} if cursor else {})}
        answer = await api.get(path, who, params=query)
        assert answer.status_code == 200, answer.text
        body = answer.json()
        pages.append(body["items"])
        cursor = body["next_cursor"]
        if cursor is None:
            return pages


@pytest.mark.parametrize("name", LISTS)
async def test_every_item_is_listed_once(api: Api, name: str) -> None:
    path_of, fill, _ = LISTS[name]
    await fill(api, range(47))
    path = path_of(api.acme)
    (whole,) = await walk(api, path, api.acme.owner, 200)
    assert len(whole) >= 47
    for limit in (1, 7, len(whole) - 1, len(whole), len(whole) + 1):
        pages = await walk(api, path, api.acme.owner, limit)
        assert [item for page in pages for item in page] == whole
        assert [len(page) for page in pages[:-1]] == [limit] * (len(pages) - 1)
        assert 0 < len(pages[-1]) <= limit, "no empty page at the end"


@pytest.mark.parametrize("name", LISTS)
async def test_ten_thousand_rows_take_the_statements_of_ten(api: Api, name: str) -> None:
    """Anywhere in the list; and no more rows are read than shown."""
    path_of, fill, bound = LISTS[name]
    path = path_of(api.acme)
    counts = []
    for numbers in (range(10), range(10, MANY)):
        await fill(api, numbers)
        cursor = None
        for _ in range(2):
            query = {"limit": "5", **({"cursor": cursor} if cursor else {})}
            async with statements_of(None) as statements:
                answer = await api.get(path, api.acme.owner, params=query)
            assert len(answer.json()["items"]) == 5
            cursor = answer.json()["next_cursor"]
            counts.append(len(statements))
    assert len(set(counts)) == 1, counts
    assert counts[0] <= bound, statements


async def test_bookings_are_filtered_by_local_dates(api: Api) -> None:
    """`from` and `to` are dates of `timezone`, both inclusive; without it, of the caller's zone."""
    acme = api.acme
    start = acme.booking.start  # 2027-03-02 10:00 in Berlin, 22:00 in Auckland
    for query, expected in (
        ({"from": "2027-03-02", "to": "2027-03-02"}, True),
        ({"from": "2027-03-03"}, False),
        ({"to": "2027-03-01"}, False),
        ({"from": "2027-03-01", "to": "2027-03-01", "timezone": "Pacific/Honolulu"}, True),
        ({"from": "2027-03-02", "to": "2027-03-02", "timezone": "Pacific/Kiritimati"}, True),
        ({"to": "2027-03-01", "timezone": "America/Los_Angeles"}, False),
    ):
        items = (await api.get("/bookings", acme.owner, params=query)).json()["items"]
        assert (moment_of(items, acme.booking.id) is not None) == expected, query
    assert day_of(start) == "2027-03-02"


def moment_of(items: list[dict[str, Any]], booking_id: str) -> str | None:
    return next((item["start"] for item in items if item["id"] == booking_id), None)


async def test_bookings_are_filtered_by_what_they_are(api: Api) -> None:
    acme = api.acme
    for query, expected in (
        ({"status": "confirmed"}, {acme.booking.id}),
        ({"status": "pending"}, {acme.pending.id}),
        ({"status": ["pending", "confirmed"]}, {acme.booking.id, acme.pending.id}),
        ({"link": acme.link.id}, {acme.booking.id}),
        ({"link": acme.approval_link.id}, {acme.pending.id}),
        ({"host": acme.owner.id}, {acme.booking.id, acme.pending.id}),
        ({"host": acme.admin.id}, set()),
        ({"recipient": "RAE@Example.org"}, {acme.booking.id, acme.pending.id}),
        ({"recipient": "nobody@example.org"}, set()),
        ({"status": "cancelled"}, set()),
    ):
        items = (await api.get("/bookings", acme.admin, params=query)).json()["items"]
        assert {item["id"] for item in items} == expected, query


async def test_my_schedule_is_what_is_to_come(api: Api) -> None:
    """Confirmed ones, from now on; the past on demand."""
    acme = api.acme
    ids = [item["id"] for item in (await api.get("/me/schedule", acme.owner)).json()["items"]]
    assert ids == [acme.booking.id, acme.slot.id]
    api.clock.now = at(4, 8)
    coming = (await api.get("/me/schedule", acme.owner)).json()["items"]
    assert [item["id"] for item in coming] == [acme.slot.id]
    past = (await api.get("/me/schedule", acme.owner, params={"from": "2027-03-01"})).json()["items"]
    assert [item["id"] for item in past] == [acme.booking.id, acme.slot.id]


async def test_a_page_stays_whole_while_others_write(api: Api) -> None:
    """Something made or ended between two pages is neither doubled nor does it hide anything else."""
    acme = api.acme
    for hour in (9, 11, 13):
        body = {"start": moment(at(20, hour)), "end": moment(at(20, hour + 1))}
        await api.post(f"/employees/{acme.owner.id}/time-off", acme.owner, json=body)
    path = f"/employees/{acme.owner.id}/time-off"
    first = (await api.get(path, acme.owner, params={"limit": "2"})).json()
    early = {"start": moment(at(3, 9)), "end": moment(at(3, 10))}
    await api.post(path, acme.owner, json=early)
    await api.delete(f"{path}/{first['items'][1]['id']}", acme.owner)
    second = (await api.get(path, acme.owner, params={"limit": "2", "cursor": first["next_cursor"]})).json()
    assert [item["start"] for item in second["items"]] == [moment(at(20, 11)), moment(at(20, 13))]
