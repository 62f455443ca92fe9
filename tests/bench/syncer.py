"""A process that does nothing but keep one calendar in step, so that its CPU time and memory are those of syncing.

The database is prepared, BENCH_CALENDAR is the calendar's id in it. Each line read is a deed: `sync`, or `ask` for the
host's free times of 60 days. Each is answered with a line of JSON: CPU seconds, and the most memory, in MB, that the
process took meanwhile.
"""

from __future__ import annotations

import asyncio
import json
import os
import re
import sys
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

from app.config import load_settings
from app.use_cases.find_slots import SlotQuestion, find_slots
from app.use_cases.sync_calendar import sync_calendar
from app.wiring import Parts, wire


async def main() -> None:
    """Do what is asked until nothing more is."""
    parts = wire(load_settings(dict(os.environ)))
    calendar_id = os.environ["BENCH_CALENDAR"]
    try:
        while deed := (await asyncio.to_thread(sys.stdin.readline)).strip():
            _forget_peak()  # starting takes more than syncing, for the hash of a password
            began = time.process_time()
            await (sync_calendar(parts.ports, calendar_id) if deed == "sync" else _ask(parts))
            used = time.process_time() - began
            print(json.dumps({"cpu": used, "peak_mb": _peak_mb()}), flush=True)
    finally:
        await parts.close()


async def _ask(parts: Parts) -> None:
    first = datetime.now(UTC).date()
    question = SlotQuestion(first, first + timedelta(days=60), 30, "UTC")
    await find_slots(parts.ports, "bench.open", question, parts.ports.clock())


def _forget_peak() -> None:
    Path("/proc/self/clear_refs").write_text("5")


def _peak_mb() -> float:
    found = re.search(r"VmHWM:\s+(\d+) kB", Path("/proc/self/status").read_text())
    return int(found[1]) / 1024 if found else 0.0


if __name__ == "__main__":
    asyncio.run(main())
