"""Classifiers on the rows of several workers."""

from __future__ import annotations

import numpy as np
import pytest

from taciturn.solvers.classification import enlarged, network_task, softmax_task
from taciturn.solvers.data import Dataset
from taciturn.solvers.problems import cnn2

RNG = np.random.default_rng(0)
ROWS = Dataset("rows", RNG.random((23, 64)), np.arange(23) % 10)


def test_small_images_are_enlarged_in_place() -> None:
    one = np.zeros((2, 64))
    one[1, 8 * 1 + 6] = 1.0
    blank, big = enlarged(one).reshape(2, 28, 28)
    rows, columns = np.nonzero(big)

    assert not blank.any()
    assert set(rows) == {5, 6, 7}
    assert set(columns) == {20, 21, 22}
    assert enlarged(np.ones((1, 784))).sum() == 784
    assert enlarged(np.ones((1, 9))).sum() == 27**2


@pytest.mark.parametrize("columns", [63, 900])
def test_other_images_are_refused(columns: int) -> None:
    with pytest.raises(ValueError, match=f"{columns} columns"):
        enlarged(np.zeros((1, columns)))


def test_workers_have_equal_parts_in_order() -> None:
    task = softmax_task(ROWS, ROWS, workers=4, regularisation=0.1)

    assert task.rows == 5
    np.testing.assert_array_equal(task.problem.blocks[1].features[:, :64], ROWS.features[5:10])
    with pytest.raises(ValueError, match="rows = 23 for 24 workers"):
        softmax_task(ROWS, ROWS, workers=24, regularisation=0.1)


def test_the_bias_is_the_last_tensor_and_decides_where_features_are_zero() -> None:
    blank = Dataset("blank", np.zeros((2, 64)), np.array([3, 4]))
    task = softmax_task(ROWS, blank, workers=1, regularisation=0.1)
    x = task.start.copy()
    x[task.tensors.slices[task.tensors.names.index("bias")]][3] = 1.0

    assert task.accuracy(x) == 0.5
    assert task.mu == 0.1


def test_scaled_features_give_the_function_of_scaled_parameters() -> None:
    plain, scaled = (softmax_task(ROWS, ROWS, 2, 0.1, scale) for scale in (1.0, 3.0))
    x = RNG.standard_normal(plain.problem.d)

    assert float(scaled.problem.objective(x / 3)) == pytest.approx(float(plain.problem.objective(x)), rel=1e-12)
    assert scaled.mu == pytest.approx(0.9)


def test_a_network_sees_standardised_images_of_one_size() -> None:
    pytest.importorskip("torch")
    small, test = ROWS, Dataset("test", 5 + RNG.random((6, 64)), np.arange(6))
    task = network_task(cnn2, small, test, workers=2)
    features = np.concatenate([block.features.numpy() for block in task.problem.blocks])

    assert features.shape == (22, 784)
    assert abs(features.mean()) < 0.02  # of all 23 rows it is 0
    assert features.std() == pytest.approx(1, abs=0.02)
    assert task.problem.d == 27_480
    assert 0 <= task.accuracy(task.start) <= 1
