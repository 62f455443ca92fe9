"""`/app/bookings/new`: staff choose a free time, or type one, and fill in the form."""

from __future__ import annotations

import html
import re
from typing import Any

import httpx
import pytest

from app.domain.services import ServiceHost
from app.use_cases import manage_services
from tests.http.api import Api
from tests.http.signed_in import Visitor, enter, ports_of, value_of, words
from tests.http.workspace import Company, at, moment

pytestmark = pytest.mark.anyio

PAGE = "/app/bookings/new"
NIGHT = 1440


def links_of(page: httpx.Response, kind: str) -> list[str]:
    """The addresses of the links of a class."""
    found = re.findall(rf'<a class="{kind}[^"]*"[^>]*? href="([^"]*)"', page.text)
    return [html.unescape(address) for address in found]


def hidden(page: httpx.Response) -> dict[str, str]:
    """What the form sends without being filled in."""
    form = page.text.partition(f'method="post" action="{PAGE}"')[2]
    inputs = [tag for tag in re.findall("<input[^>]*>", form) if not re.search('type="(radio|checkbox)"', tag)]
    sent = [(re.search('name="([^"]+)"', tag), re.search('value="([^"]*)"', tag)) for tag in inputs]
    return {name[1]: html.unescape(value[1]) if value else "" for name, value in sent if name and name[1] != "csrf"}


def host_of(booking: Any) -> str:
    return str(booking["hosts"][0]["id"])


async def booked(api: Api, company: Company, email: str) -> list[Any]:
    answer = await api.get("/bookings", company.admin, params={"recipient": email})
    found: list[Any] = answer.json()["items"]
    return found


async def test_a_free_time_is_chosen_and_booked(api: Api, owner: Visitor) -> None:
    """From what over day and time to the form, by plain links; the client goes along."""
    acme = api.acme
    what = await owner.get(f"{PAGE}?client={acme.client.id}")
    (address,) = [each for each in links_of(what, "row-link") if acme.link.id in each]
    times = await owner.get(address)
    assert ("Rae Recipient" in words(times), "30 min" in words(times)) == (True, True)
    day = await owner.get(next(each for each in links_of(times, "day") if "2027-03-03" in each))
    slot = next(each for each in links_of(day, "slot") if "T12:00:00Z" in each)
    form = await owner.get(slot)
    assert ("Wednesday, March 3, 2027" in words(form), "1:00" in words(form)) == (True, True)
    assert (value_of(form, "name"), value_of(form, "start")) == ("Rae Recipient", "2027-03-03T13:00")
    answer = await owner.post(PAGE, **{**hidden(form), "answers.topic": "Plans"})
    assert answer.status_code == 303
    starts = [(each["start"], each["answers"]) for each in await booked(api, acme, "rae@example.org")]
    assert ("2027-03-03T13:00:00+01:00", {"topic": "Plans"}) in starts


async def test_a_time_that_is_taken_meanwhile_is_not_offered(api: Api, owner: Visitor) -> None:
    taken = f"{PAGE}?offer=link:{api.acme.link.id}&duration=30&start={moment(at(2, 10))}"
    assert "That time is not free any more" in words(await owner.get(taken))


async def test_one_of_several_people_is_chosen(api: Api) -> None:
    """By staff also where recipients have no choice."""
    acme, admin = api.acme, await enter(api, api.acme.admin)
    offer = f"service:{acme.service.id}"
    times = await admin.get(f"{PAGE}?offer={offer}")
    assert ("Anybody" in words(times), "Colleague" in words(times)) == (True, True)
    (colleague,) = {each for each in links_of(times, "segment") if f"with={acme.colleague.id}" in each}
    slot = links_of(await admin.get(colleague), "slot")[0]
    form = await admin.get(slot)
    assert f'<option value="{acme.colleague.id}" selected>' in form.text
    fields = {**hidden(form), "host": acme.colleague.id, "name": "Kim", "email": "kim@example.org"}
    assert (await admin.post(PAGE, **fields)).status_code == 303
    assert [host_of(each) for each in await booked(api, acme, "kim@example.org")] == [acme.colleague.id]
    strangers = await admin.get(f"{PAGE}?offer={offer}&with={api.umbrella.owner.id}")
    assert strangers.status_code == 400


async def test_seats_of_a_session_are_taken(api: Api) -> None:
    acme, admin = api.acme, await enter(api, api.acme.admin)
    times = await admin.get(f"{PAGE}?offer=service:{acme.lesson.id}&day=2027-03-05")
    assert "8 seats left" in words(times)
    form = await admin.get(next(each for each in links_of(times, "slot") if moment(acme.slot.start) in each))
    fields = {**hidden(form), "name": "Kim", "email": "kim@example.org", "seats": "3"}
    assert (await admin.post(PAGE, **fields)).status_code == 303
    (mine,) = await booked(api, acme, "kim@example.org")
    session = (await api.get(f"/slots/{acme.slot.id}", acme.admin)).json()
    assert (mine["seats"], session["seats_taken"]) == (3, 3)
    full = await admin.post(PAGE, **{**fields, "key": "m" * 20, "seats": "6"})
    assert (full.status_code, value_of(full, "seats"), value_of(full, "name")) == (409, "6", "Kim")
    wrong = await admin.post(PAGE, **{**fields, "key": "n" * 20, "seats": "0"})
    assert (wrong.status_code, "Please enter 1 to 200 seats." in words(wrong)) == (400, True)


async def stay_of(api: Api) -> Any:
    """A house that is let by the night; its hours are the colleague's."""
    acme = api.acme
    values = {"name": "House", "durations": (NIGHT, 3 * NIGHT), "check_in": "15:00", "check_out": "11:00"}
    hosts = [ServiceHost(acme.colleague.id)]
    return await manage_services.create_service(ports_of(api), acme.admin.user, values, [], hosts)


async def test_nights_of_a_stay_are_chosen_or_typed(api: Api) -> None:
    acme, admin = api.acme, await enter(api, api.acme.admin)
    offer = f"service:{(await stay_of(api)).id}"
    times = await admin.get(f"{PAGE}?offer={offer}&duration={3 * NIGHT}&day=2027-03-08")
    assert "3 nights, from Mon 3:00 PM to Thu 11:00 AM" in words(times)
    form = await admin.get(links_of(times, "slot")[0])
    assert (value_of(form, "day"), value_of(form, "nights")) == ("2027-03-08", "3")
    fields = {**hidden(form), "name": "Kim", "email": "kim@example.org"}
    assert (await admin.post(PAGE, **fields)).status_code == 303
    (stay,) = await booked(api, acme, "kim@example.org")
    assert (stay["start"], stay["end"]) == ("2027-03-08T15:00:00+01:00", "2027-03-11T11:00:00+01:00")
    typed = await admin.get(f"{PAGE}?offer={offer}&own=yes")
    fields = {**hidden(typed), "name": "Lou", "email": "lou@example.org", "day": "2027-03-20", "nights": "2"}
    by_rule = await admin.post(PAGE, **fields)
    assert (by_rule.status_code, value_of(by_rule, "day")) == (400, "2027-03-20")  # no lengths but one and three nights
    assert (await admin.post(PAGE, **fields, override="yes")).status_code == 303
    for wrong in ({"day": ""}, {"nights": ""}, {"nights": "31"}):
        assert (await admin.post(PAGE, **{**fields, "key": "p" * 20, **wrong})).status_code == 400, wrong


async def test_a_typed_time_is_never_made_over_a_booking(api: Api, owner: Visitor) -> None:
    typed = await owner.get(f"{PAGE}?offer=link:{api.acme.link.id}&own=yes")
    assert '<details class="disclosure" open>' in typed.text
    fields = {**hidden(typed), "name": "Kim", "email": "kim@example.org", "duration": "30", "override": "yes"}
    refused = await owner.post(PAGE, **{**fields, "start": "2027-03-02T10:15"})
    assert (refused.status_code, "Another booking holds this time" in words(refused)) == (409, True)


async def test_a_refused_form_keeps_all_that_was_typed(api: Api, owner: Visitor) -> None:
    """And leads to each field that is wrong."""
    fields = {
        "offer": f"link:{api.acme.link.id}", "key": "k" * 20, "start": "2027-03-04T10:00", "duration": "30",
        "name": "Kim", "email": "kim@example", "phone": "+49 30 1234567", "guests": "lou@example.org",
        "notes": "Bring tea", "times": "3", "every_weeks": "2", "only_free": "yes",
        "answers.topic": "Plans", "answers.count": "many", "answers.size": "large",
    }  # fmt: skip
    refused = await owner.post(PAGE, **fields)
    assert refused.status_code == 400
    for name in ("name", "email", "phone", "start", "duration", "times", "every_weeks", "answers.topic"):
        assert value_of(refused, name) == fields[name], name
    assert re.search(r'name="answers.size"[^>]*value="large" checked', refused.text)
    assert re.search(r'name="only_free"[^>]* checked', refused.text)
    assert ("Bring tea" in refused.text, "lou@example.org" in refused.text) == (True, True)
    for target in re.findall(r'<li><a href="#([^"]+)">', refused.text):
        assert f'id="{target}"' in refused.text
    gone = await owner.post(PAGE, **{**fields, "offer": "link:00000000-0000-7000-8000-000000000000"})
    assert (gone.status_code, value_of(gone, "name"), '<select class="input" id="f-offer"' in gone.text) == (
        404,
        "Kim",
        True,
    )


async def test_an_hour_that_comes_twice_is_booked_as_it_was_chosen(api: Api, owner: Visitor) -> None:
    """At 02:30 on 31 October the clocks of Berlin have gone back: the second one was chosen."""
    second = "2027-10-31T01:30:00Z"
    fields = {
        "offer": f"link:{api.acme.link.id}", "key": "k" * 20, "chosen": second, "start": "2027-10-31T02:30",
        "duration": "30", "name": "Kim", "email": "kim@example.org", "override": "yes",
    }  # fmt: skip
    assert (await owner.post(PAGE, **fields)).status_code == 303
    assert [each["start"] for each in await booked(api, api.acme, "kim@example.org")] == ["2027-10-31T02:30:00+01:00"]


async def test_the_only_offer_needs_no_choice(api: Api) -> None:
    """And whoever may book nothing is told so."""
    colleague = await enter(api, api.acme.colleague)
    assert "Something else" not in words(await colleague.get(PAGE))
    assert links_of(await colleague.get(PAGE), "slot")
    employee = await enter(api, api.acme.employee)
    assert "There is nothing you could book" in words(await employee.get(PAGE))


async def test_what_is_not_ones_own_shows_no_times(api: Api) -> None:
    for who in (api.acme.colleague, api.acme.employee, api.umbrella.admin):
        visitor = await enter(api, who)
        for more in ("", "&own=yes", f"&start={moment(at(3, 10))}"):
            assert (await visitor.get(f"{PAGE}?offer=link:{api.acme.link.id}{more}")).status_code == 404


async def test_what_was_left_out_of_a_set_is_told(api: Api, owner: Visitor) -> None:
    """And each of the set leads to the others."""
    fields = {
        "offer": f"link:{api.acme.link.id}", "key": "k" * 20, "start": "2027-03-02T10:00", "duration": "30",
        "name": "Kim", "email": "kim@example.org", "times": "4", "every_weeks": "1", "only_free": "yes",
    }  # fmt: skip
    first, again = [await owner.post(PAGE, **fields) for _ in range(2)]
    assert (first.status_code, again.headers["location"]) == (303, first.headers["location"])
    shown = words(await owner.get(first.headers["location"]))
    assert "Not free, and therefore not booked: Tuesday, March 2, 2027; Tuesday, March 9, 2027." in shown
    assert ("One of a set of 2" in shown, "Tuesday, March 23, 2027, 10:00" in shown) == (True, True)
    none = await owner.post(PAGE, **{**fields, "key": "j" * 20, "only_free": ""})
    assert (none.status_code, value_of(none, "times"), 'name="alternative"' in none.text) == (409, "4", False)


async def test_staff_cancel_one_of_a_set_or_it_and_the_later_ones(api: Api, owner: Visitor) -> None:
    fields = {
        "offer": f"link:{api.acme.link.id}", "key": "k" * 20, "start": "2027-03-03T10:00", "duration": "30",
        "name": "Kim", "email": "kim@example.org", "times": "4", "every_weeks": "1",
    }  # fmt: skip
    assert (await owner.post(PAGE, **fields)).status_code == 303
    paths = [f"/app/bookings/{each['id']}" for each in await booked(api, api.acme, "kim@example.org")]
    assert "This one and the 3 later ones until Wednesday, March 24" in words(await owner.get(f"{paths[0]}/cancel"))
    long = await owner.post(f"{paths[1]}/cancel", reason="x" * 501, following="yes")
    assert (long.status_code, 'name="following" value="yes" checked' in long.text) == (400, True)
    assert (await owner.post(f"{paths[0]}/cancel", following="")).status_code == 303
    assert (await owner.post(f"{paths[2]}/cancel", following="yes", version="9")).status_code == 412
    assert (await owner.post(f"{paths[2]}/cancel", following="yes")).status_code == 303
    states = [each["status"] for each in await booked(api, api.acme, "kim@example.org")]
    assert states == ["cancelled", "confirmed", "cancelled", "cancelled"]
    assert "weekly set" not in words(await owner.get(f"{paths[1]}/cancel"))
    assert "weekly set" not in words(await owner.get(f"/app/bookings/{api.acme.booking.id}/cancel"))


async def test_a_client_is_told_in_the_language_that_is_chosen_or_in_their_last_one(api: Api, owner: Visitor) -> None:
    """The booking's page says in which."""
    start = f"{PAGE}?offer=link:{api.acme.link.id}&duration=30&start="
    sent = {"name": "Lou", "email": "lou@example.org", "answers.topic": "Plans"}
    for hour, fields in ((10, {"language": "fr"}), (11, {}), (12, {"language": "klingon"})):
        form = await owner.get(start + moment(at(3, hour)))
        assert '<option value="fr">French</option>' in form.text
        answer = await owner.post(PAGE, **{**hidden(form), **sent, **fields})
        assert answer.status_code == (400 if hour == 12 else 303)
    found = await booked(api, api.acme, "lou@example.org")
    assert [each["language"] for each in found] == ["fr", "fr"]
    assert "Language French" in words(await owner.get(f"/app/bookings/{found[0]['id']}"))
    assert "Language" not in words(await owner.get(f"/app/bookings/{api.acme.booking.id}"))
