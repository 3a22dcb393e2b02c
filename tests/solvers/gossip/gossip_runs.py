"""What the ranks of a real run do; every process imports this file."""

from __future__ import annotations

import multiprocessing
import os
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

import numpy as np

from taciturn.solvers.compressors import QSGD, Compressor
from taciturn.solvers.decentralised import Constant, DifferenceNorm, Forced, Relative, Trigger
from taciturn.solvers.decentralised import Path as PathTrigger
from taciturn.solvers.gossip import EventTriggered
from taciturn.solvers.problems import Quadratic, heterogeneous_quadratic

RANKS, D = 4, 6
STEP = 0.2
SECONDS = {"hang": 600.0, "late": 8.0}
"""How long rank 1 is silent."""


def problem(ranks: int = RANKS) -> Quadratic:
    return heterogeneous_quadratic(workers=ranks, d=D, L=1.0, mu=0.3, spread=1.0, seed=0)


def ring(ranks: int = RANKS) -> np.ndarray:
    W = np.zeros((ranks, ranks))
    for shift in (-1, 0, 1):
        W[np.arange(ranks), (np.arange(ranks) + shift) % ranks] += 1 / 3
    return W


@dataclass(frozen=True)
class Plan:
    """A run, the same on every rank."""

    iterations: int = 60
    trigger: Trigger = field(default_factory=lambda: Forced(DifferenceNorm(Constant(0.05)), every=10))
    update: str = "published"
    latency: int = 0
    compressor: Compressor | None = None
    damping: float = 1.0
    fault: str = ""
    save_at: int = -1
    resume: bool = False
    timeout: float = 30.0


def work(rank: int, ranks: int, port: int, plan: Plan, folder: str) -> None:
    """Be one rank: the quadratic of its worker as a torch module with two tensors."""
    import torch
    import torch.distributed as dist

    torch.set_num_threads(1)
    torch.set_default_dtype(torch.float64)
    store = dist.TCPStore("127.0.0.1", port, ranks, rank == 0, timeout=timedelta(seconds=60), wait_for_workers=False)
    dist.init_process_group("gloo", rank=rank, world_size=ranks, store=store, timeout=timedelta(seconds=60))
    quadratic = problem(ranks)
    H, centre = torch.from_numpy(quadratic.hessians[rank]), torch.from_numpy(quadratic.minimisers[rank])
    model = torch.nn.Module()
    model.weight, model.bias = (torch.nn.Parameter(torch.zeros(*shape)) for shape in ((2, 2), (2,)))
    sgd = torch.optim.SGD(model.parameters(), lr=STEP)
    W = ring(ranks)
    neighbours = {j: float(W[rank, j]) for j in range(ranks) if j != rank and W[rank, j] > 0}
    outcome: dict[str, Any] = {"points": []}
    file = Path(folder) / f"{rank}.pt"
    start = time.monotonic()
    try:
        optimizer = EventTriggered(
            model, sgd, neighbours, plan.trigger, update=plan.update, damping=plan.damping,
            compressor=plan.compressor, latency=plan.latency, timeout=plan.timeout,
        )  # fmt: skip
        if plan.resume:
            saved = torch.load(Path(folder) / f"saved-{rank}.pt", weights_only=False)
            model.load_state_dict(saved["model"])
            optimizer.load_state_dict(saved["optimizer"])
        for k in range(optimizer.iteration, plan.iterations):
            if k == plan.save_at:
                state = {"model": model.state_dict(), "optimizer": optimizer.state_dict()}
                torch.save(state, Path(folder) / f"saved-{rank}.pt")
            x = torch.cat([parameter.reshape(-1) for parameter in model.parameters()])
            outcome["points"].append(x.detach().numpy().copy())
            if k == 20 and rank == 1:
                _fail(plan.fault, model)
            optimizer.zero_grad()
            shifted = x - centre
            (0.5 * shifted @ H @ shifted).backward()
            optimizer.step()
        optimizer.close()
        x = torch.cat([parameter.reshape(-1) for parameter in model.parameters()])
        outcome["points"].append(x.detach().numpy().copy())
        outcome["trace"] = optimizer.trace
        dist.barrier()
    except Exception as error:
        outcome["error"] = f"{type(error).__name__}: {error}"
    outcome["seconds"] = time.monotonic() - start
    torch.save(outcome, file)
    os._exit(0)  # the group of a run with a dead rank cannot be torn down


def _fail(fault: str, model: Any) -> None:
    import torch

    if fault == "die":
        os._exit(7)
    if fault in SECONDS:
        time.sleep(SECONDS[fault])
    if fault == "not finite":
        with torch.no_grad():
            next(iter(model.parameters())).fill_(float("nan"))
    if fault == "other shape":
        parameter = next(iter(model.parameters()))
        parameter.data = torch.zeros(3, 2)


def run(plan: Plan, folder: Path, ranks: int = RANKS) -> list[dict[str, Any]]:
    """Run all ranks on this machine, and return what each left behind."""
    import socket

    import torch

    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    context = multiprocessing.get_context("spawn")
    processes = [context.Process(target=work, args=(rank, ranks, port, plan, str(folder))) for rank in range(ranks)]
    for process in processes:
        process.start()
    for rank, process in enumerate(processes):
        process.join(0 if (plan.fault, rank) == ("hang", 1) else 120)
    for process in processes:
        process.kill()
    found = []
    for rank in range(ranks):
        file = folder / f"{rank}.pt"
        found.append(torch.load(file, weights_only=False) if file.exists() else {})
        file.unlink(missing_ok=True)
    return found


PLANS: dict[str, Callable[[], Plan]] = {
    "published": Plan,
    "average-preserving": lambda: Plan(update="average-preserving", damping=0.7),
    "late": lambda: Plan(latency=2),
    "late, average-preserving": lambda: Plan(update="average-preserving", latency=2, damping=0.5),
    "path": lambda: Plan(trigger=PathTrigger(Constant(0.1))),
    "relative": lambda: Plan(trigger=Relative(0.8)),
    "compressed": lambda: Plan(update="average-preserving", damping=0.3, compressor=QSGD(4)),
}
