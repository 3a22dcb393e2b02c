"""Communication-aware tuning (CAT): the sparsity of every message from the vector and the price of the network."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from taciturn.theory.communication import SCHEMES, AffineCost, Cost, check_cost
from taciturn.theory.compression import CompressionClass, Contractive, Unbiased

from ..array import Array, Stream, array_namespace, check_choice, check_count, check_fraction, check_gradient, to_numpy
from ..compressors import Bernoulli, Compressor, ScaledSign, SystematicSampling, TopK
from ..compressors.sparsify import select
from ..tune import profile, tune
from ..tune.optimum import TIE_TOLERANCE, maximisers
from ..tune.threshold import adaptive_threshold
from .one_by_one import SentByOne, send_each
from .sender import coefficient
from .state import Sent

__all__ = ["CAT", "LogCAT"]


@dataclass(frozen=True)
class CAT:
    """Communication-aware tuning: the T with the largest certified decrease per unit of cost, for every message anew.

    Parameters
    ----------
    scheme : {"S", "S+Q", "SS"}
        The T largest magnitudes (`TopK`); their signs times their mean (`ScaledSign`); or a random sample of T entries
        with the optimal probabilities (`SystematicSampling`, or `Bernoulli` where an affine cost makes T real).
    cost : Cost
        Price of a message with T entries; of a random sample the realised number is paid.
    minimum_sparsity : int
        T is at least this. Error feedback needs it: its step size is limited by the worst message. With S+Q a larger
        T is not better in the worst case, so it must be 1.

    Notes
    -----
    Source: dossier chapter 1, section 5. One worker after the other: replicas cost a Python loop.

    Examples
    --------
    >>> import numpy as np
    >>> from taciturn.solvers.array import Stream
    >>> from taciturn.theory.communication import AffineCost
    >>> sent = CAT("S", AffineCost(c0=2, c1=1)).send(np.array([[9.0, 8.0, 7.0, 0.1]]), np.ones(1), Stream(0))
    >>> sent.vectors, sent.sparsity, sent.cost
    (array([[9., 8., 7., 0.]]), array([3]), array([5.]))
    """

    scheme: str
    cost: Cost
    minimum_sparsity: int = 1

    def __post_init__(self) -> None:
        check_choice(self.scheme, "scheme", SCHEMES)
        check_cost(self.cost)
        object.__setattr__(
            self,
            "minimum_sparsity",
            check_count(self.minimum_sparsity, "minimum_sparsity", highest=1 if self.scheme == "S+Q" else None),
        )

    def send(self, vectors: Array, weights: Array, rng: Stream) -> Sent:
        """Choose T and compress, for every vector of (..., n, d)."""
        del weights
        return send_each(vectors, lambda v: self._send_one(v, rng))

    def guarantee(self, d: int) -> CompressionClass:
        """Return the class and its constant for any vector; the coefficient of a message is usually much better."""
        if self.scheme == "SS":
            return Unbiased(d / self.minimum_sparsity - 1)
        return Contractive(self.minimum_sparsity / d, projection=True)

    def _send_one(self, v: Array, rng: Stream) -> SentByOne:
        if self.scheme == "S" and isinstance(self.cost, AffineCost) and self.cost.c1 > 0:
            q, T, share = _worth_their_price(v, self.cost.c0 / self.cost.c1)
            if self.minimum_sparsity <= T:
                return q, float(self.cost(T)), T, share
        else:
            tuning = tune(v, self.cost, self.scheme)
            if self.minimum_sparsity <= tuning.T:
                return self._send_entries(v, tuning.T, tuning.decrease, rng)
        return self._send_entries(v, self.minimum_sparsity, None, rng)

    def _send_entries(self, v: Array, T: float, share: float | None, rng: Stream) -> SentByOne:
        compressor = self._compressor(T)
        q = compressor(v, rng)
        entries = int(array_namespace(v).count_nonzero(q)) if self.scheme == "SS" else T
        share = float(coefficient(compressor, v, q)) if share is None else share
        return q, float(self.cost(entries)), T, share

    def _compressor(self, T: float) -> Compressor:
        if self.scheme == "SS":
            return SystematicSampling(int(T)) if float(T).is_integer() else Bernoulli(T)
        return TopK(int(T)) if self.scheme == "S" else ScaledSign(int(T))


def _worth_their_price(v: Array, overhead: float) -> tuple[Array, int, float]:
    """Return the message of CAT-S for an affine cost by its threshold, with its T and alpha(T)."""
    v = check_gradient(v, "v")
    xp = array_namespace(v)
    magnitudes = xp.astype(xp.abs(v), xp.float64, copy=False)
    squares = (magnitudes / xp.max(magnitudes)) ** 2  # relative, or the squares of tiny entries would vanish
    kept = squares >= adaptive_threshold(squares, overhead) * (1 - TIE_TOLERANCE)
    share = float(xp.sum(squares * xp.astype(kept, xp.float64))) / float(xp.sum(squares))
    return select(v, kept), int(xp.count_nonzero(kept)), share


@dataclass(frozen=True)
class LogCAT:
    """CAT for S that counts in logarithms: the largest -ln(guaranteed factor of the gap) per unit of cost.

    Where a few more entries would finish the job it sends them, at the price of knowing mu/L.

    Parameters
    ----------
    cost : Cost
        Price of a message with T entries.
    inverse_condition : float
        m = mu/L in (0, 1].
    factor : {"pl", "sc"}
        The factor 1 - alpha(T) m of `topT-pl-rate`, or the exact r(alpha(T), m)^2 of `topT-sc-exact`.

    Notes
    -----
    Source: dossier chapter 1, section 5.8.3. The efficiency is not quasi-concave: all T up to the number of non-zeros
    are tried, after a sort.

    Examples
    --------
    >>> import numpy as np
    >>> from taciturn.solvers.array import Stream
    >>> from taciturn.theory.communication import AffineCost
    >>> cost, v = AffineCost(c0=9, c1=1), np.array([[1.0, 0.25, 0.0625]])
    >>> [sender.send(v, np.ones(1), Stream(0)).sparsity.item() for sender in (CAT("S", cost), LogCAT(cost, 1.0))]
    [1, 3]
    """

    cost: Cost
    inverse_condition: float
    factor: str = "pl"

    def __post_init__(self) -> None:
        check_cost(self.cost)
        object.__setattr__(self, "inverse_condition", check_fraction(self.inverse_condition, "inverse_condition"))
        check_choice(self.factor, "factor", ("pl", "sc"))

    def send(self, vectors: Array, weights: Array, rng: Stream) -> Sent:
        """Choose T and keep the T largest magnitudes, for every vector of (..., n, d)."""
        del weights, rng
        return send_each(vectors, self._send_one)

    def guarantee(self, d: int) -> CompressionClass:
        """Return Contractive(1/d)."""
        return Contractive(1 / d, projection=True)

    def _send_one(self, v: Array) -> SentByOne:
        sums = profile(v)
        alpha = to_numpy(sums.alpha)[: int(sums.nonzeros)]
        candidates = np.arange(1, alpha.size + 1)
        with np.errstate(divide="ignore"):  # nothing is left if alpha = m = 1, and no price is too high for that
            efficiency = self._log_decrease(alpha) / self.cost(candidates)
        T = maximisers(efficiency)[1] + 1
        return TopK(T)(v), float(self.cost(T)), T, float(alpha[T - 1])

    def _log_decrease(self, alpha: NDArray[Any]) -> NDArray[Any]:
        m = self.inverse_condition
        lost = alpha * m  # 1 - the factor
        if self.factor == "sc":
            shrunk = alpha * (1 - m)
            r = (shrunk + np.sqrt(shrunk**2 + 4 * (1 - alpha))) / 2
            lost = alpha * (1 - (1 - m) * r)  # as r^2 = 1 - alpha (1 - (1 - m) r)
        return np.asarray(-np.log1p(-lost))
