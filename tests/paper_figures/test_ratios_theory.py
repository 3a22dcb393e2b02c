"""Figures about ratios that need no training: assignments, rates, budgets, step limits, savings that are guaranteed."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from taciturn.paper_figures import (
    ratios_assignment,
    ratios_budget,
    ratios_rate,
    ratios_savings,
    ratios_step_limits,
    style,
)
from taciturn.paper_figures.cache import Cache
from taciturn.paper_figures.figure import Figure
from taciturn.paper_figures.setting import Setting
from taciturn.paper_figures.table import Table
from taciturn.theory.ratio_presets import PRESETS

FIGURES = {
    module.FIGURE.name: module.FIGURE for module in (ratios_assignment, ratios_budget, ratios_rate, ratios_step_limits)
}
PANELS = {"ratios-assignment": 2, "ratios-budget": 2, "ratios-rate": 2, "ratios-step-limits": 6}


@pytest.fixture(scope="module")
def numbers(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Table]:
    setting = Setting(Cache(tmp_path_factory.mktemp("cache")))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ratios_budget, "POINTS", {"quick": 13})
        patch.setattr(ratios_rate, "POINTS", {"quick": 21})
        patch.setattr(ratios_step_limits, "LARGEST", {"quick": 4})
        tables = {name: entry.compute(setting, lambda done, total: None) for name, entry in FIGURES.items()}
    return tables.__getitem__


def _slope(rows: Table) -> float:
    return float(np.polyfit(np.log(rows["p"]), np.log(rows["delta"]), 1)[0])


@pytest.mark.parametrize("name", list(PRESETS))
def test_fractions_are_powers_of_shares_between_the_limits(numbers: Callable[[str], Table], name: str) -> None:
    for limits in ratios_assignment.LIMITS:
        rows = numbers("ratios-assignment").where(limits=limits, preset=name)
        lower, upper = rows["lower"][0], rows["upper"][0]
        inside = (rows["delta"] > lower * (1 + 1e-9)) & (rows["delta"] < upper * (1 - 1e-9))
        kept = Table({key: column[inside] for key, column in rows.columns.items()})

        assert rows["delta"].mean() == pytest.approx(ratios_assignment.MEAN)
        assert ((rows["delta"] >= lower) & (rows["delta"] <= upper)).all()
        assert _slope(kept) == pytest.approx(PRESETS[name].exponent, abs=1e-9)


def test_limits_bind_where_they_are_drawn(numbers: Callable[[str], Table]) -> None:
    rows = numbers("ratios-assignment").where(limits="with limits", preset="chi2")

    assert (rows["delta"] == rows["upper"]).sum() >= 2
    assert (rows["delta"] == rows["lower"]).sum() >= 10


def test_measured_step_limits_are_the_necessary_ones_and_at_most_twice_the_safe_ones(
    numbers: Callable[[str], Table],
) -> None:
    table = numbers("ratios-step-limits")
    necessary, sufficient = (table.where(curve=curve)["step"] for curve in ("necessary", "sufficient"))

    for method in ("EF", "EF21"):
        np.testing.assert_allclose(table.where(curve=method)["step"], necessary, rtol=1e-9)
    assert (sufficient <= necessary).all()
    assert (necessary <= 2 * sufficient).all()
    assert (necessary / sufficient).max() > 1.5  # weak compression shows the gap


def test_proportional_ratios_move_the_step_limit_no_farther_than_uniform_ones(numbers: Callable[[str], Table]) -> None:
    rows = numbers("ratios-step-limits").where(mean=min(ratios_step_limits.MEANS), curve="EF")
    uniform, root, proportional = (rows.where(preset=name)["step"] for name in ("uniform", "tri", "chi2"))

    np.testing.assert_allclose(proportional, uniform, rtol=0.03)
    assert root[-1] > 2 * uniform[-1]


def test_quadratics_attain_the_exact_rate_and_promises_are_above_it(numbers: Callable[[str], Table]) -> None:
    rows = numbers("ratios-rate").where(panel="step")
    for delta in ratios_rate.SHOWN:
        own = rows.where(parameter=delta)
        exact, measured, best = (own.where(curve=curve) for curve in ("exact", "instances", "best"))
        assert (np.interp(measured["x"], exact["x"], exact["y"]) >= measured["y"] - 0.02).all()
        assert best["y"][0] <= exact["y"].min() + 1e-12
        for curve in ("nuef21-pl", "nuef-interpolation"):
            promised = own.where(curve=curve)
            assert len(promised) > 3
            assert (np.interp(promised["x"], exact["x"], exact["y"]) < promised["y"]).all()


def test_memory_does_not_pay_with_one_worker(numbers: Callable[[str], Table]) -> None:
    rows = numbers("ratios-rate").where(panel="ratio")
    exact, without, simple = (
        rows.where(curve=curve)["y"] for curve in ("exact", "memoryless-tight", "nuef21-pl-simple")
    )

    assert (without > exact).all()
    assert (exact > simple).all()


def test_equal_shares_never_save_and_unequal_ones_do(numbers: Callable[[str], Table]) -> None:
    table = numbers("ratios-budget")
    equal = table.where(imbalance=0, curve="uniform")
    best = table.where(imbalance=3, curve="best")

    assert (equal["communication"] >= ratios_budget.WORKERS - 1e-9).all()
    np.testing.assert_allclose(equal["communication"], table.where(curve="bits-optimal")["communication"])
    assert best["communication"][0] == pytest.approx(4.61, abs=5e-3)
    assert best["budget"][0] == pytest.approx(2.5, abs=0.03)
    for name in PRESETS:
        others = table.where(imbalance=3, curve=name)["communication"]
        assert (others >= best["communication"][0] * (1 - 1e-6)).all()


def test_small_budgets_cost_twice_the_squared_sum_of_roots(numbers: Callable[[str], Table]) -> None:
    table = numbers("ratios-budget")
    for imbalance in (0, 1, 2, 3):
        curve = table.where(imbalance=imbalance, curve="tri")["communication"][0]
        limit = table.where(imbalance=imbalance, curve="small budgets")["communication"][0]
        assert curve == pytest.approx(limit, rel=0.01)


def test_guaranteed_savings_are_those_predicted_where_little_is_kept() -> None:
    for imbalance in (1, 2, 3):
        saved = ratios_savings.guaranteed(imbalance, np.array([1e-4, 1.0]))
        assert saved[0] == pytest.approx(ratios_savings.predicted(imbalance), abs=2e-3)
        assert saved[1] == pytest.approx(0.0, abs=1e-12)
    np.testing.assert_allclose(ratios_savings.guaranteed(0, np.array([0.01, 0.3])), 0.0, atol=1e-9)


@pytest.mark.parametrize("name", list(FIGURES))
def test_the_picture_is_drawn_from_the_csv(numbers: Callable[[str], Table], tmp_path: Path, name: str) -> None:
    figure: Figure = FIGURES[name]
    numbers(name).write(tmp_path / "numbers.csv")
    with style.settings():
        drawing = figure.plot(Table.read(tmp_path / "numbers.csv"))

    assert len(drawing.axes) == PANELS[name]
    assert all(axis.lines for axis in drawing.axes)
