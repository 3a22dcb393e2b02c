"""The lemmas from which every bound on stale gradients follows (dossier 3.1, 4.1)."""

from __future__ import annotations

import sympy

from ..assumptions import BOUNDED_DELAY, EACH_CONVEX, FRESH, OBLIVIOUS
from ..certificate import Certificate, Hypothesis, Identity, Sign, Square, Term
from ..gram import inner, mean, scalars, square, vectors
from ..symbols import Parameter, Range
from ..theorem import RATE, Theorem
from .common import (
    MEANS,
    SUBJECT,
    F,
    F_star,
    c,
    e_i,
    f_star,
    f_x,
    f_y,
    g_i,
    gamma,
    noise,
    r,
    r_next,
    rho,
    source,
    tau,
    v,
    window_i,
)

_f_x, _f_z, _f_y = scalars("f_x f_z f_y")
_x, _y, _z, _g_y = vectors("x y z g_y")


_D_z, _D_x = scalars("D_z D_x")


def _bregman(distance: sympy.Expr, value: sympy.Expr, point: sympy.Expr) -> Hypothesis:
    """The definition of the Bregman distance from y to a point."""
    return Hypothesis(
        f"definition of {distance}", value - _f_y - inner(_g_y, point - _y) - distance, "definition", equality=True
    )


THREE_POINT = Theorem(
    id="lemma-three-point",
    title="Three-point identity of Bregman distances",
    statement=r"\langle\nabla f(y),x-z\rangle=f(x)-f(z)+D_f(z,y)-D_f(x,y)",
    source=source("3.1", "Chen, Teboulle (1993)"),
    status="published",
    kind="tight",
    subject=SUBJECT,
    proof=Certificate(
        lines=(
            Identity(
                "insert the definitions",
                inner(_g_y, _x - _z) - (_f_x - _f_z + _D_z - _D_x),
                (
                    Term(sympy.S.One, _bregman(_D_z, _f_z, _z)),
                    Term(sympy.S.NegativeOne, _bregman(_D_x, _f_x, _x)),
                ),
            ),
        ),
    ),
    tightness="an identity",
)

_w_i, _w_j, _w_bar = vectors("w[i] w[j] w_bar")
_L_i, _L_j, _D_i, _p_i, _Lambda, _L_bar, _D_bar = scalars("L[i] L[j] D[i] p[i] Lambda L_bar D_bar")
_COERCIVE = Hypothesis("co-coercivity of f_i", 2 * _D_i - square(_w_i) / _L_i, "each_convex")

COCOERCIVE = Theorem(
    id="lemma-cocoercive-matrix",
    title="What the Bregman distances at the workers' points pay for",
    statement=(
        r"D=\sum_ip_iD_{f_i}(x^*,y_i),\ w_i=\nabla f_i(y_i)-\nabla f_i(x^*):\qquad "
        r"\Big\lVert\sum_ip_iw_i\Big\rVert^2\le2\hat LD,\quad \sum_ip_i^2\lVert w_i\rVert^2\le2\Lambda D,\quad "
        r"\sum_i\tfrac{p_i}{L_i}\lVert w_i\rVert^2\le2D"
    ),
    source=source("3.1"),
    status="derived",
    kind="lemma",
    subject=SUBJECT,
    assumptions=(EACH_CONVEX,),
    proof=Certificate(
        lines=(
            Identity(
                "the third sum", 2 * mean(_D_i) - mean(square(_w_i) / _L_i), (Term(sympy.S.One, _COERCIVE, index="i"),)
            ),
            Identity(
                "the second sum, p_i L_i <= Lambda",
                2 * _Lambda * mean(_D_i) - mean(_p_i * square(_w_i)),
                (
                    Term(_p_i * _L_i, _COERCIVE, index="i"),
                    Term(
                        2 * (_Lambda - _p_i * _L_i),
                        Hypothesis("Bregman distances are non-negative", _D_i, "each_convex"),
                        index="i",
                    ),
                ),
            ),
            Identity(
                "the first sum for L_i known only: Lagrange's squares over pairs of workers, L_hat = L_bar",
                mean(_L_i * mean(square(_w_j) / _L_j, "j")) - square(_w_bar),
                (
                    Term(
                        sympy.S.Half,
                        Hypothesis(
                            "squares",
                            mean(_L_i * _L_j * square(_w_i / _L_i - _w_j / _L_j), "j"),
                            "norms",
                        ),
                        index="i",
                    ),
                ),
            ),
        ),
        domain=(_L_i > 0, _L_j > 0, _p_i > 0, _p_i * _L_i <= _Lambda),
        means={
            _w_i: _w_bar,
            _w_j: _w_bar,
            _L_i: _L_bar,
            _L_j: _L_bar,
            square(_w_i) / _L_i: _D_bar,
            square(_w_j) / _L_j: _D_bar,
        },  # fmt: skip
        scope="every number of workers; the first sum for scalar L_i (matrices: the same squares in the range of L_i)",
        remainder="matrix smoothness: w_i lies in the range of L_i, and [sqrt(p_i) L_i^(1/2)] has squared norm L_hat",
    ),
)

_V, _V_next, _W, _W_t, _p, _q, _resid, _c_t, _c_next, _c_1, _zeta = scalars(
    "V V_next W W[t] p q residual weight[t] weight_next[t] weight_1 z"
)
_sum_W = tau * mean(_W_t, "t")

ABSORPTION = Theorem(
    id="lemma-absorption",
    title="Old steps are paid for by the iterations that made them",
    statement=(
        r"V_{k+1}\le\rho V_k-pW_k+q\sum_{j=k-\tau}^{k-1}W_j+r,\quad q\,T_\rho(\tau)\le p,\ T_\rho(\tau)=\sum_{t=1}^\tau\rho^{-t}:"
        r"\qquad V_K\le\rho^KV_0+r\sum_{t<K}\rho^t"
    ),
    source=source("3.1"),
    status="derived",
    kind="tight",
    subject=SUBJECT,
    proof=Certificate(
        lines=(
            Identity(
                "one step of U_k = V_k + sum_t c_t W_(k-t) (averages over t = 1..tau)",
                rho * (_V + tau * mean(_c_t * _W_t, "t"))
                - (_p - _c_1) * _W
                + _resid
                - (_V_next + _c_1 * _W + tau * mean(_c_next * _W_t, "t")),
                (
                    Term(
                        sympy.S.One,
                        Hypothesis("the recursion", rho * _V - _p * _W + _q * _sum_W + _resid - _V_next, "assumed"),
                    ),
                    Term(
                        tau,
                        Hypothesis(
                            "rho c_t = q + c_(t+1)", (rho * _c_t - _c_next - _q) * _W_t, "weights", equality=True
                        ),
                        index="t",
                    ),
                ),
            ),
            Identity(
                "the weights c_t = q (rho^(t-tau-1) - 1)/(1 - rho), with z = rho^(t-tau): rho c_t = q + c_(t+1)",
                rho * _q * (_zeta / rho - 1) / (1 - rho) - _q - _q * (_zeta - 1) / (1 - rho),
            ),
        ),
        domain=(tau >= 1, rho > 0),
        remainder="c_1 = q T_rho(tau) <= p makes the term of W_k non-positive; iterate the step",
        scope="every tau and every sequence; rho < 1 (rho = 1: weights c_t = q (tau - t + 1))",
    ),
    tightness="fails as soon as q T_rho(tau) > p",
    checked_by=("tests/theory/test_staleness.py::test_absorption_is_sharp",),
)

(_alpha,) = scalars("a_weight")
_current, _weight, _length = scalars("current_weight window_weight window")

MAX_RECURSION = Theorem(
    id="lemma-max-recursion",
    title="Recursions over the maximum of a window",
    statement=(
        r"V_{k+1}\le aV_k+q\max_{k-m\le s\le k}V_s+r,\ a+q<1:\qquad V_k\le\rho^kV_0+\frac r{1-a-q},\quad "
        r"\rho=a+q\rho^{-m}\le(a+q)^{1/(1+m)}"
    ),
    source=source("3.1", "rate: Feyzmahdavian, Aytekin, Johansson (2014); sharp root derived"),
    status="derived",
    kind="tight",
    subject=SUBJECT,
    parameters=(
        Parameter("current_weight", "a", Range(0, 1, upper_open=True), "", "weight of the last value"),
        Parameter(
            "window_weight",
            "q",
            Range(0, 1 - _current, upper_open=True),
            "",
            "weight of the largest value in the window",
        ),
        Parameter("window", "m", Range(0, integer=True), "iterations", "length of the window"),
    ),
    measure=r"V_K",
    rate=(_current + _weight) ** (1 / (1 + _length)),
    proof=Certificate(
        lines=(
            Identity(
                "the residual is the fixed point",
                _resid / (1 - _alpha - _q) - ((_alpha + _q) * _resid / (1 - _alpha - _q) + _resid),
            ),
            Identity(
                "induction: a rho^k + q rho^(k-m) = rho^(k+1), with z = rho^(-m)",
                (_alpha + _q * _zeta) - rho,
                (
                    Term(
                        sympy.S.NegativeOne, Hypothesis("rho is the root", rho - _alpha - _q * _zeta, "", equality=True)
                    ),
                ),
            ),
            Sign(
                "the closed form is above the root: a + q z <= (a + q) z for z >= 1",
                (_alpha + _q) * _zeta - (_alpha + _q * _zeta),
                where=(_zeta >= 1,),
            ),
            Identity("the rate", RATE - (_current + _weight) ** (1 / (1 + _length))),
        ),
        domain=(_alpha >= 0, _q >= 0, _alpha + _q < 1),
        scope="every window and every sequence",
        remainder="the maximum over the window by the induction hypothesis",
    ),
    tightness="the root is attained by constant delay; `rate` is the closed form above it",
    checked_by=("tests/theory/test_staleness.py::test_max_recursion",),
)

ONE_STEP = Theorem(
    id="stale-onestep",
    title="One step with stale gradients",
    statement=(
        r"\mathbb E\lVert r_{k+1}\rVert^2\le\lVert r_k\rVert^2-2\gamma[F(x_k)-F^*]-2\gamma D_k+"
        r"\gamma\sum_ip_i\lVert e_i^k\rVert^2_{\mathbf L_i}+\gamma^2\big(\lVert v_k\rVert^2+\mathbb E\lVert\xi_k\rVert^2\big)"
    ),
    source=source("4.1"),
    status="derived",
    kind="lemma",
    subject=SUBJECT,
    assumptions=(EACH_CONVEX, FRESH),
    proof=Certificate(
        lines=(
            Identity(
                "expand the square, three-point identity, smoothness of every f_i from y_i to x",
                square(r) - 2 * gamma * (F - F_star)
                - 2 * gamma * mean(f_star - f_y + inner(g_i, r - e_i))
                + gamma * mean(window_i) + gamma**2 * (square(v) + noise) - r_next,
                (
                    Term(
                        sympy.S.One,
                        Hypothesis(
                            "fresh noise has mean zero",
                            square(r) - 2 * gamma * inner(v, r) + gamma**2 * (square(v) + noise) - r_next,
                            "fresh",
                        ),
                    ),
                    Term(
                        2 * gamma,
                        Hypothesis(
                            "smoothness of f_i from y_i to x = y_i + e_i",
                            f_y + inner(g_i, e_i) + window_i / 2 - f_x,
                            "each_convex",
                        ),
                        index="i",
                    ),
                ),
            ),
        ),
        domain=(gamma > 0,),
        means=MEANS,
        scope="every number of workers, weights, delays and compressors",
    ),
    tightness="an identity but for the smoothness of the f_i",
)  # fmt: skip

_a_vec, _b_vec, _s_i, _s_bar = vectors("a b s[i] s_bar")

WINDOW = Theorem(
    id="stale-window",
    title="How far stale models can have moved",
    statement=(
        r"\mathbb E\sum_ip_i\lVert e_i^k\rVert^2_{\mathbf L_i}\le\gamma^2\hat L\sum_{j=k-\tau}^{k-1}"
        r"\Big[(1+c)\tau\,\mathbb E\lVert v_j\rVert^2+\big(1+\tfrac1c\big)\mathbb E\lVert\xi_j\rVert^2\Big]"
    ),
    source=source("4.1"),
    status="derived",
    kind="lemma",
    subject=SUBJECT,
    assumptions=(BOUNDED_DELAY, FRESH, OBLIVIOUS),
    proof=Certificate(
        lines=(
            Identity(
                "Young: |a + b|^2 <= (1 + c)|a|^2 + (1 + 1/c)|b|^2",
                (1 + c) * square(_a_vec) + (1 + 1 / c) * square(_b_vec) - square(_a_vec + _b_vec),
                (),
                (Square(1 / c, c * _a_vec - _b_vec),),
            ),
            Identity(
                "a sum of tau vectors: tau sum |s_j|^2 - |sum s_j|^2 is a sum of squares (averages over the window)",
                mean(square(_s_i)) - square(_s_bar),
                (),
                (Square(sympy.S.One, _s_i - _s_bar, index="i"),),
            ),
        ),
        domain=(c > 0,),
        means={_s_i: _s_bar},
        scope="every window, every norm",
        remainder="martingale differences over a fixed index set are orthogonal (obliviousness); sum p_i L_i <= L_hat I",
    ),
)

THEOREMS = (THREE_POINT, COCOERCIVE, ABSORPTION, MAX_RECURSION, ONE_STEP, WINDOW)
