"""The form by which staff book for a client, as its template shows it: what was chosen, and how else it could be."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import urlencode

from app.domain.hours import local_date
from app.domain.stays import wall_time
from app.ports.links import LinkContext
from app.ports.people import User
from app.web.pages.booking_form import FormField
from app.web.pages.faces import Place, When, link_face, place_of_location, when_of
from app.web.pages.picker import length_words
from app.web.pages.signed_in.book_form import TIME_FIELDS, answer_fields, read_time
from app.web.pages.signed_in.form import Form
from app.web.pages.wording import Wording
from app.web.times import rfc3339

Pairs = Sequence[tuple[str, str]]
"""Values and words of a choice."""


@dataclass(frozen=True, slots=True)
class ClientDetails:
    """`when` is None until there is a time that makes sense; `times` is where the free ones are. `is_typed`: the fields
    for a time of one's own are open. `arrival` says when a stay begins, empty for anything else."""

    title: str
    who: str
    when: When | None
    length: str
    place: Place | None
    times: str
    is_typed: bool
    arrival: str
    has_seats: bool
    questions: tuple[FormField, ...]


def details_of(form: Form, user: User, context: LinkContext, people: Pairs, wording: Wording) -> ClientDetails:
    """The view of a form that is new, or was refused."""
    link, stay = context.link, context.link.stay
    read = Form({**form.values})
    start, minutes = read_time(read, user, stay)
    is_known = not read.errors
    day = local_date(user.timezone, start).isoformat() if is_known else None
    parts = {"offer": form.get("offer"), "client": form.get("client"), "with": form.get("host"), "day": day}
    query = {**parts, "duration": str(minutes) if is_known else ""}
    return ClientDetails(
        title=link.title,
        who=_who(form.get("host"), context, people, wording),
        when=when_of(start, link.rules().end(start, minutes), user.timezone, wording) if is_known else None,
        length=length_words(minutes, by_night=stay is not None) if is_known else "",
        place=place_of_location(link.location, revealed=True),
        times="/app/bookings/new?" + urlencode({key: each for key, each in query.items() if each}, safe=":"),
        is_typed=_is_typed(form, rfc3339(start) if is_known else ""),
        arrival=f"Guests come from {wall_time(stay.check_in)} on, and leave by {wall_time(stay.check_out)}."
        if stay
        else "",
        has_seats=context.has_sessions,
        questions=answer_fields(form, context),
    )


def _who(host: str, context: LinkContext, people: Pairs, wording: Wording) -> str:
    return dict(people).get(host) or ("Whoever is free" if people else link_face(context, wording).hosts)


def _is_typed(form: Form, start: str) -> bool:
    """Whether the time is not the one that was chosen, or wants to be looked at."""
    is_chosen = form.get("chosen") == start != ""
    return not is_chosen or form.flag("override") or not form.errors.keys().isdisjoint(TIME_FIELDS)
