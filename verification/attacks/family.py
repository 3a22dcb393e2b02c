"""How a theorem is attacked: which instances there are, and what is measured on each."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from taciturn.theory.theorem import Theorem

from .fields import Array, Entries, Fields, Spectrum

__all__ = ["Batch", "Family", "Instance", "as_record", "stack", "unstack"]

Instance = Mapping[str, Any]
"""JSON-compatible data of one instance: numbers, words and nested lists by name."""

Batch = Mapping[str, Array]
"""The data of m instances of equal shapes: arrays with a leading axis of length m."""


@dataclass(frozen=True)
class Family:
    """The attack on one theorem, as data.

    Parameters
    ----------
    fields
        Parts of an instance.
    ratio
        Takes the theorem and a batch to the numbers (m,) that are at most 1 where the theorem holds, NaN for instances
        that do not meet its hypotheses. It uses the formulas of the theorem object, which may be a wrong one.
    compares
        What the ratio compares, in words.
    structured
        Makes instances known to be hard, worst cases among them.
    dimensions
        Dimensions that are tried.
    """

    fields: Fields
    ratio: Callable[[Theorem, Batch], Array]
    compares: str
    structured: Callable[[], Iterable[Instance]] = tuple
    dimensions: tuple[int, ...] = (2, 3, 6)

    def sample(self, m: int, d: int, rng: np.random.Generator) -> Batch:
        """Draw m instances of dimension d."""
        return {name: field.draw(m, d, rng) for name, field in self.fields.items()}

    def dimension(self, batch: Batch) -> int:
        """Return the dimension of the vectors of a batch, 1 if there are none."""
        vectors = (name for name, field in self.fields.items() if isinstance(field, (Entries, Spectrum)))
        return next((int(batch[name].shape[-1]) for name in vectors), 1)

    def perturb(self, batch: Batch, rng: np.random.Generator) -> Batch:
        """Change every instance of a batch: one part of it, or several."""
        d = self.dimension(batch)
        m = len(next(iter(batch.values())))
        chosen = rng.random((len(self.fields), m)) < rng.choice([0.3, 1.0], size=m)
        chosen[rng.integers(len(self.fields), size=m), np.arange(m)] = True
        changed = {}
        for mask, (name, field) in zip(chosen, self.fields.items(), strict=True):
            old = batch[name]
            changed[name] = np.where(mask.reshape(-1, *(1 for _ in old.shape[1:])), field.change(old, d, rng), old)
        return changed


def stack(instances: Iterable[Instance]) -> Iterator[Batch]:
    """Yield batches of the instances that have equal shapes."""
    groups: dict[tuple[tuple[str, tuple[int, ...]], ...], list[dict[str, Array]]] = {}
    for instance in instances:
        arrays = {name: np.asarray(value) for name, value in instance.items()}
        groups.setdefault(tuple((name, arrays[name].shape) for name in sorted(arrays)), []).append(arrays)
    for group in groups.values():
        yield {name: np.stack([arrays[name] for arrays in group]) for name in group[0]}


def unstack(batch: Batch, indices: Sequence[int] | Array) -> list[Instance]:
    """Return the instances at the given positions of a batch."""
    return [as_record({name: values[i] for name, values in batch.items()}) for i in indices]


def as_record(instance: Mapping[str, Any]) -> Instance:
    """Return the instance as JSON-compatible data; its numbers are kept exactly."""
    return {name: np.asarray(value).tolist() for name, value in instance.items()}
