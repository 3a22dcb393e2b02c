"""Several workers that compress on their own (dossier 5.10–5.12)."""

from __future__ import annotations

import sympy

from ..assumptions import (
    DISSIMILARITY,
    EACH_CONVEX,
    EXACT_GRADIENT,
    INDEPENDENT_WORKERS,
    L_SMOOTH,
    PL,
    PROJECTION,
    STRONGLY_CONVEX,
    UNBIASED,
)
from ..certificate import Certificate, Hypothesis, Identity, Sign, Square, Term
from ..gram import inner, mean, scalars, square, vectors
from ..hypotheses import after, pl, projection_type, smooth, strongly_convex
from ..symbols import POSITIVE, Range, parameter
from ..theorem import RATE, RESIDUAL, STEP_SIZE, VALUE, Theorem
from .common import (
    AT,
    BEST,
    CURVATURE,
    CURVATURE_FACTS,
    L_FACTS,
    SMOOTHNESS,
    SUBJECT,
    F,
    F_next,
    L,
    e,
    g,
    gamma,
    gap,
    gap_next,
    m,
    mu,
    source,
    step_parameter,
)

# Mean(i, .) is the weighted sum over workers, sum_i p_i (.) with sum_i p_i = 1, for every n.
_gi, _qi, _hi = vectors("g[i] q[i] h[i]")
(_sent,) = vectors("q_mean")
_STEP = after(STEP_SIZE * _sent)

MN_DESCENT = Theorem(
    id="mn-descent",
    title="Descent with several workers, each with its own compressor",
    statement=(
        r"F(x^+)\le F(x)-\frac1{2L}\Big[\sum_ip_i\lVert q_i\rVert^2-H(x)\Big]"
        r"=F(x)-\frac1{2L}\Big[\lVert g\rVert^2-\sum_ip_i(1-\alpha_i)\lVert g_i\rVert^2\Big],\qquad "
        r"H(x)=\sum_ip_i\lVert g_i-g\rVert^2"
    ),
    source=source("5.10"),
    status="derived",
    kind="tight",
    subject=SUBJECT,
    assumptions=(L_SMOOTH, EXACT_GRADIENT, PROJECTION),
    parameters=(SMOOTHNESS,),
    measure=r"F(x)-F(x^+)",
    step_size=1 / L,
    proof=Certificate(
        lines=(
            Identity(
                "one step",
                F - F_next - (mean(square(_qi)) - mean(square(_gi - g))) / (2 * L),
                (
                    Term(sympy.S.One, smooth(AT, _STEP, L)),
                    Term(1 / L, projection_type(_gi, _qi), index="i"),
                ),
                (Square(1 / (2 * L), (_gi - _qi) - (g - _sent), index="i"),),
            ),
            Identity(
                "the second form",
                mean(square(_qi)) - mean(square(_gi - g)) - square(g) + mean(square(_gi) - square(_qi)),
            ),
        ),
        domain=L_FACTS,
        means={_gi: g, _qi: _sent},
        scope="every dimension, every number of workers and weights",
    ),
    tightness="attained (performance estimation with two workers)",
    pitfall="descent needs sum p_i |q_i|^2 > H(x), which fails near a minimiser of heterogeneous data",
)

MN_DIVERGENCE = Theorem(
    id="mn-divergence",
    title="Local CAT can diverge with every step size",
    statement=(
        r"n=d=3,\ f_i=\langle v_i,x\rangle^2+\tfrac14\lVert x\rVert^2,\ v_1=(-3,2,2),\,v_2=(2,-3,2),\,v_3=(2,2,-3),"
        r"\ x_0=t\mathbf1,\ 81c_0<40c_1:\qquad x_{k+1}=\big(1+\tfrac{11}6\gamma\big)x_k"
    ),
    source=source("5.11", "Beznosikov, Horváth, Richtárik, Safaryan (2020), with CAT's choice of T"),
    status="derived",
    kind="lower",
    subject=SUBJECT,
    parameters=(parameter("step_size", POSITIVE),),
    goal="distance",
    measure=r"\lVert x_K\rVert",
    step_size=gamma,
    rate=1 + sympy.Rational(11, 6) * gamma,
    proof=Certificate(
        lines=(
            Identity(
                "the mean of the largest entries -11/2, -11/2, -11/2 of the three gradients at (1, 1, 1)",
                RATE - (1 - STEP_SIZE * sympy.Rational(1, 3) * (2 * (-3) * 1 + sympy.Rational(1, 2))),
            ),
            Sign("divergence", RATE - 1, strict=True),
        ),
        domain=(gamma > 0,),
        scope="the instance; replayed in rational arithmetic",
    ),
    tightness="an equality, for every step size",
    checked_by=("tests/theory/test_counterexamples.py::test_local_tuning_diverges",),
)

_a0, _G, _B = (parameter(name).symbol for name in ("alpha_min", "dissimilarity", "heterogeneity"))
_w = 1 - (1 - _a0) * _G

MN_NEIGHBOURHOOD = Theorem(
    id="mn-neighbourhood",
    title="With dissimilar workers, convergence to a neighbourhood",
    statement=(
        r"w=1-(1-\alpha_0)G>0:\qquad \Delta_{k+1}\le\Big(1-\frac w\kappa\Big)\Delta_k+\frac{(1-\alpha_0)B^2}{2L},\qquad "
        r"\limsup\Delta_k\le\frac{(1-\alpha_0)B^2}{2\mu w}"
    ),
    source=source("5.11"),
    status="derived",
    kind="upper",
    subject=SUBJECT,
    assumptions=(L_SMOOTH, PL, DISSIMILARITY, EXACT_GRADIENT, PROJECTION),
    parameters=(
        SMOOTHNESS,
        CURVATURE,
        parameter("alpha_min"),
        parameter("dissimilarity", Range(1, 1 / (1 - _a0), upper_open=True)),
        parameter("heterogeneity"),
    ),
    goal="objective_gap",
    measure=r"F(x_K)-F^*",
    step_size=1 / L,
    rate=1 - _w * m,
    residual=(1 - _a0) * _B**2 / (2 * mu * _w),
    proof=Certificate(
        lines=(
            Identity(
                "one step; the residual is the fixed point",
                RATE * gap + (1 - RATE) * RESIDUAL - gap_next,
                (
                    Term(
                        sympy.S.One,
                        Hypothesis(
                            "mn-descent, second form",
                            F - F_next - STEP_SIZE / 2 * (square(g) - mean(square(_gi) - square(_qi))),
                            "L_smooth, projection",
                        ),
                    ),
                    Term(
                        1 / (2 * L),
                        Hypothesis(
                            "every worker keeps at least alpha_0",
                            square(_qi) - _a0 * square(_gi),
                            "projection",
                        ),
                        index="i",
                    ),
                    Term(
                        (1 - _a0) / (2 * L),
                        Hypothesis("dissimilarity", _G * square(g) + _B**2 - mean(square(_gi)), "dissimilarity"),
                    ),
                    Term(_w / (2 * L), pl(AT, mu)),
                ),
            ),
        ),
        domain=(*CURVATURE_FACTS, _a0 > 0, _a0 <= 1, _G >= 1, _w > 0, _B >= 0),
        means={_gi: g, _qi: _sent},
        scope="every dimension, every number of workers and weights",
    ),
    tightness="homogeneous data (G = 1, B = 0) give topT-pl-rate",
)

_M, _N = (parameter(name).symbol for name in ("noise_smoothness", "noise_at_optimum"))
_pi, _nui, _Li, _fi, _fsi = scalars("p[i] nu[i] L[i] f[i] f_star[i]")
_second_moment, _variance = scalars("second_moment variance")

MN_SS = Theorem(
    id="mn-ss",
    title="Independent unbiased compressors at several workers",
    statement=(
        r"\gamma\le\frac1{L+2M}:\quad \mathbb E\lVert x_{k+1}-x^*\rVert^2\le(1-\gamma\mu)\,\mathbb E\lVert x_k-x^*\rVert^2"
        r"+2\gamma^2N_*,\qquad M=\max_ip_i\nu_iL_i,\quad N_*=\sum_ip_i^2\nu_i\lVert\nabla f_i(x^*)\rVert^2"
    ),
    source=source("5.11"),
    status="derived",
    kind="upper",
    subject=SUBJECT,
    assumptions=(EACH_CONVEX, STRONGLY_CONVEX, L_SMOOTH, EXACT_GRADIENT, UNBIASED, INDEPENDENT_WORKERS),
    parameters=(
        SMOOTHNESS,
        CURVATURE,
        parameter("noise_smoothness"),
        parameter("noise_at_optimum"),
        step_parameter(1 / (L + 2 * _M)),
    ),
    defaults={"step_size": 1 / (L + 2 * _M)},
    goal="squared_distance",
    measure=r"\mathbb E\lVert x_K-x^*\rVert^2",
    step_size=gamma,
    rate=1 - gamma * mu,
    residual=2 * gamma * _N / mu,
    proof=Certificate(
        lines=(
            Identity(
                "one step; the residual is the fixed point",
                RATE * square(e) + (1 - RATE) * RESIDUAL - _second_moment,
                (
                    Term(
                        sympy.S.One,
                        Hypothesis(
                            "second moment of the next distance, Q_i independent with means g_i",
                            square(e) - 2 * gamma * inner(g, e) + gamma**2 * (square(g) + _variance) - _second_moment,
                            "unbiased, independent_workers",
                        ),
                    ),
                    Term(
                        gamma**2,
                        Hypothesis(
                            "variances add: sum p_i^2 nu_i |g_i|^2",
                            mean(_pi * _nui * square(_gi)) - _variance,
                            "unbiased, independent_workers",
                        ),
                    ),
                    Term(2 * gamma, strongly_convex(AT, BEST, mu)),
                    Term(gamma**2, Hypothesis("co-coercivity of F", 2 * L * gap - square(g), "convex, L_smooth")),
                    Term(
                        2 * gamma**2 * _pi * _nui * _Li,
                        Hypothesis(
                            "co-coercivity of f_i at x and x*",
                            2 * (_fi - _fsi - inner(_hi, e)) - square(_gi - _hi) / _Li,
                            "each_convex",
                        ),
                        index="i",
                    ),
                    Term(
                        4 * gamma**2 * (_M - _pi * _nui * _Li),
                        Hypothesis("convexity of f_i at x*", _fi - _fsi - inner(_hi, e), "each_convex"),
                        index="i",
                    ),
                    Term(
                        2 * gamma * (1 - gamma * (L + 2 * _M)),
                        Hypothesis("x* is a minimiser", gap, "bounded_below"),
                    ),
                ),
                (Square(gamma**2 * _pi * _nui, _gi - 2 * _hi, index="i"),),
            ),
        ),
        domain=(
            *CURVATURE_FACTS,
            gamma > 0,
            gamma * (L + 2 * _M) <= 1,
            _M >= 0,
            _N >= 0,
            _pi > 0,
            _nui >= 0,
            _Li > 0,
            _pi * _nui * _Li <= _M,
        ),  # fmt: skip
        means={
            _gi: g,
            _hi: sympy.S.Zero,
            _fi: F,
            _fsi: F - gap,
            _pi * _nui * square(_hi): _N,
        },  # fmt: skip
        scope="every dimension, every number of workers and weights",
    ),
    tightness="shifting by the optimal gradients removes N_*",
    pitfall="independence between the workers is needed: shared coins add their errors",
)

_ri, _Ci, _best, _worst = scalars("r[i] C[i] r_max r_min")

MN_PRICE = Theorem(
    id="mn-price",
    title="One broadcast price coordinates the workers",
    statement=(
        r"\max_{T_1,\dots,T_n}\frac{\sum_ip_iA_i(T_i)}{\sum_iC_i(T_i)}\ \text{is solved by}\ "
        r"T_i=\operatorname*{argmax}_T p_iA_i(T)-E\,C_i(T)\ \text{and Newton on }E;\qquad "
        r"\text{local CAT achieves at least}\ \frac{\min_ir_i}{\max_ir_i}\ \text{of it},\quad "
        r"r_i=\max_T\frac{p_iA_i(T)}{C_i(T)}"
    ),
    source=source("5.12", "Dinkelbach (1967) for the parametric argument"),
    status="derived",
    kind="lower",
    subject=SUBJECT,
    parameters=(
        parameter("smallest_efficiency", Range(0, parameter("largest_efficiency").symbol, lower_open=True)),
        parameter("largest_efficiency"),
    ),
    measure=r"\text{joint efficiency of local CAT, relative to the optimum}",
    value=parameter("smallest_efficiency").symbol / parameter("largest_efficiency").symbol,
    proof=Certificate(
        lines=(
            Identity(
                "local CAT: sum of progress >= r_min * sum of prices (averages over the workers)",
                mean(_ri * _Ci) - _worst * mean(_Ci),
                (Term(_Ci, Hypothesis("r_i >= r_min", _ri - _worst, "definition"), index="i"),),
            ),
            Identity(
                "any choice: sum of progress <= r_max * sum of prices",
                _best * mean(_Ci) - mean(_ri * _Ci),
                (Term(_Ci, Hypothesis("r_i <= r_max", _best - _ri, "definition"), index="i"),),
            ),
            Identity(
                "the ratio",
                VALUE * parameter("largest_efficiency").symbol - parameter("smallest_efficiency").symbol,
            ),
        ),
        domain=(_Ci > 0,),
        scope="every number of workers",
        remainder="Newton's method on the price: monotone and finite",
    ),
    checked_by=("tests/solvers/test_coordination.py::test_coordinated_price_equals_brute_force",),
)

THEOREMS = (MN_DESCENT, MN_DIVERGENCE, MN_NEIGHBOURHOOD, MN_SS, MN_PRICE)
