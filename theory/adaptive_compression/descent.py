"""One step of sparsified gradient descent: descent lemmas, and what the kept energy guarantees (dossier 1.1–1.3, 1.9–1.11)."""

from __future__ import annotations

import sympy

from ..assumptions import (
    EXACT_GRADIENT,
    L_SMOOTH,
    LIPSCHITZ_GRADIENT,
    PL,
    PROJECTION,
    RESTRICTED_SMOOTHNESS,
    SEPARABLE_CURVATURE,
    STRONGLY_CONVEX,
    TOP_T,
    UNCOMPRESSED,
)
from ..certificate import Certificate, Hypothesis, Identity, Sign, Square, Term
from ..gram import mean, scalars, square
from ..hypotheses import (
    after,
    convex_interpolation,
    efficiency,
    pl,
    projection_type,
    smooth,
    smooth_interpolation,
    strongly_convex,
)
from ..symbols import COUNT, Range, parameter
from ..theorem import DECREASE, EPS, INITIAL, RATE, STEP_SIZE, VALUE, Theorem
from .common import (
    AT,
    BEST,
    CURVATURE,
    CURVATURE_FACTS,
    L_FACTS,
    NEXT,
    SMOOTHNESS,
    SUBJECT,
    F,
    F_next,
    L,
    T,
    alpha,
    d,
    e,
    g,
    g_next,
    gamma,
    gap,
    gap_next,
    m,
    mu,
    q,
    source,
    step_parameter,
    unit_facts,
)

SC_IMPLIES_PL = Theorem(
    id="sc-implies-pl",
    title="Strong convexity implies the PL inequality",
    statement=r"\lVert\nabla F(x)\rVert^2\ge2\mu\,(F(x)-F^*)",
    source=source("1.0", "Polyak (1963), Łojasiewicz (1963)"),
    status="published",
    kind="tight",
    subject=SUBJECT,
    assumptions=(STRONGLY_CONVEX,),
    parameters=(parameter("mu"),),
    measure=r"\lVert\nabla F(x)\rVert^2/(F(x)-F^*)",
    value=2 * mu,
    proof=Certificate(
        lines=(
            Identity(
                "strong convexity at x, seen from x*",
                square(g) / VALUE - gap,
                (Term(sympy.S.One, strongly_convex(AT, BEST, mu)),),
                (Square(1 / (2 * mu), g - mu * e),),
            ),
        ),
        domain=(mu > 0,),
    ),
    tightness="equality on F = mu/2 |x|^2",
)

_step = after(gamma * q)

PROJ_DESCENT = Theorem(
    id="proj-descent",
    title="Descent lemma for projection-type compressors",
    statement=(
        r"x^+=x-\gamma q:\quad F(x^+)\le F(x)-\gamma\big(1-\tfrac{L\gamma}2\big)\lVert q\rVert^2,\qquad "
        r"\gamma=\tfrac1L:\ F(x^+)\le F(x)-\frac{\alpha}{2L}\lVert g\rVert^2"
    ),
    source=source("1.1"),
    status="published",
    kind="tight",
    subject=SUBJECT,
    assumptions=(L_SMOOTH, EXACT_GRADIENT, PROJECTION),
    parameters=(SMOOTHNESS, parameter("alpha"), step_parameter(2 / L, upper_open=True)),
    defaults={"step_size": 1 / L},
    measure=r"(F(x)-F(x^+))\,2L/\lVert g\rVert^2",
    step_size=gamma,
    decrease=alpha * L * gamma * (2 - L * gamma),
    proof=Certificate(
        lines=(
            Identity(
                "one step",
                F - F_next - DECREASE * square(g) / (2 * L),
                (
                    Term(sympy.S.One, smooth(AT, _step, L)),
                    Term(gamma, projection_type(g, q)),
                    Term(gamma * (1 - L * gamma / 2), efficiency(g, q, alpha)),
                ),
            ),
        ),
        domain=(*L_FACTS, gamma > 0, gamma < 2 / L, *unit_facts(alpha)),
    ),
    tightness="equality on F = L/2 |x|^2 for every T at once, hence 1/L is the best step",
)

_residual = g_next - (g - q)
_full = after(STEP_SIZE * g)
_smooth_only = Hypothesis(
    "descent-plus without convexity, q = g",
    F - F_next - square(g) / (2 * L) - square(g_next) / (4 * L),
    "lipschitz_gradient",
)

DESCENT_PLUS = Theorem(
    id="descent-plus",
    title="The two sharper descent lemmas, and the exact PL factor of gradient descent",
    statement=(
        r"\begin{aligned}&\text{convex:}&&F(x)-F(x^+)\ge\tfrac1{2L}\big(\lVert q\rVert^2+\lVert g^+-h\rVert^2\big)\\"
        r"&\text{in general:}&&F(x)-F(x^+)\ge\tfrac1{2L}\lVert q\rVert^2+\tfrac1{4L}\lVert g^+-h\rVert^2\\"
        r"&\text{PL, }q=g:&&\Delta^+\le\tfrac{2-2m}{2+m}\,\Delta\end{aligned}\qquad h=g-q,\ m=\mu/L"
    ),
    source=source("1.2", "factor for q = g: Abbaszadehpeivasti, de Klerk, Zamani (2023)"),
    status="derived",
    kind="tight",
    subject=SUBJECT,
    assumptions=(LIPSCHITZ_GRADIENT, PL, EXACT_GRADIENT, UNCOMPRESSED),
    parameters=(SMOOTHNESS, CURVATURE),
    goal="objective_gap",
    measure=r"F(x)-F^*",
    step_size=1 / L,
    rate=(2 - 2 * m) / (2 + m),
    proof=Certificate(
        lines=(
            Identity(
                "convex",
                F - F_next - (square(q) + square(_residual)) / (2 * L),
                (Term(sympy.S.One, convex_interpolation(AT, NEXT, L)), Term(1 / L, projection_type(g, q))),
            ),
            Identity(
                "in general",
                F - F_next - square(q) / (2 * L) - square(_residual) / (4 * L),
                (Term(sympy.S.One, smooth_interpolation(AT, NEXT, L)), Term(1 / L, projection_type(g, q))),
            ),
            Identity(
                "in general, q = g",
                _smooth_only.expression,
                (Term(sympy.S.One, smooth_interpolation(AT, _full, L)),),
            ),
            Identity(
                "PL at both points",
                (1 + m / 2) * (RATE * gap - gap_next),
                (
                    Term(sympy.S.One, _smooth_only),
                    Term(1 / (2 * L), pl(AT, mu)),
                    Term(1 / (4 * L), pl(NEXT, mu)),
                ),
            ),
        ),
        domain=CURVATURE_FACTS,
    ),
    tightness="the PL factor equals the performance-estimation value",
)

_s = parameter("effective_sparsity").symbol

ALPHA_PROFILE = Theorem(
    id="alpha-profile",
    title="How much energy the T largest entries keep",
    statement=(
        r"\alpha(T)=\frac{\lVert g_T\rVert^2}{\lVert g\rVert^2}\ \text{is nondecreasing with nonincreasing increments},"
        r"\qquad \alpha(T)\ge\max\Big\{\frac Td,\ 1-\frac{s(g)}{4T}\Big\},\qquad s(g)=\frac{\lVert g\rVert_1^2}{\lVert g\rVert^2}"
    ),
    source=source("1.3"),
    status="derived",
    kind="tight",
    subject=SUBJECT,
    parameters=(
        parameter("d"),
        parameter("T", Range(1, d, integer=True)),
        parameter("effective_sparsity", Range(1, d)),
    ),
    measure=r"\alpha(T)",
    decrease=sympy.Max(T / d, 1 - _s / (4 * T)),
    no_certificate="a statement about sorted vectors of every length, checked by property tests and exhaustively in small dimension",
    tightness="T/d on flat vectors; 1 - s/(4T) on 2T equal entries",
    checked_by=("tests/theory/test_profiles.py::test_alpha_profile",),
)

_cycles = sympy.floor(sympy.log(INITIAL / EPS) / (-2 * sympy.log(1 - m)))

WORST_CASE_LOWER = Theorem(
    id="topT-worst-case-lower",
    title="The factor d/T is real, up to two",
    statement=(
        r"F=\tfrac\mu2\lVert x\rVert^2+\tfrac L2y^2,\ x_0=\mathbf 1,\ y_0=0:\qquad "
        r"K(\varepsilon)=\Big\lceil\frac dT\Big(c+\frac{1-\frac\varepsilon{\Delta_0}(1-m)^{-2c}}{1-(1-m)^2}\Big)\Big\rceil,\qquad "
        r"c=\Big\lfloor\frac{\ln(\Delta_0/\varepsilon)}{-2\ln(1-m)}\Big\rfloor\ \text{whole cycles}"
    ),
    source=source("1.9"),
    status="derived",
    kind="lower",
    subject=SUBJECT,
    assumptions=(STRONGLY_CONVEX, LIPSCHITZ_GRADIENT, EXACT_GRADIENT, TOP_T),
    parameters=(
        SMOOTHNESS,
        parameter("mu", Range(0, L, lower_open=True, upper_open=True)),
        parameter("d"),
        parameter("T", Range(1, d, integer=True)),
    ),
    goal="objective_gap",
    measure=r"F(x_K)-F^*",
    step_size=1 / L,
    iterations=d / T * (_cycles + (1 - EPS / INITIAL * (1 - m) ** (-2 * _cycles)) / (1 - (1 - m) ** 2)),
    no_certificate="an explicit instance, replayed exactly in rational arithmetic",
    tightness="attained; about half of the upper bound of topT-pl-rate for large condition numbers",
    checked_by=("tests/theory/test_counterexamples.py::test_worst_case_lower_is_attained",),
)

_d_eff = parameter("effective_dimension").symbol
_aj, _wj, _gj, _ej, _muj, _mj, _pj = scalars("a[j] w[j] g[j] e[j] mu[j] m[j] p[j]")
_t, _M, _W, _N = scalars("t M W N")

DIAGONAL_SC = Theorem(
    id="topT-diagonal-sc",
    title="Effective dimension: an a-priori rate better than T/d",
    statement=(
        r"\Delta_{k+1}\le\Big(1-\frac{\mu_{(T)}}L\Big)\Delta_k,\qquad "
        r"\mu_{(T)}=\mu\,\min\Big\{1,\frac T{d_{\rm eff}}\Big\},\quad d_{\rm eff}=\sum_j\frac{\min_i\mu_i}{\mu_j},\quad\mu=\min_j\mu_j"
    ),
    source=source("1.10", "T = 1: Nutini et al. (2015)"),
    status="derived",
    kind="upper",
    subject=SUBJECT,
    assumptions=(L_SMOOTH, SEPARABLE_CURVATURE, EXACT_GRADIENT, TOP_T),
    parameters=(SMOOTHNESS, CURVATURE, parameter("T", COUNT), parameter("effective_dimension")),
    goal="objective_gap",
    measure=r"F(x)-F^*",
    step_size=1 / L,
    rate=1 - m * sympy.Min(1, T / _d_eff),
    proof=Certificate(
        lines=(
            Identity(
                "the gap is at most half of sum_j g_j^2/mu_j (per coordinate: mean over j, times d)",
                mean(_gj**2 / (2 * _muj), "j") - gap / d,
                (
                    Term(
                        1 / d,
                        Hypothesis(
                            "separable curvature at x, seen from x*",
                            -gap + d * mean(_gj * _ej - _muj * _ej**2 / 2, "j"),
                            "separable_curvature",
                        ),
                    ),
                ),
                (Square(1 / (2 * _muj), _gj - _muj * _ej, index="j"),),
            ),
            Identity(
                "dual norm: sum_j a_j w_j <= M N, a_j = m_j + p_j split at t = a_(T), N = T t + sum_j p_j",
                (_M * _N - d * mean((_mj + _pj) * _wj, "j")) / d,
                (
                    Term(_pj, Hypothesis("M >= w_j", _M - _wj, "definition of M"), index="j"),
                    Term(_wj, Hypothesis("m_j = min(a_j, t) <= t", _t - _mj, "definition of m_j"), index="j"),
                    Term(_t / d, Hypothesis("T M >= sum_j w_j", T * _M - d * mean(_wj, "j"), "definition of M")),
                    Term(
                        _M / d,
                        Hypothesis(
                            "N is the sum of the T largest", _N - T * _t - d * mean(_pj, "j"), "definition", True
                        ),
                    ),
                ),
            ),
            Identity(
                "rate: with N = |g_T|^2 and M = 1/mu_(T)",
                RATE * gap - gap_next,
                (
                    Term(
                        sympy.S.One,
                        Hypothesis(
                            "proj-descent", F - F_next - STEP_SIZE * (1 - L * STEP_SIZE / 2) * _N, "L_smooth, top_T"
                        ),
                    ),
                    Term(
                        1 / (2 * L),
                        Hypothesis(
                            "the two lines above: |g_T|^2 >= 2 mu_(T) gap",
                            _N - 2 * mu * sympy.Min(1, T / _d_eff) * gap,
                            "separable_curvature",
                        ),
                    ),
                ),
            ),
        ),
        domain=(*CURVATURE_FACTS, d >= 1, T >= 1, _t >= 0, _M > 0, _wj > 0, _pj >= 0, _muj > 0),
        scope="every dimension (averages over coordinates), every T",
    ),
    tightness="the norm inequality behind it is attained",
)

_L_T = parameter("L_restricted").symbol

RESTRICTED = Theorem(
    id="restricted-smoothness",
    title="Sparse steps may use the smoothness of sparse directions",
    statement=(r"\gamma=\tfrac1{L_T}:\quad F(x^+)\le F(x)-\frac{\alpha(T)}{2L_T}\lVert g\rVert^2"),
    source=source("1.11"),
    status="derived",
    kind="tight",
    subject=SUBJECT,
    assumptions=(RESTRICTED_SMOOTHNESS, TOP_T, EXACT_GRADIENT),
    parameters=(SMOOTHNESS, parameter("L_restricted", Range(0, L, lower_open=True)), parameter("alpha")),
    measure=r"(F(x)-F(x^+))\,2L/\lVert g\rVert^2",
    step_size=1 / _L_T,
    decrease=alpha * L / _L_T,
    proof=Certificate(
        lines=(
            Identity(
                "one step",
                F - F_next - DECREASE * square(g) / (2 * L),
                (
                    Term(sympy.S.One, smooth(AT, after(STEP_SIZE * q), _L_T)),
                    Term(1 / _L_T, projection_type(g, q)),
                    Term(1 / (2 * _L_T), efficiency(g, q, alpha)),
                ),
            ),
            Sign("never worse than proj-descent", DECREASE - alpha),
        ),
        domain=(*L_FACTS, _L_T > 0, _L_T <= L, *unit_facts(alpha)),
    ),
    tightness="equality on F = L_T/2 |x|^2",
    pitfall="alpha(T)/(L_T C(T)) is no longer unimodal in T: scan",
)

THEOREMS = (
    SC_IMPLIES_PL, PROJ_DESCENT, DESCENT_PLUS, ALPHA_PROFILE, WORST_CASE_LOWER, DIAGONAL_SC, RESTRICTED,
)  # fmt: skip
