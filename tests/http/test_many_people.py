"""Pages of an organization of ten and of ten thousand people: the same statements, and no more of them on one page; and
whoever is not listed can still be named."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from sqlalchemy import select, update

from app.db import models as m
from tests.http.api import Api
from tests.http.signed_in import Visitor, enter, value_of, words
from tests.http.test_lists import MANY, add_people
from tests.http.workspace import Company
from tests.support.statements import statements_of

pytestmark = pytest.mark.anyio

PAGES: dict[str, Callable[[Company], str]] = {
    "people": lambda _: "/app/people",
    "people found": lambda _: "/app/people?q=copy.example",
    "a person": lambda c: f"/app/people/{c.owner.id}",
    "a new service": lambda _: "/app/services/new",
    "a service": lambda c: f"/app/services/{c.lesson.id}",
    "links": lambda _: "/app/links",
    "handing over a link": lambda c: f"/app/links/{c.link.id}/hand-over",
    "audit": lambda _: "/app/audit",
    "booking for a client": lambda c: f"/app/bookings/new?offer=link:{c.link.id}",
}
LONGEST_PAGE = 700_000


async def fill(api: Api, numbers: range) -> None:
    """People who may have links, qualified for nothing."""
    await add_people(api, numbers)
    async with api.database.write.begin() as connection:
        await connection.execute(update(m.users).where(m.users.c.email.like("%@copy.%")).values(roles=["owner"]))
        copies = select(m.users.c.id).where(m.users.c.email.like("%@copy.%"))
        await connection.execute(m.offer_hosts.delete().where(m.offer_hosts.c.host_id.in_(copies)))


@pytest.fixture
async def admin(api: Api) -> Visitor:
    return await enter(api, api.acme.admin)


async def test_ten_thousand_people_take_the_statements_of_ten(api: Api, admin: Visitor) -> None:
    counts: dict[str, list[int]] = {name: [] for name in PAGES}
    for numbers in (range(10), range(10, MANY)):
        await fill(api, numbers)
        for name, path_of in PAGES.items():
            async with statements_of(None) as statements:
                page = await admin.get(path_of(api.acme))
            assert (name, page.status_code) == (name, 200)
            assert len(page.content) < LONGEST_PAGE, (name, len(page.content))
            counts[name].append(len(statements))
    assert {name: found[0] for name, found in counts.items()} == {name: found[1] for name, found in counts.items()}


async def test_people_are_listed_by_pages_and_found(api: Api, admin: Visitor) -> None:
    await fill(api, range(120))
    path, seen = "/app/people", 0
    for _ in range(5):
        page = await admin.get(path)
        seen += page.text.count("@copy.example.com")
        if ">More people<" not in page.text:
            break
        path = page.text.partition(">More people<")[0].rpartition('href="')[2].partition('"')[0].replace("&amp;", "&")
    assert seen == 120
    found = await admin.get("/app/people?q=17%40copy")
    assert found.text.count("@copy.example.com") == 2  # 17 and 117
    assert "Nobody found" in words(await admin.get("/app/people?q=nobody-of-this-name"))
    assert words(await admin.get("/app/people?q=owner%40umbrella")).count("umbrella.example.com") == 0


async def test_whoever_is_not_listed_is_named_by_address(api: Api, admin: Visitor) -> None:
    """For links, for bookings and for services; a stranger is nobody."""
    await fill(api, range(250))
    acme = api.acme
    path = f"/app/links/{acme.link.id}/hand-over"
    assert "New owner: e-mail address" in words(await admin.get(path))
    for wrong in ("owner@umbrella.example.com", "employee@acme.example.com", "owner@acme.example.com", ""):
        refused = await admin.post(path, owner=wrong)
        assert (refused.status_code, value_of(refused, "owner")) == (400, wrong)
    assert (await admin.post(path, owner="249@copy.example.com")).status_code == 303
    link = (await api.get(f"/links/{acme.link.id}", acme.admin)).json()
    last = await id_of(api, "249@copy.example.com")
    assert link["owner_id"] == last
    away = {"to": "off", "fate": "person", "host": "248@copy.example.com", "reason": ""}
    assert (await admin.post(f"/app/people/{acme.colleague.id}/switch", **away)).status_code in {200, 303}
    service = f"/app/services/{acme.lesson.id}"
    shown = await admin.get(service)
    assert f'name="people" value="{acme.owner.id}" checked' in shown.text
    kept = {
        "name": "Lesson", "durations": "60", "capacity": "8", "mode": "pool", "location": "none",
        "buffer_before": "0", "buffer_after": "0", "currency": "EUR", "is_active": "yes", "people": acme.owner.id,
        "cancel_until_unit": "hours", "reschedule_until_unit": "hours", "version": value_of(shown, "version"),
    }  # fmt: skip
    refused = await admin.post(service, **kept, added="owner@umbrella.example.com")
    assert (refused.status_code, "Nobody here who is switched on" in words(refused)) == (400, True)
    saved = await admin.post(service, **kept, added="249@copy.example.com")
    assert saved.status_code == 303, words(saved)
    given = (await api.get(f"/services/{acme.lesson.id}/employees", acme.admin)).json()["items"]
    assert {each["employee_id"] for each in given} == {acme.owner.id, last}


async def id_of(api: Api, email: str) -> str:
    async with api.database.read.connect() as connection:
        return str(await connection.scalar(select(m.users.c.id).where(m.users.c.email == email)))


async def test_a_link_is_handed_over_on_its_page(api: Api, owner: Visitor) -> None:
    acme = api.acme
    path = f"/app/links/{acme.link.id}/hand-over"
    page = await owner.get(path)
    assert ("Colleague" in words(page), "Employee" in words(page)) == (True, False)
    stale = await owner.post(path, owner=acme.colleague.id, version="99")
    assert stale.status_code == 412
    stranger = await enter(api, acme.colleague)
    assert (await stranger.post(path, owner=acme.colleague.id)).status_code == 404
    done = await owner.post(path, owner=acme.colleague.id, version=value_of(page, "version"))
    assert (done.status_code, done.headers["location"]) == (303, "/app/links?did=link-over")
    assert "The link was handed over" in words(await owner.get("/app/links?did=link-over"))
    assert (await owner.get(f"/app/links/{acme.link.id}")).status_code == 404
    assert (await stranger.get(f"/app/links/{acme.link.id}")).status_code == 200
