"""The functional tests of python-caldav, synchronous and asynchronous, from its source package.

Strict: it is told of no quirk, so everything that it can test is tested.
"""

import json
import shutil
from pathlib import Path

from tests.conformance.conftest import Trial
from tests.conformance.packages import python_tool, source
from tests.conformance.processes import run
from tests.conformance.scores import from_junit

_FILES = ("tests/test_caldav.py", "tests/test_async_integration.py")
_OPTIONS = (
    "-q", "-p", "no:cacheprovider", "-o", "asyncio_mode=auto", "-o", "asyncio_default_fixture_loop_scope=function",
    "-o", "filterwarnings=", "--timeout=120", "--tb=short",
)  # fmt: skip
_SOURCES = {"EMBEDDED": "0", "DOCKER": "0", "EXTERNAL": "1"}


def test_python_caldav(trial: Trial, tmp_path: Path) -> None:
    tree = tmp_path / "tree"
    shutil.copytree(source("caldav"), tree)
    shutil.rmtree(tree / "caldav")  # the installed library is meant
    (tree / "tests/caldav_test_servers.json").write_text(json.dumps(_servers(trial)))
    report = tmp_path / "report.xml"
    command = [python_tool("python"), "-m", "pytest", *_OPTIONS, f"--junitxml={report}", "-k", "subject", *_FILES]
    done = run(command, tree, {f"PYTHON_CALDAV_TEST_{name}": value for name, value in _SOURCES.items()})
    assert report.exists(), done.stdout + done.stderr
    trial.hold("python-caldav", from_junit(report))


def _servers(trial: Trial) -> object:
    accounts = [
        {"url": f"{trial.site.url}/", "username": account.name, "password": account.password}
        for account in map(trial.site.account, (5, 6, 7))
    ]
    main = {"type": "external", "enabled": True, **accounts[0]}
    return {"test-servers": {"subject": {**main, "scheduling_users": accounts}}}
