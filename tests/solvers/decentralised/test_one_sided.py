"""One-sided windows: exact ones change nothing, and every switch does what can be worked out by hand, and no more."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from decentralised_cases import LAYERS, TRIGGERS, ring, workers
from hypothesis import given, settings
from hypothesis import strategies as st

from taciturn.solvers.array import Stream
from taciturn.solvers.compressors import TopK
from taciturn.solvers.decentralised import (
    Adaptive,
    Always,
    Compressed,
    Constant,
    DifferenceNorm,
    EventTriggeredGradient,
    Every,
    NormDifference,
    OneSidedGradient,
    Sparsified,
    Tensors,
    Whole,
    Windows,
    run_decentralised,
)
from taciturn.solvers.decentralised.inbox import Inbox, Links
from taciturn.solvers.decentralised.one_sided import _rounded
from taciturn.solvers.decentralised.windows import rounded_indices
from taciturn.solvers.methods import MiniBatch, Noisy
from taciturn.solvers.partition import split_iid
from taciturn.solvers.problems import quadratic, softmax_regression
from taciturn.theory import theorem

PAIR = np.full((2, 2), 0.5)
LATE = (0.25, 0.25, 0.25, 0.25)


def at_rest(n, d):
    """Functions without gradients: parameters move by mixing only."""
    return quadratic(np.zeros((n, d)), np.zeros((n, d)))


def steady(n, d):
    """Steps along all ones, equal but for a millionth: minimisers far away, curvature next to nothing."""
    return quadratic(np.full((n, d), 1e-6), np.full((n, d), 1e6))


def copies(state):
    return state.inbox.copies


@pytest.mark.parametrize("content", [Whole(), Sparsified(0.4)], ids=["whole", "sparse"])
@pytest.mark.parametrize("name", TRIGGERS)
def test_exact_windows_change_nothing(name, content) -> None:
    known = {"tensors": LAYERS, "content": content, "oracle": Noisy(0.1)}
    x0 = np.random.default_rng(0).standard_normal((6, 5))
    exact = run_decentralised(EventTriggeredGradient(ring(), TRIGGERS[name], 0.2, **known), workers(), 100, x0)
    ours = run_decentralised(OneSidedGradient(ring(), TRIGGERS[name], 0.2, **known), workers(), 100, x0)

    assert np.array_equal(ours.events, exact.events)
    assert np.array_equal(ours.bits, exact.bits)
    assert ours.state.points == pytest.approx(exact.state.points, rel=1e-12, abs=1e-13)
    counts = ours.state.counts
    assert counts.puts.tolist() == (2 * exact.events.sum(axis=(0, 1))).tolist()
    assert counts.oldest.tolist() == exact.staleness.max(axis=(0, 1)).tolist()
    assert counts.mean_age == pytest.approx(exact.staleness.mean())
    for nothing in (counts.torn, counts.overwritten, counts.lag, counts.conflict):
        assert not nothing.any()


@pytest.mark.parametrize("content", [Whole(), Sparsified(0.3)], ids=["whole", "sparse"])
def test_exact_windows_change_nothing_in_softmax_regression_with_mini_batches(content) -> None:
    rng = np.random.default_rng(0)
    features, targets = rng.standard_normal((60, 4)), rng.integers(0, 3, 60)
    problem = softmax_regression(features, targets, 1e-3).split(split_iid(60, 4, seed=0))
    known = {"tensors": Tensors.of({"weight": 9, "bias": 3}), "content": content, "oracle": MiniBatch(5)}
    exact, ours = (
        run_decentralised(method(ring(4), Adaptive(warm_up=9), 0.1, **known), problem, 80)
        for method in (EventTriggeredGradient, OneSidedGradient)
    )

    assert 0.2 < exact.message_share < 0.9
    assert np.array_equal(ours.events, exact.events)
    assert ours.value == pytest.approx(exact.value, rel=1e-12)


@pytest.mark.parametrize("latency", [1, 3])
def test_equal_lateness_is_latency(latency) -> None:
    trigger = DifferenceNorm(Constant(0.05))
    exact = run_decentralised(EventTriggeredGradient(ring(), trigger, 0.2, latency=latency), workers(), 60)
    late = Windows(lateness=(0.0,) * latency + (1.0,))
    ours = run_decentralised(OneSidedGradient(ring(), trigger, 0.2, late), workers(), 60)

    assert np.array_equal(ours.events, exact.events)
    assert ours.state.points == pytest.approx(exact.state.points, rel=1e-12, abs=1e-13)
    assert ours.state.counts.lag.tolist() == [latency]


@given(x=st.lists(st.floats(-5, 5), min_size=3, max_size=3), late=st.integers(1, 4))
def test_zeros_are_mixed_until_the_first_message_arrives(x, late) -> None:
    """|copy - x| = |x|, and x halves in every tick until then."""
    windows = Windows(start="zeros", lateness=(0.0,) * late + (1.0,))
    method = OneSidedGradient(PAIR, Always(), 1.0, windows)
    run = run_decentralised(method, at_rest(2, 3), late, np.array(x))

    assert run.state.points == pytest.approx(np.tile(x, (2, 1)) / 2**late, abs=1e-300)
    assert run.state.counts.error[0] == pytest.approx(np.linalg.norm(x), rel=1e-12, abs=1e-150)
    following = method.step(at_rest(2, 3), run.state, Stream(0))
    assert copies(following).tolist() == [x, x]  # what was put first


def test_a_late_put_of_zero_windows_at_hand_has_no_effect() -> None:
    """Without lateness the first message is there before the first read."""
    x0 = np.random.default_rng(0).standard_normal((6, 5))
    runs = [
        run_decentralised(OneSidedGradient(ring(), Adaptive(warm_up=5), 0.2, windows), workers(), 30, x0)
        for windows in (Windows(), Windows(start="zeros"))
    ]
    assert np.array_equal(runs[0].state.points, runs[1].state.points)


def _two_puts(windows, masks, values):
    """Window and copy of one link after two puts that arrive before they are read, and the puts overwritten."""
    links = Links(np.array([0]), np.array([1]), Tensors.whole(4))
    nobody, reader = np.array([False]), np.array([True])
    inbox, rng = Inbox.start(np.zeros((2, 4)), links, windows), Stream(0)
    lost = 0
    for tick, (mask, value) in enumerate(zip(masks, values, strict=True)):
        entries, points = np.array([mask, [False] * 4]), np.full((2, 4), value)
        inbox = inbox.post(links, windows, tick, points, entries, np.array([[True]]), rng)
        inbox, _, overwritten = inbox.arrive(links, windows, tick, nobody, rng)
        lost += int(overwritten.sum())
    return inbox.read(reader).copies[0], lost


FIRST, SECOND = [True, True, False, False], [False, True, True, False]


def test_a_put_that_overwrites_loses_exactly_the_coordinates_of_the_first() -> None:
    kept, none = _two_puts(Windows(), (FIRST, SECOND), (1.0, 2.0))
    lost, one = _two_puts(Windows(overwritable=True), (FIRST, SECOND), (1.0, 2.0))

    assert kept.tolist() == [1.0, 2.0, 2.0, 0.0]
    assert lost.tolist() == [0.0, 2.0, 2.0, 0.0]
    assert (none, one) == (0, 1)


def test_whole_puts_may_overwrite_each_other() -> None:
    """The last message is all there is to know."""
    everything = [True] * 4
    for windows in (Windows(), Windows(overwritable=True)):
        assert _two_puts(windows, (everything, everything), (1.0, 2.0))[0].tolist() == [2.0] * 4


@pytest.mark.parametrize("overwritable", [False, True])
def test_only_overwriting_leaves_a_conflict_behind(overwritable) -> None:
    """After 40 ticks workers stop, everything has arrived and been read: copies are the records, or never will be."""
    x0 = np.random.default_rng(1).standard_normal((6, 5))
    windows = Windows(lateness=LATE, overwritable=overwritable)
    method = OneSidedGradient(ring(), Always(), 0.05, windows, content=Sparsified(0.2))
    state = run_decentralised(method, workers(), 40, x0).state
    quiet = OneSidedGradient(ring(), NormDifference(Constant(1e9)), 0.05, windows, content=Sparsified(0.2))
    for tick in range(5):
        state = quiet.step(workers(), state, Stream(tick))
    conflict = quiet.links(workers()).distances(state.records, copies(state)).max()

    assert state.counts.overwritten.sum() > 20 if overwritable else state.counts.overwritten.sum() == 0
    assert conflict > 0.05 if overwritable else conflict == 0


def test_pairs_of_zeros_clear_entry_zero_until_a_message_comes() -> None:
    x0 = np.array([3.0, 4.0, 5.0, 6.0, 7.0])
    windows = Windows(zero_pairs=True, lateness=(0.0, 0.0, 1.0))
    method = OneSidedGradient(PAIR, Always(), 1.0, windows, LAYERS, Sparsified(1.0))
    problem = at_rest(2, 5)
    state = method.step(problem, method.init(problem, x0), Stream(0))

    assert copies(state).tolist() == [[0.0, 4.0, 5.0, 0.0, 7.0]] * 2  # the first entry of both tensors
    assert state.points[0].tolist() == [1.5, 4.0, 5.0, 3.0, 7.0]
    at_once = OneSidedGradient(
        PAIR, Always(), 1.0, Windows(zero_pairs=True, overwritable=True), LAYERS, Sparsified(1.0)
    )
    state = at_once.init(problem, x0)
    state = at_once.step(problem, state, Stream(0))
    # Records are true, so the first message holds nothing: it takes the place of the pairs.
    assert copies(state).tolist() == [x0.tolist()] * 2


@given(torn=st.sampled_from([0.3, 1.0]), seed=st.integers(0, 1000))
@settings(max_examples=12, deadline=None)
def test_torn_reads_mix_two_versions_and_obey_their_bound(torn, seed) -> None:
    c = 0.3
    method = OneSidedGradient(ring(), DifferenceNorm(Constant(c)), 0.1, Windows(torn=torn))
    problem, rng = workers(seed=seed % 7), Stream(seed)
    state = method.init(problem, np.random.default_rng(seed).standard_normal((6, 5)))
    source = method.links(problem).source
    older = state.records
    worst = 0.0
    for _ in range(30):
        points, before = state.points, state.records
        state = method.step(problem, state, rng)
        fired = state.events.fired[:, 0]
        older = np.where(fired[:, None], before, older)
        mixed = copies(state)
        new, old = mixed == state.records[source], mixed == older[source]
        assert np.all(new | old)
        # What comes first is newer: no entry of the older version stands before one of the newer.
        assert np.all(np.diff(new.astype(int) - old.astype(int), axis=1) <= 0)
        worst = max(worst, float(np.linalg.norm(points[source] - mixed, axis=1).max()))
    counts = state.counts
    bound = theorem("torn-copies").evaluate(trigger_threshold=c, movement=float(counts.movement[0])).value
    assert 0 < counts.torn[0] <= counts.puts[0]
    assert worst == pytest.approx(float(counts.error[0]))
    assert worst <= bound


def test_a_put_waits_for_the_rest_of_the_torn_one_before_it() -> None:
    """Both are due in tick 1: never are more than two consecutive versions in a copy."""
    links = Links(np.array([0]), np.array([1]), Tensors.whole(4))
    inbox, rng, reader, found = Inbox.start(np.zeros((2, 4)), links, Windows()), Stream(0), np.array([True]), []
    for tick, lateness in enumerate([(0.0, 1.0), (1.0,), None, None]):
        if lateness is not None:
            windows = Windows(lateness=lateness, torn=1.0)
            values, everything = np.full((2, 4), tick + 1.0), np.ones((2, 4), dtype=bool)
            inbox = inbox.post(links, windows, tick, values, everything, reader[:, None], rng)
        inbox, torn, _ = inbox.arrive(links, windows, tick, reader, rng)
        inbox = inbox.read(reader)
        found.append((set(inbox.copies[0].tolist()), bool(torn[0, 0]), int(inbox.lag(tick)[0, 0])))
    assert found == [({0.0}, False, 1), ({0.0, 1.0}, True, 2), ({1.0, 2.0}, True, 2), ({2.0}, False, 0)]


def test_torn_reads_leave_the_threshold_behind() -> None:
    """The bound of whole copies, c, would be wrong."""
    c = 0.3
    x0 = np.random.default_rng(0).standard_normal((6, 5))
    exact, torn = (
        run_decentralised(OneSidedGradient(ring(), DifferenceNorm(Constant(c)), 0.1, windows), workers(), 30, x0)
        for windows in (Windows(), Windows(torn=1.0))
    )
    assert exact.state.counts.error[0] < c < torn.state.counts.error[0]
    assert torn.state.counts.torn[0] == torn.state.counts.puts[0]
    assert torn.state.counts.lag.tolist() == [1]


def test_a_tensor_of_one_entry_cannot_be_torn() -> None:
    tensors = Tensors.of({"weight": 4, "bias": 1})
    method = OneSidedGradient(ring(), Always(), 0.1, Windows(torn=1.0), tensors)
    assert run_decentralised(method, workers(), 20).state.counts.torn.tolist() == [20 * 12, 0]


@given(seed=st.integers(0, 10_000), sparse=st.booleans(), torn=st.sampled_from([0.0, 0.5]))
@settings(max_examples=12, deadline=None)
def test_late_puts_in_order_obey_the_bound_of_their_lag(seed, sparse, torn) -> None:
    """`latency-staleness` with c, l and m as measured, tensor by tensor; workers at their own paces, too."""
    content = Sparsified(0.4) if sparse else Whole()
    windows = Windows(lateness=LATE, torn=torn, paces=(1.0, 0.5, 0.9, 0.7, 1.0, 0.8))
    method = OneSidedGradient(ring(), DifferenceNorm(Constant(0.1)), 0.1, windows, LAYERS, content)
    x0 = np.random.default_rng(seed).standard_normal((6, 5))
    counts = run_decentralised(method, workers(), 40, x0, seed).state.counts

    assert np.all(counts.lag <= len(LATE) - 1 + (torn > 0))
    for b in range(2):
        bound = theorem("latency-staleness").evaluate(
            trigger_threshold=counts.threshold[b], latency=int(counts.lag[b]), movement=counts.movement[b]
        )
        allowed = float(bound.value) * (np.sqrt(2) if torn else 1)  # entries of two versions, each within the bound
        assert counts.error[b] <= allowed * (1 + 1e-12)


def test_lag_is_attained_on_a_steady_path() -> None:
    """Steps of the same size, hardly any mixing: a copy that was put l ticks ago is l steps behind."""
    W = np.array([[1 - 1e-6, 1e-6], [1e-6, 1 - 1e-6]])
    method = OneSidedGradient(W, Always(), 1.0, Windows(lateness=(0.0, 0.0, 1.0)))
    counts = run_decentralised(method, steady(2, 1), 12).state.counts
    bound = theorem("latency-staleness").evaluate(trigger_threshold=0.0, latency=2, movement=counts.movement[0]).value
    assert counts.lag.tolist() == counts.oldest.tolist() == [2]
    assert (1 - 1e-4) * bound < counts.error[0] <= bound


def test_an_older_message_that_arrives_later_breaks_the_bound() -> None:
    """Out of order the copy goes back in time, with nothing outstanding that would tell."""
    links = Links(np.array([0]), np.array([1]), Tensors.whole(1))
    everything, reader = np.ones((2, 1), dtype=bool), np.array([True])
    used = {}
    for in_order in (True, False):
        inbox, rng = Inbox.start(np.zeros((2, 1)), links, Windows()), Stream(0)
        for tick, lateness in ((0, (0.0, 0.0, 1.0)), (1, (1.0,))):
            windows = Windows(lateness=lateness, in_order=in_order)
            inbox = inbox.post(links, windows, tick, np.full((2, 1), tick + 1.0), everything, reader[:, None], rng)
            inbox = inbox.arrive(links, windows, tick, reader, rng)[0].read(reader)
        inbox = inbox.arrive(links, windows, 2, reader, rng)[0].read(reader)
        used[in_order] = (inbox.copies.tolist(), int(inbox.lag(2)[0, 0]))
    assert used[True] == ([[2.0]], 0)
    assert used[False] == ([[1.0]], 0)


def test_dropped_puts_never_arrive() -> None:
    x0 = np.array([[1.0], [3.0]])
    method = OneSidedGradient(PAIR, Always(), 1.0, Windows(dropped=1.0))
    state = run_decentralised(method, at_rest(2, 1), 10, x0).state
    assert copies(state).ravel().tolist() == [3.0, 1.0]  # the start, of both links
    assert state.counts.lag.tolist() == [0]
    assert state.inbox.on_the_way == ()


def test_a_finished_worker_is_silent_and_its_age_grows() -> None:
    problem, windows = workers(n=4), Windows(stops=(5, 60, 60, 60))
    method = OneSidedGradient(ring(4), Always(), 0.1, windows)
    ages = {"points": lambda state: state.points[0], "oldest": lambda state: state.counts.oldest[0]}
    run = run_decentralised(method, problem, 70, record=ages)

    assert run.events[:, 0, 0].tolist() == [True] * 5 + [False] * 65
    assert run.recorded["oldest"][5:61].tolist() == [0, *range(1, 56)]  # at tick k what was put at tick 4 is k - 4 old
    assert run.recorded["oldest"][-1] == 55  # then nobody reads
    assert np.all(run.recorded["points"][5:] == run.recorded["points"][5])
    assert run.state.iterations.tolist() == [5, 60, 60, 60]


def test_paces_are_the_shares_of_ticks_in_which_workers_act() -> None:
    paces = (0.2, 1.0, 0.5, 0.8)
    method = OneSidedGradient(ring(4), Every(2), 0.1, Windows(paces=paces))
    state = run_decentralised(method, workers(n=4), 400, record_every=400).state
    assert state.iterations / 400 == pytest.approx(paces, abs=0.08)
    # The trigger counts the worker's own iterations: every second of them, not of the ticks.
    assert state.last_sent[:, 0].tolist() == [2 * ((count - 1) // 2) for count in state.iterations.tolist()]


def test_random_models_disagree_until_every_entry_was_sent() -> None:
    """One entry of five in every tick, the largest difference first: five ticks, unless an entry is sent again."""
    d = 5
    method = OneSidedGradient(PAIR, Always(), 1.0, Windows(start="random", deviation=10.0), content=Sparsified(1 / d))
    problem = at_rest(2, d)
    state, links = method.init(problem, np.ones(d)), method.links(problem)
    assert np.all(state.records != copies(state))
    assert np.all(copies(state)[0] != copies(state)[1])
    sent = np.zeros((2, d), dtype=bool)
    while not sent.all():
        before = state.records
        state = method.step(problem, state, Stream(0))
        sent |= state.records != before
        agree = copies(state) == state.records[links.source]
        assert np.array_equal(agree, sent[links.source])
    assert state.tick >= d
    assert links.distances(state.records, copies(state)).tolist() == [[0.0], [0.0]]


@given(indices=st.lists(st.integers(0, 2**40), min_size=1, max_size=20))
def test_indices_of_24_bits_are_those_of_float32(indices) -> None:
    values = np.array(indices, dtype=np.int64)
    assert rounded_indices(values, 24).tolist() == values.astype(np.float32).astype(np.int64).tolist()
    small = values % (2**24 + 1)
    assert rounded_indices(small, 24).tolist() == small.tolist()


def test_a_rounded_index_hits_its_neighbour() -> None:
    """Three bits in place of 24, so that 9 = 2^3 + 1 stands for 2^24 + 1: its value lands in entry 8."""
    d, start = 11, np.zeros((2, 11))
    start[:, 9] = 7.0
    windows = Windows(start="zeros", index_precision=3)
    method = OneSidedGradient(PAIR, Always(), 1.0, windows, content=Sparsified(1 / d))
    state = method.init(at_rest(2, d), start)
    # The record says zero, so that the entry is due.
    state = method.step(at_rest(2, d), replace(state, records=np.zeros((2, d))), Stream(0))
    assert [np.flatnonzero(copy).tolist() for copy in copies(state)] == [[8], [8]]
    assert copies(state)[0, 8] == 7.0
    assert np.flatnonzero(state.records[0]).tolist() == [9]
    assert state.events.bits.tolist() == [64 + 32] * 2


@pytest.mark.parametrize(
    ("entries", "arrived"), [([8, 9], {8: 9.0}), ([14, 15], {14: 14.0}), ([1, 2], {1: 1.0, 2: 2.0})]
)
def test_the_last_of_equal_indices_stays_and_what_is_beyond_the_end_is_lost(entries, arrived) -> None:
    mask = np.zeros((1, 16), dtype=bool)
    mask[0, entries] = True
    sent, values = _rounded(mask, np.arange(16.0)[None], Tensors.whole(16), 3)
    assert {int(i): float(values[0, i]) for i in np.flatnonzero(sent[0])} == arrived


def test_momentum_is_that_of_the_definition() -> None:
    problem, W, gamma, beta = workers(), ring().toarray(), 0.05, 0.9
    method = OneSidedGradient(W, Always(), gamma, momentum=beta)
    run = run_decentralised(method, problem, 20, record={"x": lambda state: state.points})
    x, velocity = np.zeros((6, 5)), np.zeros((6, 5))
    for k in range(20):
        assert run.recorded["x"][k] == pytest.approx(x, rel=1e-9, abs=1e-12)
        velocity = beta * velocity + problem.local_gradients(x)
        x = W @ x - gamma * velocity


def test_the_reference_program_trains_all_the_same() -> None:
    problem, x0 = workers(), np.random.default_rng(0).standard_normal(5)
    known = {"lateness": LATE, "torn": 0.3, "paces": (0.5, 0.6, 0.7, 0.8, 0.9, 1.0), "stops": (100,) * 6}
    for sparse, content in ((False, Whole()), (True, Sparsified(0.4))):
        windows = Windows.reference_program(sparse=sparse, deviation=0.1, **known)
        method = OneSidedGradient(ring(), Adaptive(), 0.1, windows, LAYERS, content)
        run = run_decentralised(method, problem, 260, x0, record_every=100)
        counts = run.state.counts
        assert run.state.iterations.tolist() == [100] * 6
        assert run.value[-1] - problem.minimum < 0.2 * (run.value[0] - problem.minimum)
        assert counts.torn.min() > 0
        assert counts.overwritten.min() > 0
        assert np.all(counts.torn <= counts.puts)


def test_mini_batches_do_not_depend_on_the_windows() -> None:
    """Nothing is mixed, so that only the noise moves the workers."""
    runs = [
        run_decentralised(OneSidedGradient(np.eye(6), Always(), 0.1, windows, oracle=Noisy(1.0)), workers(), 20)
        for windows in (Windows(), Windows(torn=0.5, lateness=LATE, dropped=0.2))
    ]
    assert np.array_equal(runs[0].state.points, runs[1].state.points)


def test_torch_gives_the_same() -> None:
    torch = pytest.importorskip("torch")
    problem, like = workers(), torch.zeros(1, dtype=torch.float64)
    windows = Windows.reference_program(sparse=True, lateness=LATE, torn=0.5, deviation=0.1)
    for content, switches in ((Whole(), Windows(start="zeros", lateness=LATE, torn=0.5)), (Sparsified(0.4), windows)):
        method = OneSidedGradient(ring(), DifferenceNorm(Constant(0.05)), 0.2, switches, LAYERS, content)
        ours = run_decentralised(method, problem, 30)
        theirs = run_decentralised(method, problem.on(like), 30)
        assert np.array_equal(ours.events, theirs.events)
        assert theirs.state.points.numpy() == pytest.approx(ours.state.points, abs=1e-12)


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (lambda: Windows(start="nothing"), ValueError, "start"),
        (lambda: Windows(deviation=-1.0), ValueError, "deviation"),
        (lambda: Windows(seed=-1), ValueError, "seed"),
        (lambda: Windows(lateness=(0.5, 0.4)), ValueError, "lateness sums to 0.9"),
        (lambda: Windows(lateness=()), ValueError, "lateness"),
        (lambda: Windows(lateness=(1.5, -0.5)), ValueError, "entry of lateness"),
        (lambda: Windows(dropped=1.5), ValueError, "dropped"),
        (lambda: Windows(torn=float("nan")), ValueError, "torn"),
        (lambda: Windows(paces=(2.0,)), ValueError, "entry of paces"),
        (lambda: Windows(stops=(-1,)), ValueError, "entry of stops"),
        (lambda: Windows(stops=(1.5,)), TypeError, "entry of stops"),
        (lambda: Windows(index_precision=0), ValueError, "index_precision"),
        (lambda: OneSidedGradient(PAIR, Always(), -1.0), ValueError, "step_size"),
        (lambda: OneSidedGradient(PAIR * 0.5, Always(), 1.0), ValueError, "row 0"),
        (lambda: OneSidedGradient(PAIR, Always(), 1.0, momentum=1.0), ValueError, "momentum"),
        (lambda: OneSidedGradient(PAIR, Always(), 1.0, content=Compressed(TopK(1))), TypeError, "content"),
        (lambda: OneSidedGradient(PAIR, Always(), 1.0, Windows(paces=(1.0,) * 3)), ValueError, "paces has 3"),
        (lambda: OneSidedGradient(PAIR, Always(), 1.0, Windows(stops=(1,))), ValueError, "stops has 1"),
        (lambda: OneSidedGradient(PAIR, Always(), 1.0, Windows(zero_pairs=True)), ValueError, "zero_pairs"),
        (lambda: OneSidedGradient(PAIR, Always(), 1.0, Windows(index_precision=24)), ValueError, "index_precision"),
        (lambda: run_decentralised(OneSidedGradient(PAIR, Always(), 1.0), workers(), 1), ValueError, "2 workers"),
    ],
)
def test_bad_input_is_refused(make, error, message) -> None:
    with pytest.raises(error, match=message):
        make()
