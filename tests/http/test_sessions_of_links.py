"""Owners whose links offer a class see its sessions, though others give them: by the API and on pages."""

from __future__ import annotations

from typing import Any

import pytest

from tests.http.api import Api, code_of
from tests.http.signed_in import enter, value_of, words
from tests.http.workspace import at, moment
from tests.support.statements import statements_of

pytestmark = pytest.mark.anyio


async def seat(api: Api, token: str, name: str) -> None:
    start = api.acme.slot.start
    who = {"name": name, "email": f"{name.lower()}@example.org"}
    body = {"start": moment(start), "duration": 60, "timezone": "UTC", **who}
    answer = await api.post(f"/public/{token}/book", None, json=body)
    assert answer.status_code == 201, answer.text


async def two_links(api: Api) -> None:
    """The owner, who gives the lesson, and the colleague, who does not, each with a link and an attendee."""
    for who, slug, name in ((api.acme.owner, "mine", "Kim"), (api.acme.colleague, "theirs", "Lou")):
        link = {"title": "Lesson", "slug": slug, "service_id": api.acme.lesson.id, "minimum_notice": 0}
        assert (await api.post("/links", who, json=link)).status_code == 201
        await seat(api, f"acme.{slug}", name)


def names(slot: Any) -> list[str]:
    return sorted(each["name"] for each in slot["attendees"])


async def test_an_owner_sees_the_sessions_that_a_link_of_theirs_offers(api: Api) -> None:
    """With the names of those who came through it; the others count. Nobody else of the organization sees them."""
    acme, path = api.acme, f"/slots/{api.acme.slot.id}"
    assert (await api.get(path, acme.colleague)).status_code == 404
    assert (await api.get("/slots", acme.colleague)).json()["items"] == []
    await two_links(api)
    for who, seen in ((acme.owner, ["Kim", "Lou"]), (acme.admin, ["Kim", "Lou"]), (acme.colleague, ["", "Lou"])):
        one = (await api.get(path, who)).json()
        (listed,) = (await api.get("/slots", who)).json()["items"]
        assert (names(one), names(listed), one["seats_taken"]) == (seen, seen, 2)
        assert ("kim@example.org" in (await api.get(path, who)).text) == ("Kim" in seen)
    for stranger in (acme.employee, api.umbrella.owner, api.umbrella.admin):
        assert (await api.get(path, stranger)).status_code == 404
        assert acme.slot.id not in (await api.get("/slots", stranger)).text


async def test_seeing_a_session_is_not_moving_or_cancelling_it(api: Api) -> None:
    await two_links(api)
    refused = await api.delete(f"/slots/{api.acme.slot.id}", api.acme.colleague)
    assert (refused.status_code, code_of(refused)) == (404, "NOT_FOUND")
    refused = await api.post(f"/bookings/{api.acme.slot.id}/cancel", api.acme.colleague)
    assert refused.status_code == 404
    assert (await api.get(f"/slots/{api.acme.slot.id}", api.acme.admin)).json()["status"] == "confirmed"


async def test_links_of_others_cost_no_statement(api: Api) -> None:
    counts = []
    for _ in range(2):
        async with statements_of(None) as statements:
            assert (await api.get("/slots", api.acme.colleague)).status_code == 200
        counts.append(len(statements))
        if len(counts) == 1:
            await two_links(api)
            day = at(12, 9)
            body = {"service_id": api.acme.lesson.id, "start": moment(day), "duration": 60}
            assert (await api.post("/slots", api.acme.admin, json=body)).status_code == 201
    assert counts[1] <= counts[0] + 2, "hosts and attendees, whatever their number"


async def test_an_owner_sees_sessions_on_pages_but_has_no_buttons(api: Api) -> None:
    """They come there from their link; whoever gives the class can book a seat from its page."""
    acme, path = api.acme, f"/app/slots/{api.acme.slot.id}"
    await two_links(api)
    colleague, giver = await enter(api, acme.colleague), await enter(api, acme.owner)
    (link,) = [each for each in (await api.get("/links", acme.colleague)).json()["items"] if each["slug"] == "theirs"]
    sessions = f"/app/services/{acme.lesson.id}/slots"
    assert f'href="{sessions}"' in (await colleague.get(f"/app/links/{link['id']}")).text
    listed = await colleague.get(sessions)
    assert (f'href="{path}"' in listed.text, "Set a session" in words(listed)) == (True, False)
    seen = await colleague.get(path)
    assert ("Lou" in words(seen), "Kim" in words(seen), "2 of 8 seats taken" in words(seen)) == (True, False, True)
    assert ("Somebody through another link" in words(seen), "Move session" in words(seen)) == (True, False)
    assert (f"{path}/cancel" in seen.text, "Book a seat" in words(seen)) == (False, False)
    for step in ("move", "cancel"):
        assert (await colleague.post(f"{path}/{step}", start="2027-03-06T10:00")).status_code == 404
    assert (await colleague.get(f"{path}/cancel")).status_code == 404
    assert (await (await enter(api, acme.employee)).get(sessions)).status_code == 403
    mine = await giver.get(path)
    assert ("Kim" in words(mine), "Book a seat" in words(mine)) == (True, True)
    book = mine.text.partition("Book a seat")[0].rpartition('href="')[2].partition('"')[0].replace("&amp;", "&")
    form = await giver.get(book)
    assert (form.status_code, value_of(form, "seats")) == (200, "1")
