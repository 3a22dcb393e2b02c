"""What every loader returns, and the optional dependency that some of them need."""

from dataclasses import dataclass, replace
from importlib import import_module
from typing import Any

import numpy as np

__all__ = ["Dataset", "scikit_learn_datasets"]


@dataclass(frozen=True, eq=False)
class Dataset:
    """A table of examples for regression or classification.

    Parameters
    ----------
    name : str
        What to call it in a figure.
    features : scipy.sparse.csr_array or numpy.ndarray, shape (rows, columns)
        One row an example, floating point.
    targets : numpy.ndarray, shape (rows,)
        Labels -1 and +1 (floats) for two classes, class numbers 0, 1, ... (integers) for more, or real targets.

    Examples
    --------
    >>> import numpy as np
    >>> tiny = Dataset("tiny", np.eye(3), np.array([1.0, -1.0, 1.0]))
    >>> tiny, tiny.of_rows(slice(2))
    (Dataset('tiny', 3 x 3), Dataset('tiny', 2 x 3))
    """

    name: str
    features: Any
    targets: np.ndarray[Any, Any]

    def __repr__(self) -> str:
        rows, columns = self.features.shape
        return f"Dataset({self.name!r}, {rows} x {columns})"

    def of_rows(self, rows: Any) -> "Dataset":
        """Return some of the rows: a slice, or their numbers."""
        return replace(self, features=self.features[rows], targets=self.targets[rows])


def scikit_learn_datasets(wanted: str) -> Any:
    """Return the module `sklearn.datasets`, or say what it is wanted for and how to install it."""
    try:
        return import_module("sklearn.datasets")
    except ImportError as error:
        raise ImportError(f"{wanted} needs scikit-learn: pip install 'taciturn[data]'") from error
