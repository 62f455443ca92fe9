"""Schemathesis over the whole API: no 500, and no answer that the OpenAPI document does not tell of.

Each route is called with what its schema allows and with what it forbids, by nobody and by people who may do much;
where a path names a thing, it is mostly one that is there. More with HYPOTHESIS_PROFILE=thorough.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import httpx
import pytest
import requests
import schemathesis
import uvicorn
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from schemathesis import Case, GenerationMode
from schemathesis.checks import CHECKS

from app.config import Settings
from app.main import create_app
from tests.http.api import API
from tests.http.endpoints import ENDPOINTS, Endpoint
from tests.http.workspace import NOW, Company, Workspace
from tests.support.clock import Clock
from tests.support.prepared import Prepared
from tests.switches import examples

NAMES = (
    "status_code_conformance",
    "content_type_conformance",
    "response_headers_conformance",
    "response_schema_conformance",
    "negative_data_rejection",
)


OUTWARD = {"POST /calendar-accounts", "PATCH /calendar-accounts/{account_id}"}
"""They ask servers that the test would make up."""


@dataclass(frozen=True, slots=True)
class Site:
    """A served workspace and what its document says."""

    address: str
    schema: Any
    acme: Company
    client: httpx.Client

    def send(self, sent: dict[str, Any]) -> httpx.Response:
        """What `requests` would send, by httpx: beside the calendar client's urllib3 the former does not work."""
        known = {"method", "url", "headers", "params", "data", "json", "files", "cookies"}
        made = requests.Request(**{name: value for name, value in sent.items() if name in known}).prepare()
        headers = [(name.encode(), _header(value)) for name, value in made.headers.items()]
        return self.client.request(made.method or "GET", made.url or "", headers=headers, content=made.body)


def _header(value: str | bytes) -> bytes:
    """Without the white space around it, which is no part of a value (RFC 9110 §5.5)."""
    return (value if isinstance(value, bytes) else value.encode("latin-1")).strip()


@pytest.fixture(scope="module")
def site(shared_settings: Settings, shared_filled: tuple[Prepared, Workspace]) -> Iterator[Site]:
    app = create_app(shared_settings, with_worker=False, clock=Clock(NOW))
    server = uvicorn.Server(uvicorn.Config(app, port=0, log_level="error", lifespan="on"))
    thread = threading.Thread(target=server.run)
    thread.start()
    while not server.started:
        time.sleep(0.02)
    port = server.servers[0].sockets[0].getsockname()[1]
    address = f"http://127.0.0.1:{port}"
    document = httpx.get(f"{address}/schema/openapi.json").json()
    document.pop("servers")
    with httpx.Client() as client:
        yield Site(address, schemathesis.openapi.from_dict(document), shared_filled[1].acme, client)
    server.should_exit = True
    thread.join()


def real_path(endpoint: Endpoint, acme: Company) -> dict[str, str]:
    """The path's parameters for the thing of the table."""
    names, values = endpoint.path.split("/"), endpoint.at(acme).split("/")
    return {name[1:-1]: value for name, value in zip(names, values, strict=True) if name.startswith("{")}


def bend(site: Site, endpoint: Endpoint, mode: GenerationMode, token: str | None, count: int) -> None:
    operation = site.schema[API + endpoint.path][endpoint.method]
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    checks: Any = [CHECKS.get_one(name) for name in NAMES]

    @given(case=operation.as_strategy(generation_mode=mode), is_there=st.integers(0, 3))
    @settings(
        max_examples=examples(count),
        phases=[Phase.explicit, Phase.generate],
        deadline=None,
        suppress_health_check=list(HealthCheck),
    )
    def check(case: Case[Any], is_there: int) -> None:
        if is_there and mode is GenerationMode.POSITIVE:
            case.path_parameters = real_path(endpoint, site.acme)
        sent = case.as_transport_kwargs(base_url=site.address, headers=headers)
        answer = site.send(sent)
        assert answer.status_code != 500, answer.text
        case.validate_response(answer, checks=checks, transport_kwargs=sent)

    check()


@pytest.mark.parametrize("endpoint", ENDPOINTS, ids=str)
def test_nobody(site: Site, endpoint: Endpoint) -> None:
    bend(site, endpoint, GenerationMode.POSITIVE, None, 3)


@pytest.mark.parametrize("endpoint", [each for each in ENDPOINTS if str(each) not in OUTWARD], ids=str)
def test_what_the_schema_allows(site: Site, endpoint: Endpoint) -> None:
    bend(site, endpoint, GenerationMode.POSITIVE, who(site, endpoint), 8)


@pytest.mark.parametrize("endpoint", ENDPOINTS, ids=str)
def test_what_the_schema_forbids(site: Site, endpoint: Endpoint) -> None:
    bend(site, endpoint, GenerationMode.NEGATIVE, who(site, endpoint), 8)


def who(site: Site, endpoint: Endpoint) -> str:
    """An admin, but where a thing is for its owner alone."""
    member = site.acme.owner if endpoint.audience == "self" else site.acme.admin
    return member.token
