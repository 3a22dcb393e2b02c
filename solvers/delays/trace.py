"""The trace of a run: who computed what from which version of the model, when it arrived, and how many bits it took."""

import io
import os
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..array import check_count

__all__ = ["Trace"]

FORMAT = 1
"""Number of the file format; a file of another number is refused."""

_CELLS = 2**20  # cells of (iteration, worker) looked at in one step of a pass over a long trace


@dataclass(frozen=True, eq=False, repr=False)
class Trace:
    """K iterations of a server with n workers, as the list of its M messages.

    Iteration k takes the model x_k, version k, to x_{k+1}, along the weighted mean of the messages in use. A message
    is the compressed gradient of one worker at one version; it is new in the iteration that uses it first, and
    ``stored`` says what comes then.

    Parameters
    ----------
    iterations, workers : int
        K >= 0 and n >= 1.
    iteration, worker : array_like of int, shape (M,)
        Who sent the message, and the iteration that uses it first; sorted by iteration, then by worker, at most one
        message for each pair.
    version : array_like of int, shape (M,)
        The model read: 0 <= version <= iteration.
    arrival : array_like, shape (M,)
        When the message reached the server, in seconds (in iterations for the delay models).
    bits : array_like, shape (M,)
        Length of the message, fixed or expected, on its way up.
    stored : bool
        False: a message is used in one iteration only (algorithm A, "fresh"). True: the server keeps the last message
        of every worker and uses it until the next one comes (algorithm B).

    Raises
    ------
    TypeError
        If a number that counts is not an integer.
    ValueError
        If the shapes differ, messages are out of order, a version is negative or of the future, or a time or a length
        is negative or not finite. The message names iteration and worker.

    Notes
    -----
    Source: dossier chapter 2, sections 0, 4.9 and 6. Messages take memory in proportion to M; only `delay`, `fresh`
    and `used` are arrays over all iterations and workers.

    Examples
    --------
    >>> trace = Trace(3, 2, iteration=[0, 0, 2], worker=[0, 1, 0], version=[0, 0, 1], arrival=[0, 0, 2], bits=[8, 8, 8])
    >>> trace
    Trace(3 iterations, 2 workers, 3 messages used once, largest delay 1)
    >>> trace.used
    array([[ True,  True],
           [False, False],
           [ True, False]])
    """

    iterations: int
    workers: int
    iteration: NDArray[np.int64]
    worker: NDArray[np.int64]
    version: NDArray[np.int64]
    arrival: NDArray[np.float64]
    bits: NDArray[np.float64]
    stored: bool = False

    def __init__(
        self,
        iterations: int,
        workers: int,
        iteration: ArrayLike,
        worker: ArrayLike,
        version: ArrayLike,
        arrival: ArrayLike,
        bits: ArrayLike,
        stored: bool = False,
    ) -> None:
        check_count(iterations, "iterations", lowest=0)
        check_count(workers, "workers")
        if not isinstance(stored, (bool, np.bool_)):
            raise TypeError(f"stored = {stored!r} is a {type(stored).__name__}; accepted: True or False")
        counts = {"iteration": iteration, "worker": worker, "version": version}
        columns: dict[str, NDArray[Any]] = {name: _integers(values, name) for name, values in counts.items()}
        columns |= {"arrival": np.array(arrival, dtype=np.float64), "bits": np.array(bits, dtype=np.float64)}
        if len({column.shape for column in columns.values()}) > 1 or columns["bits"].ndim != 1:
            shapes = ", ".join(f"{name} {column.shape}" for name, column in columns.items())
            raise ValueError(f"the columns have the shapes {shapes}; accepted: (M,) for all of them")
        for name, column in columns.items():
            column.setflags(write=False)
            object.__setattr__(self, name, column)
        object.__setattr__(self, "iterations", int(iterations))
        object.__setattr__(self, "workers", int(workers))
        object.__setattr__(self, "stored", bool(stored))
        self._check()

    @classmethod
    def from_delays(cls, delay: ArrayLike, *, bits: ArrayLike = 0.0, stored: bool = False) -> "Trace":
        """Return the trace in which every worker is used in every iteration, with given delays.

        Parameters
        ----------
        delay : array_like of int, shape (K, n)
            tau_i^k: worker i is used in iteration k with the gradient at version k - tau_i^k, 0 <= tau_i^k <= k.
        bits : array_like, broadcast to (K, n)
            Length of the message.
        stored : bool
            False: every use is a new message, compressed with new coins. True: a message is used as long as the
            version read stays the same.

        Raises
        ------
        TypeError
            If the delays are not integers.
        ValueError
            If a delay is negative or reads a version before the start; the message names iteration and worker.

        Examples
        --------
        >>> Trace.from_delays([[0, 0], [1, 0], [0, 2]])
        Trace(3 iterations, 2 workers, 6 messages used once, largest delay 2)
        >>> Trace.from_delays([[0, 0], [2, 0]])
        Traceback (most recent call last):
            ...
        ValueError: delay = 2 of worker 0 in iteration 1 is outside the accepted range 0..1
        """
        delays = _integers(delay, "delay")
        if delays.ndim != 2 or delays.shape[1] == 0:
            raise ValueError(f"delay has the shape {delays.shape}; accepted: (K, n) with n >= 1")
        K, n = delays.shape
        k = np.arange(K)[:, None]
        for i, j in np.argwhere((delays < 0) | (delays > k))[:1]:
            raise ValueError(
                f"delay = {delays[i, j]} of worker {j} in iteration {i} is outside the accepted range 0..{i}"
            )
        iteration, worker = np.divmod(np.arange(K * n), n)
        length = np.asarray(bits, dtype=np.float64)
        if not _broadcasts(length.shape, (K, n)):
            raise ValueError(f"bits have the shape {length.shape}; accepted: a number, or what broadcasts to {(K, n)}")
        length = np.broadcast_to(length, (K, n)).ravel()
        trace = cls(K, n, iteration, worker, iteration - delays.ravel(), iteration, length)
        return trace.with_stored_messages() if stored else trace

    @property
    def messages(self) -> int:
        """Number of messages M."""
        return len(self.iteration)

    @cached_property
    def starts(self) -> NDArray[np.int64]:
        """Where each iteration begins, shape (K + 1,): k uses the messages starts[k]..starts[k + 1] - 1 first."""
        return np.searchsorted(self.iteration, np.arange(self.iterations + 1))

    @property
    def message_delay(self) -> NDArray[np.int64]:
        """Age of each message when it is used first, iteration - version, shape (M,)."""
        return self.iteration - self.version

    @property
    def history(self) -> int:
        """Number of models that a replay must keep: 1 + the largest age of a model when a message uses it first."""
        return 1 + int(np.max(self.message_delay, initial=0))

    @cached_property
    def last_use(self) -> NDArray[np.int64]:
        """The iteration that uses each message last, shape (M,)."""
        if not self.stored:
            return self.iteration
        order = np.argsort(self.worker, kind="stable")
        same_worker = self.worker[order][1:] == self.worker[order][:-1]
        last = np.full(self.messages, self.iterations - 1)
        last[order[:-1][same_worker]] = self.iteration[order[1:][same_worker]] - 1
        return last

    @property
    def max_delay(self) -> int:
        """The staleness tau: largest age of a message in use; 0 if there is none."""
        return int(np.max(self.last_use - self.version, initial=0))

    @cached_property
    def largest_delay(self) -> NDArray[np.int64]:
        """tau_k = max_i tau_i^k over the workers in use, shape (K,); 0 where none is."""
        largest = np.zeros(self.iterations, dtype=np.int64)
        if self.stored:
            for rows, in_use in self._blocks():
                largest[rows] = self._delay(rows, in_use).max(axis=1)
        else:
            np.maximum.at(largest, self.iteration, self.message_delay)
        return largest

    @cached_property
    def delay(self) -> NDArray[np.int64]:
        """tau_i^k: age of the message of worker i that iteration k uses, shape (K, n); 0 where it uses none."""
        delay = np.empty((self.iterations, self.workers), dtype=np.int64)
        for rows, in_use in self._blocks():
            delay[rows] = self._delay(rows, in_use)
        return delay

    @cached_property
    def used(self) -> NDArray[np.bool_]:
        """Whether iteration k uses a message of worker i, new or stored, shape (K, n)."""
        used = np.empty((self.iterations, self.workers), dtype=bool)
        for rows, in_use in self._blocks():
            used[rows] = in_use >= 0
        return used

    @cached_property
    def fresh(self) -> NDArray[np.bool_]:
        """Whether the message of worker i in iteration k is new, shape (K, n)."""
        fresh = np.zeros((self.iterations, self.workers), dtype=bool)
        fresh[self.iteration, self.worker] = True
        return fresh

    @property
    def update_time(self) -> NDArray[np.float64]:
        """When the server makes x_{k+1}: the last arrival up to iteration k, shape (K,), in the unit of `arrival`."""
        latest = np.zeros(self.iterations)
        np.maximum.at(latest, self.iteration, self.arrival)
        return np.maximum.accumulate(latest)

    def shares(self, weights: ArrayLike) -> NDArray[np.float64]:
        """Return the weights of the mean over the messages in use: p_i / (sum of p_j in use), 0 for the others.

        Parameters
        ----------
        weights : array_like, shape (n,)
            p_i.

        Returns
        -------
        numpy.ndarray, shape (K, n)
            p itself where all workers are in use; 1 for the worker that arrives alone and is used once. A row is
            zero where nothing is in use.

        Examples
        --------
        >>> trace = Trace(2, 2, [0, 0, 1], [0, 1, 1], [0, 0, 1], [0, 0, 1], [8, 8, 8])
        >>> trace.shares([0.25, 0.75])
        array([[0.25, 0.75],
               [0.  , 1.  ]])
        """
        p = np.asarray(weights, dtype=np.float64)
        if p.shape != (self.workers,):
            raise ValueError(f"weights have the shape {p.shape}; accepted: ({self.workers},)")
        parts = np.where(self.used, p, 0.0)
        # Where all are in use the weights stay as they are, whatever rounding does to their sum.
        total = np.where(self.used.all(axis=1), 1.0, parts.sum(axis=1))[:, None]
        return np.divide(parts, total, out=np.zeros_like(parts), where=total > 0)

    def with_stored_messages(self) -> "Trace":
        """Return the trace in which a message is kept and used again while its worker's version stays the same.

        Same delays, fewer messages: "stored" beside "fresh" in a comparison of the two.

        Raises
        ------
        ValueError
            If an iteration lacks a worker: there is no message to keep.

        Examples
        --------
        >>> hold = Trace.from_delays([[0], [1], [0], [1]])
        >>> hold.with_stored_messages()
        Trace(4 iterations, 1 workers, 2 messages stored, largest delay 1)
        """
        if not self.used.all():
            k, i = np.argwhere(~self.used)[0]
            raise ValueError(f"iteration {k} uses no message of worker {i}; accepted: traces that use all workers")
        kept = np.ones((self.iterations, self.workers), dtype=bool)
        version = np.arange(self.iterations)[:, None] - self.delay
        kept[1:] = version[1:] != version[:-1]
        chosen = kept[self.iteration, self.worker]
        return Trace(
            self.iterations,
            self.workers,
            self.iteration[chosen],
            self.worker[chosen],
            self.version[chosen],
            self.arrival[chosen],
            self.bits[chosen],
            stored=True,
        )

    def save(self, path: str | Path) -> None:
        """Write the trace to a file that `load` reads, whole or not at all.

        Parameters
        ----------
        path : path
            A NumPy archive (npz); an existing file is replaced.

        Raises
        ------
        OSError
            If it cannot be written.
        """
        path = Path(path)
        unfinished = path.with_name(path.name + ".part")
        try:
            with unfinished.open("wb") as file:
                np.savez_compressed(
                    file,
                    format=FORMAT,
                    size=np.array([self.iterations, self.workers]),
                    stored=self.stored,
                    **{name: getattr(self, name) for name in ("iteration", "worker", "version", "arrival", "bits")},
                )
            os.replace(unfinished, path)
        finally:
            unfinished.unlink(missing_ok=True)

    @classmethod
    def load(cls, path: str | Path) -> Self:
        """Read a trace that `save` wrote.

        Raises
        ------
        OSError
            If there is no such file (FileNotFoundError), or it cannot be read.
        ValueError
            If the file is truncated, corrupt, of another format, or its trace is not valid.

        Examples
        --------
        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     Trace.from_delays([[0], [1]]).save(Path(folder) / "trace.npz")
        ...     Trace.load(Path(folder) / "trace.npz")
        Trace(2 iterations, 1 workers, 2 messages used once, largest delay 1)
        """
        path = Path(path)
        file = io.BytesIO(path.read_bytes())
        try:
            with np.load(file, allow_pickle=False) as archive:
                content = {name: archive[name] for name in archive.files}
            if int(content.pop("format")) != FORMAT:
                raise ValueError(f"it is of another format than {FORMAT}")
            iterations, workers = content.pop("size").tolist()
            return cls(iterations, workers, stored=bool(content.pop("stored")), **content)
        except Exception as error:  # damaged bytes end in errors of a dozen types, by way of zip, tokens and numbers
            raise ValueError(f"{path} is corrupt or not a trace: {error}") from error

    def __repr__(self) -> str:
        kind = "stored" if self.stored else "used once"
        return (
            f"Trace({self.iterations} iterations, {self.workers} workers, {self.messages} messages {kind}, "
            f"largest delay {self.max_delay})"
        )

    def _check(self) -> None:
        for name, highest in (("iteration", self.iterations - 1), ("worker", self.workers - 1), ("version", None)):
            column = getattr(self, name)
            limits = self.iteration if highest is None else np.full(self.messages, highest)
            for m in np.flatnonzero((column < 0) | (column > limits))[:1]:
                accepted = f"0..{limits[m]}"
                raise ValueError(f"{name} = {column[m]} of {self._message(m)} is outside the accepted range {accepted}")
        for name in ("arrival", "bits"):
            column = getattr(self, name)
            for m in np.flatnonzero(~(np.isfinite(column) & (column >= 0)))[:1]:
                raise ValueError(f"{name} = {column[m]} of {self._message(m)} is outside the accepted range [0, inf)")
        place = self.iteration * self.workers + self.worker
        for m in np.flatnonzero(np.diff(place) <= 0)[:1]:
            raise ValueError(
                f"{self._message(m + 1)} comes after {self._message(m)}; "
                "accepted: sorted by iteration, then by worker, one message for each pair"
            )

    def _message(self, m: int) -> str:
        return f"the message of worker {self.worker[m]} in iteration {self.iteration[m]}"

    def _blocks(self) -> Iterator[tuple[slice, NDArray[np.int64]]]:
        """Yield, for some iterations at a time, the number of the message in use by every worker, -1 for none."""
        size = max(1, _CELLS // self.workers)
        previous = np.full(self.workers, -1)
        for first in range(0, self.iterations, size):
            rows = slice(first, min(first + size, self.iterations))
            new = np.arange(self.starts[rows.start], self.starts[rows.stop])
            in_use = np.full((rows.stop - rows.start, self.workers), -1)
            in_use[self.iteration[new] - rows.start, self.worker[new]] = new
            if self.stored:
                # Messages are numbered in the order of time: the last one that came has the largest number.
                in_use[0] = np.maximum(in_use[0], previous)
                np.maximum.accumulate(in_use, axis=0, out=in_use)
                previous = in_use[-1]
            yield rows, in_use

    def _delay(self, rows: slice, in_use: NDArray[np.int64]) -> NDArray[np.int64]:
        k = np.arange(rows.start, rows.stop)[:, None]
        if not self.messages:
            return np.zeros_like(in_use)
        return np.where(in_use >= 0, k - self.version[in_use], 0)


def _broadcasts(shape: tuple[int, ...], full: tuple[int, int]) -> bool:
    trailing = full[len(full) - len(shape) :]
    return len(shape) <= 2 and all(size in (1, most) for size, most in zip(shape, trailing, strict=True))


def _integers(values: ArrayLike, name: str) -> NDArray[np.int64]:
    array = np.asarray(values)
    if array.size == 0:
        return np.zeros(array.shape, dtype=np.int64)
    if np.isdtype(array.dtype, "integral"):
        return array.astype(np.int64)
    if np.isdtype(array.dtype, "real floating"):
        for place in np.argwhere(array != np.floor(array))[:1]:
            where = f"worker {place[1]} in iteration {place[0]}" if array.ndim == 2 else f"message {place.tolist()}"
            raise TypeError(f"{name} = {array[tuple(place)]} of {where} is not an integer")
    raise TypeError(f"{name} is of {array.dtype}; accepted: integers")
