"""Bad input, faults and interruptions: one clear line, nothing half-written, and the next run goes on."""

import errno
import os
import resource
import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import pytest
from course import SEED, SLOW, Course, alive, code, command, ctrl_c, one_line, started, text_of, wait_until, words

from mlcourse.runner import files
from mlcourse.runner.files import WriteError

KNOBS = code(SEED, "parameters")
CHECKED = """from mlcourse.parameters import check_parameters, real, whole
check_parameters(globals(), SEED=whole(0, 9_999), RATE=real(0, 1))"""


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["nope"], "there is no page 'nope'; there are: 1-part/page"),
        (["pag"], "there is no page 'pag'; did you mean 'page'?"),
        (["-p", "SEED=a"], "1-part/page: SEED must be of type int, not 'a'"),
        (["-p", "SEED=1.5"], "1-part/page: SEED must be of type int, not 1.5"),
        (["-p", "ROWS=5"], "1-part/page has no parameter ROWS; it has: SEED, RATE"),
        (["-p", "RATE=fast"], "1-part/page: RATE must be of type float, not 'fast'"),
        (["-p", "RATE=1.5"], "1-part/page: RATE must be a number from 0 to 1, not 1.5"),
        (["-p", "SEED"], "-p takes NAME=VALUE, not 'SEED'"),
        (["-p", "=5"], "-p takes NAME=VALUE, not '=5'"),
        (["--seed", "-3"], "1-part/page: SEED must be a whole number from 0 to 9,999, not -3"),
        (["--seed", "x"], "'--seed'"),
        (["--jobs", "0"], "'--jobs'"),
        (["--jobs", "many"], "'--jobs'"),
        (["--jobs", "257"], "'--jobs'"),
        (["--timeout", "0"], "'--timeout'"),
        (["--profile", "slow"], "there is no profile 'slow'; allowed: quick, book"),
        (["--frobnicate"], "--frobnicate"),
    ],
)
def test_bad_input_ends_in_one_line(course: Course, mlcourse, arguments, said) -> None:
    course.page("1-part/page", code(f"{SEED}\nRATE: float = 0.5  # share", "parameters"), CHECKED)
    assert said in one_line(mlcourse("run", *arguments))
    assert not (course.root / "_build").exists()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["build", "--seed", "-3"], "1-part/page: SEED must be a whole number from 0 to 9,999, not -3"),
        (["build", "--seed", "1.5"], "'--seed'"),
        (["build", "--jobs", "0"], "'--jobs'"),
        (["build", "--profile", "book"], "--profile"),
        (["build", "page"], "page"),
        (["frobnicate"], "frobnicate"),
        (["new"], "PART/NAME"),
        (["address", "me/course", "more"], "more"),
    ],
)
def test_bad_input_of_other_commands_too(course: Course, mlcourse, arguments, said) -> None:
    course.page("1-part/page", code(f"{SEED}\nRATE: float = 0.5  # share", "parameters"), CHECKED)
    (course.root / "book/index.md").write_text("# Start\n")
    assert said in one_line(mlcourse(*arguments))
    assert not (course.root / "_build").exists()


def test_the_command_imports_little_before_it_looks_at_its_input() -> None:
    slow = "papermill nbclient pandas sklearn tensorflow ray sphinx rich rfc3987_syntax.syntax_helpers"
    script = f"import sys, mlcourse.cli; print(*[name for name in {slow.split()} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout == "\n"


def test_one_page_that_refuses_a_parameter_leaves_the_others_their_results(course: Course, mlcourse) -> None:
    course.page("1-part/any", KNOBS)
    course.page("1-part/few", KNOBS, CHECKED.replace("9_999", "9").replace("RATE=real(0, 1)", ""))
    done = mlcourse("run", "--seed", "10")
    assert done.returncode == 2
    assert done.stderr.splitlines()[-1] == "mlcourse: 1-part/few: SEED must be a whole number from 0 to 9, not 10"
    assert "Traceback" not in done.stderr
    assert course.results("custom") == {"1-part/any.ipynb"}


def test_a_file_that_is_not_json(course: Course, mlcourse) -> None:
    course.page("1-part/page", KNOBS).write_text("{ not json")
    assert "page.ipynb is not a notebook: it is not JSON" in one_line(mlcourse("run"))


def test_table_of_contents_and_notebooks_disagree(course: Course, mlcourse) -> None:
    course.page("1-part/lost", KNOBS, listed=False)
    assert "notebooks/1-part/lost.ipynb is not in _toc.yml" in one_line(mlcourse("run"))
    assert "notebooks/1-part/lost.ipynb is not in _toc.yml" in one_line(mlcourse("build"))
    course.list_pages("1-part/lost", "1-part/gone")
    assert "there is no notebooks/1-part/gone.ipynb" in one_line(mlcourse("run"))


def test_outside_of_a_course(tmp_path: Path) -> None:
    done = subprocess.run(command("run"), cwd=tmp_path, capture_output=True, text=True, check=False)
    assert "no course here" in one_line(done)


def test_a_failing_page_is_described(course: Course, mlcourse) -> None:
    course.page("1-part/bad", words("# Bad"), KNOBS, "from mlcourse.claims import claim",
                'claim("The sky is green.", 0.25, at_least=0.5)')  # fmt: skip
    course.page("1-part/good", KNOBS)
    done = mlcourse("run")
    assert done.returncode == 1
    assert "1-part/bad FAILED: ClaimError: The sky is green. Measured 0.25; bound: at least 0.5." in done.stderr
    assert 'in cell 3 (counted from 0):\n    claim("The sky is green.", 0.25, at_least=0.5)' in done.stderr
    assert "Traceback" not in done.stderr
    assert "1 of 2 pages are good" in done.stdout


def test_a_hanging_page_names_its_timeout(course: Course) -> None:
    course.page("1-part/page", words("# A"), KNOBS, "import time", "while True:\n    time.sleep(1)")
    started = time.monotonic()
    failure = course.run(timeout=2)[0].failure
    assert time.monotonic() - started < 15
    assert (failure.error, failure.message) == ("CellTimeoutError", "this cell took longer than 2 s")
    assert (failure.cell, failure.source) == (3, "while True:\n    time.sleep(1)")


@pytest.mark.parametrize("cold", [False, True])
def test_a_page_that_kills_its_kernel(course: Course, cold: bool) -> None:
    course.page("1-part/page", KNOBS, "import os, signal\nos.kill(os.getpid(), signal.SIGKILL)")
    started = time.monotonic()
    failure = course.run(cold=cold)[0].failure
    assert time.monotonic() - started < 20
    assert failure.error == "DeadKernelError"
    assert failure.cell == 1
    assert "died" in failure.message


@pytest.mark.parametrize("source", ["%%nosuchmagic\nx = 1", "%nosuchmagic"])
@pytest.mark.parametrize("last", [False, True])
def test_an_unknown_magic_fails(course: Course, source: str, last: bool) -> None:
    course.page("1-part/page", KNOBS, source, *([] if last else ["x = 1"]))
    failure = course.run()[0].failure
    assert failure is not None
    assert failure.cell == 1
    assert "nosuchmagic" in failure.message
    assert course.results() == set()


@pytest.mark.parametrize("last", [False, True])
def test_an_unknown_magic_fails_under_nbmake_too(course: Course, last: bool) -> None:
    path = course.page("1-part/page", KNOBS, "%%nosuchmagic\nx = 1", *([] if last else ["x = 1"]))
    notebook = path.read_text().replace('"metadata": {},\n "nbformat"',
        '"metadata": {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}},\n "nbformat"')  # fmt: skip  # noqa: E501
    path.write_text(notebook)
    (course.root / "conftest.py").write_text((Path(__file__).parents[1] / "conftest.py").read_text())
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "--nbmake", "-q", "-p", "no:cacheprovider", "notebooks"],
        cwd=course.root,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 1, done.stdout
    assert "nosuchmagic" in done.stdout
    assert "1 failed" in done.stdout


def test_a_dead_warm_server_is_said_once_and_pages_run(course: Course, mlcourse, tmp_path: Path) -> None:
    (tmp_path / "ends_the_server.py").write_text("import os; os._exit(1)")
    course.page("1-part/a", KNOBS, "print('ran')")
    course.page("1-part/b", KNOBS)
    done = mlcourse("run", env={"MLCOURSE_WARM_MODULES": "ends_the_server", "PYTHONPATH": str(tmp_path)})
    assert done.returncode == 0, done.stderr
    assert done.stderr.count("no warm kernels") == 1
    assert text_of(course.root / "_build/pages/quick/1-part/a.ipynb") == "ran\n"


def test_a_data_file_with_a_wrong_checksum_fails_the_page_in_one_line(course: Course) -> None:
    course.page(
        "1-part/page",
        KNOBS,
        "from mlcourse.datasets import files",
        "import pathlib, shutil\nshutil.copytree(files.data_folder(), 'data', ignore=lambda *_: ['weights'])\n"
        "with open('data/spam_mail.parquet', 'ab') as stream:\n    stream.write(b'x')\n"
        "files.data_folder = lambda: pathlib.Path('data')",
        "files.data_path('spam_mail.parquet')",
    )
    failure = course.run()[0].failure
    assert failure.error == "DataError"
    assert "spam_mail.parquet is not the file its card describes" in failure.message
    assert len(failure.traceback) == 1


def started_build(course: Course, pid_file: Path, *options: str) -> tuple[subprocess.Popen[str], int]:
    """``mlcourse run`` with one finished page and one in the middle of its work, and that page's kernel."""
    course.page("1-part/done", KNOBS, "import os; print(os.getpid())")
    course.page("1-part/slow", KNOBS, SLOW.format(str(pid_file)))
    build = started(course, "run", "--jobs", "2", *options)
    wait_until(lambda: course.results() == {"1-part/done.ipynb"} and pid_file.exists() and pid_file.read_text(), 60)
    return build, int(pid_file.read_text())


def goes_on(course: Course) -> None:
    """The next run keeps what was finished and makes the rest."""
    assert course.results() == {"1-part/done.ipynb"}, "nothing is half-written"
    course.page("1-part/slow", KNOBS, "print('quick now')")
    done, slow = course.run()
    assert done.reused
    assert not slow.reused
    assert slow.failure is None


@pytest.mark.parametrize("options", [(), ("--cold",)])
def test_ctrl_c_stops_at_once_and_keeps_what_is_finished(course: Course, tmp_path: Path, options) -> None:
    build, kernel = started_build(course, tmp_path / "pid", *options)
    ctrl_c(build)
    _, errors = build.communicate(timeout=15)
    assert build.returncode == 130
    assert errors.splitlines()[-1].startswith("mlcourse: interrupted; what is finished is kept")
    assert "Traceback" not in errors
    wait_until(lambda: not alive(kernel), 5)
    goes_on(course)


@pytest.mark.parametrize("options", [(), ("--cold",)])
def test_kill_9_leaves_nothing_half_written_and_no_kernel(course: Course, tmp_path: Path, options) -> None:
    build, kernel = started_build(course, tmp_path / "pid", *options)
    build.kill()
    build.communicate(timeout=15)
    wait_until(lambda: not alive(kernel), 10)
    goes_on(course)


def test_a_full_disk_is_said_and_what_was_finished_stays(course: Course, tmp_path: Path) -> None:
    """A real file system without room: the write fails with ENOSPC, the old result is untouched."""
    build = course.root / "_build"
    build.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=200k", "tmpfs", str(build)], capture_output=True, check=False
    )
    if mounted.returncode:
        pytest.skip("only root may mount a small file system; the test below fills a file instead")
    try:
        course.page("1-part/small", KNOBS, "print('small')")
        course.page("1-part/large", KNOBS, "print('x' * 400_000)")
        course.run("small")
        with pytest.raises(WriteError, match=r"cannot write .*large\.ipynb: No space left on device"):
            course.run("large")
        assert course.results() == {"1-part/small.ipynb"}
        course.page("1-part/large", KNOBS, "print('now it fits')")
        small, large = course.run()
        assert small.reused
        assert large.failure is None
    finally:
        subprocess.run(["umount", str(build)], check=True)


def test_a_file_that_may_not_grow_is_said_in_one_line(course: Course) -> None:
    course.page("1-part/small", KNOBS, "print('small')")
    course.page("1-part/large", KNOBS, "print('x' * 400_000)")
    script = textwrap.dedent(
        """
        import resource, signal, sys
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))
        from mlcourse.cli import main
        sys.argv = ["mlcourse", "run", "--jobs", "1"]
        main()
        """
    )
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=course.root, capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 1
    assert "large.ipynb: File too large; what is finished is kept" in done.stderr.splitlines()[-1]
    assert "Traceback" not in done.stderr
    assert course.results() == {"1-part/small.ipynb"}


def test_a_write_that_fails_leaves_the_old_file(tmp_path: Path) -> None:
    path = tmp_path / "result.ipynb"
    files.write(path, "old")
    limit = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, limit[1]))
    try:
        with pytest.raises(WriteError, match=os.strerror(errno.EFBIG)):
            files.write(path, "new" * 1000)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limit)
        signal.signal(signal.SIGXFSZ, handler)
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_what_a_killed_write_left_behind_goes(tmp_path: Path) -> None:
    path = tmp_path / "result.ipynb"
    (tmp_path / ".result.ipynb.4711.part").write_text("half")
    files.write(path, "whole")
    assert [entry.name for entry in tmp_path.iterdir()] == ["result.ipynb"]
    before = path.stat().st_mtime_ns
    files.write(path, "whole")
    assert path.stat().st_mtime_ns == before, "an equal file is left alone"
