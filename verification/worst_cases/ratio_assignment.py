"""Why performance estimation does not apply to the statements about ratios (dossier 3.7–3.10, 3.12)."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

_PROGRAM = "a statement about a convex program in the ratios, in which no function of x occurs"
_GAP = "a bound on the optimality gap of ratios, evaluated exactly for each; no function of x occurs"
_FORMULA = "a comparison of formulas in the shares, in which no function of x occurs"
_INTEGERS = "a combinatorial statement, checked against all counts"
_COORDINATES = "a statement about magnitudes of coordinates, and scalar products do not see coordinates"
_TRAFFIC = "a count of coordinates, and scalar products do not see coordinates"

NOT_APPLICABLE: Mapping[str, str] = MappingProxyType(
    {
        "chi2-identity": _PROGRAM,
        "waterfill": _PROGRAM,
        "gap-dual": _GAP,
        "gap-fw": _GAP,
        "exact-objectives": _PROGRAM,
        "alloc-surrogate": _PROGRAM,
        "minimax-ratio": _PROGRAM,
        "myopic-vertex": "a program in the ratios of one step, solved at a vertex; no method takes a step",
        "exponent-table": _FORMULA,
        "exponent-symmetry": _FORMULA,
        "gain-formula": _FORMULA,
        "int-greedy": _INTEGERS,
        "int-proximity": _INTEGERS,
        "int-weighted": _INTEGERS,
        "thr-traffic": _TRAFFIC,
        "thr-l1-rule": _TRAFFIC,
        "thr-controller": _TRAFFIC,
        "thr-one-step": _COORDINATES,
        "thr-optimal": "a program in the thresholds under a model of the traffic; no function of x occurs",
        "joint-step-ratio": "a consequence of the form of other bounds, whose worst cases are computed there",
        "link-time": "a program in the round time, in which no function of x occurs",
        "bits-optimal": "a count of messages; its convergence statement is nuef21-nonconvex, which has a worst case",
        "effective-delta": "a measured ratio in place of a known one, in statements that have worst cases",
        "schedule-periodic": "a sum of norms, attained by constant gradients",
    }
)
"""Why it does not apply, by theorem ID."""
