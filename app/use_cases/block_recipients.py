"""Keep somebody from booking: by e-mail address, domain or phone number."""

from __future__ import annotations

from app.domain.bookings import Recipient
from app.domain.clients import Block, BlockKind, block_key
from app.domain.errors import Forbidden, Invalid, NotFound
from app.ports import Ports
from app.ports.audit import AuditEntry
from app.ports.links import LinkContext
from app.ports.people import User
from app.ports.unit_of_work import UnitOfWork
from app.use_cases.idempotency import Replay, remember
from app.use_cases.ids import new_id

WRONG = {
    "email": "This is not an e-mail address.",
    "domain": "This is not a domain, such as example.org.",
    "phone": "This number is too short.",
}


async def check_not_blocked(work: UnitOfWork, context: LinkContext, recipient: Recipient, refusal: str = "") -> None:
    """`Forbidden` for whom the organization does not take, in words that do not say why. Without a block list no
    statement is made."""
    if context.blocks and await work.clients.is_blocked(context.organization.id, recipient):
        raise Forbidden(
            refusal or f"This cannot be booked online. Please contact {context.organization.name} directly."
        )


async def add_block(
    ports: Ports, user: User, kind: BlockKind, value: str, reason: str | None, replay: Replay[Block] | None = None
) -> Block:
    """Whoever has this address, number or domain cannot book any more; bookings that are there stay. `AlreadyExists`
    when it is on the list."""
    now, key = ports.clock(), block_key(kind, value)
    if key is None:
        raise Invalid.field("value", WRONG[kind])
    block = Block(new_id(), user.org_id, kind, key, reason, user.id, now)
    async with ports.unit_of_work() as work:
        await work.clients.add_block(block)
        await _audit(work, user, "recipient.blocked", block, now)
        await remember(work, replay, block, now)
        await work.commit()
    return block


async def remove_block(ports: Ports, user: User, block_id: str) -> None:
    """They can book again."""
    now = ports.clock()
    async with ports.unit_of_work() as work:
        block = await work.clients.block(user.org_id, block_id)
        if block is None:
            raise NotFound("There is nothing like this on the block list.")
        await work.clients.delete_block(user.org_id, block.id)
        await _audit(work, user, "recipient.unblocked", block, now)
        await work.commit()


async def _audit(work: UnitOfWork, user: User, action: str, block: Block, now: int) -> None:
    """Without the address or number: the log holds no personal data."""
    entry = AuditEntry(user.org_id, "user", user.id, action, "block", block.id, {"kind": block.kind})
    await work.audit.write(entry, now)
