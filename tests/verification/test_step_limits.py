"""Necessary and sufficient step sizes: dossier 4.10, and theorems whose steps are too long."""

from __future__ import annotations

import json
import math
from dataclasses import replace

import numpy as np
import pytest

from taciturn.solvers.delays import DESTABILISING, Periodic
from taciturn.solvers.problems import quadratic_with_spectrum
from taciturn.solvers.second_moment import NoiseModel, second_moments
from taciturn.theory import Theorem, theorem
from taciturn.theory.stale_steps import root_step
from taciturn.theory.symbols import Range, parameter
from taciturn.verification import tightness
from taciturn.verification.destabilising import destabilising_step, growth, most_destabilising
from taciturn.verification.evidence import Budget, Verdict
from taciturn.verification.step_limits import examine, step_limits
from taciturn.verification.step_rules import NECESSARY, SUFFICIENT, longest_step

# --- unstable delays --------------------------------------------------------------------------------------------------

# tau, unstable above, worst pattern, unstable above with constant delay, root step, ratio of limit and root step. For
# tau = 3 the dossier's search had stopped at 0.4302; 1 - 1/sqrt(3) is smaller.
TABLE = [
    (1, 1.0000, (1,), 1.0000, 0.6180, 1.62),
    (2, 0.5858, (0, 1, 2, 2), 0.6180, 0.3904, 1.50),
    (3, 1 - 1 / math.sqrt(3), (0, 1, 2, 3, 3, 3), 0.4450, 0.2824, 1.50),
    (4, 0.3333, (0, 1, 2, 3, 4, 4, 4), 0.3473, 0.2207, 1.51),
    (6, 0.2298, (0, 1, 2, 3, 4, 5, 6, 6, 6, 6, 6), 0.2411, 0.1534, 1.50),
]


@pytest.mark.parametrize(("tau", "limit", "pattern", "constant", "root", "ratio"), TABLE)
def test_the_table_of_destabilising_patterns(
    tau: int, limit: float, pattern: tuple[int, ...], constant: float, root: float, ratio: float
) -> None:
    assert destabilising_step(pattern) == pytest.approx(limit, abs=5e-5)
    assert destabilising_step((tau,)) == pytest.approx(2 * math.sin(math.pi / (2 * (2 * tau + 1))), abs=1e-9)
    assert destabilising_step((tau,)) == pytest.approx(constant, abs=5e-5)
    assert float(root_step(1.0, 0.0, tau)) == pytest.approx(root, abs=5e-5)
    assert limit / root == pytest.approx(ratio, abs=6e-3)


def test_the_pattern_that_the_dossier_missed_for_three() -> None:
    assert destabilising_step((0, 1, 2, 3, 3, 3)) == pytest.approx(1 - 1 / math.sqrt(3), abs=1e-9)
    assert destabilising_step((0, 1, 3, 3, 3, 3)) == pytest.approx(0.4302, abs=5e-5)


@pytest.mark.parametrize("pattern", DESTABILISING.values())
def test_a_run_beyond_the_step_diverges_and_one_below_does_not(pattern: tuple[int, ...]) -> None:
    K = 1000
    trace = Periodic(pattern).trace(K, workers=1)
    steps = np.broadcast_to(destabilising_step(pattern) * np.array([0.98, 1.02]), (K, 2))

    distance = second_moments(quadratic_with_spectrum([1.0]), trace, steps, NoiseModel(), x0=[1.0]).squared_distance

    assert np.max(distance[-20:, 0]) < 0.1
    assert np.max(distance[-20:, 1]) > 10


@pytest.mark.parametrize("stored", [False, True])
@pytest.mark.parametrize(("pattern", "variance"), [((0, 1, 2, 2), 3.0), ((0, 1), 0.5), ((2,), 1.0)])
def test_growth_is_that_of_the_exact_second_moments(pattern: tuple[int, ...], variance: float, stored: bool) -> None:
    step, periods = 0.3, 40
    trace = Periodic(pattern).trace(periods * len(pattern), workers=1)
    trace = trace.with_stored_messages() if stored else trace
    problem, noise = quadratic_with_spectrum([1.0]), NoiseModel.exact_variance(variance)

    distance = second_moments(problem, trace, step, noise, x0=[1.0]).squared_distance[:: len(pattern)]

    measured = (distance[-1] / distance[-11]) ** 0.1
    assert float(growth(pattern, step, variance, stored=stored)) == pytest.approx(measured, rel=1e-2)


@pytest.mark.parametrize(("tau", "variance"), [(0, 0.0), (0, 3.0), (2, 0.5), (3, 7.0), (5, 20.0)])
def test_the_hold_pattern_attains_the_necessary_steps(tau: int, variance: float) -> None:
    pattern = tuple(range(tau + 1))
    for id, stored in (("stale-necessary", False), ("stale-necessary-stored", True)):
        limit = theorem(id).evaluate(L=1.0, tau=tau, variance=variance).value

        assert destabilising_step(pattern, variance, stored=stored) == pytest.approx(limit, rel=1e-9)


@pytest.mark.parametrize(
    ("tau", "longest"),
    [(1, 4), (2, 5), (3, 7), *(pytest.param(*row, marks=pytest.mark.slow) for row in ((4, 9), (6, 12)))],
)
def test_the_search_finds_the_table(tau: int, longest: int) -> None:
    (row,) = (row for row in TABLE if row[0] == tau)

    found = most_destabilising(tau, longest, restarts=2)

    assert found == row[2]
    assert destabilising_step(found) == pytest.approx(row[1], abs=5e-5)


def test_no_pattern_of_short_period_is_worse_than_the_table() -> None:
    """Every pattern for tau = 2 up to period 6."""
    patterns = (tuple(map(int, np.base_repr(n, 3).zfill(length))) for length in range(1, 7) for n in range(3**length))

    just_below = 2 - math.sqrt(2) - 1e-6
    assert max(float(growth(pattern, just_below)) for pattern in patterns if max(pattern) == 2) < 1


def test_noise_makes_constant_delay_worse_than_the_hold_pattern() -> None:
    """Fresh messages: below the necessary step of the dossier. Stored ones: the search finds nothing worse."""
    assert most_destabilising(2, 5, variance=1.0, restarts=1) == (2,)
    assert destabilising_step((2,), 1.0) == pytest.approx(0.8901 * 2 / 4, abs=5e-5)
    assert most_destabilising(2, 5, variance=1.0, stored=True, restarts=1) == (0, 1, 2)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"pattern": ()}, "pattern is empty"),
        ({"pattern": (0, -1)}, "pattern = -1 is outside"),
        ({"pattern": (1,), "variance": -0.5}, "variance = -0.5 is outside"),
        ({"pattern": (1,), "variance": math.nan}, "variance = nan is outside"),
    ],
)
def test_bad_patterns_are_refused(arguments: dict[str, object], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        growth(**{"step": 0.1, **arguments})  # type: ignore[arg-type]


def test_a_search_for_periods_shorter_than_a_ramp_is_refused() -> None:
    with pytest.raises(ValueError, match="longest = 3 is outside"):
        most_destabilising(3, longest=3)


# --- sufficient steps -------------------------------------------------------------------------------------------------

# Without noise, tau = 1, 2, 3, 4, 6: necessary / sufficient.
GAPS = {
    "stale-convex": (1.618, 1.501, 1.497, 1.510, 1.499),
    "stale-nonconvex": (1.618, 1.501, 1.497, 1.510, 1.499),
    "stale-second-moment-convex": (2.0, 1.757, 1.691, 1.667, 1.609),
    "stale-stored-convex": (4.0, 3.515, 3.381, 3.333, 3.218),
}


@pytest.mark.parametrize("id", GAPS)
def test_gaps_without_noise(id: str) -> None:
    found = [limit.gap for limit in step_limits(theorem(id)) if limit.variance == 0 and limit.tau > 0]

    np.testing.assert_allclose(found, GAPS[id], atol=6e-4)


@pytest.mark.parametrize("id", [*SUFFICIENT, *NECESSARY])
def test_no_theorem_allows_an_unstable_step(id: str) -> None:
    (evidence,) = examine(theorem(id))

    assert evidence.verdict is Verdict.HELD
    assert evidence.ratio is not None
    assert 0 < evidence.ratio <= 1 + 1e-9
    assert "counterexample" not in evidence.details
    json.dumps(evidence.as_record(), allow_nan=False)


def test_the_synchronous_step_is_the_necessary_one_for_small_curvature() -> None:
    for limit in step_limits(theorem("dcgd-sc-tight")):
        assert limit.gap == pytest.approx(1.01)  # 1 + mu/L


def test_stored_messages_are_a_factor_four_from_the_hold_pattern() -> None:
    """Dossier 4.9: for one worker, at every tau and variance."""
    tau, variance = (grid.ravel() for grid in np.meshgrid([0, 1, 5, 40], [0.1, 1.0, 30.0]))
    necessary = theorem("stale-necessary-stored").evaluate(L=1.0, tau=tau, variance=variance).value
    step = theorem("stale-stored-convex").evaluate(L_hat=1.0, noise_slope=variance, noise_floor=0.0, tau=tau).step_size

    np.testing.assert_allclose(necessary / step, 4)


def test_root_steps_are_within_2_64_of_the_hold_pattern() -> None:
    """Dossier 4.10 has 2.61 on a coarser grid; the closed form is within 2 phi."""
    tau, variance = np.meshgrid(np.arange(0, 1001, 10), np.geomspace(0.1, 1000, 60))
    necessary = theorem("stale-necessary").evaluate(L=1.0, tau=tau, variance=variance).value
    phi = (1 + math.sqrt(5)) / 2

    assert np.max(necessary / root_step(1.0, variance, tau)) == pytest.approx(2.635, abs=5e-3)
    assert np.max(necessary * (1 + phi * tau + variance)) <= 2 * phi


def with_longer_range(entry: Theorem, factor: float) -> Theorem:
    (limit,) = (known.domain.upper for known in entry.parameters if known.name == "step_size")
    longer = parameter("step_size", Range(0, factor * limit, lower_open=True))
    return replace(
        entry, parameters=tuple(longer if known.name == "step_size" else known for known in entry.parameters)
    )


WITH_RANGE = [id for id in SUFFICIENT if any(entry.name == "step_size" for entry in theorem(id).parameters)]
FEW = {"dcgd-sc", "dcgd-sc-tight", "stale-convex", "stale-stored-sc", "delay-adaptive-sc"}


@pytest.mark.parametrize("id", [pytest.param(id, marks=[] if id in FEW else [pytest.mark.slow]) for id in WITH_RANGE])
def test_a_theorem_that_allows_an_unstable_step_is_violated(id: str) -> None:
    """The range made just longer than the gap; just shorter it is not refuted here."""
    smallest = min(limit.gap for limit in step_limits(theorem(id)))

    (wrong,) = examine(with_longer_range(theorem(id), 1.001 * smallest))
    (unknown,) = examine(with_longer_range(theorem(id), 0.999 * smallest))

    assert wrong.verdict is Verdict.VIOLATED
    assert "diverges" in wrong.prose
    assert wrong.details["counterexample"]["growth per period"] > 1
    assert unknown.verdict is Verdict.HELD


def test_a_prescribed_step_that_is_unstable_is_violated() -> None:
    for id in ("stale-absolute", "delay-filter"):
        right = theorem(id)
        assert right.step_size is not None

        (wrong,) = examine(replace(right, step_size=4.1 * right.step_size))

        assert wrong.verdict is Verdict.VIOLATED


def test_the_step_for_fresh_messages_is_violated_by_stored_ones() -> None:
    fresh, stored = theorem("stale-convex"), theorem("stale-stored-convex")

    (wrong,) = examine(replace(stored, parameters=fresh.parameters, defaults=fresh.defaults))

    assert wrong.verdict is Verdict.VIOLATED
    assert wrong.details["counterexample"]["stored"]


@pytest.mark.parametrize("id", NECESSARY)
def test_a_necessary_step_without_an_unstable_instance_is_violated(id: str) -> None:
    right = theorem(id)
    assert right.value is not None

    (wrong,) = examine(replace(right, value=0.95 * right.value))

    assert wrong.verdict is Verdict.VIOLATED


def test_the_tightness_witness_carries_the_gap() -> None:
    nothing = Budget(instances=0, cells=0, replicas=0)
    for id, words in (("stale-convex", "1.497 (tau=3, variance=0, delays 0 1 2 3 3 3"), ("stale-necessary", "0.804")):
        *_, evidence = tightness.witness(theorem(id), nothing)

        assert evidence.prose.startswith("step size: ")
        assert words in evidence.prose
        assert len(evidence.details["gap"]) == 2


def test_theorems_without_step_size_have_no_limits() -> None:
    assert step_limits(theorem("delay-budget")) == ()
    assert examine(theorem("delay-budget")) == ()


def test_a_step_of_any_size_is_refused() -> None:
    endless = parameter("step_size", Range(0, lower_open=True))
    wrong = replace(theorem("stale-maxrec"), parameters=(endless,))

    with pytest.raises(ValueError, match="takes step_size of any size"):
        longest_step(wrong, {})
