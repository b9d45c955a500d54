"""Where the shared cases lie. They are read in place and never copied; without them their tests skip, visibly."""

import os
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
CASES = ROOT.parent / "shared" / "cases"
needs_cases = pytest.mark.skipif(
    not CASES.exists(), reason=f"{CASES} is absent: published answers not checked"
)
SOAK = bool(os.environ.get("THROUGHLINE_SOAK"))  # the long campaigns of `make soak`
FUZZ = os.environ.get("HYPOTHESIS_PROFILE") == "fuzz"
ON_CI = os.environ.get("CI") == "true"


def turns(soak: int, usual: int = 1) -> range:
    """Seeds of a random test: a few each time, all of them in the soak."""
    return range(soak if SOAK else usual)


def lane(what: str, present: bool) -> None:
    """A lane without its server: a visible skip on a user's machine, a failure on CI."""
    if present:
        return
    if ON_CI:
        pytest.fail(f"CI must have {what}")
    pytest.skip(f"{what} is not installed here")
