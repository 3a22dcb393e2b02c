"""Symbolic vectors, their scalar products and averages: the small algebra of one-step inequalities.

A `Vector` is an atom; linear combinations are ordinary sympy expressions. `inner` expands a scalar product into Gram
entries ``dot(a, b)``, so every inequality of a proof is *linear* in Gram entries and function values, with coefficients
that are rational functions of the parameters. That is what makes a certificate decidable by polynomial arithmetic.

Averages carry proofs over any number of workers, and expectations. Atoms whose name ends in ``[i]`` belong to worker
``i``; ``Mean(i, expression)`` is a linear functional of mass one (a weighted sum ``sum_i p_i`` with weights of sum one,
or an expected value). It is known only through the table of `means` handed to `reduce_means`: an identity that holds
for the formal `Mean` holds for every number of workers and every set of weights.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Mapping

import sympy
from sympy.printing.latex import LatexPrinter

from .symbols import Expr, Symbol

_INDEX = re.compile(r"[^\[\]]+\[(\w+)\]")


class Vector(sympy.Symbol):
    """A vector of unspecified dimension; a name that ends in ``[i]`` makes it one of a family indexed by ``i``."""


class dot(sympy.Function):
    """The scalar product of two vectors as one symbol, symmetric in its arguments."""

    nargs = 2

    @classmethod
    def eval(cls, left: Expr, right: Expr) -> Expr | None:
        """Put the arguments in alphabetical order."""
        return cls(right, left) if right.name < left.name else None

    def _latex(self, printer: LatexPrinter) -> str:
        left, right = (printer.doprint(argument) for argument in self.args)
        return rf"\lVert {left}\rVert^2" if left == right else rf"\langle {left},{right}\rangle"


class Mean(sympy.Function):
    """Average of an expression over an index: linear, and the average of 1 is 1."""

    nargs = 2

    def _latex(self, printer: LatexPrinter) -> str:
        index, inside = (printer.doprint(argument) for argument in self.args)
        return rf"\operatorname{{mean}}_{{{index}}}\left[{inside}\right]"


def index_of(atom: Symbol) -> str | None:
    """The index an atom carries, from its name.

    Examples
    --------
    >>> index_of(Vector("g[i]")), index_of(Vector("g"))
    ('i', None)
    """
    found = _INDEX.fullmatch(atom.name)
    if found is None and "[" in atom.name:
        raise ValueError(f"atom={atom.name!r} must carry at most one index, written name[index]")
    return found[1] if found else None


def vectors(names: str) -> tuple[Vector, ...]:
    """Several vectors at once.

    Examples
    --------
    >>> vectors("g q[i]")
    (g, q[i])
    """
    return tuple(Vector(name) for name in names.split())


def scalars(names: str) -> tuple[Symbol, ...]:
    """Several real scalars at once (function values, parameters of one worker)."""
    return tuple(sympy.Symbol(name, real=True) for name in names.split())


def mean(expression: Expr, index: str = "i") -> Expr:
    """The formal average of `expression` over `index`."""
    return Mean(sympy.Symbol(index), expression)


def coordinates(combination: Expr) -> dict[Vector, Expr]:
    """Coefficients of a linear combination of vectors.

    Raises
    ------
    ValueError
        If `combination` is not linear and homogeneous in its vectors.

    Examples
    --------
    >>> g, e = vectors("g e")
    >>> coordinates(2 * g - (g + e) / 3)
    {e: -1/3, g: 5/3}
    """
    found = sorted(combination.atoms(Vector), key=lambda atom: atom.name)
    form = _affine(combination, frozenset(found))
    if form is None or sympy.expand(form.get(sympy.S.One, sympy.S.Zero)) != 0:
        raise ValueError(f"combination={combination} is not linear in vectors")
    expanded = {atom: sympy.expand(form[atom]) for atom in found}
    return {atom: coefficient for atom, coefficient in expanded.items() if coefficient != 0}


def inner(left: Expr, right: Expr) -> Expr:
    """Scalar product of two linear combinations, expanded into Gram entries.

    Examples
    --------
    >>> g, e = vectors("g e")
    >>> inner(g + e, g - e)
    -dot(e, e) + dot(g, g)
    """
    return sympy.Add(*(a * b * dot(u, v) for u, a in coordinates(left).items() for v, b in coordinates(right).items()))


def square(combination: Expr) -> Expr:
    """Squared norm of a linear combination, expanded into Gram entries."""
    return inner(combination, combination)


def linear_form(expression: Expr, atoms: tuple[Expr, ...]) -> tuple[dict[Expr, Expr], Expr]:
    """Split an expression that is affine in `atoms` into coefficients and constant.

    Raises
    ------
    ValueError
        If the expression is not affine in the atoms.
    """
    form = _affine(expression, frozenset(atoms))
    if form is None:
        raise ValueError(f"expression={expression} is not linear in its scalar products")
    return {atom: form.get(atom, sympy.S.Zero) for atom in atoms}, form.get(sympy.S.One, sympy.S.Zero)


def _affine(expression: Expr, atoms: frozenset[Expr]) -> dict[Expr, Expr] | None:
    """Coefficients by atom, that of 1 is the constant; ``None`` if the expression is not affine in the atoms."""
    if expression in atoms:
        return {expression: sympy.S.One}
    parts = []
    for argument in expression.args:
        part = _affine(argument, atoms)
        if part is None:
            return None
        parts.append(part)
    dependent = [part for part in parts if part.keys() != {sympy.S.One}]
    if not dependent:
        return {sympy.S.One: expression}
    if isinstance(expression, sympy.Add):
        summands: dict[Expr, list[Expr]] = defaultdict(list)
        for part in parts:
            for atom, coefficient in part.items():
                summands[atom].append(coefficient)
        return {atom: sympy.Add(*coefficients) for atom, coefficients in summands.items()}
    if isinstance(expression, sympy.Mul) and len(dependent) == 1:
        factor = sympy.Mul(*(part[sympy.S.One] for part in parts if part is not dependent[0]))
        return {atom: factor * coefficient for atom, coefficient in dependent[0].items()}
    return None


def linear_atoms(expression: Expr) -> tuple[Expr, ...]:
    """The scalar products and averages in an expression, outermost ones only, in a fixed order."""
    return tuple(sorted(_outermost(expression, (dot, Mean)), key=str))


def _outermost(expression: Expr, kinds: tuple[type, ...]) -> set[Expr]:
    if isinstance(expression, kinds):
        return {expression}
    return set().union(*(_outermost(argument, kinds) for argument in expression.args)) if expression.args else set()


def reduce_means(expression: Expr, means: Mapping[Expr, Expr]) -> Expr:
    """Evaluate the averages in `expression` as far as `means` determines them.

    Parameters
    ----------
    expression
        Affine in its `Mean` terms.
    means
        Averages by summand: ``{g_i: g}`` says that the vectors ``g[i]`` average to ``g``;
        ``{p_i * dot(g_i, g_i): V}`` names an aggregate.

    Returns
    -------
    Expr
        Equal to `expression`, with averages of index-free quantities and of those in `means` carried out, and what
        remains collected into one formal `Mean` per summand.

    Examples
    --------
    >>> g, g_i = vectors("g g[i]")
    >>> reduce_means(mean(square(g_i - g)), {g_i: g})
    Mean(i, dot(g[i], g[i])) - dot(g, g)
    """
    outermost = tuple(sorted(_outermost(expression, (Mean,)), key=str))
    if not outermost:
        return expression
    coefficients, rest = linear_form(expression, outermost)
    integrands: dict[Symbol, Expr] = defaultdict(lambda: sympy.S.Zero)
    for term, coefficient in coefficients.items():
        index, inside = term.args
        if any(index_of(atom) == index.name for atom in coefficient.free_symbols):
            raise ValueError(f"the index {index} occurs outside the average {term}, which would capture it")
        integrands[index] += coefficient * reduce_means(inside, means)
    return rest + sympy.Add(*(_average(index, integrand, means) for index, integrand in integrands.items()))


def _average(index: Symbol, integrand: Expr, means: Mapping[Expr, Expr]) -> Expr:
    coefficients, constant = linear_form(integrand, linear_atoms(integrand))
    result = sympy.S.Zero
    for entry, coefficient in (*coefficients.items(), (sympy.S.One, constant)):
        varies = any(index_of(atom) == index.name for atom in coefficient.free_symbols)
        monomials = sympy.Add.make_args(sympy.expand(sympy.cancel(coefficient))) if varies else (coefficient,)
        for term in monomials:
            own = [a for a in term.free_symbols if index_of(a) == index.name]
            outside, inside = term.as_independent(*own, as_Add=False) if own else (term, sympy.S.One)
            result += outside * _average_monomial(index, inside, entry, means)
    return result


def _average_monomial(index: Symbol, factor: Expr, entry: Expr, means: Mapping[Expr, Expr]) -> Expr:
    """The average of ``factor * entry``: `factor` depends on the index, `entry` is a scalar product or 1."""
    if factor * entry in means:
        return means[factor * entry]
    own = [side for side in entry.args if isinstance(side, Vector) and index_of(side) == index.name]
    depends = bool(own) or any(index_of(a) == index.name for a in entry.free_symbols)
    if not depends:
        return entry * (sympy.S.One if factor == 1 else means.get(factor, Mean(index, factor)))
    if factor == 1 and isinstance(entry, dot) and len(own) == 1 and own[0] in means:
        (other,) = (side for side in entry.args if side != own[0])
        return inner(means[own[0]], other)
    return Mean(index, factor * entry)
