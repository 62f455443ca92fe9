"""`/services/search` and `/services/{id}/wait-time`."""

from __future__ import annotations

from typing import Any

import pytest

from tests.http.api import Api, code_of
from tests.http.workspace import at, moment

pytestmark = pytest.mark.anyio


async def make(api: Api, **values: Any) -> str:
    made = await api.post("/services", api.acme.admin, json=values)
    assert made.status_code == 201, made.text
    service_id: str = made.json()["id"]
    return service_id


async def found(api: Api, **query: Any) -> list[str]:
    answer = await api.get("/services/search", api.acme.employee, params=query)
    assert answer.status_code == 200, answer.text
    return [each["name"] for each in answer.json()["items"]]


async def test_services_are_found_and_sorted(api: Api) -> None:
    await make(api, name="alpha cut", category="Hair", price=5000, currency="EUR")
    await make(api, name="Beard", category="Hair", description="A CUT of the beard", price=2000, currency="EUR")
    await make(api, name="Off", category="Hair", is_active=False)
    everything = ["alpha cut", "Beard"]
    assert [each for each in await found(api) if each in [*everything, "Off"]] == everything
    assert await found(api, q="cut") == everything
    assert await found(api, q="cut", sort="price") == ["Beard", "alpha cut"]
    assert await found(api, q="cut", sort="newest") == ["Beard", "alpha cut"]
    assert await found(api, q="hair") == everything
    assert await found(api, category="hair") == everything
    assert await found(api, category="hai") == []
    assert await found(api, q="%") == []
    for sort in ("name", "price", "newest"):
        walked: list[str] = []
        cursor = None
        while cursor is not None or not walked:
            query = {"limit": "1", "sort": sort, "q": "cut", **({"cursor": cursor} if cursor else {})}
            body = (await api.get("/services/search", api.acme.owner, params=query)).json()
            walked += [each["name"] for each in body["items"]]
            cursor = body["next_cursor"]
        assert walked == await found(api, q="cut", sort=sort)


async def test_a_date_leaves_what_is_free_on_it(api: Api) -> None:
    """Office hours from Monday to Friday; nobody is qualified for the other service."""
    await make(api, name="Consulting of nobody")
    assert await found(api, q="consult", date="2027-03-03") == ["Consultation"]
    assert await found(api, q="consult", date="2027-03-06") == []
    assert await found(api, q="consult", date="2027-02-26") == [], "what is over is not free"


async def test_what_cannot_be_asked_for(shared_api: Api) -> None:
    for query in (
        {"near": "x"}, {"near": "91,0"}, {"near": "0,181"}, {"near": "1"}, {"sort": "size"}, {"date": "2027-02-30"},
        {"date": "x"}, {"date": "2027-03-03", "timezone": "Mars/Base"}, {"limit": "0"}, {"cursor": "x"},
    ):  # fmt: skip
        answer = await shared_api.get("/services/search", shared_api.acme.owner, params=query)
        assert (query, answer.status_code, code_of(answer)) == (query, 400, "VALIDATION_ERROR")
    assert (await shared_api.get("/services/search", shared_api.acme.owner, params={"near": "52.5,-13.4"})).is_success


async def test_how_long_until_a_service_can_be_had(api: Api) -> None:
    acme, path = api.acme, f"/services/{api.acme.service.id}/wait-time"
    api.clock.now = at(1, 8)
    assert (await api.get(path, acme.employee)).json() == {"minutes": 60, "start": moment(at(1, 9))}
    api.clock.now = at(1, 9, 20)
    assert (await api.get(path, acme.employee, params={"duration": "60"})).json()["start"] == moment(at(1, 10))
    api.clock.now = at(5, 18)
    assert (await api.get(path, acme.employee)).json() == {"minutes": 63 * 60, "start": moment(at(8, 9))}
    refused = await api.get(path, acme.employee, params={"duration": "45"})
    assert (refused.status_code, code_of(refused)) == (400, "VALIDATION_ERROR")
    for person in (acme.owner, acme.colleague):
        await api.delete(f"/employees/{person.id}", acme.admin)
    assert (await api.get(path, acme.employee)).json() == {"minutes": None, "start": None}
