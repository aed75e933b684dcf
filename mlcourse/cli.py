"""The command line: ``mlcourse run | build | new | tidy | address | links | doctor``.

Bad input ends in one line on standard error and exit status 2; a page that fails, in exit status 1.
"""

from __future__ import annotations

import importlib.metadata
import os
import platform
import shutil
import sys
import time
from pathlib import Path
from typing import Annotated, NoReturn

import typer

# jsonschema, which reads notebooks, would make a parser of web addresses, which takes a second, and never use it.
sys.modules.setdefault("rfc3987_syntax", None)

from mlcourse.parameters import ParameterError
from mlcourse.runner.catalogue import PROFILES, CatalogueError, find_root, load_catalogue
from mlcourse.runner.files import WriteError, write_all

# Exit statuses.
FAILED, BAD_INPUT, INTERRUPTED = 1, 2, 130

app = typer.Typer(
    help="Run, build and extend the course.",
    invoke_without_command=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)

# Typer brings its own copy of click, or uses click: its exceptions are found through the one that Typer exports.
_UsageError: type[Exception] = typer.BadParameter.__base__

Jobs = Annotated[int, typer.Option("--jobs", min=1, max=256, help="How many pages run side by side.")]
Seed = Annotated[int | None, typer.Option("--seed", help="Replaces SEED in every page.")]
Cold = Annotated[bool, typer.Option("--cold", help="Start ordinary kernels, not warm ones.")]


def main() -> None:
    """The entry point ``mlcourse``: every error that a user can cause becomes one line."""
    try:
        status = app(standalone_mode=False)
    except _UsageError as error:
        _stop(BAD_INPUT, error.format_message())
    except (CatalogueError, ParameterError) as error:
        _stop(BAD_INPUT, str(error))
    except WriteError as error:
        _stop(FAILED, f"{error}; what is finished is kept, the next run goes on from there")
    except (KeyboardInterrupt, typer.Abort):
        status = INTERRUPTED
    if status == INTERRUPTED:  # Typer turns a Ctrl-C into this status, too
        _stop(INTERRUPTED, "interrupted; what is finished is kept, the next run goes on from there")
    sys.exit(status or 0)


def _stop(status: int, message: str) -> NoReturn:
    print(f"mlcourse: {' '.join(message.split())}", file=sys.stderr)
    sys.exit(status)


@app.callback()
def _without_command(context: typer.Context) -> None:
    if context.invoked_subcommand is None:
        print(context.get_help())


@app.command()
def run(
    pages: Annotated[
        list[str] | None, typer.Argument(help="Ids, names, parts or paths; all pages if left out.")
    ] = None,
    parameter: Annotated[list[str] | None, typer.Option("-p", metavar="NAME=VALUE", help="Set a parameter.")] = None,
    profile: Annotated[str, typer.Option("--profile", help="quick: the pages' defaults; book: the book's.")] = "quick",
    jobs: Jobs = 2,
    seed: Seed = None,
    cold: Cold = False,
    ray: Annotated[str | None, typer.Option("--ray", metavar="ADDRESS", help="Run on a Ray cluster.")] = None,
    timeout: Annotated[int, typer.Option("--timeout", min=1, help="Seconds that one cell may take.")] = 600,
) -> int:
    """Execute pages side by side and keep their results below _build/pages."""
    if profile not in PROFILES:
        raise CatalogueError(f"there is no profile '{profile}'; allowed: {', '.join(PROFILES)}")
    given = {}
    for text in parameter or []:
        name, separator, value = text.partition("=")
        if not separator or not name.isidentifier():
            raise ParameterError(f"-p takes NAME=VALUE, not '{text}'")
        given[name] = value
    root = find_root()
    chosen = load_catalogue(root).select(pages or [])

    # Not before: what is wrong with the input shall be said at once, not after two seconds of imports.
    from mlcourse.runner.execute import run_pages

    started = time.monotonic()
    results = run_pages(
        root,
        chosen,
        profile=profile,
        parameters=given,
        seed=seed,
        jobs=jobs,
        cold=cold,
        ray=ray,
        timeout=timeout,
    )
    failed = [result for result in results if result.failure]
    for result in failed:
        print(describe(result), file=sys.stderr)
    fresh = sum(not result.reused for result in results)
    print(
        f"{len(results) - len(failed)} of {len(results)} pages are good "
        f"({fresh} executed, {len(results) - fresh} unchanged) in {time.monotonic() - started:.1f} s: "
        f"{root / '_build' / 'pages'}"
    )
    return FAILED if failed else 0


def describe(result: object) -> str:
    """A failed page in words: which page, which cell, which claim, and the end of the traceback."""
    failure = result.failure
    lines = [f"\n{result.page.id} FAILED: {failure.error}: {failure.message}"]
    if failure.cell is not None:
        lines.append(f"in cell {failure.cell} (counted from 0):")
        lines += [f"    {line}" for line in failure.source.splitlines()]
    if failure.claim:
        lines.append(f"claim: {failure.claim}")
    lines += [f"  | {line}" for line in failure.traceback]
    return "\n".join(lines)


@app.command()
def build(jobs: Jobs = 2, cold: Cold = False, seed: Seed = None) -> int:
    """Execute every page with the book's parameters and render the book to _build/html."""
    root = find_root()
    load_catalogue(root).select()  # what is wrong with the course is said before anything heavy is imported

    from mlcourse.site.render import SiteError
    from mlcourse.site.render import build as build_site

    try:
        build_site(root, jobs=jobs, cold=cold, seed=seed)
    except SiteError as error:
        print(f"mlcourse: the book was not built\n{error}", file=sys.stderr)
        return FAILED
    return 0


@app.command()
def new(page: Annotated[str, typer.Argument(metavar="PART/NAME")]) -> None:
    """Write a new page that keeps the notebook contract; TODO marks what only its author can write."""
    from mlcourse.runner.authoring import new_page

    root = find_root()
    path = new_page(root, page).relative_to(root)
    print(f"Wrote {path}. Add '- file: {path.with_suffix('')}' to its part in _toc.yml.")


@app.command()
def tidy() -> None:
    """Take outputs and editors' traces out of the notebooks, and write all of them in the same way."""
    from mlcourse.runner import authoring
    from mlcourse.runner.catalogue import read_notebook

    root = find_root()
    _rewrite(root, {path: authoring.tidy(read_notebook(path)) for path in authoring.notebooks(root)})


@app.command()
def address(repository: Annotated[str, typer.Argument(metavar="OWNER/NAME|URL")]) -> None:
    """Set the repository's address in pyproject.toml, in every page's set-up cell and in the prose."""
    from mlcourse.runner import authoring

    root = find_root()
    _rewrite(root, authoring.with_address(root, authoring.as_address(repository)))


def _rewrite(root: Path, texts: dict[Path, str]) -> None:
    try:
        changed = write_all(texts)
    except WriteError as error:
        _stop(FAILED, f"{error}; nothing has changed")
    for path in changed:
        print(f"wrote {path.relative_to(root)}")


@app.command()
def links() -> int:
    """Check the built book's links that lead outside (needs the network)."""
    from mlcourse.site.audit import dead_links

    book = find_root() / "_build" / "html"
    if not (book / "index.html").is_file():
        raise CatalogueError(f"there is no book at {book} yet; build it first: mlcourse build")
    dead = dead_links(book)
    for line in dead:
        print(line, file=sys.stderr)
    print(f"Dead links: {len(dead) or 'none'}.")
    return FAILED if dead else 0


@app.command()
def doctor() -> int:
    """Look at this machine: is everything here that the course needs? Says what to do about what is not."""
    try:
        root: Path | None = find_root()
    except CatalogueError:
        root = None
    advice = [line for check in (_python, _lock, _kernels, _browser, _disk, _data) for line in check(root)]
    print("\n".join(advice))
    bad = sum(line.startswith("✗") for line in advice)
    print(f"\n{bad} to mend." if bad else "\nAll is well.")
    return FAILED if bad else 0


def _python(_: Path | None) -> list[str]:
    version = platform.python_version()
    if sys.version_info[:2] == (3, 11):
        return [f"✓ Python {version}"]
    return [f"– Python {version}: the pages run, but the lock, and so the book, is made for 3.11"]


def _lock(root: Path | None) -> list[str]:
    lock = root / "requirements.txt" if root else None
    if lock is None or not lock.is_file():
        return ["– no requirements.txt here: versions not compared"]
    wrong = []
    for line in lock.read_text(encoding="utf-8").splitlines():
        name, separator, version = line.partition("==")
        if not separator:
            continue
        try:
            found = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            found = "not installed"
        if found != version.split(";")[0].strip():
            wrong.append(f"{name} {found} (lock: {version})")
    if not wrong:
        return ["✓ the environment is the lock's"]
    more = f" and {len(wrong) - 5} more" if len(wrong) > 5 else ""
    return [f"✗ the environment differs from the lock: {', '.join(wrong[:5])}{more}. Do: make -B environment"]


def _kernels(_: Path | None) -> list[str]:
    from mlcourse.runner.warm import supported

    if supported():
        return ["✓ warm kernels work here"]
    return [f"– no warm kernels on {platform.system()} {platform.release()}: pages start slower, and run the same"]


def _browser(_: Path | None) -> list[str]:
    names = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
    found = next(filter(None, map(shutil.which, names)), None)
    if found:
        return [f"✓ browser for the tests: {found}"]
    return ["– no Chromium: the browser tests will be skipped. Do: apt-get install chromium (or your system's way)"]


def _disk(root: Path | None) -> list[str]:
    free = shutil.disk_usage(root or Path.cwd()).free / 1e9
    if free >= 2:
        return [f"✓ {free:.0f} GB of disk free"]
    return [f"✗ only {free:.1f} GB of disk free; the book needs about 1 GB. Do: make clean, or make room"]


def _data(_: Path | None) -> list[str]:
    from mlcourse.datasets.files import DataError, cards, data_folder, data_path

    if not (data_folder() / "README.md").is_file():
        return [f"✗ there are no data files at {data_folder()}. Do: git checkout -- data"]
    wrong = []
    for file in cards():
        try:
            data_path(file)
        except DataError as error:
            wrong.append(f"✗ {error}. Do: git checkout -- data")
    return wrong or [f"✓ {len(cards())} data files have the checksums of their cards"]


if __name__ == "__main__":
    # One thread a kernel also for who does not come through make.
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    main()
