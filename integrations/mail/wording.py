"""What each booking mail says at the top: subject, headline and first sentence, by news and audience. What recipients
and guests hear is in the catalogs; hosts are told in English."""

from __future__ import annotations

from dataclasses import dataclass, replace

from app.ports.mail import Audience, BookingMailContext, BookingNews
from integrations.mail.catalogs import N_
from integrations.mail.message import header_text
from integrations.mail.times import Teller

NAME_IN_TEXT_OCTETS = 400


@dataclass(frozen=True, slots=True)
class Words:
    """`tone` colours the mail: good, wait, changed or off. The texts may hold the fields of `say`."""

    subject: str
    headline: str
    intro: str
    tone: str


_WORDS: dict[tuple[BookingNews, Audience], Words] = {
    ("requested", "recipient"): Words(
        N_("Request sent: {title} with {organizer}, {when}"),
        N_("Your request is sent"),
        N_("{organizer} still has to confirm it. The time is held for you until then, and you will hear either way."),
        "wait",
    ),
    ("requested", "host"): Words(
        "Please confirm: {recipient}, {when} ({title})",
        "{recipient} asks for a time",
        "Confirm or decline it, please. The time is held until then.",
        "wait",
    ),
    ("requested", "guest"): Words(
        N_("Not confirmed yet: {title} with {organizer}, {when}"),
        N_("You are to be invited"),
        N_("{recipient} asked for this time and added you as a guest. {organizer} still has to confirm it."),
        "wait",
    ),
    ("confirmed", "recipient"): Words(
        N_("Confirmed: {title} with {organizer}, {when}"),
        N_("You are booked"),
        N_("{title} with {organizer} is confirmed."),
        "good",
    ),
    ("confirmed", "host"): Words(
        "New booking: {recipient}, {when} ({title})", "{recipient} booked a time", "{title} is confirmed.", "good"
    ),
    ("confirmed", "guest"): Words(
        N_("Invitation: {title} with {organizer}, {when}"),
        N_("You are invited"),
        N_("{recipient} added you as a guest."),
        "good",
    ),
    ("changed", "recipient"): Words(
        N_("New time: {title} with {organizer}, {when}"),
        N_("Your booking has moved"),
        N_("{title} with {organizer} has a new time."),
        "changed",
    ),
    ("changed", "host"): Words(
        "New time: {recipient}, {when} ({title})",
        "The booking of {recipient} has moved",
        "{title} has a new time.",
        "changed",
    ),
    ("changed", "guest"): Words(
        N_("New time: {title} with {organizer}, {when}"),
        N_("{title} has moved"),
        N_("{title} with {organizer} and {recipient} has a new time."),
        "changed",
    ),
    ("cancelled", "recipient"): Words(
        N_("Cancelled: {title} with {organizer}, {when}"),
        N_("Your booking is cancelled"),
        N_("{title} with {organizer} will not take place."),
        "off",
    ),
    ("cancelled", "host"): Words(
        "Cancelled: {recipient}, {when} ({title})",
        "The booking of {recipient} is cancelled",
        "{title} will not take place. The time is free again.",
        "off",
    ),
    ("cancelled", "guest"): Words(
        N_("Cancelled: {title} with {organizer}, {when}"),
        N_("{title} is cancelled"),
        N_("{title} with {organizer} and {recipient} will not take place."),
        "off",
    ),
    ("declined", "recipient"): Words(
        N_("Not confirmed: {title} with {organizer}, {when}"),
        N_("This time was not confirmed"),
        N_("{organizer} could not confirm your request. You are welcome to pick another time."),
        "off",
    ),
    ("declined", "host"): Words(
        "Declined: {recipient}, {when} ({title})",
        "The request of {recipient} is declined",
        "The time is free again.",
        "off",
    ),
    ("declined", "guest"): Words(
        N_("Not confirmed: {title} with {organizer}, {when}"),
        N_("{title} was not confirmed"),
        N_("{title} with {organizer} and {recipient} will not take place."),
        "off",
    ),
    ("reminder", "recipient"): Words(
        N_("Reminder: {title} with {organizer}, {when}"),
        N_("See you soon"),
        N_("This is to remind you of {title} with {organizer}."),
        "good",
    ),
    ("reminder", "host"): Words(
        "Reminder: {recipient}, {when} ({title})",
        "Coming up: {recipient}",
        "This is to remind you of {title}.",
        "good",
    ),
    ("reminder", "guest"): Words(
        N_("Reminder: {title} with {organizer}, {when}"),
        N_("See you soon"),
        N_("This is to remind you of {title} with {organizer} and {recipient}."),
        "good",
    ),
}

_UPDATED: dict[Audience, Words] = {
    "recipient": Words(
        N_("Updated: {title} with {organizer}, {when}"),
        N_("Your booking was updated"),
        N_("Here is how it stands now."),
        "changed",
    ),
    "host": Words(
        "Updated: {recipient}, {when} ({title})",
        "The booking of {recipient} was updated",
        "Here is how it stands now.",
        "changed",
    ),
    "guest": Words(
        N_("Updated: {title} with {organizer}, {when}"),
        N_("{title} was updated"),
        N_("Here is how it stands now."),
        "changed",
    ),
}
_HANDED_ON = Words(
    "No longer yours: {recipient}, {when} ({title})",
    "The booking of {recipient} is no longer yours",
    "{organizer} has it now, and your time is free again.",
    "off",
)
_WALK_IN: dict[str, Words] = {
    "confirmed": Words(
        "Walk-in: {recipient}, {when}",
        "{recipient} walked in",
        "The event was entered in your schedule, and its time is taken.",
        "good",
    ),
    "changed": Words(
        "New time: {recipient}, {when}", "Your walk-in has moved", "Here is how it stands now.", "changed"
    ),
    "updated": Words(
        "Updated: {recipient}, {when}", "Your walk-in was updated", "Here is how it stands now.", "changed"
    ),
    "cancelled": Words("Cancelled: {recipient}, {when}", "Your walk-in is cancelled", "The time is free again.", "off"),
}
"""To the host, of a booking that came from their own schedule."""
_NAMELESS = replace(_WALK_IN["confirmed"], subject="Walk-in, {when}", headline="Somebody walked in")
"""The same where the event has no title."""
_SESSION: dict[str, Words] = {
    "requested": Words(
        "Please confirm: {title}, {when} ({seats})",
        "{title}: {seats} are asked for",
        "Confirm or decline them, please. They are held until then.",
        "wait",
    ),
    "confirmed": Words("New bookings: {title}, {when} ({seats})", "{title} is booked", "{seats} are taken.", "good"),
    "changed": Words(
        "New time: {title}, {when} ({seats})",
        "{title} has moved",
        "All who booked it have the new time: {seats}.",
        "changed",
    ),
    "updated": Words(
        "Updated: {title}, {when} ({seats})", "{title} was updated", "Here is how it stands now.", "changed"
    ),
    "cancelled": Words(
        "Cancelled: {title}, {when} ({seats})",
        "{title} is cancelled",
        "It will not take place. {seats} were taken, and the time is free again.",
        "off",
    ),
    "handed_on": Words(
        "No longer yours: {title}, {when} ({seats})",
        "{title} is no longer yours",
        "{organizer} has it now with all who booked it, and your time is free again.",
        "off",
    ),
    "reminder": Words(
        "Reminder: {title}, {when} ({seats})",
        "Coming up: {title}",
        "This is to remind you of it: {seats} are taken.",
        "good",
    ),
}
"""To a host, of a session: several of its bookings changed together, or it is about to begin."""
_LAPSED: dict[Audience, Words] = {
    "recipient": Words(
        N_("Not confirmed: {title} with {organizer}, {when}"),
        N_("Your request has lapsed"),
        N_("It was not confirmed in time. You are welcome to pick another time."),
        "off",
    ),
    "host": Words(
        "Lapsed: {recipient}, {when} ({title})",
        "The request of {recipient} has lapsed",
        "It was not confirmed in time, and the time is free again.",
        "off",
    ),
}


def is_handed_on(context: BookingMailContext, audience: Audience) -> bool:
    """Whether a host is told that a standing booking went to somebody else."""
    return audience == "host" and context.news == "cancelled" and context.booking.is_active


def words_for(context: BookingMailContext, audience: Audience) -> Words:
    """The words for a mail about a booking's state; follow-ups have their own."""
    if context.booking.is_session:
        is_updated = context.news == "changed" and context.previous_start is None
        news = "updated" if is_updated else context.news
        return _SESSION["handed_on" if is_handed_on(context, audience) else news]
    if is_handed_on(context, audience):
        return _HANDED_ON
    if context.news in {"cancelled", "declined"} and context.booking.cancel_reason == "expired" and audience in _LAPSED:
        return _LAPSED[audience]
    is_updated = context.news == "changed" and context.previous_start is None
    if context.booking.is_walk_in and (own := _WALK_IN.get("updated" if is_updated else context.news)):
        is_nameless = context.news == "confirmed" and context.booking.recipient.name == context.booking.title
        return _NAMELESS if is_nameless else own
    if is_updated:
        return _UPDATED[audience]
    return _WORDS[context.news, audience]


def say(text: str, context: BookingMailContext, when: str, tells: Teller) -> str:
    """In the reader's language, the fields filled in. What people typed is a value, never itself a text with fields."""
    return tells.gettext(text).format(
        title=one_line(context.booking.title),
        organizer=one_line(context.organizer_name),
        recipient=one_line(context.booking.recipient.name),
        seats=counted(context.seats),
        when=when,
    )


def counted(seats: int) -> str:
    """So many seats of a session."""
    return "1 seat" if seats == 1 else f"{seats} seats"


def one_line(name: str) -> str:
    """A name or title within a sentence."""
    return header_text(name, NAME_IN_TEXT_OCTETS)
