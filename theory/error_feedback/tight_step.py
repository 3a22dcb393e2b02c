"""One step of error feedback in step units: the inequality behind the exact contraction (dossier 3.11).

``g`` and ``h`` stand for step_size times a gradient, `gap` for step_size (L - mu). For steps up to the best one
`factor` is the root for the smallest curvature, which is a function of it; for longer ones it is that for the largest.
"""

from __future__ import annotations

import sympy

from ..certificate import Hypothesis, Identity, Sign, Square, Term
from ..gram import inner, mean, scalars, square, vectors
from ..symbols import Expr

s, factor, gap = scalars("s factor gap")
SLOWEST = (1 - factor) * (factor + s) / (factor * (1 + s))
FASTEST = ((factor**2 - s) / factor + 1 - s) / (1 + s)
IN_STEP_UNITS = (factor > 0, factor < 1, factor**2 > s, gap > 0, gap * (1 + s) * factor <= 2 * (factor**2 - s))

_X, _E, _h = vectors("X E h")
_E_next, _weight, _smallest, _largest = scalars("E_next weight smallest largest")


def _interpolated(g: Expr, x: Expr, smallest: Expr, largest: Expr) -> Expr:
    """What is non-negative for the gradient at a point x relative to the minimiser."""
    return inner(g - smallest * x, largest * x - g)


def _decrease(X: Expr, E: Expr, g: Expr, next_memory: Expr) -> Expr:
    """``factor^2 V - V+`` for ``V = |X|^2 + |E|^2/s``: virtual iterate X, memory E, gradient g."""
    return factor**2 * (square(X) + square(E) / s) - square(X - g) - next_memory / s


def one_worker(case: str, gradient: Expr, curvatures: tuple[Expr, Expr], combined: Expr) -> Identity:
    """The inequality for one worker, from interpolation with `curvatures` and the contraction of the compressor.

    `gradient` is what the gradient is compared with, `combined` what is added to the difference in the square.
    """
    alpha = (factor**2 - s) * (1 + s) / s
    difference = _h - gradient
    return Identity(
        case,
        _decrease(_X, _E, _h, _E_next),
        (
            Term(
                2 * factor / gap,
                Hypothesis(
                    "interpolation", _interpolated(_h, _X + _E, *curvatures), "strongly_convex, lipschitz_gradient"
                ),
            ),
            Term(1 / s, Hypothesis("the compressor contracts", s**2 * square(_E + _h) - _E_next, "contractive")),
        ),
        (
            Square(alpha, combined / (factor * (1 + s)) + (1 + s) / alpha * difference),
            Square(2 * factor / gap - (1 + s) * factor**2 / (factor**2 - s), difference),
        ),
        where=IN_STEP_UNITS,
    )


ONE_WORKER = (
    one_worker(
        "one step, steps up to the best one",
        SLOWEST * (_X + _E),
        (SLOWEST, SLOWEST + gap),
        -s * (1 - factor) * _X - (factor + s) * _E,
    ),
    one_worker(
        "one step, longer steps",
        FASTEST * (_X + _E),
        (FASTEST - gap, FASTEST),
        s * (1 + factor) * _X - (factor - s) * _E,
    ),
)

_e_bar, _g_bar, _e_next_bar, _e_i, _g_i, _e_next_i = vectors("e_mean g_mean e_next_mean e[i] g[i] e_next[i]")
MEANS = {_e_i: _e_bar, _g_i: _g_bar, _e_next_i: _e_next_bar}
_x = _X + _e_bar

ALL_WORKERS = (
    Identity(
        "one step of all workers, x - x* = X + e_mean: the means, and what varies around them",
        factor**2 * (mean(square(_x - _e_i)) + square(_e_bar) / s)
        - mean(square(_X - _g_bar + _e_next_bar - _e_next_i))
        - square(_e_next_bar) / s,
        (
            Term(
                sympy.S.One,
                Hypothesis(
                    "one step of the means, lines above",
                    _decrease(_X, _e_bar, _g_bar, s**2 * square(_e_bar + _g_bar))
                    - _weight * _interpolated(_g_bar, _x, _smallest, _largest),
                    "line above",
                ),
            ),
            Term(
                _weight,
                Hypothesis(
                    "interpolation of every f_i between x and the shared minimiser",
                    _interpolated(_g_i, _x, _smallest, _largest),
                    "each_strongly_convex, common_minimiser",
                ),
                index="i",
            ),
            Term(
                1 / s,
                Hypothesis("every compressor contracts", s**2 * square(_e_i + _g_i) - square(_e_next_i), "contractive"),
                index="i",
            ),
        ),
        (
            Square(1 / s - 1, _e_next_i - _e_next_bar, index="i"),
            Square(factor**2 - s, _e_i - _e_bar - s / (factor**2 - s) * (_g_i - _g_bar), index="i"),
            Square(_weight - s * factor**2 / (factor**2 - s), _g_i - _g_bar, index="i"),
        ),
        where=(factor**2 > s, _weight * (factor**2 - s) >= s * factor**2),
    ),
    Sign("the weight 2 factor/gap is large enough", 2 * (factor**2 - s) - s * gap * factor, where=IN_STEP_UNITS),
)
