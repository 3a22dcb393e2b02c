"""A real run of four processes in which no event fires, beside the same processes without communication."""

import statistics
import sys
import tempfile
import time

from ratios import Target, report

import torch  # isort: skip  (after ratios, which sets the number of threads)
from torch import distributed, multiprocessing, nn

from taciturn.solvers.decentralised import Always, Constant, DifferenceNorm
from taciturn.solvers.gossip import EventTriggered, header_bytes
from taciturn.solvers.problems import cnn2

RANKS, BATCH, ITERATIONS, REPETITIONS = 4, 64, 30, 9


def network() -> nn.Module:
    """Return the published CNN-2: 27,480 parameters in 8 tensors."""
    return cnn2(torch.zeros(10, 784).numpy(), range(10)).module


def train(model: nn.Module, optimizer, features, labels) -> float:
    """Return the seconds of the iterations."""
    start = time.perf_counter()
    for _ in range(ITERATIONS):
        if isinstance(optimizer, EventTriggered):
            optimizer.send()
        optimizer.zero_grad()
        nn.functional.cross_entropy(model(features), labels).backward()
        optimizer.step()
    return time.perf_counter() - start


def sgd(model: nn.Module):
    """Return an optimizer whose steps are zero: how long max-pooling takes depends on the numbers, so keep them."""
    return torch.optim.SGD(model.parameters(), lr=0.0)


def rank(number: int, folder: str, answers) -> None:
    """Take turns with both loops, all ranks together, then send always and compare bytes with counted bits."""
    torch.set_num_threads(1)
    distributed.init_process_group("gloo", init_method=f"file://{folder}/store", rank=number, world_size=RANKS)
    ring = {(number - 1) % RANKS: 1 / 3, (number + 1) % RANKS: 1 / 3}
    torch.manual_seed(number)
    features, labels = torch.rand(BATCH, 784), torch.randint(10, (BATCH,))
    silent, alone, loud = network(), network(), network()
    events = EventTriggered(silent, sgd(silent), ring, DifferenceNorm(Constant(1e9)))
    cases = {"no event": (silent, events), "no communication": (alone, sgd(alone))}
    seconds = {name: [] for name in cases}
    for _ in range(REPETITIONS + 1):
        for name, (model, optimizer) in cases.items():
            distributed.barrier()
            seconds[name].append(train(model, optimizer, features, labels))
    events.close()
    always = EventTriggered(loud, sgd(loud), ring, Always())
    starts = int(always.trace.bytes_sent[0])
    train(loud, always, features, labels)
    always.close()
    headers = ITERATIONS * len(ring) * header_bytes(len(always.tensors.sizes))
    sent, counted = int(always.trace.bytes_sent[0]) - starts, int(always.trace.bits_counted[0] / 8)
    answers.put((seconds, sent, counted, headers))
    distributed.barrier()


def main() -> bool:
    context = multiprocessing.get_context("spawn")
    answers = context.Queue()
    with tempfile.TemporaryDirectory() as folder:
        processes = [context.Process(target=rank, args=(number, folder, answers)) for number in range(RANKS)]
        for process in processes:
            process.start()
        found = [answers.get(timeout=600) for _ in processes]
        for process in processes:
            process.join()
    seconds = {}
    for name in found[0][0]:
        slowest = [max(times) for times in zip(*(own[name] for own, *_ in found), strict=True)]
        seconds[name] = statistics.median(slowest[1:]) / ITERATIONS
    title = f"one iteration of {RANKS} processes, CNN-2, batches of {BATCH}, the slowest rank"
    fast = report(title, seconds, [Target("no event", "no communication", 1.15)])
    sent, counted, headers = (sum(own[i] for own in found) for i in (1, 2, 3))
    print(
        f"  sending always: {sent} bytes sent, {counted} counted, {headers} of headers: rest {sent - counted - headers}"
    )
    return fast and sent == counted + headers


if __name__ == "__main__":
    sys.exit(not main())
