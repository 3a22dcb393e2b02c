"""Compressed gradient descent without memory on one function, for comparison (dossier 3.11.3)."""

from __future__ import annotations

import sympy

from ..assumptions import CONTRACTIVE, EXACT_GRADIENT, LIPSCHITZ_GRADIENT, SINGLE_WORKER, STRONGLY_CONVEX
from ..certificate import Certificate, Change, Hypothesis, Identity, Sign, Square, Term
from ..gram import scalars, square, vectors
from ..hypotheses import after, interpolation, minimiser, start
from ..symbols import Range, parameter
from ..theorem import RATE, STEP_SIZE, Theorem
from .common import SMOOTHNESS, SUBJECT, L, delta, mu, source

_root = sympy.sqrt(1 - delta)
_e, _g, _g_next, _c = vectors("e g g_next c")
_F, _F_next, _F_star, s = scalars("F F_next F_star s")


def _curvatures(factor: sympy.Expr) -> tuple[sympy.Expr, sympy.Expr]:
    """What compressed gradients make of L and mu in the worst case."""
    return (1 + factor) * L, (1 - factor) * mu


_largest, _smallest = _curvatures(s)
_total = _largest + _smallest
_t = (_largest - _smallest) / _total
_T = (1 - s) * (L - mu) / (L + mu)
_largest_delta, _smallest_delta = _curvatures(_root)

MEMORYLESS = Theorem(
    id="memoryless-tight",
    title="One worker: compressed gradient descent needs no memory",
    statement=(
        r"s=\sqrt{1-\delta},\ \eta=\frac2{(1+s)L+(1-s)\mu}:\qquad \mathbb E\,F(x_{k+1})-F^*\le"
        r"\Big(\frac{(1+s)L-(1-s)\mu}{(1+s)L+(1-s)\mu}\Big)^2(F(x_k)-F^*)"
    ),
    source=source("3.11.3", "de Klerk, Glineur, Taylor (2020); certificate and comparison derived"),
    status="published",
    kind="tight",
    subject=SUBJECT,
    assumptions=(SINGLE_WORKER, STRONGLY_CONVEX, LIPSCHITZ_GRADIENT, EXACT_GRADIENT, CONTRACTIVE),
    parameters=(
        SMOOTHNESS,
        parameter("mu", Range(0, L, lower_open=True, upper_open=True)),
        parameter("delta", Range(0, 1, lower_open=True, upper_open=True)),
    ),
    goal="objective_gap",
    measure=r"\mathbb E\,F(x_K)-F^*",
    step_size=2 / (_largest_delta + _smallest_delta),
    rate=((_largest_delta - _smallest_delta) / (_largest_delta + _smallest_delta)) ** 2,
    proof=Certificate(
        lines=(
            Identity(
                "one step",
                RATE * (_F - _F_star) - (_F_next - _F_star),
                (
                    Term(_t, interpolation(start(), after(STEP_SIZE * _c), L, mu)),
                    Term(_t * (1 - _t), interpolation(minimiser(), start(), L, mu)),
                    Term(1 - _t, interpolation(minimiser(), after(STEP_SIZE * _c), L, mu)),
                    Term(
                        _t / (s * _total),
                        Hypothesis("the compressor contracts", s**2 * square(_g) - square(_c - _g), "contractive"),
                    ),
                ),
                (
                    Square(1 / (2 * (L - mu)), _g_next - _t * _g - (1 - _t) * L * _e + 2 * L / _total * _c),
                    Square(
                        (1 - s) / (s * (L - mu) * _total**2),
                        2 * mu * s * L * _e - (_largest - _smallest) * _g + (L - mu) * _c,
                    ),
                ),
            ),
            Identity("attained: mu x^2/2 with c = (1 - s) g", (1 - STEP_SIZE * (1 - s) * mu) ** 2 - RATE),
            Identity("attained: L x^2/2 with c = (1 + s) g", (1 - STEP_SIZE * (1 + s) * L) ** 2 - RATE),
            Sign(
                "faster than the memory: below the root of z^2 - T z - s for ef-tight's best step", s + _T * _t - _t**2
            ),
        ),
        domain=(L > 0, mu > 0, mu < L, delta > 0, delta < 1),
        changes=(Change(old=delta, new=s, forward=1 - s**2, inverse=_root, root=s, facts=(s > 0, s < 1)),),
        scope="every dimension, every 0 < mu < L, every contractive compressor",
    ),
    tightness="attained by mu x^2/2 with C(v) = (1 - s) v and by L x^2/2 with C(v) = (1 + s) v",
    pitfall="memory pays off only for several workers with different gradients, where this method does not converge",
    checked_by=("tests/theory/test_error_feedback.py::test_one_worker_is_faster_without_memory",),
)

THEOREMS = (MEMORYLESS,)
