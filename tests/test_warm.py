"""Warm kernels behave like ordinary ones, start at once, and never outlive their clients."""

import asyncio
import os
import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import nbformat
import psutil
import pytest
from course import alive, wait_until
from jupyter_client.manager import KernelManager
from nbclient import NotebookClient
from nbclient.exceptions import DeadKernelError

from mlcourse.runner import warm, warm_server
from mlcourse.runner.warm import ForkedKernel, WarmError, WarmServer

pytestmark = pytest.mark.skipif(not warm.supported(), reason="kernels can be forked on Linux only")


@pytest.fixture(autouse=True)
def _warm(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JUPYTER_DEFAULT_PROVISIONER_NAME", "mlcourse-warm")
    monkeypatch.setattr(warm, "_told", set())


@pytest.fixture
def kernel(tmp_path: Path):
    """A blocking manager and client of one warm kernel."""
    from jupyter_client.provisioning import KernelProvisionerFactory

    KernelProvisionerFactory.clear_instance()  # it has read the environment in an earlier test
    manager = KernelManager(kernel_name="python3")
    manager.start_kernel(cwd=tmp_path)  # a Path, as nbmake gives it
    client = manager.client()
    client.start_channels()
    client.wait_for_ready(timeout=60)
    yield manager, client
    client.stop_channels()
    manager.shutdown_kernel(now=True)
    KernelProvisionerFactory.clear_instance()


def answer(client, code: str) -> str:
    replies = []
    client.execute_interactive(code, timeout=30, output_hook=lambda message: replies.append(message["content"]))
    return "".join(content.get("text", "") for content in replies)


def test_a_warm_kernel_computes_in_its_folder(kernel, tmp_path: Path) -> None:
    manager, client = kernel
    assert manager.provisioner.warm
    assert answer(client, "import os; print(os.getcwd(), 6 * 7)") == f"{tmp_path} 42\n"
    assert manager.is_alive()


def test_a_warm_kernel_has_its_imports_done_but_none_of_ours(kernel) -> None:
    _, client = kernel
    code = "import sys; print('numpy' in sys.modules, any(name.split('.')[0] == 'mlcourse' for name in sys.modules))"
    assert answer(client, code) == "True False\n"


def test_an_interrupt_interrupts(kernel) -> None:
    manager, client = kernel
    message = client.execute("import time\ntry:\n    time.sleep(60)\nexcept KeyboardInterrupt:\n    print('woken')")
    wait_until(lambda: client.get_iopub_msg(timeout=5)["content"].get("execution_state") == "busy")
    time.sleep(0.3)
    started = time.monotonic()
    manager.interrupt_kernel()
    # A busy kernel may answer late to the requests by which its client saw that it is ready.
    wait_until(lambda: client.get_shell_msg(timeout=10)["parent_header"]["msg_id"] == message)
    assert time.monotonic() - started < 5
    assert answer(client, "print('alive')") == "alive\n"


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_a_signal_ends_it_and_its_status_is_known(kernel, number: signal.Signals) -> None:
    manager, _ = kernel
    process = manager.provisioner.process
    assert process.poll() is None
    asyncio.run(manager.provisioner.send_signal(number))
    assert process.wait(timeout=10) in (-number, 0, 128 + number)
    assert not manager.is_alive()
    assert not alive(process.pid), "the server has reaped it"


def test_a_restart_gives_a_new_kernel(kernel) -> None:
    manager, client = kernel
    first = manager.provisioner.pid
    answer(client, "x = 1")
    manager.restart_kernel(now=True)
    client.wait_for_ready(timeout=30)
    assert manager.provisioner.warm
    assert manager.provisioner.pid != first
    assert answer(client, "print('x' in globals())") == "False\n"


def test_the_environment_is_the_one_asked_for_and_no_other() -> None:
    # One of the variables that are read at start is set: such a kernel gets a server of its own.
    env = {"PATH": os.environ["PATH"], "HOME": "/tmp", "COLOUR": "green", "PYTHONHASHSEED": "7"}
    assert WarmServer(env).address != WarmServer({**env, "PYTHONHASHSEED": "8"}).address
    assert WarmServer(env).address == WarmServer({**env, "COLOUR": "red"}).address
    script = "import os; print(sorted(os.environ.items()), hash('a'))"
    seen = run_forked(script, env)
    cold = subprocess.run([sys.executable, "-c", script], env=env, capture_output=True, text=True, check=True).stdout
    seen_env, cold_env = (dict(eval(text.rpartition(")]")[0] + ")]")) for text in (seen, cold))
    for own in ("MPLBACKEND", "LC_CTYPE", "JPY_PARENT_PID", "CLICOLOR", "FORCE_COLOR", "CLICOLOR_FORCE", "TERM",
                "PAGER", "GIT_PAGER", "PYDEVD_USE_FRAME_EVAL"):  # fmt: skip
        seen_env.pop(own, None)  # ipykernel's own
        cold_env.pop(own, None)
    assert seen_env == cold_env
    assert seen.rpartition(" ")[2] == cold.rpartition(" ")[2], "the hash seed is honoured"


def run_forked(code: str, env: dict[str, str]) -> str:
    """What code prints in a warm kernel with exactly this environment."""
    from jupyter_client.provisioning import KernelProvisionerFactory

    KernelProvisionerFactory.clear_instance()
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(code)])
    client = NotebookClient(notebook, timeout=60, kernel_name="python3")
    client.execute(env=env)
    KernelProvisionerFactory.clear_instance()
    return "".join(output["text"] for output in notebook.cells[0].outputs if output.get("name") == "stdout")


def test_random_numbers_are_not_the_same_in_every_kernel() -> None:
    code = "import random, numpy; print(random.random(), numpy.random.random())"
    (a, b), (c, d) = (run_forked(code, dict(os.environ)).split() for _ in range(2))
    assert a != c
    assert b != d


def test_nbclient_notices_a_kernel_that_died() -> None:
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell("import os; os._exit(3)")])
    started = time.monotonic()
    with pytest.raises(DeadKernelError):
        NotebookClient(notebook, timeout=60, kernel_name="python3").execute()
    assert time.monotonic() - started < 20


def fork(tmp_path: Path, **changes) -> ForkedKernel:
    """A kernel that waits for a client that never comes."""
    arguments = ["-f", str(tmp_path / "kernel.json")]
    return WarmServer(os.environ).fork(arguments, str(tmp_path), os.environ | changes)


def test_a_missing_folder_is_said_as_popen_says_it(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="nowhere"):
        WarmServer(os.environ).fork([], str(tmp_path / "nowhere"), os.environ)


def test_a_kernel_ends_when_its_client_is_killed(tmp_path: Path) -> None:
    script = textwrap.dedent(
        f"""
        import os, time
        from mlcourse.runner.warm import WarmServer
        kernel = WarmServer(os.environ).fork(["-f", {str(tmp_path / "kernel.json")!r}], "/", os.environ)
        print(kernel.pid, flush=True)
        time.sleep(60)
        """
    )
    with subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True) as client:
        pid = int(client.stdout.readline())
        assert alive(pid)
        client.kill()
    wait_until(lambda: not alive(pid), 10)


def test_a_dead_server_means_an_ordinary_kernel_and_one_line(tmp_path: Path, monkeypatch, caplog) -> None:
    monkeypatch.setenv("MLCOURSE_WARM_MODULES", "this_module_ends_the_server")
    (tmp_path / "this_module_ends_the_server.py").write_text("import os; os._exit(1)")
    env = os.environ | {"PYTHONPATH": str(tmp_path)}
    assert run_forked("print(1 + 1)", env) == "2\n"
    assert run_forked("print(2 + 2)", env) == "4\n"
    told = [record.message for record in caplog.records if record.name == "mlcourse"]
    assert len(told) == 1
    assert told[0].startswith("no warm kernels: the server ")
    assert told[0].endswith("Starting ordinary ones.")


def test_a_killed_server_is_replaced_and_its_kernels_live_on(tmp_path: Path) -> None:
    kernel = fork(tmp_path)
    server = psutil.Process(kernel.pid).parent()
    server.kill()
    wait_until(lambda: not alive(server.pid))
    assert kernel.poll() is None
    other = fork(tmp_path)
    assert psutil.Process(other.pid).ppid() != server.pid
    for each in (kernel, other):
        each.kill()
        assert each.wait(timeout=10) == -signal.SIGKILL


def test_a_server_ends_when_nobody_needs_it(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setenv("MLCOURSE_WARM_IDLE", "1")
    monkeypatch.setenv("PYTHONHASHSEED", "11")  # a server of its own
    kernel = fork(tmp_path)
    address = WarmServer(os.environ).address
    server = psutil.Process(kernel.pid).parent()
    time.sleep(2)
    assert alive(server.pid), "not while a kernel lives"
    kernel.kill()
    kernel.wait(timeout=10)
    wait_until(lambda: not alive(server.pid))
    assert not address.exists()


def test_a_server_ends_when_its_environment_changes(tmp_path: Path) -> None:
    (tmp_path / "numpy-1.dist-info").mkdir()
    before = warm_server.environment_fingerprint(str(tmp_path))
    assert before == warm_server.environment_fingerprint(str(tmp_path))
    (tmp_path / "numpy-1.dist-info").rename(tmp_path / "numpy-2.dist-info")
    assert before != warm_server.environment_fingerprint(str(tmp_path))


def test_imports_that_start_threads_are_refused(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setenv("MLCOURSE_WARM_MODULES", "starts_a_thread")
    (tmp_path / "starts_a_thread.py").write_text(
        "import threading, time\nthreading.Thread(target=time.sleep, args=(60,), daemon=True).start()"
    )
    server = WarmServer(os.environ | {"PYTHONPATH": str(tmp_path)})
    with pytest.raises(WarmError):
        server.fork([], "/", os.environ)
    assert "importing started threads" in server.log.read_text()


def test_the_pages_modules_start_no_threads() -> None:
    """The modules that the real server imports leave it fit to fork."""
    script = "from mlcourse.runner import warm_server; warm_server.import_modules(warm_server.MODULES); print('fit')"
    env = os.environ | WarmServer(os.environ).env
    done = subprocess.run([sys.executable, "-c", script], env=env, capture_output=True, text=True, check=True)
    assert done.stdout == "fit\n"


def test_the_servers_folder_is_private(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    folder = warm.runtime_folder()
    assert folder.stat().st_mode & 0o777 == 0o700
    folder.chmod(0o755)
    with pytest.raises(WarmError, match="not a private folder"):
        warm.runtime_folder()


def test_kernels_of_other_environments_and_languages_are_left_alone() -> None:
    assert warm._kernel_arguments(["/usr/bin/python3", "-m", "ipykernel_launcher", "-f", "x"]) is None
    assert warm._kernel_arguments(["R", "--slave"]) is None
    assert warm._kernel_arguments([sys.executable, "-m", "ipykernel_launcher", "-f", "x"]) == ["-f", "x"]
