"""Attacks on stochastic sparsification, SS (dossier 3)."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from taciturn.solvers.compressors import Bernoulli
from taciturn.solvers.tune import systematic_sample
from taciturn.theory.theorem import Theorem

from ..family import Batch, Family, Instance
from ..fields import Array, Entries, Field, Fields, Integers, Positive, Spectrum, Words
from ..functions import Quadratics, dot, square
from ..measures import agreement, e_foldings, iterations_missed, promised_e_foldings, quotient, reached, stated
from ..outcomes import expected, tree
from ..senders import bernoulli_outcomes, nonzeros, sampling_probabilities, sorted_sums
from .descent import STEP, certified, curvature, quadratics
from .rates import BOUNDED_BELOW, CONVEX, PROGRESS, bounded, convex

__all__ = ["FAMILIES"]

_FRACTION = Positive(0.02, 1.0)
_VECTOR: Fields = {"gradient": Entries(), "fraction": _FRACTION}
_STEP: Fields = {
    **{name: STEP[name] for name in ("L", "spectrum", "mirror", "gradient")},
    "sampling": Words(("optimal", "uniform", "two outcomes")),
    "fraction": _FRACTION,
    "direction": Entries(),
}
"""A quadratic, a gradient, and an unbiased compressor: coins for every entry with T = fraction x d in expectation, or
g + v and g - v with equal probability, where v is along a direction and omega = fraction."""


def _entries(batch: Batch, d: int) -> Array:
    """Return the expected number of entries T."""
    return np.minimum(batch["fraction"] * d, d)


def _covariance(batch: Batch, g: Array) -> Array:
    """Return the covariances of Q, shape (m, d, d)."""
    d = g.shape[1]
    T = _entries(batch, d)
    optimal = sampling_probabilities(g, T)
    p = np.where((batch["sampling"] == "optimal")[:, None], optimal, np.broadcast_to((T / d)[:, None], g.shape))
    coins = np.where(p > 0, g**2 * (1 / np.where(p > 0, p, 1.0) - 1), 0.0)
    v = batch["direction"]
    size = quotient(square(g) * (1 / batch["fraction"] - 1), square(v))
    two_outcomes = size[:, None, None] * v[:, :, None] * v[:, None, :]
    along = (batch["sampling"] == "two outcomes") & (square(v) > 0)
    return np.where(along[:, None, None], two_outcomes, np.eye(d) * coins[:, None, :])


def _sampled(batch: Batch) -> tuple[Quadratics, Array, Array, Array]:
    """Return the quadratics, the gradients, omega, and tr(H cov Q)."""
    function, g = quadratics(batch), batch["gradient"]
    covariance = _covariance(batch, g)
    variance = np.trace(covariance, axis1=1, axis2=2)
    omega = np.where(square(g) > 0, quotient(square(g), square(g) + variance), 1.0)
    return function, g, omega, np.sum(function.hessian * covariance, axis=(1, 2))


def _expected_decrease(function: Quadratics, g: Array, noise: Array, step_size: Array) -> Array:
    return function.decrease(g, g, step_size[:, None] * g) - 0.5 * step_size**2 * noise


def _ss_moments(theorem: Theorem, batch: Batch) -> Array:
    g = batch["gradient"]
    ratios = []
    for row, fraction in zip(g, batch["fraction"], strict=True):
        if not row.any():
            ratios.append(np.nan)
            continue
        T = min(float(fraction) * row.size, row.size)
        declared = float(Bernoulli(T).declared_moments(row).second_moment)
        (p,) = sampling_probabilities(row[None], np.array([T]))
        errors = [probability * square(message - row) for probability, message in bernoulli_outcomes(row, p)]
        entries = stated(theorem.evaluate(omega=min(1 / declared, 1.0)).value)
        ratios.append(float(agreement(1 + sum(errors) / square(row), 1 + entries)))
    return np.array(ratios)


def _omega(g: Array, T: Array) -> Array:
    return quotient(square(g), _second_moment(g, sampling_probabilities(g, T)))


def _second_moment(g: Array, p: Array) -> Array:
    return np.sum(np.where(g != 0, quotient(g**2, p), 0.0), axis=-1)


def _ss_optimal_p(theorem: Theorem, batch: Batch) -> Array:
    g, d = batch["gradient"], batch["gradient"].shape[1]
    T = _entries(batch, d)
    best = _second_moment(g, sampling_probabilities(g, T))
    other = _second_moment(g, sampling_probabilities(batch["other"], T))
    lower = quotient(stated(theorem.evaluate(d=d, T=T).decrease), quotient(square(g), best))
    return np.where(square(g) > 0, np.maximum(lower, quotient(best, other)), np.nan)


def _flat(**parts: object) -> Iterator[Instance]:
    for d in (1, 2, 5):
        for fraction in (0.3, 0.5, 1.0):
            yield {"gradient": [1.0] * d, "fraction": fraction, **{name: [1.0] * d for name in parts}}


def _ss_omega_profile(theorem: Theorem, batch: Batch) -> Array:
    g = batch["gradient"]
    nnz = np.maximum(nonzeros(g), 1)
    T, other = batch["fraction"] * nnz, batch["other"] * nnz
    lower = quotient(stated(theorem.evaluate(nnz=nnz, T=np.minimum(T, nnz)).decrease), _omega(g, T))
    chord = quotient((_omega(g, T) + _omega(g, other)) / 2, _omega(g, (T + other) / 2))
    rising = quotient(_omega(g, np.minimum(T, other)), _omega(g, np.maximum(T, other)))
    return np.where(square(g) > 0, np.max([lower, chord, rising], axis=0), np.nan)


def _ss_order(theorem: Theorem, batch: Batch) -> Array:
    del theorem  # its statement is the comparison itself
    g, d = batch["gradient"], batch["gradient"].shape[1]
    T = _entries(batch, d)
    magnitudes, mass, energy = sorted_sums(g)
    whole = np.floor(T).astype(int)
    before = np.where(whole > 0, np.take_along_axis(energy, np.maximum(whole, 1)[:, None] - 1, axis=1)[:, 0], 0.0)
    following = np.take_along_axis(magnitudes, np.minimum(whole, d - 1)[:, None], axis=1)[:, 0] ** 2
    alpha = (before + (T - whole) * np.where(whole < d, following, 0.0)) / energy[:, -1]
    largest = np.maximum(np.minimum(whole, np.floor(mass[:, -1] / magnitudes[:, 0] * (1 - 1e-12))), 1).astype(int)
    beta = np.take_along_axis(mass, largest[:, None] - 1, axis=1)[:, 0] ** 2 / (largest * energy[:, -1])
    ratio = np.maximum(_omega(g, T) / alpha, _omega(g, largest.astype(float)) / beta)
    return np.where(square(g) > 0, ratio, np.nan)


def _ss_descent(theorem: Theorem, batch: Batch) -> Array:
    function, g, omega, noise = _sampled(batch)
    L = batch["L"]
    guarantee = theorem.evaluate(L=L, omega=omega, step_size=batch["relative_step"] * omega / L)
    return certified(
        stated(guarantee.decrease), L, g, _expected_decrease(function, g, noise, stated(guarantee.step_size))
    )


def _one_step(theorem: Theorem, batch: Batch) -> Array:
    function, g, omega, noise = _sampled(batch)
    guarantee = theorem.evaluate(L=batch["L"], mu=curvature(batch), omega=omega)
    decrease = _expected_decrease(function, g, noise, stated(guarantee.step_size))
    made = e_foldings(decrease, function.gap(function.point(g)))
    return np.where(square(g) > 0, quotient(promised_e_foldings(stated(guarantee.rate)), made), np.nan)


def _ss_pl_rate(theorem: Theorem, batch: Batch) -> Array:
    small = batch["gradient"].shape[1] <= 3
    return np.fmax(_one_step(theorem, batch), _several_steps(theorem, batch) if small else np.nan)


def _several_steps(theorem: Theorem, batch: Batch) -> Array:
    """Compare the expected gap after each of three steps with its bound, over all outcomes."""
    function, L = quadratics(batch), batch["L"]
    start = function.point(batch["gradient"])
    initial, smallest, ratios = function.gap(start), np.ones_like(L), []
    for k, outcomes in enumerate(tree(function, start, L, _entries(batch, start.shape[1]), 3)):
        if k > 0:
            guarantee = theorem.evaluate(L=L, mu=curvature(batch), omega=smallest)
            promised = promised_e_foldings(stated(guarantee.rate) ** k)
            lost = initial - expected(outcomes, function.gap(outcomes.x))
            ratios.append(quotient(promised, e_foldings(lost, initial)))
        smallest = np.minimum(smallest, outcomes.smallest_omega)
    return np.where(initial > 0, np.max(ratios, axis=0), np.nan)


def _ss_distance(theorem: Theorem, batch: Batch) -> Array:
    function, g, omega, _ = _sampled(batch)
    L, mu = batch["L"], curvature(batch)
    guarantee = theorem.evaluate(L=L, mu=mu, omega=omega, relative_step=batch["relative_step"] / L)
    e, step_size = function.point(g), stated(guarantee.step_size)
    decrease = 2 * step_size * dot(g, e) - step_size**2 * square(g) / omega
    promised = promised_e_foldings(stated(guarantee.rate))
    return np.where(square(g) > 0, quotient(promised, e_foldings(decrease, square(e))), np.nan)


def _along_axes(**parts: object) -> Iterator[Instance]:
    for m in (0.05, 0.3, 1.0):
        for omega in (0.1, 0.5, 1.0):
            for axis in ([m, 0.0], [0.0, 1.0]):
                yield {
                    "L": 1.0,
                    "spectrum": [m, 1.0],
                    "mirror": [0.0, 0.0],
                    "gradient": axis,
                    "sampling": "two outcomes",
                    "fraction": omega,
                    "direction": [0.0, 1.0],
                    **parts,
                }


def _distances() -> Iterator[Instance]:
    for relative_step in (0.5, 1.0, 1.9):
        yield from _along_axes(relative_step=relative_step)


def _ss_convex_rate(theorem: Theorem, batch: Batch) -> Array:
    function, L, start = convex(batch), batch["L"], batch["start"]
    initial, smallest, ratios = square(start), np.ones_like(L), []
    started = np.where(initial > 0, initial, 1.0)
    for k, outcomes in enumerate(tree(function, start, L, _entries(batch, start.shape[1]), 3)):
        if k > 0:
            guarantee = theorem.evaluate(L=L, omega=smallest)
            mean = function.gap(outcomes.weighted / outcomes.progress[..., None])
            measured = expected(outcomes, mean)
            ratios.append(quotient(measured, guarantee.bound(k, started)))
            ratios.append(iterations_missed(guarantee, k, measured, started))
        smallest = np.minimum(smallest, outcomes.smallest_omega)
    return np.where(initial > 0, np.max(ratios, axis=0), np.nan)


def _ss_nonconvex_rate(theorem: Theorem, batch: Batch) -> Array:
    function, L, start = bounded(batch), batch["L"], batch["start"]
    initial = function.gap(start)
    started = np.where(initial > 0, initial, 1.0)
    smallest, lowest, ratios = np.ones_like(L), np.full_like(L, np.inf), []
    for k, outcomes in enumerate(tree(function, start, L, _entries(batch, start.shape[1]), 2)):
        smallest = np.minimum(smallest, outcomes.smallest_omega)
        lowest = np.minimum(lowest, expected(outcomes, square(outcomes.gradient)))
        guarantee = theorem.evaluate(L=L, omega=smallest)
        ratios.append(quotient(lowest, guarantee.bound(k + 1, started)))
        ratios.append(iterations_missed(guarantee, k + 1, lowest, started))
    return np.where(initial > 0, np.max(ratios, axis=0), np.nan)


def _ss_fixed_size(theorem: Theorem, batch: Batch) -> Array:
    ratios = []
    for g, T in zip(batch["gradient"], batch["T"], strict=True):
        if nonzeros(g) < T:
            ratios.append(np.nan)
            continue
        (p,) = sampling_probabilities(g[None], np.array([float(T)]))
        # The sample is constant between the fractional parts of the cumulative sums: one uniform number for each.
        ends = np.unique(np.concatenate([[0.0], np.mod(np.cumsum(np.where(p < 1, p, 0.0)), 1.0), [1.0]]))
        lengths, middles = np.diff(ends), (ends[1:] + ends[:-1]) / 2
        lengths, middles = lengths[lengths > 1e-12], middles[lengths > 1e-12]  # shorter ones are rounding
        samples = systematic_sample(np.broadcast_to(p, (middles.size, p.size)), middles)
        entries = stated(theorem.evaluate(d=g.size, T=int(T)).value)
        sizes = np.max(agreement(samples.sum(axis=1), entries))
        ratios.append(max(float(sizes), 1 + float(np.max(np.abs(lengths @ samples - p)))))
    return np.array(ratios)


def _ss_sgd(theorem: Theorem, batch: Batch) -> Array:
    L, mu, function = batch["L"], curvature(batch), quadratics(batch)
    H, g = function.hessian, batch["gradient"]
    omega = batch["fraction"]
    v = batch["noise_direction"]
    scale = np.sqrt(square(g)) * batch["noise"]
    noise = quotient(scale**2, square(v))[:, None, None] * v[:, :, None] * v[:, None, :]
    sigma = np.where(square(v) > 0, scale, 0.0)
    noise = np.where((square(v) > 0)[:, None, None], noise, 0.0)
    guarantee = theorem.evaluate(
        L=L, mu=mu, omega=omega, gradient_noise=sigma, step_size=batch["relative_step"] * omega / L
    )
    e = function.point(g)
    started, moment = function.gap(e), e[:, :, None] * e[:, None, :]
    step = stated(guarantee.step_size)[:, None, None]
    diagonal = np.eye(g.shape[1])
    ratios = []
    for k in range(1, 41):
        # Exact second moments of x - x*: every entry is kept with probability omega, divided by it.
        second = H @ moment @ H + noise
        second = second + (1 / omega - 1)[:, None, None] * diagonal * second
        moment = moment - step * (H @ moment + moment @ H) + step**2 * second
        gap = 0.5 * np.sum(H * moment, axis=(1, 2))
        ratios.append(reached(gap, guarantee.bound(k, started), started))
    return np.max(ratios, axis=0)


def _noisy() -> Iterator[Instance]:
    for fraction in (0.2, 0.5, 1.0):
        for d in (1, 2):
            yield {
                "L": 1.0,
                "spectrum": [1.0] * d,
                "mirror": [0.0] * d,
                "gradient": [1.0] * d,
                "fraction": fraction,
                "noise_direction": [1.0] * d,
                "noise": 100.0,
                "relative_step": 1.0,
            }


def _with_coins(schema: Fields) -> dict[str, Field]:
    """Replace the projection-type compressor of a family by coins."""
    projection = ("compressor", "T", "direction")
    return {**{name: field for name, field in schema.items() if name not in projection}, "fraction": _FRACTION}


_DECREASE = "certified / true expected decrease of one step"
_MANY = (1, 2, 5, 12)

FAMILIES = {
    "ss-moments": Family(
        _VECTOR, _ss_moments, "1 + stated / 1 + enumerated variance, or the reverse", _flat, dimensions=(1, 2, 4, 6)
    ),
    "ss-optimal-p": Family(
        {**_VECTOR, "other": Entries()},
        _ss_optimal_p,
        "lower bound / omega(T), and the second moment / that of other probabilities",
        lambda: _flat(other=None),
        dimensions=_MANY,
    ),
    "ss-omega-profile": Family(
        {**_VECTOR, "other": _FRACTION},
        _ss_omega_profile,
        "lower bound / omega(T), chords / omega, and omega at a smaller / at a larger T",
        lambda: ({**instance, "other": 0.5} for instance in _flat()),
        dimensions=_MANY,
    ),
    "ss-order": Family(_VECTOR, _ss_order, "omega(T) / alpha(T), and omega(T) / beta(T)", _flat, dimensions=_MANY),
    "ss-descent": Family(
        {**_STEP, "spectrum": Spectrum(signed=True), "relative_step": Positive(0.01, 1.9)},
        _ss_descent,
        _DECREASE,
        lambda: _along_axes(relative_step=1.0),
    ),
    "ss-pl-rate": Family(_STEP, _ss_pl_rate, PROGRESS, _along_axes),
    "ss-distance-exact": Family(
        {**_STEP, "relative_step": Positive(0.01, 1.9)},
        _ss_distance,
        "promised / made progress in the logarithm of the squared distance",
        _distances,
    ),
    "ss-convex-rate": Family(
        _with_coins(CONVEX),
        _ss_convex_rate,
        "expected gap of the averaged point / its bound",
        dimensions=(1, 2),
    ),
    "ss-sc-exact": Family(_STEP, _one_step, PROGRESS, _along_axes),
    "ss-nonconvex-rate": Family(
        _with_coins(BOUNDED_BELOW),
        _ss_nonconvex_rate,
        "smallest expected squared gradient / its bound",
        dimensions=(1, 2, 3),
    ),
    "ss-fixed-size": Family(
        {"gradient": Entries(), "T": Integers()},
        _ss_fixed_size,
        "counted / stated entries, or the reverse, and 1 + the error of the inclusion probabilities",
        dimensions=(1, 3, 8),
    ),
    "ss-sgd": Family(
        {
            **{name: _STEP[name] for name in ("L", "spectrum", "mirror", "gradient", "fraction")},
            "noise_direction": Entries(),
            "noise": Positive(1e-3, 100.0),
            "relative_step": Positive(0.01, 1.0),
        },
        _ss_sgd,
        "expected gap / its bound",
        _noisy,
    ),
}
