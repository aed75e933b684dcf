"""From executed pages to HTML: formulas, links from code, buttons, and a build that does no more than it must."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import nbformat
import pytest
import yaml
from bs4 import BeautifulSoup
from course import command, one_line, wait_until
from sphinx_codeautolink.extension.resolve import CouldNotResolve

from mlcourse.site import render as render_module
from mlcourse.site.maths import mathml
from mlcourse.site.render import SiteError, book_tree, build, render_book, repository
from mlcourse.site.slim import slim
from mlcourse.site.theme import launch_buttons, location

REPOSITORY = Path(__file__).parents[1]
PAGE = "1-part/first"


# ------------------------------------------------------------------------------------------------ formulas


@pytest.mark.parametrize(
    ("formula", "parts"),
    [
        (r"\frac{a}{b}", ["<mfrac>"]),
        (r"\sqrt{x}", ["<msqrt>"]),
        (r"O(n \log n)", ['<mo lspace="0.17em" rspace="0.17em">log</mo>']),
        (r"\operatorname{hash}(x)", ['rspace="0">hash</mo>']),
        (r"f = -x", ['<mo form="prefix">−</mo>']),
        (r"a - b", ["<mo>−</mo>"]),
        (r"\max_x f", ["<munder>"]),
        (r"\bar{x} \pm 2", ["<mo>±</mo>"]),
        (r"x \to \infty", ["<mi>∞</mi>"]),
        (r"\begin{aligned} a &= b \\ c &= d \end{aligned}", ["<mtable", "text-align:right;padding-right:0"]),
        (r"\begin{pmatrix} 1 & 2 \\ 3 & 4 \end{pmatrix}", ["<mtable>", "<mtd>"]),
        (r"\text{logit}(p)", ["<mtext>logit</mtext>"]),
    ],
)
def test_formulas_become_mathml(formula: str, parts: list[str]) -> None:
    result = mathml(formula, block=True)
    assert result.startswith('<math display="block">')
    for part in parts:
        assert part in result


def test_inline_formulas_keep_their_limits_beside_the_name() -> None:
    assert "<msub>" in mathml(r"\max_x f", block=False)


@pytest.mark.parametrize("formula", [r"\unknown{x}", r"a & b", r"\begin{tikzpicture}x\end{tikzpicture}"])
def test_what_cannot_be_translated_is_an_error(formula: str) -> None:
    with pytest.raises(ValueError, match="no MathML translation"):
        mathml(formula, block=False)


# ------------------------------------------------------------------------------------------------ links from code


@pytest.mark.parametrize(
    ("components", "expected"),
    [
        (["sklearn", "svm", "SVC"], "sklearn.svm.SVC"),
        (["sklearn", "svm", "SVC", "()", "fit"], "sklearn.svm.SVC.fit"),
        (["numpy", "random", "default_rng", "()", "normal"], "numpy.random.Generator.normal"),
        (["keras", "Model"], None),
        (["unknown", "()", "fit"], None),
    ],
)
def test_names_in_code_are_found_by_their_words(components: list[str], expected: str | None) -> None:
    inventory = dict.fromkeys(
        [
            "sklearn.svm.SVC",
            "sklearn.svm.SVC.fit",
            "numpy.random.default_rng",
            "numpy.random.Generator.normal",
        ],
        "",
    )
    name = SimpleNamespace(import_components=components)
    if expected is None:
        with pytest.raises(CouldNotResolve):
            location(name, inventory)
    else:
        assert location(name, inventory) == expected


# ------------------------------------------------------------------------------------------------ styles


def test_rules_that_no_page_uses_are_left_out() -> None:
    css = """
      @charset "utf-8"; p { a: 1 } .used, .unused { b: 2 } .unused > p { c: 3 } .used.unused { d: 4 } #main { e: 5 }
      p:not(.unused) { f: 6 } @media print { .unused { g: 7 } .used { h: 8 } } @media screen { .unused { i: 9 } }
      @font-face { font-family: "Font Awesome 6 Free"; src: url(x) } @font-face { font-family: Serif; src: url(y) }
    """
    result = slim(css, frozenset({"used", "main"}))
    for kept in ("a: 1", "b: 2", "e: 5", "f: 6", "h: 8", "Serif"):
        assert kept in result
    for dropped in ("c: 3", "d: 4", "g: 7", "i: 9", "Font Awesome", ".used, .unused", "screen"):
        assert dropped not in result


# ------------------------------------------------------------------------------------------------ address, buttons


def git(folder: Path, *words: str) -> None:
    subprocess.run(["git", "-C", folder, *words], check=True, capture_output=True)


def test_the_address_is_taken_from_where_it_is_known(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("GITHUB_REPOSITORY", raising=False)
    assert repository(tmp_path) is None
    (tmp_path / "pyproject.toml").write_text('[project.urls]\nSource = "https://github.com/your_organisation/mlcourse"')
    assert repository(tmp_path) is None
    (tmp_path / "pyproject.toml").write_text('[project.urls]\nSource = "https://github.com/source/course"')
    assert repository(tmp_path) == "source/course"
    git(tmp_path, "init")
    git(tmp_path, "remote", "add", "origin", "https://gitlab.com/remote/course.git")
    assert repository(tmp_path) == "source/course"
    for address in ("https://github.com/remote/my.course.git", "git@github.com:remote/my.course.git"):
        git(tmp_path, "remote", "set-url", "origin", address)
        assert repository(tmp_path) == "remote/my.course"
    monkeypatch.setenv("GITHUB_REPOSITORY", "actions/course")
    assert repository(tmp_path) == "actions/course"


def test_buttons_lead_to_the_notebook_as_committed() -> None:
    buttons = {button["text"]: button["url"] for button in launch_buttons("notebooks/1-part/x", "me/course", "main")}
    assert buttons["Colab"] == "https://colab.research.google.com/github/me/course/blob/main/notebooks/1-part/x.ipynb"
    assert buttons["Binder"] == "https://mybinder.org/v2/gh/me/course/main?urlpath=lab/tree/notebooks/1-part/x.ipynb"
    assert buttons["Notebook"] == "_static/notebooks/1-part/x.ipynb"


def test_without_an_address_there_is_the_download_alone() -> None:
    assert [button["text"] for button in launch_buttons("notebooks/1-part/x", None, "main")] == ["Notebook"]


# ------------------------------------------------------------------------------------------------ whole builds


def notebook(title: str, body: str, *sources: str) -> nbformat.NotebookNode:
    cells = [nbformat.v4.new_markdown_cell(f"# {title}\n\nAfter this page you know what {title} is, and what not.\n")]
    cells += [nbformat.v4.new_markdown_cell(body)] + [nbformat.v4.new_code_cell(source) for source in sources]
    for number, cell in enumerate(cells):
        cell["id"] = f"cell{number}"
    kernel = {"display_name": "Python 3", "language": "python", "name": "python3"}
    return nbformat.v4.new_notebook(cells=cells, metadata={"kernelspec": kernel, "language_info": {"name": "python"}})


@pytest.fixture
def course(tmp_path: Path) -> Path:
    """A small course with the real configuration and look: a start page, a glossary and two pages."""
    root = tmp_path / "course"
    (root / "notebooks/1-part").mkdir(parents=True)
    (root / "data").mkdir()
    (root / "data/README.md").write_text("# Data\n\nThis course of two pages has no data of its own, and needs none.\n")
    shutil.copytree(REPOSITORY / "book/_static", root / "book/_static")
    if (REPOSITORY / "book/_templates").exists():
        shutil.copytree(REPOSITORY / "book/_templates", root / "book/_templates")
    shutil.copytree(REPOSITORY / "book/inventories", root / "book/inventories")
    shutil.copy(REPOSITORY / "_config.yml", root)
    chapters = [f"notebooks/{PAGE}", "notebooks/1-part/second", "book/glossary", "book/evidence", "book/status"]
    parts = [{"caption": "Part", "chapters": [{"file": name} for name in [*chapters, "book/data"]]}]
    (root / "_toc.yml").write_text(yaml.safe_dump({"format": "jb-book", "root": "book/index", "parts": parts}))
    (root / "book/index.md").write_text(
        "# Start\n\nThis is where the small course of the tests starts, in few words.\n"
    )
    words = "# Glossary\n\nThe words of this course, each of them explained.\n\n"
    words += ":::{glossary}\nOne-hot encoding\n  A row.\n:::\n"
    (root / "book/glossary.md").write_text(words)
    (root / "book/references.bib").write_text("@book{a, title={T}, author={A}, year={2020}}\n")
    link = "[one-hot](../../book/glossary.md#term-one-hot-encoding), [second](second.ipynb), $\\frac{1}{n}$"
    write(root, PAGE, notebook("First", link, "import numpy as np\nnp.linspace(0, 1, 3).sum()"))
    write(root, "1-part/second", notebook("Second", "Words.", "print(1)"))
    return root


def write(root: Path, page: str, content: nbformat.NotebookNode) -> None:
    """A page, and its result as if it had run."""
    for path in (root / "notebooks" / f"{page}.ipynb", root / "_build/pages/book" / f"{page}.ipynb"):
        path.parent.mkdir(parents=True, exist_ok=True)
        nbformat.write(content, path)


def rendered(root: Path, **options: object) -> bool:
    pages = {page: root / "_build/pages/book" / f"{page}.ipynb" for page in (PAGE, "1-part/second")}
    address = options.pop("address", None)
    return render_book(book_tree(root, pages, address=address), root / "_build", jobs=1, **options)


def times(root: Path) -> dict[str, int]:
    html = root / "_build/html"
    return {path.relative_to(html).as_posix(): path.stat().st_mtime_ns for path in html.rglob("*.html")}


def test_a_course_becomes_a_book(course: Path) -> None:
    assert rendered(course)
    page = (course / f"_build/html/notebooks/{PAGE}.html").read_text("utf8")
    assert 'href="../../book/glossary.html#term-One-hot-encoding"' in page
    assert 'href="second.html"' in page
    assert "<mfrac>" in page
    head = BeautifulSoup(page, "html.parser").head
    assert head.find("meta", attrs={"name": "description"})["content"].startswith("After this page you know what First")
    assert head.title.get_text().startswith("First")
    assert "https://numpy.org/doc/stable/reference/generated/numpy.linspace.html#numpy.linspace" in page
    assert "_static/notebooks/1-part/first.ipynb" in page
    assert "colab" not in page.lower()
    assert (course / "_build/html/index.html").is_file()
    # Nothing but its own files: neither scripts of the theme that are not used, nor anybody else's.
    assert re.findall(r'<script[^>]+src="https?:', page) == []
    assert "fontawesome" not in page


def test_a_second_build_does_nothing(course: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert rendered(course)
    monkeypatch.setattr(render_module, "render", lambda *_, **__: pytest.fail("Sphinx ran"))
    assert not rendered(course)


def test_only_the_page_that_changed_is_rendered_again(course: Path) -> None:
    rendered(course)
    before = times(course)
    write(course, "1-part/second", notebook("Second", "Other words.", "print(1)"))
    assert rendered(course)
    changed = {name for name, time in times(course).items() if time != before[name]}
    assert "notebooks/1-part/second.html" in changed
    assert f"notebooks/{PAGE}.html" not in changed
    # The style sheet is made anew each time, from parts that are taken away after each time.
    assert (course / "_build/html/_static/book.css").stat().st_size > 100_000
    assert "Other words." in (course / "_build/html/notebooks/1-part/second.html").read_text("utf8")


def test_a_new_title_reaches_every_sidebar(course: Path) -> None:
    rendered(course)
    write(course, "1-part/second", notebook("Renamed", "Words.", "print(1)"))
    rendered(course)
    assert "Renamed" in (course / f"_build/html/notebooks/{PAGE}.html").read_text("utf8")


def test_a_killed_build_heals(course: Path) -> None:
    rendered(course)
    # What a kill in the middle of writing leaves: no stamp, and a page that is newer than its source and half there.
    (course / "_build/html.stamp").unlink()
    page = course / f"_build/html/notebooks/{PAGE}.html"
    page.write_text(page.read_text("utf8")[:500])
    assert rendered(course)
    assert page.read_text("utf8").rstrip().endswith("</html>")


def test_a_warning_stops_the_book_also_the_second_time(course: Path) -> None:
    write(course, PAGE, notebook("First", "[x](gone.ipynb) and $\\unknown$", "print(1)"))
    for _ in range(2):
        with pytest.raises(SiteError) as error:
            rendered(course)
        assert "gone.ipynb" in str(error.value)
        assert "\\unknown" in str(error.value)


def test_a_broken_anchor_stops_the_book(course: Path) -> None:
    write(course, PAGE, notebook("First", "[x](../../book/glossary.md#term-gone)", "print(1)"))
    with pytest.raises(SiteError, match="term-gone"):
        rendered(course)


def test_a_picture_without_alt_text_stops_the_book(course: Path) -> None:
    (course / "book/_static/p.svg").write_text('<svg xmlns="http://www.w3.org/2000/svg"/>')
    with (course / "book/index.md").open("a") as file:
        file.write("\n![](_static/p.svg)\n")
    (course / "book/p.svg").write_text('<svg xmlns="http://www.w3.org/2000/svg"/>')
    (course / "book/index.md").write_text((course / "book/index.md").read_text().replace("_static/p.svg", "p.svg"))
    with pytest.raises(SiteError, match="without an alt text"):
        rendered(course)


def test_with_an_address_there_are_buttons_and_a_page_for_lost_readers(course: Path) -> None:
    rendered(course, address="me/course", prefix="/course/")
    html = course / "_build/html"
    assert "https://colab.research.google.com/github/me/course" in (html / f"notebooks/{PAGE}.html").read_text("utf8")
    lost = (html / "404.html").read_text("utf8")
    addresses = re.findall(r'\b(?:href|src)="([^"#][^"]*)"', lost)
    assert addresses
    assert all(address.startswith(("/course/", "https://")) for address in addresses)


def test_the_whole_way_with_the_network_cut_off(course: Path, cut_off: list[str]) -> None:
    """Pages executed, rendered and audited without a network. ``make test`` builds the whole book like this."""
    shutil.rmtree(course / "_build")
    command = [*cut_off, sys.executable, "-m", "mlcourse.cli", "build", "--jobs", "1", "--cold"]
    run = subprocess.run(command, cwd=course, capture_output=True, text=True, timeout=300, check=False)
    assert run.returncode == 0, run.stderr[-2000:]
    assert "2 pages, 2 of them executed" in run.stdout
    assert (course / f"_build/html/notebooks/{PAGE}.html").is_file()


def test_a_page_that_fails_is_named_with_its_cell(course: Path) -> None:
    write(course, PAGE, notebook("First", "Words.", "1 / 0"))
    with pytest.raises(SiteError) as error:
        build(course, jobs=1, cold=True, seed=None)
    assert str(error.value).startswith(f"{PAGE}: ZeroDivisionError in cell 2: division by zero")
    assert not (course / "_build/html").exists()


# ------------------------------------------------------------------------------------------------ the command


def in_the_course(course: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command(*arguments), cwd=course, capture_output=True, text=True, timeout=120, check=False)


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (lambda root: (root / "book/more.md").write_text("# More\n"), "_toc.yml does not name book/more: add it, or"),
        (lambda root: (root / "book/glossary.md").unlink(), "_toc.yml names book/glossary, which does not exist"),
        (lambda root: (root / f"notebooks/{PAGE}.ipynb").unlink(), f"there is no notebooks/{PAGE}.ipynb"),
    ],
)
def test_a_table_of_contents_that_does_not_fit_is_said_before_anything_runs(course: Path, spoil, said: str) -> None:
    shutil.rmtree(course / "_build")
    spoil(course)
    assert said in one_line(in_the_course(course, "build"))
    assert not (course / "_build").exists()


def test_a_parameter_of_the_book_that_a_page_refuses_is_one_line(course: Path) -> None:
    check = "from mlcourse.parameters import check_parameters, whole\ncheck_parameters(globals(), ROWS=whole(1, 100))"
    page = notebook("First", "Words.", "ROWS: int = 10  # rows", check)
    page.cells[2].metadata["tags"] = ["parameters"]
    write(course, PAGE, page)
    (course / "book/parameters.yml").write_text(f"{PAGE}:\n  ROWS: 500\n")
    done = in_the_course(course, "build")
    assert done.returncode == 2
    assert done.stderr.splitlines()[-1] == f"mlcourse: {PAGE}: ROWS must be a whole number from 1 to 100, not 500"
    assert "Traceback" not in done.stderr


def test_a_build_that_failed_and_one_that_was_killed_heal(course: Path) -> None:
    index, html = course / "book/index.md", course / "_build/html"
    good = index.read_text()
    index.write_text(f"{good}\nSee [what is not there](gone.md).\n")
    done = in_the_course(course, "build")
    assert done.returncode == 1
    findings = done.stderr.partition("mlcourse: the book was not built\n")[2].splitlines()
    assert any("book/index.md" in finding and "gone.md" in finding for finding in findings), done.stderr
    assert "Traceback" not in done.stderr

    index.write_text(good)
    shutil.rmtree(html)
    run = subprocess.Popen(command("build"), cwd=course, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    wait_until(lambda: any(html.rglob("*.html")), 60)
    run.kill()
    run.wait()
    assert not (course / "_build/html.stamp").exists(), "it was killed too late to prove anything"

    done = in_the_course(course, "build")
    assert done.returncode == 0, done.stderr
    assert "2 pages, 0 of them executed" in done.stdout
    assert all(path.read_text("utf8").rstrip().endswith("</html>") for path in html.rglob("*.html"))
