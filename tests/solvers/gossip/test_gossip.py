"""Real runs of four processes: equal to the simulator, and failing with names."""

from __future__ import annotations

import numpy as np
import pytest

from taciturn.solvers.decentralised import EventTriggeredGradient, Tensors, run_decentralised
from taciturn.solvers.gossip import EventTrace, Replayed

pytest.importorskip("torch")

from gossip_runs import PLANS, STEP, Plan, problem, ring, run

LAYERS = Tensors.of({"weight": 4, "bias": 2})


def replay(plan, trace):
    method = EventTriggeredGradient(
        ring(), Replayed(trace), STEP, plan.update, LAYERS, damping=plan.damping, latency=plan.latency
    )
    return run_decentralised(method, problem(), plan.iterations, record={"x": lambda state: state.points})


@pytest.mark.slow
@pytest.mark.parametrize("name", PLANS)
def test_a_real_run_is_the_simulated_one(name, tmp_path) -> None:
    plan = PLANS[name]()
    found = run(plan, tmp_path)
    assert [outcome.get("error") for outcome in found] == [None] * 4
    trace = EventTrace.of_ranks([outcome["trace"] for outcome in found])
    points = np.stack([outcome["points"] for outcome in found], axis=1)
    assert trace.fired.shape == (60, 4, 2)
    assert 0 < trace.message_share < 1 or name == "compressed"
    header = 16 + 1
    start = 2 * (24 + 6 * 8 + header)
    assert trace.bytes_sent.tolist() == (trace.bits_counted / 8 + 60 * 2 * header + start).tolist()
    if plan.compressor is not None:
        assert np.all(np.isfinite(points))
        return
    simulated = replay(plan, trace)
    assert np.max(np.abs(points - simulated.recorded["x"])) < 1e-13  # torch's SGD rounds product and sum at once
    own = EventTriggeredGradient(
        ring(), plan.trigger, STEP, plan.update, LAYERS, damping=plan.damping, latency=plan.latency
    )
    assert np.array_equal(run_decentralised(own, problem(), 60).events, trace.fired)
    trace.save(tmp_path / "trace.npz")
    assert np.array_equal(EventTrace.load(tmp_path / "trace.npz").fired, trace.fired)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("fault", "word"),
    [
        ("die", "rank 1 is lost"),
        ("hang", "no message from rank 1 for 5 seconds"),
        ("late", "no message from rank 1 for 5 seconds"),
        ("not finite", "rank 1 has given up"),
        ("other shape", "rank 1 has given up"),
    ],
)
def test_failures_have_names_on_every_rank(fault, word, tmp_path) -> None:
    found = run(Plan(fault=fault, timeout=5.0), tmp_path)
    if fault == "late":
        assert "rank" in found[1]["error"]  # it learns that the others have given it up
    if fault in ("not finite", "other shape"):
        own = {"not finite": "NaN or infinite in iteration 20", "other shape": "weight has the shape (3, 2)"}[fault]
        assert own in found[1]["error"]
    for rank in (0, 2):
        assert word in found[rank]["error"], found[rank]["error"]
    assert "error" in found[3]
    for rank in (0, 2, 3):
        assert found[rank]["seconds"] < 60
        assert len(found[rank]["points"]) <= 23


@pytest.mark.slow
@pytest.mark.parametrize("latency", [0, 2])
def test_a_run_goes_on_from_its_checkpoint(latency, tmp_path) -> None:
    plan = Plan(update="average-preserving", damping=0.5, latency=latency)
    whole = run(plan, tmp_path)
    broken = run(Plan(**{**plan.__dict__, "save_at": 15, "fault": "die", "timeout": 5.0}), tmp_path)
    assert "error" in broken[0]
    resumed = run(Plan(**{**plan.__dict__, "resume": True}), tmp_path)
    assert [outcome.get("error") for outcome in resumed] == [None] * 4
    for before, after in zip(whole, resumed, strict=True):
        assert np.array_equal(before["points"][-1], after["points"][-1])
        assert np.array_equal(before["trace"].fired, after["trace"].fired)


def test_a_replay_must_fit() -> None:
    trace = EventTrace(np.ones((3, 4, 2), dtype=bool), 0, np.zeros(4, dtype=int), np.zeros(4))
    method = EventTriggeredGradient(ring(), Replayed(trace), STEP, tensors=LAYERS)
    with pytest.raises(ValueError, match="3 iterations"):
        run_decentralised(method, problem(), 4)
    with pytest.raises(ValueError, match="2 tensors"):
        run_decentralised(EventTriggeredGradient(ring(), Replayed(trace), STEP), problem(), 1)
    shorter = EventTrace(trace.fired[:2], 0, trace.bytes_sent, trace.bits_counted)
    with pytest.raises(ValueError, match=r"\[2, 3\]"):
        EventTrace.of_ranks([trace, shorter])
