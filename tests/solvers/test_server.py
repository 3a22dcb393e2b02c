from itertools import pairwise

import numpy as np
import pytest

from taciturn.solvers.delays import (
    Deterministic,
    Exponential,
    Link,
    LogNormal,
    ParameterServer,
    Pareto,
    ShiftedExponential,
    Worker,
)

LAWS = [Deterministic(1.5), Exponential(2.0), ShiftedExponential(1.0, 0.5), Pareto(1.5, 1.0), LogNormal(1.0, 1.5)]

MIXED = [
    Worker(Exponential(1.0)),
    Worker(Exponential(7.0), uplink=Link(0.3, 1e3)),
    Worker(Pareto(1.3, 0.5), downlink=Link(0.1)),
    Worker(ShiftedExponential(2.0, 0.1)),
    Worker(LogNormal(0.7, 1.0)),
]


SERVERS = [
    pytest.param(ParameterServer(MIXED, mode, arrivals), id=f"{mode}-{arrivals}")
    for mode in ("async", "aggregated")
    for arrivals in (1, 2, 5)
]


def by_worker(trace, column):
    return [getattr(trace, column)[trace.worker == i] for i in range(trace.workers)]


@pytest.mark.parametrize("server", SERVERS)
def test_delay_budget_holds(server):
    trace = server.trace(400, message_bits=100, seed=3)
    n, K = trace.workers, trace.iterations
    assert (trace.message_delay + 1).sum() <= n * K
    assert trace.message_delay.mean() <= n / server.arrivals - 1
    # The exact form: the jobs of a worker tile the iterations up to its last message.
    for iteration, delay in zip(by_worker(trace, "iteration"), by_worker(trace, "message_delay"), strict=True):
        assert (delay + 1).sum() == (iteration[-1] + 1 if iteration.size else 0)


@pytest.mark.parametrize("law", LAWS, ids=repr)
@pytest.mark.parametrize("n", [2, 8, 20])
def test_mean_delay_is_at_most_n_minus_1_whatever_the_largest(law, n):
    trace = ParameterServer([Worker(law)] * n).trace(4000, message_bits=1, seed=1)
    assert trace.message_delay.mean() <= n - 1


@pytest.mark.parametrize("server", SERVERS)
def test_every_worker_starts_again_with_the_model_of_the_update_that_took_its_message(server):
    trace = server.trace(300, message_bits=100, seed=4)
    for iteration, version in zip(by_worker(trace, "iteration"), by_worker(trace, "version"), strict=True):
        np.testing.assert_array_equal(version, np.append(0, iteration[:-1] + 1)[: version.size])


@pytest.mark.parametrize("server", SERVERS)
def test_updates_take_the_messages_in_the_order_of_arrival(server):
    trace = server.trace(300, message_bits=100, seed=4)
    new = trace.fresh.sum(axis=1)
    first = len(MIXED) if server.mode == "aggregated" else server.arrivals
    assert new.tolist() == [first] + [server.arrivals] * 299
    times = [trace.arrival[trace.starts[k] : trace.starts[k + 1]] for k in range(300)]
    for earlier, later in pairwise(times):
        assert earlier.max() <= later.min()
    # Nobody computes before the update that gives the model: the shortest jobs take their fixed time.
    began = np.append(0.0, trace.update_time)[trace.version]
    shifted = trace.worker == 3
    assert (trace.arrival - began)[shifted].min() >= 2.0


def test_aggregated_uses_the_message_of_every_worker_from_the_start():
    trace = ParameterServer(MIXED, "aggregated").trace(200, message_bits=100)
    assert trace.stored
    assert trace.used.all()
    assert trace.max_delay == trace.delay.max() > trace.message_delay.max() - 1


def test_async_uses_a_message_once():
    trace = ParameterServer(MIXED).trace(200, message_bits=100)
    assert not trace.stored
    assert (trace.used.sum(axis=1) == 1).all()


@pytest.mark.parametrize("mode", ["async", "aggregated"])
def test_waiting_for_everyone_is_the_synchronous_method(mode):
    trace = ParameterServer(MIXED, mode, arrivals=5).trace(50, message_bits=100)
    assert trace.max_delay == 0
    assert trace.fresh.all()


def test_fixed_times_give_the_order_that_a_hand_calculation_gives():
    workers = [Worker(Deterministic(1.0)), Worker(Deterministic(2.5)), Worker(Deterministic(2.5), uplink=Link(0.5))]
    trace = ParameterServer(workers).trace(9, message_bits=0)

    assert trace.worker.tolist() == [0, 0, 1, 0, 2, 0, 0, 1, 0]  # at 5.0 worker 0 before worker 1
    assert trace.arrival.tolist() == [1, 2, 2.5, 3, 3, 4, 5, 5, 6]
    assert trace.message_delay.tolist() == [0, 0, 2, 1, 4, 1, 0, 4, 1]


def test_links_and_lengths_add_their_time():
    worker = Worker(Deterministic(1.0), uplink=Link(0.25, 100.0), downlink=Link(0.5, 1000.0))
    trace = ParameterServer([worker]).trace(2, message_bits=50, model_bits=500)

    each = 1.0 + (0.25 + 0.5) + (0.5 + 0.5)
    np.testing.assert_allclose(trace.arrival, [each, 2 * each], rtol=1e-9)
    assert trace.bits.tolist() == [50, 50]
    lengths = ParameterServer([worker, worker]).trace(2, message_bits=[50, 100])
    np.testing.assert_allclose(lengths.arrival[1] - lengths.arrival[0], 0.5, rtol=1e-9)
    assert lengths.bits.tolist() == [50, 100]


@pytest.mark.parametrize("law", LAWS, ids=repr)
def test_intervals_between_the_messages_of_a_worker_have_its_law(law):
    trace = ParameterServer([Worker(law), Worker(Exponential(0.01))]).trace(200_000, message_bits=0, seed=0)
    times = np.diff(trace.arrival[trace.worker == 0], prepend=0.0)
    draws = law.draw(np.random.default_rng(1), 100_000)
    assert times.size > 300
    quantiles = [0.1, 0.5, 0.9]
    spread = 5 / np.sqrt(times.size)
    for q in quantiles:
        assert np.mean(times <= np.quantile(draws, q) * (1 + 1e-6)) >= q - spread
        assert np.mean(times < np.quantile(draws, q) * (1 - 1e-6)) <= q + spread


@pytest.mark.parametrize("law", LAWS, ids=repr)
def test_laws_have_the_mean_they_state_and_scale(law):
    draws = law.draw(np.random.default_rng(0), 400_000)
    tolerance = 0.15 if isinstance(law, Pareto) else 0.03  # of infinite variance
    np.testing.assert_allclose(draws.mean(), law.mean, rtol=tolerance)
    again = law.shift + law.scale * law.standard().draw(np.random.default_rng(0), 400_000)
    np.testing.assert_allclose(again, draws, rtol=1e-12)


def test_the_seed_decides():
    server = ParameterServer(MIXED)
    first, same, other = (server.trace(100, 10, seed=seed).arrival.tolist() for seed in (0, 0, 1))
    assert first == same != other


def test_fast_workers_send_more_often():
    trace = ParameterServer([Worker(Exponential(1.0)), Worker(Exponential(4.0))]).trace(5000, 1, seed=0)
    np.testing.assert_allclose(np.mean(trace.worker == 0), 0.8, atol=0.02)


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: ParameterServer([]), ValueError, "the number of workers = 0"),
        (lambda: ParameterServer([Exponential(1.0)]), TypeError, "workers contain a Exponential"),
        (lambda: ParameterServer(MIXED, "asynch"), ValueError, "did you mean 'async'"),
        (lambda: ParameterServer(MIXED, arrivals=6), ValueError, "arrivals = 6 is outside the accepted range 1..5"),
        (lambda: ParameterServer(MIXED).trace(0, 1), ValueError, "iterations = 0"),
        (lambda: ParameterServer(MIXED).trace(1, -1), ValueError, "message_bits = -1"),
        (lambda: ParameterServer(MIXED).trace(1, [1, 2]), ValueError, r"message_bits have the shape \(2,\)"),
        (lambda: ParameterServer(MIXED).trace(1, 1, model_bits=np.nan), ValueError, "model_bits = nan"),
        (lambda: Worker(1.0), TypeError, "compute is a float"),
        (lambda: Link(-1.0), ValueError, "latency = -1.0"),
        (lambda: Link(0.0, 0.0), ValueError, "bandwidth = 0.0"),
        (lambda: Exponential(0.0), ValueError, "average = 0.0"),
        (lambda: Deterministic(-1.0), ValueError, "seconds = -1.0"),
        (lambda: ShiftedExponential(-1.0, 1.0), ValueError, "least = -1.0"),
        (lambda: Pareto(0.01, 1.0), ValueError, "index = 0.01"),
        (lambda: LogNormal(1.0, 51.0), ValueError, "log_deviation = 51.0"),
    ],
)
def test_bad_input_is_refused_by_name(call, error, message):
    with pytest.raises(error, match=message):
        call()
