"""Visitors with a session, what they read, and the routes that are theirs."""

from __future__ import annotations

import html
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import httpx
from litestar.routes import HTTPRoute

from app.ports import Ports
from app.web.sessions import csrf_token
from tests.http.api import Api, client_of
from tests.http.workspace import Company, Member

EMAIL = "owner@acme.example.com"

PUBLIC_POSTS = {
    "/app/set-up",
    "/app/password/forgot",
    "/app/password/{signed:str}",
    "/app/connect/{signed:str}",
    "/app/phone/set-up/{token:str}",
    "/app/phone/profile/{token:str}/halfpast.mobileconfig",
}


@dataclass
class Visitor:
    """Somebody who is signed in: their client and what goes into their forms."""

    client: httpx.AsyncClient
    csrf: str

    async def get(self, path: str) -> httpx.Response:
        return await self.client.get(path)

    async def post(self, path: str, **fields: Any) -> httpx.Response:
        return await self.client.post(path, data={"csrf": self.csrf, **fields})


def ports_of(api: Api) -> Ports:
    ports: Ports = api.app.state.ports
    return ports


async def browser_of(api: Api, member: Member) -> httpx.AsyncClient:
    """A browser in which somebody is signed in, without the sign-in form."""
    ports = ports_of(api)
    token = ports.vault.new_token()
    async with ports.unit_of_work() as work:
        await work.tokens.add_session(token, member.user, ports.clock(), ports.clock() + 86400)
        await work.commit()
    client = client_of(api.app)
    client.cookies.set("halfpast", token, domain="127.0.0.1")
    return client


async def enter(api: Api, member: Member) -> Visitor:
    """The same, with what goes into forms."""
    client = await browser_of(api, member)
    return Visitor(client, csrf_token(ports_of(api), client.cookies["halfpast"]))


def words(answer: httpx.Response) -> str:
    """The text a person reads."""
    return html.unescape(re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", answer.text)))


def value_of(answer: httpx.Response, name: str) -> str:
    """The value of an input of the page."""
    tag = re.search(rf'<input[^>]*name="{re.escape(name)}"[^>]*>', answer.text)
    assert tag, name
    value = re.search(r'value="([^"]*)"', tag[0])
    return html.unescape(value[1]) if value else ""


def addresses(api: Api, method: str, company: Company) -> list[tuple[str, str]]:
    """(route, path with the ids of a company's things) of all signed-in routes of a method."""
    ids: Sequence[tuple[str, str]] = [
        ("/bookings/{booking_id:uuid}", f"/bookings/{company.booking.id}"),
        ("/links/{link_id:uuid}", f"/links/{company.link.id}"),
        ("/edits/{booking_id:uuid}", f"/edits/{company.booking.id}"),
        ("{calendar_id:uuid}", company.calendar.id),
        ("{one_time_id:uuid}", company.one_time.id),
        ("{schedule_id:uuid}", company.schedule.id),
        ("{template_id:uuid}", company.template.id),
        ("{service_id:uuid}", company.service.id),
        ("{resource_id:uuid}", company.resource.id),
        ("{account_id:uuid}", company.account.id),
        ("{password_id:uuid}", company.app_password.id),
        ("{feed_id:uuid}", company.feed.id),
        ("{time_off_id:uuid}", company.time_off.id),
        ("{job_id:uuid}", company.dead_letter_id),
        ("{edit_id:uuid}", company.booking.id),
        ("{user_id:uuid}", company.employee.id),
        ("{client_id:uuid}", company.client.id),
        ("{block_id:uuid}", company.block.id),
        ("{slot_id:uuid}", company.slot.id),
        ("{step_name:str}", "complete"),
    ]
    found = []
    for route in api.app.routes:
        raw = route.path if isinstance(route, HTTPRoute) else ""
        if not isinstance(route, HTTPRoute) or not raw.startswith("/app") or method not in route.methods:
            continue
        if raw in PUBLIC_POSTS:
            continue
        path = raw
        for pattern, value in ids:
            path = path.replace(pattern, value)
        found.append((raw, path))
    return found
