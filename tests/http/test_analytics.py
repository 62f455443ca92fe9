"""Views and what comes of them: who counts, what the figures say, to whom, and at what cost."""

from __future__ import annotations

import csv
import io
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import httpx
import pytest
from sqlalchemy import insert, select

from app.db import models as m
from app.domain.local_parts import offsets
from app.use_cases.ids import new_id
from tests.http.api import Api, client_of
from tests.http.signed_in import enter, words
from tests.http.workspace import NOW, at
from tests.support.statements import statements_of

pytestmark = pytest.mark.anyio

FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0"
PERSON = {"User-Agent": FIREFOX}
HOUR, DAY = 3600, 86400
MARCH = {"from": "2027-03-01", "to": "2027-03-31", "timezone": "Europe/Berlin"}


async def views(api: Api) -> list[Any]:
    """What is stored, after what waits was."""
    await api.app.state.views.flush()
    async with api.database.read.connect() as connection:
        return list((await connection.execute(select(m.view_events).order_by(m.view_events.c.id))).mappings())


async def look(api: Api, path: str, method: str = "GET", **headers: str) -> httpx.Response:
    async with client_of(api.app) as client:
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        return await client.request(method, path, headers={**PERSON, **sent})


async def test_opening_a_page_and_asking_the_api_count(api: Api) -> None:
    acme = api.acme
    await look(api, f"/{acme.token.replace('.', '/')}", Referer="https://News.example.com:8443/story?who=rae#x")
    await look(api, f"/b/{acme.one_time.token}", Sec_Fetch_Site="none")
    await look(api, f"/api/v1/public/{acme.token}", Sec_Fetch_Site="cross-site")
    found = await views(api)
    assert [view["referrer"] for view in found] == ["news.example.com", None, None]
    assert {(view["org_id"], view["link_id"], view["at"]) for view in found} == {
        (acme.organization.id, acme.link.id, NOW)
    }


async def test_nothing_is_kept_of_who_it_was(api: Api) -> None:
    answer = await look(api, f"/{api.acme.token.replace('.', '/')}")
    assert "set-cookie" not in answer.headers
    assert set((await views(api))[0]) == {"id", "org_id", "link_id", "service_id", "at", "referrer"}


@pytest.mark.parametrize(
    "headers",
    [
        {"User_Agent": "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)"},
        {"User_Agent": "curl/8.5.0"},
        {"User_Agent": ""},
        {"Sec_Purpose": "prefetch;prerender"},
        {"Purpose": "prefetch"},
        {"Sec_Fetch_Site": "same-origin"},
        {"Referer": "http://127.0.0.1:8000/acme/intro"},
    ],
    ids=str,
)
async def test_robots_prefetching_and_going_on_do_not_count(api: Api, headers: dict[str, str]) -> None:
    path = f"/{api.acme.token.replace('.', '/')}"
    sent = {name.replace("_", "-"): value for name, value in headers.items()}
    async with client_of(api.app) as client:
        assert (await client.get(path, headers={**PERSON, **sent})).status_code == 200
    assert await views(api) == []


async def test_head_and_what_is_not_there_do_not_count(api: Api) -> None:
    path = f"/{api.acme.token.replace('.', '/')}"
    assert (await look(api, path, "HEAD")).status_code == 200
    assert (await look(api, "/acme/nothing")).status_code == 404
    assert await views(api) == []


@pytest.mark.parametrize(
    "referrer", ["x", "http://", "https://[", "javascript:alert(1)", "http://" + "a" * 300 + ".org/"]
)
async def test_a_senseless_referrer_is_none(api: Api, referrer: str) -> None:
    await look(api, f"/{api.acme.token.replace('.', '/')}", Referer=referrer)
    assert [view["referrer"] for view in await views(api)] == [None]


async def test_a_view_costs_the_request_no_statement(api: Api) -> None:
    path, costs = f"/api/v1/public/{api.acme.token}", []
    for agent in ("curl/8.5.0", FIREFOX):
        async with statements_of(None) as statements:
            assert (await look(api, path, User_Agent=agent)).status_code == 200
        costs.append(len(statements))
    assert costs[0] == costs[1]
    assert len(await views(api)) == 1


async def test_what_waits_is_bounded_and_stored_at_the_end(api: Api) -> None:
    buffer = api.app.state.views
    buffer._most = 3
    for _ in range(5):
        await look(api, f"/api/v1/public/{api.acme.token}")
    async with statements_of(None) as statements:
        await buffer.flush()
    assert len(statements) <= 2
    assert len(await views(api)) == 3


async def seed(api: Api, rows: list[dict[str, Any]], seen: list[dict[str, Any]] | None = None) -> None:
    """Bookings like acme's own, and views of its link, with these values."""
    acme = api.acme
    async with api.database.write.begin() as connection:
        row = dict(
            (await connection.execute(select(m.bookings).where(m.bookings.c.id == acme.booking.id))).mappings().one()
        )
        made = []
        for values in rows:
            key = new_id()
            own = {"id": key, "occurrence_id": key, "uid": key, "token_lookup": key.replace("-", "").ljust(64, "0")}
            made.append({**row, **own, "link_id": acme.link.id, "end_at": values["start_at"] + HOUR // 2, **values})
        for first in range(0, len(made), 500):
            await connection.execute(insert(m.bookings), made[first : first + 500])
        base = {"org_id": acme.organization.id, "link_id": acme.link.id, "service_id": None, "referrer": None}
        looks = [{**base, "id": new_id(), **values} for values in seen or []]
        for first in range(0, len(looks), 500):
            await connection.execute(insert(m.view_events), looks[first : first + 500])


async def figures(api: Api, who: Any = None, path: str = "/analytics", **query: str) -> dict[str, Any]:
    answer = await api.get(path, who or api.acme.admin, params=query)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


APRIL = {"from": "2027-04-01", "to": "2027-04-30", "timezone": "Europe/Berlin"}


async def test_the_figures_of_a_month(api: Api) -> None:
    """Made in April by Berlin's clock (UTC+2), where the month's first hour is still March elsewhere."""
    acme = api.acme
    first = at(31, 23)  # 22:00 UTC: the first of April, 00:00, in Berlin
    made = [
        {"created_at": first, "start_at": first + 2 * DAY, "status": "confirmed"},  # Saturday 00:00
        {"created_at": first + HOUR, "start_at": first + HOUR + 4 * DAY, "status": "cancelled"},
        {"created_at": first + DAY, "start_at": first + DAY + 10 * HOUR, "status": "no_show"},
        {"created_at": first + DAY, "start_at": first + 2 * DAY, "status": "completed"},
        {"created_at": first - 1, "start_at": first + DAY, "status": "confirmed"},  # March still
        {"created_at": first, "start_at": first + DAY, "status": "confirmed", "capacity": 8},  # a session is no booking
    ]
    seen = [{"at": first + number} for number in range(5)] + [{"at": first + DAY, "referrer": "a.example"}] * 3
    await seed(api, made, [*seen, {"at": first - 1}])
    found = await figures(api, **APRIL)
    expected = {**APRIL, "views": 8, "bookings": 4, "cancellations": 1, "no_shows": 1}
    assert {name: found[name] for name in expected} == expected
    assert found["conversion"] == 0.5
    leads = sorted([2 * 1440, 4 * 1440, 600, 1440])
    assert found["lead_time"] == {"median": (leads[1] + leads[2]) // 2, "mean": sum(leads) // 4}
    assert found["days"] == [
        {"date": "2027-04-01", "views": 5, "bookings": 2},
        {"date": "2027-04-02", "views": 3, "bookings": 2},
    ]
    assert found["hours"] == [
        {"weekday": "mon", "hour": 1, "bookings": 1},
        {"weekday": "fri", "hour": 10, "bookings": 1},
        {"weekday": "sat", "hour": 0, "bookings": 2},
    ]
    assert found["referrers"] == [{"host": None, "views": 5}, {"host": "a.example", "views": 3}]
    (link,) = found["links"]
    assert (link["id"], link["name"], link["views"], link["bookings"]) == (acme.link.id, acme.link.title, 8, 4)
    assert found["services"] == []
    path = f"/links/{acme.link.id}/analytics"
    assert await figures(api, acme.owner, path, **APRIL) == await figures(api, link=acme.link.id, **APRIL) == found


async def test_days_and_hours_follow_the_clock_through_its_changes(api: Api) -> None:
    """Every hour of a year, in zones of every kind, against the zone database itself."""
    begins = [at(1, 10, month=1) + number * 7 * HOUR for number in range(365 * 24 // 7)]
    await seed(api, [{"created_at": begin, "start_at": begin, "status": "confirmed"} for begin in begins])
    for name in ("Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Kathmandu", "Africa/Casablanca"):
        zone = ZoneInfo(name)
        found = await figures(api, **{"from": "2027-01-02", "to": "2027-12-30", "timezone": name})
        walls = [datetime.fromtimestamp(begin, UTC).astimezone(zone) for begin in begins]
        inside = [wall for wall in walls if "2027-01-02" <= str(wall.date()) <= "2027-12-30"]
        days: dict[str, int] = {}
        hours: dict[tuple[int, int], int] = {}
        for wall in inside:
            days[str(wall.date())] = days.get(str(wall.date()), 0) + 1
            hours[wall.weekday(), wall.hour] = hours.get((wall.weekday(), wall.hour), 0) + 1
        own = {str(datetime.fromtimestamp(NOW, zone).date()): 2}  # those of the workspace itself
        told = {day["date"]: day["bookings"] for day in found["days"]}
        assert {day: count - own.get(day, 0) for day, count in told.items()} == days, name
        week = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
        listed = {(week.index(each["weekday"]), each["hour"]): each["bookings"] for each in found["hours"]}
        assert sum(listed.values()) - sum(hours.values()) == 2
        assert sum(abs(listed.get(key, 0) - count) for key, count in hours.items()) <= 2, name


def test_offsets_are_those_of_the_zone() -> None:
    start = at(1, 1, month=1)
    found = offsets("Europe/Berlin", start, start + 366 * DAY)
    assert [offset for _, offset in found] == [3600, 7200, 3600]
    assert found[0][0] == 1806195600  # 2027-03-28 01:00 UTC
    assert offsets("UTC", start, start + DAY) == [(start + DAY, 0)]


async def test_owners_see_their_links_and_nobody_sees_others(api: Api) -> None:
    acme = api.acme
    await seed(api, [], [{"at": NOW}])
    assert (await figures(api, acme.owner))["views"] == 1
    assert (await figures(api, acme.admin))["views"] == 1
    for other in (acme.colleague, acme.employee, api.umbrella.admin):
        found = await figures(api, other)
        assert found["views"] == 0
        assert acme.link.id not in {link["id"] for link in found["links"]}
    for path in (f"/links/{acme.link.id}/analytics", f"/analytics?link={acme.link.id}"):
        for other in (acme.colleague, acme.employee, api.umbrella.admin):
            assert (await api.get(path, other)).status_code == 404
    assert (await api.get(f"/analytics?service={acme.service.id}", api.umbrella.admin)).status_code == 404


@pytest.mark.parametrize(
    "query",
    [
        {"from": "2027-03-02", "to": "2027-03-01"},
        {"from": "2026-01-01", "to": "2027-03-01"},
        {"from": "x"},
        {"timezone": "Mars/Olympus"},
        {"link": "x"},
        {"who": "x"},
    ],
)
async def test_senseless_questions_are_400(shared_api: Api, query: dict[str, str]) -> None:
    assert (await shared_api.get("/analytics", shared_api.acme.admin, params=query)).status_code == 400


async def test_ten_thousand_rows_take_the_statements_of_ten(api: Api) -> None:
    counts = []
    for numbers in (range(10), range(10, 10_000)):
        made = [{"created_at": NOW + n, "start_at": NOW + n * 60, "status": "confirmed"} for n in numbers]
        seen = [{"at": NOW + n, "referrer": f"site-{n}.example"} for n in numbers]
        await seed(api, made, seen)
        cost = []
        for query in (MARCH, {**MARCH, "link": api.acme.link.id}):
            async with statements_of(None) as statements:
                found = await figures(api, **query)
            cost.append(len(statements))
        counts.append(cost)
    assert counts[0] == counts[1]
    assert max(counts[0]) <= 15
    assert found["views"] == 10_000
    assert len(found["referrers"]) == 100


async def test_the_figures_as_a_table(api: Api) -> None:
    await seed(api, [], [{"at": NOW, "referrer": "=cmd.example"}, {"at": NOW}])
    answer = await api.get("/analytics.csv", api.acme.admin, params=MARCH)
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    rows = list(csv.DictReader(io.StringIO(answer.text)))
    assert [row["kind"] for row in rows][:2] == ["total", "link"]
    assert rows[0]["views"] == "2"
    assert "'=cmd.example" in {row["key"] for row in rows}


async def test_the_page(api: Api) -> None:
    acme = api.acme
    await seed(
        api, [{"created_at": NOW, "start_at": NOW + HOUR, "status": "no_show"}], [{"at": NOW, "referrer": "a.example"}]
    )
    owner = await enter(api, acme.owner)
    page = await owner.get("/app/analytics?from=2027-03-01&to=2027-03-02")
    assert page.status_code == 200
    text = words(page)
    for part in ("Views 1", "a.example", acme.link.title, "Busiest hours", "Monday"):
        assert part in text, part
    assert "style=" not in page.text
    wrong = await owner.get("/app/analytics?from=x&link=y")
    assert (wrong.status_code, "Please choose a date." in words(wrong)) == (200, True)
    assert (await owner.get(f"/app/analytics?link={api.umbrella.link.id}")).status_code == 404
    assert "Nothing happened" in words(await owner.get("/app/analytics?from=2030-01-01&to=2030-01-02"))
