"""Hard thresholds: how much they send, and which are best (dossier 3.10)."""

from __future__ import annotations

import sympy

from ..certificate import Certificate, Hypothesis, Identity, Sign, Term
from ..gram import mean, scalars
from ..symbols import POSITIVE, Parameter, Range, parameter
from ..theorem import VALUE, Theorem
from .common import SUBJECT, c, d, nu, source

_lam, _last, _now, _e_abs, _g_abs, _v_abs = scalars("lambda lambda_last lambda_now e_abs g_abs v_abs")
_E_k, _E_next, _G, _N, _mean_N = scalars("E_k E_next G_k N_k mean_N")
_l1 = Parameter("l1_norm", r"\overline{\lVert g\rVert_1}", POSITIVE, "", "mean of |g|_1 over the steps")
_threshold = Parameter("magnitude_threshold", r"\lambda", POSITIVE, "", "smallest magnitude that is sent")

_ONE_STEP = (
    Sign("a coordinate that is sent: |e| + |g| - 0 >= |v| > lambda", _e_abs + _g_abs - _lam,
         where=(_v_abs <= _e_abs + _g_abs, _v_abs >= _lam)),
    Sign("a coordinate that stays: |e| + |g| >= |v|, its next memory", _e_abs + _g_abs - _v_abs,
         where=(_v_abs <= _e_abs + _g_abs,)),
)  # fmt: skip

THR_TRAFFIC = Theorem(
    id="thr-traffic",
    title="Hard thresholds with memory send no more than the gradients' l1 norm allows",
    statement=(
        r"\sum_{k<K}N_k\le\sum_{k<K}\frac{\lVert "
        r"g^k\rVert_1}{\lambda_k}+d\sum_{k=1}^{K-1}\Big(\frac{\lambda_{k-1}}{\lambda_k}-1\Big)_+;"
        r"\qquad \lambda\ \text{constant}:\ \frac1K\sum_{k<K}N_k\le\frac{\overline{\lVert g\rVert_1}}\lambda"
    ),
    source=source("3.10"),
    status="derived",
    kind="tight",
    subject=SUBJECT,
    parameters=(_l1, _threshold),
    measure=r"\tfrac1K\sum_{k<K}N_k\ \text{with a constant threshold}",
    value=_l1.symbol / _threshold.symbol,
    proof=Certificate(
        lines=(
            *_ONE_STEP,
            Sign(
                "the memory before a step weighs at most d (last/now - 1) where the threshold falls",
                d * (_last / _now - 1) - _E_k * (1 / _now - 1 / _last),
                where=(_now <= _last, _E_k <= d * _last),
            ),
            Sign("and nothing where it rises", -_E_k * (1 / _now - 1 / _last), where=(_now >= _last,)),
            Sign(
                "constant threshold: the memories telescope and start at 0",
                VALUE - _N,
                where=(_N * _threshold.symbol <= _l1.symbol - _E_next,),
            ),
            Identity("the bound", VALUE * _threshold.symbol - _l1.symbol),
        ),
        domain=(
            _last > 0,
            _now > 0,
            _E_k >= 0,
            _E_next >= 0,
            d >= 1,
            _threshold.symbol > 0,
            _l1.symbol > 0,
            _e_abs >= 0,
            _g_abs >= 0,
        ),
        scope="every dimension, every sequence of gradients and thresholds",
        remainder="summed over coordinates and steps, by parts; |e|_1 <= d lambda by thr-memory",
    ),
    tightness="attained by g_j = lambda/M plus a hair, which sends once in M steps",
    checked_by=("tests/theory/test_ratio_assignment.py::test_threshold_traffic",),
)

_eta = Parameter("reserve", r"\eta", Range(0, 1, lower_open=True, upper_open=True), "", "share of the budget kept back")
_per_step = Parameter(
    "entries_per_step", r"\bar k", Range(0, d, lower_open=True), "entries", "budget: entries per step on average"
)
_h, _k_bar = _eta.symbol, _per_step.symbol

THR_L1_RULE = Theorem(
    id="thr-l1-rule",
    title="A threshold from one pass over the gradient that keeps a budget",
    statement=(
        r"\lambda_k=\max\Big\{\frac{\lVert g^k\rVert_1}{(1-\eta)\bar k},\ \frac{\lambda_{k-1}}{1+\eta\bar "
        r"k/d}\Big\},\ \lambda_{-1}=0:\qquad "
        r"\sum_{j\le k}N_j\le(k+1)\bar k\ \text{for every }k\text{ and every sequence of gradients}"
    ),
    source=source("3.10"),
    status="derived",
    kind="upper",
    subject=SUBJECT,
    parameters=(parameter("d"), _per_step),
    measure=r"\tfrac1{k+1}\sum_{j\le k}N_j",
    value=_k_bar,
    proof=Certificate(
        lines=(
            Sign("the gradients' part", (1 - _h) * _k_bar - _G / _now, where=(_now >= _G / ((1 - _h) * _k_bar),)),
            Sign(
                "the falling thresholds' part",
                _h * _k_bar - d * (_last / _now - 1),
                where=(_now >= _last / (1 + _h * _k_bar / d),),
            ),
            Identity("together", VALUE - (1 - _h) * _k_bar - _h * _k_bar),
        ),
        domain=(_h > 0, _h < 1, _k_bar > 0, d >= 1, _k_bar <= d, _G >= 0, _now > 0, _last > 0),
        scope="every dimension, every sequence of gradients",
        remainder="thr-traffic",
    ),
    tightness="up to 83 % of the budget used by random gradients",
    checked_by=("tests/theory/test_ratio_assignment.py::test_l1_rule_keeps_its_budget",),
)

(_N_i,) = scalars("N[i]")
_log_0, _log_K, _steps = scalars("log_0 log_K steps")
_gain = Parameter("controller_gain", r"\eta", POSITIVE, "", "gain of the multiplicative controller")
_start = Parameter("start_threshold", r"\lambda_0", POSITIVE, "", "threshold of the first step")
_G_1 = Parameter("l1_bound", "G_1", POSITIVE, "", "bound on |g|_1")
_K = Parameter("steps", "K", Range(1, integer=True), "iterations", "number of steps")
_eta_c = _gain.symbol
_excess = sympy.Max(0, sympy.log(_G_1.symbol / (_k_bar * _start.symbol)))
_overshoot, _log_top = scalars("overshoot log_top")

THR_CONTROLLER = Theorem(
    id="thr-controller",
    title="A multiplicative controller holds the budget up to a constant",
    statement=(
        r"\lambda_{k+1}=\lambda_k\exp(\eta(N_k/\bar k-1)):\quad \frac1K\sum_{k<K}N_k=\bar "
        r"k\Big(1+\frac{\ln(\lambda_K/\lambda_0)}{\eta K}\Big);"
        r"\quad \lVert g^k\rVert_1\le G_1:\ \sum_{k<K}N_k\le K\bar k+\frac{\bar k}\eta\ln^+\frac{G_1}{\bar "
        r"k\lambda_0}+2d"
    ),
    source=source("3.10"),
    status="derived",
    kind="upper",
    subject=SUBJECT,
    parameters=(parameter("d"), _per_step, _gain, _start, _G_1, _K),
    measure=r"\sum_{k<K}N_k",
    value=_K.symbol * _k_bar + _k_bar / _eta_c * _excess + 2 * d,
    proof=Certificate(
        lines=(
            Identity(
                "the logarithms telescope (averages over the steps): mean N = k_bar (1 + (log_K - log_0)/(eta K))",
                mean(_N_i) - _k_bar * (1 + (_log_K - _log_0) / (_eta_c * _steps)),
                (
                    Term(
                        -_k_bar / _eta_c,
                        Hypothesis(
                            "one step, averaged",
                            (_log_K - _log_0) / _steps - _eta_c * (mean(_N_i) / _k_bar - 1),
                            "definition",
                            equality=True,
                        ),
                    ),
                ),
            ),
            Sign(
                "above G_1/k_bar the threshold rises by at most eta d/k_bar: there sum N <= d + steps k_bar",
                _eta_c * d / _k_bar - _eta_c * (_N / _k_bar - _steps),
                where=(d + _steps * _k_bar >= _N,),
            ),
            Sign(
                "entering costs at most eta (d/k_bar - 1)",
                _eta_c * (d / _k_bar - 1) - _eta_c * (_N / _k_bar - 1),
                where=(d >= _N,),
            ),
            Sign(
                "both together: k_bar/eta of them is at most 2d",
                2 * d - _k_bar / _eta_c * _overshoot,
                where=(_overshoot <= _eta_c * d / _k_bar + _eta_c * (d / _k_bar - 1),),
            ),
            Identity("the bound", VALUE - _K.symbol * _k_bar - _k_bar / _eta_c * _excess - 2 * d),
        ),
        domain=(_eta_c > 0, _k_bar > 0, d >= 1, _k_bar <= d, _steps >= 1, _N >= 0),
        means={_N_i: _mean_N},
        scope="every dimension, every sequence of gradients with bounded l1 norm",
        remainder="thr-traffic's one step, summed over the last interval with lambda >= G_1/k_bar",
    ),
    checked_by=("tests/theory/test_ratio_assignment.py::test_controller_keeps_its_budget",),
)

_x2_kept, _x2_dropped = scalars("weighted_kept weighted_dropped")

THR_ONE_STEP = Theorem(
    id="thr-one-step",
    title="The best supports for one step are hard thresholds with a common weighted level",
    statement=(
        r"\min\sum_i\Omega_i\lVert v_i-v_i|_{S_i}\rVert^2\ \text{s.t.}\ \sum_i\lvert S_i\rvert\le B:\qquad "
        r"\text{keep the }B\text{ largest}\ \Omega_iv_{ij}^2,\quad \lambda_i=\frac\lambda{\sqrt{\Omega_i}}"
    ),
    source=source("3.10"),
    status="derived",
    kind="tight",
    subject=SUBJECT,
    proof=Certificate(
        lines=(
            Sign(
                "exchanging a kept entry for a dropped one adds what was kept and saves what was dropped",
                _x2_kept - _x2_dropped,
                where=(_x2_kept >= _lam, _x2_dropped <= _lam),
            ),
        ),
        scope="every dimension, every number of workers",
        remainder="the objective is additive over entries",
    ),
    tightness="an equality",
    checked_by=("tests/theory/test_ratio_assignment.py::test_one_step_thresholds_are_optimal",),
)

_p, _scale, _k_i, _w, _exp_y, _G1_i, _root_b = scalars("p scale k w exp_y G_1i root")
_y = sympy.Symbol("y", real=True)
_traffic_scale = Parameter(
    "traffic_scale", r"\sum_j\sqrt{c_jG_{1,j}p_j}", POSITIVE, "", "sum over the workers of sqrt(c_j G_1j p_j)"
)
_traffic_budget = Parameter("traffic_budget", "B", POSITIVE, "cost", "budget for the expected traffic of one step")
_U, _B = _traffic_scale.symbol, _traffic_budget.symbol

THR_OPTIMAL = Theorem(
    id="thr-optimal",
    title="The best thresholds under an expected-traffic budget",
    statement=(
        r"\min\sum_ip_i\lambda_i\ \text{s.t.}\ \sum_ic_i\frac{G_{1,i}}{\lambda_i}\le B:\quad "
        r"\lambda_i=\sqrt{\frac{c_iG_{1,i}}{p_i}}\,\frac{\sum_j\sqrt{c_jG_{1,j}p_j}}B;\qquad "
        r"\text{Laplace},\ \min\sum_iw_i\lambda_i^2:\ \lambda_i=b_i\,W\Big(\frac{\nu c_id}{2w_ib_i^2}\Big)"
    ),
    source=source("3.10"),
    status="derived",
    kind="tight",
    subject=SUBJECT,
    parameters=(_traffic_scale, _traffic_budget),
    measure=r"\min\sum_ip_i\lambda_i\ \text{for the traffic model }k_i=G_{1,i}/\lambda_i",
    value=_U**2 / _B,
    proof=Certificate(
        lines=(
            Identity(
                "rigorous traffic, m = 1, stationary: p = nu c G_1/lambda^2 with root = sqrt(c G_1/p), nu = (U/B)^2",
                _p - (_U / _B) ** 2 * c * _G1_i / (_root_b * _U / _B) ** 2,
                (
                    Term(
                        _p / _root_b**2,
                        Hypothesis("the root", _root_b**2 - c * _G1_i / _p, "definition", equality=True),
                    ),
                ),
            ),
            Identity("and its value, as sum p root = sum sqrt(p c G_1) = U", VALUE - _U * _U / _B),
            Identity(
                "Laplace, m = 1, stationary: p = nu c k/b where c k is proportional to p b",
                _p - nu * c * (_p * _scale / (nu * c)) / _scale,
            ),
            Identity(
                (
                    "Laplace, m = 2, stationary: 2 w lambda = nu c d/b exp(-lambda/b), lambda = b y, y exp(y) = nu c "
                    "d/(2 w b^2)"
                ),
                2 * _w * _scale * _y - nu * c * d / _scale / _exp_y,
                (
                    Term(
                        2 * _w * _scale / _exp_y,
                        Hypothesis(
                            "Lambert", _y * _exp_y - nu * c * d / (2 * _w * _scale**2), "definition of W", equality=True
                        ),
                    ),
                ),
            ),
            Sign("the rigorous traffic is convex in the threshold", sympy.diff(c * _G1_i / _lam, _lam, 2), strict=True),
        ),
        domain=(
            _p > 0,
            c > 0,
            _G1_i > 0,
            _scale > 0,
            nu > 0,
            _w > 0,
            _exp_y >= 1,
            d >= 1,
            _lam > 0,
            _root_b > 0,
            _U > 0,
            _B > 0,
        ),
        scope="every number of workers; generalised Gaussian and power law by the same stationarity",
        remainder="all traffic models are convex and decreasing, so stationary points are minima",
    ),
    tightness="an equality",
    checked_by=("tests/theory/test_ratio_assignment.py::test_optimal_thresholds_are_stationary",),
)

THEOREMS = (THR_TRAFFIC, THR_L1_RULE, THR_CONTROLLER, THR_ONE_STEP, THR_OPTIMAL)
