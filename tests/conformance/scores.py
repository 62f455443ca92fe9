"""What a suite found, held to what is kept in `scores.toml`."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from lxml import etree

KEPT = Path(__file__).with_name("scores.toml")
SCORE = "conformance score"

RecordProperty = Callable[[str, object], None]


@dataclass(frozen=True, slots=True)
class Result:
    """The checks that passed, and those that failed with what was said. What a suite skips is in neither."""

    passed: frozenset[str]
    failed: Mapping[str, str]


def from_junit(path: Path) -> Result:
    """Of a report that pytest wrote; checks are `Class::test`."""
    passed, failed = set[str](), dict[str, str]()
    for case in etree.parse(path).iter("testcase"):
        name = f"{case.get('classname', '').rpartition('.')[2]}::{case.get('name')}"
        trouble = [each for each in case if each.tag in {"failure", "error"}]
        if trouble:
            failed[name] = trouble[0].get("message", "")
        elif case.find("skipped") is None:
            passed.add(name)
    return Result(frozenset(passed - failed.keys()), failed)


def from_lines(output: str) -> Result:
    """Of lines of JSON, `{"check": name, "why": null or what went wrong}`; other lines are left alone."""
    found = [json.loads(line) for line in output.splitlines() if line.startswith('{"check"')]
    return from_checks((each["check"], each["why"]) for each in found)


def from_checks(checks: Iterable[tuple[str, str | None]]) -> Result:
    """Of names, each with what went wrong or None."""
    found = list(checks)
    return Result(frozenset(name for name, why in found if not why), {name: why for name, why in found if why})


def hold(suite: str, engine: str, result: Result, record: RecordProperty) -> None:
    """The score is told, no check fails but those named in `scores.toml`, and as many pass as are kept there."""
    kept = tomllib.loads(KEPT.read_text())[suite]
    expected: Mapping[str, str] = kept.get("expected", {})
    total = len(result.passed) + len(result.failed)
    better = sorted(expected.keys() & result.passed)
    hint = f"; passes now: {', '.join(better)}" if better else ""
    record(SCORE, f"{suite} on {engine}: {len(result.passed)} of {total}, kept {kept['passed']}{hint}")
    assert all(reason.strip() for reason in expected.values()), "each expected failure has its reason"
    surprising = {name: why[:300] for name, why in result.failed.items() if name not in expected}
    assert not surprising, f"{suite}: {len(result.passed)} of {total}; failing:\n" + _listed(surprising)
    assert len(result.passed) >= kept["passed"], f"{suite}: {len(result.passed)} of {total}, kept {kept['passed']}"


def _listed(failed: Mapping[str, str]) -> str:
    return "\n".join(f"  {name}: {' '.join(why.split())}" for name, why in sorted(failed.items()))
