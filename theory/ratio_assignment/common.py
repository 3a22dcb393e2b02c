"""What the statements about ratios share (dossier 3.1, 3.7).

Worker ``i`` keeps the fraction ``delta_i`` of its entries, which costs ``c_i delta_i`` and contributes
``w_i / delta_i^b`` to the objective; all of them share the budget ``B``.
"""

from __future__ import annotations

import sympy

from ..gram import scalars
from ..symbols import POSITIVE, Parameter, Range, parameter
from ..theorem import Source

SUBJECT = "ratio-assignment"
PAPER = "Lu et al. (2023), arXiv 2311.07324, for the problem; the statement is derived"


def source(section: str, reference: str = PAPER) -> Source:
    """Chapter 3 of the dossier, with the literature behind it."""
    return Source(reference, section)


w, c, nu, B, q = scalars("w c nu B q")
d, n = parameter("d").symbol, parameter("workers").symbol

delta = 1 - q**2
"""The ratio in terms of the residual factor q = sqrt(1 - delta), in which everything is rational."""

memory_cost = q / (1 - q)
"""a(delta): by how much error feedback amplifies what is left out."""

noise_cost_squared = q**2 / (1 - q)
"""r(delta)^2: the same for independent noise."""

WEIGHT_SUM = Parameter("weight_sum", r"\sum_iw_i", POSITIVE, "", "sum of the weights in the objective")
ROOT_SUM = Parameter("root_sum", r"\sum_i\sqrt{p_i}", Range(1, sympy.sqrt(n)), "", "sum of the roots of the shares p_i")
SCALE = Parameter("assignment_scale", "U", POSITIVE, "", "sum over the workers of (w_i c_i^b)^(1/(1+b))")
OBJECTIVE_EXPONENT = Parameter("objective_exponent", "b", POSITIVE, "", "exponent b in the objective w_i / delta_i^b")
RATIO_BUDGET = Parameter("ratio_budget", "B", POSITIVE, "cost", "budget for the sum of c_i delta_i")
