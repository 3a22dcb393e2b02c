"""What the published trigger does and does not do (dossier 4.5)."""

from __future__ import annotations

import sympy

from ..assumptions import EACH_STRONGLY_CONVEX, EXACT_GRADIENT, IDENTICAL_WORKERS, PUBLISHED_UPDATE, SYMMETRIC_MIXING
from ..certificate import Certificate, Hypothesis, Identity, Sign, Square, Term
from ..gram import inner, scalars, square, vectors
from ..symbols import NONNEGATIVE, Parameter, Range, parameter
from ..theorem import RATE, VALUE, Theorem
from .common import (
    CURVATURE,
    POSITIVE_FACTS,
    SUBJECT,
    L,
    gamma,
    lambda_n,
    mu,
    source,
    step_up_to,
    w,
)

_x, _a, _z, _x_inf = vectors("x a z x_inf")
_ERROR = Parameter("error", "Q", Range(0, lower_open=True), "", "distance from the minimiser at which the run stays")
_Q = _ERROR.symbol
_u = vectors("u")[0]

NORM_DIFF_UNSAFE = Theorem(
    id="norm-diff-unsafe",
    title="The difference of norms bounds nothing",
    statement=(
        r"f_i(x)=\tfrac12\lVert x-z\rVert^2,\ \gamma=w:\quad x^+=(1-w)\hat x+wz\ \text{for every }x,\qquad \lVert "
        r"x_\infty\rVert=\lVert\hat x\rVert,\ "
        r"\lVert x_\infty-z\rVert=Q,\ \lVert x_\infty-\hat x\rVert=\frac w{1-w}Q,\ \text{and no event ever}"
    ),
    source=source("4.5"),
    status="derived",
    kind="lower",
    subject=SUBJECT,
    assumptions=(PUBLISHED_UPDATE, IDENTICAL_WORKERS, EXACT_GRADIENT),
    parameters=(parameter("self_weight", Range(0, 1, lower_open=True, upper_open=True)), _ERROR),
    measure=r"\lVert x_i^k-\hat x_i\rVert\ \text{that the trigger does not see}",
    value=w * _Q / (1 - w),
    proof=Certificate(
        lines=(
            Identity(
                "with step w the iterate forgets itself: <u, w x + (1 - w) a - w (x - z)>",
                inner(_u, w * _x + (1 - w) * _a - w * (_x - _z)) - inner(_u, (1 - w) * _a + w * _z),
            ),
            Identity(
                "z = (x_inf - (1 - w) a)/w makes x_inf the point reached",
                inner(_u, (1 - w) * _a + w * (_x_inf - (1 - w) * _a) / w - _x_inf),
            ),
            Identity(
                "its error: x_inf - z = (1 - w)/w (a - x_inf)",
                inner(_u, _x_inf - (_x_inf - (1 - w) * _a) / w - (1 - w) / w * (_a - _x_inf)),
            ),
            Identity("the distance", VALUE * (1 - w) / w - _Q),
        ),
        domain=(w > 0, w < 1),
        scope="every dimension, every positive threshold rule, every number of forced messages",
        remainder="any two vectors of equal norm serve as a and x_inf; the forced phase is the exact gradient method",
    ),
    tightness="an exact counterexample: the copy is 1, the parameters are -1, the optimum is -5",
    checked_by=("tests/theory/test_event_triggering.py::test_the_norm_trigger_falls_silent",),
)

_y = vectors("y")[0]
_nx, _ny, _c1, _c2, _H, _move = scalars("norm_x norm_y c_1 c_2 H movement")

NORM_DIFF_REPAIR = Theorem(
    id="norm-diff-repair",
    title="Norms and angle together are safe",
    statement=(
        r"\lVert x-\hat x\rVert^2=(\lVert x\rVert-\lVert\hat x\rVert)^2+2\lVert x\rVert\lVert\hat "
        r"x\rVert(1-\cos\phi):\quad "
        r"\lvert\lVert x\rVert-\lVert\hat x\rVert\rvert<c,\ 2\lVert x\rVert\lVert\hat "
        r"x\rVert(1-\cos\phi)<c'^2\ \Rightarrow\ \lVert x-\hat x\rVert^2<c^2+c'^2"
    ),
    source=source("4.5"),
    status="derived",
    kind="tight",
    subject=SUBJECT,
    parameters=(
        Parameter("norm_threshold", "c", NONNEGATIVE, "", "threshold for the difference of norms"),
        Parameter("angle_threshold", "c'", NONNEGATIVE, "", "threshold for the part that the angle causes"),
    ),
    measure=r"\lVert x-\hat x\rVert^2",
    value=sympy.Symbol("norm_threshold", real=True) ** 2 + sympy.Symbol("angle_threshold", real=True) ** 2,
    proof=Certificate(
        lines=(
            Identity(
                "law of cosines",
                square(_x - _y) - (_nx - _ny) ** 2 - 2 * (_nx * _ny - inner(_x, _y)),
                (
                    Term(sympy.S.One, Hypothesis("norm of x", square(_x) - _nx**2, "definition", equality=True)),
                    Term(sympy.S.One, Hypothesis("norm of y", square(_y) - _ny**2, "definition", equality=True)),
                ),
            ),
            Sign(
                "both tests together",
                _c1**2 + _c2**2 - (_nx - _ny) ** 2 - _H,
                where=((_nx - _ny) ** 2 <= _c1**2, _c2**2 >= _H),
            ),
            Identity(
                "the bound",
                VALUE
                - sympy.Symbol("norm_threshold", real=True) ** 2
                - sympy.Symbol("angle_threshold", real=True) ** 2,
            ),
        ),
        domain=(_nx >= 0, _ny >= 0),
    ),
    tightness="an identity",
)

_m = sympy.Symbol("m", real=True)

HORIZON_LOCKOUT = Theorem(
    id="horizon-lockout",
    title="A growing threshold silences a steadily drifting norm for ever",
    statement=(
        r"\text{norm drifting by }s\text{ per pass, threshold}\ h^ms:\quad \text{no event ever "
        r"iff}\ h>\max_mm^{1/m}=3^{1/3}"
    ),
    source=source("4.5"),
    status="derived",
    kind="tight",
    subject=SUBJECT,
    measure=r"\text{largest }h\text{ with an event}",
    value=sympy.Integer(3) ** sympy.Rational(1, 3),
    proof=Certificate(
        lines=(
            Identity("the limit: h^3 = 3", VALUE**3 - 3),
            Sign("m = 1: 1 < 3", sympy.Integer(3) - 1, strict=True),
            Sign("m = 2: 2^3 < 3^2", sympy.Integer(9) - 8, strict=True),
            Sign("m >= 3: m^3 <= 3^m, as (m + 1)^3 <= 3 m^3", 3 * _m**3 - (_m + 1) ** 3, where=(_m >= 3,)),
        ),
        scope="every drift",
        remainder="an event at pass m needs m s >= h^m s, that is h <= m^(1/m)",
    ),
    tightness="h = 1.4420: an event every third pass; h = 1.4423: none",
    checked_by=("tests/theory/test_event_triggering.py::test_the_horizon_locks_out",),
)

ADAPTIVE_INVARIANCE = Theorem(
    id="adaptive-invariance",
    title="The adaptive rule is scale-free",
    statement=(
        r"\text{event pattern of}\ S_k=\text{event pattern of}\ \alpha S_k+\beta_0,\ \alpha\ne0\quad\text{(after "
        r"the forced passes)}"
    ),
    source=source("4.5"),
    status="derived",
    kind="lemma",
    subject=SUBJECT,
    no_certificate="the rule is a program; slopes and thresholds scale by |alpha|, tested on random norm sequences",
    pitfall="a saving of 50 to 70 % is what the rule yields on random walks of any origin",
    checked_by=("tests/theory/test_event_triggering.py::test_the_adaptive_rule_is_scale_free",),
)

_g, _E = vectors("grad_Phi E")
_Phi, _Phi_next, _Phi_star, _L_phi = scalars("Phi Phi_next Phi_star L_Phi")
_REL = Parameter(
    "relative_threshold", r"\vartheta", Range(0, 1, upper_open=True), "", "error of the copies / gradient step"
)
_v = _REL.symbol

RELATIVE_THRESHOLD = Theorem(
    id="relative-threshold",
    title="Thresholds proportional to the current step leave no residual",
    statement=(
        r"\lVert E^k\rVert\le\vartheta\gamma\lVert\nabla\Phi(X^k)\rVert,\ \gamma\le\frac{\lambda_n}L:\qquad "
        r"\Phi(X^k)-\Phi(X_\gamma^*)\le(1-\gamma\mu(1-\vartheta^2))^k(\Phi(X^0)-\Phi(X_\gamma^*))"
    ),
    source=source("4.5"),
    status="derived",
    kind="upper",
    subject=SUBJECT,
    assumptions=(PUBLISHED_UPDATE, SYMMETRIC_MIXING, EACH_STRONGLY_CONVEX, EXACT_GRADIENT),
    parameters=(
        parameter("L"), CURVATURE, parameter("lambda_n", Range(0, 1, lower_open=True)), step_up_to(lambda_n / L), _REL,
    ),
    defaults={"step_size": lambda_n / L},
    goal="potential",
    measure=r"\Phi(X^k)-\Phi(X_\gamma^*)",
    step_size=gamma,
    rate=1 - gamma * mu * (1 - _v**2),
    proof=Certificate(
        lines=(
            Identity(
                "one step of Phi",
                RATE * (_Phi - _Phi_star) - (_Phi_next - _Phi_star),
                (
                    Term(
                        sympy.S.One,
                        Hypothesis(
                            "smoothness of Phi",
                            _Phi
                            - inner(_g, gamma * _g - _E)
                            + _L_phi / 2 * square(gamma * _g - _E)
                            - _Phi_next,
                            "each_lipschitz",
                        ),
                    ),
                    Term(
                        1 / (2 * gamma),
                        Hypothesis("relative error", _v**2 * gamma**2 * square(_g) - square(_E), "relative threshold"),
                    ),
                    Term(
                        gamma / 2 * (1 - _v**2),
                        Hypothesis("PL for Phi", square(_g) - 2 * mu * (_Phi - _Phi_star), "each_strongly_convex"),
                    ),
                ),
                (Square(1 / (2 * gamma) - _L_phi / 2, gamma * _g - _E),),
            ),
            Sign(
                "gamma L_Phi = gamma L + 1 - lambda_n <= 1",
                1 - (gamma * L + 1 - lambda_n),
                where=(gamma * L <= lambda_n,),
            ),
        ),
        domain=(*POSITIVE_FACTS, _v >= 0, _v < 1, gamma * _L_phi <= 1),
        scope="every number of workers; identical workers with their own f in place of Phi",
    ),
    tightness="the limit of the relative threshold is sharp: at 1 the copy may stop the iterate",
)  # fmt: skip

THEOREMS = (NORM_DIFF_UNSAFE, NORM_DIFF_REPAIR, HORIZON_LOCKOUT, ADAPTIVE_INVARIANCE, RELATIVE_THRESHOLD)
