from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from taciturn.paper_figures import cache as cache_module
from taciturn.paper_figures.cache import Arrays, Cache


@dataclass(frozen=True)
class Input:
    T: int
    rho: float


def _counted() -> tuple[Callable[[], Arrays], list[int]]:
    calls: list[int] = []

    def compute() -> Arrays:
        calls.append(len(calls))
        return {"value": np.array([len(calls) - 1.0])}

    return compute, calls


def test_equal_inputs_compute_once(tmp_path: Path) -> None:
    compute, calls = _counted()
    values = [Cache(tmp_path).get(compute, task=Input(3, 0.5), backend="numpy")["value"][0] for _ in range(3)]

    assert values == [0.0, 0.0, 0.0]
    assert len(calls) == 1


@pytest.mark.parametrize(
    "other", [{"task": Input(4, 0.5)}, {"task": Input(3, 0.5 + 1e-15)}, {"task": Input(3, 0.5), "more": 1}]
)
def test_other_inputs_compute_anew(tmp_path: Path, other: dict[str, object]) -> None:
    compute, calls = _counted()
    Cache(tmp_path).get(compute, task=Input(3, 0.5))
    Cache(tmp_path).get(compute, **other)

    assert len(calls) == 2


def test_changed_code_computes_anew(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    compute, calls = _counted()
    Cache(tmp_path).get(compute, x=1)
    monkeypatch.setattr(cache_module, "code_version", lambda: "another")
    Cache(tmp_path).get(compute, x=1)

    assert len(calls) == 2


@pytest.mark.parametrize("keep", [0, 10, 100])
def test_a_file_that_was_cut_off_is_computed_anew(tmp_path: Path, keep: int) -> None:
    compute, calls = _counted()
    Cache(tmp_path).get(compute, x=1)
    (file,) = tmp_path.iterdir()
    file.write_bytes(file.read_bytes()[:keep])

    assert Cache(tmp_path).get(compute, x=1)["value"][0] == 1.0
    assert len(calls) == 2


def test_nothing_is_left_of_a_computation_that_failed(tmp_path: Path) -> None:
    def fail() -> Arrays:
        raise ArithmeticError

    with pytest.raises(ArithmeticError):
        Cache(tmp_path).get(fail, x=1)

    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("value", [object(), lambda: 1, np.zeros(2000)])
def test_inputs_that_identify_nothing_are_refused(tmp_path: Path, value: object) -> None:
    with pytest.raises(TypeError, match="do not identify a result"):
        Cache(tmp_path).get(dict, x=value)
