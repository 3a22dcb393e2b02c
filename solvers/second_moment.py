"""Exact expectations of stale compressed gradients on quadratics: no sampling, no confidence interval."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .array import check_count, check_non_negative
from .compressors import Bernoulli, Compressor, Identity, RandK
from .delays import Trace
from .problems import Problem, Quadratic

__all__ = ["ExactMoments", "MomentState", "NoiseModel", "Recursion", "second_moments"]

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class NoiseModel:
    """An unbiased compressor whose covariance is quadratic: Cov Q(g) = outer g g^T + diag(diagonal_j g_j^2).

    Parameters
    ----------
    outer : float
        Noise along the gradient; it may be negative (entries drawn without replacement repel each other).
    diagonal : float or array_like, shape (d,)
        Noise of each entry by itself.
    gradient_noise : float
        Standard deviation s of the stochastic gradient that is compressed: E ||g~ - g||^2 = s^2, the same in all
        directions.

    Raises
    ------
    ValueError
        If a number is not finite, or the diagonal or the gradient noise is negative.

    Notes
    -----
    Exact for the compressors that `of` accepts and for the two-point quantizer of `exact_variance`. QSGD, ternary
    rounding, natural compression and optimal probabilities have a variance that is not quadratic in g: simulate them.

    Examples
    --------
    >>> NoiseModel.of(RandK(1), d=3)
    NoiseModel(outer=-1.0, diagonal=3.0, gradient_noise=0.0)
    """

    outer: float = 0.0
    diagonal: float | Floats = 0.0
    gradient_noise: float = 0.0

    def __post_init__(self) -> None:
        diagonal = np.asarray(self.diagonal, dtype=np.float64)
        if diagonal.ndim > 1 or not (np.isfinite(diagonal) & (diagonal >= 0)).all():
            raise ValueError(f"diagonal = {self.diagonal}; accepted: a number >= 0, or one for each of d entries")
        if not math.isfinite(self.outer):
            raise ValueError(f"outer = {self.outer} is outside the accepted range (-inf, inf)")
        object.__setattr__(self, "gradient_noise", check_non_negative(self.gradient_noise, "gradient_noise"))

    def entries(self, d: int) -> Floats:
        """Return the diagonal as d numbers, or refuse a model that has another length or a negative variance."""
        diagonal = np.asarray(self.diagonal, dtype=np.float64)
        if diagonal.shape not in ((), (d,)):
            raise ValueError(f"diagonal has the shape {diagonal.shape}; accepted: () or ({d},)")
        entries = np.broadcast_to(diagonal, d)
        # diag(b) - a (all ones) is positive semidefinite exactly if a sum_j 1/b_j <= 1.
        if self.outer < 0 and not -self.outer * np.sum(1 / np.maximum(entries, np.finfo(float).tiny)) <= 1 + 1e-12:
            raise ValueError(f"outer = {self.outer} and diagonal = {self.diagonal} give negative variances for d = {d}")
        return entries

    @classmethod
    def exact_variance(cls, variance: float) -> "NoiseModel":
        """Return the noise of Q(g) = (1 + sqrt(variance)) g or (1 - sqrt(variance)) g, each with probability 1/2.

        E ||Q(g) - g||^2 = variance ||g||^2 for every g: extremal for `stale-necessary`.
        """
        check_non_negative(variance, "variance")
        return cls(outer=float(variance))

    @classmethod
    def bernoulli(cls, probabilities: ArrayLike) -> "NoiseModel":
        """Return the noise of keeping entry j with probability pi_j, divided by it (`urq-bernoulli`)."""
        pi = np.asarray(probabilities, dtype=np.float64)
        if not ((pi > 0) & (pi <= 1)).all():
            raise ValueError(f"probabilities = {pi.tolist()} are outside the accepted range (0, 1]")
        return cls(diagonal=1 / pi - 1)

    @classmethod
    def of(cls, compressor: Compressor, d: int) -> "NoiseModel":
        """Return the noise of `Identity`, `RandK` or `Bernoulli` with uniform probabilities, for vectors of length d.

        Raises
        ------
        TypeError
            If the variance of the compressor is not quadratic in its vector, or it is biased.
        """
        check_count(d, "d")
        if isinstance(compressor, Identity):
            return cls()
        if isinstance(compressor, RandK):
            variance = compressor.guarantee(d).variance
            # Two entries are kept together with probability k (k - 1) / (d (d - 1)): less often than independent ones.
            repulsion = variance / (d - 1) if d > 1 else 0.0
            return cls(outer=-repulsion, diagonal=d * repulsion)
        if isinstance(compressor, Bernoulli) and compressor.probabilities == "uniform":
            return cls(diagonal=d / compressor.T - 1)
        raise TypeError(
            f"the variance of {compressor!r} is not quadratic in the gradient; accepted: Identity(), RandK(k) and "
            "Bernoulli(T, 'uniform'); simulate others"
        )


@dataclass(frozen=True, eq=False)
class ExactMoments:
    """Expectations along K iterations, with the names of the same quantities in `Run`.

    Parameters
    ----------
    squared_distance : numpy.ndarray, shape (K + 1, ...)
        E ||x_k - x*||^2.
    gap : numpy.ndarray, shape (K + 1, ...)
        E F(x_k) - F*.
    squared_gradient_norm : numpy.ndarray, shape (K + 1, ...)
        E ||grad F(x_k)||^2.
    """

    squared_distance: Floats
    gap: Floats
    squared_gradient_norm: Floats


@dataclass(frozen=True, eq=False)
class MomentState:
    """Mean and covariance of the state (r_k, r_{k-1}, ..., r_{k-tau}, messages kept), with r_k = x_k - x*.

    Parameters
    ----------
    mean : numpy.ndarray, shape (..., D)
        Blocks of length d: tau + 1 models, the newest first, then the messages of the n workers if they are stored.
    covariance : numpy.ndarray, shape (..., D, D)
        Of the same state.
    """

    mean: Floats
    covariance: Floats


@dataclass(frozen=True, eq=False)
class Recursion:
    """One iteration of the moments of a stale compressed method on a quadratic, as a pure function.

    Made by `Recursion.of`; `second_moments` runs it along a trace. Every array has the leading axes of a batch.

    Notes
    -----
    With y_i = x_{k - tau_i} the gradients g_i = H_i (y_i - c_i) are affine in the state, the step is affine in them,
    and the covariance that the compressors add is linear in the second moments of the g_i. Mean and covariance are kept
    apart: second moments about x* would lose the digits of a small variance. A step costs O(n d^2 D), not O(D^3):
    all blocks but one only move. Source: dossier chapter 2, section 7.1.

    Examples
    --------
    >>> from taciturn.solvers.problems import quadratic_with_spectrum
    >>> recursion = Recursion.of(quadratic_with_spectrum([1.0]), NoiseModel.exact_variance(1.0), staleness=0)
    >>> start, alone = recursion.start(np.array([1.0])), np.ones(1)
    >>> state = recursion.step(start, delay=np.array([0]), fresh=np.array([True]), shares=alone, step_size=0.5)
    >>> state.mean, state.covariance
    (array([0.5]), array([[0.25]]))
    """

    hessians: Floats
    """H_i, shape (n, d, d)."""

    residuals: Floats
    """h_i, gradient of f_i at the minimiser, shape (n, d)."""

    outer: Floats
    """Noise along the gradient, shape (n,)."""

    diagonal: Floats
    """Noise of each entry, shape (n, d)."""

    gradient_noise: Floats
    """Variance of each entry of a stochastic gradient, shape (n,)."""

    staleness: int
    """Largest age of a model when it is read: tau + 1 models are kept."""

    stored: bool
    shared_coins: bool
    shifted: bool

    @classmethod
    def of(
        cls,
        problem: Problem,
        noise: NoiseModel | Sequence[NoiseModel],
        staleness: int,
        *,
        stored: bool = False,
        shared_coins: bool = False,
        shifted: bool = False,
    ) -> "Recursion":
        """Prepare the recursion of a problem; see `second_moments` for the parameters."""
        if not isinstance(problem, Quadratic):
            raise TypeError(f"problem is a {type(problem).__name__}; accepted: Quadratic (simulate others)")
        if shared_coins and (stored or not isinstance(noise, NoiseModel)):
            raise ValueError("shared_coins = True is outside the accepted range: it needs one noise, used once")
        host = problem.host or problem
        n, d = host.workers, host.d
        models = [noise] * n if isinstance(noise, NoiseModel) else list(noise)
        if len(models) != n:
            raise ValueError(f"noise has length {len(models)}; accepted: one model, or one for each of {n} workers")
        diagonals = np.array([model.entries(d) for model in models])
        hessians = np.asarray(host.hessians, dtype=np.float64)
        if hessians.ndim == 2:
            hessians = hessians[:, :, None] * np.eye(d)
        return cls(
            hessians=hessians,
            residuals=np.asarray(host.worker_gradients(host.minimiser), dtype=np.float64),
            outer=np.array([model.outer for model in models]),
            diagonal=diagonals,
            gradient_noise=np.array([model.gradient_noise**2 / d for model in models]),
            staleness=staleness,
            stored=stored,
            shared_coins=shared_coins,
            shifted=shifted,
        )

    def start(self, distance: Floats) -> MomentState:
        """Return the state at a given x_0 - x*, shape (..., d): no variance, all models equal, no messages."""
        n, d = self.residuals.shape
        models = np.broadcast_to(distance[..., None, :], (*distance.shape[:-1], self.staleness + 1, d))
        mean = models.reshape(*distance.shape[:-1], -1)
        if self.stored:
            mean = np.concatenate([mean, np.zeros((*distance.shape[:-1], n * d))], axis=-1)
        return MomentState(mean, np.zeros((*mean.shape, mean.shape[-1])))

    def step(
        self, state: MomentState, delay: NDArray[Any], fresh: NDArray[Any], shares: Floats, step_size: Any
    ) -> MomentState:
        """Return the state after one iteration.

        Parameters
        ----------
        state : MomentState
            Before it.
        delay : numpy.ndarray of int, shape (n,)
            Age of the model that each new message was computed at.
        fresh : numpy.ndarray of bool, shape (n,)
            Which messages are new.
        shares : numpy.ndarray, shape (n,)
            Weight of each message in the step.
        step_size : float or numpy.ndarray, shape (...)
            gamma_k.
        """
        if self.stored:
            for i in np.flatnonzero(fresh).tolist():
                state = self._with_message(state, i, int(delay[i]))
            mean, rows, variance = self._mean_message(state, shares)
        else:
            mean, rows, variance = self._mean_gradient(state, delay, shares)
        return self._moved(state, mean, rows, variance, np.asarray(step_size, dtype=np.float64))

    def squared(self, state: MomentState, form: Floats) -> Floats:
        """Return E r_k^T form r_k, shape (...), for a symmetric form (d, d)."""
        d = len(form)
        mean = state.mean[..., :d]
        newest = state.covariance[..., :d, :d] + mean[..., :, None] * mean[..., None, :]
        return np.asarray(np.sum(newest * form, axis=(-2, -1)))

    def _mean_gradient(self, state: MomentState, delay: NDArray[Any], shares: Floats) -> tuple[Floats, Floats, Floats]:
        """Mean of v = sum_i shares_i q_i for new messages, its covariance with the state, and with itself."""
        n, d = self.residuals.shape
        read = (delay[:, None] * d + np.arange(d)).ravel()  # where the models y_i are, one below the other
        average = (shares[:, None, None] * self.hessians).transpose(1, 0, 2).reshape(d, n * d)
        at_read = state.covariance[..., read, :]
        rows = average @ at_read
        slopes = np.einsum(
            "iab,...ib->...ia", self.hessians, state.mean[..., read].reshape(*state.mean.shape[:-1], n, d)
        )
        mean = shares @ (slopes + self.residuals)
        variance = rows[..., read] @ average.T
        sampling = np.sum(shares**2 * self.gradient_noise) * np.eye(d)
        if self.shared_coins:
            compressed = mean - shares @ self.residuals if self.shifted else mean
            return mean, rows, variance + sampling + self._noise(0, variance + sampling, compressed)
        spread = at_read[..., read].reshape(*state.mean.shape[:-1], n, d, n, d)
        noise = sampling
        for i in np.flatnonzero(shares).tolist():
            own = self.hessians[i] @ spread[..., i, :, i, :] @ self.hessians[i] + self.gradient_noise[i] * np.eye(d)
            compressed = slopes[..., i, :] if self.shifted else slopes[..., i, :] + self.residuals[i]
            noise = noise + shares[i] ** 2 * self._noise(i, own, compressed)
        return mean, rows, variance + noise

    def _with_message(self, state: MomentState, i: int, delay: int) -> MomentState:
        """Replace the message of worker i by a new one."""
        d = self.residuals.shape[1]
        read = slice(delay * d, (delay + 1) * d)
        message = slice((self.staleness + 1 + i) * d, (self.staleness + 2 + i) * d)
        mean, covariance = state.mean.copy(), state.covariance.copy()
        slope = mean[..., read] @ self.hessians[i]
        rows = self.hessians[i] @ covariance[..., read, :]
        own = rows[..., read] @ self.hessians[i] + self.gradient_noise[i] * np.eye(d)
        mean[..., message] = slope + self.residuals[i]
        covariance[..., message, :] = rows
        covariance[..., :, message] = rows.mT
        covariance[..., message, message] = own + self._noise(i, own, slope if self.shifted else mean[..., message])
        return MomentState(mean, covariance)

    def _mean_message(self, state: MomentState, shares: Floats) -> tuple[Floats, Floats, Floats]:
        """Mean of v = sum_i shares_i q_i for stored messages, its covariance with the state, and with itself."""
        d = self.residuals.shape[1]
        messages = slice((self.staleness + 1) * d, None)
        average = np.kron(shares, np.eye(d))
        rows = average @ state.covariance[..., messages, :]
        return state.mean[..., messages] @ average.T, rows, rows[..., messages] @ average.T

    def _noise(self, i: int, covariance: Floats, mean: Floats) -> Floats:
        """Covariance that the compressor of worker i adds to a vector of given covariance and mean."""
        square = covariance + mean[..., :, None] * mean[..., None, :]
        entries = np.diagonal(square, axis1=-2, axis2=-1) * self.diagonal[i]
        return np.asarray(self.outer[i] * square + entries[..., None] * np.eye(square.shape[-1]))

    def _moved(
        self, state: MomentState, mean: Floats, rows: Floats, variance: Floats, step_size: Floats
    ) -> MomentState:
        """Put x_k - step_size v in front, and forget the oldest model."""
        d = self.residuals.shape[1]
        models = (self.staleness + 1) * d
        gamma = step_size[..., None]
        newest = state.mean[..., :d] - gamma * mean
        beside = state.covariance[..., :d, :] - gamma[..., None] * rows
        own = beside[..., :d] - gamma[..., None] * rows[..., :d].mT + gamma[..., None] ** 2 * variance
        kept = np.delete(np.arange(state.mean.shape[-1]), np.arange(models - d, models))
        batch = newest.shape[:-1]
        covariance = np.empty((*batch, kept.size + d, kept.size + d))
        # An antisymmetric part, born of rounding, can grow by a factor of up to two in a step that is stable otherwise.
        covariance[..., :d, :d] = (own + own.mT) / 2
        covariance[..., :d, d:] = beside[..., kept]
        covariance[..., d:, :d] = beside[..., kept].mT
        covariance[..., d:, d:] = state.covariance[..., kept[:, None], kept]
        old = np.broadcast_to(state.mean[..., kept], (*batch, kept.size))
        return MomentState(np.concatenate([newest, old], axis=-1), covariance)


def second_moments(
    problem: Problem,
    trace: Trace,
    step_size: ArrayLike,
    noise: NoiseModel | Sequence[NoiseModel],
    x0: ArrayLike | None = None,
    *,
    shared_coins: bool = False,
    shifted: bool = False,
) -> ExactMoments:
    """Compute the exact expectations of x_{k+1} = x_k - gamma_k (mean of the messages in use) along a trace.

    Parameters
    ----------
    problem : Quadratic
        With as many workers as the trace. Computed on the host in double precision, wherever its arrays are.
    trace : Trace
        Which messages are used when, from which version, new or stored; chosen without looking at any coin.
    step_size : array_like, shape () or (K, ...)
        gamma_k; a batch of step sizes stands behind the iterations, at one step size each as
        ``numpy.broadcast_to(steps, (K, len(steps)))``.
    noise : NoiseModel, or one for each worker
        Covariance of the messages; coins of different messages are independent.
    x0 : array_like, shape (..., d), optional
        Start, one for all or one for each of the batch; default 0.
    shared_coins : bool
        All workers apply one random linear map (same mask, same seed), a new one in each iteration: then the noise is
        that of the mean gradient. Only for messages used once.
    shifted : bool
        Workers compress g_i - h_i and the server adds h_i, their gradient at the minimiser.

    Returns
    -------
    ExactMoments
        Infinite or NaN from the iteration on where a divergent method overflows.

    Raises
    ------
    TypeError
        If the problem is not a `Quadratic`.
    ValueError
        If trace, problem, step size, noise and start do not fit each other, a step size is negative or not finite, or
        coins are shared by messages that are stored.

    Notes
    -----
    The mean of the messages in use has the weights `Trace.shares`: p_i where all workers are in use, 1 for a worker
    that arrives alone. Stored messages are part of the state. Source: dossier chapter 2, section 7.1.

    Examples
    --------
    >>> from taciturn.solvers.delays import Hold
    >>> from taciturn.solvers.problems import quadratic_with_spectrum
    >>> problem, trace = quadratic_with_spectrum([1.0]), Hold(2).trace(3, workers=1)
    >>> fresh = second_moments(problem, trace, 0.1, NoiseModel.exact_variance(5.0), x0=[1.0])
    >>> stored = second_moments(problem, trace.with_stored_messages(), 0.1, NoiseModel.exact_variance(5.0), x0=[1.0])
    >>> round(float(fresh.squared_distance[-1]), 12)  # `stale-necessary`: 1 - 2 T a + a^2 (T^2 + T omega), T = 3
    0.64
    >>> round(float(stored.squared_distance[-1]), 12)  # 1 - 2 T a + a^2 T^2 (1 + omega)
    0.94
    """
    recursion = Recursion.of(
        problem,
        noise,
        trace.history - 1,
        stored=trace.stored,
        shared_coins=shared_coins,
        shifted=shifted,
    )
    n, d = recursion.residuals.shape
    if trace.workers != n:
        raise ValueError(f"the trace has {trace.workers} workers and the problem {n}; accepted: the same number")
    steps = _step_sizes(step_size, trace.iterations)
    start = np.zeros(d) if x0 is None else np.asarray(x0, dtype=np.float64)
    if start.ndim == 0 or start.shape[-1] != d or not np.isfinite(start).all():
        raise ValueError(f"x0 of shape {start.shape}; accepted: finite numbers of shape (..., {d})")
    host = problem.host or problem
    batch = np.broadcast_shapes(steps.shape[1:], start.shape[:-1])
    state = recursion.start(np.broadcast_to(start - host.minimiser, (*batch, d)))
    hessian = np.tensordot(host.weights, recursion.hessians, axes=1)
    forms = np.eye(d), hessian / 2, hessian @ hessian
    shares, delay, fresh = trace.shares(host.weights), trace.delay, trace.fresh
    measured = [[recursion.squared(state, form) for form in forms]]
    with np.errstate(over="ignore", invalid="ignore"):
        for k in range(trace.iterations):
            state = recursion.step(state, delay[k], fresh[k], shares[k], steps[k])
            measured.append([recursion.squared(state, form) for form in forms])
    return ExactMoments(*(np.array(values) for values in zip(*measured, strict=True)))


def _step_sizes(step_size: ArrayLike, iterations: int) -> Floats:
    steps = np.asarray(step_size, dtype=np.float64)
    if steps.ndim == 0:
        steps = np.full(iterations, float(steps))
    if len(steps) != iterations:
        raise ValueError(f"step_size has the shape {steps.shape}; accepted: () or ({iterations}, ...)")
    for value in steps[~(np.isfinite(steps) & (steps >= 0))][:1]:
        raise ValueError(f"step_size = {value} is outside the accepted range [0, inf)")
    return steps
