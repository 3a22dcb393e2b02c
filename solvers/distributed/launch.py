"""Starting an asynchronous run: on one machine, or as one process among those that torchrun started."""

import multiprocessing
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from ..array import array_namespace, check_gradient
from ..problems import Problem
from .server import AsyncRun, serve
from .settings import AsyncSettings
from .transport import SERVER, Place, connected, open_store, torch_modules
from .worker import work

__all__ = ["run_async", "run_rank"]


def run_async(
    problem: Problem,
    settings: AsyncSettings,
    x0: Any = None,
    trace_file: str | Path | None = None,
    observe: Callable[[int, Any], None] | None = None,
) -> AsyncRun:
    """Run a server, in this process, and its n workers, in n new ones, on this machine.

    Parameters
    ----------
    problem : Problem
        On the host (NumPy); every worker gets a copy.
    settings : AsyncSettings
        The same for all.
    x0 : numpy.ndarray, shape (d,), optional
        Start; default 0.
    trace_file : path, optional
        Where the trace is saved at the end, and what there is of it when the run fails.
    observe : callable, optional
        Called with k and x_k for k = 0..K, as they are made.

    Returns
    -------
    AsyncRun
        ``run(settings.replay(trace), problem, K, x0)`` repeats it in one process, to rounding.

    Raises
    ------
    ImportError
        Without torch.
    WorkerLost
        If the process of a worker dies.
    MessageTimeout
        If a message does not come within ``settings.timeout``, or a process within ``settings.start_timeout``. This
        and `WorkerLost` are raised at most two timeouts after the loss, with the partial trace saved; workers raise
        `RunStopped`, `ServerLost` or `MessageTimeout`.
    TypeError, ValueError
        If problem and start are not NumPy arrays of one type and length, or the settings do not fit them.

    Examples
    --------
    A script guards its start, because the new processes import it (``if __name__ == "__main__":``)::

        problem = heterogeneous_quadratic(workers=3, d=10, L=1.0, mu=0.1, spread=1.0, seed=0)
        result = run_async(problem, AsyncSettings(TopK(2), iterations=100, step_size=0.1))
        print(result.trace)
    """
    torch_modules()
    x0 = _start(problem, settings, x0)
    n = problem.workers
    place = Place(SERVER, n + 1)
    store = open_store(place, settings.start_timeout)
    context = multiprocessing.get_context("spawn")
    processes = [
        context.Process(target=_work, args=(problem, settings, Place(i + 1, n + 1), store.port), daemon=True)
        for i in range(n)
    ]
    try:
        for process in processes:
            process.start()
        with connected(place, settings.timeout, settings.start_timeout, store) as channel:
            return serve(settings, problem.weights, x0, channel, _path(trace_file), observe)
    finally:
        for process in processes:
            process.join(settings.timeout)
            process.terminate()
            process.join()
            process.close()


def run_rank(
    problem: Problem,
    settings: AsyncSettings,
    place: Place,
    x0: Any = None,
    trace_file: str | Path | None = None,
    observe: Callable[[int, Any], None] | None = None,
) -> AsyncRun | None:
    """Be one process of a run on any number of hosts, which meet at MASTER_ADDR and MASTER_PORT.

    Every rank calls this with an equal problem and equal settings; torchrun sets the environment, and
    `Place.from_environment` reads it.

    Parameters
    ----------
    place : Place
        Rank and number of processes, one more than the problem has workers.
    problem, settings, x0, trace_file, observe
        As in `run_async`; the last three matter to the server only.

    Returns
    -------
    AsyncRun or None
        None for a worker.

    Raises
    ------
    ServerLost, RunStopped
        In a worker, if the server dies or gives up.
    MessageTimeout
        Besides: if the processes do not meet within ``settings.start_timeout``, and ten seconds later if the host at
        MASTER_ADDR takes the connection and says nothing.
    ImportError, WorkerLost, TypeError, ValueError
        As in `run_async`.
    """
    x0 = _start(problem, settings, x0)
    if place.world_size != problem.workers + 1:
        raise ValueError(
            f"world_size = {place.world_size} for {problem.workers} workers; accepted: {problem.workers + 1}"
        )
    with connected(place, settings.timeout, settings.start_timeout) as channel:
        if place.rank == SERVER:
            return serve(settings, problem.weights, x0, channel, _path(trace_file), observe)
        work(settings, problem, channel)
        return None


def _work(problem: Problem, settings: AsyncSettings, place: Place, port: int) -> None:
    store = open_store(place, settings.start_timeout, port=port)
    with connected(place, settings.timeout, settings.start_timeout, store) as channel:
        work(settings, problem, channel)


def _start(problem: Problem, settings: AsyncSettings, x0: Any) -> Any:
    if not isinstance(problem.weights, np.ndarray):
        raise TypeError(f"problem is of {array_namespace(problem.weights).__name__}; accepted: NumPy")
    if settings.arrivals > problem.workers:
        raise ValueError(f"arrivals = {settings.arrivals} is outside the accepted range 1..{problem.workers}")
    start = np.zeros(problem.d, dtype=problem.weights.dtype) if x0 is None else x0
    check_gradient(start, "x0")
    if not isinstance(start, np.ndarray) or start.dtype != problem.weights.dtype or start.shape != (problem.d,):
        raise ValueError(
            f"x0 of {start.dtype} and shape {tuple(start.shape)}; accepted: {problem.weights.dtype}, ({problem.d},)"
        )
    return start


def _path(file: str | Path | None) -> Path | None:
    return None if file is None else Path(file)
