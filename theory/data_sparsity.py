"""What sparse data save: constants of sums of vectors with few common coordinates (dossier 2.2–2.3)."""

from __future__ import annotations

import sympy

from .certificate import Certificate, Hypothesis, Identity, Sign, Term
from .gram import mean, scalars
from .staleness.common import source
from .symbols import Parameter, Range, parameter
from .theorem import VALUE, Theorem

SUBJECT = "data-sparsity"

_n, _ave, _top, _c_l = scalars("workers average_degree largest_degree column_count")
_DEGREES = (
    parameter("workers"),
    Parameter("average_degree", r"\Delta_{\rm ave}", Range(0, _n - 1), "", "average degree of the conflict graph"),
)
_COLUMN = Parameter(
    "column_count", r"\max_lc_l", Range(1, _n, integer=True), "workers", "most workers that share a coordinate"
)
_a_i, _a_j, _p_i, _p_j, _L_i, _L_j = scalars("a[i] a[j] p[i] p[j] L[i] L[j]")
_S, _Q, _lam, _root = scalars("sum_a sum_a2 lambda root")

SPARSITY_SIGMA = Theorem(
    id="sparsity-sigma",
    title="The data-sparsity constant is the largest column count",
    statement=(
        r"\operatorname{supp}u_i\subseteq S_i:\qquad \Big\lVert\sum_iu_i\Big\rVert^2\le\sigma\sum_i\lVert u_i\rVert^2,\qquad "
        r"\sigma_{\rm coord}=\max_lc_l,\quad c_l=\#\{i:l\in S_i\}"
    ),
    source=source("2.2"),
    status="derived",
    kind="tight",
    subject=SUBJECT,
    parameters=(parameter("workers"), _COLUMN),
    measure=r"\sup\lVert\sum u_i\rVert^2/\sum\lVert u_i\rVert^2",
    value=_c_l,
    proof=Certificate(
        lines=(
            Identity(
                "one coordinate: c sum a_i^2 - (sum a_i)^2 is a sum of squares over pairs (averages over T_l)",
                _Q - _S**2,
                (
                    Term(
                        sympy.S.Half,
                        Hypothesis("squares", mean((_a_i - _a_j) ** 2, "j"), "arithmetic"),
                        index="i",
                    ),
                ),
            ),
            Identity("the constant", VALUE - _c_l),
        ),
        means={_a_i: _S, _a_j: _S, _a_i**2: _Q, _a_j**2: _Q},
        scope="every number of workers, every support pattern",
    ),
    tightness="equality for u_i = e_l at the fullest column",
)

_sigma_tr = 1 + sympy.sqrt((_n - 1) * _ave)

SPARSITY_ORDER = Theorem(
    id="sparsity-order",
    title="The five constants in order",
    statement=(
        r"\sigma_{\rm coord}\le\sigma_{\rm spec}\le\min\{\sigma_{\rm tr},\sigma_\Delta\},\quad \sigma_{\rm tr}=1+\sqrt{(n-1)\Delta_{\rm ave}}"
        r"\le\sigma_{\rm F}=\sqrt{n(1+\Delta_{\rm ave})},\qquad \sigma_\Delta=1+\Delta_{\max}"
    ),
    source=source("2.2"),
    status="derived",
    kind="lemma",
    subject=SUBJECT,
    parameters=_DEGREES,
    measure=r"\sigma_{\rm tr}",
    value=_sigma_tr,
    proof=Certificate(
        lines=(
            Sign(
                "trace: lambda^2 <= (n - 1)(2E - lambda^2) gives lambda^2 <= (n - 1)/n 2E, 2E = n Delta_ave",
                (_n - 1) * _ave - _lam**2,
                where=(_lam**2 <= (_n - 1) * (_n * _ave - _lam**2),),
            ),
            Sign(
                "tr <= F, squared: n(1 + D) - (1 + root)^2 with root^2 = (n - 1) D",
                _n * (1 + _ave) - (1 + _root) ** 2,
                where=(sympy.Eq(_root**2, (_n - 1) * _ave), _root >= 0),
            ),
            Identity("the formula", VALUE - _sigma_tr),
        ),
        domain=(_n >= 1, _ave >= 0),
        scope="every conflict graph",
        remainder="coord <= spec: a column is a clique; spec <= Delta: largest row sum",
    ),
)

_L_bar, _V, _S_w = scalars("L_supp weighted weighted_sum")

SPARSITY_WEIGHTED = Theorem(
    id="sparsity-weighted",
    title="The weighted constant, which is also a smoothness constant",
    statement=(
        r"\Big\lVert\sum_ip_iu_i\Big\rVert^2\le L_{\rm supp}\sum_i\frac{p_i}{L_i}\lVert u_i\rVert^2,\qquad "
        r"L\le L_{\rm supp}=\max_l\sum_{i\in T_l}p_iL_i\le\min\{\bar L,\sigma_{\rm coord}\Lambda\}"
    ),
    source=source("2.3"),
    status="derived",
    kind="tight",
    subject=SUBJECT,
    parameters=(parameter("workers"), _COLUMN, parameter("Lambda")),
    measure=r"\text{upper bound}\ \sigma_{\rm coord}\Lambda\ \text{of}\ L_{\rm supp}",
    value=_c_l * parameter("Lambda").symbol,
    proof=Certificate(
        lines=(
            Identity(
                "one coordinate: sum p L * sum p a^2/L - (sum p a)^2 (averages over T_l)",
                _L_bar * _V - _S_w**2,
                (
                    Term(
                        sympy.S.Half,
                        Hypothesis(
                            "squares",
                            mean(_p_i * _p_j * _L_i * _L_j * (_a_i / _L_i - _a_j / _L_j) ** 2, "j"),
                            "positive weights",
                        ),
                        index="i",
                    ),
                ),
            ),
            Sign("the squares", _p_i * _p_j * _L_i * _L_j * (_a_i / _L_i - _a_j / _L_j) ** 2),
            Identity("the upper bound: c_l terms of at most Lambda", VALUE - _c_l * parameter("Lambda").symbol),
        ),
        domain=(_p_i > 0, _p_j > 0, _L_i > 0, _L_j > 0),
        means={
            _p_i * _L_i: _L_bar, _p_j * _L_j: _L_bar, _p_i * _a_i**2 / _L_i: _V, _p_j * _a_j**2 / _L_j: _V,
            _p_i * _a_i: _S_w, _p_j * _a_j: _S_w,
        },
        scope="every number of workers, every support pattern",
    ),
    tightness="equality for u_i proportional to L_i e_l at the heaviest column",
)  # fmt: skip

THEOREMS = (SPARSITY_SIGMA, SPARSITY_ORDER, SPARSITY_WEIGHTED)
