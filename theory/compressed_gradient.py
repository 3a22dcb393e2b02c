"""Distributed gradient descent with compressed messages and no delay, D-CGD (dossier 3.2–3.8)."""

from __future__ import annotations

import sympy

from .assumptions import (
    BOUNDED_BELOW,
    EACH_CONVEX,
    EACH_LIPSCHITZ,
    EACH_STRONGLY_CONVEX,
    FRESH,
    INDEPENDENT_WORKERS,
    NOISE,
    RELATIVE_NOISE,
    STRONGLY_CONVEX,
    SUPPORT_PRESERVING,
    UNBIASED,
)
from .certificate import Certificate, Hypothesis, Identity, Sign, Square, Term
from .gram import inner, mean, scalars, square, vectors
from .staleness.common import source, tends_to_residual
from .symbols import NONNEGATIVE, Parameter, Range, parameter
from .theorem import BOUND, EPS, INITIAL, RATE, RESIDUAL, STEP_SIZE, VALUE, K, Theorem

SUBJECT = "compressed-gradient"

gamma, mu, L, omega, theta = (parameter(name).symbol for name in ("step_size", "mu", "L", "variance", "young"))
B_0, N_0 = (parameter(name).symbol for name in ("noise_slope", "noise_floor"))
Lambda, sigma, E_star = (parameter(name).symbol for name in ("Lambda", "sparsity_sigma", "optimum_gradients"))

r, grad, h_i, w_i, u_i, U = vectors("r grad h[i] w[i] u[i] U")
p_i, L_i, r_next, noise = scalars("p[i] L[i] r_next noise")

# One step: E|r+|^2 = |r|^2 - 2 gamma <grad F, r> + gamma^2 (|grad F|^2 + E|xi|^2).
STEP = Hypothesis(
    "one step, fresh noise of mean zero",
    square(r) - 2 * gamma * inner(grad, r) + gamma**2 * (square(grad) + noise) - r_next,
    "fresh",
)
_gap, _D = scalars("gap D")
THREE_POINT = Hypothesis("three-point identity at y = x", inner(grad, r) - _gap - _D, "each_convex", equality=True)
COERCIVE = Hypothesis("co-coercivity", 2 * L * _D - square(grad), "each_convex")
NOISE_BOUND = Hypothesis("noise", 2 * B_0 * _D + N_0 - noise, "noise")
MONOTONE = Hypothesis("strong monotonicity", inner(grad, r) - mu * square(r), "strongly_convex")

NOISE_TABLE = Theorem(
    id="noise-table",
    title="What compression noise costs: independent compressors",
    statement=(
        r"\mathbb E\lVert\xi_k\rVert^2\le2B_0D_k+N_0,\qquad B_0=\omega(1+\theta)\Lambda,\quad "
        r"N_0=\omega\Big(1+\frac1\theta\Big)E_*"
    ),
    source=source("3.2"),
    status="derived",
    kind="upper",
    subject=SUBJECT,
    assumptions=(EACH_CONVEX, UNBIASED, INDEPENDENT_WORKERS),
    parameters=(parameter("variance"), parameter("young"), parameter("Lambda"), parameter("optimum_gradients")),
    measure=r"B_0\ \text{(value)},\ N_0\ \text{(residual)}",
    value=omega * (1 + theta) * Lambda,
    residual=omega * (1 + 1 / theta) * E_star,
    proof=Certificate(
        lines=(
            Identity(
                "Young at every worker, w_i = g_i - h_i (averages carry one factor p_i)",
                (1 + theta) * mean(p_i * square(w_i)) + (1 + 1 / theta) * mean(p_i * square(h_i))
                - mean(p_i * square(w_i + h_i)),
                (),
                (Square(p_i / theta, theta * w_i - h_i, index="i"),),
            ),
            Identity(
                "B_0 and N_0: sum p_i^2 |w_i|^2 <= 2 Lambda D, sum p_i^2 |h_i|^2 = E_*",
                (VALUE * 2 * sympy.Symbol("D", real=True) + RESIDUAL)
                - omega * ((1 + theta) * 2 * Lambda * sympy.Symbol("D", real=True) + (1 + 1 / theta) * E_star),
            ),
        ),
        domain=(theta > 0, p_i > 0),
        scope="every number of workers and weights",
        remainder="lemma-cocoercive-matrix; the rows for shared coins, supports and stochastic gradients by the same two lines",
    ),
    tightness="the only loss is Young's inequality: optimise theta",
)  # fmt: skip

_G2, _S2 = scalars("second_moment sum_square_gradients")
_M_pub = (1 + omega) * sigma * Lambda * (1 + theta)

DCGD_PUBLISHED = Theorem(
    id="dcgd-published",
    title="D-CGD, strongly convex, in the published form",
    statement=(
        r"M=\alpha\sigma\Lambda(1+\theta),\ \gamma=\frac1M:\qquad \mathbb E\lVert x_K-x^*\rVert^2\le"
        r"\Big(1-\frac\mu M\Big)^K\lVert x_0-x^*\rVert^2+\frac{E_*}{\mu\theta\Lambda}"
    ),
    source=source("3.3"),
    status="published",
    kind="upper",
    subject=SUBJECT,
    assumptions=(EACH_CONVEX, STRONGLY_CONVEX, UNBIASED, SUPPORT_PRESERVING),
    parameters=(
        parameter("mu", Range(0, Lambda * sigma, lower_open=True)), parameter("variance"), parameter("young"),
        parameter("Lambda"), parameter("sparsity_sigma"), parameter("optimum_gradients"),
    ),
    goal="squared_distance",
    measure=r"\mathbb E\lVert x_K-x^*\rVert^2",
    step_size=1 / _M_pub,
    rate=1 - mu / _M_pub,
    residual=E_star / (mu * theta * Lambda),
    proof=Certificate(
        lines=(
            Identity(
                "one step at gamma = 1/M; the residual is the fixed point",
                RATE * square(r) + (1 - RATE) * RESIDUAL - r_next,
                (
                    Term(
                        sympy.S.One,
                        Hypothesis(
                            "one step, unbiased messages",
                            square(r) - 2 * STEP_SIZE * inner(grad, r) + STEP_SIZE**2 * _G2 - r_next,
                            "unbiased",
                        ),
                    ),
                    Term(
                        STEP_SIZE**2,
                        Hypothesis(
                            "sparsity-sigma: E|G|^2 <= alpha sigma sum p_i^2 |g_i|^2",
                            (1 + omega) * sigma * _S2 - _G2,
                            "unbiased, support_preserving",
                        ),
                    ),
                    Term(
                        STEP_SIZE**2 * (1 + omega) * sigma,
                        Hypothesis(
                            "Young and co-coercivity: sum p_i^2 |g_i|^2 <= (1 + theta) Lambda <grad F, r> + (1 + 1/theta) E_*",
                            (1 + theta) * Lambda * inner(grad, r) + (1 + 1 / theta) * E_star - _S2,
                            "each_convex",
                        ),
                    ),
                    Term(1 / _M_pub, MONOTONE),
                ),
            ),
        ),
        domain=(mu > 0, theta > 0, Lambda > 0, sigma >= 1, omega >= 0),
        scope="every dimension, number of workers, joint law of the compressors",
    ),
    tightness="loose: its residual does not vanish as the compression becomes exact; superseded by dcgd-sc",
)  # fmt: skip

_M = L + B_0
DCGD_SC = Theorem(
    id="dcgd-sc",
    title="D-CGD, strongly convex",
    statement=(
        r"M=L+B_0,\ 0<\gamma\le\frac1M:\qquad \mathbb E\lVert x_{k+1}-x^*\rVert^2\le(1-\gamma\mu(2-\gamma M))\lVert x_k-x^*\rVert^2"
        r"+\gamma^2N_0"
    ),
    source=source("3.4"),
    status="derived",
    kind="upper",
    subject=SUBJECT,
    assumptions=(EACH_CONVEX, STRONGLY_CONVEX, FRESH, NOISE),
    parameters=(
        parameter("L"), parameter("mu", Range(0, L, lower_open=True)), parameter("noise_slope"), parameter("noise_floor"),
        parameter("step_size", Range(0, 1 / _M, lower_open=True)),
    ),
    defaults={"step_size": 1 / _M},
    goal="squared_distance",
    measure=r"\mathbb E\lVert x_K-x^*\rVert^2",
    step_size=gamma,
    rate=1 - gamma * mu * (2 - gamma * _M),
    residual=gamma * N_0 / (mu * (2 - gamma * _M)),
    proof=Certificate(
        lines=(
            Identity(
                "one step; the residual is the fixed point",
                RATE * square(r) + (1 - RATE) * RESIDUAL - r_next,
                (
                    Term(sympy.S.One, STEP),
                    Term(2 * gamma, THREE_POINT),
                    Term(gamma**2, COERCIVE),
                    Term(gamma**2, NOISE_BOUND),
                    Term(2 * gamma, Hypothesis("growth of F", _gap - mu / 2 * square(r), "strongly_convex")),
                    Term(
                        2 * gamma * (1 - gamma * _M),
                        Hypothesis("strong convexity at x, seen from x*", _D - mu / 2 * square(r), "strongly_convex"),
                    ),
                ),
            ),
        ),
        domain=(L > 0, mu > 0, mu <= L, B_0 >= 0, N_0 >= 0, gamma > 0, gamma * _M <= 1),
        scope="every dimension, number of workers and weights",
    ),
    tightness="without noise: rate 1 - mu/L at 1/L",
)  # fmt: skip

_L_max, _sum_sq, _p_max = scalars("L_max sum_square_weights largest_weight")
_W = omega * (1 + theta)
_Lambda_mu = _p_max * (_L_max - mu)
_tight_step = 2 / (L + mu + _W * (_Lambda_mu + 2 * mu * _p_max))

DCGD_SC_TIGHT = Theorem(
    id="dcgd-sc-tight",
    title="D-CGD when every worker is strongly convex, exact under interpolation",
    statement=(
        r"W=\omega(1+\theta),\ \gamma\le\frac2{L+\mu+W(p_{\max}(L_{\max}-\mu)+2\mu p_{\max})}:\qquad "
        r"\mathbb E\lVert x_{k+1}-x^*\rVert^2\le\big(1-2\gamma\mu+\gamma^2\mu^2(1+W\textstyle\sum p_i^2)\big)\lVert x_k-x^*\rVert^2"
        r"+\gamma^2\omega\big(1+\tfrac1\theta\big)E_*"
    ),
    source=source("3.5"),
    status="derived",
    kind="tight",
    subject=SUBJECT,
    assumptions=(EACH_STRONGLY_CONVEX, UNBIASED, INDEPENDENT_WORKERS),
    parameters=(
        parameter("L"), parameter("mu", Range(0, L, lower_open=True)),
        Parameter("L_max", r"L_{\max}", Range(L), "", "largest smoothness constant of a worker"),
        parameter("variance"), parameter("young"), parameter("optimum_gradients"),
        Parameter("largest_weight", r"p_{\max}", Range(0, 1, lower_open=True), "", "largest weight of a worker"),
        Parameter("sum_square_weights", r"\sum p_i^2", Range(0, _p_max, lower_open=True), "", "sum of squared weights"),
        parameter("step_size", Range(0, _tight_step, lower_open=True)),
    ),
    defaults={"step_size": _tight_step},
    goal="squared_distance",
    measure=r"\mathbb E\lVert x_K-x^*\rVert^2",
    step_size=gamma,
    rate=1 - 2 * gamma * mu + gamma**2 * mu**2 * (1 + _W * _sum_sq),
    residual=gamma * omega * (1 + 1 / theta) * E_star / (2 * mu - gamma * mu**2 * (1 + _W * _sum_sq)),
    proof=Certificate(
        lines=(
            Identity(
                "one step, u_i = g_i - h_i - mu r of mean U (averages over the workers)",
                RATE * square(r) + gamma**2 * omega * (1 + 1 / theta) * E_star - r_next,
                (
                    Term(
                        sympy.S.One,
                        Hypothesis(
                            "one step, independent compressors: grad F = U + mu r, noise omega sum p_i^2 |g_i|^2",
                            square(r) - 2 * gamma * inner(U + mu * r, r)
                            + gamma**2 * (square(U + mu * r) + omega * mean(p_i * square(u_i + mu * r + h_i))) - r_next,
                            "unbiased, independent_workers",
                        ),
                    ),
                    Term(
                        gamma**2 * (L - mu),
                        Hypothesis("co-coercivity of F - mu/2", inner(U, r) - square(U) / (L - mu), "each_strongly_convex"),
                    ),
                    Term(
                        gamma**2 * _W * p_i * (L_i - mu),
                        Hypothesis(
                            "co-coercivity of f_i - mu/2", inner(u_i, r) - square(u_i) / (L_i - mu), "each_strongly_convex"
                        ),
                        index="i",
                    ),
                    Term(
                        gamma**2 * _W * (_Lambda_mu - p_i * (L_i - mu)),
                        Hypothesis("monotonicity of f_i - mu/2", inner(u_i, r), "each_strongly_convex"),
                        index="i",
                    ),
                    Term(
                        2 * gamma**2 * _W * mu * (_p_max - p_i),
                        Hypothesis("monotonicity of f_i - mu/2", inner(u_i, r), "each_strongly_convex"),
                        index="i",
                    ),
                    Term(
                        2 * gamma - gamma**2 * (L + mu + _W * _Lambda_mu + 2 * _W * mu * _p_max),
                        Hypothesis("monotonicity of F - mu/2", inner(U, r), "each_strongly_convex"),
                    ),
                ),
                (Square(gamma**2 * omega * p_i / theta, theta * (u_i + mu * r) - h_i, index="i"),),
            ),
            Identity(
                "the residual is the fixed point", (1 - RATE) * RESIDUAL - gamma**2 * omega * (1 + 1 / theta) * E_star
            ),
        ),
        domain=(
            mu < L, mu > 0, _L_max >= L, theta > 0, omega >= 0, gamma > 0, _p_max > 0, _p_max <= 1,
            gamma * (L + mu + _W * (_Lambda_mu + 2 * mu * _p_max)) <= 2,
            p_i > 0, p_i <= _p_max, L_i > mu, L_i <= _L_max,
        ),
        means={u_i: U, p_i: _sum_sq, p_i * square(h_i): E_star},
        scope="every dimension, number of workers and weights; mu < L_i (L_i = mu by continuity)",
    ),
    tightness="performance estimation / bound 1.000000 for one worker and for two with common minimiser",
)  # fmt: skip

DCGD_CONVEX = Theorem(
    id="dcgd-convex",
    title="D-CGD, convex",
    statement=(
        r"\gamma\le\frac1{L+B_0}:\qquad \frac1K\sum_{k<K}\mathbb E[F(x_k)-F^*]\le\frac{\lVert x_0-x^*\rVert^2}{2\gamma K}+\frac{\gamma N_0}2"
    ),
    source=source("3.6"),
    status="derived",
    kind="upper",
    subject=SUBJECT,
    assumptions=(EACH_CONVEX, FRESH, NOISE),
    parameters=(
        parameter("L"), parameter("noise_slope"), parameter("noise_floor"),
        parameter("step_size", Range(0, 1 / _M, lower_open=True)),
    ),
    defaults={"step_size": 1 / _M},
    goal="objective_gap",
    start="squared_distance",
    measure=r"\tfrac1K\sum_{k<K}\mathbb E\,F(x_k)-F^*\ \text{from}\ \lVert x_0-x^*\rVert^2",
    step_size=gamma,
    bound=INITIAL / (2 * gamma * K) + gamma * N_0 / 2,
    iterations=INITIAL / (2 * gamma * (EPS - gamma * N_0 / 2)),
    residual=gamma * N_0 / 2,
    proof=Certificate(
        lines=(
            Identity(
                "one step: 2 gamma <grad F, r> = 2 gamma (gap + D), |grad F|^2 <= 2 L D, noise <= 2 B_0 D + N_0",
                square(r) - 2 * gamma * _gap + gamma**2 * N_0 - r_next,
                (
                    Term(sympy.S.One, STEP),
                    Term(2 * gamma, THREE_POINT),
                    Term(gamma**2, COERCIVE),
                    Term(gamma**2, NOISE_BOUND),
                    Term(2 * gamma * (1 - gamma * _M), Hypothesis("Bregman distance", _D, "each_convex")),
                ),
            ),
            Identity("the sum over k < K", 2 * gamma * K * BOUND(K) - INITIAL - K * gamma**2 * N_0),
            tends_to_residual(INITIAL / (2 * gamma * K)),
        ),
        domain=(L > 0, B_0 >= 0, N_0 >= 0, gamma > 0, gamma * _M <= 1),
        scope="every dimension, number of workers and weights",
        remainder="sum over k < K",
    ),
    tightness="performance estimation / bound 1.0000 without noise at 1/L",
)  # fmt: skip

beta, zeta = (parameter(name).symbol for name in ("relative_noise", "absolute_noise"))
_g = vectors("g")[0]
_F, _F_next, _F_inf = scalars("F F_next F_inf")

DCGD_NONCONVEX = Theorem(
    id="dcgd-nonconvex",
    title="D-CGD, non-convex",
    statement=(
        r"\gamma\le\frac1{L(1+\beta)}:\qquad \frac1K\sum_{k<K}\mathbb E\lVert\nabla F(x_k)\rVert^2\le"
        r"\frac{2(F(x_0)-F_{\inf})}{\gamma K}+\gamma L\zeta^2"
    ),
    source=source("3.7"),
    status="derived",
    kind="upper",
    subject=SUBJECT,
    assumptions=(EACH_LIPSCHITZ, BOUNDED_BELOW, FRESH, RELATIVE_NOISE),
    parameters=(
        parameter("L"), parameter("relative_noise"), parameter("absolute_noise"),
        parameter("step_size", Range(0, 1 / (L * (1 + beta)), lower_open=True)),
    ),
    defaults={"step_size": 1 / (L * (1 + beta))},
    goal="squared_gradient",
    start="objective_gap",
    measure=r"\tfrac1K\sum_{k<K}\mathbb E\lVert\nabla F(x_k)\rVert^2\ \text{from}\ F(x_0)-F_{\inf}",
    step_size=gamma,
    bound=2 * INITIAL / (gamma * K) + gamma * L * zeta**2,
    iterations=2 * INITIAL / (gamma * (EPS - gamma * L * zeta**2)),
    residual=gamma * L * zeta**2,
    proof=Certificate(
        lines=(
            Identity(
                "one step",
                _F - gamma / 2 * square(_g) + L * gamma**2 / 2 * zeta**2 - _F_next,
                (
                    Term(
                        sympy.S.One,
                        Hypothesis(
                            "smoothness in expectation",
                            _F - gamma * square(_g) + L * gamma**2 / 2 * (square(_g) + noise) - _F_next,
                            "each_lipschitz, fresh",
                        ),
                    ),
                    Term(
                        L * gamma**2 / 2, Hypothesis("noise", beta * square(_g) + zeta**2 - noise, "relative_noise")
                    ),
                ),
                (Square(gamma / 2 * (1 - gamma * L * (1 + beta)), _g),),
            ),
            Identity(
                "the sum over k < K", gamma * K / 2 * BOUND(K) - INITIAL - K * L * gamma**2 / 2 * zeta**2
            ),
            tends_to_residual(2 * INITIAL / (gamma * K)),
        ),
        domain=(L > 0, beta >= 0, gamma > 0, gamma * L * (1 + beta) <= 1),
        scope="every dimension, number of workers and weights",
        remainder="sum over k < K",
    ),
)  # fmt: skip

_A, _D_inf = scalars("noise_strength dissimilarity_inf")
_s_formula = L * gamma**2 * _A

DCGD_NC_ABC = Theorem(
    id="dcgd-nc-abc",
    title="D-CGD, non-convex, without bounded dissimilarity",
    statement=(
        r"A=\omega\Lambda,\ s=L\gamma^2A,\ \gamma\le\frac1L:\qquad \min_{k<K}\mathbb E\lVert\nabla F(x_k)\rVert^2\le"
        r"\frac{2(1+s)^K}{\gamma K}(F(x_0)-F_{\inf})+2L\gamma A\Delta^{\inf}"
    ),
    source=source("3.7", "form: Khaled, Richtárik (2020)"),
    status="derived",
    kind="upper",
    subject=SUBJECT,
    assumptions=(EACH_LIPSCHITZ, BOUNDED_BELOW, UNBIASED, INDEPENDENT_WORKERS),
    parameters=(
        parameter("L"), parameter("step_size", Range(0, 1 / L, lower_open=True)),
        Parameter("noise_strength", "A", NONNEGATIVE, "", "omega Lambda"),
        Parameter("dissimilarity_inf", r"\Delta^{\inf}", NONNEGATIVE, "", "F_inf - sum p_i inf f_i"),
    ),
    goal="squared_gradient",
    start="objective_gap",
    measure=r"\min_{k<K}\mathbb E\lVert\nabla F(x_k)\rVert^2\ \text{from}\ F(x_0)-F_{\inf}",
    step_size=gamma,
    bound=2 * (1 + _s_formula) ** K / (gamma * K) * INITIAL + 2 * L * gamma * _A * _D_inf,
    residual=2 * L * gamma * _A * _D_inf,
    proof=Certificate(
        lines=(
            Identity(
                "one step with gap d = F - F_inf: d+ <= (1 + s) d - gamma/2 |g|^2 + s D_inf",
                (1 + _s_formula) * (_F - _F_inf) - gamma / 2 * square(_g) + _s_formula * _D_inf - (_F_next - _F_inf),
                (
                    Term(
                        sympy.S.One,
                        Hypothesis(
                            "smoothness in expectation",
                            _F - gamma * square(_g) + L * gamma**2 / 2 * (square(_g) + noise) - _F_next,
                            "each_lipschitz, unbiased",
                        ),
                    ),
                    Term(
                        L * gamma**2 / 2,
                        Hypothesis(
                            "noise: |grad f_i|^2 <= 2 L_i (f_i - inf f_i)",
                            2 * _A * (_F - _F_inf + _D_inf) - noise,
                            "each_lipschitz, independent_workers",
                        ),
                    ),
                ),
                (Square(gamma / 2 * (1 - L * gamma), _g),),
            ),
            Identity(
                "the bound",
                gamma * K * (BOUND(K) - 2 * L * gamma * _A * _D_inf) - 2 * (1 + _s_formula) ** K * INITIAL,
            ),
            tends_to_residual(2 * (1 + _s_formula) ** K / (gamma * K) * INITIAL),
        ),
        domain=(L > 0, gamma > 0, gamma * L <= 1, _A >= 0),
        scope="every dimension, number of workers and weights",
        remainder="multiply by (1 + s)^-(k+1), sum over k; the weights sum to at least K (1 + s)^-K",
    ),
)  # fmt: skip

DCGD_SELECT = Theorem(
    id="dcgd-select",
    title="Which bound to use",
    statement=(
        r"\text{the smallest of the valid bounds is valid; independent coins beat any joint law, which beats the published form:}"
        r"\quad \omega(1+\theta)\Lambda\le\omega(1+\theta)\sigma\Lambda,\qquad "
        r"\hat L+\omega(1+\theta)\sigma\Lambda\le(1+\omega)(1+\theta)\sigma\Lambda"
    ),
    source=source("3.8"),
    status="derived",
    kind="lemma",
    subject=SUBJECT,
    parameters=(parameter("variance"), parameter("young"), parameter("Lambda"), parameter("sparsity_sigma")),
    measure=r"M\ \text{of the published form over}\ \hat L+B_0,\ \hat L=\sigma\Lambda",
    value=(1 + omega) * (1 + theta) / (1 + omega * (1 + theta)),
    proof=Certificate(
        lines=(
            Sign("independent coins against any joint law", omega * (1 + theta) * Lambda * (sigma - 1)),
            Sign(
                "any joint law against the published form, L_hat <= sigma Lambda",
                (1 + omega) * (1 + theta) * sigma * Lambda
                - (parameter("L_hat").symbol + omega * (1 + theta) * sigma * Lambda),
                where=(parameter("L_hat").symbol <= sigma * Lambda,),
            ),
            Identity(
                "the ratio at L_hat = sigma Lambda",
                VALUE * (1 + omega * (1 + theta)) - (1 + omega) * (1 + theta),
            ),
        ),
        domain=(omega >= 0, theta > 0, Lambda > 0, sigma >= 1),
    ),
)

THEOREMS = (
    NOISE_TABLE, DCGD_PUBLISHED, DCGD_SC, DCGD_SC_TIGHT, DCGD_CONVEX, DCGD_NONCONVEX, DCGD_NC_ABC, DCGD_SELECT,
)  # fmt: skip
