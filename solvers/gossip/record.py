"""What a rank did, and the whole run in the simulator (dossier 4.8, requirement 10)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..decentralised.tensors import Tensors
from ..decentralised.triggers import Look

__all__ = ["EventTrace", "Replayed"]


@dataclass(frozen=True, eq=False)
class EventTrace:
    """The events of n ranks in K iterations.

    Parameters
    ----------
    fired : numpy.ndarray of bool, shape (K, n, B)
        Which tensors were sent.
    latency : int
        Iterations after which both ends of a link use a message.
    bytes_sent : numpy.ndarray of int, shape (n,)
        On the wire, headers included, to all neighbours.
    bits_counted : numpy.ndarray, shape (n,)
        Bits of the contents, to all neighbours.

    Examples
    --------
    >>> trace = EventTrace(np.ones((3, 2, 1), dtype=bool), 0, np.zeros(2, dtype=int), np.zeros(2))
    >>> trace.message_share
    1.0
    """

    fired: NDArray[np.bool_]
    latency: int
    bytes_sent: NDArray[np.int64]
    bits_counted: NDArray[np.float64]

    @property
    def message_share(self) -> float:
        """Tensor messages / tensor messages of sending always."""
        return float(np.mean(self.fired))

    @classmethod
    def of_ranks(cls, parts: Sequence[EventTrace]) -> EventTrace:
        """Put the traces of single ranks side by side, in the order of the ranks."""
        lengths = {len(part.fired) for part in parts}
        if len(lengths) != 1 or len({part.latency for part in parts}) != 1:
            raise ValueError(f"parts have {sorted(lengths)} iterations; accepted: parts of one run")
        return cls(
            np.concatenate([part.fired for part in parts], axis=1),
            parts[0].latency,
            np.concatenate([part.bytes_sent for part in parts]),
            np.concatenate([part.bits_counted for part in parts]),
        )

    def save(self, path: str | Path) -> None:
        """Write the trace as .npz."""
        with Path(path).open("wb") as file:
            np.savez_compressed(
                file, fired=self.fired, latency=self.latency, bytes_sent=self.bytes_sent, bits_counted=self.bits_counted
            )

    @classmethod
    def load(cls, path: str | Path) -> EventTrace:
        """Read a trace that `save` wrote."""
        with np.load(path) as data:
            return cls(data["fired"], int(data["latency"]), data["bytes_sent"], data["bits_counted"])


@dataclass(frozen=True, eq=False)
class Replayed:
    """The trigger that fires where a recorded run did: `EventTriggeredGradient` of the simulator then repeats it.

    Parameters
    ----------
    trace : EventTrace
        Of all ranks.
    """

    trace: EventTrace
    needs_movement = False
    needs_step = False

    def start(self, n: int, tensors: Tensors) -> Any:
        """Check that the trace fits."""
        if self.trace.fired.shape[1:] != (n, len(tensors.sizes)):
            raise ValueError(
                f"the trace is of {self.trace.fired.shape[1]} ranks and {self.trace.fired.shape[2]} tensors; "
                f"accepted: {n} and {len(tensors.sizes)}"
            )

    def fires(self, look: Look, memory: Any) -> tuple[NDArray[np.bool_], Any]:
        """Return what was sent in this iteration."""
        if look.iteration >= len(self.trace.fired):
            raise ValueError(f"the trace has {len(self.trace.fired)} iterations; accepted: runs that end with it")
        return self.trace.fired[look.iteration], memory
