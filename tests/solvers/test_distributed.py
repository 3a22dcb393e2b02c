import os
import time
from dataclasses import dataclass

import numpy as np
import pytest

from taciturn.solvers.array import Stream
from taciturn.solvers.compressors import (
    QSGD,
    Bernoulli,
    HardThreshold,
    Identity,
    Natural,
    RandK,
    ScaledSign,
    Sign,
    SystematicSampling,
    Ternary,
    TopK,
)
from taciturn.solvers.delays import Trace
from taciturn.solvers.distributed import (
    AsyncSettings,
    MessageTimeout,
    Place,
    Wire,
    WorkerLost,
    run_async,
    run_rank,
)
from taciturn.solvers.methods import FillWindow, run
from taciturn.solvers.problems import heterogeneous_quadratic

PROBLEM = heterogeneous_quadratic(workers=2, d=6, L=1.0, mu=0.2, spread=1.0, seed=0)
COMPRESSORS = [
    *(Identity(), TopK(3), RandK(2), Bernoulli(2), SystematicSampling(2), HardThreshold(0.5)),
    *(Sign(), ScaledSign(3), Ternary(), QSGD(5), Natural()),
]


@dataclass(frozen=True)
class Failing:
    """Exact gradients, but worker 1 dies or hangs at the second model that it gets."""

    dies: bool

    def gradients(self, problem, points, rng):
        del rng
        # The worker knows its function only: worker 1 is recognised by it.
        if problem.minimisers[0, 0] == PROBLEM.minimisers[1, 0] and points.any():
            if self.dies:
                os._exit(7)
            time.sleep(600)
        return problem.local_gradients(points)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("compressor", COMPRESSORS, ids=repr)
def test_what_is_packed_is_what_the_compressor_gives(compressor, dtype):
    v = np.random.default_rng(0).standard_normal(37).astype(dtype)
    wire = Wire(compressor, 37, dtype)
    content = wire.pack(v, Stream(3))
    assert content.dtype == np.uint8
    received = wire.unpack(content)
    assert received.dtype == dtype
    assert (received == compressor(v, Stream(3))).all()


@pytest.mark.parametrize("compressor", COMPRESSORS, ids=repr)
def test_a_zero_vector_travels(compressor):
    wire = Wire(compressor, 9, np.float64)
    assert not wire.unpack(wire.pack(np.zeros(9), Stream(0))).any()


def test_entries_take_the_bits_of_their_indices():
    v = np.random.default_rng(0).standard_normal(10_000)
    bits = 8 * len(Wire(TopK(100), 10_000, np.float64).pack(v))
    payload = int(TopK(100).payload_bits(TopK(100)(v)))
    assert payload <= bits <= payload + 3 * 40 + 2 * 8 + 7  # headers of three fields, the count, filling


@pytest.mark.parametrize("change", [lambda c: c[:-1], lambda c: c[:3], lambda c: np.concatenate([c, c[:1]])])
def test_damaged_messages_are_refused(change):
    wire = Wire(TopK(2), 9, np.float64)
    with pytest.raises(ValueError, match="is truncated or corrupt: "):
        wire.unpack(change(wire.pack(np.arange(9.0))))


def test_settings_that_do_not_fit_are_refused():
    with pytest.raises(ValueError, match="mode = 'sync'"):
        AsyncSettings(TopK(2), 10, 0.1, mode="sync")
    with pytest.raises(ValueError, match="timeout = 0"):
        AsyncSettings(TopK(2), 10, 0.1, timeout=0.0)
    with pytest.raises(TypeError, match="compressor is a str"):
        AsyncSettings("top-k", 10, 0.1)


def test_places_that_do_not_fit_are_refused(monkeypatch):
    pytest.importorskip("torch")
    for name in ("RANK", "WORLD_SIZE", "MASTER_ADDR", "MASTER_PORT"):
        monkeypatch.delenv(name, raising=False)
    assert Place.from_environment() is None
    with pytest.raises(ValueError, match="world_size = 5 for 2 workers; accepted: 3"):
        run_rank(PROBLEM, AsyncSettings(TopK(2), 10, 0.1), Place(0, 5))
    with pytest.raises(ValueError, match=r"arrivals = 3 is outside the accepted range 1\.\.2"):
        run_async(PROBLEM, AsyncSettings(TopK(2), 10, 0.1, arrivals=3))
    with pytest.raises(ValueError, match=r"accepted: float64, \(6,\)"):
        run_async(PROBLEM, AsyncSettings(TopK(2), 10, 0.1), x0=np.zeros(5))


@pytest.mark.slow
@pytest.mark.parametrize(
    ("compressor", "mode", "step_size"),
    [(TopK(2), "async", FillWindow(0.5)), (Bernoulli(2), "aggregated", 0.05)],
    ids=["async", "aggregated"],
)
def test_the_replay_of_the_true_trace_gives_the_same_iterates(compressor, mode, step_size, tmp_path):
    pytest.importorskip("torch")
    K, points = 60, []
    settings = AsyncSettings(compressor, K, step_size, mode, seed=3)
    result = run_async(PROBLEM, settings, trace_file=tmp_path / "trace.npz", observe=lambda k, x: points.append((k, x)))
    trace = Trace.load(tmp_path / "trace.npz")
    assert [k for k, _ in points] == list(range(K + 1))
    assert trace.iterations == K
    assert trace.message_delay.sum() + trace.messages <= 2 * K + (mode == "aggregated")
    assert (np.diff(trace.arrival[trace.worker == 0]) > 0).all()
    assert (trace.bits >= 8 * (16 + 5)).all()  # at least the headers
    replay = run(settings.replay(trace), PROBLEM, K, record={"x": lambda state: state.x})
    assert np.abs(replay.recorded["x"] - np.stack([x for _, x in points])).max() < 1e-13
    assert (result.x == points[-1][1]).all()
    other = AsyncSettings(compressor, K, 0.06, mode, seed=3).replay(trace)
    assert np.abs(run(other, PROBLEM, K).state.x - result.x).max() > 1e-6


@pytest.mark.slow
@pytest.mark.parametrize(("dies", "error"), [(True, WorkerLost), (False, MessageTimeout)])
def test_a_lost_worker_is_a_named_error_in_time_and_the_partial_trace_is_saved(dies, error, tmp_path):
    pytest.importorskip("torch")
    timeout, last = 3.0, [0.0, 0]

    def observe(k, x):
        last[:] = time.monotonic(), k

    settings = AsyncSettings(TopK(2), 10**6, 0.1, "aggregated", 2, oracle=Failing(dies), timeout=timeout)
    with pytest.raises(error, match="worker 1"):
        run_async(PROBLEM, settings, trace_file=tmp_path / "trace.npz", observe=observe)
    # Two timeouts for the error; the rest is the end of the other processes.
    assert time.monotonic() - last[0] < 2 * timeout + 30
    trace = Trace.load(tmp_path / "trace.npz")
    assert trace.iterations == last[1] >= 1
    assert trace.messages == 2 * trace.iterations
