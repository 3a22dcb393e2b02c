"""Bad input is refused by name, before any work; the edges of good input are answered."""

import math

import numpy as np
import pytest

from taciturn.solvers.ratios import (
    InfeasibleBudget,
    Power,
    RatioProblem,
    SquaredMemory,
    assign,
    assign_counts,
    best_budget,
    best_round_time,
    certified,
    power_law,
    preset,
    rational_gap,
    shares,
    waterfill,
)

BAD = [  # (arguments beside two weights and a budget of 0.5, words of the message)
    (dict(weights=[]), r"weights has the shape \(0,\); accepted: \(n,\)"),
    (dict(weights=0.5), r"weights has the shape \(\)"),
    (dict(weights=[[1.0]]), r"weights has the shape \(1, 1\)"),
    (dict(weights=[1.0, 0.0]), r"weights\[1\] = 0.0 is outside"),
    (dict(weights=[-1.0, 1.0]), r"weights\[0\] = -1.0 is outside"),
    (dict(weights=[1.0, math.nan]), r"weights\[1\] = nan is outside"),
    (dict(weights=[math.inf, 1.0]), r"weights\[0\] = inf is outside"),
    (dict(weights=[1e-200, 1.0]), r"weights\[0\] = 1e-200 is outside the accepted range \[4.91e-91, 2.04e\+90\]"),
    (dict(costs=[1.0, 0.0]), r"costs\[1\] = 0.0 is outside"),
    (dict(costs=-2.0), r"costs\[0\] = -2.0 is outside"),
    (dict(costs=[1.0, math.nan]), r"costs\[1\] = nan"),
    (dict(costs=[1.0, 1.0, 1.0]), r"costs has the shape \(3,\); accepted: one number, or \(2,\)"),
    (dict(lower=[0.1, -0.1]), r"lower\[1\] = -0.1 is outside"),
    (dict(lower=math.nan), r"lower\[0\] = nan"),
    (dict(upper=[0.1, 1.5]), r"upper\[1\] = 1.5 is outside"),
    (dict(upper=0.0), r"upper\[0\] = 0.0 is outside"),
    (dict(lower=[0.1, 0.3], upper=0.2), r"lower\[1\] = 0.3 is above upper\[1\] = 0.2"),
    (dict(budget=0.0), r"budget = 0.0 is outside"),
    (dict(budget=-1.0), r"budget = -1.0 is outside"),
    (dict(budget=math.nan), r"budget = nan is outside"),
    (dict(budget=math.inf), r"budget = inf is outside"),
    (dict(b=0.0), r"b = 0.0 is outside"),
    (dict(b=math.nan), r"b = nan is outside"),
    (dict(method="sorted"), r"method = 'sorted' is unknown; did you mean 'sort'\?"),
]


@pytest.mark.parametrize(("changed", "message"), BAD, ids=[str(changed) for changed, _ in BAD])
def test_numbers_out_of_range_are_refused(changed, message):
    with pytest.raises(ValueError, match=message):
        waterfill(**{"weights": [0.5, 0.5], "budget": 0.5, **changed})


@pytest.mark.parametrize("weights", [["a", "b"], [None, 1.0], [True, False], [1j, 1.0]])
def test_what_is_no_number_is_refused(weights):
    with pytest.raises(TypeError, match="weights has entries of the type"):
        waterfill(weights, 0.5)


def test_an_infeasible_budget_says_by_how_much():
    with pytest.raises(InfeasibleBudget, match=r"budget = 0.5 is 0.25 below the smallest feasible one, 0.75") as caught:
        waterfill([0.5, 0.5], 0.5, lower=[0.25, 0.125], costs=[2.0, 2.0])
    assert (caught.value.deficit, caught.value.smallest) == (0.25, 0.75)


def test_a_unit_of_rounding_decides_feasibility():
    """0.1 + 0.2 is a little more than 0.3 in exact arithmetic too: the stored numbers sum to 0.30000000000000001665."""
    lower = [0.1, 0.2]
    assert waterfill([0.5, 0.5], math.nextafter(0.3, 1), lower=lower).delta == pytest.approx(lower, rel=1e-15)
    with pytest.raises(InfeasibleBudget) as caught:
        waterfill([0.5, 0.5], 0.3, lower=lower)
    assert 0 < caught.value.deficit < 1e-16


def test_an_infinite_objective_is_refused():
    with pytest.raises(ValueError, match=r"pays for the lower limits only, and lower\[0\] = 0.0"):
        waterfill([0.5, 0.5], 0.5, lower=[0.0, 0.5])
    with pytest.raises(ValueError, match="leaves double precision"):
        waterfill([0.5, 0.5], 1e-20, b=40.0)


@pytest.mark.parametrize("function", [shares, lambda p: preset("tri", p, 0.5), lambda p: power_law(0.5, p, 0.5)])
def test_shares_are_not_normalised_silently(function):
    for volumes, message in [
        ([3.0, 1.0], r"volumes sum to 4; accepted: shares"),
        ([0.5, 0.4], r"volumes sum to 0.9"),
        ([0.5, 0.0, 0.5], r"volumes\[1\] = 0.0"),
        ([1.5, -0.5], r"volumes\[1\] = -0.5"),
        ([], r"volumes has the shape \(0,\)"),
        ([math.nan], r"volumes\[0\] = nan"),
    ]:
        with pytest.raises(ValueError, match=message):
            function(volumes)


def test_shares_are_normalised_when_told():
    assert shares([3, 1], normalise=True).tolist() == [0.75, 0.25]
    assert shares(np.full(10**5, 1e-5)).size == 10**5
    assert shares([1.0]).tolist() == [1.0]


def test_an_assignment_that_breaks_a_limit_gets_no_certificate():
    problem = RatioProblem([0.5, 0.5], 0.5, lower=0.1, upper=0.4)
    for delta, message in [
        ([0.05, 0.2], "outside the limits"),
        ([0.1, 0.5], "outside"),
        ([0.3, 0.3], "more than the budget"),
    ]:
        with pytest.raises(ValueError, match=message):
            certified(problem, Power(1), np.array(delta), 1.0, "guess")


def test_rational_proofs_are_for_whole_powers():
    for criterion in (Power(0.5), SquaredMemory()):
        with pytest.raises(TypeError, match="whole b"):
            rational_gap(assign(RatioProblem([0.5, 0.5], 0.5), criterion))


@pytest.mark.parametrize(
    ("changed", "error", "message"),
    [
        (dict(budget=1), InfeasibleBudget, "budget = 1 is 1 below the smallest feasible one, 2"),
        (dict(budget=2.5), TypeError, "budget = 2.5"),
        (dict(dimension=0), ValueError, "dimension = 0"),
        (dict(lower=0), ValueError, r"lower\[0\] = 0"),
        (dict(upper=[5, 11]), ValueError, r"upper\[1\] = 11"),
        (dict(lower=[1, 4], upper=3), ValueError, r"lower\[1\] = 4 is above upper\[1\] = 3"),
        (dict(costs=[1, 0]), ValueError, r"costs\[1\] = 0"),
        (dict(costs=[1.5, 1]), TypeError, r"costs\[0\] = 1.5"),
        (dict(costs=[1, 2], method="greedy"), ValueError, "optimal for equal costs only"),
        (dict(method="best"), ValueError, "method = 'best' is unknown"),
        (dict(weights=[]), ValueError, "weights has the shape"),
        (dict(weights=[0.0, 1.0]), ValueError, r"weights\[0\] = 0.0"),
        (dict(dimension=10**6, budget=10**6, method="dynamic"), ValueError, "accepted: 100000000"),
    ],
)
def test_bad_counts_are_refused(changed, error, message):
    with pytest.raises(error, match=message):
        assign_counts(**{"weights": [0.5, 0.5], "budget": 6, "dimension": 10, **changed})


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: best_round_time([1.0], [1.0], latency=-1.0), r"latency\[0\] = -1.0"),
        (lambda: best_round_time([1.0], [0.0]), r"costs\[0\] = 0.0"),
        (lambda: best_round_time([1.0], [1.0], L=2.0), "L = 2.0 is outside"),
        (lambda: best_budget([1.0], lower=0.0), r"lower\[0\] = 0.0"),
        (lambda: best_budget([1.0], lower=0.1, overhead=-1.0), "overhead = -1.0"),
        (lambda: best_budget([1.0], lower=0.1, L=2.0), "L = 2.0 is outside"),
        (lambda: best_budget([1.0], lower=0.1, tolerance=0.0), "tolerance = 0.0"),
        (lambda: power_law(math.nan, [1.0], 0.5), "exponent = nan"),
        (lambda: preset("trj", [1.0], 0.5), "did you mean 'tri'"),
    ],
)
def test_bad_choices_are_refused(call, message):
    with pytest.raises(ValueError, match=message):
        call()
