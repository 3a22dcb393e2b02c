"""Figures about networks, tracking and sparse events: what is counted, and what follows from theorems."""

import math
from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from taciturn.paper_figures import event_networks, event_sparsified, event_tracking
from taciturn.paper_figures import event_runs as runs
from taciturn.paper_figures import event_tasks as tasks
from taciturn.paper_figures.cache import Cache
from taciturn.paper_figures.setting import Setting
from taciturn.paper_figures.table import Table
from taciturn.solvers.array import Array, Stream
from taciturn.solvers.compressors import TopK
from taciturn.solvers.decentralised import (
    Always,
    Compressed,
    EventTriggeredGradient,
    Sparsified,
    Tensors,
    run_decentralised,
)
from taciturn.solvers.problems import quadratic
from taciturn.solvers.topology import metropolis, network
from taciturn.theory.mixing import mixing

TENSORS = Tensors.of({"weight": 640, "bias": 10})


@pytest.mark.parametrize("workers", [4, 8, 32])
def test_equal_events_cost_the_complete_graph_more_by_its_degree(workers: int) -> None:
    events = np.random.default_rng(0).random((50, workers, 2)) < 0.4
    ring, ring_link = event_networks.messages(events, network("ring", workers))
    complete, complete_link = event_networks.messages(events, network("complete", workers))

    assert complete == (workers - 1) / 2 * ring
    assert ring_link == pytest.approx(events.sum() / workers)
    assert complete_link == pytest.approx(ring_link)


def test_the_hub_of_a_star_pays_for_all_its_links() -> None:
    events = np.zeros((1, 8, 1), dtype=bool)
    events[0, 0] = True  # the hub alone

    assert event_networks.messages(events, network("star", 8))[0] == 7
    assert event_networks.messages(~events, network("star", 8))[0] == 7


def test_rules_mix_on_the_network_they_name() -> None:
    where = tasks.task(8, "quick")
    for name in event_networks.COLOURS:
        method = replace(runs.RULES[runs.PUBLISHED], graph=name).method(where)
        assert isinstance(method, EventTriggeredGradient)
        assert (metropolis(network(name, 8)) != method.W).nnz == 0


class Held:
    """Copies at a fixed distance from their originals."""

    def __init__(self, distance: Array) -> None:
        self.distance = distance

    def send(
        self, points: Array, copies: Array, fires: NDArray[np.bool_], tensors: Tensors, rng: Stream
    ) -> tuple[Array, NDArray[np.float64]]:
        del copies, fires, tensors, rng
        return points + self.distance, np.zeros(len(points))


@pytest.mark.parametrize("update", event_networks.UPDATES.values())
@pytest.mark.parametrize(("name", "workers"), [("ring", 16), ("torus", 32), ("star", 8), ("complete", 8)])
def test_held_copies_lead_where_it_is_said_and_not_beyond_the_bound(name: str, workers: int, update: str) -> None:
    W = metropolis(network(name, workers))
    gap, distance = mixing(W).spectral_gap, event_networks.held(W, update)
    method = EventTriggeredGradient(W, Always(), gap / (2 * event_networks.L), update, content=Held(distance[:, None]))
    problem = quadratic(np.full((workers, 1), event_networks.L), np.zeros((workers, 1)))
    found = run_decentralised(method, problem, round(60 / gap), record_every=10)
    attained = event_networks.attained(W, update)

    assert set(np.abs(distance)) == {1.0}
    assert math.sqrt(found.disagreement[-1]) == pytest.approx(attained, rel=1e-6)
    assert math.sqrt(found.disagreement.max()) <= event_networks.allowed(W, update)
    others = np.random.default_rng(0).choice([-1.0, 1.0], size=(workers, 200))
    assert np.std(event_networks.response(W, update) @ others, axis=0).max() <= attained * (1 + 1e-9)


def test_only_the_published_update_feels_the_gap_of_a_ring() -> None:
    wide, narrow = (metropolis(network("ring", workers)) for workers in (8, 32))
    for measure in (event_networks.attained, event_networks.allowed):
        published, preserving = (measure(narrow, update) / measure(wide, update) for update in
                                 event_networks.UPDATES.values())  # fmt: skip
        assert published > 10
        assert preserving < 1.5


@pytest.fixture(scope="module")
def tracked(tmp_path_factory: pytest.TempPathFactory) -> Table:
    """The numbers of the figure about tracking, as they are drawn."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(event_tracking, "ITERATIONS", {"quick": 1400})
        setting = Setting(Cache(tmp_path_factory.mktemp("cache")))
        return event_tracking.FIGURE.compute(setting, lambda done, total: None)


def test_tracking_converges_linearly_below_its_bound_and_far_below_the_floors(tracked: Table) -> None:
    rows = tracked.where(rule=event_tracking.EVENT_TRACKING)
    ends = {name: tracked.where(rule=name)["distance"][-1] for name in tracked.different("rule")}
    late = rows["iteration"] >= 600
    slope = np.polyfit(rows["iteration"][late], np.log(rows["distance"][late]), 1)[0]

    assert (rows["distance"] <= rows["bound"]).all()
    assert slope == pytest.approx(math.log(event_tracking.decaying().factor), rel=0.1)
    assert ends[event_tracking.EVENT_TRACKING] < 1e-3 * ends[event_tracking.SYNCHRONOUS]
    assert ends[event_tracking.TRACKING] < ends[event_tracking.EVENT_TRACKING]


def test_the_bias_and_the_floor_of_plain_gradients_are_below_their_bounds(tracked: Table) -> None:
    ends = {name: tracked.where(rule=name)["distance"][-1] for name in tracked.different("rule")}
    bias, floor = event_tracking.bias(), event_tracking.floor()

    assert 0.2 * bias < ends[event_tracking.SYNCHRONOUS] <= bias
    assert 2 * ends[event_tracking.SYNCHRONOUS] < ends[event_tracking.A] <= bias + floor
    assert ends[event_tracking.B_DECAYING] == pytest.approx(ends[event_tracking.SYNCHRONOUS], rel=1e-3)


def test_the_bound_of_tracking_follows_its_recursion() -> None:
    k = np.arange(200)
    allowed = event_tracking.tracking_bound(k)
    left = 1 - event_tracking.step_size() * float(event_tracking.problem().mu) / 2
    factor = event_tracking.decaying().factor
    added = allowed[1:] - left * allowed[:-1]

    assert left < factor
    assert added[0] > 0
    assert added == pytest.approx(added[0] * factor ** k[:-1], rel=1e-6)


def test_messages_of_trackers_are_counted(tracked: Table) -> None:
    always, alone = (tracked.where(rule=name) for name in (event_tracking.TRACKING, event_tracking.SYNCHRONOUS))
    unit = event_tracking.DEGREE * 32 * event_tracking.D

    assert alone["bits"] == pytest.approx(alone["iteration"] * unit)
    assert always["bits"] == pytest.approx(2 * alone["bits"])
    events = tracked.where(rule=event_tracking.EVENT_TRACKING)
    assert 0.5 < events["trackers"][-1] / events["parameters"][-1] < 3


def test_the_torus_has_the_degree_that_the_bits_count() -> None:
    degrees = {degree for _, degree in network("torus", event_tracking.WORKERS).degree()}

    assert degrees == {event_tracking.DEGREE}


@pytest.mark.parametrize("percent", event_sparsified.PERCENT)
@pytest.mark.parametrize("family", [event_sparsified.EVENTS, event_sparsified.CHOCO])
def test_bits_of_sparse_events_are_those_of_the_messages(family: str, percent: int) -> None:
    rule = event_sparsified.rules()[family, percent]
    whole = family == event_sparsified.CHOCO
    tensors = Tensors.whole(TENSORS.d) if whole else TENSORS
    points = np.random.default_rng(0).normal(size=(3, TENSORS.d)).astype(np.float32)
    content = Compressed(TopK(math.ceil(percent / 100 * TENSORS.d))) if whole else Sparsified(percent / 100)
    fires = np.ones((3, len(tensors.sizes)), dtype=bool)
    _, bits = content.send(points, np.zeros_like(points), fires, tensors, Stream(0))

    assert bits.tolist() == [rule.bits(TENSORS).sum()] * 3


def test_top_k_in_every_pass_sends_the_bits_of_its_messages(tmp_path_factory: pytest.TempPathFactory) -> None:
    setting, passes = Setting(Cache(tmp_path_factory.mktemp("cache"))), 20
    tensors = tasks.task(runs.WORKERS, "quick").tensors
    rule = event_sparsified.rules()[event_sparsified.TOP, 5]
    found = runs.course(setting, rule, passes)

    assert found.volume[-1] == pytest.approx(rule.bits(tensors).sum() / (32 * tensors.d))
    assert found.volume[-1] > 0.05  # indices come on top of the values


def test_losses_at_equal_bits_are_interpolated_and_missing_where_less_is_sent() -> None:
    zeros, events = np.zeros(3), np.ones((4, 2, 1), dtype=bool)
    volume = np.array([0.0, 0.25, 0.5])
    loss, bits, full = 4.0 - 8.0 * volume, np.array([64.0]), np.array(128.0)
    found = runs.Course(np.array([0, 2, 4]), loss, zeros, zeros, zeros, events, bits, full)

    assert found.volume.tolist() == volume.tolist()
    assert event_sparsified.at_equal_bits(found, 0.1) == pytest.approx(3.2)
    assert math.isnan(event_sparsified.at_equal_bits(found, 0.6))
