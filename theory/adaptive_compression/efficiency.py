"""Maximising decrease per unit of price, and coding of indices (dossier 4 and 8.3)."""

from __future__ import annotations

import sympy

from ..certificate import Certificate, Hypothesis, Identity, Sign, Term
from ..gram import scalars
from ..symbols import Range, parameter
from ..theorem import Theorem
from .common import SUBJECT, T, d, source

_a, _a_next, _A, _c0, _c1, _rho, _t, _norm = scalars("a_T a_next A_T c0 c1 rho t norm")


def _efficiency(energy: sympy.Expr, entries: sympy.Expr) -> sympy.Expr:
    return energy / (_norm * (_c0 + _c1 * entries))


def _slope(kept: sympy.Expr, following: sympy.Expr, entries: sympy.Expr) -> sympy.Expr:
    """``D(T) = a_(T+1) C(T) - c1 A_T``."""
    return following * (_c0 + _c1 * entries) - _c1 * kept


_SORTED = Hypothesis("magnitudes are sorted", _a - _a_next, "order")
_AFFINE_FACTS = (_c0 >= 0, _c1 > 0, _t >= 1, _norm > 0, _a >= _a_next, _a_next >= 0, _a <= _A)

EFF_AFFINE = Theorem(
    id="eff-affine",
    title="With an affine price the efficiency is unimodal in T",
    statement=(
        r"C(T)=c_0+c_1T,\quad D(T)=a_{T+1}C(T)-c_1A_T:\qquad \operatorname{sign}(E(T+1)-E(T))=\operatorname{sign}D(T),"
        r"\quad D\ \text{nonincreasing},\qquad \operatorname*{argmax}E=\{\min\{T:D\le0\},\dots,\min\{T:D<0\}\}"
    ),
    source=source("4.3"),
    status="published",
    kind="lemma",
    subject=SUBJECT,
    proof=Certificate(
        lines=(
            Identity(
                "the sign of the increment is the sign of D",
                _efficiency(_A + _a_next, _t + 1)
                - _efficiency(_A, _t)
                - _slope(_A, _a_next, _t) / (_norm * (_c0 + _c1 * _t) * (_c0 + _c1 * (_t + 1))),
            ),
            Identity(
                "D does not increase",
                _slope(_A - _a, _a, _t - 1) - _slope(_A, _a_next, _t),
                (Term(_c0 + _c1 * _t, _SORTED),),
            ),
            Sign("D(d) < 0: the last entry is followed by none", -_slope(_A, sympy.S.Zero, _t), where=(_A >= 0,)),
        ),
        domain=_AFFINE_FACTS,
        scope="every dimension, every T, every sorted gradient",
    ),
    tightness="the interval of maximisers is exact; with c0 = 0 CAT is Gauss-Southwell coordinate descent",
    checked_by=("tests/solvers/test_tune.py::test_tune_equals_brute_force",),
)

EFF_C0_MONOTONE = Theorem(
    id="eff-c0-monotone",
    title="A larger overhead makes CAT send more entries",
    statement=r"T_-\ \text{and}\ T_+\ \text{are nondecreasing in}\ \rho=\frac{c_0}{c_1}",
    source=source("4.3"),
    status="derived",
    kind="lemma",
    subject=SUBJECT,
    proof=Certificate(
        lines=(
            Identity("D/c1 depends on rho only", _slope(_A, _a_next, _t) / _c1 - (_a_next * (_rho + _t) - _A)),
            Sign("D/c1 does not decrease in rho", sympy.diff(_a_next * (_rho + _t) - _A, _rho)),
        ),
        domain=(_c1 > 0, _a_next >= 0),
        scope="every dimension, every T, every sorted gradient",
    ).transform(lambda expression: expression.subs(_c0, _rho * _c1)),
    checked_by=("tests/solvers/test_tune.py::test_best_T_grows_with_the_overhead",),
)

EFF_THRESHOLD = Theorem(
    id="eff-threshold",
    title="CAT-S is hard thresholding with an adaptive threshold",
    statement=(
        r"\lambda^*=c_1\max_T\frac{A_T}{C(T)}\ \text{is the root of}\ h(\lambda)=\sum_j(g_j^2-\lambda)_+-\rho\lambda,"
        r"\qquad T_-=\max\{1,\#\{g_j^2>\lambda^*\}\},\quad T_+=\#\{g_j^2\ge\lambda^*\}"
    ),
    source=source("4.4", "Dinkelbach (1967) for the parametric argument"),
    status="derived",
    kind="lemma",
    subject=SUBJECT,
    no_certificate="combinatorial: equality with brute force over all T on random, structured and tied gradients",
    checked_by=("tests/solvers/test_tune.py::test_tune_equals_brute_force",),
)

EFF_PACKET = Theorem(
    id="eff-packet",
    title="Only full packets need to be examined",
    statement=(
        r"C(T)=c_0+c_1n\ \text{for}\ T_{n-1}<T\le T_n:\quad \text{a maximiser is among}\ \{T_n\}\ \text{for S and SS};"
        r"\quad\text{unimodal in }n\text{ for whole entries per packet, not if entries straddle; false for S+Q}"
    ),
    source=source("4.5"),
    status="published",
    kind="lemma",
    subject=SUBJECT,
    no_certificate="combinatorial: equality with brute force; counterexamples for straddling entries and for S+Q",
    checked_by=(
        "tests/solvers/test_tune.py::test_tune_equals_brute_force",
        "tests/solvers/test_tune.py::test_full_packets_are_not_enough_for_quantised_messages",
    ),
)

EFF_HYBRID = Theorem(
    id="eff-hybrid",
    title="Prices with packets and bits: one test per segment",
    statement=(
        r"C(T)=c_0+c_pn+c_bT\ \text{on segment }n:\quad \text{the best }T\text{ of the segment is the first with}\ "
        r"a_{T+1}C(T)-c_bA_T\le0,\ \text{else its end}"
    ),
    source=source("4.6"),
    status="derived",
    kind="lemma",
    subject=SUBJECT,
    no_certificate="follows from eff-affine on every segment; equality with brute force",
    checked_by=("tests/solvers/test_tune.py::test_tune_equals_brute_force",),
)

_dec, _inc, _m0, _m1, _more = scalars("decrease increment minorant_0 minorant_1 more")

EFF_SAFE_STOP = Theorem(
    id="eff-safe-stop",
    title="When to stop looking, for any price with an affine minorant",
    statement=(
        r"C(T)\ge\underline c_0+\underline c_1T=\underline C(T):\qquad E(T')\le\max\Big\{\frac{\alpha+\delta}{\underline C(T+1)},\ "
        r"\frac1{\underline C(T+(1-\alpha)/\delta)}\Big\}\ \text{for every }T'>T,\quad \delta=\frac{a_{T+1}}{\lVert g\rVert^2}"
    ),
    source=source("4.7"),
    status="derived",
    kind="upper",
    subject=SUBJECT,
    proof=Certificate(
        lines=(
            Identity(
                "a ratio of affine functions is monotone: the numerator of its derivative is constant",
                sympy.diff((_dec + _more * _inc) / (_m0 + _m1 * (_t + _more)), _more) * (_m0 + _m1 * (_t + _more)) ** 2
                - (_inc * (_m0 + _m1 * _t) - _m1 * _dec),
            ),
            Sign(
                "beyond the point where alpha reaches 1 the bound falls",
                -sympy.diff(1 / (_m0 + _m1 * (_t + _more)), _more),
            ),
        ),
        domain=(_m0 >= 0, _m1 >= 0, _m0 + _m1 > 0, _t >= 1, _more >= 0, _inc >= 0, _dec >= 0),
        scope="every dimension, every T",
        remainder="alpha-profile: alpha(T') <= min(1, alpha + (T' - T) delta)",
    ),
    checked_by=("tests/solvers/test_tune.py::test_tune_equals_brute_force",),
)

_u, _Am, _B, _clipped = scalars("u A_m B clipped")
_entries = _clipped + _u
_omega = _u / (_Am * _u + _B**2)

EFF_SS_CLOSED_FORM = Theorem(
    id="eff-ss-closed-form",
    title="The best T for SS with an affine price, in closed form",
    statement=(
        r"\operatorname{sign}\frac{d}{dT}\frac\omega C=\operatorname{sign}\big(B^2(c_0+c_1m)-c_1Au^2\big),\qquad "
        r"u^*=B\sqrt{\frac{c_0+c_1m}{c_1A}}\quad\text{on the piece with }m\text{ clipped entries, }u=T-m"
    ),
    source=source("4.8"),
    status="derived",
    kind="lemma",
    subject=SUBJECT,
    proof=Certificate(
        lines=(
            Identity(
                "the derivative",
                sympy.diff(_omega / (_c0 + _c1 * _entries), _u) * (_Am * _u + _B**2) ** 2 * (_c0 + _c1 * _entries) ** 2
                - (_B**2 * (_c0 + _c1 * _clipped) - _c1 * _Am * _u**2),
            ),
            Sign(
                "what multiplies it is positive",
                (_Am * _u + _B**2) ** 2 * (_c0 + _c1 * _entries) ** 2,
                strict=True,
            ),
        ),
        domain=(_c0 >= 0, _c1 > 0, _clipped >= 0, _u > 0, _Am >= 0, _B > 0),
        scope="every dimension, every piece",
    ),
    checked_by=("tests/solvers/test_tune.py::test_stochastic_closed_form_beats_a_fine_grid",),
)

ENTROPY_LARGER_T = Theorem(
    id="entropy-larger-T",
    title="Better index coding makes CAT send more entries",
    statement=(
        r"C_{\rm fix}=c_0+vT+\mathrm{idx}\,T,\ C_{\rm ent}=c_0+vT+I(T),\ I\text{ concave},\ I(0)=0,\ I\le\mathrm{idx}\,T:"
        r"\quad \max\operatorname{argmax}\frac\alpha{C_{\rm ent}}\ge\max\operatorname{argmax}\frac\alpha{C_{\rm fix}}"
    ),
    source=source("8.3"),
    status="derived",
    kind="lemma",
    subject=SUBJECT,
    no_certificate="a statement about concave sequences of every length; property test with I = log2 binomial",
    checked_by=("tests/theory/test_profiles.py::test_entropy_coding_sends_more_entries",),
)

RICE_BOUND = Theorem(
    id="rice-bound",
    title="Rice-coded gaps cost at most three bits per index above log2(d/T)",
    statement=(
        r"c=\lceil\log_2(d/T)\rceil:\qquad \sum_i\Big(\Big\lfloor\frac{\ell_i-1}{2^c}\Big\rfloor+1+c\Big)\le T(c+2)"
        r"\quad\text{for every index set, }\sum\ell_i\le d"
    ),
    source=source("8.3"),
    status="derived",
    kind="upper",
    subject=SUBJECT,
    parameters=(parameter("d"), parameter("T", Range(1, d, integer=True))),
    measure=r"\text{bits for all indices}",
    value=T * (sympy.ceiling(sympy.log(d / T) / sympy.log(2)) + 2),
    no_certificate="a statement about index sets; exhaustive over all index sets for small d and property tests",
    checked_by=("tests/theory/test_profiles.py::test_rice_bound",),
)

THEOREMS = (
    EFF_AFFINE, EFF_C0_MONOTONE, EFF_THRESHOLD, EFF_PACKET, EFF_HYBRID, EFF_SAFE_STOP, EFF_SS_CLOSED_FORM,
    ENTROPY_LARGER_T, RICE_BOUND,
)  # fmt: skip
