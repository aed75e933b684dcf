"""What authors' commands write: a new page that keeps the contract, tidy notebooks, one address everywhere."""

from __future__ import annotations

import resource
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest
from course import ROOT, SEED, Course, code, command, one_line, words

from mlcourse.runner.authoring import as_address, new_page, setup_cell, source_address, tidy, with_address
from mlcourse.runner.catalogue import CatalogueError, read_notebook
from mlcourse.runner.files import WriteError, write_all

KNOBS = code(SEED, "parameters")


@pytest.fixture
def course(course: Course) -> Course:
    course.for_authors("1-part", "2-other-part")
    return course


def contents(course: Course) -> dict[str, bytes]:
    """Every file of a course, half-written ones included."""
    return {path.relative_to(course.root).as_posix(): path.read_bytes()
            for path in course.root.rglob("*") if path.is_file()}  # fmt: skip


# ------------------------------------------------------------------------------------------------ a new page
# That it keeps the contract is shown where the contract is: test_notebook_contract.py takes it as a page like others.


def test_a_new_page_runs_and_has_the_courses_style(course: Course, mlcourse) -> None:
    done = mlcourse("new", "2-other-part/first_page")
    assert done.returncode == 0, done.stderr
    assert done.stdout == ("Wrote notebooks/2-other-part/first_page.ipynb. "
                           "Add '- file: notebooks/2-other-part/first_page' to its part in _toc.yml.\n")  # fmt: skip
    # Imports are sorted by what lies beside the notebooks: here nothing, there the package.
    for check in (["format", "--check"], ["check", "--config", f"src = ['{ROOT}']"]):
        ruff = subprocess.run([sys.executable, "-m", "ruff", *check, "notebooks"], cwd=course.root, capture_output=True)
        assert ruff.returncode == 0, ruff.stdout.decode()
    course.list_pages("2-other-part/first_page")
    (result,) = course.run(cold=True)
    assert result.failure is None
    assert len(nbformat.read(result.path, 4).metadata["mlcourse"]["claims"]) == 3
    assert result.page.title == "First page"


def test_the_same_name_gives_the_same_page(course: Course) -> None:
    written = []
    for name in ("1-part/page", "notebooks/1-part/page.ipynb"):
        path = new_page(course.root, name)
        written.append((path, path.read_bytes()))
        path.unlink()
    assert written[0] == written[1]


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("1-part/there", "notebooks/1-part/there.ipynb exists already"),
        ("3-parts/page", "there is no part '3-parts'; there are: 1-part, 2-other-part"),
        ("1-part", "'1-part' is no page's name; write PART/NAME"),
        ("1-part/", "is no page's name"),
        ("/page", "is no page's name"),
        ("", "is no page's name"),
        ("1-part/Page", "is no page's name"),
        ("1-part/my page", "is no page's name"),
        ("1-part/my-page", "is no page's name"),
        ("1-part/2nd", "is no page's name"),
        ("1-part/sub/page", "is no page's name"),
        ("part/page", "is no page's name"),
        ("1-part/../../page", "is no page's name"),
        ("../1-part/page", "is no page's name"),
        ("/tmp/1-part/page", "is no page's name"),
        ("1-part/../1-part/page", "is no page's name"),
    ],
)
def test_a_page_that_cannot_be_made_is_said(course: Course, name: str, said: str) -> None:
    course.page("1-part/there", KNOBS)
    before = contents(course)
    with pytest.raises(CatalogueError) as error:
        new_page(course.root, name)
    assert said in str(error.value)
    assert "\n" not in str(error.value)
    assert contents(course) == before
    assert sorted(path.name for path in course.root.parent.iterdir()) == ["course"]


def test_the_command_says_it_in_one_line(course: Course, mlcourse) -> None:
    course.page("1-part/there", KNOBS)
    before = contents(course)
    assert "notebooks/1-part/there.ipynb exists already" in one_line(mlcourse("new", "1-part/there"))
    assert "'1-part/../../page' is no page's name; write PART/NAME" in one_line(mlcourse("new", "1-part/../../page"))
    assert contents(course) == before


# ------------------------------------------------------------------------------------------------ tidy


def test_tidy_takes_out_what_running_and_editing_left(course: Course, mlcourse) -> None:
    path = course.page("1-part/page", words("# Title ü"), KNOBS, "1 + 1", code("2 + 2", "hide-cell"))
    used = nbformat.read(path, 4)
    used.metadata |= {"widgets": {}, "language_info": {"name": "python", "version": "3.11.5"}, "colab": {"toc": True}}
    used.metadata["mlcourse"] = {"environment": "core"}
    used.cells[0]["attachments"] = {"a.png": {"image/png": "AAAA"}}
    used.cells[1].metadata["execution"] = {"iopub.status.busy": "2026"}
    used.cells[2].execution_count = 7
    used.cells[2].outputs = [nbformat.v4.new_output("execute_result", {"text/plain": "2"}, execution_count=7)]
    used.cells[2].metadata |= {"collapsed": True, "tags": []}
    nbformat.write(used, path)

    assert mlcourse("tidy").stdout == "wrote notebooks/1-part/page.ipynb\n"
    clean = nbformat.read(path, 4)
    nbformat.validate(clean)
    assert clean.metadata == {
        "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
        "language_info": {"name": "python"},
        "mlcourse": {"environment": "core"},
    }
    assert [(cell.id, cell.source) for cell in clean.cells] == [(cell.id, cell.source) for cell in used.cells]
    assert clean.cells[0].attachments == used.cells[0].attachments
    assert [cell.metadata for cell in clean.cells] == [
        {},
        {"tags": ["parameters"]},
        {},
        {"tags": ["hide-cell"], "jupyter": {"source_hidden": True}, "cellView": "form"},
    ]
    assert (clean.cells[2].outputs, clean.cells[2].execution_count) == ([], None)
    text = path.read_text("utf8")
    assert "ü" in text
    assert text.endswith("}\n")

    before = path.stat().st_mtime_ns
    assert mlcourse("tidy").stdout == "", "what is tidy stays as it is"
    assert path.stat().st_mtime_ns == before


def test_tidy_changes_nothing_where_one_notebook_cannot_be_read(course: Course, mlcourse) -> None:
    course.page("1-part/page", KNOBS, "1 + 1")
    course.page("1-part/spoilt", KNOBS).write_text("{ not json")
    before = contents(course)
    assert "notebooks/1-part/spoilt.ipynb is not a notebook" in one_line(mlcourse("tidy"))
    assert contents(course) == before


def test_tidy_leaves_an_editors_backups_alone(course: Course, mlcourse) -> None:
    path = course.page("1-part/.ipynb_checkpoints/page-checkpoint", "1 + 1", listed=False)
    before = path.read_bytes()
    assert mlcourse("tidy").returncode == 0
    assert path.read_bytes() == before


# ------------------------------------------------------------------------------------------------ address


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("me/course", "https://github.com/me/course"),
        ("my-team/ml.course_2", "https://github.com/my-team/ml.course_2"),
        ("https://gitlab.example.org/group/sub/course", "https://gitlab.example.org/group/sub/course"),
        ("https://example.org:8443/me/course.git", "https://example.org:8443/me/course.git"),
        ("git+https://github.com/me/course/", "https://github.com/me/course"),
        ("ssh://git@example.org:2222/me/course.git", "ssh://git@example.org:2222/me/course.git"),
        ("git@github.com:me/course.git", "ssh://git@github.com/me/course.git"),
        ("file:///srv/git/course", "file:///srv/git/course"),
    ],
)
def test_an_address_may_be_typed_in_the_ways_that_are_common(typed: str, meant: str) -> None:
    assert as_address(typed) == meant


@pytest.mark.parametrize(
    "typed",
    [
        *("", "course", "me/", "/course", "me/course/more", "../course", "me/..", "-me/course", "me/my course"),
        *("http://example.org/me/course", "ftp://example.org/me/course", "mé/course"),
        *("https://", "https://example.org", "https:///me/course", "ssh://", "file://", "file://me/course"),
        *("https://me:secret@example.org/me/course", "https://secret@example.org/me/course"),
        *('https://example.org/me/course" and more', "https://example.org/me/{course}", "https://x.org/a/b\nc"),
    ],
)
def test_what_is_no_address_is_refused(typed: str) -> None:
    with pytest.raises(CatalogueError, match=r"is no repository; write OWNER/NAME or an https://, ssh:// or file://"):
        as_address(typed)


@pytest.fixture
def addressed(course: Course) -> Course:
    """A course with two pages and some prose, all of which name the placeholder's address."""
    for name in ("a", "b"):
        new_page(course.root, f"1-part/{name}")
    course.page("2-other-part/plain", KNOBS)
    old = source_address(course.root)
    (course.root / "book/contributing.md").write_text(f"git clone {old} && cd x\n<{old}/issues> {old}-else\n")
    return course


def test_one_command_changes_the_address_everywhere(addressed: Course, mlcourse) -> None:
    old = source_address(ROOT)
    before = contents(addressed)
    done = mlcourse("address", "me/course")
    assert done.returncode == 0, done.stderr
    changed = ["pyproject.toml", "notebooks/1-part/a.ipynb", "notebooks/1-part/b.ipynb", "book/contributing.md"]
    assert sorted(line.removeprefix("wrote ") for line in done.stdout.splitlines()) == sorted(changed)
    after = contents(addressed)
    assert {name for name in after if after[name] != before.get(name)} == set(changed)
    new = "https://github.com/me/course"
    assert source_address(addressed.root) == new
    for name in ("a", "b"):
        setup = read_notebook(addressed.root / f"notebooks/1-part/{name}.ipynb").cells[1]
        assert setup.source == setup_cell(new)
        assert f'%pip install --quiet "mlcourse[pages] @ git+{new}"' in setup.source
    assert (addressed.root / "book/contributing.md").read_text() == (
        f"git clone {new} && cd x\n<{new}/issues> {old}-else\n"
    )
    # Nothing else of a page changes.
    back = mlcourse("address", old)
    assert back.returncode == 0
    assert contents(addressed) == before


def test_the_same_address_again_writes_nothing(addressed: Course, mlcourse) -> None:
    mlcourse("address", "me/course")
    times = {path: path.stat().st_mtime_ns for path in addressed.root.rglob("*")}
    done = mlcourse("address", "https://github.com/me/course")
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert {path: path.stat().st_mtime_ns for path in addressed.root.rglob("*")} == times


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (lambda root: (root / "notebooks/1-part/b.ipynb").write_text("{ not json"), "b.ipynb is not a notebook"),
        (lambda root: (root / "pyproject.toml").unlink(), "names no Source below [project.urls]"),
        (lambda root: (root / "pyproject.toml").write_text("[project]\n"), "names no Source below [project.urls]"),
        (lambda root: (root / "pyproject.toml").write_text("not TOML"), "names no Source below [project.urls]"),
        (
            lambda root: (root / "pyproject.toml").write_text("[project]\nurls = {Source = 'https://x.org/a/b'}\n"),
            'needs one line Source = "..."',
        ),
    ],
)
def test_a_course_that_cannot_be_read_is_said(addressed: Course, spoil, said: str) -> None:
    spoil(addressed.root)
    before = contents(addressed)
    with pytest.raises(CatalogueError) as error:
        with_address(addressed.root, "https://github.com/me/course")
    assert said in str(error.value)
    assert contents(addressed) == before


def test_bad_input_changes_no_file(addressed: Course, mlcourse) -> None:
    (addressed.root / "notebooks/2-other-part/plain.ipynb").write_text("{ not json")
    before = contents(addressed)
    assert "'http://x.org/a/b' is no repository" in one_line(mlcourse("address", "http://x.org/a/b"))
    assert "plain.ipynb is not a notebook" in one_line(mlcourse("address", "me/course"))
    assert contents(addressed) == before


def test_no_file_changes_where_the_last_cannot_be_replaced(addressed: Course) -> None:
    """A file that something is mounted on cannot be replaced; the three before it have been by then."""
    inside = ["unshare", "--map-root-user", "--mount", "--"]
    if shutil.which("unshare") is None or subprocess.run([*inside, "true"], capture_output=True).returncode:
        pytest.skip("no mount namespaces here: unshare is missing or not permitted")
    before = contents(addressed)
    script = 'mount --bind book/contributing.md book/contributing.md && exec "$@"'
    done = subprocess.run(
        [*inside, "sh", "-c", script, "sh", *command("address", "me/course")],
        cwd=addressed.root,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    (line,) = done.stderr.splitlines()
    assert line.startswith("mlcourse: cannot write ")
    assert line.endswith("contributing.md: Device or resource busy; nothing has changed")
    assert contents(addressed) == before


def test_several_files_are_written_together_or_not_at_all(tmp_path: Path) -> None:
    small, new, large = tmp_path / "small", tmp_path / "new", tmp_path / "large"
    small.write_text("old")
    limit = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, limit[1]))
    try:
        with pytest.raises(WriteError, match=r"cannot write .*large"):
            write_all({small: "changed", new: "new", large: "x" * 5000})
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limit)
        signal.signal(signal.SIGXFSZ, handler)
    assert [(path.name, path.read_text()) for path in tmp_path.iterdir()] == [("small", "old")]
    assert write_all({small: "old", new: "new"}) == [new]


def test_tidy_of_what_is_tidy_is_the_same() -> None:
    for path in (ROOT / "notebooks").rglob("*.ipynb"):
        once = tidy(read_notebook(path))
        assert tidy(nbformat.reads(once, 4)) == once
