"""The pages of templates: their questions and followups, and what bad input gets."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pytest

from tests.http.api import Api
from tests.http.signed_in import Visitor, value_of, words
from tests.support.prepared import snapshot

pytestmark = pytest.mark.anyio


GOOD_TEMPLATE: Mapping[str, Any] = {
    "name": "Asked", "count": "2", "q0.label": "Topic", "q0.kind": "short", "q1.id": "size", "q1.label": "How big?",
    "q1.kind": "choice", "q1.options": "small\r\nlarge\r\n\r\nsmall", "q1.required": "yes", "followup_delay": "1",
    "followup_unit": "hours", "action": "save",
}  # fmt: skip


async def test_questions_are_kept_in_order_and_keep_their_ids(api: Api, owner: Visitor) -> None:
    assert (await owner.post("/app/templates/new", **GOOD_TEMPLATE)).status_code == 303
    made = next(
        each for each in (await api.get("/templates", api.acme.owner)).json()["items"] if each["name"] == "Asked"
    )
    assert [question["id"] for question in made["questions"]] == ["topic", "size"]
    assert made["questions"][1]["options"] == ["small", "large"]
    moved = await owner.post(f"/app/templates/{made['id']}", **{**GOOD_TEMPLATE, "action": "up-1"})
    assert (moved.status_code, value_of(moved, "q0.id"), value_of(moved, "q1.label")) == (200, "size", "Topic")
    fewer = await owner.post(f"/app/templates/{made['id']}", **{**GOOD_TEMPLATE, "action": "drop-0"})
    assert (value_of(fewer, "count"), value_of(fewer, "q0.label")) == ("1", "How big?")
    assert (await api.get(f"/templates/{made['id']}", api.acme.owner)).json() == made


WRONG_TEMPLATES: Sequence[tuple[Mapping[str, Any], str]] = [
    ({"name": ""}, "Please enter a name"),
    ({"q0.label": ""}, "Please enter the question"),
    ({"q0.kind": "essay"}, "choose the kind of answer"),
    ({"q1.options": " \n"}, "options to choose from"),
    ({"q1.options": "\n".join(str(n) for n in range(200))}, "At most 100 options"),
    ({"followup": "yes"}, "enter a subject"),
    ({"followup": "yes", "followup_subject": "x", "followup_body": "y", "followup_delay": "50000"}, "At most 30 days"),
    ({"count": "60"}, "Please enter the question"),
]  # fmt: skip


async def test_questions_that_make_no_sense_are_refused(api: Api, owner: Visitor) -> None:
    before = await snapshot(api.database)
    for changed, message in WRONG_TEMPLATES:
        answer = await owner.post("/app/templates/new", **{**GOOD_TEMPLATE, **changed})
        assert (changed, answer.status_code, message in words(answer)) == (changed, 400, True)
    assert await snapshot(api.database) == before


async def test_a_template_begins_from_one_of_the_library(api: Api, owner: Visitor) -> None:
    assert "Advice that wants some preparation." in words(await owner.get("/app/templates"))
    begun = await owner.get("/app/templates/new?from=consultation")
    assert (value_of(begun, "name"), value_of(begun, "q0.label")) == ("Consultation", "What is it about?")
    assert value_of(await owner.get("/app/templates/new?from=nothing"), "name") == ""
    fields = {name: value_of(begun, name) for name in ("name", "count", "q0.id", "q0.label", "q1.label", "q2.label")}
    sent = {**GOOD_TEMPLATE, **fields, "q1.kind": "long", "q2.kind": "checkbox"}
    assert (await owner.post("/app/templates/new", **sent)).status_code == 303
    made = [each["name"] for each in (await api.get("/templates", api.acme.owner)).json()["items"]]
    assert "Consultation" in made
