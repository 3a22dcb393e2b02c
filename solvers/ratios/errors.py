"""What can go wrong with an assignment, by name."""

__all__ = ["InfeasibleBudget", "SolverFailed"]


class InfeasibleBudget(ValueError):
    """The budget does not even pay for the lower limits.

    Attributes
    ----------
    deficit : float
        What is missing, in the unit of the budget.
    smallest : float
        The smallest feasible budget.

    Examples
    --------
    >>> print(InfeasibleBudget(budget=1.0, smallest=1.5, deficit=0.5))
    budget = 1.0 is 0.5 below the smallest feasible one, 1.5, which the lower limits cost
    """

    def __init__(self, budget: float, smallest: float, deficit: float) -> None:
        self.budget, self.smallest, self.deficit = budget, smallest, deficit
        super().__init__(
            f"budget = {budget!r} is {deficit:.6g} below the smallest feasible one, {smallest!r}, "
            "which the lower limits cost"
        )


class SolverFailed(ArithmeticError):
    """A convex solver did not return an optimum that it vouches for.

    Attributes
    ----------
    solver, status : str
        Which solver, and its own word.

    Examples
    --------
    >>> print(SolverFailed("CLARABEL", "optimal_inaccurate"))
    CLARABEL reports 'optimal_inaccurate'; accepted: 'optimal'. waterfill solves the same problem exactly
    """

    def __init__(self, solver: str, status: str) -> None:
        self.solver, self.status = solver, status
        super().__init__(f"{solver} reports {status!r}; accepted: 'optimal'. waterfill solves the same problem exactly")
