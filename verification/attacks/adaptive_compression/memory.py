"""Attacks on adaptive compression with error feedback (dossier 8.1–8.2)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np

from taciturn.theory.theorem import Guarantee, Theorem

from ..family import Batch, Family, Instance
from ..fields import Array, Entries, Fields, Integers, Positive
from ..functions import square
from ..measures import e_foldings, iterations_missed, promised_e_foldings, quotient, stated
from ..senders import best_sparsity, sorted_sums, top
from .rates import BOUNDED_BELOW, bounded
from .workers import COUNT, SEVERAL, Workers, several

__all__ = ["FAMILIES"]

_STEPS = 12
_PRICE: Fields = {"c0": Positive(1e-3, 100.0), "smallest": Integers(), "relative_step": Positive(0.05, 1.0)}
"""An affine price of c0 + T, the smallest T that is allowed, and the step in units of the largest one."""


def _tuned(batch: Batch, v: Array) -> Array:
    """Keep the entries that CAT chooses of v (m, d) or (m, n, d), and no fewer than allowed."""
    spread = (slice(None),) + (None,) * (v.ndim - 2)
    prices = batch["c0"][spread][..., None] + np.arange(1, v.shape[-1] + 1)
    return top(v, np.maximum(best_sparsity(sorted_sums(v)[2], prices), batch["smallest"][spread]))


def _average_gradient(guarantee: Guarantee, squares: list[Array], initial: Array) -> Array:
    """Compare the average squared gradient of the first k points with its bound, for every k."""
    usable = initial > 0
    initial = np.where(usable, initial, 1.0)
    ratios = []
    for k in range(1, len(squares) + 1):
        average = np.mean(squares[:k], axis=0)
        ratios.append(quotient(average, guarantee.bound(k, initial)))
        ratios.append(iterations_missed(guarantee, k, average, initial))
    return np.where(usable, np.max(ratios, axis=0), np.nan)


def _step(theorem: Theorem, batch: Batch, parameters: Mapping[str, Array]) -> Guarantee:
    largest = stated(theorem.evaluate(**parameters).step_size)
    return theorem.evaluate(**parameters, step_size=batch["relative_step"] * largest)


def _ef14(theorem: Theorem, batch: Batch) -> Array:
    function, x = bounded(batch), batch["start"]
    guarantee = _step(theorem, batch, {"L": batch["L"], "delta": batch["smallest"] / x.shape[1]})
    initial, memory, squares = function.gap(x), np.zeros_like(x), []
    for _ in range(_STEPS):
        g = function.gradient(x)
        squares.append(square(g))
        wanted = stated(guarantee.step_size)[:, None] * g + memory
        sent = _tuned(batch, wanted)
        x, memory = x - sent, wanted - sent
    return _average_gradient(guarantee, squares, initial)


def _parameters(workers: Workers, batch: Batch) -> dict[str, Array]:
    return {
        "L": workers.L,
        "L_tilde": np.sqrt(workers.average(workers.L_i**2)),
        "delta": batch["smallest"] / batch["start"].shape[1],
    }


def _memory_contraction(batch: Batch) -> Array:
    return 1 - np.sqrt(1 - batch["smallest"] / batch["start"].shape[1])


def _ef21_points(workers: Workers, batch: Batch, step_size: Array) -> Iterator[tuple[Array, Array]]:
    """Yield the points, measured from the minimiser, and sum_i p_i |G_i - g_i|^2, at k = 0, 1, ..."""
    e = batch["start"]
    estimates = workers.gradients(e) + batch["first_error"]
    for _ in range(_STEPS + 1):
        gradients = workers.gradients(e)
        yield e, workers.average(square(estimates - gradients))
        e = e - step_size[:, None] * workers.average(estimates)
        estimates = estimates + _tuned(batch, workers.gradients(e) - estimates)


def _ef21(theorem: Theorem, batch: Batch) -> Array:
    workers = several(batch)
    guarantee = _step(theorem, batch, _parameters(workers, batch))
    points = list(_ef21_points(workers, batch, stated(guarantee.step_size)))
    start, errors = points[0]
    potential = workers.mean.gap(start) + stated(guarantee.step_size) / (2 * _memory_contraction(batch)) * errors
    squares = [square(workers.mean.apply(e)) for e, _ in points[:-1]]
    return _average_gradient(guarantee, squares, potential)


def _ef21_pl(theorem: Theorem, batch: Batch) -> Array:
    workers = several(batch)
    parameters = {**_parameters(workers, batch), "mu": np.minimum(workers.mu, workers.L)}
    guarantee = _step(theorem, batch, parameters)
    weight = stated(guarantee.step_size) / _memory_contraction(batch)
    potentials = [
        workers.mean.gap(e) + weight * errors for e, errors in _ef21_points(workers, batch, stated(guarantee.step_size))
    ]
    ratios = []
    for k, potential in enumerate(potentials[1:], 1):
        made = e_foldings(potentials[0] - potential, potentials[0])
        known = potential > 1e-10 * potentials[0]  # below, rounding of the minimiser counts
        ratios.append(np.where(known, quotient(promised_e_foldings(stated(guarantee.rate) ** k), made), 0.0))
    return np.max(ratios, axis=0)


_SEVERAL: Fields = {name: field for name, field in SEVERAL.items() if name != "T"}
_ESTIMATES: Fields = {**_SEVERAL, "first_error": Entries(rows=(COUNT,), zero=True), **_PRICE}
_AVERAGE = "average squared gradient / its bound"


def _exact_estimates() -> Iterator[Instance]:
    for smallest in (1, 2):
        yield {
            "L": 1.0,
            "spectra": [[1.0, 1.0]] * COUNT,
            "mirrors": [[0.0, 0.0]] * COUNT,
            "centres": [[0.0, 0.0]] * COUNT,
            "weights": [1.0] * COUNT,
            "start": [1.0, 1.0],
            "first_error": [[0.0, 0.0]] * COUNT,
            "c0": 1e-3,
            "smallest": smallest,
            "relative_step": 1.0,
        }


FAMILIES = {
    "ef14-cat": Family(
        {
            **{name: BOUNDED_BELOW[name] for name in ("L", "knots", "slopes", "mirror", "start")},
            **_PRICE,
        },
        _ef14,
        _AVERAGE,
        dimensions=(1, 2, 4),
    ),
    "ef21-cat": Family(_ESTIMATES, _ef21, _AVERAGE, _exact_estimates, dimensions=(1, 2, 4)),
    "ef21-cat-pl": Family(
        _ESTIMATES,
        _ef21_pl,
        "promised / made progress in the logarithm of the potential",
        _exact_estimates,
        dimensions=(1, 2, 4),
    ),
}
