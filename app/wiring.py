"""The only file that joins ports to adapters."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import TypeVar

from app.config import PREFIX, BadSettings, OAuthSettings, Settings
from app.db.engine import Database, connect
from app.db.outbox import SqlJobQueue
from app.db.telling import SqlReminderLog
from app.db.unit_of_work import SqlUnitsOfWork
from app.ports import Ports
from app.ports.mail_folder import MailFolder
from app.ports.outbox import Job
from app.ports.reply_box import ReplyBox
from app.use_cases.account_mail import send_account_mail
from app.use_cases.add_contact import add_contact_job, put_contact_job
from app.use_cases.calendar_trouble import mail_calendar_trouble, mail_write_trouble
from app.use_cases.file_clients import file_all_job, file_booking_job
from app.use_cases.follow_edit import follow_edit_job
from app.use_cases.hand_over_links import send_links_mail
from app.use_cases.invite_to_connect import mail_invitation
from app.use_cases.jobs import complete_booking_job, expand_collection_job, expire_hold_job, reread_calendar_job
from app.use_cases.keep_data import retention_job
from app.use_cases.keep_edits import mail_edits_kept
from app.use_cases.meeting_place import give_room
from app.use_cases.note_conflicts import tell_conflicts
from app.use_cases.note_delivery import note_failure
from app.use_cases.reapply_reminders import reapply_reminders
from app.use_cases.release_account import release_account_job
from app.use_cases.remind import send_reminder
from app.use_cases.remove_contact import remove_contact_job, tell_contact_left
from app.use_cases.send_digest import send_digest
from app.use_cases.send_invitation import send_invitation
from app.use_cases.set_up_phone import forget_set_up
from app.use_cases.sync_calendar import sync_calendar_job
from app.use_cases.take_reply import tell_refusal
from app.use_cases.tell_edits import mail_edit_refused, mail_edits_asked, mail_event_kept
from app.use_cases.tell_members import send_notice
from app.use_cases.tell_people import send_booking_mail, send_followup
from app.use_cases.tell_series import send_series_mail
from app.use_cases.tell_sessions import send_session_mail
from app.use_cases.watch_calendar import watch_calendar_job
from app.use_cases.write_event import write_calendar_event
from app.web.limits import RateLimits
from calendar_feeds.itip import invitation
from integrations.calendars import ProviderParts, Providers
from integrations.contacts import ContactBooks
from integrations.http import OutwardHttp, OutwardPolicy
from integrations.mail.compose import TemplateComposer
from integrations.mail.folder import FolderMailer
from integrations.mail.imap import ImapReplyBox, ImapServer
from integrations.mail.message import Sender
from integrations.mail.smtp import SmtpMailer, SmtpServer
from integrations.oauth import OAuthClient
from integrations.push.folder import FolderPusher
from integrations.security import Argon2Hasher, KeyVault
from integrations.texting.folder import FolderTexter

CALENDAR_AGE_LIMIT = 24 * 3600

Parsed = TypeVar("Parsed")
Handler = Callable[[Ports, Job], Awaitable[int | None]]

HANDLERS: Mapping[str, Handler] = {
    "account_mail": send_account_mail,
    "calendar_invitation": mail_invitation,
    "links_mail": send_links_mail,
    "booking_mail": send_booking_mail,
    "series_mail": send_series_mail,
    "session_mail": send_session_mail,
    "followup": send_followup,
    "reminder": send_reminder,
    "notice": send_notice,
    "digest": send_digest,
    "reapply_reminders": reapply_reminders,
    "expire_hold": expire_hold_job,
    "complete_booking": complete_booking_job,
    "client": file_booking_job,
    "clients": file_all_job,
    "expand_collection": expand_collection_job,
    "reread_calendar": reread_calendar_job,
    "release_account": release_account_job,
    "retention": retention_job,
    "follow_edit": follow_edit_job,
    "edits_asked": mail_edits_asked,
    "edit_refused": mail_edit_refused,
    "event_kept": mail_event_kept,
    "edits_kept": mail_edits_kept,
    "calendar_event": write_calendar_event,
    "meeting_place": give_room,
    "conflicts_found": tell_conflicts,
    "recipient_declined": tell_refusal,
    "scheduling_mail": send_invitation,
    "scheduling_mail_failed": note_failure,
    "sync_calendar": sync_calendar_job,
    "watch_calendar": watch_calendar_job,
    "calendar_trouble": mail_calendar_trouble,
    "write_trouble": mail_write_trouble,
    "add_contact": add_contact_job,
    "put_contact": put_contact_job,
    "remove_contact": remove_contact_job,
    "contact_left": tell_contact_left,
    "forget_set_up": forget_set_up,
}


@dataclass(frozen=True, slots=True)
class Parts:
    """The program's parts, joined."""

    settings: Settings
    database: Database
    ports: Ports
    limits: RateLimits
    handlers: Mapping[str, Handler]
    mail_folder: MailFolder | None
    reply_box: ReplyBox | None
    http: OutwardHttp
    providers: Providers

    async def close(self) -> None:
        """Give back what the process holds."""
        await self.providers.aclose()
        await self.http.aclose()
        await self.limits.aclose()
        await self.database.dispose()


def system_clock() -> int:
    """Now, in epoch seconds."""
    return int(time.time())


def _parsed(parse: Callable[[str], Parsed], text: str, name: str) -> Parsed:
    try:
        return parse(text)
    except ValueError as problem:
        raise BadSettings(f"{PREFIX}{name}: {problem}.") from problem


def _oauth_client(given: OAuthSettings | None) -> OAuthClient | None:
    if given is None:
        return None
    return OAuthClient(given.client_id, given.client_secret, given.sign_in, given.api, given.tokens)


def _profile_signer(settings: Settings) -> Callable[[bytes], bytes] | None:
    """What signs profiles, where the server has a certificate of its own."""
    if settings.tls is None:
        return None
    from integrations.profile_signing import ProfileSigner  # its library is large

    return ProfileSigner(settings.tls.certificate, settings.tls.key)


def wire(settings: Settings, workers: int = 1, clock: Callable[[], int] = system_clock) -> Parts:
    """Join everything for these settings."""
    database = connect(settings.database_url)
    vault = KeyVault(settings.secret_keys)
    units = SqlUnitsOfWork(database, vault, CALENDAR_AGE_LIMIT)
    http = OutwardHttp(OutwardPolicy(allowed_private_hosts=frozenset(settings.allowed_private_hosts)))
    google, microsoft = _oauth_client(settings.google), _oauth_client(settings.microsoft)
    providers = Providers(ProviderParts(http, units.write, units.read, clock, google, microsoft))
    sender = _parsed(Sender.parse, settings.mail_from, "MAIL_FROM")
    folder = None if settings.smtp_url else FolderMailer(settings.data_dir / "mail", sender, clock)
    reply_box = None
    if settings.imap_url:
        reply_box = ImapReplyBox(_parsed(ImapServer.parse, settings.imap_url, "IMAP_URL"), clock)
    mailer = folder or SmtpMailer(_parsed(SmtpServer.parse, settings.smtp_url or "", "SMTP_URL"), sender, clock)
    ports = Ports(
        clock=clock,
        unit_of_work=units.write,
        read=units.read,
        jobs=SqlJobQueue(database.write, database.read),
        reminder_log=SqlReminderLog(database.write),
        vault=vault,
        passwords=Argon2Hasher(),
        providers=providers,
        contact_books=ContactBooks(providers),
        mailer=mailer,
        texter=FolderTexter(settings.data_dir / "texts", clock),
        pusher=FolderPusher(settings.data_dir / "pushes", clock),
        composer=TemplateComposer(sender, settings.host_name, settings.base_url, invitation),
        base_url=settings.base_url,
        uid_domain=settings.host_name,
        organizer_address=sender.address,
        jitsi_url=settings.jitsi_url,
        is_loopback=settings.is_loopback,
        sign_ins=tuple(name for name, client in (("google", google), ("microsoft", microsoft)) if client),
        sign_profile=_profile_signer(settings),
        mail_folder=folder,
        calendar_age_limit=CALENDAR_AGE_LIMIT,
    )
    limits = RateLimits(
        {
            "public": settings.rate_limit_public,
            "booking": settings.rate_limit_booking,
            "login": settings.rate_limit_login,
        },
        settings.redis_url,
        workers,
    )
    return Parts(settings, database, ports, limits, HANDLERS, folder, reply_box, http, providers)
