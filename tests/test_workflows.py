"""The workflows keep GitHub's schema, run the README's commands, and cannot pass by accident."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).parents[1]
FILES = sorted((ROOT / ".github/workflows").glob("*.yml"))

each_workflow = pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)


def read(path: Path) -> dict[Any, Any]:
    workflow = yaml.safe_load(path.read_text("utf8"))
    # In YAML 1.1 the key `on` is the truth value.
    workflow["on"] = workflow.pop(True)
    return workflow


def commands(path: Path) -> list[str]:
    return [step["run"] for job in read(path)["jobs"].values() for step in job["steps"] if "run" in step]


def test_there_are_workflows_for_testing_publishing_and_links() -> None:
    assert [path.stem for path in FILES] == ["links", "publish", "test"]


def test_the_workflows_keep_the_schema() -> None:
    check = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", "vendor.github-workflows"]
    run = subprocess.run([*check, *map(str, FILES)], capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stdout + run.stderr


@pytest.mark.parametrize(
    ("name", "command"), [("test", "make test"), ("publish", "make book"), ("links", "make links")]
)
def test_the_commands_are_those_of_makefile_and_readme(name: str, command: str) -> None:
    assert any(command in line for line in commands(ROOT / f".github/workflows/{name}.yml"))
    targets = re.findall(r"^(\w+):", (ROOT / "Makefile").read_text("utf8"), flags=re.MULTILINE)
    used = [target for path in FILES for line in commands(path) for target in re.findall(r"make (\w+)", line)]
    assert set(used) <= set(targets)
    if command != "make links":
        assert command in (ROOT / "README.md").read_text("utf8")


@each_workflow
def test_a_failing_command_fails_the_job(path: Path) -> None:
    assert read(path)["defaults"]["run"]["shell"] == "bash --noprofile --norc -euo pipefail {0}"


@each_workflow
def test_a_workflow_may_do_no_more_than_it_must(path: Path) -> None:
    assert read(path)["permissions"] == {"contents": "read"}


@each_workflow
def test_a_job_ends(path: Path) -> None:
    for name, job in read(path)["jobs"].items():
        assert job.get("timeout-minutes", 360) <= 60 or name in ("deploy", "report")


def test_the_book_is_published_from_main_and_every_week() -> None:
    workflow = read(ROOT / ".github/workflows/publish.yml")
    assert workflow["on"]["push"]["branches"] == ["main"]
    (schedule,) = workflow["on"]["schedule"]
    assert schedule["cron"].split()[4] != "*"
    assert workflow["jobs"]["deploy"]["needs"] == "build"
    assert "failure()" in workflow["jobs"]["report"]["if"]


def test_the_python_of_the_workflows_is_the_lock_s() -> None:
    versions = {
        step["with"]["python-version"]
        for path in FILES
        for job in read(path)["jobs"].values()
        for step in job["steps"]
        if "setup-python" in step.get("uses", "")
    }
    assert versions == {"3.11"}
