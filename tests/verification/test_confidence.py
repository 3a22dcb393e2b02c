import numpy as np
import pytest

from taciturn.verification.confidence import mean_interval


@pytest.mark.parametrize("draw", ["uniform", "skewed", "constant"])
def test_interval_contains_the_mean_more_often_than_promised(draw):
    rng = np.random.default_rng(0)
    samples = {
        "uniform": rng.random((500, 2000)),
        "skewed": (rng.random((500, 2000)) < 0.05) * 10.0,
        "constant": np.full((500, 2000), 0.5),
    }[draw]

    mean, half_width = mean_interval(samples, failure_probability=0.05)

    assert mean.shape == half_width.shape == (2000,)
    assert np.mean(np.abs(mean - 0.5) > half_width) <= 0.05


def test_interval_is_that_of_maurer_and_pontil():
    mean, half_width = mean_interval(np.array([0.0, 0.0, 3.0, 1.0]), failure_probability=4 / np.e**2)  # l = 2

    assert mean == 1.0
    assert half_width == pytest.approx(np.sqrt(2 * 2.0 * 2 / 4) + 7 * 3.0 * 2 / (3 * 3))


def test_interval_shrinks_with_the_root_of_the_sample():
    rng = np.random.default_rng(0)
    _, wide = mean_interval(rng.random(1_000), 0.01)
    _, narrow = mean_interval(rng.random(100_000), 0.01)

    assert 9 < wide / narrow < 15  # the term 1/n still counts at n = 1000


def test_arguments_out_of_range():
    with pytest.raises(ValueError, match=r"len\(samples\) = 1"):
        mean_interval(np.ones(1), 0.1)
    with pytest.raises(ValueError, match="failure_probability = 0"):
        mean_interval(np.ones(3), 0.0)
