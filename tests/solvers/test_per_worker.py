"""Senders in which every worker has a compression of its own."""

import math

import numpy as np
import pytest

from taciturn.solvers import passes
from taciturn.solvers.array import Stream, to_numpy
from taciturn.solvers.compressors import QSGD, HardThreshold, Identity, RandK, ScaledSign, TopK
from taciturn.solvers.methods import (
    EF21,
    Dense,
    ErrorFeedback,
    Fixed,
    MiniBatch,
    Noisy,
    PerWorker,
    PerWorkerRandK,
    PerWorkerSender,
    PerWorkerThresholds,
    PerWorkerTopK,
    convex_step_size,
    ef21_step_size,
    run,
    worker_guarantees,
)
from taciturn.solvers.methods.entries import reaching_positions
from taciturn.solvers.methods.per_worker import weakest
from taciturn.solvers.partition import split_by_volume
from taciturn.solvers.problems import heterogeneous_quadratic, logistic_regression, quadratic
from taciturn.theory import theorem
from taciturn.theory.communication import AffineCost
from taciturn.theory.compression import Absolute, Contractive, Unbiased
from taciturn.theory.memory_constants import memory_constants

N, D = 5, 12
WEIGHTS = np.array([0.5, 0.2, 0.15, 0.1, 0.05])
COUNTS = (1, 3, 12, 3, 7)
LEVELS = (0.5, 1.0, 0.1, 2.0, 9.0)
PROBLEM = heterogeneous_quadratic(N, D, L=1.0, mu=0.1, spread=1.0, seed=2, weights=WEIGHTS)
START = np.random.default_rng(0).standard_normal(D)
AFFINE = AffineCost(c0=40, c1=36)

DETERMINISTIC = {
    "top-k": (PerWorkerTopK(COUNTS), [TopK(k) for k in COUNTS]),
    "top-k, priced": (PerWorkerTopK(COUNTS, AFFINE), [TopK(k) for k in COUNTS]),
    "thresholds": (PerWorkerThresholds(LEVELS), [HardThreshold(level) for level in LEVELS]),
    "mixed": (PerWorker([TopK(2), Identity(), ScaledSign(3), TopK(2), TopK(1)]), None),
    "mixed, priced": (PerWorker([TopK(2), ScaledSign(3), TopK(1), TopK(2), TopK(1)], AFFINE), None),
}
SENDERS = {
    **{name: sender for name, (sender, _) in DETERMINISTIC.items()},
    "rand-k": PerWorkerRandK(COUNTS),
    "rand-k, unscaled": PerWorkerRandK(COUNTS, scaled=False),
    "mixed, random": PerWorker([RandK(2), QSGD(2), RandK(2), RandK(5), QSGD(2)]),
}
every_sender = pytest.mark.parametrize("sender", SENDERS.values(), ids=SENDERS)


def vectors(*batch: int) -> np.ndarray:
    """Vectors of the workers, among them zero and one with ties."""
    v = np.random.default_rng(1).standard_normal((*batch, N, D))
    v[..., 1, :] = np.round(v[..., 1, :])
    v[..., 4, :] = 0.0
    return v


# ---- what is sent ----


@pytest.mark.parametrize("name", DETERMINISTIC)
@pytest.mark.parametrize("batch", [(), (3,), (2, 3)], ids=str)
def test_messages_are_those_of_a_loop_over_workers(name, batch):
    sender, compressors = DETERMINISTIC[name]
    v = vectors(*batch)
    sent = sender.send(v, WEIGHTS, Stream(0))
    for i, compressor in enumerate(sender.compressors if compressors is None else compressors):
        alone = Fixed(compressor, sender.cost).send(v[..., i : i + 1, :], WEIGHTS, Stream(0))
        np.testing.assert_array_equal(sent.vectors[..., i, :], alone.vectors[..., 0, :])
        np.testing.assert_array_equal(sent.cost[..., i], alone.cost[..., 0])
        np.testing.assert_array_equal(sent.sparsity[..., i], alone.sparsity[..., 0])
        np.testing.assert_allclose(sent.coefficient[..., i], alone.coefficient[..., 0], rtol=1e-13, atol=1e-15)
    assert sent.vectors.shape == v.shape
    assert np.all(sent.cost[..., 4] == 0)


@every_sender
def test_every_library_sends_the_same(sender, xp):
    given = vectors(2).astype(np.float32)
    v = xp(given)
    sent, expected = (sender.send(array, array[0, :, 0], Stream(3)) for array in (v, given))
    xp.assert_in_kind(sent.vectors, v, given.shape)
    np.testing.assert_array_equal(to_numpy(v), given)
    np.testing.assert_allclose(to_numpy(sent.vectors), expected.vectors, rtol=1e-6)
    np.testing.assert_array_equal(sent.cost, expected.cost)
    np.testing.assert_allclose(sent.coefficient, expected.coefficient, rtol=1e-5, atol=1e-7)


@pytest.mark.parametrize("chunk", [1, 7, 30, 10**6])
def test_pieces_change_nothing(chunk, monkeypatch):
    """Rows are cut into pieces, and put together, at any size of the cache."""
    v = vectors(3)
    expected = {name: sender.send(v, WEIGHTS, Stream(0)) for name, sender in SENDERS.items()}
    monkeypatch.setattr(passes, "CHUNK", chunk)
    for name, sender in SENDERS.items():
        sent = sender.send(v, WEIGHTS, Stream(0))
        np.testing.assert_array_equal(sent.vectors, expected[name].vectors)
        np.testing.assert_array_equal(sent.sparsity, expected[name].sparsity)


def test_long_vectors_are_selected_from_exactly():
    v = np.round(np.random.default_rng(4).standard_normal((3, 50_000)), 2)
    sent = PerWorkerTopK([10, 2000, 49_999]).send(v, np.ones(3) / 3, Stream(0))
    for i, k in enumerate([10, 2000, 49_999]):
        np.testing.assert_array_equal(sent.vectors[i], TopK(k)(v[i]))


def test_random_k_is_unbiased_with_the_declared_moments():
    v = np.broadcast_to(np.linspace(0.5, 2.0, D), (4000, N, D))
    for sender in (PerWorkerRandK(COUNTS), PerWorkerRandK(COUNTS, scaled=False)):
        sent = sender.send(v, WEIGHTS, Stream(0))
        delta = np.array(COUNTS) / D
        np.testing.assert_array_equal(sent.sparsity, np.broadcast_to(COUNTS, (4000, N)))
        mean = v[0] if sender.scaled else v[0] * delta[:, None]
        np.testing.assert_allclose(sent.vectors.mean(axis=0), mean, atol=6 * 2 * np.max(1 / delta) / math.sqrt(4000))
        error = np.mean(np.sum((sent.vectors - v) ** 2, axis=-1), axis=0) / np.sum(v[0] ** 2, axis=-1)
        np.testing.assert_allclose(error, 1 / delta - 1 if sender.scaled else 1 - delta, rtol=0.05, atol=1e-12)
        expected = np.broadcast_to(delta, (4000, N)) if sender.scaled else 1 - error
        np.testing.assert_allclose(sent.coefficient.mean(axis=0), np.mean(np.atleast_2d(expected), axis=0), rtol=1e-9)


def test_workers_and_replicas_draw_their_own_coins():
    sent = PerWorkerRandK([2] * N).send(np.ones((4, N, D)), WEIGHTS, Stream(0))
    assert len({tuple(np.flatnonzero(row)) for row in sent.vectors.reshape(-1, D)}) > 10


def test_thresholds_in_single_precision_decide_as_in_double():
    """0.1 in single precision is above 0.1: an entry of 0.1f is sent at the threshold 0.1, and not just above it."""
    v = np.full((2, 3), 0.1, dtype=np.float32)
    level = float(np.float32(0.1))
    below, above = math.nextafter(level, 0.0), math.nextafter(level, 1.0)
    assert reaching_positions(v, [0.1, level]).size == 6
    assert reaching_positions(v, [below, above]).tolist() == [0, 1, 2]


def test_squares_that_vanish_or_overflow_are_measured_alike():
    v = vectors()[:4]
    for scale in (2.0**-600, 2.0**500):
        sender = PerWorkerTopK(COUNTS[:4])
        sent, usual = (sender.send(s * v, WEIGHTS[:4], Stream(0)) for s in (scale, 1.0))
        np.testing.assert_allclose(sent.coefficient, usual.coefficient, rtol=1e-12)


# ---- guarantees ----


@pytest.mark.parametrize(
    ("sender", "each", "worst"),
    [
        (PerWorkerTopK([1, 4]), (Contractive(0.25, projection=True), Contractive(1.0, projection=True)), 0),
        (PerWorkerRandK([1, 4]), (Unbiased(3.0), Unbiased(0.0)), 0),
        (PerWorkerRandK([4, 1], False), (Contractive(1.0, projection=True), Contractive(0.25, projection=True)), 1),
        (PerWorkerThresholds([0.5, 2.0]), (Absolute(1.0), Absolute(4.0)), 1),
        (PerWorker([TopK(2), Identity()]), (Contractive(0.5, projection=True), Unbiased(0.0)), 0),
        (PerWorker([RandK(2), RandK(1)]), (Unbiased(1.0), Unbiased(3.0)), 1),
        (PerWorker([HardThreshold(1.0), HardThreshold(0.5)]), (Absolute(2.0), Absolute(1.0)), 0),
    ],
)
def test_guarantees(sender, each, worst):
    assert isinstance(sender, PerWorkerSender)
    assert sender.guarantees(4) == each == worker_guarantees(sender, 4, 2)
    assert sender.guarantee(4) == each[worst]


def test_a_uniform_sender_guarantees_the_same_to_all():
    assert worker_guarantees(Fixed(TopK(2)), 4, 3) == (Contractive(0.5, projection=True),) * 3
    assert not isinstance(Fixed(TopK(2)), PerWorkerSender)


@every_sender
def test_guarantees_hold(sender):
    """For the mean over many coins at some vectors, with the certified constants of each worker."""
    v = np.broadcast_to(vectors(), (2000, N, D))
    error = np.mean(np.sum((sender.send(v, WEIGHTS, Stream(5)).vectors - v) ** 2, axis=-1), axis=0)
    for guarantee, found, square in zip(sender.guarantees(D), error, np.sum(v[0] ** 2, axis=-1), strict=True):
        assert found <= guarantee.squared_error(square) * 1.1 + 1e-12


def test_no_class_stands_for_several():
    with pytest.raises(ValueError, match="classes Contractive, Unbiased"):
        weakest((Contractive(0.5), Unbiased(1.0)))


def test_fractions_round_down_to_no_less_than_one():
    """Floor of delta d, and products such as 0.29 * 100 = 28.999... that are whole but for rounding stay whole."""
    assert PerWorkerTopK.of_fractions([0.29, 0.57, 1.0, 0.001, 0.999], 100).counts == (29, 57, 100, 1, 99)
    for d in (7, 100, 9999):
        k = np.arange(1, d + 1)
        assert PerWorkerRandK.of_fractions(k / d, d).counts == tuple(k)


# ---- in the methods ----


def iterates(method, problem, iterations, **options):
    return run(method, problem, iterations, record={"x": lambda state: state.x}, **options)


@pytest.mark.parametrize("name", DETERMINISTIC)
def test_error_feedback_is_the_loop_over_workers(name):
    sender, compressors = DETERMINISTIC[name]
    compressors = sender.compressors if compressors is None else compressors
    x, e, gamma = START.copy(), np.zeros((N, D)), 0.1
    found = iterates(ErrorFeedback(sender, gamma), PROBLEM, 30, x0=START).recorded["x"]
    for k in range(30):
        gradients, step = PROBLEM.worker_gradients(x), np.zeros(D)
        for i in range(N):
            v = e[i] + gradients[i]
            m = compressors[i](v)
            e[i] = v - m
            step += WEIGHTS[i] * m
        x = x - gamma * step
        np.testing.assert_allclose(found[k + 1], x, rtol=1e-10, atol=1e-13)


@pytest.mark.parametrize("first", [None, Dense()], ids=["zeros", "exact start"])
def test_ef21_is_the_loop_over_workers(first):
    sender, compressors = DETERMINISTIC["top-k"]
    gamma, x = 0.1, START.copy()
    found = iterates(EF21(sender, gamma, first_sender=first), PROBLEM, 30, x0=START)
    gradients = PROBLEM.worker_gradients(x)
    G = gradients if first else np.stack([C(g) for C, g in zip(compressors, gradients, strict=True)])
    np.testing.assert_array_equal(found.recorded["x"][1], x)
    for k in range(1, 30):
        x = x - gamma * WEIGHTS @ G
        np.testing.assert_allclose(found.recorded["x"][k + 1], x, rtol=1e-10, atol=1e-13)
        difference = PROBLEM.worker_gradients(x) - G
        G = G + np.stack([C(v) for C, v in zip(compressors, difference, strict=True)])
    full = N * D * 64
    assert found.cost[0].sum() == (full if first else sender.send(gradients, WEIGHTS, Stream(0)).cost.sum())
    assert found.cost[1].sum() < full


RIDGES = logistic_regression(
    np.random.default_rng(3).standard_normal((60, D)), np.where(np.arange(60) % 3, 1.0, -1.0), 0.05
).split(split_by_volume(60, WEIGHTS, seed=0))


@pytest.mark.parametrize("oracle", [Noisy(0.3), MiniBatch(2)], ids=repr)
@every_sender
def test_virtual_iterate_moves_by_what_the_workers_saw(sender, oracle):
    """ef-virtual-iterate with stochastic gradients: x~ <- x~ - gamma sum p_i g_i, whatever is sent."""
    gamma, method = 0.05, ErrorFeedback(sender, 0.05, oracle)
    state = method.init(RIDGES, START)
    for k in range(10):
        points = np.broadcast_to(state.x, (N, D))
        gradients = oracle.gradients(RIDGES, points, Stream(k))  # the oracle draws first, from the stream of the step
        virtual = state.x - gamma * WEIGHTS @ state.memory
        state = method.step(RIDGES, state, Stream(k))
        moved = state.x - gamma * WEIGHTS @ state.memory
        np.testing.assert_allclose(moved, virtual - gamma * WEIGHTS @ gradients, rtol=1e-11, atol=1e-13)


def test_what_was_sent_survives_the_step():
    """The memory may be made in place of what was wanted, but not of what was sent or of the state before."""
    for sender in SENDERS.values():
        method = ErrorFeedback(sender, 0.1)
        state = method.step(PROBLEM, method.init(PROBLEM, START), Stream(0))
        before, following = np.copy(state.memory), method.step(PROBLEM, state, Stream(1))
        wanted = state.gradients + before
        np.testing.assert_array_equal(state.memory, before)
        np.testing.assert_array_equal(following.sent.vectors, sender.send(wanted, WEIGHTS, Stream(1)).vectors)
        np.testing.assert_allclose(following.memory, wanted - following.sent.vectors, rtol=1e-15, atol=1e-15)


@pytest.mark.parametrize("name", SENDERS)
def test_torch_agrees_with_numpy(name):
    torch = pytest.importorskip("torch")
    x0 = torch.asarray(START)
    for method in (ErrorFeedback(SENDERS[name], 0.05), EF21(SENDERS[name], 0.05)):
        expected, found = run(method, PROBLEM, 10, x0=START), run(method, PROBLEM.on(x0), 10, x0=x0)
        assert type(found.state.memory) is torch.Tensor
        np.testing.assert_allclose(found.value, expected.value, rtol=1e-9)
        np.testing.assert_array_equal(found.cost, expected.cost)


@pytest.mark.parametrize("name", [*DETERMINISTIC])
def test_replicas_agree_with_single_runs(name):
    starts = np.random.default_rng(5).standard_normal((2, 3, D))
    for method in (ErrorFeedback(SENDERS[name], 0.1), EF21(SENDERS[name], 0.1, first_sender=Dense())):
        together = run(method, PROBLEM, 8, x0=starts)
        assert together.cost.shape == (8, 2, 3, N)
        for index in np.ndindex(2, 3):
            alone = run(method, PROBLEM, 8, x0=starts[index])
            np.testing.assert_allclose(together.value[:, *index], alone.value, rtol=1e-10)
            np.testing.assert_array_equal(together.sparsity[:, *index], alone.sparsity)


def test_oracles_in_ef21_see_the_new_point():
    method = EF21(Dense(), 0.1, Noisy(0.2))
    state = method.step(PROBLEM, method.init(PROBLEM, START), Stream(0))
    following = method.step(PROBLEM, state, Stream(1))
    points = np.broadcast_to(following.x, (N, D))
    np.testing.assert_allclose(following.memory, Noisy(0.2).gradients(PROBLEM, points, Stream(1)), rtol=1e-12)


def test_random_k_with_memory_diverges_or_converges_by_its_class():
    """Scaled rand-k is no contraction: with memory it blows up where the unscaled one converges."""
    scaled, unscaled = (
        run(ErrorFeedback(PerWorkerRandK([2] * N, scaled=scaled), 0.05), PROBLEM, 600, x0=START)
        for scaled in (True, False)
    )
    assert unscaled.gap[-1] < 0.05 * unscaled.gap[0]
    assert not scaled.gap[-1] < scaled.gap[0]


# ---- step sizes ----


def a(delta):
    q = np.sqrt(1 - delta)
    return q / (1 - q)


def test_default_step_of_ef21_is_that_of_the_theorem():
    delta, curvatures = np.array(COUNTS) / D, np.random.default_rng(6).random((N, D)) * ([1.0] * 11 + [0.0])
    flat = quadratic(curvatures, np.zeros((N, D)), WEIGHTS)
    A = WEIGHTS @ (flat.L_i * a(delta))
    expected = 2 / (flat.L + math.sqrt(flat.L**2 + 4 * A**2))
    assert flat.mu == 0
    assert ef21_step_size(PerWorkerTopK(COUNTS), flat) == pytest.approx(expected, rel=1e-12)
    A = WEIGHTS @ (PROBLEM.L_i * a(delta))
    expected = min(1 / (PROBLEM.L + math.sqrt(2) * A), (1 - math.sqrt(1 - delta.min())) / (2 * PROBLEM.mu))
    assert ef21_step_size(PerWorkerTopK(COUNTS), PROBLEM) == pytest.approx(expected, rel=1e-12)
    assert EF21(PerWorkerTopK(COUNTS)).init(PROBLEM, START).step_size == pytest.approx(expected, rel=1e-12)


def test_the_slowest_memory_limits_the_step_where_the_condition_number_is_small():
    """One light worker that sends little hardly moves A_L, but its memory must not outlive the rate."""
    problem = quadratic(np.ones((2, D)), np.zeros((2, D)), [0.999, 0.001])
    theta = 1 - math.sqrt(1 - 1 / D)
    for step_size in (ef21_step_size, convex_step_size):
        assert step_size(PerWorkerTopK([D, 1]), problem) == pytest.approx(theta / 2, rel=1e-12)


@pytest.mark.parametrize("first", [None, Dense()], ids=["zeros", "exact start"])
@pytest.mark.parametrize("counts", [COUNTS, (1, 1, 1, 1, 1), (2, 1, 12, 12, 1)], ids=str)
def test_ef21_potential_contracts_at_every_step(counts, first):
    """nuef21-pl-simple: Psi = gap + sum p_i kappa_i |G_i - grad f_i|^2 contracts by 1 - gamma mu; no lag if q_i = 0."""
    sender, delta = PerWorkerTopK(counts), np.array(counts) / D
    gamma = ef21_step_size(sender, PROBLEM)
    beta, q = math.sqrt(1 - gamma * PROBLEM.mu), np.sqrt(1 - delta)
    lagging = q / (beta - q)
    A = WEIGHTS @ (PROBLEM.L_i * lagging)
    kappa = np.divide(
        gamma / 2 * A, PROBLEM.L_i * lagging * beta * (beta - q), where=q > 0, out=np.zeros(N), dtype=float
    )

    def potential(state):
        lag = np.sum((state.memory - state.gradients) ** 2, axis=-1)
        assert state.sent is None or np.all(lag[q == 0] < 1e-20)
        return state.value - PROBLEM.minimum + WEIGHTS @ (kappa * lag)

    result = run(EF21(sender, first_sender=first), PROBLEM, 80, x0=START, record={"potential": potential})
    phi = result.recorded["potential"][1:]
    assert np.all(phi[1:] <= (1 - gamma * PROBLEM.mu) * phi[:-1] + 1e-14)


def test_convex_step_of_error_feedback_is_that_of_the_theorem_and_converges():
    sender, delta = PerWorkerTopK(COUNTS), np.array(COUNTS) / D
    A_2 = WEIGHTS @ (PROBLEM.L_i * a(delta) ** 2)
    expected = min(
        1 / (4 * PROBLEM.L), 0.3 / math.sqrt(PROBLEM.L * A_2), (1 - math.sqrt(1 - delta.min())) / (2 * PROBLEM.mu)
    )
    gamma = convex_step_size(sender, PROBLEM)
    assert gamma == pytest.approx(expected, rel=1e-12)
    gradients = np.linalg.norm(PROBLEM.worker_gradients(PROBLEM.minimiser), axis=-1)
    constants = memory_constants(WEIGHTS, delta, smoothness=PROBLEM.L_i, gradients=gradients)
    known = theorem("nuef-strongly-convex").evaluate(
        L=PROBLEM.L, mu=PROBLEM.mu, memory_curvature=constants.memory_curvature,
        residual_at_optimum=constants.memory_residual, gradient_noise=0.0, delta=delta.min(),
    )  # fmt: skip
    result = run(ErrorFeedback(sender, gamma), PROBLEM, 400, x0=START)
    weights = (1 - gamma * PROBLEM.mu) ** -np.arange(400.0)
    mean = weights @ result.gap[:-1] / weights.sum()
    assert mean <= known.bound(400, result.squared_distance[0])


def test_absolute_messages_have_a_step_for_any_number_of_workers():
    state = ErrorFeedback(PerWorkerThresholds(LEVELS)).init(PROBLEM, START)
    assert state.step_size == pytest.approx(1 / (4 * PROBLEM.L))


def test_workers_that_send_everything_do_not_shorten_the_step():
    mixed, known = PerWorker([TopK(2), Identity(), TopK(2), TopK(3), Identity()]), PerWorkerTopK([2, D, 2, 3, D])
    assert ef21_step_size(mixed, PROBLEM) == ef21_step_size(known, PROBLEM)


def test_weights_in_single_precision_give_the_same_step():
    x0 = START.astype(np.float32)
    expected = ef21_step_size(PerWorkerTopK(COUNTS), PROBLEM)
    assert ef21_step_size(PerWorkerTopK(COUNTS), PROBLEM.on(x0)) == pytest.approx(expected, rel=1e-6)


# ---- bad input ----


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (lambda: PerWorkerTopK([]), ValueError, "counts has length 0"),
        (lambda: PerWorkerTopK([1, 0]), ValueError, r"counts\[1\] = 0"),
        (lambda: PerWorkerTopK([1.0]), TypeError, r"counts\[0\] = 1\.0"),
        (lambda: PerWorkerTopK([True]), TypeError, r"counts\[0\] = True"),
        (lambda: PerWorkerTopK(3), TypeError, "counts = 3 is a int; pass a sequence"),
        (lambda: PerWorkerTopK([1], 64), TypeError, "cost is a int"),
        (lambda: PerWorkerTopK.of_fractions([0.5, 0.0], 10), ValueError, r"delta\[1\] = 0\.0"),
        (lambda: PerWorkerTopK.of_fractions([1.5], 10), ValueError, r"delta\[0\] = 1\.5"),
        (lambda: PerWorkerTopK.of_fractions([math.nan], 10), ValueError, r"delta\[0\] = nan"),
        (lambda: PerWorkerTopK([1, 5]).guarantees(4), ValueError, "k = 5"),
        (lambda: PerWorkerTopK([5]).send(np.ones((1, 4)), np.ones(1), Stream(0)), ValueError, r"counts\[0\] = 5"),
        (lambda: PerWorkerTopK([1]).send(np.ones((2, 4)), np.ones(2), Stream(0)), ValueError, "for 1 workers.*of 2"),
        (lambda: PerWorkerTopK([1]).send(np.full((1, 4), np.nan), np.ones(1), Stream(0)), ValueError, "NaN"),
        (lambda: PerWorkerTopK([1]).send(np.ones((1, 4), int), np.ones(1), Stream(0)), TypeError, "int64"),
        (lambda: PerWorkerRandK([0]), ValueError, r"counts\[0\] = 0"),
        (lambda: PerWorkerRandK([1]).send(np.ones((1, 4)), np.ones(1), None), TypeError, "rng is a NoneType"),
        (lambda: PerWorkerRandK([1]).send(np.full((1, 4), np.inf), np.ones(1), Stream(0)), ValueError, "infinite"),
        (lambda: PerWorkerRandK([1]).send(np.full((1, 4), 1e308), np.ones(1), Stream(0)), ValueError, "vectors"),
        (lambda: PerWorkerThresholds([1.0, 0.0]), ValueError, r"thresholds\[1\] = 0\.0"),
        (lambda: PerWorkerThresholds([-1.0]), ValueError, r"thresholds\[0\] = -1\.0"),
        (lambda: PerWorkerThresholds([math.nan]), ValueError, r"thresholds\[0\] = nan"),
        (lambda: PerWorkerThresholds([1.0]).send(np.full((1, 4), np.nan), np.ones(1), Stream(0)), ValueError, "NaN"),
        (lambda: PerWorkerThresholds([1.0]).send(np.ones((3, 4)), np.ones(3), Stream(0)), ValueError, "1 workers"),
        (lambda: PerWorker([]), ValueError, "compressors has length 0"),
        (lambda: PerWorker([TopK(1), None]), TypeError, r"compressors\[1\] is a NoneType"),
        (lambda: PerWorker(TopK(1)), TypeError, "compressors = TopK"),
        (lambda: PerWorker([TopK(1)]).send(np.ones((2, 4)), np.ones(2), Stream(0)), ValueError, "for 1 workers"),
        (lambda: run(ErrorFeedback(PerWorkerTopK([1])), PROBLEM, 1), ValueError, "for 1 workers, the problem has 5"),
        (lambda: run(ErrorFeedback(PerWorkerTopK([1] * N)), PROBLEM, 1), ValueError, "no default for several workers"),
        (lambda: run(EF21(PerWorkerRandK([1] * N)), PROBLEM, 1), ValueError, "accepted: Contractive"),
        (lambda: convex_step_size(PerWorkerThresholds(LEVELS), PROBLEM), ValueError, "accepted: Contractive"),
        (lambda: ErrorFeedback(Dense(), 0.1, Noisy), TypeError, "oracle is a type"),
        (lambda: ErrorFeedback(Dense(), 0.1, None), TypeError, "oracle is a NoneType"),
        (lambda: EF21(Dense(), 0.1, first_sender=TopK(1)), TypeError, "sender is a TopK"),
    ],
)
def test_bad_input_is_refused(make, error, message):
    with pytest.raises(error, match=message):
        make()
