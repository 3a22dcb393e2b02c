"""Links, bits and schedules (dossier 3.12)."""

from __future__ import annotations

import sympy

from ..certificate import Certificate, Hypothesis, Identity, Sign, Term
from ..gram import scalars, square, vectors
from ..symbols import COUNT, Parameter, parameter
from ..theorem import VALUE, Theorem
from .common import SUBJECT, B, c, delta, memory_cost, q, source

_gamma, _L, _A_1, _A_2 = scalars("gamma L_F A_1 A_2")

JOINT_STEP_RATIO = Theorem(
    id="joint-step-ratio",
    title="Ratios and step size can be chosen one after the other",
    statement=(
        r"\text{the bound increases in one scalar}\ (A_L,\ D\text{ or }\sqrt d\Lambda)\ \text{for every}\ \gamma:\quad "
        r"\text{the ratios that minimise it do not depend on}\ \gamma,K,\varepsilon"
    ),
    source=source("3.12"),
    status="derived",
    kind="lemma",
    subject=SUBJECT,
    proof=Certificate(
        lines=(
            Sign(
                "EF21: what is safe with the larger scalar is safe with the smaller",
                1 - _gamma * _L - _gamma**2 * _A_1**2,
                where=(_A_1 <= _A_2, _gamma * _L + _gamma**2 * _A_2**2 <= 1),
            ),
            Sign(
                "bounded gradients and thresholds: the residual increases in the scalar",
                _gamma**2 * _L**2 * (_A_2**2 - _A_1**2),
                where=(_A_1 <= _A_2,),
            ),
        ),
        domain=(_gamma > 0, _L > 0, _A_1 >= 0, _A_2 >= 0),
        scope="nuef21-nonconvex, nuef21-pl, nuef-nonconvex with bounded gradients, nuef-absolute",
        remainder="in the general bound of error feedback two scalars compete: one weight between them is searched",
    ),
    checked_by=("tests/theory/test_ratio_assignment.py::test_best_ratios_do_not_depend_on_the_step",),
)

_T, _latency, _w, _U, _W, _c0 = scalars("round_time latency w U W c0")

LINK_TIME = Theorem(
    id="link-time",
    title="With a deadline per round every worker sends as much as its link allows",
    statement=(
        r"\text{round time}\ T\ge\tau_i+c_i\delta_i:\quad \delta_i(T)=\min\Big(1,\frac{T-\tau_i}{c_i}\Big),\qquad "
        r"\mathcal "
        r"T(T)=T\Big(L+\sum_ip_iL_i\Big(2\max\Big\{\frac{c_i}{T-\tau_i},1\Big\}-\frac32\Big)\Big)\ \text{is convex}"
    ),
    source=source("3.12"),
    status="derived",
    kind="lemma",
    subject=SUBJECT,
    proof=Certificate(
        lines=(
            Sign(
                "a link that limits: the second derivative of T c/(T - latency)",
                sympy.diff(_T * c / (_T - _latency), _T, 2),
            ),
            Identity("a link that does not: affine in T", sympy.diff(_T * _w, _T, 2)),
            Sign("the memory cost decreases in the ratio", 1 / (2 * q * (1 - q) ** 2)),
            Identity(
                "that is its derivative", sympy.diff(memory_cost, q) / sympy.diff(delta, q) + 1 / (2 * q * (1 - q) ** 2)
            ),
        ),
        domain=(_latency < _T, _latency >= 0, c > 0, q > 0, q < 1),
        scope="every number of workers and links",
        remainder="a maximum of convex functions is convex; the weights are irrelevant for the ratios",
    ),
    checked_by=("tests/theory/test_ratio_assignment.py::test_round_time_is_convex",),
)

_n, _ratio, _smoothness = parameter("workers"), parameter("delta"), parameter("L")

BITS_OPTIMAL = Theorem(
    id="bits-optimal",
    title="In the worst case equal ratios save no bits",
    statement=(
        r"\text{equal workers},\ \gamma=\frac1{L+A_L}:\quad \text{floats}\propto "
        r"n(L+A_L)\delta=nL(1+\sqrt{1-\delta})\in[nL,2nL);\qquad "
        r"\text{small unequal ratios}:\ 2\Big(\sum_i\sqrt{w_ic_i}\Big)^2\ \text{against}\ L\sum_ic_i"
    ),
    source=source("3.12"),
    status="derived",
    kind="tight",
    subject=SUBJECT,
    parameters=(_n, _smoothness, _ratio),
    measure=r"n(L+A_L)\delta",
    value=_n.symbol * _smoothness.symbol * (1 + sympy.sqrt(1 - _ratio.symbol)),
    proof=Certificate(
        lines=(
            Identity("equal workers: (1 + a) delta = 1 + q", (1 + memory_cost) * delta - (1 + q)),
            Sign("never below full communication", (1 + memory_cost) * delta - 1),
            Sign("less than twice it", 2 - (1 + memory_cost) * delta, strict=True, where=(q < 1,)),
            Identity(
                "the interior branch: cost (L + 2U^2/B - 3/2 W)(c0 + B)",
                (_L + 2 * _U**2 / B - sympy.Rational(3, 2) * _W) * (_c0 + B)
                - ((_L - sympy.Rational(3, 2) * _W) * (_c0 + B) + 2 * _U**2 * (1 + _c0 / B)),
            ),
            Sign(
                "it decreases in the budget",
                -sympy.diff((_L - sympy.Rational(3, 2) * _W) * (_c0 + B) + 2 * _U**2 * (1 + _c0 / B), B),
                where=(_L <= _W,),
            ),
            Identity("the formula", VALUE - _n.symbol * _smoothness.symbol * (1 + sympy.sqrt(1 - _ratio.symbol))),
        ),
        domain=(q >= 0, q < 1, B > 0, _c0 >= 0, _L > 0, _W > 0),
        scope="every number of workers, worst case over all contractive compressors",
    ),
    tightness="an equality for equal workers",
    pitfall="what top-k saves in practice comes from the data, not from the class of contractive compressors",
    checked_by=("tests/theory/test_ratio_assignment.py::test_bits_of_equal_workers",),
)

_v, _kept = vectors("v C")
_measured = sympy.Symbol("delta_measured", real=True)

EFFECTIVE_DELTA = Theorem(
    id="effective-delta",
    title="A measured lower bound of the ratio certifies the run it was measured on",
    statement=(
        r"\hat\delta_i^k=1-\frac{\lVert C_i(v)-v\rVert^2}{\lVert v\rVert^2}:\qquad \text{exact gradients, "
        r"deterministic compressors: "
        r"every bound holds with}\ \min_k\hat\delta_i^k\ \text{in place of}\ \frac kd"
    ),
    source=source("3.12"),
    status="derived",
    kind="lemma",
    subject=SUBJECT,
    proof=Certificate(
        lines=(
            Identity(
                "the contraction with any ratio below the measured one",
                (1 - _measured) * square(_v) - square(_kept - _v),
                (
                    Term(
                        sympy.S.One,
                        Hypothesis(
                            "measured", (1 - _measured) * square(_v) - square(_kept - _v), "smallest measured ratio"
                        ),
                    ),
                ),
            ),
        ),
        domain=(_measured > 0, _measured <= 1),
        scope="every dimension, every deterministic compressor",
    ),
    pitfall="not for random compressors: the smallest measured ratio depends on the noise",
    checked_by=("tests/theory/test_ratio_assignment.py::test_measured_ratios_certify_the_run",),
)

_period = Parameter("period", "T", COUNT, "iterations", "everything is sent once in so many steps")
_G, _E, _k = scalars("G E_k k_in_period")

SCHEDULE_PERIODIC = Theorem(
    id="schedule-periodic",
    title="Sending everything now and then beats sending a little always",
    statement=(
        r"\text{everything once in }T\text{ steps}:\quad \lVert e^k\rVert\le(T-1)G;\qquad "
        r"\delta=\tfrac1T\text{ always}:\ a(\tfrac1T)G\ge\big(2T-2\big)G"
    ),
    source=source("3.12"),
    status="derived",
    kind="tight",
    subject=SUBJECT,
    parameters=(_period,),
    measure=r"\max_k\lVert e^k\rVert/G",
    value=_period.symbol - 1,
    proof=Certificate(
        lines=(
            Sign("the memory grows by at most G a step", (_k + 1) * _G - (_E + _G), where=(_k * _G >= _E,)),
            Sign(
                "at most T - 1 steps are kept",
                (_period.symbol - 1) * _G - _E,
                where=(_k * _G >= _E, _k <= _period.symbol - 1),
            ),
            Sign("a(delta) >= 2/delta - 2", memory_cost - 2 / delta + 2),
            Identity("the bound", VALUE - (_period.symbol - 1)),
        ),
        domain=(_G > 0, _E >= 0, _k >= 0, _period.symbol >= 1, q >= 0, q < 1),
        scope="every dimension, every sequence of gradients with norm at most G",
    ),
    tightness="attained by constant gradients",
    checked_by=("tests/theory/test_ratio_assignment.py::test_periodic_memory",),
)

THEOREMS = (JOINT_STEP_RATIO, LINK_TIME, BITS_OPTIMAL, EFFECTIVE_DELTA, SCHEDULE_PERIODIC)
