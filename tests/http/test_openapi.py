"""The OpenAPI document and the page made from it."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from schemathesis.specs.openapi.definitions import OPENAPI_31_VALIDATOR

from app.web.api.fields import LONGEST_STAY
from tests.http.api import API, Api, client_of
from tests.http.endpoints import ENDPOINTS, Endpoint

pytestmark = pytest.mark.anyio


@pytest.fixture
async def document(shared_api: Api) -> dict[str, Any]:
    client = client_of(shared_api.app)
    answer = await client.get("/schema/openapi.json")
    assert answer.headers["content-type"].startswith("application/vnd.oai.openapi+json")
    await client.aclose()
    found: dict[str, Any] = answer.json()
    return found


def operation(document: dict[str, Any], endpoint: Endpoint) -> dict[str, Any]:
    found: dict[str, Any] = document["paths"][API + endpoint.path][endpoint.method.lower()]
    return found


async def test_the_document_is_valid(document: dict[str, Any]) -> None:
    """By the schema of OpenAPI 3.1; and whatever it refers to is in it."""
    assert document["openapi"].startswith("3.1")
    OPENAPI_31_VALIDATOR.validate(document)
    references = set(re.findall(r'"\$ref": "([^"]+)"', json.dumps(document)))
    known = {f"#/components/schemas/{name}" for name in document["components"]["schemas"]}
    assert references <= known


async def test_operations_have_names_of_their_own(document: dict[str, Any]) -> None:
    ids = [operation(document, endpoint)["operationId"] for endpoint in ENDPOINTS]
    assert len(set(ids)) == len(ids)
    assert all(re.fullmatch(r"[a-z_]+", each) for each in ids)


@pytest.mark.parametrize("endpoint", ENDPOINTS, ids=str)
async def test_a_route_tells_all_its_answers(document: dict[str, Any], endpoint: Endpoint) -> None:
    found = operation(document, endpoint)
    answers = set(found["responses"])
    expected = {"400"}
    if endpoint.audience == "public":
        expected |= {"404", "429"}
        assert "401" not in answers
    else:
        expected.add("401")
        expected |= {"403"} if endpoint.method != "GET" else set()
    if "{" in endpoint.path:
        expected.add("404")
    if endpoint.body is not None:
        expected.add("413")
    if endpoint.versioned:
        expected.add("412")
    assert expected <= answers, expected - answers
    assert "500" not in answers
    assert len([status for status in answers if status < "300"]) == 1
    for status, answer in found["responses"].items():
        if status >= "400":
            assert list(answer["content"]) == ["application/problem+json"]
    assert found["summary"]
    assert bool(found.get("security")) == (endpoint.audience != "public")


@pytest.mark.parametrize("endpoint", ENDPOINTS, ids=str)
async def test_a_route_tells_what_it_takes(document: dict[str, Any], endpoint: Endpoint) -> None:
    found = operation(document, endpoint)
    parameters = {(each["in"], each["name"]): each for each in found.get("parameters", [])}
    assert {("path", name) for name in re.findall(r"\{(\w+)\}", endpoint.path)} == {
        place for place in parameters if place[0] == "path"
    }
    assert (("header", "If-Match") in parameters) == endpoint.versioned
    assert (("query", "cursor") in parameters) == (("query", "limit") in parameters) == endpoint.listed
    assert {("query", name) for name in endpoint.query} <= set(parameters)
    if endpoint.body is None:
        assert "requestBody" not in found
        return
    reference = found["requestBody"]["content"]["application/json"]["schema"]
    names = re.findall(r"schemas/(\w+)", str(reference))
    schema = document["components"]["schemas"][names[0]]
    assert set(schema["properties"]) == set(endpoint.fields)
    assert set(schema.get("required", ())) == set(endpoint.required)
    assert schema["additionalProperties"] is False
    assert found["requestBody"]["required"] == ("cancel" not in endpoint.path)


async def test_bounds_inside_shapes_are_told(document: dict[str, Any]) -> None:
    """What Litestar's own description would leave out."""
    shapes = document["components"]["schemas"]
    assert shapes["BookIn"]["properties"]["guests"]["items"]["maxLength"] == 254
    assert shapes["BookIn"]["properties"]["duration"] == {"type": "integer", "minimum": 1, "maximum": LONGEST_STAY}
    assert shapes["LinkIn"]["properties"]["durations"]["items"]["maximum"] == 1440
    assert shapes["Weekly"]["properties"]["mon"]["items"]["maxItems"] == 2


async def test_the_page_needs_nothing_from_elsewhere(shared_api: Api, document: dict[str, Any]) -> None:
    client = client_of(shared_api.app)
    answer = await client.get("/schema")
    await client.aclose()
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/html")
    addresses = re.findall(r'(?:src|href|action|srcset)="([^"]*)"', answer.text)
    assert addresses
    assert all(re.match(r"(#|/(?!/))", address) for address in addresses), addresses
    assert not re.search(r"<script|<style|\son\w+=|\sstyle=|@import|url\(", answer.text)
    for endpoint in ENDPOINTS:
        assert f"{endpoint.method} {API}{endpoint.path}</code>" in answer.text
    for name in document["components"]["schemas"]:
        assert f'id="shape-{name}"' in answer.text
    anchors = set(re.findall(r'id="([^"]+)"', answer.text))
    assert {address[1:] for address in addresses if address.startswith("#")} <= anchors
