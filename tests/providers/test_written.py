"""Messages in a folder: written once each, and erased, whoever else does so at the same time."""

from __future__ import annotations

from pathlib import Path

import pytest

from integrations.written import erase_messages, write_message

pytestmark = pytest.mark.anyio


async def test_messages_that_another_program_erases_meanwhile_are_gone(tmp_path: Path) -> None:
    for number in ("+49301", "+49302"):
        await write_message(tmp_path, number, {"to": number, "key": "booking.reminder"})
    (tmp_path / "gone.json").symlink_to(tmp_path / "erased")  # still in the folder as it is read, nothing behind it
    assert await erase_messages(tmp_path, ["+49301"]) == 1
    assert await erase_messages(tmp_path, ["+49301"]) == 0
    assert await erase_messages(tmp_path, ["+49302"]) == 1
