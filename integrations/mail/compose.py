"""Words mails: who hears what of a booking, in the zone of whoever reads it, as HTML and as plain text."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from app.domain.booking_event import answer_lines, booking_event
from app.domain.bookings import EVENT_REMOVED, Booking
from app.domain.calendar_event import CalendarEvent, Party
from app.domain.calendar_links import google_link, outlook_link
from app.domain.event_text import clean_text
from app.ports.mail import BookingMailContext, DigestContext, EventMail, Invitation, Mail, MailPerson
from integrations.mail.account_wording import ACCOUNT_WORDS
from integrations.mail.catalogs import N_
from integrations.mail.event_mail import event_mail
from integrations.mail.footer import footer_of, with_way_out
from integrations.mail.message import SUBJECT_OCTETS, Sender, header_text
from integrations.mail.rendering import render
from integrations.mail.times import Teller, teller
from integrations.mail.wording import counted, is_handed_on, one_line, say, words_for

EXPIRED = "expired"
"""The cancel reason the program itself gives; people are told in a sentence instead."""

_PLACES = {"phone": N_("Phone"), "link": N_("Join"), "video": N_("Join"), "address": N_("Where")}


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
            return self._followup(context, person, context.followup_subject, context.followup_body)
        if context.reminder is not None and context.reminder.when == "after":
            return self._followup(context, person, context.reminder.subject, context.reminder.body)
        words = words_for(context, person.audience)
        when = tells.short(context.booking.start)
        event = self._event(context, person)
        headline, intro = say(words.headline, context, when, tells), say(words.intro, context, when, tells)
        text, html = render(
            "booking",
            headline=headline,
            preheader=f"{intro} {tells.moment(context.booking.start)}",
            intro=intro,
            tone=words.tone,
            facts=_facts(context, person, tells),
            buttons=_buttons(context, person, tells),
            calendars=self._calendars(context, person, tells),
            organization=context.organization,
            footer=footer_of(context, person, tells),
            tells=tells,
        )
        invitation = self._invitation(event, context.now) if context.with_invitation else None
        subject = (context.reminder and context.reminder.subject.strip()) or say(words.subject, context, when, tells)
        return self._mail(context, person, subject, text, html, invitation)

    def text(self, context: BookingMailContext, person: MailPerson) -> str:
        """A booking's news in a few lines: what a mail's subject would be, a reminder's own words, where to go."""
        tells = teller(person.timezone, person.locale)
        start = context.booking.start
        when = f"{tells.short(start)} ({tells.zone_name(start)})"
        lines = [say(words_for(context, person.audience).subject, context, when, tells)]
        if context.reminder is not None and context.reminder.body:
            own = clean_text(context.reminder.body).strip()
            lines = [own] if context.reminder.when == "after" else [*lines, own]
        if context.news not in {"cancelled", "declined"} and context.booking.location.value:
            lines.append(one_line(context.booking.location.value))
        address = context.manage_url or context.app_url
        return "\n".join([*lines, address] if address else lines)

    def digest(self, context: DigestContext) -> Mail:
        """What a day or a week brings, in the person's zone."""
        person = context.person
        tells = teller(person.timezone, person.locale)
        first = context.bookings[0].start
        headline = "Your coming week" if context.is_weekly else f"Your {tells.day(first)}"
        count = len(context.bookings)
        intro = "There is one booking." if count == 1 else f"There are {count} bookings."
        text, html = render(
            "booking",
            headline=headline,
            preheader=intro,
            intro=intro,
            tone="good",
            facts=[_digest_fact(booking, context, tells) for booking in context.bookings],
            buttons=[Button("Open your schedule", f"{context.base_url}/app/today")],
            calendars=[],
            organization=context.organization,
            footer=with_way_out("You get this mail because you asked for it.", context.unsubscribe_url, tells),
        )
        key = f"<digest.{context.key}@{self._domain}>"
        return Mail(person.email, person.name, headline, text, html, key, unsubscribe_url=context.unsubscribe_url)

    def series(self, contexts: Sequence[BookingMailContext], person: MailPerson) -> Mail:
        """One mail about several bookings of a recurring set, with an invitation to each."""
        first, tells = contexts[0], teller(person.timezone, person.locale)
        words = words_for(first, person.audience)
        count, start = len(contexts), tells.short(first.booking.start)
        when = tells.ngettext("{count} time from {start}", "{count} times from {start}", count)
        when = when.format(count=count, start=start)
        headline, intro = say(words.headline, first, when, tells), say(words.intro, first, when, tells)
        text, html = render(
            "booking",
            headline=headline,
            preheader=f"{intro} {when}",
            intro=intro,
            tone=words.tone,
            facts=_series_facts(contexts, person, tells),
            buttons=_buttons(first, person, tells),
            calendars=[],
            organization=first.organization,
            footer=footer_of(first, person, tells),
            tells=tells,
        )
        invitations = [
            self._invitation(self._event(each, person), each.now) for each in contexts if each.with_invitation
        ]
        mail = self._mail(first, person, say(words.subject, first, when, tells), text, html, None)
        return replace(
            mail,
            invitation=invitations[0] if invitations else None,
            more_invitations=tuple(invitations[1:]),
            message_id=series_message_id(contexts, person, self._domain),
        )

    def session(self, session: BookingMailContext, attendees: Sequence[BookingMailContext], person: MailPerson) -> Mail:
        """Worded for the session, with an invitation to each booking: hosts have those from when they were made."""
        events = [self._invitation(self._event(each, person), each.now) for each in attendees if each.with_invitation]
        return replace(
            self.booking(session, person),
            invitation=events[0] if events else None,
            more_invitations=tuple(events[1:]),
            message_id=series_message_id(attendees, person, self._domain),
        )

    def event(self, context: EventMail) -> Mail:
        """A mail about an event of somebody's own."""
        return event_mail(context, self._domain)

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

    def _followup(self, context: BookingMailContext, person: MailPerson, subject: str, body: str) -> Mail:
        tells = teller(person.timezone, person.locale)
        thanks = tells.gettext("Thank you for meeting {organizer}").format(organizer=context.organizer_name)
        subject = subject.strip() or thanks
        text, html = render(
            "followup",
            headline=subject,
            preheader=body[:140],
            body=body,
            tone="good",
            organization=context.organization,
            footer=with_way_out(footer_of(context, person, tells), context.unsubscribe_url, tells),
            tells=tells,
        )
        mail = self._mail(context, person, subject, text, html, None)
        return replace(mail, unsubscribe_url=context.unsubscribe_url)

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

    def _calendars(self, context: BookingMailContext, person: MailPerson, tells: Teller) -> list[Button]:
        """Ways into calendars that take no invitations; hosts have the booking in theirs."""
        if person.audience == "host" or context.news not in {"confirmed", "changed"}:
            return []
        # Without the manage link: these addresses tell their query to the calendar's owner.
        event = self._event(replace(context, manage_url=None), person)
        links = [Button("Google", google_link(event)), Button("Outlook", outlook_link(event))]
        if person.audience == "recipient":
            token = context.booking.token
            file = f"{self._base_url}/api/v1/public/bookings/{token}/calendar.ics"
            links.append(Button(tells.gettext("Apple or other"), file))
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
            reply_to=(context.booking.recipient.email or None) if to_host else context.organizer_email,
            from_name=None if to_host else _from_name(context),
        )


def message_id(context: BookingMailContext, person: MailPerson, domain: str) -> str:
    """The same for the same booking, address, told state and SEQUENCE: a mail that is sent once more after a crash is
    known as the same."""
    address = hashlib.sha256(person.email.lower().encode(errors="replace")).hexdigest()[:12]
    if context.reminder is not None:
        return f"<{context.booking.id}.{context.reminder.key}.{context.booking.start}.{address}@{domain}>"
    if is_handed_on(context, person.audience):
        told = "removed"
    else:
        told = {"requested": "pending", "declined": "cancelled", "changed": "confirmed"}.get(context.news, context.news)
    return f"<{context.booking.id}.{told}.{context.booking.sequence}.{address}@{domain}>"


def series_message_id(contexts: Sequence[BookingMailContext], person: MailPerson, domain: str) -> str:
    """The same for the same bookings, address, told state and SEQUENCEs."""
    singles = " ".join(message_id(each, person, domain) for each in contexts)
    return f"<{contexts[0].booking.id}.series.{hashlib.sha256(singles.encode()).hexdigest()[:32]}@{domain}>"


def _from_name(context: BookingMailContext) -> str:
    if not context.organization or context.organization == context.organizer_name:
        return context.organizer_name
    return f"{context.organizer_name} ({context.organization})"


def _facts(context: BookingMailContext, person: MailPerson, tells: Teller) -> list[Fact]:
    booking = context.booking
    facts = [Fact(tells.gettext("When"), _when(booking, person, tells))]
    if context.news in {"cancelled", "declined"}:
        reason = _reason(booking, person)
        return [*facts, *_who(context, person, tells), *([Fact(tells.gettext("Reason"), (reason,))] if reason else [])]
    if context.news == "changed" and context.previous_start is not None:
        facts.append(Fact(tells.gettext("Before"), (tells.moment(context.previous_start),), gone=True))
    if context.reminder is not None and context.reminder.body:
        facts.append(Fact(tells.gettext("Please note"), (context.reminder.body.strip(),)))
    if booking.location.value:
        facts.append(_where(booking, tells))
    return [*facts, *_who(context, person, tells), *_told(context, person, tells)]


def _series_facts(contexts: Sequence[BookingMailContext], person: MailPerson, tells: Teller) -> list[Fact]:
    """Every time with the way to its booking, then what they have in common."""
    teams = {context.booking.hosts for context in contexts}
    times = []
    for number, context in enumerate(contexts, 1):
        lines = list(_when(context.booking, person, tells))
        if len(teams) > 1:
            lines.append(tells.listed(one_line(host.name) for host in context.booking.hosts))
        links, label = _buttons(context, person, tells), tells.gettext("Time {number}").format(number=number)
        times.append(Fact(label, tuple(lines), links[0].url if links else None))
    own = {tells.gettext("When"), tells.gettext("Before")}
    return [*times, *(fact for fact in _facts(contexts[0], person, tells) if fact.label not in own)]


def _digest_fact(booking: Booking, context: DigestContext, tells: Teller) -> Fact:
    when = tells.span(booking.start, booking.end)
    label = tells.short(booking.start).rpartition(",")[0] if context.is_weekly else tells.clock(booking.start)
    who = one_line(booking.recipient.name)
    what = one_line(booking.title)
    return Fact(label, (f"{who}: {what}" if who and who != what else what, when))


def _reason(booking: Booking, person: MailPerson) -> str | None:
    """Why it is off, as far as it says something to the reader."""
    if booking.cancel_reason == EXPIRED:
        return None
    if booking.cancel_reason != EVENT_REMOVED:
        return booking.cancel_reason
    if person.audience != "host":
        return None
    return "Its event was deleted in " + ("your calendar." if len(booking.hosts) == 1 else "a host's calendar.")


def _when(booking: Booking, person: MailPerson, tells: Teller) -> tuple[str, ...]:
    """The reader's own time first; the recipient's too for a host whose clock shows another."""
    start = booking.start
    lines = [tells.day(start), f"{tells.span(start, booking.end)} ({tells.zone_name(start)})"]
    theirs = tells.elsewhere(booking.timezone)
    if (
        person.audience == "host"
        and booking.recipient.name
        and not booking.is_walk_in
        and not tells.agrees(theirs, start)
    ):
        lines.append(f"For {one_line(booking.recipient.name)}: {theirs.short(start)} ({theirs.zone_name(start)})")
    return tuple(lines)


def _where(booking: Booking, tells: Teller) -> Fact:
    value = booking.location.value
    is_link = value.startswith(("https://", "http://"))
    label = _PLACES.get(booking.location.kind, _PLACES["address"])
    return Fact(tells.gettext(label), (value,), value if is_link else None)


def _who(context: BookingMailContext, person: MailPerson, tells: Teller) -> list[Fact]:
    recipient = context.booking.recipient
    hosts = tells.listed(one_line(host.name) for host in context.booking.hosts) or one_line(context.organizer_name)
    if person.audience == "recipient":
        return [Fact(tells.gettext("With"), (hosts,))]
    if person.audience == "guest":
        both = tells.gettext("{hosts} and {recipient}").format(hosts=hosts, recipient=one_line(recipient.name))
        return [Fact(tells.gettext("With"), (both,))]
    lines = (one_line(recipient.name), recipient.email, recipient.phone or "")
    facts = [Fact("Who", (counted(context.seats),) if context.seats else tuple(line for line in lines if line))]
    return [*facts, Fact("Hosts", (hosts,))] if len(context.booking.hosts) > 1 else facts


def _told(context: BookingMailContext, person: MailPerson, tells: Teller) -> list[Fact]:
    """What the recipient said; the guests they named see none of it."""
    booking = context.booking
    if person.audience == "guest":
        return []
    facts = [Fact(tells.gettext("Guests"), booking.guests)] if booking.guests else []
    if person.audience == "host":
        if booking.status == "pending" and booking.hold_expires_at is not None:
            facts.append(Fact("Held until", (tells.short(booking.hold_expires_at),)))
        facts += [Fact(label, (answer,)) for label, answer in answer_lines(booking.answered)]
    return [*facts, Fact(tells.gettext("Notes"), (booking.notes,))] if booking.notes else facts


def _buttons(context: BookingMailContext, person: MailPerson, tells: Teller) -> list[Button]:
    over = context.news in {"cancelled", "declined"}
    if person.audience == "host":
        label = "Confirm or decline" if context.news == "requested" else "Open this booking"
        url = context.app_url
    elif person.audience == "guest":
        label, url = tells.gettext("View this booking"), None if over else context.view_url
    else:
        label, url = tells.gettext(N_("View this booking") if over else N_("Move or cancel")), context.manage_url
    return [Button(label, url)] if url else []
