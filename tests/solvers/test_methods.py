import math
from itertools import product

import array_api_strict
import numpy as np
import pytest

from taciturn.solvers.array import Stream
from taciturn.solvers.compressors import QSGD, Bernoulli, Identity, RandK, ScaledSign, TopK
from taciturn.solvers.methods import (
    CAT,
    EF21,
    CompressedGradient,
    CoordinatedCAT,
    Dense,
    DynamicT,
    Ending,
    ErrorFeedback,
    Exact,
    Fixed,
    LogCAT,
    Noisy,
    run,
)
from taciturn.solvers.partition import split_by_label
from taciturn.solvers.problems import (
    heterogeneous_quadratic,
    logistic_regression,
    quadratic,
    quadratic_with_spectrum,
    ridge_regression,
)
from taciturn.theory.communication import AffineCost, TableCost, technology
from taciturn.theory.compression import Contractive, Unbiased

RNG = np.random.default_rng(0)
FEATURES = RNG.standard_normal((60, 12)) * np.geomspace(2, 0.1, 12)
SIGNS = np.where(FEATURES @ RNG.standard_normal(12) + RNG.standard_normal(60) > 0, 1.0, -1.0)

QUADRATIC = quadratic_with_spectrum(np.geomspace(1.0, 0.02, 12), seed=1, minimiser=RNG.standard_normal(12))
DIAGONAL = quadratic_with_spectrum(np.geomspace(1.0, 0.1, 12))
LOGISTIC = logistic_regression(FEATURES, SIGNS, 0.05)
SEVERAL = heterogeneous_quadratic(4, 12, L=1.0, mu=0.1, spread=1.0, seed=2, weights=[0.1, 0.2, 0.3, 0.4])
LOGISTIC_SEVERAL = LOGISTIC.split(split_by_label(SIGNS, 3))
START = RNG.standard_normal(12)

AFFINE = AffineCost(c0=40, c1=36)
UDP = technology("ethernet-udp").cost("S", 12, 32)
SMALL = technology("lorawan-us915-dr0").cost("S", 12, 32)


def exact_factor(alpha, m):
    """r(alpha, m) of topT-sc-exact."""
    return (alpha * (1 - m) + np.sqrt(alpha**2 * (1 - m) ** 2 + 4 * (1 - alpha))) / 2


# ---- one worker: the certificates hold at every step ----

PROJECTIONS = {
    "dense": Dense(),
    "topT": Fixed(TopK(3)),
    "sign": Fixed(ScaledSign(5)),
    "cat-s": CAT("S", AFFINE),
    "cat-s-udp": CAT("S", UDP),
    "cat-s-packets": CAT("S", SMALL),
    "cat-sq": CAT("S+Q", AFFINE),
    "cat-s-no-overhead": CAT("S", AffineCost(c0=0, c1=1)),
    "cat-s-minimum": CAT("S", AFFINE, minimum_sparsity=4),
    "log-cat": LogCAT(AFFINE, 0.02),
    "log-cat-sc": LogCAT(AFFINE, 0.02, factor="sc"),
    "dynamic-optimal": DynamicT(AFFINE, scale="optimal"),
}


@pytest.mark.parametrize("problem", [QUADRATIC, DIAGONAL, LOGISTIC], ids=["rotated", "diagonal", "logistic"])
@pytest.mark.parametrize("sender", PROJECTIONS.values(), ids=PROJECTIONS.keys())
def test_certified_decrease_and_both_rates_hold_at_every_step(problem, sender):
    result = run(CompressedGradient(sender), problem, 60, x0=START)
    alpha, m = result.coefficient[:, 0], problem.mu / problem.L
    gap, square = result.gap, result.squared_gradient_norm
    slack = 1e-14 * (1 + abs(problem.minimum))
    assert np.all((alpha > 0) & (alpha <= 1 + 1e-15))
    assert np.all(result.value[1:] <= result.value[:-1] - alpha * square[:-1] / (2 * problem.L) + slack)
    assert np.all(gap[1:] <= np.cumprod(1 - alpha * m) * gap[0] + slack)
    assert np.all(gap[1:] <= exact_factor(alpha, m) ** 2 * gap[:-1] + slack)
    assert gap[-1] < 0.6 * gap[0]


def test_descent_is_an_equality_where_the_dossier_says_so():
    """F = L/2 ||x||^2: the decrease is the certified one, for every T."""
    problem = quadratic_with_spectrum(np.full(12, 3.0))
    result = run(CompressedGradient(CAT("S", AFFINE)), problem, 5, x0=START)
    decrease = result.coefficient[:, 0] * result.squared_gradient_norm[:-1] / (2 * problem.L)
    np.testing.assert_allclose(-np.diff(result.value), decrease, rtol=1e-9)


def test_published_dynamic_rule_has_its_own_decrease():
    """Not a projection: the certified decrease is at least 1/T, with T <= ceil(sqrt d)."""
    result = run(CompressedGradient(DynamicT(AFFINE)), QUADRATIC, 100, x0=START)
    alpha, T = result.coefficient[:, 0], result.sparsity[:, 0]
    assert np.all(T <= 4)
    assert np.all(alpha >= 1 / T - 1e-12)
    decrease = alpha * result.squared_gradient_norm[:-1] / (2 * QUADRATIC.L)
    assert np.all(result.value[1:] <= result.value[:-1] - decrease + 1e-14)


@pytest.mark.parametrize("sender", [CAT("S", UDP), CAT("S", SMALL), CAT("S", AFFINE)])
def test_cat_is_the_most_efficient_choice_at_its_own_point(sender):
    """cat-greedy: no T has more certified decrease per unit of cost."""
    result = run(CompressedGradient(sender), QUADRATIC, 1, x0=START)
    squares = np.sort(QUADRATIC.gradient(START) ** 2)[::-1]
    efficiency = np.cumsum(squares) / squares.sum() / sender.cost(np.arange(1, 13))
    np.testing.assert_allclose(result.coefficient[0, 0] / result.cost[0, 0], efficiency.max(), rtol=1e-12)
    assert result.cost[0, 0] == sender.cost(result.sparsity[0, 0])


@pytest.mark.parametrize(
    ("factor", "guaranteed"),
    [("pl", lambda alpha, m: 1 - alpha * m), ("sc", lambda alpha, m: exact_factor(alpha, m) ** 2)],
    ids=["pl", "sc"],
)
def test_log_cat_maximises_the_logarithm_of_its_factor_per_cost(factor, guaranteed):
    rng, chosen = np.random.default_rng(6), []
    for m in np.linspace(0.05, 0.95, 40):
        v, cost = rng.standard_normal((1, 30)) * 0.8 ** np.arange(30), AffineCost(c0=20, c1=1)
        alpha = np.cumsum(np.sort(v[0] ** 2)[::-1]) / np.sum(v**2)
        efficiency = -np.log(guaranteed(alpha, m)) / cost(np.arange(1, 31))
        chosen.append(LogCAT(cost, m, factor=factor).send(v, np.ones(1), Stream(0)).sparsity[0])
        assert efficiency[chosen[-1] - 1] == pytest.approx(efficiency.max(), rel=1e-9)
    assert len(set(chosen)) > 5


def test_cat_with_signs_is_at_least_as_efficient_as_dynamic_t_at_the_same_point():
    cost = AffineCost(c0=100, c1=5)
    rng = np.random.default_rng(3)
    for _ in range(50):
        vectors = rng.standard_normal((1, 40)) * rng.random(40) ** rng.uniform(0, 6)
        cat, dynamic = (s.send(vectors, np.ones(1), Stream(0)) for s in (CAT("S+Q", cost), DynamicT(cost, "optimal")))
        assert cat.coefficient[0] / cat.cost[0] >= dynamic.coefficient[0] / dynamic.cost[0] * (1 - 1e-12)
        assert dynamic.sparsity[0] <= math.ceil(math.sqrt(40))


def test_dynamic_rule_on_flat_and_one_sparse_vectors():
    flat, single = np.full((1, 25), 0.1), np.eye(25)[None, 3] * -0.7
    assert DynamicT(AFFINE).send(flat, np.ones(1), Stream(0)).sparsity == 5
    sent = DynamicT(AFFINE).send(single, np.ones(1), Stream(0))
    assert sent.sparsity == 1
    np.testing.assert_allclose(sent.vectors, single, rtol=1e-15)


def test_cat_is_not_trajectory_optimal():
    """cat-not-trajectory-optimal: CAT pays 80 where a fixed T pays 17, although descent is an equality."""
    problem = quadratic_with_spectrum(np.ones(8))
    start, cost = np.sqrt(0.09 ** np.arange(8)), AffineCost(c0=9, c1=1)
    cat, fixed, log_cat = (
        run(CompressedGradient(sender), problem, 100, x0=start)
        for sender in (CAT("S", cost), Fixed(TopK(8), cost), LogCAT(cost, 1.0))
    )
    assert (cat.cumulative_cost[-1], fixed.cumulative_cost[-1], log_cat.cumulative_cost[-1]) == (80, 17, 17)
    assert {cat.ending, fixed.ending, log_cat.ending} == {Ending.ZERO_GRADIENT}
    assert np.all(cat.sparsity == 1)


@pytest.mark.parametrize("problem", [QUADRATIC, LOGISTIC], ids=["quadratic", "logistic"])
@pytest.mark.parametrize("sender", [CAT("S", AFFINE), CAT("S", UDP), CAT("S+Q", AFFINE)])
def test_bits_of_cat_stay_within_their_bound(problem, sender):
    """cat-bits: kappa ln(gap_0 / eps) / E_min + the last message."""
    target = problem.minimum + 1e-6 * (problem.objective(START) - problem.minimum)
    result = run(CompressedGradient(sender), problem, 10_000, x0=START, until=lambda state: state.value <= target)
    assert result.ending is Ending.UNTIL
    cost = result.cost[:, 0]
    bound = problem.condition_number * math.log(1e6) / np.min(result.coefficient[:, 0] / cost) + cost.max()
    assert result.cumulative_cost[-1] <= bound


# ---- stochastic sparsification ----


@pytest.mark.parametrize("cost", [AFFINE, AffineCost(c0=500, c1=36), TableCost(40 + 36 * np.arange(1, 13))])
def test_stochastic_messages_are_unbiased_with_the_declared_second_moment(cost):
    g = START[None]
    sent = CAT("SS", cost).send(np.repeat(g, 500, axis=0), np.ones(500) / 500, Stream(0))
    omega, T = sent.coefficient[0], sent.sparsity[0]
    np.testing.assert_allclose(sent.vectors.mean(axis=0), g[0], atol=4 * np.abs(g).max() * math.sqrt(12 / T / 500))
    np.testing.assert_allclose(np.mean(np.sum(sent.vectors**2, axis=-1)) / np.sum(g**2), 1 / omega, rtol=0.15)
    entries = np.count_nonzero(sent.vectors, axis=-1)
    assert isinstance(cost, AffineCost) or np.all(entries == T)
    np.testing.assert_allclose(sent.cost, cost(entries))
    np.testing.assert_allclose(entries.mean(), T, rtol=0.06)


def test_stochastic_step_has_the_expected_decrease_with_equality_on_the_simplest_quadratic():
    """ss-descent with step omega/L on L/2 ||x||^2: E F(x+) = (1 - omega) F(x)."""
    problem = quadratic_with_spectrum(np.full(12, 2.0))
    starts = np.repeat(START[None], 1000, axis=0)
    for sender in (CAT("SS", AFFINE), Fixed(Bernoulli(3)), Fixed(QSGD(2))):
        result = run(CompressedGradient(sender), problem, 1, x0=starts)
        omega = result.coefficient[0, 0, 0]
        assert 0 < omega < 1
        error = 4 * result.value[1].std() / math.sqrt(1000)
        assert abs(result.value[1].mean() - (1 - omega) * result.value[0, 0]) <= error


def test_stochastic_descent_of_one_node_converges_at_its_rate():
    """ss-pl-rate (a): the mean over replicas stays below (1 - T/(d kappa))^k."""
    starts = np.repeat(START[None], 200, axis=0)
    result = run(CompressedGradient(Fixed(Bernoulli(4))), QUADRATIC, 300, x0=starts)
    bound = (1 - 4 / 12 / QUADRATIC.condition_number) ** np.arange(301) * result.gap[0, 0]
    deviation = 4 * result.gap.std(axis=1) / math.sqrt(200)
    assert np.all(result.gap.mean(axis=1) <= bound + deviation)


def test_stochastic_workers_reach_the_neighbourhood_of_the_theorem():
    """mn-ss with its default step: E||x_k - x*||^2 <= (1 - gamma mu)^k ||x_0 - x*||^2 + 2 gamma N / mu."""
    replicas, variance = 300, 12 / 3 - 1
    noise = np.max(SEVERAL.weights * SEVERAL.L_i) * variance
    step_size = 1 / (SEVERAL.L + 2 * noise)
    residual = variance * SEVERAL.weights**2 @ np.sum(SEVERAL.worker_gradients(SEVERAL.minimiser) ** 2, axis=-1)
    starts = np.repeat(START[None], replicas, axis=0)
    result = run(CompressedGradient(Fixed(Bernoulli(3))), SEVERAL, 150, x0=starts)
    explicit = run(CompressedGradient(Fixed(Bernoulli(3)), step_size), SEVERAL, 150, x0=starts)
    np.testing.assert_array_equal(result.value, explicit.value)
    decay = (1 - step_size * SEVERAL.mu) ** np.arange(151)
    bound = decay * result.squared_distance[0, 0] + (1 - decay) * 2 * step_size * residual / SEVERAL.mu
    mean, deviation = result.squared_distance.mean(axis=1), result.squared_distance.std(axis=1)
    assert np.all(mean <= bound * (1 + 1e-12) + 4 * deviation / math.sqrt(replicas))
    assert mean[-1] > 1e-3 * bound[-1]


def test_workers_draw_independent_coins():
    gradient = np.repeat(START[None], 3, axis=0)
    sent = CAT("SS", AFFINE).send(gradient, np.ones(3) / 3, Stream(0))
    patterns = {tuple(np.flatnonzero(row)) for row in sent.vectors}
    assert len(patterns) > 1


# ---- several workers ----


@pytest.mark.parametrize("problem", [SEVERAL, LOGISTIC_SEVERAL], ids=["quadratic", "logistic"])
@pytest.mark.parametrize("sender", [CAT("S", AFFINE), CAT("S+Q", AFFINE), CoordinatedCAT(AFFINE), Fixed(TopK(2))])
def test_descent_with_heterogeneity_holds_at_every_step(problem, sender):
    """mn-descent: F(x+) <= F(x) - (||g||^2 - sum p_i (1 - alpha_i) ||g_i||^2) / (2 L)."""
    squares = {"squares": lambda state: np.sum(state.gradients**2, axis=-1)}
    result = run(CompressedGradient(sender), problem, 60, x0=START, record=squares)
    rest = np.sum(problem.weights * (1 - result.coefficient) * result.recorded["squares"][:-1], axis=-1)
    decrease = (result.squared_gradient_norm[:-1] - rest) / (2 * problem.L)
    assert np.all(result.value[1:] <= result.value[:-1] - decrease + 1e-14)


def divergence_example():
    """mn-divergence, example of Beznosikov et al."""
    v = np.array([[-3.0, 2, 2], [2, -3, 2], [2, 2, -3]])
    return quadratic(2 * v[:, :, None] * v[:, None, :] + np.eye(3) / 2, np.zeros((3, 3)))


@pytest.mark.parametrize("step_size", [None, 1e-3, 0.7])
def test_local_cat_diverges_exactly_as_the_dossier_says(step_size):
    """x_k = (1 + 11/6 gamma)^k x_0 for every step size if 81 c0 < 40 c1."""
    problem, t = divergence_example(), 0.3
    gamma = 1 / problem.L if step_size is None else step_size
    path = {"x": lambda state: state.x}
    method = CompressedGradient(CAT("S", AffineCost(c0=39, c1=80)), step_size)
    result = run(method, problem, 40, x0=t * np.ones(3), record=path)
    expected = t * (1 + 11 / 6 * gamma) ** np.arange(41)[:, None] * np.ones(3)
    np.testing.assert_allclose(result.recorded["x"], expected, rtol=1e-12)
    assert np.all(result.sparsity == 1)


def test_divergence_needs_cheap_overhead():
    """With 81 c0 > 40 c1 the workers send more than one entry, and the first step descends."""
    result = run(CompressedGradient(CAT("S", AffineCost(c0=41, c1=80))), divergence_example(), 1, x0=np.ones(3))
    assert np.all(result.sparsity > 1)
    assert result.value[1] < result.value[0]


def test_divergence_ends_the_run_with_a_flag():
    method = CompressedGradient(CAT("S", AffineCost(c0=0, c1=1)), step_size=1e3)
    result = run(method, divergence_example(), 1000, x0=np.ones(3))
    assert result.ending is Ending.DIVERGED
    assert result.iterations < 1000
    assert np.all(np.isfinite(result.value[:-1]))
    assert not np.isfinite(result.squared_gradient_norm[-1])


@pytest.mark.parametrize("problem", [SEVERAL, LOGISTIC_SEVERAL], ids=["quadratic", "logistic"])
def test_ef21_with_cat_converges_where_local_cat_stalls(problem):
    cost = AffineCost(c0=16, c1=16)
    naive = run(CompressedGradient(CAT("S", cost)), problem, 150)
    ef21 = run(EF21(CAT("S", cost, minimum_sparsity=6)), problem, 400)
    assert naive.gap[100:].min() > 0.1 * naive.gap[50:100].min()
    assert naive.gap.min() > 1e-4 * naive.gap[0]
    assert ef21.gap[-1] < 0.01 * naive.gap.min()


@pytest.mark.parametrize(
    "problem",
    [SEVERAL, LOGISTIC_SEVERAL, QUADRATIC, quadratic(np.ones((3, 12)), RNG.standard_normal((3, 12)))],
    ids=["quadratic", "logistic", "one node", "round"],
)
@pytest.mark.parametrize("sender", [Fixed(TopK(2)), CAT("S", AFFINE, minimum_sparsity=2), CoordinatedCAT(AFFINE)])
def test_ef21_potential_contracts_at_every_step(problem, sender):
    """ef21-cat-pl with the default step: Phi = gap + gamma/theta sum p_i ||G_i - grad f_i||^2, factor 1 - gamma mu."""
    delta = sender.guarantee(12).delta
    theta = 1 - math.sqrt(1 - delta)
    L2 = math.sqrt(problem.weights @ problem.L_i**2)
    gamma = min(1 / (problem.L + math.sqrt(2) * L2 * (1 - theta) / theta), theta / (2 * problem.mu))

    def potential(state):
        lag = problem.weights @ np.sum((state.memory - state.gradients) ** 2, axis=-1)
        return state.value - problem.minimum + gamma / theta * lag

    result = run(EF21(sender), problem, 100, x0=START, record={"potential": potential})
    phi = result.recorded["potential"]
    assert np.all(phi[1:] <= (1 - gamma * problem.mu) * phi[:-1] + 1e-14)
    np.testing.assert_array_equal(result.value[:20], run(EF21(sender, gamma), problem, 19, x0=START).value)


def test_ef21_without_strong_convexity_has_the_larger_step_size():
    """ef21-cat: Phi = F - F* + gamma/(2 theta) sum p_i ||G_i - grad f_i||^2 falls by gamma/2 ||grad F||^2."""
    problem = quadratic(SEVERAL.hessians[:, 0] ** 2 * [[1.0] * 11 + [0.0]], np.zeros((4, 12)))
    theta = 1 - math.sqrt(1 - 2 / 12)
    gamma = 1 / (problem.L + math.sqrt(problem.weights @ problem.L_i**2) * (1 - theta) / theta)

    def potential(state):
        lag = problem.weights @ np.sum((state.memory - state.gradients) ** 2, axis=-1)
        return state.value + gamma / (2 * theta) * lag

    result = run(EF21(Fixed(TopK(2))), problem, 60, x0=START, record={"potential": potential})
    phi = result.recorded["potential"]
    assert np.all(phi[1:] <= phi[:-1] - gamma / 2 * result.squared_gradient_norm[:-1] + 1e-14)
    np.testing.assert_array_equal(result.value, run(EF21(Fixed(TopK(2)), gamma), problem, 60, x0=START).value)


@pytest.mark.parametrize("problem", [QUADRATIC, LOGISTIC], ids=["quadratic", "logistic"])
@pytest.mark.parametrize("sender", [Fixed(TopK(2)), CAT("S", AFFINE, minimum_sparsity=2)])
def test_error_feedback_potential_falls_at_every_step(problem, sender):
    """ef14-cat: F(x - e) + gamma L^2/(2 theta) ||e||^2 falls by gamma/4 ||g||^2, e in units of x there."""
    theta = 1 - math.sqrt(1 - 2 / 12)
    gamma = theta / (2 * problem.L)

    def potential(state):
        error = gamma * state.memory[0]
        return problem.objective(state.x - error) + gamma * problem.L**2 / (2 * theta) * error @ error

    result = run(ErrorFeedback(sender), problem, 100, x0=START, record={"potential": potential})
    phi = result.recorded["potential"]
    assert np.all(phi[1:] <= phi[:-1] - gamma / 4 * result.squared_gradient_norm[:-1] + 1e-14)


def test_error_feedback_moves_the_virtual_iterate_by_the_full_gradient():
    """ef-virtual-iterate, several workers, memory in gradient units."""
    gamma, rng = 0.05, Stream(0)
    method = ErrorFeedback(Fixed(TopK(1)), step_size=gamma)
    state = method.init(SEVERAL, START)
    for _ in range(20):
        virtual = state.x - gamma * SEVERAL.weights @ state.memory
        following = method.step(SEVERAL, state, rng)
        moved = following.x - gamma * SEVERAL.weights @ following.memory
        np.testing.assert_allclose(moved, virtual - gamma * state.gradient, rtol=1e-12, atol=1e-14)
        state = following


def test_exact_gradients_are_an_oracle_like_others():
    for make in (ErrorFeedback, EF21):
        default, exact, noisy = (
            run(make(Fixed(TopK(2)), 0.05, oracle), SEVERAL, 20, x0=START)
            for oracle in (Exact(), Noisy(0.0), Noisy(0.1))
        )
        np.testing.assert_allclose(exact.value, default.value, rtol=1e-12)
        assert not np.allclose(noisy.value[2:], default.value[2:], rtol=1e-6)


def test_noise_of_error_feedback_averages_out_and_that_of_ef21_is_tracked():
    """Replicas of one run differ by the noise only; the oracle has fresh coins for every replica and worker."""
    starts = np.repeat(START[None], 50, axis=0)
    for make in (ErrorFeedback, EF21):
        values = run(make(Fixed(TopK(2)), 0.05, Noisy(0.3)), SEVERAL, 30, x0=starts).value[-1]
        assert values.std() > 0
        assert len(np.unique(values)) == 50


def test_coordinated_prices_are_jointly_optimal():
    """mn-price against brute force over all pairs (T_1, T_2)."""
    rng, cost = np.random.default_rng(4), AffineCost(c0=3, c1=2)
    for _ in range(30):
        gradients = rng.standard_normal((2, 6)) * rng.random((2, 6)) ** 3 * [[1.0], [rng.uniform(0.01, 3)]]
        p = np.array([0.3, 0.7])
        sent = CoordinatedCAT(cost).send(gradients, p, Stream(0))
        progress = p @ np.sum(sent.vectors**2, axis=-1) / sent.cost.sum()
        energies = [np.cumsum(np.sort(row**2)[::-1]) for row in gradients]
        best = max(
            (p[0] * energies[0][i] + p[1] * energies[1][j]) / (cost(i + 1) + cost(j + 1))
            for i, j in product(range(6), repeat=2)
        )
        np.testing.assert_allclose(progress, best, rtol=1e-12)


# ---- the loop ----

EVERY_METHOD = {
    "gd": CompressedGradient(Dense()),
    "top-k": CompressedGradient(Fixed(TopK(3))),
    "rand-k": CompressedGradient(Fixed(RandK(3))),
    "qsgd": CompressedGradient(Fixed(QSGD(2))),
    "cat-s": CompressedGradient(CAT("S", AFFINE)),
    "cat-sq": CompressedGradient(CAT("S+Q", AFFINE)),
    "cat-ss": CompressedGradient(CAT("SS", AFFINE)),
    "dynamic": CompressedGradient(DynamicT(AFFINE)),
    "log-cat": CompressedGradient(LogCAT(AFFINE, 0.1)),
    "coordinated": CompressedGradient(CoordinatedCAT(AFFINE)),
    "error-feedback": ErrorFeedback(Fixed(TopK(3)), step_size=0.2),
    "ef21": EF21(CAT("S", AFFINE, minimum_sparsity=3)),
    "ef21, exact start": EF21(Fixed(TopK(3)), first_sender=Dense()),
}
EVERY = pytest.mark.parametrize("method", EVERY_METHOD.values(), ids=EVERY_METHOD.keys())


@EVERY
@pytest.mark.parametrize("problem", [QUADRATIC, SEVERAL], ids=["one", "several"])
def test_runs_are_reproducible(method, problem):
    first, again = (run(method, problem, 15, x0=START, seed=7) for _ in range(2))
    np.testing.assert_array_equal(first.value, again.value)
    np.testing.assert_array_equal(first.cost, again.cost)


@pytest.mark.parametrize("name", ["rand-k", "qsgd", "cat-ss"])
def test_random_methods_depend_on_the_seed(name):
    first, other = (run(EVERY_METHOD[name], QUADRATIC, 15, x0=START, seed=seed) for seed in (0, 1))
    assert not np.array_equal(first.value, other.value)


@pytest.mark.parametrize("name", [n for n in EVERY_METHOD if n not in {"rand-k", "qsgd", "cat-ss", "coordinated"}])
@pytest.mark.parametrize("problem", [QUADRATIC, SEVERAL], ids=["one", "several"])
def test_replicas_agree_with_single_runs(name, problem):
    starts = np.random.default_rng(5).standard_normal((2, 2, 12))
    together = run(EVERY_METHOD[name], problem, 8, x0=starts)
    assert together.value.shape == together.squared_distance.shape == together.cumulative_cost.shape == (9, 2, 2)
    assert together.cost.shape == together.sparsity.shape == together.coefficient.shape == (8, 2, 2, problem.workers)
    for index in np.ndindex(2, 2):
        alone = run(EVERY_METHOD[name], problem, 8, x0=starts[index])
        np.testing.assert_allclose(together.value[:, *index], alone.value, rtol=1e-10)
        np.testing.assert_array_equal(together.sparsity[:, *index], alone.sparsity)
        np.testing.assert_allclose(together.coefficient[:, *index], alone.coefficient, rtol=1e-9, atol=1e-12)


@EVERY
@pytest.mark.parametrize("problem", [QUADRATIC, LOGISTIC_SEVERAL], ids=["one", "several"])
def test_torch_agrees_with_numpy(method, problem):
    """In double precision to 1e-9 relative over 10 iterations: sums are ordered differently, T is the same."""
    torch = pytest.importorskip("torch")
    x0 = torch.asarray(START)
    expected, found = run(method, problem, 10, x0=START), run(method, problem.on(x0), 10, x0=x0)
    assert type(found.state.x) is torch.Tensor
    np.testing.assert_allclose(found.value, expected.value, rtol=1e-9)
    np.testing.assert_allclose(found.sparsity, expected.sparsity, rtol=1e-9)
    np.testing.assert_allclose(found.cost, expected.cost, rtol=1e-9)


@EVERY
def test_array_api_strict_agrees_with_numpy(method):
    x0 = array_api_strict.asarray(START)
    expected, found = run(method, SEVERAL, 8, x0=START), run(method, SEVERAL.on(x0), 8, x0=x0)
    np.testing.assert_allclose(found.value, expected.value, rtol=1e-10)


@EVERY
def test_float32_runs_in_float32(method):
    x0 = START.astype(np.float32)
    result = run(method, SEVERAL.on(x0), 8, x0=x0)
    assert result.state.x.dtype == result.state.gradients.dtype == np.float32


@EVERY
def test_steps_are_pure(method):
    x0 = START.copy()
    x0.flags.writeable = False
    state = method.init(SEVERAL, x0)
    state = method.step(SEVERAL, state, Stream(0))
    before = {name: np.copy(getattr(state, name)) for name in ("x", "gradients", "memory")}
    first, second = (method.step(SEVERAL, state, Stream(1)) for _ in range(2))
    np.testing.assert_array_equal(first.x, second.x)
    for name, array in before.items():
        np.testing.assert_array_equal(getattr(state, name), array)


@EVERY
def test_zero_gradient_is_a_normal_end(method):
    problem = quadratic_with_spectrum(np.ones(12), minimiser=START)
    result = run(method, problem, 50, x0=START)
    assert result.ending is Ending.ZERO_GRADIENT
    assert result.iterations == 0
    assert result.cost.shape == (0, 1)
    assert result.cumulative_cost.tolist() == [0.0]


def test_workers_with_nothing_to_say_are_silent():
    """One worker is at its minimiser: it costs nothing, whoever sends."""
    problem = quadratic(np.ones((2, 12)), [START, np.zeros(12)])
    for sender in (Dense(), Fixed(TopK(2), AFFINE), CAT("S", AFFINE), CAT("SS", AFFINE), DynamicT(AFFINE)):
        result = run(CompressedGradient(sender, 0.1), problem, 1, x0=START)
        assert result.cost[0, 0] == 0
        assert result.cost[0, 1] > 0


@pytest.mark.parametrize(
    ("sender", "bits"),
    [
        (Dense(), 12 * 64),
        (Dense(AffineCost(c0=10, c1=32)), 10 + 12 * 32),
        (Fixed(Identity()), 12 * 64),
        (Fixed(TopK(3)), 3 * (4 + 64)),
        (Fixed(ScaledSign(3)), 64 + 3 * (4 + 1)),
        (Fixed(TopK(3), AFFINE), 40 + 3 * 36),
    ],
)
def test_messages_cost_what_they_should(sender, bits):
    result = run(CompressedGradient(sender), SEVERAL, 4, x0=START, reference=False)
    np.testing.assert_array_equal(result.cost, np.full((4, 4), bits))
    np.testing.assert_array_equal(result.cumulative_cost, np.arange(5) * 4 * bits)


def test_costs_are_those_of_float32_messages_in_a_float32_run():
    x0 = START.astype(np.float32)
    result = run(CompressedGradient(Fixed(TopK(3))), QUADRATIC.on(x0), 1, x0=x0)
    assert result.cost.tolist() == [[3 * (4 + 32)]]


def test_until_stops_at_the_first_state_that_satisfies_it():
    full = run(EVERY_METHOD["gd"], QUADRATIC, 50, x0=START)
    result = run(EVERY_METHOD["gd"], QUADRATIC, 50, x0=START, until=lambda state: state.value < full.value[7])
    assert result.ending is Ending.UNTIL
    assert result.iterations == 8
    np.testing.assert_array_equal(result.value, full.value[:9])


def test_start_defaults_to_zero_and_progress_is_told():
    told = []
    result = run(EVERY_METHOD["gd"], QUADRATIC, 3, progress=told.append)
    assert told == [1, 2, 3]
    assert result.value[0] == QUADRATIC.objective(np.zeros(12))
    assert result.ending is Ending.ITERATIONS
    assert run(EVERY_METHOD["gd"], QUADRATIC, 0).iterations == 0


def test_run_without_reference_does_not_solve_the_problem():
    problem = logistic_regression(FEATURES, SIGNS, 0.0)
    result = run(EVERY_METHOD["cat-s"], problem, 5, reference=False)
    assert result.squared_distance is None
    assert result.minimum is None
    with pytest.raises(ValueError, match="reference=False"):
        _ = result.gap
    with pytest.raises(ValueError, match="mu = 0"):
        run(EVERY_METHOD["cat-s"], problem, 5)


def test_gap_and_distance_are_measured_from_the_minimiser():
    result = run(EVERY_METHOD["gd"], QUADRATIC, 5, x0=START)
    np.testing.assert_allclose(result.gap, result.value - QUADRATIC.minimum)
    np.testing.assert_allclose(result.squared_distance[0], np.sum((START - QUADRATIC.minimiser) ** 2))


@pytest.mark.parametrize(
    ("sender", "expected"),
    [
        (CAT("S", AFFINE), Contractive(1 / 12, projection=True)),
        (CAT("S", AFFINE, minimum_sparsity=3), Contractive(3 / 12, projection=True)),
        (CAT("S+Q", AFFINE), Contractive(1 / 12, projection=True)),
        (CAT("SS", AFFINE, minimum_sparsity=3), Unbiased(3.0)),
        (DynamicT(AFFINE), Contractive(1 / 4)),
        (DynamicT(AFFINE, scale="optimal"), Contractive(1 / 4, projection=True)),
        (LogCAT(AFFINE, 0.1), Contractive(1 / 12, projection=True)),
        (CoordinatedCAT(AFFINE), Contractive(1 / 12, projection=True)),
        (Fixed(TopK(6)), Contractive(0.5, projection=True)),
        (Dense(), Contractive(1.0, projection=True)),
    ],
)
def test_guarantees(sender, expected):
    assert sender.guarantee(12) == expected


def test_minimum_sparsity_is_kept():
    for scheme in ("S", "SS"):
        result = run(CompressedGradient(CAT(scheme, AffineCost(c0=0, c1=1), 5)), SEVERAL, 10, x0=START)
        assert result.sparsity.min() >= 5


def test_tiny_and_huge_gradients_are_tuned_alike():
    """The choice of T and the coefficient do not depend on the scale, down to where squares vanish."""
    for sender in (CAT("S", AFFINE), CAT("S+Q", AFFINE), CAT("SS", AFFINE), DynamicT(AFFINE), LogCAT(AFFINE, 0.1)):
        usual, tiny, huge = (sender.send(s * START[None], np.ones(1), Stream(0)) for s in (1.0, 2.0**-600, 2.0**500))
        for sent in (tiny, huge):
            np.testing.assert_allclose(sent.sparsity, usual.sparsity)
            np.testing.assert_allclose(sent.coefficient, usual.coefficient, rtol=1e-12)


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (lambda: CAT("Q", AFFINE), ValueError, "scheme = 'Q' is unknown"),
        (lambda: CAT("S", AFFINE, 0), ValueError, "minimum_sparsity = 0"),
        (lambda: CAT("S+Q", AFFINE, 2), ValueError, r"minimum_sparsity = 2 is outside the accepted range 1\.\.1"),
        (lambda: LogCAT(AFFINE, 0.0), ValueError, r"inverse_condition = 0\.0"),
        (lambda: LogCAT(AFFINE, 0.5, factor="exact"), ValueError, "factor = 'exact' is unknown"),
        (lambda: DynamicT(AFFINE, scale="best"), ValueError, "scale = 'best' is unknown"),
        (lambda: CompressedGradient(Dense(), -1.0), ValueError, r"step_size = -1\.0"),
        (lambda: EF21(Dense(), math.nan), ValueError, "step_size = nan"),
        (lambda: ErrorFeedback(Dense(), 0.0), ValueError, r"step_size = 0\.0"),
        (lambda: run(EVERY_METHOD["gd"], QUADRATIC, -1), ValueError, "iterations = -1"),
        (lambda: run(EVERY_METHOD["gd"], QUADRATIC, 1, x0=np.ones(5)), ValueError, r"x0 has the shape \(5,\)"),
        (lambda: run(EVERY_METHOD["gd"], QUADRATIC, 1, x0=np.full(12, np.nan)), ValueError, "x0 has entries"),
        (lambda: run(EVERY_METHOD["gd"], QUADRATIC, 1, x0=np.ones(12, int)), TypeError, "x0 has the type int64"),
        (lambda: run(EVERY_METHOD["gd"], QUADRATIC, 1, x0=[1.0] * 12), TypeError, "x0 is a list"),
        (lambda: run(EVERY_METHOD["gd"], QUADRATIC, 1, x0=np.ones(12, np.float32)), TypeError, "x0 is of float32"),
        (lambda: run(EVERY_METHOD["gd"], QUADRATIC, 1, seed=None), TypeError, "seed = None"),
        (lambda: run(EVERY_METHOD["gd"], QUADRATIC, 1, record={"value": len}), ValueError, r"record names \['value'\]"),
        (lambda: run(ErrorFeedback(Dense()), SEVERAL, 1), ValueError, "no default for several workers"),
        (lambda: run(EF21(Fixed(RandK(2))), SEVERAL, 1), ValueError, r"guarantee is Unbiased.*accepted: Contractive"),
        (lambda: run(EF21(CAT("S", AFFINE, 13)), SEVERAL, 1), ValueError, "delta|k = 13|minimum_sparsity"),
    ],
)
def test_bad_input_is_refused(make, error, message):
    with pytest.raises(error, match=message):
        make()


def test_memory_of_one_worker_ridge_error_feedback_reaches_the_minimiser():
    problem = ridge_regression(FEATURES, SIGNS, 0.1)
    result = run(ErrorFeedback(CAT("S", AFFINE, minimum_sparsity=6)), problem, 500)
    assert result.gap[-1] < 1e-3 * result.gap[0]


@pytest.mark.parametrize(
    ("build", "text"),
    [
        (lambda: CAT("S", None), "cost is a NoneType; pass a Cost"),
        (lambda: CAT("S", AffineCost), "cost is a type"),
        (lambda: LogCAT(64, 0.5), "cost is a int"),
        (lambda: DynamicT("udp"), "cost is a str"),
        (lambda: CoordinatedCAT(None), "cost is a NoneType"),
        (lambda: Dense(64), "cost is a int"),
        (lambda: Fixed(None), "compressor is a NoneType"),
        (lambda: Fixed(TopK(1), 64), "cost is a int"),
        (lambda: CompressedGradient(TopK(1)), "sender is a TopK"),
        (lambda: CompressedGradient(Dense), "sender is a type"),
        (lambda: ErrorFeedback(None), "sender is a NoneType"),
        (lambda: EF21(None), "sender is a NoneType"),
        (lambda: run(None, QUADRATIC, 1), "method is a NoneType"),
        (lambda: run(CompressedGradient(Dense()), None, 1), "problem is a NoneType"),
    ],
)
def test_wrong_parts_are_refused_when_they_are_put_together(build, text):
    with pytest.raises(TypeError, match=text):
        build()


def test_a_gradient_whose_square_vanishes_is_not_zero():
    result = run(CompressedGradient(Dense()), DIAGONAL, 2, x0=np.full(12, 1e-170), reference=False)
    assert not result.squared_gradient_norm.any()
    assert result.ending is Ending.ITERATIONS
