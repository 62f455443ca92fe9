"""CalDAV servers that are slow, gone, garbled, forgetful or in the way: never an empty answer, always a reason."""

from __future__ import annotations

import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import replace

import pytest
from aiohttp import web

from app.domain.errors import ProviderFailure
from app.ports.calendars import Credentials
from app.use_cases.ids import new_id
from integrations.calendars.caldav import CalDavProvider, own_path
from integrations.http import OutwardHttp, OutwardPolicy
from tests.providers.backends import LOOPBACK, CalDavBackend, no_dns
from tests.providers.test_contract import START, booking_event
from tests.support.calendar_servers import PASSWORD, USER, Box, CalendarServer, without_property
from tests.support.workspace import event_text

pytestmark = pytest.mark.anyio
MakeBox = Callable[..., Awaitable[Box]]
MakeBackend = Callable[[Box], CalDavBackend]


@pytest.fixture(params=["radicale", "xandikos"])
def server(request: pytest.FixtureRequest) -> CalendarServer:
    """Each real server."""
    found: CalendarServer = request.getfixturevalue(f"{request.param}_server")
    return found


@pytest.fixture
async def provider() -> AsyncIterator[CalDavProvider]:
    """A provider that is patient for half a second."""
    policy = replace(LOOPBACK, connect_seconds=0.5, read_seconds=0.5, total_seconds=1.0)
    made = CalDavProvider(OutwardHttp(policy), no_dns)
    yield made
    await made.aclose()


async def kind_of(question: Awaitable[object]) -> str:
    with pytest.raises(ProviderFailure) as failure:
        await question
    assert failure.value.detail.endswith(".")
    return failure.value.kind


Question = Callable[[], Awaitable[object]]


def questions(provider: CalDavProvider, credentials: Credentials, calendar: str) -> list[Question]:
    """Every way to ask a server."""
    event = booking_event(new_id())
    return [
        lambda: provider.discover(credentials),
        lambda: provider.list_calendars(credentials),
        lambda: provider.changes(credentials, calendar, None, {}),
        lambda: provider.changes(credentials, calendar, "token:http://example.com/1", {"/a.ics": "1"}),
        lambda: provider.changes(credentials, calendar, "ctag:1", {"/a.ics": "1"}),
        lambda: provider.fetch(credentials, calendar, "/ana/work/a.ics"),
        lambda: provider.find(credentials, calendar, event.uid),
        lambda: provider.write_event(credentials, calendar, event, None),
        lambda: provider.write_event(credentials, calendar, event, "/ana/work/a.ics"),
        lambda: provider.delete_event(credentials, calendar, event.uid, "/ana/work/a.ics"),
    ]


async def test_a_server_that_is_gone_is_unreachable(provider: CalDavProvider) -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{closed.getsockname()[1]}/"
        for question in questions(provider, Credentials(url, USER, PASSWORD), f"{url}ana/work/"):
            assert await kind_of(question()) == "unreachable"


async def test_a_server_that_is_too_slow_is_unreachable(
    provider: CalDavProvider, box: MakeBox, server: CalendarServer
) -> None:
    slow = await box(upstream=server.url, delay=3)
    for question in questions(provider, Credentials(slow.url, USER, PASSWORD), f"{slow.url}ana/work/")[:4]:
        assert await kind_of(question()) == "unreachable"


GARBAGE = {
    "a web page": (200, "text/html", "<!doctype html><html><body>Welcome & hello</body></html>"),
    "a web page as multistatus": (207, "text/html", "<!doctype html><html><body>Welcome</body></html>"),
    "broken XML": (207, "application/xml", '<?xml version="1.0"?><D:multistatus xmlns:D="DAV:"><D:response>'),
    "another XML": (207, "application/xml", '<?xml version="1.0"?><rss version="2.0"><channel/></rss>'),
    "JSON": (200, "application/json", '{"error": "unknown"}'),
    "nothing": (207, "application/xml", ""),
    "an empty success": (200, "text/plain", ""),
    "an entity bomb": (
        207,
        "application/xml",
        (
            '<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;">]>'
            '<D:multistatus xmlns:D="DAV:">&b;</D:multistatus>'
        ),
    ),
    "a response without address": (
        207,
        "application/xml",
        '<D:multistatus xmlns:D="DAV:"><D:response><D:propstat><D:prop/></D:propstat></D:response></D:multistatus>',
    ),
}


@pytest.mark.parametrize("name", GARBAGE)
async def test_garbage_is_never_an_empty_calendar(provider: CalDavProvider, box: MakeBox, name: str) -> None:
    status, content_type, body = GARBAGE[name]

    async def interfere(request: web.Request, text: str) -> web.Response:
        return web.Response(status=status, content_type=content_type, text=body)

    broken = await box(interfere=interfere)
    for question in questions(provider, Credentials(broken.url, USER, PASSWORD), f"{broken.url}ana/work/"):
        assert await kind_of(question()) in {"protocol", "gone"}


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (401, "auth"),
        (403, "auth"),
        (404, "gone"),
        (410, "gone"),
        (429, "busy"),
        (500, "busy"),
        (503, "busy"),
        (418, "protocol"),
    ],
)
async def test_refusals_say_who_can_mend_them(provider: CalDavProvider, box: MakeBox, status: int, kind: str) -> None:
    async def interfere(request: web.Request, text: str) -> web.Response:
        return web.Response(status=status, headers={"Retry-After": "120"})

    refusing = await box(interfere=interfere)
    credentials, calendar = Credentials(refusing.url, USER, PASSWORD), f"{refusing.url}ana/work/"
    for question in questions(provider, credentials, calendar)[1:]:
        with pytest.raises(ProviderFailure) as failure:
            await question()
        assert failure.value.kind == kind
        assert failure.value.retry_after == (120 if kind == "busy" else None)


async def test_a_wrong_password_is_told_as_such(provider: CalDavProvider, box: MakeBox, server: CalendarServer) -> None:
    guarded = await box(upstream=server.url, checks_password=server.kind == "xandikos")
    for question in questions(provider, Credentials(guarded.url, USER, "wrong"), f"{guarded.url}ana/work/"):
        assert await kind_of(question()) == "auth"


async def test_an_answer_that_is_too_large_is_refused(box: MakeBox) -> None:
    async def interfere(request: web.Request, text: str) -> web.Response:
        return web.Response(status=207, content_type="application/xml", text="<a>" + "x" * 100_000)

    huge = await box(interfere=interfere)
    provider = CalDavProvider(OutwardHttp(replace(LOOPBACK, max_bytes=10_000)), no_dns)
    assert await kind_of(provider.list_calendars(Credentials(huge.url, USER, PASSWORD))) == "protocol"
    await provider.aclose()


@pytest.fixture
async def behind(server: CalendarServer) -> AsyncIterator[MakeBackend]:
    """Makes backends behind boxes, closed afterwards."""
    made: list[CalDavBackend] = []

    def make(box: Box) -> CalDavBackend:
        made.append(CalDavBackend(server, box.url))
        return made[-1]

    yield make
    for each in made:
        await each.close()


async def three_steps(backend: CalDavBackend, box: Box) -> None:
    """Fill, change and read a calendar incrementally; only what changed is fetched."""
    calendar = await backend.make_calendar()
    uids = [new_id() for _ in range(3)]
    keys = [await backend.put(calendar, uid, event_text(uid, START, START + 600)) for uid in uids]
    first = await backend.provider.changes(backend.credentials, calendar, None, {})
    assert {item.name for item in first.changed} == set(keys)
    known = {item.name: item.etag for item in first.changed}
    await backend.put(calendar, uids[0], event_text(uids[0], START, START + 1200))
    await backend.remove(calendar, keys[2])
    second = await backend.provider.changes(backend.credentials, calendar, first.cursor, known)
    assert [item.name for item in second.changed] == [keys[0]]
    assert second.removed == (keys[2],)
    known[keys[0]] = second.changed[0].etag
    del known[keys[2]]
    box.seen.clear()
    third = await backend.provider.changes(backend.credentials, calendar, second.cursor, known)
    assert (third.changed, third.removed) == ((), ())
    assert not [seen for seen in box.seen if "multiget" in seen.body]


async def test_a_server_without_sync_tokens_is_read_by_ctag_and_etags(
    box: MakeBox, server: CalendarServer, behind: MakeBackend
) -> None:
    async def interfere(request: web.Request, text: str) -> web.Response | None:
        return web.Response(status=403) if "sync-collection" in text else None

    plain = await box(upstream=server.url, change=without_property("sync-token"), interfere=interfere)
    await three_steps(behind(plain), plain)


async def test_a_server_without_ctag_either_is_read_by_etags(
    box: MakeBox, server: CalendarServer, behind: MakeBackend
) -> None:
    strip_token, strip_ctag = without_property("sync-token"), without_property("getctag")
    bare = await box(upstream=server.url, change=lambda text: strip_ctag(strip_token(text)))
    await three_steps(behind(bare), bare)


async def test_a_server_without_multiget_is_read_one_by_one(
    box: MakeBox, server: CalendarServer, behind: MakeBackend
) -> None:
    async def interfere(request: web.Request, text: str) -> web.Response | None:
        return web.Response(status=501) if "calendar-multiget" in text else None

    simple = await box(upstream=server.url, interfere=interfere)
    backend = behind(simple)
    calendar = await backend.make_calendar()
    uid = new_id()
    await backend.put(calendar, uid, event_text(uid, START, START + 600))
    changes = await backend.provider.changes(backend.credentials, calendar, None, {})
    assert uid in changes.changed[0].data


async def test_a_server_without_queries_is_searched_through(
    box: MakeBox, server: CalendarServer, behind: MakeBackend
) -> None:
    async def interfere(request: web.Request, text: str) -> web.Response | None:
        return web.Response(status=501) if "calendar-query" in text else None

    simple = await box(upstream=server.url, interfere=interfere)
    backend = behind(simple)
    calendar = await backend.make_calendar()
    uid = new_id()
    key = await backend.put(calendar, uid, event_text(uid, START, START + 600))
    found = await backend.provider.find(backend.credentials, calendar, uid)
    assert found is not None
    assert found.name == key
    assert await backend.provider.find(backend.credentials, calendar, new_id()) is None


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (403, '<D:error xmlns:D="DAV:"><D:valid-sync-token/></D:error>'),
        (409, '<D:error xmlns:D="DAV:"><D:valid-sync-token/></D:error>'),
        (403, ""),
        (400, "bad token"),
    ],
)
async def test_an_expired_sync_token_leads_to_a_listing(
    box: MakeBox, server: CalendarServer, behind: MakeBackend, status: int, body: str
) -> None:
    async def interfere(request: web.Request, text: str) -> web.Response | None:
        if "sync-collection" in text:
            return web.Response(status=status, content_type="application/xml", text=body)
        return None

    forgetful = await box(upstream=server.url, interfere=interfere)
    backend = behind(forgetful)
    calendar = await backend.make_calendar()
    uid = new_id()
    key = await backend.put(calendar, uid, event_text(uid, START, START + 600))
    changes = await backend.provider.changes(backend.credentials, calendar, "token:old", {"/gone.ics": "1"})
    assert [item.name for item in changes.changed] == [key]
    assert changes.removed == ("/gone.ics",)


async def test_a_truncated_answer_is_asked_for_until_it_is_whole(box: MakeBox, provider: CalDavProvider) -> None:
    """RFC 6578 §3.6: 507 for the collection means that there is more behind the new token."""
    texts = {f"/ana/work/{name}.ics": event_text(name, START, START + 600) for name in "abc"}
    pages = {"old": ("a", "one", True), "one": ("b", "two", True), "two": ("c", "three", False)}

    async def interfere(request: web.Request, text: str) -> web.Response:
        if "multiget" in text:
            inner = "".join(
                f"<D:response><D:href>{path}</D:href><D:propstat><D:prop><D:getetag>&quot;1&quot;</D:getetag>"
                f"<C:calendar-data>{data}</C:calendar-data></D:prop><D:status>HTTP/1.1 200 OK</D:status></D:propstat>"
                "</D:response>"
                for path, data in texts.items()
            )
            return multistatus(inner)
        token = text.partition("<D:sync-token>")[2].partition("<")[0]
        name, following, more = pages[token]
        inner = (
            f"<D:response><D:href>/ana/work/{name}.ics</D:href><D:propstat><D:prop><D:getetag>&quot;1&quot;</D:getetag>"
            "</D:prop><D:status>HTTP/1.1 200 OK</D:status></D:propstat></D:response>"
        )
        if more:
            inner += (
                "<D:response><D:href>/ana/work/</D:href><D:status>HTTP/1.1 507 Insufficient Storage</D:status>"
                "</D:response>"
            )
        return multistatus(f"{inner}<D:sync-token>{following}</D:sync-token>")

    paging = await box(interfere=interfere)
    changes = await provider.changes(Credentials(paging.url, USER, PASSWORD), f"{paging.url}ana/work/", "token:old", {})
    assert {item.name for item in changes.changed} == set(texts)
    assert changes.cursor == "token:three"


async def test_a_failure_inside_of_a_success_is_no_deletion(
    box: MakeBox, server: CalendarServer, behind: MakeBackend
) -> None:
    """One event that the server fails to give within its 207: the reading fails, and is not without that event."""
    between = await box(upstream=server.url)
    backend = behind(between)
    calendar = await backend.make_calendar()
    keys = [await backend.put(calendar, uid, event_text(uid, START, START + 3600)) for uid in (new_id(), new_id())]
    failed = "<D:propstat><D:prop/><D:status>HTTP/1.1 500 Internal Server Error</D:status></D:propstat>"

    async def interfere(request: web.Request, text: str) -> web.Response | None:
        if "multiget" in text:
            return multistatus("".join(f"<D:response><D:href>{key}</D:href>{failed}</D:response>" for key in keys))
        return web.Response(status=500) if request.method == "GET" else None

    between.interfere = interfere
    assert await kind_of(backend.provider.changes(backend.credentials, calendar, None, {})) == "busy"
    between.interfere = None
    assert len((await backend.provider.changes(backend.credentials, calendar, None, {})).changed) == 2


def multistatus(inner: str) -> web.Response:
    """A 207 with these responses."""
    return web.Response(
        status=207,
        content_type="application/xml",
        text=f'<D:multistatus xmlns:D="DAV:" xmlns:C="urn:ietf:params:xml:ns:caldav">{inner}</D:multistatus>',
    )


async def test_a_change_between_reading_and_writing_is_kept(
    box: MakeBox, server: CalendarServer, behind: MakeBackend
) -> None:
    """412: somebody else was quicker; their version is read again and keeps what is theirs."""
    between = await box(upstream=server.url)
    backend, rival = behind(between), CalDavBackend(server)
    calendar = await backend.make_calendar()
    event = booking_event(new_id())
    written = await backend.provider.write_event(backend.credentials, calendar, event, None)
    direct = calendar.replace(between.url, server.url)

    async def interfere(request: web.Request, text: str) -> web.Response | None:
        if request.method == "PUT":
            between.interfere = None
            theirs = await rival.read(direct, written.key)
            await rival.remove(direct, written.key)
            name = written.key.rpartition("/")[2].removesuffix(".ics")
            await rival.put(direct, name, theirs.replace("END:VEVENT", "CATEGORIES:Theirs\r\nEND:VEVENT"))
        return None

    between.interfere = interfere
    await backend.provider.write_event(
        backend.credentials, calendar, replace(event, summary="Ours", sequence=1), written.key
    )
    after = await backend.read(calendar, written.key)
    assert "CATEGORIES:Theirs" in after
    assert "SUMMARY:Ours" in after
    await rival.close()


async def test_an_event_in_the_trash_of_nextcloud_makes_room(
    box: MakeBox, server: CalendarServer, behind: MakeBackend
) -> None:
    """Deleted events keep their UID there; the one of ours is emptied, others stay."""
    trash = {"/ana/trashbin/objects/someone-elses-deleted.ics"}
    nextcloud = await box(upstream=server.url)
    backend = behind(nextcloud)
    calendar = await backend.make_calendar()
    event = booking_event(new_id())
    ours = own_path(calendar, event.uid).rpartition("/")[2].removesuffix(".ics")
    trash.add(f"/trashbin/objects/{ours}-deleted.ics")

    async def interfere(request: web.Request, text: str) -> web.Response | None:
        if "trashbin" in request.path:
            if request.method == "DELETE":
                trash.discard(request.path[request.path.index("/trashbin") :])
                return web.Response(status=204)
            base = request.path[: request.path.index("/trashbin")]
            names = [f"{base}{name[name.index('/trashbin') :]}" for name in trash]
            return multistatus("".join(f"<D:response><D:href>{name}</D:href></D:response>" for name in names))
        if request.method == "PUT" and any(ours in name for name in trash):
            message = "Deleted calendar object with uid already exists in this calendar collection."
            return web.Response(
                status=400, content_type="application/xml",
                text=f'<d:error xmlns:d="DAV:" xmlns:s="x"><s:message>{message}</s:message></d:error>',
            )  # fmt: skip
        return None

    nextcloud.interfere = interfere
    written = await backend.provider.write_event(backend.credentials, calendar, event, None)
    assert await backend.keys(calendar) == [written.key]
    assert trash == {"/ana/trashbin/objects/someone-elses-deleted.ics"}


async def test_a_calendar_that_is_public_to_read_is_marked_so(box: MakeBox, provider: CalDavProvider) -> None:
    inner = (
        "<D:response><D:href>/ana/shared/</D:href><D:propstat><D:prop><D:resourcetype><D:collection/><C:calendar/>"
        "</D:resourcetype><D:current-user-privilege-set><D:privilege><D:read/></D:privilege>"
        "</D:current-user-privilege-set><C:supported-calendar-component-set><C:comp name='VEVENT'/>"
        "</C:supported-calendar-component-set><C:calendar-timezone>BEGIN:VCALENDAR\nBEGIN:VTIMEZONE\n"
        "TZID:Europe/Vienna\nEND:VTIMEZONE\nEND:VCALENDAR</C:calendar-timezone></D:prop>"
        "<D:status>HTTP/1.1 200 OK</D:status></D:propstat></D:response>"
    )

    async def interfere(request: web.Request, text: str) -> web.Response:
        return multistatus(inner)

    shared = await box(interfere=interfere)
    found = await provider.list_calendars(Credentials(shared.url, USER, PASSWORD))
    assert [(each.read_only, each.timezone, each.components) for each in found] == [
        (True, "Europe/Vienna", ("VEVENT",))
    ]


async def test_an_account_is_not_led_to_private_hosts(box: MakeBox) -> None:
    """A server that names a home elsewhere: the guard and the origin rule hold there too."""
    hidden = await box()

    async def interfere(request: web.Request, text: str) -> web.Response:
        home = f"<C:calendar-home-set><D:href>{hidden.url}ana/</D:href></C:calendar-home-set>"
        found = f"<D:propstat><D:prop>{home}</D:prop><D:status>HTTP/1.1 200 OK</D:status></D:propstat>"
        return multistatus(f"<D:response><D:href>/ana/</D:href>{found}</D:response>")

    evil = await box(interfere=interfere)
    provider = CalDavProvider(OutwardHttp(OutwardPolicy(frozenset({"127.0.0.1"}))), no_dns)
    assert await kind_of(provider.list_calendars(Credentials(evil.url, USER, PASSWORD))) == "refused"
    assert hidden.seen == []
    await provider.aclose()
