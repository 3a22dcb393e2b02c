"""Messages that are stored and used again, biased messages, and the max-recursion route (dossier 4.7–4.9)."""

from __future__ import annotations

import sympy

from ..assumptions import (
    ABSOLUTE,
    BOUNDED_DELAY,
    EACH_CONVEX,
    FRESH,
    INDEPENDENT_WORKERS,
    NOISE,
    OBLIVIOUS,
    QUADRATIC_GROWTH,
    STORED,
    STRONGLY_CONVEX,
    UNBIASED,
    WINDOW_MOMENT,
)
from ..certificate import Certificate, Identity, Sign, Square
from ..gram import inner, scalars, square, vectors
from ..symbols import NONNEGATIVE, Parameter, Range, parameter
from ..theorem import BOUND, EPS, INITIAL, RATE, RESIDUAL, STEP_SIZE, K, Theorem
from .bounds import FLOOR, SLOPE, SMOOTHNESS, step_below
from .common import B_0, CURVATURE, DELAY, N_0, SUBJECT, L_hat, a, b, gamma, mu, source, tau, tends_to_residual

_x, _E, _T = scalars("x E T")

# The absorption condition of stored messages with c = beta = 1 and T <= tau E.
_psi = a * (2 * (1 + a * tau * _T) + _T) + b * (2 * (1 + a * tau * _T) + tau * (_E + 1))
_stored_step = 1 / (2 * (L_hat + B_0) * (1 + tau))
_stored_noise = 1 + sympy.Rational(3, 2) * tau

STORED_CONVEX = Theorem(
    id="stale-stored-convex",
    title="A memory of compressed messages, convex",
    statement=(
        r"\gamma\le\frac1{2(\hat L+B_0)(1+\tau)}:\qquad \frac1K\sum_{k<K}\mathbb E[F(x_k)-F^*]\le"
        r"\frac{\lVert x_0-x^*\rVert^2}{2\gamma K}+\gamma N_0\big(1+\tfrac32\tau\big)"
    ),
    source=source("4.9"),
    status="derived",
    kind="upper",
    subject=SUBJECT,
    assumptions=(EACH_CONVEX, OBLIVIOUS, UNBIASED, NOISE, INDEPENDENT_WORKERS, STORED, BOUNDED_DELAY),
    parameters=(SMOOTHNESS, SLOPE, FLOOR, DELAY, step_below(_stored_step)),
    defaults={"step_size": _stored_step},
    goal="objective_gap",
    start="squared_distance",
    measure=r"\tfrac1K\sum_{k<K}\mathbb E\,F(x_k)-F^*\ \text{from}\ \lVert x_0-x^*\rVert^2",
    step_size=gamma,
    bound=INITIAL / (2 * gamma * K) + gamma * N_0 * _stored_noise,
    iterations=INITIAL / (2 * gamma * (EPS - gamma * N_0 * _stored_noise)),
    residual=gamma * N_0 * _stored_noise,
    proof=Certificate(
        lines=(
            Sign(
                "absorption: Psi <= 1 at E = 1, T = tau for (a + b)(2 + 2 tau) <= 1",
                1 - _psi.subs({_E: 1, _T: tau}),
                where=((a + b) * (2 + 2 * tau) <= 1,),
            ),
            Sign(
                "noise per step: gamma^2 N_0 [2 + 2 a tau T + 2 tau] <= gamma^2 N_0 (2 + 3 tau) for a tau <= 1/2",
                (2 + 3 * tau) - (2 + 2 * a * tau * tau + 2 * tau),
                where=(2 * a * tau <= 1,),
            ),
            Identity("the sum over k < K", 2 * gamma * K * BOUND(K) - INITIAL - K * gamma**2 * N_0 * (2 + 3 * tau)),
            tends_to_residual(INITIAL / (2 * gamma * K)),
        ),
        domain=(a >= 0, b >= 0, tau >= 0, gamma > 0),
        scope="every dimension, number of workers, weights, refresh pattern below tau",
        remainder="orthogonality of the noise of messages drawn at different times; each message charged once per use",
    ),
    tightness="a factor 4 below the necessary step for one worker, at every tau and variance",
    pitfall="with the step of stale-convex the stored method can diverge",
)

_kappa_inverse = mu / L_hat
_stored_step_sc = 1 / ((L_hat + B_0) * (2 + (2 + _kappa_inverse) * tau))

STORED_SC = Theorem(
    id="stale-stored-sc",
    title="A memory of compressed messages under quadratic growth",
    statement=(
        r"\gamma\le\frac1{(\hat L+B_0)(2+(2+\hat\kappa^{-1})\tau)}:\qquad \mathbb E\lVert x_K-x^*\rVert^2\le"
        r"(1-\gamma\mu)^K\lVert x_0-x^*\rVert^2+\frac{\gamma N_0(2+4\tau)}\mu"
    ),
    source=source("4.9"),
    status="derived",
    kind="upper",
    subject=SUBJECT,
    assumptions=(
        EACH_CONVEX, QUADRATIC_GROWTH, OBLIVIOUS, UNBIASED, NOISE, INDEPENDENT_WORKERS, STORED, BOUNDED_DELAY,
    ),
    parameters=(SMOOTHNESS, CURVATURE, SLOPE, FLOOR, DELAY, step_below(_stored_step_sc)),
    defaults={"step_size": _stored_step_sc},
    goal="squared_distance",
    measure=r"\mathbb E\lVert x_K-x^*\rVert^2",
    step_size=gamma,
    rate=1 - gamma * mu,
    residual=gamma * N_0 * (2 + 4 * tau) / mu,
    proof=Certificate(
        lines=(
            Sign(
                "absorption: Psi <= 1 with T <= tau E, E <= (2 + x)^2/(4 + x), E <= 1 + x, x = 1/kappa",
                1 - _psi.subs(_T, tau * _E),
                where=(
                    (a + b) * (2 + (2 + _x) * tau) <= 1, _E * (4 + _x) <= (2 + _x) ** 2, 1 + _x >= _E, _E >= 1,
                    _x > 0, _x <= 1,
                ),
            ),
            Identity("the rate", RATE - (1 - gamma * mu)),
            Identity(
                "the residual is the fixed point", (1 - RATE) * RESIDUAL - gamma**2 * N_0 * (2 + 4 * tau)
            ),
        ),
        domain=(a >= 0, b >= 0, tau >= 0, gamma > 0, mu > 0),
        scope="every dimension, number of workers, weights, refresh pattern below tau",
        remainder="as stale-stored-convex; rho^(-tau) <= exp(1/(2 kappa + 1)) satisfies both bounds on E",
    ),
    pitfall="with the step of stale-sc the stored method can diverge",
)  # fmt: skip

_kappa_abs = parameter("absolute_error").symbol
_step_abs = 1 / (2 * L_hat * (1 + tau))
_rr, _delta = vectors("r delta")
_young = Square(gamma / (2 * mu), mu * _rr + 2 * _delta)

STALE_ABSOLUTE = Theorem(
    id="stale-absolute",
    title="Biased messages of bounded error",
    statement=(
        r"\gamma=\frac1{2\hat L(1+\tau)}:\qquad \mathbb E\lVert x_K-x^*\rVert^2\le\Big(1-\frac{\gamma\mu}2\Big)^K"
        r"\lVert x_0-x^*\rVert^2+\Big(\frac4{\mu^2}+\frac2{\hat L\mu}\Big)\bar\kappa^2"
    ),
    source=source("4.8"),
    status="derived",
    kind="upper",
    subject=SUBJECT,
    assumptions=(EACH_CONVEX, QUADRATIC_GROWTH, ABSOLUTE, BOUNDED_DELAY),
    parameters=(SMOOTHNESS, CURVATURE, parameter("absolute_error"), DELAY),
    goal="squared_distance",
    measure=r"\mathbb E\lVert x_K-x^*\rVert^2",
    step_size=_step_abs,
    rate=1 - _step_abs * mu / 2,
    residual=(4 / mu**2 + 2 / (L_hat * mu)) * _kappa_abs**2,
    proof=Certificate(
        lines=(
            Identity(
                "Young: -2 gamma <delta, r> <= gamma mu/2 |r|^2 + 2 gamma/mu |delta|^2",
                gamma * mu / 2 * square(_rr) + 2 * gamma / mu * square(_delta) + 2 * gamma * inner(_delta, _rr),
                (),
                (_young,),
            ),
            Sign(
                "absorption: q T <= p with T <= tau E, E <= 3/2 > exp(1/3)",
                (1 - 2 * a) - 2 * a**2 * tau * tau * sympy.Rational(3, 2),
                where=(2 * a * (1 + tau) <= 1,),
            ),
            Sign(
                "noise: 2/mu + 2 gamma + 2 gamma^2 L_hat tau^2 <= 2/mu + 1/L_hat",
                1 / L_hat - 2 * gamma - 2 * gamma**2 * L_hat * tau**2,
                where=(2 * gamma * L_hat * (1 + tau) <= 1,),
            ),
            Identity(
                "the residual is the fixed point",
                (1 - RATE) * RESIDUAL - STEP_SIZE * (2 / mu + 1 / L_hat) * _kappa_abs**2,
            ),
        ),
        domain=(a >= 0, tau >= 0, gamma > 0, mu > 0, L_hat >= mu),
        scope="every dimension, number of workers, delay pattern below tau, any dependence; stored messages allowed",
        remainder="stale-onestep, the pathwise window bound and lemma-absorption",
    ),
    tightness="a constant error gives the residual kappa^2/mu^2, so the order is right",
)

_P, _R, _LQ = scalars("max_slope max_floor L_stale")
_MAX = (
    Parameter("max_slope", "P", Range(mu**2), "", "E|G_j|^2 <= P max V + R"),
    Parameter("max_floor", "R", NONNEGATIVE, "", "E|G_j|^2 <= P max V + R"),
)
_max_step = sympy.Min(mu / _P, mu / (_LQ * tau * sympy.sqrt(_P))) / 2
_ampl = 1 + gamma * _LQ**2 * tau**2 / mu

STALE_MAXREC = Theorem(
    id="stale-maxrec",
    title="The max-recursion route (baseline)",
    statement=(
        r"\gamma\le\tfrac12\min\Big\{\frac\mu P,\frac\mu{L_Q\tau\sqrt P}\Big\}:\qquad \mathbb E\lVert x_k-x^*\rVert^2\le"
        r"\Big(1-\frac{\gamma\mu}4\Big)^{k/(1+2\tau)}\lVert x_0-x^*\rVert^2+\frac{4\gamma R}\mu\Big(1+\frac{\gamma L_Q^2\tau^2}\mu\Big)"
    ),
    source=source("4.7", "technique of the paper, recalled; constants derived"),
    status="derived",
    kind="upper",
    subject=SUBJECT,
    assumptions=(EACH_CONVEX, STRONGLY_CONVEX, FRESH, OBLIVIOUS, WINDOW_MOMENT, BOUNDED_DELAY),
    parameters=(
        parameter("mu"), parameter("L_stale", Range(mu)), *_MAX, DELAY, step_below(_max_step),
    ),
    defaults={"step_size": _max_step},
    goal="squared_distance",
    measure=r"\mathbb E\lVert x_K-x^*\rVert^2",
    step_size=gamma,
    rate=(1 - gamma * mu / 4) ** (1 / (1 + 2 * tau)),
    residual=4 * gamma * _R / mu * _ampl,
    proof=Certificate(
        lines=(
            Sign(
                "a + q <= 1 - gamma mu/4: gamma P (1 + gamma L_Q^2 tau^2/mu) <= 3 mu/4",
                sympy.Rational(3, 4) * mu - gamma * _P * _ampl,
                where=(2 * gamma * _P <= mu, 4 * gamma**2 * _LQ**2 * tau**2 * _P <= mu**2),
            ),
            Identity("the residual: r over 1 - a - q", RESIDUAL * gamma * mu / 4 - gamma**2 * _R * _ampl),
            Identity("the rate", RATE - (1 - gamma * mu / 4) ** (1 / (1 + 2 * tau))),
        ),
        domain=(gamma > 0, mu > 0, _P > 0, tau >= 0, _LQ > 0),
        scope="every dimension, number of workers, delay pattern below tau",
        remainder="lemma-max-recursion with window 2 tau",
    ),
    tightness="complexity of order kappa^2: kept as a baseline only",
)  # fmt: skip

THEOREMS = (STORED_CONVEX, STORED_SC, STALE_ABSOLUTE, STALE_MAXREC)
