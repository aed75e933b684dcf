"""With the network cut off there is loopback and nothing else, for warm kernels too; where it stays, a line says so."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import nbformat
import offline
import pytest
from course import Course, command, text_of

from mlcourse.runner import warm

LOOK = """
import socket
with socket.create_server(("127.0.0.1", 0)) as server, socket.create_connection(server.getsockname()):
    print("loopback answers")
try:
    socket.create_connection(("192.0.2.1", 80), timeout=2)
except OSError as error:
    print(error.strerror)
"""


def test_there_is_loopback_and_nothing_else(cut_off: list[str]) -> None:
    run = subprocess.run([*cut_off, sys.executable, "-c", LOOK], capture_output=True, text=True, check=True)
    assert run.stdout.splitlines()[-2:] == ["loopback answers", "Network is unreachable"]


def test_the_command_s_failure_is_its_own(cut_off: list[str]) -> None:
    assert subprocess.run([*cut_off, "sh", "-c", "exit 7"], capture_output=True, check=False).returncode == 7


@pytest.mark.skipif(not warm.supported(), reason="kernels can be forked on Linux only")
def test_a_warm_kernel_has_no_more_network_than_who_asks_for_it(
    course: Course, mlcourse: Callable[..., subprocess.CompletedProcess[str]], cut_off: list[str]
) -> None:
    """A server that has a network is at hand, and must not be asked."""
    course.page("part/a", "SEED: int = 0", "import os\nprint(os.readlink('/proc/self/ns/net'))")
    networks = []
    for before in ([], cut_off):
        (course.root / "requirements.txt").write_text(f"numpy=={len(before)}\n")  # runs again
        run = subprocess.run([*before, *command("run")], cwd=course.root, capture_output=True, text=True, check=False)
        assert run.returncode == 0, run.stderr
        (result,) = course.run()
        assert nbformat.read(result.path, as_version=4).metadata["mlcourse"]["warm"]
        networks.append(text_of(result.path).strip())
    assert networks[0] == str(Path("/proc/self/ns/net").readlink()) != networks[1]


def test_where_it_cannot_be_cut_off_that_is_said(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture
) -> None:
    became = []
    monkeypatch.setattr(offline, "hindrance", lambda: "not today")
    monkeypatch.setattr(os, "execvp", lambda *command: became.append(command))
    monkeypatch.delenv("CI", raising=False)
    offline.main(["true", "1"])
    assert became == [("true", ["true", "1"])]
    assert capsys.readouterr().out == "With the network NOT cut off (not today): true 1\n"
    monkeypatch.setenv("CI", "true")
    monkeypatch.setattr(sys, "platform", "linux")
    with pytest.raises(SystemExit, match="not today"):
        offline.main(["true", "1"])
    assert len(became) == 1
