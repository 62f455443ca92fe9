"""The tests that vdirsyncer holds its CalDAV storage to, from its source package."""

import shutil
from pathlib import Path

from tests.conformance.conftest import Trial
from tests.conformance.packages import python_tool, source
from tests.conformance.processes import run
from tests.conformance.scores import from_junit

# Their tests take a mixin per server that says how to reach it.
_MIXIN = """
import pytest

ACCOUNT = {account!r}


class ServerMixin:
    @pytest.fixture
    def get_storage_args(self, slow_create_collection, aio_connector):
        async def arguments(collection="test"):
            known = dict(ACCOUNT, connector=aio_connector)
            if collection is None:
                return known
            return await slow_create_collection(self.storage_class, known, collection)

        return arguments
"""


def test_vdirsyncer_storage(trial: Trial, tmp_path: Path) -> None:
    shutil.copytree(source("vdirsyncer") / "tests", tmp_path / "tests")
    mixin = tmp_path / "tests/storage/servers/subject/__init__.py"
    mixin.parent.mkdir()
    account = trial.site.account(9)
    known = {"url": trial.site.home(account), "username": account.name, "password": account.password}
    mixin.write_text(_MIXIN.format(account=known))
    (tmp_path / "pytest.ini").write_text("[pytest]\nasyncio_mode = auto\n")
    report = tmp_path / "report.xml"
    command = [python_tool("python"), "-m", "pytest", "-q", "-p", "no:cacheprovider", "--timeout=120", "--tb=short"]
    files = [f"--junitxml={report}", "tests/storage/dav/test_caldav.py"]
    done = run([*command, *files], tmp_path, {"DAV_SERVER": "subject"})
    assert report.exists(), done.stdout + done.stderr
    trial.hold("vdirsyncer-storage", from_junit(report))
