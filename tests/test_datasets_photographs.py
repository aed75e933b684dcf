"""The photographs are those that their card describes."""

import numpy as np

from mlcourse.datasets import PHOTOGRAPHS, card, load_photographs


def test_every_photograph_has_its_shape_and_its_class():
    pictures, classes = load_photographs()
    assert pictures.shape == (len(PHOTOGRAPHS), 224, 224, 3)
    assert pictures.dtype == np.uint8
    assert classes.tolist() == [number for number, _ in PHOTOGRAPHS.values()]
    assert all(0 <= number < 1_000 for number in classes)


def test_names_and_pictures_belong_together():
    pictures, _ = load_photographs()
    red, _, blue = pictures.mean(axis=(1, 2)).T
    of = dict(zip(PHOTOGRAPHS, pictures, strict=True))
    hue = dict(zip(PHOTOGRAPHS, red - blue, strict=True))
    assert hue["coffee"] > 50, "a red saucer on brown wood"
    assert hue["rocket"] < -20, "an evening sky"
    assert np.ptp(of["camera"], axis=2).max() == 0, "the grey one"
    assert np.ptp(of["chelsea"], axis=2).mean() > 20, "a cat with green eyes"


def test_each_photograph_is_named_in_the_card_with_its_licence():
    fields = card("photographs.npz").fields
    for name in PHOTOGRAPHS:
        assert name in fields["Source"]
        assert name in fields["Licence"]
