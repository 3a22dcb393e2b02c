"""A real event-triggered run, on this machine or on many."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import typer

from .screen import counted, print_json

__all__ = ["run_events"]

DATA = ("digits", "mnist")
MODELS = ("softmax", "cnn2")
TRIGGERS = ("published", "norm-difference", "difference-norm", "path", "relative", "always")
NETWORK_STEP = 0.05
UPDATES = {"A": "published", "B": "average-preserving"}
MEASURED = 2000
"""Images, of all workers together, on which the loss of a network is measured."""

FAILED = 3
"""Exit status of a run in which a rank has failed."""


def run_events(
    workers: Annotated[int, typer.Option(help="Processes n.")] = 4,
    graph: Annotated[
        str, typer.Option(help="Network with Metropolis weights: ring, torus, complete, star, ...")
    ] = "ring",
    model: Annotated[str, typer.Option(help=f"{' or '.join(MODELS)} (MNIST only, mini-batches).")] = "softmax",
    data: Annotated[
        str, typer.Option(help=f"{' or '.join(DATA)}; mnist is read from the folder TACITURN_DATA.")
    ] = "digits",
    rows: Annotated[int, typer.Option(help="Images for training, of all workers; 0: all.")] = 0,
    trigger: Annotated[str, typer.Option(help=f"One of {', '.join(TRIGGERS)}.")] = "published",
    threshold: Annotated[
        float, typer.Option(help="Of the triggers that are not published: constant, or factor.")
    ] = 0.1,
    horizon: Annotated[float, typer.Option(help="Of the published trigger.")] = 1.0,
    forced: Annotated[int, typer.Option(help="Send at least in every so many iterations; 0: never forced.")] = 0,
    update: Annotated[str, typer.Option(help="A (published) or B (average-preserving).")] = "A",
    damping: Annotated[float, typer.Option(help="Of update B, in (0, 1].")] = 1.0,
    latency: Annotated[int, typer.Option(help="Iterations after which a message is used.")] = 0,
    iterations: Annotated[int, typer.Option(help="Steps of every worker.")] = 200,
    step_size: Annotated[
        float | None, typer.Option(help="Default: the largest of the theorem for softmax, 0.05 for cnn2.")
    ] = None,
    batch: Annotated[int, typer.Option(help="Rows of a mini-batch; 0: all of the worker's.")] = 0,
    regularisation: Annotated[float, typer.Option(help="Of softmax regression.")] = 0.01,
    seed: Annotated[int, typer.Option(help="Of mini-batches and of the start.")] = 0,
    timeout: Annotated[float, typer.Option(help="Seconds after which a message that is due counts as lost.")] = 60.0,
    start_timeout: Annotated[
        float, typer.Option(help="Seconds after which processes that have not found each other give up.")
    ] = 120.0,
    save: Annotated[Path | None, typer.Option(help="Folder for checkpoints of all ranks.")] = None,
    save_every: Annotated[int, typer.Option(help="Iterations between two checkpoints.")] = 50,
    resume: Annotated[bool, typer.Option(help="Go on from the last checkpoint in the folder of --save.")] = False,
    kill: Annotated[str, typer.Option(help="RANK:ITERATION where a process dies, to see what the others do.")] = "",
    output: Annotated[Path | None, typer.Option(help="Where the trace of events goes.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Train with messages at events only, between processes, and replay the run in the simulator.

    The same task with messages in every iteration is simulated beside, for the saving at equal loss. A rank that fails
    is reported by name with exit status 3, and the run goes on from its checkpoint with --resume.

    On several hosts the same command line runs under torchrun, one process for each worker:

    torchrun --nnodes 2 --node-rank R --nproc-per-node 2 --master-addr HOST0 --master-port 29500
    --no-python taciturn run-events --workers 4
    """
    from taciturn.solvers.distributed import Place
    from taciturn.solvers.gossip import GossipSettings, run_gossip, run_gossip_rank
    from taciturn.solvers.topology import metropolis, network
    from taciturn.theory.checks import check_choice, check_count
    from taciturn.theory.mixing import mixing

    from .errors import writable_folder

    check_choice(update, "update", tuple(UPDATES))
    check_count(workers, "workers", lowest=2)
    check_count(batch, "batch", lowest=0)
    rule = _trigger(trigger, threshold, horizon, forced)
    fault = _fault(kill, workers)
    place = Place.from_environment()
    task = _task(model, data, rows, workers, regularisation, seed)
    W = metropolis(network(graph, workers))
    if step_size is None:
        step_size = (1 + mixing(W).lambda_n) / (task.problem.L_max + task.mu) if task.mu else NETWORK_STEP
    settings = GossipSettings(
        W,
        rule,
        step_size,
        iterations,
        task.tensors,
        UPDATES[update],
        damping,
        latency,
        batch or (None if task.mu else 64),
        seed,
        timeout,
        start_timeout,
        save,
        save_every,
        resume,
        fault,
    )
    for folder in (save, None if output is None else output.parent):
        if folder is not None:
            writable_folder(folder)
    if place is None:
        run = run_gossip(task.problem, settings, task.start)
    else:
        found = run_gossip_rank(task.problem, settings, task.start, place)
        if found is None:
            return
        run = found
    if run.errors:
        _fail(run.errors, place is not None)
    if output is not None and run.trace is not None:
        run.trace.save(output)
    _report(_measured(task, settings, run), as_json)


def _fail(errors: dict[int, str], under_torchrun: bool) -> None:
    import os
    import sys

    for rank, error in sorted(errors.items()):
        typer.echo(f"taciturn: rank {rank}: {error}", err=True)
    if under_torchrun:
        sys.stderr.flush()
        os._exit(FAILED)  # the group of a run with a dead rank cannot be torn down
    raise typer.Exit(FAILED)


def _task(model: str, data: str, rows: int, workers: int, regularisation: float, seed: int) -> Any:
    from taciturn.solvers.classification import network_task, softmax_task
    from taciturn.solvers.data import load_digits, load_mnist
    from taciturn.theory.checks import check_choice, check_count, check_positive

    check_choice(data, "data", DATA)
    check_choice(model, "model", MODELS)
    check_count(rows, "rows", lowest=0)
    check_count(seed, "seed", lowest=0)
    check_positive(regularisation, "regularisation")
    load = load_mnist if data == "mnist" else load_digits
    training, test = load(part="train"), load(part="test")
    if rows:
        training = training.of_rows(slice(rows))
    if model == "softmax":
        return softmax_task(training, test, workers, regularisation)
    from taciturn.solvers.problems import cnn2

    return network_task(cnn2, training, test, workers, seed)


def _measurable(task: Any) -> Any:
    """Return the problem for measuring: a network on some of the images only."""
    return task.problem if task.mu else task.problem.measured_on(max(MEASURED // task.problem.workers, 1))


def _trigger(name: str, threshold: float, horizon: float, forced: int) -> Any:
    from taciturn.solvers import decentralised as triggers
    from taciturn.theory.checks import check_choice, check_count

    check_choice(name, "trigger", TRIGGERS)
    check_count(forced, "forced", lowest=0)
    constant = triggers.Constant(threshold)
    makers: dict[str, Callable[[], Any]] = {
        "published": lambda: triggers.Adaptive(horizon),
        "norm-difference": lambda: triggers.NormDifference(constant),
        "difference-norm": lambda: triggers.DifferenceNorm(constant),
        "path": lambda: triggers.Path(constant),
        "relative": lambda: triggers.Relative(threshold),
        "always": triggers.Always,
    }
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", triggers.HorizonWarning)
        found = makers[name]()
    for warning in caught:
        typer.echo(f"taciturn: warning: {warning.message}", err=True)
    return triggers.Forced(found, forced) if forced else found


def _fault(kill: str, workers: int) -> tuple[int, int] | None:
    if not kill:
        return None
    rank, _, iteration = kill.partition(":")
    if not (rank.isdecimal() and iteration.isdecimal()) or int(rank) >= workers:
        raise ValueError(f"kill = {kill!r}; accepted: RANK:ITERATION such as 1:50, ranks below {workers}")
    return int(rank), int(iteration)


def _measured(task: Any, settings: Any, run: Any) -> dict[str, Any]:
    import numpy as np

    from taciturn.solvers.array import array_like, to_numpy
    from taciturn.solvers.decentralised import Always
    from taciturn.solvers.gossip import header_bytes, replay

    trace = run.trace
    problem, covered = _measurable(task), bool(task.mu) and settings.batch is None
    simulated = replay(problem, settings, trace, task.start, measure_error=covered)
    there = np.isin(simulated.iterations_recorded, run.iteration)
    links = sum(len(settings.row(rank)) - 1 for rank in range(settings.ranks))
    headers = settings.iterations * links * header_bytes(len(settings.tensors.sizes))
    starts = int(trace.bytes_sent.sum() - trace.bits_counted.sum() / 8) - headers
    average = array_like(run.points[-1].mean(axis=0), task.start)
    loss = float(problem.objective(average))
    synchronous = _synchronous(problem, settings, Always(), task.start)
    return {
        "workers": settings.ranks,
        "iterations": settings.iterations,
        "step_size": settings.step_size,
        "seconds": run.seconds,
        "message_share": trace.message_share,
        "nominal_saving": 1 - trace.message_share,
        "saving_at_equal_loss": _saving_at(loss, trace.message_share * settings.iterations, synchronous),
        "loss": [float(simulated.value[0]), loss],
        "loss_sending_always": float(synchronous.value[-1]),
        "accuracy": task.accuracy(average),
        "workers_accuracy": task.workers_accuracy(run.points[-1]),
        "accuracy_sending_always": task.accuracy(synchronous.state.average),
        "workers_accuracy_sending_always": task.workers_accuracy(synchronous.state.points),
        "bytes_counted": int(trace.bits_counted.sum() / 8),
        "bytes_sent": int(trace.bytes_sent.sum()),
        "bytes_of_headers": headers,
        "bytes_of_starts": starts,
        "replay_difference": float(np.abs(to_numpy(simulated.recorded["x"])[there] - run.points).max()),
        "certificate": _certificate(task, settings, simulated) if covered else None,
    }


def _saving_at(loss: float, sent: float, synchronous: Any) -> float | None:
    """Return what was saved of the messages, per tensor and worker, that sending always needs for a loss.

    None if it never has this loss, or has it from the start.
    """
    below = synchronous.iterations_recorded[synchronous.value <= loss]
    return 1 - sent / float(below[0]) if below.size and below[0] > 0 else None


def _synchronous(problem: Any, settings: Any, always: Any, start: Any) -> Any:
    """Simulate the same with messages in every iteration."""
    from taciturn.solvers.decentralised import run_decentralised

    method = settings.method(always)
    every = max(settings.iterations // 50, 1)
    return run_decentralised(method, problem, settings.iterations, start, settings.seed, record_every=every)


def _certificate(task: Any, settings: Any, simulated: Any) -> dict[str, float] | None:
    """What `ev-posterior` proves of the run: distance from the fixed point at the end, Frobenius norm.

    The distance at the start is at most |T(X) - X|/(gamma mu), T being the step without thresholds.
    """
    import numpy as np

    from taciturn.solvers.decentralised import posterior_bound
    from taciturn.solvers.topology import lazy
    from taciturn.theory.mixing import mixing

    W = settings.W if settings.damping == 1 else lazy(settings.W, settings.damping)
    if settings.step_size * (task.problem.L_max + task.mu) > 1 + mixing(W).lambda_n + 1e-12:
        return None

    def at_most(X: Any) -> float:
        moved = W @ X - settings.step_size * task.problem.local_gradients(X) - X
        return float(np.linalg.norm(moved) / (settings.step_size * task.mu))

    start = at_most(simulated.recorded["x"][0])
    bounds = posterior_bound(
        simulated.error, start, W=W, step_size=settings.step_size, L=task.problem.L_max, mu=task.mu
    )
    return {"start": start, "end": float(bounds[-1]), "end_by_residual": at_most(simulated.recorded["x"][-1])}


def _report(found: dict[str, Any], as_json: bool) -> None:
    if as_json:
        print_json(found, indent=None)
        return
    echo = typer.echo
    echo(f"run          {found['iterations']} iterations of {counted(found['workers'], 'rank')}", nl=False)
    echo(f" in {found['seconds']:.3g} s, step {found['step_size']:.4g}")
    echo(f"messages     {found['message_share']:.1%} of sending always: nominal saving {found['nominal_saving']:.1%}")
    equal = found["saving_at_equal_loss"]
    words = (
        "undefined: sending always never has this loss, or has it from the start" if equal is None else f"{equal:.1%}"
    )
    echo(f"equal loss   saving at equal loss {words}")
    first, last = found["loss"]
    echo(f"loss         {first:.6g} -> {last:.6g}; sending always {found['loss_sending_always']:.6g}")
    for name, words in (("accuracy", "of the average"), ("workers_accuracy", "of the workers, mean")):
        measured = f"{found[name]:.4g}; sending always {found[f'{name}_sending_always']:.4g}"
        echo(f"accuracy     {words} {measured}")
    echo(f"bytes        {found['bytes_counted']} counted, {found['bytes_sent']} sent: headers ", nl=False)
    echo(f"{found['bytes_of_headers']}, starts {found['bytes_of_starts']}")
    echo(f"replay       largest difference of an entry of an iterate {found['replay_difference']:.3g}")
    certificate = found["certificate"]
    if certificate is None:
        echo("ev-posterior does not apply: mini-batches, no convexity, or a step beyond its limit")
    else:
        echo(f"ev-posterior distance from the fixed point at most {certificate['end']:.6g} ", nl=False)
        echo(f"(start {certificate['start']:.6g}; by the last residual {certificate['end_by_residual']:.6g})")
