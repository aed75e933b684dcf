"""Exercises: open, wrong with a hint, right with the reason."""

import pytest

from mlcourse.exercises import ExerciseError, exercise


@pytest.fixture
def shown(monkeypatch):
    """The HTML that exercises display."""
    pages: list[str] = []
    monkeypatch.setattr("mlcourse.exercises.display", lambda page: pages.append(page.data))
    return pages


@pytest.fixture
def square():
    return exercise(
        "Square",
        check=lambda answer: answer == 4 or ("Too small." if answer < 4 else False),
        hint="Two times two.",
        reason="Because a square has two equal sides.",
    )


def test_dots_are_an_open_question_also_where_nobody_reads(shown, square, monkeypatch):
    monkeypatch.setenv("MLCOURSE_STRICT", "1")
    square(...)
    assert "Square: Open." in shown[0]
    assert "Two times two." not in shown[0]


def test_hint_first_reason_after(shown, square, monkeypatch):
    monkeypatch.setenv("MLCOURSE_STRICT", "0")
    square(3)
    square(5)
    square(4)
    assert "Too small. Hint: Two times two." in shown[0]
    assert "folded" not in shown[0]
    assert "folded" in shown[1]
    assert "Square: Right." in shown[2]
    assert "Because a square" in shown[2]


def test_an_answer_that_cannot_be_checked_is_wrong_and_named(shown, square, monkeypatch):
    monkeypatch.setenv("MLCOURSE_STRICT", "0")
    square("four")
    assert "TypeError" in shown[0]


def test_a_wrong_solution_stops_the_page(shown, square, monkeypatch):
    monkeypatch.setenv("MLCOURSE_STRICT", "1")
    with pytest.raises(ExerciseError, match="the answer to 'Square' is wrong"):
        square(3)


def test_an_exercise_needs_words():
    with pytest.raises(ValueError, match="needs a hint"):
        exercise("Square", check=bool, hint=" ", reason="Because.")
