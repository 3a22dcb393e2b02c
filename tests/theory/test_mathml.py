from __future__ import annotations

import re
from xml.etree import ElementTree

import pytest
import sympy

from taciturn.theory import catalogue
from taciturn.theory.certificate import Sign
from taciturn.theory.gram import dot, scalars, vectors
from taciturn.theory.mathml import clauses, expression_latex, mathml


@pytest.mark.parametrize("entry", catalogue(), ids=lambda entry: entry.id)
def test_every_formula_of_the_catalogue_becomes_mathml(entry) -> None:  # type: ignore[no-untyped-def]
    texts = [entry.statement, entry.measure or "x", *(assumption.statement for assumption in entry.assumptions)]
    texts += [piece for text in texts for clause in clauses(text) for piece in clause]
    if entry.proof is not None:
        for line in entry.proof.lines:
            texts.append(expression_latex(line.expression if isinstance(line, Sign) else line.conclusion))

    for text in texts:
        words = "".join(ElementTree.fromstring(mathml(text)).itertext())
        assert re.search(r"\\|&", words) is None, f"{text} leaves {words}"


@pytest.mark.parametrize(
    "latex",
    [r"\lVert x\rVert^2", r"\Big\{x\Big\}", r"\big(x\big)", r"\Big\lceil x\Big\rceil", r"\left[x\right)"],
)
def test_delimiters_grow_in_pairs(latex: str) -> None:
    markup = mathml(latex)

    assert markup.count('stretchy="true"') == 2
    assert 'form="prefix"' in markup
    assert 'form="postfix"' in markup


@pytest.mark.parametrize(("latex", "letter"), [(r"\mathbb E", "𝔼"), (r"\mathbb{R}^d", "ℝ"), (r"\mathcal G", "𝒢")])
def test_other_alphabets_are_letters_of_their_own(latex: str, letter: str) -> None:
    assert letter in "".join(ElementTree.fromstring(mathml(latex)).itertext())


def test_a_formula_is_cut_only_where_it_is_not_nested() -> None:
    cut = clauses(r"\begin{aligned}a&\le b\\c&=d\end{aligned}\qquad f(x=1)\le\max\{y:y\ge0\}\quad z\in[0,1)")

    assert cut == (
        (r"\begin{aligned}a&\le b\\c&=d\end{aligned}",),
        ("f(x=1)", r"\le\max\{y:y\ge0\}"),
        (r"z\in[0,1)",),
    )
    assert "".join(piece for clause in cut for piece in clause) == (
        r"\begin{aligned}a&\le b\\c&=d\end{aligned}f(x=1)\le\max\{y:y\ge0\}z\in[0,1)"
    )


@pytest.mark.parametrize(
    ("name", "latex"),
    [
        ("mu[j]", r"\mu_{j}"),
        ("c0", "c_0"),
        ("F_next[k]", "F_{k}^{+}"),
        ("F_Q[xi]", r"F_{Q,\xi}"),
        ("alpha_bar", r"\bar{\alpha}"),
        ("mean_F", r"\bar{F}"),
        ("E_max", r"E_{\max}"),
        ("p_opt[j]", r"p_{j}^{\mathrm{opt}}"),
        ("total_bits", r"\text{total bits}"),
        ("minorant_0", r"\text{minorant}_{0}"),
        ("INITIAL", r"\text{initial}"),
    ],
)
def test_symbols_have_the_names_that_people_give_them(name: str, latex: str) -> None:
    symbol = sympy.Symbol("initial", positive=True) if name == "INITIAL" else scalars(name)[0]

    assert expression_latex(symbol) == latex


def test_sums_begin_with_what_is_not_subtracted() -> None:
    a, b = scalars("A B")
    g, q = vectors("g q")

    assert expression_latex(b - a) == "B - A"
    assert expression_latex(dot(g, g) - 2 * dot(g, q)).startswith(r"\lVert g\rVert^2 - 2")


def test_parameters_of_one_theorem_are_printed_as_it_says() -> None:
    (levels,) = scalars("levels")

    assert expression_latex(levels**2, {"levels": "s"}) == "s^{2}"
