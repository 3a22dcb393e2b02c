"""Workers without a server: mixing with the neighbours' last messages, which are sent only at events."""

from .compressed_events import CompressedEvents
from .counts import Counts
from .event_triggered import EventTriggeredGradient
from .fixed_point import fixed_point, posterior_bound
from .messages import Compressed, Content, Sparsified, Whole
from .one_sided import OneSidedGradient, OneSidedState
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
    HorizonWarning,
    Look,
    NormAndAngle,
    NormDifference,
    Path,
    Relative,
    Trigger,
)
from .windows import Windows

__all__ = [
    "Adaptive",
    "Always",
    "Compressed",
    "CompressedEvents",
    "Constant",
    "Content",
    "Counts",
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
    "HorizonWarning",
    "Look",
    "NormAndAngle",
    "NormDifference",
    "OneSidedGradient",
    "OneSidedState",
    "Path",
    "PowerLaw",
    "Relative",
    "Sparsified",
    "Tensors",
    "Threshold",
    "TrackingState",
    "Trigger",
    "Whole",
    "Windows",
    "fixed_point",
    "posterior_bound",
    "run_decentralised",
]
