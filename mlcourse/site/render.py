"""The book, from executed pages to HTML: staged, rendered by Sphinx with warnings as errors, audited."""

from __future__ import annotations

import contextlib
import hashlib
import io
import json
import os
import re
import shutil
import subprocess
import time
import tomllib
from importlib import metadata
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from mlcourse.runner.catalogue import load_catalogue
from mlcourse.runner.execute import Failure, run_pages
from mlcourse.site.audit import audit
from mlcourse.site.slim import STYLE
from mlcourse.site.stage import SITE, book_tree, check_toc, site_address, write_tree

# Extensions of Jupyter Book that this book does not use: each costs every page scripts and styles.
_UNUSED = {
    "sphinx_togglebutton",
    "sphinx_thebe",
    "sphinx_comments",
    "sphinx_multitoc_numbering",
    "sphinx_jupyterbook_latex",
}


class SiteError(Exception):
    """The book could not be built. The message says what is wrong, one finding a line."""


def repository(root: Path) -> str | None:
    """OWNER/NAME of the course on GitHub, or None where nobody has said it yet.

    GitHub Actions names it; else git's remote does, else pyproject.toml, whose placeholder counts as unknown.
    """
    named = os.environ.get("GITHUB_REPOSITORY")
    if named:
        return named
    git = subprocess.run(
        ["git", "-C", root, "remote", "get-url", "origin"], capture_output=True, text=True, check=False
    )
    source = tomllib.loads((root / "pyproject.toml").read_text("utf8")) if (root / "pyproject.toml").exists() else {}
    for address in (git.stdout, source.get("project", {}).get("urls", {}).get("Source", "")):
        found = re.search(r"github\.com[/:]([\w.-]+/[\w.-]+?)(\.git)?/?\s*$", address)
        if found and not found[1].startswith("your_organisation/"):
            return found[1]
    return None


def sphinx_config(stage: Path) -> dict[str, Any]:
    """Jupyter Book's Sphinx configuration for the staged tree, without what the book does not use."""
    from jupyter_book.config import get_final_config

    config, _ = get_final_config(
        user_yaml=stage / "_config.yml",
        cli_config={"external_toc_path": str(stage / "_toc.yml"), "latex_individualpages": False},
        sourcedir=stage,
        raise_on_invalid=True,
    )
    config.pop("comments_config", None)
    config["extensions"] = [name for name in config["extensions"] if name not in _UNUSED]
    inventories = stage / "book/inventories"
    config["intersphinx_mapping"] = {
        path.stem: (address, str(path))
        for path, address in ((inventories / f"{name}.inv", address) for name, address in DOCUMENTATION.items())
        if path.exists()
    }
    return config


# The documentation that the inventories in book/inventories describe.
DOCUMENTATION = {
    "matplotlib": "https://matplotlib.org/stable/",
    "numpy": "https://numpy.org/doc/stable/",
    "pandas": "https://pandas.pydata.org/docs/",
    "python": "https://docs.python.org/3/",
    "scipy": "https://docs.scipy.org/doc/scipy/",
    "sklearn": "https://scikit-learn.org/stable/",
}


def render(stage: Path, out: Path, *, jobs: int) -> list[str]:
    """Run Sphinx over the staged tree; returns its warnings, errors among them."""
    from sphinx.application import Sphinx
    from sphinx.errors import SphinxError
    from sphinx.util.docutils import docutils_namespace, patch_docutils

    warnings = io.StringIO()
    with patch_docutils(None), docutils_namespace(), contextlib.redirect_stderr(warnings):
        try:
            app = Sphinx(
                srcdir=stage,
                confdir=None,
                outdir=out,
                doctreedir=out.parent / "doctrees",
                buildername="html",
                confoverrides=sphinx_config(stage),
                status=None,
                warning=warnings,
                parallel=jobs,
            )
            app.build()
        except SphinxError as error:
            warnings.write(f"{error}\n")
    plain = re.sub(r"\x1b\[[\d;]*m", "", warnings.getvalue()).replace(f"{stage}/", "")
    # myst-nb counts ten thousand lines a cell.
    plain = re.sub(r"\.ipynb:(\d+)\d(\d{3}): ", lambda place: f".ipynb, cell {int(place[1]) - 1}: ", plain)
    return [line for line in plain.splitlines() if line.strip()]


def fingerprint(paths: dict[str, bytes]) -> str:
    """One hash of contents by path."""
    digest = hashlib.sha256()
    for path in sorted(paths):
        digest.update(f"{path}\0{len(paths[path])}\0".encode() + paths[path])
    return digest.hexdigest()


def frame(tree: dict[str, bytes]) -> str:
    """One hash of all that shows in every page: theme, styles, configuration, order and titles, our own code.

    Sphinx renders a page again when its own source changed; where the frame changes, every page must be.
    """
    parts = {path: content for path, content in tree.items() if path.startswith(("_templates/", "_config", "_toc"))}
    parts |= {path: tree[path] for path in tree if path.startswith("_static/") and path.endswith((".css", ".js"))}
    parts |= {path.name: path.read_bytes() for path in SITE.glob("*.py")}
    for path, content in tree.items():
        if path.endswith((".md", ".ipynb")) and not path.startswith("_"):
            title = re.search(rb'(?:^|"source": ")# (.*?)(?:\\n|",|$)', content, re.MULTILINE)
            parts[path] = title[1] if title else b""
    for package in ("sphinx", "jupyter-book", "sphinx-book-theme", "pydata-sphinx-theme", "myst-nb", "latex2mathml"):
        parts[package] = metadata.version(package).encode()
    return fingerprint(parts)


def render_book(tree: dict[str, bytes], build: Path, *, prefix: str = "", jobs: int) -> bool:
    """Render a tree to ``build/html``, to be published below ``prefix``; returns False where it was there already.

    A build that was killed, or that ended with findings, left no stamp, or a half-written page may hide in what it
    wrote: the next one starts afresh.

    Raises
    ------
    SiteError
        If Sphinx warned, or a reader would find something broken.
    """
    stage, out, stamp = build / "stage", build / "html", build / "html.stamp"
    now = {"tree": fingerprint(tree), "frame": frame(tree)}
    before = json.loads(stamp.read_text()) if stamp.exists() and out.exists() else {}
    if before == now:
        return False
    stamp.unlink(missing_ok=True)
    fresh = before.get("frame") != now["frame"]
    if fresh:
        for folder in (out, build / "doctrees"):
            shutil.rmtree(folder, ignore_errors=True)
    write_tree(tree, stage)
    findings = render(stage, out, jobs=jobs)
    if not findings:
        finish(out, tree, prefix)
        findings = audit(out, prefix)
    if findings:
        raise SiteError("\n".join(findings))
    stamp.write_text(json.dumps(now))
    return True


def finish(out: Path, tree: dict[str, bytes], prefix: str) -> None:
    """What Sphinx leaves undone: a first page, a page for lost readers, and out with what no page asks for."""
    static = out / "_static"
    for folder in (static / "figures", static / "notebooks"):
        for path in folder.rglob("*"):
            if path.is_file() and path.relative_to(out).as_posix() not in tree:
                path.unlink()
    for unused in ("vendor", "locales", "styles", "scripts/fontawesome.js"):
        path = static / unused
        shutil.rmtree(path) if path.is_dir() else path.unlink(missing_ok=True)
    for path in [*static.rglob("*.map"), *static.glob("*.html"), *static.glob("*.css")]:
        if path.name != STYLE:
            path.unlink()
    # It answers for addresses of any depth, so its links begin at the site's root.
    lost = out / "404.html"
    if prefix:
        inside = r'\b(href|src|action|data-content_root)="(?!\w+:|/|#)(?:\./)?'
        lost.write_text(re.sub(inside, rf'\1="{prefix}', lost.read_text("utf8")), "utf8")
    first = "book/index.html"
    if (out / first).exists():
        (out / "index.html").write_text(
            f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Start page</title>'
            f'<meta name="description" content="Leads to the start page of the book.">'
            f'<link rel="canonical" href="{first}">'
            f'<meta http-equiv="refresh" content="0; url={first}"></head>'
            f'<body><h1>Start page</h1><p><a href="{first}">To the book</a></p></body></html>\n'
        )


def build(root: Path, *, jobs: int, cold: bool, seed: int | None) -> Path:
    """Execute every page with the book's parameters, render the book, and look at it as a reader would.

    Parameters
    ----------
    root
        The course.
    jobs
        Pages, and later files, that are worked on side by side.
    cold
        Whether each page starts an ordinary kernel.
    seed
        Replaces every page's SEED.

    Returns
    -------
    Path
        The folder of the finished book.

    Raises
    ------
    CatalogueError, ParameterError
        If the course does not fit together, or a page cannot work with its parameters.
    SiteError
        If a page failed, Sphinx warned, or a reader would find something broken.
    """
    start = time.perf_counter()
    pages = load_catalogue(root).select()
    check_toc(root, [page.id for page in pages])
    results = run_pages(root, pages, profile="book", seed=seed, jobs=jobs, cold=cold)
    failed = [f"{result.page.id}: {_told(result.failure)}" for result in results if result.failure]
    if failed:
        raise SiteError("\n".join(failed))
    executed = time.perf_counter()
    address = repository(root)
    tree = book_tree(root, {result.page.id: result.path for result in results}, address=address)
    rendered = render_book(tree, root / "_build", prefix=urlsplit(site_address(address)).path or "", jobs=jobs)
    ran = sum(not result.reused for result in results)
    print(f"{len(pages)} pages, {ran} of them executed: {executed - start:.1f} s")
    print(f"Rendering, {'done' if rendered else 'nothing to do'}: {time.perf_counter() - executed:.1f} s")
    print(f"The book is at {root / '_build/html/index.html'}")
    return root / "_build/html"


def _told(failure: Failure) -> str:
    """Why a page failed, for somebody who sees nothing else: which cell, what it said, where it ended."""
    place = "" if failure.cell is None else f" in cell {failure.cell}"
    return "\n".join([f"{failure.error}{place}: {failure.message}", *failure.traceback])
