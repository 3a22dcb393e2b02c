"""Convergence with stale, compressed gradients, every message used once (dossier 4.2–4.6)."""

from __future__ import annotations

import sympy

from ..assumptions import (
    BOUNDED_BELOW,
    BOUNDED_DELAY,
    EACH_CONVEX,
    EACH_LIPSCHITZ,
    EACH_STRONGLY_CONVEX,
    FRESH,
    INDEPENDENT_WORKERS,
    NOISE,
    OBLIVIOUS,
    PL,
    QUADRATIC_GROWTH,
    RELATIVE_NOISE,
    SECOND_MOMENT,
    UNBIASED,
    WEIGHTED_DISSIMILARITY,
)
from ..certificate import Certificate, Hypothesis, Identity, Sign, Square, Term
from ..gram import inner, mean, scalars, square, vectors
from ..hypotheses import pl, start
from ..special import stale_noise_factor, stale_root_step
from ..symbols import NONNEGATIVE, POSITIVE, Parameter, Range, parameter
from ..theorem import BOUND, EPS, INITIAL, RATE, RESIDUAL, K, Theorem
from .common import (
    B_0,
    CURVATURE,
    DELAY,
    GOLDEN,
    GOLDEN_FACTS,
    N_0,
    PHI,
    SUBJECT,
    F,
    F_next,
    F_star,
    L_hat,
    T,
    a,
    b,
    c,
    default_step,
    gamma,
    golden,
    mu,
    noise,
    q,
    r,
    r_next,
    source,
    tau,
    tends_to_residual,
    u,
    v,
    w,
)

SMOOTHNESS = parameter("L_hat")
SLOPE, FLOOR = parameter("noise_slope"), parameter("noise_floor")
c_N = stale_noise_factor(gamma, L_hat, B_0, tau, 0)


def step_below(upper: sympy.Expr) -> Parameter:
    """The step size in ``(0, upper]``."""
    return parameter("step_size", Range(0, upper, lower_open=True))


# ---- the absorption condition and its closed forms ----

QUARTIC = Identity(
    "Phi = a + b + u^2 + w u b is at most 1 when a + b + u <= 1 and w <= 1",
    1 - (a + b + u**2 + w * u * b),
    (
        Term(1 + u, Hypothesis("step condition", 1 - a - b - u, "step size")),
        Term(u * a, Hypothesis("one", sympy.S.One, "arithmetic")),
        Term(u * b, Hypothesis("w <= 1", 1 - w, "choice of q")),
    ),
)
QUARTIC_FACTS = (a >= 0, b >= 0, u >= 0, w >= 0)
GOLDEN_CHOICE = Identity(
    "w = q/(q^2 - 1) = 1 at the golden ratio", golden - (golden**2 - 1), (Term(sympy.S.One, GOLDEN),)
)
PHI_IN_U = Identity(
    "with 1 + c = q^2, u = q tau a and T = tau, Phi has that form",
    PHI.subs(T, tau) - (a + b + u**2 + q / (q**2 - 1) * u * b).subs(u, q * tau * a),
    (),
)


def _with_c(line: Identity) -> Identity:
    return Identity(line.name, line.conclusion.subs(c, q**2 - 1), line.terms, line.squares)


_W, _W_t = scalars("W W[j]")
_window = tau * mean(_W_t, "j")

RECURSION = Identity(
    "the recursion (4.1): one step, window, noise table (averages over the window)",
    square(r) - 2 * gamma * (F - F_star) - gamma * (1 - a - b) * _W
    + gamma * a * ((1 + c) * tau * a + (1 + 1 / c) * b) * _window
    + gamma**2 * (1 + a * tau * (1 + 1 / c)) * N_0 - r_next,
    (
        Term(
            sympy.S.One,
            Hypothesis(
                "stale-onestep, W = 2 D",
                square(r) - 2 * gamma * (F - F_star) - gamma * _W + gamma * sympy.Symbol("moved", real=True)
                + gamma**2 * (square(v) + noise) - r_next,
                "each_convex, fresh",
            ),
        ),
        Term(
            gamma,
            Hypothesis(
                "stale-window with |v_j|^2 <= L_hat W_j and noise_j <= B_0 W_j + N_0",
                gamma**2 * L_hat * ((1 + c) * tau * L_hat + (1 + 1 / c) * B_0) * _window
                + gamma**2 * L_hat * (1 + 1 / c) * tau * N_0 - sympy.Symbol("moved", real=True),
                "bounded_delay, oblivious, noise",
            ),
        ),
        Term(gamma**2, Hypothesis("co-coercivity", L_hat * _W - square(v), "each_convex")),
        Term(gamma**2, Hypothesis("noise", B_0 * _W + N_0 - noise, "noise")),
    ),
)  # fmt: skip


def _in_gamma(line: Identity) -> Identity:
    values = {a: gamma * L_hat, b: gamma * B_0}
    return Identity(line.name, line.conclusion.subs(values), line.terms, line.squares)


_BASE_FACTS = (gamma > 0, L_hat > 0, B_0 >= 0, N_0 >= 0, c > 0, tau >= 0)

_root = stale_root_step(L_hat, B_0, tau, 0)

STALE_CONVEX = Theorem(
    id="stale-convex",
    title="Stale compressed gradients, convex",
    statement=(
        r"\gamma\le\frac1{\hat L(1+\phi\tau)+B_0}\ \Big(\frac1{\hat L(1+\tau)}\text{ without noise, or the root step}\Big):\qquad "
        r"\frac1K\sum_{k<K}\mathbb E[F(x_k)-F^*]\le\frac{\lVert x_0-x^*\rVert^2}{2\gamma K}+\frac{c_N}2\gamma N_0"
    ),
    source=source("4.2"),
    status="derived",
    kind="upper",
    subject=SUBJECT,
    assumptions=(EACH_CONVEX, FRESH, OBLIVIOUS, NOISE, BOUNDED_DELAY),
    parameters=(SMOOTHNESS, SLOPE, FLOOR, DELAY, step_below(_root)),
    defaults={"step_size": default_step(L_hat, B_0, N_0, sympy.S.Zero)},
    goal="objective_gap",
    start="squared_distance",
    measure=r"\tfrac1K\sum_{k<K}\mathbb E\,F(x_k)-F^*\ \text{from}\ \lVert x_0-x^*\rVert^2",
    step_size=gamma,
    bound=INITIAL / (2 * gamma * K) + c_N / 2 * gamma * N_0,
    iterations=INITIAL / (2 * gamma * (EPS - c_N / 2 * gamma * N_0)),
    residual=c_N / 2 * gamma * N_0,
    proof=Certificate(
        lines=(
            _in_gamma(RECURSION),
            _with_c(PHI_IN_U),
            QUARTIC,
            GOLDEN_CHOICE,
            Identity(
                "the sum over k < K, divided by 2 gamma K",
                2 * gamma * K * BOUND(K) - INITIAL - K * gamma**2 * c_N * N_0,
            ),
            tends_to_residual(INITIAL / (2 * gamma * K)),
        ),
        domain=(*_BASE_FACTS, *QUARTIC_FACTS, *GOLDEN_FACTS, q > 1),
        scope="every dimension, number of workers, weights, delay pattern below tau, compressor with that noise",
        remainder="lemma-absorption with rho = 1; c_N with the largest admissible c",
    ),
    tightness="the dependence on K and gamma is attained (Huber function); the range of steps within 1.6 of the limit",
    pitfall="a memory of compressed messages is not fresh: see stale-stored-convex",
)

_root_sc = stale_root_step(L_hat, B_0, tau, mu)
_c_N_sc = stale_noise_factor(gamma, L_hat, B_0, tau, mu)

STALE_SC = Theorem(
    id="stale-sc",
    title="Stale compressed gradients under quadratic growth",
    statement=(
        r"\gamma\le\frac1{\hat L(1+\phi\tau)+\frac34\mu\tau+B_0}\ \text{(or the root step)}:\qquad "
        r"\mathbb E\lVert x_K-x^*\rVert^2\le(1-\gamma\mu)^K\lVert x_0-x^*\rVert^2+\frac{c_N\gamma N_0}\mu"
    ),
    source=source("4.3"),
    status="derived",
    kind="upper",
    subject=SUBJECT,
    assumptions=(EACH_CONVEX, QUADRATIC_GROWTH, FRESH, OBLIVIOUS, NOISE, BOUNDED_DELAY),
    parameters=(SMOOTHNESS, CURVATURE, SLOPE, FLOOR, DELAY, step_below(_root_sc)),
    defaults={"step_size": default_step(L_hat, B_0, N_0, mu)},
    goal="squared_distance",
    measure=r"\mathbb E\lVert x_K-x^*\rVert^2",
    step_size=gamma,
    rate=1 - gamma * mu,
    residual=_c_N_sc * gamma * N_0 / mu,
    proof=Certificate(
        lines=(
            _in_gamma(RECURSION),
            Identity(
                "quadratic growth turns the gap into contraction",
                RATE * square(r) + gamma**2 * noise - r_next,
                (
                    Term(
                        sympy.S.One,
                        Hypothesis(
                            "the recursion without its window",
                            square(r) - 2 * gamma * (F - F_star) + gamma**2 * noise - r_next,
                            "line above",
                        ),
                    ),
                    Term(
                        2 * gamma, Hypothesis("quadratic growth", F - F_star - mu / 2 * square(r), "quadratic_growth")
                    ),
                ),
            ),
            QUARTIC,
            Identity(
                "the residual is the fixed point of V -> rate V + gamma^2 c_N N_0",
                (1 - RATE) * RESIDUAL - gamma**2 * _c_N_sc * N_0,
            ),
        ),
        domain=(*_BASE_FACTS, *QUARTIC_FACTS, mu > 0),
        scope="every dimension, number of workers, weights, delay pattern below tau, compressor with that noise",
        remainder=(
            "lemma-absorption with rho = 1 - gamma mu; the closed-form step: T_rho(tau) <= tau exp(1/(q kappa)), "
            "w = q E/(q^2 - E) <= 1 at q = phi + 3/(4 kappa)"
        ),
    ),
    tightness="the rate for fixed gamma is refined by stale-sc-refined",
)

_s = sympy.Symbol("root_kappa", real=True)  # sqrt(L_hat/mu)
_beta_s = _s / (1 + _s)
_kappa_hat = L_hat / mu
_beta = sympy.sqrt(_kappa_hat) / (1 + sympy.sqrt(_kappa_hat))
_mu_e = mu * (1 + _beta**2)
_root_ref = stale_root_step(L_hat / _beta, B_0 / _beta, tau, _mu_e)
_c_N_ref = stale_noise_factor(gamma, L_hat / _beta, B_0 / _beta, tau, _mu_e)
_y, _wv, _rv, _ei = vectors("y w r e_i")

STALE_SC_REFINED = Theorem(
    id="stale-sc-refined",
    title="Stale compressed gradients, strongly convex, with an asymptotically tight exponent",
    statement=(
        r"\beta=\frac{\sqrt{\hat\kappa}}{1+\sqrt{\hat\kappa}},\ \mu_e=\mu(1+\beta^2):\qquad "
        r"\mathbb E\lVert x_K-x^*\rVert^2\le(1-\gamma\mu_e)^K\lVert x_0-x^*\rVert^2+\frac{c_N\gamma N_0}{\mu_e},\quad "
        r"\gamma\ \text{as in stale-sc for}\ \Big(\frac{\hat L}\beta,\frac{B_0}\beta,\mu_e\Big),\quad "
        r"B_0=\omega(1+\theta)\,p_{\max}L_{\max},\ N_0=\omega\big(1+\tfrac1\theta\big)E_*"
    ),
    source=source("4.4"),
    status="derived",
    kind="upper",
    subject=SUBJECT,
    assumptions=(EACH_STRONGLY_CONVEX, FRESH, OBLIVIOUS, UNBIASED, INDEPENDENT_WORKERS, BOUNDED_DELAY),
    parameters=(SMOOTHNESS, CURVATURE, SLOPE, FLOOR, DELAY, step_below(_root_ref)),
    defaults={"step_size": default_step(L_hat / _beta, B_0 / _beta, N_0, _mu_e)},
    goal="squared_distance",
    measure=r"\mathbb E\lVert x_K-x^*\rVert^2",
    step_size=gamma,
    rate=1 - gamma * _mu_e,
    residual=_c_N_ref * gamma * N_0 / _mu_e,
    proof=Certificate(
        lines=(
            Identity(
                "perfect square: strong convexity leaves beta/L_hat |v|^2 after paying mu beta |y|^2 (units mu = 1)",
                square(_wv - _y) / (_s**2 - 1) + (1 - _beta_s) * square(_y) - _beta_s / _s**2 * square(_wv),
                (),
                (Square(1 / (_s * (_s**2 - 1)), _wv - _s * _y),),
            ),
            Identity(
                "|r - e_i|^2 >= (1 - s)|r|^2 - (1/s - 1)|e_i|^2 with s = 1/(1 + sqrt(kappa))",
                square(_rv - _ei) - _beta_s * square(_rv) + _s * square(_ei),
                (),
                (Square(1 / (1 + _s), _rv - (1 + _s) * _ei),),
            ),
            Sign(
                "the window constant: L_hat + (1 - beta) L_hat <= L_hat/beta",
                1 / _beta_s - (2 - _beta_s),
            ),
            Identity("mu beta sqrt(kappa) = (1 - beta) L_hat (units mu = 1)", _beta_s * _s - (1 - _beta_s) * _s**2),
            Identity(
                "the contraction: mu (1 + beta (1 - s)) = mu (1 + beta^2), as 1 - s = beta", 1 - 1 / (1 + _s) - _beta_s
            ),
            Identity("the rate", RATE - (1 - gamma * _mu_e)),
            Identity("the residual is the fixed point", RESIDUAL * _mu_e * gamma - gamma**2 * _c_N_ref * N_0),
        ),
        domain=(_s > 1, gamma > 0, L_hat > 0, mu > 0),
        scope="every dimension, number of workers, weights, delay pattern below tau, compressor with that noise",
        remainder="the lines replace three inequalities in the proof of stale-sc; kappa = 1 by continuity",
    ),
    tightness="log worst case / log bound: 1.28 (kappa = 10), 1.10 (100), 1.03 (1000)",
)

L_stale, beta, zeta = (parameter(name).symbol for name in ("L_stale", "relative_noise", "absolute_noise"))
_root_nc = stale_root_step(L_stale, beta * L_stale, tau, 0)
_c_N_nc = stale_noise_factor(gamma, L_stale, beta * L_stale, tau, 0)
_g, _vv = vectors("g v")
_nu, _L = scalars("nu L")
_here = start()
_diff = sympy.Symbol("stale_error", real=True)

DESCENT_STALE = Identity(
    "descent along a stale direction",
    F - gamma / 2 * square(_g) - gamma / 2 * (1 - _L * gamma) * square(_vv) + gamma / 2 * square(_g - _vv)
    + _L * gamma**2 / 2 * _nu - F_next,
    (
        Term(
            sympy.S.One,
            Hypothesis(
                "smoothness in expectation, zero-mean noise",
                F - gamma * inner(_g, _vv) + _L * gamma**2 / 2 * (square(_vv) + _nu) - F_next,
                "each_lipschitz, fresh",
            ),
        ),
    ),
)  # fmt: skip

_NC_ASSUMPTIONS = (EACH_LIPSCHITZ, BOUNDED_BELOW, FRESH, OBLIVIOUS, RELATIVE_NOISE, BOUNDED_DELAY)

STALE_NONCONVEX = Theorem(
    id="stale-nonconvex",
    title="Stale compressed gradients, non-convex",
    statement=(
        r"\gamma\le\frac1{\ell(1+\phi\tau+\beta)}\ \text{(or the root step)}:\qquad "
        r"\frac1K\sum_{k<K}\mathbb E\lVert\nabla F(x_k)\rVert^2\le\frac{2(F(x_0)-F_{\inf})}{\gamma K}+c_N\gamma\ell\zeta^2"
    ),
    source=source("4.5"),
    status="derived",
    kind="upper",
    subject=SUBJECT,
    assumptions=_NC_ASSUMPTIONS,
    parameters=(
        parameter("L_stale"), parameter("relative_noise"), parameter("absolute_noise"), DELAY, step_below(_root_nc),
    ),
    defaults={"step_size": default_step(L_stale, beta * L_stale, zeta, sympy.S.Zero)},
    goal="squared_gradient",
    start="objective_gap",
    measure=r"\tfrac1K\sum_{k<K}\mathbb E\lVert\nabla F(x_k)\rVert^2\ \text{from}\ F(x_0)-F_{\inf}",
    step_size=gamma,
    bound=2 * INITIAL / (gamma * K) + _c_N_nc * gamma * L_stale * zeta**2,
    iterations=2 * INITIAL / (gamma * (EPS - _c_N_nc * gamma * L_stale * zeta**2)),
    residual=_c_N_nc * gamma * L_stale * zeta**2,
    proof=Certificate(
        lines=(
            DESCENT_STALE,
            QUARTIC,
            Identity(
                "the sum over k < K, divided by gamma K/2",
                gamma * K / 2 * BOUND(K) - INITIAL - K * gamma / 2 * _c_N_nc * gamma * L_stale * zeta**2,
            ),
            tends_to_residual(2 * INITIAL / (gamma * K)),
        ),
        domain=(gamma > 0, c > 0, *QUARTIC_FACTS),
        scope="every dimension, number of workers, weights, delay pattern below tau",
        remainder="Jensen: |grad F(x) - v|^2 <= sum p_i L_i^2 |e_i|^2; stale-window and lemma-absorption",
    ),
    tightness="performance estimation / bound at the root step: 1.000 (tau = 0), 0.99 (1), 0.83 (2, 3)",
)  # fmt: skip

_root_pl = stale_root_step(L_stale, beta * L_stale, tau, mu)
_c_N_pl = stale_noise_factor(gamma, L_stale, beta * L_stale, tau, mu)

STALE_PL = Theorem(
    id="stale-pl",
    title="Stale compressed gradients under the PL inequality",
    statement=(
        r"\gamma\le\frac1{\ell(1+\phi\tau+\beta)+\frac34\mu\tau}\ \text{(or the root step)}:\qquad "
        r"\mathbb E[F(x_K)-F^*]\le(1-\gamma\mu)^K(F(x_0)-F^*)+\frac{c_N\gamma\ell\zeta^2}{2\mu}"
    ),
    source=source("4.5"),
    status="derived",
    kind="upper",
    subject=SUBJECT,
    assumptions=(EACH_LIPSCHITZ, PL, FRESH, OBLIVIOUS, RELATIVE_NOISE, BOUNDED_DELAY),
    parameters=(
        parameter("L_stale"), parameter("mu", Range(0, L_stale, lower_open=True)), parameter("relative_noise"),
        parameter("absolute_noise"), DELAY, step_below(_root_pl),
    ),
    defaults={"step_size": default_step(L_stale, beta * L_stale, zeta, mu)},
    goal="objective_gap",
    measure=r"\mathbb E\,F(x_K)-F^*",
    step_size=gamma,
    rate=1 - gamma * mu,
    residual=_c_N_pl * gamma * L_stale * zeta**2 / (2 * mu),
    proof=Certificate(
        lines=(
            DESCENT_STALE,
            Identity(
                "PL",
                RATE * (F - F_star) + _diff - (F_next - F_star),
                (
                    Term(
                        sympy.S.One,
                        Hypothesis("descent", F - gamma / 2 * square(_g) + _diff - F_next, "line above"),
                    ),
                    Term(gamma / 2, pl(_here, mu, F_star)),
                ),
            ),
            QUARTIC,
            Identity(
                "the residual is the fixed point", (1 - RATE) * RESIDUAL - gamma / 2 * _c_N_pl * gamma * L_stale * zeta**2
            ),
        ),
        domain=(gamma > 0, *QUARTIC_FACTS),
        scope="every dimension, number of workers, weights, delay pattern below tau",
        remainder="stale-window and lemma-absorption with rho = 1 - gamma mu",
    ),
)  # fmt: skip

_L_Q, _omega, _p_max, _B, _zeta0 = (
    sympy.Symbol(name, real=True)
    for name in ("L_Q", "variance", "largest_weight", "relative_dissimilarity", "absolute_dissimilarity")
)
_limit = sympy.Rational(71, 5)
_hetero_step = sympy.Min(
    1 / (1 + sympy.Rational(13, 5) * tau), 1 / (_limit * _omega * _B**2), 1 / sympy.sqrt(8 * _omega * _p_max * tau)
) / _L_Q  # fmt: skip
_st = sympy.Symbol("s", real=True)
_n_c = _st + 2 * _st**2 * tau

STALE_HETERO = Theorem(
    id="stale-nonconvex-hetero",
    title="Stale compressed gradients, non-convex, dissimilar workers",
    statement=(
        r"\gamma L_Q\le\min\Big\{\frac1{1+2.6\tau},\frac1{14.2\,\omega B^2},\frac1{\sqrt{8\omega p_{\max}\tau}}\Big\}:\qquad "
        r"\frac1K\sum_{k<K}\mathbb E\lVert\nabla F(x_k)\rVert^2\le\frac{4(F(x_0)-F_{\inf})}{\gamma K}+14.2\,\gamma L_Q\,\omega\zeta_0^2"
    ),
    source=source("4.5"),
    status="derived",
    kind="upper",
    subject=SUBJECT,
    assumptions=(
        EACH_LIPSCHITZ, BOUNDED_BELOW, FRESH, OBLIVIOUS, UNBIASED, INDEPENDENT_WORKERS, WEIGHTED_DISSIMILARITY,
        BOUNDED_DELAY,
    ),
    parameters=(
        Parameter("L_Q", "L_Q", POSITIVE, "", "root mean square of the workers' smoothness constants"),
        parameter("variance"),
        Parameter("relative_dissimilarity", "B", NONNEGATIVE, "", "sum p_i^2 |grad f_i|^2 <= B^2 |grad F|^2 + zeta_0^2"),
        Parameter("absolute_dissimilarity", r"\zeta_0", NONNEGATIVE, "", "sum p_i^2 |grad f_i|^2 <= B^2 |grad F|^2 + zeta_0^2"),
        DELAY,
        Parameter("largest_weight", r"p_{\max}", Range(0, 1, lower_open=True), "", "largest weight of a worker"),
        step_below(_hetero_step),
    ),
    defaults={"step_size": _hetero_step},
    goal="squared_gradient",
    start="objective_gap",
    measure=r"\tfrac1K\sum_{k<K}\mathbb E\lVert\nabla F(x_k)\rVert^2\ \text{from}\ F(x_0)-F_{\inf}",
    step_size=gamma,
    bound=4 * INITIAL / (gamma * K) + _limit * gamma * _L_Q * _omega * _zeta0**2,
    iterations=4 * INITIAL / (gamma * (EPS - _limit * gamma * _L_Q * _omega * _zeta0**2)),
    residual=_limit * gamma * _L_Q * _omega * _zeta0**2,
    proof=Certificate(
        lines=(
            Sign(
                "directions drop out: 1 - s - s tau - 4 s^2 tau^2 >= 0",
                1 - _st - _st * tau - 4 * _st**2 * tau**2,
                where=(_st * (1 + sympy.Rational(13, 5) * tau) <= 1,),
            ),
            Sign(
                "n_c = s + 2 s^2 tau < 1.775 s",
                sympy.Rational(71, 40) * _st - _n_c,
                where=(_st * (1 + sympy.Rational(13, 5) * tau) <= 1,),
            ),
            Sign(
                "4 omega B^2 n_c <= 1/2",
                sympy.S.Half - 4 * _omega * _B**2 * sympy.Rational(71, 40) * _st,
                where=(_limit * _omega * _B**2 * _st <= 1,),
            ),
            Identity(
                "the bound: twice the summed descent, 8 omega zeta^2 n_c <= 14.2 s omega zeta^2",
                gamma * K * BOUND(K) - 4 * INITIAL - K * gamma * _limit * gamma * _L_Q * _omega * _zeta0**2,
            ),
            tends_to_residual(4 * INITIAL / (gamma * K)),
        ),
        domain=(_st > 0, tau >= 0, _omega >= 0),
        scope="every dimension, number of workers, weights, delay pattern below tau",
        remainder="stale-window with c = 1, the noise in terms of gradients at x_k, the summed descent",
    ),
)  # fmt: skip

_A, _N = (sympy.Symbol(name, real=True) for name in ("second_moment_slope", "second_moment_floor"))
_SECOND = (
    Parameter("second_moment_slope", "A", Range(L_hat), "", "E|G|^2 <= 2 A D + N"),
    Parameter("second_moment_floor", "N", Range(0), "", "E|G|^2 <= 2 A D + N"),
)
_second_step = 1 / (_A + tau * sympy.sqrt(_A * L_hat) + mu * tau / 2)
_second_step_convex = 1 / (_A + tau * sympy.sqrt(_A * L_hat))
_xx, _yy = scalars("x y")
_E_q = sympy.Symbol("E_over_q2", real=True)
_SECOND_QUARTIC = Identity(
    "1 - x - (E/q^2) y^2 >= 0 when x + y <= 1 and E <= q^2, with x = gamma A, y = q gamma tau sqrt(A L_hat)",
    1 - _xx - _E_q * _yy**2,
    (
        Term(1 + _yy, Hypothesis("step condition", 1 - _xx - _yy, "step size")),
        Term(_xx * _yy, Hypothesis("one", sympy.S.One, "arithmetic")),
        Term(_yy**2, Hypothesis("E <= q^2", 1 - _E_q, "choice of q")),
    ),
)
_amplified = 1 + gamma * L_hat * tau**2

STALE_SECOND_MOMENT_CONVEX = Theorem(
    id="stale-second-moment-convex",
    title="Stale gradients with any dependence of delays and noise, convex",
    statement=(
        r"\gamma\le\frac1{A+\tau\sqrt{A\hat L}}:\qquad \frac1K\sum_{k<K}\mathbb E[F(x_k)-F^*]\le"
        r"\frac{\lVert x_0-x^*\rVert^2}{2\gamma K}+\frac\gamma2(1+\gamma\hat L\tau^2)N"
    ),
    source=source("4.6"),
    status="derived",
    kind="upper",
    subject=SUBJECT,
    assumptions=(EACH_CONVEX, FRESH, SECOND_MOMENT, BOUNDED_DELAY),
    parameters=(SMOOTHNESS, *_SECOND, DELAY, step_below(_second_step_convex)),
    defaults={"step_size": _second_step_convex},
    goal="objective_gap",
    start="squared_distance",
    measure=r"\tfrac1K\sum_{k<K}\mathbb E\,F(x_k)-F^*\ \text{from}\ \lVert x_0-x^*\rVert^2",
    step_size=gamma,
    bound=INITIAL / (2 * gamma * K) + gamma / 2 * _amplified * _N,
    iterations=INITIAL / (2 * gamma * (EPS - gamma / 2 * _amplified * _N)),
    residual=gamma / 2 * _amplified * _N,
    proof=Certificate(
        lines=(
            _SECOND_QUARTIC,
            Identity("the sum over k < K", 2 * gamma * K * BOUND(K) - INITIAL - K * gamma**2 * _amplified * _N),
            tends_to_residual(INITIAL / (2 * gamma * K)),
        ),
        domain=(_xx >= 0, _yy >= 0, _E_q >= 0),
        scope="every dimension, number of workers, delay pattern below tau, delays may react to the noise",
        remainder="stale-onestep, the pathwise window bound and lemma-absorption",
    ),
)

STALE_SECOND_MOMENT = Theorem(
    id="stale-second-moment",
    title="Stale gradients with any dependence of delays and noise, quadratic growth",
    statement=(
        r"\gamma\le\frac1{A+\tau\sqrt{A\hat L}+\frac12\mu\tau}:\qquad \mathbb E\lVert x_K-x^*\rVert^2\le"
        r"(1-\gamma\mu)^K\lVert x_0-x^*\rVert^2+\frac\gamma\mu(1+\gamma\hat L\tau^2)N"
    ),
    source=source("4.6"),
    status="derived",
    kind="upper",
    subject=SUBJECT,
    assumptions=(EACH_CONVEX, QUADRATIC_GROWTH, FRESH, SECOND_MOMENT, BOUNDED_DELAY),
    parameters=(SMOOTHNESS, CURVATURE, *_SECOND, DELAY, step_below(_second_step)),
    defaults={"step_size": _second_step},
    goal="squared_distance",
    measure=r"\mathbb E\lVert x_K-x^*\rVert^2",
    step_size=gamma,
    rate=1 - gamma * mu,
    residual=gamma / mu * _amplified * _N,
    proof=Certificate(
        lines=(
            _SECOND_QUARTIC,
            Identity("the rate", RATE - (1 - gamma * mu)),
            Identity("the residual is the fixed point", (1 - RATE) * RESIDUAL - gamma**2 * _amplified * _N),
        ),
        domain=(_xx >= 0, _yy >= 0, _E_q >= 0, gamma > 0, mu > 0),
        scope="every dimension, number of workers, delay pattern below tau, delays may react to the noise",
        remainder="stale-onestep, the pathwise window bound, lemma-absorption; E <= q^2 at q = 1 + mu/(2 sqrt(A L_hat))",
    ),
    tightness="Monte Carlo with the least aligned stale gradient: smallest bound / mean 1.001",
)

THEOREMS = (
    STALE_CONVEX, STALE_SC, STALE_SC_REFINED, STALE_NONCONVEX, STALE_PL, STALE_HETERO, STALE_SECOND_MOMENT_CONVEX,
    STALE_SECOND_MOMENT,
)  # fmt: skip
