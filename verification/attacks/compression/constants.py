"""The table of exact constants: the moments of every compressor at a vector, and the vectors where they are worst.

Moments are expectations in closed form, so that a search looks for a vector and nothing else. Vectors have the shape
(m, d), parameters of the compressors (m,), or (m, d) for one number an entry (dossier 2.1.2).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from scipy import stats

from taciturn.theory.theorem import Theorem

from ..family import Batch, Family, Instance, as_record
from ..fields import Array, Entries, Fields, Integers, Positive, Spectrum
from ..functions import dot, square
from ..measures import quotient, stated
from ..senders import sampling_probabilities, top

__all__ = ["CONSTANTS", "FAMILIES", "Constant", "evaluated"]


@dataclass(frozen=True)
class Constant:
    """A compressor of the table, as something that can be measured.

    Parameters
    ----------
    measure
        Takes vectors and the parameters of the compressor to what the theorem's constant is the extremum of.
    extremal
        Takes the dimension and the parameters to the vectors that attain the constant, wherever it is exact.
    settings
        Parameters with which hard instances of a dimension are made.
    fields
        How parameters are drawn.
    is_supremum
        Whether the constant is the supremum of the measure, or its infimum.
    exact
        Takes the dimension and the parameters to whether the statement calls the constant exact.
    """

    measure: Callable[..., Array]
    extremal: Callable[..., Array]
    settings: Callable[[int], Iterable[Mapping[str, Any]]] = lambda d: ({},)
    fields: Fields = field(default_factory=dict)
    is_supremum: bool = True
    exact: Callable[..., Array] = lambda d, **parameters: np.array(True)

    def share(self, theorem: Theorem, v: Array, parameters: Mapping[str, Array]) -> Array:
        """Return measured / stated for a supremum, stated / measured for an infimum: at most 1 where it holds."""
        measured = self.measure(v, **parameters)
        constant = evaluated(theorem, v.shape[-1], parameters)
        return quotient(measured, constant) if self.is_supremum else quotient(constant, measured)

    def ratio(self, theorem: Theorem, batch: Batch) -> Array:
        """Compare with the constant at the vectors, and, where it is called exact, where it should be attained."""
        v, parameters = batch["gradient"], {name: batch[name] for name in self.fields}
        d = v.shape[1]
        attained = self.share(theorem, np.broadcast_to(self.extremal(d, **parameters), v.shape), parameters)
        missed = np.where(self.exact(d, **parameters), quotient(1.0, attained), 0.0)
        return np.where(square(v) > 0, np.maximum(self.share(theorem, v, parameters), missed), np.nan)

    def instances(self, dimensions: Iterable[int]) -> Iterator[Instance]:
        """Yield the extremal vectors of some dimensions."""
        for d in dimensions:
            for parameters in self.settings(d):
                batch = {name: np.asarray(value)[None] for name, value in parameters.items()}
                (v,) = np.atleast_2d(self.extremal(d, **batch))
                yield as_record({"gradient": v, **parameters})


def evaluated(theorem: Theorem, d: int, parameters: Mapping[str, Array]) -> Array:
    """Return the theorem's constant, for those of the parameters that it speaks of."""
    given = {"d": d, **parameters}
    return stated(theorem.evaluate(**{entry.name: given[entry.name] for entry in theorem.parameters}).value)


# ---- unbiased: E|Q(v)|^2 / |v|^2 ----


def _divided(v: Array, probabilities: Array) -> Array:
    """Entries kept with these probabilities and divided by them."""
    return quotient(np.sum(np.where(v != 0, quotient(v**2, probabilities), 0.0), axis=-1), square(v))


def _counted(v: Array, k: Array, draws: Callable[[Array], Any]) -> Array:
    """Entries times d/k times the number of times that each is drawn, of the given distribution on 0..k."""
    d, counts = v.shape[-1], np.arange(np.max(k) + 1)
    squared_count = draws(k[:, None]).pmf(counts) @ counts**2
    return quotient(np.sum(((d / k) ** 2 * squared_count)[:, None] * v**2, axis=-1), square(v))


def _rounded(v: Array, scale: Array, levels: Callable[[Array], tuple[Array, Array]]) -> Array:
    """Magnitudes |v|/scale rounded at random, without bias, to the levels below and above."""
    u = np.abs(v) / np.where(scale > 0, scale, 1.0)[..., None]
    lower, upper = levels(u)
    return 1 + quotient(np.sum((u - lower) * (upper - u), axis=-1) * scale**2, square(v))


def _norm(v: Array) -> Array:
    return np.sqrt(square(v))


def _largest(v: Array) -> Array:
    return np.max(np.abs(v), axis=-1)


def _equidistant(levels: Array) -> Callable[[Array], tuple[Array, Array]]:
    """Multiples of 1/levels."""
    s = np.asarray(levels)[..., None]
    return lambda u: (np.floor(s * u) / s, (np.floor(s * u) + 1) / s)


def _powers(base: Array) -> Callable[[Array], tuple[Array, Array]]:
    """Zero and the powers of a base."""
    b = np.asarray(base, dtype=float)[..., None]

    def levels(u: Array) -> tuple[Array, Array]:
        lower = b ** np.floor(np.log(np.where(u > 0, u, 1.0)) / np.log(b))
        return np.where(u > 0, lower, 0.0), np.where(u > 0, b * lower, 0.0)

    return levels


def _dithered(levels: Array) -> Callable[[Array], tuple[Array, Array]]:
    """Zero and the powers of two from 2^(1 - levels) to 1."""
    smallest = 2.0 ** (1 - np.asarray(levels)[..., None])

    def around(u: Array) -> tuple[Array, Array]:
        lower, upper = _powers(np.array(2.0))(u)
        return np.where(u < smallest, 0.0, lower), np.where(u < smallest, smallest, upper)

    return around


def _probabilities(smallest_probability: Array, spectrum: Array) -> Array:
    """Probabilities in [smallest, 1], the smallest where the spectrum is 1."""
    return np.minimum(smallest_probability[:, None] / spectrum, 1.0)


def _one_and_others(d: int, others: Array) -> Array:
    """One entry 1, the others equal."""
    return np.where(np.arange(d) == 0, 1.0, np.asarray(others)[..., None])


def _worst_of_rounding(d: int, spacing: Array) -> Array:
    """The second moment alpha of rounding to 0 and the spacing where the largest entry is 1: it is worst for others of
    spacing / (2 alpha), with 4 alpha (alpha - 1) = (d - 1) spacing^2."""
    return (1 + np.sqrt(1 + (d - 1) * spacing**2)) / 2


def _max_norm(d: int, levels: Array) -> Array:
    return _one_and_others(d, 1 / (2 * levels * _worst_of_rounding(d, 1 / levels)))


def _max_norm_dithered(d: int, levels: Array) -> Array:
    smallest = 2.0 ** (1 - levels)
    return _one_and_others(d, smallest / (2 * _worst_of_rounding(d, smallest)))


def _unit(d: int, **parameters: Array) -> Array:
    del parameters
    return _one_and_others(d, np.array(0.0))


def _flat(d: int, **parameters: Array) -> Array:
    del parameters
    return np.ones(d)


# ---- biased: 1 - |C(v) - v|^2 / |v|^2, or |C(v) - v| ----


def _contraction(v: Array, compressed: Array) -> Array:
    """The contraction, as <2v - C, C>/|v|^2: small ones keep their digits."""
    return quotient(dot(2 * v - compressed, compressed), square(v))


def _two_means(v: Array) -> Array:
    """The mean of the non-negative entries in their places, that of the negative ones in theirs."""
    compressed = np.zeros_like(v)
    for part in (v >= 0, v < 0):
        count = np.count_nonzero(part, axis=-1)
        mean = np.sum(np.where(part, v, 0.0), axis=-1) / np.maximum(count, 1)
        compressed += np.where(part, mean[..., None], 0.0)
    return compressed


def _signs(v: Array) -> Array:
    return np.mean(np.abs(v), axis=-1, keepdims=True) * np.where(v >= 0, 1.0, -1.0)


def _kept(v: Array, magnitude_threshold: Array) -> Array:
    return np.where(np.abs(v) >= magnitude_threshold[:, None], v, 0.0)


def _on_grid(v: Array, spacing: Array) -> Array:
    return np.round(v / spacing[:, None]) * spacing[:, None]


def _few_and_many(d: int) -> list[dict[str, int]]:
    return [{"k": k} for k in sorted({1, -(-d // 3), d})]


def _coarse_and_fine(d: int) -> list[dict[str, int]]:
    del d
    return [{"levels": levels} for levels in (1, 2, 5)]


_KEPT: Fields = {"k": Integers()}
_LEVELS: Fields = {"levels": Integers(1, 8)}
_SIZE = Positive(0.1, 10.0)

CONSTANTS: Mapping[str, Constant] = {
    "urq-bernoulli": Constant(
        lambda v, smallest_probability, spectrum: _divided(v, _probabilities(smallest_probability, spectrum)),
        lambda d, smallest_probability, spectrum: np.where(
            np.arange(d) == np.argmax(spectrum, axis=-1)[:, None], 1.0, 0.0
        ),
        lambda d: ({"smallest_probability": p, "spectrum": np.linspace(0.2, 1.0, d + 1)[1:]} for p in (0.01, 0.5)),
        {"smallest_probability": Positive(0.01, 1.0), "spectrum": Spectrum(condition=100.0)},
    ),
    "urq-optimal": Constant(lambda v, k: _divided(v, sampling_probabilities(v, k)), _flat, _few_and_many, _KEPT),
    "urq-randk": Constant(
        lambda v, k: _counted(v, k, lambda drawn: stats.hypergeom(v.shape[-1], 1, drawn)), _flat, _few_and_many, _KEPT
    ),
    "urq-randk-replacement": Constant(
        lambda v, k: _counted(v, k, lambda drawn: stats.binom(drawn, 1 / v.shape[-1])), _flat, _few_and_many, _KEPT
    ),
    "urq-ternary-inf": Constant(
        lambda v: _rounded(v, _largest(v), _equidistant(np.array(1))), lambda d: _max_norm(d, np.array(1))
    ),
    "urq-ternary-2": Constant(lambda v: _rounded(v, _norm(v), _equidistant(np.array(1))), _flat),
    "urq-qsgd-2": Constant(
        lambda v, levels: _rounded(v, _norm(v), _equidistant(levels)),
        _flat,
        _coarse_and_fine,
        _LEVELS,
        exact=lambda d, levels: (d >= 4 * levels**2) | (levels == 1),
    ),
    "urq-qsgd-inf": Constant(
        lambda v, levels: _rounded(v, _largest(v), _equidistant(levels)), _max_norm, _coarse_and_fine, _LEVELS
    ),
    "urq-natural": Constant(
        lambda v: _rounded(v, np.ones(len(v)), _powers(np.array(2.0))), lambda d: np.full(d, 4 / 3)
    ),
    "urq-natural-base": Constant(
        lambda v, base: _rounded(v, np.ones(len(v)), _powers(base)),
        lambda d, base: np.broadcast_to((2 * base / (1 + base))[:, None], (len(base), d)),
        lambda d: ({"base": base} for base in (1.5, 2.0, 10.0)),
        {"base": Positive(1.01, 100.0)},
    ),
    "urq-natdither-2": Constant(
        lambda v, levels: _rounded(v, _norm(v), _dithered(levels)),
        _flat,
        _coarse_and_fine,
        _LEVELS,
        exact=lambda d, levels: np.sqrt(d) * 2.0 ** (1 - levels) >= 9 / 4,
    ),
    "urq-natdither-inf": Constant(
        lambda v, levels: _rounded(v, _largest(v), _dithered(levels)),
        _max_norm_dithered,
        _coarse_and_fine,
        _LEVELS,
        exact=lambda d, levels: _worst_of_rounding(d, 2.0 ** (1 - levels)) >= 9 / 8,
    ),
    "urq-stochastic-sign": Constant(lambda v: quotient(v.shape[-1] * _largest(v) ** 2, square(v)), _unit),
    "det-topk": Constant(
        lambda v, k: _contraction(v, top(v, k)), _flat, _few_and_many, _KEPT, is_supremum=False
    ),
    "det-sign": Constant(lambda v: _contraction(v, _signs(v)), _unit, is_supremum=False),
    "det-onebit": Constant(lambda v: _contraction(v, _two_means(v)), _unit, is_supremum=False),
    "det-threshold": Constant(
        lambda v, magnitude_threshold: _norm(v - _kept(v, magnitude_threshold)),
        lambda d, magnitude_threshold: np.broadcast_to(
            np.nextafter(magnitude_threshold, 0.0)[:, None], (len(magnitude_threshold), d)
        ),
        lambda d: ({"magnitude_threshold": 1.0},),
        {"magnitude_threshold": _SIZE},
    ),
    "det-grid": Constant(
        lambda v, spacing: _norm(v - _on_grid(v, spacing)),
        lambda d, spacing: np.broadcast_to(spacing[:, None] / 2, (len(spacing), d)),
        lambda d: ({"spacing": 1.0},),
        {"spacing": _SIZE},
    ),
}  # fmt: skip
"""Every compressor of the table by the ID of its statement."""

_DIMENSIONS = (1, 2, 3, 10, 40)


def _family(constant: Constant) -> Family:
    measured = "measured / stated" if constant.is_supremum else "stated / measured"
    return Family(
        {"gradient": Entries(), **constant.fields},
        constant.ratio,
        f"{measured}, and stated against what its worst vector attains",
        lambda: constant.instances(_DIMENSIONS),
        _DIMENSIONS,
    )


FAMILIES = {id: _family(constant) for id, constant in CONSTANTS.items()}
