"""Senders that choose the sparsity of every message from the vector: CAT, log-CAT, dynamic T, coordinated CAT."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from taciturn.theory.communication import SCHEMES, Cost
from taciturn.theory.compression import CompressionClass, Contractive, Unbiased

from ..array import Array, Stream, array_namespace, check_choice, check_count, check_fraction, to_numpy
from ..compressors import Bernoulli, Compressor, ScaledSign, SystematicSampling, TopK
from ..tune import coordinated_tune, profile, tune
from ..tune.optimum import maximisers
from .sender import coefficient, decrease
from .state import Sent

__all__ = ["CAT", "CoordinatedCAT", "DynamicT", "LogCAT"]

SentByOne = tuple[Array, float, float, float]
"""The decoded vector (d,) of one worker, and its price, T and coefficient."""


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
        check_count(self.minimum_sparsity, "minimum_sparsity", highest=1 if self.scheme == "S+Q" else None)

    def send(self, vectors: Array, weights: Array, rng: Stream) -> Sent:
        """Choose T and compress, for every vector of (..., n, d)."""
        del weights
        return _each(vectors, lambda v: self._send_one(v, rng))

    def guarantee(self, d: int) -> CompressionClass:
        """Return the class and its constant for any vector; the coefficient of a message is usually much better."""
        if self.scheme == "SS":
            return Unbiased(d / self.minimum_sparsity - 1)
        return Contractive(self.minimum_sparsity / d)

    def _send_one(self, v: Array, rng: Stream) -> SentByOne:
        tuning = tune(v, self.cost, self.scheme)
        T = max(tuning.T, self.minimum_sparsity)
        compressor = self._compressor(T)
        q = compressor(v, rng)
        entries = int(array_namespace(v).count_nonzero(q)) if self.scheme == "SS" else T
        share = tuning.decrease if T == tuning.T else float(coefficient(compressor, v, q))
        return q, float(self.cost(entries)), T, share

    def _compressor(self, T: float) -> Compressor:
        if self.scheme == "SS":
            return SystematicSampling(int(T)) if float(T).is_integer() else Bernoulli(T)
        return TopK(int(T)) if self.scheme == "S" else ScaledSign(int(T))


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
    >>> from taciturn.theory.communication import AffineCost
    >>> cost, v = AffineCost(c0=9, c1=1), np.array([[1.0, 0.25, 0.0625]])
    >>> [sender.send(v, np.ones(1), Stream(0)).sparsity.item() for sender in (CAT("S", cost), LogCAT(cost, 1.0))]
    [1, 3]
    """

    cost: Cost
    inverse_condition: float
    factor: str = "pl"

    def __post_init__(self) -> None:
        check_fraction(self.inverse_condition, "inverse_condition")
        check_choice(self.factor, "factor", ("pl", "sc"))

    def send(self, vectors: Array, weights: Array, rng: Stream) -> Sent:
        """Choose T and keep the T largest magnitudes, for every vector of (..., n, d)."""
        del weights, rng
        return _each(vectors, self._send_one)

    def guarantee(self, d: int) -> CompressionClass:
        """Return Contractive(1/d)."""
        return Contractive(1 / d)

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
        if self.factor == "pl":
            return -np.log1p(-alpha * m)
        shrunk = alpha * (1 - m)
        r = (shrunk + np.sqrt(shrunk**2 + 4 * (1 - alpha))) / 2
        return -np.log1p(-alpha * (1 - (1 - m) * r))  # r^2 = 1 - alpha (1 - (1 - m) r)


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
    >>> from taciturn.theory.communication import AffineCost
    >>> DynamicT(AffineCost(c0=32, c1=3)).send(np.array([[3.0, -3.0, 3.0, 3.0]]), np.ones(1), Stream(0)).vectors
    array([[ 3., -3.,  0.,  0.]])
    """

    cost: Cost
    scale: str = "published"

    def __post_init__(self) -> None:
        check_choice(self.scale, "scale", ("published", "optimal"))

    def send(self, vectors: Array, weights: Array, rng: Stream) -> Sent:
        """Choose T and send signs, for every vector of (..., n, d)."""
        del weights, rng
        return _each(vectors, self._send_one)

    def guarantee(self, d: int) -> CompressionClass:
        """Return Contractive(1/ceil(sqrt(d)))."""
        return Contractive(1 / np.ceil(np.sqrt(d)))

    def _send_one(self, v: Array) -> SentByOne:
        sums = profile(v)
        mass, norm = to_numpy(sums.mass), np.sqrt(float(sums.energy[-1]))
        T = int(np.argmax(mass >= norm * (1 - 1e-12))) + 1  # rounding must not cost an entry where equality holds
        q = ScaledSign(T)(v)
        if self.scale == "published":
            q = q * (norm / float(mass[T - 1]))
        return q, float(self.cost(T)), T, float(decrease(v, q))


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
    >>> from taciturn.theory.communication import AffineCost
    >>> gradients = np.array([[9.0, 1.0, 0.0], [0.1, 0.1, 0.1]])
    >>> CoordinatedCAT(AffineCost(c0=0, c1=1)).send(gradients, np.array([0.5, 0.5]), Stream(0)).sparsity
    array([1, 1])
    """

    cost: Cost

    def send(self, vectors: Array, weights: Array, rng: Stream) -> Sent:
        """Choose all T_i of a replica together and keep the largest magnitudes of every vector of (..., n, d)."""
        del rng
        shares = to_numpy(weights)
        return _collected(vectors, [one for rows in _replicas(vectors) for one in self._send_jointly(rows, shares)])

    def guarantee(self, d: int) -> CompressionClass:
        """Return Contractive(1/d): every worker that is not at a zero sends an entry."""
        return Contractive(1 / d)

    def _send_jointly(self, rows: Array, shares: NDArray[Any]) -> list[SentByOne]:
        xp = array_namespace(rows)
        singles = [_silence(rows[i, :]) for i in range(rows.shape[0])]
        speaking = [i for i in range(rows.shape[0]) if xp.any(rows[i, :] != 0)]
        if speaking:
            heard = xp.stack([rows[i, :] for i in speaking])
            chosen = coordinated_tune(heard, shares[speaking].tolist(), [self.cost] * len(speaking)).T
            for i, T in zip(speaking, chosen, strict=True):
                q = TopK(T)(rows[i, :])
                singles[i] = q, float(self.cost(T)), T, float(decrease(rows[i, :], q))
        return singles


def _each(vectors: Array, send_one: Callable[[Array], SentByOne]) -> Sent:
    """Send every vector of (..., n, d) by itself; a zero vector is not sent."""
    xp = array_namespace(vectors)
    workers = range(vectors.shape[-2])
    rows = (replica[i, :] for replica in _replicas(vectors) for i in workers)
    return _collected(vectors, [send_one(v) if xp.any(v != 0) else _silence(v) for v in rows])


def _replicas(vectors: Array) -> Iterator[Array]:
    """Yield the vectors (n, d) of every replica."""
    replicas = array_namespace(vectors).reshape(vectors, (-1, *vectors.shape[-2:]))
    return (replicas[r, :, :] for r in range(replicas.shape[0]))


def _silence(v: Array) -> SentByOne:
    return array_namespace(v).zeros_like(v), 0.0, 0, 0.0


def _collected(vectors: Array, singles: Sequence[SentByOne]) -> Sent:
    xp = array_namespace(vectors)
    decoded, *numbers = zip(*singles, strict=True)
    cost, sparsity, shares = (np.reshape(column, vectors.shape[:-1]) for column in numbers)
    return Sent(xp.reshape(xp.stack(decoded), vectors.shape), cost, sparsity, shares)
