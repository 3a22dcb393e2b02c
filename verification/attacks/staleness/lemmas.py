"""Attacks on the lemmas about Bregman distances and about sequences (dossier 3.1)."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np

from taciturn.theory.stale_steps import inverse_powers
from taciturn.theory.theorem import Theorem

from ..adaptive_compression.descent import SCALES
from ..family import Batch, Family, Instance
from ..fields import Array, Entries, Integers, Positive, Spectrum
from ..functions import Quadratics, dot, reflected, reflection, square
from ..measures import quotient, reached

__all__ = ["FAMILIES", "bregman", "huber_bregman", "three_point"]

_NODES, _WEIGHTS = np.polynomial.legendre.leggauss(24)
_COUNT = 3


def bregman(gradient: Callable[[Array], Array], x: Array, y: Array) -> Array:
    """Return D_f(x, y) = int_0^1 <grad f(y + t (x - y)) - grad f(y), x - y> dt from the gradient of f alone.

    Points have the shape (..., d). The quadrature is exact to rounding where the gradient is a polynomial along the
    segment, or changes on no shorter scale than the segment itself.
    """
    step, first = x - y, gradient(y)
    values = [weight * dot(gradient(y + (node + 1) / 2 * step) - first, step) for node, weight in _pairs()]
    return np.sum(values, axis=0) / 2


def _pairs() -> Iterator[tuple[float, float]]:
    return zip(_NODES.tolist(), _WEIGHTS.tolist(), strict=True)


def three_point(
    value: Callable[[Array], Array], gradient: Callable[[Array], Array], x: Array, y: Array, z: Array
) -> Array:
    """Return the difference of both sides of the identity at points (..., d)."""
    right = value(x) - value(z) + bregman(gradient, z, y) - bregman(gradient, x, y)
    return np.abs(dot(gradient(y), x - z) - right)


def _three_point(theorem: Theorem, batch: Batch) -> Array:
    """Quadratics, convex or not, plus waves as long as the points are far apart."""
    del theorem
    x, y, z, heights = (batch[name] for name in ("x", "y", "z", "heights"))
    length = np.max(np.abs(np.stack([x, y, z])), axis=(0, 2))[:, None]
    quadratics = Quadratics.along(batch["spectrum"], batch["mirror"])

    def value(v: Array) -> Array:
        return quadratics.gap(v) + np.sum(heights * length**2 * np.cos(v / length), axis=-1)

    def gradient(v: Array) -> Array:
        return quadratics.gradient(v) - heights * length * np.sin(v / length)

    # All terms are at most of this size, up to a few times: their sums may be small by cancellation.
    scale = length[:, 0] ** 2 * np.sum(np.abs(batch["spectrum"]) + np.abs(heights), axis=-1)
    return 1 + three_point(value, gradient, x, y, z) / scale


def huber_bregman(c: Array, u: Array, knee: Array) -> Array:
    """Return the Bregman distance of the Huber function of curvature 1 from u to c, without cancellation."""
    m_c, m_u = np.clip(c, -knee, knee), np.clip(u, -knee, knee)
    return (m_c - m_u) ** 2 / 2 + (m_c - m_u) * (c - m_c)


def _cocoercive(theorem: Theorem, batch: Batch) -> Array:
    """Huber functions along reflected axes, f' = curvature * clip(coordinate, -knee, knee): quadratic if it is long."""
    del theorem
    curvatures = batch["L"][:, None, None] * batch["spectra"]
    p = batch["weights"] / np.sum(batch["weights"], axis=1, keepdims=True)
    knee = batch["knee"][:, None, None]
    c, u = (reflected(batch["mirrors"], v) for v in (batch["minimiser"][:, None], batch["points"]))
    w = reflected(batch["mirrors"], curvatures * (np.clip(u, -knee, knee) - np.clip(c, -knee, knee)))
    D = np.sum(p * np.sum(curvatures * huber_bregman(c, u, knee), axis=-1), axis=1)
    axes = reflection(batch["mirrors"])
    matrices = (axes * curvatures[..., None, :]) @ axes
    L_hat = np.linalg.eigvalsh(np.einsum("mn,mnij->mij", p, matrices))[:, -1]
    L_i = np.max(curvatures, axis=-1)
    sums = {
        "mean": (square(np.einsum("mn,mni->mi", p, w)), L_hat),
        "squares": (np.sum(p**2 * square(w), axis=1), np.max(p * L_i, axis=1)),
        "relative squares": (np.sum(p * quotient(square(w), L_i), axis=1), np.ones(len(p))),
    }
    return np.max([quotient(left, 2 * constant * D) for left, constant in sums.values()], axis=0)


def _absorption(theorem: Theorem, batch: Batch) -> Array:
    """The largest sequence that the recursion allows, for W as drawn and q T_rho(tau) = share * p."""
    del theorem
    W, tau, rho, r = np.abs(batch["W"]), batch["tau"], batch["rho"], batch["floor"]
    total = inverse_powers(rho, tau)
    p = batch["p"]
    q = np.where(tau > 0, batch["share"] * p / np.maximum(total, 1.0), 0.0)
    V, bound, ratios = batch["V"], batch["V"], []
    for k in range(W.shape[1]):
        recent = np.arange(W.shape[1])
        window = np.sum(np.where((recent >= k - tau[:, None]) & (recent < k), W, 0.0), axis=1)
        V = rho * V - p * W[:, k] + q * window + r
        bound = rho * bound + r
        ratios.append(reached(V, bound, batch["V"] + p * np.max(W, axis=1)))
    return np.max(ratios, axis=0)


def _max_recursion(theorem: Theorem, batch: Batch) -> Array:
    """The largest sequence that the recursion allows: it increases with every earlier entry."""
    q = batch["total"] * batch["split"]
    a, window, r = batch["total"] - q, batch["window"], batch["floor"]
    guarantee = theorem.evaluate(current_weight=a, window_weight=q, window=window)
    values, ratios = [batch["V"]], []
    for k in range(30):
        seen = np.stack(values)
        inside = np.arange(k + 1)[:, None] >= k - window
        values.append(a * values[-1] + q * np.max(np.where(inside, seen, 0.0), axis=0) + r)
        ratios.append(quotient(values[-1], guarantee.bound(k + 1, batch["V"]) + r / (1 - a - q)))
    return np.max(ratios, axis=0)


def _equal_workers() -> Iterator[Instance]:
    """All three sums are attained by equal quadratics at equal points."""
    yield {
        "L": 2.0,
        "spectra": [[1.0, 1.0]] * _COUNT,
        "mirrors": [[0.0, 0.0]] * _COUNT,
        "weights": [1.0] * _COUNT,
        "knee": 100.0,
        "minimiser": [0.0, 0.0],
        "points": [[1.0, -2.0]] * _COUNT,
    }


def _one_impulse() -> Iterator[Instance]:
    """W on one index, paid back in full within the window (dossier 3.1, sharpness)."""
    for tau, rho in ((0, 0.9), (1, 1.0), (3, 0.9), (4, 0.5)):
        impulse = [1.0] + [0.0] * 11
        yield {"W": impulse, "tau": tau, "rho": rho, "p": 1.0, "share": 1.0, "floor": 1e-6, "V": 10.0}


def _constant_delay() -> Iterator[Instance]:
    """Nothing but the oldest value counts: the root and its closed form agree."""
    for window, total in ((0, 0.5), (1, 0.25), (4, 0.9)):
        yield {"total": total, "split": 1.0, "window": window, "floor": 1e-6, "V": 10.0}


FAMILIES = {
    "lemma-three-point": Family(
        {
            "spectrum": Spectrum(signed=True),
            "mirror": Entries(zero=True),
            "heights": Entries(zero=True),
            "x": Entries(),
            "y": Entries(),
            "z": Entries(),
        },
        _three_point,
        "1 + difference of both sides, Bregman distances by integration / the size of their terms",
    ),
    "lemma-cocoercive-matrix": Family(
        {
            "L": SCALES,
            "spectra": Spectrum(rows=(_COUNT,), singular=True),
            "mirrors": Entries(rows=(_COUNT,), zero=True),
            "weights": Positive(0.05, 1.0, rows=(_COUNT,)),
            "knee": Positive(0.01, 100.0),
            "minimiser": Entries(zero=True),
            "points": Entries(rows=(_COUNT,)),
        },
        _cocoercive,
        "largest of the three sums / what the Bregman distances pay for",
        _equal_workers,
    ),
    "lemma-absorption": Family(
        {
            "W": Entries(zero=True),
            "tau": Integers(0, 8),
            "rho": Positive(0.3, 1.0),
            "p": Positive(0.01, 10.0),
            "share": Positive(0.1, 1.0),
            "floor": Positive(1e-6, 1.0),
            "V": Positive(0.1, 1e3),
        },
        _absorption,
        "largest sequence / its bound",
        _one_impulse,
        dimensions=(6, 12, 25),
    ),
    "lemma-max-recursion": Family(
        {
            "total": Positive(0.01, 0.999),
            "split": Positive(0.001, 1.0),
            "window": Integers(0, 8),
            "floor": Positive(1e-6, 1.0),
            "V": Positive(0.1, 1e3),
        },
        _max_recursion,
        "largest sequence / its bound",
        _constant_delay,
        dimensions=(1,),
    ),
}
