"""CAT on several workers at once, by one price of progress."""

from dataclasses import dataclass
from typing import Any

from numpy.typing import NDArray

from taciturn.theory.communication import Cost, check_cost
from taciturn.theory.compression import CompressionClass, Contractive

from ..array import Array, Stream, array_namespace, to_numpy
from ..compressors import TopK
from ..tune import coordinated_tune
from .one_by_one import SentByOne, collect, replicas, silence
from .sender import decrease
from .state import Sent

__all__ = ["CoordinatedCAT"]


@dataclass(frozen=True)
class CoordinatedCAT:
    """CAT on several workers at once: the T_i with the largest sum of p_i ||q_i||^2 per unit of total cost (S).

    Parameters
    ----------
    cost : Cost
        Price of a message with T entries, the same for all workers.

    Notes
    -----
    Source: dossier chapter 1, `mn-price`. One scalar, the price of progress, is broadcast in every round of the search;
    it is not billed.

    Examples
    --------
    >>> import numpy as np
    >>> from taciturn.solvers.array import Stream
    >>> from taciturn.theory.communication import AffineCost
    >>> gradients = np.array([[9.0, 1.0, 0.0], [0.1, 0.1, 0.1]])
    >>> CoordinatedCAT(AffineCost(c0=0, c1=1)).send(gradients, np.array([0.5, 0.5]), Stream(0)).sparsity
    array([1, 1])
    """

    cost: Cost

    def __post_init__(self) -> None:
        check_cost(self.cost)

    def send(self, vectors: Array, weights: Array, rng: Stream) -> Sent:
        """Choose all T_i of a replica together and keep the largest magnitudes of every vector of (..., n, d)."""
        del rng
        shares = to_numpy(weights)
        return collect(vectors, [one for rows in replicas(vectors) for one in self._send_jointly(rows, shares)])

    def guarantee(self, d: int) -> CompressionClass:
        """Return Contractive(1/d): every worker that is not at a zero sends an entry."""
        return Contractive(1 / d, projection=True)

    def _send_jointly(self, rows: Array, shares: NDArray[Any]) -> list[SentByOne]:
        xp = array_namespace(rows)
        singles = [silence(rows[i, :]) for i in range(rows.shape[0])]
        speaking = [i for i in range(rows.shape[0]) if xp.any(rows[i, :] != 0)]
        if speaking:
            heard = xp.stack([rows[i, :] for i in speaking])
            chosen = coordinated_tune(heard, shares[speaking].tolist(), [self.cost] * len(speaking)).T
            for i, T in zip(speaking, chosen, strict=True):
                q = TopK(T)(rows[i, :])
                singles[i] = q, float(self.cost(T)), T, float(decrease(rows[i, :], q))
        return singles
