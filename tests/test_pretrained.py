"""The pretrained models: they know what their cards say, the same whatever comes beside it, or one clear line.

The sentence encoder is near where the meaning is near; the network for pictures names photographs.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import keras
import numpy as np
import pytest

from mlcourse.datasets import PHOTOGRAPHS, DataError, files, load_photographs
from mlcourse.pretrained import SentenceEncoder, load_efficientnet, load_sentence_encoder

SENTENCES = [
    "A cat sleeps on the sofa.",
    "A kitten naps on the couch.",
    "Stocks fell sharply on Monday.",
    "The recipe needs two eggs and some flour, sugar and patience.",
    "It rains.",
]


@pytest.fixture(scope="module")
def encoder() -> SentenceEncoder:
    return load_sentence_encoder()


def test_what_means_the_same_is_near(encoder: SentenceEncoder) -> None:
    cat, kitten, stocks, *_ = encoder.encode(SENTENCES)
    assert cat @ kitten > 0.6
    assert cat @ stocks < 0.2
    cat, kitten, stocks = encoder.encode(["cat", "kitten", "stocks"])
    assert cat @ kitten > cat @ stocks + 0.3


def test_each_row_has_length_one(encoder: SentenceEncoder) -> None:
    vectors = encoder.encode([*SENTENCES, "", "word " * 500])
    assert vectors.shape == (7, encoder.dimensions)
    assert vectors.dtype == np.float32
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5)
    assert encoder.encode([]).shape == (0, 384)


@pytest.mark.parametrize("batch", [1, 2, 64])
@pytest.mark.parametrize("order", [[4, 3, 2, 1, 0], [2, 0, 4, 1, 3]])
def test_a_sentence_is_the_same_in_any_company_and_order(encoder: SentenceEncoder, batch: int, order) -> None:
    alone = np.vstack([encoder.encode([sentence]) for sentence in SENTENCES])
    together = encoder.encode([SENTENCES[i] for i in order], batch=batch)
    np.testing.assert_allclose(together, alone[order], atol=1e-5)


def test_what_comes_after_128_tokens_does_not_count(encoder: SentenceEncoder) -> None:
    short, long = encoder.encode(["word " * 130, "word " * 130 + "and a kitten"])
    np.testing.assert_array_equal(short, long)
    assert abs(encoder.encode(["word " * 100])[0] - encoder.encode(["word " * 100 + "kitten"])[0]).max() > 0


@pytest.mark.parametrize("wrong", ["A cat sleeps.", ["A cat.", None], ["A cat.", b"A dog."], [["A cat."]], ("a", 1)])
def test_what_is_no_list_of_strings_is_refused(encoder: SentenceEncoder, wrong) -> None:
    with pytest.raises(TypeError, match=r"encode\(\) takes a list of strings"):
        encoder.encode(wrong)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A data folder with the models' files in it, to spoil."""
    shutil.copytree(files.data_folder() / "weights", tmp_path / "weights")
    shutil.copy(files.data_folder() / "README.md", tmp_path)
    monkeypatch.setattr(files, "data_folder", lambda: tmp_path)
    files.data_path.cache_clear()
    load_sentence_encoder.cache_clear()
    yield tmp_path
    files.data_path.cache_clear()
    load_sentence_encoder.cache_clear()


@pytest.mark.parametrize("file", ["weights/minilm_l6_v2_int8.onnx", "weights/minilm_tokenizer.json"])
def test_weights_that_are_missing_or_wrong_are_one_line(folder: Path, file: str) -> None:
    content = (folder / file).read_bytes()
    (folder / file).write_bytes(content[:-1])
    with pytest.raises(DataError, match=rf"^{file} is not the file its card describes: sha256 .+$"):
        load_sentence_encoder()
    (folder / file).unlink()
    with pytest.raises(DataError, match=rf"^{file} is missing from .+; restore it from the repository$") as error:
        load_sentence_encoder()
    assert error.value._render_traceback_() == [f"DataError: {error.value}"]
    # Once it is there again, nothing else has to be done.
    (folder / file).write_bytes(content)
    assert load_sentence_encoder().encode(["A cat."]).shape == (1, 384)


@pytest.fixture(scope="module")
def network() -> keras.Model:
    return load_efficientnet()


@pytest.fixture(scope="module")
def photographs() -> np.ndarray:
    pictures, _ = load_photographs()
    return (pictures.astype(np.float32) - 127) / 128


@pytest.mark.parametrize("name", PHOTOGRAPHS)
def test_a_photograph_gets_its_class(network: keras.Model, photographs: np.ndarray, name: str) -> None:
    place = list(PHOTOGRAPHS).index(name)
    probabilities = network.predict_on_batch(photographs[place : place + 1])[0]
    assert probabilities.argmax() == PHOTOGRAPHS[name][0]
    assert probabilities[PHOTOGRAPHS[name][0]] > 0.2
    assert probabilities.sum() == pytest.approx(1, abs=1e-5)


def test_a_picture_is_the_same_in_any_company(network: keras.Model, photographs: np.ndarray) -> None:
    together = network.predict_on_batch(photographs)
    alone = np.vstack([network.predict_on_batch(photographs[i : i + 1]) for i in range(len(photographs))])
    np.testing.assert_allclose(together, alone, atol=1e-4)


def test_the_network_has_the_size_of_its_card(network: keras.Model) -> None:
    assert sum(weight.numpy().size for weight in network.trainable_weights) == pytest.approx(4.65e6, abs=5e3)
    assert {weight.dtype for weight in network.weights} == {"float32"}
    assert len([layer for layer in network.layers if layer.name.count(".") == 1 and "blocks" in layer.name]) == 16


def test_without_its_top_it_gives_the_features_that_the_top_is_given(
    network: keras.Model, photographs: np.ndarray
) -> None:
    features = load_efficientnet(top=False).predict_on_batch(photographs)
    assert features.shape == (4, 1280)
    scores = features @ network.get_layer("fc").weights[0].numpy() + network.get_layer("fc").weights[1].numpy()
    assert scores.argmax(axis=1).tolist() == [number for number, _ in PHOTOGRAPHS.values()]


@pytest.mark.parametrize("size", [32, 96, 225])
def test_pictures_of_another_size(size: int) -> None:
    assert load_efficientnet(size, top=False).predict_on_batch(np.zeros((2, size, size, 3))).shape == (2, 1280)


def test_what_is_done_to_one_network_is_not_done_to_the_next(photographs: np.ndarray) -> None:
    first = load_efficientnet(32, top=False)
    first.set_weights([np.zeros(weight.shape) for weight in first.weights])
    assert load_efficientnet(32, top=False).weights[0].numpy().std() > 0


@pytest.mark.parametrize("size", [0, 31, -224, 224.0, True, "224", None, (224, 224)])
def test_a_wrong_size_is_named(size) -> None:
    with pytest.raises(ValueError, match=r"^size must be a whole number of at least 32 pixels, not "):
        load_efficientnet(size)


def test_a_network_file_that_is_wrong_or_missing_is_one_line(folder: Path) -> None:
    file = folder / "weights/efficientnet_lite0.npz"
    file.write_bytes(file.read_bytes()[:-1])
    with pytest.raises(DataError, match=r"^weights/efficientnet_lite0.npz is not the file its card describes"):
        load_efficientnet(32)
    file.unlink()
    with pytest.raises(DataError, match=r"^weights/efficientnet_lite0.npz is missing from "):
        load_efficientnet(32)
