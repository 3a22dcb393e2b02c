"""The attacks on stale, compressed gradients: what they are made of, and that they respect the hypotheses."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pytest

from taciturn.solvers.delays import Trace
from taciturn.solvers.methods import Capped, FillWindow, OneOverDelay, StepRule, adaptive_steps
from taciturn.solvers.problems import Quadratic, quadratic
from taciturn.solvers.second_moment import NoiseModel, second_moments
from taciturn.theory import theorem
from taciturn.verification.attack import ratio
from taciturn.verification.attacks.family import stack
from taciturn.verification.attacks.fields import Array
from taciturn.verification.attacks.measures import TOLERANCE, quotient
from taciturn.verification.attacks.staleness import adaptive, fresh, nonconvex, onestep, reacting, stored, synchronous
from taciturn.verification.attacks.staleness.delays import Delays, Weights, kept
from taciturn.verification.attacks.staleness.instances import WORKERS, alone, apart, patterns
from taciturn.verification.attacks.staleness.moments import stored_moments
from taciturn.verification.attacks.staleness.noise import ROWS, relative
from taciturn.verification.attacks.staleness.setting import Setting, setting, sloped
from taciturn.verification.attacks.staleness.workers import convex_workers

MODULES = (synchronous, onestep, fresh, reacting, nonconvex, stored, adaptive)
FAMILIES = {id: family for module in MODULES for id, family in module.FAMILIES.items()}
RNG = np.random.default_rng


def _mild(m: int, d: int, row: str, law: str = "entries", seed: int = 0) -> Setting:
    """Random settings of ordinary numbers, with 40 iterations and nobody missing."""
    rng = RNG(seed)
    drawn = FAMILIES["stale-convex"].sample(m, d, rng)
    mild = {name: rng.standard_normal(drawn[name].shape) for name in ("pulls", "start")}
    mild |= {"spectra": rng.uniform(0.1, 1, drawn["spectra"].shape), "weights": rng.uniform(0.1, 1, (m, WORKERS))}
    words = {"row": np.full(m, row), "law": np.full(m, law)}
    return setting({**drawn, **mild, **words, "delays": drawn["delays"][:, :40]})


# ---- the attacks ----


STILL, DELAYED, HELD = patterns()[0], patterns()[1], patterns()[2]  # no delay; 1; 0 and 1 in turn
ATTAINED = [
    ("noise-table", apart([1.0], row="independent", points=[[1.0], [-1.0], [0.0], [0.0]]), 1.0),
    ("dcgd-sc", alone([1.0], row="independent", variance=20.0), 1.0),
    ("dcgd-sc", alone([1.0], row="stochastic", variance=1e-3), 1.0),
    ("dcgd-sc-tight", alone([0.3], row="independent", variance=20.0), 1.0),
    ("dcgd-sc-tight", alone([0.3, 0.3], row="independent", weights=[1.0, 1.0, 0.0, 0.0], law="entries"), 1.0),
    ("dcgd-convex", alone([1.0]), 1.0),
    ("dcgd-convex", alone([1.0], row="independent", variance=1.0), 1.0),
    ("dcgd-nonconvex", alone([1.0]), 1.0),
    ("dcgd-nonconvex", alone([1.0], row="one map", variance=3.0), 1.0),
    ("dcgd-nc-abc", alone([1.0]), 1.0),
    ("stale-onestep", apart([1.0, 0.1], row="independent", delays=HELD, relative_step=0.3), 1.0),
    ("stale-window", alone([1.0], delays=DELAYED, relative_step=0.05, young=1e-9), 1.0),
    ("stale-convex", alone([1.0], delays=STILL), 1.0),
    ("stale-convex", alone([1.0], delays=DELAYED), 1.0),
    ("stale-pattern-aware", alone([1.0], delays=DELAYED), 1.0),
    ("stale-sc", alone([1.0], delays=STILL, row="independent", variance=20.0), 1.0),
    ("stale-nonconvex", alone([1.0], delays=DELAYED), 1.0),
    ("stale-nonconvex-hetero", alone([1.0], delays=STILL), 0.5),
    ("stale-second-moment-convex", alone([1.0], delays=STILL, rule="excess", variance=3.0), 1.0),
    ("stale-stored-convex", alone([1.0], delays=STILL), 2 / 3),
    ("delay-adaptive-convex", alone([1.0], delays=STILL, rule="fill", fraction=1.0, budget=1.0), 1.0),
    ("delay-adaptive-nonconvex", alone([1.0], delays=STILL, rule="fill", fraction=1.0), 1.0),
]


@pytest.mark.parametrize(
    ("id", "instance", "expected"), ATTAINED, ids=[f"{case[0]}-{i}" for i, case in enumerate(ATTAINED)]
)
def test_how_near_to_its_bound_a_hard_instance_comes(id: str, instance: dict[str, object], expected: float) -> None:
    assert ratio(theorem(id), instance) == pytest.approx(expected, abs=1e-8)


OUTSIDE = [
    ("stale-sc", alone([1.0, 0.0])),  # flat in one direction
    ("stale-sc", alone([1.0], row="joint", start=[0.0])),  # nothing to do
    ("stale-sc-refined", alone([1.0], row="joint")),  # stated for independent workers
    ("stale-stored-convex", alone([1.0], row="stochastic")),
    ("delay-adaptive-sc", alone([1.0], row="independent", rule="fill", fraction=1.0)),  # stated without noise
    ("stale-nonconvex", apart([1.0, 0.0], row="independent")),  # no bound on the dissimilarity
    ("stale-convex", alone([0.0, 0.0])),
]


@pytest.mark.parametrize(("id", "instance"), OUTSIDE, ids=[f"{case[0]}-{i}" for i, case in enumerate(OUTSIDE)])
def test_an_instance_outside_the_hypotheses_proves_nothing(id: str, instance: dict[str, object]) -> None:
    assert np.isnan(ratio(theorem(id), instance))


# ---- the recursion ----

ROWS_OF_THE_SOLVER = ("none", "independent", "one map", "shifted", "stochastic")


STEPS = np.linspace(0.01, 0.03, 40)


@pytest.mark.parametrize("law", ["along", "entries"])
@pytest.mark.parametrize("row", ROWS_OF_THE_SOLVER)
def test_moments_are_those_of_the_solvers(row: str, law: str) -> None:
    of = _mild(5, 2, row, law)
    made = of.run(STEPS / of.workers.L[:, None])
    for i, problem in enumerate(_problems(of)):
        omega = 0.0 if row == "none" else float(of.batch["variance"][i])
        deviation = float((of.batch["L"] * of.batch["deviation"])[i]) if row == "stochastic" else 0.0
        exact = second_moments(
            problem,
            Trace.from_delays(of.delays[i]),
            STEPS / of.workers.L[i],
            NoiseModel(omega, 0.0, deviation) if law == "along" else NoiseModel(0.0, omega, deviation),
            problem.minimiser + of.start[i],
            shared_coins=row == "one map",
            shifted=row == "shifted",
        )
        np.testing.assert_allclose(made.squared_distance[i], exact.squared_distance, rtol=1e-9)
        np.testing.assert_allclose(made.gap[i], exact.gap, rtol=1e-9)
        np.testing.assert_allclose(made.squared_gradient[i], exact.squared_gradient_norm, rtol=1e-9)


def test_moments_of_stored_messages_are_those_of_the_solvers() -> None:
    of = _mild(5, 2, "independent")
    delays = kept(of.delays)
    made = stored_moments(of.workers, of.noise, delays, STEPS / of.workers.L[:, None], of.start)
    for i, problem in enumerate(_problems(of)):
        trace = Trace.from_delays(delays[i]).with_stored_messages()
        law = NoiseModel(diagonal=float(of.batch["variance"][i]))
        exact = second_moments(problem, trace, STEPS / of.workers.L[i], law, problem.minimiser + of.start[i])

        np.testing.assert_allclose(made.squared_distance[i], exact.squared_distance, rtol=1e-9)


def _problems(of: Setting) -> Iterator[Quadratic]:
    """The same problems by the minimisers of the f_i, as the solvers ask for them."""
    symmetric = (of.workers.hessians + np.swapaxes(of.workers.hessians, -1, -2)) / 2
    minimisers = -np.linalg.solve(symmetric, of.workers.pulls[..., None])[..., 0]
    for parts in zip(symmetric, minimisers, of.workers.weights, strict=True):
        yield quadratic(*parts)


def test_a_seed_of_the_recursion_by_hand() -> None:
    """x_1 = x_0 - a (1 +- s) x_0 and x_2 = x_1 - a (1 +- s) x_0 on x^2/2: E x_2^2 = (1 - 2a)^2 + 2 a^2 omega."""
    (batch,) = stack([alone([1.0], row="independent", variance=3.0, delays=DELAYED)])
    made = setting({**batch, "delays": batch["delays"][:, :2]}).run(np.array([[0.25]]))

    np.testing.assert_allclose(made.squared_distance[0], [1.0, 0.75**2 + 3 / 16, 0.5**2 + 6 / 16])
    np.testing.assert_allclose(made.noise[0], [3.0, 3.0])


# ---- the noise ----


def _outcomes(
    row: str, law: str, g: Array, weights: Array, omega: float, signs: Array
) -> Iterator[tuple[float, Array]]:
    """All equally likely values of G for gradients g (n, d), with their probabilities."""
    n, d = g.shape
    if row == "permuted":
        orders = list(itertools.permutations(range(n)))
        yield from ((1 / len(orders), g[list(order), np.arange(d)]) for order in orders)
        return
    keep = 1 / (1 + omega)
    maps = (
        [(0.5, np.full(d, 1 + omega**0.5)), (0.5, np.full(d, 1 - omega**0.5))]
        if law == "along"
        else [
            (float(np.prod(np.where(mask, keep, 1 - keep))), np.array(mask) / keep)
            for mask in itertools.product((False, True), repeat=d)
        ]
    )
    if row == "one worker":
        yield from ((p * chance, factor * g[i]) for i, p in enumerate(weights) for chance, factor in maps)
        return
    for chance, factor in maps:  # the same coins for all, in one sense or the other
        yield chance, np.sum(weights[:, None] * (1 + signs[:, None] * (factor - 1)) * g, axis=0)


@pytest.mark.parametrize("law", ["along", "entries"])
@pytest.mark.parametrize("row", ["joint", "counted", "one map", "one worker", "permuted"])
def test_covariances_are_those_of_all_outcomes(row: str, law: str) -> None:
    of = _mild(4, 3, row, law)
    gradients = RNG(2).standard_normal((4, WORKERS, 3))
    own = gradients[..., :, None] * gradients[..., None, :]
    summed = np.einsum("mn,mni->mi", of.noise.signs * of.workers.weights, gradients)
    covariances = of.noise.covariance(own, summed[..., :, None] * summed[..., None, :])
    for i in range(4):
        exist = of.workers.exists[i]
        parts = (
            gradients[i, exist],
            of.workers.weights[i, exist],
            float(of.batch["variance"][i]),
            of.noise.signs[i, exist],
        )
        chances, values = zip(*_outcomes(row, law, *parts), strict=True)
        mean = np.einsum("o,oi->i", chances, values)

        np.testing.assert_allclose(mean, of.workers.weights[i] @ gradients[i], atol=1e-12)
        np.testing.assert_allclose(covariances[i], np.cov(np.array(values).T, aweights=chances, ddof=0), atol=1e-9)


@pytest.mark.parametrize("row", ROWS)
def test_the_noise_table_holds_in_every_row(row: str) -> None:
    shares = []
    for d in (1, 2, 3):
        batch = FAMILIES["dcgd-sc"].sample(400, d, RNG(d))
        with np.errstate(invalid="ignore"):
            of = setting({**batch, "row": np.full(400, row), "delays": np.zeros((400, 1, WORKERS), dtype=int)})
            made = of.run(np.zeros((400, 1)))
        known = sloped(of)
        bound = 2 * of.noise.slope * made.bregman[:, 0] + of.noise.floor
        shares.append(quotient(made.noise[known, 0], bound[known]))

    assert sum(map(len, shares)) > 600
    assert (0.5 if row != "none" else -1) < np.max(np.concatenate(shares)) <= 1 + TOLERANCE


def test_dissimilarity_is_bounded_everywhere() -> None:
    batch = FAMILIES["dcgd-nonconvex"].sample(300, 3, RNG(0))
    of = setting(batch)
    slope, floor = relative(of.workers, batch)
    known, x = (
        np.isfinite(slope),
        RNG(1).standard_normal((300, 300, 3)) * np.exp(3 * RNG(2).standard_normal((300, 300, 1))),
    )
    gradients = np.einsum("mnij,mkj->mkni", of.workers.hessians, x) + of.workers.pulls[:, None]
    squares = np.einsum("mn,mkni->mk", of.workers.weights**2, gradients**2)
    total = np.sum(np.einsum("mij,mkj->mki", of.workers.hessian, x) ** 2, axis=-1)
    shares = squares[known] / (slope[known, None] * total[known] + floor[known, None])

    assert np.count_nonzero(known) > 50
    assert 0.9 < np.max(shares) <= 1


def test_constants_of_workers_by_hand() -> None:
    (batch,) = stack(
        [
            {
                **apart([1.0, 0.5], weights=[1.0, 3.0, 0.0, 0.0]),
                "spectra": [[1.0, 0.0], [0.0, 0.5], [1.0, 1.0], [1.0, 1.0]],
                "pulls": [[0.0, 0.0]] * WORKERS,
            }
        ]
    )
    workers = convex_workers({**batch, "L": np.array([8.0])})

    found = (workers.L, workers.mu, workers.L_max, workers.Lambda, workers.L_supp, workers.sigma, workers.L_Q**2)
    np.testing.assert_allclose(np.ravel(found), [3.0, 2.0, 8.0, 3.0, 3.0, 1.0, 28.0])
    assert workers.E_star == workers.mu_each == 0


# ---- what reacts, and what follows delays ----


def test_delays_that_react_follow_every_outcome() -> None:
    """Against a tree written out for one coin after the other, in one dimension."""
    instance = alone(
        [1.0], delays=np.minimum(2, np.arange(100))[:, None] * np.ones((1, WORKERS), dtype=int), variance=3.0
    )
    (batch,) = stack([{**instance, "rule": "excess"}])
    step, s = 0.3, 3.0**0.5
    paths = [[1.0]]
    for k in range(reacting.STEPS):
        longer = []
        for path in paths:
            ages = range(min(2, k) + 1)
            worst = max(ages, key=lambda age: path[-1 - age] ** 2 - path[-1 - age] * path[-1])
            longer += [[*path, path[-1] - step * (1 + sign * s) * path[-1 - worst]] for sign in (1, -1)]
        paths = longer
    expected = np.mean(np.array(paths) ** 2, axis=0)
    distance, gap = reacting.reacting_moments(setting(batch), np.array([[step]]))

    np.testing.assert_allclose(distance[0], expected)
    np.testing.assert_allclose(gap[0], expected / 2)


RULES: list[tuple[str, StepRule, float]] = [
    ("fill", FillWindow(1.0, fraction=0.75), np.inf),
    ("one over delay", OneOverDelay(1.0), np.inf),
    ("fill", Capped(FillWindow(1.0, fraction=0.75), highest=0.125), 0.125),
]


@pytest.mark.parametrize(("name", "rule", "highest"), RULES)
def test_steps_are_those_of_the_rules(name: str, rule: StepRule, highest: float) -> None:
    of = _mild(8, 1, "none")
    # One over these is exact in binary numbers: no tie is decided by rounding.
    delays = np.minimum(RNG(3).choice([0, 1, 3], size=of.delays.shape), np.array([0, 1, 1] + 37 * [3])[:, None])
    of = replace(of, delays=delays, batch={**of.batch, "rule": np.full(8, name), "fraction": np.full(8, 0.75)})
    steps = adaptive.steps_of_rules(of, np.ones(8), highest)
    for i in range(8):
        np.testing.assert_allclose(steps[i], adaptive_steps(rule, np.max(delays[i], axis=1)), atol=1e-12)


# ---- the parts of an instance ----


def test_delays_stay_possible() -> None:
    field, rng = Delays(30, 3, largest=5), RNG(0)
    delays = field.draw(100, 1, rng)
    for _ in range(20):
        k = np.arange(30)[:, None]
        assert np.all((delays >= 0) & (delays <= np.minimum(k, 5)))
        versions = k - kept(delays)
        assert np.all(np.diff(versions, axis=1) >= 0)
        assert np.all(kept(delays) <= delays)
        changed = field.change(delays, 1, rng)
        assert np.mean(np.any(changed != delays, axis=(1, 2))) > 0.5
        delays = changed


def test_some_workers_always_exist() -> None:
    field, rng = Weights(4), RNG(0)
    weights = field.draw(300, 1, rng)
    assert set(np.count_nonzero(weights, axis=1)) == {1, 2, 3, 4}
    for _ in range(20):
        assert np.all(np.any(weights > 0, axis=1))
        assert np.all((weights == 0) | ((weights >= 0.05) & (weights <= 1)))
        weights = field.change(weights, 1, rng)
