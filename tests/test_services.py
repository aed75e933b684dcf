"""A page's processes do what they are asked, tell why they did not, and are gone when the page is."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import sys
import textwrap
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import redis
from course import SEED, Course, alive, code, ctrl_c, started, wait_until

from mlcourse import services
from mlcourse.services import Service, ServiceError, redis_server, running

# Writes its number, that of a child of its own and that of its guard to a file, and would then go on for a minute.
FAMILY = textwrap.dedent("""
    import os, pathlib, psutil, subprocess, sys, time
    child = subprocess.Popen(["sleep", "60"])
    group = [p.pid for p in psutil.process_iter() if p.pid and os.getpgid(p.pid) == os.getpgid(0)]
    file = pathlib.Path(sys.argv[1])
    file.with_suffix(".part").write_text(" ".join(map(str, group)))
    file.with_suffix(".part").rename(file)
    time.sleep(60)
""")


def python(script: str, *arguments: object, **options: object) -> contextlib.AbstractContextManager[Service]:
    return running(sys.executable, "-c", script, *arguments, **options)


def family(file: Path) -> list[int]:
    """The processes of FAMILY, its child and its guard, once they have started."""
    wait_until(file.exists)
    return [int(word) for word in file.read_text().split()]


def all_gone(pids: list[int]) -> bool:
    assert len(pids) == 3
    return not any(map(alive, pids))


# ------------------------------------------------------------------------------------------------ what it does


def test_output_stays_away_until_it_is_asked_for(capfd: pytest.CaptureFixture[str]) -> None:
    with python(
        "import os, sys; print(sys.argv, os.environ['KNOB'], flush=True); os.write(2, b'log')", 1, env={"KNOB": "on"}
    ) as it:
        it.wait()
        assert it.output == "['-c', '1'] on\nlog"
        assert it.status == 0
    assert (it.output, it.status) == ("['-c', '1'] on\nlog", 0), "also afterwards"
    assert capfd.readouterr() == ("", "")


def test_the_greeting_of_tensorflow_is_left_out() -> None:
    line = "I0000 00:00:1795577992.176034   20138 port.cc:153] oneDNN custom operations are on. Expect other numbers."
    with python(f"print('before'); print({line!r}); print('after')") as it:
        it.wait()
        assert it.output == "before\nafter\n"


def test_it_has_no_input_and_a_session_of_its_own() -> None:
    with python("import os; print(os.getsid(0) == os.getpid(), flush=True); input()") as it:
        it.wait(expect=1)
        assert it.output.startswith("True")
        assert it.output.endswith("EOFError: EOF when reading a line\n")


def test_its_input_may_stay_open_as_long_as_the_page_lives() -> None:
    script = "import sys; print('reads', flush=True); sys.stdin.read(); print('end', flush=True)"
    with python(script, open_input=True) as it:
        it.until(lambda: it.output == "reads\n")
        time.sleep(0.3)
        assert it.status is None
    assert it.output == "reads\n"


def test_a_killed_process_has_no_last_words(tmp_path: Path) -> None:
    script = "import atexit, time; atexit.register(print, 'bye'); print('here', flush=True); time.sleep(60)"
    with python(script) as it:
        it.until(lambda: it.output == "here\n")
        assert it.status is None
        it.kill()
        assert it.status == -signal.SIGKILL
        it.wait(expect=-signal.SIGKILL)
        assert it.output == "here\n"


def test_a_process_may_end_in_order(tmp_path: Path) -> None:
    script = """
import pathlib, signal, sys, time
def end(*_):
    time.sleep(0.2)
    pathlib.Path(sys.argv[1]).write_text("in order")
    sys.exit()
signal.signal(signal.SIGTERM, end)
print("ready", flush=True)
time.sleep(60)
"""
    with python(script, tmp_path / "end") as it:
        it.until(lambda: it.output)
    assert (tmp_path / "end").read_text() == "in order"


def test_a_stubborn_process_is_killed() -> None:
    script = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print(1, flush=True); time.sleep(60)"
    begin = time.monotonic()
    with python(script, patience=0.2) as it:
        it.until(lambda: it.output)
    assert it.status == -signal.SIGKILL
    assert time.monotonic() - begin < 20


def test_nothing_is_left_open() -> None:
    before = os.listdir("/dev/fd")  # noqa: PTH208 (numbers, not files)
    for _ in range(3):
        with python("pass") as it:
            it.wait()
    assert os.listdir("/dev/fd") == before  # noqa: PTH208


# ------------------------------------------------------------------------------------------------ what it says


def refusal(error: pytest.ExceptionInfo[ServiceError]) -> list[str]:
    (text,) = error.value._render_traceback_()
    return text.splitlines()


def test_a_failure_gives_the_last_lines() -> None:
    script = "for n in range(50): print('line', n, flush=True)\nraise SystemExit('the disk is full')"
    with pytest.raises(ServiceError) as error, python(script, name="training") as it:
        it.wait()
    lines = refusal(error)
    assert lines[0] == "ServiceError: training ended with status 1. Its last lines:"
    assert lines[-1] == "the disk is full"
    assert len(lines) == 13


@pytest.mark.parametrize(
    ("script", "said"),
    [
        ("import os; os.kill(os.getpid(), 9)", "training was ended by SIGKILL too early"),
        ("", "training ended with status 0 too early"),
        ("import time; time.sleep(60)", "training did not get there in 0.3 seconds"),
    ],
)
def test_waiting_in_vain(script: str, said: str) -> None:
    with pytest.raises(ServiceError) as error, python(script, name="training") as it:
        it.until(lambda: False, seconds=0.3 if "time" in script else 20)
    assert refusal(error) == [f"ServiceError: {said}"]


def test_a_condition_may_be_met_by_the_last_act(tmp_path: Path) -> None:
    with python("import pathlib, sys; pathlib.Path(sys.argv[1]).touch()", tmp_path / "done") as it:
        it.until((tmp_path / "done").exists)


def test_a_process_that_goes_on_too_long() -> None:
    with (
        pytest.raises(ServiceError, match=r"^training has not ended after 0\.2 seconds$"),
        python("import time; time.sleep(60)", name="training") as it,
    ):
        it.wait(seconds=0.2)


def test_a_program_that_is_not_there() -> None:
    with pytest.raises(ServiceError, match="there is no program 'redis-serfer' here"), running("redis-serfer", "-p", 1):
        pass
    with pytest.raises(ServiceError, match="needs a program"), running():
        pass


# ------------------------------------------------------------------------------------------------ its end


@pytest.mark.parametrize("end", ["in order", "error", "interrupt", "killed itself"])
def test_it_ends_with_the_block_and_takes_its_children_along(end: str, tmp_path: Path) -> None:
    with contextlib.suppress(ZeroDivisionError, KeyboardInterrupt), python(FAMILY, tmp_path / "pids") as it:
        pids = family(tmp_path / "pids")
        if end == "error":
            1 / 0  # noqa: B018
        if end == "interrupt":
            raise KeyboardInterrupt
        if end == "killed itself":
            it.kill()
    assert it.pid in pids
    assert not alive(it.pid)
    wait_until(lambda: all_gone(pids))


@contextlib.contextmanager
def page(tmp_path: Path) -> Iterator[subprocess.Popen[bytes]]:
    """A process that runs FAMILY for a minute, as a page would."""
    script = f"""
import signal, sys, time
from mlcourse.services import running
signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's background job is born deaf to it
with running(sys.executable, "-c", {FAMILY!r}, {str(tmp_path / "pids")!r}):
    time.sleep(60)
"""
    with subprocess.Popen([sys.executable, "-c", script], stderr=subprocess.DEVNULL) as process:
        try:
            yield process
        finally:
            process.kill()


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT, signal.SIGSEGV])
def test_it_ends_with_a_page_that_is_ended_from_outside(number: signal.Signals, tmp_path: Path) -> None:
    with page(tmp_path) as process:
        pids = family(tmp_path / "pids")
        process.send_signal(number)
        process.wait(20)
        wait_until(lambda: all_gone(pids))


def test_it_ends_if_the_page_is_killed_while_it_starts(tmp_path: Path) -> None:
    for delay in (0, 0.005, 0.01, 0.02, 0.04):
        word = f"{os.getpid()}-{delay}"
        script = (
            f"import sys, time\nfrom mlcourse.services import running\nprint(1, flush=True)\n"
            f"with running(sys.executable, '-c', 'import time; time.sleep(60)', '{word}'):\n    time.sleep(60)"
        )
        with subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE) as process:
            process.stdout.read(1)
            time.sleep(delay)
            process.kill()
        wait_until(lambda word=word: not named(word))


def named(word: str) -> list[int]:
    """The processes that have a word as their last argument."""
    listed = subprocess.run(["ps", "-A", "-ww", "-o", "pid=,stat=,args="], capture_output=True, text=True, check=True)
    rows = [line.split() for line in listed.stdout.splitlines()]
    return [int(row[0]) for row in rows if row[-1] == word and not row[1].startswith("Z")]


IN_A_PAGE = f"""
import sys, time
from pathlib import Path
from mlcourse.services import running
with running(sys.executable, "-c", {FAMILY!r}, {{file!r}}) as it:
    it.until(Path({{file!r}}).exists)
    {{then}}
"""


@pytest.mark.parametrize("cold", [False, True], ids=["warm", "cold"])
@pytest.mark.parametrize("then", ["1 / 0", "pass", "__import__('os').kill(__import__('os').getpid(), 9)"])
def test_it_ends_with_a_real_page(then: str, cold: bool, course: Course, tmp_path: Path) -> None:
    file = tmp_path / "pids"
    course.page("1-part/page", code(SEED, "parameters"), IN_A_PAGE.format(file=str(file), then=then))
    (result,) = course.run(cold=cold)
    assert (result.failure is None) is (then == "pass")
    wait_until(lambda: all_gone(family(file)))


def test_it_ends_with_a_run_that_is_interrupted(course: Course, tmp_path: Path) -> None:
    file = tmp_path / "pids"
    course.page("1-part/page", code(SEED, "parameters"), IN_A_PAGE.format(file=str(file), then="time.sleep(60)"))
    command = started(course, "run")
    pids = family(file)
    ctrl_c(command)
    command.wait(30)
    command.communicate()
    wait_until(lambda: all_gone(pids))


# ------------------------------------------------------------------------------------------------ Redis


@pytest.fixture(autouse=True)
def _no_redis_of_others(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("REDIS_URL", raising=False)


def asked(url: str) -> redis.Redis:
    return redis.Redis.from_url(url, decode_responses=True)


def pid_of(url: str) -> int:
    with asked(url) as store:
        return store.info("server")["process_id"]


def test_a_redis_starts_empty_keeps_what_it_is_given_and_ends(capfd: pytest.CaptureFixture[str]) -> None:
    with redis_server() as url, asked(url) as store:
        assert url.startswith("redis://127.0.0.1:")
        assert store.dbsize() == 0
        store.rpush("history", "shoes", "socks")
        assert store.lrange("history", 0, -1) == ["shoes", "socks"]
        assert store.config_get("save", "appendonly") == {"save": "", "appendonly": "no"}
        pid = pid_of(url)
    wait_until(lambda: not alive(pid))
    with pytest.raises(redis.ConnectionError), asked(url) as store:
        store.ping()
    assert capfd.readouterr() == ("", "")


def test_two_redis_do_not_meet() -> None:
    with redis_server() as one, redis_server() as other, asked(one) as first, asked(other) as second:
        first.set("key", "value")
        assert second.get("key") is None


def test_a_redis_whose_port_is_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with (
            pytest.raises(ServiceError, match=rf"^Redis cannot listen on port {port}: another program does$"),
            redis_server(port),
        ):
            pass
        # A port that is taken between the choice and the start is no failure.
        free = services.free_port
        ports = iter([port, port])
        monkeypatch.setattr(services, "free_port", lambda: next(ports, None) or free())
        with redis_server() as url:
            assert f":{port}/" not in url
            assert pid_of(url)


@pytest.mark.parametrize(
    ("script", "said"),
    [
        ("echo 'no memory'; exit 3", "Redis ended with status 3 too early. Its last lines:\nno memory"),
        ("kill -9 $$", "Redis was ended by SIGKILL too early"),
    ],
)
def test_a_redis_that_dies_at_once(script: str, said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program = tmp_path / "valkey-server"
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(0o755)
    monkeypatch.setattr(services, "_valkey", lambda: program)
    with pytest.raises(ServiceError) as error, redis_server():
        pass
    assert refusal(error) == [f"ServiceError: {said.splitlines()[0]}", *said.splitlines()[1:]]


def test_a_machine_without_redis(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("platform.system", lambda: "Plan9")
    with pytest.raises(ServiceError) as error, redis_server():
        pass
    (line,) = refusal(error)
    assert line.startswith("ServiceError: there is no Redis for this machine (Unsupported operating system: plan9.")
    assert line.endswith("set REDIS_URL to the address of one: redis://host:6379/0")


def test_the_redis_of_others_is_left_as_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    with redis_server() as theirs, asked(theirs) as store:
        store.set("theirs", 1)
        monkeypatch.setenv("REDIS_URL", theirs)
        with redis_server() as url:
            assert url == theirs
        assert store.get("theirs") == "1"


@pytest.mark.parametrize(
    ("address", "said"),
    [
        ("redis://me:secret@127.0.0.1:{free}/0", "no Redis answers at REDIS_URL (redis://127.0.0.1:{free}/0): Error "),
        ("127.0.0.1:{free}", "no Redis answers at REDIS_URL (127.0.0.1:{free}): Redis URL must specify one of"),
        ("redis://127.0.0.1:port", "no Redis answers at REDIS_URL (redis://127.0.0.1:port): Port could not be cast"),
        ("redis://me:wrong@127.0.0.1:{ours}/0", "no Redis answers at REDIS_URL (redis://127.0.0.1:{ours}/0): "),
    ],
)
def test_an_address_where_no_redis_answers(address: str, said: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with redis_server() as url:
        ports = {"free": services.free_port(), "ours": url.rpartition(":")[2].removesuffix("/0")}
        monkeypatch.setenv("REDIS_URL", address.format(**ports))
        with pytest.raises(ServiceError) as error, redis_server():
            pass
        (line,) = refusal(error)
        assert line.startswith("ServiceError: " + said.format(**ports))
        assert "secret" not in line
        assert "wrong@" not in line


REDIS_IN_A_PAGE = """
import os, sys, time
from pathlib import Path
import redis
from mlcourse.services import redis_server
with redis_server() as url:
    pid = redis.Redis.from_url(url).info("server")["process_id"]
    Path({file!r}).with_suffix(".part").write_text(str(pid))
    Path({file!r}).with_suffix(".part").rename({file!r})
    {then}
"""


@pytest.mark.parametrize("then", ["1 / 0", "pass", "os.kill(os.getpid(), 9)"])
def test_a_redis_ends_with_its_page(then: str, course: Course, tmp_path: Path) -> None:
    file = tmp_path / "pid"
    course.page("1-part/page", code(SEED, "parameters"), REDIS_IN_A_PAGE.format(file=str(file), then=then))
    (result,) = course.run()
    assert (result.failure is None) is (then == "pass")
    wait_until(lambda: not alive(int(file.read_text())))


def test_a_redis_ends_with_a_page_that_is_interrupted(course: Course, tmp_path: Path) -> None:
    file = tmp_path / "pid"
    course.page("1-part/page", code(SEED, "parameters"), REDIS_IN_A_PAGE.format(file=str(file), then="time.sleep(60)"))
    command = started(course, "run")
    wait_until(file.exists)
    ctrl_c(command)
    command.wait(30)
    command.communicate()
    wait_until(lambda: not alive(int(file.read_text())))
