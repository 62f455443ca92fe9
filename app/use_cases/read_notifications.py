"""One's own list: read it, and mark its lines as read."""

from __future__ import annotations

from collections.abc import Sequence

from app.ports import Ports
from app.ports.page import Page
from app.ports.people import User
from app.ports.telling import Notification
from app.ports.unit_of_work import UnitOfWork
from app.use_cases.idempotency import Replay, remember

MOST_COUNTED = 100


async def notifications_of(
    work: UnitOfWork, user: User, limit: int, cursor: str | None, *, unread: bool = False
) -> Page[Notification]:
    """Newest first; of bookings that were handed to others without the recipient and the start, except for admins."""
    sees_all = "admin" in user.roles
    return await work.telling.notifications(user.id, limit, cursor, unread=unread, sees_all=sees_all)


async def mark_read(ports: Ports, user: User, ids: Sequence[str] | None, replay: Replay[int] | None = None) -> int:
    """These, or all (None); what is somebody else's is left alone. How many are left unread, 100 at most."""
    now = ports.clock()
    async with ports.unit_of_work() as work:
        await work.telling.mark_read(user.id, ids, now)
        left = await work.telling.unread_count(user.id, MOST_COUNTED)
        await remember(work, replay, left, now)
        await work.commit()
    return left
