"""Random problems of ratio assignment: extreme volumes, active limits, unequal costs."""

import numpy as np
from hypothesis import strategies as st

from taciturn.solvers.ratios import RatioProblem
from taciturn.verification.strategies import weights


def random_problem(rng: np.random.Generator, largest: int) -> RatioProblem:
    """Volumes over nine decades, costs over six or equal, limits missing or narrow, a budget at any height."""
    n = int(rng.integers(1, largest + 1))
    volumes = 10.0 ** rng.uniform(-9, 0, n)
    costs = 10.0 ** rng.uniform(-3, 3, n) if rng.random() < 0.6 else np.ones(n)
    lower = 10.0 ** rng.uniform(-6, -1, n) * (rng.random(n) < rng.choice([0.0, 0.7, 1.0]))
    upper = np.minimum(1, lower + 10.0 ** rng.uniform(-4, 0, n))
    least, most = costs @ lower, costs @ upper
    budget = least + (most - least) * 10.0 ** rng.uniform(-8 if rng.random() < 0.2 else -2, 0)
    return RatioProblem(volumes / volumes.sum(), budget, costs, lower, upper)


@st.composite
def problems(draw: st.DrawFn, largest: int = 12) -> RatioProblem:
    """A problem whose budget lies between the two limits, at them, or a unit of rounding beside them."""
    n = draw(st.integers(1, largest))
    vectors = st.lists(st.floats(1e-3, 1e3), min_size=n, max_size=n).map(np.array)
    costs = draw(st.one_of(st.just(np.ones(n)), vectors))
    low, high = np.sort(draw(st.lists(st.tuples(st.floats(1e-6, 1), st.floats(1e-6, 1)), min_size=n, max_size=n))).T
    lower = draw(st.sampled_from([np.zeros(n), low]))
    least, most = float(costs @ lower), float(costs @ high)
    share = draw(st.sampled_from([0.0, 1e-12, 0.1, 0.5, 0.9, 1 - 1e-12, 1.0]))
    budget = least + share * (most - least)
    budget = draw(st.sampled_from([budget, np.nextafter(budget, np.inf), budget * (1 + 1e-9)]))
    # Sums of limits are rounded: a feasible budget is meant.
    return RatioProblem(draw(weights(n)), max(float(budget), least * (1 + 1e-15), 1e-12), costs, lower, high)
