"""Attacks on sparsification with quantisation, S+Q, and on the dynamic rule (dossier 2 and 6)."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from taciturn.theory.theorem import Theorem

from ..family import Batch, Family, Instance
from ..fields import Array, Entries, Fields, Integers, Positive, Spectrum
from ..functions import square
from ..measures import promised_e_foldings, quotient, stated
from ..senders import nonzeros, scaled_sign, share, sorted_sums, top
from ..trajectories import descend
from .descent import STEP, certified, curvature, flat_and_sparse, isotropic, quadratics
from .rates import PROGRESS, RUN, exact_instances

__all__ = ["FAMILIES", "root_increments"]

_STEP: Fields = {name: STEP[name] for name in ("L", "spectrum", "mirror", "gradient", "T")}
_ANY_CURVATURE: Fields = {**_STEP, "spectrum": Spectrum(signed=True)}


def _kept(batch: Batch) -> Array:
    """Return T, lowered to the number of non-zeros, as S+Q needs."""
    return np.minimum(batch["T"], np.maximum(nonzeros(batch["gradient"]), 1))


def _sq_descent(theorem: Theorem, batch: Batch) -> Array:
    L, g, T = batch["L"], batch["gradient"], _kept(batch)
    norm = np.sqrt(square(g))
    beta = share(g, scaled_sign(g, T))
    best = stated(theorem.evaluate(L=L, T=T, beta=beta).step_size)
    guarantee = theorem.evaluate(L=L, T=T, beta=beta, step_size=batch["relative_step"] * best)
    step = (stated(guarantee.step_size) * norm)[:, None] * np.sign(top(g, T))
    return certified(stated(guarantee.decrease), L, g, quadratics(batch).decrease(g, g, step))


def _sq_scaled_sign(theorem: Theorem, batch: Batch) -> Array:
    L, g = batch["L"], batch["gradient"]
    q = scaled_sign(g, _kept(batch))
    guarantee = theorem.evaluate(L=L, beta=share(g, q))
    return certified(
        stated(guarantee.decrease), L, g, quadratics(batch).decrease(g, g, stated(guarantee.step_size)[:, None] * q)
    )


def _beta(g: Array) -> Array:
    """Return beta(T) for T = 1..d, also beyond the number of non-zeros, where the statement still defines it."""
    _, mass, energy = sorted_sums(g)
    return quotient(mass**2, np.arange(1, g.shape[1] + 1) * energy[:, -1:])


def _beta_profile(theorem: Theorem, batch: Batch) -> Array:
    g, T = batch["gradient"], batch["T"]
    beta = np.take_along_axis(_beta(g), T[:, None] - 1, axis=1)[:, 0]
    return np.where(square(g) > 0, quotient(stated(theorem.evaluate(d=g.shape[1], T=T).decrease), beta), np.nan)


def _beta_adaptive(theorem: Theorem, batch: Batch) -> Array:
    g = batch["gradient"]
    best = np.max(_beta(g), axis=1)
    return np.where(square(g) > 0, quotient(stated(theorem.evaluate(d=g.shape[1]).decrease), best), np.nan)


def root_increments() -> Iterator[Instance]:
    """Yield sqrt(j) - sqrt(j-1), for which every T keeps the same."""
    for d in (1, 2, 5, 12, 40):
        yield {"gradient": np.diff(np.sqrt(np.arange(d + 1))).tolist()}


def _sq_rates(theorem: Theorem, batch: Batch) -> Array:
    function, L = quadratics(batch), batch["L"]

    def send(k: int, g: Array) -> Array:
        return scaled_sign(g, batch["T"][:, k])

    made = descend(function, function.point(batch["gradient"]), send, 1 / L, batch["T"].shape[1], batch["gradient"])
    guarantee = theorem.evaluate(L=L[:, None], mu=curvature(batch)[:, None], beta=made.certified)
    return made.progress(np.cumsum(promised_e_foldings(stated(guarantee.rate)), axis=1))


def _exact_signs() -> Iterator[Instance]:
    for instance in exact_instances():
        if instance["compressor"] == "top-T":
            yield {name: instance[name] for name in ("L", "spectrum", "mirror", "gradient", "T")}


def _dynamic(theorem: Theorem, batch: Batch) -> Array:
    L, g, mu = batch["L"], batch["gradient"], curvature(batch)
    function, d = quadratics(batch), g.shape[1]
    mass, norm = sorted_sums(g)[1], np.sqrt(square(g))
    T = 1 + np.argmax(mass >= norm[:, None] * (1 - 1e-12), axis=1)  # equality must not be lost to rounding
    ratios = []
    # The T of the rule, and the largest that it can be, which the theorem takes where none is given.
    taken = theorem.evaluate(L=L, mu=mu, d=d, T=T)
    for guarantee in (taken, theorem.evaluate(L=L, mu=mu, d=d)):

        def send(k: int, g: Array) -> Array:
            return norm[:, None] * np.sign(top(g, T))

        made = descend(function, function.point(g), send, stated(taken.step_size), 1, g)
        ratios.append(made.progress(promised_e_foldings(stated(guarantee.rate))[:, None]))
        ratios.append(certified(stated(guarantee.decrease), L, g, made.decrease[:, 0]))
    return np.where(square(g) > 0, np.max(ratios, axis=0), np.nan)


def _flat_squares() -> Iterator[Instance]:
    for d in (1, 4, 9):
        for curvatures in ([1.0] * d, [0.1] + [1.0] * (d - 1)):
            yield {"L": 2.0, "spectrum": curvatures, "mirror": [0.0] * d, "gradient": [1.0] * d}


def _isotropic(**parts: object) -> Iterator[Instance]:
    for instance in isotropic(**parts):
        yield {name: part for name, part in instance.items() if name not in ("compressor", "direction")}


_DECREASE = "certified / true decrease of one step"
_VECTOR: Fields = {"gradient": Entries(), "T": Integers()}

FAMILIES = {
    "sq-descent": Family(
        {**_ANY_CURVATURE, "relative_step": Positive(0.01, 1.9)},
        _sq_descent,
        _DECREASE,
        lambda: _isotropic(relative_step=1.0),
    ),
    "sq-scaled-sign": Family(_ANY_CURVATURE, _sq_scaled_sign, _DECREASE, _isotropic),
    "beta-profile": Family(
        _VECTOR, _beta_profile, "lower bound / beta(T)", flat_and_sparse, dimensions=(1, 2, 5, 12, 40)
    ),
    "beta-adaptive": Family(
        {"gradient": Entries()},
        _beta_adaptive,
        "lower bound / max_T beta(T)",
        root_increments,
        dimensions=(1, 2, 5, 12, 40),
    ),
    "sq-rates": Family({name: RUN[name] for name in _STEP}, _sq_rates, PROGRESS, _exact_signs),
    "dynamic-T": Family(
        {name: STEP[name] for name in ("L", "spectrum", "mirror", "gradient")},
        _dynamic,
        "certified / true decrease of one step, and promised / made progress",
        _flat_squares,
        dimensions=(1, 2, 4, 7, 9),
    ),
}
