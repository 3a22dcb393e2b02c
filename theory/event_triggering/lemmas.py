"""Recursions and lemmas (dossier 4.2)."""

from __future__ import annotations

import sympy

from ..assumptions import (
    CONNECTED,
    DOUBLY_STOCHASTIC,
    EACH_LIPSCHITZ,
    EACH_STRONGLY_CONVEX,
    PAST_COPIES,
    STALE_COPIES,
    SYMMETRIC_MIXING,
    UNCORRELATED_NOISE,
    UNIFORM_DISSIMILARITY,
)
from ..certificate import Certificate, Hypothesis, Identity, Sign, Term
from ..gram import inner, mean, scalars, square, vectors
from ..symbols import NONNEGATIVE, Parameter, Range, parameter
from ..theorem import RATE, RESIDUAL, VALUE, Theorem
from .common import (
    CURVATURE,
    POSITIVE_FACTS,
    PULL,
    S_W,
    SUBJECT,
    ZETA,
    L,
    c,
    contraction,
    gamma,
    mu,
    n,
    rho,
    sigma,
    source,
    step_up_to,
    theta,
)

_x_i, _e_i, _g_i, _x, _e, _g, _u_vec = vectors("x[i] e[i] g[i] x_mean e_mean g_mean u")
_pull = PULL.symbol
_w_j, _stale_j = scalars("w[j] distance[j]")

MEAN_DRIFT = Theorem(
    id="mean-drift",
    title="The published update pulls the average towards what was last sent",
    statement=(
        r"\bar x^{k+1}=\bar x^k-\gamma\bar g^k+e^k,\quad e^k=\frac1n\sum_j(1-W_{jj})(\hat x_j^k-x_j^k),\quad "
        r"\lVert e^k\rVert\le(1-\bar w)c_k;\qquad \text{average-preserving update}:\ e^k=0"
    ),
    source=source("4.2"),
    status="derived",
    kind="tight",
    subject=SUBJECT,
    assumptions=(DOUBLY_STOCHASTIC, STALE_COPIES),
    parameters=(PULL, parameter("trigger_threshold")),
    measure=r"\lVert\bar x^{k+1}-\bar x^k+\gamma\bar g^k\rVert",
    value=_pull * c,
    proof=Certificate(
        lines=(
            Identity(
                "the average of the rows (columns of W sum to one): <u, mean of (x - gamma g + e)> for every u",
                inner(_u_vec, _x - gamma * _g + _e) - mean(inner(_u_vec, _x_i - gamma * _g_i + _e_i)),
            ),
            Identity(
                "the average of (1 - W_jj) c",
                VALUE - mean((1 - _w_j) * c, "j"),
                (
                    Term(
                        c,
                        Hypothesis("mean weight", _pull - mean(1 - _w_j, "j"), "definition", equality=True),
                    ),
                ),
            ),
        ),
        domain=(gamma > 0,),
        means={_x_i: _x, _e_i: _e, _g_i: _g},
        scope="every number of workers, every graph",
        remainder="columns of W sum to one; those of W - I to zero",
    ),
    tightness="attained by eg-stuck",
    pitfall="with copies that differ from link to link the average drifts in the other update as well",
)

_moved, _change = vectors("Delta q")

GD_CONTRACTION = Theorem(
    id="gd-contraction",
    title="A gradient step contracts distances",
    statement=(
        r"0<\gamma\le\frac2{L+\mu}:\qquad \lVert "
        r"x-y-\gamma(\nabla\varphi(x)-\nabla\varphi(y))\rVert\le(1-\gamma\mu)\lVert x-y\rVert"
    ),
    source=source("4.2", "Nesterov (2004), Theorem 2.1.12"),
    status="published",
    kind="tight",
    subject=SUBJECT,
    assumptions=(EACH_STRONGLY_CONVEX,),
    parameters=(parameter("L"), CURVATURE, step_up_to(2 / (L + mu))),
    defaults={"step_size": 2 / (L + mu)},
    goal="distance",
    measure=r"\lVert x-y\rVert",
    step_size=gamma,
    rate=1 - gamma * mu,
    proof=Certificate(
        lines=(contraction(_moved, _change, gamma, L, RATE),),
        domain=(*POSITIVE_FACTS, gamma * (L + mu) <= 2),
    ),
    tightness="attained by the quadratic with curvature mu",
)

_A, _q, _b, _s, _t = scalars("A q b s t")
_FACTOR = Parameter("contraction_factor", "q", Range(0, 1, upper_open=True), "", "factor of a linear recursion")
_INPUT = Parameter("input", "b", NONNEGATIVE, "", "what is added in every step")
_SPREAD = Parameter("spread", "s", NONNEGATIVE, "", "standard deviation of the noise of a step")
_qp, _bp, _sp = _FACTOR.symbol, _INPUT.symbol, _SPREAD.symbol

NOISE_RECURSION = Theorem(
    id="noise-recursion",
    title="A linear recursion with noise in the square",
    statement=(r"y_{k+1}^2\le(qy_k+b_k)^2+s^2:\qquad y_k\le q^ky_0+\sum_{t<k}q^{k-1-t}b_t+\frac s{\sqrt{1-q^2}}"),
    source=source("4.2"),
    status="derived",
    kind="tight",
    subject=SUBJECT,
    parameters=(_FACTOR, _INPUT, _SPREAD),
    goal="distance",
    measure=r"y_k",
    rate=_qp,
    residual=_bp / (1 - _qp) + _sp / sympy.sqrt(1 - _qp**2),
    proof=Certificate(
        lines=(
            Identity(
                "one step of A_k + s: (A + s)^2 - (A + q s)^2 - (1 - q^2) s^2 = 2 A s (1 - q), A = q A_k + b_k",
                (_A + _s) ** 2 - (_A + _q * _s) ** 2 - (1 - _q**2) * _s**2 - 2 * _A * _s * (1 - _q),
            ),
            Sign("which is non-negative", 2 * _A * _s * (1 - _q)),
            Identity(
                "constant input: fixed point of A = q A + b",
                (RESIDUAL - _bp / (1 - RATE)) ** 2 * (1 - RATE**2) - _sp**2,
            ),
            Identity("the sum is geometric", _bp / (1 - _qp) - _qp * _bp / (1 - _qp) - _bp),
        ),
        domain=(_A >= 0, _q >= 0, _q < 1, _s >= 0, _qp >= 0, _qp < 1),
        scope="every sequence",
    ),
    tightness="an equality without noise; s/sqrt(1 - q^2) is the stationary standard deviation",
)

_MARGIN = Parameter("margin", "m", Range(0, 1, lower_open=True), "", "contraction margin")
_BIAS = Parameter("bias", r"\bar e", NONNEGATIVE, "", "bias of a step")
_POWER = Parameter("noise_power", "R", NONNEGATIVE, "", "what is added to the square in every step")
_m, _bias, _R = _MARGIN.symbol, _BIAS.symbol, _POWER.symbol
_a, _a_next, _e_bar = scalars("a a_next e_bar")
_margin_q = (1 - _q**2) / (1 + _q**2)
_inverse = (1 + _q**2) / 2  # 1/(1 + m)

BIASED_RECURSION = Theorem(
    id="biased-recursion",
    title="A recursion in squares with a bias that multiplies the next value",
    statement=(
        r"(1+m)a_{k+1}^2\le(1-m)a_k^2+R+2\bar e\,a_{k+1}:\qquad "
        r"a_k\le\Big(\frac{1-m}{1+m}\Big)^{k/2}a_0+\frac{\bar e}m+\sqrt{\frac R{2m}}"
    ),
    source=source("4.2"),
    status="derived",
    kind="upper",
    subject=SUBJECT,
    parameters=(_MARGIN, _BIAS, _POWER),
    goal="distance",
    measure=r"a_k",
    rate=sympy.sqrt((1 - _m) / (1 + _m)),
    residual=_bias / _m + sympy.sqrt(_R / (2 * _m)),
    proof=Certificate(
        lines=(
            Identity(
                "completing the square, m = (1 - q^2)/(1 + q^2), e = A (1 + m), R = 2 m s^2",
                (1 + _margin_q) * (_q**2 * _a**2 + (1 - _q**2) * _s**2 + _A**2 - (_a_next - _A) ** 2)
                - (
                    (1 - _margin_q) * _a**2
                    + 2 * _margin_q * _s**2
                    + 2 * _A * (1 + _margin_q) * _a_next
                    - (1 + _margin_q) * _a_next**2
                ),
            ),
            Identity(
                "one step of t + b + s, A = b m/(1 + m): right - left",
                (_q * _t + _b - _b * _margin_q * _inverse + _s) ** 2
                - _q**2 * (_t + _b + _s) ** 2
                - (1 - _q**2) * _s**2
                - (_b * _margin_q * _inverse) ** 2
                - 2 * _t * _b * _q * (_inverse - _q)
                - 2 * _t * _s * _q * (1 - _q)
                - 2 * _s * _b * (_inverse - _q**2),
            ),
            Sign("first term", _inverse - _q),
            Sign("second term", 1 - _q),
            Sign("third term", _inverse - _q**2),
            Identity("the rate", RATE**2 * (1 + _m) - (1 - _m)),
            Identity("the floor", (RESIDUAL - _bias / _m) ** 2 * 2 * _m - _R),
        ),
        domain=(_q >= 0, _q < 1, _m > 0, _m <= 1),
        scope="every sequence",
    ),
)

_u, _S, _sum, _root_S, _top = scalars("u S A_K root_S top")

MAX_ROOT = Theorem(
    id="max-root",
    title="A square bounded by a sum of its own roots",
    statement=(
        r"u_k^2\le S_k+2\sum_{t\le k}\epsilon_tu_t:\qquad \max_{k\le K}u_k\le A_K+\sqrt{S_K+A_K^2},\quad "
        r"S_K+2\sum_{t\le K}\epsilon_tu_t\le(\sqrt{S_K}+2A_K)^2,\quad A_K=\sum_{t\le K}\epsilon_t"
    ),
    source=source("4.2", "Schmidt, Le Roux, Bach (2011), Lemma 1"),
    status="published",
    kind="upper",
    subject=SUBJECT,
    proof=Certificate(
        lines=(
            Sign(
                "at the largest u: u^2 <= S + 2 A u",
                _sum + _top - _u,
                where=(_u**2 <= _S + 2 * _sum * _u, sympy.Eq(_top**2, _S + _sum**2), _top >= 0),
            ),
            Sign(
                "sqrt(S + A^2) <= sqrt S + A",
                _root_S + _sum - _top,
                where=(sympy.Eq(_top**2, _root_S**2 + _sum**2), _top >= 0),
            ),
            Identity(
                "the second line",
                (_root_S + 2 * _sum) ** 2 - (_root_S**2 + 2 * _sum * (2 * _sum + _root_S)) - 2 * _sum * _root_S,
            ),
        ),
        domain=(_S >= 0, _sum >= 0, _u >= 0, _root_S >= 0),
        scope="every sequence",
    ),
)

_ZETA = ZETA.symbol
_GAIN = Parameter(
    "disagreement_gain", r"a/\sqrt n", NONNEGATIVE, "", "a_W/sqrt n for the published update, |I - W| for the other"
)
_gain = _GAIN.symbol
_q_mix = rho + gamma * L
_steady = (_gain * c + gamma * _ZETA) / (1 - _q_mix) + gamma * sigma / sympy.sqrt(1 - _q_mix**2)

CONSENSUS = Theorem(
    id="consensus",
    title="How far the workers disagree",
    statement=(
        r"q=\rho+\gamma L<1:\qquad \sqrt{V_k}\le\frac{\frac a{\sqrt "
        r"n}c+\gamma\zeta}{1-q}+\frac{\gamma\sigma}{\sqrt{1-q^2}},\quad "
        r"V_k=\tfrac1n\mathbb E\lVert X^k-\mathbf 1\bar x^k\rVert_F^2"
    ),
    source=source("4.2"),
    status="derived",
    kind="upper",
    subject=SUBJECT,
    assumptions=(DOUBLY_STOCHASTIC, CONNECTED, EACH_LIPSCHITZ, UNIFORM_DISSIMILARITY, UNCORRELATED_NOISE, STALE_COPIES),
    parameters=(
        parameter("L"), parameter("mixing_rate"), step_up_to((1 - rho) / L, open_end=True), _GAIN,
        parameter("trigger_threshold"), ZETA, parameter("gradient_noise"),
    ),
    defaults={"step_size": (1 - rho) / (2 * L)},
    measure=r"\sqrt{V_k}",
    step_size=gamma,
    value=_steady,
    proof=Certificate(
        lines=(
            Identity(
                "without noise: fixed point of r = q r + a c + gamma zeta, per worker",
                (_gain * c + gamma * _ZETA) / (1 - _q_mix) * (1 - _q_mix) - (_gain * c + gamma * _ZETA),
            ),
            Identity(
                "the noise's part",
                (VALUE - (_gain * c + gamma * _ZETA) / (1 - _q_mix)) ** 2 * (1 - _q_mix**2) - (gamma * sigma) ** 2,
            ),
            Sign("the noise that is left after removing the average", sigma**2 - (n - 1) / n * sigma**2),
            Sign(
                "half the gap remains for gamma L <= theta/2",
                (1 - _q_mix) - (1 - rho) / 2,
                where=(2 * gamma * L <= 1 - rho,),
            ),
        ),
        domain=(rho >= 0, gamma > 0, L > 0, _q_mix < 1, n >= 1),
        scope="every number of workers, every doubly stochastic W, every trigger",
        remainder="noise-recursion for the root mean square of X - 1 x_mean; Minkowski",
    ),
    tightness="smallest slack seen 0.0015",
)  # fmt: skip

_largest, _previous, _power_one = scalars("R_k R_previous power")
_kick = 2 * (S_W * c + gamma * _ZETA / theta + gamma * sigma / sympy.sqrt(1 - (1 - theta) ** 2))

GOSSIP_SUM = Theorem(
    id="gossip-sum",
    title="The average-preserving update feels the spectral gap only logarithmically",
    statement=(
        r"S_W=\sum_{t\ge0}\max_{i\ge2}\lvert\lambda_i\rvert^t(1-\lambda_i),\ \gamma L\le\tfrac\theta2:\quad "
        r"\sup_k\sqrt{V_k}\le"
        r"2\Big[S_Wc+\frac{\gamma\zeta}\theta+\frac{\gamma\sigma}{\sqrt{1-\rho^2}}\Big],\quad "
        r"S_W\le2+\tfrac12\ln\Big\lceil\frac1\beta\Big\rceil\ (\lambda_n\ge0)"
    ),
    source=source("4.2"),
    status="derived",
    kind="upper",
    subject=SUBJECT,
    assumptions=(SYMMETRIC_MIXING, CONNECTED, EACH_LIPSCHITZ, UNIFORM_DISSIMILARITY, UNCORRELATED_NOISE, STALE_COPIES),
    parameters=(
        parameter("L"), parameter("spectral_gap"), step_up_to(theta / (2 * L)), parameter("gossip_sum"),
        parameter("trigger_threshold"), ZETA, parameter("gradient_noise"),
    ),
    defaults={"step_size": theta / (2 * L)},
    measure=r"\sup_k\sqrt{V_k}",
    step_size=gamma,
    value=_kick,
    proof=Certificate(
        lines=(
            Sign(
                "the running maximum: R_k <= gamma L R_previous/theta + input",
                2 * _b - _largest,
                where=(
                    _largest <= gamma * L * _previous / theta + _b, _previous <= _largest, 2 * gamma * L <= theta,
                    _previous >= 0, _b >= 0,
                ),
            ),
            Identity(
                "the input",
                (VALUE / 2 - S_W * c - gamma * _ZETA / theta) ** 2 * (1 - (1 - theta) ** 2) - (gamma * sigma) ** 2,
            ),
            Sign(
                "lambda^t (1 - lambda) is largest where t (1 - lambda) = lambda: its logarithmic slope",
                _t * (1 - rho) - rho,
                where=(rho <= _t / (_t + 1), _t > 0),
            ),
        ),
        domain=(theta > 0, theta <= 1, gamma > 0, L > 0, rho >= 0, rho < 1),
        scope="every number of workers, every symmetric W, every trigger",
        remainder="the unrolled recursion; |(W - J)^s (W - I)| = max |lambda|^s (1 - lambda) sums to S_W",
    ),
    tightness="attained for two workers by a greedy adversary",
)  # fmt: skip

_r, _h, _nu, _e_vec = vectors("r h nu e")
_F_delta, _F_next, _F_star, _V = scalars("F_delta F_next F_star V")
_step = -gamma * (_h + _nu) + _e_vec

MEAN_ORACLE_STEP = Theorem(
    id="mean-oracle-step",
    title="One step of the average is a step with an inexact oracle",
    statement=(
        r"\gamma\le\tfrac1L,\ s=-\gamma(h+\bar\nu)+e:\quad 2\gamma(F(\bar x^+)-F^*)+\lVert\bar "
        r"x^+-x^*\rVert^2\le(1-\gamma\mu)\lVert\bar x-x^*\rVert^2"
        r"+\gamma(L-\mu)V-(1-\gamma L)\lVert s\rVert^2+2\langle e-\gamma\bar\nu,\bar x^+-x^*\rangle"
    ),
    source=source("4.2", "Devolder, Glineur, Nesterov (2014) for the oracle; the statement is derived"),
    status="derived",
    kind="upper",
    subject=SUBJECT,
    assumptions=(DOUBLY_STOCHASTIC, EACH_STRONGLY_CONVEX, PAST_COPIES),
    proof=Certificate(
        lines=(
            Identity(
                "right side - left side",
                (1 - gamma * mu) * square(_r)
                + gamma * (L - mu) * _V
                - (1 - gamma * L) * square(_step)
                + 2 * inner(_e_vec - gamma * _nu, _r + _step)
                - 2 * gamma * (_F_next - _F_star)
                - square(_r + _step),
                (
                    Term(
                        2 * gamma,
                        Hypothesis(
                            "smoothness of every f_i at its own point, averaged",
                            _F_delta + inner(_h, _step) + L / 2 * (square(_step) + _V) - _F_next,
                            "each_lipschitz",
                        ),
                    ),
                    Term(
                        2 * gamma,
                        Hypothesis(
                            "strong convexity at the workers' points, seen from x*, averaged",
                            _F_star - _F_delta + inner(_h, _r) - mu / 2 * (square(_r) + _V),
                            "each_strongly_convex",
                        ),
                    ),
                ),
            ),
        ),
        domain=(gamma > 0, mu >= 0, L > 0),
        scope="every number of workers, both updates, every trigger",
        remainder="sum over i of (x_mean - x_i) = 0",
    ),
    tightness="performance estimation / bound .990 (V = 0), .90 to .95 (V = .5), .36 for large V",
)

THEOREMS = (
    MEAN_DRIFT, GD_CONTRACTION, NOISE_RECURSION, BIASED_RECURSION, MAX_ROOT, CONSENSUS, GOSSIP_SUM, MEAN_ORACLE_STEP,
)  # fmt: skip
