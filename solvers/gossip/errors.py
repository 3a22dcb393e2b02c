"""How a decentralised run fails on a rank; every one of them names the rank it is about."""

__all__ = ["NeighbourFailed", "NeighbourLost", "NonFiniteParameters"]


class NeighbourLost(ConnectionError):
    """The connection to a neighbour is lost: its process died."""


class NeighbourFailed(ConnectionAbortedError):
    """A neighbour said that it gives up, because of itself or of a neighbour of its own."""


class NonFiniteParameters(ArithmeticError):
    """Parameters are NaN or infinite; they are not sent."""
