"""Real photographs that a network trained on ImageNet can name."""

from __future__ import annotations

import numpy as np

from mlcourse.datasets.files import data_path

# The name of each picture in scikit-image, the number of its ImageNet class, and what that class is called.
PHOTOGRAPHS = {
    "chelsea": (285, "Egyptian cat"),
    "coffee": (967, "espresso"),
    "camera": (872, "tripod"),
    "rocket": (657, "missile"),
}


def load_photographs() -> tuple[np.ndarray, np.ndarray]:
    """Four colour photographs of scikit-image, the square in the middle of each, made 224 pixels wide.

    Their names are the keys of ``PHOTOGRAPHS``, in the same order. The classes are the nearest that ImageNet-1k has: it
    knows no rocket but "missile", and whether chelsea is an Egyptian, a tabby (281) or a tiger cat (282) may be argued.

    Returns
    -------
    pictures : numpy.ndarray
        uint8 of shape ``(4, 224, 224, 3)``: red, green and blue.
    classes : numpy.ndarray
        int64 of shape ``(4,)``: the number of the picture's class among the 1,000 of ImageNet-1k.

    Raises
    ------
    mlcourse.datasets.DataError
        If the file is not the one its card describes.
    """
    with np.load(data_path("photographs.npz")) as stored:
        pictures = np.stack([stored[name] for name in PHOTOGRAPHS])
    return pictures, np.array([number for number, _ in PHOTOGRAPHS.values()])
