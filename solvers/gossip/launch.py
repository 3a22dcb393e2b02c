"""A whole decentralised run: processes on this machine, or one of those that torchrun started."""

from __future__ import annotations

import multiprocessing
import os
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from ..array import Stream, check_choice, check_count, check_fraction, check_positive, to_numpy
from ..decentralised import DecentralisedRun, EventTriggeredGradient, Tensors, Trigger, run_decentralised
from ..decentralised.event_triggered import UPDATES
from ..distributed.transport import Place, connected, open_store, torch_modules
from ..methods import Exact, MiniBatch
from ..problems import Problem
from .optimizer import EventTriggered
from .record import EventTrace, Replayed

__all__ = ["GossipRun", "GossipSettings", "replay", "run_gossip", "run_gossip_rank"]

RECORDED = 50
"""Iterates that a rank keeps, about."""


@dataclass(frozen=True, eq=False)
class GossipSettings:
    """A decentralised run of n ranks, the same object on each.

    Parameters
    ----------
    W : array_like or scipy sparse array, shape (n, n)
        Mixing matrix.
    trigger : Trigger
        When tensors are sent.
    step_size : float
        gamma, of plain SGD.
    iterations : int
        K.
    tensors : Tensors
        What is looked at and sent separately.
    update, damping, latency : str, float, int
        As of `EventTriggered`.
    batch : int, optional
        Rows of a mini-batch; default all rows.
    seed : int
        Of the mini-batches.
    timeout, start_timeout : float
        Seconds after which a message counts as lost, and after which ranks that have not met give up.
    checkpoint : Path, optional
        Folder for a checkpoint of every rank.
    save_every : int
        Iterations between two of them.
    resume : bool
        Whether to go on from the last checkpoint that all ranks have; of the settings only the iterations may differ.
    fault : tuple (rank, iteration), optional
        Where a process ends itself without a word, to see what the others do.
    """

    W: Any
    trigger: Trigger
    step_size: float
    iterations: int
    tensors: Tensors
    update: str = "published"
    damping: float = 1.0
    latency: int = 0
    batch: int | None = None
    seed: int = 0
    timeout: float = 60.0
    start_timeout: float = 120.0
    checkpoint: Path | None = None
    save_every: int = 50
    resume: bool = False
    fault: tuple[int, int] | None = None

    def __post_init__(self) -> None:
        check_choice(self.update, "update", UPDATES)
        check_positive(self.step_size, "step_size")
        check_count(self.iterations, "iterations")
        check_fraction(self.damping, "damping")
        check_count(self.latency, "latency", lowest=0)
        check_count(self.seed, "seed", lowest=0)
        check_count(self.save_every, "save_every")
        check_positive(self.timeout, "timeout")
        check_positive(self.start_timeout, "start_timeout")
        if self.batch is not None:
            check_count(self.batch, "batch")
        if self.resume and self.checkpoint is None:
            raise ValueError("resume needs a checkpoint: the folder where the ranks have saved")
        self.method(self.trigger)  # checks W, and damping against the update

    @property
    def ranks(self) -> int:
        """n."""
        return int(self.W.shape[0])

    @property
    def recorded(self) -> NDArray[np.int64]:
        """Iterations whose iterates are kept, 0 and K among them."""
        every = max(self.iterations // RECORDED, 1)
        return np.unique([*range(0, self.iterations, every), self.iterations])

    @property
    def course(self) -> str:
        """What decides the iterates beside the optimizer's own settings: a checkpoint is of one course."""
        return f"step_size={self.step_size!r}, batch={self.batch}, seed={self.seed}, trigger={self.trigger}"

    def row(self, rank: int) -> dict[int, float]:
        """Return the weights of a rank and of its neighbours."""
        row = np.asarray(self.W.toarray() if sparse.issparse(self.W) else self.W)[rank]
        return {int(j): float(row[j]) for j in np.flatnonzero(row)}

    def method(self, trigger: Trigger, measure_error: bool = False) -> EventTriggeredGradient:
        """Return the method of the simulator that does the same, with a trigger."""
        return EventTriggeredGradient(
            self.W,
            trigger,
            self.step_size,
            self.update,
            self.tensors,
            damping=self.damping,
            latency=self.latency,
            oracle=Exact() if self.batch is None else MiniBatch(self.batch),
            measure_error=measure_error,
        )


@dataclass(frozen=True, eq=False)
class GossipRun:
    """What the ranks left behind.

    Parameters
    ----------
    errors : mapping from rank to str
        How ranks failed, by name; without any the rest is there.
    trace : EventTrace or None
        The events of all ranks.
    iteration : numpy.ndarray of int, shape (R,)
        When the iterates were recorded; a resumed run has them from there on.
    points : numpy.ndarray, shape (R, n, d)
        Iterates.
    seconds : float
        Of the slowest rank, for its iterations.
    """

    errors: dict[int, str]
    trace: EventTrace | None = None
    iteration: NDArray[np.int64] = field(default_factory=lambda: np.zeros(0, dtype=np.int64))
    points: NDArray[Any] = field(default_factory=lambda: np.zeros((0, 0, 0)))
    seconds: float = 0.0

    @classmethod
    def of_ranks(cls, outcomes: Sequence[dict[str, Any] | None]) -> GossipRun:
        """Put together what single ranks returned, None where a process died."""
        errors = {
            rank: "the process died" if outcome is None else outcome["error"]
            for rank, outcome in enumerate(outcomes)
            if outcome is None or "error" in outcome
        }
        there = [outcome for outcome in outcomes if outcome is not None]
        if errors:
            return cls(errors)
        return cls(
            {},
            EventTrace.of_ranks([outcome["trace"] for outcome in there]),
            there[0]["iteration"],
            np.stack([outcome["points"] for outcome in there], axis=1),
            max(outcome["seconds"] for outcome in there),
        )


def run_gossip(problem: Problem, settings: GossipSettings, x0: Any) -> GossipRun:
    """Run n ranks as new processes on this machine; each gets the rows of its worker only.

    Parameters
    ----------
    problem : LinearModel or NeuralNetwork
        With n workers.
    settings : GossipSettings
        The same for all.
    x0 : Array, shape (d,)
        Start of all ranks.

    Returns
    -------
    GossipRun
        With the errors of all ranks, if one has failed.

    Raises
    ------
    ImportError
        Without torch.
    FileNotFoundError
        If there is no checkpoint to go on from.
    ValueError
        If problem, settings and start do not fit.
    """
    torch_modules()
    _check(problem, settings, x0)
    start = _checkpointed(settings)
    n = settings.ranks
    store = open_store(Place(0, n), settings.start_timeout)
    context = multiprocessing.get_context("spawn")
    pipes = [context.Pipe() for _ in range(n)]
    processes = [context.Process(target=_spawned, args=(theirs,), daemon=True) for _, theirs in pipes]
    try:
        for process, (_, theirs) in zip(processes, pipes, strict=True):
            process.start()
            theirs.close()  # so that the end of the process is the end of the pipe
        for rank, (ours, _) in enumerate(pipes):  # not as arguments: the processes would start one after the other
            ours.send((problem.of_workers([rank]), settings, to_numpy(x0), Place(rank, n), store.port, start))
        return GossipRun.of_ranks([_received(ours) for ours, _ in pipes])
    finally:
        for process in processes:
            if process.pid is not None:  # it has started
                process.join(1.0)
                process.terminate()
                process.join()
                process.close()


def run_gossip_rank(problem: Problem, settings: GossipSettings, x0: Any, place: Place) -> GossipRun | None:
    """Be one rank of a run that torchrun started, on any number of hosts; checkpoints lie in a folder they share.

    Returns
    -------
    GossipRun or None
        Of all ranks, on rank 0; with the error of this rank alone, if it has failed.
    """
    _, distributed = torch_modules()
    _check(problem, settings, x0)
    if place.world_size != settings.ranks:
        raise ValueError(f"world_size = {place.world_size} for {settings.ranks} workers; accepted: {settings.ranks}")
    start = _checkpointed(settings)
    with connected(place, settings.timeout, settings.start_timeout):
        outcome = _work(problem.of_workers([place.rank]), settings, to_numpy(x0), place.rank, start)
        if "error" in outcome:
            return GossipRun({place.rank: outcome["error"]})
        gathered: list[Any] | None = [None] * settings.ranks if place.rank == 0 else None
        distributed.gather_object(outcome, gathered)
        return None if gathered is None else GossipRun.of_ranks(gathered)


def replay(
    problem: Problem, settings: GossipSettings, trace: EventTrace, x0: Any, measure_error: bool = False
) -> DecentralisedRun:
    """Return the run of the simulator that sends what a trace says, with its iterates `x` as `recorded`."""
    every = max(settings.iterations // RECORDED, 1)
    return run_decentralised(
        settings.method(Replayed(trace), measure_error),
        problem,
        settings.iterations,
        x0,
        settings.seed,
        record_every=every,
        record={"x": lambda state: to_numpy(state.points)},
    )


def _check(problem: Problem, settings: GossipSettings, x0: Any) -> None:
    if problem.workers != settings.ranks:
        raise ValueError(f"W is for {settings.ranks} workers, the problem has {problem.workers}")
    if tuple(x0.shape) != (problem.d,) or settings.tensors.d != problem.d:
        raise ValueError(f"x0 of shape {tuple(x0.shape)}, tensors of {settings.tensors.d}; accepted: d={problem.d}")


def _received(connection: Any) -> dict[str, Any] | None:
    try:
        outcome: dict[str, Any] = connection.recv()
    except EOFError:
        return None
    return outcome


def _spawned(connection: Any) -> None:
    """Be a rank that is told through a connection what to do, and answers there."""
    problem, settings, x0, place, port, start = connection.recv()
    torch, distributed = torch_modules()
    torch.set_num_threads(1)  # the ranks share the cores
    patience = timedelta(seconds=settings.start_timeout)
    store = distributed.TCPStore("127.0.0.1", port, place.world_size, False, timeout=patience, wait_for_workers=False)
    with connected(place, settings.timeout, settings.start_timeout, store):
        outcome = _work(problem, settings, x0, place.rank, start)
        connection.send(outcome)
        connection.close()
        if "error" in outcome:
            os._exit(1)  # the group of a run with a dead rank cannot be torn down
        distributed.barrier()  # a rank that has finished is not one that is lost


def _work(problem: Any, settings: GossipSettings, x0: Any, rank: int, start: int) -> dict[str, Any]:
    """Take the steps of one rank."""
    torch, _ = torch_modules()
    model = _model(torch, settings.tensors, x0)
    # SGD with rate 1 and gradients that are multiplied before: with another rate torch rounds product and sum at once,
    # and the simulator, in NumPy, does not.
    sgd = torch.optim.SGD(model.parameters(), lr=1.0)
    recorded = settings.recorded
    outcome: dict[str, Any] = {"iteration": recorded[recorded >= start], "points": []}
    try:
        optimizer = EventTriggered(
            model,
            sgd,
            settings.row(rank),
            settings.trigger,
            update=settings.update,
            damping=settings.damping,
            latency=settings.latency,
            timeout=settings.timeout,
        )
        if start:
            saved = torch.load(_file(settings, rank, start), weights_only=False)
            model.load_state_dict(saved["model"])
            optimizer.load_state_dict(saved["optimizer"])
        gradients = _gradients(problem, settings, rank, start)
        began = time.monotonic()
        for k in range(start, settings.iterations):
            x = _vector(torch, model)
            if k in recorded:
                outcome["points"].append(x.numpy().copy())
            if settings.fault == (rank, k):
                os._exit(7)
            if settings.checkpoint is not None and k % settings.save_every == 0 and k > start:
                state = {"model": model.state_dict(), "optimizer": optimizer.state_dict(), "course": settings.course}
                _save(torch, settings, rank, k, state)
            optimizer.send()
            gradient = gradients(x) * settings.step_size
            for parameter, part in zip(model.parameters(), settings.tensors.slices, strict=True):
                parameter.grad = gradient[part].clone()
            optimizer.step()
        optimizer.close()
        outcome["seconds"] = time.monotonic() - began
        outcome["points"].append(_vector(torch, model).numpy().copy())
        outcome["trace"] = optimizer.trace
    except Exception as error:
        return {"error": f"{type(error).__name__}: {error}"}
    outcome["points"] = np.stack(outcome["points"])
    return outcome


def _model(torch: Any, tensors: Tensors, x0: Any) -> Any:
    """Return a module with the tensors as parameters, in their order; dots are not allowed in its names."""
    model = torch.nn.Module()
    for name, part in zip(tensors.names, tensors.slices, strict=True):
        model.register_parameter(name.replace(".", "_"), torch.nn.Parameter(torch.from_numpy(x0[part].copy())))
    return model


def _vector(torch: Any, model: Any) -> Any:
    return torch.cat([parameter.detach().reshape(-1) for parameter in model.parameters()])


def _gradients(problem: Any, settings: GossipSettings, rank: int, start: int) -> Callable[[Any], Any]:
    """Return the gradient of the rank's own function, with the mini-batches that the simulator draws for it."""
    torch, _ = torch_modules()
    rng = Stream(settings.seed)
    on_host = isinstance(problem.weights, np.ndarray)

    def draw() -> Any:
        # All ranks draw the batches of all, so that one seed gives the run of the simulator.
        return None if settings.batch is None else rng.uniform((settings.ranks, settings.batch), like=np.ones(1))[rank]

    for _ in range(start):
        draw()

    def gradient(x: Any) -> Any:
        draws = draw()
        here = problem
        if draws is not None:
            (block,) = problem.blocks
            here = replace(problem, blocks=(block.of_rows((draws * block.rows).astype(np.int64)),))
        point = x.numpy()[None] if on_host else x[None]
        found = here.local_gradients(point)[0]
        return torch.from_numpy(found) if on_host else found

    return gradient


def _file(settings: GossipSettings, rank: int, iteration: int) -> Path:
    assert settings.checkpoint is not None  # checked by the settings
    return settings.checkpoint / f"rank-{rank}-{iteration}.pt"


def _save(torch: Any, settings: GossipSettings, rank: int, iteration: int, state: dict[str, Any]) -> None:
    """Write a checkpoint whole or not at all, and let go of all but the one before."""
    file = _file(settings, rank, iteration)
    file.parent.mkdir(parents=True, exist_ok=True)
    part = file.with_suffix(".part")
    torch.save(state, part)
    os.replace(part, file)
    for other, path in _saved(settings, rank).items():
        if other < iteration - settings.save_every:
            path.unlink()


def _saved(settings: GossipSettings, rank: int) -> dict[int, Path]:
    assert settings.checkpoint is not None
    return {int(path.stem.rpartition("-")[2]): path for path in settings.checkpoint.glob(f"rank-{rank}-*.pt")}


def _checkpointed(settings: GossipSettings) -> int:
    """Return the iteration to start from: that of the last checkpoint that all ranks have, or 0."""
    saved = [] if settings.checkpoint is None else [set(_saved(settings, rank)) for rank in range(settings.ranks)]
    if not settings.resume:
        if any(saved):
            raise FileExistsError(f"{settings.checkpoint} has checkpoints; accepted: resume, or another folder")
        return 0
    common = set.intersection(*saved)
    common = {k for k in common if k <= settings.iterations}
    if not common:
        raise FileNotFoundError(f"{settings.checkpoint} has no checkpoint of all {settings.ranks} ranks")
    torch, _ = torch_modules()
    course = torch.load(_file(settings, 0, max(common)), weights_only=False)["course"]
    if course != settings.course:
        raise ValueError(f"{settings.checkpoint} is of a run with {course}; accepted: that, not {settings.course}")
    return max(common)
