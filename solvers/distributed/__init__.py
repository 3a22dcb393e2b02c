"""A real asynchronous parameter server: processes that exchange compressed messages over torch.distributed (gloo)."""

from .errors import MessageTimeout, RunStopped, ServerLost, WorkerLost
from .launch import run_async, run_rank
from .server import AsyncRun
from .settings import AsyncSettings
from .transport import Place
from .wire import Wire

__all__ = [
    "AsyncRun",
    "AsyncSettings",
    "MessageTimeout",
    "Place",
    "RunStopped",
    "ServerLost",
    "Wire",
    "WorkerLost",
    "run_async",
    "run_rank",
]
