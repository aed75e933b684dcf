"""The catalogue knows the pages, their parameters, and what does not fit together."""

import pytest
from course import ROOT, SEED, Course, code, words

from mlcourse.parameters import ParameterError
from mlcourse.runner.catalogue import CatalogueError, find_root, load_catalogue

KNOBS = code(
    f"""{SEED}
ROWS: int = 1_000  # rows of data
RATE: float = 0.5
NAMES: list[str] = ["a", "b"]
SHARE: float | None = None
LOUD: bool = False
WORD: str = "x = y"
SIZES: list[int] = [1, 2]""",
    "parameters",
)


@pytest.fixture
def three(course: Course) -> Course:
    course.page("1-part/hashed_feature", words("Intro\n\n# Hashed feature\n"), KNOBS)
    course.page("1-part/wrap_up", KNOBS)
    course.page("2-part/wrap_up", KNOBS)
    return course


def test_a_page_knows_itself(three: Course) -> None:
    page = three.select("hashed_feature")[0]
    assert (page.id, page.part, page.name, page.title) == (
        "1-part/hashed_feature", "1-part", "hashed_feature", "Hashed feature",
    )  # fmt: skip
    assert page.environment == "core"
    assert page.parameters["ROWS"].default == 1000
    assert page.parameters["ROWS"].comment == "rows of data"
    assert page.parameters["NAMES"].kind == "list[str]"


@pytest.mark.parametrize(
    ("names", "ids"),
    [
        ((), ["1-part/hashed_feature", "1-part/wrap_up", "2-part/wrap_up"]),
        (("hashed_feature",), ["1-part/hashed_feature"]),
        (("2-part", "1-part/hashed_feature"), ["1-part/hashed_feature", "2-part/wrap_up"]),
        (("wrap_up",), ["1-part/wrap_up", "2-part/wrap_up"]),
        (("notebooks/1-part/wrap_up.ipynb",), ["1-part/wrap_up"]),
        (("notebooks/1-part/",), ["1-part/hashed_feature", "1-part/wrap_up"]),
    ],
)
def test_pages_are_selected_by_id_name_part_or_path(three: Course, names, ids) -> None:
    assert [page.id for page in three.select(*names)] == ids


def test_a_path_may_be_relative_to_where_one_stands(three: Course, monkeypatch) -> None:
    monkeypatch.chdir(three.root / "notebooks" / "2-part")
    assert find_root() == three.root
    assert [page.id for page in three.select("wrap_up.ipynb")] == ["2-part/wrap_up"]


def test_an_unknown_page_is_answered_with_the_nearest(three: Course) -> None:
    with pytest.raises(CatalogueError, match="no page 'hashd_feature'; did you mean 'hashed_feature'"):
        three.select("hashd_feature")
    with pytest.raises(CatalogueError, match="no page 'zzz'; there are: 1-part/hashed_feature, 1-part/wrap_up"):
        three.select("zzz")


def test_a_notebook_that_the_book_does_not_list_is_said(three: Course) -> None:
    three.page("1-part/lost", KNOBS, listed=False)
    line = "notebooks/1-part/lost.ipynb is not in _toc.yml; add '- file: notebooks/1-part/lost' to its part"
    for names in ((), ("lost",)):
        with pytest.raises(CatalogueError) as error:
            three.select(*names)
        assert str(error.value) == line
    assert three.select("hashed_feature"), "another page's trouble does not stop this one"


def test_a_listed_page_without_a_file_is_said(three: Course) -> None:
    three.list_pages("1-part/gone")
    with pytest.raises(
        CatalogueError, match=r"names notebooks/1-part/gone, but there is no notebooks/1-part/gone\.ipy"
    ):
        three.select()


@pytest.mark.parametrize(
    ("book", "line"),
    [
        ("1-part/hashd_feature:\n  ROWS: 5\n", "did you mean '1-part/hashed_feature'"),
        ("1-part/hashed_feature:\n  ROW: 5\n", "1-part/hashed_feature has no parameter ROW; it has: SEED, ROWS"),
        ("1-part/hashed_feature:\n  ROWS: many\n", "ROWS must be of type int, not 'many'"),
        ("1-part/hashed_feature: 5\n", "needs NAME: value lines"),
        ("- 5\n", "must hold one entry a page"),
        ("a: [\n", "parameters.yml is not YAML"),
    ],
)
def test_the_books_parameters_are_compared_with_the_pages(three: Course, book: str, line: str) -> None:
    three.book(book)
    with pytest.raises(CatalogueError) as error:
        three.select()
    assert line in str(error.value)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("content", ["", "not json", "[]", "{}", '{"nbformat": 4}', '{"nbformat": 3, "cells": []}'])
def test_a_file_that_is_no_notebook_is_said_in_one_line(three: Course, content: str) -> None:
    path = three.page("1-part/broken", KNOBS)
    path.write_text(content)
    with pytest.raises(CatalogueError) as error:
        three.select("broken")
    assert "is not a notebook" in str(error.value)
    assert "\n" not in str(error.value)
    assert three.select("hashed_feature")


def test_a_parameters_cell_holds_literals_only(three: Course) -> None:
    three.page("1-part/bad", code("ROWS: int = len('abc')", "parameters"))
    with pytest.raises(CatalogueError, match=r"1-part/bad: the parameters cell holds 'ROWS: int = len\('abc'\)'"):
        three.select("bad")


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("ROWS=5", 5), ("ROWS=1_000", 1000), ("RATE=1", 1), ("RATE=1e-3", 0.001), ("NAMES=['c']", ["c"]),
        ("SHARE=None", None), ("SHARE=0.5", 0.5), ("LOUD=True", True), ("WORD=5", "5"), ("WORD=a=b", "a=b"),
        ("SIZES=[]", []),
    ],
)  # fmt: skip
def test_typed_values_become_what_the_page_declares(three: Course, text: str, value) -> None:
    name, _, typed = text.partition("=")
    parsed = three.select("hashed_feature")[0].parsed({name: typed})
    assert parsed == {name: value}
    assert type(parsed[name]) is type(value)


@pytest.mark.parametrize(
    "text", ["ROWS=5.0", "ROWS=True", "ROWS=", "RATE=fast", "NAMES=[1]", "NAMES=a", "LOUD=1", "SIZES=[1, 'a']"]
)
def test_values_of_another_type_are_refused(three: Course, text: str) -> None:
    name, _, typed = text.partition("=")
    with pytest.raises(ParameterError, match=f"{name} must be of type"):
        three.select("hashed_feature")[0].parsed({name: typed})


def test_a_course_is_found_from_below_and_nowhere_else(three: Course, tmp_path) -> None:
    assert find_root(three.root / "notebooks" / "1-part") == three.root
    with pytest.raises(CatalogueError, match=r"no course here: neither .* nor a folder above it holds _toc\.yml"):
        find_root(tmp_path)


def test_the_courses_own_tables_fit_together() -> None:
    catalogue = load_catalogue(ROOT)
    assert catalogue.faults == {}
    assert catalogue.pages
