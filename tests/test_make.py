"""The commands of the Makefile: on every Unix, with an old make, and never green by accident."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from course import ROOT

MAKEFILE = (ROOT / "Makefile").read_text("utf8")
STEPS = [
    "ruff check",
    "ruff format",
    "tests --ignore",
    "--nbmake",
    "mlcourse build",
    "tests/browser",
    "tests/portability",
]

# What each tool of the environment is replaced by: it says what it was asked and fails if it is told to.
STUB = """\
#!/bin/sh
case "$1" in tests/everything.py) exec "{python}" "$@";; esac
echo "${{0##*/}} $*" >> "{log}"
echo "1 passed"
if [ -n "$FAILS" ]; then case "${{0##*/}} $*" in *"$FAILS"*) exit 3;; esac; fi
"""


class Checkout:
    """A repository with this Makefile and an environment whose tools do nothing."""

    def __init__(self, root: Path, path: str) -> None:
        self.root, self.path, self.log = root, path, root.parent / "asked"
        for name in ("Makefile", "pyproject.toml", "requirements.txt", "tests/everything.py", ".gitignore"):
            (root / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(ROOT / name, root / name)
        subprocess.run(["git", "init", "--quiet"], cwd=root, check=True)
        (root / ".venv/bin").mkdir(parents=True)
        for tool in ("python", "ruff", "mlcourse", "uv", "jupyter"):
            stub = root / ".venv/bin" / tool
            stub.write_text(STUB.format(python=sys.executable, log=self.log))
            stub.chmod(0o755)
        (root / ".venv/installed").touch()

    def make(self, *arguments: str, fails: str = "") -> subprocess.CompletedProcess[str]:
        self.log.write_text("")
        env = {"PATH": self.path, "HOME": str(self.root), "FAILS": fails}
        command = [shutil.which("make"), *arguments]
        return subprocess.run(command, cwd=self.root, env=env, capture_output=True, text=True, check=False)

    @property
    def asked(self) -> str:
        return self.log.read_text()


@pytest.fixture
def checkout(tmp_path: Path) -> Checkout:
    """A checkout on a machine that has few tools: those of POSIX that recipes use, git and Python."""
    tools = tmp_path / "tools"
    tools.mkdir()
    for tool in ("sh", "awk", "grep", "rm", "touch", "git", "cat"):
        (tools / tool).symlink_to(shutil.which(tool))
    (tools / "python3.11").symlink_to(sys.executable)
    return Checkout(tmp_path / "checkout", str(tools))


@pytest.mark.parametrize("step", STEPS)
def test_a_step_that_fails_ends_make_test_with_a_failure(checkout: Checkout, step: str) -> None:
    run = checkout.make("test", fails=step)
    assert run.returncode != 0
    assert step in checkout.asked.splitlines()[-1], "nothing comes after it"
    assert not (checkout.root / "_build/tested").exists()


def test_make_test_runs_everything_once(checkout: Checkout) -> None:
    first = checkout.make("test")
    assert first.returncode == 0, first.stderr
    asked = checkout.asked.splitlines()
    assert len(asked) == len(STEPS)
    assert all(step in line for step, line in zip(STEPS, asked, strict=True))
    assert "portability: 1 passed" in first.stdout
    again = checkout.make("test")
    assert again.returncode == 0
    assert "Nothing has changed since this passed" in again.stdout
    assert "portability: 1 passed" in again.stdout
    assert len(checkout.asked.splitlines()) == 2, "the style alone"


@pytest.mark.parametrize("change", ["edited", "new", "removed"])
def test_a_change_is_tested(checkout: Checkout, change: str) -> None:
    (checkout.root / "page.py").write_text("a = 1\n")
    checkout.make("test")
    if change == "removed":
        (checkout.root / "page.py").unlink()
    else:
        (checkout.root / ("page.py" if change == "edited" else "other.py")).write_text("a = 2\n")
    assert checkout.make("test").returncode == 0
    assert len(checkout.asked.splitlines()) == len(STEPS)


def test_output_is_shown_and_kept(checkout: Checkout) -> None:
    assert checkout.make("test").stdout.count("1 passed\n") >= len(STEPS)
    assert (checkout.root / "_build/unit.log").read_text() == "1 passed\n"


@pytest.mark.parametrize(
    ("target", "asked"),
    [
        ("environment", ""),
        ("book", "mlcourse build --jobs 3"),
        ("portability", "python -m pytest -n 3 tests/portability --all-pages"),
        ("format", "mlcourse tidy"),
        ("lab", "jupyter lab"),
        ("links", "mlcourse links"),
        ("lock", "uv pip compile"),
        ("clean", ""),
    ],
)
def test_a_command_needs_no_more_than_unix(checkout: Checkout, target: str, asked: str) -> None:
    (checkout.root / "_build").mkdir()
    run = checkout.make(target, "JOBS=3")
    assert (run.returncode, run.stderr) == (0, "")
    assert asked in checkout.asked
    assert (checkout.root / "_build").exists() is (target != "clean")


def test_an_environment_is_made_by_the_lock_s_uv(checkout: Checkout) -> None:
    (checkout.root / ".venv/installed").unlink()
    assert checkout.make("environment").returncode == 0
    asked = checkout.asked.splitlines()
    assert re.search(r"^python -m pip install .*uv==[\d.]+$", asked[0])
    assert [line.split()[:3] for line in asked[1:]] == [["uv", "pip", "sync"], ["uv", "pip", "install"]]
    (checkout.root / ".venv/installed").unlink()
    assert checkout.make("environment", fails="pip sync").returncode != 0
    assert not (checkout.root / ".venv/installed").exists()


def test_make_alone_lists_all_commands(checkout: Checkout) -> None:
    listed = re.findall(r"^  make ([a-z]+) +\S", checkout.make().stdout, flags=re.MULTILINE)
    (phony,) = re.findall(r"^\.PHONY: (.+)$", MAKEFILE, flags=re.MULTILINE)
    assert sorted(listed) == sorted(phony.split())


def test_another_python_is_refused_in_one_sentence(checkout: Checkout) -> None:
    (checkout.root / ".venv/installed").unlink()
    other = Path(checkout.path) / "python2"
    other.write_text('#!/bin/sh\necho "The lock is for Python 3.11" >&2\nexit 1\n')
    other.chmod(0o755)
    run = checkout.make("environment", "PYTHON=python2")
    assert run.returncode != 0
    assert checkout.asked == ""


def test_nothing_in_it_is_beyond_make_3_81_and_sh() -> None:
    """What a Mac has is make 3.81, which ignores .SHELLFLAGS: without them, a failure before a pipe is lost."""
    code = re.sub(r"#.*", "", MAKEFILE)
    recipes = "\n".join(line for line in code.splitlines() if line.startswith("\t"))
    assert not re.search(r"^\.?SHELL", code, flags=re.MULTILINE)
    assert not re.search(r"^\.ONESHELL|\$\(file |!=", code, flags=re.MULTILINE)
    assert not re.search(r"(?<!\|)\|(?!\|)", re.sub(r"'[^']*'", "", recipes)), "no pipe"
    assert not re.search(r"\[\[|pipefail|sha256sum|readlink -f|sed -i|grep -P|xargs", recipes)


def test_conda_and_binder_get_the_lock() -> None:
    """Binder reads environment.yml, which leads to the environment that make makes."""
    environment = yaml.safe_load((ROOT / "environment.yml").read_text("utf8"))
    *conda, pip = environment["dependencies"]
    assert conda == ["python=3.11", "pip"]
    assert pip == {"pip": ["-r requirements.txt", "-e ."]}
    # Binder looks into these folders instead, if they are there, and prefers a Dockerfile.
    assert not [name for name in ("binder", ".binder", "Dockerfile") if (ROOT / name).exists()]


def test_the_gate_runs_make_test_and_stops_at_a_failure() -> None:
    gate = (ROOT / ".ci/run").read_text("utf8")
    assert gate.startswith("#!/usr/bin/env bash\n")
    assert "\nset -euo pipefail\n" in gate
    assert gate.endswith("\nmake test\n")
    assert os.access(ROOT / ".ci/run", os.X_OK)
