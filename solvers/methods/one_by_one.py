"""Sending vectors one after the other, for senders whose choice cannot be made for all at once."""

from collections.abc import Callable, Iterator, Sequence

import numpy as np

from ..array import Array, array_namespace, detached
from .state import Sent

__all__ = ["SentByOne", "collect", "replicas", "send_each", "silence"]

SentByOne = tuple[Array, float, float, float]
"""The decoded vector (d,) of one worker, and its price, T and coefficient."""


def send_each(vectors: Array, send_one: Callable[[Array], SentByOne]) -> Sent:
    """Send every vector of (..., n, d) by itself; a zero vector is not sent."""
    xp = array_namespace(vectors)
    workers = range(vectors.shape[-2])
    rows = (replica[i, :] for replica in replicas(vectors) for i in workers)
    return collect(vectors, [send_one(v) if xp.any(v != 0) else silence(v) for v in rows])


def replicas(vectors: Array) -> Iterator[Array]:
    """Yield the vectors (n, d) of every replica."""
    stacked = array_namespace(vectors).reshape(detached(vectors), (-1, *vectors.shape[-2:]))
    return (stacked[r, :, :] for r in range(stacked.shape[0]))


def silence(v: Array) -> SentByOne:
    """Send nothing in place of v, for nothing."""
    return array_namespace(v).zeros_like(v), 0.0, 0, 0.0


def collect(vectors: Array, singles: Sequence[SentByOne]) -> Sent:
    """Put together what was sent in place of the vectors (..., n, d), in their order."""
    xp = array_namespace(vectors)
    decoded, *numbers = zip(*singles, strict=True)
    cost, sparsity, shares = (np.reshape(column, vectors.shape[:-1]) for column in numbers)
    return Sent(xp.reshape(xp.stack(decoded), vectors.shape), cost, sparsity, shares)
