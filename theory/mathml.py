r"""Formulas for a web page: LaTeX and symbolic expressions as presentation MathML.

Browsers draw MathML Core, which knows neither letters of another alphabet by attribute nor delimiters of a given size;
LaTeX is brought into a form of which ``latex2mathml`` makes MathML Core.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from types import MappingProxyType

import sympy
from sympy.printing.latex import LatexPrinter

from .gram import index_of
from .symbols import PARAMETERS, Expr
from .theorem import BITS, BOUND, DECREASE, EPS, INITIAL, RATE, RESIDUAL, STEP_SIZE, VALUE

__all__ = ["clauses", "expression_latex", "mathml"]

_ALPHABET_WITHOUT_BRACES = re.compile(r"\\(mathbb|mathbf|mathcal)\s+(\w)")
_NAMED_DELIMITER = re.compile(
    r"(?:\\(?:[bB]igg?[lr]?|left|right)\s*)?(\\([lr])(?:Vert|vert|ceil|floor|angle)(?![a-z]))"
)
_OPENING_OF_A_SIZE = re.compile(r"\\[bB]igg?[lr]?\s*(\(|\[|\\\{)")
_CLOSING_OF_A_SIZE = re.compile(r"\\[bB]igg?[lr]?\s*(\)|\]|\\\})")

_DEPTH = {r"\left": 1, r"\right": -1, r"\begin{": 2, r"\end{": 0}
_DEPTH |= dict.fromkeys(("{", "(", "[", r"\{"), 1) | dict.fromkeys(("}", ")", "]", r"\}"), -1)
_SPACE = re.compile(r"\\qquad|\\quad")
_RELATION = re.compile(r"\\(?:le|ge|to)(?![a-zA-Z])|=")
_STRUCTURE = re.compile(
    rf"{_SPACE.pattern}|{_RELATION.pattern}|\\(?:begin|end)\{{|\\(?:left|right)(?![a-z])|\\?[{{}}]|[()\[\]]"
)

_DECLARED: Mapping[str, str] = MappingProxyType({name: entry.tex for name, entry in PARAMETERS.items()})
_GREEK = frozenset(
    ("alpha", "beta", "gamma", "delta", "zeta", "eta", "theta", "iota", "kappa", "lambda", "mu", "nu", "xi", "pi")
    + ("rho", "varrho", "sigma", "tau", "phi", "chi", "psi", "omega")
)
_NAMED = {formula: rf"\text{{{formula.name.lower()}}}" for formula in (RATE, RESIDUAL, DECREASE, VALUE, BITS)}
_NAMED |= {STEP_SIZE: r"\gamma", EPS: r"\varepsilon", INITIAL: r"\text{initial}"}
_L, _MU, _M = PARAMETERS["L"].symbol, PARAMETERS["mu"].symbol, sympy.Symbol("m", real=True)
_RAISED = {"next": "+", "star": "*", "opt": r"\mathrm{opt}"}


def mathml(latex: str, *, display: bool = False) -> str:
    r"""The formula in presentation MathML.

    Parameters
    ----------
    latex
        Without dollar signs.
    display
        Whether it stands alone, with limits above and below its sums.

    Examples
    --------
    >>> "&#x1D53C;" in mathml(r"\mathbb E\,x"), "stretchy" in mathml(r"\Big(x\Big)")
    (True, True)
    """
    from latex2mathml.converter import convert

    latex = _ALPHABET_WITHOUT_BRACES.sub(r"\\\1{\2}", latex)
    latex = _NAMED_DELIMITER.sub(lambda m: (r"\left" if m[2] == "l" else r"\right") + m[1], latex)
    latex = _OPENING_OF_A_SIZE.sub(r"\\left\1", latex)
    latex = _CLOSING_OF_A_SIZE.sub(r"\\right\1", latex)
    latex = latex.replace("{aligned}", "{align*}")
    markup = str(convert(latex, xmlns="", display="block" if display else "inline")).replace(' xmlns=""', "")
    return markup.replace("<mo>&#x0221E;</mo>", "<mi>&#x0221E;</mi>")  # infinity is no operator that needs space


def clauses(latex: str) -> tuple[tuple[str, ...], ...]:
    r"""The parts of a formula between its wide spaces, each cut before its relations: where a page may break the line.

    Examples
    --------
    >>> clauses(r"a\le f(b=1)=c,\qquad\text{if \quad e}\quad d")
    (('a', '\\le f(b=1)', '=c,'), ('\\text{if \\quad e}',), ('d',))
    """
    depth, start, found = 0, 0, [[""]]
    for match in _STRUCTURE.finditer(latex):
        depth += _DEPTH.get(match[0], 0)
        if match[0] not in _DEPTH and depth == 0:
            found[-1][-1] = _trimmed(latex[start : match.start()])
            start = match.start() if _RELATION.match(match[0]) else match.end()
            if _RELATION.match(match[0]):
                found[-1].append("")
            else:
                found.append([""])
    found[-1][-1] = _trimmed(latex[start:])
    pieces = (tuple(piece for piece in clause if piece) for clause in found)
    return tuple(clause for clause in pieces if clause)


def _trimmed(piece: str) -> str:
    r"""The piece without the spaces at its ends, ``\\ `` among them."""
    return piece.strip().removesuffix("\\").removeprefix(r"\ ").strip()


def expression_latex(expression: sympy.Basic, tex: Mapping[str, str] = _DECLARED) -> str:
    r"""A symbolic expression in LaTeX, every symbol under the name that people give it.

    Parameters
    ----------
    expression
        Of sympy.
    tex
        How parameters are printed, by name; as the theory declares them if absent.

    Examples
    --------
    >>> from taciturn.theory import theorem
    >>> expression_latex(theorem("topT-pl-rate").rate)
    '1 - \\alpha\\,m'
    """
    expression = _shorter(expression.replace(BOUND, lambda k: sympy.Function(r"\text{bound}")(k)))
    names = {symbol: _symbol_latex(symbol, tex) for symbol in expression.free_symbols}
    return str(_Printer({"symbol_names": names, "ln_notation": True, "mul_symbol": r"\,"}).doprint(expression))


def _shorter(expression: sympy.Basic) -> sympy.Basic:
    """The expression in ``m = mu/L`` instead of mu where that is shorter."""
    relative = expression.subs(_MU, _M * _L)
    return relative if relative.count_ops() < expression.count_ops() else expression


class _Printer(LatexPrinter):
    """Sums begin with what is not subtracted."""

    def _as_ordered_terms(self, expr: Expr, order: str | None = None) -> list[Expr]:
        terms = super()._as_ordered_terms(expr, order=order)
        return sorted(terms, key=lambda term: bool(term.as_coeff_Mul()[0].is_negative))


def _symbol_latex(symbol: sympy.Symbol, tex: Mapping[str, str]) -> str:
    """The name of a symbol: a parameter's own, else from its parts: ``F_next[k]`` is F with a raised + and index k."""
    index = index_of(symbol)
    base = symbol.name.partition("[")[0]
    below = [] if index is None else [_word(index)]
    if base in tex:
        return _marked(tex[base], below)
    if symbol in _NAMED:
        return _NAMED[symbol]
    parts = base.split("_")
    above = [_RAISED[part] for part in parts if part in _RAISED]
    averaged = {"mean", "bar"} & set(parts)
    head, *marks = (part for part in parts if part not in _RAISED and part not in ("mean", "bar"))
    if len(head) > 1 and head not in _GREEK:  # words, not a letter with marks
        words = [head, *(mark for mark in marks if not mark.isdigit())]
        return _marked(_upright(words), [mark for mark in marks if mark.isdigit()] + below, above)
    letter = rf"\bar{{{_word(head)}}}" if averaged else _word(head)
    return _marked(letter, [_word(mark) for mark in marks] + below, above)


def _marked(letter: str, below: list[str], above: list[str] | None = None) -> str:
    letter = f"{{{letter}}}" if "_" in letter and below else letter
    return letter + (f"_{{{','.join(below)}}}" if below else "") + (f"^{{{' '.join(above)}}}" if above else "")


def _upright(words: list[str]) -> str:
    return rf"\text{{{' '.join(words)}}}"


def _word(text: str) -> str:
    if len(text) == 1 or text.isdigit():
        return text
    return rf"\{text}" if text in _GREEK or text in ("min", "max", "inf") else rf"\mathrm{{{text}}}"
