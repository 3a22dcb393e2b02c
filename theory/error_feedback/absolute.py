"""Memories that stay bounded: hard thresholds and other absolute compressors (dossier 3.3, 3.10)."""

from __future__ import annotations

import sympy

from ..assumptions import (
    ABSOLUTE,
    BOUNDED_BELOW,
    BOUNDED_MEMORY,
    HARD_THRESHOLD,
    LIPSCHITZ_GRADIENT,
    STRONGLY_CONVEX,
    UNCORRELATED_NOISE,
    WORKER_NOISE,
)
from ..certificate import Certificate, Hypothesis, Identity, Sign, Square, Term
from ..gram import mean, scalars, square
from ..symbols import Parameter, parameter
from ..theorem import BOUND, EPS, INITIAL, RATE, RESIDUAL, VALUE, Assumption, K, Theorem
from .common import (
    CURVATURE,
    NOISE,
    SMOOTHNESS,
    SUBJECT,
    L,
    e_i,
    e_mean,
    gamma,
    mu,
    sigma,
    source,
    step_up_to,
    tends_to_residual,
)

_d, _Lambda, _kappa = (parameter(name).symbol for name in ("d", "mean_threshold", "absolute_error"))
_v, _lambda, _e_j, _lambda_i, _kappa_i = scalars("v lambda e[j] lambda[i] kappa[i]")

THR_MEMORY = Theorem(
    id="thr-memory",
    title="What hard thresholds leave in the memory",
    statement=(
        r"\lVert e_i^{k+1}\rVert_\infty\le\lambda_i^k\ \text{for every sequence of gradients},\qquad "
        r"\lVert\bar e_{k+1}\rVert\le\sqrt d\,\sum_ip_i\lambda_i^k"
    ),
    source=source("3.10"),
    status="derived",
    kind="tight",
    subject=SUBJECT,
    assumptions=(HARD_THRESHOLD,),
    parameters=(parameter("d"), parameter("mean_threshold")),
    measure=r"\lVert\bar e_{k+1}\rVert",
    value=sympy.sqrt(_d) * _Lambda,
    proof=Certificate(
        lines=(
            Sign(
                "an entry that stays is at most lambda: e_j = v_j",
                _lambda**2 - _v**2,
                where=(_v <= _lambda, -_v <= _lambda),
            ),
            Sign("an entry that is sent leaves nothing: e_j = 0", _lambda**2),
            Identity(
                "all entries: |e|^2 = sum of e_j^2 <= d lambda^2",
                _d * _lambda**2 - _d * mean(_e_j**2, "j"),
                (Term(_d, Hypothesis("every entry", _lambda**2 - _e_j**2, "lines above"), index="j"),),
            ),
            Identity(
                "all workers: weighted Cauchy-Schwarz with v_i = lambda_i",
                VALUE**2 - square(e_mean),
                (
                    Term(
                        _Lambda / _lambda_i,
                        Hypothesis("every worker", _d * _lambda_i**2 - square(e_i), "line above"),
                        index="i",
                    ),
                ),
                (Square(_Lambda / _lambda_i, e_i - _lambda_i / _Lambda * e_mean, index="i"),),
            ),
        ),
        domain=(_lambda >= 0, _lambda_i > 0, _Lambda > 0, _d >= 1),
        means={_lambda_i: _Lambda, e_i: e_mean},
        scope="every dimension, number of workers and weights, thresholds that change with time",
        remainder="workers with lambda_i = 0 have no memory and are left out",
    ),
    tightness="attained: all entries of all memories at their thresholds",
    pitfall="lambda is on the scale of gradients: with p_i inside the compressor the threshold is lambda/p_i",
    checked_by=("tests/theory/test_error_feedback.py::test_threshold_memory",),
)

_y, _E = scalars("y E")
_keep = 1 - L * gamma
_floor = (gamma * L * sigma**2 + gamma**2 * L**2 * _kappa**2) / _keep

NUEF_ABSOLUTE = Theorem(
    id="nuef-absolute",
    title="Error feedback with absolute compressors, non-convex",
    statement=(
        r"\kappa=\sum_ip_i\kappa_i\ (\sqrt d\,\Lambda\text{ for thresholds, }\Lambda=\sum_ip_i\max_k\lambda_i^k):\qquad "
        r"(1-L\gamma)\,\frac1K\sum_{k<K}\mathbb E\lVert\nabla F(x_k)\rVert^2\le\frac{2(F(x_0)-F^*)}{\gamma K}+\gamma L\sigma^2"
        r"+\gamma^2L^2\kappa^2"
    ),
    source=source("3.10", "uniform thresholds: Sahu et al. (2021); weights derived"),
    status="derived",
    kind="upper",
    subject=SUBJECT,
    assumptions=(LIPSCHITZ_GRADIENT, BOUNDED_BELOW, ABSOLUTE, WORKER_NOISE, UNCORRELATED_NOISE),
    parameters=(SMOOTHNESS, parameter("absolute_error"), NOISE, step_up_to(1 / L, upper_open=True)),
    defaults={"step_size": 1 / (4 * L)},
    goal="squared_gradient",
    start="objective_gap",
    measure=r"\tfrac1K\sum_{k<K}\mathbb E\lVert\nabla F(x_k)\rVert^2\ \text{from}\ F(x_0)-F^*",
    step_size=gamma,
    bound=2 * INITIAL / (gamma * K * _keep) + _floor,
    iterations=2 * INITIAL / (gamma * _keep * (EPS - _floor)),
    residual=_floor,
    proof=Certificate(
        lines=(
            Identity(
                "the mean memory: weighted Cauchy-Schwarz with v_i = kappa_i",
                _kappa**2 - square(e_mean),
                (
                    Term(
                        _kappa / _kappa_i,
                        Hypothesis("e_i+ = v_i - C_i(v_i)", _kappa_i**2 - square(e_i), "absolute"),
                        index="i",
                    ),
                ),
                (Square(_kappa / _kappa_i, e_i - _kappa_i / _kappa * e_mean, index="i"),),
            ),
            Identity(
                "the descents of nuef-nonconvex add up",
                _keep * (BOUND(K) - _y**2),
                (
                    Term(
                        2 / gamma,
                        Hypothesis(
                            "descent along the virtual iterate, averaged",
                            INITIAL / K - gamma / 2 * _keep * _y**2 + gamma**3 * L**2 / 2 * _E**2 + L * gamma**2 / 2 * sigma**2,
                            "lipschitz_gradient, bounded_below",
                        ),
                    ),
                    Term(gamma**2 * L**2, Hypothesis("the memory", _kappa**2 - _E**2, "line above")),
                ),
            ),
            tends_to_residual(2 * INITIAL / (gamma * K * _keep)),
        ),
        domain=(L > 0, gamma > 0, gamma * L < 1, K >= 1, _kappa > 0, _kappa_i > 0),
        means={_kappa_i: _kappa, e_i: e_mean},
        scope="every dimension, number of workers, weights and absolute compressors",
        remainder="sum over k < K; uncompressed workers have no memory and are left out",
    ),
    tightness="smallest bound / measured 1.16 under attack",
    pitfall="no dissimilarity of the workers enters, but the traffic of thresholds is not fixed",
)  # fmt: skip

_V, _V_next, _gap = scalars("V V_next gap")
_growth = gamma * L / (1 - gamma * L)


def _bounded(
    id: str, title: str, statement: str, section: str, bound: Parameter, assumption: Assumption, first: str
) -> Theorem:
    squared = bound.symbol**2
    rate = 1 - gamma * mu
    residual = (gamma**2 * L * rate / (1 - gamma * L) * squared + gamma * sigma**2) / mu
    return Theorem(
        id=id,
        title=title,
        statement=statement,
        source=source(section),
        status="derived",
        kind="upper",
        subject=SUBJECT,
        assumptions=(STRONGLY_CONVEX, LIPSCHITZ_GRADIENT, assumption, WORKER_NOISE, UNCORRELATED_NOISE),
        parameters=(SMOOTHNESS, CURVATURE, bound, NOISE, step_up_to(1 / L, upper_open=True)),
        defaults={"step_size": 1 / (4 * L)},
        goal="squared_distance",
        measure=r"\mathbb E\lVert\tilde x_K-x^*\rVert^2",
        step_size=gamma,
        rate=rate,
        residual=residual,
        bound=rate**K * INITIAL + (1 - rate**K) * residual,
        iterations=sympy.log((EPS - residual) / sympy.Max(INITIAL - residual, EPS - residual)) / sympy.log(rate),
        proof=Certificate(
            lines=(
                Identity(
                    "one step; the residual is the fixed point",
                    RATE * _V + (1 - RATE) * RESIDUAL - _V_next,
                    (
                        Term(
                            sympy.S.One,
                            Hypothesis(
                                "ef-onestep-convex",
                                rate * (_V - 2 * gamma * _gap + _growth * gamma**2 * _E**2)
                                + gamma**2 * sigma**2
                                - _V_next,
                                "strongly_convex, lipschitz_gradient",
                            ),
                        ),
                        Term(rate * 2 * gamma, Hypothesis("x* is a minimiser", _gap, "bounded_below")),
                        Term(rate * _growth * gamma**2, Hypothesis(first, squared - _E**2, assumption.name)),
                    ),
                ),
                Identity("the recursion, solved", BOUND(K) - RATE**K * INITIAL - (1 - RATE**K) * RESIDUAL),
            ),
            domain=(L > 0, mu > 0, mu <= L, gamma > 0, gamma * L < 1),
            scope="every dimension, number of workers, weights and compressors with that memory",
        ),
        tightness="smallest bound / measured 1.008 in random runs",
        pitfall="the bound is about the virtual iterate: |x_K - x*| is larger by at most gamma times the mean memory",
    )


_DISTANCE = (
    r"\mathbb E\lVert\tilde x_K-x^*\rVert^2\le\rho^K\lVert x_0-x^*\rVert^2+(1-\rho^K)\Big["
    r"\frac{\gamma^2L\rho}{\mu(1-\gamma L)}%s+\frac{\gamma\sigma^2}\mu\Big],\qquad \rho=1-\gamma\mu"
)
BOUNDED = _bounded(
    "nuef-bounded-memory",
    "Error feedback with a bounded memory, strongly convex",
    r"\gamma<\frac1L:\qquad " + _DISTANCE % r"\bar E^2",
    "3.3",
    parameter("memory_norm"),
    BOUNDED_MEMORY,
    "the memory is bounded",
)
ABSOLUTE_SC = _bounded(
    "nuef-absolute-strongly-convex",
    "Error feedback with absolute compressors, strongly convex",
    r"\gamma<\frac1L,\ \kappa=\sum_ip_i\kappa_i\ (\sqrt d\,\Lambda\text{ for thresholds}):\qquad "
    + _DISTANCE % r"\kappa^2",
    "3.10",
    parameter("absolute_error"),
    ABSOLUTE,
    "the mean memory, as in nuef-absolute",
)

THEOREMS = (BOUNDED, THR_MEMORY, NUEF_ABSOLUTE, ABSOLUTE_SC)
