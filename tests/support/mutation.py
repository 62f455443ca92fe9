"""Requests and calendars gone wrong: mutations of a kept corpus, the same for the same seed."""

from __future__ import annotations

import random
import re
from pathlib import Path

CORPUS = Path(__file__).parent.parent / "corpus"

_NASTY = (
    b"",
    b"\x00",
    b"\xff\xfe",
    b"\xef\xbf\xbf",
    b"\r\n",
    b"\r",
    b" ",
    b"<",
    b"&",
    b"]]>",
    b"&#0;",
    b"&x;",
    b"<!DOCTYPE a>",
    b"%00",
    b"%ff",
    b"..",
    b"-1",
    b"0",
    b"99999999999999999999",
    b"NaN",
    b"20270229T250000Z",
    b"00000000",
    b"99991231T235959Z",
    b"PT-1H",
    b"P99999999D",
    b"-P1W",
    b"FREQ=SECONDLY",
    b"FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30",
    b"INTERVAL=0",
    b"COUNT=999999999",
    b"BYDAY=53MO",
    b"BYSETPOS=-366",
    b";TZID=Mars/Phobos",
    b";VALUE=PERIOD",
    b";VALUE=DATE",
    b';X="',
    b"BEGIN:VEVENT\r\n",
    b"END:VEVENT\r\n",
    b"BEGIN:VCALENDAR\r\n",
    b"METHOD:REQUEST\r\n",
    "\u2028\U0001f389\u0130".encode(),
    b"i;unknown",
    b"yes",
    b"VALARM",
    b"A" * 3000,
)
_TOKEN = re.compile(rb"[A-Za-z0-9+-]+")


def corpus(kind: str) -> list[bytes]:
    """The kept cases: `calendars` or `requests`."""
    return [each.read_bytes() for each in sorted((CORPUS / kind).iterdir())]


def mutated(data: bytes, chance: random.Random, others: list[bytes]) -> bytes:
    """The case with one to eight things changed: bytes, words, lines, or a piece of another case."""
    for _ in range(chance.randint(1, 8)):
        data = chance.choice((_bytes, _word, _lines, _splice))(data, chance, others)
    return data[:200_000]


def _bytes(data: bytes, chance: random.Random, _: list[bytes]) -> bytes:
    at = chance.randint(0, len(data))
    return data[:at] + bytes([chance.randrange(256)]) + data[at + chance.randint(0, 3) :]


def _word(data: bytes, chance: random.Random, _: list[bytes]) -> bytes:
    words = list(_TOKEN.finditer(data))
    if not words:
        return data + chance.choice(_NASTY)
    word = chance.choice(words)
    new = chance.choice(_NASTY) if chance.random() < 0.7 else chance.choice(words)[0]
    return data[: word.start()] + new + data[word.end() :]


def _lines(data: bytes, chance: random.Random, _: list[bytes]) -> bytes:
    lines = re.split(rb"(?<=\n)|(?<=>)(?=<)", data)
    at, to = sorted(chance.randrange(len(lines) + 1) for _ in range(2))
    match chance.randrange(3):
        case 0:
            del lines[at:to]
        case 1:
            lines[at:at] = lines[at:to] * chance.randint(1, 5)
        case _:
            lines[at:to] = chance.sample(lines[at:to], to - at)
    return b"".join(lines)


def _splice(data: bytes, chance: random.Random, others: list[bytes]) -> bytes:
    other = chance.choice(others)
    first, last = sorted(chance.randrange(len(other) + 1) for _ in range(2))
    at = chance.randint(0, len(data))
    return data[:at] + other[first : min(last, first + 400)] + data[at:]
