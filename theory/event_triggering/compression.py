"""Events together with compression (dossier 4.7)."""

from __future__ import annotations

import sympy

from ..assumptions import (
    AVERAGE_PRESERVING,
    BOUNDED_GRADIENTS,
    CONNECTED,
    CONTRACTIVE,
    DAMPED,
    SYMMETRIC_MIXING,
)
from ..certificate import Certificate, Identity, Sign
from ..gram import scalars
from ..symbols import Range, parameter
from ..theorem import VALUE, Theorem
from .common import GRADIENT_BOUND, MOVEMENT, SUBJECT, B, beta, c, gamma, source

_delta, _m, _G = parameter("delta").symbol, MOVEMENT.symbol, GRADIENT_BOUND.symbol
_s, _U, _u = scalars("s U u")
_residual_factor = sympy.sqrt(1 - _delta)

COMPRESSED_STALENESS = Theorem(
    id="compressed-staleness",
    title="How far a copy is from its original when events are compressed",
    statement=(
        r"\lVert x-\hat x\rVert\ge c:\ \hat x\leftarrow\hat x+C(x-\hat x),\ s=\sqrt{1-\delta}:\qquad "
        r"\lVert x^k-\hat x^k\rVert\le\max\Big\{c,\frac{sm}{1-s}\Big\}"
    ),
    source=source("4.7"),
    status="derived",
    kind="upper",
    subject=SUBJECT,
    assumptions=(CONTRACTIVE,),
    parameters=(parameter("trigger_threshold"), parameter("delta"), MOVEMENT),
    measure=r"\lVert x^k-\hat x^k\rVert\ \text{after the check}",
    value=sympy.Max(c, _residual_factor * _m / (1 - _residual_factor)),
    proof=Certificate(
        lines=(
            Sign("an event: s (U + m) <= U", _U - _s * (_u + _m), where=(_u <= _U, _U * (1 - _s) >= _s * _m)),
            Sign("no event: below the threshold", _U - _u, where=(_u <= c, c <= _U)),
            Identity("the bound", VALUE - sympy.Max(c, _residual_factor * _m / (1 - _residual_factor))),
        ),
        domain=(_s >= 0, _s < 1, _m >= 0, _u >= 0, _U >= 0, c >= 0),
        scope="every dimension, every deterministic contractive compressor",
        remainder="u after a step of at most m is at most u + m",
    ),
    tightness="smallest slack seen .0005",
    pitfall="right after a compressed event the copy may still be farther than the threshold",
)

_eta = sympy.Symbol("eta", real=True)
_det = _eta * (beta * (1 - _s) - _eta * _s * B * (B + beta))
_damping = sympy.Min(
    1 / B,
    sympy.Piecewise(
        (1 / B, _delta >= 1), (beta * (1 - _residual_factor) / (2 * _residual_factor * B * (B + beta)), True)
    ),
)
_value = 2 * B * c / (beta * (1 - _residual_factor)) + gamma * _G * (
    2 / (_damping * beta) + 2 * B * _residual_factor / (beta * (1 - _residual_factor))
)

CHOCO_EVENT = Theorem(
    id="choco-event",
    title="Events, compression and an exact average together",
    statement=(
        r"\eta=\min\Big\{\frac1B,\frac{\beta(1-s)}{2sB(B+\beta)}\Big\}:\quad "
        r"\sqrt{V_k}\le\frac{2Bc}{\beta(1-s)}+\gamma G\Big(\frac2{\eta\beta}+"
        r"\frac{2Bs}{\beta(1-s)}\Big),\qquad \frac1K\sum_{k<K}\mathbb E\lVert\nabla F(\bar "
        r"x^k)\rVert^2\le\frac{2\Delta_F}{\gamma K}+\frac{L\gamma\sigma^2}n+L^2V"
    ),
    source=source("4.7", "algorithm: Koloskova, Stich, Jaggi (2019), Singh et al. (2020); statement derived"),
    status="derived",
    kind="upper",
    subject=SUBJECT,
    assumptions=(AVERAGE_PRESERVING, SYMMETRIC_MIXING, CONNECTED, CONTRACTIVE, BOUNDED_GRADIENTS, DAMPED),
    parameters=(
        parameter("trigger_threshold"), parameter("delta"), parameter("step_size"), GRADIENT_BOUND,
        parameter("mixing_strength"), parameter("mixing_gap", Range(0, B, lower_open=True)),
    ),
    measure=r"\sqrt{V_k}",
    value=_value,
    proof=Certificate(
        lines=(
            Identity(
                "the determinant of I - M, M = ((1 - eta beta, eta B s), (eta B, (1 + eta B) s))",
                _eta * beta * (1 - (1 + _eta * B) * _s) - _eta * B * _s * _eta * B - _det,
            ),
            Sign("which is at least half of its limit", _det - _eta * beta * (1 - _s) / 2),
            Identity(
                "threshold input (eta B, 1 + eta B): first component times the determinant",
                (1 - (1 + _eta * B) * _s) * _eta * B + _eta * B * _s * (1 + _eta * B) - _eta * B,
            ),
            Sign("at most 2B/(beta (1 - s))", 2 * B / (beta * (1 - _s)) - _eta * B / _det),
            Sign(
                "gradients, disagreeing part: at most 2/(eta beta)",
                2 / (_eta * beta) - (1 - _s - _eta * B * _s) / _det,
            ),
            Sign(
                "gradients, whole: at most 2 B s/(beta (1 - s))",
                2 * B * _s / (beta * (1 - _s)) - _eta * B * _s / _det,
            ),
            Identity("the bound", VALUE - _value),
        ),
        domain=(
            _s >= 0, _s < 1, B > 0, beta > 0, beta <= B, _eta > 0, _eta * B <= 1,
            2 * _eta * _s * B * (B + beta) <= beta * (1 - _s),
        ),
        scope="every number of workers, every symmetric W, random compressors included",
        remainder="(r, u) <= (I - M)^(-1) input, as M is non-negative; then ev-nonconvex",
    ),
    tightness="smallest slacks seen .55 (disagreement) and .87 (gradient)",
    pitfall="sender and receivers must apply the same message; undamped mixing can be unstable",
)  # fmt: skip

THEOREMS = (COMPRESSED_STALENESS, CHOCO_EVENT)
