"""`docs/calendar-quirks.md`: each quirk has a test, and the test exists."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
ROW = re.compile(r"^\| (?!quirk|---)(.+) \| (.+) \| `(.+)::(\w+)` \|$", re.MULTILINE)


def test_every_quirk_names_a_test_that_exists() -> None:
    text = (ROOT / "docs" / "calendar-quirks.md").read_text()
    rows = ROW.findall(text)
    assert len(rows) == len([line for line in text.splitlines() if line.startswith("| ")]) - 2 * text.count("\n## ")
    missing = [
        f"{file}::{name}"
        for _, _, file, name in rows
        if not re.search(rf"^(async )?def {name}\(", (ROOT / file).read_text(), re.MULTILINE)
    ]
    assert missing == []
