"""TensorFlow's greeting stays out of pages; what it complains about does not."""

import os
import sys
from pathlib import Path

import pytest

from mlcourse.quiet import quiet_tensorflow, without_greeting

# As TensorFlow 2.21, 2.18 and 2.19 write it.
GREETING = """\
WARNING: All log messages before absl::InitializeLog() is called are written to STDERR
I0000 00:00:1795577992.176034   20138 port.cc:153] oneDNN custom operations are on. Expect other numbers.
E0000 00:00:1758131437.297298 3722519 cuda_dnn.cc:8579] Unable to register cuDNN factory: Attempting to register factory
W0000 00:00:1758131437.322781 3722519 computation_placer.cc:177] computation placer already registered.
"""
COMPLAINTS = """\
F0000 00:00:1795577992.176034   20138 cpu_feature_guard.cc:37] This binary was compiled to use AVX instructions.
RuntimeWarning: I0000 is not a number
"""


@pytest.fixture
def tensorflow(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A package of that name that writes a greeting and complaints when it is imported."""
    (tmp_path / "tensorflow").mkdir()
    lines = [
        line + "\n" for pair in zip(GREETING.splitlines(), COMPLAINTS.splitlines() * 2, strict=True) for line in pair
    ]
    (tmp_path / "tensorflow/__init__.py").write_text(f"import os\nos.write(2, {''.join(lines).encode()!r})")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(sys, "meta_path", [*sys.meta_path])
    monkeypatch.delitem(sys.modules, "tensorflow", raising=False)
    monkeypatch.setitem(sys.modules, "ipykernel", sys)  # in a kernel
    monkeypatch.delenv("TF_CPP_MIN_LOG_LEVEL", raising=False)


@pytest.mark.usefixtures("tensorflow")
def test_in_a_kernel_all_but_the_greeting_is_written(capfd: pytest.CaptureFixture[str]) -> None:
    quiet_tensorflow()
    import tensorflow  # noqa: F401

    assert capfd.readouterr().err == COMPLAINTS * 2
    os.write(2, GREETING.encode())
    assert capfd.readouterr().err == GREETING, "only while it is imported"


@pytest.mark.usefixtures("tensorflow")
@pytest.mark.parametrize("case", ["outside of a kernel", "at another log level"])
def test_elsewhere_everything_is_written(case: str, monkeypatch, capfd) -> None:
    if case == "outside of a kernel":
        monkeypatch.delitem(sys.modules, "ipykernel")
    else:
        monkeypatch.setenv("TF_CPP_MIN_LOG_LEVEL", "0")
    quiet_tensorflow()
    import tensorflow  # noqa: F401

    written = capfd.readouterr().err
    assert all(line in written for line in GREETING.splitlines())


def test_what_was_written_appears_also_if_the_import_fails(capfd) -> None:
    def fail() -> None:
        with without_greeting():
            os.write(2, (GREETING + COMPLAINTS).encode())
            raise ImportError

    with pytest.raises(ImportError):
        fail()
    assert capfd.readouterr().err == COMPLAINTS
