"""The assignment problem: minimise sum w_i/delta_i^b under a budget and boxes (dossier 3.7, 3.12)."""

from __future__ import annotations

import sympy

from ..certificate import Certificate, Hypothesis, Identity, Sign, Term
from ..gram import mean, scalars
from ..symbols import POSITIVE, Parameter
from ..theorem import VALUE, Theorem
from .common import (
    OBJECTIVE_EXPONENT,
    RATIO_BUDGET,
    SCALE,
    SUBJECT,
    WEIGHT_SUM,
    B,
    c,
    delta,
    memory_cost,
    noise_cost_squared,
    nu,
    q,
    source,
    w,
)

_P_i, _Q_i = scalars("P[i] Q[i]")
_one, _U, _b = scalars("sum_P U b")
_scale, _budget, _exponent = SCALE.symbol, RATIO_BUDGET.symbol, OBJECTIVE_EXPONENT.symbol

CHI2_IDENTITY = Theorem(
    id="chi2-identity",
    title="The objective is a chi-square divergence from the best shares of the budget",
    statement=(
        r"Q_i=\frac{c_i\delta_i}B,\ P_i=\frac{(w_ic_i^b)^{1/(1+b)}}U:\qquad "
        r"\sum_i\frac{w_i}{\delta_i^b}=\frac{U^{1+b}}{B^b}"
        r"\sum_iP_i^{1+b}Q_i^{-b}\ge\frac{U^{1+b}}{B^b},\qquad b=1:\ \frac{U^2}B\big(1+\chi^2(P\Vert Q)\big)"
    ),
    source=source("3.7"),
    status="derived",
    kind="tight",
    subject=SUBJECT,
    parameters=(SCALE, RATIO_BUDGET, OBJECTIVE_EXPONENT),
    measure=r"\min_\delta\sum_iw_i\delta_i^{-b}\ \text{without active boxes}",
    value=_scale ** (1 + _exponent) / _budget**_exponent,
    proof=Certificate(
        lines=(
            Identity(
                "b = 1: sum w_i/delta_i = U^2/B sum P_i^2/Q_i, and sum P^2/Q = 1 + chi^2 (averages under Q)",
                _U**2 / B * mean((_P_i / _Q_i) ** 2) - _U**2 / B * (1 + mean((_P_i / _Q_i - 1) ** 2)),
                (Term(2 * _U**2 / B, Hypothesis("sum P_i = 1", _one - 1, "definition of P", equality=True)),),
            ),
            Identity(
                "one worker: w/delta with w = (P U)^2/c and delta = B Q/c",
                (_P_i * _U) ** 2 / c / (B * _Q_i / c) - _U**2 / B * _P_i**2 / _Q_i,
            ),
            Identity(
                "b = 2 in the same way",
                (_P_i * _U) ** 3 / c**2 / (B * _Q_i / c) ** 2 - _U**3 / B**2 * _P_i**3 / _Q_i**2,
            ),
            Identity("the minimum", VALUE - _scale ** (1 + _exponent) / _budget**_exponent),
        ),
        domain=(B > 0, c > 0, _U > 0, _Q_i > 0, _P_i > 0),
        means={_P_i / _Q_i: _one},
        scope="every number of workers; the substitution for b = 1 and b = 2, the lower bound for b = 1",
        remainder="other b: the substitution is the same, the lower bound is Jensen's inequality for x^(1+b) under Q",
    ),
    tightness="equality at Q = P",
    checked_by=("tests/theory/test_ratio_assignment.py::test_the_objective_is_a_divergence",),
)

_y, _at, _l, _u, _spent = scalars("y delta_t l u spent")


def _lagrangian(exponent: int, point: sympy.Expr, price: sympy.Expr) -> sympy.Expr:
    return w * point**-exponent + price * c * point


def _separate_minimum(exponent: int) -> tuple[Sign, ...]:
    """The clipped stationary point minimises one worker's Lagrangian: three cases."""
    stationary = exponent * w / (c * _at ** (exponent + 1))
    rise = _lagrangian(exponent, _y, nu) - _lagrangian(exponent, _at, nu)
    return (
        Sign(f"b = {exponent}, inside the box: the price is the slope", rise.subs(nu, stationary), where=(nu > 0,)),
        Sign(
            f"b = {exponent}, at the lower end: the price is above the slope", rise, where=(nu >= stationary, _y >= _at)
        ),
        Sign(
            f"b = {exponent}, at the upper end: the price is below the slope", rise, where=(nu <= stationary, _y <= _at)
        ),
    )


_SEPARATE = (*_separate_minimum(1), *_separate_minimum(2))
_S0, _S1, _t = scalars("S0 S1 t")
_FACTS = (w > 0, c > 0, nu >= 0, _y > 0, _at > 0)

WATERFILL = Theorem(
    id="waterfill",
    title="Water-filling solves the assignment exactly",
    statement=(
        r"\min\sum_iw_i\delta_i^{-b}\ \text{s.t.}\ \sum_ic_i\delta_i\le B,\ l_i\le\delta_i\le u_i:\qquad "
        r"\delta_i=\operatorname{clip}_{[l_i,u_i]}\Big(t\,\Big(\frac{bw_i}{c_i}\Big)^{\frac1{1+b}}\Big),\quad "
        r"t\text{ the root of}\ \sum_ic_i\delta_i(t)=B,\ \nu=t^{-(1+b)}"
    ),
    source=source("3.7"),
    status="derived",
    kind="lemma",
    subject=SUBJECT,
    proof=Certificate(
        lines=(
            *_SEPARATE,
            Sign("a feasible point pays at most the budget", -nu * (_spent - B), where=(_spent <= B,)),
            Identity(
                "on one segment the budget is affine in t",
                _S0 + _S1 * _t - B,
                (Term(_S1, Hypothesis("the root", _t - (B - _S0) / _S1, "definition of t", equality=True)),),
            ),
        ),
        domain=(*_FACTS, _S1 > 0),
        scope="every number of workers, b = 1 and b = 2, every box",
        remainder="the Lagrangian is a sum over the workers; other b: w y^(-b) + nu c y is convex in y",
    ),
    tightness="the minimiser is unique",
    checked_by=("tests/theory/test_ratio_assignment.py::test_water_filling_is_optimal",),
)

GAP_DUAL = Theorem(
    id="gap-dual",
    title="Any price bounds the distance from the optimum",
    statement=(
        r"\delta\text{ feasible},\ \nu\ge0:\qquad \Phi(\delta)-\Phi^*\le\Phi(\delta)-\Big[\sum_iw_i\delta_i(\nu)^{-b}+"
        r"\nu\Big(\sum_ic_i\delta_i(\nu)-B\Big)\Big],\quad "
        r"\delta_i(\nu)=\operatorname{clip}\Big(\Big(\frac{bw_i}{\nu c_i}\Big)^{\frac1{1+b}}\Big)"
    ),
    source=source("3.7"),
    status="derived",
    kind="tight",
    subject=SUBJECT,
    proof=Certificate(
        lines=(*_SEPARATE, Sign("a feasible point pays at most the budget", nu * (B - _spent), where=(_spent <= B,))),
        domain=_FACTS,
        scope="every number of workers, b = 1 and b = 2, every box, every price",
        remainder="weak duality: Phi(y) >= Phi(y) + nu (sum c y - B), minimised for every worker separately",
    ),
    tightness="0 at the minimiser with its own price",
    checked_by=("tests/theory/test_ratio_assignment.py::test_gaps_bound_the_distance_from_the_optimum",),
)

_g_i, _g_j, _c_i, _c_j, _moved = scalars("g_i g_j c_i c_j moved")


def _tangent(exponent: int) -> Sign:
    slope = -exponent * w / _at ** (exponent + 1)
    return Sign(
        f"b = {exponent}: the objective lies above its tangent",
        w / _y**exponent - w / _at**exponent - slope * (_y - _at),
    )


GAP_FW = Theorem(
    id="gap-fw",
    title="An optimality gap in rational arithmetic",
    statement=(
        r"g_i=bw_i\delta_i^{-b-1}:\qquad \Phi(\delta)-\Phi^*\le\max_{y\ \text{feasible}}\sum_ig_i(y_i-\delta_i),\quad "
        r"\text{attained by filling }y\text{ from }l\text{ in the order of}\ g_i/c_i"
    ),
    source=source("3.7", "Frank and Wolfe (1956) for the gap"),
    status="derived",
    kind="upper",
    subject=SUBJECT,
    proof=Certificate(
        lines=(
            _tangent(1),
            _tangent(2),
            Sign(
                "cost moved to the larger g/c does not lose",
                _moved * (_g_i / _c_i - _g_j / _c_j),
                where=(_g_i / _c_i >= _g_j / _c_j, _moved >= 0),
            ),
        ),
        domain=(w > 0, _y > 0, _at > 0, _c_i > 0, _c_j > 0),
        scope="every number of workers, b = 1 and b = 2, every box",
    ),
    tightness="0 at the minimiser; no roots occur, so it is exact for the stored numbers",
    checked_by=("tests/theory/test_ratio_assignment.py::test_gaps_bound_the_distance_from_the_optimum",),
)


def _by_ratio(expression: sympy.Expr) -> sympy.Expr:
    """The derivative by delta = 1 - q^2 of an expression in q."""
    return sympy.cancel(sympy.diff(expression, q) / sympy.diff(delta, q))


_z = sympy.Symbol("z", real=True)

EXACT_OBJECTIVES = Theorem(
    id="exact-objectives",
    title="Which objectives are convex in the ratio, and where they are stationary",
    statement=(
        r"q=\sqrt{1-\delta}:\quad (a^2)'=-\frac1{(1-q)^3},\ (r^2)'=-\frac{2-q}{2(1-q)^2}:\ a^2,r^2\ \text{are "
        r"convex};\qquad "
        r"a''=\frac{3q-1}{4q^3(1-q)^3}:\ a\text{ is convex for}\ \delta\le\tfrac89\ \text{only}"
    ),
    source=source("3.1.4, 3.7"),
    status="derived",
    kind="tight",
    subject=SUBJECT,
    proof=Certificate(
        lines=(
            Identity("derivative of a^2", _by_ratio(memory_cost**2) + 1 / (1 - q) ** 3),
            Identity("derivative of r^2", _by_ratio(noise_cost_squared) + (2 - q) / (2 * (1 - q) ** 2)),
            Identity(
                "second derivative of a", _by_ratio(_by_ratio(memory_cost)) - (3 * q - 1) / (4 * q**3 * (1 - q) ** 3)
            ),
            Sign("a^2 is convex", _by_ratio(_by_ratio(memory_cost**2))),
            Sign("r^2 is convex", _by_ratio(_by_ratio(noise_cost_squared))),
            Sign(
                "a is convex up to delta = 8/9",
                _by_ratio(_by_ratio(memory_cost)),
                where=(delta <= sympy.Rational(8, 9),),
            ),
            Sign(
                "and strictly concave beyond",
                -_by_ratio(_by_ratio(memory_cost)),
                strict=True,
                where=(delta > sympy.Rational(8, 9),),
            ),
            Identity(
                "stationary for a^2: z^3 = w/(nu c), z = 1 - q",
                (w * _by_ratio(memory_cost**2) + nu * c).subs(q, 1 - _z) * _z**3 - (nu * c * _z**3 - w),
            ),
            Identity(
                "stationary for r^2: 2 nu c z^2 = w (1 + z)",
                (w * _by_ratio(noise_cost_squared) + nu * c).subs(q, 1 - _z) * 2 * _z**2
                - (2 * nu * c * _z**2 - w * (1 + _z)),
            ),
        ),
        domain=(q > 0, q < 1, w > 0, c > 0, nu > 0, _z > 0, _z < 1),
        scope="every ratio below 1",
    ),
    pitfall="a(delta) itself is not convex near 1: no convex solver may be given it there",
    checked_by=("tests/theory/test_ratio_assignment.py::test_exact_objectives",),
)

_surrogate = 2 / delta - sympy.Rational(3, 2)
_q_i, _q_j, _w_i, _w_j, _largest = scalars("q_i q_j w_i w_j largest")
_weights, _top = WEIGHT_SUM.symbol, sympy.Symbol("largest_weight", real=True)
_TOP = Parameter("largest_weight", r"\max_iw_i/c_i", POSITIVE, "1/cost", "largest weight per unit of cost")


def _curvature(q_value: sympy.Expr) -> sympy.Expr:
    return _by_ratio(_by_ratio(memory_cost)).subs(q, q_value)


ALLOC_SURROGATE = Theorem(
    id="alloc-surrogate",
    title="What is lost by minimising 2/delta instead of the memory cost itself",
    statement=(
        r"\hat\delta\ \text{minimises}\ \sum_iw_i\Big(\frac2{\delta_i}-\frac32\Big):\qquad \sum_iw_ia(\hat\delta_i)\le"
        r"\min_\delta\sum_iw_ia(\delta_i)+\min\Big\{\frac12\sum_iw_i,\ \frac B2\max_i\frac{w_i}{c_i}\Big\}"
    ),
    source=source("3.7"),
    status="derived",
    kind="upper",
    subject=SUBJECT,
    parameters=(WEIGHT_SUM, _TOP, RATIO_BUDGET),
    measure=r"\sum_iw_ia(\hat\delta_i)-\min_\delta\sum_iw_ia(\delta_i)",
    value=sympy.Min(_weights / 2, _budget * _top / 2),
    proof=Certificate(
        lines=(
            Sign("the surrogate is an upper bound", _surrogate - memory_cost),
            Sign("its error is at most 1/2", sympy.S.Half - (_surrogate - memory_cost)),
            Sign("and at most delta/2", delta / 2 - (_surrogate - memory_cost)),
            Sign(
                "the sum of w delta/2 is at most B/2 max w/c",
                c * _y / 2 * (_largest - w / c),
                where=(w / c <= _largest,),
            ),
            Sign(
                "two ratios beyond 8/9 do not both lie inside their boxes: the curvature along the budget is negative",
                -(_w_i * _curvature(_q_i) / _c_i**2 + _w_j * _curvature(_q_j) / _c_j**2),
                strict=True,
                where=(3 * _q_i < 1, 3 * _q_j < 1),
            ),
            Identity("the bound", VALUE - sympy.Min(_weights / 2, _budget * _top / 2)),
        ),
        domain=(
            q >= 0,
            q < 1,
            w > 0,
            c > 0,
            _y > 0,
            _q_i > 0,
            _q_j > 0,
            _w_i > 0,
            _w_j > 0,
            _c_i > 0,
            _c_j > 0,
        ),
        scope="every number of workers, every box",
        remainder="the surrogate is smallest at its own minimiser; its errors are summed with weights w_i",
    ),
    tightness="0.138 sum w measured on two workers",
    checked_by=("tests/theory/test_ratio_assignment.py::test_surrogate_loss",),
)

_M, _theta = scalars("largest_quotient theta")
_product = Parameter("weight_cost", r"\sum_iw_ic_i", POSITIVE, "cost", "sum of w_i c_i")

MINIMAX_RATIO = Theorem(
    id="minimax-ratio",
    title="The fairest assignment: ratios proportional to the weights",
    statement=(
        r"\min_\delta\max_i\frac{w_i}{\delta_i}\ \text{s.t.}\ \sum_ic_i\delta_i\le B:\qquad "
        r"\delta_i=\frac{w_i}\theta,\quad "
        r"\theta=\frac{\sum_iw_ic_i}B"
    ),
    source=source("3.12"),
    status="derived",
    kind="tight",
    subject=SUBJECT,
    parameters=(_product, RATIO_BUDGET),
    measure=r"\min_\delta\max_iw_i/\delta_i\ \text{without active boxes}",
    value=_product.symbol / _budget,
    proof=Certificate(
        lines=(
            Sign(
                "every worker pays at least w c/M where M bounds the quotients",
                c * (_y - w / _M),
                where=(w / _y <= _M,),
            ),
            Sign("so M is at least sum w c/B", _M - _spent / B, where=(_spent / _M <= B,)),
            Identity("attained", w / (w / _theta) - _theta),
            Identity("the value", VALUE * _budget - _product.symbol),
        ),
        domain=(w > 0, c > 0, _y > 0, _M > 0, B > 0, _spent > 0, _theta > 0, _budget > 0),
        scope="every number of workers; boxes clip the ratios",
    ),
    tightness="equality for the assignment of the statement",
    checked_by=("tests/theory/test_ratio_assignment.py::test_minimax_is_optimal",),
)

MYOPIC_VERTEX = Theorem(
    id="myopic-vertex",
    title="Minimising what is left out in one step serves the workers one after another",
    statement=(
        r"\min\sum_ip_i\sqrt{1-\delta_i}\,m_i\ \text{or}\ \sum_ip_i^2(1-\delta_i)m_i^2\ \text{s.t.}\ \sum_ic_i"
        r"\delta_i\le B,\ 0\le\delta_i\le1:"
        r"\quad\text{at a vertex, at most one }\delta_i\in(0,1);\ \text{second: in the order of}\ p_i^2m_i^2/c_i"
    ),
    source=source("3.12", "Dantzig (1957) for the linear case"),
    status="derived",
    kind="lemma",
    subject=SUBJECT,
    proof=Certificate(
        lines=(
            Sign("the root is concave: its second derivative by delta", -_by_ratio(_by_ratio(q)), strict=True),
            Sign(
                "linear: cost moved to the larger gain per cost does not lose",
                _moved * (_g_i / _c_i - _g_j / _c_j),
                where=(_g_i / _c_i >= _g_j / _c_j, _moved >= 0),
            ),
        ),
        domain=(q > 0, q < 1, _c_i > 0, _c_j > 0),
        scope="every number of workers",
        remainder="a concave function is smallest at a vertex, where at most one ratio is fractional",
    ),
    checked_by=("tests/theory/test_ratio_assignment.py::test_myopic_assignment_is_at_a_vertex",),
)

THEOREMS = (
    CHI2_IDENTITY, WATERFILL, GAP_DUAL, GAP_FW, EXACT_OBJECTIVES, ALLOC_SURROGATE, MINIMAX_RATIO, MYOPIC_VERTEX,
)  # fmt: skip
