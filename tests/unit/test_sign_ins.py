"""Which providers a program is registered at is known without loading their libraries."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

CHECKOUT = Path(__file__).parents[2]
PROGRAM = """
import sys
from pathlib import Path
from app.config import load_settings
from app.wiring import wire
names = ("GOOGLE_CLIENT_ID", "GOOGLE_CLIENT_SECRET", "MICROSOFT_CLIENT_ID", "MICROSOFT_CLIENT_SECRET")
values = {"DATA_DIR": sys.argv[1], "SECRET_KEYS": "a-key-for-this-test"}
values |= {name: "x" for name in names[:int(sys.argv[2])]}
ports = wire(load_settings({f"HALFPAST_{name}": value for name, value in values.items()})).ports
print(*ports.sign_ins, "|", *(name for name in ("google", "microsoft", "caldav") if name in ports.providers), "|",
      *sorted({"googleapiclient", "google_auth_oauthlib", "msal", "caldav"} & set(sys.modules)))
"""


def told(folder: Path, registrations: int) -> str:
    """What a program of its own says: other tests have loaded everything here."""
    command = [sys.executable, "-c", PROGRAM, str(folder), str(registrations)]
    done = subprocess.run(command, cwd=CHECKOUT, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_what_a_page_asks_loads_no_client_library(tmp_path: Path) -> None:
    assert told(tmp_path, 4) == "google microsoft | google microsoft caldav |"
    assert told(tmp_path, 2) == "google | google caldav |"
