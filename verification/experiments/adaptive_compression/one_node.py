"""Runs of deterministic methods on one node, beside the bounds of dossier 1, 2, 5 and 6."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import numpy as np

from taciturn.solvers.compressors import ScaledSign, TopK
from taciturn.solvers.methods import CAT, CompressedGradient, Dense, DynamicT, Fixed, Run, Sender, State, run
from taciturn.solvers.problems import Problem, quadratic_with_spectrum
from taciturn.theory.communication import AffineCost
from taciturn.theory.theorem import Guarantee, Theorem

from ...attacks.measures import stated
from ...evidence import Budget
from ..comparison import Comparison, Experiment, worst
from ..settings import BITS, SMALL, diagonal, flat, rotated, start, strongly_convex

__all__ = ["EXPERIMENTS", "decreases", "known"]

_STEPS = 60

_TOP: Mapping[str, Sender] = {"CAT-S": CAT("S", BITS), **{f"top-{T}": Fixed(TopK(T)) for T in SMALL}}
_SIGNS: Mapping[str, Sender] = {
    "CAT-S+Q": CAT("S+Q", BITS),
    **{f"sign of top-{T}": Fixed(ScaledSign(T)) for T in SMALL},
}


def known(problem: Problem, made: Run) -> Any:
    """Mark the gaps that are known to six digits: the minimum is certified, and F is rounded."""
    rounding = 1e-9 * np.abs(made.value[0])
    return made.gap > np.maximum(1e3 * problem.minimum_error, np.maximum(rounding, 1e-8 * made.gap[0]))


def decreases(made: Run) -> tuple[Any, Any]:
    """Return F(x_k) - F(x_{k+1}), and which of them are known to seven digits."""
    made_decrease = made.value[:-1] - made.value[1:]
    return made_decrease, np.abs(made_decrease) > 1e-8 * np.abs(made.value[0])


def _runs(
    senders: Mapping[str, Sender],
    problems: Mapping[str, Problem],
    step: float = 1.0,
    record: Mapping[str, Callable[[Any], Any]] | None = None,
) -> Iterator[tuple[str, Problem, Run]]:
    """Run every sender on every problem, with a step size in units of 1/L."""
    for place, problem in problems.items():
        for name, sender in senders.items():
            method = CompressedGradient(sender, step_size=step / problem.L)
            yield f"{name}, {place}", problem, run(method, problem, _STEPS, start(problem), record=record)


def _squares(made: Run) -> Any:
    return made.squared_gradient_norm[:-1]


def _share(made: Run) -> Any:
    """Return the certified decreases of the only worker: alpha or beta."""
    return np.clip(made.coefficient[:, 0], 1e-12, 1.0)


def _mean_share(made: Run) -> Any:
    return np.cumsum(_share(made)) / _counter(made)


def _counter(made: Run) -> Any:
    return np.arange(1, made.iterations + 1)


def _certified(setting: str, problem: Problem, made: Run, guarantee: Guarantee) -> Comparison:
    """Compare the certified with the true decrease of every step."""
    decrease, counted = decreases(made)
    promised = stated(guarantee.decrease) * _squares(made) / (2 * problem.L)
    return worst(setting, promised, decrease, counted & known(problem, made)[:-1])


def _sc_implies_pl(theorem: Theorem, budget: Budget) -> Iterator[Comparison]:
    for setting, problem, made in _runs({"CAT-S": CAT("S", BITS)}, strongly_convex()):
        value = stated(theorem.evaluate(mu=problem.mu).value)
        yield worst(setting, value * made.gap, made.squared_gradient_norm, known(problem, made))


def _proj_descent(theorem: Theorem, budget: Budget) -> Iterator[Comparison]:
    for step in (0.5, 1.0, 1.5):
        for setting, problem, made in _runs({**_TOP, **_SIGNS}, strongly_convex(), step):
            guarantee = theorem.evaluate(L=problem.L, alpha=_share(made), step_size=step / problem.L)
            yield _certified(f"{setting}, step {step}/L", problem, made, guarantee)


def _descent_plus(theorem: Theorem, budget: Budget) -> Iterator[Comparison]:
    for setting, problem, made in _runs({"gradient descent": Dense()}, strongly_convex()):
        guarantee = theorem.evaluate(L=problem.L, mu=problem.mu)
        bound = guarantee.bound(_counter(made), made.gap[0])
        yield worst(setting, made.gap[1:], bound, known(problem, made)[1:])


def _worst_case_lower(theorem: Theorem, budget: Budget) -> Iterator[Comparison]:
    for d, T, condition in ((12, 3, 20.0), (20, 1, 50.0), (16, 5, 5.0)):
        problem = quadratic_with_spectrum([1 / condition] * d + [1.0])
        x0 = np.append(np.ones(d), 0.0)
        made = run(CompressedGradient(Fixed(TopK(T))), problem, int(3 * condition) * d // T, x0)
        for eps in (0.3, 0.1, 0.01):
            counted = float(np.argmax(made.gap <= eps * made.gap[0]))
            needed = theorem.evaluate(L=1.0, mu=1 / condition, d=d, T=T).iterations(eps * made.gap[0], made.gap[0])
            setting = f"top-{T} of {d} equal entries, kappa = {condition:g}, eps = {eps}"
            yield worst(setting, needed, counted)
            yield worst(f"{setting}, the reverse", counted, needed)


def _diagonal_sc(theorem: Theorem, budget: Budget) -> Iterator[Comparison]:
    curvatures = diagonal().hessians[0]
    for T in SMALL:
        ((setting, problem, made),) = _runs({f"top-{T}": Fixed(TopK(T))}, {"diagonal quadratic": diagonal()})
        d_eff = float(np.sum(curvatures.min() / curvatures))
        guarantee = theorem.evaluate(L=problem.L, mu=problem.mu, T=T, effective_dimension=d_eff)
        yield worst(setting, made.gap[1:], guarantee.bound(_counter(made), made.gap[0]), known(problem, made)[1:])


def _restricted(theorem: Theorem, budget: Budget) -> Iterator[Comparison]:
    problem = rotated()
    L_1 = float(np.max(np.diag(problem.hessians[0])))  # of steps along one coordinate
    made = run(CompressedGradient(Fixed(TopK(1)), step_size=1 / L_1), problem, _STEPS, start(problem))
    guarantee = theorem.evaluate(L=problem.L, L_restricted=L_1, alpha=_share(made))
    yield _certified("top-1 with step 1/L_1, rotated quadratic", problem, made, guarantee)


def _rates(senders: Mapping[str, Sender], parameter: str, mean: bool) -> Experiment:
    """Compare gaps with the product of the rates, and with the bound in the arithmetic mean where it is stated."""

    def experiment(theorem: Theorem, budget: Budget) -> Iterator[Comparison]:
        for setting, problem, made in _runs(senders, strongly_convex()):
            constants = {"L": problem.L, "mu": problem.mu}
            product = np.cumprod(stated(theorem.evaluate(**constants, **{parameter: _share(made)}).rate))
            yield worst(setting, made.gap[1:], product * made.gap[0], known(problem, made)[1:])
            if mean:
                guarantee = theorem.evaluate(**constants, **{parameter: _mean_share(made)})
                bound = guarantee.bound(_counter(made), made.gap[0])
                yield worst(f"{setting}, mean", made.gap[1:], bound, known(problem, made)[1:])

    return experiment


def _convex_rate(theorem: Theorem, budget: Budget) -> Iterator[Comparison]:
    for setting, problem, made in _runs(_TOP, {"flat quadratic": flat()}):
        assert made.squared_distance is not None
        radius = np.sqrt(np.maximum.accumulate(made.squared_distance[:-1]))
        guarantee = theorem.evaluate(L=problem.L, radius=radius, alpha=_mean_share(made))
        yield worst(setting, made.gap[1:], guarantee.bound(_counter(made), made.gap[0]), known(problem, made)[1:])


def _smallest_gradient(made: Run) -> Any:
    return np.minimum.accumulate(_squares(made))


def _nonconvex_rate(theorem: Theorem, budget: Budget) -> Iterator[Comparison]:
    for setting, problem, made in _runs(_TOP, strongly_convex()):
        guarantee = theorem.evaluate(L=problem.L, alpha=_mean_share(made))
        bound = guarantee.bound(_counter(made), made.gap[0])
        yield worst(setting, _smallest_gradient(made), bound, known(problem, made)[:-1])


def _gd_nonconvex(theorem: Theorem, budget: Budget) -> Iterator[Comparison]:
    for setting, problem, made in _runs({"gradient descent": Dense()}, strongly_convex()):
        bound = theorem.evaluate(L=problem.L).bound(_counter(made), made.gap[0])
        yield worst(setting, _smallest_gradient(made), bound, known(problem, made)[:-1])


def _mean_validity(theorem: Theorem, budget: Budget) -> Iterator[Comparison]:
    for setting, problem, made in _runs(_TOP, strongly_convex()):
        guarantee = theorem.evaluate(L=problem.L, alpha_min=np.minimum.accumulate(_share(made)))
        average = np.cumsum(_squares(made)) / _counter(made)
        yield worst(setting, average, guarantee.bound(_counter(made), made.gap[0]))


def _sq_descent(theorem: Theorem, budget: Budget) -> Iterator[Comparison]:
    for setting, problem, made in _runs(_SIGNS, strongly_convex()):
        guarantee = theorem.evaluate(L=problem.L, T=np.maximum(made.sparsity[:, 0], 1), beta=_share(made))
        yield _certified(setting, problem, made, guarantee)


def _sq_scaled_sign(theorem: Theorem, budget: Budget) -> Iterator[Comparison]:
    for setting, problem, made in _runs(_SIGNS, strongly_convex()):
        yield _certified(setting, problem, made, theorem.evaluate(L=problem.L, beta=_share(made)))


def _dynamic(theorem: Theorem, budget: Budget) -> Iterator[Comparison]:
    for setting, problem, made in _runs({"dynamic T": DynamicT(BITS)}, strongly_convex()):
        constants = {"L": problem.L, "mu": problem.mu, "d": problem.d}
        T = np.maximum(made.sparsity[:, 0], 1)
        yield _certified(setting, problem, made, theorem.evaluate(**constants, T=T))
        bound = theorem.evaluate(**constants).bound(_counter(made), made.gap[0])
        yield worst(f"{setting}, rate", made.gap[1:], bound, known(problem, made)[1:])


def _cat_actual(theorem: Theorem, budget: Budget) -> Iterator[Comparison]:
    record = {"x": lambda state: state.x, "gradient": lambda state: state.gradient}
    for scheme, compressor in (("S", TopK), ("S+Q", ScaledSign)):
        problems = {"rotated quadratic": rotated(), "diagonal quadratic": diagonal()}
        for setting, problem, made in _runs({f"CAT-{scheme}": CAT(scheme, BITS)}, problems, record=record):
            value = stated(theorem.evaluate(L=problem.L, mu=problem.mu).value)
            best, achieved = [], []
            for x, g, chosen in zip(made.recorded["x"], made.recorded["gradient"], made.sparsity[:, 0], strict=False):
                T = np.arange(1, problem.d + 1)
                steps = np.stack([compressor(int(kept))(g) for kept in T]) / problem.L
                per_price = (problem.objective(x) - problem.objective(x - steps)) / BITS(T)
                best.append(np.max(per_price))
                achieved.append(per_price[int(chosen) - 1])
            yield worst(setting, value * np.array(best), achieved, decreases(made)[1])


def _reached(value: float) -> Callable[[State], bool]:
    return lambda state: bool(state.value <= value)


def _bits(scheme: str, parameters: Callable[[Run], Mapping[str, float]]) -> Experiment:
    """Compare the bits to an accuracy with their bound."""

    def experiment(theorem: Theorem, budget: Budget) -> Iterator[Comparison]:
        for place, problem in strongly_convex().items():
            x0 = start(problem)
            initial = float(problem.objective(x0)) - problem.minimum
            for eps in (0.3, 0.03):
                made = run(
                    CompressedGradient(CAT(scheme, BITS)),
                    problem,
                    5000,
                    x0,
                    until=_reached(problem.minimum + eps * initial),
                    record={"gradient": lambda state: state.gradient},
                )
                constants = {"L": problem.L, "mu": problem.mu}
                guarantee = theorem.evaluate(**constants, **parameters(made))
                bound = guarantee.bits(eps * initial, initial)
                yield worst(f"CAT-{scheme}, {place}, eps = {eps}", made.cumulative_cost[-1], bound)

    return experiment


def _price() -> dict[str, float]:
    return {"c0": BITS.c0, "c1": BITS.c1}


def _last(made: Run) -> float:
    return float(made.cost[-1, 0])


def _sparsity(made: Run) -> float:
    gradients = made.recorded["gradient"][:-1]
    return float(np.max(np.sum(np.abs(gradients), axis=1) ** 2 / np.sum(gradients**2, axis=1)))


def _dimension(made: Run) -> int:
    return int(made.recorded["gradient"].shape[1])


def _cat_not_optimal(theorem: Theorem, budget: Budget) -> Iterator[Comparison]:
    T, cost = 8, AffineCost(c0=9, c1=1)
    problem, x0 = quadratic_with_spectrum([1.0] * T), np.sqrt(0.09 ** np.arange(T))
    tuned, fixed = (
        run(CompressedGradient(sender), problem, 100, x0).cumulative_cost[-1]
        for sender in (CAT("S", cost), Fixed(TopK(T), cost))
    )
    value = stated(theorem.evaluate(c0=9, c1=1, T=T).value)
    yield worst("CAT-S against top-8 on a geometric gradient", value, tuned / fixed)
    yield worst("CAT-S against top-8 on a geometric gradient, the reverse", tuned / fixed, value)


EXPERIMENTS: Mapping[str, Experiment] = {
    "sc-implies-pl": _sc_implies_pl,
    "proj-descent": _proj_descent,
    "descent-plus": _descent_plus,
    "topT-worst-case-lower": _worst_case_lower,
    "topT-diagonal-sc": _diagonal_sc,
    "restricted-smoothness": _restricted,
    "topT-pl-rate": _rates({**_TOP, **_SIGNS}, "alpha", mean=True),
    "topT-sc-exact": _rates({**_TOP, **_SIGNS}, "alpha", mean=False),
    "topT-convex-rate": _convex_rate,
    "topT-nonconvex-rate": _nonconvex_rate,
    "gd-nonconvex-exact": _gd_nonconvex,
    "mean-validity": _mean_validity,
    "sq-descent": _sq_descent,
    "sq-scaled-sign": _sq_scaled_sign,
    "sq-rates": _rates(_SIGNS, "beta", mean=True),
    "dynamic-T": _dynamic,
    "cat-actual-decrease": _cat_actual,
    "cat-bits": _bits(
        "S", lambda made: {"efficiency": float(np.min(made.coefficient / made.cost)), "cost": _last(made)}
    ),
    "cat-vs-fixed-worst-case": _bits("S", lambda made: {**_price(), "d": _dimension(made)}),
    "cat-bits-sparsity": _bits(
        "S", lambda made: {**_price(), "effective_sparsity": _sparsity(made), "cost": _last(made)}
    ),
    "cat-sq-bits": _bits("S+Q", lambda made: {**_price(), "d": _dimension(made), "cost": _last(made)}),
    "cat-not-trajectory-optimal": _cat_not_optimal,
}
