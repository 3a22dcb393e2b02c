"""Decentralised methods against their definitions written out, and against their theorems."""

from __future__ import annotations

import numpy as np
import pytest
from decentralised_cases import LAYERS, TRIGGERS, ring, workers

from taciturn.solvers.compressors import QSGD, TopK
from taciturn.solvers.decentralised import (
    Adaptive,
    Always,
    Compressed,
    CompressedEvents,
    Constant,
    DifferenceNorm,
    EventTracking,
    EventTriggeredGradient,
    Every,
    Forced,
    Geometric,
    HorizonWarning,
    NormAndAngle,
    NormDifference,
    Path,
    Relative,
    Sparsified,
    Tensors,
    fixed_point,
    posterior_bound,
    run_decentralised,
)
from taciturn.solvers.methods import Noisy
from taciturn.solvers.problems import quadratic
from taciturn.theory import theorem
from taciturn.theory.mixing import mixing


@pytest.mark.parametrize("name", TRIGGERS)
@pytest.mark.parametrize("update", ["published", "average-preserving"])
def test_steps_are_what_the_definition_says(name, update) -> None:
    """The same run written out worker by worker, with the events of the run."""
    problem, W, gamma = workers(), ring().toarray(), 0.2
    method = EventTriggeredGradient(W, TRIGGERS[name], gamma, update=update, tensors=LAYERS)
    result = run_decentralised(method, problem, 40, record={"points": lambda state: state.points})
    x = np.zeros((6, 5))
    copies = x.copy()
    for k in range(40):
        assert result.recorded["points"][k] == pytest.approx(x, rel=1e-9, abs=1e-12)
        gradients = problem.local_gradients(x)
        for i, b in zip(*np.nonzero(result.events[k]), strict=True):
            copies[i, LAYERS.slices[b]] = x[i, LAYERS.slices[b]]
        following = np.empty_like(x)
        for i in range(6):
            others = [j for j in range(6) if j != i]
            if update == "published":
                following[i] = W[i, i] * x[i] + sum(W[i, j] * copies[j] for j in others)
            else:
                following[i] = x[i] + sum(W[i, j] * (copies[j] - copies[i]) for j in others)
            following[i] -= gamma * gradients[i]
        x = following
    assert result.bits[0] == pytest.approx(result.events[0] @ np.array([3, 2]) * 64.0)


@pytest.mark.parametrize(
    ("trigger", "bound"),
    [
        (DifferenceNorm(Constant(0.05)), 0.05),
        (Path(Constant(0.05)), 0.05),
        (NormAndAngle(Constant(0.03), Constant(0.04)), 0.05),
    ],
)
def test_copies_used_in_the_mixing_are_within_the_threshold(trigger, bound) -> None:
    """``|E|`` is at most a_W times the threshold; with weights 1/3 the mean of copies moves at most 2/3 of it."""
    figures = mixing(ring())
    method = EventTriggeredGradient(ring(), trigger, 0.2, measure_error=True)
    result = run_decentralised(method, workers(), 200)
    assert np.max(result.error) <= figures.mixing_pull * bound
    assert np.max(result.error) > 0.2 * figures.mixing_pull * bound
    assert 0 < result.message_share < 0.9


def test_forced_messages_bound_the_age() -> None:
    method = EventTriggeredGradient(ring(), Forced(NormDifference(Constant(1e6)), every=5), 0.2)
    result = run_decentralised(method, workers(), 50)
    assert np.max(result.staleness) == 4
    assert np.flatnonzero(result.events[:, 0, 0]).tolist() == list(range(4, 50, 5))


def test_the_adaptive_rule_is_the_published_program() -> None:
    """The rule written out for one tensor, on the norms of the run itself."""
    rule = Adaptive(horizon=1.01, warm_up=7)
    method = EventTriggeredGradient(ring(), rule, 0.1, oracle=Noisy(0.3))
    result = run_decentralised(method, workers(), 150, record={"x": lambda state: state.points})
    for i in range(6):
        last, last_pass, threshold, slopes = np.linalg.norm(result.recorded["x"][0, i]), 0, 0.0, [0.0, 0.0]
        for k in range(1, 151):
            change = abs(np.linalg.norm(result.recorded["x"][k - 1, i]) - last)
            threshold *= 1.01
            fires = change >= threshold or k <= 7
            assert result.events[k - 1, i, 0] == fires
            if fires:
                slopes = [slopes[1], change / (k - last_pass)]
                threshold, last, last_pass = sum(slopes) / 2, np.linalg.norm(result.recorded["x"][k - 1, i]), k


def test_the_average_preserving_update_preserves_the_average() -> None:
    problem = quadratic(np.zeros((6, 5)), np.zeros((6, 5)))  # no gradients
    x0 = np.random.default_rng(0).standard_normal((6, 5))
    method = EventTriggeredGradient(ring(), DifferenceNorm(Constant(0.3)), 1.0, "average-preserving", damping=0.5)
    result = run_decentralised(method, problem, 50, x0=x0)
    assert result.state.average == pytest.approx(np.mean(x0, axis=0))
    published = run_decentralised(EventTriggeredGradient(ring(), Every(3), 1.0), problem, 50, x0=x0)
    assert published.state.average == pytest.approx(np.mean(x0, axis=0), abs=1)


def test_the_run_meets_its_theorem_and_its_posterior() -> None:
    problem, W = workers(), ring()
    figures = mixing(W)
    curvatures = [np.linalg.eigvalsh(H) for H in problem.hessians]
    mu = float(min(values[0] for values in curvatures))
    L = float(max(values[-1] for values in curvatures)) * (1 + 1e-9)
    gamma = (1 + figures.lambda_n) / (L + mu)
    X, accuracy = fixed_point(problem, W, gamma, mu)
    method = EventTriggeredGradient(W, DifferenceNorm(Constant(0.02)), gamma, measure_error=True)
    result = run_decentralised(
        method, problem, 200, record={"distance": lambda state: np.linalg.norm(state.points - X)}
    )
    distance, start = result.recorded["distance"], float(np.linalg.norm(X))
    posterior = posterior_bound(result.error, start, W=W, step_size=gamma, L=L, mu=mu)
    bound = theorem("eg-sc").evaluate(
        L=L, mu=mu, lambda_n=figures.lambda_n, step_size=gamma, mixing_pull=figures.mixing_pull,
        trigger_threshold=0.02, gradient_noise=0, workers=6,
    )  # fmt: skip
    assert np.all(distance <= posterior + accuracy)
    assert np.all(posterior <= bound.bound(np.arange(201), start) * (1 + 1e-12))
    # A posterior of smaller errors is violated: it is not loose by construction.
    assert np.any(distance > posterior_bound(0.05 * result.error, 0.9 * start, W=W, step_size=gamma, L=L, mu=mu))


def test_sparsified_events_overwrite_the_largest_changes() -> None:
    rng = np.random.default_rng(0)
    points, copies = rng.standard_normal((2, 3, 5))
    fires = np.array([[True, False], [False, False], [True, True]])
    after, bits = Sparsified(0.5).send(points, copies, fires, LAYERS, None)
    assert np.array_equal(after[1], copies[1])
    for i, part, k in ((0, slice(0, 3), 2), (2, slice(0, 3), 2), (2, slice(3, 5), 1)):
        changed = np.flatnonzero(after[i, part] != copies[i, part])
        largest = np.argsort(-np.abs(points - copies)[i, part])[:k]
        assert sorted(changed) == sorted(largest)
        assert np.array_equal(after[i, part][changed], points[i, part][changed])
    assert bits.tolist() == [2 * (64 + 2), 0, 2 * (64 + 2) + 64 + 1]


def test_compressed_events_move_copies_by_the_message() -> None:
    rng = np.random.default_rng(1)
    points, copies = rng.standard_normal((2, 3, 5))
    fires = np.array([[True], [False], [True]])
    after, bits = Compressed(TopK(2)).send(points, copies, fires, Tensors.whole(5), None)
    for i in (0, 2):
        assert after[i] == pytest.approx(copies[i] + TopK(2)(points[i] - copies[i]))
    assert np.array_equal(after[1], copies[1])
    assert bits[1] == 0 < bits[0]


@pytest.mark.parametrize("compressor", [TopK(2), QSGD(4)])
def test_compressed_events_preserve_the_average_and_converge(compressor) -> None:
    problem = workers()
    figures = mixing(ring())
    method = CompressedEvents(
        ring(), DifferenceNorm(Constant(1e-3)), compressor, step_size=0.05, damping=0.2, oracle=Noisy(0.0)
    )
    result = run_decentralised(method, problem, 400, record_every=100)
    assert result.value[-1] - problem.minimum < 2e-3
    assert figures.mixing_gap > 0
    assert result.bits.sum() < 400 * 6 * 64 * 5


def test_tracking_reaches_the_minimiser_itself() -> None:
    problem, W = workers(), ring()
    figures = mixing(W)
    L = float(max(np.linalg.eigvalsh(H)[-1] for H in problem.hessians))
    gamma = theorem("event-gt").evaluate(
        L=L, mu=problem.mu, spectral_gap=figures.spectral_gap, mixing_strength=figures.mixing_strength,
        trigger_threshold=0, tracker_threshold=0, workers=6,
    ).step_size  # fmt: skip
    factor = 1 - gamma * problem.mu / 4
    trigger = DifferenceNorm(Geometric(0.1, factor))
    method = EventTracking(W, trigger, trigger, gamma)
    result = run_decentralised(method, problem, 3000, record_every=1500)
    distance = np.linalg.norm(result.state.points - problem.minimiser)
    assert distance < 0.02
    assert 0 < result.message_share < 0.7
    plain = EventTriggeredGradient(W, Always(), gamma)
    biased = run_decentralised(plain, problem, 3000, record_every=3000).state.points
    assert np.linalg.norm(biased - problem.minimiser) > 5 * distance
    trackers = result.state.trackers.points
    assert np.mean(trackers, axis=0) == pytest.approx(np.mean(result.state.gradients, axis=0), abs=1e-9)


def test_nothing_is_copied_where_nothing_is_sent() -> None:
    problem = workers()
    method = EventTriggeredGradient(ring(), DifferenceNorm(Constant(1e9)), 0.1)
    result = run_decentralised(method, problem, 3)
    state = result.state
    assert state.copies is not state.points
    following = method.step(problem, state, None)
    assert following.copies is state.copies
    assert following.mixed is state.mixed


def test_a_run_that_diverges_ends() -> None:
    result = run_decentralised(EventTriggeredGradient(ring(), Always(), 1e3), workers(), 2000)
    assert result.iterations < 2000
    assert not np.isfinite(result.value[-1])


def test_torch_gives_the_same() -> None:
    torch = pytest.importorskip("torch")
    problem = workers()
    like = torch.zeros(1, dtype=torch.float64)
    for content in (None, Sparsified(0.4)):
        options = {} if content is None else {"content": content}
        method = EventTriggeredGradient(ring(), DifferenceNorm(Constant(0.05)), 0.2, tensors=LAYERS, **options)
        ours = run_decentralised(method, problem, 30)
        theirs = run_decentralised(method, problem.on(like), 30)
        assert np.array_equal(ours.events, theirs.events)
        assert theirs.state.points.numpy() == pytest.approx(ours.state.points, abs=1e-12)


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (lambda: EventTriggeredGradient(np.eye(2) * 0.5, Always(), 0.1), ValueError, "row 0"),
        (lambda: EventTriggeredGradient(ring(), Always(), -1.0), ValueError, "step_size"),
        (lambda: EventTriggeredGradient(ring(), Always(), 0.1, "other"), ValueError, "update"),
        (lambda: EventTriggeredGradient(ring(), Always(), 0.1, damping=0.5), ValueError, "damping"),
        (lambda: Constant(-1.0), ValueError, "c"),
        (lambda: Constant(float("nan")), ValueError, "c"),
        (lambda: Geometric(1.0, 1.5), ValueError, "factor"),
        (lambda: Forced(Always(), 0), ValueError, "every"),
        (lambda: Adaptive(horizon=-1.0), ValueError, "horizon"),
        (lambda: Adaptive(measure="x"), ValueError, "measure"),
        (lambda: Sparsified(0.0), ValueError, "fraction"),
        (lambda: Tensors(("a",), (1, 2)), ValueError, "equally many"),
        (lambda: Tensors.of({"a": 0}), ValueError, "size of a"),
        (
            lambda: run_decentralised(EventTriggeredGradient(ring(5), Always(), 0.1), workers(), 1),
            ValueError,
            "5 workers",
        ),
        (
            lambda: run_decentralised(EventTriggeredGradient(ring(), Always(), 0.1), workers(), 1, np.ones(3)),
            ValueError,
            "x0",
        ),
        (
            lambda: run_decentralised(
                EventTriggeredGradient(ring(), Always(), 0.1, tensors=Tensors.whole(4)), workers(), 1
            ),
            ValueError,
            "4 entries",
        ),
        (
            lambda: run_decentralised(
                EventTriggeredGradient(np.full((2, 2), 0.5), Always(), 0.1),
                quadratic(np.ones((2, 1)), np.zeros((2, 1)), [0.3, 0.7]),
                1,
            ),
            ValueError,
            "weights from 0.3 to 0.7",
        ),
        (
            lambda: run_decentralised(
                EventTriggeredGradient(ring(), Always(), 0.1), workers(), 1, record={"value": id}
            ),
            ValueError,
            "record names",
        ),
        (lambda: posterior_bound(np.array([np.nan]), 1.0, W=ring(), step_size=0.1, L=1, mu=1), ValueError, "errors"),
        (lambda: fixed_point(workers(), ring(), 0.1, mu=0.0), ValueError, "mu"),
        (lambda: fixed_point(workers(), ring(), 0.01, mu=0.3, iterations=2), RuntimeError, "after 2 iterations"),
        (lambda: EventTracking(ring(), Relative(0.1), Always(), 0.1), ValueError, "gradient steps"),
        (lambda: EventTracking(ring(), Always(), Always(), -1.0), ValueError, "step_size = -1"),
        (lambda: EventTracking(np.eye(2) * 0.5, Always(), Always(), 0.1), ValueError, "row 0"),
        (lambda: CompressedEvents(ring(), Always(), TopK(1), -1.0, 0.5), ValueError, "step_size = -1"),
        (lambda: CompressedEvents(ring(), Always(), TopK(1), 0.1, 1.5), ValueError, "damping = 1.5"),
        (lambda: CompressedEvents(np.eye(2) * 0.5, Always(), TopK(1), 0.1, 0.5), ValueError, "row 0"),
    ],
)
def test_bad_input_is_refused(make, error, message) -> None:
    with pytest.raises(error, match=message):
        make()


@pytest.mark.parametrize("update", ["published", "average-preserving"])
def test_late_messages_are_used_late_by_both_ends(update) -> None:
    """The run written out with copies of three iterations before."""
    problem, W, gamma, latency = workers(), ring().toarray(), 0.1, 3
    method = EventTriggeredGradient(
        W, DifferenceNorm(Constant(0.05)), gamma, update, latency=latency, measure_error=True
    )
    result = run_decentralised(method, problem, 40, record={"x": lambda state: state.points})
    x, sent = np.zeros((6, 5)), [np.zeros((6, 5))] * latency
    for k in range(40):
        assert result.recorded["x"][k] == pytest.approx(x, rel=1e-9, abs=1e-12)
        record = sent[-1].copy()
        record[result.events[k, :, 0]] = x[result.events[k, :, 0]]
        sent.append(record)
        used = sent[-1 - latency]
        own = np.diag(np.diag(W)) if update == "published" else np.eye(6)
        others = W - np.diag(np.diag(W)) if update == "published" else W - np.eye(6)
        assert result.error[k] == pytest.approx(np.linalg.norm(others @ (used - x)))
        x = own @ x + others @ used - gamma * problem.local_gradients(x)
    movement = np.max(np.linalg.norm(np.diff(result.recorded["x"], axis=0), axis=2))
    bound = theorem("latency-staleness").evaluate(trigger_threshold=0.05, latency=latency, movement=movement).value
    figures = mixing(W)
    factor = figures.mixing_pull if update == "published" else figures.mixing_strength * np.sqrt(6)
    assert np.max(result.error) <= factor * bound


def test_a_horizon_beyond_the_limit_of_the_theorem_is_warned_of() -> None:
    limit = float(np.asarray(theorem("horizon-lockout").evaluate().value))
    Adaptive(np.nextafter(limit, 0))
    Adaptive(1.5, compounding=False)
    with pytest.warns(HorizonWarning, match=f"{limit:.5g}"):
        Adaptive(limit + 1e-6)
