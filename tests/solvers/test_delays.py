import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from taciturn.solvers.delays import (
    DESTABILISING,
    Constant,
    Cyclic,
    Geometric,
    HeavyTail,
    Hold,
    Periodic,
    RampPlateau,
    RoundRobin,
    Trace,
    Uniform,
    window_count,
    window_norm,
)
from taciturn.verification.strategies import delays

MODELS = [
    Constant(3),
    Cyclic(3),
    Hold(3),
    Periodic((0, 2, 1)),
    RampPlateau(3),
    Uniform(3),
    Geometric(0.7, 3),
    HeavyTail(1.2),
    RoundRobin(),
]

patterns = st.tuples(st.integers(1, 4), st.integers(1, 12), st.integers(0, 6)).flatmap(lambda size: delays(*size))


def sparse_traces():
    """Any valid trace: some pairs of iteration and worker have a message, of any version that exists."""

    @st.composite
    def draw_trace(draw):
        K, n = draw(st.integers(0, 8)), draw(st.integers(1, 4))
        pairs = [(k, i) for k in range(K) for i in range(n) if draw(st.booleans())]
        versions = [draw(st.integers(0, k)) for k, _ in pairs]
        arrivals = [draw(st.floats(0, 100)) for _ in pairs]
        iteration, worker = ([pair[axis] for pair in pairs] for axis in (0, 1))
        return Trace(K, n, iteration, worker, versions, arrivals, np.arange(len(pairs)), stored=draw(st.booleans()))

    return draw_trace()


def in_use(trace):
    """The number of the message of every worker in every iteration, -1 for none, by following the list."""
    table = np.full((trace.iterations, trace.workers), -1)
    kept = np.full(trace.workers, -1)
    for k in range(trace.iterations):
        kept = kept.copy() if trace.stored else np.full(trace.workers, -1)
        for m in range(trace.messages):
            if trace.iteration[m] == k:
                kept[trace.worker[m]] = m
        table[k] = kept
    return table


@given(sparse_traces())
def test_the_tables_follow_the_list_of_messages(trace):
    message = in_use(trace)
    used = message >= 0
    k = np.arange(trace.iterations)[:, None]
    version = np.append(trace.version, 0)[message]
    delay = np.where(used, k - version, 0)

    np.testing.assert_array_equal(trace.used, used)
    np.testing.assert_array_equal(trace.delay, delay)
    np.testing.assert_array_equal(trace.fresh, used & (np.append(trace.iteration, -1)[message] == k))
    np.testing.assert_array_equal(trace.largest_delay, delay.max(axis=1, initial=0))
    assert trace.max_delay == delay.max(initial=0)
    assert trace.history == 1 + delay[trace.fresh].max(initial=0)
    for m in range(trace.messages):
        assert trace.last_use[m] == np.flatnonzero((message == m).any(axis=1)).max()
    for k in range(trace.iterations):
        assert (trace.iteration[trace.starts[k] : trace.starts[k + 1]] == k).all()


@given(sparse_traces(), st.data())
def test_shares_are_the_weights_of_the_mean_over_the_messages_in_use(trace, data):
    p = np.array([data.draw(st.integers(1, 9)) for _ in range(trace.workers)])
    p = p / p.sum()
    shares = trace.shares(p)
    for row, used in zip(shares, trace.used, strict=True):
        expected = np.where(used, p, 0) / p[used].sum() if used.any() else np.zeros(trace.workers)
        np.testing.assert_allclose(row, expected, rtol=1e-14)
    full = trace.used.all(axis=1)
    np.testing.assert_array_equal(shares[full], np.broadcast_to(p, (full.sum(), trace.workers)))


def test_a_long_trace_is_passed_over_in_blocks(monkeypatch):
    trace = RoundRobin().trace(50, 7)
    whole = trace.delay
    monkeypatch.setattr("taciturn.solvers.delays.trace._CELLS", 20)

    np.testing.assert_array_equal(RoundRobin().trace(50, 7).delay, whole)


@given(patterns)
def test_delays_go_in_and_come_out(pattern):
    trace = Trace.from_delays(pattern, bits=3)
    np.testing.assert_array_equal(trace.delay, pattern)
    assert trace.fresh.all()
    assert trace.bits.tolist() == [3] * pattern.size

    stored = Trace.from_delays(pattern, stored=True)
    np.testing.assert_array_equal(stored.delay, pattern)
    version = np.arange(len(pattern))[:, None] - pattern
    np.testing.assert_array_equal(stored.fresh[1:], np.diff(version, axis=0) != 0)
    assert stored.fresh[0].all()


def test_update_time_is_the_last_arrival_so_far():
    trace = Trace(4, 2, [0, 0, 2], [0, 1, 0], [0, 0, 1], arrival=[3.0, 1.0, 2.0], bits=[1, 1, 1], stored=True)

    assert trace.update_time.tolist() == [3.0, 3.0, 3.0, 3.0]


@pytest.mark.parametrize("model", MODELS, ids=repr)
@pytest.mark.parametrize(("iterations", "workers"), [(1, 1), (40, 3)])
def test_models_make_valid_traces_and_the_seed_decides(model, iterations, workers):
    trace = model.trace(iterations, workers, seed=5)
    assert trace.delay.shape == (iterations, workers)
    assert trace.used.all()
    assert (trace.delay <= np.arange(iterations)[:, None]).all()
    np.testing.assert_array_equal(trace.delay, model.trace(iterations, workers, seed=5).delay)


@pytest.mark.parametrize(
    ("model", "formula"),
    [
        (Constant(4), lambda k, i: 4),
        (Cyclic(4), lambda k, i: (k + i) % 5),
        (Hold(4), lambda k, i: k % 5),
        (Periodic((3, 1)), lambda k, i: (3, 1)[k % 2]),
        (RampPlateau(2, plateau=3), lambda k, i: (0, 1, 2, 2, 2)[k % 5]),
        (RoundRobin(), lambda k, i: (k - i) % 3),
    ],
    ids=["constant", "cyclic", "hold", "periodic", "ramp and plateau", "round robin"],
)
def test_models_follow_their_formula(model, formula):
    expected = [[min(formula(k, i), k) for i in range(3)] for k in range(30)]

    np.testing.assert_array_equal(model.trace(30, 3).delay, expected)


def test_random_models_have_their_law():
    K, n = 4000, 5
    uniform = Uniform(3).trace(K, n, seed=0).delay[10:]
    np.testing.assert_allclose(np.bincount(uniform.ravel()) / uniform.size, 0.25, atol=0.02)

    geometric = Geometric(0.7, tau=2).trace(K, n, seed=0).delay[10:]
    np.testing.assert_allclose(np.bincount(geometric.ravel()) / geometric.size, [0.3, 0.21, 0.49], atol=0.02)

    heavy = HeavyTail(1.5, scale=2.0).trace(K, n, seed=0).delay[2000:]
    for t in (1, 4, 100):
        np.testing.assert_allclose((heavy >= t).mean(), (1 + t / 2) ** -1.5, atol=0.02)
    assert heavy.max() > 500


def test_round_robin_is_the_classical_incremental_method():
    trace = RoundRobin().trace(20, 4)
    assert trace.stored
    assert trace.max_delay == 3
    assert trace.fresh.sum(axis=1).tolist() == [4] + [1] * 19


def radius(pattern, step):
    """Spectral radius over one period of x <- x - step x_{k - delay}."""
    size = max(pattern) + 1
    product = np.eye(size)
    for delay in pattern:
        move = np.eye(size, k=-1)
        move[0, 0] += 1
        move[0, delay] -= step
        product = move @ product
    return np.abs(np.linalg.eigvals(product)).max()


@pytest.mark.parametrize(
    ("tau", "step"), [(1, 1.0), (2, 2 - 2**0.5), (3, 1 - 3**-0.5), (4, 1 / 3), (5, 0.2713), (6, 0.2298)]
)
def test_destabilising_patterns_do_so_at_the_step_that_is_stated(tau, step):
    assert max(DESTABILISING[tau]) == tau
    assert radius(DESTABILISING[tau], 0.999 * step) < 1 < radius(DESTABILISING[tau], 1.001 * step)
    assert radius([tau], 0.999 * step) <= 1  # a constant delay is no worse


def test_the_pattern_for_staleness_3_is_worse_than_the_one_in_the_dossier():
    assert radius((0, 1, 3, 3, 3, 3), 0.425) < 1 < radius(DESTABILISING[3], 0.425)


def dense_windows(delay):
    k, j = np.arange(len(delay))[:, None], np.arange(len(delay))
    return ((j >= k - delay[:, None]) & (j < k)).astype(float)


@settings(max_examples=60)
@given(patterns)
def test_window_norm_brackets_the_largest_singular_value(pattern):
    squares = [np.linalg.norm(dense_windows(column), 2) ** 2 for column in pattern.T]
    bracket = window_norm(pattern)
    assert bracket.contains(max(squares), tolerance=1e-12)
    assert bracket.upper <= bracket.lower * (1 + 1e-3) + 1e-12  # not only a bracket, a narrow one
    assert bracket.upper <= pattern.max() ** 2
    assert window_count(pattern) == max(dense_windows(column).sum(axis=0).max() for column in pattern.T)


@pytest.mark.parametrize(
    ("model", "upper"), [(Hold(3), 5.0489174), (Constant(5), 25.0)], ids=["hold: dossier 4.11", "constant: tau^2"]
)
def test_window_norm_of_long_patterns(model, upper):
    bracket = window_norm(model.trace(4000, 1).delay)
    np.testing.assert_allclose(bracket.upper, upper, rtol=1e-4)
    np.testing.assert_allclose(bracket.lower, upper, rtol=3e-3)


def test_window_norm_takes_the_worst_worker_and_the_common_pattern_bounds_it():
    trace = Uniform(6).trace(200, 3, seed=2)
    each = [window_norm(column).upper for column in trace.delay.T]

    assert window_norm(trace.delay).upper == max(each) <= window_norm(trace.largest_delay).upper


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: Trace.from_delays([[0, 0], [0, -1]]), ValueError, "delay = -1 of worker 1 in iteration 1 .* 0..1"),
        (lambda: Trace.from_delays([[0], [1], [3]]), ValueError, "delay = 3 of worker 0 in iteration 2 .* 0..2"),
        (lambda: Trace.from_delays([[0.0], [0.5]]), TypeError, "delay = 0.5 of worker 0 in iteration 1 is not an int"),
        (lambda: Trace.from_delays([[0.0], [np.nan]]), TypeError, "delay = nan of worker 0 in iteration 1"),
        (lambda: Trace.from_delays([[0.0], [1.0]]), TypeError, "delay is of float64"),
        (lambda: Trace.from_delays([0, 1]), ValueError, r"delay has the shape \(2,\)"),
        (lambda: Trace.from_delays([[0, 0]], bits=[1, 2, 3]), ValueError, r"bits have the shape \(3,\)"),
        (
            lambda: Trace.from_delays([[0]], bits=-1),
            ValueError,
            "bits = -1.0 of the message of worker 0 in iteration 0",
        ),
        (
            lambda: Trace(2, 3, [1], [2], [2], [0], [0]),
            ValueError,
            "version = 2 of the message of worker 2 in iteration 1",
        ),
        (lambda: Trace(2, 3, [1], [2], [-1], [0], [0]), ValueError, "version = -1 .* 0..1"),
        (lambda: Trace(2, 3, [2], [2], [0], [0], [0]), ValueError, "iteration = 2 .* 0..1"),
        (lambda: Trace(2, 3, [1], [3], [0], [0], [0]), ValueError, "worker = 3 .* 0..2"),
        (lambda: Trace(2, 3, [1], [0], [0], [np.inf], [0]), ValueError, "arrival = inf of the message of worker 0"),
        (lambda: Trace(2, 3, [1, 1], [0], [0], [0], [0]), ValueError, r"shapes iteration \(2,\), worker \(1,\)"),
        (
            lambda: Trace(2, 3, [1, 0], [0, 0], [0, 0], [0, 0], [0, 0]),
            ValueError,
            "worker 0 in iteration 0 comes after",
        ),
        (lambda: Trace(2, 3, [1, 1], [0, 0], [0, 0], [0, 0], [0, 0]), ValueError, "one message for each pair"),
        (lambda: Trace(2, 3, [1], [0], [0.5], [0], [0]), TypeError, r"version = 0.5 of message \[0\]"),
        (lambda: Trace(2, 0, [], [], [], [], []), ValueError, "workers = 0"),
        (lambda: Trace(-1, 1, [], [], [], [], []), ValueError, "iterations = -1"),
        (lambda: Trace(1, 1, [], [], [], [], [], stored="yes"), TypeError, "stored = 'yes'"),
        (
            lambda: Trace(2, 1, [0], [0], [0], [0], [0]).with_stored_messages(),
            ValueError,
            "iteration 1 uses no message",
        ),
        (lambda: Constant(2).trace(3, 2).shares([1.0]), ValueError, r"weights have the shape \(1,\)"),
        (lambda: window_norm([[0], [2]]), ValueError, "delay = 2 of worker 0 in iteration 1"),
        (lambda: window_norm([0.0, 1.0]), TypeError, "delay is of float64"),
        (lambda: window_count(np.zeros((0, 1), int)), ValueError, "delay has the shape"),
        (lambda: Constant(-1), ValueError, "tau = -1"),
        (lambda: Constant(1.5), TypeError, "tau = 1.5"),
        (lambda: Constant(1).trace(0, 1), ValueError, "iterations = 0"),
        (lambda: Constant(1).trace(1, 0), ValueError, "workers = 0"),
        (lambda: Geometric(1.0, 3), ValueError, r"continuation = 1 .* \(0, 1\)"),
        (lambda: HeavyTail(0.0), ValueError, "index = 0.0"),
        (lambda: Periodic(()), ValueError, "pattern is empty"),
        (lambda: RampPlateau(2, plateau=0), ValueError, "plateau = 0"),
    ],
)
def test_bad_input_is_refused_by_name(call, error, message):
    with pytest.raises(error, match=message):
        call()


@given(trace=sparse_traces())
@settings(max_examples=20)
def test_a_saved_trace_comes_back(tmp_path_factory, trace):
    path = tmp_path_factory.mktemp("traces") / "trace"
    trace.save(path)
    back = Trace.load(path)
    assert repr(back) == repr(trace)
    for name in ("iteration", "worker", "version", "arrival", "bits"):
        np.testing.assert_array_equal(getattr(back, name), getattr(trace, name))


@pytest.mark.parametrize("kept", [0.0, 0.1, 0.5, 0.9, 0.999])
def test_a_truncated_file_is_one_clear_error(tmp_path, kept):
    path = tmp_path / "trace.npz"
    Uniform(5).trace(300, 4).save(path)
    content = path.read_bytes()
    path.write_bytes(content[: int(kept * len(content))])
    with pytest.raises(ValueError, match=r"trace\.npz is corrupt or not a trace"):
        Trace.load(path)


def loaded_or_said(path):
    try:
        return Trace.load(path)
    except ValueError as error:
        return str(error)


def test_a_damaged_file_is_one_clear_error_or_the_same_trace(tmp_path):
    path = tmp_path / "trace.npz"
    trace = Uniform(5).trace(300, 4)
    trace.save(path)
    content = path.read_bytes()
    outcomes = []
    for place in np.random.default_rng(0).integers(0, len(content), 60):
        path.write_bytes(content[:place] + bytes([content[place] ^ 0xFF]) + content[place + 1 :])
        outcomes.append(loaded_or_said(path))
    errors = [outcome for outcome in outcomes if isinstance(outcome, str)]
    assert len(errors) > 40
    assert all("is corrupt or not a trace" in error for error in errors)
    for back in outcomes:
        if isinstance(back, Trace):  # the damage was in a part of the archive that nobody reads
            np.testing.assert_array_equal(back.version, trace.version)


@pytest.mark.parametrize(
    "content",
    [
        {"format": 2, "size": [1, 1], "stored": False},
        {"format": 1, "size": [1, 1], "stored": False},
        {"format": 1, "size": [1], "stored": False},
        {"x": [1.0]},
        {"format": 1, "size": [1, 1], "stored": False, "iteration": [0], "worker": [0], "version": [5]}
        | {"arrival": [0.0], "bits": [0.0]},
    ],
    ids=["format", "missing columns", "size", "another archive", "future version"],
)
def test_a_file_that_holds_no_valid_trace_is_one_clear_error(tmp_path, content):
    np.savez(tmp_path / "other.npz", **content)
    with pytest.raises(ValueError, match=r"other\.npz is corrupt or not a trace"):
        Trace.load(tmp_path / "other.npz")


def test_a_missing_file_is_missing(tmp_path):
    with pytest.raises(FileNotFoundError):
        Trace.load(tmp_path / "nothing.npz")


def test_a_failed_save_leaves_the_old_file(tmp_path, monkeypatch):
    path = tmp_path / "trace.npz"
    Constant(1).trace(3, 1).save(path)
    monkeypatch.setattr(np, "savez_compressed", lambda *_, **__: (_ for _ in ()).throw(OSError("disk full")))
    with pytest.raises(OSError, match="disk full"):
        Constant(2).trace(9, 1).save(path)

    assert Trace.load(path).iterations == 3
    assert [file.name for file in tmp_path.iterdir()] == ["trace.npz"]
