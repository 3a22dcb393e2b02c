"""Whole numbers of entries (dossier 3.9)."""

from __future__ import annotations

from ..certificate import Certificate, Sign
from ..gram import scalars
from ..theorem import Theorem
from .common import SUBJECT, B, nu, source

_gain, _cost, _spent, _given, _received = scalars("gain cost spent gain_of_taken gain_of_rejected")

INT_GREEDY = Theorem(
    id="int-greedy",
    title="With equal costs, giving one entry at a time is optimal",
    statement=(
        r"\phi_i\ \text{convex, decreasing on integers},\ \sum_ik_i\le B,\ l_i\le k_i\le u_i:\qquad "
        r"\text{repeatedly raise the }k_i\text{ with the largest}\ \phi_i(k_i)-\phi_i(k_i+1)"
    ),
    source=source("3.9", "Gross (1956), Fox (1966)"),
    status="published",
    kind="tight",
    subject=SUBJECT,
    proof=Certificate(
        lines=(
            Sign(
                "exchanging a taken increment for another one does not gain",
                _given - _received,
                where=(_given >= nu, _received <= nu),
            ),
        ),
        scope="every number of workers",
        remainder="increments of each worker are non-increasing, so the largest ones overall form prefixes",
    ),
    tightness="an equality",
    pitfall="not for w a(k/d) above k = 8d/9, where it is concave",
    checked_by=("tests/theory/test_ratio_assignment.py::test_greedy_counts_are_optimal",),
)

INT_PROXIMITY = Theorem(
    id="int-proximity",
    title="A best integer assignment lies within n of the continuous one",
    statement=(
        r"\text{equal costs},\ \sum_ix_i^*=B:\qquad \lvert k_i-x_i^*\rvert<n\ \text{for all }i\text{ in some "
        r"integer optimum}"
    ),
    source=source("3.9"),
    status="derived",
    kind="upper",
    subject=SUBJECT,
    no_certificate="combinatorial: an exchange of increments; equality with brute force over all assignments",
    checked_by=("tests/theory/test_ratio_assignment.py::test_integer_optimum_is_near_the_continuous_one",),
)

INT_WEIGHTED = Theorem(
    id="int-weighted",
    title="With unequal costs the greedy assignment is a bound, not the optimum",
    statement=(
        r"\text{stopping at the first increment, of gain }\Delta\text{ and cost }c\text{, that does not fit:}\qquad "
        r"\Phi-\Phi^*\le\nu(B-\mathrm{spent})<\Delta,\quad \nu=\frac\Delta c"
    ),
    source=source("3.9"),
    status="derived",
    kind="upper",
    subject=SUBJECT,
    proof=Certificate(
        lines=(
            Sign(
                "what is left of the budget is worth less than the rejected increment",
                _gain - _gain / _cost * (B - _spent),
                strict=True,
                where=(B - _spent < _cost,),
            ),
            Sign(
                "an increment that was taken is worth at least its price, one that was not at most",
                _given - _received,
                where=(_given >= nu, _received <= nu),
            ),
        ),
        domain=(_gain > 0, _cost > 0),
        scope="every number of workers, all costs",
        remainder="Lagrangian bound with the density of the rejected increment as price",
    ),
    pitfall="greedy by gain per cost is not optimal for the given budget, as in every knapsack problem",
    checked_by=("tests/theory/test_ratio_assignment.py::test_greedy_by_density_is_within_its_bound",),
)

THEOREMS = (INT_GREEDY, INT_PROXIMITY, INT_WEIGHTED)
