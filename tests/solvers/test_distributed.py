import multiprocessing
import os
import socket
import threading
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
    ServerLost,
    Wire,
    WorkerLost,
    run_async,
    run_rank,
    transport,
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


@pytest.mark.parametrize("name", ["RANK", "WORLD_SIZE"])
def test_an_environment_that_makes_no_sense_is_named(name, monkeypatch):
    for variable, value in _environment(0, 29500).items():
        monkeypatch.setenv(variable, value)
    monkeypatch.setenv(name, "first")
    with pytest.raises(ValueError, match=f"{name} = 'first' in the environment; accepted: an integer"):
        Place.from_environment()


def test_a_host_that_takes_the_call_and_says_nothing_is_a_named_error_in_time(monkeypatch):
    pytest.importorskip("torch")
    monkeypatch.setattr(transport, "SILENCE", 0.5)
    settings = AsyncSettings(TopK(2), 10, 0.1, start_timeout=0.5)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        for variable, value in _environment(1, silent.getsockname()[1]).items():
            monkeypatch.setenv(variable, value)
        began = time.monotonic()
        with pytest.raises(MessageTimeout, match=r"rank 1 of 3 did not find the others at 127\.0\.0\.1:.* within 0\.5"):
            run_rank(PROBLEM, settings, Place(1, 3))
        assert time.monotonic() - began < 2
    for thread in threading.enumerate():  # torch hears that the line is dead
        if thread.name == "meeting":
            thread.join(60)


@pytest.mark.slow
@pytest.mark.parametrize("rank", [0, 1])
def test_processes_that_are_alone_give_up_in_time(rank, monkeypatch):
    pytest.importorskip("torch")
    settings = AsyncSettings(TopK(2), 10, 0.1, start_timeout=2.0)
    for variable, value in _environment(rank, _free_port()).items():
        monkeypatch.setenv(variable, value)
    began = time.monotonic()
    with pytest.raises(MessageTimeout, match=f"rank {rank} of 3 did not find the others"):
        run_rank(PROBLEM, settings, Place(rank, 3))
    assert time.monotonic() - began < 2 + transport.SILENCE + 1


def _free_port():
    with socket.create_server(("127.0.0.1", 0)) as free:
        return free.getsockname()[1]


def _environment(rank, port):
    return {"RANK": f"{rank}", "WORLD_SIZE": "3", "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": f"{port}"}


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


@pytest.mark.slow
def test_workers_report_the_death_of_the_server_in_time():
    pytest.importorskip("torch")
    timeout = 3.0
    settings = AsyncSettings(TopK(2), 10**6, 0.1, timeout=timeout)
    context, port = multiprocessing.get_context("spawn"), _free_port()
    reports, running = context.Queue(), context.Event()
    ranks = [
        context.Process(target=_be, args=(settings, rank, port, running, reports), daemon=True) for rank in (0, 1, 2)
    ]
    for process in ranks:
        process.start()
    assert running.wait(60)
    ranks[0].kill()
    killed = time.monotonic()
    found = dict(reports.get(timeout=2 * timeout) for _ in range(2))
    assert time.monotonic() - killed < timeout + 1
    assert set(found) == {1, 2}
    assert all(error is ServerLost for error in found.values())
    for process in ranks:
        process.join(60)


def _be(settings, rank, port, running, reports):
    os.environ |= _environment(rank, port)
    try:
        run_rank(PROBLEM, settings, Place(rank, 3), observe=lambda k, x: running.set() if k == 20 else None)
    except OSError as error:
        reports.put((rank, type(error)))
