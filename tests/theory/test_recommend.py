from __future__ import annotations

import pytest

from taciturn.theory import recommend, technology
from taciturn.theory.compression import Contractive, Unbiased

SMOOTH = ["strongly_convex", "lipschitz_gradient", "exact_gradient"]


def test_the_exact_factor_beats_the_pl_rate_and_says_by_how_much() -> None:
    best = recommend(
        L=1.0, mu=0.01, assumptions=SMOOTH, compressor=Contractive(0.1, projection=True),
        bits_per_iteration=100.0, eps=1e-3, initial=1.0,
    )  # fmt: skip
    losers = {loser.theorem.id: loser.reason for loser in best.losers}

    assert best.theorem.id == "topT-sc-exact"
    assert best.bits == best.iterations * 100
    assert "times the bits" in losers["topT-pl-rate"]
    assert "needs unbiased" in losers["ss-sc-exact"]


def test_a_bound_is_not_recommended_on_an_assumption_nobody_stated() -> None:
    best = recommend(
        L=1.0, mu=0.01, assumptions=["L_smooth", "PL", "exact_gradient"],
        compressor=Contractive(0.1, projection=True), bits_per_iteration=100.0, eps=1e-3, initial=1.0,
    )  # fmt: skip
    losers = {loser.theorem.id: loser.reason for loser in best.losers}

    assert best.theorem.id == "topT-pl-rate"
    assert "strongly_convex" in losers["topT-sc-exact"]
    assert set(best.relies_on) == {"L_smooth", "PL", "exact_gradient", "projection"}


def test_unbiased_compressors_get_the_unbiased_theorems() -> None:
    cost = technology("ethernet-udp").cost("SS", 1000)
    best = recommend(
        L=1.0, mu=0.1, assumptions=SMOOTH, compressor=Unbiased(9.0), bits_per_iteration=float(cost(100)),
        eps=1e-3, initial=1.0,
    )  # fmt: skip

    assert best.theorem.id == "ss-sc-exact"
    assert best.step_size == pytest.approx(0.1)


def test_without_compression_gradient_descent_wins_with_its_own_rate() -> None:
    best = recommend(
        L=1.0, mu=0.1, assumptions=SMOOTH, compressor=Contractive(1.0, projection=True),
        bits_per_iteration=1.0, eps=1e-3, initial=1.0,
    )  # fmt: skip

    assert best.guarantee.rate == pytest.approx(0.81)


def test_theorems_that_start_from_another_quantity_need_its_value() -> None:
    common = dict(
        L=1.0, assumptions=["convex", "lipschitz_gradient", "exact_gradient"], compressor=Unbiased(1.0),
        bits_per_iteration=1.0, eps=1e-2,
    )  # fmt: skip
    best = recommend(**common, initial_values={"squared_distance": 4.0})

    assert best.theorem.id == "ss-convex-rate"
    assert best.iterations == 400
    with pytest.raises(ValueError, match="needs the initial value of squared_distance"):
        recommend(**common, initial=1.0)


@pytest.mark.parametrize(
    ("change", "word"),
    [
        ({"eps": 0.0}, "eps"),
        ({"bits_per_iteration": -1.0}, "bits_per_iteration"),
        ({"goal": "objective"}, "objective_gap"),
        ({"assumptions": ["smooth"]}, "smooth"),
        ({"minimise": "time"}, "minimise"),
        ({"initial": -1.0}, "initial"),
        ({"L": -1.0}, "L = -1"),
        ({"foo": 3.0}, "constant"),
        ({"alpha": 0.9}, "fixed by compressor"),
        ({"compressor": None}, "compressor"),
        ({"assumptions": "strongly_convex"}, "list of names"),
    ],
)
def test_bad_arguments_are_named(change: dict[str, object], word: str) -> None:
    good = dict(
        L=1.0, mu=0.1, assumptions=SMOOTH, compressor=Contractive(0.5, projection=True), bits_per_iteration=1.0,
        eps=1e-3, initial=1.0,
    )  # fmt: skip
    with pytest.raises((ValueError, TypeError), match=word):
        recommend(**(good | change))
