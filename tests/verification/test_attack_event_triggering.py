"""The attacks on event-triggered methods: they run what the solvers run, attain tight bounds, and break none."""

from __future__ import annotations

import numpy as np
import pytest

from taciturn.solvers.decentralised import (
    Adaptive,
    Constant,
    DifferenceNorm,
    EventTracking,
    EventTriggeredGradient,
    Look,
    Tensors,
    fixed_point,
    run_decentralised,
)
from taciturn.solvers.problems import Quadratic, quadratic
from taciturn.theory import theorem
from taciturn.theory.event_triggering.counterexamples import CHECKERBOARD, LATE_ROUND_ROBIN
from taciturn.theory.mixing import mixing
from taciturn.verification.attack import ratio, witness
from taciturn.verification.attacks import event_triggering
from taciturn.verification.attacks.event_triggering import ages, disagreement, preserving, published, setting, triggers
from taciturn.verification.attacks.event_triggering.networks import Mixings, RowMixings, figures, gossip_sums, ring
from taciturn.verification.attacks.fields import Array
from taciturn.verification.evidence import Budget, Verdict
from taciturn.verification.mutation import strengthened

FAMILIES = event_triggering.FAMILIES
RNG = np.random.default_rng


# ---- the attacks ----


@pytest.mark.parametrize("id", ["consensus", "torn-copies"])
def test_a_search_finds_what_refutes_a_stronger_statement(id: str) -> None:
    (evidence,) = witness(next(strengthened(theorem(id))), Budget(instances=150, cells=1, replicas=1))

    assert evidence.verdict is Verdict.VIOLATED


def test_networks_outside_the_hypotheses_prove_nothing() -> None:
    apart = setting.instance(np.eye(3), noise=1.0, axes=np.ones((2, 3)), pulls=np.ones((2, 3)))
    swap = np.array([[0.0, 1.0], [1.0, 0.0]])

    assert np.isnan(ratio(theorem("ap-sc"), {**apart, "start": [[0.0] * 3] * 2}))
    assert np.isnan(ratio(theorem("consensus"), {**apart, "update": "published"}))
    assert np.isnan(ratio(theorem("eg-sc"), setting.instance(swap, noise=1.0, axes=np.ones((2, 2)))))


# ---- what they are made of ----


@pytest.mark.parametrize("n", [2, 5, 8])
def test_drawn_and_changed_networks_are_doubly_stochastic(n: int) -> None:
    rng = RNG(n)
    W = Mixings().draw(40, n, rng)
    for _ in range(3):
        W = Mixings().change(W, n, rng)
        np.testing.assert_allclose(W, np.swapaxes(W, 1, 2), atol=1e-15)
        np.testing.assert_allclose(W.sum(axis=1), 1, atol=1e-14)
        assert W.min() >= -1e-15
    directed = RowMixings().change(RowMixings().draw(40, n, rng), n, rng)
    np.testing.assert_allclose(directed.sum(axis=2), 1, atol=1e-14)
    assert np.diagonal(directed, axis1=1, axis2=2).min() >= 0.02 - 1e-15


def test_figures_are_those_of_the_theory() -> None:
    W = ring(8)
    of, known = figures(W[None]), mixing(W)
    for name in ("lambda_2", "lambda_n", "mixing_rate", "spectral_gap", "mixing_gap", "mixing_strength", "pull"):
        assert getattr(of, name)[0] == pytest.approx(getattr(known, name))
    assert of.mixing_pull[0] == pytest.approx(known.mixing_pull)
    assert gossip_sums(of.eigenvalues[:, :-1])[0] == pytest.approx(known.gossip_sum, rel=1e-9)


def _sampled(id: str, n: int, **words: str) -> dict[str, Array]:
    batch = dict(FAMILIES[id].sample(4, n, RNG(n)))
    rng = RNG(n + 1)
    mild = {name: rng.standard_normal((4, 2, n)) for name in ("start", "pulls") if name in batch}
    thresholds = {name: np.full(4, 0.3) for name in ("threshold", "tracker_threshold") if name in batch}
    return {**batch, **mild, **thresholds, **{name: np.full(4, word) for name, word in words.items()}}


def _workers(net: setting.Network, i: int) -> Quadratic:
    centres = -np.linalg.solve(net.hessians[i], net.pulls[i][..., None])[..., 0]
    return quadratic(net.hessians[i], centres)


@pytest.mark.parametrize("update", ["published", "average-preserving"])
@pytest.mark.parametrize("n", [2, 5])
def test_runs_are_those_of_the_solver(n: int, update: str) -> None:
    batch = _sampled("ev-sc-mean", n, adversary="triggered")
    batch["spectra"] = np.maximum(batch["spectra"], 0.1)
    net = setting.network(batch, pulls=disagreement.balanced_pulls(batch))
    steps = np.full(4, 0.3)
    start = setting.rows(batch["start"])
    path = setting.simulate(net, steps, batch["threshold"], batch, start, published=update == "published")
    for i in range(4):
        method = EventTriggeredGradient(net.W[i], DifferenceNorm(Constant(0.3)), 0.3, update, measure_error=True)
        run = run_decentralised(
            method, _workers(net, i), setting.ITERATIONS, start[i], record={"points": lambda state: state.points}
        )
        assert 0 < run.message_share < 1
        np.testing.assert_allclose(path.points[i], run.recorded["points"], atol=1e-9)
        np.testing.assert_allclose(np.linalg.norm(path.errors[i], axis=(1, 2)), run.error, atol=1e-9)


def test_displaced_copies_stay_within_the_threshold() -> None:
    for kind in setting.ADVERSARIES:
        batch = _sampled("eg-sc", 5, adversary=kind)
        net = setting.network(batch)
        path = setting.simulate(net, np.full(4, 0.1), batch["threshold"], batch, setting.rows(batch["start"]))
        allowed = 0.3 * (1 - np.diagonal(net.W, axis1=1, axis2=2))[:, None]
        sizes = np.linalg.norm(path.errors, axis=-1)

        assert np.all(sizes <= allowed + 1e-12)
        assert np.max(sizes) > 0.05


def test_covariance_is_the_sum_of_all_impulses() -> None:
    batch = _sampled("ev-sc-mean", 3)
    net = setting.network(batch)
    axes, sigma, steps = disagreement.noise_axes(batch), np.full(4, 0.7), np.full(4, 0.2)
    covariance = setting.spread(net, steps, axes, sigma, iterations=5)
    for i in range(4):
        A = np.kron(net.W[i], np.eye(2))
        for worker in range(3):
            A[2 * worker : 2 * worker + 2, 2 * worker : 2 * worker + 2] -= 0.2 * net.hessians[i, worker]
        impulses = np.zeros((6, 3))
        for worker in range(3):
            impulses[2 * worker : 2 * worker + 2, worker] = 0.2 * 0.7 * axes[i, worker]
        parts = [np.linalg.matrix_power(A, t) @ impulses for t in range(5)]

        np.testing.assert_allclose(covariance[i, 5].reshape(6, 6), sum(p @ p.T for p in parts), atol=1e-12)


def test_fixed_points_are_those_of_the_solver() -> None:
    batch = _sampled("dgd-bias", 4)
    batch["spectra"] = np.maximum(batch["spectra"], 0.1)
    batch["W"] = (batch["W"] + np.eye(4)) / 2
    net = setting.network(batch, pulls=setting.rows(batch["pulls"]))
    found = published.fixed_point(net, np.full(4, 0.4))
    for i in range(4):
        known, error = fixed_point(_workers(net, i), net.W[i], 0.4, mu=0.1)
        np.testing.assert_allclose(found[i], known, atol=1e-9 + 10 * error)


def test_tracking_is_that_of_the_solver() -> None:
    batch = _sampled("event-gt", 4, adversary="triggered")
    batch["spectra"], batch["tilts"] = np.ones((4, 2, 4)), np.zeros((4, 2, 4))
    net = setting.network(batch, common=True, pulls=setting.rows(batch["pulls"]))
    gamma, threshold = np.full(4, 0.1), DifferenceNorm(Constant(0.3))
    points, trackers = preserving.track(net, gamma, batch["threshold"], batch["tracker_threshold"], batch)
    for i in range(4):
        run = run_decentralised(
            EventTracking(net.W[i], threshold, threshold, 0.1), _workers(net, i), setting.ITERATIONS,
            setting.rows(batch["start"])[i],
        )  # fmt: skip
        np.testing.assert_allclose(points[i, -1], run.state.points, atol=1e-8)
        np.testing.assert_allclose(trackers[i, -1], run.state.trackers.points, atol=1e-8)


@pytest.mark.parametrize("example", [CHECKERBOARD, LATE_ROUND_ROBIN], ids=["checkerboard", "late"])
def test_a_period_is_the_exact_matrix(example: object) -> None:
    size = example.matrix().rows  # type: ignore[attr-defined]
    images = ages.period(example, np.eye(size))  # type: ignore[arg-type]
    np.testing.assert_allclose(images.T, np.array(example.matrix(), dtype=float), atol=1e-12)  # type: ignore[attr-defined]


@pytest.mark.parametrize("horizon", [0.9, 1.0, 1.05])
def test_the_adaptive_rule_is_that_of_the_solver(horizon: float) -> None:
    norms = np.abs(np.cumsum(RNG(3).standard_normal((3, 150)), axis=1)) + 5
    tensors, trigger = Tensors.whole(1), Adaptive(horizon)
    memory, copy_norms, fired = trigger.start(3, tensors), np.zeros((3, 1)), []
    for k in range(150):
        points = norms[:, [k]]
        look = Look(k, points, points, tensors, copy_norms, np.zeros((3, 1), dtype=int))
        fires, memory = trigger.fires(look, memory)
        copy_norms = np.where(fires, look.norms, copy_norms)
        fired.append(fires[:, 0])

    np.testing.assert_array_equal(triggers.adaptive_events(norms, np.full(3, horizon)), np.stack(fired, axis=1))
