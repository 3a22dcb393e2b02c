"""A real asynchronous run, on this machine or on many."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import typer

from .screen import counted, print_json

__all__ = ["run_async"]

DATA = ("text", "quadratic")
COMPRESSORS = ("top-k", "rand-k", "natural", "ternary", "identity")


def run_async(
    workers: Annotated[int, typer.Option(help="Worker processes n; the server is one more.")] = 4,
    iterations: Annotated[int, typer.Option(help="Updates of the model.")] = 200,
    data: Annotated[str, typer.Option(help=f"{' or '.join(DATA)}.")] = "text",
    compressor: Annotated[str, typer.Option(help=f"One of {', '.join(COMPRESSORS)}.")] = "top-k",
    kept: Annotated[float, typer.Option(help="Fraction of the entries that top-k and rand-k keep.")] = 0.01,
    mode: Annotated[str, typer.Option(help="async (messages used once) or aggregated (stored).")] = "async",
    step_size: Annotated[
        float | None, typer.Option(help="Constant step; default: steps that adapt to the measured delays.")
    ] = None,
    seed: Annotated[int, typer.Option(help="Of the split of the data and of every coin.")] = 0,
    timeout: Annotated[float, typer.Option(help="Seconds after which a message that is due counts as lost.")] = 60.0,
    start_timeout: Annotated[
        float, typer.Option(help="Seconds after which processes that have not found each other give up.")
    ] = 120.0,
    output: Annotated[Path, typer.Option(help="Where the trace goes.")] = Path("trace.npz"),
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Run a parameter server and its workers as processes, and replay the trace in the simulator.

    On several hosts the same command line runs under torchrun, with one process more than workers: rank 0 is the
    server, every other rank a worker. On host R = 0, 1 of two:

    torchrun --nnodes 2 --node-rank R --nproc-per-node 2 --master-addr HOST0 --master-port 29500
    --no-python taciturn run-async --workers 3
    """
    from taciturn.solvers.distributed import AsyncSettings, Place
    from taciturn.solvers.distributed import run_async as run_here
    from taciturn.solvers.distributed import run_rank as run_there
    from taciturn.solvers.methods import FillWindow

    from .errors import writable_folder

    place = Place.from_environment()
    problem = _problem(data, workers, seed)
    settings = AsyncSettings(
        _compressor(compressor, kept, problem.d),
        iterations,
        # A worker that arrives alone moves the model along its own function: half of the window of the roughest.
        FillWindow(0.5 / problem.L_max) if step_size is None else step_size,
        mode,
        seed=seed,
        timeout=timeout,
        start_timeout=start_timeout,
    )
    points: list[Any] = []

    def observe(version: int, x: Any) -> None:
        del version
        points.append(x)

    if place is None or place.rank == 0:
        writable_folder(output.parent)
    if place is None:
        result = run_here(problem, settings, trace_file=output, observe=observe)
    else:
        served = run_there(problem, settings, place, trace_file=output, observe=observe)
        if served is None:
            return
        result = served
    _report(_measured(problem, settings, result.trace, points), output, as_json)


def _measured(problem: Any, settings: Any, trace: Any, points: list[Any]) -> dict[str, Any]:
    import numpy as np

    from taciturn.solvers.methods import run

    replay = run(
        settings.replay(trace), problem, trace.iterations, reference=False, record={"x": lambda state: state.x}
    )
    return {
        "iterations": trace.iterations,
        "workers": trace.workers,
        "messages": trace.messages,
        "bits": int(trace.bits.sum()),
        "declared_bits": float(replay.cost.sum()),
        "seconds": float(trace.update_time[-1]),
        "mean_delay": float(trace.message_delay.mean()),
        "max_delay": trace.max_delay,
        "objective": [float(replay.value[0]), float(problem.objective(points[-1]))],
        "replay_difference": float(np.abs(replay.recorded["x"] - np.stack(points)).max()),
    }


def _report(found: dict[str, Any], output: Path, as_json: bool) -> None:
    if as_json:
        print_json(found | {"trace": str(output)}, indent=None)
        return
    first, last = found["objective"]
    length, declared = (found[name] / found["messages"] for name in ("bits", "declared_bits"))
    updates = f"updates     {found['iterations']} in {found['seconds']:.3g} s"
    typer.echo(f"{updates}, by {counted(found['workers'], 'worker')} and a server")
    typer.echo(
        f"messages    {found['messages']}, {found['bits']} bits on the wire: {length:.6g} each with headers, ", nl=False
    )
    typer.echo(f"{declared:.6g} declared")
    typer.echo(f"delay       mean {found['mean_delay']:.4g}, at most n - 1 = {found['workers'] - 1}; ", nl=False)
    typer.echo(f"largest of a message in use {found['max_delay']}")
    typer.echo(f"objective   {first:.6g} -> {last:.6g}")
    typer.echo(f"replay      largest difference of an entry of an iterate {found['replay_difference']:.3g}")
    typer.echo(f"trace       {output}")


def _problem(data: str, workers: int, seed: int) -> Any:
    from taciturn.theory.checks import check_choice, check_count

    check_choice(data, "data", DATA)
    check_count(workers, "workers")
    check_count(seed, "seed", lowest=0)
    if data == "quadratic":
        from taciturn.solvers.problems import heterogeneous_quadratic

        return heterogeneous_quadratic(workers, d=100, L=1.0, mu=0.1, spread=1.0, seed=seed)
    from taciturn.solvers.data import load_text
    from taciturn.solvers.partition import split_iid
    from taciturn.solvers.problems import logistic_regression

    text = load_text()
    partition = split_iid(len(text.targets), workers, seed)
    return logistic_regression(text.features, text.targets, 1e-3).split(partition)


def _compressor(name: str, kept: float, d: int) -> Any:
    from taciturn.solvers.compressors import Identity, Natural, RandK, Ternary, TopK
    from taciturn.theory.checks import check_choice, check_positive

    check_choice(name, "compressor", COMPRESSORS)
    check_positive(kept, "kept", highest=1.0)
    k = max(1, round(kept * d))
    makers: dict[str, Callable[[], Any]] = {"top-k": lambda: TopK(k), "rand-k": lambda: RandK(k)}
    makers |= {"natural": Natural, "ternary": Ternary, "identity": Identity}
    return makers[name]()
