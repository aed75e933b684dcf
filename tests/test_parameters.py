"""Parameters: what a rule accepts, and the one line when it does not."""

import json

import pytest

from mlcourse.parameters import ParameterError, check_parameters, cluster, each, one_of, real, spark, whole

TWO = '{"cluster": {"worker": ["10.0.0.1:2222", "node-2.local:80"]}, "task": {"type": "worker", "index": %s}}'


@pytest.mark.parametrize(
    ("rule", "good", "bad"),
    [
        (whole(1, 10), [1, 10], [0, 11, 1.0, True, "1", None]),
        (real(0, 1), [0, 1, 0.5], [-0.1, 1.1, float("nan"), True, "0.5"]),
        (one_of("a", 1), ["a", 1], ["b", 1.0, True]),
        (each(whole(1, 3)), [[1], [1, 2, 3], (2,)], [[], [0], [1, "2"], 1]),
        (
            spark(),
            ["", "local", "local[2]", "local[*]", "spark://node-1:7077"],
            [
                "yarn",
                "local[0]",
                "local[two]",
                "spark://node-1",
                "spark://:7077",
                "http://node-1:7077",
                "spark://a b:1",
                2,
                None,
            ],
        ),
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


def test_a_cluster_may_be_nothing_or_name_its_workers_and_this_one():
    assert all(map(cluster().accepts, ["", TWO % 0, TWO % 1]))
    wrong = [
        *(TWO % index for index in (2, -1, '"0"', "true", "null", 0.5)),  # no such worker
        *(None, 0, "10.0.0.1:2222", "{", "[]", "{}", '"worker"', "null"),
        json.dumps({"cluster": {"worker": ["10.0.0.1:2222"]}}),
        json.dumps({"cluster": {"worker": ["10.0.0.1:2222"]}, "task": {"type": "ps", "index": 0}}),
        *(
            json.dumps({"cluster": {"worker": workers}, "task": {"type": "worker", "index": 0}})
            for workers in (
                [],
                ["10.0.0.1"],
                ["10.0.0.1:"],
                [":2222"],
                ["a:1", "a:1"],
                ["a b:1"],
                [1],
                "a:1",
                {"a:1": 0},
            )
        ),
    ]
    for value in wrong:
        assert not cluster().accepts(value), value


def test_a_wrong_cluster_is_one_line_with_an_example():
    with pytest.raises(ParameterError) as error:
        check_parameters({"TF_CONFIG": "10.0.0.1"}, TF_CONFIG=cluster())
    text = str(error.value)
    assert text.startswith("TF_CONFIG must be empty, or JSON that names different workers")
    assert text.endswith("not '10.0.0.1'")
    assert "\n" not in text
    assert cluster().accepts(text[text.index("{") : text.rindex("}") + 1])
