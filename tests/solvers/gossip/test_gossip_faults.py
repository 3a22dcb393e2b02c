"""Four processes, started once: unusual models, optimizers, groups and checkpoints in a real run."""

from __future__ import annotations

import multiprocessing
import os
import socket
import traceback
from collections.abc import Callable
from copy import deepcopy
from datetime import timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from taciturn.solvers.compressors import QSGD, TopK
from taciturn.solvers.decentralised import Adaptive, Always, Constant, DifferenceNorm, Every, Forced, Relative, Tensors
from taciturn.solvers.decentralised import Path as PathTrigger
from taciturn.solvers.gossip import EventTriggered, GossipSettings, NeighbourFailed, NonFiniteParameters, run_gossip
from taciturn.solvers.problems import quadratic

RANKS = 4


def optimizer_of(model: Any, rank: int, trigger: Any, sgd: Any = None, **settings: Any) -> EventTriggered:
    """Wrap an optimizer on a ring, with messages in a group of its own."""
    import torch

    neighbours = {(rank + shift) % RANKS: 0.25 for shift in (-1, 1)}
    sgd = sgd or torch.optim.SGD([p for p in model.parameters() if p.requires_grad], lr=0.05)
    settings = {"timeout": 20.0, "group": torch.distributed.new_group(backend="gloo"), **settings}
    return EventTriggered(model, sgd, neighbours, trigger, **settings)


def take_steps(optimizer: EventTriggered, model: Any, rank: int, first: int, last: int, ahead: bool = False) -> None:
    import torch

    for k in range(first, last):
        if ahead:
            optimizer.send()
        x = torch.randn(5, 4, generator=torch.Generator().manual_seed(100 * rank + k))
        optimizer.zero_grad()
        (model(x) - rank).square().mean().backward()
        optimizer.step()


def vector(model: Any) -> Any:
    import torch

    return torch.cat([parameter.detach().reshape(-1) for parameter in model.parameters()])


def mean(values: Any) -> Any:
    import torch

    total = values.clone()
    torch.distributed.all_reduce(total)
    return total / RANKS


def network(rank: int) -> Any:
    import torch

    torch.manual_seed(rank)
    return torch.nn.Sequential(torch.nn.Linear(4, 3), torch.nn.Linear(3, 2))


def checkpoints(rank: int) -> None:
    """Triggers that remember, compressed messages on their way, momentum: a copy of the state goes on alike."""
    import torch

    triggers = (
        PathTrigger(Constant(0.05)), Adaptive(warm_up=3), Relative(0.8), Forced(DifferenceNorm(Constant(0.2)), 4)
    )  # fmt: skip
    for trigger in triggers:
        for compressor in (None, QSGD(4), TopK(2)):

            def made(model: Any, trigger: Any = trigger, compressor: Any = compressor) -> EventTriggered:
                sgd = torch.optim.SGD(model.parameters(), lr=0.05, momentum=0.9)
                settings = {"update": "average-preserving", "damping": 0.3, "latency": 2, "compressor": compressor}
                return optimizer_of(model, rank, trigger, sgd, **settings)

            whole, resumed = network(rank), network(rank)
            optimizer = made(whole)
            take_steps(optimizer, whole, rank, 0, 6)
            state = deepcopy((whole.state_dict(), optimizer.state_dict()))
            take_steps(optimizer, whole, rank, 6, 12)
            optimizer.close()
            other = made(resumed)
            resumed.load_state_dict(state[0])
            other.load_state_dict(state[1])
            take_steps(other, resumed, rank, 6, 12)
            other.close()
            assert torch.equal(vector(whole), vector(resumed)), (trigger, compressor)
            assert np.array_equal(optimizer.trace.fired, other.trace.fired)
            assert np.array_equal(optimizer.trace.bytes_sent, other.trace.bytes_sent)


def average(rank: int) -> None:
    """The average follows the steps of any optimizer exactly, whatever is sent and however late."""
    import torch

    for kind in (torch.optim.SGD, torch.optim.Adam):
        model = network(rank)
        settings = {"update": "average-preserving", "damping": 0.5, "latency": 2}
        base = kind(model.parameters(), lr=0.0)
        optimizer = optimizer_of(model, rank, Forced(DifferenceNorm(Constant(0.2)), 3), base, **settings)
        start = mean(vector(model))
        take_steps(optimizer, model, rank, 0, 10)
        optimizer.close()
        assert 0 < optimizer.trace.message_share < 1
        assert torch.max(torch.abs(mean(vector(model)) - start)) < 1e-14


def parameters(rank: int) -> None:
    """Transposed, shared and frozen parameters are mixed entry by entry, once, and not at all."""
    import torch

    model = torch.nn.Module()
    entries = torch.arange(9.0).reshape(3, 3)
    model.turned = torch.nn.Parameter((entries + rank).t())
    model.first, model.second = torch.nn.Linear(3, 3, bias=False), torch.nn.Linear(3, 3, bias=False)
    model.second.weight = model.first.weight
    with torch.no_grad():
        model.first.weight.fill_(float(rank))
    model.frozen = torch.nn.Parameter(torch.full((2,), float(rank)), requires_grad=False)
    optimizer = optimizer_of(model, rank, Always())
    assert optimizer.names == ("turned", "first.weight")
    for parameter in (model.turned, model.first.weight):
        parameter.grad = torch.zeros_like(parameter)
    optimizer.step()
    optimizer.close()
    mixed = 0.5 * rank + 0.25 * ((rank + 1) % RANKS) + 0.25 * ((rank - 1) % RANKS)
    assert torch.equal(model.turned, (entries + mixed).t())
    assert torch.equal(model.second.weight, torch.full((3, 3), mixed))
    assert torch.equal(model.frozen, torch.full((2,), float(rank)))


def rates(rank: int) -> None:
    """The step of a tensor is that of its own parameter group, in whatever order the groups are."""
    import torch

    model = network(rank)[0]
    base = torch.optim.SGD([{"params": [model.bias], "lr": 0.0}, {"params": [model.weight]}], lr=1e3)
    optimizer = optimizer_of(model, rank, Relative(2.0), base)
    for _ in range(2):
        for parameter in model.parameters():
            parameter.grad = torch.ones_like(parameter)
        optimizer.step()
    optimizer.close()
    assert optimizer.names == ("weight", "bias")
    assert optimizer.trace.fired[:, 0].tolist() == [[False, False], [False, True]]


def groups(rank: int) -> None:
    """Neighbours are named by their ranks in the whole world, also in a group that numbers them otherwise."""
    import torch

    pairs = [torch.distributed.new_group(pair, backend="gloo") for pair in ([3, 1], [0, 2])]
    model, other = torch.nn.Linear(2, 2), (rank + 2) % RANKS
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.fill_(float(rank))
            parameter.grad = torch.zeros_like(parameter)
    sgd = torch.optim.SGD(model.parameters(), lr=0.1)
    optimizer = EventTriggered(model, sgd, {other: 0.5}, Every(1), timeout=20.0, group=pairs[rank % 2 == 0])
    optimizer.step()
    optimizer.close()
    assert torch.equal(vector(model), torch.full((6,), (rank + other) / 2))


def ahead(rank: int) -> None:
    """What is sent before the gradients, by some ranks or twice, is what is sent after them."""
    import torch

    triggers = (PathTrigger(Constant(0.05)), Adaptive(warm_up=3), Relative(0.8), Always())
    for trigger in triggers:
        for latency in (0, 2):
            found = []
            for early in (False, rank % 2 == 0, True):
                model = network(rank)
                optimizer = optimizer_of(model, rank, trigger, latency=latency)
                for k in range(8):
                    if early:
                        optimizer.send()
                    take_steps(optimizer, model, rank, k, k + 1, early)
                optimizer.close()
                found.append((vector(model), optimizer.trace))
            for x, trace in found[1:]:
                assert torch.equal(x, found[0][0]), (trigger, latency)
                assert np.array_equal(trace.fired, found[0][1].fired)
                assert trace.bytes_sent == found[0][1].bytes_sent


def announced(rank: int) -> None:
    """Between the message and the step no state is given, or taken, and close takes what is on its way."""
    model = network(rank)
    for latency in (0, 2):
        optimizer = optimizer_of(model, rank, Always(), latency=latency)
        state = optimizer.state_dict()
        take_steps(optimizer, model, rank, 0, 3, ahead=True)
        optimizer.send()
        with pytest.raises(ValueError, match="before send"):
            optimizer.state_dict()
        with pytest.raises(ValueError, match="4 messages"):
            optimizer.load_state_dict(state)
        optimizer.close()
        assert len(optimizer.trace.fired) == 4
        with pytest.raises(ValueError, match="closed"):
            optimizer.send()


def changed(rank: int) -> None:
    """Parameters that are changed after they have been announced are not stepped from."""
    model = network(rank)
    optimizer = optimizer_of(model, rank, Always())
    take_steps(optimizer, model, rank, 0, 2, ahead=True)
    optimizer.send()
    model[0].bias.data += float(rank == 1)
    kind, words = (ValueError, "have changed between") if rank == 1 else (NeighbourFailed, "has given up")
    with pytest.raises(kind, match=words):
        take_steps(optimizer, model, rank, 2, 20)


def buffers(rank: int) -> None:
    """Messages that have left are not kept."""
    model = network(rank)
    for latency, early in ((0, False), (2, False), (0, True), (2, True)):
        optimizer = optimizer_of(model, rank, Always(), latency=latency)
        kept = []
        for k in range(40):
            take_steps(optimizer, model, rank, k, k + 1, early)
            kept.append(len(optimizer._links._sending))
        optimizer.close()
        assert max(kept) <= 4 * (2 * latency + 2)  # header and content, two neighbours
        assert len(optimizer._links._sending) == 0


def unused(rank: int) -> None:
    """A parameter without a gradient does not move."""
    import torch

    model = network(rank)
    model.register_parameter("unused", torch.nn.Parameter(torch.zeros(2)))
    optimizer = optimizer_of(model, rank, Relative(0.5))
    take_steps(optimizer, model, rank, 0, 3)
    optimizer.close()
    assert not optimizer.trace.fired[..., optimizer.names.index("unused")].any()


def types(rank: int) -> None:
    """Types that norms overflow in, or NumPy does not have, are refused at once."""
    import torch

    for kind in (torch.float16, torch.bfloat16, torch.complex128):
        with pytest.raises(ValueError, match="accepted: one of float32 and float64"):
            optimizer_of(network(rank).to(kind), rank, Always())


def closed(rank: int) -> None:
    """To close twice is to close once; a closed optimizer takes no steps."""
    model = network(rank)
    optimizer = optimizer_of(model, rank, Always(), latency=2)
    take_steps(optimizer, model, rank, 0, 4)
    optimizer.close()
    optimizer.close()
    with pytest.raises(ValueError, match="closed"):
        optimizer.step()


def states(rank: int) -> None:
    """Later steps leave a state alone; states of other ranks, settings or triggers are refused."""
    import torch

    model = network(rank)
    settings = {"update": "average-preserving", "latency": 1}
    adam = torch.optim.Adam(model.parameters())
    optimizer = optimizer_of(model, rank, PathTrigger(Constant(0.01)), adam, **settings)
    take_steps(optimizer, model, rank, 0, 3)
    state = optimizer.state_dict()
    momentum = state["optimizer"]["state"][0]["exp_avg"].clone()
    take_steps(optimizer, model, rank, 3, 5)
    with pytest.raises(ValueError, match="5 messages"):
        optimizer.load_state_dict(state)
    optimizer.close()
    assert torch.equal(state["optimizer"]["state"][0]["exp_avg"], momentum)
    for trigger, changed, word in (
        (PathTrigger(Constant(0.01)), {"rank": (rank + 2) % RANKS}, f"accepted: rank {rank}"),
        (PathTrigger(Constant(0.01)), {"settings": "float32"}, "float32"),
        (PathTrigger(Constant(0.01)), {"neighbours": {0: 0.5}}, "0.25"),
        (Always(), {}, "another trigger"),
    ):
        fresh = optimizer_of(model, rank, trigger, **settings)
        with pytest.raises(ValueError, match=word):
            fresh.load_state_dict({**state, **changed})
        fresh.close()


def disagreement(rank: int) -> None:
    """Ranks with other settings say so at the start, also where the masks of their messages differ in length."""
    import torch

    models = [torch.nn.ParameterList([torch.zeros(2) for _ in range(tensors)]) for tensors in (1, 9)]
    odd = rank % 2
    for model, settings in (
        (models[odd], {}),
        (models[1], {"latency": odd}),
        (models[1].to(torch.float32 if odd else torch.float64), {}),
        (models[1], {"update": ("published", "average-preserving")[odd]}),
    ):
        with pytest.raises(ValueError, match="runs with other settings"):
            optimizer_of(model, rank, Always(), **settings)


def columns(rank: int) -> None:
    """Rows of W that are no columns preserve no average: whoever sees it says so. The published update takes them."""
    import torch

    def made(forward: float, backward: float, update: str) -> EventTriggered:
        model = network(rank)
        sgd, group = torch.optim.SGD(model.parameters(), lr=0.05), torch.distributed.new_group(backend="gloo")
        neighbours = {(rank + 1) % RANKS: forward, (rank - 1) % RANKS: backward}
        return EventTriggered(model, sgd, neighbours, Always(), update=update, timeout=20.0, group=group)

    made(0.3, 0.4, "average-preserving").close()  # not symmetric, and the columns sum to one
    forward = 0.4 if rank == 1 else 0.25  # the columns of ranks 1 and 2 sum to .85 and 1.15
    made(forward, 0.25, "published").close()
    kind, words = {
        1: (ValueError, r"column of W of rank 1 sums to 0\.85"),
        2: (ValueError, r"column of W of rank 2 sums to 1\.15"),
    }.get(rank, (NeighbourFailed, "has given up"))
    with pytest.raises(kind, match=words):
        made(forward, 0.25, "average-preserving")


def steps_into(poison: Any, model: Any, rank: int) -> None:
    optimizer = optimizer_of(model, rank, Always(), latency=1, timeout=30.0)
    take_steps(optimizer, model, rank, 0, 3)
    model[0].bias.data += poison
    take_steps(optimizer, model, rank, 3, 20)


def not_finite(rank: int) -> None:
    """Nothing of a start that is not finite is sent; who hears of a failure says so long before the timeout."""
    import time

    import torch

    for start in (True, False):
        model = network(rank)
        poison = torch.full_like(model[0].bias, torch.nan if rank == 1 else 0.0)
        if start:
            model[0].bias.data += poison
        torch.distributed.barrier()  # rank 3 comes late from the failure before
        began = time.monotonic()
        with pytest.raises(NonFiniteParameters if rank == 1 else NeighbourFailed, match="rank"):
            steps_into(poison, model, rank)
        assert torch.isfinite(vector(model)).all() or rank == 1
        assert time.monotonic() - began < 20 or rank == 3  # which tells the one of its two who no longer listens


CHECKS: dict[str, Callable[[int], None]] = {
    check.__name__: check
    for check in (
        checkpoints,
        average,
        parameters,
        rates,
        groups,
        ahead,
        announced,
        changed,
        buffers,
        unused,
        types,
        closed,
        states,
        disagreement,
        columns,
        not_finite,
    )
}


def work(rank: int, port: int, folder: str) -> None:
    """Be one rank: make all checks, and write down how each of them ended."""
    import torch
    import torch.distributed as dist

    torch.set_num_threads(1)
    torch.set_default_dtype(torch.float64)
    store = dist.TCPStore("127.0.0.1", port, RANKS, rank == 0, timeout=timedelta(seconds=60), wait_for_workers=False)
    dist.init_process_group("gloo", rank=rank, world_size=RANKS, store=store, timeout=timedelta(seconds=60))
    for name, check in CHECKS.items():
        try:
            check(rank)
            said = "passed"
        except Exception:
            said = traceback.format_exc()
        Path(folder, f"{name}-{rank}.txt").write_text(said)
        dist.barrier()
    os._exit(0)


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> Path:
    pytest.importorskip("torch")
    folder = tmp_path_factory.mktemp("checks")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    context = multiprocessing.get_context("spawn")
    processes = [context.Process(target=work, args=(rank, port, str(folder))) for rank in range(RANKS)]
    for process in processes:
        process.start()
    for process in processes:
        process.join(300)
        process.kill()
    return folder


@pytest.mark.slow
@pytest.mark.parametrize("name", CHECKS)
def test_every_rank_finds_what_it_must(name: str, found: Path) -> None:
    for rank in range(RANKS):
        file = found / f"{name}-{rank}.txt"
        assert file.exists(), f"rank {rank} did not come so far"
        assert file.read_text() == "passed", file.read_text()


def test_a_new_run_does_not_mix_its_checkpoints_with_those_of_an_earlier_one(tmp_path: Path) -> None:
    pytest.importorskip("torch")
    workers = quadratic(np.ones((2, 1)), np.zeros((2, 1)))
    settings = GossipSettings(np.full((2, 2), 0.5), Always(), 0.1, 20, Tensors.whole(1), checkpoint=tmp_path)
    (tmp_path / "rank-1-50.pt").touch()
    with pytest.raises(FileExistsError, match="has checkpoints; accepted: resume, or another folder"):
        run_gossip(workers, settings, np.zeros(1))


def test_a_run_goes_on_with_the_settings_it_began_with(tmp_path: Path) -> None:
    torch = pytest.importorskip("torch")
    workers = quadratic(np.ones((2, 1)), np.zeros((2, 1)))

    def settings(**changed: Any) -> GossipSettings:
        kept = {"trigger": Always(), "step_size": 0.1, "seed": 0, **changed}
        return GossipSettings(
            np.full((2, 2), 0.5), iterations=20, tensors=Tensors.whole(1), checkpoint=tmp_path, resume=True, **kept
        )

    for rank in range(2):
        torch.save({"course": settings().course}, tmp_path / f"rank-{rank}-10.pt")
    for changed in ({"step_size": 0.2}, {"seed": 1}, {"batch": 3}, {"trigger": Every(2)}):
        with pytest.raises(ValueError, match=r"is of a run with step_size=0\.1, batch=None, seed=0, trigger=Always"):
            run_gossip(workers, settings(**changed), np.zeros(1))
