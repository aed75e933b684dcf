"""Pages become results: parameters in, outputs and facts out, once for each content."""

import itertools
import json
import os
import signal
import sys
import time

import nbformat
import pytest
from course import SEED, Course, code, text_of, words
from jupyter_client.provisioning import KernelProvisionerFactory
from nbclient import NotebookClient

from mlcourse.parameters import ParameterError
from mlcourse.runner import execute, warm
from mlcourse.runner.catalogue import CatalogueError
from mlcourse.runner.execute import result_path

KNOBS = code(f"{SEED}\nROWS: int = 10  # rows", "parameters")


def test_a_result_holds_outputs_and_facts(course: Course) -> None:
    course.page("1-part/page", words("# A page"), KNOBS, "from mlcourse.claims import claim", "print(ROWS * 2)",
                'claim("Rows are few.", ROWS, at_most=20, unit="rows")')  # fmt: skip
    (result,) = course.run()
    assert result.failure is None
    assert not result.reused
    assert result.path == course.root / "_build/pages/quick/1-part/page.ipynb"
    assert text_of(result.path) == "20\n"
    notebook = nbformat.read(result.path, as_version=4)
    nbformat.validate(notebook)
    facts = notebook.metadata["mlcourse"]
    assert facts["parameters"] == {}
    assert [claim["text"] for claim in facts["claims"]] == ["Rows are few."]
    assert facts["claims"][0]["measured"] == 10
    assert facts["claims"][0]["holds"] is True
    assert 20 < facts["peak_mb"] < 2000
    assert 0 < facts["cells_seconds"] < facts["seconds"] == result.seconds
    assert facts["output_kb"] > 0
    assert len(facts["key"]) == 64


def test_parameters_come_from_the_profile_then_from_the_user_then_from_the_seed(course: Course) -> None:
    course.page("1-part/page", KNOBS, "print(ROWS, SEED)")
    course.book("1-part/page:\n  ROWS: 500\n  SEED: 3\n")
    assert text_of(course.run(profile="quick")[0].path) == "10 0\n"
    assert text_of(course.run(profile="book")[0].path) == "500 3\n"
    custom = course.run(profile="book", parameters={"SEED": "5"}, seed=7)[0].path
    assert text_of(custom) == "500 7\n"
    assert custom.parts[-3] == "custom"
    assert text_of(result_path(course.root, course.select()[0], "book")) == "500 3\n", "the book's result is untouched"


def test_bad_parameters_stop_before_anything_runs(course: Course) -> None:
    course.page("1-part/page", KNOBS, "print(ROWS)")
    for given, word in [({"ROWS": "many"}, "type int"), ({"NOPE": "1"}, "SEED, ROWS"), ({"ROWS": "1.5"}, "type int")]:
        with pytest.raises(ParameterError, match=word):
            course.run(parameters=given)
    with pytest.raises(CatalogueError, match="quick, book"):
        course.run(profile="slow")
    assert course.results("custom") == set()


def test_an_unchanged_page_does_not_run_again(course: Course) -> None:
    course.page("1-part/page", KNOBS, "import os; print(os.getpid())")
    first = course.run()[0]
    second = course.run()[0]
    assert (first.reused, second.reused) == (False, True)
    assert text_of(first.path) == text_of(second.path)
    course.page("1-part/page", KNOBS, "import os; print(os.getpid(), 'changed')")
    assert not course.run()[0].reused


@pytest.mark.parametrize("injected", [False, True])
def test_changed_words_need_no_run_and_appear(course: Course, injected: bool) -> None:
    if injected:
        course.book("1-part/page:\n  ROWS: 500\n")
    course.page("1-part/page", words("# Old words"), KNOBS, "import os; print(os.getpid(), ROWS)")
    before = text_of(course.run(profile="book")[0].path)
    course.page("1-part/page", words("# New words"), words("And more."), KNOBS, "import os; print(os.getpid(), ROWS)")
    result = course.run(profile="book")[0]
    assert result.reused
    notebook = nbformat.read(result.path, as_version=4)
    assert [cell.source for cell in notebook.cells if cell.cell_type == "markdown"] == ["# New words", "And more."]
    assert text_of(result.path) == before
    assert ("500" in before) is injected
    assert ["injected-parameters" in cell.metadata.get("tags", []) for cell in notebook.cells].count(True) == injected
    nbformat.validate(notebook)


def test_a_spoilt_result_is_made_anew(course: Course) -> None:
    course.page("1-part/page", KNOBS)
    path = course.run()[0].path
    for spoilt in ("", "{", "[]", json.dumps({"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": []})):
        path.write_text(spoilt)
        assert not course.run()[0].reused


def test_warm_and_cold_give_the_same_result(course: Course, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLCOURSE_WARM_MODULES", os.environ["MLCOURSE_WARM_MODULES"] + " pandas")
    course.page(
        "1-part/page",
        KNOBS,
        "import os, sys, random, warnings, numpy as np, matplotlib, matplotlib.pyplot as plt",
        "print(matplotlib.get_backend(), np.random.default_rng(SEED).random(), sys.path[1:])",
        "print(sorted(name for name in os.environ if not name.startswith(('JPY', 'PAPERMILL'))), os.listdir())",
        "print(sys.flags, __name__, sys.stdin.closed if sys.stdin else None, os.getpgrp() == os.getpid())",
        "warnings.warn('Look out.'); os.system('echo from below')",
        "fig, ax = plt.subplots(); ax.plot([1, 2]);",
        "{'a': 1, 'b': [1, 2]}",
        # Another folding in a terminal than in a notebook.
        "import pandas as pd; pd.DataFrame(np.zeros((2, 30)))",
    )
    outputs = []
    for cold in (True, False):
        (result,) = course.run(cold=cold)
        assert result.failure is None
        path = result.path
        notebook = nbformat.read(path, as_version=4)
        assert notebook.metadata["mlcourse"]["warm"] is not cold
        outputs.append([[dict(output) for output in cell.get("outputs", [])] for cell in notebook.cells])
        path.unlink()
    for cold_cell, warm_cell in zip(*outputs, strict=True):
        # Each run has its own folder, whose name appears in warnings and in the environment.
        assert _neutral(cold_cell) == _neutral(warm_cell)


def test_what_a_cell_prints_is_one_output_whenever_it_came(course: Course) -> None:
    course.page("1-part/page", KNOBS, "import time\nfor number in range(3): print(number); time.sleep(0.5)")
    notebook = nbformat.read(course.run()[0].path, as_version=4)
    assert [output.text for output in notebook.cells[1].outputs] == ["0\n1\n2\n"]


@pytest.mark.parametrize("lacking", ["Linux", "process file descriptors", "a Linux that has them"])
def test_where_nothing_can_be_forked_pages_run_in_ordinary_kernels(course: Course, monkeypatch, lacking: str) -> None:
    def refuse(pid: int) -> int:
        raise OSError("Function not implemented")

    if lacking == "Linux":
        monkeypatch.setattr(sys, "platform", "darwin")
        # What a Mac does not have either.
        monkeypatch.delattr(os, "pidfd_open")
        monkeypatch.delattr(signal, "pidfd_send_signal")
    elif lacking == "process file descriptors":
        monkeypatch.delattr(os, "pidfd_open")
    else:
        monkeypatch.setattr(os, "pidfd_open", refuse)
    assert not warm.supported()
    course.page("1-part/page", KNOBS, "print(SEED + 1)")
    (result,) = course.run()
    assert text_of(result.path) == "1\n"
    assert nbformat.read(result.path, as_version=4).metadata["mlcourse"]["warm"] is False


def test_nbmake_and_jupyter_get_ordinary_kernels_too(course: Course, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(warm, "supported", lambda: False)
    monkeypatch.setenv("JUPYTER_DEFAULT_PROVISIONER_NAME", "mlcourse-warm")
    KernelProvisionerFactory.clear_instance()
    page = nbformat.read(course.page("1-part/page", "import sys; print('tensorflow' in sys.modules)"), 4)
    client = NotebookClient(page, timeout=60, kernel_name="python3")
    client.execute()
    KernelProvisionerFactory.clear_instance()
    assert page.cells[0].outputs[0].text == "False\n"


def _neutral(cell: list[dict]) -> str:
    import re

    return re.sub(r"/tmp/\S+|ipykernel_\d+|0x[0-9a-f]+", "", json.dumps(cell))


def test_pages_run_side_by_side(course: Course, tmp_path) -> None:
    # Each waits until it has seen the other: one after the other they would never end.
    meet = "import pathlib, time; here = pathlib.Path({0!r}); (here / '{1}').touch()\n" \
           "while not (here / '{2}').exists(): time.sleep(0.05)"  # fmt: skip
    course.page("1-part/a", KNOBS, meet.format(str(tmp_path), "a", "b"))
    course.page("1-part/b", KNOBS, meet.format(str(tmp_path), "b", "a"))
    results = course.run(jobs=2, timeout=20)
    assert [result.page.name for result in results] == ["a", "b"]
    assert not any(result.failure for result in results)


def test_a_kernel_starts_while_another_computes_and_then_waits_for_its_turn(course: Course) -> None:
    look = "import psutil, time; print(psutil.Process().create_time(), time.time()); time.sleep(2); print(time.time())"
    for name in "abc":
        course.page(f"1-part/{name}", KNOBS, look)
    times = [[float(time) for time in text_of(result.path).split()] for result in course.run(jobs=1)]
    for (_, _, end), (created, begin, _) in itertools.pairwise(times):
        assert created < end <= begin


def test_a_page_that_comes_to_nothing_leaves_its_turn_to_others(course: Course, monkeypatch) -> None:
    for name in "abc":
        course.page(f"1-part/{name}", KNOBS, "print(1)")
    make, calls = execute.tempfile.TemporaryDirectory, itertools.count()

    def no_room_at_first(*arguments, **options):
        if next(calls) == 0:
            raise OSError("no room")
        return make(*arguments, **options)

    monkeypatch.setattr(execute.tempfile, "TemporaryDirectory", no_room_at_first)
    results = course.run(jobs=1)
    # Two pages prepare themselves side by side: which of them is the first is chance.
    messages = [result.failure.message for result in results if result.failure]
    assert messages == ["no room"]


def test_each_page_runs_alone_in_its_own_folder_which_goes(course: Course) -> None:
    course.page("1-part/a", KNOBS, "import os; open('left.txt', 'w').close(); print(os.getcwd())")
    course.page("1-part/b", KNOBS, "import os; print(os.listdir(), 'x' in globals())")
    a, b = course.run(jobs=1)
    assert text_of(b.path) == "[] False\n"
    assert not os.path.exists(text_of(a.path).strip())  # noqa: PTH110


def test_a_failed_page_leaves_the_others_their_results(course: Course) -> None:
    course.page("1-part/bad", words("# Bad"), KNOBS, "1 + 1", "x = 1\nx / 0")
    course.page("1-part/good", KNOBS)
    bad, good = course.run()
    assert good.failure is None
    assert bad.path is None
    assert (bad.failure.error, bad.failure.message, bad.failure.cell) == ("ZeroDivisionError", "division by zero", 3)
    assert bad.failure.source == "x = 1\nx / 0"
    assert "ZeroDivisionError: division by zero" in bad.failure.traceback[-1]
    assert not any("\x1b" in line for line in bad.failure.traceback)
    assert course.results() == {"1-part/good.ipynb"}


def test_the_failing_cell_is_counted_in_the_page(course: Course) -> None:
    course.page("1-part/bad", words("# Bad"), KNOBS, "1 / 0")
    assert course.run(parameters={"ROWS": "3"})[0].failure.cell == 2


def test_a_claim_that_does_not_hold_fails_the_page_and_is_named(course: Course) -> None:
    course.page("1-part/page", KNOBS, "from mlcourse.claims import claim", 'claim("Two is three.", 2, at_least=3)')
    failure = course.run()[0].failure
    assert failure.error == "ClaimError"
    assert failure.claim == "Two is three. Measured 2; bound: at least 3."
    assert failure.traceback == ("ClaimError: Two is three. Measured 2; bound: at least 3.",)


def test_the_longest_page_starts_first(course: Course) -> None:
    course.page("1-part/short", KNOBS, "import time; print(time.time())")
    course.page("1-part/long", KNOBS, "import time; print(time.time()); time.sleep(0.7)")
    course.run(jobs=1)
    (course.root / "requirements.txt").write_text("numpy==3\n")  # everything runs again
    short, long = course.run(jobs=1)
    assert float(text_of(long.path)) < float(text_of(short.path))


def test_a_rebuild_of_nothing_takes_no_time(course: Course) -> None:
    for number in range(8):
        course.page(f"1-part/page_{number}", KNOBS, "x = 1")
    course.run()
    started = time.monotonic()
    assert all(result.reused for result in course.run())
    assert time.monotonic() - started < 2
