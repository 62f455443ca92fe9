"""Templates to begin with: each of them can be made as it is."""

import pytest

from tests.http.api import Api

pytestmark = pytest.mark.anyio


async def test_each_can_be_made_as_it_is(api: Api) -> None:
    library = (await api.get("/template-library", api.acme.owner)).json()["items"]
    assert len({each["id"] for each in library}) == len(library) > 5
    for each in library:
        body = {name: each[name] for name in ("name", "questions", "followup")}
        body |= {"email_followup_enabled": bool(each["followup"]["subject"])}
        made = await api.post("/templates", api.acme.owner, json=body)
        assert made.status_code == 201, made.text
        assert made.json()["questions"] == each["questions"]
