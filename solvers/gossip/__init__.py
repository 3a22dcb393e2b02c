"""Real decentralised runs on torch.distributed: an optimizer that sends only at events."""

from ..distributed.errors import MessageTimeout
from .errors import NeighbourFailed, NeighbourLost, NonFiniteParameters
from .launch import GossipRun, GossipSettings, replay, run_gossip, run_gossip_rank
from .links import header_bytes
from .optimizer import EventTriggered
from .record import EventTrace, Replayed

__all__ = [
    "EventTrace",
    "EventTriggered",
    "GossipRun",
    "GossipSettings",
    "MessageTimeout",
    "NeighbourFailed",
    "NeighbourLost",
    "NonFiniteParameters",
    "Replayed",
    "header_bytes",
    "replay",
    "run_gossip",
    "run_gossip_rank",
]
