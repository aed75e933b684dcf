"""Parameters: what a rule accepts, and the one line when it does not."""

import pytest

from mlcourse.parameters import ParameterError, check_parameters, each, one_of, real, whole


@pytest.mark.parametrize(
    ("rule", "good", "bad"),
    [
        (whole(1, 10), [1, 10], [0, 11, 1.0, True, "1", None]),
        (real(0, 1), [0, 1, 0.5], [-0.1, 1.1, float("nan"), True, "0.5"]),
        (one_of("a", 1), ["a", 1], ["b", 1.0, True]),
        (each(whole(1, 3)), [[1], [1, 2, 3], (2,)], [[], [0], [1, "2"], 1]),
    ],
)
def test_rules(rule, good, bad):
    assert all(rule.accepts(value) for value in good)
    assert not any(rule.accepts(value) for value in bad)


def test_a_wrong_value_is_one_line():
    with pytest.raises(ParameterError) as error:
        check_parameters({"SEED": 0, "ROWS": -5}, SEED=whole(0, 9), ROWS=whole(1, 1_000))
    assert str(error.value) == "ROWS must be a whole number from 1 to 1,000, not -5"
    assert error.value._render_traceback_() == [f"ParameterError: {error.value}"]


def test_a_parameter_that_is_not_set():
    with pytest.raises(ParameterError, match="ROWS is not set"):
        check_parameters({}, ROWS=whole(1, 2))
