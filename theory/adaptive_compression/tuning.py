"""What communication-aware tuning guarantees, and what it does not (dossier 5.1–5.9)."""

from __future__ import annotations

import sympy

from ..assumptions import (
    CAT_RULE,
    CONVEX,
    EXACT_GRADIENT,
    L_SMOOTH,
    PL,
    PROJECTION,
    SCALED_SIGN,
    TOP_T,
    UNBIASED,
)
from ..certificate import Certificate, Hypothesis, Identity, Sign, Term
from ..gram import mean, scalars, square
from ..hypotheses import lower_smooth, projection_type, strongly_convex
from ..special import affine_increments
from ..symbols import Range, parameter
from ..theorem import BITS, EPS, INITIAL, STEP_SIZE, VALUE, Theorem
from .common import (
    AT,
    CURVATURE,
    NEXT,
    SMOOTHNESS,
    SUBJECT,
    F,
    F_next,
    L,
    T,
    alpha,
    d,
    g,
    m,
    mu,
    q,
    source,
)

_E, _C, _c0, _c1, _s = (parameter(name).symbol for name in ("efficiency", "cost", "c0", "c1", "effective_sparsity"))
_progress = L / mu * sympy.Max(0, sympy.log(INITIAL / EPS))
_P = sympy.Symbol("progress", real=True)  # kappa ln(initial/eps)

_best, _dec_T, _cost_T = scalars("E_max decrease[T] cost[T]")

CAT_GREEDY = Theorem(
    id="cat-greedy",
    title="CAT makes the most certified progress per unit of price, against every rule",
    statement=(
        r"\frac{\mathrm{dec}(T_{\rm CAT})}{C(T_{\rm CAT})}\ge\frac{\mathbb E\,\mathrm{dec}(T)}{\mathbb E\,C(T)}"
        r"\quad\text{for every fixed or random choice of }T\text{ at the same point}"
    ),
    source=source("5.1"),
    status="published",
    kind="lemma",
    subject=SUBJECT,
    assumptions=(L_SMOOTH, EXACT_GRADIENT),
    proof=Certificate(
        lines=(
            Identity(
                "mediant inequality (average over the random T)",
                _best * mean(_cost_T, "T") - mean(_dec_T, "T"),
                (
                    Term(
                        sympy.S.One,
                        Hypothesis("E_max is the maximum", _best * _cost_T - _dec_T, "choice of T by CAT"),
                        index="T",
                    ),
                ),
            ),
        ),
        domain=(_best > 0,),
        scope="every gradient, every price, every distribution of T",
    ),
    pitfall="at the same point only: along a run, see cat-not-trajectory-optimal",
    checked_by=("tests/solvers/test_tune.py::test_tune_equals_brute_force",),
)

CAT_ACTUAL = Theorem(
    id="cat-actual-decrease",
    title="From the certified to the true decrease",
    statement=(
        r"\frac{\lVert q_T\rVert^2}{2L}\le F(x)-F(x-q_T/L)\le\Big(2-\frac\mu L\Big)\frac{\lVert q_T\rVert^2}{2L};\qquad "
        r"\text{CAT's true decrease per bit is at least}\ \frac1{2-\mu/L}\ \text{of the best}"
    ),
    source=source("5.2"),
    status="derived",
    kind="tight",
    subject=SUBJECT,
    assumptions=(CONVEX, L_SMOOTH, EXACT_GRADIENT, PROJECTION),
    parameters=(SMOOTHNESS, parameter("mu", Range(0, L))),
    measure=r"\text{true decrease per unit of price, relative to the best }T",
    step_size=1 / L,
    value=1 / (2 - m),
    proof=Certificate(
        lines=(
            Identity(
                "convex",
                square(q) / (2 * L * VALUE) - (F - F_next),
                (
                    Term(sympy.S.One, strongly_convex(AT, NEXT, mu)),
                    Term(-1 / L, projection_type(g, q)),
                ),
            ),
            Identity(
                "Lipschitz gradient only: a third instead",
                3 * square(q) / (2 * L) - (F - F_next),
                (
                    Term(sympy.S.One, lower_smooth(AT, NEXT, L)),
                    Term(-1 / L, projection_type(g, q)),
                ),
            ),
        ),
        domain=(L > 0, mu >= 0, mu <= L),
    ),
    tightness="both lines are attained (performance estimation / bound 1)",
)

_ak, _Ek, _Ck = scalars("alpha[k] E[k] C[k]")
_total_bits, _steps = scalars("total_bits steps")


_STEP = Identity("the step of topT-pl-rate", STEP_SIZE - 1 / L)


def _bits_certificate(progress: sympy.Expr) -> Certificate:
    """Bits before the last message: progress > sum alpha_k = sum E_k C_k >= E_min sum C_k (averages over the run)."""
    return Certificate(
        lines=(
            Identity(
                "all messages but the last",
                _P / _E - _total_bits,
                (
                    Term(
                        1 / _E,
                        Hypothesis(
                            "not yet accurate: sum of alpha_k below the progress needed",
                            _P - _steps * mean(_Ek * _Ck, "k"),
                            "definition of the last step, alpha_k = E_k C_k",
                        ),
                    ),
                    Term(
                        _steps / _E,
                        Hypothesis("E_k >= E_min, times the price", (_Ek - _E) * _Ck, "definition of E_min"),
                        index="k",
                    ),
                ),
            ),
            Identity("the formula", BITS - (progress / _E + _C)),
            _STEP,
        ),
        domain=(_E > 0, _steps >= 1),
        means={_Ck: _total_bits / _steps},
        scope="every dimension, every run, every sequence of prices",
        remainder="accuracy once the sum of alpha_k reaches the progress needed: topT-pl-rate",
    )


CAT_BITS = Theorem(
    id="cat-bits",
    title="Bits to accuracy of CAT",
    statement=(
        r"\mathrm{bits}(\varepsilon)\le\frac{\kappa\ln(\Delta_0/\varepsilon)}{E_{\min}}+C_{\rm last},\qquad "
        r"E_{\min}=\min_k\frac{\alpha_k}{C(T_k)}"
    ),
    source=source("5.3"),
    status="derived",
    kind="upper",
    subject=SUBJECT,
    assumptions=(L_SMOOTH, PL, EXACT_GRADIENT, PROJECTION, CAT_RULE),
    parameters=(SMOOTHNESS, CURVATURE, parameter("efficiency"), parameter("cost")),
    goal="objective_gap",
    measure=r"\text{bits to}\ F(x_K)-F^*\le\varepsilon",
    step_size=1 / L,
    bits=_progress / _E + _C,
    proof=_bits_certificate(_progress),
)

CAT_WORST_CASE = Theorem(
    id="cat-vs-fixed-worst-case",
    title="CAT's worst-case guarantee against every fixed T",
    statement=(
        r"\mathrm{bits}(\varepsilon)\le\kappa\ln\frac{\Delta_0}\varepsilon\cdot\min_T\frac{d\,C(T)}T+C_{\rm last}"
        r"=\kappa\ln\frac{\Delta_0}\varepsilon\,(c_0+c_1d)+C_{\rm last}\quad\text{(affine price)}"
    ),
    source=source("5.4"),
    status="derived",
    kind="upper",
    subject=SUBJECT,
    assumptions=(L_SMOOTH, PL, EXACT_GRADIENT, TOP_T, CAT_RULE),
    parameters=(SMOOTHNESS, CURVATURE, parameter("c0"), parameter("c1"), parameter("d")),
    goal="objective_gap",
    measure=r"\text{bits to}\ F(x_K)-F^*\le\varepsilon",
    step_size=1 / L,
    bits=_progress * (_c0 + _c1 * d) + (_c0 + _c1 * d),
    proof=Certificate(
        lines=(
            Sign("d C(T)/T is smallest at T = d", d * (_c0 + _c1 * T) / T - (_c0 + _c1 * d)),
            Sign(
                "price per unit of progress with T entries: C(T)/alpha(T) <= d C(T)/T, as alpha(T) >= T/d",
                d * (_c0 + _c1 * T) / T - (_c0 + _c1 * T) / alpha,
                where=(alpha >= T / d, alpha > 0),
            ),
            Identity("the formula", BITS - (_progress + 1) * (_c0 + _c1 * d)),
            _STEP,
        ),
        domain=(_c0 >= 0, _c1 > 0, T >= 1, d >= T),
        remainder="cat-bits with that efficiency; alpha(T) >= T/d from alpha-profile",
    ),
    tightness="in the worst case, flat gradients, sparsification saves nothing: only data can justify it",
)

_half = sympy.ceiling(_s / 2)

CAT_SPARSITY = Theorem(
    id="cat-bits-sparsity",
    title="Bits of CAT without the dimension",
    statement=(
        r"s(g_k)\le\bar s:\qquad \mathrm{bits}(\varepsilon)\le2\kappa\ln\frac{\Delta_0}\varepsilon\,"
        r"\big(c_0+c_1\lceil\bar s/2\rceil\big)+C_{\rm last}"
    ),
    source=source("5.5"),
    status="derived",
    kind="upper",
    subject=SUBJECT,
    assumptions=(L_SMOOTH, PL, EXACT_GRADIENT, TOP_T, CAT_RULE),
    parameters=(
        SMOOTHNESS,
        CURVATURE,
        parameter("c0"),
        parameter("c1"),
        parameter("effective_sparsity"),
        parameter("cost"),
    ),
    goal="objective_gap",
    measure=r"\text{bits to}\ F(x_K)-F^*\le\varepsilon",
    step_size=1 / L,
    bits=2 * _progress * (_c0 + _c1 * _half) + _C,
    proof=Certificate(
        lines=(
            Sign("alpha >= 1 - s/(4T) >= 1/2 for T >= s/2", 1 - _s / (4 * T) - sympy.S.Half, where=(_s <= 2 * T,)),
            Identity("the formula: cat-bits with E_min = 1/(2 C(T))", BITS - _C - 2 * _progress * (_c0 + _c1 * _half)),
            _STEP,
        ),
        domain=(_s >= 1, T >= 1),
        remainder="cat-bits and alpha-profile, item 5",
    ),
)

(_j,) = scalars("j")

CAT_SQ_BITS = Theorem(
    id="cat-sq-bits",
    title="Bits of CAT with S+Q",
    statement=(
        r"\max_T\frac{\beta(T)}{C(T)}\ge\frac1w,\quad w=\sum_{j=1}^d(\sigma_j-\sigma_{j-1})^2,\ \sigma_j=\sqrt{c_0j+c_1j^2};"
        r"\qquad \mathrm{bits}(\varepsilon)\le w\,\kappa\ln\frac{\Delta_0}\varepsilon+C_{\rm last},\quad "
        r"w\le c_1d+c_0\big(1+\tfrac14H_{d-1}\big)"
    ),
    source=source("5.6"),
    status="derived",
    kind="upper",
    subject=SUBJECT,
    assumptions=(L_SMOOTH, PL, EXACT_GRADIENT, SCALED_SIGN, CAT_RULE),
    parameters=(SMOOTHNESS, CURVATURE, parameter("c0"), parameter("c1"), parameter("d"), parameter("cost")),
    goal="objective_gap",
    measure=r"\text{bits to}\ F(x_K)-F^*\le\varepsilon",
    step_size=1 / L,
    bits=_progress * affine_increments(d, _c0, _c1) + _C,
    proof=Certificate(
        lines=(
            Sign(
                "squared slope of sigma at t: c1 + c0^2/(4t(c0 + c1 t)) <= c1 + c0/(4t)",
                _c1 + _c0 / (4 * _j) - (_c0 + 2 * _c1 * _j) ** 2 / (4 * (_c0 * _j + _c1 * _j**2)),
            ),
            Identity("the formula: cat-bits with E_min = 1/w", BITS - _C - _progress * affine_increments(d, _c0, _c1)),
            _STEP,
        ),
        domain=(_c0 >= 0, _c1 > 0, _j >= 1),
        remainder="cat-bits; Abel summation as in beta-adaptive",
    ),
    tightness="1/w is the exact worst case over gradients",
    checked_by=("tests/theory/test_profiles.py::test_best_efficiency_of_quantised_messages",),
)

CAT_SS_BITS = Theorem(
    id="cat-ss-bits",
    title="Expected bits of CAT with SS",
    statement=(
        r"E_k=\frac{\omega_k}{\mathbb E[C_k\mid x_k]}\ge E_{\min}:\qquad \mathbb E\Delta_N\le\varepsilon,\quad "
        r"\mathbb E[\mathrm{bits}]\le\frac{\kappa\ln(\Delta_0/\varepsilon)+1}{E_{\min}}"
    ),
    source=source("5.7"),
    status="derived",
    kind="upper",
    subject=SUBJECT,
    assumptions=(L_SMOOTH, PL, EXACT_GRADIENT, UNBIASED, CAT_RULE),
    parameters=(SMOOTHNESS, CURVATURE, parameter("efficiency")),
    goal="objective_gap",
    measure=r"\mathbb E\,\text{bits to}\ \mathbb E\,F(x_N)-F^*\le\varepsilon",
    bits=(_progress + 1) / _E,
    proof=Certificate(
        lines=(
            Identity(
                "expected bits (averages over steps before N)",
                (_P + 1) / _E - _total_bits,
                (
                    Term(
                        1 / _E,
                        Hypothesis(
                            "S_N <= progress + 1, because omega <= 1",
                            _P + 1 - _steps * mean(_Ek * _Ck, "k"),
                            "stopping rule",
                        ),
                    ),
                    Term(
                        _steps / _E,
                        Hypothesis("E_k >= E_min, times the price", (_Ek - _E) * _Ck, "definition of E_min"),
                        index="k",
                    ),
                ),
            ),
            Identity("the formula", BITS - (_progress + 1) / _E),
        ),
        domain=(_E > 0, _steps >= 1),
        means={_Ck: _total_bits / _steps},
        scope="every dimension, every run",
        remainder="the stopping rule of ss-pl-rate",
    ),
    checked_by=("tests/verification/test_experiment.py::test_stopping_rule_of_stochastic_sparsification",),
)

_loss = T * (_c0 + _c1) / (_c0 + _c1 * T)
_ratio = sympy.Symbol("varrho", real=True)

CAT_NOT_OPTIMAL = Theorem(
    id="cat-not-trajectory-optimal",
    title="Along a run CAT can lose against a fixed T",
    statement=(
        r"F=\tfrac L2\lVert x\rVert^2,\ g_{(j)}^2\propto\varrho^{j-1},\ \varrho<\frac{c_1}{c_0+c_1}:\qquad "
        r"\frac{\text{bits of CAT}}{\text{bits of fixed }T_\varepsilon}=\frac{T_\varepsilon(c_0+c_1)}{c_0+c_1T_\varepsilon}"
        r"\ \to\ 1+\frac{c_0}{c_1}"
    ),
    source=source("5.8"),
    status="derived",
    kind="lower",
    subject=SUBJECT,
    parameters=(parameter("c0"), parameter("c1"), parameter("T")),
    measure=r"\text{bits of CAT / bits of the best fixed }T",
    value=_loss,
    proof=Certificate(
        lines=(
            Sign(
                "CAT sends one entry: D(1) < 0",
                _c1 - _ratio * (_c0 + _c1),
                strict=True,
                where=(_ratio * (_c0 + _c1) < _c1,),
            ),
            Sign("the factor grows with T", sympy.diff(_loss, T)),
            Sign("and stays below 1 + c0/c1", 1 + _c0 / _c1 - VALUE),
        ),
        domain=(_c0 >= 0, _c1 > 0, T >= 1),
        scope="every dimension",
        remainder="the remainder of the gradient has the same shape, so CAT sends one entry each time: replayed exactly",
    ),
    tightness="c0 = 9, c1 = 1, T = 8: 80 against 17",
    pitfall="the honest claim: close to the best tuned fixed T without tuning, not better in general",
    checked_by=("tests/theory/test_counterexamples.py::test_cat_can_lose_to_a_fixed_T",),
)

_dense = parameter("dense_cost").symbol
_A, _norm, _peak = scalars("A_T norm peak")

GAIN_CEILING = Theorem(
    id="gain-ceiling",
    title="How many orders of magnitude are possible at all",
    statement=(
        r"\mathcal G=C_{\rm dense}\max_TE(T):\qquad \frac{C_{\rm dense}}{2(c_0+c_1\lceil s/2\rceil)}\le\mathcal G\le "
        r"C_{\rm dense}\min\Big\{\frac1{C(1)},\frac{\lVert g\rVert_\infty^2}{c_1\lVert g\rVert^2}\Big\}"
    ),
    source=source("5.9"),
    status="derived",
    kind="upper",
    subject=SUBJECT,
    parameters=(parameter("dense_cost"), parameter("c0"), parameter("c1")),
    measure=r"\text{gain in certified progress per unit of price over the full gradient}",
    value=_dense / (_c0 + _c1),
    proof=Certificate(
        lines=(
            Sign(
                "at most C_dense/C(1): alpha <= 1 and C(T) >= C(1)",
                VALUE - _dense * _A / (_norm * (_c0 + _c1 * T)),
                where=(_norm >= _A, T >= 1),
            ),
            Sign(
                "at most C_dense |g|_inf^2/(c1 |g|^2): A_T <= T |g|_inf^2",
                _dense * _peak / (_c1 * _norm) - _dense * _A / (_norm * (_c0 + _c1 * T)),
                where=(T * _peak >= _A, T >= 1, _peak > 0),
            ),
            Identity("attained by a gradient with one entry", VALUE * (_c0 + _c1) - _dense),
        ),
        domain=(_dense > 0, _c0 >= 0, _c1 > 0, _norm > 0, _A >= 0),
        scope="every dimension, every gradient",
        remainder="lower bound: cat-bits-sparsity",
    ),
    tightness="d = 47236, 32-bit floats, no overhead: 3.1e4",
)

THEOREMS = (
    CAT_GREEDY, CAT_ACTUAL, CAT_BITS, CAT_WORST_CASE, CAT_SPARSITY, CAT_SQ_BITS, CAT_SS_BITS, CAT_NOT_OPTIMAL,
    GAIN_CEILING,
)  # fmt: skip
