"""EF21 with weights and non-uniform ratios (dossier 3.4)."""

from __future__ import annotations

import sympy

from ..assumptions import BOUNDED_BELOW, CONTRACTIVE, EACH_LIPSCHITZ, EXACT_GRADIENT, LIPSCHITZ_GRADIENT, PL
from ..certificate import Certificate, Hypothesis, Identity, Sign, Square, Term
from ..gram import mean, scalars, square, vectors
from ..hypotheses import Point, after, pl, smooth
from ..symbols import Expr, Parameter, parameter
from ..theorem import BOUND, EPS, INITIAL, RATE, K, Theorem
from .common import (
    A_L,
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
    gamma,
    mu,
    residual_factor,
    source,
    step_up_to,
    weighted_cauchy_schwarz,
)
from .shared_minimiser import BETA_CHANGE

REFERENCE = "Richtárik, Sokolov, Fatkhullin (2021); Richtárik, Gasanov, Burlachenko (2024); weights and ratios derived"

_x, _g, _sent, _D_i, _D_next_i, _move_i = vectors("x g G_mean D[i] D_next[i] move[i]")
_F, _F_next, _F_star = scalars("F F_next F_star")
_AT = Point("x", _x, _g, _F)
_NEXT = after(gamma * _sent, x=_x)
_q_i = residual_factor(a_i, beta)

MEMORY = Identity(
    "a worker's error D_i = g_i - grad f_i: contraction, Young with weight beta, Lipschitz gradient",
    _q_i * beta * square(_D_i) + _q_i * beta * a_i * L_i**2 * gamma**2 * square(_sent) - square(_D_next_i),
    (
        Term(
            sympy.S.One,
            Hypothesis(
                "the compressor contracts D_i minus the move of grad f_i",
                _q_i**2 * square(_D_i - _move_i) - square(_D_next_i),
                "contractive",
            ),
        ),
        Term(
            _q_i * beta * a_i,
            Hypothesis(
                "Lipschitz gradient of f_i along the step",
                L_i**2 * gamma**2 * square(_sent) - square(_move_i),
                "each_lipschitz",
            ),
        ),
    ),
    (Square(beta**2 / (1 + a_i) ** 2 * a_i, _D_i + a_i * _move_i),),
)


def _descent(total: Expr, kappa: Expr, discount: Expr) -> tuple[Term, ...]:
    """Smoothness along the step, weighted Cauchy-Schwarz with v_i = L_i a_i, and the memory of every worker."""
    q = residual_factor(a_i, discount)
    return (
        Term(sympy.S.One, smooth(_AT, _NEXT, L)),
        Term(gamma / 2, weighted_cauchy_schwarz(total, mean(E_i / (L_i * a_i)), square(_sent - _g))),
        Term(
            kappa,
            Hypothesis(
                "the memory line",
                q * discount * E_i + q * discount * a_i * L_i**2 * gamma**2 * square(_sent) - E_next_i,
                "contractive, each_lipschitz",
            ),
            index="i",
        ),
    )


_kappa_i = gamma / 2 * A_L * (1 + a_i) / (L_i * a_i)
_u = (L + sympy.sqrt(L**2 + 4 * A_L**2)) / 2
_FACTS = (L > 0, gamma > 0, L_i > 0, a_i > 0, A_L > 0)
_SCOPE = "every dimension, number of workers, weights, ratios and contractive compressors"
_REMAINDER = "uncompressed workers make no error and are left out; they must be initialised exactly"

NONCONVEX = Theorem(
    id="nuef21-nonconvex",
    title="EF21 with any ratios, non-convex",
    statement=(
        r"A_L=\sum_ip_iL_ia(\delta_i),\ \gamma\le\frac2{L+\sqrt{L^2+4A_L^2}}:\qquad "
        r"\frac1K\sum_{k<K}\mathbb E\lVert\nabla F(x_k)\rVert^2\le\frac{2\Psi_0}{\gamma K},\qquad \Psi_0=F(x_0)-F^*"
        r"+\frac\gamma2A_L\sum_i\frac{p_i\,\mathbb E\lVert g_i^0-\nabla f_i(x_0)\rVert^2}{L_ia(\delta_i)(1-q_i)}"
    ),
    source=source("3.4", REFERENCE),
    status="derived",
    kind="upper",
    subject=SUBJECT,
    assumptions=(LIPSCHITZ_GRADIENT, EACH_LIPSCHITZ, BOUNDED_BELOW, EXACT_GRADIENT, CONTRACTIVE),
    parameters=(SMOOTHNESS, parameter("memory_smoothness"), step_up_to(1 / _u)),
    defaults={"step_size": 1 / _u},
    goal="squared_gradient",
    start="potential",
    measure=r"\tfrac1K\sum_{k<K}\mathbb E\lVert\nabla F(x_k)\rVert^2\ \text{from}\ \Psi_0",
    step_size=gamma,
    bound=2 * INITIAL / (gamma * K),
    iterations=2 * INITIAL / (gamma * EPS),
    proof=Certificate(
        lines=(
            MEMORY,
            Identity(
                "one step of the potential F + sum p_i kappa_i |D_i|^2",
                _F + mean(_kappa_i * E_i) - _F_next - mean(_kappa_i * E_next_i) - gamma / 2 * square(_g),
                _descent(A_L, _kappa_i, sympy.S.One),
                (Square(gamma / 2 * (1 - gamma * L - gamma**2 * A_L**2), _sent),),
                where=(gamma * L + gamma**2 * A_L**2 <= 1,),
            ),
            Identity("the longest step is 1/u with u^2 = L u + A_L^2", _u**2 - L * _u - A_L**2),
            Sign(
                "1/(L + A_L) is short enough",
                1 - gamma * L - gamma**2 * A_L**2,
                where=(gamma * (L + A_L) <= 1,),
            ),
            Identity("the sum of gamma/2 |grad F(x_k)|^2", BOUND(K) * gamma * K / 2 - INITIAL),
        ),
        domain=(*_FACTS, beta > 0, beta <= 1),
        means={L_i * a_i: A_L},
        scope=_SCOPE,
        remainder="sum over k < K; " + _REMAINDER,
    ),
    tightness="performance estimation, bound / worst case: 1.24 (q = 0.5), 3.2 (q = 0.9) for K = 4",
    pitfall="stochastic gradients: EF21 does not average their noise; use nuef-nonconvex or momentum",
)  # fmt: skip

_total, _plain, _qq = scalars("A_beta A q")
# kappa_i beta (beta - q_i) = gamma/2 A p_i/(L_i a_i), and beta (beta - q_i) = beta^2/(1 + a_i)
_kappa_beta = gamma / 2 * _total * (1 + a_i) / (L_i * a_i * beta**2)


def _pl(
    id: str, title: str, statement: str, parameters: tuple[Parameter, ...], step: Expr, closed: tuple[Sign, ...]
) -> Theorem:
    return Theorem(
        id=id,
        title=title,
        statement=statement,
        source=source("3.4", REFERENCE),
        status="derived",
        kind="upper",
        subject=SUBJECT,
        assumptions=(LIPSCHITZ_GRADIENT, EACH_LIPSCHITZ, PL, EXACT_GRADIENT, CONTRACTIVE),
        parameters=(SMOOTHNESS, CURVATURE, *parameters, step_up_to(step)),
        defaults={"step_size": step} if closed else {},
        goal="potential",
        measure=r"\mathbb E\,\Psi_K",
        step_size=gamma,
        rate=1 - gamma * mu,
        proof=Certificate(
            lines=(
                MEMORY,
                Identity(
                    "one step of the potential F - F* + sum p_i kappa_i |D_i|^2",
                    RATE * (_F - _F_star + mean(_kappa_beta * E_i)) - (_F_next - _F_star) - mean(_kappa_beta * E_next_i),
                    (*_descent(_total, _kappa_beta, beta), Term(gamma / 2, pl(_AT, mu, _F_star))),
                    (Square(gamma / 2 * (1 - gamma * L - gamma**2 * _total**2), _sent),),
                    where=(gamma * L + gamma**2 * _total**2 <= 1,),
                ),
                *closed,
            ),
            domain=(L > 0, gamma > 0, L_i > 0, a_i > 0, _total > 0, mu > 0, gamma * mu < 1),
            changes=(BETA_CHANGE,),
            means={L_i * a_i: _total},
            scope=_SCOPE,
            remainder=_REMAINDER,
        ),
        tightness="smallest bound / measured for one step 1.00004",
        pitfall="stochastic gradients: EF21 does not average their noise",
    )  # fmt: skip


_AL_beta = parameter("discounted_smoothness").symbol
_PSI = (
    r"\Psi=F-F^*+\sum_i\kappa_i\lVert g_i-\nabla f_i(x)\rVert^2,\ \kappa_i=\frac{\gamma A_L(\beta)\,p_i}"
    r"{2L_ia(q_i;\beta)\,\beta(\beta-q_i)}:\qquad \mathbb E\,\Psi_{k+1}\le(1-\gamma\mu)\,\Psi_k"
)
PL_RATE = _pl(
    "nuef21-pl",
    "EF21 with any ratios under the PL inequality",
    r"\beta=\sqrt{1-\gamma\mu}>q_i,\ A_L(\beta)=\sum_ip_iL_i\frac{q_i}{\beta-q_i},\ \gamma L+\gamma^2A_L(\beta)^2\le1,\quad "
    + _PSI,
    (parameter("discounted_smoothness"),),
    2 / (L + sympy.sqrt(L**2 + 4 * _AL_beta**2)),
    (),
)
PL_SIMPLE = _pl(
    "nuef21-pl-simple",
    "EF21 with any ratios under the PL inequality, closed step",
    r"\gamma\le\min\Big\{\frac1{L+\sqrt2A_L},\min_i\frac{1-q_i}{2\mu}\Big\},\quad " + _PSI,
    (parameter("memory_smoothness"), parameter("delta")),
    sympy.Min(1 / (L + sympy.sqrt(2) * A_L), (1 - sympy.sqrt(1 - delta)) / (2 * mu)),
    (
        Sign(
            "a(q; beta)^2 <= 2 a(q; 1)^2 for beta^2 = 1 - gamma mu, gamma mu <= (1 - q)/2",
            2 * (beta - _qq) ** 2 - (1 - _qq) ** 2,
            where=(_qq >= 0, _qq < 1, 2 * gamma * mu <= 1 - _qq),
        ),
        Sign(
            "so A_L(beta)^2 <= 2 A_L^2, and gamma (L + sqrt(2) A_L) <= 1 satisfies the condition",
            1 - gamma * L - gamma**2 * _total**2,
            where=(
                _total**2 <= 2 * _plain**2, _plain > 0, gamma * L <= 1, 2 * (gamma * _plain) ** 2 <= (1 - gamma * L) ** 2,
            ),
        ),
    ),
)  # fmt: skip

THEOREMS = (NONCONVEX, PL_RATE, PL_SIMPLE)
