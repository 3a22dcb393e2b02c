"""Unbiased compression without memory, where the chi-square objective is exact (dossier 3.5)."""

from __future__ import annotations

import sympy

from ..assumptions import (
    EACH_CONVEX,
    INDEPENDENT_WORKERS,
    L_SMOOTH,
    STRONGLY_CONVEX,
    UNBIASED,
    UNCORRELATED_NOISE,
    WORKER_NOISE,
)
from ..certificate import Certificate, Hypothesis, Identity, Square, Term
from ..gram import inner, mean, scalars, square, vectors
from ..hypotheses import minimiser, start, strongly_convex
from ..symbols import parameter
from ..theorem import BOUND, EPS, INITIAL, RATE, RESIDUAL, K, Theorem
from .common import CURVATURE, SMOOTHNESS, SUBJECT, L, L_i, delta, gamma, mu, source, step_up_to

_M, _N, _received = (parameter(name).symbol for name in ("noise_smoothness", "noise_at_optimum", "received_noise"))
_e, _g, _g_i, _h_i = vectors("e g g[i] h[i]")
_p_i, _omega_i, _f_i, _f_opt_i, _s_i = scalars("p[i] variance[i] f[i] f_star[i] s[i]")
_F, _F_star, _next, _variance, _noise = scalars("F F_star V_next received noise")
_gap = _F - _F_star
_AT = start()
_rate = 1 - gamma * mu
_residual = gamma / mu * (2 * _N + _received)
(_c,) = scalars("c")
_bregman = _f_i - _f_opt_i - inner(_h_i, _e)

DCGD = Theorem(
    id="nu-dcgd",
    title="Independent unbiased compressors: the chi-square objective is exact",
    statement=(
        r"\mathbb E\Big\lVert\sum_ip_iQ_i(g_i)-\sum_ip_ig_i\Big\rVert^2\le\sum_ip_i^2\omega_i\lVert g_i\rVert^2,\quad "
        r"\omega_i=\frac1{\delta_i}-1\text{ for random-}k\text{ (equality)};\qquad \gamma\le\frac1{L+2\max_ip_i\omega_iL_i}:\quad "
        r"\mathbb E\lVert x_K-x^*\rVert^2\le\rho^K\lVert x_0-x^*\rVert^2+(1-\rho^K)\frac\gamma\mu\Big["
        r"2\sum_ip_i^2\omega_i\lVert\nabla f_i(x^*)\rVert^2+\sum_ip_i^2(1+\omega_i)s_i^2\Big],\quad \rho=1-\gamma\mu"
    ),
    source=source("3.5", "equal weights: standard; weights, ratios and noise derived"),
    status="derived",
    kind="upper",
    subject=SUBJECT,
    assumptions=(
        EACH_CONVEX, STRONGLY_CONVEX, L_SMOOTH, UNBIASED, INDEPENDENT_WORKERS, WORKER_NOISE, UNCORRELATED_NOISE,
    ),
    parameters=(
        SMOOTHNESS, CURVATURE, parameter("noise_smoothness"), parameter("noise_at_optimum"), parameter("received_noise"),
        step_up_to(1 / (L + 2 * _M)),
    ),
    defaults={"step_size": 1 / (L + 2 * _M)},
    goal="squared_distance",
    measure=r"\mathbb E\lVert x_K-x^*\rVert^2",
    step_size=gamma,
    rate=_rate,
    residual=_residual,
    bound=_rate**K * INITIAL + (1 - _rate**K) * _residual,
    iterations=sympy.Piecewise(
        (0, INITIAL <= EPS),
        (1, gamma * mu >= 1),
        (sympy.log((EPS - _residual) / sympy.Max(INITIAL - _residual, EPS - _residual)) / sympy.log(_rate), True),
    ),
    proof=Certificate(
        lines=(
            Identity(
                "random-k: an entry is c/delta with probability delta, else 0; its variance is (1/delta - 1) c^2",
                delta * (_c / delta - _c) ** 2 + (1 - delta) * _c**2 - (1 / delta - 1) * _c**2,
            ),
            Identity(
                "variances of independent messages add: sum p_i^2 (omega_i |grad f_i|^2 + (1 + omega_i) s_i^2)",
                mean(_p_i * _omega_i * square(_g_i)) + _received - _variance,
                (
                    Term(
                        sympy.S.One,
                        Hypothesis(
                            "variance of the sum: those of the Q_i at the noisy gradients, and of the noise",
                            mean(_p_i * (_omega_i * (square(_g_i) + _s_i**2) + _s_i**2)) - _variance,
                            "unbiased, independent_workers, worker_noise, uncorrelated_noise",
                        ),
                    ),
                ),
            ),
            Identity(
                "one step; the residual is the fixed point",
                RATE * square(_e) + (1 - RATE) * RESIDUAL - _next,
                (
                    Term(
                        sympy.S.One,
                        Hypothesis(
                            "second moment of the next distance",
                            square(_e) - 2 * gamma * inner(_g, _e) + gamma**2 * (square(_g) + _variance) - _next,
                            "unbiased, worker_noise",
                        ),
                    ),
                    Term(
                        gamma**2,
                        Hypothesis(
                            "the line above", mean(_p_i * _omega_i * square(_g_i)) + _received - _variance, "line above"
                        ),
                    ),
                    Term(2 * gamma, strongly_convex(_AT, minimiser(_F_star), mu)),
                    Term(gamma**2, Hypothesis("co-coercivity of F", 2 * L * _gap - square(_g), "convex, L_smooth")),
                    Term(
                        2 * gamma**2 * _p_i * _omega_i * L_i,
                        Hypothesis(
                            "co-coercivity of f_i at x and x*", 2 * _bregman - square(_g_i - _h_i) / L_i, "each_convex"
                        ),
                        index="i",
                    ),
                    Term(
                        4 * gamma**2 * (_M - _p_i * _omega_i * L_i),
                        Hypothesis("convexity of f_i at x*", _bregman, "each_convex"),
                        index="i",
                    ),
                    Term(
                        2 * gamma * (1 - gamma * (L + 2 * _M)),
                        Hypothesis("x* is a minimiser", _gap, "bounded_below"),
                    ),
                ),
                (Square(gamma**2 * _p_i * _omega_i, _g_i - 2 * _h_i, index="i"),),
            ),
            Identity("the recursion, solved", BOUND(K) - RATE**K * INITIAL - (1 - RATE**K) * RESIDUAL),
        ),
        domain=(
            L > 0, mu > 0, mu <= L, gamma > 0, gamma * (L + 2 * _M) <= 1, _M >= 0, _N >= 0, _received >= 0, _p_i > 0,
            _omega_i >= 0, L_i > 0, _p_i * _omega_i * L_i <= _M,
        ),
        means={
            _g_i: _g, _h_i: sympy.S.Zero, _f_i: _F, _f_opt_i: _F_star, _p_i * _omega_i * square(_h_i): _N,
            _p_i * _s_i**2: _noise, _p_i * _omega_i * _s_i**2: _received - _noise,
        },
        scope="every dimension, number of workers, weights and ratios",
    ),
    tightness="the variance is exact for random-k; bound / measured at least 3.7",
    pitfall="independence between the workers is needed: common random coins add their errors",
    checked_by=("tests/theory/test_error_feedback.py::test_variance_of_random_k_is_the_chi_square_objective",),
)  # fmt: skip

THEOREMS = (DCGD,)
