"""What mails about an account say."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class AccountWords:
    """The texts may hold {name}, {organization} and {reason}."""

    subject: str
    headline: str
    intro: str
    button: str
    footer: str
    tone: str


ACCOUNT_WORDS = {
    "invitation": AccountWords(
        "Your account at {organization}",
        "Welcome, {name}",
        "{organization} made you an account for booking times. Choose a password to begin.",
        "Choose a password",
        "If you did not expect this, you need not do anything.",
        "good",
    ),
    "calendar_invitation": AccountWords(
        "Please connect your calendar at {organization}",
        "Connect your calendar, {name}",
        "{reason} asks you to connect your calendar at {organization}, so that nobody books over your events. You sign"
        " in at Google or Microsoft; you need no password here. The link is good for a week, and for you alone.",
        "Connect a calendar",
        "If you did not expect this, you need not do anything: nothing is connected without you.",
        "good",
    ),
    "password_reset": AccountWords(
        "Choose a new password",
        "Choose a new password",
        "Somebody, hopefully you, asked for a new password for your account at {organization}.",
        "Choose a new password",
        "If it was not you, you need not do anything: your password stays as it is.",
        "changed",
    ),
    "calendar_trouble": AccountWords(
        "Your calendar cannot be read: please connect it again",
        "Your calendar cannot be read",
        "Halfpast cannot read one of your connected calendars. So that nobody books over your events, you will not be"
        " offered for booking once its last copy is too old.",
        "Mend the connection",
        "You get this mail because you connected a calendar at {organization}.",
        "off",
    ),
    "edits_asked": AccountWords(
        "Did you mean to change your bookings?",
        "Please say what you meant",
        "Events of your bookings were moved or deleted in your calendar. Nothing was changed yet, and nobody was told:"
        " please say for each whether the booking should follow.",
        "Decide",
        "You get this mail because a calendar of yours shows your bookings at {organization}.",
        "changed",
    ),
    "edit_refused": AccountWords(
        "Your booking stays where it was",
        "The booking could not be moved",
        "You moved the event of a booking in your calendar, but the booking cannot follow, so the event was put back."
        " {reason}",
        "Open this booking",
        "You get this mail because a calendar of yours shows your bookings at {organization}.",
        "off",
    ),
    "event_kept": AccountWords(
        "A booking stands, though its event was deleted",
        "The booking stands",
        "The event of a booking was deleted in its host's calendar, but the booking stands, and the event is back."
        " {reason}",
        "Open this booking",
        "You get this mail because you are a host of this booking at {organization}, or its link is yours.",
        "off",
    ),
    "edits_kept": AccountWords(
        "Changes from your devices could not be taken",
        "Please look at what your devices sent",
        "One of your devices changed things that could not be changed any more, or not in that way. Nothing is lost:"
        " what it sent is kept for you, to keep as a copy or to dismiss.",
        "See what was kept",
        "You get this mail because a device of yours uses your calendars at {organization}.",
        "changed",
    ),
    "conflict_found": AccountWords(
        "A booking overlaps an event in your calendar",
        "You are in two places at once",
        "An event in one of your calendars lies over a booking that was made before. Nothing was changed: please move"
        " or cancel one of the two.",
        "Open this booking",
        "You get this mail because you connected a calendar at {organization}.",
        "off",
    ),
    "conflicts_found": AccountWords(
        "Some bookings overlap events in your calendar",
        "You are in two places at once",
        "Events in your calendars lie over bookings that were made before. Nothing was changed: please move or cancel"
        " one of each two.",
        "See your bookings",
        "You get this mail because you connected a calendar at {organization}.",
        "off",
    ),
    "recipient_declined": AccountWords(
        "The invitation to a booking was declined",
        "Your guest declined",
        "The person who booked a time with you declined the invitation in their calendar. The booking stands until one"
        " of you cancels it.",
        "Open this booking",
        "You get this mail because you are a host of this booking at {organization}.",
        "changed",
    ),
    "links_received": AccountWords(
        "Links were handed over to you",
        "You have new links",
        "These links of {organization} are yours from now on: {reason}. Their addresses and bookings stay as they are;"
        " your own hours and calendars decide which times they offer.",
        "See your links",
        "You get this mail because you have an account at {organization}.",
        "good",
    ),
    "links_given": AccountWords(
        "Your links were handed over",
        "Your links have a new owner",
        "These links of {organization} are not yours any more: {reason}. Bookings that you have already stay with you.",
        "See your links",
        "You get this mail because you have an account at {organization}.",
        "changed",
    ),
    "contact_left": AccountWords(
        "Somebody you erased is still in an address book",
        "One address book still holds them",
        "Somebody you erased at {organization} was added to the address book of {reason}, by their connected account,"
        " and could not be taken out again. Please ask {reason} to delete that contact there.",
        "See personal data",
        "You get this mail because you erased a person at {organization}.",
        "off",
    ),
    "write_trouble": AccountWords(
        "Your calendar does not show how a booking stands",
        "Your calendar is behind",
        "Your connected calendar did not take the event of a booking, or its change. The booking stands as you see it"
        " at Halfpast: look it up there until this is mended.",
        "See what is wrong",
        "You get this mail because you connected a calendar at {organization}.",
        "off",
    ),
}
