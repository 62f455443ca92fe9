"""Sends one CalDAV request again and again over some connections.

`python -m tests.bench.dav_load HOST PORT CLIENTS SECONDS` reads the whole request from standard input; in it,
`@@@@@@@@` becomes eight characters that no request before had. Prints the median in ms. Goes on until the time is over,
every client has sent one and all together `LEAST`. Any status from 400 on ends it with an error.
"""

from __future__ import annotations

import itertools
import socket
import sys
import threading
import time
from collections.abc import Callable
from statistics import median

PLACE = b"@" * 8
LEAST = 3
_PIECE = 1 << 18
Whole = Callable[[bytearray], bool]


class Connection:
    """One client. A server that closes after an answer, as with HTTP/1.0, is connected to anew."""

    def __init__(self, host: str, port: int) -> None:
        self._address = (host, port)
        self._socket: socket.socket | None = None

    def send(self, request: bytes) -> tuple[int, bytes]:
        """Status and body."""
        if self._socket is None:
            self._socket = socket.create_connection(self._address, timeout=300)
            self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._socket.sendall(request)
        head, body = self._head()
        lowered = head.lower()
        if b"content-length:" in lowered:
            length = int(lowered.split(b"content-length:", 1)[1].split(b"\r\n", 1)[0])
            body = self._more(body, lambda held: len(held) >= length)
        elif b"transfer-encoding: chunked" in lowered:
            body = self._more(body, lambda held: held.endswith(b"\r\n0\r\n\r\n") or held == b"0\r\n\r\n")
        elif lowered.split(None, 2)[1] != b"204":
            body = self._more(body, lambda _: False)
        if lowered.startswith(b"http/1.0") or b"\r\nconnection: close" in lowered:
            self._socket.close()
            self._socket = None
        return int(head.split(None, 2)[1]), bytes(body)

    def _head(self) -> tuple[bytes, bytearray]:
        held = self._more(bytearray(), lambda held: b"\r\n\r\n" in held)
        head, _, body = held.partition(b"\r\n\r\n")
        return bytes(head) + b"\r\n", body

    def _more(self, held: bytearray, is_whole: Whole) -> bytearray:
        assert self._socket is not None
        while not is_whole(held):
            piece = self._socket.recv(_PIECE)
            if not piece:
                break
            held += piece
        return held


def load(host: str, port: int, request: bytes, clients: int, seconds: float) -> float:
    """The median in ms of what the clients saw."""
    times: list[float] = []
    failed: list[str] = []
    numbers = itertools.count(time.time_ns() // 1_000_000)
    end = time.perf_counter() + seconds

    def work() -> None:
        connection = Connection(host, port)
        sent = 0
        while (sent == 0 or len(times) < LEAST or time.perf_counter() < end) and not failed:
            whole = request.replace(PLACE, f"{next(numbers) % 0xFFFFFFFF:08x}".encode())
            began = time.perf_counter()
            status, body = connection.send(whole)
            times.append(time.perf_counter() - began)
            if status >= 400:
                failed.append(f"{status} {body[:300]!r}")
            sent += 1

    threads = [threading.Thread(target=work) for _ in range(clients)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if failed:
        raise SystemExit(failed[0])
    return median(times) * 1e3


if __name__ == "__main__":
    host, port, clients, seconds = sys.argv[1:]
    print(load(host, int(port), sys.stdin.buffer.read(), int(clients), float(seconds)))
