"""The array libraries that every routine of the room is tested with."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import array_api_strict
import numpy as np
import pytest

from taciturn.solvers.array import to_numpy


@dataclass(frozen=True)
class Library:
    """An array library: called with a NumPy array, it returns one of its own with the same numbers and type."""

    name: str
    convert: Callable[[np.ndarray], Any]

    def __call__(self, values: Any) -> Any:
        return self.convert(np.array(values))

    def assert_in_kind(self, answer: Any, argument: Any, shape: tuple[int, ...]) -> None:
        """Insist that an answer is of the library and type of the argument, and of a shape."""
        assert type(answer) is type(argument)
        assert answer.dtype == argument.dtype
        assert tuple(answer.shape) == shape
        assert np.all(np.isfinite(to_numpy(answer)))


def _read_only(values: np.ndarray) -> np.ndarray:
    values.setflags(write=False)
    return values


def _torch(values: np.ndarray) -> Any:
    return pytest.importorskip("torch").from_numpy(values)


LIBRARIES = {
    "numpy": lambda values: values,
    "numpy-read-only": _read_only,
    "array-api-strict": array_api_strict.asarray,
    "torch": _torch,
}


@pytest.fixture(params=LIBRARIES)
def xp(request: pytest.FixtureRequest) -> Library:
    """Each array library in turn; torch where it is installed."""
    return Library(request.param, LIBRARIES[request.param])
