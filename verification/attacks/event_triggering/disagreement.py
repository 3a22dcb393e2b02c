"""Attacks on the bounds of the disagreement of workers with a common Hessian and different pulls (dossier 4.2, 4.9)."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np

from taciturn.theory.theorem import Theorem

from ..family import Batch, Family, Instance
from ..fields import Array, Entries, Fields, Positive, Spectrum, Words
from ..functions import square
from ..measures import quotient, reached, stated
from .networks import MARGIN, complete, figures, gossip_sums, lazy, ring
from .setting import DIMENSIONS, ITERATIONS, WORKERS, Network, instance, network, only, rows, simulate, spread, units

__all__ = ["FAMILIES", "NOISY", "UPDATES", "balanced_pulls", "dissimilarity", "mean_square", "noise_axes"]

UPDATES = ("published", "average-preserving")
NOISY: Fields = {"pulls": Entries(rows=(2,), zero=True), "noise": Positive(1e-9, 1e2), "axes": Entries(rows=(2,))}
"""What the workers disagree about, and the noise of their gradients."""

_DISAGREEING: Fields = {
    **{name: field for name, field in WORKERS.items() if name != "start"},
    **NOISY,
    "spectra": Spectrum(rows=(2,), signed=True),
    "update": Words(UPDATES),
}
"""Without a start: the disagreement does not depend on a common one."""


def balanced_pulls(batch: Batch) -> Array:
    """Return the pulls (m, n, 2)."""
    return rows(batch["pulls"])


def noise_axes(batch: Batch) -> Array:
    """Return the directions of the noise of every worker, (m, n, 2) of length one or zero."""
    return units(rows(batch["axes"]))


def dissimilarity(net: Network) -> Array:
    """Return zeta of workers with a common Hessian, (m,)."""
    return np.sqrt(np.mean(square(net.pulls), axis=1))


def mean_square(covariance: Array) -> Array:
    """Return the part of V that the noise causes, (m, K + 1)."""
    n = covariance.shape[2]
    own = np.einsum("mknini->mk", covariance) / n
    return own - np.einsum("mknipi->mk", covariance) / n**2


def _disagreement(net: Network, batch: Batch, steps: Array, thresholds: Array, published: Array) -> Array:
    """Return sqrt(V_k), (m, K + 1), from a common start, whichever update it is."""
    start = np.zeros(net.pulls.shape)
    V = np.where(
        published[:, None],
        simulate(net, steps, thresholds, batch, start, centred=True).disagreements,
        simulate(net, steps, thresholds, batch, start, published=False, centred=True).disagreements,
    )
    return np.sqrt(V + mean_square(spread(net, steps, noise_axes(batch), batch["noise"], centred=True)))


def _attacked(measure: Callable[[Theorem, Batch], Array]) -> Callable[[Theorem, Batch], Array]:
    def ratio(theorem: Theorem, batch: Batch) -> Array:
        return only(figures(batch["W"]).connected, theorem, batch, measure)

    return ratio


def _consensus(theorem: Theorem, batch: Batch) -> Array:
    net = network(batch, common=True, pulls=balanced_pulls(batch))
    of, published = net.figures, batch["update"] == "published"
    gamma = 0.999 * batch["relative_step"] * of.spectral_gap / net.L
    gain = np.where(published, of.mixing_pull / np.sqrt(net.n), of.mixing_strength)
    value = theorem.evaluate(
        L=net.L, mixing_rate=of.mixing_rate, step_size=gamma, disagreement_gain=gain,
        trigger_threshold=batch["threshold"], uniform_dissimilarity=dissimilarity(net), gradient_noise=batch["noise"],
    ).value  # fmt: skip
    measured = np.max(_disagreement(net, batch, gamma, batch["threshold"], published), axis=1)
    return quotient(measured, stated(value))


def _gossip(theorem: Theorem, batch: Batch) -> Array:
    return only(figures(batch["W"]).mixing_rate < 0.98, theorem, batch, _gossip_sum)


def _gossip_sum(theorem: Theorem, batch: Batch) -> Array:
    net = network(batch, common=True, pulls=balanced_pulls(batch))
    of = net.figures
    gamma = batch["relative_step"] * of.spectral_gap / (2 * net.L)
    value = theorem.evaluate(
        L=net.L, spectral_gap=of.spectral_gap, step_size=gamma, gossip_sum=gossip_sums(of.eigenvalues[:, :-1]),
        trigger_threshold=batch["threshold"], uniform_dissimilarity=dissimilarity(net), gradient_noise=batch["noise"],
    ).value  # fmt: skip
    measured = np.max(_disagreement(net, batch, gamma, batch["threshold"], np.zeros(len(gamma), dtype=bool)), axis=1)
    return quotient(measured, stated(value))


def _decreasing(theorem: Theorem, batch: Batch) -> Array:
    """Steps and thresholds that decay: the disagreement by the theorem's own number, the average by the statement."""
    net = network(batch, common=True, pulls=balanced_pulls(batch))
    of, sigma, n = net.figures, batch["noise"], net.n
    L, mu = net.L, net.mu
    t0 = np.ceil(
        np.maximum(8 * L / (mu * of.spectral_gap), np.maximum(4 / of.spectral_gap, 2)) / batch["relative_step"]
    )
    t = np.arange(ITERATIONS + 1) + t0[:, None]
    gamma = 2 / (mu[:, None] * t)
    C = stated(
        theorem.evaluate(
            spectral_gap=of.spectral_gap, mixing_strength=of.mixing_strength, threshold_scale=batch["threshold"],
            uniform_dissimilarity=dissimilarity(net), gradient_noise=sigma,
        ).value
    )  # fmt: skip
    start = np.broadcast_to(rows(batch["start"])[:, :1], net.pulls.shape)
    steps = gamma[:, :-1]
    path = simulate(net, steps, batch["threshold"][:, None] * steps, batch, start, published=False)
    noise = spread(net, steps, noise_axes(batch), sigma)
    disagreement = np.sqrt(path.disagreements + mean_square(noise))
    scale = np.max(np.abs(start), axis=(1, 2))
    first = np.max(reached(disagreement / gamma, C[:, None], (scale / gamma[:, -1])[:, None]), axis=1)
    mean = square(path.means) + np.einsum("mknipi->mk", noise) / n**2
    paid = (t**2 + 1) * (
        gamma**3 * (L - mu)[:, None] * C[:, None] ** 2 + gamma**2 * (1 + gamma * L[:, None]) * sigma[:, None] ** 2 / n
    )
    sums = np.concatenate([np.zeros((len(t), 1)), np.cumsum(paid, axis=1)[:, :-1]], axis=1)
    bound = (t0[:, None] ** 2 * mean[:, :1] + sums) / t**2
    # The pulls cancel in the average up to rounding, which counts as nothing beside the size of the steps.
    pulled = np.max(np.abs(net.pulls), axis=(1, 2))[:, None] * gamma[:, :1]
    return np.maximum(first, np.max(reached(mean, bound, np.maximum(mean[:, :1], pulled**2))[:, 1:], axis=1))


def _changing(theorem: Theorem, batch: Batch) -> Array:
    """Two networks in turn; neither needs to be connected."""
    pair = np.stack([batch["W"], batch["other"]])
    products = np.stack([pair[1] @ pair[0], pair[0] @ pair[1]]) - 1 / pair.shape[-1]
    rate = np.max(np.linalg.norm(products, ord=2, axis=(-2, -1)), axis=0)
    return only(rate < 1 - MARGIN, theorem, {**batch, "rate": rate}, _time_varying)


def _time_varying(theorem: Theorem, batch: Batch) -> Array:
    net = network(batch, common=True, pulls=balanced_pulls(batch))
    pair, published = (batch["W"], batch["other"]), batch["update"] == "published"
    span, n = 2, net.n
    gain = span / (1 - batch["rate"]) + span - 1
    gamma = batch["relative_step"] / (2 * net.L * gain)
    both = [figures(W) for W in pair]
    a = np.where(
        published,
        np.maximum(both[0].mixing_pull, both[1].mixing_pull),
        np.sqrt(n) * np.maximum(both[0].mixing_strength, both[1].mixing_strength),
    )
    start = np.zeros(net.pulls.shape)
    runs = [
        simulate(
            net, gamma, batch["threshold"], batch, start, published=is_published, centred=True, W=lambda k: pair[k % 2]
        )
        for is_published in (True, False)
    ]
    V = np.where(published[:, None], runs[0].disagreements, runs[1].disagreements)
    value = theorem.evaluate(
        span=span, span_rate=batch["rate"], mixing_input=np.maximum(a, 1e-300), trigger_threshold=batch["threshold"],
        step_size=gamma, uniform_dissimilarity=dissimilarity(net), workers=n,
    ).value  # fmt: skip
    return quotient(np.sqrt(n * np.max(V, axis=1)), stated(value))


def _hard(**parts: object) -> Iterator[Instance]:
    """Two workers, the copies on either side, and curvature that drives them apart; nothing but the noise."""
    for W in (lazy(complete(2), 0.3), ring(4)):
        n = len(W)
        zero, one = np.zeros((2, n)).tolist(), np.ones((2, n)).tolist()
        apart = np.where(np.arange(n) % 2, -1.0, 1.0) * np.ones((2, 1))
        for adversary, threshold, noise in (("greedy", 1.0, 1e-9), ("constant", 1.0, 1e-9), ("greedy", 1e-12, 1.0)):
            made = instance(W, -1.0, 0.0, adversary=adversary, threshold=threshold, directions=apart.tolist())
            made |= {"pulls": zero, "noise": noise, "axes": one, **parts}
            yield {name: value for name, value in made.items() if name != "start"}


def _hard_consensus() -> Iterator[Instance]:
    for update in UPDATES:
        yield from _hard(update=update)


def _hard_decreasing() -> Iterator[Instance]:
    for made in _hard():
        yield {**made, "spectra": np.ones_like(made["spectra"]).tolist(), "start": made["pulls"]}


def _hard_changing() -> Iterator[Instance]:
    for made in _hard_consensus():
        yield {**made, "other": made["W"]}


_ONE_UPDATE = {name: field for name, field in _DISAGREEING.items() if name != "update"}

FAMILIES = {
    "consensus": Family(
        _DISAGREEING, _attacked(_consensus), "largest disagreement / its bound", _hard_consensus, DIMENSIONS
    ),
    "gossip-sum": Family(_ONE_UPDATE, _gossip, "largest disagreement / its bound", _hard, DIMENSIONS),
    "ap-decreasing": Family(
        {**WORKERS, **NOISY},
        _attacked(_decreasing),
        "disagreement / step size, and squared distance of the average / their bounds",
        _hard_decreasing,
        DIMENSIONS,
    ),
    "time-varying": Family(
        {**_DISAGREEING, "other": WORKERS["W"]},
        _changing,
        "largest disagreement / its bound",
        _hard_changing,
        DIMENSIONS,
    ),
}
