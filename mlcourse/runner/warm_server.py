"""The fork server behind warm kernels: imports what pages import, once, then becomes a kernel per request.

Run as a script, and never imported: nothing of ``mlcourse`` may be in its memory, because the sources of
``mlcourse`` change while it lives. :mod:`mlcourse.runner.warm` starts it and talks to it:

- a request comes as one Unix socket connection: a line of JSON with ``argv``, ``cwd`` and ``env``, and the
  file descriptors of standard output and standard error;
- the new kernel answers with a line ``{"pid": ...}``, or ``{"error": [errno, text]}`` if it cannot start;
- the connection stays open for as long as the kernel lives; its end is reported as ``{"status": ...}``.

It imports and never computes: a process with running threads cannot be forked safely.
"""

from __future__ import annotations

import builtins
import contextlib
import gc
import hashlib
import importlib
import json
import os
import select
import signal
import socket
import sys
import threading
import time
from pathlib import Path
from types import SimpleNamespace
from typing import NoReturn

# What the pages import, and what importing it costs too much. onnxruntime and tokenizers are left out: they
# load in a blink, and onnxruntime starts a thread at once. jsonschema builds a grammar for seconds, below kfp.
MODULES = """
    ipykernel.kernelapp ipykernel.ipkernel ipykernel.zmqshell ipykernel.displayhook
    ipykernel.debugger IPython.core.magics IPython.core.completer matplotlib_inline.backend_inline
    numpy pandas pandas.io.formats.style pyarrow.parquet
    scipy.linalg scipy.optimize scipy.sparse.linalg scipy.spatial scipy.stats
    matplotlib.pyplot matplotlib.backends.backend_svg matplotlib.backends.backend_agg
    sklearn.calibration sklearn.cluster sklearn.compose sklearn.datasets sklearn.decomposition sklearn.dummy
    sklearn.ensemble sklearn.feature_extraction.text sklearn.feature_selection sklearn.impute sklearn.inspection
    sklearn.isotonic sklearn.linear_model sklearn.manifold sklearn.metrics sklearn.mixture sklearn.model_selection
    sklearn.multiclass sklearn.multioutput sklearn.naive_bayes sklearn.neighbors sklearn.neural_network
    sklearn.pipeline sklearn.preprocessing sklearn.random_projection sklearn.svm sklearn.tree
    jsonschema tensorflow keras
""".split()  # noqa: SIM905 (a list of words is what it is)

# Threads of memory allocators, which mend themselves after a fork.
HARMLESS_THREADS = {"jemalloc_bg_thd"}


def import_modules(names: list[str]) -> None:
    """Import what this environment has of ``names``, then put all of it out of the garbage collector's reach.

    Raises
    ------
    RuntimeError
        If an import has started a thread.
    """
    gc.disable()
    # pandas asks, when it is imported, whether its tables will be shown in a notebook or fit into a terminal.
    builtins.get_ipython = lambda: SimpleNamespace(kernel=None)
    for name in names:
        # A leaner environment serves the pages that it can run.
        with contextlib.suppress(ImportError):
            importlib.import_module(name)
    del builtins.get_ipython
    gc.freeze()  # a collection would touch, and thereby copy, every page of memory that kernels share
    gc.enable()
    if busy := threads():
        raise RuntimeError(f"importing started threads ({', '.join(busy)}); a process with threads cannot be forked")


def threads() -> list[str]:
    """The names of the threads beside the main one, those that C libraries started included."""
    tasks = [task for task in Path("/proc/self/task").iterdir() if task.name != str(os.getpid())]
    names = [(task / "comm").read_text().strip() for task in tasks]
    return [name for name in names if name not in HARMLESS_THREADS]


class Server:
    """Answers requests until nobody has needed it for ``idle`` seconds or its environment has changed."""

    def __init__(self, listener: socket.socket, fingerprint: str, folder: str, idle: float) -> None:
        self.listener, self.fingerprint, self.folder, self.idle = listener, fingerprint, folder, idle
        self.kernels: dict[int, socket.socket] = {}  # pid -> the connection that waits for its end
        self.wakeup, self.on_signal = socket.socketpair()
        self.on_signal.setblocking(False)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        signal.set_wakeup_fd(self.on_signal.fileno(), warn_on_full_buffer=False)

    def serve(self) -> dict | None:
        """Serve. Returns ``None`` when it is time to end, and a request in a process that is to become its kernel."""
        last_use = time.monotonic()
        patience = min(5, self.idle)
        while True:
            if not self.kernels and (time.monotonic() - last_use > self.idle or self.outdated()):
                self.forget_address()
                patience = 0  # a last look: who connected before that shall be served
            ready, _, _ = select.select([self.listener, self.wakeup], [], [], patience)
            if not ready and patience == 0 and not self.kernels:
                return None
            if self.wakeup in ready:
                self.wakeup.recv(4096)
                self.reap()
                last_use = time.monotonic()
            if self.listener in ready:
                connection, _ = self.listener.accept()
                last_use = time.monotonic()
                patience = min(5, self.idle)
                if (request := self.answer(connection)) is not None:
                    return request

    def outdated(self) -> bool:
        return environment_fingerprint(self.folder) != self.fingerprint

    def forget_address(self) -> None:
        address = self.listener.getsockname()
        for name in (address, address.removesuffix(".sock") + ".log"):
            Path(name).unlink(missing_ok=True)

    def answer(self, connection: socket.socket) -> dict | None:
        """Fork a kernel for one request. Returns the request in the kernel's process, ``None`` in the server's."""
        connection.settimeout(5)
        try:
            request, descriptors = receive(connection)
        except (OSError, ValueError):
            connection.close()
            return None
        pid = os.fork()
        if pid:
            for descriptor in descriptors:
                os.close(descriptor)
            self.kernels[pid] = connection
            return None
        signal.set_wakeup_fd(-1)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        for other in (self.listener, self.wakeup, self.on_signal, *self.kernels.values()):
            other.close()
        return {**request, "connection": connection, "descriptors": descriptors}

    def reap(self) -> None:
        """Tell the clients of kernels that ended how they ended."""
        while self.kernels:
            pid, status = os.waitpid(-1, os.WNOHANG)
            if pid == 0:
                return
            connection = self.kernels.pop(pid)
            with contextlib.suppress(OSError):  # the client has gone: nobody wants to know
                connection.sendall(json.dumps({"status": os.waitstatus_to_exitcode(status)}).encode() + b"\n")
            connection.close()


def receive(connection: socket.socket) -> tuple[dict, list[int]]:
    """One request and the file descriptors that came with it."""
    data, descriptors, _, _ = socket.recv_fds(connection, 1 << 16, 2)
    while not data.endswith(b"\n"):
        more = connection.recv(1 << 16)
        if not more:
            raise ValueError("the client went before its request was complete")
        data += more
    return json.loads(data), descriptors


def become_kernel(request: dict) -> None:
    """Turn this freshly forked process into the kernel that the request asks for, and run it to its end."""
    connection = request["connection"]
    try:
        os.setsid()
        os.chdir(request["cwd"])
    except OSError as error:
        connection.sendall(json.dumps({"error": [error.errno, f"{error.strerror}: {error.filename}"]}).encode() + b"\n")
        return
    os.environ.clear()
    os.environ.update(request["env"])
    time.tzset()
    nothing = os.open(os.devnull, os.O_RDONLY)
    for descriptor, target in zip([nothing, *request["descriptors"]], (0, 1, 2), strict=True):
        os.dup2(descriptor, target)
        os.close(descriptor)
    if "numpy.random" in sys.modules:
        sys.modules["numpy"].random.seed()  # as in a new process; Python's own generator does so by itself
    client = os.pidfd_open(request["client"])
    threading.Thread(target=end_with, args=(client,), name="mlcourse-client-watch", daemon=True).start()
    connection.sendall(json.dumps({"pid": os.getpid()}).encode() + b"\n")
    connection.close()
    # A parent's number makes ipykernel watch over its parent and keep quiet; 1 makes it keep quiet only.
    sys.argv = ["ipykernel_launcher", *request["argv"], "--IPKernelApp.parent_handle=1"]
    from ipykernel import kernelapp

    kernelapp.launch_new_instance()


def end_with(client: int) -> NoReturn:
    """End this process group when the client has ended: nobody else would."""
    select.select([client], [], [])
    time.sleep(1)  # a client that ends in order shuts its kernel down itself
    os.killpg(0, signal.SIGKILL)
    os._exit(1)


def environment_fingerprint(folder: str) -> str:
    """Names and versions of what is installed in ``folder``, and this file's state, as one short text."""
    installed = sorted(entry.name for entry in os.scandir(folder) if entry.name.endswith(".dist-info"))
    installed.append(Path(__file__).read_text(encoding="utf-8"))
    return hashlib.sha256("\n".join([sys.version, sys.prefix, *installed]).encode()).hexdigest()[:20]


def main(arguments: list[str]) -> None:
    """``warm_server.py LISTENER_FD FINGERPRINT SITE_PACKAGES IDLE_SECONDS [MODULE ...]``"""
    listener_fd, fingerprint, folder, idle, *modules = arguments
    del sys.path[0]  # this script's folder is no place to import from
    # Its starter must neither wait for it nor take it along when it ends.
    if os.fork():
        os._exit(0)
    os.setsid()
    listener = socket.socket(fileno=int(listener_fd))
    import_modules(modules or MODULES)
    request = Server(listener, fingerprint, folder, float(idle)).serve()
    if request is not None:
        become_kernel(request)


if __name__ == "__main__":
    main(sys.argv[1:])
