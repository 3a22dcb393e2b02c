"""Attacks on the exact contraction of error feedback and EF21, and on the step nobody may exceed (3.6, 3.11)."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from taciturn.solvers.linear_instances import linear_instances, radius
from taciturn.theory.memory_constants import memory_cost
from taciturn.theory.theorem import Theorem

from ..family import Batch, Family, Instance
from ..fields import Array, Entries, Fields, Positive, Spectrum
from ..functions import Quadratics, square
from ..measures import agreement, quotient, stated
from ..staleness.delays import Weights
from .instances import COMPRESSION, PROBLEMS, STEP, WORKERS, alone
from .setting import Setting, by_noise, kept_back

__all__ = ["FAMILIES"]

_STEPS = 8


def _curvatures(of: Setting) -> tuple[Array, Array]:
    """The smallest and the largest of all workers; apart, as the statement asks."""
    smallest, largest = of.workers.mu_each, of.workers.L_max
    return np.minimum(smallest, (1 - 1e-3) * largest), largest


def _ef_tight(theorem: Theorem, of: Setting) -> Array:
    """Any memories, a few steps; all workers have the same contraction."""
    mu, L = _curvatures(of)
    usable = of.q[:, 0] > 0
    s = np.where(usable, of.q[:, 0], 0.5)
    limit = 2 / L * (1 - s) / (1 + s)
    step = of.batch["relative_step"] * (1 - 1e-6) * limit
    rate = stated(theorem.evaluate(L_max=L, mu=mu, delta=1 - s**2, step_size=step).rate)
    size = step[:, None, None, None]
    x, e = of.batch["start"][:, None], (of.batch["first_error"] * of.batch["L"][:, None, None])[:, None]

    def potential(x: Array, e: Array) -> Array:
        apart = square(x[:, :, None] - size * e)
        mean = square(step[:, None, None] * of.mean(e))
        return np.einsum("mn,mNn->mN", of.weights, apart)[:, 0] + mean[:, 0] / s

    before, ratios = potential(x, e), []
    first = before
    for k in range(_STEPS):
        v = e + of.gradients(x)
        e = of.kept_back(v, k)
        x = x - step[:, None, None] * of.mean(v - e)
        after = potential(x, e)
        # What is left of the start after cancellation is rounding.
        ratios.append(np.where(after > 1e-18 * first, quotient(after, rate * before), 0.0))
        before = after
    return np.where(usable, np.max(ratios, axis=0), np.nan)


def _ef21_tight(theorem: Theorem, batch: Batch) -> Array:
    curvatures = batch["L"][:, None] * batch["spectrum"]
    function = Quadratics.along(curvatures, batch["mirror"])
    L = np.max(curvatures, axis=1)
    mu = np.minimum(np.min(curvatures, axis=1), (1 - 1e-3) * L)
    d = batch["start"].shape[1]
    counts = np.clip(np.ceil(batch["delta"] * d - 1e-9), 1, d).astype(int)
    s = np.sqrt(1 - np.where(batch["compressor"] == "top-k", counts / d, batch["delta"]))
    usable = s > 0
    s = np.where(usable, s, 0.5)
    step = batch["relative_step"] * (1 - 1e-6) * 2 / L * (1 - s) / (1 + s)
    rate = stated(theorem.evaluate(L_max=L, mu=mu, delta=1 - s**2, step_size=step).rate)
    x = batch["start"]
    g = function.gradient(x)
    estimate = g + batch["L"][:, None] * batch["first_error"]
    before = square(g) + square(estimate - g) / s
    first, ratios = before, []
    for k in range(_STEPS):
        x = x - step[:, None] * estimate
        g = function.gradient(x)
        v = (g - estimate)[:, None, None]
        estimate = g - kept_back(batch, s[:, None], counts[:, None], v[:, 0], v, k)[:, 0, 0]
        after = square(g) + square(estimate - g) / s
        ratios.append(np.where(after > 1e-18 * first, quotient(after, rate * before), 0.0))
        before = after
    return np.where(usable & (first > 0), np.max(ratios, axis=0), np.nan)


def _memoryless(theorem: Theorem, batch: Batch) -> Array:
    curvatures = batch["L"][:, None] * batch["spectrum"]
    function = Quadratics.along(curvatures, batch["mirror"])
    L = np.max(curvatures, axis=1)
    mu = np.minimum(np.min(curvatures, axis=1), (1 - 1e-3) * L)
    x, d = batch["start"], batch["start"].shape[1]
    counts = np.clip(np.ceil(batch["delta"] * d - 1e-9), 1, d).astype(int)
    s = np.sqrt(1 - np.where(batch["compressor"] == "top-k", counts / d, batch["delta"]))
    usable = s > 0
    s = np.where(usable, s, 0.5)
    guarantee = theorem.evaluate(L=L, mu=mu, delta=1 - s**2)
    gap, ratios = function.gap(x), []
    for k in range(_STEPS):
        v = function.gradient(x)[:, None, None]
        sent = (v - kept_back(batch, s[:, None], counts[:, None], v[:, 0], v, k))[:, 0, 0]
        x = x - stated(guarantee.step_size)[:, None] * sent
        after = function.gap(x)
        ratios.append(quotient(after, stated(guarantee.rate) * gap))
        gap = after
    return np.where(usable, np.max(ratios, axis=0), np.nan)


def _step_limit(theorem: Theorem, batch: Batch) -> Array:
    """The shortest step at which the linear instance has the eigenvalue -1, and its growth with longer ones."""
    exists = batch["weights"] > 0
    p = batch["weights"] / np.sum(batch["weights"], axis=1, keepdims=True)
    L_i = batch["L"][:, None] * batch["smoothness"]
    mean, memory = np.sum(p * L_i, axis=1), np.sum(p * L_i * memory_cost(batch["delta"]), axis=1)
    limit = stated(theorem.evaluate(mean_smoothness=mean, memory_smoothness=memory).value)
    left = -np.sqrt(1 - np.where(exists, batch["delta"], 1.0))
    ratios = []
    for method in ("EF", "EF21"):
        # The instance is linear in the step size: det(A + step B) = 0.
        at_zero, at_one = (linear_instances(p, L_i, left, np.full(len(p), step), method) for step in (0.0, 1.0))
        identity = np.eye(p.shape[1] + 1)
        inverses = -np.linalg.eigvals(np.linalg.solve(at_zero + identity, at_one - at_zero)).real
        ratios.append(agreement(1 / np.max(inverses, axis=1), limit))
        for longer in (1.0, 1.5, 10.0):
            ratios.append(1 / radius(linear_instances(p, L_i, left, longer * limit, method)))
    # An eigenvalue of modulus 1 is known to fewer digits than the step.
    return np.max(np.where(np.abs(np.array(ratios) - 1) < 1e-8, 1.0, ratios), axis=0)


def _eigenvectors() -> Iterator[Instance]:
    """mu x^2/2 for short steps and L x^2/2 for long ones, C(v) = (1 + s) v, started on the eigenvector."""
    mu, L = 0.1, 1.0
    for delta in (0.36, 0.75, 0.96):
        s = np.sqrt(1 - delta)
        limit = 2 / L * (1 - s) / (1 + s)
        for share in (0.3, 1 / (L + mu), 0.97):
            step = share * (1 - 1e-6) * limit
            for curvature in (mu, L):
                start, memory = _eigenvector(curvature, s, step)
                # The other curvature is there, but nothing moves along it.
                yield alone(
                    [mu, L],
                    start=[start, 0.0] if curvature == mu else [0.0, start],
                    first_error=[[memory, 0.0] if curvature == mu else [0.0, memory]] * WORKERS,
                    delta=delta,
                    compressor="over",
                    relative_step=share,
                )


def _eigenvector(curvature: float, s: float, step: float) -> tuple[float, float]:
    """x and e (gradient units) of the eigenvalue of largest modulus of (x, e) -> (x - step (v - e+), -s v)."""
    keeps = np.array([-s * curvature, -s])  # e+ = -s (curvature x + e)
    moves = np.array([1.0, 0.0]) - step * (1 + s) * np.array([curvature, 1.0])
    values, vectors = np.linalg.eig(np.stack([moves, keeps]))
    x, e = vectors[:, np.argmax(np.abs(values))].real
    return float(x), float(e)


def _matching(fields: Fields) -> Iterator[Instance]:
    for instance in _eigenvectors():
        yield {name: instance[name] for name in fields}


def _one_worker() -> Iterator[Instance]:
    """EF21: x and the estimate's error on the eigenvector of the same map, X = gradient."""
    for instance in _eigenvectors():
        spectrum = instance["spectra"][0]
        delta, share = instance["delta"], instance["relative_step"]
        s = np.sqrt(1 - delta)
        step = share * (1 - 1e-6) * 2 * (1 - s) / (1 + s)
        along = int(np.argmax(np.abs(instance["start"])))
        curvature = spectrum[along]
        # x+ = x - step d, d+ = d + (1 + s)(curvature x+ - d)
        moves = np.array([1.0, -step])
        values, vectors = np.linalg.eig(np.stack([moves, (1 + s) * curvature * moves + np.array([0.0, -s])]))
        x, estimate = vectors[:, np.argmax(np.abs(values))].real
        axis = np.eye(2)[along]
        yield {
            "L": 1.0,
            "spectrum": spectrum,
            "mirror": [0.0, 0.0],
            "start": (x * axis).tolist(),
            "first_error": ((estimate - curvature * x) * axis).tolist(),
            "delta": delta,
            "compressor": "over",
            "direction": [1.0, 0.0],
            "relative_step": share,
        }


def _scaled() -> Iterator[Instance]:
    """mu x^2/2 with C(v) = (1 - s) v, L x^2/2 with C(v) = (1 + s) v."""
    for compressor, start in (("under", [1.0, 0.0]), ("over", [0.0, 1.0])):
        for delta in (0.19, 0.75):
            yield {
                "L": 2.0,
                "spectrum": [0.1, 1.0],
                "mirror": [0.0, 0.0],
                "start": start,
                "delta": delta,
                "compressor": compressor,
                "direction": [1.0, 0.0],
            }


def _volumes() -> Iterator[Instance]:
    for delta in ([0.9] * WORKERS, [0.5, 0.4, 0.3, 0.2, 0.1]):
        for weights in ([1.0] * WORKERS, [1.0, 0.05, 0.05, 0.0, 0.0]):
            yield {"L": 1.0, "smoothness": [1.0] * WORKERS, "weights": weights, "delta": delta}


_WEIGHTED: Fields = {**PROBLEMS, **COMPRESSION, "delta": Positive(0.02, 0.999), **STEP}
_TIGHT: Fields = {**_WEIGHTED, "first_error": Entries(rows=(WORKERS,), zero=True)}
_ONE: Fields = {
    "L": Positive(0.01, 100.0),
    "spectrum": Spectrum(),
    "mirror": Entries(zero=True),
    "start": Entries(),
    "delta": Positive(0.02, 0.999),
    "compressor": COMPRESSION["compressor"],
    "direction": Entries(),
}

FAMILIES = {
    "ef-tight": Family(
        _TIGHT,
        by_noise(_ef_tight),
        "potential after a step / its bound",
        lambda: _matching(_TIGHT),
        dimensions=(1, 2, 6),
    ),
    "ef-ef21-isomorphism": Family(
        {**_ONE, "first_error": Entries(zero=True), **STEP},
        _ef21_tight,
        "potential after a step / its bound",
        _one_worker,
        dimensions=(1, 2, 6),
    ),
    "memoryless-tight": Family(_ONE, _memoryless, "gap after a step / its bound", _scaled, dimensions=(1, 2, 6)),
    "step-limit": Family(
        {
            "L": Positive(0.01, 100.0),
            "smoothness": Positive(1e-2, 1.0, rows=(WORKERS,)),
            "weights": Weights(WORKERS),
            "delta": Positive(0.02, 1.0, rows=(WORKERS,)),
        },
        _step_limit,
        "step with the eigenvalue -1 / stated limit, or the reverse; 1 / spectral radius beyond it",
        _volumes,
        dimensions=(1,),
    ),
}
