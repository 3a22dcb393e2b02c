"""Adaptive steps: windows that are full but not more, bounds, gains, and gaps that follow."""

from collections.abc import Iterator

import numpy as np
import pytest

from taciturn.paper_figures import staleness_adaptive_steps as figure
from taciturn.paper_figures.cache import Cache
from taciturn.paper_figures.setting import Setting
from taciturn.paper_figures.table import Table


@pytest.fixture(scope="module")
def table(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Table]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(figure, "ITERATIONS", {"quick": 200})
        patch.setattr(figure, "SEEDS", {"quick": 2})
        patch.setattr(figure, "EVERY", 60)
        figure.problem.cache_clear()
        yield figure.compute(Setting(Cache(tmp_path_factory.mktemp("cache"))), lambda done, total: None)
    figure.problem.cache_clear()


def _of(table: Table, panel: str, rule: str) -> Table:
    return table.where(panel=panel, rule=rule)


@pytest.mark.parametrize("rule", [figure.CONSTANT, figure.FILL, figure.OVER, figure.FILTER])
def test_mean_gaps_stay_below_their_bounds(table: Table, rule: str) -> None:
    gap, bound = _of(table, "gap", rule)["y"], _of(table, "bound", rule)["y"]
    begun = ~np.isnan(gap)

    assert begun.sum() > 30
    assert (gap[begun] <= bound[begun]).all()


@pytest.mark.parametrize("rule", [figure.FILL, figure.OVER, figure.FILTER])
def test_no_window_holds_more_than_its_budget(rule: str) -> None:
    delay = figure.pareto_delays(8, 1.2, 500, seed=3)
    gamma = figure.steps(figure.rules(8, 2.0, int(delay.max()))[rule], delay)
    windows = [gamma[k - tau : k + 1].sum() for k, tau in enumerate(delay.tolist()) if gamma[k] > 0]

    assert len(windows) > 10
    assert max(windows) <= 1 / 2.0 * (1 + 1e-12)
    assert max(windows) >= 0.3


def test_steps_that_follow_the_delays_never_lose(table: Table) -> None:
    assert (_of(table, "gain", figure.FILL)["y"] >= 1).all()
    assert (_of(table, "gain", figure.OVER)["y"] >= 0.5).all()  # tau/(tau + 1)
    for rule in (figure.FILL, figure.OVER, figure.FILTER):
        assert _of(table, "sum", rule)["y"][-1] > _of(table, "sum", figure.CONSTANT)["y"][-1]
        assert _of(table, "gap", rule)["y"][-1] < _of(table, "gap", figure.CONSTANT)["y"][-1]


def test_gains_grow_with_the_spread_of_the_delays(table: Table) -> None:
    rows = _of(table, "gain", figure.FILL)

    assert np.corrcoef(np.log(rows["x"]), np.log(rows["y"]))[0, 1] > 0.8
