"""What a page's result depends on, as one hash: while it stays the same, a page need not run again.

In the key: the code cells with their tags, the parameters, what the imported modules of ``mlcourse`` do, the data
files that those load, the lock and the Python version. Not in it: Markdown, comments and docstrings of modules.
"""

from __future__ import annotations

import ast
import hashlib
import json
import platform
import re
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import nbformat

import mlcourse
from mlcourse.datasets.files import cards, data_folder

# Raised when results are recorded in another form, so that no old one is taken for new.
_FORM = 1

PACKAGE = Path(mlcourse.__file__).parent


def content_key(notebook: nbformat.NotebookNode, parameters: Mapping[str, Any], root: Path) -> str:
    """The key of a page's result: a hex digest.

    Parameters
    ----------
    notebook
        The page.
    parameters
        The parameters that are set for it, the seed included.
    root
        The course's folder, which holds the lock, ``requirements.txt``.
    """
    code = [[cell.source, sorted(cell.metadata.get("tags", []))] for cell in notebook.cells if cell.cell_type == "code"]
    modules, literals = dependencies("\n".join(source for source, _ in code))
    lock = root / "requirements.txt"
    parts = {
        "form": _FORM,
        "code": code,
        "parameters": dict(sorted(parameters.items())),
        "modules": {path.relative_to(PACKAGE).as_posix(): _digest(meaning(path)) for path in sorted(modules)},
        "data": {file: _file_digest(data_folder() / file) for file in sorted(literals & set(cards()))},
        "lock": _file_digest(lock),
        "python": platform.python_version(),
    }
    return _digest(json.dumps(parts, sort_keys=True))


def dependencies(code: str) -> tuple[set[Path], set[str]]:
    """The modules of ``mlcourse`` that code needs, directly or through others, and all texts in quotes in both.

    Code that is no Python needs, for all we know, everything.
    """
    modules: set[Path] = set()
    literals: set[str] = set()
    try:
        waiting = [(ast.parse(without_magics(code)), "__main__")]
    except SyntaxError:
        return set(PACKAGE.rglob("*.py")), set(cards())
    while waiting:
        tree, here = waiting.pop()
        literals |= {
            node.value for node in ast.walk(tree) if isinstance(node, ast.Constant) and type(node.value) is str
        }
        for module in _imported(tree, here):
            path = _source(module)
            if path is not None and path not in modules:
                modules.add(path)
                waiting.append((_without_reexports(ast.parse(path.read_text(encoding="utf-8")), path), module))
    return modules, literals


def meaning(path: Path) -> str:
    """A module's code without comments, docstrings and lay-out; a package's without the names it passes on."""
    tree = _without_reexports(ast.parse(path.read_text(encoding="utf-8")), path)
    for node in ast.walk(tree):
        body = getattr(node, "body", None)
        first = body[0] if isinstance(body, list) and body else None
        if isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant):
            del body[0]  # a docstring
    return ast.dump(tree)


def without_magics(code: str) -> str:
    """Python that can be parsed: a line of IPython (``%pip ...``, ``!ls``) becomes ``pass``.

    A line may also begin with an operator, where an expression goes on: ``!= x`` or ``% x``.
    """
    return re.sub(r"^([ \t]*)(%%?\w|!(?!=)).*$", r"\1pass", code, flags=re.MULTILINE)


def _imported(tree: ast.AST, here: str) -> Iterator[str]:
    """The modules of mlcourse that a module or page imports, as deep as the names lead.

    ``from mlcourse.datasets import load_x`` leads to the package and to the module that defines ``load_x``, not
    to its neighbours.
    """
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                if alias.name.split(".")[0] == "mlcourse":
                    yield from (alias.name, *_passed_on(alias.name, "*"))
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            if node.level:
                package = here.split(".") if _is_package(here) else here.split(".")[:-1]
                base = ".".join([*package[: len(package) - node.level + 1], *base.split(".")]).rstrip(".")
            if base.split(".")[0] == "mlcourse":
                yield base
                for alias in node.names:
                    yield from (f"{base}.{alias.name}", *_passed_on(base, alias.name))
                    yield from _passed_on(f"{base}.{alias.name}", "*")


def _passed_on(package: str, name: str) -> Iterator[str]:
    """The modules from which a package's ``__init__`` takes a name to pass it on; all of them for ``*``."""
    path = _source(package)
    if path is None or path.name != "__init__.py":
        return
    for node in ast.parse(path.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.ImportFrom) and (
            name == "*" or any(name == (alias.asname or alias.name) for alias in node.names)
        ):
            yield node.module or package


def _without_reexports(tree: ast.Module, path: Path) -> ast.Module:
    """A package's ``__init__`` without the lines that only pass names on: a page depends on those it asks for."""
    if path.name == "__init__.py":
        tree.body = [
            node
            for node in tree.body
            if not isinstance(node, ast.ImportFrom)
            and not (isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "__all__")
        ]
    return tree


def _source(module: str) -> Path | None:
    """The file of a module of mlcourse; ``None`` for what is no module (a function, say)."""
    path = PACKAGE.joinpath(*module.split(".")[1:])
    for file in (path / "__init__.py", path.with_suffix(".py")):
        if file.is_file():
            return file
    return None


def _is_package(module: str) -> bool:
    source = _source(module)
    return source is not None and source.name == "__init__.py"


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def _file_digest(path: Path) -> str:
    if not path.is_file():
        return "missing"
    status = path.stat()
    return _digest_of_state(path, status.st_mtime_ns, status.st_size)


@cache
def _digest_of_state(path: Path, _changed: int, _size: int) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
