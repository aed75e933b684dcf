"""The simulated reviews keep what they promise: known channels, nothing twice, a truth that can be computed."""

import numpy as np
import pytest

from mlcourse.datasets import (
    BOUGHT_RATING,
    FASHION_KINDS,
    IMAGE_CHANNEL,
    TEXT_CHANNEL,
    Channel,
    DataError,
    best_accuracy,
    load_fashion_mnist,
    load_product_reviews,
    load_reviews,
    rating_log_odds,
)

SHOES = ("sandal", "sneaker", "ankle boot")
TOPS = ("T-shirt", "pullover", "dress", "coat", "shirt")


@pytest.fixture(scope="module")
def kinds():
    return np.array(FASHION_KINDS)[load_fashion_mnist()[1]]


@pytest.fixture(scope="module")
def reviews():
    return load_product_reviews(seed=0)


def test_no_sentence_and_no_picture_occurs_twice(reviews):
    assert len(reviews) == 2_200
    assert reviews["text"].is_unique
    assert reviews["picture"].is_unique


def test_sentences_and_pictures_show_their_signals(reviews, kinds):
    raters = load_reviews().drop_duplicates("text").set_index("text")["rating"]
    rating = raters[reviews["text"]].to_numpy()
    assert (rating[reviews["text_signal"] == 1] >= 0.75).all()
    assert (rating[reviews["text_signal"] == -1] <= -0.75).all()
    assert (np.abs(rating[reviews["text_signal"] == 0]) <= 0.5).all()
    shown = kinds[reviews["picture"]]
    assert np.isin(shown[reviews["image_signal"] == 1], TOPS).all()
    assert np.isin(shown[reviews["image_signal"] == -1], SHOES).all()
    assert np.isin(shown[reviews["image_signal"] == 0], ("trousers", "bag")).all()


def test_channels_have_their_quality():
    many = [load_product_reviews(seed=seed) for seed in range(4)]
    for channel, column in ((TEXT_CHANNEL, "text_signal"), (IMAGE_CHANNEL, "image_signal")):
        signal = np.concatenate([reviews[column] for reviews in many])
        satisfied = np.concatenate([reviews["satisfied"] for reviews in many])
        assert np.mean(signal != 0) == pytest.approx(channel.speaks, abs=0.02)
        right = (signal > 0) == (satisfied == 1)
        assert right[signal != 0].mean() == pytest.approx(channel.right, abs=0.02)
        assert satisfied.mean() == pytest.approx(0.5, abs=0.02)


def test_the_probability_is_calibrated_and_reaches_the_best_accuracy():
    many = [load_product_reviews(seed=seed) for seed in range(6)]
    probability = np.concatenate([reviews["probability"] for reviews in many])
    satisfied = np.concatenate([reviews["satisfied"] for reviews in many])
    best = best_accuracy(TEXT_CHANNEL, IMAGE_CHANNEL)
    assert np.maximum(probability, 1 - probability).mean() == pytest.approx(best, abs=0.01)
    assert np.mean((probability > 0.5) == satisfied) == pytest.approx(best, abs=0.015)
    for value in np.unique(probability.round(6)):
        here = np.isclose(probability, value, atol=1e-5)
        tolerance = 4 * np.sqrt(value * (1 - value) / here.sum()) + 0.005
        assert satisfied[here].mean() == pytest.approx(value, abs=tolerance)


def test_the_best_accuracy_of_known_cases():
    assert best_accuracy() == 0.5
    assert best_accuracy(Channel(0.0, 0.9)) == 0.5
    assert best_accuracy(Channel(1.0, 0.9)) == pytest.approx(0.9)
    assert best_accuracy(Channel(0.6, 0.9)) == pytest.approx(0.6 * 0.9 + 0.4 * 0.5)
    # Where two yes/no channels disagree the better one wins, so the worse one adds nothing.
    assert best_accuracy(Channel(1.0, 0.9), Channel(1.0, 0.8)) == pytest.approx(0.9)
    assert best_accuracy(*[Channel(1.0, 0.8)] * 3) == pytest.approx(0.8**3 + 3 * 0.8**2 * 0.2)
    assert best_accuracy(TEXT_CHANNEL, Channel(0.6, 0.5)) == pytest.approx(best_accuracy(TEXT_CHANNEL))


def test_another_image_channel_leaves_people_and_sentences_alone(reviews):
    noise = load_product_reviews(seed=0, image=Channel(0.6, 0.5))
    same = ["review", "text", "rating", "satisfied", "text_signal"]
    assert noise[same].equals(reviews[same])
    assert not noise["picture"].equals(reviews["picture"])


def test_with_mixed_orders_the_picture_means_something_only_with_the_order(kinds):
    reviews = load_product_reviews(seed=0, mixed_orders=True)
    shoes_shown = np.isin(kinds[reviews["picture"]], SHOES)
    speaks = reviews["image_signal"] != 0
    fits = shoes_shown == (reviews["ordered"] == "shoes")
    assert (fits[speaks] == (reviews["image_signal"][speaks] == 1)).all()
    assert np.corrcoef(shoes_shown[speaks], reviews["satisfied"][speaks])[0, 1] == pytest.approx(0, abs=0.12)
    assert set(load_product_reviews(100)["ordered"]) == {"top"}


def test_the_rating_counts_only_when_asked_and_bought_ratings_mislead():
    assert rating_log_odds([2.5, 3.5, 4.5, 4.6]) == pytest.approx([-1.2, 0, 1.2, -1.5])
    reviews = load_product_reviews(seed=0, use_rating=True)
    bought = reviews["rating"] > BOUGHT_RATING
    liked = reviews["rating"].between(4.0, BOUGHT_RATING)
    assert reviews.loc[bought, "satisfied"].mean() < 0.35 < 0.6 < reviews.loc[liked, "satisfied"].mean()
    without = load_product_reviews(seed=0)
    assert abs(np.corrcoef(without["rating"], without["satisfied"])[0, 1]) < 0.08
    assert reviews["rating"].between(1, 5).all()


@pytest.mark.parametrize("rows", [0, -1, 2.5, True])
def test_a_wrong_number_of_rows_is_named(rows):
    with pytest.raises(DataError, match="whole number from 1"):
        load_product_reviews(rows)


def test_too_many_rows_say_what_runs_out():
    with pytest.raises(DataError, match="take fewer rows"):
        load_product_reviews(3_600)


@pytest.mark.parametrize("quality", [(1.2, 0.9), (-0.1, 0.9), (0.5, 0.4), (0.5, 1.0)])
def test_a_channel_of_impossible_quality_is_refused(quality):
    with pytest.raises(DataError, match="must be"):
        Channel(*quality)
