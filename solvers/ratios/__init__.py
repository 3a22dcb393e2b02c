"""Which worker should compress how hard: fractions kept, matched to data volumes under one budget.

Every answer respects the limits and the budget exactly, and says how far from optimal it can be.
"""

from .assignment import Assignment, certified
from .budgets import BudgetChoice, best_budget
from .criteria import Criterion, Power, SquaredMemory, SquaredNoise, memory_cost
from .errors import InfeasibleBudget, SolverFailed
from .gains import dirichlet_saving, predicted_gain, predicted_saving
from .integers import COUNT_METHODS, Counts, assign_counts
from .links import RoundTime, best_round_time
from .presets import power_law, preset
from .problem import RatioProblem, shares
from .rational import RationalGap, rational_gap
from .waterfill import assign, waterfill

__all__ = [
    "COUNT_METHODS",
    "Assignment",
    "BudgetChoice",
    "Counts",
    "Criterion",
    "InfeasibleBudget",
    "Power",
    "RatioProblem",
    "RationalGap",
    "RoundTime",
    "SolverFailed",
    "SquaredMemory",
    "SquaredNoise",
    "assign",
    "assign_counts",
    "best_budget",
    "best_round_time",
    "certified",
    "dirichlet_saving",
    "memory_cost",
    "power_law",
    "predicted_gain",
    "predicted_saving",
    "preset",
    "rational_gap",
    "shares",
    "waterfill",
]
