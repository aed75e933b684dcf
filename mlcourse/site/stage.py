"""Executed pages, prose and generated pages become one tree for Sphinx: a plain Jupyter Book in ``_build/stage``.

Only files whose content changed are written, so that Sphinx renders only these again.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
import struct
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path

import nbformat
import yaml
from nbformat import NotebookNode

from mlcourse.claims import CLAIM_MIME
from mlcourse.runner.catalogue import CatalogueError
from mlcourse.site.evidence import PageRecord, evidence_page, status_page
from mlcourse.site.pattern_map import pattern_map_page

SITE = Path(__file__).parent
FIGURES = "_static/figures"
# The pages that no file holds, and what makes them.
GENERATED: dict[str, Callable[[Path, list[PageRecord]], str]] = {
    "book/data": lambda root, _: (root / "data/README.md").read_text("utf8"),
    "book/evidence": lambda _, records: evidence_page(records),
    "book/pattern_map": pattern_map_page,
    "book/status": lambda _, records: status_page(records),
}

_FIGURE = re.compile(r'<img class="mlcourse-figure" src="data:image/([a-z+]+);base64,([^"]+)"([^>]*)>')


def toc_files(root: Path) -> list[str]:
    """Every file that ``_toc.yml`` names, in the book's order, as it is written there: without an ending."""

    def walk(entry: object) -> Iterator[str]:
        if isinstance(entry, Mapping):
            yield from (str(entry[key]) for key in ("root", "file") if key in entry)
            for value in entry.values():
                yield from walk(value)
        elif isinstance(entry, list):
            for value in entry:
                yield from walk(value)

    return [
        name.removesuffix(".md").removesuffix(".ipynb")
        for name in walk(yaml.safe_load((root / "_toc.yml").read_text("utf8")))
    ]


def check_toc(root: Path, pages: Iterable[str]) -> None:
    """Compare what ``_toc.yml`` names with the pages and the prose that there are.

    Raises
    ------
    CatalogueError
        If one of them lacks what the other has.
    """
    listed = set(toc_files(root))
    book = root / "book"
    prose = {path.relative_to(book).with_suffix("") for path in book.rglob("*.md") if path.name != "README.md"}
    there = {f"book/{path.as_posix()}" for path in prose if not path.parts[0].startswith("_")}
    there |= {f"notebooks/{page}" for page in pages} | (GENERATED.keys() & listed)
    if missing := sorted(listed - there):
        raise CatalogueError(f"_toc.yml names {', '.join(missing)}, which does not exist")
    if unlisted := sorted(there - listed):
        raise CatalogueError(f"_toc.yml does not name {', '.join(unlisted)}: add it, or remove the file")


def extract_figures(page: str, content: str) -> tuple[str, dict[str, bytes]]:
    """Move the figures out of an output's HTML into files, which browsers load when they come into view.

    Returns the HTML with links in place of the data, and the files by their path in the book.
    """
    files: dict[str, bytes] = {}
    up = "../" * page.count("/")

    def replace(match: re.Match[str]) -> str:
        kind, data, attributes = match.groups()
        picture = base64.b64decode(data)
        path = f"{FIGURES}/{page}/{hashlib.sha256(picture).hexdigest()[:12]}.{kind.removesuffix('+xml')}"
        files[path] = picture
        width, height = picture_size(picture)
        shown = re.search(r'width="(\d+)"', attributes)
        if shown and width and " height=" not in attributes:
            # The browser keeps the place free: text does not jump when the figure arrives.
            attributes += f' height="{round(int(shown[1]) * height / width)}"'
        return f'<img class="mlcourse-figure" src="{up}{path}"{attributes} loading="lazy" decoding="async">'

    return _FIGURE.sub(replace, content), files


def picture_size(picture: bytes) -> tuple[float, float]:
    """Width and height of a PNG or SVG in its own units; zeros if they cannot be told."""
    if picture.startswith(b"\x89PNG"):
        return struct.unpack(">II", picture[16:24])
    box = re.search(rb'viewBox="[\d.-]+ [\d.-]+ ([\d.]+) ([\d.]+)"', picture)
    return (float(box[1]), float(box[2])) if box else (0, 0)


def staged_notebook(page: str, notebook: NotebookNode) -> tuple[NotebookNode, dict[str, bytes]]:
    """An executed page as the book shows it, and its figures as files.

    What changes from run to run (times, counts) is dropped: a page with the same outputs is the same file.
    """
    kept = nbformat.v4.new_notebook(
        metadata={key: notebook.metadata[key] for key in ("kernelspec", "language_info") if key in notebook.metadata}
    )
    # The versions of the interpreter belong on the status page.
    if "language_info" in kept.metadata:
        kept.metadata["language_info"] = {"name": "python", "file_extension": ".py", "pygments_lexer": "ipython3"}
    files: dict[str, bytes] = {}
    claims = 0
    for cell in notebook.cells:
        new = NotebookNode(cell_type=cell.cell_type, id=cell.id, source=cell.source, metadata={})
        tags = list(cell.metadata.get("tags", []))
        if tags:
            new.metadata["tags"] = tags
        if "injected-parameters" in tags:
            new.source = re.sub(
                r"\A# Parameters\n", "# The book ran this page with these values instead.\n", new.source
            )
        if "hide-cell" in tags:
            prompts = {"code_prompt_show": "Show the worked solution", "code_prompt_hide": "Hide the worked solution"}
            new.metadata["mystnb"] = prompts
        if cell.cell_type == "code":
            new.execution_count, new.outputs = None, []
            for output in cell.outputs:
                output = NotebookNode(json.loads(json.dumps(output)))
                output.pop("execution_count", None)
                if output.output_type == "execute_result":
                    output.execution_count = None
                output.metadata = (
                    {} if output.output_type in ("display_data", "execute_result") else output.get("metadata")
                )
                if output.metadata is None:
                    del output["metadata"]
                data = output.get("data", {})
                if "text/html" in data:
                    content, figures = extract_figures(page, data["text/html"])
                    files |= figures
                    if CLAIM_MIME in data:
                        claims += 1
                        content = content.replace("<div ", f'<div id="claim-{claims}" ', 1)
                    output.data = {"text/html": content}
                new.outputs.append(output)
        kept.cells.append(new)
    kept.nbformat, kept.nbformat_minor = 4, 5
    return kept, files


def book_tree(
    root: Path, pages: Mapping[str, Path], *, address: str | None = None, branch: str = "main"
) -> dict[str, bytes]:
    """The whole tree that Sphinx reads, as contents by path.

    Parameters
    ----------
    root
        The course.
    pages
        Executed notebooks by page, such as ``1-data-representation/embeddings``.
    address
        OWNER/NAME of the repository on GitHub, where it is known.
    """
    tree: dict[str, bytes] = {}
    records = []
    for page, path in pages.items():
        notebook = nbformat.read(path, as_version=4)
        records.append(PageRecord.of(page, notebook))
        staged, figures = staged_notebook(f"notebooks/{page}", notebook)
        tree[f"notebooks/{page}.ipynb"] = (
            json.dumps(staged, indent=1, sort_keys=True, ensure_ascii=False) + "\n"
        ).encode()
        tree |= figures
        # What the download button gives: the page as committed.
        tree[f"_static/notebooks/{page}.ipynb"] = (root / "notebooks" / f"{page}.ipynb").read_bytes()
    places = [(SITE / "static", "_static"), (SITE / "templates", "_templates")]
    places += [(root / "book", "book"), (root / "book/_static", "_static"), (root / "book/_templates", "_templates")]
    for folder, place in places:
        for path in sorted(folder.rglob("*")):
            inside = path.relative_to(folder)
            if inside.name == "README.md" or "__pycache__" in inside.parts:
                continue
            if path.is_file() and not (
                place == "book" and (inside.parts[0].startswith("_") or path.suffix in (".yml", ".py"))
            ):
                tree[f"{place}/{inside.as_posix()}"] = path.read_bytes()
    listed = toc_files(root)
    tree |= {f"{name}.md": make(root, records).encode() for name, make in GENERATED.items() if name in listed}
    tree["_toc.yml"] = (root / "_toc.yml").read_bytes()
    tree["_config.yml"] = _config(root, address, branch)
    return tree


def site_address(address: str | None) -> str:
    """Where GitHub Pages publishes the repository OWNER/NAME; empty if that is unknown."""
    if not address:
        return ""
    owner, name = address.split("/")
    home = f"{owner.lower()}.github.io"
    return f"https://{home}/" if name.lower() == home else f"https://{home}/{name}/"


def _config(root: Path, address: str | None, branch: str) -> bytes:
    config = yaml.safe_load((root / "_config.yml").read_text("utf8"))
    options = config.setdefault("sphinx", {}).setdefault("config", {})
    options |= {"mlcourse_address": address, "mlcourse_branch": branch}
    options["html_baseurl"] = site_address(address)
    return yaml.safe_dump(config, sort_keys=False, allow_unicode=True).encode()


def write_tree(tree: Mapping[str, bytes], folder: Path) -> list[str]:
    """Make ``folder`` hold exactly ``tree``; returns the paths that were written or removed."""
    changed = []
    for path in folder.rglob("*"):
        name = path.relative_to(folder).as_posix()
        if path.is_file() and name not in tree:
            path.unlink()
            changed.append(name)
    for name, content in tree.items():
        path = folder / name
        if path.is_file() and path.read_bytes() == content:
            continue
        path.parent.mkdir(parents=True, exist_ok=True)
        # In one step: a build that is killed here leaves either the old file or the new one.
        partial = path.with_name(path.name + ".part")
        partial.write_bytes(content)
        partial.replace(path)
        changed.append(name)
    return changed
