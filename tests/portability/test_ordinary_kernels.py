"""A page says the same in an ordinary kernel as in a warm one."""

from __future__ import annotations

from pathlib import Path

import nbformat
import pytest
from course import ROOT, shown
from elsewhere import all_pages, complaints

from mlcourse.runner import warm
from mlcourse.runner.execute import Job, execute

# Without --all-pages, the quickest page that trains a network.
FEW = [ROOT / "notebooks/1-data-representation/simple_representations.ipynb"]


@pytest.mark.skipif(not warm.supported(), reason="there are warm kernels on Linux only")
def test_the_outputs_are_the_same_warm_and_cold(every_page: bool) -> None:
    for page in all_pages() if every_page else FEW:
        cold, warmed = (run(page, cold) for cold in (True, False))
        assert complaints(cold) == ""
        for one, other in zip(cold.cells, warmed.cells, strict=True):
            assert shown(one) == shown(other), one.source


def run(page: Path, cold: bool) -> nbformat.NotebookNode:
    outcome = execute(Job(page.stem, page.read_text("utf8"), {}, key="", cold=cold, timeout=600))
    assert outcome.failure is None, outcome.failure
    notebook = nbformat.reads(outcome.notebook, 4)
    assert notebook.metadata.mlcourse.warm is not cold
    return notebook
