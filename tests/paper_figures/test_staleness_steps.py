from pathlib import Path

import numpy as np
import pytest

from taciturn.paper_figures import staleness_steps as figure
from taciturn.paper_figures import style
from taciturn.paper_figures.cache import Cache
from taciturn.paper_figures.setting import Setting
from taciturn.paper_figures.table import Table
from taciturn.solvers.delays import DESTABILISING, Periodic
from taciturn.solvers.problems import quadratic_with_spectrum
from taciturn.solvers.second_moment import NoiseModel, second_moments

LARGEST = 2.6359
"""Supremum of 2 / ((1 + s) x), with s x + x^2 (1 + sqrt(s))^2 = 1, over s = variance / tau for tau to infinity."""


@pytest.fixture(scope="module")
def table(tmp_path_factory: pytest.TempPathFactory) -> Table:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(figure, "RAMPS", {"quick": (8,)})
        return figure.compute(Setting(Cache(tmp_path_factory.mktemp("cache"))), lambda done, total: None)


def test_closed_form_is_below_the_root_step_below_the_necessary_limit(table: Table) -> None:
    rows = table.where(panel="delay")
    closed, root, limit = (
        rows.where(curve=curve)["step"] for curve in ("safe, closed form", "safe, root step", "unsafe above")
    )

    assert (closed <= root * (1 + 1e-12)).all()
    assert (root < limit).all()
    assert (limit / closed <= 1 + 5**0.5 + 1e-12).all()


def test_safe_steps_are_within_the_supremum_of_what_is_possible(table: Table) -> None:
    ratio = table.where(panel="ratio")["step"]

    assert 2.6 < ratio.max() <= LARGEST
    assert ratio.min() > 1


@pytest.mark.parametrize(
    ("tau", "step"), [(1, 1.0), (2, 2 - 2**0.5), (3, 1 - 3**-0.5), (4, 1 / 3), (5, 0.2713), (6, 0.2298)]
)
def test_unstable_steps_are_those_of_the_search(table: Table, tau: int, step: float) -> None:
    found = table.where(panel="pattern", curve="worst pattern known", tau=tau)["step"][0]

    assert found == pytest.approx(step, abs=5e-5)


@pytest.mark.parametrize("tau", [1, 4, 6, 8])
def test_constant_delay_and_hold_have_closed_forms(table: Table, tau: int) -> None:
    rows = table.where(panel="pattern", tau=tau)

    assert rows.where(curve="constant delay")["step"][0] == pytest.approx(2 * np.sin(np.pi / (4 * tau + 2)), rel=1e-6)
    assert figure.largest_stable_step(tuple(range(tau + 1))) == pytest.approx(2 / (tau + 1), rel=1e-6)
    assert rows.where(curve="hold")["step"][0] == pytest.approx(2 / (tau + 1))


@pytest.mark.parametrize("tau", [2, 5])
def test_runs_shrink_below_the_unstable_step_and_grow_above(tau: int) -> None:
    step = figure.largest_stable_step(DESTABILISING[tau])
    trace = Periodic(DESTABILISING[tau]).trace(1500, workers=1)
    steps = np.broadcast_to([0.95 * step, 1.05 * step], (1500, 2))
    course = second_moments(quadratic_with_spectrum([1.0]), trace, steps, NoiseModel(), [1.0]).squared_distance

    assert course[-1, 0] < 1e-3
    assert course[-1, 1] > 1e3


def test_worst_patterns_are_unstable_first_and_not_below_the_safe_step(table: Table) -> None:
    rows = table.where(panel="pattern")
    worst, constant, hold, safe = (
        rows.where(curve=curve)["step"]
        for curve in ("worst pattern known", "constant delay", "hold", "safe, root step")
    )

    for others in (constant, hold):
        assert (worst <= others * (1 + 1e-9)).all()
    assert (safe < worst).all()
    assert (worst / safe < 1.62).all()


def test_the_picture_is_drawn_from_the_csv(table: Table, tmp_path: Path) -> None:
    table.write(tmp_path / "numbers.csv")
    with style.settings():
        drawing = figure.plot(Table.read(tmp_path / "numbers.csv"))

    assert len(drawing.axes) == 3
    assert all(axis.lines for axis in drawing.axes)
