"""Warm kernels: kernels that start with their imports done, forked from :mod:`mlcourse.runner.warm_server`.

``WarmProvisioner`` is a kernel provisioner, chosen with ``JUPYTER_DEFAULT_PROVISIONER_NAME=mlcourse-warm``; it
serves ``mlcourse``, nbmake and JupyterLab alike. Where a kernel cannot be forked (another system than Linux, a
kernel of another environment, a server that does not answer) it starts an ordinary one.
"""

from __future__ import annotations

import asyncio
import fcntl
import hashlib
import json
import logging
import os
import select
import signal
import socket
import subprocess
import sys
import sysconfig
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from jupyter_client.provisioning import LocalProvisioner

from mlcourse.runner import warm_server

# What an interpreter or a library reads when it starts, and never again: such a request needs its own server.
_READ_AT_START = ("PYTHON", "LD_", "LC_", "LANG", "OMP_", "OPENBLAS_", "MKL_", "TF_", "KERAS_", "MPL", "CUDA_")

# Seconds without a kernel after which the server ends. It holds about half a gigabyte.
IDLE_SECONDS = 600
# Seconds that a kernel may take to start, the server's imports included.
_PATIENCE = 180

_log = logging.getLogger("mlcourse")
_told: set[str] = set()


class WarmError(RuntimeError):
    """No kernel could be forked; the message says why."""


def supported() -> bool:
    """Tell whether kernels can be forked here: Linux with process file descriptors (5.3 or newer)."""
    if not sys.platform.startswith("linux") or not hasattr(os, "pidfd_open"):
        return False
    try:
        os.close(os.pidfd_open(os.getpid()))
    except OSError:
        return False
    return True


def runtime_folder() -> Path:
    """The folder of this user's servers: a short path, for their user's eyes only.

    Raises
    ------
    WarmError
        If somebody else owns that folder.
    """
    base = Path(os.environ.get("XDG_RUNTIME_DIR", ""))
    folder = (base if base.is_absolute() and base.is_dir() else Path(tempfile.gettempdir())) / f"mlcourse-{os.getuid()}"
    folder.mkdir(mode=0o700, exist_ok=True)
    status = folder.lstat()
    if status.st_uid != os.getuid() or status.st_mode & 0o077:
        raise WarmError(f"{folder} is not a private folder of this user")
    return folder


class ForkedKernel:
    """A kernel that the server forked, with the interface of :class:`subprocess.Popen` that Jupyter uses."""

    stdin = stdout = stderr = None

    def __init__(self, pid: int, connection: socket.socket) -> None:
        self.pid, self.returncode = pid, None
        self._handle = os.pidfd_open(pid)  # a signal can never reach another process that got the same number
        self._connection = connection

    def poll(self) -> int | None:
        """The exit status (minus the signal's number if one ended it), or ``None`` while the kernel lives."""
        if self.returncode is None and self._ended(0):
            self.returncode = self._status()
            self._connection.close()
            os.close(self._handle)
        return self.returncode

    def wait(self, timeout: float | None = None) -> int:
        if self.returncode is None and not self._ended(timeout):
            raise subprocess.TimeoutExpired(f"kernel {self.pid}", timeout or 0)
        return self.poll()

    def send_signal(self, number: int) -> None:
        if self.poll() is None:
            signal.pidfd_send_signal(self._handle, number)

    def terminate(self) -> None:
        self.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        self.send_signal(signal.SIGKILL)

    def _ended(self, timeout: float | None) -> bool:
        poll = select.poll()
        poll.register(self._handle, select.POLLIN)
        return bool(poll.poll(None if timeout is None else timeout * 1000))

    def _status(self) -> int:
        try:
            self._connection.settimeout(2)
            return json.loads(self._connection.makefile("rb").readline())["status"]
        except (OSError, ValueError, KeyError):
            return -signal.SIGKILL  # the server, the only one who knows, has gone

    def __del__(self) -> None:
        if self.returncode is None:
            self._connection.close()
            os.close(self._handle)


class WarmServer:
    """The server for requests with this environment; it is started by the first request that finds none."""

    def __init__(self, env: Mapping[str, str]) -> None:
        self.env = {name: value for name, value in env.items() if name.startswith(_READ_AT_START)}
        # One thread a kernel, unless asked otherwise: a thread pool that an import starts cannot be forked.
        self.env = {"OMP_NUM_THREADS": "1", "TF_CPP_MIN_LOG_LEVEL": "3"} | self.env
        # As ipykernel does before a page imports matplotlib.
        self.env.setdefault("MPLBACKEND", "module://matplotlib_inline.backend_inline")
        self.modules = os.environ.get("MLCOURSE_WARM_MODULES", "").split()  # the tests want few
        self.site_packages = sysconfig.get_path("purelib")
        self.fingerprint = warm_server.environment_fingerprint(self.site_packages)
        network = str(Path("/proc/self/ns/net").readlink())  # a kernel reaches what its server reaches
        key = json.dumps([self.fingerprint, sorted(self.env.items()), self.modules, network])
        self.address = runtime_folder() / f"{hashlib.sha256(key.encode()).hexdigest()[:16]}.sock"

    @property
    def log(self) -> Path:
        return self.address.with_suffix(".log")

    def fork(self, argv: list[str], cwd: str, env: Mapping[str, str]) -> ForkedKernel:
        """Ask for a kernel with ipykernel's arguments ``argv``.

        Raises
        ------
        WarmError
            If the server cannot be started or does not answer.
        OSError
            If a kernel cannot start there, as :class:`subprocess.Popen` would say it: ``cwd`` is missing.
        """
        request = {"argv": argv, "cwd": cwd, "env": dict(env), "client": os.getpid()}
        connection = self._connected()
        try:
            connection.settimeout(_PATIENCE)
            data = json.dumps(request).encode() + b"\n"
            sent = socket.send_fds(connection, [data], [1, 2])  # what an ordinary kernel would inherit
            connection.sendall(data[sent:])
            answer = _line(connection)
        except OSError as error:
            connection.close()
            raise WarmError(f"the server does not answer ({error}); its log is {self.log}") from None
        if "error" in answer:
            connection.close()
            raise OSError(*answer["error"])
        if "pid" not in answer:
            connection.close()
            raise WarmError(f"the server could not start; its log is {self.log}")
        try:
            return ForkedKernel(answer["pid"], connection)
        except OSError:
            connection.close()
            raise WarmError("the kernel ended at once") from None

    def _connected(self) -> socket.socket:
        connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            connection.connect(str(self.address))
            return connection
        except OSError:
            pass
        try:
            with (self.address.parent / "lock").open("w") as lock:
                fcntl.flock(lock, fcntl.LOCK_EX)
                # Somebody else may have started it while this process waited for the lock.
                try:
                    connection.connect(str(self.address))
                except OSError:
                    self._start()
                    connection.connect(str(self.address))
            return connection
        except (OSError, subprocess.SubprocessError) as error:
            connection.close()
            raise WarmError(f"the server cannot be started ({error}); its log is {self.log}") from None

    def _start(self) -> None:
        """Start the server. The socket listens at once, so that requests wait while it imports."""
        self.address.unlink(missing_ok=True)
        idle = os.environ.get("MLCOURSE_WARM_IDLE", str(IDLE_SECONDS))
        env = {name: os.environ[name] for name in ("HOME", "PATH", "TMPDIR", "XDG_CACHE_HOME") if name in os.environ}
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as listener, self.log.open("wb") as log:
            listener.bind(str(self.address))
            listener.listen(64)
            subprocess.run(
                [
                    *(sys.executable, "-Xfrozen_modules=off", warm_server.__file__),
                    *(str(listener.fileno()), self.fingerprint, self.site_packages, idle),
                    *self.modules,
                ],
                env=env | self.env,
                cwd="/",
                pass_fds=[listener.fileno()],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                check=True,
                timeout=60,
            )


def _line(connection: socket.socket) -> dict[str, Any]:
    """One line of JSON; empty if the other side has gone. Reads no byte more: the kernel's end comes later."""
    data = b""
    while not data.endswith(b"\n"):
        byte = connection.recv(1)
        if not byte:
            return {}
        data += byte
    return json.loads(data)


class WarmProvisioner(LocalProvisioner):
    """Starts a kernel by forking the warm server, and an ordinary one where that is impossible."""

    @property
    def warm(self) -> bool:
        return isinstance(self.process, ForkedKernel)

    async def launch_kernel(self, cmd: list[str], **kwargs: Any) -> dict[str, Any]:
        """Launch a kernel; called by Jupyter's kernel manager."""
        arguments = _kernel_arguments(cmd)
        if arguments is None or not supported():
            return await super().launch_kernel(cmd, **kwargs)
        env = kwargs.get("env") or os.environ
        cwd = os.fspath(kwargs.get("cwd") or Path.cwd())
        try:
            self.process = await asyncio.to_thread(lambda: WarmServer(env).fork(arguments, cwd, env))
        except WarmError as error:
            if "warm" not in _told:  # once is enough: the kernels after this one will not do better
                _told.add("warm")
                _log.warning("no warm kernels: %s. Starting ordinary ones.", error)
            return await super().launch_kernel(cmd, **kwargs)
        self.pid = self.pgid = self.process.pid
        self.cwd = cwd
        return self.connection_info


def _kernel_arguments(cmd: list[str]) -> list[str] | None:
    """The arguments for ipykernel, if ``cmd`` starts an ordinary IPython kernel of this environment."""
    if "ipykernel_launcher" not in cmd or Path(cmd[0]).parent != Path(sys.executable).parent:
        return None
    return cmd[cmd.index("ipykernel_launcher") + 1 :]
