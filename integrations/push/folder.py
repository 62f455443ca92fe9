"""Where no service is set up: each message is a line in the log and a file to look at."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import structlog

from app.ports.push import PushNote
from integrations.written import erase_messages, write_message

log = structlog.get_logger()


class FolderPusher:
    """`Pusher` into a folder. The log has the file's name, never what the message says."""

    def __init__(self, folder: Path, clock: Callable[[], int]) -> None:
        self._folder = folder
        self._clock = clock

    async def send(self, note: PushNote) -> None:
        """Written when it returns."""
        written = {"user_id": note.user_id, "title": note.title, "url": note.url, "key": note.key, "at": self._clock()}
        name = await write_message(self._folder, f"{note.user_id} {note.key}", written)
        log.info("push message written", file=f"{name}.json")

    async def erase(self, words: Sequence[str]) -> int:
        return await erase_messages(self._folder, words)
