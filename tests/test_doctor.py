"""``mlcourse doctor`` finds what a machine lacks, and says what to do about it."""

from __future__ import annotations

import importlib.metadata
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from course import ROOT, Course, command

Doctor = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def checkout(course: Course) -> Path:
    """A checkout of its own: the package and its data by links, a lock of two packages, a browser."""
    root = course.root
    (root / "mlcourse").symlink_to(ROOT / "mlcourse")
    shutil.copytree(ROOT / "data", root / "data", copy_function=lambda file, link: Path(link).symlink_to(file))
    versions = {name: importlib.metadata.version(name) for name in ("numpy", "pandas")}
    (root / "requirements.txt").write_text("".join(f"{name}=={version}\n" for name, version in versions.items()))
    (root / "bin").mkdir()
    (root / "bin/chromium").symlink_to("/bin/true")
    return root


@pytest.fixture
def doctor(checkout: Path) -> Doctor:
    def call() -> subprocess.CompletedProcess[str]:
        env = os.environ | {"PATH": str(checkout / "bin")}
        return subprocess.run(command("doctor"), cwd=checkout, env=env, capture_output=True, text=True, check=False)

    return call


def line(done: subprocess.CompletedProcess[str], mark: str) -> str:
    """The only line of the doctor's that begins with a mark."""
    assert done.stderr == ""
    (found,) = [line for line in done.stdout.splitlines() if line.startswith(mark)]
    return found


def spoilt(root: Path, file: str) -> None:
    content = (root / "data" / file).read_bytes()
    (root / "data" / file).unlink()
    (root / "data" / file).write_bytes(content + b"x")


def test_a_well_machine_is_called_well(doctor: Doctor, checkout: Path) -> None:
    done = doctor()
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stderr == ""
    assert "✗" not in done.stdout
    assert done.stdout.splitlines()[-1] == "All is well."
    assert "✓ the environment is the lock's" in done.stdout
    assert f"✓ browser for the tests: {checkout}/bin/chromium" in done.stdout
    assert "data files have the checksums of their cards" in done.stdout


@pytest.mark.parametrize(
    ("spoil", "found", "remedy"),
    [
        (
            lambda root: (root / "requirements.txt").write_text("numpy==1.0.1\nno-such-package==3.2\n"),
            f"the environment differs from the lock: numpy {importlib.metadata.version('numpy')} (lock: 1.0.1), "
            "no-such-package not installed (lock: 3.2)",
            "make -B environment",
        ),
        (
            lambda root: (root / "requirements.txt").write_text("".join(f"none-{n}==1\n" for n in range(9))),
            "none-4 not installed (lock: 1) and 4 more",
            "make -B environment",
        ),
        (
            lambda root: spoilt(root, "spam_mail.parquet"),
            "spam_mail.parquet is not the file its card describes: sha256 ",
            "git checkout -- data",
        ),
        (lambda root: (root / "data/spam_mail.parquet").unlink(), "spam_mail.parquet is missing from", "git checkout"),
        (lambda root: (root / "data/README.md").unlink(), "there are no data files at", "git checkout -- data"),
    ],
)
def test_what_is_wrong_is_found_with_its_remedy(doctor, checkout, spoil, found: str, remedy: str) -> None:
    spoil(checkout)
    done = doctor()
    assert done.returncode == 1
    only = line(done, "✗")
    assert found in only
    assert f"Do: {remedy}" in only
    assert done.stdout.splitlines()[-1] == "1 to mend."


def test_a_missing_browser_is_said_and_is_no_illness(doctor: Doctor, checkout: Path) -> None:
    """The course runs without one; only the browser tests do not."""
    (checkout / "bin/chromium").unlink()
    done = doctor()
    assert done.returncode == 0
    assert "no Chromium: the browser tests will be skipped. Do: apt-get install chromium" in done.stdout


def test_a_full_disk_is_found(doctor: Doctor, checkout: Path) -> None:
    inside = ["unshare", "--map-root-user", "--mount", "--"]
    if shutil.which("unshare") is None or subprocess.run([*inside, "true"], capture_output=True).returncode:
        pytest.skip("no mount namespaces here: unshare is missing or not permitted")
    # The same checkout by links, on a file system of its own without room.
    script = (
        "mkdir small && mount -t tmpfs -o size=200k tmpfs small && cp _toc.yml requirements.txt small && "
        'ln -s "$PWD/mlcourse" "$PWD/data" small && cd small && exec "$@"'
    )
    done = subprocess.run(
        [*inside, "sh", "-c", script, "sh", *command("doctor")],
        cwd=checkout,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert line(done, "✗").startswith("✗ only 0.0 GB of disk free; the book needs about 1 GB. Do: make clean")


def test_outside_of_a_course_the_machine_is_looked_at_alone(tmp_path: Path) -> None:
    done = subprocess.run(command("doctor"), cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout
    assert "– no requirements.txt here: versions not compared" in done.stdout


@pytest.mark.skipif(sys.version_info[:2] != (3, 11), reason="the lock is for Python 3.11")
def test_this_environment_is_the_courses_own() -> None:
    done = subprocess.run(command("doctor"), cwd=ROOT, capture_output=True, text=True, check=False)
    assert "✓ the environment is the lock's" in done.stdout
