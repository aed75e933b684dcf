"""A claim of the prose, measured where it is made and compared with a bound."""

from __future__ import annotations

import html
import math
import os
from dataclasses import asdict, dataclass
from numbers import Real

from IPython import get_ipython
from IPython.display import display

CLAIM_MIME = "application/vnd.mlcourse.claim+json"


class ClaimError(AssertionError):
    """A claim does not hold, and nobody is there to read a calm message about it."""

    def _render_traceback_(self) -> list[str]:
        # IPython asks an exception for its own rendering: the reason is one line, not a stack.
        return [f"ClaimError: {self}"]


def strict() -> bool:
    """Tell whether a broken promise must stop the page.

    True in CI and wherever nobody sits at the keyboard (nbmake, papermill, ``mlcourse run``, a plain
    script); false for a learner who plays with the parameters in Jupyter, Colab or an editor.
    ``MLCOURSE_STRICT=0`` or ``1`` in the environment decides instead.
    """
    forced = os.environ.get("MLCOURSE_STRICT", "")
    if forced in ("0", "1"):
        return forced == "1"
    if "CI" in os.environ:
        return True
    shell = get_ipython()
    kernel = getattr(shell, "kernel", None)
    if kernel is None:
        return shell is None
    # Every front-end that a person types into offers input(); nbclient, below papermill and nbmake, never does.
    return not kernel._allow_stdin


def number(value: float) -> str:
    """Write a number as a reader wants it: 4 digits that count, thousands separated, whole counts whole."""
    value = float(value)
    if value.is_integer() and abs(value) < 1e15:
        return f"{int(value):,}"
    if abs(value) >= 1000:
        return f"{value:,.0f}"
    return f"{value:.4g}"


@dataclass(frozen=True)
class Claim:
    """One claim with its measured value, its bounds (both inclusive) and whether it holds."""

    text: str
    measured: float
    low: float | None
    high: float | None
    unit: str
    holds: bool

    @property
    def bound(self) -> str:
        """The bound in words, such as ``at least 0.9``."""
        unit = f" {self.unit}" if self.unit else ""
        if self.low is None:
            return f"at most {number(self.high)}{unit}"
        if self.high is None:
            return f"at least {number(self.low)}{unit}"
        return f"within {number(self.low)} to {number(self.high)}{unit}"

    @property
    def value(self) -> str:
        """The measured value with its unit."""
        return number(self.measured) + (f" {self.unit}" if self.unit else "")

    @property
    def verdict(self) -> str:
        return "holds" if self.holds else "does not hold with these settings"

    def _repr_mimebundle_(self, **_: object) -> dict[str, object]:
        mark, colour = ("✓", "#1a7f5a") if self.holds else ("–", "#b35900")
        plain = f"{mark} {self.text} Measured {self.value}; bound: {self.bound}: {self.verdict}."
        # The colours are inline because the same line is read in Jupyter and Colab, where the
        # book's style sheet is not; the transparent tint suits light and dark pages.
        page = (
            f'<div class="mlcourse-claim" style="border-left:4px solid {colour};background:{colour}1a;'
            f'padding:.45em .8em;margin:.3em 0"><strong aria-hidden="true">{mark}</strong> {html.escape(self.text)}'
            f'<br><span class="mlcourse-claim-measure" style="font-size:.92em">Measured '
            f"<strong>{html.escape(self.value)}</strong>; bound: {html.escape(self.bound)}: {self.verdict}."
            "</span></div>"
        )
        return {"text/html": page, "text/plain": plain, CLAIM_MIME: asdict(self)}


def claim(
    text: str,
    measured: float,
    *,
    at_least: float | None = None,
    at_most: float | None = None,
    within: tuple[float, float] | None = None,
    unit: str = "",
) -> None:
    """Show a claim with its measured value and its bound; stop the page where it does not hold.

    Parameters
    ----------
    text
        The claim as a full sentence, without the number.
    measured
        The value that the page measured: one finite number.
    at_least, at_most, within
        Exactly one bound, inclusive; ``within`` takes ``(low, high)``.
    unit
        What the number counts, such as ``"AUC"`` or ``"times"``.

    Raises
    ------
    ClaimError
        If the claim does not hold and :func:`strict` is true (CI, nbmake, papermill). A learner
        sees "does not hold with these settings" instead.
    ValueError, TypeError
        If there is no bound, or more than one, or ``measured`` is not a finite number.
    """
    if sum(bound is not None for bound in (at_least, at_most, within)) != 1:
        raise ValueError("claim() takes exactly one of at_least=, at_most= and within=(low, high)")
    if isinstance(measured, bool) or not isinstance(measured, Real):
        raise TypeError(f"claim() measures one number, not {type(measured).__name__}: {measured!r}")
    if not text.strip():
        raise ValueError("claim() needs a sentence as its text")
    low, high = within if within is not None else (at_least, at_most)
    if within is not None and low > high:
        raise ValueError(f"within=(low, high) needs low <= high, not ({low}, {high})")
    measured = float(measured)
    if not math.isfinite(measured):
        raise ValueError(f"claim() measures a finite number, not {measured}: {text}")
    holds = (low is None or measured >= low) and (high is None or measured <= high)
    result = Claim(
        text=text.strip(),
        measured=measured,
        low=None if low is None else float(low),
        high=None if high is None else float(high),
        unit=unit,
        holds=holds,
    )
    display(result)
    if not holds and strict():
        raise ClaimError(f"{result.text} Measured {result.value}; bound: {result.bound}.")
