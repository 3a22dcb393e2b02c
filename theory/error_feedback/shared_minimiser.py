"""Error feedback converges linearly where all workers share a minimiser (dossier 3.3)."""

from __future__ import annotations

import sympy

from ..assumptions import (
    COMMON_MINIMISER,
    CONTRACTIVE,
    EACH_CONVEX,
    EXACT_GRADIENT,
    LIPSCHITZ_GRADIENT,
    STRONGLY_CONVEX,
)
from ..certificate import Certificate, Change, Hypothesis, Identity, Sign, Term
from ..gram import mean, scalars, square
from ..symbols import Expr, Parameter, parameter
from ..theorem import RATE, Theorem
from .common import (
    A_2,
    CURVATURE,
    SMOOTHNESS,
    SUBJECT,
    E_i,
    E_next_i,
    L,
    L_i,
    a_i,
    beta,
    delta,
    e_mean,
    g_i,
    gamma,
    memory_step,
    mu,
    source,
    step_up_to,
    weighted_cauchy_schwarz,
)

_V, _V_next, _gap, _bregman_i, _A, _q = scalars("V V_next gap D[i] A_beta q")
_growth = gamma**3 * L / (1 - gamma * L)
_kappa = gamma**2 * L / (1 - gamma * L)
# beta (beta - q_i) = beta^2/(1 + a_i)
_kappa_i = _growth * _A * (1 + a_i) / (L_i * a_i**2)
LYAPUNOV = Identity(
    "one step of the potential |z - x*|^2 + sum p_i kappa_i |e_i|^2",
    RATE * (_V + mean(_kappa_i * E_i) - 2 * gamma * (1 - _kappa * _A) * _gap) - _V_next - mean(_kappa_i * E_next_i),
    (
        Term(
            sympy.S.One,
            Hypothesis(
                "ef-onestep-convex",
                beta**2 * (_V - 2 * gamma * _gap + _growth * square(e_mean)) - _V_next,
                "strongly_convex, lipschitz_gradient",
            ),
        ),
        Term(beta**2 * _growth, weighted_cauchy_schwarz(_A, mean(E_i / (L_i * a_i**2)), square(e_mean))),
        Term(_kappa_i, memory_step(a_i, E_i, square(g_i), E_next_i, beta), index="i"),
        Term(
            beta**2 * _growth * _A / L_i,
            Hypothesis(
                "co-coercivity of f_i at the shared minimiser", 2 * L_i * _bregman_i - square(g_i), "each_convex"
            ),
            index="i",
        ),
    ),
)
ABSORBED = Sign(
    "gaps drop out while gamma^2 L A_2(beta) <= 1 - gamma L",
    1 - _kappa * _A,
    where=(gamma**2 * L * _A <= 1 - gamma * L,),
)
BETA_CHANGE = Change(
    old=mu,
    new=beta,
    forward=(1 - beta**2) / gamma,
    inverse=sympy.sqrt(1 - gamma * mu),
    root=beta,
    facts=(beta > 0, beta < 1),
)
"""``1 - gamma mu = beta^2``."""


def _interpolation(
    id: str, title: str, statement: str, parameters: tuple[Parameter, ...], step: Expr, closed: tuple[Sign, ...]
) -> Theorem:
    return Theorem(
        id=id,
        title=title,
        statement=statement,
        source=source("3.3"),
        status="derived",
        kind="upper",
        subject=SUBJECT,
        assumptions=(
            STRONGLY_CONVEX, EACH_CONVEX, LIPSCHITZ_GRADIENT, EXACT_GRADIENT, CONTRACTIVE, COMMON_MINIMISER,
        ),
        parameters=(SMOOTHNESS, CURVATURE, *parameters, step_up_to(step)),
        defaults={"step_size": step} if closed else {},
        goal="squared_distance",
        measure=r"\mathbb E\lVert\tilde x_K-x^*\rVert^2",
        step_size=gamma,
        rate=1 - gamma * mu,
        proof=Certificate(
            lines=(LYAPUNOV, ABSORBED, *closed),
            domain=(L > 0, L_i > 0, mu > 0, mu <= L, gamma > 0, gamma * L < 1, a_i > 0, _A > 0, _gap >= 0),
            changes=(BETA_CHANGE,),
            means={L_i * a_i**2: _A, _bregman_i: _gap},
            scope="every dimension, number of workers, weights, ratios and contractive compressors",
            remainder="uncompressed workers have no memory and are left out; the memory starts at zero",
        ),
        tightness="smallest bound / measured 1.028 in random runs; one worker: the step of ef-tight as q -> 1, half its exponent",
        pitfall="the bound is about the virtual iterate",
    )  # fmt: skip


_A2_beta = parameter("discounted_curvature").symbol
INTERPOLATION = _interpolation(
    "nuef-interpolation",
    "Error feedback with any ratios, shared minimiser: linear rate",
    r"\rho=1-\gamma\mu,\ \beta=\sqrt\rho>q_i,\ \gamma^2LA_2(\beta)\le1-\gamma L:\qquad "
    r"\mathbb E\lVert\tilde x_K-x^*\rVert^2\le(1-\gamma\mu)^K\lVert x_0-x^*\rVert^2",
    (parameter("discounted_curvature"),),
    2 / (L + sympy.sqrt(L**2 + 4 * L * _A2_beta)),
    (),
)

_plain = scalars("A")[0]
INTERPOLATION_SIMPLE = _interpolation(
    "nuef-interpolation-simple",
    "Error feedback with any ratios, shared minimiser: linear rate, closed step",
    r"\gamma\le\min\Big\{\frac2{L+\sqrt{L^2+8LA_2}},\min_i\frac{1-q_i}{2\mu}\Big\}:\qquad "
    r"\mathbb E\lVert\tilde x_K-x^*\rVert^2\le(1-\gamma\mu)^K\lVert x_0-x^*\rVert^2",
    (parameter("memory_curvature"), parameter("delta")),
    sympy.Min(2 / (L + sympy.sqrt(L**2 + 8 * L * A_2)), (1 - sympy.sqrt(1 - delta)) / (2 * mu)),
    (
        Sign(
            "a(q; beta)^2 <= 2 a(q; 1)^2 for beta^2 = 1 - gamma mu, gamma mu <= (1 - q)/2",
            2 * (beta - _q) ** 2 - (1 - _q) ** 2,
            where=(_q >= 0, _q < 1, 2 * gamma * mu <= 1 - _q),
        ),
        Sign(
            "so A_2(beta) <= 2 A_2 satisfies the condition",
            1 - gamma * L - gamma**2 * L * _A,
            where=(2 * _plain >= _A, 2 * gamma**2 * L * _plain <= 1 - gamma * L),
        ),
    ),
)

THEOREMS = (INTERPOLATION, INTERPOLATION_SIMPLE)
