import numpy as np
import pytest

from taciturn.solvers.bounds import Bracket, Estimate
from taciturn.theory import theorem
from taciturn.theory.checks import check_positive


def test_a_bracket_knows_what_it_contains():
    assert [Bracket(1.0, 2.0).contains(value) for value in (0.99, 1.0, 2.0, 2.01)] == [False, True, True, False]
    assert Bracket(1.0, 2.0).contains(2.01, tolerance=0.01)
    assert not Bracket(1.0, 2.0).is_exact


@pytest.mark.parametrize("limits", [(2.0, 1.0), (np.nan, 1.0)])
def test_a_bracket_has_its_limits_in_order(limits):
    with pytest.raises(ValueError, match="accepted: lower <= upper"):
        Bracket(*limits)


@pytest.mark.parametrize(
    "use",
    [
        float,
        np.asarray,
        np.sqrt,
        lambda estimate: 1 + estimate,
        lambda estimate: estimate < 2,
        lambda estimate: check_positive(estimate, "sparsity_sigma"),
        lambda estimate: theorem("topT-sc-exact").evaluate(L=estimate, mu=0.1, alpha=0.5),
    ],
)
@pytest.mark.parametrize("value", [3.0, np.array([1.0, 2.0])], ids=["number", "array"])
def test_an_estimate_is_taken_by_nothing_that_takes_a_number(use, value):
    with pytest.raises(TypeError):
        use(Estimate(value, 0.1))
