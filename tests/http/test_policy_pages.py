"""Rules for cancelling and moving, prices and fees: told before booking and on the booking's own page, and held."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from tests.http.api import Api, code_of
from tests.http.signed_in import Visitor, enter, value_of, words
from tests.http.workspace import at

pytestmark = pytest.mark.anyio

HOUR, DAY = 3600, 86400
RULES = {
    "cancel_until": 120,
    "reschedule_until": 1440,
    "max_reschedules": 1,
    "cancel_fee": 2000,
    "fee_currency": "EUR",
}
GERMAN = {"Accept-Language": "en-DE"}
START = at(2, 10)


async def ruled(api: Api, **rules: Any) -> None:
    answer = await api.patch(f"/links/{api.acme.link.id}", api.acme.owner, json=rules or RULES)
    assert answer.status_code == 200, answer.text


async def test_a_link_tells_its_rules_before_anybody_books(api: Api, client: httpx.AsyncClient) -> None:
    none = (await api.get("/public/acme.intro")).json()
    assert set(none["policy"].values()) == {None}
    await ruled(api)
    shown = (await api.get("/public/acme.intro")).json()["policy"]
    assert shown == {
        "cancel_until": 120, "reschedule_until": 1440, "max_reschedules": 1, "cancel_fee": 2000, "currency": "EUR",
    }  # fmt: skip
    start = "/acme/intro?start=2027-03-03T09:00:00Z&duration=30&tz=UTC"
    for page in ("/acme/intro", start):
        text = words(await client.get(page, headers=GERMAN))
        assert "Cancel up to 2 hours before it begins" in text
        assert "Move once, up to 1 day before it begins" in text
        assert "Cancelling costs 20,00 €" in text


async def test_a_price_is_told_in_the_readers_way(api: Api, client: httpx.AsyncClient) -> None:
    acme = api.acme
    price = {"price": 4950, "deposit": 1000, "currency": "EUR"}
    assert (await api.patch(f"/services/{acme.service.id}", acme.admin, json=price)).status_code == 200
    await ruled(api, service_id=acme.service.id)
    shown = (await api.get("/public/acme.intro")).json()
    assert {name: shown[name] for name in price} == price
    assert "Price: 49,50 €, 10,00 € of it as a deposit" in words(await client.get("/acme/intro", headers=GERMAN))
    assert "Price: €49.50" in words(await client.get("/acme/intro", headers={"Accept-Language": "en-US"}))
    yen = {"price": 5000, "deposit": None, "currency": "JPY"}
    await api.patch(f"/services/{acme.service.id}", acme.admin, json=yen)
    assert "Price: ¥5,000" in words(await client.get("/acme/intro", headers={"Accept-Language": "en-US"}))


async def test_a_booking_tells_until_when_and_at_what_cost(api: Api, client: httpx.AsyncClient) -> None:
    await ruled(api)
    token = api.acme.booking.token
    shown = (await api.get(f"/public/bookings/{token}")).json()["policy"]
    assert shown == {
        "cancel_until": 120, "reschedule_until": 1440, "max_reschedules": 1, "cancel_fee": 2000, "currency": "EUR",
        "reschedules_left": 1, "can_cancel": True, "can_reschedule": True,
        "cancel_deadline": "2027-03-02T08:00:00+01:00", "reschedule_deadline": "2027-03-01T10:00:00+01:00",
    }  # fmt: skip
    text = words(await client.get(f"/booking/{token}", headers=GERMAN))
    assert "You can cancel until Tuesday, 2 March 2027, 08:00. Cancelling costs 20,00 €." in text
    assert "You can move it once until Monday, 1 March 2027, 10:00." in text
    assert "Cancelling costs 20,00 €." in words(await client.get(f"/booking/{token}/cancel", headers=GERMAN))


async def test_what_is_too_late_is_422_by_api_and_not_offered_on_the_page(api: Api, client: httpx.AsyncClient) -> None:
    await ruled(api)
    token = api.acme.booking.token
    api.clock.now = START - DAY + 1
    move = {"start": "2027-03-04T09:00:00Z"}
    late = await api.post(f"/public/bookings/{token}/reschedule", json=move)
    assert (late.status_code, code_of(late)) == (422, "BOOKING_NOT_MODIFIABLE")
    page = await client.get(f"/booking/{token}")
    assert "too late to move it" in words(page)
    assert (f"/booking/{token}/move" in page.text, f"/booking/{token}/cancel" in page.text) == (False, True)
    assert (await client.get(f"/booking/{token}/move")).headers["location"] == f"/booking/{token}"
    refused = await client.post(
        f"/booking/{token}/move", data={"start": move["start"], "duration": "30", "tz": "UTC", "version": "1"}
    )
    assert refused.status_code == 422
    api.clock.now = START - 2 * HOUR + 1
    late = await api.post(f"/public/bookings/{token}/cancel")
    assert (late.status_code, code_of(late)) == (422, "BOOKING_NOT_MODIFIABLE")
    assert late.json()["detail"] == (
        "This booking could be cancelled up to 2 hours before it begins. Please contact your host."
    )
    page = await client.get(f"/booking/{token}")
    assert "too late to cancel" in words(page)
    assert f"/booking/{token}/cancel" not in page.text
    assert (await client.get(f"/booking/{token}/cancel")).headers["location"] == f"/booking/{token}"
    assert (await client.post(f"/booking/{token}/cancel", data={})).status_code == 422
    policy = (await api.get(f"/public/bookings/{token}")).json()["policy"]
    assert (policy["can_cancel"], policy["can_reschedule"]) == (False, False)
    staff = await api.post(f"/bookings/{api.acme.booking.id}/cancel", api.acme.owner)
    assert staff.status_code == 200, "staff are not bound"


async def test_moves_are_counted_down(api: Api, client: httpx.AsyncClient) -> None:
    await ruled(api, max_reschedules=1)
    token = api.acme.booking.token
    moved = await api.post(f"/public/bookings/{token}/reschedule", json={"start": "2027-03-03T09:00:00Z"})
    assert (moved.status_code, moved.json()["policy"]["reschedules_left"]) == (200, 0)
    again = await api.post(f"/public/bookings/{token}/reschedule", json={"start": "2027-03-04T09:00:00Z"})
    assert (again.status_code, code_of(again)) == (422, "BOOKING_NOT_MODIFIABLE")
    page = await client.get(f"/booking/{token}?did=moved")
    assert "moved as often as it can be" in words(page)
    staff = (await api.get(f"/bookings/{api.acme.booking.id}", api.acme.owner)).json()
    assert staff["moves"] == 1


async def test_staff_see_the_fee_of_a_cancellation(api: Api, owner: Visitor) -> None:
    await ruled(api)
    cancelled = await api.post(f"/public/bookings/{api.acme.booking.token}/cancel", json={"reason": "Ill"})
    assert cancelled.status_code == 200
    assert "cancelled; the fee is €20.00" in words(await owner.get(f"/app/bookings/{api.acme.booking.id}"))
    history = (await api.get(f"/bookings/{api.acme.booking.id}/history", api.acme.owner)).json()["items"]
    assert history[-1]["changes"]["fee"] == {"amount": 2000, "currency": "EUR"}


@pytest.mark.parametrize(
    ("rules", "field"),
    [
        ({"cancel_until": -1}, "cancel_until"),
        ({"reschedule_until": 525601}, "reschedule_until"),
        ({"max_reschedules": -1}, "max_reschedules"),
        ({"cancel_fee": -1, "fee_currency": "EUR"}, "cancel_fee"),
        ({"cancel_fee": 100}, "fee_currency"),
        ({"cancel_fee": 100, "fee_currency": "eur"}, "fee_currency"),
        ({"cancel_fee": 100, "fee_currency": "ABC"}, "fee_currency"),
    ],
)
async def test_rules_that_make_no_sense_are_refused(api: Api, rules: dict[str, Any], field: str) -> None:
    answer = await api.patch(f"/links/{api.acme.link.id}", api.acme.owner, json=rules)
    assert (answer.status_code, code_of(answer)) == (400, "VALIDATION_ERROR")
    assert [error["field"] for error in answer.json()["errors"]] == [field]


async def test_a_links_rules_are_set_on_its_page(api: Api, owner: Visitor) -> None:
    path = f"/app/links/{api.acme.link.id}"
    form = {
        "title": "Intro call", "slug": "intro", "durations": "30", "buffer_before": "0", "buffer_after": "15",
        "notice": "1", "notice_unit": "hours", "period": "always", "location": "none",
        "cancel_until": "2", "cancel_until_unit": "days", "reschedule_until": "90", "reschedule_until_unit": "minutes",
        "max_reschedules": "0", "cancel_fee": "20.50", "fee_currency": "EUR",
    }  # fmt: skip
    assert (await owner.post(path, **form)).status_code == 303
    kept = (await api.get(f"/links/{api.acme.link.id}", api.acme.owner)).json()
    assert {name: kept[name] for name in RULES} == {
        "cancel_until": 2880, "reschedule_until": 90, "max_reschedules": 0, "cancel_fee": 2050, "fee_currency": "EUR",
    }  # fmt: skip
    page = await owner.get(path)
    shown = {name: value_of(page, name) for name in ("cancel_until", "reschedule_until", "cancel_fee")}
    assert shown == {"cancel_until": "2", "reschedule_until": "90", "cancel_fee": "20.50"}
    for wrong in ({"cancel_fee": "x"}, {"fee_currency": ""}, {"fee_currency": "ABC"}, {"cancel_until": "-1"}):
        assert (await owner.post(path, **{**form, **wrong})).status_code == 400, wrong
    assert (await owner.post(path, **{**form, "cancel_fee": "2050", "fee_currency": "JPY"})).status_code == 303
    assert (await api.get(f"/links/{api.acme.link.id}", api.acme.owner)).json()["cancel_fee"] == 2050


async def test_a_services_rules_and_approval_are_set_on_its_page(api: Api) -> None:
    admin, path = await enter(api, api.acme.admin), f"/app/services/{api.acme.service.id}"
    form = {
        "name": "Consultation", "durations": "30", "buffer_before": "0", "buffer_after": "0", "mode": "pool",
        "location": "none", "people": api.acme.owner.id, "is_active": "yes", "approval": "yes",
        "cancel_until": "3", "cancel_until_unit": "hours", "cancel_fee": "5", "currency": "CHF",
    }  # fmt: skip
    answer = await admin.post(path, **form)
    assert answer.status_code == 303, words(answer)
    kept = (await api.get(f"/services/{api.acme.service.id}", api.acme.admin)).json()
    assert (kept["requires_approval"], kept["cancel_until"], kept["reschedule_until"]) == (True, 180, None)
    assert (kept["cancel_fee"], kept["price"], kept["currency"]) == (500, None, "CHF")
