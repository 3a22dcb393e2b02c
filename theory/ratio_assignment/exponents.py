"""How ratios should follow data volumes, and what that gains (dossier 3.8)."""

from __future__ import annotations

import sympy

from ..certificate import Certificate, Hypothesis, Identity, Sign, Term
from ..gram import mean, scalars
from ..symbols import NONNEGATIVE, Parameter, parameter
from ..theorem import VALUE, Theorem
from .common import OBJECTIVE_EXPONENT, ROOT_SUM, SUBJECT, B, n, source

_weight_exponent = Parameter("weight_exponent", "e", NONNEGATIVE, "", "exponent e in the weights w_i = p_i^e")
_e, _b = _weight_exponent.symbol, OBJECTIVE_EXPONENT.symbol
_log_p_i, _log_p_j, _log_delta_i, _log_delta_j = scalars("log_p_i log_p_j log_delta_i log_delta_j")

EXPONENT_TABLE = Theorem(
    id="exponent-table",
    title="The exponent that minimises a bound",
    statement=(
        r"\min\sum_ip_i^e\delta_i^{-b}\ \text{s.t.}\ \sum_i\delta_i\le B:\qquad \delta_i\propto p_i^\alpha,\quad "
        r"\alpha=\frac e{1+b}"
    ),
    source=source("3.8"),
    status="derived",
    kind="tight",
    subject=SUBJECT,
    parameters=(_weight_exponent, OBJECTIVE_EXPONENT),
    measure=r"\alpha",
    value=_e / (1 + _b),
    proof=Certificate(
        lines=(
            Identity(
                "equal prices p^e delta^(-b-1), in logarithms",
                (1 + _b) * (_log_delta_i - _log_delta_j - VALUE * (_log_p_i - _log_p_j)),
                (
                    Term(
                        sympy.S.NegativeOne,
                        Hypothesis(
                            "stationary",
                            (_e * _log_p_i - (1 + _b) * _log_delta_i) - (_e * _log_p_j - (1 + _b) * _log_delta_j),
                            "waterfill without active boxes",
                            equality=True,
                        ),
                    ),
                ),
            ),
        ),
        domain=(_b > 0, _e >= 0),
        scope="every number of workers, all exponents",
    ),
    tightness="equality without active boxes",
    checked_by=("tests/theory/test_ratio_assignment.py::test_presets_minimise_what_they_say",),
)

_u_i, _u_j, _v_i, _v_j = scalars("u[i] u[j] v[i] v[j]")
_UU, _VV, _UV, _x, _p, _S = scalars("UU VV UV x p S")

EXPONENT_SYMMETRY = Theorem(
    id="exponent-symmetry",
    title="Exponents alpha and 1 - alpha are equally good for the memory cost",
    statement=(
        r"\delta_i=\frac{Bp_i^\alpha}{S_\alpha},\ S_\alpha=\sum_ip_i^\alpha:\qquad "
        r"\sum_i\frac{p_i}{\delta_i}=\frac{S_\alpha S_{1-\alpha}}B"
        r"\ge\frac{S_{1/2}^2}B;\quad \alpha=0\text{ and }\alpha=1\text{ both give}\ \frac nB"
    ),
    source=source("3.8"),
    status="derived",
    kind="tight",
    subject=SUBJECT,
    proof=Certificate(
        lines=(
            Identity("one worker: p/delta with x = p^alpha", _p / (B * _x / _S) - _S * (_p / _x) / B),
            Identity(
                "smallest at 1/2: with u^2 = p^alpha, v^2 = p^(1 - alpha), uv = p^(1/2) (averages over the workers)",
                _UU * _VV - _UV**2,
                (
                    Term(
                        sympy.S.Half,
                        Hypothesis("squares", mean((_u_i * _v_j - _u_j * _v_i) ** 2, "j"), "arithmetic"),
                        index="i",
                    ),
                ),
            ),
        ),
        domain=(B > 0, _x > 0, _p > 0, _S > 0),
        means={
            _u_i**2: _UU,
            _u_j**2: _UU,
            _v_i**2: _VV,
            _v_j**2: _VV,
            _u_i * _v_i: _UV,
            _u_j * _v_j: _UV,
        },
        scope="every number of workers, every alpha",
        remainder="S_alpha is log-convex in alpha by Hölder's inequality, so the product is too",
    ),
    tightness="an equality; the minimum is attained at 1/2",
    checked_by=("tests/theory/test_ratio_assignment.py::test_exponents_are_symmetric",),
)

_root = ROOT_SUM.symbol
_s_i, _s_bar, _s2 = scalars("s[i] mean_root mean_share")

GAIN_FORMULA = Theorem(
    id="gain-formula",
    title="What the best ratios gain over equal ones",
    statement=(
        r"\frac{\min\sum p_i/\delta_i\ \text{over equal ratios}}{\min\sum p_i/\delta_i}=\frac "
        r"n{(\sum_i\sqrt{p_i})^2}\in[1,n)"
    ),
    source=source("3.8"),
    status="derived",
    kind="tight",
    subject=SUBJECT,
    parameters=(parameter("workers"), ROOT_SUM),
    measure=r"A_L(\text{uniform})/A_L(\text{best})\ \text{for small ratios}",
    value=n / _root**2,
    proof=Certificate(
        lines=(
            Identity("the quotient of n/B and (sum sqrt p)^2/B", VALUE * (_root**2 / B) - n / B),
            Identity(
                "at least 1: (mean of sqrt p)^2 <= mean of p",
                _s2 - _s_bar**2,
                (Term(sympy.S.One, Hypothesis("variance", mean((_s_i - _s_bar) ** 2), "arithmetic")),),
            ),
            Sign("below n: (sum sqrt p)^2 > sum p = 1", n - n / _root**2, strict=True, where=(_root > 1,)),
        ),
        domain=(B > 0, n >= 1, _root >= 1),
        means={_s_i: _s_bar, _s_i**2: _s2},
        scope="every number of workers, equal L_i and costs, no active box",
    ),
    tightness="an equality",
    pitfall="delta_i proportional to p_i gains nothing for error feedback",
    checked_by=("tests/theory/test_ratio_assignment.py::test_predicted_gains",),
)

THEOREMS = (EXPONENT_TABLE, EXPONENT_SYMMETRY, GAIN_FORMULA)
