"""Exercises that check a learner's answer: a hint first, the reason after."""

from __future__ import annotations

import html
from collections.abc import Callable
from typing import Any

from IPython.display import HTML, display

from mlcourse.claims import strict


class ExerciseError(AssertionError):
    """A worked solution does not pass its own exercise."""

    def _render_traceback_(self) -> list[str]:
        return [f"ExerciseError: {self}"]


class Exercise:
    """A question that checks the answers it is called with. Made by :func:`exercise`."""

    def __init__(self, title: str, check: Callable[[Any], bool | str], hint: str, reason: str) -> None:
        self.title, self.check, self.hint, self.reason = title, check, hint, reason
        self.wrong_answers = 0

    def __call__(self, answer: Any) -> None:
        """Check one answer. ``...`` means that there is none yet.

        Raises
        ------
        ExerciseError
            If the answer is wrong and nobody is reading (see :func:`mlcourse.claims.strict`): then it
            was a worked solution.
        """
        if answer is ...:
            self._show("#5b6b7f", "Open", "Put your answer in place of the dots and run the cell again.")
            return
        try:
            verdict = self.check(answer)
        except Exception as error:
            verdict = f"Your answer could not be checked ({type(error).__name__}: {error})."
        if not isinstance(verdict, str) and bool(verdict):
            self._show("#1a7f5a", "Right", self.reason)
            return
        self.wrong_answers += 1
        word = verdict + " " if isinstance(verdict, str) else ""
        more = " The worked solution is in the folded cell below." if self.wrong_answers > 1 else ""
        self._show("#b35900", "Not yet", f"{word}Hint: {self.hint}{more}")
        if strict():
            raise ExerciseError(f"the answer to '{self.title}' is wrong. {word}")

    def _show(self, colour: str, state: str, words: str) -> None:
        display(
            HTML(
                f'<div class="mlcourse-exercise" style="border-left:4px solid {colour};background:{colour}1a;'
                f'padding:.45em .8em;margin:.3em 0"><strong>{html.escape(self.title)}: {state}.</strong> '
                f"{html.escape(words)}</div>"
            )
        )


def exercise(title: str, *, check: Callable[[Any], bool | str], hint: str, reason: str) -> Exercise:
    """Make an exercise; call what comes back with the learner's answer, or with ``...`` for none yet.

    Parameters
    ----------
    title
        A few words that name the exercise.
    check
        Takes the answer; returns true if it is right, and false or a sentence that says what is
        wrong otherwise. An exception that the answer causes counts as wrong and is named.
    hint
        Shown with a wrong answer: what to think of next, not the answer.
    reason
        Shown with the right answer: why it is right.

    Raises
    ------
    ValueError
        If title, hint or reason is empty.
    """
    for name, words in (("title", title), ("hint", hint), ("reason", reason)):
        if not words.strip():
            raise ValueError(f"exercise() needs a {name}")
    return Exercise(title, check, hint, reason)
