"""Workers without a server: mixing with the neighbours' last messages, which are sent only at events."""

from .compressed_events import CompressedEvents
from .event_triggered import EventTriggeredGradient
from .fixed_point import fixed_point, posterior_bound
from .messages import Compressed, Content, Sparsified, Whole
from .run import DecentralisedMethod, DecentralisedRun, run_decentralised
from .state import DecentralisedState, Events
from .tensors import Tensors
from .thresholds import Constant, Geometric, PowerLaw, Threshold
from .tracking import EventTracking, TrackingState
from .triggers import (
    Adaptive,
    Always,
    DifferenceNorm,
    Every,
    Forced,
    Look,
    NormAndAngle,
    NormDifference,
    Path,
    Relative,
    Trigger,
)

__all__ = [
    "Adaptive",
    "Always",
    "Compressed",
    "CompressedEvents",
    "Constant",
    "Content",
    "DecentralisedMethod",
    "DecentralisedRun",
    "DecentralisedState",
    "DifferenceNorm",
    "EventTracking",
    "EventTriggeredGradient",
    "Events",
    "Every",
    "Forced",
    "Geometric",
    "Look",
    "NormAndAngle",
    "NormDifference",
    "Path",
    "PowerLaw",
    "Relative",
    "Sparsified",
    "Tensors",
    "Threshold",
    "TrackingState",
    "Trigger",
    "Whole",
    "fixed_point",
    "posterior_bound",
    "run_decentralised",
]
