from pathlib import Path

import numpy as np
import pytest

from taciturn.paper_figures import staleness_accuracy as figure
from taciturn.paper_figures import style
from taciturn.paper_figures.cache import Cache
from taciturn.paper_figures.setting import Setting
from taciturn.paper_figures.table import Table
from taciturn.theory import theorem
from taciturn.theory.compression import rand_k


@pytest.fixture(scope="module")
def table(tmp_path_factory: pytest.TempPathFactory) -> Table:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(figure, "DELAYS", {"quick": (0, 3)})
        patch.setattr(figure, "HALVINGS", {"quick": 5})
        return figure.compute(Setting(Cache(tmp_path_factory.mktemp("cache"))), lambda done, total: None)


def test_exact_iterations_are_at_most_the_guaranteed(table: Table) -> None:
    for tau in (0, 3):
        exact = table.where(curve="exact", tau=tau)
        promised = figure.guarantee(tau, figure.D / exact["k"] - 1).iterations(figure.ACCURACY, 1.0)
        assert (exact["iterations"] > 0).all()
        assert (exact["iterations"] <= promised).all()
        assert (exact["iterations"] > 0.3 * np.asarray(promised)).all()


def test_variance_and_noise_slope_are_those_of_random_entries_without_heterogeneity() -> None:
    variance = rand_k(64, figure.D).variance
    noise = theorem("noise-table").evaluate(
        variance=variance, young=1e-12, Lambda=1 / figure.WORKERS, optimum_gradients=0.0
    )

    assert variance == figure.D / 64 - 1
    assert figure.guarantee(3, variance).values["noise_slope"] == pytest.approx(noise.value)


def test_free_compression_doubles_the_guaranteed_iterations(table: Table) -> None:
    for tau in (0, 3):
        free = table.where(curve="free", tau=tau)["iterations"][0]
        all_entries = float(figure.guarantee(tau, 0.0).iterations(figure.ACCURACY, 1.0))
        assert free == pytest.approx(2 * all_entries, rel=0.05)  # logarithms of rates, and whole iterations


def test_more_delay_makes_more_compression_free(table: Table) -> None:
    free = table.where(curve="free")

    assert free["k"][0] > 3 * free["k"][1]


@pytest.mark.parametrize("name", figure.HEADERS)
def test_no_other_k_needs_fewer_guaranteed_bits(table: Table, name: str) -> None:
    header = figure.HEADERS[name]
    for tau in (0, 3):
        curve, best = table.where(curve="guaranteed", tau=tau), table.where(curve="best", header=name, tau=tau)
        least = figure.bits(best["k"], best["iterations"], header)[0]
        tried = figure.bits(curve["k"], curve["iterations"], header)
        assert (tried >= 0.97 * least).all()  # the formula takes 1/(gamma mu) for the iterations
        assert tried.max() > 2 * least


def test_the_picture_is_drawn_from_the_csv(table: Table, tmp_path: Path) -> None:
    table.write(tmp_path / "numbers.csv")
    with style.settings():
        drawing = figure.plot(Table.read(tmp_path / "numbers.csv"))

    assert len(drawing.axes) == 3
    assert all(axis.lines for axis in drawing.axes)
