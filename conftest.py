"""How pages run under nbmake (``pytest --nbmake notebooks``): strictly, on warm kernels, and to their last cell."""

from __future__ import annotations

import os

import pytest


def pytest_configure(config: pytest.Config) -> None:
    if not config.getoption("nbmake", False):
        return
    os.environ["MLCOURSE_STRICT"] = "1"
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    os.environ.setdefault("JUPYTER_DEFAULT_PROVISIONER_NAME", "mlcourse-warm")

    from nbmake import pytest_items

    pytest_items.NotebookRun = whole_run(pytest_items.NotebookRun)


def whole_run(notebook_run: type) -> type:
    """A kind of nbmake's run that fails a notebook whose executed cells are fewer than those present.

    nbmake passes a notebook that stopped at an unknown magic.
    """
    from nbmake.nb_result import NotebookError, NotebookResult

    from mlcourse.runner.execute import unfinished

    class WholeRun(notebook_run):
        def execute(self) -> NotebookResult:
            result = super().execute()
            if result.error is None and (failure := unfinished(result.nb)) is not None:
                trace = f"cell {failure.cell} did not run to its end: {failure.message}\n{failure.source}"
                result.error = NotebookError(failure.message, trace, failure.cell)
            return result

    return WholeRun
