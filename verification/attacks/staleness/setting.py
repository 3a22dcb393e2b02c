"""From an instance to a run: problem, noise and delays that fit each other, and the comparison with a bound."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

import numpy as np

from taciturn.theory.theorem import Guarantee, Theorem

from ..family import Batch, Family, Instance
from ..fields import Array, Fields
from ..functions import square
from ..measures import reached, stated
from .instances import ITERATIONS, hard, rows
from .moments import FreshMoments, moments
from .noise import Noise, noise
from .workers import Workers, convex_workers, dissimilar_workers

__all__ = [
    "Setting",
    "compared",
    "family",
    "noisy",
    "promise",
    "running_mean",
    "setting",
    "sloped",
    "steep",
    "steep_each",
]


@dataclass(frozen=True)
class Setting:
    """m problems with their noise and delays."""

    batch: Batch
    workers: Workers
    noise: Noise
    delays: Array
    """tau_i^k, 0 for workers that do not exist, shape (m, K, n)."""

    @property
    def tau(self) -> Array:
        """The largest delay, shape (m,)."""
        return np.max(self.delays, axis=(1, 2))

    @property
    def start(self) -> Array:
        """x_0 less the minimiser, shape (m, d)."""
        return self.batch["start"]

    @property
    def squared_distance(self) -> Array:
        """|x_0 - x*|^2, shape (m,)."""
        return square(self.start)

    @property
    def gap(self) -> Array:
        """F(x_0) - F*, shape (m,)."""
        return 0.5 * np.einsum("mi,mij,mj->m", self.start, self.workers.hessian, self.start)

    @property
    def size(self) -> Array:
        """A squared distance: smaller ones by many digits are rounding, shape (m,)."""
        largest_pull = np.max(self.workers.squared_pulls * self.workers.exists, axis=1)
        return self.squared_distance + largest_pull / self.workers.L**2

    def run(self, step_sizes: Array) -> FreshMoments:
        """Run with the step sizes (m, 1) or (m, K), every message used once."""
        m, iterations, _ = self.delays.shape
        steps = np.broadcast_to(step_sizes, (m, iterations))
        return moments(self.workers, self.noise, self.delays, steps, self.start)


def setting(batch: Batch) -> Setting:
    """Return the problems of a batch.

    PermK has as many equal workers as entries; where one worker is drawn per step, all read the same model. Without
    delays in the instance there are none.
    """
    d, n = batch["start"].shape[1], batch["weights"].shape[1]
    equal = (batch["row"] == "permuted")[:, None]
    changed = {**batch, "weights": np.where(equal, np.arange(n) < d, batch["weights"])}
    workers = dissimilar_workers(changed) if "added" in batch else convex_workers(changed)
    drawn = batch.get("delays", np.zeros((len(equal), ITERATIONS, n), dtype=int))
    delays = np.where((batch["row"] == "one worker")[:, None, None], drawn[:, :, :1], drawn)
    return Setting(batch, workers, noise(workers, batch), np.where(workers.exists[:, None], delays, 0))


def sloped(of: Setting) -> Array:
    """Whether F is not constant, and the noise bounded: row 3a knows nothing of linear f_i."""
    return (of.workers.L > 0) & np.isfinite(of.noise.floor)


def steep(of: Setting) -> Array:
    """Whether F is strongly convex, which on quadratics is quadratic growth, conditioned up to 1e6."""
    return sloped(of) & (of.workers.mu > 1e-6 * of.workers.L)


def steep_each(of: Setting) -> Array:
    """Whether every f_i is strongly convex."""
    return sloped(of) & (of.workers.mu_each > 1e-6 * of.workers.L)


def noisy(of: Setting) -> dict[str, Array]:
    """Return the parameters that most bounds share."""
    return {"L_hat": of.workers.L, "noise_slope": of.noise.slope, "noise_floor": of.noise.floor}


def within(
    fields: Fields, hypotheses: Callable[[Setting], Array], ratio: Callable[[Theorem, Setting], Array]
) -> Callable[[Theorem, Batch], Array]:
    """Return the ratio of the instances that meet the hypotheses, NaN for the others.

    Only those rows of the noise table that the fields name are allowed.
    """

    def restricted(theorem: Theorem, batch: Batch) -> Array:
        met = np.isin(batch["row"], rows(fields)) & hypotheses(setting(batch))
        ratios = np.full(len(met), np.nan)
        if np.any(met):
            ratios[met] = ratio(theorem, setting({name: values[met] for name, values in batch.items()}))
        return ratios

    return restricted


def family(
    fields: Fields,
    hypotheses: Callable[[Setting], Array],
    ratio: Callable[[Theorem, Setting], Array],
    compares: str,
    structured: Callable[[], Iterable[Instance]] | None = None,
) -> Family:
    """Return the attack with a ratio on the instances that meet the hypotheses, in one to three dimensions."""
    return Family(fields, within(fields, hypotheses, ratio), compares, structured or hard(fields), (1, 2, 3))


def promise(theorem: Theorem, batch: Batch, **parameters: Array) -> Guarantee:
    """Return what the theorem says of the parameters (m,) at a fraction of the largest step it allows, shape (m, 1)."""
    columns = {name: np.asarray(values)[:, None] for name, values in parameters.items()}
    largest = stated(theorem.evaluate(**columns).step_size)
    return theorem.evaluate(**columns, step_size=batch["relative_step"][:, None] * largest)


def running_mean(values: Array) -> Array:
    """Return the means over k < K of (m, iterations + 1), for K = 1, ..., iterations."""
    return np.cumsum(values[:, :-1], axis=1) / np.arange(1, values.shape[1])


def compared(measured: Array, guarantee: Guarantee, initial: Array, scale: Array) -> Array:
    """Return the largest measured / bound over k = 1, ..., K; NaN where the run starts at the minimum.

    Parameters
    ----------
    measured
        After k iterations, shape (m, K).
    initial, scale
        What the bound starts from, and what it is compared with to see that it is rounding, shape (m,).
    """
    begun = initial > 0
    bound = guarantee.bound(np.arange(1, measured.shape[1] + 1), np.where(begun, initial, 1.0)[:, None])
    ratios = reached(measured, bound, scale[:, None])
    # A run that overflows has left the bound long before.
    return np.where(begun, np.fmax.reduce(ratios, axis=1), np.nan)
