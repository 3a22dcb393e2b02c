"""Gradient tracking, mixing weights and changing networks (dossier 4.9)."""

from __future__ import annotations

import sympy

from ..assumptions import (
    AVERAGE_PRESERVING,
    CONNECTED,
    DOUBLY_STOCHASTIC,
    EACH_LIPSCHITZ,
    EXACT_GRADIENT,
    STALE_COPIES,
    STRONGLY_CONVEX,
    SYMMETRIC_MIXING,
    UNIFORM_DISSIMILARITY,
)
from ..certificate import Certificate, Identity, Sign
from ..gram import scalars
from ..symbols import COUNT, NONNEGATIVE, POSITIVE, Parameter, Range, parameter
from ..theorem import RATE, RESIDUAL, VALUE, Theorem
from .common import (
    CURVATURE,
    POSITIVE_FACTS,
    SUBJECT,
    ZETA,
    ZETA_STAR,
    B,
    L,
    a_W,
    beta,
    c,
    gamma,
    kappa,
    mu,
    n,
    source,
    step_up_to,
    theta,
)

_z = gamma * L
_v3 = L * (B + _z + 2 * kappa * _z) / (theta - _z - gamma * mu / 2)
_gt_step = sympy.Min(theta / 4, theta**2 / (4 * B), theta / (2 * sympy.sqrt(1 + 2 * kappa))) / L
_TRACKER = Parameter("tracker_threshold", "d", NONNEGATIVE, "", "threshold of the trackers' trigger")
_d = _TRACKER.symbol
_input = B * sympy.sqrt(n) * sympy.Max(c, (L * c + _d) / _v3)

EVENT_GT = Theorem(
    id="event-gt",
    title="Event-triggered gradient tracking: no bias, no floor",
    statement=(
        r"z=\gamma L\le\min\Big\{\frac\theta4,\frac{\theta^2}{4B},\frac\theta{2\sqrt{1+2\kappa}}\Big\}:\quad "
        r"\mathcal V_{k+1}\le\Big(1-\frac{\gamma\mu}2\Big)\mathcal V_k+B\sqrt "
        r"n\max\Big(c_k,\frac{Lc_k+d_k}{v_3}\Big),\quad "
        r"\mathcal V=\max\Big(\frac{\sqrt n\lVert\bar "
        r"x-x^*\rVert}{2\kappa},\lVert\Xi_x\rVert_F,\frac{\lVert\Xi_y\rVert_F}{v_3}\Big)"
    ),
    source=source("4.9", "gradient tracking: Nedic, Olshevsky, Shi (2017), Qu, Li (2018); the statement is derived"),
    status="derived",
    kind="upper",
    subject=SUBJECT,
    assumptions=(
        AVERAGE_PRESERVING, DOUBLY_STOCHASTIC, CONNECTED, EACH_LIPSCHITZ, STRONGLY_CONVEX, EXACT_GRADIENT, STALE_COPIES,
    ),
    parameters=(
        parameter("L"), CURVATURE, parameter("spectral_gap"), parameter("mixing_strength"), step_up_to(_gt_step),
        parameter("trigger_threshold"), _TRACKER, parameter("workers"),
    ),
    defaults={"step_size": _gt_step},
    goal="potential",
    measure=r"\mathcal V_k",
    step_size=gamma,
    rate=1 - gamma * mu / 2,
    residual=2 * _input / (gamma * mu),
    proof=Certificate(
        lines=(
            Identity(
                "first row of M v = RATE v, v = (2 kappa, 1, v3)",
                (1 - gamma * mu) * 2 * kappa + gamma * L - RATE * 2 * kappa,
            ),
            Identity(
                "third row: (rho + z) v3 + L (B + z) + gamma L^2 2 kappa = RATE v3",
                (1 - theta + _z) * _v3 + L * (B + _z) + gamma * L**2 * 2 * kappa - RATE * _v3,
            ),
            Sign("the third component is positive", theta - _z - gamma * mu / 2, strict=True),
            Sign(
                "second row: rho + gamma v3 <= RATE, multiplied out",
                (theta - gamma * mu / 2) * (theta - _z - gamma * mu / 2) - _z * (B + _z + 2 * kappa * _z),
            ),
            Identity("the floor: fixed point of V = RATE V + input", RESIDUAL * (1 - RATE) - _input),
        ),
        domain=(
            *POSITIVE_FACTS, theta > 0, theta <= 1, B > 0, 4 * _z <= theta, 4 * B * _z <= theta**2,
            4 * _z**2 * (mu + 2 * L) <= theta**2 * mu,
        ),
        scope="every number of workers, every doubly stochastic W, every trigger; the f_i may be non-convex",
        remainder="the trackers' average is the average gradient whatever the copies are; three inequalities for norms",
    ),
    tightness=(
        "one step attained without thresholds (performance estimation, F strongly convex at the averages); smallest "
        "slack of runs .002"
    ),
    pitfall="both vectors are sent: count both",
)  # fmt: skip

_eta, _A_part, _B_part, _root, _gap_sdp = scalars("eta threshold_part bias_part eta_star varsigma")
_zeta_star = ZETA_STAR.symbol
_lazy = gamma * sympy.sqrt(mu * _zeta_star * sympy.sqrt((kappa + 1) / 2) * sympy.sqrt(n) / (a_W * c * beta))

OPTIMAL_WEIGHTS = Theorem(
    id="optimal-weights",
    title="The larger the threshold, the lazier the best mixing",
    statement=(
        r"W_\eta=(1-\eta)I+\eta W,\quad \frac{\eta a_Wc}{\sqrt "
        r"n\gamma\mu}+\frac{\gamma\zeta_*\sqrt{(\kappa+1)/2}}{\eta\beta}\ \text{is smallest at}\ "
        r"\eta^*=\min\Big\{1,\gamma\sqrt{\frac{\mu\zeta_*\sqrt{(\kappa+1)/2}\sqrt n}{a_Wc\,\beta}}\Big\}"
    ),
    source=source("4.9"),
    status="derived",
    kind="tight",
    subject=SUBJECT,
    assumptions=(SYMMETRIC_MIXING, CONNECTED),
    parameters=(
        parameter("L"), CURVATURE, parameter("step_size"), ZETA_STAR,
        parameter("mixing_pull", Range(0, lower_open=True)), parameter("trigger_threshold", Range(0, lower_open=True)),
        parameter("mixing_gap"), parameter("workers"),
    ),
    measure=r"\eta^*",
    value=sympy.Min(1, _lazy),
    proof=Certificate(
        lines=(
            Identity(
                "stationary: eta^2 = bias part/threshold part",
                sympy.diff(_eta * _A_part + _B_part / _eta, _eta) * _eta**2 - (_A_part * _eta**2 - _B_part),
            ),
            Sign("convex in eta", sympy.diff(_eta * _A_part + _B_part / _eta, _eta, 2)),
            Sign("beyond 1 it still falls at 1", _B_part - _A_part, where=(_B_part >= _A_part * _root**2, _root >= 1)),
            Sign("one over the gap is convex", sympy.diff(1 / _gap_sdp, _gap_sdp, 2)),
            Identity("the formula", VALUE - sympy.Min(1, _lazy)),
        ),
        domain=(_eta > 0, _A_part > 0, _B_part >= 0, _gap_sdp > 0),
        scope="every symmetric W",
    ),
    tightness="an equality along the segment from I to W; a semidefinite program over all W",
    checked_by=("tests/theory/test_event_triggering.py::test_the_best_damping",),
)  # fmt: skip

_SPAN = Parameter("span", "b", COUNT, "iterations", "number of iterations after which the product contracts")
_RATE_B = Parameter(
    "span_rate", r"\rho_b", Range(0, 1, upper_open=True), "", "spectral norm of the product over the span, minus J"
)
_GAIN = Parameter("mixing_input", "a", POSITIVE, "", "factor of the threshold in the disagreement")
_b, _rho_b, _a = _SPAN.symbol, _RATE_B.symbol, _GAIN.symbol
_gain_total = _b / (1 - _rho_b) + _b - 1
_r, _iota = scalars("r iota")

TIME_VARYING = Theorem(
    id="time-varying",
    title="Networks that change, connected over a span",
    statement=(
        r"\lVert W_{k+b-1}\cdots W_k-J\rVert\le\rho_b,\ \gamma L\Big(\frac b{1-\rho_b}+b-1\Big)\le\tfrac12:\quad "
        r"\sup_kr_k\le2\Big(\frac b{1-\rho_b}+b-1\Big)(ac+\gamma\sqrt n\,\zeta)"
    ),
    source=source("4.9"),
    status="derived",
    kind="upper",
    subject=SUBJECT,
    assumptions=(DOUBLY_STOCHASTIC, EACH_LIPSCHITZ, UNIFORM_DISSIMILARITY, STALE_COPIES, EXACT_GRADIENT),
    parameters=(
        _SPAN, _RATE_B, _GAIN, parameter("trigger_threshold"), parameter("step_size"), ZETA, parameter("workers"),
    ),
    measure=r"\sup_k\lVert X^k-\mathbf1\bar x^k\rVert_F",
    value=2 * _gain_total * (_a * c + gamma * sympy.sqrt(n) * ZETA.symbol),
    proof=Certificate(
        lines=(
            Identity("fixed point of r = rho_b r + b iota", _b * _iota / (1 - _rho_b) * (1 - _rho_b) - _b * _iota),
            Sign(
                "the disagreement feeds back at most half of itself",
                2 * _iota * _gain_total - _r,
                where=(_r <= _gain_total * (_iota + gamma * L * _r), 2 * gamma * L * _gain_total <= 1),
            ),
            Identity("the value", VALUE - 2 * _gain_total * (_a * c + gamma * sympy.sqrt(n) * ZETA.symbol)),
        ),
        domain=(_rho_b >= 0, _rho_b < 1, _b >= 1, _r >= 0, _iota >= 0, gamma > 0, L > 0),
        scope="every number of workers, every sequence of symmetric doubly stochastic matrices",
        remainder="each W_k is non-expansive; between multiples of b at most (b - 1) iota is added",
    ),
)  # fmt: skip

THEOREMS = (EVENT_GT, OPTIMAL_WEIGHTS, TIME_VARYING)
