"""Clients written in JavaScript: tsdav, ts-caldav and the library under Nextcloud's calendar."""

import shutil
from pathlib import Path

import pytest

from tests.conformance.conftest import Trial
from tests.conformance.packages import javascript
from tests.conformance.processes import run
from tests.conformance.scores import from_lines

_SCRIPTS = Path(__file__).parent / "js"


@pytest.mark.parametrize("client", ["tsdav", "ts_caldav", "cdav_library"])
def test_javascript_client(trial: Trial, client: str, tmp_path: Path) -> None:
    modules = javascript() / "node_modules"
    folder = tmp_path / "scripts"
    shutil.copytree(_SCRIPTS, folder)
    (folder / "node_modules").symlink_to(modules)
    account = trial.site.account(8)
    subject = {"ROOT": f"{trial.site.url}/dav/", "USER": account.name, "PASSWORD": account.password}
    done = run(["node", f"{client}.mjs"], folder, {f"SUBJECT_{name}": value for name, value in subject.items()})
    assert done.returncode == 0, done.stdout + done.stderr
    trial.hold(client.replace("_", "-"), from_lines(done.stdout))
