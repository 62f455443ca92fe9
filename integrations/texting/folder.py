"""Where no service is set up: each text is a line in the log and a file to look at."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import structlog

from app.ports.texting import Text
from integrations.written import erase_messages, write_message

log = structlog.get_logger()


class FolderTexter:
    """`Texter` into a folder. The log has the channel and the file's name, never what the text says or whom it goes
    to."""

    def __init__(self, folder: Path, clock: Callable[[], int]) -> None:
        self._folder = folder
        self._clock = clock

    async def send(self, text: Text) -> str:
        """Written when it returns; the file's name without its ending."""
        written = {"channel": text.channel, "to": text.to, "body": text.body, "key": text.key, "at": self._clock()}
        name = await write_message(self._folder, f"{text.channel} {text.to} {text.key}", written)
        log.info("text written", channel=text.channel, file=f"{name}.json")
        return name

    async def erase(self, words: Sequence[str]) -> int:
        return await erase_messages(self._folder, words)
