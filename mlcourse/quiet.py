"""Keeps TensorFlow's greeting (GPUs it has not found, CPU instructions it could use) out of a page's output.

Some versions (2.18 and 2.21, say) write a part of it while they are imported, below Python and whatever
``TF_CPP_MIN_LOG_LEVEL`` says (tensorflow/tensorflow#100442). So in a kernel, the lines of its log that this level
asks to leave out are left out here, for the length of that import and no longer. All else still appears.
"""

from __future__ import annotations

import contextlib
import os
import re
import sys
import tempfile
from collections.abc import Iterator, Sequence
from importlib.machinery import ModuleSpec, PathFinder
from types import ModuleType

# Such as `I0000 00:00:1795577992.176034   20138 port.cc:153] oneDNN custom ...`: information, warnings and errors.
# What is fatal is kept. The first pattern is the log's own remark on being written so early.
GREETING = re.compile(
    rb"WARNING: All log messages before absl::InitializeLog\(\) .*\n?|[IWE]\d{4} [\d:.]+ +\d+ \S+\.cc:\d+\] .*\n?"
)


def quiet_tensorflow() -> None:
    """Ask TensorFlow for silence about itself, whenever it is imported from now on."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    # Outside of a kernel nothing becomes part of a page, and nothing is held back.
    if "ipykernel" in sys.modules and "tensorflow" not in sys.modules and os.environ["TF_CPP_MIN_LOG_LEVEL"] == "3":
        sys.meta_path.insert(0, _TensorFlowFinder())


class _TensorFlowFinder:
    """Finds TensorFlow where everybody does, and has it loaded without its greeting."""

    def find_spec(
        self, name: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if name != "tensorflow":
            return None
        spec = PathFinder.find_spec(name, path, target)
        if spec is not None and spec.loader is not None:
            load = spec.loader.exec_module

            def load_quietly(module: ModuleType) -> None:
                with without_greeting():
                    load(module)

            spec.loader.exec_module = load_quietly
        return spec


@contextlib.contextmanager
def without_greeting() -> Iterator[None]:
    """Hold back what is written to the file descriptor of standard error; at the end, pass on all but the greeting."""
    with tempfile.TemporaryFile() as written, os.fdopen(os.dup(2), "wb") as stderr:
        os.dup2(written.fileno(), 2)
        try:
            yield
        finally:
            os.dup2(stderr.fileno(), 2)
            written.seek(0)
            stderr.write(GREETING.sub(b"", written.read()))
