from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest

from taciturn.solvers.methods import CAT, CompressedGradient, run
from taciturn.solvers.problems import quadratic_with_spectrum
from taciturn.solvers.tune import optimal_probabilities
from taciturn.theory import catalogue, theorem
from taciturn.theory.communication import AffineCost
from taciturn.verification.evidence import Budget, Verdict
from taciturn.verification.experiment import TOLERANCE, compare, witness
from taciturn.verification.experiments import EXPERIMENTS, NOT_APPLICABLE
from taciturn.verification.experiments.adaptive_compression.stochastic import stopped_runs
from taciturn.verification.experiments.comparison import Comparison, sampled, worst
from taciturn.verification.mutation import strengthened

CHAPTER = [entry.id for entry in catalogue("adaptive-compression")]
FEW = Budget(instances=1, cells=1, replicas=100)

QUICK = [
    "alpha-profile",
    "topT-diagonal-sc",
    "restricted-smoothness",
    "topT-convex-rate",
    "gd-nonconvex-exact",
    "beta-adaptive",
    "ss-moments",
    "ss-distance-exact",
    "ss-sc-exact",
    "cat-bits",
    "cat-not-trajectory-optimal",
    "mn-divergence",
    "mn-neighbourhood",
    "ef14-cat",
    "ef21-cat-pl",
]
SLOW = [pytest.param(id, marks=pytest.mark.slow) for id in CHAPTER if id not in QUICK]


def test_every_statement_is_run_or_says_why_not() -> None:
    assert set(CHAPTER) <= EXPERIMENTS.keys() | NOT_APPLICABLE.keys()
    assert not EXPERIMENTS.keys() & NOT_APPLICABLE.keys()
    assert all(len(reason) > 20 for reason in NOT_APPLICABLE.values())


@pytest.mark.parametrize("id", [*QUICK, *SLOW])
def test_methods_keep_what_is_promised(id: str) -> None:
    (evidence,) = witness(theorem(id), FEW)

    if id in NOT_APPLICABLE:
        assert (evidence.verdict, evidence.prose) == (Verdict.NOT_APPLICABLE, NOT_APPLICABLE[id])
        return
    assert evidence.verdict is Verdict.HELD, evidence
    assert evidence.ratio is not None
    assert 0 < evidence.ratio <= 1 + TOLERANCE
    json.dumps(evidence.as_record(), allow_nan=False)


@pytest.mark.parametrize("id", ["restricted-smoothness", "cat-not-trajectory-optimal", "mn-divergence"])
def test_methods_refute_a_stronger_statement_where_they_attain_it(id: str) -> None:
    (evidence,) = witness(next(strengthened(theorem(id))), FEW)

    assert evidence.verdict is Verdict.VIOLATED
    assert "violated" in evidence.prose


@pytest.mark.parametrize(("id", "power"), [("ss-distance-exact", 60), ("topT-diagonal-sc", 60), ("ef21-cat-pl", 60)])
def test_a_rate_that_is_far_too_good_is_refuted(id: str, power: int) -> None:
    entry = theorem(id)
    assert entry.rate is not None

    assert witness(replace(entry, rate=entry.rate**power), FEW)[0].verdict is Verdict.VIOLATED


def _expected_gap_at_the_stopping_time(curvatures: list[float], T: float, eps: float) -> tuple[float, int]:
    """Follow every outcome of x <- x - (omega/L) Q on a diagonal quadratic with L = 1 from x_0 = (1, ..., 1).

    Returns the expected gap at N = min{K: sum of omega_k >= kappa ln(gap_0/eps)}, and the largest N.
    """
    H = np.array(curvatures)
    start = np.ones(H.size)
    needed = np.log(0.5 * (H @ start**2) / eps) / H.min()
    total, largest, ends = 0.0, 0, [(start, 1.0, 0.0, 0)]
    while ends:
        x, chance, progress, k = ends.pop()
        if progress >= needed or not x.any():
            total, largest = total + chance * 0.5 * (H @ x**2), max(largest, k)
            continue
        g = H * x
        p = optimal_probabilities(g, T)
        omega = (g @ g) / sum(g[j] ** 2 / p[j] for j in range(g.size) if g[j])
        for coins in np.ndindex(*(2,) * H.size):
            probability = np.prod(np.where(coins, p, 1 - p))
            if probability > 0:
                Q = np.where(np.array(coins) * p > 0, g / np.where(p > 0, p, 1), 0.0)
                ends.append((x - omega * Q, chance * probability, progress + omega, k + 1))
    return total, largest


@pytest.mark.parametrize(
    ("curvatures", "T", "share"), [([1.0, 1.0], 1.0, 0.2), ([1.0, 0.5], 1.3, 0.5), ([1.0, 0.8, 0.6], 2.0, 0.4)]
)
def test_stopping_rule_of_stochastic_sparsification(curvatures: list[float], T: float, share: float) -> None:
    """Dossier 3.5(b): E gap_N <= eps, exactly over all outcomes, and N is bounded."""
    eps = share * 0.5 * sum(curvatures)
    gap, largest = _expected_gap_at_the_stopping_time(curvatures, T, eps)
    kappa, omega = 1 / min(curvatures), T / len(curvatures)

    assert 0 <= gap <= eps
    assert 1 <= largest <= np.ceil(kappa / omega * np.log(1 / share))


def test_stopping_rule_with_tuned_messages() -> None:
    """The same for replicas of CAT-SS."""
    for setting, eps, gaps, bits, efficiency in stopped_runs(Budget(instances=1, cells=1, replicas=60)):
        assert sampled(setting, gaps, eps).ratio <= 1
        assert np.mean(gaps) <= eps
        assert efficiency > 0
        assert np.all(bits > 0)


def test_stopping_early_misses_the_accuracy() -> None:
    """A run that stops at a tenth of the progress shows that the rule is not vacuous."""
    problem = quadratic_with_spectrum(np.geomspace(1.0, 0.1, 6), seed=0)
    x0 = np.broadcast_to(np.ones(6), (30, 6)).copy()
    made = run(CompressedGradient(CAT("SS", AffineCost(c0=32, c1=36))), problem, 20, x0)
    total = np.cumsum(made.coefficient[..., 0], axis=0)
    early = np.argmax(total >= 0.1 * problem.condition_number * np.log(10), axis=0) + 1

    assert np.mean(np.take_along_axis(made.gap, early[None], axis=0)) > 0.1 * made.gap[0, 0]


def test_the_confidence_interval_decides() -> None:
    draws = np.random.default_rng(0).normal(1.0, 0.1, 4000)

    assert sampled("near", draws, 1.0).ratio <= 1
    assert sampled("far", draws, 0.9).ratio > 1
    assert sampled("few", draws[:5], 0.9).ratio < 1  # too few to tell


def test_the_worst_comparison_is_reported() -> None:
    found = worst("x", [1.0, 5.0, 9.0], [2.0, 4.0, 3.0], [True, True, False])

    assert (found.measured, found.bound, found.ratio) == (5.0, 4.0, 1.25)
    assert Comparison("y", 1.0, 0.0).ratio == np.inf
    assert Comparison("y", 0.0, 0.0).ratio == 0
    with pytest.raises(ValueError, match="nothing was measured"):
        worst("x", [1.0], [1.0], False)


def test_replicas_are_reproducible() -> None:
    first, second = (compare(theorem("ss-moments"), FEW) for _ in range(2))
    other = compare(theorem("ss-moments"), replace(FEW, seed=1))

    assert first == second
    assert first != other


def test_a_statement_without_an_experiment_says_so() -> None:
    unknown = replace(theorem("alpha-profile"), id="no-such-statement")

    assert witness(unknown, FEW)[0].verdict is Verdict.NOT_APPLICABLE
    with pytest.raises(ValueError, match="no-such-statement"):
        compare(unknown, FEW)
