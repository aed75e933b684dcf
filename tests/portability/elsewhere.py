"""Environments that are not the lock's, and pages that run in them."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from importlib.metadata import packages_distributions
from pathlib import Path
from typing import Any

import nbformat
from course import ROOT, imports
from jupyter_client.kernelspec import KernelSpec
from jupyter_client.manager import AsyncKernelManager
from nbclient import NotebookClient
from uv import find_uv_bin

from mlcourse.runner.authoring import extras_of
from mlcourse.runner.execute import claims_of, unfinished

# What this process or its machine may have set and a learner's kernel does not have.
_OURS = ("MLCOURSE_", "JUPYTER_", "PYTEST_", "PYTHON", "IPYTHON", "TF_", "OMP_", "MPL", "VIRTUAL_ENV", "CI")


class Environment:
    """A Python environment in a folder, made by uv from its cache and the registry."""

    def __init__(self, folder: Path, python: str, *arguments: str) -> None:
        self.folder, self.python = folder, folder / "bin" / "python"
        uv("venv", "--seed", "--no-python-downloads", "--python", python, str(folder))
        uv("pip", "install", "--python", str(self.python), *arguments)

    def versions(self) -> dict[str, str]:
        """The version of every package that is installed here."""
        packages = json.loads(uv("pip", "list", "--format", "json", "--python", str(self.python)))
        return {package["name"]: package["version"] for package in packages}

    def run(self, notebook: nbformat.NotebookNode, folder: Path, env: Mapping[str, str] | None = None) -> None:
        """Execute a notebook in place, in an ordinary kernel of this environment and in a folder, to its end."""
        own = {name: value for name, value in os.environ.items() if not name.startswith(_OURS)}
        manager = type("Manager", (_KernelManager,), {"python": self.python})
        client = NotebookClient(notebook, kernel_manager_class=manager, timeout=600, coalesce_streams=True)
        client.execute(cwd=str(folder), env=own | dict(env or {}))
        assert unfinished(notebook) is None


class _KernelManager(AsyncKernelManager):
    """Starts a kernel with an environment's Python; all that this environment needs is ipykernel."""

    python: Path

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self._kernel_spec = KernelSpec(
            argv=[str(self.python), "-Xfrozen_modules=off", "-m", "ipykernel_launcher", "-f", "{connection_file}"],
            metadata={"kernel_provisioner": {"provisioner_name": "local-provisioner"}},
        )


def uv(*arguments: str) -> str:
    """Run uv. Its words are in the error if it fails."""
    run = subprocess.run([find_uv_bin(), *arguments], cwd=ROOT, capture_output=True, text=True, check=False)
    assert run.returncode == 0, f"uv {' '.join(arguments)}\n{run.stderr}"
    return run.stdout


def python(version: str) -> str:
    """This machine's Python of a version such as 3.13, if it has one; else the one that runs this."""
    found = [shutil.which(f"python{version}"), *Path.home().glob(f".pyenv/versions/{version}.*/bin/python")]
    for candidate in filter(None, found):
        ask = [str(candidate), "-c", "import sys; print(*sys.version_info[:2], sep='.')"]
        if subprocess.run(ask, capture_output=True, text=True, check=False).stdout.strip() == version:
            return str(candidate)
    return sys.executable


def all_pages() -> list[Path]:
    return sorted((ROOT / "notebooks").rglob("*.ipynb"))


def by_extras() -> dict[tuple[str, ...], list[Path]]:
    """All pages, by the extras that their set-up cells install besides `pages`."""
    groups: dict[tuple[str, ...], list[Path]] = {}
    for page in all_pages():
        groups.setdefault(tuple(extras_of(nbformat.read(page, 4))), []).append(page)
    return groups


def few_of(pages: list[Path]) -> list[Path]:
    """Those that together import every package that these pages import."""
    # Not Python's own modules, nor those that a page writes itself.
    installed = packages_distributions().keys()
    brings = {page: imports(page) & installed for page in pages}
    by = {package: [page for page in pages if package in brings[page]] for package in set().union(*brings.values())}
    chosen, covered = [], set()
    # What few pages import first: they bring much of the rest along.
    for package in sorted(by, key=lambda package: (len(by[package]), package)):
        if package not in covered:
            chosen.append(max(by[package], key=lambda page: len(brings[page] - covered)))
            covered |= brings[chosen[-1]]
    return chosen


def assert_good(notebook: nbformat.NotebookNode) -> None:
    """An executed page made its claims (they hold, or it would have stopped) and nothing complained."""
    claims = claims_of(notebook)
    assert len(claims) >= 3
    assert all(claim["holds"] for claim in claims)
    assert complaints(notebook) == ""


def complaints(notebook: nbformat.NotebookNode) -> str:
    """What the cells wrote to standard error."""
    outputs = [output for cell in notebook.cells for output in cell.get("outputs", [])]
    return "".join(output["text"] for output in outputs if output.get("name") == "stderr")
