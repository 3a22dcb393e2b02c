import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from taciturn.paper_figures import staleness_convergence as figure
from taciturn.paper_figures import style
from taciturn.paper_figures.cache import Cache
from taciturn.paper_figures.setting import Setting
from taciturn.paper_figures.table import Table
from taciturn.solvers.array import Stream

SMALL = replace(figure.SIZES["quick"], every=40, columns=100, tau=3, fresh=100, stale=120, replicas=2)


@pytest.fixture(scope="module")
def setting(tmp_path_factory: pytest.TempPathFactory) -> Setting:
    return Setting(Cache(tmp_path_factory.mktemp("cache")))


@pytest.fixture(scope="module")
def courses(setting: Setting) -> dict[tuple[int, str], figure.Course]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(figure.SIZES, "quick", SMALL)
        return figure.courses(setting, lambda done, total: None)


@pytest.fixture(scope="module")
def table(setting: Setting, courses: dict[tuple[int, str], figure.Course]) -> Table:
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(figure.SIZES, "quick", SMALL)
        return figure.compute(setting, lambda done, total: None)


def test_means_stay_below_what_is_certified(courses: dict[tuple[int, str], figure.Course]) -> None:
    assert len(courses) == 16
    for course in courses.values():
        assert (course.squared_distance <= course.bound * (1 + 1e-9)).all()


def test_only_full_precision_has_no_floor(courses: dict[tuple[int, str], figure.Course]) -> None:
    for (tau, name), course in courses.items():
        rests = course.gap[-1] > 1e-6 * course.gap[0]
        assert rests == (name != "full precision" or tau > 0), name


def test_less_variance_means_fewer_iterations(courses: dict[tuple[int, str], figure.Course]) -> None:
    names = ("full precision", "QSGD, 16 levels", "natural", "QSGD, 4 levels")
    for tau in (0, SMALL.tau):
        iterations = [courses[tau, name].to(0.2)[0] for name in names]
        assert iterations == sorted(iterations)
        assert math.isfinite(iterations[-1])


def test_delay_makes_compression_cost_less(courses: dict[tuple[int, str], figure.Course]) -> None:
    def slowdown(tau: int) -> float:
        return courses[tau, "QSGD, 4 levels"].to(0.2)[0] / courses[tau, "full precision"].to(0.2)[0]

    assert slowdown(SMALL.tau) < slowdown(0)


@pytest.mark.parametrize("name", figure.compressors(100))
def test_prices_are_the_bits_of_messages_with_values_of_32_bits(name: str) -> None:
    compressor, d = figure.compressors(100)[name], 100
    v = np.random.default_rng(0).standard_normal((1, d)).astype(np.float32)
    price = figure._price(compressor, d)
    if compressor is None:
        assert price(d) == 32 * d
        return
    sent = compressor(v, Stream(0))
    entries = int(np.count_nonzero(sent))
    if name == "QSGD, 1 level of the norm":  # the compressor's own message is dense
        assert price(entries) < int(compressor.payload_bits(sent)[0])
        assert price(entries) == 32 + entries * 8
    else:
        assert price(entries) == int(compressor.payload_bits(sent)[0])


def test_bound_and_measurement_stand_at_the_same_places(table: Table) -> None:
    for name in figure.LOOKS:
        for tau in (0, SMALL.tau):
            rows = table.where(compressor=name, tau=tau)
            measured, bound = rows.where(curve="measured"), rows.where(curve="bound")
            assert measured["bits"].tolist() == bound["bits"].tolist()
            assert (measured["relative_gap"] <= bound["relative_gap"] * (1 + 1e-9)).all()


def test_the_picture_is_drawn_from_the_csv(table: Table, tmp_path: Path) -> None:
    table.write(tmp_path / "numbers.csv")
    with style.settings():
        drawing = figure.plot(Table.read(tmp_path / "numbers.csv"))

    assert len(drawing.axes) == 4
    assert all(axis.lines for axis in drawing.axes)
