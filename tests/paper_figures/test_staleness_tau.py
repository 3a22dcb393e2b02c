from pathlib import Path

import numpy as np
import pytest

from taciturn.paper_figures import staleness_tau as figure
from taciturn.paper_figures import style
from taciturn.paper_figures.cache import Cache
from taciturn.paper_figures.setting import Setting
from taciturn.paper_figures.staleness_quadratics import mean_square
from taciturn.paper_figures.table import Table
from taciturn.solvers.compressors import RandK
from taciturn.solvers.delays import Constant, Hold
from taciturn.solvers.problems import quadratic
from taciturn.solvers.second_moment import NoiseModel, second_moments


@pytest.fixture(scope="module")
def table(tmp_path_factory: pytest.TempPathFactory) -> Table:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(figure, "SHOWN", {"quick": (0, 4)})
        patch.setattr(figure, "TRIED", {"quick": (0, 3)})
        patch.setattr(figure, "CONDITIONS", {"quick": (5, 1000)})
        return figure.compute(Setting(Cache(tmp_path_factory.mktemp("cache"))), lambda done, total: None)


def test_exact_expectations_stay_below_their_bounds_and_end_at_a_floor(table: Table) -> None:
    for tau in (0, 4):
        rows = table.where(panel="delays", tau=tau)
        exact, refined, plain = (rows.where(curve=curve)["y"] for curve in ("exact", "stale-sc-refined", "stale-sc"))
        assert (exact <= refined * (1 + 1e-9)).all()
        assert (refined[1:] < plain[1:]).all()
        assert exact[-1] == pytest.approx(exact[-2], rel=0.05)
        assert exact[-1] > 1e-6


def test_exponents_are_at_least_the_guaranteed_and_near_two(table: Table) -> None:
    rows = table.where(panel="exponent")
    for condition_number in (5, 1000):
        at = rows.where(x=condition_number)
        refined = at.where(curve="stale-sc-refined")["y"][0]
        root = condition_number**0.5
        assert (at.where(curve="exact")["y"] >= refined).all()
        assert 1 + (root / (1 + root)) ** 2 <= refined < 2
        assert at.where(curve="stale-sc")["y"][0] == pytest.approx(1.0, abs=0.01)
    assert rows.where(x=1000, curve="exact")["y"].min() == pytest.approx(2.0, abs=0.01)


def test_iterations_grow_about_like_one_plus_tau(table: Table) -> None:
    rows = table.where(panel="iterations")
    for family in figure.FAMILIES:
        exact = rows.where(family=family, curve="exact")
        promised = rows.where(curve="stale-sc-refined")
        assert (exact["y"] <= promised["y"]).all()
        slowdown = exact["y"] / exact["y"][0]
        assert ((slowdown > 0.5 * exact["x"]) & (slowdown <= 1.62 * exact["x"])).all()


@pytest.mark.parametrize("model", [Constant(3), Hold(2)])
def test_coordinates_of_alike_workers_move_by_themselves(model: Constant | Hold) -> None:
    n, curvatures, step, K = 3, np.array([1.0, 0.3, 0.1, 0.02]), 0.2, 40
    whole = second_moments(
        quadratic(np.tile(curvatures, (n, 1)), np.zeros((n, 4))),
        model.trace(K, n),
        step,
        NoiseModel.of(RandK(1), 4),
        np.ones(4),
    )
    course = mean_square(curvatures, model.trace(K, 1), step, variance=3.0, workers=n)

    np.testing.assert_allclose(course, whole.squared_distance / 4, rtol=1e-10)


def test_the_picture_is_drawn_from_the_csv(table: Table, tmp_path: Path) -> None:
    table.write(tmp_path / "numbers.csv")
    with style.settings():
        drawing = figure.plot(Table.read(tmp_path / "numbers.csv"))

    assert len(drawing.axes) == 3
    assert all(axis.lines for axis in drawing.axes)
