"""Links that offer a service, by the API."""

import pytest

from tests.http.api import Api, code_of
from tests.http.workspace import at, moment

pytestmark = pytest.mark.anyio


async def test_a_link_shows_the_lengths_and_buffers_of_its_service(api: Api) -> None:
    acme = api.acme
    changed = {"durations": [45], "buffer_after": 20}
    assert (await api.patch(f"/services/{acme.service.id}", acme.admin, json=changed)).status_code == 200
    made = await api.post("/links", acme.owner, json={"title": "Visit", "service_id": acme.service.id})
    link = made.json()
    assert (link["durations"], link["buffer_after"], link["service_id"]) == ([45], 20, acme.service.id)
    listed = (await api.get("/links", acme.owner)).json()["items"]
    assert next(each for each in listed if each["id"] == link["id"]) == link
    back = (await api.patch(f"/links/{link['id']}", acme.owner, json={"service_id": None})).json()
    assert (back["durations"], back["buffer_after"], back["service_id"]) == ([30], 0, None)


async def test_bookings_are_listed_by_service_and_given_to_others(api: Api) -> None:
    acme = api.acme
    sent = {
        "service": acme.service.id, "start": moment(at(4, 9)), "duration": 30, "host": acme.owner.id,
        "recipient": {"name": "Robin", "phone": "+49 30 123456"}, "notes": "By phone",
    }  # fmt: skip
    made = await api.post("/bookings", acme.admin, json=sent)
    assert made.status_code == 201, made.text
    booking = made.json()
    assert (booking["status"], booking["link_id"], booking["recipient"]["email"]) == ("confirmed", None, "")
    listed = (await api.get("/bookings", acme.admin, params={"service": acme.service.id})).json()["items"]
    assert [each["id"] for each in listed] == [booking["id"]]
    given = await api.post(f"/bookings/{booking['id']}/reassign", acme.admin, json={"host": acme.colleague.id})
    assert given.status_code == 200, given.text
    assert sorted(host["name"] for host in given.json()["hosts"]) == ["Colleague", "Room 1"]
    twice = await api.post("/bookings", acme.admin, json={**sent, "host": acme.colleague.id, "override": True})
    assert (twice.status_code, code_of(twice)) == (409, "BOOKING_CONFLICT")


@pytest.mark.parametrize("body", [{}, {"link": "link", "service": "service"}])
async def test_a_client_is_booked_through_one_of_link_and_service(api: Api, body: dict[str, str]) -> None:
    acme = api.acme
    ids = {"link": acme.link.id, "service": acme.service.id}
    sent = {"start": moment(at(4, 9)), "duration": 30, "recipient": {"name": "Robin"}}
    answer = await api.post("/bookings", acme.admin, json={**sent, **{name: ids[name] for name in body}})
    assert (answer.status_code, code_of(answer)) == (400, "VALIDATION_ERROR")


async def test_nothing_of_another_organization_is_booked_or_needed(api: Api) -> None:
    acme, umbrella = api.acme, api.umbrella
    sent = {"start": moment(at(4, 9)), "duration": 30, "recipient": {"name": "Robin"}}
    for foreign in ({"link": umbrella.link.id}, {"service": umbrella.service.id}):
        assert (await api.post("/bookings", acme.admin, json={**sent, **foreign})).status_code == 404
    foreign_host = {**sent, "service": acme.service.id, "host": umbrella.owner.id}
    assert (await api.post("/bookings", acme.admin, json=foreign_host)).status_code == 400
    needs = {"name": "S", "resources": [{"resource_id": umbrella.resource.id}]}
    assert (await api.post("/services", acme.admin, json=needs)).status_code == 400
    people = {"items": [{"employee_id": umbrella.owner.id}]}
    answer = await api.call("PUT", f"/services/{acme.service.id}/employees", acme.admin, json=people)
    assert answer.status_code == 400
    for name, foreign_id in (("template_id", umbrella.template.id), ("schedule_id", umbrella.schedule.id)):
        assert (await api.patch(f"/services/{acme.service.id}", acme.admin, json={name: foreign_id})).status_code == 400
    link = {"title": "X", "service_id": umbrella.service.id}
    assert (await api.post("/links", acme.owner, json=link)).status_code == 400


async def test_limits_of_a_person_count_over_all_links_and_services(api: Api) -> None:
    acme = api.acme
    shown = (await api.get(f"/employees/{acme.owner.id}", acme.employee)).json()
    assert (shown["max_per_day"], shown["services"]) == (None, [acme.service.id, acme.lesson.id])
    limited = await api.patch(f"/employees/{acme.owner.id}", acme.owner, json={"max_per_day": 2})
    assert limited.json() == {**shown, "max_per_day": 2}
    sent = {"start": moment(at(2, 16)), "duration": 30, "recipient": {"name": "Robin"}, "host": acme.owner.id}
    full = await api.post("/bookings", acme.admin, json={**sent, "service": acme.service.id})
    assert (full.status_code, code_of(full)) == (409, "BOOKING_CONFLICT"), "two of that day are through other links"
    again = await api.patch(f"/employees/{acme.owner.id}", acme.admin, json={"max_per_day": None, "max_per_week": 50})
    assert (again.json()["max_per_day"], again.json()["max_per_week"]) == (None, 50)
    assert (await api.post("/bookings", acme.admin, json={**sent, "service": acme.service.id})).status_code == 201


async def test_an_employees_schedule_holds_what_is_confirmed(api: Api) -> None:
    acme = api.acme
    path = f"/employees/{acme.owner.id}/schedule"
    for who in (acme.owner, acme.admin):
        items = (await api.get(path, who)).json()["items"]
        assert [each["id"] for each in items] == [acme.booking.id, acme.slot.id], "not the one that waits for approval"
    assert (await api.get(path, acme.owner, params={"to": "2027-03-01"})).json()["items"] == []
    assert (await api.get(path, acme.colleague)).status_code == 404
