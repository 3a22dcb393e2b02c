"""What all statements about adaptive compression share: symbols, sources, recurring hypotheses."""

from __future__ import annotations

import sympy

from ..gram import scalars, vectors
from ..hypotheses import after, minimiser, start
from ..symbols import POSITIVE, UNIT, Parameter, Range, parameter
from ..theorem import STEP_SIZE, Source

SUBJECT = "adaptive-compression"
CAT = "Khirirat, Magnússon, Aytekin, Johansson (2021), arXiv 2003.06377"


def source(section: str, reference: str = CAT) -> Source:
    """Chapter 1 of the dossier, with the literature behind it."""
    return Source(reference, section)


L, mu, gamma = (parameter(name).symbol for name in ("L", "mu", "step_size"))
alpha, beta, omega = (parameter(name).symbol for name in ("alpha", "beta", "omega"))
T, d = (parameter(name).symbol for name in ("T", "d"))
m = mu / L

# A point x at e = x - x*, its gradient g, what is sent q, and the next point x+ = x - STEP_SIZE q.
e, g, q = vectors("e g q")
g_next = vectors("g_next")[0]
F, F_next, F_star, F_inf = scalars("F F_next F_star F_inf")
gap, gap_next = F - F_star, F_next - F_star
AT, BEST = start(), minimiser()
NEXT = after(STEP_SIZE * q)

SMOOTHNESS = parameter("L")
CURVATURE = parameter("mu", Range(0, L, lower_open=True))
STRICT_CURVATURE = parameter("mu", Range(0, L, lower_open=True, upper_open=True))

# Facts over which signs are proved.
L_FACTS = (L > 0,)
CURVATURE_FACTS = (L > 0, mu > 0, mu <= L)


def unit_facts(*symbols: sympy.Symbol) -> tuple[sympy.Basic, ...]:
    """``0 < symbol <= 1`` for each."""
    return tuple(fact for symbol in symbols for fact in UNIT.facts(symbol))


def step_parameter(upper: sympy.Expr, *, upper_open: bool = False) -> Parameter:
    """The step size, restricted to ``(0, upper]``."""
    return parameter("step_size", Range(0, upper, lower_open=True, upper_open=upper_open))


__all__ = [
    "AT",
    "BEST",
    "CAT",
    "CURVATURE",
    "CURVATURE_FACTS",
    "L_FACTS",
    "NEXT",
    "POSITIVE",
    "SMOOTHNESS",
    "STRICT_CURVATURE",
    "SUBJECT",
    "F",
    "F_inf",
    "F_next",
    "F_star",
    "L",
    "T",
    "alpha",
    "beta",
    "d",
    "e",
    "g",
    "g_next",
    "gamma",
    "gap",
    "gap_next",
    "m",
    "mu",
    "omega",
    "q",
    "source",
    "step_parameter",
    "unit_facts",
]  # fmt: skip
