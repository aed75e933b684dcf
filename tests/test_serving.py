"""A page's services answer, tell why they do not, and are gone when the page is; their load is measured honestly."""

from __future__ import annotations

import contextlib
import http.client
import os
import signal
import socket
import time
from pathlib import Path

import httpx
import numpy as np
import pytest
from course import SEED, Course, alive, code, ctrl_c, started, wait_until

from mlcourse.services import ServiceError
from mlcourse.serving import Load, Server, send_load, serve


def make_app(name: str = "", pause: float = 0.0):
    """Says who it is; `pause` is for its tenth request alone, and all others wait for that one."""
    import os
    import time

    from fastapi import FastAPI, HTTPException

    app = FastAPI()
    asked = []

    @app.get("/")
    async def who() -> dict:
        return {"name": name, "pid": os.getpid(), "parent": os.getppid()}

    @app.post("/double")
    async def double(body: dict) -> dict:
        asked.append(body)
        if len(asked) == 10:
            time.sleep(pause)  # it shall block the worker
        if body["x"] == 13:
            raise HTTPException(503, "unlucky")
        return {"y": 2 * body["x"]}

    return app


def ask(server: Server) -> dict:
    """The answer of one worker, on a new connection."""
    return httpx.get(server.url, trust_env=False).json()


def workers(server: Server, number: int) -> set[int]:
    """The workers' numbers, once so many have been met."""
    met: set[int] = set()
    wait_until(lambda: met.add(ask(server)["pid"]) or len(met) == number)
    return met


def refused(url: str) -> bool:
    with contextlib.suppress(httpx.ConnectError):
        httpx.get(url, trust_env=False)
        return False
    return True


# ------------------------------------------------------------------------------------------------ a service


def test_it_answers_with_its_arguments_and_is_silent(capfd: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    with serve(make_app, name=tmp_path) as server:
        assert server.url.startswith("http://127.0.0.1:")
        assert ask(server) == {"name": str(tmp_path), "pid": server.process.pid, "parent": ask(server)["parent"]}
        assert "Uvicorn running on" in server.process.output
    assert refused(server.url)
    assert capfd.readouterr() == ("", "")


def test_a_connection_is_kept_longer_than_clients_keep_it() -> None:
    with serve(make_app) as server:
        connection = http.client.HTTPConnection(server.url.removeprefix("http://"))
        for pause in (0, httpx.Limits().keepalive_expiry + 1):
            time.sleep(pause)
            connection.request("GET", "/")  # on the first request's connection: after a hanging up it would fail
            assert connection.getresponse().read()
        connection.close()


def test_an_answer_after_which_the_server_hangs_up_says_so() -> None:
    with serve(make_app) as server:
        said = [httpx.post(server.url + "/double", json=body, trust_env=False) for body in ({"x": 13}, {})]
    assert [(answer.status_code, answer.headers.get("connection")) for answer in said] == [(503, None), (500, "close")]


def test_workers_are_processes_and_a_dead_one_is_replaced() -> None:
    with serve(make_app, workers=2) as server:
        first, second = workers(server, 2)

        os.kill(first, signal.SIGKILL)
        wait_until(lambda: (pid := ask(server)["pid"]) not in (first, second) and pid, seconds=30)
    wait_until(lambda: not alive(second))


def test_an_app_that_dies_at_once() -> None:
    def broken():
        raise SystemExit("there is no model in model.keras")

    with pytest.raises(ServiceError, match=r"^broken ended with status 1 too early") as error, serve(broken):
        pass
    assert "there is no model in model.keras" in str(error.value)


def test_an_app_that_uses_what_it_has_not_imported() -> None:
    def forgetful():
        return Path("model")

    with pytest.raises(ServiceError, match="name 'Path' is not defined"), serve(forgetful):
        pass


def test_an_app_that_is_not_ready_in_time() -> None:
    def slow():
        import time

        time.sleep(60)

    with pytest.raises(ServiceError, match=r"^slow did not get there in 0\.5 seconds"), serve(slow, patience=0.5):
        pass


def test_an_occupied_port() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(ServiceError) as error, serve(make_app, port=port):
            pass
    assert str(error.value) == f"port {port} of 127.0.0.1 cannot be had: Address already in use"
    with serve(make_app, port=port) as server:
        assert server.url.endswith(f":{port}")


def test_an_argument_that_json_cannot_carry() -> None:
    with pytest.raises(TypeError, match="not ndarray"), serve(make_app, name=np.arange(3)):
        pass


# ------------------------------------------------------------------------------------------------ its end


@pytest.mark.parametrize("error", [None, ZeroDivisionError, KeyboardInterrupt])
def test_all_its_processes_end_with_the_block(error: type[BaseException] | None) -> None:
    with contextlib.suppress(ZeroDivisionError, KeyboardInterrupt), serve(make_app, workers=2) as server:
        pids = {server.process.pid, *workers(server, 2)}
        if error:
            raise error
    wait_until(lambda: not any(map(alive, pids)))
    assert len(pids) == 3


IN_A_PAGE = """
import os
import time
from pathlib import Path

import httpx
from mlcourse.serving import serve

def make_app():
    import os

    from fastapi import FastAPI

    app = FastAPI()
    app.get("/")(lambda: os.getpid())
    return app

with serve(make_app, workers=2) as server:
    pids = {{httpx.get(server.url, trust_env=False).json() for _ in range(50)}} | {{server.process.pid}}
    Path({file!r} + ".part").write_text(" ".join(map(str, pids)))
    Path({file!r} + ".part").rename({file!r})
    {then}
"""


@pytest.mark.parametrize("then", ["1 / 0", "pass", "os.kill(os.getpid(), 9)"])
def test_all_its_processes_end_with_a_real_page(then: str, course: Course, tmp_path: Path) -> None:
    file = tmp_path / "pids"
    course.page("1-part/page", code(SEED, "parameters"), IN_A_PAGE.format(file=str(file), then=then))
    (result,) = course.run()
    assert (result.failure is None) is (then == "pass")
    pids = [int(word) for word in file.read_text().split()]
    assert len(pids) >= 2
    wait_until(lambda: not any(map(alive, pids)))


def test_all_its_processes_end_with_a_run_that_is_interrupted(course: Course, tmp_path: Path) -> None:
    file = tmp_path / "pids"
    course.page("1-part/page", code(SEED, "parameters"), IN_A_PAGE.format(file=str(file), then="time.sleep(60)"))
    command = started(course, "run")
    wait_until(file.exists, seconds=60)
    ctrl_c(command)
    command.communicate(timeout=30)
    pids = [int(word) for word in file.read_text().split()]
    wait_until(lambda: not any(map(alive, pids)))


# ------------------------------------------------------------------------------------------------ load


@pytest.mark.parametrize("loop", [{"concurrency": 4}, {"rate": 300}])
def test_every_request_has_its_answer_or_its_failure(loop: dict[str, float]) -> None:
    bodies = [{"x": x} for x in range(40)] + [{}]
    with serve(make_app) as server:
        load = send_load(server.url + "/double", bodies, **loop)
    assert load.kind == ("closed loop, 4 at a time" if "concurrency" in loop else "open loop, 300 a second")
    assert [answer["y"] for n, answer in enumerate(load.answers[:40]) if n != 13] == [
        2 * n for n in range(40) if n != 13
    ]
    assert load.answers[13] == {"detail": "unlucky"}
    assert load.statuses.tolist() == [503 if n == 13 else 200 for n in range(40)] + [500]
    assert np.flatnonzero(np.isinf(load.latencies)).tolist() == [13, 40]
    assert load.throughput == pytest.approx(39 / load.seconds)
    assert 0 < load.quantile(0.5) <= load.quantile(0.95) < load.quantile(0.99) == np.inf


@pytest.mark.parametrize("workers", [1, 2])
def test_no_answer_waits_for_an_acknowledgement(workers: int) -> None:
    with serve(make_app, workers=workers) as server:
        load = send_load(server.url + "/double", [{"x": 1}] * 40, concurrency=1)
    assert load.quantile(0.1) < 0.03, "TCP would hold the body of each answer back for 0.04 s"


def test_nobody_there() -> None:
    with socket.create_server(("127.0.0.1", 0)) as left:
        url = f"http://127.0.0.1:{left.getsockname()[1]}"
    load = send_load(url, [1, 2], concurrency=1)
    assert load.statuses.tolist() == [0, 0]
    assert load.answers == [None, None]
    assert load.throughput == 0
    assert load.quantile(0) == np.inf


def test_the_open_loop_counts_who_waited_behind_a_stall_and_the_closed_loop_leaves_them_out() -> None:
    pause, rate = 2, 50
    bodies = [{"x": 1}] * 150

    def waited(load: Load) -> int:
        return int((load.latencies > pause / 2).sum())

    with serve(make_app, pause=pause) as server:
        closed = send_load(server.url + "/double", bodies, concurrency=1)
    with serve(make_app, pause=pause) as server:
        open_ = send_load(server.url + "/double", bodies, rate=rate)
    assert waited(closed) == 1
    # Who was due in the first half of the pause had more than half of it to wait.
    assert waited(open_) >= 0.8 * rate * pause / 2
    assert open_.latencies.max() > 0.9 * pause


def test_the_open_loop_keeps_its_times() -> None:
    with serve(make_app) as server:
        load = send_load(server.url + "/double", [{"x": 1}] * 50, rate=50)
    assert 0.98 <= load.seconds < 3
    assert 0 <= load.late < 1


@pytest.mark.parametrize("loop", [{}, {"concurrency": 1, "rate": 1.0}, {"concurrency": 0}, {"rate": -1.0}])
def test_bad_loops(loop: dict[str, float]) -> None:
    with pytest.raises(ValueError, match=r"give either concurrency \(closed loop\) or rate \(open loop\), above 0"):
        send_load("http://127.0.0.1:1", [1], **loop)


def test_no_requests() -> None:
    with pytest.raises(ValueError, match="at least one request"):
        send_load("http://127.0.0.1:1", [], concurrency=1)
