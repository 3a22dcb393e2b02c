"""Step sizes that nobody can exceed, known and measured delays, and what compression is free (dossier 4.10–4.12, 5, 6)."""

from __future__ import annotations

import sympy

from ..assumptions import (
    BOUNDED_BELOW,
    EACH_CONVEX,
    EACH_LIPSCHITZ,
    FRESH,
    KNOWN_PATTERN,
    MEASURED_DELAY,
    NOISE,
    NOISE_FREE,
    OBLIVIOUS,
    QUADRATIC_GROWTH,
    SAME_FUNCTION,
    STORED,
)
from ..certificate import Certificate, Identity, Sign
from ..gram import scalars
from ..special import pattern_noise_factor, pattern_root_step
from ..symbols import NONNEGATIVE, POSITIVE, Parameter, Range, parameter
from ..theorem import BOUND, EPS, INITIAL, RATE, STEP_SIZE, VALUE, K, Theorem
from .bounds import FLOOR, SLOPE, SMOOTHNESS, step_below
from .common import (
    B_0,
    CURVATURE,
    DELAY,
    N_0,
    SUBJECT,
    L,
    L_hat,
    a,
    b,
    gamma,
    mu,
    omega,
    phi,
    source,
    tau,
    tends_to_residual,
)

_T = tau + 1


def _necessary(id: str, title: str, statement: str, limit: sympy.Expr, second_moment: sympy.Expr) -> Theorem:
    return Theorem(
        id=id,
        title=title,
        statement=statement,
        source=source("4.10"),
        status="derived",
        kind="lower",
        subject=SUBJECT,
        assumptions=(FRESH,) if "stored" not in id else (STORED,),
        parameters=(parameter("L"), DELAY, parameter("variance")),
        measure=r"\text{largest step size valid for all delays}\le\tau\ \text{and all unbiased compressors}",
        value=limit,
        proof=Certificate(
            lines=(
                Identity(
                    "second moment after a block of tau + 1 held steps on L x^2/2",
                    (1 - _T * gamma * L) ** 2 + second_moment * gamma**2 * L**2 - 1
                    - _T * gamma * L * (2 * gamma / VALUE - 2),
                ),
                Sign("beyond the limit it grows", _T * gamma * L * (2 * gamma / VALUE - 2), strict=True, where=(gamma > VALUE,)),
            ),
            domain=(L > 0, gamma > 0, tau >= 0, omega >= 0),
            scope="the instance, for every tau and variance",
        ),
        tightness="attained by the hold pattern",
        checked_by=("tests/theory/test_staleness.py::test_necessary_steps_are_attained",),
    )  # fmt: skip


NECESSARY = _necessary(
    "stale-necessary",
    "No step size beyond this is safe with fresh messages",
    r"f=\tfrac L2x^2,\ \tau_k=k\bmod(\tau+1):\qquad \gamma\le\frac2{L(\tau+1+\omega)}",
    2 / (L * (tau + 1 + omega)),
    _T * omega,
)
NECESSARY_STORED = _necessary(
    "stale-necessary-stored",
    "No step size beyond this is safe with stored messages",
    r"f=\tfrac L2x^2,\ \tau_k=k\bmod(\tau+1):\qquad \gamma\le\frac2{L(\tau+1)(1+\omega)}",
    2 / (L * (tau + 1) * (1 + omega)),
    _T**2 * omega,
)

_w2, _m = (parameter(name).symbol for name in ("window_norm", "window_count"))
_root_pattern = pattern_root_step(L_hat, B_0, _w2, _m)
_c_N = pattern_noise_factor(gamma, L_hat, B_0, _w2, _m)

PATTERN_AWARE = Theorem(
    id="stale-pattern-aware",
    title="Known delays allow longer steps",
    statement=(
        r"W_i[k,j]=\mathbf 1\{k-\tau_i^k\le j<k\},\ w^2=\max_i\lVert W_i\rVert_2^2,\ m=\max_{i,j}\sum_kW_i[k,j]:\qquad "
        r"a+b+a\big(\sqrt{w^2a}+\sqrt{mb}\big)^2\le1\ \text{replaces the condition of stale-convex},\ a=\gamma\hat L,\ b=\gamma B_0"
    ),
    source=source("4.11"),
    status="derived",
    kind="upper",
    subject=SUBJECT,
    assumptions=(EACH_CONVEX, FRESH, OBLIVIOUS, NOISE, KNOWN_PATTERN),
    parameters=(
        SMOOTHNESS, SLOPE, FLOOR, parameter("window_norm"), parameter("window_count"), step_below(_root_pattern),
    ),
    defaults={
        "step_size": sympy.Piecewise(
            (1 / (L_hat * (1 + phi * sympy.sqrt(_w2))), sympy.And(B_0 <= 0, N_0 > 0)), (_root_pattern, True)
        )
    },
    goal="objective_gap",
    start="squared_distance",
    measure=r"\tfrac1K\sum_{k<K}\mathbb E\,F(x_k)-F^*\ \text{from}\ \lVert x_0-x^*\rVert^2",
    step_size=gamma,
    bound=INITIAL / (2 * gamma * K) + _c_N / 2 * gamma * N_0,
    iterations=INITIAL / (2 * gamma * (EPS - _c_N / 2 * gamma * N_0)),
    residual=_c_N / 2 * gamma * N_0,
    proof=Certificate(
        lines=(
            Identity("the sum over k < K", 2 * gamma * K * BOUND(K) - INITIAL - K * gamma**2 * _c_N * N_0),
            tends_to_residual(INITIAL / (2 * gamma * K)),
        ),
        domain=(gamma > 0,),
        scope="every dimension, number of workers, weights and known delay pattern",
        remainder="sum over k of window sums <= |W_i|_2^2 L_hat sum |v_j|^2; the noise counts each j at most m times",
    ),
    tightness="hold pattern, tau = 3: 0.357 instead of 0.282; performance estimation / bound 0.90",
)  # fmt: skip

_mean_step = Parameter("mean_step", r"\bar\gamma", POSITIVE, "", "mean of the step sizes used")
_square_step = Parameter("mean_square_step", r"\overline{\gamma^2}", POSITIVE, "", "mean of their squares")
_h = sympy.Symbol("window_budget", real=True)
_budget = Parameter(
    "window_budget", "h", Range(0, 1, lower_open=True, upper_open=True), "", "sum of L_hat gamma over a window"
)
(_kap,) = scalars("kappa_hat")

_largest = Parameter(
    "largest_step", r"\max\gamma_k", Range(0, (1 - _h) ** 2 / B_0, lower_open=True), "", "largest step size used"
)

_WINDOW_RULE = r"\sum_{j=k-\tau_k}^k\gamma_j\le\frac h{\hat L}:\quad "

ADAPTIVE_CONVEX = Theorem(
    id="delay-adaptive-convex",
    title="Steps from measured delays, convex",
    statement=_WINDOW_RULE
    + r"h=1,\ \text{no noise}:\ \sum_{k<K}\gamma_k[F(x_k)-F^*]\le\tfrac12\lVert x_0-x^*\rVert^2;\qquad h<1,\ "
    r"\gamma_k\le\frac{(1-h)^2}{B_0}:\ \sum\gamma_k\mathbb E[F(x_k)-F^*]\le\tfrac12\lVert x_0-x^*\rVert^2+"
    r"\frac{N_0}{2(1-h)}\sum\gamma_k^2",
    source=source("4.12", "principle: Wu, Magnússon, Feyzmahdavian, Johansson (2022); statements derived"),
    status="derived",
    kind="upper",
    subject=SUBJECT,
    assumptions=(EACH_CONVEX, FRESH, OBLIVIOUS, NOISE, MEASURED_DELAY),
    parameters=(SMOOTHNESS, SLOPE, FLOOR, _mean_step, _square_step, _budget, _largest),
    goal="objective_gap",
    start="squared_distance",
    measure=r"\sum\gamma_k\mathbb E[F(x_k)-F^*]/\sum\gamma_k\ \text{from}\ \lVert x_0-x^*\rVert^2",
    bound=(INITIAL / (2 * K) + N_0 * _square_step.symbol / (2 * (1 - _h))) / _mean_step.symbol,
    iterations=INITIAL / (2 * (EPS * _mean_step.symbol - N_0 * _square_step.symbol / (2 * (1 - _h)))),
    residual=N_0 * _square_step.symbol / (2 * (1 - _h)) / _mean_step.symbol,
    proof=Certificate(
        lines=(
            Sign(
                "no noise, h = 1: -1 + s + (1 - s) <= 0 for s = L_hat gamma_j, and in general -1 + s + h(h - s) <= 0",
                1 - a - _h * (_h - a),
                where=(a >= 0, a <= _h, _h <= 1),
            ),
            Sign(
                "noise: with 1 + c = 1/h the coefficient is at most -1 + h + gamma_j B_0/(1 - h)",
                1 - _h - b / (1 - _h),
                where=(b <= (1 - _h) ** 2, _h < 1),
            ),
            Sign(
                "noise floor per step: 1 + (1 + 1/c)(h - s) <= 1/(1 - h), as 1 + 1/c = 1/(1 - h)",
                1 / (1 - _h) - 1 - (_h - a) / (1 - _h),
                where=(a >= 0, a <= _h, _h < 1),
            ),
            Identity(
                "the sum over k < K",
                2 * K * _mean_step.symbol * BOUND(K) - INITIAL - K * N_0 * _square_step.symbol / (1 - _h),
            ),
            tends_to_residual(INITIAL / (2 * K * _mean_step.symbol)),
        ),
        domain=(_h > 0,),
        scope="every dimension, number of workers and sequence of delays, no bound on them",
        remainder="stale-onestep with step gamma_k; weights of the window telescoped over those k whose window contains j",
    ),
    tightness="performance estimation / bound 0.87 to 0.95 on random delay sequences",
)

_h_sc = (sympy.sqrt(4 * (L_hat / mu) ** 2 + 1) - 1) / (2 * L_hat / mu)

ADAPTIVE_SC = Theorem(
    id="delay-adaptive-sc",
    title="Steps from measured delays under quadratic growth",
    statement=_WINDOW_RULE + r"h=\frac{\sqrt{4\hat\kappa^2+1}-1}{2\hat\kappa},\ \text{no noise}:\qquad "
    r"\lVert x_K-x^*\rVert^2\le\prod_{k<K}(1-\mu\gamma_k)\,\lVert x_0-x^*\rVert^2",
    source=source("4.12", "principle: Wu, Magnússon, Feyzmahdavian, Johansson (2022); statements derived"),
    status="derived",
    kind="upper",
    subject=SUBJECT,
    assumptions=(EACH_CONVEX, QUADRATIC_GROWTH, NOISE_FREE, MEASURED_DELAY),
    parameters=(SMOOTHNESS, CURVATURE, parameter("step_size", Range(0, _h_sc / L_hat, lower_open=True))),
    goal="squared_distance",
    measure=r"\lVert x_K-x^*\rVert^2",
    step_size=gamma,
    rate=1 - gamma * mu,
    value=_h_sc,
    proof=Certificate(
        lines=(
            Sign(
                "coefficient: -1 + s + E h (h - s) <= 0, E = 1/(1 - h/kappa), for h^2 + h/kappa <= 1",
                1 - a - _h * (_h - a) / (1 - _h / _kap),
                where=(a >= 0, a <= _h, _h > 0, _h < 1, _kap >= 1, _h**2 + _h / _kap <= 1),
            ),
            Identity("the budget is the root of h^2 + h/kappa = 1", VALUE**2 + VALUE * mu / L_hat - 1),
            Identity("the rate", RATE - (1 - gamma * mu)),
        ),
        scope="every dimension, number of workers and sequence of delays, no bound on them",
        remainder="as delay-adaptive-convex, with weights prod (1 - mu gamma_l)^(-1)",
    ),
)

ADAPTIVE_NONCONVEX = Theorem(
    id="delay-adaptive-nonconvex",
    title="Steps from measured delays, non-convex",
    statement=_WINDOW_RULE
    + r"\hat L\to\ell,\ h=1:\qquad \sum_{k<K}\gamma_k\lVert\nabla F(x_k)\rVert^2\le2(F(x_0)-F_{\inf})",
    source=source("4.12", "principle: Wu, Magnússon, Feyzmahdavian, Johansson (2022); statements derived"),
    status="derived",
    kind="upper",
    subject=SUBJECT,
    assumptions=(EACH_LIPSCHITZ, BOUNDED_BELOW, NOISE_FREE, MEASURED_DELAY),
    parameters=(parameter("L_stale"), _mean_step),
    goal="squared_gradient",
    start="objective_gap",
    measure=r"\sum\gamma_k\lVert\nabla F(x_k)\rVert^2/\sum\gamma_k\ \text{from}\ F(x_0)-F_{\inf}",
    bound=2 * INITIAL / (_mean_step.symbol * K),
    iterations=2 * INITIAL / (_mean_step.symbol * EPS),
    proof=Certificate(
        lines=(
            Sign(
                "coefficient: -1 + L gamma_j + h(h - ell gamma_j) <= 0 at h = 1, L <= ell",
                1 - b - _h * (_h - a),
                where=(b >= 0, b <= a, a <= _h, _h <= 1, _h > 0),
            ),
            Identity("the sum over k < K", K * _mean_step.symbol * BOUND(K) - 2 * INITIAL),
        ),
        scope="every dimension, number of workers and sequence of delays, no bound on them",
        remainder="as delay-adaptive-convex",
    ),
)

_n, _K_total, _acc, _late = scalars("workers K_total accepted late")

DELAY_FILTER = Theorem(
    id="delay-filter",
    title="Dropping late messages makes the largest delay irrelevant",
    statement=(
        r"\gamma_k=\frac1{2nL}\ \text{if}\ \tau_k\le2n-1,\ \text{else }0:\qquad "
        r"\frac1{\#\mathrm{acc}}\sum_{k\ \mathrm{acc}}F(x_k)-F^*\le\frac{2nL\lVert x_0-x^*\rVert^2}K"
    ),
    source=source("4.12", "same message by other means: Koloskova et al. (2022), Mishchenko et al. (2022)"),
    status="derived",
    kind="upper",
    subject=SUBJECT,
    assumptions=(EACH_CONVEX, NOISE_FREE, SAME_FUNCTION, MEASURED_DELAY),
    parameters=(parameter("L"), parameter("workers")),
    goal="objective_gap",
    start="squared_distance",
    measure=r"\text{mean over accepted steps of}\ F(x_k)-F^*\ \text{from}\ \lVert x_0-x^*\rVert^2",
    step_size=1 / (2 * _n * L),
    bound=2 * _n * L * INITIAL / K,
    iterations=2 * _n * L * INITIAL / EPS,
    proof=Certificate(
        lines=(
            Sign(
                "more than half is accepted: late (2n + 1) <= nK by delay-budget",
                _K_total - _late - _K_total / 2,
                strict=True,
                where=(_late * (2 * _n + 1) <= _n * _K_total,),
            ),
            Sign(
                "the bound: R^2/(2 gamma accepted) < 2nL R^2/K",
                2 * _n * L / _K_total - _n * L / _acc,
                where=(2 * _acc >= _K_total, _acc > 0),
            ),
            Identity("the formula", BOUND(K) * K * STEP_SIZE - INITIAL),
        ),
        domain=(_n >= 1, _K_total >= 1, L > 0),
        scope="every number of workers with the same f, every sequence of compute times",
        remainder="delay-budget and delay-adaptive-convex with h = 1",
    ),
    pitfall="with different f_i slow workers would be censored",
)

DELAY_BUDGET = Theorem(
    id="delay-budget",
    title="The mean delay of n asynchronous workers is at most n - 1",
    statement=r"\sum_{k<K}(\tau_k+1)\le nK",
    source=source("6.1", "folklore"),
    status="published",
    kind="tight",
    subject=SUBJECT,
    parameters=(parameter("workers"),),
    measure=r"\tfrac1K\sum_{k<K}\tau_k",
    value=_n - 1,
    no_certificate="a counting argument over disjoint intervals; checked on every simulated and recorded trace",
    tightness="n - 1 is the mean delay in the limit",
    checked_by=("tests/theory/test_staleness.py::test_delay_budget",),
)

_A0, _B1, _d, _h0, _beta_b, _kk = scalars("base_complexity noise_complexity d header entry_bits k")
_COMPLEXITY = (
    Parameter("base_complexity", "A_0", POSITIVE, "", "1/(gamma mu) = (A_0 + B_1 omega)/mu"),
    Parameter("noise_complexity", "B_1", POSITIVE, "", "1/(gamma mu) = (A_0 + B_1 omega)/mu"),
)

FREE_COMPRESSION = Theorem(
    id="tradeoff-free-compression",
    title="How much compression staleness makes free",
    statement=(
        r"\frac1{\gamma\mu}=\frac1\mu[A_0+B_1\omega]:\qquad \omega\le\omega_{\rm free}=\frac{A_0}{B_1}\ "
        r"\text{at most doubles the iterations},\quad A_0=\hat L(1+\phi\tau)+\tfrac34\mu\tau,\ B_1=(1+\theta)\Lambda"
    ),
    source=source("5.2"),
    status="derived",
    kind="lemma",
    subject=SUBJECT,
    parameters=_COMPLEXITY,
    measure=r"\omega_{\rm free}",
    value=_A0 / _B1,
    proof=Certificate(
        lines=(
            Sign("at most twice the iterations", 2 * _A0 - (_A0 + _B1 * omega), where=(omega * _B1 <= _A0,)),
            Identity("the limit", VALUE * _B1 - _A0),
        ),
        domain=(_A0 > 0, _B1 > 0),
    ),
)

_bits_k = (_A0 - _B1 + _B1 * _d / _kk) * (_h0 + _beta_b * _kk)
_k_star = sympy.Piecewise(
    (_d, _A0 <= _B1),
    (sympy.Min(_d, sympy.Max(1, sympy.sqrt(_h0 * _B1 * _d / (_beta_b * (_A0 - _B1))))), True),
)

OPTIMAL_ACCURACY = Theorem(
    id="optimal-accuracy",
    title="The number of entries that needs the fewest bits",
    statement=(
        r"\mathrm{Bits}(k)\propto\Big(A_0-B_1+\frac{B_1d}k\Big)(h_0+\beta_bk):\qquad "
        r"k^\star=\operatorname{clip}_{[1,d]}\sqrt{\frac{h_0B_1d}{\beta_b(A_0-B_1)}}\ (A_0>B_1),\quad d\ (A_0\le B_1)"
    ),
    source=source("5.3"),
    status="derived",
    kind="tight",
    subject=SUBJECT,
    parameters=(
        *_COMPLEXITY, parameter("d"), Parameter("header", "h_0", NONNEGATIVE, "bits", "bits of an empty message"),
        Parameter("entry_bits", r"\beta_b", POSITIVE, "bits", "bits of one more entry"),
    ),
    measure=r"k^\star",
    value=_k_star,
    proof=Certificate(
        lines=(
            Sign("convex in k", sympy.diff(_bits_k, _kk, 2), where=(_A0 > _B1,)),
            Identity(
                "stationary point", sympy.diff(_bits_k, _kk) * _kk**2 - ((_A0 - _B1) * _beta_b * _kk**2 - _B1 * _d * _h0)
            ),
            Sign(
                "A_0 <= B_1: bits do not increase in k up to d",
                -sympy.diff(_bits_k, _kk),
                where=(_A0 <= _B1, _kk <= _d),
            ),
            Identity("the formula", VALUE - _k_star),
        ),
        domain=(_A0 > 0, _B1 > 0, _d >= 1, _h0 >= 0, _beta_b > 0, _kk > 0),
    ),
    tightness="brute force agrees",
)  # fmt: skip

_R0, _steps_total = scalars("R_0 K_total")
_slope_formula = _R0 / ((_steps_total - 1) * gamma + 1 / L)

TIGHT_HUBER = Theorem(
    id="tight-huber",
    title="The dependence on K and the step size cannot be improved",
    statement=(
        r"\text{Huber function of slope}\ s=\frac{R_0}{(K-1)\gamma+1/L}:\qquad "
        r"\frac1K\sum_{k<K}F(x_k)-F^*=\frac{R_0^2}{2((K-1)\gamma+1/L)}\ \text{for every delay pattern}"
    ),
    source=source("4.2"),
    status="derived",
    kind="lower",
    subject=SUBJECT,
    parameters=(parameter("L"), parameter("step_size", Range(0, 1 / L, lower_open=True))),
    goal="objective_gap",
    start="squared_distance",
    measure=r"\tfrac1K\sum_{k<K}F(x_k)-F^*\ \text{from}\ \lVert x_0-x^*\rVert^2",
    bound=INITIAL / (2 * ((K - 1) * gamma + 1 / L)),
    proof=Certificate(
        lines=(
            Identity(
                "the last point that is used lies at the end of the linear part: R_0 - (K - 1) gamma s = s/L",
                _R0 - (_steps_total - 1) * gamma * _slope_formula - _slope_formula / L,
            ),
            Identity(
                "the average gap of s x - s^2/(2L) over x_k = R_0 - k gamma s",
                _slope_formula * (_R0 - (_steps_total - 1) / 2 * gamma * _slope_formula)
                - _slope_formula**2 / (2 * L)
                - _R0**2 / (2 * ((_steps_total - 1) * gamma + 1 / L)),
            ),
            Identity("the formula", BOUND(K) * 2 * ((K - 1) * gamma + 1 / L) - INITIAL),
        ),
        domain=(L > 0, gamma > 0, _steps_total >= 1),
        scope="every delay pattern, every K, every step up to 1/L",
    ),
    tightness="an equality",
)

THEOREMS = (
    TIGHT_HUBER, NECESSARY, NECESSARY_STORED, PATTERN_AWARE, ADAPTIVE_CONVEX, ADAPTIVE_SC, ADAPTIVE_NONCONVEX,
    DELAY_FILTER, DELAY_BUDGET, FREE_COMPRESSION, OPTIMAL_ACCURACY,
)  # fmt: skip
