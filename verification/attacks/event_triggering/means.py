"""Attacks on the convergence of the workers' average, either update (dossier 4.3)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

from taciturn.theory.theorem import Theorem

from ..family import Batch, Family, Instance
from ..fields import Array, Spectrum, Words
from ..functions import square
from ..measures import reached
from .disagreement import NOISY, UPDATES, mean_square, noise_axes
from .networks import complete, figures, lazy, ring
from .setting import DIMENSIONS, ITERATIONS, WORKERS, Network, compared, instance, network, only, rows, simulate, spread

__all__ = ["FAMILIES"]


@dataclass(frozen=True)
class _Averages:
    """What a run shows of the average: exact expectations of quadratics under noise."""

    net: Network
    step_size: Array
    pull: Array
    """1 - mean W_ii for the published update, 0 for the other, (m,)."""
    squared_distance: Array
    gap: Array
    squared_gradient: Array
    V: Array
    """All (m, K + 1)."""

    @property
    def scale(self) -> Array:
        """How far the workers have been from the minimiser, (m, K + 1): rounding is relative to it."""
        return np.maximum.accumulate(np.sqrt(self.V + self.squared_distance), axis=1)


def _averages(batch: Batch) -> _Averages:
    net = network(batch, pulls=rows(batch["pulls"]))
    gamma = batch["relative_step"] / net.L
    start = np.broadcast_to(rows(batch["start"])[:, :1], net.pulls.shape)
    published = batch["update"] == "published"
    points = np.where(
        published[:, None, None, None],
        simulate(net, gamma, batch["threshold"], batch, start).points,
        simulate(net, gamma, batch["threshold"], batch, start, published=False).points,
    )
    noise = spread(net, gamma, noise_axes(batch), batch["noise"])
    mean, H = np.mean(points, axis=2), np.mean(net.hessians, axis=1)
    of_mean = np.einsum("mknipj->mkij", noise) / net.n**2
    second = mean[..., :, None] * mean[..., None, :] + of_mean
    V = np.mean(square(points - mean[:, :, None]), axis=2) + mean_square(noise)
    return _Averages(
        net,
        gamma,
        np.where(published, net.figures.pull, 0.0),
        np.einsum("mkii->mk", second),
        np.einsum("mij,mkji->mk", H, second) / 2,
        np.einsum("mij,mjl,mkli->mk", H, H, second),
        V,
    )


def _attacked(measure: Callable[[Theorem, Batch], Array]) -> Callable[[Theorem, Batch], Array]:
    def ratio(theorem: Theorem, batch: Batch) -> Array:
        moves = np.any(rows(batch["start"])[:, 0] != 0, axis=1)
        return only(figures(batch["W"]).connected & moves, theorem, batch, measure)

    return ratio


def _shared(of: _Averages, batch: Batch) -> dict[str, Array]:
    columns = {
        "L": of.net.L, "step_size": of.step_size * (1 - 1e-12), "pull": of.pull,
        "trigger_threshold": batch["threshold"], "gradient_noise": batch["noise"],
    }  # fmt: skip
    return {name: values[:, None] for name, values in columns.items()} | {"workers": of.net.n}


def _strongly_convex(theorem: Theorem, batch: Batch) -> Array:
    of = _averages(batch)
    mu = of.net.constants["mu"][:, None]
    guarantee = theorem.evaluate(**_shared(of, batch), mu=mu, disagreement=np.max(of.V, axis=1)[:, None])
    measured = np.sqrt(of.squared_distance)
    return compared(measured, guarantee, measured[:, 0], of.scale)


def _convex(theorem: Theorem, batch: Batch) -> Array:
    of, k = _averages(batch), np.arange(1, ITERATIONS + 1)
    V = np.cumsum(of.V[:, :-1], axis=1) / k
    first = of.squared_distance[:, :1]
    bound = theorem.evaluate(**_shared(of, batch), disagreement=V).bound(k, first)
    measured = np.cumsum(of.gap[:, 1:], axis=1) / k
    return np.max(reached(measured, bound, of.net.L[:, None] * of.scale[:, 1:] ** 2), axis=1)


def _nonconvex(theorem: Theorem, batch: Batch) -> Array:
    of, k = _averages(batch), np.arange(1, ITERATIONS + 1)
    V = np.cumsum(of.V[:, :-1], axis=1) / k
    first = np.maximum(of.gap[:, :1], 1e-300)
    bound = theorem.evaluate(**_shared(of, batch), disagreement=V).bound(k, first)
    measured = np.cumsum(of.squared_gradient[:, :-1], axis=1) / k
    return np.max(reached(measured, bound, (of.net.L[:, None] * of.scale[:, :-1]) ** 2), axis=1)


def _held_back() -> Iterator[Instance]:
    """Equal workers whose copies hold them, near the minimiser and where they stay; and workers that pull apart."""
    for W in (ring(4), lazy(ring(8), 0.5), complete(2)):
        n = len(W)
        apart = (np.where(np.arange(n) % 2, -1.0, 1.0) * np.ones((2, 1))).tolist()
        zero, one = np.zeros((2, n)).tolist(), np.ones((2, n)).tolist()
        quiet = {"noise": 1e-9, "axes": one, "pulls": zero, "update": "published", "threshold": 1.0}
        stays = float(1 - W[0, 0])
        axis = [[1.0] * n, [0.0] * n]
        for start in (1e-9, stays):
            for adversary in ("constant", "per link"):
                first = (np.array(axis) * start).tolist()
                yield instance(W, adversary=adversary) | quiet | {"start": first, "directions": axis}
        for update in UPDATES:
            yield instance(W, 1.0, adversary="greedy") | quiet | {"pulls": apart, "update": update}
            yield instance(W, 0.01, 1e3, adversary="greedy") | quiet | {"threshold": 1e-9, "update": update}


_FIELDS = {**WORKERS, **NOISY, "update": Words(UPDATES)}
_FLAT = {**_FIELDS, "spectra": Spectrum(rows=(2,), singular=True)}

FAMILIES = {
    "ev-sc-mean": Family(
        _FIELDS, _attacked(_strongly_convex), "distance of the average / its bound", _held_back, DIMENSIONS
    ),
    "ev-convex": Family(_FLAT, _attacked(_convex), "average gap / its bound", _held_back, DIMENSIONS),
    "ev-nonconvex": Family(
        _FLAT, _attacked(_nonconvex), "average squared gradient / its bound", _held_back, DIMENSIONS
    ),
}
