"""The lower bounds in pyproject.toml are true: pages run with the oldest versions that they allow."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from itertools import chain
from pathlib import Path

import nbformat
import pytest
from course import ROOT
from elsewhere import Environment, all_pages, assert_good, few_pages
from packaging.requirements import Requirement
from packaging.version import Version

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf8"))["project"]


def lower_bounds() -> dict[str, Version]:
    """The lower bound of everything that `mlcourse[pages]` needs."""
    bounds = {}
    for requirement in map(Requirement, PROJECT["dependencies"] + list(of_extra("pages"))):
        (bound,) = (Version(part.version) for part in requirement.specifier if part.operator == ">=")
        bounds[requirement.name] = bound
    return bounds


def of_extra(extra: str) -> Iterator[str]:
    """What an extra asks for, with what the extras ask for that it names."""
    for text in PROJECT["optional-dependencies"][extra]:
        requirement = Requirement(text)
        if requirement.name == PROJECT["name"]:
            yield from chain.from_iterable(map(of_extra, sorted(requirement.extras)))
        else:
            yield text


@pytest.mark.usefixtures("registry")
def test_pages_run_with_the_oldest_versions_allowed(tmp_path: Path, every_page: bool) -> None:
    oldest_python = PROJECT["requires-python"].removeprefix(">=")
    environment = Environment(
        tmp_path / "env",
        oldest_python,
        *("--resolution", "lowest-direct", "--editable", f"{ROOT}[pages]", "ipykernel>=6.17.1"),
    )
    installed = environment.versions()
    bounds = lower_bounds()
    assert {name: Version(installed[name]) for name in bounds} == bounds, "a bound names a version that can be had"
    for page in all_pages() if every_page else few_pages():
        notebook = nbformat.read(page, 4)
        environment.run(notebook, tmp_path)
        assert_good(notebook)
