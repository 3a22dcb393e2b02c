r"""Formulas for a web page: LaTeX and symbolic expressions as presentation MathML.

Browsers draw MathML Core, which knows neither letters of another alphabet by attribute nor delimiters of a given size;
LaTeX is brought into a form of which ``latex2mathml`` makes MathML Core.
"""

from __future__ import annotations

import re

import sympy

from taciturn.theory.gram import index_of
from taciturn.theory.symbols import PARAMETERS
from taciturn.theory.theorem import BOUND, K

__all__ = ["clauses", "expression_latex", "mathml"]

_ALPHABET_WITHOUT_BRACES = re.compile(r"\\(mathbb|mathbf|mathcal)\s+(\w)")
_DELIMITER_OF_A_SIZE = re.compile(r"\\[bB]igg?[lr]?\s*(\\(?:[a-zA-Z]+|[{}|])|[^\\\s])")
_OPENING = frozenset({"(", "[", r"\{", r"\lceil", r"\lfloor", r"\lVert", r"\lvert", r"\langle"})

_DEPTH = {"{": 1, "}": -1, r"\left": 1, r"\right": -1, r"\begin{": 2, r"\end{": 0, r"\{": 0, r"\}": 0}
_STRUCTURE = re.compile(r"\\qquad|\\quad|\\begin\{|\\end\{|\\(?:left|right)(?![a-z])|\\[{}]|[{}]")

_GREEK = frozenset(
    "alpha beta gamma delta zeta eta theta iota kappa lambda mu nu xi pi rho varrho sigma tau phi chi psi omega".split()
)
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
    latex = _DELIMITER_OF_A_SIZE.sub(lambda m: (r"\left" if m[1] in _OPENING else r"\right") + m[1], latex)
    latex = latex.replace("{aligned}", "{align*}")
    return str(convert(latex, display="block" if display else "inline"))


def clauses(latex: str) -> tuple[str, ...]:
    r"""The parts of a formula between its wide spaces, where a narrow page may break the line.

    Examples
    --------
    >>> clauses(r"a\le b,\qquad\text{if \quad c}\quad d")
    ('a\\le b,', '\\text{if \\quad c}', 'd')
    """
    depth, start, found = 0, 0, []
    for match in _STRUCTURE.finditer(latex):
        depth += _DEPTH.get(match[0], 0)
        if match[0] not in _DEPTH and depth == 0:
            found.append(latex[start : match.start()])
            start = match.end()
    found.append(latex[start:])
    return tuple(part.strip() for part in found if part.strip())


def expression_latex(expression: sympy.Basic) -> str:
    r"""A symbolic expression in LaTeX, every symbol under the name that people give it.

    Examples
    --------
    >>> from taciturn.theory import theorem
    >>> expression_latex(theorem("topT-pl-rate").rate)
    '1 - \\frac{\\alpha \\mu}{L}'
    """
    expression = expression.replace(BOUND, lambda k: sympy.Function(r"\mathrm{bound}")(k))
    names = {symbol: _symbol_latex(symbol) for symbol in expression.free_symbols}
    return str(sympy.latex(expression, symbol_names=names))


def _symbol_latex(symbol: sympy.Symbol) -> str:
    """The name of a symbol: a parameter's own, else from its parts: ``F_next[k]`` is F with a raised + and index k."""
    index = index_of(symbol)
    base = symbol.name.partition("[")[0]
    below = [] if index is None else [_word(index)]
    if base in PARAMETERS:
        return _marked(PARAMETERS[base].tex, below)
    if base.isupper() and len(base) > 2:  # a placeholder for one of the theorem's own formulas
        return _upright(base.lower().split("_"))
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
