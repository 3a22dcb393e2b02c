"""Real decentralised runs on torch.distributed: an optimizer that sends only at events."""

from ..distributed.errors import MessageTimeout
from .errors import NeighbourFailed, NeighbourLost, NonFiniteParameters
from .launch import GossipRun, GossipSettings, replay, run_gossip, run_gossip_rank
from .links import HEADER_BYTES
from .optimizer import EventTriggered
from .record import EventTrace, Replayed

__all__ = [
    "HEADER_BYTES",
    "EventTrace",
    "EventTriggered",
    "GossipRun",
    "GossipSettings",
    "MessageTimeout",
    "NeighbourFailed",
    "NeighbourLost",
    "NonFiniteParameters",
    "Replayed",
    "replay",
    "run_gossip",
    "run_gossip_rank",
]
