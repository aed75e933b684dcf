"""Pages as tasks of a Ray cluster: ``mlcourse run --ray ADDRESS``."""

from __future__ import annotations

import contextlib
import os
import socket
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from typing import Any
from urllib.parse import urlsplit

from mlcourse.runner.catalogue import CatalogueError

# Seconds that a cluster may take to answer a greeting.
_PATIENCE = 10
# How HTTP/2, in which Ray talks, begins: the client's greeting, and the kind of the frame that answers it.
_GREETING = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + bytes([0, 0, 0, 4, 0, 0, 0, 0, 0])
_SETTINGS = 4


@contextlib.contextmanager
def tasks(address: str, function: Callable[[Any], Any]) -> Iterator[Callable[[Any], Future[Any]]]:
    """Connect to a cluster, and give a function that runs ``function(job)`` there, on one CPU.

    Raises
    ------
    CatalogueError
        If there is no cluster at the address, or Ray is not installed here.
    """
    try:
        import ray
    except ImportError:
        raise CatalogueError("--ray needs the package ray: pip install 'mlcourse[cluster]'") from None
    try:
        _greet(address, ray.util.get_node_ip_address)
        ray.init(address=address, log_to_driver=False, logging_level="error", configure_logging=False)
    except (OSError, RuntimeError, ValueError) as error:
        reason = " ".join(str(error).split())
        raise CatalogueError(f"there is no Ray cluster at '{address}' ({reason[:200]})") from None
    task = ray.remote(num_cpus=1, max_retries=0)(function)
    try:
        yield lambda job: task.remote(job).future()
    finally:
        ray.shutdown()


def _greet(address: str, own_address: Callable[[], str]) -> None:
    """Make sure that somebody answers at ``HOST:PORT`` or ``ray://HOST:PORT`` who talks as Ray does.

    Ray itself would try again for ever, and fill the screen with warnings. What has no port, such as ``auto``, it
    understands or refuses at once.

    Raises
    ------
    OSError, ValueError
        If nobody does.
    """
    scheme, _, place = address.rpartition("://")
    parts = urlsplit(f"//{place}")
    host, port = parts.hostname, parts.port
    if not host or not port:
        return
    if not scheme and host in ("localhost", "127.0.0.1", "::1"):
        host = own_address()  # as Ray reads it
    with socket.create_connection((host, port), _PATIENCE) as connection:
        if os.environ.get("RAY_USE_TLS", "0") != "0":
            return
        connection.sendall(_GREETING)
        answer = connection.recv(4)
    if answer[3:] != bytes([_SETTINGS]):
        raise ValueError("what answers there is something else")
