"""The longest step that error feedback allows, and the objective behind the ratios (dossier 3.6)."""

from __future__ import annotations

import sympy

from ..assumptions import CONTRACTIVE, EACH_CONVEX, EXACT_GRADIENT
from ..certificate import Certificate, Identity, Sign
from ..gram import mean, scalars
from ..symbols import parameter
from ..theorem import VALUE, Theorem
from .common import A_L, SUBJECT, L, L_i, a_i, gamma, residual_factor, source

_mean = parameter("mean_smoothness").symbol
_z, _x, _s = scalars("z x surd")
_q_i = residual_factor(a_i)
_sigma_i = -_q_i  # C_i(v) = (1 + q_i) v leaves sigma_i v
_memory_i = _sigma_i * gamma * L_i / (_z - _sigma_i) * _x  # memory of worker i on the eigenvector, in step units
_error_i = gamma * _z * L_i * (1 - _sigma_i) / (_z - _sigma_i) * _x
_exact_i = gamma * L_i * _x  # gradient of L_i x^2/2 in step units

STEP_LIMIT = Theorem(
    id="step-limit",
    title="No longer step is safe, whatever the method's analysis",
    statement=(
        r"\Gamma=\frac2{\sum_ip_iL_i(1+2a(\delta_i))}=\frac2{\bar L+2A_L}:\qquad \text{for every}\ \gamma\ge\Gamma,\ "
        r"f_i=\tfrac{L_i}2x^2\ \text{and}\ C_i(v)=(1+q_i)v\ \text{EF and EF21 do not converge};\qquad "
        r"\text{EF21 converges for}\ \gamma\le\gamma_{21},\quad 1\le\frac\Gamma{\gamma_{21}}\le2\ \text{for}\ L=\bar L"
    ),
    source=source("3.6"),
    status="derived",
    kind="lower",
    subject=SUBJECT,
    assumptions=(EACH_CONVEX, EXACT_GRADIENT, CONTRACTIVE),
    parameters=(parameter("mean_smoothness"), parameter("memory_smoothness")),
    measure=r"\text{largest step size that is safe for all contractive compressors}\le",
    value=2 / (_mean + 2 * A_L),
    proof=Certificate(
        lines=(
            Identity(
                "the compressor contracts with equality: |C(v) - v| = q |v|",
                ((1 + _q_i) * _x - _x) ** 2 - _q_i**2 * _x**2,
            ),
            Identity(
                "EF, eigenvalue z: memory of worker i, z e_i = sigma_i (e_i + gamma L_i x)",
                _z * _memory_i - _sigma_i * (_memory_i + _exact_i),
            ),
            Identity(
                "EF: the virtual iterate is gamma L x/(1 - z), so z is a root of h(z) = 1 - gamma L/(1 - z) - sum p_i e_i; at -1",
                1 - gamma * _mean / 2 - mean((_memory_i / _x).subs(_z, -1)) - (1 - gamma / VALUE),
            ),
            Identity(
                "EF21, eigenvalue z: z d_i = d_i + (1 - sigma_i)(gamma L_i z x - d_i), d_i the sent gradient in step units",
                _z * _error_i - _error_i - (1 - _sigma_i) * (_z * _exact_i - _error_i),
            ),
            Identity(
                "EF21: z x = x - sum p_i d_i, so z is a root of z - 1 + sum p_i d_i; at -1",
                -2 + mean((_error_i / _x).subs(_z, -1)) - 2 * (gamma / VALUE - 1),
            ),
            Sign(
                "EF: h(-1) <= 0 from the limit on, while h -> 1 at -infinity",
                gamma / VALUE - 1,
                where=(gamma >= VALUE,),
            ),
            Sign(
                "the limit is at least the safe step of EF21, u = 1/gamma_21 = (L + surd)/2, at L = mean L_i",
                (L + _s) / 2 - (L + 2 * A_L) / 2,
                where=(_s >= 0, sympy.Eq(_s**2, L**2 + 4 * A_L**2)),
            ),
            Sign(
                "and at most twice it",
                2 * (L + 2 * A_L) / 2 - (L + _s) / 2,
                where=(_s >= 0, sympy.Eq(_s**2, L**2 + 4 * A_L**2)),
            ),
        ),
        domain=(_mean > 0, L > 0, A_L >= 0, gamma > 0, L_i > 0, a_i >= 0),
        means={L_i: _mean, L_i * a_i: A_L},
        scope="every number of workers, weights and ratios",
        remainder="intermediate value theorem: a root z <= -1; the start excites its eigenvector",
    ),
    tightness="spectral radius of the instance crosses 1 between 0.999 and 1.001 of the limit, EF and EF21",
    pitfall="the instance overshoots; top-k does not: the statement is about the class of contractive compressors",
    checked_by=("tests/theory/test_error_feedback.py::test_step_limit_is_where_the_instance_stops_converging",),
)

THEOREMS = (STEP_LIMIT,)
