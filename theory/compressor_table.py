"""Exact constants of the compressors in use, how they compose, and bits of their messages (dossier 2.1.2–2.1.4)."""

from __future__ import annotations

import sympy

from .assumptions import CONTRACTIVE, PROJECTION, UNBIASED
from .certificate import Certificate, Hypothesis, Identity, Line, Sign, Square, Term
from .gram import inner, mean, scalars, square, vectors
from .staleness.common import source
from .symbols import Parameter, Range, parameter
from .theorem import VALUE, Assumption, Theorem

SUBJECT = "compression"
TABLE_TEST = "tests/verification/test_constants_table.py::test_exact_constants_are_attained_and_never_exceeded"

d, k, omega, delta = sympy.Symbol("d", real=True), *scalars("k variance delta")
levels, base = scalars("levels base")
_D = parameter("d")
_K = Parameter("k", "k", Range(1, d, integer=True), "entries", "entries kept")
_LEVELS = Parameter("levels", "s", Range(1, integer=True), "", "levels of the quantizer")
_p_min = sympy.Symbol("smallest_probability", real=True)
_t, _alpha, _u, _g, _p = scalars("t second_moment u g p")


def _entry(
    id: str,
    title: str,
    statement: str,
    parameters: tuple[Parameter, ...],
    value: sympy.Expr,
    lines: tuple[Line, ...],
    domain: tuple[sympy.Basic, ...],
    kind: str = "tight",
    reference: str = "derived",
    remainder: str = "",
    measure: str = r"\sup_v\mathbb E\lVert Q(v)\rVert^2/\lVert v\rVert^2",
) -> Theorem:
    """One row of the table: `value` is the constant; a row without lines is proved by `remainder` in words."""
    certificate = Certificate(
        lines=(*lines, Identity("the constant", VALUE - value)), domain=domain, remainder=remainder
    )
    return Theorem(
        id=id,
        title=title,
        statement=statement,
        source=source("1.2", reference),
        status="derived",
        kind="tight" if kind == "tight" else "upper",
        subject=SUBJECT,
        parameters=parameters,
        measure=measure,
        value=value,
        proof=certificate if lines else None,
        no_certificate="" if lines else f"one line of words: {remainder}",
        checked_by=(TABLE_TEST,),
    )


_CONTRACTION = r"\inf_v1-\lVert C(v)-v\rVert^2/\lVert v\rVert^2"
_ternary = (1 + sympy.sqrt(d)) / 2
_qsgd_inf = (1 + sympy.sqrt(1 + (d - 1) / levels**2)) / 2
_qsgd_two = sympy.Piecewise(
    (sympy.sqrt(d) / levels, sympy.Or(d >= 4 * levels**2, levels <= 1)), (1 + d / (4 * levels**2), True)
)
_natural = sympy.Rational(9, 8)
_step = sympy.Symbol("ell", real=True)
_dither = sympy.sqrt(d) * 2 ** (1 - levels)

TABLE: tuple[Theorem, ...] = (
    _entry(
        "urq-bernoulli", "Keep each entry with its own probability", r"Q_j=v_jB_j/\pi_j:\quad \alpha=1/\min_j\pi_j",
        (Parameter("smallest_probability", r"\min_j\pi_j", Range(0, 1, lower_open=True), "", "smallest probability"),),
        1 / _p_min,
        (
            Sign("largest for the smallest probability", _g**2 / _p_min - _g**2 / _p),
        ),
        (_p >= _p_min, _p_min > 0, _p <= 1), remainder="attained at the unit vector of the smallest probability",
    ),
    _entry(
        "urq-optimal", "Keep k entries in expectation, best probabilities", r"\pi_j=\min(1,|v_j|/\lambda),\ \textstyle\sum\pi_j=k:\quad \alpha=d/k",
        (_D, _K), d / k,
        (), (), remainder="the uniform probabilities k/d are feasible and give d/k; attained at equal entries: Cauchy-Schwarz for sum 1/pi_j",
    ),
    _entry(
        "urq-randk", "Keep k entries at random, without replacement", r"\alpha=d/k\ \text{for every }v",
        (_D, _K), d / k,
        (), (), remainder="an entry is kept with probability k/d and multiplied by d/k, so its second moment is d/k times its square",
    ),
    _entry(
        "urq-randk-replacement", "Keep k entries at random, with replacement", r"\alpha=1+(d-1)/k",
        (_D, _K), 1 + (d - 1) / k,
        (
            Identity(
                "second moment of a binomial count, times (d/k)^2",
                (d / k) ** 2 * (k / d * (1 - 1 / d) + k**2 / d**2) - (1 + (d - 1) / k),
            ),
        ),
        (d >= 1, k >= 1),
    ),
    _entry(
        "urq-ternary-inf", "Signs scaled by the largest magnitude", r"\alpha=\tfrac12(1+\sqrt d)", (_D,), _ternary,
        (
            Identity("the fixed point: 4 alpha (alpha - 1) = d - 1", 4 * _ternary * (_ternary - 1) - (d - 1)),
            Identity(
                "entries t in [0, 1] beside one entry 1: t - alpha t^2 <= 1/(4 alpha)",
                1 / (4 * _alpha) - (_t - _alpha * _t**2),
                (),
                (Square(_alpha, _t - 1 / (2 * _alpha)),),
            ),
        ),
        (_alpha > 0,), remainder="attained at one entry 1 and the others 1/(2 alpha)",
    ),
    _entry(
        "urq-ternary-2", "Signs scaled by the norm", r"\alpha=\sqrt d", (_D,), sympy.sqrt(d),
        (), (), remainder="E|Q|^2 = |v| |v|_1 <= sqrt(d) |v|^2, attained at equal entries",
    ),
    _entry(
        "urq-qsgd-2", "s levels, scaled by the norm",
        r"\alpha=\sqrt d/s\ (d\ge4s^2\text{ or }s=1),\quad \alpha\le1+\tfrac d{4s^2}\text{ otherwise}",
        (_D, _LEVELS), _qsgd_two,
        (Sign("rounding variance u - u^2 <= 1/4", sympy.Rational(1, 4) - (_u - _u**2)),),
        (_u >= 0, _u <= 1), kind="upper", reference="QSGD: Alistarh et al. (2017); constant derived",
        remainder="Jensen for the concave bound of the rounding variance",
    ),
    _entry(
        "urq-qsgd-inf", "s levels, scaled by the largest magnitude",
        r"\alpha=\tfrac12\big(1+\sqrt{1+(d-1)/s^2}\big)", (_D, _LEVELS), _qsgd_inf,
        (
            Identity("the fixed point: 4 alpha (alpha - 1) s^2 = d - 1", 4 * _qsgd_inf * (_qsgd_inf - 1) * levels**2 - (d - 1)),
            Identity(
                "u - u^2 - omega u^2 <= 1/(4 alpha), alpha = 1 + omega",
                1 / (4 * _alpha) - (_u - _alpha * _u**2),
                (),
                (Square(_alpha, _u - 1 / (2 * _alpha)),),
            ),
        ),
        (_alpha > 0,), remainder="attained at one entry s and the others 1/(2 alpha)",
    ),
    _entry(
        "urq-natural", "Round to a power of two", r"\alpha=\tfrac98", (), _natural,
        (Sign("relative variance (t - 1)(2 - t)/t^2 <= 1/8", sympy.Rational(1, 8) - (_t - 1) * (2 - _t) / _t**2),),
        (_t >= 1, _t <= 2), reference="Horváth et al. (2022)",
    ),
    _entry(
        "urq-natural-base", "Round to a power of b", r"\alpha=1+\frac{(b-1)^2}{4b}",
        (Parameter("base", "b", Range(1, lower_open=True), "", "base of the powers"),), 1 + (base - 1) ** 2 / (4 * base),
        (Sign("relative variance (t - 1)(b - t)/t^2", (base - 1) ** 2 / (4 * base) - (_t - 1) * (base - _t) / _t**2),),
        (base > 1, _t >= 1, _t <= base),
    ),
    _entry(
        "urq-natdither-2", "Powers of two down to 2^(1-s), scaled by the norm",
        r"\varkappa=\sqrt d\,2^{1-s}:\quad \alpha=\varkappa\ (\varkappa\ge\tfrac94),\quad \alpha\le\tfrac98+\tfrac29\varkappa^2\text{ otherwise}",
        (_D, _LEVELS), sympy.Piecewise((_dither, _dither >= sympy.Rational(9, 4)), (_natural + 2 * _dither**2 / 9, True)),
        (
            Identity(
                "mass w of the small entries: 1/8 (1 - w) + kappa sqrt(w) - w <= 1/8 + 2/9 kappa^2, with t = sqrt(w)",
                sympy.Rational(1, 8) + 2 * _u**2 / 9 - (sympy.Rational(1, 8) * (1 - _t**2) + _u * _t - _t**2),
                (),
                (Square(sympy.Rational(9, 8), _t - 4 * _u / 9),),
            ),
        ),
        (), kind="upper", reference="Horváth et al. (2022); constant derived", remainder="entries above the smallest level err by at most an eighth of their squares; kappa >= 9/4: w = 1 is the maximiser",
    ),
    _entry(
        "urq-natdither-inf", "Powers of two down to 2^(1-s), scaled by the largest magnitude",
        r"\alpha\le\max\Big\{\tfrac98,\tfrac12\big(1+\sqrt{1+(d-1)4^{1-s}}\big)\Big\}",
        (_D, _LEVELS), sympy.Max(_natural, (1 + sympy.sqrt(1 + (d - 1) * 4 ** (1 - levels))) / 2),
        (
            Identity(
                "small entries: ell u - alpha u^2 <= ell^2/(4 alpha)",
                _step**2 / (4 * _alpha) - (_step * _u - _alpha * _u**2),
                (),
                (Square(_alpha, _u - _step / (2 * _alpha)),),
            ),
        ),
        (_alpha > 0,), kind="upper", reference="Horváth et al. (2022); constant derived", remainder="entries above the smallest level err by at most an eighth of their squares",
    ),
    _entry(
        "urq-stochastic-sign", "Random signs scaled by the largest magnitude", r"\alpha=d", (_D,), d,
        (), (), remainder="every entry has the magnitude |v|_inf <= |v|, attained at one-sparse vectors",
    ),
    _entry(
        "det-topk", "The k largest magnitudes", r"C\in\mathcal C(k/d)", (_D, _K), k / d,
        (), (), remainder="the d - k smallest of d squares average at most the overall average", measure=_CONTRACTION,
    ),
    _entry(
        "det-sign", "Scaled sign", r"\lVert C(v)-v\rVert^2=\lVert v\rVert^2-\lVert v\rVert_1^2/d,\quad C\in\mathcal C(1/d)", (_D,), 1 / d,
        (), (), remainder="|v|_1 >= |v|, attained at one-sparse vectors", measure=_CONTRACTION,
    ),
    _entry(
        "det-onebit", "Two means", r"C\in\mathcal C(1/d)", (_D,), 1 / d,
        (
            Identity(
                "never worse than the scaled sign: a^2/x + b^2/y - (a + b)^2/(x + y) is a square",
                _g**2 / _t + _u**2 / _p - (_g + _u) ** 2 / (_t + _p),
                (),
                (Square(1 / (_t * _p * (_t + _p)), _p * _g - _t * _u),),
            ),
        ),
        (_t > 0, _p > 0), reference="Seide et al. (2014)", measure=_CONTRACTION, remainder="|v|_1 >= |v|, as for the scaled sign",
    ),
    _entry(
        "det-threshold", "Hard threshold", r"\lVert C(v)-v\rVert\le\lambda\sqrt d",
        (_D, Parameter("magnitude_threshold", r"\lambda", Range(0, lower_open=True), "gradient", "hard threshold")),
        sympy.Symbol("magnitude_threshold", real=True) * sympy.sqrt(d),
        (), (), remainder="every dropped entry is below the threshold", measure=r"\sup_v\lVert C(v)-v\rVert",
    ),
)  # fmt: skip

_grid = sympy.Symbol("spacing", real=True)
TABLE += (
    _entry(
        "det-grid", "Nearest multiple of a spacing", r"\lVert C(v)-v\rVert\le\tfrac12\Delta\sqrt d",
        (_D, Parameter("spacing", r"\Delta", Range(0, lower_open=True), "gradient", "spacing of the grid")),
        _grid * sympy.sqrt(d) / 2,
        (), (), remainder="every entry moves by at most half a spacing", measure=r"\sup_v\lVert C(v)-v\rVert",
    ),
)  # fmt: skip

_C, _v, _Qv = vectors("C v Q[xi]")
_o1, _o2, _copies = scalars("variance_1 variance_2 copies")
_U1 = Parameter("variance_1", r"\omega_1", Range(0), "", "variance factor of the outer compressor")
_U2 = Parameter("variance_2", r"\omega_2", Range(0), "", "variance factor of the inner compressor")
_OMEGA, _DELTA = parameter("variance"), parameter("delta")
_second = sympy.Symbol("second_moment", real=True)
_CONTRACTS = Hypothesis("C is contractive", (1 - delta) * square(_v) - square(_C - _v), "contractive")


def _rule(
    id: str,
    title: str,
    statement: str,
    parameters: tuple[Parameter, ...],
    value: sympy.Expr,
    measure: str,
    lines: tuple[Line, ...],
    domain: tuple[sympy.Basic, ...],
    assumptions: tuple[Assumption, ...],
) -> Theorem:
    """One composition rule: `value` is the constant of the composite."""
    return Theorem(
        id=id, title=title, statement=statement, source=source("1.3"), status="derived", kind="lemma", subject=SUBJECT,
        assumptions=assumptions,
        parameters=parameters, measure=measure, value=value,
        proof=Certificate(
            lines=lines, domain=domain, means={_Qv: _C, square(_Qv): _second},
            scope="every dimension, every pair of compressors of these classes",
        ),
        checked_by=("tests/theory/test_compression.py::test_composites_keep_their_guarantee_and_attain_it",),
    )  # fmt: skip


_after = delta / (1 + omega)
_INNER = Hypothesis("Q is unbiased at C(v)", (1 + omega) * square(_C) - _second, "unbiased")

RULES: tuple[Theorem, ...] = (
    _rule(
        "compose-unbiased", "One unbiased compressor after another",
        r"\mathcal U(\omega_1)\circ\mathcal U(\omega_2)\subseteq\mathcal U((1+\omega_1)(1+\omega_2)-1)",
        (_U1, _U2), (1 + _o1) * (1 + _o2) - 1, r"\text{variance factor}",
        (
            Identity(
                "tower property of second moments",
                (1 + VALUE) * square(_v) - _second,
                (
                    Term(1 + _o1, Hypothesis("inner", (1 + _o2) * square(_v) - square(_C), "unbiased")),
                    Term(sympy.S.One, Hypothesis("outer", (1 + _o1) * square(_C) - _second, "unbiased")),
                ),
            ),
        ),
        (_o1 >= 0, _o2 >= 0),
        (UNBIASED,),
    ),
    _rule(
        "compose-average", "The mean of m independent copies", r"\mathcal U(\omega/m)",
        (_OMEGA, Parameter("copies", "m", Range(1, integer=True), "", "independent copies")), omega / _copies,
        r"\text{variance factor}",
        (Identity("variances add", VALUE - _copies * omega / _copies**2),),
        (omega >= 0, _copies >= 1),
        (UNBIASED,),
    ),
    _rule(
        "compose-scale", "Scaling makes an unbiased compressor contractive",
        r"Q\in\mathcal U(\omega)\Rightarrow\tfrac1{1+\omega}Q\in\mathcal C\big(\tfrac1{1+\omega}\big)",
        (_OMEGA,), 1 / (1 + omega), r"\text{contraction}",
        (
            Identity(
                "expand, E Q = v",
                (1 - VALUE) * square(_v)
                - (_second / (1 + omega) ** 2 - 2 / (1 + omega) * square(_v) + square(_v)),
                (
                    Term(
                        1 / (1 + omega) ** 2,
                        Hypothesis("second moment", (1 + omega) * square(_v) - _second, "unbiased"),
                    ),
                ),
            ),
        ),
        (omega >= 0,),
        (UNBIASED,),
    ),
    _rule(
        "compose-unbiased-after-contractive", "An unbiased compressor after a contractive one, scaled",
        r"\tfrac1\alpha Q\circ C\in\mathcal C(\delta/\alpha),\quad \alpha=1+\omega", (_OMEGA, _DELTA), _after,
        r"\text{contraction}",
        (
            Identity(
                "expand, E Q(C) = C",
                (1 - VALUE) * square(_v)
                - mean(square(_Qv / (1 + omega) - _v), "xi"),
                (
                    Term(1 / (1 + omega) ** 2, _INNER),
                    Term(1 / (1 + omega), _CONTRACTS),
                ),
            ),
        ),
        (omega >= 0, delta > 0, delta <= 1),
        (UNBIASED, CONTRACTIVE),
    ),
    _rule(
        "compose-unscaled", "An unbiased compressor after an orthogonal selection, unscaled",
        r"\omega<1:\quad Q\circ C\in\mathcal C(\delta(1-\omega))",
        (parameter("variance", Range(0, 1, upper_open=True)), _DELTA), delta * (1 - omega), r"\text{contraction}",
        (
            Identity(
                "expand, <C, v> = |C|^2",
                (1 - VALUE) * square(_v) - mean(square(_Qv - _v), "xi"),
                (
                    Term(sympy.S.One, _INNER),
                    Term(1 - omega, _CONTRACTS),
                    Term(
                        2 * omega,
                        Hypothesis("selection", inner(_C, _v) - square(_C), "projection", equality=True),
                    ),
                ),
            ),
        ),
        (omega >= 0, omega < 1, delta > 0, delta <= 1),
        (UNBIASED, CONTRACTIVE, PROJECTION),
    ),
    _rule(
        "compose-induced", "A contractive compressor repaired by an unbiased one",
        r"C(v)+Q(v-C(v))\in\mathcal U(\omega(1-\delta))", (_OMEGA, _DELTA), omega * (1 - delta), r"\text{variance factor}",
        (
            Identity("the rest is contracted", VALUE * square(_v) - omega * square(_C - _v), (Term(omega, _CONTRACTS),)),
        ),
        (omega >= 0, delta > 0, delta <= 1),
        (UNBIASED, CONTRACTIVE),
    ),
)  # fmt: skip

_vi, _vbar = vectors("v[i] v_bar")

RULES += (
    Theorem(
        id="compose-blocks",
        title="Block by block",
        statement=r"\text{blockwise:}\quad \omega=\max_b\omega_b,\quad \delta=\min_b\delta_b",
        source=source("1.3"),
        status="derived",
        kind="lemma",
        subject=SUBJECT,
        no_certificate="squared norms of blocks add up",
        checked_by=("tests/theory/test_compression.py::test_blocks",),
    ),
    Theorem(
        id="compose-permk",
        title="PermK: each worker sends its own block of coordinates",
        statement=(
            r"\mathbb E\Big\lVert\tfrac1n\sum_iQ_i(v_i)-\bar v\Big\rVert^2=\tfrac1n\sum_i\lVert v_i\rVert^2-\lVert\bar v\rVert^2"
        ),
        source=source("1.3", "Szlendak, Tyurin, Richtárik (2022)"),
        status="published",
        kind="tight",
        subject=SUBJECT,
        proof=Certificate(
            lines=(
                Identity(
                    "a coordinate of the mean is that of a random worker: E|v_i - v_bar|^2 (average over the workers)",
                    mean(square(_vi - _vbar)) - (mean(square(_vi)) - square(_vbar)),
                ),
            ),
            means={_vi: _vbar},
            scope="every dimension that the number of workers divides",
        ),
        tightness="an equality",
    ),
)

_bits = sympy.Symbol("message_bits", real=True)

BITS_PACKING = Theorem(
    id="bits-packing",
    title="No contraction without bits",
    statement=r"1-\delta\ge4^{-b/d}\ \text{for }b\text{ fixed-length bits in dimension }d",
    source=source("1.4", "Safaryan, Shulgin, Richtárik (2022)"),
    status="derived",
    kind="lower",
    subject=SUBJECT,
    parameters=(_D, Parameter("message_bits", "b", Range(0), "bits", "bits of a message")),
    measure=r"1-\delta",
    value=4 ** (-_bits / d),
    no_certificate="an argument about volumes: a cell of given volume has the least second moment when it is a ball",
    checked_by=("tests/theory/test_compressor_table.py::test_packing_bound",),
)

_b_f = sympy.Symbol("float_bits", real=True)
_N_bar = sympy.Min(d, levels * sympy.sqrt(d))
_S_bar = levels**2 * _qsgd_two
_N_star = 2 / sympy.E * (d**2 * _S_bar) ** sympy.Rational(1, 3)
_N = sympy.Min(_N_bar, _N_star)


def _log2(expression: sympy.Expr) -> sympy.Expr:
    return sympy.log(expression) / sympy.log(2)


BITS_QSGD_GAMMA = Theorem(
    id="bits-qsgd-gamma",
    title="Expected bits of QSGD with Elias-gamma codes",
    statement=(
        r"\mathbb E[\mathrm{bits}]\le b_f+2\log_2(\bar N+1)+1+g(\min\{\bar N,N^\star\}),\quad "
        r"g(N)=N\Big(3+2\log_2\frac dN+\log_2\frac{\bar S}N\Big),\ \bar N=\min(d,s\sqrt d),\ \bar S=s^2\alpha,\ "
        r"N^\star=\tfrac2e(d^2\bar S)^{1/3}"
    ),
    source=source("1.4", "code: Alistarh et al. (2017); bound derived"),
    status="derived",
    kind="upper",
    subject=SUBJECT,
    parameters=(_D, _LEVELS, Parameter("float_bits", "b_f", Range(1), "bits", "bits of a float")),
    measure=r"\mathbb E[\text{bits of a message}]",
    value=_b_f + 2 * _log2(_N_bar + 1) + 1 + _N * (3 + 2 * _log2(d / _N) + _log2(_S_bar / _N)),
    no_certificate="concavity of the perspective of the logarithm and Jensen's inequality; measured against real codes",
    checked_by=("tests/theory/test_compressor_table.py::test_gamma_coded_bits",),
)

THEOREMS = (*TABLE, *RULES, BITS_QSGD_GAMMA, BITS_PACKING)
