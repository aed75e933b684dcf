"""The commands of the Makefile that go on until they are stopped really start: ``make lab``, ``make serve``."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import subprocess
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest
import websocket
from course import ROOT, alive, running, wait_until

from mlcourse.runner import warm

# No target may make the environment anew in the middle of a test, and no test is the child of another make.
MAKE = ["make", "--makefile", str(ROOT / "Makefile"), "--assume-old", ".venv/installed"]
ENV = {name: value for name, value in os.environ.items() if not name.startswith(("MAKE", "JUPYTER", "MFLAGS"))}

pytestmark = [
    pytest.mark.skipif(shutil.which("make") is None, reason="there is no make here"),
    pytest.mark.skipif(not (ROOT / ".venv/installed").exists(), reason="the environment is not make's"),
]


class Lab:
    """JupyterLab as ``make lab`` starts it, asked as its page in the browser asks it."""

    def __init__(self, address: str, token: str) -> None:
        self.address, self.headers = address, {"Authorization": f"token {token}"}

    def ask(self, method: str, path: str, content: Any = None) -> Any:
        data = None if content is None else json.dumps(content).encode()
        request = urllib.request.Request(f"{self.address}{path}", data, self.headers, method=method)
        with urllib.request.urlopen(request, timeout=30) as answer:
            return json.loads(answer.read() or "null")

    def execute(self, kernel: str, code: str) -> str:
        """What code prints in a kernel."""
        address = f"{self.address}api/kernels/{kernel}/channels".replace("http", "ws", 1)
        channel = websocket.create_connection(address, header=self.headers, timeout=60)
        header = {"msg_id": "1", "session": "1", "username": "", "version": "5.3", "msg_type": "execute_request"}
        content = {"code": code, "silent": False, "store_history": False}
        message = {"channel": "shell", "header": header, "parent_header": {}, "metadata": {}, "content": content}
        channel.send(json.dumps(message))
        printed = ""
        while True:
            answer = json.loads(channel.recv())
            if answer["parent_header"].get("msg_id") != "1":
                continue
            printed += answer["content"].get("text", "")
            if answer["content"].get("execution_state") == "idle":
                channel.close()
                return printed


@pytest.fixture
def lab(tmp_path: Path) -> Iterator[tuple[Lab, subprocess.Popen[str]]]:
    """``make lab``, without a browser, at a free port."""
    settings = {"open_browser": False, "port": 0, "allow_root": True}
    (tmp_path / "jupyter_server_config.json").write_text(json.dumps({"ServerApp": settings}))
    folders = {f"JUPYTER_{kind}_DIR": str(tmp_path) for kind in ("CONFIG", "RUNTIME", "DATA")}
    with (
        (tmp_path / "log").open("w") as log,
        running(
            [*MAKE, "lab"], cwd=ROOT, env=ENV | folders, stdout=log, stderr=log, stdin=subprocess.DEVNULL
        ) as process,
    ):

        def started() -> dict[str, Any] | None:
            assert process.poll() is None, (tmp_path / "log").read_text()
            for file in tmp_path.glob("jpserver-*.json"):
                if file.stat().st_size:
                    return json.loads(file.read_text())
            return None

        server = wait_until(started, 60)
        jupyter = Lab(server["url"], server["token"])

        def answers() -> bool:  # its file is there a moment before it listens
            with contextlib.suppress(urllib.error.URLError):
                return bool(jupyter.ask("GET", "api"))
            return False

        wait_until(answers, 60)
        yield jupyter, process


def test_make_lab_opens_the_pages_with_warm_kernels(lab: tuple[Lab, subprocess.Popen[str]]) -> None:
    jupyter, process = lab
    page = "1-data-representation/hashed_feature.ipynb"
    assert jupyter.ask("GET", f"api/contents/{page}?content=0")["type"] == "notebook"
    kernel = jupyter.ask("POST", "api/kernels", {"name": "python3", "path": page})["id"]
    code = "import sys; ready = 'numpy' in sys.modules; import os; print(ready, os.getpid(), os.getcwd())"
    ready, pid, folder = jupyter.execute(kernel, code).split()
    # Where kernels can be forked, this one was: it has imported what no page has asked for yet.
    assert ready == str(warm.supported())
    assert Path(folder) == ROOT / "notebooks/1-data-representation"
    jupyter.ask("POST", "api/shutdown")
    assert process.wait(timeout=30) == 0
    wait_until(lambda: not alive(int(pid)))


def test_make_serve_says_what_it_lacks(tmp_path: Path) -> None:
    run = subprocess.run([*MAKE, "serve"], cwd=tmp_path, env=ENV, capture_output=True, text=True, check=False)
    assert run.returncode != 0
    assert run.stdout == "There is no book yet; make book builds it.\n"


def test_make_serve_shows_the_book_on_this_machine_alone(tmp_path: Path) -> None:
    (tmp_path / "_build/html").mkdir(parents=True)
    (tmp_path / "_build/html/index.html").write_text("The book.")
    (tmp_path / ".venv").symlink_to(ROOT / ".venv")
    env = ENV | {"PYTHONUNBUFFERED": "1"}
    with running([*MAKE, "serve"], cwd=tmp_path, env=env, stdout=subprocess.PIPE) as process:
        words = process.stdout.readline()
        address = words[words.index("http://") :].split("/)")[0]
        with urllib.request.urlopen(address, timeout=30) as answer:
            assert answer.read() == b"The book."
        listening = [
            connection.laddr.ip
            for child in psutil.Process(process.pid).children(recursive=True)
            for connection in child.net_connections("inet")
            if connection.status == psutil.CONN_LISTEN
        ]
        assert listening == ["127.0.0.1"]
