"""Feeds as the API makes them."""

from typing import Any

import pytest

from tests.http.api import Api
from tests.http.workspace import Member

pytestmark = pytest.mark.anyio


async def made(api: Api, who: Member, **body: Any) -> Any:
    answer = await api.post("/me/feeds", who, json=body)
    return answer.json() if answer.status_code == 201 else (answer.status_code, answer.json())


async def test_a_feed_of_a_link_says_what_it_is_of_and_how_far_it_reaches(api: Api) -> None:
    link, owner = api.acme.link, api.acme.owner
    feed = await made(
        api, owner, kind="link", subject_id=link.id, past_days=7, future_days=30, alarms=[30, 10, 30], label=""
    )
    assert (feed["kind"], feed["subject_id"], feed["label"]) == ("link", link.id, link.title)
    assert (feed["past_days"], feed["future_days"], feed["alarms"]) == (7, 30, [10, 30])
    shown = (await api.get(f"/me/feeds/{feed['id']}", owner)).json()
    assert shown == feed
    usual = await made(api, owner, kind="busy")
    assert (usual["subject_id"], usual["past_days"], usual["future_days"], usual["alarms"]) == (None, 90, None, None)


async def test_admins_alone_have_a_feed_of_the_organization(api: Api) -> None:
    assert (await made(api, api.acme.admin, kind="organization"))["label"] == api.acme.organization.name
    status, problem = await made(api, api.acme.employee, kind="organization")
    assert (status, problem["code"]) == (403, "FORBIDDEN")


async def test_nothing_of_another_organization_and_nothing_of_others_is_had(api: Api) -> None:
    for who, subject_id in (
        (api.acme.admin, api.umbrella.link.id),
        (api.acme.employee, api.acme.link.id),
        (api.acme.owner, api.acme.owner.user.id),
    ):
        status, problem = await made(api, who, kind="link", subject_id=subject_id)
        assert (status, problem["errors"][0]["field"]) == (400, "subject_id")


@pytest.mark.parametrize(
    "body",
    [{"kind": "everything"}, {"kind": "link"}, {"subject_id": "01a1feea-db94-721f-ba7f-a99ae1a1106d"},
     {"kind": "link", "subject_id": "intro"}, {"past_days": -1}, {"future_days": 0}, {"future_days": 731},
     {"alarms": [1, 2, 3, 4, 5, 6]}, {"alarms": [-5]}, {"alarms": "never"}],
)  # fmt: skip
async def test_what_no_feed_can_be_is_refused(api: Api, body: dict[str, Any]) -> None:
    status, problem = await made(api, api.acme.owner, **body)
    assert (status, problem["code"]) == (400, "VALIDATION_ERROR")


async def test_a_feed_is_changed_at_its_address_by_what_is_sent_alone(api: Api) -> None:
    owner, path = api.acme.owner, f"/me/feeds/{api.acme.feed.id}"
    before = (await api.get(path, owner)).json()
    steps: list[tuple[dict[str, Any], dict[str, Any]]] = [
        ({"alarms": [30, 10]}, {"alarms": [10, 30]}),
        ({"past_days": 7, "future_days": 30}, {"past_days": 7, "future_days": 30}),
        ({"future_days": None, "alarms": []}, {"future_days": None, "alarms": []}),
        ({"label": "Tablet", "alarms": None}, {"label": "Tablet", "alarms": None}),
        ({"label": ""}, {"label": "Schedule"}),
        ({}, {}),
    ]
    expected = before
    for sent, changed in steps:
        expected = {**expected, **changed}
        answer = await api.call("PATCH", path, owner, json=sent)
        assert (answer.status_code, answer.json()) == (200, expected), sent
        assert (await api.get(path, owner)).json() == expected
    for wrong in ({"past_days": None}, {"past_days": 731}, {"future_days": 0}, {"alarms": [-1]}, {"kind": "busy"}):
        answer = await api.call("PATCH", path, owner, json=wrong)
        assert (answer.status_code, answer.json()["code"]) == (400, "VALIDATION_ERROR"), wrong
    assert (await api.get(path, owner)).json() == expected
    for stranger in (api.acme.admin, api.umbrella.owner):
        assert (await api.call("PATCH", path, stranger, json={"label": "Mine"})).status_code == 404
