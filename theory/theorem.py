"""Theorems as objects: read them, evaluate them, prove them.

A `Theorem` is data: a statement, the assumptions it needs, the parameters it speaks of, formulas for what it guarantees
and a certificate. `Theorem.evaluate` turns numbers (or broadcastable arrays) into a `Guarantee`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cache, cached_property
from typing import Any, Literal

import numpy as np
import sympy

from .certificate import Certificate
from .special import NUMERIC
from .symbols import Expr, Parameter, Symbol

K: Symbol = sympy.Symbol("k", nonnegative=True)
"""The iteration counter in `Theorem.bound`."""

INITIAL: Symbol = sympy.Symbol("initial", positive=True)
"""The value of the measure at the start, in `Theorem.bound` and `Theorem.iterations`."""

EPS: Symbol = sympy.Symbol("eps", positive=True)
"""The target accuracy in `Theorem.iterations`."""

STEP_SIZE, RATE, RESIDUAL, DECREASE, VALUE, BITS = sympy.symbols(
    "STEP_SIZE RATE RESIDUAL DECREASE VALUE BITS", real=True
)
"""Placeholders in certificates for the theorem's own formulas: a certificate proves exactly what is evaluated."""

BOUND = sympy.Function("BOUND")
"""Placeholder in certificates for the theorem's bound after ``k`` iterations."""

QUANTITIES = ("objective_gap", "squared_distance", "squared_gradient", "potential", "distance")
"""What bounds can be about: F - F*, |x - x*|^2, |grad F|^2, a potential the statement defines, |x - x*|."""

Number = Any
"""A float or an array of floats."""


@dataclass(frozen=True)
class Assumption:
    """A checkable hypothesis about the problem or the method.

    Parameters
    ----------
    name
        How a caller states it, e.g. ``"L_smooth"``.
    statement
        LaTeX.
    implies
        Names of weaker assumptions that follow.
    """

    name: str
    statement: str
    implies: tuple[str, ...] = ()


@dataclass(frozen=True)
class Source:
    """Where a statement comes from: the literature, and the section of the dossier with its proof."""

    reference: str
    dossier: str

    def __str__(self) -> str:
        return f"{self.reference}; dossier {self.dossier}"


@dataclass(frozen=True)
class Guarantee:
    """What a theorem promises for given parameters; every field has the broadcast shape of the parameters.

    Attributes
    ----------
    step_size
        The step size the promise is for.
    rate
        Factor by which the measure shrinks per iteration.
    residual
        What the bound tends to (additive).
    decrease
        Certified decrease of one step in units of ``|g|^2/(2L)``.
    value
        The number that the statement is about, where it is none of the above (see the theorem's `measure`).
    """

    theorem: Theorem
    values: Mapping[str, Number]
    step_size: Number | None
    rate: Number | None
    residual: Number | None
    decrease: Number | None
    value: Number | None

    def bound(self, k: Number, initial: Number) -> Number:
        """Upper bound of the theorem's measure after `k` iterations from the value `initial`."""
        return self._evaluate("bound", k=_checked("k", k, 0), initial=_checked("initial", initial, 0, open_end=True))

    def iterations(self, eps: Number, initial: Number) -> Number:
        """Number of iterations after which the bound is at most `eps` (``inf`` if it never is).

        Raises
        ------
        ValueError
            If the theorem bounds no iterate.
        """
        eps, initial = _checked("eps", eps, 0, open_end=True), _checked("initial", initial, 0, open_end=True)
        count = np.asarray(self._evaluate("iterations", eps=eps, initial=initial), dtype=float)
        residual = 0.0 if self.residual is None else self.residual
        count = np.where(np.isnan(count) | (eps <= residual), np.inf, count)
        if self.theorem.iterations is None:  # log(eps/initial)/log(rate), where the rate may be 0, or 1 and more
            begun = eps < initial + residual
            # Within 1e-12 of 1 rounding decides what the logarithm of the rate is: nothing is promised there.
            count = np.where(begun & (np.asarray(self.rate) >= 1 - 1e-12), np.inf, count)
            count = np.where(begun, np.maximum(count, 1), count)
        rounding = 1e-12 * np.minimum(np.abs(count), 1e3)  # a count that is whole but for rounding is not rounded up
        return _plain(np.maximum(np.ceil(count - rounding), 0))

    def bits(self, eps: Number, initial: Number, bits_per_iteration: Number = 1.0) -> Number:
        """Price of reaching accuracy `eps`: the theorem's own formula, else iterations × price of one.

        Parameters
        ----------
        bits_per_iteration
            Price of the messages of one iteration, in any unit; unused by theorems that state bits themselves.
        """
        if self.theorem.bits is not None:
            return self._evaluate(
                "bits",
                eps=_checked("eps", eps, 0, open_end=True),
                initial=_checked("initial", initial, 0, open_end=True),
            )
        price = _checked("bits_per_iteration", bits_per_iteration, 0, open_end=True)
        return _plain(np.asarray(self.iterations(eps, initial)) * price)

    def _evaluate(self, name: str, **extra: Number) -> Number:
        formula = getattr(self.theorem, f"{name}_formula")
        if formula is None:
            raise ValueError(f"theorem {self.theorem.id} states no {name}; it is about {self.theorem.measure}")
        return self.theorem.compute(formula, {**self.values, **extra})


@dataclass(frozen=True)
class Theorem:
    r"""One statement of the theory.

    Parameters
    ----------
    id
        Dossier ID, e.g. ``"topT-pl-rate"``.
    title
        One line in words.
    statement
        LaTeX, without dollar signs.
    source
        Literature and dossier section.
    status
        ``"published"`` (in this form, recalled) or ``"derived"``.
    kind
        ``"tight"`` (no better constant is valid), ``"upper"``, ``"lower"`` or ``"lemma"``.
    subject
        Subject it is listed under.
    assumptions, parameters
        What it needs and what it speaks of.
    measure
        What the statement measures, LaTeX.
    goal, start
        Which quantity `bound` bounds, and from the initial value of which (the same if absent): one of `QUANTITIES`.
    step_size, rate, residual, decrease, value
        Formulas in the parameters, where the statement has them.
    bound
        Formula in the parameters, `K` and `INITIAL`; follows from `rate` and `residual` if absent.
    iterations, bits
        Formulas in the parameters, `EPS` and `INITIAL`; `iterations` follows from `rate` if absent.
    defaults
        Values of parameters that a caller may leave out.
    proof
        Certificate with placeholders; read it through `certificate`.
    no_certificate
        Why there is none, in words.
    tightness
        What is known of the worst case, in words.
    pitfall
        A tempting stronger statement that is false.
    checked_by
        Tests that check the statement, as pytest node IDs.

    Examples
    --------
    >>> from taciturn.theory import theorem
    >>> guarantee = theorem("topT-pl-rate").evaluate(L=1, mu=0.1, alpha=0.5)
    >>> guarantee.rate, guarantee.iterations(eps=1e-3, initial=1.0)
    (0.95, 135.0)
    """

    id: str
    title: str
    statement: str
    source: Source
    status: Literal["published", "derived"]
    kind: Literal["tight", "upper", "lower", "lemma"]
    subject: str
    assumptions: tuple[Assumption, ...] = ()
    parameters: tuple[Parameter, ...] = ()
    measure: str = ""
    goal: str = ""
    start: str = ""
    step_size: Expr | None = None
    rate: Expr | None = None
    residual: Expr | None = None
    decrease: Expr | None = None
    value: Expr | None = None
    bound: Expr | None = None
    iterations: Expr | None = None
    bits: Expr | None = None
    defaults: Mapping[str, Expr] = field(default_factory=dict)
    proof: Certificate | None = None
    no_certificate: str = ""
    tightness: str = ""
    pitfall: str = ""
    checked_by: tuple[str, ...] = ()

    @cached_property
    def certificate(self) -> Certificate | None:
        """The certificate of exactly the formulas that `evaluate` uses, or ``None`` (see `no_certificate`)."""
        if self.proof is None:
            return None
        names = {STEP_SIZE: self.step_size, RATE: self.rate, RESIDUAL: self.residual}
        names |= {DECREASE: self.decrease, VALUE: self.value, BITS: self.bits}
        formulas = {name: formula for name, formula in names.items() if formula is not None}

        def fill(expression: sympy.Basic) -> sympy.Basic:
            if self.bound_formula is not None:
                expression = expression.replace(BOUND, sympy.Lambda(K, self.bound_formula))
            return expression.subs(formulas)

        return self.proof.transform(fill)

    @property
    def bound_formula(self) -> Expr | None:
        """The bound after `K` iterations from `INITIAL`."""
        if self.bound is not None or self.rate is None:
            return self.bound
        return self.rate**K * INITIAL + (self.residual or 0)

    @property
    def iterations_formula(self) -> Expr | None:
        """The number of iterations to accuracy `EPS`, before rounding up."""
        if self.iterations is not None or self.rate is None or self.bound is not None:
            return self.iterations
        return sympy.log((EPS - (self.residual or 0)) / INITIAL) / sympy.log(self.rate)

    @property
    def bits_formula(self) -> Expr | None:
        """The price of accuracy `EPS`, where the statement has its own."""
        return self.bits

    def latex(self) -> str:
        """The statement in LaTeX."""
        return self.statement

    def mathml(self) -> str:
        """The statement in presentation MathML."""
        from .mathml import mathml

        return mathml(self.statement)

    def evaluate(self, **parameters: Number) -> Guarantee:
        """Numbers for the formulas of the statement.

        Parameters
        ----------
        **parameters
            One number or array for every parameter of the theorem (those with a default may be left out);
            arrays broadcast against each other.

        Raises
        ------
        ValueError
            For an unknown or missing parameter, or a value outside the range of the theorem; the message names the
            parameter, the value and the range.
        """
        values = self._checked_values(parameters)
        fields = {
            name: None if (formula := getattr(self, name)) is None else self.compute(formula, values)
            for name in ("step_size", "rate", "residual", "decrease", "value")
        }
        return Guarantee(self, values, **fields)

    def compute(self, formula: Expr, values: Mapping[str, Number]) -> Number:
        """Evaluate a formula in the parameters numerically, with broadcasting."""
        names, function = _numeric(formula)
        shape = np.broadcast_shapes(*(np.shape(value) for value in values.values()))
        # Branches of a case distinction that are not taken may divide by zero or leave the reals.
        with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
            result = function(*(np.broadcast_to(values[name], shape) for name in names))
        return _plain(np.broadcast_to(np.asarray(result, dtype=float), shape))

    def _checked_values(self, given: Mapping[str, Number]) -> dict[str, Number]:
        known = [entry.name for entry in self.parameters]
        for name in given:
            if name not in known:
                raise ValueError(f"{name}={given[name]!r}: theorem {self.id} has the parameters {', '.join(known)}")
        missing = [name for name in known if name not in given and name not in self.defaults]
        if missing:
            raise ValueError(f"theorem {self.id} needs {', '.join(missing)}; given were {', '.join(given) or 'none'}")
        values: dict[str, Number] = {name: _array(name, value) for name, value in given.items()}
        for name, formula in self.defaults.items():
            if name not in values:
                values[name] = np.asarray(self.compute(formula, values))
        for entry in self.parameters:
            self._check_range(entry, values)
        return values

    def _check_range(self, entry: Parameter, values: Mapping[str, Number]) -> None:
        value, domain = values[entry.name], entry.domain
        failing = np.zeros(np.shape(value), dtype=bool)
        ends = {}
        for side, end in (("lower", domain.lower), ("upper", domain.upper)):
            if end is None:
                continue
            limit = np.asarray(self.compute(sympy.sympify(end), values))
            ends[side] = limit
            slack = (value - limit) if side == "lower" else (limit - value)
            opened = domain.lower_open if side == "lower" else domain.upper_open
            # Ends computed in floating point are met up to rounding: the range is closed at 1 + 1e-12 relative.
            failing = failing | (slack <= 0 if opened else slack < -1e-12 * np.abs(limit))
        if domain.integer:
            failing = failing | (value != np.floor(value))
        if np.any(failing):
            worst = np.broadcast_to(value, failing.shape)[failing].flat[0]
            described = ", ".join(
                f"{side} end {np.broadcast_to(end, failing.shape)[failing].flat[0]:.6g}" for side, end in ends.items()
            )
            raise ValueError(
                f"{entry.name}={worst:.6g} is outside the range {domain} of theorem {self.id} ({described})"
            )


@cache
def _numeric(formula: Expr) -> tuple[list[str], Callable[..., Number]]:
    """The names of the parameters in a formula, and the formula as a function of their values in that order."""
    symbols = sorted(formula.free_symbols, key=str)
    plain = [sympy.Symbol(symbol.name) for symbol in symbols]
    renamed = formula.xreplace(dict(zip(symbols, plain, strict=True)))
    return [symbol.name for symbol in symbols], sympy.lambdify(plain, renamed, modules=[dict(NUMERIC), "numpy"])


def _plain(value: Any) -> Number:
    """A float for a single value, an array otherwise."""
    return float(value) if np.ndim(value) == 0 else np.array(value)


def _array(name: str, value: Number) -> Any:
    array = np.asarray(value)
    if array.dtype.kind not in "iuf":
        raise ValueError(f"{name}={value!r} must be a real number or an array of real numbers")
    if array.size == 0 or not np.all(np.isfinite(array)):
        raise ValueError(f"{name}={value!r} must be finite and not empty")
    return array.astype(float)


def _checked(name: str, value: Number, lower: float, *, open_end: bool = False) -> Any:
    array = _array(name, value)
    if np.any(array <= lower if open_end else array < lower):
        raise ValueError(f"{name}={value!r} must be {'above' if open_end else 'at least'} {lower}")
    return array
