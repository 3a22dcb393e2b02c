"""How many messages there are (dossier 4.6)."""

from __future__ import annotations

from ..assumptions import (
    AVERAGE_PRESERVING,
    BOUNDED_GRADIENTS,
    CONNECTED,
    DAMPED,
    EXACT_GRADIENT,
    IDENTICAL_WORKERS,
    PUBLISHED_UPDATE,
    SYMMETRIC_MIXING,
)
from ..certificate import Certificate, Identity, Sign
from ..gram import scalars
from ..symbols import POSITIVE, Parameter, Range, parameter
from ..theorem import VALUE, Theorem
from .ages import DAMPED_FACTS, PATH_CONSTANT, G, damped_lines
from .common import GRADIENT_BOUND, HOLD, SUBJECT, c, gamma, source, w

_PATH = Parameter("path", r"\sum_{k<K}\lVert x^{k+1}-x^k\rVert", POSITIVE, "", "length of the path of the iterates")
_path = _PATH.symbol
_events, _moved, _sum = scalars("events moved sum_of_thresholds")

COUNT_PATH = Theorem(
    id="count-path",
    title="The path pays for the events",
    statement=(
        r"\sum_{e\le N}c_{k_e}\le\sum_{k<K}\lVert x^{k+1}-x^k\rVert;\qquad "
        r"c\ \text{constant}:\ N\le\frac1c\sum_{k<K}\lVert x^{k+1}-x^k\rVert"
    ),
    source=source("4.6"),
    status="derived",
    kind="tight",
    subject=SUBJECT,
    parameters=(_PATH, parameter("trigger_threshold", Range(0, lower_open=True))),
    measure=r"N(K)",
    value=_path / c,
    proof=Certificate(
        lines=(
            Sign("constant threshold", VALUE - _events, where=(_events * c <= _path,)),
            Sign(
                "between two events the path is at least the threshold", _moved - c, where=(_moved >= _sum, _sum >= c)
            ),
            Identity("the count", VALUE * c - _path),
        ),
        domain=(c > 0, _path > 0, _events >= 0),
        scope="every path, every dimension",
        remainder="triangle inequality along the path between two events",
    ),
    tightness="attained by straight paths",
    pitfall="in closed loop the path contains the mixing, which is itself of the order of the threshold",
)

GUARANTEED_SAVING = Theorem(
    id="guaranteed-saving",
    title="All but one message in m can be saved, at a stated price",
    statement=(
        r"\eta=\frac1{2mB\sqrt n(1+B/\beta)},\ c=2m\gamma G\Big(1+\frac{B\sqrt n}\beta\Big):\quad N(K)\le\frac "
        r"Km,\qquad "
        r"\sup_k\sqrt{V_k}\le m\gamma GC_W,\ C_W=\frac{2B}\beta\Big(1+\sqrt n+\frac{2B\sqrt n}\beta\Big)"
    ),
    source=source("4.6"),
    status="derived",
    kind="upper",
    subject=SUBJECT,
    assumptions=(AVERAGE_PRESERVING, SYMMETRIC_MIXING, CONNECTED, BOUNDED_GRADIENTS, DAMPED),
    parameters=(
        HOLD, parameter("step_size"), GRADIENT_BOUND, parameter("mixing_strength"), parameter("mixing_gap"),
        parameter("workers"),
    ),
    measure=r"\sup_k\sqrt{V_k}",
    value=HOLD.symbol * gamma * G * PATH_CONSTANT,
    proof=Certificate(
        lines=damped_lines(VALUE, HOLD.symbol),
        domain=DAMPED_FACTS,
        scope="every number of workers, every symmetric W",
        remainder="so at least m iterations pass between two events; ev-nonconvex with this V",
    ),
    tightness="gaps between events of 4.8 m and more observed; the form is what matters",
)  # fmt: skip

_CURVATURE = Parameter("eigenvalue", "h_u", POSITIVE, "", "eigenvalue of the Hessian")
_h = _CURVATURE.symbol
_factor = (1 - w) / (1 - w + gamma * _h)
_y, _hat, _power = scalars("y copy power")

PULLBACK_CAP = Theorem(
    id="pullback-cap",
    title="With identical workers the published update saves at most the share of its self-weight",
    statement=(
        r"N\text{ events}:\quad \lvert\langle u,x^k-x^*\rangle\rvert\ge\Big(\frac{1-w}{1-w+\gamma "
        r"h_u}\Big)^{N+1}\lvert\langle u,x^0-x^*\rangle\rvert,\qquad "
        r"N\ge(1-w)(N_{\rm sync}-1)-1"
    ),
    source=source("4.6"),
    status="derived",
    kind="lower",
    subject=SUBJECT,
    assumptions=(PUBLISHED_UPDATE, IDENTICAL_WORKERS, EXACT_GRADIENT),
    parameters=(
        parameter("self_weight", Range(0, 1, lower_open=True, upper_open=True)), _CURVATURE,
        parameter("step_size", Range(0, w / _h, lower_open=True)),
    ),
    measure=r"\text{smallest factor of a component between two events}",
    value=_factor,
    proof=Certificate(
        lines=(
            Identity(
                "a hold: y_j = copy (phi + p_j (1 - phi)), p_j = (w - gamma h)^j",
                (w - gamma * _h) * _hat * (VALUE + _power * (1 - VALUE))
                + (1 - w) * _hat
                - _hat * (VALUE + (w - gamma * _h) * _power * (1 - VALUE)),
            ),
            Sign("never below phi copy", _power * (1 - VALUE), where=(_power >= 0,)),
            Sign("the powers stay non-negative", w - gamma * _h),
        ),
        domain=(w > 0, w < 1, gamma > 0, _h > 0, gamma * _h <= w),
        scope="every trigger, every number of identical workers",
        remainder="the product over N + 1 holds",
    ),
    tightness="best of 60 triggers: 463 rounds where the bound says 463 (w = 1/3, gamma h = .01, a factor of 1000)",
    pitfall="savings beyond the self-weight at equal loss need noise, heterogeneity or another update",
    checked_by=("tests/theory/test_event_triggering.py::test_the_pullback_caps_the_saving",),
)  # fmt: skip

THEOREMS = (COUNT_PATH, GUARANTEED_SAVING, PULLBACK_CAP)
