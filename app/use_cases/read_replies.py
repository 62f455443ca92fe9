"""Answers to our invitations that come by mail (iTIP REPLY, RFC 5546 §3.2.3).

Anybody can write a mail. So an answer counts only when it comes from the recipient's own address and is about the
booking as it is now, and it does no more than the recipient could do on their page of the booking.
"""

from __future__ import annotations

import asyncio

from app.domain.replies import MailedReply, mailed_reply
from app.ports import Ports
from app.ports.reply_box import Letter, ReplyBox
from app.use_cases.ids import is_id
from app.use_cases.take_mailed_answer import take_mailed_answer
from app.use_cases.take_reply import take_reply


async def read_replies(ports: Ports, box: ReplyBox) -> int:
    """Take what the mailbox holds; how many mails that was. Several processes may do so at once: an answer that is
    taken twice changes nothing the second time."""
    letters = await box.unseen()
    for letter in letters:
        await _take(ports, letter)
    if letters:
        await box.mark([letter.id for letter in letters])
    return len(letters)


async def _take(ports: Ports, letter: Letter) -> None:
    answer = await asyncio.to_thread(mailed_reply, letter.calendar)
    if answer is not None and answer.address == letter.sender and await _is_about(ports, answer):
        await take_reply(ports, _booking_id(answer), answer.reply)
    else:
        await take_mailed_answer(ports, letter)


async def _is_about(ports: Ports, answer: MailedReply) -> bool:
    if not is_id(_booking_id(answer)):
        return False
    async with ports.read() as work:
        booking = await work.bookings.get(_booking_id(answer))
    return (
        booking is not None
        and booking.uid == answer.uid
        and booking.recipient.email.lower() == answer.address
        and booking.sequence == answer.sequence
    )


def _booking_id(answer: MailedReply) -> str:
    return answer.uid.partition("@")[0]
