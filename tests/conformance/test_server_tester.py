"""caldav-server-tester: which of the features it knows the server has."""

import ast
import json
from pathlib import Path
from typing import Any

from tests.conformance.conftest import Trial
from tests.conformance.packages import python_tool
from tests.conformance.processes import run
from tests.conformance.scores import from_checks


def test_caldav_server_tester(trial: Trial, tmp_path: Path) -> None:
    accounts = {
        account.name: {
            "caldav_url": f"{trial.site.url}/",
            "caldav_username": account.name,
            "caldav_password": account.password,
        }
        for account in map(trial.site.account, (2, 3, 4))
    }
    config = tmp_path / ".config/caldav/calendar.conf"
    config.parent.mkdir(parents=True)
    config.write_text(json.dumps(accounts))
    sections = [word for name in accounts for word in ("--config-section", name)]
    done = run([python_tool("caldav-server-tester"), *sections, "--format", "hints"], tmp_path)
    assert done.returncode == 0, done.stderr[-3000:]
    # Of its formats just this one, a literal of Python, has every feature and not only what deviates.
    features: dict[str, dict[str, Any]] = ast.literal_eval(done.stdout[done.stdout.index("{") :])
    trial.hold("caldav-server-tester", from_checks((name, _trouble(found)) for name, found in features.items()))


def _trouble(found: dict[str, Any]) -> str | None:
    level = found.get("support", "full")  # a few are values, not levels
    return None if level == "full" else f"{level}: {found.get('behaviour', '')}"
