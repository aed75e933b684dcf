"""Pretrained models that come with the course, loaded from ``data/weights`` with their checksum verified."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import TYPE_CHECKING

import numpy as np

from mlcourse.datasets.files import data_path

if TYPE_CHECKING:
    import keras


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


# EfficientNet-Lite0's seven stages: blocks, kernel, stride of the first block, expansion, channels out.
_LITE0 = (
    (1, 3, 1, 1, 16),
    (2, 3, 2, 6, 24),
    (2, 5, 2, 6, 40),
    (3, 3, 2, 6, 80),
    (3, 5, 1, 6, 112),
    (4, 5, 2, 6, 192),
    (1, 3, 1, 6, 320),
)


def load_efficientnet(size: int = 224, top: bool = True) -> keras.Model:
    """Build EfficientNet-Lite0, trained on ImageNet-1k: a new Keras model at each call, so that a page may train it on.

    The architecture is that of Tan and Le (2019), EfficientNet, without squeeze-and-excitation and with ReLU6 (the
    Lite variant of the TensorFlow TPU models). A pass through a picture of 224 pixels takes about 0.4 billion
    multiply-adds. Layers carry the names of their weights in the file: ``conv_stem``, ``blocks.<0 to 15>.<...>``,
    ``conv_head``, ``fc``; a block ends with ``blocks.<n>``, and the 1,280 features are the output of ``features``.

    Parameters
    ----------
    size
        Width and height of the pictures in pixels. The weights were trained at 224; others work, the worse the farther.
    top
        Whether the model ends with the classifier, or with the features below it.

    Returns
    -------
    keras.Model
        From float32 of shape ``(n, size, size, 3)``, red, green and blue as ``(pixel - 127) / 128``, to the
        probabilities of the 1,000 ImageNet classes, or to ``(n, 1280)`` features if ``top`` is false.

    Raises
    ------
    mlcourse.datasets.DataError
        If the weights file is missing or has a wrong checksum.
    ValueError
        If ``size`` is not a whole number of at least 32.
    """
    import keras
    from keras import layers

    if isinstance(size, bool) or not isinstance(size, int) or size < 32:
        raise ValueError(f"size must be a whole number of at least 32 pixels, not {size!r}")

    def conv(x, name: str, norm: str, channels: int, kernel: int = 1, stride: int = 1, relu: bool = True):
        """A convolution (depthwise where ``channels`` is 0), its batch normalisation, and ReLU6."""
        options = {"strides": stride, "padding": "same", "use_bias": False, "name": name}
        make = layers.Conv2D(channels, kernel, **options) if channels else layers.DepthwiseConv2D(kernel, **options)
        x = layers.BatchNormalization(epsilon=1e-3, name=norm)(make(x))
        return layers.ReLU(6, name=f"{norm}.relu")(x) if relu else x

    pictures = keras.Input((size, size, 3), name="pictures")
    x = conv(pictures, "conv_stem", "bn0", 32, 3, 2)
    block = 0
    for blocks, kernel, stride, expansion, channels in _LITE0:
        for place in range(blocks):
            name, before = f"blocks.{block}", x
            if expansion > 1:
                x = conv(x, f"{name}.expand_conv", f"{name}.bn0", expansion * x.shape[-1])
            x = conv(x, f"{name}.depthwise_conv", f"{name}.bn1", 0, kernel, 1 if place else stride)
            x = conv(x, f"{name}.project_conv", f"{name}.bn2", channels, relu=False)
            # From the second block of a stage on, a block adds to what it was given.
            x = layers.Add(name=name)([x, before]) if place else layers.Identity(name=name)(x)
            block += 1
    x = conv(x, "conv_head", "bn1", 1280)
    x = layers.GlobalAveragePooling2D(name="features")(x)
    if top:
        x = layers.Dense(1000, activation="softmax", name="fc")(x)
    model = keras.Model(pictures, x, name="efficientnet_lite0")
    with np.load(data_path("weights/efficientnet_lite0.npz")) as stored:
        for layer in model.layers:
            if isinstance(layer, layers.BatchNormalization):
                parts = ("weight", "bias", "running_mean", "running_var")
            else:
                parts = ("weight", "bias")[: len(layer.weights)]
            layer.set_weights([stored[f"{layer.name}.{part}"].astype(np.float32) for part in parts])
    return model
