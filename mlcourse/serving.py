"""Web services that a page starts, and load for them: real processes, on this machine's own address.

A service ends with its ``with``, and with the page, whatever ends that (:mod:`mlcourse.services`).
"""

from __future__ import annotations

import asyncio
import contextlib
import inspect
import json
import os
import sys
import tempfile
import textwrap
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import numpy as np

from mlcourse.services import Service, free_port, running

# What uvicorn imports. The page's function stands in it word for word. After an error of the app uvicorn hangs up; here
# its answer says so, or the client's next request, already sent on that connection, would fail with it.
_MODULE = """\
import json
{source}

def _app():
    app = {name}(**json.loads({arguments!r}))

    async def open_about_hanging_up(scope, receive, send):
        async def tell(message):
            if message.get("status") == 500:
                message = {{**message, "headers": [*message["headers"], (b"connection", b"close")]}}
            await send(message)

        await app(scope, receive, tell)

    return open_about_hanging_up
"""

# `python -m uvicorn`, and one thing more. The socket that several workers share makes TCP hold the body of an answer
# back until its head is acknowledged, which takes the other side 40 ms. Its connections inherit the option. And an idle
# connection is kept for a minute: uvicorn's five seconds are httpx's, too, and then a request meets the hanging up.
_RUN = """\
import socket, sys
import uvicorn

bind = uvicorn.Config.bind_socket

def bind_socket(config):
    listener = bind(config)
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return listener

uvicorn.Config.bind_socket = bind_socket
folder, port, workers = sys.argv[1], *map(int, sys.argv[2:])
options = {"app_dir": folder, "port": port, "workers": workers}
options |= {"timeout_keep_alive": 60, "timeout_graceful_shutdown": 1}
uvicorn.run("service:_app", factory=True, access_log=False, **options)
"""


@dataclass(frozen=True)
class Server:
    """A web service that runs for a page. Made by :func:`serve`."""

    url: str  # such as http://127.0.0.1:43211, without a slash at the end
    process: Service  # its main process: output, pid, status, kill()


@contextlib.contextmanager
def serve(
    make_app: Callable[..., Any],
    *,
    workers: int = 1,
    port: int = 0,
    env: Mapping[str, str] | None = None,
    patience: float = 60,
    **arguments: Any,
) -> Iterator[Server]:
    """Run a web app for the length of a ``with``: ``with serve(make_app, workers=2, model="m.keras") as server: ...``.

    The app runs in other processes, under uvicorn, at 127.0.0.1; what these log is in ``server.process.output``. The
    block begins when every worker is ready. A worker that dies is replaced if there are several.

    Parameters
    ----------
    make_app
        A function that returns an app (FastAPI, or any other of ASGI). Its source is all that the other processes get
        of the page, so it imports what it needs in its own body.
    workers
        How many processes answer.
    port
        Where; a free port if it is left out.
    env
        Variables in addition to those of the page.
    patience
        Seconds that the workers have to get ready.
    arguments
        For ``make_app``: paths, and what JSON can carry.

    Raises
    ------
    ServiceError
        If the port is taken, or the app does not start; its last lines are in the message.
    TypeError
        If an argument is neither a path nor something that JSON can carry.
    """
    module = _MODULE.format(
        source=textwrap.dedent(inspect.getsource(make_app)),
        name=make_app.__name__,
        arguments=json.dumps(arguments, default=os.fspath),
    )
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "service.py").write_text(module, "utf8")
        port = free_port(port)
        command = [sys.executable, "-c", _RUN, folder, port, workers]
        with running(*command, name=make_app.__name__, env=env) as process:

            def ready() -> bool:
                said = process.output
                return "Uvicorn running on" in said and said.count("Application startup complete") >= workers

            process.until(ready, patience)
            yield Server(f"http://127.0.0.1:{port}", process)


@dataclass(frozen=True)
class Load:
    """What came of requests that were sent to a service. Made by :func:`send_load`."""

    kind: str  # such as "closed loop, 8 at a time" or "open loop, 200 a second"
    answers: list[Any]  # what came back, decoded, in the order of the bodies; None where nothing came
    statuses: np.ndarray  # HTTP status of each; 0 where nothing came
    latencies: np.ndarray  # seconds of each; infinite where nothing came, or the service failed (500 and above)
    seconds: float  # from the first request until the last answer
    late: float  # seconds by which a request was sent after its time, at the most; large: the generator is too slow

    @property
    def throughput(self) -> float:
        """Requests a second that were served, failures left out."""
        return float(np.isfinite(self.latencies).sum() / self.seconds)

    def quantile(self, share: float) -> float:
        """The latency, in seconds, that this share of all requests did not exceed: one that was measured."""
        return float(np.quantile(self.latencies, share, method="inverted_cdf"))


def send_load(
    url: str,
    bodies: Sequence[Any],
    *,
    concurrency: int | None = None,
    rate: float | None = None,
    timeout: float = 30,
) -> Load:
    """Send requests to a service, one for each body, from a process of its own, and measure.

    Closed loop (``concurrency``): so many clients, each of which waits for its answer and then sends the next request
    at once. If the service stalls, they stall with it, and what they would have sent meanwhile is never counted.

    Open loop (``rate``): the requests come at their times, so many a second, whether or not earlier ones have been
    answered, as they do from people who do not know of each other. Each latency counts from the moment at which the
    request was due, so that nothing is left out of the tail (Tene 2013, "How NOT to Measure Latency").

    Parameters
    ----------
    url
        Where the bodies are posted, as JSON.
    timeout
        Seconds after which a request counts as failed.

    Raises
    ------
    ValueError
        If there are no bodies, or not just one of ``concurrency`` and ``rate`` is given, as a number above 0.
    ServiceError
        If the process that sends them fails.
    """
    if not len(bodies):
        raise ValueError("bodies must hold at least one request")
    given = [value for value in (concurrency, rate) if value is not None]
    if len(given) != 1 or not given[0] > 0:
        raise ValueError("give either concurrency (closed loop) or rate (open loop), above 0")
    plan = {"url": url, "bodies": list(bodies), "concurrency": concurrency, "rate": rate, "timeout": timeout}
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, "plan.json")
        file.write_text(json.dumps(plan), "utf8")
        with running(sys.executable, "-m", "mlcourse.serving", file, name="the load generator") as process:
            process.wait(60 + (len(bodies) / rate if rate else len(bodies)) + timeout)
        rows = json.loads(file.read_text("utf8"))
    answers, statuses, due, sent, done = zip(*rows, strict=True)
    failed = np.isin(statuses, 0) | (np.array(statuses) >= 500)
    return Load(
        f"closed loop, {concurrency} at a time" if rate is None else f"open loop, {rate:g} a second",
        list(answers),
        np.array(statuses),
        np.where(failed, np.inf, np.subtract(done, due)),
        max(done) - min(sent),
        float(np.subtract(sent, due).max()),
    )


async def _generate(plan: dict[str, Any]) -> list[tuple]:
    """Send what is planned. For each body: answer, status, and the moments at which it was due, sent and done."""
    rows: list[tuple] = [()] * len(plan["bodies"])
    limits = httpx.Limits(max_connections=plan["concurrency"], max_keepalive_connections=plan["concurrency"])
    async with httpx.AsyncClient(limits=limits, timeout=plan["timeout"], trust_env=False) as client:

        async def send(number: int, body: Any, due: float | None = None) -> None:
            sent = time.perf_counter()
            try:
                response = await client.post(plan["url"], json=body)
                status, answer = response.status_code, _decoded(response)
            except httpx.HTTPError:
                status, answer = 0, None
            rows[number] = answer, status, due or sent, sent, time.perf_counter()

        todo = enumerate(plan["bodies"])

        async def keep_sending() -> None:
            for number, body in todo:
                await send(number, body)

        async with asyncio.TaskGroup() as group:
            if plan["rate"] is None:
                for _ in range(plan["concurrency"]):
                    group.create_task(keep_sending())
            else:
                begin = time.perf_counter()
                for number, body in todo:
                    due = begin + number / plan["rate"]
                    await asyncio.sleep(due - time.perf_counter())
                    group.create_task(send(number, body, due))
    return rows


def _decoded(response: httpx.Response) -> Any:
    try:
        return response.json()
    except ValueError:
        return response.text


if __name__ == "__main__":
    _file = Path(sys.argv[1])
    _file.write_text(json.dumps(asyncio.run(_generate(json.loads(_file.read_text("utf8"))))), "utf8")
