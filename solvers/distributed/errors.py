"""How a distributed run fails; all of them are errors of the operating system for whoever catches those."""

__all__ = ["MessageTimeout", "RunStopped", "ServerLost", "WorkerLost"]


class WorkerLost(ConnectionError):
    """The server has lost the connection to a worker: its process died."""


class ServerLost(ConnectionError):
    """A worker has lost the connection to the server: its process died."""


class MessageTimeout(TimeoutError):
    """A message that was due did not come within the timeout."""


class RunStopped(ConnectionAbortedError):
    """The server told a healthy worker to stop before the end, because another worker failed."""
