"""Coordinated prices of several workers (`mn-price`)."""

import itertools

import numpy as np
import pytest
from tuning_cases import FAMILIES, other_costs

from taciturn.solvers.tune import coordinated_tune, tune
from taciturn.theory.communication import AffineCost, Cost


def brute_force(g: np.ndarray, weights: list[float], costs: list[Cost], silence: bool) -> float:
    """The best joint ratio, by trying every combination of T."""
    n, d = g.shape
    b = np.sort(np.abs(g), axis=-1)[:, ::-1]
    energy = np.concatenate((np.zeros((n, 1)), np.cumsum(b**2, axis=-1)), axis=-1) * np.array(weights)[:, None]
    price = np.array([[0.0] + [float(cost(T)) for T in range(1, d + 1)] for cost in costs])
    best = 0.0
    for T in itertools.product(range(0 if silence else 1, d + 1), repeat=n):
        if any(T):
            best = max(best, sum(energy[range(n), T]) / sum(price[range(n), T]))
    return best


@pytest.mark.parametrize("silence", [False, True])
@pytest.mark.parametrize("family", FAMILIES)
def test_coordinated_price_equals_brute_force(family: str, silence: bool) -> None:
    rng = np.random.default_rng([1, list(FAMILIES).index(family)])
    for n, d in ((1, 8), (2, 7), (3, 4)):
        for costs in zip(*[other_costs(rng, "S", d) for _ in range(n)], strict=True):
            weights = rng.uniform(0.1, 1, n).tolist()
            scale = rng.choice([1.0, 1e-3], (n, 1))
            g = scale * np.stack([FAMILIES[family](rng, d) for _ in range(n)])
            answer = coordinated_tune(g, weights, costs, silence=silence)

            assert answer.price == pytest.approx(brute_force(g, weights, list(costs), silence), rel=1e-11)
            assert answer.price == pytest.approx(answer.energy / answer.cost, rel=1e-15)
            spent = sum(float(cost(T)) for cost, T in zip(costs, answer.T, strict=True) if T)
            assert answer.cost == pytest.approx(spent, rel=1e-15)


@pytest.mark.parametrize("family", FAMILIES)
def test_one_worker_is_tuned_as_by_itself(family: str) -> None:
    rng = np.random.default_rng(2)
    for d in (1, 5, 60):
        for cost in other_costs(rng, "S", d):
            g = FAMILIES[family](rng, d)
            alone, answer = tune(g, cost), coordinated_tune(g[None], [1.0], [cost])

            assert answer.T == (alone.T,)
            assert answer.price == pytest.approx(alone.efficiency * np.sum(g**2), rel=1e-12)


def test_announced_price_is_a_threshold_for_affine_costs() -> None:
    rng = np.random.default_rng(3)
    for _ in range(50):
        g, weights = rng.standard_normal((4, 20)), rng.uniform(0.1, 1, 4)
        costs = [AffineCost(*rng.uniform(1, 20, 2)) for _ in range(4)]
        answer = coordinated_tune(g, weights.tolist(), costs)
        worth = np.sum(weights[:, None] * g**2 > answer.price * np.array([[cost.c1] for cost in costs]), axis=-1)

        assert tuple(np.maximum(worth, 1)) == answer.T


def test_prices_settle_in_a_few_rounds() -> None:
    """Newton's method is finite; seven passes were the most seen for eff-threshold."""
    rng = np.random.default_rng(4)
    rounds = []
    for family, d, c0 in itertools.product(FAMILIES.values(), (10, 60), (0.0, 1.0, 30.0, 1000.0)):
        for _ in range(10):
            rounds.append(coordinated_tune(family(rng, d)[None], [1.0], [AffineCost(c0, 1)]).rounds)

    assert max(rounds) <= 8


def test_a_worker_with_nothing_to_say_is_silent_or_sends_the_cheapest() -> None:
    g = np.array([[1.0, 2.0], [0.0, 0.0]])
    costs = [AffineCost(1, 1), AffineCost(1, 1)]

    assert coordinated_tune(g, [0.5, 0.5], costs, silence=True).T == (1, 0)
    # 4/(2 + 2) = 5/(3 + 2): the larger of the two is taken.
    assert coordinated_tune(g, [0.5, 0.5], costs).T == (2, 1)


def test_local_tuning_keeps_its_share_of_the_joint_optimum() -> None:
    """The mediant inequality: at least min r_i / max r_i with r_i = max_T p_i A_i(T) / C_i(T)."""
    rng = np.random.default_rng(5)
    for _ in range(100):
        g, p, c0 = rng.standard_normal((3, 8)) * rng.uniform(0.1, 3, (3, 1)), [0.2, 0.3, 0.5], rng.uniform(0, 9, 3)
        costs = [AffineCost(c, 1) for c in c0]
        local = [tune(row, cost) for row, cost in zip(g, costs, strict=True)]
        energy = [w * t.decrease * np.sum(row**2) for w, t, row in zip(p, local, g, strict=True)]
        own = [e / t.cost for e, t in zip(energy, local, strict=True)]
        joint = coordinated_tune(g, p, costs).price

        assert min(own) <= sum(energy) / sum(t.cost for t in local) <= joint * (1 + 1e-12)
        assert sum(energy) / sum(t.cost for t in local) >= joint * min(own) / max(own) * (1 - 1e-12)


def test_every_library_gets_the_same_answer(xp) -> None:
    g = np.random.default_rng(6).standard_normal((3, 200)).astype(np.float32)
    costs = [AffineCost(c0, 1) for c0 in (1, 10, 100)]

    assert coordinated_tune(xp(g), [1.0, 2.0, 3.0], costs).T == coordinated_tune(g, [1.0, 2.0, 3.0], costs).T


@pytest.mark.parametrize("exponent", [-1000, 1000])
def test_huge_and_tiny_gradients_are_tuned_as_others(exponent: int) -> None:
    g = np.random.default_rng(7).standard_normal((2, 20))
    costs = [AffineCost(3, 1), AffineCost(9, 1)]

    assert coordinated_tune(np.ldexp(g, exponent), [1.0, 1.0], costs).T == coordinated_tune(g, [1.0, 1.0], costs).T


GOOD = AffineCost(1, 1)


@pytest.mark.parametrize(
    ("gradients", "weights", "costs", "error", "words"),
    [
        (np.ones(3), [1.0], [GOOD], ValueError, r"gradients has the shape \(3,\)"),
        (np.ones((2, 3), dtype=int), [1.0, 1.0], [GOOD, GOOD], TypeError, "gradients has the type int64"),
        (np.array([[np.nan]]), [1.0], [GOOD], ValueError, "gradients has entries that are NaN"),
        (np.zeros((2, 3)), [1.0, 1.0], [GOOD, GOOD], ValueError, "gradients are all zero"),
        (np.ones((2, 3)), [1.0], [GOOD, GOOD], ValueError, "as many weights and costs; got 1 and 2"),
        (np.ones((2, 3)), [1.0, 0.0], [GOOD, GOOD], ValueError, "weights = 0.0 is outside"),
        (np.ones((2, 3)), [1.0, 1.0], [GOOD, 3.0], TypeError, "a member of costs is a float"),
        (np.ones((2, 3)), [1.0, 1.0], [GOOD, AffineCost(1, 1, "seconds")], ValueError, "different units"),
        ([[1.0]], [1.0], [GOOD], TypeError, "list"),
    ],
)
def test_bad_input_is_refused_in_words(gradients, weights, costs, error: type[Exception], words: str) -> None:
    with pytest.raises(error, match=words):
        coordinated_tune(gradients, weights, costs)
