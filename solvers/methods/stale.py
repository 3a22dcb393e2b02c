"""Gradient descent on compressed gradients that arrive late: the replay of a trace."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from ..array import Array, Stream, array_like, array_namespace, check_count, device_of, to_numpy
from ..delays import Trace
from ..problems import Problem
from .oracle import Exact, Oracle
from .sender import Sender
from .state import Sent, State
from .step_rules import StepRule, check_step_rule, step_sizes

__all__ = ["StaleGradient", "StaleState"]


@dataclass(frozen=True, eq=False, kw_only=True)
class StaleState(State):
    """A point, and what the iterations to come still need of the past.

    The `memory` of a trace with stored messages holds the last message of every worker, shape (..., n, d).

    Parameters
    ----------
    iteration : int
        k, the version of the point.
    models : mapping from version to Array, shape (..., d)
        The models that a later message was computed at: views of the points, at most as many as the trace has
        versions on the way at a time.
    step_sizes : numpy.ndarray, shape (K,)
        gamma_k of the whole trace.
    in_use : numpy.ndarray of bool, shape (n,)
        Whose messages are stored.
    """

    iteration: int = 0
    models: Mapping[int, Array] = field(default_factory=dict)
    step_sizes: NDArray[np.float64] = field(default_factory=lambda: np.zeros(0))
    in_use: NDArray[np.bool_] = field(default_factory=lambda: np.zeros(0, dtype=bool))


@dataclass(frozen=True, eq=False)
class StaleGradient:
    """x <- x - step_size_k (weighted mean of the messages in use), with the delays of a trace.

    The message of worker i is the compressed gradient of f_i at the version the trace says it read. Where messages
    are used once (algorithm A of the dossier) coins are fresh in every iteration; where they are stored (algorithm B)
    a message is compressed once and used until the next one of its worker. The mean has the weights p_i of the
    workers in use, divided by their sum: p_i itself if all are, 1 for a worker that arrives alone.

    Parameters
    ----------
    sender : Sender
        What the workers send; several workers that arrive together are compressed in one call.
    trace : Trace
        Who computed what from which version; a run has at most its number of iterations.
    step_size : float or StepRule, optional
        A constant, a rule that looks at the delays, or the default of `stale_step_size`.
    oracle : Oracle
        What the workers know of their gradients; default the exact ones.
    message_seed : int, optional
        If given, the coins of the message of worker i at version v come from ``Stream([message_seed, i, v])``
        whatever the seed of the run: the coins of a distributed run.

    Raises
    ------
    TypeError, ValueError
        If the step size is not positive or there is no default for it (at the start), or the trace has another
        number of workers than the problem or ends before the run.

    Notes
    -----
    Source: dossier chapter 2, sections 0 and 4.9. The history is kept as references to the points themselves, and of
    these only the versions that are still to be read. Besides the gradients of all f_i at x_k, which every method
    evaluates for the record, a step evaluates the gradients of new messages at the versions they read.

    Examples
    --------
    >>> import numpy as np
    >>> from taciturn.solvers.delays import Hold
    >>> from taciturn.solvers.methods import Dense, run
    >>> from taciturn.solvers.problems import quadratic_with_spectrum
    >>> method = StaleGradient(Dense(), Hold(1).trace(4, workers=1), step_size=0.25)
    >>> run(method, quadratic_with_spectrum([1.0]), 4, x0=np.ones(1)).gap.tolist()
    [0.5, 0.28125, 0.125, 0.0703125, 0.03125]
    """

    sender: Sender
    trace: Trace
    step_size: float | StepRule | None = None
    oracle: Oracle = field(default_factory=Exact)
    message_seed: int | None = None

    def __post_init__(self) -> None:
        check_step_rule(self.step_size)
        if self.message_seed is not None:
            check_count(self.message_seed, "message_seed", lowest=0)

    def init(self, problem: Problem, x0: Array) -> StaleState:
        """Evaluate the problem at the start, which is version 0."""
        if self.trace.workers != problem.workers:
            raise ValueError(
                f"the trace has {self.trace.workers} workers and the problem {problem.workers}; "
                "accepted: the same number"
            )
        start = StaleState.at(problem, x0)
        memory = array_namespace(x0).zeros_like(start.gradients) if self.trace.stored else None
        return replace(
            start,
            memory=memory,
            models=self._still_to_read({0: x0}, 0),
            step_sizes=step_sizes(self.step_size, problem, self.sender.guarantee(problem.d), self.trace),
            in_use=np.zeros(problem.workers, dtype=bool),
        )

    def step(self, problem: Problem, state: StaleState, rng: Stream) -> StaleState:
        """Use the messages of one iteration of the trace."""
        k = state.iteration
        if k >= self.trace.iterations:
            raise ValueError(f"the trace has {self.trace.iterations} iterations; accepted: runs that end with it")
        messages = slice(self.trace.starts[k], self.trace.starts[k + 1])
        workers, versions = self.trace.worker[messages], self.trace.version[messages]
        sent = self._send(problem, state, workers, versions, rng)
        if self.trace.stored:
            in_use = state.in_use.copy()
            in_use[workers] = True
            memory = _with_rows(state.memory, workers, sent.vectors)
            used = np.flatnonzero(in_use)
            mean = mean_of_messages(problem.weights, used, _rows(memory, used))
        else:
            in_use, memory = state.in_use, None
            mean = mean_of_messages(problem.weights, workers, sent.vectors)
        x = state.x - float(state.step_sizes[k]) * mean
        return replace(
            StaleState.at(problem, x, sent=_of_all_workers(sent, workers, problem.workers), memory=memory),
            iteration=k + 1,
            models=self._still_to_read({**state.models, k + 1: x}, k + 1),
            step_sizes=state.step_sizes,
            in_use=in_use,
        )

    @cached_property
    def _last_read(self) -> NDArray[np.int64]:
        """The last iteration that uses a message from each version for the first time, shape (K + 1,); -1 if none."""
        last = np.full(self.trace.iterations + 1, -1)
        np.maximum.at(last, self.trace.version, self.trace.iteration)
        return last

    def _still_to_read(self, models: Mapping[int, Array], k: int) -> dict[int, Array]:
        return {version: x for version, x in models.items() if self._last_read[version] >= k}

    def _send(
        self,
        problem: Problem,
        state: StaleState,
        workers: NDArray[np.int64],
        versions: NDArray[np.int64],
        rng: Stream,
    ) -> Sent:
        """Return the messages of some workers, each from a version of its own; vectors (..., m, d)."""
        if not len(workers):
            return _nothing(state.gradients)
        complete = len(workers) == problem.workers
        chosen = problem if complete else problem.of_workers(workers.tolist())
        exact = isinstance(self.oracle, Exact)
        if exact and (versions == state.iteration).all():
            vectors = _rows(state.gradients, workers)
        else:
            points = _gathered(state.models, versions)
            if exact or self.message_seed is None:
                vectors = self.oracle.gradients(chosen, points, rng)
        if self.message_seed is None:
            return self.sender.send(vectors, chosen.weights, rng)
        singles = []
        for j, (i, version) in enumerate(zip(workers.tolist(), versions.tolist(), strict=True)):
            coins, own, row = Stream([self.message_seed, i, version]), problem.of_workers([i]), slice(j, j + 1)
            vector = vectors[..., row, :] if exact else self.oracle.gradients(own, points[..., row, :], coins)
            singles.append(self.sender.send(vector, own.weights, coins))
        return _together(singles)


def mean_of_messages(weights: Array, workers: NDArray[np.int64], vectors: Array) -> Array:
    """Return the mean (..., d) of messages (..., m, d) of some workers, with their p_i over the sum; 0 of none."""
    shares = to_numpy(weights)
    if len(workers) < len(shares):
        # Where all are in use the weights stay as they are, whatever rounding does to their sum.
        shares = shares[workers] / shares[workers].sum()
    axes = ((0,), (vectors.ndim - 2,))
    return array_namespace(vectors).tensordot(array_like(shares, vectors), vectors, axes=axes)


def _gathered(models: Mapping[int, Array], versions: NDArray[np.int64]) -> Array:
    """Return the models (..., d) of some versions below each other, (..., m, d); a common version is not copied."""
    first = models[int(versions[0])]
    xp = array_namespace(first)
    if (versions == versions[0]).all():
        return xp.broadcast_to(first[..., None, :], (*first.shape[:-1], len(versions), first.shape[-1]))
    return xp.stack([models[version] for version in versions.tolist()], axis=-2)


def _rows(vectors: Array, workers: NDArray[np.int64]) -> Array:
    """Return the rows (..., m, d) of some workers; of all of them, the array itself."""
    if len(workers) == vectors.shape[-2]:
        return vectors
    xp = array_namespace(vectors)
    return xp.take(vectors, array_like(workers.tolist(), vectors, dtype=xp.int64), axis=-2)


def _with_rows(vectors: Array, workers: NDArray[np.int64], rows: Array) -> Array:
    """Return vectors (..., n, d) with the rows of some workers replaced."""
    if len(workers) == vectors.shape[-2]:
        return rows
    changed = array_namespace(vectors).asarray(vectors, copy=True)
    for j, i in enumerate(workers.tolist()):
        changed[..., i, :] = rows[..., j, :]
    return changed


def _nothing(gradients: Array) -> Sent:
    batch, d = gradients.shape[:-2], gradients.shape[-1]
    vectors = array_namespace(gradients).zeros((*batch, 0, d), dtype=gradients.dtype, device=device_of(gradients))
    return Sent(vectors, *(np.zeros((*batch, 0)) for _ in range(3)))


def _together(singles: list[Sent]) -> Sent:
    """Put the messages of single workers side by side."""
    vectors = array_namespace(singles[0].vectors).concat([sent.vectors for sent in singles], axis=-2)
    columns = zip(*((sent.cost, sent.sparsity, sent.coefficient) for sent in singles), strict=True)
    return Sent(vectors, *(np.concatenate(column, axis=-1) for column in columns))


def _of_all_workers(sent: Sent, workers: NDArray[np.int64], n: int) -> Sent:
    """Return the same messages with silence in the place of the other workers."""
    if len(workers) == n:
        return sent
    xp = array_namespace(sent.vectors)
    shape = (*sent.vectors.shape[:-2], n, sent.vectors.shape[-1])
    zeros = xp.zeros(shape, dtype=sent.vectors.dtype, device=device_of(sent.vectors))
    columns = []
    for column in (sent.cost, sent.sparsity, sent.coefficient):
        full = np.zeros(shape[:-1], dtype=column.dtype)
        full[..., workers] = column
        columns.append(full)
    return Sent(_with_rows(zeros, workers, sent.vectors), *columns)
