"""The lower bounds in pyproject.toml are true: pages run with the oldest versions that they allow."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Iterator
from itertools import chain
from pathlib import Path

import nbformat
import pytest
from course import ROOT
from elsewhere import Environment, assert_good, by_extras, few_of
from packaging.requirements import Requirement
from packaging.version import Version

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf8"))["project"]


def lower_bounds(texts: Iterable[str]) -> dict[str, Version]:
    bounds = {}
    for requirement in map(Requirement, texts):
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
def test_pages_run_with_the_oldest_versions_allowed(tmp_path: Path, every_page: bool, extras: tuple[str, ...]) -> None:
    oldest_python = PROJECT["requires-python"].removeprefix(">=")
    package = f"{ROOT}[{','.join(['pages', *extras])}]"
    environment = Environment(
        tmp_path / "env",
        oldest_python,
        *("--resolution", "lowest-direct", "--editable", package, "ipykernel>=6.17.1"),
    )
    installed = {name: Version(version) for name, version in environment.versions().items()}
    common = lower_bounds(PROJECT["dependencies"] + list(of_extra("pages")))
    # What a page alone needs may itself ask for newer versions of what all pages need.
    bounds = lower_bounds(chain.from_iterable(map(of_extra, extras))) if extras else common
    assert {name: installed[name] for name in bounds} == bounds, "a bound names a version that can be had"
    assert all(installed[name] >= bound for name, bound in common.items())
    pages = by_extras()[extras]
    for page in pages if every_page else few_of(pages):
        notebook = nbformat.read(page, 4)
        environment.run(notebook, tmp_path)
        assert_good(notebook)
