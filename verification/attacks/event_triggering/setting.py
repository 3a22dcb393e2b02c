"""Runs of many networks at once: quadratics, copies that an adversary displaces, exact covariance of the noise."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from taciturn.theory.theorem import Guarantee, Theorem

from ..family import Batch
from ..fields import Array, Entries, Fields, Positive, Spectrum, Words
from ..functions import Quadratics, square
from ..measures import reached
from .networks import Figures, Mixings, figures

__all__ = [
    "ADVERSARIES",
    "DIMENSIONS",
    "ITERATIONS",
    "WORKERS",
    "Network",
    "Path",
    "compared",
    "instance",
    "network",
    "only",
    "rows",
    "simulate",
    "spread",
    "units",
]

ITERATIONS = 60
DIMENSIONS = (2, 3, 5, 8)
"""Numbers of workers: vectors of an instance run over the workers, and there are two for the two coordinates."""

ADVERSARIES = ("per link", "greedy", "constant", "alternating", "triggered")
"""Where the copies are, within the threshold: as harmful as possible on every link or for all receivers, always at the
same place, on either side in turn, or where the difference-norm trigger has left them."""

WORKERS: Fields = {
    "W": Mixings(),
    "spectra": Spectrum(rows=(2,)),
    "mirrors": Entries(rows=(2,), zero=True),
    "start": Entries(rows=(2,), zero=True),
    "directions": Entries(rows=(2,)),
    "threshold": Positive(1e-12, 1e3),
    "relative_step": Positive(1e-2, 1.0),
    "adversary": Words(ADVERSARIES),
}
"""The parts of an instance of a network of quadratics whose largest curvature is one."""


def rows(values: Array) -> Array:
    """Return vectors over the workers (m, 2, n) as rows of workers (m, n, 2)."""
    return np.swapaxes(values, -1, -2)


def units(vectors: Array) -> Array:
    """Return the vectors (..., d) scaled to length one, zero if they are zero."""
    size = np.sqrt(square(vectors))[..., None]
    return np.where(size > 0, vectors / np.where(size > 0, size, 1.0), 0.0)


@dataclass(frozen=True)
class Network:
    """m networks of workers ``f_i(x) = <x, H_i x>/2 + <pull_i, x>``."""

    W: Array
    """(m, n, n)."""
    hessians: Array
    """(m, n, 2, 2)."""
    pulls: Array
    """(m, n, 2)."""

    @cached_property
    def figures(self) -> Figures:
        """Spectral figures of W, symmetric."""
        return figures(self.W)

    @cached_property
    def curvatures(self) -> Array:
        """Eigenvalues of all workers, (m, n, 2)."""
        return np.linalg.eigvalsh(self.hessians)

    @property
    def n(self) -> int:
        """Number of workers."""
        return int(self.W.shape[-1])

    @cached_property
    def L(self) -> Array:
        """Largest curvature in modulus, (m,)."""
        return np.max(np.abs(self.curvatures), axis=(1, 2))

    @cached_property
    def mu(self) -> Array:
        """Smallest curvature, (m,)."""
        return np.min(self.curvatures, axis=(1, 2))

    @property
    def constants(self) -> dict[str, Array]:
        """L and mu as parameters of a theorem; the exact L of the instance is one, whatever rounding says."""
        return {"L": self.L, "mu": np.minimum(self.mu, self.L)}

    def slopes(self, X: Array) -> Array:
        """Gradients at the workers' own points (m, n, 2)."""
        return np.einsum("mnij,mnj->mni", self.hessians, X) + self.pulls

    def off_diagonal(self) -> Array:
        """W without its diagonal: what multiplies the copies in the published update."""
        return self.W * (1 - np.eye(self.n))

    def mixing_errors(self) -> Array:
        """W - I: what multiplies the copies in the average-preserving update."""
        return self.W - np.eye(self.n)


def network(batch: Batch, *, common: bool = False, pulls: Array = 0.0) -> Network:
    """Return the networks of a batch; with `common` all workers have the Hessian of the first one.

    Pulls (m, n, 2) are balanced, so that the minimiser is the origin.
    """
    spectra, mirrors = rows(batch["spectra"]), rows(batch["mirrors"])
    if common:
        spectra, mirrors = (np.broadcast_to(values[:, :1], values.shape) for values in (spectra, mirrors))
    m, n, d = spectra.shape
    hessians = Quadratics.along(spectra.reshape(-1, d), mirrors.reshape(-1, d)).hessian.reshape(m, n, d, d)
    hessians = (hessians + np.swapaxes(hessians, -1, -2)) / 2
    balanced = np.broadcast_to(pulls, spectra.shape)
    return Network(batch["W"], hessians, balanced - np.mean(balanced, axis=1, keepdims=True))


@dataclass(frozen=True)
class Path:
    """A run: points (m, K + 1, n, 2) and errors E of the mixing (m, K, n, 2)."""

    points: Array
    errors: Array

    @property
    def means(self) -> Array:
        """Averages of the workers, (m, K + 1, 2)."""
        return np.mean(self.points, axis=2)

    @property
    def disagreements(self) -> Array:
        """V_k, (m, K + 1)."""
        return np.mean(square(self.points - self.means[:, :, None]), axis=2)


def simulate(
    net: Network,
    steps: Array,
    thresholds: Array,
    batch: Batch,
    start: Array,
    *,
    published: bool = True,
    centred: bool = False,
    W: Callable[[int], Array] | None = None,
    iterations: int = ITERATIONS,
) -> Path:
    """Run either update from `start` (m, n, 2) with copies within the thresholds, steps and thresholds (m,) or (m, K).

    ``X <- W X + E - step (gradients)``; E is what the adversary of the instance makes of the displacements it chooses.
    With `centred` the average is taken off in every iteration: with a common Hessian the disagreement does not depend
    on it, and concave workers would carry it away.
    """
    gamma = np.broadcast_to(np.reshape(steps, (len(start), -1)), (len(start), iterations))
    c = np.broadcast_to(np.reshape(thresholds, (len(start), -1)), (len(start), iterations))
    kind = batch["adversary"][:, None, None]
    X, copies, fixed = start, start, units(rows(batch["directions"]))
    points, errors = [X], []
    for k in range(iterations):
        here = net.W if W is None else W(k)
        diagonal = np.diagonal(here, axis1=-2, axis2=-1)[..., None]
        weights = here * (1 - np.eye(net.n)) if published else here - np.eye(net.n)
        reach = c[:, k, None, None]
        copies = np.where(np.sqrt(square(X - copies))[..., None] >= reach, X, copies)
        target = here @ X - gamma[:, k, None, None] * net.slopes(X)
        seen = target if published else target - np.mean(target, axis=1, keepdims=True)
        greedy = reach * units(np.swapaxes(weights, -1, -2) @ seen)
        moved = np.select(
            [kind == "constant", kind == "alternating", kind == "triggered"],
            [reach * fixed, (-1.0) ** k * reach * fixed, copies - X],
            greedy,
        )
        E = weights @ moved
        if published:
            E = np.where(kind == "per link", (1 - diagonal) * reach * units(target), E)
        X = target + E
        if centred:
            X = X - np.mean(X, axis=1, keepdims=True)
        points.append(X)
        errors.append(E)
    return Path(np.stack(points, axis=1), np.stack(errors, axis=1))


def spread(
    net: Network, steps: Array, axes: Array, sigma: Array, *, centred: bool = False, iterations: int = ITERATIONS
) -> Array:
    """Return the exact covariance (m, K + 1, n, 2, n, 2) of the points under noise along unit axes (m, n, 2).

    The noise of a worker has the variance sigma^2, and the copies do not look at it. With `centred` it is that of
    the points less their average, as in `simulate`.
    """
    m, n, d = net.pulls.shape
    gamma = np.broadcast_to(np.reshape(steps, (m, -1)), (m, iterations))
    own = sigma[:, None, None, None] ** 2 * axes[..., :, None] * axes[..., None, :]
    noise = np.einsum("mnij,nk->mnikj", own, np.eye(n)).reshape(m, n * d, n * d)
    mixing = np.einsum("mnk,ij->mnikj", net.W, np.eye(d)).reshape(m, n * d, n * d)
    hessian = np.einsum("mnij,nk->mnikj", net.hessians, np.eye(n)).reshape(m, n * d, n * d)
    project = np.kron(np.eye(n) - float(centred) / n, np.eye(d))
    C, all_of_them = np.zeros((m, n * d, n * d)), []
    for k in range(iterations + 1):
        all_of_them.append(C)
        if k < iterations:
            A = mixing - gamma[:, k, None, None] * hessian
            C = A @ C @ np.swapaxes(A, -1, -2) + gamma[:, k, None, None] ** 2 * noise
            C = project @ C @ project
    return np.stack(all_of_them, axis=1).reshape(m, iterations + 1, n, d, n, d)


def compared(measured: Array, guarantee: Guarantee, initial: Array, scale: Array) -> Array:
    """Return the largest measured / bound over k = 1, ..., K of (m, K + 1), whose bound has parameters (m, 1).

    The scale, (m,) or (m, K + 1), is that of the points: what is smaller by many digits is rounding.
    """
    k = np.arange(1, measured.shape[1])
    begun = np.maximum(initial, np.finfo(float).tiny)[:, None]
    sizes = np.broadcast_to(np.reshape(scale, (len(measured), -1)), measured.shape)
    return np.max(reached(measured[:, 1:], guarantee.bound(k, begun), sizes[:, 1:]), axis=1)


def only(met: Array, theorem: Theorem, batch: Batch, ratio: Callable[[Theorem, Batch], Array]) -> Array:
    """Return the ratios of the instances that meet the hypotheses, NaN for the others."""
    ratios = np.full(len(met), np.nan)
    if np.any(met):
        ratios[met] = ratio(theorem, {name: values[met] for name, values in batch.items()})
    return ratios


def instance(W: Array, spectra: Array = 1.0, start: Array = 1.0, **parts: object) -> dict[str, object]:
    """Return an instance of unrotated quadratics, all as given, on a network; other parts may replace these."""
    n = len(W)
    same = {"spectra": spectra, "start": start, "mirrors": 0.0, "directions": 1.0}
    vectors = {name: np.broadcast_to(value, (2, n)).tolist() for name, value in same.items()}
    chosen = {"threshold": 1e-12, "relative_step": 1.0, "adversary": "per link"}
    return {"W": W.tolist(), **vectors, **chosen, **parts}
