"""Messages that no service takes: files to look at, readable by their owner alone."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import json
import os
import secrets
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from app.domain.errors import ProviderFailure


async def write_message(folder: Path, key: str, message: Mapping[str, Any]) -> str:
    """One JSON file a message, on disk when it returns; its name without the ending, made from the key: a repeated
    message replaces itself."""
    name = hashlib.sha256(key.encode()).hexdigest()[:32]
    try:
        await asyncio.to_thread(_write, folder, name, json.dumps(message, ensure_ascii=False, indent=1).encode())
    except OSError as error:
        raise ProviderFailure("unreachable", f"The folder cannot be written: {error.strerror}") from error
    return name


def _write(folder: Path, name: str, data: bytes) -> None:
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    beside = folder / f".{name}.{secrets.token_hex(4)}"
    with os.fdopen(os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(data)
    beside.replace(folder / f"{name}.json")


async def erase_messages(folder: Path, words: Sequence[str]) -> int:
    """Delete the messages to any of these numbers, and those with one of them in their key; how many they were."""
    return await asyncio.to_thread(_erase, folder, frozenset(words))


def _erase(folder: Path, words: frozenset[str]) -> int:
    """Another program may be erasing, too."""
    count = 0
    for path in folder.glob("*.json") if folder.is_dir() else ():
        with contextlib.suppress(FileNotFoundError):
            message = json.loads(path.read_bytes())
            if not words.isdisjoint({message.get("to"), *message["key"].split(".")}):
                path.unlink()
                count += 1
    return count
