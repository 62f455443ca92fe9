"""Books times over keep-alive connections.

Reads a line a client: its link's slug and its starts. Prints the elapsed seconds, then those of each booking. Any
answer but 201 ends it with an error.
"""

from __future__ import annotations

import asyncio
import sys
import time
from urllib.parse import urlsplit


async def _client(host: str, port: int, slug: str, starts: list[str], times: list[float]) -> None:
    reader, writer = await asyncio.open_connection(host, port)
    for start in starts:
        body = (
            f'{{"start":"{start}","duration":30,"timezone":"UTC","name":"Guest","email":"guest@example.org"}}'
        ).encode()
        began = time.perf_counter()
        writer.write(
            b"POST /api/v1/public/bench."
            + slug.encode()
            + b"/book HTTP/1.1\r\nHost: bench\r\nContent-Type: application/json\r\n"
            b"Content-Length: " + str(len(body)).encode() + b"\r\n\r\n" + body
        )
        head = await reader.readuntil(b"\r\n\r\n")
        length = int(head.lower().split(b"content-length:", 1)[1].split(b"\r\n", 1)[0])
        answer = await reader.readexactly(length)
        times.append(time.perf_counter() - began)
        if b" 201 " not in head.split(b"\r\n", 1)[0]:
            raise SystemExit(f"{start}: {head.splitlines()[0]!r} {answer[:300]!r}")
    writer.close()


async def _main() -> None:
    url = urlsplit(sys.argv[1])
    times: list[float] = []
    shares = [line.split() for line in sys.stdin.read().splitlines()]
    began = time.perf_counter()
    await asyncio.gather(
        *(_client(url.hostname or "", url.port or 80, slug, starts, times) for slug, *starts in shares)
    )
    print(time.perf_counter() - began)
    for seconds in times:
        print(seconds)


if __name__ == "__main__":
    asyncio.run(_main())
