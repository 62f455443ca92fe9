"""How much is tried: Hypothesis profiles (HYPOTHESIS_PROFILE) and the number of examples."""

import os

from hypothesis import HealthCheck, settings

_FACTORS = {"default": 1, "ci": 1, "thorough": 20}


def in_ci() -> bool:
    """Whether this is a CI run: what is missing fails, and examples are the same each time."""
    return os.environ.get("CI", "").lower() == "true"


def profile() -> str:
    """The profile in force: HYPOTHESIS_PROFILE, else `ci` in CI, else `default`."""
    return os.environ.get("HYPOTHESIS_PROFILE") or ("ci" if in_ci() else "default")


def examples(count: int) -> int:
    """`count` examples in the ordinary run, twenty times as many with HYPOTHESIS_PROFILE=thorough."""
    return count * _FACTORS[profile()]


def load_profiles() -> None:
    """Register the profiles and take the one in force. CI draws the same examples each run; others do not."""
    slow = [HealthCheck.too_slow]
    settings.register_profile("default", deadline=None, suppress_health_check=slow)
    settings.register_profile("ci", deadline=None, suppress_health_check=slow, derandomize=True, print_blob=True)
    settings.register_profile("thorough", deadline=None, suppress_health_check=slow, max_examples=2000, print_blob=True)
    settings.load_profile(profile())


def rewrites_golden() -> bool:
    """Whether golden files are written anew instead of compared with (REWRITE_GOLDEN=1)."""
    return os.environ.get("REWRITE_GOLDEN") == "1"
