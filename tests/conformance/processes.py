"""Running a suite: in a home of its own, without what the environment says of proxies or accounts."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Mapping
from pathlib import Path

SECONDS = 1500
_KEPT = ("PATH", "LANG", "TZDIR", "SSL_CERT_FILE")


def run(command: list[object], home: Path, more: Mapping[str, str] | None = None) -> subprocess.CompletedProcess[str]:
    """Run to the end, in folder `home`; its status is the caller's to judge."""
    environ = {name: value for name, value in os.environ.items() if name in _KEPT}
    environ |= {"HOME": str(home), "XDG_CONFIG_HOME": str(home / ".config"), "TZ": "UTC", **(more or {})}
    words = [str(word) for word in command]
    return subprocess.run(words, cwd=home, env=environ, capture_output=True, text=True, timeout=SECONDS, check=False)
