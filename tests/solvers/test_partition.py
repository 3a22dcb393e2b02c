import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from taciturn.solvers.partition import Partition, split_by_label, split_by_volume, split_dirichlet, split_iid

LABELS = np.arange(200) % 7


def all_rows(partition):
    return np.sort(np.concatenate(partition.indices)).tolist()


@pytest.mark.parametrize(
    "partition",
    [
        split_iid(200, 7, seed=3),
        split_iid(200, 200, seed=3),
        split_by_volume(200, [5, 1, 2], seed=3),
        split_by_label(LABELS, 4),
        split_dirichlet(LABELS, 5, concentration=0.3, seed=3),
        split_dirichlet(LABELS, 20, concentration=0.01, seed=3),
    ],
)
def test_every_row_is_held_once_and_weights_are_shares(partition):
    assert all_rows(partition) == list(range(200))
    np.testing.assert_allclose(partition.weights, partition.sizes / 200, rtol=1e-15)
    assert partition.sizes.min() >= 1


@given(rows=st.integers(1, 300), data=st.data())
def test_iid_sizes_differ_by_at_most_one(rows, data):
    workers = data.draw(st.integers(1, rows))
    sizes = split_iid(rows, workers, seed=0).sizes
    assert sizes.max() - sizes.min() <= 1


def test_integer_volumes_are_met_exactly():
    sizes = [3, 50, 1, 46]
    assert split_by_volume(100, sizes, seed=1).sizes.tolist() == sizes


def test_splits_are_reproducible_and_depend_on_the_seed():
    first, again, other = (split_iid(50, 2, seed=seed).indices[0].tolist() for seed in (0, 0, 1))
    assert first == again
    assert first != other
    draws = [split_dirichlet(LABELS, 3, 1.0, seed=seed).indices[0].tolist() for seed in (0, 0, 1)]
    assert draws[0] == draws[1]
    assert draws[0] != draws[2]


def test_split_by_label_gives_few_labels_to_each():
    partition = split_by_label(LABELS, 7)
    assert max(np.unique(LABELS[rows]).size for rows in partition.indices) <= 2


def test_dirichlet_goes_from_one_class_a_worker_to_alike():
    def skew(concentration):
        partition = split_dirichlet(np.repeat(np.arange(5), 2000), 4, concentration, seed=5)
        table = [np.bincount(np.repeat(np.arange(5), 2000)[rows], minlength=5) for rows in partition.indices]
        return (np.max(table, axis=0) / 2000).min()

    assert skew(1e-3) > 0.95  # every class lies with one worker
    assert skew(1e4) < 0.27  # every worker has about a quarter of every class


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (lambda: split_iid(3, 4, seed=0), ValueError, r"workers = 4 is outside the accepted range 1\.\.3"),
        (lambda: split_iid(3, 0, seed=0), ValueError, r"workers = 0"),
        (lambda: split_by_volume(10, [1, -1], seed=0), ValueError, r"volumes = \[1\.0, -1\.0\]; accepted"),
        (lambda: split_by_volume(10, [1, np.nan], seed=0), ValueError, "volumes"),
        (lambda: split_by_volume(10, [], seed=0), ValueError, "volumes"),
        (lambda: split_by_volume(10, [1, 1000], seed=0), ValueError, r"give the workers \[0, 10\] rows"),
        (lambda: split_dirichlet(LABELS, 3, 0.0, seed=0), ValueError, r"concentration = 0\.0"),
        (lambda: split_by_label(LABELS, 1000), ValueError, r"workers = 1000"),
        (lambda: Partition([]), ValueError, "at least one worker"),
        (lambda: Partition([[0], []]), ValueError, "one row each"),
        (lambda: Partition([[0], [0]]), ValueError, "name a row twice"),
        (lambda: Partition([[-1], [0]]), ValueError, "below 0"),
        (lambda: Partition([[0.5], [1.0]]), TypeError, "accepted: integers"),
        (lambda: Partition([[0], [1]], [0.5, 0.6]), ValueError, "accepted: 2 positive numbers of sum 1"),
        (lambda: Partition([[0], [1]], [1.5, -0.5]), ValueError, "positive"),
        (lambda: Partition([[0], [1]], [1.0]), ValueError, "accepted: 2 positive"),
        (lambda: Partition([[0], [1]], [np.nan, 1.0]), ValueError, "positive"),
    ],
)
def test_bad_input_is_refused(make, error, message):
    with pytest.raises(error, match=message):
        make()


@pytest.mark.parametrize(
    "split", [lambda labels: split_by_label(labels, 2), lambda labels: split_dirichlet(labels, 2, 1.0, seed=0)]
)
def test_labels_that_are_no_vector_are_refused(split):
    with pytest.raises(ValueError, match=r"labels has the shape \(4, 1\); accepted: \(rows,\)"):
        split(np.ones((4, 1)))


@pytest.mark.parametrize(
    "split",
    [
        lambda: split_iid(4, 2, None),
        lambda: split_by_volume(4, [1, 1], None),
        lambda: split_dirichlet(LABELS, 2, 1.0, None),
    ],
)
def test_no_seed_is_refused(split):
    with pytest.raises(TypeError, match="seed = None"):
        split()
