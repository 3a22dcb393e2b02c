"""The assignment problem against independent computations: brute force, scipy, and streams of gradients."""

from fractions import Fraction
from itertools import combinations, product

import numpy as np
import pytest
from scipy.optimize import brentq, linprog, minimize, minimize_scalar
from scipy.special import lambertw

from taciturn.theory import theorem
from taciturn.theory.ratio_presets import PRESETS

CASES = [pytest.param(seed, b, id=f"seed {seed}, b = {b}") for seed in range(3) for b in (1.0, 2.0, 0.5)]


def problem(seed, n=5):
    """Weights, costs, a budget and boxes of which some bind."""
    rng = np.random.default_rng(seed)
    w, c = rng.lognormal(0, 1.5, n), rng.lognormal(0, 0.7, n)
    lower = rng.uniform(0.01, 0.05, n)
    upper = rng.uniform(0.3, 1.0, n)
    share = rng.uniform(0.2, 0.8)
    return w, c, (1 - share) * (c @ lower) + share * (c @ upper), lower, upper


def water_level(w, c, budget, lower, upper, b):
    """The assignment of the theorem, its level found by bisection."""
    scale = (b * w / c) ** (1 / (1 + b))

    def assigned(t):
        return np.clip(t * scale, lower, upper)

    t = brentq(lambda t: c @ assigned(t) - budget, 1e-9, 1e9, xtol=1e-15, rtol=1e-15)
    return assigned(t), t ** -(1 + b)


def memory_cost(delta):
    q = np.sqrt(1 - np.asarray(delta))
    return q / (1 - q)


def feasible_points(c, budget, lower, upper, rng, count=500):
    points = rng.uniform(lower, upper, (count, len(c)))
    excess = np.maximum((points @ c - budget) / ((points - lower) @ c), 0)
    return points - excess[:, None] * (points - lower)


@pytest.mark.parametrize(("seed", "b"), CASES)
def test_the_objective_is_a_divergence(seed, b):
    w, c, budget, *_ = problem(seed)
    scale = np.sum((w * c**b) ** (1 / (1 + b)))
    best = theorem("chi2-identity").evaluate(assignment_scale=scale, ratio_budget=budget, objective_exponent=b).value
    P = (w * c**b) ** (1 / (1 + b)) / scale
    Q = np.random.default_rng(seed).dirichlet(np.ones(len(w)))
    objective = np.sum(w / (Q * budget / c) ** b)
    assert objective == pytest.approx(best * np.sum(P ** (1 + b) / Q**b))
    assert objective >= best
    assert np.sum(w / (P * budget / c) ** b) == pytest.approx(best)
    if b == 1:
        assert objective == pytest.approx(best * (1 + np.sum((P - Q) ** 2 / Q)))


@pytest.mark.parametrize(("seed", "b"), CASES)
def test_water_filling_is_optimal(seed, b):
    w, c, budget, lower, upper = problem(seed)
    delta, price = water_level(w, c, budget, lower, upper, b)
    assert c @ delta == pytest.approx(budget)
    others = feasible_points(c, budget, lower, upper, np.random.default_rng(seed))
    assert np.all(np.sum(w / others**b, axis=1) >= np.sum(w / delta**b) * (1 - 1e-12))
    inside = (delta > lower * 1.0001) & (delta < upper * 0.9999)
    assert np.allclose(b * w[inside] / delta[inside] ** (b + 1), price * c[inside])


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("b", [1, 2])
def test_gaps_bound_the_distance_from_the_optimum(seed, b):
    w, c, budget, lower, upper = problem(seed)
    best = np.sum(w / water_level(w, c, budget, lower, upper, b)[0] ** b)
    rng = np.random.default_rng(seed)
    for delta in feasible_points(c, budget, lower, upper, rng, 20):
        true_gap = np.sum(w / delta**b) - best
        price = rng.lognormal(0, 2)
        at_price = np.clip((b * w / (price * c)) ** (1 / (1 + b)), lower, upper)
        dual = np.sum(w / at_price**b) + price * (c @ at_price - budget)
        assert dual <= best * (1 + 1e-12)
        assert true_gap <= frank_wolfe_gap(w, c, budget, lower, upper, delta, b) * (1 + 1e-9)


def frank_wolfe_gap(w, c, budget, lower, upper, delta, b):
    """In rational arithmetic, as the theorem says: fill in the order of g/c."""
    w, c, lower, upper, delta = ([Fraction(x) for x in a] for a in (w, c, lower, upper, delta))
    g = [b * w_i / delta_i ** (b + 1) for w_i, delta_i in zip(w, delta, strict=True)]
    left = Fraction(budget) - sum(c_i * l_i for c_i, l_i in zip(c, lower, strict=True))
    y = list(lower)
    for i in sorted(range(len(w)), key=lambda i: -g[i] / c[i]):
        more = min(upper[i] - lower[i], left / c[i])
        y[i] += more
        left -= more * c[i]
    return float(sum(g_i * (y_i - delta_i) for g_i, y_i, delta_i in zip(g, y, delta, strict=True)))


def test_exact_objectives():
    delta = np.linspace(0.01, 0.99, 9801)
    second = np.diff(memory_cost(delta), 2)
    assert np.all(second[delta[2:] < 8 / 9] > 0)
    assert np.all(second[delta[:-2] > 8 / 9] < 0)
    price = 3.0
    for objective, z in (
        (lambda delta: memory_cost(delta) ** 2, (1 / price) ** (1 / 3)),
        (lambda delta: (1 - delta) / (1 - np.sqrt(1 - delta)), (1 + np.sqrt(1 + 8 * price)) / (4 * price)),
    ):
        found = minimize_scalar(
            lambda delta, objective=objective: objective(delta) + price * delta,
            bounds=(1e-6, 1 - 1e-9),
            method="bounded",
            options={"xatol": 1e-10},
        )
        assert found.x == pytest.approx(z * (2 - z), abs=1e-6)


@pytest.mark.parametrize("seed", range(20))
def test_surrogate_loss(seed):
    rng = np.random.default_rng(seed)
    w, c, budget = rng.lognormal(0, 1, 2), rng.lognormal(0, 0.5, 2), 0.0
    budget = rng.uniform(0.05, 0.95) * np.sum(c)
    grid = np.linspace(max(1e-4, (budget - c[1]) / c[0]), min(1, budget / c[0] - 1e-4), 20001)
    losses = w[0] * memory_cost(grid) + w[1] * memory_cost(np.clip((budget - c[0] * grid) / c[1], 1e-9, 1))
    surrogate = water_level(w, c, budget, np.full(2, 1e-6), np.ones(2), 1.0)[0]
    bound = theorem("alloc-surrogate").evaluate(weight_sum=np.sum(w), largest_weight=np.max(w / c), ratio_budget=budget)
    loss = w @ memory_cost(surrogate) - np.min(losses)
    assert -1e-3 * np.sum(w) <= loss <= bound.value
    assert loss <= 0.2 * np.sum(w)  # far below half: the surrogate's error is largest at delta = 1 only


@pytest.mark.parametrize("seed", range(5))
def test_minimax_is_optimal(seed):
    w, c, budget, lower, upper = problem(seed)
    best = theorem("minimax-ratio").evaluate(weight_cost=w @ c, ratio_budget=budget).value
    others = feasible_points(c, budget, lower, upper, np.random.default_rng(seed))
    assert np.all(np.max(w / others, axis=1) >= best * (1 - 1e-12))
    assert c @ (w / best) == pytest.approx(budget)


@pytest.mark.parametrize("seed", range(5))
def test_myopic_assignment_is_at_a_vertex(seed):
    rng = np.random.default_rng(seed)
    p, c, m = rng.dirichlet(np.ones(4)), rng.lognormal(0, 0.5, 4), rng.lognormal(0, 1, 4)
    budget = rng.uniform(0.2, 0.8) * np.sum(c)
    order = np.argsort(-(p**2) * m**2 / c)
    filled = np.zeros(4)
    for i in order:
        filled[i] = min(1, (budget - c @ filled) / c[i])
    linear = linprog(-(p**2) * m**2, A_ub=[c], b_ub=[budget], bounds=[(0, 1)] * 4)
    assert p**2 * m**2 @ filled == pytest.approx(-linear.fun)
    vertices = [
        np.insert(np.array(corner, float), i, (budget - np.delete(c, i) @ corner) / c[i])
        for i in range(4)
        for corner in product((0, 1), repeat=3)
    ]
    concave = min(p * m @ np.sqrt(1 - v) for v in vertices if np.all((v >= 0) & (v <= 1)))
    others = feasible_points(c, budget, np.zeros(4), np.ones(4), rng)
    assert np.all(np.sqrt(1 - others) @ (p * m) >= concave - 1e-12)


@pytest.mark.parametrize(
    ("preset", "e", "b"), [("uniform", 0, 1), ("jensen", 1, 2), ("tri", 1, 1), ("cs", 2, 2), ("chi2", 2, 1)]
)
def test_presets_minimise_what_they_say(preset, e, b):
    p = np.random.default_rng(0).dirichlet(np.ones(6))
    delta, _ = water_level(p**e, np.ones(6), 0.1, np.full(6, 1e-9), np.ones(6), b)
    slope = np.polyfit(np.log(p), np.log(delta), 1)[0]
    exponent = theorem("exponent-table").evaluate(weight_exponent=e, objective_exponent=b).value
    assert slope == pytest.approx(exponent, abs=1e-9)
    assert float(PRESETS[preset].exponent) == pytest.approx(exponent)


def test_exponents_are_symmetric():
    p = np.random.default_rng(1).dirichlet(np.full(8, 0.5))

    def cost(alpha):
        delta = 0.3 * p**alpha / np.sum(p**alpha)
        return np.sum(p / delta)

    alphas = np.linspace(0, 1, 41)
    costs = np.array([cost(alpha) for alpha in alphas])
    assert costs == pytest.approx(costs[::-1])
    assert np.argmin(costs) == 20
    assert np.all(np.diff(np.log(costs), 2) > 0)
    assert costs[0] == pytest.approx(len(p) / 0.3)
    assert costs[20] == pytest.approx(np.sum(np.sqrt(p)) ** 2 / 0.3)


@pytest.mark.parametrize(
    ("power", "best", "third"),
    [(1, 13.9, 12.5), (2, 44.6, 40.7), (3, 66.8, 62.1), (1.38, 25.43, None), (1.10, 16.65, None)],
)
def test_predicted_gains(power, best, third):
    p = np.arange(1, 11.0) ** -power
    p /= np.sum(p)
    gain = theorem("gain-formula").evaluate(workers=10, root_sum=np.sum(np.sqrt(p))).value
    assert 100 * (1 - 1 / gain) == pytest.approx(best, abs=0.05 if third else 0.2)
    if third:
        saving = 1 - np.sum(p ** (1 / 3)) * np.sum(p ** (2 / 3)) / 10
        assert 100 * saving == pytest.approx(third, abs=0.05)


def greedy(gain, cost, lower, upper, budget):
    """Counts by gain per cost until the first increment that does not fit; and the gain of that one."""
    k = np.array(lower)
    left = budget - cost @ k
    while True:
        worth = [gain(i, k[i]) / cost[i] if k[i] < upper[i] else -np.inf for i in range(len(k))]
        i = int(np.argmax(worth))
        if worth[i] == -np.inf:
            return k, 0.0
        if cost[i] > left:
            return k, worth[i] * cost[i]
        k[i] += 1
        left -= cost[i]


def best_counts(value, cost, lower, upper, budget):
    ranges = [range(low, high + 1) for low, high in zip(lower, upper, strict=True)]
    return min((value(np.array(k)), k) for k in product(*ranges) if cost @ np.array(k) <= budget)


def integer_problem(seed, costs):
    rng = np.random.default_rng(seed)
    w = rng.lognormal(0, 1.5, 3)
    return w, rng.integers(1, costs + 1, 3), [1, 1, 1], [9, 9, 9]


@pytest.mark.parametrize("seed", range(30))
def test_greedy_counts_are_optimal(seed):
    w, cost, lower, upper = integer_problem(seed, 1)
    k, _ = greedy(lambda i, k: w[i] / k - w[i] / (k + 1), cost, lower, upper, 14)
    assert np.sum(w / k) == pytest.approx(best_counts(lambda k: np.sum(w / k), cost, lower, upper, 14)[0])


@pytest.mark.parametrize("seed", range(30))
def test_integer_optimum_is_near_the_continuous_one(seed):
    w, cost, lower, upper = integer_problem(seed, 1)
    _, k = best_counts(lambda k: np.sum(w / k), cost, lower, upper, 14)
    continuous, _ = water_level(w, cost.astype(float), 14.0, np.array(lower, float), np.array(upper, float), 1.0)
    assert np.all(np.abs(np.array(k) - continuous) < 3)


@pytest.mark.parametrize("seed", range(30))
def test_greedy_by_density_is_within_its_bound(seed):
    w, cost, lower, upper = integer_problem(seed, 4)
    budget = int(np.sum(cost)) + 11
    k, rejected = greedy(lambda i, k: w[i] / k - w[i] / (k + 1), cost, lower, upper, budget)
    loss = np.sum(w / k) - best_counts(lambda k: np.sum(w / k), cost, lower, upper, budget)[0]
    assert -1e-12 <= loss <= rejected


def test_greedy_by_density_is_not_optimal():
    w, cost = np.array([1.0, 1.3]), np.array([1, 2])
    k, _ = greedy(lambda i, k: w[i] / k - w[i] / (k + 1), cost, [1, 1], [9, 9], 5)
    assert np.sum(w / k) > best_counts(lambda k: np.sum(w / k), cost, [1, 1], [9, 9], 5)[0] + 0.1


def stream(threshold_of, gradients):
    """Entries sent in every step with error feedback and hard thresholds."""
    e, last, sent, thresholds = np.zeros(gradients.shape[1]), 0.0, [], []
    for g in gradients:
        last = threshold_of(g, last, sent)
        v = e + g
        mask = np.abs(v) > last
        e = np.where(mask, 0, v)
        sent.append(int(np.sum(mask)))
        thresholds.append(last)
    return np.array(sent), np.array(thresholds)


def gradients_of(seed, steps=60, d=12):
    rng = np.random.default_rng(seed)
    return rng.standard_normal((steps, d)) * rng.lognormal(0, 1, (steps, 1)) + rng.standard_normal(d)


@pytest.mark.parametrize("seed", range(10))
def test_threshold_traffic(seed):
    gradients = gradients_of(seed)
    walk = np.exp(np.cumsum(np.random.default_rng(seed).normal(0, 0.4, len(gradients))))
    sent, thresholds = stream(lambda g, last, sent: walk[len(sent)], gradients)
    norms = np.sum(np.abs(gradients), axis=1)
    falls = gradients.shape[1] * np.maximum(thresholds[:-1] / thresholds[1:] - 1, 0)
    assert np.sum(sent) <= np.sum(norms / thresholds) + np.sum(falls)
    sent, _ = stream(lambda g, last, sent: 2.0, gradients)
    bound = theorem("thr-traffic").evaluate(l1_norm=np.mean(norms), magnitude_threshold=2.0).value
    assert np.mean(sent) <= bound


def test_threshold_traffic_is_attained():
    gradients = np.full((400, 3), 1 / 4 * (1 + 1e-9))
    sent, _ = stream(lambda g, last, sent: 1.0, gradients)
    norm = np.sum(np.abs(gradients[0]))
    bound = theorem("thr-traffic").evaluate(l1_norm=norm, magnitude_threshold=1.0).value
    assert np.mean(sent) == pytest.approx(bound, rel=1e-8)


@pytest.mark.parametrize("seed", range(10))
def test_l1_rule_keeps_its_budget(seed):
    gradients, eta, entries = gradients_of(seed), 0.3, 4.0
    d = gradients.shape[1]

    def rule(g, last, sent):
        return max(np.sum(np.abs(g)) / ((1 - eta) * entries), last / (1 + eta * entries / d))

    sent, _ = stream(rule, gradients)
    bound = theorem("thr-l1-rule").evaluate(d=d, entries_per_step=entries).value
    assert np.all(np.cumsum(sent) <= bound * np.arange(1, len(sent) + 1))
    assert np.sum(sent) > 0


@pytest.mark.parametrize("seed", range(10))
def test_controller_keeps_its_budget(seed):
    gradients, eta, entries, start = gradients_of(seed), 0.2, 4.0, 0.05
    sent, thresholds = stream(
        lambda g, last, sent: last * np.exp(eta * (sent[-1] / entries - 1)) if sent else start, gradients
    )
    end = thresholds[-1] * np.exp(eta * (sent[-1] / entries - 1))
    assert np.mean(sent) == pytest.approx(entries * (1 + np.log(end / start) / (eta * len(sent))))
    bound = theorem("thr-controller").evaluate(
        d=gradients.shape[1],
        entries_per_step=entries,
        controller_gain=eta,
        start_threshold=start,
        l1_bound=np.max(np.sum(np.abs(gradients), axis=1)),
        steps=len(sent),
    )
    assert np.sum(sent) <= bound.value


@pytest.mark.parametrize("seed", range(5))
def test_one_step_thresholds_are_optimal(seed):
    rng = np.random.default_rng(seed)
    v, omega, budget = rng.standard_normal((2, 4)), rng.lognormal(0, 1, (2, 1)), 3
    weighted = (omega * v**2).ravel()
    best = min(np.sum(weighted) - np.sum(weighted[list(kept)]) for kept in combinations(range(8), budget))
    level = np.sort(np.sqrt(weighted))[-budget]
    kept = np.abs(v) >= level / np.sqrt(omega) * (1 - 1e-12)
    assert np.sum(kept) == budget
    assert np.sum(omega * np.where(kept, 0, v) ** 2) == pytest.approx(best)


@pytest.mark.parametrize("m", [1, 2])
def test_optimal_thresholds_are_stationary(m):
    rng = np.random.default_rng(m)
    w, c, b, d, budget = rng.dirichlet(np.ones(3)), np.array([1.0, 2.0, 0.5]), rng.lognormal(0, 0.5, 3), 100, 40.0

    def traffic(thresholds):
        return c @ (d * np.exp(-thresholds / b))

    if m == 1:
        closed = b * np.log(d * c * np.sum(w * b) / (budget * w * b))
    else:

        def at(price):
            return b * np.real(lambertw(price * c * d / (2 * w * b**2)))

        closed = at(np.exp(brentq(lambda log_price: traffic(at(np.exp(log_price))) - budget, -20, 20, xtol=1e-14)))
    assert traffic(closed) == pytest.approx(budget)
    found = minimize(
        lambda x: w @ x**m,
        closed * rng.uniform(0.7, 1.3, 3),
        constraints={"type": "ineq", "fun": lambda x: budget - traffic(x)},
        bounds=[(0, None)] * 3,
        method="SLSQP",
        options={"ftol": 1e-12, "maxiter": 500},
    )
    assert w @ closed**m == pytest.approx(found.fun, rel=1e-6)


def test_optimal_thresholds_for_rigorous_traffic():
    rng = np.random.default_rng(3)
    p, c, G_1, budget = rng.dirichlet(np.ones(4)), rng.lognormal(0, 1, 4), rng.lognormal(0, 1, 4), 5.0
    scale = np.sum(np.sqrt(c * G_1 * p))
    best = theorem("thr-optimal").evaluate(traffic_scale=scale, traffic_budget=budget).value
    thresholds = np.sqrt(c * G_1 / p) * scale / budget
    assert c @ (G_1 / thresholds) == pytest.approx(budget)
    assert p @ thresholds == pytest.approx(best)
    others = thresholds * rng.lognormal(0, 0.3, (200, 4))
    others *= (np.sum(c * G_1 / others, axis=1) / budget)[:, None]
    assert np.all(others @ p >= best * (1 - 1e-12))


def test_best_ratios_do_not_depend_on_the_step():
    scalars = np.linspace(0, 50, 200)
    largest_step = 2 / (1 + np.sqrt(1 + 4 * scalars**2))
    assert np.all(np.diff(largest_step) < 0)
    assert largest_step + largest_step**2 * scalars**2 == pytest.approx(np.ones(200))


@pytest.mark.parametrize("seed", range(10))
def test_round_time_is_convex(seed):
    rng = np.random.default_rng(seed)
    latency, c, weights = rng.uniform(0, 1, 4), rng.lognormal(0, 1, 4), rng.dirichlet(np.ones(4))
    T = np.max(latency) + np.linspace(1e-3, 8, 4000)
    factor = 2 * np.maximum(c / (T[:, None] - latency), 1) - 1.5
    times = T * (1 + factor @ weights)
    assert np.all(np.diff(times, 2) >= -1e-9 * times[2:])


def test_bits_of_equal_workers():
    delta = np.linspace(0.01, 1, 100)
    value = theorem("bits-optimal").evaluate(workers=5, L=2.0, delta=delta).value
    assert value == pytest.approx(5 * (2.0 + 2.0 * memory_cost(delta)) * delta)
    assert np.all(value >= 10 * (1 - 1e-12))
    assert np.all(value < 20)


@pytest.mark.parametrize(("n", "least", "at"), [(10, 4.61, 2.50), (50, 6.63, None)])
def test_unequal_ratios_save_bits(n, least, at):
    p = np.arange(1, n + 1.0) ** -3
    p /= np.sum(p)
    budgets = np.geomspace(0.05, n, 2000)
    costs = []
    for budget in budgets:
        delta, _ = water_level(p, np.ones(n), budget * (1 - 1e-9), np.full(n, 1e-9), np.ones(n), 1.0)
        costs.append((1 + p @ memory_cost(delta)) * budget)
    assert min(costs) == pytest.approx(least, abs=0.01)
    if at is not None:
        assert budgets[np.argmin(costs)] == pytest.approx(at, abs=0.03)


def test_measured_ratios_certify_the_run():
    rng = np.random.default_rng(0)
    vectors = rng.standard_t(2, (50, 20))
    kept = np.where(np.abs(vectors) >= np.sort(np.abs(vectors), axis=1)[:, -2:-1], vectors, 0)
    left = np.sum((kept - vectors) ** 2, axis=1) / np.sum(vectors**2, axis=1)
    measured = np.min(1 - left)
    assert np.all(left <= 1 - measured + 1e-15)
    assert measured > 2 / 20


def test_periodic_memory():
    period, e, largest = 7, 0.0, 0.0
    for k in range(50):
        e = 0.0 if (k + 1) % period == 0 else e + 1.0
        largest = max(largest, e)
    assert largest == theorem("schedule-periodic").evaluate(period=period).value
    assert memory_cost(1 / period) >= 2 * largest
