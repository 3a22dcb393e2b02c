"""The dynamic T of Alistarh et al. 2017, a rule that looks at the vector but not at the price."""

import math
from dataclasses import dataclass

import numpy as np

from taciturn.theory.communication import Cost, check_cost
from taciturn.theory.compression import CompressionClass, Contractive

from ..array import Array, Stream, check_choice, to_numpy
from ..compressors import ScaledSign
from ..tune import profile
from .one_by_one import SentByOne, send_each
from .sender import decrease
from .state import Sent

__all__ = ["DynamicT"]


@dataclass(frozen=True)
class DynamicT:
    """The rule of Alistarh et al. 2017: signs of the fewest largest magnitudes whose sum reaches the norm.

    Parameters
    ----------
    cost : Cost
        Price of a message with T entries; the rule does not look at it.
    scale : {"published", "optimal"}
        What multiplies the signs: ||v|| / T, which is the published message ||v|| sign(v_j) with its step 1/(L T), or
        the mean magnitude of the T entries, the best scale (S+Q).

    Notes
    -----
    Source: dossier chapter 1, section 6 (`dynamic-T`): T <= ceil(sqrt d), certified decrease 1/T or beta(T) >= 1/T.

    Examples
    --------
    >>> import numpy as np
    >>> from taciturn.solvers.array import Stream
    >>> from taciturn.theory.communication import AffineCost
    >>> DynamicT(AffineCost(c0=32, c1=3)).send(np.array([[3.0, -3.0, 3.0, 3.0]]), np.ones(1), Stream(0)).vectors
    array([[ 3., -3.,  0.,  0.]])
    """

    cost: Cost
    scale: str = "published"

    def __post_init__(self) -> None:
        check_cost(self.cost)
        check_choice(self.scale, "scale", ("published", "optimal"))

    def send(self, vectors: Array, weights: Array, rng: Stream) -> Sent:
        """Choose T and send signs, for every vector of (..., n, d)."""
        del weights, rng
        return send_each(vectors, self._send_one)

    def guarantee(self, d: int) -> CompressionClass:
        """Return Contractive(1/ceil(sqrt(d)))."""
        return Contractive(1 / math.ceil(math.sqrt(d)), projection=self.scale == "optimal")

    def _send_one(self, v: Array) -> SentByOne:
        sums = profile(v)
        mass, norm = to_numpy(sums.mass), math.sqrt(sums.energy[-1])
        T = int(np.argmax(mass >= norm * (1 - 1e-12))) + 1  # rounding must not cost an entry where equality holds
        q = ScaledSign(T)(v)
        if self.scale == "published":
            q = q * (norm / float(mass[T - 1]))
        return q, float(self.cost(T)), T, float(decrease(v, q))
