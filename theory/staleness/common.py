"""What all statements about stale, compressed gradients share (dossier 2.0, 3.1, 4.1).

The workers' points are ``y_i = x - e_i`` (positions relative to the minimiser, ``x`` written ``r``), their gradients
``g_i``, the step direction ``v + xi`` with ``v = sum_i p_i g_i`` and zero-mean noise ``xi``.
"""

from __future__ import annotations

import sympy

from ..certificate import Hypothesis, Identity
from ..gram import mean, scalars, vectors
from ..special import stale_root_step
from ..symbols import Range, parameter
from ..theorem import BOUND, RESIDUAL, K, Source

SUBJECT = "staleness"
PAPER = "Khirirat, Feyzmahdavian, Johansson (2018), arXiv 1806.06573"


def source(section: str, reference: str = PAPER) -> Source:
    """Chapter 2 of the dossier, with the literature behind it."""
    return Source(reference, section)


gamma, mu, L, L_hat, tau = (parameter(name).symbol for name in ("step_size", "mu", "L", "L_hat", "tau"))
B_0, N_0 = (parameter(name).symbol for name in ("noise_slope", "noise_floor"))
omega = parameter("variance").symbol

# Atoms of one iteration.
r, v = vectors("r v")
g_i, e_i = vectors("g[i] e[i]")
F, F_star, F_next, D, noise, r_next = scalars("F F_star F_next D noise r_next")
f_x, f_y, f_star = scalars("f[i] f_y[i] f_star[i]")
window_i = sympy.Symbol("window[i]", real=True)  # |e_i|^2 in the norm of L_i
MEANS = {g_i: v, f_x: F, f_star: F_star}
bregman = mean(f_star - f_y)  # completed by <g_i, y_i - x*> where it is used

# The parameters of the absorption condition: a = gamma L_hat, b = gamma B_0, T = T_rho(tau), c free.
a, b, c, T, rho, u, w, q = scalars("a b c T rho u w q")
PHI = a + b + a * T * ((1 + c) * tau * a + (1 + 1 / c) * b)

DELAY = parameter("tau")
CURVATURE = parameter("mu", Range(0, L_hat, lower_open=True))

phi = (1 + sympy.sqrt(5)) / 2
"""The golden ratio."""


def default_step(smoothness: sympy.Expr, slope: sympy.Expr, floor: sympy.Expr, curvature: sympy.Expr) -> sympy.Expr:
    """The root step, the longest admissible one; the closed form where only the floor of the noise is there to amplify.

    At the root step without noise slope the amplification `c_N` is unbounded.
    """
    closed = 1 / (smoothness * (1 + phi * tau) + sympy.Rational(3, 4) * curvature * tau)
    root = stale_root_step(smoothness, slope, tau, curvature)
    return sympy.Piecewise((closed, sympy.And(slope <= 0, floor > 0)), (root, True))


def tends_to_residual(vanishing: sympy.Expr) -> Identity:
    """The line that says what the bound tends to: the rest vanishes as the number of steps grows."""
    return Identity("the residual is what the bound tends to", BOUND(K) - RESIDUAL - vanishing)


golden = sympy.Symbol("phi", real=True)
GOLDEN_FACTS = (golden > 0,)
GOLDEN = Hypothesis("phi^2 = phi + 1", golden + 1 - golden**2, "golden ratio", equality=True)
