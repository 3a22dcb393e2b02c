"""The parts of an instance: how each is drawn at random, and how a directed search changes it.

Everything works on batches: arrays with one leading entry for each of m instances.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

from ..vectors import structured_vectors

__all__ = ["Array", "Entries", "Field", "Fields", "Integers", "Positive", "Spectrum", "Words"]

Array = Any
"""A NumPy array of numbers, with a leading axis for the instances."""

# Kinds of vectors that only test the range of double precision, not a theorem.
_OUT_OF_RANGE = ("zero", "huge", "tiny", "huge and tiny", "subnormal")


class Field(Protocol):
    """A part of an instance."""

    def draw(self, m: int, d: int, rng: np.random.Generator) -> Array:
        """Draw the part for m instances of dimension d, shape (m, ...)."""

    def change(self, values: Array, d: int, rng: np.random.Generator) -> Array:
        """Change the part (m, ...) of every instance a little or a lot."""


Fields = Mapping[str, Field]
"""The parts of an instance by name."""


@dataclass(frozen=True)
class Entries:
    """Vectors of d real numbers: ordinary, heavy-tailed, flat, tied, sparse, geometric.

    Parameters
    ----------
    rows
        Shape of the collection of vectors, ``()`` for one.
    zero
        Whether a vector may be zero, and often is.
    """

    rows: tuple[int, ...] = ()
    zero: bool = False

    def draw(self, m: int, d: int, rng: np.random.Generator) -> Array:
        """Draw vectors (m, *rows, d)."""
        shape = (m, *self.rows, d)
        kinds = np.stack([vector for name, vector in structured_vectors(d).items() if name not in _OUT_OF_RANGE])
        structured = kinds[rng.integers(len(kinds), size=shape[:-1])]
        structured = rng.permuted(structured, axis=-1) * rng.choice([-1.0, 1.0], size=shape)
        spread = rng.choice([0.0, 1.0, 3.0], size=(*shape[:-1], 1))
        ordinary = rng.standard_normal(shape) * np.exp(spread * rng.standard_normal(shape))
        drawn = np.where(rng.random((*shape[:-1], 1)) < 0.5, structured, ordinary)
        return np.where(rng.random((*shape[:-1], 1)) < 0.3 * self.zero, 0.0, drawn)

    def change(self, values: Array, d: int, rng: np.random.Generator) -> Array:
        """Scale, equalise, drop, turn or redraw a random part of the entries."""
        del d
        flat = values.reshape(len(values), -1)
        m, entries = flat.shape
        size = _sizes(m, rng)
        another = np.abs(np.take_along_axis(flat, rng.integers(entries, size=(m, 1)), axis=1))
        ways = np.stack(
            [
                flat * np.exp(size * rng.standard_normal((m, 1))),  # the part as a whole
                flat * np.exp(size * rng.standard_normal((m, entries))),  # every entry by itself
                np.sign(flat) * another,  # ties
                flat + size * another * rng.standard_normal((m, entries)),
                np.zeros((m, entries)),
                -flat,
            ]
        )
        chosen = ways[rng.integers(len(ways), size=m), np.arange(m)]
        changed = np.where(_part(m, entries, rng), chosen, flat).reshape(values.shape)
        return np.where(np.any(changed, axis=-1, keepdims=True) | self.zero, changed, values)


@dataclass(frozen=True)
class Spectrum:
    """Curvatures in units of the largest of the instance: (m, *rows, d), in [1/condition, 1] and up to signs.

    Parameters
    ----------
    condition
        Largest ratio of magnitudes.
    rows
        Shape of the collection of spectra, ``()`` for one.
    signed
        Whether curvatures may be negative.
    singular
        Whether curvatures may be zero.
    """

    condition: float = 1e4
    rows: tuple[int, ...] = ()
    signed: bool = False
    singular: bool = False

    def draw(self, m: int, d: int, rng: np.random.Generator) -> Array:
        """Draw equal, clustered, geometric and arbitrary spectra."""
        shape = (m, *self.rows, d)
        decades = rng.uniform(0, np.log(self.condition), size=(*shape[:-1], 1))
        arbitrary = rng.random(shape)
        ways = np.stack(
            [np.zeros(shape), arbitrary < 0.5, arbitrary, np.broadcast_to(np.linspace(0, 1, d), shape)]
        ).astype(float)
        exponents = np.take_along_axis(ways, rng.integers(len(ways), size=(1, *shape[:-1], 1)), axis=0)[0]
        signs = rng.choice([-1.0, 1.0], size=shape) if self.signed else 1.0
        zeros = (rng.random(shape) < 0.2) & self.singular
        return self._normalised(np.where(zeros, 0.0, signs * np.exp(-decades * exponents)))

    def change(self, values: Array, d: int, rng: np.random.Generator) -> Array:
        """Change a random part of the curvatures on the logarithmic scale, or make them equal."""
        del d
        flat = values.reshape(len(values), -1)
        m, entries = flat.shape
        another = np.take_along_axis(flat, rng.integers(entries, size=(m, 1)), axis=1)
        moved = flat * np.exp(_sizes(m, rng) * rng.standard_normal((m, entries)))
        equal = np.where(flat == 0, 1.0, np.sign(flat)) * np.abs(another)
        chosen = np.where(rng.random((m, 1)) < 0.7, moved, equal)
        return self._normalised(np.where(_part(m, entries, rng), chosen, flat).reshape(values.shape))

    def _normalised(self, curvatures: Array) -> Array:
        magnitudes = np.abs(curvatures)
        largest = np.max(magnitudes, axis=tuple(range(1, magnitudes.ndim)), keepdims=True)
        relative = np.where(largest > 0, magnitudes / np.where(largest > 0, largest, 1.0), 1.0)
        floored = np.maximum(relative, 1 / self.condition)
        kept = np.where(relative == 0, 0.0, floored) if self.singular else floored
        return np.where(curvatures < 0, -kept, kept)


@dataclass(frozen=True)
class Positive:
    """Numbers in [low, high], drawn on the logarithmic scale, often at an end.

    Parameters
    ----------
    low, high
        Ends, positive.
    rows
        Shape of the collection, ``()`` for one number.
    """

    low: float
    high: float
    rows: tuple[int, ...] = ()

    def draw(self, m: int, d: int, rng: np.random.Generator) -> Array:
        """Draw numbers (m, *rows)."""
        del d
        shape = (m, *self.rows)
        inner = np.exp(rng.uniform(np.log(self.low), np.log(self.high), shape))
        return np.where(rng.random(shape) < 0.2, rng.choice([self.low, self.high], size=shape), inner)

    def change(self, values: Array, d: int, rng: np.random.Generator) -> Array:
        """Multiply by something near one."""
        del d
        size = _sizes(len(values), rng).reshape(len(values), *(1 for _ in self.rows))
        return np.clip(values * np.exp(size * rng.standard_normal(values.shape)), self.low, self.high)


@dataclass(frozen=True)
class Integers:
    """Integers in low..high.

    Parameters
    ----------
    low
        Smallest.
    high
        Largest; the dimension if absent.
    rows
        Shape of the collection, ``()`` for one number.
    """

    low: int = 1
    high: int | None = None
    rows: tuple[int, ...] = ()

    def draw(self, m: int, d: int, rng: np.random.Generator) -> Array:
        """Draw integers (m, *rows)."""
        return rng.integers(self.low, (d if self.high is None else self.high) + 1, size=(m, *self.rows))

    def change(self, values: Array, d: int, rng: np.random.Generator) -> Array:
        """Move by at most one."""
        return np.clip(values + rng.integers(-1, 2, size=values.shape), self.low, d if self.high is None else self.high)


@dataclass(frozen=True)
class Words:
    """One of several words, which the search keeps.

    Parameters
    ----------
    options
        The words.
    """

    options: tuple[str, ...]

    def draw(self, m: int, d: int, rng: np.random.Generator) -> Array:
        """Draw words (m,)."""
        del d
        return rng.choice(np.array(self.options), size=m)

    def change(self, values: Array, d: int, rng: np.random.Generator) -> Array:
        """Keep the words."""
        del d, rng
        return values


def _sizes(m: int, rng: np.random.Generator) -> Array:
    """How much each of m instances is changed, (m, 1): three decades, so that a search both leaps and creeps."""
    return rng.choice([1.0, 0.1, 0.01, 0.001], size=(m, 1))


def _part(m: int, entries: int, rng: np.random.Generator) -> Array:
    """Which entries of each instance are changed, (m, entries): one, some or all."""
    chosen = rng.random((m, entries)) < rng.choice([1 / entries, 0.5, 1.0], size=(m, 1))
    return chosen | (np.arange(entries) == rng.integers(entries, size=(m, 1)))
