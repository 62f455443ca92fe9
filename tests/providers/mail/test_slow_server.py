"""A mail server that is slow: who waits too long for a connection is told so before anything is sent."""

from __future__ import annotations

import asyncio

import pytest
from aiosmtpd.smtp import SMTP, Envelope, Session

from app.domain.errors import NotBegun
from app.worker import TIME_LIMIT_SECONDS
from integrations.mail import smtp
from tests.providers.mail.smtp_server import Inbox, smtp_server
from tests.providers.mail.test_message import make_mail
from tests.providers.mail.test_smtp import mailer

pytestmark = pytest.mark.anyio


class SlowInbox(Inbox):
    """Takes its time over each mail."""

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        await asyncio.sleep(1)
        return await super().handle_DATA(server, session, envelope)


async def test_who_waits_too_long_has_sent_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(smtp, "WAIT_SECONDS", 0.3)
    async with smtp_server(SlowInbox()) as inbox:
        post = mailer(f"smtp://127.0.0.1:{inbox.port}")
        told = await asyncio.gather(*(post.send(make_mail()) for _ in range(10)), return_exceptions=True)
        await asyncio.gather(*(post.send(make_mail()) for _ in range(smtp.CONNECTIONS)))
    assert [type(each) for each in told] == [type(None)] * smtp.CONNECTIONS + [NotBegun] * 6
    assert len(inbox.messages) == 2 * smtp.CONNECTIONS, "all places are free again"


async def test_a_delivery_ends_before_its_job_is_cut_off() -> None:
    assert smtp.WAIT_SECONDS + 3 * smtp.STEP_SECONDS + smtp.LEAVE_SECONDS < TIME_LIMIT_SECONDS
