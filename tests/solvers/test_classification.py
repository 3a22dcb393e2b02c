"""Classifiers on the rows of several workers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from taciturn.solvers.classification import enlarged, network_task, softmax_task
from taciturn.solvers.data import Dataset
from taciturn.solvers.problems import cnn2, cnn_batch_norm

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


def test_workers_that_disagree_are_measured_one_by_one() -> None:
    """Rows that say their class: a worker that knows some of the classes finds the rows of these."""
    known = Dataset("known", np.eye(10, 64), np.arange(10))
    task = softmax_task(known, known, workers=2, regularisation=0.1)
    points = np.zeros((3, 65, 10))
    points[0, :10] = np.eye(10)
    points[1, :5] = np.eye(5, 10)
    points[2, :10] = -np.eye(10)
    points = points.reshape(3, -1)

    assert task.accuracies(points).tolist() == [1.0, 0.5, 0.0]
    assert [task.accuracy(x) for x in points] == [1.0, 0.5, 0.0]
    assert task.workers_accuracy(points) == 0.5
    assert task.accuracy(points.mean(axis=0)) == 0.5  # the first two cancel each other
    assert task.workers_accuracy(points[:1]) == 1.0
    assert task.accuracies(points[None, :2]).shape == (1, 2)


def test_opposite_workers_can_be_right_where_their_average_is_not_and_the_other_way_round() -> None:
    known = Dataset("known", np.eye(4, 64), np.array([0, 1, 1, 1]))
    task = softmax_task(known, known, workers=2, regularisation=0.1)
    right = np.zeros((65, 2))
    right[:4] = np.eye(2)[known.targets]
    half = right.copy()
    half[1:3] *= [[4.0], [-1.0]]  # surely right of the second row, wrong of the third
    other = half.copy()
    other[[1, 2]] = half[[2, 1]]

    apart = np.stack([half, other]).reshape(2, -1)
    assert task.workers_accuracy(apart) == 0.75 < task.accuracy(apart.mean(axis=0)) == 1.0
    beyond = np.stack([right, -2 * right]).reshape(2, -1)
    assert task.workers_accuracy(beyond) == 0.5 > task.accuracy(beyond.mean(axis=0)) == 0.0


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


@pytest.mark.parametrize("make", [cnn2, cnn_batch_norm])
def test_workers_of_a_network_are_measured_one_by_one(make: Callable[..., Any]) -> None:
    pytest.importorskip("torch")
    task = network_task(make, ROWS, ROWS, workers=2)
    points = np.stack([task.problem.start(seed).numpy() for seed in range(3)])
    each = [task.accuracy(x) for x in points]

    assert len(set(each)) > 1
    assert task.workers_accuracy(points) == pytest.approx(np.mean(each), rel=1e-6)
    assert task.accuracies(task.problem.start(0)).shape == ()
