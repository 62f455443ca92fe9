"""A device: a folder of .ics files that vdirsyncer keeps equal to one of the account's collections."""

from __future__ import annotations

import re
from pathlib import Path

from tests.conformance.packages import python_tool
from tests.conformance.processes import run
from tests.conformance.site import Account, Site

_CONFIG = """[general]
status_path = "{folder}/status"
[pair both]
a = "here"
b = "there"
collections = [["{collection}", "{collection}", "{collection}"]]
metadata = ["displayname", "color", "description", "order"]
conflict_resolution = "{winner} wins"
[storage here]
type = "filesystem"
path = "{folder}/calendars"
fileext = ".ics"
[storage there]
type = "caldav"
url = "{url}/"
username = "{account.name}"
password = "{account.password}"
"""


def unfolded(text: str) -> str:
    """Content lines in one piece each (RFC 5545 §3.1)."""
    return re.sub(r"\r?\n[ \t]", "", text)


class Device:
    """`winner` of conflicts is `a`, the device, or `b`, the server."""

    def __init__(self, site: Site, account: Account, collection: str, folder: Path, winner: str) -> None:
        folder.mkdir()
        self.folder = folder
        self.calendars = folder / "calendars"
        self.files = self.calendars / collection
        values = {"folder": folder, "collection": collection, "winner": winner, "url": site.url, "account": account}
        (folder / "config").write_text(_CONFIG.format(**values))
        self("discover")

    def __call__(self, command: str, *options: str) -> str:
        """Run vdirsyncer, which must succeed; what it said."""
        tool = python_tool("vdirsyncer")
        script = f"yes | {tool} -c {self.folder / 'config'} {' '.join((command, *options))}"
        done = run(["bash", "-c", script], self.folder)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout + done.stderr

    def sync(self) -> str:
        """Both ways."""
        return self("sync", "--force-delete")

    def texts(self) -> dict[str, str]:
        """The objects by UID, unfolded."""
        found = [unfolded(path.read_text()) for path in self.files.glob("*.ics")]
        return {text.split("\nUID:", 1)[1].split("\n", 1)[0]: text for text in found}

    def path(self, uid: str) -> Path:
        """Where an object is."""
        return next(path for path in self.files.glob("*.ics") if f"\nUID:{uid}\n" in unfolded(path.read_text()))

    def write(self, name: str, text: str) -> None:
        """A new object."""
        (self.files / f"{name}.ics").write_bytes(text.encode())

    def edit(self, uid: str, old: str, new: str) -> None:
        """Change the text of an object."""
        path = self.path(uid)
        text = path.read_bytes().decode()
        assert old in text
        path.write_bytes(text.replace(old, new).encode())
