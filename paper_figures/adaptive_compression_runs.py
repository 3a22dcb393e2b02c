"""The problems and runs that the figures about adaptive compression share."""

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from taciturn.solvers.array import Array, array_like, array_namespace, to_numpy
from taciturn.solvers.compressors import Bernoulli, ScaledSign, TopK
from taciturn.solvers.data import load_digits, load_mnist, load_text
from taciturn.solvers.methods import CAT, CompressedGradient, Dense, DynamicT, Fixed, Method, run
from taciturn.solvers.partition import split_by_label
from taciturn.solvers.problems import LinearModel, logistic_regression, softmax_regression
from taciturn.theory.communication import AffineCost, Cost, Packets, entry_bits, header_bits, technology

from .setting import Progress, Setting

__all__ = [
    "DIGITS",
    "FLOAT_BITS",
    "HEADER_BITS",
    "LINKS",
    "MNIST",
    "SPLIT_TEXT",
    "TEXT",
    "TITLES",
    "WORKERS",
    "Task",
    "Trajectory",
    "cat",
    "dense",
    "dense_cost",
    "dynamic",
    "fixed",
    "gradient_after",
    "mnist_is_here",
    "plain_cost",
    "price",
    "problem",
    "spread",
    "trajectories",
    "workers_data",
]

WORKERS = 4
MNIST_ROWS = 2000  # images, so that a run takes seconds
HEADER_BITS = 64  # of every message, whatever the scheme
FLOAT_BITS = 32  # what a value is billed as
TITLES = {
    "payload": "payload",
    "plain": "payload and 64 bits",
    "lorawan-eu868-dr0": "LoRaWAN packets",
    "ieee-802.15.4": "802.15.4 packets",
    "ethernet-udp": "UDP packets",
    "infiniband-4096": "InfiniBand packets",
    "rdma-100g": "100 Gbit/s, latency 1.3 µs",
    "ethernet-10g": "10 Gbit/s, latency 50 µs",
}
"""What to call the prices of `price`."""

LINKS = {"rdma-100g": (1.3e-6, 100e9), "ethernet-10g": (50e-6, 10e9)}
"""Links by latency (s) and bandwidth (bit/s): typical orders, to be measured on the spot."""

TEXT, MNIST, DIGITS = "spam-assassin", "mnist", "digits"
SPLIT_TEXT = "spam-assassin-by-label"


@cache
def problem(name: str, regularisation: float | None = None) -> LinearModel:
    """Return a problem by name, built once; the regularisation has a default for each.

    Examples
    --------
    >>> problem("spam-assassin").workers
    1
    """
    build, usual = _PROBLEMS[name]
    return build(usual if regularisation is None else regularisation)


def mnist_is_here() -> bool:
    """Whether a local copy of MNIST is named by TACITURN_DATA; no figure loads it from the network."""
    folder = os.environ.get("TACITURN_DATA")
    return folder is not None and (Path(folder) / "mnist.npz").is_file()


def workers_data() -> str:
    """Return the name of the problem with several workers: the digits of scikit-learn, or the text without it."""
    try:
        load_digits()
    except ImportError:
        return SPLIT_TEXT
    return DIGITS


def _text(regularisation: float) -> LinearModel:
    data = load_text()
    return logistic_regression(data.features, data.targets, regularisation)


def _split_text(regularisation: float) -> LinearModel:
    data = load_text()
    whole = logistic_regression(data.features, data.targets, regularisation)
    return whole.split(split_by_label(data.targets, WORKERS))


def _mnist(regularisation: float) -> LinearModel:
    data = load_mnist(part="test")
    return softmax_regression(data.features[:MNIST_ROWS], data.targets[:MNIST_ROWS], regularisation)


def _digits(regularisation: float) -> LinearModel:
    data = load_digits()
    odd = np.where(data.targets % 2 == 1, 1.0, -1.0)
    return logistic_regression(data.features, odd, regularisation).split(split_by_label(data.targets, WORKERS))


_PROBLEMS: dict[str, tuple[Callable[[float], LinearModel], float]] = {
    TEXT: (_text, 1e-4),
    SPLIT_TEXT: (_split_text, 1e-2),
    MNIST: (_mnist, 1e-2),
    DIGITS: (_digits, 1e-1),
}


def plain_cost(scheme: str, d: int) -> AffineCost:
    """Return the price of the payload with a header of 64 bits."""
    header = HEADER_BITS + header_bits(scheme, FLOAT_BITS)
    return AffineCost(header, entry_bits(scheme, d, FLOAT_BITS))


def price(name: str, scheme: str, d: int) -> Cost:
    """Return the price of a message.

    Parameters
    ----------
    name : str
        "plain": payload and header; "payload": no header; a link of `LINKS`: seconds; a technology: its full packets.
    scheme, d
        As in `taciturn.theory.communication.entry_bits`.
    """
    if name == "plain":
        return plain_cost(scheme, d)
    if name == "payload":
        return AffineCost(header_bits(scheme, FLOAT_BITS), entry_bits(scheme, d, FLOAT_BITS))
    if name in LINKS:
        latency, bandwidth = LINKS[name]
        return AffineCost(latency, entry_bits(scheme, d, FLOAT_BITS) / bandwidth, unit="seconds")
    return technology(name).cost(scheme, d, FLOAT_BITS)


def dense_cost(d: int, name: str = "plain") -> float:
    """Return the bits of a full gradient, without indices, billed as `price` does."""
    if name in ("plain", "payload"):
        return float(FLOAT_BITS * d + (HEADER_BITS if name == "plain" else 0))
    medium = technology(name)
    packets = Packets(FLOAT_BITS, 8 * medium.payload_bytes)
    return float(8 * (medium.payload_bytes + medium.overhead_bytes) * packets.count(d))


@dataclass(frozen=True)
class Task:
    """A run to make: a method on a problem from x = 0 until the gap is `accuracy` of that at the start.

    Parameters
    ----------
    problem : str
        Name for `problem`.
    method : Method
        A frozen dataclass; its `repr` identifies it in the cache.
    accuracy : float
        Relative gap to stop at.
    iterations : int
        Most steps.
    regularisation : float, optional
        Another than the problem's usual one.
    """

    problem: str
    method: Method
    accuracy: float
    iterations: int = 20_000
    regularisation: float | None = None


@dataclass(frozen=True, eq=False)
class Trajectory:
    """What a run left, as NumPy arrays; n is the number of workers.

    Parameters
    ----------
    gap : shape (K + 1,)
        F(x_k) - F*.
    squared_gradient_norm, squared_distance : shape (K + 1,)
        Of the gradient, and to the minimiser.
    effective_sparsity : shape (K + 1,)
        Of the gradient.
    worker_energy : shape (K + 1,)
        Weighted mean of the workers' squared gradient norms.
    cost, sparsity, coefficient : shape (K, n)
        Price, entries and certified decrease of every message.
    """

    gap: NDArray[np.float64]
    squared_gradient_norm: NDArray[np.float64]
    squared_distance: NDArray[np.float64]
    effective_sparsity: NDArray[np.float64]
    worker_energy: NDArray[np.float64]
    cost: NDArray[np.float64]
    sparsity: NDArray[np.float64]
    coefficient: NDArray[np.float64]

    @property
    def relative_gap(self) -> NDArray[np.float64]:
        """Gap relative to the start, shape (K + 1,)."""
        return np.asarray(self.gap / self.gap[0])

    @property
    def cumulative_cost(self) -> NDArray[np.float64]:
        """Price of everything sent before iteration k, shape (K + 1,)."""
        return np.concatenate([[0.0], np.cumsum(self.cost.sum(axis=1))])

    def iterations_to(self, accuracy: float) -> float:
        """Return the first k with that relative gap, infinite if it was not reached."""
        reached = np.flatnonzero(self.relative_gap <= accuracy)
        return float(reached[0]) if reached.size else float("inf")

    def cost_to(self, accuracy: float, cost: Cost | None = None) -> float:
        """Return the price of all messages until that relative gap, infinite if it was not reached.

        Parameters
        ----------
        accuracy : float
            Relative gap.
        cost : Cost, optional
            Another price than was paid in the run, for the same messages.
        """
        k = self.iterations_to(accuracy)
        if k == float("inf"):
            return k
        paid = self.cost if cost is None else np.asarray(cost(self.sparsity.astype(np.int64)))
        return float(paid[: int(k)].sum())


def dense(accuracy: float, name: str = TEXT) -> Task:
    """Gradient descent that sends everything."""
    return Task(name, CompressedGradient(Dense(AffineCost(dense_cost(problem(name).d), 0.0))), accuracy)


def cat(scheme: str, priced_by: str, accuracy: float, name: str = TEXT, regularisation: float | None = None) -> Task:
    """CAT on one node."""
    method = CompressedGradient(CAT(scheme, price(priced_by, scheme, problem(name).d)))
    return Task(name, method, accuracy, regularisation=regularisation)


def fixed(scheme: str, T: int, accuracy: float) -> Task:
    """A fixed T on the text, billed as a plain message; `Trajectory.cost_to` bills it otherwise."""
    compressor = {"S": TopK, "S+Q": ScaledSign, "SS": Bernoulli}[scheme](T)
    return Task(TEXT, CompressedGradient(Fixed(compressor, plain_cost(scheme, problem(TEXT).d))), accuracy)


def dynamic(scale: str, accuracy: float) -> Task:
    """The dynamic T of Alistarh et al. on the text, billed as a plain message."""
    return Task(TEXT, CompressedGradient(DynamicT(plain_cost("S+Q", problem(TEXT).d), scale)), accuracy)


def trajectories(setting: Setting, tasks: Sequence[Task], progress: Progress) -> list[Trajectory]:
    """Make runs, or take them from the cache."""
    done = []
    for number, task in enumerate(tasks, start=1):
        done.append(_trajectory(setting, task))
        progress(number, len(tasks))
    return done


def _trajectory(setting: Setting, task: Task) -> Trajectory:
    arrays = setting.cache.get(
        lambda: vars(_run(setting, task)), task=task, backend=setting.backend, device=setting.device
    )
    return Trajectory(**arrays)


def _run(setting: Setting, task: Task) -> Trajectory:
    there = problem(task.problem, task.regularisation).on(setting.prototype())
    xp = array_namespace(there.weights)
    start = float(there.objective(array_like(np.zeros(there.d), there.weights))) - there.minimum
    result = run(
        task.method,
        there,
        task.iterations,
        until=lambda state: float(state.value) - there.minimum <= task.accuracy * start,
        record={
            "effective_sparsity": lambda state: xp.sum(xp.abs(state.gradient)) ** 2 / state.squared_gradient_norm,
            "worker_energy": lambda state: xp.sum(state.gradients**2, axis=-1) @ there.weights,
        },
    )
    assert result.squared_distance is not None  # there is a reference
    return Trajectory(
        gap=result.gap,
        squared_gradient_norm=result.squared_gradient_norm,
        squared_distance=result.squared_distance,
        **result.recorded,
        cost=result.cost.astype(np.float64),
        sparsity=result.sparsity.astype(np.float64),
        coefficient=result.coefficient.astype(np.float64),
    )


def gradient_after(setting: Setting, name: str, iterations: int) -> Array:
    """Return the gradient after steps of gradient descent from x = 0, in the library of the setting."""

    def compute() -> dict[str, Any]:
        there = problem(name).on(setting.prototype())
        descent = CompressedGradient(Dense())
        return {"gradient": to_numpy(run(descent, there, iterations, reference=False).state.gradient)}

    inputs = {"problem": name, "iterations": iterations, "backend": setting.backend, "device": setting.device}
    return array_like(setting.cache.get(compute, what="gradient", **inputs)["gradient"], setting.prototype())


def spread(lowest: float, highest: float, points: int) -> NDArray[np.int64]:
    """Return different integers spread evenly on a logarithmic scale, ends included.

    Examples
    --------
    >>> spread(1, 100, 5)
    array([  1,   3,  10,  32, 100])
    """
    return np.unique(np.rint(np.geomspace(lowest, highest, points)).astype(np.int64))
