"""The compliance ledger names tests that are there, and says of each section what is so."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
LEDGER = (ROOT / "docs/caldav-compliance.md").read_text()
ROWS = [[cell.strip() for cell in line.strip("|").split("|")] for line in LEDGER.splitlines() if line.startswith("| ")]
ENTRIES = [row for row in ROWS if row[0] not in {"Section", "RFC", "---"}]


@pytest.mark.parametrize("row", ENTRIES, ids=lambda row: row[0])
def test_each_section_has_a_state_and_a_test_that_is_there(row: list[str]) -> None:
    section, state, remarks, tests = row
    assert state in {"done", "partly", "not"}
    assert remarks or state == "done", f"{section}: why?"
    named = re.findall(r"`([^`]+\.py)(?:::(\w+))?`", tests)
    assert named or state == "not", f"{section}: by which test?"
    for file, function in named:
        path = ROOT / file if "/" in file else ROOT / "tests/caldav" / file
        assert path.is_file(), file
        assert not function or re.search(rf"^(async )?def {function}\(", path.read_text(), re.MULTILINE), function
