"""The operator of stochastic sparsification, SS: moments, best probabilities, what it keeps (dossier 3.1–3.4, 3.8)."""

from __future__ import annotations

import sympy

from ..certificate import Certificate, Hypothesis, Identity, Sign, Square, Term
from ..gram import mean, scalars, square
from ..symbols import Range, parameter
from ..theorem import DECREASE, VALUE, Theorem
from .common import SUBJECT, T, d, g, omega, source, unit_facts
from .stochastic import EXPECTATION, MOMENT, Q

(_gj,) = scalars("g_j")
_V, _W, _G = scalars("V W G")

SS_MOMENTS = Theorem(
    id="ss-moments",
    title="Moments of stochastic sparsification",
    statement=(
        r"[Q_p(g)]_j=\frac{\xi_jg_j}{p_j},\ \Pr(\xi_j=1)=p_j:\qquad \mathbb E\,Q=g,\quad "
        r"\mathbb E\lVert Q\rVert^2=\sum_{g_j\ne0}\frac{g_j^2}{p_j}=\frac1\omega\lVert g\rVert^2"
    ),
    source=source("3.1"),
    status="published",
    kind="tight",
    subject=SUBJECT,
    assumptions=(),
    parameters=(parameter("omega"),),
    measure=r"\mathbb E\lVert Q-g\rVert^2/\lVert g\rVert^2",
    value=1 / omega - 1,
    proof=Certificate(
        lines=(
            Identity("variance factor", VALUE * square(g) - mean(square(Q - g), "xi"), (Term(sympy.S.One, MOMENT),)),
        ),
        domain=unit_facts(omega),
        means=EXPECTATION,
        scope="every dimension; only the marginals p_j matter, independence is not used",
        remainder="entry by entry: p (g/p) = g and p (g/p)^2 = g^2/p",
    ),
    tightness="equalities",
)

_pj, _p0j, _gjj = scalars("p[j] p_opt[j] g[j]")
(_t,) = scalars("t")

SS_OPTIMAL_P = Theorem(
    id="ss-optimal-p",
    title="The best probabilities of stochastic sparsification",
    statement=(
        r"\min\Big\{\sum_j\frac{g_j^2}{p_j}:\ 0<p\le1,\ \sum_jp_j\le T\Big\}\ \text{is attained at}\ "
        r"p_j=\min\{1,\lvert g_j\rvert/t\},\quad \sum_j\min\{1,\lvert g_j\rvert/t\}=T,\qquad \omega(T)\ge\frac Td"
    ),
    source=source("3.2", "Wangni, Wang, Liu, Zhang (2018); Wang et al. (2018); certificate derived"),
    status="published",
    kind="tight",
    subject=SUBJECT,
    parameters=(parameter("d"), parameter("T", Range(0, d, lower_open=True))),
    measure=r"\omega(T)=\lVert g\rVert^2/\mathbb E\lVert Q\rVert^2",
    decrease=T / d,
    proof=Certificate(
        lines=(
            Identity(
                "no feasible p is better (averages over the coordinates)",
                mean(_gjj**2 / _pj, "j") - mean(_gjj**2 / _p0j, "j"),
                (
                    Term(
                        sympy.S.One,
                        Hypothesis(
                            "clipped entries: |g_j| >= t and p_opt = 1 >= p_j; elsewhere |g_j| = t p_opt",
                            (_gjj**2 / _p0j**2 - _t**2) * (_p0j - _pj),
                            "formula for p_opt",
                        ),
                        index="j",
                    ),
                    Term(
                        _t**2,
                        Hypothesis("budget", mean(_p0j, "j") - mean(_pj, "j"), "sum p <= T = sum p_opt"),
                    ),
                ),
                (Square(1 / (_pj * _p0j**2), _gjj * (_pj - _p0j), index="j"),),
            ),
            Identity("the uniform p = T/d is feasible, with this decrease", _gj**2 / (T / d) - _gj**2 / DECREASE),
        ),
        domain=(_pj > 0, _p0j > 0, _t > 0, T > 0, d >= T),
        scope="every dimension (averages over coordinates)",
    ),
    tightness="T/d on flat vectors",
)

_u, _A, _Bm = sympy.symbols("u A B", real=True)
_nnz = parameter("nnz").symbol
_profile = _u / (_A * _u + _Bm**2)

SS_OMEGA_PROFILE = Theorem(
    id="ss-omega-profile",
    title="The decrease of SS is increasing and concave in T",
    statement=(
        r"\omega(T)=\frac{\lVert g\rVert^2}{V(T)}\ \text{is increasing and concave on }(0,\mathrm{nnz}],\qquad "
        r"\omega(T)\ge\frac T{\mathrm{nnz}}\ge\frac Td"
    ),
    source=source("3.3"),
    status="derived",
    kind="tight",
    subject=SUBJECT,
    parameters=(
        parameter("nnz"),
        parameter("T", Range(0, _nnz, lower_open=True)),
    ),
    measure=r"\omega(T)",
    decrease=T / _nnz,
    proof=Certificate(
        lines=(
            Identity("slope on a piece", sympy.diff(_profile, _u) - _Bm**2 / (_A * _u + _Bm**2) ** 2),
            Sign("increasing on a piece", sympy.diff(_profile, _u)),
            Sign("concave on a piece", -sympy.diff(_profile, _u, 2)),
            Identity("the uniform p = T/nnz is feasible, with this decrease", _gj**2 / (T / _nnz) - _gj**2 / DECREASE),
        ),
        domain=(_u > 0, _A >= 0, _Bm > 0),
        scope="every dimension, every piece (fixed set of clipped entries)",
        remainder="V' = -t^2 is continuous across pieces because t is, so the pieces join to one concave function",
    ),
    tightness="T/nnz on flat vectors",
)

_gi, _pi = scalars("g[i] p[i]")

SS_ORDER = Theorem(
    id="ss-order",
    title="For one node, SS never keeps more than top-T",
    statement=(
        r"\omega(T)\le\bar\alpha(T)\ \text{for every }T,\qquad \omega(T)\le\beta(T)\ \text{for integer }T\le"
        r"\lVert g\rVert_1/\lVert g\rVert_\infty"
    ),
    source=source("3.4"),
    status="derived",
    kind="upper",
    subject=SUBJECT,
    proof=Certificate(
        lines=(
            Identity(
                "Cauchy-Schwarz: sum g^2/p * sum p g^2 >= (sum g^2)^2 (averages over coordinates)",
                _V * _W - _G**2,
                (
                    Term(
                        sympy.S.Half,
                        Hypothesis(
                            "Lagrange's squares",
                            mean(_gi**2 * _gjj**2 * (_pi - _pj) ** 2 / (_pi * _pj), "j"),
                            "squares over positive p",
                        ),
                        index="i",
                    ),
                ),
            ),
            Sign("Lagrange's squares", _gi**2 * _gjj**2 * (_pi - _pj) ** 2 / (_pi * _pj)),
            Identity(
                "S+Q: sum_j w_j |g_j| <= B_T/T for weights w_j = |g_j|/|g|_1 <= 1/T; squared, beta >= omega",
                (_W**2 / T - _G**2 * T / _V**2) - (_W - _G * T / _V) * (_W + _G * T / _V) / T,
            ),
        ),
        domain=(_pi > 0, _pj > 0),
        means={
            _gi**2 / _pi: _V,
            _gjj**2 / _pj: _V,
            _gi**2 * _pi: _W,
            _gjj**2 * _pj: _W,
            _gi**2: _G,
            _gjj**2: _G,
        },  # fmt: skip
        scope="every dimension (averages over coordinates)",
        remainder="alpha-profile, item 6: sum p_j g_j^2 <= alpha(T) |g|^2 for feasible p",
    ),
    checked_by=("tests/theory/test_profiles.py::test_order_of_schemes",),
    pitfall="what SS buys is unbiasedness: averaging over workers helps it, not top-T",
)

SS_FIXED_SIZE = Theorem(
    id="ss-fixed-size",
    title="Systematic sampling sends exactly T entries with the same marginals",
    statement=(
        r"\Pi_j=\sum_{i\le j}p_i,\ U\sim\mathcal U[0,1):\quad \text{select }j\text{ iff }\exists i\in\mathbb Z:\ "
        r"U+i\in[\Pi_{j-1},\Pi_j);\qquad \Pr(j)=p_j,\quad \#\text{selected}=T"
    ),
    source=source("3.8", "Madow (1949)"),
    status="published",
    kind="tight",
    subject=SUBJECT,
    parameters=(parameter("d"), parameter("T", Range(1, d, integer=True))),
    measure=r"\#\text{selected}",
    value=T,
    no_certificate="a statement about the sampling algorithm: marginals and size checked by exact integration over U",
    pitfall="with Bernoulli sampling E ceil(P(N)/P_max) is not ceil(P(T)/P_max), in either direction",
    checked_by=("tests/solvers/test_sampling.py::test_systematic_inclusion_probabilities_are_exact",),
)

THEOREMS = (SS_MOMENTS, SS_OPTIMAL_P, SS_OMEGA_PROFILE, SS_ORDER, SS_FIXED_SIZE)
