"""Pages that keep state (registries, stores, pipelines' results) do not meet: the same page, twice at once."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest
from course import ROOT

from mlcourse.runner.execute import claims_of, unfinished

STATEFUL = ["feature_store", "model_versioning", "workflow_pipeline"]


def start(page: str, folder: Path) -> subprocess.Popen:
    """One run with a home and a working folder of its own, in which a page has no business."""
    (folder / "home").mkdir(parents=True)
    (folder / "work").mkdir()
    (folder / "tmp").mkdir()
    command = [sys.executable, "-m", "papermill", "--no-progress-bar", "--cwd", str(folder / "work")]
    command += [str(ROOT / f"notebooks/5-reproducibility/{page}.ipynb"), str(folder / "executed.ipynb")]
    env = os.environ | {"HOME": str(folder / "home"), "TMPDIR": str(folder / "tmp")}
    env["JUPYTER_DEFAULT_PROVISIONER_NAME"] = "local-provisioner"
    return subprocess.Popen(command, env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)


def told(folder: Path) -> list[float]:
    notebook = nbformat.read(folder / "executed.ipynb", 4)
    assert unfinished(notebook) is None
    return [claim["measured"] for claim in claims_of(notebook)]


@pytest.mark.parametrize("page", STATEFUL)
def test_two_runs_at_once_do_not_disturb_each_other(tmp_path: Path, page: str) -> None:
    runs = {folder: start(page, folder) for folder in (tmp_path / "a", tmp_path / "b")}
    for folder, process in runs.items():
        words, _ = process.communicate(timeout=600)
        assert process.returncode == 0, words
        assert len(told(folder)) >= 3
        # Nothing is left in the page's folder, and nothing of the page's in its home or in the machine's.
        assert list((folder / "work").iterdir()) == []
        left = {path.relative_to(folder).parts[1] for path in (folder / "home").rglob("*") if path.is_file()}
        assert left <= {".ipython", ".cache", ".config", ".jupyter", ".local"}
        assert not [path.name for path in (folder / "tmp").iterdir() if path.suffix != ".lock"]
