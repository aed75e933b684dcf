"""Make the inventories of this folder: ``python book/inventories/make.py FOLDER``.

FOLDER holds Debian's documentation packages, unpacked (see README.md here).
"""

from __future__ import annotations

import inspect
import sys
from collections.abc import Iterator
from pathlib import Path
from zlib import compress

import matplotlib.axes
import matplotlib.figure
import matplotlib.pyplot
import numpy as np
from sphinx.util.inventory import InventoryFile

HERE = Path(__file__).parent

# Where Debian's packages have their inventories, and what of them the pages' code can name.
DEBIAN = {
    "pandas": ("usr/share/doc/python-pandas-doc/html/objects.inv", "pandas"),
    "scipy": (
        "usr/share/doc/python-scipy-doc/html/objects.inv",
        "scipy.cluster scipy.linalg scipy.optimize scipy.sparse scipy.spatial scipy.special scipy.stats",
    ),
    "sklearn": ("usr/share/doc/python-sklearn-doc/html/objects.inv", "sklearn"),
    "python": (
        "usr/share/doc/python3.11/html/objects.inv",
        "bisect collections contextlib dataclasses datetime functools hashlib io itertools json math operator os "
        "pathlib random re statistics string struct sys tempfile textwrap time typing zlib",
    ),
}

Entry = tuple[str, str, str]  # name, kind, address


def debian(folder: Path, place: str, modules: str) -> Iterator[Entry]:
    """The public Python objects of an inventory that lie in one of the modules."""
    prefixes = tuple(f"{module}." for module in modules.split())
    path = next(folder.glob(f"*/{place}"))
    with path.open("rb") as stream:
        inventory = InventoryFile.load(stream, "", lambda base, address: address)
    for kind, objects in inventory.items():
        for name, (_, _, address, _) in objects.items():
            private = name.rpartition(".")[2].startswith("_")
            # Pages about whole modules have moved since; pages about one object have not.
            if kind.startswith("py:") and kind != "py:module" and name.startswith(prefixes) and not private:
                yield name, kind, address


def public(thing: object) -> Iterator[tuple[str, object]]:
    return ((name, value) for name, value in inspect.getmembers(thing, callable) if not name.startswith("_"))


def numpy_entries() -> Iterator[Entry]:
    """NumPy documents each function and method on a page of its own, but types, constants and generators together."""
    for module in (np, np.linalg, np.fft):
        for name, value in public(module):
            full = f"{module.__name__}.{name}"
            if inspect.isclass(value) and issubclass(value, np.generic):
                yield full, "py:class", f"reference/arrays.scalars.html#{full}"
            elif name in getattr(module, "__all__", ()) and not inspect.ismodule(value):
                yield full, "py:function", f"reference/generated/{full}.html#{full}"
    for name, _ in public(np.ndarray):
        yield (
            f"numpy.ndarray.{name}",
            "py:method",
            f"reference/generated/numpy.ndarray.{name}.html#numpy.ndarray.{name}",
        )
    for name in ("default_rng", "Generator"):
        yield f"numpy.random.{name}", "py:class", f"reference/random/generator.html#numpy.random.{name}"
    for name, _ in public(np.random.Generator):
        full = f"numpy.random.Generator.{name}"
        yield full, "py:method", f"reference/random/generated/{full}.html#{full}"


def matplotlib_entries() -> Iterator[Entry]:
    """Matplotlib documents each function and method on a page of its own."""
    for owner, prefix, kind in (
        (matplotlib.pyplot, "matplotlib.pyplot", "py:function"),
        (matplotlib.axes.Axes, "matplotlib.axes.Axes", "py:method"),
        (matplotlib.figure.Figure, "matplotlib.figure.Figure", "py:method"),
    ):
        for name, value in public(owner):
            if inspect.isroutine(value) and getattr(value, "__module__", "").startswith("matplotlib"):
                yield f"{prefix}.{name}", kind, f"api/_as_gen/{prefix}.{name}.html#{prefix}.{name}"


def write(project: str, entries: Iterator[Entry]) -> None:
    """Write an inventory in Sphinx's format, version 2."""
    head = f"# Sphinx inventory version 2\n# Project: {project}\n# Version: \n"
    head += "# The remainder of this file is compressed using zlib.\n"
    # An address that ends with the name says so by a dollar sign.
    short = ((name, kind, address.removesuffix(name) + "$" * address.endswith(name)) for name, kind, address in entries)
    lines = sorted({f"{name} {kind} 1 {address} -" for name, kind, address in short})
    (HERE / f"{project}.inv").write_bytes(head.encode() + compress("\n".join([*lines, ""]).encode(), 9))
    print(f"{project}: {len(lines)} objects")


if __name__ == "__main__":
    for project, (place, modules) in DEBIAN.items():
        write(project, debian(Path(sys.argv[1]), place, modules))
    write("numpy", numpy_entries())
    write("matplotlib", matplotlib_entries())
