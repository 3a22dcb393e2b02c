"""Messages used once and stored: closed forms of one block, bounds, and the limit beyond which nothing is safe."""

import numpy as np
import pytest

from taciturn.paper_figures import staleness_stored as figure
from taciturn.paper_figures.cache import Cache
from taciturn.paper_figures.setting import Setting
from taciturn.paper_figures.table import Table
from taciturn.theory import theorem

TABLE_DIGITS = 1e-8  # relative: numbers have nine


@pytest.fixture(scope="module")
def table(tmp_path_factory: pytest.TempPathFactory) -> Table:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(figure, "GRID", {"quick": (4, 5)})
        patch.setattr(figure, "BLOCKS", 20)
        return figure.compute(Setting(Cache(tmp_path_factory.mktemp("cache"))), lambda done, total: None)


@pytest.mark.parametrize(("tau", "variance"), [(20, 20.0), (3, 0.5), (1, 100.0)])
def test_growth_of_a_block_is_the_closed_form(tau: int, variance: float) -> None:
    T, step = tau + 1, figure.used_once_step(tau, variance)
    once, stored = (figure.block_growth(tau, variance, step, kept) for kept in (False, True))

    assert once == pytest.approx(1 - 2 * T * step + step**2 * (T**2 + T * variance), rel=1e-12)
    assert stored == pytest.approx(1 - 2 * T * step + step**2 * T**2 * (1 + variance), rel=1e-12)


def test_the_step_for_messages_used_once_makes_stored_ones_diverge() -> None:
    step = figure.used_once_step(figure.TAU, figure.VARIANCE)

    assert figure.block_growth(figure.TAU, figure.VARIANCE, step, stored=False) == pytest.approx(0.515, abs=5e-4)
    assert figure.block_growth(figure.TAU, figure.VARIANCE, step, stored=True) == pytest.approx(3.47, abs=5e-3)
    assert figure.block_growth(figure.TAU, figure.VARIANCE, figure.stored_step(figure.TAU, figure.VARIANCE), True) < 1


def test_mean_gaps_stay_below_their_bounds(table: Table) -> None:
    rows = table.where(panel="mean gap")
    for curve in (figure.ONCE, figure.OWN):
        measured, bound = rows.where(curve=curve), rows.where(curve=f"{curve}, guaranteed")
        assert measured["k"].tolist() == bound["k"].tolist()
        assert (measured["value"] <= bound["value"] * (1 + TABLE_DIGITS)).all()
    assert rows.where(curve=figure.STORED)["value"][-1] > 1e3


def test_stored_messages_grow_exactly_where_the_step_is_beyond_the_necessary(table: Table) -> None:
    rows = table.where(panel="map")
    once, stored = rows.where(curve=figure.ONCE), rows.where(curve=figure.STORED)
    steps = np.array([figure.used_once_step(*at) for at in zip(stored["k"].tolist(), stored["variance"], strict=True)])
    limit = theorem("stale-necessary-stored").evaluate(L=1.0, tau=stored["k"], variance=stored["variance"]).value

    assert ((stored["value"] > 1) == (steps > limit)).all()
    assert (stored["value"] > 1).any()
    assert (stored["value"] < 1).any()
    assert (once["value"] < 1).all()
