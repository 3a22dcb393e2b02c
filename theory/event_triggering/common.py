"""What the statements about event-triggered messages share (dossier 4.0–4.2).

``n`` workers with equal weights mix their parameters with W. ``L`` is the largest and ``mu`` the smallest constant of
the workers. Variant A is the published update, variant B the one that preserves the average of the workers.
"""

from __future__ import annotations

import sympy

from ..certificate import Hypothesis, Identity, Term
from ..gram import inner, square
from ..symbols import NONNEGATIVE, POSITIVE, Parameter, Range, parameter
from ..theorem import Source

SUBJECT = "event-triggering"
PAPER = "Ghosh, Aquino, Gupta (2021) for the method; the statement is derived"


def source(section: str, reference: str = PAPER) -> Source:
    """Chapter 4 of the dossier, with the literature behind it."""
    return Source(reference, section)


L, mu, gamma, n = (parameter(name).symbol for name in ("L", "mu", "step_size", "workers"))
w, lambda_2, lambda_n, rho, theta, beta, B, a_W, S_W = (
    parameter(name).symbol
    for name in (
        "self_weight", "lambda_2", "lambda_n", "mixing_rate", "spectral_gap", "mixing_gap", "mixing_strength",
        "mixing_pull", "gossip_sum",
    )
)  # fmt: skip
c, sigma = parameter("trigger_threshold").symbol, parameter("gradient_noise").symbol
kappa = L / mu

CURVATURE = parameter("mu", Range(0, L, lower_open=True))
PULL = Parameter(
    "pull", r"1-\bar w", Range(0, 1), "", "mean of 1 - W_ii for the published update, 0 for the average-preserving one"
)
ZETA = Parameter(
    "uniform_dissimilarity", r"\zeta", NONNEGATIVE, "", "root mean square of grad f_i - grad F over the workers"
)
ZETA_STAR = Parameter("optimum_dissimilarity", r"\zeta_*", NONNEGATIVE, "", "root mean square of grad f_i(x*)")
DISAGREEMENT = Parameter(
    "disagreement", "V", NONNEGATIVE, "", "mean squared distance of the workers from their average"
)
GRADIENT_BOUND = Parameter("gradient_bound", "G", POSITIVE, "", "bound on every worker's gradient")
MOVEMENT = Parameter("movement", "m", NONNEGATIVE, "", "largest movement of a worker in one iteration")
LATENCY = Parameter("latency", r"\ell", Range(0, integer=True), "iterations", "largest latency of a link")
HOLD = Parameter("hold", "m", Range(1, integer=True), "iterations", "iterations between two messages")


def step_up_to(largest: sympy.Expr, *, open_end: bool = False) -> Parameter:
    """The step size, up to `largest`."""
    return parameter("step_size", Range(0, largest, lower_open=True, upper_open=open_end))


def contraction(
    moved: sympy.Expr, change: sympy.Expr, step: sympy.Expr, smoothness: sympy.Expr, factor: sympy.Expr
) -> Identity:
    """A gradient step contracts distances: ``factor^2 |moved|^2 - |moved - step change|^2`` is a sum of hypotheses.

    `change` is the difference of the gradients at two points that differ by `moved`.
    """
    return Identity(
        "a gradient step contracts",
        factor**2 * square(moved) - square(moved - step * change),
        (
            Term(
                step**2,
                Hypothesis(
                    "co-coercivity",
                    inner(change - mu * moved, smoothness * moved - change),
                    "each_strongly_convex",
                ),
            ),
            Term(
                step * (2 - step * (smoothness + mu)),
                Hypothesis("strong monotonicity", inner(change, moved) - mu * square(moved), "each_strongly_convex"),
            ),
        ),
    )


POSITIVE_FACTS = (mu <= L, mu > 0, gamma > 0)
