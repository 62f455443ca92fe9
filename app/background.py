"""What runs beside the requests, or in a process of its own: the worker, and the reader of the mailbox.

Reading the mailbox is no row of the outbox, since a mailbox belongs to no organization, and it need not be: what was
not dealt with stays in the mailbox, whoever dies.
"""

from __future__ import annotations

import asyncio
import contextlib

import structlog

from app.domain.errors import ProviderFailure
from app.ports import Ports
from app.ports.audit import ORIGIN, Origin
from app.ports.reply_box import ReplyBox
from app.use_cases.read_replies import read_replies
from app.wiring import Parts
from app.worker import Worker

log = structlog.get_logger()

PAUSE_SECONDS = 60.0


async def run_background(parts: Parts, stop: asyncio.Event) -> None:
    """Until `stop` is set; what is under way is finished."""
    work = [Worker(parts.ports, parts.handlers).run(stop)]
    if parts.reply_box is not None:
        work.append(read_mailbox(parts.ports, parts.reply_box, stop))
    await asyncio.gather(*work)


async def read_mailbox(ports: Ports, box: ReplyBox, stop: asyncio.Event, pause: float = PAUSE_SECONDS) -> None:
    """Read again and again until `stop` is set. What goes wrong is logged, and told by the doctor."""
    ORIGIN.set(lambda: Origin("mail"))
    while not stop.is_set():
        try:
            await read_replies(ports, box)
        except ProviderFailure as failure:
            log.warning("mailbox cannot be read", reason=failure.detail)
        except Exception:
            log.exception("answers cannot be taken")  # the database may be away for a moment
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(stop.wait(), pause)
