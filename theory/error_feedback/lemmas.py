"""How large the memories of error feedback get (dossier 3.1.2, 3.1.4, 3.2)."""

from __future__ import annotations

import sympy

from ..assumptions import (
    BOUNDED_GRADIENTS,
    CONTRACTIVE,
    INDEPENDENT_WORKERS,
    MEAN_LINEAR,
    WORKER_NOISE,
)
from ..certificate import Certificate, Hypothesis, Identity, Sign, Square, Term
from ..gram import inner, mean, scalars, square, vectors
from ..symbols import UNIT, Range, parameter
from ..theorem import RATE, RESIDUAL, VALUE, Theorem
from .common import (
    RATIO_CHANGE,
    SUBJECT,
    beta,
    delta,
    e_i,
    e_mean,
    gamma,
    q,
    source,
)

_root = sympy.sqrt(1 - delta)
_a, _r2 = q / (1 - q), q**2 / (1 - q)


def _by_delta(expression: sympy.Expr) -> sympy.Expr:
    """The derivative in delta = 1 - q^2 of an expression in q."""
    return sympy.diff(expression, q) / (-2 * q)


_a_second = (3 * q - 1) / (4 * q**3 * (1 - q) ** 3)

RATIO_FUNCTIONS = Theorem(
    id="def-a-r",
    title="What a ratio costs: a for gradients, r for noise",
    statement=(
        r"q=\sqrt{1-\delta}:\qquad a(\delta)=\frac q{1-q}=\frac2\delta-\frac32-\frac\delta{2(1+q)^2},\qquad "
        r"r(\delta)^2=\frac{q^2}{1-q}=\frac{(1-\delta)(1+q)}\delta,\qquad 1+2a=\frac{1+q}{1-q},\qquad "
        r"a^2\le\frac{4(1-\delta)}{\delta^2},\quad r^2\le\frac{2(1-\delta)}\delta"
    ),
    source=source("3.1.4"),
    status="derived",
    kind="tight",
    subject=SUBJECT,
    parameters=(parameter("delta"),),
    measure=r"a(\delta)",
    value=_root / (1 - _root),
    proof=Certificate(
        lines=(
            Identity("a", VALUE - _a),
            Identity("a = q (1 + q)/delta", _a - q * (1 + q) / delta),
            Identity("a and its surrogate", 2 / delta - sympy.Rational(3, 2) - _a - delta / (2 * (1 + q) ** 2)),
            Sign("the surrogate is above it by at most 1/2", sympy.S.Half - delta / (2 * (1 + q) ** 2)),
            Identity("r^2", _r2 - (1 - delta) * (1 + q) / delta),
            Identity("1 + 2a", 1 + 2 * _a - (1 + q) / (1 - q)),
            Sign("a^2 <= 4 (1 - delta)/delta^2", 4 * (1 - delta) / delta**2 - _a**2),
            Sign("r^2 <= 2 (1 - delta)/delta", 2 * (1 - delta) / delta - _r2),
            Identity("the slope of a", _by_delta(_a) + 1 / (2 * q * (1 - q) ** 2)),
            Identity("the slope of a^2", _by_delta(_a**2) + 1 / (1 - q) ** 3),
            Identity("the slope of r^2", _by_delta(_r2) + (2 - q) / (2 * (1 - q) ** 2)),
            Identity("the curvature of a", _by_delta(_by_delta(_a)) - _a_second),
            Sign("a is convex for delta <= 8/9", _a_second, where=(q > 0, 9 * delta <= 8)),
            Sign("a is concave for delta >= 8/9", -_a_second, where=(q > 0, 9 * delta >= 8)),
            Sign("a^2 is convex", _by_delta(_by_delta(_a**2)), where=(q > 0,)),
            Sign("r^2 is convex", _by_delta(_by_delta(_r2)), where=(q > 0,)),
        ),
        domain=UNIT.facts(delta),
        changes=(RATIO_CHANGE,),
    ),
    tightness="equations, but for the last two inequalities",
    pitfall="a is not convex near delta = 1: convex solvers need delta <= 8/9 or the surrogate 2/delta - 3/2",
    checked_by=("tests/theory/test_error_feedback.py::test_ratio_functions",),
)

_x, _x_next, _m_i, _g_i, _e_next_i, _g_bar, _m_bar, _e_next_bar = vectors(
    "x x_next m[i] g[i] e_next[i] g_mean m_mean e_next_mean"
)

VIRTUAL_ITERATE = Theorem(
    id="ef-virtual-iterate",
    title="The virtual iterate takes an uncompressed step",
    statement=(
        r"\tilde x_k=x_k-\gamma\sum_ip_ie_i^k:\qquad \tilde x_{k+1}=\tilde x_k-\gamma\sum_ip_ig_i^k,\qquad "
        r"x_k-\tilde x_k=\gamma\bar e_k"
    ),
    source=source("3.1.2", "Stich, Cordonnier, Jaggi (2018)"),
    status="published",
    kind="tight",
    subject=SUBJECT,
    parameters=(parameter("step_size"),),
    proof=Certificate(
        lines=(
            Identity(
                "e_i+ = e_i + g_i - m_i, averaged (scalar product with any vector y)",
                inner(_x - gamma * _m_bar - gamma * _e_next_bar - (_x - gamma * e_mean - gamma * _g_bar), _x_next),
                (
                    Term(
                        gamma,
                        Hypothesis(
                            "the memory keeps what is not sent",
                            inner(e_i + _g_i - _m_i - _e_next_i, _x_next),
                            "error feedback",
                            equality=True,
                        ),
                        index="i",
                    ),
                ),
            ),
        ),
        domain=(gamma > 0,),
        means={e_i: e_mean, _g_i: _g_bar, _m_i: _m_bar, _e_next_i: _e_next_bar},
        scope="every number of workers, weights and compressors",
    ),
    tightness="an identity",
)

_e, _g = vectors("e g")
_E_next, _V, _xi = scalars("E_next V noise")
_s, _h = (parameter(name).symbol for name in ("gradient_noise", "gradient_bound"))
_beta = parameter("discount", Range(_root, 1, lower_open=True))
_MEMORY_FACTS = (*UNIT.facts(delta), q < beta, beta <= 1, beta > 0)
_CONTRACTION = Hypothesis("the compressor contracts", q**2 * _V - _E_next, "contractive")
_ZERO_MEAN = Hypothesis(
    "noise of mean zero: E|e + g + xi|^2 = |e + g|^2 + E|xi|^2",
    square(_e + _g) + _xi - _V,
    "worker_noise",
    equality=True,
)
_NOISE = Hypothesis("the noise is bounded", _s**2 - _xi, "worker_noise")
_gain = _root**2 * beta / (beta - _root)

MEMORY_STEP = Theorem(
    id="ef-memory-step",
    title="One step of a memory",
    statement=(
        r"\beta\in(q_i,1],\ h=\lVert\nabla f_i(x_k)\rVert:\qquad \mathbb E\lVert e_i^{k+1}\rVert^2\le "
        r"q_i\beta\,\lVert e_i^k\rVert^2+\frac{q_i^2\beta}{\beta-q_i}h^2+q_i^2s_i^2"
    ),
    source=source("3.2", "sharpens Stich, Cordonnier, Jaggi (2018)"),
    status="derived",
    kind="lemma",
    subject=SUBJECT,
    assumptions=(CONTRACTIVE, WORKER_NOISE),
    parameters=(parameter("delta"), _beta, parameter("gradient_bound"), parameter("gradient_noise")),
    measure=r"\mathbb E\lVert e_i^k\rVert^2\ \text{for}\ \lVert\nabla f_i(x_k)\rVert\le h",
    rate=_root * beta,
    residual=(_gain * _h**2 + _root**2 * _s**2) / (1 - _root * beta),
    proof=Certificate(
        lines=(
            Identity(
                "contraction, noise, Young",
                RATE * square(_e) + q**2 * beta / (beta - q) * square(_g) + q**2 * _s**2 - _E_next,
                (
                    Term(sympy.S.One, _CONTRACTION),
                    Term(q**2, _ZERO_MEAN),
                    Term(q**2, _NOISE),
                ),
                (Square(q / (beta - q), (beta - q) * _e - q * _g),),
            ),
            Identity(
                "the residual is the fixed point",
                (1 - RATE) * RESIDUAL - q**2 * beta / (beta - q) * _h**2 - q**2 * _s**2,
            ),
        ),
        domain=_MEMORY_FACTS,
        changes=(RATIO_CHANGE,),
        scope="every dimension and every contractive compressor",
    ),
    tightness="equality for C(v) = (1 - q) v and e, g aligned with (beta - q) e = q g",
)

_E_k, _E_k1, _h_k = scalars("E[k] E_next[k] h2[k]")
_a_beta, _r2_beta = q / (beta - q), q**2 / (beta * (beta - q))
_u, _v = scalars("u v")

MEMORY_SUM = Theorem(
    id="ef-memory-sum",
    title="The memory along a whole run",
    statement=(
        r"\beta=\sqrt\rho>q_i,\ e_i^0=0:\qquad \Big(\sum_{k<K}\rho^{-k}\mathbb E\lVert e_i^k\rVert^2\Big)^{1/2}\le "
        r"a(q_i;\beta)\Big(\sum_{k<K}\rho^{-k}\,\mathbb E\lVert\nabla f_i(x_k)\rVert^2\Big)^{1/2}"
        r"+r(q_i;\beta)\,s_i\Big(\sum_{k<K}\rho^{-k}\Big)^{1/2}"
    ),
    source=source("3.2"),
    status="derived",
    kind="lemma",
    subject=SUBJECT,
    assumptions=(CONTRACTIVE, WORKER_NOISE),
    parameters=(parameter("delta"), _beta, parameter("gradient_bound"), parameter("gradient_noise")),
    measure=r"\text{weighted root mean square of}\ \lVert e_i^k\rVert,\ h\ \text{that of the gradients}",
    value=_root / (beta - _root) * _h + _root / sympy.sqrt(beta * (beta - _root)) * _s,
    proof=Certificate(
        lines=(
            Identity(
                "ef-memory-step, averaged over k < K with weights rho^(-k)",
                _a_beta**2 * mean(_h_k, "k") + _r2_beta * _s**2 - mean(_E_k, "k"),
                (
                    Term(
                        1 / (beta * (beta - q)),
                        Hypothesis(
                            "shift of the sum by one step, the first memory is zero",
                            mean(_E_k1, "k") - beta**2 * mean(_E_k, "k"),
                            "error feedback",
                        ),
                    ),
                    Term(
                        1 / (beta * (beta - q)),
                        Hypothesis(
                            "ef-memory-step",
                            q * beta * _E_k + q**2 * beta / (beta - q) * _h_k + q**2 * _s**2 - _E_k1,
                            "contractive, worker_noise",
                        ),
                        index="k",
                    ),
                ),
            ),
            Sign(
                "sqrt(u^2 + v^2) <= u + v",
                (_u + _v) ** 2 - _u**2 - _v**2,
                where=(_u >= 0, _v >= 0),
            ),
            Identity(
                "the value is u + v with u^2 = a^2 h^2 and v^2 = r^2 s^2",
                (VALUE - _root / (beta - _root) * _h) ** 2 * beta * (beta - _root) - _root**2 * _s**2,
            ),
        ),
        domain=_MEMORY_FACTS,
        changes=(RATIO_CHANGE,),
        scope="every number of steps, every sequence of gradients and every contractive compressor",
    ),
    pitfall="noise costs r^2 of order 2/delta, gradients a^2 of order 4/delta^2: one constant for both loses a factor 1/delta",
    checked_by=("tests/theory/test_error_feedback.py::test_memory_stays_below_its_bounds",),
)

_surd = sympy.sqrt((1 - delta) * (_h**2 + delta * _s**2))
_limit = ((1 - delta) * _h + _surd) / delta
_before, _fixed = scalars("u u_fixed")

MEMORY_UNIFORM = Theorem(
    id="ef-memory-uniform",
    title="The memory at every step",
    statement=(
        r"\sqrt{\mathbb E\lVert\nabla f_i(x_k)\rVert^2}\le h:\qquad \sqrt{\mathbb E\lVert e_i^k\rVert^2}\le u^\infty="
        r"\frac{(1-\delta_i)h+\sqrt{(1-\delta_i)(h^2+\delta_is_i^2)}}{\delta_i}\le\sqrt{a(\delta_i)^2h^2+r(\delta_i)^2s_i^2}"
    ),
    source=source("3.2"),
    status="derived",
    kind="upper",
    subject=SUBJECT,
    assumptions=(CONTRACTIVE, WORKER_NOISE),
    parameters=(parameter("delta"), parameter("gradient_bound"), parameter("gradient_noise")),
    measure=r"\sqrt{\mathbb E\lVert e_i^k\rVert^2}\ \text{for}\ \mathbb E\lVert\nabla f_i(x_k)\rVert^2\le h^2",
    value=_limit,
    proof=Certificate(
        lines=(
            Identity(
                "the value is a fixed point of u^2 -> q^2 ((u + h)^2 + s^2)",
                VALUE**2 - (1 - delta) * ((VALUE + _h) ** 2 + _s**2),
            ),
            Sign(
                "what is below the fixed point stays below it (Minkowski: E|e + grad f|^2 <= (u + h)^2)",
                (_fixed + _h) ** 2 - (_before + _h) ** 2,
                where=(_before >= 0, _fixed >= _before, _h >= 0),
            ),
            Identity(
                "Young: the fixed point is at most that of ef-memory-step with beta = 1",
                _a**2 * _h**2 + _r2 * _s**2 - _fixed**2,
                (
                    Term(
                        -1 / (1 - q),
                        Hypothesis(
                            "the fixed point",
                            _fixed**2 - q**2 * ((_fixed + _h) ** 2 + _s**2),
                            "definition",
                            equality=True,
                        ),
                    ),
                ),
                (Square(q / (1 - q) ** 2, (1 - q) * _fixed - q * _h),),
            ),
            Identity("without noise it is a h", q * (_a * _h + _h) - _a * _h),
        ),
        domain=UNIT.facts(delta),
        changes=(RATIO_CHANGE,),
        scope="every number of steps, every sequence of gradients and every contractive compressor",
    ),
    tightness="approached without noise by C(v) = (1 - q) v and constant gradients",
    pitfall="where only E|g_i|^2 <= G^2 is known the bound is a G: put h = G and s = 0, not h = 0 and s = G",
    checked_by=("tests/theory/test_error_feedback.py::test_memory_stays_below_its_bounds",),
)

_p_i, _p_min, _n, _y_i, _y_bar, _v_i, _V_bar = scalars("p[i] p_min workers y[i] y_bar v[i] V")
_SHARE = Hypothesis("one worker's share is at most the sum", _y_bar - _p_i * _y_i, "non-negative terms")
_CS_MEANS = {_y_i: _y_bar, 1 / _p_i: _n, e_i: e_mean, _v_i: _V_bar}

MEMORY_AGGREGATE = Theorem(
    id="ef-memory-aggregate",
    title="The mean memory: the triangle inequality is the tightest aggregation",
    statement=(
        r"\sqrt{\mathbb E\lVert e_i\rVert^2}\le y_i:\qquad \mathbb E\lVert\bar e\rVert^2\le\Phi_{\rm tri}="
        r"\Big(\sum_ip_iy_i\Big)^2\le\min\{\Phi_{\rm jen},\Phi_{\rm cs}\},\quad \Phi_{\rm jen}=\sum_ip_iy_i^2"
        r"\le\frac{\Phi_{\rm tri}}{p_{\min}},\quad \Phi_{\rm cs}=n\sum_ip_i^2y_i^2\le n\,\Phi_{\rm tri}"
    ),
    source=source("3.2"),
    status="derived",
    kind="tight",
    subject=SUBJECT,
    proof=Certificate(
        lines=(
            Identity(
                "weighted Cauchy-Schwarz, any v_i > 0 of mean V",
                _V_bar * mean(square(e_i) / _v_i) - square(e_mean),
                (),
                (Square(_V_bar / _v_i, e_i - _v_i / _V_bar * e_mean, index="i"),),
            ),
            Identity(
                "v_i = y_i gives the triangle inequality",
                _y_bar**2 - square(e_mean),
                (
                    Term(
                        _y_bar / _y_i,
                        Hypothesis("y_i bounds the memory", _y_i**2 - square(e_i), "contractive"),
                        index="i",
                    ),
                ),
                (Square(_y_bar / _y_i, e_i - _y_i / _y_bar * e_mean, index="i"),),
            ),
            Identity(
                "triangle <= Jensen", mean(_y_i**2) - _y_bar**2, (), (Square(sympy.S.One, _y_i - _y_bar, index="i"),)
            ),
            Identity(
                "triangle <= Cauchy-Schwarz, n = sum of p_i/p_i",
                _n * mean(_p_i * _y_i**2) - _y_bar**2,
                (),
                (Square(_n / _p_i, _p_i * _y_i - _y_bar / _n, index="i"),),
            ),
            Identity(
                "Jensen <= triangle/p_min",
                _y_bar**2 - _p_min * mean(_y_i**2),
                (
                    Term(_y_i, _SHARE, index="i"),
                    Term(_y_i**2, Hypothesis("p_i >= p_min", _p_i - _p_min, "definition"), index="i"),
                ),
            ),
            Identity(
                "Cauchy-Schwarz <= n times triangle", _y_bar**2 - mean(_p_i * _y_i**2), (Term(_y_i, _SHARE, index="i"),)
            ),
            Identity(
                "attained: C(v) = (1 - q) v and aligned gradients keep |e_i| = a_i h_i", q * (_a * _h + _h) - _a * _h
            ),
        ),
        domain=(_v_i > 0, _V_bar > 0, _y_i > 0, _y_bar > 0, _p_i > 0, _p_min > 0, _n >= 1, q >= 0, q < 1),
        means=_CS_MEANS,
        scope="every dimension, number of workers and weights",
        remainder="workers with y_i = 0 have no memory and are left out of the triangle line",
    ),
    tightness="the triangle bound with y_i = a(delta_i) h_i is attained by C_i(v) = (1 - q_i) v and aligned gradients",
    pitfall="Jensen and Cauchy-Schwarz are not comparable",
    checked_by=("tests/theory/test_error_feedback.py::test_triangle_aggregation_is_the_tightest_and_attained",),
)

_sent_inner, _v2, _C2 = scalars("product v2 C2")
_squares = parameter("sum_square_weights").symbol
_noise_limit = (1 - delta) * (1 + _root) ** 2 / ((2 - delta) * delta**2)

MEMORY_MEANLINEAR = Theorem(
    id="ef-memory-meanlinear",
    title="Independent compressors of known mean keep half the memory",
    statement=(
        r"\lVert g_i^k\rVert\le h_i:\qquad \sqrt{\mathbb E\lVert\bar e_k\rVert^2}\le\sum_ip_i\frac{1-\delta_i}{\delta_i}h_i+"
        r"\Big(\sum_ip_i^2\,\frac{(1-\delta_i)(1+q_i)^2}{(2-\delta_i)\,\delta_i^2}h_i^2\Big)^{1/2}"
    ),
    source=source("3.2"),
    status="derived",
    kind="upper",
    subject=SUBJECT,
    assumptions=(MEAN_LINEAR, CONTRACTIVE, INDEPENDENT_WORKERS, BOUNDED_GRADIENTS),
    parameters=(parameter("delta"), parameter("gradient_bound"), parameter("sum_square_weights")),
    measure=r"\sqrt{\mathbb E\lVert\bar e_k\rVert^2}\ \text{for equal ratios and bounds}",
    value=(1 - delta) / delta * _h + sympy.sqrt(_squares * (1 - delta) / (2 - delta)) * (1 + _root) / delta * _h,
    proof=Certificate(
        lines=(
            Identity(
                "what arrives is small: E|C(v)|^2 <= delta |v|^2",
                delta * _v2 - _C2,
                (
                    Term(
                        sympy.S.One,
                        Hypothesis(
                            "contraction, expanded", (1 - delta) * _v2 - (_C2 - 2 * _sent_inner + _v2), "contractive"
                        ),
                    ),
                    Term(
                        sympy.Integer(-2),
                        Hypothesis(
                            "<E C(v), v> = delta |v|^2", _sent_inner - delta * _v2, "mean_linear", equality=True
                        ),
                    ),
                ),
            ),
            Identity(
                "its variance: E|C(v)|^2 - delta^2 |v|^2 <= delta (1 - delta)|v|^2",
                delta * (1 - delta) * _v2 - (_C2 - delta**2 * _v2),
                (Term(sympy.S.One, Hypothesis("line above", delta * _v2 - _C2, "line above")),),
            ),
            Identity(
                "the drift u -> (1 - delta)(u + h) has the fixed point (1 - delta)/delta h",
                (1 - delta) * ((1 - delta) / delta * _h + _h) - (1 - delta) / delta * _h,
            ),
            Identity(
                "the noise u -> (1 - delta)^2 u + delta (1 - delta) |v|^2, |v| <= h/(1 - q), has the fixed point of the statement",
                (1 - delta) ** 2 * _noise_limit * _h**2
                + delta * (1 - delta) * (_h / (1 - _root)) ** 2
                - _noise_limit * _h**2,
            ),
            Identity(
                "the value: equal ratios and bounds",
                (VALUE - (1 - delta) / delta * _h) ** 2 - _squares * _noise_limit * _h**2,
            ),
        ),
        domain=(*UNIT.facts(delta), _v2 >= 0),
        changes=(RATIO_CHANGE,),
        scope="every dimension, number of workers and weights; gradients may depend on the past",
        remainder="the compressors' noise is uncorrelated over time and workers; Minkowski for the drift",
    ),
    tightness="take the minimum with ef-memory-aggregate: for few workers the triangle bound can be smaller",
    pitfall="common random coins of the workers make their noise add up",
    checked_by=("tests/theory/test_error_feedback.py::test_independent_compressors_keep_less",),
)

THEOREMS = (
    RATIO_FUNCTIONS, VIRTUAL_ITERATE, MEMORY_STEP, MEMORY_SUM, MEMORY_UNIFORM, MEMORY_AGGREGATE, MEMORY_MEANLINEAR,
)  # fmt: skip
