"""Adaptive compression with error feedback (dossier 8.1–8.2)."""

from __future__ import annotations

import sympy

from ..assumptions import BOUNDED_BELOW, CONTRACTIVE, EACH_LIPSCHITZ, EXACT_GRADIENT, LIPSCHITZ_GRADIENT, PL
from ..certificate import Certificate, Change, Hypothesis, Identity, Sign, Square, Term
from ..gram import mean, scalars, square, vectors
from ..hypotheses import Point, after, lipschitz, pl, smooth
from ..symbols import parameter
from ..theorem import BOUND, EPS, INITIAL, RATE, K, Theorem
from .common import (
    AT,
    CURVATURE,
    CURVATURE_FACTS,
    L_FACTS,
    SMOOTHNESS,
    SUBJECT,
    F,
    F_next,
    L,
    g,
    gamma,
    gap,
    gap_next,
    mu,
    source,
    step_parameter,
    unit_facts,
)

delta, L_tilde = (parameter(name).symbol for name in ("delta", "L_tilde"))
theta = 1 - sympy.sqrt(1 - delta)
_th = sympy.Symbol("theta", real=True)

# 1 - delta = (1 - theta)^2: the root becomes rational in theta.
MEMORY_CHANGE = Change(
    old=delta,
    new=_th,
    forward=1 - (1 - _th) ** 2,
    inverse=theta,
    root=1 - _th,
    facts=(_th > 0, _th <= 1),
)

_err, _err_next, _h = vectors("err err_next h")
_F_z, _F_z_next = scalars("F_z F_z_next")
_x = vectors("x")[0]
_Z = Point("z", _x - _err, _h, _F_z)
_X = Point("x", _x, g, F)
_Z_NEXT = Point("z+", _x - _err - gamma * g, _h, _F_z_next)
_c = gamma * L**2 / (2 * _th)
_young = (1 - _th) ** 2 / _th
_remaining = (1 - L * gamma - gamma**2 * L**2 * (1 - _th) ** 2 / _th**2) / 2

EF14_CAT = Theorem(
    id="ef14-cat",
    title="Error feedback with any adaptive T",
    statement=(
        r"v=\gamma g+e,\ x^+=x-q,\ e^+=v-q,\quad \theta=1-\sqrt{1-\delta},\ \gamma\le\frac\theta{2L}:\qquad "
        r"\frac1K\sum_{k<K}\lVert g_k\rVert^2\le\frac{4(F_0-F_{\inf})}{\gamma K}"
    ),
    source=source("8.1", "Stich, Karimireddy (2020)"),
    status="published",
    kind="upper",
    subject=SUBJECT,
    assumptions=(LIPSCHITZ_GRADIENT, BOUNDED_BELOW, EXACT_GRADIENT, CONTRACTIVE),
    parameters=(SMOOTHNESS, parameter("delta"), step_parameter(theta / (2 * L))),
    defaults={"step_size": theta / (2 * L)},
    goal="squared_gradient",
    start="objective_gap",
    measure=r"\tfrac1K\sum_{k<K}\lVert\nabla F(x_k)\rVert^2\ \text{from}\ F(x_0)-F_{\inf}",
    step_size=gamma,
    bound=4 * INITIAL / (gamma * sympy.Max(1, K)),
    iterations=4 * INITIAL / (gamma * EPS),
    proof=Certificate(
        lines=(
            Identity(
                "one step of the potential F(z) + c |e|^2, z = x - e",
                (_F_z + _c * square(_err)) - (_F_z_next + _c * square(_err_next)) - gamma * _remaining * square(g),
                (
                    Term(sympy.S.One, smooth(_Z, _Z_NEXT, L)),
                    Term(gamma / 2, lipschitz(_X, _Z, L)),
                    Term(
                        _c,
                        Hypothesis(
                            "the memory contracts (Young with parameter theta)",
                            (1 - _th) * square(_err) + _young * gamma**2 * square(g) - square(_err_next),
                            "contractive",
                        ),
                    ),
                ),
                (Square(gamma / 2, _h),),
            ),
            Identity(
                "Young: (1 - delta)|gamma g + e|^2 <= (1 - theta)|e|^2 + (1 - theta)^2/theta |gamma g|^2",
                (1 - _th) * square(_err) + _young * gamma**2 * square(g) - (1 - delta) * square(gamma * g + _err),
                (),
                (Square((1 - _th) / _th, _th * _err - (1 - _th) * gamma * g),),
            ),
            Sign("what remains is at least 1/4", _remaining - sympy.Rational(1, 4)),
            Identity("the bound: the sum of gamma/4 |g_k|^2", BOUND(K) * gamma * sympy.Max(1, K) / 4 - INITIAL),
        ),
        domain=(*L_FACTS, *unit_facts(delta), gamma > 0, 2 * L * gamma <= _th),
        changes=(MEMORY_CHANGE,),
        scope="every dimension, every contractive compressor, T chosen by any rule",
        remainder="sum over k < K; the memory starts at zero",
    ),
    pitfall="the step is limited by the smallest T allowed, not by the average T",
)

_Gi, _Gi1, _gi, _gi1 = vectors("G[i] G_next[i] g[i] g_next[i]")
(_sent,) = vectors("G_mean")
_E, _E_next, _Li = scalars("E E_next L[i]")
_worker_step = after(gamma * _sent)
_ef21_factor = gamma**2 * L_tilde**2 * (1 - _th) ** 2 / _th**2
_MEMORY = Hypothesis(
    "the workers' errors contract: E+ <= (1 - theta) E + (1 - theta)^2/theta L_tilde^2 gamma^2 |G|^2",
    (1 - _th) * _E + _young * L_tilde**2 * gamma**2 * square(_sent) - _E_next,
    "contractive, each_lipschitz",
)
_JENSEN = Hypothesis("Jensen: |G - g|^2 <= E", _E - square(_sent - g), "definition of E")
_WORKERS = (
    Identity(
        "Jensen over the workers",
        mean(square(_Gi - _gi)) - square(_sent - g),
        (),
        (Square(sympy.S.One, (_Gi - _gi) - (_sent - g), index="i"),),
    ),
    Identity(
        "Young at every worker, averaged: the memory line",
        (1 - _th) * mean(square(_Gi - _gi))
        + _young * L_tilde**2 * gamma**2 * square(_sent)
        - (1 - delta) * mean(square(_Gi - _gi1)),
        (
            Term(
                _young,
                Hypothesis(
                    "Lipschitz gradient of f_i along the step",
                    _Li**2 * gamma**2 * square(_sent) - square(_gi1 - _gi),
                    "each_lipschitz",
                ),
                index="i",
            ),
        ),
        (Square((1 - _th) / _th, _th * (_Gi - _gi) - (1 - _th) * (_gi - _gi1), index="i"),),
    ),
)
_EF21_MEANS = {_gi: g, _Gi: _sent, _Li**2: L_tilde**2}
_EF21_FACTS = (L > 0, *unit_facts(delta), L_tilde > 0, gamma > 0)
_b = (1 - theta) / theta  # sqrt(1 - delta) / (1 - sqrt(1 - delta))

EF21_CAT = Theorem(
    id="ef21-cat",
    title="EF21 with weights and adaptive T",
    statement=(
        r"\gamma\le\Big(L+\tilde L\,\frac{1-\theta}\theta\Big)^{-1}:\quad \Phi=F-F_{\inf}+\frac\gamma{2\theta}"
        r"\sum_ip_i\lVert G_i-\nabla f_i(x)\rVert^2,\quad \Phi^+\le\Phi-\frac\gamma2\lVert\nabla F(x)\rVert^2,\qquad "
        r"\frac1K\sum_{k<K}\lVert\nabla F(x_k)\rVert^2\le\frac{2\Phi_0}{\gamma K}"
    ),
    source=source("8.2", "Richtárik, Sokolov, Fatkhullin (2021)"),
    status="published",
    kind="upper",
    subject=SUBJECT,
    assumptions=(LIPSCHITZ_GRADIENT, EACH_LIPSCHITZ, BOUNDED_BELOW, EXACT_GRADIENT, CONTRACTIVE),
    parameters=(SMOOTHNESS, parameter("L_tilde"), parameter("delta"), step_parameter(1 / (L + L_tilde * _b))),
    defaults={"step_size": 1 / (L + L_tilde * _b)},
    goal="squared_gradient",
    start="potential",
    measure=r"\tfrac1K\sum_{k<K}\lVert\nabla F(x_k)\rVert^2\ \text{from}\ \Phi_0",
    step_size=gamma,
    bound=2 * INITIAL / (gamma * sympy.Max(1, K)),
    iterations=2 * INITIAL / (gamma * EPS),
    proof=Certificate(
        lines=(
            *_WORKERS,
            Identity(
                "one step of the potential",
                (F + gamma / (2 * _th) * _E) - (F_next + gamma / (2 * _th) * _E_next) - gamma / 2 * square(g),
                (
                    Term(sympy.S.One, smooth(AT, _worker_step, L)),
                    Term(gamma / 2, _JENSEN),
                    Term(gamma / (2 * _th), _MEMORY),
                ),
                (Square(gamma / 2 * (1 - gamma * L - _ef21_factor), _sent),),
            ),
            Identity("the bound: the sum of gamma/2 |g_k|^2", BOUND(K) * gamma * sympy.Max(1, K) / 2 - INITIAL),
        ),
        domain=(*_EF21_FACTS, gamma * (L * _th + L_tilde * (1 - _th)) <= _th),
        changes=(MEMORY_CHANGE,),
        means=_EF21_MEANS,
        scope="every dimension, every number of workers and weights, T_i chosen by any rule with that delta",
        remainder="sum over k < K",
    ),
    pitfall="the step is limited by the smallest T allowed; with a small overhead CAT wants T = 1",
)

_root2 = sympy.Symbol("sqrt2", real=True)
_pl_step = sympy.Min(1 / (L + sympy.sqrt(2) * L_tilde * _b), theta / (2 * mu))

EF21_CAT_PL = Theorem(
    id="ef21-cat-pl",
    title="EF21 with weights and adaptive T under the PL inequality",
    statement=(
        r"\gamma\le\min\Big\{\Big(L+\sqrt2\,\tilde L\,\frac{1-\theta}\theta\Big)^{-1},\frac\theta{2\mu}\Big\}:\qquad "
        r"\Phi=\Delta+\frac\gamma\theta\sum_ip_i\lVert G_i-\nabla f_i(x)\rVert^2,\quad \Phi^+\le(1-\gamma\mu)\,\Phi"
    ),
    source=source("8.2", "Richtárik, Sokolov, Fatkhullin (2021)"),
    status="published",
    kind="upper",
    subject=SUBJECT,
    assumptions=(LIPSCHITZ_GRADIENT, EACH_LIPSCHITZ, PL, EXACT_GRADIENT, CONTRACTIVE),
    parameters=(
        SMOOTHNESS,
        CURVATURE,
        parameter("L_tilde"),
        parameter("delta"),
        step_parameter(_pl_step),
    ),
    defaults={"step_size": _pl_step},
    goal="potential",
    measure=r"\Phi_K",
    step_size=gamma,
    rate=1 - gamma * mu,
    proof=Certificate(
        lines=(
            *_WORKERS,
            Identity(
                "one step of the potential",
                RATE * (gap + gamma / _th * _E) - (gap_next + gamma / _th * _E_next),
                (
                    Term(sympy.S.One, smooth(AT, _worker_step, L)),
                    Term(gamma / 2, _JENSEN),
                    Term(gamma / _th, _MEMORY),
                    Term(gamma / 2, pl(AT, mu)),
                    Term(
                        gamma / _th * (_th / 2 - gamma * mu),
                        Hypothesis("E is a weighted sum of squares", _E, "definition of E"),
                    ),
                ),
                (Square(gamma / 2 * (1 - gamma * L - 2 * _ef21_factor), _sent),),
            ),
        ),
        domain=(
            *CURVATURE_FACTS,
            *_EF21_FACTS,
            _root2 > 0,
            sympy.Eq(_root2**2, 2, evaluate=False),
            gamma * (L * _th + _root2 * L_tilde * (1 - _th)) <= _th,
            2 * gamma * mu <= _th,
        ),  # fmt: skip
        changes=(MEMORY_CHANGE,),
        means=_EF21_MEANS,
        scope="every dimension, every number of workers and weights, T_i chosen by any rule with that delta",
    ),
    pitfall="the step is limited by the smallest T allowed; with a small overhead CAT wants T = 1",
)

THEOREMS = (EF14_CAT, EF21_CAT, EF21_CAT_PL)
