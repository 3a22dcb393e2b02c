"""Forced messages: copies of bounded age instead of bounded distance (dossier 4.4)."""

from __future__ import annotations

import sympy

from ..assumptions import (
    AVERAGE_PRESERVING,
    BOUNDED_BELOW,
    BOUNDED_GRADIENTS,
    DAMPED,
    EACH_STRONGLY_CONVEX,
    EXACT_GRADIENT,
    IDENTICAL_WORKERS,
    L_SMOOTH,
    NONNEGATIVE_MIXING,
    PUBLISHED_UPDATE,
    ROW_STOCHASTIC,
    SYMMETRIC_MIXING,
    WHOLE_VECTORS,
)
from ..certificate import Certificate, Hypothesis, Identity, Sign, Term
from ..gram import inner, scalars, square, vectors
from ..symbols import COUNT, Parameter, parameter
from ..theorem import BOUND, EPS, INITIAL, VALUE, K, Theorem
from .common import (
    CURVATURE,
    GRADIENT_BOUND,
    POSITIVE_FACTS,
    SUBJECT,
    B,
    L,
    beta,
    contraction,
    gamma,
    lambda_n,
    mu,
    n,
    source,
    step_up_to,
    w,
)
from .counterexamples import CHECKERBOARD, LATE_ROUND_ROBIN, PeriodicMessages

_tau = parameter("tau").symbol
_ACTS = Parameter("acts_within", "b", COUNT, "iterations", "every worker acts once in so many iterations")
_b = _ACTS.symbol
_moved, _change = vectors("Delta q")
_q = 1 - gamma * mu

BOUNDED_DELAY = Theorem(
    id="bounded-delay",
    title="Whole vectors of bounded age: linear convergence with a step that does not depend on the age",
    statement=(
        r"\gamma\le\min_i\frac{2W_{ii}}{L_i+\mu_i},\ q=1-\gamma\mu:\qquad \max_i\lVert x_i^k-x_{\gamma,i}^*\rVert\le "
        r"q^{\lfloor k/(\tau+b)\rfloor}M_0,\quad M_0=\max_i\max_{t\le0}\lVert x_i^t-x_{\gamma,i}^*\rVert"
    ),
    source=source("4.4", "mechanism: Bertsekas, Tsitsiklis (1989); Feyzmahdavian, Aytekin, Johansson (2014)"),
    status="derived",
    kind="upper",
    subject=SUBJECT,
    assumptions=(
        PUBLISHED_UPDATE, ROW_STOCHASTIC, NONNEGATIVE_MIXING, EACH_STRONGLY_CONVEX, EXACT_GRADIENT, WHOLE_VECTORS,
    ),
    parameters=(
        parameter("L"), CURVATURE, parameter("self_weight"), step_up_to(2 * w / (L + mu)), parameter("tau"), _ACTS,
    ),
    defaults={"step_size": 2 * w / (L + mu), "acts_within": sympy.S.One},
    goal="distance",
    measure=r"\max_i\lVert x_i^k-x_{\gamma,i}^*\rVert\ \text{from}\ M_0",
    step_size=gamma,
    bound=_q ** sympy.floor(K / (_tau + _b)) * INITIAL,
    iterations=(_tau + _b) * sympy.ceiling(sympy.log(EPS / INITIAL) / sympy.log(_q)),
    proof=Certificate(
        lines=(
            contraction(_moved, _change, gamma / w, L, 1 - gamma * mu / w),
            Identity("a worker's row: (W_ii - gamma mu) + (1 - W_ii) = q", (w * (1 - gamma * mu / w)) + (1 - w) - _q),
            Identity("the bound", BOUND(K) - _q ** sympy.floor(K / (_tau + _b)) * INITIAL),
        ),
        domain=(*POSITIVE_FACTS, w > 0, w <= 1, gamma * (L + mu) <= 2 * w),
        scope="every row-stochastic non-negative W (directed graphs too), every trigger, every age up to tau",
        remainder="the largest distance over a window of tau + 1 iterations does not grow, and shrinks by q in tau + b",
    ),
    tightness="performance estimation / bound .965 (W_ii = 1/3, tau = 1) to .9999 (W_ii = .02, tau = 2)",
    pitfall="false for tensors of different ages: per-tensor-divergence",
)  # fmt: skip


def _changes_sign(name: str, example: PeriodicMessages, low: str, high: str) -> Sign:
    below, above = (example.characteristic(sympy.Rational(z)) for z in (low, high))
    return Sign(f"{name}: an eigenvalue of one period in ({low}, {high})", -below * above, strict=True)


PER_TENSOR_DIVERGENCE = Theorem(
    id="per-tensor-divergence",
    title="Tensors of different ages can diverge where whole vectors of the same ages converge",
    statement=(
        r"\text{ring of }4,\ W_{ii}=\tfrac13,\ H=\tfrac1{20}I+\tfrac{19}{60}\mathbf1\mathbf1^\top,\ "
        r"\gamma=\tfrac{2W_{ii}}{L+\mu}:\quad "
        r"\text{one of three tensors per iteration:}\ \rho(\text{period})>1.05"
    ),
    source=source("4.4"),
    status="derived",
    kind="lower",
    subject=SUBJECT,
    assumptions=(PUBLISHED_UPDATE, IDENTICAL_WORKERS, EXACT_GRADIENT),
    proof=Certificate(
        lines=(
            _changes_sign("no latency, order 0, 2, 1", CHECKERBOARD, "-1.06", "-1.05"),
            _changes_sign("latency 3, order 0, 1, 2", LATE_ROUND_ROBIN, "-1.03", "-1.02"),
        ),
        scope="the instances; characteristic polynomials of exact rational matrices",
        remainder="intermediate value theorem",
    ),
    tightness="an exact counterexample",
    checked_by=("tests/theory/test_event_triggering.py::test_tensors_of_different_ages_diverge",),
)

_g, _D = vectors("g Delta")
_f, _f_next, _y_gap = scalars("f f_next gap")
_hold_factor = (1 + (1 - w) * _tau) ** 2
_G, _hat = vectors("y_minus_copy y_plus_minus_copy")

HOLD_DESCENT = Theorem(
    id="hold-descent",
    title="Identical workers may hold tensors at will",
    statement=(
        r"\gamma L<1+w:\quad \Psi(y,\hat y)=f(y)+\frac{1-w}{2\gamma}\lVert y-\hat y\rVert^2\ \text{does not "
        r"increase},\qquad "
        r"\frac1K\sum_{k<K}\lVert\nabla f(y^k)\rVert^2\le\frac{2(1+(1-w)\tau)^2(f(y^0)-\inf f)}{\gamma(1+w-\gamma L)K}"
    ),
    source=source("4.4"),
    status="derived",
    kind="upper",
    subject=SUBJECT,
    assumptions=(PUBLISHED_UPDATE, IDENTICAL_WORKERS, L_SMOOTH, BOUNDED_BELOW, EXACT_GRADIENT),
    parameters=(
        parameter("L"), parameter("self_weight"), step_up_to((1 + w) / L, open_end=True), parameter("tau"),
    ),
    defaults={"step_size": (1 + w) / (2 * L)},
    goal="squared_gradient",
    start="objective_gap",
    measure=r"\tfrac1K\sum_{k<K}\lVert\nabla f(y^k)\rVert^2\ \text{from}\ f(y^0)-\inf f",
    step_size=gamma,
    bound=2 * _hold_factor * INITIAL / (gamma * (1 + w - gamma * L) * K),
    iterations=2 * _hold_factor * INITIAL / (gamma * (1 + w - gamma * L) * EPS),
    proof=Certificate(
        lines=(
            Identity(
                "one step, Delta = -gamma grad f - (1 - w)(y - copy)",
                _f
                + (1 - w) / (2 * gamma) * square(_G)
                - _f_next
                - (1 - w) / (2 * gamma) * square(_G + _D)
                - (1 + w - gamma * L) / (2 * gamma) * square(_D),
                (
                    Term(
                        sympy.S.One,
                        Hypothesis("descent lemma", _f + inner(_g, _D) + L / 2 * square(_D) - _f_next, "L_smooth"),
                    ),
                    Term(
                        sympy.S.NegativeOne / gamma,
                        Hypothesis(
                            "the step", inner(_D, _D + gamma * _g + (1 - w) * _G), "published_update", equality=True
                        ),
                    ),
                ),
            ),
            Identity("the sum over k < K", BOUND(K) * gamma * (1 + w - gamma * L) * K - 2 * _hold_factor * INITIAL),
        ),
        domain=(L > 0, gamma > 0, w > 0, w <= 1, gamma * L < 1 + w),
        scope="every per-tensor trigger without latency, every number of workers",
        remainder="a send sets a block of y - copy to zero; weighted Cauchy-Schwarz over a window of tau iterations",
    ),
    tightness="smallest slack seen .17",
)  # fmt: skip

_x = sympy.Symbol("x", real=True)

AP_HOLD_INSTABILITY = Theorem(
    id="ap-hold-instability",
    title="The average-preserving update does not tolerate old copies",
    statement=(
        r"\gamma=0,\ \text{all copies refreshed every }m\text{ iterations}:\quad "
        r"X^{(p+1)m}=(I+m\eta(W-I))X^{pm}\ \text{converges iff}\ "
        r"\eta m(1-\lambda_n)<2"
    ),
    source=source("4.4"),
    status="derived",
    kind="tight",
    subject=SUBJECT,
    assumptions=(AVERAGE_PRESERVING, SYMMETRIC_MIXING),
    parameters=(parameter("lambda_n"),),
    measure=r"\sup\{\eta m:\text{the disagreement vanishes}\}",
    value=2 / (1 - lambda_n),
    proof=Certificate(
        lines=(
            Sign(
                "below the limit every mode shrinks, x = eta m (1 - lambda)",
                1 - (1 - _x) ** 2,
                strict=True,
                where=(_x > 0, _x < 2),
            ),
            Sign("beyond it the mode of lambda_n does not", (1 - _x) ** 2 - 1, where=(_x >= 2,)),
            Identity("the limit", VALUE * (1 - lambda_n) - 2),
        ),
        domain=(lambda_n < 1,),
        scope="every symmetric W",
        remainder="eigenvalues of the map of one period are 1 - m eta (1 - lambda_i)",
    ),
    tightness="an equality; on an even ring with weights 1/3 every second iteration already diverges",
    checked_by=("tests/theory/test_event_triggering.py::test_old_copies_destabilise_the_average_preserving_update",),
)

_m, _root_n, _eta, _c, _r = scalars("m root_n eta c r")
G = GRADIENT_BOUND.symbol
PATH_CONSTANT = 2 * B / beta * (1 + sympy.sqrt(n) + 2 * B * sympy.sqrt(n) / beta)


def _with_root(expression: sympy.Expr) -> sympy.Expr:
    return expression.subs(sympy.sqrt(n), _root_n)


def damped_lines(value: sympy.Expr, periods: sympy.Expr) -> tuple[Identity | Sign, ...]:
    """The movement of a damped worker in one iteration is a `periods`-th of the threshold; its disagreement follows."""
    eta = 1 / (2 * periods * B * _root_n * (1 + B / beta))
    threshold = 2 * periods * gamma * G * (1 + B * _root_n / beta)
    disagreement = B * _root_n * threshold / beta + gamma * _root_n * G / (eta * beta)
    return (
        Identity(
            "one iteration moves a worker by a fraction of the threshold",
            gamma * G + eta * B * (disagreement + _root_n * threshold) - threshold / periods,
        ),
        Identity(
            "the disagreement per worker",
            disagreement / _root_n - periods * gamma * G * _with_root(PATH_CONSTANT),
        ),
        Sign("the mixing is damped", 1 - eta * B, where=(periods >= 1,)),
        Identity("the value", value - periods * gamma * G * PATH_CONSTANT),
    )


DAMPED_FACTS = (B > 0, beta > 0, beta <= B, _root_n >= 1, gamma > 0, G > 0, _m >= 1)

BOUNDED_STALE_DAMPED = Theorem(
    id="bounded-stale-damped",
    title="Damped mixing tolerates torn, late and per-tensor copies",
    statement=(
        r"\eta=\frac1{2\tau B\sqrt n(1+B/\beta)}:\quad \sup\lVert x_i^k-\hat x_i^k\rVert\le2\tau\gamma "
        r"G\Big(1+\frac{B\sqrt n}\beta\Big),\quad "
        r"\sup_k\sqrt{V_k}\le\tau\gamma GC_W,\ C_W=\frac{2B}\beta\Big(1+\sqrt n+\frac{2B\sqrt n}\beta\Big)"
    ),
    source=source("4.4"),
    status="derived",
    kind="upper",
    subject=SUBJECT,
    assumptions=(AVERAGE_PRESERVING, SYMMETRIC_MIXING, BOUNDED_GRADIENTS, DAMPED),
    parameters=(
        parameter("tau"), parameter("step_size"), GRADIENT_BOUND, parameter("mixing_strength"), parameter("mixing_gap"),
        parameter("workers"),
    ),
    measure=r"\sup_k\sqrt{V_k}",
    value=_tau * gamma * G * PATH_CONSTANT,
    proof=Certificate(
        lines=damped_lines(VALUE, _tau),
        domain=(*DAMPED_FACTS, _tau >= 1),
        scope="every number of workers, common copies whose entries are at most tau iterations old",
        remainder="running maxima of staleness and disagreement",
    ),
    tightness="smallest slacks seen .83 and .48",
)  # fmt: skip

THEOREMS = (BOUNDED_DELAY, PER_TENSOR_DIVERGENCE, HOLD_DESCENT, AP_HOLD_INSTABILITY, BOUNDED_STALE_DAMPED)
