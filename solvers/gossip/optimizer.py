"""An optimizer that mixes its parameters with those of its neighbours, and sends only at events."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from copy import deepcopy
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..array import Stream, check_choice, check_count, check_fraction, check_non_negative, check_positive
from ..compressors import Compressor
from ..decentralised import Tensors, Trigger
from ..decentralised.event_triggered import UPDATES
from ..decentralised.triggers import Look
from ..distributed.transport import torch_modules
from ..distributed.wire import Wire
from .errors import NonFiniteParameters
from .links import START, Links, Parcel
from .record import EventTrace

__all__ = ["EventTriggered"]


class EventTriggered:
    """Wrap a torch optimizer: mix with the neighbours' last messages, then take its step.

    Every rank calls `step` equally often, after ``loss.backward()``. Gradients are those of the worker's own parameters
    before mixing. In every iteration each rank tells each neighbour which tensors it sends, and waits for what the
    neighbour said `latency` iterations before; with `send` the messages travel while gradients are computed. Both ends
    of a link use a message in the same iteration, so the average-preserving update preserves the average exactly
    (`mass-conservation`), and one iteration uses one version of every worker.

    Parameters
    ----------
    model : torch.nn.Module
        Its parameters, in their order, are the tensors. Ranks may start with different ones.
    optimizer : torch.optim.Optimizer
        Over the same parameters; plain SGD is what the theorems cover.
    neighbours : mapping from rank to weight
        W_ij of the row of this rank, non-negative. Its own rank has what is left to 1, named or not.
    trigger : Trigger
        When tensors are sent, see `taciturn.solvers.decentralised`; `Forced` bounds the age of copies.
    update : {"published", "average-preserving"}
        Variant A or B.
    damping : float
        eta of the average-preserving update.
    compressor : Compressor, optional
        If given, an event sends the compressed difference from the copy instead of the tensor.
    whole_vector : bool
        Whether the trigger looks at, and sends, the whole vector at once: `bounded-delay` needs that.
    latency : int
        Iterations after which a message is used.
    timeout : float
        Seconds after which a message that is due counts as lost.
    seed : int
        Of the coins of random compressors.
    group : torch.distributed.ProcessGroup, optional
        Where the messages travel, from host memory: a group that gloo serves, default the default one. Beside a
        default group of NCCL alone, for models on GPUs, make one: ``torch.distributed.new_group(backend="gloo")``.

    Raises
    ------
    ImportError
        Without torch.
    ValueError
        If the process group is not initialised or does not serve host memory, a weight or a number is out of range,
        the optimizer has other parameters than the model, or the average-preserving update is asked for and the weights
        that the neighbours give this rank do not complete its own to 1. In `step`: if a tensor has changed its shape.
    NonFiniteParameters
        In `step`: if a parameter is NaN or infinite. The neighbours are told.
    NeighbourLost, NeighbourFailed, MessageTimeout
        In `step`: if a neighbour's process dies, gives up, or does not send in time; the neighbours are told, so that
        every rank of a connected network stops within its distance in links times the timeout.

    Notes
    -----
    Source: dossier 4.1, 4.8. The process group is the caller's (`torch.distributed.init_process_group`, by torchrun).

    Examples
    --------
    In a script that ``torchrun --nproc-per-node 4 script.py`` starts::

        torch.distributed.init_process_group("gloo")
        rank, n = torch.distributed.get_rank(), torch.distributed.get_world_size()
        ring = {(rank - 1) % n: 1 / 3, (rank + 1) % n: 1 / 3}
        optimizer = EventTriggered(
            model, torch.optim.SGD(model.parameters(), lr=0.05), ring, Forced(DifferenceNorm(Constant(0.1)), every=20)
        )
        for features, labels in batches:
            optimizer.send()  # optional: messages travel while the gradients are computed
            model.zero_grad()
            loss(model(features), labels).backward()
            optimizer.step()
        optimizer.close()
    """

    def __init__(
        self,
        model: Any,
        optimizer: Any,
        neighbours: Mapping[int, float],
        trigger: Trigger,
        *,
        update: str = "published",
        damping: float = 1.0,
        compressor: Compressor | None = None,
        whole_vector: bool = False,
        latency: int = 0,
        timeout: float = 60.0,
        seed: int = 0,
        group: Any = None,
    ) -> None:
        self._torch, distributed = torch_modules()
        if not distributed.is_initialized():
            raise ValueError("the process group is not initialised; call torch.distributed.init_process_group first")
        if distributed.get_backend(group) == distributed.Backend.NCCL:
            raise ValueError("group is of nccl; accepted: one of gloo, torch.distributed.new_group(backend='gloo')")
        check_choice(update, "update", UPDATES)
        self._damping = check_fraction(damping, "damping")
        if damping != 1 and update == "published":
            raise ValueError(f"damping={damping} belongs to the average-preserving update; accepted here: 1")
        self._latency = check_count(latency, "latency", lowest=0)
        self._seed = check_count(seed, "seed", lowest=0)
        check_positive(timeout, "timeout")
        self.rank = distributed.get_rank()
        weights = _check_neighbours(neighbours, self.rank, distributed.get_world_size())
        self.neighbours = {rank: weight for rank, weight in weights.items() if rank != self.rank}
        self._own_weight = weights[self.rank] if update == "published" else 1.0
        # What multiplies the copies, in the order of the ranks: the order of the simulator, so that sums round alike.
        self._copy_weights = (
            self.neighbours
            if update == "published"
            else {rank: damping * (weight - (rank == self.rank)) for rank, weight in weights.items()}
        )
        self.optimizer = optimizer
        self._parameters = [parameter for parameter in model.parameters() if parameter.requires_grad]
        _check_same_parameters(self._parameters, optimizer)
        self._shapes = [tuple(parameter.shape) for parameter in self._parameters]
        names = [name for name, parameter in model.named_parameters() if parameter.requires_grad]
        sizes = dict(zip(names, (parameter.numel() for parameter in self._parameters), strict=True))
        self.tensors = Tensors.whole(sum(sizes.values())) if whole_vector else Tensors.of(sizes)
        self.names = tuple(names)
        self.trigger, self.update, self.compressor = trigger, update, compressor
        self._links = Links(tuple(self.neighbours), len(self.tensors.sizes), latency, timeout, group)
        x = self._vector()
        self._settings = (
            f"{x.dtype} tensors of {self.tensors.sizes}, update={update!r}, damping={damping:g}, latency={latency}, "
            f"compressor={compressor}"
        )
        self._wires = [None if compressor is None else Wire(compressor, size, x.dtype) for size in self.tensors.sizes]
        self._sent = x.copy()  # what the neighbours will hold when everything sent has arrived
        self._own_copy = x.copy()  # what they hold now
        self._own_parcels: deque[Parcel] = deque()
        self._posted: NDArray[Any] | None = None  # the parameters that `send` has announced
        self._previous: Any = None
        self._norms = self.tensors.norms(x[None])
        self._last_sent = np.full((1, len(self.tensors.sizes)), -1, dtype=np.int64)
        self._memory = trigger.start(1, self.tensors)
        self._iteration = 0
        self._fired: list[NDArray[np.bool_]] = []
        self._bits = 0.0
        self._closed = False
        with self._told_neighbours():
            self._check_finite(x)
            heard = self._links.agree(self._settings, self.neighbours)
            if update == "average-preserving":
                _check_column(weights[self.rank], heard, self.rank)
            self._copies = self._exchange_starts(x)

    @property
    def iteration(self) -> int:
        """Number of steps taken."""
        return self._iteration

    @property
    def trace(self) -> EventTrace:
        """What this rank has done, a trace of one rank."""
        fired = np.stack(self._fired)[:, None, :] if self._fired else np.zeros((0, 1, len(self.tensors.sizes)), bool)
        return EventTrace(fired, self._latency, np.array([self._links.bytes_sent]), np.array([self._bits]))

    def zero_grad(self, set_to_none: bool = True) -> None:
        """Clear the gradients."""
        self.optimizer.zero_grad(set_to_none=set_to_none)

    def send(self) -> None:
        """Start sending what the trigger says of the present parameters, and return at once; `step` waits the less.

        To be called before the gradients are computed, by any ranks; the parameters then stay as they are until
        `step`, which sends otherwise. A trigger that looks at the gradient step has to wait for it: nothing happens.
        """
        self._check_open()
        if self._posted is None and not self.trigger.needs_step:
            with self._told_neighbours():
                self._post(self._vector())

    def step(self) -> None:
        """Send what the trigger says, mix with the neighbours, and take the step of the wrapped optimizer."""
        self._check_open()
        with self._told_neighbours():
            mixed = self._torch.from_numpy(self._mix())
            with self._torch.no_grad():
                parts = mixed.split([parameter.numel() for parameter in self._parameters])
                for parameter, part in zip(self._parameters, parts, strict=True):
                    parameter.copy_(part.view_as(parameter))
            self.optimizer.step()
        self._iteration += 1

    def close(self) -> None:
        """Take the messages that are still on their way, and wait until one's own have been sent. No more steps."""
        if self._closed:
            return
        with self._told_neighbours():
            for due in range(max(self._iteration - self._latency, 0), len(self._fired)):
                self._links.collect(due)
            self._links.close()
        self._closed = True

    def state_dict(self) -> dict[str, Any]:
        """Return everything that `load_state_dict` needs, saved by all ranks after the same number of steps.

        Raises
        ------
        ValueError
            Between `send` and `step`.
        """
        if self._posted is not None:
            raise ValueError("messages have been sent for the next step; accepted: a state before send()")
        return {
            "iteration": self._iteration,
            "rank": self.rank,
            "settings": self._settings,
            "neighbours": self.neighbours,
            "sent": self._sent.copy(),
            "own_copy": self._own_copy.copy(),
            "copies": {rank: copy.copy() for rank, copy in self._copies.items()},
            "in_flight": [(parcel.iteration, parcel.mask, parcel.content) for parcel in self._own_parcels],
            "previous": None if self._previous is None else self._previous.copy(),
            "norms": self._norms.copy(),
            "last_sent": self._last_sent.copy(),
            "memory": self._memory,
            "fired": list(self._fired),
            "bits": self._bits,
            "bytes_sent": self._links.bytes_sent,
            "optimizer": deepcopy(self.optimizer.state_dict()),  # torch gives its own buffers away
        }

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go on from a saved state, before the first step; messages that were on their way are sent again.

        Raises
        ------
        ValueError
            If the state is of other settings, another rank, trigger or neighbours, or after a step.
        """
        if self._fired:
            raise ValueError(f"{len(self._fired)} messages have been sent; accepted: a state before the first step")
        if (state["rank"], state["settings"]) != (self.rank, self._settings):
            raise ValueError(
                f"the state is of rank {state['rank']} with {state['settings']}; "
                f"accepted: rank {self.rank} with {self._settings}"
            )
        if type(state["memory"]) is not type(self._memory):
            raise ValueError(f"the state is of another trigger; accepted: {self.trigger}")
        if state["neighbours"] != self.neighbours:
            raise ValueError(f"the state has the neighbours {state['neighbours']}; accepted: {self.neighbours}")
        self._iteration, self._memory, self._bits = state["iteration"], state["memory"], state["bits"]
        self._sent, self._own_copy = state["sent"].copy(), state["own_copy"].copy()
        self._copies = {rank: copy.copy() for rank, copy in state["copies"].items()}
        self._previous = None if state["previous"] is None else state["previous"].copy()
        self._norms, self._last_sent = state["norms"].copy(), state["last_sent"].copy()
        self._fired = list(state["fired"])
        self.optimizer.load_state_dict(state["optimizer"])
        self._own_parcels = deque(Parcel(*parcel) for parcel in state["in_flight"])
        for parcel in self._own_parcels:
            self._links.post(parcel)
        self._links.bytes_sent = state["bytes_sent"]

    def _vector(self) -> NDArray[Any]:
        """Return the parameters as one new vector on the host."""
        for name, parameter, shape in zip(self.names, self._parameters, self._shapes, strict=True):
            if tuple(parameter.shape) != shape:
                raise ValueError(f"{name} has the shape {tuple(parameter.shape)}; accepted: {shape}, as at the start")
        return self._on_host([parameter.detach() for parameter in self._parameters])

    def _on_host(self, tensors: list[Any]) -> NDArray[Any]:
        vector: NDArray[Any] = self._torch.cat([tensor.reshape(-1) for tensor in tensors]).cpu().numpy()
        return vector

    def _exchange_starts(self, x: NDArray[Any]) -> dict[int, NDArray[Any]]:
        """Give the neighbours the true start, dense and once: copies never start as zeros."""
        parcel = Parcel(START, np.ones(len(self.tensors.sizes), dtype=bool), x.tobytes())
        self._links.post(parcel)
        received = self._links.collect(START)
        return {rank: np.frombuffer(parcel.content, dtype=x.dtype).copy() for rank, parcel in received.items()}

    def _check_finite(self, x: NDArray[Any]) -> None:
        if not np.isfinite(x).all():
            raise NonFiniteParameters(
                f"rank {self.rank} has parameters that are NaN or infinite in iteration {self._iteration}"
            )

    @contextmanager
    def _told_neighbours(self) -> Iterator[None]:
        """Tell the neighbours of a failure."""
        try:
            yield
        except Exception:
            self._closed = True
            self._links.give_up()
            raise

    def _check_open(self) -> None:
        if self._closed:
            raise ValueError("the optimizer is closed; accepted: steps before close(), and none after a failure")

    def _post(self, x: NDArray[Any]) -> None:
        """Send what the trigger says of the parameters."""
        self._check_finite(x)
        parcel = self._parcel(self._iteration, x)
        self._links.post(parcel)
        self._own_parcels.append(parcel)
        self._posted = x

    def _mix(self) -> NDArray[Any]:
        """Send, unless it has been done, receive, and return the mixed parameters."""
        k, x = self._iteration, self._vector()
        if self._posted is None:
            self._post(x)
        elif not np.array_equal(x, self._posted):
            raise ValueError("parameters have changed between send() and step(); accepted: those that were announced")
        self._posted = None
        if k >= self._latency:
            due = k - self._latency
            for rank, received in self._links.collect(due).items():
                self._apply(received, self._copies[rank])
            self._apply(self._own_parcels.popleft(), self._own_copy)
        return self._mixed(x)

    def _parcel(self, k: int, x: NDArray[Any]) -> Parcel:
        """Ask the trigger, and pack what it says."""
        row, trigger = x[None], self.trigger
        step = self._gradient_step() if trigger.needs_step else None
        moved = None
        if trigger.needs_movement:
            still = np.zeros(self._last_sent.shape)
            moved = still if self._previous is None else self.tensors.distances(row, self._previous[None])
        look = Look(k, row, self._sent[None], self.tensors, self._norms, self._last_sent, moved, step)
        fires, self._memory = trigger.fires(look, self._memory)
        mask, contents = fires[0], []
        for b in np.flatnonzero(mask).tolist():
            part, wire = self.tensors.slices[b], self._wires[b]
            if wire is None:
                contents.append(x[part].tobytes())
            else:
                coins = Stream([self._seed, self.rank, k, b])
                contents.append(wire.pack(x[part] - self._sent[part], coins).tobytes())
        if self.compressor is not None:  # lengths differ from message to message
            contents = [len(content).to_bytes(8, "little") + content for content in contents]
        parcel = Parcel(k, mask, b"".join(contents))
        self._apply(parcel, self._sent)
        if mask.any():
            self._norms = np.where(fires, look.norms, self._norms)
        self._last_sent = np.where(fires, k, self._last_sent)
        self._previous = x if trigger.needs_movement else None
        self._fired.append(mask)
        self._bits += 8.0 * len(parcel.content) * len(self.neighbours)
        return parcel

    def _gradient_step(self) -> NDArray[np.float64]:
        """Return the norms of the gradient step of plain SGD, tensor by tensor."""
        rates = {id(p): group["lr"] for group in self.optimizer.param_groups for p in group["params"]}
        steps = self._on_host(
            [self._torch.zeros_like(p) if p.grad is None else rates[id(p)] * p.grad for p in self._parameters]
        )
        return self.tensors.norms(steps[None])

    def _apply(self, parcel: Parcel, copy: NDArray[Any]) -> None:
        """Carry the tensors of a parcel over to a copy."""
        place = 0
        for b in np.flatnonzero(parcel.mask).tolist():
            part, wire = self.tensors.slices[b], self._wires[b]
            target = copy[part]  # shares memory
            if wire is None:
                end = place + target.nbytes
                target[:] = np.frombuffer(parcel.content[place:end], dtype=target.dtype)
            else:
                place, size = place + 8, int.from_bytes(parcel.content[place : place + 8], "little")
                end = place + size
                target += wire.unpack(np.frombuffer(parcel.content[place:end], dtype=np.uint8))
            place = end

    def _mixed(self, x: NDArray[Any]) -> NDArray[Any]:
        """Return the parameters after mixing."""
        copies = {**self._copies, self.rank: self._own_copy}
        total = np.zeros_like(x)
        for rank, weight in self._copy_weights.items():
            total += x.dtype.type(weight) * copies[rank]
        mixed: NDArray[Any] = x.dtype.type(self._own_weight) * x + total
        return mixed


def _check_neighbours(neighbours: Mapping[int, float], rank: int, world_size: int) -> dict[int, float]:
    """Return the row of W, its own weight included, in the order of the ranks."""
    row = {}
    for other, weight in neighbours.items():
        check_count(other, "rank of a neighbour", lowest=0, highest=world_size - 1)
        row[other] = check_non_negative(weight, f"weight of rank {other}")
    total = sum(weight for other, weight in row.items() if other != rank)
    if set(row) <= {rank} or total > 1 + 1e-12:
        raise ValueError(f"weights of the neighbours sum to {total:.6g}; accepted: (0, 1]")
    own = row.setdefault(rank, max(1 - total, 0.0))
    if abs(own + total - 1) > 1e-12:
        raise ValueError(f"the row of W sums to {own + total:.6g}; accepted: 1, or no weight of rank {rank} itself")
    return dict(sorted(row.items()))


def _check_column(own: float, heard: Mapping[int, float], rank: int) -> None:
    """Insist that the neighbours' weights for this rank complete its own to 1: else no average is preserved."""
    total = own + sum(heard.values())
    if abs(total - 1) > 1e-10:  # as the simulator allows W
        raise ValueError(
            f"the column of W of rank {rank} sums to {total:.6g} (neighbours: {heard}); accepted with the "
            "average-preserving update: 1"
        )


def _check_same_parameters(parameters: list[Any], optimizer: Any) -> None:
    wrapped = {id(parameter) for group in optimizer.param_groups for parameter in group["params"]}
    if wrapped != {id(parameter) for parameter in parameters}:
        raise ValueError("optimizer has other parameters than the model; accepted: all that require gradients")
    kinds = {parameter.dtype for parameter in parameters}
    if len(kinds) != 1 or str(*kinds) not in ("torch.float32", "torch.float64"):
        raise ValueError(f"parameters are of {sorted(map(str, kinds))}; accepted: one of float32 and float64")
