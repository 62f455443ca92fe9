"""An SMTP server that does nothing but count, for the benches: a process of its own.

It listens on the port given. `VRFY count` answers how many mails came, how many different Message-IDs they had, and the
seconds between the first and the last of them; `VRFY forget` begins anew.
"""

from __future__ import annotations

import asyncio
import re
import sys
import time

_MESSAGE_ID = re.compile(rb"^Message-ID:\s*(<[^>]*>)", re.IGNORECASE | re.MULTILINE)


class Counted:
    """What came."""

    def __init__(self) -> None:
        self.mails = 0
        self.ids: set[bytes] = set()
        self.first = self.last = 0.0

    def take(self, message: bytes) -> None:
        """One mail."""
        found = _MESSAGE_ID.search(message)
        self.ids.add(found[1] if found else b"")
        self.last = time.monotonic()
        self.first = self.first or self.last
        self.mails += 1

    def told(self) -> str:
        """mails, ids, seconds."""
        return f"{self.mails} {len(self.ids)} {self.last - self.first:.6f}"


class Session(asyncio.Protocol):
    """One connection (RFC 5321), as trusting as can be."""

    def __init__(self, counted: Counted) -> None:
        self._counted = counted
        self._read = b""
        self._in_data = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Greet."""
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        transport.write(b"220 sink.example.com\r\n")

    def data_received(self, data: bytes) -> None:
        """Commands are lines; a message ends with a dot."""
        self._read += data
        while True:
            end = self._read.find(b"\r\n.\r\n" if self._in_data else b"\r\n")
            if end < 0:
                return
            found, self._read = self._read[:end], self._read[end + (5 if self._in_data else 2) :]
            if self._in_data:
                self._in_data = False
                self._counted.take(found)
                self._transport.write(b"250 taken\r\n")
            else:
                self._answer(found.upper())

    def _answer(self, command: bytes) -> None:
        if command == b"DATA":
            self._in_data = True
            self._transport.write(b"354 go on\r\n")
        elif command == b"QUIT":
            self._transport.write(b"221 bye\r\n")
            self._transport.close()
        elif command == b"VRFY COUNT":
            self._transport.write(f"250 {self._counted.told()}\r\n".encode())
        elif command == b"VRFY FORGET":
            self._counted.__init__()  # type: ignore[misc]
            self._transport.write(b"250 forgotten\r\n")
        else:
            self._transport.write(b"250 OK\r\n")


async def main(port: int) -> None:
    """Listen until the process is ended."""
    counted = Counted()
    server = await asyncio.get_running_loop().create_server(lambda: Session(counted), "127.0.0.1", port)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1])))
