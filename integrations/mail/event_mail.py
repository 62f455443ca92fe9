"""Mails about people's own events: invitation, change, cancellation, answer."""

from __future__ import annotations

from dataclasses import dataclass

from app.domain.scheduling.telling import Told
from app.ports.mail import EventMail, Mail
from integrations.mail.message import SUBJECT_OCTETS, header_text
from integrations.mail.rendering import render
from integrations.mail.times import teller
from integrations.mail.wording import one_line

_ALL_DAY = 86400


@dataclass(frozen=True, slots=True)
class _Words:
    """May hold {who}, {organization} and {what}."""

    subject: str
    headline: str
    intro: str
    tone: str


_WORDS = {
    "REQUEST": _Words("Invitation: {what}", "{who} invites you", "Answer it in your calendar.", "good"),
    "UPDATE": _Words("Changed: {what}", "{who} changed an event", "Your calendar shows what is new.", "changed"),
    "CANCEL": _Words("Cancelled: {what}", "{who} cancelled an event", "It does not take place as planned.", "off"),
    "ACCEPTED": _Words("Accepted: {what}", "{who} accepts", "{who} comes to your event.", "good"),
    "DECLINED": _Words("Declined: {what}", "{who} declines", "{who} does not come to your event.", "off"),
    "REPLY": _Words("Answer: {what}", "{who} answers", "{who} may come to your event.", "good"),
}


@dataclass(frozen=True, slots=True)
class _Fact:
    label: str
    lines: tuple[str, ...]
    href: str | None = None
    gone: bool = False


def event_mail(context: EventMail, domain: str) -> Mail:
    """The mail; times are told in the event's own zone, for nothing is known of whom it goes to."""
    facts = context.facts
    words = _WORDS[_kind(context)]
    fields = {
        "who": one_line(context.sender_name),
        "organization": one_line(context.organization),
        "what": one_line(facts.summary),
    }
    headline, intro = words.headline.format(**fields), words.intro.format(**fields)
    shown = [_Fact("What", (one_line(facts.summary),)), *_when(facts)]
    if facts.location:
        shown.append(_Fact("Where", (one_line(facts.location),)))
    text, html = render(
        "booking",
        headline=headline,
        preheader=intro,
        intro=intro,
        tone=words.tone,
        facts=[*shown, _Fact("From", (f"{fields['who']}, {context.sender_email}",))],
        buttons=[],
        calendars=[],
        organization=context.organization,
        footer=f"You get this mail because {fields['who']} of {fields['organization']} shares an event with you.",
    )
    return Mail(
        to=context.to,
        to_name="",
        subject=header_text(words.subject.format(**fields), SUBJECT_OCTETS),
        text=text,
        html=html,
        message_id=f"<itip.{context.key}@{domain}>",
        invitation=context.invitation,
        reply_to=context.sender_email,
        from_name=f"{fields['who']} ({fields['organization']})",
    )


def _kind(context: EventMail) -> str:
    method = context.invitation.method
    if method == "REPLY":
        return context.facts.answer if context.facts.answer in _WORDS else "REPLY"
    return "UPDATE" if method == "REQUEST" and context.facts.is_update else method


def _when(facts: Told) -> list[_Fact]:
    if facts.start is None:
        return []
    tells = teller(facts.timezone)
    lines = [tells.day(facts.start)]
    if facts.is_all_day:
        if facts.end is not None and facts.end - facts.start > _ALL_DAY * 1.5:
            lines = [f"{lines[0]} – {tells.day(facts.end - _ALL_DAY // 2)}"]
    else:
        clock = tells.clock(facts.start) if facts.end is None else tells.span(facts.start, facts.end)
        lines.append(f"{clock} ({tells.zone_name(facts.start)})")
    return [_Fact("When", (*lines, "Repeats") if facts.repeats else tuple(lines))]
