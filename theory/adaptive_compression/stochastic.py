"""Convergence of stochastic sparsification, SS (dossier 3.5–3.9)."""

from __future__ import annotations

import sympy

from ..assumptions import (
    BOUNDED_BELOW,
    CONVEX,
    EXACT_GRADIENT,
    L_SMOOTH,
    LIPSCHITZ_GRADIENT,
    PL,
    STOCHASTIC_GRADIENT,
    STRONGLY_CONVEX,
    UNBIASED,
)
from ..certificate import Certificate, Hypothesis, Identity, Square, Term
from ..gram import inner, mean, scalars, square, vectors
from ..hypotheses import Point, convex_interpolation, interpolation, monotone, pl
from ..symbols import NONNEGATIVE, Range, parameter
from ..theorem import BOUND, DECREASE, EPS, INITIAL, RATE, RESIDUAL, STEP_SIZE, K, Theorem
from .common import (
    AT,
    BEST,
    CURVATURE,
    CURVATURE_FACTS,
    L_FACTS,
    SMOOTHNESS,
    SUBJECT,
    F,
    F_inf,
    F_next,
    L,
    e,
    g,
    gamma,
    gap,
    gap_next,
    m,
    mu,
    omega,
    source,
    step_parameter,
    unit_facts,
)

# Expectation over the compressor: Mean(xi, .); Q[xi] is one outcome, F_Q[xi] the value it leads to, F_next its mean.
(Q,) = vectors("Q[xi]")
(F_Q,) = scalars("F_Q[xi]")
_second_moment = sympy.Symbol("second_moment", real=True)
EXPECTATION = {Q: g, F_Q: F_next, square(Q): _second_moment}
MOMENT = Hypothesis("second moment of Q", square(g) / omega - _second_moment, "unbiased")


def expected_smoothness(step: sympy.Expr) -> Term:
    """Smoothness from x to x - step Q, averaged over the compressor."""
    outcome = F - step * inner(g, Q) + L * step**2 / 2 * square(Q) - F_Q
    return Term(sympy.S.One, Hypothesis("smoothness from x to x+, for every outcome", outcome, "L_smooth"), index="xi")


SS_DESCENT = Theorem(
    id="ss-descent",
    title="Descent of stochastic sparsification",
    statement=(
        r"\mathbb E F(x-\gamma Q)\le F(x)-\gamma\lVert g\rVert^2+\frac{L\gamma^2}{2\omega}\lVert g\rVert^2,\qquad "
        r"\gamma=\frac\omega L:\ \mathbb EF(x^+)\le F(x)-\frac{\omega}{2L}\lVert g\rVert^2"
    ),
    source=source("3.5"),
    status="published",
    kind="tight",
    subject=SUBJECT,
    assumptions=(L_SMOOTH, EXACT_GRADIENT, UNBIASED),
    parameters=(SMOOTHNESS, parameter("omega"), step_parameter(2 * omega / L, upper_open=True)),
    defaults={"step_size": omega / L},
    measure=r"(F(x)-\mathbb E F(x^+))\,2L/\lVert g\rVert^2",
    step_size=gamma,
    decrease=2 * L * gamma - L**2 * gamma**2 / omega,
    proof=Certificate(
        lines=(
            Identity(
                "one step",
                F - F_next - DECREASE * square(g) / (2 * L),
                (expected_smoothness(gamma), Term(L * gamma**2 / 2, MOMENT)),
            ),
            Identity(
                "the best step gives omega",
                omega - DECREASE,
                (),
                (Square(1 / omega, L * gamma - omega),),
            ),
        ),
        domain=(*L_FACTS, *unit_facts(omega), gamma > 0),
        means=EXPECTATION,
        scope="every dimension, every unbiased compressor with that second moment",
    ),
    tightness="equality on F = L/2 |x|^2",
)

_CERTIFIED = STEP_SIZE - L * STEP_SIZE**2 / (2 * omega)
_DESCENT = Hypothesis("ss-descent", F - F_next - _CERTIFIED * square(g), "L_smooth, unbiased")

SS_PL_RATE = Theorem(
    id="ss-pl-rate",
    title="Linear rate of stochastic sparsification",
    statement=(
        r"\mathbb E[\Delta_{k+1}\mid x_k]\le\Big(1-\frac{\omega_k}\kappa\Big)\Delta_k,\qquad \omega_k\ge\omega:\ "
        r"\mathbb E\Delta_K\le\Big(1-\frac\omega\kappa\Big)^K\Delta_0,\qquad "
        r"N=\min\Big\{K:\sum_{k<K}\omega_k\ge\kappa\ln\frac{\Delta_0}\varepsilon\Big\}:\ \mathbb E\Delta_N\le\varepsilon"
    ),
    source=source("3.5"),
    status="published",
    kind="upper",
    subject=SUBJECT,
    assumptions=(L_SMOOTH, PL, EXACT_GRADIENT, UNBIASED),
    parameters=(SMOOTHNESS, CURVATURE, parameter("omega")),
    goal="objective_gap",
    measure=r"\mathbb E\,F(x_K)-F^*",
    step_size=omega / L,
    rate=1 - omega * m,
    proof=Certificate(
        lines=(
            Identity(
                "one step",
                RATE * gap - gap_next,
                (Term(sympy.S.One, _DESCENT), Term(omega / (2 * L), pl(AT, mu))),
            ),
        ),
        domain=(*CURVATURE_FACTS, *unit_facts(omega)),
        remainder="stopping rule: optional stopping of the supermartingale gap_k exp(S_k/kappa)",
    ),
    tightness="exact if PL is used only at the current point; with PL at every point the worst case is smaller",
    pitfall="E gap_K <= prod(1 - omega_k/kappa) gap_0 is meaningless: the omega_k are random",
    checked_by=("tests/verification/test_experiment.py::test_stopping_rule_of_stochastic_sparsification",),
)

_rel = parameter("relative_step").symbol
_largest = sympy.Max((1 - _rel * mu) ** 2, (1 - _rel * L) ** 2)
_MONOTONE = monotone(AT, BEST, L, mu)

SS_DISTANCE_EXACT = Theorem(
    id="ss-distance-exact",
    title="Distance to the minimiser under stochastic sparsification, exact",
    statement=(
        r"\gamma=\omega\gamma':\quad \mathbb E\lVert x^+-x^*\rVert^2=(1-\omega)\lVert x-x^*\rVert^2+"
        r"\omega\lVert x-\gamma'g-x^*\rVert^2\le\Big(1-\omega+\omega\max\{(1-\gamma'\mu)^2,(1-\gamma'L)^2\}\Big)"
        r"\lVert x-x^*\rVert^2"
    ),
    source=source("3.6"),
    status="derived",
    kind="tight",
    subject=SUBJECT,
    assumptions=(STRONGLY_CONVEX, LIPSCHITZ_GRADIENT, EXACT_GRADIENT, UNBIASED),
    parameters=(
        SMOOTHNESS,
        CURVATURE,
        parameter("omega"),
        parameter("relative_step", Range(0, 2 / L, lower_open=True, upper_open=True)),
    ),
    defaults={"relative_step": 2 / (L + mu)},
    goal="squared_distance",
    measure=r"\mathbb E\lVert x_K-x^*\rVert^2",
    step_size=omega * _rel,
    rate=1 - omega + omega * _largest,
    proof=Certificate(
        lines=(
            Identity(
                "identity: stand still with probability 1 - omega, else a gradient step",
                (1 - omega) * square(e) + omega * square(e - _rel * g) - mean(square(e - STEP_SIZE * Q), "xi"),
                (Term(omega**2 * _rel**2, MOMENT),),
            ),
            Identity(
                "gradient step, gamma' <= 2/(L + mu)",
                (1 - _rel * mu) ** 2 * square(e) - square(e - _rel * g),
                (
                    Term(_rel**2, _MONOTONE),
                    Term(
                        2 * _rel - _rel**2 * (L + mu),
                        Hypothesis("strong monotonicity", inner(g, e) - mu * square(e), "strongly_convex"),
                    ),
                ),
                where=(_rel * (L + mu) <= 2,),
            ),
            Identity(
                "gradient step, gamma' >= 2/(L + mu)",
                (1 - _rel * L) ** 2 * square(e) - square(e - _rel * g),
                (
                    Term(_rel**2, _MONOTONE),
                    Term(
                        _rel**2 * (L + mu) - 2 * _rel,
                        Hypothesis("Lipschitz gradient", L * square(e) - inner(g, e), "lipschitz_gradient"),
                    ),
                ),
                where=(_rel * (L + mu) >= 2,),
            ),
            Identity("the rate joins them", RATE - (1 - omega + omega * _largest)),
        ),
        domain=(*CURVATURE_FACTS, *unit_facts(omega), _rel > 0, _rel < 2 / L),
        means=EXPECTATION,
        scope="every dimension, every unbiased compressor with that second moment",
    ),
    tightness="equality on mu/2 |x|^2 for gamma' <= 2/(L+mu), on L/2 |x|^2 otherwise",
)

SS_CONVEX_RATE = Theorem(
    id="ss-convex-rate",
    title="Sublinear rate of stochastic sparsification for convex functions",
    statement=(
        r"\gamma=\frac\omega L:\quad \mathbb E\lVert x^+-x^*\rVert^2\le\lVert x-x^*\rVert^2-\frac{2\omega}L\Delta,\qquad "
        r"\mathbb E\,F(\hat x_K)-F^*\le\frac{L\lVert x_0-x^*\rVert^2}{2\omega K}"
    ),
    source=source("3.6"),
    status="derived",
    kind="upper",
    subject=SUBJECT,
    assumptions=(CONVEX, LIPSCHITZ_GRADIENT, EXACT_GRADIENT, UNBIASED),
    parameters=(SMOOTHNESS, parameter("omega")),
    goal="objective_gap",
    start="squared_distance",
    measure=r"\mathbb E\,F(\hat x_K)-F^*\ \text{from}\ \lVert x_0-x^*\rVert^2",
    step_size=omega / L,
    bound=L * INITIAL / (2 * omega * K),
    iterations=L * INITIAL / (2 * omega * EPS),
    proof=Certificate(
        lines=(
            Identity(
                "one step",
                square(e) - 2 * omega / L * gap - mean(square(e - STEP_SIZE * Q), "xi"),
                (
                    Term(2 * omega / L, convex_interpolation(BEST, AT, L)),
                    Term(omega**2 / L**2, MOMENT),
                ),
            ),
            Identity("the bound", BOUND(K) * 2 * omega / L * K - INITIAL),
        ),
        domain=(*L_FACTS, *unit_facts(omega)),
        means=EXPECTATION,
        remainder="sum over k < K and Jensen's inequality for the averaged iterate",
    ),
    tightness="the one-step inequality is attained on L/2 |x|^2",
)

# y = x - (omega/L) g, the mean of the next point, with its own gradient.
_gy = vectors("g_y")[0]
_Fy = scalars("F_y")[0]
_Y = Point("y", e - STEP_SIZE * g, _gy, _Fy)
_around_mean = Hypothesis(
    "smoothness at the mean point y, for every outcome",
    _Fy - STEP_SIZE * inner(_gy, Q - g) + L * STEP_SIZE**2 / 2 * square(Q - g) - F_Q,
    "L_smooth",
)

SS_SC_EXACT = Theorem(
    id="ss-sc-exact",
    title="The exact factor of stochastic sparsification in function value",
    statement=(
        r"\gamma=\frac\omega L:\qquad \mathbb EF(x^+)-F^*\le\big(1-\omega m-\omega^2m(1-m)\big)\Delta,\qquad m=\frac\mu L"
    ),
    source=source("3.7"),
    status="derived",
    kind="tight",
    subject=SUBJECT,
    assumptions=(STRONGLY_CONVEX, LIPSCHITZ_GRADIENT, EXACT_GRADIENT, UNBIASED),
    parameters=(SMOOTHNESS, CURVATURE, parameter("omega")),
    goal="objective_gap",
    measure=r"\mathbb E\,F(x_K)-F^*",
    step_size=omega / L,
    rate=1 - omega * m - omega**2 * m * (1 - m),
    proof=Certificate(
        lines=(
            Identity(
                "mu < L",
                RATE * gap - gap_next,
                (
                    Term(sympy.S.One, _around_mean, index="xi"),
                    Term(omega**2 / (2 * L), MOMENT),
                    Term(1 - omega * m, interpolation(AT, _Y, L, mu)),
                    Term(omega**2 * m * (1 - m), interpolation(BEST, AT, L, mu)),
                    Term(omega * m, interpolation(BEST, _Y, L, mu)),
                ),
                (
                    Square(1 / (2 * L * (1 - m)), _gy - m * omega * L * e + (m * omega + omega - 1) * g),
                    Square(omega * (1 - omega * m) / (2 * L * (1 - m)), g - mu * e),
                ),
            ),
            Identity(
                "mu = L: then g = L e and F is a multiple of |x - x*|^2; the factor is 1 - omega",
                ((1 - omega) * square(g) - mean(square(g - omega * Q), "xi")) / (2 * L),
                (Term(omega**2 / (2 * L), MOMENT),),
            ),
        ),
        domain=(L > 0, mu > 0, mu < L, *unit_facts(omega)),
        means=EXPECTATION,
        scope="every dimension, every unbiased compressor with that second moment, 0 < mu <= L",
    ),
    tightness="attained by a two-outcome Q on a quadratic in the plane; approached by coordinate sparsification as d grows",
)

_Fk, _Fk1 = scalars("F[k] F_next[k]")
(_gk,) = vectors("g[k]")
_F0, _FK, _lowest, _mean_F = scalars("F_0 F_K lowest mean_F")
_count = sympy.Symbol("K", real=True)

SS_NONCONVEX_RATE = Theorem(
    id="ss-nonconvex-rate",
    title="Smallest gradient of stochastic sparsification",
    statement=(
        r"\mathbb E\sum_{k<K}\omega_k\lVert g_k\rVert^2\le2L(F_0-F_{\inf}),\qquad \omega_k\ge\omega:\ "
        r"\min_{k<K}\mathbb E\lVert g_k\rVert^2\le\frac{2L(F_0-F_{\inf})}{\omega K}"
    ),
    source=source("3.7"),
    status="published",
    kind="upper",
    subject=SUBJECT,
    assumptions=(L_SMOOTH, BOUNDED_BELOW, EXACT_GRADIENT, UNBIASED),
    parameters=(SMOOTHNESS, parameter("omega")),
    goal="squared_gradient",
    start="objective_gap",
    measure=r"\min_{k<K}\mathbb E\lVert\nabla F(x_k)\rVert^2\ \text{from}\ F(x_0)-F_{\inf}",
    step_size=omega / L,
    bound=2 * L * INITIAL / sympy.Max(1, omega * K),
    iterations=2 * L * INITIAL / (omega * EPS),
    proof=Certificate(
        lines=(
            Identity(
                "the run (averages over the steps; values and squared gradients in expectation)",
                (_F0 - F_inf) / _count - omega / (2 * L) * _lowest,
                (
                    Term(
                        sympy.S.One,
                        Hypothesis("ss-descent at step k", _Fk - _Fk1 - _CERTIFIED * square(_gk), "L_smooth, unbiased"),
                        index="k",
                    ),
                    Term(
                        omega / (2 * L),
                        Hypothesis("the smallest squared gradient", square(_gk) - _lowest, "definition"),
                        index="k",
                    ),
                    Term(1 / _count, Hypothesis("bounded below", _FK - F_inf, "bounded_below")),
                ),
            ),
            Identity("the bound", BOUND(_count) * sympy.Max(1, omega * _count) - 2 * L * INITIAL),
        ),
        domain=(*L_FACTS, _count >= 1, *unit_facts(omega)),
        means={_Fk: _mean_F, _Fk1: _mean_F + (_FK - _F0) / _count},
        scope="every dimension, every K",
    ),
    tightness="as topT-nonconvex-rate",
)

_sigma = parameter("gradient_noise").symbol
_noisy = Hypothesis(
    "one step, below", F - F_next - gamma / 2 * square(g) + L * gamma**2 * _sigma**2 / (2 * omega), "L_smooth"
)

SS_SGD = Theorem(
    id="ss-sgd",
    title="Stochastic gradients, stochastically sparsified",
    statement=(
        r"\gamma\le\frac\omega L:\quad \mathbb EF(x^+)\le F(x)-\frac\gamma2\lVert\nabla F(x)\rVert^2+"
        r"\frac{L\gamma^2\sigma^2}{2\omega},\qquad \mathbb E\Delta_K\le(1-\gamma\mu)^K\Delta_0+\frac{L\gamma\sigma^2}{2\mu\omega}"
    ),
    source=source("3.9"),
    status="derived",
    kind="upper",
    subject=SUBJECT,
    assumptions=(L_SMOOTH, PL, STOCHASTIC_GRADIENT, UNBIASED),
    parameters=(
        SMOOTHNESS,
        CURVATURE,
        parameter("omega"),
        parameter("gradient_noise", NONNEGATIVE),
        step_parameter(omega / L),
    ),
    defaults={"step_size": omega / L},
    goal="objective_gap",
    measure=r"\mathbb E\,F(x_K)-F^*",
    step_size=gamma,
    rate=1 - gamma * mu,
    residual=L * gamma * _sigma**2 / (2 * mu * omega),
    proof=Certificate(
        lines=(
            Identity(
                "one step",
                _noisy.expression,
                (
                    expected_smoothness(gamma),
                    Term(
                        L * gamma**2 / 2,
                        Hypothesis(
                            "second moment of Q at a stochastic gradient",
                            (square(g) + _sigma**2) / omega - _second_moment,
                            "unbiased, stochastic_gradient",
                        ),
                    ),
                    Term(gamma / 2 * (1 - L * gamma / omega), Hypothesis("squared gradient", square(g), "norms")),
                ),
            ),
            Identity(
                "PL; the residual is the fixed point",
                RATE * gap + (1 - RATE) * RESIDUAL - gap_next,
                (Term(sympy.S.One, _noisy), Term(gamma / 2, pl(AT, mu))),
            ),
        ),
        domain=(*CURVATURE_FACTS, *unit_facts(omega), gamma > 0, gamma <= omega / L, _sigma >= 0),
        means=EXPECTATION,
        scope="every dimension, every unbiased compressor with that second moment",
    ),
    pitfall="a step omega_k/L computed from the sampled gradient is correlated with it, and the proof breaks",
)

THEOREMS = (
    SS_DESCENT, SS_PL_RATE, SS_DISTANCE_EXACT, SS_CONVEX_RATE, SS_SC_EXACT, SS_NONCONVEX_RATE, SS_SGD,
)  # fmt: skip
