"""Attacks on several workers that compress on their own (dossier 5.10–5.12)."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from taciturn.solvers.tune import coordinated_tune
from taciturn.theory.communication import AffineCost
from taciturn.theory.theorem import Theorem

from ..family import Batch, Family, Instance
from ..fields import Array, Entries, Fields, Integers, Positive, Spectrum, Words
from ..functions import Quadratics, reflection, square
from ..measures import agreement, reached, stated
from ..senders import (
    bernoulli_outcomes,
    best_sparsity,
    sampling_probabilities,
    scaled_sign,
    share,
    sorted_sums,
    top,
)
from .descent import SCALES

__all__ = ["FAMILIES", "SEVERAL", "Workers", "several"]

COUNT = 2

SEVERAL: Fields = {
    "L": SCALES,
    "spectra": Spectrum(condition=1e3, rows=(COUNT,)),
    "mirrors": Entries(rows=(COUNT,), zero=True),
    "centres": Entries(rows=(COUNT,), zero=True),
    "weights": Positive(0.05, 1.0, rows=(COUNT,)),
    "start": Entries(),
    "T": Integers(rows=(COUNT,)),
}
"""Workers with quadratics of their own: curvatures up to L, centres that differ, a start and the T of every worker."""


@dataclass(frozen=True)
class Workers:
    """F = sum_i p_i f_i with f_i(x) = 1/2 <x - c_i, H_i (x - c_i)>; points are measured from the minimiser of F."""

    hessians: Array
    """H_i, shape (m, n, d, d)."""

    weights: Array
    """p_i, shape (m, n)."""

    at_minimiser: Array
    """The gradients of the f_i at the minimiser of F, shape (m, n, d)."""

    mean: Quadratics
    """F, shifted to its minimiser."""

    @property
    def L(self) -> Array:
        """Smoothness of F, shape (m,)."""
        return np.linalg.eigvalsh(self.mean.hessian)[:, -1]

    @property
    def mu(self) -> Array:
        """Strong convexity of F, shape (m,)."""
        return np.linalg.eigvalsh(self.mean.hessian)[:, 0]

    @property
    def L_i(self) -> Array:
        """Smoothness of every f_i, shape (m, n)."""
        return np.linalg.eigvalsh(self.hessians)[..., -1]

    def gradients(self, e: Array) -> Array:
        """Return the gradients of all f_i at the points e (m, d), shape (m, n, d)."""
        return np.einsum("mnij,mj->mni", self.hessians, e) + self.at_minimiser

    def average(self, values: Array) -> Array:
        """Return sum_i p_i values_i of (m, n, ...)."""
        return np.einsum("mn,mn...->m...", self.weights, values)


def several(batch: Batch) -> Workers:
    """Return the workers of a batch."""
    axes = reflection(batch["mirrors"])
    hessians = (axes * (batch["L"][:, None, None] * batch["spectra"])[..., None, :]) @ axes
    weights = batch["weights"] / np.sum(batch["weights"], axis=1, keepdims=True)
    mean = np.einsum("mn,mnij->mij", weights, hessians)
    pulls = np.einsum("mnij,mnj->mni", hessians, batch["centres"])
    minimiser = np.linalg.solve(mean, np.einsum("mn,mni->mi", weights, pulls)[..., None])[..., 0]
    return Workers(hessians, weights, np.einsum("mnij,mj->mni", hessians, minimiser) - pulls, Quadratics(mean))


def _mn_descent(theorem: Theorem, batch: Batch) -> Array:
    workers = several(batch)
    gradients, L = workers.gradients(batch["start"]), workers.L
    T = batch["T"]
    q = np.where((batch["compressor"] == "top-T")[:, None, None], top(gradients, T), scaled_sign(gradients, T))
    g, sent = workers.average(gradients), workers.average(q)
    step = stated(theorem.evaluate(L=L).step_size)[:, None] * sent
    # No number is stated: the right-hand side, which may be negative, is compared on the scale of the gradients.
    promised = (square(g) - workers.average(square(gradients) - square(q))) / (2 * L)
    slack = workers.mean.decrease(batch["start"], g, step) - promised
    return 1 - slack * 2 * L / workers.average(square(gradients))


def _alike(**parts: object) -> Iterator[Instance]:
    for gap in (0.0, 1.0):
        yield {
            "L": 1.0,
            "spectra": [[1.0, 1.0]] * COUNT,
            "mirrors": [[0.0, 0.0]] * COUNT,
            "centres": [[gap, -gap], [-gap, gap]],
            "weights": [1.0] * COUNT,
            "start": [2.0, 1.0],
            "T": [1] * COUNT,
            **parts,
        }


_BEZNOSIKOV = np.array([[-3.0, 2.0, 2.0], [2.0, -3.0, 2.0], [2.0, 2.0, -3.0]])


def _mn_divergence(theorem: Theorem, batch: Batch) -> Array:
    step_size = batch["step_size"]
    x = batch["scale"][:, None] * np.ones(3)
    initial = np.sqrt(square(x))
    T = np.arange(1, 4)
    prices = batch["c1"][:, None] * (batch["overhead"][:, None] * 0.999 * 40 / 81 + T)
    guarantee, ratios = theorem.evaluate(step_size=step_size), []
    for k in range(1, 7):
        gradients = 2 * (x @ _BEZNOSIKOV.T)[..., None] * _BEZNOSIKOV + 0.5 * x[:, None]
        chosen = best_sparsity(sorted_sums(gradients)[2], prices[:, None])
        x = x - step_size[:, None] * np.mean(top(gradients, chosen), axis=1)
        ratios.append(agreement(np.sqrt(square(x)), guarantee.bound(k, initial)))
    # An equality, up to the rounding of six steps.
    return np.max(ratios, axis=0)


def _mn_neighbourhood(theorem: Theorem, batch: Batch) -> Array:
    workers = several(batch)
    L, e, T = workers.L, batch["start"], batch["T"]
    gaps, shares, squares, totals = [workers.mean.gap(e)], [], [], []
    for _ in range(6):
        gradients = workers.gradients(e)
        q = top(gradients, T)
        shares.append(np.min(share(gradients, q), axis=1))
        squares.append(square(workers.average(gradients)))
        totals.append(workers.average(square(gradients)))
        e = e - workers.average(q) / L[:, None]
        gaps.append(workers.mean.gap(e))
    alpha = np.maximum(np.min(shares, axis=0), 1e-6)
    # Any relative dissimilarity that the theorem allows, with the smallest absolute one that covers this run.
    G = 1 + batch["relative"] * 0.99 * (1 / np.maximum(1 - alpha, 1e-3) - 1)
    B = np.sqrt(np.maximum(np.max(np.array(totals) - G * np.array(squares), axis=0), 0.0))
    guarantee = theorem.evaluate(L=L, mu=np.minimum(workers.mu, L), alpha_min=alpha, dissimilarity=G, heterogeneity=B)
    scale = gaps[0] + np.max(totals, axis=0) / (2 * workers.mu)
    ratios = [reached(gap, guarantee.bound(k, gaps[0]), scale) for k, gap in enumerate(gaps) if k > 0]
    return np.max(ratios, axis=0)


def _mn_ss(theorem: Theorem, batch: Batch) -> Array:
    workers, T = several(batch), batch["T"]
    e, d, L = batch["start"], batch["start"].shape[1], workers.L
    nu = d / T - 1
    noise = workers.weights**2 * nu
    parameters = {
        "L": L,
        "mu": np.minimum(workers.mu, L),
        "noise_smoothness": np.max(workers.weights * nu * workers.L_i, axis=1),
        "noise_at_optimum": np.sum(noise * square(workers.at_minimiser), axis=1),
    }
    largest = stated(theorem.evaluate(**parameters).step_size)
    guarantee = theorem.evaluate(**parameters, step_size=batch["relative_step"] * largest)
    initial = square(e)
    ratios = [reached(_enumerated(workers, e, T, stated(guarantee.step_size)), guarantee.bound(1, initial), initial)]
    for k, distance in enumerate(_squared_distances(workers, e, noise, stated(guarantee.step_size), 30), 1):
        ratios.append(reached(distance, guarantee.bound(k, initial), initial))
    return np.max(ratios, axis=0)


def _enumerated(workers: Workers, e: Array, T: Array, step_size: Array) -> Array:
    """Return E|e+|^2 after one step with the optimal probabilities, over all coins of all workers."""
    gradients = workers.gradients(e)
    coins = [
        list(bernoulli_outcomes(gradients[:, i], sampling_probabilities(gradients[:, i], T[:, i].astype(float))))
        for i in range(gradients.shape[1])
    ]
    total = np.zeros(len(e))
    for outcomes in itertools.product(*coins):
        sent = workers.average(np.stack([message for _, message in outcomes], axis=1))
        chance = np.prod([probability for probability, _ in outcomes], axis=0)
        total += chance * square(e - step_size[:, None] * sent)
    return total


def _squared_distances(workers: Workers, e: Array, noise: Array, step_size: Array, steps: int) -> Iterator[Array]:
    """Yield E|e_k|^2, k = 1, 2, ..., for uniform probabilities: a recursion of the first two moments."""
    H, step = workers.mean.hessian, step_size[:, None, None]
    moment = e[:, :, None] * e[:, None, :]
    for _ in range(steps):
        mean_gradients = np.einsum("mnij,mj->mni", workers.hessians, e)
        squared = np.einsum("mnij,mjk,mnki->mni", workers.hessians, moment, workers.hessians)
        squared += 2 * mean_gradients * workers.at_minimiser + workers.at_minimiser**2
        variance = np.einsum("mn,mni->mi", noise, squared)
        moment = moment - step * (H @ moment + moment @ H) + step**2 * (H @ moment @ H)
        moment = moment + step**2 * np.eye(e.shape[1]) * variance[:, None, :]
        e = e - step_size[:, None] * workers.mean.apply(e)
        yield np.trace(moment, axis1=1, axis2=2)


def _mn_price(theorem: Theorem, batch: Batch) -> Array:
    ratios = []
    for gradients, weights, c0, c1 in zip(*(batch[name] for name in ("gradients", "weights", "c0", "c1")), strict=True):
        n, d = gradients.shape
        costs = [AffineCost(float(a * b), float(b)) for a, b in zip(c0, c1, strict=True)]
        prices = np.stack([cost(np.arange(1, d + 1)) for cost in costs])
        energy = weights[:, None] / np.sum(weights) * sorted_sums(gradients)[2]
        local = best_sparsity(energy, prices)[:, None] - 1
        achieved = np.sum(np.take_along_axis(energy, local, 1)) / np.sum(np.take_along_axis(prices, local, 1))
        choices = np.array(list(itertools.product(range(d), repeat=n)))
        workers = np.arange(n)
        best = np.max(np.sum(energy[workers, choices], axis=1) / np.sum(prices[workers, choices], axis=1))
        own = np.max(energy / prices, axis=1)
        value = stated(theorem.evaluate(smallest_efficiency=np.min(own), largest_efficiency=np.max(own)).value)
        joint = coordinated_tune(gradients, (weights / np.sum(weights)).tolist(), costs)
        ratios.append(max(value * best / achieved, best / joint.price))
    return np.array(ratios)


def _equal_workers() -> Iterator[Instance]:
    yield {"gradients": [[2.0, 1.0]] * 3, "weights": [1.0] * 3, "c0": [1.0] * 3, "c1": [1.0] * 3}


FAMILIES = {
    "mn-descent": Family(
        {**SEVERAL, "compressor": Words(("top-T", "scaled sign"))},
        _mn_descent,
        "1 - slack of the decrease in units of sum p_i |g_i|^2/(2L)",
        lambda: _alike(compressor="top-T"),
    ),
    "mn-divergence": Family(
        {
            "step_size": Positive(1e-3, 10.0),
            "scale": SCALES,
            "overhead": Positive(1e-3, 1.0),
            "c1": Positive(0.1, 10.0),
        },
        _mn_divergence,
        "measured / stated distance, or the reverse: an equality",
        dimensions=(1,),
    ),
    "mn-neighbourhood": Family(
        {**SEVERAL, "relative": Positive(1e-3, 1.0)}, _mn_neighbourhood, "gap / its bound", lambda: _alike(relative=0.5)
    ),
    "mn-ss": Family(
        {**SEVERAL, "relative_step": Positive(0.01, 1.0)},
        _mn_ss,
        "expected squared distance / its bound",
        lambda: _alike(relative_step=1.0),
        dimensions=(1, 2, 3),
    ),
    "mn-price": Family(
        {
            "gradients": Entries(rows=(3,)),
            "weights": Positive(0.05, 1.0, rows=(3,)),
            "c0": Positive(1e-3, 100.0, rows=(3,)),
            "c1": Positive(0.1, 10.0, rows=(3,)),
        },
        _mn_price,
        "promised share of the best joint efficiency / that of local CAT, and the best / the coordinated one",
        _equal_workers,
        dimensions=(1, 2, 4),
    ),
}
