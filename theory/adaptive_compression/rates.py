"""Convergence of sparsified gradient descent (dossier 1.4–1.8)."""

from __future__ import annotations

import sympy

from ..assumptions import (
    BOUNDED_BELOW,
    BOUNDED_DISTANCE,
    CONVEX,
    EXACT_GRADIENT,
    L_SMOOTH,
    LIPSCHITZ_GRADIENT,
    PL,
    PROJECTION,
    STRONGLY_CONVEX,
    UNCOMPRESSED,
)
from ..certificate import Certificate, Change, Hypothesis, Identity, Sign, Square, Term
from ..gram import inner, mean, scalars, square, vectors
from ..hypotheses import efficiency, interpolation, pl, projection_type
from ..symbols import parameter
from ..theorem import BOUND, EPS, INITIAL, RATE, STEP_SIZE, K, Theorem
from .common import (
    AT,
    BEST,
    CURVATURE,
    CURVATURE_FACTS,
    NEXT,
    SMOOTHNESS,
    SUBJECT,
    F,
    F_inf,
    F_next,
    L,
    alpha,
    e,
    g,
    g_next,
    gap,
    gap_next,
    m,
    mu,
    q,
    source,
    unit_facts,
)

# proj-descent for the step of the theorem at hand.
_CERTIFIED = STEP_SIZE * (1 - L * STEP_SIZE / 2)
DESCENT = Hypothesis("proj-descent", F - F_next - alpha * _CERTIFIED * square(g), "L_smooth, projection")

PL_RATE = Theorem(
    id="topT-pl-rate",
    title="Linear rate under the PL inequality",
    statement=(
        r"\Delta_{k+1}\le\Big(1-\alpha_k\frac\mu L\Big)\Delta_k,\qquad "
        r"\Delta_K\le\Big(1-\frac{\bar\alpha_K}\kappa\Big)^K\Delta_0\le e^{-S_K/\kappa}\Delta_0,\quad S_K=\sum_{k<K}\alpha_k"
    ),
    source=source("1.4"),
    status="published",
    kind="upper",
    subject=SUBJECT,
    assumptions=(L_SMOOTH, PL, EXACT_GRADIENT, PROJECTION),
    parameters=(SMOOTHNESS, CURVATURE, parameter("alpha")),
    goal="objective_gap",
    measure=r"F(x_K)-F^*",
    step_size=1 / L,
    rate=1 - alpha * m,
    proof=Certificate(
        lines=(
            Identity(
                "one step",
                RATE * gap - gap_next,
                (Term(sympy.S.One, DESCENT), Term(alpha / (2 * L), pl(AT, mu))),
            ),
        ),
        domain=(*CURVATURE_FACTS, *unit_facts(alpha)),
        remainder="product over k; the arithmetic mean of alpha_k by AM-GM",
    ),
    tightness="exact if PL is used only at the current point; with PL at the next point too the worst case is smaller (see descent-plus)",
)

_r = sympy.Symbol("r", real=True)
_surd = sympy.sqrt(alpha**2 * (1 - m) ** 2 + 4 * (1 - alpha))
_r_formula = (alpha * (1 - m) + _surd) / 2
_D = _r * (1 + m) - (1 - m)

SC_EXACT = Theorem(
    id="topT-sc-exact",
    title="The exact one-step factor for strongly convex functions",
    statement=(
        r"\Delta^+\le r(\alpha,m)^2\,\Delta,\qquad "
        r"r(\alpha,m)=\tfrac12\Big(\alpha(1-m)+\sqrt{\alpha^2(1-m)^2+4(1-\alpha)}\Big),\quad m=\tfrac\mu L"
    ),
    source=source("1.5"),
    status="derived",
    kind="tight",
    subject=SUBJECT,
    assumptions=(STRONGLY_CONVEX, LIPSCHITZ_GRADIENT, EXACT_GRADIENT, PROJECTION),
    parameters=(SMOOTHNESS, CURVATURE, parameter("alpha")),
    goal="objective_gap",
    measure=r"F(x_K)-F^*",
    step_size=1 / L,
    rate=_r_formula**2,
    proof=Certificate(
        lines=(
            Identity(
                "mu < L",
                RATE * gap - gap_next,
                (
                    Term(_r, interpolation(AT, NEXT, L, mu)),
                    Term(_r * (1 - _r), interpolation(BEST, AT, L, mu)),
                    Term(1 - _r, interpolation(BEST, NEXT, L, mu)),
                    Term(_r * (1 - (1 - m) * _r) / (_D * L), efficiency(g, q, alpha)),
                    Term(_r * (1 + m - (1 - m) * _r) / (_D * L), projection_type(g, q)),
                ),
                (
                    Square(1 / (2 * L * (1 - m)), g_next - _r * g - (1 - _r) * L * e + q),
                    Square((1 - _r) * _D / (2 * L * (1 - m)), L * e - 2 * _r / _D * g + (1 - m) / _D * q),
                ),
            ),
            Identity(
                "mu = L: then g = L e and F is a multiple of |x - x*|^2; the factor is 1 - alpha",
                (1 - alpha) / (2 * L) * square(g) - square(g - q) / (2 * L),
                (
                    Term(1 / (2 * L), efficiency(g, q, alpha)),
                    Term(1 / L, projection_type(g, q)),
                ),
            ),
            Sign("never worse than topT-pl-rate", 1 - alpha * m - RATE),
        ),
        domain=(L > 0, mu > 0, mu < L, *unit_facts(alpha)),
        changes=(
            Change(
                old=alpha,
                new=_r,
                forward=(1 - _r**2) / (1 - (1 - m) * _r),
                inverse=_r_formula,
                root=2 * _r - (1 - _r**2) / (1 - (1 - m) * _r) * (1 - m),
                facts=(_r >= 1 - m, _r < 1),
            ),
        ),
        scope="every dimension, every 0 < alpha <= 1, 0 < mu <= L",
        remainder="that no smaller constant is valid: an explicit quadratic in the plane attains it",
    ),
    tightness="attained by a quadratic in the plane, and by genuine top-T for every alpha in [T/d, 1)",
    pitfall="no such statement holds for |x - x*|: the distance may grow under top-T",
)

_R = parameter("radius").symbol
_c = alpha / (2 * L * _R**2)

CONVEX_RATE = Theorem(
    id="topT-convex-rate",
    title="Sublinear rate for convex functions",
    statement=(
        r"\Delta_K\le\frac{2LR^2}{S_K+2LR^2/\Delta_0}\le\frac{2LR^2}{S_K+4},\qquad S_K=\sum_{k<K}\alpha_k,\quad "
        r"\lVert x_k-x^*\rVert\le R"
    ),
    source=source("1.6"),
    status="published",
    kind="upper",
    subject=SUBJECT,
    assumptions=(CONVEX, L_SMOOTH, BOUNDED_DISTANCE, EXACT_GRADIENT, PROJECTION),
    parameters=(SMOOTHNESS, parameter("radius"), parameter("alpha")),
    goal="objective_gap",
    measure=r"F(x_K)-F^*",
    step_size=1 / L,
    bound=2 * L * _R**2 / (alpha * K + 2 * L * _R**2 / INITIAL),
    iterations=2 * L * _R**2 / alpha * (1 / EPS - 1 / INITIAL),
    proof=Certificate(
        lines=(
            Identity(
                "the gradient is at least gap/R",
                square(g) - gap**2 / _R**2,
                (
                    Term(2 * gap / _R**2, Hypothesis("convexity at x", inner(g, e) - gap, "convex")),
                    Term(
                        gap**2 / _R**4,
                        Hypothesis("distance", _R**2 - square(e), "bounded_distance"),
                    ),
                ),
                (Square(sympy.S.One, g - gap / _R**2 * e),),
            ),
            Identity(
                "one step",
                gap - gap_next - _c * gap**2,
                (
                    Term(sympy.S.One, DESCENT),
                    Term(
                        alpha / (2 * L),
                        Hypothesis("line above", square(g) - gap**2 / _R**2, "convex, bounded_distance"),
                    ),
                ),
            ),
            Identity(
                "reciprocals grow by at least c",
                gap - gap_next - _c * gap * gap_next,
                (
                    Term(sympy.S.One, Hypothesis("line above", gap - gap_next - _c * gap**2, "convex")),
                    Term(_c * gap, Hypothesis("descent", gap - gap_next, "L_smooth")),
                ),
            ),
            Identity("the bound starts at the initial gap", BOUND(sympy.S.Zero) - INITIAL),
            Identity("the reciprocal of the bound grows by c", 1 / BOUND(K + 1) - 1 / BOUND(K) - _c),
        ),
        domain=(L > 0, _R > 0, gap >= 0, *unit_facts(alpha)),
    ),
    tightness="performance estimation / bound for alpha = 0.5: 0.709, 0.593, 0.533, 0.498 after 1 to 4 steps",
    pitfall="R is not |x_0 - x*|: under top-T the distance to the minimiser may grow",
)

# Sums over a run: Mean(k, .) is the average over k < K; consecutive values telescope.
_Fk, _Fk1, _alpha_k = scalars("F[k] F_next[k] alpha[k]")
_gk, _gk1, _g0, _gK = vectors("g[k] g_next[k] g_0 g_K")
_F0, _FK, _lowest, _alpha_bar = scalars("F_0 F_K lowest alpha_bar")
_alpha_min = parameter("alpha_min").symbol
_count = sympy.Symbol("K", real=True)
_mean_F = sympy.Symbol("mean_F", real=True)
TELESCOPE = {_Fk: _mean_F, _Fk1: _mean_F + (_FK - _F0) / _count, _alpha_k: _alpha_bar}
_DESCENT_K = Hypothesis(
    "proj-descent at step k", _Fk - _Fk1 - _alpha_k * _CERTIFIED * square(_gk), "L_smooth, projection"
)
_BELOW = Hypothesis("bounded below", _FK - F_inf, "bounded_below")
_RUN_FACTS = (L > 0, _count >= 1, _alpha_k > 0, _alpha_k <= 1)

NONCONVEX_RATE = Theorem(
    id="topT-nonconvex-rate",
    title="Smallest gradient of non-convex functions",
    statement=(
        r"\min_{k<K}\lVert g_k\rVert^2\le\frac{\sum\alpha_k\lVert g_k\rVert^2}{S_K}\le"
        r"\frac{2L(F_0-F_{\inf})}{S_K},\qquad \min_{k<K}\lVert g_k\rVert^2\le2L(F_0-F_{\inf})"
    ),
    source=source("1.7"),
    status="published",
    kind="upper",
    subject=SUBJECT,
    assumptions=(L_SMOOTH, BOUNDED_BELOW, EXACT_GRADIENT, PROJECTION),
    parameters=(SMOOTHNESS, parameter("alpha")),
    goal="squared_gradient",
    start="objective_gap",
    measure=r"\min_{k<K}\lVert\nabla F(x_k)\rVert^2\ \text{from}\ F(x_0)-F_{\inf}",
    step_size=1 / L,
    bound=2 * L * INITIAL / sympy.Max(1, alpha * K),
    iterations=2 * L * INITIAL / (alpha * EPS),
    proof=Certificate(
        lines=(
            Identity(
                "the run",
                (_F0 - F_inf) / _count - _alpha_bar / (2 * L) * _lowest,
                (
                    Term(sympy.S.One, _DESCENT_K, index="k"),
                    Term(
                        _alpha_k / (2 * L),
                        Hypothesis("the smallest squared gradient", square(_gk) - _lowest, "definition"),
                        index="k",
                    ),
                    Term(1 / _count, _BELOW),
                ),
            ),
            Identity(
                "the bound: alpha the mean of alpha_k",
                BOUND(_count) * sympy.Max(1, alpha * _count) - 2 * L * INITIAL,
            ),
        ),
        domain=_RUN_FACTS,
        means=TELESCOPE,
        scope="every dimension, every K, every sequence of alpha_k",
        remainder="the second bound: a gradient step with all entries cannot pass F_inf (proj-descent, alpha = 1)",
    ),
    tightness="performance estimation / bound for alpha = 0.7: 0.700, 0.775, 0.804 for K = 1, 2, 3",
)

GD_NONCONVEX = Theorem(
    id="gd-nonconvex-exact",
    title="Smallest gradient of gradient descent, exact",
    statement=r"T=d:\qquad \min_{k<K}\lVert g_k\rVert^2\le\frac{4L(F_0-F_{\inf})}{3K-1}",
    source=source("1.7", "Abbaszadehpeivasti, de Klerk, Zamani (2022)"),
    status="published",
    kind="tight",
    subject=SUBJECT,
    assumptions=(LIPSCHITZ_GRADIENT, BOUNDED_BELOW, EXACT_GRADIENT, UNCOMPRESSED),
    parameters=(SMOOTHNESS,),
    goal="squared_gradient",
    start="objective_gap",
    measure=r"\min_{k<K}\lVert\nabla F(x_k)\rVert^2\ \text{from}\ F(x_0)-F_{\inf}",
    step_size=1 / L,
    bound=4 * L * INITIAL / (3 * sympy.Max(1, K) - 1),
    iterations=(4 * L * INITIAL / EPS + 1) / 3,
    proof=Certificate(
        lines=(
            Identity(
                "the run",
                (_F0 - F_inf) / _count - (3 * _count - 1) / (4 * L * _count) * _lowest,
                (
                    Term(
                        sympy.S.One,
                        Hypothesis(
                            "descent-plus in general, q = g, at step k",
                            _Fk - _Fk1 - STEP_SIZE * square(_gk) / 2 - STEP_SIZE * square(_gk1) / 4,
                            "lipschitz_gradient",
                        ),
                        index="k",
                    ),
                    Term(1 / _count, _BELOW),
                    Term(1 / (4 * L * _count), Hypothesis("last gradient", square(_gK), "norms")),
                    Term(1 / (2 * L * _count), Hypothesis("first gradient", square(_g0) - _lowest, "definition")),
                    Term(
                        3 / (4 * L * _count),
                        Hypothesis(
                            "the other gradients",
                            _count * mean(square(_gk), "k") - square(_g0) - (_count - 1) * _lowest,
                            "definition",
                        ),
                    ),
                ),
            ),
            Identity("the bound", BOUND(_count) * (3 * sympy.Max(1, _count) - 1) - 4 * L * INITIAL),
        ),
        means=TELESCOPE | {square(_gk1): mean(square(_gk), "k") + (square(_gK) - square(_g0)) / _count},
        scope="every dimension, every K",
        domain=(L > 0, _count >= 1),
    ),
    tightness="equals the performance-estimation values 2, 0.8, 0.5 for K = 1, 2, 3",
)

MEAN_VALIDITY = Theorem(
    id="mean-validity",
    title="Which mean of the alpha_k is allowed",
    statement=(
        r"\frac1K\sum_{k<K}\lVert g_k\rVert^2\le\frac{2L(F_0-F_{\inf})}{K\,\min_k\alpha_k},\qquad"
        r"\text{and not with the arithmetic or harmonic mean of the }\alpha_k"
    ),
    source=source("1.8"),
    status="derived",
    kind="upper",
    subject=SUBJECT,
    assumptions=(L_SMOOTH, BOUNDED_BELOW, EXACT_GRADIENT, PROJECTION),
    parameters=(SMOOTHNESS, parameter("alpha_min")),
    goal="squared_gradient",
    start="objective_gap",
    measure=r"\tfrac1K\sum_{k<K}\lVert\nabla F(x_k)\rVert^2\ \text{from}\ F(x_0)-F_{\inf}",
    step_size=1 / L,
    bound=2 * L * INITIAL / (sympy.Max(1, K) * _alpha_min),
    iterations=2 * L * INITIAL / (EPS * _alpha_min),
    proof=Certificate(
        lines=(
            Identity(
                "the run, uniform average",
                (_F0 - F_inf) / _count - _alpha_min / (2 * L) * mean(square(_gk), "k"),
                (
                    Term(sympy.S.One, _DESCENT_K, index="k"),
                    Term(
                        (_alpha_k - _alpha_min) / (2 * L),
                        Hypothesis("squared gradients", square(_gk), "norms"),
                        index="k",
                    ),
                    Term(1 / _count, _BELOW),
                ),
            ),
            Identity("the bound", BOUND(_count) * sympy.Max(1, _count) * _alpha_min - 2 * L * INITIAL),
        ),
        domain=(*_RUN_FACTS, _alpha_min > 0, _alpha_min <= _alpha_k),
        means=TELESCOPE,
        scope="every dimension, every K, every sequence of alpha_k",
        remainder="that the other means fail: two exact runs of three coordinates",
    ),
    tightness="performance estimation / bound is 1 - (1 - alpha)^K for equal alpha_k",
    pitfall="F = |x|^2/2, x_0 = (1, 1), T = 1: the uniform average 1.5 exceeds 1.333, the claim with the arithmetic mean",
    checked_by=("tests/theory/test_counterexamples.py::test_mean_validity_counterexamples",),
)

THEOREMS = (PL_RATE, SC_EXACT, CONVEX_RATE, NONCONVEX_RATE, GD_NONCONVEX, MEAN_VALIDITY)
