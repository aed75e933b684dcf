"""Executes pages: parameters in, an executed notebook out, several pages side by side.

A result lands in ``_build/pages/<profile>/<page id>.ipynb`` by one rename, with what is known about it in its
metadata under ``mlcourse``: key, parameters, claims, seconds, peak memory. It is used again for as long as the
page's key (:mod:`mlcourse.runner.key`) stays the same.
"""

from __future__ import annotations

import asyncio
import contextlib
import copy
import itertools
import json
import os
import re
import shutil
import signal
import sys
import tempfile
import threading
import time
import traceback
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import nbformat
import papermill
from jupyter_client.kernelspec import KernelSpec
from jupyter_client.manager import AsyncKernelManager
from jupyter_core.utils import ensure_event_loop
from nbclient.exceptions import CellTimeoutError, DeadKernelError
from papermill.clientwrap import PapermillNotebookClient
from papermill.engines import NBClientEngine, papermill_engines
from papermill.exceptions import PapermillExecutionError

from mlcourse.claims import CLAIM_MIME
from mlcourse.parameters import ParameterError
from mlcourse.runner import cluster
from mlcourse.runner.catalogue import Page
from mlcourse.runner.files import as_text, write
from mlcourse.runner.key import content_key

# Seconds that one cell may take.
CELL_TIMEOUT = 600
# How much of a traceback a reader of a failure needs.
_LAST_LINES = 12
# A result's own folder, beside those of the profiles, when somebody has set parameters by hand.
CUSTOM = "custom"

_ANSI = re.compile(r"\x1b\[[0-9;]*[A-Za-z]")


@dataclass(frozen=True)
class Failure:
    """Why a page failed."""

    error: str  # the exception's name, such as ClaimError
    message: str  # one line
    cell: int | None = None  # the cell's number in the page, from 0
    source: str = ""  # the first lines of that cell
    claim: str = ""  # the claim that does not hold, if that is the reason
    traceback: tuple[str, ...] = ()  # the last lines, without colours


@dataclass(frozen=True)
class PageResult:
    """What came of one page."""

    page: Page
    path: Path | None  # the executed notebook; None if the page failed
    seconds: float = 0.0  # wall time of the run that made the result, the kernel's start and end included
    peak_mb: float | None = None  # the kernel's peak memory
    reused: bool = False  # an earlier run's result is still good
    failure: Failure | None = None


@dataclass(frozen=True)
class Job:
    """All that executing one page takes, so that another process or machine can do it."""

    id: str
    notebook: str
    parameters: Mapping[str, Any]
    key: str
    cold: bool
    timeout: int


@dataclass(frozen=True)
class Outcome:
    """What executing a job gave: an executed notebook, or a failure."""

    notebook: str = ""
    seconds: float = 0.0
    peak_mb: float | None = None
    failure: Failure | None = None


# ------------------------------------------------------------------------------------------------ one page


class _KernelManager(AsyncKernelManager):
    """Starts this environment's own kernel, whatever kernels the user has installed, over Unix sockets.

    TCP ports are chosen first and bound later, and with several kernels starting at once two can get the same.
    """

    provisioner_name = "local-provisioner"

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self._kernel_spec = KernelSpec(
            argv=[
                *(sys.executable, "-Xfrozen_modules=off", "-m", "ipykernel_launcher", "-f", "{connection_file}"),
                # It would tell that it is being shut down, and so would its event loop if it was just answering.
                "--log-level=CRITICAL",
                "--IPKernelApp.exec_lines=__import__('logging').getLogger('tornado.general').setLevel('CRITICAL')",
            ],
            display_name="Python 3",
            language="python",
            metadata={"kernel_provisioner": {"provisioner_name": self.provisioner_name}},
        )
        self.sockets = Path(tempfile.mkdtemp(prefix="mlcourse-kernel-"))
        self.connection_file = str(self.sockets / "kernel.json")
        self.transport, self.ip = "ipc", str(self.sockets / "socket")

    async def _async_cleanup_resources(self, restart: bool = False) -> None:
        await super()._async_cleanup_resources(restart)
        shutil.rmtree(self.sockets, ignore_errors=True)

    cleanup_resources = _async_cleanup_resources


class _Kernels:
    """The kernels that run in this process's threads, so that a Ctrl-C ends them."""

    def __init__(self) -> None:
        self.groups: set[int] = set()
        self.stopped = False

    @contextlib.contextmanager
    def running(self, group: int) -> Iterator[None]:
        self.groups.add(group)
        try:
            if self.stopped:
                raise DeadKernelError("stopped before it began")
            yield
        finally:
            self.groups.discard(group)

    def stop(self) -> None:
        self.stopped = True
        for group in tuple(self.groups):
            with contextlib.suppress(ProcessLookupError):
                os.killpg(group, signal.SIGKILL)


_KERNELS = _Kernels()


class _Turn:
    """A page's turn to compute: taken at once if there is one, else when the page's kernel is ready and one is free.

    So the kernels of some pages start and end while others compute.
    """

    def __init__(self, turns: threading.Semaphore) -> None:
        self.turns = turns
        self.mine = turns.acquire(blocking=False)
        self.waited = 0.0

    def __enter__(self) -> None:
        clock = time.perf_counter()
        self.mine = self.mine or self.turns.acquire()
        self.waited = time.perf_counter() - clock

    def over(self, *_: object) -> None:
        if self.mine:
            self.mine = False
            self.turns.release()

    __exit__ = over


class _WarmKernelManager(_KernelManager):
    provisioner_name = "mlcourse-warm"


class _Client(PapermillNotebookClient):
    """Papermill's client, which waits for its turn and notes what its kernel was and what it took."""

    turn: _Turn

    def papermill_execute_cells(self) -> None:
        with self.turn, _KERNELS.running(self.km.provisioner.pid):
            super().papermill_execute_cells()
            if (failure := unfinished(self.nb)) and not any(_has_error(cell) for cell in self.nb.cells):
                details = failure.cell, None, self.nb.cells[failure.cell].source, failure.error, failure.message
                raise PapermillExecutionError(*details, traceback=[failure.message])
            warm = getattr(self.km.provisioner, "warm", False)
            self.nb.metadata["mlcourse"] = {"warm": warm, "peak_mb": self._peak_mb()}

    def execute_cell(self, cell: Any, cell_index: int, **options: Any) -> Any:
        try:
            return super().execute_cell(cell, cell_index, **options)
        except (CellTimeoutError, DeadKernelError) as error:
            error.cell_index, error.source = cell_index, cell.source
            self.shutdown_kernel = "immediate"  # it would not listen
            raise

    def _peak_mb(self) -> float:
        question = {"peak": "__import__('resource').getrusage(0).ru_maxrss"}
        message = self.kc.execute("", silent=True, store_history=False, user_expressions=question)
        reply = self.wait_for_reply(message)
        units = int(reply["content"]["user_expressions"]["peak"]["data"]["text/plain"])
        return round(units / (1024**2 if sys.platform == "darwin" else 1024), 1)


class PageEngine(NBClientEngine):
    """Papermill's engine for pages: this environment's kernel, its own folder, nothing of the caller's state."""

    @classmethod
    def execute_managed_notebook(cls, nb_man: Any, kernel_name: str, **options: Any) -> None:
        """Called by papermill."""
        client = _Client(
            nb_man,
            kernel_manager_class=_KernelManager if options["cold"] else _WarmKernelManager,
            timeout=options["execution_timeout"],
            kernel_name="python3",
        )
        client.turn = options["turn"]
        client.execute(cwd=str(options["folder"]), env=options["env"])


papermill_engines.register("mlcourse", PageEngine)


def kernel_env(scratch: Path) -> dict[str, str]:
    """The environment of a page's kernel: the caller's, with one thread, no GPU, no mercy and no personal settings."""
    env = {"OMP_NUM_THREADS": "1", "CUDA_VISIBLE_DEVICES": "-1"} | os.environ
    env |= {"MLCOURSE_STRICT": "1", "TF_CPP_MIN_LOG_LEVEL": "3", "IPYTHONDIR": str(scratch / "ipython")}
    env.pop("MPLBACKEND", None)
    return env


def execute(job: Job, turn: _Turn | None = None) -> Outcome:
    """Execute one page in a folder of its own, which is removed afterwards. Never raises for what the page does."""
    turn = turn or _Turn(threading.Semaphore())
    started = datetime.now(UTC)
    clock = time.perf_counter()
    notebook = nbformat.reads(job.notebook, as_version=4)
    with _event_loop(), tempfile.TemporaryDirectory(prefix="mlcourse-page-", ignore_cleanup_errors=True) as scratch:
        folder = Path(scratch) / "page"
        folder.mkdir()
        executed, failure = None, None
        try:
            executed = papermill.execute_notebook(
                _as_papermill_wants(notebook),
                None,
                parameters=dict(job.parameters),
                engine_name="mlcourse",
                kernel_name="python3",
                language="python",
                progress_bar=False,
                execution_timeout=job.timeout,
                cold=job.cold,
                turn=turn,
                folder=folder,
                env=kernel_env(Path(scratch)),
            )
        except PapermillExecutionError as error:
            failure = _failure_of_cell(error)
        except (CellTimeoutError, DeadKernelError) as error:
            failure = _failure_of_kernel(error, job.timeout)
    seconds = round(time.perf_counter() - clock - turn.waited, 2)
    if failure is not None:
        return Outcome(seconds=seconds, failure=_as_numbered_in(notebook, failure, bool(job.parameters)))
    facts = executed.metadata["mlcourse"]
    executed.metadata["mlcourse"] = {
        **facts,
        "key": job.key,
        "parameters": dict(job.parameters),
        "started": started.isoformat(timespec="seconds"),
        "seconds": seconds,
        "cells_seconds": round(sum(cell.metadata.papermill.get("duration") or 0 for cell in executed.cells), 2),
        "output_kb": round(len(json.dumps([cell.get("outputs", []) for cell in executed.cells])) / 1024, 1),
        "claims": claims_of(executed),
    }
    return Outcome(_clean(executed), seconds, facts["peak_mb"])


@contextlib.contextmanager
def _event_loop() -> Iterator[None]:
    """Close the event loop that Jupyter's packages make for a thread, and would leave open."""
    with asyncio.Runner(loop_factory=ensure_event_loop) as runner:
        runner.get_loop()
        yield


def unfinished(notebook: nbformat.NotebookNode) -> Failure | None:
    """The first code cell that has not run to its end, as a failure.

    IPython reports an unknown magic on standard error only, and nbclient stops there without an error.
    """
    for number, cell in enumerate(notebook.cells):
        if cell.cell_type != "code" or not cell.source.strip():
            continue
        words = "".join(output.text for output in cell.outputs if output.get("name") == "stderr")
        usage = next((line for line in words.splitlines() if line.startswith("UsageError:")), None)
        if usage or cell.execution_count is None:
            message = usage or "the page stopped before this cell"
            return Failure("UsageError", message, number, _head(cell.source), traceback=(message,))
    return None


def _has_error(cell: nbformat.NotebookNode) -> bool:
    return any(output.output_type == "error" for output in cell.get("outputs", []))


def claims_of(notebook: nbformat.NotebookNode) -> list[dict[str, Any]]:
    """The claims that an executed page made, in its order: text, measured, low, high, unit, holds."""
    return [
        output["data"][CLAIM_MIME]
        for cell in notebook.cells
        for output in cell.get("outputs", [])
        if CLAIM_MIME in output.get("data", {})
    ]


def _as_papermill_wants(notebook: nbformat.NotebookNode) -> nbformat.NotebookNode:
    notebook.metadata["papermill"] = {"default_parameters": {}, "parameters": {}, "environment_variables": {}}
    for cell in notebook.cells:
        cell.metadata.setdefault("tags", [])
        cell.metadata["papermill"] = {}
    return notebook


def _clean(notebook: nbformat.NotebookNode) -> str:
    """The notebook as text, without what differs between two runs of the same page."""
    notebook.metadata.pop("papermill", None)
    for cell in notebook.cells:
        if cell.cell_type == "code":
            cell.outputs = _joined(cell.outputs)
        for name in ("papermill", "execution"):
            cell.metadata.pop(name, None)
        if not cell.metadata.get("tags", True):
            del cell.metadata["tags"]
        if "injected-parameters" in cell.metadata.get("tags", []):
            cell["id"] = "injected-parameters"
    return as_text(notebook)


def _joined(outputs: Sequence[nbformat.NotebookNode]) -> list[nbformat.NotebookNode]:
    """Outputs with what was printed in one piece: where one chunk ends and the next begins is chance."""
    joined: list[nbformat.NotebookNode] = []
    for output in outputs:
        if joined and output.output_type == "stream" and output.name == joined[-1].get("name"):
            joined[-1].text += output.text
        else:
            joined.append(output)
    return joined


def _head(source: str, lines: int = 4) -> str:
    head = source.strip().splitlines()
    return "\n".join(head[:lines] + (["..."] if len(head) > lines else []))


def _failure_of_cell(error: PapermillExecutionError) -> Failure:
    lines = _ANSI.sub("", "\n".join(error.traceback)).splitlines() or [f"{error.ename}: {error.evalue}"]
    return Failure(
        error=error.ename,
        message=" ".join(str(error.evalue).split()),
        cell=error.cell_index,
        source=_head(error.source),
        claim=str(error.evalue) if error.ename == "ClaimError" else "",
        traceback=tuple(lines[-_LAST_LINES:]),
    )


def _failure_of_kernel(error: CellTimeoutError | DeadKernelError, timeout: int) -> Failure:
    reason = "the kernel died in this cell (out of memory, or ended by the page itself)"
    if isinstance(error, CellTimeoutError):
        reason = f"this cell took longer than {timeout} s"
    source = getattr(error, "source", "")
    return Failure(type(error).__name__, reason, getattr(error, "cell_index", None), _head(source), traceback=(reason,))


def _as_numbered_in(notebook: nbformat.NotebookNode, failure: Failure, injected: bool) -> Failure:
    """The failure with its cell counted in the page itself, which lacks the cell that papermill puts in."""
    tagged = [n for n, cell in enumerate(notebook.cells) if "parameters" in cell.metadata.get("tags", [])]
    if injected and failure.cell is not None and failure.cell > (tagged[0] if tagged else -1):
        return replace(failure, cell=failure.cell - 1)
    return failure


# ------------------------------------------------------------------------------------------------ many pages


@dataclass
class Progress:
    """Told what happens while pages run. This one prints a line a page; :class:`Bar` draws."""

    total: int = 0
    running: list[str] = field(default_factory=list)

    def __enter__(self) -> Progress:
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def start(self, page: Page) -> None:
        self.running.append(page.id)

    def done(self, result: PageResult) -> None:
        if result.page.id in self.running:
            self.running.remove(result.page.id)
        self.say(result)

    def say(self, result: PageResult) -> None:
        if result.failure and result.failure.error == "ParameterError":
            return  # bad input, which ends in one line
        state = "FAILED" if result.failure else "unchanged" if result.reused else f"{result.seconds:.1f} s"
        print(f"{result.page.id}: {state}", file=sys.stderr, flush=True)


class Silence(Progress):
    """Says nothing."""

    def say(self, result: PageResult) -> None:
        pass


class Bar(Progress):
    """A progress bar that names the pages that are running."""

    def __enter__(self) -> Progress:
        from rich.console import Console
        from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeElapsedColumn
        from rich.progress import Progress as RichProgress

        columns = (BarColumn(30), MofNCompleteColumn(), TimeElapsedColumn(), TextColumn("{task.description}"))
        self.bar = RichProgress(*columns, console=Console(stderr=True))
        self.task = self.bar.add_task("starting", total=self.total)
        self.bar.__enter__()
        return self

    def __exit__(self, *details: object) -> None:
        self.bar.__exit__(*details)

    def start(self, page: Page) -> None:
        super().start(page)
        self._draw()

    def say(self, result: PageResult) -> None:
        self.bar.advance(self.task)
        self._draw()

    def _draw(self) -> None:
        self.bar.update(self.task, description=", ".join(id.rpartition("/")[2] for id in self.running))


def result_path(root: Path, page: Page, profile: str) -> Path:
    """Where a page's result lies."""
    return root / "_build" / "pages" / profile / f"{page.id}.ipynb"


def run_pages(
    root: Path,
    pages: Sequence[Page],
    *,
    profile: str = "quick",
    parameters: Mapping[str, str] | None = None,
    seed: int | None = None,
    jobs: int = 2,
    cold: bool = False,
    ray: str | None = None,
    progress: bool = True,
    timeout: int = CELL_TIMEOUT,
) -> list[PageResult]:
    """Bring the results of pages up to date, and return them in the pages' order.

    Parameters
    ----------
    root
        The course's folder.
    pages
        What :meth:`Catalogue.select` gave.
    profile
        ``quick``: the defaults in the pages. ``book``: the parameters of ``book/parameters.yml``.
    parameters
        Parameters as typed (``{"ROWS": "500"}``), which every one of the pages must have.
    seed
        Replaces ``SEED``.
    jobs
        How many pages run side by side.
    cold
        Start ordinary kernels.
    ray
        The address of a Ray cluster; each page becomes one task that takes one CPU.
    progress
        Show what is going on: a bar in a terminal, a line a page elsewhere.
    timeout
        Seconds that one cell may take.

    Raises
    ------
    ParameterError, CatalogueError
        If a parameter, the profile or the address is wrong; nothing has run then, unless it takes the page itself to
        see that the parameter is out of range.
    WriteError
        If a result cannot be written (a full disk). Results that are finished stay.
    KeyboardInterrupt
        After the running kernels have been stopped. Results that are finished stay.
    """
    folder = CUSTOM if parameters or seed is not None else profile
    plans = []
    for page in pages:
        values = page.values(profile, page.parsed(parameters or {}), seed)
        plans.append((page, values, content_key(page.notebook, values, root), result_path(root, page, folder)))

    results: dict[str, PageResult] = {}
    good: list[tuple[Page, nbformat.NotebookNode, Path]] = []
    todo: list[tuple[float, Page, Job, Path]] = []
    for page, values, key, path in plans:
        earlier = _read(path)
        facts = earlier.metadata["mlcourse"] if earlier is not None else {}
        if facts.get("key") == key:
            good.append((page, earlier, path))
        else:
            job = Job(page.id, as_text(page.notebook), values, key, cold, timeout)
            todo.append((facts.get("seconds", float("inf")), page, job, path))
    # The longest first, so that no long page is left to run alone at the end.
    todo.sort(key=lambda entry: -entry[0])
    with _executor(jobs, ray if todo else None) as submit, _progress(progress, len(plans)) as display:
        for page, earlier, path in good:
            write(path, _with_current_words(earlier, page.notebook))
            facts = earlier.metadata["mlcourse"]
            results[page.id] = PageResult(page, path, facts["seconds"], facts["peak_mb"], reused=True)
            display.done(results[page.id])
        waiting: dict[Future[Outcome], tuple[Page, Path]] = {}
        queue = iter(todo)
        while True:
            room = len(todo) if ray else jobs + 1 - len(waiting)  # one more, whose kernel starts or ends
            for _, page, job, path in itertools.islice(queue, room):
                waiting[submit(job)] = (page, path)
                display.start(page)
            if not waiting:
                break
            for future in wait(waiting, return_when=FIRST_COMPLETED).done:
                page, path = waiting.pop(future)
                outcome = _outcome(future)
                if outcome.failure is None:
                    write(path, outcome.notebook)
                results[page.id] = PageResult(
                    page,
                    None if outcome.failure else path,
                    outcome.seconds,
                    outcome.peak_mb,
                    failure=outcome.failure,
                )
                display.done(results[page.id])
    for page in pages:
        failure = results[page.id].failure
        if failure and failure.error == "ParameterError":
            raise ParameterError(f"{page.id}: {failure.message}")
    return [results[page.id] for page in pages]


def _execute_in_turn(job: Job, turn: _Turn) -> Outcome:
    try:
        return execute(job, turn)
    finally:
        turn.over()  # also where the page failed before it came to compute


def _outcome(future: Future[Outcome]) -> Outcome:
    try:
        return future.result()
    except Exception as error:  # no room for a temporary folder, a lost Ray worker: this page's trouble alone
        lines = tuple("".join(traceback.format_exception(error)).splitlines()[-_LAST_LINES:])
        message = " ".join(str(error).split()) or type(error).__name__
        return Outcome(failure=Failure(type(error).__name__, message, traceback=lines))


def _progress(wanted: bool, total: int) -> Progress:
    if not wanted:
        return Silence(total)
    return Bar(total) if sys.stderr.isatty() else Progress(total)


@contextlib.contextmanager
def _executor(jobs: int, ray: str | None) -> Iterator[Callable[[Job], Future[Outcome]]]:
    """Gives a function that starts a job: in a thread (its work is the kernel's), or as a task of a Ray cluster."""
    if ray is not None:
        with cluster.tasks(ray, execute) as submit:
            yield submit
        return
    _KERNELS.stopped = False
    turns = threading.Semaphore(jobs)
    with ThreadPoolExecutor(jobs + 1) as threads:
        try:
            yield lambda job: threads.submit(_execute_in_turn, job, _Turn(turns))
        except BaseException:
            _KERNELS.stop()
            threads.shutdown(cancel_futures=True)
            raise


def _read(path: Path) -> nbformat.NotebookNode | None:
    """An earlier result, or ``None`` if there is none that can be used."""
    try:
        notebook = nbformat.reads(path.read_text(encoding="utf-8"), as_version=4)
        return notebook if {"key", "seconds", "peak_mb"} <= set(notebook.metadata["mlcourse"]) else None
    except (OSError, ValueError, KeyError, AttributeError):
        return None


def _with_current_words(executed: nbformat.NotebookNode, page: nbformat.NotebookNode) -> str:
    """The page as it is now, with the outputs of its executed code cells, which are the same as now."""
    merged = copy.deepcopy(page)
    merged.metadata = executed.metadata
    merged.cells = []
    done = iter([cell for cell in executed.cells if cell.cell_type == "code"])
    for cell in copy.deepcopy(page.cells):
        merged.cells.append(cell)
        if cell.cell_type != "code":
            continue
        before = next(done)
        if "injected-parameters" in before.metadata.get("tags", []):
            merged.cells.insert(-1, before)
            before = next(done)
        cell.outputs, cell.execution_count = before.outputs, before.execution_count
    return as_text(merged)
