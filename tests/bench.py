"""How fast the pages run and the book is rebuilt, and what its pages weigh: ``make bench``.

Everything is measured in a copy of the course's pages, with a warm server of its own, and nothing of it stays but the
numbers: tables on the terminal, and ``_build/bench.json``. The machinery measured is the checkout's. Three parts:

``run``
    Pages with their default parameters: by ``mlcourse run``, and by the tools that others run notebooks with. All of
    them get the same pages, ordinary kernels (ours aside) and one OpenMP thread a kernel.
``rebuild``
    The book from nothing, then after no change, a changed word and a changed code cell.
``weight``
    What a browser loads for each page, without and with its figures.

CPU seconds are those of all processes that a command started. A warm kernel's parent is the warm server, not the
command. So this process adopts the server (Linux), and counts what ended (``getrusage``) and what the servers that
live, and the kernels that they have seen end, have used so far (``/proc``).
"""

from __future__ import annotations

import argparse
import contextlib
import ctypes
import datetime
import json
import os
import platform
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import nbformat
import psutil
import yaml
from browser.visit import ARGUMENTS, chromium, loaded, served
from playwright.sync_api import sync_playwright
from rich import box
from rich.console import Console
from rich.table import Table

from mlcourse.runner.catalogue import CatalogueError, load_catalogue
from mlcourse.runner.warm_server import MODULES
from mlcourse.site.stage import FIGURES, toc_files

ROOT = Path(__file__).parents[1]
# What a course is, beside the machinery.
COURSE = ("notebooks", "book", "data/README.md", "_toc.yml", "_config.yml", "pyproject.toml", "requirements.txt")

# The goals: so many times as fast as the fastest other tool, once there are enough pages that a server's start does
# not matter; and at most so many times the limit, which is the cells' own time spread over the cores.
TIMES_AS_FAST, ENOUGH_PAGES, TIMES_THE_LIMIT = 3, 12, 1.15
# A machine that does more than this beside the measurement makes it an upper bound.
IDLE_LOAD = 0.5

PYTHON = [sys.executable, "-m"]
console = Console()
console.width = max(console.width, 100)


# ------------------------------------------------------------------------------------------------ one measurement


def adopt_orphans() -> None:
    """Make this process the parent of what its descendants leave behind, such as the warm server (Linux)."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(36, 1)  # PR_SET_CHILD_SUBREAPER


def children() -> list[psutil.Process]:
    """The processes that live on after their command: the warm server. What has ended is put to rest."""
    with contextlib.suppress(ChildProcessError):
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass
    return psutil.Process().children()


def cpu_seconds() -> float:
    """What all commands so far have used, processes included that live on."""
    alive = children()
    ended = resource.getrusage(resource.RUSAGE_CHILDREN)
    # The first four: user and system, its own and that of its children which have ended.
    return ended.ru_utime + ended.ru_stime + sum(sum(child.cpu_times()[:4]) for child in alive)


def end_children() -> None:
    """End the warm server, and whatever else was left."""
    for process in psutil.Process().children(recursive=True):
        with contextlib.suppress(psutil.NoSuchProcess):
            process.kill()
    while children():
        time.sleep(0.05)


def measured(*commands: list[str], folder: Path) -> dict[str, float]:
    """Wall and CPU seconds that commands, one after the other, take in a folder. A command that fails ends it all."""
    before, start = cpu_seconds(), time.perf_counter()
    for command in commands:
        run = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
        if run.returncode:
            sys.exit(f"bench: {' '.join(command)} failed:\n{(run.stdout + run.stderr)[-4000:]}")
    wall = time.perf_counter() - start
    while any(child.children() for child in children()):  # the last kernels, which their server sees end
        time.sleep(0.01)
    return {"wall": round(wall, 2), "cpu": round(cpu_seconds() - before, 2)}


def repeated(name: str, times: int, measure: Callable[[], dict[str, float]], **facts: Any) -> dict[str, Any]:
    """A measurement made several times: the median, and all of them."""
    runs = []
    for number in range(times):
        console.print(f"[dim]{datetime.datetime.now():%H:%M:%S} {name}, {number + 1} of {times} ...[/dim]")
        runs.append(measure())
    wall, cpu = (round(statistics.median(run[kind] for run in runs), 2) for kind in ("wall", "cpu"))
    return {"name": name, "wall": wall, "cpu": cpu, "runs": runs, **facts}


# ------------------------------------------------------------------------------------------------ the parts


class Bench:
    """Measures a copy of the course."""

    def __init__(self, folder: Path, names: list[str], jobs: int, repeats: int) -> None:
        self.folder, self.names, self.jobs, self.repeats = folder, names, jobs, repeats
        self.root, self.build = folder / "course", folder / "course/_build"
        for name in COURSE:
            (self.root / name).parent.mkdir(parents=True, exist_ok=True)
            (shutil.copytree if (ROOT / name).is_dir() else shutil.copy)(ROOT / name, self.root / name)
        self.pages = load_catalogue(self.root).select(names)
        self.changes = 0

    def mlcourse(self, command: str, *arguments: str, jobs: int | None = None) -> list[str]:
        return [*PYTHON, "mlcourse.cli", command, *arguments, "--jobs", str(jobs or self.jobs)]

    # -- run

    def run(self) -> dict[str, Any]:
        """Pages with their defaults, by us and by others."""
        subprocess.run([sys.executable, "-c", f"import {', '.join(MODULES)}"], check=True, stderr=subprocess.DEVNULL)
        run = self.mlcourse("run", *self.names)

        def first() -> dict[str, float]:
            end_children()
            return again()

        def again() -> dict[str, float]:
            self.forget("pages")
            return measured(run, folder=self.root)

        def outdated() -> dict[str, float]:
            with (self.root / "requirements.txt").open("a") as lock:
                lock.write("# another lock, as far as a page's key can tell\n")
            return measured(run, folder=self.root)

        ours = [
            repeated("mlcourse run, the first time", self.repeats, first),
            repeated("mlcourse run, server up", self.repeats, again),
            repeated("mlcourse run, results outdated", self.repeats, outdated),
        ]
        self.forget("pages")
        serial = repeated("mlcourse run --jobs 1", 1, lambda: measured(self.serial, folder=self.root))
        cells = {page.id: self.facts(page.id)["cells_seconds"] for page in self.pages}
        limit = round(max(sum(cells.values()) / self.jobs, *cells.values()), 2)
        end_children()
        others = [
            repeated(f"pytest --nbmake -n {self.jobs}", 1, self.nbmake),
            repeated("papermill, serial", 1, self.papermill),
            repeated("jupyter-book build, serial *", 1, self.jupyter_book),
        ]
        rows = [*ours, serial, *others]
        if self.pages == load_catalogue(self.root).select():  # a build is always of the whole book
            (self.root / "book/parameters.yml").write_text("")
            self.forget("")
            rows.insert(len(ours), repeated("mlcourse build *", 1, self.built))
            shutil.copy(ROOT / "book/parameters.yml", self.root / "book")
        return {"rows": rows, "ours": len(ours), "cells_seconds": cells, "limit": limit, "pages": len(self.pages)}

    @property
    def serial(self) -> list[str]:
        return self.mlcourse("run", *self.names, jobs=1)

    def nbmake(self) -> dict[str, float]:
        # Without our conftest.py, which is not copied: nbmake as it comes.
        paths = [str(page.file) for page in self.pages]
        return measured([*PYTHON, "pytest", "--nbmake", "-n", str(self.jobs), *paths], folder=self.root)

    def papermill(self) -> dict[str, float]:
        out = self.fresh("papermill")
        options = ["--kernel", "python3", "--no-progress-bar", "--log-level", "ERROR"]
        paths = [(str(page.file), str(out / f"{page.part}-{page.name}.ipynb")) for page in self.pages]
        return measured(*([*PYTHON, "papermill", *paths, *options] for paths in paths), folder=out)

    def jupyter_book(self) -> dict[str, float]:
        """A plain book of the pages, with Jupyter Book's own settings but for the execution."""
        book = self.fresh("jupyter-book")
        chapters = []
        for page in self.pages:
            copy = book / page.file.relative_to(self.root)
            copy.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(page.file, copy)
            chapters.append({"file": str(copy.relative_to(book).with_suffix(""))})
        (book / "index.md").write_text("# Pages\n")
        (book / "_toc.yml").write_text(yaml.safe_dump({"format": "jb-book", "root": "index", "chapters": chapters}))
        settings = {
            "title": "Pages",
            "execute": {"execute_notebooks": "force", "timeout": 600},
            "sphinx": {"config": {"nb_execution_raise_on_error": True}},
        }
        (book / "_config.yml").write_text(yaml.safe_dump(settings))
        result = measured(["jupyter-book", "build", str(book)], folder=book)
        executed = list((book / "_build/jupyter_execute").rglob("*.ipynb"))
        assert len(executed) == len(self.pages), "it must have executed every page"
        return result

    # -- rebuild

    def rebuild(self) -> dict[str, Any]:
        """The whole book from nothing, and after a change."""
        end_children()
        self.forget("")
        full = repeated("from nothing", 1, self.built)
        pages = [page.id for page in load_catalogue(self.root).select()]
        seconds = {id: self.facts(id, "book")["seconds"] for id in pages}
        page = sorted(seconds, key=seconds.get)[len(seconds) // 2]

        def changed(kind: str, words: str) -> Callable[[], dict[str, float]]:
            def measure() -> dict[str, float]:
                self.change(page, kind, words)
                return self.built()

            return measure

        rows = [
            full,
            repeated("nothing changed", self.repeats, self.built),
            repeated("a word changed", self.repeats, changed("markdown", " Words ")),
            repeated("a code cell changed", self.repeats, changed("code", "\n# change ")),
        ]
        return {"rows": rows, "pages": len(pages), "page": page, "page_seconds": seconds[page]}

    def built(self) -> dict[str, float]:
        return measured(self.mlcourse("build"), folder=self.root)

    def change(self, page: str, kind: str, words: str) -> None:
        """Add words that no build has seen to a page's last cell of a kind."""
        self.changes += 1
        path = self.root / "notebooks" / f"{page}.ipynb"
        notebook = nbformat.read(path, as_version=4)
        cell = [cell for cell in notebook.cells if cell.cell_type == kind][-1]
        cell.source += f"{words}{self.changes}"
        nbformat.write(notebook, path)

    # -- weight

    def weight(self) -> dict[str, Any]:
        """What a browser loads for each page of the book."""
        if (browser := chromium()) is None:
            console.print("No Chromium here: the pages are not weighed.")
            return {"rows": []}
        if not self.build.exists() and (ROOT / "_build/pages").exists():
            shutil.copytree(ROOT / "_build/pages", self.build / "pages")  # what is up to date need not run again
        self.built()
        rows = []
        with served(self.build / "html") as site, sync_playwright() as playwright:
            visitor = playwright.chromium.launch(executable_path=browser, args=ARGUMENTS)
            for name in toc_files(self.root):
                page = visitor.new_page()
                parts = loaded(page, f"{site}/{name}.html")
                page.close()
                own = [size for address, size in parts if FIGURES not in address]
                figures = [size for address, size in parts if FIGURES in address]
                weight = {"bytes": sum(own), "requests": len(own)}
                rows.append({"name": name, **weight, "figure_bytes": sum(figures), "figures": len(figures)})
            visitor.close()
        return {"rows": rows}

    # -- helpers

    def facts(self, page: str, profile: str = "quick") -> dict[str, Any]:
        path = self.build / "pages" / profile / f"{page}.ipynb"
        return nbformat.read(path, as_version=4).metadata["mlcourse"]

    def forget(self, what: str) -> None:
        shutil.rmtree(self.build / what, ignore_errors=True)

    def fresh(self, name: str) -> Path:
        shutil.rmtree(self.folder / name, ignore_errors=True)
        (self.folder / name).mkdir()
        return self.folder / name


# ------------------------------------------------------------------------------------------------ tables


def seconds(row: dict[str, Any]) -> list[str]:
    """A measurement in words: wall time, its spread where there are several runs, CPU time."""
    walls = [run["wall"] for run in row["runs"]]
    spread = f"{min(walls):.1f}–{max(walls):.1f}" if len(walls) > 1 else ""
    return [f"{row['wall']:.1f}", spread, f"{row['cpu']:.1f}"]


def table(title: str, *columns: str) -> Table:
    result = Table(title=title, title_justify="left", title_style="bold", header_style="", box=box.SIMPLE_HEAD)
    for number, column in enumerate(columns):
        result.add_column(column, justify="right" if number else "left", no_wrap=True)
    return result


def show_run(part: dict[str, Any], jobs: int) -> None:
    ours, others = part["rows"][: part["ours"]], part["rows"][part["ours"] :]
    quickest = min(ours, key=lambda row: row["wall"])
    shown = table(f"{part['pages']} pages with their defaults", "", "wall s", "of", "CPU s", "× ours", "× limit")
    for row in (*ours, *others):
        ratios = f"{row['wall'] / quickest['wall']:.2f}", f"{row['wall'] / part['limit']:.2f}"
        shown.add_row(row["name"], *seconds(row), *ratios)
    shown.add_row("limit", f"{part['limit']:.1f}", "", "", "", "1.00")
    console.print(shown)
    console.print(
        "The first time there is neither a warm server nor a result. Outdated results tell which pages take long.\n"
        f"The limit is the time of the cells of all pages in a warm kernel, one page at a time, over {jobs} cores.\n"
        "* executes the pages and renders them.\n"
    )
    peers = [row for row in others if not row["name"].startswith("mlcourse")]
    fastest = min(peers, key=lambda row: row["wall"])
    when = "" if part["pages"] >= ENOUGH_PAGES else f" once there are {ENOUGH_PAGES} pages; these are {part['pages']}"
    for row in ours:
        console.print(
            f"{row['name']}: {fastest['wall'] / row['wall']:.1f} times as fast as {fastest['name']} "
            f"(goal {TIMES_AS_FAST}{when}), {row['wall'] / part['limit']:.2f} of the limit (goal {TIMES_THE_LIMIT})"
        )


def show_rebuild(part: dict[str, Any], _: int) -> None:
    full = part["rows"][0]["wall"]
    shown = table(f"The book of {part['pages']} pages, as published", "", "wall s", "of", "CPU s", "share")
    for row in part["rows"]:
        shown.add_row(row["name"], *seconds(row), f"{row['wall'] / full:.1%}")
    console.print(shown)
    console.print(f"Changed was {part['page']}, which runs {part['page_seconds']:.1f} s.")


def show_weight(part: dict[str, Any], _: int) -> None:
    shown = table("What a browser loads", "", "kB", "requests", "figures kB", "files")
    for row in part["rows"]:
        numbers = row["bytes"] / 1000, row["requests"], row["figure_bytes"] / 1000, row["figures"]
        shown.add_row(row["name"], *(f"{number:,.0f}" for number in numbers))
    console.print(shown)
    console.print("A figure is loaded when it comes into view.")


# ------------------------------------------------------------------------------------------------ all of it


@contextlib.contextmanager
def workshop() -> Iterator[Path]:
    """A folder for copies, and settings: a warm server for us alone, ordinary kernels for the others."""
    adopt_orphans()
    with tempfile.TemporaryDirectory(prefix="mlcourse-bench-") as name:
        for setting in [setting for setting in os.environ if setting.startswith("MLCOURSE_WARM")]:
            del os.environ[setting]
        (Path(name) / "run").mkdir(mode=0o700)
        os.environ |= {
            "XDG_RUNTIME_DIR": str(Path(name) / "run"),  # the warm server's socket
            "IPYTHONDIR": str(Path(name) / "ipython"),
            "JUPYTER_DEFAULT_PROVISIONER_NAME": "local-provisioner",
            "JUPYTER_PREFER_ENV_PATH": "1",
            "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
            "MLCOURSE_STRICT": "1",
            "OMP_NUM_THREADS": "1",
            "CUDA_VISIBLE_DEVICES": "-1",
        }
        try:
            yield Path(name)
        finally:
            end_children()


def machine() -> dict[str, Any]:
    """Where and when."""
    commit = subprocess.run(["git", "-C", ROOT, "describe", "--always", "--dirty"], capture_output=True, text=True)
    return {
        "started": datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
        "commit": commit.stdout.strip(),
        "system": platform.platform(),
        "python": platform.python_version(),
        "cores": len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count(),
        "load": round(os.getloadavg()[0], 2),
    }


SHOW = {"run": show_run, "rebuild": show_rebuild, "weight": show_weight}


def main() -> None:
    parser = argparse.ArgumentParser(description="Measure the course; see the head of tests/bench.py.")
    parser.add_argument("pages", nargs="*", help="pages or parts for the part 'run', as mlcourse run takes them")
    parser.add_argument("--only", choices=SHOW, help="one part instead of all three")
    parser.add_argument("--jobs", type=int, default=2, help="pages side by side")
    parser.add_argument("--repeats", type=int, default=3, help="runs of ours; the others run once")
    given = parser.parse_args()
    parts = {}
    with workshop() as folder:
        try:
            bench = Bench(folder, given.pages, given.jobs, given.repeats)
        except CatalogueError as error:
            sys.exit(f"bench: {error}")
        for part in [given.only] if given.only else SHOW:
            facts = machine()
            if facts["load"] > IDLE_LOAD:
                console.print(f"[yellow]The machine is busy (load {facts['load']}): times are upper bounds.[/yellow]")
            parts[part] = {**facts, "jobs": given.jobs, **getattr(bench, part)()}
    for part, numbers in parts.items():
        console.print()
        SHOW[part](numbers, given.jobs)
    file = ROOT / "_build/bench.json"
    file.parent.mkdir(exist_ok=True)
    before = json.loads(file.read_text()) if file.exists() else {}
    file.write_text(json.dumps(before | parts, indent=1) + "\n")
    console.print(f"\nAll numbers: {file}")


if __name__ == "__main__":
    main()
