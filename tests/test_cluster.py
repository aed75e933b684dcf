"""``mlcourse run --ray``: pages on a real Ray cluster of one machine, and one line where there is no cluster."""

from __future__ import annotations

import http.server
import os
import shutil
import socket
import subprocess
import sysconfig
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import nbformat
import psutil
import pytest
from course import SEED, SLOW, Course, alive, code, ctrl_c, one_line, started, text_of, wait_until

pytest.importorskip("ray", reason="no Ray for this platform")

KNOBS = code(f"{SEED}\nROWS: int = 10  # rows", "parameters")
# On Linux, too, Ray shall keep to the loopback device.
QUIET = {"RAY_USAGE_STATS_ENABLED": "0", "RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER": "0"}
WHERE = "import os; print('on the cluster' if 'RAY_JOB_ID' in os.environ else 'here')"


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return server.getsockname()[1]


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    """The address of a cluster with two CPUs, whose processes are gone after the last test."""
    folder = Path(tempfile.mkdtemp(prefix="ray-", dir="/tmp"))  # its sockets' paths must be short
    log, written = folder / "log", folder / "ray_current_cluster"
    with log.open("wb") as stream:
        head = subprocess.Popen(
            [
                *(Path(sysconfig.get_path("scripts"), "ray"), "start", "--head", "--block", "--disable-usage-stats"),
                *("--node-ip-address", "127.0.0.1", "--port", "0", "--ray-client-server-port", str(free_port())),
                *("--num-cpus", "2", "--num-gpus", "0", "--memory", "1000000000", "--object-store-memory", "80000000"),
                *("--include-dashboard", "false", "--include-log-monitor", "false", "--no-monitor"),
                *("--temp-dir", folder),
            ],
            env=os.environ | QUIET | {"HOME": str(folder)},
            stdout=stream,
            stderr=stream,
        )
    try:
        # Ray writes the address last, after it has said that it is started.
        wait_until(lambda: (written.exists() and written.read_text()) or head.poll() is not None, 180)
        assert head.poll() is None, log.read_text()
        yield written.read_text().strip()
    finally:
        processes = []
        if head.poll() is None:
            processes = [psutil.Process(head.pid), *psutil.Process(head.pid).children(recursive=True)]
        head.terminate()
        head.wait(40)
        _, left = psutil.wait_procs(processes, timeout=10)
        for process in left:
            process.kill()
        shutil.rmtree(folder)
    assert left == []


def results(course: Course) -> dict[str, list]:
    """What pages printed, claimed and were given, without what differs between two runs of the same page."""
    found = {}
    for path in sorted(course.root.glob("_build/pages/custom/**/*.ipynb")):
        notebook = nbformat.read(path, as_version=4)
        facts = {name: notebook.metadata["mlcourse"][name] for name in ("key", "parameters", "claims", "warm")}
        found[path.stem] = [facts, [(cell.id, cell.source, cell.get("outputs")) for cell in notebook.cells]]
    return found


def test_pages_give_on_a_cluster_what_they_give_here(course: Course, mlcourse, address: str) -> None:
    course.page("1-part/a", KNOBS, "import numpy as np", "np.random.default_rng(SEED).random(ROWS)")
    course.page("1-part/b", KNOBS, "from mlcourse.claims import claim", 'claim("Rows are few.", ROWS, at_most=20)')
    course.page("1-part/where", KNOBS, WHERE)
    words = ("run", "a", "b", "-p", "ROWS=7", "--seed", "3")
    done = mlcourse(*words, "--ray", address, env=QUIET)
    assert done.returncode == 0, done.stderr
    assert "2 of 2 pages are good (2 executed" in done.stdout
    there = results(course)
    shutil.rmtree(course.root / "_build")
    assert mlcourse(*words).returncode == 0
    assert there == results(course)
    assert set(there) == {"a", "b"}
    # It was the cluster indeed.
    assert mlcourse("run", "where", "--ray", address, env=QUIET).returncode == 0
    assert text_of(course.root / "_build/pages/quick/1-part/where.ipynb") == "on the cluster\n"


def test_a_page_that_fails_on_a_cluster_is_described_and_the_others_are_kept(course: Course, mlcourse, address) -> None:
    course.page("1-part/bad", KNOBS, "1 / 0")
    course.page("1-part/good", KNOBS)
    done = mlcourse("run", "--ray", address, env=QUIET)
    assert done.returncode == 1
    assert "1-part/bad FAILED: ZeroDivisionError: division by zero\nin cell 1" in done.stderr
    assert course.results() == {"1-part/good.ipynb"}


def test_ctrl_c_ends_the_pages_on_the_cluster(course: Course, address: str, tmp_path: Path) -> None:
    pid_file = tmp_path / "pid"
    course.page("1-part/slow", KNOBS, SLOW.format(str(pid_file)))
    run = started(course, "run", "--ray", address, env=QUIET)
    wait_until(lambda: pid_file.exists() and pid_file.read_text(), 60)
    ctrl_c(run)
    _, errors = run.communicate(timeout=20)
    assert run.returncode == 130
    assert errors.splitlines()[-1].startswith("mlcourse: interrupted; what is finished is kept")
    wait_until(lambda: not alive(int(pid_file.read_text())), 10)


class _Silent(http.server.BaseHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        pass


@pytest.mark.parametrize("address", ["nonsense", "127.0.0.1:{closed}", "ray://127.0.0.1:{closed}", "127.0.0.1:{web}"])
def test_where_there_is_no_cluster_it_is_said_in_one_line(course: Course, mlcourse, address: str) -> None:
    course.page("1-part/old", KNOBS)
    course.run()
    course.page("1-part/page", KNOBS)
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), _Silent) as web:
        threading.Thread(target=web.serve_forever, daemon=True).start()
        address = address.format(closed=free_port(), web=web.server_port)
        started = time.monotonic()
        done = mlcourse("run", "--ray", address, env=QUIET)
        web.shutdown()
    assert one_line(done).startswith(f"mlcourse: there is no Ray cluster at '{address}' (")
    assert time.monotonic() - started < 30
    assert course.results() == {"1-part/old.ipynb"}
