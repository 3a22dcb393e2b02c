"""Attacks on the update that preserves the average, and on gradient tracking (dossier 4.3, 4.4, 4.9)."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np

from taciturn.theory.theorem import Theorem

from ..family import Batch, Family, Instance
from ..fields import Array, Entries, Integers, Positive
from ..functions import Quadratics, square
from ..measures import agreement, reached, stated
from .networks import MARGIN, complete, figures, lazy, ring
from .setting import DIMENSIONS, ITERATIONS, WORKERS, Network, compared, instance, network, only, rows, simulate, units

__all__ = ["FAMILIES", "track"]


def _attacked(measure: Callable[[Theorem, Batch], Array]) -> Callable[[Theorem, Batch], Array]:
    def ratio(theorem: Theorem, batch: Batch) -> Array:
        moves = np.any(batch["start"] != 0, axis=(1, 2))
        return only(figures(batch["W"]).connected & moves, theorem, batch, measure)

    return ratio


def _parts(X: Array) -> tuple[Array, Array]:
    """sqrt(n) |average| and |disagreement|_F of points (m, ..., n, 2)."""
    mean = np.mean(X, axis=-2, keepdims=True)
    return np.sqrt(X.shape[-2] * square(mean[..., 0, :])), np.sqrt(np.sum((X - mean) ** 2, axis=(-2, -1)))


def _strongly_convex(theorem: Theorem, batch: Batch) -> Array:
    """Points count from the fixed point."""
    net, start = network(batch), rows(batch["start"])
    kappa, of = net.L / net.constants["mu"], net.figures
    gamma = batch["relative_step"] * of.spectral_gap / (2 * net.L * (kappa + 1)) * (1 - 1e-12)
    columns = {
        **net.constants, "spectral_gap": of.spectral_gap, "step_size": gamma, "mixing_strength": of.mixing_strength,
        "trigger_threshold": batch["threshold"],
    }  # fmt: skip
    guarantee = theorem.evaluate(**{name: values[:, None] for name, values in columns.items()}, workers=net.n)
    average, apart = _parts(simulate(net, gamma, batch["threshold"], batch, start, published=False).points)
    measured = np.maximum(average / (2 * kappa[:, None]), apart)
    return compared(measured, guarantee, measured[:, 0], measured[:, 0] + batch["threshold"])


def _instability(theorem: Theorem, batch: Batch) -> Array:
    return only(figures(batch["W"]).mixing_gap > MARGIN, theorem, batch, _hold_instability)


def _period(W: Array, hold: Array, eta: Array, X: Array) -> Array:
    """Return X (m, n, ...) after `hold` iterations with the same copies."""
    copies = X
    for k in range(_LONGEST_HOLD):
        moved = X + eta[:, None, None] * (W @ copies - copies)
        X = np.where((k < hold)[:, None, None], moved, X)
    return X


def _hold_instability(theorem: Theorem, batch: Batch) -> Array:
    """The damping at which a period stops contracting, by bisection; and a run from the start at the stated limit."""
    W, hold, of = batch["W"], batch["hold"], figures(batch["W"])
    n = W.shape[-1]
    limit = stated(theorem.evaluate(lambda_n=of.lambda_n).value)
    low, high = np.zeros(len(W)), np.full(len(W), 4.0) / of.mixing_strength
    for _ in range(60):
        middle = (low + high) / 2
        period = _period(W, hold, middle, np.broadcast_to(np.eye(n), W.shape)) - 1 / n
        grows = np.max(np.abs(np.linalg.eigvalsh(period)), axis=1) >= 1
        low, high = np.where(grows, low, middle), np.where(grows, middle, high)
    apart = batch["start"] - np.mean(batch["start"], axis=1, keepdims=True)
    after = _period(W, hold, limit / hold, apart[..., None])[..., 0]
    return np.maximum(agreement(low * hold, limit), reached(np.sqrt(square(after)), np.sqrt(square(apart)), 1.0))


_LONGEST_HOLD = 6


def _tracking(theorem: Theorem, batch: Batch) -> Array:
    """Workers that may be concave, as long as F is not."""
    net = _tilted(batch)
    of, n, c, d = net.figures, net.n, batch["threshold"], batch["tracker_threshold"]
    mu = np.linalg.eigvalsh(np.mean(net.hessians, axis=1))[:, 0]
    L, theta, B = net.L, of.spectral_gap, of.mixing_strength
    mu = np.minimum(mu * (1 - 1e-12), L)
    kappa = L / mu
    largest = np.minimum(np.minimum(theta / 4, theta**2 / (4 * B)), theta / (2 * np.sqrt(1 + 2 * kappa))) / L
    gamma = batch["relative_step"] * largest * (1 - 1e-12)
    z = gamma * L
    v3 = (L * (B + z + 2 * kappa * z) / (theta - z - gamma * mu / 2))[:, None]
    columns = {
        "L": L, "mu": mu, "spectral_gap": theta, "mixing_strength": B, "step_size": gamma, "trigger_threshold": c,
        "tracker_threshold": d,
    }  # fmt: skip
    guarantee = theorem.evaluate(**{name: values[:, None] for name, values in columns.items()}, workers=n)
    points, trackers = track(net, gamma, c, d, batch)
    average, apart = _parts(points)
    measured = np.maximum(np.maximum(average / (2 * kappa[:, None]), apart), _parts(trackers)[1] / v3)
    return compared(measured, guarantee, measured[:, 0], measured[:, 0] + c + d / L)


def _tilted(batch: Batch) -> Network:
    """Return workers whose Hessians differ by anything that has the mean zero, and pulls."""
    plain = network(batch, common=True, pulls=rows(batch["pulls"]))
    m, n, _ = plain.pulls.shape
    mirrors = rows(batch["tilts"])
    added = Quadratics.along(mirrors.reshape(-1, 2), mirrors.reshape(-1, 2)).hessian.reshape(m, n, 2, 2)
    added = added / np.maximum(np.max(np.abs(added), axis=(1, 2, 3)), 1e-300)[:, None, None, None]
    return Network(plain.W, plain.hessians + added - np.mean(added, axis=1, keepdims=True), plain.pulls)


def track(net: Network, gamma: Array, c: Array, d: Array, batch: Batch) -> tuple[Array, Array]:
    """Run gradient tracking with displaced or triggered copies; points and trackers, (m, K + 1, n, 2)."""
    X = rows(batch["start"])
    Y = net.slopes(X)
    weights, fixed = net.mixing_errors(), units(rows(batch["directions"]))
    held = {"X": X, "Y": Y}
    kind, step = batch["adversary"][:, None, None], gamma[:, None, None]

    def displaced(name: str, V: Array, reach: Array, target: Array, k: int) -> Array:
        held[name] = np.where(np.sqrt(square(V - held[name]))[..., None] >= reach, V, held[name])
        greedy = reach * units(np.swapaxes(weights, -1, -2) @ (target - np.mean(target, axis=1, keepdims=True)))
        return np.select(
            [kind == "constant", kind == "alternating", kind == "triggered"],
            [reach * fixed, (-1.0) ** k * reach * fixed, held[name] - V],
            greedy,
        )

    points, trackers = [X], [Y]
    for k in range(ITERATIONS):
        mixed = net.W @ X - step * Y
        X_next = mixed + weights @ displaced("X", X, c[:, None, None], mixed, k)
        tracked = net.W @ Y + net.slopes(X_next) - net.slopes(X)
        Y = tracked + weights @ displaced("Y", Y, d[:, None, None], tracked, k)
        X = X_next
        points.append(X)
        trackers.append(Y)
    return np.stack(points, axis=1), np.stack(trackers, axis=1)


def _pushed() -> Iterator[Instance]:
    for W in (lazy(complete(2), 0.3), ring(4), lazy(ring(8), 0.5)):
        apart = (np.where(np.arange(len(W)) % 2, -1.0, 1.0) * np.ones((2, 1))).tolist()
        for spectra, threshold in ((1.0, 1.0), (1.0, 1e-9), ([[1.0], [0.01]], 1.0)):
            for adversary in ("greedy", "constant"):
                made = instance(W, spectra, threshold=threshold, adversary=adversary)
                yield {**made, "directions": apart, "start": apart if threshold < 1 else made["start"]}


def _tracked() -> Iterator[Instance]:
    for made in _pushed():
        n = len(made["W"])
        yield {
            **made, "tilts": np.zeros((2, n)).tolist(), "pulls": np.zeros((2, n)).tolist(), "tracker_threshold": 1e-9,
        }  # fmt: skip


def _holds() -> Iterator[Instance]:
    for W in (ring(4), ring(3), complete(2)):
        for hold in (1, 2, 5):
            yield {"W": W.tolist(), "start": np.arange(float(len(W))).tolist(), "hold": hold}


FAMILIES = {
    "ap-sc": Family(WORKERS, _attacked(_strongly_convex), "potential / its bound", _pushed, DIMENSIONS),
    "ap-hold-instability": Family(
        {"W": WORKERS["W"], "start": Entries(), "hold": Integers(1, _LONGEST_HOLD)},
        _instability,
        "damping at which held copies stop contracting / stated limit, or the reverse: an equality",
        _holds,
        dimensions=(2, 3, 5),
    ),
    "event-gt": Family(
        {
            **WORKERS,
            "tilts": Entries(rows=(2,), zero=True),
            "pulls": Entries(rows=(2,), zero=True),
            "tracker_threshold": Positive(1e-12, 1e3),
        },
        _attacked(_tracking),
        "potential / its bound",
        _tracked,
        DIMENSIONS,
    ),
}
