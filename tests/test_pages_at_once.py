"""Pages that keep state (registries, stores, pipelines' results) do not meet: the same page, twice at once."""

from __future__ import annotations

import os
import subprocess
import sys
from contextlib import ExitStack
from pathlib import Path

import nbformat
import pytest
from course import ROOT, shown

from mlcourse.runner.execute import unfinished

STATEFUL = ["feature_store", "model_versioning", "workflow_pipeline"]
# What Python's, Jupyter's and matplotlib's own caches are called in a home.
NOT_OF_A_PAGE = (".cache/", ".config/matplotlib/", ".ipython/", ".jupyter/", ".local/share/jupyter/")


def start(page: str, folder: Path) -> subprocess.Popen:
    """One run with a home, a working folder and a place for temporary files of its own."""
    for name in ("home", "work", "tmp"):
        (folder / name).mkdir(parents=True)
    command = [sys.executable, "-m", "papermill", "--no-progress-bar", "--cwd", str(folder / "work")]
    command += [str(ROOT / f"notebooks/5-reproducibility/{page}.ipynb"), str(folder / "executed.ipynb")]
    env = os.environ | {"HOME": str(folder / "home"), "TMPDIR": str(folder / "tmp")}
    env["JUPYTER_DEFAULT_PROVISIONER_NAME"] = "local-provisioner"
    return subprocess.Popen(command, env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)


@pytest.mark.parametrize("page", STATEFUL)
def test_two_runs_at_once_do_not_disturb_each_other(tmp_path: Path, page: str) -> None:
    folders = [tmp_path / "a", tmp_path / "b"]
    with ExitStack() as both:
        runs = [both.enter_context(start(page, folder)) for folder in folders]
        for run in runs:
            both.callback(run.terminate)  # if the other one has failed
        for run in runs:
            words, _ = run.communicate(timeout=600)
            assert run.returncode == 0, words
    one, other = (nbformat.read(folder / "executed.ipynb", 4) for folder in folders)
    assert unfinished(one) is None
    for cell, same in zip(one.cells, other.cells, strict=True):
        assert shown(cell) == shown(same), cell.source
    for folder in folders:
        assert list((folder / "work").iterdir()) == []
        assert [path.name for path in (folder / "tmp").iterdir()] == []
        home = folder / "home"
        left = [path.relative_to(home).as_posix() for path in home.rglob("*") if path.is_file()]
        assert [path for path in left if not path.startswith(NOT_OF_A_PAGE)] == []
