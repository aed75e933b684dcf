"""What a machine can check of the notebook contract, on every page and on what ``mlcourse new`` writes.

A check takes ``page`` if a fresh page keeps it already, and ``finished_page`` if that needs an author.
"""

import ast
import re
from pathlib import Path

import nbformat
import pytest
from course import ROOT, Course

from mlcourse.runner.authoring import extras_of, new_page, setup_cell, source_address, tidy
from mlcourse.runner.catalogue import load_catalogue

PAGES = sorted((ROOT / "notebooks").rglob("*.ipynb"))
FRAME = [
    "The problem",
    "The pattern",
    "What it buys, what it costs",
    "Claims",
    "When not to use it",
    "At scale",
    "Exercises",
    "Recap",
]
OPTIONAL = {"At scale"}
FIRST_WING = {
    "claims",
    "datasets",
    "exercises",
    "figures",
    "parameters",
    "pretrained",
    "scores",
    "services",
    "serving",
    "spark",
}


class Notebook:
    def __init__(self, path: Path) -> None:
        self.path = path
        self.notebook = nbformat.read(path, 4)
        self.cells = self.notebook.cells
        self.code = [cell for cell in self.cells if cell.cell_type == "code"]
        self.prose = "\n\n".join(cell.source for cell in self.cells if cell.cell_type == "markdown")
        # All code but the set-up cell, whose magic is the one that is allowed.
        self.trees = [(cell, ast.parse(cell.source)) for cell in self.code[1:]]

    def calls(self, name: str) -> list[ast.Call]:
        return [
            node
            for _, tree in self.trees
            for node in ast.walk(tree)
            if isinstance(node, ast.Call) and getattr(node.func, "attr", getattr(node.func, "id", None)) == name
        ]


@pytest.fixture(scope="session")
def fresh_page(tmp_path_factory) -> Notebook:
    course = Course(tmp_path_factory.mktemp("fresh") / "course")
    course.for_authors()
    return Notebook(new_page(course.root, "1-part/fresh_page"))


@pytest.fixture(scope="module", params=[*PAGES, None], ids=lambda path: path.stem if path else "fresh_page")
def page(request) -> Notebook:
    return Notebook(request.param) if request.param else request.getfixturevalue("fresh_page")


@pytest.fixture(scope="module", params=PAGES, ids=lambda path: path.stem)
def finished_page(request) -> Notebook:
    return Notebook(request.param)


def test_every_notebook_is_in_the_book():
    assert {path.relative_to(ROOT / "notebooks").with_suffix("").as_posix() for path in PAGES} == {
        page.id for page in load_catalogue(ROOT).pages
    }


def test_frame(page):
    headings = re.findall(r"^## (.+)$", page.prose, flags=re.MULTILINE)
    if page.path.stem == "wrap_up":
        assert headings[0] == "The task"
        assert headings[-1] == "Recap"
        return
    assert [heading for heading in headings if heading in FRAME] == headings, "headings of the contract alone"
    assert headings == [heading for heading in FRAME if heading in headings], "in the contract's order"
    assert set(FRAME) - set(headings) <= OPTIONAL
    first = page.cells[0].source
    assert "**At a glance**" in first
    assert [row for row in ("Problem", "Solution", "Price") if f"**{row}**" in first] == [
        "Problem",
        "Solution",
        "Price",
    ]


def test_one_title_with_its_promise(page):
    assert len(re.findall(r"^# .+$", page.prose, flags=re.MULTILINE)) == 1
    assert page.cells[0].source.startswith("# ")
    assert re.search(r"minutes to .+Environment: core", page.cells[0].source, flags=re.DOTALL)


def test_says_how_long_it_takes(finished_page):
    assert re.search(r"\d+ minutes to ", finished_page.cells[0].source)


def test_has_words(finished_page):
    assert len(finished_page.prose.split()) >= 500


def test_nothing_is_left_to_do(finished_page):
    assert [cell.source for cell in finished_page.cells if "TODO" in cell.source] == []


@pytest.mark.parametrize("check", [test_says_how_long_it_takes, test_has_words, test_nothing_is_left_to_do])
def test_a_fresh_page_is_not_taken_for_a_finished_one(fresh_page, check):
    with pytest.raises(AssertionError):
        check(fresh_page)


def test_setup_cell_carries_the_projects_address(page):
    assert page.code[0].source == setup_cell(source_address(ROOT), extras_of(page.notebook))
    assert "setup" in page.code[0].metadata.tags


def test_parameters_are_literals_with_types_and_comments_and_are_all_checked(page):
    cell = page.code[1]
    assert "parameters" in cell.metadata.tags
    lines = cell.source.splitlines()
    names = []
    for statement in ast.parse(cell.source).body:
        assert isinstance(statement, ast.AnnAssign), lines[statement.lineno - 1]
        ast.literal_eval(statement.value)
        assert any("  # " in line for line in lines[statement.lineno - 1 : statement.end_lineno]), statement.target.id
        names.append(statement.target.id)
    assert names[0] == "SEED"
    (check,) = page.calls("check_parameters")
    assert [keyword.arg for keyword in check.keywords] == names


def test_claims_and_exercises(page):
    claims = page.calls("claim")
    assert 3 <= len(claims) <= 8
    exercises = {
        node.targets[0].id
        for _, tree in page.trees
        for node in tree.body
        if isinstance(node, ast.Assign)
        and isinstance(node.value, ast.Call)
        and getattr(node.value.func, "id", "") == "exercise"
    }
    assert 2 <= len(exercises) <= (5 if page.path.stem == "wrap_up" else 3)
    solved = set()
    for cell, tree in page.trees:
        hidden = "hide-cell" in cell.metadata.get("tags", [])
        if hidden:
            assert cell.metadata.jupyter.source_hidden is True
            assert cell.metadata.cellView == "form"
        for node in ast.walk(tree):
            if isinstance(node, ast.Call) and getattr(node.func, "id", None) in exercises:
                is_open = isinstance(node.args[0], ast.Constant) and node.args[0].value is ...
                assert is_open is not hidden, "open for the learner, answered in a folded cell"
                if hidden:
                    solved.add(node.func.id)
    assert solved == exercises


def test_committed_clean(page):
    assert all(not cell.outputs and cell.execution_count is None for cell in page.code)
    ids = [cell.id for cell in page.cells]
    assert len(set(ids)) == len(ids)
    assert page.path.read_text("utf8") == tidy(nbformat.read(page.path, 4))


def test_code_is_plain_python_on_the_first_wing(page):
    for call in page.calls("catch_warnings") + page.calls("simplefilter"):
        named = len(call.args) > 1 or "category" in {keyword.arg for keyword in call.keywords}
        assert named or not call.args + call.keywords, "all warnings are too many: name a category"
    for cell, tree in page.trees:  # ast.parse has refused magics and shell lines already
        assert "filterwarnings" not in cell.source
        assert "plt.show" not in cell.source
        for node in ast.walk(tree):
            if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("mlcourse"):
                names = (
                    [alias.name for alias in node.names] if node.module == "mlcourse" else [node.module.split(".")[1]]
                )
                assert set(names) <= FIRST_WING


def test_figures_have_alt_texts(page):
    shows = [call for call in page.calls("show") if getattr(call.func, "value", None) is not None]
    assert all("alt" in {keyword.arg for keyword in call.keywords} for call in shows)


def test_markdown_is_plain_and_links_lead_somewhere(page):
    assert not re.search(r"^:::|^```\{|\{[a-z:]+\}`|<[a-z]+[ >/]", page.prose, flags=re.MULTILINE)
    glossary = (ROOT / "book/glossary.md").read_text("utf8")
    terms = {"term-" + re.sub(r"\W+", "-", line.strip().lower()).strip("-") for line in glossary.splitlines()}
    for target in re.findall(r"\]\(([^)\s]+)\)", page.prose):
        if target.startswith("https://"):
            continue
        path, _, anchor = target.partition("#")
        assert (page.path.parent / path).resolve().is_file(), target
        if path.endswith("glossary.md"):
            assert anchor in terms, target


def test_its_further_reading_stands_in_the_bibliography(finished_page):
    recap = finished_page.prose.partition("Further reading: ")[2]
    named = {(words(title), year) for title, year in re.findall(r"\*([^*]+)\*[^*(]*\((?:[^()]*\D)?(\d{4})\)", recap)}
    assert named
    entries = (ROOT / "book/references.bib").read_text("utf8")
    works = re.findall(r"^ +title += \{(.+)\},$[^@]*?^ +year += \{(\d{4})\}", entries, flags=re.MULTILINE)
    assert len(works) == entries.count("@")
    known = {(words(title), year) for title, year in works}
    # A page may leave the subtitle out.
    assert [
        (title, year) for title, year in named if not any(work.startswith(title) and year == of for work, of in known)
    ] == []


def words(title: str) -> str:
    return " ".join(re.findall(r"\w+", title.replace("{", "").replace("}", "").lower()))


def test_the_glossary_is_in_alphabetical_order():
    entries = (ROOT / "book/glossary.md").read_text("utf8").partition("```{glossary}\n")[2].split("\n\n")
    terms = [re.sub(r"\W+", " ", entry.strip().splitlines()[0].lower()) for entry in entries]
    assert len(terms) > 100
    assert terms == sorted(terms)
