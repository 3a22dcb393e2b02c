"""The exact contraction of EF and EF21 with one ratio, for every step size (dossier 3.11)."""

from __future__ import annotations

import sympy

from ..assumptions import (
    COMMON_MINIMISER,
    CONTRACTIVE,
    EACH_STRONGLY_CONVEX,
    EXACT_GRADIENT,
    LIPSCHITZ_GRADIENT,
    SINGLE_WORKER,
    STRONGLY_CONVEX,
)
from ..certificate import Certificate, Change, Identity, Sign
from ..gram import inner, scalars, square, vectors
from ..hypotheses import Point, monotone
from ..symbols import Expr, Range, parameter
from ..theorem import RATE, Assumption, Source, Theorem
from .common import SUBJECT, delta, gamma, mu
from .tight_step import ALL_WORKERS, FASTEST, MEANS, ONE_WORKER, SLOWEST, factor

TIGHT = Source(
    "Berg Thomsen, Taylor, Dieuleveut (2025), arXiv 2506.05271, for the optimal step; every step and weights derived",
    "3.11",
)

L = parameter("L_max").symbol
s, z, y = scalars("s z y")
_root = sympy.sqrt(1 - delta)


def slow(factor: Expr) -> Expr:
    """``T`` where the smallest curvature decides: ``1 - s - step mu (1 + s)``."""
    return 1 - factor - gamma * mu * (1 + factor)


def fast(factor: Expr) -> Expr:
    """``T`` where the largest curvature decides: ``step L (1 + s) - (1 - s)``."""
    return gamma * L * (1 + factor) - (1 - factor)


def root(T: Expr, factor: Expr) -> Expr:
    """The positive root of ``z^2 - T z - s``."""
    return (T + sympy.sqrt(T**2 + 4 * factor)) / 2


FACTOR_CHANGE = Change(old=delta, new=s, forward=1 - s**2, inverse=_root, root=s, facts=(s > 0, s < 1))
SLOW_CHANGE = Change(
    old=mu,
    new=z,
    forward=(1 - z) * (z + s) / (gamma * z * (1 + s)),
    inverse=root(slow(s), s),
    root=z + s / z,
    facts=(z > 0, z < 1),
)
"""``z`` is the root for T of the smallest curvature."""
FAST_CHANGE = Change(
    old=L,
    new=y,
    forward=((y**2 - s) / y + 1 - s) / (gamma * (1 + s)),
    inverse=root(fast(s), s),
    root=y + s / y,
    facts=(y > 0, y < 1),
)
"""``y`` is the root for T of the largest curvature."""
CHANGES = (FACTOR_CHANGE, SLOW_CHANGE, FAST_CHANGE)
FACTOR = sympy.Max(root(slow(_root), _root), root(fast(_root), _root))
"""``z`` of the statement: the root grows with T."""
LONGEST = 2 / L * (1 - _root) / (1 + _root)
BEST = 2 / (L + mu) * (1 - _root) / (1 + _root)
DOMAIN = (
    delta > 0, delta < 1, s > 0, s < 1, mu > 0, mu < L, gamma > 0, gamma * L * (1 + s) < 2 * (1 - s),
)  # fmt: skip


STEP_UNITS = (
    Identity("steps up to the best one: step_size mu as a function of z", gamma * mu - SLOWEST.subs(factor, z)),
    Identity("longer steps: step_size L as a function of y", gamma * L - FASTEST.subs(factor, y)),
    Sign("z^2 > s for z >= y", z**2 - s, strict=True, where=(z >= y,)),
    Sign("y^2 > s for y >= z", y**2 - s, strict=True, where=(y >= z,)),
    Sign(
        "step_size (L - mu)(1 + s) z <= 2 (z^2 - s) for z >= y",
        2 * (z**2 - s) - gamma * (L - mu) * (1 + s) * z,
        where=(z >= y,),
    ),
    Sign(
        "step_size (L - mu)(1 + s) y <= 2 (y^2 - s) for y >= z",
        2 * (y**2 - s) - gamma * (L - mu) * (1 + s) * y,
        where=(y >= z,),
    ),
)
_curvature, _u = scalars("curvature u")
_trace = 1 - s - gamma * _curvature * (1 + s)
RATE_LINES = (
    Identity("the rate is the larger root, squared", RATE - FACTOR**2),
    Identity("z is the root for the smallest curvature", root(slow(_root), _root) - z),
    Identity("y is the root for the largest curvature", root(fast(_root), _root) - y),
)
ATTAINED = (
    Identity(
        "attained: on F = curvature x^2/2 with C(v) = (1 + s) v, (X, E) -> M (X, E) and det(u - M) is",
        (_u - (1 - gamma * _curvature)) * (_u + s * (1 + gamma * _curvature))
        - (-gamma * _curvature) * (-s * gamma * _curvature)
        - (_u**2 - _trace * _u - s),
    ),
    Identity("z is an eigenvalue for the smallest curvature", z**2 - _trace.subs(_curvature, mu) * z - s),
    Identity("-y is one for the largest", y**2 + _trace.subs(_curvature, L) * y - s),
)
_STATEMENT = (
    r"s=\sqrt{1-\delta},\ 0<\eta<\frac2L\frac{1-s}{1+s},\ T=\max\{1-s-\eta\mu(1+s),\,\eta L(1+s)-(1-s)\},\ "
    r"z^2-Tz-s=0:\qquad "
)


def _exact(
    id: str,
    title: str,
    statement: str,
    assumptions: tuple[Assumption, ...],
    lines: tuple[Identity | Sign, ...],
    measure: str,
) -> Theorem:
    return Theorem(
        id=id,
        title=title,
        statement=_STATEMENT + statement,
        source=TIGHT,
        status="derived",
        kind="tight",
        subject=SUBJECT,
        assumptions=assumptions,
        parameters=(
            parameter("L_max"),
            parameter("mu", Range(0, L, lower_open=True, upper_open=True)),
            parameter("delta", Range(0, 1, lower_open=True, upper_open=True)),
            parameter("step_size", Range(0, LONGEST, lower_open=True, upper_open=True)),
        ),
        defaults={"step_size": BEST},
        goal="potential",
        measure=measure,
        step_size=gamma,
        rate=FACTOR**2,
        proof=Certificate(
            lines=(
                *lines,
                *STEP_UNITS,
                *RATE_LINES,
                *ATTAINED,
                Identity(
                    "the best step makes the two roots equal",
                    (slow(s) - fast(s)).subs(gamma, BEST.subs(_root, s)),
                ),
                Sign("the root of z^2 - T z - s grows with T: its slope", z**2 / (z**2 + s), strict=True),
            ),
            domain=DOMAIN,
            changes=CHANGES,
            means=MEANS,
            scope="every dimension, every step size below the limit, every 0 < mu < L"
            + ("" if SINGLE_WORKER in assumptions else ", number of workers and weights"),
            remainder="that the rate is attained: the quadratic started on the eigenvector",
        ),
        tightness="equality for mu x^2/2 or L x^2/2 with C(v) = (1 + s) v, started on the eigenvector",
        pitfall="different ratios: put the smallest delta; steps from (2/L)(1 - s)/(1 + s) on do not contract",
        checked_by=("tests/theory/test_error_feedback.py::test_exact_rate_is_the_published_closed_form_to_50_digits",),
    )


EF_TIGHT = _exact(
    "ef-tight",
    "The exact contraction of error feedback, every step size",
    r"V_k=\sum_ip_i\lVert x_k-x^*-\eta e_i^k\rVert^2+\frac{\eta^2}s\lVert\bar e_k\rVert^2,\quad \mathbb E V_{k+1}\le z^2V_k",
    (EACH_STRONGLY_CONVEX, COMMON_MINIMISER, EXACT_GRADIENT, CONTRACTIVE),
    (*ONE_WORKER, *ALL_WORKERS),
    r"\mathbb E V_K",
)

_grad, _grad_next, _d, _C, _x = vectors("g g_next d C x")
_f = sympy.Symbol("f", real=True)
_move = (_grad - _grad_next) / gamma
ISOMORPHISM = _exact(
    "ef-ef21-isomorphism",
    "EF21 with one worker has the exact contraction of error feedback",
    r"X=\nabla f(x_k),\ E=d_k-\nabla f(x_k):\quad V_k=\lVert\nabla f(x_k)\rVert^2+\frac1s\lVert d_k-\nabla f(x_k)\rVert^2,\quad "
    r"\mathbb E V_{k+1}\le z^2V_k",
    (SINGLE_WORKER, STRONGLY_CONVEX, LIPSCHITZ_GRADIENT, EXACT_GRADIENT, CONTRACTIVE),
    (
        Identity(
            "h = (grad f(x) - grad f(x+))/eta is the gradient in EF's interpolation inequality, at X + E = d",
            inner(_move - mu * _d, L * _d - _move) * gamma**2
            - monotone(Point("x", _x, _grad, _f), Point("x+", _x - gamma * _d, _grad_next, _f), L, mu).expression,
        ),
        Identity(
            "E+ = -(v - C(v)) with v = -(E + eta h): the same contraction",
            square(_d + _C - _grad_next) - square(-(_grad_next - _d) + _C),
        ),
        Identity("v = grad f(x+) - d", square(_grad_next - _d) - square(-(_d - _grad) - gamma * _move)),
        *ONE_WORKER,
    ),
    r"\mathbb E V_K",
)

THEOREMS = (EF_TIGHT, ISOMORPHISM)
