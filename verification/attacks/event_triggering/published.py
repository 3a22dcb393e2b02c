"""Attacks on the convergence of the published update, and on where it settles (dossier 4.3, 4.5)."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np

from taciturn.theory.theorem import Theorem

from ..family import Batch, Family, Instance
from ..fields import Array, Entries, Fields, Positive
from ..functions import square
from ..measures import agreement, reached, stated
from .networks import MARGIN, complete, figures, lazy, ring
from .setting import (
    DIMENSIONS,
    ITERATIONS,
    WORKERS,
    Network,
    compared,
    instance,
    network,
    only,
    rows,
    simulate,
    spread,
    units,
)

__all__ = ["FAMILIES", "fixed_point"]


def _whole(values: Array) -> Array:
    """Frobenius norms of (m, ..., n, 2)."""
    return np.sqrt(np.sum(values**2, axis=(-2, -1)))


def _admissible(measure: Callable[[Theorem, Batch], Array]) -> Callable[[Theorem, Batch], Array]:
    """Leave out networks that swap two halves: no step is admissible there."""

    def ratio(theorem: Theorem, batch: Batch) -> Array:
        return only(1 + figures(batch["W"]).lambda_n > MARGIN, theorem, batch, measure)

    return ratio


def _step(net: Network, batch: Batch) -> Array:
    return batch["relative_step"] * (1 + net.figures.lambda_n) / (net.L + net.constants["mu"]) * (1 - 1e-12)


def _columns(**parameters: Array) -> dict[str, Array]:
    return {name: np.asarray(values)[:, None] for name, values in parameters.items()}


def _strongly_convex(theorem: Theorem, batch: Batch) -> Array:
    """Points count from the fixed point, where the dynamics of quadratics is linear; the noise by its covariance."""
    net, start = network(batch), rows(batch["start"])
    gamma = _step(net, batch)
    path = simulate(net, gamma, batch["threshold"], batch, start)
    noise = spread(net, gamma, units(rows(batch["axes"])), batch["noise"])
    guarantee = theorem.evaluate(
        **_columns(
            **net.constants, lambda_n=net.figures.lambda_n, step_size=gamma, mixing_pull=net.figures.mixing_pull,
            trigger_threshold=batch["threshold"], gradient_noise=batch["noise"],
        ),
        workers=net.n,
    )  # fmt: skip
    measured = np.sqrt(np.sum(path.points**2, axis=(2, 3)) + np.einsum("mknini->mk", noise))
    return compared(measured, guarantee, measured[:, 0], _whole(start) + batch["threshold"])


def _posterior(theorem: Theorem, batch: Batch) -> Array:
    """Copies anywhere, as far away as the threshold of an iteration allows, which the theorem does not know."""
    net, start = network(batch), rows(batch["start"])
    gamma = _step(net, batch)
    path = simulate(net, gamma, batch["threshold"][:, None] * np.abs(batch["reach"]), batch, start)
    errors = _whole(path.errors)
    guarantee = theorem.evaluate(
        **_columns(
            **net.constants, lambda_n=net.figures.lambda_n, step_size=gamma, measured_error=np.max(errors, axis=1)
        )
    )
    measured = _whole(path.points)
    scale = measured[:, 0] + np.max(errors, axis=1)
    by_the_largest = compared(measured, guarantee, measured[:, 0], scale)
    bound, ratios = measured[:, 0], []
    for k in range(ITERATIONS):
        bound = stated(guarantee.rate)[:, 0] * bound + errors[:, k]
        ratios.append(reached(measured[:, k + 1], bound, scale))
    return np.maximum(by_the_largest, np.max(ratios, axis=0))


def fixed_point(net: Network, step_size: Array) -> Array:
    """Return the solution X (m, n, 2) of ``X = W X - step_size (gradients at X)``."""
    m, n, d = net.pulls.shape
    mixing = np.einsum("mnk,ij->mnikj", np.eye(n) - net.W, np.eye(d))
    curved = np.einsum("mnij,nk->mnikj", net.hessians, np.eye(n))
    matrix = (mixing + step_size[:, None, None, None, None] * curved).reshape(m, n * d, n * d)
    right = -(step_size[:, None, None] * net.pulls).reshape(m, n * d, 1)
    return np.linalg.solve(matrix, right).reshape(m, n, d)


def _bias(theorem: Theorem, batch: Batch) -> Array:
    return only(1 - figures(batch["W"]).lambda_2 > MARGIN, theorem, batch, _fixed_point_bias)


def _fixed_point_bias(theorem: Theorem, batch: Batch) -> Array:
    net = network(batch, pulls=rows(batch["pulls"]))
    gamma = batch["step"] / net.L
    dissimilarity = np.sqrt(np.mean(square(net.pulls), axis=1))
    value = theorem.evaluate(
        **net.constants, lambda_2=net.figures.lambda_2, step_size=gamma, optimum_dissimilarity=dissimilarity
    ).value
    X = fixed_point(net, gamma)
    # Rounding of the pulls, 1e-16 of them, moves the average by as much as their imbalance over mu.
    scale = dissimilarity / net.mu
    return reached(_whole(X) / np.sqrt(net.n), stated(value), 1e-3 * scale)


def _stuck(theorem: Theorem, batch: Batch) -> Array:
    """The trigger itself, from just below the critical start."""
    mu, w, c = batch["mu"], batch["w"], batch["threshold"]
    gamma = batch["relative_step"] * w / mu
    x = sent = (1 - 1e-10) * c * (1 - w + gamma * mu) / (gamma * mu)
    events = np.zeros(len(x))
    for _ in range(400):
        fires = np.abs(x - sent) >= c
        events += fires
        sent = np.where(fires, x, sent)
        x = w * x + (1 - w) * sent - gamma * mu * x
    value = theorem.evaluate(mu=mu, self_weight=w, step_size=gamma, trigger_threshold=c).value
    return np.where(events > 0, np.inf, agreement(x, stated(value)))


def _relative(theorem: Theorem, batch: Batch) -> Array:
    return only(figures(batch["W"]).lambda_n > MARGIN, theorem, batch, _relative_threshold)


def _relative_threshold(theorem: Theorem, batch: Batch) -> Array:
    """Errors of the mixing as large as the statement allows, that slow the step down, or in a fixed direction."""
    net, X = network(batch), rows(batch["start"])
    share = batch["share"]
    gamma = batch["relative_step"] * net.figures.lambda_n / net.L * (1 - 1e-12)
    guarantee = theorem.evaluate(
        **_columns(**net.constants, lambda_n=net.figures.lambda_n, step_size=gamma, relative_threshold=share)
    )
    fixed = rows(batch["directions"])
    fixed = fixed / np.maximum(_whole(fixed), 1e-300)[:, None, None]
    slows = (batch["adversary"] != "constant")[:, None, None]
    potentials = []
    for _ in range(ITERATIONS + 1):
        step = X - net.W @ X + gamma[:, None, None] * net.slopes(X)  # gamma grad Phi
        potentials.append(np.sum(X * step, axis=(1, 2)) / (2 * gamma))
        error = np.where(slows, step, _whole(step)[:, None, None] * fixed)
        X = X - step + share[:, None, None] * error
    measured = np.stack(potentials, axis=1)
    return compared(measured, guarantee, measured[:, 0], measured[:, 0])


_NOISE: Fields = {"noise": Positive(1e-12, 1e2), "axes": Entries(rows=(2,))}


def _attained() -> Iterator[Instance]:
    """Nothing but the start; copies that all pull away; nothing but the noise of workers that do not mix."""
    for W in (ring(4), lazy(ring(8), 0.5), complete(2)):
        quiet = {"noise": 1e-12, "axes": np.ones((2, len(W))).tolist()}
        yield instance(W, [[1.0], [0.1]], [[0.0], [1e3]]) | quiet
        for adversary in ("per link", "greedy", "constant"):
            yield instance(W, 1.0, 0.0, threshold=1.0, adversary=adversary) | quiet
    yield instance(np.eye(3), 1.0, 0.0) | {"noise": 1.0, "axes": np.ones((2, 3)).tolist(), "relative_step": 0.5}


def _measured() -> Iterator[Instance]:
    for made in _attained():
        kept = {name: value for name, value in made.items() if name not in _NOISE}
        yield {**kept, "reach": [1.0] * ITERATIONS}


def _opposed() -> Iterator[Instance]:
    """Workers that pull apart, some of them steep and some flat."""
    for W in (complete(2), ring(4)):
        n = len(W)
        pulls = np.where(np.arange(n) % 2, -1.0, 1.0) * np.ones((2, 1))
        for spectra in (1.0, np.where(np.arange(n) % 2, 0.01, 1.0)):
            for step in (1e-3, 1.0):
                made = instance(W, spectra)
                yield {name: made[name] for name in ("W", "spectra", "mirrors")} | {
                    "pulls": pulls.tolist(), "step": step,
                }  # fmt: skip


def _critical() -> Iterator[Instance]:
    for w, step in ((1 / 3, 1.0), (1 / 3, 0.03), (0.5, 0.1), (0.9, 1.0)):
        yield {"mu": 1.0, "w": w, "threshold": 0.1, "relative_step": step}


def _braked() -> Iterator[Instance]:
    for share in (1e-3, 0.3, 0.9):
        yield {**instance(np.eye(3)), "share": share}
        yield {**instance(lazy(ring(4), 0.5), [[1.0], [0.1]]), "share": share}


FAMILIES = {
    "eg-sc": Family(
        {**WORKERS, **_NOISE}, _admissible(_strongly_convex), "distance from the fixed point / its bound", _attained,
        DIMENSIONS,
    ),
    "ev-posterior": Family(
        {**WORKERS, "reach": Positive(1e-6, 1e3, rows=(ITERATIONS,))},
        _admissible(_posterior),
        "distance from the fixed point / what the measured errors prove",
        _measured,
        DIMENSIONS,
    ),
    "dgd-bias": Family(
        {
            **{name: WORKERS[name] for name in ("W", "spectra", "mirrors")},
            "pulls": Entries(rows=(2,)),
            "step": Positive(1e-3, 10.0),
        },
        _bias,
        "distance of the fixed point from the solution / its bound",
        _opposed,
        DIMENSIONS,
    ),
    "eg-stuck": Family(
        {
            "mu": Positive(1e-2, 1e2),
            "w": Positive(0.02, 0.9),
            "threshold": Positive(1e-3, 1e3),
            "relative_step": Positive(1e-2, 1.0),
        },
        _stuck,
        "where the trigger leaves the workers / stated distance, or the reverse: an equality",
        _critical,
        dimensions=(1,),
    ),
    "relative-threshold": Family(
        {**WORKERS, "share": Positive(1e-3, 0.999)}, _relative, "potential / its bound", _braked, DIMENSIONS
    ),
}  # fmt: skip
