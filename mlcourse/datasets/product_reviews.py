"""Simulated product reviews: real sentences and real pictures, joined by a simulated satisfaction."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product

import numpy as np
import pandas as pd

from mlcourse.datasets.fashion import load_fashion_mnist
from mlcourse.datasets.files import DataError
from mlcourse.datasets.reviews import load_reviews

# By the names in FASHION_KINDS: what can stand for "a top arrived", "shoes arrived" and "the picture tells nothing".
_TOPS = (0, 2, 3, 4, 6)
_SHOES = (5, 7, 9)
_NEITHER = (1, 8)

# A sentence speaks when the mean of its twenty scores is this far from 0, and is silent when it is this near.
_CLEAR = 0.75
_NEUTRAL = 0.5

# Above this average a product's rating has been bought, in the simulation.
BOUGHT_RATING = 4.5


@dataclass(frozen=True)
class Channel:
    """How well one kind of input tells whether the customer is satisfied.

    Attributes
    ----------
    speaks
        Probability that the input says anything at all.
    right
        Probability that what it says is true, given that it speaks; 0.5 is pure noise.
    """

    speaks: float
    right: float

    def __post_init__(self) -> None:
        if not 0 <= self.speaks <= 1:
            raise DataError(f"speaks must be a probability from 0 to 1, not {self.speaks!r}")
        if not 0.5 <= self.right < 1:
            raise DataError(f"right must be from 0.5 (pure noise) to below 1, not {self.right!r}")

    @property
    def log_odds(self) -> float:
        """What a signal of +1 adds to the log-odds of "satisfied"."""
        return float(np.log(self.right / (1 - self.right)))

    def draw(self, satisfied: np.ndarray, random: np.random.Generator) -> np.ndarray:
        """Signals of -1, 0 (silent) or 1, one for each entry of ``satisfied`` (0 or 1)."""
        speaks, right = random.random(len(satisfied)), random.random(len(satisfied))
        signal = np.where(right < self.right, 1, -1) * (2 * satisfied - 1)
        return np.where(speaks < self.speaks, signal, 0)


TEXT_CHANNEL = Channel(speaks=0.9, right=0.95)
IMAGE_CHANNEL = Channel(speaks=0.6, right=0.95)


def best_accuracy(*channels: Channel) -> float:
    """The accuracy that nobody can beat who sees these channels, each read without error.

    Half of the customers are satisfied, and the channels err independently. All combinations of their signals
    are enumerated; the best guess of each takes the likelier answer.
    """
    total = 0.0
    for signals in product((-1, 0, 1), repeat=len(channels)):
        likelihood = np.array([0.5, 0.5])
        for channel, signal in zip(channels, signals, strict=True):
            said = np.array([1 - channel.right, channel.right])[:: 1 if signal > 0 else -1]
            likelihood = likelihood * (channel.speaks * said if signal else 1 - channel.speaks)
        total += likelihood.max()
    return float(total)


def rating_log_odds(rating: np.ndarray) -> np.ndarray:
    """What a product's average rating (1 to 5 stars) adds to the log-odds of "satisfied", in the simulation.

    It rises by 1.2 a star and is 0 at 3.5 stars; above ``BOUGHT_RATING`` it falls to -1.5: those ratings are bought.
    """
    rating = np.asarray(rating, float)
    return np.where(rating > BOUGHT_RATING, -1.5, 1.2 * (rating - 3.5))


def load_product_reviews(
    rows: int = 2_200,
    seed: int = 0,
    *,
    text: Channel = TEXT_CHANNEL,
    image: Channel = IMAGE_CHANNEL,
    mixed_orders: bool = False,
    use_rating: bool = False,
) -> pd.DataFrame:
    """Simulated reviews: a real sentence and a real picture each, joined by a simulated satisfaction.

    The join is invented, and its truth known. A customer is satisfied or not, by a fair coin. The sentence then
    speaks with probability ``text.speaks``: twenty raters found it clearly positive or clearly negative, it fits the
    satisfaction with probability ``text.right``; otherwise it is neutral. The picture speaks with probability
    ``image.speaks``: it shows what arrived, the kind of thing that was ordered (satisfied) or the other kind (not),
    right with probability ``image.right``; otherwise it shows trousers or a bag, which tell nothing. Given the
    satisfaction, sentence and picture are independent. With the same ``seed`` and ``rows``, satisfaction, sentences and
    ratings stay the same when the image channel changes.

    Parameters
    ----------
    rows
        How many reviews; each sentence and each picture occurs once at most.
    seed
        Seed of the simulation.
    text, image
        The quality of the two channels.
    mixed_orders
        Half of the customers ordered shoes and half a top, so that the picture means nothing without the order.
        Otherwise all ordered a top.
    use_rating
        The product's average rating tells about the satisfaction too (see :func:`rating_log_odds`). Otherwise a fair
        coin decides, whatever the rating.

    Returns
    -------
    pandas.DataFrame
        One row a review: ``review`` (which real review the sentence is from: split by it), ``text``, ``picture`` (row
        of the picture in :func:`load_fashion_mnist`), ``ordered`` (top or shoes), ``rating`` (1 to 5 stars),
        ``satisfied`` (0 or 1); and the truth, which no model may see: ``text_signal`` and ``image_signal`` (-1, 0
        or 1) and ``probability``, that of "satisfied" for whoever reads all of the row without error.

    Raises
    ------
    mlcourse.datasets.DataError
        If a file is not the one its card describes, or there are too few sentences or pictures for ``rows``.
    """
    if isinstance(rows, bool) or not isinstance(rows, int) or rows < 1:
        raise DataError(f"rows must be a whole number from 1, not {rows!r}")
    # A stream of random numbers for each part: changing one channel leaves the others as they are.
    for_people, for_text, for_image, for_pools = (
        np.random.default_rng(part) for part in np.random.SeedSequence(seed).spawn(4)
    )
    rating = np.round(1 + 4 * for_people.beta(4, 2, rows), 1)
    log_odds = rating_log_odds(rating) if use_rating else np.zeros(rows)
    satisfied = (for_people.random(rows) < 1 / (1 + np.exp(-log_odds))).astype(int)
    shoes_ordered = (for_people.random(rows) < 0.5) & mixed_orders
    text_signal, image_signal = text.draw(satisfied, for_text), image.draw(satisfied, for_image)
    log_odds = log_odds + text.log_odds * text_signal + image.log_odds * image_signal

    sentences = load_reviews().drop_duplicates("text", ignore_index=True)
    mood = np.sign(sentences["rating"]) * (sentences["rating"].abs() >= _CLEAR)
    usable = (mood != 0) | (sentences["rating"].abs() <= _NEUTRAL)
    pools = {sign: np.flatnonzero(usable & (mood == sign)) for sign in (-1, 0, 1)}
    sentence = _draw(text_signal, pools, for_pools, "sentences")
    _, kinds = load_fashion_mnist()
    shown = np.where(shoes_ordered, -image_signal, image_signal)
    pools = {sign: np.flatnonzero(np.isin(kinds, pool)) for sign, pool in ((-1, _SHOES), (0, _NEITHER), (1, _TOPS))}
    picture = _draw(shown, pools, for_pools, "pictures")
    return pd.DataFrame(
        {
            "review": sentences["review"].to_numpy()[sentence],
            "text": sentences["text"].to_numpy()[sentence],
            "picture": picture,
            "ordered": np.where(shoes_ordered, "shoes", "top"),
            "rating": rating,
            "satisfied": satisfied,
            "text_signal": text_signal,
            "image_signal": image_signal,
            "probability": 1 / (1 + np.exp(-log_odds)),
        }
    )


def _draw(signal: np.ndarray, pools: dict[int, np.ndarray], random: np.random.Generator, what: str) -> np.ndarray:
    """For each signal one member of its pool, none twice."""
    drawn = np.empty(len(signal), int)
    for sign, pool in pools.items():
        wanted = np.flatnonzero(signal == sign)
        if len(wanted) > len(pool):
            raise DataError(
                f"{len(signal):,} reviews need {len(wanted):,} {what} with the signal {sign:+d}, "
                f"and there are {len(pool):,}; take fewer rows"
            )
        drawn[wanted] = random.permutation(pool)[: len(wanted)]
    return drawn
