"""The fixtures of the unit tests: a small course, made anew for each test, and the command line in it."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable, Mapping
from pathlib import Path

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
