"""Small neural networks in torch."""

import math

import numpy as np
import pytest

from taciturn.solvers.array import Stream
from taciturn.solvers.compressors import TopK
from taciturn.solvers.decentralised import (
    Constant,
    DifferenceNorm,
    EventTracking,
    EventTriggeredGradient,
    Tensors,
    run_decentralised,
)
from taciturn.solvers.delays import Hold
from taciturn.solvers.methods import (
    CAT,
    EF21,
    CompressedGradient,
    Dense,
    ErrorFeedback,
    Exact,
    Fixed,
    MiniBatch,
    PerWorkerTopK,
    StaleGradient,
    ThresholdFeedback,
    run,
)
from taciturn.solvers.partition import Partition, split_by_volume, split_iid
from taciturn.solvers.problems import cnn2, cnn_batch_norm, mlp
from taciturn.solvers.problems import neural as neural_module
from taciturn.solvers.thresholds import L1Rule
from taciturn.solvers.topology import metropolis, network
from taciturn.theory.communication import AffineCost

torch = pytest.importorskip("torch")

RNG = np.random.default_rng(0)
FEATURES = RNG.standard_normal((60, 6))
LABELS = np.argmax(FEATURES @ RNG.standard_normal((6, 3)), axis=1)
DIGITS = np.arange(24) % 4
QUADRANTS = np.kron(np.eye(4).reshape(4, 2, 2), np.ones((6, 6))).reshape(4, 144)
IMAGES = RNG.random((24, 144)) + 2 * QUADRANTS[DIGITS]
VOLUMES = split_by_volume(60, [4, 2, 2, 1], seed=0)
NET = mlp(FEATURES, LABELS, hidden=[5])
WORKERS = NET.split(VOLUMES).on(torch.zeros(1, dtype=torch.float64))
CONVOLUTION = cnn2(IMAGES, DIGITS).split(split_iid(24, 3, seed=1)).on(torch.zeros(1, dtype=torch.float64))
NORMALISED = cnn_batch_norm(IMAGES, DIGITS).split(split_iid(24, 3, seed=1)).on(torch.zeros(1, dtype=torch.float64))
PROBLEMS = {"mlp": WORKERS, "cnn": CONVOLUTION}
every_problem = pytest.mark.parametrize("problem", PROBLEMS.values(), ids=PROBLEMS)


def by_layers(x, features):
    """The scores of the perceptron 6-5-3, written out."""
    W1, b1, W2, b2 = (part.reshape(shape) for part, shape in zip(x.split([30, 5, 15, 3]), LAYERS, strict=True))
    return torch.relu(features @ W1.T + b1) @ W2.T + b2


LAYERS = [(5, 6), (5,), (3, 5), (3,)]


def points_of(problem, *batch):
    return torch.stack([problem.start(seed) for seed in range(math.prod(batch) * problem.workers)]).reshape(
        *batch, problem.workers, problem.d
    )


# ---- shapes ----


def test_published_networks_have_their_sizes():
    digits = mlp(np.zeros((20, 64)), np.arange(20) % 10)
    assert digits.d == 64 * 32 + 32 + 32 * 10 + 10
    mnist = cnn2(np.zeros((10, 784)), np.arange(10))
    assert mnist.d == 27_480
    assert list(mnist.tensors.values()) == [90, 10, 1800, 20, 25_000, 50, 500, 10]
    assert Tensors.of(mnist.tensors).d == mnist.d
    normalised = cnn_batch_norm(np.zeros((10, 784)), np.arange(10))
    assert list(normalised.tensors.values()) == [90, 10, 10, 1800, 20, 20, 25_000, 50, 500, 10]


def test_points_lie_in_memory_tensor_by_tensor():
    x = WORKERS.start(0)
    assert list(WORKERS.tensors) == ["dense1.weight", "dense1.bias", "dense2.weight", "dense2.bias"]
    scores = by_layers(x, torch.asarray(FEATURES))
    expected = torch.nn.functional.cross_entropy(scores, torch.asarray(LABELS))
    assert float(WORKERS.objective(x)) == pytest.approx(float(expected), rel=1e-6)


def test_convolutions_see_the_image_row_by_row():
    """One pixel that moves down moves the scores of the first layers with it: against torch's own functions."""
    x, F = CONVOLUTION.start(1), torch.nn.functional
    image = torch.asarray(IMAGES)
    parts = x.split(list(CONVOLUTION.tensors.values()))
    h = F.max_pool2d(torch.relu(F.conv2d(image.reshape(-1, 1, 12, 12), parts[0].reshape(10, 1, 3, 3), parts[1])), 2)
    h = F.max_pool2d(torch.relu(F.conv2d(h, parts[2].reshape(20, 10, 3, 3), parts[3])), 2).flatten(1)
    h = torch.relu(h @ parts[4].reshape(50, 20).T + parts[5]) @ parts[6].reshape(4, 50).T + parts[7]
    found = CONVOLUTION.accuracy(x, IMAGES, DIGITS)
    assert float(found) == pytest.approx(float((h.argmax(1) == torch.asarray(DIGITS)).double().mean()))
    value = CONVOLUTION.objective(x)
    assert float(value) == pytest.approx(float(F.cross_entropy(h, torch.asarray(DIGITS))), rel=1e-6)


def test_batch_normalisation_uses_the_rows_it_is_given():
    """Against torch's own functions: scores of a row change with its companions, and training agrees with accuracy."""
    x, F = NORMALISED.start(1), torch.nn.functional
    parts = dict(zip(NORMALISED.tensors, x.split(list(NORMALISED.tensors.values())), strict=True))

    def scores(rows):
        h = torch.asarray(IMAGES[rows]).reshape(-1, 1, 12, 12)
        for number, channels in ((1, 1), (2, 10)):
            h = F.conv2d(h, parts[f"conv{number}.weight"].reshape(-1, channels, 3, 3))
            h = F.batch_norm(h, None, None, parts[f"norm{number}.weight"], parts[f"norm{number}.bias"], training=True)
            h = F.max_pool2d(torch.relu(h), 2)
        h = torch.relu(h.flatten(1) @ parts["dense1.weight"].reshape(50, 20).T + parts["dense1.bias"])
        return h @ parts["dense2.weight"].reshape(4, 50).T + parts["dense2.bias"]

    torch.testing.assert_close(NORMALISED._scores(x, torch.asarray(IMAGES[:9])), scores(slice(9)))
    assert not torch.allclose(scores(slice(9))[:4], scores(slice(4)))
    value, gradients = NORMALISED.local_values_and_gradients(x.expand(3, -1))
    for i, block in enumerate(NORMALISED.blocks):
        assert float(value[i]) == pytest.approx(float(NORMALISED._loss(x, block.features, block.labels)), rel=1e-12)
    assert torch.isfinite(gradients).all()


def test_batch_normalisation_makes_convolutions_free_of_scale():
    """Gradients are orthogonal to the weights, whose norms a step hardly changes."""
    x, tensors = NORMALISED.start(0), Tensors.of(NORMALISED.tensors)
    scaled = x.clone()
    part = tensors.slices[tensors.names.index("conv2.weight")]
    scaled[part] *= 3
    assert float(NORMALISED.objective(scaled)) == pytest.approx(float(NORMALISED.objective(x)), rel=1e-4)
    gradient = NORMALISED.gradient(x)[part]
    assert abs(float(gradient @ x[part])) < 1e-3 * float(gradient.norm() * x[part].norm())
    assert x[tensors.slices[tensors.names.index("norm1.weight")]].tolist() == [1.0] * 10
    assert x[tensors.slices[tensors.names.index("norm1.bias")]].tolist() == [0.0] * 10


@pytest.mark.parametrize("problem", [CONVOLUTION, NORMALISED], ids=["cnn", "batch norm"])
def test_workers_one_by_one_or_together_have_the_same_mini_batches(problem, monkeypatch):
    points = points_of(problem, 2)
    together = problem.sampled_gradients(points, 5, Stream(2))
    monkeypatch.setattr(neural_module, "FEW_ROWS", 4)
    torch.testing.assert_close(problem.sampled_gradients(points, 5, Stream(2)), together, rtol=1e-9, atol=1e-12)


def test_start_depends_on_the_seed_and_has_its_bounds():
    x, again, other = (NET.start(seed) for seed in (0, 0, 1))
    assert torch.equal(x, again)
    assert not torch.equal(x, other)
    first, second = x[:35], x[35:]  # 6 inputs, 5 inputs; the bias as the weights
    assert 0.8 / math.sqrt(6) < float(first.abs().max()) <= 1 / math.sqrt(6)
    assert 0.8 / math.sqrt(5) < float(second.abs().max()) <= 1 / math.sqrt(5)
    assert x.dtype == torch.float32
    assert WORKERS.start(0).dtype == torch.float64


# ---- values and gradients ----


@every_problem
def test_values_and_gradients_are_those_of_a_loop(problem):
    """Workers with different volumes and points of their own, with replicas, against one backward pass for each."""
    points = points_of(problem, 2)
    values, gradients = problem.local_values_and_gradients(points)
    for r, i in np.ndindex(2, problem.workers):
        point = points[r, i].clone().requires_grad_(True)
        loss = problem._loss(point, problem.blocks[i].features, problem.blocks[i].labels)
        (gradient,) = torch.autograd.grad(loss, point)
        torch.testing.assert_close(values[r, i], loss.detach(), rtol=1e-12, atol=1e-14)
        torch.testing.assert_close(gradients[r, i], gradient, rtol=1e-9, atol=1e-12)
    assert not gradients.requires_grad


@every_problem
def test_rows_in_pieces_change_nothing(problem, monkeypatch):
    points = points_of(problem)
    expected = problem.local_values_and_gradients(points)
    for rows in (1, 7):
        monkeypatch.setattr(neural_module, "ROWS_AT_A_TIME", rows)
        for found, known in zip(problem.local_values_and_gradients(points), expected, strict=True):
            torch.testing.assert_close(found, known, rtol=1e-10, atol=1e-12)


@every_problem
def test_gradients_are_slopes(problem):
    x, v = problem.start(3), torch.asarray(np.random.default_rng(1).standard_normal(problem.d))
    slope = (problem.objective(x + 1e-6 * v) - problem.objective(x - 1e-6 * v)) / 2e-6
    assert float(problem.gradient(x) @ v) == pytest.approx(float(slope), rel=1e-5)
    change = (problem.gradient(x + 1e-7 * v) - problem.gradient(x - 1e-7 * v)) / 2e-7
    torch.testing.assert_close(problem.hessian_product(x, v), change, rtol=1e-5, atol=1e-6)


def test_f_is_the_weighted_mean_of_its_workers():
    x = WORKERS.start(0)
    one = NET.on(x)
    torch.testing.assert_close(WORKERS.objective(x), one.objective(x), rtol=1e-7, atol=0)
    torch.testing.assert_close(WORKERS.gradient(x), one.gradient(x), rtol=1e-7, atol=1e-8)
    some = WORKERS.of_workers([2, 0])
    torch.testing.assert_close(some.worker_gradients(x), WORKERS.worker_gradients(x)[[2, 0]])


@every_problem
def test_mini_batches_average_to_the_gradient_and_have_their_own_rows(problem):
    points = points_of(problem)
    replicas = points.expand(300, *points.shape)
    draws = MiniBatch(4).gradients(problem, replicas, Stream(0))
    assert draws.shape == replicas.shape
    error = (draws.mean(0) - problem.local_gradients(points)).norm(dim=-1)
    deviation = draws.std(0).norm(dim=-1) / math.sqrt(300)
    assert torch.all(error < 3 * deviation)
    assert torch.all(draws.std(0).norm(dim=-1) > 0)
    again = MiniBatch(4).gradients(problem, replicas, Stream(0))
    torch.testing.assert_close(draws, again, rtol=0, atol=0)


def test_a_mini_batch_of_one_is_the_gradient_of_a_row():
    points = points_of(WORKERS)
    (found,) = MiniBatch(1).gradients(WORKERS, points[None], Stream(5))
    for i, block in enumerate(WORKERS.blocks):
        rows = [
            torch.func.grad(WORKERS._loss)(points[i], block.features[r : r + 1], block.labels[r : r + 1])
            for r in range(block.rows)
        ]
        assert min(float((found[i] - row).abs().max()) for row in rows) < 1e-10


def test_a_measured_problem_looks_at_the_first_rows_and_samples_all():
    few, x = WORKERS.measured_on(3), WORKERS.start(0)
    cut = WORKERS.of_workers([0])
    expected = cut._loss(x, cut.blocks[0].features[:3], cut.blocks[0].labels[:3])
    assert float(few.local_values_and_gradients(x.expand(4, -1))[0][0]) == pytest.approx(float(expected), rel=1e-12)
    points = points_of(WORKERS)
    full, small = (MiniBatch(50).gradients(problem, points, Stream(1)) for problem in (WORKERS, few))
    torch.testing.assert_close(full, small, rtol=0, atol=0)
    torch.testing.assert_close(WORKERS.measured_on(1000).objective(x), WORKERS.objective(x))


def test_accuracy_is_the_share_of_rows_found():
    x = torch.stack([WORKERS.start(seed) for seed in range(3)])
    found = WORKERS.accuracy(x, FEATURES, LABELS)
    expected = [(by_layers(point, torch.asarray(FEATURES)).argmax(1).numpy() == LABELS).mean() for point in x]
    np.testing.assert_allclose(found.numpy(), expected)
    assert WORKERS.accuracy(x[0], FEATURES, LABELS).shape == ()


# ---- methods ----

START = WORKERS.start(0)
METHODS = {
    "gradient descent": CompressedGradient(Dense(), 0.5),
    "cat": CompressedGradient(CAT("S", AffineCost(c0=40, c1=36)), 0.5),
    "error feedback": ErrorFeedback(PerWorkerTopK([10, 6, 6, 4]), 0.3),
    "error feedback, mini-batches": ErrorFeedback(Fixed(TopK(10)), 0.2, MiniBatch(8)),
    "ef21": EF21(PerWorkerTopK([10, 6, 6, 4]), 0.2, first_sender=Dense()),
    "thresholds": ThresholdFeedback(L1Rule(8, 53), step_size=0.2, oracle=MiniBatch(8)),
    "stale": StaleGradient(Dense(), Hold(2).trace(50, 4), 0.4, MiniBatch(8)),
}


@pytest.mark.parametrize("name", METHODS)
def test_methods_train_it(name):
    result = run(METHODS[name], WORKERS, 50, x0=START, reference=False)
    assert result.value[-1] < 0.8 * result.value[0]
    assert result.minimum is None
    assert WORKERS.accuracy(result.state.x, FEATURES, LABELS) > WORKERS.accuracy(START, FEATURES, LABELS) + 0.2


def test_virtual_iterate_moves_by_the_mini_batches():
    method = METHODS["error feedback, mini-batches"]
    state = method.init(WORKERS, START)
    for k in range(5):
        gradients = MiniBatch(8).gradients(WORKERS, state.x.expand(4, -1), Stream(k))
        virtual = state.x - 0.2 * WORKERS.average(state.memory)
        state = method.step(WORKERS, state, Stream(k))
        moved = state.x - 0.2 * WORKERS.average(state.memory)
        torch.testing.assert_close(moved, virtual - 0.2 * WORKERS.average(gradients), rtol=1e-11, atol=1e-13)


def test_replicas_agree_with_single_runs():
    starts = torch.stack([WORKERS.start(seed) for seed in range(3)])
    method = METHODS["error feedback"]
    together = run(method, WORKERS, 8, x0=starts, reference=False)
    for r in range(3):
        alone = run(method, WORKERS, 8, x0=starts[r], reference=False)
        np.testing.assert_allclose(together.value[:, r], alone.value, rtol=1e-9)


@pytest.mark.parametrize("oracle", [Exact(), MiniBatch(8)], ids=repr)
def test_decentralised_methods_train_it_tensor_by_tensor(oracle):
    problem = NET.split(Partition(VOLUMES.indices, np.full(4, 1 / 4))).on(START)
    tensors, W = Tensors.of(problem.tensors), metropolis(network("ring", 4))
    trigger = DifferenceNorm(Constant(0.05))
    triggered = EventTriggeredGradient(W, trigger, 0.2, tensors=tensors, oracle=oracle)
    tracked = EventTracking(W, trigger, trigger, 0.1, tensors=tensors)
    for method in (triggered, tracked):
        result = run_decentralised(method, problem, 25, x0=START, record_every=25)
        assert result.value[-1] < 0.97 * result.value[0]
        assert result.events.shape[-1] in (4, 8)  # tracking sends gradients, too
        assert 0 < result.message_share < 1


def test_convolutions_are_trained():
    x = CONVOLUTION.start(0)
    result = run(ErrorFeedback(PerWorkerTopK([300, 200, 100]), 0.3), CONVOLUTION, 100, x0=x, reference=False)
    assert result.value[-1] < 0.95 * result.value[0]


def test_float32_runs_in_float32():
    problem = NET.split(VOLUMES)
    result = run(METHODS["error feedback"], problem, 5, x0=problem.start(0), reference=False)
    assert result.state.x.dtype == result.state.memory.dtype == torch.float32


# ---- bad input ----


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (lambda: WORKERS.L, ValueError, "L and mu of a neural network are not known; pass a step_size"),
        (lambda: WORKERS.mu, ValueError, "are not known"),
        (lambda: WORKERS.minimiser, ValueError, "no certified minimiser; run it with reference=False"),
        (lambda: run(METHODS["ef21"], WORKERS, 1, x0=START), ValueError, "reference=False"),
        (lambda: run(EF21(Dense()), WORKERS, 1, x0=START, reference=False), ValueError, "pass a step_size"),
        (lambda: run(ThresholdFeedback(L1Rule(1, 53)), WORKERS, 1, x0=START, reference=False), ValueError, "step_size"),
        (lambda: run(METHODS["ef21"], WORKERS, 1, x0=START.numpy(), reference=False), TypeError, "(?i)multiple|torch"),
        (lambda: run(METHODS["ef21"], WORKERS, 1, x0=START.float(), reference=False), TypeError, "carry the problem"),
        (lambda: run(METHODS["ef21"], WORKERS, 1, x0=START[:-1], reference=False), ValueError, "x0 has the shape"),
        (lambda: NET.on(np.zeros(1)), TypeError, "like is a ndarray"),
        (lambda: WORKERS.split(VOLUMES), ValueError, "only a one-node problem"),
        (lambda: NET.split(split_iid(61, 2, seed=0)), ValueError, "names row 60; accepted: rows below 60"),
        (lambda: NET.measured_on(0), ValueError, "rows = 0"),
        (lambda: mlp(FEATURES, LABELS, hidden=[0]), ValueError, "hidden = 0"),
        (lambda: mlp(FEATURES[:, :0], LABELS), ValueError, "features of shape"),
        (lambda: mlp(np.full((2, 2), np.nan), np.arange(2)), ValueError, "finite"),
        (lambda: mlp(np.ones((2, 2), int), np.arange(2)), TypeError, "features are of int64"),
        (lambda: mlp(FEATURES, LABELS.astype(float)), TypeError, "labels are of float64"),
        (lambda: mlp(FEATURES, LABELS[1:]), ValueError, "labels of shape"),
        (lambda: mlp(FEATURES, np.zeros(60, int)), ValueError, "labels of shape"),
        (lambda: mlp(FEATURES, LABELS - 1), ValueError, "labels of shape"),
        (lambda: cnn2(np.zeros((4, 64)), np.arange(4)), ValueError, "64 columns; accepted: s x s pixels"),
        (lambda: cnn2(np.zeros((4, 145)), np.arange(4)), ValueError, "145 columns"),
        (lambda: cnn_batch_norm(np.zeros((4, 64)), np.arange(4)), ValueError, "64 columns; accepted: s x s pixels"),
    ],
)
def test_bad_input_is_refused(make, error, message):
    with pytest.raises(error, match=message):
        make()


def test_without_torch_it_says_what_to_install(monkeypatch):
    def missing(name):
        raise ImportError(name)

    monkeypatch.setattr(neural_module, "import_module", missing)
    with pytest.raises(ImportError, match=r"pip install 'taciturn\[torch\]'"):
        mlp(FEATURES, LABELS)
