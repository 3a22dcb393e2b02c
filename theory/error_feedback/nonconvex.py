"""Error feedback with non-uniform ratios on non-convex functions (dossier 3.3)."""

from __future__ import annotations

import sympy

from ..assumptions import (
    BOUNDED_BELOW,
    CONTRACTIVE,
    LIPSCHITZ_GRADIENT,
    UNCORRELATED_NOISE,
    WORKER_DISSIMILARITY,
    WORKER_NOISE,
)
from ..certificate import Certificate, Hypothesis, Identity, Sign, Square, Term
from ..gram import inner, mean, scalars, square, vectors
from ..hypotheses import Point, lipschitz
from ..symbols import parameter
from ..theorem import BOUND, EPS, INITIAL, RESIDUAL, K, Theorem
from .common import (
    NOISE,
    SMOOTHNESS,
    SUBJECT,
    A_b,
    D,
    E_i,
    E_next_i,
    L,
    a_i,
    e_mean,
    g_i,
    gamma,
    memory_step,
    noise_factor,
    positive_root,
    residual_factor,
    root_lines,
    sigma,
    source,
    step_up_to,
    tends_to_residual,
    weighted_cauchy_schwarz,
)

_x, _g, _h = vectors("x g h")
_F, _F_z, _F_z_next = scalars("F F_z F_z_next")
_v_i, _s_i, _V, _E_mean = scalars("v[i] s[i] V E_mean")
_X = Point("x", _x, _g, _F)
_Z = Point("z", _x - gamma * e_mean, _h, _F_z)

DESCENT = Identity(
    "descent along the virtual iterate z = x - gamma e",
    _F_z - gamma / 2 * (1 - L * gamma) * square(_g) - gamma / 2 * square(_h)
    + gamma**3 * L**2 / 2 * square(e_mean) + L * gamma**2 / 2 * sigma**2 - _F_z_next,
    (
        Term(
            sympy.S.One,
            Hypothesis(
                "smoothness from z to z - gamma (g + noise), in expectation",
                _F_z - gamma * inner(_h, _g) + L * gamma**2 / 2 * (square(_g) + sigma**2) - _F_z_next,
                "lipschitz_gradient, worker_noise, uncorrelated_noise",
            ),
        ),
        Term(gamma / 2, lipschitz(_X, _Z, L)),
    ),
)  # fmt: skip

_half = gamma**3 * L**2 / 2
_kappa_i = _half * _V / (_v_i * (1 - residual_factor(a_i)))  # weight of p_i E|e_i|^2 in the potential
LYAPUNOV = Identity(
    "one step of the potential F(z) + sum p_i kappa_i |e_i|^2, any v_i > 0 of mean V",
    _F_z + mean(_kappa_i * E_i) - _F_z_next - mean(_kappa_i * E_next_i)
    - gamma / 2 * (1 - L * gamma) * square(_g) + L * gamma**2 / 2 * sigma**2
    + _half * _V * mean((a_i**2 * square(g_i) + noise_factor(a_i) * _s_i**2) / _v_i),
    (
        Term(
            sympy.S.One,
            Hypothesis("descent along the virtual iterate", DESCENT.conclusion, "line above"),
        ),
        Term(_half, weighted_cauchy_schwarz(_V, mean(E_i / _v_i), square(e_mean))),
        Term(
            _kappa_i,
            Hypothesis(
                "ef-memory-step with the noise",
                memory_step(a_i, E_i, square(g_i), E_next_i).expression + residual_factor(a_i) ** 2 * _s_i**2,
                "contractive, worker_noise",
            ),
            index="i",
        ),
    ),
    (Square(gamma / 2, _h),),
)  # fmt: skip

# Averages over k < K: y = root mean square of |grad F(x_k)|, E_mean of the mean memory, u_i of the single ones.
_y, _u_i, _H_i, _zeta_i, _b_i, _r_i, _drift = scalars("y u[i] H[i] zeta[i] b[i] r[i] drift")
MEMORY = Identity(
    "the memory of the whole run: E <= D + A_b y",
    D + A_b * _y - _E_mean,
    (
        Term(sympy.S.One, Hypothesis("Minkowski over the workers", mean(_u_i) - _E_mean, "triangle inequality")),
        Term(
            sympy.S.One,
            Hypothesis("ef-memory-sum, rho = 1", a_i * _H_i + _r_i * _s_i - _u_i, "contractive, worker_noise"),
            index="i",
        ),
        Term(a_i, Hypothesis("dissimilarity", _zeta_i + _b_i * _y - _H_i, "worker_dissimilarity"), index="i"),
    ),
)
_MEANS = {a_i * _b_i: A_b, a_i * _zeta_i: _drift, _r_i * _s_i: D - _drift}
_start = 2 * INITIAL / (gamma * K)
_floor = gamma * L * sigma**2
AVERAGE = Identity(
    "(N): the average over k < K, divided by gamma/2",
    _start + _floor + gamma**2 * L**2 * (D + A_b * _y) ** 2 - (1 - L * gamma) * _y**2,
    (
        Term(
            2 / gamma,
            Hypothesis(
                "the descents add up",
                INITIAL / K - gamma / 2 * (1 - L * gamma) * _y**2 + _half * _E_mean**2 + gamma / 2 * _floor,
                "bounded_below",
            ),
        ),
        Term(
            gamma**2 * L**2 * (D + A_b * _y + _E_mean),
            Hypothesis("the memory of the whole run", D + A_b * _y - _E_mean, "line above"),
        ),
    ),
)

_A = 1 - L * gamma - gamma**2 * L**2 * A_b**2
_B = 2 * gamma**2 * L**2 * D * A_b
_C_limit = _floor + gamma**2 * L**2 * D**2
_C = _start + _C_limit
_FACTS = (
    L > 0, gamma > 0, gamma * L < 1, a_i >= 0, _v_i > 0, _V > 0, A_b >= 0, D >= 0, sigma >= 0, _y >= 0, _E_mean >= 0,
    K >= 1, INITIAL > 0,
)  # fmt: skip
_ASSUMPTIONS = (
    LIPSCHITZ_GRADIENT, BOUNDED_BELOW, CONTRACTIVE, WORKER_NOISE, UNCORRELATED_NOISE, WORKER_DISSIMILARITY,
)  # fmt: skip
_PARAMETERS = (SMOOTHNESS, parameter("memory_dissimilarity"), parameter("memory_residual"), NOISE)
_MEASURE = r"\tfrac1K\sum_{k<K}\mathbb E\lVert\nabla F(x_k)\rVert^2\ \text{from}\ F(x_0)-F^*"
_short = sympy.Min(1 / (4 * L), 1 / (2 * sympy.sqrt(2) * L * A_b))

NONCONVEX = Theorem(
    id="nuef-nonconvex",
    title="Error feedback with any ratios, non-convex, stochastic, gradients not bounded",
    statement=(
        r"A_b=\sum_ip_ib_ia(\delta_i),\ D=\sum_ip_i(a(\delta_i)\zeta_i+r(\delta_i)s_i),\ "
        r"\bar g^2=\frac1K\sum_{k<K}\mathbb E\lVert\nabla F(x_k)\rVert^2:\qquad "
        r"(1-L\gamma)\,\bar g^2\le\frac{2(F(x_0)-F^*)}{\gamma K}+\gamma L\sigma^2+\gamma^2L^2(D+A_b\,\bar g)^2"
    ),
    source=source("3.3"),
    status="derived",
    kind="upper",
    subject=SUBJECT,
    assumptions=_ASSUMPTIONS,
    parameters=(*_PARAMETERS, step_up_to(2 / (L * (1 + sympy.sqrt(1 + 4 * A_b**2))), upper_open=True)),
    defaults={"step_size": _short},
    goal="squared_gradient",
    start="objective_gap",
    measure=_MEASURE,
    step_size=gamma,
    bound=positive_root(_A, _B, _C) ** 2,
    iterations=2 * INITIAL / (gamma * (_A * EPS - _B * sympy.sqrt(EPS) - _C_limit)),
    residual=positive_root(_A, _B, _C_limit) ** 2,
    proof=Certificate(
        lines=(
            DESCENT,
            LYAPUNOV,
            MEMORY,
            AVERAGE,
            Identity("as a quadratic in y", AVERAGE.conclusion - (_B * _y + _C - _A * _y**2)),
            *root_lines(_A, _B, _C, _C_limit),
        ),
        domain=_FACTS,
        means=_MEANS,
        scope="every dimension, number of workers, weights, ratios and contractive compressors",
        remainder="sum over k < K; the steps with A > 0",
    ),
    tightness="performance estimation, bound / worst case: 16/3, 3.4, 2.6 for K = 1, 2, 4 without compression",
    pitfall="the bound is about x_k, not the virtual iterate; D uses r_i s_i, not a_i s_i; b_i may exceed 1",
)

_eps = parameter("target").symbol
_step = sympy.Min(
    1 / (4 * L), 1 / (2 * sympy.sqrt(2) * L * A_b), _eps**2 / (6 * L * sigma**2), _eps / (sympy.sqrt(12) * L * D)
)
_simple = 2 * _floor + 4 * gamma**2 * L**2 * D**2

NONCONVEX_COMPLEXITY = Theorem(
    id="nuef-nonconvex-complexity",
    title="Error feedback with any ratios, non-convex: iterations to a small gradient",
    statement=(
        r"\gamma\le\min\Big\{\frac1{4L},\frac1{2\sqrt2LA_b}\Big\}:\quad \bar g^2\le\frac{4\Delta_0}{\gamma K}+2\gamma L\sigma^2"
        r"+4\gamma^2L^2D^2;\qquad \gamma\le\min\Big\{\frac{\varepsilon^2}{6L\sigma^2},\frac\varepsilon{\sqrt{12}LD}\Big\},\ "
        r"K\ge\frac{12\Delta_0}{\gamma\varepsilon^2}:\quad \bar g\le\varepsilon,\qquad "
        r"K=O\Big(\frac{L\Delta_0(1+A_b)}{\varepsilon^2}+\frac{LD\Delta_0}{\varepsilon^3}+\frac{L\sigma^2\Delta_0}{\varepsilon^4}\Big)"
    ),
    source=source("3.3"),
    status="derived",
    kind="upper",
    subject=SUBJECT,
    assumptions=_ASSUMPTIONS,
    parameters=(*_PARAMETERS, parameter("target"), step_up_to(_step)),
    defaults={"step_size": _step},
    goal="squared_gradient",
    start="objective_gap",
    measure=_MEASURE,
    step_size=gamma,
    bound=4 * INITIAL / (gamma * K) + _simple,
    iterations=4 * INITIAL / (gamma * (EPS - _simple)),
    residual=_simple,
    proof=Certificate(
        lines=(
            Identity(
                "the simple form: (D + A_b y)^2 <= 2 D^2 + 2 A_b^2 y^2",
                BOUND(K) - _y**2,
                (
                    Term(sympy.Integer(2), Hypothesis("(N)", AVERAGE.conclusion, "nuef-nonconvex")),
                    Term(
                        _y**2 / 2,
                        Hypothesis("gamma <= 1/(4L)", 1 - 4 * L * gamma, "step size"),
                    ),
                    Term(
                        _y**2 / 2,
                        Hypothesis("8 gamma^2 L^2 A_b^2 <= 1", 1 - 8 * gamma**2 * L**2 * A_b**2, "step size"),
                    ),
                ),
                (Square(2 * gamma**2 * L**2, D - A_b * _y),),
            ),
            tends_to_residual(4 * INITIAL / (gamma * K)),
            Sign(
                "the residual takes two thirds of the target",
                sympy.Rational(2, 3) * _eps**2 - RESIDUAL,
                where=(6 * gamma * L * sigma**2 <= _eps**2, 12 * gamma**2 * L**2 * D**2 <= _eps**2),
            ),
            Sign(
                "and the start the last one",
                _eps**2 / 3 - 4 * INITIAL / (gamma * K),
                where=(gamma * K * _eps**2 >= 12 * INITIAL,),
            ),
        ),
        domain=(*_FACTS, _eps > 0),
        scope="every dimension, number of workers, weights, ratios and contractive compressors",
    ),
    tightness="stochastic runs: bound / measured at least 2.5",
    checked_by=("tests/theory/test_error_feedback.py::test_recommended_steps_reach_their_target",),
)

THEOREMS = (NONCONVEX, NONCONVEX_COMPLEXITY)
