"""What bad input gets: a problem with the contract's code, and nothing is written. Every route, both engines."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from typing import Any

import pytest

from tests.http.api import Api, code_of
from tests.http.endpoints import ENDPOINTS, Endpoint, Kind
from tests.http.workspace import Company
from tests.support.prepared import snapshot

pytestmark = pytest.mark.anyio

WITH_BODY = [endpoint for endpoint in ENDPOINTS if endpoint.body is not None]
MEGABYTE = "x" * 1_000_000
CONTROL = ("a\0b", "a\x1bb", "a\x7fb", "a\x85b", "a\u2028b", "a\uffffb")
NOT_TEXT: tuple[Any, ...] = (1, True, [], {}, ["x"])

WRONG: dict[Kind, tuple[Any, ...]] = {
    "line": (*NOT_TEXT, MEGABYTE, "two\nlines", "at the end\n", *CONTROL),
    "text": (*NOT_TEXT, MEGABYTE, *CONTROL),
    "email": (
        *NOT_TEXT,
        MEGABYTE,
        "nobody",
        "a b@example.org",
        "a@example.org\n",
        "a@b",
        "İ" * 200 + "@example.org",
        *CONTROL,
    ),
    "zone": (*NOT_TEXT, MEGABYTE, "", "Mars/Base", "../../etc/passwd", "UTC\n", "localtime", "Factory", *CONTROL),
    "word": (*NOT_TEXT, MEGABYTE, "nonsense", *CONTROL),
    "date": (*NOT_TEXT, "2027-02-30", "2027-3-1", "20270301", "10000-01-01", "2027-03-01\n"),
    "count": (-1, 10**6, 2**31, 2**63, 10**30, 1.5, True, "30", "thirty", [], {}),
    "money": (-1, 10**10, 2**63, 10**30, 1.5, True, "30", [], {}),
    "moment": (
        5,
        True,
        [],
        {},
        "",
        "tomorrow",
        "2027-03-03",
        "2027-03-03T09:00:00",
        "2027-03-03T09:00:00.5Z",
        "2027-03-03T09:00:00+24:00",
        "2027-02-30T09:00:00Z",
        "0001-01-01T00:00:00+14:00",
        "9999-12-31T23:59:00Z",
        "9999-12-31T23:59:00-12:00",
        "10000-01-01T00:00:00Z",
        "2027-03-03T09:00:00Z\0",
        MEGABYTE,
    ),
    "id": (*NOT_TEXT, "", "x", "0" * 36, MEGABYTE, *CONTROL),
    "flag": (0, 1, "true", "yes", [], {}),
    "list": (1, True, "x", {}, [None], [[]]),
    "object": (1, True, "x", [], [1], {"no": "such"}),
}

BODIES: dict[str, bytes] = {
    "empty": b"",
    "null": b"null",
    "array": b"[]",
    "text": b'"x"',
    "number": b"1",
    "cut off": b'{"a": ',
    "two values": b"{} {}",
    "trailing comma": b'{"a": 1,}',
    "byte order mark": b"\xef\xbb\xbf{}",
    "not UTF-8": b'{"title": "\xff\xfe", "name": "\xff\xfe", "reason": "\xff\xfe", "notes": "\xff\xfe"}',
    "a surrogate in UTF-8": b'{"title": "\xed\xa0\x80", "name": "\xed\xa0\x80"}',
    "nested without end": b"[" * 100_000,
    "nested objects": b'{"a":' * 50_000,
    "a form": b"title=x&name=x",
    "NUL": b"\0",
}
OPTIONAL = {"POST /bookings/{booking_id}/cancel", "POST /public/bookings/{token}/cancel"}
"""Bodies that may be missing, or null."""


async def send(api: Api, endpoint: Endpoint, company: Company, **sent: Any) -> Any:
    query = {**endpoint.query, **sent.pop("params", {})}
    return await api.call(endpoint.method, endpoint.at(company), endpoint.sender(company), params=query, **sent)


def bodies_with_wrong_fields(endpoint: Endpoint, company: Company) -> Iterator[tuple[str, bytes]]:
    assert endpoint.body is not None
    good = endpoint.body(company)
    for name, kind in endpoint.fields.items():
        for wrong in WRONG[kind]:
            yield name, json.dumps({**good, name: wrong}).encode()
        yield "body", json.dumps({**good, name: "SURROGATE"}).replace("SURROGATE", "\\ud800").encode()
        if name in endpoint.required:
            yield name, json.dumps({**good, name: None}).encode()
            yield name, json.dumps({key: value for key, value in good.items() if key != name}).encode()
    yield "surprise", json.dumps({**good, "surprise": 1}).encode()
    for hidden in ("id", "org_id", "owner_id", "version", "created_at", "status"):
        yield hidden, json.dumps({**good, hidden: "x"}).encode()


@pytest.mark.parametrize("endpoint", WITH_BODY, ids=str)
async def test_a_wrong_field_is_named_and_nothing_is_written(shared_api: Api, endpoint: Endpoint) -> None:
    """Wrong type, out of range, missing, unknown, 1 MB of text, control characters, huge years, parts of seconds."""
    before = await snapshot(shared_api.database)
    for name, content in bodies_with_wrong_fields(endpoint, shared_api.acme):
        answer = await send(
            shared_api, endpoint, shared_api.acme, content=content, headers={"Content-Type": "application/json"}
        )
        what = f"{content[:200]!r}: {answer.text[:300]}"
        assert answer.status_code == 400, what
        assert code_of(answer) == "VALIDATION_ERROR", what
        fields = [error["field"] for error in answer.json()["errors"]]
        assert any(field == name or field.startswith(f"{name}.") for field in fields) or name == "body", what
        assert len(answer.content) < 2000, "an error does not repeat what was sent"
    assert await snapshot(shared_api.database) == before


@pytest.mark.parametrize("endpoint", WITH_BODY, ids=str)
async def test_a_body_that_is_no_json_object_is_refused(shared_api: Api, endpoint: Endpoint) -> None:
    before = await snapshot(shared_api.database)
    for name, content in BODIES.items():
        if name in {"empty", "null"} and str(endpoint) in OPTIONAL:
            continue
        answer = await send(
            shared_api, endpoint, shared_api.acme, content=content, headers={"Content-Type": "application/json"}
        )
        assert (answer.status_code, code_of(answer)) == (400, "VALIDATION_ERROR"), f"{name}: {answer.text[:300]}"
    assert await snapshot(shared_api.database) == before


@pytest.mark.parametrize(
    "content_type", ["", "text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x"]
)
@pytest.mark.parametrize("endpoint", WITH_BODY, ids=str)
async def test_another_content_type_is_refused(shared_api: Api, endpoint: Endpoint, content_type: str) -> None:
    """Also what browsers send from other sites without asking first."""
    assert endpoint.body is not None
    before = await snapshot(shared_api.database)
    content = json.dumps(endpoint.body(shared_api.acme)).encode()
    answer = await send(shared_api, endpoint, shared_api.acme, content=content, headers={"Content-Type": content_type})
    assert (answer.status_code, code_of(answer)) == (400, "VALIDATION_ERROR"), answer.text
    assert await snapshot(shared_api.database) == before


@pytest.mark.parametrize("endpoint", WITH_BODY, ids=str)
async def test_a_body_beyond_2_mb_is_not_even_read(shared_api: Api, endpoint: Endpoint) -> None:
    before = await snapshot(shared_api.database)
    content = json.dumps({"title": "x" * 3_000_000}).encode()
    answer = await send(
        shared_api, endpoint, shared_api.acme, content=content, headers={"Content-Type": "application/json"}
    )
    assert answer.status_code == 413, answer.text
    assert code_of(answer) == "VALIDATION_ERROR"
    assert await snapshot(shared_api.database) == before


@pytest.mark.parametrize("endpoint", ENDPOINTS, ids=str)
async def test_an_unknown_parameter_is_refused(shared_api: Api, endpoint: Endpoint) -> None:
    """`?stauts=confirmed` must not list everything."""
    before = await snapshot(shared_api.database)
    body = endpoint.body(shared_api.acme) if endpoint.body else None
    answer = await send(shared_api, endpoint, shared_api.acme, json=body, params={"stauts": "confirmed"})
    assert (answer.status_code, code_of(answer)) == (400, "VALIDATION_ERROR"), answer.text
    assert answer.json()["errors"][0]["field"] == "stauts"
    assert await snapshot(shared_api.database) == before


def _cursor(text: str | bytes) -> str:
    return base64.urlsafe_b64encode(text if isinstance(text, bytes) else text.encode()).decode().rstrip("=")


ID = "01a1f972-f9c2-735d-bb9d-a624fee82fc9"
CURSORS = (
    "",
    "x",
    "%00",
    "é",
    "!!!!",
    "x" * 201,
    _cursor(""),
    _cursor("\0"),
    _cursor(b"\xff\xfe"),
    _cursor("x"),
    _cursor("x|y"),
    _cursor(f"{ID}|{ID}"),
    _cursor(f"1|{ID}|1"),
    _cursor("1|x\0"),
    _cursor(f"99999999999999999999999|{ID}"),
    _cursor(f"²|{ID}"),
    _cursor(f"1_0|{ID}"),
    _cursor(f"{ID}' OR 1=1 --"),
)


@pytest.mark.parametrize("endpoint", [each for each in ENDPOINTS if each.listed], ids=str)
async def test_a_list_takes_no_nonsense(shared_api: Api, endpoint: Endpoint) -> None:
    wrong = [("limit", value) for value in ("0", "-1", "201", "x", "", "1.5", "99999999999999999999", "1\0")]
    wrong += [("cursor", cursor) for cursor in CURSORS]
    for name, value in wrong:
        answer = await send(shared_api, endpoint, shared_api.acme, params={name: value})
        assert (answer.status_code, code_of(answer)) == (400, "VALIDATION_ERROR"), f"{name}={value!r}: {answer.text}"
        assert answer.json()["errors"][0]["field"] == name


FILTERS: tuple[tuple[str, str, dict[str, str], str], ...] = tuple(
    (path, name, {name: value}, name)
    for path, names in (
        (
            "/bookings",
            {"status": ("rescheduled", "x", ""), "link": ("x", "\0"), "host": ("x",), "recipient": ("a\0", "x" * 255)},
        ),
        ("/bookings", {"from": ("x", "2027-02-30", "2027-03-01T00:00:00Z", "0001-01-01", "9999-12-31", "2027-3-1")}),
        ("/bookings", {"to": ("x", "2027-02-30", "10000-01-01"), "timezone": ("Mars/Base", "", "a\0", "x" * 65)}),
        ("/bookings", {"client": ("x", "\0")}),
        ("/clients", {"q": ("a\0", "x" * 201)}),
        ("/me/schedule", {"from": ("x", "2027-W09-1"), "to": ("x",), "timezone": ("Mars/Base",)}),
    )
    for name, values in names.items()
    for value in values
)


@pytest.mark.parametrize(("path", "name", "query", "field"), FILTERS)
async def test_a_filter_takes_no_nonsense(
    shared_api: Api, path: str, name: str, query: dict[str, str], field: str
) -> None:
    answer = await shared_api.get(path, shared_api.acme.owner, params=query)
    assert (answer.status_code, code_of(answer)) == (400, "VALIDATION_ERROR"), answer.text
    assert answer.json()["errors"][0]["field"] == field


async def test_a_period_that_ends_before_it_begins_is_refused(shared_api: Api) -> None:
    query = {"from": "2027-03-02", "to": "2027-03-01"}
    answer = await shared_api.get("/bookings", shared_api.acme.owner, params=query)
    assert (answer.status_code, code_of(answer)) == (400, "VALIDATION_ERROR")


AVAILABILITY: tuple[tuple[str, dict[str, str | None]], ...] = (
    ("from", {"from": None}),
    ("to", {"to": None}),
    ("duration", {"duration": None}),
    ("timezone", {"timezone": None}),
    ("from", {"from": "x"}),
    ("from", {"from": "2027-02-30"}),
    ("from", {"from": "2027-03-02T00:00:00Z"}),
    ("from", {"from": "2027-03-02\n"}),
    ("from", {"from": "٢٠٢٧-٠٣-٠٢"}),
    ("from", {"from": "0000-01-01"}),
    ("from", {"from": "9999-12-31", "to": "9999-12-31"}),
    ("to", {"to": "2027-03-01"}),
    ("to", {"to": "2027-06-02"}),
    ("duration", {"duration": "0"}),
    ("duration", {"duration": "-30"}),
    ("duration", {"duration": "1441"}),
    ("duration", {"duration": "30.5"}),
    ("duration", {"duration": "half an hour"}),
    ("duration", {"duration": "45"}),
    ("duration", {"duration": "9" * 30}),
    ("timezone", {"timezone": ""}),
    ("timezone", {"timezone": "Mars/Base"}),
    ("timezone", {"timezone": "europe/berlin"}),
    ("timezone", {"timezone": "../etc/passwd"}),
    ("timezone", {"timezone": "UTC\0"}),
    ("timezone", {"timezone": "Factory"}),
)


@pytest.mark.parametrize(("field", "changes"), AVAILABILITY)
async def test_availability_takes_no_nonsense(shared_api: Api, field: str, changes: dict[str, str | None]) -> None:
    """Missing, malformed, unknown zone, a length the link does not offer, a window over 92 days."""
    query = {"from": "2027-03-02", "to": "2027-03-03", "duration": "30", "timezone": "Europe/Berlin", **changes}
    query = {name: value for name, value in query.items() if value is not None}
    answer = await shared_api.get("/public/acme.intro/availability", params=query)
    assert (answer.status_code, code_of(answer)) == (400, "VALIDATION_ERROR"), answer.text
    assert answer.json()["errors"][0]["field"] == field


async def test_availability_of_92_days_is_answered(shared_api: Api) -> None:
    query = {"from": "2027-03-02", "to": "2027-06-01", "duration": "30", "timezone": "Europe/Berlin"}
    answer = await shared_api.get("/public/acme.intro/availability", params=query)
    assert answer.status_code == 200


@pytest.mark.parametrize("if_match", ["", "1", '"1', '1"', '"1", "2"', '"a"b"', "x" * 201, "W/1"])
@pytest.mark.parametrize("endpoint", [each for each in ENDPOINTS if each.versioned], ids=str)
async def test_an_if_match_that_is_no_version_is_refused(shared_api: Api, endpoint: Endpoint, if_match: str) -> None:
    before = await snapshot(shared_api.database)
    body = endpoint.body(shared_api.acme) if endpoint.body else None
    answer = await send(shared_api, endpoint, shared_api.acme, json=body, headers={"If-Match": if_match})
    assert (answer.status_code, code_of(answer)) == (400, "VALIDATION_ERROR"), answer.text
    assert answer.json()["errors"][0]["field"] == "If-Match"
    assert await snapshot(shared_api.database) == before


@pytest.mark.parametrize("if_match", ['"77"', 'W/"77"', '"x"', '""', '"99999999999999999999"', '"-1"', '"1.0"'])
@pytest.mark.parametrize("endpoint", [each for each in ENDPOINTS if each.versioned], ids=str)
async def test_a_stale_version_is_412(shared_api: Api, endpoint: Endpoint, if_match: str) -> None:
    before = await snapshot(shared_api.database)
    body = endpoint.body(shared_api.acme) if endpoint.body else None
    answer = await send(shared_api, endpoint, shared_api.acme, json=body, headers={"If-Match": if_match})
    assert (answer.status_code, code_of(answer)) == (412, "STALE_VERSION"), answer.text
    assert await snapshot(shared_api.database) == before


@pytest.mark.parametrize("key", ["", "x" * 256])
async def test_an_idempotency_key_has_1_to_255_characters(shared_api: Api, key: str) -> None:
    endpoint = next(each for each in ENDPOINTS if each.path == "/public/{token}/book")
    assert endpoint.body is not None
    before = await snapshot(shared_api.database)
    answer = await send(
        shared_api, endpoint, shared_api.acme, json=endpoint.body(shared_api.acme), headers={"Idempotency-Key": key}
    )
    assert (answer.status_code, code_of(answer)) == (400, "VALIDATION_ERROR"), answer.text
    assert await snapshot(shared_api.database) == before


@pytest.mark.parametrize(
    "path",
    [
        "/links/x",
        "/links/%00",
        "/links/1",
        "/bookings/' OR 1=1",
        "/nothing",
        "/",
        "/links/{link_id}",
        "/public/",
        "/%ff",
    ],
)
async def test_an_address_that_is_none_is_404(shared_api: Api, path: str) -> None:
    answer = await shared_api.get(path, shared_api.acme.owner)
    assert (answer.status_code, code_of(answer)) == (404, "NOT_FOUND"), answer.text


@pytest.mark.parametrize(
    "token",
    [
        "x",
        "acme.none",
        "none.intro",
        "acme.",
        ".intro",
        "acme%00.intro",
        "acme.in%00tro",
        "acme.intro.x",
        "%ed%a0%80",
        "a" * 200,
        "acme.intro%0a",
        "ACME.intro",
    ],
)
@pytest.mark.parametrize("suffix", ["", "/availability?from=2027-03-02&to=2027-03-03&duration=30&timezone=UTC"])
async def test_a_token_nobody_gave_is_404(shared_api: Api, token: str, suffix: str) -> None:
    answer = await shared_api.get(f"/public/{token}{suffix}")
    assert (answer.status_code, code_of(answer)) == (404, "NOT_FOUND"), answer.text


@pytest.mark.parametrize("method", ["PUT", "TRACE", "PATCH", "DELETE"])
async def test_another_method_is_405_and_told_which_there_are(shared_api: Api, method: str) -> None:
    answer = await shared_api.call(method, "/links", shared_api.acme.owner)
    assert (answer.status_code, code_of(answer)) == (405, "METHOD_NOT_ALLOWED")
    assert {"GET", "POST"} <= {each.strip() for each in answer.headers["allow"].split(",")}
