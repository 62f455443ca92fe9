"""The list of all bookings: narrowed down, and many confirmed at once."""

from __future__ import annotations

from dataclasses import replace

import pytest

from app.use_cases.book_slot import book_slot
from app.use_cases.booking_changes import SYSTEM
from app.use_cases.change_booking import take_step
from app.use_cases.ids import new_id
from tests.http.api import Api, code_of
from tests.http.signed_in import Visitor, enter, ports_of, words
from tests.http.test_lists import add_bookings
from tests.http.workspace import at, request_at
from tests.support.prepared import snapshot
from tests.support.statements import statements_of

pytestmark = pytest.mark.anyio


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("q=rae", {"booking", "pending"}),
        ("q=Recip", {"booking", "pending"}),
        ("q=RAE%40example", {"booking", "pending"}),
        ("q=ecipient", set()),
        ("q=%25", set()),
        ("q=rae&status=pending", {"pending"}),
        ("status=cancelled", set()),
        ("from=2027-03-02&to=2027-03-02", {"booking", "pending"}),
        ("to=2027-03-01", set()),
        ("host={owner}", {"booking", "pending"}),
        ("host={employee}", set()),
        ("service={service}", set()),
    ],
)
async def test_bookings_are_found(shared_api: Api, query: str, expected: set[str]) -> None:
    acme = shared_api.acme
    admin = await enter(shared_api, acme.admin)
    asked = query.format(owner=acme.owner.id, employee=acme.employee.id, service=acme.service.id)
    shown = await admin.get(f"/app/bookings?{asked}")
    assert shown.status_code == 200
    found = {name for name in ("booking", "pending") if f'href="/app/bookings/{getattr(acme, name).id}"' in shown.text}
    assert found == expected
    assert ("Nothing found" in words(shown)) == (not expected)
    if "{" not in query and "from" not in query and "to=" not in query:
        api_query = query.replace("%40", "@").replace("%25", "%")
        params = dict(part.split("=") for part in api_query.split("&"))
        items = (await shared_api.get("/bookings", acme.admin, params=params)).json()["items"]
        assert {item["id"] for item in items} == {getattr(acme, name).id for name in expected}


async def test_a_filter_that_cannot_be_says_so(shared_api: Api) -> None:
    admin = await enter(shared_api, shared_api.acme.admin)
    for query, message in (
        ("host=x", "choose from the list"),
        ("from=2027-02-30", "written YYYY-MM-DD"),
        ("from=2027-03-05&to=2027-03-01", "lies before the first"),
    ):
        shown = await admin.get(f"/app/bookings?{query}")
        assert (query, shown.status_code, message in words(shown)) == (query, 200, True)


async def test_a_filter_shows_nothing_of_others(shared_api: Api) -> None:
    acme = shared_api.acme
    for member in (acme.employee, acme.colleague, shared_api.umbrella.admin):
        visitor = await enter(shared_api, member)
        for query in ("q=rae", f"host={acme.owner.id}", "status=confirmed"):
            text = (await visitor.get(f"/app/bookings?{query}")).text
            assert acme.booking.id not in text
    employee = await enter(shared_api, acme.employee)
    assert 'name="host"' not in (await employee.get("/app/bookings")).text


async def test_many_are_confirmed_at_once(api: Api, owner: Visitor) -> None:
    ports, acme = ports_of(api), api.acme
    wanted = [replace(request_at(at(4, 9 + hour)), answers={}) for hour in range(3)]
    more = [await book_slot(ports, "acme.approval", each) for each in wanted]
    await take_step(ports, more[1].id, "cancel", SYSTEM)
    ids = [acme.pending.id, more[0].id, more[1].id, new_id(), api.umbrella.pending.id]
    answer = await owner.post("/app/bookings/confirm", ids=ids)
    text = words(answer)
    assert answer.status_code == 409
    assert "3 bookings were not confirmed" in text
    assert "This booking is cancelled" in text
    async with ports.read() as work:
        found = [await work.bookings.get(each) for each in [*ids[:3], more[2].id, api.umbrella.pending.id]]
    assert [each and each.status for each in found] == ["confirmed", "confirmed", "cancelled", "pending", "pending"]
    answer = await owner.post("/app/bookings/confirm", ids=[more[2].id])
    assert answer.headers["location"] == "/app/bookings?view=pending&did=confirmed-all"
    assert (await owner.post("/app/bookings/confirm", ids=["x", ""])).headers["location"].endswith("none-chosen")


async def test_the_answer_tells_of_each_what_became_of_it(api: Api) -> None:
    acme, unknown = api.acme, new_id()
    ids = [acme.pending.id, acme.booking.id, unknown, api.umbrella.pending.id]
    answer = (await api.post("/bookings/confirm", acme.owner, json={"ids": ids})).json()["items"]
    assert [(each["id"], each["confirmed"], each["code"]) for each in answer] == [
        (acme.pending.id, True, None),
        (acme.booking.id, True, None),
        (unknown, False, "NOT_FOUND"),
        (api.umbrella.pending.id, False, "NOT_FOUND"),
    ]
    before = await snapshot(api.database)
    for ids in ([], [new_id() for _ in range(101)]):
        refused = await api.post("/bookings/confirm", acme.owner, json={"ids": ids})
        assert (refused.status_code, code_of(refused)) == (400, "VALIDATION_ERROR")
    for stranger in (acme.employee, acme.colleague):
        (each,) = (await api.post("/bookings/confirm", stranger, json={"ids": [acme.pending.id]})).json()["items"]
        assert each["code"] == "NOT_FOUND"
    assert await snapshot(api.database) == before


async def test_ten_thousand_bookings_take_the_statements_of_ten(api: Api) -> None:
    admin = await enter(api, api.acme.admin)
    counts = []
    for numbers in (range(10), range(10, 10_000)):
        await add_bookings(api, numbers)
        for query in ("", "q=rae", f"host={api.acme.owner.id}&status=confirmed"):
            async with statements_of(None) as statements:
                assert "Rae" in (await admin.get(f"/app/bookings?{query}")).text
            counts.append(len(statements))
    assert counts[:3] == counts[3:], counts
    assert max(counts) <= 16, statements
