"""Without the registry, tests that need it are skipped with the reason; in CI they fail."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

OLDEST = Path(__file__).with_name("test_oldest.py")


@pytest.mark.parametrize(("ci", "status", "outcome"), [(False, 0, "1 skipped"), (True, 1, "1 error")])
def test_what_comes_of_a_test_that_cannot_reach_it(ci: bool, status: int, outcome: str) -> None:
    env = {name: value for name, value in os.environ.items() if name != "CI" and not name.startswith("PYTEST_")}
    env |= {"UV_OFFLINE": "1"} | ({"CI": "true"} if ci else {})
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", str(OLDEST)]
    run = subprocess.run(command, env=env, capture_output=True, text=True, check=False)
    assert run.returncode == status, run.stdout
    assert outcome in run.stdout
    assert "this needs the package registry, which cannot be reached" in run.stdout
