"""Words mails: who hears what of a booking, in the zone of whoever reads it, as HTML and as plain text."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from app.domain.booking_event import answer_lines, booking_event
from app.domain.bookings import Booking
from app.domain.calendar_event import CalendarEvent, Party
from app.domain.calendar_links import google_link, outlook_link
from app.ports.mail import BookingMailContext, Invitation, Mail, MailPerson
from integrations.mail.account_wording import ACCOUNT_WORDS
from integrations.mail.message import SUBJECT_OCTETS, Sender, header_text
from integrations.mail.rendering import render
from integrations.mail.times import Teller, teller
from integrations.mail.wording import is_handed_on, one_line, say, words_for

EXPIRED = "expired"
"""The cancel reason the program itself gives; people are told in a sentence instead."""


@dataclass(frozen=True, slots=True)
class Fact:
    """One labelled row. `href` links the first line, `gone` strikes it out."""

    label: str
    lines: tuple[str, ...]
    href: str | None = None
    gone: bool = False


@dataclass(frozen=True, slots=True)
class Button:
    """Something to do next; the first of a mail is its main one."""

    label: str
    url: str


class TemplateComposer:
    """`MailComposer` over the templates beside it.

    `sender` is who mails come from: invitations name it as their organizer, or mail programs would not take them for
    genuine. `domain` is the right-hand side of Message-IDs, `invitation` writes the calendar part of an event.
    """

    def __init__(
        self, sender: Sender, domain: str, base_url: str, invitation: Callable[[CalendarEvent, int], Invitation]
    ) -> None:
        self._sender = sender
        self._domain = domain
        self._base_url = base_url
        self._invitation = invitation

    def booking(self, context: BookingMailContext, person: MailPerson) -> Mail:
        """A mail about a booking's state, or its follow-up."""
        tells = teller(person.timezone, person.locale)
        if context.news == "followup":
            return self._followup(context, person)
        words = words_for(context, person.audience)
        when = tells.short(context.booking.start)
        event = self._event(context, person)
        headline, intro = say(words.headline, context, when), say(words.intro, context, when)
        text, html = render(
            "booking",
            headline=headline,
            preheader=f"{intro} {tells.day(context.booking.start)}, {tells.clock(context.booking.start)}",
            intro=intro,
            tone=words.tone,
            facts=_facts(context, person, tells),
            buttons=_buttons(context, person),
            calendars=self._calendars(context, person),
            organization=context.organization,
            footer=_footer(context, person),
        )
        invitation = self._invitation(event, context.now) if context.with_invitation else None
        return self._mail(context, person, say(words.subject, context, when), text, html, invitation)

    def account(self, kind: str, to: str, name: str, url: str, organization: str, now: int, reason: str = "") -> Mail:
        """Mails of the account; a repeated one within the same second is the same mail."""
        words = ACCOUNT_WORDS[kind]
        fields = {"name": name, "organization": organization, "reason": one_line(reason)}
        headline, intro = words.headline.format(**fields), words.intro.format(**fields)
        text, html = render(
            "account",
            headline=headline,
            preheader=intro,
            intro=intro,
            tone=words.tone,
            buttons=[Button(words.button, url)],
            organization=organization,
            footer=words.footer.format(**fields),
        )
        key = hashlib.sha256(f"{kind} {to} {url} {now}".encode()).hexdigest()[:32]
        subject = header_text(words.subject.format(**fields), SUBJECT_OCTETS)
        return Mail(to, name, subject, text, html, f"<{kind}.{key}@{self._domain}>", from_name=None)

    def _followup(self, context: BookingMailContext, person: MailPerson) -> Mail:
        subject = context.followup_subject.strip() or f"Thank you for meeting {context.organizer_name}"
        text, html = render(
            "followup",
            headline=subject,
            preheader=context.followup_body[:140],
            body=context.followup_body,
            tone="good",
            organization=context.organization,
            footer=_footer(context, person),
        )
        return self._mail(context, person, subject, text, html, None)

    def _event(self, context: BookingMailContext, person: MailPerson) -> CalendarEvent:
        """What the invitation says; a cancelling mail cancels, whatever the booking's own state."""
        event = booking_event(
            context.booking,
            audience=person.audience,
            organization=context.organization,
            timezone=person.timezone,
            organizer=Party(context.organizer_name, self._sender.address),
            app_url=context.app_url,
            manage_url=context.manage_url,
        )
        if person.audience == "host":
            host = Party(person.name, person.email, partstat="ACCEPTED")
            event = replace(event, organizer=Party(self._sender.name, self._sender.address), attendees=(host,))
        return replace(event, status="CANCELLED") if context.news in {"cancelled", "declined"} else event

    def _calendars(self, context: BookingMailContext, person: MailPerson) -> list[Button]:
        """Ways into calendars that take no invitations; hosts have the booking in theirs."""
        if person.audience == "host" or context.news not in {"confirmed", "changed"}:
            return []
        # Without the manage link: these addresses tell their query to the calendar's owner.
        event = self._event(replace(context, manage_url=None), person)
        links = [Button("Google", google_link(event)), Button("Outlook", outlook_link(event))]
        if person.audience == "recipient":
            token = context.booking.token
            links.append(Button("Apple or other", f"{self._base_url}/api/v1/public/bookings/{token}/calendar.ics"))
        return links

    def _mail(
        self,
        context: BookingMailContext,
        person: MailPerson,
        subject: str,
        text: str,
        html: str,
        invitation: Invitation | None,
    ) -> Mail:
        to_host = person.audience == "host"
        return Mail(
            to=person.email,
            to_name=person.name,
            subject=header_text(subject, SUBJECT_OCTETS),
            text=text,
            html=html,
            message_id=message_id(context, person, self._domain),
            invitation=invitation,
            reply_to=context.booking.recipient.email if to_host else context.organizer_email,
            from_name=None if to_host else _from_name(context),
        )


def message_id(context: BookingMailContext, person: MailPerson, domain: str) -> str:
    """The same for the same booking, address, told state and SEQUENCE: a mail that is sent once more after a crash is
    known as the same."""
    if is_handed_on(context, person.audience):
        told = "removed"
    else:
        told = {"requested": "pending", "declined": "cancelled", "changed": "confirmed"}.get(context.news, context.news)
    address = hashlib.sha256(person.email.lower().encode(errors="replace")).hexdigest()[:12]
    return f"<{context.booking.id}.{told}.{context.booking.sequence}.{address}@{domain}>"


def _from_name(context: BookingMailContext) -> str:
    if not context.organization or context.organization == context.organizer_name:
        return context.organizer_name
    return f"{context.organizer_name} ({context.organization})"


def _facts(context: BookingMailContext, person: MailPerson, tells: Teller) -> list[Fact]:
    booking = context.booking
    facts = [Fact("When", _when(booking, person, tells))]
    if context.news in {"cancelled", "declined"}:
        reason = booking.cancel_reason if booking.cancel_reason != EXPIRED else None
        return [*facts, *_who(context, person), *([Fact("Reason", (reason,))] if reason else [])]
    if context.news == "changed" and context.previous_start is not None:
        before = f"{tells.day(context.previous_start)}, {tells.clock(context.previous_start)}"
        facts.append(Fact("Before", (before,), gone=True))
    if booking.location.value:
        facts.append(_where(booking))
    return [*facts, *_who(context, person), *_told(context, person, tells)]


def _when(booking: Booking, person: MailPerson, tells: Teller) -> tuple[str, ...]:
    """The reader's own time first; the recipient's too for a host whose clock shows another."""
    start = booking.start
    lines = [tells.day(start), f"{tells.span(start, booking.end)} ({tells.zone_name(start)})"]
    theirs = tells.elsewhere(booking.timezone)
    if person.audience == "host" and not tells.agrees(theirs, start):
        lines.append(f"For {one_line(booking.recipient.name)}: {theirs.short(start)} ({theirs.zone_name(start)})")
    return tuple(lines)


def _where(booking: Booking) -> Fact:
    value = booking.location.value
    is_link = value.startswith(("https://", "http://"))
    label = {"phone": "Phone", "link": "Join", "video": "Join"}.get(booking.location.kind, "Where")
    return Fact(label, (value,), value if is_link else None)


def _who(context: BookingMailContext, person: MailPerson) -> list[Fact]:
    recipient = context.booking.recipient
    hosts = ", ".join(one_line(host.name) for host in context.booking.hosts) or one_line(context.organizer_name)
    if person.audience == "recipient":
        return [Fact("With", (hosts,))]
    if person.audience == "guest":
        return [Fact("With", (f"{hosts} and {one_line(recipient.name)}",))]
    lines = (one_line(recipient.name), recipient.email, recipient.phone or "")
    facts = [Fact("Who", tuple(line for line in lines if line))]
    return [*facts, Fact("Hosts", (hosts,))] if len(context.booking.hosts) > 1 else facts


def _told(context: BookingMailContext, person: MailPerson, tells: Teller) -> list[Fact]:
    """What the recipient said; the guests they named see none of it."""
    booking = context.booking
    if person.audience == "guest":
        return []
    facts = [Fact("Guests", booking.guests)] if booking.guests else []
    if person.audience == "host":
        if booking.status == "pending" and booking.hold_expires_at is not None:
            facts.append(Fact("Held until", (tells.short(booking.hold_expires_at),)))
        facts += [Fact(label, (answer,)) for label, answer in answer_lines(booking.answered)]
    return [*facts, Fact("Notes", (booking.notes,))] if booking.notes else facts


def _buttons(context: BookingMailContext, person: MailPerson) -> list[Button]:
    over = context.news in {"cancelled", "declined"}
    if person.audience == "host":
        label = "Confirm or decline" if context.news == "requested" else "Open this booking"
        url = context.app_url
    elif person.audience == "guest":
        label, url = "View this booking", None if over else context.view_url
    else:
        label, url = "View this booking" if over else "Move or cancel", context.manage_url
    return [Button(label, url)] if url else []


def _footer(context: BookingMailContext, person: MailPerson) -> str:
    reasons: dict[str, Any] = {
        "recipient": f"You get this mail because you booked with {context.organization}.",
        "guest": f"You get this mail because {context.booking.recipient.name} named you as a guest.",
        "host": "You get this mail because you are a host of this booking.",
    }
    reason: str = reasons[person.audience]
    if person.audience == "recipient" and context.manage_url and context.news != "followup":
        reason += " Its link manages your booking without an account: share it with nobody."
    return reason
