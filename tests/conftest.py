"""The fixtures of the unit tests: a small course, made anew for each test, and the command line in it."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

import offline
import pytest
from course import Course, command

# Tests want a warm server that is ready at once, and gone soon after.
os.environ["MLCOURSE_WARM_MODULES"] = "ipykernel.kernelapp ipykernel.ipkernel ipykernel.zmqshell numpy"
os.environ["MLCOURSE_WARM_IDLE"] = "20"
os.environ["OMP_NUM_THREADS"] = "1"


@pytest.fixture
def course(tmp_path: Path) -> Course:
    return Course(tmp_path / "course")


@pytest.fixture
def mlcourse(course: Course) -> Callable[..., subprocess.CompletedProcess[str]]:
    """The command ``mlcourse`` in the small course: ``mlcourse("run", "a") -> CompletedProcess``."""

    def call(*arguments: str, env: Mapping[str, str] | None = None) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            command(*arguments),
            cwd=course.root,
            env=os.environ | (env or {}),
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )

    return call


@pytest.fixture(scope="session")
def cut_off() -> list[str]:
    """What to put before a command that shall find no network."""
    words = [sys.executable, offline.__file__]
    env = {name: value for name, value in os.environ.items() if name != "CI"}
    told = subprocess.run([*words, "true"], env=env, capture_output=True, text=True, check=True).stdout
    if told != "With the network cut off: true\n":
        (pytest.fail if os.environ.get("CI") and sys.platform == "linux" else pytest.skip)(told)
    return words
