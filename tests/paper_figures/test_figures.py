"""What the figures show holds: bounds above measurements, maximisers where they are drawn, curves in their order."""

from collections.abc import Callable
from itertools import pairwise

import numpy as np
import pytest

from taciturn.paper_figures import adaptive_compression_bits as bits_figure
from taciturn.paper_figures import adaptive_compression_runs as runs
from taciturn.paper_figures import registry
from taciturn.paper_figures.cache import Cache
from taciturn.paper_figures.figure import Figure
from taciturn.paper_figures.setting import Setting
from taciturn.paper_figures.table import Table

Numbers = Callable[[str], Table]
ROUNDING = 1e-9  # relative, between numbers with nine digits


@pytest.mark.parametrize(
    ("measured", "guaranteed"), [("alpha", "alpha, sparse"), ("beta", "beta, any"), ("omega", "omega, any")]
)
def test_measured_decrease_is_at_least_the_guaranteed(numbers: Numbers, measured: str, guaranteed: str) -> None:
    table = numbers("profile")
    kept, promised = (table.where(curve=curve)["decrease"] for curve in (measured, guaranteed))

    assert len(kept) > 100
    assert (kept >= promised * (1 - ROUNDING)).all()


def test_sampling_and_signs_keep_at_most_what_the_largest_entries_keep(numbers: Numbers) -> None:
    table = numbers("profile")
    alpha = table.where(curve="alpha")["decrease"]

    for other in ("beta", "omega"):
        assert (table.where(curve=other)["decrease"] <= alpha * (1 + ROUNDING)).all()


def test_no_point_of_an_efficiency_curve_is_above_its_maximiser(numbers: Numbers) -> None:
    table = numbers("efficiency")
    names = [name for name in table.different("curve") if f"{name}, best" in table["curve"]]

    assert len(names) == 7
    for name in names:
        assert table.where(curve=name)["value"].max() <= table.where(curve=f"{name}, best")["value"][0] * (1 + ROUNDING)


def test_threshold_separates_the_entries_worth_their_price(numbers: Numbers) -> None:
    panel = numbers("efficiency").where(panel="threshold")
    best = panel.where(curve="best")
    following = panel.where(curve="next entry")
    before, after = following["T"] < best["T"][0], following["T"] >= best["T"][0]

    assert (following["value"][before] >= best["value"][0] * (1 - ROUNDING)).all()
    assert (following["value"][after] <= best["value"][0] * (1 + ROUNDING)).all()
    assert panel.where(curve="average")["value"].max() <= best["value"][0] * (1 + ROUNDING)


def test_efficiency_of_full_packets_is_largest_at_a_full_packet(numbers: Numbers) -> None:
    best = numbers("efficiency").where(curve="full packets billed, best")["T"][0]
    d = runs.problem(runs.TEXT).d
    full = runs.technology("ieee-802.15.4").packets("S", d, runs.FLOAT_BITS).last_entries(d)

    assert best in full


def test_guaranteed_bits_are_above_the_measured(numbers: Numbers) -> None:
    table = numbers("bits").where(target=bits_figure.GUARANTEED)
    compared = 0
    for scheme in table.different("scheme"):
        for priced_by in table.different("price"):
            rows = table.where(scheme=scheme, price=priced_by)
            bound, fixed = rows.where(curve="fixed, guaranteed"), rows.where(curve="fixed")
            for T, bits in zip(fixed["T"], fixed["bits"], strict=True):
                at_most = np.interp(T, bound["T"], bound["bits"])
                assert bits <= at_most
                compared += 1
            for guarantee in ("CAT, any data", "CAT, sparse data"):
                for promised in rows.where(curve=guarantee)["bits"]:
                    assert rows.where(curve="CAT")["bits"][0] <= promised
                    compared += 1

    assert compared > 30


def test_smaller_targets_cost_more(numbers: Numbers) -> None:
    table = numbers("bits").where(scheme="S", price="plain", curve="CAT")

    assert (np.diff(table["bits"][np.argsort(-table["target"])]) > 0).all()


def test_runs_stay_below_their_bounds_and_the_bounds_in_their_order(numbers: Numbers) -> None:
    table = numbers("bounds")
    for scheme in table.different("scheme"):
        for problem in table.different("problem"):
            curves = [
                table.where(scheme=scheme, problem=problem, curve=curve)["relative_gap"]
                for curve in ("measured", "exact", "mean", "any data")
            ]
            for lower, upper in pairwise(curves):
                assert (lower <= upper * (1 + ROUNDING)).all()
            assert (curves[0][1:] < curves[1][1:]).all()


def test_messages_fill_their_packets(numbers: Numbers) -> None:
    table = numbers("technologies")
    d = runs.problem(runs.TEXT).d

    for name in ("lorawan-eu868-dr0", "ieee-802.15.4", "ethernet-udp"):
        full = runs.technology(name).packets("S", d, runs.FLOAT_BITS).last_entries(d)
        assert np.isin(table.where(network=name)["T"], full).all()


def test_decrease_along_runs_is_at_least_the_worst_case(numbers: Numbers) -> None:
    assert (numbers("technologies")["speed_up"] >= 1 - ROUNDING).all()


def test_gaps_of_several_workers_stay_below_their_bounds(numbers: Numbers) -> None:
    table = numbers("workers")
    for method in table.where(curve="bound").different("method"):
        measured, bound = (table.where(method=method, curve=curve)["relative_gap"] for curve in ("measured", "bound"))
        assert (measured <= bound * (1 + ROUNDING)).all()


def test_best_number_of_entries_never_falls_as_the_overhead_grows(numbers: Numbers) -> None:
    table = numbers("overhead").where(kind="gradient")
    for name in table.different("name"):
        assert (np.diff(table.where(name=name)["T"]) >= 0).all()


def test_more_is_guaranteed_with_the_data_and_runs_are_faster_still(numbers: Numbers) -> None:
    table = numbers("complexity")
    run = ~np.isnan(table["with_data"])

    assert (table["with_data"][run] <= table["any_data"][run]).all()
    measured = ~np.isnan(table["measured"])
    assert measured.any()
    assert (table["measured"][measured] <= table["with_data"][measured]).all()


@pytest.mark.parametrize("word", ["profile", "technologies", "complexity"])
def test_torch_computes_the_same_numbers(numbers: Numbers, torch_cache: Cache, word: str) -> None:
    entry = registry.figure(f"adaptive-compression-{word}")
    assert isinstance(entry, Figure)

    with_torch = entry.compute(Setting(torch_cache, backend="torch"), lambda done, total: None)

    for name, column in numbers(word).columns.items():
        if column.dtype.kind == "f":
            np.testing.assert_allclose(with_torch[name], column, rtol=1e-6, err_msg=name)
        else:
            assert with_torch[name].tolist() == column.tolist()


@pytest.fixture(scope="module")
def torch_cache(tmp_path_factory: pytest.TempPathFactory) -> Cache:
    """A cache of its own, or the runs of NumPy would be found in it."""
    pytest.importorskip("torch")
    return Cache(tmp_path_factory.mktemp("torch"))
