"""The sentence encoder: near where the meaning is near, the same whatever is encoded beside it, or one clear line."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from mlcourse.datasets import DataError, files
from mlcourse.pretrained import SentenceEncoder, load_sentence_encoder

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
    """A data folder with the encoder's two files in it, to spoil."""
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
