"""The AUC of bootstrap samples is that of scikit-learn with the same weights."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from mlcourse.scores import auc_of_samples


def test_it_is_scikit_learns_with_ties_and_weights() -> None:
    rng = np.random.default_rng(0)
    label = rng.integers(0, 2, 300)
    score = (label + rng.normal(size=300)).round(1)  # many ties
    counts = np.vstack([np.ones(300), rng.multinomial(300, np.full(300, 1 / 300), 20), rng.exponential(size=300)])
    values = auc_of_samples(label, score, counts)
    assert values.shape == (22,)
    assert values == pytest.approx([roc_auc_score(label, score, sample_weight=weight) for weight in counts])


def test_it_is_counted_by_hand() -> None:
    # Pairs: 3 > 1, 3 > 2, 2 > 1, 2 = 2.
    assert auc_of_samples([1, 1, 0, 0], [3, 2, 1, 2], [[1, 1, 1, 1], [0, 2, 1, 3]]) == pytest.approx([3.5 / 4, 2.5 / 4])


@pytest.mark.parametrize(("counts", "kind"), [([1, 0, 0], "negative"), ([0, 1, 1], "positive")])
def test_a_sample_with_one_kind_of_row_has_none(counts: list[int], kind: str) -> None:
    with pytest.raises(ValueError, match=f"^sample 1 holds no {kind} row, so that it has no AUC$"):
        auc_of_samples([True, False, False], [0.1, 0.2, 0.3], [[1, 1, 1], counts])
