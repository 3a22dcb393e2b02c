"""What all statements about error feedback with non-uniform ratios share (dossier 3.1).

Workers keep memories ``e_i`` in gradient units and send ``m_i = C_i(e_i + g_i)``; ``z = x - gamma e``, ``e`` the mean
memory, is the virtual iterate. A worker's ratio enters through ``a_i = q_i/(beta - q_i)``, ``q_i = sqrt(1 - delta_i)``:
in ``a_i`` everything is rational. ``Mean(i, .)`` is the sum over the workers with weights ``p_i``.
"""

from __future__ import annotations

import sympy

from ..certificate import Change, Hypothesis, Identity, Sign
from ..gram import scalars, vectors
from ..symbols import Expr, Parameter, Range, parameter
from ..theorem import BOUND, RESIDUAL, K, Source

SUBJECT = "error-feedback"
SETTING = "setting of Lu et al. (2023), arXiv 2311.07324"


def source(section: str, reference: str = SETTING) -> Source:
    """Chapter 3 of the dossier, with the literature behind it."""
    return Source(reference, section)


L, mu, gamma, delta = (parameter(name).symbol for name in ("L", "mu", "step_size", "delta"))
sigma, A_L, A_2, A_b = (
    parameter(name).symbol
    for name in ("gradient_noise", "memory_smoothness", "memory_curvature", "memory_dissimilarity")
)
D, D_opt = (parameter(name).symbol for name in ("memory_residual", "residual_at_optimum"))

SMOOTHNESS, NOISE = parameter("L"), parameter("gradient_noise")
CURVATURE = parameter("mu", Range(0, L, lower_open=True))

# A worker's memory, its gradient, and what its ratio amounts to.
e_i, g_i = vectors("e[i] g[i]")
a_i, L_i = scalars("a[i] L[i]")
E_i, E_next_i = scalars("E[i] E_next[i]")  # E|e_i|^2 where only the norm matters
beta = parameter("discount").symbol
(e_mean,) = vectors("e_mean")

q = sympy.Symbol("q", real=True)
RATIO_CHANGE = Change(old=delta, new=q, forward=1 - q**2, inverse=sympy.sqrt(1 - delta), root=q, facts=(q >= 0, q < 1))
"""``1 - delta = q^2``: the root becomes rational in q."""


def residual_factor(a: Expr, discount: Expr = sympy.S.One) -> Expr:
    """``q`` as a function of ``a = q/(discount - q)``."""
    return discount * a / (1 + a)


def noise_factor(a: Expr) -> Expr:
    """``r^2 = q^2/(beta (beta - q))`` as a function of ``a``, the same for every beta."""
    return a**2 / (1 + a)


def memory_step(a: Expr, before: Expr, gradient: Expr, after: Expr, discount: Expr = sympy.S.One) -> Hypothesis:
    """`ef-memory-step`: the memory after one step; `before`, `gradient` and `after` are squared norms."""
    factor = residual_factor(a, discount)
    # q^2 beta/(beta - q) = q beta a
    expression = factor * discount * before + factor * discount * a * gradient - after
    return Hypothesis("ef-memory-step", expression, "contractive")


def weighted_cauchy_schwarz(total: Expr, terms: Expr, aggregate: Expr) -> Hypothesis:
    """`ef-memory-aggregate`: ``|sum p_i e_i|^2 <= V sum p_i |e_i|^2/v_i`` for weights v_i > 0 of mean V."""
    return Hypothesis("ef-memory-aggregate", total * terms - aggregate, "weighted Cauchy-Schwarz")


def step_up_to(upper: Expr, *, upper_open: bool = False) -> Parameter:
    """The step size, restricted to ``(0, upper]``."""
    return parameter("step_size", Range(0, upper, lower_open=True, upper_open=upper_open))


def positive_root(quadratic: Expr, linear: Expr, constant: Expr) -> Expr:
    """The positive root of ``quadratic y^2 - linear y - constant``."""
    return (linear + sympy.sqrt(linear**2 + 4 * quadratic * constant)) / (2 * quadratic)


def root_lines(quadratic: Expr, linear: Expr, constant: Expr, limit: Expr) -> tuple[Identity | Sign, ...]:
    """The lines that turn ``A y^2 <= B y + C`` into ``y^2 <= bound``; `limit` is C without its start."""
    y, root, A, B, C = scalars("y root A B C")
    solution = positive_root(A, B, C)
    return (
        Sign(
            "beyond the positive root of A y^2 - B y - C the inequality fails",
            A * y**2 - B * y - C,
            strict=True,
            where=(A > 0, B >= 0, C >= 0, sympy.Eq(A * root**2, B * root + C), root >= 0, y > root, 2 * A * root >= B),
        ),
        Identity("the root", A * solution**2 - B * solution - C),
        Identity("the bound is its square", BOUND(K) - positive_root(quadratic, linear, constant) ** 2),
        Identity("the residual is that without the start", RESIDUAL - positive_root(quadratic, linear, limit) ** 2),
    )


def tends_to_residual(vanishing: Expr) -> Identity:
    """The line that says what the bound tends to: the rest vanishes as the number of steps grows."""
    return Identity("the residual is what the bound tends to", BOUND(K) - RESIDUAL - vanishing)
