"""Sparsification with quantisation, S+Q, and the dynamic rule it replaces (dossier 2 and 6)."""

from __future__ import annotations

import sympy

from ..assumptions import DYNAMIC_RULE, EXACT_GRADIENT, L_SMOOTH, PL, SCALED_SIGN
from ..certificate import Certificate, Change, Hypothesis, Identity, Sign, Square, Term
from ..gram import inner, square, vectors
from ..hypotheses import after, pl, projection_type, smooth
from ..special import sqrt_increments
from ..symbols import Range, parameter
from ..theorem import DECREASE, RATE, STEP_SIZE, Theorem
from .common import (
    AT,
    CURVATURE,
    CURVATURE_FACTS,
    L_FACTS,
    NEXT,
    SMOOTHNESS,
    SUBJECT,
    F,
    F_next,
    L,
    T,
    beta,
    d,
    g,
    gamma,
    gap,
    gap_next,
    m,
    mu,
    q,
    source,
    step_parameter,
    unit_facts,
)

(Q,) = vectors("Q")
_b = sympy.Symbol("b", real=True)  # b = B_T / |g|, so that beta = b^2 / T
_NNZ = Hypothesis("|Q|^2 = T |g|^2, for T <= nnz", T * square(g) - square(Q), "definition of Q", equality=True)

SQ_DESCENT = Theorem(
    id="sq-descent",
    title="Descent of sparsification with quantisation",
    statement=(
        r"[Q_T(g)]_j=\lVert g\rVert\operatorname{sign}(g_j),\ j\in I_T(g):\quad "
        r"F(x-\gamma Q_T)\le F(x)-\gamma\lVert g\rVert B_T+\tfrac{L\gamma^2}2T\lVert g\rVert^2,\qquad "
        r"\gamma=\tfrac1L\sqrt{\beta/T}:\ F(x^+)\le F(x)-\frac{\beta(T)}{2L}\lVert g\rVert^2,\quad "
        r"\beta(T)=\frac{B_T^2}{T\lVert g\rVert^2}"
    ),
    source=source("2.1"),
    status="published",
    kind="tight",
    subject=SUBJECT,
    assumptions=(L_SMOOTH, EXACT_GRADIENT, SCALED_SIGN),
    parameters=(
        SMOOTHNESS,
        parameter("T"),
        parameter("beta"),
        step_parameter(2 * sympy.sqrt(beta * T) / (L * T), upper_open=True),
    ),
    defaults={"step_size": sympy.sqrt(beta * T) / (L * T)},
    measure=r"(F(x)-F(x^+))\,2L/\lVert g\rVert^2",
    step_size=gamma,
    decrease=2 * L * gamma * sympy.sqrt(beta * T) - L**2 * gamma**2 * T,
    proof=Certificate(
        lines=(
            Identity(
                "one step",
                F - F_next - DECREASE * square(g) / (2 * L),
                (
                    Term(sympy.S.One, smooth(AT, after(gamma * Q), L)),
                    Term(
                        gamma,
                        Hypothesis("<g, Q> = |g| B_T", inner(g, Q) - _b * square(g), "definition of Q", equality=True),
                    ),
                    Term(L * gamma**2 / 2, _NNZ),
                ),
            ),
            Identity(
                "the best step gives beta",
                beta - DECREASE,
                (),
                (Square(T, L * gamma - _b / T),),
            ),
        ),
        domain=(*L_FACTS, T >= 1, beta > 0, gamma > 0),
        changes=(Change(beta, _b, _b**2 / T, sympy.sqrt(beta * T), _b, facts=(_b > 0,)),),
    ),
    tightness="equality on F = L/2 |x|^2",
    pitfall="T must not exceed the number of non-zeros: sign(0) = 0 makes |Q|^2 smaller than T |g|^2",
)

_s, _c = vectors("sign")[0], sympy.Symbol("c", real=True)
_B = sympy.Symbol("B_T", real=True)
_COUNT = Hypothesis("the signs of T entries", square(_s) - T, "definition", equality=True)
_PAIR = Hypothesis("<g, sign(g_T)> = B_T", inner(g, _s) - _B, "definition", equality=True)

SQ_SCALED_SIGN = Theorem(
    id="sq-scaled-sign",
    title="S+Q with its best step is the scaled sign with step 1/L",
    statement=(
        r"\gamma Q_T(g)=\tfrac1L q,\quad q=\frac{B_T}T\operatorname{sign}(g_T):\qquad "
        r"\langle g,q\rangle=\lVert q\rVert^2=\beta\lVert g\rVert^2,\quad q=\operatorname*{argmin}_c"
        r"\lVert g-c\operatorname{sign}(g_T)\rVert^2"
    ),
    source=source("2.2"),
    status="derived",
    kind="lemma",
    subject=SUBJECT,
    assumptions=(L_SMOOTH, EXACT_GRADIENT, SCALED_SIGN),
    parameters=(SMOOTHNESS, parameter("beta")),
    measure=r"(F(x)-F(x^+))\,2L/\lVert g\rVert^2",
    step_size=1 / L,
    decrease=beta,
    proof=Certificate(
        lines=(
            Identity(
                "projection type",
                inner(g, _B / T * _s) - square(_B / T * _s),
                (Term(_B / T, _PAIR), Term(-(_B**2) / T**2, _COUNT)),
            ),
            Identity("kept energy", square(_B / T * _s) - _B**2 / T, (Term(_B**2 / T**2, _COUNT),)),
            Identity(
                "best approximation of the form c sign(g_T)",
                square(g - _c * _s) - square(g - _B / T * _s),
                (Term(2 * _B / T - 2 * _c, _PAIR), Term(_c**2 - _B**2 / T**2, _COUNT)),
                (Square(T, _c - _B / T),),
            ),
            Identity(
                "descent with step 1/L",
                F - F_next - DECREASE * square(g) / (2 * L),
                (
                    Term(sympy.S.One, smooth(AT, NEXT, L)),
                    Term(1 / L, projection_type(g, q)),
                    Term(
                        1 / (2 * L),
                        Hypothesis("kept energy", square(q) - beta * square(g), "definition of beta", equality=True),
                    ),
                ),
            ),
        ),
        domain=(*L_FACTS, T >= 1, _B > 0),
    ),
    pitfall="sending |g| and the step needs two floats; the scaled sign needs one",
)

_FIXED = sympy.Min(1 / T, T / d)

BETA_PROFILE = Theorem(
    id="beta-profile",
    title="What S+Q keeps with a fixed T",
    statement=(
        r"\frac{\alpha(T)}T\le\beta(T)\le\alpha(T),\qquad \min_{g\in\mathbb R^d}\beta(T)=\min\Big\{\frac1T,\frac Td\Big\}"
    ),
    source=source("2.3"),
    status="derived",
    kind="tight",
    subject=SUBJECT,
    parameters=(parameter("d"), parameter("T", Range(1, d, integer=True))),
    measure=r"\beta(T)",
    decrease=_FIXED,
    no_certificate="extreme points of a polytope of sorted vectors; checked exhaustively over them and by property tests",
    tightness="attained by m equal entries; the best fixed T is about sqrt(d)",
    pitfall="beta is neither monotone nor unimodal in T",
    checked_by=("tests/theory/test_profiles.py::test_beta_profile",),
)

BETA_ADAPTIVE = Theorem(
    id="beta-adaptive",
    title="What S+Q keeps with the best T for each gradient",
    statement=(
        r"\max_{1\le T\le d}\beta(T)\ge\frac1{h_d},\qquad h_d=\sum_{j=1}^d\big(\sqrt j-\sqrt{j-1}\big)^2\le1+\tfrac14H_{d-1}"
    ),
    source=source("2.4"),
    status="derived",
    kind="tight",
    subject=SUBJECT,
    parameters=(parameter("d"),),
    measure=r"\max_T\beta(T)",
    decrease=1 / sqrt_increments(d),
    no_certificate="Abel summation over sorted vectors of every length; attained instance and property tests",
    tightness="equality for |g_j| = sqrt(j) - sqrt(j-1)",
    checked_by=("tests/theory/test_profiles.py::test_beta_adaptive",),
)

SQ_RATES = Theorem(
    id="sq-rates",
    title="Linear rate of S+Q",
    statement=(
        r"\Delta_{k+1}\le\Big(1-\beta_k\frac\mu L\Big)\Delta_k,\qquad \beta_k\ge\min\Big\{\frac1T,\frac Td\Big\}"
        r"\ \text{(fixed }T),\quad \beta_k\ge\frac1{h_d}\ \text{(best }T)"
    ),
    source=source("2.5"),
    status="derived",
    kind="upper",
    subject=SUBJECT,
    assumptions=(L_SMOOTH, PL, EXACT_GRADIENT, SCALED_SIGN),
    parameters=(SMOOTHNESS, CURVATURE, parameter("beta")),
    goal="objective_gap",
    measure=r"F(x_K)-F^*",
    step_size=1 / L,
    rate=1 - beta * m,
    proof=Certificate(
        lines=(
            Identity(
                "one step",
                RATE * gap - gap_next,
                (
                    Term(
                        sympy.S.One,
                        Hypothesis(
                            "proj-descent for the scaled sign",
                            F - F_next - beta * STEP_SIZE * (1 - L * STEP_SIZE / 2) * square(g),
                            "L_smooth, scaled_sign",
                        ),
                    ),
                    Term(beta / (2 * L), pl(AT, mu)),
                ),
            ),
        ),
        domain=(*CURVATURE_FACTS, *unit_facts(beta)),
    ),
    tightness="as topT-pl-rate, of which it is the case q = scaled sign",
)


DYNAMIC_T = Theorem(
    id="dynamic-T",
    title="The dynamic rule T# = min{T: B_T >= |g|}",
    statement=(
        r"T^\sharp\le\lceil\sqrt d\,\rceil,\quad \gamma=\frac1{LT^\sharp}:\ F(x^+)\le F(x)-\frac{1}{2LT^\sharp}\lVert g\rVert^2,"
        r"\qquad \frac1{T^\sharp}\le\beta(T^\sharp)<\frac{T^\sharp}{(T^\sharp-1)^2},\qquad "
        r"\Delta_{k+1}\le\Big(1-\frac{\mu}{L\lceil\sqrt d\,\rceil}\Big)\Delta_k"
    ),
    source=source("6", "rule: Alistarh, Grubic, Li, Tomioka, Vojnovic (2017); two-sided bound derived"),
    status="derived",
    kind="upper",
    subject=SUBJECT,
    assumptions=(L_SMOOTH, PL, EXACT_GRADIENT, DYNAMIC_RULE),
    parameters=(SMOOTHNESS, CURVATURE, parameter("d"), parameter("T", Range(1, d, integer=True))),
    defaults={"T": sympy.ceiling(sympy.sqrt(d))},
    goal="objective_gap",
    measure=r"F(x_K)-F^*",
    step_size=1 / (L * T),
    decrease=1 / T,
    rate=1 - m / T,
    proof=Certificate(
        lines=(
            Identity(
                "one step",
                F - F_next - DECREASE * square(g) / (2 * L),
                (
                    Term(sympy.S.One, smooth(AT, after(STEP_SIZE * Q), L)),
                    Term(1 / (L * T), Hypothesis("B_T >= |g|", inner(g, Q) - square(g), "rule for T")),
                    Term(1 / (2 * L * T**2), _NNZ),
                ),
            ),
            Identity(
                "PL",
                RATE * gap - gap_next,
                (
                    Term(
                        sympy.S.One,
                        Hypothesis("line above", F - F_next - square(g) / (2 * L * T), "L_smooth"),
                    ),
                    Term(1 / (2 * L * T), pl(AT, mu)),
                ),
            ),
            Sign(
                "T# = 2: b_1 < |g| gives beta < 2; in general beta = B^2/T with B <= b T/(T-1), b < 1",
                T / (T - 1) ** 2 - (_b * T / (T - 1)) ** 2 / T,
                where=(T >= 2, _b >= 0, _b <= 1),
            ),
        ),
        domain=(*CURVATURE_FACTS, T >= 1),
        remainder="T# <= ceil(sqrt(d)), from beta-profile",
    ),
    tightness="1/T# attained by flat vectors; the rule ignores the price of the message",
    checked_by=("tests/theory/test_profiles.py::test_dynamic_rule",),
)

THEOREMS = (SQ_DESCENT, SQ_SCALED_SIGN, BETA_PROFILE, BETA_ADAPTIVE, SQ_RATES, DYNAMIC_T)
