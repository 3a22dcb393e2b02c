"""The parameters of the theory, each declared once: name, symbol, domain, unit and meaning.

The identifiers are those of the dossier's notation table (chapter 0): a letter that changes its meaning from one
chapter of the literature to the next has one name here.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import TypeAlias

import sympy

Expr: TypeAlias = sympy.Expr
"""A symbolic expression."""

Symbol: TypeAlias = sympy.Symbol
"""A symbol of sympy."""


@dataclass(frozen=True)
class Range:
    """An interval whose ends may depend on other parameters.

    Parameters
    ----------
    lower, upper
        Ends, numbers or expressions; ``None`` for an unbounded side.
    lower_open, upper_open
        Whether the end is excluded.
    integer
        Whether only whole numbers are allowed.
    """

    lower: Expr | float | None = None
    upper: Expr | float | None = None
    lower_open: bool = False
    upper_open: bool = False
    integer: bool = False

    def facts(self, symbol: Symbol) -> tuple[sympy.Basic, ...]:
        """The interval as inequalities about `symbol`.

        Examples
        --------
        >>> Range(0, 1, lower_open=True).facts(sympy.Symbol("t"))
        (t > 0, t <= 1)
        """
        found: list[sympy.Basic] = []
        if self.lower is not None:
            relation = sympy.StrictGreaterThan if self.lower_open else sympy.GreaterThan
            found.append(relation(symbol, self.lower, evaluate=False))
        if self.upper is not None:
            relation = sympy.StrictLessThan if self.upper_open else sympy.LessThan
            found.append(relation(symbol, self.upper, evaluate=False))
        return tuple(found)

    def __str__(self) -> str:
        left = "(" if self.lower_open or self.lower is None else "["
        right = ")" if self.upper_open or self.upper is None else "]"
        lower = "-inf" if self.lower is None else self.lower
        upper = "inf" if self.upper is None else self.upper
        return f"{left}{lower}, {upper}{right}" + (", integer" if self.integer else "")


POSITIVE = Range(0, lower_open=True)
NONNEGATIVE = Range(0)
UNIT = Range(0, 1, lower_open=True)
COUNT = Range(1, integer=True)


@dataclass(frozen=True)
class Parameter:
    """A quantity that theorems speak of.

    Parameters
    ----------
    name
        Identifier, also the keyword of ``evaluate``.
    tex
        How it is printed in formulas.
    domain
        Where it lives; a theorem may narrow it with `within`.
    unit
        Physical or counting unit, ``""`` for pure numbers.
    meaning
        One line in words.

    Examples
    --------
    >>> PARAMETERS["mu"].meaning
    'strong convexity (or PL) constant of F'
    """

    name: str
    tex: str
    domain: Range
    unit: str
    meaning: str

    @property
    def symbol(self) -> Symbol:
        """The symbol that stands for the parameter in every formula."""
        return sympy.Symbol(self.name, real=True)

    def within(self, domain: Range) -> Parameter:
        """The same parameter with the narrower `domain` of one statement."""
        return Parameter(self.name, self.tex, domain, self.unit, self.meaning)


_TABLE = (
    Parameter("L", "L", POSITIVE, "", "smoothness constant of F"),
    Parameter("mu", r"\mu", POSITIVE, "", "strong convexity (or PL) constant of F"),
    Parameter("L_restricted", "L_T", POSITIVE, "", "smoothness constant along T-sparse directions"),
    Parameter("L_tilde", r"\tilde L", POSITIVE, "", "root mean square of the workers' smoothness constants"),
    Parameter("step_size", r"\gamma", POSITIVE, "", "step size"),
    Parameter("relative_step", r"\gamma'", POSITIVE, "", "step size of the gradient method that is imitated"),
    Parameter("alpha", r"\alpha", UNIT, "", "certified decrease of sparsification: kept energy / energy"),
    Parameter("beta", r"\beta", UNIT, "", "certified decrease of sparsification with quantisation"),
    Parameter("omega", r"\omega", UNIT, "", "certified decrease of stochastic sparsification: 1/(1 + variance)"),
    Parameter("alpha_min", r"\alpha_{\min}", UNIT, "", "smallest certified decrease along the run"),
    Parameter("delta", r"\delta", UNIT, "", "contraction: E|C(v) - v|^2 <= (1 - delta)|v|^2"),
    Parameter("T", "T", COUNT, "entries", "entries kept"),
    Parameter("d", "d", COUNT, "entries", "dimension"),
    Parameter("nnz", r"\mathrm{nnz}", COUNT, "entries", "non-zero entries of the gradient"),
    Parameter("effective_sparsity", "s", Range(1), "entries", "effective sparsity |g|_1^2/|g|^2"),
    Parameter("effective_dimension", r"d_{\rm eff}", Range(1), "entries", "sum of min(mu_j)/mu_j over coordinates"),
    Parameter("radius", "R", POSITIVE, "", "bound on the distance of all iterates to the minimiser"),
    Parameter("c0", "c_0", NONNEGATIVE, "cost", "price of an empty message"),
    Parameter("c1", "c_1", POSITIVE, "cost", "price of one more entry"),
    Parameter("cost", "C", POSITIVE, "cost", "price of one message"),
    Parameter("dense_cost", r"C_{\rm dense}", POSITIVE, "cost", "price of a full gradient"),
    Parameter("efficiency", r"E_{\min}", POSITIVE, "1/cost", "smallest certified decrease per unit of price"),
    Parameter("L_hat", r"\hat L", POSITIVE, "", "delay smoothness: largest eigenvalue of sum_i p_i L_i"),
    Parameter(
        "L_stale", r"\ell", POSITIVE, "", "smoothness seen by stale gradients: L if all read one model, else L_Q"
    ),
    Parameter("tau", r"\tau", Range(0, integer=True), "iterations", "largest delay"),
    Parameter("variance", r"\omega", NONNEGATIVE, "", "variance factor: E|Q(v) - v|^2 <= omega |v|^2"),
    Parameter("noise_slope", "B_0", NONNEGATIVE, "", "E|xi|^2 <= 2 B_0 D + N_0"),
    Parameter("noise_floor", "N_0", NONNEGATIVE, "", "E|xi|^2 <= 2 B_0 D + N_0"),
    Parameter("relative_noise", r"\beta", NONNEGATIVE, "", "E|xi|^2 <= beta |v|^2 + zeta^2"),
    Parameter("absolute_noise", r"\zeta", NONNEGATIVE, "", "E|xi|^2 <= beta |v|^2 + zeta^2"),
    Parameter("young", r"\theta", POSITIVE, "", "free parameter of Young's inequality"),
    Parameter("absolute_error", r"\bar\kappa", NONNEGATIVE, "", "E|C(v) - v|^2 <= kappa^2, mean over the workers"),
    Parameter("Lambda", r"\Lambda", POSITIVE, "", "max_i p_i L_i"),
    Parameter("sparsity_sigma", r"\sigma", Range(1), "", "data-sparsity constant"),
    Parameter("optimum_gradients", "E_*", NONNEGATIVE, "", "sum_i p_i^2 |grad f_i(x*)|^2"),
    Parameter("workers", "n", COUNT, "workers", "number of workers"),
    Parameter("window_norm", "w^2", NONNEGATIVE, "", "largest squared norm of the window matrices"),
    Parameter("window_count", "m", Range(0, integer=True), "iterations", "how often a step lies in a window, at most"),
    Parameter("smallest_efficiency", r"\min_ir_i", POSITIVE, "1/cost", "smallest best efficiency of a worker"),
    Parameter("largest_efficiency", r"\max_ir_i", POSITIVE, "1/cost", "largest best efficiency of a worker"),
    Parameter("gradient_noise", r"\sigma", NONNEGATIVE, "", "standard deviation of the stochastic gradients"),
    Parameter("dissimilarity", "G", Range(1), "", "relative gradient dissimilarity of the workers"),
    Parameter("heterogeneity", "B", NONNEGATIVE, "", "absolute gradient dissimilarity of the workers"),
    Parameter("noise_smoothness", "M", NONNEGATIVE, "", "max_i p_i nu_i L_i"),
    Parameter("noise_at_optimum", "N_*", NONNEGATIVE, "", "sum_i p_i^2 nu_i |grad f_i(x*)|^2"),
    Parameter("received_noise", r"\sigma_Q^2", NONNEGATIVE, "", "sum_i p_i^2 (1 + omega_i) s_i^2"),
    Parameter("mean_smoothness", r"\bar L", POSITIVE, "", "sum_i p_i L_i"),
    Parameter("memory_smoothness", "A_L", NONNEGATIVE, "", "sum_i p_i L_i a(delta_i)"),
    Parameter("memory_curvature", "A_2", NONNEGATIVE, "", "sum_i p_i L_i a(delta_i)^2"),
    Parameter("memory_dissimilarity", "A_b", NONNEGATIVE, "", "sum_i p_i b_i a(delta_i)"),
    Parameter("memory_residual", "D", NONNEGATIVE, "", "sum_i p_i (a(delta_i) zeta_i + r(delta_i) s_i)"),
    Parameter("residual_at_optimum", "D_*", NONNEGATIVE, "", "memory_residual with zeta_i = |grad f_i(x*)|"),
    Parameter("discounted_smoothness", r"A_L(\beta)", NONNEGATIVE, "", "A_L at beta = sqrt(1 - step_size mu)"),
    Parameter("discounted_curvature", r"A_2(\beta)", NONNEGATIVE, "", "A_2 at beta = sqrt(1 - step_size mu)"),
    Parameter("discounted_residual", r"D_*(\beta)", NONNEGATIVE, "", "D_* at beta = sqrt(1 - step_size mu)"),
    Parameter("memory_norm", r"\bar E", NONNEGATIVE, "gradient", "bound on the root mean square of the mean memory"),
    Parameter("gradient_bound", "h", NONNEGATIVE, "gradient", "bound on the worker's gradient norm, root mean square"),
    Parameter("L_max", r"L_{\max}", POSITIVE, "", "largest smoothness constant of a worker"),
    Parameter(
        "sum_square_weights",
        r"\sum p_i^2",
        Range(0, 1, lower_open=True),
        "",
        "sum of the squared weights of the workers",
    ),
    Parameter("discount", r"\beta", UNIT, "", "root of what a potential keeps per iteration: sqrt(1 - step_size mu)"),
    Parameter("mean_threshold", r"\Lambda", NONNEGATIVE, "gradient", "sum_i p_i max_k lambda_i^k"),
    Parameter("target", r"\varepsilon", POSITIVE, "", "accuracy that the step size is chosen for"),
    Parameter("self_weight", "w", Range(0, 1, lower_open=True), "", "weight of a worker's own parameters, W_ii"),
    Parameter("lambda_2", r"\lambda_2", Range(-1, 1, upper_open=True), "", "second largest eigenvalue of W"),
    Parameter("lambda_n", r"\lambda_n", Range(-1, 1, lower_open=True), "", "smallest eigenvalue of W"),
    Parameter("mixing_rate", r"\rho", Range(0, 1, upper_open=True), "", "spectral norm of W - J"),
    Parameter("spectral_gap", r"\theta", UNIT, "", "1 - mixing_rate"),
    Parameter("mixing_gap", r"\beta", Range(0, 2, lower_open=True), "", "1 - lambda_2"),
    Parameter("mixing_strength", "B", Range(0, 2, lower_open=True), "", "spectral norm of I - W, 1 - lambda_n"),
    Parameter("mixing_pull", "a_W", NONNEGATIVE, "", "root of the sum of (1 - W_ii)^2"),
    Parameter("gossip_sum", "S_W", POSITIVE, "", "sum over t of max_i |lambda_i|^t (1 - lambda_i)"),
    Parameter("trigger_threshold", "c", NONNEGATIVE, "", "largest distance of a parameter vector from its copies"),
)

PARAMETERS: Mapping[str, Parameter] = MappingProxyType({entry.name: entry for entry in _TABLE})
"""Every parameter by name."""


def parameter(name: str, domain: Range | None = None) -> Parameter:
    """The parameter called `name`, narrowed to `domain` if given.

    Raises
    ------
    ValueError
        If no such parameter is declared.

    Examples
    --------
    >>> str(parameter("mu", Range(0, sympy.Symbol("L"), lower_open=True)).domain)
    '(0, L]'
    """
    if name not in PARAMETERS:
        raise ValueError(f"unknown parameter {name!r}; declared are {', '.join(PARAMETERS)}")
    found = PARAMETERS[name]
    return found if domain is None else found.within(domain)
