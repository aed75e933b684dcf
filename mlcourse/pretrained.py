"""Pretrained models that come with the course, loaded from ``data/weights`` with their checksum verified."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache

import numpy as np

from mlcourse.datasets.files import data_path


class SentenceEncoder:
    """all-MiniLM-L6-v2: a sentence becomes 384 numbers, near when the meaning is near.

    Mean of the last hidden states over the sentence's tokens, scaled to length 1 (Reimers and Gurevych 2019;
    the model card of all-MiniLM-L6-v2). The weights are quantised to int8 and run in ONNX Runtime.
    """

    dimensions = 384

    def __init__(self) -> None:
        import onnxruntime
        from tokenizers import Tokenizer

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        options.log_severity_level = 3
        self._session = onnxruntime.InferenceSession(
            data_path("weights/minilm_l6_v2_int8.onnx"), options, providers=["CPUExecutionProvider"]
        )
        self._tokenizer = Tokenizer.from_file(str(data_path("weights/minilm_tokenizer.json")))
        self._tokenizer.enable_truncation(128)
        self._tokenizer.enable_padding()
        self._inputs = {entry.name for entry in self._session.get_inputs()}

    def encode(self, sentences: Sequence[str], batch: int = 64) -> np.ndarray:
        """Encode sentences: float32 array of shape ``(len(sentences), 384)``, each row of length 1.

        Sentences are cut at 128 tokens.

        Raises
        ------
        TypeError
            If ``sentences`` is one string, or holds something that is not a string.
        """
        if isinstance(sentences, str) or not all(isinstance(sentence, str) for sentence in sentences):
            raise TypeError("encode() takes a list of strings")
        vectors = np.empty((len(sentences), self.dimensions), np.float32)
        # Sentences of like length share a batch, so that little is padded.
        order = np.argsort([len(sentence) for sentence in sentences], kind="stable")
        for start in range(0, len(order), batch):
            rows = order[start : start + batch]
            tokens = self._tokenizer.encode_batch([sentences[row] for row in rows])
            mask = np.array([token.attention_mask for token in tokens], np.int64)
            feed = {
                "input_ids": np.array([token.ids for token in tokens], np.int64),
                "attention_mask": mask,
                "token_type_ids": np.zeros_like(mask),
            }
            hidden = self._session.run(None, {name: feed[name] for name in feed if name in self._inputs})[0]
            mean = (hidden * mask[:, :, None]).sum(axis=1) / mask.sum(axis=1, keepdims=True)
            vectors[rows] = mean / np.linalg.norm(mean, axis=1, keepdims=True)
        return vectors


@cache
def load_sentence_encoder() -> SentenceEncoder:
    """Load the sentence encoder (23 MB) once.

    Raises
    ------
    mlcourse.datasets.DataError
        If a weights file is missing or has a wrong checksum.
    """
    return SentenceEncoder()
