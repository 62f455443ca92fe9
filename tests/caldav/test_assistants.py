"""Who assists whom, however it is chosen."""

import asyncio

from tests.caldav.test_other_people import MEMBERS
from tests.support.dav_server import Person, declared


def test_devices_that_choose_at_once_are_all_answered(ana: Person) -> None:
    ben = ana.server.person()
    members = f"<D:group-member-set><D:href>{ben.principal}</D:href></D:group-member-set>"
    body = declared(f"<D:propertyupdate><D:set><D:prop>{members}</D:prop></D:set></D:propertyupdate>")

    async def race() -> set[int]:
        paths = [f"{ana.principal}calendar-proxy-{access}/" for access in ("read", "write") * 3]
        tries = [asyncio.to_thread(ana.request, "PROPPATCH", path, body) for path in paths]
        return {response.status_code for response in await asyncio.gather(*tries)}

    assert asyncio.run(race()) == {207}
    told = ben.dav("PROPFIND", ben.principal, MEMBERS)
    found = [told.found(ben.principal, f"CS:calendar-proxy-{access}-for/D:href") for access in ("read", "write")]
    assert [each is None for each in found].count(True) == 1  # one right, never both
