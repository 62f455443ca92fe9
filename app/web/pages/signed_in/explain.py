"""`/app/links/{id}/why`: why a time is offered or not."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from litestar import Request, Response, get
from litestar.params import FromPath

from app.domain.errors import Invalid
from app.use_cases.explain_start import Explanation, explain_start
from app.use_cases.find_slots import all_durations
from app.web.pages.faces import When, when_of
from app.web.pages.signed_in.form import Form
from app.web.pages.signed_in.frame import Member, app_page, ports_of, wording_of
from app.web.pages.signed_in.links import own_link
from app.web.pages.signed_in.wall_time import local_input, read_local

HOUR = 3600


@get("/links/{link_id:uuid}/why")
async def why_page(request: Request[Any, Any, Any], caller: Member, link_id: FromPath[UUID]) -> Response[bytes]:
    """A time to ask about, in the zone of the one who asks, and what each rule says of it."""
    link = await own_link(request, caller, link_id)
    ports, zone = ports_of(request), caller.user.timezone
    async with ports.read() as work:
        context = await work.links.context_of(link.id)
    lengths = sorted(all_durations(context)) if context else list(link.durations)
    form = Form.of({"start": request.query_params.get("start"), "duration": request.query_params.get("duration")})
    found: Explanation | None = None
    when: When | None = None
    refusal: Invalid | None = None
    if form.get("start"):
        try:
            start = read_local(form, "start", zone, "Please enter a date and a time.")
            length = form.one_of("duration", [str(minutes) for minutes in lengths], "Please choose a length.")
            form.finish()
            found = await explain_start(ports, caller.user, link.id, start, int(length))
            when = when_of(start, start + int(length) * 60, zone, wording_of(request))
        except Invalid as wrong:
            refusal = wrong
            form.refuse(wrong)
    else:
        next_hour = ports.clock() // HOUR * HOUR + HOUR
        form = Form.of({"start": local_input(next_hour, zone), "duration": lengths[0] if lengths else 30})
    return app_page(
        request,
        caller,
        "explain",
        refusal=refusal,
        form=form,
        path=f"/app/links/{link.id}",
        title=link.title,
        zone=zone,
        lengths=[(str(minutes), f"{minutes} minutes") for minutes in lengths],
        found=found,
        when=when,
    )


routes = (why_page,)
