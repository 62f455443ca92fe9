"""What devices lost, by the API."""

from __future__ import annotations

import pytest
from sqlalchemy import select, update

from app.db import models as m
from tests.http.api import Api, code_of

pytestmark = pytest.mark.anyio


async def test_what_was_lost_is_listed_without_its_text_and_shown_with_it(api: Api) -> None:
    owner = api.acme.owner
    listed = (await api.get("/me/kept-edits", owner)).json()["items"]
    assert [(each["title"], each["device"], each["data"]) for each in listed] == [
        ("Dentist", "Phone", None),
        ("Tailor", "Phone", None),
    ]
    shown = (await api.get(f"/me/kept-edits/{api.acme.kept_id}", owner)).json()
    assert shown == {**listed[0], "data": shown["data"]}
    assert "SUMMARY:Dentist" in shown["data"]
    assert (shown["name"], shown["is_deletion"], shown["reason"]) == ("Dentist.ics", False, "It was changed.")
    first = (await api.get("/me/kept-edits?limit=1", owner)).json()
    second = (await api.get(f"/me/kept-edits?limit=1&cursor={first['next_cursor']}", owner)).json()
    assert (first["items"] + second["items"], second["next_cursor"]) == (listed, None)


async def test_it_is_kept_as_an_event_of_its_own_once(api: Api) -> None:
    owner, path = api.acme.owner, f"/me/kept-edits/{api.acme.kept_id}"
    made = await api.post(f"{path}/copy", owner)
    assert made.status_code == 201, made.text
    copy = made.json()
    assert copy["url"].startswith(f"http://127.0.0.1:8000/dav/calendars/{owner.user.handle}/personal/")
    async with api.database.read.connect() as connection:
        query = select(m.calendar_objects.c.uid, m.calendar_objects.c.data).where(
            m.calendar_objects.c.name == copy["url"].rpartition("/")[2]
        )
        [(uid, text)] = (await connection.execute(query)).all()
    assert uid == copy["uid"]
    assert "SUMMARY:Dentist" in text
    for again in (await api.get(path, owner), await api.post(f"{path}/copy", owner)):
        assert (again.status_code, code_of(again)) == (404, "NOT_FOUND")
    assert [each["title"] for each in (await api.get("/me/kept-edits", owner)).json()["items"]] == ["Tailor"]


async def test_it_is_forgotten(api: Api) -> None:
    owner, path = api.acme.owner, f"/me/kept-edits/{api.acme.kept_id}"
    assert (await api.call("DELETE", path, owner)).status_code == 204
    assert (await api.call("DELETE", path, owner)).status_code == 404
    assert [each["title"] for each in (await api.get("/me/kept-edits", owner)).json()["items"]] == ["Tailor"]


async def test_of_a_deletion_there_is_nothing_to_copy(api: Api) -> None:
    owner, path = api.acme.owner, f"/me/kept-edits/{api.acme.kept_id}"
    async with api.database.write.begin() as connection:
        await connection.execute(update(m.kept_edits).where(m.kept_edits.c.id == api.acme.kept_id).values(data=""))
    shown = (await api.get(path, owner)).json()
    assert (shown["is_deletion"], shown["title"], shown["data"]) == (True, "", None)
    refused = await api.post(f"{path}/copy", owner)
    assert (refused.status_code, code_of(refused)) == (400, "VALIDATION_ERROR")
    assert (await api.get(path, owner)).status_code == 200
