"""`halfpast doctor`: looks at the configuration and every connection, and says the mend. It changes nothing."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Awaitable, Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

from app.config import KEPT_KEY
from app.db.sealed import UNSUBSCRIBED, Stock, damaged, hashed_stock, listed, lost_words, sealed_stock
from app.db.version import is_current
from app.domain.calendars import CalendarAccount
from app.domain.errors import HalfpastError, SecretUnreadable
from app.use_cases.calendar_health import AccountHealth, Mend, access_words, changes_words, health_of, mend_of
from app.use_cases.sync_calendar import credentials_of
from app.web.times import rfc3339
from app.wiring import Parts
from integrations.reachability import Unreachable, reach

TIMEOUT_SECONDS = 5
CALENDAR_SECONDS = 15
CALENDARS_AT_ONCE = 8
_MENDS: Mapping[Mend, str] = {
    "sign_in": "let its owner sign in again",
    "password": "let its owner type the new password",
    "read": "it is tried again by itself, or at once by “Try again”",
}


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing looked at; `words` says how it is, and the mend when it is not well."""

    name: str
    ok: bool
    words: str


async def examine(parts: Parts) -> list[Finding]:
    """Everything, in the order a person would mend it."""
    database = await _database(parts)
    findings = [_data_folder(parts), await _base_url(parts), database, await _mail(parts), await _redis(parts)]
    if parts.reply_box is not None:
        mailbox = _answers(
            "mailbox", parts.reply_box.check(), _host(parts.settings.imap_url or ""), "look at HALFPAST_IMAP_URL"
        )
        findings.insert(4, await mailbox)
    if database.ok:
        findings += await _keys(parts)
        findings += await _calendars(parts)
        findings.append(await _outbox(parts))
    return findings


def _data_folder(parts: Parts) -> Finding:
    folder = parts.settings.data_dir
    if folder.is_dir() and os.access(folder, os.W_OK):
        return Finding("data folder", True, f"{folder} is writable")
    return Finding("data folder", False, f"{folder} is not a writable folder: make it, or set HALFPAST_DATA_DIR")


async def _base_url(parts: Parts) -> Finding:
    """Whether a phone could use it, seen from here."""
    settings = parts.settings
    if settings.is_loopback:
        return Finding("address", True, f"{settings.base_url} (this machine only: phones cannot reach it)")
    if not settings.is_https:
        return Finding("address", False, f"{settings.base_url} is not https: phones refuse it; put TLS before it")
    try:
        async with asyncio.timeout(TIMEOUT_SECONDS):
            reached = await reach(settings.base_url)
    except Unreachable as problem:
        return Finding("address", False, str(problem))
    except TimeoutError:
        return Finding("address", False, f"{settings.base_url} does not answer in time: look at the proxy before it")
    if reached.is_private:
        words = "a private address: phones reach it in the same network or by VPN alone"
        return Finding("address", True, f"{settings.base_url} ({words})")
    return Finding("address", True, settings.base_url)


async def _database(parts: Parts) -> Finding:
    try:
        async with asyncio.timeout(TIMEOUT_SECONDS):
            current = await is_current(parts.database)
    except Exception as problem:  # the doctor reports whatever it meets
        return Finding("database", False, f"cannot be opened ({_reason(problem)}): look at HALFPAST_DATABASE_URL")
    if not current:
        return Finding("database", False, "is not at this version: run halfpast migrate")
    return Finding("database", True, parts.database.write.dialect.name)


async def _mail(parts: Parts) -> Finding:
    url = parts.settings.smtp_url
    if url is None:
        return Finding("mail", True, f"no server is set: mail is kept in {parts.settings.data_dir / 'mail'}")
    return await _answers("mail", parts.ports.mailer.check(), _host(url), "look at HALFPAST_SMTP_URL")


async def _redis(parts: Parts) -> Finding:
    url = parts.settings.redis_url
    if url is None:
        return Finding("rate limits", True, "in memory, each process its share")
    return await _answers("rate limits", parts.limits.ping(), _host(url), "look at HALFPAST_REDIS_URL")


async def _answers(
    name: str, question: Awaitable[object], who: str, mend: str, seconds: int = TIMEOUT_SECONDS
) -> Finding:
    try:
        async with asyncio.timeout(seconds):
            await question
    except Exception as problem:  # the doctor reports whatever it meets
        return Finding(name, False, f"{who} does not do its part ({_reason(problem)}): {mend}")
    return Finding(name, True, f"{who} answers")


def _host(url: str) -> str:
    """Without the password."""
    return urlsplit(url).netloc.rpartition("@")[2]


def _reason(problem: Exception) -> str:
    """One line."""
    if isinstance(problem, TimeoutError):
        return "no answer in time"
    text = problem.detail if isinstance(problem, HalfpastError) else str(problem)
    return (text or type(problem).__name__).split("\n")[0]


async def _keys(parts: Parts) -> list[Finding]:
    marks = parts.ports.vault.marks
    sealed, hashed = await sealed_stock(parts.database), await hashed_stock(parts.database)
    findings = [Finding("keys", False, words) for words in await damaged(parts.database, parts.ports.vault)]
    lost = [stock for stock in sealed if stock.mark not in marks]
    if lost:
        findings.append(Finding("keys", False, lost_words(lost)))
    if not findings:
        findings.append(Finding("keys", True, _older_words(sealed, hashed, marks)))
    useless = [stock for stock in hashed if stock.mark not in marks]
    tokens = [stock for stock in useless if stock.words != UNSUBSCRIBED]
    if tokens:
        words = f"{listed(tokens)} were made under a key that is not known, and let nobody in: make new ones"
        findings.append(Finding("tokens", True, words))
    wishes = [stock for stock in useless if stock.words == UNSUBSCRIBED]
    if wishes:
        words = f"{listed(wishes)} were noted under a key that is not known, and are mailed again: put that key back"
        findings.append(Finding("unsubscribed", False, words))
    return findings


def _older_words(sealed: list[Stock], hashed: list[Stock], marks: tuple[str, ...]) -> str:
    """What still rests on the keys behind the first, and so what stands in the way of dropping them."""
    waiting = [stock for stock in sealed if stock.mark in marks[1:]]
    unused = [stock for stock in hashed if stock.mark in marks[1:]]
    words = [f"everything stored opens; {marks[0]} is the first of {len(marks)}"]
    if waiting:
        words.append(f"{listed(waiting)} still rest on an older key: run halfpast reseal")
    if unused:
        words.append(f"{listed(unused)} rest on an older key until they are used, or next written to")
    if len(marks) > 1 and not waiting and not unused:
        words.append(
            f"nothing rests on an older key: HALFPAST_SECRET_KEYS can lose it ({KEPT_KEY} in the data folder too)"
        )
    return "; ".join(words)


async def _calendars(parts: Parts) -> list[Finding]:
    try:
        async with parts.ports.read() as work:
            accounts = await work.calendars.connected_accounts()
    except SecretUnreadable as problem:
        return [Finding("calendar accounts", False, f"not asked: {problem.detail}")]
    turns = asyncio.Semaphore(CALENDARS_AT_ONCE)
    return list(await asyncio.gather(*(_calendar(parts, account, turns) for account in accounts)))


async def _calendar(parts: Parts, account: CalendarAccount, turns: asyncio.Semaphore) -> Finding:
    """Asks the server. One that answers may still have failed at the last sync, which the account remembers."""
    name = f"calendar account {account.label}"
    async with turns:
        async with parts.ports.read() as work:
            calendars = await work.calendars.calendars_in(account.id)
            (health,) = await health_of(parts.ports, work, [account], calendars)
        refusal = await _refusal(parts, account)
    who, facts = _host(account.url) or account.provider, _facts(health, parts.ports.clock())
    if refusal is not None:
        mend = _mend(parts, mend_of(account.provider, refusal, parts.ports.sign_ins))
        return Finding(name, False, f"{who} does not do its part ({refusal}): {mend}; {facts}")
    if health.mend is not None:
        mend = _mend(parts, health.mend)
        return Finding(name, False, f"{who} answers, but the last sync failed ({health.error}): {mend}; {facts}")
    return Finding(name, True, f"{who} answers; {facts}")


async def _refusal(parts: Parts, account: CalendarAccount) -> str | None:
    """Why the account's server does not list its calendars; None when it does."""
    provider = parts.ports.providers.get(account.provider)
    if provider is None:
        return f"calendars of the kind {account.provider} are not supported here"
    try:
        async with asyncio.timeout(CALENDAR_SECONDS):
            await provider.list_calendars(credentials_of(account))
    except Exception as problem:  # the doctor reports whatever it meets
        return _reason(problem)
    return None


def _mend(parts: Parts, mend: Mend) -> str:
    """The same as the one button of the page."""
    return f"{_MENDS[mend]} at {parts.settings.base_url}/app/connections"


def _facts(health: AccountHealth, now: int) -> str:
    last, due, end = health.last_sync_at, health.next_sync_at, health.pushed_until
    words = [
        "never read" if last is None else f"last read {rfc3339(last)}",
        *([f"the oldest copy is {now - health.oldest_sync_at} s old"] if health.oldest_sync_at is not None else []),
        "next not planned" if due is None else "next now" if due <= now else f"next {rfc3339(due)}",
        f"changes: {changes_words(health)}" + (f" Until {rfc3339(end)}." if end is not None else ""),
        f"access: {access_words(health)}",
    ]
    return "; ".join(words)


async def _outbox(parts: Parts) -> Finding:
    async with parts.ports.read() as work:
        dead = await work.outbox.dead_count()
    if dead:
        return Finding(
            "outbox", False, f"{dead} deliveries were given up: see {parts.settings.base_url}/app/connections"
        )
    return Finding("outbox", True, "nothing was given up")
