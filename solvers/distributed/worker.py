"""The worker: fetch a model, compute, compress, send, until told to stop."""

import numpy as np

from ..array import Stream
from ..problems import Problem
from .errors import RunStopped
from .frames import FAILED, FINISHED, receive_model, send_gradient
from .settings import AsyncSettings
from .transport import Channel
from .wire import Wire

__all__ = ["work"]


def work(settings: AsyncSettings, problem: Problem, channel: Channel) -> None:
    """Serve as the worker of this process until the run is over.

    Raises
    ------
    ServerLost, MessageTimeout, RunStopped
        If the server dies, does not answer in time, or gives up because of another worker.
    """
    i = channel.place.worker
    own, model = problem.of_workers([i]), np.zeros(problem.d, dtype=problem.weights.dtype)
    wire = Wire(settings.compressor, problem.d, model.dtype)
    while True:
        version, x = receive_model(channel, model)
        if version == FINISHED:
            return
        if version == FAILED:
            raise RunStopped(f"worker {i} was stopped: the server has given up the run")
        coins = Stream([settings.seed, i, version])
        gradient = settings.oracle.gradients(own, x[None, :], coins)[0, :]
        send_gradient(channel, version, wire.pack(gradient, coins))
