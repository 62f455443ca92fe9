"""Whatever several devices do to a person's own calendars, at whichever of two servers over one database: a device that
goes on from any token it ever had, with any limit, ends with the mirror of a device that reads everything anew."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, rule, run_state_machine_as_test

from tests.support.dav_server import DavServer, Person, condition, dav_server, declared
from tests.support.ical import ics
from tests.switches import profile

pytestmark = pytest.mark.timeout(3600 if profile() == "thorough" else 300)
COLLECTIONS = ("personal", "errands", "täglich @home")
NAMES = ("a.ics", "b c.ics", "ü@x.ics")
UIDS = ("one", "two", "three")
ETAG = "<D:propfind><D:prop><D:getetag/></D:prop></D:propfind>"
GONE = "HTTP/1.1 404 Not Found"

collections, names, uids = st.sampled_from(COLLECTIONS), st.sampled_from(NAMES), st.sampled_from(UIDS)
devices, servers = st.integers(0, 2), st.integers(0, 1)


@dataclass(frozen=True, slots=True)
class Mirror:
    """What a device holds of a collection: the etags by address, and the token to go on from."""

    etags: dict[str, str] = field(default_factory=dict)
    token: str = ""


class Devices(RuleBasedStateMachine):
    """`person_of` makes somebody new at the first server."""

    person_of: Callable[[], Person]

    def __init__(self) -> None:
        super().__init__()
        self.first = type(self).person_of()
        self.texts: dict[str, str] = {}
        self.mirrors: dict[tuple[int, str], Mirror] = {}
        self.past: list[tuple[str, Mirror]] = []
        self.open_second_server()

    def open_second_server(self) -> None:
        """Another process, as it were: nothing of what the one before knew is in it."""
        self.closing = ExitStack()
        server = self.first.server
        beside = self.closing.enter_context(dav_server(server.database_url, server.data_dir, server))
        self.people = (self.first, Person(beside, self.first.user))

    def teardown(self) -> None:
        try:
            self.check()
        finally:
            self.closing.close()

    def path(self, collection: str, name: str = "") -> str:
        """An address as the server writes it."""
        quoted = (part.replace(" ", "%20").replace("ä", "%C3%A4").replace("ü", "%C3%BC") for part in (collection, name))
        return self.first.home + "/".join(quoted)

    # what devices do

    @rule(at=servers, collection=collections, name=names, uid=uids, words=st.integers(0, 9), is_new=st.booleans())
    def put(self, at: int, collection: str, name: str, uid: str, words: int, is_new: bool) -> None:
        path, text = self.path(collection, name), ics(uid, f"SUMMARY:{words}")
        conditional = {"If_None_Match": "*"} if is_new else {}
        answer = self.people[at].request("PUT", path, text, **{"Content_Type": "text/calendar", **conditional})
        assert answer.status_code in {201, 204, 403, 409, 412}, answer.text
        assert (answer.status_code == 201) is (answer.ok and path not in self.texts)
        if answer.ok:
            self.texts[path] = text

    @rule(at=servers, number=devices, collection=collections, which=st.integers(0, 5), words=st.integers(10, 19))
    def edit(self, at: int, number: int, collection: str, which: int, words: int) -> None:
        """Change what the device knows; what changed meanwhile is a 412."""
        known = sorted(self.mirrors.get((number, collection), Mirror()).etags.items())
        if not known:
            return
        path, etag = known[which % len(known)]
        text = ics(self.uid_at(path), f"SUMMARY:{words}")
        there = self.people[at].request("HEAD", path).headers.get("ETag")
        answer = self.people[at].request("PUT", path, text, Content_Type="text/calendar", If_Match=etag)
        assert answer.ok is (there == etag), (answer.status_code, answer.text)
        if answer.ok:
            self.texts[path] = text

    def uid_at(self, path: str) -> str:
        text = self.texts.get(path, "")
        return next((uid for uid in UIDS if f"UID:{uid}\r\n" in text), UIDS[0])

    @rule(at=servers, collection=collections, name=names)
    def delete(self, at: int, collection: str, name: str) -> None:
        path = self.path(collection, name)
        answer = self.people[at].request("DELETE", path)
        assert answer.status_code == (204 if path in self.texts else 404)
        self.texts.pop(path, None)

    @rule(
        at=servers, method=st.sampled_from(["MOVE", "COPY"]), whence=st.tuples(collections, names),
        where=st.tuples(collections, names), overwrite=st.sampled_from("TF"),
    )  # fmt: skip
    def carry(self, at: int, method: str, whence: tuple[str, str], where: tuple[str, str], overwrite: str) -> None:
        begin, end = self.path(*whence), self.path(*where)
        answer = self.people[at].request(method, begin, Destination=end, Overwrite=overwrite)
        assert answer.status_code in {201, 204, 403, 404, 409, 412}, answer.text
        if begin not in self.texts:
            assert not answer.ok
        if not answer.ok:
            return
        assert (answer.status_code == 201) is (end not in self.texts)
        self.texts[end] = self.texts[begin]
        if method == "MOVE" and end != begin:
            del self.texts[begin]

    @rule(at=servers, collection=st.sampled_from(COLLECTIONS[1:]))
    def make_calendar(self, at: int, collection: str) -> None:
        assert self.people[at].request("MKCALENDAR", self.path(collection)).status_code in {201, 403, 405}

    @rule(at=servers, collection=st.sampled_from(COLLECTIONS[1:]))
    def delete_calendar(self, at: int, collection: str) -> None:
        path = self.path(collection)
        if self.people[at].request("DELETE", path).status_code == 204:
            self.texts = {each: text for each, text in self.texts.items() if not each.startswith(path)}

    @rule(at=servers, number=devices, collection=collections, limit=st.sampled_from([None, 1, 2]))
    def look(self, at: int, number: int, collection: str, limit: int | None) -> None:
        """A device goes on from where it was, once: cut off by its limit, it is behind."""
        found = self.further(at, collection, self.mirrors.get((number, collection), Mirror()), limit)
        self.mirrors[number, collection] = found
        self.past = [*self.past[-7:], (collection, found)]

    @rule()
    def restart(self) -> None:
        self.closing.close()
        self.open_second_server()

    # how a device follows

    def further(self, at: int, collection: str, mirror: Mirror, limit: int | None) -> Mirror:
        """One sync-collection report."""
        person, path = self.people[at], self.path(collection)
        more = f"<D:limit><D:nresults>{limit}</D:nresults></D:limit>" if limit else ""
        body = (
            f"<D:sync-collection><D:sync-token>{mirror.token}</D:sync-token><D:sync-level>1</D:sync-level>{more}"
            "<D:prop><D:getetag/></D:prop></D:sync-collection>"
        )
        response = person.request("REPORT", path, declared(body), Depth="0", Content_Type="application/xml")
        if response.status_code == 404:
            return Mirror()
        if response.status_code == 403:  # another calendar has the name now
            assert condition(response) == "D:valid-sync-token"
            assert mirror.token
            return self.further(at, collection, Mirror(), limit)
        answer = person.sync(mirror.token, path, more)
        etags = dict(mirror.etags)
        for href in answer.hrefs:
            if answer.status(href) == GONE:
                etags.pop(href, None)
            elif href != path:
                etags[href] = str(answer.text(href, "D:getetag"))
        return Mirror(etags, answer.sync_token)

    def up_to_date(self, collection: str, mirror: Mirror, limit: int | None) -> Mirror:
        """The same until nothing is left to say."""
        for _ in range(100):
            found = self.further(len(mirror.etags) % 2, collection, mirror, limit)
            if found == mirror:
                return found
            mirror = found
        raise AssertionError("a sync without end")

    # what must hold

    def check(self) -> None:
        told: dict[str, dict[str, str]] = {}
        for collection in COLLECTIONS:
            path = self.path(collection)
            if self.first.request("PROPFIND", path, Depth="0").status_code == 404:
                told[collection] = {}
                continue
            answer = self.first.dav("PROPFIND", path, ETAG, depth="1")
            told[collection] = {each: str(answer.text(each, "D:getetag")) for each in answer.hrefs if each != path}
        assert {each for etags in told.values() for each in etags} == self.texts.keys()
        for path, text in self.texts.items():
            assert self.people[1].request("GET", path).text == text
        ways = [(collection, mirror) for (_, collection), mirror in self.mirrors.items()]
        for number, (collection, mirror) in enumerate([*ways, *self.past, *((each, Mirror()) for each in COLLECTIONS)]):
            limit = (None, 1, 2)[number % 3]
            assert self.up_to_date(collection, mirror, limit).etags == told[collection]


def test_mirrors_of_several_devices_end_equal_to_the_server(server: DavServer) -> None:
    machine: Any = type("Devices", (Devices,), {"person_of": staticmethod(server.person)})
    count, steps = (60, 40) if profile() == "thorough" else (5, 20)
    run_state_machine_as_test(machine, settings=settings(max_examples=count, stateful_step_count=steps, deadline=None))
