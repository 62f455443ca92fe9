"""What stands at the foot of a mail."""

from __future__ import annotations

from app.ports.mail import BookingMailContext, MailPerson
from integrations.mail.times import Teller
from integrations.mail.wording import is_handed_on


def with_way_out(reason: str, url: str | None, tells: Teller) -> str:
    """With the address at which they say that they want no more, where there is one."""
    if url is None:
        return reason
    way_out = tells.gettext("To get no more of them: {url}").format(url=url)
    return f"{reason} {way_out}"


def _is_after(context: BookingMailContext) -> bool:
    return context.reminder is not None and context.reminder.when == "after"


def footer_of(context: BookingMailContext, person: MailPerson, tells: Teller) -> str:
    """Why they get it, and that the link in it is theirs alone."""
    if person.is_owner:
        return "You get this mail because it was booked through your link."
    if person.audience == "host":
        hosts = "were" if is_handed_on(context, "host") else "are"
        return f"You get this mail because you {hosts} a host of this booking."
    if person.audience == "guest":
        reason = tells.gettext("You get this mail because {recipient} named you as a guest.")
        return reason.format(recipient=context.booking.recipient.name)
    reason = tells.gettext("You get this mail because you booked with {organization}.")
    reason = reason.format(organization=context.organization)
    if context.manage_url and context.news != "followup" and not _is_after(context):
        warning = tells.gettext("Its link manages your booking without an account: share it with nobody.")
        reason = f"{reason} {warning}"
    return reason
