"""Everything that proves the project, one step after the other, up to the first that fails. ``make test`` runs it.

What was proved stays proved until a file changes: the second run compares one hash.
"""

from __future__ import annotations

import argparse
import hashlib
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
BUILD = ROOT / "_build"
BIN = ".venv/bin"


def steps(jobs: str) -> dict[str, list[str]]:
    """The commands by their names, which are those of their logs in ``_build``."""
    pytest = [f"{BIN}/python", "-m", "pytest", "-n", jobs]
    return {
        "unit": [*pytest, "--dist=loadfile", "tests", "--ignore=tests/browser", "--ignore=tests/portability"],
        "pages": [*pytest, "--nbmake", "notebooks"],
        "book": [f"{BIN}/python", "tests/offline.py", f"{BIN}/mlcourse", "build", "--jobs", jobs],
        "browser": [*pytest, "tests/browser"],
        "portability": [*pytest, "tests/portability"],
    }


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--jobs", default="2", help="how many tests and pages run side by side")
    jobs = parser.parse_args().jobs
    BUILD.mkdir(exist_ok=True)
    proof, state = BUILD / "tested", fingerprint()
    if proof.exists() and proof.read_text("utf8").startswith(state):
        print("Nothing has changed since this passed (make clean starts afresh):")
        print(proof.read_text("utf8").removeprefix(state).strip())
        return 0
    proof.unlink(missing_ok=True)
    endings = []
    for name, command in steps(jobs).items():
        try:
            status, ending = run(command, BUILD / f"{name}.log")
        except KeyboardInterrupt:
            return 130
        if status:
            print(f"make test: {name} failed; its output is in _build/{name}.log", file=sys.stderr)
            return status if status > 0 else 1
        endings.append(f"{name}: {ending}")
    proof.write_text("\n".join([state, *endings, ""]), "utf8")
    print("\n".join(endings))
    return 0


def fingerprint() -> str:
    """Names and contents of all files that git knows or would take, as one hash."""
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    names = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, check=True).stdout.decode().split("\0")
    state = hashlib.sha256()
    for name in sorted(set(names)):
        if (ROOT / name).is_file():
            state.update(f"{name}\0{hashlib.sha256((ROOT / name).read_bytes()).hexdigest()}\0".encode())
    return state.hexdigest()


def run(command: list[str], log: Path) -> tuple[int, str]:
    """Run a command, show and keep what it prints; returns its exit status and its last line."""
    with log.open("wb") as kept, subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE) as process:
        while chunk := process.stdout.read1():
            kept.write(chunk)
            sys.stdout.buffer.write(chunk)
            sys.stdout.buffer.flush()
    lines = log.read_text("utf8", errors="replace").strip().splitlines()
    return process.returncode, lines[-1].strip("= ") if lines else ""


if __name__ == "__main__":
    sys.exit(main())
