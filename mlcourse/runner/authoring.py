"""What an author's commands write: a new page, the set-up cell with the repository's address, tidy notebooks."""

from __future__ import annotations

import copy
import hashlib
import re
import tomllib
from collections.abc import Iterable
from pathlib import Path

import nbformat

from mlcourse.runner.catalogue import NOTEBOOKS, CatalogueError, read_notebook
from mlcourse.runner.files import as_text, write

SETUP = """\
import sys

if "google.colab" in sys.modules:
    %pip install --quiet "mlcourse[{extras}] @ git+{address}"
"""

_SOURCE = re.compile(r'^(Source = ")([^"]*)(")', flags=re.MULTILINE)
_ASCII = re.ASCII | re.IGNORECASE

# What a new page holds: cell type, tags, source. TODO marks what only its author can write.
_TEMPLATE: list[tuple[str, list[str], str]] = [
    (
        "markdown",
        [],
        """# {title}

TODO: one sentence that promises what the reader will be able to do.

*TODO minutes to read, seconds to run. Before: TODO links to pages. Environment: core.*

**At a glance**

| | |
|---|---|
| **Problem** | TODO |
| **Solution** | TODO |
| **Price** | TODO |""",
    ),
    ("code", ["setup", "remove-cell"], "{setup}"),
    (
        "code",
        ["parameters"],
        "SEED: int = 0  # draws everything that is random\nROWS: int = 1_000  # rows of data",
    ),
    (
        "code",
        ["hide-input"],
        """from mlcourse import figures
from mlcourse.parameters import check_parameters, whole

check_parameters(globals(), SEED=whole(0, 9_999), ROWS=whole(100, 1_000_000))
figures.use_style()""",
    ),
    (
        "code",
        [],
        """import numpy as np

from mlcourse.claims import claim
from mlcourse.exercises import exercise

rng = np.random.default_rng(SEED)""",
    ),
    (
        "markdown",
        [],
        "## The problem\n\nTODO: the scenario and the data, then the naive way and its failure, measured.",
    ),
    ("markdown", [], "## The pattern\n\nTODO: the idea in a few lines, a diagram, then the library."),
    ("markdown", [], "## What it buys, what it costs\n\nTODO: naive and pattern side by side, then the trade-off."),
    ("markdown", [], "## Claims\n\nTODO: three to eight claims, one about the price, one that surprises."),
    (
        "code",
        [],
        """sample = rng.random(ROWS)
claim("TODO: what the pattern buys.", sample.mean(), within=(0.3, 0.7))
claim("TODO: what it costs.", sample.max(), at_most=1)
claim("TODO: what may surprise.", sample.std(), at_least=0.1)""",
    ),
    ("markdown", [], "## When not to use it\n\nTODO: the condition, and the alternatives."),
    ("markdown", [], "## Exercises\n\n### First exercise\n\nTODO: a task that needs thinking."),
    (
        "code",
        [],
        """first_exercise = exercise(
    "First exercise",
    check=lambda answer: answer == 4 or "TODO: what is wrong with this answer.",
    hint="TODO: what to think of next.",
    reason="TODO: why the right answer is right.",
)
first_exercise(...)  # your answer instead of the dots""",
    ),
    ("code", ["hide-cell"], "first_exercise(2 + 2)"),
    ("markdown", [], "### Second exercise\n\nTODO: another one."),
    (
        "code",
        [],
        """second_exercise = exercise(
    "Second exercise",
    check=lambda answer: answer == 9 or "TODO: what is wrong with this answer.",
    hint="TODO: what to think of next.",
    reason="TODO: why the right answer is right.",
)
second_exercise(...)  # your answer instead of the dots""",
    ),
    ("code", ["hide-cell"], "second_exercise(3 * 3)"),
    ("markdown", [], "## Recap\n\nTODO: three to five sentences to remember; what combines with it; further reading."),
]


def source_address(root: Path) -> str:
    """The repository's address, from ``pyproject.toml``.

    Raises
    ------
    CatalogueError
        If it is not there.
    """
    try:
        text = (root / "pyproject.toml").read_text(encoding="utf-8")
        return tomllib.loads(text)["project"]["urls"]["Source"]
    except (OSError, KeyError, tomllib.TOMLDecodeError):
        raise CatalogueError(f"{root / 'pyproject.toml'} names no Source below [project.urls]") from None


def setup_cell(address: str, extras: Iterable[str] = ()) -> str:
    """The source of every page's first code cell: on Colab it installs ``mlcourse``, elsewhere it does nothing.

    Parameters
    ----------
    address
        The repository: ``https://...``, ``ssh://...`` or ``file:///...``.
    extras
        The extras of ``pyproject.toml`` that the page needs besides ``pages``.
    """
    return SETUP.format(address=address, extras=",".join(["pages", *extras])).rstrip("\n")


def extras_of(notebook: nbformat.NotebookNode) -> list[str]:
    """The extras that a page's metadata names: packages that no other page should have to install."""
    return notebook.metadata.get("mlcourse", {}).get("extras", [])


def as_address(text: str) -> str:
    """A repository's address from ``OWNER/NAME`` (on GitHub) or from a git URL.

    Raises
    ------
    CatalogueError
        If the text is neither.
    """
    text = text.strip().removeprefix("git+").removesuffix("/")
    if re.fullmatch(r"[a-z0-9][\w-]*/[\w.-]*\w", text, _ASCII):
        return f"https://github.com/{text}"
    # As hosts show it to copy: git@host:owner/name.
    text = re.sub(r"\A([\w.-]+@[\w.-]+):(?!//)", r"ssh://\1/", text)
    # Without a user for https: what stands there may be a secret, and every page shows the address.
    if re.fullmatch(r"(https://|ssh://([\w.-]+@)?)[\w.-]+(:\d+)?(/[\w.~%+-]+)+|file://(/[\w.~%+-]+)+", text, _ASCII):
        return text
    raise CatalogueError(f"'{text}' is no repository; write OWNER/NAME or an https://, ssh:// or file:// address")


def with_address(root: Path, address: str) -> dict[Path, str]:
    """The files that name the repository, as they read with another address: pyproject.toml, pages and prose.

    Raises
    ------
    CatalogueError
        If ``pyproject.toml`` has no address yet, or a page is not a notebook.
    """
    project = root / "pyproject.toml"
    old = source_address(root)
    text, found = _SOURCE.subn(lambda match: f"{match[1]}{address}{match[3]}", project.read_text(encoding="utf-8"))
    if found != 1:
        raise CatalogueError(f'{project} needs one line Source = "..." below [project.urls]')
    drafts = {project: text}
    for path in notebooks(root):
        notebook = copy.deepcopy(read_notebook(path))
        for cell in notebook.cells:
            if "setup" in cell.metadata.get("tags", []):
                cell.source = setup_cell(address, extras_of(notebook))
        drafts[path] = as_text(notebook)
    for path in (root / "README.md", *sorted((root / "book").glob("*.md"))):
        if path.is_file():
            words = path.read_text(encoding="utf-8")
            drafts[path] = re.sub(rf"{re.escape(old)}(?![\w-])", lambda _: address, words)
    return drafts


def new_page(root: Path, id: str) -> Path:
    """Write a page that keeps the notebook contract, save for what only its author can write (``TODO``).

    Raises
    ------
    CatalogueError
        If the id is not PART/NAME with a part that there is and a name in lower case, or if the page exists.
    """
    part, _, name = id.removeprefix(f"{NOTEBOOKS}/").removesuffix(".ipynb").partition("/")
    if not re.fullmatch(r"[a-z][a-z0-9_]*", name) or not re.fullmatch(r"[0-9]+-[a-z0-9-]+", part):
        raise CatalogueError(f"'{id}' is no page's name; write PART/NAME such as 1-data-representation/feature_cross")
    path = root / NOTEBOOKS / part / f"{name}.ipynb"
    if not path.parent.is_dir():
        parts = sorted(folder.name for folder in (root / NOTEBOOKS).glob("*-*/"))
        raise CatalogueError(
            f"there is no part '{part}'; there are: {', '.join(parts) or 'none'}. "
            f"To begin one, make its folder: mkdir -p {NOTEBOOKS}/{part}"
        )
    if path.exists():
        raise CatalogueError(f"{path.relative_to(root)} exists already")
    cells = []
    words = {"title": name.replace("_", " ").capitalize(), "setup": setup_cell(source_address(root))}
    for number, (kind, tags, template) in enumerate(_TEMPLATE):
        source = template
        for word, text in words.items():
            source = source.replace(f"{{{word}}}", text)
        make = nbformat.v4.new_code_cell if kind == "code" else nbformat.v4.new_markdown_cell
        cell = make(source, metadata={"tags": tags} if tags else {})
        cell["id"] = hashlib.sha256(f"{part}/{name}{number}".encode()).hexdigest()[:8]
        cells.append(cell)
    write(path, tidy(nbformat.v4.new_notebook(cells=cells)))
    return path


def notebooks(root: Path) -> list[Path]:
    """All notebooks of the course, listed in ``_toc.yml`` or not."""
    found = sorted((root / NOTEBOOKS).rglob("*.ipynb"))
    return [path for path in found if ".ipynb_checkpoints" not in path.parts]


def tidy(notebook: nbformat.NotebookNode) -> str:
    """A notebook as it is committed: no outputs, no counts, no editor's metadata, one way of writing JSON."""
    notebook = copy.deepcopy(notebook)
    course = notebook.metadata.get("mlcourse", {})
    notebook.metadata = nbformat.from_dict(
        {
            "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
            "language_info": {"name": "python"},
            **({"mlcourse": course} if course else {}),
        }
    )
    for cell in notebook.cells:
        kept = {name: cell.metadata[name] for name in ("tags", "image") if cell.metadata.get(name)}
        if cell.cell_type == "code":
            cell.outputs, cell.execution_count = [], None
            if "hide-cell" in kept.get("tags", []):  # a solution: folded in Jupyter and Colab as in the book
                kept |= {"jupyter": {"source_hidden": True}, "cellView": "form"}
        cell.metadata = nbformat.from_dict(kept)
    return as_text(notebook)
