"""The pages of the course: which there are, in which order, and which parameters they take."""

from __future__ import annotations

import ast
import contextlib
import difflib
import io
import json
import tokenize
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import nbformat
import yaml
from nbformat.v4.rwbase import rejoin_lines

from mlcourse.parameters import ParameterError

PROFILES = ("quick", "book")
NOTEBOOKS = "notebooks"
CORE = "core"


class CatalogueError(ValueError):
    """The course, or what was asked of it, does not fit together; the message is one line."""


@dataclass(frozen=True)
class Parameter:
    """One knob of a page, as its parameters cell declares it."""

    name: str
    kind: str  # the annotation, such as "int" or "list[float]"
    default: Any
    comment: str

    def accepts(self, value: Any) -> bool:
        return _is_of_kind(value, ast.parse(self.kind, mode="eval").body)


@dataclass(frozen=True)
class Page:
    """A notebook that ``_toc.yml`` names."""

    id: str  # the path below notebooks/ without its ending, such as "1-data-representation/hashed_feature"
    file: Path
    book: Mapping[str, Any] = field(default_factory=dict, hash=False)  # parameters of the published book

    @property
    def part(self) -> str:
        """The folder below notebooks/, such as ``1-data-representation``."""
        return self.id.rpartition("/")[0]

    @property
    def name(self) -> str:
        return self.id.rpartition("/")[2]

    @cached_property
    def notebook(self) -> nbformat.NotebookNode:
        """The notebook as it lies on the disk. Do not change it; copy it.

        Raises
        ------
        CatalogueError
            If the file is not a notebook.
        """
        return read_notebook(self.file)

    @cached_property
    def title(self) -> str:
        """The first heading of level 1, or the page's name if there is none."""
        for cell in self.notebook.cells:
            for line in cell.source.splitlines() if cell.cell_type == "markdown" else ():
                if line.startswith("# "):
                    return line[2:].strip()
        return self.name

    @property
    def environment(self) -> str:
        """The environment that runs the page: ``core``, or the lab that the notebook's metadata names."""
        return self.notebook.metadata.get("mlcourse", {}).get("environment", CORE)

    @cached_property
    def parameters(self) -> dict[str, Parameter]:
        """What the cell tagged ``parameters`` declares, in its order.

        Raises
        ------
        CatalogueError
            If that cell holds anything but ``NAME: type = literal`` lines.
        """
        for cell in self.notebook.cells:
            if cell.cell_type == "code" and "parameters" in cell.metadata.get("tags", []):
                return _declared(cell.source, self.id)
        return {}

    def checked(self, values: Mapping[str, Any]) -> dict[str, Any]:
        """``values``, once each has been found to be a parameter of this page and of its type.

        Raises
        ------
        ParameterError
            One line that names what is wrong and what is allowed.
        """
        for name, value in values.items():
            if name not in self.parameters:
                known = ", ".join(self.parameters) or "none"
                raise ParameterError(f"{self.id} has no parameter {name}; it has: {known}")
            parameter = self.parameters[name]
            if not parameter.accepts(value):
                raise ParameterError(f"{self.id}: {name} must be of type {parameter.kind}, not {value!r}")
        return dict(values)

    def parsed(self, texts: Mapping[str, str]) -> dict[str, Any]:
        """Values typed on a command line, read as the types that this page declares.

        Raises
        ------
        ParameterError
            As :meth:`checked`.
        """
        values: dict[str, Any] = {}
        for name, text in texts.items():
            declared = self.parameters.get(name)
            values[name] = text
            if declared is None or declared.kind != "str":
                # What is no literal stays a text, and checked() says what it should have been.
                with contextlib.suppress(ValueError, SyntaxError):
                    values[name] = ast.literal_eval(text)
        return self.checked(values)

    def values(self, profile: str, given: Mapping[str, Any] | None = None, seed: int | None = None) -> dict[str, Any]:
        """The parameters that differ from the page's defaults: the profile's, then those given, then the seed.

        Raises
        ------
        CatalogueError
            If there is no such profile.
        ParameterError
            As :meth:`checked`.
        """
        if profile not in PROFILES:
            raise CatalogueError(f"there is no profile '{profile}'; allowed: {', '.join(PROFILES)}")
        values = {**(self.book if profile == "book" else {}), **self.checked(given or {})}
        if seed is not None:
            values |= self.checked({"SEED": seed})
        return values


@dataclass(frozen=True)
class Catalogue:
    """All pages in the order of ``_toc.yml``, and what is wrong with the course's tables."""

    root: Path
    pages: tuple[Page, ...]
    faults: Mapping[str, str]  # page id -> one line: what stops this page

    def select(self, names: Sequence[str] = ()) -> list[Page]:
        """The pages that ``names`` name, in the order of the book; all pages if there are no names.

        A name is a page's id, its last part, a part's folder, or the path of the notebook.

        Raises
        ------
        CatalogueError
            If a name fits no page, or a page that it selects has a fault.
        """
        known = dict.fromkeys([page.id for page in self.pages] + list(self.faults))
        chosen: set[str] = set() if names else set(known)
        for name in names:
            wanted = self._id(name)
            fits = [id for id in known if wanted in (id, id.rpartition("/")[0], id.rpartition("/")[2])]
            if not fits:
                raise CatalogueError(self._unknown(name, wanted, list(known)))
            chosen.update(fits)
        for id, fault in self.faults.items():
            if id in chosen:
                raise CatalogueError(fault)
        return [page for page in self.pages if page.id in chosen]

    def _id(self, name: str) -> str:
        """What the user means by a name: paths of notebooks and folders become ids."""
        folder = (self.root / NOTEBOOKS).resolve()
        for path in (Path(name), self.root / name):
            if path.exists() and path.resolve().is_relative_to(folder):
                return path.resolve().relative_to(folder).with_suffix("").as_posix()
        return name.rstrip("/").removesuffix(".ipynb").removeprefix(f"{NOTEBOOKS}/")

    @staticmethod
    def _unknown(name: str, wanted: str, known: list[str]) -> str:
        shorts = {id.rpartition("/")[2]: id for id in known}
        near = difflib.get_close_matches(wanted, [*known, *shorts], n=1)
        if near:
            return f"there is no page '{name}'; did you mean '{near[0]}'?"
        return f"there is no page '{name}'; there are: {', '.join(known) or 'none'}"


def find_root(start: Path | None = None) -> Path:
    """The course's folder: the nearest one from ``start`` (the current folder) upwards that holds ``_toc.yml``.

    Raises
    ------
    CatalogueError
        If there is none.
    """
    start = (start or Path.cwd()).resolve()
    for folder in (start, *start.parents):
        if (folder / "_toc.yml").is_file():
            return folder
    raise CatalogueError(f"no course here: neither {start} nor a folder above it holds _toc.yml")


def load_catalogue(root: Path) -> Catalogue:
    """Read ``_toc.yml`` and ``book/parameters.yml`` and compare them with the notebooks there are.

    What is wrong with a page is kept as its fault, so that one page's trouble does not stop another's run.

    Raises
    ------
    CatalogueError
        If a table cannot be read, or names a page twice.
    """
    listed = [file.removeprefix(f"{NOTEBOOKS}/") for file in _files(_yaml(root / "_toc.yml"))]
    for id in listed:
        if listed.count(id) > 1:
            raise CatalogueError(f"_toc.yml names {NOTEBOOKS}/{id} twice")
    book = _yaml(root / "book" / "parameters.yml") or {}
    if not isinstance(book, dict):
        raise CatalogueError("book/parameters.yml must hold one entry a page, each with NAME: value lines")
    folder = root / NOTEBOOKS
    present = {
        path.relative_to(folder).with_suffix("").as_posix()
        for path in sorted(folder.rglob("*.ipynb"))
        if ".ipynb_checkpoints" not in path.parts
    }
    faults: dict[str, str] = {}
    pages = []
    for id in listed:
        page = Page(id, folder / f"{id}.ipynb", book.get(id) or {})
        if id not in present:
            faults[id] = f"_toc.yml names {NOTEBOOKS}/{id}, but there is no {NOTEBOOKS}/{id}.ipynb"
            continue
        pages.append(page)
        try:
            if not isinstance(page.book, dict):
                raise ParameterError(f"{id} needs NAME: value lines")
            page.checked(page.book)
            _ = page.parameters  # a page that cannot be read is at fault also if nothing is set for it
        except ParameterError as error:
            faults[id] = f"book/parameters.yml: {error}"
        except CatalogueError as error:
            faults[id] = str(error)
    for id in sorted(present - set(listed)):
        faults[id] = f"{NOTEBOOKS}/{id}.ipynb is not in _toc.yml; add '- file: {NOTEBOOKS}/{id}' to its part"
    for id in book:
        if id not in listed:
            faults.setdefault(id, f"book/parameters.yml: {Catalogue._unknown(id, id, listed)}")
    return Catalogue(root, tuple(pages), faults)


def parts(root: Path) -> dict[str, list[str]]:
    """The pages of each part of the book that has some, by the part's caption in ``_toc.yml``."""
    found = {part.get("caption", ""): _files(part) for part in (_yaml(root / "_toc.yml") or {}).get("parts", [])}
    return {
        caption: [file.removeprefix(f"{NOTEBOOKS}/") for file in files] for caption, files in found.items() if files
    }


def read_notebook(path: Path) -> nbformat.NotebookNode:
    """Read a notebook.

    Raises
    ------
    CatalogueError
        If the file is not JSON, or is not a notebook of format 4.
    """
    text = path.read_text(encoding="utf-8", errors="replace")
    try:
        content = json.loads(text)
    except ValueError as error:
        raise CatalogueError(f"{path} is not a notebook: it is not JSON ({error})") from None
    if not isinstance(content, dict) or content.get("nbformat") != 4 or content.get("nbformat_minor", 0) < 5:
        raise CatalogueError(f"{path} is not a notebook of format 4.5")
    try:
        notebook = rejoin_lines(nbformat.from_dict(content))
        nbformat.validate(notebook)
    except (nbformat.ValidationError, AttributeError, KeyError, TypeError) as error:
        reason = str(error).partition("\n")[0]
        raise CatalogueError(f"{path} is not a notebook of format 4.5 ({reason})") from None
    return notebook


def _yaml(path: Path) -> Any:
    try:
        return yaml.safe_load(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise CatalogueError(f"{path.name} is not YAML: {' '.join(str(error).split())}") from None


def _files(node: Any) -> list[str]:
    """The notebooks that a tree of contents names, in its order, at any depth."""
    if isinstance(node, list):
        return [file for entry in node for file in _files(entry)]
    if not isinstance(node, dict):
        return []
    here = [node[key].removesuffix(".ipynb") for key in ("root", "file") if isinstance(node.get(key), str)]
    below = [file for value in node.values() for file in _files(value)]
    return [file for file in here if file.startswith(f"{NOTEBOOKS}/")] + below


def _declared(source: str, page: str) -> dict[str, Parameter]:
    comments = {
        token.start[0]: token.string.lstrip("# ")
        for token in tokenize.generate_tokens(io.StringIO(source).readline)
        if token.type == tokenize.COMMENT
    }
    found = {}
    for node in ast.parse(source).body:
        try:
            if not isinstance(node, ast.AnnAssign) or node.value is None:
                raise ValueError
            name, kind = node.target.id, ast.unparse(node.annotation)
            found[name] = Parameter(name, kind, ast.literal_eval(node.value), comments.get(node.end_lineno, ""))
        except (ValueError, AttributeError):
            line = ast.unparse(node)
            raise CatalogueError(
                f"{page}: the parameters cell holds '{line}'; it may only hold lines like ROWS: int = 1_000"
            ) from None
    return found


def _is_of_kind(value: Any, kind: ast.expr) -> bool:
    """Tell whether a literal is of an annotated type: a plain one, ``list[...]``, ``tuple[..., ...]`` or ``a | b``."""
    match kind:
        case ast.Constant(value=None):
            return value is None
        case ast.Name(id="bool"):
            return isinstance(value, bool)
        case ast.Name(id="float"):
            return isinstance(value, int | float) and not isinstance(value, bool)
        case ast.Name(id="int"):
            return isinstance(value, int) and not isinstance(value, bool)
        case ast.Name(id="str"):
            return isinstance(value, str)
        case ast.Name(id="list" | "tuple"):
            return isinstance(value, list | tuple)
        case ast.BinOp(left=left, op=ast.BitOr(), right=right):
            return _is_of_kind(value, left) or _is_of_kind(value, right)
        case ast.Subscript(value=ast.Name(id="list" | "tuple"), slice=inner):
            each = next((e for e in inner.elts), inner) if isinstance(inner, ast.Tuple) else inner
            return isinstance(value, list | tuple) and all(_is_of_kind(item, each) for item in value)
    return False
