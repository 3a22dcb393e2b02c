"""Images of digits: MNIST, and the 8x8 digits that come with scikit-learn."""

import os
import zipfile
import zlib
from pathlib import Path
from typing import Any

import numpy as np

from ..array import check_choice
from .dataset import Dataset, scikit_learn_datasets

__all__ = ["load_digits", "load_mnist"]

PARTS = {"train": slice(0, 60_000), "test": slice(60_000, None)}  # of the 70,000 rows that OpenML serves
DIGITS_PARTS = {"train": slice(0, 1440), "test": slice(1440, None), "all": slice(None)}  # of 1797


def load_digits(part: str = "all") -> Dataset:
    """Return the 8x8 digits of scikit-learn: 1797 images, 64 pixels scaled to [0, 1], class numbers 0..9.

    Parameters
    ----------
    part : {"train", "test", "all"}
        The first 1440 images, the other 357, or both; scikit-learn itself does not divide them.

    Raises
    ------
    ValueError
        If the part is unknown.
    ImportError
        If scikit-learn is missing.

    Examples
    --------
    >>> import pytest
    >>> _ = pytest.importorskip("sklearn")
    >>> load_digits(), load_digits(part="test")
    (Dataset('digits', 1797 x 64), Dataset('digits', 357 x 64))
    """
    check_choice(part, "part", tuple(DIGITS_PARTS))
    features, targets = scikit_learn_datasets("load_digits").load_digits(return_X_y=True)
    return Dataset("digits", features / 16.0, targets).of_rows(DIGITS_PARTS[part])


def load_mnist(folder: str | Path | None = None, part: str = "train") -> Dataset:
    """Return MNIST: 60,000 (test: 10,000) images, 784 pixels scaled to [0, 1], class numbers 0..9.

    Parameters
    ----------
    folder : path, optional
        Where `mnist.npz` lies, with the arrays train_images, train_labels, test_images, test_labels. Default the
        environment variable TACITURN_DATA; if that is not set either, the images come through scikit-learn from
        OpenML and stay in its cache.
    part : {"train", "test"}
        Which of the two sets.

    Returns
    -------
    Dataset
        Dense float64 features.

    Raises
    ------
    FileNotFoundError
        If the folder holds no mnist.npz.
    ValueError
        If the file is corrupt or holds other arrays, or the part is unknown.
    ImportError, ConnectionError
        If no folder is given and scikit-learn is missing, or OpenML cannot be reached.
    """
    check_choice(part, "part", tuple(PARTS))
    folder = os.environ.get("TACITURN_DATA") or None if folder is None else folder
    images, labels = _openml(part) if folder is None else _local(Path(folder) / "mnist.npz", part)
    return Dataset("mnist", images.reshape(len(images), -1) / 255.0, labels.astype(np.int64))


def _local(path: Path, part: str) -> tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]:
    if not path.is_file():
        raise FileNotFoundError(f"{path} does not exist; point folder or TACITURN_DATA at the folder of mnist.npz")
    try:
        with path.open("rb") as file, np.load(file) as archive:
            images, labels = archive[f"{part}_images"], archive[f"{part}_labels"]
    except (ValueError, TypeError, KeyError, OSError, EOFError, zipfile.BadZipFile, zlib.error) as error:
        raise ValueError(f"{path} is corrupt or not MNIST: {error}") from error
    if images.dtype != np.uint8 or images.shape[1:] != (28, 28) or labels.shape != images.shape[:1]:
        raise ValueError(
            f"{path} is not MNIST: images {images.shape} of {images.dtype}, labels {labels.shape}; "
            "accepted: (rows, 28, 28) of uint8 and (rows,)"
        )
    return images, labels


def _openml(part: str) -> tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]:
    fetch = scikit_learn_datasets("MNIST without a local mnist.npz").fetch_openml
    try:
        images, labels = fetch("mnist_784", version=1, return_X_y=True, as_frame=False)
    except OSError as error:  # what urllib raises, whatever went wrong on the way
        raise ConnectionError(
            f"MNIST could not be fetched from OpenML: {error}; a local mnist.npz can be named by TACITURN_DATA"
        ) from error
    return images[PARTS[part]], labels[PARTS[part]]
