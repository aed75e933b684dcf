"""A claim says what was measured; a broken one stops whoever does not read."""

import pytest

from mlcourse.claims import CLAIM_MIME, Claim, ClaimError, claim, number, strict


@pytest.fixture
def shown(monkeypatch):
    """What claim() displays."""
    results: list[Claim] = []
    monkeypatch.setattr("mlcourse.claims.display", results.append)
    return results


def test_a_claim_that_holds_is_shown_with_value_and_bound(shown):
    claim("Scaling cuts the steps.", 123.456, at_least=100, unit="times")
    bundle = shown[0]._repr_mimebundle_()
    assert bundle["text/plain"] == "✓ Scaling cuts the steps. Measured 123.5 times; bound: at least 100 times: holds."
    assert bundle[CLAIM_MIME] == {
        "text": "Scaling cuts the steps.",
        "measured": 123.456,
        "low": 100.0,
        "high": None,
        "unit": "times",
        "holds": True,
    }
    assert "Scaling cuts the steps." in bundle["text/html"]


@pytest.mark.parametrize(
    ("measured", "bound", "holds"),
    [
        (1, {"at_least": 1}, True),
        (0.999, {"at_least": 1}, False),
        (1, {"at_most": 1}, True),
        (1.001, {"at_most": 1}, False),
        (2, {"within": (1, 2)}, True),
        (2.001, {"within": (1, 2)}, False),
    ],
)
def test_bounds_are_inclusive(shown, monkeypatch, measured, bound, holds):
    monkeypatch.setenv("MLCOURSE_STRICT", "0")
    claim("It is so.", measured, **bound)
    assert shown[0].holds is holds


def test_a_broken_claim_is_shown_and_then_raises_where_nobody_reads(shown, monkeypatch):
    monkeypatch.setenv("MLCOURSE_STRICT", "1")
    with pytest.raises(ClaimError, match=r"It is so\. Measured 0\.5; bound: at least 1\."):
        claim("It is so.", 0.5, at_least=1)
    assert len(shown) == 1


def test_a_learner_sees_a_calm_line(shown, monkeypatch):
    monkeypatch.setenv("MLCOURSE_STRICT", "0")
    claim("It is so.", 0.5, at_least=1)
    assert shown[0]._repr_mimebundle_()["text/plain"].endswith("does not hold with these settings.")


def test_ci_and_scripts_are_strict(monkeypatch):
    monkeypatch.delenv("MLCOURSE_STRICT", raising=False)
    monkeypatch.delenv("CI", raising=False)
    assert strict(), "a script without a front-end"
    monkeypatch.setenv("CI", "true")
    assert strict()
    monkeypatch.setenv("MLCOURSE_STRICT", "0")
    assert not strict()


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        ({"measured": 1}, ValueError),
        ({"measured": 1, "at_least": 0, "at_most": 2}, ValueError),
        ({"measured": float("nan"), "at_least": 0}, ValueError),
        ({"measured": 1, "within": (2, 1)}, ValueError),
        ({"measured": True, "at_least": 0}, TypeError),
        ({"measured": "1", "at_least": 0}, TypeError),
    ],
)
def test_a_claim_without_a_sense_is_refused(arguments, error):
    with pytest.raises(error):
        claim("It is so.", **arguments)


def test_text_is_escaped(shown):
    claim("a < b & c.", 1, at_least=0)
    assert "a &lt; b &amp; c." in shown[0]._repr_mimebundle_()["text/html"]


@pytest.mark.parametrize(
    ("value", "text"), [(0, "0"), (1234567, "1,234,567"), (0.123456, "0.1235"), (12345.6, "12,346"), (-2.5, "-2.5")]
)
def test_numbers_are_written_for_readers(value, text):
    assert number(value) == text
