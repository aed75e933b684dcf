"""A page says the same in an ordinary kernel as in a warm one."""

from __future__ import annotations

import json
import re
from pathlib import Path

import nbformat
import pytest
from course import ROOT
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
            if "timed" not in one.metadata.get("tags", []):
                assert neutral(one) == neutral(other), one.source


def run(page: Path, cold: bool) -> nbformat.NotebookNode:
    outcome = execute(Job(page.stem, page.read_text("utf8"), {}, key="", cold=cold, timeout=600))
    assert outcome.failure is None, outcome.failure
    notebook = nbformat.reads(outcome.notebook, 4)
    assert notebook.metadata.mlcourse.warm is not cold
    return notebook


def neutral(cell: nbformat.NotebookNode) -> str:
    """A cell's outputs without addresses in memory and without the random ids of pandas' tables."""
    return re.sub(r"0x[0-9a-f]+|T_[0-9a-f]{5}", "", json.dumps(cell.get("outputs", [])))
