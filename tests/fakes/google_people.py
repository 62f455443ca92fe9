"""The fake Google's People API: searching contacts, adding one, and deleting one."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

from tests.fakes.google_events import Refusal
from tests.fakes.google_grants import FakeGrant, Grants

Json = dict[str, Any]


@dataclass
class PeopleService:
    """Everybody's contacts, and the others they have written to, by e-mail address of whose they are. Google's searches
    know what was there when they were last asked for nothing, to warm up; `cached` is that, by search and person."""

    grants: Grants
    contacts: dict[str, list[Json]] = field(default_factory=dict)
    others: dict[str, list[Json]] = field(default_factory=dict)
    cached: dict[tuple[str, str], list[Json]] = field(default_factory=dict)
    made: int = 0

    def routes(self) -> list[web.AbstractRouteDef]:
        return [
            web.get("/v1/people:searchContacts", self.search_contacts),
            web.get("/v1/otherContacts:search", self.search_others),
            web.post("/v1/people:createContact", self.create),
            web.delete("/v1/people/{contact}:deleteContact", self.delete),
        ]

    def add(self, owner: str, name: str, email: str, *, is_other: bool = False) -> None:
        """Somebody that a person knows, or (`is_other`) has only written to."""
        folder = self.others if is_other else self.contacts
        folder.setdefault(owner, []).append(_person(folder.get(owner, []), name, email))

    async def search_contacts(self, request: web.Request) -> web.Response:
        grant = self._grant(request, "contacts", "contacts.readonly")
        return self._found(request, grant, self.contacts)

    async def search_others(self, request: web.Request) -> web.Response:
        grant = self._grant(request, "contacts.other.readonly")
        return self._found(request, grant, self.others)

    async def create(self, request: web.Request) -> web.Response:
        grant = self._grant(request, "contacts")
        body: Json = await request.json()
        known = self.contacts.setdefault(grant.email, [])
        self.made += 1
        made = {**body, "resourceName": f"people/m{self.made}", "etag": f"%{self.made}"}
        known.append(made)
        return web.json_response(made)

    async def delete(self, request: web.Request) -> web.Response:
        grant = self._grant(request, "contacts")
        name, known = f"people/{request.match_info['contact']}", self.contacts.get(grant.email, [])
        found = next((each for each in known if each["resourceName"] == name), None)
        if found is None:
            raise Refusal(404, "notFound", "Requested entity was not found.")
        known.remove(found)
        return web.json_response({})

    def _found(self, request: web.Request, grant: FakeGrant, folder: dict[str, list[Json]]) -> web.Response:
        """By the beginning of a word of the name, or of the address."""
        query = request.query["query"].lower()
        if not query:
            self.cached[request.path, grant.email] = list(folder.get(grant.email, []))
        known = self.cached.get((request.path, grant.email), []) if query else []
        fitting = [each for each in known if any(word.startswith(query) for word in _words(each))]
        size = int(request.query.get("pageSize", "10"))
        return web.json_response({"results": [{"person": each} for each in fitting[:size]]})

    def _grant(self, request: web.Request, *scopes: str) -> FakeGrant:
        grant = self.grants.of_request(request)
        if grant is None:
            raise Refusal(401, "authError", "Invalid Credentials")
        if not {each.rsplit("/", 1)[-1] for each in grant.scopes} & set(scopes):
            raise Refusal(403, "insufficientPermissions", "Request had insufficient authentication scopes.")
        return grant


def _person(known: list[Json], name: str, email: str) -> Json:
    return {
        "resourceName": f"people/c{len(known)}",
        "etag": f"%{len(known)}",
        "names": [{"displayName": name}],
        "emailAddresses": [{"value": email}],
    }


def _words(person: Json) -> list[str]:
    names = [each.get("displayName") or each.get("unstructuredName", "") for each in person.get("names", ())]
    addresses = [each["value"] for each in person.get("emailAddresses", ())]
    return [word.lower() for text in [*names, *addresses] for word in text.split()]
