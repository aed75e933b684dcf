"""A small course to test the machinery with."""

from __future__ import annotations

import ast
import contextlib
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import nbformat
import psutil

ROOT = Path(__file__).parents[1]

SEED = "SEED: int = 0  # draws everything that is random"
# A cell that writes its kernel's process id to a file, and then has work for a minute.
SLOW = "import os, pathlib, time\npathlib.Path({0!r}).write_text(str(os.getpid()))\ntime.sleep(60)"


@cache
def imports(path: Path) -> frozenset[str]:
    """The top modules that a file imports, in functions too."""
    from mlcourse.runner.catalogue import read_notebook
    from mlcourse.runner.key import without_magics

    source = path.read_text("utf8")
    if path.suffix == ".ipynb":
        source = "\n".join(
            without_magics(cell.source) for cell in read_notebook(path).cells if cell.cell_type == "code"
        )
    found = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            found |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and not node.level:
            found.add(node.module.partition(".")[0])
    return frozenset(found)


def code(source: str, *tags: str) -> nbformat.NotebookNode:
    return nbformat.v4.new_code_cell(source, metadata={"tags": list(tags)} if tags else {})


def words(source: str) -> nbformat.NotebookNode:
    return nbformat.v4.new_markdown_cell(source)


class Course:
    """A course in a folder: a table of contents, pages, and nothing else."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.listed: list[str] = []
        (root / "book").mkdir(parents=True)
        (root / "requirements.txt").write_text("numpy==2\n")
        self.list_pages()

    def list_pages(self, *ids: str) -> None:
        """Write ``_toc.yml`` with these pages more."""
        self.listed += ids
        files = "".join(f"\n      - file: notebooks/{id}" for id in self.listed)
        chapters = f"parts:\n  - caption: A part\n    chapters:{files}\n" if files else ""
        (self.root / "_toc.yml").write_text(f"format: jb-book\nroot: book/index\n{chapters}")

    def page(self, id: str, *cells: str | nbformat.NotebookNode, listed: bool = True) -> Path:
        """Add or replace a page; a text is a code cell. Returns the notebook's path."""
        notebook = nbformat.v4.new_notebook(cells=[code(cell) if isinstance(cell, str) else cell for cell in cells])
        for number, cell in enumerate(notebook.cells):
            cell["id"] = f"cell-{number}"
        path = self.root / "notebooks" / f"{id}.ipynb"
        path.parent.mkdir(parents=True, exist_ok=True)
        nbformat.write(notebook, path)
        if listed and id not in self.listed:
            self.list_pages(id)
        return path

    def for_authors(self, *parts: str) -> None:
        """Add what the authors' commands need: parts (``1-part`` if none is named), the address, the style."""
        for part in parts or ("1-part",):
            (self.root / "notebooks" / part).mkdir(parents=True, exist_ok=True)
        for file in ("pyproject.toml", "notebooks/ruff.toml"):
            shutil.copy(ROOT / file, self.root / file)

    def book(self, text: str) -> None:
        """Write ``book/parameters.yml``."""
        (self.root / "book" / "parameters.yml").write_text(text)

    def select(self, *names: str) -> list[Any]:
        from mlcourse.runner.catalogue import load_catalogue

        return load_catalogue(self.root).select(names)

    def run(self, *names: str, **options: Any) -> list[Any]:
        """Run pages in this process."""
        from mlcourse.runner.execute import run_pages

        return run_pages(self.root, self.select(*names), progress=False, **options)

    def results(self, profile: str = "quick") -> set[str]:
        """What lies below ``_build/pages/<profile>``, half-written files included."""
        folder = self.root / "_build" / "pages" / profile
        return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}


def command(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "mlcourse.cli", *arguments]


def started(course: Course, *arguments: str, env: Mapping[str, str] | None = None) -> subprocess.Popen[str]:
    """The command ``mlcourse``, at work in a course as in a terminal: :func:`ctrl_c` reaches all that it started."""
    return subprocess.Popen(
        command(*arguments),
        cwd=course.root,
        env=os.environ | (env or {}),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
        # The tests themselves may run in the background, where a shell lets nothing hear a Ctrl-C.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )


def ctrl_c(process: subprocess.Popen[str]) -> None:
    os.killpg(process.pid, signal.SIGINT)


def one_line(result: subprocess.CompletedProcess[str]) -> str:
    """The only line of a command that was given bad input."""
    assert result.returncode == 2, result.stderr
    assert result.stdout == ""
    (line,) = result.stderr.splitlines()
    assert line.startswith("mlcourse: ")
    return line


@contextlib.contextmanager
def running(command: list[str], **options: Any) -> Iterator[subprocess.Popen[str]]:
    """A command that goes on until it is stopped; it and its children are gone at the end."""
    with subprocess.Popen(command, text=True, start_new_session=True, **options) as process:
        try:
            yield process
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGTERM)
            try:
                process.wait(timeout=20)
            finally:
                with contextlib.suppress(ProcessLookupError):
                    os.killpg(process.pid, signal.SIGKILL)


def text_of(path: Path) -> str:
    """Everything that the cells of an executed page printed."""
    notebook = nbformat.read(path, as_version=4)
    return "".join(output.get("text", "") for cell in notebook.cells for output in cell.get("outputs", []))


def shown(cell: nbformat.NotebookNode) -> str:
    """What a cell shows in every run: nothing where it shows a clock, no addresses, no random ids of pandas' tables.

    What it prints is taken together: in how many pieces the kernel sends it depends on how busy the machine is.
    """
    printed: dict[str, str] = {}
    others = []
    for output in [] if "timed" in cell.metadata.get("tags", []) else cell.get("outputs", []):
        if output.output_type == "stream":
            printed[output.name] = printed.get(output.name, "") + output.text
        else:
            others.append(output)
    return re.sub(r"0x[0-9a-f]+|T_[0-9a-f]{5}", "", json.dumps([printed, others]))


def wait_until(condition: Callable[[], Any], seconds: float = 20) -> Any:
    """The first true value of ``condition``, looked at again and again."""
    deadline = time.monotonic() + seconds
    while not (value := condition()):
        assert time.monotonic() < deadline, f"waited {seconds} s in vain"
        time.sleep(0.05)
    return value


def alive(pid: int) -> bool:
    with contextlib.suppress(psutil.NoSuchProcess):
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    return False
