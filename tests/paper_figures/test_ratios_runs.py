"""Runs with ratios and thresholds matched to volumes, and the figures drawn from them."""

import itertools
import math
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from taciturn.paper_figures import (
    ratios_convergence,
    ratios_labels,
    ratios_network,
    ratios_runs,
    ratios_savings,
    ratios_time,
    ratios_traffic,
    style,
)
from taciturn.paper_figures.cache import Cache
from taciturn.paper_figures.figure import Figure
from taciturn.paper_figures.ratios_assignment import LOOKS, shares_of
from taciturn.paper_figures.setting import Setting
from taciturn.paper_figures.table import Table
from taciturn.solvers.methods import ErrorFeedback, PerWorkerTopK, run


@pytest.fixture(scope="module")
def setting(small_ratios: None, tmp_path_factory: pytest.TempPathFactory) -> Setting:
    return Setting(Cache(tmp_path_factory.mktemp("cache")))


@given(
    exponent=st.sampled_from([0.0, 1 / 3, 0.5, 2 / 3, 1.0]),
    workers=st.integers(1, 12),
    imbalance=st.sampled_from([0, 1, 2, 3]),
    d=st.integers(20, 300),
    kept=st.floats(0.05, 1.0),
)
def test_counts_spend_the_budget(exponent: float, workers: int, imbalance: int, d: int, kept: float) -> None:
    budget = max(workers, int(kept * workers * d))
    counts = ratios_runs.counts(exponent, shares_of(workers, imbalance), budget, d)

    assert sum(counts) == budget
    assert min(counts) >= 1
    assert max(counts) <= d
    assert all(a + 1 >= b for a, b in itertools.pairwise(counts))  # shares fall


@pytest.mark.parametrize("skew", [0.0, 0.5, 5.0])
def test_rows_are_dealt_once_with_the_shares(skew: float) -> None:
    labels = np.array([1.0, -1.0, -1.0] * 100)
    split = ratios_runs.skewed_split(labels, shares_of(6, 2), skew, seed=3)

    assert sorted(np.concatenate(split.indices).tolist()) == list(range(300))
    np.testing.assert_allclose(split.sizes, 300 * shares_of(6, 2), atol=6)


def test_skew_makes_labels_alike() -> None:
    labels = np.array([1.0, -1.0] * 500)
    means = [
        np.abs([labels[rows].mean() for rows in ratios_runs.skewed_split(labels, shares_of(5, 0), skew, 0).indices])
        for skew in (0.0, 5.0)
    ]

    assert means[0].max() < 0.3
    assert np.sort(means[1])[1:].min() > 0.99  # all but the worker in the middle have one label


def test_replicas_with_steps_of_their_own_are_the_single_runs(small_ratios: None) -> None:
    where = ratios_runs.problem(ratios_runs.CASES[0], 1, 0, "quick")
    sender = PerWorkerTopK((2,) * ratios_runs.WORKERS)
    steps = np.array([[0.5], [2.0]]) / where.L
    method = ratios_runs.StepGrid(ErrorFeedback(sender, 1.0), steps)
    together = run(method, where, 15, x0=np.zeros((2, where.d)), reference=False).value

    for number, step in enumerate(steps[:, 0].tolist()):
        alone = run(ErrorFeedback(sender, step), where, 15, reference=False).value
        np.testing.assert_allclose(together[:, number], alone, rtol=1e-10)


def test_the_best_step_is_the_first_at_the_target() -> None:
    gap = np.array([[1.0, 1.0], [0.5, 0.2], [0.3, 0.009]])
    course = ratios_runs.Course(gap, np.array([[3.0, 4.0], [3.0, 5.0]]))

    assert (course.best, course.iterations, course.entries) == (1, 2.0, 9.0)
    assert math.isinf(ratios_runs.Course(gap[:2], np.ones((1, 2))).iterations)


def test_equal_volumes_leave_nothing_to_match() -> None:
    equal = shares_of(ratios_runs.WORKERS, 0)

    assert len({ratios_runs.counts(exponent, equal, 200, 1000) for exponent in (0.0, 0.5, 1.0)}) == 1


def test_l1_rule_keeps_the_budget_and_the_controller_its_bound(setting: Setting) -> None:
    table = ratios_traffic.FIGURE.compute(setting, lambda done, total: None)
    allowed = table["budget"] * table["iteration"]

    for rule, excess in (("l1 rule", 0.0), ("controller", table.where(rule="controller")["allowed_excess"][0])):
        kept = table["rule"] == rule
        assert (table["cumulative"][kept] <= allowed[kept] + excess).all()
    generous = table["rule"] == f"fixed, {ratios_traffic.FIXED[-1]:g}"
    assert (table["cumulative"][generous] > allowed[generous]).all()


def test_savings_of_the_runs_are_those_over_uniform(setting: Setting) -> None:
    rows = list(ratios_savings.measured(setting, lambda done, total: None))
    (row,) = [
        each
        for each in rows
        if (each["curve"][0], each["preset"][0], each["budget"][0], each["imbalance"][0])
        == ("e-mails", "tri", "tight", 3)
    ]
    needed = [
        [
            ratios_runs.Course(**ratios_runs._run(setting, ratios_runs.CASES[0], 3, "tight", name, seed)).iterations
            for seed in (0, 1)
        ]
        for name in ("uniform", "tri")
    ]

    assert len(rows) == 2 * 2 * 2  # budgets, imbalances, exponents
    assert row["saving"][0] == pytest.approx(np.mean(1 - np.minimum(needed[1], 40) / np.minimum(needed[0], 40)))


def test_curves_end_at_the_target(setting: Setting) -> None:
    table = ratios_convergence.FIGURE.compute(setting, lambda done, total: None)

    assert set(table["preset"]) == set(LOOKS)
    for name in LOOKS:
        rows = table.where(data="e-mails", imbalance=3, preset=name, seed=0)
        assert rows["relative_gap"][0] == 1.0
        if np.isfinite(rows["iterations"][0]):
            assert rows["relative_gap"][-1] <= ratios_runs.TARGET < rows["relative_gap"][-2]
            assert rows["round"][-1] == rows["iterations"][0]


def test_labels_differ_where_the_concentration_is_small(setting: Setting) -> None:
    table = ratios_labels.FIGURE.compute(setting, lambda done, total: None)
    different, alike = (table.where(concentration=c)["difference"].mean() for c in (0.1, 100.0))

    assert different > 1.2 * alike
    assert set(table["method"]) == {"top-k", "threshold"}


@pytest.mark.parametrize(
    ("figure", "panels"),
    [
        (ratios_convergence.FIGURE, 2),
        (ratios_savings.FIGURE, 3),
        (ratios_traffic.FIGURE, 3),
        (ratios_labels.FIGURE, 3),
        (ratios_time.FIGURE, 2),
    ],
    ids=lambda value: getattr(value, "name", ""),
)
def test_the_picture_is_drawn_from_the_csv(setting: Setting, tmp_path: Path, figure: Figure, panels: int) -> None:
    done: list[tuple[int, int]] = []
    figure.compute(setting, lambda *parts: done.append(parts)).write(tmp_path / "numbers.csv")
    with style.settings():
        drawing = figure.plot(Table.read(tmp_path / "numbers.csv"))

    assert done[-1][0] == done[-1][1]
    assert len(drawing.axes) == panels
    assert all(axis.lines or axis.collections for axis in drawing.axes)


def test_a_network_needs_as_many_iterations_again_and_fewer_for_less(
    small_ratios: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("torch")
    pytest.importorskip("sklearn")
    monkeypatch.setattr(ratios_network, "LONGEST", 40)
    needed = []
    for target, folder in ((0.8, "first"), (0.8, "again"), (0.9, "less"), (0.01, "more")):
        monkeypatch.setattr(ratios_network, "TARGET", target)
        needed.append(ratios_network.iterations(Setting(Cache(tmp_path / folder)), 3, "tri", seed=0))

    assert 0 < needed[2] < needed[0] == needed[1] < math.inf == needed[3]
